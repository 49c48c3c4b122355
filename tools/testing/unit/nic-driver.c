// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nic-driver.h"

#define PAGE	4096u

static void broke(struct drv *d, const char *rule)
{
	if (!d->broken)
		d->broken = rule;
}

static void on_msix(void *host, unsigned int vector)
{
	struct drv *d = host;

	if (vector >= 32)
		broke(d, "an interrupt vector is out of range");
	else
		d->msix[vector]++;
}

static void on_tx(void *host, const struct virtio_net_hdr_v1 *hdr, const struct iovec *iov, int n)
{
	struct drv *d = host;
	struct drv_frame *f = &d->tx[d->tx_head % DRV_TX_FRAMES];

	d->wire_frames++;
	for (int i = 0; i < n; i++)
		d->wire_bytes += iov[i].iov_len;
	if (d->count_only)
		return;
	if (d->tx_head - d->tx_tail == DRV_TX_FRAMES) {
		broke(d, "more frames on the wire than the test can take");
		return;
	}
	f->hdr = *hdr;
	f->len = 0;
	for (int i = 0; i < n; i++) {
		if (f->len + iov[i].iov_len > sizeof(f->data)) {
			broke(d, "a frame is too large for a wire");
			return;
		}
		memcpy(f->data + f->len, iov[i].iov_base, iov[i].iov_len);
		f->len += iov[i].iov_len;
	}
	d->tx_head++;
}

static void on_trace(void *host, const char *line)
{
	struct drv *d = host;

	snprintf(d->last_trace, sizeof(d->last_trace), "%s", line);
	if (getenv("NIC_TRACE"))
		printf("# %s\n", line);
}

static void on_dma(void *host, const struct nic_dma_event *ev)
{
	struct drv *d = host;

	d->dma_events++;
	if (ev->payload)
		d->last_payload = *ev;
	else
		d->last_header = *ev;
}

struct drv_opts drv_defaults(void)
{
	return (struct drv_opts){
		.nic = { .mac = { 0x02, 0, 0, 0, 0, 1 },
			 .queues = DRV_QUEUES,
			 .max_mtu = 9500,
			 .rfs = NIC_RFS_V2 },
		.queues = 1,
		.tx_entries = 256,
		.rx_entries = 256,
		.agg_entries = 256,
		.cq_entries = 1024,
		.nq_entries = 256,
		.rx_buf = 320,
		.agg_buf = 4096,
		.sop_pad = true,
		.mtu = 1500,
		.plc_flags = PLC_JUMBO | PLC_HDS_IPV4 | PLC_HDS_IPV6,
		.jumbo_thresh = 256,
		.hds_thresh = 256,
		.hash_type = 0x3f,
		.stat_period = 1000,
		/* used in turns; the device reads a packet before nic_flush() returns */
		.tx_area = 4u << 20,
	};
}

/* A device for a driver that has its memory already */
static void start(struct drv *d, const struct drv_opts *o)
{
	static const struct nic_host_ops ops = {
		.msix = on_msix, .wire_tx = on_tx, .trace = on_trace, .dma_trace = on_dma,
	};
	static const struct nic_host_ops quiet = { .msix = on_msix, .wire_tx = on_tx };

	d->o = *o;
	d->nic = nic_new(&o->nic, o->quiet ? &quiet : &ops, d);
	if (!d->nic || !dma_map_add(nic_dma(d->nic), DRV_IOVA, DRV_MEM_SIZE, d->mem))
		abort();
	d->req = drv_alloc(d, PAGE);
	d->resp = drv_alloc(d, PAGE);
	d->tx_area = drv_alloc(d, o->tx_area);
}

struct drv *drv_new(const struct drv_opts *o)
{
	return drv_new_in(o, calloc(1, DRV_MEM_SIZE));
}

/* With memory of the caller's, DRV_MEM_SIZE zeroes; drv_free() frees it */
struct drv *drv_new_in(const struct drv_opts *o, uint8_t *mem)
{
	struct drv *d = calloc(1, sizeof(*d));

	d->mem = mem;
	d->rx = calloc(DRV_RX_QUEUE, sizeof(*d->rx));
	d->tx = calloc(DRV_TX_FRAMES, sizeof(*d->tx));
	start(d, o);
	return d;
}

static void free_tpa(struct drv *d)
{
	for (unsigned int i = 0; i < d->o.queues; i++)
		for (unsigned int id = 0; id < DRV_TPA_IDS; id++)
			free(d->q[i].tpa[id]);
}

/* As drv_free() and drv_new(), but the memory stays: what was used of it is zeroed */
struct drv *drv_renew(struct drv *d, const struct drv_opts *o)
{
	struct drv_pkt *rx;
	struct drv_frame *tx;
	uint8_t *mem;

	if (!d)
		return drv_new(o);
	nic_free(d->nic);
	memset(d->mem, 0, d->next);
	free_tpa(d);
	mem = d->mem;
	rx = d->rx;
	tx = d->tx;
	/* of the queues, which are large, only those that were used */
	memset(d->q, 0, d->o.queues * sizeof(d->q[0]));
	memset(d, 0, offsetof(struct drv, q));
	memset(&d->vnic, 0, sizeof(*d) - offsetof(struct drv, vnic));
	d->mem = mem;
	d->rx = rx;
	d->tx = tx;
	start(d, o);
	return d;
}

void drv_free(struct drv *d)
{
	nic_free(d->nic);
	free_tpa(d);
	free(d->mem);
	free(d->rx);
	free(d->tx);
	free(d);
}

