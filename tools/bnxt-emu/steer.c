// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which queue a frame goes to: an L2 filter or a receive mask gives the VNIC;
 * the first ntuple filter that matches overrides it; else the VNIC's RSS table
 * picks the ring, and what cannot be hashed goes to its default ring.
 */
#include "core.h"

/* @at: the filter's place if there is no preference */
static void order_insert(struct filter_order *o, unsigned int index, enum filter_pri pri,
			 int relative_to, unsigned int at)
{
	if (pri == FILTER_PRI_HIGHEST)
		at = 0;
	else if (pri == FILTER_PRI_LOWEST)
		at = o->n;
	for (unsigned int i = 0; i < o->n; i++) {
		if (o->index[i] != relative_to)
			continue;
		if (pri == FILTER_PRI_ABOVE)
			at = i;
		else if (pri == FILTER_PRI_BELOW)
			at = i + 1;
	}
	memmove(&o->index[at + 1], &o->index[at], (o->n - at) * sizeof(o->index[0]));
	o->index[at] = index;
	o->n++;
}

static void order_remove(struct filter_order *o, unsigned int index)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < o->n; i++)
		if (o->index[i] != index)
			o->index[kept++] = o->index[i];
	o->n = kept;
}

/**
 * ntuple_insert - give a filter its place in the order of the lookup
 * @nic: device
 * @index: filter
 * @pri: where: without preference it goes below all others, so that of two
 *	filters that match the older one wins
 * @relative_to: filter that FILTER_PRI_ABOVE and _BELOW are about
 */
void ntuple_insert(struct nic *nic, unsigned int index, enum filter_pri pri, int relative_to)
{
	order_insert(&nic->ntuple_order, index, pri, relative_to, nic->ntuple_order.n);
}

/**
 * ntuple_remove - forget a filter
 * @nic: device
 * @index: filter
 */
void ntuple_remove(struct nic *nic, unsigned int index)
{
	order_remove(&nic->ntuple_order, index);
	nic->ntuple[index].used = false;
}

/**
 * l2_insert - give a filter its place in the order of the lookup
 * @nic: device
 * @index: filter
 * @pri: where: without preference it goes below all others, but one for a VLAN goes
 *	above those that take any, which else would leave it nothing
 * @relative_to: filter that FILTER_PRI_ABOVE and _BELOW are about
 */
void l2_insert(struct nic *nic, unsigned int index, enum filter_pri pri, int relative_to)
{
	const struct filter_order *o = &nic->l2_order;
	unsigned int at = o->n;

	if (nic->l2[index].vlan_mask)
		for (at = 0; at < o->n && nic->l2[o->index[at]].vlan_mask; at++)
			;
	order_insert(&nic->l2_order, index, pri, relative_to, at);
}

/**
 * l2_remove - forget a filter, and the ntuple filters that refer to it
 * @nic: device
 * @index: filter
 */
void l2_remove(struct nic *nic, unsigned int index)
{
	order_remove(&nic->l2_order, index);
	nic->l2[index].used = false;
	for (unsigned int i = 0; i < MAX_NTUPLE; i++)
		if (nic->ntuple[i].used && nic->ntuple[i].l2_filter == index)
			ntuple_remove(nic, i);
}

/**
 * steer_vnic_gone - filters do not outlive the VNIC they lead to
 * @nic: device
 * @vnic: index of the VNIC
 */
void steer_vnic_gone(struct nic *nic, unsigned int vnic)
{
	for (unsigned int i = 0; i < MAX_NTUPLE; i++)
		if (nic->ntuple[i].used && nic->ntuple[i].vnic == vnic)
			ntuple_remove(nic, i);
	for (unsigned int i = 0; i < MAX_L2_FILTERS; i++)
		if (nic->l2[i].used && nic->l2[i].vnic == vnic)
			l2_remove(nic, i);
}

static bool l2_matches(const struct l2_filter *f, const uint8_t *dst, const struct parsed *p)
{
	for (unsigned int i = 0; i < 6; i++)
		if ((dst[i] & f->mask[i]) != f->addr[i])
			return false;
	if (f->count_vlans && f->vlans != p->tagged)
		return false;
	return !f->vlan_mask || (p->tagged && (p->tci & f->vlan_mask) == f->vlan);
}

static bool mask_takes(const struct vnic *v, const uint8_t *dst, enum cast cast)
{
	if (v->rx_mask & RX_MASK_PROMISC)
		return true;
	if (cast == CAST_BROAD)
		return v->rx_mask & RX_MASK_BCAST;
	if (cast != CAST_MULTI)
		return false;
	if (v->rx_mask & RX_MASK_ALL_MCAST)
		return true;
	if (v->rx_mask & RX_MASK_MCAST)
		for (unsigned int i = 0; i < v->n_mc; i++)
			if (!memcmp(v->mc[i], dst, 6))
				return true;
	return false;
}

/* Index of the L2 filter in *@l2, HWRM_NO_ID if a receive mask let the frame in */
static struct vnic *find_vnic(struct nic *nic, const uint8_t *frame, const struct parsed *p,
			      unsigned int *l2)
{
	enum cast cast;

	for (unsigned int i = 0; i < nic->l2_order.n; i++) {
		const struct l2_filter *f = &nic->l2[nic->l2_order.index[i]];

		if (!l2_matches(f, frame, p) || !(f->drop || nic->vnic[f->vnic].used))
			continue;
		*l2 = nic->l2_order.index[i];
		return &nic->vnic[f->vnic];
	}
	*l2 = HWRM_NO_ID;
	cast = frame_cast(frame);
	for (unsigned int i = 0; i < MAX_VNICS; i++)
		if (nic->vnic[i].used && mask_takes(&nic->vnic[i], frame, cast))
			return &nic->vnic[i];
	return NULL;
}

