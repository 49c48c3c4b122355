// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target "frames": packets of any kind through a device that is set up in
 * one of many ways, and a second opinion (ref.c, nic-frames.c) on what has to come
 * out: which bytes in which buffers of which queue, what the completion says of
 * checksums, tags and hash, how segments are cut.
 */
#include <stdlib.h>
#include <string.h>

#include "../../bnxt-emu/core.h"
#include "../unit/nic-driver.h"
#include "../unit/nic-frames.h"
#include "fence.h"
#include "fuzz.h"
#include "ref.h"

#define MAX_STEPS 40
#define FRAME_BUF 70000u
#define RX_SEEN 1024u /* as deep as the device parses what it receives */
#define TX_SEEN 256u /* and what it sends */
#define SOP_PAD 2u
#define MAX_SEGS 250u
#define LONGEST_HEAD 162u /* of those that in_flow() makes: tag, IPv6 extension, TCP options */

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

/* The one ntuple filter that there may be */
struct rule {
	bool on, drop;
	uint64_t id;
	unsigned int queue;
	int version;
	uint8_t proto;
	uint16_t sport, sport_mask, dport, dport_mask;
	uint8_t src[16], src_mask[16], dst[16], dst_mask[16];
};

struct frames_fuzz {
	struct input *in;
	struct drv *d;
	struct rule rule;
	uint32_t plc_flags;
	uint16_t jumbo, hds;
	uint16_t mru;
	uint64_t now;
	uint8_t *frame, *want; /* FRAME_BUF bytes each */
};

/* What a completion should say */
struct expect {
	struct ref r;
	uint32_t stripped;
	uint32_t len; /* in the guest's memory */
	uint32_t kind, in_rx, aggs;
	bool fits;
};

static bool masked_equal(const uint8_t *a, const uint8_t *b, const uint8_t *mask, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((a[i] ^ b[i]) & mask[i])
			return false;
	return true;
}

static bool rule_matches(const struct rule *u, const uint8_t *f, const struct ref *r)
{
	size_t n = u->version == 4 ? 4 : 16;
	const uint8_t *ip = f + r->l3;

	if (!u->on || r->version != u->version || (u->proto && u->proto != r->proto))
		return false;
	/* ports of what has none are 0 */
	return !((r->sport ^ u->sport) & u->sport_mask) &&
	       !((r->dport ^ u->dport) & u->dport_mask) &&
	       masked_equal(ip + (n == 4 ? 12 : 8), u->src, u->src_mask, n) &&
	       masked_equal(ip + (n == 4 ? 16 : 24), u->dst, u->dst_mask, n);
}

static bool hash_of(struct frames_fuzz *f, const uint8_t *frame, const struct ref *r,
		    uint32_t *hash)
{
	uint8_t in[36];
	size_t n = r->version == 4 ? 8 : 32;

	if (!r->version)
		return false;
	memcpy(in, frame + r->l3 + (n == 8 ? 12 : 8), n);
	if (r->l4)
		memcpy(in + n, frame + r->l4_at, 4);
	*hash = ref_toeplitz(drv_ptr(f->d, f->d->rss_key), in, n + (r->l4 ? 4 : 0));
	return true;
}

/* Where the bytes should go: the rules of VNIC_PLCMODES_CFG */
static void expect_place(const struct frames_fuzz *f, struct expect *e)
{
	uint32_t room = f->d->o.rx_buf - SOP_PAD, split = e->r.split - e->stripped;
	uint32_t flag = e->r.version == 4 ? PLC_HDS_IPV4 : e->r.version == 6 ? PLC_HDS_IPV6 : 0;
	bool behind = e->r.version && (e->r.l4 ? e->r.l4_end : e->r.ip_end) > e->r.split;

	e->kind = RXCMP_PLACE_NORMAL;
	e->in_rx = e->len;
	if (!f->d->o.no_agg && f->plc_flags & flag && behind && split <= room &&
	    e->len + f->d->o.nic.hds_len_extra > f->hds) {
		e->kind = RXCMP_PLACE_HDS;
		e->in_rx = split;
	} else if (!f->d->o.no_agg && f->plc_flags & PLC_JUMBO && e->len > f->jumbo) {
		e->kind = RXCMP_PLACE_JUMBO;
		e->in_rx = e->len < room ? e->len : room;
	}
	e->aggs = (e->len - e->in_rx + f->d->o.agg_buf - 1) / f->d->o.agg_buf;
	e->fits = e->in_rx <= room && e->aggs <= 7;
}

