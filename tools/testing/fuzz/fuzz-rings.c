// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target "rings": a device that a sane driver has opened, then descriptors,
 * doorbells, memory and mappings as the input wants them.
 *
 * Memory also changes while the device looks at it: while a step has changes left
 * one is made before each of the core's look-ups of guest memory (fence.h). Who
 * fetches a descriptor twice gets another one.
 */
#include <stdlib.h>
#include <string.h>

#include "../../bnxt-emu/core.h"
#include "../unit/nic-driver.h"
#include "../unit/nic-frames.h"
#include "fence.h"
#include "fuzz.h"

#define MAX_STEPS 300
#define MAX_CHANGES 16
#define N_PIECES 8 /* of the guest's memory, each a region of its own */

struct change {
	uint32_t off;
	uint8_t len;
	uint8_t bytes[16];
};

struct rings_fuzz {
	struct input *in;
	struct drv *d;
	uint64_t now;
	uint32_t used; /* bytes of the driver's memory that it gave out */
	struct change change[MAX_CHANGES];
	unsigned int n_changes, next_change;
};

static void change_memory(void *arg)
{
	struct rings_fuzz *f = arg;

	if (f->next_change < f->n_changes) {
		const struct change *c = &f->change[f->next_change++];

		memcpy(f->d->mem + c->off, c->bytes, c->len);
	}
}

/* Offset of a place that matters: somewhere in a ring, or anywhere */
static struct drv_ring *pick_ring(struct rings_fuzz *f, uint8_t which)
{
	struct drv_queue *q = &f->d->q[which >> 4 & 1];
	struct drv_ring *const ring[] = { &q->tx,   &q->rx, &q->agg, &q->rxcq,
					  &q->txcq, &q->nq, &q->tx,  &q->rx };

	return ring[which & 7];
}

static void *pick_entry(struct rings_fuzz *f)
{
	struct drv_ring *r = pick_ring(f, in8(f->in));

	return drv_entry(f->d, r, in8(f->in));
}

static uint64_t pick_addr(struct rings_fuzz *f)
{
	uint8_t how = in8(f->in);

	switch (how & 3) {
	case 0: return f->d->tx_area + in16(f->in) % 8192;
	case 1: return DRV_IOVA + in32(f->in) % f->used;
	case 2: /* around the end of some region */
		return DRV_IOVA +
		       (uint64_t)(1 + (how >> 2) % N_PIECES) * (DRV_MEM_SIZE / N_PIECES) -
		       in16(f->in) % 512;
	default: return in_le(f->in, 8);
	}
}

static void step_descriptor(struct rings_fuzz *f)
{
	in_bytes(f->in, pick_entry(f), ENTRY_SIZE);
}

static void step_doorbell(struct rings_fuzz *f)
{
	static const uint8_t type[] = { DB_SQ,	     DB_SRQ, DB_CQ,	DB_CQ_ARMALL,
					DB_CQ_ARMSE, DB_NQ,  DB_NQ_ARM, DB_NQ_MASK };
	uint8_t how = in8(f->in);
	uint8_t what = how & 8 ? in8(f->in) & 15 : type[in8(f->in) & 7];
	uint16_t id = how & 0x80 ? in16(f->in) : pick_ring(f, how)->id;

	drv_doorbell(f->d, what, id, in32(f->in));
}

/* Gives a queue's entries back as a driver that has read them, or else none goes round often */
static void drain(struct rings_fuzz *f, uint8_t how)
{
	struct drv_queue *q = &f->d->q[how & 1];
	const struct drv_ring *const queue[] = { &q->rxcq, &q->txcq, &q->nq };

	for (unsigned int i = 0; i < ARRAY_SIZE(queue); i++) {
		const struct drv_ring *r = queue[i];

		if (how & 2u << i)
			continue;
		drv_doorbell(f->d, r == &q->nq ? DB_NQ_ARM : DB_CQ_ARMALL, r->id,
			     f->d->nic->ring[r->id % MAX_RINGS].prod & (r->entries - 1));
	}
}

