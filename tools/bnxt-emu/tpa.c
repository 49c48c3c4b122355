// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Transparent packet aggregation (TPA): segments of a TCP stream that follow
 * each other become one large packet for the driver. What LRO and hardware GRO
 * of drivers are made of.
 *
 * An aggregation is announced by a start completion with the headers' buffer,
 * then comes one completion for each aggregation buffer that is full, and at
 * last an end completion. Several are under way at a time, told apart by an id.
 * Each takes two descriptors of the RX ring, one for the start and one for the
 * end (bnxt_tpa_start() reckons with both at the start). The room that its last
 * completions need in the CQ is set aside when it starts, so that it can be
 * ended at any time.
 *
 * Rules, from the comments in the HSI: with GRO only segments that Linux' GRO
 * would merge, so that they can be cut again as they were; without (LRO), as
 * Windows' RSC does, acknowledgments and timestamps may advance. Buffers are
 * filled to the end unless PACK_AS_GRO says otherwise.
 */
#include <stdlib.h>

#include "csum.h"
#include "rx.h"

#define TPA_IDS		1024	/* as many as bnxt_en's table has (struct bnxt_tpa_idx_map) */
#define TPA_RING_AGGS	256	/* bnxt_en has room for so many on a ring (MAX_TPA_P5) */
#define TPA_MAX_BUFS	33	/* of one aggregation, by the HSI */
#define TPA_HEAD_MAX	96	/* Ethernet, a tag, IPv6, TCP with timestamps */
#define TPA_BUCKETS	256
#define TPA_NONE	0xffff
#define MAX_IP_PACKET	0xffffu
#define END_ENTRIES	2	/* promised for the end of each aggregation */

#define TCP_CSUM_AT	16u
#define TCP_HLEN	20u
#define TCP_TS_HLEN	32u	/* with two NOPs and the timestamp option (RFC 7323, appendix A) */
#define TCP_TSVAL_AT	24u

struct tpa_agg {
	uint16_t id;
	uint16_t next;		/* in its bucket */
	uint16_t slot;		/* place among those under way */
	bool used;
	bool gro;
	bool split;		/* payload starts in an aggregation buffer */
	struct vnic *vnic;
	uint16_t rx_id, agg_id, cq_id;
	uint64_t due;		/* ns */
	uint32_t hash;

	struct parsed p;	/* of the first frame */
	uint8_t head[TPA_HEAD_MAX];	/* as the wire gave it, kept up to date */
	uint32_t head_len;
	uint32_t flags2;

	struct rx_buffer first;	/* headers, and with jumbo placement data behind them */
	uint32_t end_opaque;
	uint32_t in_first;	/* payload bytes there */

	uint32_t payload;	/* bytes so far */
	uint32_t seg_len;	/* GRO: of the first segment; LRO: of the longest */
	uint32_t segs;
	uint32_t next_seq;
	uint32_t first_tsval;

	struct rx_buffer buf;	/* being filled */
	uint32_t filled;
	bool buf_open;
	uint32_t bufs;		/* taken so far */
};

struct tpa {
	struct tpa_agg agg[TPA_IDS];
	uint16_t bucket[TPA_BUCKETS];
	uint16_t open[TPA_IDS];
	unsigned int n_open;
	unsigned int next_id;
	uint64_t next_due;	/* not after the earliest of those under way */
};

/**
 * tpa_new - make the state of a device's aggregations
 *
 * Return: the state, NULL if memory is short.
 */
struct tpa *tpa_new(void)
{
	struct tpa *tpa = calloc(1, sizeof(*tpa));

	for (unsigned int i = 0; tpa && i < TPA_BUCKETS; i++)
		tpa->bucket[i] = TPA_NONE;
	return tpa;
}

/**
 * tpa_free - free it
 * @tpa: state or NULL
 */
void tpa_free(struct tpa *tpa)
{
	free(tpa);
}

static uint16_t *bucket_of(struct tpa *tpa, uint16_t rx_id, uint32_t hash)
{
	return &tpa->bucket[(hash ^ rx_id) % TPA_BUCKETS];
}

