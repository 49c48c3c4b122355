// SPDX-License-Identifier: GPL-2.0-or-later
/* zc-fuzz: the life of one process, its threads, memory and sockets */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "zc-fuzz.h"

static struct fz_world world;

/* A call that has not come back by then is interrupted */
#define WAIT_MS		20u

/* ---- memory -------------------------------------------------------------- */

/**
 * fz_map() - map a ring, while nobody else changes mappings
 * @w: where
 * @len: bytes
 * @prot: PROT_*
 * @flags: MAP_*
 * @fd: of the ring
 * @off: offset
 *
 * Return: address or MAP_FAILED.
 */
char *fz_map(struct fz_world *w, size_t len, int prot, int flags, int fd, uint64_t off)
{
	char *p;

	pthread_mutex_lock(&w->map_lock);
	p = mmap(NULL, len, prot, flags, fd, (off_t)off);
	fz_count(w->f, FZ_MMAP, p == MAP_FAILED ? -1 : 0);
	pthread_mutex_unlock(&w->map_lock);
	return p;
}

static void map_part(struct fz_thread *t)
{
	static const int prots[] = { PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ, PROT_WRITE, PROT_NONE,
				     PROT_READ | PROT_EXEC };
	struct fz_ring *r;
	struct fz_ifq *q = fz_pick_ifq(t, &r);
	uint64_t off = IORING_OFF_RBUF_RING;
	size_t len = FZ_PAGE;
	char *p;

	if (q) {
		off = q->reg.mmap_off;
		len = q->reg.mmap_sz;
	} else {
		r = fz_pick_ring(t);
	}
	if (r->fd < 0)
		return;
	switch (rng_below(&t->rng, 8)) {
	case 0: off += (uint64_t)rng_below(&t->rng, 4) << IORING_OFF_RBUF_SHIFT; break;
	case 1: off += (uint64_t)FZ_PAGE * rng_below(&t->rng, 16); break;
	case 2: off ^= (uint64_t)fz_any32(&t->rng) & ~(uint64_t)(FZ_PAGE - 1); break;
	case 3: len = FZ_PAGE * (size_t)(1 + rng_below(&t->rng, 600)); break;
	case 4: len = 1 + rng_below(&t->rng, FZ_PAGE); break;
	}
	p = fz_map(t->w, len, prots[rng_below(&t->rng, FZ_LEN(prots))],
		   rng_one_in(&t->rng, 8) ? MAP_PRIVATE : MAP_SHARED, r->fd, off);
	if (p == MAP_FAILED)
		return;
	/* it may take the other's place; else it goes at once */
	if (q && len >= q->reg.mmap_sz && off == q->reg.mmap_off && !q->map) {
		q->map_size = len;
		__atomic_store_n(&q->map, p, __ATOMIC_RELEASE);
		return;
	}
	FZ_TOUCH_BEGIN
	*(volatile char *)p = p[len / 2];
	FZ_TOUCH_END;
	fz_count(t->w->f, FZ_MUNMAP, munmap(p, len));
}

static void unmap(struct fz_thread *t)
{
	struct fz_ring *r;
	struct fz_ifq *q = fz_pick_ifq(t, &r);
	char *p = q ? __atomic_exchange_n(&q->map, NULL, __ATOMIC_RELAXED) : NULL;

	if (p)
		fz_count(t->w->f, FZ_MUNMAP, munmap(p, q->map_size));
}

/* Rings and regions alike */
static char *any_map(struct fz_thread *t, size_t *len, bool *rings)
{
	struct fz_ring *r;
	struct fz_ifq *q = fz_pick_ifq(t, &r);
	uint32_t n = rng_below(&t->rng, FZ_REGIONS);

	*rings = q && q->map && rng_one_in(&t->rng, 2);
	if (*rings) {
		*len = q->map_size;
		return q->map;
	}
	*len = t->w->region_size[n];
	return t->w->regions[n];
}

