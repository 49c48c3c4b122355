// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target "wire": frames with any virtio-net header through a bad wire
 * (wire.c, faults.c), in both directions. What comes out needs nothing more to be
 * done to it, and as many frames come out as went in, but for those that the
 * counters tell of.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../bnxt-emu/core.h"
#include "../../bnxt-emu/csum.h"
#include "../../bnxt-emu/wire.h"
#include "../unit/nic-frames.h"
#include "fuzz.h"

#define MAX_STEPS 60
#define FRAME_BUF 66000u
#define LONGEST (14u + 4 + 65535) /* that a wire has */
#define MAX_SEGS 1000u
#define MAX_PIECES 4
#define MAX_DRAIN 100000u /* rounds until the wire has to be empty */

struct wire_fuzz {
	struct input *in;
	struct wire *wire;
	struct faults *faults;
	uint64_t now;
	uint64_t out[FAULT_DIRS];
	bool held[FAULT_DIRS];
	uint8_t *frame; /* FRAME_BUF bytes */
};

/* The first is always on: without any fault frames are not touched, nor counted */
static const char *const lists[] = {
	"dup=2%",
	"drop=10%",
	"reorder=20%:gap=3",
	"reorder=50%:time=1ms:gap=100",
	"delay=30%:time=2ms",
	"rate=1G",
	"rate=64K:dir=tx",
	"corrupt=30%",
	"noise=20%",
	"ip-csum=20%",
	"l4-csum=20%",
	"delay=10%:time=1s:dir=rx",
};

static void on_out(void *host, enum fault_dir dir, const struct virtio_net_hdr_v1 *hdr,
		   const struct iovec *iov, int n)
{
	struct wire_fuzz *f = host;
	uint32_t sum;

	CHECK(hdr->gso_type == VIRTIO_NET_HDR_GSO_NONE && !hdr->flags,
	      "a bad wire leaves something to do");
	CHECK(n == 1 && iov->iov_len && iov->iov_len <= LONGEST, "a frame's length is impossible");
	/* each byte is read, as by a back end */
	sum = csum_bytes(iov->iov_base, iov->iov_len);
	__asm__ volatile("" : : "r"(sum));
	f->out[dir]++;
}

static void on_full(void *host, enum fault_dir dir, bool full)
{
	(void)host;
	(void)dir;
	(void)full;
}

static const struct wire_ops ops = { .out = on_out, .full = on_full };

/* Cuts the frame where the input says */
static void send_frame(struct wire_fuzz *f, const struct virtio_net_hdr_v1 *hdr, size_t len)
{
	enum fault_dir dir = in8(f->in) & 1 ? FAULT_TX : FAULT_RX;
	struct iovec iov[MAX_PIECES];
	uint8_t *at = f->frame;
	int n = 0;

	while (n < MAX_PIECES - 1 && len) {
		size_t part = in16(f->in) % (len + 1);

		iov[n++] = (struct iovec){ .iov_base = at, .iov_len = part };
		at += part;
		len -= part;
	}
	iov[n++] = (struct iovec){ .iov_base = at, .iov_len = len };
	wire_in(f->wire, dir, hdr, iov, n);
}

static void in_changes(struct wire_fuzz *f, size_t len)
{
	unsigned int n = in8(f->in) & 7;

	while (n-- && len) {
		size_t at = in16(f->in);

		f->frame[at % (len < 128 ? len : 128)] = in8(f->in);
	}
}

static void step_made(struct wire_fuzz *f)
{
	uint8_t how = in8(f->in);
	struct flow w = how & 1 ? tcp6(1, 2) : tcp4(1, 2);
	struct virtio_net_hdr_v1 hdr = { 0 };
	size_t len;

	w.proto = how & 2 ? 17 : how & 4 ? 1 : 6;
	w.vlan = how & 8 ? 5 : 0;
	w.ip_opts = w.version == 4 && how & 16 ? 8 : 0;
	w.no_udp_csum = how & 32 && w.proto == 17;
	len = frame_make(f->frame, &w, 0, in16(f->in));
	if (len > FRAME_BUF)
		return;
	in_changes(f, len);
	if (how & 64) {
		hdr.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		hdr.csum_start = frame_l4(&w);
		hdr.csum_offset = w.proto == 6 ? 16 : 6;
	}
	if (how & 128) {
		hdr.gso_type = how & 1 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
		hdr.gso_size = len / MAX_SEGS + 1 + in16(f->in);
	}
	send_frame(f, &hdr, len);
}