static struct tpa_agg *agg_new(struct tpa *tpa, uint16_t rx_id, uint32_t hash)
{
	uint16_t *bucket = bucket_of(tpa, rx_id, hash);

	for (unsigned int i = 0; i < TPA_IDS; i++) {
		unsigned int id = (tpa->next_id + i) % TPA_IDS;
		struct tpa_agg *a = &tpa->agg[id];

		if (a->used)
			continue;
		tpa->next_id = id + 1;
		memset(a, 0, sizeof(*a));
		a->used = true;
		a->id = id;
		a->rx_id = rx_id;
		a->hash = hash;
		a->next = *bucket;
		*bucket = id;
		a->slot = tpa->n_open;
		tpa->open[tpa->n_open++] = id;
		return a;
	}
	return NULL;
}

/* Forgets an aggregation; buffers that it took stay with whoever has them */
static void agg_drop(struct nic *nic, struct tpa_agg *a)
{
	struct tpa *tpa = nic->tpa;
	struct ring *rx = ring_get(nic, a->rx_id, RING_RX), *cq = ring_get(nic, a->cq_id, RING_CMPL);
	uint16_t *link = bucket_of(tpa, a->rx_id, a->hash), last = tpa->open[--tpa->n_open];

	while (*link != a->id)
		link = &tpa->agg[*link].next;
	*link = a->next;
	tpa->open[a->slot] = last;
	tpa->agg[last].slot = a->slot;
	a->used = false;
	a->vnic->tpa.open--;
	if (rx)
		rx->tpa_open--;
	if (cq)
		cq->promised -= END_ENTRIES + a->buf_open;
}

/*
 * Eligibility
 */

static uint32_t tcp_hlen(const struct parsed *p)
{
	return p->payload - p->l4;
}

static const uint8_t *tcp_of(const struct rx_frame *f)
{
	return f->head + f->p->l4;
}

/* No options, or the timestamps in the layout that all stacks use */
static bool plain_tcp_header(const struct rx_frame *f)
{
	static const uint8_t nop_nop_ts[] = { 1, 1, 8, 10 };
	uint32_t len = tcp_hlen(f->p);

	if (len == TCP_HLEN)
		return true;
	return len == TCP_TS_HLEN && !memcmp(tcp_of(f) + TCP_HLEN, nop_nop_ts, sizeof(nop_nop_ts));
}

static uint8_t traffic_class(const struct rx_frame *f)
{
	const uint8_t *ip = f->head + f->p->l3;

	return f->p->ip_version == 4 ? ip[1] : get_be16(ip) >> 4;
}

/* The checksum that is left to do is where TCP has it */
static bool csum_is_tcp(const struct rx_frame *f)
{
	return f->hdr->csum_start == f->p->l4 && f->hdr->csum_offset == TCP_CSUM_AT;
}

static bool eligible(const struct rx_target *to, const struct rx_frame *f)
{
	static const uint8_t never = TCP_SYN | TCP_FIN | TCP_RST | TCP_URG | TCP_CWR;
	const struct tpa_config *cfg = &to->vnic->tpa;
	const struct parsed *p = f->p;
	unsigned int ip_hlen = p->ip_version == 4 ? 20 : 40;

	return p->has_l4 && p->l4_proto == 6 && to->hash_valid && !f->errors &&
	       (f->todo != RX_HEAD_CSUM || csum_is_tcp(f)) && f->flags2 & RXEXT_L4_CS_CALC &&
	       p->l4 == p->l3 + ip_hlen && plain_tcp_header(f) &&
	       (f->tcp_flags & (never | TCP_ACK)) == TCP_ACK && f->body_len &&
	       p->l4_len == tcp_hlen(p) + f->body_len &&
	       (cfg->flags & VNIC_TPA_WITH_ECN || !(traffic_class(f) & 3));
}

