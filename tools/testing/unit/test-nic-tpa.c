// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Aggregation (TPA) of bnxt-emu, driven without any kernel.
 *
 *	make -C tools/testing/unit -f test-nic-tpa.mk && build/gcc/test-nic-tpa
 *
 * NIC_TRACE=1 shows what the device says.
 */
#include "nic-frames.h"
#include "nic-test.h"

#define MSS		1448u
#define GRO		(VNIC_TPA_TPA | VNIC_TPA_RSC_WND_UPDATE | VNIC_TPA_GRO | VNIC_TPA_WITH_ECN)
#define LRO		(VNIC_TPA_TPA | VNIC_TPA_RSC_WND_UPDATE | VNIC_TPA_WITH_ECN)
#define TIMER_US	50u
#define ACK		0x10
#define PSH		0x08

static uint8_t frame[70000];

static struct drv_opts options(uint32_t flags)
{
	struct drv_opts o = drv_defaults();

	o.nic.tpa = true;
	o.nic.tpa_timer_us = TIMER_US;
	o.tpa_flags = flags;
	o.tpa_max_segs = 63;
	o.tpa_min_len = 512;
	o.hds_thresh = 0;
	o.mtu = 9000;
	return o;
}

/* A flow in the middle of its stream */
static struct flow stream(bool v6, uint16_t sport)
{
	struct flow f = v6 ? tcp6(sport, 2) : tcp4(sport, 2);

	f.tcp_flags = ACK;
	f.ts = true;
	f.tsval = 100;
	f.ack = 5;
	return f;
}

/* Sends the next @len bytes of a stream; its bytes are those of pattern() from 0 on */
static void send_next(struct drv *d, struct flow *f, size_t len)
{
	drv_wire(d, frame, frame_make(frame, f, f->seq - 1000, len));
	f->seq += len;
	f->ip_id++;
}

static void finish(struct drv *d)
{
	nic_flush(d->nic);
	drv_run(d);
}

/* Lets all aggregations run into their time limit */
static void time_out(struct drv *d)
{
	static uint64_t now;

	now += TIMER_US * 1000;
	nic_run_timers(d->nic, now);
	finish(d);
}

/* Whether a received packet is @segs segments of a stream, from byte @first on */
static const char *wrong(const struct drv_pkt *p, struct flow f, uint32_t first, uint32_t len,
			 uint32_t segs)
{
	size_t head = frame_headers(&f);

	if (!p)
		return "nothing came";
	if (p->tpa ? p->segs != segs : segs != 1)
		return "the number of segments is wrong";
	if (p->len != head + len)
		return "the length is wrong";
	f.merged = segs > 1;
	if (frame_wrong(p->data, p->len, &f))
		return frame_wrong(p->data, p->len, &f);
	if (be32(p->data + frame_l4(&f) + 4) != 1000 + first)
		return "the sequence number is wrong";
	if (!pattern_ok(p->data + head, len, first))
		return "the data is wrong";
	return NULL;
}

static void is_right(const struct drv_pkt *p, const struct flow *f, uint32_t first, uint32_t len,
		     uint32_t segs, const char *what)
{
	const char *why = wrong(p, *f, first, len, segs);

	tap_ok(!why, "%s", what);
	if (why)
		tap_diag("%s (%u segments, %u bytes)", why, p ? p->tpa ? p->segs : 1 : 0,
			 p ? p->len : 0);
}

/*
 * Completions, word by word
 */

static void entry_is(struct drv *d, unsigned int at, uint32_t w0, uint32_t w1, uint32_t w2,
		     uint32_t w3, const char *what)
{
	struct hsi_entry e;

	memcpy(&e, drv_entry(d, &d->q[0].rxcq, at), sizeof(e));
	if (!tap_ok(e.dw[0] == w0 && e.dw[1] == w1 && e.dw[2] == w2 && e.dw[3] == w3, "%s", what))
		tap_diag("is %08x %08x %08x %08x, not %08x %08x %08x %08x", e.dw[0], e.dw[1],
			 e.dw[2], e.dw[3], w0, w1, w2, w3);
}

