// SPDX-License-Identifier: GPL-2.0
/*
 * IORING_REGISTER_ZC_RX_IFQ: what it returns, and each thing that it refuses, with errno and
 * sentence.
 */
#include <arpa/inet.h>
#include <linux/bpf.h>
#include <linux/if_xdp.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kselftest_harness.h>
#include "lib.h"

/* errno and words of a refusal */
#define EXPECT_REFUSED(z, err, words) do {					\
	int __ret;								\
										\
	memset((z)->reason, 'x', sizeof((z)->reason));				\
	__ret = zc_register(z);							\
	EXPECT_EQ(-(err), __ret);						\
	(z)->reason[sizeof((z)->reason) - 1] = 0;				\
	EXPECT_TRUE(__ret && strstr((z)->reason, words)) {			\
		TH_LOG("wanted \"%s\", got \"%s\"", words, (z)->reason);	\
	}									\
} while (0)

FIXTURE(prepared) {
	struct zc z;
};

FIXTURE_SETUP(prepared)
{
	ASSERT_EQ(0, zc_prepare(&self->z));
}

FIXTURE_TEARDOWN(prepared)
{
	zc_close(&self->z);
}

TEST(outputs)
{
	struct zc z;
	struct io_uring_zc_rx_ifq_reg *r = &z.reg;
	uint32_t end;

	ASSERT_EQ(0, zc_bind(&z, 1024, 256)) {
		TH_LOG("%s", z.reason);
	}
	EXPECT_EQ(0, r->zcrx_ifq_idx);
	EXPECT_EQ(IORING_OFF_RBUF_RING, r->mmap_off);
	EXPECT_EQ(0, r->mmap_sz % target.page);

	/* each index has a cache line of its own, entries are aligned to their size */
	EXPECT_LE(64, r->rq_off.tail - r->rq_off.head);
	EXPECT_LE(64, r->cq_off.tail - r->cq_off.head);
	EXPECT_LE(64, r->cq_off.head - r->rq_off.tail);
	EXPECT_EQ(0, r->rq_off.rqes % sizeof(struct io_uring_rbuf_rqe));
	EXPECT_EQ(0, r->cq_off.cqes % sizeof(struct io_uring_rbuf_cqe));
	EXPECT_EQ(0, r->stats_off % sizeof(uint64_t));
	EXPECT_LE(r->rq_off.rqes + 1024 * sizeof(struct io_uring_rbuf_rqe), r->cq_off.cqes);
	end = r->cq_off.cqes + 256 * sizeof(struct io_uring_rbuf_cqe);
	EXPECT_LE(end, r->mmap_sz);
	EXPECT_GT(end + target.page, r->mmap_sz);

	ASSERT_EQ(0, zc_map(&z));
	EXPECT_EQ(0, *zc_at(&z, r->rq_off.tail));
	EXPECT_EQ(0, *zc_at(&z, r->cq_off.head));
	EXPECT_EQ(0, *zc_at(&z, r->cq_off.tail));
	EXPECT_EQ(0, zc_stats(&z)->bad_rqes);
	zc_close(&z);
}

FIXTURE(size) {
	struct zc z;
};

FIXTURE_VARIANT(size) {
	uint32_t rq, cq;
};

FIXTURE_VARIANT_ADD(size, smallest) { .rq = 1, .cq = 1 };
FIXTURE_VARIANT_ADD(size, largest) { .rq = 32768, .cq = 65536 };

FIXTURE_SETUP(size)
{
	zc_none(&self->z);
	(void)variant;
}

FIXTURE_TEARDOWN(size)
{
	zc_close(&self->z);
}

TEST_F(size, works)
{
	struct zc_stream s;

	ASSERT_EQ(0, zc_open(&self->z, variant->rq, variant->cq)) {
		TH_LOG("%s", self->z.reason);
	}
	ASSERT_EQ(0, zc_connect(&s));
	EXPECT_EQ(100, zc_send(&s, 100));
	EXPECT_EQ(0, zc_recv_all(&self->z, &s, 0));
	EXPECT_EQ(NULL, s.wrong);
	zc_disconnect(&s);
}