static bool same_flow(const struct tpa_agg *a, const struct rx_target *to, const struct rx_frame *f)
{
	const struct parsed *p = f->p;
	bool v4 = p->ip_version == 4;

	return a->hash == to->hash && a->rx_id == to->rx->id && a->vnic == to->vnic &&
	       a->p.ip_version == p->ip_version && a->p.sport == p->sport &&
	       a->p.dport == p->dport &&
	       !memcmp(a->head + a->p.l3 + (v4 ? 12 : 8), f->head + p->l3 + (v4 ? 12 : 8),
		       v4 ? 8 : 32);
}

static struct tpa_agg *find(struct nic *nic, const struct rx_target *to, const struct rx_frame *f)
{
	struct tpa *tpa = nic->tpa;

	if (!f->p->has_l4 || f->p->l4_proto != 6)
		return NULL;
	for (uint16_t i = *bucket_of(tpa, to->rx->id, to->hash); i != TPA_NONE; i = tpa->agg[i].next)
		if (same_flow(&tpa->agg[i], to, f))
			return &tpa->agg[i];
	return NULL;
}

/* Whether the headers before TCP's allow that the frame is added */
static bool same_outer(const struct tpa_agg *a, const struct rx_frame *f)
{
	const struct tpa_config *cfg = &a->vnic->tpa;
	const uint8_t *was = a->head + a->p.l3, *is = f->head + f->p->l3;
	bool ttl = a->gro && cfg->flags & VNIC_TPA_GRO_TTL,
	     id = a->gro && cfg->flags & VNIC_TPA_GRO_IPID;

	if (memcmp(a->head, f->head, 2 * ETH_ALEN) || a->p.tagged != f->p->tagged ||
	    a->p.tpid != f->p->tpid || a->p.tci != f->p->tci)
		return false;
	if (a->p.ip_version == 6)	/* version, traffic class, flow label */
		return !memcmp(was, is, 4) && (!ttl || was[7] == is[7]);
	return was[1] == is[1] && was[6] == is[6] && (!ttl || was[8] == is[8]) &&
	       (!id || (uint16_t)(get_be16(was + 4) + a->segs) ==
			       (uint16_t)(get_be16(is + 4) + f->seg));
}

static bool not_before(uint32_t later, uint32_t earlier)
{
	return (int32_t)(later - earlier) >= 0;
}

static bool same_tcp(const struct tpa_agg *a, const struct rx_frame *f)
{
	const uint8_t *was = a->head + a->p.l4, *is = tcp_of(f);
	uint32_t len = tcp_hlen(&a->p);
	bool window = was[14] == is[14] && was[15] == is[15];

	if (tcp_hlen(f->p) != len || (was[13] ^ f->tcp_flags) & ~TCP_PSH)
		return false;
	if (a->gro)	/* acknowledgment, window, options */
		return window && !memcmp(was + 8, is + 8, 4) &&
		       !memcmp(was + TCP_HLEN, is + TCP_HLEN, len - TCP_HLEN);
	return (window || a->vnic->tpa.flags & VNIC_TPA_RSC_WND_UPDATE) &&
	       not_before(get_be32(is + 8), get_be32(was + 8)) &&
	       (len == TCP_HLEN || not_before(get_be32(is + TCP_TSVAL_AT),
					      get_be32(was + TCP_TSVAL_AT)));
}

static uint32_t max_segs(const struct tpa_agg *a)
{
	return a->vnic->tpa.max_segs * VNIC_TPA_SEGS_UNIT;
}

static bool fits_length(const struct tpa_agg *a, uint32_t more)
{
	return a->p.payload - a->p.l3 + a->payload + more <= MAX_IP_PACKET;
}

static bool may_add(const struct tpa_agg *a, const struct rx_frame *f)
{
	return f->p->seq == a->next_seq && (!a->gro || f->body_len <= a->seg_len) &&
	       fits_length(a, f->body_len) && same_outer(a, f) && same_tcp(a, f);
}

/*
 * Placement
 */

/* Completes the buffer that is being filled */
static bool close_buffer(struct nic *nic, struct tpa_agg *a, struct ring *cq)
{
	struct hsi_entry e = { .dw = { CMP_TPA_AGG | a->filled << 16, a->buf.opaque,
				       (uint32_t)a->id << TPA_AGG_ID_SHIFT } };

	a->buf_open = false;
	cq->promised--;
	return cq_post(nic, cq, &e);
}