static void check_csum(const struct drv_pkt *p, const struct expect *e)
{
	bool none = e->r.l4 && e->r.l4_csum_none;
	uint32_t flags =
		(e->r.version == 4 ? RXEXT_IP_CS_CALC : 0) | (e->r.version == 6 ? RXEXT_IPV6 : 0) |
		(e->r.l4 && !none ? RXEXT_L4_CS_CALC : 0) | (e->stripped ? RXEXT_META_VLAN : 0);
	uint32_t errors = (e->r.version == 4 && !e->r.ip_csum_good ? RXEXT_ERR_IP_CS : 0) |
			  (e->r.l4 && !none && !e->r.l4_csum_good ? RXEXT_ERR_L4_CS : 0);

	CHECK(p->flags2 == flags, "a completion tells other things of headers than they are");
	CHECK(p->errors == errors, "a checksum's verdict is wrong");
	CHECK(p->error == !!errors, "the error bit is wrong");
}

static void check_meaning(struct frames_fuzz *f, const struct drv_pkt *p, const uint8_t *frame,
			  const struct expect *e)
{
	uint32_t itype = !e->r.version	 ? 0 :
			 !e->r.l4	 ? RXCMP_ITYPE_IP :
			 e->r.proto == 6 ? RXCMP_ITYPE_TCP :
					   RXCMP_ITYPE_UDP;
	uint32_t off = e->r.l4 && e->r.split - e->stripped <= 255 ? e->r.split - e->stripped : 0;
	uint32_t hash = 0;
	bool hashed = hash_of(f, frame, &e->r, &hash);
	unsigned int queue = hashed ? hash % 64 % f->d->o.queues : 0;

	if (rule_matches(&f->rule, frame, &e->r))
		queue = f->rule.queue;
	CHECK(p->queue == queue, "a frame came to another queue");
	CHECK(p->itype == itype, "a frame is called what it is not");
	CHECK(p->hash_valid == hashed && (!hashed || p->hash == hash), "a hash is wrong");
	CHECK(p->payload_off == off, "a payload offset is wrong");
	if (e->stripped)
		CHECK(p->meta == ((uint32_t)e->r.tpid << 16 | e->r.tci),
		      "a tag is not what it was");
}

/* A TCP checksum of 0 and of 0xffff are the same number, but only one is sent */
static bool same_frame(const uint8_t *a, const uint8_t *b, size_t len, size_t csum_at)
{
	for (size_t i = 0; i < len; i++)
		if (a[i] != b[i] && (!csum_at || i < csum_at || i > csum_at + 1))
			return false;
	if (!csum_at || !memcmp(a + csum_at, b + csum_at, 2))
		return true;
	return ((a[csum_at] | a[csum_at + 1]) == 0 && (b[csum_at] & b[csum_at + 1]) == 0xff) ||
	       ((b[csum_at] | b[csum_at + 1]) == 0 && (a[csum_at] & a[csum_at + 1]) == 0xff);
}

/*
 * Of a frame that was on the wire (as @frame), what the driver got. The device
 * wrote the checksum at @csum_at, if that is not 0.
 */
static void check_received(struct frames_fuzz *f, const uint8_t *frame, size_t len, size_t csum_at)
{
	static const uint8_t all[6] = { 255, 255, 255, 255, 255, 255 };
	struct expect e = { 0 };
	struct drv_pkt *p;

	if (len < 14 || len > f->mru ||
	    (memcmp(frame, f->d->o.nic.mac, 6) && memcmp(frame, all, 6)))
		return;
	ref_parse(frame, len, RX_SEEN, &e.r);
	if (f->rule.drop && rule_matches(&f->rule, frame, &e.r))
		return;
	e.stripped = f->d->o.vlan_strip && e.r.tagged ? 4 : 0;
	e.len = len - e.stripped;
	expect_place(f, &e);
	p = drv_next_rx(f->d);
	CHECK(p, "a frame did not arrive");
	if (!e.fits) {
		CHECK(p->error && p->errors == RXEXT_ERR_NOT_FIT && !p->len,
		      "a frame that fits no buffer is not reported as such");
		return;
	}
	CHECK(p->len == e.len, "a frame's length is wrong");
	CHECK(p->placement == e.kind && p->in_rx == e.in_rx && p->aggs == e.aggs,
	      "a frame is split at another place");
	CHECK(!memcmp(p->data, frame, 12) &&
		      same_frame(p->data + 12, frame + 12 + e.stripped, e.len - 12,
				 csum_at ? csum_at - 12 - e.stripped : 0),
	      "a frame's bytes are not those that were sent");
	check_csum(p, &e);
	check_meaning(f, p, frame, &e);
}

