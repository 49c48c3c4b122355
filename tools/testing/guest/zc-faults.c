// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * zc-faults - let a call fail in each place where it can:
 *
 *	zc-faults -i eth0 -q 3 --addr 192.0.2.2 --peer 192.0.2.1 --pump FILE [--seconds N]
 *
 * /proc/thread-self/fail-nth makes the N-th allocation, or copy from or to user space, fail that
 * a task does (CONFIG_FAULT_INJECTION). A first call with a number that is too large tells how many
 * there are. Then each of them fails once. After each the errno has to make sense, registration
 * and what adds a region have to say why in words, and the same call has to work the next time; now
 * and then traffic of both kinds has to get through. In the end nothing may be left, and each
 * sentence about memory must have been said.
 *
 * Without fault injection there are a read only argument, under traffic, and a small limit of the
 * memory cgroup. life-pump is at the peer. Prints TAP.
 */
#include "../tap.h"
#include "life-judge.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "races-recv.h"

#define ENTRIES		1024u
/* Rings that are larger than what a processor charges a group with in advance */
#define MANY_RQES	32768u
#define MANY_CQES	65536u
/* More faults than any call has places for */
#define NEVER		1000000u
/* Each of the first so many fails, however long that takes: of a registration, all before the driver's */
#define FRONT		300u
/* Traffic is tried after so many faults */
#define TRAFFIC_EVERY	64u
#define TRAFFIC_MS	8000u
#define PLAIN_BYTES	(64u << 10)
/* A second region */
#define MORE_PAGES	64u

/**
 * struct bench - what a call is done to
 * @l: judge
 * @q: ring, region and registration
 * @reason: what registration says
 * @pair: two ends of a connection over loopback
 * @map: a mapping
 */
struct bench {
	struct life *l;
	struct races_ifq q;
	char reason[128];
	int pair[2];
	void *map;
};

/* ---- pieces of calls ---------------------------------------------------- */

static int ring_up(struct bench *b)
{
	struct io_uring_params p = {
		.flags = IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SINGLE_ISSUER,
	};
	static uint8_t more[MORE_PAGES * LIFE_PAGE] __attribute__((aligned(LIFE_PAGE)));
	struct iovec iov[2];
	int ret;

	b->q.ring.ring_fd = -1;
	ret = races_ifq_region(&b->q, LIFE_PAGES);
	if (ret)
		return ret;
	ret = io_uring_queue_init_params(64, &b->q.ring, &p);
	if (ret) {
		b->q.ring.ring_fd = -1;
		return ret;
	}
	iov[0] = (struct iovec){ b->q.region, b->q.region_size };
	iov[1] = (struct iovec){ more, sizeof(more) };
	ret = io_uring_register_buffers(&b->q.ring, iov, 2);
	b->q.reg = (struct io_uring_zc_rx_ifq_reg){
		.if_idx = if_nametoindex(b->l->nic.iface),
		.if_rxq_id = b->l->nic.queue,
		.rq_entries = ENTRIES,
		.cq_entries = ENTRIES,
		.reason = (uintptr_t)b->reason,
		.reason_len = sizeof(b->reason),
	};
	memset(b->reason, 0, sizeof(b->reason));
	return ret;
}

static void ring_down(struct bench *b)
{
	if (b->map)
		munmap(b->map, b->q.reg.mmap_sz);
	b->map = NULL;
	races_ifq_close(&b->q);
	races_ifq_unmap(&b->q);
}

static int call_register(struct bench *b)
{
	return syscall(__NR_io_uring_register, b->q.ring.ring_fd, IORING_REGISTER_ZC_RX_IFQ_NR, &b->q.reg, 1) ?
	       -errno : 0;
}

static int ctrl(struct bench *b, uint32_t op, uint32_t region)
{
	struct io_uring_zc_rx_ctrl ctrl = {
		.zcrx_ifq_idx = b->q.reg.zcrx_ifq_idx,
		.op = op,
		.region_id = region,
		.reason = (uintptr_t)b->reason,
		.reason_len = sizeof(b->reason),
	};
	long ret = syscall(__NR_io_uring_register, b->q.ring.ring_fd, IORING_REGISTER_ZC_RX_CTRL_NR, &ctrl, 1);

	return ret < 0 ? -errno : 0;
}

static int call_add_region(struct bench *b)
{
	return ctrl(b, IORING_ZC_RX_CTRL_ADD_REGION, 1);
}

