// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reception: cuts large frames, steers, places a frame's bytes into buffers,
 * completes.
 *
 * A frame is two pieces, its headers and the rest. The headers may be a copy
 * that was changed (checksum, stripped tag, segment); the rest is copied once,
 * straight into the guest.
 */
#include "csum.h"
#include "rx.h"

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4	5	/* newer than Debian 12's headers */
#endif

#define RESERVE		64			/* buffers; a 64 KB burst at the usual MTUs fits */
#define STARVE_LIMIT	50000000ull		/* ns that the wire waits for a ring at most */

/* Where the bytes of a frame go */
struct placement {
	uint32_t kind;		/* RXCMP_PLACE_* */
	uint32_t in_rx;		/* bytes in the RX buffer */
	uint32_t aggs;		/* buffers for the rest */
	bool fits;
};

/* Copies bytes [@off, @off + @len) of a frame */
static void copy_frame(const struct rx_frame *f, uint32_t off, uint8_t *dst, uint32_t len)
{
	uint32_t n = off < f->head_len ? min_u32(len, f->head_len - off) : 0;

	if (n)
		memcpy(dst, f->head + off, n);
	if (len > n)
		memcpy(dst + n, f->body + (off + n - f->head_len), len - n);
}

/**
 * rx_wants_split - whether header/data split takes a frame
 * @nic: device
 * @v: VNIC that it is for
 * @f: frame
 *
 * Header/data split takes packets that are longer than its threshold and
 * carry something behind their headers: TCP and UDP are cut at the payload,
 * other IP at the start of the upper layer.
 *
 * Return: true if it has to be split.
 */
bool rx_wants_split(const struct nic *nic, const struct vnic *v, const struct rx_frame *f)
{
	const struct parsed *p = f->p;
	uint32_t flag = p->ip_version == 4 ? PLC_HDS_IPV4 : p->ip_version == 6 ? PLC_HDS_IPV6 : 0;

	return v->plc_flags & flag && rx_frame_len(f) + nic->cfg.hds_len_extra > v->hds_threshold &&
	       p->l4_len > (uint32_t)(p->payload - p->l4);
}

static struct placement place(const struct nic *nic, const struct vnic *v, const struct rx_frame *f,
			      uint32_t rx_room, const struct ring *agg)
{
	uint32_t len = rx_frame_len(f), split = f->p->payload - f->stripped;
	struct placement pl = { .kind = RXCMP_PLACE_NORMAL, .in_rx = len };

	if (agg && rx_wants_split(nic, v, f) && split <= rx_room) {
		pl.kind = RXCMP_PLACE_HDS;
		pl.in_rx = split;
	} else if (agg && v->plc_flags & PLC_JUMBO && len > v->jumbo_thresh) {
		pl.kind = RXCMP_PLACE_JUMBO;
		pl.in_rx = min_u32(len, rx_room);
	}
	if (len > pl.in_rx)
		pl.aggs = (len - pl.in_rx + agg->buf_size - 1) / agg->buf_size;
	pl.fits = pl.in_rx <= rx_room && pl.aggs <= RX_MAX_AGG_BUFS;
	return pl;
}

/**
 * rx_peek_buffer - look at a posted descriptor
 * @nic: device
 * @r: RX or AGG ring; it fails if the descriptor cannot be used
 * @ahead: its place behind the next one to be consumed
 * @type: RXBD_TYPE_* that it has to be
 * @b: what it says
 *
 * Return: false if the ring failed.
 */
bool rx_peek_buffer(struct nic *nic, struct ring *r, uint32_t ahead, uint32_t type,
		    struct rx_buffer *b)
{
	const void *src = ring_entry(nic, r, r->cons + ahead);
	struct hsi_entry bd;

	if (!src) {
		ring_fail(nic, r, "its memory is not there");
		return false;
	}
	memcpy(&bd, src, sizeof(bd));
	if (RXBD_TYPE(bd.dw[0]) != type) {
		ring_fail(nic, r, "it holds descriptors of another kind");
		return false;
	}
	b->opaque = bd.dw[1];
	memcpy(&b->iova, &bd.dw[2], sizeof(b->iova));
	b->len = r->buf_size ? r->buf_size : RXBD_LEN(bd.dw[0]);
	return true;
}

/**
 * rx_map_buffer - get at a buffer's memory
 * @nic: device
 * @r: ring that it came from; it fails if the memory is not there
 * @b: buffer
 * @len: bytes that will be written from b->iova on
 *
 * Return: false if the ring failed.
 */
