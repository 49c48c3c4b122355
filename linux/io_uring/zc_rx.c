// SPDX-License-Identifier: GPL-2.0
/*
 * Interface queues: registration, lifetime.
 *
 * An ifq is held by the ring that registered it, by each page pool that its
 * buffers are in, and for the time of an mmap(2). When the ring goes, the RX
 * queue is unbound and the user's references are taken back. Buffers that are
 * still in sockets come back one by one, and the last of them frees the ifq
 * with the last page pool. Nothing of this waits, and nothing has a time limit.
 */
#include <linux/build_bug.h>
#include <linux/capability.h>
#include <linux/io_uring.h>
#include <linux/log2.h>
#include <linux/netdevice.h>
#include <linux/netlink.h>
#include <linux/nospec.h>
#include <linux/nsproxy.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <net/net_namespace.h>
#include <net/page_pool/helpers.h>

#include "io_uring.h"
#include "memmap.h"
#include "zc_rx.h"

#define CREATE_TRACE_POINTS
#include <trace/events/io_uring_zc_rx.h>

/* Programs are compiled with these; what is new goes into the reserved fields */
static_assert(sizeof(struct io_uring_rbuf_rqe) == 16);
static_assert(sizeof(struct io_uring_rbuf_cqe) == 16);
static_assert(sizeof(struct io_uring_zc_rx_stats) == 128);
static_assert(sizeof(struct io_uring_zc_rx_ifq_reg) == 128);
static_assert(sizeof(struct io_uring_zc_rx_ctrl) == 56);

static void io_zc_rx_ifq_free(struct io_zc_rx_ifq *ifq)
{
	struct io_zc_rx_region *region;
	unsigned long id;

	trace_io_zc_rx_free(ifq->ifindex, ifq->zc.queue_id);
	xa_for_each(&ifq->regions, id, region)
		io_zc_rx_region_free(region);
	xa_destroy(&ifq->regions);
	io_rbuf_rings_free(&ifq->rings);
	kfree(ifq);
}

static void io_zc_rx_free_work(struct work_struct *work)
{
	io_zc_rx_ifq_free(container_of(work, struct io_zc_rx_ifq, free_work));
}

/**
 * io_zc_rx_ifq_put - drop a reference
 * @ifq: ifq
 *
 * Context: any but hard interrupts.
 */
void io_zc_rx_ifq_put(struct io_zc_rx_ifq *ifq)
{
	if (refcount_dec_and_test(&ifq->refs))
		queue_work(system_unbound_wq, &ifq->free_work);
}

/*
 * The same where one may sleep: if nobody else holds the ifq, its regions can be
 * used again when this returns.
 */
static void io_zc_rx_ifq_put_now(struct io_zc_rx_ifq *ifq)
{
	if (refcount_dec_and_test(&ifq->refs))
		io_zc_rx_ifq_free(ifq);
}

/**
 * io_zc_rx_mmap_get - look up the ifq that an mmap(2) is for
 * @ctx: ring
 * @offset: offset of the mmap(2), IORING_OFF_RBUF_RING
 *
 * Context: process; mmap_lock is held, so that uring_lock can't be taken.
 * Return: the ifq with a reference, or NULL.
 */
struct io_zc_rx_ifq *io_zc_rx_mmap_get(struct io_ring_ctx *ctx, loff_t offset)
{
	struct io_zc_rx_ifq *ifq;
	u32 id;

	id = (offset & ~IORING_OFF_MMAP_MASK) >> IORING_OFF_RBUF_SHIFT;

	xa_lock(&ctx->zc_rx_ifqs);
	ifq = xa_load(&ctx->zc_rx_ifqs, id);
	if (ifq && !refcount_inc_not_zero(&ifq->refs))
		ifq = NULL;
	xa_unlock(&ctx->zc_rx_ifqs);
	return ifq;
}

/**
 * io_zc_rx_mmap - map the rings of an ifq
 * @ctx: ring
 * @vma: where to map them
 *
 * Context: process, under mmap_lock.
 * Return: 0 or an error.
 */
