// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the kernel makes of a user that gets registration, rings or requests
 * wrong, and of one that gets them right. Runs as root in a guest with the
 * series:
 *
 *	ethtool -G eth0 rx 63; zc-uapi eth0 1
 *
 * prints TAP. Data comes over loopback, which has no buffers of the interface
 * queue, so that all of it is copied into the region: the paths of the rings
 * and of the user's references are the same, and no peer is needed.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <liburing.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/io_uring/zc_rx.h>

#include "../tap.h"
#include "pinned.h"

#define OP_RECV_ZC	58
#define PAGE		4096u
#define REGION_PAGES	1024u
#define RING_FLAGS	(IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SINGLE_ISSUER)

struct target {
	unsigned int ifindex;
	unsigned int queue;
};

/* A ring with one registered buffer, and what a registration made of them */
struct zc {
	struct io_uring ring;
	uint8_t *region;		/* all regions, one after the other */
	size_t region_size;		/* of each */
	uint32_t in_region[2];		/* entries seen, by region */
	struct io_uring_zc_rx_ifq_reg reg;
	char reason[128];
	char *map;
};

static uint32_t *at(struct zc *z, uint32_t off)
{
	return (uint32_t *)(z->map + off);
}

static const struct io_uring_zc_rx_stats *stats(struct zc *z)
{
	return (const void *)(z->map + z->reg.stats_off);
}

static int reg_call(struct zc *z, void *arg)
{
	return syscall(__NR_io_uring_register, z->ring.ring_fd,
		       IORING_REGISTER_ZC_RX_IFQ_NR, arg, 1) ? -errno : 0;
}

static int ctrl_call(struct zc *z, uint32_t ifq, uint32_t op, uint32_t region)
{
	struct io_uring_zc_rx_ctrl ctrl = {
		.zcrx_ifq_idx = ifq,
		.op = op,
		.region_id = region,
		.reason = (uintptr_t)z->reason,
		.reason_len = sizeof(z->reason),
	};
	int ret;

	memset(z->reason, 0, sizeof(z->reason));
	ret = (int)syscall(__NR_io_uring_register, z->ring.ring_fd,
			   IORING_REGISTER_ZC_RX_CTRL_NR, &ctrl, 1);
	return ret < 0 ? -errno : ret;
}

static void zc_region(struct zc *z, size_t pages)
{
	z->region_size = pages * PAGE;
	z->region = mmap(NULL, z->region_size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (z->region == MAP_FAILED)
		tap_bail("no memory for a region");
}

static void zc_buffer(struct zc *z, void *addr, size_t len)
{
	struct iovec iov = { addr, len };
	int ret = io_uring_register_buffers(&z->ring, &iov, 1);

	if (ret)
		tap_bail("cannot register a buffer: %s", strerror(-ret));
}

static void zc_ring(struct zc *z, unsigned int flags)
{
	struct io_uring_params p = { .flags = flags | IORING_SETUP_CQSIZE, .cq_entries = 1024 };
	int ret = io_uring_queue_init_params(64, &z->ring, &p);

	if (ret)
		tap_bail("cannot set up a ring: %s", strerror(-ret));
}

static void zc_defaults(struct zc *z, const struct target *t)
{
	z->reg = (struct io_uring_zc_rx_ifq_reg){
		.if_idx = t->ifindex,
		.if_rxq_id = t->queue,
		.rq_entries = 1024,
		.cq_entries = 1024,
		.reason = (uintptr_t)z->reason,
		.reason_len = sizeof(z->reason),
	};
}

/* Ring, region and buffer, but no interface queue yet */
static void zc_prepare(struct zc *z, const struct target *t)
{
	memset(z, 0, sizeof(*z));
	zc_ring(z, RING_FLAGS);
	zc_region(z, REGION_PAGES);
	zc_buffer(z, z->region, z->region_size);
	zc_defaults(z, t);
}

static void zc_map(struct zc *z)
{
	z->map = mmap(NULL, z->reg.mmap_sz, PROT_READ | PROT_WRITE, MAP_SHARED,
		      z->ring.ring_fd, (off_t)z->reg.mmap_off);
	if (z->map == MAP_FAILED)
		tap_bail("cannot map the rings: %s", strerror(errno));
}

static void zc_close(struct zc *z)
{
	if (z->map)
		munmap(z->map, z->reg.mmap_sz);
	io_uring_queue_exit(&z->ring);
	if (z->region)
		munmap(z->region, z->region_size);
	memset(z, 0, sizeof(*z));
}

static bool zc_open(struct zc *z, const struct target *t, uint32_t rq, uint32_t cq)
{
	int ret;

	zc_prepare(z, t);
	z->reg.rq_entries = rq;
	z->reg.cq_entries = cq;
	ret = reg_call(z, &z->reg);
	if (!tap_ok(!ret, "registration with %u and %u entries", rq, cq)) {
		tap_diag("%s: %s", strerror(-ret), z->reason);
		zc_close(z);
		return false;
	}
	zc_map(z);
	return true;
}

/* --- registration ------------------------------------------------------- */

struct bad_reg {
	const char *what;
	int err;
	const char *reason;		/* part of the kernel's sentence */
	void (*spoil)(struct io_uring_zc_rx_ifq_reg *reg, const struct target *t);
};

#define SPOIL(name, stmt)							\
	static void spoil_##name(struct io_uring_zc_rx_ifq_reg *reg,		\
				 const struct target *t)			\
	{									\
		(void)t;							\
		stmt;								\
	}

