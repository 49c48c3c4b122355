// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Interrupt coalescing of bnxt-emu, driven without any kernel.
 *
 *	make -C tools/testing/unit -f test-nic-coal.mk && build/gcc/test-nic-coal
 */
#include "nic-frames.h"
#include "nic-test.h"

#define UNIT	80u	/* ns */

static struct drv *opened(bool coalesce)
{
	struct drv_opts o = drv_defaults();

	o.nic.coalesce = coalesce;
	o.stat_period = 0;
	return drv_opened(&o);
}

/* Times in units */
static int set(struct drv *d, uint16_t num, uint16_t max, uint16_t min, uint16_t flags)
{
	struct aggint_cfg_req r = {
		.hdr.req_type = HWRM_RING_AGGINT_CFG,
		.ring_id = d->q[0].rxcq.id,
		.flags = flags,
		.enables = AGGINT_EN_INT_LAT_TMR_MIN | AGGINT_EN_INT_LAT_TMR_MAX |
			   AGGINT_EN_NUM_CMPL_AGGR_INT,
		.int_lat_tmr_min = min,
		.int_lat_tmr_max = max,
		.num_cmpl_aggr_int = num,
	};

	return drv_hwrm(d, &r, sizeof(r), NULL, 0);
}

/* Each frame is two completions */
static void frames(struct drv *d, unsigned int n)
{
	static uint8_t frame[2000];
	struct flow f = tcp4(1, 2);
	size_t len = frame_make(frame, &f, 0, 60);

	for (unsigned int i = 0; i < n; i++)
		drv_wire(d, frame, len);
	nic_flush(d->nic);
}

static uint64_t at(struct drv *d, uint64_t ns)
{
	uint64_t next = nic_run_timers(d->nic, ns);

	nic_flush(d->nic);
	return next;
}

static void test_caps(void)
{
	struct aggint_qcaps_resp a = { 0 };
	struct aggint_qcfg_req q = { .hdr.req_type = HWRM_RING_QAGGINT };
	struct aggint_qcfg_resp c = { 0 };
	struct drv *d = opened(false);

	tap_eq(drv_hwrm_simple(d, HWRM_RING_AGGINT_QCAPS, NULL, 0), 0xffff,
	       "a device that does not coalesce announces nothing");
	tap_eq(set(d, 10, 1000, 0, 0), 0, "and takes what it is told");
	frames(d, 1);
	tap_eq(d->msix[0], 1, "but interrupts at the end of a burst");
	drv_ended(d, "off");

	d = opened(true);
	tap_eq(drv_hwrm_simple(d, HWRM_RING_AGGINT_QCAPS, &a, sizeof(a)), 0,
	       "RING_AGGINT_QCAPS is answered");
	tap_ok(a.cmpl_params == 0x10f && !a.nq_params && a.timer_units == 80 &&
		       a.int_lat_tmr_max_max == 0xffff && a.num_cmpl_dma_aggr_max == 63,
	       "with what is done, and units of 80 ns");
	tap_eq(set(d, 10, 1000, 7, AGGINT_FLAG_TIMER_RESET), 0, "a CQ is set up");
	q.ring_id = d->q[0].rxcq.id;
	tap_eq(drv_hwrm(d, &q, sizeof(q), &c, sizeof(c)), 0, "and tells back");
	tap_ok(c.num_cmpl_aggr_int == 10 && c.int_lat_tmr_max == 1000 && c.int_lat_tmr_min == 7 &&
	       c.flags == AGGINT_FLAG_TIMER_RESET, "what was set");
	q.ring_id = d->q[0].rx.id;
	tap_eq(drv_hwrm(d, &q, sizeof(q), NULL, 0), 2, "an RX ring has no such thing");
	drv_ended(d, "capabilities");
}

static void test_rules(void)
{
	struct drv *d = opened(true);
	uint64_t next;

	at(d, 1000000);
	frames(d, 1);
	tap_eq(d->msix[0], 1, "before a driver sets anything each burst interrupts");
	drv_run(d);

	set(d, 8, 100, 0, 0);
	frames(d, 3);
	next = at(d, 1000000);
	tap_ok(d->msix[0] == 1 && next == 100 * UNIT, "6 completions of 8 wait for the timer");
	next = at(d, 1000000 + 100 * UNIT - 1);
	tap_ok(d->msix[0] == 1 && next == 1, "to its last nanosecond");
	next = at(d, 1000000 + 100 * UNIT);
	tap_ok(d->msix[0] == 2 && next == UINT64_MAX, "then they interrupt");
	drv_run(d);
	tap_eq(d->rx_head, 4, "all are there");

	frames(d, 4);
	tap_eq(d->msix[0], 3, "8 completions do not wait");
	drv_read_nq(d, 0);
	frames(d, 4);
	tap_eq(d->msix[0], 3, "nothing counts while the CQ is not armed");
	drv_poll_rx(d, 0);
	frames(d, 1);
	drv_arm_cq(d, &d->q[0].rxcq);
	drv_arm_nq(d, &d->q[0].nq);
	nic_flush(d->nic);
	tap_eq(d->msix[0], 3, "what came before the arm does not interrupt with it");
	at(d, 2000000);
	tap_eq(d->msix[0], 4, "but waits from then on");
	drv_run(d);

	/* a least time between two */
	set(d, 2, 1000, 500, 0);
	frames(d, 1);
	tap_eq(d->msix[0], 4, "int_lat_tmr_min holds the next one back");
	next = at(d, 2000000 + 500 * UNIT - 1);
	tap_ok(d->msix[0] == 4 && next == 1, "up to its end");
	at(d, 2000000 + 500 * UNIT);
	tap_eq(d->msix[0], 5, "then it comes");
	drv_run(d);

	/* the timer starts anew with each completion */
	set(d, 100, 100, 0, AGGINT_FLAG_TIMER_RESET);
	at(d, 3000000);
	frames(d, 1);
	at(d, 3000000 + 90 * UNIT);
	frames(d, 1);
	at(d, 3000000 + 180 * UNIT);
	tap_eq(d->msix[0], 5, "timer reset: a completion starts it anew");
	at(d, 3000000 + 190 * UNIT);
	tap_eq(d->msix[0], 6, "until none comes any more");
	drv_run(d);

	set(d, 100, 1000, 100, AGGINT_FLAG_RING_IDLE);
	frames(d, 1);
	tap_eq(d->msix[0], 7, "ring idle: the end of a burst is enough");
	drv_run(d);
	tap_eq(d->rx_head, 17, "all frames are there");
	drv_ended(d, "rules");
}

