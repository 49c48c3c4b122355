// SPDX-License-Identifier: GPL-2.0
/*
 * IORING_REGISTER_ZC_RX_CTRL: regions that are added, a refill ring that is flushed, an interface
 * queue that ends before its ring does.
 */
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <kselftest_harness.h>
#include "lib.h"

FIXTURE(ctrl) {
	struct zc z;
	struct zc_stream s;
};

FIXTURE_SETUP(ctrl)
{
	ASSERT_EQ(0, zc_open_two(&self->z, 1024, 4096)) {
		TH_LOG("%s", self->z.reason);
	}
	ASSERT_EQ(0, zc_connect(&self->s));
}

FIXTURE_TEARDOWN(ctrl)
{
	zc_disconnect(&self->s);
	zc_close(&self->z);
	EXPECT_TRUE(zc_unpinned()) {
		TH_LOG("%ld kB are pinned", zc_pinned());
	}
}

/* ---- refusals ------------------------------------------------------------ */

#define EXPECT_REFUSED(z, err, words, op, region)			\
	do {								\
		EXPECT_EQ(-(err), zc_ctrl(z, op, region));		\
		EXPECT_NE(NULL, strstr((z)->reason, words)) {		\
			TH_LOG("\"%s\"", (z)->reason);			\
		}							\
	} while (0)

TEST_F(ctrl, operation_that_is_not_there)
{
	EXPECT_REFUSED(&self->z, EINVAL, "unknown operation 3", 3, 0);
	EXPECT_REFUSED(&self->z, EINVAL, "unknown operation 4294967295", ~0u, 0);
}

TEST_F(ctrl, region_without_use)
{
	EXPECT_REFUSED(&self->z, EINVAL, "no use for", IORING_ZC_RX_CTRL_FLUSH_RQ, 1);
	EXPECT_REFUSED(&self->z, EINVAL, "no use for", IORING_ZC_RX_CTRL_UNREGISTER, 1);
}

TEST_F(ctrl, ifq_that_is_not_there)
{
	struct zc *z = &self->z;

	z->reg.zcrx_ifq_idx = 1;
	EXPECT_REFUSED(z, ENXIO, "no ifq 1", IORING_ZC_RX_CTRL_FLUSH_RQ, 0);
	z->reg.zcrx_ifq_idx = ~0u;
	EXPECT_REFUSED(z, ENXIO, "no ifq 4294967295", IORING_ZC_RX_CTRL_UNREGISTER, 0);
}

TEST_F(ctrl, argument)
{
	struct io_uring_zc_rx_ctrl ctrl = { .op = IORING_ZC_RX_CTRL_FLUSH_RQ };
	unsigned int i;

	EXPECT_EQ(0, zc_ctrl_raw(&self->z, &ctrl, 1));
	EXPECT_EQ(-EFAULT, zc_ctrl_raw(&self->z, NULL, 1));
	EXPECT_EQ(-EINVAL, zc_ctrl_raw(&self->z, &ctrl, 0));
	EXPECT_EQ(-EINVAL, zc_ctrl_raw(&self->z, &ctrl, 2));
	for (i = 0; i < ARRAY_LEN(ctrl.__resv); i++) {
		ctrl.__resv[i] = 1ull << 63;
		EXPECT_EQ(-EINVAL, zc_ctrl_raw(&self->z, &ctrl, 1));
		ctrl.__resv[i] = 0;
	}
	/* nobody reads the reason of what is done */
	ctrl.reason = 8;
	ctrl.reason_len = 100;
	EXPECT_EQ(0, zc_ctrl_raw(&self->z, &ctrl, 1));
	/* one that cannot be written changes nothing of the refusal */
	ctrl.op = 99;
	EXPECT_EQ(-EINVAL, zc_ctrl_raw(&self->z, &ctrl, 1));
}

/* ---- regions ------------------------------------------------------------- */

TEST_F(ctrl, region_that_cannot_be)
{
	struct zc *z = &self->z;

	EXPECT_REFUSED(z, EEXIST, "registered buffer 0 is a region of the ifq already",
		       IORING_ZC_RX_CTRL_ADD_REGION, 0);
	EXPECT_REFUSED(z, EFAULT, "no registered buffer 2", IORING_ZC_RX_CTRL_ADD_REGION, 2);
	EXPECT_EQ(0, zc_ctrl(z, IORING_ZC_RX_CTRL_ADD_REGION, 1));
	EXPECT_REFUSED(z, EEXIST, "registered buffer 1 is a region of the ifq already",
		       IORING_ZC_RX_CTRL_ADD_REGION, 1);
}

/* As many as there may be, and one more */
TEST(regions_64)
{
	struct iovec iov[65];
	unsigned int i;
	struct zc z;

	ASSERT_EQ(0, zc_bind(&z, 64, 64));
	zc_ring_close(&z.ring);
	ASSERT_EQ(0, zc_ring_open(&z.ring, ZC_RING_FLAGS, 64));
	iov[0] = (struct iovec) { z.region, z.region_size };
	for (i = 1; i < ARRAY_LEN(iov); i++)
		iov[i] = (struct iovec) { z.region + i * target.page, target.page };
	ASSERT_EQ(0, zc_buffers(&z.ring, iov, ARRAY_LEN(iov)));
	zc_defaults(&z);
	ASSERT_EQ(0, zc_register(&z)) {
		TH_LOG("%s", z.reason);
	}
	for (i = 1; i < 64; i++)
		EXPECT_EQ(0, zc_ctrl(&z, IORING_ZC_RX_CTRL_ADD_REGION, i)) {
			TH_LOG("region %u: %s", i, z.reason);
		}
	EXPECT_REFUSED(&z, ENOSPC, "the ifq has 64 regions already",
		       IORING_ZC_RX_CTRL_ADD_REGION, 64);
	zc_close(&z);
}