SPOIL(rq0, reg->rq_entries = 0)
SPOIL(rq3, reg->rq_entries = 3)
SPOIL(rq2g, reg->rq_entries = 1u << 31)
SPOIL(rq64k, reg->rq_entries = 1u << 16)
SPOIL(cq0, reg->cq_entries = 0)
SPOIL(cq3, reg->cq_entries = 3)
SPOIL(cq2g, reg->cq_entries = 1u << 31)
SPOIL(cq128k, reg->cq_entries = 1u << 17)
SPOIL(flags, reg->flags = 1u << 31)
SPOIL(resv0, reg->__resv0 = 1)
SPOIL(resv, reg->__resv[3] = 1)
SPOIL(cpu, reg->cpu = 1)
SPOIL(cpu_off, (reg->flags = IORING_ZC_RX_IFQ_CPU, reg->cpu = 60000))
SPOIL(region, reg->region_id = 1)
SPOIL(region4g, reg->region_id = ~0u)
SPOIL(iface, reg->if_idx = 4711)
SPOIL(lo, reg->if_idx = if_nametoindex("lo"))
SPOIL(queue, reg->if_rxq_id = 1000)
SPOIL(queue4g, reg->if_rxq_id = ~0u)

static const struct bad_reg bad_regs[] = {
	{ "0 refill entries", EINVAL, "rq_entries 0", spoil_rq0 },
	{ "3 refill entries", EINVAL, "rq_entries 3", spoil_rq3 },
	{ "2^31 refill entries", EINVAL, "rq_entries 2147483648", spoil_rq2g },
	{ "2^16 refill entries", EINVAL, "rq_entries 65536", spoil_rq64k },
	{ "0 completion entries", EINVAL, "cq_entries 0", spoil_cq0 },
	{ "3 completion entries", EINVAL, "cq_entries 3", spoil_cq3 },
	{ "2^31 completion entries", EINVAL, "cq_entries 2147483648", spoil_cq2g },
	{ "2^17 completion entries", EINVAL, "cq_entries 131072", spoil_cq128k },
	{ "an unknown flag", EINVAL, "unknown flags 0x80000000", spoil_flags },
	{ "a first reserved field", EINVAL, "reserved", spoil_resv0 },
	{ "a last reserved field", EINVAL, "reserved", spoil_resv },
	{ "a CPU without its flag", EINVAL, "cpu without its flag", spoil_cpu },
	{ "a CPU that is not there", EINVAL, "CPU 60000 is not online", spoil_cpu_off },
	{ "a buffer that is not registered", EFAULT, "no registered buffer 1", spoil_region },
	{ "a buffer number of 32 bits", EFAULT, "no registered buffer", spoil_region4g },
	{ "an unknown interface", ENODEV, "no interface with index 4711", spoil_iface },
	{ "a virtual interface", EOPNOTSUPP, "virtual interface", spoil_lo },
	{ "a queue out of range", ERANGE, "no RX queue 1000", spoil_queue },
	{ "a queue number of 32 bits", ERANGE, "no RX queue 4294967295", spoil_queue4g },
};

static void expect_refused(struct zc *z, int err, const char *reason, const char *what)
{
	int ret;

	memset(z->reason, 'x', sizeof(z->reason));
	ret = reg_call(z, &z->reg);
	if (!tap_ok(ret == -err && strstr(z->reason, reason), "%s: %s, in words",
		    what, strerrorname_np(err)))
		tap_diag("got %d, \"%.*s\"", ret, (int)sizeof(z->reason), z->reason);
}

static void test_bad_regs(const struct target *t)
{
	struct zc z;
	size_t i;

	zc_prepare(&z, t);
	for (i = 0; i < sizeof(bad_regs) / sizeof(bad_regs[0]); i++) {
		zc_defaults(&z, t);
		bad_regs[i].spoil(&z.reg, t);
		expect_refused(&z, bad_regs[i].err, bad_regs[i].reason, bad_regs[i].what);
	}
	zc_defaults(&z, t);
	tap_eq(reg_call(&z, NULL), -EFAULT, "a NULL argument tells that the opcode is known");
	tap_eq(syscall(__NR_io_uring_register, z.ring.ring_fd,
		       IORING_REGISTER_ZC_RX_IFQ_NR, &z.reg, 2) ? errno : 0, EINVAL,
	       "two arguments at once");
	tap_eq(reg_call(&z, &z.reg), 0, "after all of these, a good registration");
	zc_close(&z);
}

static void test_reason_buffer(const struct target *t)
{
	struct zc z;

	zc_prepare(&z, t);
	z.reg.rq_entries = 3;
	z.reg.reason_len = 6;
	memset(z.reason, 'x', sizeof(z.reason));
	reg_call(&z, &z.reg);
	tap_ok(!memcmp(z.reason, "rq_en\0x", 7), "a reason is cut to its buffer");
	z.reg.reason = 8;
	tap_eq(reg_call(&z, &z.reg), -EINVAL, "an address of the reason that is bad changes nothing");
	zc_close(&z);
}

static void test_read_only_reg(const struct target *t)
{
	struct io_uring_zc_rx_ifq_reg *ro;
	struct zc z;

	zc_prepare(&z, t);
	ro = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	*ro = z.reg;
	mprotect(ro, PAGE, PROT_READ);
	tap_eq(reg_call(&z, ro), -EFAULT, "an argument that is read only");
	tap_ok(strstr(z.reason, "not writable"), "... in words");
	munmap(ro, PAGE);
	tap_eq(reg_call(&z, &z.reg), 0, "... leaves the queue free");
	zc_close(&z);
}

static void test_ring_flags(const struct target *t)
{
	struct zc z = {};

	zc_ring(&z, 0);
	zc_region(&z, REGION_PAGES);
	zc_buffer(&z, z.region, z.region_size);
	zc_defaults(&z, t);
	expect_refused(&z, EINVAL, "IORING_SETUP_DEFER_TASKRUN", "a ring without DEFER_TASKRUN");
	zc_close(&z);
}

/* The ring takes @op besides what its owner needs to get as far as that */
static void restrict_ring(struct zc *z, unsigned int op)
{
	struct io_uring_restriction allow[] = {
		{ .opcode = IORING_RESTRICTION_REGISTER_OP, .register_op = IORING_REGISTER_BUFFERS },
		{ .opcode = IORING_RESTRICTION_REGISTER_OP, .register_op = (uint8_t)op },
	};

	if (syscall(__NR_io_uring_register, z->ring.ring_fd, IORING_REGISTER_RESTRICTIONS, allow, 2) ||
	    syscall(__NR_io_uring_register, z->ring.ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0))
		tap_bail("cannot restrict a ring: %s", strerror(errno));
}