/* What the driver took without an interrupt is not waited for any more */
static void test_polled(void)
{
	struct drv *d = opened(true);
	uint64_t next;

	set(d, 100, 100, 0, 0);
	at(d, 1000000);
	frames(d, 2);
	at(d, 1000000 + 50 * UNIT);
	drv_poll_rx(d, 0);
	drv_arm_cq(d, &d->q[0].rxcq);
	next = at(d, 1000000 + 60 * UNIT);
	tap_ok(next == UINT64_MAX && !d->msix[0], "busy polling: no interrupt for what was taken");
	frames(d, 1);
	at(d, 1000000 + 159 * UNIT);
	tap_eq(d->msix[0], 0, "and what comes then waits its full time");
	at(d, 1000000 + 160 * UNIT);
	tap_eq(d->msix[0], 1, "not longer");
	drv_run(d);
	drv_ended(d, "polled");
}

static void test_hwrm_done(void)
{
	struct drv *d = opened(true);
	struct drv_queue *q = &d->q[0];

	set(d, 100, 100, 0, 0);
	at(d, 1000000);
	drv_ring_free(d, &q->rx, q->rxcq.id);
	at(d, 1000000 + 100 * UNIT);
	drv_run(d);
	tap_eq(q->hwrm_done, 1, "a command that ends by completion is seen in time");
	drv_ended(d, "HWRM_DONE");
}

/*
 * Three frames and two ticks of the clock at every place of a poll, with small
 * and large limits: when time has passed all were seen, with no more interrupts
 * than frames
 */
static void test_races(void)
{
	unsigned int orders = 0, lost = 0, noisy = 0;
	struct drv *d = opened(true);
	uint64_t now = 1000;

	for (unsigned int code = 0; code < 5 * 5 * 5 * 5 * 5 * 12; code++) {
		unsigned int gap[5], c = code / 12, kind = code % 12, irqs = d->msix[0];

		for (unsigned int i = 0; i < 5; i++, c /= 5)
			gap[i] = c % 5;
		if (gap[0] > gap[1] || gap[1] > gap[2] || gap[3] > gap[4])
			continue;
		set(d, kind & 1 ? 100 : 3, kind & 2 ? 50 : 20, kind / 4 * 15,
		    kind % 3 ? 0 : AGGINT_FLAG_TIMER_RESET);
		at(d, now);
		for (unsigned int s = 0; s <= 4; s++) {
			for (unsigned int i = 0; i < 3; i++)
				if (gap[i] == s)
					frames(d, 1);
			for (unsigned int i = 3; i < 5; i++)
				if (gap[i] == s)
					at(d, now += 20 * UNIT);
			if (s < 4)
				drv_napi_step(d, s);
		}
		for (unsigned int i = 0; i < 4; i++) {
			nic_flush(d->nic);
			drv_run(d);
			at(d, now += 100 * UNIT);
		}
		orders++;
		lost += d->rx_head - d->rx_tail != 3;
		noisy += d->msix[0] - irqs > 3;
		d->rx_tail = d->rx_head;
	}
	tap_eq(lost, 0, "%u orders of frames, time, poll and arm: all frames are seen", orders);
	tap_eq(noisy, 0, "with no more interrupts than frames");
	drv_ended(d, "races");
}

/* The number of interrupts of a steady stream is what was asked for */
static void test_rate(void)
{
	struct drv *d = opened(true);
	unsigned int irqs;
	uint64_t now = 0;

	set(d, 60, 1250, 625, 0);	/* 100 us */
	for (unsigned int i = 0; i < 1000; i++) {
		frames(d, 1);
		at(d, now += 10000);
		drv_run(d);
		while (drv_next_rx(d))
			;
	}
	irqs = d->msix[0];
	tap_ok(irqs >= 80 && irqs <= 110, "a frame each 10 us for 10 ms, timer of 100 us: %u interrupts",
	       irqs);
	set(d, 8, 1250, 0, 0);
	for (unsigned int i = 0; i < 1000; i++) {
		frames(d, 1);
		at(d, now += 10000);
		drv_run(d);
		while (drv_next_rx(d))
			;
	}
	irqs = d->msix[0] - irqs;
	tap_ok(irqs >= 245 && irqs <= 255, "four frames an interrupt: %u interrupts", irqs);
	drv_ended(d, "rate");
}

int main(void)
{
	test_caps();
	test_rules();
	test_polled();
	test_hwrm_done();
	test_races();
	test_rate();
	return tap_done();
}
