// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where the emulated NIC sends frames, and how it counts them: filters of both
 * kinds with all their fields, masks and priorities, RSS types and contexts,
 * multicast lists, sums of counters. What is expected comes from plain
 * comparisons here, which share no code with the device.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../bnxt-emu/core.h"
#include "nic-frames.h"
#include "nic-test.h"

#define MS	1000000ull
#define QUEUES	4
#define NOWHERE	-1

static const uint8_t own_mac[6] = { 2, 0, 0, 0, 0, 1 };
static const uint8_t full_mac[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static struct drv *opened(void)
{
	struct drv_opts o = drv_defaults();

	o.queues = QUEUES;
	return drv_opened(&o);
}

static struct drv_pkt *receive_raw(struct drv *d, const uint8_t *frame, size_t len)
{
	drv_wire(d, frame, len);
	nic_flush(d->nic);
	drv_run(d);
	return drv_next_rx(d);
}

static struct drv_pkt *receive(struct drv *d, const struct flow *f, size_t payload)
{
	uint8_t frame[2048];

	return receive_raw(d, frame, frame_make(frame, f, 0, payload));
}

static int queue_of(struct drv *d, const struct flow *f)
{
	struct drv_pkt *p = receive(d, f, 30);

	return p ? (int)p->queue : NOWHERE;
}

/* The same numbers each time */
static uint32_t dice(uint32_t sides)
{
	static uint64_t state = 88172645463325252ull;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 32) % sides;
}

/* A VNIC without RSS, all of whose frames go to one queue */
static uint16_t vnic_to(struct drv *d, unsigned int queue)
{
	struct vnic_alloc_req va = { .hdr.req_type = HWRM_VNIC_ALLOC };
	struct vnic_alloc_resp a = { 0 };
	struct vnic_cfg_req cfg = {
		.hdr.req_type = HWRM_VNIC_CFG,
		.enables = VNIC_CFG_EN_RX_RING | VNIC_CFG_EN_CMPL_RING,
		.mru = 1518,
		.default_rx_ring_id = d->q[queue].rx.id,
		.default_cmpl_ring_id = d->q[queue].rxcq.id,
	};
	int rc = drv_hwrm(d, &va, sizeof(va), &a, sizeof(a));

	cfg.vnic_id = a.vnic_id;
	if (rc || drv_hwrm(d, &cfg, sizeof(cfg), NULL, 0))
		tap_bail("no VNIC for queue %u", queue);
	return a.vnic_id;
}

static int vnic_free(struct drv *d, uint16_t vnic)
{
	struct vnic_free_req q = { .hdr.req_type = HWRM_VNIC_FREE, .vnic_id = vnic };

	return drv_hwrm(d, &q, sizeof(q), NULL, 0);
}

/*
 * L2 filters
 */

static struct l2_filter_alloc_req l2_rule(const uint8_t mac[6], uint16_t vnic)
{
	struct l2_filter_alloc_req q = {
		.hdr.req_type = HWRM_CFA_L2_FILTER_ALLOC, .flags = L2_FLAG_PATH_RX,
		.enables = L2_EN_ADDR | L2_EN_ADDR_MASK | L2_EN_DST_ID, .dst_id = vnic,
	};

	memcpy(q.l2_addr, mac, 6);
	memcpy(q.l2_addr_mask, full_mac, 6);
	return q;
}

static int l2_add(struct drv *d, struct l2_filter_alloc_req q, uint64_t *id)
{
	struct filter_alloc_resp a = { 0 };
	int rc = drv_hwrm(d, &q, sizeof(q), &a, sizeof(a));

	if (id)
		*id = a.filter_id;
	return rc;
}

static int l2_del(struct drv *d, uint64_t id)
{
	return drv_filter_free(d, HWRM_CFA_L2_FILTER_FREE, id);
}

static void test_l2_fields(void)
{
	static const uint8_t a[6] = { 2, 0x11, 0x22, 0x33, 0x44, 0x55 },
			     near[6] = { 2, 0x11, 0x22, 0x33, 0x44, 0x54 },
			     far[6] = { 2, 0x11, 0x23, 0x33, 0x44, 0x55 };
	struct drv *d = opened();
	uint16_t v1 = vnic_to(d, 1), v2 = vnic_to(d, 2);
	struct flow f = tcp4(1, 2), v5 = f, v6 = f, v15 = f, pri = f;
	struct l2_filter_alloc_req r = l2_rule(a, v1);
	struct l2_filter_cfg_req cfg = { .hdr.req_type = HWRM_CFA_L2_FILTER_CFG,
					 .enables = L2_CFG_EN_DST_ID };
	uint64_t id, id2;

	f.dmac = v5.dmac = v6.dmac = v15.dmac = pri.dmac = a;
	v5.vlan = 5;
	v6.vlan = 6;
	v15.vlan = 0x15;
	pri.vlan = 0x2000;	/* priority 1 of no VLAN */
	tap_eq(queue_of(d, &f), NOWHERE, "L2: a foreign address");
	tap_eq(l2_add(d, r, &id), 0, "L2: a second address");
	tap_ok(queue_of(d, &f) == 1 && queue_of(d, &v5) == 1, "L2: has its VNIC, whatever the tag");
	f.dmac = near;
	tap_eq(queue_of(d, &f), NOWHERE, "L2: all 48 bits count");
	l2_del(d, id);
	memset(r.l2_addr_mask + 3, 0, 3);
	l2_add(d, r, &id);
	tap_eq(queue_of(d, &f), 1, "L2: under a mask only some");
	f.dmac = far;
	tap_eq(queue_of(d, &f), NOWHERE, "L2: but these");
	f.dmac = a;

	cfg.l2_filter_id = id;
	cfg.dst_id = v2;
	tap_eq(drv_hwrm(d, &cfg, sizeof(cfg), NULL, 0), 0, "L2: FILTER_CFG");
	tap_eq(queue_of(d, &f), 2, "L2: sends it elsewhere");
	cfg.dst_id = 60;
	tap_eq(drv_hwrm(d, &cfg, sizeof(cfg), NULL, 0), HWRM_INVALID_PARAMS, "L2: not to nowhere");
	cfg.dst_id = v2;
	cfg.flags = L2_CFG_FLAG_DROP;
	drv_hwrm(d, &cfg, sizeof(cfg), NULL, 0);
	tap_eq(queue_of(d, &f), NOWHERE, "L2: drops");
	cfg.flags = 0;
	drv_hwrm(d, &cfg, sizeof(cfg), NULL, 0);
	tap_eq(queue_of(d, &f), 2, "L2: and no more");
	l2_del(d, id);

	r = l2_rule(a, v1);
	r.enables |= L2_EN_IVLAN | L2_EN_NUM_VLANS;
	r.l2_ivlan = 5;
	r.num_vlans = 1;
	tap_eq(l2_add(d, r, &id), 0, "L2: an address in a VLAN");
	tap_ok(queue_of(d, &v5) == 1 && queue_of(d, &v6) == NOWHERE && queue_of(d, &f) == NOWHERE,
	       "L2: takes that VLAN only");
	l2_del(d, id);
	r.enables |= L2_EN_IVLAN_MASK;
	r.l2_ivlan_mask = 0x00f;
	l2_add(d, r, &id);
	tap_ok(queue_of(d, &v5) == 1 && queue_of(d, &v15) == 1 && queue_of(d, &v6) == NOWHERE,
	       "L2: a VLAN under a mask");
	l2_del(d, id);
	r = l2_rule(a, v1);
	r.enables |= L2_EN_NUM_VLANS;
	l2_add(d, r, &id);
	r.dst_id = v2;
	r.num_vlans = 1;
	l2_add(d, r, &id2);
	tap_ok(queue_of(d, &f) == 1 && queue_of(d, &v5) == 2 && queue_of(d, &pri) == 2,
	       "L2: untagged, and tagged with whatever");
	l2_del(d, id2);
	tap_eq(queue_of(d, &v5), NOWHERE, "L2: untagged only");
	tap_eq(vnic_free(d, v1), 0, "L2: its VNIC goes");
	tap_ok(queue_of(d, &f) == NOWHERE && l2_del(d, id) == HWRM_INVALID_PARAMS, "L2: and it too");
	drv_ended(d, "L2");
}

