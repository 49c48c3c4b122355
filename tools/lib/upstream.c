// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Zero copy receive of Linux 6.15 and later (io_uring/zcrx.c): one ifq on one RX
 * queue, each piece of data announced in a completion of 32 bytes.
 *
 * How much was copied newer kernels count in memory that they share (struct
 * zcrx_kernel_stats), before they announce the data. They mark no completion, so the
 * bytes that were counted and that no piece has been charged with yet are charged to
 * the next pieces that they cover. See there for what is not counted.
 *
 * Linux 7.1 has it without a device as well (NODEV): every byte is copied into the region,
 * from whatever interface it came. All else is the same, so this shows what the rings cost,
 * and lets programs for them run where there is no such NIC. Nobody but us makes the kernel
 * look at the refill ring then.
 */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "backend.h"
#include "rbuf_ring.h"
#include "uring.h"
#include "zcrx_uapi.h"

/* How long to sleep at most while buffers wait for room in the refill ring */
#define REFILL_POLL_MS	1

/* Before the refill entries; the kernel says where they really begin, and checks */
#define HEADER_ROOM	4096

/**
 * struct upstream_backend - the backend
 * @base: what all have
 * @ring: the io_uring
 * @shared: the refill ring and, behind it, the counters
 * @shared_size: bytes of @shared
 * @id: what the SQE calls zcrx_ifq_idx
 * @refill: our end of the refill ring
 * @stats: what the kernel counts, NULL when it does not
 * @charged: of its copy_bytes, what pieces have been charged with
 * @flushes: the kernel takes refill entries on demand
 * @alloc_fails: notifications that the NIC found no buffer
 * @rearm: tell that again
 * @event: whose completions those are; only its address matters
 * @nodev: there is no device
 * @flush_at: with @nodev, refill entries that are flushed at once
 * @unflushed: with @nodev, refill entries since
 * @page: page size
 * @piece: of the event in work
 */
struct upstream_backend {
	struct zcrx_backend base;
	struct uring ring;
	void *shared;
	size_t shared_size;
	uint32_t id;
	struct rbuf_refill refill;
	const struct zcrx_kernel_stats *stats;
	uint64_t charged;
	bool flushes;
	uint64_t alloc_fails;
	bool rearm;
	struct zcrx_source event;
	bool nodev;
	uint32_t flush_at;
	uint32_t unflushed;
	uint32_t page;
	struct zcrx_piece piece;
};

static struct upstream_backend *upstream(struct zcrx_backend *b)
{
	return (struct upstream_backend *)b;
}

/*
 * A kernel that knows the opcode looks at the caller, then at its argument, and
 * complains about that; a NULL is EINVAL in all, so it gets another bad address. One that does not know it says EINVAL, and one that was
 * built without it EOPNOTSUPP.
 */
static int upstream_probe(const struct zcrx_config *cfg, struct zcrx_refusal *why)
{
	struct uring u;
	int ret;

	(void)cfg;
	ret = uring_open(&u, 8, URING_DEFER_CQE32);
	if (ret < 0)
		return zcrx_refuse(why, ZCRX_STEP_RING, ret);
	ret = uring_registration(&u, ZCRX_REGISTER_IFQ, (void *)1, 1);
	uring_close(&u);
	if (ret == -EINVAL || ret == -EOPNOTSUPP)
		return zcrx_refuse(why, ZCRX_STEP_QUEUE, ENOSYS);
	return 0;
}

/* The first byte of an area, as refill entries and completions call it */
static uint64_t token_of(uint32_t area)
{
	return (uint64_t)area << ZCRX_AREA_SHIFT;
}

/* What this kernel's zcrx can do; all zero where it cannot be asked */
static struct zcrx_features ask_features(const struct uring *ring)
{
	struct zcrx_features features = { 0 };
	struct zcrx_query query = {
		.data = (uintptr_t)&features,
		.op = ZCRX_QUERY_ZCRX,
		.size = sizeof(features),
	};

