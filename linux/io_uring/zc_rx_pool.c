// SPDX-License-Identifier: GPL-2.0
/*
 * The pages of a registered buffer as receive buffers. This file knows who
 * holds a buffer; who may ask for one and why is the callers' business.
 */
#include <linux/bvec.h>
#include <linux/dma-mapping.h>
#include <linux/io_uring_types.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <net/page_pool/helpers.h>

#include "io_uring.h"
#include "rsrc.h"
#include "zc_rx_pool.h"

/* Copies come one after the other, and their buffers back soon */
#define IO_ZC_RX_MAX_RESERVE	16

/* Huge folios are one bvec each, and the first may begin inside of its folio */
static void io_zc_rx_pool_fill(struct io_zc_rx_pool *pool,
			       const struct io_mapped_ubuf *imu)
{
	unsigned int i, off;
	u32 n = 0;

	for (i = 0; i < imu->nr_bvecs; i++) {
		const struct bio_vec *bv = &imu->bvec[i];

		for (off = 0; off < bv->bv_len; off += PAGE_SIZE) {
			if (WARN_ON_ONCE(n == pool->nr))
				return;
			pool->niovs[n].page = bv->bv_page +
				((bv->bv_offset + off) >> PAGE_SHIFT);
			pool->niovs[n].fixed_priv = pool;
			/* hand out the beginning of the region first */
			pool->free[pool->nr - 1 - n] = n;
			n++;
		}
	}
	pool->nr_free = n;
}

static void io_zc_rx_pool_free_arrays(struct io_zc_rx_pool *pool)
{
	kvfree(pool->free);
	kvfree(pool->user_refs);
	kvfree(pool->niovs);
	memset(pool, 0, sizeof(*pool));
}

/**
 * io_zc_rx_pool_init - make buffers of the pages of a registered buffer
 * @pool: pool, all zero; stays where it is
 * @imu: registered buffer, page aligned at both ends; has to outlive @pool
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int io_zc_rx_pool_init(struct io_zc_rx_pool *pool,
		       const struct io_mapped_ubuf *imu)
{
	spin_lock_init(&pool->free_lock);
	pool->nr = imu->len >> PAGE_SHIFT;
	pool->reserve = clamp_t(u32, pool->nr / 64, 1, IO_ZC_RX_MAX_RESERVE);
	pool->niovs = kvcalloc(pool->nr, sizeof(*pool->niovs),
			       GFP_KERNEL_ACCOUNT);
	pool->user_refs = kvcalloc(pool->nr, sizeof(*pool->user_refs),
				   GFP_KERNEL_ACCOUNT);
	pool->free = kvcalloc(pool->nr, sizeof(*pool->free),
			      GFP_KERNEL_ACCOUNT);
	if (!pool->niovs || !pool->user_refs || !pool->free) {
		io_zc_rx_pool_free_arrays(pool);
		return -ENOMEM;
	}
	io_zc_rx_pool_fill(pool, imu);
	return 0;
}

/**
 * io_zc_rx_pool_destroy - undo io_zc_rx_pool_init()
 * @pool: pool, with all of its buffers home, or all zero
 *
 * Context: process, may sleep.
 */
void io_zc_rx_pool_destroy(struct io_zc_rx_pool *pool)
{
	WARN_ON_ONCE(pool->dma_dev);
	WARN_ON_ONCE(pool->nr_free != pool->nr);

	io_zc_rx_pool_free_arrays(pool);
}

static void __io_zc_rx_pool_unmap(struct io_zc_rx_pool *pool,
				  struct device *dev, u32 nr)
{
	while (nr--)
		dma_unmap_page_attrs(dev, pool->niovs[nr].dma_addr, PAGE_SIZE,
				     DMA_FROM_DEVICE, DMA_ATTR_SKIP_CPU_SYNC);
}

/**
 * io_zc_rx_pool_map - map all buffers for a device to write to
 * @pool: pool, not mapped
 * @dev: device that does the DMA
 *
 * Mapping leaves the synchronisation to whoever hands a buffer to the device.
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int io_zc_rx_pool_map(struct io_zc_rx_pool *pool, struct device *dev)
{
	u32 i;

	for (i = 0; i < pool->nr; i++) {
		struct net_iov *niov = &pool->niovs[i];

		niov->dma_addr = dma_map_page_attrs(dev, niov->page, 0,
						    PAGE_SIZE, DMA_FROM_DEVICE,
						    DMA_ATTR_SKIP_CPU_SYNC);
		if (dma_mapping_error(dev, niov->dma_addr)) {
			__io_zc_rx_pool_unmap(pool, dev, i);
			return -ENOMEM;
		}
		if (!(i % 1024))
			cond_resched();
	}
	pool->dma_dev = get_device(dev);
	return 0;
}

/**
 * io_zc_rx_pool_unmap - undo io_zc_rx_pool_map()
 * @pool: pool; the device writes to none of its buffers any more
 *
 * Context: process.
 */
