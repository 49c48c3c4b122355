// SPDX-License-Identifier: GPL-2.0-or-later
/* HWRM: filters. */
#include "core.h"

/* Ids that the driver gets: an index, and which table it is of */
#define L2_ID_BASE	0x100000000ull
#define NTUPLE_ID_BASE	0x200000000ull

static int table_index(uint64_t id, uint64_t base, unsigned int size)
{
	return id >= base && id - base < size ? (int)(id - base) : -1;
}

static int l2_index(const struct nic *nic, uint64_t id)
{
	int i = table_index(id, L2_ID_BASE, MAX_L2_FILTERS);

	return i >= 0 && nic->l2[i].used ? i : -1;
}

static int ntuple_index(const struct nic *nic, uint64_t id)
{
	int i = table_index(id, NTUPLE_ID_BASE, MAX_NTUPLE);

	return i >= 0 && nic->ntuple[i].used ? i : -1;
}

static bool vnic_exists(const struct nic *nic, uint32_t id)
{
	return id < MAX_VNICS && nic->vnic[id].used;
}

/* What filters can look at, and do; anything else would match what it should not */
#define L2_FLAGS	(L2_FLAG_PATH_RX | L2_FLAG_DROP | L2_FLAG_OUTERMOST)
#define L2_ENABLES                                                                                \
	(L2_EN_ADDR | L2_EN_ADDR_MASK | L2_EN_IVLAN | L2_EN_IVLAN_MASK | L2_EN_DST_ID | L2_EN_NUM_VLANS)
#define NTUPLE_FLAGS	(NTUPLE_FLAG_DROP | NTUPLE_FLAG_RING_IDX | NTUPLE_FLAG_NO_L2)
#define NTUPLE_ENABLES                                                                            \
	(NTUPLE_EN_L2_FILTER | NTUPLE_EN_ETHERTYPE | NTUPLE_EN_TUNNEL_TYPE | NTUPLE_EN_SRC_MAC |  \
	 NTUPLE_EN_IPADDR_TYPE | NTUPLE_EN_SRC_IP | NTUPLE_EN_SRC_IP_MASK | NTUPLE_EN_DST_IP |    \
	 NTUPLE_EN_DST_IP_MASK | NTUPLE_EN_PROTOCOL | NTUPLE_EN_SRC_PORT |                        \
	 NTUPLE_EN_SRC_PORT_MASK | NTUPLE_EN_DST_PORT | NTUPLE_EN_DST_PORT_MASK |                 \
	 NTUPLE_EN_PRI_HINT | NTUPLE_EN_ID_HINT | NTUPLE_EN_DST_ID | NTUPLE_EN_RING_IDX)

static bool relative(enum filter_pri pri)
{
	return pri == FILTER_PRI_ABOVE || pri == FILTER_PRI_BELOW;
}

static void fill_l2(const struct l2_filter_alloc_req *q, struct l2_filter *f)
{
	if (q->enables & L2_EN_ADDR) {
		memcpy(f->addr, q->l2_addr, sizeof(f->addr));
		memset(f->mask, 0xff, sizeof(f->mask));
	}
	if (q->enables & L2_EN_ADDR_MASK)
		memcpy(f->mask, q->l2_addr_mask, sizeof(f->mask));
	if (q->enables & L2_EN_IVLAN) {
		f->vlan = q->l2_ivlan;
		f->vlan_mask = q->enables & L2_EN_IVLAN_MASK ? q->l2_ivlan_mask : 0xfff;
	}
	for (unsigned int b = 0; b < sizeof(f->addr); b++)
		f->addr[b] &= f->mask[b];
	f->vlan &= f->vlan_mask;
	f->count_vlans = q->enables & L2_EN_NUM_VLANS;
	f->vlans = q->num_vlans;
}

enum hwrm_error hwrm_l2_filter_alloc(struct nic *nic, const void *req, void *resp)
{
	const struct l2_filter_alloc_req *q = req;
	struct filter_alloc_resp *a = resp;
	int hint = relative(q->pri_hint) ? l2_index(nic, q->l2_filter_id_hint) : -1;
	struct l2_filter *f;
	unsigned int i;

