// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the device has, in words: rings, VNICs, filters, counters. For people and
 * for tests; nothing here changes anything.
 */
#include <stdarg.h>
#include <stdio.h>

#include "core.h"

#define LINE_MAX_BYTES	512

struct text {
	char buf[LINE_MAX_BYTES];
	size_t len;
};

/* What does not fit is cut */
__attribute__((format(printf, 2, 3)))
static void add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->len, sizeof(t->buf) - t->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->len += n;
	if (t->len >= sizeof(t->buf))
		t->len = sizeof(t->buf) - 1;
}

static void end_line(struct text *t, nic_line_fn line, void *arg)
{
	line(arg, t->buf);
	t->len = 0;
	t->buf[0] = 0;
}

static void add_id(struct text *t, const char *what, unsigned int id)
{
	if (id != HWRM_NO_ID)
		add(t, ", %s %u", what, id);
}

static void describe_ring(struct text *t, const struct ring *r)
{
	bool queue = r->type == RING_CMPL || r->type == RING_NQ;

	add(t, "ring %u: %s of queue %u, %u entries, %u %s", r->id, ring_type_name(r->type),
	    r->logical_id, r->entries, queue ? r->prod - r->cons : ring_pending(r),
	    queue ? "not acknowledged" : "posted");
	if (r->buf_size)
		add(t, ", buffers of %u bytes", r->buf_size);
	add_id(t, "NQ", r->nq_id);
	add_id(t, "CQ", r->cq_id);
	add_id(t, "AGG ring", r->agg_id);
	add_id(t, "RX ring", r->rx_id);
	if (r->type == RING_NQ)
		add(t, ", vector %u", r->vector);
	if (queue)
		add(t, r->armed ? ", armed" : ", not armed");
	if (r->late_until)
		add(t, ", its notification is put off");
	if (r->starved)
		add(t, ", short of buffers, the wire waits");
	if (r->gave_up)
		add(t, ", short of buffers, frames are dropped");
	if (r->stalled && r->type == RING_TX)
		add(t, ", waits for room in its CQ");
	if (r->state == RING_FAILED)
		add(t, ", FAILED: ignored until it is freed");
}

/**
 * nic_list_rings - all rings
 * @nic: device
 * @line: gets one line a ring
 * @arg: for @line
 */
void nic_list_rings(struct nic *nic, nic_line_fn line, void *arg)
{
	struct text t = { .len = 0 };

	for (unsigned int i = 0; i < MAX_RINGS; i++) {
		if (nic->ring[i].state == RING_UNUSED)
			continue;
		describe_ring(&t, &nic->ring[i]);
		end_line(&t, line, arg);
	}
}

static void add_flags(struct text *t, uint32_t bits, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bits >> i & 1 && names[i])
			add(t, " %s", names[i]);
}

static void describe_vnic(struct text *t, unsigned int id, const struct vnic *v)
{
	static const char *const masks[] = { NULL, "listed-multicast", "all-multicast", "broadcast",
					     "everything" };
	static const char *const hashes[] = { "ipv4", "tcp4", "udp4", "ipv6", "tcp6", "udp6" };
	static const char *const places[] = { NULL, "jumbo", "split-ipv4", "split-ipv6" };

	add(t, "vnic %u: mru %u%s%s, takes", id, v->mru, v->mru ? "" : " (takes nothing)",
	    v->dropping ? ", drops all" : "");
	add_flags(t, v->rx_mask, masks, ARRAY_SIZE(masks));
	add(t, v->rx_mask ? "" : " what filters send");
	if (v->n_mc)
		add(t, " (%u addresses)", v->n_mc);
	add_id(t, "default ring", v->dflt_rx);
	if (v->vlan_strip)
		add(t, ", strips VLAN tags");
	if (v->plc_flags) {
		add(t, ", places");
		add_flags(t, v->plc_flags, places, ARRAY_SIZE(places));
		add(t, " (jumbo above %u, split above %u)", v->jumbo_thresh, v->hds_threshold);
	}
	if (v->hash_type) {
		add(t, ", hashes");
		add_flags(t, v->hash_type, hashes, ARRAY_SIZE(hashes));
		add(t, " over %u table entries", v->n_pairs);
	}
}

/**
 * nic_list_vnics - all VNICs
 * @nic: device
 * @line: gets one line a VNIC
 * @arg: for @line
 */
