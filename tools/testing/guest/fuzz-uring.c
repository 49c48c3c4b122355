// SPDX-License-Identifier: GPL-2.0-or-later
/* zc-fuzz: io_urings, what is submitted to them, and what comes back */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "zc-fuzz.h"

/* Newer than the headers of Debian 12 */
#define OP_RECV_ZC			58
#define SETUP_NO_SQARRAY		(1u << 16)
#define REGISTER_SYNC_CANCEL		24
#define REGISTER_RING_FDS		20
#define UNREGISTER_RING_FDS		21

/* user_data: a receive's completion counts */
#define DATA_RECV	0x100

/**
 * fz_any32() - a number that is likely to be at some edge
 * @rng: dice
 *
 * Return: the number.
 */
uint32_t fz_any32(struct rng *rng)
{
	static const uint32_t edges[] = {
		0, 1, 2, 3, 16, 4095, 4096, 4097, 32768, 65535, 65536, 1u << 30, 0x7fffffff, 1u << 31, ~0u,
	};

	switch (rng_below(rng, 4)) {
	case 0: return (uint32_t)rng_next(rng);
	case 1: return 1u << rng_below(rng, 32);
	default: return edges[rng_below(rng, FZ_LEN(edges))];
	}
}

/**
 * fz_pick_ring() - a ring, mostly one's own: only that takes requests
 * @t: thread
 *
 * Return: the ring, which may be closed.
 */
struct fz_ring *fz_pick_ring(struct fz_thread *t)
{
	uint32_t n = t->index * FZ_RINGS_THREAD + rng_below(&t->rng, FZ_RINGS_THREAD);

	if (rng_one_in(&t->rng, 8))
		n = rng_below(&t->rng, FZ_RINGS);
	return &t->w->rings[n];
}

/**
 * fz_pick_ifq() - an interface queue that was registered
 * @t: thread
 * @ring: out: its ring
 *
 * Return: the interface queue, or NULL; it may have ended.
 */
struct fz_ifq *fz_pick_ifq(struct fz_thread *t, struct fz_ring **ring)
{
	uint32_t n = rng_below(&t->rng, FZ_RINGS * FZ_IFQS_RING);

	for (uint32_t i = 0; i < FZ_RINGS * FZ_IFQS_RING; i++, n++) {
		struct fz_ring *r = &t->w->rings[n / FZ_IFQS_RING % FZ_RINGS];

		if (r->ifqs[n % FZ_IFQS_RING].live) {
			*ring = r;
			return &r->ifqs[n % FZ_IFQS_RING];
		}
	}
	return NULL;
}

/**
 * fz_any_fd() - a descriptor, mostly a socket
 * @t: thread
 *
 * Return: the number, which may be of none.
 */
int fz_any_fd(struct fz_thread *t)
{
	switch (rng_below(&t->rng, 32)) {
	case 0: return fz_pick_ring(t)->fd;
	case 1: return t->w->tx[rng_below(&t->rng, FZ_LEN(t->w->tx))];
	case 2: return t->w->f->listeners[rng_below(&t->rng, FZ_QUEUES)];
	case 3: return (int)rng_below(&t->rng, 64);
	case 4: return -1;
	default: break;
	}
	for (unsigned int i = 0; i < FZ_SOCKS; i++) {
		int fd = t->w->socks[rng_below(&t->rng, FZ_SOCKS)];

		if (fd >= 0)
			return fd;
	}
	return -1;
}

/* ---- set up and close ---------------------------------------------------- */

static uint32_t any_setup(struct fz_thread *t)
{
	static const uint32_t flags[] = {
		IORING_SETUP_IOPOLL, IORING_SETUP_SQPOLL, IORING_SETUP_CQSIZE, IORING_SETUP_CLAMP,
		IORING_SETUP_ATTACH_WQ, IORING_SETUP_R_DISABLED, IORING_SETUP_SUBMIT_ALL,
		IORING_SETUP_COOP_TASKRUN, IORING_SETUP_TASKRUN_FLAG, IORING_SETUP_SQE128, IORING_SETUP_CQE32,
		IORING_SETUP_SINGLE_ISSUER, IORING_SETUP_DEFER_TASKRUN, SETUP_NO_SQARRAY,
	};
	uint32_t v = IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SINGLE_ISSUER;

	if (rng_below(&t->rng, 4))
		return v;
	if (rng_one_in(&t->rng, 3))
		v = 0;
	for (uint32_t n = rng_below(&t->rng, 4); n; n--)
		v |= flags[rng_below(&t->rng, FZ_LEN(flags))];
	if (rng_one_in(&t->rng, 32))
		v ^= fz_any32(&t->rng);
	/* these two want memory of ours, which they would own: for io_uring's own tests */
	return v & ~(3u << 14);
}

