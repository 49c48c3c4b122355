// SPDX-License-Identifier: GPL-2.0
/*
 * The rings of an interface queue: mapping them, and what a user can write into them.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <kselftest_harness.h>
#include "lib.h"

FIXTURE(rings) {
	struct zc z;
	struct zc_stream s;
};

FIXTURE_SETUP(rings)
{
	ASSERT_EQ(0, zc_open(&self->z, 64, 64)) {
		TH_LOG("%s", self->z.reason);
	}
	ASSERT_EQ(0, zc_connect(&self->s));
}

FIXTURE_TEARDOWN(rings)
{
	zc_disconnect(&self->s);
	zc_close(&self->z);
}

/* ---- mmap(2) ------------------------------------------------------------- */

static bool can_map(const struct zc *z, size_t len, uint64_t off, int prot)
{
	void *p = mmap(NULL, len, prot, MAP_SHARED, z->ring.fd, off);

	if (p == MAP_FAILED)
		return false;
	munmap(p, len);
	return true;
}

TEST(map_before_registration)
{
	const int rw = PROT_READ | PROT_WRITE;
	struct zc z;

	ASSERT_EQ(0, zc_prepare(&z));
	EXPECT_FALSE(can_map(&z, target.page, IORING_OFF_RBUF_RING, rw));
	EXPECT_FALSE(can_map(&z, target.page, IORING_OFF_RBUF_RING + (1 << IORING_OFF_RBUF_SHIFT),
			     rw));
	zc_close(&z);
}

TEST_F(rings, map)
{
	const int rw = PROT_READ | PROT_WRITE;
	const uint64_t off = self->z.reg.mmap_off, id = 1ull << IORING_OFF_RBUF_SHIFT;
	const size_t size = self->z.reg.mmap_sz, page = target.page;
	struct zc *z = &self->z;
	unsigned int i;

	for (i = 0; i < 3; i++)
		EXPECT_TRUE(can_map(z, size, off, rw));
	EXPECT_TRUE(can_map(z, page, off, rw));
	EXPECT_TRUE(can_map(z, page, off, PROT_READ));
	EXPECT_TRUE(can_map(z, 1, off, rw));
	/* beyond the end, from inside, of one that is not there, of none */
	EXPECT_FALSE(can_map(z, size + page, off, rw));
	EXPECT_FALSE(can_map(z, 1ull << 40, off, rw));
	for (i = 1; i < id / page; i++)
		EXPECT_FALSE(can_map(z, page, off + i * page, rw));
	EXPECT_FALSE(can_map(z, page, off + id, rw));
	EXPECT_FALSE(can_map(z, page, off + 2047 * id, rw));
	EXPECT_FALSE(can_map(z, page, off + (1ull << 32), rw));
}

/* The kernel writes to what one mapping shows, and to what another does */
TEST_F(rings, two_mappings_show_the_same)
{
	struct zc *z = &self->z;
	uint32_t *other;

	other = mmap(NULL, target.page, PROT_READ, MAP_SHARED, z->ring.fd, z->reg.mmap_off);
	ASSERT_NE(MAP_FAILED, (void *)other);
	EXPECT_EQ(10, zc_send(&self->s, 10));
	EXPECT_EQ(0, zc_recv_all(z, &self->s, 0));
	EXPECT_EQ(1, other[z->reg.cq_off.tail / 4]);
	EXPECT_EQ(1, other[z->reg.cq_off.head / 4]);
	munmap(other, target.page);
}

/* It is dead memory then, but memory */
TEST_F(rings, mapping_outlives_the_ring)
{
	struct zc *z = &self->z;
	unsigned int i;

	zc_ring_close(&z->ring);
	for (i = 0; i < z->reg.mmap_sz; i += 64)
		z->map[i] = i;
	for (i = 0; i < z->reg.mmap_sz; i += 64)
		EXPECT_EQ((char)i, z->map[i]);
}

/* ---- entries and indices that are wrong ---------------------------------- */

#define KEEP	(~0u)

/*
 * The kernel looks at the refill ring when it needs pages: receive until there are none. Entries of
 * @s are kept, so that the pages stay away.
 */
