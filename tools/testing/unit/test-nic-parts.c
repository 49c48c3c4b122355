// SPDX-License-Identifier: GPL-2.0-or-later
/* The parts of bnxt-emu's core that stand alone: checksum, Toeplitz hash, DMA map, parser. */
#include "../tap.h"
#include "../../bnxt-emu/csum.h"
#include "../../bnxt-emu/dma.h"
#include "../../bnxt-emu/parse.h"
#include "../../bnxt-emu/toeplitz.h"
#include "nic-frames.h"

/* RFC 1071 word by word, in network order */
static uint16_t slow_csum(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? p[i] : p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static uint16_t swap16(uint16_t v)
{
	return v << 8 | v >> 8;
}

/* 0 and 0xffff are the same number in one's complement */
static bool same_sum(uint16_t a, uint16_t b)
{
	return a == b || (a % 0xffff == 0 && b % 0xffff == 0);
}

static void test_csum(void)
{
	static uint8_t buf[9100];
	unsigned int wrong = 0, split_wrong = 0, n = 0;

	for (size_t i = 0; i < sizeof(buf); i++)
		buf[i] = pattern(i * 7);
	for (size_t off = 0; off < 9; off++)
		for (size_t len = 0; len < 9000; len += len < 140 ? 1 : 97, n++) {
			size_t cut = len * 5 / 11;
			uint32_t a = csum_bytes(buf + off, cut),
				 b = csum_bytes(buf + off + cut, len - cut);

			wrong += !same_sum(swap16(csum_fold(csum_bytes(buf + off, len))),
					   slow_csum(buf + off, len));
			split_wrong +=
				!same_sum(swap16(csum_fold(csum_add(a, cut & 1 ? csum_odd(b) : b))),
					  slow_csum(buf + off, len));
		}
	tap_eq(wrong, 0, "%u sums are those of RFC 1071", n);
	tap_eq(split_wrong, 0, "%u sums of two pieces, even and odd, are those of the whole", n);
	memset(buf, 0xff, sizeof(buf));
	wrong = 0;
	for (size_t len = 2; len < 9000; len += 2)
		wrong += csum_fold(csum_bytes(buf, len)) != 0xffff;
	tap_eq(wrong, 0, "carries get around in blocks of ones");
}

/* The verification suite of Microsoft's RSS specification */
static void test_toeplitz(void)
{
	static const uint8_t key[TOEPLITZ_KEY] = {
		0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
		0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
		0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
	};
	static const struct {
		uint8_t src[4], dst[4];
		uint16_t sport, dport;
		uint32_t hash2, hash4;
	} v4[] = {
		{ { 66, 9, 149, 187 }, { 161, 142, 100, 80 }, 2794, 1766, 0x323e8fc2, 0x51ccc178 },
		{ { 199, 92, 111, 2 }, { 65, 69, 140, 83 }, 14230, 4739, 0xd718262a, 0xc626b0ea },
		{ { 24, 19, 198, 95 }, { 12, 22, 207, 184 }, 12898, 38024, 0xd2d0a5de, 0x5c2b394a },
		{ { 38, 27, 205, 30 }, { 209, 142, 163, 6 }, 48228, 2217, 0x82989176, 0xafc7327f },
		{ { 153, 39, 163, 191 },
		  { 202, 188, 127, 2 },
		  44251,
		  1303,
		  0x5d1809c5,
		  0x10e828a2 },
	};
	static const uint8_t v6[TOEPLITZ_INPUT] = {
		0x3f, 0xfe, 0x25, 0x01, 0x02, 0x00, 0x1f, 0xff, 0, 0, 0, 0, 0, 0, 0, 0x07,
		0x3f, 0xfe, 0x25, 0x01, 0x02, 0x00, 0x00, 0x03, 0, 0, 0, 0, 0, 0, 0, 0x01,
		2794 >> 8, 2794 & 0xff, 1766 >> 8, 1766 & 0xff,
	};
	static struct toeplitz t;

	toeplitz_set_key(&t, key);
	for (size_t i = 0; i < sizeof(v4) / sizeof(v4[0]); i++) {
		uint8_t in[12];

		memcpy(in, v4[i].src, 4);
		memcpy(in + 4, v4[i].dst, 4);
		in[8] = v4[i].sport >> 8;
		in[9] = v4[i].sport;
		in[10] = v4[i].dport >> 8;
		in[11] = v4[i].dport;
		tap_eq(toeplitz_hash(&t, in, 8), v4[i].hash2,
		       "Toeplitz, IPv4 addresses, vector %zu", i);
		tap_eq(toeplitz_hash(&t, in, 12), v4[i].hash4,
		       "Toeplitz, IPv4 with ports, vector %zu", i);
	}
	tap_eq(toeplitz_hash(&t, v6, 32), 0x2cc18cd5u, "Toeplitz, IPv6 addresses");
	tap_eq(toeplitz_hash(&t, v6, 36), 0x40207d3du, "Toeplitz, IPv6 with ports");
}

static void test_dma(void)
{
	static uint8_t a[4096], b[4096];
	struct dma_map m = { .n = 0 };
	bool all = true;

	tap_ok(dma_map_add(&m, 0x10000, sizeof(a), a) && dma_map_add(&m, 0x11000, sizeof(b), b),
	       "two regions side by side");
	tap_ok(!dma_map_add(&m, 0x10fff, 2, a) && !dma_map_add(&m, 0xf000, 0x1001, a),
	       "none may overlap another");
	tap_ok(!dma_map_add(&m, 0x20000, 0, a) && !dma_map_add(&m, ~0ull - 5, 10, a),
	       "none may be empty or wrap");
	tap_ok(dma_ptr(&m, 0x10000, 4096) == a && dma_ptr(&m, 0x11fff, 1) == b + 4095,
	       "addresses are found");
	tap_ok(!dma_ptr(&m, 0x10fff, 2), "what spans two regions is not");
	tap_ok(!dma_ptr(&m, 0xffff, 1) && !dma_ptr(&m, 0x12000, 1) && !dma_ptr(&m, 0x11fff, 2),
	       "nor what lies outside");
	tap_ok(!dma_ptr(&m, 0x10001, ~0ull) && !dma_ptr(&m, ~0ull, 2) &&
		       !dma_ptr(&m, 0x10001, ~0ull - 0x10000),
	       "nor lengths that wrap");
	dma_map_del(&m, 0x10000, 0x1000);
	tap_ok(!dma_ptr(&m, 0x10000, 1) && dma_ptr(&m, 0x11000, 1),
	       "one region goes, the other stays");
	dma_map_clear(&m);
	tap_ok(!dma_ptr(&m, 0x11000, 1), "all go");
	for (unsigned int i = 0; i < DMA_MAX_REGIONS; i++)
		all &= dma_map_add(&m, (i + 1) * 0x10000ull, 4096, a);
	tap_ok(all && !dma_map_add(&m, 1, 1, a), "the map has an end");
}

static void test_parse(void)
{
	uint8_t buf[2000];
	struct flow f = tcp4(40000, 80);
	unsigned int odd = 0;
	struct parsed p;
	size_t len;

	f.ip_opts = 12;
	f.vlan = 0x2007;
	len = frame_make(buf, &f, 0, 500);
	tap_ok(parse_frame(buf, len, len, &p) && p.tagged && p.tci == 0x2007 && p.tpid == 0x8100 &&
		       p.ip_version == 4 && p.l3 == 18 && p.l4 == 50 && p.payload == 82 &&
		       p.has_l4 && p.sport == 40000 && p.dport == 80 && p.seq == 1000 &&
		       p.csum_at == 66 && p.l4_len == 532 && p.ip_csum_ok && !p.fragment,
	       "a tagged TCP frame with options");
	f = tcp6(1, 2);
	f.ext = 16;
	f.proto = 17;
	len = frame_make(buf, &f, 0, 100);
	tap_ok(parse_frame(buf, len, len, &p) && p.ip_version == 6 && p.l4 == 70 &&
		       p.payload == 78 && p.l4_proto == 17 && p.l4_len == 108,
	       "UDP behind an IPv6 extension header");
	len = frame_make(buf, &f, 0, 1);
	memset(buf + len, 0, 10);
	tap_ok(parse_frame(buf, len + 10, len + 10, &p) && p.l4_len == 9,
	       "padding is not part of the packet");
	len = frame_make(buf, &f, 0, 100);
	buf[70 + 5] = 58;
	tap_ok(parse_frame(buf, len, len, &p) && p.l4_len == 58,
	       "a UDP datagram may be shorter than its packet");
	f = tcp4(1, 2);
	len = frame_make(buf, &f, 0, 100);
	tap_ok(parse_frame(buf, len - 1, len - 1, &p) && !p.ip_version && p.payload == 14,
	       "a packet longer than its frame is not understood");
	tap_ok(!parse_frame(buf, 13, 13, &p), "13 bytes are no frame");
	f.fragment = true;
	len = frame_make(buf, &f, 0, 100);
	tap_ok(parse_frame(buf, len, len, &p) && p.fragment && !p.has_l4 && p.payload == 34 &&
		       p.l4_proto == 6,
	       "a fragment has no ports");
	/* cut everywhere: offsets never leave what may be read (and the sanitizer watches) */
	for (unsigned int kind = 0; kind < 4; kind++) {
		f = kind & 1 ? tcp6(1, 2) : tcp4(1, 2);
		f.ext = kind & 2 ? 24 : 0;
		f.vlan = kind & 2;
		len = frame_make(buf, &f, 0, 50);
		for (size_t have = 14; have <= len; have++) {
			uint8_t *cut = malloc(have);

			memcpy(cut, buf, have);
			parse_frame(cut, have, len, &p);
			odd += p.payload > have || (p.has_l4 && p.csum_at + 2u > have) ||
			       p.l4 > have;
			parse_frame(cut, have, have, &p);
			odd += p.payload > have;
			free(cut);
		}
	}
	tap_eq(odd, 0, "frames cut at every place are read no further");
}

int main(void)
{
	test_csum();
	test_toeplitz();
	test_dma();
	test_parse();
	return tap_done();
}
