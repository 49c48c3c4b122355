// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A guest that means harm, against the real program:
 *
 *	unshare -rn hostile-guest --emu build/asan/bnxt-emu --seconds 5 --seed 1
 *
 * It hangs up at each point of the beginning, sends messages in parts and with the
 * wrong number of descriptors, cuts its memory off, breaks its queue; and for the
 * given time it writes random firmware commands, rings, doorbells, MSI-X tables and
 * registers, changes its memory regions, and lets a thread scribble over its
 * memory meanwhile. The emulator has to live, or to end and say why; no sanitizer
 * may speak; it must not grow; and in between it has to serve a sane driver.
 *
 * The seed decides on everything but what the thread and the device do at once.
 */
#include <fcntl.h>
#include <getopt.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/virtio_pcidev.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../tap.h"
#include "front.h"

#define TAP_NAME "hostile0"
#define MAX_IDS 64
#define SANE_EVERY 400 /* actions between two checks */
#define GROWTH_KB 16384 /* of a process under sanitizers, which keep books */
#define MAX_BEGINNING 24
#define QUEUES 2
#define ENTRIES 256u /* of a ring: a page */

/* Pages of the region to play with that do_open() gives a meaning */
#define RING_PAGE(q, ring) ((q)*8u + (ring))
#define RSS_PAGE 16u
#define KEY_PAGE 17u
#define FRAME_PAGE 18u /* and the next 15: a large packet */
#define BUFFER_PAGE 40u

struct ids {
	uint16_t id[MAX_IDS];
	unsigned int n;
};

/* A queue that was opened as a driver does, before things go wrong with it */
struct queue {
	uint16_t nq, txcq, rxcq, tx, rx, agg;
	uint32_t tx_prod, rx_prod, agg_prod;
};

struct hostile {
	struct front f;
	struct queue q[QUEUES];
	int wire; /* packet socket at the TAP */
	int ifindex;
	uint64_t random;
	uint32_t play_size; /* of the region to play with, as the device knows it */
	struct ids rings;
	unsigned long commands, accepted, doorbells, frames, resets, regions;

	pthread_t scribbler;
	atomic_bool scribble, stop;
};

/*
 * Random numbers: xorshift64*
 */

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dull;
}

static uint32_t below(struct hostile *h, uint32_t n)
{
	return (next_random(&h->random) >> 33) % n;
}

static bool one_in(struct hostile *h, uint32_t n)
{
	return !below(h, n);
}

static void random_bytes(struct hostile *h, void *dst, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((uint8_t *)dst)[i] = next_random(&h->random) >> 40;
}

/* An address in the region to play with; now and then at its edges, or anywhere */
static uint64_t random_addr(struct hostile *h, uint32_t align)
{
	switch (below(h, 12)) {
	case 0: return next_random(&h->random);
	case 1: return FRONT_PLAY_BASE + FRONT_PLAY_SIZE - below(h, 4096);
	case 2: return FRONT_PLAY_BASE - below(h, 64);
	default: return FRONT_PLAY_BASE + below(h, FRONT_PLAY_SIZE) / align * align;
	}
}

static uint16_t random_ring(struct hostile *h)
{
	return h->rings.n && !one_in(h, 8) ? h->rings.id[below(h, h->rings.n)] : below(h, 600);
}

/*
 * Firmware commands: of the known kinds with fields that might do, and noise
 */

static void make_ring_alloc(struct hostile *h, struct ring_alloc_req *q)
{
	static const uint8_t type[] = { RING_CMPL, RING_CMPL, RING_TX, RING_RX, RING_AGG, RING_NQ };

	q->ring_type = type[below(h, sizeof(type))];
	q->enables = RING_EN_NQ_RING_ID | RING_EN_RX_BUF_SIZE | RING_EN_RX_RING_ID;
	q->page_tbl_addr = random_addr(h, 4096);
	q->page_tbl_depth = below(h, 3);
	q->page_size = 12;
	q->length = one_in(h, 10) ? (uint32_t)next_random(&h->random) : 1u << below(h, 18);
	q->logical_id = below(h, 8);
	q->cmpl_ring_id = random_ring(h);
	q->rx_buf_size = one_in(h, 3) ? below(h, 65536) : 256u << below(h, 5);
	q->rx_ring_id = random_ring(h);
	q->nq_ring_id = random_ring(h);
	q->stat_ctx_id = below(h, 4);
	q->flags = below(h, 2);
}

