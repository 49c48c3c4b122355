// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of what an ifq does with indices and references: the rings that
 * it shares with the user, and the pool of buffers.
 */
#include <kunit/test.h>
#include <linux/bvec.h>
#include <linux/io_uring_types.h>
#include <linux/mm.h>
#include <linux/netdevice.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/page_pool/helpers.h>
#include <net/zc_rx.h>

#include "io_uring.h"
#include "rsrc.h"
#include "zc_rx.h"
#include "zc_rx_pool.h"
#include "zc_rx_ring.h"

#define RQ	8
#define CQ	4

struct rings_ctx {
	struct io_rbuf_rings r;
};

static int rings_init(struct kunit *test)
{
	struct rings_ctx *ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, ctx);
	KUNIT_ASSERT_EQ(test, io_rbuf_rings_alloc(&ctx->r, RQ, CQ), 0);
	test->priv = ctx;
	return 0;
}

static void rings_exit(struct kunit *test)
{
	struct rings_ctx *ctx = test->priv;

	if (ctx)
		io_rbuf_rings_free(&ctx->r);
}

/* Put both sides of both rings at index @at, as if that many had passed. */
static struct io_rbuf_rings *rings_at(struct kunit *test, u32 at)
{
	struct io_rbuf_rings *r = &((struct rings_ctx *)test->priv)->r;

	r->rq_head = at;
	r->hdr->rq_head = at;
	r->hdr->rq_tail = at;
	r->cq_tail = at;
	r->hdr->cq_head = at;
	r->hdr->cq_tail = at;
	return r;
}

static void user_refill(struct io_rbuf_rings *r, u32 off)
{
	u32 tail = r->hdr->rq_tail;

	r->rqes[tail & (RQ - 1)] = (struct io_uring_rbuf_rqe) { .off = off };
	r->hdr->rq_tail = tail + 1;
}

static void rings_describe(struct kunit *test)
{
	struct io_rbuf_rings *r = rings_at(test, 0);
	struct io_uring_zc_rx_ifq_reg reg = {};

	io_rbuf_rings_describe(r, &reg);
	KUNIT_EXPECT_EQ(test, reg.mmap_sz % PAGE_SIZE, 0);
	KUNIT_EXPECT_GE(test, reg.rq_off.rqes,
			reg.stats_off + sizeof(struct io_uring_zc_rx_stats));
	KUNIT_EXPECT_GE(test, reg.cq_off.cqes, reg.rq_off.rqes +
			RQ * sizeof(struct io_uring_rbuf_rqe));
	KUNIT_EXPECT_LE(test, reg.cq_off.cqes +
			CQ * sizeof(struct io_uring_rbuf_cqe), reg.mmap_sz);
	KUNIT_EXPECT_PTR_EQ(test, (void *)r->hdr + reg.rq_off.tail,
			    (void *)&r->hdr->rq_tail);
	KUNIT_EXPECT_PTR_EQ(test, (void *)r->hdr + reg.cq_off.head,
			    (void *)&r->hdr->cq_head);
}

static const u32 ring_starts[] = { 0, 5, U32_MAX - 3, U32_MAX };

static void ring_start_desc(const u32 *at, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "at_%u", *at);
}

KUNIT_ARRAY_PARAM(ring_start, ring_starts, ring_start_desc);

static void rq_order(struct kunit *test)
{
	struct io_rbuf_rings *r = rings_at(test, *(u32 *)test->param_value);
	struct io_uring_rbuf_rqe rqe;
	u32 i, round;

	for (round = 0; round < 3; round++) {
		KUNIT_EXPECT_EQ(test, io_rbuf_rq_ready(r), 0);
		for (i = 0; i < RQ - 1; i++)
			user_refill(r, 100 * round + i);
		KUNIT_EXPECT_EQ(test, io_rbuf_rq_ready(r), RQ - 1);
		for (i = 0; i < RQ - 1; i++) {
			io_rbuf_rq_next(r, &rqe);
			KUNIT_EXPECT_EQ(test, rqe.off, 100 * round + i);
		}
		KUNIT_EXPECT_NE(test, r->hdr->rq_head, r->hdr->rq_tail);
		io_rbuf_rq_commit(r);
		KUNIT_EXPECT_EQ(test, r->hdr->rq_head, r->hdr->rq_tail);
	}
}