int io_zc_rx_mmap(struct io_ring_ctx *ctx, struct vm_area_struct *vma)
{
	u64 offset = (u64)vma->vm_pgoff << PAGE_SHIFT;
	struct io_zc_rx_ifq *ifq = io_zc_rx_mmap_get(ctx, offset);
	int ret = -EINVAL;

	if (!ifq)
		return ret;
	/* the rings are mapped from their start, as far as they go */
	if (!(offset & ((1U << IORING_OFF_RBUF_SHIFT) - 1)) &&
	    vma_pages(vma) <= ifq->rings.nr_pages)
		ret = io_uring_mmap_pages(ctx, vma, ifq->rings.pages,
					  vma_pages(vma));
	io_zc_rx_ifq_put(ifq);
	return ret;
}

static int io_zc_rx_check_reg(struct io_ring_ctx *ctx,
			      const struct io_uring_zc_rx_ifq_reg *reg,
			      struct netlink_ext_ack *extack)
{
	if (!(ctx->flags & IORING_SETUP_DEFER_TASKRUN)) {
		NL_SET_ERR_MSG(extack, "ring was not set up with IORING_SETUP_DEFER_TASKRUN");
		return -EINVAL;
	}
	if (reg->flags & ~IORING_ZC_RX_IFQ_CPU) {
		NL_SET_ERR_MSG_FMT(extack, "unknown flags 0x%x",
				   reg->flags & ~IORING_ZC_RX_IFQ_CPU);
		return -EINVAL;
	}
	if (reg->__resv0 || memchr_inv(reg->__resv, 0, sizeof(reg->__resv)) ||
	    (reg->cpu && !(reg->flags & IORING_ZC_RX_IFQ_CPU))) {
		NL_SET_ERR_MSG(extack, "a reserved field, or cpu without its flag, is not 0");
		return -EINVAL;
	}
	if (!is_power_of_2(reg->rq_entries) ||
	    reg->rq_entries > IO_RBUF_MAX_RQ_ENTRIES) {
		NL_SET_ERR_MSG_FMT(extack, "rq_entries %u is not a power of two in 1..%u",
				   reg->rq_entries, IO_RBUF_MAX_RQ_ENTRIES);
		return -EINVAL;
	}
	if (!is_power_of_2(reg->cq_entries) ||
	    reg->cq_entries > IO_RBUF_MAX_CQ_ENTRIES) {
		NL_SET_ERR_MSG_FMT(extack, "cq_entries %u is not a power of two in 1..%u",
				   reg->cq_entries, IO_RBUF_MAX_CQ_ENTRIES);
		return -EINVAL;
	}
	return 0;
}

/*
 * Make a registered buffer a region of the ifq. While the RX queue is bound the
 * device may write to it from now on.
 */
static int io_zc_rx_add_region(struct io_ring_ctx *ctx,
			       struct io_zc_rx_ifq *ifq, u32 id,
			       struct netlink_ext_ack *extack)
{
	struct io_zc_rx_region *region;
	int ret;

	if (ifq->nr_regions == IO_ZC_RX_MAX_REGIONS) {
		NL_SET_ERR_MSG_FMT(extack, "the ifq has %u regions already",
				   IO_ZC_RX_MAX_REGIONS);
		return -ENOSPC;
	}
	if (xa_load(&ifq->regions, id)) {
		NL_SET_ERR_MSG_FMT(extack, "registered buffer %u is a region of the ifq already",
				   id);
		return -EEXIST;
	}
	region = io_zc_rx_region_alloc(ctx, id, extack);
	if (IS_ERR(region))
		return PTR_ERR(region);

	if (ifq->dma_dev) {
		ret = io_zc_rx_pool_map(&region->pool, ifq->dma_dev);
		if (ret) {
			NL_SET_ERR_MSG(extack, "cannot map the region for DMA");
			goto free_region;
		}
	}
	ret = xa_insert(&ifq->regions, id, region, GFP_KERNEL_ACCOUNT);
	if (ret) {
		NL_SET_ERR_MSG(extack, "no memory for the region");
		goto unmap_pool;
	}
	ifq->nr_regions++;
	ifq->zc.nr_bufs += region->pool.nr;
	return 0;

unmap_pool:
	io_zc_rx_pool_unmap(&region->pool);
free_region:
	io_zc_rx_region_free(region);
	return ret;
}

