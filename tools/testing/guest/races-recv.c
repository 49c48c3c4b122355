// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * zc-races: a receiver. One that is sane looks at each byte when it arrives and again
 * before it gives the page back, which may be much later: a page that the NIC got while
 * it was held shows. One that is wild has threads that write garbage into its rings.
 */
#include "races-recv.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pattern.h"
#include "races.h"

#define PAGE		4096u
#define MAX_CONNS	16
#define MAX_HELD	8192u
#define CQ_ENTRIES	1024u
/* The NIC's own ring takes up to 1020, and must leave a quarter of that */
#define MIN_PAGES	1300u
/* Somebody else's interface may be down or gone, but not for so long */
#define BIND_MS		20000u
#define RETRY_MS	5u

enum { USER_ACCEPT = MAX_CONNS, USER_CANCEL };

/**
 * struct conn - a connection
 * @used: this is one
 * @fd: its socket; -1 when it was closed and its request was not through yet
 * @pos: bytes received
 * @armed: a request is under way
 * @limit: bytes that it may still receive, 0 for any number
 * @closing: no further request
 * @retry_ms: when to try again after there was no buffer
 */
struct conn {
	bool used;
	int fd;
	uint64_t pos;
	bool armed;
	uint32_t limit;
	bool closing;
	uint64_t retry_ms;
};

/* A piece that was not given back yet */
struct held {
	struct io_uring_rbuf_cqe cqe;
	uint64_t pos;
};

/**
 * struct receiver - a life
 * @races: all
 * @life: what to do
 * @rng: dice
 * @q: interface queue
 * @listener: listening socket
 * @accepting: a request to accept is under way
 * @conns: connections
 * @held: pieces in the order in which they came, a ring
 * @held_head: the oldest
 * @held_tail: behind the newest
 * @hold: how many are held at most
 * @bytes: that were right
 * @end_ms: when it is over
 * @wrong: something failed
 * @quit: for the threads of a wild one
 */
struct receiver {
	const struct races *races;
	const struct races_life *life;
	struct rng rng;
	struct races_ifq q;
	int listener;
	bool accepting;
	struct conn conns[MAX_CONNS];
	struct held held[MAX_HELD];
	uint32_t held_head;
	uint32_t held_tail;
	uint32_t hold;
	uint64_t bytes;
	uint64_t end_ms;
	bool wrong;
	bool quit;
};

#define fail(r, ...) do {							\
	(r)->wrong = true;							\
	races_fail((r)->races, __VA_ARGS__);					\
} while (0)

static void nap(struct receiver *r, uint32_t us)
{
	races_nap(&r->rng, us);
}

/* ---- pieces ------------------------------------------------------------- */

static bool right(struct receiver *r, const struct held *h, const char *when)
{
	size_t good = pattern_check(r->q.region + h->cqe.off, h->pos, h->cqe.len);

	if (good == h->cqe.len)
		return true;
	fail(r, "queue %u: byte %zu of %u at offset %u of the region, position %llu of the stream, is wrong %s%s",
	     r->life->queue, good, h->cqe.len, h->cqe.off, (unsigned long long)h->pos, when,
	     h->cqe.flags & IORING_RBUF_CQE_F_COPY ? " (a copy)" : "");
	return false;
}

/* Give back what came first. Return: whether there was room. */
static bool give_oldest(struct receiver *r)
{
	const struct held *h = &r->held[r->held_head % MAX_HELD];

	if (!r->life->wild && !right(r, h, "before it is given back"))
		return false;
	if (!races_ifq_give(&r->q, &h->cqe))
		return false;
	r->held_head++;
	return true;
}

static void give_down_to(struct receiver *r, uint32_t left)
{
	while (r->held_tail - r->held_head > left && give_oldest(r))
		;
}

static void hold(struct receiver *r, const struct io_uring_rbuf_cqe *cqe, uint64_t pos)
{
	while (r->held_tail - r->held_head == MAX_HELD && !r->wrong && !give_oldest(r))
		nap(r, 1000);
	r->held[r->held_tail++ % MAX_HELD] = (struct held){ .cqe = *cqe, .pos = pos };
}