static void remap(struct fz_thread *t)
{
	struct fz_ring *r;
	struct fz_ifq *q = fz_pick_ifq(t, &r);
	size_t len, to;
	char *old, *p;

	old = q ? __atomic_exchange_n(&q->map, NULL, __ATOMIC_RELAXED) : NULL;
	if (!old)
		return;
	len = q->map_size;
	to = rng_one_in(&t->rng, 2) ? len : FZ_PAGE * (size_t)(1 + rng_below(&t->rng, 300));
	p = mremap(old, len, to, rng_one_in(&t->rng, 8) ? 0 : MREMAP_MAYMOVE);
	fz_count(t->w->f, FZ_MREMAP, p == MAP_FAILED ? -1 : 0);
	if (p == MAP_FAILED) {
		__atomic_store_n(&q->map, old, __ATOMIC_RELEASE);
		return;
	}
	q->map_size = to;
	__atomic_store_n(&q->map, p, __ATOMIC_RELEASE);
}

/* What was forbidden is allowed again by the next but one, on average */
static void protect(struct fz_thread *t)
{
	static const int prots[] = { PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE };
	size_t len, off;
	bool rings;
	char *p = any_map(t, &len, &rings);

	if (!p)
		return;
	off = FZ_PAGE * (size_t)rng_below(&t->rng, (uint32_t)(len / FZ_PAGE) ?: 1);
	fz_count(t->w->f, FZ_MPROTECT,
		 mprotect(p + off, FZ_PAGE * (size_t)(1 + rng_below(&t->rng, 4)), prots[rng_below(&t->rng, FZ_LEN(prots))]));
}

static void advise(struct fz_thread *t)
{
	/* not MADV_REMOVE: flush_tlb_mm() of User Mode Linux walks the mappings without their lock then, and
	 * lockdep says so
	 */
	static const int advices[] = {
		MADV_COLD, MADV_PAGEOUT, MADV_DONTNEED, MADV_DONTNEED, MADV_FREE, MADV_WILLNEED,
		MADV_SEQUENTIAL, MADV_DONTFORK, MADV_WIPEONFORK, MADV_KEEPONFORK, MADV_MERGEABLE, MADV_HUGEPAGE,
		MADV_POPULATE_READ, MADV_POPULATE_WRITE,
	};
	size_t len, off;
	bool rings;
	char *p = any_map(t, &len, &rings);
	/* Without huge pages Linux 6.12 never comes back from the first two when the memory is that of
	 * any of io_uring's rings: madvise_cold_or_pageout_pte_range() splits a folio and tries again,
	 * and split_folio() does nothing and says that it did.
	 */
	uint32_t skip = rings && !t->w->f->huge_pages ? 2 : 0;

	if (!p)
		return;
	off = FZ_PAGE * (size_t)rng_below(&t->rng, (uint32_t)(len / FZ_PAGE) ?: 1);
	fz_count(t->w->f, FZ_MADVISE,
		 madvise(p + off, FZ_PAGE * (size_t)(1 + rng_below(&t->rng, 16)),
			 advices[skip + rng_below(&t->rng, FZ_LEN(advices) - skip)]));
}

/* ---- sockets ------------------------------------------------------------- */

static void keep_sock(struct fz_thread *t, int fd, uint8_t queue)
{
	uint32_t n = rng_below(&t->rng, FZ_SOCKS);
	int old;

	t->w->sock_queue[n] = queue;
	old = __atomic_exchange_n(&t->w->socks[n], fd, __ATOMIC_RELAXED);
	if (old >= 0)
		fz_count(t->w->f, FZ_CLOSE, close(old));
}

/* Mostly a flow of a queue that this process has: another's are copied, or come by no ring at all */
static uint32_t pick_listener(struct fz_thread *t)
{
	struct fz_ring *r;
	const struct fz_ifq *q = fz_pick_ifq(t, &r);
	uint32_t queue = q ? q->reg.if_rxq_id : 0;

	if (queue >= FZ_QUEUE_FIRST && queue < FZ_QUEUE_FIRST + FZ_QUEUES && rng_below(&t->rng, 4))
		return queue - FZ_QUEUE_FIRST;
	return rng_below(&t->rng, FZ_QUEUES);
}

