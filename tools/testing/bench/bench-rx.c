// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reception: the driver looks at each completion and posts the buffer at the
 * place where it was, as one does that has a full page pool.
 */
#include <stdlib.h>
#include <string.h>

#include "bench.h"

struct rx {
	const struct bench_case *c;
	struct drv *d;
	struct virtio_net_hdr_v1 hdr;
	uint8_t *src[SOURCES];
	size_t len, head;
	uint32_t segs;		/* frames as on a cable in one that comes */
	uint64_t next;		/* frame that is sent next */

	bool compare;
	uint64_t bytes;		/* payload that came out */
	uint32_t rx_used, agg_used;
	const char *wrong;
};

/* All descriptors in place; a buffer stays at its place of the ring */
static void fill_ring(struct drv *d, struct drv_ring *r, uint64_t buf, uint32_t size, uint32_t type)
{
	for (uint32_t i = 0; i < r->entries; i++) {
		struct hsi_entry e = { .dw = { type | size << 16, i } };
		uint64_t addr = buf + (uint64_t)i * size;

		memcpy(&e.dw[2], &addr, sizeof(addr));
		memcpy(drv_entry(d, r, i), &e, sizeof(e));
	}
}

static struct drv *open_device(const struct bench_case *c)
{
	struct drv_opts o = drv_defaults();
	struct drv *d;

	/* the sizes that bnxt_en has by default */
	o.rx_entries = 512;
	o.agg_entries = 2048;
	o.cq_entries = 8192;
	o.mtu = 9000;
	o.nic.tpa = c->tpa;
	o.nic.tpa_timer_us = 1000000;
	o.tpa_flags = c->tpa;
	o.tpa_max_segs = VNIC_TPA_MAX_SEGS;
	o.quiet = true;
	if (c->whole) {
		o.plc_flags = 0;
		o.rx_buf = 3584;
	}
	d = drv_new(&o);
	if (drv_open(d)) {
		drv_free(d);
		return NULL;
	}
	fill_ring(d, &d->q[0].rx, d->q[0].rx_buf, o.rx_buf, RXBD_TYPE_PACKET);
	fill_ring(d, &d->q[0].agg, d->q[0].agg_buf, o.agg_buf, RXBD_TYPE_AGG);
	return d;
}

static void make_frames(struct rx *r)
{
	unsigned int bytes = bench_bytes(r->c);
	struct flow f = bench_flow(r->c);

	r->head = frame_headers(&f);
	f.partial = r->c->large;
	if (r->c->large)
		r->hdr = (struct virtio_net_hdr_v1){ .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
						     .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
						     .gso_size = r->c->payload,
						     .csum_start = frame_l4(&f),
						     .csum_offset = 16 };
	else if (r->c->vouched)
		r->hdr.flags = VIRTIO_NET_HDR_F_DATA_VALID;
	for (unsigned int i = 0; i < SOURCES; i++) {
		r->src[i] = malloc(MAX_FRAME);
		if (!r->src[i])
			abort();
		r->len = frame_make(r->src[i], &f, i * bytes, bytes);
		f.seq += bytes;
	}
	r->segs = bytes / r->c->payload;
}

static void take_payload(struct rx *r, uint64_t iova, uint32_t len)
{
	uint32_t period = SOURCES * bench_bytes(r->c);

	if (r->compare && !pattern_ok(drv_ptr(r->d, iova), len, r->bytes % period))
		r->wrong = "a payload is not what was sent";
	r->bytes += len;
}

static void take_packet(struct rx *r, const volatile uint32_t *e)
{
	const struct drv_opts *o = &r->d->o;
	uint32_t len = e[0] >> 16;

	if (e[0] & RXCMP_ERROR)
		r->wrong = "a completion tells of an error";
	/* the headers are of one length here, so what is longer has payload behind them */
	if (len > r->head)
		take_payload(r, r->d->q[0].rx_buf + (uint64_t)e[1] * o->rx_buf +
				(o->sop_pad ? 2 : 0) + r->head, len - r->head);
}

/* Looks at all completions */
static void take_completions(struct rx *r)
{
	struct drv_queue *q = &r->d->q[0];

	for (;;) {
		const volatile uint32_t *e = drv_entry(r->d, &q->rxcq, q->rxcq.cons);

		if ((e[2] & ENTRY_V) != !(q->rxcq.cons & q->rxcq.entries))
			return;
		switch (e[0] & 0x3f) {
		case CMP_RX_L2:
			take_packet(r, e);
			r->rx_used++;
			q->rxcq.cons += 2;
			break;
		case CMP_TPA_START:
			take_packet(r, e);
			r->rx_used += 2;
			q->rxcq.cons += 2;
			break;
		case CMP_TPA_END:
			q->rxcq.cons += 2;
			break;
		default:
			take_payload(r, q->agg_buf + (uint64_t)e[1] * r->d->o.agg_buf, e[0] >> 16);
			r->agg_used++;
			q->rxcq.cons++;
		}
	}
}