/* What a completion announces. A wild one's rings say anything. */
static void take_wild(struct receiver *r, int bytes)
{
	struct io_uring_rbuf_cqe cqe;

	for (int i = 0; i < 64 && bytes > 0 && races_ifq_take(&r->q, &cqe); i++) {
		bytes -= (int)(cqe.len % PAGE) + 1;
		hold(r, &cqe, 0);
	}
}

static void take(struct receiver *r, struct conn *c, int bytes)
{
	struct held h = { 0 };

	while (bytes > 0 && !r->wrong) {
		if (!races_ifq_take(&r->q, &h.cqe)) {
			fail(r, "queue %u: %d bytes announced by no entry", r->life->queue, bytes);
			return;
		}
		if (h.cqe.off >= r->q.region_size || !h.cqe.len || h.cqe.len > (uint32_t)bytes ||
		    h.cqe.len > PAGE - h.cqe.off % PAGE) {
			fail(r, "queue %u: an entry with offset %u and %u bytes, of %d", r->life->queue,
			     h.cqe.off, h.cqe.len, bytes);
			return;
		}
		h.pos = c->pos;
		if (!right(r, &h, "when it arrives"))
			return;
		c->pos += h.cqe.len;
		r->bytes += h.cqe.len;
		bytes -= (int)h.cqe.len;
		races_add(r->races, RACES_CHECKED, h.cqe.len);
		hold(r, &h.cqe, h.pos);
	}
}

/* ---- connections -------------------------------------------------------- */

static int listen_on(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	/* the one before may have left a child that has it still */
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	if (!bind(fd, (struct sockaddr *)&a, sizeof(a)) && !listen(fd, 64))
		return fd;
	one = -errno;
	close(fd);
	return one;
}

static void forget(struct conn *c)
{
	if (c->fd >= 0)
		close(c->fd);
	*c = (struct conn){ .fd = -1 };
}

static void on_accept(struct receiver *r, int res, unsigned int flags)
{
	if (!(flags & IORING_CQE_F_MORE))
		r->accepting = false;
	if (res < 0)
		return;
	for (unsigned int i = 0; i < MAX_CONNS; i++) {
		if (!r->conns[i].used) {
			r->conns[i] = (struct conn){ .used = true, .fd = res };
			return;
		}
	}
	close(res);
}

static bool is_starvation(int res)
{
	return res == -ENOBUFS || res == -ENOMEM;
}

static void on_data(struct receiver *r, struct conn *c, int res, unsigned int flags)
{
	c->armed = flags & IORING_CQE_F_MORE;
	if (res > 0 && c->limit) {
		if ((uint32_t)res > c->limit || ((uint32_t)res == c->limit && c->armed)) {
			fail(r, "queue %u: %d bytes, %u were left of the limit%s", r->life->queue, res, c->limit,
			     c->armed ? ", and there is to be more" : "");
			return;
		}
		c->limit -= (uint32_t)res;
	}
	if (res > 0 && r->life->wild)
		take_wild(r, res);
	else if (res > 0)
		take(r, c, res);
	if (c->armed)
		return;
	if (is_starvation(res)) {
		races_add(r->races, RACES_STARVED, 1);
		give_down_to(r, 0);
		c->retry_ms = races_now_ms() + RETRY_MS;
	}
	if (c->closing || (res <= 0 && !is_starvation(res)))
		forget(c);
}

static struct io_uring_sqe *get_sqe(struct receiver *r)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&r->q.ring);

	if (!sqe) {
		io_uring_submit(&r->q.ring);
		sqe = io_uring_get_sqe(&r->q.ring);
	}
	return sqe;
}

static void arm(struct receiver *r)
{
	uint64_t now = races_now_ms();
	struct io_uring_sqe *sqe;

	if (!r->accepting) {
		sqe = get_sqe(r);
		io_uring_prep_multishot_accept(sqe, r->listener, NULL, NULL, 0);
		sqe->user_data = USER_ACCEPT;
		r->accepting = true;
	}
	for (unsigned int i = 0; i < MAX_CONNS; i++) {
		struct conn *c = &r->conns[i];

		if (!c->used || c->armed || c->closing || now < c->retry_ms)
			continue;
		sqe = get_sqe(r);
		io_uring_prep_rw(OP_RECV_ZC, sqe, c->fd, NULL, 0, 0);
		sqe->ioprio = IORING_RECV_MULTISHOT;
		c->limit = rng_one_in(&r->rng, 8) ? 1 + rng_below(&r->rng, 1 << 20) : 0;
		sqe->len = c->limit;
		sqe->file_index = r->q.reg.zcrx_ifq_idx;
		sqe->user_data = i;
		c->armed = true;
	}
}