static void test_l2_priority(void)
{
	static const uint8_t any[6] = { 0 };
	struct drv *d = opened();
	uint16_t v[QUEUES];
	struct flow f = tcp4(1, 2), v5 = f;
	struct l2_filter_alloc_req r;
	uint64_t id[6];

	for (unsigned int i = 0; i < QUEUES; i++)
		v[i] = vnic_to(d, i);
	f.dmac = v5.dmac = (const uint8_t[6]){ 2, 9, 9, 9, 9, 9 };
	v5.vlan = 5;

	r = l2_rule(f.dmac, v[1]);
	l2_add(d, r, &id[0]);
	r.dst_id = v[2];
	l2_add(d, r, &id[1]);
	tap_eq(queue_of(d, &f), 1, "L2 priority: of two the older one");
	r.dst_id = v[3];
	r.enables |= L2_EN_IVLAN;
	r.l2_ivlan = 5;
	l2_add(d, r, &id[2]);
	tap_ok(queue_of(d, &v5) == 3 && queue_of(d, &f) == 1, "L2 priority: one for a VLAN goes above");

	r = l2_rule(f.dmac, v[0]);
	r.pri_hint = FILTER_PRI_HIGHEST;
	l2_add(d, r, &id[3]);
	tap_ok(queue_of(d, &v5) == 0 && queue_of(d, &f) == 0, "L2 priority: highest");
	r.pri_hint = FILTER_PRI_ABOVE;
	r.l2_filter_id_hint = id[3];
	r.dst_id = v[2];
	tap_eq(l2_add(d, r, &id[4]), 0, "L2 priority: above another");
	tap_eq(queue_of(d, &f), 2, "L2 priority: even above that");
	l2_del(d, id[4]);
	r.pri_hint = FILTER_PRI_BELOW;
	l2_add(d, r, &id[4]);
	tap_eq(queue_of(d, &f), 0, "L2 priority: below it");
	l2_del(d, id[3]);
	tap_ok(queue_of(d, &f) == 2 && queue_of(d, &v5) == 2, "L2 priority: above the rest");
	tap_eq(l2_add(d, r, NULL), HWRM_INVALID_PARAMS, "L2 priority: relative to one that is gone");
	r.pri_hint = 5;
	tap_eq(l2_add(d, r, NULL), HWRM_INVALID_PARAMS, "L2 priority: an unknown one");
	l2_del(d, id[4]);

	/* takes all, but comes last */
	r = l2_rule(any, v[3]);
	memset(r.l2_addr_mask, 0, 6);
	r.pri_hint = FILTER_PRI_LOWEST;
	l2_add(d, r, &id[5]);
	tap_eq(queue_of(d, &f), 1, "L2 priority: lowest");
	l2_del(d, id[0]);
	l2_del(d, id[1]);
	tap_eq(queue_of(d, &f), 3, "L2 priority: with the others gone it counts");
	drv_ended(d, "L2 priority");
}

static void test_l2_refused(void)
{
	const uint32_t known = L2_EN_ADDR | L2_EN_ADDR_MASK | L2_EN_IVLAN | L2_EN_IVLAN_MASK |
			       L2_EN_DST_ID | L2_EN_NUM_VLANS;
	struct drv *d = opened();
	struct l2_filter_alloc_req r = l2_rule(own_mac, d->vnic);
	unsigned int refused = 0, wanted = 0, n;
	uint64_t id[MAX_L2_FILTERS];

	for (uint32_t bit = 1; bit; bit <<= 1) {
		r.enables = L2_EN_ADDR | L2_EN_DST_ID | bit;
		if (bit & known)
			continue;
		wanted++;
		refused += l2_add(d, r, NULL) == HWRM_INVALID_PARAMS;
	}
	tap_eq(refused, wanted, "L2: fields that are not compared are refused");
	r = l2_rule(own_mac, d->vnic);
	r.enables |= L2_EN_NUM_VLANS;
	r.num_vlans = 2;
	tap_eq(l2_add(d, r, NULL), HWRM_INVALID_PARAMS, "L2: two tags are");
	r = l2_rule(own_mac, d->vnic);
	r.flags = 0;
	tap_eq(l2_add(d, r, NULL), HWRM_INVALID_PARAMS, "L2: the way out is");
	r.flags = L2_FLAG_PATH_RX | 2;
	tap_eq(l2_add(d, r, NULL), HWRM_INVALID_PARAMS, "L2: loopback is");
	r.flags = L2_FLAG_PATH_RX;
	for (n = 0; n < MAX_L2_FILTERS && !l2_add(d, r, &id[n]); n++)
		;
	tap_eq(n, MAX_L2_FILTERS - 1, "L2: with the driver's own one the table is full");
	tap_eq(l2_add(d, r, NULL), HWRM_RESOURCE_ALLOC, "L2: then there is no room");
	while (n)
		refused -= l2_del(d, id[--n]) != 0;
	tap_eq(refused, wanted, "L2: each can be freed");
	drv_ended(d, "L2, bad ones");
}