static int call_flush(struct bench *b)
{
	return ctrl(b, IORING_ZC_RX_CTRL_FLUSH_RQ, 0);
}

static int call_unregister(struct bench *b)
{
	return ctrl(b, IORING_ZC_RX_CTRL_UNREGISTER, 0);
}

static int bound(struct bench *b)
{
	return ring_up(b) ?: call_register(b);
}

static int bound_down(struct bench *b)
{
	return bound(b) ?: nic_link(&b->l->nic, false);
}

static int ring_up_down(struct bench *b)
{
	return ring_up(b) ?: nic_link(&b->l->nic, false);
}

/* The interface is up again, whatever it was */
static void link_up_ring_down(struct bench *b)
{
	nic_link(&b->l->nic, true);
	ring_down(b);
}

static int call_mmap(struct bench *b)
{
	void *map = mmap(NULL, b->q.reg.mmap_sz, PROT_READ | PROT_WRITE, MAP_SHARED, b->q.ring.ring_fd,
			 (off_t)b->q.reg.mmap_off);

	if (map == MAP_FAILED)
		return -errno;
	b->map = map;
	return 0;
}

static int connect_pair(int pair[2])
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), ret = 0;

	pair[0] = -1;
	pair[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || pair[1] < 0 || bind(listener, (void *)&a, len) || listen(listener, 1) ||
	    getsockname(listener, (void *)&a, &len) || connect(pair[1], (void *)&a, len))
		ret = -errno;
	else
		pair[0] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	close(listener);
	return ret ?: pair[0] < 0 ? -errno : 0;
}

static int bound_pair(struct bench *b)
{
	return bound(b) ?: call_mmap(b) ?: connect_pair(b->pair);
}

static int bound_pair_data(struct bench *b)
{
	static char data[20000];
	int ret = bound_pair(b);

	return ret ?: send(b->pair[1], data, sizeof(data), MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static void pair_ring_down(struct bench *b)
{
	close(b->pair[0]);
	close(b->pair[1]);
	ring_down(b);
}

/* One receive; what it is told in the end, if it ends at once */
static int receive(struct bench *b, unsigned int ioprio)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&b->q.ring);
	struct io_uring_cqe *cqe;
	int ret;

	io_uring_prep_rw(OP_RECV_ZC, sqe, b->pair[0], NULL, 0, 0);
	sqe->ioprio = (uint16_t)ioprio;
	sqe->file_index = b->q.reg.zcrx_ifq_idx;
	ret = io_uring_submit_and_get_events(&b->q.ring);
	if (ret < 0)
		return ret;
	while (!io_uring_peek_cqe(&b->q.ring, &cqe)) {
		if (cqe->res < 0)
			ret = cqe->res;
		io_uring_cqe_seen(&b->q.ring, cqe);
	}
	return ret < 0 ? ret : 0;
}

static int call_receive(struct bench *b)
{
	return receive(b, IORING_RECV_MULTISHOT);
}

static int call_receive_once(struct bench *b)
{
	return receive(b, IORING_RECVSEND_POLL_FIRST);
}

/* The descriptor only: what is mapped goes before */
static int unmapped(struct bench *b)
{
	struct io_uring *r = &b->q.ring;
	int ret = bound(b);

	if (ret)
		return ret;
	munmap(r->sq.sqes, r->sq.ring_entries * sizeof(struct io_uring_sqe));
	munmap(r->sq.ring_ptr, r->sq.ring_sz);
	return 0;
}

static int call_close(struct bench *b)
{
	int ret = close(b->q.ring.ring_fd) ? -errno : 0;

	b->q.ring.ring_fd = -1;
	return ret;
}

static int call_up(struct bench *b)
{
	return nic_link(&b->l->nic, true);
}

static int call_down(struct bench *b)
{
	return nic_link(&b->l->nic, false);
}

/**
 * struct call - one that is made to fail
 * @name: in words
 * @before: what has to be there
 * @call: the call
 * @after: undoes @before and @call
 * @tells: says why it failed
 * @never: cannot fail, whatever it meets
 * @says: bits of sentences[]: what it has to have said in the end
 * @also: an error that is right for this call alone, or 0
 */
struct call {
	const char *name;
	int (*before)(struct bench *b);
	int (*call)(struct bench *b);
	void (*after)(struct bench *b);
	bool tells;
	bool never;
	unsigned int says;
	int also;
};

