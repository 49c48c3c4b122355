// SPDX-License-Identifier: GPL-2.0-only
/*
 * XDP_SETUP_ZC_RX: receive queues whose payload buffers are a user's memory.
 *
 * The buffers come from the data pool and need nothing here. What is left is
 * to have header split on, with no threshold below which payload stays with
 * its header, and to restart so much that the queue takes new buffers.
 */
#include <linux/ethtool.h>
#include <linux/ethtool_netlink.h>
#include <linux/netdevice.h>
#include <linux/netlink.h>
#include <linux/pci.h>
#include <net/netdev_rx_queue.h>
#include <net/zc_rx.h>

#include "bnxt_hsi.h"
#include "bnxt.h"
#include "bnxt_zc_rx.h"

/* If this fails the device is closed, and as good as new */
static int bnxt_zc_rx_restart_nic(struct bnxt *bp)
{
	int rc;

	bnxt_close_nic(bp, true, false);
	bnxt_set_ring_params(bp);
	rc = bnxt_open_nic(bp, true, false);
	if (rc && bp->pdev->is_busmaster)
		bnxt_reset_function(bp);
	return rc;
}

/* The stack calls a device running that is suspended, or whose firmware is
 * being reset. It has no rings, and what the firmware is to know it gets when
 * they are made.
 */
static bool bnxt_zc_rx_is_open(const struct bnxt *bp)
{
	return test_bit(BNXT_STATE_OPEN, &bp->state);
}

/* Neither new rings nor the old ones, or the old ones are still at work: only
 * from the beginning
 */
static int bnxt_zc_rx_start_over(struct bnxt *bp)
{
	if (!bp->pdev->is_busmaster)
		return 0;
	if (bnxt_fw_is_gone(bp)) {
		bnxt_quiesce(bp);
		return 0;
	}
	bp->rings_left = true;
	dev_close(bp->dev);
	return -EIO;
}

/* @had_agg: aggregation rings existed before the change that this is for */
static int bnxt_zc_rx_restart(struct bnxt *bp, u16 queue_id, bool had_agg)
{
	bool has_agg = bp->flags & BNXT_FLAG_AGG_RINGS;
	int rc;

	if (!bnxt_zc_rx_is_open(bp)) {
		bnxt_set_ring_params(bp);
		return 0;
	}
	if (had_agg != has_agg || !bp->dev->queue_mgmt_ops)
		return bnxt_zc_rx_restart_nic(bp);

	rc = bnxt_set_hds(bp);
	/* a reload gives the device its default number of rings */
	if (rc || queue_id >= bp->rx_nr_rings)
		return rc;
	rc = netdev_rx_queue_restart(bp->dev, queue_id);
	if (bp->rings_left || (rc && !bp->rx_ring[queue_id].page_pool))
		return bnxt_zc_rx_start_over(bp);
	return rc;
}

/* Count a binding. Header split stays on as long as there is one. */
static void bnxt_zc_rx_add(struct bnxt *bp, int n)
{
	bp->zc_rx_queues += n;
	bp->flags = bnxt_hds_flags(bp);
}

/* With all in the ring nothing is left for data on its way */
static int bnxt_zc_rx_check_room(unsigned int queue_id, u32 nr_bufs, u32 need,
				 struct netlink_ext_ack *extack)
{
	if (nr_bufs >= need + need / 4)
		return 0;
	NL_SET_ERR_MSG_FMT(extack,
			   "region of %u pages, ring of queue %u would take %u: more than 4/5",
			   nr_bufs, queue_id, need);
	return -ENOSPC;
}

static int bnxt_zc_rx_check_fw(struct bnxt *bp, struct netlink_ext_ack *extack)
{
	if (!test_bit(BNXT_STATE_IN_FW_RESET, &bp->state) &&
	    bp->pdev->is_busmaster &&
	    !(bnxt_zc_rx_is_open(bp) && bnxt_fw_is_gone(bp)))
		return 0;
	NL_SET_ERR_MSG(extack, "firmware is being reset");
	return -EBUSY;
}