static void test_restrictions(const struct target *t)
{
	struct zc z = {};

	zc_ring(&z, RING_FLAGS | IORING_SETUP_R_DISABLED);
	restrict_ring(&z, IORING_REGISTER_ZC_RX_CTRL_NR);
	zc_region(&z, REGION_PAGES);
	zc_buffer(&z, z.region, z.region_size);
	zc_defaults(&z, t);
	tap_eq(reg_call(&z, &z.reg), -EACCES, "a ring that is not allowed to register an ifq");
	zc_close(&z);

	zc_ring(&z, RING_FLAGS | IORING_SETUP_R_DISABLED);
	restrict_ring(&z, IORING_REGISTER_ZC_RX_IFQ_NR);
	zc_region(&z, REGION_PAGES);
	zc_buffer(&z, z.region, z.region_size);
	zc_defaults(&z, t);
	tap_eq(reg_call(&z, &z.reg), 0, "one that is allowed to");
	tap_eq(ctrl_call(&z, 0, IORING_ZC_RX_CTRL_FLUSH_RQ, 0), -EACCES, "... and to do nothing else with it");
	zc_close(&z);
}

static void refuse_buffer(const struct target *t, size_t skip, size_t cut, int err,
			  const char *reason, const char *what)
{
	struct zc z = {};

	zc_ring(&z, RING_FLAGS);
	zc_region(&z, REGION_PAGES);
	zc_buffer(&z, z.region + skip, z.region_size - skip - cut);
	zc_defaults(&z, t);
	expect_refused(&z, err, reason, what);
	zc_close(&z);
}

static void test_regions(const struct target *t)
{
	refuse_buffer(t, 512, 0, EFAULT, "not page aligned", "a region that begins inside of a page");
	refuse_buffer(t, 0, 512, EFAULT, "not page aligned", "a region that ends inside of a page");
	refuse_buffer(t, 0, (REGION_PAGES - 8) * PAGE, ENOSPC, "region of 8 pages",
		      "a region smaller than the NIC's own ring");
}

/* A test in a process of its own, which it may change for good: RUN says whether it is good */
static bool child_ok(const struct target *t, bool (*run)(const struct target *t))
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(run(t) ? 0 : 1);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

static bool refused_as_nobody(const struct target *t)
{
	struct zc z;

	zc_prepare(&z, t);
	return !setresuid(65534, 65534, 65534) &&
	       reg_call(&z, &z.reg) == -EPERM && strstr(z.reason, "CAP_NET_ADMIN");
}

/* The index counts in the caller's network, where it is that of a tunnel or of nothing */
static bool refused_elsewhere(const struct target *t)
{
	struct zc z;
	int ret;

	if (unshare(CLONE_NEWNET))
		return false;
	zc_prepare(&z, t);
	ret = reg_call(&z, &z.reg);
	return (ret == -ENODEV && strstr(z.reason, "in this network namespace")) ||
	       (ret == -EOPNOTSUPP && strstr(z.reason, "virtual interface"));
}

static void test_caller(const struct target *t)
{
	tap_ok(child_ok(t, refused_as_nobody), "without CAP_NET_ADMIN: EPERM, in words");
	tap_ok(child_ok(t, refused_elsewhere),
	       "in another network namespace the interface is not to be had, in words");
}

static void test_busy(const struct target *t)
{
	struct zc a, b;

	zc_prepare(&a, t);
	tap_eq(reg_call(&a, &a.reg), 0, "a first ring binds the queue");
	zc_prepare(&b, t);
	expect_refused(&b, EEXIST, "bound already", "a second ring on the same queue");
	zc_close(&a);
	tap_eq(reg_call(&b, &b.reg), 0, "the queue is free once the first ring is closed");
	zc_close(&b);
}

/* --- mmap --------------------------------------------------------------- */

static void try_map(struct zc *z, size_t len, uint64_t off, bool works, const char *what)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, z->ring.ring_fd, (off_t)off);

	tap_ok((p != MAP_FAILED) == works, "mmap %s is %s", what, works ? "done" : "refused");
	if (p != MAP_FAILED)
		munmap(p, len);
}

static void test_mmap(const struct target *t)
{
	struct zc z;

	zc_prepare(&z, t);
	try_map(&z, PAGE, IORING_OFF_RBUF_RING, false, "before there is an ifq");
	if (tap_eq(reg_call(&z, &z.reg), 0, "registration")) {
		tap_ok(z.reg.mmap_sz && z.reg.mmap_sz % PAGE == 0, "the mapping's size is whole pages");
		try_map(&z, z.reg.mmap_sz, z.reg.mmap_off, true, "of the whole");
		try_map(&z, z.reg.mmap_sz, z.reg.mmap_off, true, "of the whole once more");
		try_map(&z, PAGE, z.reg.mmap_off, true, "of a part");
		try_map(&z, z.reg.mmap_sz + PAGE, z.reg.mmap_off, false, "beyond the end");
		try_map(&z, PAGE, z.reg.mmap_off + PAGE, false, "from inside");
		try_map(&z, PAGE, z.reg.mmap_off + (1 << IORING_OFF_RBUF_SHIFT), false,
			"of an ifq that is not there");
	}
	zc_close(&z);
}

/* --- receiving ---------------------------------------------------------- */

struct pair {
	int rx, tx;
};

static struct pair tcp_pair(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int l = socket(AF_INET, SOCK_STREAM, 0);
	struct pair p;

	p.tx = socket(AF_INET, SOCK_STREAM, 0);
	if (l < 0 || p.tx < 0 || bind(l, (void *)&a, len) || listen(l, 1) ||
	    getsockname(l, (void *)&a, &len) || connect(p.tx, (void *)&a, len))
		tap_bail("cannot connect over lo: %s", strerror(errno));
	p.rx = accept(l, NULL, NULL);
	close(l);
	fcntl(p.tx, F_SETFL, O_NONBLOCK);
	return p;
}

