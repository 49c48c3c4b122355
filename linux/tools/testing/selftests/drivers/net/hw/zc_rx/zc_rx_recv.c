// SPDX-License-Identifier: GPL-2.0
/*
 * IORING_OP_RECV_ZC: requests that are wrong, streams, limits, want of entries and of pages,
 * several sockets, and how it ends.
 */
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <kselftest_harness.h>
#include "lib.h"

#define MULTI	IORING_RECV_MULTISHOT

/* The completion that has to come next */
#define ASSERT_CQE(z, cqe) do {					\
	ASSERT_EQ(0, zc_cqe(&(z)->ring, cqe));			\
} while (0)

/* ... and ends its request with a result */
#define EXPECT_END(z, result) do {				\
	struct io_uring_cqe __cqe;				\
								\
	ASSERT_CQE(z, &__cqe);					\
	EXPECT_EQ(result, __cqe.res);				\
	EXPECT_EQ(0, __cqe.flags & IORING_CQE_F_MORE);		\
} while (0)

/* ... and has all the bytes that a single shot is to bring, and its end */
#define EXPECT_SHOT(z, s, len) do {				\
	struct io_uring_cqe __cqe;				\
								\
	ASSERT_CQE(z, &__cqe);					\
	EXPECT_EQ(len, __cqe.res);				\
	EXPECT_EQ(0, __cqe.flags & IORING_CQE_F_MORE);		\
	EXPECT_LT(0, zc_take(z, s, __cqe.res, true));		\
} while (0)

#define EXPECT_SAME(s) do {					\
	EXPECT_EQ((s)->sent, (s)->seen);			\
	EXPECT_EQ(NULL, (s)->wrong) {				\
		TH_LOG("%s", (s)->wrong);			\
	}							\
} while (0)

FIXTURE(recv) {
	struct zc z;
	struct zc_stream s;
};

FIXTURE_SETUP(recv)
{
	ASSERT_EQ(0, zc_open(&self->z, 1024, 1024)) {
		TH_LOG("%s", self->z.reason);
	}
	ASSERT_EQ(0, zc_connect(&self->s));
}

FIXTURE_TEARDOWN(recv)
{
	zc_disconnect(&self->s);
	zc_close(&self->z);
}

/* ---- requests that are wrong --------------------------------------------- */

/* Each field of the entry that has no meaning has to be 0 */
TEST_F(recv, unused_fields)
{
	static const struct {
		const char *name;
		size_t off, size;
	} fields[] = {
#define SQE_FIELD(f)	{ #f, offsetof(struct io_uring_sqe, f),		\
			  sizeof(((struct io_uring_sqe *)0)->f) }
		SQE_FIELD(addr), SQE_FIELD(addr2), SQE_FIELD(addr3), SQE_FIELD(__pad2[0]),
		SQE_FIELD(msg_flags), SQE_FIELD(buf_index),
	};
	struct zc *z = &self->z;
	size_t i, bit;

	for (i = 0; i < ARRAY_LEN(fields); i++) {
		for (bit = 0; bit < 8 * fields[i].size; bit += 8 * fields[i].size - 1) {
			struct io_uring_sqe *sqe = zc_recv(z, self->s.rx, 0, MULTI);
			struct io_uring_cqe cqe;

			((char *)sqe)[fields[i].off + bit / 8] = 1 << bit % 8;
			ASSERT_CQE(z, &cqe);
			EXPECT_EQ(-EINVAL, cqe.res) {
				TH_LOG("%s, bit %zu", fields[i].name, bit);
			}
			EXPECT_EQ(0, cqe.flags & IORING_CQE_F_MORE);
		}
	}
	EXPECT_EQ(0, zc_stats(z)->cq_full + zc_stats(z)->bad_rqes);
}

TEST_F(recv, unknown_flags)
{
	const unsigned int known = IORING_RECV_MULTISHOT | IORING_RECVSEND_POLL_FIRST;
	unsigned int bit;

	for (bit = 0; bit < 16; bit++) {
		if (known & 1u << bit)
			continue;
		zc_recv(&self->z, self->s.rx, 0, 1u << bit);
		EXPECT_END(&self->z, -EINVAL);
	}
}

TEST_F(recv, unknown_ifq)
{
	static const uint32_t ids[] = { 1, 99, 2047, 2048, 1 << 16, 1u << 31, ~0u };
	size_t i;

	for (i = 0; i < ARRAY_LEN(ids); i++) {
		zc_recv(&self->z, self->s.rx, 0, MULTI)->zcrx_ifq_idx = ids[i];
		EXPECT_END(&self->z, -EINVAL);
	}
}