uint64_t drv_alloc(struct drv *d, size_t size)
{
	uint64_t at = d->next;

	d->next += (size + PAGE - 1) / PAGE * PAGE;
	if (d->next > DRV_MEM_SIZE)
		abort();
	return DRV_IOVA + at;
}

void *drv_ptr(struct drv *d, uint64_t iova)
{
	return d->mem + (iova - DRV_IOVA);
}

/*
 * Firmware commands
 */

static int get_answer(struct drv *d, const struct hwrm_req_hdr *hdr, void *resp, size_t resp_len)
{
	struct hwrm_resp_hdr a;
	uint8_t *r = drv_ptr(d, d->resp);

	memcpy(&a, r, sizeof(a));
	if (!a.resp_len)
		return -1;
	if (a.seq_id != hdr->seq_id || a.req_type != hdr->req_type)
		broke(d, "an answer is to another command");
	if (a.resp_len < 16 || a.resp_len > 512 || r[a.resp_len - 1] != 1)
		broke(d, "an answer has no valid byte at its end");
	r[a.resp_len - 1] = 0;
	if (resp)
		memcpy(resp, r + sizeof(a), resp_len);
	return a.error_code;
}

static void write_window(struct drv *d, const void *data, size_t len)
{
	for (size_t i = 0; i < len; i += 4) {
		uint32_t v;

		memcpy(&v, (const uint8_t *)data + i, 4);
		nic_mmio_write(d->nic, NIC_BAR_GRC, i, 4, v);
	}
	nic_mmio_write(d->nic, NIC_BAR_GRC, GRC_HWRM_TRIGGER, 4, 1);
}

int drv_hwrm(struct drv *d, void *req, size_t len, void *resp, size_t resp_len)
{
	struct hwrm_req_hdr *hdr = req;
	struct hwrm_short_req brief = {
		.req_type = hdr->req_type, .signature = HWRM_SHORT_SIGNATURE, .target_id = 0xffff,
		.size = len, .req_addr = d->req,
	};

	if (!hdr->cmpl_ring)
		hdr->cmpl_ring = HWRM_NO_CMPL_RING;
	hdr->seq_id = ++d->seq;
	hdr->target_id = 0xffff;
	hdr->resp_addr = d->resp;
	memcpy(drv_ptr(d, d->req), req, len);
	memset(drv_ptr(d, d->resp), 0, PAGE);
	write_window(d, &brief, sizeof(brief));
	return get_answer(d, hdr, resp, resp_len);
}

int drv_hwrm_simple(struct drv *d, uint16_t op, void *resp, size_t resp_len)
{
	struct {
		struct hwrm_req_hdr hdr;
		uint8_t body[112];
	} req = { .hdr.req_type = op };

	return drv_hwrm(d, &req, sizeof(req), resp, resp_len);
}

int drv_hwrm_window(struct drv *d, uint16_t op, void *resp, size_t resp_len)
{
	struct {
		struct hwrm_req_hdr hdr;
		uint8_t body[GRC_HWRM_WINDOW_SIZE - 16];
	} req = {
		.hdr = { .req_type = op,
			 .cmpl_ring = HWRM_NO_CMPL_RING,
			 .seq_id = ++d->seq,
			 .target_id = 0xffff,
			 .resp_addr = d->resp },
	};

	memset(drv_ptr(d, d->resp), 0, PAGE);
	write_window(d, &req, sizeof(req));
	return get_answer(d, &req.hdr, resp, resp_len);
}

/*
 * Rings
 */

void *drv_entry(struct drv *d, const struct drv_ring *r, uint32_t index)
{
	uint32_t off = (index & (r->entries - 1)) * ENTRY_SIZE;

	return (uint8_t *)drv_ptr(d, r->page[off / PAGE]) + off % PAGE;
}

int drv_ring_alloc(struct drv *d, struct drv_ring *r, unsigned int type, uint32_t entries,
		   struct ring_alloc_req *q)
{
	size_t bytes = entries * ENTRY_SIZE;
	struct ring_alloc_resp a;
	uint64_t *table;
	int rc;

	*r = (struct drv_ring){ .type = type,
				.entries = entries,
				.n_pages = (bytes + PAGE - 1) / PAGE };
	if (r->n_pages > DRV_MAX_PAGES)
		abort();
	if (d->o.tables_depth0 || r->n_pages == 1) {
		q->page_tbl_addr = drv_alloc(d, bytes);
		for (unsigned int i = 0; i < r->n_pages; i++)
			r->page[i] = q->page_tbl_addr + i * PAGE;
	} else {
		/* pages in falling order: nobody may take them for one piece */
		uint64_t base = drv_alloc(d, r->n_pages * PAGE);

		q->page_tbl_addr = drv_alloc(d, PAGE);
		q->page_tbl_depth = 1;
		q->page_size = 12;
		table = drv_ptr(d, q->page_tbl_addr);
		for (unsigned int i = 0; i < r->n_pages; i++) {
			r->page[i] = base + (r->n_pages - 1 - i) * PAGE;
			table[i] = r->page[i] | 1 | (i + 1 == r->n_pages ? 2 : 0) |
				   (i + 2 == r->n_pages ? 4 : 0);
		}
	}
	q->hdr.req_type = HWRM_RING_ALLOC;
	q->ring_type = type;
	q->length = entries;
	rc = drv_hwrm(d, q, sizeof(*q), &a, sizeof(a));
	if (!rc)
		r->id = a.ring_id;
	return rc;
}

int drv_ring_free(struct drv *d, struct drv_ring *r, uint16_t cmpl_ring)
{
	struct ring_free_req q = {
		.hdr = { .req_type = HWRM_RING_FREE, .cmpl_ring = cmpl_ring },
		.ring_type = r->type,
		.ring_id = r->id,
	};

	return drv_hwrm(d, &q, sizeof(q), NULL, 0);
}

