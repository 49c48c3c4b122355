// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The device core of bnxt-emu, driven without any kernel.
 *
 *	make -C tools/testing/unit -f test-nic.mk && build/gcc/test-nic
 *
 * NIC_TRACE=1 shows what the device says.
 */
#include <time.h>

#include "nic-frames.h"
#include "nic-test.h"

#define MAX_FRAME	70000

static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

/* Delivers a frame and returns what the driver got, NULL for nothing */
static struct drv_pkt *receive(struct drv *d, const struct flow *f, uint32_t first, size_t payload)
{
	static uint8_t frame[MAX_FRAME];

	drv_wire(d, frame, frame_make(frame, f, first, payload));
	nic_flush(d->nic);
	drv_run(d);
	return drv_next_rx(d);
}

/*
 * Firmware
 */

static void test_probe(void)
{
	static const struct {
		uint16_t op;
		const char *name;
		int want;
	} probe[] = {
		{ 0xfff6, "NVM_GET_DEV_INFO", 0 },
		{ HWRM_FUNC_RESET, "FUNC_RESET", 0 },
		{ HWRM_FW_SET_TIME, "FW_SET_TIME", 0 },
		{ HWRM_FUNC_QCAPS, "FUNC_QCAPS", 0 },
		{ HWRM_QUEUE_QPORTCFG, "QUEUE_QPORTCFG", 0 },
		{ 0x192, "FUNC_BACKING_STORE_QCAPS", 0xffff },
		{ HWRM_FUNC_RESOURCE_QCAPS, "FUNC_RESOURCE_QCAPS", 0 },
		{ HWRM_CFA_ADV_FLOW_QCAPS, "CFA_ADV_FLOW_MGNT_QCAPS", 0 },
		{ HWRM_FUNC_DRV_RGTR, "FUNC_DRV_RGTR", 0 },
		{ HWRM_FUNC_QCFG, "FUNC_QCFG", 0 },
		{ HWRM_VNIC_QCAPS, "VNIC_QCAPS", 0 },
		{ 0x2f, "PORT_LED_QCAPS", 0 },
		{ HWRM_SELFTEST_QLIST, "SELFTEST_QLIST", 0 },
		{ HWRM_PORT_PHY_QCAPS, "PORT_PHY_QCAPS", 0 },
		{ HWRM_PORT_PHY_QCFG, "PORT_PHY_QCFG", 0 },
		{ 0x54, "RING_AGGINT_QCAPS", 0xffff },	/* coalescing is off */
		{ 0xdf, "PORT_MAC_QCAPS", 0xffff },
		{ 0x261, "QUEUE_PFCWD_TIMEOUT_QCAPS", 0xffff },
	};
	struct drv_opts o = drv_defaults();
	struct drv *d = drv_new(&o);
	struct ver_get_resp v = { 0 };
	struct func_qcaps_resp caps = { 0 };
	struct port_phy_qcfg_resp phy = { 0 };
	struct adv_flow_qcaps_resp adv = { 0 };

	tap_eq(drv_hwrm_window(d, HWRM_VER_GET, &v, sizeof(v)), 0,
	       "VER_GET is answered through the mailbox itself");
	tap_eq(v.chip_num, 0x1751, "the chip is a BCM57504");
	tap_ok(v.chip_rev && v.max_resp_len >= 280 && v.max_req_win_len == 128 &&
		       v.active_pkg_name[0],
	       "VER_GET has what the driver relies on");
	tap_eq(v.dev_caps_cfg & 0xc, 0xc, "short commands are required");
	for (size_t i = 0; i < sizeof(probe) / sizeof(probe[0]); i++)
		tap_eq(drv_hwrm_simple(d, probe[i].op, NULL, 0), probe[i].want, "%s",
		       probe[i].name);
	drv_hwrm_simple(d, HWRM_FUNC_QCAPS, &caps, sizeof(caps));
	tap_ok(!memcmp(caps.mac_address, o.nic.mac, 6) && !caps.flags &&
		       caps.max_rx_rings == 2 * DRV_QUEUES,
	       "FUNC_QCAPS tells MAC, no surprises, and two RX rings a queue");
	drv_hwrm_simple(d, HWRM_PORT_PHY_QCFG, &phy, sizeof(phy));
	tap_ok(phy.link == 2 && phy.link_speed == 1000, "the link is up at 100 Gbit/s");
	drv_hwrm_simple(d, HWRM_CFA_ADV_FLOW_QCAPS, &adv, sizeof(adv));
	tap_eq(adv.flags & 0x202000, 0x2000, "V2 steering only is announced unless asked for");
	tap_eq(nic_mmio_read(d->nic, NIC_BAR_GRC, 0x520, 4), 0x8000,
	       "the firmware status is healthy");
	tap_eq(nic_mmio_read(d->nic, NIC_BAR_GRC, 0x522, 2), 0, "half of a register can be read");
	tap_ok(nic_mmio_read(d->nic, NIC_BAR_GRC, NIC_BAR_GRC_SIZE - 4, 8) == ~0ull &&
	       nic_mmio_read(d->nic, 7, 0, 4) == ~0ull, "reads out of range give all ones");
	drv_ended(d, "probe");
}

static void test_reservation(void)
{
	struct func_cfg_req q = {
		.hdr.req_type = HWRM_FUNC_CFG,
		.fid = 0xffff,
		.enables = FUNC_CFG_EN_CMPL | FUNC_CFG_EN_TX | FUNC_CFG_EN_RX | FUNC_CFG_EN_STAT |
			   FUNC_CFG_EN_MSIX | FUNC_CFG_EN_VNICS | FUNC_CFG_EN_RSSCOS,
		.num_cmpl_rings = 6,
		.num_tx_rings = 3,
		.num_rx_rings = 6,
		.num_stat_ctxs = 3,
		.num_msix = 3,
		.num_vnics = 2,
		.num_rsscos_ctxs = 2,
	};
	struct drv_opts o = drv_defaults();
	struct drv *d = drv_new(&o);
	struct func_qcfg_resp r = { 0 };

	tap_eq(drv_hwrm(d, &q, sizeof(q), NULL, 0), 0, "FUNC_CFG reserves");
	drv_hwrm_simple(d, HWRM_FUNC_QCFG, &r, sizeof(r));
	tap_ok(r.alloc_cmpl_rings == 6 && r.alloc_tx_rings == 3 && r.alloc_rx_rings == 6 &&
		       r.alloc_stat_ctx == 3 && r.alloc_msix == 3 && r.alloc_vnics == 2 &&
		       r.alloc_rsscos_ctx == 2,
	       "FUNC_QCFG echoes it");
	tap_eq(r.max_mtu_configured, 9500, "FUNC_QCFG tells the largest MTU");
	q.flags = 0x6000;
	q.num_tx_rings = 4;
	tap_eq(drv_hwrm(d, &q, sizeof(q), NULL, 0), 0, "a test of assets says what would fit");
	drv_hwrm_simple(d, HWRM_FUNC_QCFG, &r, sizeof(r));
	tap_eq(r.alloc_tx_rings, 3, "a test of assets reserves nothing");
	q.num_tx_rings = 200;
	tap_eq(drv_hwrm(d, &q, sizeof(q), NULL, 0), 4,
	       "a test of assets refuses what would not fit");
	q.flags = 0;
	tap_eq(drv_hwrm(d, &q, sizeof(q), NULL, 0), 4, "so does a reservation");
	tap_eq(drv_hwrm(d, &q, 20, NULL, 0), 2, "a request that is too short is refused");
	drv_hwrm_simple(d, HWRM_FUNC_RESET, NULL, 0);
	drv_hwrm_simple(d, HWRM_FUNC_QCFG, &r, sizeof(r));
	tap_eq(r.alloc_tx_rings, 0, "FUNC_RESET gives all back");
	drv_ended(d, "reservation");
}

/*
 * Rings
 */

static void wrap_rings(bool depth0, uint32_t entries)
{
	static uint8_t frame[2000];
	struct drv_opts o = drv_defaults();
	struct flow f = tcp4(1, 2);
	unsigned int good = 0, sent = 0, rounds = 6 * entries;
	struct drv *d;

	o.tables_depth0 = depth0;
	o.tx_entries = o.rx_entries = o.agg_entries = entries;
	o.cq_entries = entries * 4;
	o.nq_entries = 16;
	d = drv_opened(&o);
	for (unsigned int i = 0; i < rounds; i++) {
		size_t payload = i % 3 ? 1000 + i % 400 : i % 90;
		size_t len = frame_make(frame, &f, i, payload);
		struct drv_tx t = {
			.data = frame, .len = len, .piece = 500, .first = i % 2 ? 60 : 0
		};
		struct drv_frame *out;
		struct drv_pkt *p;

		drv_send(d, 0, &t);
		p = receive(d, &f, i, payload);
		good += p && p->len == len && !frame_wrong(p->data, p->len, &f);
		out = drv_next_tx(d);
		sent += out && out->len == (len < 60 ? 60 : len) && !memcmp(out->data, frame, len);
	}
	tap_eq(good, rounds, "%u frames received, rings of %u entries, page table depth %d", rounds,
	       entries, !depth0);
	tap_eq(sent, rounds, "%u frames sent", rounds);
	tap_ok(d->q[0].tx_done == rounds && !drv_next_rx(d) && !drv_next_tx(d),
	       "all completed, nothing twice");
	tap_ok(d->q[0].rxcq.cons > 2 * d->q[0].rxcq.entries &&
		       d->q[0].nq.cons > 2 * d->q[0].nq.entries,
	       "CQ and NQ wrapped more than twice");
	tap_eq(drv_close(d), 0, "all can be freed");
	drv_ended(d, "wrap");
}

/*
 * Two frames at every two places of a poll, with the device's bursts ending at
 * every place or only at the end: none may be left lying, and none may cost
 * more than one interrupt.
 */
static void test_arm_races(void)
{
	struct drv_opts o = drv_defaults();
	struct flow f = tcp4(3, 4);
	unsigned int orders = 0, lost = 0, noisy = 0;
	uint8_t frame[200];
	size_t len = frame_make(frame, &f, 0, 40);

	for (unsigned int a = 0; a <= 4; a++)
		for (unsigned int b = a; b <= 4; b++)
			for (unsigned int flushes = 0; flushes < 32; flushes++) {
				struct drv *d = drv_opened(&o);
				unsigned int got = 0;

				/* a first frame starts a poll */
				drv_wire(d, frame, len);
				nic_flush(d->nic);
				d->handled[0] = d->msix[0];
				for (unsigned int step = 0; step <= 4; step++) {
					if (step == a)
						drv_wire(d, frame, len);
					if (step == b)
						drv_wire(d, frame, len);
					if (flushes & 1u << step)
						nic_flush(d->nic);
					drv_napi_step(d, step);
				}
				nic_flush(d->nic);
				drv_run(d);
				while (drv_next_rx(d))
					got++;
				orders++;
				lost += got != 3;
				noisy += d->msix[0] > 3;
				if (d->broken)
					tap_diag("%s", d->broken);
				drv_free(d);
			}
	tap_eq(lost, 0, "%u orders of frame, poll and arm: no wake-up is lost", orders);
	tap_eq(noisy, 0, "%u orders: never more interrupts than frames", orders);
}

static void test_arm_rules(void)
{
	struct drv_opts o = drv_defaults();
	struct drv *d = drv_opened(&o);
	struct drv_queue *q = &d->q[0];
	struct flow f = tcp4(3, 4);
	uint8_t frame[200];
	size_t len = frame_make(frame, &f, 0, 40);

	for (unsigned int i = 0; i < 5; i++)
		drv_wire(d, frame, len);
	tap_eq(d->msix[0], 0, "no interrupt before the end of a burst");
	nic_flush(d->nic);
	tap_eq(d->msix[0], 1, "one interrupt for a burst");
	tap_eq(drv_read_nq(d, 0), 1, "one NQ entry for a burst");
	drv_wire(d, frame, len);
	nic_flush(d->nic);
	tap_eq(d->msix[0], 1, "no interrupt while nothing is armed");
	tap_eq(drv_read_nq(d, 0), 0, "a disarmed CQ posts nothing");
	drv_send(d, 0, &(struct drv_tx){ .data = frame, .len = len });
	nic_flush(d->nic);
	tap_eq(drv_read_nq(d, 0), 1, "another CQ posts to the same NQ");
	tap_eq(d->msix[0], 1, "which is not armed and raises nothing");
	drv_doorbell(d, DB_CQ, q->rxcq.id, 0);
	drv_arm_nq(d, &q->nq);
	nic_flush(d->nic);
	tap_eq(d->msix[0], 1, "the doorbell without arm arms nothing");
	drv_doorbell(d, DB_CQ_ARMALL, q->rxcq.id, 10);
	nic_flush(d->nic);
	tap_eq(d->msix[0], 2, "an arm with an entry left notifies at once");
	tap_eq(drv_read_nq(d, 0), 1, "with one NQ entry");
	tap_eq(drv_poll_rx(d, 0), 6, "all frames are there");
	drv_arm_cq(d, &q->rxcq);
	drv_arm_nq(d, &q->nq);
	nic_flush(d->nic);
	tap_eq(d->msix[0], 2, "an arm with nothing left notifies nobody");
	drv_doorbell(d, DB_NQ_MASK, q->nq.id, 0);
	drv_wire(d, frame, len);
	nic_flush(d->nic);
	tap_eq(d->msix[0], 2, "a masked NQ stays silent");
	drv_arm_nq(d, &q->nq);
	nic_flush(d->nic);
	tap_eq(d->msix[0], 3, "and speaks when it is armed");
	/* a doorbell in two halves, as 32-bit hosts write it */
	drv_read_nq(d, 0);
	drv_poll_rx(d, 0);
	nic_mmio_write(d->nic, NIC_BAR_DB, DB_PF, 4, q->rxcq.cons);
	nic_mmio_write(d->nic, NIC_BAR_DB, DB_PF + 4, 4, 6u << 28 | 1u << 24 | q->rxcq.id);
	drv_arm_nq(d, &q->nq);
	drv_wire(d, frame, len);
	nic_flush(d->nic);
	tap_eq(d->msix[0], 4, "a doorbell in two halves works");
	drv_ended(d, "arm");
}