TEST(hugepages)
{
	struct iovec iov = { .iov_len = 16 << 20 };
	struct zc_stream s;
	struct zc z;

	zc_none(&z);
	iov.iov_base = mmap(NULL, iov.iov_len, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (iov.iov_base == MAP_FAILED)
		SKIP(return, "no huge pages: %s", strerror(errno));
	z.region = iov.iov_base;
	z.region_size = iov.iov_len;
	ASSERT_EQ(0, zc_ring_open(&z.ring, ZC_RING_FLAGS, 64));
	ASSERT_EQ(0, zc_buffers(&z.ring, &iov, 1));
	zc_defaults(&z);
	ASSERT_EQ(0, zc_register(&z)) {
		TH_LOG("%s", z.reason);
	}
	ASSERT_EQ(0, zc_map(&z));
	ASSERT_EQ(0, zc_connect(&s));
	EXPECT_EQ(50000, zc_send(&s, 50000));
	EXPECT_EQ(0, zc_recv_all(&z, &s, 0));
	EXPECT_EQ(NULL, s.wrong);
	zc_disconnect(&s);
	zc_close(&z);
}

/* ---- fields that are wrong ----------------------------------------------- */

FIXTURE(field) {
	struct zc z;
};

FIXTURE_VARIANT(field) {
	int err;
	const char *words;
	size_t off, size;
	uint64_t value;
};

#define FIELD(name, e, w, member, v)						\
	FIXTURE_VARIANT_ADD(field, name) {					\
		.err = e,							\
		.words = w,							\
		.off = offsetof(struct io_uring_zc_rx_ifq_reg, member),		\
		.size = sizeof_field(struct io_uring_zc_rx_ifq_reg, member),	\
		.value = v,							\
	}
#define sizeof_field(type, member)	sizeof(((type *)0)->member)

FIELD(rq_0, EINVAL, "rq_entries 0 ", rq_entries, 0);
FIELD(rq_3, EINVAL, "rq_entries 3 ", rq_entries, 3);
FIELD(rq_64k, EINVAL, "rq_entries 65536 ", rq_entries, 1 << 16);
FIELD(rq_2g, EINVAL, "rq_entries 2147483648 ", rq_entries, 1u << 31);
FIELD(rq_max, EINVAL, "rq_entries 4294967295 ", rq_entries, ~0u);
FIELD(cq_0, EINVAL, "cq_entries 0 ", cq_entries, 0);
FIELD(cq_3, EINVAL, "cq_entries 3 ", cq_entries, 3);
FIELD(cq_128k, EINVAL, "cq_entries 131072 ", cq_entries, 1 << 17);
FIELD(cq_2g, EINVAL, "cq_entries 2147483648 ", cq_entries, 1u << 31);
FIELD(cq_max, EINVAL, "cq_entries 4294967295 ", cq_entries, ~0u);
FIELD(flag_1, EINVAL, "unknown flags 0x2", flags, 2);
FIELD(flag_31, EINVAL, "unknown flags 0x80000000", flags, 1u << 31);
FIELD(resv0, EINVAL, "reserved field", __resv0, 1);
FIELD(resv_first, EINVAL, "reserved field", __resv[0], 1);
FIELD(resv_last, EINVAL, "reserved field", __resv[3], 1ull << 63);
FIELD(cpu_without_flag, EINVAL, "cpu without its flag", cpu, 1);
FIELD(no_buffer, EFAULT, "no registered buffer 1", region_id, 1);
FIELD(no_buffer_max, EFAULT, "no registered buffer", region_id, ~0u);
FIELD(no_interface, ENODEV, "no interface with index 1000000 ", if_idx, 1000000);
FIELD(negative_interface, ENODEV, "no interface", if_idx, ~0u);
FIELD(queue_1000, ERANGE, "no RX queue 1000000, device has ", if_rxq_id, 1000000);
FIELD(queue_max, ERANGE, "no RX queue 4294967295, ", if_rxq_id, ~0u);

FIXTURE_SETUP(field)
{
	(void)variant;
	ASSERT_EQ(0, zc_prepare(&self->z));
}

FIXTURE_TEARDOWN(field)
{
	zc_close(&self->z);
}

TEST_F(field, refused)
{
	struct io_uring_zc_rx_ifq_reg was;

	/* the machines that this runs on put the low bytes first */
	memcpy((char *)&self->z.reg + variant->off, &variant->value, variant->size);
	was = self->z.reg;
	EXPECT_REFUSED(&self->z, variant->err, variant->words);
	/* no ifq is left that could be mapped */
	self->z.reg.mmap_sz = target.page;
	self->z.reg.mmap_off = IORING_OFF_RBUF_RING;
	EXPECT_NE(0, zc_map(&self->z));
	EXPECT_EQ(was.if_idx, self->z.reg.if_idx);
}

TEST_F(prepared, last_queue_and_one_more)
{
	struct zc *z = &self->z;
	char words[64];

	if (!target.queues)
		SKIP(return, "the number of queues is not known");
	snprintf(words, sizeof(words), "no RX queue %u, device has %u", target.queues,
		 target.queues);
	z->reg.if_rxq_id = target.queues;
	EXPECT_REFUSED(z, ERANGE, words);
}

TEST_F(prepared, virtual_interface)
{
	self->z.reg.if_idx = if_nametoindex("lo");
	EXPECT_REFUSED(&self->z, EOPNOTSUPP, "virtual interface");
}

TEST_F(prepared, good_after_bad)
{
	struct zc *z = &self->z;
	unsigned int i;

	for (i = 0; i < 20; i++) {
		zc_defaults(z);
		z->reg.if_rxq_id = ~0u;
		EXPECT_REFUSED(z, ERANGE, "no RX queue");
	}
	zc_close(z);
	EXPECT_EQ(0, zc_bind(z, 64, 64));
	/* numbers of those that failed are used again */
	EXPECT_EQ(0, z->reg.zcrx_ifq_idx);
}

/* ---- the argument as memory ---------------------------------------------- */

static long reg_raw(struct zc *z, void *arg, unsigned int nr)
{
	return syscall(__NR_io_uring_register, z->ring.fd, IORING_REGISTER_ZC_RX_IFQ, arg, nr) ?
	       -errno : 0;
}

TEST_F(prepared, argument)
{
	struct zc *z = &self->z;

	EXPECT_EQ(-EFAULT, reg_raw(z, NULL, 1));
	EXPECT_EQ(-EFAULT, reg_raw(z, (void *)8, 1));
	EXPECT_EQ(-EINVAL, reg_raw(z, &z->reg, 0));
	EXPECT_EQ(-EINVAL, reg_raw(z, &z->reg, 2));
	EXPECT_EQ(-EINVAL, reg_raw(z, &z->reg, ~0u));
}

/* Half of it is there; all of it is, but cannot be written to */
TEST_F(prepared, argument_unreadable_or_read_only)
{
	struct zc *z = &self->z;
	struct io_uring_zc_rx_ifq_reg *ro;
	char *mem;

	mem = mmap(NULL, 2 * target.page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		   -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)mem);
	mprotect(mem + target.page, target.page, PROT_NONE);
	EXPECT_EQ(-EFAULT, reg_raw(z, mem + target.page - sizeof(*ro) / 2, 1));

	ro = (void *)mem;
	*ro = z->reg;
	mprotect(mem, target.page, PROT_READ);
	EXPECT_EQ(-EFAULT, reg_raw(z, ro, 1));
	EXPECT_NE(NULL, strstr(z->reason, "not writable"));
	munmap(mem, 2 * target.page);

	/* nothing of it is left */
	zc_close(z);
	EXPECT_EQ(0, zc_bind(z, 64, 64));
}