static bool open_buffer(struct nic *nic, struct tpa_agg *a, struct ring *agg, struct ring *cq)
{
	if (!rx_peek_buffer(nic, agg, 0, RXBD_TYPE_AGG, &a->buf))
		return false;
	agg->cons = (agg->cons + 1) & (agg->entries - 1);
	a->bufs++;
	a->filled = 0;
	a->buf_open = true;
	cq->promised++;
	return true;
}

/* A payload that must not be torn, and would be if it went on in the open buffer */
static bool wants_new_buffer(const struct tpa_agg *a, uint32_t len)
{
	return a->buf_open && a->gro && a->vnic->tpa.flags & VNIC_TPA_PACK_AS_GRO &&
	       len > a->buf.len - a->filled;
}

/* Whether @len payload bytes will find buffers, and their completions room */
static bool has_room(const struct tpa_agg *a, const struct ring *agg, const struct ring *cq,
		     uint32_t len)
{
	uint32_t left = a->buf_open && !wants_new_buffer(a, len) ? a->buf.len - a->filled : 0;
	uint32_t bufs = len > left ? (len - left + agg->buf_size - 1) / agg->buf_size : 0;

	return bufs <= ring_pending(agg) && a->bufs + bufs <= TPA_MAX_BUFS &&
	       cq_has_room(cq, bufs);
}

/* False: a ring failed */
static bool add_payload(struct nic *nic, struct tpa_agg *a, struct ring *agg, struct ring *cq,
			const uint8_t *data, uint32_t len)
{
	if (wants_new_buffer(a, len) && !close_buffer(nic, a, cq))
		return false;
	while (len) {
		struct rx_buffer part;
		uint32_t n;

		if (!a->buf_open && !open_buffer(nic, a, agg, cq))
			return false;
		part = a->buf;
		part.iova += a->filled;
		n = min_u32(len, a->buf.len - a->filled);
		if (!rx_map_buffer(nic, agg, &part, n))
			return false;
		memcpy(part.host, data, n);
		if (nic->ops.dma_trace)
			rx_trace_write(nic, &nic->ring[a->rx_id], &a->p, &part, a->next_seq,
				       a->split);
		a->filled += n;
		a->payload += n;
		a->next_seq += n;
		data += n;
		len -= n;
		if (a->filled == a->buf.len && !close_buffer(nic, a, cq))
			return false;
	}
	return true;
}

/*
 * End
 */

/*
 * The headers of one packet become those of all: lengths, checksums. The TCP
 * checksum is left at the pseudo header's sum, which is what a stack wants that
 * cuts the packet again: bnxt_gro_func_5750x() does not touch it.
 */
static void finish_head(struct tpa_agg *a)
{
	uint8_t *ip = a->head + a->p.l3, *tcp = a->head + a->p.l4;
	uint32_t l4_len = tcp_hlen(&a->p) + a->payload;
	uint16_t sum;

	if (a->segs == 1)
		return;
	if (a->p.ip_version == 6) {
		put_be16(ip + 4, l4_len);
	} else {
		put_be16(ip + 2, a->p.l4 - a->p.l3 + l4_len);
		memset(ip + 10, 0, 2);
		sum = csum_fold(csum_bytes(ip, 20)) ^ 0xffff;
		memcpy(ip + 10, &sum, sizeof(sum));
	}
	sum = csum_fold(parse_pseudo_sum(a->head, &a->p, l4_len));
	memcpy(tcp + TCP_CSUM_AT, &sum, sizeof(sum));
}

