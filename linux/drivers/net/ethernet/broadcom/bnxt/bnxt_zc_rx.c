// SPDX-License-Identifier: GPL-2.0-only
/*
 * XDP_SETUP_ZC_RX: receive queues whose payload buffers are a user's memory.
 *
 * The buffers come from the data pool and need nothing here. What is left is
 * to have header split on, with no threshold below which payload stays with
 * its header, and to restart so much that the queue takes new buffers.
 */
#include <linux/ethtool.h>
#include <linux/netdevice.h>
#include <linux/netlink.h>
#include <net/netdev_rx_queue.h>

#include "bnxt_hsi.h"
#include "bnxt.h"
#include "bnxt_zc_rx.h"

/* The placement of a running VNIC can be changed at any time. */
static int bnxt_zc_rx_set_hds(struct bnxt *bp)
{
	struct ethtool_rxfh_context *ctx;
	unsigned long context;
	int i, rc = 0;

	for (i = 0; i < bp->nr_vnics && !rc; i++)
		rc = bnxt_hwrm_vnic_set_hds(bp, &bp->vnic_info[i]);

	xa_for_each(&bp->dev->ethtool->rss_ctx, context, ctx) {
		struct bnxt_rss_ctx *rss_ctx = ethtool_rxfh_context_priv(ctx);

		if (rc)
			break;
		rc = bnxt_hwrm_vnic_set_hds(bp, &rss_ctx->vnic);
	}
	return rc;
}

static int bnxt_zc_rx_restart_nic(struct bnxt *bp)
{
	bnxt_close_nic(bp, true, false);
	bnxt_set_ring_params(bp);
	return bnxt_open_nic(bp, true, false);
}

/* @had_agg: aggregation rings existed before the change that this is for */
static int bnxt_zc_rx_restart(struct bnxt *bp, u16 queue_id, bool had_agg)
{
	bool has_agg = bp->flags & BNXT_FLAG_AGG_RINGS;
	int rc;

	if (!netif_running(bp->dev)) {
		bnxt_set_ring_params(bp);
		return 0;
	}
	if (had_agg != has_agg || !bp->dev->queue_mgmt_ops)
		return bnxt_zc_rx_restart_nic(bp);

	rc = bnxt_zc_rx_set_hds(bp);
	return rc ?: netdev_rx_queue_restart(bp->dev, queue_id);
}

/* Count a binding. Header split stays on as long as there is one. */
static void bnxt_zc_rx_add(struct bnxt *bp, int n)
{
	bp->zc_rx_queues += n;
	if (bp->zc_rx_queues)
		bp->flags |= BNXT_FLAG_HDS;
	else
		bp->flags &= ~BNXT_FLAG_HDS;
}

static int bnxt_zc_rx_check(struct bnxt *bp, const struct netdev_bpf *cmd)
{
	struct netlink_ext_ack *extack = cmd->zc_rx.extack;
	/* without aggregation rings yet: one buffer a packet, as split */
	u32 need = bp->rx_agg_ring_size ?: bp->rx_ring_size;

	if (bp->flags & BNXT_FLAG_NO_AGG_RINGS) {
		NL_SET_ERR_MSG(extack, "too few hardware rings for header split");
		return -EOPNOTSUPP;
	}
	if (cmd->zc_rx.queue_id >= bp->rx_nr_rings) {
		NL_SET_ERR_MSG_FMT(extack, "no RX queue %u, device has %d",
				   cmd->zc_rx.queue_id, bp->rx_nr_rings);
		return -ERANGE;
	}
	/* With all in the ring nothing is left for data on its way */
	if (cmd->zc_rx.nr_bufs < need + need / 4) {
		NL_SET_ERR_MSG_FMT(extack, "region of %u pages, the ring alone takes %u",
				   cmd->zc_rx.nr_bufs, need);
		return -ENOSPC;
	}
	return 0;
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

	if (rc) {
		bnxt_zc_rx_add(bp, -1);
		/* of a running device, only the placement was changed */
		if (!netif_running(bp->dev))
			bnxt_set_ring_params(bp);
		else if (had_agg)
			bnxt_zc_rx_set_hds(bp);
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
 * If that fails, the interface may be down.
 *
 * Context: process, under rtnl.
 * Return: 0 or an error.
 */
int bnxt_zc_rx(struct bnxt *bp, const struct netdev_bpf *cmd)
{
	if (cmd->zc_rx.ifq)
		return bnxt_zc_rx_enable(bp, cmd);

	bnxt_zc_rx_add(bp, -1);
	/* aggregation rings were there all the time */
	return bnxt_zc_rx_restart(bp, cmd->zc_rx.queue_id, true);
}