static int use_up(struct zc *z, struct zc_stream *s)
{
	struct io_uring_cqe cqe;
	int ret;

	for (;;) {
		zc_send(s, 64000);
		zc_recv(z, s->rx, 0, 0);
		ret = zc_cqe(&z->ring, &cqe);
		if (ret)
			return ret;
		if (cqe.res < 0)
			return cqe.res;
		ret = zc_take(z, s, cqe.res, false);
		if (ret < 0)
			return ret;
	}
}

/* One page full of data, so that nothing more is copied to it; its offset is in @off */
static int one_page(struct zc *z, struct zc_stream *s, uint32_t *off)
{
	struct io_uring_cqe cqe;
	int ret;

	zc_send(s, target.page);
	zc_recv(z, s->rx, 0, 0);
	ret = zc_cqe(&z->ring, &cqe);
	if (ret)
		return ret;
	if (cqe.res != (int)target.page)
		return cqe.res < 0 ? cqe.res : -EMSGSIZE;
	*off = zc_peek(z, 0)->off;
	ret = zc_take(z, s, cqe.res, false);
	return ret == 1 ? 0 : -EMSGSIZE;
}

/* Room for entries of all of the region */
FIXTURE(plenty) {
	struct zc z;
	struct zc_stream s;
};

FIXTURE_SETUP(plenty)
{
	ASSERT_EQ(0, zc_open(&self->z, 64, 65536)) {
		TH_LOG("%s", self->z.reason);
	}
	ASSERT_EQ(0, zc_connect(&self->s));
}

FIXTURE_TEARDOWN(plenty)
{
	zc_disconnect(&self->s);
	zc_close(&self->z);
}

FIXTURE(entry) {
	struct zc z;
	struct zc_stream s;
};

/**
 * struct - an entry, and what it is worth
 * @off: offset in the region, bytes; KEEP: that of a page which the user holds
 * @region: region of the entry, not that of the ifq
 * @pad: which byte of __pad is not 0, from 1
 * @times: how often it is written
 * @bad: how many of these are wrong
 */
FIXTURE_VARIANT(entry) {
	int64_t off;
	unsigned int region, pad, times, bad;
};

FIXTURE_VARIANT_ADD(entry, right) { .off = KEEP, .times = 1, .bad = 0 };
FIXTURE_VARIANT_ADD(entry, twice) { .off = KEEP, .times = 2, .bad = 1 };
FIXTURE_VARIANT_ADD(entry, sixteen_times) { .off = KEEP, .times = 16, .bad = 15 };
FIXTURE_VARIANT_ADD(entry, end_of_the_region) { .off = -1, .times = 1, .bad = 1 };
FIXTURE_VARIANT_ADD(entry, page_of_the_device) { .off = 0, .times = 2, .bad = 2 };
FIXTURE_VARIANT_ADD(entry, end_of_all) { .off = 0xfffffffe, .times = 3, .bad = 3 };
FIXTURE_VARIANT_ADD(entry, middle_of_all) { .off = 1u << 31, .times = 3, .bad = 3 };
FIXTURE_VARIANT_ADD(entry, other_region) { .off = KEEP, .region = 1, .times = 1, .bad = 1 };
FIXTURE_VARIANT_ADD(entry, last_region) { .off = KEEP, .region = 65535, .times = 1, .bad = 1 };
FIXTURE_VARIANT_ADD(entry, first_pad) { .off = KEEP, .pad = 1, .times = 1, .bad = 1 };
FIXTURE_VARIANT_ADD(entry, last_pad) { .off = KEEP, .pad = 6, .times = 1, .bad = 1 };

FIXTURE_SETUP(entry)
{
	(void)variant;
	ASSERT_EQ(0, zc_open(&self->z, 64, 65536)) {
		TH_LOG("%s", self->z.reason);
	}
	ASSERT_EQ(0, zc_connect(&self->s));
}

FIXTURE_TEARDOWN(entry)
{
	zc_disconnect(&self->s);
	zc_close(&self->z);
}

