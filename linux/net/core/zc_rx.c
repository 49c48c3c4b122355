// SPDX-License-Identifier: GPL-2.0
/*
 * The device side of zero copy receive into user memory: what has to hold for
 * a receive queue before it may be bound, and what a memory provider outside
 * of net/ needs of the page pool.
 */
#include <linux/interrupt.h>
#include <linux/netdevice.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/netdev_rx_queue.h>
#include <net/page_pool/helpers.h>
#include <net/page_pool/memory_provider.h>
#include <net/xdp_sock_drv.h>
#include <net/zc_rx.h>
#include <trace/events/page_pool.h>

#include "page_pool_priv.h"

static int dev_zc_rx_setup(struct net_device *dev, const struct dev_zc_rx *zc,
			   struct io_zc_rx_ifq *ifq,
			   struct netlink_ext_ack *extack)
{
	struct netdev_bpf cmd = {
		.command = XDP_SETUP_ZC_RX,
		.zc_rx = {
			.ifq = ifq,
			.queue_id = zc->queue_id,
			.nr_bufs = zc->nr_bufs,
			.extack = extack,
		},
	};

	return dev->netdev_ops->ndo_bpf(dev, &cmd);
}

static int dev_zc_rx_check_cpu(int cpu, struct netlink_ext_ack *extack)
{
	if (cpu < 0 || (cpu < nr_cpu_ids && cpu_online(cpu)))
		return 0;
	NL_SET_ERR_MSG_FMT(extack, "CPU %d is not online", cpu);
	return -EINVAL;
}

/* If the interface is down there is no interrupt yet, see place_irq() */
static int dev_zc_rx_set_cpu(const struct netdev_rx_queue *rxq,
			     struct netlink_ext_ack *extack)
{
	int cpu = rxq->zc_rx->cpu;

	if (cpu < 0 || !rxq->napi || rxq->napi->irq <= 0)
		return 0;
	if (!irq_set_affinity(rxq->napi->irq, cpumask_of(cpu)))
		return 0;
	NL_SET_ERR_MSG_FMT(extack, "cannot move interrupt %d to CPU %d",
			   rxq->napi->irq, cpu);
	return -EOPNOTSUPP;
}

static int dev_zc_rx_check(struct net_device *dev, const struct dev_zc_rx *zc,
			   struct netlink_ext_ack *extack)
{
	struct netdev_rx_queue *rxq;

	if (!netif_device_present(dev)) {
		NL_SET_ERR_MSG(extack, "device is not present");
		return -ENODEV;
	}
	if (!dev->netdev_ops->ndo_bpf) {
		NL_SET_ERR_MSG(extack, "driver has no zero copy receive");
		return -EOPNOTSUPP;
	}
	if (zc->queue_id >= dev->real_num_rx_queues) {
		NL_SET_ERR_MSG_FMT(extack, "no RX queue %u, device has %u",
				   zc->queue_id, dev->real_num_rx_queues);
		return -ERANGE;
	}
	if (dev_xdp_prog_count(dev)) {
		NL_SET_ERR_MSG(extack, "an XDP program is attached");
		return -EEXIST;
	}
	if (xsk_get_pool_from_qid(dev, zc->queue_id)) {
		NL_SET_ERR_MSG(extack, "queue is bound to an AF_XDP socket");
		return -EBUSY;
	}
	rxq = __netif_get_rx_queue(dev, zc->queue_id);
	if (rxq->mp_params.mp_ops) {
		NL_SET_ERR_MSG(extack, "queue is bound already");
		return -EEXIST;
	}
	return dev_zc_rx_check_cpu(zc->cpu, extack);
}

static void dev_zc_rx_forget(struct netdev_rx_queue *rxq)
{
	ASSERT_RTNL();

	WRITE_ONCE(rxq->mp_params.mp_ops, NULL);
	rxq->mp_params.mp_priv = NULL;
	rxq->zc_rx = NULL;
}

/**
 * dev_zc_rx_open - let a receive queue fill the buffers of an ifq
 * @dev: device, looked up under this rtnl: none that is being unregistered
 * @zc: what to bind
 * @extack: gets the reason of a failure
 *
 * Context: process, under rtnl. May close and open the device.
 * Return: 0, or an error with nothing changed.
 */
int dev_zc_rx_open(struct net_device *dev, const struct dev_zc_rx *zc,
		   struct netlink_ext_ack *extack)
{
	struct netdev_rx_queue *rxq;
	bool up;
	int ret;

	ASSERT_RTNL();

	ret = dev_zc_rx_check(dev, zc, extack);
	if (ret)
		return ret;

	rxq = __netif_get_rx_queue(dev, zc->queue_id);
	rxq->mp_params.mp_priv = zc->ifq;
	/* read without rtnl when accelerated RFS steers */
	WRITE_ONCE(rxq->mp_params.mp_ops, zc->ops);
	rxq->zc_rx = zc;

	up = dev->flags & IFF_UP;
	ret = dev_zc_rx_setup(dev, zc, zc->ifq, extack);
	if (!ret) {
		ret = dev_zc_rx_set_cpu(rxq, extack);
		if (ret)
			dev_zc_rx_close(dev, zc);
		return ret;
	}