TEST(ring_without_ifq)
{
	struct zc_stream s;
	struct zc z;

	ASSERT_EQ(0, zc_prepare(&z));
	ASSERT_EQ(0, zc_connect(&s));
	zc_recv(&z, s.rx, 0, MULTI);
	EXPECT_END(&z, -EINVAL);
	zc_disconnect(&s);
	zc_close(&z);
}

TEST_F(recv, buffer_select)
{
	zc_recv(&self->z, self->s.rx, 0, MULTI)->flags |= IOSQE_BUFFER_SELECT;
	EXPECT_END(&self->z, -EOPNOTSUPP);
}

TEST_F(recv, no_file)
{
	zc_recv(&self->z, -1, 0, MULTI);
	EXPECT_END(&self->z, -EBADF);
	zc_recv(&self->z, 0, 0, MULTI)->flags |= IOSQE_FIXED_FILE;
	EXPECT_END(&self->z, -EBADF);
}

/* Also when it is to be polled first, which not each kind of file can be */
TEST_F(recv, no_socket)
{
	static const unsigned int flags[] = {
		0, MULTI, IORING_RECVSEND_POLL_FIRST, MULTI | IORING_RECVSEND_POLL_FIRST,
	};
	int fds[4] = { self->z.ring.fd };
	size_t i, j;

	ASSERT_EQ(0, pipe(&fds[1]));
	fds[3] = memfd_create("zc_rx", 0);
	ASSERT_LE(0, fds[3]);
	for (i = 0; i < ARRAY_LEN(fds); i++) {
		for (j = 0; j < 2 * ARRAY_LEN(flags); j++) {
			zc_recv(&self->z, fds[i], 0, flags[j / 2])->flags |=
				j & 1 ? IOSQE_ASYNC : 0;
			EXPECT_END(&self->z, -ENOTSOCK);
		}
		if (i)
			close(fds[i]);
	}
}

/*
 * Ready by poll(2), and nothing to be received: an error queue that nobody reads. A request may
 * wait or end with EAGAIN, but must not go round in circles.
 */
TEST_F(recv, ready_without_data)
{
	const int on = 1, stamps = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
	struct zc *z = &self->z;
	struct io_uring_cqe cqe;
	unsigned int i;
	int ret;

	ASSERT_EQ(0, setsockopt(self->s.rx, SOL_SOCKET, SO_TIMESTAMPING, &stamps, sizeof(stamps)));
	setsockopt(self->s.rx, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	for (i = 0; i < 10; i++)
		ASSERT_EQ(1, send(self->s.rx, "x", 1, 0));
	zc_recv(z, self->s.rx, 0, 0);
	ret = zc_cqe_within(&z->ring, &cqe, 200);
	EXPECT_TRUE(ret == -ETIME || (!ret && cqe.res == -EAGAIN)) {
		TH_LOG("returned %d, result %d", ret, cqe.res);
	}
}

TEST_F(recv, no_tcp)
{
	static const struct { int family, type; } kinds[] = {
		{ AF_UNIX, SOCK_STREAM }, { AF_UNIX, SOCK_DGRAM }, { AF_INET, SOCK_DGRAM },
		{ AF_INET6, SOCK_DGRAM }, { AF_NETLINK, SOCK_RAW }, { AF_PACKET, SOCK_RAW },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(kinds); i++) {
		int fd = socket(kinds[i].family, kinds[i].type, 0);

		if (fd < 0)
			continue;
		zc_recv(&self->z, fd, 0, MULTI);
		EXPECT_END(&self->z, -EPROTONOSUPPORT);
		close(fd);
	}
}

TEST_F(recv, not_connected)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	zc_recv(&self->z, fd, 0, MULTI);
	EXPECT_END(&self->z, -ENOTCONN);
	ASSERT_EQ(0, listen(fd, 1));
	zc_recv(&self->z, fd, 0, MULTI);
	EXPECT_END(&self->z, -ENOTCONN);
	close(fd);
}

TEST_F(recv, kernel_tls)
{
	if (setsockopt(self->s.rx, IPPROTO_TCP, TCP_ULP, "tls", 4))
		SKIP(return, "no kernel TLS: %s", strerror(errno));
	/* without keys it is a TCP socket like any other; with them it is not */
	struct {
		uint16_t version, cipher;
		uint8_t iv[8], key[16], salt[4], seq[8];
	} info = { 0x0303, 51, { 0 }, { 0 }, { 0 }, { 0 } };

	if (setsockopt(self->s.rx, 282 /* SOL_TLS */, 2 /* TLS_RX */, &info, sizeof(info)))
		SKIP(return, "no kernel TLS: %s", strerror(errno));
	zc_recv(&self->z, self->s.rx, 0, MULTI);
	EXPECT_END(&self->z, -EPROTONOSUPPORT);
}

