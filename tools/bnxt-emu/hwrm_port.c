// SPDX-License-Identifier: GPL-2.0-or-later
/* HWRM: the port's counters, LEDs and MAC; its PHY is in phy.c. */
#include "core.h"

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

enum hwrm_error hwrm_port_led_qcaps(struct nic *nic, const void *req, void *resp)
{
	static const uint8_t types[PORT_LEDS] = { LED_TYPE_SPEED, LED_TYPE_ACTIVITY };
	struct port_led_qcaps_resp *r = resp;

	(void)nic;
	(void)req;
	r->num_leds = PORT_LEDS;
	for (unsigned int i = 0; i < PORT_LEDS; i++)
		r->led[i] = (struct port_led){ .id = i, .type = types[i], .group_id = 1,
					       .state_caps = LED_STATES_ALL,
					       .color_caps = LED_COLORS };
	return HWRM_OK;
}

enum hwrm_error hwrm_port_led_cfg(struct nic *nic, const void *req, void *resp)
{
	const struct port_led_cfg_req *q = req;

	(void)resp;
	if (q->num_leds > PORT_LEDS)
		return HWRM_INVALID_PARAMS;
	for (unsigned int i = 0; i < q->num_leds; i++)
		if (q->led[i].id >= PORT_LEDS || q->led[i].state > LED_STATE_LAST)
			return HWRM_INVALID_PARAMS;
	for (unsigned int i = 0; i < q->num_leds; i++) {
		if (!(q->enables & LED_EN_ID(i)) || !(q->enables & LED_EN_STATE(i)))
			continue;
		nic->led_state[q->led[i].id] = q->led[i].state;
		TRACE(nic, "LED %u: state %u", q->led[i].id, q->led[i].state);
	}
	return HWRM_OK;
}

enum hwrm_error hwrm_port_mac_cfg(struct nic *nic, const void *req, void *resp)
{
	const struct port_mac_cfg_req *q = req;
	struct port_mac_cfg_resp *r = resp;

	if (q->enables & MAC_CFG_EN_LPBK) {
		if (q->lpbk > LPBK_REMOTE)
			return HWRM_INVALID_PARAMS;
		/* sending back what the wire gives is of no use here: not done */
		nic->mac_lpbk = q->lpbk == LPBK_LOCAL ? LPBK_LOCAL : LPBK_NONE;
		TRACE(nic, "MAC loopback %s", nic->mac_lpbk ? "on" : "off");
	}
	r->mru = r->mtu = nic->cfg.max_mtu + ETH_HLEN + VLAN_HLEN;
	r->lpbk = nic->mac_lpbk;
	return HWRM_OK;
}