static void settle(struct frames_fuzz *f)
{
	nic_flush(f->d->nic);
	drv_run(f->d);
	CHECK(!f->d->broken, f->d->broken);
}

static struct flow in_flow(struct input *in)
{
	uint8_t a = in8(in), b = in8(in);
	struct flow w = a & 1 ? tcp6(0, 0) : tcp4(0, 0);

	w.sport = in16(in);
	w.dport = in16(in);
	w.seq = in32(in);
	w.ip_id = in16(in);
	w.tcp_flags = in8(in);
	w.src[3] = in8(in);
	w.dst[3] = in8(in);
	if (a & 2)
		w.proto = 17;
	w.tcp_opts = (a >> 2 & 7) * 4;
	w.ip_opts = w.version == 4 ? (a >> 5) * 4 : 0;
	w.ext = w.version == 6 ? (a >> 5) * 8 : 0;
	if (b & 1)
		w.vlan = 1 + in16(in) % 0xfffe;
	w.fragment = b & 2;
	w.bad_csum = b & 4;
	w.bad_ip_csum = b & 8;
	w.no_udp_csum = b & 16 && w.proto == 17;
	if (b & 32)
		w.proto = 1;
	return w;
}

/* Bytes of the input on top of a frame */
static void in_changes(struct input *in, uint8_t *frame, size_t len)
{
	unsigned int n = in8(in) & 7;

	while (n--) {
		size_t at = in16(in);

		if (len)
			frame[at % (at & 0x8000 ? len : len < 128 ? len : 128)] ^= in8(in);
	}
}

static void step_raw(struct frames_fuzz *f)
{
	uint16_t len = in16(f->in);

	len %= in8(f->in) & 1 ? 10000 : 200;
	in_bytes(f->in, f->frame, len);
	if (in8(f->in) & 1 && len > 6)
		memcpy(f->frame, f->d->o.nic.mac, 6);
	drv_wire(f->d, f->frame, len);
	settle(f);
	check_received(f, f->frame, len, 0);
}

/* Makes the IP packet end earlier than the frame: in its payload, or in its headers */
static void shorten_packet(uint8_t *frame, const struct flow *w, uint16_t by)
{
	uint8_t *at = frame + 14 + (w->vlan ? 4 : 0) + (w->version == 4 ? 2 : 4);
	uint16_t len = (at[0] << 8 | at[1]) - by;

	at[0] = len >> 8;
	at[1] = len;
}

static void step_made(struct frames_fuzz *f)
{
	struct flow w = in_flow(f->in);
	uint16_t payload = in16(f->in) % 9600;
	size_t len = frame_make(f->frame, &w, payload, payload);
	uint8_t how;

	in_changes(f->in, f->frame, len);
	/* padding behind the packet, or not all of it */
	len += in8(f->in) % 4;
	how = in8(f->in);
	if (how & 1)
		len = in16(f->in) % (len + 1);
	if (how & 2)
		shorten_packet(f->frame, &w, (how & 4 ? payload : 0) + in8(f->in) % 24);
	drv_wire(f->d, f->frame, len);
	settle(f);
	check_received(f, f->frame, len, 0);
}

/* A frame whose checksum the wire leaves to the device */
static void step_partial(struct frames_fuzz *f)
{
	struct virtio_net_hdr_v1 hdr = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM };
	struct flow w = in_flow(f->in);
	uint16_t payload = in16(f->in) % 9000;
	size_t len;

	w.bad_csum = w.bad_ip_csum = w.fragment = w.no_udp_csum = false;
	if (w.proto == 1)
		w.proto = 6;
	frame_make(f->want, &w, 7, payload);
	w.partial = true;
	len = frame_make(f->frame, &w, 7, payload);
	hdr.csum_start = frame_l4(&w);
	hdr.csum_offset = w.proto == 6 ? 16 : 6;
	drv_wire_hdr(f->d, &hdr, f->frame, len);
	settle(f);
	check_received(f, f->want, len, hdr.csum_start + hdr.csum_offset);
}