void drv_doorbell(struct drv *d, enum db_type type, uint16_t id, uint32_t index)
{
	nic_mmio_write(d->nic, NIC_BAR_DB, DB_PF, 8,
		       (uint64_t)type << 60 | 1ull << 56 | (uint64_t)id << 32 | (index & 0xffffff));
}

void drv_arm_cq(struct drv *d, struct drv_ring *cq)
{
	drv_doorbell(d, DB_CQ_ARMALL, cq->id, cq->cons & (cq->entries - 1));
}

void drv_arm_nq(struct drv *d, struct drv_ring *nq)
{
	drv_doorbell(d, DB_NQ_ARM, nq->id, nq->cons & (nq->entries - 1));
}

static void put_bd(struct drv *d, struct drv_ring *r, uint32_t flags, uint32_t opaque,
		   uint64_t addr)
{
	struct hsi_entry e = { .dw = { flags, opaque, (uint32_t)addr, addr >> 32 } };

	memcpy(drv_entry(d, r, r->prod), &e, sizeof(e));
	r->prod = (r->prod + 1) & (r->entries - 1);
}

static uint32_t rx_buffers(const struct drv *d)
{
	return d->o.rx_entries + DRV_TPA_SPARE;
}

/* All buffers are the driver's again */
static void reset_buffers(struct drv *d, struct drv_queue *q)
{
	q->rx_next = 0;
	q->agg_next = 0;
	q->rx_got = 0;
	q->agg_got = 0;
	q->rx_put = rx_buffers(d);
	q->agg_put = d->o.agg_entries;
	for (uint32_t i = 0; i < q->rx_put; i++)
		q->rx_free[i] = i;
	for (uint32_t i = 0; i < q->agg_put; i++)
		q->agg_free[i] = i;
	memset(q->agg_posted, 0, d->o.agg_entries);
	q->tpa_open = 0;
	for (unsigned int id = 0; id < DRV_TPA_IDS; id++)
		if (q->tpa[id])
			q->tpa[id]->open = false;
}

static void make_buffers(struct drv *d, struct drv_queue *q)
{
	q->rx_buf = drv_alloc(d, (size_t)rx_buffers(d) * d->o.rx_buf);
	q->agg_buf = drv_alloc(d, (size_t)d->o.agg_entries * d->o.agg_buf);
	reset_buffers(d, q);
}

static void free_rx(struct drv *d, struct drv_queue *q, uint32_t number)
{
	q->rx_free[q->rx_put++ % rx_buffers(d)] = number;
}

static void free_agg(struct drv *d, struct drv_queue *q, uint32_t number)
{
	q->agg_posted[number] = false;
	q->agg_free[q->agg_put++ % d->o.agg_entries] = number;
}

void drv_post_rx(struct drv *d, unsigned int queue, unsigned int n)
{
	struct drv_queue *q = &d->q[queue];

	for (unsigned int i = 0; i < n; i++) {
		uint32_t number = q->rx_free[q->rx_got++ % rx_buffers(d)];

		q->rx_at[q->rx.prod] = number;
		put_bd(d, &q->rx,
		       RXBD_TYPE_PACKET | (d->o.sop_pad ? 1u << 6 : 0) | d->o.rx_buf << 16,
		       q->rx.prod, q->rx_buf + (uint64_t)number * d->o.rx_buf);
	}
	drv_doorbell(d, DB_SRQ, q->rx.id, q->rx.prod);
}

void drv_post_agg(struct drv *d, unsigned int queue, unsigned int n)
{
	struct drv_queue *q = &d->q[queue];

	for (unsigned int i = 0; i < n; i++) {
		uint32_t number = q->agg_free[q->agg_got++ % d->o.agg_entries];

		q->agg_posted[number] = true;
		put_bd(d, &q->agg, RXBD_TYPE_AGG | d->o.agg_buf << 16, number,
		       q->agg_buf + (uint64_t)number * d->o.agg_buf);
	}
	drv_doorbell(d, DB_SRQ, q->agg.id, q->agg.prod);
}

/*
 * Open and close, in the order of bnxt_en
 */

static int reserve(struct drv *d)
{
	struct func_cfg_req q = {
		.hdr.req_type = HWRM_FUNC_CFG,
		.fid = 0xffff,
		.enables = FUNC_CFG_EN_CMPL | FUNC_CFG_EN_TX | FUNC_CFG_EN_RX | FUNC_CFG_EN_STAT |
			   FUNC_CFG_EN_MSIX,
		.num_cmpl_rings = 2 * d->o.queues,
		.num_tx_rings = d->o.queues,
		.num_rx_rings = 2 * d->o.queues,
		.num_stat_ctxs = d->o.queues,
		.num_msix = d->o.queues,
	};

	return drv_hwrm(d, &q, sizeof(q), NULL, 0);
}

static int open_stats(struct drv *d, struct drv_queue *q)
{
	struct stat_ctx_alloc_req r = {
		.hdr.req_type = HWRM_STAT_CTX_ALLOC, .update_period_ms = d->o.stat_period,
		.stats_dma_length = sizeof(struct ctx_stats),
	};
	struct stat_ctx_resp a;
	int rc;

	q->stats = drv_alloc(d, PAGE);
	r.stats_dma_addr = q->stats;
	rc = drv_hwrm(d, &r, sizeof(r), &a, sizeof(a));
	q->stat_ctx = a.stat_ctx_id;
	return rc;
}