/*
 * Ntuple filters, against a comparison byte by byte
 */

struct rule {
	struct rule *next;
	uint64_t id;
	struct ntuple_alloc_req q;
	int queue;	/* NOWHERE: drop */
};

static bool bytes_match(const uint8_t *got, const uint8_t *want, const uint8_t *mask, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((got[i] ^ want[i]) & mask[i])
			return false;
	return true;
}

static bool rule_matches(const struct rule *r, const struct flow *f, const uint8_t smac[6])
{
	const struct ntuple_alloc_req *q = &r->q;
	uint16_t sport = __builtin_bswap16(f->sport), dport = __builtin_bswap16(f->dport);
	size_t n = f->version == 4 ? 4 : 16;

	return q->ip_addr_type == f->version &&
	       (!(q->enables & NTUPLE_EN_PROTOCOL) || q->ip_protocol == f->proto) &&
	       (!(q->enables & NTUPLE_EN_SRC_MAC) || !memcmp(q->src_macaddr, smac, 6)) &&
	       bytes_match(f->src, q->src_ipaddr, q->src_ipaddr_mask, n) &&
	       bytes_match(f->dst, q->dst_ipaddr, q->dst_ipaddr_mask, n) &&
	       bytes_match((uint8_t *)&sport, (uint8_t *)&q->src_port,
			   (uint8_t *)&q->src_port_mask, 2) &&
	       bytes_match((uint8_t *)&dport, (uint8_t *)&q->dst_port,
			   (uint8_t *)&q->dst_port_mask, 2);
}

/* Numbers with few bits, so that frames and rules meet */
static void scramble(uint8_t *p, size_t n)
{
	memset(p, 0, n);
	p[0] = 10;
	p[n - 1] = dice(4);
}

static void random_mask(void *p, size_t n)
{
	static const uint8_t masks[] = { 0, 0, 0xff, 0xff, 0x01, 0x02, 0xfe };
	uint8_t *b = p;

	memset(b, dice(3) ? 0xff : 0, n);
	b[n - 1] = masks[dice(sizeof(masks))];
}

static struct rule *random_rule(struct drv *d)
{
	struct rule *r = calloc(1, sizeof(*r));
	struct ntuple_alloc_req *q = &r->q;
	bool v4 = dice(2);

	*q = (struct ntuple_alloc_req){
		.enables = NTUPLE_EN_L2_FILTER | NTUPLE_EN_ETHERTYPE | NTUPLE_EN_IPADDR_TYPE |
			   NTUPLE_EN_SRC_IP | NTUPLE_EN_SRC_IP_MASK | NTUPLE_EN_DST_IP |
			   NTUPLE_EN_DST_IP_MASK | NTUPLE_EN_SRC_PORT | NTUPLE_EN_SRC_PORT_MASK |
			   NTUPLE_EN_DST_PORT | NTUPLE_EN_DST_PORT_MASK | NTUPLE_EN_DST_ID,
		.l2_filter_id = d->l2_filter,
		.ethertype = __builtin_bswap16(v4 ? ETH_P_IP : ETH_P_IPV6),
		.ip_addr_type = v4 ? NTUPLE_IPV4 : NTUPLE_IPV6,
		.ip_protocol = dice(2) ? 6 : 17,
		.flags = NTUPLE_FLAG_RING_IDX,
	};
	if (dice(3))
		q->enables |= NTUPLE_EN_PROTOCOL;
	if (!dice(3)) {
		q->enables |= NTUPLE_EN_SRC_MAC;
		scramble(q->src_macaddr, 6);
	}
	scramble(q->src_ipaddr, v4 ? 4 : 16);
	scramble(q->dst_ipaddr, v4 ? 4 : 16);
	random_mask(q->src_ipaddr_mask, v4 ? 4 : 16);
	random_mask(q->dst_ipaddr_mask, v4 ? 4 : 16);
	random_mask(&q->src_port_mask, 2);
	random_mask(&q->dst_port_mask, 2);
	q->src_port = __builtin_bswap16(dice(4));
	q->dst_port = __builtin_bswap16(dice(4));
	r->queue = dice(QUEUES + 1);
	if (r->queue == QUEUES) {
		r->queue = NOWHERE;
		q->flags = NTUPLE_FLAG_DROP;
	}
	q->dst_id = r->queue;
	return r;
}

/* Adds one in the place that its priority says */
static bool add_rule(struct drv *d, struct rule **list, unsigned int n)
{
	struct rule *r = random_rule(d), *hint = NULL, **at = list;
	unsigned int pri = dice(5);

	if (!n && (pri == FILTER_PRI_ABOVE || pri == FILTER_PRI_BELOW))
		pri = FILTER_PRI_ANY;
	if (pri || dice(2))
		r->q.enables |= NTUPLE_EN_PRI_HINT;
	r->q.pri_hint = pri;
	if (pri == FILTER_PRI_ABOVE || pri == FILTER_PRI_BELOW) {
		hint = *list;
		for (unsigned int skip = dice(n); skip; skip--)
			hint = hint->next;
		r->q.enables |= NTUPLE_EN_ID_HINT;
		r->q.ntuple_filter_id_hint = hint->id;
	}
	while (*at && pri != FILTER_PRI_HIGHEST && !(pri == FILTER_PRI_ABOVE && *at == hint)) {
		at = &(*at)->next;
		if (pri == FILTER_PRI_BELOW && at == &hint->next)
			break;
	}
	r->next = *at;
	*at = r;
	return !drv_ntuple(d, &r->q, &r->id);
}