static bool write_head(struct nic *nic, struct tpa_agg *a, struct ring *rx)
{
	uint32_t cut = a->p.tagged && a->vnic->vlan_strip ? VLAN_HLEN : 0;
	struct rx_buffer b = a->first;

	if (!rx_map_buffer(nic, rx, &b, a->head_len - cut))
		return false;
	memcpy(b.host, a->head, 2 * ETH_ALEN);
	memcpy(b.host + 2 * ETH_ALEN, a->head + 2 * ETH_ALEN + cut,
	       a->head_len - cut - 2 * ETH_ALEN);
	if (nic->ops.dma_trace)
		rx_trace_write(nic, rx, &a->p, &b, a->p.seq, false);
	return true;
}

static uint32_t placement(const struct tpa_agg *a)
{
	uint32_t kind = a->split ? RXCMP_PLACE_HDS : RXCMP_PLACE_JUMBO;

	return a->gro && a->vnic->tpa.flags & VNIC_TPA_PACK_AS_GRO ? kind | RXCMP_PLACE_GRO : kind;
}

static bool has_ts(const struct tpa_agg *a)
{
	return tcp_hlen(&a->p) == TCP_TS_HLEN;
}

static uint32_t ts_word(const struct tpa_agg *a)
{
	if (!has_ts(a))
		return 0;
	return a->gro ? TPA_END_TS : get_be32(a->head + a->p.l4 + TCP_TSVAL_AT) - a->first_tsval;
}

static uint32_t payload_offset(const struct tpa_agg *a)
{
	return a->p.payload - (a->p.tagged && a->vnic->vlan_strip ? VLAN_HLEN : 0);
}

static void post_end(struct nic *nic, const struct tpa_agg *a, struct ring *cq)
{
	struct hsi_entry end = { .dw = {
		CMP_TPA_END | placement(a) | RXCMP_ITYPE_TCP,
		a->end_opaque,
		a->segs << TPA_END_SEGS_SHIFT | (uint32_t)a->id << TPA_AGG_ID_SHIFT,
		ts_word(a),
	} };
	struct hsi_entry ext = { .dw = {
		payload_offset(a) << TPA_END_PAYLOAD_SHIFT | a->bufs << TPA_END_BUFS_SHIFT,
		a->seg_len,
		0,
		a->first.opaque,
	} };

	if (cq_write(nic, cq, 1, &ext) && cq_write(nic, cq, 0, &end))
		cq_commit(nic, cq, 2);
}

/* Hands an aggregation to the driver */
static void agg_end(struct nic *nic, struct tpa_agg *a)
{
	struct ring *rx = ring_get(nic, a->rx_id, RING_RX), *cq = ring_get(nic, a->cq_id, RING_CMPL);
	struct stat_ctx *stat = rx ? stat_ctx(nic, rx->stat_ctx) : NULL;

	if (!rx || !cq) {
		agg_drop(nic, a);
		return;
	}
	finish_head(a);
	if (write_head(nic, a, rx) && (!a->buf_open || close_buffer(nic, a, cq))) {
		post_end(nic, a, cq);
		if (stat)
			stat->s.rx_tpa_events++;
	}
	/* a ring that failed above has dropped it already */
	if (a->used)
		agg_drop(nic, a);
}

/*
 * Start
 */

static bool post_start(struct nic *nic, const struct tpa_agg *a, struct ring *cq)
{
	uint32_t l4_size = tcp_hlen(&a->p), cut = a->p.payload - payload_offset(a);
	struct hsi_entry start = { .dw = {
		CMP_TPA_START | placement(a) | RXCMP_RSS_VALID | TPA_START_HDR_OFFSETS |
			RXCMP_ITYPE_TCP | (payload_offset(a) + a->in_first) << 16,
		a->first.opaque,
		(uint32_t)a->id << TPA_AGG_ID_SHIFT,
		a->hash,
	} };
	struct hsi_entry ext = { .dw = {
		a->flags2,
		cut ? (uint32_t)a->p.tpid << 16 | a->p.tci : 0,
		0,
		(a->p.l3 - cut) << TPA_EXT_L3_SHIFT | l4_size << TPA_EXT_L4_SIZE_SHIFT,
	} };

	if (!cq_write(nic, cq, 1, &ext) || !cq_write(nic, cq, 0, &start))
		return false;
	cq_commit(nic, cq, 2);
	return true;
}

