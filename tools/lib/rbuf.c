// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Zero copy receive of this kernel series: one ifq on one RX queue, data
 * announced in the ifq's own completion ring (linux/io_uring/zc_rx.h).
 */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "backend.h"
#include "rbuf_ring.h"
#include "uring.h"

/* How long to sleep at most while buffers wait for room in the refill ring */
#define REFILL_POLL_MS	1

/**
 * struct rbuf_backend - the backend
 * @base: what all have
 * @ring: the io_uring
 * @map: mapping of the ifq's rings and counters
 * @map_size: bytes of @map
 * @ifq: what the SQE calls zcrx_ifq_idx
 * @refill: our end of the refill ring
 * @cq: our end of the completion ring
 * @stats: what the kernel counts, shared
 * @page: page size
 * @cqes: entries of the event in work
 * @pieces: the same as pieces
 * @room: entries that @cqes and @pieces hold
 */
struct rbuf_backend {
	struct zcrx_backend base;
	struct uring ring;
	void *map;
	size_t map_size;
	uint32_t ifq;
	struct rbuf_refill refill;
	struct rbuf_cq cq;
	const struct io_uring_zc_rx_stats *stats;
	uint32_t page;
	struct io_uring_rbuf_cqe *cqes;
	struct zcrx_piece *pieces;
	uint32_t room;
};

static struct rbuf_backend *rbuf(struct zcrx_backend *b)
{
	return (struct rbuf_backend *)b;
}

/*
 * A kernel that knows the opcode looks at its argument, or at the caller, and
 * complains about that; one that does not knows EINVAL only.
 */
static int rbuf_probe(const struct zcrx_config *cfg, struct zcrx_refusal *why)
{
	struct uring u;
	int ret;

	(void)cfg;
	ret = uring_open(&u, 8, URING_DEFER);
	if (ret < 0)
		return zcrx_refuse(why, ZCRX_STEP_RING, ret);
	ret = uring_registration(&u, IORING_REGISTER_ZC_RX_IFQ_NR, NULL, 1);
	uring_close(&u);
	if (ret == -EINVAL)
		return zcrx_refuse(why, ZCRX_STEP_QUEUE, ENOSYS);
	return 0;
}

static int register_ifq(struct rbuf_backend *r, const struct zcrx_config *cfg,
			struct io_uring_zc_rx_ifq_reg *reg, struct zcrx_refusal *why)
{
	int err;

	*reg = (struct io_uring_zc_rx_ifq_reg){
		.if_idx = if_nametoindex(cfg->iface),
		.if_rxq_id = cfg->queue,
		.rq_entries = cfg->rq_entries,
		.cq_entries = cfg->cq_entries,
		.flags = cfg->cpu >= 0 ? IORING_ZC_RX_IFQ_CPU : 0,
		.cpu = cfg->cpu >= 0 ? (uint16_t)cfg->cpu : 0,
		.reason = (uintptr_t)why->reason,
		.reason_len = sizeof(why->reason),
	};
	if (!reg->if_idx)
		return zcrx_refuse(why, ZCRX_STEP_QUEUE, ENODEV);
	err = uring_registration(&r->ring, IORING_REGISTER_ZC_RX_IFQ_NR, reg, 1);
	if (err < 0)
		return zcrx_refuse(why, ZCRX_STEP_QUEUE, err);
	why->reason[0] = '\0';
	r->ifq = reg->zcrx_ifq_idx;
	return 0;
}

/* The areas of the region are the ring's registered buffers, by the same numbers */
static int register_areas(struct rbuf_backend *r, struct zcrx_refusal *why)
{
	struct iovec areas[ZCRX_AREAS_MAX];
	int err;

	for (uint32_t i = 0; i < r->base.region.areas; i++)
		areas[i] = zcrx_region_area(&r->base.region, i);
	err = io_uring_register_buffers(&r->ring.ring, areas, r->base.region.areas);
	return err ? zcrx_refuse(why, ZCRX_STEP_BUFFERS, err) : 0;
}

/* The ifq was registered with the first of them */
static int add_areas(struct rbuf_backend *r, struct zcrx_refusal *why)
{
	for (uint32_t i = 1; i < r->base.region.areas; i++) {
		struct io_uring_zc_rx_ctrl ctrl = {
			.zcrx_ifq_idx = r->ifq,
			.op = IORING_ZC_RX_CTRL_ADD_REGION,
			.region_id = i,
			.reason = (uintptr_t)why->reason,
			.reason_len = sizeof(why->reason),
		};
		int err = uring_registration(&r->ring, IORING_REGISTER_ZC_RX_CTRL_NR, &ctrl, 1);

		if (err < 0)
			return zcrx_refuse(why, ZCRX_STEP_QUEUE, err);
	}
	return 0;
}