/* Mapped at once, as everybody does */
static void map_ring(struct fz_thread *t, struct fz_ring *r, const struct io_uring_params *p)
{
	size_t cq_size = p->cq_off.cqes + (p->cq_entries * sizeof(struct io_uring_cqe) << !!(p->flags & IORING_SETUP_CQE32));
	char *sq, *sqes;

	r->sq_size = p->sq_off.array + p->sq_entries * sizeof(uint32_t);
	if (r->sq_size < cq_size)
		r->sq_size = cq_size;
	r->sqes_size = p->sq_entries * sizeof(struct io_uring_sqe) << !!(p->flags & IORING_SETUP_SQE128);
	r->sq_entries = p->sq_entries;
	r->cq_entries = p->cq_entries;
	r->off.sq_tail = p->sq_off.tail;
	r->off.array = p->sq_off.array;
	r->off.cq_head = p->cq_off.head;
	r->off.cq_tail = p->cq_off.tail;
	r->off.cqes = p->cq_off.cqes;

	sq = fz_map(t->w, r->sq_size, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, IORING_OFF_SQ_RING);
	sqes = fz_map(t->w, r->sqes_size, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, IORING_OFF_SQES);
	if (sq != MAP_FAILED) {
		if (!(p->flags & SETUP_NO_SQARRAY)) {
			uint32_t *array = (uint32_t *)(sq + r->off.array);

			FZ_TOUCH_BEGIN
			for (uint32_t i = 0; i < p->sq_entries; i++)
				array[i] = i;
			FZ_TOUCH_END;
		}
		r->sq = sq;
	}
	if (sqes != MAP_FAILED)
		r->sqes = sqes;
}

/**
 * fz_ring_setup() - io_uring_setup(2), if there is a place for one more
 * @t: thread
 */
void fz_ring_setup(struct fz_thread *t)
{
	struct fz_ring *r = &t->w->rings[t->index * FZ_RINGS_THREAD + rng_below(&t->rng, FZ_RINGS_THREAD)];
	struct io_uring_params p = {
		.flags = any_setup(t),
		.cq_entries = 2u << rng_below(&t->rng, 8),
		.sq_thread_idle = 1,
		.wq_fd = (uint32_t)fz_pick_ring(t)->fd,
	};
	uint32_t entries = 1u << rng_below(&t->rng, 6);
	long fd;

	if (__atomic_load_n(&r->fd, __ATOMIC_RELAXED) >= 0)
		return;
	if (rng_one_in(&t->rng, 64))
		entries = fz_any32(&t->rng) & 0xffff;
	if (rng_one_in(&t->rng, 64))
		p.resv[rng_below(&t->rng, 3)] = 1;
	fd = fz_count(t->w->f, FZ_SETUP, syscall(__NR_io_uring_setup, entries, &p));
	if (fd < 0)
		return;
	memset(r->ifqs, 0, sizeof(r->ifqs));
	r->buffers = 0;
	r->flags = p.flags;
	r->sq = NULL;
	r->sqes = NULL;
	r->fd = (int)fd;
	map_ring(t, r, &p);
}

/**
 * fz_ring_drop() - unmap what is left of a ring
 * @r: the ring
 */
void fz_ring_drop(struct fz_ring *r)
{
	char *p;

	p = __atomic_exchange_n(&r->sq, NULL, __ATOMIC_RELAXED);
	if (p)
		munmap(p, r->sq_size);
	p = __atomic_exchange_n(&r->sqes, NULL, __ATOMIC_RELAXED);
	if (p)
		munmap(p, r->sqes_size);
	for (unsigned int i = 0; i < FZ_IFQS_RING; i++) {
		r->ifqs[i].live = false;
		p = __atomic_exchange_n(&r->ifqs[i].map, NULL, __ATOMIC_RELAXED);
		if (p)
			munmap(p, r->ifqs[i].map_size);
	}
}