/* What a driver gave back is the device's, and may be promised to an aggregation */
static void test_cq_index(void)
{
	struct drv_opts o = drv_defaults();
	struct flow f = tcp4(3, 4);
	struct drv_queue *q;
	struct drv *d;

	o.cq_entries = 32;
	d = drv_opened(&o);
	q = &d->q[0];
	for (unsigned int i = 0; i < 10; i++)
		receive(d, &f, 0, 40);
	drv_doorbell(d, DB_CQ_ARMALL, q->rxcq.id, (q->rxcq.cons - 29) & 31);
	tap_ok(receive(d, &f, 0, 40), "a CQ's index that goes back is not taken");
	drv_doorbell(d, DB_CQ_ARMALL, q->rxcq.id, (q->rxcq.cons + 1) & 31);
	tap_ok(receive(d, &f, 0, 40), "nor is one ahead of the device");
	drv_ended(d, "CQ index");
}

static void test_hwrm_done(void)
{
	for (unsigned int mode = 0; mode < 4; mode++) {
		bool armed = mode & 1, own_cq = mode & 2;
		struct drv_opts o = drv_defaults();
		struct drv *d = drv_opened(&o);
		struct drv_queue *q = &d->q[0];
		struct drv_ring *r = own_cq ? &q->tx : &q->rx;
		uint16_t cq = own_cq ? q->txcq.id : q->rxcq.id;
		unsigned int irqs;

		if (!armed) {
			/* a frame uses up the arms of CQ and NQ */
			uint8_t frame[200];
			struct flow f = tcp4(5, 6);
			struct drv_tx t = { .data = frame, .len = frame_make(frame, &f, 0, 20) };

			drv_wire(d, frame, t.len);
			drv_send(d, 0, &t);
			nic_flush(d->nic);
			d->handled[0] = d->msix[0];
		}
		irqs = d->msix[0];
		tap_eq(drv_ring_free(d, r, cq), 0, "RING_FREE by completion, %s, CQ %sarmed",
		       own_cq ? "TX" : "RX", armed ? "" : "not ");
		nic_flush(d->nic);
		tap_eq(d->msix[0], irqs + armed, "%s",
		       armed ? "an interrupt follows" : "no interrupt yet");
		if (!armed)
			drv_napi(d, 0);
		nic_flush(d->nic);
		drv_run(d);
		tap_ok(q->hwrm_done == 1 && q->hwrm_seq == d->seq,
		       "HWRM_DONE with its sequence number arrives");
		drv_ended(d, "HWRM_DONE");
	}
}

/* A CQ full of packets must not swallow HWRM_DONE */
static void test_cq_full(void)
{
	struct drv_opts o = drv_defaults();
	struct flow f = tcp4(7, 8);
	uint8_t frame[200];
	size_t len = frame_make(frame, &f, 0, 30);
	struct ctx_stats s;
	struct drv *d;

	o.cq_entries = 64;
	d = drv_opened(&o);
	for (unsigned int i = 0; i < 100; i++)
		drv_wire(d, frame, len);
	drv_ring_free(d, &d->q[0].rx, d->q[0].rxcq.id);
	nic_flush(d->nic);
	drv_run(d);
	tap_eq(d->rx_head, 31, "a CQ of 64 entries takes 31 packets");
	tap_eq(d->q[0].hwrm_done, 1, "and HWRM_DONE after them");
	nic_run_timers(d->nic, 2000000000ull);
	memcpy(&s, drv_ptr(d, d->q[0].stats), sizeof(s));
	tap_ok(s.rx_pkts[0] == 31 && s.rx_discard == 69, "the rest is counted as discarded");
	drv_ended(d, "full CQ");
}

static void test_tx_cq_full(void)
{
	struct drv_opts o = drv_defaults();
	struct flow f = tcp4(7, 8);
	uint8_t frame[200];
	struct drv_tx t = { .data = frame, .len = frame_make(frame, &f, 0, 30) };
	struct drv *d;

	o.cq_entries = 32;
	o.tx_entries = 256;
	d = drv_opened(&o);
	for (unsigned int i = 0; i < 100; i++)
		drv_send(d, 0, &t);
	nic_flush(d->nic);
	tap_eq(d->wire_frames, 30, "transmission stops when the CQ is full");
	drv_run(d);
	tap_eq(d->wire_frames, 100, "and goes on when it is read");
	tap_eq(d->q[0].tx_done, 100, "all complete in order");
	t.no_cmpl = true;
	drv_send(d, 0, &t);
	nic_flush(d->nic);
	drv_run(d);
	tap_ok(d->wire_frames == 101 && d->q[0].tx_done == 100,
	       "a packet that wants no completion gets none");
	drv_ended(d, "full TX CQ");
}

/*
 * Placement
 */

struct split_case {
	const char *name;
	struct flow f;
	size_t payload;
	uint32_t in_rx;		/* expected, 0: all */
};

static void check_split(struct drv *d, const struct split_case *c)
{
	struct drv_pkt *p = receive(d, &c->f, 5, c->payload);
	size_t len = frame_headers(&c->f) + c->payload;
	uint32_t in_rx = c->in_rx ? c->in_rx : len;

	if (!tap_ok(p, "%s arrives", c->name))
		return;
	tap_ok(p->len == len && p->in_rx == in_rx &&
		       pattern_ok(p->data + frame_headers(&c->f), c->payload, 5),
	       "%s: %u bytes in the RX buffer, %zu behind", c->name, in_rx, len - in_rx);
	if (p->in_rx != in_rx)
		tap_diag("got %u of %u", p->in_rx, p->len);
	tap_eq(p->placement, c->in_rx ? RXCMP_PLACE_HDS : RXCMP_PLACE_NORMAL, "%s: placement",
	       c->name);
	tap_eq(p->aggs, (len - in_rx + 4095) / 4096, "%s: aggregation buffers", c->name);
}

static void test_split(void)
{
	struct split_case cases[] = {
		{ "frame below the threshold (255)", tcp4(1, 2), 255 - 66, 0 },
		{ "frame at the threshold (256)", tcp4(1, 2), 256 - 66, 0 },
		{ "frame above the threshold (257)", tcp4(1, 2), 257 - 66, 66 },
		{ "TCP with IP options", tcp4(1, 2), 1000, 14 + 60 + 32 },
		{ "TCP over IPv6", tcp6(1, 2), 1000, 14 + 40 + 32 },
		{ "TCP over IPv6 with an extension header", tcp6(1, 2), 1000, 14 + 48 + 32 },
		{ "UDP", tcp4(1, 2), 1000, 14 + 20 + 8 },
		{ "UDP over IPv6", tcp6(1, 2), 1000, 14 + 40 + 8 },
		{ "TCP with a tag", tcp4(1, 2), 1000, 18 + 20 + 32 },
		{ "ICMP", tcp4(0, 0), 1000, 34 },
		{ "first IP fragment", tcp4(1, 2), 1000, 34 },
		{ "first IPv6 fragment", tcp6(1, 2), 1000, 14 + 48 },
		{ "TCP with the longest headers", tcp4(1, 2), 1000, 14 + 60 + 60 },
		{ "TCP without payload, long headers", tcp4(1, 2), 0, 0 },
		{ "TCP of MTU 9000", tcp4(1, 2), 8948, 66 },
	};
	struct drv_opts o = drv_defaults();
	struct drv *d;

	cases[3].f.ip_opts = 40;
	cases[5].f.ext = 8;
	cases[6].f.proto = cases[7].f.proto = 17;
	cases[8].f.vlan = 0x123;
	cases[9].f.proto = 1;
	cases[10].f.fragment = cases[11].f.fragment = true;
	cases[12].f.ip_opts = 40;
	cases[12].f.tcp_opts = 40;
	o.mtu = 9000;
	d = drv_opened(&o);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_split(d, &cases[i]);
	drv_ended(d, "split");
}

static void test_split_knobs(void)
{
	struct drv_opts o = drv_defaults();
	struct split_case exact = { "a 256-byte frame, FCS counted", tcp4(1, 2), 256 - 66, 66 };
	struct split_case tiny = { "one byte of payload at threshold 0", tcp4(1, 2), 1, 66 };
	struct split_case none = { "no payload at threshold 0", tcp4(1, 2), 0, 0 };
	struct split_case v6 = { "IPv6, split for IPv4 only", tcp6(1, 2), 150, 0 };
	struct drv *d;

	o.nic.hds_len_extra = 4;
	d = drv_opened(&o);
	check_split(d, &exact);
	tap_eq(drv_placement(d, o.plc_flags, 256, 0), 0, "threshold 0 is taken");
	check_split(d, &tiny);
	check_split(d, &none);
	drv_placement(d, PLC_JUMBO | PLC_HDS_IPV4, 256, 0);
	check_split(d, &v6);
	tap_eq(drv_placement(d, o.plc_flags, 256, 0x400), 2,
	       "a threshold of more than ten bits is refused");
	drv_ended(d, "split knobs");
}

/* Each threshold, by the frames at it and one byte above */
static void test_split_thresholds(void)
{
	struct drv_opts o = drv_defaults();
	struct flow f = tcp4(1, 2);
	uint32_t head = frame_headers(&f), bad = 0, worst = 0;
	struct drv *d;

	o.rx_buf = 1536;	/* frames that are not split fit in */
	d = drv_opened(&o);
	for (uint32_t thresh = 0; thresh <= 1023; thresh++) {
		/* without payload there is nothing to split off */
		uint32_t at = thresh > head ? thresh : head, above = at + 1;
		struct drv_pkt *p;

		drv_placement(d, PLC_HDS_IPV4 | PLC_HDS_IPV6, 0, thresh);
		p = receive(d, &f, thresh, at - head);
		if (!p || p->in_rx != at || p->aggs) {
			bad++;
			worst = thresh;
		}
		p = receive(d, &f, thresh, above - head);
		if (!p || p->in_rx != head || p->aggs != 1 || p->len != above ||
		    !pattern_ok(p->data + head, above - head, thresh)) {
			bad++;
			worst = thresh;
		}
	}
	tap_eq(bad, 0, "each of the thresholds 0..1023 splits what is longer, and nothing else");
	if (bad)
		tap_diag("the last one that is wrong: %u", worst);
	drv_ended(d, "split thresholds");
}

static void test_dma_trace(void)
{
	static uint8_t frame[MAX_FRAME];
	struct virtio_net_hdr_v1 hdr = { .gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 1448 };
	struct drv_opts o = drv_defaults();
	struct drv *d = drv_opened(&o);
	struct flow f = tcp4(40000, 9999);
	uint64_t agg = d->q[0].agg_buf, rx = d->q[0].rx_buf;

	o.mtu = 9000;
	receive(d, &f, 0, 1448);
	tap_ok(d->last_payload.iova == agg && d->last_payload.len == 1448 &&
		       d->last_payload.seq == 1000 && d->last_payload.flow == (9999u << 16 | 40000),
	       "the write of a payload is reported with flow and place");
	tap_ok(d->last_header.iova == rx + 2 && d->last_header.len == 66 && !d->last_header.payload,
	       "so is that of a header, behind the pad");
	tap_eq(d->dma_events, 2, "and nothing else");
	drv_wire_hdr(d, &hdr, frame, frame_make(frame, &f, 0, 3200));
	tap_ok(d->last_payload.seq == 1000 + 2896 && d->last_payload.len == 304 &&
		       d->last_header.seq == 1000 + 2896,
	       "segments have their own sequence numbers");
	drv_ended(d, "DMA trace");
}