bool rx_map_buffer(struct nic *nic, struct ring *r, struct rx_buffer *b, uint32_t len)
{
	b->host = nic_fault(nic, NIC_FAULT_RX_DMA) ? NULL : dma_ptr(&nic->dma, b->iova, len);
	b->len = len;
	if (!b->host)
		ring_fail(nic, r, "a buffer is not in the guest's memory");
	return b->host;
}

/**
 * rx_trace_write - tell the host of a write into guest memory
 * @nic: device, whose host wants to know (ops.dma_trace)
 * @rx: RX ring that the frame belongs to
 * @p: parse of the frame
 * @b: what was written, where
 * @seq: TCP sequence number of the first byte
 * @payload: whether this is payload in an aggregation buffer after a split
 */
void rx_trace_write(struct nic *nic, const struct ring *rx, const struct parsed *p,
		    const struct rx_buffer *b, uint32_t seq, bool payload)
{
	struct nic_dma_event ev = {
		.iova = b->iova, .len = b->len, .rx_queue = rx->logical_id, .payload = payload,
	};

	if (p->has_l4)
		ev.flow = (uint32_t)p->dport << 16 | p->sport;
	if (p->l4_proto == 6)
		ev.seq = seq;
	nic->ops.dma_trace(nic->host, &ev);
}

/* TCP sequence number at byte @off of a frame; its headers are before the first */
static uint32_t seq_at(const struct rx_frame *f, uint32_t off)
{
	uint32_t body_at = f->p->payload - f->stripped;

	return f->p->seq + (off > body_at ? off - body_at : 0);
}

static uint32_t itype(const struct parsed *p)
{
	if (!p->ip_version)
		return 0;
	if (!p->has_l4)
		return RXCMP_ITYPE_IP;
	return p->l4_proto == 6 ? RXCMP_ITYPE_TCP : RXCMP_ITYPE_UDP;
}

/* The driver looks at the first entry first, so it becomes valid last */
static void complete(struct nic *nic, struct ring *cq, const struct rx_target *to,
		     const struct rx_frame *f, const struct placement *pl,
		     const struct rx_buffer *buf)
{
	struct hsi_entry cmp = { 0 }, ext = { 0 };
	uint32_t payload = f->p->payload - f->stripped;
	bool ok = true;

	for (uint32_t i = 0; i < pl->aggs; i++) {
		struct hsi_entry agg = { .dw = { CMP_RX_AGG | buf[1 + i].len << 16,
						 buf[1 + i].opaque } };

		ok &= cq_write(nic, cq, 2 + i, &agg);
	}
	ext.dw[0] = f->flags2;
	if (f->stripped)
		ext.dw[1] = (uint32_t)f->p->tpid << 16 | f->p->tci;
	ext.dw[2] = f->errors;
	ok &= cq_write(nic, cq, 1, &ext);

	cmp.dw[0] = CMP_RX_L2 | pl->kind | itype(f->p) | buf[0].len << 16;
	if (to->hash_valid) {
		cmp.dw[0] |= RXCMP_RSS_VALID;
		cmp.dw[3] = to->hash;
	}
	if (f->errors)
		cmp.dw[0] |= RXCMP_ERROR;
	cmp.dw[1] = buf[0].opaque;
	cmp.dw[2] = pl->aggs << RXCMP_AGG_BUFS_SHIFT;
	if (f->p->has_l4 && payload <= 0xff)
		cmp.dw[2] |= payload << RXCMP_PAYLOAD_SHIFT;
	ok &= cq_write(nic, cq, 0, &cmp);
	if (ok)
		cq_commit(nic, cq, 2 + pl->aggs);
}

static void fill(struct nic *nic, struct ring *rx, const struct rx_frame *f,
		 const struct placement *pl, struct rx_buffer *buf)
{
	uint32_t off = pl->in_rx;

	for (uint32_t i = 1; i <= pl->aggs; i++) {
		copy_frame(f, off, buf[i].host, buf[i].len);
		if (nic->ops.dma_trace)
			rx_trace_write(nic, rx, f->p, &buf[i], seq_at(f, off),
				       pl->kind == RXCMP_PLACE_HDS);
		off += buf[i].len;
	}
	copy_frame(f, 0, buf[0].host, pl->in_rx);
	if (nic->ops.dma_trace)
		rx_trace_write(nic, rx, f->p, &buf[0], seq_at(f, 0), false);
}