static void make_vnic(struct hostile *h, uint8_t *req, uint16_t op)
{
	struct vnic_cfg_req *cfg = (void *)req;
	struct vnic_rss_cfg_req *rss = (void *)req;
	struct vnic_plcmodes_cfg_req *plc = (void *)req;

	switch (op) {
	case HWRM_VNIC_CFG:
		cfg->vnic_id = below(h, 3);
		cfg->mru = 60 + below(h, 10000);
		cfg->flags = below(h, 4);
		cfg->enables = one_in(h, 2) ? VNIC_CFG_EN_RX_RING | VNIC_CFG_EN_CMPL_RING : 0;
		cfg->default_rx_ring_id = random_ring(h);
		cfg->default_cmpl_ring_id = random_ring(h);
		break;
	case HWRM_VNIC_RSS_CFG:
		rss->vnic_id = below(h, 3);
		rss->hash_type = 0x3f;
		rss->ring_grp_tbl_addr = random_addr(h, 8);
		rss->hash_key_tbl_addr = random_addr(h, 8);
		rss->rss_ctx_idx = below(h, 3);
		break;
	case HWRM_VNIC_PLCMODES_CFG:
		plc->vnic_id = below(h, 3);
		plc->flags = below(h, 16);
		plc->enables = 7;
		plc->jumbo_thresh = below(h, 2000);
		plc->hds_threshold = below(h, 1024);
		break;
	}
}

static void make_filter(struct hostile *h, uint8_t *req, uint16_t op)
{
	struct l2_filter_alloc_req *l2 = (void *)req;
	struct l2_set_rx_mask_req *mask = (void *)req;
	struct ntuple_alloc_req *nt = (void *)req;

	switch (op) {
	case HWRM_CFA_L2_FILTER_ALLOC:
		l2->flags = L2_FLAG_PATH_RX;
		l2->enables = L2_EN_ADDR | L2_EN_DST_ID;
		memcpy(l2->l2_addr, "\x02\0\0\0\0\x01", 6);
		l2->dst_id = below(h, 3);
		break;
	case HWRM_CFA_L2_SET_RX_MASK:
		mask->vnic_id = below(h, 3);
		mask->mask = below(h, 32);
		mask->mc_tbl_addr = random_addr(h, 1);
		mask->num_mc_entries = below(h, 80);
		break;
	case HWRM_CFA_NTUPLE_ALLOC:
		nt->flags = below(h, 128);
		nt->enables = next_random(&h->random) | NTUPLE_EN_DST_ID;
		nt->l2_filter_id = 0x100000000ull + below(h, 4);
		nt->ethertype = one_in(h, 2) ? 0x0008 : 0xdd86;
		nt->dst_id = below(h, 4);
		nt->rfs_ring_tbl_idx = below(h, 300);
		break;
	}
}

/* Where other requests have an address that the device writes to */
static void make_address(struct hostile *h, uint8_t *req, uint16_t op)
{
	static const struct {
		uint16_t op, off;
	} places[] = {
		{ HWRM_PORT_QSTATS, 24 },     { HWRM_PORT_QSTATS, 32 },
		{ HWRM_PORT_QSTATS_EXT, 24 }, { HWRM_PORT_QSTATS_EXT, 32 },
		{ HWRM_NVM_READ, 16 },	      { HWRM_NVM_GET_DIR_ENTRIES, 16 },
		{ HWRM_DBG_READ_DIRECT, 16 },
	};

	for (unsigned int i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		uint64_t addr = random_addr(h, 1);

		if (places[i].op == op)
			memcpy(req + places[i].off, &addr, 8);
	}
}

static void learn_ring(struct hostile *h, uint16_t op)
{
	struct ring_alloc_resp a;
	struct hwrm_resp_hdr r;

	memcpy(&r, front_answer(&h->f), sizeof(r));
	if (!r.resp_len || r.error_code || r.req_type != op)
		return;
	h->accepted++;
	if (op == HWRM_FUNC_RESET)
		h->rings.n = 0;
	if (op != HWRM_RING_ALLOC)
		return;
	memcpy(&a, front_answer(&h->f) + sizeof(r), sizeof(a));
	h->rings.id[h->rings.n < MAX_IDS ? h->rings.n++ : below(h, MAX_IDS)] = a.ring_id;
}

