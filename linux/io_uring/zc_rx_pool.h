/* SPDX-License-Identifier: GPL-2.0 */
#ifndef IOU_ZC_RX_POOL_H
#define IOU_ZC_RX_POOL_H

#include <linux/atomic.h>
#include <linux/device.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <net/netmem.h>

struct io_mapped_ubuf;

/**
 * struct io_zc_rx_pool - the pages of a region as receive buffers
 * @niovs: one buffer a page, in the order of the region
 * @user_refs: for each buffer, what the user was handed and owes
 * @nr: number of buffers
 * @dma_dev: device that they are mapped for, or NULL
 * @free_lock: of @free and @nr_free; taken in process context and in softirqs
 * @reserve: how many buffers of the stack are for copies only
 * @free: indices of the buffers that nobody holds, a stack
 * @nr_free: depth of that stack
 *
 * A buffer is on the free stack, or attached to a page pool, or lent to the
 * copying receive path. In the latter two states pp_ref_count of its net_iov
 * counts the kernel's references plus one for each of the user's.
 */
struct io_zc_rx_pool {
	struct net_iov *niovs;
	atomic_t *user_refs;
	u32 nr;
	u32 reserve;
	struct device *dma_dev;

	spinlock_t free_lock ____cacheline_aligned_in_smp;
	u32 *free;
	u32 nr_free;
};

int io_zc_rx_pool_init(struct io_zc_rx_pool *pool,
		       const struct io_mapped_ubuf *imu);
void io_zc_rx_pool_destroy(struct io_zc_rx_pool *pool);

int io_zc_rx_pool_map(struct io_zc_rx_pool *pool, struct device *dev);
void io_zc_rx_pool_unmap(struct io_zc_rx_pool *pool);

struct net_iov *io_zc_rx_pool_get(struct io_zc_rx_pool *pool);
u32 io_zc_rx_pool_get_bulk(struct io_zc_rx_pool *pool, struct net_iov **niovs,
			   u32 max, u32 leave);
void io_zc_rx_pool_put(struct net_iov *niov);

void io_zc_rx_user_get(struct net_iov *niov);
struct net_iov *io_zc_rx_user_put(struct io_zc_rx_pool *pool, u64 off,
				  bool *last);
void io_zc_rx_user_put_all(struct io_zc_rx_pool *pool,
			   void (*release)(struct net_iov *niov));

/* The pool that a buffer is one of */
static inline struct io_zc_rx_pool *
io_zc_rx_niov_pool(const struct net_iov *niov)
{
	return niov->fixed_priv;
}

/* Position of a buffer in its region, in pages */
static inline u32 io_zc_rx_niov_idx(const struct net_iov *niov)
{
	return niov - io_zc_rx_niov_pool(niov)->niovs;
}

#endif