/* Takes the buffers of a placement; nothing is consumed unless all are there. False: no room. */
static bool take_buffers(struct nic *nic, struct ring *rx, struct ring *agg,
			 const struct placement *pl, uint32_t len, struct rx_buffer *buf)
{
	uint32_t left = len - pl->in_rx;

	if (pl->aggs && ring_pending(agg) < pl->aggs)
		return false;
	buf[0].iova += rx->sop_pad;
	if (!rx_map_buffer(nic, rx, &buf[0], pl->in_rx))
		return false;
	for (uint32_t i = 0; i < pl->aggs; i++) {
		uint32_t n = min_u32(left, agg->buf_size);

		if (!rx_peek_buffer(nic, agg, i, RXBD_TYPE_AGG, &buf[1 + i]) ||
		    !rx_map_buffer(nic, agg, &buf[1 + i], n))
			return false;
		left -= n;
	}
	return true;
}

/* Less than a burst's worth of something is left */
static bool is_low(const struct nic *nic, const struct ring *rx)
{
	const struct ring *agg = ring_get((struct nic *)nic, rx->agg_id, RING_AGG);
	const struct ring *cq = ring_get((struct nic *)nic, rx->cq_id, RING_CMPL);

	if (ring_pending(rx) < min_u32(RESERVE, rx->most / 4))
		return true;
	if (agg && ring_pending(agg) < min_u32(RESERVE, agg->most / 4))
		return true;
	return cq && !cq_has_room(cq, min_u32(RESERVE * 3, cq->entries / 4));
}

static void unstarve(struct nic *nic, struct ring *rx)
{
	if (rx->starved)
		nic->n_starved--;
	rx->starved = false;
}

static void check_starved(struct nic *nic, struct ring *rx)
{
	if (!nic->cfg.rx_backpressure)
		return;
	if (!is_low(nic, rx)) {
		unstarve(nic, rx);
		rx->gave_up = false;
	} else if (!rx->starved && !rx->gave_up) {
		rx->starved = true;
		rx->starved_at = nic->now;
		nic->n_starved++;
	}
}

/**
 * rx_ring_refilled - the driver posted buffers
 * @nic: device
 * @rx: RX ring, whose own or aggregation buffers came
 */
void rx_ring_refilled(struct nic *nic, struct ring *rx)
{
	if ((rx->starved || rx->gave_up) && !is_low(nic, rx)) {
		unstarve(nic, rx);
		rx->gave_up = false;
	}
}

/**
 * rx_cq_drained - the driver took completions
 * @nic: device
 * @cq: their queue
 */
void rx_cq_drained(struct nic *nic, const struct ring *cq)
{
	for (unsigned int i = 0; nic->n_starved && i < MAX_RINGS; i++) {
		struct ring *rx = ring_get(nic, i, RING_RX);

		if (rx && rx->cq_id == cq->id)
			rx_ring_refilled(nic, rx);
	}
}

/**
 * rx_ring_gone - nobody waits for this ring any more
 * @nic: device
 * @rx: RX ring that is freed or failed
 */
void rx_ring_gone(struct nic *nic, struct ring *rx)
{
	unstarve(nic, rx);
}

/**
 * rx_run_timers - stop waiting for rings whose driver does not come
 * @nic: device
 *
 * Otherwise one queue without a reader would block all others for good.
 *
 * Return: ns until the next has waited too long, UINT64_MAX for none.
 */
uint64_t rx_run_timers(struct nic *nic)
{
	uint64_t next = UINT64_MAX;

	for (unsigned int i = 0; nic->n_starved && i < MAX_RINGS; i++) {
		struct ring *rx = ring_get(nic, i, RING_RX);
		uint64_t waited;

		if (!rx || !rx->starved)
			continue;
		waited = nic->now - rx->starved_at;
		if (waited >= STARVE_LIMIT) {
			TRACE(nic, "ring %u: no buffers for %llu ms, frames are dropped until some come",
			      rx->id, STARVE_LIMIT / 1000000);
			unstarve(nic, rx);
			rx->gave_up = true;
		} else if (STARVE_LIMIT - waited < next) {
			next = STARVE_LIMIT - waited;
		}
	}
	return next;
}

/**
 * nic_wire_ready - whether frames should come now
 * @nic: device
 *
 * Return: false if they had better wait.
 */
bool nic_wire_ready(struct nic *nic)
{
	return !nic->n_starved && nic->rx_burst < BURST;
}

