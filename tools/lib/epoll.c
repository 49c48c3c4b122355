// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Ordinary, copying receive as most programs do it: epoll(7) and recv(2), two or
 * more system calls for what came. A yardstick beside the others, and the way
 * that is left where io_uring is forbidden.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend.h"

/* As large as those of the other copying backend, so that the two compare */
#define EPOLL_BUFFER	(64U << 10)
/* Descriptors that one epoll_wait(2) tells of */
#define EPOLL_BATCH	64
/* So often in a row a socket is read that fills its buffer each time; then the next one's turn comes */
#define EPOLL_ROW	16

/**
 * struct epoll_backend - the backend
 * @base: what all have
 * @fd: of epoll_create1(2)
 * @size: bytes of a buffer
 * @free: buffers that nobody holds
 * @nfree: how many
 * @ready: what the last epoll_wait() told
 * @nready: how many
 * @at: which of it is in work
 * @row: buffers in a row that this one has filled
 * @piece: piece of the event in work
 */
struct epoll_backend {
	struct zcrx_backend base;
	int fd;
	uint32_t size;
	uint16_t *free;
	uint32_t nfree;
	struct epoll_event ready[EPOLL_BATCH];
	uint32_t nready;
	uint32_t at;
	uint32_t row;
	struct zcrx_piece piece;
};

static struct epoll_backend *epoll(struct zcrx_backend *b)
{
	return (struct epoll_backend *)b;
}

static int epoll_probe(const struct zcrx_config *cfg, struct zcrx_refusal *why)
{
	(void)cfg;
	(void)why;
	return 0;	/* every kernel has it */
}

static int divide(struct epoll_backend *e, struct zcrx_refusal *why)
{
	uint64_t n = e->base.region.size / e->size;

	/* a piece's token has 16 bits */
	if (n > UINT16_MAX)
		n = UINT16_MAX;
	e->free = calloc(n, sizeof(*e->free));
	if (!e->free)
		return zcrx_refuse(why, ZCRX_STEP_REGION, ENOMEM);
	/* from the end, so that the first to be taken are the first of the region */
	while (n)
		e->free[e->nfree++] = (uint16_t)--n;
	return 0;
}

static void epoll_close(struct zcrx_backend *b)
{
	struct epoll_backend *e = epoll(b);

	if (e->fd >= 0)
		close(e->fd);
	zcrx_region_unmap(&e->base.region);
	free(e->free);
	free(e);
}

/* Not in the headers of Debian 12; Linux 6.9 */
struct busy_params {
	uint32_t busy_poll_usecs;
	uint16_t busy_poll_budget;
	uint8_t prefer_busy_poll;
	uint8_t pad;
};

#define SET_BUSY_PARAMS	_IOW(0x8a, 1, struct busy_params)
/* Packets at a time, as many as a NAPI poll takes; more needs CAP_NET_ADMIN */
#define BUSY_BUDGET	64

static bool busy_poll(int fd, uint32_t us)
{
	struct busy_params params = {
		.busy_poll_usecs = us, .busy_poll_budget = BUSY_BUDGET, .prefer_busy_poll = 1,
	};

	return us && !ioctl(fd, SET_BUSY_PARAMS, &params);
}

static int epoll_open(const struct zcrx_config *cfg, struct zcrx_backend **out,
		      struct zcrx_refusal *why)
{
	struct epoll_backend *e = calloc(1, sizeof(*e));
	int err;

	if (!e)
		return zcrx_refuse(why, ZCRX_STEP_REGION, ENOMEM);
	e->base.ops = &zcrx_epoll_ops;
	e->size = cfg->region_size < EPOLL_BUFFER ? (uint32_t)cfg->region_size : EPOLL_BUFFER;
	e->fd = epoll_create1(EPOLL_CLOEXEC);
	err = e->fd < 0 ? zcrx_refuse(why, ZCRX_STEP_RECEIVE, errno) :
			  zcrx_region_map(&e->base.region, cfg, why);
	if (!err)
		err = divide(e, why);
	if (err) {
		epoll_close(&e->base);
		return err;
	}
	e->base.busy_polls = busy_poll(e->fd, cfg->busy_poll_us);
	*out = &e->base;
	return 0;
}

