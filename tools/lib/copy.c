// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Ordinary, copying receive: multishot recv(2) into a ring of provided buffers
 * (Linux 6.0). The yardstick for zero copy, and what is left without it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "backend.h"
#include "uring.h"

/* One receive fills at most one buffer: large enough that calls do not count */
#define COPY_BUFFER	(64U << 10)
#define COPY_MAX	32768U	/* entries of a buffer ring: io_uring_register_buf_ring(3) */
#define COPY_GROUP	0

/**
 * struct copy_backend - the backend
 * @base: what all have
 * @ring: the io_uring
 * @buffers: ring of provided buffers
 * @entries: room in @buffers, a power of two
 * @size: bytes of a buffer
 * @piece: piece of the event in work
 */
struct copy_backend {
	struct zcrx_backend base;
	struct uring ring;
	struct io_uring_buf_ring *buffers;
	uint32_t entries;
	uint32_t size;
	struct zcrx_piece piece;
};

static struct copy_backend *copy(struct zcrx_backend *b)
{
	return (struct copy_backend *)b;
}

static size_t buffers_size(const struct copy_backend *c)
{
	return c->entries * sizeof(struct io_uring_buf);
}

/* No probe tells of multishot receive; this operation came in the same release, 6.0 */
static bool has_multishot(struct uring *u)
{
	struct io_uring_probe *probe = io_uring_get_probe_ring(&u->ring);
	bool has = probe && io_uring_opcode_supported(probe, IORING_OP_SEND_ZC);

	io_uring_free_probe(probe);
	return has;
}

static int copy_probe(const struct zcrx_config *cfg, struct zcrx_refusal *why)
{
	struct uring u;
	int ret;

	(void)cfg;
	ret = uring_open(&u, 8, URING_PLAIN);
	if (ret < 0)
		return zcrx_refuse(why, ZCRX_STEP_RING, ret);
	ret = has_multishot(&u) ? 0 : zcrx_refuse(why, ZCRX_STEP_RECEIVE, EINVAL);
	uring_close(&u);
	return ret;
}

static void provide(struct copy_backend *c, uint16_t id, int slot)
{
	io_uring_buf_ring_add(c->buffers, c->base.region.addr + (uint64_t)id * c->size, c->size,
			      id, io_uring_buf_ring_mask(c->entries), slot);
}