/* Posts what was used, arms the queues */
static void give_back(struct rx *r)
{
	struct drv_queue *q = &r->d->q[0];

	q->rx.prod = (q->rx.prod + r->rx_used) & (q->rx.entries - 1);
	drv_doorbell(r->d, DB_SRQ, q->rx.id, q->rx.prod);
	if (r->agg_used) {
		q->agg.prod = (q->agg.prod + r->agg_used) & (q->agg.entries - 1);
		drv_doorbell(r->d, DB_SRQ, q->agg.id, q->agg.prod);
	}
	r->rx_used = 0;
	r->agg_used = 0;
	drv_arm_cq(r->d, &q->rxcq);
	drv_read_nq(r->d, 0);
	drv_arm_nq(r->d, &q->nq);
}

static void send_batch(struct rx *r)
{
	uint32_t n = r->segs < BATCH ? BATCH / r->segs : 1;

	for (uint32_t i = 0; i < n; i++)
		nic_wire_rx(r->d->nic, &r->hdr, r->src[r->next++ % SOURCES], r->len);
	nic_flush(r->d->nic);
}

static const char *all_came(struct rx *r)
{
	if (r->wrong)
		return r->wrong;
	if (r->d->broken)
		return r->d->broken;
	return r->bytes == r->next * bench_bytes(r->c) ? NULL : "payload was lost";
}

/* Ends what is being aggregated */
static void settle(struct rx *r)
{
	nic_run_timers(r->d->nic, 3600000000000ull);
	nic_flush(r->d->nic);
	take_completions(r);
	give_back(r);
	nic_run_timers(r->d->nic, 0);
}

static void rx_close(void *state)
{
	struct rx *r = state;

	for (unsigned int i = 0; i < SOURCES; i++)
		free(r->src[i]);
	if (r->d)
		drv_free(r->d);
	free(r);
}

static const char *rx_open(const struct bench_case *c, void **state, uint64_t *checked)
{
	struct rx *r = calloc(1, sizeof(*r));

	*state = r;
	r->c = c;
	r->d = open_device(c);
	if (!r->d)
		return "the device cannot be opened";
	make_frames(r);
	r->compare = true;
	for (int i = 0; i < 20; i++) {
		send_batch(r);
		take_completions(r);
		give_back(r);
	}
	settle(r);
	r->compare = false;
	*checked = r->bytes;
	return all_came(r);
}

static const char *rx_run(void *state, double seconds, struct span *s)
{
	double start = bench_now(), end = start;
	struct rx *r = state;
	uint64_t first = r->next;

	do {
		double from = end;

		send_batch(r);
		end = bench_now();
		s->device += end - from;
		take_completions(r);
		from = bench_now();
		give_back(r);
		end = bench_now();
		s->device += end - from;
	} while (end - start < seconds);
	s->all += end - start;
	s->frames += (r->next - first) * r->segs;
	settle(r);
	return all_came(r);
}

static void copy_split(struct rx *r, uint64_t frame, uint32_t *at)
{
	uint32_t per = (r->c->payload + 4095) / 4096, entries = r->d->o.agg_entries;
	const uint8_t *p = r->src[frame % SOURCES] + r->head;

	for (uint32_t i = 0; i < r->segs; i++, p += r->c->payload, *at += per) {
		if (*at + per > entries)
			*at = 0;
		memcpy(drv_ptr(r->d, r->d->q[0].agg_buf + *at * 4096ull), p, r->c->payload);
	}
}

static void copy_whole(struct rx *r, uint64_t frame, uint32_t *at)
{
	const struct drv_opts *o = &r->d->o;

	*at = (*at + 1) % o->rx_entries;
	memcpy((uint8_t *)drv_ptr(r->d, r->d->q[0].rx_buf + (uint64_t)*at * o->rx_buf) +
		       (o->sop_pad ? 2 : 0) + r->head,
	       r->src[frame % SOURCES] + r->head, r->c->payload);
}

static void rx_copy(void *state, double seconds, struct span *s)
{
	double start = bench_now(), end;
	struct rx *r = state;
	uint32_t at = 0, n = r->segs < BATCH ? BATCH / r->segs : 1;
	uint64_t frame = 0;

	do {
		for (uint32_t i = 0; i < n; i++, frame++) {
			if (r->c->whole || r->c->payload + r->head < r->d->o.rx_buf)
				copy_whole(r, frame, &at);
			else
				copy_split(r, frame, &at);
			/* each copy is one that somebody may look at */
			__asm__ volatile("" : : : "memory");
		}
		end = bench_now();
	} while (end - start < seconds);
	s->device += end - start;
	s->all += end - start;
	s->frames += frame * r->segs;
}

const struct bench bench_rx = {
	.dir = "rx",
	.open = rx_open,
	.run = rx_run,
	.copy = rx_copy,
	.close = rx_close,
};
