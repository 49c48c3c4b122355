// SPDX-License-Identifier: GPL-2.0-or-later
/* HWRM: VNICs, the points where steering ends and placement begins. */
#include "core.h"

static struct vnic *get_vnic(struct nic *nic, uint32_t id)
{
	return id < MAX_VNICS && nic->vnic[id].used ? &nic->vnic[id] : NULL;
}

enum hwrm_error hwrm_vnic_alloc(struct nic *nic, const void *req, void *resp)
{
	struct vnic_alloc_resp *a = resp;
	unsigned int id;

	(void)req;
	for (id = 0; id < MAX_VNICS && nic->vnic[id].used; id++)
		;
	if (id == MAX_VNICS)
		return HWRM_RESOURCE_ALLOC;
	memset(&nic->vnic[id], 0, sizeof(nic->vnic[id]));
	nic->vnic[id].used = true;
	nic->vnic[id].dflt_rx = HWRM_NO_ID;
	nic->vnic[id].dflt_cq = HWRM_NO_ID;
	a->vnic_id = id;
	return HWRM_OK;
}

enum hwrm_error hwrm_vnic_free(struct nic *nic, const void *req, void *resp)
{
	const struct vnic_free_req *q = req;
	struct vnic *v = get_vnic(nic, q->vnic_id);

	(void)resp;
	if (!v)
		return HWRM_INVALID_PARAMS;
	tpa_vnic_changed(nic, v);
	v->used = false;
	steer_vnic_gone(nic, q->vnic_id);
	return HWRM_OK;
}

/* An RX ring completes into the CQ that the driver names beside it */
static bool pair_rings(struct nic *nic, uint16_t rx_id, uint16_t cq_id)
{
	struct ring *rx = ring_get(nic, rx_id, RING_RX);

	if (!rx || !ring_get(nic, cq_id, RING_CMPL))
		return false;
	rx->cq_id = cq_id;
	return true;
}

enum hwrm_error hwrm_vnic_cfg(struct nic *nic, const void *req, void *resp)
{
	const struct vnic_cfg_req *q = req;
	struct vnic *v = get_vnic(nic, q->vnic_id);

	(void)resp;
	if (!v)
		return HWRM_INVALID_PARAMS;
	if (q->enables & VNIC_CFG_EN_RX_RING) {
		if (!(q->enables & VNIC_CFG_EN_CMPL_RING) ||
		    !pair_rings(nic, q->default_rx_ring_id, q->default_cmpl_ring_id))
			return HWRM_INVALID_PARAMS;
		v->dflt_rx = q->default_rx_ring_id;
		v->dflt_cq = q->default_cmpl_ring_id;
	}
	tpa_vnic_changed(nic, v);
	v->vlan_strip = q->flags & VNIC_CFG_VLAN_STRIP;
	v->mru = q->mru;	/* drivers set it without its enable bit */
	TRACE(nic, "vnic %u: mru %u, default ring %u%s", q->vnic_id, v->mru, v->dflt_rx,
	      v->vlan_strip ? ", strips VLAN tags" : "");
	return HWRM_OK;
}

enum hwrm_error hwrm_vnic_update(struct nic *nic, const void *req, void *resp)
{
	const struct vnic_update_req *q = req;
	struct vnic *v = get_vnic(nic, q->vnic_id);

	(void)resp;
	if (!v)
		return HWRM_INVALID_PARAMS;
	tpa_vnic_changed(nic, v);
	if (q->enables & VNIC_UPDATE_EN_STATE)
		v->dropping = q->vnic_state;
	if (q->enables & VNIC_UPDATE_EN_MRU)
		v->mru = q->mru;
	TRACE(nic, "vnic %u: mru %u%s", q->vnic_id, v->mru, v->dropping ? ", drops all" : "");
	return HWRM_OK;
}

enum hwrm_error hwrm_vnic_qcaps(struct nic *nic, const void *req, void *resp)
{
	struct vnic_qcaps_resp *a = resp;

	(void)req;
	a->mru = nic->cfg.max_mtu + ETH_HLEN + VLAN_HLEN;
	a->flags = VNIC_CAP_VLAN_STRIP;
	if (nic->cfg.queue_restart)
		a->flags |= VNIC_CAP_RE_FLUSH;
	/* Not 0: else 6.12 has no aggregation rings at MTU 1500, and so no header split */
	a->max_aggs_supported = TPA_MAX_AGGS;
	return HWRM_OK;
}

/*
 * One context holds 64 pairs; ring_table_pair_index tells which 64 of a VNIC's
 * table these are. A request without a table switches RSS off.
 */
enum hwrm_error hwrm_vnic_rss_cfg(struct nic *nic, const void *req, void *resp)
{
	const struct vnic_rss_cfg_req *q = req;
	struct vnic *v = get_vnic(nic, q->vnic_id);
	struct rss_pair pair[RSS_TABLE_PAIRS];
	uint8_t key[RSS_KEY_SIZE];
	const void *table, *key_src;
	unsigned int first = q->ring_table_pair_index * RSS_TABLE_PAIRS;