/* A head above the tail and a tail too far ahead look the same: a full ring */
static void rq_bad_tail(struct kunit *test)
{
	u32 at = *(u32 *)test->param_value;
	struct io_rbuf_rings *r = rings_at(test, at);

	r->hdr->rq_tail = at + 2 * RQ;
	KUNIT_EXPECT_EQ(test, io_rbuf_rq_ready(r), RQ);
	r->hdr->rq_tail = at - 1;
	KUNIT_EXPECT_EQ(test, io_rbuf_rq_ready(r), RQ);
}

static void cq_order(struct kunit *test)
{
	u32 at = *(u32 *)test->param_value;
	struct io_rbuf_rings *r = rings_at(test, at);
	u32 i;

	for (i = 0; i < CQ; i++) {
		struct io_uring_rbuf_cqe cqe = { .off = 7 * i, .len = 1 };

		KUNIT_EXPECT_EQ(test, io_rbuf_cq_space(r), CQ - i);
		io_rbuf_cq_put(r, &cqe);
	}
	KUNIT_EXPECT_EQ(test, io_rbuf_cq_space(r), 0);
	KUNIT_EXPECT_EQ(test, r->hdr->cq_tail, at);
	io_rbuf_cq_publish(r);
	KUNIT_EXPECT_EQ(test, r->hdr->cq_tail, at + CQ);
	for (i = 0; i < CQ; i++)
		KUNIT_EXPECT_EQ(test, r->cqes[(at + i) & (CQ - 1)].off, 7 * i);

	r->hdr->cq_head = at + 1;
	KUNIT_EXPECT_EQ(test, io_rbuf_cq_space(r), 1);
}

static void cq_bad_head(struct kunit *test)
{
	u32 at = *(u32 *)test->param_value;
	struct io_rbuf_rings *r = rings_at(test, at);

	r->hdr->cq_head = at + 1;
	KUNIT_EXPECT_EQ(test, io_rbuf_cq_space(r), 0);
	r->hdr->cq_head = at - CQ - 1;
	KUNIT_EXPECT_EQ(test, io_rbuf_cq_space(r), 0);
}

static struct kunit_case rings_cases[] = {
	KUNIT_CASE(rings_describe),
	KUNIT_CASE_PARAM(rq_order, ring_start_gen_params),
	KUNIT_CASE_PARAM(rq_bad_tail, ring_start_gen_params),
	KUNIT_CASE_PARAM(cq_order, ring_start_gen_params),
	KUNIT_CASE_PARAM(cq_bad_head, ring_start_gen_params),
	{}
};

static struct kunit_suite rings_suite = {
	.name = "io_uring_zc_rx_rings",
	.init = rings_init,
	.exit = rings_exit,
	.test_cases = rings_cases,
};

/* A region of 5 pages: 3 inside of a folio of 4, and 2 of another of 2 */
#define POOL_PAGES	5

struct pool_ctx {
	struct io_zc_rx_pool pool;
	struct io_mapped_ubuf *imu;
	struct page *folio[2];
};

static int pool_init(struct kunit *test)
{
	struct pool_ctx *ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	struct io_mapped_ubuf *imu;

	KUNIT_ASSERT_NOT_NULL(test, ctx);
	imu = kunit_kzalloc(test, struct_size(imu, bvec, 2), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, imu);
	test->priv = ctx;
	ctx->folio[0] = alloc_pages(GFP_KERNEL | __GFP_COMP, 2);
	ctx->folio[1] = alloc_pages(GFP_KERNEL | __GFP_COMP, 1);
	KUNIT_ASSERT_NOT_NULL(test, ctx->folio[0]);
	KUNIT_ASSERT_NOT_NULL(test, ctx->folio[1]);

	imu->nr_bvecs = 2;
	imu->len = POOL_PAGES * PAGE_SIZE;
	bvec_set_page(&imu->bvec[0], ctx->folio[0], 3 * PAGE_SIZE, PAGE_SIZE);
	bvec_set_page(&imu->bvec[1], ctx->folio[1], 2 * PAGE_SIZE, 0);
	ctx->imu = imu;
	KUNIT_ASSERT_EQ(test, io_zc_rx_pool_init(&ctx->pool, imu), 0);
	return 0;
}