static struct io_zc_rx_ifq *
io_zc_rx_ifq_alloc(struct io_ring_ctx *ctx,
		   const struct io_uring_zc_rx_ifq_reg *reg,
		   struct netlink_ext_ack *extack)
{
	struct io_zc_rx_ifq *ifq = kzalloc(sizeof(*ifq), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!ifq) {
		NL_SET_ERR_MSG(extack, "no memory for the ifq");
		return ERR_PTR(-ENOMEM);
	}

	refcount_set(&ifq->refs, 1);
	spin_lock_init(&ifq->rq_lock);
	xa_init_flags(&ifq->regions, XA_FLAGS_ACCOUNT);
	INIT_WORK(&ifq->free_work, io_zc_rx_free_work);
	ifq->ifindex = reg->if_idx;
	ifq->zc = (struct dev_zc_rx) {
		.ifq = ifq,
		.ops = &io_zc_rx_mp_ops,
		.queue_id = reg->if_rxq_id,
		.cpu = reg->flags & IORING_ZC_RX_IFQ_CPU ? reg->cpu : -1,
	};

	ret = io_rbuf_rings_alloc(&ifq->rings, reg->rq_entries,
				  reg->cq_entries);
	if (ret)
		NL_SET_ERR_MSG(extack, "no memory for the rings");
	else
		ret = io_zc_rx_add_region(ctx, ifq, reg->region_id, extack);
	if (ret) {
		io_zc_rx_ifq_free(ifq);
		return ERR_PTR(ret);
	}
	return ifq;
}

/* Undo io_zc_rx_map_regions(). Under rtnl. */
static void io_zc_rx_unmap_regions(struct io_zc_rx_ifq *ifq)
{
	struct io_zc_rx_region *region;
	unsigned long id;

	ifq->dma_dev = NULL;
	xa_for_each(&ifq->regions, id, region)
		io_zc_rx_pool_unmap(&region->pool);
}

static int io_zc_rx_map_regions(struct io_zc_rx_ifq *ifq, struct device *dev)
{
	struct io_zc_rx_region *region;
	unsigned long id;
	int ret;

	ifq->dma_dev = dev;
	xa_for_each(&ifq->regions, id, region) {
		ret = io_zc_rx_pool_map(&region->pool, dev);
		if (ret) {
			io_zc_rx_unmap_regions(ifq);
			return ret;
		}
	}
	return 0;
}

/**
 * io_zc_rx_unbind_locked - undo io_zc_rx_bind_locked()
 * @ifq: ifq that is bound
 *
 * When this returns, the device writes to no buffer of the ifq any more.
 *
 * Context: process, under rtnl.
 */
void io_zc_rx_unbind_locked(struct io_zc_rx_ifq *ifq)
{
	dev_zc_rx_close(ifq->netdev, &ifq->zc);
	/* those who free buffers may still be about to sync them */
	synchronize_net();
	io_zc_rx_unmap_regions(ifq);
	netdev_put(ifq->netdev, &ifq->netdev_tracker);
	ifq->netdev = NULL;
	trace_io_zc_rx_unbind(ifq->ifindex, ifq->zc.queue_id);
}

/* Undo io_zc_rx_bind(). The device may be gone: then that undid it. */
static void io_zc_rx_unbind(struct io_zc_rx_ifq *ifq)
{
	rtnl_lock();
	if (ifq->netdev)
		io_zc_rx_unbind_locked(ifq);
	rtnl_unlock();
}

static int io_zc_rx_bind_locked(struct io_zc_rx_ifq *ifq,
				const struct io_uring_zc_rx_ifq_reg *reg,
				struct netlink_ext_ack *extack)
{
	struct net_device *dev;
	int ret;

	dev = netdev_get_by_index(current->nsproxy->net_ns, reg->if_idx,
				  &ifq->netdev_tracker, GFP_KERNEL);
	if (!dev) {
		NL_SET_ERR_MSG_FMT(extack, "no interface with index %u in this network namespace",
				   reg->if_idx);
		return -ENODEV;
	}
	if (!dev->dev.parent || !dev->dev.parent->dma_mask) {
		NL_SET_ERR_MSG(extack, "virtual interface, it has no device that does DMA");
		ret = -EOPNOTSUPP;
		goto put_dev;
	}
	ret = io_zc_rx_map_regions(ifq, dev->dev.parent);
	if (ret) {
		NL_SET_ERR_MSG(extack, "cannot map the region for DMA");
		goto put_dev;
	}
	ret = dev_zc_rx_open(dev, &ifq->zc, extack);
	if (ret)
		goto unmap_regions;