static void test_golden(void)
{
	struct drv_opts o = options(GRO);
	struct flow f = stream(false, 1), g = stream(true, 9);
	struct drv *d = drv_opened(&o);
	struct hsi_entry e;
	struct drv_pkt *p;

	send_next(d, &f, MSS);
	send_next(d, &f, MSS);
	f.tcp_flags |= PSH;
	send_next(d, &f, MSS);
	memcpy(&e, drv_entry(d, &d->q[0].rxcq, 0), sizeof(e));
	/* TCP | RSS valid | offsets | HDS, 66 bytes of headers; buffer 0; id 0, valid; its hash */
	entry_is(d, 0, 66 << 16 | 0x2000 | 0x800 | 0x400 | 2 << 7 | 19, 0, 1, e.dw[3],
		 "IPv4: start");
	/* IP and L4 checksum fine; no tag; offsets: L3 at 14, L4 of 32 bytes (0) */
	entry_is(d, 1, 3, 0, 1, 14 << 18, "IPv4: second half of the start");
	entry_is(d, 2, 4096 << 16 | 22, 0, 1, 0, "IPv4: a buffer that is full");
	entry_is(d, 3, (3 * MSS - 4096) << 16 | 22, 1, 1, 0, "IPv4: the last buffer");
	/* 3 segments; there are timestamps; the end has the RX ring's second place */
	entry_is(d, 4, 0x2000 | 2 << 7 | 21, 1, 3 << 8 | 1, 0x80000000, "IPv4: end");
	/* 2 buffers, payload at 66; of 1448 bytes each; started in buffer 0 */
	entry_is(d, 5, 2 << 24 | 66 << 16, MSS, 1, 0, "IPv4: second half of the end");
	finish(d);
	p = drv_next_rx(d);
	is_right(p, &f, 0, 3 * MSS, 3, "IPv4: and the packet is whole");
	tap_eq(p ? p->data[34 + 13] : 0, ACK | PSH, "IPv4: with PSH, as its last segment");

	g.ts = false;
	g.tcp_opts = 0;
	send_next(d, &g, 600);
	g.tcp_flags |= PSH;
	send_next(d, &g, 600);
	memcpy(&e, drv_entry(d, &d->q[0].rxcq, 6), sizeof(e));
	entry_is(d, 6, 74 << 16 | 0x2000 | 0x800 | 0x400 | 2 << 7 | 19, 2, 1 << 16 | 1, e.dw[3],
		 "IPv6: start, of another id");
	entry_is(d, 7, 0x102, 0, 1, 20u << 27 | 14 << 18, "IPv6: second half of the start");
	entry_is(d, 8, 1200 << 16 | 22, 2, 1 << 16 | 1, 0, "IPv6: the buffer");
	entry_is(d, 9, 0x2000 | 2 << 7 | 21, 3, 1 << 16 | 2 << 8 | 1, 0,
		 "IPv6: end, without timestamps");
	entry_is(d, 10, 1 << 24 | 74 << 16, 600, 1, 2, "IPv6: second half of the end");
	finish(d);
	is_right(drv_next_rx(d), &g, 0, 1200, 2, "IPv6: and the packet is whole");
	drv_ended(d, "golden");
}

/*
 * What goes together and what does not
 */

enum change {
	NOTHING, IS_PSH, IS_FIN, IS_SYN, IS_URG, IS_RST, IS_CWR, IS_ECE, GAP, OLD, SHORTER, LONGER,
	NEW_ACK, OLD_ACK, NEW_WINDOW, NEW_TS, OLD_TS, NO_TS, NEW_TOS, NEW_TTL, NEW_ID, NEW_MAC,
	BAD_CSUM, BAD_IP_CSUM, NO_DATA, OPTIONS, IP_OPTIONS, FRAGMENT, OTHER_PORT,
};

struct change_case {
	const char *name;
	enum change change;
	/* segments of the first packet of the driver, packets in all; GRO, LRO */
	unsigned int gro_segs, gro_pkts, lro_segs, lro_pkts;
	uint32_t more_flags;
};

/* Three segments of a stream, the second and third after a change */
static const struct change_case changes[] = {
	{ "all alike", NOTHING, 3, 1, 3, 1, 0 },
	{ "PSH", IS_PSH, 2, 2, 2, 2, 0 },
	{ "FIN", IS_FIN, 1, 3, 1, 3, 0 },
	{ "SYN", IS_SYN, 1, 3, 1, 3, 0 },
	{ "URG", IS_URG, 1, 3, 1, 3, 0 },
	{ "RST", IS_RST, 1, 3, 1, 3, 0 },
	{ "CWR", IS_CWR, 1, 3, 1, 3, 0 },
	{ "ECE", IS_ECE, 1, 2, 1, 2, 0 },
	{ "a gap", GAP, 1, 2, 1, 2, 0 },
	{ "old data", OLD, 1, 2, 1, 2, 0 },
	{ "a shorter segment", SHORTER, 2, 2, 3, 1, 0 },
	{ "a longer segment", LONGER, 1, 2, 3, 1, 0 },
	{ "a newer acknowledgment", NEW_ACK, 1, 2, 3, 1, 0 },
	{ "an older acknowledgment", OLD_ACK, 1, 2, 1, 2, 0 },
	{ "another window", NEW_WINDOW, 1, 2, 3, 1, 0 },
	{ "newer timestamps", NEW_TS, 1, 2, 3, 1, 0 },
	{ "older timestamps", OLD_TS, 1, 2, 1, 2, 0 },
	{ "no timestamps", NO_TS, 1, 2, 1, 2, 0 },
	{ "another traffic class", NEW_TOS, 1, 2, 1, 2, 0 },
	{ "another TTL", NEW_TTL, 3, 1, 3, 1, 0 },
	{ "another TTL, which counts", NEW_TTL, 1, 2, 3, 1, VNIC_TPA_GRO_TTL },
	{ "another IP id", NEW_ID, 3, 1, 3, 1, 0 },
	{ "another MAC address", NEW_MAC, 1, 2, 1, 2, 0 },
	{ "a bad TCP checksum", BAD_CSUM, 1, 3, 1, 3, 0 },
	{ "no data", NO_DATA, 1, 3, 1, 3, 0 },
	{ "other TCP options", OPTIONS, 1, 3, 1, 3, 0 },
	{ "another port", OTHER_PORT, 1, 2, 1, 2, 0 },
};

/* The same, for what only IPv4 has */
static const struct change_case changes4[] = {
	{ "another IP id, which counts", NEW_ID, 1, 2, 3, 1, VNIC_TPA_GRO_IPID },
	{ "IP ids that count on", NOTHING, 3, 1, 3, 1, VNIC_TPA_GRO_IPID },
	{ "a bad IP checksum", BAD_IP_CSUM, 1, 3, 1, 3, 0 },
	{ "IP options", IP_OPTIONS, 1, 3, 1, 3, 0 },
	{ "a fragment", FRAGMENT, 1, 3, 1, 3, 0 },
};

