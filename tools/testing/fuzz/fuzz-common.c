// SPDX-License-Identifier: GPL-2.0-or-later
/* Inputs, and what has to hold inside of the device core whatever the guest did. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../bnxt-emu/core.h"
#include "../../bnxt-emu/csum.h"
#include "fuzz.h"

struct target {
	const char *name;
	fuzz_fn *fn;
};

static const struct target targets[] = {
	{ "hwrm", fuzz_hwrm },
	{ "rings", fuzz_rings },
	{ "frames", fuzz_frames },
	{ "vhost", fuzz_vhost },
	{ "vfio", fuzz_vfio },
	{ "wire", fuzz_wire },
	{ "pcap", fuzz_pcap },
	{ "hello", fuzz_hello },
};

static fuzz_fn *find_target(void)
{
	const char *name = getenv("FUZZ_TARGET");

	for (size_t i = 0; name && i < ARRAY_SIZE(targets); i++)
		if (!strcmp(name, targets[i].name))
			return targets[i].fn;
	fprintf(stderr, "fuzz: FUZZ_TARGET has to name a target: hwrm, rings, frames, vhost, vfio, wire, pcap or hello\n");
	exit(2);
}

/**
 * LLVMFuzzerTestOneInput - run the target on one input
 * @data: input
 * @size: its bytes
 *
 * Return: 0, as libFuzzer wants it.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static fuzz_fn *target;
	struct input in = { .p = data, .left = size };

	if (!target)
		target = find_target();
	target(&in);
	return 0;
}

/**
 * in_le - the next number of an input
 * @in: input
 * @bytes: its size, 1..8
 *
 * Return: the number, little endian; bytes behind the end are zero.
 */
uint64_t in_le(struct input *in, unsigned int bytes)
{
	uint64_t v = 0;

	in_bytes(in, &v, bytes);
	return v;
}

/**
 * in_bytes - the next bytes of an input
 * @in: input
 * @dst: where to
 * @len: how many; those behind the end are zero
 */
void in_bytes(struct input *in, void *dst, size_t len)
{
	size_t n = len < in->left ? len : in->left;

	memset(dst, 0, len);
	if (n)
		memcpy(dst, in->p, n);
	in->p += n;
	in->left -= n;
}

/**
 * in_config - a device configuration out of two bytes, always a possible one
 * @in: input
 * @cfg: set; the address is 02:00:00:00:00:01
 */
void in_config(struct input *in, struct nic_config *cfg)
{
	uint8_t a = in8(in), b = in8(in);

	*cfg = (struct nic_config){
		.mac = { 2, 0, 0, 0, 0, 1 },
		.queues = 1 + a % NIC_MAX_QUEUES,
		.max_mtu = 9500,
		.rfs = b & 1 ? NIC_RFS_V3 : NIC_RFS_V2,
		.queue_restart = b & 2,
		.wire_gso = b & 4,
		.rx_backpressure = b & 8,
		.hds_len_extra = b & 16 ? 4 : 0,
		.tpa = b & 32,
		.error_recovery = b & 64,
		.tpa_timer_us = 500,
	};
}

/**
 * fuzz_fail - the device broke a promise
 * @file: source file of the check
 * @line: its line
 * @what: which promise
 */
void fuzz_fail(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: CHECK failed: %s\n", file, line, what);
	abort();
}

static unsigned int on_list(const struct work_list *list, unsigned int id)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < list->n; i++)
		n += list->id[i] == id;
	return n;
}

static const struct work_list *work_of(const struct nic *nic, const struct ring *r)
{
	return r->type == RING_CMPL ? &nic->cq_work :
	       r->type == RING_NQ   ? &nic->nq_work :
	       r->type == RING_TX   ? &nic->tx_work :
				      NULL;
}

static void check_ring(const struct nic *nic, const struct ring *r)
{
	const struct work_list *list = work_of(nic, r);

	CHECK(r->state <= RING_FAILED, "a ring's state is none");
	CHECK(r->entries >= 2 && r->entries <= MAX_RING_ENTRIES && !(r->entries & (r->entries - 1)),
	      "a ring's size is impossible");
	if (r->type == RING_CMPL || r->type == RING_NQ)
		CHECK(r->prod - r->cons < r->entries, "a queue holds more than its size");
	else
		CHECK(r->prod < r->entries && r->cons < r->entries, "an index is not masked");
	if (r->type == RING_CMPL && r->state == RING_LIVE)
		CHECK(r->prod - r->cons + r->promised < r->entries, "more is promised than fits");
	CHECK(!list == !r->queued || list, "a ring without a work list waits on one");
	if (list)
		CHECK(on_list(list, r->id) == r->queued,
		      "a ring's mark and its work list do not agree");
}

