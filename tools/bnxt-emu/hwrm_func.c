// SPDX-License-Identifier: GPL-2.0-or-later
/* HWRM: version, capabilities, and what the function reserves. */
#include <stdio.h>

#include "core.h"

#define CHIP_BCM57504	0x1751
#define INTF_MAJ	1
#define INTF_MIN	10
#define INTF_UPD	2

/**
 * hwrm_init - lay down what the function can have
 * @nic: device
 *
 * An RX queue takes an RX and an AGG ring; XDP gives each queue a second TX
 * ring, with an NQ, a vector and a statistics context of its own; each RX and
 * TX ring has a CQ. Without AGG rings a driver counts all RX rings as queues
 * before it looks at its limits (_bnxt_get_max_rings()): less CQs than that, and
 * it would find no TX ring to replace an XDP program.
 */
void hwrm_init(struct nic *nic)
{
	uint16_t q = nic->cfg.queues, v = nic_vectors(&nic->cfg);

	nic->max = (struct resources){
		.rsscos = MAX_RSS_CTXS,
		.cmpl = 4 * q,
		.tx = 2 * q,
		.rx = nic->cfg.rx_rings ? nic->cfg.rx_rings : 2 * q,
		.l2 = MAX_L2_FILTERS,
		.vnics = MAX_VNICS,
		.stat = v,
		.grps = q,
		.msix = v,
	};
}

enum hwrm_error hwrm_ver_get(struct nic *nic, const void *req, void *resp)
{
	const uint16_t *fw = nic->cfg.fw_version;
	struct ver_get_resp *r = resp;

	(void)req;
	r->intf_maj = r->intf_major = INTF_MAJ;
	r->intf_min = r->intf_minor = INTF_MIN;
	r->intf_upd = r->intf_build = INTF_UPD;
	r->fw_maj = r->hwrm_fw_major = fw[0];
	r->fw_min = r->hwrm_fw_minor = fw[1];
	r->fw_bld = r->hwrm_fw_build = fw[2];
	r->fw_rsvd = r->hwrm_fw_patch = fw[3];
	r->flags = VER_GET_EXT_VER;	/* the words are valid beside the bytes */
	r->dev_caps_cfg = VER_CAP_SHORT_CMD_SUPPORTED | VER_CAP_SHORT_CMD_REQUIRED |
			  VER_CAP_CFA_ADV_FLOW;
	/* a name here keeps the driver from looking for it in flash */
	snprintf(r->active_pkg_name, sizeof(r->active_pkg_name), "emulated");
	snprintf(r->hwrm_fw_name, sizeof(r->hwrm_fw_name), "bnxt-emu");
	r->chip_num = CHIP_BCM57504;
	r->chip_rev = 1;	/* with 0 the driver looks for lost interrupts every second */
	r->max_req_win_len = GRC_HWRM_WINDOW_SIZE;
	r->max_resp_len = MAX_RESP;
	r->def_req_timeout = nic->cfg.hwrm_timeout_ms;
	r->always_1 = 1;
	r->max_ext_req_len = 128;
	r->max_req_timeout = 20;	/* s */
	return HWRM_OK;
}

enum hwrm_error hwrm_func_reset(struct nic *nic, const void *req, void *resp)
{
	(void)req;
	(void)resp;
	nic_function_reset(nic);
	return HWRM_OK;
}

enum hwrm_error hwrm_func_qcaps(struct nic *nic, const void *req, void *resp)
{
	struct func_qcaps_resp *r = resp;

	(void)req;
	r->fid = 1;
	memcpy(r->mac_address, nic->mac, sizeof(r->mac_address));
	memcpy(r->device_serial_number, nic->mac, sizeof(nic->mac));
	r->max_rsscos_ctx = nic->max.rsscos;
	r->max_cmpl_rings = nic->max.cmpl;
	r->max_tx_rings = nic->max.tx;
	r->max_rx_rings = nic->max.rx;
	r->max_l2_ctxs = nic->max.l2;
	r->max_vnics = nic->max.vnics;
	r->max_stat_ctx = nic->max.stat;
	r->max_hw_ring_grps = nic->max.grps;
	r->max_rx_em_flows = MAX_NTUPLE;
	r->max_rx_wm_flows = MAX_NTUPLE;
	r->max_mcast_filters = MAX_MC_ADDRS;
	r->max_tso_segs = 0;	/* no limit of its own */
	if (nic->cfg.error_recovery) {
		r->flags = FUNC_QCAPS_HOT_RESET | FUNC_QCAPS_ERROR_RECOVERY;
		r->flags_ext = FUNC_QCAPS_EXT_HOT_RESET_IF;
	}
	return HWRM_OK;
}

enum hwrm_error hwrm_func_resource_qcaps(struct nic *nic, const void *req, void *resp)
{
	struct func_resource_qcaps_resp *r = resp;