static bool do_command(struct hostile *h)
{
	static const uint16_t ops[] = {
		HWRM_RING_ALLOC,	 HWRM_RING_ALLOC,	  HWRM_RING_ALLOC,
		HWRM_RING_FREE,		 HWRM_VNIC_ALLOC,	  HWRM_VNIC_CFG,
		HWRM_VNIC_RSS_CFG,	 HWRM_VNIC_PLCMODES_CFG,  HWRM_VNIC_TPA_CFG,
		HWRM_VNIC_UPDATE,	 HWRM_VNIC_RSS_CTX_ALLOC, HWRM_CFA_L2_FILTER_ALLOC,
		HWRM_CFA_L2_SET_RX_MASK, HWRM_CFA_NTUPLE_ALLOC,	  HWRM_CFA_NTUPLE_FREE,
		HWRM_STAT_CTX_ALLOC,	 HWRM_PORT_QSTATS,	  HWRM_FUNC_CFG,
		HWRM_VNIC_FREE,		 HWRM_CFA_L2_FILTER_FREE, HWRM_RING_AGGINT_CFG,
		HWRM_STAT_CTX_FREE,	 HWRM_PORT_QSTATS_EXT,	  HWRM_NVM_READ,
		HWRM_NVM_GET_DIR_ENTRIES, HWRM_DBG_READ_DIRECT,	  HWRM_PORT_PHY_I2C_READ,
		HWRM_SELFTEST_EXEC,	 HWRM_PORT_MAC_CFG,	  HWRM_STAT_CTX_QUERY,
	};
	_Alignas(8) uint8_t req[128] = { 0 };
	struct hwrm_req_hdr *hdr = (void *)req;
	struct ring_free_req *rf = (void *)req;
	struct stat_ctx_alloc_req *st = (void *)req;
	uint16_t op = ops[below(h, sizeof(ops) / sizeof(ops[0]))];

	switch (below(h, 10)) {
	case 0: /* noise */
		random_bytes(h, req, sizeof(req));
		op = one_in(h, 2) ? op : below(h, 0x300);
		break;
	case 1: /* small numbers */
		random_bytes(h, req, sizeof(req));
		for (unsigned int i = 0; i < sizeof(req); i++)
			req[i] &= i % 4 ? 0 : 15;
		break;
	}
	if (op == HWRM_RING_ALLOC)
		make_ring_alloc(h, (void *)req);
	make_vnic(h, req, op);
	make_filter(h, req, op);
	make_address(h, req, op);
	if (op == HWRM_RING_FREE) {
		rf->ring_id = random_ring(h);
		rf->ring_type = below(h, 6);
	}
	if (op == HWRM_STAT_CTX_ALLOC) {
		st->stats_dma_addr = random_addr(h, 8);
		st->update_period_ms = below(h, 50);
		st->stats_dma_length = below(h, 200);
	}
	hdr->req_type = op;
	hdr->resp_addr = one_in(h, 20) ? random_addr(h, 1) : 0;
	hdr->cmpl_ring = one_in(h, 4) ? random_ring(h) : HWRM_NO_CMPL_RING;
	h->commands++;
	if (!front_hwrm(&h->f, req, one_in(h, 20) ? below(h, 129) : sizeof(req)))
		return false;
	learn_ring(h, op);
	return true;
}

/*
 * The rest of what a guest can do
 */

static bool do_doorbells(struct hostile *h)
{
	static const uint8_t type[] = { DB_SQ, DB_SQ,	     DB_SRQ, DB_SRQ,
					DB_CQ, DB_CQ_ARMALL, DB_NQ,  DB_NQ_ARM };

	for (unsigned int i = 1 + below(h, 8); i; i--) {
		uint64_t t = one_in(h, 10) ? below(h, 16) : type[below(h, sizeof(type))];
		uint64_t db = t << 60 | 1ull << 56 | (uint64_t)random_ring(h) << 32 |
			      below(h, one_in(h, 4) ? 1 << 24 : 64);

		h->doorbells++;
		if (!front_write(&h->f, VIRTIO_PCIDEV_OP_MMIO_WRITE, 2, DB_PF, &db, 8))
			return false;
	}
	front_offer_irqs(&h->f);
	return true;
}

/* Descriptors, page table entries, RSS tables: whatever somebody may take this memory for */
static void fill_page(struct hostile *h, uint8_t *page)
{
	unsigned int kind = below(h, 5);

	for (unsigned int i = 0; i < 4096; i += 16) {
		uint32_t len = 1 + below(h, 4096);
		uint64_t addr = random_addr(h, 1);
		uint32_t dw[4] = { 0, i, (uint32_t)addr, addr >> 32 };

		if (kind == 0)
			dw[0] = RXBD_TYPE_PACKET | len << 16;
		else if (kind == 1)
			dw[0] = RXBD_TYPE_AGG | len << 16;
		else if (kind == 2 && i % 32)
			dw[0] = (uint32_t)next_random(&h->random), dw[1] = below(h, 4096);
		else if (kind == 2)
			dw[0] = TXBD_TYPE_LONG | 2 << 8 | TXBD_PACKET_END | len << 16;
		else if (kind == 3)
			for (unsigned int j = 0; j < 4; j++)
				dw[j] = random_ring(h) | (uint32_t)random_ring(h) << 16;
		else
			addr = random_addr(h, 4096) | 1, memcpy(dw, &addr, 8),
			memcpy(dw + 2, &addr, 8);
		memcpy(page + i, dw, 16);
	}
}

static bool do_memory(struct hostile *h)
{
	for (unsigned int i = 1 + below(h, 16); i; i--)
		fill_page(h, h->f.play + below(h, FRONT_PLAY_SIZE / 4096) * 4096);
	return true;
}

static bool do_access(struct hostile *h)
{
	uint8_t data[4096];
	/* not 0: an empty descriptor breaks the queue, which is another test */
	uint32_t size = one_in(h, 8) ? 1 + below(h, 4096) : 1u << below(h, 4);
	uint64_t addr = one_in(h, 4) ? next_random(&h->random) : below(h, 0x2000), val;

	random_bytes(h, data, size);
	switch (below(h, 6)) {
	case 0: /* not the command register, or half of the time nothing would work */
		return front_write(&h->f, VIRTIO_PCIDEV_OP_CFG_WRITE, 0, 0x10 + below(h, 0xff0),
				   data, size);
	case 1: return front_read(&h->f, VIRTIO_PCIDEV_OP_CFG_READ, 0, addr, size, &val);
	case 2: return front_read(&h->f, VIRTIO_PCIDEV_OP_MMIO_READ, below(h, 6), addr, size, &val);
	case 3:
		return front_write(&h->f, VIRTIO_PCIDEV_OP_MMIO_MEMSET, below(h, 6), addr, data,
				   size);
	case 4: /* operations that there are none of */
		return front_write(&h->f, below(h, 256), below(h, 256), addr, data, size);
	default:
		return front_write(&h->f, VIRTIO_PCIDEV_OP_MMIO_WRITE, below(h, 6), addr, data,
				   size);
	}
}