TEST_F(entry, is_counted)
{
	struct zc *z = &self->z;
	struct io_uring_rbuf_rqe rqe = { .len = ~0u };
	uint32_t off = 0;
	unsigned int i;

	ASSERT_EQ(0, one_page(z, &self->s, &off));
	switch (variant->off) {
	case KEEP:
		/* any byte of the page will do */
		rqe.off = off + 17;
		break;
	case -1:
		rqe.off = z->region_size;
		break;
	default:
		/* 0: the region's first pages are handed out first, and the device was there */
		rqe.off = variant->off;
	}
	rqe.region = variant->region;
	if (variant->pad)
		rqe.__pad[variant->pad - 1] = 1;
	for (i = 0; i < variant->times; i++)
		zc_put(z, &rqe);
	EXPECT_EQ(-ENOMEM, use_up(z, &self->s));
	EXPECT_EQ(variant->bad, zc_stats(z)->bad_rqes);
	EXPECT_EQ(variant->times, *zc_at(z, z->reg.rq_off.head));
	EXPECT_EQ(NULL, self->s.wrong);
}

/* A tail that runs ahead of the ring is that of a full ring; one that runs back, too */
TEST_F(plenty, tail_that_makes_no_sense)
{
	struct zc *z = &self->z;
	uint32_t *head = zc_at(z, z->reg.rq_off.head);
	uint32_t *tail = zc_at(z, z->reg.rq_off.tail);
	const uint32_t ahead[] = { 65, 128, 1000, 0x7fffffff, 0x80000000, ~0u };
	size_t i;

	EXPECT_EQ(-ENOMEM, use_up(z, &self->s));
	for (i = 0; i < ARRAY_LEN(ahead); i++) {
		struct io_uring_cqe cqe;
		uint32_t was = *head;

		__atomic_store_n(tail, was + ahead[i], __ATOMIC_RELEASE);
		zc_recv(z, self->s.rx, 0, 0);
		ASSERT_EQ(0, zc_cqe(&z->ring, &cqe));
		EXPECT_LE(*head - was, 64);
		if (cqe.res > 0) {
			EXPECT_LT(0, zc_take(z, &self->s, cqe.res, false));
		} else {
			EXPECT_EQ(-ENOMEM, cqe.res);
		}
	}
	EXPECT_EQ(NULL, self->s.wrong);

	/* back to sense: a page that is given back is received into */
	__atomic_store_n(tail, *head, __ATOMIC_RELEASE);
	for (i = 0; i < z->region_size / target.page; i++) {
		struct io_uring_cqe cqe;

		zc_give(z, i * target.page);
		if (i % 64 != 63)
			continue;
		zc_recv(z, self->s.rx, 0, 0);
		ASSERT_EQ(0, zc_cqe(&z->ring, &cqe));
		if (cqe.res > 0)
			break;
		ASSERT_EQ(-ENOMEM, cqe.res);
	}
	EXPECT_GT(z->region_size / target.page, i);
}

/* The kernel goes by its own copy of the indices that it writes, and puts them right */
TEST_F(rings, indices_of_the_kernel_overwritten)
{
	struct zc *z = &self->z;
	uint32_t *tail = zc_at(z, z->reg.cq_off.tail);
	unsigned int i;

	for (i = 0; i < 8; i++) {
		struct io_uring_cqe cqe;

		__atomic_store_n(tail, 0x12345678, __ATOMIC_RELEASE);
		__atomic_store_n(zc_at(z, z->reg.rq_off.head), 0x87654321, __ATOMIC_RELEASE);
		EXPECT_EQ(100, zc_send(&self->s, 100));
		zc_recv(z, self->s.rx, 0, 0);
		ASSERT_EQ(0, zc_cqe(&z->ring, &cqe));
		EXPECT_EQ(100, cqe.res);
		EXPECT_EQ(i + 1, *tail);
		EXPECT_EQ(1, zc_take(z, &self->s, cqe.res, true));
	}
	EXPECT_EQ(NULL, self->s.wrong);
}

/* A head beyond the tail is a full ring. With the right one it goes on. */
TEST_F(rings, completion_head_that_makes_no_sense)
{
	const uint32_t ahead[] = { 1, 7, 64, 65, 0x7fffffff, 0x80000000, (uint32_t)-65 };
	struct zc *z = &self->z;
	uint32_t *head = zc_at(z, z->reg.cq_off.head);
	struct io_uring_cqe cqe;
	size_t i;

	EXPECT_EQ(100, zc_send(&self->s, 100));
	for (i = 0; i < ARRAY_LEN(ahead); i++) {
		__atomic_store_n(head, ahead[i], __ATOMIC_RELEASE);
		zc_recv(z, self->s.rx, 0, IORING_RECV_MULTISHOT);
		ASSERT_EQ(0, zc_cqe(&z->ring, &cqe));
		EXPECT_EQ(-ENOBUFS, cqe.res);
		EXPECT_EQ(0, cqe.flags & IORING_CQE_F_MORE);
	}
	EXPECT_EQ(ARRAY_LEN(ahead), zc_stats(z)->cq_full);
	__atomic_store_n(head, 0, __ATOMIC_RELEASE);
	EXPECT_EQ(0, zc_recv_all(z, &self->s, 0));
	EXPECT_EQ(NULL, self->s.wrong);
}