static size_t apply(struct flow *f, enum change change)
{
	switch (change) {
	case NOTHING:
		break;
	case IS_PSH:
		f->tcp_flags |= PSH;
		break;
	case IS_FIN:
		f->tcp_flags |= 0x01;
		break;
	case IS_SYN:
		f->tcp_flags |= 0x02;
		break;
	case IS_RST:
		f->tcp_flags |= 0x04;
		break;
	case IS_URG:
		f->tcp_flags |= 0x20;
		break;
	case IS_ECE:
		f->tcp_flags |= 0x40;
		break;
	case IS_CWR:
		f->tcp_flags |= 0x80;
		break;
	case GAP:
		f->seq += MSS;
		break;
	case OLD:
		f->seq -= MSS;
		break;
	case SHORTER:
		return 1000;
	case LONGER:
		return MSS + 12;
	case NEW_ACK:
		f->ack += 100;
		break;
	case OLD_ACK:
		f->ack -= 100;
		break;
	case NEW_WINDOW:
		f->window = 600;
		break;
	case NEW_TS:
		f->tsval++;
		break;
	case OLD_TS:
		f->tsval--;
		break;
	case NO_TS:
		f->ts = false;
		f->tcp_opts = 0;
		break;
	case NEW_TOS:
		f->tos = 3;
		break;
	case NEW_TTL:
		f->ttl = 63;
		break;
	case NEW_ID:
		f->ip_id += 7;
		break;
	case NEW_MAC:	/* the destination's; all ones are taken, too */
		f->dmac = (const uint8_t *)"\xff\xff\xff\xff\xff\xff";
		break;
	case BAD_CSUM:
		f->bad_csum = true;
		break;
	case BAD_IP_CSUM:
		f->bad_ip_csum = true;
		break;
	case NO_DATA:
		return 0;
	case OPTIONS:
		f->tcp_opts = 24;
		break;
	case IP_OPTIONS:
		f->ip_opts = 4;
		break;
	case FRAGMENT:
		f->fragment = true;
		break;
	case OTHER_PORT:
		f->sport++;
		break;
	}
	return MSS;
}

static void check_change(const struct change_case *c, bool v6, bool gro)
{
	unsigned int segs = gro ? c->gro_segs : c->lro_segs, pkts = gro ? c->gro_pkts : c->lro_pkts;
	struct drv_opts o = options((gro ? GRO : LRO) | c->more_flags);
	struct flow f = stream(v6, 1);
	unsigned int got = 0, first = 0;
	struct drv *d = drv_opened(&o);
	struct drv_pkt *p;
	size_t len;

	drv_wire(d, frame, frame_make(frame, &f, 0, MSS));
	f.seq += MSS;
	f.ip_id++;
	len = apply(&f, c->change);
	send_next(d, &f, len);
	send_next(d, &f, len);
	time_out(d);
	for (; (p = drv_next_rx(d)); got++)
		if (!first && be32(p->data + 14 + (v6 ? 40 : 20) + 4) == 1000)
			first = p->tpa ? p->segs : 1;
	if (!tap_ok(first == segs && got == pkts && !d->broken,
		    "%s, %s: %s: the first packet has %u of 3 segments, %u packets",
		    gro ? "GRO" : "LRO", v6 ? "IPv6" : "IPv4", c->name, segs, pkts))
		tap_diag("it has %u, and there are %u packets; %s", first, got,
			 d->broken ? d->broken : "");
	drv_free(d);
}

static void test_changes(void)
{
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		for (int n = 0; n < 4; n++)
			check_change(&changes[i], n & 2, n & 1);
	for (size_t i = 0; i < sizeof(changes4) / sizeof(changes4[0]); i++)
		for (int n = 0; n < 2; n++)
			check_change(&changes4[i], false, n & 1);
}

/* With LRO the headers tell of the newest segment */
static void test_lro_headers(void)
{
	struct drv_opts o = options(LRO);
	struct flow f = stream(false, 1);
	struct drv *d = drv_opened(&o);
	struct drv_pkt *p;

	send_next(d, &f, MSS);
	f.ack = 500;
	f.window = 777;
	f.tsval += 9;
	send_next(d, &f, 1000);
	time_out(d);
	p = drv_next_rx(d);
	is_right(p, &f, 0, MSS + 1000, 2, "LRO: two segments of different lengths are one packet");
	tap_ok(p && be32(p->data + 34 + 8) == 500 && be16(p->data + 34 + 14) == 777 &&
		       be32(p->data + 34 + 24) == 109,
	       "LRO: with the newest acknowledgment, window and timestamp");
	tap_ok(p && p->ts_word == 9 && p->seg_len == MSS,
	       "LRO: the end tells the time between them, and the longest segment");
	drv_ended(d, "LRO");
}

static void test_ecn(void)
{
	struct drv_opts o = options(GRO & ~VNIC_TPA_WITH_ECN);
	struct flow f = stream(false, 1);
	struct drv *d = drv_opened(&o);

	f.tos = 2;
	send_next(d, &f, MSS);
	send_next(d, &f, MSS);
	finish(d);
	tap_ok(d->rx_head == 2 && !drv_next_rx(d)->tpa,
	       "packets that tell of ECN are left alone unless the driver allows it");
	drv_ended(d, "ECN");
}

/*
 * Limits
 */