static void test_jumbo(void)
{
	struct drv_opts o = drv_defaults();
	struct flow f = tcp4(1, 2);
	struct drv_pkt *p;
	struct drv *d;

	o.mtu = 9000;
	o.plc_flags = PLC_JUMBO;
	d = drv_opened(&o);
	p = receive(d, &f, 9, 8948);
	tap_ok(p && p->placement == RXCMP_PLACE_JUMBO && p->in_rx == 318 && p->aggs == 3 &&
		       p->agg_len[0] == 4096 && p->agg_len[2] == 9014 - 318 - 8192,
	       "jumbo: RX buffer filled, then whole aggregation buffers");
	tap_ok(p && !frame_wrong(p->data, p->len, &f) && pattern_ok(p->data + 66, 8948, 9),
	       "jumbo: bytes are right");
	p = receive(d, &f, 9, 300 - 66);
	tap_ok(p && p->placement == RXCMP_PLACE_JUMBO && p->in_rx == 300 && !p->aggs,
	       "jumbo: above the threshold, but the RX buffer is enough");
	p = receive(d, &f, 9, 256 - 66);
	tap_ok(p && p->placement == RXCMP_PLACE_NORMAL && p->in_rx == 256,
	       "jumbo: at the threshold it is normal");
	p = receive(d, &f, 9, 9018 - 66);
	tap_ok(p && p->len == 9018, "a frame of MRU bytes is taken");
	p = receive(d, &f, 9, 9019 - 66);
	tap_ok(!p, "a longer one is not");
	drv_ended(d, "jumbo");
}

static void test_no_agg(void)
{
	struct drv_opts o = drv_defaults();
	struct flow f = tcp4(1, 2);
	struct drv_pkt *p;
	struct drv *d;

	o.no_agg = true;
	o.rx_buf = 1600;
	o.sop_pad = false;
	o.mtu = 9000;
	o.plc_flags = 0;
	d = drv_opened(&o);
	p = receive(d, &f, 9, 1448);
	tap_ok(p && p->placement == RXCMP_PLACE_NORMAL && p->in_rx == 1514 &&
		       !frame_wrong(p->data, p->len, &f),
	       "without aggregation ring a frame lies in its buffer");
	p = receive(d, &f, 9, 1600 - 66);
	tap_ok(p && p->len == 1600, "up to its last byte");
	p = receive(d, &f, 9, 1601 - 66);
	tap_ok(p && p->error && p->errors == RXEXT_ERR_NOT_FIT && !p->len,
	       "a longer frame is reported as one that did not fit");
	p = receive(d, &f, 9, 100);
	tap_ok(p && p->len == 166, "and the ring goes on");
	drv_ended(d, "no aggregation");
}

static void test_exhaustion(void)
{
	static uint8_t frame[MAX_FRAME];
	struct drv_opts o = drv_defaults();
	struct flow f = tcp4(1, 2);
	size_t big = frame_make(frame, &f, 0, 8948), got;
	struct ctx_stats s;
	struct drv *d;

	o.mtu = 9000;
	o.agg_entries = 16;
	d = drv_opened(&o);
	d->q[0].hold = true;
	for (unsigned int i = 0; i < 6; i++)
		drv_wire(d, frame, big);
	nic_flush(d->nic);
	drv_run(d);
	tap_eq(d->rx_head, 5, "15 aggregation buffers hold 5 frames of 3");
	/* the sixth must not have eaten an RX buffer, nor what comes after it */
	drv_wire(d, frame, frame_make(frame, &f, 0, 100));
	nic_flush(d->nic);
	drv_run(d);
	tap_eq(d->rx_head, 6, "a small frame still arrives, in the next RX buffer");
	d->q[0].hold = false;
	drv_post_rx(d, 0, 6);
	drv_post_agg(d, 0, 2);
	drv_wire(d, frame, frame_make(frame, &f, 0, 8948));
	nic_flush(d->nic);
	drv_run(d);
	tap_eq(d->rx_head, 6, "two buffers are not enough for three");
	drv_post_agg(d, 0, 13);
	drv_wire(d, frame, big);
	nic_flush(d->nic);
	drv_run(d);
	tap_eq(d->rx_head, 7, "with buffers the next frame arrives");
	d->rx_tail = 6;
	tap_ok(pattern_ok(drv_next_rx(d)->data + 66, 8948, 0), "whole");
	nic_run_timers(d->nic, 2000000000ull);
	memcpy(&s, drv_ptr(d, d->q[0].stats), sizeof(s));
	tap_ok(s.rx_pkts[0] == 7 && s.rx_discard == 2, "and what was dropped is counted");

	d->q[0].hold = true;
	frame_make(frame, &f, 0, 10);
	for (unsigned int i = 0; i < 400; i++)
		drv_wire(d, frame, 76);
	nic_flush(d->nic);
	drv_run(d);
	got = d->rx_head - 7;
	tap_eq(got, 255, "RX ring: 255 of 256 entries can be used, then frames are dropped");
	drv_ended(d, "exhaustion");
}

/*
 * Steering
 */

static int queue_of(struct drv *d, const struct flow *f)
{
	struct drv_pkt *p = receive(d, f, 0, 64);

	return p ? (int)p->queue : -1;
}

static struct ntuple_alloc_req port_rule(struct drv *d, uint16_t dport, unsigned int queue)
{
	struct ntuple_alloc_req q = {
		.enables = NTUPLE_EN_L2_FILTER | NTUPLE_EN_ETHERTYPE | NTUPLE_EN_IPADDR_TYPE |
			   NTUPLE_EN_SRC_IP | NTUPLE_EN_SRC_IP_MASK | NTUPLE_EN_DST_IP |
			   NTUPLE_EN_DST_IP_MASK | NTUPLE_EN_PROTOCOL | NTUPLE_EN_SRC_PORT |
			   NTUPLE_EN_SRC_PORT_MASK | NTUPLE_EN_DST_PORT | NTUPLE_EN_DST_PORT_MASK |
			   NTUPLE_EN_DST_ID,
		.l2_filter_id = d->l2_filter,
		.ethertype = __builtin_bswap16(0x0800),
		.ip_addr_type = NTUPLE_IPV4,
		.ip_protocol = 6,
		.dst_port = __builtin_bswap16(dport),
		.dst_port_mask = 0xffff,
		.flags = NTUPLE_FLAG_RING_IDX,
		.dst_id = queue,
	};

	if (d->o.nic.rfs == NIC_RFS_V3) {
		q.flags = 0;
		q.enables |= NTUPLE_EN_RING_IDX;
		q.dst_id = d->vnic2;
		q.rfs_ring_tbl_idx = queue;
	}
	return q;
}

/* A counter of the port */
static uint64_t port_rx(struct drv *d, enum port_rx which)
{
	struct port_qstats_req q = { .hdr.req_type = HWRM_PORT_QSTATS };

	q.rx_stat_host_addr = drv_alloc(d, 4096);
	if (drv_hwrm(d, &q, sizeof(q), NULL, 0))
		return ~0ull;
	return ((const uint64_t *)drv_ptr(d, q.rx_stat_host_addr))[which];
}

static void test_ntuple(enum nic_rfs rfs)
{
	static const uint8_t only0[] = { 0 };
	struct drv_opts o = drv_defaults();
	struct flow f = tcp4(100, 9999), g = tcp4(100, 9998), v6 = tcp6(100, 9999),
		    udp = tcp4(100, 9999), frag;
	struct ntuple_alloc_req r;
	uint64_t id, id2, id3;
	struct drv *d;

	udp.proto = 17;
	frag = f;
	frag.fragment = true;
	o.queues = 4;
	o.nic.rfs = rfs;
	/* V2: no table ever names queue 3 and its CQ */
	o.rss_queues = rfs == NIC_RFS_V2 ? 1 : 0;
	d = drv_opened(&o);
	drv_rss(d, d->vnic, d->rss_ctx, only0, 1);
	r = port_rule(d, 9999, 3);
	tap_eq(drv_ntuple(d, &r, &id), 0, "V%d: a rule for a port is taken", rfs);
	tap_eq(queue_of(d, &f), 3, "its flow goes to queue 3, which is in no RSS table");
	tap_eq(queue_of(d, &g), 0, "another port does not");
	tap_eq(queue_of(d, &udp), 0, "nor UDP");
	tap_eq(queue_of(d, &v6), 0, "nor IPv6");
	tap_eq(queue_of(d, &frag), 0, "nor a fragment, whose ports nobody knows");
	tap_eq(drv_filter_free(d, HWRM_CFA_NTUPLE_FREE, id), 0, "the rule can be freed");
	tap_eq(queue_of(d, &f), 0, "and then does nothing");
	tap_eq(drv_filter_free(d, HWRM_CFA_NTUPLE_FREE, id), 2, "but not twice");

	/* addresses, under a mask */
	r = port_rule(d, 0, 2);
	r.dst_port_mask = 0;
	memcpy(r.src_ipaddr, (uint8_t[]){ 192, 0, 7, 7 }, 4);	/* with bits that the mask hides */
	memcpy(r.src_ipaddr_mask, (uint8_t[]){ 255, 255, 0, 0 }, 4);
	drv_ntuple(d, &r, &id);
	tap_eq(queue_of(d, &g), 2, "a source prefix matches");
	g.src[1] = 1;
	tap_eq(queue_of(d, &g), 0, "an address outside of it does not");
	g.src[1] = 0;

	/* order: the older rule wins, unless a priority says else */
	r = port_rule(d, 9998, 1);
	drv_ntuple(d, &r, &id2);
	tap_eq(queue_of(d, &g), 2, "of two rules that match the first wins");
	drv_filter_free(d, HWRM_CFA_NTUPLE_FREE, id2);
	r = port_rule(d, 9998, 1);
	r.enables |= NTUPLE_EN_PRI_HINT;
	r.pri_hint = FILTER_PRI_HIGHEST;
	drv_ntuple(d, &r, &id2);
	tap_eq(queue_of(d, &g), 1, "one of highest priority goes before");
	r = port_rule(d, 9998, 3);
	r.enables |= NTUPLE_EN_PRI_HINT | NTUPLE_EN_ID_HINT;
	r.pri_hint = FILTER_PRI_BELOW;
	r.ntuple_filter_id_hint = id2;
	tap_eq(drv_ntuple(d, &r, &id3), 0, "one below another is taken");
	tap_eq(queue_of(d, &g), 1, "and is below");
	drv_filter_free(d, HWRM_CFA_NTUPLE_FREE, id2);
	tap_eq(queue_of(d, &g), 3, "but above the rest");
	tap_eq(drv_ntuple(d, &r, NULL), 2, "a priority relative to a rule that is gone is refused");

	/* drop */
	r = port_rule(d, 9999, 0);
	r.flags = NTUPLE_FLAG_DROP;
	r.enables |= NTUPLE_EN_PRI_HINT;
	r.pri_hint = FILTER_PRI_HIGHEST;
	drv_ntuple(d, &r, &id);
	tap_eq(queue_of(d, &f), -1, "a drop rule drops");
	tap_eq(port_rx(d, PORT_RX_DISCARD), 0, "and that is no discard for want of room");
	drv_filter_free(d, HWRM_CFA_NTUPLE_FREE, id);

	/* IPv6 */
	r = port_rule(d, 9999, 1);
	r.ethertype = __builtin_bswap16(0x86dd);
	r.ip_addr_type = NTUPLE_IPV6;
	memcpy(r.dst_ipaddr, v6.dst, 16);
	memset(r.dst_ipaddr_mask, 0xff, 16);
	drv_ntuple(d, &r, &id);
	tap_eq(queue_of(d, &v6), 1, "a rule for IPv6 matches all 128 bits");
	v6.dst[15] = 3;
	tap_eq(queue_of(d, &v6), 0, "and not another address");

	/* bad ones */
	r = port_rule(d, 1, 3);
	r.l2_filter_id = 12345;
	tap_eq(drv_ntuple(d, &r, NULL), 2, "a rule on an unknown L2 filter is refused");
	r = port_rule(d, 1, 3);
	r.flags |= NTUPLE_FLAG_RING_IDX;
	r.dst_id = 77;
	tap_eq(drv_ntuple(d, &r, NULL), 2, "a rule to an unknown queue is refused");
	drv_filter_free(d, HWRM_CFA_L2_FILTER_FREE, d->l2_filter);
	tap_eq(drv_filter_free(d, HWRM_CFA_NTUPLE_FREE, id), 2, "rules die with their L2 filter");
	drv_ended(d, "ntuple");
}

static void test_rss(void)
{
	struct drv_opts o = drv_defaults();
	unsigned int hits[DRV_QUEUES] = { 0 }, stable = 0, spread = 0;
	static const uint8_t without2[] = { 0, 1, 3 };
	struct vnic_rss_cfg_req off = { .hdr.req_type = HWRM_VNIC_RSS_CFG };
	struct drv *d;

	o.queues = 4;
	d = drv_opened(&o);
	for (unsigned int i = 0; i < 64; i++) {
		struct flow f = i & 1 ? tcp6(1000 + i, 80) : tcp4(1000 + i, 80);
		int a = queue_of(d, &f), b = queue_of(d, &f);

		stable += a == b && a >= 0;
		hits[a < 0 ? 0 : a]++;
	}
	for (unsigned int i = 0; i < 4; i++)
		spread += hits[i] >= 4;
	tap_ok(stable == 64 && spread == 4, "RSS: flows stay on their queue and use all four");
	drv_rss(d, d->vnic, d->rss_ctx, without2, 3);
	memset(hits, 0, sizeof(hits));
	for (unsigned int i = 0; i < 64; i++) {
		struct flow f = tcp4(1000 + i, 80);

		hits[queue_of(d, &f) & 3]++;
	}
	tap_ok(!hits[2] && hits[0] && hits[1] && hits[3],
	       "RSS: a queue that is not in the table gets nothing");

	/* the hash is that of the specification's example (see test-nic-parts) */
	{
		static const uint8_t key[40] = {
			0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
			0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
			0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30,
			0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
		};
		struct flow f = tcp4(2794, 1766), frag;
		struct drv_pkt *p;

		memcpy(drv_ptr(d, d->rss_key), key, 40);
		drv_rss(d, d->vnic, d->rss_ctx, NULL, 0);
		memcpy(f.src, (uint8_t[]){ 66, 9, 149, 187 }, 4);
		memcpy(f.dst, (uint8_t[]){ 161, 142, 100, 80 }, 4);
		p = receive(d, &f, 0, 64);
		tap_ok(p && p->hash_valid && p->hash == 0x51ccc178,
		       "RSS: the hash over four fields is right");
		tap_eq(p ? (int)p->queue : -1, (0x51ccc178 & 63) % 4,
		       "RSS: and so is its table entry");
		frag = f;
		frag.fragment = true;
		p = receive(d, &frag, 0, 64);
		tap_ok(p && p->hash_valid && p->hash == 0x323e8fc2,
		       "RSS: a fragment is hashed by its addresses");
	}
	off.vnic_id = d->vnic;
	tap_eq(drv_hwrm(d, &off, sizeof(off), NULL, 0), 0, "RSS: can be switched off");
	{
		struct flow f = tcp4(2794, 1766);
		struct drv_pkt *p = receive(d, &f, 0, 64);

		tap_ok(p && !p->hash_valid && !p->queue,
		       "RSS: without it all goes to the default ring, without hash");
	}
	drv_ended(d, "RSS");
}