	ifq->netdev = dev;
	return 0;

unmap_regions:
	/* a page pool of the failed attempt may still be emptying */
	synchronize_net();
	io_zc_rx_unmap_regions(ifq);
put_dev:
	netdev_put(dev, &ifq->netdev_tracker);
	return ret;
}

static int io_zc_rx_bind(struct io_zc_rx_ifq *ifq,
			 const struct io_uring_zc_rx_ifq_reg *reg,
			 struct netlink_ext_ack *extack)
{
	int ret;

	rtnl_lock();
	ret = io_zc_rx_bind_locked(ifq, reg, extack);
	trace_io_zc_rx_bind(ifq->ifindex, ifq->zc.queue_id, ifq->zc.nr_bufs,
			    ret);
	rtnl_unlock();
	return ret;
}

/**
 * io_zc_rx_reserve_id() - take the number that a new ifq is going to have
 * @ctx: ring
 * @id: gets the number
 * @extack: gets the reason of a failure
 *
 * Nobody finds an ifq there before it is stored, which is when it works.
 *
 * Context: process, under uring_lock.
 * Return: 0, -EBUSY if the ring has as many as it can, or -ENOMEM.
 */
int io_zc_rx_reserve_id(struct io_ring_ctx *ctx, u32 *id,
			struct netlink_ext_ack *extack)
{
	int ret = xa_alloc(&ctx->zc_rx_ifqs, id, NULL,
			   XA_LIMIT(0, IO_ZC_RX_MAX_IFQS - 1), GFP_KERNEL);

	if (ret == -EBUSY)
		NL_SET_ERR_MSG_FMT(extack, "the ring has %u ifqs already",
				   IO_ZC_RX_MAX_IFQS);
	else if (ret)
		NL_SET_ERR_MSG(extack, "no memory for the ifq");
	return ret;
}

static int io_zc_rx_register(struct io_ring_ctx *ctx,
			     struct io_uring_zc_rx_ifq_reg *reg,
			     void __user *arg, struct netlink_ext_ack *extack)
{
	struct net *net = current->nsproxy->net_ns;
	struct io_zc_rx_ifq *ifq;
	u32 id;
	int ret;

	/* A bound queue shows payload of whatever flow the device puts there. */
	if (!ns_capable(net->user_ns, CAP_NET_ADMIN)) {
		NL_SET_ERR_MSG(extack, "needs CAP_NET_ADMIN where the network belongs to");
		return -EPERM;
	}
	ret = io_zc_rx_check_reg(ctx, reg, extack);
	if (ret)
		return ret;

	ifq = io_zc_rx_ifq_alloc(ctx, reg, extack);
	if (IS_ERR(ifq))
		return PTR_ERR(ifq);

	ret = io_zc_rx_reserve_id(ctx, &id, extack);
	if (ret)
		goto put_ifq;

	io_rbuf_rings_describe(&ifq->rings, reg);
	reg->zcrx_ifq_idx = id;
	reg->mmap_off = IORING_OFF_RBUF_RING |
			((u64)id << IORING_OFF_RBUF_SHIFT);
	if (copy_to_user(arg, reg, sizeof(*reg))) {
		NL_SET_ERR_MSG(extack, "the argument is not writable");
		ret = -EFAULT;
		goto erase_id;
	}

	ret = io_zc_rx_bind(ifq, reg, extack);
	if (ret)
		goto erase_id;

	xa_store(&ctx->zc_rx_ifqs, id, ifq, GFP_KERNEL);
	return 0;

erase_id:
	xa_erase(&ctx->zc_rx_ifqs, id);
put_ifq:
	io_zc_rx_ifq_put_now(ifq);
	return ret;
}