static void step_raw(struct wire_fuzz *f)
{
	struct virtio_net_hdr_v1 hdr;
	uint16_t len = in16(f->in) % 2048;

	in_bytes(f->in, &hdr, sizeof(hdr));
	in_bytes(f->in, f->frame, len);
	send_frame(f, &hdr, len);
}

static void step_time(struct wire_fuzz *f)
{
	f->now += in_le(f->in, 4);
	wire_timers(f->wire, f->now);
}

static void step_hold(struct wire_fuzz *f)
{
	uint8_t how = in8(f->in);

	f->held[how & 1] = how & 2;
	wire_hold(f->wire, how & 1, how & 2);
}

static void (*const steps[])(struct wire_fuzz *f) = {
	step_made, step_made, step_made, step_raw, step_time, step_hold,
};

/* Frames by counter: what one is called, and what that means for the number that comes out */
struct balance {
	uint64_t in[FAULT_DIRS], less[FAULT_DIRS], more[FAULT_DIRS];
};

static void on_counter(void *arg, const char *name, uint64_t value)
{
	static const struct {
		const char *name;
		enum fault_dir dir;
		size_t what;
	} table[] = {
		{ "wire_rx_frames", FAULT_RX, offsetof(struct balance, in) },
		{ "wire_tx_frames", FAULT_TX, offsetof(struct balance, in) },
		{ "wire_rx_overflow", FAULT_RX, offsetof(struct balance, less) },
		{ "wire_tx_overflow", FAULT_TX, offsetof(struct balance, less) },
		{ "fault_rx_drop", FAULT_RX, offsetof(struct balance, less) },
		{ "fault_tx_drop", FAULT_TX, offsetof(struct balance, less) },
		{ "fault_rx_dup", FAULT_RX, offsetof(struct balance, more) },
		{ "fault_tx_dup", FAULT_TX, offsetof(struct balance, more) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (!strcmp(table[i].name, name))
			((uint64_t *)((uint8_t *)arg + table[i].what))[table[i].dir] += value;
}

static void check_empty(struct wire_fuzz *f)
{
	struct balance b = { 0 };
	uint64_t next = 0;

	for (int d = 0; d < FAULT_DIRS; d++)
		wire_hold(f->wire, d, false);
	for (unsigned int i = 0; i < MAX_DRAIN && next != UINT64_MAX; i++) {
		f->now += next;
		next = wire_timers(f->wire, f->now);
	}
	CHECK(next == UINT64_MAX, "frames stay on the wire");
	wire_counters(f->wire, on_counter, &b);
	faults_counters(f->faults, on_counter, &b);
	for (int d = 0; d < FAULT_DIRS; d++)
		CHECK(f->out[d] == b.in[d] + b.more[d] - b.less[d],
		      "the counters do not say where frames are");
}

static void set_faults(struct wire_fuzz *f)
{
	uint16_t mask = in16(f->in) | 1;
	char why[512];

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		if (mask >> i & 1)
			CHECK(faults_set(f->faults, lists[i], why, sizeof(why)),
			      "a fault cannot be set");
}

/**
 * fuzz_wire - run one input
 * @in: input
 */
void fuzz_wire(struct input *in)
{
	static uint8_t frame[FRAME_BUF + 128];
	struct wire_fuzz f = { .in = in, .frame = frame, .now = 1000000000 };

	f.faults = faults_new(in16(in));
	f.wire = f.faults ? wire_new(f.faults, &ops, &f) : NULL;
	CHECK(f.wire, "no memory");
	set_faults(&f);
	wire_timers(f.wire, f.now);
	for (unsigned int i = 0; in->left && i < MAX_STEPS; i++)
		steps[in8(in) % ARRAY_SIZE(steps)](&f);
	check_empty(&f);
	wire_free(f.wire);
	faults_free(f.faults);
}