void io_zc_rx_pool_unmap(struct io_zc_rx_pool *pool)
{
	struct device *dev = pool->dma_dev;

	if (!dev)
		return;
	pool->dma_dev = NULL;
	__io_zc_rx_pool_unmap(pool, dev, pool->nr);
	put_device(dev);
}

/**
 * io_zc_rx_pool_get_bulk - take buffers that nobody holds
 * @pool: pool
 * @niovs: out: buffers, each with one reference
 * @max: how many to take at most
 * @leave: how many to leave for others
 *
 * Context: process or softirq.
 * Return: how many were taken.
 */
u32 io_zc_rx_pool_get_bulk(struct io_zc_rx_pool *pool, struct net_iov **niovs,
			   u32 max, u32 leave)
{
	u32 i, n;

	spin_lock_bh(&pool->free_lock);
	n = min(max, pool->nr_free - min(leave, pool->nr_free));
	for (i = 0; i < n; i++)
		niovs[i] = &pool->niovs[pool->free[--pool->nr_free]];
	spin_unlock_bh(&pool->free_lock);

	for (i = 0; i < n; i++)
		atomic_long_set(&niovs[i]->pp_ref_count, 1);
	return n;
}

/**
 * io_zc_rx_pool_get - take a buffer that nobody holds
 * @pool: pool
 *
 * Context: process or softirq.
 * Return: the buffer with one reference, or NULL.
 */
struct net_iov *io_zc_rx_pool_get(struct io_zc_rx_pool *pool)
{
	struct net_iov *niov;

	return io_zc_rx_pool_get_bulk(pool, &niov, 1, 0) ? niov : NULL;
}

/**
 * io_zc_rx_pool_put - put a buffer that nobody holds back on the free stack
 * @niov: buffer, in no page pool
 *
 * Context: process or softirq.
 */
void io_zc_rx_pool_put(struct net_iov *niov)
{
	struct io_zc_rx_pool *pool = io_zc_rx_niov_pool(niov);

	spin_lock_bh(&pool->free_lock);
	/* more buffers than there are: one was put twice, losing it is safer */
	if (!WARN_ON_ONCE(pool->nr_free >= pool->nr))
		pool->free[pool->nr_free++] = io_zc_rx_niov_idx(niov);
	spin_unlock_bh(&pool->free_lock);
}

/**
 * io_zc_rx_user_get - give the user a reference
 * @niov: buffer; the caller holds a reference of its own
 *
 * To be called before the user can learn of it: the user may give the
 * reference back at once.
 *
 * Context: any.
 */
void io_zc_rx_user_get(struct net_iov *niov)
{
	struct io_zc_rx_pool *pool = io_zc_rx_niov_pool(niov);

	atomic_long_inc(&niov->pp_ref_count);
	atomic_inc(&pool->user_refs[io_zc_rx_niov_idx(niov)]);
}

/**
 * io_zc_rx_user_put - take back a reference that the user claims to hold
 * @pool: pool
 * @off: any offset in the buffer, in bytes from the start of the region; from
 *	the user, hence anything
 * @last: out: that was the last reference of all; the caller has to free it
 *
 * Context: any; concurrent with itself and with io_zc_rx_user_put_all().
 * Return: the buffer, or NULL if @off is outside of the region or if the user
 * holds no reference.
 */
struct net_iov *io_zc_rx_user_put(struct io_zc_rx_pool *pool, u64 off,
				  bool *last)
{
	struct net_iov *niov;
	u64 idx = off >> PAGE_SHIFT;
	int refs;

	if (idx >= pool->nr)
		return NULL;
	idx = array_index_nospec(idx, pool->nr);

	/* Test and decrement have to be one step: the ring may be closing on
	 * another CPU, which takes all of the user's references away.
	 */
	refs = atomic_read(&pool->user_refs[idx]);
	do {
		if (refs <= 0)
			return NULL;
	} while (!atomic_try_cmpxchg(&pool->user_refs[idx], &refs, refs - 1));

	niov = &pool->niovs[idx];
	*last = !page_pool_unref_netmem(net_iov_to_netmem(niov), 1);
	return niov;
}

/**
 * io_zc_rx_user_put_all - take back all references that the user holds
 * @pool: pool
 * @release: called for each buffer whose last reference that was
 *
 * Context: process.
 */
void io_zc_rx_user_put_all(struct io_zc_rx_pool *pool,
			   void (*release)(struct net_iov *niov))
{
	u32 i;

	for (i = 0; i < pool->nr; i++) {
		struct net_iov *niov = &pool->niovs[i];
		int refs = atomic_xchg(&pool->user_refs[i], 0);

		if (refs &&
		    !page_pool_unref_netmem(net_iov_to_netmem(niov), refs))
			release(niov);
		if (!(i % 1024))
			cond_resched();
	}
}