/* ---- streams ------------------------------------------------------------- */

/* Odd pieces, more of them than the region has room for */
TEST_F(recv, stream)
{
	struct zc *z = &self->z;
	struct zc_stream *s = &self->s;
	const uint64_t total = 2 * z->region_size;
	struct io_uring_cqe cqe = { .flags = 0 };

	zc_recv(z, s->rx, 0, MULTI);
	while (s->sent < total || s->seen < s->sent) {
		if (s->sent < total)
			zc_send(s, 1 + (s->sent * 7 + 3) % 60000);
		ASSERT_CQE(z, &cqe);
		ASSERT_LT(0, cqe.res);
		ASSERT_LT(0, zc_take(z, s, cqe.res, true));
		if (!(cqe.flags & IORING_CQE_F_MORE))
			zc_recv(z, s->rx, 0, MULTI);
	}
	EXPECT_SAME(s);
	close(s->tx);
	s->tx = -1;
	EXPECT_END(z, 0);
	EXPECT_EQ(s->seen, zc_stats(z)->copy_linear_bytes + zc_stats(z)->copy_foreign_bytes);
	EXPECT_EQ(0, zc_stats(z)->zc_bytes);
	EXPECT_EQ(0, zc_stats(z)->bad_rqes);
}

/* A request without the flag ends with its first completion */
TEST_F(recv, single_shot)
{
	struct zc *z = &self->z;
	struct zc_stream *s = &self->s;
	unsigned int i;

	for (i = 0; i < 20; i++) {
		/* before the data, and after it */
		if (i & 1) {
			EXPECT_EQ(1000, zc_send(s, 1000));
		}
		zc_recv(z, s->rx, 0, i & 2 ? IORING_RECVSEND_POLL_FIRST : 0);
		ASSERT_EQ(1, zc_submit(&z->ring));
		if (!(i & 1)) {
			EXPECT_EQ(1000, zc_send(s, 1000));
		}
		EXPECT_SHOT(z, s, 1000);
	}
	EXPECT_SAME(s);
	/* nothing is left of them that would receive */
	EXPECT_EQ(10, zc_send(s, 10));
	struct io_uring_cqe cqe;

	EXPECT_EQ(-ETIME, zc_cqe_within(&z->ring, &cqe, 50));
}

/* What makes the socket ready again and again, and is nothing to receive */
TEST_F(recv, single_shot_beside_a_notification)
{
	struct zc *z = &self->z;
	struct zc_stream *s = &self->s;
	struct pollfd p = { .fd = s->rx };
	struct io_uring_cqe cqe;
	int one = 1;
	char c = 0;

	ASSERT_EQ(0, setsockopt(s->rx, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)));
	ASSERT_EQ(1, send(s->rx, &c, 1, MSG_ZEROCOPY));
	ASSERT_EQ(1, recv(s->tx, &c, 1, 0));
	ASSERT_EQ(1, poll(&p, 1, 1000));
	EXPECT_NE(0, p.revents & POLLERR);
	zc_recv(z, s->rx, 0, 0);
	ASSERT_EQ(1, zc_submit(&z->ring));
	EXPECT_EQ(-ETIME, zc_cqe_within(&z->ring, &cqe, 50));
	EXPECT_EQ(1000, zc_send(s, 1000));
	EXPECT_SHOT(z, s, 1000);
	EXPECT_SAME(s);
}

TEST_F(recv, one_page_as_a_multishot_begins)
{
	struct zc *z = &self->z;
	struct io_uring_cqe cqe;

	EXPECT_EQ(target.page, zc_send(&self->s, target.page));
	zc_recv(z, self->s.rx, 0, MULTI);
	ASSERT_CQE(z, &cqe);
	EXPECT_EQ((int)target.page, cqe.res);
	EXPECT_NE(0, cqe.flags & IORING_CQE_F_MORE);
	EXPECT_LE(1, zc_take(z, &self->s, cqe.res, true));
	EXPECT_SAME(&self->s);
}

FIXTURE(limit) {
	struct zc z;
	struct zc_stream s;
};

FIXTURE_VARIANT(limit) {
	uint32_t limit;
	unsigned int flags;
};