static int map_rings(struct rbuf_backend *r, const struct io_uring_zc_rx_ifq_reg *reg,
		     struct zcrx_refusal *why)
{
	void *map = mmap(NULL, reg->mmap_sz, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
			 r->ring.ring.ring_fd, (off_t)reg->mmap_off);

	if (map == MAP_FAILED)
		return zcrx_refuse(why, ZCRX_STEP_MAP, errno);
	r->map = map;
	r->map_size = reg->mmap_sz;
	r->stats = (const void *)((char *)map + reg->stats_off);
	rbuf_cq_init(&r->cq, map, &reg->cq_off, reg->cq_entries);
	if (rbuf_refill_init(&r->refill, map, &reg->rq_off, reg->rq_entries,
			     r->base.region.size / r->page))
		return zcrx_refuse(why, ZCRX_STEP_REGION, ENOMEM);
	return 0;
}

static int rbuf_setup(struct rbuf_backend *r, const struct zcrx_config *cfg,
		      struct zcrx_refusal *why)
{
	struct io_uring_zc_rx_ifq_reg reg;
	int err;

	r->page = (uint32_t)sysconf(_SC_PAGESIZE);
	r->base.buf_len = r->page;
	r->room = cfg->cq_entries;
	r->cqes = calloc(r->room, sizeof(*r->cqes));
	r->pieces = calloc(r->room, sizeof(*r->pieces));
	if (!r->cqes || !r->pieces)
		return zcrx_refuse(why, ZCRX_STEP_REGION, ENOMEM);

	err = zcrx_region_map(&r->base.region, cfg, why);
	if (err)
		return err;
	zcrx_region_divide(&r->base.region, cfg);
	err = register_areas(r, why);
	if (!err)
		err = register_ifq(r, cfg, &reg, why);
	if (!err)
		err = add_areas(r, why);
	if (err)
		return err;
	return map_rings(r, &reg, why);
}

static void rbuf_close(struct zcrx_backend *b)
{
	struct rbuf_backend *r = rbuf(b);

	if (r->map)
		munmap(r->map, r->map_size);
	uring_close(&r->ring);
	rbuf_refill_free(&r->refill);
	zcrx_region_unmap(&r->base.region);
	free(r->pieces);
	free(r->cqes);
	free(r);
}

static int rbuf_open(const struct zcrx_config *cfg, struct zcrx_backend **out,
		     struct zcrx_refusal *why)
{
	struct rbuf_backend *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return zcrx_refuse(why, ZCRX_STEP_RING, ENOMEM);
	r->base.ops = &zcrx_rbuf_ops;
	r->base.ring = &r->ring;
	/* one completion announces at least one entry, so this is never the narrower ring */
	err = uring_open(&r->ring, cfg->cq_entries, URING_DEFER);
	if (err < 0) {
		free(r);
		return zcrx_refuse(why, ZCRX_STEP_RING, err);
	}
	uring_gather(&r->ring, cfg->gather_us);
	r->base.busy_polls = uring_busy_poll(&r->ring, cfg->busy_poll_us);
	err = rbuf_setup(r, cfg, why);
	if (err) {
		rbuf_close(&r->base);
		return err;
	}
	*out = &r->base;
	return 0;
}

static int rbuf_arm(struct zcrx_backend *b, struct zcrx_source *s)
{
	struct rbuf_backend *r = rbuf(b);

	return uring_recv_zc(&r->ring, s, r->ifq);
}

static int rbuf_watch(struct zcrx_backend *b, struct zcrx_source *s)
{
	return uring_watch(&rbuf(b)->ring, s);
}

/* The kernel's word is checked: a wrong offset would be a wild pointer here */
static bool is_within(const struct rbuf_backend *r, const struct io_uring_rbuf_cqe *cqe)
{
	return cqe->region < r->base.region.areas &&
	       cqe->off < zcrx_region_area(&r->base.region, cqe->region).iov_len &&
	       cqe->len <= r->page - cqe->off % r->page;
}