	if (uring_registration(ring, ZCRX_REGISTER_QUERY, &query, 0) || query.result)
		return (struct zcrx_features){ 0 };
	return features;
}

static int nodev_probe(const struct zcrx_config *cfg, struct zcrx_refusal *why)
{
	struct zcrx_features features;
	struct uring u;
	int ret;

	(void)cfg;
	ret = uring_open(&u, 8, URING_DEFER_CQE32);
	if (ret < 0)
		return zcrx_refuse(why, ZCRX_STEP_RING, ret);
	features = ask_features(&u);
	uring_close(&u);
	if (!(features.register_flags & ZCRX_REG_NODEV))
		return zcrx_refuse(why, ZCRX_STEP_BUFFERS, ENOSYS);
	return 0;
}

static int map_shared(struct upstream_backend *u, const struct zcrx_config *cfg,
		      struct zcrx_refusal *why)
{
	size_t entries = cfg->rq_entries * sizeof(struct zcrx_rqe);
	void *map;

	/* a page for the counters */
	u->shared_size = HEADER_ROOM + (entries + u->page - 1) / u->page * u->page + u->page;
	u->shared_size = (u->shared_size + u->page - 1) / u->page * u->page;
	map = mmap(NULL, u->shared_size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (map == MAP_FAILED)
		return zcrx_refuse(why, ZCRX_STEP_MAP, errno);
	u->shared = map;
	return 0;
}

/* Often enough that neither the ring fills nor the region empties in between */
static uint32_t flush_threshold(const struct upstream_backend *u, uint32_t rq_entries)
{
	uint64_t pages = u->base.region.size / u->page;
	uint64_t least = pages < rq_entries ? pages : rq_entries;

	return least > 4 ? (uint32_t)(least / 4) : 1;
}

static struct zcrx_area_reg describe_area(const struct upstream_backend *u, uint32_t i)
{
	struct iovec area = zcrx_region_area(&u->base.region, i);

	return (struct zcrx_area_reg){ .addr = (uintptr_t)area.iov_base, .len = area.iov_len };
}

static int control(const struct upstream_backend *u, const struct zcrx_ctrl *ctrl)
{
	return uring_registration(&u->ring, ZCRX_REGISTER_CTRL, (void *)ctrl, 0);
}

/* The kernel numbers areas as they come; the ifq was registered with the first */
static int add_areas(const struct upstream_backend *u)
{
	for (uint32_t i = 1; i < u->base.region.areas; i++) {
		struct zcrx_area_reg area = describe_area(u, i);
		struct zcrx_ctrl ctrl = {
			.id = u->id,
			.op = ZCRX_CTRL_OP_ADD_AREA,
			.arg.area = (uintptr_t)&area,
		};
		int err = control(u, &ctrl);

		if (err < 0)
			return err;
		if (area.token != token_of(i))
			return -EPROTO;
	}
	return 0;
}

/*
 * Which lengths of buffers the driver can do, and whether the memory is of pieces that long,
 * shows when it is tried. With pages all works just as well.
 */
static int register_with(struct upstream_backend *u, struct zcrx_ifq_reg *reg, uint32_t buf_len)
{
	int err;

	reg->rx_buf_len = buf_len;
	err = uring_registration(&u->ring, ZCRX_REGISTER_IFQ, reg, 1);
	if (err < 0 && buf_len) {
		u->base.buf_err = -err;
		return register_with(u, reg, 0);
	}
	u->base.buf_len = buf_len ? buf_len : u->page;
	return err;
}

/* 0 for pages; one that does not know of the field takes nothing else */
static uint32_t wanted_buf_len(struct upstream_backend *u, const struct zcrx_config *cfg,
			       const struct zcrx_features *features)
{
	if (cfg->buf_len == u->page)
		return 0;
	if (cfg->buf_len && !(features->features & ZCRX_FEATURE_BUF_LEN)) {
		u->base.buf_err = EOPNOTSUPP;
		return 0;
	}
	return cfg->buf_len;
}

static int register_ifq(struct upstream_backend *u, const struct zcrx_config *cfg,
			struct zcrx_refusal *why)
{
	struct zcrx_features features = ask_features(&u->ring);
	/* without a device there is nothing to learn from them */
	bool has_events = !u->nodev && features.features & ZCRX_FEATURE_EVENT;
	struct zcrx_area_reg area;
	struct zcrx_region_desc region = {
		.addr = (uintptr_t)u->shared,
		.size = u->shared_size,
		.flags = ZCRX_REGION_USER,
	};
	struct zcrx_event_reg events = {
		.user_data = (uintptr_t)&u->event,
		.types = 1U << ZCRX_NOTIFY_ALLOC_FAIL,
		.flags = ZCRX_EVENT_STATS,
		.stats_offset = u->shared_size - u->page,
	};
	struct zcrx_ifq_reg reg = {
		.if_idx = u->nodev ? 0 : if_nametoindex(cfg->iface),
		.if_rxq = u->nodev ? 0 : cfg->queue,
		.rq_entries = cfg->rq_entries,
		.flags = u->nodev ? ZCRX_REG_NODEV : 0,
		.area = (uintptr_t)&area,
		.region = (uintptr_t)&region,
		.events = has_events ? (uintptr_t)&events : 0,
	};
	struct io_rbuf_rqring_offsets off;
	int err;