static void pair_close(struct pair *p)
{
	close(p->rx);
	close(p->tx);
}

static uint8_t pattern(uint64_t pos)
{
	return (uint8_t)((pos * 1000000001ull ^ 0xdeadbeef) >> 7);
}

/* What one stream has sent and what was seen of it */
struct stream {
	uint64_t sent, seen;
	bool wrong;
};

static size_t send_some(struct stream *s, int fd, size_t len)
{
	uint8_t buf[8192];
	size_t done = 0;

	while (done < len) {
		size_t n = len - done < sizeof(buf) ? len - done : sizeof(buf);
		ssize_t w;
		size_t i;

		for (i = 0; i < n; i++)
			buf[i] = pattern(s->sent + i);
		w = send(fd, buf, n, MSG_NOSIGNAL);
		if (w <= 0)
			break;
		s->sent += (size_t)w;
		done += (size_t)w;
	}
	return done;
}

static struct io_uring_sqe *recvzc(struct zc *z, int fd, uint32_t limit, bool multishot)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&z->ring);

	io_uring_prep_rw(OP_RECV_ZC, sqe, fd, NULL, limit, 0);
	if (multishot)
		sqe->ioprio |= IORING_RECV_MULTISHOT;
	sqe->file_index = z->reg.zcrx_ifq_idx;
	sqe->user_data = 1;
	return sqe;
}

/* One completion of a request: result, flags. False after a second without. */
static bool next_cqe(struct zc *z, int *res, unsigned int *flags)
{
	struct __kernel_timespec ts = { .tv_sec = 1 };
	struct io_uring_cqe *cqe;

	io_uring_submit(&z->ring);
	if (io_uring_wait_cqe_timeout(&z->ring, &cqe, &ts))
		return false;
	*res = cqe->res;
	*flags = cqe->flags;
	io_uring_cqe_seen(&z->ring, cqe);
	return true;
}

static void give_back(struct zc *z, uint32_t off, uint16_t region, uint8_t pad)
{
	uint32_t *tail = at(z, z->reg.rq_off.tail);
	struct io_uring_rbuf_rqe *rqe = (void *)(z->map + z->reg.rq_off.rqes);

	rqe += *tail & (z->reg.rq_entries - 1);
	*rqe = (struct io_uring_rbuf_rqe){ .off = off, .region = region, .__pad = { pad } };
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
}

/* Entries that announce @bytes; checks their content, gives them back if asked */
static void take(struct zc *z, struct stream *s, int bytes, bool give)
{
	uint32_t *head = at(z, z->reg.cq_off.head);
	uint32_t *tail = at(z, z->reg.cq_off.tail);
	struct io_uring_rbuf_cqe *cqes = (void *)(z->map + z->reg.cq_off.cqes);

	while (bytes > 0) {
		struct io_uring_rbuf_cqe *c;
		uint32_t i;

		if (__atomic_load_n(tail, __ATOMIC_ACQUIRE) == *head) {
			tap_diag("%d bytes of a completion have no entry", bytes);
			s->wrong = true;
			return;
		}
		c = &cqes[*head & (z->reg.cq_entries - 1)];
		if (!c->len || c->len > (uint32_t)bytes || c->off / PAGE != (c->off + c->len - 1) / PAGE ||
		    c->off + c->len > z->region_size || !(c->flags & IORING_RBUF_CQE_F_COPY))
			s->wrong = true;
		if (c->region > 1)
			s->wrong = true;
		for (i = 0; i < c->len && !s->wrong; i++)
			if (z->region[c->region * z->region_size + c->off + i] != pattern(s->seen + i))
				s->wrong = true;
		z->in_region[c->region & 1]++;
		s->seen += c->len;
		bytes -= (int)c->len;
		if (give)
			give_back(z, c->off, c->region, 0);
		__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	}
}

static void test_bad_requests(const struct target *t)
{
	struct zc z;
	struct pair p;
	unsigned int flags;
	int sv[2], res = 0;

	if (!zc_open(&z, t, 64, 64))
		return;
	p = tcp_pair();

	recvzc(&z, p.rx, 0, true)->file_index = 99;
	tap_ok(next_cqe(&z, &res, &flags) && res == -EINVAL && !(flags & IORING_CQE_F_MORE),
	       "a request for an unknown ifq");
	recvzc(&z, p.rx, 0, true)->addr = 1;
	tap_ok(next_cqe(&z, &res, &flags) && res == -EINVAL, "a request with an address");
	recvzc(&z, p.rx, 0, true)->msg_flags = MSG_PEEK;
	tap_ok(next_cqe(&z, &res, &flags) && res == -EINVAL, "a request with message flags");
	recvzc(&z, p.rx, 0, true)->ioprio |= 1u << 15;
	tap_ok(next_cqe(&z, &res, &flags) && res == -EINVAL, "a request with unknown flags");
	recvzc(&z, -1, 0, true);
	tap_ok(next_cqe(&z, &res, &flags) && res == -EBADF, "a request without a file");
	recvzc(&z, z.ring.ring_fd, 0, true);
	tap_ok(next_cqe(&z, &res, &flags) && res == -ENOTSOCK, "a request for no socket");
	if (!socketpair(AF_UNIX, SOCK_STREAM, 0, sv)) {
		recvzc(&z, sv[0], 0, true);
		tap_ok(next_cqe(&z, &res, &flags) && res == -EPROTONOSUPPORT,
		       "a request for a socket that is not TCP");
		close(sv[0]);
		close(sv[1]);
	}
	tap_eq(stats(&z)->cq_full + stats(&z)->bad_rqes, 0, "none of it counts as a ring error");
	pair_close(&p);
	zc_close(&z);
}