/* A frame that no buffer of this ring can hold is reported in a completion without data */
static void complete_misfit(struct nic *nic, struct ring *rx, struct ring *cq, struct rx_frame *f,
			    struct rx_buffer *buf)
{
	const struct placement none = { .kind = RXCMP_PLACE_NORMAL };
	const struct rx_target nowhere = { 0 };

	f->errors = RXEXT_ERR_NOT_FIT;
	buf->len = 0;
	complete(nic, cq, &nowhere, f, &none, buf);
	rx->cons = (rx->cons + 1) & (rx->entries - 1);
}

enum rx_result { RX_OK, RX_NO_ROOM, RX_MISFIT };

/* What a damaged frame, or a buffer that could not be used, looks like in a completion */
static void inject_errors(struct nic *nic, struct rx_frame *f)
{
	if (nic_fault(nic, NIC_FAULT_RX_CRC)) {
		f->errors |= RXEXT_ERR_CRC;
		nic->port.rx[PORT_RX_FCS_ERR]++;
	}
	if (nic_fault(nic, NIC_FAULT_RX_BUFFER))
		f->errors |= RXEXT_ERR_NOT_FIT;
}

static enum rx_result to_ring(struct nic *nic, const struct rx_target *to, struct rx_frame *f)
{
	struct ring *rx = to->rx, *cq = rx_ring_cq(nic, rx),
		    *agg = ring_get(nic, rx->agg_id, RING_AGG);
	struct rx_buffer buf[1 + RX_MAX_AGG_BUFS];
	struct placement pl;

	if (!cq || !ring_pending(rx) || !cq_has_room(cq, 2))
		return RX_NO_ROOM;
	if (!rx_peek_buffer(nic, rx, 0, RXBD_TYPE_PACKET, &buf[0]) || buf[0].len < rx->sop_pad)
		return RX_NO_ROOM;
	pl = place(nic, to->vnic, f, buf[0].len - rx->sop_pad, agg);
	if (!pl.fits) {
		complete_misfit(nic, rx, cq, f, &buf[0]);
		return RX_MISFIT;
	}
	if (!cq_has_room(cq, 2 + pl.aggs) || !take_buffers(nic, rx, agg, &pl, rx_frame_len(f), buf))
		return RX_NO_ROOM;
	fill(nic, rx, f, &pl, buf);
	rx->cons = (rx->cons + 1) & (rx->entries - 1);
	if (pl.aggs)
		agg->cons = (agg->cons + pl.aggs) & (agg->entries - 1);
	complete(nic, cq, to, f, &pl, buf);
	return RX_OK;
}

/**
 * rx_strip_tag - take the tag out of a frame's headers
 * @nic: device
 * @f: frame with a tag and with complete headers
 */
void rx_strip_tag(struct nic *nic, struct rx_frame *f)
{
	uint8_t *head = nic->rx_head;

	if (f->head != head)
		memcpy(head, f->head, f->head_len);
	memmove(head + VLAN_HLEN, head, 12);
	f->head = head + VLAN_HLEN;
	f->head_len -= VLAN_HLEN;
	f->stripped = VLAN_HLEN;
	f->flags2 |= RXEXT_META_VLAN;
}

static enum rx_result to_rings(struct nic *nic, const struct rx_target *to, struct rx_frame *f)
{
	const struct vnic *v = to->vnic;

	if (nic_fault(nic, NIC_FAULT_RX_STARVE))
		return RX_NO_ROOM;
	if (v->tpa.flags & VNIC_TPA_TPA && tpa_rx(nic, to, f))
		return RX_OK;
	rx_make_head(nic, f);
	if (v->vlan_strip && f->p->tagged)
		rx_strip_tag(nic, f);
	return to_ring(nic, to, f);
}

static void count_result(struct nic *nic, struct stat_ctx *stat, const struct rx_frame *f,
			 enum rx_result result)
{
	uint32_t len = rx_frame_len(f) + f->stripped;

	if (result == RX_NO_ROOM)
		stats_rx_discard(nic, stat, len);
	else if (result == RX_MISFIT || f->errors & (RXEXT_ERR_CRC | RXEXT_ERR_NOT_FIT))
		stats_rx_error(nic, stat);
	else
		stats_rx(stat, f->cast, len);
}