TEST_F(prepared, reason_is_cut_to_its_buffer)
{
	struct zc *z = &self->z;

	z->reg.rq_entries = 3;
	memset(z->reason, 'x', sizeof(z->reason));
	z->reg.reason_len = 6;
	EXPECT_EQ(-EINVAL, zc_register(z));
	EXPECT_EQ(0, memcmp(z->reason, "rq_en\0x", 7));

	memset(z->reason, 'x', sizeof(z->reason));
	z->reg.reason_len = 1;
	EXPECT_EQ(-EINVAL, zc_register(z));
	EXPECT_EQ(0, memcmp(z->reason, "\0x", 2));

	memset(z->reason, 'x', sizeof(z->reason));
	z->reg.reason_len = 0;
	EXPECT_EQ(-EINVAL, zc_register(z));
	EXPECT_EQ('x', z->reason[0]);

	z->reg.reason_len = ~0u;
	EXPECT_EQ(-EINVAL, zc_register(z));
	EXPECT_STREQ("rq_entries 3 is not a power of two in 1..32768", z->reason);
}

/* The reason cannot be told; the errno is what it would be */
TEST_F(prepared, reason_at_a_bad_address)
{
	self->z.reg.rq_entries = 3;
	self->z.reg.reason = 8;
	EXPECT_EQ(-EINVAL, zc_register(&self->z));
	self->z.reg.reason = ~0ull;
	EXPECT_EQ(-EINVAL, zc_register(&self->z));
}

