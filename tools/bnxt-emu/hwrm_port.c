// SPDX-License-Identifier: GPL-2.0-or-later
/* HWRM: the port's PHY and counters. */
#include <stdio.h>

#include "core.h"

enum hwrm_error hwrm_port_phy_qcaps(struct nic *nic, const void *req, void *resp)
{
	struct port_phy_qcaps_resp *r = resp;

	(void)nic;
	(void)req;
	r->port_cnt = 1;
	r->speeds_force = PHY_SPEEDS_100G;
	r->speeds_auto = PHY_SPEEDS_100G;
	return HWRM_OK;
}

enum hwrm_error hwrm_port_phy_qcfg(struct nic *nic, const void *req, void *resp)
{
	struct port_phy_qcfg_resp *r = resp;
	bool up = nic_link_up(nic);

	(void)req;
	r->link = up ? PHY_LINK_UP : PHY_LINK_NONE;
	r->link_speed = up ? PHY_SPEED_100G : 0;
	r->duplex_cfg = 1;
	r->duplex_state = 1;
	r->support_speeds = PHY_SPEEDS_100G;
	r->force_link_speed = nic->phy_force_speed;
	r->auto_mode = nic->phy_auto_mode;
	r->auto_pause = nic->phy_auto_pause;
	r->force_pause = nic->phy_force_pause;
	r->auto_link_speed_mask = nic->phy_auto_speeds;
	r->lp_adv_speeds = PHY_SPEEDS_100G;
	r->phy_type = PHY_TYPE_100G_CR4;
	r->media_type = PHY_MEDIA_DAC;
	r->xcvr_pkg_type = PHY_XCVR_EXTERNAL;
	r->fec_cfg = PHY_FEC_NONE;
	snprintf(r->phy_vendor_name, sizeof(r->phy_vendor_name), "emulated");
	return HWRM_OK;
}

enum hwrm_error hwrm_port_phy_cfg(struct nic *nic, const void *req, void *resp)
{
	const struct port_phy_cfg_req *q = req;
	bool was_up = nic_link_up(nic);

	(void)resp;
	if (q->flags & PHY_CFG_FORCE_DOWN) {
		nic->forced_down = true;
		nic_update_link(nic, was_up);
		return HWRM_OK;
	}
	if (q->flags & PHY_CFG_FORCE) {
		if (q->force_link_speed && q->force_link_speed != PHY_SPEED_100G)
			return HWRM_INVALID_PARAMS;
		nic->phy_auto_mode = PHY_AUTO_NONE;
		nic->phy_force_speed = PHY_SPEED_100G;
	}
	if (q->enables & PHY_CFG_EN_AUTO_MODE && !(q->flags & PHY_CFG_FORCE))
		nic->phy_auto_mode = q->auto_mode;
	if (q->enables & PHY_CFG_EN_SPEED_MASK)
		nic->phy_auto_speeds = q->auto_link_speed_mask & PHY_SPEEDS_100G;
	if (q->enables & PHY_CFG_EN_AUTO_PAUSE)
		nic->phy_auto_pause = q->auto_pause;
	if (q->enables & PHY_CFG_EN_FORCE_PAUSE)
		nic->phy_force_pause = q->force_pause;
	nic->forced_down = false;
	nic_update_link(nic, was_up);
	return HWRM_OK;
}

/* Counters, or their widths; a destination of 0 is "not wanted" */
static bool write_counters(struct nic *nic, uint64_t addr, const uint64_t *c, size_t n, bool widths)
{
	const uint64_t all = ~0ull;
	uint8_t *dst;

	if (!addr || !n)
		return true;
	dst = dma_ptr(&nic->dma, addr, n * sizeof(*c));
	if (!dst)
		return false;
	for (size_t i = 0; i < n; i++)
		memcpy(dst + i * sizeof(*c), widths ? &all : &c[i], sizeof(*c));
	return true;
}

enum hwrm_error hwrm_port_qstats(struct nic *nic, const void *req, void *resp)
{
	const struct port_qstats_req *q = req;
	struct port_qstats_resp *r = resp;
	bool widths = q->flags & QSTATS_COUNTER_MASK;

	if (!write_counters(nic, q->tx_stat_host_addr, nic->port.tx, PORT_TX_COUNT, widths) ||
	    !write_counters(nic, q->rx_stat_host_addr, nic->port.rx, PORT_RX_COUNT, widths))
		return HWRM_INVALID_PARAMS;
	r->tx_stat_size = sizeof(nic->port.tx);
	r->rx_stat_size = sizeof(nic->port.rx);
	return HWRM_OK;
}

enum hwrm_error hwrm_port_qstats_ext(struct nic *nic, const void *req, void *resp)
{
	const struct port_qstats_ext_req *q = req;
	struct port_qstats_resp *r = resp;
	bool widths = q->flags & QSTATS_COUNTER_MASK;
	uint32_t tx = min_u32(q->tx_stat_size / 8, PORT_TXX_COUNT);
	uint32_t rx = min_u32(q->rx_stat_size / 8, PORT_RXX_COUNT);

	if (!write_counters(nic, q->tx_stat_host_addr, nic->port.txx, tx, widths) ||
	    !write_counters(nic, q->rx_stat_host_addr, nic->port.rxx, rx, widths))
		return HWRM_INVALID_PARAMS;
	r->tx_stat_size = tx * 8;
	r->rx_stat_size = rx * 8;
	r->total_active_cos_queues = 1;
	return HWRM_OK;
}

enum hwrm_error hwrm_port_clr_stats(struct nic *nic, const void *req, void *resp)
{
	(void)req;
	(void)resp;
	memset(&nic->port, 0, sizeof(nic->port));
	return HWRM_OK;
}