static bool del_rule(struct drv *d, struct rule **list, unsigned int which)
{
	struct rule *r;
	bool ok;

	while (which--)
		list = &(*list)->next;
	r = *list;
	*list = r->next;
	ok = !drv_filter_free(d, HWRM_CFA_NTUPLE_FREE, r->id);
	free(r);
	return ok;
}

/* One frame, and whether it went where the first rule that matches says */
static bool frame_agrees(struct drv *d, const struct rule *list, bool *hit)
{
	struct flow f = dice(2) ? tcp4(dice(4), dice(4)) : tcp6(dice(4), dice(4));
	uint8_t frame[256], smac[6];
	struct drv_pkt *p;
	size_t len;

	f.proto = dice(2) ? 6 : 17;
	scramble(f.src, f.version == 4 ? 4 : 16);
	scramble(f.dst, f.version == 4 ? 4 : 16);
	scramble(smac, 6);
	len = frame_make(frame, &f, 0, 40);
	memcpy(frame + 6, smac, 6);
	while (list && !rule_matches(list, &f, smac))
		list = list->next;
	*hit = list;
	p = receive_raw(d, frame, len);
	return (p ? (int)p->queue : NOWHERE) == (list ? list->queue : 0);
}

static void test_ntuple_random(void)
{
	static const uint8_t only0[] = { 0 };
	struct drv *d = opened();
	struct rule *list = NULL;
	unsigned int n = 0, agree = 0, hits = 0, frames = 20000, odd = 0;

	drv_rss(d, d->vnic, d->rss_ctx, only0, 1);
	for (unsigned int i = 0; i < frames; i++) {
		bool hit;

		if (n < 12 && !dice(10)) {
			odd += !add_rule(d, &list, n);
			n++;
		} else if (n && !dice(12)) {
			odd += !del_rule(d, &list, dice(n));
			n--;
		}
		agree += frame_agrees(d, list, &hit);
		hits += hit;
	}
	tap_eq(odd, 0, "ntuple: rules of all sorts and priorities come and go");
	tap_eq(agree, frames, "ntuple: each frame goes where the first rule that fits says");
	tap_ok(hits > frames / 10 && hits < frames * 9 / 10, "ntuple: of %u frames %u met a rule",
	       frames, hits);
	while (n)
		del_rule(d, &list, --n);
	drv_ended(d, "ntuple");
}

static void test_ntuple_refused(void)
{
	const uint32_t unknown = 1u << 17 | 1u << 18 | ~0u << 20;
	struct drv *d = opened();
	struct ntuple_alloc_req base = {
		.enables = NTUPLE_EN_L2_FILTER | NTUPLE_EN_ETHERTYPE | NTUPLE_EN_DST_ID,
		.l2_filter_id = d->l2_filter, .ethertype = __builtin_bswap16(ETH_P_IP),
		.flags = NTUPLE_FLAG_RING_IDX, .dst_id = 1,
	}, q;
	struct flow f = tcp4(1, 2);
	unsigned int refused = 0, wanted = 0, n, freed = 0;
	uint64_t id[MAX_NTUPLE];

	for (uint32_t bit = 1; bit; bit <<= 1) {
		q = base;
		q.enables |= bit;
		if (!(bit & unknown))
			continue;
		wanted++;
		refused += drv_ntuple(d, &q, NULL) == HWRM_INVALID_PARAMS;
	}
	tap_eq(refused, wanted, "ntuple: fields that are not compared are refused");
	refused = wanted = 0;
	for (uint32_t bit = 1; bit; bit <<= 1) {
		q = base;
		q.flags |= bit;
		if (bit & (NTUPLE_FLAG_DROP | NTUPLE_FLAG_RING_IDX | NTUPLE_FLAG_NO_L2))
			continue;
		wanted++;
		refused += drv_ntuple(d, &q, NULL) == HWRM_INVALID_PARAMS;
	}
	tap_eq(refused, wanted, "ntuple: so are actions that there are not");
	q = base;
	q.enables |= NTUPLE_EN_TUNNEL_TYPE;
	q.tunnel_type = 0xff;
	tap_eq(drv_ntuple(d, &q, NULL), HWRM_INVALID_PARAMS, "ntuple: and frames in tunnels");
	q.tunnel_type = NTUPLE_NO_TUNNEL;
	tap_eq(drv_ntuple(d, &q, &id[0]), 0, "ntuple: those outside of tunnels are what there is");
	tap_eq(queue_of(d, &f), 1, "ntuple: all of IPv4 in one rule");
	drv_filter_free(d, HWRM_CFA_NTUPLE_FREE, id[0]);
	q = base;
	q.ethertype = __builtin_bswap16(0x0806);
	tap_eq(drv_ntuple(d, &q, NULL), HWRM_INVALID_PARAMS, "ntuple: ARP has no tuple");
	for (n = 0; n < MAX_NTUPLE && !drv_ntuple(d, &base, &id[n]); n++)
		;
	tap_eq(n, MAX_NTUPLE, "ntuple: as many as are announced");
	tap_eq(drv_ntuple(d, &base, NULL), HWRM_RESOURCE_ALLOC, "ntuple: and no more");
	while (n)
		freed += !drv_filter_free(d, HWRM_CFA_NTUPLE_FREE, id[--n]);
	tap_eq(freed, MAX_NTUPLE, "ntuple: all can be freed");
	drv_ended(d, "ntuple, bad ones");
}

/*
 * RSS
 */

/* The hash as its specification tells it, a bit after the other */
static uint32_t toeplitz(const uint8_t *key, const uint8_t *in, size_t len)
{
	uint32_t hash = 0;

	for (size_t bit = 0; bit < len * 8; bit++) {
		uint32_t window = 0;

		if (!(in[bit / 8] >> (7 - bit % 8) & 1))
			continue;
		for (size_t i = 0; i < 32; i++)
			window |= (uint32_t)(key[(bit + i) / 8] >> (7 - (bit + i) % 8) & 1)
				  << (31 - i);
		hash ^= window;
	}
	return hash;
}