	if (features.ctrl_ops > ZCRX_CTRL_OP_ADD_AREA)
		zcrx_region_divide(&u->base.region, cfg);
	area = describe_area(u, 0);
	if (!reg.if_idx && !u->nodev)
		return zcrx_refuse(why, ZCRX_STEP_QUEUE, ENODEV);
	err = register_with(u, &reg, wanted_buf_len(u, cfg, &features));
	u->id = reg.id;
	if (err >= 0)
		err = area.token == token_of(0) ? add_areas(u) : -EPROTO;
	if (err < 0)
		return zcrx_refuse(why, u->nodev ? ZCRX_STEP_BUFFERS : ZCRX_STEP_QUEUE, err);
	u->flushes = features.ctrl_ops > ZCRX_CTRL_OP_FLUSH;
	if (reg.events)
		u->stats = (const void *)((char *)u->shared + events.stats_offset);
	off = (struct io_rbuf_rqring_offsets){
		.head = reg.offsets.head,
		.tail = reg.offsets.tail,
		.rqes = reg.offsets.rqes,
	};
	if (rbuf_refill_init(&u->refill, u->shared, &off, reg.rq_entries,
			     u->base.region.size / u->page))
		return zcrx_refuse(why, ZCRX_STEP_REGION, ENOMEM);
	u->flush_at = flush_threshold(u, reg.rq_entries);
	return 0;
}

/* The ring goes first: until then the kernel uses the memory */
static void upstream_close(struct zcrx_backend *b)
{
	struct upstream_backend *u = upstream(b);

	uring_close(&u->ring);
	rbuf_refill_free(&u->refill);
	if (u->shared)
		munmap(u->shared, u->shared_size);
	zcrx_region_unmap(&u->base.region);
	free(u);
}

static int open_as(const struct zcrx_backend_ops *ops, const struct zcrx_config *cfg,
		   struct zcrx_backend **out, struct zcrx_refusal *why)
{
	struct upstream_backend *u = calloc(1, sizeof(*u));
	int err;