static bool do_msix(struct hostile *h)
{
	for (unsigned int i = 0; i < 8; i++) {
		uint32_t entry[4] = { 0xa0000, 0, below(h, 64), one_in(h, 2) };

		if (one_in(h, 8))
			random_bytes(h, entry, sizeof(entry));
		if (!front_write(&h->f, VIRTIO_PCIDEV_OP_MMIO_WRITE, 4, below(h, 40) * 16, entry,
				 16))
			return false;
	}
	front_offer_irqs(&h->f);
	return front_enable(&h->f);
}

/* From the other side: frames that the filters may take */
static bool do_frames(struct hostile *h)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_ifindex = h->ifindex,
				  .sll_halen = 6 };
	uint8_t frame[1514] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0 };

	for (unsigned int i = 1 + below(h, 16); i; i--) {
		size_t len = 14 + below(h, sizeof(frame) - 14);

		if (one_in(h, 4))
			memset(frame, 0xff, 6);
		random_bytes(h, frame + 14, 40);
		frame[14] = 0x45;
		frame[16] = (len - 14) >> 8;
		frame[17] = len - 14;
		frame[23] = one_in(h, 2) ? 6 : 17;
		frame[46] = 0x50;
		h->frames++;
		/* a full queue drops it: so does a real wire */
		if (sendto(h->wire, frame, len, MSG_DONTWAIT, (void *)&to, sizeof(to)) < 0)
			break;
	}
	return true;
}

/*
 * A driver's way to open the device, so that packets move while things go wrong
 */

static uint64_t page_addr(uint32_t page)
{
	return FRONT_PLAY_BASE + page * 4096ull;
}

/* Sends a request; its answer's first field, as far as it has one */
static bool command(struct hostile *h, void *req, size_t len, uint16_t op, uint32_t *id)
{
	struct hwrm_req_hdr *hdr = req;

	hdr->req_type = op;
	hdr->cmpl_ring = HWRM_NO_CMPL_RING;
	h->commands++;
	if (!front_hwrm(&h->f, req, len))
		return false;
	if (id)
		memcpy(id, front_answer(&h->f) + sizeof(struct hwrm_resp_hdr), sizeof(*id));
	return true;
}

static bool open_ring(struct hostile *h, uint8_t type, uint32_t page, struct ring_alloc_req *q,
		      uint16_t *id)
{
	uint32_t answer;

	memset(h->f.play + page * 4096, 0, 4096);
	q->enables = RING_EN_NQ_RING_ID | RING_EN_RX_BUF_SIZE | RING_EN_RX_RING_ID;
	q->ring_type = type;
	q->length = ENTRIES;
	q->page_tbl_addr = page_addr(page);
	if (!command(h, q, sizeof(*q), HWRM_RING_ALLOC, &answer))
		return false;
	*id = answer;
	learn_ring(h, HWRM_RING_ALLOC);
	return true;
}

static bool open_queue(struct hostile *h, unsigned int i)
{
	struct queue *q = &h->q[i];
	struct ring_alloc_req nq = { .logical_id = i, .int_mode = 2 }, cq, tx, rx, agg;

	*q = (struct queue){};
	if (!open_ring(h, RING_NQ, RING_PAGE(i, 0), &nq, &q->nq))
		return false;
	cq = (struct ring_alloc_req){ .logical_id = i, .nq_ring_id = q->nq };
	if (!open_ring(h, RING_CMPL, RING_PAGE(i, 1), &cq, &q->txcq) ||
	    !open_ring(h, RING_CMPL, RING_PAGE(i, 2), &cq, &q->rxcq))
		return false;
	tx = (struct ring_alloc_req){ .logical_id = i, .cmpl_ring_id = q->txcq };
	rx = (struct ring_alloc_req){ .logical_id = i, .rx_buf_size = 320, .flags = 1 };
	if (!open_ring(h, RING_TX, RING_PAGE(i, 3), &tx, &q->tx) ||
	    !open_ring(h, RING_RX, RING_PAGE(i, 4), &rx, &q->rx))
		return false;
	agg = (struct ring_alloc_req){ .logical_id = i + QUEUES,
				       .rx_buf_size = 1024,
				       .rx_ring_id = q->rx };
	return open_ring(h, RING_AGG, RING_PAGE(i, 5), &agg, &q->agg);
}