static void test_stream(const struct target *t)
{
	struct stream s = {};
	struct zc z;
	struct pair p;
	unsigned int flags = IORING_CQE_F_MORE;
	uint64_t total = 8 << 20;
	int res = 1;

	if (!zc_open(&z, t, 1024, 1024))
		return;
	p = tcp_pair();
	recvzc(&z, p.rx, 0, true);
	send_some(&s, p.tx, 1000);
	tap_ok(next_cqe(&z, &res, &flags) && res == 1000 && flags & IORING_CQE_F_MORE,
	       "the first result of a multishot receive says that more will come");
	take(&z, &s, res, true);
	while (s.sent < total || s.seen < s.sent) {
		send_some(&s, p.tx, 1 + (s.sent * 7 + 3) % 60000);
		if (!next_cqe(&z, &res, &flags) || res <= 0)
			break;
		take(&z, &s, res, true);
		if (!(flags & IORING_CQE_F_MORE))
			recvzc(&z, p.rx, 0, true);
	}
	tap_ok(s.seen >= total && s.seen == s.sent && !s.wrong,
	       "a stream of odd pieces, four times the region: all bytes, in order");
	close(p.tx);
	tap_ok(next_cqe(&z, &res, &flags) && !res && !(flags & IORING_CQE_F_MORE),
	       "the end of the stream ends the request with 0");
	tap_eq(stats(&z)->copy_foreign_bytes + stats(&z)->copy_linear_bytes, s.seen,
	       "each byte is counted as copied");
	tap_eq(stats(&z)->zc_bytes, 0, "and none as zero copy");
	tap_eq(stats(&z)->bad_rqes, 0, "no refill entry was bad");
	close(p.rx);
	zc_close(&z);
}

static void test_limit(const struct target *t)
{
	struct stream s = {};
	struct zc z;
	struct pair p;
	unsigned int flags;
	int res, i;

	if (!zc_open(&z, t, 64, 64))
		return;
	p = tcp_pair();
	send_some(&s, p.tx, 30000);
	for (i = 0; i < 3; i++) {
		recvzc(&z, p.rx, 5001, false);
		if (!tap_ok(next_cqe(&z, &res, &flags) && res > 0 && res <= 5001 &&
			    !(flags & IORING_CQE_F_MORE), "a single receive keeps to its limit"))
			break;
		take(&z, &s, res, true);
	}
	recvzc(&z, p.rx, 9999, true);
	for (i = 0; i < 9999; i += res) {
		if (!next_cqe(&z, &res, &flags) || res <= 0)
			break;
		take(&z, &s, res, true);
		if (!(flags & IORING_CQE_F_MORE))
			break;
	}
	tap_ok(i + res == 9999 && !(flags & IORING_CQE_F_MORE) && !s.wrong,
	       "a multishot receive ends at its limit, to the byte");
	pair_close(&p);
	zc_close(&z);
}

static void read_fdinfo(int fd, char *all, size_t size)
{
	char path[64];
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "r");
	if (f) {
		n = fread(all, 1, size - 1, f);
		fclose(f);
	}
	all[n] = 0;
}

static bool fdinfo_has(int fd, const char *text)
{
	char all[16384];

	read_fdinfo(fd, all, sizeof(all));
	return strstr(all, text);
}

/* Pages of the first region that nobody holds */
static int free_pages(struct zc *z)
{
	char all[16384], *at;
	int n = -1;

	read_fdinfo(z->ring.ring_fd, all, sizeof(all));
	at = strstr(all, " free:");
	if (at)
		sscanf(at, " free:%d", &n);
	return n;
}

/* A completion ring of 4 entries is full at once; nothing may be lost by that. */
static void test_cq_full(const struct target *t)
{
	struct stream s = {};
	struct zc z;
	struct pair p;
	unsigned int flags, full = 0;
	int res = 0, before;

	if (!zc_open(&z, t, 64, 4))
		return;
	before = free_pages(&z);
	p = tcp_pair();
	send_some(&s, p.tx, 100000);
	recvzc(&z, p.rx, 0, true);
	while (s.seen < s.sent && next_cqe(&z, &res, &flags)) {
		if (res > 0) {
			/* leave the entries until the ring is full */
			while (flags & IORING_CQE_F_MORE) {
				int more;

				if (!next_cqe(&z, &more, &flags))
					break;
				if (more > 0)
					res += more;
				else
					full += more == -ENOBUFS;
			}
			take(&z, &s, res, true);
		} else if (res == -ENOBUFS) {
			full++;
		} else {
			break;
		}
		if (!(flags & IORING_CQE_F_MORE))
			recvzc(&z, p.rx, 0, true);
	}
	tap_ok(full, "a full completion ring ends the request with ENOBUFS");
	tap_ok(s.seen == s.sent && !s.wrong, "and no byte is lost");
	tap_ok(stats(&z)->cq_full >= full, "it is counted");
	/* one page may be half full, the NIC may have had a packet */
	ctrl_call(&z, 0, IORING_ZC_RX_CTRL_FLUSH_RQ, 0);
	if (!tap_ok(before > 0 && free_pages(&z) >= before - 2, "and no page is lost"))
		tap_diag("%d pages were free, %d are", before, free_pages(&z));
	pair_close(&p);
	zc_close(&z);
}

