/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _NET_ZC_RX_H
#define _NET_ZC_RX_H

#include <linux/netdev_features.h>
#include <net/netmem.h>
#include <net/page_pool/types.h>

struct io_zc_rx_ifq;
struct memory_provider_ops;
struct net_device;
struct netlink_ext_ack;

/**
 * struct dev_zc_rx - a binding of a receive queue to an ifq
 * @ifq: what the queue is bound to, private data of the memory provider
 * @ops: memory provider of the queue's data pool
 * @queue_id: receive queue
 * @nr_bufs: payload buffers that @ifq can give, of PAGE_SIZE
 * @cpu: where the queue's interrupt and NAPI are to run, -1 for anywhere
 *
 * The device refers to it from dev_zc_rx_open() to dev_zc_rx_close().
 */
struct dev_zc_rx {
	struct io_zc_rx_ifq *ifq;
	const struct memory_provider_ops *ops;
	unsigned int queue_id;
	u32 nr_bufs;
	int cpu;
};

int dev_zc_rx_open(struct net_device *dev, const struct dev_zc_rx *zc,
		   struct netlink_ext_ack *extack);
void dev_zc_rx_close(struct net_device *dev, const struct dev_zc_rx *zc);

void zc_rx_netmem_attach(struct page_pool *pool, netmem_ref netmem);
void zc_rx_netmem_detach(netmem_ref netmem);
void zc_rx_netmem_release(netmem_ref netmem);

#ifdef CONFIG_IO_URING_ZC_RX
void dev_zc_rx_place_irq(struct net_device *dev, unsigned int queue_id,
			 unsigned int irq);
int dev_zc_rx_check_change(struct net_device *dev, unsigned int mtu,
			   netdev_features_t features,
			   struct netlink_ext_ack *extack);
#else
static inline void dev_zc_rx_place_irq(struct net_device *dev,
				       unsigned int queue_id, unsigned int irq)
{
}

static inline int dev_zc_rx_check_change(struct net_device *dev,
					 unsigned int mtu,
					 netdev_features_t features,
					 struct netlink_ext_ack *extack)
{
	return 0;
}
#endif

#endif