	dev_zc_rx_forget(rxq);
	/* a restart that failed has closed the device: open it as it was */
	if (up && !(dev->flags & IFF_UP))
		dev_open(dev, NULL);
	page_pool_end_dma_sync(dev, zc->ifq);
	/* what drivers answer to a command that they do not know */
	if (ret == -EINVAL && !(extack && extack->_msg)) {
		NL_SET_ERR_MSG(extack, "driver has no zero copy receive");
		ret = -EOPNOTSUPP;
	}
	return ret;
}

/**
 * dev_zc_rx_close - end what dev_zc_rx_open() began
 * @dev: device
 * @zc: what was bound
 *
 * When this returns, the device writes to no buffer of the ifq any more. Some
 * may still be held by the stack, and come back to page pools that the device
 * still has. After synchronize_net() nobody syncs them for it any more.
 *
 * Context: process, under rtnl. May close and open the device.
 */
void dev_zc_rx_close(struct net_device *dev, const struct dev_zc_rx *zc)
{
	struct netdev_rx_queue *rxq = __netif_get_rx_queue(dev, zc->queue_id);
	bool up = dev->flags & IFF_UP;

	ASSERT_RTNL();

	if (WARN_ON_ONCE(rxq->mp_params.mp_priv != zc->ifq))
		return;

	dev_zc_rx_forget(rxq);
	if (dev_zc_rx_setup(dev, zc, NULL, NULL) && up) {
		/* The queue may still be what it was. It must not be. */
		dev_close(dev);
		dev_open(dev, NULL);
	}
	page_pool_end_dma_sync(dev, zc->ifq);
}

static bool dev_zc_rx_bound(const struct net_device *dev)
{
	unsigned int i;

	for (i = 0; i < dev->num_rx_queues; i++)
		if (dev->_rx[i].zc_rx)
			return true;
	return false;
}

/**
 * dev_zc_rx_check_change - may a device with bound queues be changed?
 * @dev: device
 * @mtu: MTU that it is to have
 * @features: features that the user wants it to have
 * @extack: gets the reason if it may not
 *
 * The operations that change these cannot give a reason themselves.
 *
 * Context: process, under rtnl.
 * Return: 0, or an error: bound queues could not go on without copies.
 */
int dev_zc_rx_check_change(struct net_device *dev, unsigned int mtu,
			   netdev_features_t features,
			   struct netlink_ext_ack *extack)
{
	struct netdev_bpf cmd = {
		.command = XDP_CHECK_ZC_RX,
		.zc_rx_change = {
			.mtu = mtu,
			.features = features,
			.extack = extack,
		},
	};

	ASSERT_RTNL();

	if (!dev_zc_rx_bound(dev))
		return 0;
	return dev->netdev_ops->ndo_bpf(dev, &cmd);
}

/**
 * dev_zc_rx_place_irq - move a queue's interrupt to the CPU of its binding
 * @dev: device
 * @queue_id: receive queue
 * @irq: the interrupt that its NAPI has now
 *
 * For drivers: whenever they have requested the interrupt of a receive queue
 * and chosen a CPU for it. Does nothing for a queue without a binding, and for
 * one that left the CPU open. The binding asked for it and got it once; that
 * it is not to be had any more, because the CPU is offline, is no reason to
 * leave the device down.
 *
 * Context: process, under rtnl.
 */
void dev_zc_rx_place_irq(struct net_device *dev, unsigned int queue_id,
			 unsigned int irq)
{
	const struct dev_zc_rx *zc = __netif_get_rx_queue(dev, queue_id)->zc_rx;

	ASSERT_RTNL();

	if (zc && zc->cpu >= 0 && irq_set_affinity(irq, cpumask_of(zc->cpu)))
		netdev_warn(dev, "cannot move interrupt %u of RX queue %u to CPU %d\n",
			    irq, queue_id, zc->cpu);
}
EXPORT_SYMBOL_GPL(dev_zc_rx_place_irq);

/**
 * zc_rx_netmem_attach - hand a buffer to a page pool
 * @pool: the pool
 * @netmem: the buffer, of the pool's memory provider
 *
 * The pool counts it as in flight until it comes back through
 * &memory_provider_ops.release_netmem.
 *
 * Context: that of &memory_provider_ops.alloc_netmems.
 */
void zc_rx_netmem_attach(struct page_pool *pool, netmem_ref netmem)
{
	page_pool_set_pp_info(pool, netmem);
	pool->pages_state_hold_cnt++;
	trace_page_pool_state_hold(pool, netmem, pool->pages_state_hold_cnt);
}

/**
 * zc_rx_netmem_detach - a buffer has come back from its page pool
 * @netmem: the buffer
 *
 * Context: that of &memory_provider_ops.release_netmem.
 */
void zc_rx_netmem_detach(netmem_ref netmem)
{
	page_pool_clear_pp_info(netmem);
}

/**
 * zc_rx_netmem_release - take a buffer that nobody refers to out of its pool
 * @netmem: the buffer, attached to a pool, with its last reference dropped
 *
 * Ends in &memory_provider_ops.release_netmem. The pool may be gone then.
 *
 * Context: any but hard interrupts.
 */
void zc_rx_netmem_release(netmem_ref netmem)
{
	page_pool_return_page(netmem_get_pp(netmem), netmem);
}
