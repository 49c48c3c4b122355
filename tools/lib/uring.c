// SPDX-License-Identifier: GPL-2.0-or-later
#include "uring.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* A source has at most one request under way, so this is only a batch size */
#define SQ_ENTRIES	256

/* So many receives with something to do are enough to begin with */
#define GATHER		64

/* In user_data: it is no source, but a struct uring_op. Either is aligned to more than that */
#define OP_TAG		1ULL

/* Not in the headers of liburing 2.3; struct io_uring_getevents_arg of Linux 6.12 */
#define FEAT_MIN_TIMEOUT	(1U << 15)

/* A wait without an end. Without any timeout the least one would be the end: Linux 6.18 at least */
#define LONG_S		3600

/* Nor these; Linux 6.9 */
#define REGISTER_NAPI		27

struct uring_napi {
	uint32_t busy_poll_to;
	uint8_t prefer_busy_poll;
	uint8_t pad[3];
	uint64_t resv;
};

struct uring_getevents_arg {
	uint64_t sigmask;
	uint32_t sigmask_sz;
	uint32_t min_wait_usec;
	uint64_t ts;
};

/**
 * uring_open() - make the ring
 * @u: the ring
 * @cq_entries: completions that it has room for at least; clamped by the kernel
 * @kind: what to insist on; zero copy receive needs DEFER_TASKRUN
 *
 * Return: 0, -errno.
 */
int uring_open(struct uring *u, uint32_t cq_entries, enum uring_kind kind)
{
	const unsigned int plain = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP |
				   IORING_SETUP_SUBMIT_ALL;
	/* the kernel refuses fewer completions than submissions */
	uint32_t cq = cq_entries > 2 * SQ_ENTRIES ? cq_entries : 2 * SQ_ENTRIES;
	struct io_uring_params p = {
		.flags = plain | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
			 (kind == URING_DEFER_CQE32 ? IORING_SETUP_CQE32 : 0),
		.cq_entries = cq,
	};
	int ret;

	memset(u, 0, sizeof(*u));
	ret = io_uring_queue_init_params(SQ_ENTRIES, &u->ring, &p);
	if (ret != -EINVAL || kind != URING_PLAIN)
		return ret;
	p = (struct io_uring_params){ .flags = plain, .cq_entries = cq };
	return io_uring_queue_init_params(SQ_ENTRIES, &u->ring, &p);
}

/**
 * uring_gather() - wait for more than the first completion
 * @u: the ring
 * @us: how long at most, microseconds, 0 not to
 *
 * A kernel without IORING_FEAT_MIN_TIMEOUT (Linux 6.12) wakes for each, as before.
 */
void uring_gather(struct uring *u, uint32_t us)
{
	u->gather_us = u->ring.features & FEAT_MIN_TIMEOUT ? us : 0;
}

/**
 * uring_busy_poll() - let waits look at the queues that their sockets receive from
 * @u: the ring
 * @us: for how long, microseconds, 0 not to
 *
 * Return: whether they do; a kernel before 6.9 cannot.
 */
bool uring_busy_poll(struct uring *u, uint32_t us)
{
	struct uring_napi napi = { .busy_poll_to = us, .prefer_busy_poll = 1 };

	return us && !uring_registration(u, REGISTER_NAPI, &napi, 1);
}

/**
 * uring_close() - free the ring; the kernel cancels what is under way
 * @u: the ring
 */
void uring_close(struct uring *u)
{
	io_uring_queue_exit(&u->ring);
	free(u->kept);
}

/**
 * uring_sqe() - a free submission entry
 * @u: the ring
 *
 * Return: the entry, NULL when the kernel takes none of those that are queued.
 */
struct io_uring_sqe *uring_sqe(struct uring *u)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);

	if (sqe)
		return sqe;
	if (io_uring_submit(&u->ring) < 0)
		return NULL;
	return io_uring_get_sqe(&u->ring);
}

/**
 * uring_watch() - report once when a descriptor becomes readable
 * @u: the ring
 * @s: the source
 *
 * Return: 0, -EBUSY.
 */