static void test_limits(void)
{
	struct drv_opts o = options(GRO);
	struct flow f = stream(false, 1);
	unsigned int n;
	struct drv_pkt *p;
	struct drv *d;

	o.tpa_max_segs = 2;
	d = drv_opened(&o);
	for (n = 0; n < 9; n++)
		send_next(d, &f, 600);
	finish(d);
	tap_ok(d->rx_head == 1 && d->q[0].tpa_open == 1, "max_agg_segs 2 is 8 segments");
	is_right(drv_next_rx(d), &f, 0, 8 * 600, 8, "and these are one packet");
	drv_ended(d, "segments");

	d = drv_opened(&o);
	tap_eq(drv_tpa(d, GRO, 0, 256, 0), 2, "no segments at all are refused");
	tap_eq(drv_tpa(d, GRO, 64, 256, 0), 2, "so are more than 63 times 4");
	tap_eq(drv_tpa(d, GRO, 63, 0, 0), 2, "so are no aggregations");
	tap_eq(drv_tpa(d, GRO, 63, 257, 0), 2, "and more than VNIC_QCAPS tells");
	tap_eq(drv_tpa(d, GRO, 63, 3, 0), 0, "3 at a time are taken");
	for (n = 0; n < 5; n++) {
		f = stream(false, 100 + n);
		send_next(d, &f, 600);
	}
	finish(d);
	tap_ok(d->q[0].tpa_open == 3 && d->rx_head == 2, "then the fourth flow is not aggregated");
	time_out(d);
	tap_ok(!d->q[0].tpa_open && d->rx_head == 5, "and all come");
	drv_ended(d, "aggregations");

	/* 44 segments are 63712 bytes, a 45th would fit 65535 - 52, a 46th not */
	o = options(GRO);
	d = drv_opened(&o);
	f = stream(false, 1);
	for (n = 0; n < 46; n++)
		send_next(d, &f, MSS);
	finish(d);
	p = drv_next_rx(d);
	is_right(p, &f, 0, 45 * MSS, 45, "45 segments fill an IP packet");
	tap_ok(p && p->aggs == 16, "in 16 buffers");
	drv_ended(d, "length");

	o.tpa_min_len = 512;
	d = drv_opened(&o);
	f = stream(false, 1);
	send_next(d, &f, 511);
	finish(d);
	tap_ok(d->rx_head == 1 && !d->rx[0].tpa, "511 bytes do not start an aggregation");
	send_next(d, &f, 512);
	send_next(d, &f, 100);
	finish(d);
	tap_ok(d->rx_head == 2 && d->rx[1].tpa && d->rx[1].segs == 2, "512 do, and less may follow");
	drv_ended(d, "least length");
}

static void test_timer(void)
{
	struct vnic_tpa_cfg_req r = {
		.hdr.req_type = HWRM_VNIC_TPA_CFG, .flags = GRO, .enables = VNIC_TPA_EN_TIMER,
		.max_agg_timer = 7,
	};
	struct vnic_tpa_qcfg_req q = { .hdr.req_type = HWRM_VNIC_TPA_QCFG };
	struct vnic_tpa_qcfg_resp a = { 0 };
	struct drv_opts o = options(GRO);
	struct flow f = stream(false, 1), g = stream(false, 2);
	uint64_t next;
	struct drv *d;

	o.stat_period = 0;
	d = drv_opened(&o);
	nic_run_timers(d->nic, 1000000);
	send_next(d, &f, MSS);
	next = nic_run_timers(d->nic, 1000000);
	tap_eq(next, TIMER_US * 1000, "an aggregation may live for the set time");
	next = nic_run_timers(d->nic, 1030000);
	tap_eq(next, 20000, "counted from its start");
	send_next(d, &g, MSS);
	send_next(d, &f, MSS);
	next = nic_run_timers(d->nic, 1049999);
	finish(d);
	tap_ok(next == 1 && !d->rx_head, "up to the last nanosecond");
	next = nic_run_timers(d->nic, 1050000);
	finish(d);
	is_right(drv_next_rx(d), &f, 0, 2 * MSS, 2, "then it ends");
	tap_eq(next, 30000, "the one that is younger goes on");
	next = nic_run_timers(d->nic, 2000000);
	finish(d);
	is_right(drv_next_rx(d), &g, 0, MSS, 1, "and ends as the one packet that it is");
	tap_eq(next, UINT64_MAX, "then there is nothing to wait for");

	r.vnic_id = d->vnic;
	q.vnic_id = d->vnic;
	tap_eq(drv_hwrm(d, &r, sizeof(r), NULL, 0), 0, "a driver may name a time");
	tap_eq(drv_hwrm(d, &q, sizeof(q), &a, sizeof(a)), 0, "VNIC_TPA_QCFG is answered");
	tap_ok(a.flags == GRO && a.max_agg_timer == 7 && a.max_aggs == 256 && a.max_agg_segs == 63,
	       "with what is set");
	send_next(d, &f, MSS);
	tap_eq(nic_run_timers(d->nic, 2000000), 7000, "and that time counts");
	drv_ended(d, "timer");
}

/*
 * Want of buffers, of room, of memory
 */