FIXTURE_VARIANT_ADD(limit, byte) { .limit = 1 };
FIXTURE_VARIANT_ADD(limit, byte_multishot) { .limit = 1, .flags = MULTI };
FIXTURE_VARIANT_ADD(limit, page) { .limit = 4096 };
FIXTURE_VARIANT_ADD(limit, page_and_1) { .limit = 4097 };
FIXTURE_VARIANT_ADD(limit, multishot) { .limit = 9999, .flags = MULTI };
FIXTURE_VARIANT_ADD(limit, of_many_packets) { .limit = 777777, .flags = MULTI };
FIXTURE_VARIANT_ADD(limit, poll_first) { .limit = 5001, .flags = IORING_RECVSEND_POLL_FIRST };

FIXTURE_SETUP(limit)
{
	(void)variant;
	ASSERT_EQ(0, zc_open(&self->z, 1024, 1024)) {
		TH_LOG("%s", self->z.reason);
	}
	ASSERT_EQ(0, zc_connect(&self->s));
}

FIXTURE_TEARDOWN(limit)
{
	zc_disconnect(&self->s);
	zc_close(&self->z);
}

/* So many bytes and not one more, whatever there is */
TEST_F(limit, to_the_byte)
{
	struct zc *z = &self->z;
	struct zc_stream *s = &self->s;
	const uint32_t limit = variant->limit;
	unsigned int round;

	for (round = 0; round < 3; round++) {
		struct io_uring_cqe cqe = { .flags = IORING_CQE_F_MORE };
		uint32_t got = 0;

		zc_recv(z, s->rx, limit, variant->flags);
		while (cqe.flags & IORING_CQE_F_MORE) {
			/* more than is asked for; not all of it fits into the socket at once */
			while (s->sent < (round + 1) * (uint64_t)limit + 1000 && zc_send(s, 3001))
				;
			ASSERT_CQE(z, &cqe);
			ASSERT_LT(0, cqe.res);
			got += cqe.res;
			ASSERT_LE(got, limit);
			ASSERT_LT(0, zc_take(z, s, cqe.res, true));
		}
		if (variant->flags & MULTI || limit < 3001) {
			EXPECT_EQ(limit, got);
		}
		EXPECT_EQ(0, cqe.flags & IORING_CQE_F_MORE);
		/* single requests take what is there: the next begins where this ended */
		while (!(variant->flags & MULTI) && got < limit) {
			zc_recv(z, s->rx, limit - got, 0);
			ASSERT_CQE(z, &cqe);
			ASSERT_LT(0, cqe.res);
			got += cqe.res;
			ASSERT_LT(0, zc_take(z, s, cqe.res, true));
		}
	}
	EXPECT_EQ(3 * (uint64_t)limit, s->seen);
	EXPECT_EQ(NULL, s->wrong);
}

/* The largest limit is none */
TEST_F(recv, limit_of_4_gib)
{
	EXPECT_EQ(5000, zc_send(&self->s, 5000));
	EXPECT_EQ(0, zc_recv_all(&self->z, &self->s, ~0u));
	EXPECT_SAME(&self->s);
}

/* recv(2) and requests take turns on one socket */
TEST_F(recv, recv_in_between)
{
	struct zc *z = &self->z;
	struct zc_stream *s = &self->s;
	struct io_uring_cqe cqe;
	char buf[777];
	unsigned int i;

	EXPECT_EQ(20000, zc_send(s, 20000));
	for (i = 0; i < 8; i++) {
		if (i & 1) {
			/* what is skipped so is not compared */
			EXPECT_EQ(777, recv(s->rx, buf, sizeof(buf), MSG_WAITALL));
			s->seen += 777;
			continue;
		}
		zc_recv(z, s->rx, 1501, 0);
		ASSERT_CQE(z, &cqe);
		EXPECT_EQ(1501, cqe.res);
		EXPECT_LT(0, zc_take(z, s, cqe.res, true));
	}
	EXPECT_EQ(NULL, s->wrong);
}

TEST_F(recv, urgent_byte_is_part_of_the_stream)
{
	struct zc *z = &self->z;
	struct zc_stream *s = &self->s;
	unsigned int seen = 0;

	ASSERT_EQ(5, send(s->tx, "ahead", 5, 0));
	ASSERT_EQ(1, send(s->tx, "U", 1, MSG_OOB));
	ASSERT_EQ(5, send(s->tx, "after", 5, 0));
	zc_recv(z, s->rx, 0, MULTI);
	while (seen < 11) {
		struct io_uring_cqe cqe;

		ASSERT_CQE(z, &cqe);
		ASSERT_LT(0, cqe.res);
		while (cqe.res > 0) {
			const struct io_uring_rbuf_cqe *c = zc_peek(z, 0);

			ASSERT_EQ(0, memcmp(z->region + c->off, &"aheadUafter"[seen], c->len));
			seen += c->len;
			cqe.res -= c->len;
			++*zc_at(z, z->reg.cq_off.head);
		}
	}
	EXPECT_EQ(11, seen);
}