/**
 * fz_ring_close() - close a ring, before its mappings or after them
 * @t: thread
 */
void fz_ring_close(struct fz_thread *t)
{
	struct fz_ring *r = fz_pick_ring(t);
	bool first = rng_one_in(&t->rng, 2);
	int fd;

	if (first)
		fz_ring_drop(r);
	fd = __atomic_exchange_n(&r->fd, -1, __ATOMIC_RELAXED);
	if (fd >= 0)
		fz_count(t->w->f, FZ_CLOSE, close(fd));
	if (!first)
		fz_ring_drop(r);
}

/* ---- submission ---------------------------------------------------------- */

/* A socket whose data the NIC puts into the region, if there is one */
static int sock_of(struct fz_thread *t, const struct fz_ifq *q)
{
	uint32_t n = rng_below(&t->rng, FZ_SOCKS);

	for (unsigned int i = 0; i < FZ_SOCKS && q->live; i++, n++)
		if (t->w->socks[n % FZ_SOCKS] >= 0 && t->w->sock_queue[n % FZ_SOCKS] == q->reg.if_rxq_id)
			return t->w->socks[n % FZ_SOCKS];
	return fz_any_fd(t);
}

static void fill_recv(struct fz_thread *t, struct io_uring_sqe *sqe, struct fz_ring *r)
{
	static const uint32_t lens[] = { 0, 0, 0, 0, 1, 17, 4096, 4097, 65536, 1 << 20, ~0u };
	struct fz_ifq *q = &r->ifqs[rng_below(&t->rng, FZ_IFQS_RING)];

	sqe->opcode = OP_RECV_ZC;
	sqe->fd = rng_one_in(&t->rng, 2) ? sock_of(t, q) : fz_any_fd(t);
	sqe->len = lens[rng_below(&t->rng, FZ_LEN(lens))];
	sqe->ioprio = rng_one_in(&t->rng, 3) ? 0 : IORING_RECV_MULTISHOT;
	if (rng_one_in(&t->rng, 8))
		sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
	sqe->file_index = q->live ? q->reg.zcrx_ifq_idx : 0;
	sqe->user_data = DATA_RECV + rng_below(&t->rng, 16);
}

/* One field of any of its 64 bytes; but not another opcode, which could be one that writes files */
static void break_one(struct fz_thread *t, struct io_uring_sqe *sqe)
{
	uint32_t v = fz_any32(&t->rng);

	memcpy((char *)sqe + 4 * rng_below(&t->rng, 15) + 1, &v, rng_one_in(&t->rng, 2) ? 1 : 4);
}

static void fill_cancel(struct fz_thread *t, struct io_uring_sqe *sqe)
{
	sqe->opcode = IORING_OP_ASYNC_CANCEL;
	sqe->fd = fz_any_fd(t);
	sqe->addr = DATA_RECV + rng_below(&t->rng, 16);
	/* ALL, FD, ANY, FD_FIXED, USERDATA, OP */
	sqe->cancel_flags = rng_below(&t->rng, 4) ? 0 : rng_below(&t->rng, 64);
	sqe->len = OP_RECV_ZC;
}

static const struct __kernel_timespec moment = { .tv_nsec = 200000 };

static void fill_timeout(struct fz_thread *t, struct io_uring_sqe *sqe)
{
	sqe->opcode = rng_one_in(&t->rng, 3) ? IORING_OP_TIMEOUT : IORING_OP_LINK_TIMEOUT;
	sqe->fd = -1;
	sqe->addr = (uintptr_t)&moment;
	sqe->len = 1;
	sqe->off = sqe->opcode == IORING_OP_TIMEOUT ? rng_below(&t->rng, 3) : 0;
}

static void fill_poll(struct fz_thread *t, struct io_uring_sqe *sqe)
{
	sqe->opcode = rng_one_in(&t->rng, 3) ? IORING_OP_POLL_REMOVE : IORING_OP_POLL_ADD;
	sqe->fd = sqe->opcode == IORING_OP_POLL_ADD ? fz_any_fd(t) : -1;
	sqe->addr = sqe->opcode == IORING_OP_POLL_ADD ? 0 : DATA_RECV + rng_below(&t->rng, 16);
	sqe->poll32_events = sqe->opcode == IORING_OP_POLL_ADD ? POLLIN : 0;
}