static void set_mask(struct drv *d, uint32_t mask, const uint8_t *mc, unsigned int n)
{
	struct l2_set_rx_mask_req m = {
		.hdr.req_type = HWRM_CFA_L2_SET_RX_MASK,
		.vnic_id = d->vnic,
		.mask = mask,
		.num_mc_entries = n,
	};

	if (n) {
		m.mc_tbl_addr = drv_alloc(d, 4096);
		memcpy(drv_ptr(d, m.mc_tbl_addr), mc, n * 6);
	}
	tap_eq(drv_hwrm(d, &m, sizeof(m), NULL, 0), 0, "receive mask %#x is set", mask);
}

static void test_l2(void)
{
	static const uint8_t other[6] = { 2, 0, 0, 0, 0, 9 }, mc[6] = { 0x33, 0x33, 0, 0, 0, 1 },
			     mc2[6] = { 1, 0, 0x5e, 1, 2, 3 };
	struct drv_opts o = drv_defaults();
	struct drv *d = drv_opened(&o);
	struct flow own = tcp4(1, 2), bc = own, foreign = own, m1 = own, m2 = own,
		    arp = { .dmac = broadcast };
	struct vnic_update_req up = {
		.hdr.req_type = HWRM_VNIC_UPDATE, .vnic_id = d->vnic, .enables = VNIC_UPDATE_EN_MRU,
	};
	uint8_t runt[13] = { 0 };

	bc.dmac = broadcast;
	foreign.dmac = other;
	m1.dmac = mc;
	m2.dmac = mc2;
	tap_eq(queue_of(d, &own), 0, "own address is taken");
	tap_eq(queue_of(d, &bc), 0, "broadcast is taken");
	tap_eq(queue_of(d, &arp), 0, "a frame that is not IP is taken");
	tap_eq(queue_of(d, &foreign), -1, "a foreign address is not");
	tap_eq(queue_of(d, &m1), -1, "multicast is not");
	set_mask(d, RX_MASK_MCAST, mc, 1);
	tap_eq(queue_of(d, &m1), 0, "listed multicast is taken");
	tap_eq(queue_of(d, &m2), -1, "other multicast is not");
	tap_eq(queue_of(d, &bc), -1, "broadcast is not, without its bit");
	set_mask(d, RX_MASK_ALL_MCAST, NULL, 0);
	tap_eq(queue_of(d, &m2), 0, "all multicast");
	set_mask(d, RX_MASK_PROMISC, NULL, 0);
	tap_eq(queue_of(d, &foreign), 0, "everything");
	tap_eq(drv_hwrm(d, &up, sizeof(up), NULL, 0), 0, "VNIC_UPDATE with an MRU of 0");
	tap_eq(queue_of(d, &own), -1, "lets nothing in");
	tap_eq(port_rx(d, PORT_RX_DISCARD), 1, "and counts a discard, not an error");
	up.mru = 1518;
	drv_hwrm(d, &up, sizeof(up), NULL, 0);
	tap_eq(queue_of(d, &own), 0, "until it is set again");
	drv_wire(d, runt, sizeof(runt));
	drv_wire(d, runt, 0);
	drv_filter_free(d, HWRM_CFA_L2_FILTER_FREE, d->l2_filter);
	set_mask(d, 0, NULL, 0);
	tap_eq(queue_of(d, &own), -1, "without filter and mask nothing is taken");
	drv_ended(d, "L2");
}

/*
 * Offloads of reception
 */

static void test_rx_csum(void)
{
	static uint8_t frame[MAX_FRAME];
	struct virtio_net_hdr_v1 needs = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM };
	struct virtio_net_hdr_v1 valid = { .flags = VIRTIO_NET_HDR_F_DATA_VALID };
	struct drv_opts o = drv_defaults();
	struct drv *d = drv_opened(&o);
	unsigned int good = 0, tried = 0;
	struct drv_pkt *p;
	struct flow f;

	for (unsigned int i = 0; i < 4; i++) {
		for (size_t payload = 1; payload < 1440; payload += 37, tried++) {
			f = i & 1 ? tcp6(1, 2) : tcp4(1, 2);
			f.proto = i & 2 ? 17 : 6;
			p = receive(d, &f, payload, payload);
			good += p && !p->errors && !p->error && p->flags2 & RXEXT_L4_CS_CALC &&
				!!(p->flags2 & RXEXT_IP_CS_CALC) == !(i & 1) &&
				!!(p->flags2 & RXEXT_IPV6) == (i & 1) &&
				p->itype == (i & 2 ? RXCMP_ITYPE_UDP : RXCMP_ITYPE_TCP);
		}
	}
	tap_eq(good, tried, "%u good checksums are found good", tried);
	f = tcp4(1, 2);
	f.bad_csum = true;
	p = receive(d, &f, 0, 999);
	tap_ok(p && p->error && p->errors == RXEXT_ERR_L4_CS && p->len == 999 + 66,
	       "a bad TCP checksum is reported, the frame delivered");
	f = tcp4(1, 2);
	f.bad_ip_csum = true;
	p = receive(d, &f, 0, 999);
	tap_ok(p && p->errors == RXEXT_ERR_IP_CS, "so is a bad IP checksum");
	f = tcp4(1, 2);
	f.proto = 17;
	f.no_udp_csum = true;
	p = receive(d, &f, 0, 999);
	tap_ok(p && !p->errors && !(p->flags2 & RXEXT_L4_CS_CALC),
	       "UDP without checksum: nothing is claimed");
	f.proto = 6;
	f.no_udp_csum = false;
	f.fragment = true;
	p = receive(d, &f, 0, 999);
	tap_ok(p && !p->errors && !(p->flags2 & RXEXT_L4_CS_CALC) && p->itype == RXCMP_ITYPE_IP,
	       "a fragment: likewise");

	f = tcp4(1, 2);
	f.partial = true;
	needs.csum_start = frame_l4(&f);
	needs.csum_offset = 16;
	drv_wire_hdr(d, &needs, frame, frame_make(frame, &f, 3, 1201));
	f = tcp6(1, 2);
	f.proto = 17;
	f.partial = true;
	needs.csum_start = frame_l4(&f);
	needs.csum_offset = 6;
	drv_wire_hdr(d, &needs, frame, frame_make(frame, &f, 3, 33));
	nic_flush(d->nic);
	drv_run(d);
	p = drv_next_rx(d);
	f = tcp4(1, 2);
	tap_ok(p && !frame_wrong(p->data, p->len, &f) && p->flags2 & RXEXT_L4_CS_CALC && !p->errors,
	       "a checksum that the sender left open is filled in");
	p = drv_next_rx(d);
	f = tcp6(1, 2);
	f.proto = 17;
	tap_ok(p && !frame_wrong(p->data, p->len, &f), "in a small frame, too");
	f = tcp4(1, 2);
	f.bad_csum = true;
	drv_wire_hdr(d, &valid, frame, frame_make(frame, &f, 3, 33));
	nic_flush(d->nic);
	drv_run(d);
	p = drv_next_rx(d);
	tap_ok(p && !p->errors && p->flags2 & RXEXT_L4_CS_CALC,
	       "what the host vouches for is not checked again");
	needs.csum_start = 60000;
	drv_wire_hdr(d, &needs, frame, 200);
	needs.csum_start = 10;
	needs.csum_offset = 65530;
	drv_wire_hdr(d, &needs, frame, 200);
	nic_flush(d->nic);
	drv_run(d);
	tap_ok(!drv_next_rx(d), "a checksum place outside of the frame: dropped");
	drv_ended(d, "RX checksum");
}

struct gso_case {
	const char *name;
	struct flow f;
	uint8_t type;
	uint16_t mss;
	size_t payload;
};

static void check_rx_gso(struct drv *d, const struct gso_case *c)
{
	static uint8_t frame[MAX_FRAME];
	struct virtio_net_hdr_v1 hdr = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .gso_type = c->type, .gso_size = c->mss,
		.hdr_len = frame_headers(&c->f), .csum_start = frame_l4(&c->f),
		.csum_offset = c->f.proto == 6 ? 16 : 6,
	};
	size_t len = frame_make(frame, &c->f, 0, c->payload), at = 0, head = frame_headers(&c->f);
	unsigned int segs = (c->payload + c->mss - 1) / c->mss, n = 0, bad = 0;
	struct drv_pkt *p;
	const char *why = NULL;

	drv_wire_hdr(d, &hdr, frame, len);
	nic_flush(d->nic);
	drv_run(d);
	for (; (p = drv_next_rx(d)); n++) {
		size_t want = c->payload - at < c->mss ? c->payload - at : c->mss;
		bool first = !n, last = n + 1 == segs;
		const uint8_t *l4 = p->data + frame_l4(&c->f), *l3 = p->data + frame_l3(&c->f);

		why = frame_wrong(p->data, p->len, &c->f);
		if (!why && (p->len != head + want || !pattern_ok(p->data + head, want, at)))
			why = "its payload is wrong";
		if (!why && c->f.proto == 6) {
			if (be32(l4 + 4) != (uint32_t)(c->f.seq + at))
				why = "its sequence number is wrong";
			if (!!(l4[13] & 0x80) != (first && c->f.tcp_flags & 0x80))
				why = "CWR is where it does not belong";
			if (!!(l4[13] & 9) != (last && c->f.tcp_flags & 9))
				why = "PSH or FIN are where they do not belong";
		}
		if (!why && c->f.version == 4 && be16(l3 + 4) != (uint16_t)(c->f.ip_id + n))
			why = "its IP id is wrong";
		if (!why && (p->errors || !(p->flags2 & RXEXT_L4_CS_CALC)))
			why = "its checksum is not vouched for";
		if (why) {
			bad++;
			tap_diag("segment %u: %s", n, why);
		}
		at += want;
	}
	tap_ok(n == segs && !bad && at == c->payload, "%s: %u segments, each right", c->name, segs);
}

static void test_rx_gso(void)
{
	struct gso_case cases[] = {
		{ "64 KB TCP, 1448", tcp4(1, 2), VIRTIO_NET_HDR_GSO_TCPV4, 1448, 64000 },
		{ "64 KB TCP over IPv6, 1428", tcp6(1, 2), VIRTIO_NET_HDR_GSO_TCPV6, 1428, 64000 },
		{ "TCP, 4096, all flags", tcp4(1, 2),
		  VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN, 4096, 4096 * 9 },
		{ "TCP, odd sizes", tcp4(1, 2), VIRTIO_NET_HDR_GSO_TCPV4, 1001, 9999 },
		{ "TCP, one segment", tcp4(1, 2), VIRTIO_NET_HDR_GSO_TCPV4, 1448, 77 },
		{ "TCP with tag and options", tcp4(1, 2), VIRTIO_NET_HDR_GSO_TCPV4, 1000, 5000 },
		{ "UDP, 1400", tcp4(1, 2), 5, 1400, 20001 },
		{ "UDP over IPv6, 1400", tcp6(1, 2), 5, 1400, 20001 },
	};
	struct drv_opts o = drv_defaults();
	static uint8_t frame[MAX_FRAME];
	struct virtio_net_hdr_v1 bad = { .gso_type = VIRTIO_NET_HDR_GSO_TCPV6, .gso_size = 1000 };
	struct flow f = tcp4(1, 2);
	struct drv *d;

	cases[2].f.tcp_flags = 0x99;	/* CWR ACK PSH FIN */
	cases[3].f.seq = 0xfffff000;	/* wraps */
	cases[5].f.vlan = 0x2064;
	cases[5].f.ip_opts = 8;
	cases[6].f.proto = cases[7].f.proto = 17;
	o.mtu = 9000;
	d = drv_opened(&o);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_rx_gso(d, &cases[i]);
	drv_wire_hdr(d, &bad, frame, frame_make(frame, &f, 0, 5000));
	bad.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
	bad.gso_size = 0;
	drv_wire_hdr(d, &bad, frame, frame_make(frame, &f, 0, 5000));
	bad.gso_type = VIRTIO_NET_HDR_GSO_UDP;
	bad.gso_size = 1000;
	drv_wire_hdr(d, &bad, frame, frame_make(frame, &f, 0, 5000));
	nic_flush(d->nic);
	drv_run(d);
	tap_ok(!drv_next_rx(d), "a large frame that is not what its header says is dropped");
	drv_ended(d, "RX GSO");
}