/* With jumbo placement data fills the first buffer behind the headers */
static bool fill_first(struct nic *nic, struct tpa_agg *a, struct ring *rx, const uint8_t *data)
{
	struct rx_buffer b = a->first;

	b.iova += payload_offset(a);
	if (!a->in_first)
		return true;
	if (!rx_map_buffer(nic, rx, &b, a->in_first))
		return false;
	memcpy(b.host, data, a->in_first);
	if (nic->ops.dma_trace)
		rx_trace_write(nic, rx, &a->p, &b, a->next_seq, false);
	a->payload = a->in_first;
	a->next_seq += a->in_first;
	return true;
}

static uint64_t timer_ns(const struct nic *nic, const struct vnic *v)
{
	return (v->tpa.timer_us ? v->tpa.timer_us : nic->cfg.tpa_timer_us) * 1000ull;
}

/* What is known before anything is consumed */
static void agg_init(struct nic *nic, struct tpa_agg *a, const struct rx_target *to,
		     const struct rx_frame *f, uint32_t room)
{
	a->gro = to->vnic->tpa.flags & VNIC_TPA_GRO;
	a->vnic = to->vnic;
	a->agg_id = to->rx->agg_id;
	a->cq_id = to->rx->cq_id;
	a->due = nic->now + timer_ns(nic, to->vnic);
	a->p = *f->p;
	a->head_len = f->p->payload;
	memcpy(a->head, f->head, a->head_len);
	a->flags2 = f->flags2;
	if (payload_offset(a) != a->p.payload)
		a->flags2 |= RXEXT_META_VLAN;
	a->seg_len = f->body_len;
	a->segs = 1;
	a->next_seq = a->p.seq;
	if (has_ts(a))
		a->first_tsval = get_be32(a->head + a->p.l4 + TCP_TSVAL_AT);
	a->split = rx_wants_split(nic, to->vnic, f);
	if (!a->split)
		a->in_first = min_u32(f->body_len, room - payload_offset(a));
}

static bool can_start(const struct rx_target *to, const struct ring *agg, const struct ring *cq,
		      const struct rx_frame *f)
{
	const struct tpa_config *cfg = &to->vnic->tpa;
	uint32_t bufs = agg ? (f->body_len + agg->buf_size - 1) / agg->buf_size : 0;

	return agg && cq && f->body_len >= cfg->min_len && !(f->tcp_flags & TCP_PSH) &&
	       f->p->payload <= TPA_HEAD_MAX && cfg->open < cfg->max_aggs &&
	       to->rx->tpa_open < TPA_RING_AGGS && ring_pending(to->rx) >= 2 &&
	       ring_pending(agg) >= bufs && bufs <= TPA_MAX_BUFS &&
	       cq_has_room(cq, 2 + END_ENTRIES + bufs);
}

static bool agg_start(struct nic *nic, const struct rx_target *to, struct rx_frame *f)
{
	struct ring *rx = to->rx, *cq = rx_ring_cq(nic, rx),
		    *agg = ring_get(nic, rx->agg_id, RING_AGG);
	struct rx_buffer first, second;
	struct tpa_agg *a;

	if (!can_start(to, agg, cq, f) ||
	    !rx_peek_buffer(nic, rx, 0, RXBD_TYPE_PACKET, &first) ||
	    !rx_peek_buffer(nic, rx, 1, RXBD_TYPE_PACKET, &second) ||
	    first.len < (uint32_t)rx->sop_pad + f->p->payload)
		return false;
	a = agg_new(nic->tpa, rx->id, to->hash);
	if (!a)
		return false;
	/* its own checksum, in case that nothing is added */
	rx_make_head(nic, f);
	agg_init(nic, a, to, f, first.len - rx->sop_pad);
	to->vnic->tpa.open++;
	rx->tpa_open++;
	cq->promised += END_ENTRIES;
	first.iova += rx->sop_pad;
	a->first = first;
	a->end_opaque = second.opaque;
	rx->cons = (rx->cons + 2) & (rx->entries - 1);
	if (a->due < nic->tpa->next_due || nic->tpa->n_open == 1)
		nic->tpa->next_due = a->due;
	/* whatever fails from here on has failed the ring, and that drops it */
	if (post_start(nic, a, cq) && fill_first(nic, a, rx, f->body))
		add_payload(nic, a, agg, cq, f->body + a->in_first, f->body_len - a->in_first);
	return true;
}