/* Best effort: the errno is what counts, and stays as it is */
static void io_zc_rx_tell_reason(u64 uaddr, u32 size,
				 const struct netlink_ext_ack *extack)
{
	void __user *to = u64_to_user_ptr(uaddr);
	char reason[128];
	size_t len;

	if (!uaddr || !size)
		return;

	len = scnprintf(reason, sizeof(reason), "%s", extack->_msg ?: "");
	len = min_t(size_t, len, size - 1);
	reason[len] = 0;
	if (copy_to_user(to, reason, len + 1))
		return;
}

/**
 * io_register_zc_rx_ifq - IORING_REGISTER_ZC_RX_IFQ
 * @ctx: ring
 * @arg: &struct io_uring_zc_rx_ifq_reg of the user
 *
 * Context: process, under uring_lock. Takes rtnl: never take uring_lock under
 * rtnl.
 * Return: 0, or an error with nothing changed and a reason for the user.
 */
int io_register_zc_rx_ifq(struct io_ring_ctx *ctx, void __user *arg)
{
	struct netlink_ext_ack extack = {};
	struct io_uring_zc_rx_ifq_reg reg;
	int ret;

	lockdep_assert_held(&ctx->uring_lock);

	if (copy_from_user(&reg, arg, sizeof(reg)))
		return -EFAULT;

	ret = io_zc_rx_register(ctx, &reg, arg, &extack);
	if (ret)
		io_zc_rx_tell_reason(reg.reason, reg.reason_len, &extack);
	return ret;
}

/* The user can't give back what it holds any more; take it. */
static void io_zc_rx_scrub(struct io_zc_rx_ifq *ifq)
{
	struct net_iov *niov = ifq->copy_niov;
	struct io_zc_rx_region *region;
	unsigned long id;

	ifq->copy_niov = NULL;
	if (niov && !page_pool_unref_netmem(net_iov_to_netmem(niov), 1))
		io_zc_rx_release(niov);

	xa_for_each(&ifq->regions, id, region)
		io_zc_rx_user_put_all(&region->pool, io_zc_rx_release);
}

/* When this returns, the RX queue is free for others. */
static void io_zc_rx_close(struct io_zc_rx_ifq *ifq)
{
	ifq->closed = true;
	/* A page pool that misses buffers when the queue lets go of it looks for
	 * them once a second, so take back first what can be. But the device
	 * gets none of that: the user may still look at what it was given.
	 */
	spin_lock_bh(&ifq->rq_lock);
	ifq->ending = true;
	spin_unlock_bh(&ifq->rq_lock);
	io_zc_rx_scrub(ifq);
	io_zc_rx_unbind(ifq);
}

static int io_zc_rx_ctrl_add_region(struct io_ring_ctx *ctx,
				    struct io_zc_rx_ifq *ifq,
				    const struct io_uring_zc_rx_ctrl *ctrl,
				    struct netlink_ext_ack *extack)
{
	int ret;

	rtnl_lock();
	ret = io_zc_rx_add_region(ctx, ifq, ctrl->region_id, extack);
	rtnl_unlock();
	return ret;
}

static int io_zc_rx_ctrl_flush_rq(struct io_ring_ctx *ctx,
				  struct io_zc_rx_ifq *ifq,
				  const struct io_uring_zc_rx_ctrl *ctrl,
				  struct netlink_ext_ack *extack)
{
	u32 n, done = 0;

	/* what the user adds meanwhile may wait for the next time */
	do {
		n = io_zc_rx_drain_rq(ifq);
		done += n;
		cond_resched();
	} while (n && done < ifq->rings.rq_entries);
	return done;
}

static int io_zc_rx_ctrl_unregister(struct io_ring_ctx *ctx,
				    struct io_zc_rx_ifq *ifq,
				    const struct io_uring_zc_rx_ctrl *ctrl,
				    struct netlink_ext_ack *extack)
{
	if (ifq->nr_reqs) {
		NL_SET_ERR_MSG_FMT(extack,
				   "%u receive requests are under way, cancel them first",
				   ifq->nr_reqs);
		return -EBUSY;
	}
	io_zc_rx_close(ifq);
	xa_erase(&ctx->zc_rx_ifqs, ctrl->zcrx_ifq_idx);
	io_zc_rx_ifq_put_now(ifq);
	return 0;
}

