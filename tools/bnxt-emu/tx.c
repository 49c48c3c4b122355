// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Transmission: gathers a packet's descriptors, does or delegates the offloads
 * that they ask for, hands the frame to the wire, completes.
 *
 * The payload is never copied: the wire gets pointers into the guest. Headers
 * are copied once, and only the copy is looked at and changed.
 */
#include "core.h"
#include "csum.h"

#define NOTIFY_EVERY	64	/* packets: the driver need not wait for a burst's end */
#define MAX_IP_PACKET	0xffffu
#define MAX_SEGS	0xffffu	/* of one packet; Linux' GSO_MAX_SEGS */

struct tx_bd {
	uint32_t flags;
	uint32_t opaque;
	uint64_t addr;
};

struct tx_ext {
	uint32_t flags;
	uint32_t mss;
	uint32_t cfa_action;
	uint32_t meta;
};

/* One packet as the driver described it */
struct tx_packet {
	uint32_t flags;		/* of the first descriptor */
	uint32_t opaque;
	struct tx_ext ext;
	uint32_t bds;
	uint32_t len;
	int n;
	struct iovec iov[TX_MAX_BDS];
	struct stat_ctx *stat;

	uint8_t *head;		/* copy of the first head_len bytes */
	uint32_t head_len;
	struct parsed p;
};

static bool read_entry(struct nic *nic, const struct ring *r, uint32_t index, void *e)
{
	const void *src = ring_entry(nic, r, index);

	if (src)
		memcpy(e, src, ENTRY_SIZE);
	return src;
}

/* Returns why the packet cannot be had, NULL if it can */
static const char *gather(struct nic *nic, const struct ring *r, struct tx_packet *pkt)
{
	struct tx_bd bd;
	bool extended;

	memset(pkt, 0, offsetof(struct tx_packet, iov));
	if (!read_entry(nic, r, r->cons, &bd))
		return "its memory is not there";
	/* XDP and the loopback test send packets that ask for nothing in short descriptors */
	extended = TXBD_TYPE(bd.flags) == TXBD_TYPE_LONG;
	if (!extended && TXBD_TYPE(bd.flags) != TXBD_TYPE_SHORT)
		return "a packet starts with no descriptor of a packet";
	pkt->flags = bd.flags;
	pkt->opaque = bd.opaque;
	pkt->bds = TXBD_CNT(bd.flags);
	if (pkt->bds < 1u + extended || pkt->bds > ring_pending(r))
		return "a packet has more descriptors than were posted";
	if (extended && !read_entry(nic, r, r->cons + 1, &pkt->ext))
		return "its memory is not there";

	for (uint32_t i = 0; i < pkt->bds; i++) {
		uint32_t len;
		void *data;

		if (i == 1 && extended)
			continue;	/* read above */
		if (i && !read_entry(nic, r, r->cons + i, &bd))
			return "its memory is not there";
		if (i && TXBD_TYPE(bd.flags) != TXBD_TYPE_SHORT)
			return "a packet goes on with something else";
		len = TXBD_LEN(bd.flags);
		data = dma_ptr(&nic->dma, bd.addr, len);
		if (!data || nic_fault(nic, NIC_FAULT_TX_DMA))
			return "a buffer is not in the guest's memory";
		if (!len)
			continue;
		pkt->iov[pkt->n++] = (struct iovec){ .iov_base = data, .iov_len = len };
		pkt->len += len;
	}
	if (!(bd.flags & TXBD_PACKET_END))
		return "a packet has no end";
	pkt->stat = stat_ctx(nic, r->stat_ctx);
	return NULL;
}

/* Copies @len bytes from the start of the packet */
static void copy_head(struct tx_packet *pkt, uint8_t *dst, uint32_t len)
{
	pkt->head = dst;
	pkt->head_len = 0;
	for (int i = 0; i < pkt->n && pkt->head_len < len; i++) {
		uint32_t n = min_u32(pkt->iov[i].iov_len, len - pkt->head_len);

		memcpy(dst + pkt->head_len, pkt->iov[i].iov_base, n);
		pkt->head_len += n;
	}
}

/* Walks through the packet's bytes without its first ones */
struct tx_cursor {
	const struct tx_packet *pkt;
	int i;
	size_t off;
};

static void cursor_start(struct tx_cursor *c, const struct tx_packet *pkt, size_t skip)
{
	*c = (struct tx_cursor){ .pkt = pkt, .off = skip };
	while (c->i < pkt->n && c->off >= pkt->iov[c->i].iov_len)
		c->off -= pkt->iov[c->i++].iov_len;
}