/* The descriptor leaves its place first, so that nobody closes its number again */
static void fill_close(struct fz_thread *t, struct io_uring_sqe *sqe)
{
	sqe->opcode = IORING_OP_CLOSE;
	if (rng_one_in(&t->rng, 2)) {
		sqe->fd = __atomic_exchange_n(&t->w->socks[rng_below(&t->rng, FZ_SOCKS)], -1, __ATOMIC_RELAXED);
	} else {
		sqe->fd = 0;
		sqe->file_index = 1 + rng_below(&t->rng, 4);
	}
}

/* What else receives from the sockets or works on the region's memory, and plain noise */
static void fill_other(struct fz_thread *t, struct io_uring_sqe *sqe)
{
	struct fz_world *w = t->w;
	uint32_t region = rng_below(&t->rng, FZ_REGIONS);
	static const uint8_t ops[] = {
		IORING_OP_NOP, IORING_OP_RECV, IORING_OP_SEND, IORING_OP_READ_FIXED, IORING_OP_SHUTDOWN,
		IORING_OP_FILES_UPDATE, IORING_OP_MSG_RING, IORING_OP_ACCEPT,
	};

	sqe->opcode = ops[rng_below(&t->rng, FZ_LEN(ops))];
	sqe->fd = fz_any_fd(t);
	switch (sqe->opcode) {
	case IORING_OP_RECV:
	case IORING_OP_SEND:
	case IORING_OP_READ_FIXED:
		sqe->addr = (uintptr_t)w->regions[region] + rng_below(&t->rng, 65536);
		sqe->len = rng_below(&t->rng, 65536);
		if (sqe->opcode != IORING_OP_READ_FIXED)
			sqe->msg_flags = 0x40;	/* MSG_DONTWAIT */
		break;
	case IORING_OP_FILES_UPDATE:
		sqe->fd = -1;
		sqe->addr = (uintptr_t)w->socks;
		sqe->len = 1 + rng_below(&t->rng, 4);
		break;
	case IORING_OP_MSG_RING:
		sqe->fd = fz_pick_ring(t)->fd;
		sqe->len = rng_below(&t->rng, 100);
		sqe->off = rng_below(&t->rng, 16);
		break;
	case IORING_OP_ACCEPT:
		sqe->fd = w->f->listeners[rng_below(&t->rng, FZ_QUEUES)];
		sqe->accept_flags = 0x800;	/* SOCK_NONBLOCK */
		sqe->file_index = 1 + rng_below(&t->rng, 4);
		break;
	case IORING_OP_NOP:
	case IORING_OP_SHUTDOWN:
		break;
	}
}

static uint8_t any_sqe_flags(struct fz_thread *t)
{
	static const uint8_t flags[] = {
		IOSQE_FIXED_FILE, IOSQE_IO_DRAIN, IOSQE_IO_LINK, IOSQE_IO_LINK, IOSQE_IO_HARDLINK, IOSQE_ASYNC,
		IOSQE_ASYNC, IOSQE_CQE_SKIP_SUCCESS,
	};

	if (rng_one_in(&t->rng, 128))
		return (uint8_t)rng_next(&t->rng);
	return rng_one_in(&t->rng, 3) ? flags[rng_below(&t->rng, FZ_LEN(flags))] : 0;
}

static enum fz_op fill_any(struct fz_thread *t, struct io_uring_sqe *sqe, struct fz_ring *r)
{
	sqe->user_data = 1 + rng_below(&t->rng, 16);
	switch (rng_below(&t->rng, 24)) {
	case 0: fill_cancel(t, sqe); return FZ_OP_CANCEL;
	case 1: fill_timeout(t, sqe); return FZ_OP_TIMEOUT;
	case 2: fill_poll(t, sqe); return FZ_OP_POLL;
	case 3: fill_other(t, sqe); return FZ_OP_OTHER;
	case 4:
		if (!rng_one_in(&t->rng, 16))
			break;
		fill_close(t, sqe);
		return FZ_OP_CLOSE;
	default: break;
	}
	fill_recv(t, sqe, r);
	if (rng_below(&t->rng, 16))
		return FZ_OP_RECV_ZC;
	break_one(t, sqe);
	return FZ_OP_RECV_ZC_BROKEN;
}