/* Away with a connection, with data under way */
static void drop_one(struct receiver *r)
{
	struct conn *c = &r->conns[rng_below(&r->rng, MAX_CONNS)];
	struct io_uring_sqe *sqe;

	if (!c->used || c->closing || c->fd < 0)
		return;
	c->closing = true;
	if (!c->armed) {
		forget(c);
	} else if (rng_one_in(&r->rng, 2)) {
		shutdown(c->fd, SHUT_RDWR);
	} else {
		sqe = get_sqe(r);
		io_uring_prep_cancel_fd(sqe, c->fd, IORING_ASYNC_CANCEL_ALL);
		sqe->user_data = USER_CANCEL;
		io_uring_submit(&r->q.ring);
		close(c->fd);
		c->fd = -1;
	}
}

/* ---- a life ------------------------------------------------------------- */

static void whims(struct receiver *r)
{
	if (rng_one_in(&r->rng, 32))
		nap(r, 30000);
	if (rng_one_in(&r->rng, 64))
		races_move(r->races, &r->rng);
	if (rng_one_in(&r->rng, 128))
		drop_one(r);
	/* the region stays: the ifq holds it */
	if (rng_one_in(&r->rng, 256))
		io_uring_unregister_buffers(&r->q.ring);
}

static bool over(const struct receiver *r)
{
	return r->wrong || races_now_ms() >= r->end_ms ||
	       (r->life->enough && r->bytes >= r->life->enough);
}

static void receive(struct receiver *r)
{
	struct __kernel_timespec ts = { .tv_nsec = 5000000 };
	struct io_uring_cqe *cqe;

	while (!over(r)) {
		arm(r);
		io_uring_submit_and_wait_timeout(&r->q.ring, &cqe, 1, &ts, NULL);
		while (!r->wrong && !io_uring_peek_cqe(&r->q.ring, &cqe)) {
			uint64_t user = cqe->user_data;
			unsigned int flags = cqe->flags;
			int res = cqe->res;

			io_uring_cqe_seen(&r->q.ring, cqe);
			if (user == USER_ACCEPT)
				on_accept(r, res, flags);
			else if (user < MAX_CONNS)
				on_data(r, &r->conns[user], res, flags);
		}
		give_down_to(r, rng_below(&r->rng, r->hold + 1));
		if (!r->life->enough)
			whims(r);
	}
}

/* What it may meet as long as others do what they want with the interface */
static bool comes_back(int err)
{
	switch (err) {
	case -EEXIST:		/* bound by the one before */
	case -EBUSY:		/* the firmware is being reset */
	case -ENODEV:		/* no driver */
	case -ENETDOWN:		/* down, and a CPU was asked for */
	case -ERANGE:		/* fewer queues, before they were set up again */
	case -ENOSPC:		/* larger rings, likewise */
		return true;
	default:
		return false;
	}
}

static int open_queue(struct receiver *r)
{
	uint64_t end = races_now_ms() + BIND_MS * r->races->slow;
	uint32_t rq = 1u << (4 + rng_below(&r->rng, 9));
	int err;

	do {
		err = races_ifq_open(&r->q, r->races->iface, r->life->queue, rq, CQ_ENTRIES,
				     races_cpu(r->races, &r->rng));
		if (!err)
			return 0;
		nap(r, 20000);
	} while (comes_back(err) && races_now_ms() < end);
	fail(r, "queue %u cannot be bound: %s", r->life->queue, strerror(-err));
	return err;
}