static bool open_vnic(struct hostile *h)
{
	struct vnic_alloc_req va = { .flags = 1 };
	struct hwrm_req_hdr ctx[4] = {};
	struct vnic_rss_cfg_req rss = { .hash_type = 0x3f,
					.ring_grp_tbl_addr = page_addr(RSS_PAGE),
					.hash_key_tbl_addr = page_addr(KEY_PAGE) };
	struct vnic_cfg_req cfg = { .mru = 9018,
				    .flags = below(h, 2) ? VNIC_CFG_VLAN_STRIP : 0,
				    .enables = VNIC_CFG_EN_RX_RING | VNIC_CFG_EN_CMPL_RING,
				    .default_rx_ring_id = h->q[0].rx,
				    .default_cmpl_ring_id = h->q[0].rxcq };
	struct vnic_plcmodes_cfg_req plc = { .flags = PLC_JUMBO | PLC_HDS_IPV4 | PLC_HDS_IPV6,
					     .enables = 5,
					     .jumbo_thresh = 256,
					     .hds_threshold = below(h, 300) };
	struct vnic_tpa_cfg_req tpa = { .flags = 3,
					.enables = 0xf,
					.max_agg_segs = below(h, 8),
					.max_aggs = 16,
					.min_agg_len = below(h, 512) };
	struct l2_filter_alloc_req l2 = { .flags = L2_FLAG_PATH_RX,
					  .enables = L2_EN_ADDR | L2_EN_DST_ID,
					  .l2_addr = { 2, 0, 0, 0, 0, 1 } };
	struct l2_set_rx_mask_req mask = { .mask = RX_MASK_BCAST | below(h, 32) };

	for (unsigned int i = 0; i < RSS_TABLE_PAIRS; i++) {
		const struct queue *q = &h->q[i % QUEUES];
		const struct rss_pair pair = { q->rx, q->rxcq };

		memcpy(h->f.play + RSS_PAGE * 4096 + i * sizeof(pair), &pair, sizeof(pair));
	}
	return command(h, &va, sizeof(va), HWRM_VNIC_ALLOC, NULL) &&
	       command(h, ctx, sizeof(ctx), HWRM_VNIC_RSS_CTX_ALLOC, NULL) &&
	       command(h, &rss, sizeof(rss), HWRM_VNIC_RSS_CFG, NULL) &&
	       command(h, &cfg, sizeof(cfg), HWRM_VNIC_CFG, NULL) &&
	       command(h, &plc, sizeof(plc), HWRM_VNIC_PLCMODES_CFG, NULL) &&
	       (below(h, 2) || command(h, &tpa, sizeof(tpa), HWRM_VNIC_TPA_CFG, NULL)) &&
	       command(h, &l2, sizeof(l2), HWRM_CFA_L2_FILTER_ALLOC, NULL) &&
	       command(h, &mask, sizeof(mask), HWRM_CFA_L2_SET_RX_MASK, NULL);
}

static bool ring_bell(struct hostile *h, enum db_type type, uint16_t id, uint32_t index)
{
	const uint64_t db = (uint64_t)type << 60 | 1ull << 56 | (uint64_t)id << 32 | index;

	h->doorbells++;
	return front_write(&h->f, VIRTIO_PCIDEV_OP_MMIO_WRITE, 2, DB_PF, &db, 8);
}

static void put_bd(struct hostile *h, uint32_t page, uint32_t *prod, uint32_t a, uint32_t b,
		   uint64_t c)
{
	const uint32_t bd[4] = { a, b, (uint32_t)c, c >> 32 };

	memcpy(h->f.play + page * 4096 + *prod * 16, bd, 16);
	*prod = (*prod + 1) % ENTRIES;
}

static bool post_buffers(struct hostile *h, unsigned int i, unsigned int n)
{
	struct queue *q = &h->q[i];

	while (n--) {
		put_bd(h, RING_PAGE(i, 4), &q->rx_prod, RXBD_TYPE_PACKET | 320u << 16, q->rx_prod,
		       page_addr(BUFFER_PAGE) + below(h, 1 << 20));
		put_bd(h, RING_PAGE(i, 5), &q->agg_prod, RXBD_TYPE_AGG | 1024u << 16, q->agg_prod,
		       page_addr(BUFFER_PAGE) + below(h, 1 << 20));
	}
	return ring_bell(h, DB_SRQ, q->agg, q->agg_prod) && ring_bell(h, DB_SRQ, q->rx, q->rx_prod);
}

/* A frame with TCP and a payload of zeros, as the head of what is sent */
static void put_frame(struct hostile *h)
{
	static const uint8_t head[54] = {
		2,    0, 0,    0,    0, 9,  2, 0, 0, 0,	 0, 1, 0x08, 0,	   0x45, 0, 0x20,
		0,    0, 1,    0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1,    10,   0,	 0, 2,
		0x10, 0, 0x20, 0,    0, 0,  0, 1, 0, 0,	 0, 0, 0x50, 0x18, 1,	 0,
	};

	memcpy(h->f.play + FRAME_PAGE * 4096, head, sizeof(head));
}

