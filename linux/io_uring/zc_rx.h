/* SPDX-License-Identifier: GPL-2.0 */
#ifndef IOU_ZC_RX_H
#define IOU_ZC_RX_H

#include <linux/io_uring_types.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <net/net_trackers.h>
#include <net/zc_rx.h>

#include "zc_rx_region.h"
#include "zc_rx_ring.h"

/* What the id of an ifq can be in the offset for mmap(2), see IORING_OFF_* */
#define IO_ZC_RX_MAX_IFQS	\
	(1U << (27 - IORING_OFF_RBUF_SHIFT))

/* NAPI looks through all of them for a free buffer */
#define IO_ZC_RX_MAX_REGIONS	64

struct io_kiocb;
struct io_ring_ctx;
struct netlink_ext_ack;
struct seq_file;
struct vm_area_struct;

/**
 * struct io_zc_rx_ifq - an interface queue: one RX queue that fills regions
 * @zc: the RX queue; @zc.ifq points back here
 * @regions: what it fills, &struct io_zc_rx_region by id. Written under
 *	uring_lock; read under that, or RCU: a region goes with the ifq
 * @nr_regions: number of @regions; uring_lock
 * @rings: refill and completion ring
 * @stats: what @rings has in its header; each field has one writer, which
 *	holds @rq_lock for alloc_fail and bad_rqes, rtnl for unbound, and
 *	uring_lock for the rest
 * @rq_lock: consumer side of the refill ring; taken in process context and in
 *	softirqs
 * @ending: the device gets no more buffers; rq_lock
 * @copy_niov: buffer that copied data goes to, partly filled; uring_lock
 * @copy_off: how far it is filled, in bytes
 * @ifindex: index of the device, for people
 * @netdev: the device while bound; rtnl
 * @netdev_tracker: tracker of the reference on it
 * @dma_dev: what the regions are mapped for, the parent of @netdev, or NULL;
 *	rtnl. Each pool has a reference on it
 * @closed: nothing more is received; uring_lock
 * @nr_reqs: requests that may still use the ifq; uring_lock
 * @refs: the ring, each page pool, and each mmap(2) under way
 * @free_work: frees the ifq once @refs is 0
 */
struct io_zc_rx_ifq {
	struct dev_zc_rx zc;
	struct xarray regions;
	unsigned int nr_regions;
	struct io_rbuf_rings rings;
	struct io_uring_zc_rx_stats stats;
	spinlock_t rq_lock; /* consumer side of the refill ring */
	bool ending;

	struct net_iov *copy_niov;
	unsigned int copy_off;

	unsigned int ifindex;
	struct net_device *netdev;
	netdevice_tracker netdev_tracker;
	struct device *dma_dev;
	bool closed;
	unsigned int nr_reqs;

	refcount_t refs;
	struct work_struct free_work;
};

/* Count, and let the user see it */
#define io_zc_rx_count(ifq, field, n) do {				\
	struct io_zc_rx_ifq *__ifq = (ifq);				\
									\
	__ifq->stats.field += (n);					\
	WRITE_ONCE(__ifq->rings.hdr->stats.field, __ifq->stats.field);	\
} while (0)

#ifdef CONFIG_IO_URING_ZC_RX
int io_register_zc_rx_ifq(struct io_ring_ctx *ctx, void __user *arg);
int io_register_zc_rx_ctrl(struct io_ring_ctx *ctx, void __user *arg);
void io_zc_rx_close_all(struct io_ring_ctx *ctx);
void io_zc_rx_free_all(struct io_ring_ctx *ctx);
void io_zc_rx_show_fdinfo(struct seq_file *m, struct io_ring_ctx *ctx);

struct io_zc_rx_ifq *io_zc_rx_mmap_get(struct io_ring_ctx *ctx, loff_t offset);
int io_zc_rx_mmap(struct io_ring_ctx *ctx, struct vm_area_struct *vma);
void io_zc_rx_ifq_put(struct io_zc_rx_ifq *ifq);
#else
static inline int io_register_zc_rx_ifq(struct io_ring_ctx *ctx,
					void __user *arg)
{
	return -EOPNOTSUPP;
}

static inline int io_register_zc_rx_ctrl(struct io_ring_ctx *ctx,
					 void __user *arg)
{
	return -EOPNOTSUPP;
}

static inline void io_zc_rx_close_all(struct io_ring_ctx *ctx)
{
}

static inline void io_zc_rx_free_all(struct io_ring_ctx *ctx)
{
}

static inline void io_zc_rx_show_fdinfo(struct seq_file *m,
					struct io_ring_ctx *ctx)
{
}

static inline struct io_zc_rx_ifq *io_zc_rx_mmap_get(struct io_ring_ctx *ctx,
						     loff_t offset)
{
	return NULL;
}

static inline int io_zc_rx_mmap(struct io_ring_ctx *ctx,
				struct vm_area_struct *vma)
{
	return -EINVAL;
}

static inline void io_zc_rx_ifq_put(struct io_zc_rx_ifq *ifq)
{
}
#endif

extern const struct memory_provider_ops io_zc_rx_mp_ops;

int io_zc_rx_reserve_id(struct io_ring_ctx *ctx, u32 *id,
			struct netlink_ext_ack *extack);
u32 io_zc_rx_drain_rq(struct io_zc_rx_ifq *ifq);
struct net_iov *io_zc_rx_get_copy_buf(struct io_zc_rx_ifq *ifq);
void io_zc_rx_release(struct net_iov *niov);
void io_zc_rx_unbind_locked(struct io_zc_rx_ifq *ifq);

int io_recvzc_prep(struct io_kiocb *req, const struct io_uring_sqe *sqe);
int io_recvzc(struct io_kiocb *req, unsigned int issue_flags);
void io_recvzc_cleanup(struct io_kiocb *req);

#endif