static int begin(struct receiver *r)
{
	uint32_t pages = MIN_PAGES + rng_below(&r->rng, 3000);
	bool early = rng_one_in(&r->rng, 4);
	int err;

	for (unsigned int i = 0; i < MAX_CONNS; i++)
		r->conns[i].fd = -1;
	/* how much it holds: as good as nothing, or what leaves the NIC with little */
	r->hold = rng_one_in(&r->rng, 2) ? rng_below(&r->rng, 32) : rng_below(&r->rng, pages - 600);
	err = races_ifq_region(&r->q, pages);
	if (err) {
		fail(r, "no memory for a region: %s", strerror(-err));
		return err;
	}
	races_move(r->races, &r->rng);
	/* what comes before the queue is bound lies in the kernel's pages */
	r->listener = early ? listen_on(r->life->port) : -1;
	err = open_queue(r);
	if (err)
		return err;
	if (r->listener < 0)
		r->listener = listen_on(r->life->port);
	if (r->listener >= 0)
		return 0;
	fail(r, "cannot listen at port %u: %s", r->life->port, strerror(-r->listener));
	return r->listener;
}

static void check_held(struct receiver *r)
{
	for (; r->held_head != r->held_tail && !r->wrong; r->held_head++)
		right(r, &r->held[r->held_head % MAX_HELD], "after the ring was closed");
}

/* What a socket has for recv(2). Return: false at the end of it */
static bool read_some(const struct races *races, struct conn *c, enum races_count count)
{
	uint8_t buf[16384];
	ssize_t n = recv(c->fd, buf, sizeof(buf), MSG_DONTWAIT);
	size_t good;

	if (n <= 0)
		return n && errno == EAGAIN;
	good = pattern_check(buf, c->pos, (size_t)n);
	if (good != (size_t)n)
		races_fail(races, "byte %zu of %zd of recv(2), position %llu of the stream, is wrong (%s)", good, n,
			   (unsigned long long)c->pos,
			   count == RACES_PLAIN ? "an ordinary receiver" : "the ring is gone");
	c->pos += (uint64_t)n;
	races_add(races, count, (uint64_t)n);
	return good == (size_t)n;
}

/* What is in the socket, or comes later, is to be had by recv(2) */
static void read_on(struct receiver *r, struct conn *c, uint64_t end_ms)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };

	while (races_now_ms() < end_ms && poll(&p, 1, 50) >= 0)
		if (p.revents && !read_some(r->races, c, RACES_READ_ON))
			return;
}

static void end_ring_first(struct receiver *r)
{
	uint64_t end_ms;

	races_ifq_close(&r->q);
	check_held(r);
	/* taken from a socket, but from which one was to be told by the ring that is gone */
	if (r->q.cq_head != *races_ifq_at(&r->q, r->q.reg.cq_off.tail))
		return;
	end_ms = races_now_ms() + 300;
	for (unsigned int i = 0; i < MAX_CONNS; i++)
		if (r->conns[i].used && r->conns[i].fd >= 0 && !r->conns[i].closing)
			read_on(r, &r->conns[i], end_ms);
}

static void end(struct receiver *r)
{
	switch (r->life->end) {
	case RACES_END_RING:
		if (!r->life->wild)
			end_ring_first(r);
		break;
	case RACES_END_UNMAP:
		races_ifq_unmap(&r->q);
		break;
	case RACES_END_DIE:
		_exit(r->wrong);
	case RACES_END_FORK:
		if (!fork()) {
			nap(r, 300000);
			_exit(0);
		}
		_exit(r->wrong);
	default:
		break;
	}
	races_ifq_close(&r->q);
	if (r->q.region && !r->life->wild)
		check_held(r);
	races_ifq_unmap(&r->q);
	for (unsigned int i = 0; i < MAX_CONNS; i++)
		forget(&r->conns[i]);
}

static void add_stats(const struct receiver *r)
{
	const struct io_uring_zc_rx_stats *s = (const void *)(r->q.map + r->q.reg.stats_off);

	if (r->life->wild) {
		races_add(r->races, RACES_BAD_RQES, s->bad_rqes & 0xffff);
		return;
	}
	races_add(r->races, RACES_COPIES, s->copy_linear_bytes + s->copy_foreign_bytes);
	if (s->bad_rqes)
		races_fail(r->races, "queue %u: %llu entries of a sane receiver were refused", r->life->queue,
			   (unsigned long long)s->bad_rqes);
}

/* ---- the wild ----------------------------------------------------------- */

struct wild {
	struct receiver *r;
	struct rng rng;
};

