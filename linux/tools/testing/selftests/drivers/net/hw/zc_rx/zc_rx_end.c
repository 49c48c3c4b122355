// SPDX-License-Identifier: GPL-2.0
/*
 * How an interface queue ends: in which order ring, buffers, mappings and sockets go, and who else
 * holds some of them. Each time the queue has to be free, and no memory to stay pinned.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kselftest_harness.h>
#include "lib.h"

FIXTURE(end) {
	struct zc z;
	struct zc_stream s;
};

FIXTURE_SETUP(end)
{
	ASSERT_EQ(0, zc_open(&self->z, 64, 1024)) {
		TH_LOG("%s", self->z.reason);
	}
	ASSERT_EQ(0, zc_connect(&self->s));
}

/* The queue can be bound, and receives */
static int works(void)
{
	struct zc_stream s;
	struct zc z;
	int ret = zc_open(&z, 64, 64);

	if (ret) {
		fprintf(stderr, "# the queue is not free: %s, %s\n", strerror(-ret), z.reason);
		zc_close(&z);
		return ret;
	}
	ret = zc_connect(&s);
	if (!ret) {
		zc_send(&s, 5000);
		ret = zc_recv_all(&z, &s, 0);
	}
	zc_disconnect(&s);
	zc_close(&z);
	return ret ?: s.wrong ? -EPROTO : 0;
}

FIXTURE_TEARDOWN(end)
{
	zc_disconnect(&self->s);
	zc_close(&self->z);
	EXPECT_EQ(0, works());
	EXPECT_TRUE(zc_unpinned()) {
		TH_LOG("%ld kB are pinned", zc_pinned());
	}
}

/* Some of the data is announced and not given back, some is in the socket */
static int hold_some(struct zc *z, struct zc_stream *s)
{
	struct io_uring_cqe cqe;
	int ret;

	zc_send(s, 50000);
	zc_recv(z, s->rx, 20000, 0);
	ret = zc_cqe(&z->ring, &cqe);
	return ret ?: cqe.res < 0 ? cqe.res : zc_take(z, s, cqe.res, false);
}

static int arm(struct zc *z, struct zc_stream *s, unsigned int flags)
{
	zc_recv(z, s->rx, 0, IORING_RECV_MULTISHOT)->flags |= flags;
	return zc_submit(&z->ring);
}

/* ---- requests under way -------------------------------------------------- */

TEST_F(end, request_waits)
{
	EXPECT_EQ(1, arm(&self->z, &self->s, 0));
	zc_close(&self->z);
}

TEST_F(end, request_waits_sockets_closed_first)
{
	EXPECT_EQ(1, arm(&self->z, &self->s, 0));
	zc_disconnect(&self->s);
	zc_close(&self->z);
}

FIXTURE(abnormal) {
	struct zc z;
	struct zc_stream s;
};

/**
 * struct - what is under way when the ring goes
 * @flags: of the request
 * @copy: another descriptor of the ring stays open for a moment
 * @late: the sockets are closed so long after the ring, microseconds
 */
FIXTURE_VARIANT(abnormal) {
	unsigned int flags;
	bool copy;
	unsigned int late;
};

FIXTURE_VARIANT_ADD(abnormal, task_work) { .late = 300 };
FIXTURE_VARIANT_ADD(abnormal, task_work_ring_duplicated) { .copy = true, .late = 300 };
FIXTURE_VARIANT_ADD(abnormal, async) { .flags = IOSQE_ASYNC, .late = 300 };
FIXTURE_VARIANT_ADD(abnormal, async_ring_duplicated) {
	.flags = IOSQE_ASYNC, .copy = true, .late = 300
};

FIXTURE_VARIANT_ADD(abnormal, late) { .late = 50000 };

FIXTURE_SETUP(abnormal)
{
	(void)variant;
	ASSERT_EQ(0, zc_open(&self->z, 64, 1024)) {
		TH_LOG("%s", self->z.reason);
	}
	ASSERT_EQ(0, zc_connect(&self->s));
}