static void test_vlan(void)
{
	static uint8_t frame[MAX_FRAME];
	struct virtio_net_hdr_v1 hdr = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
		.gso_size = 1000,
	};
	struct drv_opts o = drv_defaults();
	struct flow f = tcp4(1, 2), plain = f;
	struct drv_pkt *p;
	struct drv *d;
	unsigned int n = 0;

	o.vlan_strip = true;
	d = drv_opened(&o);
	f.vlan = 0x6005;
	p = receive(d, &f, 1, 1000);
	tap_ok(p && p->flags2 & RXEXT_META_VLAN && p->meta == 0x81006005 && p->len == 1066 &&
		       p->in_rx == 66 && !frame_wrong(p->data, p->len, &plain) &&
		       pattern_ok(p->data + 66, 1000, 1) && p->payload_off == 66,
	       "a tag is taken out and reported");
	p = receive(d, &plain, 1, 1000);
	tap_ok(p && !(p->flags2 & RXEXT_META_VLAN), "without a tag nothing is reported");
	drv_wire_hdr(d, &hdr, frame, frame_make(frame, &f, 0, 3500));
	nic_flush(d->nic);
	drv_run(d);
	while ((p = drv_next_rx(d)))
		n += p->meta == 0x81006005 && !frame_wrong(p->data, p->len, &plain) &&
		     pattern_ok(p->data + 66, p->len - 66, n * 1000);
	tap_eq(n, 4, "tags are taken out of segments");
	drv_ended(d, "VLAN strip");
}

/*
 * Transmission
 */

static bool frame_is(const struct drv_frame *f, const struct flow *flow, uint32_t first,
		     size_t payload)
{
	const char *why = f ? frame_wrong(f->data, f->len, flow) : "it is missing";

	if (!why && !pattern_ok(f->data + frame_headers(flow), payload, first))
		why = "its payload is wrong";
	if (why)
		tap_diag("%s", why);
	return !why;
}

static void test_tx_csum(void)
{
	static uint8_t frame[MAX_FRAME];
	struct drv_opts o = drv_defaults();
	struct drv *d = drv_opened(&o);
	unsigned int good = 0, tried = 0, last;
	struct drv_frame *out;

	for (unsigned int kind = 0; kind < 8; kind++) {
		for (size_t payload = 0; payload < 1400;
		     payload += payload < 20 ? 1 : 111, tried++) {
			struct flow f = kind & 1 ? tcp6(1, 2) : tcp4(1, 2);
			struct drv_tx t = { .data = frame, .lflags = TXEXT_L4_CSUM, .piece = 301 };

			f.proto = kind & 2 ? 17 : 6;
			f.vlan = kind & 4 ? 5 : 0;
			f.partial = true;
			t.len = frame_make(frame, &f, payload, payload);
			t.first = tried % 3 ? frame_headers(&f) + tried % 5 : 0;
			drv_send(d, 0, &t);
			nic_flush(d->nic);
			drv_run(d);
			good += frame_is(drv_next_tx(d), &f, payload, payload);
		}
	}
	tap_eq(good, tried, "%u checksums of TCP and UDP are filled in, whatever the pieces",
	       tried);
	{
		/* the headers themselves in pieces */
		struct flow f = tcp4(1, 2);
		struct drv_tx t = {
			.data = frame, .lflags = TXEXT_L4_CSUM, .piece = 7, .first = 3
		};

		t.len = frame_make(frame, &f, 0, 100);
		drv_send(d, 0, &t);
		nic_flush(d->nic);
		tap_ok(frame_is(drv_next_tx(d), &f, 0, 100), "headers that lie in pieces");
		drv_run(d);
	}
	{
		struct flow f = tcp4(1, 2);
		struct drv_tx t = { .data = frame, .lflags = TXEXT_L4_CSUM | TXEXT_IP_CSUM };

		f.bad_ip_csum = true;
		t.len = frame_make(frame, &f, 0, 100);
		drv_send(d, 0, &t);
		nic_flush(d->nic);
		tap_ok(frame_is(drv_next_tx(d), &f, 0, 100), "the IP checksum, if asked for");
		drv_run(d);
	}
	{
		struct flow f = { .dmac = broadcast };
		struct drv_tx t = { .data = frame, .len = frame_make(frame, &f, 0, 10) };

		drv_send(d, 0, &t);
		t.lflags = TXEXT_L4_CSUM;
		drv_send(d, 0, &t);
		nic_flush(d->nic);
		out = drv_next_tx(d);
		tap_ok(out && out->len == 60 && !out->data[24] && !out->data[59],
		       "a short frame is padded with zeros");
		tap_ok(!drv_next_tx(d),
		       "a checksum where there is no TCP or UDP: the packet is dropped");
		drv_run(d);
		last = d->q[0].tx_sent;
		tap_eq(d->q[0].tx_done, last, "and completed all the same");
	}
	drv_ended(d, "TX checksum");
}

static void test_tx_tag(void)
{
	static uint8_t frame[MAX_FRAME];
	struct drv_opts o = drv_defaults();
	struct flow f = tcp4(1, 2), tagged = f;
	struct drv_tx t = { .data = frame,
			    .lflags = TXEXT_L4_CSUM,
			    .meta = 1u << 28 | 1u << 16 | 0x2005,
			    .piece = 500 };
	struct drv_frame *out;
	unsigned int good = 0;
	struct drv *d;

	tagged.vlan = 0x2005;
	d = drv_opened(&o);
	t.len = frame_make(frame, &f, 0, 800);
	drv_send(d, 0, &t);
	nic_flush(d->nic);
	tap_ok(frame_is(drv_next_tx(d), &tagged, 0, 800), "a tag is put in");
	t.len = frame_make(frame, &f, 0, 3500);
	t.lflags = TXEXT_LSO | 33u << 16;
	t.mss = 1000;
	drv_send(d, 0, &t);
	nic_flush(d->nic);
	for (unsigned int i = 0; (out = drv_next_tx(d)); i++)
		good += frame_is(out, &tagged, i * 1000, i < 3 ? 1000 : 500);
	tap_eq(good, 4, "and into each segment");
	t.meta = 1u << 28 | 0x2005;
	t.lflags = 0;
	t.len = 100;
	drv_send(d, 0, &t);
	nic_flush(d->nic);
	out = drv_next_tx(d);
	tap_ok(out && be16(out->data + 12) == 0x88a8, "the other kind of tag");
	drv_ended(d, "TX tag");

	o.nic.wire_gso = true;
	d = drv_opened(&o);
	t.meta = 1u << 28 | 1u << 16 | 0x2005;
	t.len = frame_make(frame, &f, 0, 800);
	t.lflags = TXEXT_L4_CSUM;
	drv_send(d, 0, &t);
	nic_flush(d->nic);
	out = drv_next_tx(d);
	tap_ok(out && out->hdr.csum_start == 38 && out->hdr.csum_offset == 16 &&
		       out->len == 70 + 800,
	       "with a tag, the wire is told where the checksum is now");
	drv_ended(d, "TX tag for the wire");
}

static void test_tso(void)
{
	static uint8_t frame[MAX_FRAME];
	struct drv_opts o = drv_defaults();
	static const struct {
		uint32_t mss, payload, piece;
	} sizes[] = { { 1448, 64000, 4096 },
		      { 1000, 1000, 333 },
		      { 999, 5001, 501 },
		      { 1428, 1429, 1 << 15 },
		      { 536, 20000, 7001 } };
	struct drv *d = drv_opened(&o);

	for (unsigned int v6 = 0; v6 < 2; v6++) {
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			struct flow f = v6 ? tcp6(1, 2) : tcp4(1, 2);
			struct drv_tx t = { .data = frame,
					    .mss = sizes[i].mss,
					    .piece = sizes[i].piece };
			unsigned int n = 0, bad = 0;
			uint32_t at = 0;
			struct drv_frame *out;

			f.tcp_flags = 0x99;
			t.len = frame_make(frame, &f, 0, sizes[i].payload);
			t.first = frame_headers(&f) + (i & 1 ? 77 : 0);
			t.lflags = TXEXT_LSO | frame_headers(&f) / 2 << 16;
			drv_send(d, 0, &t);
			nic_flush(d->nic);
			drv_run(d);
			for (; (out = drv_next_tx(d)); n++) {
				uint32_t want = sizes[i].payload - at < t.mss ?
							sizes[i].payload - at :
							t.mss;
				const uint8_t *tcp = out->data + frame_l4(&f);
				bool last = at + want == sizes[i].payload;

				bad += !frame_is(out, &f, at, want) ||
				       out->len != frame_headers(&f) + want ||
				       be32(tcp + 4) != f.seq + at || !!(tcp[13] & 0x80) != !n ||
				       !!(tcp[13] & 9) != last ||
				       (!v6 && be16(out->data + 18) != 77 + n) || out->hdr.gso_type;
				at += want;
			}
			tap_ok(!bad && at == sizes[i].payload,
			       "TSO IPv%d, %u bytes by %u: %u segments, each right", v6 ? 6 : 4,
			       sizes[i].payload, t.mss, n);
		}
	}
	{
		struct flow f = tcp4(1, 2);
		struct drv_tx t = { .data = frame, .mss = 1000, .piece = 4096 };

		t.len = frame_make(frame, &f, 0, 5000);
		t.lflags = TXEXT_LSO | 30u << 16;
		drv_send(d, 0, &t);	/* header lengths that are not the headers' */
		t.lflags = TXEXT_LSO | 40u << 16;
		drv_send(d, 0, &t);
		t.lflags = TXEXT_LSO | 33u << 16;
		t.mss = 0;
		drv_send(d, 0, &t);
		t.mss = 9600;
		drv_send(d, 0, &t);
		f.proto = 17;
		t.len = frame_make(frame, &f, 0, 5000);
		t.mss = 1000;
		t.lflags = TXEXT_LSO | 21u << 16;
		drv_send(d, 0, &t);
		nic_flush(d->nic);
		drv_run(d);
		tap_ok(!drv_next_tx(d) && d->q[0].tx_done == d->q[0].tx_sent,
		       "TSO that contradicts its headers: dropped, completed");
	}
	drv_ended(d, "TSO");
}

/* Packets that are cut into very many frames must not keep guest and wire waiting */
static void test_tx_burst(void)
{
	static uint8_t frame[MAX_FRAME];
	struct drv_opts o = drv_defaults();
	struct flow f = tcp4(1, 2);
	struct drv_tx t = { .data = frame, .mss = 64, .piece = 8000 };
	struct drv_tx small = { .data = frame, .len = 60 };
	unsigned int flushes = 1;
	uint64_t first, second;
	struct drv *d;

	o.queues = 2;
	d = drv_opened(&o);
	d->count_only = true;
	t.len = frame_make(frame, &f, 0, 64000);
	t.lflags = TXEXT_LSO | frame_headers(&f) / 2 << 16;
	for (unsigned int i = 0; i < 10; i++)
		drv_send(d, 0, &t);
	drv_send(d, 1, &small);
	nic_flush(d->nic);
	first = d->wire_frames;
	tap_ok(first >= 4096 && first <= 5100, "a burst ends: %llu frames of 10001 were sent",
	       (unsigned long long)first);
	tap_eq(nic_run_timers(d->nic, 1000), 0, "the device wants to go on at once");
	nic_flush(d->nic);
	second = d->wire_frames;
	drv_run(d);
	tap_eq(d->q[1].tx_done, 1, "after a burst the other ring comes first");
	while (!nic_run_timers(d->nic, 1000) && flushes++ < 10)
		nic_flush(d->nic);
	drv_run(d);
	tap_ok(second > first && d->wire_frames == 10001 && d->q[0].tx_done == 10,
	       "after some more flushes all is sent and completed");
	/* 31 pieces of 2000 bytes, cut into single bytes, are fewer than 65536 */
	d->wire_frames = 0;
	t.mss = 1;
	t.piece = 2000;
	t.len = frame_make(frame, &f, 0, 40000);
	drv_send(d, 0, &t);
	nic_flush(d->nic);
	tap_eq(d->wire_frames, 40000, "a packet of 40000 segments is sent");
	t.len = frame_make(frame, &f, 0, 65400);
	t.len += 4500;		/* behind the IP packet */
	t.piece = 4000;
	drv_send(d, 0, &t);
	nic_flush(d->nic);
	drv_run(d);
	tap_eq(d->wire_frames, 40000, "one of more than 65535 is dropped");
	tap_eq(d->q[0].tx_done, 12, "and completed");
	/* commands let go first what was posted before them */
	nic_flush(d->nic);
	d->wire_frames = 0;
	t.mss = 64;
	t.piece = 8000;
	t.len = frame_make(frame, &f, 0, 64000);
	for (unsigned int i = 0; i < 10; i++)
		drv_send(d, 0, &t);
	for (unsigned int i = 0; i < 20; i++)
		drv_hwrm_simple(d, HWRM_VER_GET, NULL, 0);
	tap_ok(d->wire_frames >= 4096 && d->wire_frames <= 5100,
	       "commands in between do not make a burst longer: %llu frames",
	       (unsigned long long)d->wire_frames);
	while (!nic_run_timers(d->nic, 1000) && flushes++ < 20)
		nic_flush(d->nic);
	drv_run(d);
	tap_eq(d->wire_frames, 10000, "the rest comes with the next");
	drv_ended(d, "long bursts");
}

