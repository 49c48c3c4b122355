// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Transmission: the ring is full of the descriptors of different packets, and
 * the driver rings the doorbell for half of it at a time. The wire counts.
 */
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define TX_ENTRIES	512	/* bnxt_en's default */

struct tx {
	const struct bench_case *c;
	struct drv *d;
	struct flow f;
	uint32_t bytes;		/* payload of a packet */
	uint32_t segs, bds;
	uint64_t at;		/* address of the first packet; they lie one behind the other */
	uint32_t stride;
	uint8_t *frame, *dst;
};

static uint32_t packets(const struct tx *x)
{
	return TX_ENTRIES / x->bds;
}

static uint32_t lflags(const struct tx *x)
{
	return x->c->large ? TXEXT_LSO | (uint32_t)frame_headers(&x->f) / 2 << 16 : TXEXT_L4_CSUM;
}

/* What went out is what packet @number should be on the wire */
static const char *check_wire(struct tx *x, uint32_t first)
{
	uint32_t head = frame_headers(&x->f), unit = x->c->wire_gso ? x->bytes : x->c->payload;
	struct drv_frame *out;
	uint32_t at = 0;

	while ((out = drv_next_tx(x->d))) {
		if (at == x->bytes)
			return "more went out than was sent";
		if (out->len != head + unit)
			return "a frame has another length";
		if (!x->c->wire_gso && frame_wrong(out->data, out->len, &x->f))
			return frame_wrong(out->data, out->len, &x->f);
		if (x->c->wire_gso && out->hdr.gso_size != x->c->payload)
			return "the wire is to cut it otherwise";
		if (!pattern_ok(out->data + head, unit, first + at))
			return "a payload is not what was sent";
		at += unit;
	}
	return at == x->bytes ? NULL : "not all went out";
}

/* Looks at all completions; the caller knows that they are in order */
static void take_completions(struct tx *x)
{
	struct drv_queue *q = &x->d->q[0];

	for (;;) {
		const volatile uint32_t *e = drv_entry(x->d, &q->txcq, q->txcq.cons);

		if ((e[2] & ENTRY_V) != !(q->txcq.cons & q->txcq.entries))
			return;
		q->tx_done++;
		q->txcq.cons++;
	}
}

static void arm(struct tx *x)
{
	drv_arm_cq(x->d, &x->d->q[0].txcq);
	drv_read_nq(x->d, 0);
	drv_arm_nq(x->d, &x->d->q[0].nq);
}

/* Fills the ring, and sends each packet once */
static const char *fill(struct tx *x)
{
	struct drv_tx t = { .data = x->frame, .mss = x->c->large ? x->c->payload : 0,
			    .piece = 32768, .lflags = lflags(x) };

	x->at = x->d->tx_area + 3;	/* where drv_send() puts the first */
	for (uint32_t i = 0; i < packets(x); i++) {
		const char *wrong;

		t.len = frame_make(x->frame, &x->f, i * x->bytes, x->bytes);
		t.first = x->c->large ? frame_headers(&x->f) : 0;
		x->stride = (t.len + 10) & ~7u;
		drv_send(x->d, 0, &t);
		nic_flush(x->d->nic);
		take_completions(x);
		arm(x);
		wrong = check_wire(x, i * x->bytes);
		if (wrong)
			return wrong;
	}
	return x->d->q[0].tx.prod ? "the ring is not full" : NULL;
}

static void tx_close(void *state)
{
	struct tx *x = state;

	if (x->d)
		drv_free(x->d);
	free(x->frame);
	free(x->dst);
	free(x);
}

static const char *tx_open(const struct bench_case *c, void **state, uint64_t *checked)
{
	struct tx *x = calloc(1, sizeof(*x));
	struct drv_opts o = drv_defaults();
	const char *wrong;

	*state = x;
	x->c = c;
	x->f = bench_flow(c);
	x->bytes = bench_bytes(c);
	x->segs = x->bytes / c->payload;
	x->bds = c->large ? 4 : 2;	/* headers, what is asked for, two pieces; or all in one */
	x->frame = malloc(MAX_FRAME);
	x->dst = malloc((size_t)SOURCES * MAX_FRAME);
	if (!x->frame || !x->dst)
		abort();
	o.mtu = 9000;
	o.tx_entries = TX_ENTRIES;
	o.nic.wire_gso = c->wire_gso;
	o.tx_area = 12u << 20;
	o.quiet = true;
	x->d = drv_new(&o);
	if (drv_open(x->d))
		return "the device cannot be opened";
	wrong = fill(x);
	x->d->count_only = true;
	*checked = (uint64_t)packets(x) * x->bytes;
	return wrong ? wrong : x->d->broken;
}

static const char *tx_run(void *state, double seconds, struct span *s)
{
	struct tx *x = state;
	struct drv_queue *q = &x->d->q[0];
	uint64_t sent = 0, before = x->d->wire_frames, done = q->tx_done;
	uint32_t entries = TX_ENTRIES / 2;
	double start = bench_now(), end = start;

	/* a batch of few large packets is as much as one of many small ones */
	if (x->segs > 1)
		entries = 4 * x->bds;
	do {
		double from = end;

		q->tx.prod = (q->tx.prod + entries) & (TX_ENTRIES - 1);
		drv_doorbell(x->d, DB_SQ, q->tx.id, q->tx.prod);
		nic_flush(x->d->nic);
		end = bench_now();
		s->device += end - from;
		take_completions(x);
		from = bench_now();
		arm(x);
		end = bench_now();
		s->device += end - from;
		sent += entries / x->bds;
	} while (end - start < seconds);
	s->all += end - start;
	s->frames += sent * x->segs;
	if ((uint32_t)(q->tx_done - done) != (uint32_t)sent)
		return "completions are missing";
	if (x->d->wire_frames - before != sent * (x->c->wire_gso ? 1 : x->segs))
		return "frames are missing";
	return x->d->broken;
}

static void tx_copy(void *state, double seconds, struct span *s)
{
	struct tx *x = state;
	uint32_t head = frame_headers(&x->f), n = x->segs > 1 ? 4 : BATCH;
	double start = bench_now(), end;
	uint64_t packet = 0;

	do {
		for (uint32_t i = 0; i < n; i++, packet++) {
			uint64_t at = x->at + packet % packets(x) * x->stride + head;

			memcpy(x->dst + packet % SOURCES * MAX_FRAME, drv_ptr(x->d, at), x->bytes);
			__asm__ volatile("" : : : "memory");
		}
		end = bench_now();
	} while (end - start < seconds);
	s->device += end - start;
	s->all += end - start;
	s->frames += packet * x->segs;
}

const struct bench bench_tx = {
	.dir = "tx",
	.open = tx_open,
	.run = tx_run,
	.copy = tx_copy,
	.close = tx_close,
};