	(void)resp;
	/* types that are not hashed, and changes of them by flags, are not announced either */
	if (!v || q->hash_type & ~RSS_TYPES || q->flags ||
	    q->ring_select_mode != RSS_SELECT_TOEPLITZ)
		return HWRM_INVALID_PARAMS;
	if (!q->hash_type && !q->ring_grp_tbl_addr) {
		tpa_vnic_changed(nic, v);
		v->hash_type = 0;
		v->n_pairs = 0;
		return HWRM_OK;
	}
	table = dma_ptr(&nic->dma, q->ring_grp_tbl_addr, sizeof(pair));
	key_src = dma_ptr(&nic->dma, q->hash_key_tbl_addr, sizeof(key));
	if (!table || !key_src || q->ring_table_pair_index >= VNIC_RSS_TABLES ||
	    q->rss_ctx_idx >= MAX_RSS_CTXS || !nic->rss_ctx[q->rss_ctx_idx])
		return HWRM_INVALID_PARAMS;
	memcpy(pair, table, sizeof(pair));
	memcpy(key, key_src, sizeof(key));
	for (unsigned int i = 0; i < RSS_TABLE_PAIRS; i++)
		if (!pair_rings(nic, pair[i].rx_ring, pair[i].cmpl_ring))
			return HWRM_INVALID_PARAMS;
	tpa_vnic_changed(nic, v);
	memcpy(&v->pair[first], pair, sizeof(pair));
	/* tables come in rising order, the first one begins anew */
	v->n_pairs = first + RSS_TABLE_PAIRS;
	v->hash_type = q->hash_type;
	toeplitz_set_key(&v->toeplitz, key);
	TRACE(nic, "vnic %u: RSS types %#x, pairs %u..%u", q->vnic_id, q->hash_type, first,
	      v->n_pairs - 1);
	return HWRM_OK;
}

enum hwrm_error hwrm_vnic_rss_qcfg(struct nic *nic, const void *req, void *resp)
{
	const struct vnic_rss_qcfg_req *q = req;
	struct vnic_rss_qcfg_resp *a = resp;
	const struct vnic *v = get_vnic(nic, q->vnic_id);

	if (!v)
		return HWRM_INVALID_PARAMS;
	a->hash_type = v->hash_type;
	memcpy(a->hash_key, v->toeplitz.key, sizeof(a->hash_key));
	return HWRM_OK;
}

enum hwrm_error hwrm_vnic_plcmodes_cfg(struct nic *nic, const void *req, void *resp)
{
	const struct vnic_plcmodes_cfg_req *q = req;
	struct vnic *v = get_vnic(nic, q->vnic_id);

	(void)resp;
	if (!v)
		return HWRM_INVALID_PARAMS;
	if (q->enables & PLC_EN_HDS_THRESHOLD && q->hds_threshold > PLC_HDS_THRESHOLD_MAX)
		return HWRM_INVALID_PARAMS;
	tpa_vnic_changed(nic, v);
	v->plc_flags = q->flags;
	if (q->enables & PLC_EN_JUMBO_THRESH)
		v->jumbo_thresh = q->jumbo_thresh;
	if (q->enables & PLC_EN_HDS_THRESHOLD)
		v->hds_threshold = q->hds_threshold;
	TRACE(nic, "vnic %u: placement %s%s%s, jumbo above %u, header split above %u", q->vnic_id,
	      q->flags & PLC_JUMBO ? "jumbo " : "", q->flags & PLC_HDS_IPV4 ? "hds4 " : "",
	      q->flags & PLC_HDS_IPV6 ? "hds6" : "", v->jumbo_thresh, v->hds_threshold);
	return HWRM_OK;
}

enum hwrm_error hwrm_rss_ctx_alloc(struct nic *nic, const void *req, void *resp)
{
	struct rss_ctx_alloc_resp *a = resp;
	unsigned int id;

	(void)req;
	for (id = 0; id < MAX_RSS_CTXS && nic->rss_ctx[id]; id++)
		;
	if (id == MAX_RSS_CTXS)
		return HWRM_RESOURCE_ALLOC;
	nic->rss_ctx[id] = true;
	a->rss_cos_lb_ctx_id = id;
	return HWRM_OK;
}

enum hwrm_error hwrm_rss_ctx_free(struct nic *nic, const void *req, void *resp)
{
	const struct rss_ctx_free_req *q = req;

	(void)resp;
	if (q->rss_cos_lb_ctx_id >= MAX_RSS_CTXS || !nic->rss_ctx[q->rss_cos_lb_ctx_id])
		return HWRM_INVALID_PARAMS;
	nic->rss_ctx[q->rss_cos_lb_ctx_id] = false;
	return HWRM_OK;
}