/*
 * Continuation
 */

static bool is_complete(const struct tpa_agg *a, const struct rx_frame *f)
{
	return f->tcp_flags & TCP_PSH || a->segs >= max_segs(a) ||
	       (a->gro && f->body_len < a->seg_len) || !fits_length(a, a->seg_len);
}

/* The newest acknowledgment, window and timestamps; with GRO they are all alike */
static void update_head(struct tpa_agg *a, const struct rx_frame *f)
{
	uint8_t *tcp = a->head + a->p.l4;
	const uint8_t *is = tcp_of(f);

	tcp[13] |= f->tcp_flags;
	if (a->gro)
		return;
	memcpy(tcp + 8, is + 8, 4);
	memcpy(tcp + 14, is + 14, 2);
	memcpy(tcp + TCP_HLEN, is + TCP_HLEN, tcp_hlen(&a->p) - TCP_HLEN);
}

/* False: it cannot be added, for want of room */
static bool agg_add(struct nic *nic, struct tpa_agg *a, const struct rx_frame *f)
{
	struct ring *agg = ring_get(nic, a->agg_id, RING_AGG),
		    *cq = ring_get(nic, a->cq_id, RING_CMPL);

	if (!agg || !cq || !has_room(a, agg, cq, f->body_len))
		return false;
	update_head(a, f);
	a->segs++;
	if (!a->gro && f->body_len > a->seg_len)
		a->seg_len = f->body_len;
	if (add_payload(nic, a, agg, cq, f->body, f->body_len) && is_complete(a, f))
		agg_end(nic, a);
	return true;
}

/**
 * tpa_rx - aggregate a frame if it can be
 * @nic: device
 * @to: where it goes, on a VNIC that aggregates
 * @f: frame with its tag; its headers need not be complete
 *
 * A frame that does not fit what is under way for its flow ends that first, so
 * that the driver gets both in order.
 *
 * Return: true if the frame is taken care of.
 */
bool tpa_rx(struct nic *nic, const struct rx_target *to, struct rx_frame *f)
{
	struct tpa_agg *a = nic->tpa->n_open ? find(nic, to, f) : NULL;
	struct stat_ctx *stat = stat_ctx(nic, to->rx->stat_ctx);
	bool can = eligible(to, f), taken = false;
	uint32_t len = rx_frame_len(f);

	if (can && stat) {
		stat->s.rx_tpa_eligible_pkts++;
		stat->s.rx_tpa_eligible_bytes += len;
	}
	if (a && can && may_add(a, f))
		taken = agg_add(nic, a, f);
	if (a && !taken)
		agg_end(nic, a);
	if (can && !taken)
		taken = agg_start(nic, to, f);
	if (taken && stat) {
		stat->s.rx_tpa_pkts++;
		stat->s.rx_tpa_bytes += len;
	}
	return taken;
}

/**
 * tpa_vnic_changed - end what is under way on a VNIC
 * @nic: device
 * @v: VNIC that is about to be set up anew, stopped or freed
 */
void tpa_vnic_changed(struct nic *nic, const struct vnic *v)
{
	struct tpa *tpa = nic->tpa;

	for (unsigned int i = tpa->n_open; i-- > 0;)
		if (i < tpa->n_open && tpa->agg[tpa->open[i]].vnic == v)
			agg_end(nic, &tpa->agg[tpa->open[i]]);
}

/**
 * tpa_ring_gone - forget what is under way on a ring
 * @nic: device
 * @r: ring that is about to be freed, or failed: nothing is written for it any more
 */