static void step_drain(struct rings_fuzz *f)
{
	drain(f, in8(f->in));
}

static void put(struct rings_fuzz *f, struct drv_ring *r, const uint32_t dw[4])
{
	memcpy(drv_entry(f->d, r, r->prod), dw, ENTRY_SIZE);
	r->prod = (r->prod + 1) & (r->entries - 1);
}

/* Sane packets first: rings do not go wrong where they begin, but where they went round */
static void grow_old(struct rings_fuzz *f, unsigned int packets)
{
	struct drv_ring *tx = &f->d->q[0].tx;
	const uint32_t first[4] = { TXBD_TYPE_LONG | 2 << 8 | TXBD_PACKET_END | 60u << 16, 0,
				    (uint32_t)f->d->tx_area, f->d->tx_area >> 32 };
	const uint32_t ext[4] = { 0 };

	for (unsigned int i = 0; i < packets; i++) {
		put(f, tx, first);
		put(f, tx, ext);
		drv_doorbell(f->d, DB_SQ, tx->id, tx->prod);
		nic_flush(f->d->nic);
		drain(f, 0);
	}
}

/* A packet that might do, of as many descriptors as it says or not */
static void step_packet(struct rings_fuzz *f)
{
	uint8_t how = in8(f->in), bds = 2 + in8(f->in) % 31;
	struct drv_ring *tx = &f->d->q[how & 1].tx;
	uint32_t said = how & 2 ? in8(f->in) & 31 : bds & 31;
	uint64_t addr = pick_addr(f);
	uint32_t first[4] = { TXBD_TYPE_LONG | said << 8 | (how & 4 ? TXBD_NO_CMPL : 0) |
				      (bds == 2 ? TXBD_PACKET_END : 0) |
				      (uint32_t)in16(f->in) << 16,
			      1, (uint32_t)addr, addr >> 32 };
	uint32_t ext[4] = { in32(f->in), in16(f->in), 0, in32(f->in) };

	put(f, tx, first);
	put(f, tx, ext);
	for (unsigned int i = 2; i < bds; i++) {
		uint32_t dw[4];

		addr = pick_addr(f);
		dw[0] = (uint32_t)in16(f->in) << 16 | (i + 1u == bds ? TXBD_PACKET_END : 0);
		dw[1] = 0;
		dw[2] = addr;
		dw[3] = addr >> 32;
		put(f, tx, dw);
	}
	drv_doorbell(f->d, DB_SQ, tx->id, tx->prod);
}

static void step_buffers(struct rings_fuzz *f)
{
	uint8_t how = in8(f->in), n = in8(f->in) & 15;
	struct drv_queue *q = &f->d->q[how & 1];
	struct drv_ring *r = how & 2 ? &q->agg : &q->rx;

	for (unsigned int i = 0; i < n; i++) {
		uint64_t addr = how & 4 ? pick_addr(f) : f->d->tx_area + 512 * i;
		uint32_t dw[4] = { (how & 2 ? RXBD_TYPE_AGG : RXBD_TYPE_PACKET) | 320u << 16,
				   r->prod, (uint32_t)addr, addr >> 32 };

		put(f, r, dw);
	}
	drv_doorbell(f->d, DB_SRQ, r->id, r->prod);
}

/* Something that the filters let in, and the rest as the input wants */
static void step_frame(struct rings_fuzz *f)
{
	uint16_t len = in16(f->in) % 4096;
	struct virtio_net_hdr_v1 hdr = { 0 };
	uint8_t frame[4096];

	if (len & 1)
		in_bytes(f->in, &hdr, 10);
	memset(frame, 0, sizeof(frame));
	memcpy(frame, f->d->o.nic.mac, 6);
	in_bytes(f->in, frame + 6, 6 + in8(f->in) % 128);
	drv_wire_hdr(f->d, &hdr, frame, len);
}

static void step_memory(struct rings_fuzz *f)
{
	uint32_t off = in32(f->in) % (f->used - 256);
	uint8_t len = in8(f->in);

	in_bytes(f->in, f->d->mem + off, len);
}