static void test_wire_gso(void)
{
	static uint8_t frame[MAX_FRAME];
	struct drv_opts o = drv_defaults();
	struct flow f = tcp4(1, 2), v6 = tcp6(1, 2), open4 = f, open6 = v6;
	struct drv_tx t = {
		.data = frame, .mss = 1448, .piece = 4096, .lflags = TXEXT_LSO | 33u << 16
	};
	struct drv_frame *out;
	struct drv *d;

	open4.partial = open6.partial = true;
	o.nic.wire_gso = true;
	d = drv_opened(&o);
	t.len = frame_make(frame, &f, 0, 64000);
	t.first = 66;
	drv_send(d, 0, &t);
	nic_flush(d->nic);
	out = drv_next_tx(d);
	frame_make(frame, &open4, 0, 64000);
	tap_ok(out && out->len == 64066 && out->hdr.gso_type == VIRTIO_NET_HDR_GSO_TCPV4 &&
		       out->hdr.gso_size == 1448 && out->hdr.hdr_len == 66 &&
		       out->hdr.flags == VIRTIO_NET_HDR_F_NEEDS_CSUM && out->hdr.csum_start == 34 &&
		       out->hdr.csum_offset == 16 && !memcmp(out->data, frame, 64066),
	       "TSO is left to a wire that can do it");
	t.len = frame_make(frame, &v6, 0, 1000);
	t.first = 0;
	t.lflags = TXEXT_L4_CSUM;
	drv_send(d, 0, &t);
	nic_flush(d->nic);
	out = drv_next_tx(d);
	frame_make(frame, &open6, 0, 1000);
	tap_ok(out && out->hdr.gso_type == VIRTIO_NET_HDR_GSO_NONE &&
		       out->hdr.flags == VIRTIO_NET_HDR_F_NEEDS_CSUM && out->hdr.csum_start == 54 &&
		       !memcmp(out->data, frame, out->len),
	       "so is a checksum");
	f.tcp_flags = 0x90;
	t.len = frame_make(frame, &f, 0, 64000);
	t.first = 66;
	t.lflags = TXEXT_LSO | 33u << 16;
	drv_send(d, 0, &t);
	nic_flush(d->nic);
	out = drv_next_tx(d);
	tap_ok(out && out->hdr.gso_type == (VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN),
	       "with the ECN mark");
	drv_run(d);
	drv_ended(d, "wire GSO");
}

/*
 * Counters
 */

static void test_stats(void)
{
	static uint8_t frame[MAX_FRAME];
	struct drv_opts o = drv_defaults();
	struct drv *d = drv_opened(&o);
	struct flow f = tcp4(1, 2), bc = f, mc = f, tag = f;
	static const uint8_t group[6] = { 1, 0, 0x5e, 0, 0, 1 }, other[6] = { 2, 2, 2, 2, 2, 2 };
	struct drv_tx t = { .data = frame, .piece = 4096 };
	struct port_qstats_req pq = { .hdr.req_type = HWRM_PORT_QSTATS };
	struct port_qstats_ext_req pe = { .hdr.req_type = HWRM_PORT_QSTATS_EXT,
					  .tx_stat_size = 256,
					  .rx_stat_size = 488 };
	struct port_qstats_resp sizes;
	struct stat_ctx_query_resp sq;
	struct stat_ctx_req sr = { .hdr.req_type = HWRM_STAT_CTX_QUERY,
				   .stat_ctx_id = d->q[0].stat_ctx };
	struct virtio_net_hdr_v1 large = { .gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 1000 };
	const uint64_t *tx, *rx;
	struct ctx_stats s;
	uint64_t next;

	bc.dmac = broadcast;
	mc.dmac = group;
	tag.vlan = 9;
	set_mask(d, RX_MASK_BCAST | RX_MASK_ALL_MCAST, NULL, 0);
	for (unsigned int i = 0; i < 10; i++)
		receive(d, &f, 0, 100);
	for (unsigned int i = 0; i < 3; i++)
		receive(d, &bc, 0, 200);
	receive(d, &mc, 0, 300);
	receive(d, &tag, 0, 1400);
	f.dmac = other;
	receive(d, &f, 0, 100);
	drv_wire_hdr(d, &large, frame, frame_make(frame, &f, 0, 2500));
	f.dmac = NULL;
	t.len = frame_make(frame, &f, 0, 3000);
	t.lflags = TXEXT_LSO | 33u << 16;
	t.mss = 1000;
	drv_send(d, 0, &t);
	t.lflags = 0;
	t.len = frame_make(frame, &bc, 0, 100);
	drv_send(d, 0, &t);
	t.len = 20;
	drv_send(d, 0, &t);
	nic_flush(d->nic);
	drv_run(d);

	memset(drv_ptr(d, d->q[0].stats), 0xee, sizeof(s));
	next = nic_run_timers(d->nic, 400000000ull);
	memcpy(&s, drv_ptr(d, d->q[0].stats), sizeof(s));
	tap_ok(next == 600000000ull && s.rx_pkts[0] == 0xeeeeeeeeeeeeeeeeull,
	       "nothing is written before its time");
	next = nic_run_timers(d->nic, 1000000000ull);
	memcpy(&s, drv_ptr(d, d->q[0].stats), sizeof(s));
	tap_eq(next, 1000000000ull, "the next time is a period away");
	tap_ok(s.rx_pkts[0] == 11 && s.rx_pkts[1] == 1 && s.rx_pkts[2] == 3,
	       "packets received by kind");
	tap_ok(s.rx_bytes[0] == 10 * 166 + 1470 && s.rx_bytes[1] == 366 && s.rx_bytes[2] == 3 * 266,
	       "bytes received by kind");
	tap_ok(s.tx_pkts[0] == 3 && s.tx_bytes[0] == 3 * 1066 && s.tx_pkts[2] == 2 &&
		       s.tx_bytes[2] == 166 + 60,
	       "packets and bytes sent, each segment and the padding counted");
	tap_eq(drv_hwrm(d, &sr, sizeof(sr), &sq, sizeof(sq)), 0, "STAT_CTX_QUERY");
	tap_ok(sq.rx_pkts[0] == 11 && sq.tx_bytes[0] == 3 * 1066 && !sq.rx_discard,
	       "tells the same");

	pq.tx_stat_host_addr = drv_alloc(d, 4096);
	pq.rx_stat_host_addr = drv_alloc(d, 4096);
	tap_eq(drv_hwrm(d, &pq, sizeof(pq), &sizes, sizeof(sizes)), 0, "PORT_QSTATS");
	tap_ok(sizes.tx_stat_size == 51 * 8 && sizes.rx_stat_size == 66 * 8,
	       "with the sizes of the structures");
	tx = drv_ptr(d, pq.tx_stat_host_addr);
	rx = drv_ptr(d, pq.rx_stat_host_addr);
	tap_ok(rx[11] == 19 && rx[12] == 15 && rx[13] == 1 && rx[14] == 3 && rx[31] == 1,
	       "frames of the port");
	tap_eq(rx[61], 11 * 170 + 3 * 270 + 370 + 1474 + 2500 + 3 * 70,
	       "bytes of the port, with FCS");
	tap_ok(rx[2] == 11 && rx[3] == 4 && rx[4] == 1 && rx[5] == 3, "sizes of the port's frames");
	tap_ok(tx[12] == 5 && tx[5] == 3 && tx[0] == 1 && tx[47] == 3 * 1070 + 170 + 64,
	       "what the port sent");
	pe.tx_stat_host_addr = pq.tx_stat_host_addr;
	pe.rx_stat_host_addr = pq.rx_stat_host_addr;
	tap_eq(drv_hwrm(d, &pe, sizeof(pe), &sizes, sizeof(sizes)), 0, "PORT_QSTATS_EXT");
	tap_ok(sizes.tx_stat_size == 128 && sizes.rx_stat_size == 488 && rx[59] == 4 &&
		       rx[13] == 19 && tx[8] == 5,
	       "tells of the queue and of frames that no filter wanted");
	pq.rx_stat_host_addr = 1;
	tap_eq(drv_hwrm(d, &pq, sizeof(pq), NULL, 0), 2, "PORT_QSTATS to nowhere is refused");
	drv_ended(d, "stats");
}

static void test_size_classes(void)
{
	/* largest frame of each class, with FCS, and the class's place in rx_port_stats */
	static const struct {
		uint16_t largest, place;
	} classes[] = {
		{ 127, 1 },  { 255, 2 },  { 511, 3 },  { 1023, 4 },
		{ 1518, 5 }, { 2047, 7 }, { 4095, 8 }, { 9216, 9 },
	};
	struct drv_opts o = drv_defaults();
	struct flow f = tcp4(1, 2);
	struct drv *d;

	o.mtu = 9300;
	d = drv_opened(&o);
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		uint64_t next;

		receive(d, &f, 0, classes[i].largest - 4 - 66);
		next = port_rx(d, classes[i].place + (classes[i].place == 5 ? 2 : 1));
		receive(d, &f, 0, classes[i].largest - 4 - 66 + 1);
		tap_ok(port_rx(d, classes[i].place) &&
			       port_rx(d, classes[i].place + (classes[i].place == 5 ? 2 : 1)) ==
				       next + 1,
		       "a frame of %u bytes is the last of its class", classes[i].largest);
	}
	drv_ended(d, "size classes");
}

/*
 * Life
 */

static void test_restart(void)
{
	struct drv_opts o = drv_defaults();
	struct drv *d;
	struct drv_queue *q;
	struct flow f = tcp4(1, 2);
	struct vnic_update_req up = { .hdr.req_type = HWRM_VNIC_UPDATE,
				      .enables = VNIC_UPDATE_EN_MRU };
	struct vnic_cfg_req cfg = {
		.hdr.req_type = HWRM_VNIC_CFG,
		.enables = VNIC_CFG_EN_RX_RING | VNIC_CFG_EN_CMPL_RING,
		.mru = 1518,
	};
	struct vnic_qcaps_resp caps = { 0 };
	unsigned int good = 0;

	o.nic.queue_restart = true;
	d = drv_opened(&o);
	q = &d->q[0];
	drv_hwrm_simple(d, HWRM_VNIC_QCAPS, &caps, sizeof(caps));
	tap_ok(caps.flags & VNIC_CAP_RE_FLUSH, "the restart of a queue is announced");
	for (unsigned int round = 0; round < 300; round++) {
		uint32_t cons;

		good += receive(d, &f, 0, 1000) && receive(d, &f, 0, 20);
		up.vnic_id = d->vnic;
		up.mru = 0;
		drv_hwrm(d, &up, sizeof(up), NULL, 0);
		cons = q->rxcq.cons;
		good += !drv_ring_free(d, &q->rx, HWRM_NO_CMPL_RING) &&
			!drv_ring_free(d, &q->agg, HWRM_NO_CMPL_RING);
		good += !receive(d, &f, 0, 1000);
		good += !drv_open_queue_rx(d, 0);
		drv_post_rx(d, 0, o.rx_entries - 1);
		drv_post_agg(d, 0, o.agg_entries - 1);
		good += !drv_rss(d, d->vnic, d->rss_ctx, NULL, 0);
		cfg.vnic_id = d->vnic;
		cfg.default_rx_ring_id = q->rx.id;
		cfg.default_cmpl_ring_id = q->rxcq.id;
		good += !drv_hwrm(d, &cfg, sizeof(cfg), NULL, 0);
		good += q->rxcq.cons == cons;
		d->next -= (o.rx_entries + o.agg_entries) *
			   ENTRY_SIZE; /* the rings' memory, for the next round */
	}
	tap_eq(good, 300 * 7, "300 restarts of a queue under its living CQ");
	drv_ended(d, "restart");
}

/*
 * Has the next ring get an id that was freed: makes and frees others until they have had all ids
 * once, and then up to the one after which it had been that id's turn
 */
static bool next_is(struct drv *d, uint16_t id)
{
	struct drv_ring ring;
	uint16_t before = id;
	bool seen = false;

	for (unsigned int i = 0; i < 2048; i++) {
		struct ring_alloc_req q = { .logical_id = 0 };
		uint64_t memory = d->next;

		if (drv_ring_alloc(d, &ring, RING_NQ, 16, &q) ||
		    drv_ring_free(d, &ring, HWRM_NO_CMPL_RING))
			return false;
		d->next = memory;
		if (seen && ring.id == before)
			return true;
		if (ring.id == id)
			seen = true;
		else if (!seen)
			before = ring.id;
	}
	return false;
}