static void make_key(const uint8_t *frame, const struct parsed *p, struct flow_key *key)
{
	const uint8_t *ip = frame + p->l3;

	memset(key, 0, sizeof(*key));
	memcpy(&key->src_mac, frame + 6, 6);
	key->ports_proto = p->ip_version | (uint64_t)p->l4_proto << 8;
	if (p->has_l4)
		key->ports_proto |= (uint64_t)p->sport << 48 | (uint64_t)p->dport << 32;
	if (p->ip_version == 4) {
		memcpy(key->src, ip + 12, 4);
		memcpy(key->dst, ip + 16, 4);
	} else {
		memcpy(key->src, ip + 8, 16);
		memcpy(key->dst, ip + 24, 16);
	}
}

static bool key_matches(const struct ntuple *f, const struct flow_key *k)
{
	return (k->ports_proto & f->mask.ports_proto) == f->key.ports_proto &&
	       (k->src[0] & f->mask.src[0]) == f->key.src[0] &&
	       (k->dst[0] & f->mask.dst[0]) == f->key.dst[0] &&
	       (k->src[1] & f->mask.src[1]) == f->key.src[1] &&
	       (k->dst[1] & f->mask.dst[1]) == f->key.dst[1] &&
	       (k->src_mac & f->mask.src_mac) == f->key.src_mac;
}

static const struct ntuple *find_ntuple(const struct nic *nic, const uint8_t *frame,
					const struct parsed *p, unsigned int l2)
{
	struct flow_key key;

	if (!nic->ntuple_order.n || !p->ip_version)
		return NULL;
	make_key(frame, p, &key);
	for (unsigned int i = 0; i < nic->ntuple_order.n; i++) {
		const struct ntuple *f = &nic->ntuple[nic->ntuple_order.index[i]];

		if ((f->any_l2 || f->l2_filter == l2) && key_matches(f, &key))
			return f;
	}
	return NULL;
}

struct hash_kind {
	uint32_t type;		/* bit in hash_type that has to be set */
	bool ports;
};

/*
 * How a frame is hashed; type 0 if not at all. Without its 4-tuple bit it falls
 * back to addresses.
 */
static struct hash_kind hash_kind(const struct vnic *v, const struct parsed *p)
{
	bool v4 = p->ip_version == 4;
	uint32_t l4 = 0, l3;

	if (!p->ip_version)
		return (struct hash_kind){ 0 };
	if (p->has_l4 && p->l4_proto == 6)
		l4 = v4 ? RSS_TCP_IPV4 : RSS_TCP_IPV6;
	else if (p->has_l4)
		l4 = v4 ? RSS_UDP_IPV4 : RSS_UDP_IPV6;
	if (v->hash_type & l4)
		return (struct hash_kind){ .type = l4, .ports = true };
	l3 = v->hash_type & (v4 ? RSS_IPV4 : RSS_IPV6);
	return (struct hash_kind){ .type = l3 };
}

static void hash_frame(const struct vnic *v, const uint8_t *frame, const struct parsed *p,
		       struct rx_target *to)
{
	struct hash_kind kind = hash_kind(v, p);
	uint8_t input[TOEPLITZ_INPUT];
	size_t len;

	if (!kind.type)
		return;
	if (p->ip_version == 4) {
		len = 8;
		memcpy(input, frame + p->l3 + 12, len);
	} else {
		len = 32;
		memcpy(input, frame + p->l3 + 8, len);
	}
	if (kind.ports) {
		memcpy(input + len, frame + p->l4, 4);
		len += 4;
	}
	to->hash = toeplitz_hash(&v->toeplitz, input, len);
	to->hash_valid = true;
}

static struct ring *vnic_ring(struct nic *nic, const struct vnic *v, const struct rx_target *to,
			      uint16_t index)
{
	if (index != HWRM_NO_ID)
		return index < v->n_pairs ? ring_get(nic, v->pair[index].rx_ring, RING_RX) : NULL;
	if (to->hash_valid && v->n_pairs)
		return ring_get(nic, v->pair[to->hash % v->n_pairs].rx_ring, RING_RX);
	return ring_get(nic, v->dflt_rx, RING_RX);
}

/**
 * steer - find out where a frame goes
 * @nic: device
 * @frame: its headers
 * @p: their parse
 * @to: where to; with RX_DELIVER its VNIC is set, its ring may be missing
 *
 * Return: what to do with the frame.
 */
enum rx_verdict steer(struct nic *nic, const uint8_t *frame, const struct parsed *p,
		      struct rx_target *to)
{
	const struct ntuple *f;
	unsigned int l2;

	memset(to, 0, sizeof(*to));
	to->vnic = find_vnic(nic, frame, p, &l2);
	if (!to->vnic)
		return RX_FILTER_MISS;
	if (l2 != HWRM_NO_ID && nic->l2[l2].drop)
		return RX_FILTER_DROP;

	f = find_ntuple(nic, frame, p, l2);
	if (f && f->drop)
		return RX_FILTER_DROP;
	if (f && f->vnic != HWRM_NO_ID)
		to->vnic = &nic->vnic[f->vnic];
	hash_frame(to->vnic, frame, p, to);
	if (f && f->vnic == HWRM_NO_ID)
		to->rx = rx_ring_of_queue(nic, f->ring_idx);
	else
		to->rx = vnic_ring(nic, to->vnic, to, f ? f->ring_idx : HWRM_NO_ID);
	return RX_DELIVER;
}
