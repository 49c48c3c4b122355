// SPDX-License-Identifier: GPL-2.0-or-later
/* The bad wire: what comes out of it for what went in. */
#include <time.h>

#include "../../bnxt-emu/wire.h"
#include "../tap.h"
#include "nic-frames.h"

#define OUT_MAX		4096
#define FRAME_BYTES	70000

struct out {
	size_t len;
	uint8_t *bytes;
};

struct test {
	struct faults *faults;
	struct wire *wire;
	unsigned int n;
	struct out out[OUT_MAX];
	const void *last_iov;
	struct virtio_net_hdr_v1 last_hdr;
	enum fault_dir last_dir;
	bool full[FAULT_DIRS];
	unsigned int full_calls;
};

bool nic_hwrm_known(const char *name)
{
	(void)name;
	return false;
}

static void on_out(void *host, enum fault_dir dir, const struct virtio_net_hdr_v1 *hdr,
		   const struct iovec *iov, int iovcnt)
{
	struct test *t = host;
	struct out *o = &t->out[t->n];

	if (t->n == OUT_MAX)
		tap_bail("too many frames");
	t->n++;
	t->last_iov = iov;
	t->last_hdr = *hdr;
	t->last_dir = dir;
	o->len = 0;
	o->bytes = malloc(FRAME_BYTES);
	for (int i = 0; i < iovcnt; i++) {
		memcpy(o->bytes + o->len, iov[i].iov_base, iov[i].iov_len);
		o->len += iov[i].iov_len;
	}
}

static void on_full(void *host, enum fault_dir dir, bool full)
{
	struct test *t = host;

	t->full[dir] = full;
	t->full_calls++;
}

static const struct wire_ops ops = { .out = on_out, .full = on_full };

static struct test *start(uint64_t seed, const char *list)
{
	struct test *t = calloc(1, sizeof(*t));
	char why[512];

	t->faults = faults_new(seed);
	if (*list && !faults_set(t->faults, list, why, sizeof(why)))
		tap_bail("%s: %s", list, why);
	t->wire = wire_new(t->faults, &ops, t);
	wire_timers(t->wire, 1000000000);
	return t;
}

static void forget(struct test *t)
{
	while (t->n)
		free(t->out[--t->n].bytes);
}

static void end(struct test *t)
{
	forget(t);
	wire_free(t->wire);
	faults_free(t->faults);
	free(t);
}

static void send_plain(struct test *t, enum fault_dir dir, const uint8_t *frame, size_t len)
{
	static const struct virtio_net_hdr_v1 hdr;
	/* in two pieces, as transmission gives them */
	const struct iovec iov[2] = {
		{ .iov_base = (void *)frame, .iov_len = 30 },
		{ .iov_base = (void *)(frame + 30), .iov_len = len - 30 },
	};

	wire_in(t->wire, dir, &hdr, iov, 2);
}

/* Frame @number of a flow, told apart by its TCP sequence number */
static void send_numbered(struct test *t, uint32_t number)
{
	uint8_t frame[2000];
	struct flow f = tcp4(1, 2);

	f.seq = number;
	send_plain(t, FAULT_RX, frame, frame_make(frame, &f, number, 100));
}

static uint32_t number_of(const struct out *o)
{
	return be32(o->bytes + 14 + 20 + 4);
}

static void test_good_wire(void)
{
	struct test *t = start(1, "crc=1");
	struct virtio_net_hdr_v1 hdr = { .gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 1448 };
	uint8_t frame[5000];
	struct iovec iov = { .iov_base = frame, .iov_len = sizeof(frame) };

	wire_in(t->wire, FAULT_TX, &hdr, &iov, 1);
	tap_ok(t->n == 1 && t->last_iov == &iov && t->last_dir == FAULT_TX &&
		       t->last_hdr.gso_size == 1448,
	       "without faults of the wire frames pass untouched, large ones too");
	end(t);
}