/* ---- want ---------------------------------------------------------------- */

/* Four entries are full at once. No byte may be lost by that, and each has its completion. */
TEST(completion_ring_full)
{
	struct io_uring_cqe cqe;
	unsigned int full = 0;
	struct zc_stream s;
	struct zc z;

	ASSERT_EQ(0, zc_open(&z, 64, 4));
	ASSERT_EQ(0, zc_connect(&s));
	EXPECT_EQ(100000, zc_send(&s, 100000));
	while (s.seen < s.sent) {
		int bytes = 0;

		zc_recv(&z, s.rx, 0, MULTI);
		/* leave the entries where they are until the request ends by that */
		do {
			ASSERT_CQE(&z, &cqe);
			if (cqe.res > 0)
				bytes += cqe.res;
		} while (cqe.flags & IORING_CQE_F_MORE);
		EXPECT_EQ(-ENOBUFS, cqe.res);
		full++;
		ASSERT_LT(0, zc_take(&z, &s, bytes, true));
		if (s.sent - s.seen < 4 * 4096)
			break;
	}
	EXPECT_LT(4, full);
	EXPECT_LE(full, zc_stats(&z)->cq_full);
	EXPECT_EQ(0, zc_recv_all(&z, &s, 0));
	EXPECT_SAME(&s);
	zc_disconnect(&s);
	zc_close(&z);
}

/* Give nothing back until nothing is left, then all of it, twice */
TEST(region_used_up)
{
	uint32_t *owed, n;
	struct zc_stream s;
	struct zc z;
	int round;

	ASSERT_EQ(0, zc_open(&z, 32768, 65536));
	ASSERT_EQ(0, zc_connect(&s));
	owed = calloc(65536, sizeof(*owed));
	ASSERT_NE(NULL, owed);
	for (round = 0; round < 2; round++) {
		struct io_uring_cqe cqe = { .res = 1 };
		uint64_t before = s.seen;

		n = 0;
		for (;;) {
			zc_send(&s, 64000);
			zc_recv(&z, s.rx, 0, 0);
			ASSERT_CQE(&z, &cqe);
			if (cqe.res <= 0)
				break;
			while (cqe.res > 0) {
				int len = zc_peek(&z, 0)->len;

				ASSERT_GT(32768, n);
				owed[n++] = zc_peek(&z, 0)->off;
				ASSERT_EQ(1, zc_take(&z, &s, len, false));
				cqe.res -= len;
			}
		}
		EXPECT_EQ(-ENOMEM, cqe.res);
		EXPECT_LE(1, zc_stats(&z)->copy_no_buffer);
		EXPECT_LT(z.region_size / 4, s.seen - before);
		while (n)
			zc_give(&z, owed[--n]);
	}
	EXPECT_EQ(0, zc_recv_all(&z, &s, 0));
	EXPECT_SAME(&s);
	EXPECT_EQ(0, zc_stats(&z)->bad_rqes);
	free(owed);
	zc_disconnect(&s);
	zc_close(&z);
}

/* The ring's own completions run over; what they would have told comes later */
TEST(io_uring_completions_overflow)
{
	struct zc_stream s;
	struct zc z;
	unsigned int i;

	ASSERT_EQ(0, zc_open(&z, 1024, 1024));
	zc_close(&z);
	/* the same with room for two completions */
	zc_none(&z);
	ASSERT_EQ(0, zc_ring_open(&z.ring, ZC_RING_FLAGS, 2));
	ASSERT_EQ(0, zc_region(&z, 16 << 20));
	ASSERT_EQ(0, zc_buffers(&z.ring, &(struct iovec) { z.region, z.region_size }, 1));
	zc_defaults(&z);
	ASSERT_EQ(0, zc_register(&z));
	ASSERT_EQ(0, zc_map(&z));
	ASSERT_EQ(0, zc_connect(&s));

	zc_recv(&z, s.rx, 0, MULTI);
	ASSERT_EQ(1, zc_submit(&z.ring));
	for (i = 0; i < 6; i++) {
		EXPECT_EQ(1000, zc_send(&s, 1000));
		/* let it be received without looking at completions */
		syscall(__NR_io_uring_enter, z.ring.fd, 0, 0, IORING_ENTER_GETEVENTS, NULL, 0);
	}
	while (s.seen < s.sent) {
		struct io_uring_cqe cqe;

		ASSERT_CQE(&z, &cqe);
		ASSERT_LT(0, cqe.res);
		ASSERT_LT(0, zc_take(&z, &s, cqe.res, true));
		if (!(cqe.flags & IORING_CQE_F_MORE))
			zc_recv(&z, s.rx, 0, MULTI);
	}
	EXPECT_SAME(&s);
	zc_disconnect(&s);
	zc_close(&z);
}