static void enter(struct fz_thread *t, struct fz_ring *r, uint32_t submit)
{
	struct __kernel_timespec ts = { .tv_nsec = rng_below(&t->rng, 300000) };
	struct io_uring_getevents_arg arg = { .ts = (uintptr_t)&ts };
	uint32_t flags = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG;
	int fd = r->fd;

	if (r->flags & IORING_SETUP_SQPOLL)
		flags |= IORING_ENTER_SQ_WAKEUP;
	if (rng_one_in(&t->rng, 64))
		flags ^= 1u << rng_below(&t->rng, 8);
	/* without the time limit it would wait for ever: descriptor 0 is none that is registered */
	if (!(flags & IORING_ENTER_EXT_ARG))
		flags &= ~(uint32_t)IORING_ENTER_GETEVENTS;
	/* so it would for room in a ring whose indices are garbage */
	flags &= ~(uint32_t)IORING_ENTER_SQ_WAIT;
	fz_count(t->w->f, FZ_ENTER, syscall(__NR_io_uring_enter, fd, submit, rng_below(&t->rng, 2), flags, &arg,
					    sizeof(arg)));
}

/**
 * fz_ring_submit() - write some submission entries, and submit them
 * @t: thread
 */
void fz_ring_submit(struct fz_thread *t)
{
	struct fz_ring *r = fz_pick_ring(t);
	char *sq = r->sq, *sqes = r->sqes;
	uint32_t n = 1 + rng_below(&t->rng, 6), ops[FZ_OPS] = { 0 };

	if (r->fd < 0 || !sq || !sqes || !r->sq_entries)
		return;
	FZ_TOUCH_BEGIN
	uint32_t *tail = (uint32_t *)(sq + r->off.sq_tail);

	for (uint32_t i = 0; i < n; i++) {
		uint32_t at = (*tail + i) & (r->sq_entries - 1);
		struct io_uring_sqe sqe = { 0 };

		ops[fill_any(t, &sqe, r)]++;
		sqe.flags |= any_sqe_flags(t);
		memcpy(sqes + (at * sizeof(sqe) << !!(r->flags & IORING_SETUP_SQE128)), &sqe, sizeof(sqe));
	}
	__atomic_store_n(tail, *tail + n, __ATOMIC_RELEASE);
	FZ_TOUCH_END;
	for (unsigned int i = 0; i < FZ_OPS; i++)
		if (ops[i])
			fz_add(t->w->f, &t->w->f->s->ops[i], ops[i]);
	enter(t, r, n);
}

/**
 * fz_ring_enter() - io_uring_enter(2), to let things happen
 * @t: thread
 */
void fz_ring_enter(struct fz_thread *t)
{
	struct fz_ring *r = fz_pick_ring(t);

	if (r->fd >= 0)
		enter(t, r, rng_one_in(&t->rng, 16) ? fz_any32(&t->rng) : 0);
}

static void seen(struct fz_thread *t, uint64_t user_data, int32_t res)
{
	struct fz_shared *s = t->w->f->s;

	if (user_data < DATA_RECV || user_data >= DATA_RECV + 16)
		return;
	if (res > 0)
		fz_add(t->w->f, &s->events[FZ_BYTES], (uint64_t)res);
	if (res > -FZ_ERRNOS)
		fz_add(t->w->f, &s->results[res < 0 ? -res : 0], 1);
}

/**
 * fz_ring_reap() - take completions
 * @t: thread
 */
void fz_ring_reap(struct fz_thread *t)
{
	struct fz_ring *r = fz_pick_ring(t);
	char *sq = r->sq;

	if (!sq || !r->cq_entries)
		return;
	FZ_TOUCH_BEGIN
	uint32_t *head = (uint32_t *)(sq + r->off.cq_head);
	uint32_t tail = __atomic_load_n((uint32_t *)(sq + r->off.cq_tail), __ATOMIC_ACQUIRE);

	for (uint32_t n = 0; *head != tail && n < 64; n++) {
		size_t at = (*head & (r->cq_entries - 1)) * sizeof(struct io_uring_cqe);
		struct io_uring_cqe *cqe = (void *)(sq + r->off.cqes + (at << !!(r->flags & IORING_SETUP_CQE32)));

		seen(t, cqe->user_data, cqe->res);
		__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	}
	FZ_TOUCH_END;
}