/* ---- the ring ------------------------------------------------------------ */

static int prepare_flags(struct zc *z, unsigned int flags)
{
	struct iovec iov;
	int ret;

	zc_none(z);
	ret = zc_ring_open(&z->ring, flags, 64);
	if (!ret)
		ret = zc_region(z, 4 << 20);
	if (ret)
		return ret;
	iov = (struct iovec) { z->region, z->region_size };
	zc_defaults(z);
	return zc_buffers(&z->ring, &iov, 1);
}

TEST(ring_without_defer_taskrun)
{
	static const unsigned int flags[] = {
		0, IORING_SETUP_SINGLE_ISSUER, IORING_SETUP_COOP_TASKRUN, IORING_SETUP_SQPOLL,
	};
	struct zc z;
	size_t i;

	for (i = 0; i < ARRAY_LEN(flags); i++) {
		ASSERT_EQ(0, prepare_flags(&z, flags[i]));
		EXPECT_REFUSED(&z, EINVAL, "IORING_SETUP_DEFER_TASKRUN");
		zc_close(&z);
	}
}

struct other {
	struct zc *z;
	int ret;
};

static void *register_elsewhere(void *arg)
{
	struct other *other = arg;

	other->ret = zc_register(other->z);
	return NULL;
}

/* IORING_SETUP_SINGLE_ISSUER holds for registrations, too */
TEST_F(prepared, other_thread)
{
	struct other other = { .z = &self->z };
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, register_elsewhere, &other));
	pthread_join(thread, NULL);
	EXPECT_EQ(-EEXIST, other.ret);
}

/* ---- regions ------------------------------------------------------------- */

/* The buffer is [from, to) of what zc_region() mapped, in bytes; to is from its end if negative */
static int prepare_part(struct zc *z, size_t from, long to)
{
	struct iovec iov;
	int ret;

	zc_none(z);
	ret = zc_ring_open(&z->ring, ZC_RING_FLAGS, 64);
	if (!ret)
		ret = zc_region(z, 4 << 20);
	if (ret)
		return ret;
	iov.iov_base = z->region + from;
	iov.iov_len = (to > 0 ? 0 : z->region_size) + to - from;
	zc_defaults(z);
	return zc_buffers(&z->ring, &iov, 1);
}

TEST(region_begins_inside_of_a_page)
{
	struct zc z;

	ASSERT_EQ(0, prepare_part(&z, 512, 0));
	EXPECT_REFUSED(&z, EFAULT, "registered buffer 0 is not page aligned at both ends");
	zc_close(&z);
}

TEST(region_ends_inside_of_a_page)
{
	struct zc z;

	ASSERT_EQ(0, prepare_part(&z, 0, -1));
	EXPECT_REFUSED(&z, EFAULT, "registered buffer 0 is not page aligned at both ends");
	zc_close(&z);
}

TEST(region_of_one_byte)
{
	struct zc z;

	ASSERT_EQ(0, prepare_part(&z, 0, 1));
	EXPECT_REFUSED(&z, EFAULT, "not page aligned");
	zc_close(&z);
}

/* Smaller than what the device's ring takes: the sentence names both */
TEST(region_too_small)
{
	struct zc z;

	ASSERT_EQ(0, prepare_part(&z, 0, target.page));
	EXPECT_REFUSED(&z, ENOSPC, "region of 1 pages");
	zc_close(&z);
}

