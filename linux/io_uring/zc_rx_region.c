// SPDX-License-Identifier: GPL-2.0
/*
 * Regions: registered buffers that an ifq receives into, held for as long as
 * anybody may write to them.
 */
#include <linux/bitops.h>
#include <linux/io_uring_types.h>
#include <linux/mm.h>
#include <linux/netlink.h>
#include <linux/sched/mm.h>
#include <linux/sched/user.h>
#include <linux/slab.h>

#include "io_uring.h"
#include "rsrc.h"
#include "zc_rx_region.h"

/* Hold the buffer, and those it is accounted to, longer than the ring may live */
static void io_zc_rx_region_hold(struct io_zc_rx_region *region,
				 struct io_ring_ctx *ctx,
				 struct io_mapped_ubuf *imu)
{
	region->imu = imu;
	if (ctx->user)
		region->user = get_uid(ctx->user);
	if (ctx->mm_account) {
		mmgrab(ctx->mm_account);
		region->mm_account = ctx->mm_account;
	}
}

/*
 * A page has one place in the rings of one ifq. Of an ifq that has ended, pages
 * may still be in sockets.
 */
static int io_zc_rx_region_claim(struct io_zc_rx_region *region,
				 struct netlink_ext_ack *extack)
{
	/* rings that share registered buffers have a lock each */
	if (test_and_set_bit_lock(0, &region->imu->zc_rx)) {
		NL_SET_ERR_MSG_FMT(extack,
				   "an ifq has registered buffer %u, or its data is in sockets",
				   region->id);
		return -EBUSY;
	}
	region->claimed = true;
	return 0;
}

static int io_zc_rx_region_init(struct io_zc_rx_region *region,
				struct netlink_ext_ack *extack)
{
	const struct io_mapped_ubuf *imu = region->imu;
	int ret;

	if (!PAGE_ALIGNED(imu->ubuf) || !PAGE_ALIGNED(imu->len)) {
		NL_SET_ERR_MSG_FMT(extack, "registered buffer %u is not page aligned at both ends",
				   region->id);
		return -EFAULT;
	}
	ret = io_zc_rx_pool_init(&region->pool, imu);
	if (ret)
		NL_SET_ERR_MSG(extack, "no memory for the buffer table");
	return ret;
}

/**
 * io_zc_rx_region_alloc - make a region of a registered buffer
 * @ctx: ring
 * @id: index of the registered buffer
 * @extack: gets the reason of a failure
 *
 * Context: process, under uring_lock. May sleep.
 * Return: the region, all of its buffers free and not mapped for a device, or
 * an ERR_PTR().
 */
struct io_zc_rx_region *io_zc_rx_region_alloc(struct io_ring_ctx *ctx, u32 id,
					      struct netlink_ext_ack *extack)
{
	struct io_mapped_ubuf *imu = io_mapped_ubuf_get(ctx, id);
	struct io_zc_rx_region *region;
	int ret;

	if (!imu) {
		NL_SET_ERR_MSG_FMT(extack, "no registered buffer %u", id);
		return ERR_PTR(-EFAULT);
	}
	region = kzalloc(sizeof(*region), GFP_KERNEL_ACCOUNT);
	if (!region) {
		NL_SET_ERR_MSG(extack, "no memory for the region");
		io_mapped_ubuf_put(imu, ctx->user, ctx->mm_account);
		return ERR_PTR(-ENOMEM);
	}

	/* io_uring numbers buffers with 14 bits */
	region->id = id;
	io_zc_rx_region_hold(region, ctx, imu);
	ret = io_zc_rx_region_claim(region, extack);
	if (!ret)
		ret = io_zc_rx_region_init(region, extack);
	if (ret) {
		io_zc_rx_region_free(region);
		return ERR_PTR(ret);
	}
	return region;
}

/**
 * io_zc_rx_region_free - undo io_zc_rx_region_alloc()
 * @region: region, with all of its buffers home and mapped for no device
 *
 * Context: process, may sleep.
 */
void io_zc_rx_region_free(struct io_zc_rx_region *region)
{
	io_zc_rx_pool_destroy(&region->pool);
	if (region->claimed)
		clear_bit_unlock(0, &region->imu->zc_rx);
	io_mapped_ubuf_put(region->imu, region->user, region->mm_account);
	free_uid(region->user);
	if (region->mm_account)
		mmdrop(region->mm_account);
	kfree(region);
}