static void test_want(void)
{
	struct drv_opts o = options(GRO);
	struct flow f = stream(false, 1), g = stream(false, 2);
	unsigned int segs = 0;
	struct drv_pkt *p;
	struct drv *d;

	/* 15 aggregation buffers: 61440 bytes, 42 segments and a part */
	o.agg_entries = 16;
	d = drv_opened(&o);
	d->q[0].hold = true;
	for (unsigned int n = 0; n < 45; n++)
		send_next(d, &f, MSS);
	finish(d);
	p = drv_next_rx(d);
	is_right(p, &f, 0, 42 * MSS, 42, "what there are buffers for is delivered");
	tap_ok(!drv_next_rx(d), "the rest is dropped");
	drv_ended(d, "buffers");

	/* 3 places in the RX ring: an aggregation takes 2, a packet 1, then there are none */
	o = options(GRO);
	o.rx_entries = 4;
	d = drv_opened(&o);
	d->q[0].hold = true;
	send_next(d, &f, MSS);
	send_next(d, &g, MSS);
	send_next(d, &g, MSS);
	send_next(d, &f, MSS);
	time_out(d);
	tap_ok(d->rx_head == 2 && !d->rx[0].tpa, "of 3 RX buffers an aggregation leaves one");
	tap_ok(d->rx[1].tpa && d->rx[1].segs == 2, "and needs no more to go on");
	drv_ended(d, "RX ring");

	/* a CQ of 32 that nobody reads: whatever started can end, nothing is overwritten */
	o = options(GRO);
	o.cq_entries = 32;
	d = drv_opened(&o);
	for (unsigned int n = 0; n < 20; n++) {
		struct flow h = stream(false, 10 + n);

		send_next(d, &h, MSS);
		send_next(d, &h, MSS);
	}
	time_out(d);
	while ((p = drv_next_rx(d)))
		segs += p->tpa ? p->segs : 1;
	tap_ok(segs >= 8 && segs < 20, "a full CQ takes no more than it can end: %u segments", segs);
	f = stream(false, 1);
	for (unsigned int n = 0; n < 5; n++)
		send_next(d, &f, MSS);
	time_out(d);
	is_right(drv_next_rx(d), &f, 0, 5 * MSS, 5, "and then goes on");
	drv_ended(d, "CQ");

	/* the memory of the headers' buffer is gone at the end */
	o = options(GRO);
	d = drv_opened(&o);
	f = stream(false, 1);
	send_next(d, &f, MSS);
	dma_map_clear(nic_dma(d->nic));
	nic_run_timers(d->nic, 0);
	nic_run_timers(d->nic, TIMER_US * 1000);
	nic_flush(d->nic);
	tap_ok(strstr(d->last_trace, "failed"), "an end without memory fails its ring, no more");
	drv_ended(d, "memory");
}

/*
 * Ends from outside
 */

static int vnic_update(struct drv *d, uint16_t mru)
{
	struct vnic_update_req r = {
		.hdr.req_type = HWRM_VNIC_UPDATE, .vnic_id = d->vnic,
		.enables = VNIC_UPDATE_EN_MRU, .mru = mru,
	};

	return drv_hwrm(d, &r, sizeof(r), NULL, 0);
}

static void test_stop(void)
{
	struct drv_opts o = options(GRO);
	struct flow f = stream(false, 1);
	struct drv *d = drv_opened(&o);
	uint32_t at;

	send_next(d, &f, MSS);
	send_next(d, &f, MSS);
	tap_eq(drv_tpa(d, 0, 0, 0, 0), 0, "aggregation is switched off");
	finish(d);
	is_right(drv_next_rx(d), &f, 0, 2 * MSS, 2, "what was under way ends");
	send_next(d, &f, MSS);
	finish(d);
	is_right(drv_next_rx(d), &f, 2 * MSS, MSS, 1, "and nothing new starts");
	tap_eq(drv_tpa(d, GRO, 63, 256, 0), 0, "and on");
	send_next(d, &f, MSS);
	tap_eq(vnic_update(d, 0), 0, "the VNIC is stopped");
	finish(d);
	is_right(drv_next_rx(d), &f, 3 * MSS, MSS, 1, "what was under way ends");
	vnic_update(d, 9018);
	send_next(d, &f, MSS);
	tap_eq(drv_placement(d, PLC_JUMBO, 256, 256), 0, "placement changes");
	finish(d);
	is_right(drv_next_rx(d), &f, 4 * MSS, MSS, 1, "what was under way ends");

	/* the ring goes while one is under way: not a word of it after that */
	send_next(d, &f, MSS);
	finish(d);
	at = d->q[0].rxcq.cons;
	drv_ring_free(d, &d->q[0].agg, HWRM_NO_CMPL_RING);
	drv_ring_free(d, &d->q[0].rx, HWRM_NO_CMPL_RING);
	time_out(d);
	drv_poll_rx(d, 0);
	tap_ok(d->q[0].rxcq.cons == at && d->q[0].tpa_open == 1,
	       "nothing is completed for a ring that was freed");
	tap_eq(drv_open_queue_rx(d, 0), 0, "the queue gets new rings");
	drv_post_agg(d, 0, o.agg_entries - 1);
	drv_post_rx(d, 0, o.rx_entries - 1);
	drv_rss(d, d->vnic, d->rss_ctx, NULL, 0);
	f = stream(false, 1);
	for (unsigned int n = 0; n < 5; n++)
		send_next(d, &f, MSS);
	time_out(d);
	is_right(drv_next_rx(d), &f, 0, 5 * MSS, 5, "and aggregates on them");
	drv_ended(d, "stop");
}

static void test_not_aggregated(void)
{
	struct drv_opts o = options(GRO);
	struct flow f = stream(false, 1);
	struct drv *d;

	o.nic.tpa = false;
	d = drv_opened(&o);
	send_next(d, &f, MSS);
	send_next(d, &f, MSS);
	finish(d);
	tap_ok(d->rx_head == 2 && !d->rx[0].tpa && !d->rx[1].tpa,
	       "a device that is told not to aggregate does not");
	drv_ended(d, "off");

	o = options(GRO);
	o.hash_type = 0;
	d = drv_opened(&o);
	f = stream(false, 1);
	send_next(d, &f, MSS);
	finish(d);
	tap_ok(d->rx_head == 1 && !d->rx[0].tpa,
	       "without RSS nothing is aggregated: drivers want its hash");
	drv_ended(d, "no RSS");

	o = options(GRO);
	o.no_agg = true;
	o.rx_buf = 1600;
	o.sop_pad = false;
	d = drv_opened(&o);
	f = stream(false, 1);
	send_next(d, &f, MSS);
	finish(d);
	tap_ok(d->rx_head == 1 && !d->rx[0].tpa, "nor without an aggregation ring");
	drv_ended(d, "no ring");
}