/* What cannot be a buffer cannot become a region: before, behind and inside of a mapping */
TEST(region_that_is_no_memory)
{
	struct iovec iov;
	struct zc z;
	char *mem;
	size_t p = target.page;

	ASSERT_EQ(0, zc_prepare(&z));
	zc_ring_close(&z.ring);
	ASSERT_EQ(0, zc_ring_open(&z.ring, ZC_RING_FLAGS, 64));
	mem = mmap(NULL, 4 * p, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)mem);
	mprotect(mem, p, PROT_NONE);
	mprotect(mem + 3 * p, p, PROT_NONE);

	iov = (struct iovec) { mem, 2 * p };
	EXPECT_EQ(-EFAULT, zc_buffers(&z.ring, &iov, 1));
	iov = (struct iovec) { mem + 2 * p, 2 * p };
	EXPECT_EQ(-EFAULT, zc_buffers(&z.ring, &iov, 1));
	mprotect(mem + p, 2 * p, PROT_READ);
	iov = (struct iovec) { mem + p, 2 * p };
	EXPECT_EQ(-EFAULT, zc_buffers(&z.ring, &iov, 1));
	EXPECT_REFUSED(&z, EFAULT, "no registered buffer 0");
	munmap(mem, 4 * p);
	zc_close(&z);
}

/* A buffer of length 0 at address 0 leaves its place free */
TEST(region_of_an_empty_place)
{
	struct iovec iov = { NULL, 0 };
	struct zc z;

	zc_none(&z);
	ASSERT_EQ(0, zc_ring_open(&z.ring, ZC_RING_FLAGS, 64));
	ASSERT_EQ(0, zc_buffers(&z.ring, &iov, 1));
	zc_defaults(&z);
	EXPECT_REFUSED(&z, EFAULT, "buffer 0");
	zc_close(&z);
}

/* ---- rights -------------------------------------------------------------- */

static int child_status(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static int wants(struct zc *z, int err, const char *words)
{
	if (zc_register(z) != -err)
		return 1;
	return strstr(z->reason, words) ? 0 : 2;
}

TEST(without_net_admin)
{
	pid_t pid = fork();

	if (!pid) {
		struct zc z;

		if (zc_prepare(&z) || setresuid(65534, 65534, 65534))
			_exit(3);
		_exit(wants(&z, EPERM, "CAP_NET_ADMIN"));
	}
	EXPECT_EQ(0, child_status(pid));
}

/* All capabilities, but of a user namespace that does not own the network */
TEST(in_a_user_namespace)
{
	pid_t pid = fork();

	if (!pid) {
		struct zc z;

		if (unshare(CLONE_NEWUSER))
			_exit(4);
		if (zc_prepare(&z))
			_exit(3);
		_exit(wants(&z, EPERM, "CAP_NET_ADMIN"));
	}
	pid = child_status(pid);
	if (pid == 4)
		SKIP(return, "no user namespaces");
	EXPECT_EQ(0, pid);
}

/* The index is that of the caller's network, which has virtual interfaces only */
TEST(in_another_network)
{
	pid_t pid = fork();

	if (!pid) {
		struct zc z;
		char name[IFNAMSIZ];

		if (unshare(CLONE_NEWNET))
			_exit(4);
		if (zc_prepare(&z))
			_exit(3);
		/* a tunnel may have the same index there */
		if (if_indextoname(z.reg.if_idx, name))
			_exit(wants(&z, EOPNOTSUPP, "virtual interface"));
		_exit(wants(&z, ENODEV, "in this network namespace"));
	}
	pid = child_status(pid);
	if (pid == 4)
		SKIP(return, "no network namespaces");
	EXPECT_EQ(0, pid);
}

/* ---- the queue is in use ------------------------------------------------- */

TEST(bound_already)
{
	struct zc a, b;

	ASSERT_EQ(0, zc_bind(&a, 64, 64));
	ASSERT_EQ(0, zc_prepare(&b));
	EXPECT_REFUSED(&b, EEXIST, "queue is bound already");
	/* a buffer is the region of one ifq at a time, of the same ring as well */
	zc_defaults(&a);
	EXPECT_REFUSED(&a, EBUSY, "an ifq has registered buffer 0");
	zc_close(&a);
	EXPECT_EQ(0, zc_register(&b));
	zc_close(&b);
}

static int bpf(int cmd, union bpf_attr *attr)
{
	return syscall(__NR_bpf, cmd, attr, sizeof(*attr));
}

/* A program that lets all packets pass: r0 = XDP_PASS; exit */
static int load_xdp(void)
{
	struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_XDP,
		.insns = (uintptr_t)insns,
		.insn_cnt = ARRAY_LEN(insns),
		.license = (uintptr_t)"GPL",
	};

	return bpf(BPF_PROG_LOAD, &attr);
}