/* Header fields that promise what the frame does not keep: nothing may break */
static void step_wild(struct frames_fuzz *f)
{
	struct virtio_net_hdr_v1 hdr = { 0 };
	struct flow w = in_flow(f->in);
	uint16_t payload = in16(f->in) % 4096;
	size_t len = frame_make(f->frame, &w, 1, payload);

	in_changes(f->in, f->frame, len);
	in_bytes(f->in, &hdr, 10);
	if (hdr.gso_type && hdr.gso_size && len / hdr.gso_size > MAX_SEGS)
		hdr.gso_size = len / MAX_SEGS + 1;
	drv_wire_hdr(f->d, &hdr, f->frame, len);
	settle(f);
	while (drv_next_rx(f->d))
		;
}

/* Segment @i of a large frame, as its sender's device would have made it */
static size_t make_segment(uint8_t *buf, const struct flow *w, uint32_t i, uint32_t mss,
			   uint32_t payload)
{
	uint32_t off = i * mss, n = payload - off < mss ? payload - off : mss;
	struct flow s = *w;

	s.partial = false;
	s.seq += off;
	s.ip_id += i;
	if (off + n < payload)
		s.tcp_flags &= ~0x09; /* FIN and PSH with the last */
	if (i)
		s.tcp_flags &= ~0x80; /* CWR with the first */
	return frame_make(buf, &s, off, n);
}

static struct flow large_flow(struct input *in, uint8_t proto)
{
	struct flow w = in_flow(in);

	w.bad_csum = w.bad_ip_csum = w.fragment = w.no_udp_csum = false;
	w.partial = true;
	w.proto = proto;
	return w;
}

static void step_gso(struct frames_fuzz *f)
{
	uint8_t how = in8(f->in);
	struct flow w = large_flow(f->in, how & 1 ? 17 : 6);
	uint32_t payload = 1 + in16(f->in) % 30000, mss = 1 + in16(f->in) % 9000;
	struct virtio_net_hdr_v1 hdr = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM };
	uint32_t segs;
	size_t len;

	if (payload / mss > MAX_SEGS)
		mss = payload / MAX_SEGS + 1;
	segs = (payload + mss - 1) / mss;
	hdr.gso_type = how & 1	      ? VIRTIO_NET_HDR_GSO_UDP_L4 :
		       w.version == 4 ? VIRTIO_NET_HDR_GSO_TCPV4 :
					VIRTIO_NET_HDR_GSO_TCPV6;
	if (how & 2)
		hdr.gso_type |= VIRTIO_NET_HDR_GSO_ECN;
	hdr.gso_size = mss;
	hdr.hdr_len = frame_headers(&w);
	hdr.csum_start = frame_l4(&w);
	hdr.csum_offset = w.proto == 6 ? 16 : 6;
	len = frame_make(f->frame, &w, 0, payload);
	drv_wire_hdr(f->d, &hdr, f->frame, len);
	settle(f);
	for (uint32_t i = 0; i < segs; i++) {
		len = make_segment(f->want, &w, i, mss, payload);
		check_received(f, f->want, len, hdr.csum_start + hdr.csum_offset);
	}
}