/* Keep everything, until the region is used up; then give all of it back. */
static void test_no_buffer(const struct target *t)
{
	struct stream s = {};
	struct zc z;
	struct pair p;
	unsigned int flags = IORING_CQE_F_MORE;
	uint32_t off;
	int res = 0;

	if (!zc_open(&z, t, 1024, 32768))
		return;
	p = tcp_pair();
	recvzc(&z, p.rx, 0, true);
	for (;;) {
		send_some(&s, p.tx, 64000);
		if (!next_cqe(&z, &res, &flags) || res <= 0)
			break;
		take(&z, &s, res, false);
		if (!(flags & IORING_CQE_F_MORE))
			recvzc(&z, p.rx, 0, true);
	}
	tap_ok(res == -ENOMEM, "a region that is used up ends the request with ENOMEM");
	tap_ok(stats(&z)->copy_no_buffer > 0, "it is counted");
	tap_ok(s.seen > REGION_PAGES / 4 * PAGE && !s.wrong, "what was received till then is right");

	/* one entry a page is not enough for pages with several pieces: give more
	 * than was handed out, the rest is rejected
	 */
	for (off = 0; off < z.region_size; off += PAGE)
		give_back(&z, off, 0, 0);
	recvzc(&z, p.rx, 0, true);
	if (next_cqe(&z, &res, &flags) && res > 0)
		take(&z, &s, res, true);
	tap_ok(res > 0 && !s.wrong, "once buffers came back, the same socket goes on");
	pair_close(&p);
	zc_close(&z);
}

/* Entries that give back what the user does not hold are counted, no more. */
static void test_bad_entries(const struct target *t)
{
	struct stream s = {};
	struct zc z;
	struct pair p;
	unsigned int flags;
	uint32_t off;
	int res, i;

	if (!zc_open(&z, t, 64, 32768))
		return;
	p = tcp_pair();
	send_some(&s, p.tx, PAGE);	/* fills its page, which then has one piece */
	recvzc(&z, p.rx, 0, true);
	if (!tap_ok(next_cqe(&z, &res, &flags) && res == PAGE, "one piece"))
		goto out;
	off = ((struct io_uring_rbuf_cqe *)(z.map + z.reg.cq_off.cqes))->off;
	take(&z, &s, res, false);

	for (i = 0; i < 16; i++)
		give_back(&z, off, 0, 0);	/* 15 of them are bad */
	give_back(&z, (uint32_t)z.region_size, 0, 0);
	give_back(&z, ~0u, 0, 0);
	give_back(&z, off, 1, 0);
	give_back(&z, off, 0, 1);

	/* the ring is read when buffers are short: use them up */
	for (;;) {
		send_some(&s, p.tx, 64000);
		if (!next_cqe(&z, &res, &flags) || res <= 0)
			break;
		take(&z, &s, res, false);
		if (!(flags & IORING_CQE_F_MORE))
			recvzc(&z, p.rx, 0, true);
	}
	tap_eq(stats(&z)->bad_rqes, 15 + 4, "each entry that is bad is counted");
	tap_ok(!s.wrong, "and all data is right");

	/* indices that make no sense */
	__atomic_store_n(at(&z, z.reg.rq_off.tail), *at(&z, z.reg.rq_off.head) + 1000, __ATOMIC_RELEASE);
	__atomic_store_n(at(&z, z.reg.cq_off.head), *at(&z, z.reg.cq_off.tail) + 7, __ATOMIC_RELEASE);
	recvzc(&z, p.rx, 0, true);
	tap_ok(next_cqe(&z, &res, &flags) && res == -ENOBUFS, "a head beyond the tail is a full ring");
	__atomic_store_n(at(&z, z.reg.cq_off.head), *at(&z, z.reg.cq_off.tail), __ATOMIC_RELEASE);
	recvzc(&z, p.rx, 0, true);
	tap_ok(next_cqe(&z, &res, &flags) && (res == -ENOMEM || res > 0), "a tail beyond a ring's length is harmless");
out:
	pair_close(&p);
	zc_close(&z);
}

/* Two sockets on one ifq: completions and groups of entries have one order. */
static void test_two_sockets(const struct target *t)
{
	struct stream s[2] = {};
	struct pair p[2];
	struct zc z;
	int i, rounds;

	if (!zc_open(&z, t, 1024, 1024))
		return;
	for (i = 0; i < 2; i++) {
		p[i] = tcp_pair();
		recvzc(&z, p[i].rx, 0, true)->user_data = (uint64_t)i;
	}
	for (rounds = 0; rounds < 300; rounds++) {
		struct __kernel_timespec ts = { .tv_sec = 1 };
		struct io_uring_cqe *cqe;

		send_some(&s[0], p[0].tx, 1000 + (size_t)rounds * 37);
		send_some(&s[1], p[1].tx, 3000);
		io_uring_submit(&z.ring);
		while (s[0].seen < s[0].sent || s[1].seen < s[1].sent) {
			int res, n;

			if (io_uring_wait_cqe_timeout(&z.ring, &cqe, &ts))
				break;
			res = cqe->res;
			n = (int)cqe->user_data;
			if (!(cqe->flags & IORING_CQE_F_MORE))
				recvzc(&z, p[n].rx, 0, true)->user_data = (uint64_t)n;
			io_uring_cqe_seen(&z.ring, cqe);
			if (res > 0)
				take(&z, &s[n], res, true);
			io_uring_submit(&z.ring);
		}
	}
	tap_ok(s[0].seen == s[0].sent && s[1].seen == s[1].sent && s[0].seen && s[1].seen &&
	       !s[0].wrong && !s[1].wrong, "two sockets on one ifq, both right");
	pair_close(&p[0]);
	pair_close(&p[1]);
	zc_close(&z);
}

/* --- ends --------------------------------------------------------------- */

static void wait_unpinned(const char *what)
{
	int i;

	for (i = 0; i < 200 && pinned_kb(getpid()) > 0; i++)
		usleep(10000);
	tap_eq(pinned_kb(getpid()), 0, "%s: nothing stays pinned", what);
}

static void test_unregister_buffers(const struct target *t)
{
	struct stream s = {};
	struct zc z;
	struct pair p;
	unsigned int flags;
	int res = 0;

	if (!zc_open(&z, t, 64, 64))
		return;
	tap_eq(io_uring_unregister_buffers(&z.ring), 0, "the user unregisters the region's buffer");
	tap_ok(pinned_kb(getpid()) >= (long)(z.region_size >> 10), "it stays pinned while the ifq is there");
	p = tcp_pair();
	send_some(&s, p.tx, 5000);
	recvzc(&z, p.rx, 0, true);
	if (next_cqe(&z, &res, &flags) && res > 0)
		take(&z, &s, res, true);
	tap_ok(res > 0 && !s.wrong, "and still receives");
	pair_close(&p);
	zc_close(&z);
	wait_unpinned("after the ring is gone");
}

