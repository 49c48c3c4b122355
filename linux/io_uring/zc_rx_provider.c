// SPDX-License-Identifier: GPL-2.0
/*
 * The buffers of an ifq as memory provider of a page pool, and the way back:
 * from the refill ring to whoever needs a buffer next.
 */
#include <linux/dma-mapping.h>
#include <linux/io_uring_types.h>
#include <linux/netdevice.h>
#include <net/netdev_rx_queue.h>
#include <net/netlink.h>
#include <net/page_pool/helpers.h>
#include <net/page_pool/memory_provider.h>
#include <trace/events/io_uring_zc_rx.h>
#include <uapi/linux/netdev.h>

#include "zc_rx.h"

/*
 * Refill entries that are looked at in one go. A good one is a buffer, of which
 * nobody takes more at once; a user may fill the ring with bad ones.
 */
#define IO_ZC_RX_RQES_PER_CALL	(2 * PP_ALLOC_CACHE_REFILL)

static void io_zc_rx_sync_for_device(const struct net_iov *niov)
{
	struct device *dev = io_zc_rx_niov_pool(niov)->dma_dev;

	if (dev && dma_dev_need_sync(dev))
		dma_sync_single_for_device(dev, niov->dma_addr, PAGE_SIZE,
					   DMA_FROM_DEVICE);
}

/**
 * io_zc_rx_release - a buffer has lost its last reference
 * @niov: buffer
 *
 * Context: process or softirq.
 */
void io_zc_rx_release(struct net_iov *niov)
{
	if (niov->pp)
		zc_rx_netmem_release(net_iov_to_netmem(niov));
	else
		io_zc_rx_pool_put(niov);
}

/* Take the next refill entry; the buffer if that frees it, else NULL */
static struct net_iov *io_zc_rx_refill_one(struct io_zc_rx_ifq *ifq)
{
	struct io_zc_rx_region *region;
	struct io_uring_rbuf_rqe rqe;
	struct net_iov *niov = NULL;
	bool last = false;

	io_rbuf_rq_next(&ifq->rings, &rqe);
	region = xa_load(&ifq->regions, rqe.region);
	if (region && !memchr_inv(rqe.__pad, 0, sizeof(rqe.__pad)))
		niov = io_zc_rx_user_put(&region->pool, rqe.off, &last);
	if (!niov) {
		io_zc_rx_count(ifq, bad_rqes, 1);
		trace_io_zc_rx_bad_rqe(ifq->ifindex, ifq->zc.queue_id,
				       rqe.region, rqe.off);
	}
	return last ? niov : NULL;
}

/* Buffers straight from the refill ring into the page pool's cache */
static void io_zc_rx_refill(struct io_zc_rx_ifq *ifq, struct page_pool *pp)
{
	u32 ready = min(io_rbuf_rq_ready(&ifq->rings), IO_ZC_RX_RQES_PER_CALL);

	while (ready-- && pp->alloc.count < PP_ALLOC_CACHE_REFILL) {
		struct net_iov *niov = io_zc_rx_refill_one(ifq);
		netmem_ref netmem;

		if (!niov)
			continue;
		/* Of another pool: one of before a restart, or the copies. */
		if (unlikely(niov->pp != pp)) {
			io_zc_rx_release(niov);
			continue;
		}
		io_zc_rx_sync_for_device(niov);
		netmem = net_iov_to_netmem(niov);
		pp->alloc.cache[pp->alloc.count++] = netmem;
	}
	io_rbuf_rq_commit(&ifq->rings);
}

static void io_zc_rx_take_free_of(struct io_zc_rx_pool *pool,
				  struct page_pool *pp)
{
	struct net_iov *niovs[PP_ALLOC_CACHE_REFILL];
	u32 i, n;

	n = io_zc_rx_pool_get_bulk(pool, niovs,
				   PP_ALLOC_CACHE_REFILL - pp->alloc.count,
				   pool->reserve);
	for (i = 0; i < n; i++) {
		netmem_ref netmem = net_iov_to_netmem(niovs[i]);

		io_zc_rx_sync_for_device(niovs[i]);
		zc_rx_netmem_attach(pp, netmem);
		pp->alloc.cache[pp->alloc.count++] = netmem;
	}
}

/*
 * Buffers that are in no page pool. The device does not get the last of them:
 * it can do with pages of the kernel, but what it puts there has to be copied.
 */
static void io_zc_rx_take_free(struct io_zc_rx_ifq *ifq, struct page_pool *pp)
{
	struct io_zc_rx_region *region;
	unsigned long id;

	xa_for_each(&ifq->regions, id, region) {
		if (pp->alloc.count == PP_ALLOC_CACHE_REFILL)
			break;
		io_zc_rx_take_free_of(&region->pool, pp);
	}
}