int uring_watch(struct uring *u, struct zcrx_source *s)
{
	struct io_uring_sqe *sqe = uring_sqe(u);

	if (!sqe)
		return -EBUSY;
	io_uring_prep_poll_add(sqe, s->fd, POLLIN);
	io_uring_sqe_set_data(sqe, s);
	s->watch = true;
	s->armed = true;
	return 0;
}

/**
 * uring_recv_zc() - report data of a connection without copying it, until it ends
 * @u: the ring
 * @s: the source, a connection
 * @ifq: the interface queue that its data comes by, as registered with the ring
 *
 * Return: 0, -EBUSY.
 */
int uring_recv_zc(struct uring *u, struct zcrx_source *s, uint32_t ifq)
{
	struct io_uring_sqe *sqe = uring_sqe(u);

	if (!sqe)
		return -EBUSY;
	/* len 0: no limit to what one request receives */
	io_uring_prep_rw(URING_OP_RECV_ZC, sqe, s->fd, NULL, 0, 0);
	sqe->ioprio = IORING_RECV_MULTISHOT;
	sqe->file_index = ifq; /* zcrx_ifq_idx in newer headers, same place */
	io_uring_sqe_set_data(sqe, s);
	s->watch = false;
	s->armed = true;
	return 0;
}

/*
 * Sleeps until GATHER receives have something to do or gather_us are over, whichever
 * comes first; if there is nothing by then, until one has. To sleep and wake costs more
 * than to take a few segments: without this, a receiver that is quicker than its
 * sender does it for each of them.
 */
static int wait_gathering(struct uring *u, const struct __kernel_timespec *timeout)
{
	const struct uring_getevents_arg arg = {
		.min_wait_usec = u->gather_us,
		.ts = (uint64_t)(uintptr_t)timeout,
	};
	int ret = 0;

	/* submission cannot be part of it, liburing counts those itself */
	if (io_uring_sq_ready(&u->ring))
		ret = io_uring_submit(&u->ring);
	if (ret < 0)
		return ret;
	if (syscall(__NR_io_uring_enter, u->ring.enter_ring_fd, 0, GATHER,
		    IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &arg, sizeof(arg)) < 0)
		ret = -errno;
	/* out of time with less than GATHER is the ordinary case */
	return ret < 0 && ret != -ETIME ? ret : 0;
}

static int wait_some(struct uring *u, int timeout_ms)
{
	struct __kernel_timespec ts = {
		.tv_sec = timeout_ms / 1000,
		.tv_nsec = timeout_ms % 1000 * 1000000LL,
	};
	struct io_uring_cqe *cqe;

	if (timeout_ms < 0)
		ts = (struct __kernel_timespec){ .tv_sec = LONG_S };
	if (u->gather_us)
		return wait_gathering(u, &ts);
	return io_uring_submit_and_wait_timeout(&u->ring, &cqe, 1, &ts, NULL);
}

/* Ends an operation if that is what this completion says; it is marked as seen then */
static bool end_op(struct uring *u, struct io_uring_cqe *cqe)
{
	struct uring_op *op = (void *)(uintptr_t)(cqe->user_data & ~OP_TAG);
	int res = cqe->res;

	if (!(cqe->user_data & OP_TAG))
		return false;
	io_uring_cqe_seen(&u->ring, cqe);
	u->ended++;
	op->under_way = false;
	op->done(op, res);
	return true;
}

/* Without a system call as long as the ring has completions: 0, -EAGAIN when it has none */
static int look(struct uring *u)
{
	struct io_uring_cqe *cqe;
	int ret;

	do
		ret = io_uring_peek_cqe(&u->ring, &cqe);
	while (!ret && end_op(u, cqe));
	if (!ret)
		u->cqe = cqe;
	return ret;
}

static bool is_kept(const struct uring *u, const struct io_uring_cqe *cqe)
{
	return u->kept && (const void *)cqe >= (const void *)u->kept &&
	       (const void *)cqe < (const void *)(u->kept + u->kept_room);
}