FIXTURE_TEARDOWN(abnormal)
{
	zc_disconnect(&self->s);
	zc_close(&self->z);
	EXPECT_EQ(0, works());
	EXPECT_TRUE(zc_unpinned());
}

/* Data has come for a request that nobody has looked at since */
TEST_F(abnormal, exit)
{
	struct zc *z = &self->z;
	int copy = -1;

	if (variant->copy)
		copy = dup(z->ring.fd);
	EXPECT_EQ(1, arm(z, &self->s, variant->flags));
	EXPECT_EQ(30000, zc_send(&self->s, 30000));
	zc_close(z);
	zc_nap(variant->late);
	zc_disconnect(&self->s);
	if (copy >= 0) {
		struct zc second;

		/* as long as there is a descriptor there is a binding */
		ASSERT_EQ(0, zc_prepare(&second));
		EXPECT_EQ(-EEXIST, zc_register(&second));
		zc_close(&second);
		close(copy);
	}
}

/* ---- buffers in somebody's hands ----------------------------------------- */

TEST_F(end, user_holds_pages)
{
	EXPECT_LT(0, hold_some(&self->z, &self->s));
	zc_close(&self->z);
}

TEST_F(end, socket_outlives_the_ring)
{
	char buf[30000];

	EXPECT_LT(0, hold_some(&self->z, &self->s));
	zc_close(&self->z);
	/* what was not received by then is still there */
	EXPECT_EQ(30000, recv(self->s.rx, buf, sizeof(buf), MSG_WAITALL));
}

TEST_F(end, buffers_unregistered)
{
	struct zc *z = &self->z;

	EXPECT_EQ(0, syscall(__NR_io_uring_register, z->ring.fd, IORING_UNREGISTER_BUFFERS,
			     NULL, 0));
	EXPECT_LE((long)(z->region_size >> 10), zc_pinned()) {
		TH_LOG("%ld kB are pinned", zc_pinned());
	}
	zc_send(&self->s, 50000);
	EXPECT_EQ(0, zc_recv_all(z, &self->s, 0));
	EXPECT_EQ(NULL, self->s.wrong);
}

/* The place in the table is taken by another buffer: that one is not the region */
TEST_F(end, buffers_replaced)
{
	struct zc *z = &self->z;
	struct iovec iov = { .iov_len = 1 << 20 };

	iov.iov_base = mmap(NULL, iov.iov_len, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, iov.iov_base);
	EXPECT_EQ(0, syscall(__NR_io_uring_register, z->ring.fd, IORING_UNREGISTER_BUFFERS,
			     NULL, 0));
	EXPECT_EQ(0, zc_buffers(&z->ring, &iov, 1));
	zc_send(&self->s, 50000);
	EXPECT_EQ(0, zc_recv_all(z, &self->s, 0));
	EXPECT_EQ(NULL, self->s.wrong);
	zc_close(z);
	munmap(iov.iov_base, iov.iov_len);
}

TEST_F(end, unmapped_first)
{
	struct zc *z = &self->z;

	EXPECT_EQ(1, arm(z, &self->s, 0));
	EXPECT_EQ(30000, zc_send(&self->s, 30000));
	zc_unmap(z);
	syscall(__NR_io_uring_enter, z->ring.fd, 0, 0, IORING_ENTER_GETEVENTS, NULL, 0);
	zc_close(z);
}

/* Written to after it went: the region is memory like any other */
TEST_F(end, region_used_afterwards)
{
	struct zc *z = &self->z;

	EXPECT_LT(0, hold_some(z, &self->s));
	zc_ring_close(&z->ring);
	memset(z->region, 0x5a, z->region_size);
	EXPECT_EQ(0, madvise(z->region, z->region_size, MADV_DONTNEED));
	EXPECT_EQ(0, z->region[0]);
}