static void test_exits(const struct target *t)
{
	struct zc z;
	struct pair p;
	struct stream s = {};
	unsigned int flags;
	int res, i, status;
	pid_t pid;

	if (!zc_open(&z, t, 64, 64))
		return;
	p = tcp_pair();
	recvzc(&z, p.rx, 0, true);
	io_uring_submit(&z.ring);
	zc_close(&z);
	pair_close(&p);
	wait_unpinned("ring closed with a receive under way");

	if (!zc_open(&z, t, 64, 64))
		return;
	p = tcp_pair();
	recvzc(&z, p.rx, 0, true)->flags |= IOSQE_ASYNC;
	send_some(&s, p.tx, 5000);
	tap_ok(next_cqe(&z, &res, &flags) && res > 0, "a request marked IOSQE_ASYNC works as well");
	zc_close(&z);
	pair_close(&p);
	wait_unpinned("ring closed with buffers in the user's hands");

	for (i = 0; i < 5; i++) {
		fflush(stdout);
		pid = fork();
		if (!pid) {
			zc_prepare(&z, t);
			if (reg_call(&z, &z.reg))
				_exit(1);
			kill(getpid(), SIGKILL);
		}
		waitpid(pid, &status, 0);
		if (!WIFSIGNALED(status))
			break;
	}
	tap_eq(i, 5, "killed five times in a row, the queue is free each time");
}

/* --- control ------------------------------------------------------------ */

static void ctrl_refused(struct zc *z, uint32_t ifq, uint32_t op, uint32_t region, int err,
			 const char *reason, const char *what)
{
	int ret = ctrl_call(z, ifq, op, region);

	if (!tap_ok(ret == -err && strstr(z->reason, reason), "%s: %s, in words", what,
		    strerrorname_np(err)))
		tap_diag("got %d, \"%.*s\"", ret, (int)sizeof(z->reason), z->reason);
}

/* Two registered buffers, of which the ifq has the first */
static bool open_two_buffers(struct zc *z, const struct target *t)
{
	struct iovec iov[2];
	int ret;

	memset(z, 0, sizeof(*z));
	zc_ring(z, RING_FLAGS);
	zc_region(z, (size_t)2 * REGION_PAGES);
	z->region_size /= 2;
	iov[0] = (struct iovec){ z->region, z->region_size };
	iov[1] = (struct iovec){ z->region + z->region_size, z->region_size };
	ret = io_uring_register_buffers(&z->ring, iov, 2);
	if (ret)
		tap_bail("cannot register two buffers: %s", strerror(-ret));
	zc_defaults(z, t);
	z->reg.cq_entries = 32768;
	ret = reg_call(z, &z->reg);
	if (!tap_ok(!ret, "registration with the first of two buffers")) {
		tap_diag("%s: %s", strerror(-ret), z->reason);
		zc_close(z);
		return false;
	}
	zc_map(z);
	return true;
}

static void close_two_buffers(struct zc *z)
{
	if (z->region)
		z->region_size *= 2;
	zc_close(z);
}

/* Receive and give nothing back, until something other than data comes */
static int use_up(struct zc *z, struct pair *p, struct stream *s)
{
	unsigned int flags = IORING_CQE_F_MORE;
	int res;

	recvzc(z, p->rx, 0, true);
	for (;;) {
		send_some(s, p->tx, 64000);
		if (!next_cqe(z, &res, &flags) || res <= 0)
			return res;
		take(z, s, res, false);
		if (!(flags & IORING_CQE_F_MORE))
			recvzc(z, p->rx, 0, true);
	}
}

static void test_ctrl_refused(const struct target *t)
{
	struct io_uring_zc_rx_ctrl ctrl = { .op = IORING_ZC_RX_CTRL_FLUSH_RQ, .__resv = { [3] = 1 } };
	struct zc z;

	if (!open_two_buffers(&z, t))
		return;
	ctrl_refused(&z, 5, IORING_ZC_RX_CTRL_FLUSH_RQ, 0, ENXIO, "no ifq 5", "an unknown ifq");
	ctrl_refused(&z, 0, 99, 0, EINVAL, "unknown operation 99", "an unknown operation");
	ctrl_refused(&z, 0, IORING_ZC_RX_CTRL_FLUSH_RQ, 1, EINVAL, "no use for",
		     "a region where none is asked for");
	ctrl_refused(&z, 0, IORING_ZC_RX_CTRL_ADD_REGION, 0, EEXIST, "a region of the ifq already",
		     "a region twice");
	ctrl_refused(&z, 0, IORING_ZC_RX_CTRL_ADD_REGION, 7, EFAULT, "no registered buffer 7",
		     "a region that is not registered");
	tap_eq(syscall(__NR_io_uring_register, z.ring.ring_fd, IORING_REGISTER_ZC_RX_CTRL_NR, &ctrl, 1) ?
	       errno : 0, EINVAL, "a reserved field");
	tap_eq(syscall(__NR_io_uring_register, z.ring.ring_fd, IORING_REGISTER_ZC_RX_CTRL_NR, NULL, 1) ?
	       errno : 0, EFAULT, "a NULL argument");
	close_two_buffers(&z);
}