static bool do_open(struct hostile *h)
{
	h->rings.n = 0;
	/* its firmware may be down for a while, if it was told to restart */
	if (!do_msix(h) || front_ask(&h->f, HWRM_FUNC_RESET, NULL, 0) == -2)
		return false;
	for (unsigned int i = 0; i < QUEUES; i++)
		if (!open_queue(h, i) || !post_buffers(h, i, ENTRIES - 1))
			return false;
	put_frame(h);
	return open_vnic(h) && ring_bell(h, DB_NQ_ARM, h->q[0].nq, 0) &&
	       ring_bell(h, DB_CQ_ARMALL, h->q[0].rxcq, 0);
}

/* The packets of a driver that may have lost its mind in between */
static bool do_packets(struct hostile *h)
{
	unsigned int i = below(h, QUEUES);
	struct queue *q = &h->q[i];
	const uint32_t page = RING_PAGE(i, 3);

	if (one_in(h, 8))
		put_frame(h);
	for (unsigned int n = 1 + below(h, 8); n; n--) {
		uint32_t pieces = below(h, 6), first = one_in(h, 4) ? below(h, 2000) : 8206 - 54,
			 flags = one_in(h, 2) ? TXEXT_LSO | 27u << 16 : below(h, 4);

		put_bd(h, page, &q->tx_prod,
		       TXBD_TYPE_LONG | (2 + pieces) << 8 | first << 16 |
			       (pieces ? 0 : TXBD_PACKET_END),
		       n, page_addr(FRAME_PAGE));
		put_bd(h, page, &q->tx_prod, flags, one_in(h, 8) ? below(h, 64) : 1000,
		       (uint64_t)(one_in(h, 4) ? 0x11000005u : 0) << 32);
		for (uint32_t p = 0; p < pieces; p++)
			put_bd(h, page, &q->tx_prod,
			       below(h, 3000) << 16 | (p + 1 == pieces ? TXBD_PACKET_END : 0), 0,
			       one_in(h, 20) ? random_addr(h, 1) : page_addr(FRAME_PAGE + 1));
	}
	return ring_bell(h, DB_SQ, q->tx, q->tx_prod) &&
	       ring_bell(h, DB_CQ_ARMALL, q->txcq, below(h, ENTRIES)) &&
	       ring_bell(h, DB_CQ_ARMALL, q->rxcq, below(h, ENTRIES)) &&
	       ring_bell(h, DB_NQ_ARM, q->nq, below(h, ENTRIES)) &&
	       post_buffers(h, i, below(h, 64));
}

/* Regions come and go. The queues stop by that, and begin anew. */
static bool do_regions(struct hostile *h)
{
	h->play_size = below(h, FRONT_PLAY_SIZE / 4096 + 1) * 4096;
	if (one_in(h, 2))
		h->play_size = FRONT_PLAY_SIZE;
	h->regions++;
	h->rings.n = 0;
	return front_set_memory(&h->f, h->play_size) && front_set_queues(&h->f) &&
	       front_enable(&h->f);
}

static bool do_reset(struct hostile *h)
{
	h->resets++;
	h->rings.n = 0;
	return one_in(h, 2) ? front_sane(&h->f) : front_ask(&h->f, HWRM_FUNC_RESET, NULL, 0) != -2;
}

static bool do_sleep(struct hostile *h)
{
	const struct timespec ts = { .tv_nsec = below(h, 3000000) };

	nanosleep(&ts, NULL);
	return true;
}

struct action {
	const char *name;
	bool (*fn)(struct hostile *h);
	unsigned int weight;
};

static const struct action actions[] = {
	{ "a command", do_command, 20 },     { "doorbells", do_doorbells, 40 },
	{ "memory", do_memory, 10 },	     { "an access", do_access, 10 },
	{ "the MSI-X table", do_msix, 5 },   { "frames", do_frames, 20 },
	{ "a memory table", do_regions, 1 }, { "a reset", do_reset, 1 },
	{ "a pause", do_sleep, 3 },	     { "opening the device", do_open, 3 },
	{ "packets", do_packets, 30 },
};