	if (!u)
		return zcrx_refuse(why, ZCRX_STEP_RING, ENOMEM);
	u->base.ops = ops;
	u->base.ring = &u->ring;
	u->nodev = ops == &zcrx_upstream_nodev_ops;
	u->page = (uint32_t)sysconf(_SC_PAGESIZE);
	err = uring_open(&u->ring, cfg->cq_entries, URING_DEFER_CQE32);
	if (err < 0) {
		free(u);
		return zcrx_refuse(why, ZCRX_STEP_RING, err);
	}
	uring_gather(&u->ring, cfg->gather_us);
	u->base.busy_polls = uring_busy_poll(&u->ring, cfg->busy_poll_us);
	err = zcrx_region_map(&u->base.region, cfg, why);
	if (!err)
		err = map_shared(u, cfg, why);
	if (!err)
		err = register_ifq(u, cfg, why);
	if (err) {
		upstream_close(&u->base);
		return err;
	}
	*out = &u->base;
	return 0;
}

static int upstream_open(const struct zcrx_config *cfg, struct zcrx_backend **out,
			 struct zcrx_refusal *why)
{
	return open_as(&zcrx_upstream_ops, cfg, out, why);
}

static int nodev_open(const struct zcrx_config *cfg, struct zcrx_backend **out,
		      struct zcrx_refusal *why)
{
	return open_as(&zcrx_upstream_nodev_ops, cfg, out, why);
}

static int upstream_arm(struct zcrx_backend *b, struct zcrx_source *s)
{
	struct upstream_backend *u = upstream(b);

	return uring_recv_zc(&u->ring, s, u->id);
}

static int upstream_watch(struct zcrx_backend *b, struct zcrx_source *s)
{
	return uring_watch(&upstream(b)->ring, s);
}

/*
 * The kernel takes refill entries when the NIC needs pages, and tells nobody. Where
 * more wait than the ring holds, or copies want pages too, it is asked to take them
 * now.
 */
static void flush(struct upstream_backend *u)
{
	const struct zcrx_ctrl ctrl = { .id = u->id, .op = ZCRX_CTRL_OP_FLUSH };

	rbuf_refill_publish(&u->refill);
	u->unflushed = 0;
	if (!u->flushes)
		return;
	control(u, &ctrl);
	rbuf_refill_publish(&u->refill);
}

/* Was this piece one of those that the kernel counted as copied? */
static bool charge(struct upstream_backend *u, uint32_t len)
{
	uint64_t copied;

	if (u->nodev)
		return true;
	if (!u->stats)
		return false;
	copied = __atomic_load_n(&u->stats->copy_bytes, __ATOMIC_RELAXED);
	if (copied - u->charged < len)
		return false;
	u->charged += len;
	return true;
}

/* The kernel's word is checked: a wrong offset would be a wild pointer here */
static int take_piece(struct upstream_backend *u, const struct io_uring_cqe *cqe)
{
	const struct zcrx_region *region = &u->base.region;
	uint64_t area = cqe->big_cqe[0] >> ZCRX_AREA_SHIFT;
	uint64_t off = ZCRX_AREA_OFFSET(cqe->big_cqe[0]);
	uint32_t len = (uint32_t)cqe->res;

	if (area >= region->areas || off >= zcrx_region_area(region, (uint32_t)area).iov_len ||
	    len > u->base.buf_len - off % u->base.buf_len)
		return -EPROTO;
	off += area * region->area_size;
	u->piece = (struct zcrx_piece){
		.data = region->addr + off,
		.off = (uint32_t)off,
		.len = len,
		.token = (uint16_t)area,
		.copied = charge(u, len),
	};
	return 0;
}

/* Errors after which the same request can succeed, once buffers came back */
static bool is_starvation(int res)
{
	return res == -ENOBUFS || res == -ENOSPC || res == -ENOMEM;
}

static int upstream_event(struct upstream_backend *u, struct zcrx_event *ev)
{
	const struct io_uring_cqe *cqe = u->ring.cqe;
	struct zcrx_source *s = io_uring_cqe_get_data(cqe);

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
	if (take_piece(u, cqe))
		return -EPROTO;
	ev->kind = ZCRX_EVENT_DATA;
	ev->bytes = u->piece.len;
	ev->pieces = &u->piece;
	ev->n = 1;
	return 1;
}

/* A notification is no event of a source */
static bool is_notification(struct upstream_backend *u)
{
	const struct io_uring_cqe *cqe = u->ring.cqe;

	if (io_uring_cqe_get_data(cqe) != &u->event)
		return false;
	if (cqe->res == ZCRX_NOTIFY_ALLOC_FAIL) {
		u->alloc_fails++;
		u->rearm = true;
	}
	return true;
}

static int upstream_next(struct zcrx_backend *b, struct zcrx_event *ev, int timeout_ms)
{
	struct upstream_backend *u = upstream(b);
	int ret;

	rbuf_refill_publish(&u->refill);
	if (rbuf_refill_waiting(&u->refill)) {
		flush(u);
		if (rbuf_refill_waiting(&u->refill) &&
		    (timeout_ms < 0 || timeout_ms > REFILL_POLL_MS))
			timeout_ms = REFILL_POLL_MS;
	}
	do
		ret = uring_next(&u->ring, timeout_ms);
	while (ret == 1 && is_notification(u));
	if (ret != 1)
		return ret;
	ret = upstream_event(u, ev);
	/* what was given back lies in the refill ring, where copies do not look for it */
	if (ret == 1 && ev->kind == ZCRX_EVENT_STARVED)
		flush(u);
	return ret;
}

static int upstream_give_back(struct zcrx_backend *b, const struct zcrx_piece *pieces, uint32_t n)
{
	struct upstream_backend *u = upstream(b);
	const struct zcrx_ctrl again = {
		.id = u->id,
		.op = ZCRX_CTRL_OP_ARM_EVENT,
		.arg.event = ZCRX_NOTIFY_ALLOC_FAIL,
	};
	int err = 0;

	/* one that is lost is no reason to lose those behind it */
	for (uint32_t i = 0; i < n; i++) {
		struct zcrx_rqe rqe = {
			.off = token_of(pieces[i].token) | pieces[i].off % u->base.region.area_size,
			.len = pieces[i].len,
		};

		err = rbuf_refill_put(&u->refill, &rqe) ?: err;
	}
	rbuf_refill_publish(&u->refill);
	u->unflushed += n;
	if (u->nodev && u->unflushed >= u->flush_at)
		flush(u);
	/* told once until armed again: with something to take, it is news again */
	if (u->rearm && n)
		u->rearm = control(u, &again) != 0;
	return err;
}

static unsigned int upstream_counters(struct zcrx_backend *b, struct io_uring_zc_rx_stats *out)
{
	struct upstream_backend *u = upstream(b);

	memset(out, 0, sizeof(*out));
	if (!u->stats)
		return 0;
	out->copy_foreign_bytes = __atomic_load_n(&u->stats->copy_bytes, __ATOMIC_RELAXED);
	out->copy_foreign_frags = __atomic_load_n(&u->stats->copy_count, __ATOMIC_RELAXED);
	out->alloc_fail = u->alloc_fails;
	return ZCRX_COUNTED_FOREIGN | ZCRX_COUNTED_ROOM;
}

const struct zcrx_backend_ops zcrx_upstream_ops = {
	.name = "upstream",
	.words = "zero copy receive, io_uring zcrx",
	.zero_copy = true,
	.probe = upstream_probe,
	.open = upstream_open,
	.arm = upstream_arm,
	.watch = upstream_watch,
	.next = upstream_next,
	.give_back = upstream_give_back,
	.counters = upstream_counters,
	.close = upstream_close,
};

const struct zcrx_backend_ops zcrx_upstream_nodev_ops = {
	.name = "upstream-nodev",
	.words = "zcrx without a device, the kernel copies every byte",
	.zero_copy = false,
	.registers = true,
	.by_name = true,
	.probe = nodev_probe,
	.open = nodev_open,
	.arm = upstream_arm,
	.watch = upstream_watch,
	.next = upstream_next,
	.give_back = upstream_give_back,
	.counters = upstream_counters,
	.close = upstream_close,
};
