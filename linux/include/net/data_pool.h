/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _NET_DATA_POOL_H
#define _NET_DATA_POOL_H

#include <linux/dma-mapping.h>
#include <linux/skbuff.h>
#include <net/netdev_rx_queue.h>
#include <net/page_pool/helpers.h>
#include <net/page_pool/memory_provider.h>

/**
 * DOC: data pool
 *
 * A driver with header split takes the buffers for headers from an ordinary
 * page pool and those for payload from a data pool. A data pool is a page pool
 * that serves one receive queue: of pages, or, while the queue is bound with
 * XDP_SETUP_ZC_RX, of the user's memory. A driver that uses only the functions
 * below and skb frags does not see the difference. It must not look at the
 * payload itself, nor build the linear part of an skb over it.
 */

/**
 * data_pool_create - create the data pool of a receive queue
 * @pp: parameters as for page_pool_create(); netdev and the DMA flags are set.
 *	queue_idx and PP_FLAG_ALLOW_UNREADABLE_NETMEM are filled in here
 * @queue_id: receive queue
 *
 * Context: process; under rtnl.
 * Return: the pool or an ERR_PTR(). To be freed by page_pool_destroy().
 */
static inline struct page_pool *data_pool_create(struct page_pool_params *pp,
						 unsigned int queue_id)
{
	const struct memory_provider_ops *ops;

	ops = __netif_get_rx_queue(pp->netdev, queue_id)->mp_params.mp_ops;
	pp->queue_idx = queue_id;
	if (ops && ops->fixed)
		pp->flags |= PP_FLAG_ALLOW_UNREADABLE_NETMEM;
	else
		pp->flags &= ~PP_FLAG_ALLOW_UNREADABLE_NETMEM;

	return page_pool_create(pp);
}

/**
 * data_pool_is_zc - does a data pool consist of the user's memory
 * @pool: the pool
 *
 * Return: true if it does; then it must not serve for anything but payload.
 */
static inline bool data_pool_is_zc(const struct page_pool *pool)
{
	return pool->mp_ops && pool->mp_ops->fixed;
}

static inline netmem_ref __data_pool_alloc(struct page_pool *pool,
					   unsigned int size,
					   unsigned int *offset, gfp_t gfp)
{
	if (size < PAGE_SIZE)
		return page_pool_alloc_frag_netmem(pool, offset, size, gfp);

	*offset = 0;
	return page_pool_alloc_netmems(pool, gfp);
}

/**
 * data_pool_alloc - take a payload buffer
 * @pool: data pool
 * @spare: page pool of the same queue to take from when @pool is empty, of
 *	buffers not smaller than @size; only if @pool is of the user's memory
 * @size: bytes, at most PAGE_SIZE << order of the pool
 * @offset: out: where the buffer starts in what is returned, bytes
 * @mapping: out: bus address of the buffer's first byte
 * @gfp: allocation flags
 *
 * The user's memory can run out while data waits in a socket for a segment
 * that is missing. That segment needs a buffer, or all of the memory stays
 * where it is for good. The kernel has one; what is in it will be copied.
 *
 * Context: the one that owns the pools' allocation side, NAPI as a rule.
 * Return: the buffer or 0.
 */
static inline netmem_ref data_pool_alloc(struct page_pool *pool,
					 struct page_pool *spare,
					 unsigned int size,
					 unsigned int *offset,
					 dma_addr_t *mapping, gfp_t gfp)
{
	netmem_ref netmem = __data_pool_alloc(pool, size, offset, gfp);

	if (unlikely(!netmem) && data_pool_is_zc(pool))
		netmem = __data_pool_alloc(spare, size, offset, gfp);
	if (netmem)
		*mapping = page_pool_get_dma_addr_netmem(netmem) + *offset;
	return netmem;
}

/**
 * data_pool_is_spare - was a buffer taken in place of the user's memory
 * @pool: data pool that it was taken for
 * @netmem: the buffer
 *
 * Return: true if @pool is of the user's memory and was empty.
 */
static inline bool data_pool_is_spare(const struct page_pool *pool,
				      netmem_ref netmem)
{
	return data_pool_is_zc(pool) && !netmem_is_net_iov(netmem);
}

/**
 * data_pool_free - give back a payload buffer that was never handed on
 * @netmem: the buffer
 *
 * Context: as data_pool_alloc().
 */
static inline void data_pool_free(netmem_ref netmem)
{
	page_pool_put_full_netmem(netmem_get_pp(netmem), netmem, true);
}

/**
 * data_pool_sync_for_cpu - let the CPU see what the device has written
 * @netmem: payload buffer
 * @offset: where it starts in @netmem, bytes
 * @size: bytes
 *
 * Context: any.
 */
static inline void data_pool_sync_for_cpu(netmem_ref netmem,
					  unsigned int offset,
					  unsigned int size)
{
	page_pool_dma_sync_netmem_for_cpu(netmem_get_pp(netmem), netmem,
					  offset, size);
}

/**
 * data_pool_account_skb - account for the payload buffers of an skb
 * @skb: skb whose frags are payload buffers, all of them
 * @size: bytes of memory that each has
 *
 * A buffer of the user's memory is accounted to the user already: charging
 * the socket for its unused end would close the window for nothing, so only
 * the data counts. The user can write to it at any time, just as the sender
 * of a zero copy transmit can: who depends on stable bytes has to copy.
 *
 * Return: bytes of payload in the user's memory.
 */
static inline unsigned int data_pool_account_skb(struct sk_buff *skb,
						 unsigned int size)
{
	struct skb_shared_info *shinfo = skb_shinfo(skb);
	unsigned int fixed = 0;
	int i;

	for (i = 0; i < shinfo->nr_frags; i++) {
		const skb_frag_t *frag = &shinfo->frags[i];

		if (skb_frag_fixed(frag)) {
			skb->truesize += skb_frag_size(frag);
			shinfo->flags |= SKBFL_SHARED_FRAG;
			fixed += skb_frag_size(frag);
		} else {
			skb->truesize += size;
		}
	}
	return fixed;
}

#endif