	(void)req;
	r->max_msix = nic->max.msix;
	r->max_rsscos_ctx = nic->max.rsscos;
	r->max_cmpl_rings = nic->max.cmpl;
	r->max_tx_rings = nic->max.tx;
	r->max_rx_rings = nic->max.rx;
	r->max_l2_ctxs = nic->max.l2;
	r->max_vnics = nic->max.vnics;
	r->max_stat_ctx = nic->max.stat;
	r->max_hw_ring_grps = nic->max.grps;
	r->max_tx_scheduler_inputs = nic->max.tx;
	r->min_msix = 1;
	r->min_rsscos_ctx = r->min_cmpl_rings = r->min_tx_rings = r->min_rx_rings = 1;
	r->min_l2_ctxs = r->min_vnics = r->min_stat_ctx = r->min_hw_ring_grps = 1;
	return HWRM_OK;
}

enum hwrm_error hwrm_func_qcfg(struct nic *nic, const void *req, void *resp)
{
	const struct resources *have = &nic->reserved;
	struct func_qcfg_resp *r = resp;

	(void)req;
	r->fid = 1;
	memcpy(r->mac_address, nic->mac, sizeof(r->mac_address));
	r->alloc_rsscos_ctx = have->rsscos;
	r->alloc_cmpl_rings = have->cmpl;
	r->alloc_tx_rings = have->tx;
	r->alloc_rx_rings = have->rx;
	r->alloc_l2_ctx = have->l2;
	r->alloc_vnics = have->vnics;
	r->alloc_stat_ctx = have->stat;
	r->alloc_hw_ring_grps = have->grps;
	r->alloc_msix = have->msix;
	r->port_pf_cnt = 1;
	r->max_mtu_configured = nic->cfg.max_mtu;
	r->evb_mode = FUNC_QCFG_EVB_VEB;
	if (nic->cfg.error_recovery && nic->fw.reset_allowed)
		r->flags |= FUNC_QCFG_HOT_RESET_ALLOWED;
	r->l2_doorbell_bar_size_kb = NIC_BAR_DB_SIZE / 1024;
	r->always_1 = 1;
	return HWRM_OK;
}

struct reservation {
	uint32_t enable;
	uint16_t want, max;
	uint16_t *have;
};

enum hwrm_error hwrm_func_cfg(struct nic *nic, const void *req, void *resp)
{
	const struct func_cfg_req *q = req;
	const struct resources *max = &nic->max;
	struct resources *have = &nic->reserved;
	const struct reservation table[] = {
		{ FUNC_CFG_EN_RSSCOS, q->num_rsscos_ctxs, max->rsscos, &have->rsscos },
		{ FUNC_CFG_EN_CMPL, q->num_cmpl_rings, max->cmpl, &have->cmpl },
		{ FUNC_CFG_EN_TX, q->num_tx_rings, max->tx, &have->tx },
		{ FUNC_CFG_EN_RX, q->num_rx_rings, max->rx, &have->rx },
		{ FUNC_CFG_EN_L2, q->num_l2_ctxs, max->l2, &have->l2 },
		{ FUNC_CFG_EN_VNICS, q->num_vnics, max->vnics, &have->vnics },
		{ FUNC_CFG_EN_STAT, q->num_stat_ctxs, max->stat, &have->stat },
		{ FUNC_CFG_EN_GRPS, q->num_hw_ring_grps, max->grps, &have->grps },
		{ FUNC_CFG_EN_MSIX, q->num_msix, max->msix, &have->msix },
	};

	(void)resp;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (q->enables & table[i].enable && table[i].want > table[i].max)
			return HWRM_RESOURCE_ALLOC;
	if (q->flags & FUNC_CFG_ASSETS_TEST)
		return HWRM_OK;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (q->enables & table[i].enable)
			*table[i].have = table[i].want;
	if (q->enables & FUNC_CFG_EN_MAC)
		memcpy(nic->mac, q->dflt_mac_addr, sizeof(nic->mac));
	if (q->enables & FUNC_CFG_EN_HOT_RESET_IF)
		nic->fw.reset_allowed = q->flags & FUNC_CFG_HOT_RESET_IF;
	if (q->enables & FUNC_CFG_EN_ASYNC_CR) {
		nic->async_cr = q->async_event_cr;
		fw_async_ready(nic);
	}
	return HWRM_OK;
}

enum hwrm_error hwrm_queue_qportcfg(struct nic *nic, const void *req, void *resp)
{
	struct queue_qportcfg_resp *r = resp;

	(void)nic;
	(void)req;
	r->max_configurable_queues = 1;	/* queue 0, lossy */
	return HWRM_OK;
}

enum hwrm_error hwrm_adv_flow_qcaps(struct nic *nic, const void *req, void *resp)
{
	struct adv_flow_qcaps_resp *r = resp;

	(void)req;
	r->flags = ADV_FLOW_RFS_RING_TBL_IDX_V2 | ADV_FLOW_NTUPLE_EXT_IP_PROTO;
	if (nic->cfg.rfs == NIC_RFS_V3)
		r->flags |= ADV_FLOW_RFS_RING_TBL_IDX_V3;
	return HWRM_OK;
}