/* Counters are written and never read */
TEST_F(rings, counters_overwritten)
{
	struct zc *z = &self->z;
	const struct io_uring_zc_rx_stats *st = zc_stats(z);

	EXPECT_EQ(100, zc_send(&self->s, 100));
	EXPECT_EQ(0, zc_recv_all(z, &self->s, 0));
	memset(z->map + z->reg.stats_off, 0xa5, sizeof(*st));
	EXPECT_EQ(50, zc_send(&self->s, 50));
	EXPECT_EQ(0, zc_recv_all(z, &self->s, 0));
	EXPECT_TRUE(st->copy_linear_bytes == 150 || st->copy_foreign_bytes == 150);
}

/* Everything in the mapping is garbage: nothing but errors may come of that */
TEST_F(rings, garbage)
{
	struct zc *z = &self->z;
	uint32_t state = 1;
	unsigned int round, i;

	for (round = 0; round < 50; round++) {
		struct io_uring_cqe cqe;

		for (i = 0; i < z->reg.mmap_sz; i += 4) {
			state = state * 1664525 + 1013904223;
			__atomic_store_n(zc_at(z, i), state, __ATOMIC_RELAXED);
		}
		/* room for completions every other time */
		if (round & 1)
			__atomic_store_n(zc_at(z, z->reg.cq_off.head), 0, __ATOMIC_RELEASE);
		zc_send(&self->s, 64000);
		zc_recv(z, self->s.rx, 0, 0);
		ASSERT_EQ(0, zc_cqe(&z->ring, &cqe));
		EXPECT_TRUE(cqe.res > 0 || cqe.res == -ENOBUFS || cqe.res == -ENOMEM) {
			TH_LOG("result %d", cqe.res);
		}
	}
}

/* Refill rings smaller than what is to be given back: entries wait with the user */
TEST(small_refill_ring)
{
	uint32_t *owed, n_owed = 0, room;
	struct io_uring_cqe cqe = { .flags = 0 };
	struct zc_stream s;
	uint64_t total;
	struct zc z;

	ASSERT_EQ(0, zc_open(&z, 16, 4096));
	ASSERT_EQ(0, zc_connect(&s));
	owed = calloc(z.region_size / 16, sizeof(*owed));
	ASSERT_NE(NULL, owed);
	total = 2 * z.region_size;
	while (s.seen < total) {
		zc_send(&s, total - s.sent < 64000 ? total - s.sent : 64000);
		zc_recv(&z, s.rx, 0, 0);
		ASSERT_EQ(0, zc_cqe(&z.ring, &cqe));
		ASSERT_TRUE(cqe.res > 0 || (cqe.res == -ENOMEM && n_owed)) {
			TH_LOG("result %d, %u entries wait", cqe.res, n_owed);
		}
		while (cqe.res > 0) {
			const struct io_uring_rbuf_cqe *c = zc_peek(&z, 0);
			int len = c->len;

			owed[n_owed++] = c->off;
			ASSERT_EQ(1, zc_take(&z, &s, len, false));
			cqe.res -= len;
		}
		room = 16 - (*zc_at(&z, z.reg.rq_off.tail) - *zc_at(&z, z.reg.rq_off.head));
		ASSERT_GE(16, room);
		while (room-- && n_owed)
			zc_give(&z, owed[--n_owed]);
	}
	EXPECT_EQ(NULL, s.wrong);
	EXPECT_EQ(0, zc_stats(&z)->bad_rqes);
	free(owed);
	zc_disconnect(&s);
	zc_close(&z);
}

int main(int argc, char **argv)
{
	return zc_main(argc, argv, test_harness_run);
}