/* What a frame of flow @f is hashed over; returns how many bytes, 0 for not at all */
static size_t hash_input(const struct flow *f, uint32_t types, uint8_t in[36])
{
	size_t n = f->version == 4 ? 4 : 16;
	uint32_t ports = f->fragment	  ? 0 :
			 f->proto == 6	  ? (n == 4 ? RSS_TCP_IPV4 : RSS_TCP_IPV6) :
			 f->proto == 17	  ? (n == 4 ? RSS_UDP_IPV4 : RSS_UDP_IPV6) :
					    0;

	if (!(types & (ports | (n == 4 ? RSS_IPV4 : RSS_IPV6))))
		return 0;
	memcpy(in, f->src, n);
	memcpy(in + n, f->dst, n);
	if (!(types & ports))
		return 2 * n;
	put_be16(in + 2 * n, f->sport);
	put_be16(in + 2 * n + 2, f->dport);
	return 2 * n + 4;
}

static bool hashed_right(struct drv *d, const struct flow *f, uint32_t types)
{
	const uint8_t *key = drv_ptr(d, d->rss_key);
	struct drv_pkt *p = receive(d, f, 50);
	uint8_t in[36];
	size_t n = hash_input(f, types, in);
	uint32_t hash = n ? toeplitz(key, in, n) : 0;

	if (!p || p->hash_valid != (n > 0))
		return false;
	return n ? p->hash == hash && p->queue == hash % RSS_TABLE_PAIRS % QUEUES : !p->queue;
}

static void test_rss_types(void)
{
	static const uint8_t protos[] = { 6, 17, 1 };
	struct drv *d = opened();
	unsigned int right = 0, tried = 0;

	for (uint32_t types = 1; types <= RSS_TYPES; types++) {
		d->o.hash_type = types;
		if (drv_rss(d, d->vnic, d->rss_ctx, NULL, 0))
			tap_bail("hash types %#x are refused", types);
		for (unsigned int i = 0; i < 12; i++) {
			struct flow f = i & 1 ? tcp6(dice(60000), dice(60000)) :
						tcp4(dice(60000), dice(60000));

			f.proto = protos[i / 2 % 3];
			f.fragment = i >= 6 && f.version == 4 && f.proto != 1;
			right += hashed_right(d, &f, types);
			tried++;
		}
	}
	tap_eq(right, tried, "RSS: all 63 sets of types hash what they say, and choose the queue by it");
	drv_ended(d, "RSS types");
}

static void test_rss_refused(void)
{
	struct drv *d = opened();
	struct vnic_rss_cfg_req ok = {
		.hdr.req_type = HWRM_VNIC_RSS_CFG, .hash_type = RSS_TYPES, .vnic_id = d->vnic,
		.rss_ctx_idx = d->rss_ctx, .ring_grp_tbl_addr = d->rss_table,
		.hash_key_tbl_addr = d->rss_key,
	}, q;
	struct rss_pair *pair = drv_ptr(d, d->rss_table), kept = pair[63];
	struct flow f = tcp4(77, 88);
	int queue = queue_of(d, &f);
	unsigned int refused = 0;

	for (uint32_t type = RSS_TYPES + 1; type; type <<= 1) {
		q = ok;
		q.hash_type |= type;
		refused += drv_hwrm(d, &q, sizeof(q), NULL, 0) == HWRM_INVALID_PARAMS;
	}
	tap_eq(refused, 26, "RSS: hashes of other kinds are refused");
	q = ok;
	q.ring_select_mode = 1;
	tap_eq(drv_hwrm(d, &q, sizeof(q), NULL, 0), HWRM_INVALID_PARAMS, "RSS: so is XOR");
	q = ok;
	q.flags = 1;
	tap_eq(drv_hwrm(d, &q, sizeof(q), NULL, 0), HWRM_INVALID_PARAMS, "RSS: a change of types");
	q = ok;
	q.ring_table_pair_index = VNIC_RSS_TABLES;
	tap_eq(drv_hwrm(d, &q, sizeof(q), NULL, 0), HWRM_INVALID_PARAMS, "RSS: too large a table");
	q = ok;
	q.hash_key_tbl_addr = 8;
	tap_eq(drv_hwrm(d, &q, sizeof(q), NULL, 0), HWRM_INVALID_PARAMS, "RSS: a key out of memory");
	q = ok;
	q.rss_ctx_idx = MAX_RSS_CTXS - 1;
	tap_eq(drv_hwrm(d, &q, sizeof(q), NULL, 0), HWRM_INVALID_PARAMS, "RSS: a context of nobody");
	for (unsigned int i = 0; i < 63; i++)
		pair[i] = (struct rss_pair){ d->q[3].rx.id, d->q[3].rxcq.id };
	pair[63].rx_ring = d->q[0].tx.id;
	tap_eq(drv_hwrm(d, &ok, sizeof(ok), NULL, 0), HWRM_INVALID_PARAMS, "RSS: a ring of another kind");
	pair[63] = kept;
	tap_eq(queue_of(d, &f), queue, "RSS: what was refused has changed nothing");
	drv_ended(d, "RSS, bad ones");
}

/* An RSS context as ethtool -X makes it: a VNIC with a table, and rules that lead there */
struct context {
	uint16_t vnic, ctx;
	uint64_t rule;
	uint8_t queues[2];
};

static int ctx_alloc(struct drv *d, uint16_t *ctx)
{
	struct rss_ctx_alloc_resp a = { 0 };
	int rc = drv_hwrm_simple(d, HWRM_VNIC_RSS_CTX_ALLOC, &a, sizeof(a));

	*ctx = a.rss_cos_lb_ctx_id;
	return rc;
}

static int ctx_free(struct drv *d, uint16_t ctx)
{
	struct rss_ctx_free_req q = { .hdr.req_type = HWRM_VNIC_RSS_CTX_FREE,
				      .rss_cos_lb_ctx_id = ctx };

	return drv_hwrm(d, &q, sizeof(q), NULL, 0);
}