static void put32(struct wild *w, uint32_t off, uint32_t v)
{
	__atomic_store_n(races_ifq_at(&w->r->q, off), v, __ATOMIC_RELEASE);
}

static struct io_uring_rbuf_rqe *any_rqe(struct wild *w)
{
	const struct races_ifq *q = &w->r->q;

	return (struct io_uring_rbuf_rqe *)(q->map + q->reg.rq_off.rqes) + rng_below(&w->rng, q->reg.rq_entries);
}

static void rqe_garbage(struct wild *w)
{
	uint64_t v[2] = { rng_next(&w->rng), rng_next(&w->rng) };

	memcpy(any_rqe(w), v, sizeof(v));
}

/* One that the kernel may take: a page that is held, or was given back long ago */
static void rqe_again(struct wild *w)
{
	*any_rqe(w) = (struct io_uring_rbuf_rqe){
		.off = rng_below(&w->rng, (uint32_t)w->r->q.region_size),
	};
}

static void tail_on(struct wild *w)
{
	const struct races_ifq *q = &w->r->q;

	put32(w, q->reg.rq_off.tail, *races_ifq_at(q, q->reg.rq_off.tail) + rng_below(&w->rng, 64));
}

static void tail_back(struct wild *w)
{
	const struct races_ifq *q = &w->r->q;

	put32(w, q->reg.rq_off.tail, *races_ifq_at(q, q->reg.rq_off.head) - rng_below(&w->rng, 3));
}

static void tail_garbage(struct wild *w)
{
	put32(w, w->r->q.reg.rq_off.tail, (uint32_t)rng_next(&w->rng));
}

static void head_garbage(struct wild *w)
{
	put32(w, w->r->q.reg.rq_off.head, (uint32_t)rng_next(&w->rng));
}

static void cq_head_garbage(struct wild *w)
{
	put32(w, w->r->q.reg.cq_off.head, (uint32_t)rng_next(&w->rng));
}

static void anywhere(struct wild *w)
{
	const struct races_ifq *q = &w->r->q;

	put32(w, rng_below(&w->rng, (uint32_t)(q->reg.mmap_sz / 4)) * 4, (uint32_t)rng_next(&w->rng));
}

static void (*const scribbles[])(struct wild *w) = {
	rqe_again, rqe_again, rqe_again, tail_on, tail_on, rqe_garbage, tail_back, tail_garbage,
	head_garbage, cq_head_garbage, anywhere,
};

static void *scribble(void *arg)
{
	struct wild *w = arg;

	while (!__atomic_load_n(&w->r->quit, __ATOMIC_RELAXED)) {
		for (uint32_t n = rng_below(&w->rng, 50); n; n--)
			scribbles[rng_below(&w->rng, sizeof(scribbles) / sizeof(scribbles[0]))](w);
		races_nap(&w->rng, 300);
	}
	return NULL;
}

/* Maps the rings over and over, right and wrong, also while they are closed */
static void *map_again(void *arg)
{
	struct wild *w = arg;
	const struct races_ifq *q = &w->r->q;

	while (!__atomic_load_n(&w->r->quit, __ATOMIC_RELAXED)) {
		size_t len = PAGE * (1 + rng_below(&w->rng, (uint32_t)(q->reg.mmap_sz / PAGE) + 1));
		off_t off = (off_t)q->reg.mmap_off;
		volatile uint8_t *p;

		if (rng_one_in(&w->rng, 4))
			off += (off_t)(rng_below(&w->rng, 4) << IORING_OFF_RBUF_SHIFT);
		p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, q->ring.ring_fd, off);
		if (p != MAP_FAILED) {
			p[0] = p[len - 1];
			munmap((void *)p, len);
		}
		races_nap(&w->rng, 1000);
	}
	return NULL;
}

static void go_wild(struct receiver *r)
{
	static void *(*const what[])(void *) = { scribble, scribble, map_again };
	struct wild wild[3];
	pthread_t threads[3];
	unsigned int n;

	for (n = 0; n < 3; n++) {
		wild[n] = (struct wild){ .r = r, .rng = { rng_next(&r->rng) } };
		if (pthread_create(&threads[n], NULL, what[n], &wild[n]))
			break;
	}
	receive(r);
	add_stats(r);
	/* these let them go on until the last moment */
	if (r->life->end == RACES_END_DIE || r->life->end == RACES_END_FORK)
		end(r);
	if (rng_one_in(&r->rng, 2))
		races_ifq_close(&r->q);
	__atomic_store_n(&r->quit, true, __ATOMIC_RELAXED);
	while (n--)
		pthread_join(threads[n], NULL);
}