static void accept_one(struct fz_thread *t)
{
	uint32_t n = pick_listener(t);
	struct sockaddr_in6 from = { 0 };
	socklen_t len = sizeof(from);
	int fd = accept4(t->w->f->listeners[n], (struct sockaddr *)&from, &len, rng_one_in(&t->rng, 2) ? SOCK_NONBLOCK : 0);

	fz_count(t->w->f, FZ_SOCKET, fd);
	/* an IPv4 address in an IPv6 one; those of loopback begin with 127 */
	if (fd < 0)
		return;
	if (from.sin6_addr.s6_addr[12] == 127) {
		keep_sock(t, fd, 0);
	} else {
		fz_add(t->w->f, &t->w->f->s->events[FZ_PEERS], 1);
		keep_sock(t, fd, (uint8_t)(FZ_QUEUE_FIRST + n));
	}
}

/* Data over loopback has to be copied */
static void send_some(struct fz_thread *t)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)(FZ_PORT_FIRST + rng_below(&t->rng, FZ_QUEUES))),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int *place = &t->w->tx[rng_below(&t->rng, FZ_LEN(t->w->tx))], fd = *place;
	static const char bytes[32768];

	if (fd < 0) {
		fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(fd, (struct sockaddr *)&to, sizeof(to));
		fd = __atomic_exchange_n(place, fd, __ATOMIC_RELAXED);
		if (fd >= 0)
			close(fd);
		fz_count(t->w->f, FZ_SOCKET, 0);
		return;
	}
	if (rng_one_in(&t->rng, 32)) {
		fd = __atomic_exchange_n(place, -1, __ATOMIC_RELAXED);
		if (fd >= 0)
			fz_count(t->w->f, FZ_CLOSE, close(fd));
		return;
	}
	/* another thread may have put a socket in its place that blocks, and whose peer does not read */
	fz_count(t->w->f, FZ_SEND, send(fd, bytes, 1 + rng_below(&t->rng, sizeof(bytes)),
					MSG_DONTWAIT | MSG_NOSIGNAL | (rng_one_in(&t->rng, 64) ? MSG_OOB : 0)));
}

static void odd_sock(struct fz_thread *t)
{
	static const struct { int family, type; } kinds[] = {
		{ AF_INET, SOCK_STREAM }, { AF_INET6, SOCK_STREAM }, { AF_INET, SOCK_DGRAM },
		{ AF_UNIX, SOCK_STREAM }, { AF_NETLINK, SOCK_RAW }, { AF_PACKET, SOCK_RAW },
	};
	uint32_t n = rng_below(&t->rng, FZ_LEN(kinds));
	int fd = socket(kinds[n].family, kinds[n].type | SOCK_NONBLOCK, 0);

	fz_count(t->w->f, FZ_SOCKET, fd);
	if (fd >= 0)
		keep_sock(t, fd, 0);
}

static void close_sock(struct fz_thread *t)
{
	keep_sock(t, -1, 0);
}

static void shut_sock(struct fz_thread *t)
{
	fz_count(t->w->f, FZ_SHUTDOWN,
		 shutdown(t->w->socks[rng_below(&t->rng, FZ_SOCKS)], (int)rng_below(&t->rng, 3)));
}

/* Another user of what the request reads */
static void read_sock(struct fz_thread *t)
{
	int fd = t->w->socks[rng_below(&t->rng, FZ_SOCKS)];
	char buf[4096];

	fz_count(t->w->f, FZ_SEND, recv(fd, buf, sizeof(buf), MSG_DONTWAIT | (rng_one_in(&t->rng, 2) ? MSG_PEEK : 0)));
}

/* ---- descriptors and processes ------------------------------------------- */

/* The ring lives a moment longer than its descriptor does */
static void dup_ring(struct fz_thread *t)
{
	int fd = dup(fz_pick_ring(t)->fd);

	fz_count(t->w->f, FZ_DUP, fd);
	if (fd < 0)
		return;
	if (rng_one_in(&t->rng, 2))
		fz_nap(rng_below(&t->rng, 500));
	fz_count(t->w->f, FZ_CLOSE, close(fd));
}

static void pass(struct fz_thread *t)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	int fd = fz_any_fd(t), sv[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv))
		return;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	if (!fz_count(t->w->f, FZ_PASS, sendmsg(sv[0], &msg, MSG_NOSIGNAL) < 0 ? -1 : 0) &&
	    rng_one_in(&t->rng, 2) && recvmsg(sv[1], &msg, MSG_DONTWAIT) == 1 && CMSG_FIRSTHDR(&msg)) {
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
		close(fd);
	}
	close(sv[0]);
	close(sv[1]);
}