	if (!(q->flags & L2_FLAG_PATH_RX) || q->flags & ~L2_FLAGS || q->enables & ~L2_ENABLES ||
	    (q->enables & L2_EN_NUM_VLANS && q->num_vlans > 1) ||
	    q->pri_hint > FILTER_PRI_LOWEST || (relative(q->pri_hint) && hint < 0))
		return HWRM_INVALID_PARAMS;
	if (!(q->flags & L2_FLAG_DROP) &&
	    (!(q->enables & L2_EN_DST_ID) || !vnic_exists(nic, q->dst_id)))
		return HWRM_INVALID_PARAMS;
	for (i = 0; i < MAX_L2_FILTERS && nic->l2[i].used; i++)
		;
	if (i == MAX_L2_FILTERS)
		return HWRM_RESOURCE_ALLOC;

	f = &nic->l2[i];
	*f = (struct l2_filter){ .used = true, .drop = q->flags & L2_FLAG_DROP };
	if (vnic_exists(nic, q->dst_id))
		f->vnic = q->dst_id;
	fill_l2(q, f);
	l2_insert(nic, i, q->pri_hint, hint);
	a->filter_id = L2_ID_BASE + i;
	a->flow_id = i;
	TRACE(nic, "L2 filter %u: %02x:%02x:%02x:%02x:%02x:%02x -> vnic %u", i, f->addr[0],
	      f->addr[1], f->addr[2], f->addr[3], f->addr[4], f->addr[5], f->vnic);
	return HWRM_OK;
}

enum hwrm_error hwrm_l2_filter_free(struct nic *nic, const void *req, void *resp)
{
	const struct filter_free_req *q = req;
	int i = l2_index(nic, q->filter_id);

	(void)resp;
	if (i < 0)
		return HWRM_INVALID_PARAMS;
	l2_remove(nic, i);
	return HWRM_OK;
}

enum hwrm_error hwrm_l2_filter_cfg(struct nic *nic, const void *req, void *resp)
{
	const struct l2_filter_cfg_req *q = req;
	int i = l2_index(nic, q->l2_filter_id);

	(void)resp;
	if (i < 0)
		return HWRM_INVALID_PARAMS;
	if (q->enables & L2_CFG_EN_DST_ID) {
		if (!vnic_exists(nic, q->dst_id))
			return HWRM_INVALID_PARAMS;
		nic->l2[i].vnic = q->dst_id;
	}
	nic->l2[i].drop = q->flags & L2_CFG_FLAG_DROP;
	return HWRM_OK;
}

enum hwrm_error hwrm_l2_set_rx_mask(struct nic *nic, const void *req, void *resp)
{
	const struct l2_set_rx_mask_req *q = req;
	const void *table = NULL;
	struct vnic *v;

	(void)resp;
	if (!vnic_exists(nic, q->vnic_id) || q->mask & (RX_MASK_VLANONLY | RX_MASK_VLAN_NONVLAN))
		return HWRM_INVALID_PARAMS;
	v = &nic->vnic[q->vnic_id];
	if (q->mask & RX_MASK_MCAST && q->num_mc_entries) {
		/* too many: the driver then asks for all multicast */
		if (q->num_mc_entries > MAX_MC_ADDRS)
			return HWRM_RESOURCE_ALLOC;
		table = dma_ptr(&nic->dma, q->mc_tbl_addr, q->num_mc_entries * 6ull);
		if (!table)
			return HWRM_INVALID_PARAMS;
	}
	v->n_mc = table ? q->num_mc_entries : 0;
	if (table)
		memcpy(v->mc, table, v->n_mc * sizeof(v->mc[0]));
	v->rx_mask = q->mask;
	TRACE(nic, "vnic %u: takes%s%s%s%s, %u multicast addresses", q->vnic_id,
	      q->mask & RX_MASK_BCAST ? " broadcast" : "",
	      q->mask & RX_MASK_MCAST ? " listed multicast" : "",
	      q->mask & RX_MASK_ALL_MCAST ? " all multicast" : "",
	      q->mask & RX_MASK_PROMISC ? " everything" : "", v->n_mc);
	return HWRM_OK;
}