/*
 * Placement
 */

static void test_placement(void)
{
	struct drv_opts o = options(GRO);
	struct flow f = stream(false, 1);
	struct drv_pkt *p;
	struct drv *d;

	o.plc_flags = PLC_JUMBO;
	o.jumbo_thresh = 256;
	d = drv_opened(&o);
	for (unsigned int n = 0; n < 6; n++)
		send_next(d, &f, MSS);
	time_out(d);
	p = drv_next_rx(d);
	is_right(p, &f, 0, 6 * MSS, 6, "jumbo placement: the packet is whole");
	tap_ok(p && p->placement == RXCMP_PLACE_JUMBO && p->in_rx == 318 && p->aggs == 3 &&
		       p->agg_len[0] == 4096 && p->agg_len[1] == 4096,
	       "the first buffer is filled, then the others");
	drv_ended(d, "jumbo");

	o = options(GRO | VNIC_TPA_PACK_AS_GRO);
	d = drv_opened(&o);
	f = stream(false, 1);
	for (unsigned int n = 0; n < 5; n++)
		send_next(d, &f, MSS);
	time_out(d);
	p = drv_next_rx(d);
	is_right(p, &f, 0, 5 * MSS, 5, "packed as GRO: the packet is whole");
	tap_ok(p && p->placement == (RXCMP_PLACE_GRO | RXCMP_PLACE_HDS) && p->aggs == 3 &&
		       p->agg_len[0] == 2 * MSS && p->agg_len[1] == 2 * MSS && p->agg_len[2] == MSS,
	       "no payload spans two buffers");
	drv_ended(d, "packed as GRO");

	d = drv_opened(&o);
	f = stream(false, 1);
	for (unsigned int n = 0; n < 3; n++)
		send_next(d, &f, 5000);
	time_out(d);
	p = drv_next_rx(d);
	is_right(p, &f, 0, 15000, 3, "payloads larger than a buffer, packed as GRO");
	tap_ok(p && p->aggs == 6 && p->agg_len[1] == 904 && p->agg_len[3] == 904,
	       "each starts at a buffer's begin");
	drv_ended(d, "large, packed as GRO");

	o = options(GRO);
	o.agg_buf = 2048;
	o.agg_entries = 512;
	o.cq_entries = 2048;
	d = drv_opened(&o);
	f = stream(false, 1);
	for (unsigned int n = 0; n < 46; n++)
		send_next(d, &f, MSS);
	time_out(d);
	p = drv_next_rx(d);
	is_right(p, &f, 0, 45 * MSS, 45, "buffers of 2048 bytes");
	tap_eq(p ? p->aggs : 0, 32, "32 of them");
	drv_ended(d, "small buffers");
}

static void test_vlan(bool strip)
{
	struct drv_opts o = options(GRO);
	struct flow f = stream(false, 1), plain;
	uint32_t cut = strip ? 4 : 0;
	struct drv_pkt *p;
	struct drv *d;

	o.vlan_strip = strip;
	d = drv_opened(&o);
	f.vlan = 0x2064;
	send_next(d, &f, MSS);
	send_next(d, &f, MSS);
	plain = f;
	plain.vlan = strip ? 0 : f.vlan;
	f.vlan = 0x2065;
	send_next(d, &f, MSS);
	time_out(d);
	p = drv_next_rx(d);
	is_right(p, &plain, 0, 2 * MSS, 2,
		 strip ? "tag stripped: two segments are one packet" :
			 "tag kept: two segments are one packet");
	tap_eq(p ? p->meta : 1, strip ? 0x81002064 : 0, "the completion tells of the tag");
	tap_eq(p ? p->flags2 & RXEXT_META_VLAN : 1, strip ? RXEXT_META_VLAN : 0, "or not");
	tap_ok(p && p->payload_off == 70 - cut && (p->hdr_info >> 18 & 0x1ff) == 18 - cut,
	       "offsets fit the headers");
	p = drv_next_rx(d);
	tap_ok(p && p->tpa && p->segs == 1 && (!strip || p->meta == 0x81002065),
	       "another tag is another packet");
	drv_ended(d, "VLAN");
}

/* A large frame of the wire becomes what its segments one by one would have */
static void test_large_frames(bool v6)
{
	struct virtio_net_hdr_v1 hdr = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4,
		.gso_size = MSS,
	};
	struct drv_opts o = options(GRO);
	struct flow f = stream(v6, 1), g = f;
	struct drv_pkt *p, *one;
	struct drv *d = drv_opened(&o);
	size_t len;

	f.partial = true;
	f.tcp_flags |= PSH;
	len = frame_make(frame, &f, 0, 30 * MSS + 700);
	drv_wire_hdr(d, &hdr, frame, len);
	finish(d);
	p = drv_next_rx(d);
	is_right(p, &f, 0, 30 * MSS + 700, 31, "a large frame is one packet again");
	for (unsigned int n = 0; n < 30; n++)
		send_next(d, &g, MSS);
	g.tcp_flags |= PSH;
	send_next(d, &g, 700);
	finish(d);
	one = drv_next_rx(d);
	tap_ok(p && one && p->len == one->len && p->segs == one->segs &&
	       p->seg_len == one->seg_len && !memcmp(p->data, one->data, p->len),
	       "which is the same, byte for byte, that its segments become");

	/* one segment without its checksum: complete when it stays alone */
	f = stream(v6, 3);
	f.partial = true;
	hdr.gso_type = VIRTIO_NET_HDR_GSO_NONE;
	hdr.csum_start = frame_l4(&f);
	hdr.csum_offset = 16;
	drv_wire_hdr(d, &hdr, frame, frame_make(frame, &f, 0, MSS));
	time_out(d);
	is_right(drv_next_rx(d), &f, 0, MSS, 1, "a checksum that is left to do gets done");
	drv_ended(d, "large frames");
}