/**
 * races_receive() - live as a receiver
 * @races: all
 * @life: what to do, and for how long
 *
 * In a process of its own, which this may end.
 *
 * Return: 0, or 1 when something was wrong, of which races_fail() was told.
 */
int races_receive(const struct races *races, const struct races_life *life)
{
	struct receiver *r = calloc(1, sizeof(*r));

	if (!r)
		return 1;
	r->races = races;
	r->life = life;
	r->rng.state = life->seed;
	if (begin(r))
		return 1;
	races_add(races, RACES_LIVES, 1);
	r->end_ms = races_now_ms() + life->ms;
	if (life->wild) {
		go_wild(r);
	} else {
		receive(r);
		add_stats(r);
	}
	if (!r->wrong && life->enough && r->bytes < life->enough)
		fail(r, "queue %u: %llu bytes in %u ms, with nobody to disturb it", life->queue,
		     (unsigned long long)r->bytes, life->ms);
	end(r);
	return r->wrong;
}

/**
 * races_plain() - receive with recv(2), until killed
 * @races: all
 * @seed: of its dice
 * @port: where to listen
 *
 * For a queue that is bound and unbound under its traffic: some of it lies in pages of a
 * user who does not even know of this socket.
 *
 * Return: 1 when it cannot begin.
 */
int races_plain(const struct races *races, uint64_t seed, uint16_t port)
{
	struct pollfd polls[MAX_CONNS + 1] = { { .fd = listen_on(port), .events = POLLIN } };
	struct conn conns[MAX_CONNS];
	struct rng rng = { seed };

	if (polls[0].fd < 0) {
		races_fail(races, "cannot listen at port %u: %s", port, strerror(-polls[0].fd));
		return 1;
	}
	for (unsigned int i = 0; i < MAX_CONNS; i++) {
		conns[i] = (struct conn){ .fd = -1 };
		polls[i + 1] = (struct pollfd){ .fd = -1, .events = POLLIN };
	}
	for (;;) {
		unsigned int next = 1 + rng_below(&rng, MAX_CONNS);

		poll(polls, MAX_CONNS + 1, 100);
		if (polls[0].revents) {
			/* in the place of another, which is closed with data under way */
			forget(&conns[next - 1]);
			conns[next - 1].fd = accept(polls[0].fd, NULL, NULL);
			polls[next].fd = conns[next - 1].fd;
		}
		for (unsigned int i = 0; i < MAX_CONNS; i++) {
			if (!polls[i + 1].revents || conns[i].fd < 0)
				continue;
			if (!read_some(races, &conns[i], RACES_PLAIN)) {
				forget(&conns[i]);
				polls[i + 1].fd = -1;
			}
		}
		if (rng_one_in(&rng, 64))
			races_nap(&rng, 30000);
		if (rng_one_in(&rng, 256))
			races_move(races, &rng);
	}
}

/**
 * races_pump() - send the pattern to a receiver of this machine, until killed
 * @races: all
 * @seed: of its dice
 * @port: where the receiver listens
 *
 * What comes this way is in no page of the receiver's, and has to be copied.
 *
 * Return: never.
 */
int races_pump(const struct races *races, uint64_t seed, uint16_t port)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	static uint8_t buf[65536];
	struct rng rng = { seed };

	signal(SIGPIPE, SIG_IGN);
	for (;;) {
		uint64_t pos = 0, size = rng_below(&rng, 8 << 20);
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
			size = 0;
		while (pos < size) {
			size_t len = 1 + rng_below(&rng, sizeof(buf));
			ssize_t n;

			pattern_fill(buf, pos, len);
			n = send(fd, buf, len, 0);
			if (n <= 0)
				break;
			pos += (uint64_t)n;
			if (rng_one_in(&rng, 16))
				races_nap(&rng, 10000);
		}
		close(fd);
		if (rng_one_in(&rng, 8))
			races_move(races, &rng);
		races_nap(&rng, 20000);
	}
}