/* ---- several sockets ----------------------------------------------------- */

#define SOCKETS	16

/* Completions and groups of entries have one order, whatever socket they are of */
TEST_F(recv, many_sockets)
{
	struct zc *z = &self->z;
	struct zc_stream s[SOCKETS];
	unsigned int i, round;

	for (i = 0; i < SOCKETS; i++) {
		ASSERT_EQ(0, zc_connect(&s[i]));
		zc_recv(z, s[i].rx, 0, MULTI)->user_data = i;
	}
	ASSERT_EQ(SOCKETS, zc_submit(&z->ring));
	for (round = 0; round < 60; round++) {
		uint64_t left = 0;

		for (i = 0; i < SOCKETS; i++)
			left += zc_send(&s[i], 1 + (round * 37 + i * 501) % 9000);
		while (left) {
			struct io_uring_cqe cqe;

			ASSERT_CQE(z, &cqe);
			ASSERT_LT(0, cqe.res);
			ASSERT_GT(SOCKETS, cqe.user_data);
			if (!(cqe.flags & IORING_CQE_F_MORE))
				zc_recv(z, s[cqe.user_data].rx, 0, MULTI)->user_data =
					cqe.user_data;
			ASSERT_LT(0, zc_take(z, &s[cqe.user_data], cqe.res, true));
			left -= cqe.res;
		}
	}
	for (i = 0; i < SOCKETS; i++) {
		EXPECT_SAME(&s[i]);
		zc_disconnect(&s[i]);
	}
}

/* Wait until all that was sent is on its way: packets that wait for it are merged */
static void sent(const struct zc_stream *s)
{
	unsigned int i;
	int unsent = 1;

	for (i = 0; i < 200 && !ioctl(s->tx, SIOCOUTQNSD, &unsent) && unsent; i++)
		zc_nap(100);
}