/* What has lost a part of it does not take that of another queue which got the id */
static void test_ids_again(void)
{
	static const uint8_t first = 0, data[60] = { 2 };
	struct ring_alloc_req agg = {
		.enables = RING_EN_RX_BUF_SIZE | RING_EN_RX_RING_ID,
		.logical_id = 3, .rx_buf_size = 4096,
	};
	struct ring_alloc_req cq = { .logical_id = 1, .enables = RING_EN_NQ_RING_ID };
	struct drv_opts o = drv_defaults();
	struct drv_tx t = { .data = data, .len = sizeof(data) };
	struct flow f = tcp4(1, 2);
	struct drv_ring ring;
	struct drv_queue *q;
	struct drv_pkt *p;
	struct drv *d;
	uint16_t id;

	o.queues = 2;
	o.mtu = 9000;
	o.plc_flags = PLC_JUMBO;
	d = drv_opened(&o);
	q = d->q;
	drv_rss(d, d->vnic, d->rss_ctx, &first, 1);
	agg.rx_ring_id = q[1].rx.id;
	cq.nq_ring_id = q[1].nq.id;

	id = q[0].agg.id;
	drv_ring_free(d, &q[0].agg, HWRM_NO_CMPL_RING);
	drv_ring_free(d, &q[1].agg, HWRM_NO_CMPL_RING);
	tap_ok(next_is(d, id) && !drv_ring_alloc(d, &q[1].agg, RING_AGG, 256, &agg) &&
		       q[1].agg.id == id,
	       "a queue gets an aggregation ring with the id of another's");
	p = receive(d, &f, 9, 4000);
	tap_ok(p && p->error && p->errors == RXEXT_ERR_NOT_FIT,
	       "the other is without one: what is longer than a buffer does not fit");

	id = q[0].txcq.id;
	drv_ring_free(d, &q[0].txcq, HWRM_NO_CMPL_RING);
	tap_ok(next_is(d, id) && !drv_ring_alloc(d, &ring, RING_CMPL, 64, &cq) && ring.id == id,
	       "a queue gets a completion queue with the id of another's");
	drv_send(d, 0, &t);
	nic_flush(d->nic);
	tap_ok(strstr(d->last_trace, "completion queue is gone"), "the other cannot send: %s",
	       d->last_trace);
	drv_ended(d, "ids that are given again");
}

static void test_reopen(void)
{
	struct drv_opts o = drv_defaults();
	struct flow f = tcp4(1, 2);
	unsigned int good = 0;
	struct drv *d;

	o.queues = 4;
	o.rx_entries = o.tx_entries = o.agg_entries = o.cq_entries = 128;
	d = drv_opened(&o);
	for (unsigned int i = 0; i < 30; i++) {
		uint64_t at;

		good += queue_of(d, &f) >= 0;
		good += !drv_close(d);
		good += queue_of(d, &f) == -1;
		at = d->next;
		if (at > DRV_MEM_SIZE / 2)
			d->next = 16 << 20;
		memset(d->mem + d->next, 0, 8 << 20);
		memset(d->q, 0, sizeof(d->q));
		memcpy(d->handled, d->msix, sizeof(d->msix));
		good += !drv_open(d);
	}
	tap_eq(good, 120, "30 times down and up");
	nic_reset(d->nic);
	tap_eq(queue_of(d, &f), -1, "after a reset nothing arrives");
	memset(d->mem + (16 << 20), 0, 16 << 20);
	d->next = 16 << 20;
	memset(d->q, 0, sizeof(d->q));
	memcpy(d->handled, d->msix, sizeof(d->msix));
	tap_eq(drv_open(d), 0, "and it can be opened again");
	tap_ok(queue_of(d, &f) >= 0, "and works");
	drv_ended(d, "reopen");
}

static int phy_down(struct drv *d, bool down)
{
	struct port_phy_cfg_req q = {
		.hdr.req_type = HWRM_PORT_PHY_CFG,
		.flags = down ? PHY_CFG_FORCE_DOWN : PHY_CFG_FORCE,
		.force_link_speed = down ? 0 : PHY_SPEED_100G,
	};
	int rc = drv_hwrm(d, &q, sizeof(q), NULL, 0);

	nic_flush(d->nic);
	drv_run(d);
	return rc;
}

static void test_link(void)
{
	struct drv_opts o = drv_defaults();
	struct drv *d = drv_opened(&o);
	struct port_phy_qcfg_resp phy;
	struct flow f = tcp4(1, 2);

	nic_set_link(d->nic, true);
	drv_run(d);
	tap_eq(d->async_events, 0, "no event without a change");
	nic_set_link(d->nic, false);
	drv_run(d);
	tap_ok(d->async_events == 1 && !(d->async_data & 1), "pulling the cable is an event");
	drv_hwrm_simple(d, HWRM_PORT_PHY_QCFG, &phy, sizeof(phy));
	tap_ok(phy.link == 0 && phy.link_speed == 0, "PORT_PHY_QCFG says so, too");
	tap_eq(queue_of(d, &f), -1, "nothing arrives without link");
	nic_set_link(d->nic, true);
	drv_run(d);
	tap_ok(d->async_events == 2 && d->async_data & 1, "plugging it in is the next");
	tap_eq(queue_of(d, &f), 0, "and frames arrive");
	phy_down(d, true);
	tap_ok(d->async_events == 3 && !(d->async_data & 1), "the driver can force the link down");
	nic_set_link(d->nic, false);
	nic_set_link(d->nic, true);
	drv_run(d);
	tap_eq(d->async_events, 3, "then the cable changes nothing");
	phy_down(d, false);
	tap_ok(d->async_events == 4 && d->async_data & 1, "until the driver lets it up");
	drv_ended(d, "link");
}

static void test_backpressure(void)
{
	struct drv_opts o = drv_defaults();
	struct flow f = tcp4(1, 2);
	uint8_t frame[200];
	size_t len = frame_make(frame, &f, 0, 30);
	struct ctx_stats s;
	unsigned int n;
	struct drv *d;

	o.nic.rx_backpressure = true;
	o.queues = 2;
	d = drv_opened(&o);
	nic_run_timers(d->nic, 1000);
	for (unsigned int i = 0; i < 2; i++)
		d->q[i].hold = true;
	tap_ok(nic_wire_ready(d->nic), "the wire may give frames");
	for (n = 0; nic_wire_ready(d->nic) && n < 1000; n++)
		drv_wire(d, frame, len);
	tap_ok(n > 150 && n < 200, "and is stopped before buffers are gone (after %u)", n);
	nic_flush(d->nic);
	drv_run(d);
	tap_ok(!nic_wire_ready(d->nic), "reading completions is not enough");
	tap_eq(nic_run_timers(d->nic, 1000) , 50000000ull, "there is a limit to the wait");
	{
		int queue = drv_next_rx(d)->queue;

		drv_post_rx(d, queue, n);
	}
	tap_ok(nic_wire_ready(d->nic), "new buffers start it again");
	for (n = 0; nic_wire_ready(d->nic) && n < 1000; n++)
		drv_wire(d, frame, len);
	nic_run_timers(d->nic, 1000 + 50000000ull);
	tap_ok(nic_wire_ready(d->nic), "after the limit the wire goes on");
	for (unsigned int i = 0; i < 100; i++)
		drv_wire(d, frame, len);
	tap_ok(nic_wire_ready(d->nic), "and is not stopped again by the same ring");
	nic_run_timers(d->nic, 2000000000ull);
	n = 0;
	for (unsigned int i = 0; i < 2; i++) {
		memcpy(&s, drv_ptr(d, d->q[i].stats), sizeof(s));
		n += s.rx_discard;
	}
	tap_ok(n > 0 && n < 100, "which now drops (%u)", n);
	nic_flush(d->nic);
	drv_run(d);
	drv_close(d);
	tap_ok(nic_wire_ready(d->nic), "a closed ring holds nobody back");
	drv_ended(d, "backpressure");
}

static void test_rx_burst(void)
{
	static uint8_t frame[MAX_FRAME];
	static const uint8_t other[6] = { 2, 0, 0, 0, 0, 77 };
	struct virtio_net_hdr_v1 hdr = { .gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 16 };
	struct drv_opts o = drv_defaults();
	struct flow f = tcp4(1, 2);
	struct drv *d = drv_opened(&o);
	size_t len = frame_make(frame, &f, 0, 64000);

	drv_wire_hdr(d, &hdr, frame, len);
	tap_ok(nic_wire_ready(d->nic), "after 4000 segments the wire may give more");
	drv_wire_hdr(d, &hdr, frame, len);
	tap_ok(!nic_wire_ready(d->nic), "after 8000 it had better wait");
	nic_flush(d->nic);
	tap_ok(nic_wire_ready(d->nic), "until the burst has ended");
	f.dmac = other;
	len = frame_make(frame, &f, 0, 64000);
	for (unsigned int i = 0; i < 2; i++)
		drv_wire_hdr(d, &hdr, frame, len);
	tap_ok(!nic_wire_ready(d->nic), "frames that nobody gets count, too");
	nic_flush(d->nic);
	drv_run(d);
	drv_ended(d, "long bursts from the wire");
}

/*
 * Hostile guests. What counts is that nothing is touched that must not be
 * (the sanitizers see that) and that the device stays usable after a reset.
 */

static struct drv *hostile(void)
{
	struct drv_opts o = drv_defaults();

	o.queues = 2;
	return drv_opened(&o);
}

static void still_works(struct drv *d, const char *what)
{
	struct flow f = tcp4(1, 2);

	drv_hwrm_simple(d, HWRM_FUNC_RESET, NULL, 0);
	memset(d->mem, 0, DRV_MEM_SIZE);
	d->next = 8 << 20;
	d->broken = NULL;
	d->rx_head = d->rx_tail = d->tx_head = d->tx_tail = 0;
	memset(d->q, 0, sizeof(d->q));
	memcpy(d->handled, d->msix, sizeof(d->msix));
	tap_ok(!drv_open(d) && queue_of(d, &f) >= 0, "%s: works again after a reset", what);
	drv_free(d);
}

static void test_hostile_commands(void)
{
	struct drv *d = hostile();
	struct ring_alloc_req r;
	struct drv_ring ring;
	struct hwrm_short_req brief = { .req_type = HWRM_VER_GET,
					.signature = HWRM_SHORT_SIGNATURE,
					.size = 128 };
	static const struct {
		const char *name;
		uint32_t length;
		uint64_t addr;
		uint8_t depth, page_size, type;
		uint16_t logical;
	} bad[] = {
		{ "length 0", 0, DRV_IOVA, 0, 0, RING_NQ, 0 },
		{ "a length that is no power of two", 100, DRV_IOVA, 0, 0, RING_NQ, 0 },
		{ "a gigantic length", 1u << 31, DRV_IOVA, 0, 0, RING_NQ, 0 },
		{ "an address outside of memory", 256, 0x1000, 0, 0, RING_NQ, 0 },
		{ "an end outside of memory", 65536, DRV_IOVA + DRV_MEM_SIZE - 4096, 0, 0, RING_NQ,
		  0 },
		{ "an unaligned address", 256, DRV_IOVA + 3, 0, 0, RING_NQ, 0 },
		{ "a page table outside of memory", 256, ~0ull - 3, 1, 12, RING_NQ, 0 },
		{ "an absurd page size", 256, DRV_IOVA, 1, 200, RING_NQ, 0 },
		{ "an absurd depth", 256, DRV_IOVA, 7, 12, RING_NQ, 0 },
		{ "an unknown type", 256, DRV_IOVA, 0, 0, 99, 0 },
		{ "a vector that does not exist", 256, DRV_IOVA, 0, 0, RING_NQ, 999 },
		{ "a CQ without NQ", 256, DRV_IOVA, 0, 0, RING_CMPL, 0 },
		{ "a TX ring without CQ", 256, DRV_IOVA, 0, 0, RING_TX, 0 },
		{ "an RX ring of a queue that does not exist", 256, DRV_IOVA, 0, 0, RING_RX, 500 },
		{ "an AGG ring without RX ring", 256, DRV_IOVA, 0, 0, RING_AGG, 0 },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		r = (struct ring_alloc_req){
			.hdr.req_type = HWRM_RING_ALLOC,
			.ring_type = bad[i].type,
			.length = bad[i].length,
			.page_tbl_addr = bad[i].addr,
			.page_tbl_depth = bad[i].depth,
			.page_size = bad[i].page_size,
			.logical_id = bad[i].logical,
			.nq_ring_id = 400,
			.cmpl_ring_id = 0xfff0,
			.rx_ring_id = 0xffff,
			.rx_buf_size = 4096,
			.enables = RING_EN_NQ_RING_ID | RING_EN_RX_RING_ID | RING_EN_RX_BUF_SIZE,
		};
		tap_ok(drv_hwrm(d, &r, sizeof(r), NULL, 0) > 0, "RING_ALLOC with %s is refused",
		       bad[i].name);
	}
	r = (struct ring_alloc_req){
		.hdr.req_type = HWRM_RING_ALLOC,
		.ring_type = RING_NQ,
		.length = 512,
		.page_tbl_addr = drv_alloc(d, 4096),
		.page_tbl_depth = 1,
		.page_size = 12,
	};
	memcpy(drv_ptr(d, r.page_tbl_addr), (uint64_t[]){ DRV_IOVA | 1, 0x5000 | 3 }, 16);
	tap_eq(drv_hwrm(d, &r, sizeof(r), NULL, 0), 2,
	       "RING_ALLOC with a page outside of memory is refused");
	ring = (struct drv_ring){ .type = RING_NQ, .id = 60000 };
	tap_ok(drv_ring_free(d, &ring, HWRM_NO_CMPL_RING) > 0,
	       "RING_FREE of an unknown ring is refused");
	ring = d->q[0].rx;
	ring.type = RING_TX;
	tap_ok(drv_ring_free(d, &ring, HWRM_NO_CMPL_RING) > 0,
	       "RING_FREE of another type is refused");
	tap_eq(drv_ring_free(d, &ring, 0x7777), 2, "a completion to an unknown ring is no harm");
	/* requests and answers that lie nowhere */
	brief.req_addr = 0x10;
	for (unsigned int i = 0; i < 4; i++) {
		uint32_t v;

		memcpy(&v, (uint8_t *)&brief + i * 4, 4);
		nic_mmio_write(d->nic, NIC_BAR_GRC, i * 4, 4, v);
	}
	nic_mmio_write(d->nic, NIC_BAR_GRC, GRC_HWRM_TRIGGER, 4, 1);
	tap_ok(strstr(d->last_trace, "cannot be read"),
	       "a request that lies nowhere is told in the trace");
	d->resp = DRV_IOVA + DRV_MEM_SIZE - 12;
	*(struct hwrm_req_hdr *)drv_ptr(d, d->req) = (struct hwrm_req_hdr){
		.req_type = HWRM_VER_GET, .cmpl_ring = HWRM_NO_CMPL_RING, .resp_addr = d->resp,
	};
	brief.req_addr = d->req;
	for (unsigned int i = 0; i < 4; i++) {
		uint32_t v;

		memcpy(&v, (uint8_t *)&brief + i * 4, 4);
		nic_mmio_write(d->nic, NIC_BAR_GRC, i * 4, 4, v);
	}
	nic_mmio_write(d->nic, NIC_BAR_GRC, GRC_HWRM_TRIGGER, 4, 1);
	tap_ok(strstr(d->last_trace, "cannot be written"), "so is an answer");
	d->resp = DRV_IOVA + 4096;
	still_works(d, "hostile commands");
}

