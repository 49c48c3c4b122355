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

static int dev_zc_rx_check(struct net_device *dev, const struct dev_zc_rx *zc,
			   struct netlink_ext_ack *extack)
{
	struct netdev_rx_queue *rxq;

	if (!netif_device_present(dev)) {
		NL_SET_ERR_MSG(extack, "device is not present");
		return -ENODEV;
	}
	if (dev->reg_state != NETREG_REGISTERED) {
		NL_SET_ERR_MSG(extack, "device is being unregistered");
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
	return 0;
}

/**
 * dev_zc_rx_open - let a receive queue fill the buffers of an ifq
 * @dev: device
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
	rxq->mp_params.mp_ops = zc->ops;

	up = dev->flags & IFF_UP;
	ret = dev_zc_rx_setup(dev, zc, zc->ifq, extack);
	if (!ret)
		return 0;

	memset(&rxq->mp_params, 0, sizeof(rxq->mp_params));
	/* a restart that failed has closed the device: open it as it was */
	if (up && !(dev->flags & IFF_UP))
		dev_open(dev, NULL);
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
 * may still be held by the stack.
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

	memset(&rxq->mp_params, 0, sizeof(rxq->mp_params));
	if (!dev_zc_rx_setup(dev, zc, NULL, NULL) || !up)
		return;

	/* The queue may still be what it was. It must not be. */
	dev_close(dev);
	dev_open(dev, NULL);
}

/**
 * dev_zc_rx_set_cpu - choose where a queue's interrupt and NAPI run
 * @dev: device
 * @queue_id: receive queue
 * @cpu: CPU
 * @extack: gets the reason of a failure
 *
 * Context: process, under rtnl.
 * Return: 0 or an error.
 */
int dev_zc_rx_set_cpu(struct net_device *dev, unsigned int queue_id,
		      unsigned int cpu, struct netlink_ext_ack *extack)
{
	struct napi_struct *napi = __netif_get_rx_queue(dev, queue_id)->napi;

	ASSERT_RTNL();

	if (cpu >= nr_cpu_ids || !cpu_online(cpu)) {
		NL_SET_ERR_MSG_FMT(extack, "CPU %u is not online", cpu);
		return -EINVAL;
	}
	if (!napi || napi->irq <= 0) {
		NL_SET_ERR_MSG(extack, "queue has no interrupt, is the interface up?");
		return -ENETDOWN;
	}
	if (irq_set_affinity(napi->irq, cpumask_of(cpu))) {
		NL_SET_ERR_MSG_FMT(extack, "cannot move interrupt %d to CPU %u",
				   napi->irq, cpu);
		return -EOPNOTSUPP;
	}
	return 0;
}

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