/*
 * Statistics
 */

static void test_stats(void)
{
	struct drv_opts o = options(GRO);
	struct flow f = stream(false, 1), u = stream(false, 5);
	struct ctx_stats s;
	struct drv *d = drv_opened(&o);

	for (unsigned int n = 0; n < 10; n++)
		send_next(d, &f, MSS);
	f.tcp_flags = ACK | PSH;
	send_next(d, &f, 100);
	send_next(d, &u, 100);		/* could be, but is too small */
	u.tcp_flags = ACK | 1;
	send_next(d, &u, 100);		/* cannot be */
	time_out(d);
	nic_run_timers(d->nic, 2000000000);
	memcpy(&s, drv_ptr(d, d->q[0].stats), sizeof(s));
	tap_ok(s.rx_pkts[0] == 13 && s.rx_bytes[0] == 10 * (MSS + 66) + 3 * 166,
	       "packets of the wire are counted, aggregated or not");
	tap_ok(s.rx_tpa_eligible_pkts == 12 && s.rx_tpa_eligible_bytes == 10 * (MSS + 66) + 2 * 166,
	       "so are those that could be aggregated");
	tap_ok(s.rx_tpa_pkts == 11 && s.rx_tpa_bytes == 10 * (MSS + 66) + 166,
	       "and those that were");
	tap_ok(s.rx_tpa_events == 1 && !s.rx_tpa_errors, "and what became of them");
	drv_ended(d, "statistics");
}

/*
 * Rings that wrap, orders of everything
 */

static void test_wrap(void)
{
	struct drv_opts o = options(GRO);
	unsigned int rounds = 3000, bad = 0, got = 0;
	struct drv *d;

	o.rx_entries = 64;
	o.agg_entries = 128;
	o.cq_entries = 256;
	o.nq_entries = 16;
	d = drv_opened(&o);
	for (unsigned int i = 0; i < rounds; i++) {
		struct flow f = stream(i & 1, 1 + i % 5);
		unsigned int segs = 1 + i % 7;
		struct drv_pkt *p;

		for (unsigned int n = 0; n < segs; n++) {
			f.tcp_flags = ACK | (n + 1 == segs && segs > 1 ? PSH : 0);
			send_next(d, &f, MSS);
		}
		if (segs == 1)
			time_out(d);
		finish(d);
		p = drv_next_rx(d);
		bad += !!wrong(p, f, 0, segs * MSS, segs);
		got += !!p;
	}
	tap_eq(got, rounds, "%u aggregations of 1 to 7 segments arrive", rounds);
	tap_eq(bad, 0, "each as it was sent");
	tap_ok(d->q[0].rxcq.cons > 2 * d->q[0].rxcq.entries && !drv_next_rx(d),
	       "while all rings wrapped more than twice, and nothing came twice");
	tap_eq(drv_close(d), 0, "all can be freed");
	drv_ended(d, "wrap");
}

/* What the device does: a start, more, an end by PSH, or by time */
static void wire_step(struct drv *d, struct flow *f, unsigned int step)
{
	switch (step) {
	case 0:
	case 1:
		send_next(d, f, MSS);
		break;
	case 2:
		f->tcp_flags |= PSH;
		send_next(d, f, MSS);
		f->tcp_flags = ACK;
		break;
	case 3:
		send_next(d, f, MSS);
		break;
	default:
		nic_run_timers(d->nic, TIMER_US * 1000);
		break;
	}
}

/*
 * Every way to put the device's five steps between the poll's four, with and
 * without a flush after each: whatever came is seen without another frame.
 */
static void test_arm_races(void)
{
	unsigned int orders = 0, lost = 0, wrong_data = 0;
	const char *broken = NULL;

	/* a step of the device after poll step gap[i], rising */
	for (unsigned int code = 0; code < 5 * 5 * 5 * 5 * 5 * 2; code++) {
		struct drv_opts o = options(GRO);
		struct flow f = stream(false, 1);
		unsigned int gap[5], next = 0;
		bool rising = true;
		struct drv *d;

		for (unsigned int i = 0, c = code / 2; i < 5; i++, c /= 5) {
			gap[i] = c % 5;
			rising &= !i || gap[i] >= gap[i - 1];
		}
		if (!rising)
			continue;
		o.rx_entries = o.agg_entries = 32;
		o.cq_entries = 64;
		o.nq_entries = 16;
		o.stat_period = 0;
		d = drv_opened(&o);
		nic_run_timers(d->nic, 0);
		for (unsigned int step = 0; step <= 4; step++) {
			for (; next < 5 && gap[next] == step; next++) {
				wire_step(d, &f, next);
				if (code & 1)
					nic_flush(d->nic);
			}
			if (step < 4)
				drv_napi_step(d, step);
		}
		nic_flush(d->nic);
		drv_run(d);
		orders++;
		lost += d->rx_head != 2;
		wrong_data += d->rx_head == 2 && (wrong(&d->rx[0], f, 0, 3 * MSS, 3) ||
						  wrong(&d->rx[1], f, 3 * MSS, MSS, 1));
		broken = broken ? broken : d->broken;
		drv_free(d);
	}
	tap_eq(lost, 0, "%u orders of segments, time, poll and arm: no wake-up is lost", orders);
	tap_eq(wrong_data, 0, "and all data is right");
	tap_ok(!broken, "and no rule is broken%s%s", broken ? ": " : "", broken ? broken : "");
}