static int open_cq(struct drv *d, struct drv_queue *q, struct drv_ring *cq, unsigned int queue,
		   uint64_t handle)
{
	struct ring_alloc_req r = {
		.enables = RING_EN_NQ_RING_ID,
		.logical_id = queue,
		.nq_ring_id = q->nq.id,
		.cq_handle = handle,
	};
	int rc = drv_ring_alloc(d, cq, RING_CMPL, d->o.cq_entries, &r);

	if (!rc)
		drv_arm_cq(d, cq);
	return rc;
}

static int open_tx(struct drv *d, struct drv_queue *q, unsigned int queue)
{
	struct ring_alloc_req r = { .logical_id = queue, .stat_ctx_id = q->stat_ctx };
	int rc = open_cq(d, q, &q->txcq, queue, 0x123400000000ull | 1u << 24);

	if (rc)
		return rc;
	r.cmpl_ring_id = q->txcq.id;
	return drv_ring_alloc(d, &q->tx, RING_TX, d->o.tx_entries, &r);
}

int drv_open_queue_rx(struct drv *d, unsigned int queue)
{
	struct drv_queue *q = &d->q[queue];
	struct ring_alloc_req rx = {
		.enables = RING_EN_RX_BUF_SIZE, .logical_id = queue, .rx_buf_size = d->o.rx_buf,
		.stat_ctx_id = q->stat_ctx, .flags = d->o.sop_pad ? RING_FLAG_RX_SOP_PAD : 0,
	};
	struct ring_alloc_req agg = {
		.enables = RING_EN_RX_BUF_SIZE | RING_EN_RX_RING_ID,
		.logical_id = queue + d->o.queues,
		.rx_buf_size = d->o.agg_buf,
		.stat_ctx_id = q->stat_ctx,
	};
	int rc = drv_ring_alloc(d, &q->rx, RING_RX, d->o.rx_entries, &rx);

	reset_buffers(d, q);
	if (rc || d->o.no_agg)
		return rc;
	agg.rx_ring_id = q->rx.id;
	return drv_ring_alloc(d, &q->agg, RING_AGG, d->o.agg_entries, &agg);
}

int drv_rss(struct drv *d, uint16_t vnic, uint16_t ctx, const uint8_t *queue_of, unsigned int n)
{
	struct vnic_rss_cfg_req r = {
		.hdr.req_type = HWRM_VNIC_RSS_CFG,
		.hash_type = d->o.hash_type,
		.vnic_id = vnic,
		.rss_ctx_idx = ctx,
		.ring_grp_tbl_addr = d->rss_table,
		.hash_key_tbl_addr = d->rss_key,
	};
	struct rss_pair *pair = drv_ptr(d, d->rss_table);

	for (unsigned int i = 0; i < RSS_TABLE_PAIRS; i++) {
		const struct drv_queue *q =
			&d->q[queue_of ? queue_of[i % n] :
					 i % (d->o.rss_queues ? d->o.rss_queues : d->o.queues)];

		pair[i] = (struct rss_pair){ .rx_ring = q->rx.id, .cmpl_ring = q->rxcq.id };
	}
	return drv_hwrm(d, &r, sizeof(r), NULL, 0);
}

int drv_tpa(struct drv *d, uint32_t flags, uint16_t max_segs, uint16_t max_aggs, uint32_t min_len)
{
	struct vnic_tpa_cfg_req r = {
		.hdr.req_type = HWRM_VNIC_TPA_CFG, .flags = flags, .vnic_id = d->vnic,
		.enables = VNIC_TPA_EN_MAX_SEGS | VNIC_TPA_EN_MAX_AGGS | VNIC_TPA_EN_MIN_LEN,
		.max_agg_segs = max_segs, .max_aggs = max_aggs, .min_agg_len = min_len,
	};

	return drv_hwrm(d, &r, sizeof(r), NULL, 0);
}

int drv_placement(struct drv *d, uint32_t flags, uint16_t jumbo, uint16_t hds)
{
	struct vnic_plcmodes_cfg_req r = {
		.hdr.req_type = HWRM_VNIC_PLCMODES_CFG, .flags = flags,
		.enables = PLC_EN_JUMBO_THRESH | PLC_EN_HDS_THRESHOLD, .vnic_id = d->vnic,
		.jumbo_thresh = jumbo, .hds_threshold = hds,
	};

	return drv_hwrm(d, &r, sizeof(r), NULL, 0);
}

static int open_vnic(struct drv *d, uint16_t *vnic, uint16_t *ctx, bool first)
{
	struct vnic_alloc_req va = { .hdr.req_type = HWRM_VNIC_ALLOC, .flags = first };
	struct vnic_cfg_req cfg = {
		.hdr.req_type = HWRM_VNIC_CFG,
		.enables = VNIC_CFG_EN_RX_RING | VNIC_CFG_EN_CMPL_RING,
		.mru = d->o.mtu + 18,
		.default_rx_ring_id = d->q[0].rx.id,
		.default_cmpl_ring_id = d->q[0].rxcq.id,
		.flags = d->o.vlan_strip ? VNIC_CFG_VLAN_STRIP : 0,
	};
	struct vnic_alloc_resp a;
	struct rss_ctx_alloc_resp c;
	int rc = drv_hwrm(d, &va, sizeof(va), &a, sizeof(a));

	if (rc)
		return rc;
	*vnic = a.vnic_id;
	rc = drv_hwrm_simple(d, HWRM_VNIC_RSS_CTX_ALLOC, &c, sizeof(c));
	if (rc)
		return rc;
	*ctx = c.rss_cos_lb_ctx_id;
	if (d->o.hash_type) {
		rc = drv_rss(d, *vnic, *ctx, NULL, 0);
		if (rc)
			return rc;
	}
	cfg.vnic_id = *vnic;
	return drv_hwrm(d, &cfg, sizeof(cfg), NULL, 0);
}