/* The completion in work is not needed any more */
static void let_go(struct uring *u)
{
	if (u->cqe && !is_kept(u, u->cqe))
		io_uring_cqe_seen(&u->ring, u->cqe);
	u->cqe = NULL;
}

/**
 * uring_next() - the next completion, in @u->cqe
 * @u: the ring
 * @timeout_ms: 0 to look at the ring only, -1 to wait as good as for ever: an hour
 *
 * Return: 1, 0 for none in time, -EINTR or another -errno.
 */
int uring_next(struct uring *u, int timeout_ms)
{
	int ret;

	let_go(u);
	if (u->kept_at < u->kept_end) {
		u->cqe = (struct io_uring_cqe *)u->kept[u->kept_at++];
		return 1;
	}
	ret = look(u);
	while (ret == -EAGAIN && timeout_ms) {
		uint64_t ended = u->ended;

		ret = wait_some(u, timeout_ms);
		if (ret >= 0)
			ret = look(u);
		/* what woke us was nothing to report */
		if (u->ended == ended)
			break;
	}
	if (!ret)
		return 1;
	return ret == -ETIME || ret == -EAGAIN ? 0 : ret;
}

/* ---- requests that are not received with ---------------------------------- */

/**
 * uring_start_op() - give a request to the kernel
 * @u: the ring
 * @sqe: what to do, from uring_sqe(), prepared
 * @op: to whom its end matters; stays where it is until then
 */
void uring_start_op(struct uring *u, struct io_uring_sqe *sqe, struct uring_op *op)
{
	sqe->user_data = (uintptr_t)op | OP_TAG;
	op->under_way = true;
	/* what is not taken now is taken with the next wait */
	io_uring_submit(&u->ring);
}

static bool make_room(struct uring *u)
{
	uint32_t room = u->kept_room ? 2 * u->kept_room : 64;
	void *kept;

	if (u->kept_at == u->kept_end)
		u->kept_at = u->kept_end = 0;
	if (u->kept_end < u->kept_room)
		return true;
	kept = realloc(u->kept, room * sizeof(*u->kept));
	if (!kept)
		return false;
	u->kept = kept;
	u->kept_room = room;
	return true;
}

/* Ends operations, and sets aside what is to be received. False when there is nothing, or no memory */
static bool set_aside(struct uring *u)
{
	const size_t size = u->ring.flags & IORING_SETUP_CQE32 ? sizeof(uring_kept) :
								 sizeof(struct io_uring_cqe);
	bool any = false;

	while (make_room(u) && !look(u)) {
		memcpy(u->kept[u->kept_end++], u->cqe, size);
		let_go(u);
		any = true;
	}
	return any;
}

/**
 * uring_wait_op() - wait for the end of a request
 * @u: the ring
 * @op: the request; may have ended
 *
 * The completion in work is over with this. Signals do not end the wait: the kernel uses
 * the request's memory.
 */
void uring_wait_op(struct uring *u, const struct uring_op *op)
{
	static const struct timespec moment = { .tv_nsec = 1000000 };

	let_go(u);
	while (op->under_way) {
		int ret = set_aside(u) || !op->under_way ? 0 : io_uring_submit_and_wait(&u->ring, 1);

		/* out of memory, or a ring that has overflowed: the next look may find it better */
		if (ret < 0 && ret != -EINTR)
			nanosleep(&moment, NULL);
	}
}

/**
 * uring_registration() - io_uring_register(2) as it is
 * @u: the ring
 * @op: IORING_REGISTER_*
 * @arg: its argument
 * @nr: its number of arguments
 *
 * liburing has no function for opcodes that it does not know.
 *
 * Return: what the system call returns, -errno.
 */
int uring_registration(const struct uring *u, unsigned int op, void *arg, unsigned int nr)
{
	long ret = syscall(__NR_io_uring_register, u->ring.ring_fd, op, arg, nr);

	return ret < 0 ? -errno : (int)ret;
}