/*
 * A child that holds what there is a moment longer, and tries to use it. Nobody ends this process
 * meanwhile: a fork(2) that fails half way makes User Mode Linux 6.12 crash (flush_tlb_mm() takes
 * XA_ZERO_ENTRY, which dup_mmap() has left, for a mapping).
 */
static void fork_one(struct fz_thread *t)
{
	struct fz_shared *s = t->w->f->s;
	pid_t pid = -1;

	__atomic_fetch_add(&t->w->forking, 1, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&s->forking, 1, __ATOMIC_SEQ_CST);
	pthread_mutex_lock(&t->w->map_lock);
	if (!__atomic_load_n(&t->w->ending, __ATOMIC_SEQ_CST) && !__atomic_load_n(&s->killing, __ATOMIC_SEQ_CST))
		pid = (pid_t)fz_count(t->w->f, FZ_FORK, fork());
	pthread_mutex_unlock(&t->w->map_lock);
	if (pid) {
		__atomic_fetch_sub(&s->forking, 1, __ATOMIC_SEQ_CST);
		__atomic_fetch_sub(&t->w->forking, 1, __ATOMIC_SEQ_CST);
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (unsigned int i = 0; i < 4; i++) {
		fz_ring_enter(t);
		fz_rings_scribble(t);
		fz_ifq_bad(t);
		fz_nap(rng_below(&t->rng, 3000));
	}
	_exit(0);
}

/* Of this thread only. Seldom: it does not come back */
static void drop(struct fz_thread *t)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	if (t->dropped || !rng_one_in(&t->rng, 8))
		return;
	/* what is locked is not limited by this; the right to more is kept */
	data[CAP_TO_INDEX(CAP_IPC_LOCK)].effective = CAP_TO_MASK(CAP_IPC_LOCK);
	data[CAP_TO_INDEX(CAP_IPC_LOCK)].permitted = CAP_TO_MASK(CAP_IPC_LOCK);
	fz_count(t->w->f, FZ_CAPSET, syscall(__NR_capset, &header, data));
	t->dropped = true;
}

static void fdinfo(struct fz_thread *t)
{
	char path[64], buf[4096];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fz_pick_ring(t)->fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	fz_count(t->w->f, FZ_FDINFO, fd);
	if (fd < 0)
		return;
	while (read(fd, buf, sizeof(buf)) > 0)
		;
	close(fd);
}

static void nap(struct fz_thread *t)
{
	fz_nap(rng_below(&t->rng, 300));
}

/* What a thread does, and how often */
#define ACT(act, weight)	{ act, #act, weight }

static const struct {
	void (*act)(struct fz_thread *t);
	const char *name;
	unsigned int weight;
} acts[] = {
	ACT(fz_ring_setup, 60), ACT(fz_ring_close, 2), ACT(fz_ring_submit, 200), ACT(fz_ring_enter, 120),
	ACT(fz_ring_reap, 100), ACT(fz_ring_files, 6), ACT(fz_ring_other, 12),
	ACT(fz_buffers, 60), ACT(fz_unbuffers, 4), ACT(fz_ifq_good, 30), ACT(fz_ifq_bad, 100), ACT(fz_ifq_ctrl, 40),
	ACT(fz_rings_take, 80), ACT(fz_rings_give, 60), ACT(fz_rings_bulk, 60), ACT(fz_rings_scribble, 60),
	ACT(fz_rings_look, 20),
	ACT(map_part, 40), ACT(unmap, 4), ACT(remap, 8), ACT(protect, 10), ACT(advise, 15),
	ACT(accept_one, 60), ACT(send_some, 60), ACT(odd_sock, 3), ACT(close_sock, 4), ACT(shut_sock, 1), ACT(read_sock, 3),
	ACT(dup_ring, 8), ACT(pass, 6), ACT(fork_one, 1), ACT(drop, 1), ACT(fdinfo, 4), ACT(nap, 10),
};

static void *live(void *arg)
{
	struct fz_thread *t = arg;
	unsigned int sum = 0;

	for (unsigned int i = 0; i < FZ_LEN(acts); i++)
		sum += acts[i].weight;
	while (!__atomic_load_n(&t->w->quit, __ATOMIC_RELAXED)) {
		uint32_t n = rng_below(&t->rng, sum);
		unsigned int i = 0;

		while (n >= acts[i].weight)
			n -= acts[i++].weight;
		fz_doing = acts[i].name;
		acts[i].act(t);
	}
	return NULL;
}