TEST_F(prepared, xdp_program)
{
	union bpf_attr attr = { .link_create.attach_type = BPF_XDP };
	int link;

	attr.link_create.prog_fd = load_xdp();
	if ((int)attr.link_create.prog_fd < 0)
		SKIP(return, "no BPF: %s", strerror(errno));
	attr.link_create.target_ifindex = target.ifindex;
	link = bpf(BPF_LINK_CREATE, &attr);
	if (link < 0)
		SKIP(return, "the device takes no XDP program: %s", strerror(errno));
	EXPECT_REFUSED(&self->z, EEXIST, "an XDP program is attached");
	close(link);
	close(attr.link_create.prog_fd);
	zc_close(&self->z);
	EXPECT_EQ(0, zc_bind(&self->z, 64, 64));
}

TEST_F(prepared, af_xdp_socket)
{
	struct xdp_umem_reg umem = { .len = 64 * target.page, .chunk_size = target.page };
	struct sockaddr_xdp addr = {
		.sxdp_family = AF_XDP,
		.sxdp_flags = XDP_COPY,
		.sxdp_ifindex = target.ifindex,
		.sxdp_queue_id = target.queue,
	};
	int fd = socket(AF_XDP, SOCK_RAW, 0), n = 64, ret;
	void *mem;

	if (fd < 0)
		SKIP(return, "no AF_XDP: %s", strerror(errno));
	mem = mmap(NULL, umem.len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, mem);
	umem.addr = (uintptr_t)mem;
	ASSERT_EQ(0, setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &umem, sizeof(umem)));
	ASSERT_EQ(0, setsockopt(fd, SOL_XDP, XDP_UMEM_FILL_RING, &n, sizeof(n)));
	ASSERT_EQ(0, setsockopt(fd, SOL_XDP, XDP_UMEM_COMPLETION_RING, &n, sizeof(n)));
	ASSERT_EQ(0, setsockopt(fd, SOL_XDP, XDP_RX_RING, &n, sizeof(n)));
	if (bind(fd, (void *)&addr, sizeof(addr)))
		SKIP(return, "the queue takes no AF_XDP socket: %s", strerror(errno));
	EXPECT_REFUSED(&self->z, EBUSY, "AF_XDP");
	close(fd);
	munmap(mem, umem.len);
	/* the socket lets go of the queue in its own time */
	for (n = 0, ret = -EBUSY; n < 300 && ret == -EBUSY; n++) {
		zc_close(&self->z);
		ret = zc_bind(&self->z, 64, 64);
		zc_nap(ret ? 10000 : 0);
	}
	EXPECT_EQ(0, ret);
}

/* ---- CPU ----------------------------------------------------------------- */

TEST_F(prepared, cpu_that_is_not_there)
{
	self->z.reg.flags = IORING_ZC_RX_IFQ_CPU;
	self->z.reg.cpu = 60000;
	EXPECT_REFUSED(&self->z, EINVAL, "CPU 60000 is not online");
	zc_close(&self->z);
	EXPECT_EQ(0, zc_bind(&self->z, 64, 64));
}

/* Not everywhere can an interrupt be moved; who cannot has to say so */
TEST_F(prepared, cpu_0)
{
	int ret;

	self->z.reg.flags = IORING_ZC_RX_IFQ_CPU;
	ret = zc_register(&self->z);
	if (ret)
		EXPECT_REFUSED(&self->z, EOPNOTSUPP, "cannot move interrupt");
}

static int set_link(bool up)
{
	struct ifreq ifr = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), ret;

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", target.name);
	ret = ioctl(fd, SIOCGIFFLAGS, &ifr);
	if (up)
		ifr.ifr_flags |= IFF_UP;
	else
		ifr.ifr_flags &= ~IFF_UP;
	ret = ret ?: ioctl(fd, SIOCSIFFLAGS, &ifr);
	close(fd);
	return ret;
}

TEST_F(prepared, interface_down)
{
	struct zc *z = &self->z;
	struct zc_stream s;

	if (!target.disrupt)
		SKIP(return, "ZC_RX_DISRUPT is not 1");
	ASSERT_EQ(0, set_link(false));
	z->reg.flags = IORING_ZC_RX_IFQ_CPU;
	z->reg.cpu = 60000;
	EXPECT_REFUSED(z, EINVAL, "CPU 60000 is not online");
	/* it is bound, and takes effect with the next up */
	zc_close(z);
	EXPECT_EQ(0, zc_open(z, 64, 64)) {
		TH_LOG("%s", z->reason);
	}
	EXPECT_EQ(0, set_link(true));
	ASSERT_EQ(0, zc_connect(&s));
	EXPECT_EQ(1000, zc_send(&s, 1000));
	EXPECT_EQ(0, zc_recv_all(z, &s, 0));
	EXPECT_EQ(NULL, s.wrong);
	zc_disconnect(&s);
}