/* CPU seconds that frames take which go to a ring without CQ, among @more TX queues */
static double time_without_cq(unsigned int more)
{
	static uint8_t frame[MAX_FRAME];
	struct virtio_net_hdr_v1 hdr = { .gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 16 };
	struct drv_opts o = drv_defaults();
	struct flow f = tcp4(1, 2);
	struct drv_ring cq, tx;
	struct drv *d;
	clock_t start;
	size_t len;

	o.nic.queues = NIC_MAX_QUEUES;
	d = drv_opened(&o);
	for (unsigned int i = 0; i < more; i++) {
		struct ring_alloc_req c = { .enables = RING_EN_NQ_RING_ID,
					    .nq_ring_id = d->q[0].nq.id };
		struct ring_alloc_req t = { 0 };

		if (drv_ring_alloc(d, &cq, RING_CMPL, 16, &c))
			tap_bail("a CQ cannot be made");
		t.cmpl_ring_id = cq.id;
		if (drv_ring_alloc(d, &tx, RING_TX, 16, &t))
			tap_bail("a TX ring cannot be made");
	}
	drv_ring_free(d, &d->q[0].rxcq, HWRM_NO_CMPL_RING);
	len = frame_make(frame, &f, 0, 64000);
	start = clock();
	for (unsigned int i = 0; i < 10; i++)
		drv_wire_hdr(d, &hdr, frame, len);
	start = clock() - start;
	drv_free(d);
	return (double)start / CLOCKS_PER_SEC;
}

static void test_hostile_queues(void)
{
	double few = time_without_cq(0), many = time_without_cq(59);

	tap_ok(many < 4 * few, "frames for a ring without CQ are not searched for: %.1f and %.1f ms",
	       few * 1000, many * 1000);
}

static void test_hostile_rings(void)
{
	static uint8_t frame[MAX_FRAME];
	struct flow f = tcp4(1, 2);
	size_t len = frame_make(frame, &f, 0, 1000);
	struct drv_tx t = { .data = frame, .len = len };
	static const struct {
		const char *name;
		uint32_t dw[4];
	} bds[] = {
		{ "an address outside of memory",
		  { TXBD_TYPE_LONG | 2 << 8 | TXBD_PACKET_END | 100 << 16, 1, 0x10, 0 } },
		{ "an address that wraps",
		  { TXBD_TYPE_LONG | 2 << 8 | TXBD_PACKET_END | 0xffffu << 16, 1, 0xfffffff0,
		    0xffffffff } },
		{ "more descriptors than there are",
		  { TXBD_TYPE_LONG | 31 << 8 | TXBD_PACKET_END | 100 << 16, 1, 0, 1 } },
		{ "one descriptor",
		  { TXBD_TYPE_LONG | 1 << 8 | TXBD_PACKET_END | 100 << 16, 1, 0, 1 } },
		{ "an unknown type", { 0x3f | 2 << 8 | TXBD_PACKET_END | 100 << 16, 1, 0, 1 } },
		{ "no end", { TXBD_TYPE_LONG | 2 << 8 | 100 << 16, 1, 0, 1 } },
	};
	struct drv *d;

	for (size_t i = 0; i < sizeof(bds) / sizeof(bds[0]); i++) {
		d = hostile();
		memcpy(drv_entry(d, &d->q[0].tx, 0), bds[i].dw, 16);
		drv_doorbell(d, DB_SQ, d->q[0].tx.id, 2);
		nic_flush(d->nic);
		tap_ok(!d->wire_frames && strstr(d->last_trace, "failed"),
		       "TX with %s fails the ring", bds[i].name);
		d->q[0].tx.prod = 2;
		drv_send(d, 0, &t);
		nic_flush(d->nic);
		tap_ok(!d->wire_frames, "which then does nothing");
		drv_send(d, 1, &t);
		nic_flush(d->nic);
		tap_eq(d->wire_frames, 1, "while others live");
		tap_eq(drv_ring_free(d, &d->q[0].tx, HWRM_NO_CMPL_RING), 0, "and can be freed");
		still_works(d, "hostile TX");
	}

	d = hostile();
	for (unsigned int i = 0; i < 256; i++) {
		uint64_t addr = 0x1234;

		memcpy((uint8_t *)drv_entry(d, &d->q[0].agg, i) + 8, &addr, 8);
		memcpy((uint8_t *)drv_entry(d, &d->q[1].rx, i) + 8, &addr, 8);
	}
	for (unsigned int i = 0; i < 50; i++) {
		struct flow g = tcp4(i, i);

		drv_wire(d, frame, frame_make(frame, &g, 0, 1000));
	}
	nic_flush(d->nic);
	tap_ok(!d->rx_head, "RX and AGG buffers outside of memory take nothing");
	still_works(d, "hostile buffers");

	d = hostile();
	for (unsigned int i = 0; i < 3000; i++)
		drv_doorbell(d, i % 16, i % 40, i * 7919);
	for (unsigned int i = 0; i < 100; i++)
		drv_wire(d, frame, len);
	nic_flush(d->nic);
	still_works(d, "senseless doorbells");

	d = hostile();
	dma_map_clear(nic_dma(d->nic));
	drv_wire(d, frame, len);
	drv_doorbell(d, DB_SQ, d->q[0].tx.id, 9);
	nic_set_link(d->nic, false);
	nic_set_link(d->nic, true);
	nic_flush(d->nic);
	nic_run_timers(d->nic, 5000000000ull);
	dma_map_add(nic_dma(d->nic), DRV_IOVA, DRV_MEM_SIZE, d->mem);
	still_works(d, "memory that vanished");
}

static uint32_t rnd(uint32_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 17;
	return *s ^= *s << 5;
}

/* Random commands with plausible headers, random descriptors, doorbells and frames */
static void fuzz(uint32_t seed, unsigned int rounds)
{
	static const uint16_t ops[] = { 0x17, 0x20, 0x23, 0x40, 0x41, 0x42, 0x44, 0x46, 0x47, 0x48,
					0x4b, 0x50, 0x51, 0x53, 0x70, 0x71, 0x90, 0x91, 0x92, 0x93,
					0x99, 0x9a, 0x9b, 0xb0, 0xb1, 0xb2, 0xb3, 0xb4 };
	static uint8_t frame[MAX_FRAME];
	struct drv *d = hostile();
	uint32_t s = seed;

	for (unsigned int i = 0; i < rounds; i++) {
		uint8_t req[128];
		struct hwrm_req_hdr *hdr = (struct hwrm_req_hdr *)req;
		struct virtio_net_hdr_v1 vh = { 0 };
		struct drv_queue *q = &d->q[rnd(&s) & 1];
		struct flow f = rnd(&s) & 1 ? tcp4(rnd(&s), rnd(&s)) : tcp6(rnd(&s), rnd(&s));
		size_t len;

		switch (rnd(&s) % 6) {
		case 0:
			for (unsigned int b = 16; b < sizeof(req); b++)
				req[b] = rnd(&s) % 3 ? 0 : rnd(&s) % 5 ? rnd(&s) & 7 : rnd(&s);
			/* addresses that often exist */
			for (unsigned int b = 16; b + 8 <= sizeof(req); b += 8)
				if (rnd(&s) % 4 == 0)
					memcpy(req + b,
					       &(uint64_t){ DRV_IOVA +
							    (rnd(&s) % DRV_MEM_SIZE & ~15u) },
					       8);
			*hdr = (struct hwrm_req_hdr){ .req_type = ops[rnd(&s) % (sizeof(ops) / 2)],
						      .cmpl_ring = rnd(&s) % 3 ? 0xffff :
										 rnd(&s) & 63 };
			drv_hwrm(d, req, sizeof(req), NULL, 0);
			break;
		case 1:
			drv_doorbell(d, rnd(&s), rnd(&s) & 63, rnd(&s));
			break;
		case 2:
			for (unsigned int b = 0; b < 64; b++) {
				struct drv_ring *rings[] = { &q->tx, &q->rx, &q->agg };
				uint32_t e[4] = { rnd(&s) % 3 ? 0x20250 | rnd(&s) << 16 : rnd(&s),
						  rnd(&s), rnd(&s) % DRV_MEM_SIZE,
						  rnd(&s) % 8 ? 1 : 0 };

				memcpy(drv_entry(d, rings[rnd(&s) % 3], rnd(&s)), e, 16);
			}
			drv_doorbell(d, DB_SQ, q->tx.id, rnd(&s));
			break;
		default:
			f.proto = rnd(&s) % 3 ? 6 : 17;
			f.tcp_opts = rnd(&s) % 11 * 4;
			f.vlan = rnd(&s) % 4 ? 0 : 7;
			len = frame_make(frame, &f, 0,
					 rnd(&s) % 5 ? rnd(&s) % 1500 : rnd(&s) % 60000);
			for (unsigned int b = rnd(&s) % 8; b; b--)
				frame[rnd(&s) % (rnd(&s) % 3 ? 70 : len)] = rnd(&s);
			if (rnd(&s) % 2) {
				vh.flags = rnd(&s) & 3;
				vh.gso_type = rnd(&s) % 7;
				vh.gso_size = rnd(&s) % 9000;
				vh.csum_start = rnd(&s) % 3 ? 34 : rnd(&s);
				vh.csum_offset = rnd(&s) % 3 ? 16 : rnd(&s);
			}
			drv_wire_hdr(d, &vh, frame, rnd(&s) % 4 ? len : rnd(&s) % (len + 1));
			break;
		}
		nic_flush(d->nic);
		d->tx_tail = d->tx_head;
		if (i % 64 == 0)
			nic_run_timers(d->nic, i * 10000000ull);
		if (i % 500 == 499) {
			drv_hwrm_simple(d, HWRM_FUNC_RESET, NULL, 0);
			memset(d->mem, 0, DRV_MEM_SIZE);
			d->next = 8 << 20;
			memset(d->q, 0, sizeof(d->q));
			if (drv_open(d))
				break;
		}
	}
	still_works(d, "random guest");
}

int main(void)
{
	test_probe();
	test_reservation();
	wrap_rings(true, 16);
	wrap_rings(false, 512);
	test_arm_races();
	test_arm_rules();
	test_cq_index();
	test_hwrm_done();
	test_cq_full();
	test_tx_cq_full();
	test_split();
	test_split_knobs();
	test_split_thresholds();
	test_dma_trace();
	test_jumbo();
	test_no_agg();
	test_exhaustion();
	test_ntuple(NIC_RFS_V2);
	test_ntuple(NIC_RFS_V3);
	test_rss();
	test_l2();
	test_rx_csum();
	test_rx_gso();
	test_vlan();
	test_tx_csum();
	test_tx_tag();
	test_tso();
	test_tx_burst();
	test_wire_gso();
	test_stats();
	test_size_classes();
	test_restart();
	test_ids_again();
	test_reopen();
	test_link();
	test_backpressure();
	test_rx_burst();
	test_hostile_commands();
	test_hostile_queues();
	test_hostile_rings();
	for (uint32_t seed = 1; seed <= 6; seed++)
		fuzz(seed * 2654435761u, 2000);
	return tap_done();
}