static void make_context(struct drv *d, struct context *c, unsigned int i)
{
	struct ntuple_alloc_req q = {
		.enables = NTUPLE_EN_L2_FILTER | NTUPLE_EN_ETHERTYPE | NTUPLE_EN_DST_PORT |
			   NTUPLE_EN_DST_ID,
		.l2_filter_id = d->l2_filter, .ethertype = __builtin_bswap16(ETH_P_IP),
		.dst_port = __builtin_bswap16(100 + i),
	};

	c->vnic = vnic_to(d, 0);
	c->queues[0] = i % QUEUES;
	c->queues[1] = (i + 1) % QUEUES;
	q.dst_id = c->vnic;
	if (ctx_alloc(d, &c->ctx) || drv_rss(d, c->vnic, c->ctx, c->queues, 2) ||
	    drv_ntuple(d, &q, &c->rule))
		tap_bail("no RSS context");
}

/* Which queues flows to a port come to, a bit each */
static unsigned int queues_of(struct drv *d, uint16_t dport)
{
	unsigned int seen = 0;

	for (unsigned int i = 0; i < 40; i++) {
		struct flow f = tcp4(5000 + i, dport);
		int q = queue_of(d, &f);

		seen |= q == NOWHERE ? 1u << 31 : 1u << q;
	}
	return seen;
}

static void test_contexts(void)
{
	struct drv *d = opened();
	struct context c[8];
	unsigned int right = 0, n;
	uint16_t ids[MAX_RSS_CTXS];
	struct vnic_rss_qcfg_req get = { .hdr.req_type = HWRM_VNIC_RSS_QCFG };
	struct vnic_rss_qcfg_resp got = { 0 };

	for (unsigned int i = 0; i < 8; i++)
		make_context(d, &c[i], i);
	for (unsigned int i = 0; i < 8; i++)
		right += queues_of(d, 100 + i) == (1u << c[i].queues[0] | 1u << c[i].queues[1]);
	tap_eq(right, 8, "contexts: each of eight spreads over its two queues");
	tap_eq(queues_of(d, 99), 15, "contexts: what no rule sends there goes to all four");
	drv_rss(d, c[3].vnic, c[3].ctx, (const uint8_t[]){ 2 }, 1);
	tap_ok(queues_of(d, 103) == 4 && queues_of(d, 102) == 12 && queues_of(d, 99) == 15,
	       "contexts: a new table is of one alone");
	((uint8_t *)drv_ptr(d, d->rss_key))[0] ^= 0xff;
	d->o.hash_type = RSS_IPV4;
	drv_rss(d, c[4].vnic, c[4].ctx, c[4].queues, 2);
	get.vnic_id = c[4].vnic;
	drv_hwrm(d, &get, sizeof(get), &got, sizeof(got));
	tap_ok(got.hash_type == RSS_IPV4 && !memcmp(got.hash_key, drv_ptr(d, d->rss_key), 40),
	       "contexts: so are key and types");
	n = queues_of(d, 104);
	tap_ok(n == 1 || n == 2, "contexts: hashed by addresses, its flows are one");
	get.vnic_id = c[5].vnic;
	drv_hwrm(d, &get, sizeof(get), &got, sizeof(got));
	tap_ok(got.hash_type == RSS_TYPES && memcmp(got.hash_key, drv_ptr(d, d->rss_key), 40),
	       "contexts: the others keep theirs");
	tap_eq(vnic_free(d, c[5].vnic), 0, "contexts: one goes");
	tap_ok(queues_of(d, 105) == 15 &&
		       drv_filter_free(d, HWRM_CFA_NTUPLE_FREE, c[5].rule) == HWRM_INVALID_PARAMS,
	       "contexts: its rules go with it");
	tap_ok(!ctx_free(d, c[5].ctx) && ctx_free(d, c[5].ctx) == HWRM_INVALID_PARAMS,
	       "contexts: its table can be freed once");
	for (n = 0; n < MAX_RSS_CTXS && !ctx_alloc(d, &ids[n]); n++)
		;
	tap_eq(n, MAX_RSS_CTXS - 8, "contexts: as many tables as are announced, with those in use");
	while (n)
		right += !ctx_free(d, ids[--n]);
	tap_eq(right, MAX_RSS_CTXS, "contexts: all can be freed");
	drv_ended(d, "contexts");
}

/*
 * Multicast
 */

static int set_mask(struct drv *d, uint16_t vnic, uint32_t mask, const uint8_t (*list)[6], unsigned int n)
{
	struct l2_set_rx_mask_req m = { .hdr.req_type = HWRM_CFA_L2_SET_RX_MASK, .vnic_id = vnic,
					.mask = mask, .num_mc_entries = n };

	if (n) {
		m.mc_tbl_addr = drv_alloc(d, 4096);
		memcpy(drv_ptr(d, m.mc_tbl_addr), list, n * 6);
	}
	return drv_hwrm(d, &m, sizeof(m), NULL, 0);
}

static unsigned int listed(struct drv *d, const uint8_t (*list)[6], unsigned int n)
{
	struct flow f = tcp4(1, 2);
	unsigned int come = 0;

	for (unsigned int i = 0; i < n; i++) {
		f.dmac = list[i];
		come += queue_of(d, &f) != NOWHERE;
	}
	return come;
}