static void pool_exit(struct kunit *test)
{
	struct pool_ctx *ctx = test->priv;
	int i;

	if (!ctx)
		return;
	if (ctx->pool.niovs) {
		KUNIT_EXPECT_EQ(test, ctx->pool.nr_free, POOL_PAGES);
		io_zc_rx_pool_destroy(&ctx->pool);
	}
	for (i = 0; i < ARRAY_SIZE(ctx->folio); i++)
		if (ctx->folio[i])
			__free_pages(ctx->folio[i], i ? 1 : 2);
}

static void pool_pages(struct kunit *test)
{
	struct pool_ctx *ctx = test->priv;
	struct io_zc_rx_pool *pool = &ctx->pool;
	int i;

	KUNIT_ASSERT_EQ(test, pool->nr, POOL_PAGES);
	/* the smallest region has a buffer for copies, too */
	KUNIT_EXPECT_GE(test, pool->reserve, 1);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_PTR_EQ(test, pool->niovs[i].page,
				    ctx->folio[0] + 1 + i);
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_PTR_EQ(test, pool->niovs[3 + i].page,
				    ctx->folio[1] + i);
	for (i = 0; i < POOL_PAGES; i++)
		KUNIT_EXPECT_PTR_EQ(test, io_zc_rx_niov_pool(&pool->niovs[i]),
				    pool);
}

static void pool_exhaust(struct kunit *test)
{
	struct io_zc_rx_pool *pool = &((struct pool_ctx *)test->priv)->pool;
	struct net_iov *niovs[POOL_PAGES + 1];
	u32 n, i;

	/* some can be left, more than there are as well */
	n = io_zc_rx_pool_get_bulk(pool, niovs, ARRAY_SIZE(niovs), 2);
	KUNIT_ASSERT_EQ(test, n, POOL_PAGES - 2);
	KUNIT_EXPECT_EQ(test, io_zc_rx_pool_get_bulk(pool, niovs, 1, 9), 0);
	while (n--)
		io_zc_rx_pool_put(niovs[n]);

	n = io_zc_rx_pool_get_bulk(pool, niovs, ARRAY_SIZE(niovs), 0);
	KUNIT_ASSERT_EQ(test, n, POOL_PAGES);
	KUNIT_EXPECT_NULL(test, io_zc_rx_pool_get(pool));
	for (i = 0; i < n; i++) {
		/* the region is used from its beginning */
		KUNIT_EXPECT_EQ(test, io_zc_rx_niov_idx(niovs[i]), i);
		KUNIT_EXPECT_EQ(test, atomic_long_read(&niovs[i]->pp_ref_count),
				1);
		io_zc_rx_pool_put(niovs[i]);
	}
}

/* The kernel's reference goes first, the user's second of two is the last. */
static void user_last(struct kunit *test)
{
	struct io_zc_rx_pool *pool = &((struct pool_ctx *)test->priv)->pool;
	struct net_iov *niov = io_zc_rx_pool_get(pool);
	u64 off = (u64)io_zc_rx_niov_idx(niov) << PAGE_SHIFT;
	bool last = true;

	io_zc_rx_user_get(niov);
	io_zc_rx_user_get(niov);
	KUNIT_EXPECT_NE(test, page_pool_unref_netmem(net_iov_to_netmem(niov), 1),
			0);
	KUNIT_EXPECT_PTR_EQ(test, io_zc_rx_user_put(pool, off, &last), niov);
	KUNIT_EXPECT_FALSE(test, last);
	/* any offset in the page will do */
	KUNIT_EXPECT_PTR_EQ(test,
			    io_zc_rx_user_put(pool, off + PAGE_SIZE - 1, &last),
			    niov);
	KUNIT_EXPECT_TRUE(test, last);
	io_zc_rx_pool_put(niov);
}