static int bnxt_zc_rx_check(struct bnxt *bp, const struct netdev_bpf *cmd)
{
	struct netlink_ext_ack *extack = cmd->zc_rx.extack;
	u32 need;
	int rc;

	rc = bnxt_zc_rx_check_fw(bp, extack);
	if (rc)
		return rc;
	/* not by the stack's own count: a bond gives programs to its slaves */
	if (bp->xdp_prog) {
		NL_SET_ERR_MSG(extack, "an XDP program is attached to a device above");
		return -EEXIST;
	}
	if (bp->hds_config == ETHTOOL_TCP_DATA_SPLIT_DISABLED) {
		NL_SET_ERR_MSG(extack,
			       "header/data split is off: ethtool -G ... tcp-data-split on");
		return -EOPNOTSUPP;
	}
	if (bp->flags & BNXT_FLAG_NO_AGG_RINGS) {
		NL_SET_ERR_MSG(extack, "too few hardware rings for header split");
		return -EOPNOTSUPP;
	}
	if (cmd->zc_rx.queue_id >= bp->rx_nr_rings) {
		NL_SET_ERR_MSG_FMT(extack, "no RX queue %u, device has %d",
				   cmd->zc_rx.queue_id, bp->rx_nr_rings);
		return -ERANGE;
	}
	need = bnxt_rx_agg_ring_size(bp->flags | BNXT_FLAG_HDS, bp->dev->mtu,
				     bp->rx_ring_size);
	return bnxt_zc_rx_check_room(cmd->zc_rx.queue_id, cmd->zc_rx.nr_bufs,
				     need, extack);
}

static int bnxt_zc_rx_enable(struct bnxt *bp, const struct netdev_bpf *cmd)
{
	bool had_agg = bp->flags & BNXT_FLAG_AGG_RINGS;
	int rc;

	rc = bnxt_zc_rx_check(bp, cmd);
	if (rc)
		return rc;

	bnxt_zc_rx_add(bp, 1);
	if (!had_agg)
		rc = bnxt_check_rings(bp, bp->tx_nr_rings_per_tc,
				      bp->rx_nr_rings,
				      bp->flags & BNXT_FLAG_SHARED_RINGS,
				      bp->num_tc ?: 1, bp->tx_nr_rings_xdp);
	if (rc)
		NL_SET_ERR_MSG(cmd->zc_rx.extack,
			       "too few hardware rings for header split: ethtool -L");
	else
		rc = bnxt_zc_rx_restart(bp, cmd->zc_rx.queue_id, had_agg);
	if (!rc && !bp->pdev->is_busmaster) {
		NL_SET_ERR_MSG(cmd->zc_rx.extack, "firmware is being reset");
		rc = -EBUSY;
	}

	if (rc) {
		bnxt_zc_rx_add(bp, -1);
		/* of a running device, only the placement was changed */
		if (!bnxt_zc_rx_is_open(bp))
			bnxt_set_ring_params(bp);
		else if (had_agg)
			bnxt_set_hds(bp);
		NL_SET_ERR_MSG_WEAK(cmd->zc_rx.extack, "restart of the queue failed");
	}
	return rc;
}

/**
 * bnxt_zc_rx - XDP_SETUP_ZC_RX
 * @bp: device
 * @cmd: command
 *
 * Restarts the one queue if the firmware can do that, else the whole NIC.
 * If that fails, the interface may be down. While the firmware is being reset
 * a binding is refused; one that ends leaves the restart to that of the NIC. If
 * the firmware does not answer, it ends with DMA switched off: no ring writes
 * to what its buffers were.
 *
 * Context: process, under rtnl.
 * Return: 0 or an error.
 */