/* ---- processes ----------------------------------------------------------- */

/* Each round restarts a queue or the NIC twice, see many_times */
TEST_F_TIMEOUT(end, killed, 300)
{
	int i, status;

	zc_close(&self->z);
	for (i = 0; i < 5; i++) {
		pid_t pid = fork();

		if (!pid) {
			struct zc z;

			if (zc_open(&z, 64, 64) || zc_connect(&self->s) ||
			    arm(&z, &self->s, 0) != 1)
				_exit(1);
			zc_send(&self->s, 30000);
			kill(getpid(), SIGKILL);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_TRUE(WIFSIGNALED(status)) {
			TH_LOG("round %d: status %#x", i, status);
		}
	}
}

/* A child of fork(2) has the descriptor, and with it the binding */
TEST_F(end, child_holds_the_ring)
{
	struct zc second;
	int p[2], status;
	pid_t pid;

	ASSERT_EQ(0, pipe(p));
	/* only the descriptor is wanted there */
	madvise(self->z.ring.sq_map, self->z.ring.sq_size, MADV_DONTFORK);
	madvise(self->z.ring.sqes, self->z.ring.sqes_size, MADV_DONTFORK);
	madvise(self->z.map, self->z.reg.mmap_sz, MADV_DONTFORK);
	pid = fork();
	if (!pid) {
		char c;

		close(p[1]);
		_exit(read(p[0], &c, 1));
	}
	zc_close(&self->z);
	ASSERT_EQ(0, zc_prepare(&second));
	EXPECT_EQ(-EEXIST, zc_register(&second));
	EXPECT_NE(NULL, strstr(second.reason, "bound already"));
	close(p[0]);
	close(p[1]);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, zc_register(&second));
	zc_close(&second);
}

/* ... and so has whoever it was sent to, even while nobody has received it yet */
TEST_F(end, ring_passed_over_a_socket)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	struct zc second;
	int sv[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &self->z.ring.fd, sizeof(int));
	if (sendmsg(sv[0], &msg, 0) < 0) {
		int err = errno;

		close(sv[0]);
		close(sv[1]);
		/* since Linux 6.7: a ring in a socket could make a circle */
		ASSERT_EQ(EINVAL, err);
		SKIP(return, "this kernel does not pass rings over sockets");
	}
	zc_close(&self->z);
	ASSERT_EQ(0, zc_prepare(&second));
	EXPECT_EQ(-EEXIST, zc_register(&second));
	close(sv[0]);
	close(sv[1]);
	/* sockets that nobody has are looked for by a worker of the kernel */
	for (int i = 0; i < 300 && zc_register(&second) == -EEXIST; i++)
		zc_nap(10000);
	EXPECT_EQ(-EEXIST, zc_register(&second));
	zc_close(&second);
}

/* The ring is closed on exec(2), as io_uring's descriptors are */
TEST_F(end, exec)
{
	int status;
	pid_t pid;

	zc_close(&self->z);
	pid = fork();
	if (!pid) {
		struct zc z;

		if (zc_open(&z, 64, 64) || arm(&z, &self->s, 0) != 1)
			_exit(1);
		execl("/bin/true", "true", NULL);
		_exit(2);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/*
 * Over and over, so that what each leaves behind adds up. Each round restarts a
 * queue or the NIC twice: on an instrumented kernel longer than the usual 30 s.
 */
TEST_F_TIMEOUT(end, many_times, 300)
{
	unsigned int i;

	zc_close(&self->z);
	for (i = 0; i < 30; i++) {
		ASSERT_EQ(0, zc_open(&self->z, 1 << i % 16, 1 << (15 - i % 16))) {
			TH_LOG("round %u: %s", i, self->z.reason);
		}
		EXPECT_EQ(1, arm(&self->z, &self->s, 0));
		zc_close(&self->z);
	}
}

int main(int argc, char **argv)
{
	return zc_main(argc, argv, test_harness_run);
}