static void user_twice(struct kunit *test)
{
	struct io_zc_rx_pool *pool = &((struct pool_ctx *)test->priv)->pool;
	struct net_iov *niov = io_zc_rx_pool_get(pool);
	u64 off = (u64)io_zc_rx_niov_idx(niov) << PAGE_SHIFT;
	bool last;
	int i;

	io_zc_rx_user_get(niov);
	KUNIT_EXPECT_PTR_EQ(test, io_zc_rx_user_put(pool, off, &last), niov);
	for (i = 0; i < 16; i++)
		KUNIT_EXPECT_NULL(test, io_zc_rx_user_put(pool, off, &last));
	/* the kernel's own reference is untouched */
	KUNIT_EXPECT_EQ(test, atomic_long_read(&niov->pp_ref_count), 1);
	io_zc_rx_pool_put(niov);
}

static void user_outside(struct kunit *test)
{
	struct io_zc_rx_pool *pool = &((struct pool_ctx *)test->priv)->pool;
	static const u64 offs[] = {
		(u64)POOL_PAGES << PAGE_SHIFT, U32_MAX, (1ULL << 48) - 1,
		U64_MAX,
		/* page 0 to whoever counts pages with 16 or 32 bits */
		1ULL << (16 + PAGE_SHIFT), 1ULL << (32 + PAGE_SHIFT),
	};
	struct net_iov *first = io_zc_rx_pool_get(pool);
	bool last;
	int i;

	/* the speculation barrier makes 0 of an index that is too large, so
	 * what lies there has to be something that could be given back
	 */
	KUNIT_ASSERT_EQ(test, io_zc_rx_niov_idx(first), 0);
	io_zc_rx_user_get(first);
	for (i = 0; i < ARRAY_SIZE(offs); i++)
		KUNIT_EXPECT_NULL(test, io_zc_rx_user_put(pool, offs[i], &last));
	/* inside, but never handed out */
	KUNIT_EXPECT_NULL(test, io_zc_rx_user_put(pool, PAGE_SIZE, &last));

	KUNIT_EXPECT_PTR_EQ(test, io_zc_rx_user_put(pool, 0, &last), first);
	io_zc_rx_pool_put(first);
}

static void user_all(struct kunit *test)
{
	struct io_zc_rx_pool *pool = &((struct pool_ctx *)test->priv)->pool;
	struct net_iov *a = io_zc_rx_pool_get(pool);
	struct net_iov *b = io_zc_rx_pool_get(pool);
	bool last;

	io_zc_rx_user_get(a);
	io_zc_rx_user_get(a);
	io_zc_rx_user_get(b);
	/* the kernel still holds b, but not a */
	KUNIT_EXPECT_NE(test, page_pool_unref_netmem(net_iov_to_netmem(a), 1), 0);

	io_zc_rx_user_put_all(pool, io_zc_rx_pool_put);
	KUNIT_EXPECT_EQ(test, pool->nr_free, POOL_PAGES - 1);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&b->pp_ref_count), 1);
	KUNIT_EXPECT_NULL(test, io_zc_rx_user_put(pool, 0, &last));

	io_zc_rx_pool_put(b);
}

#define LARGE_PAGES	(U16_MAX + 3)