static int open_filters(struct drv *d)
{
	struct l2_filter_alloc_req f = {
		.hdr.req_type = HWRM_CFA_L2_FILTER_ALLOC, .flags = L2_FLAG_PATH_RX,
		.enables = L2_EN_ADDR | L2_EN_ADDR_MASK | L2_EN_DST_ID,
		.l2_addr_mask = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, .dst_id = d->vnic,
	};
	struct l2_set_rx_mask_req m = {
		.hdr.req_type = HWRM_CFA_L2_SET_RX_MASK, .vnic_id = d->vnic, .mask = RX_MASK_BCAST,
	};
	struct filter_alloc_resp a;
	int rc;

	memcpy(f.l2_addr, d->o.nic.mac, 6);
	rc = drv_hwrm(d, &f, sizeof(f), &a, sizeof(a));
	d->l2_filter = a.filter_id;
	return rc ? rc : drv_hwrm(d, &m, sizeof(m), NULL, 0);
}

int drv_open(struct drv *d)
{
	int rc = reserve(d);

	d->rss_table = drv_alloc(d, PAGE);
	d->rss_key = drv_alloc(d, PAGE);
	for (unsigned int i = 0; i < RSS_KEY_SIZE; i++)
		((uint8_t *)drv_ptr(d, d->rss_key))[i] = i * 37 + 11;
	for (unsigned int i = 0; !rc && i < d->o.queues; i++) {
		struct drv_queue *q = &d->q[i];
		struct ring_alloc_req nq = { .logical_id = i, .int_mode = RING_INT_MODE_MSIX };

		make_buffers(d, q);
		rc = open_stats(d, q);
		rc = rc ? rc : drv_ring_alloc(d, &q->nq, RING_NQ, d->o.nq_entries, &nq);
		if (!rc)
			drv_doorbell(d, DB_NQ, q->nq.id, 0);
		rc = rc ? rc : open_tx(d, q, i);
		rc = rc ? rc : drv_open_queue_rx(d, i);
		rc = rc ? rc : open_cq(d, q, &q->rxcq, i, 0x567800000000ull);
	}
	if (!rc) {
		struct func_cfg_req cr = {
			.hdr.req_type = HWRM_FUNC_CFG,
			.fid = 0xffff,
			.enables = FUNC_CFG_EN_ASYNC_CR,
			.async_event_cr = d->q[0].nq.id,
		};

		rc = drv_hwrm(d, &cr, sizeof(cr), NULL, 0);
	}
	for (unsigned int i = 0; !rc && i < d->o.queues; i++) {
		if (!d->o.no_agg)
			drv_post_agg(d, i, d->o.agg_entries - 1);
		drv_post_rx(d, i, d->o.rx_entries - 1);
	}
	rc = rc ? rc : open_vnic(d, &d->vnic, &d->rss_ctx, true);
	if (d->o.nic.rfs == NIC_RFS_V3)
		rc = rc ? rc : open_vnic(d, &d->vnic2, &d->rss_ctx2, false);
	rc = rc ? rc : drv_placement(d, d->o.plc_flags, d->o.jumbo_thresh, d->o.hds_thresh);
	if (d->o.tpa_flags)
		rc = rc ? rc : drv_tpa(d, d->o.tpa_flags, d->o.tpa_max_segs, 256, d->o.tpa_min_len);
	rc = rc ? rc : open_filters(d);
	for (unsigned int i = 0; !rc && i < d->o.queues; i++)
		drv_arm_nq(d, &d->q[i].nq);
	nic_flush(d->nic);
	return rc;
}

int drv_close(struct drv *d)
{
	struct vnic_free_req vf = { .hdr.req_type = HWRM_VNIC_FREE, .vnic_id = d->vnic };
	int rc = drv_filter_free(d, HWRM_CFA_L2_FILTER_FREE, d->l2_filter);

	rc |= drv_hwrm(d, &vf, sizeof(vf), NULL, 0);
	for (unsigned int i = 0; i < d->o.queues; i++) {
		struct drv_queue *q = &d->q[i];
		struct stat_ctx_req sf = { .hdr.req_type = HWRM_STAT_CTX_FREE,
					   .stat_ctx_id = q->stat_ctx };

		rc |= drv_ring_free(d, &q->tx, q->txcq.id);
		rc |= drv_ring_free(d, &q->rx, q->rxcq.id);
		if (!d->o.no_agg)
			rc |= drv_ring_free(d, &q->agg, q->rxcq.id);
		nic_flush(d->nic);
		drv_run(d);
		rc |= drv_ring_free(d, &q->txcq, HWRM_NO_CMPL_RING);
		rc |= drv_ring_free(d, &q->rxcq, HWRM_NO_CMPL_RING);
		rc |= drv_ring_free(d, &q->nq, HWRM_NO_CMPL_RING);
		rc |= drv_hwrm(d, &sf, sizeof(sf), NULL, 0);
	}
	return rc;
}

int drv_ntuple(struct drv *d, struct ntuple_alloc_req *q, uint64_t *id)
{
	struct filter_alloc_resp a = { 0 };
	int rc;

	q->hdr.req_type = HWRM_CFA_NTUPLE_ALLOC;
	q->hdr.cmpl_ring = 0;
	rc = drv_hwrm(d, q, sizeof(*q), &a, sizeof(a));
	if (id)
		*id = a.filter_id;
	return rc;
}