static int look_after(struct epoll_backend *e, struct zcrx_source *s, bool watch)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = s };

	if (epoll_ctl(e->fd, EPOLL_CTL_ADD, s->fd, &ev))
		return -errno;
	s->watch = watch;
	s->armed = true;
	return 0;
}

static int epoll_arm(struct zcrx_backend *b, struct zcrx_source *s)
{
	return look_after(epoll(b), s, false);
}

static int epoll_watch(struct zcrx_backend *b, struct zcrx_source *s)
{
	return look_after(epoll(b), s, true);
}

static void next_in_batch(struct epoll_backend *e)
{
	e->at++;
	e->row = 0;
}

/* The last event of a source until it is armed again */
static void leave(struct epoll_backend *e, struct zcrx_event *ev, enum zcrx_event_kind kind,
		  int err)
{
	struct zcrx_source *s = ev->source;

	epoll_ctl(e->fd, EPOLL_CTL_DEL, s->fd, NULL);
	s->armed = false;
	ev->kind = kind;
	ev->err = err;
	next_in_batch(e);
}

static void data_event(struct epoll_backend *e, struct zcrx_event *ev, uint32_t len)
{
	uint16_t id = e->free[--e->nfree];

	e->piece = (struct zcrx_piece){
		.data = e->base.region.addr + (uint64_t)id * e->size,
		.off = (uint32_t)id * e->size,
		.len = len,
		.token = id,
		.copied = true,
	};
	ev->kind = ZCRX_EVENT_DATA;
	ev->bytes = len;
	ev->pieces = &e->piece;
	ev->n = 1;
	/* a short one has taken all there was; if not, epoll_wait() will tell */
	if (len < e->size || ++e->row == EPOLL_ROW)
		next_in_batch(e);
}

/* Return: whether there is an event. */
static bool epoll_event(struct epoll_backend *e, struct zcrx_source *s, struct zcrx_event *ev)
{
	ssize_t got;

	*ev = (struct zcrx_event){ .source = s };
	if (s->watch) {
		leave(e, ev, ZCRX_EVENT_READY, 0);
		return true;
	}
	if (!e->nfree) {
		leave(e, ev, ZCRX_EVENT_STARVED, ENOBUFS);
		return true;
	}
	got = recv(s->fd, e->base.region.addr + (uint64_t)e->free[e->nfree - 1] * e->size, e->size,
		   MSG_DONTWAIT);
	if (got > 0) {
		data_event(e, ev, (uint32_t)got);
	} else if (!got) {
		leave(e, ev, ZCRX_EVENT_EOF, 0);
	} else if (errno == EAGAIN || errno == EINTR) {
		next_in_batch(e);
		return false;
	} else {
		leave(e, ev, ZCRX_EVENT_ERROR, errno);
	}
	return true;
}

static bool take_ready(struct epoll_backend *e, struct zcrx_event *ev)
{
	while (e->at < e->nready)
		if (epoll_event(e, e->ready[e->at].data.ptr, ev))
			return true;
	return false;
}

static int epoll_next(struct zcrx_backend *b, struct zcrx_event *ev, int timeout_ms)
{
	struct epoll_backend *e = epoll(b);
	int n;

	if (take_ready(e, ev))
		return 1;
	if (!timeout_ms)
		return 0;
	n = epoll_wait(e->fd, e->ready, EPOLL_BATCH, timeout_ms);
	if (n < 0)
		return -errno;
	e->nready = (uint32_t)n;
	e->at = 0;
	return take_ready(e, ev);
}

static int epoll_give_back(struct zcrx_backend *b, const struct zcrx_piece *pieces, uint32_t n)
{
	struct epoll_backend *e = epoll(b);

	for (uint32_t i = 0; i < n; i++)
		e->free[e->nfree++] = pieces[i].token;
	return 0;
}

static unsigned int epoll_counters(struct zcrx_backend *b, struct io_uring_zc_rx_stats *out)
{
	(void)b;
	memset(out, 0, sizeof(*out));
	return 0;
}

const struct zcrx_backend_ops zcrx_epoll_ops = {
	.name = "epoll",
	.words = "ordinary copying receive, epoll and recv",
	.zero_copy = false,
	.probe = epoll_probe,
	.open = epoll_open,
	.arm = epoll_arm,
	.watch = epoll_watch,
	.next = epoll_next,
	.give_back = epoll_give_back,
	.counters = epoll_counters,
	.close = epoll_close,
};