/* Changes for the look-ups that follow */
static void step_changes(struct rings_fuzz *f)
{
	unsigned int n = 1 + in8(f->in) % MAX_CHANGES;

	f->n_changes = f->next_change = 0;
	for (unsigned int i = 0; i < n; i++) {
		struct change *c = &f->change[i];
		uint8_t *entry = pick_entry(f);
		uint8_t at = in8(f->in) & 15;

		c->len = 1 + in8(f->in) % (16 - at);
		c->off = entry + at - f->d->mem;
		in_bytes(f->in, c->bytes, c->len);
	}
	f->n_changes = n;
}

static void map_pieces(struct rings_fuzz *f, uint8_t pieces)
{
	const uint32_t size = DRV_MEM_SIZE / N_PIECES;
	struct dma_map *map = nic_dma(f->d->nic);

	dma_map_clear(map);
	for (unsigned int i = 0; i < N_PIECES; i++)
		if (pieces & 1u << i)
			dma_map_add(map, DRV_IOVA + (uint64_t)i * size, size,
				    f->d->mem + (size_t)i * size);
}

static void step_map(struct rings_fuzz *f)
{
	uint8_t how = in8(f->in);

	/* most of the time all of it: the driver's memory lies in the first piece */
	map_pieces(f, how & 0x80 ? 0xff : how);
}

static void step_flush(struct rings_fuzz *f)
{
	nic_flush(f->d->nic);
}

static void step_time(struct rings_fuzz *f)
{
	f->now += in_le(f->in, 4);
	nic_run_timers(f->d->nic, f->now);
	nic_flush(f->d->nic);
}

static void step_ring_free(struct rings_fuzz *f)
{
	uint8_t how = in8(f->in);
	struct drv_ring *r = pick_ring(f, how);

	drv_ring_free(f->d, r, how & 8 ? pick_ring(f, in8(f->in))->id : HWRM_NO_CMPL_RING);
}

/* RX and AGG ring anew, as in the restart of a queue */
static void step_ring_alloc(struct rings_fuzz *f)
{
	unsigned int queue = in8(f->in) & 1;

	if (f->d->next > DRV_MEM_SIZE - (1u << 20))
		return;
	drv_open_queue_rx(f->d, queue);
	drv_rss(f->d, f->d->vnic, f->d->rss_ctx, NULL, 0);
	f->used = f->d->next;
}

static void step_vnic(struct rings_fuzz *f)
{
	uint8_t how = in8(f->in);
	struct vnic_cfg_req cfg = {
		.hdr.req_type = HWRM_VNIC_CFG,
		.flags = how & 1 ? VNIC_CFG_VLAN_STRIP : 0,
		.vnic_id = f->d->vnic,
		.mru = how & 2 ? in16(f->in) : f->d->o.mtu + 18,
	};
	struct vnic_update_req up = {
		.hdr.req_type = HWRM_VNIC_UPDATE,
		.vnic_id = f->d->vnic,
		.enables = how >> 2 & 3,
		.vnic_state = how >> 4 & 1,
		.mru = 1518,
	};

	drv_hwrm(f->d, &cfg, sizeof(cfg), NULL, 0);
	if (how & 12)
		drv_hwrm(f->d, &up, sizeof(up), NULL, 0);
	if (how & 32) {
		uint8_t flags = in8(f->in);
		uint16_t jumbo = in16(f->in);

		drv_placement(f->d, flags, jumbo, in16(f->in));
	}
}

static void step_link(struct rings_fuzz *f)
{
	nic_set_link(f->d->nic, in8(f->in) & 1);
}

static void step_tpa(struct rings_fuzz *f)
{
	uint16_t flags = in16(f->in) & 0x1ff, segs = 1 + in8(f->in) % 64, aggs = 1 + in8(f->in);

	drv_tpa(f->d, flags, segs, aggs, in16(f->in) % 512);
}