static void test_multicast(void)
{
	uint8_t list[MAX_MC_ADDRS + 2][6] = { 0 };
	struct l2_set_rx_mask_req m = { .hdr.req_type = HWRM_CFA_L2_SET_RX_MASK,
					.mask = RX_MASK_MCAST, .num_mc_entries = 1 };
	struct drv *d = opened();
	uint16_t v2 = vnic_to(d, 2);
	struct flow f = tcp4(1, 2);

	for (unsigned int i = 0; i < MAX_MC_ADDRS + 2; i++)
		memcpy(list[i], (const uint8_t[]){ 0x33, 0x33, 0, 0, i >> 4, i << 4 }, 6);
	tap_eq(set_mask(d, d->vnic, RX_MASK_MCAST, list, MAX_MC_ADDRS), 0, "multicast: a full list");
	tap_eq(listed(d, list, MAX_MC_ADDRS), MAX_MC_ADDRS, "multicast: each address on it comes");
	tap_eq(listed(d, list + MAX_MC_ADDRS, 2), 0, "multicast: others do not");
	tap_eq(set_mask(d, d->vnic, RX_MASK_MCAST, list, MAX_MC_ADDRS + 1), HWRM_RESOURCE_ALLOC,
	       "multicast: a longer one is refused");
	m.vnic_id = d->vnic;
	m.mc_tbl_addr = DRV_IOVA + DRV_MEM_SIZE - 5;
	tap_eq(drv_hwrm(d, &m, sizeof(m), NULL, 0), HWRM_INVALID_PARAMS,
	       "multicast: so is one that is not all in memory");
	tap_eq(set_mask(d, d->vnic, RX_MASK_MCAST | RX_MASK_VLANONLY, list, 1), HWRM_INVALID_PARAMS,
	       "multicast: so are tables of VLANs");
	tap_eq(listed(d, list, MAX_MC_ADDRS), MAX_MC_ADDRS, "multicast: the old one stays");
	tap_eq(set_mask(d, d->vnic, RX_MASK_MCAST, list + 1, 2), 0, "multicast: a new list");
	tap_eq(listed(d, list, MAX_MC_ADDRS), 2, "multicast: is all that counts");
	tap_eq(set_mask(d, d->vnic, RX_MASK_MCAST, NULL, 0), 0, "multicast: an empty one");
	tap_eq(listed(d, list, MAX_MC_ADDRS), 0, "multicast: takes nothing");
	tap_eq(set_mask(d, d->vnic, RX_MASK_ALL_MCAST, NULL, 0), 0, "multicast: all of it");
	tap_eq(listed(d, list, MAX_MC_ADDRS + 2), MAX_MC_ADDRS + 2, "multicast: comes");
	f.dmac = full_mac;
	tap_eq(queue_of(d, &f), NOWHERE, "multicast: broadcast is another bit");
	set_mask(d, d->vnic, 0, NULL, 0);
	set_mask(d, v2, RX_MASK_MCAST, list + 7, 1);
	f.dmac = list[7];
	tap_eq(queue_of(d, &f), 2, "multicast: the VNIC that listed it gets it");
	set_mask(d, v2, RX_MASK_PROMISC, NULL, 0);
	f.dmac = NULL;
	tap_eq(queue_of(d, &f) == 2, 0, "promiscuous: filters of others go first");
	f.dmac = (const uint8_t[6]){ 6, 6, 6, 6, 6, 6 };
	tap_eq(queue_of(d, &f), 2, "promiscuous: takes the rest");
	drv_ended(d, "multicast");
}

/*
 * Counters
 */

/* What was sent either way, as this test counts it */
struct books {
	uint64_t wire[3], wire_bytes, tagged;		/* by unicast, multicast, broadcast */
	uint64_t got[3], got_bytes[3];			/* of these came to the driver */
	uint64_t missed;				/* no filter wanted them */
	uint64_t sent[3], sent_bytes;
};

struct counters {
	struct ctx_stats q;	/* of all queues */
	uint64_t rx[PORT_RX_COUNT], tx[PORT_TX_COUNT];
	uint64_t rxx[PORT_RXX_COUNT], txx[PORT_TXX_COUNT];
};

static void read_counters(struct drv *d, struct counters *c)
{
	struct port_qstats_req q = { .hdr.req_type = HWRM_PORT_QSTATS };
	struct port_qstats_ext_req e = { .hdr.req_type = HWRM_PORT_QSTATS_EXT,
					 .rx_stat_size = sizeof(c->rxx),
					 .tx_stat_size = sizeof(c->txx) };
	static const size_t words = sizeof(c->q) / 8;
	uint64_t area = drv_alloc(d, 16384), sum[sizeof(c->q) / 8] = { 0 }, one[sizeof(c->q) / 8];

	for (unsigned int i = 0; i < QUEUES; i++) {
		memcpy(one, drv_ptr(d, d->q[i].stats), sizeof(one));
		for (size_t w = 0; w < words; w++)
			sum[w] += one[w];
	}
	memcpy(&c->q, sum, sizeof(sum));
	q.rx_stat_host_addr = area;
	q.tx_stat_host_addr = area + 4096;
	e.rx_stat_host_addr = area + 8192;
	e.tx_stat_host_addr = area + 12288;
	if (drv_hwrm(d, &q, sizeof(q), NULL, 0) || drv_hwrm(d, &e, sizeof(e), NULL, 0))
		tap_bail("the port's counters cannot be read");
	memcpy(c->rx, drv_ptr(d, area), sizeof(c->rx));
	memcpy(c->tx, drv_ptr(d, area + 4096), sizeof(c->tx));
	memcpy(c->rxx, drv_ptr(d, area + 8192), sizeof(c->rxx));
	memcpy(c->txx, drv_ptr(d, area + 12288), sizeof(c->txx));
}

static void random_in(struct drv *d, struct books *b)
{
	static const uint8_t group[6] = { 1, 0, 0x5e, 0, 0, 1 }, foreign[6] = { 2, 6, 6, 6, 6, 6 };
	static const uint8_t *const to[] = { NULL, NULL, group, full_mac, foreign };
	struct flow f = dice(2) ? tcp4(dice(500), 1) : tcp6(dice(500), 1);
	unsigned int which = dice(5), cast = which < 2 || which == 4 ? 0 : which - 1;
	uint8_t frame[2048];
	struct drv_pkt *p;
	size_t len;

	f.dmac = to[which];
	f.vlan = dice(4) ? 0 : 1 + dice(4000);
	len = frame_make(frame, &f, 0, dice(1380));
	b->wire[cast]++;
	b->wire_bytes += len;
	b->tagged += f.vlan > 0;
	p = receive_raw(d, frame, len);
	if (p) {
		b->got[cast]++;
		b->got_bytes[cast] += len;
	} else {
		b->missed++;
	}
}