static void check_cut(const char *what, struct flow f, uint8_t gso_type, size_t payload, size_t mss)
{
	struct test *t = start(1, "dup=0.0001:after=1000000");
	static uint8_t frame[FRAME_BYTES];
	struct virtio_net_hdr_v1 hdr = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .gso_type = gso_type, .gso_size = mss,
	};
	struct iovec iov = { .iov_base = frame };
	size_t seen = 0, headers = frame_headers(&f);
	const char *wrong = NULL;

	f.partial = true;
	iov.iov_len = frame_make(frame, &f, 0, payload);
	hdr.csum_start = frame_l4(&f);
	hdr.csum_offset = f.proto == 6 ? 16 : 6;
	wire_in(t->wire, FAULT_RX, &hdr, &iov, 1);
	f.partial = false;
	for (unsigned int i = 0; i < t->n && !wrong; i++) {
		struct out *o = &t->out[i];

		wrong = frame_wrong(o->bytes, o->len, &f);
		if (!wrong && !pattern_ok(o->bytes + headers, o->len - headers, seen))
			wrong = "payload";
		if (!wrong && f.proto == 6 && be32(o->bytes + frame_l4(&f) + 4) != f.seq + seen)
			wrong = "sequence number";
		seen += o->len - headers;
	}
	tap_ok(!wrong && seen == payload && t->n == (payload + mss - 1) / mss, "%s: %u good frames%s%s",
	       what, t->n, wrong ? ", wrong: " : "", wrong ? wrong : "");
	end(t);
}

static void test_cut(void)
{
	struct flow udp = tcp4(5, 6), tagged = tcp4(7, 8);

	udp.proto = 17;
	tagged.vlan = 100;
	tagged.tcp_opts = 12;
	check_cut("IPv4 TCP", tcp4(1, 2), VIRTIO_NET_HDR_GSO_TCPV4, 60000, 1448);
	check_cut("IPv6 TCP", tcp6(1, 2), VIRTIO_NET_HDR_GSO_TCPV6, 4000, 1000);
	check_cut("tagged, with options", tagged, VIRTIO_NET_HDR_GSO_TCPV4, 3000, 1448);
	check_cut("a missing TCP checksum", tcp4(3, 4), VIRTIO_NET_HDR_GSO_NONE, 900, 1448);
	check_cut("a missing UDP checksum", udp, VIRTIO_NET_HDR_GSO_NONE, 900, 1448);
}

static void bad_frame(const char *what, struct virtio_net_hdr_v1 hdr, size_t len)
{
	struct test *t = start(1, "drop=0.5:after=1000000");
	static uint8_t frame[FRAME_BYTES];
	struct flow f = tcp4(1, 2);
	struct iovec iov = { .iov_base = frame, .iov_len = len };

	frame_make(frame, &f, 0, 1000);
	wire_in(t->wire, FAULT_RX, &hdr, &iov, 1);
	tap_eq(t->n, 0, "%s goes nowhere", what);
	end(t);
}

static void test_bad_frames(void)
{
	bad_frame("a checksum behind the end",
		  (struct virtio_net_hdr_v1){ .flags = 1, .csum_start = 990, .csum_offset = 65535 }, 1000);
	bad_frame("a checksum that starts behind the end",
		  (struct virtio_net_hdr_v1){ .flags = 1, .csum_start = 1000, .csum_offset = 0 }, 1000);
	bad_frame("a large frame without a segment size",
		  (struct virtio_net_hdr_v1){ .gso_type = 1, .gso_size = 0 }, 1000);
	bad_frame("a large frame without payload",
		  (struct virtio_net_hdr_v1){ .gso_type = 1, .gso_size = 100 }, 54);
	bad_frame("one that is too long", (struct virtio_net_hdr_v1){ 0 }, FRAME_BYTES);
	bad_frame("an empty one", (struct virtio_net_hdr_v1){ 0 }, 0);
}

static void test_drop_dup(void)
{
	struct test *t = start(1, "drop:dir=rx:after=2:count=3");
	char why[512];

	for (unsigned int i = 0; i < 10; i++)
		send_numbered(t, i);
	tap_ok(t->n == 7 && number_of(&t->out[1]) == 1 && number_of(&t->out[2]) == 5, "drop");
	forget(t);
	faults_set(t->faults, "dup:count=1:after=1", why, sizeof(why));
	for (unsigned int i = 0; i < 3; i++)
		send_numbered(t, i);
	tap_ok(t->n == 4 && number_of(&t->out[1]) == 1 && number_of(&t->out[2]) == 1, "dup");
	end(t);
}