/*
 * Many flows at random: whatever is merged, each flow's bytes come in order and
 * complete, and every packet could be cut into what was sent
 */

#define FLOWS	24

struct rng {
	uint64_t state;
};

static uint32_t next_random(struct rng *r, uint32_t below)
{
	r->state = r->state * 6364136223846793005ull + 1442695040888963407ull;
	return (r->state >> 33) % below;
}

static void random_frame(struct drv *d, struct rng *r, struct flow *f, uint32_t *sent)
{
	size_t len = next_random(r, 4) ? MSS : 1 + next_random(r, MSS);

	f->tcp_flags = ACK | (next_random(r, 12) ? 0 : PSH);
	if (!next_random(r, 8))
		f->ack += 10;
	if (!next_random(r, 8))
		f->tsval++;
	if (!next_random(r, 20))
		f->tos ^= 3;
	if (next_random(r, 6)) {
		send_next(d, f, len);
		*sent += 1;
		return;
	}
	{
		struct virtio_net_hdr_v1 hdr = {
			.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
			.gso_type = f->version == 6 ? VIRTIO_NET_HDR_GSO_TCPV6 :
						      VIRTIO_NET_HDR_GSO_TCPV4,
			.gso_size = MSS,
		};
		size_t all = 1 + next_random(r, 20000);

		f->partial = true;
		drv_wire_hdr(d, &hdr, frame, frame_make(frame, f, f->seq - 1000, all));
		f->partial = false;
		f->seq += all;
		*sent += (all + MSS - 1) / MSS;
	}
}

/* Returns what is wrong with a packet, NULL for nothing */
static const char *random_packet(const struct drv_pkt *p, struct flow *flows, uint32_t *pos,
				 uint32_t *segs, bool gro)
{
	bool v6 = p->data[12] == 0x86;
	struct flow f = flows[be16(p->data + 14 + (v6 ? 40 : 20)) - 100];
	uint32_t n = p->tpa ? p->segs : 1, *at = &pos[f.sport - 100], len;
	size_t head = frame_headers(&f);
	const char *why;

	f.merged = n > 1;
	len = p->len - head;
	why = frame_wrong(p->data, p->len, &f);
	if (why)
		return why;
	if (be32(p->data + frame_l4(&f) + 4) != 1000 + *at)
		return "data is missing or out of order";
	if (!pattern_ok(p->data + head, len, *at))
		return "the data is wrong";
	if (gro && n > 1 && (len + p->seg_len - 1) / p->seg_len != n)
		return "it cannot be cut into what was sent";
	*at += len;
	*segs += n;
	return NULL;
}

static void test_random(bool gro, uint64_t seed)
{
	struct drv_opts o = options(gro ? GRO : LRO);
	struct flow flows[FLOWS];
	uint32_t pos[FLOWS] = { 0 }, sent = 0, segs = 0, merged = 0;
	struct rng r = { .state = seed };
	const char *why = NULL;
	uint64_t now = 0;
	struct drv_pkt *p;
	struct drv *d;

	o.rx_entries = 256;
	o.agg_entries = 512;
	o.cq_entries = 2048;
	d = drv_opened(&o);
	for (unsigned int i = 0; i < FLOWS; i++)
		flows[i] = stream(i & 1, 100 + i);
	for (unsigned int i = 0; i < 6000 && !why; i++) {
		random_frame(d, &r, &flows[next_random(&r, FLOWS)], &sent);
		now += next_random(&r, 20000);
		if (!next_random(&r, 3))
			nic_run_timers(d->nic, now);
		finish(d);
		while ((p = drv_next_rx(d)) && !why) {
			why = random_packet(p, flows, pos, &segs, gro);
			merged += p->tpa && p->segs > 1;
		}
	}
	nic_run_timers(d->nic, now + 1000000);
	finish(d);
	while ((p = drv_next_rx(d)) && !why)
		why = random_packet(p, flows, pos, &segs, gro);
	for (unsigned int i = 0; i < FLOWS && !why; i++)
		if (pos[i] != flows[i].seq - 1000)
			why = "a stream's end is missing";
	tap_ok(!why, "%s, %u flows at random: every stream is complete and in order%s%s",
	       gro ? "GRO" : "LRO", FLOWS, why ? ": " : "", why ? why : "");
	tap_ok(segs == sent && merged > 100,
	       "all segments are accounted for (%u), %u packets are of several", segs, merged);
	tap_ok(d->q[0].tpa_most > 4 && !d->q[0].tpa_open, "up to %u were under way at a time",
	       d->q[0].tpa_most);
	drv_ended(d, "random");
}

int main(void)
{
	test_golden();
	test_changes();
	test_lro_headers();
	test_ecn();
	test_limits();
	test_timer();
	test_want();
	test_stop();
	test_not_aggregated();
	test_placement();
	test_vlan(true);
	test_vlan(false);
	test_large_frames(false);
	test_large_frames(true);
	test_stats();
	test_wrap();
	test_arm_races();
	for (uint64_t seed = 1; seed <= 3; seed++) {
		test_random(true, seed);
		test_random(false, seed);
	}
	return tap_done();
}