static void random_out(struct drv *d, struct books *b)
{
	static const uint8_t group[6] = { 1, 0, 0x5e, 0, 0, 1 };
	static const uint8_t *const to[] = { NULL, group, full_mac };
	static uint8_t frame[16384];
	struct flow f = tcp4(dice(500), 1);
	unsigned int cast = dice(3);
	struct drv_tx t = { .data = frame, .piece = 4096 };
	struct drv_frame *w;

	f.dmac = to[cast];
	if (dice(2)) {
		t.len = frame_make(frame, &f, 0, dice(1400));
	} else {
		t.len = frame_make(frame, &f, 0, 1 + dice(9000));
		t.lflags = TXEXT_LSO | (uint32_t)frame_headers(&f) / 2 << 16;
		t.mss = 1000;
	}
	drv_send(d, dice(QUEUES), &t);
	nic_flush(d->nic);
	drv_run(d);
	while ((w = drv_next_tx(d))) {
		b->sent[cast]++;
		b->sent_bytes += w->len;
	}
}

static uint64_t add_up(const uint64_t *p, size_t n)
{
	uint64_t sum = 0;

	while (n--)
		sum += *p++;
	return sum;
}

/* Sizes of frames, without the counter of tagged ones in their midst */
static uint64_t histogram(const uint64_t *p)
{
	return add_up(p, PORT_TX_GOOD_VLAN) + add_up(p + PORT_TX_GOOD_VLAN + 1, 4);
}

static void test_sums(void)
{
	struct drv *d = opened();
	struct books b = { 0 };
	struct counters c;
	uint64_t in, out;

	set_mask(d, d->vnic, RX_MASK_BCAST | RX_MASK_ALL_MCAST, NULL, 0);
	for (unsigned int i = 0; i < 3000; i++) {
		random_in(d, &b);
		random_out(d, &b);
	}
	nic_run_timers(d->nic, 5000 * MS);
	read_counters(d, &c);
	in = add_up(b.wire, 3);
	out = add_up(b.sent, 3);
	tap_ok(b.missed > 100 && b.tagged > 100 && out > 5000, "counters: of all sorts");
	tap_ok(!memcmp(c.q.rx_pkts, b.got, sizeof(b.got)) &&
		       !memcmp(c.q.rx_bytes, b.got_bytes, sizeof(b.got_bytes)),
	       "counters: queues have what the driver got, packets and bytes by kind");
	tap_ok(!memcmp(c.q.tx_pkts, b.sent, sizeof(b.sent)) && add_up(c.q.tx_bytes, 3) == b.sent_bytes,
	       "counters: and what went to the wire");
	tap_ok(c.rx[PORT_RX_TOTAL] == in && c.rx[PORT_RX_GOOD] == in &&
		       !memcmp(&c.rx[PORT_RX_CAST], b.wire, sizeof(b.wire)),
	       "counters: the port has what came over the wire");
	tap_eq(c.rx[PORT_RX_BYTES], b.wire_bytes + 4 * in, "counters: with the FCS of each");
	tap_ok(histogram(&c.rx[PORT_RX_64B]) == in && c.rx[PORT_RX_TAGGED] == b.tagged &&
		       c.rx[PORT_RX_GOOD_VLAN] == b.tagged,
	       "counters: by size and tag that is the same");
	tap_ok(c.tx[PORT_TX_TOTAL] == out && c.tx[PORT_TX_GOOD] == out &&
		       histogram(&c.tx[PORT_TX_64B]) == out &&
		       c.tx[PORT_TX_BYTES] == b.sent_bytes + 4 * out,
	       "counters: the port sent what queues did");
	tap_ok(c.rxx[PORT_RXX_FILTER_MISS] == b.missed &&
		       in == add_up(c.q.rx_pkts, 3) + c.rxx[PORT_RXX_FILTER_MISS],
	       "counters: the port's frames are the queues' and those that nobody wanted");
	tap_ok(c.rxx[PORT_RXX_PKTS_COS0] == in && c.rxx[PORT_RXX_BYTES_COS0] == b.wire_bytes &&
		       c.txx[PORT_TXX_PKTS_COS0] == out,
	       "counters: the only class of service has all");
	tap_ok(!c.rx[PORT_RX_ERROR] && !c.rx[PORT_RX_DISCARD] && !c.q.rx_discard && !c.q.rx_error &&
		       !c.tx[PORT_TX_ERROR],
	       "counters: nothing was lost");
	drv_hwrm_simple(d, HWRM_PORT_CLR_STATS, NULL, 0);
	read_counters(d, &c);
	tap_ok(!add_up(c.rx, PORT_RX_COUNT) && !add_up(c.tx, PORT_TX_COUNT) &&
		       add_up(c.q.rx_pkts, 3) == add_up(b.got, 3),
	       "counters: the port's can be cleared, the queues' stay");
	drv_ended(d, "counters");
}

/* A queue without buffers loses frames, and these are counted in both places as well */
static void test_lost_sums(void)
{
	struct drv *d = opened();
	struct flow f = tcp4(3, 4);
	struct counters c;
	unsigned int got = 0;
	uint8_t frame[2048];

	for (unsigned int i = 0; i < QUEUES; i++)
		d->q[i].hold = true;
	for (unsigned int i = 0; i < 1000; i++)
		got += !!receive(d, &f, 100);
	/* larger than the MRU: an error, not a discard */
	got += !!receive_raw(d, frame, frame_make(frame, &f, 0, 1600));
	nic_run_timers(d->nic, 5000 * MS);
	read_counters(d, &c);
	tap_eq(got, 255, "lost: until the buffers of the flow's queue are used up");
	tap_ok(c.q.rx_discard == 745 && c.rx[PORT_RX_DISCARD] == 745 &&
		       c.rxx[PORT_RXX_DISCARD_PKTS_COS0] == 745,
	       "lost: queue and port count the rest as discards");
	tap_ok(c.q.rx_error == 1 && c.rx[PORT_RX_ERROR] == 1 && c.rx[PORT_RX_MTU_ERR] == 1,
	       "lost: one that is too long as error");
	tap_eq(c.rx[PORT_RX_TOTAL], add_up(c.q.rx_pkts, 3) + c.q.rx_discard + c.q.rx_error,
	       "lost: together they are what came");
	drv_ended(d, "lost");
}

int main(void)
{
	test_l2_fields();
	test_l2_priority();
	test_l2_refused();
	test_ntuple_random();
	test_ntuple_refused();
	test_rss_types();
	test_rss_refused();
	test_contexts();
	test_multicast();
	test_sums();
	test_lost_sums();
	return tap_done();
}