/* Does what a virtio-net header leaves to the wire */
static void finish_wire(struct drv_frame *o)
{
	uint8_t *at = o->data + o->hdr.csum_start + o->hdr.csum_offset;
	uint16_t sum;

	if (!(o->hdr.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		return;
	CHECK(o->hdr.csum_start + o->hdr.csum_offset + 2u <= o->len,
	      "a checksum is delegated that lies outside of the frame");
	sum = ~ref_sum(0, o->data + o->hdr.csum_start, o->len - o->hdr.csum_start);
	sum = sum ? sum : 0xffff;
	at[0] = sum >> 8;
	at[1] = sum;
	o->hdr.flags = 0;
}

/* Puts a tag into a frame; returns its new length */
static size_t tag_frame(uint8_t *p, size_t len, uint16_t tpid, uint16_t tci)
{
	memmove(p + 16, p + 12, len - 12);
	p[12] = tpid >> 8;
	p[13] = tpid;
	p[14] = tci >> 8;
	p[15] = tci;
	return len + 4;
}

static size_t finish_want(struct frames_fuzz *f, size_t len, uint32_t meta)
{
	static const uint16_t tpid[] = { 0x88a8, 0x8100, 0x9100, 0x9200 };

	if (meta >> 28 == 1)
		len = tag_frame(f->want, len, tpid[meta >> 16 & 3], meta);
	while (len < 60)
		f->want[len++] = 0;
	return len;
}

static void check_sent(struct frames_fuzz *f, size_t len, size_t csum_at)
{
	struct drv_frame *o = drv_next_tx(f->d);

	CHECK(o, "a frame was not sent");
	finish_wire(o);
	CHECK(o->len == len, "a frame that was sent has another length");
	CHECK(same_frame(o->data, f->want, len, csum_at), "a frame that was sent has other bytes");
}

static void expect_ip_csum(uint8_t *frame, const struct ref *r)
{
	uint8_t *ip = frame + r->l3;
	uint16_t sum;

	ip[10] = ip[11] = 0;
	sum = ~ref_sum(0, ip, (ip[0] & 15) * 4u);
	ip[10] = sum >> 8;
	ip[11] = sum;
}

static size_t expect_l4_csum(uint8_t *frame, const struct ref *r)
{
	uint8_t *at = frame + r->l4_at + (r->proto == 6 ? 16 : 6);
	uint16_t sum;

	at[0] = at[1] = 0;
	sum = ~ref_l4_sum(frame, r);
	if (!sum && r->proto == 17)
		sum = 0xffff;
	at[0] = sum >> 8;
	at[1] = sum;
	return at - frame;
}

static void step_send(struct frames_fuzz *f)
{
	struct flow w = in_flow(f->in);
	uint16_t payload = in16(f->in) % 9600;
	size_t len = frame_make(f->frame, &w, 3, payload), csum_at = 0;
	struct drv_tx t = { .data = f->frame, .lflags = in8(f->in) & 3, .meta = in32(f->in) };
	bool sent, exact = true;
	struct ref r;

	in_changes(f->in, f->frame, len);
	if (in8(f->in) & 1)
		len = in16(f->in) % (len + 1);
	if (len < 14)
		return;
	t.len = len;
	t.first = 1 + in16(f->in) % len;
	t.piece = 1 + in16(f->in);
	memcpy(f->want, f->frame, len);
	ref_parse(f->frame, len, TX_SEEN, &r);
	sent = len <= 9518 && (!(t.lflags & TXEXT_L4_CSUM) || r.l4);
	if (!drv_send(f->d, 0, &t))
		return;
	settle(f);
	if (sent) {
		if (t.lflags & TXEXT_IP_CSUM && r.version == 4)
			expect_ip_csum(f->want, &r);
		if (t.lflags & TXEXT_L4_CSUM) {
			csum_at = expect_l4_csum(f->want, &r);
			/* who completes a delegated checksum sums up to the frame's end */
			exact = r.l4_end == len || !f->d->o.nic.wire_gso;
		}
		len = finish_want(f, len, t.meta);
		if (csum_at && t.meta >> 28 == 1)
			csum_at += 4;
		if (exact)
			check_sent(f, len, csum_at);
		else
			CHECK(drv_next_tx(f->d), "a frame was not sent");
	}
	CHECK(!drv_next_tx(f->d), "a frame was sent that should not be, or twice");
}

static void check_large(struct frames_fuzz *f, const struct flow *w, uint32_t mss, uint32_t payload)
{
	struct drv_frame *o = drv_next_tx(f->d);
	size_t head = frame_headers(w);

	CHECK(o && o->len == head + payload, "a large frame was not sent as one");
	CHECK(o->hdr.gso_size == mss && o->hdr.flags == VIRTIO_NET_HDR_F_NEEDS_CSUM &&
		      (o->hdr.gso_type & 0x7f) == (w->version == 4 ? VIRTIO_NET_HDR_GSO_TCPV4 :
								     VIRTIO_NET_HDR_GSO_TCPV6),
	      "a large frame's header is wrong");
	CHECK(o->hdr.hdr_len == head && o->hdr.csum_start == frame_l4(w) &&
		      o->hdr.csum_offset == 16,
	      "a large frame's offsets are wrong");
	CHECK(pattern_ok(o->data + head, payload, 0), "a large frame has other bytes");
	CHECK(!memcmp(o->data, f->frame, head), "a large frame has other headers");
}

static void step_lso(struct frames_fuzz *f)
{
	struct flow w = large_flow(f->in, 6);
	uint32_t payload = 1 + in16(f->in) % 50000, mss = in16(f->in) & 0x7fff;
	struct drv_tx t = { .data = f->frame, .mss = mss };
	size_t head = frame_headers(&w);

	if (mss && payload / mss > MAX_SEGS)
		t.mss = mss = payload / MAX_SEGS + 1;
	t.len = frame_make(f->frame, &w, 0, payload);
	t.lflags = TXEXT_LSO | (uint32_t)head / 2 << 16;
	t.first = 1 + in16(f->in) % t.len;
	t.piece = 2048 + in16(f->in) % 60000;
	if (!drv_send(f->d, 0, &t))
		return;
	settle(f);
	if (!mss || head + mss > 9500 + 18)
		goto none;
	if (f->d->o.nic.wire_gso && payload > mss) {
		check_large(f, &w, mss, payload);
		goto none;
	}
	for (uint32_t i = 0; i * mss < payload; i++) {
		size_t len = make_segment(f->want, &w, i, mss, payload);

		check_sent(f, finish_want(f, len, 0), frame_l4(&w) + 16);
	}
none:
	CHECK(!drv_next_tx(f->d), "a frame was sent that should not be");
}

static void step_placement(struct frames_fuzz *f)
{
	uint32_t flags = in8(f->in) & (PLC_JUMBO | PLC_HDS_IPV4 | PLC_HDS_IPV6);
	uint16_t jumbo = in16(f->in) % 10000, hds = in16(f->in) % 2048;

	if (drv_placement(f->d, flags, jumbo, hds)) {
		CHECK(hds > PLC_HDS_THRESHOLD_MAX, "a threshold that is possible is refused");
		return;
	}
	CHECK(hds <= PLC_HDS_THRESHOLD_MAX, "a threshold that is not possible is taken");
	f->plc_flags = flags;
	f->jumbo = jumbo;
	f->hds = hds;
}

static void step_rule(struct frames_fuzz *f)
{
	struct ntuple_alloc_req q = {
		.enables = NTUPLE_EN_L2_FILTER | NTUPLE_EN_ETHERTYPE | NTUPLE_EN_IPADDR_TYPE |
			   NTUPLE_EN_SRC_IP | NTUPLE_EN_SRC_IP_MASK | NTUPLE_EN_DST_IP |
			   NTUPLE_EN_DST_IP_MASK | NTUPLE_EN_PROTOCOL | NTUPLE_EN_SRC_PORT |
			   NTUPLE_EN_SRC_PORT_MASK | NTUPLE_EN_DST_PORT | NTUPLE_EN_DST_PORT_MASK |
			   NTUPLE_EN_DST_ID,
		.l2_filter_id = f->d->l2_filter,
	};
	struct rule *u = &f->rule;
	struct flow w = in_flow(f->in);
	uint8_t how = in8(f->in);

	if (u->on)
		CHECK(!drv_filter_free(f->d, HWRM_CFA_NTUPLE_FREE, u->id), "a filter is not found");
	*u = (struct rule){ .version = w.version,
			    .proto = w.proto,
			    .sport = w.sport,
			    .dport = w.dport,
			    .queue = (how >> 2) % f->d->o.queues,
			    .drop = how & 8,
			    .sport_mask = in16(f->in),
			    .dport_mask = in16(f->in) };
	memcpy(u->src, w.src, 16);
	memcpy(u->dst, w.dst, 16);
	in_bytes(f->in, u->src_mask, 4);
	in_bytes(f->in, u->dst_mask, 4);
	if (!(how & 1))
		u->proto = 0;
	q.flags = u->drop ? NTUPLE_FLAG_DROP : NTUPLE_FLAG_RING_IDX;
	q.dst_id = u->queue;
	q.ethertype = w.version == 4 ? 0x0008 : 0xdd86; /* big endian */
	q.ip_addr_type = w.version;
	q.ip_protocol = u->proto;
	q.src_port = __builtin_bswap16(u->sport);
	q.dst_port = __builtin_bswap16(u->dport);
	q.src_port_mask = __builtin_bswap16(u->sport_mask);
	q.dst_port_mask = __builtin_bswap16(u->dport_mask);
	memcpy(q.src_ipaddr, u->src, 16);
	memcpy(q.dst_ipaddr, u->dst, 16);
	memcpy(q.src_ipaddr_mask, u->src_mask, 16);
	memcpy(q.dst_ipaddr_mask, u->dst_mask, 16);
	CHECK(!drv_ntuple(f->d, &q, &u->id), "a sane filter is refused");
	u->on = true;
}

/* What is in order, and what has to come out of segments that may be aggregated */
struct stream {
	uint32_t len; /* payload bytes that were sent, in f->want */
	uint32_t segs, settled;
};

/* Ways in which a piece of a stream comes, by the byte that also says what is odd about it */
static bool comes_large(uint8_t odd)
{
	return odd >= 200 && odd < 220;
}

static bool comes_without_csum(uint8_t odd)
{
	return odd >= 200 && odd < 240;
}

/* Sends @payload bytes of a stream, in segments of @mss if they are more */
static void send_piece(struct frames_fuzz *f, struct stream *s, struct flow w, uint8_t odd,
		       uint32_t mss, uint32_t payload)
{
	struct virtio_net_hdr_v1 hdr = { 0 };
	size_t len;

	w.partial = comes_without_csum(odd);
	len = frame_make(f->frame, &w, w.seq, payload);
	if (w.partial) {
		hdr.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		hdr.csum_start = frame_l4(&w);
		hdr.csum_offset = 16;
	}
	if (payload > mss) {
		hdr.gso_type = w.version == 4 ? VIRTIO_NET_HDR_GSO_TCPV4 :
						VIRTIO_NET_HDR_GSO_TCPV6;
		hdr.gso_size = mss;
		hdr.hdr_len = frame_headers(&w);
	}
	drv_wire_hdr(f->d, &hdr, f->frame, len);
	memcpy(f->want + s->len, f->frame + len - payload, payload);
	s->len += payload;
	s->segs += payload > mss ? (payload + mss - 1) / mss : 1;
}

static void send_stream(struct frames_fuzz *f, struct stream *s)
{
	unsigned int n = 1 + in8(f->in) % 40;
	struct flow w = in_flow(f->in);
	uint8_t how = in8(f->in);

	w.proto = 6;
	w.fragment = w.bad_csum = w.bad_ip_csum = w.no_udp_csum = false;
	if (how & 1)
		w.tcp_flags = 0x10;
	if (how & 2)
		w.tcp_opts = w.ip_opts = w.ext = 0;
	while (n-- && f->in->left) {
		uint8_t odd = in8(f->in);
		uint32_t mss = how & 4 ? 400 : in16(f->in) % (f->mru - LONGEST_HEAD);
		uint32_t payload = comes_large(odd) ? mss * (1 + odd % 8) : mss;
		uint32_t segs = s->segs;

		if (payload > 30000)
			payload = mss;
		if (s->len + payload > FRAME_BUF)
			break;
		w.tcp_flags ^= odd < 16 ? 1 << (odd & 7) : 0;
		send_piece(f, s, w, odd, mss, payload);
		w.seq += payload;
		w.ip_id += odd == 17 ? 0 : s->segs - segs;
		if (odd == 18) /* a hole */
			w.seq += 100;
		if (odd == 19) /* again */
			w.seq -= payload;
		if (odd == 20)
			w.tcp_flags = 0x10;
		/* before the driver's buffers are used up */
		if (odd >= 240 || s->segs - s->settled > 90) {
			settle(f);
			s->settled = s->segs;
		}
	}
}

/* The headers of an aggregation are those of one large packet */
static void check_aggregated(const struct drv_pkt *p, const struct ref *r)
{
	CHECK(r->l4 && r->proto == 6, "an aggregation is not TCP");
	CHECK(r->ip_end == p->len && r->ip_csum_good, "an aggregation's IP header is wrong");
	CHECK(p->payload_off == r->split, "an aggregation's payload offset is wrong");
	CHECK(p->segs >= 1 && p->seg_len, "an aggregation has no segments");
}

/* One flow, so everything comes in the order in which it was sent */
static void step_stream(struct frames_fuzz *f)
{
	struct stream s = { 0 };
	uint32_t at = 0, segs = 0;
	const struct drv_pkt *p;

	send_stream(f, &s);
	f->now += 1000000000;
	nic_run_timers(f->d->nic, f->now);
	settle(f);
	while ((p = drv_next_rx(f->d))) {
		struct ref r;

		ref_parse(p->data, p->len, RX_SEEN, &r);
		if (p->tpa)
			check_aggregated(p, &r);
		CHECK(r.l4 && at + p->len - r.split <= s.len &&
			      !memcmp(p->data + r.split, f->want + at, p->len - r.split),
		      "a stream's bytes are not those that were sent");
		at += p->len - r.split;
		segs += p->tpa ? p->segs : 1;
	}
	CHECK(at == s.len && segs == s.segs, "a part of a stream is missing");
	for (unsigned int i = 0; i < f->d->o.queues; i++)
		CHECK(!f->d->q[i].tpa_open, "an aggregation never ends");
}

static void (*const steps[])(struct frames_fuzz *f) = {
	step_raw,  step_made, step_made, step_partial,	 step_wild, step_gso,
	step_send, step_send, step_lso,	 step_placement, step_rule,
};

static void options(struct input *in, struct drv_opts *o)
{
	static const uint16_t mtu[] = { 1500, 9000, 4148, 576 };
	static const uint16_t rx_buf[] = { 320, 256, 1536, 9600 };
	static const uint16_t agg_buf[] = { 4096, 2048, 1500, 8192 };
	uint8_t a, b;

	*o = drv_defaults();
	in_config(in, &o->nic);
	a = in8(in);
	b = in8(in);
	/* RSS tables and V2 filters are checked for two queues and one VNIC */
	o->nic.queues = 2;
	o->nic.rfs = NIC_RFS_V2;
	o->queues = 1 + (a & 1);
	o->no_agg = a & 2;
	o->vlan_strip = a & 4;
	o->tables_depth0 = a & 8;
	o->mtu = mtu[a >> 4 & 3];
	o->rx_buf = rx_buf[a >> 6 & 3];
	o->agg_buf = agg_buf[b & 3];
	o->tx_area = 256u << 10;
	/* with aggregation streams are all that is tried: what becomes of single frames depends */
	if (o->nic.tpa && b & 4 && !o->no_agg) {
		o->tpa_flags = VNIC_TPA_TPA | (in16(in) & 0x1fc);
		o->tpa_max_segs = 1 + in8(in) % VNIC_TPA_MAX_SEGS;
		o->tpa_min_len = in16(in) % 1500;
		/* nor are there frames that are too short to be split and too long for a buffer */
		o->rx_buf = o->rx_buf < 320 ? 320 : o->rx_buf;
	}
}

/**
 * fuzz_frames - run one input
 * @in: input
 */
void fuzz_frames(struct input *in)
{
	static struct drv *d; /* kept for its memory, as the two buffers */
	static uint8_t frame[FRAME_BUF], want[FRAME_BUF];
	struct frames_fuzz f = { .in = in, .frame = frame, .want = want };
	struct drv_opts o;

	memset(frame, 0, sizeof(frame));
	options(in, &o);
	d = d ? drv_renew(d, &o) : drv_new_in(&o, fence_alloc(DRV_MEM_SIZE));
	fence_begin(nic_dma(d->nic), NULL, NULL);
	CHECK(!drv_open(d), "a sane driver cannot open the device");
	f.d = d;
	f.plc_flags = o.plc_flags;
	f.jumbo = o.jumbo_thresh;
	f.hds = o.hds_thresh;
	f.mru = o.mtu + 18;
	for (unsigned int i = 0; in->left && i < MAX_STEPS; i++) {
		fence_step();
		if (o.tpa_flags)
			step_stream(&f);
		else
			steps[in8(in) % ARRAY_SIZE(steps)](&f);
		check_core(d->nic);
		CHECK(!drv_next_rx(d), "a frame arrived that should not, or twice");
	}
	fence_step();
	CHECK(!drv_close(d), "the device cannot be closed");
	fence_end();
	CHECK(!d->broken, d->broken);
}