static void test_reorder(void)
{
	struct test *t = start(1, "reorder:count=1:after=1:gap=3:time=5ms");
	static const uint32_t want[] = { 0, 2, 3, 4, 1, 5 };
	bool good = true;

	for (unsigned int i = 0; i < 6; i++)
		send_numbered(t, i);
	for (unsigned int i = 0; i < 6; i++)
		good &= t->n == 6 && number_of(&t->out[i]) == want[i];
	tap_ok(good, "three frames overtake one");
	end(t);

	t = start(1, "reorder:count=1:gap=3:time=5ms");
	send_numbered(t, 0);
	tap_eq(wire_timers(t->wire, 1000000000), 5000000, "nobody overtakes: it waits");
	tap_eq(t->n, 0, "so far it has not come");
	tap_ok(wire_timers(t->wire, 1005000000) == UINT64_MAX && t->n == 1, "then it comes all the same");
	end(t);
}

static void test_delay(void)
{
	struct test *t = start(1, "delay:count=1:time=2ms:dir=rx");

	for (unsigned int i = 0; i < 3; i++)
		send_numbered(t, i);
	tap_ok(t->n == 2 && number_of(&t->out[0]) == 1, "one is delayed, the others are not");
	tap_eq(wire_timers(t->wire, 1000500000), 1500000, "the time until it is due");
	wire_timers(t->wire, 1002000000);
	tap_ok(t->n == 3 && number_of(&t->out[2]) == 0, "it comes in time");
	end(t);

	t = start(1, "delay:time=2ms:dir=rx");
	for (unsigned int i = 0; i < 3; i++)
		send_numbered(t, i);
	faults_clear(t->faults, NULL);
	send_numbered(t, 3);
	tap_ok(t->n == 1 || number_of(&t->out[0]) == 0, "after the fault");
	wire_timers(t->wire, 1002000000);
	tap_eq(t->n, 4, "what was on the wire then comes as well");
	end(t);
}

static void test_rate(void)
{
	struct test *t = start(1, "rate=10M:dir=rx");
	uint64_t now = 1000000000, next, want;
	unsigned int sent = 0;

	while (!t->full[FAULT_RX] && sent < 1000)
		send_numbered(t, sent++);
	tap_ok(t->n == 0 && sent == 256, "a slow wire takes %u frames, then it is full", sent);
	while ((next = wire_timers(t->wire, now)) != UINT64_MAX)
		now += next;
	/* each with 24 bytes more on a cable */
	want = sent * (t->out[0].len + 24) * 8 * 100;
	tap_ok(t->n == sent && now - 1000000000 >= want && now - 1000000000 < want + 1000,
	       "all come, in %llu us", (unsigned long long)(now - 1000000000) / 1000);
	tap_ok(!t->full[FAULT_RX] && t->full_calls == 2, "and it takes more");
	end(t);
}

static void test_hold(void)
{
	struct test *t = start(1, "drop=0.5:after=1000000");

	wire_hold(t->wire, FAULT_RX, true);
	send_numbered(t, 0);
	wire_timers(t->wire, 1001000000);
	tap_eq(t->n, 0, "nobody takes frames: they stay on the wire");
	wire_hold(t->wire, FAULT_RX, false);
	wire_timers(t->wire, 1002000000);
	tap_eq(t->n, 1, "until somebody does");
	end(t);
}

static unsigned int bits_changed(const uint8_t *a, const uint8_t *b, size_t len, size_t *at)
{
	unsigned int n = 0;

	for (size_t i = 0; i < len; i++) {
		if (a[i] == b[i])
			continue;
		n += __builtin_popcount(a[i] ^ b[i]);
		*at = i;
	}
	return n;
}

/* Every damaged frame has to be found out, by who counts it */
static void check_damage(const char *list, struct flow f, size_t from, size_t to)
{
	struct test *t = start(7, list);
	unsigned int bad = 0, rounds = 2000;
	uint8_t frame[2000];

	for (unsigned int i = 0; i < rounds; i++) {
		size_t len, at = 0;
		unsigned int bits;

		f.seq = i * 77777;
		f.src[0] = 1 + i % 200;
		len = frame_make(frame, &f, i, 1 + i % 1000);
		send_plain(t, FAULT_RX, frame, len);
		bits = bits_changed(frame, t->out[0].bytes, len, &at);
		bad += t->n != 1 || t->out[0].len != len || bits < 1 || bits > 2 || at < from ||
		       at >= (to ? to : len) || !frame_wrong(t->out[0].bytes, len, &f);
		forget(t);
	}
	tap_eq(bad, 0, "%s: %u frames, each damaged where it should be, and seen to be", list, rounds);
	end(t);
}