enum { NO_IFQ, NO_RINGS, NO_REGION, NO_TABLE, SENTENCES };

/* As in io_uring_register_zc_rx(2) */
static const char *const sentences[] = {
	[NO_IFQ] = "no memory for the ifq",
	[NO_RINGS] = "no memory for the rings",
	[NO_REGION] = "no memory for the region",
	[NO_TABLE] = "no memory for the buffer table",
};

#define SAYS_REGION	(1u << NO_REGION | 1u << NO_TABLE)
#define SAYS_ALL	(SAYS_REGION | 1u << NO_IFQ | 1u << NO_RINGS)

static const struct call calls[] = {
	{ "registration", ring_up, call_register, ring_down, true, false, SAYS_ALL },
	{ "registration while down", ring_up_down, call_register, link_up_ring_down, true, false, SAYS_ALL },
	{ "a second region", bound, call_add_region, ring_down, true, false, SAYS_REGION },
	{ "a second region while down", bound_down, call_add_region, link_up_ring_down, true, false, SAYS_REGION },
	{ "flush of the refill ring", bound, call_flush, ring_down, false, false, 0 },
	{ "unregistration", bound, call_unregister, ring_down, false, false, 0 },
	{ "mmap of the rings", bound, call_mmap, ring_down, false, false, 0 },
	{ "a receive that waits", bound_pair, call_receive, pair_ring_down, false, false, 0 },
	{ "a receive that polls first", bound_pair, call_receive_once, pair_ring_down, false, false, 0 },
	{ "a receive with data to copy", bound_pair_data, call_receive, pair_ring_down, false, false, 0 },
	{ "close of the ring", unmapped, call_close, ring_down, false, true, 0 },
	{ "interface down", bound, call_down, link_up_ring_down, false, false, 0 },
	/* bnxt_hwrm_if_change() takes a command without memory for a firmware that has gone */
	{ "interface up", bound_down, call_up, link_up_ring_down, .also = -ENODEV },
};

/* ---- faults ------------------------------------------------------------- */

static int fail_nth;

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* All kinds of allocations, and without a stack trace for each */
static bool faults_open(void)
{
	static const char *const settings[][2] = {
		{ "failslab/ignore-gfp-wait", "N" },
		{ "failslab/verbose", "0" },
		{ "fail_page_alloc/ignore-gfp-wait", "N" },
		{ "fail_page_alloc/ignore-gfp-highmem", "N" },
		{ "fail_page_alloc/min-order", "0" },
		{ "fail_page_alloc/verbose", "0" },
		{ "fail_usercopy/verbose", "0" },
	};
	char path[128];

	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fail_nth < 0)
		return false;
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s", settings[i][0]);
		if (!write_text(path, settings[i][1]))
			return false;
	}
	return true;
}

/* What copies the number from and to here can fail as well */
static void fault_arm(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	while (pwrite(fail_nth, text, (size_t)len, 0) != len)
		if (errno != EFAULT)
			abort();
}

/* What is left of the number; 0: the fault has happened */
static unsigned int fault_disarm(void)
{
	char text[16] = "";
	unsigned int left = 1;

	if (pread(fail_nth, text, sizeof(text) - 1, 0) > 0)
		left = (unsigned int)atoi(text);
	else if (errno != EFAULT)
		abort();
	fault_arm(0);
	return left;
}

/* ---- what has to work afterwards ---------------------------------------- */