/* Memory of this process alone */
static bool begin(struct fz_world *w, const struct fz *f, struct rng *rng)
{
	w->f = f;
	pthread_mutex_init(&w->map_lock, NULL);
	for (unsigned int i = 0; i < FZ_RINGS; i++)
		w->rings[i].fd = -1;
	for (unsigned int i = 0; i < FZ_SOCKS; i++)
		w->socks[i] = -1;
	for (unsigned int i = 0; i < FZ_LEN(w->tx); i++)
		w->tx[i] = -1;
	for (unsigned int i = 0; i < FZ_REGIONS; i++) {
		if (i < FZ_COMMON) {
			w->regions[i] = f->common[i];
			w->region_size[i] = f->common_size;
			continue;
		}
		w->region_size[i] = FZ_PAGE * (size_t)(500 + rng_below(rng, 700));
		w->regions[i] = mmap(NULL, w->region_size[i], PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (w->regions[i] == MAP_FAILED) {
			fz_fail(f, "no memory for a region: %s", strerror(errno));
			return false;
		}
	}
	return true;
}

static void on_poke(int sig)
{
	(void)sig;
}

/* Interrupt those that have waited for long: whether that ends is not theirs to decide */
static void poke(const struct fz_thread *acting, const pthread_t *threads, unsigned int n)
{
	uint64_t now = fz_now_ms();

	for (unsigned int i = 0; i < n; i++) {
		uint64_t since = __atomic_load_n(&acting[i].waits_ms, __ATOMIC_RELAXED);

		if (since && since + WAIT_MS < now)
			pthread_kill(threads[i], SIGUSR1);
	}
}

/* In order, or as it comes: the kernel has to cope with either */
static int end(struct fz_world *w, struct rng *rng, const struct fz_thread *acting, const pthread_t *threads,
	       unsigned int n)
{
	uint32_t how = rng_below(rng, 4);

	__atomic_store_n(&w->ending, true, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&w->forking, __ATOMIC_SEQ_CST))
		fz_nap(100);
	if (how == 0)
		_exit(0);		/* all threads at once, in the middle of what they do */
	if (how == 1) {
		fz_add(w->f, &w->f->s->events[FZ_EXECS], 1);
		execl("/bin/true", "true", NULL);
		_exit(0);
	}
	__atomic_store_n(&w->quit, true, __ATOMIC_RELAXED);
	for (unsigned int left = n; left;) {
		poke(acting, threads, left);
		if (pthread_tryjoin_np(threads[left - 1], NULL))
			fz_nap(1000);
		else
			left--;
	}
	for (unsigned int i = 0; i < FZ_RINGS && how == 2; i++) {
		fz_ring_drop(&w->rings[i]);
		if (w->rings[i].fd >= 0)
			close(w->rings[i].fd);
	}
	_exit(0);
}

/**
 * fz_live() - live, in a process of one's own
 * @f: all
 * @seed: of its dice
 * @ms: how long
 *
 * Return: exit status, if it is not ended otherwise.
 */
int fz_live(const struct fz *f, uint64_t seed, unsigned int ms)
{
	static struct fz_thread acting[FZ_THREADS];
	pthread_t threads[FZ_THREADS];
	struct rng rng = { seed };
	uint64_t end_ms = fz_now_ms() + ms;
	struct sigaction sa = { .sa_handler = on_poke };	/* no SA_RESTART */
	unsigned int n;

	if (!begin(&world, f, &rng))
		return 1;
	sigaction(SIGUSR1, &sa, NULL);
	for (n = 0; n < FZ_THREADS; n++) {
		acting[n] = (struct fz_thread){ .w = &world, .index = n, .rng = { rng_next(&rng) } };
		if (pthread_create(&threads[n], NULL, live, &acting[n]))
			break;
	}
	while (fz_now_ms() < end_ms && !__atomic_load_n(&f->s->stop, __ATOMIC_RELAXED)) {
		/* children of threads */
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		poke(acting, threads, n);
		fz_nap(5000);
	}
	return end(&world, &rng, acting, threads, n);
}