static void test_damage(void)
{
	struct flow t4 = tcp4(1, 2), t6 = tcp6(1, 2), u4 = tcp4(1, 2), u6 = tcp6(3, 4);

	u4.proto = u6.proto = 17;
	check_damage("corrupt", t4, 54, 0);
	check_damage("corrupt:dir=rx", t6, 74, 0);
	check_damage("l4-csum", t4, 14 + 20 + 16, 14 + 20 + 18);
	check_damage("l4-csum:dir=rx", u4, 14 + 20 + 6, 14 + 20 + 8);
	check_damage("l4-csum:p=1", u6, 14 + 40 + 6, 14 + 40 + 8);
	check_damage("ip-csum", t4, 14 + 10, 14 + 12);
	/* a frame gets one of them */
	check_damage("corrupt,l4-csum,ip-csum", t4, 54, 0);
}

static void spared(const char *what, const char *list, struct flow f, size_t payload)
{
	struct test *t = start(1, list);
	uint8_t frame[2000];
	size_t len = frame_make(frame, &f, 0, payload);

	send_plain(t, FAULT_RX, frame, len);
	tap_ok(t->n == 1 && !memcmp(t->out[0].bytes, frame, len), "%s is spared by %s", what, list);
	end(t);
}

static void test_spared(void)
{
	struct flow udp = tcp4(1, 2), icmp = tcp4(1, 2), fragment = tcp4(1, 2);

	udp.proto = 17;
	udp.no_udp_csum = true;
	icmp.proto = 1;
	fragment.fragment = true;
	spared("a TCP ACK", "corrupt", tcp4(1, 2), 0);
	spared("UDP without a checksum", "corrupt,l4-csum", udp, 100);
	spared("ICMP", "corrupt,l4-csum", icmp, 100);
	spared("a fragment", "corrupt,l4-csum", fragment, 100);
	spared("IPv6", "ip-csum", tcp6(1, 2), 100);
}

static uint64_t digest(uint64_t seed)
{
	struct test *t = start(seed, "drop=5%,dup=5%,reorder=5%,corrupt=5%,noise=5%,delay=5%");
	uint64_t h = 14695981039346656037ull;

	for (unsigned int i = 0; i < 3000; i++) {
		send_numbered(t, i);
		if (i % 10 == 0)
			wire_timers(t->wire, 1000000000 + i * 1000);
	}
	wire_timers(t->wire, 2000000000);
	for (unsigned int i = 0; i < t->n; i++)
		for (size_t b = 0; b < t->out[i].len; b++)
			h = (h ^ t->out[i].bytes[b]) * 1099511628211ull;
	end(t);
	return h;
}

static void test_determinism(void)
{
	uint64_t one = digest(1);

	tap_ok(one == digest(1), "the same seed and frames: the same comes out, in the same order");
	tap_ok(one != digest(2), "another seed: something else");
}

/* What a guest sends while the operator delays it must not take longer the more there is */
static void test_cost(void)
{
	struct test *t = start(1, "delay:time=1s");
	clock_t first, last;

	first = clock();
	for (unsigned int i = 0; i < 1000; i++)
		send_numbered(t, i);
	first = clock() - first;
	for (unsigned int i = 1000; i < 7000; i++)
		send_numbered(t, i);
	last = clock();
	for (unsigned int i = 7000; i < 8000; i++)
		send_numbered(t, i);
	last = clock() - last;
	tap_ok(last < 5 * first, "frames behind 7000 others cost no more: %ld us, first %ld us",
	       (long)last, (long)first);
	end(t);
}

int main(void)
{
	test_good_wire();
	test_cut();
	test_bad_frames();
	test_drop_dup();
	test_reorder();
	test_delay();
	test_rate();
	test_hold();
	test_damage();
	test_spared();
	test_determinism();
	test_cost();
	return tap_done();
}