/* The connection comes from the NIC, to nobody who receives without a copy */
static int plain_traffic(struct life *l)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(LIFE_PORT_FLOW), .sin_addr = l->nic.addr };
	const struct timeval tv = { .tv_sec = TRAFFIC_MS / 1000 * l->slow };
	int one = 1, s, c, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	static char buf[PLAIN_BYTES];
	size_t done = 0;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	if (bind(listener, (void *)&a, sizeof(a)) || listen(listener, 4)) {
		close(listener);
		return life_fail(l, "cannot listen: %s", strerror(errno));
	}
	/* what is left to do of a ring that was closed interrupts */
	do {
		s = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		c = errno;
	} while (s < 0 && c == EINTR);
	close(listener);
	if (s < 0)
		return life_fail(l, "no ordinary connection: %s", strerror(c));
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	while (done < sizeof(buf)) {
		ssize_t n = recv(s, buf, sizeof(buf) - done, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	close(s);
	return done == sizeof(buf) ? 0 : life_fail(l, "ordinary traffic stops after %zu bytes", done);
}

static int zc_traffic(struct life *l)
{
	uint64_t end = life_now_ms() + TRAFFIC_MS * l->slow;
	int ret;

	l->unsettled = 15;
	ret = life_user(l, LIFE_HOME_INIT);
	if (ret)
		return ret;
	ret = user_do(&l->user, USER_RUN);
	while (!ret && l->user.s->zc < PLAIN_BYTES && !l->user.s->failed) {
		if (life_now_ms() > end)
			ret = -ETIMEDOUT;
		life_nap_us(1000);
	}
	if (ret || l->user.s->failed)
		ret = life_fail(l, "zero copy traffic: %s, %llu bytes of %llu without a copy", user_why(&l->user, ret),
				(unsigned long long)l->user.s->zc, (unsigned long long)l->user.s->bytes);
	user_kill(&l->user);
	return ret;
}

/* ---- one call, one fault ------------------------------------------------ */

/**
 * struct result - of all faults of a call
 * @places: how many there are
 * @tried: how many of them
 * @failed: calls that failed, as they should
 * @survived: calls that worked all the same
 * @down: the interface was down afterwards
 * @silent: failures without words, but for those of copies
 * @bad: something was wrong
 * @said: how often each of sentences[]
 */
struct result {
	unsigned int places, tried, failed, survived, down, silent, bad;
	unsigned int said[SENTENCES];
};

static bool sane(int err)
{
	switch (err) {
	case -ENOMEM:
	case -EFAULT:
	case -ENOBUFS:
	case -EAGAIN:
	case -EIO:
		return true;
	default:
		return false;
	}
}

/* Returns what the call did; *left is 0 if the fault has happened */
static int call_once(struct life *l, const struct call *c, unsigned int n, unsigned int *left, char *reason)
{
	struct bench b = { .l = l, .q.ring.ring_fd = -1, .pair = { -1, -1 } };
	int ret = c->before(&b);

	if (ret) {
		life_fail(l, "%s: cannot be prepared: %s %s", c->name, strerror(-ret), b.reason);
		c->after(&b);
		return -ENOTRECOVERABLE;
	}
	fault_arm(n);
	ret = c->call(&b);
	*left = fault_disarm();
	snprintf(reason, sizeof(b.reason), "%s", b.reason);
	c->after(&b);
	return ret;
}

static bool is_down(struct life *l)
{
	struct ifreq ifr = { 0 };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", l->nic.iface);
	return !ioctl(l->nic.sock, SIOCGIFFLAGS, &ifr) && !(ifr.ifr_flags & IFF_UP);
}

static int judge(struct life *l, const struct call *c, struct result *r, int ret, const char *reason)
{
	if (ret == -ENOTRECOVERABLE)
		return -1;
	if (ret)
		r->failed++;
	else
		r->survived++;
	for (unsigned int i = 0; ret == -ENOMEM && i < SENTENCES; i++)
		r->said[i] += !strcmp(reason, sentences[i]);
	if (ret && (c->never || (!sane(ret) && ret != c->also)))
		return life_fail(l, "%s: %s", c->name, strerror(-ret));
	/* a copy that failed has no way to say so */
	if (ret && c->tells && !reason[0] && ret != -EFAULT) {
		r->silent++;
		return life_fail(l, "%s: %s without a word", c->name, strerror(-ret));
	}
	return 0;
}

static int try_fault(struct life *l, const struct call *c, struct result *r, unsigned int n)
{
	unsigned int left = 0;
	char reason[128];
	int ret;

	life_doing(l, "%s, fault %u of %u", c->name, n, r->places);
	ret = call_once(l, c, n, &left, reason);
	life_done_doing(l);
	if (judge(l, c, r, ret, reason))
		return -1;
	r->tried++;
	if (is_down(l)) {
		r->down++;
		if (nic_link(&l->nic, true))
			return life_fail(l, "%s: the interface does not come up again", c->name);
	}
	/* the same again, without a fault */
	ret = call_once(l, c, NEVER, &left, reason);
	if (ret)
		return life_fail(l, "%s: fails the next time: %s %s", c->name, strerror(-ret), reason);
	return r->tried % TRAFFIC_EVERY ? 0 : plain_traffic(l) ?: zc_traffic(l);
}

static void judge_sentences(const struct call *c, const struct result *r)
{
	if (!c->says || r->bad)
		return;
	for (unsigned int i = 0; i < SENTENCES; i++)
		if (c->says & 1u << i)
			tap_ok(r->said[i], "%s: \"%s\", %u times", c->name, sentences[i], r->said[i]);
}

/* How many there are is different from call to call: beyond the first count there may be some */
static void try_call(struct life *l, const struct call *c, unsigned int seconds)
{
	uint64_t begin = life_now_ms(), end = 0;
	struct result r = { 0 };
	unsigned int left = 0, step = 1, n;
	char reason[128];
	uint64_t took;
	int ret;

	l->why[0] = 0;
	ret = call_once(l, c, NEVER, &left, reason);
	took = life_now_ms() - begin + 1;
	if (ret) {
		life_fail(l, "%s: fails without a fault: %s %s", c->name, strerror(-ret), reason);
		r.bad++;
	}
	r.places = NEVER - left;
	/* each fault is two calls; the time is for those behind the front */
	if (r.places * took * 2 > seconds * 1000u)
		step = (unsigned int)(r.places * took * 2 / (seconds * 1000u)) + 1;
	for (n = 1; n <= r.places && !r.bad; n += n < FRONT ? 1 : step) {
		if (try_fault(l, c, &r, n)) {
			life_fail(l, "(fault %u of %u)", n, r.places);
			r.bad++;
		}
		if (n == FRONT)
			end = life_now_ms() + seconds * 1000u;
		/* slower than the first */
		if (n > FRONT && life_now_ms() > end)
			step *= 2, end += seconds * 250u;
	}
	if (!r.bad && (plain_traffic(l) || zc_traffic(l)))
		r.bad++;
	if (!tap_ok(!r.bad && r.tried, "%s: %u of %u places fail, %u make the call fail, %u do not", c->name,
		     r.tried, r.places, r.failed, r.survived))
		tap_diag("%s", l->why);
	if (r.down)
		tap_diag("%s: the interface was down %u times", c->name, r.down);
	judge_sentences(c, &r);
	l->why[0] = 0;
	if (!tap_ok(!life_settle(l), "%s: nothing is left", c->name))
		tap_diag("%s", l->why);
}

/* ---- without fault injection -------------------------------------------- */

/* The last thing that can fail fails, while packets come in */
static void read_only_argument(struct life *l)
{
	struct bench b = { .l = l };
	struct io_uring_zc_rx_ifq_reg *ro;
	unsigned int i;
	int ret = 0;

	l->why[0] = 0;
	ro = mmap(NULL, LIFE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (i = 0; i < 20 && !ret; i++) {
		ret = ring_up(&b);
		*ro = b.q.reg;
		mprotect(ro, LIFE_PAGE, PROT_READ);
		if (!ret && (!syscall(__NR_io_uring_register, b.q.ring.ring_fd, IORING_REGISTER_ZC_RX_IFQ_NR, ro, 1) ||
			     errno != EFAULT || !strstr(b.reason, "not writable")))
			ret = life_fail(l, "%s, \"%s\"", strerror(errno), b.reason);
		mprotect(ro, LIFE_PAGE, PROT_READ | PROT_WRITE);
		ring_down(&b);
		ret = ret ?: plain_traffic(l);
	}
	munmap(ro, LIFE_PAGE);
	if (!tap_ok(!ret, "a read only argument, while packets come in: EFAULT %u times", i))
		tap_diag("%s", l->why);
	l->why[0] = 0;
	if (!tap_ok(!zc_traffic(l) && !life_settle(l), "a read only argument: the queue is free, nothing is left"))
		tap_diag("%s", l->why);
}

#define CGROUP	"/sys/fs/cgroup"

static long long cgroup_number(const char *path)
{
	long long n = -1;
	FILE *f = fopen(path, "r");

	if (f && fscanf(f, "%lld", &n) != 1)
		n = -1;
	if (f)
		fclose(f);
	return n;
}

/* In a child, which the group kills if it is too large: what a registration is charged with */
static int charged(struct life *l, long long *bytes, long long limit)
{
	int status, go[2];
	char text[32];
	pid_t pid;

	if (pipe(go))
		return -errno;
	snprintf(text, sizeof(text), "%lld", limit);
	if (!write_text(CGROUP "/zc/memory.max", limit ? text : "max"))
		return -errno;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		struct bench b = { .l = l };
		long long before;
		int ret = ring_up(&b);

		/* of the region, which is another group's: only what comes now counts */
		if (ret || !write_text(CGROUP "/zc/cgroup.procs", "0"))
			_exit(2);
		b.q.reg.rq_entries = MANY_RQES;
		b.q.reg.cq_entries = MANY_CQES;
		before = cgroup_number(CGROUP "/zc/memory.current");
		ret = call_register(&b);
		before = cgroup_number(CGROUP "/zc/memory.current") - before;
		if (write(go[1], &before, sizeof(before)) < 0)
			_exit(3);
		_exit(ret == 0 ? 0 : ret == -ENOMEM ? 1 : 4);
	}
	close(go[1]);
	*bytes = 0;
	if (read(go[0], bytes, sizeof(*bytes)) < 0)
		*bytes = -1;
	close(go[0]);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void memory_cgroup(struct life *l)
{
	const long long least = (MANY_RQES + MANY_CQES) * 16;
	long long bytes = 0, idle, last;
	int ret;

	if ((mount("none", CGROUP, "cgroup2", 0, NULL) && errno != EBUSY) ||
	    !write_text(CGROUP "/cgroup.subtree_control", "+memory") || (mkdir(CGROUP "/zc", 0755) && errno != EEXIST)) {
		tap_skip("the memory cgroup", "this kernel has no memory controller");
		return;
	}
	l->why[0] = 0;
	ret = charged(l, &bytes, 0);
	if (!tap_ok(!ret && bytes >= least, "the memory cgroup is charged for rings and tables"))
		tap_diag("returned %d, charged %lld of at least %lld bytes", ret, bytes, least);
	idle = cgroup_number(CGROUP "/zc/memory.current");
	for (int i = 0; i < 50; i++)
		charged(l, &bytes, 0);
	life_settle(l);
	last = cgroup_number(CGROUP "/zc/memory.current");
	/* the counts of processors come in batches */
	if (!tap_ok(last - idle < 50 * least / 4, "and gets it back"))
		tap_diag("%lld bytes more after 50 registrations", last - idle);
	ret = charged(l, &bytes, 128 << 10);
	if (!tap_ok(ret == 1 || ret < 0, "a limit that is too small is kept: ENOMEM, or the OOM killer"))
		tap_diag("returned %d", ret);
	l->why[0] = 0;
	if (!tap_ok(!zc_traffic(l) && !life_settle(l), "the memory cgroup: nothing is left"))
		tap_diag("%s", l->why);
}

/* ------------------------------------------------------------------------- */

struct options {
	struct life_place at;
	const char *only;
	unsigned int seconds;
};

static const struct option long_options[] = {
	LIFE_LONG_OPTIONS,
	{ "only", required_argument, NULL, 'o' },
	{ "seconds", required_argument, NULL, 't' },
	{ 0 },
};

static bool parse(int argc, char **argv, struct options *o, struct life *l)
{
	int c;

	while ((c = getopt_long(argc, argv, LIFE_SHORT_OPTIONS, long_options, NULL)) != -1) {
		switch (c) {
		case 'o':
			o->only = optarg;
			break;
		case 't':
			o->seconds = (unsigned int)atoi(optarg);
			break;
		default:
			if (!life_option(l, &o->at, c))
				return false;
		}
	}
	return optind == argc && o->seconds;
}

int main(int argc, char **argv)
{
	struct life l = { .slow = 1, .ring = -1, .user.ctl = -1 };
	struct options o = { .seconds = 60 };
	bool faults;

	if (!parse(argc, argv, &o, &l)) {
		fprintf(stderr, "usage: zc-faults -i INTERFACE -q QUEUE --addr ADDRESS --peer ADDRESS --pump FILE\n"
			"\t[--only CALL] [--seconds N] [--slow N]\n");
		return 2;
	}
	faults = faults_open();
	if (life_open(&l, &o.at))
		tap_bail("%s", l.why);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (o.only && strcmp(o.only, calls[i].name))
			continue;
		if (faults)
			try_call(&l, &calls[i], o.seconds);
		else
			tap_skip(calls[i].name, "this kernel has no fault injection");
	}
	if (!o.only) {
		read_only_argument(&l);
		memory_cgroup(&l);
	}
	return tap_done();
}