/* Each of @size filters is in their order once if it is used, else not */
static void check_order(const struct filter_order *o, const bool *used, unsigned int size)
{
	bool seen[MAX_NTUPLE] = { false };

	CHECK(o->n <= size, "there are more filters than places");
	for (unsigned int i = 0; i < o->n; i++) {
		unsigned int at = o->index[i];

		CHECK(at < size && !seen[at], "the order of filters names one twice, or none");
		seen[at] = true;
	}
	for (unsigned int i = 0; i < size; i++)
		CHECK(seen[i] == used[i], "a filter is in no order, or one that is none is");
}

static void check_filters(const struct nic *nic)
{
	bool ntuple[MAX_NTUPLE], l2[MAX_L2_FILTERS];

	for (unsigned int i = 0; i < MAX_NTUPLE; i++) {
		const struct ntuple *f = &nic->ntuple[i];

		ntuple[i] = f->used;
		if (f->used && !f->drop && f->vnic != HWRM_NO_ID)
			CHECK(f->vnic < MAX_VNICS && nic->vnic[f->vnic].used,
			      "an ntuple filter leads to a VNIC that is gone");
	}
	for (unsigned int i = 0; i < MAX_L2_FILTERS; i++) {
		l2[i] = nic->l2[i].used;
		CHECK(!l2[i] || nic->l2[i].vnic < MAX_VNICS, "an L2 filter leads nowhere");
	}
	check_order(&nic->ntuple_order, ntuple, MAX_NTUPLE);
	check_order(&nic->l2_order, l2, MAX_L2_FILTERS);
}

/**
 * check_core - look for broken invariants
 * @nic: device, between two calls
 */
void check_core(struct nic *nic)
{
	unsigned int starved = 0, lists = 0, on_rings = 0, on_vnics = 0;

	for (unsigned int i = 0; i < MAX_RINGS; i++) {
		const struct ring *r = &nic->ring[i];

		CHECK(r->id == i, "a ring forgot its id");
		if (r->state == RING_UNUSED) {
			CHECK(!r->queued && !r->page && !r->starved, "a free ring holds something");
			continue;
		}
		check_ring(nic, r);
		starved += r->starved;
		lists += r->queued;
		on_rings += r->type == RING_RX && r->state == RING_LIVE ? r->tpa_open : 0;
	}
	CHECK(starved == nic->n_starved, "the number of starved rings is wrong");
	CHECK(lists == nic->cq_work.n + nic->nq_work.n + nic->tx_work.n,
	      "a work list names a ring that does not wait");
	for (unsigned int i = 0; i < MAX_VNICS; i++) {
		CHECK(nic->vnic[i].n_pairs <= VNIC_RSS_TABLES * RSS_TABLE_PAIRS,
		      "an RSS table is too long");
		CHECK(nic->vnic[i].n_mc <= MAX_MC_ADDRS, "a multicast table is too long");
		CHECK(nic->vnic[i].used || !nic->vnic[i].tpa.open, "a VNIC that is gone aggregates");
		on_vnics += nic->vnic[i].tpa.open;
	}
	CHECK(on_rings == on_vnics, "rings and VNICs do not agree on the open aggregations");
	check_filters(nic);
}

/**
 * read_wire_tx() - nic_host_ops.wire_tx of targets without a wire: reads each byte, as a back
 * end would
 * @host: not used
 * @hdr: not used
 * @iov: the frame
 * @n: its pieces
 */
void read_wire_tx(void *host, const struct virtio_net_hdr_v1 *hdr, const struct iovec *iov, int n)
{
	(void)host;
	(void)hdr;
	for (int i = 0; i < n; i++) {
		uint32_t sum = csum_bytes(iov[i].iov_base, iov[i].iov_len);

		__asm__ volatile("" : : "r"(sum));
	}
}