/* A field is compared if its enable bit is set, under its mask if that has one too */
static void fill_ports(const struct ntuple_alloc_req *q, struct ntuple *f)
{
	uint64_t sm = 0, dm = 0;

	if (q->enables & NTUPLE_EN_SRC_PORT)
		sm = q->enables & NTUPLE_EN_SRC_PORT_MASK ? __builtin_bswap16(q->src_port_mask) :
							    0xffff;
	if (q->enables & NTUPLE_EN_DST_PORT)
		dm = q->enables & NTUPLE_EN_DST_PORT_MASK ? __builtin_bswap16(q->dst_port_mask) :
							    0xffff;
	f->mask.ports_proto |= sm << 48 | dm << 32;
	f->key.ports_proto |= ((uint64_t)__builtin_bswap16(q->src_port) << 48 & sm << 48) |
			      ((uint64_t)__builtin_bswap16(q->dst_port) << 32 & dm << 32);
}

static void fill_addr(uint64_t key[2], uint64_t mask[2], const uint8_t *addr,
		      const uint8_t *addr_mask, size_t len)
{
	uint8_t k[16] = { 0 }, m[16] = { 0 };

	memcpy(m, addr_mask, len);
	for (size_t i = 0; i < len; i++)
		k[i] = addr[i] & m[i];
	memcpy(key, k, sizeof(k));
	memcpy(mask, m, sizeof(m));
}

static bool fill_match(const struct ntuple_alloc_req *q, struct ntuple *f)
{
	static const uint8_t ones[16] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
					  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	uint8_t version = 0;
	size_t len;

	if (q->enables & NTUPLE_EN_ETHERTYPE) {
		uint16_t type = __builtin_bswap16(q->ethertype);

		version = type == ETH_P_IP ? NTUPLE_IPV4 : type == ETH_P_IPV6 ? NTUPLE_IPV6 : 0;
		if (!version)
			return false;
	}
	if (q->enables & NTUPLE_EN_IPADDR_TYPE && q->ip_addr_type) {
		if (q->ip_addr_type != NTUPLE_IPV4 && q->ip_addr_type != NTUPLE_IPV6)
			return false;
		version = q->ip_addr_type;
	}
	if (version) {
		f->key.ports_proto |= version;
		f->mask.ports_proto |= 0xff;
	}
	if (q->enables & NTUPLE_EN_PROTOCOL && q->ip_protocol && q->ip_protocol != 0xff) {
		f->key.ports_proto |= (uint64_t)q->ip_protocol << 8;
		f->mask.ports_proto |= 0xff00;
	}
	if (q->enables & NTUPLE_EN_SRC_MAC) {
		memcpy(&f->key.src_mac, q->src_macaddr, sizeof(q->src_macaddr));
		memset(&f->mask.src_mac, 0xff, sizeof(q->src_macaddr));
	}
	fill_ports(q, f);
	len = version == NTUPLE_IPV6 ? 16 : 4;
	if (q->enables & NTUPLE_EN_SRC_IP)
		fill_addr(f->key.src, f->mask.src, q->src_ipaddr,
			  q->enables & NTUPLE_EN_SRC_IP_MASK ? q->src_ipaddr_mask : ones, len);
	if (q->enables & NTUPLE_EN_DST_IP)
		fill_addr(f->key.dst, f->mask.dst, q->dst_ipaddr,
			  q->enables & NTUPLE_EN_DST_IP_MASK ? q->dst_ipaddr_mask : ones, len);
	return true;
}

/*
 * Where a match goes: dropped; to a queue of the function (V2 firmware); to
 * an entry of a VNIC's ring table (V3); or to a VNIC, whose RSS then decides.
 */
static bool fill_action(struct nic *nic, const struct ntuple_alloc_req *q, struct ntuple *f)
{
	f->drop = q->flags & NTUPLE_FLAG_DROP;
	f->vnic = HWRM_NO_ID;
	f->ring_idx = HWRM_NO_ID;
	if (f->drop)
		return true;
	if (!(q->enables & NTUPLE_EN_DST_ID))
		return false;
	if (q->flags & NTUPLE_FLAG_RING_IDX) {
		f->ring_idx = q->dst_id;
		return f->ring_idx < nic->cfg.queues;
	}
	f->vnic = q->dst_id;
	if (!vnic_exists(nic, f->vnic))
		return false;
	if (q->enables & NTUPLE_EN_RING_IDX) {
		if (nic->cfg.rfs != NIC_RFS_V3)
			return false;
		f->ring_idx = q->rfs_ring_tbl_idx;
	}
	return true;
}