static void io_zc_rx_fill_cache(struct io_zc_rx_ifq *ifq, struct page_pool *pp)
{
	io_zc_rx_refill(ifq, pp);
	if (!pp->alloc.count)
		io_zc_rx_take_free(ifq, pp);
	if (unlikely(!pp->alloc.count)) {
		io_zc_rx_count(ifq, alloc_fail, 1);
		trace_io_zc_rx_alloc_fail(ifq->ifindex, ifq->zc.queue_id);
	}
}

static netmem_ref io_zc_rx_alloc_netmems(struct page_pool *pp, gfp_t gfp)
{
	struct io_zc_rx_ifq *ifq = pp->mp_priv;

	spin_lock_bh(&ifq->rq_lock);
	if (likely(!ifq->ending))
		io_zc_rx_fill_cache(ifq, pp);
	spin_unlock_bh(&ifq->rq_lock);

	return pp->alloc.count ? pp->alloc.cache[--pp->alloc.count] : 0;
}

static bool io_zc_rx_release_netmem(struct page_pool *pp, netmem_ref netmem)
{
	zc_rx_netmem_detach(netmem);
	io_zc_rx_pool_put(netmem_to_net_iov(netmem));
	return false;
}

static int io_zc_rx_pp_init(struct page_pool *pp)
{
	struct io_zc_rx_ifq *ifq = pp->mp_priv;

	if (pp->p.order || !pp->dma_map || pp->p.dev != ifq->dma_dev ||
	    pp->p.dma_dir != DMA_FROM_DEVICE)
		return -EOPNOTSUPP;

	refcount_inc(&ifq->refs);
	return 0;
}

static void io_zc_rx_pp_destroy(struct page_pool *pp)
{
	io_zc_rx_ifq_put(pp->mp_priv);
}

static int io_zc_rx_nl_fill(void *mp_priv, struct sk_buff *rsp,
			    struct netdev_rx_queue *rxq)
{
	int type = rxq ? NETDEV_A_QUEUE_IO_URING : NETDEV_A_PAGE_POOL_IO_URING;
	struct nlattr *nest = nla_nest_start(rsp, type);

	if (!nest)
		return -EMSGSIZE;
	nla_nest_end(rsp, nest);
	return 0;
}

/* The device was closed, so that it writes to no buffer; it is going away. */
static void io_zc_rx_uninstall(void *mp_priv, struct netdev_rx_queue *rxq)
{
	struct io_zc_rx_ifq *ifq = mp_priv;

	io_zc_rx_count(ifq, unbound, 1);
	io_zc_rx_unbind_locked(ifq);
}

const struct memory_provider_ops io_zc_rx_mp_ops = {
	.fixed			= true,
	.alloc_netmems		= io_zc_rx_alloc_netmems,
	.release_netmem		= io_zc_rx_release_netmem,
	.init			= io_zc_rx_pp_init,
	.destroy		= io_zc_rx_pp_destroy,
	.nl_fill		= io_zc_rx_nl_fill,
	.uninstall		= io_zc_rx_uninstall,
};

static struct net_iov *io_zc_rx_find_free(struct io_zc_rx_ifq *ifq)
{
	struct io_zc_rx_region *region;
	struct net_iov *niov = NULL;
	unsigned long id;

	xa_for_each(&ifq->regions, id, region) {
		niov = io_zc_rx_pool_get(&region->pool);
		if (niov)
			break;
	}
	return niov;
}

/**
 * io_zc_rx_drain_rq - take refill entries, though the device asks for no buffer
 * @ifq: ifq
 *
 * Context: process.
 * Return: how many entries were taken, a bounded number; 0 if there is none.
 */
u32 io_zc_rx_drain_rq(struct io_zc_rx_ifq *ifq)
{
	struct net_iov *niov;
	u32 n, i;

	spin_lock_bh(&ifq->rq_lock);
	n = min(io_rbuf_rq_ready(&ifq->rings), IO_ZC_RX_RQES_PER_CALL);
	for (i = 0; i < n; i++) {
		niov = io_zc_rx_refill_one(ifq);
		if (niov)
			io_zc_rx_release(niov);
	}
	io_rbuf_rq_commit(&ifq->rings);
	spin_unlock_bh(&ifq->rq_lock);
	return n;
}

/**
 * io_zc_rx_get_copy_buf - a buffer for data that has to be copied
 * @ifq: ifq
 *
 * Buffers that the user has given back, but that the device has not asked for
 * yet, count as free.
 *
 * Context: process.
 * Return: the buffer with one reference, or NULL.
 */
struct net_iov *io_zc_rx_get_copy_buf(struct io_zc_rx_ifq *ifq)
{
	u32 left = ifq->rings.rq_entries;
	struct net_iov *niov;
	u32 n;

	for (;;) {
		niov = io_zc_rx_find_free(ifq);
		if (niov || !left)
			return niov;
		n = io_zc_rx_drain_rq(ifq);
		/* not for ever, the user may go on writing entries */
		left -= n ? min(n, left) : left;
	}
}