/* Receive and give nothing back. Pieces of a copy fill whole pages: more than a region */
static int use_up(struct zc *z, struct zc_stream *s, unsigned int *pieces)
{
	struct io_uring_cqe cqe;
	int ret;

	for (;;) {
		zc_send(s, 60000);
		zc_recv(z, s->rx, 0, 0);
		ret = zc_cqe(&z->ring, &cqe);
		if (ret || cqe.res <= 0)
			return ret ?: cqe.res;
		ret = zc_take(z, s, cqe.res, false);
		if (ret < 0)
			return ret;
		*pieces += ret;
	}
}

TEST_F(ctrl, add_region)
{
	unsigned int first = 0, second = 0;
	struct zc *z = &self->z;

	EXPECT_EQ(-ENOMEM, use_up(z, &self->s, &first));
	EXPECT_EQ(0, zc_ctrl(z, IORING_ZC_RX_CTRL_ADD_REGION, 1)) {
		TH_LOG("%s", z->reason);
	}
	EXPECT_EQ(-ENOMEM, use_up(z, &self->s, &second));
	EXPECT_LT(0, first);
	EXPECT_LT(0, second);
	EXPECT_EQ(NULL, self->s.wrong);
}

/* ---- flush --------------------------------------------------------------- */

TEST_F(ctrl, flush)
{
	struct zc *z = &self->z;
	struct io_uring_cqe cqe;
	int n;

	EXPECT_EQ(0, zc_ctrl(z, IORING_ZC_RX_CTRL_FLUSH_RQ, 0));
	zc_send(&self->s, 50000);
	zc_recv(z, self->s.rx, 0, 0);
	ASSERT_EQ(0, zc_cqe(&z->ring, &cqe));
	ASSERT_LT(0, cqe.res);
	n = zc_take(z, &self->s, cqe.res, true);
	ASSERT_LT(0, n);
	EXPECT_EQ(n, zc_ctrl(z, IORING_ZC_RX_CTRL_FLUSH_RQ, 0));
	EXPECT_EQ(*zc_at(z, z->reg.rq_off.tail), *zc_at(z, z->reg.rq_off.head));
	EXPECT_EQ(0, zc_ctrl(z, IORING_ZC_RX_CTRL_FLUSH_RQ, 0));
	EXPECT_EQ(0, zc_stats(z)->bad_rqes);
	/* what was given back already is refused, and counted */
	zc_give(z, 0);
	zc_give_to(z, 1, 0);
	EXPECT_EQ(2, zc_ctrl(z, IORING_ZC_RX_CTRL_FLUSH_RQ, 0));
	EXPECT_EQ(2, zc_stats(z)->bad_rqes);
}

/* ---- the end ------------------------------------------------------------- */

TEST_F(ctrl, unregister)
{
	struct zc *z = &self->z;

	ASSERT_EQ(0, zc_ctrl(z, IORING_ZC_RX_CTRL_UNREGISTER, 0));
	EXPECT_REFUSED(z, ENXIO, "no ifq 0", IORING_ZC_RX_CTRL_UNREGISTER, 0);
	EXPECT_EQ(-1, (long)mmap(NULL, target.page, PROT_READ, MAP_SHARED, z->ring.fd,
				 z->reg.mmap_off));
	/* the mapping that there is stays, and is the user's */
	memset(z->map, 0x5a, z->reg.mmap_sz);
	munmap(z->map, z->reg.mmap_sz);
	z->map = NULL;
	/* number, queue and buffer are free */
	zc_defaults(z);
	EXPECT_EQ(0, zc_register(z)) {
		TH_LOG("%s", z->reason);
	}
	EXPECT_EQ(0, z->reg.zcrx_ifq_idx);
}

TEST_F(ctrl, unregister_with_a_request)
{
	struct zc *z = &self->z;
	struct io_uring_cqe cqe;
	int i;

	zc_recv(z, self->s.rx, 0, IORING_RECV_MULTISHOT);
	ASSERT_EQ(1, zc_submit(&z->ring));
	EXPECT_REFUSED(z, EBUSY, "1 receive request", IORING_ZC_RX_CTRL_UNREGISTER, 0);
	/* the end of the stream ends the request */
	zc_send(&self->s, 1000);
	shutdown(self->s.tx, SHUT_WR);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, zc_cqe(&z->ring, &cqe));
		if (cqe.res > 0)
			EXPECT_LT(0, zc_take(z, &self->s, cqe.res, false));
	}
	EXPECT_EQ(0, cqe.res);
	EXPECT_EQ(1000, self->s.seen);
	/* and what the user holds is taken back */
	EXPECT_EQ(0, zc_ctrl(z, IORING_ZC_RX_CTRL_UNREGISTER, 0)) {
		TH_LOG("%s", z->reason);
	}
}

int main(int argc, char **argv)
{
	return zc_main(argc, argv, test_harness_run);
}