int bnxt_zc_rx(struct bnxt *bp, const struct netdev_bpf *cmd)
{
	if (cmd->zc_rx.ifq)
		return bnxt_zc_rx_enable(bp, cmd);

	bnxt_zc_rx_add(bp, -1);
	if (bnxt_zc_rx_is_open(bp) && !bp->pdev->is_busmaster)
		return 0;
	if (bnxt_zc_rx_is_open(bp) && bnxt_fw_is_gone(bp)) {
		bnxt_quiesce(bp);
		return 0;
	}
	/* aggregation rings were there all the time */
	return bnxt_zc_rx_restart(bp, cmd->zc_rx.queue_id, true);
}

static const struct dev_zc_rx *bnxt_zc_rx_of(struct bnxt *bp, unsigned int i)
{
	return __netif_get_rx_queue(bp->dev, i)->zc_rx;
}

static int bnxt_zc_rx_check_rules(struct bnxt *bp,
				  struct netlink_ext_ack *extack)
{
	struct bnxt_filter_base *fltr;

	list_for_each_entry(fltr, &bp->usr_fltr_list, list) {
		if (fltr->type != BNXT_FLTR_TYPE_NTUPLE ||
		    !(fltr->flags & BNXT_ACT_RING_DST) ||
		    fltr->rxq >= bp->rx_nr_rings ||
		    !bnxt_zc_rx_of(bp, fltr->rxq))
			continue;
		NL_SET_ERR_MSG_FMT(extack,
				   "rule %u steers to queue %u, which receives into user memory",
				   fltr->sw_id, fltr->rxq);
		return -EBUSY;
	}
	return 0;
}

/**
 * bnxt_zc_rx_check_change - would bound queues go on without copies?
 * @bp: device
 * @mtu: MTU that it is to have
 * @features: features that it is to have
 * @rx_ring_size: packets that a receive ring is to have room for
 * @extack: gets the reason if not
 *
 * The more pages the rings take, the fewer are left for data on its way. And
 * without ntuple filters the data would come through other queues.
 *
 * Context: process, under rtnl.
 * Return: 0 or an error.
 */
int bnxt_zc_rx_check_change(struct bnxt *bp, unsigned int mtu,
			    netdev_features_t features, u32 rx_ring_size,
			    struct netlink_ext_ack *extack)
{
	u32 flags = (bp->flags & ~BNXT_FLAG_TPA) | BNXT_FLAG_HDS;
	unsigned int i;
	int rc = 0;
	u32 need;

	if (!bp->zc_rx_queues)
		return 0;

	if ((features & NETIF_F_GRO_HW) && (features & NETIF_F_GRO))
		flags |= BNXT_FLAG_GRO;
	else if (features & NETIF_F_LRO)
		flags |= BNXT_FLAG_LRO;
	need = bnxt_rx_agg_ring_size(flags, mtu, rx_ring_size);

	for (i = 0; i < bp->rx_nr_rings && !rc; i++) {
		const struct dev_zc_rx *zc = bnxt_zc_rx_of(bp, i);

		if (zc)
			rc = bnxt_zc_rx_check_room(i, READ_ONCE(zc->nr_bufs),
						   need, extack);
	}
	if (!rc && !(features & NETIF_F_NTUPLE))
		rc = bnxt_zc_rx_check_rules(bp, extack);
	return rc;
}

/**
 * bnxt_zc_rx_fix_features - leave features as they are if bound queues need it
 * @bp: device
 * @features: features that it is to have
 *
 * The user has been told why (XDP_CHECK_ZC_RX). Others want features changed
 * as well, and do not ask.
 *
 * Context: process, under rtnl.
 * Return: features that it may have.
 */
netdev_features_t bnxt_zc_rx_fix_features(struct bnxt *bp,
					  netdev_features_t features)
{
	const netdev_features_t ours = NETIF_F_GRO | NETIF_F_GRO_HW |
				       NETIF_F_LRO | NETIF_F_NTUPLE;
	struct net_device *dev = bp->dev;

	if (!bnxt_zc_rx_check_change(bp, dev->mtu, features, bp->rx_ring_size,
				     NULL))
		return features;
	return (features & ~ours) | (dev->features & ours);
}