static void deliver(struct nic *nic, const struct rx_target *to, struct rx_frame *f)
{
	struct vnic *v = to->vnic;
	uint32_t len = rx_frame_len(f);
	struct stat_ctx *stat;

	nic->rx_burst++;
	stats_wire_rx(nic, f->cast, f->p->tagged, len);
	if (!to->rx || to->rx->state != RING_LIVE || v->dropping || !v->mru) {
		stats_rx_discard(nic, to->rx ? stat_ctx(nic, to->rx->stat_ctx) : NULL, len);
		return;
	}
	stat = stat_ctx(nic, to->rx->stat_ctx);
	if (len > v->mru) {
		nic->port.rx[PORT_RX_MTU_ERR]++;
		stats_rx_error(nic, stat);
		return;
	}
	if (nic->faults)
		inject_errors(nic, f);
	count_result(nic, stat, f, to_rings(nic, to, f));
	if (to->rx->state == RING_LIVE)
		check_starved(nic, to->rx);
}

static uint32_t csum_flags(const struct parsed *p)
{
	uint32_t flags = 0;

	if (p->ip_version == 4)
		flags |= RXEXT_IP_CS_CALC;
	if (p->ip_version == 6)
		flags |= RXEXT_IPV6;
	if (p->has_l4)
		flags |= RXEXT_L4_CS_CALC;
	return flags;
}

/* Checks what came over the wire. The sender vouches for it if @trusted. */
static void verify_csum(struct rx_frame *f, const uint8_t *frame, bool trusted)
{
	const struct parsed *p = f->p;
	uint32_t sum;

	f->flags2 = csum_flags(p);
	if (p->ip_version == 4 && !p->ip_csum_ok)
		f->errors |= RXEXT_ERR_IP_CS;
	if (!p->has_l4 || trusted)
		return;
	if (p->l4_proto == 17 && !get_be16(frame + p->csum_at)) {
		f->flags2 &= ~RXEXT_L4_CS_CALC;	/* UDP without checksum */
		return;
	}
	sum = csum_add(parse_pseudo_sum(frame, p, p->l4_len), csum_bytes(frame + p->l4, p->l4_len));
	if (csum_fold(sum) != 0xffff)
		f->errors |= RXEXT_ERR_L4_CS;
}

/* Where the sender's device would have put the checksum; 0 if that makes no sense */
static size_t csum_place(const struct virtio_net_hdr_v1 *hdr, size_t len)
{
	size_t at = (size_t)hdr->csum_start + hdr->csum_offset;

	return at + 2 <= len && at + 2 <= HEAD_MAX && hdr->csum_start < len ? at : 0;
}

/*
 * Does what the sender's device would have done: fills in the checksum over
 * all from csum_start on. The field holds the pseudo header's sum already.
 */
static void finish_csum(struct nic *nic, struct rx_frame *f)
{
	const uint8_t *frame = f->head;		/* head and body still lie together */
	size_t len = rx_frame_len(f), start = f->hdr->csum_start, at = csum_place(f->hdr, len),
	       head = at + 2 > f->head_len ? at + 2 : f->head_len;
	uint16_t csum = csum_fold(csum_bytes(frame + start, len - start)) ^ 0xffff;

	if (!csum)
		csum = 0xffff;	/* the same number; as UDP it must not be 0 */
	memcpy(nic->rx_head, frame, head);
	memcpy(nic->rx_head + at, &csum, sizeof(csum));
	f->head = nic->rx_head;
	f->head_len = head;
	f->body = frame + head;
	f->body_len = len - head;
}

/**
 * rx_make_head - do what is left to do to a frame's headers
 * @nic: device
 * @f: frame
 */
void rx_make_head(struct nic *nic, struct rx_frame *f)
{
	switch (f->todo) {
	case RX_HEAD_READY:
		return;
	case RX_HEAD_SEGMENT:
		gso_head(f->gso, nic->rx_head, f->seg, f->body_len,
			 csum_bytes(f->body, f->body_len));
		f->head = nic->rx_head;
		break;
	case RX_HEAD_CSUM:
		finish_csum(nic, f);
		break;
	}
	f->todo = RX_HEAD_READY;
}

static uint8_t tcp_flags(const uint8_t *frame, const struct parsed *p)
{
	return p->has_l4 && p->l4_proto == 6 ? frame[p->l4 + 13] : 0;
}