static void test_add_region(const struct target *t)
{
	struct stream s = {};
	struct zc z;
	struct pair p;
	uint32_t off;
	int ret;

	if (!open_two_buffers(&z, t))
		return;
	p = tcp_pair();
	tap_eq(use_up(&z, &p, &s), -ENOMEM, "the first region is used up");
	tap_ok(z.in_region[0] && !z.in_region[1], "all of it was the first's");
	ret = ctrl_call(&z, 0, IORING_ZC_RX_CTRL_ADD_REGION, 1);
	if (!tap_eq(ret, 0, "the second is added"))
		tap_diag("%s", z.reason);
	tap_eq(use_up(&z, &p, &s), -ENOMEM, "it is used up as well");
	tap_ok(z.in_region[1] > REGION_PAGES / 4 && !s.wrong, "the data in it is right");

	/* the beginning of the first is in the NIC's ring */
	for (off = REGION_PAGES / 2 * PAGE; off < z.region_size; off += PAGE)
		give_back(&z, off, off / PAGE & 1, 0);
	tap_eq(ctrl_call(&z, 0, IORING_ZC_RX_CTRL_FLUSH_RQ, 0), 512, "a flush takes what was given back");
	tap_eq(*at(&z, z.reg.rq_off.head), *at(&z, z.reg.rq_off.tail), "nothing is left in the ring");
	tap_eq(ctrl_call(&z, 0, IORING_ZC_RX_CTRL_FLUSH_RQ, 0), 0, "a second flush finds nothing");
	tap_eq(stats(&z)->bad_rqes, 0, "both regions know their pages");
	tap_eq(use_up(&z, &p, &s), -ENOMEM, "what came back is used again");
	tap_ok(!s.wrong, "and the data is right");
	pair_close(&p);
	close_two_buffers(&z);
	wait_unpinned("after a ring with two regions");
}

static void test_unregister(const struct target *t)
{
	struct zc z;
	struct pair p;
	unsigned int flags;
	int res = 0, i;
	uint64_t off;

	if (!zc_open(&z, t, 64, 64))
		return;
	p = tcp_pair();
	recvzc(&z, p.rx, 0, true);
	io_uring_submit(&z.ring);
	ctrl_refused(&z, 0, IORING_ZC_RX_CTRL_UNREGISTER, 0, EBUSY, "1 receive request",
		     "unregistration with a request under way");
	io_uring_prep_cancel64(io_uring_get_sqe(&z.ring), 1, 0);
	for (i = 0; i < 2 && next_cqe(&z, &res, &flags); i++)
		;
	tap_eq(i, 2, "the request is cancelled");
	tap_eq(ctrl_call(&z, 0, IORING_ZC_RX_CTRL_UNREGISTER, 0), 0, "then it is done");
	ctrl_refused(&z, 0, IORING_ZC_RX_CTRL_UNREGISTER, 0, ENXIO, "no ifq 0", "a second time");
	recvzc(&z, p.rx, 0, true);
	tap_ok(next_cqe(&z, &res, &flags) && res == -EINVAL, "a request finds no ifq");
	memset(z.map, 0x5a, z.reg.mmap_sz);
	for (off = 0; off < z.reg.mmap_sz && z.map[off] == 0x5a; off++)
		;
	tap_eq(off, z.reg.mmap_sz, "what was mapped of its rings is the user's alone");
	munmap(z.map, z.reg.mmap_sz);
	z.map = NULL;
	zc_defaults(&z, t);
	tap_eq(reg_call(&z, &z.reg), 0, "queue and buffer can be registered again");
	pair_close(&p);
	zc_close(&z);
}

static void test_claim(const struct target *t)
{
	struct target next = { t->ifindex, t->queue + 1 };
	struct zc z;

	zc_prepare(&z, t);
	tap_eq(reg_call(&z, &z.reg), 0, "registration");
	zc_defaults(&z, &next);
	expect_refused(&z, EBUSY, "an ifq has registered buffer 0", "a buffer for two ifqs");
	zc_close(&z);
}

static void test_fdinfo(const struct target *t)
{
	struct stream s = {};
	char text[128];
	struct zc z;
	struct pair p;
	unsigned int flags;
	int res = 0;

	zc_prepare(&z, t);
	tap_ok(!fdinfo_has(z.ring.ring_fd, "ZcRx"), "fdinfo of a ring without ifqs");
	tap_eq(reg_call(&z, &z.reg), 0, "registration");
	zc_map(&z);
	p = tcp_pair();
	send_some(&s, p.tx, 5000);
	recvzc(&z, p.rx, 0, true);
	if (next_cqe(&z, &res, &flags) && res > 0)
		take(&z, &s, res, false);
	snprintf(text, sizeof(text), "ifindex:%u, queue:%u, bound:1, requests:1, rq:0/1024, cq:0/1024",
		 t->ifindex, t->queue);
	tap_ok(fdinfo_has(z.ring.ring_fd, text), "fdinfo tells of an ifq");
	snprintf(text, sizeof(text), "region:0, pages:%u, free:", REGION_PAGES);
	tap_ok(fdinfo_has(z.ring.ring_fd, text), "... of its region");
	snprintf(text, sizeof(text), "copy_linear_bytes:%llu\n", (unsigned long long)stats(&z)->copy_linear_bytes);
	tap_ok(fdinfo_has(z.ring.ring_fd, text), "... and what it counts");
	pair_close(&p);
	zc_close(&z);
}

int main(int argc, char **argv)
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	struct target t;

	if (argc != 3 || !(t.ifindex = if_nametoindex(argv[1]))) {
		fprintf(stderr, "usage: zc-uapi INTERFACE QUEUE\n");
		return 2;
	}
	t.queue = (unsigned int)atoi(argv[2]);
	setrlimit(RLIMIT_MEMLOCK, &unlimited);

	test_bad_regs(&t);
	test_reason_buffer(&t);
	test_read_only_reg(&t);
	test_ring_flags(&t);
	test_restrictions(&t);
	test_regions(&t);
	test_caller(&t);
	test_busy(&t);
	test_mmap(&t);
	test_bad_requests(&t);
	test_stream(&t);
	test_limit(&t);
	test_cq_full(&t);
	test_no_buffer(&t);
	test_bad_entries(&t);
	test_two_sockets(&t);
	test_unregister_buffers(&t);
	test_exits(&t);
	test_ctrl_refused(&t);
	test_add_region(&t);
	test_unregister(&t);
	test_claim(&t);
	test_fdinfo(&t);
	return tap_done();
}