typedef int (*io_zc_rx_ctrl_fn)(struct io_ring_ctx *ctx,
				struct io_zc_rx_ifq *ifq,
				const struct io_uring_zc_rx_ctrl *ctrl,
				struct netlink_ext_ack *extack);

static const io_zc_rx_ctrl_fn io_zc_rx_ctrl_fns[] = {
	[IORING_ZC_RX_CTRL_ADD_REGION]	= io_zc_rx_ctrl_add_region,
	[IORING_ZC_RX_CTRL_FLUSH_RQ]	= io_zc_rx_ctrl_flush_rq,
	[IORING_ZC_RX_CTRL_UNREGISTER]	= io_zc_rx_ctrl_unregister,
};

static int io_zc_rx_ctrl(struct io_ring_ctx *ctx,
			 const struct io_uring_zc_rx_ctrl *ctrl,
			 struct netlink_ext_ack *extack)
{
	struct io_zc_rx_ifq *ifq;
	u32 op = ctrl->op;

	if (op >= ARRAY_SIZE(io_zc_rx_ctrl_fns)) {
		NL_SET_ERR_MSG_FMT(extack, "unknown operation %u", op);
		return -EINVAL;
	}
	op = array_index_nospec(op, ARRAY_SIZE(io_zc_rx_ctrl_fns));
	if (memchr_inv(ctrl->__resv, 0, sizeof(ctrl->__resv)) ||
	    (ctrl->region_id && op != IORING_ZC_RX_CTRL_ADD_REGION)) {
		NL_SET_ERR_MSG(extack, "a field that the operation has no use for is not 0");
		return -EINVAL;
	}
	ifq = xa_load(&ctx->zc_rx_ifqs, ctrl->zcrx_ifq_idx);
	if (!ifq) {
		NL_SET_ERR_MSG_FMT(extack, "the ring has no ifq %u",
				   ctrl->zcrx_ifq_idx);
		return -ENXIO;
	}
	return io_zc_rx_ctrl_fns[op](ctx, ifq, ctrl, extack);
}

/**
 * io_register_zc_rx_ctrl - IORING_REGISTER_ZC_RX_CTRL
 * @ctx: ring
 * @arg: &struct io_uring_zc_rx_ctrl of the user
 *
 * Who has the ring may do it, the privilege was asked for at registration.
 *
 * Context: process, under uring_lock. Takes rtnl.
 * Return: what the operation says, or an error with nothing changed and a
 * reason for the user.
 */
int io_register_zc_rx_ctrl(struct io_ring_ctx *ctx, void __user *arg)
{
	struct netlink_ext_ack extack = {};
	struct io_uring_zc_rx_ctrl ctrl;
	int ret;

	lockdep_assert_held(&ctx->uring_lock);

	if (copy_from_user(&ctrl, arg, sizeof(ctrl)))
		return -EFAULT;

	ret = io_zc_rx_ctrl(ctx, &ctrl, &extack);
	if (ret < 0)
		io_zc_rx_tell_reason(ctrl.reason, ctrl.reason_len, &extack);
	return ret;
}

/**
 * io_zc_rx_close_all - unbind all ifqs of a ring that is going away
 * @ctx: ring
 *
 * When this returns, the RX queues are free for others.
 *
 * Context: process, under uring_lock.
 */
void io_zc_rx_close_all(struct io_ring_ctx *ctx)
{
	struct io_zc_rx_ifq *ifq;
	unsigned long id;

	lockdep_assert_held(&ctx->uring_lock);

	xa_for_each(&ctx->zc_rx_ifqs, id, ifq)
		io_zc_rx_close(ifq);
}

/**
 * io_zc_rx_free_all - let go of all ifqs of a ring without requests
 * @ctx: ring, after io_zc_rx_close_all()
 *
 * Context: process, under uring_lock.
 */
void io_zc_rx_free_all(struct io_ring_ctx *ctx)
{
	struct io_zc_rx_ifq *ifq;
	unsigned long id;

	xa_for_each(&ctx->zc_rx_ifqs, id, ifq) {
		xa_erase(&ctx->zc_rx_ifqs, id);
		io_zc_rx_ifq_put(ifq);
	}
	xa_destroy(&ctx->zc_rx_ifqs);
}