/* Fill the receive queue of a socket with many packets; how many bytes these are */
static uint64_t fill(struct zc_stream *s)
{
	const int size = 6 << 20, one = 1;
	unsigned int idle = 0;

	/* packets are merged by their number of pieces: small ones give many of them */
	setsockopt(s->tx, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(s->rx, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(s->tx, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	while (s->sent < 3u << 20 && idle < 200) {
		if (zc_send(s, 1000)) {
			idle = 0;
			sent(s);
			continue;
		}
		idle++;
		zc_nap(1000);
	}
	return s->sent;
}

/*
 * Two sockets that are full. Each has a turn of some packets, so that completions of the two take
 * turns as long as both have data: neither has to wait for more than two of the other's.
 */
TEST(throttling)
{
	unsigned int run = 0, longest = 0, turns[2] = { 0 }, last = 2;
	struct zc_stream s[2];
	struct zc z;
	int i;

	ASSERT_EQ(0, zc_open(&z, 4096, 4096)) {
		TH_LOG("%s", z.reason);
	}
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, zc_connect(&s[i]));
		if (fill(&s[i]) < 2u << 20)
			SKIP(return, "a socket takes no more than %llu bytes",
			     (unsigned long long)s[i].sent);
	}
	for (i = 0; i < 2; i++)
		zc_recv(&z, s[i].rx, 0, MULTI)->user_data = i;
	while (s[0].seen < s[0].sent || s[1].seen < s[1].sent) {
		struct io_uring_cqe cqe;
		unsigned int who;

		ASSERT_CQE(&z, &cqe);
		ASSERT_LT(0, cqe.res);
		who = cqe.user_data;
		ASSERT_GT(2, who);
		turns[who]++;
		run = who == last ? run + 1 : 1;
		last = who;
		if (s[!who].seen < s[!who].sent && run > longest)
			longest = run;
		ASSERT_LT(0, zc_take(&z, &s[who], cqe.res, true));
		if (!(cqe.flags & IORING_CQE_F_MORE))
			zc_recv(&z, s[who].rx, 0, MULTI)->user_data = who;
	}
	TH_LOG("%u and %u turns, at most %u in a row", turns[0], turns[1], longest);
	/* if all came in one turn this shows nothing */
	EXPECT_LE(3, turns[0]);
	EXPECT_LE(3, turns[1]);
	EXPECT_GE(2, longest);
	for (i = 0; i < 2; i++) {
		EXPECT_SAME(&s[i]);
		zc_disconnect(&s[i]);
	}
	zc_close(&z);
}

/* ---- how it ends --------------------------------------------------------- */

TEST_F(recv, end_of_the_stream_behind_data)
{
	struct zc *z = &self->z;
	struct zc_stream *s = &self->s;

	EXPECT_EQ(50000, zc_send(s, 50000));
	shutdown(s->tx, SHUT_WR);
	EXPECT_EQ(0, zc_recv_all(z, s, 0));
	EXPECT_SAME(s);
	EXPECT_END(z, 0);
	/* and again, as recv(2) would say it */
	zc_recv(z, s->rx, 0, 0);
	EXPECT_END(z, 0);
	zc_recv(z, s->rx, 100, MULTI);
	EXPECT_END(z, 0);
}

TEST_F(recv, reset)
{
	struct linger now = { .l_onoff = 1 };
	struct zc *z = &self->z;

	zc_recv(z, self->s.rx, 0, MULTI);
	ASSERT_EQ(1, zc_submit(&z->ring));
	setsockopt(self->s.tx, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(self->s.tx);
	self->s.tx = -1;
	EXPECT_END(z, -ECONNRESET);
	/* the error has been told: what is left is a socket that ended */
	zc_recv(z, self->s.rx, 0, MULTI);
	EXPECT_END(z, 0);
}

TEST_F(recv, own_shutdown)
{
	struct zc *z = &self->z;

	zc_recv(z, self->s.rx, 0, MULTI);
	ASSERT_EQ(1, zc_submit(&z->ring));
	shutdown(self->s.rx, SHUT_RD);
	EXPECT_END(z, 0);
}

/* The descriptor is closed under the request, which keeps the socket */
TEST_F(recv, descriptor_closed)
{
	struct zc *z = &self->z;
	struct zc_stream *s = &self->s;
	struct io_uring_cqe cqe;

	zc_recv(z, s->rx, 0, MULTI);
	ASSERT_EQ(1, zc_submit(&z->ring));
	close(s->rx);
	s->rx = -1;
	EXPECT_EQ(1000, zc_send(s, 1000));
	ASSERT_CQE(z, &cqe);
	EXPECT_EQ(1000, cqe.res);
	EXPECT_LT(0, zc_take(z, s, cqe.res, true));
	EXPECT_SAME(s);
}

static void cancel(struct zc *z, uint64_t user_data, int fd, unsigned int flags)
{
	struct io_uring_sqe *sqe = zc_sqe(&z->ring);

	sqe->opcode = IORING_OP_ASYNC_CANCEL;
	sqe->fd = fd;
	sqe->addr = user_data;
	sqe->cancel_flags = flags;
	sqe->user_data = 100;
}

/* By user data, by descriptor, and all; the socket can be received from afterwards */
TEST_F(recv, cancelled)
{
	struct zc *z = &self->z;
	struct zc_stream *s = &self->s;
	int how, i;

	for (how = 0; how < 3; how++) {
		zc_recv(z, s->rx, 0, MULTI)->user_data = 7;
		ASSERT_EQ(1, zc_submit(&z->ring));
		switch (how) {
		case 0:
			cancel(z, 7, -1, 0);
			break;
		case 1:
			cancel(z, 0, s->rx, IORING_ASYNC_CANCEL_FD);
			break;
		case 2:
			cancel(z, 0, -1, IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL);
			break;
		}
		for (i = 0; i < 2; i++) {
			struct io_uring_cqe cqe;

			ASSERT_CQE(z, &cqe);
			if (cqe.user_data == 100) {
				EXPECT_EQ(how == 2, cqe.res);
			} else {
				EXPECT_EQ(-ECANCELED, cqe.res);
			}
			EXPECT_EQ(0, cqe.flags & IORING_CQE_F_MORE);
		}
	}
	EXPECT_EQ(1000, zc_send(s, 1000));
	EXPECT_EQ(0, zc_recv_all(z, s, 0));
	EXPECT_SAME(s);
}

TEST_F(recv, link_timeout)
{
	struct __kernel_timespec ts = { .tv_nsec = 20000000 };
	struct zc *z = &self->z;
	struct io_uring_sqe *sqe;
	int i;

	zc_recv(z, self->s.rx, 0, 0)->flags |= IOSQE_IO_LINK;
	sqe = zc_sqe(&z->ring);
	sqe->opcode = IORING_OP_LINK_TIMEOUT;
	sqe->fd = -1;
	sqe->addr = (uintptr_t)&ts;
	sqe->len = 1;
	sqe->user_data = 100;
	for (i = 0; i < 2; i++) {
		struct io_uring_cqe cqe;

		ASSERT_CQE(z, &cqe);
		if (cqe.user_data == 100) {
			EXPECT_EQ(-ETIME, cqe.res);
		} else {
			EXPECT_EQ(-ECANCELED, cqe.res);
		}
	}
}

/* A chain goes on behind a receive that was good, and ends behind one that was not */
TEST_F(recv, links)
{
	struct zc *z = &self->z;
	struct io_uring_cqe cqe;
	int good;

	for (good = 0; good < 2; good++) {
		EXPECT_EQ(100, zc_send(&self->s, 100));
		zc_recv(z, good ? self->s.rx : -1, 100, 0)->flags |= IOSQE_IO_LINK;
		zc_sqe(&z->ring)->opcode = IORING_OP_NOP;
		ASSERT_CQE(z, &cqe);
		EXPECT_EQ(good ? 100 : -EBADF, cqe.res);
		ASSERT_CQE(z, &cqe);
		EXPECT_EQ(good ? 0 : -ECANCELED, cqe.res);
	}
}

TEST_F(recv, drain)
{
	struct zc *z = &self->z;
	struct zc_stream *s = &self->s;
	struct io_uring_cqe cqe;

	zc_recv(z, s->rx, 300, 0)->user_data = 1;
	zc_recv(z, s->rx, 700, 0)->user_data = 2;
	z->ring.sqes[(*z->ring.sq_tail + 1) & z->ring.sq_mask].flags |= IOSQE_IO_DRAIN;
	ASSERT_EQ(2, zc_submit(&z->ring));
	EXPECT_EQ(1000, zc_send(s, 1000));
	ASSERT_CQE(z, &cqe);
	EXPECT_EQ(1, cqe.user_data);
	EXPECT_EQ(300, cqe.res);
	EXPECT_LT(0, zc_take(z, s, cqe.res, true));
	ASSERT_CQE(z, &cqe);
	EXPECT_EQ(2, cqe.user_data);
	EXPECT_EQ(700, cqe.res);
	EXPECT_LT(0, zc_take(z, s, cqe.res, true));
	EXPECT_SAME(s);
}

/* IOSQE_ASYNC changes nothing: completions keep the order of the entries */
TEST_F(recv, async)
{
	struct zc *z = &self->z;
	struct zc_stream *s = &self->s;
	unsigned int i;

	for (i = 0; i < 10; i++) {
		struct io_uring_cqe cqe;

		zc_recv(z, s->rx, 1000, i & 1 ? MULTI : 0)->flags |= IOSQE_ASYNC;
		EXPECT_EQ(1000, zc_send(s, 1000));
		ASSERT_CQE(z, &cqe);
		EXPECT_EQ(1000, cqe.res);
		EXPECT_LT(0, zc_take(z, s, cqe.res, true));
	}
	EXPECT_SAME(s);
}

TEST_F(recv, fixed_file)
{
	struct zc *z = &self->z;
	struct zc_stream *s = &self->s;
	struct io_uring_cqe cqe;
	int none = -1;
	struct io_uring_files_update update = { .fds = (uintptr_t)&none };

	ASSERT_EQ(0, syscall(__NR_io_uring_register, z->ring.fd, IORING_REGISTER_FILES, &s->rx, 1));
	zc_recv(z, 0, 0, MULTI)->flags |= IOSQE_FIXED_FILE;
	EXPECT_EQ(1000, zc_send(s, 1000));
	ASSERT_CQE(z, &cqe);
	EXPECT_EQ(1000, cqe.res);
	EXPECT_LT(0, zc_take(z, s, cqe.res, true));
	EXPECT_SAME(s);
	/* taken out of the table the request keeps its socket */
	ASSERT_EQ(1, syscall(__NR_io_uring_register, z->ring.fd, IORING_REGISTER_FILES_UPDATE,
			     &update, 1));
	EXPECT_EQ(500, zc_send(s, 500));
	ASSERT_CQE(z, &cqe);
	EXPECT_EQ(500, cqe.res);
	EXPECT_LT(0, zc_take(z, s, cqe.res, true));
	EXPECT_SAME(s);
}

int main(int argc, char **argv)
{
	return zc_main(argc, argv, test_harness_run);
}