/*
 * Slices of the next @len bytes; returns how many it took. @iov has room for all
 * slices of a packet.
 */
static int cursor_take(struct tx_cursor *c, size_t len, struct iovec *iov)
{
	int n = 0;

	while (len && c->i < c->pkt->n) {
		const struct iovec *src = &c->pkt->iov[c->i];
		size_t take = src->iov_len - c->off < len ? src->iov_len - c->off : len;

		iov[n++] = (struct iovec){ .iov_base = (uint8_t *)src->iov_base + c->off,
					   .iov_len = take };
		len -= take;
		c->off += take;
		if (c->off == src->iov_len) {
			c->i++;
			c->off = 0;
		}
	}
	return n;
}

static uint32_t sum_iov(const struct iovec *iov, int n)
{
	uint32_t sum = 0;
	bool odd = false;

	for (int i = 0; i < n; i++) {
		uint32_t part = csum_bytes(iov[i].iov_base, iov[i].iov_len);

		sum = csum_add(sum, odd ? csum_odd(part) : part);
		odd ^= iov[i].iov_len & 1;
	}
	return sum;
}

static uint16_t vlan_tpid(uint32_t meta)
{
	static const uint16_t tpid[] = { ETH_P_8021AD, ETH_P_8021Q, 0x9100, 0x9200 };

	return tpid[TXEXT_META_TPID(meta)];
}

/*
 * Puts the tag that the descriptor asks for in front of the ethertype. There
 * are VLAN_HLEN bytes of room before every header buffer. Returns how many
 * bytes the header grew.
 */
static uint32_t insert_tag(const struct tx_packet *pkt, uint8_t **head)
{
	uint8_t *h;

	if (TXEXT_META_KEY(pkt->ext.meta) != TXEXT_META_KEY_VLAN)
		return 0;
	h = *head - VLAN_HLEN;
	memmove(h, *head, 12);
	put_be16(h + 12, vlan_tpid(pkt->ext.meta));
	put_be16(h + 14, TXEXT_META_TCI(pkt->ext.meta));
	*head = h;
	return VLAN_HLEN;
}