static bool act(struct hostile *h)
{
	unsigned int sum = 0, at, i;

	for (i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		sum += actions[i].weight;
	at = below(h, sum);
	for (i = 0; at >= actions[i].weight; i++)
		at -= actions[i].weight;
	if (actions[i].fn(h))
		return true;
	tap_diag("%s: the device does not answer", actions[i].name);
	return false;
}

/* Writes into rings, tables and buffers while the device reads them */
static void *scribbler(void *arg)
{
	struct hostile *h = arg;
	uint64_t random = 4711;

	while (!atomic_load(&h->stop)) {
		const struct timespec ts = { .tv_nsec = 20000 };

		for (int i = 0; i < 200 && atomic_load(&h->scribble); i++) {
			uint64_t r = next_random(&random);
			volatile uint32_t *word =
				(void *)(h->f.play + (r >> 20) % (FRONT_PLAY_SIZE / 4) * 4);

			*word ^= r & 1 ? 1u << (r >> 1 & 31) : (uint32_t)r;
		}
		nanosleep(&ts, NULL);
	}
	return NULL;
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/*
 * Tests
 */

/* Brings an emulator up to where the guest uses it */
static bool begin(struct hostile *h)
{
	h->play_size = FRONT_PLAY_SIZE;
	h->rings.n = 0;
	return front_start(&h->f) && front_connect(&h->f) && front_attach(&h->f) &&
	       front_enable(&h->f);
}

/* It has to be gone, with @want (-1: 0 or 1, and a reason with 1) and in silence */
static bool ended(struct hostile *h, int want, const char *reason, const char **why)
{
	int status = front_wait(&h->f, 20000);

	*why = front_sanitizer(&h->f);
	if (*why)
		return false;
	if (status < 0) {
		front_kill(&h->f);
		*why = "it did not end";
	} else if (want >= 0 ? status != want : status > 1) {
		*why = "its exit status is wrong";
	} else if (status == 1 && !front_log_has(&h->f, reason ? reason : "guest dropped: ")) {
		*why = "it does not say why it dropped the guest";
	}
	return !*why;
}

enum cut { CUT_BETWEEN, CUT_HEADER, CUT_PAYLOAD, CUT_NO_FD, CUT_TWO_FDS, CUT_MANY_FDS, CUT_KINDS };

static const char *const cut_names[CUT_KINDS] = {
	[CUT_BETWEEN] = "hangs up between two messages",
	[CUT_HEADER] = "hangs up inside of a header",
	[CUT_PAYLOAD] = "hangs up inside of a message",
	[CUT_NO_FD] = "forgets a descriptor",
	[CUT_TWO_FDS] = "sends two descriptors",
	[CUT_MANY_FDS] = "sends ten descriptors",
};

static void say_cut(struct hostile *h, unsigned int at, enum cut kind)
{
	static const unsigned int fds[CUT_KINDS] = { [CUT_TWO_FDS] = 2, [CUT_MANY_FDS] = 10 };
	struct front_msg msg[MAX_BEGINNING];
	unsigned int n = front_beginning(&h->f, msg, MAX_BEGINNING);

	for (unsigned int i = 0; i < n; i++) {
		unsigned int own = msg[i].req == 5 ? 2 : msg[i].fd >= 0;

		if (i != at) {
			if (!front_send(&h->f, &msg[i], SIZE_MAX, own))
				return;
			continue;
		}
		if (kind >= CUT_NO_FD) {
			if (!front_send(&h->f, &msg[i], SIZE_MAX, fds[kind]))
				return;
			continue;
		}
		if (kind != CUT_BETWEEN)
			front_send(&h->f, &msg[i], kind == CUT_HEADER ? 5 : 12 + msg[i].size / 2,
				   own);
		return;
	}
}

static void test_beginnings(struct hostile *h)
{
	struct front_msg msg[MAX_BEGINNING];
	unsigned int n = front_beginning(&h->f, msg, MAX_BEGINNING);

	for (enum cut kind = 0; kind < CUT_KINDS; kind++) {
		const char *why = NULL;
		unsigned int at;

		for (at = 0; at < n && !why; at++) {
			if (!front_start(&h->f) || !front_connect(&h->f)) {
				why = "it does not start";
				break;
			}
			say_cut(h, at, kind);
			front_hang_up(&h->f);
			ended(h, -1, NULL, &why);
		}
		if (!tap_ok(!why, "a guest that %s, at each of %u messages", cut_names[kind], n))
			tap_diag("message %u: %s (%s)", at - 1, why, h->f.log);
	}
}

static void test_end(struct hostile *h, const char *name, bool good, int want, const char *reason)
{
	const char *why = NULL;

	front_hang_up(&h->f);
	if (!tap_ok(good && ended(h, want, reason, &why), "%s", name))
		tap_diag("%s (%s)", why ? why : "the device did not do what it was told", h->f.log);
	front_kill(&h->f);
}

/* Waits until the emulator has hung up, which it does when it drops its guest */
static bool dropped(struct hostile *h)
{
	char c;

	return recv(h->f.sock, &c, 1, 0) <= 0;
}

static void test_endings(struct hostile *h)
{
	const uint16_t far = 0x7000; /* more than the queue has entries */
	const uint64_t one = 1;
	bool good;

	good = begin(h) && front_sane(&h->f);
	test_end(h, "a guest that leaves in order: exit status 0", good, 0, NULL);

	good = begin(h) && front_sane(&h->f);
	front_set_avail(&h->f, far);
	good &= write(h->f.kick[0], &one, 8) == 8 && dropped(h);
	test_end(h, "a queue that is broken: dropped, and told so", good, 1,
		 "broke its command queue");

	good = begin(h) && front_sane(&h->f) && !ftruncate(h->f.memfd, FRONT_OWN_SIZE);
	for (unsigned int i = 0; good && i < 50; i++) {
		/* statistics go to what is not there any more */
		struct stat_ctx_alloc_req q = { .hdr.req_type = HWRM_STAT_CTX_ALLOC,
						.hdr.cmpl_ring = HWRM_NO_CMPL_RING,
						.stats_dma_addr = FRONT_PLAY_BASE,
						.update_period_ms = 1,
						.stats_dma_length = 176 };

		if (!front_hwrm(&h->f, &q, sizeof(q)))
			break;
	}
	good &= dropped(h);
	test_end(h, "memory cut off that the device writes to: dropped, and told so", good, 1,
		 "made shorter");
	good = !ftruncate(h->f.memfd, FRONT_OWN_SIZE + FRONT_PLAY_SIZE);

	good &= begin(h) && front_sane(&h->f) && !ftruncate(h->f.memfd, 0) &&
		write(h->f.kick[0], &one, 8) == 8 && dropped(h);
	test_end(h, "memory cut off with the queues in it: dropped, and told so", good, 1,
		 "made shorter");
	if (ftruncate(h->f.memfd, FRONT_OWN_SIZE + FRONT_PLAY_SIZE))
		tap_bail("cannot make the memory longer again");
}

static void test_storm(struct hostile *h, double length)
{
	double start = seconds(), warm = length / 5, passed = 0;
	unsigned long done = 0, checks = 0;
	bool lives = begin(h) && front_sane(&h->f), sane = true;
	long before = -1, after;

	h->f.messages = h->f.irqs = 0;
	atomic_store(&h->scribble, true);
	while (lives && sane && passed < length) {
		lives = act(h);
		if (++done % SANE_EVERY == 0) {
			atomic_store(&h->scribble, false);
			sane = front_sane(&h->f);
			h->rings.n = 0;
			checks++;
			atomic_store(&h->scribble, true);
		}
		passed = seconds() - start;
		if (before < 0 && passed > warm)
			before = front_memory_kb(&h->f);
	}
	atomic_store(&h->scribble, false);
	after = front_memory_kb(&h->f);
	tap_diag("%lu actions in %.1f s: %lu commands (%lu accepted), %lu doorbells, %lu frames",
		 done, passed, h->commands, h->accepted, h->doorbells, h->frames);
	tap_diag("%lu messages to the device, %lu interrupts from it, %lu resets, %lu memory tables",
		 h->f.messages, h->f.irqs, h->resets, h->regions);
	tap_ok(lives, "the emulator takes what comes for %.0f seconds", length);
	tap_ok(lives && sane && front_sane(&h->f), "and serves a sane driver %lu times in between",
	       checks);
	tap_ok(h->accepted > h->commands / 20 && h->frames && h->doorbells && h->f.irqs,
	       "some of it makes sense, or this would be no test");
	if (!tap_ok(before > 0 && after > 0 && after - before < GROWTH_KB,
		    "it does not grow: %ld kB, then %ld", before, after))
		tap_diag("limit: %d kB more", GROWTH_KB);
	test_end(h, "it ends in order, and no sanitizer spoke", lives, 0, NULL);
}

/*
 * Set-up
 */

static int open_tap(struct hostile *h)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC), s = socket(AF_INET, SOCK_DGRAM, 0);

	strcpy(ifr.ifr_name, TAP_NAME);
	if (fd < 0 || s < 0 || ioctl(fd, TUNSETIFF, &ifr))
		return -1;
	ifr.ifr_flags = IFF_UP;
	if (ioctl(s, SIOCSIFFLAGS, &ifr) || ioctl(s, SIOCGIFINDEX, &ifr))
		return -1;
	close(s);
	h->ifindex = ifr.ifr_ifindex;
	h->wire = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	return h->wire < 0 ? -1 : fd;
}

