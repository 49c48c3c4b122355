// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Arguments of firmware commands in words, for the trace: one table of the fields
 * that tell something, named as in the HSI.
 */
#include <stdio.h>

#include "core.h"

enum how { DEC, HEX, MAC, BE_DEC, IP };

struct field {
	uint16_t op;
	uint8_t how;
	uint8_t size;
	uint16_t offset;
	const char *name;
};

#define F(op, type, member, how) \
	{ op, how, sizeof(((struct type *)0)->member), offsetof(struct type, member), #member }

/* In the order in which they are printed */
static const struct field fields[] = {
	F(HWRM_FUNC_CFG, func_cfg_req, enables, HEX),
	F(HWRM_FUNC_CFG, func_cfg_req, num_tx_rings, DEC),
	F(HWRM_FUNC_CFG, func_cfg_req, num_rx_rings, DEC),
	F(HWRM_FUNC_CFG, func_cfg_req, num_cmpl_rings, DEC),
	F(HWRM_FUNC_CFG, func_cfg_req, num_msix, DEC),
	F(HWRM_FUNC_CFG, func_cfg_req, num_vnics, DEC),
	F(HWRM_FUNC_CFG, func_cfg_req, num_rsscos_ctxs, DEC),
	F(HWRM_FUNC_CFG, func_cfg_req, num_stat_ctxs, DEC),
	F(HWRM_FUNC_CFG, func_cfg_req, async_event_cr, DEC),

	F(HWRM_PORT_PHY_CFG, port_phy_cfg_req, flags, HEX),
	F(HWRM_PORT_PHY_CFG, port_phy_cfg_req, enables, HEX),
	F(HWRM_PORT_PHY_CFG, port_phy_cfg_req, force_link_speed, DEC),
	F(HWRM_PORT_PHY_CFG, port_phy_cfg_req, auto_mode, DEC),
	F(HWRM_PORT_PHY_CFG, port_phy_cfg_req, auto_link_speed_mask, HEX),
	F(HWRM_PORT_PHY_CFG, port_phy_cfg_req, auto_pause, HEX),
	F(HWRM_PORT_PHY_CFG, port_phy_cfg_req, force_pause, HEX),

	F(HWRM_RING_ALLOC, ring_alloc_req, ring_type, DEC),
	F(HWRM_RING_ALLOC, ring_alloc_req, logical_id, DEC),
	F(HWRM_RING_ALLOC, ring_alloc_req, length, DEC),
	F(HWRM_RING_ALLOC, ring_alloc_req, page_tbl_addr, HEX),
	F(HWRM_RING_ALLOC, ring_alloc_req, page_tbl_depth, DEC),
	F(HWRM_RING_ALLOC, ring_alloc_req, cmpl_ring_id, DEC),
	F(HWRM_RING_ALLOC, ring_alloc_req, nq_ring_id, DEC),
	F(HWRM_RING_ALLOC, ring_alloc_req, rx_ring_id, DEC),
	F(HWRM_RING_ALLOC, ring_alloc_req, rx_buf_size, DEC),
	F(HWRM_RING_ALLOC, ring_alloc_req, stat_ctx_id, DEC),
	F(HWRM_RING_ALLOC, ring_alloc_req, flags, HEX),
	F(HWRM_RING_FREE, ring_free_req, ring_type, DEC),
	F(HWRM_RING_FREE, ring_free_req, ring_id, DEC),

	F(HWRM_VNIC_ALLOC, vnic_alloc_req, flags, HEX),
	F(HWRM_VNIC_FREE, vnic_free_req, vnic_id, DEC),
	F(HWRM_VNIC_CFG, vnic_cfg_req, vnic_id, DEC),
	F(HWRM_VNIC_CFG, vnic_cfg_req, mru, DEC),
	F(HWRM_VNIC_CFG, vnic_cfg_req, default_rx_ring_id, DEC),
	F(HWRM_VNIC_CFG, vnic_cfg_req, default_cmpl_ring_id, DEC),
	F(HWRM_VNIC_CFG, vnic_cfg_req, flags, HEX),
	F(HWRM_VNIC_CFG, vnic_cfg_req, enables, HEX),
	F(HWRM_VNIC_UPDATE, vnic_update_req, vnic_id, DEC),
	F(HWRM_VNIC_UPDATE, vnic_update_req, enables, HEX),
	F(HWRM_VNIC_UPDATE, vnic_update_req, vnic_state, DEC),
	F(HWRM_VNIC_UPDATE, vnic_update_req, mru, DEC),
	F(HWRM_VNIC_RSS_CFG, vnic_rss_cfg_req, vnic_id, DEC),
	F(HWRM_VNIC_RSS_CFG, vnic_rss_cfg_req, hash_type, HEX),
	F(HWRM_VNIC_RSS_CFG, vnic_rss_cfg_req, ring_table_pair_index, DEC),
	F(HWRM_VNIC_RSS_CFG, vnic_rss_cfg_req, rss_ctx_idx, DEC),
	F(HWRM_VNIC_RSS_CFG, vnic_rss_cfg_req, ring_grp_tbl_addr, HEX),
	F(HWRM_VNIC_PLCMODES_CFG, vnic_plcmodes_cfg_req, vnic_id, DEC),
	F(HWRM_VNIC_PLCMODES_CFG, vnic_plcmodes_cfg_req, flags, HEX),
	F(HWRM_VNIC_PLCMODES_CFG, vnic_plcmodes_cfg_req, jumbo_thresh, DEC),
	F(HWRM_VNIC_PLCMODES_CFG, vnic_plcmodes_cfg_req, hds_threshold, DEC),
	F(HWRM_VNIC_TPA_CFG, vnic_tpa_cfg_req, vnic_id, DEC),
	F(HWRM_VNIC_TPA_CFG, vnic_tpa_cfg_req, flags, HEX),
	F(HWRM_VNIC_TPA_CFG, vnic_tpa_cfg_req, max_agg_segs, DEC),
	F(HWRM_VNIC_TPA_CFG, vnic_tpa_cfg_req, max_aggs, DEC),
	F(HWRM_VNIC_TPA_CFG, vnic_tpa_cfg_req, min_agg_len, DEC),
	F(HWRM_VNIC_RSS_CTX_FREE, rss_ctx_free_req, rss_cos_lb_ctx_id, DEC),

	F(HWRM_CFA_L2_FILTER_ALLOC, l2_filter_alloc_req, l2_addr, MAC),
	F(HWRM_CFA_L2_FILTER_ALLOC, l2_filter_alloc_req, l2_ivlan, DEC),
	F(HWRM_CFA_L2_FILTER_ALLOC, l2_filter_alloc_req, dst_id, DEC),
	F(HWRM_CFA_L2_FILTER_ALLOC, l2_filter_alloc_req, flags, HEX),
	F(HWRM_CFA_L2_FILTER_ALLOC, l2_filter_alloc_req, enables, HEX),
	F(HWRM_CFA_L2_FILTER_FREE, filter_free_req, filter_id, HEX),
	F(HWRM_CFA_L2_FILTER_CFG, l2_filter_cfg_req, l2_filter_id, HEX),
	F(HWRM_CFA_L2_FILTER_CFG, l2_filter_cfg_req, dst_id, DEC),
	F(HWRM_CFA_L2_FILTER_CFG, l2_filter_cfg_req, flags, HEX),
	F(HWRM_CFA_L2_SET_RX_MASK, l2_set_rx_mask_req, vnic_id, DEC),
	F(HWRM_CFA_L2_SET_RX_MASK, l2_set_rx_mask_req, mask, HEX),
	F(HWRM_CFA_L2_SET_RX_MASK, l2_set_rx_mask_req, num_mc_entries, DEC),
	F(HWRM_CFA_NTUPLE_ALLOC, ntuple_alloc_req, ip_addr_type, DEC),
	F(HWRM_CFA_NTUPLE_ALLOC, ntuple_alloc_req, ip_protocol, DEC),
	F(HWRM_CFA_NTUPLE_ALLOC, ntuple_alloc_req, src_ipaddr, IP),
	F(HWRM_CFA_NTUPLE_ALLOC, ntuple_alloc_req, src_ipaddr_mask, IP),
	F(HWRM_CFA_NTUPLE_ALLOC, ntuple_alloc_req, dst_ipaddr, IP),
	F(HWRM_CFA_NTUPLE_ALLOC, ntuple_alloc_req, dst_ipaddr_mask, IP),
	F(HWRM_CFA_NTUPLE_ALLOC, ntuple_alloc_req, src_port, BE_DEC),
	F(HWRM_CFA_NTUPLE_ALLOC, ntuple_alloc_req, dst_port, BE_DEC),
	F(HWRM_CFA_NTUPLE_ALLOC, ntuple_alloc_req, dst_id, DEC),
	F(HWRM_CFA_NTUPLE_ALLOC, ntuple_alloc_req, rfs_ring_tbl_idx, DEC),
	F(HWRM_CFA_NTUPLE_ALLOC, ntuple_alloc_req, flags, HEX),
	F(HWRM_CFA_NTUPLE_ALLOC, ntuple_alloc_req, enables, HEX),
	F(HWRM_CFA_NTUPLE_FREE, filter_free_req, filter_id, HEX),
	F(HWRM_CFA_NTUPLE_CFG, ntuple_cfg_req, ntuple_filter_id, HEX),
	F(HWRM_CFA_NTUPLE_CFG, ntuple_cfg_req, new_dst_id, DEC),

	F(HWRM_STAT_CTX_ALLOC, stat_ctx_alloc_req, stats_dma_addr, HEX),
	F(HWRM_STAT_CTX_ALLOC, stat_ctx_alloc_req, stats_dma_length, DEC),
	F(HWRM_STAT_CTX_ALLOC, stat_ctx_alloc_req, update_period_ms, DEC),
	F(HWRM_STAT_CTX_FREE, stat_ctx_req, stat_ctx_id, DEC),
	F(HWRM_STAT_CTX_QUERY, stat_ctx_req, stat_ctx_id, DEC),
	F(HWRM_STAT_CTX_CLR, stat_ctx_req, stat_ctx_id, DEC),
};

static bool is_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

static uint64_t number(const uint8_t *p, unsigned int size, bool big_endian)
{
	uint64_t v = 0;

	for (unsigned int i = 0; i < size; i++)
		v |= (uint64_t)p[i] << 8 * (big_endian ? size - 1 - i : i);
	return v;
}

static int print_field(char *out, size_t size, const struct field *f, const uint8_t *p)
{
	switch (f->how) {
	case MAC:
		return snprintf(out, size, " %s=%02x:%02x:%02x:%02x:%02x:%02x", f->name, p[0], p[1],
				p[2], p[3], p[4], p[5]);
	case IP:
		if (is_zero(p + 4, 12))
			return snprintf(out, size, " %s=%u.%u.%u.%u", f->name, p[0], p[1], p[2],
					p[3]);
		return snprintf(out, size, " %s=%x:%x:%x:%x:%x:%x:%x:%x", f->name, get_be16(p),
				get_be16(p + 2), get_be16(p + 4), get_be16(p + 6), get_be16(p + 8),
				get_be16(p + 10), get_be16(p + 12), get_be16(p + 14));
	default:
		return snprintf(out, size, f->how == HEX ? " %s=%#llx" : " %s=%llu", f->name,
				(unsigned long long)number(p, f->size, f->how == BE_DEC));
	}
}

/**
 * hwrm_describe - arguments of a command in words
 * @op: which command
 * @req: the request, zero-padded to MAX_REQ
 * @out: where to: " NAME=VALUE" for each field of note that is not 0
 * @size: bytes there; what is too long is cut
 */
void hwrm_describe(uint16_t op, const void *req, char *out, size_t size)
{
	size_t len = 0;

	out[0] = 0;
	for (size_t i = 0; i < ARRAY_SIZE(fields) && len < size; i++) {
		const uint8_t *p = (const uint8_t *)req + fields[i].offset;

		if (fields[i].op == op && !is_zero(p, fields[i].size))
			len += print_field(out + len, size - len, &fields[i], p);
	}
}