static int to_pieces(struct rbuf_backend *r, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct io_uring_rbuf_cqe *cqe = &r->cqes[i];
		uint32_t off;

		if (!is_within(r, cqe))
			return -EPROTO;
		off = (uint32_t)(cqe->region * r->base.region.area_size) + cqe->off;
		r->pieces[i] = (struct zcrx_piece){
			.data = r->base.region.addr + off,
			.off = off,
			.len = cqe->len,
			.token = cqe->region,
			.copied = cqe->flags & IORING_RBUF_CQE_F_COPY,
		};
	}
	return 0;
}

/* Errors after which the same request can succeed, once buffers came back */
static bool is_starvation(int res)
{
	return res == -ENOBUFS || res == -ENOSPC || res == -ENOMEM;
}

static int rbuf_event(struct rbuf_backend *r, struct zcrx_event *ev)
{
	const struct io_uring_cqe *cqe = r->ring.cqe;
	struct zcrx_source *s = io_uring_cqe_get_data(cqe);
	int n;

	*ev = (struct zcrx_event){ .source = s };
	s->armed = cqe->flags & IORING_CQE_F_MORE;
	if (cqe->res < 0) {
		ev->kind = is_starvation(cqe->res) ? ZCRX_EVENT_STARVED : ZCRX_EVENT_ERROR;
		ev->err = -cqe->res;
		return 1;
	}
	if (s->watch) {
		ev->kind = ZCRX_EVENT_READY;
		return 1;
	}
	if (cqe->res == 0) {
		ev->kind = ZCRX_EVENT_EOF;
		return 1;
	}
	n = rbuf_cq_take(&r->cq, (uint32_t)cqe->res, r->cqes, r->room);
	if (n < 0 || to_pieces(r, (uint32_t)n))
		return -EPROTO;
	ev->kind = ZCRX_EVENT_DATA;
	ev->bytes = (uint32_t)cqe->res;
	ev->pieces = r->pieces;
	ev->n = (uint32_t)n;
	return 1;
}

static int rbuf_next(struct zcrx_backend *b, struct zcrx_event *ev, int timeout_ms)
{
	struct rbuf_backend *r = rbuf(b);
	int ret;

	/*
	 * The kernel takes buffers from the refill ring when the NIC needs them,
	 * and tells nobody. If more wait here, look again soon.
	 */
	rbuf_refill_publish(&r->refill);
	if (rbuf_refill_waiting(&r->refill) &&
	    (timeout_ms < 0 || timeout_ms > REFILL_POLL_MS))
		timeout_ms = REFILL_POLL_MS;
	ret = uring_next(&r->ring, timeout_ms);
	return ret == 1 ? rbuf_event(r, ev) : ret;
}

/* The kernel takes entries when the NIC needs pages; where the ring has no room for all, now */
static void flush(struct rbuf_backend *r)
{
	struct io_uring_zc_rx_ctrl ctrl = {
		.zcrx_ifq_idx = r->ifq,
		.op = IORING_ZC_RX_CTRL_FLUSH_RQ,
	};

	while (rbuf_refill_waiting(&r->refill) &&
	       uring_registration(&r->ring, IORING_REGISTER_ZC_RX_CTRL_NR, &ctrl, 1) > 0)
		rbuf_refill_publish(&r->refill);
}

static int rbuf_give_back(struct zcrx_backend *b, const struct zcrx_piece *pieces, uint32_t n)
{
	struct rbuf_backend *r = rbuf(b);
	int err = 0;

	/* one that is lost is no reason to lose those behind it */
	for (uint32_t i = 0; i < n; i++) {
		struct io_uring_rbuf_rqe rqe = {
			.off = (uint32_t)(pieces[i].off % r->base.region.area_size),
			.len = pieces[i].len,
			.region = pieces[i].token,
		};

		err = rbuf_refill_put(&r->refill, &rqe) ?: err;
	}
	rbuf_refill_publish(&r->refill);
	flush(r);
	return err;
}

static unsigned int rbuf_counters(struct zcrx_backend *b, struct io_uring_zc_rx_stats *out)
{
	*out = *rbuf(b)->stats;
	return ZCRX_COUNTED_ALL;
}

const struct zcrx_backend_ops zcrx_rbuf_ops = {
	.name = "rbuf",
	.words = "zero copy receive, rbuf rings",
	.zero_copy = true,
	.pins = true,
	.splits = true,
	.probe = rbuf_probe,
	.open = rbuf_open,
	.arm = rbuf_arm,
	.watch = rbuf_watch,
	.next = rbuf_next,
	.give_back = rbuf_give_back,
	.counters = rbuf_counters,
	.close = rbuf_close,
};