static void usage(void)
{
	fputs("usage: hostile-guest --emu PROGRAM [--seconds N] [--seed N]\n"
	      "in a network namespace of its own, with CAP_NET_ADMIN in it: unshare -rn\n",
	      stderr);
	exit(2);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "emu", required_argument, NULL, 'e' },
		{ "seconds", required_argument, NULL, 't' },
		{ "seed", required_argument, NULL, 's' },
		{},
	};
	static struct hostile h;
	const char *emu = NULL;
	char dir[] = "/tmp/hostile-guest.XXXXXX";
	double length = 5;
	uint64_t seed = 1;
	int opt, tap;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'e')
			emu = optarg;
		else if (opt == 't')
			length = atof(optarg);
		else if (opt == 's')
			seed = strtoull(optarg, NULL, 0);
		else
			usage();
	}
	if (!emu || optind < argc)
		usage();
	h.random = seed * 2 + 1;
	tap = open_tap(&h);
	if (tap < 0)
		tap_skip_all("no TAP device can be made (unshare -rn, /dev/net/tun)");
	if (!mkdtemp(dir) || !front_init(&h.f, emu, tap, dir))
		tap_bail("no memory, or no files: %s", strerror(errno));
	tap_diag("seed %llu", (unsigned long long)seed);
	if (pthread_create(&h.scribbler, NULL, scribbler, &h))
		tap_bail("no thread");

	h.f.no_gso = seed & 1;
	test_beginnings(&h);
	test_endings(&h);
	test_storm(&h, length);

	atomic_store(&h.stop, true);
	pthread_join(h.scribbler, NULL);
	front_free(&h.f);
	close(h.wire);
	close(tap);
	if (!tap_state.failed) {
		unlink(h.f.log);
		unlink(h.f.path);
		rmdir(dir);
	}
	return tap_done();
}