int drv_filter_free(struct drv *d, uint16_t op, uint64_t id)
{
	struct filter_free_req q = { .hdr.req_type = op, .filter_id = id };

	return drv_hwrm(d, &q, sizeof(q), NULL, 0);
}

/*
 * Completions
 */

/* The next entry if it is valid on this pass of the ring */
static bool next_entry(struct drv *d, const struct drv_ring *r, uint32_t raw, struct hsi_entry *e)
{
	const volatile uint32_t *p = drv_entry(d, r, raw);

	if ((p[2] & ENTRY_V) != !(raw & r->entries))
		return false;
	memcpy(e, (const void *)p, sizeof(*e));
	return true;
}

unsigned int drv_read_nq(struct drv *d, unsigned int queue)
{
	struct drv_queue *q = &d->q[queue];
	struct hsi_entry e;
	unsigned int n = 0;

	for (; next_entry(d, &q->nq, q->nq.cons, &e); n++, q->nq.cons++) {
		uint64_t handle = (uint64_t)e.dw[3] << 32 | e.dw[1];

		if ((e.dw[0] & 0x3f) == CMP_ASYNC_EVENT) {
			d->async_events++;
			d->async_data = e.dw[3];
			d->async = e;
		} else if ((e.dw[0] & 0x3f) != NQE_CQ_NOTIFY) {
			broke(d, "an entry of an NQ is of unknown type");
		} else if (handle != 0x123400000000ull + (1u << 24) &&
			   handle != 0x567800000000ull) {
			broke(d, "an NQ entry has a handle that nobody gave");
		}
	}
	return n;
}

static void take_tx(struct drv *d, struct drv_queue *q, const struct hsi_entry *e)
{
	if (e->dw[1] <= q->tx_done || e->dw[1] > q->tx_sent)
		broke(d, "TX completions are out of order");
	q->tx_done = e->dw[1];
}

static void take_hwrm(struct drv_queue *q, const struct hsi_entry *e)
{
	q->hwrm_done++;
	q->hwrm_seq = e->dw[0] >> 16;
}

unsigned int drv_poll_tx(struct drv *d, unsigned int queue)
{
	struct drv_queue *q = &d->q[queue];
	struct hsi_entry e;
	unsigned int n = 0;

	for (; next_entry(d, &q->txcq, q->txcq.cons, &e); n++, q->txcq.cons++) {
		if ((e.dw[0] & 0x3f) == CMP_TX)
			take_tx(d, q, &e);
		else if ((e.dw[0] & 0x3f) == CMP_HWRM_DONE)
			take_hwrm(q, &e);
		else
			broke(d, "a TX queue has a completion of unknown type");
	}
	return n;
}

static void take_rx_data(struct drv *d, struct drv_queue *q, struct drv_pkt *p,
			 const struct hsi_entry *cmp)
{
	const uint8_t *buf = drv_ptr(d, q->rx_buf + (uint64_t)q->rx_at[q->rx_next] * d->o.rx_buf);

	p->in_rx = cmp->dw[0] >> 16;
	p->len = p->in_rx;
	if (p->in_rx + (d->o.sop_pad ? 2 : 0) > d->o.rx_buf) {
		broke(d, "an RX buffer got more than it holds");
		return;
	}
	memcpy(p->data, buf + (d->o.sop_pad ? 2 : 0), p->in_rx);
}

static void take_agg(struct drv *d, struct drv_queue *q, struct drv_pkt *p,
		     const struct hsi_entry *e, enum cmp_type type, uint32_t i)
{
	uint32_t len = e->dw[0] >> 16, number = e->dw[1];

	if ((e->dw[0] & 0x3f) != type)
		broke(d, "an aggregation completion is missing");
	if (number >= d->o.agg_entries || !q->agg_posted[number]) {
		broke(d, "an aggregation buffer completes that the device does not have");
		return;
	}
	if (number != q->agg_next && !d->o.tpa_flags)
		broke(d, "aggregation buffers are out of order");
	if (i >= DRV_MAX_AGGS || p->len + len > DRV_PKT_MAX) {
		broke(d, "a packet is too large");
		return;
	}
	if (len > d->o.agg_buf || !len) {
		broke(d, "an aggregation buffer got more than it holds, or nothing");
		return;
	}
	p->agg_len[i] = len;
	memcpy(p->data + p->len, drv_ptr(d, q->agg_buf + (uint64_t)number * d->o.agg_buf), len);
	p->len += len;
	free_agg(d, q, number);
	q->agg_next = (q->agg_next + 1) & (q->agg.entries - 1);
}