/* Segments of a TCP stream, as they may be aggregated, one by one or as one frame */
static void step_stream(struct rings_fuzz *f)
{
	static uint8_t frame[65536 + 128];
	uint8_t how = in8(f->in), n = 1 + (in8(f->in) & 31);
	struct flow w = how & 1 ? tcp6(1, how >> 4) : tcp4(1, how >> 4);
	uint16_t len = 64 + in16(f->in) % 1400;
	struct virtio_net_hdr_v1 hdr = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
					 .gso_type = how & 1 ? VIRTIO_NET_HDR_GSO_TCPV6 :
							       VIRTIO_NET_HDR_GSO_TCPV4,
					 .gso_size = len };

	w.tcp_flags = 0x10;
	w.vlan = how & 2 ? 5 : 0;
	if (how & 8) {
		w.partial = true;
		hdr.csum_start = frame_l4(&w);
		hdr.csum_offset = 16;
		drv_wire_hdr(f->d, &hdr, frame, frame_make(frame, &w, 0, (size_t)n * len));
		return;
	}
	for (unsigned int i = 0; i < n; i++) {
		if (i + 1 == n && how & 4)
			w.tcp_flags |= 8;
		drv_wire(f->d, frame, frame_make(frame, &w, 0, len));
		w.seq += len;
		w.ip_id++;
	}
}

static void (*const steps[])(struct rings_fuzz *f) = {
	step_packet, step_packet,  step_descriptor, step_doorbell,   step_frame, step_frame,
	step_flush,  step_buffers, step_changes,    step_memory,     step_time,	 step_map,
	step_vnic,   step_link,	   step_ring_free,  step_ring_alloc, step_tpa,	 step_stream,
	step_drain,
};

static void options(struct input *in, struct drv_opts *o)
{
	uint8_t a;

	*o = drv_defaults();
	in_config(in, &o->nic);
	a = in8(in);
	if (o->nic.queues < 2)
		o->nic.queues = 2;
	o->queues = 2;
	o->tx_entries = a & 1 ? 512 : 32;
	o->rx_entries = a & 2 ? 64 : 16;
	o->agg_entries = a & 4 ? 64 : 16;
	/* two pages, or a piece of one */
	o->cq_entries = a & 8 ? 512 : 16;
	o->nq_entries = a & 16 ? 512 : 4;
	o->agg_buf = a & 32 ? 4096 : 1024;
	o->tables_depth0 = a & 64;
	o->vlan_strip = a & 128;
	o->mtu = 4000;
	o->tx_area = 64u << 10;
}

/* What the last run left where regions meet; the rest drv_renew() zeroes */
static void clear_edges(struct drv *d)
{
	for (unsigned int i = 1; i < N_PIECES; i++)
		memset(d->mem + (size_t)i * (DRV_MEM_SIZE / N_PIECES) - 8192, 0, 16384);
}

/**
 * fuzz_rings - run one input
 * @in: input
 */
void fuzz_rings(struct input *in)
{
	static struct drv *d; /* kept for its memory, which is much to get and to give back */
	struct rings_fuzz f = { .in = in };
	struct drv_opts o;
	uint8_t age;

	options(in, &o);
	d = d ? drv_renew(d, &o) : drv_new_in(&o, fence_alloc(DRV_MEM_SIZE));
	clear_edges(d);
	d->count_only = true;
	CHECK(!drv_open(d), "a sane driver cannot open the device");
	f.d = d;
	f.used = d->next;
	map_pieces(&f, 0xff);
	age = in8(in);
	grow_old(&f, age & 1 ? age * 4u : 0);
	fence_begin(nic_dma(d->nic), change_memory, &f);
	for (unsigned int i = 0; in->left && i < MAX_STEPS; i++) {
		fence_step();
		steps[in8(in) % ARRAY_SIZE(steps)](&f);
		if (i % CHECK_EVERY == 0)
			check_core(d->nic);
	}
	nic_flush(d->nic);
	check_core(d->nic);
	fence_end();
	map_pieces(&f, 0xff);
	CHECK(!drv_hwrm_simple(d, HWRM_FUNC_RESET, NULL, 0), "FUNC_RESET fails");
	check_core(d->nic);
}