/* ---- several ------------------------------------------------------------- */

static unsigned int other_queue(void)
{
	return target.queue ? target.queue - 1 : target.queue + 1;
}

/* A second ifq of the ring, on another queue, with a region of its own */
static int bind_two(struct zc *a, struct zc *b)
{
	struct iovec iov[2];
	int ret;

	zc_none(a);
	zc_none(b);
	ret = zc_ring_open(&a->ring, ZC_RING_FLAGS, 256);
	if (!ret)
		ret = zc_region(a, 16 << 20);
	if (!ret)
		ret = zc_region(b, 16 << 20);
	if (ret)
		return ret;
	iov[0] = (struct iovec) { a->region, a->region_size };
	iov[1] = (struct iovec) { b->region, b->region_size };
	ret = zc_buffers(&a->ring, iov, 2);
	zc_defaults(a);
	zc_defaults(b);
	b->reg.if_rxq_id = other_queue();
	b->reg.region_id = 1;
	if (!ret)
		ret = zc_register(a);
	if (ret)
		return ret;
	/* one ring, seen from both */
	b->ring = a->ring;
	ret = zc_register(b);
	return ret ?: zc_map(a) ?: zc_map(b);
}

TEST(two_ifqs_of_a_ring)
{
	struct zc a, b;
	struct zc_stream s;
	int i;

	if (target.queues < 2)
		SKIP(return, "%s has one queue", target.name);
	ASSERT_EQ(0, bind_two(&a, &b)) {
		TH_LOG("%s%s", a.reason, b.reason);
	}
	EXPECT_EQ(0, a.reg.zcrx_ifq_idx);
	EXPECT_EQ(1, b.reg.zcrx_ifq_idx);
	EXPECT_EQ(IORING_OFF_RBUF_RING + (1ull << IORING_OFF_RBUF_SHIFT), b.reg.mmap_off);

	/* who of the two receives is a matter of the request */
	ASSERT_EQ(0, zc_connect(&s));
	for (i = 0; i < 6; i++) {
		struct zc *z = i & 1 ? &b : &a;
		struct io_uring_cqe cqe;

		/* both see the same ring, but each has taken its own completions from it */
		z->ring = a.ring;
		EXPECT_EQ(1000, zc_send(&s, 1000));
		zc_recv(z, s.rx, 1000, 0);
		ASSERT_EQ(0, zc_cqe(&z->ring, &cqe));
		EXPECT_EQ(1000, cqe.res);
		a.ring = z->ring;
		EXPECT_LT(0, zc_take(z, &s, cqe.res, true));
	}
	EXPECT_EQ(NULL, s.wrong);
	EXPECT_EQ(3000, zc_stats(&a)->copy_linear_bytes + zc_stats(&a)->copy_foreign_bytes);
	EXPECT_EQ(3000, zc_stats(&b)->copy_linear_bytes + zc_stats(&b)->copy_foreign_bytes);
	zc_disconnect(&s);
	b.ring = (struct zc_ring) { .fd = -1 };
	zc_close(&a);
	zc_close(&b);
}

TEST(two_rings)
{
	struct zc a, b;

	if (target.queues < 2)
		SKIP(return, "%s has one queue", target.name);
	ASSERT_EQ(0, zc_bind(&a, 64, 64));
	ASSERT_EQ(0, zc_prepare(&b));
	b.reg.if_rxq_id = other_queue();
	EXPECT_EQ(0, zc_register(&b)) {
		TH_LOG("%s", b.reason);
	}
	EXPECT_EQ(0, b.reg.zcrx_ifq_idx);
	zc_close(&a);
	/* the other one goes on being bound */
	ASSERT_EQ(0, zc_prepare(&a));
	a.reg.if_rxq_id = other_queue();
	EXPECT_REFUSED(&a, EEXIST, "queue is bound already");
	zc_close(&a);
	zc_close(&b);
}

int main(int argc, char **argv)
{
	return zc_main(argc, argv, test_harness_run);
}