/* More pages than 16 bits count. They are never looked at. */
static void large_region(struct kunit *test)
{
	struct io_zc_rx_pool *pool;
	struct io_mapped_ubuf *imu;
	struct net_iov *niov;
	bool last;
	u32 i;

	pool = kunit_kzalloc(test, sizeof(*pool), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pool);
	imu = kunit_kzalloc(test, struct_size(imu, bvec, 1), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, imu);
	imu->nr_bvecs = 1;
	imu->len = (u64)LARGE_PAGES << PAGE_SHIFT;
	bvec_set_page(&imu->bvec[0], ((struct pool_ctx *)test->priv)->folio[0],
		      imu->len, 0);
	KUNIT_ASSERT_EQ(test, io_zc_rx_pool_init(pool, imu), 0);
	KUNIT_EXPECT_EQ(test, pool->nr, LARGE_PAGES);

	for (i = 0; i < LARGE_PAGES; i++) {
		u64 off = (u64)i << PAGE_SHIFT;

		niov = io_zc_rx_pool_get(pool);
		if (!niov || io_zc_rx_niov_idx(niov) != i)
			break;
		io_zc_rx_user_get(niov);
		if (io_zc_rx_user_put(pool, off, &last) != niov)
			break;
	}
	KUNIT_EXPECT_EQ(test, i, LARGE_PAGES);
	while (i--)
		io_zc_rx_pool_put(&pool->niovs[i]);
	KUNIT_EXPECT_EQ(test, pool->nr_free, LARGE_PAGES);
	io_zc_rx_pool_destroy(pool);
}

static struct kunit_case pool_cases[] = {
	KUNIT_CASE(pool_pages),
	KUNIT_CASE(pool_exhaust),
	KUNIT_CASE(user_last),
	KUNIT_CASE(user_twice),
	KUNIT_CASE(user_outside),
	KUNIT_CASE(user_all),
	KUNIT_CASE(large_region),
	{}
};

static struct kunit_suite pool_suite = {
	.name = "io_uring_zc_rx_pool",
	.init = pool_init,
	.exit = pool_exit,
	.test_cases = pool_cases,
};

/* What the registration is refused for, and no test from user space can make. */

static void device_detached(struct kunit *test)
{
	struct net_device *dev = alloc_netdev_dummy(0);
	struct netlink_ext_ack extack = {};
	struct dev_zc_rx zc = {};
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, dev);
	clear_bit(__LINK_STATE_PRESENT, &dev->state);
	rtnl_lock();
	ret = dev_zc_rx_open(dev, &zc, &extack);
	rtnl_unlock();
	KUNIT_EXPECT_EQ(test, ret, -ENODEV);
	KUNIT_EXPECT_STREQ(test, extack._msg ?: "", "device is not present");
	free_netdev(dev);
}

static void too_many_ifqs(struct kunit *test)
{
	struct io_ring_ctx *ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	struct netlink_ext_ack extack = {};
	u32 id, n;

	KUNIT_ASSERT_NOT_NULL(test, ctx);
	xa_init_flags(&ctx->zc_rx_ifqs, XA_FLAGS_ALLOC);
	for (n = 0; n < IO_ZC_RX_MAX_IFQS; n++)
		if (io_zc_rx_reserve_id(ctx, &id, &extack) || id != n)
			break;
	KUNIT_EXPECT_EQ(test, n, IO_ZC_RX_MAX_IFQS);
	KUNIT_EXPECT_EQ(test, io_zc_rx_reserve_id(ctx, &id, &extack), -EBUSY);
	KUNIT_EXPECT_STREQ(test, extack._msg ?: "",
			   "the ring has 2048 ifqs already");
	xa_erase(&ctx->zc_rx_ifqs, 7);
	KUNIT_EXPECT_EQ(test, io_zc_rx_reserve_id(ctx, &id, &extack), 0);
	KUNIT_EXPECT_EQ(test, id, 7);
	xa_destroy(&ctx->zc_rx_ifqs);
}

static struct kunit_case refusal_cases[] = {
	KUNIT_CASE(too_many_ifqs),
	KUNIT_CASE(device_detached),
	{}
};

static struct kunit_suite refusal_suite = {
	.name = "io_uring_zc_rx_refusals",
	.test_cases = refusal_cases,
};

kunit_test_suites(&rings_suite, &pool_suite, &refusal_suite);

MODULE_DESCRIPTION("KUnit tests of zero copy receive rings and pool");
MODULE_LICENSE("GPL");
