/* SPDX-License-Identifier: GPL-2.0 */
#ifndef IOU_ZC_RX_REGION_H
#define IOU_ZC_RX_REGION_H

#include <linux/container_of.h>
#include <linux/types.h>

#include "zc_rx_pool.h"

struct io_mapped_ubuf;
struct io_ring_ctx;
struct mm_struct;
struct netlink_ext_ack;
struct user_struct;

/**
 * struct io_zc_rx_region - a registered buffer that an ifq receives into
 * @pool: its pages
 * @imu: the registered buffer
 * @user: whom @imu is accounted to, or NULL
 * @mm_account: whose pinned_vm @imu is in, or NULL
 * @claimed: no other region may be made of @imu
 * @id: what the user calls it, its index among the registered buffers
 */
struct io_zc_rx_region {
	struct io_zc_rx_pool pool;
	struct io_mapped_ubuf *imu;
	struct user_struct *user;
	struct mm_struct *mm_account;
	bool claimed;
	u16 id;
};

struct io_zc_rx_region *io_zc_rx_region_alloc(struct io_ring_ctx *ctx, u32 id,
					      struct netlink_ext_ack *extack);
void io_zc_rx_region_free(struct io_zc_rx_region *region);

/* The region that a buffer lies in */
static inline struct io_zc_rx_region *
io_zc_rx_niov_region(const struct net_iov *niov)
{
	return container_of(io_zc_rx_niov_pool(niov), struct io_zc_rx_region,
			    pool);
}

#endif