/* ---- io_uring_register(2) but for buffers and interface queues ----------- */

/**
 * fz_ring_files() - register, update or unregister files
 * @t: thread
 */
void fz_ring_files(struct fz_thread *t)
{
	struct fz_ring *r = fz_pick_ring(t);
	int fds[4];
	struct io_uring_files_update update = { .fds = (uintptr_t)fds, .offset = rng_below(&t->rng, 5) };
	long ret;

	if (r->fd < 0)
		return;
	for (unsigned int i = 0; i < 4; i++)
		fds[i] = rng_one_in(&t->rng, 4) ? -1 : fz_any_fd(t);
	switch (rng_below(&t->rng, 8)) {
	case 0:
		/* waits for the requests that use them, as fz_unbuffers() does */
		__atomic_store_n(&t->waits_ms, fz_now_ms(), __ATOMIC_RELAXED);
		ret = syscall(__NR_io_uring_register, r->fd, IORING_UNREGISTER_FILES, NULL, 0);
		__atomic_store_n(&t->waits_ms, 0, __ATOMIC_RELAXED);
		break;
	case 1:
	case 2:
	case 3:
		ret = syscall(__NR_io_uring_register, r->fd, IORING_REGISTER_FILES_UPDATE, &update,
			      1 + rng_below(&t->rng, 4));
		break;
	default:
		ret = syscall(__NR_io_uring_register, r->fd, IORING_REGISTER_FILES, fds, 4);
		break;
	}
	fz_count(t->w->f, FZ_FILES, ret);
}

/**
 * fz_ring_other() - the rest of io_uring_register(2)
 * @t: thread
 */
void fz_ring_other(struct fz_thread *t)
{
	struct fz_ring *r = fz_pick_ring(t);
	struct io_uring_rsrc_update ring_fd = { .offset = ~0u, .data = (uint64_t)r->fd };
	/* Linux 6.0; addr, fd, flags, a time limit, padding */
	struct {
		uint64_t addr;
		int32_t fd;
		uint32_t flags;
		struct __kernel_timespec ts;
		uint64_t pad[4];
	} cancel = { .addr = DATA_RECV + rng_below(&t->rng, 16), .fd = fz_any_fd(t), .ts = moment };
	uint32_t limits[2] = { 1 + rng_below(&t->rng, 4), 1 + rng_below(&t->rng, 4) };
	int ev;
	long ret;

	if (r->fd < 0)
		return;
	switch (rng_below(&t->rng, 10)) {
	case 0:
		ev = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		ret = syscall(__NR_io_uring_register, r->fd, IORING_REGISTER_EVENTFD, &ev, 1);
		fz_count(t->w->f, FZ_EVENTFD, ret);
		close(ev);
		return;
	case 1:
		ret = syscall(__NR_io_uring_register, r->fd, IORING_UNREGISTER_EVENTFD, NULL, 0);
		break;
	case 2:
		ret = syscall(__NR_io_uring_register, r->fd, IORING_REGISTER_PERSONALITY, NULL, 0);
		break;
	case 3:
		ret = syscall(__NR_io_uring_register, r->fd, IORING_UNREGISTER_PERSONALITY, NULL,
			      rng_below(&t->rng, 4));
		break;
	case 4:
		ret = syscall(__NR_io_uring_register, r->fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
		break;
	case 5:
		cancel.flags = rng_below(&t->rng, 64);
		ret = syscall(__NR_io_uring_register, r->fd, REGISTER_SYNC_CANCEL, &cancel, 1);
		break;
	case 6:
		ret = syscall(__NR_io_uring_register, r->fd, REGISTER_RING_FDS, &ring_fd, 1);
		break;
	case 7:
		ring_fd.offset = rng_below(&t->rng, 4);
		ring_fd.data = 0;
		ret = syscall(__NR_io_uring_register, r->fd, UNREGISTER_RING_FDS, &ring_fd, 1);
		break;
	case 8:
		ret = syscall(__NR_io_uring_register, r->fd, IORING_REGISTER_IOWQ_MAX_WORKERS, limits, 2);
		break;
	default:
		/* any number there is not, or one without what it wants */
		ret = syscall(__NR_io_uring_register, r->fd, 64 + rng_below(&t->rng, 1 << 10), &limits, 1);
		break;
	}
	fz_count(t->w->f, FZ_REGISTER, ret);
}
