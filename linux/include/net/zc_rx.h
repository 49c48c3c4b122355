/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _NET_ZC_RX_H
#define _NET_ZC_RX_H

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
 */
struct dev_zc_rx {
	struct io_zc_rx_ifq *ifq;
	const struct memory_provider_ops *ops;
	unsigned int queue_id;
	u32 nr_bufs;
};

int dev_zc_rx_open(struct net_device *dev, const struct dev_zc_rx *zc,
		   struct netlink_ext_ack *extack);
void dev_zc_rx_close(struct net_device *dev, const struct dev_zc_rx *zc);
int dev_zc_rx_set_cpu(struct net_device *dev, unsigned int queue_id,
		      unsigned int cpu, struct netlink_ext_ack *extack);

void zc_rx_netmem_attach(struct page_pool *pool, netmem_ref netmem);
void zc_rx_netmem_detach(netmem_ref netmem);
void zc_rx_netmem_release(netmem_ref netmem);

#endif