void tpa_ring_gone(struct nic *nic, const struct ring *r)
{
	struct tpa *tpa = nic->tpa;

	for (unsigned int i = tpa->n_open; i-- > 0;) {
		struct tpa_agg *a = &tpa->agg[tpa->open[i]];

		if (a->rx_id == r->id || a->agg_id == r->id || a->cq_id == r->id)
			agg_drop(nic, a);
	}
}

/**
 * tpa_run_timers - end what has waited long enough
 * @nic: device
 *
 * Return: ns until the next is due, UINT64_MAX for none.
 */
uint64_t tpa_run_timers(struct nic *nic)
{
	struct tpa *tpa = nic->tpa;

	if (tpa->n_open && tpa->next_due <= nic->now) {
		tpa->next_due = UINT64_MAX;
		for (unsigned int i = tpa->n_open; i-- > 0;) {
			struct tpa_agg *a;

			if (i >= tpa->n_open)
				continue;
			a = &tpa->agg[tpa->open[i]];
			if (a->due <= nic->now)
				agg_end(nic, a);
			else if (a->due < tpa->next_due)
				tpa->next_due = a->due;
		}
	}
	return tpa->n_open ? tpa->next_due - nic->now : UINT64_MAX;
}

/*
 * Set-up
 */

static struct vnic *get_vnic(struct nic *nic, uint32_t id)
{
	return id < MAX_VNICS && nic->vnic[id].used ? &nic->vnic[id] : NULL;
}

/* A number that its enable bit brings, which has to be in 1..@max */
static bool take(uint32_t enables, uint32_t bit, uint16_t value, uint16_t max, uint16_t *out)
{
	if (!(enables & bit)) {
		*out = max;
		return true;
	}
	*out = value;
	return value && value <= max;
}

enum hwrm_error hwrm_vnic_tpa_cfg(struct nic *nic, const void *req, void *resp)
{
	const struct vnic_tpa_cfg_req *q = req;
	struct vnic *v = get_vnic(nic, q->vnic_id);
	struct tpa_config cfg = { .flags = q->flags };

	(void)resp;
	if (!v)
		return HWRM_INVALID_PARAMS;
	if (!(q->flags & VNIC_TPA_TPA))
		cfg.flags = 0;
	else if (!take(q->enables, VNIC_TPA_EN_MAX_SEGS, q->max_agg_segs, VNIC_TPA_MAX_SEGS,
		       &cfg.max_segs) ||
		 !take(q->enables, VNIC_TPA_EN_MAX_AGGS, q->max_aggs, TPA_MAX_AGGS, &cfg.max_aggs))
		return HWRM_INVALID_PARAMS;
	if (q->enables & VNIC_TPA_EN_TIMER)
		cfg.timer_us = q->max_agg_timer;
	if (q->enables & VNIC_TPA_EN_MIN_LEN)
		cfg.min_len = q->min_agg_len;
	tpa_vnic_changed(nic, v);
	if (!nic->cfg.tpa)
		cfg.flags = 0;	/* "may aggregate" is what the driver allows */
	v->tpa = cfg;
	TRACE(nic, "vnic %u: aggregation %s%s, %u at a time, %u segments, from %u bytes",
	      q->vnic_id, cfg.flags ? "on" : "off", cfg.flags & VNIC_TPA_GRO ? " as GRO" : "",
	      cfg.max_aggs, cfg.max_segs * VNIC_TPA_SEGS_UNIT, cfg.min_len);
	return HWRM_OK;
}

enum hwrm_error hwrm_vnic_tpa_qcfg(struct nic *nic, const void *req, void *resp)
{
	const struct vnic_tpa_qcfg_req *q = req;
	struct vnic_tpa_qcfg_resp *a = resp;
	const struct vnic *v = get_vnic(nic, q->vnic_id);

	if (!v)
		return HWRM_INVALID_PARAMS;
	a->flags = v->tpa.flags;
	a->max_agg_segs = v->tpa.max_segs;
	a->max_aggs = v->tpa.max_aggs;
	a->max_agg_timer = timer_ns(nic, v) / 1000;
	a->min_agg_len = v->tpa.min_len;
	return HWRM_OK;
}