static int provide_all(struct copy_backend *c, struct zcrx_refusal *why)
{
	struct io_uring_buf_reg reg = { .bgid = COPY_GROUP };
	uint64_t n = c->base.region.size / c->size;
	int err;

	if (n > COPY_MAX)
		n = COPY_MAX;
	for (c->entries = 1; c->entries < n; c->entries *= 2)
		;
	c->buffers = mmap(NULL, buffers_size(c), PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (c->buffers == MAP_FAILED) {
		c->buffers = NULL;
		return zcrx_refuse(why, ZCRX_STEP_BUFFERS, errno);
	}
	reg.ring_addr = (uintptr_t)c->buffers;
	reg.ring_entries = c->entries;
	err = io_uring_register_buf_ring(&c->ring.ring, &reg, 0);
	if (err)
		return zcrx_refuse(why, ZCRX_STEP_BUFFERS, err);
	io_uring_buf_ring_init(c->buffers);
	for (uint64_t i = 0; i < n; i++)
		provide(c, (uint16_t)i, (int)i);
	io_uring_buf_ring_advance(c->buffers, (int)n);
	return 0;
}

static void copy_close(struct zcrx_backend *b)
{
	struct copy_backend *c = copy(b);

	uring_close(&c->ring);
	if (c->buffers)
		munmap(c->buffers, buffers_size(c));
	zcrx_region_unmap(&c->base.region);
	free(c);
}

static int copy_open(const struct zcrx_config *cfg, struct zcrx_backend **out,
		     struct zcrx_refusal *why)
{
	struct copy_backend *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return zcrx_refuse(why, ZCRX_STEP_RING, ENOMEM);
	c->base.ops = &zcrx_copy_ops;
	c->base.ring = &c->ring;
	c->size = cfg->region_size < COPY_BUFFER ? (uint32_t)cfg->region_size : COPY_BUFFER;
	err = uring_open(&c->ring, cfg->cq_entries, URING_PLAIN);
	if (err < 0) {
		free(c);
		return zcrx_refuse(why, ZCRX_STEP_RING, err);
	}
	uring_gather(&c->ring, cfg->gather_us);
	c->base.busy_polls = uring_busy_poll(&c->ring, cfg->busy_poll_us);
	err = zcrx_region_map(&c->base.region, cfg, why);
	if (!err)
		err = provide_all(c, why);
	if (err) {
		copy_close(&c->base);
		return err;
	}
	*out = &c->base;
	return 0;
}

static int copy_arm(struct zcrx_backend *b, struct zcrx_source *s)
{
	struct io_uring_sqe *sqe = uring_sqe(&copy(b)->ring);

	if (!sqe)
		return -EBUSY;
	io_uring_prep_recv_multishot(sqe, s->fd, NULL, 0, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = COPY_GROUP;
	io_uring_sqe_set_data(sqe, s);
	s->watch = false;
	s->armed = true;
	return 0;
}

static int copy_watch(struct zcrx_backend *b, struct zcrx_source *s)
{
	return uring_watch(&copy(b)->ring, s);
}

static void copy_event(struct copy_backend *c, struct zcrx_event *ev)
{
	const struct io_uring_cqe *cqe = c->ring.cqe;
	struct zcrx_source *s = io_uring_cqe_get_data(cqe);
	uint16_t id = (uint16_t)(cqe->flags >> IORING_CQE_BUFFER_SHIFT);

	*ev = (struct zcrx_event){ .source = s };
	s->armed = cqe->flags & IORING_CQE_F_MORE;
	if (cqe->res < 0) {
		ev->kind = cqe->res == -ENOBUFS ? ZCRX_EVENT_STARVED : ZCRX_EVENT_ERROR;
		ev->err = -cqe->res;
		return;
	}
	if (s->watch) {
		ev->kind = ZCRX_EVENT_READY;
		return;
	}
	c->piece = (struct zcrx_piece){
		.data = c->base.region.addr + (uint64_t)id * c->size,
		.off = (uint32_t)id * c->size,
		.len = (uint32_t)cqe->res,
		.token = id,
		.copied = true,
	};
	ev->kind = cqe->res ? ZCRX_EVENT_DATA : ZCRX_EVENT_EOF;
	ev->bytes = (uint32_t)cqe->res;
	if (cqe->res) {
		ev->pieces = &c->piece;
		ev->n = 1;
	} else if (cqe->flags & IORING_CQE_F_BUFFER) {
		/* the end of a stream may come with a buffer and no bytes */
		provide(c, id, 0);
		io_uring_buf_ring_advance(c->buffers, 1);
	}
}

static int copy_next(struct zcrx_backend *b, struct zcrx_event *ev, int timeout_ms)
{
	struct copy_backend *c = copy(b);
	int ret = uring_next(&c->ring, timeout_ms);

	if (ret == 1)
		copy_event(c, ev);
	return ret;
}

static int copy_give_back(struct zcrx_backend *b, const struct zcrx_piece *pieces, uint32_t n)
{
	struct copy_backend *c = copy(b);

	for (uint32_t i = 0; i < n; i++)
		provide(c, pieces[i].token, (int)i);
	io_uring_buf_ring_advance(c->buffers, (int)n);
	return 0;
}

static unsigned int copy_counters(struct zcrx_backend *b, struct io_uring_zc_rx_stats *out)
{
	(void)b;
	memset(out, 0, sizeof(*out));
	return 0;
}

const struct zcrx_backend_ops zcrx_copy_ops = {
	.name = "copy",
	.words = "ordinary copying receive, io_uring",
	.zero_copy = false,
	.probe = copy_probe,
	.open = copy_open,
	.arm = copy_arm,
	.watch = copy_watch,
	.next = copy_next,
	.give_back = copy_give_back,
	.counters = copy_counters,
	.close = copy_close,
};