static void rx_single(struct nic *nic, const struct rx_target *to,
		      const struct virtio_net_hdr_v1 *hdr, const uint8_t *frame, size_t len,
		      const struct parsed *p)
{
	bool needs = hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM;
	struct rx_frame f = {
		.head = frame,
		.head_len = p->payload,
		.body = frame + p->payload,
		.body_len = len - p->payload,
		.p = p,
		.cast = frame_cast(frame),
		.tcp_flags = tcp_flags(frame, p),
		.todo = needs ? RX_HEAD_CSUM : RX_HEAD_READY,
		.hdr = hdr,
	};

	if (needs && !csum_place(hdr, len)) {
		stats_rx_error(nic, NULL);
		return;
	}
	verify_csum(&f, frame, needs || hdr->flags & VIRTIO_NET_HDR_F_DATA_VALID);
	deliver(nic, to, &f);
}

static bool gso_type_fits(uint8_t type, const struct parsed *p)
{
	switch (type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_TCPV4:
		return p->has_l4 && p->l4_proto == 6 && p->ip_version == 4;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		return p->has_l4 && p->l4_proto == 6 && p->ip_version == 6;
	case VIRTIO_NET_HDR_GSO_UDP_L4:
		return p->has_l4 && p->l4_proto == 17;
	default:
		return false;
	}
}

static void rx_segments(struct nic *nic, const struct rx_target *to,
			const struct virtio_net_hdr_v1 *hdr, const uint8_t *frame, size_t len,
			const struct parsed *p)
{
	const uint8_t *body = frame + p->payload;
	uint32_t left = len - p->payload;
	struct parsed sp = *p;
	struct gso g;

	if (!gso_type_fits(hdr->gso_type, p) || !gso_init(&g, frame, p, left, hdr->gso_size)) {
		stats_rx_error(nic, NULL);
		TRACE(nic, "wire gave a frame of %zu bytes that cannot be cut (GSO type %u)", len,
		      hdr->gso_type);
		return;
	}
	sp.ip_csum_ok = true;
	for (uint32_t seg = 0; seg < g.segs; seg++) {
		uint32_t n = min_u32(left, g.mss);
		struct rx_frame f = {
			.head = frame,
			.head_len = p->payload,
			.body = body,
			.body_len = n,
			.p = &sp,
			.cast = frame_cast(frame),
			.tcp_flags = gso_tcp_flags(&g, seg),
			.flags2 = csum_flags(p),
			.todo = RX_HEAD_SEGMENT,
			.gso = &g,
			.seg = seg,
		};

		sp.l4_len = p->payload - p->l4 + n;
		sp.seq = p->seq + seg * g.mss;
		deliver(nic, to, &f);
		body += n;
		left -= n;
	}
}

/* Counts a frame that no VNIC gets, as the frames that it would have been cut into */
static uint32_t count_unwanted(struct nic *nic, const struct virtio_net_hdr_v1 *hdr,
			       const uint8_t *frame, size_t len, const struct parsed *p)
{
	bool large = hdr->gso_type != VIRTIO_NET_HDR_GSO_NONE && hdr->gso_size;
	uint32_t left = len - p->payload, mss = large ? hdr->gso_size : left, frames = 0;

	do {
		uint32_t n = min_u32(left, mss);

		stats_wire_rx(nic, frame_cast(frame), p->tagged, p->payload + n);
		left -= n;
		frames++;
	} while (left);
	nic->rx_burst += frames;
	return frames;
}

/**
 * nic_wire_rx - a frame from the wire
 * @nic: device
 * @hdr: what is left to do with it
 * @frame: its bytes, without FCS
 * @len: how many
 */
void nic_wire_rx(struct nic *nic, const struct virtio_net_hdr_v1 *hdr, const uint8_t *frame,
		 size_t len)
{
	struct rx_target to;
	struct parsed p;

	if (len > UINT32_MAX / 2 || !parse_frame(frame, len, len, &p)) {
		nic->port.rx[PORT_RX_RUNT]++;
		nic->port.rx[PORT_RX_RUNT_BYTES] += len;
		return;
	}
	if (nic_loopback(nic) ? !nic->looping : !nic_link_up(nic))
		return;
	switch (steer(nic, frame, &p, &to)) {
	case RX_FILTER_MISS:
		nic->port.rxx[PORT_RXX_FILTER_MISS] += count_unwanted(nic, hdr, frame, len, &p);
		return;
	case RX_FILTER_DROP:
		count_unwanted(nic, hdr, frame, len, &p);
		return;
	case RX_DELIVER:
		break;
	}
	if (hdr->gso_type == VIRTIO_NET_HDR_GSO_NONE)
		rx_single(nic, &to, hdr, frame, len, &p);
	else
		rx_segments(nic, &to, hdr, frame, len, &p);
}