void nic_list_vnics(struct nic *nic, nic_line_fn line, void *arg)
{
	struct text t = { .len = 0 };

	for (unsigned int i = 0; i < MAX_VNICS; i++) {
		if (!nic->vnic[i].used)
			continue;
		describe_vnic(&t, i, &nic->vnic[i]);
		end_line(&t, line, arg);
	}
}

static void add_mac(struct text *t, const uint8_t *a)
{
	add(t, "%02x:%02x:%02x:%02x:%02x:%02x", a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void describe_l2(struct text *t, unsigned int id, const struct l2_filter *f)
{
	static const uint8_t all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	add(t, "l2 %u: destination ", id);
	add_mac(t, f->addr);
	if (memcmp(f->mask, all, sizeof(all))) {
		add(t, " mask ");
		add_mac(t, f->mask);
	}
	if (f->vlan_mask)
		add(t, ", VLAN %u mask %#x", f->vlan, f->vlan_mask);
	if (f->count_vlans)
		add(t, f->vlans ? ", tagged" : ", untagged");
	if (f->drop)
		add(t, ": dropped");
	else
		add(t, ": to vnic %u", f->vnic);
}

static void add_address(struct text *t, const char *name, bool v4, const uint64_t *addr,
			const uint64_t *mask)
{
	uint8_t a[16], m[16];

	if (!mask[0] && !mask[1])
		return;
	memcpy(a, addr, sizeof(a));
	memcpy(m, mask, sizeof(m));
	if (v4) {
		add(t, ", %s %u.%u.%u.%u mask %u.%u.%u.%u", name, a[0], a[1], a[2], a[3], m[0], m[1],
		    m[2], m[3]);
		return;
	}
	add(t, ", %s ", name);
	for (int i = 0; i < 16; i += 2)
		add(t, "%s%x", i ? ":" : "", get_be16(a + i));
	add(t, " mask ");
	for (int i = 0; i < 16; i += 2)
		add(t, "%s%x", i ? ":" : "", get_be16(m + i));
}

static void add_port(struct text *t, const char *name, uint16_t port, uint16_t mask)
{
	if (mask)
		add(t, ", %s port %u", name, port);
	if (mask && mask != 0xffff)
		add(t, " mask %#x", mask);
}

static void describe_ntuple(struct text *t, unsigned int id, const struct ntuple *f)
{
	uint64_t k = f->key.ports_proto, m = f->mask.ports_proto;
	bool v4 = (k & 0xff) == 4;

	add(t, "ntuple %u: IPv%u", id, (unsigned int)(k & 0xff));
	if (m >> 8 & 0xff)
		add(t, ", protocol %u", (unsigned int)(k >> 8 & 0xff));
	if (f->mask.src_mac) {
		uint8_t mac[sizeof(f->key.src_mac)];

		memcpy(mac, &f->key.src_mac, sizeof(mac));
		add(t, ", source ");
		add_mac(t, mac);
	}
	add_address(t, "source", v4, f->key.src, f->mask.src);
	add_address(t, "destination", v4, f->key.dst, f->mask.dst);
	add_port(t, "source", k >> 48, m >> 48);
	add_port(t, "destination", k >> 32, m >> 32);
	if (f->drop)
		add(t, ": dropped");
	else if (f->vnic == HWRM_NO_ID)
		add(t, ": to queue %u", f->ring_idx);
	else if (f->ring_idx != HWRM_NO_ID)
		add(t, ": to vnic %u, table entry %u", f->vnic, f->ring_idx);
	else
		add(t, ": to vnic %u, by hash", f->vnic);
}

/**
 * nic_list_filters - L2 filters, then ntuple filters, in the order of their priority
 * @nic: device
 * @line: gets one line a filter
 * @arg: for @line
 */
void nic_list_filters(struct nic *nic, nic_line_fn line, void *arg)
{
	struct text t = { .len = 0 };

	for (unsigned int i = 0; i < nic->l2_order.n; i++) {
		describe_l2(&t, nic->l2_order.index[i], &nic->l2[nic->l2_order.index[i]]);
		end_line(&t, line, arg);
	}
	for (unsigned int i = 0; i < nic->ntuple_order.n; i++) {
		unsigned int id = nic->ntuple_order.index[i];

		describe_ntuple(&t, id, &nic->ntuple[id]);
		end_line(&t, line, arg);
	}
}

struct counter_name {
	unsigned int index;	/* of a 64-bit word */
	const char *name;
};

/* Names as ethtool -S has them */
static const struct counter_name port_rx_names[] = {
	{ PORT_RX_TOTAL, "rx_total_frames" }, { PORT_RX_GOOD, "rx_good_frames" },
	{ PORT_RX_CAST, "rx_ucast_frames" }, { PORT_RX_CAST + 1, "rx_mcast_frames" },
	{ PORT_RX_CAST + 2, "rx_bcast_frames" }, { PORT_RX_FCS_ERR, "rx_fcs_err_frames" },
	{ PORT_RX_MTU_ERR, "rx_mtu_err_frames" }, { PORT_RX_TAGGED, "rx_tagged_frames" },
	{ PORT_RX_BYTES, "rx_bytes" }, { PORT_RX_RUNT, "rx_runt_frames" },
	{ PORT_RX_DISCARD, "rx_stat_discard" }, { PORT_RX_ERROR, "rx_stat_err" },
};

static const struct counter_name port_tx_names[] = {
	{ PORT_TX_TOTAL, "tx_total_frames" }, { PORT_TX_GOOD, "tx_good_frames" },
	{ PORT_TX_CAST, "tx_ucast_frames" }, { PORT_TX_CAST + 1, "tx_mcast_frames" },
	{ PORT_TX_CAST + 2, "tx_bcast_frames" }, { PORT_TX_TAGGED, "tx_tagged_frames" },
	{ PORT_TX_BYTES, "tx_bytes" }, { PORT_TX_DISCARD, "tx_stat_discard" },
	{ PORT_TX_ERROR, "tx_stat_error" },
};

static const struct counter_name port_rxx_names[] = {
	{ PORT_RXX_LINK_DOWN, "link_down_events" },
	{ PORT_RXX_FILTER_MISS, "rx_filter_miss" },
};

#define QUEUE(field)	(offsetof(struct ctx_stats, field) / sizeof(uint64_t))

static const struct counter_name queue_names[] = {
	{ QUEUE(rx_pkts), "queue_rx_ucast_packets" },
	{ QUEUE(rx_pkts) + 1, "queue_rx_mcast_packets" },
	{ QUEUE(rx_pkts) + 2, "queue_rx_bcast_packets" },
	{ QUEUE(rx_discard), "queue_rx_discards" }, { QUEUE(rx_error), "queue_rx_errors" },
	{ QUEUE(rx_bytes), "queue_rx_ucast_bytes" },
	{ QUEUE(tx_pkts), "queue_tx_ucast_packets" },
	{ QUEUE(tx_pkts) + 1, "queue_tx_mcast_packets" },
	{ QUEUE(tx_pkts) + 2, "queue_tx_bcast_packets" },
	{ QUEUE(tx_error), "queue_tx_errors" }, { QUEUE(tx_discard), "queue_tx_discards" },
	{ QUEUE(tx_bytes), "queue_tx_ucast_bytes" },
};

static void tell(const uint64_t *words, const struct counter_name *names, size_t n,
		 nic_counter_fn fn, void *arg)
{
	for (size_t i = 0; i < n; i++)
		fn(arg, names[i].name, words[names[i].index]);
}

/**
 * nic_counters - all counters
 * @nic: device
 * @fn: gets them one after the other. Those named queue_* are sums over the
 *	statistics contexts of the rings that exist now
 * @arg: for @fn
 */
void nic_counters(const struct nic *nic, nic_counter_fn fn, void *arg)
{
	uint64_t sum[sizeof(struct ctx_stats) / sizeof(uint64_t)] = { 0 };
	uint64_t one[ARRAY_SIZE(sum)];

	for (unsigned int i = 0; i < MAX_STAT_CTXS; i++) {
		if (!nic->stat[i].used)
			continue;
		memcpy(one, &nic->stat[i].s, sizeof(one));
		for (size_t w = 0; w < ARRAY_SIZE(sum); w++)
			sum[w] += one[w];
	}
	tell(nic->port.rx, port_rx_names, ARRAY_SIZE(port_rx_names), fn, arg);
	tell(nic->port.tx, port_tx_names, ARRAY_SIZE(port_tx_names), fn, arg);
	tell(nic->port.rxx, port_rxx_names, ARRAY_SIZE(port_rxx_names), fn, arg);
	tell(sum, queue_names, ARRAY_SIZE(queue_names), fn, arg);
}