/* Returns false if the packet is not complete yet */
static bool take_rx(struct drv *d, unsigned int queue, const struct hsi_entry *cmp)
{
	struct drv_queue *q = &d->q[queue];
	uint32_t raw = q->rxcq.cons, aggs = cmp->dw[2] >> RXCMP_AGG_BUFS_SHIFT & 0x1f;
	struct drv_pkt *p = &d->rx[d->rx_head % DRV_RX_QUEUE];
	struct hsi_entry ext, e;

	if (!next_entry(d, &q->rxcq, raw + 1, &ext) ||
	    !next_entry(d, &q->rxcq, raw + 1 + aggs, &e)) {
		broke(d, "an entry of a packet is valid before the ones behind it");
		return false;
	}
	if (d->rx_head - d->rx_tail == DRV_RX_QUEUE)
		broke(d, "more packets than the test can take");
	if (cmp->dw[1] != q->rx_next)
		broke(d, "RX buffers are out of order");
	if (aggs > 7)
		broke(d, "a packet has more than 7 aggregation buffers");
	memset(p, 0, offsetof(struct drv_pkt, data));
	p->queue = queue;
	p->aggs = aggs;
	p->placement = cmp->dw[0] & 7u << 7;
	p->itype = cmp->dw[0] & 15u << 12;
	p->error = cmp->dw[0] & RXCMP_ERROR;
	p->hash_valid = cmp->dw[0] & RXCMP_RSS_VALID;
	p->hash = cmp->dw[3];
	p->payload_off = cmp->dw[2] >> RXCMP_PAYLOAD_SHIFT & 0xff;
	p->flags2 = ext.dw[0];
	p->meta = ext.dw[1];
	p->errors = ext.dw[2] & 0xfffe;
	take_rx_data(d, q, p, cmp);
	for (uint32_t i = 0; i < aggs && i < 8; i++)
		if (next_entry(d, &q->rxcq, raw + 2 + i, &e))
			take_agg(d, q, p, &e, CMP_RX_AGG, i);
	free_rx(d, q, q->rx_at[q->rx_next]);
	q->rx_next = (q->rx_next + 1) & (q->rx.entries - 1);
	q->rxcq.cons += 2 + aggs;
	d->rx_head++;
	return true;
}

/*
 * Aggregations. As in bnxt_en one start uses up two places of the RX ring, the
 * second of which the end names.
 */

static struct drv_tpa *tpa_of(struct drv *d, struct drv_queue *q, const struct hsi_entry *e)
{
	uint32_t id = e->dw[2] >> TPA_AGG_ID_SHIFT;

	if (id >= DRV_TPA_IDS) {
		broke(d, "an aggregation has an id that is out of range");
		return NULL;
	}
	if (!q->tpa[id])
		q->tpa[id] = calloc(1, sizeof(*q->tpa[id]));
	return q->tpa[id];
}

static bool take_tpa_start(struct drv *d, unsigned int queue, const struct hsi_entry *cmp)
{
	struct drv_queue *q = &d->q[queue];
	struct drv_tpa *t = tpa_of(d, q, cmp);
	struct drv_pkt *p;
	struct hsi_entry ext;

	if (!next_entry(d, &q->rxcq, q->rxcq.cons + 1, &ext)) {
		broke(d, "a start is valid before its second half");
		return false;
	}
	q->rxcq.cons += 2;
	if (!t)
		return true;
	if (t->open)
		broke(d, "an aggregation starts whose id is in use");
	if (cmp->dw[1] != q->rx_next)
		broke(d, "the buffer of a start is out of order");
	if (cmp->dw[0] & RXCMP_ERROR)
		broke(d, "a start says that there is an error");
	p = &t->pkt;
	memset(p, 0, offsetof(struct drv_pkt, data));
	p->tpa = true;
	p->queue = queue;
	p->agg_id = cmp->dw[2] >> TPA_AGG_ID_SHIFT;
	p->in_rx = cmp->dw[0] >> 16;
	p->len = p->in_rx;
	p->placement = cmp->dw[0] & 7u << 7;
	p->itype = cmp->dw[0] & 15u << 12;
	p->hash_valid = cmp->dw[0] & RXCMP_RSS_VALID;
	p->hash = cmp->dw[3];
	p->flags2 = ext.dw[0];
	p->meta = ext.dw[1];
	p->errors = ext.dw[2] & 0xfffe;
	p->hdr_info = ext.dw[3];
	t->open = true;
	t->opaque = cmp->dw[1];
	t->end_opaque = (t->opaque + 1) & (q->rx.entries - 1);
	t->buf = q->rx_at[q->rx_next];
	free_rx(d, q, q->rx_at[t->end_opaque]);
	q->rx_next = (q->rx_next + 2) & (q->rx.entries - 1);
	if (++q->tpa_open > q->tpa_most)
		q->tpa_most = q->tpa_open;
	return true;
}

static void take_tpa_agg(struct drv *d, unsigned int queue, const struct hsi_entry *cmp)
{
	struct drv_queue *q = &d->q[queue];
	struct drv_tpa *t = tpa_of(d, q, cmp);

	q->rxcq.cons++;
	if (!t || !t->open) {
		broke(d, "an aggregation goes on that never started");
		return;
	}
	take_agg(d, q, &t->pkt, cmp, CMP_TPA_AGG, t->pkt.aggs);
	t->pkt.aggs++;
}

static bool take_tpa_end(struct drv *d, unsigned int queue, const struct hsi_entry *cmp)
{
	struct drv_queue *q = &d->q[queue];
	struct drv_pkt *p = &d->rx[d->rx_head % DRV_RX_QUEUE];
	struct drv_tpa *t = tpa_of(d, q, cmp);
	const uint8_t *buf;
	struct hsi_entry ext;

	if (!next_entry(d, &q->rxcq, q->rxcq.cons + 1, &ext)) {
		broke(d, "an end is valid before its second half");
		return false;
	}
	q->rxcq.cons += 2;
	if (!t || !t->open) {
		broke(d, "an aggregation ends that never started");
		return true;
	}
	if (d->rx_head - d->rx_tail == DRV_RX_QUEUE)
		broke(d, "more packets than the test can take");
	if (cmp->dw[1] != t->end_opaque || ext.dw[3] != t->opaque)
		broke(d, "an end names other buffers than its start");
	if (ext.dw[0] >> TPA_END_BUFS_SHIFT != t->pkt.aggs)
		broke(d, "an end counts other buffers than came");
	if (cmp->dw[0] >> 16 || ext.dw[2] & 0xfffe)
		broke(d, "an end has a length or an error");
	t->pkt.segs = cmp->dw[2] >> TPA_END_SEGS_SHIFT & 0xff;
	t->pkt.seg_len = ext.dw[1];
	t->pkt.payload_off = ext.dw[0] >> TPA_END_PAYLOAD_SHIFT & 0xff;
	t->pkt.ts_word = cmp->dw[3];
	buf = drv_ptr(d, q->rx_buf + (uint64_t)t->buf * d->o.rx_buf);
	if (t->pkt.in_rx + (d->o.sop_pad ? 2 : 0) > d->o.rx_buf)
		broke(d, "an RX buffer got more than it holds");
	else
		memcpy(t->pkt.data, buf + (d->o.sop_pad ? 2 : 0), t->pkt.in_rx);
	memcpy(p, &t->pkt, offsetof(struct drv_pkt, data) + t->pkt.len);
	free_rx(d, q, t->buf);
	t->open = false;
	q->tpa_open--;
	d->rx_head++;
	return true;
}