enum hwrm_error hwrm_ntuple_alloc(struct nic *nic, const void *req, void *resp)
{
	const struct ntuple_alloc_req *q = req;
	struct filter_alloc_resp *a = resp;
	enum filter_pri pri = q->enables & NTUPLE_EN_PRI_HINT ? q->pri_hint : FILTER_PRI_ANY;
	struct ntuple f = { .used = true, .l2_filter = HWRM_NO_ID };
	int l2, hint = -1;
	unsigned int i;

	if (q->flags & ~NTUPLE_FLAGS || q->enables & ~NTUPLE_ENABLES ||
	    (q->enables & NTUPLE_EN_TUNNEL_TYPE && q->tunnel_type != NTUPLE_NO_TUNNEL))
		return HWRM_INVALID_PARAMS;
	if (q->flags & NTUPLE_FLAG_NO_L2) {
		f.any_l2 = true;
	} else {
		l2 = q->enables & NTUPLE_EN_L2_FILTER ? l2_index(nic, q->l2_filter_id) : -1;
		if (l2 < 0)
			return HWRM_INVALID_PARAMS;
		f.l2_filter = l2;
	}
	if (pri > FILTER_PRI_LOWEST || !fill_match(q, &f) || !fill_action(nic, q, &f))
		return HWRM_INVALID_PARAMS;
	if (relative(pri)) {
		hint = q->enables & NTUPLE_EN_ID_HINT ?
			       ntuple_index(nic, q->ntuple_filter_id_hint) :
			       -1;
		if (hint < 0)
			return HWRM_INVALID_PARAMS;
	}
	for (i = 0; i < MAX_NTUPLE && nic->ntuple[i].used; i++)
		;
	if (i == MAX_NTUPLE)
		return HWRM_RESOURCE_ALLOC;
	nic->ntuple[i] = f;
	ntuple_insert(nic, i, pri, hint);
	a->filter_id = NTUPLE_ID_BASE + i;
	a->flow_id = i;
	TRACE(nic, "ntuple filter %u: IPv%u protocol %u ports %u/%#x -> %u/%#x: %s vnic %d ring %d",
	      i, (unsigned int)(f.key.ports_proto & 0xff),
	      (unsigned int)(f.key.ports_proto >> 8 & 0xff),
	      (unsigned int)(f.key.ports_proto >> 48), (unsigned int)(f.mask.ports_proto >> 48),
	      (unsigned int)(f.key.ports_proto >> 32 & 0xffff),
	      (unsigned int)(f.mask.ports_proto >> 32 & 0xffff), f.drop ? "drop," : "to",
	      (int16_t)f.vnic, (int16_t)f.ring_idx);
	return HWRM_OK;
}

enum hwrm_error hwrm_ntuple_free(struct nic *nic, const void *req, void *resp)
{
	const struct filter_free_req *q = req;
	int i = ntuple_index(nic, q->filter_id);

	(void)resp;
	if (i < 0)
		return HWRM_INVALID_PARAMS;
	ntuple_remove(nic, i);
	TRACE(nic, "ntuple filter %d freed", i);
	return HWRM_OK;
}

enum hwrm_error hwrm_ntuple_cfg(struct nic *nic, const void *req, void *resp)
{
	const struct ntuple_cfg_req *q = req;
	int i = ntuple_index(nic, q->ntuple_filter_id);
	struct ntuple *f;

	(void)resp;
	if (i < 0)
		return HWRM_INVALID_PARAMS;
	if (!(q->enables & NTUPLE_CFG_EN_DST_ID))
		return HWRM_OK;
	f = &nic->ntuple[i];
	if (q->flags & NTUPLE_CFG_RING_IDX) {
		if (q->new_dst_id >= nic->cfg.queues)
			return HWRM_INVALID_PARAMS;
		f->vnic = HWRM_NO_ID;
		f->ring_idx = q->new_dst_id;
	} else {
		if (!vnic_exists(nic, q->new_dst_id))
			return HWRM_INVALID_PARAMS;
		f->vnic = q->new_dst_id;
		f->ring_idx = HWRM_NO_ID;
	}
	f->drop = false;
	return HWRM_OK;
}