/* Sends one frame: @head and then @n slices in iov[1..]; iov[0] is filled here */
static void wire_out(struct nic *nic, const struct tx_packet *pkt, struct virtio_net_hdr_v1 *hdr,
		     uint8_t *head, uint32_t head_len, struct iovec *iov, int n, uint32_t body_len)
{
	static const uint8_t zeros[FRAME_MIN];
	uint32_t grown = insert_tag(pkt, &head);
	uint32_t len = head_len + grown + body_len;

	iov[0] = (struct iovec){ .iov_base = head, .iov_len = head_len + grown };
	n++;
	if (len < FRAME_MIN)
		iov[n++] = (struct iovec){ .iov_base = (void *)zeros, .iov_len = FRAME_MIN - len };
	if (hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		hdr->csum_start += grown;
	if (hdr->gso_type != VIRTIO_NET_HDR_GSO_NONE)
		hdr->hdr_len += grown;
	nic_wire_tx(nic, hdr, iov, n);
	nic->tx_burst++;
}

static void count(struct nic *nic, const struct tx_packet *pkt, uint32_t len, uint32_t frames,
		  uint64_t bytes)
{
	bool tag = TXEXT_META_KEY(pkt->ext.meta) == TXEXT_META_KEY_VLAN;

	if (tag) {
		len += VLAN_HLEN;
		bytes += (uint64_t)frames * VLAN_HLEN;
	}
	if (len < FRAME_MIN) {
		bytes += FRAME_MIN - len;
		len = FRAME_MIN;
	}
	stats_tx(nic, pkt->stat, frame_cast(pkt->head), tag || pkt->p.tagged, len, frames, bytes);
}

/* Asks the wire to complete the checksum; it expects the pseudo header's sum there */
static void delegate_csum(const struct tx_packet *pkt, struct virtio_net_hdr_v1 *hdr,
			  uint32_t l4_len)
{
	uint16_t sum = csum_fold(parse_pseudo_sum(pkt->head, &pkt->p, l4_len));

	memcpy(pkt->head + pkt->p.csum_at, &sum, sizeof(sum));
	hdr->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	hdr->csum_start = pkt->p.l4;
	hdr->csum_offset = pkt->p.csum_at - pkt->p.l4;
}

/*
 * Computes the checksum over the header's copy and the rest of the IP packet
 * (padding is not part of it). If there is a rest, the copy is PARSE_MAX bytes,
 * and headers before layer 4 have even lengths: the rest starts at an even byte.
 */
static void complete_csum(struct tx_packet *pkt)
{
	const struct parsed *p = &pkt->p;
	uint32_t in_head = min_u32(p->l4_len, pkt->head_len - p->l4), sum;
	struct iovec iov[TX_MAX_BDS];
	struct tx_cursor c;
	uint16_t csum;

	memset(pkt->head + p->csum_at, 0, 2);
	sum = csum_add(parse_pseudo_sum(pkt->head, p, p->l4_len),
		       csum_bytes(pkt->head + p->l4, in_head));
	if (p->l4_len > in_head) {
		cursor_start(&c, pkt, pkt->head_len);
		sum = csum_add(sum, sum_iov(iov, cursor_take(&c, p->l4_len - in_head, iov)));
	}
	csum = csum_fold(sum) ^ 0xffff;
	if (!csum && p->l4_proto == 17)
		csum = 0xffff;
	memcpy(pkt->head + p->csum_at, &csum, sizeof(csum));
}

static void complete_ip_csum(struct tx_packet *pkt)
{
	uint8_t *ip = pkt->head + pkt->p.l3;
	uint16_t csum;

	memset(ip + 10, 0, 2);
	csum = csum_fold(csum_bytes(ip, (ip[0] & 15) * 4)) ^ 0xffff;
	memcpy(ip + 10, &csum, sizeof(csum));
}

/* Sends a packet that is one frame; false if it makes no sense */
static bool send_plain(struct nic *nic, struct tx_packet *pkt)
{
	struct virtio_net_hdr_v1 hdr = { .num_buffers = 0 };
	struct iovec iov[TX_MAX_BDS + 2];
	struct tx_cursor c;
	int n;

	if (pkt->len > nic->cfg.max_mtu + ETH_HLEN + VLAN_HLEN)
		return false;
	copy_head(pkt, nic->tx_head + VLAN_HLEN, min_u32(pkt->len, PARSE_MAX));
	if (!parse_frame(pkt->head, pkt->head_len, pkt->len, &pkt->p))
		return false;
	if (pkt->ext.flags & TXEXT_IP_CSUM && pkt->p.ip_version == 4)
		complete_ip_csum(pkt);
	if (pkt->ext.flags & TXEXT_L4_CSUM) {
		if (!pkt->p.has_l4)
			return false;
		if (nic->cfg.wire_gso)
			delegate_csum(pkt, &hdr, pkt->p.l4_len);
		else
			complete_csum(pkt);
	}
	cursor_start(&c, pkt, pkt->head_len);
	n = cursor_take(&c, pkt->len - pkt->head_len, iov + 1);
	count(nic, pkt, pkt->len, 1, pkt->len);
	wire_out(nic, pkt, &hdr, pkt->head, pkt->head_len, iov, n, pkt->len - pkt->head_len);
	return true;
}

static void send_segments(struct nic *nic, struct tx_packet *pkt, const struct gso *g)
{
	struct iovec iov[TX_MAX_BDS + 2];
	uint32_t left = g->payload;
	struct tx_cursor c;

	cursor_start(&c, pkt, pkt->head_len);
	for (uint32_t seg = 0; seg < g->segs; seg++) {
		struct virtio_net_hdr_v1 hdr = { .num_buffers = 0 };
		uint32_t len = min_u32(left, g->mss);
		int n = cursor_take(&c, len, iov + 1);

		gso_head(g, nic->seg_head + VLAN_HLEN, seg, len, sum_iov(iov + 1, n));
		wire_out(nic, pkt, &hdr, nic->seg_head + VLAN_HLEN, pkt->head_len, iov, n, len);
		left -= len;
	}
}

static void send_gso(struct nic *nic, struct tx_packet *pkt, const struct gso *g)
{
	const struct parsed *p = &pkt->p;
	struct virtio_net_hdr_v1 hdr = { .hdr_len = pkt->head_len, .gso_size = g->mss };
	struct iovec iov[TX_MAX_BDS + 2];
	struct tx_cursor c;

	hdr.gso_type = p->ip_version == 4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
	if (pkt->head[p->l4 + 13] & 0x80)	/* CWR: segments are not alike (RFC 3168) */
		hdr.gso_type |= VIRTIO_NET_HDR_GSO_ECN;
	delegate_csum(pkt, &hdr, p->l4_len);
	cursor_start(&c, pkt, pkt->head_len);
	wire_out(nic, pkt, &hdr, pkt->head, pkt->head_len, iov,
		 cursor_take(&c, g->payload, iov + 1), g->payload);
}

/* Sends a packet that the driver wants cut; false if it makes no sense */
static bool send_lso(struct nic *nic, struct tx_packet *pkt)
{
	uint32_t hdr_len = TXEXT_HDR_BYTES(pkt->ext.flags), mss = TXEXT_MSS(pkt->ext.mss);
	struct gso g;

	if (hdr_len < ETH_HLEN || hdr_len >= pkt->len || hdr_len > HEAD_MAX)
		return false;
	copy_head(pkt, nic->tx_head + VLAN_HLEN, hdr_len);
	if (!parse_frame(pkt->head, hdr_len, pkt->len, &pkt->p) || pkt->p.l4_proto != 6 ||
	    pkt->p.payload != hdr_len)
		return false;
	if (hdr_len + mss > nic->cfg.max_mtu + ETH_HLEN + VLAN_HLEN)
		return false;
	if (!gso_init(&g, pkt->head, &pkt->p, pkt->len - hdr_len, mss) || g.segs > MAX_SEGS)
		return false;
	count(nic, pkt, hdr_len + min_u32(mss, g.payload), g.segs,
	      (uint64_t)g.segs * hdr_len + g.payload);
	if (nic->cfg.wire_gso && g.segs > 1 && pkt->len - pkt->p.l3 <= MAX_IP_PACKET)
		send_gso(nic, pkt, &g);
	else
		send_segments(nic, pkt, &g);
	return true;
}

static void send_packet(struct nic *nic, struct tx_packet *pkt)
{
	bool sent = pkt->ext.flags & TXEXT_LSO ? send_lso(nic, pkt) : send_plain(nic, pkt);

	if (sent)
		return;
	stats_tx_error(nic, pkt->stat);
	TRACE(nic,
	      "TX packet of %u bytes dropped: its headers do not allow what its descriptors ask",
	      pkt->len);
}

/* Whether there is more to send in this flush */
static bool may_send(const struct nic *nic)
{
	return !nic->tx_paused && nic->tx_burst < BURST;
}

/* Sends what was posted. Stops where the CQ is full, and goes on after its next doorbell. */
static void tx_run(struct nic *nic, struct ring *r)
{
	struct ring *cq = ring_get(nic, r->cq_id, RING_CMPL);
	struct tx_packet pkt;
	unsigned int done = 0;

	if (!cq) {
		ring_fail(nic, r, "its completion queue is gone");
		return;
	}
	while (r->cons != r->prod && may_send(nic)) {
		struct hsi_entry cmp = { .dw = { CMP_TX } };
		const char *why;

		if (!cq_has_room(cq, 1)) {
			r->stalled = true;
			cq->stalled = true;
			return;
		}
		why = gather(nic, r, &pkt);
		if (why) {
			ring_fail(nic, r, why);
			return;
		}
		send_packet(nic, &pkt);
		nic->tx_burst++;
		r->cons = (r->cons + pkt.bds) & (r->entries - 1);
		cmp.dw[1] = pkt.opaque;
		if (!(pkt.flags & TXBD_NO_CMPL) && !cq_post(nic, cq, &cmp))
			return;
		if (++done % NOTIFY_EVERY == 0)
			ring_notify(nic);
	}
}

/**
 * tx_run_all - transmit on all rings whose doorbell rang
 * @nic: device
 *
 * What the wire does not take, and what is more than a burst, waits for the next
 * flush, however often this is called before it; the ring that was stopped then
 * comes after all others.
 */
void tx_run_all(struct nic *nic)
{
	struct work_list *list = &nic->tx_work;
	struct ring *stopped = NULL;
	unsigned int n = list->n;
	uint16_t id[MAX_RINGS];

	memcpy(id, list->id, n * sizeof(id[0]));
	list->n = 0;
	for (unsigned int i = 0; i < n; i++) {
		struct ring *r = &nic->ring[id[i]];

		r->queued = false;
		if (r->state != RING_LIVE)
			continue;
		if (!may_send(nic)) {
			work_add(list, r);
			continue;
		}
		tx_run(nic, r);
		if (r->state == RING_LIVE && r->cons != r->prod && !r->stalled)
			stopped = r;
	}
	if (stopped)
		work_add(list, stopped);
}