unsigned int drv_poll_rx(struct drv *d, unsigned int queue)
{
	struct drv_queue *q = &d->q[queue];
	unsigned int n = 0, aggs = 0;
	struct hsi_entry e;

	while (next_entry(d, &q->rxcq, q->rxcq.cons, &e)) {
		if ((e.dw[0] & 0x3f) == CMP_HWRM_DONE) {
			take_hwrm(q, &e);
			q->rxcq.cons++;
			continue;
		}
		if ((e.dw[0] & 0x3f) == CMP_TPA_START) {
			if (!take_tpa_start(d, queue, &e))
				break;
			n += 2;
			continue;
		}
		if ((e.dw[0] & 0x3f) == CMP_TPA_AGG) {
			take_tpa_agg(d, queue, &e);
			aggs++;
			continue;
		}
		if ((e.dw[0] & 0x3f) == CMP_TPA_END) {
			if (!take_tpa_end(d, queue, &e))
				break;
			continue;
		}
		if ((e.dw[0] & 0x3f) != CMP_RX_L2) {
			broke(d, "an RX queue has a completion of unknown type");
			q->rxcq.cons++;
			continue;
		}
		aggs += e.dw[2] >> RXCMP_AGG_BUFS_SHIFT & 0x1f;
		if (!take_rx(d, queue, &e))
			break;
		n++;
	}
	if (!q->hold) {
		if (n)
			drv_post_rx(d, queue, n);
		if (aggs)
			drv_post_agg(d, queue, aggs);
	}
	return n;
}

void drv_napi(struct drv *d, unsigned int queue)
{
	struct drv_queue *q = &d->q[queue];

	drv_read_nq(d, queue);
	drv_poll_rx(d, queue);
	drv_poll_tx(d, queue);
	drv_arm_cq(d, &q->rxcq);
	drv_arm_cq(d, &q->txcq);
	drv_arm_nq(d, &q->nq);
}

void drv_run(struct drv *d)
{
	bool again = true;

	while (again) {
		again = false;
		for (unsigned int i = 0; i < d->o.queues; i++) {
			if (d->handled[i] == d->msix[i])
				continue;
			d->handled[i] = d->msix[i];
			drv_napi(d, i);
			nic_flush(d->nic);
			again = true;
		}
	}
}

/*
 * Traffic
 */

bool drv_send(struct drv *d, unsigned int queue, const struct drv_tx *t)
{
	struct drv_queue *q = &d->q[queue];
	uint32_t first = t->first && t->first < t->len ? t->first : t->len, left = t->len - first;
	uint32_t bds = 2 + (left ? (left + t->piece - 1) / t->piece : 0);
	uint32_t flags;
	uint64_t at;

	if (bds > 31)
		return false;
	if (d->tx_off + t->len + 8 > d->o.tx_area)
		d->tx_off = 0;
	at = d->tx_area + d->tx_off + 3;	/* buffers need no alignment */
	d->tx_off += (t->len + 10) & ~7u;
	memcpy(drv_ptr(d, at), t->data, t->len);
	flags = TXBD_TYPE_LONG | bds << 8 | first << 16 | (t->no_cmpl ? TXBD_NO_CMPL : 0);
	put_bd(d, &q->tx, flags | (left ? 0 : TXBD_PACKET_END), ++q->tx_sent, at);
	put_bd(d, &q->tx, t->lflags, t->mss, (uint64_t)t->meta << 32);
	at += first;
	while (left) {
		uint32_t n = left < t->piece ? left : t->piece;

		left -= n;
		put_bd(d, &q->tx, n << 16 | (left ? 0 : TXBD_PACKET_END), 0, at);
		at += n;
	}
	drv_doorbell(d, DB_SQ, q->tx.id, q->tx.prod);
	return true;
}

void drv_wire_hdr(struct drv *d, const struct virtio_net_hdr_v1 *hdr, const void *frame, size_t len)
{
	/* a copy of its very size, so that a sanitizer sees reads behind its end */
	uint8_t *copy = malloc(len ? len : 1);

	memcpy(copy, frame, len);
	nic_wire_rx(d->nic, hdr, copy, len);
	free(copy);
}

void drv_wire(struct drv *d, const void *frame, size_t len)
{
	const struct virtio_net_hdr_v1 hdr = { 0 };

	drv_wire_hdr(d, &hdr, frame, len);
}

struct drv_pkt *drv_next_rx(struct drv *d)
{
	return d->rx_tail == d->rx_head ? NULL : &d->rx[d->rx_tail++ % DRV_RX_QUEUE];
}

struct drv_frame *drv_next_tx(struct drv *d)
{
	return d->tx_tail == d->tx_head ? NULL : &d->tx[d->tx_tail++ % DRV_TX_FRAMES];
}
