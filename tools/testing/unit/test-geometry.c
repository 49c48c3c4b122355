// SPDX-License-Identifier: GPL-2.0-or-later
/* Payload, MSS, MTU and record arithmetic, over its range. */
#include "../tap.h"
#include "geometry.h"

static const uint32_t pages[] = { 4096, 16384, 65536 };

/* The figures that people know by heart */
static void test_known(void)
{
	struct geometry_path v4 = { .mtu = 4148, .timestamps = true };
	struct geometry_path v6 = { .mtu = 4168, .ipv6 = true, .timestamps = true };

	tap_eq(geometry_mtu(4096, false, true), 4148, "MTU for a page, IPv4, timestamps");
	tap_eq(geometry_mtu(4096, true, true), 4168, "MTU for a page, IPv6, timestamps");
	tap_eq(geometry_mtu(61440, true, true), 61512, "MTU for 15 pages, IPv6, timestamps");
	tap_eq(geometry_mtu(4096, false, false), 4136, "MTU for a page, IPv4, no timestamps");
	tap_eq(geometry_maxseg(4096, true), 4108, "TCP_MAXSEG for a page with timestamps");
	tap_eq(geometry_maxseg(4096, false), 4096, "TCP_MAXSEG for a page without");
	tap_eq(geometry_payload(&v4, 4096, 512), 4096, "one page at MTU 4148, IPv4");
	tap_eq(geometry_payload(&v6, 4096, 512), 4096, "one page at MTU 4168, IPv6");
	v6.mtu = 4148;
	tap_eq(geometry_payload(&v6, 4096, 512), 3584, "seven blocks at MTU 4148, IPv6");
	tap_eq(geometry_payload(&v6, 4096, 0), 0, "but no page");
	v4.mtu = 1500;
	tap_eq(geometry_payload_max(&v4), 1448, "full segment at MTU 1500");
	tap_eq(geometry_payload(&v4, 4096, 512), 1024, "two blocks at MTU 1500");
	v4.mtu = 9000;
	tap_eq(geometry_payload(&v4, 4096, 512), 8192, "two pages at MTU 9000");
	v4.mtu = 65536;
	tap_eq(geometry_payload(&v4, 4096, 512), 28672, "seven pages on lo: TCP_MAXSEG takes no more");
}

static bool holds(const struct geometry_path *path, uint32_t page, uint32_t quantum)
{
	uint32_t p = geometry_payload(path, page, quantum);
	uint32_t max = geometry_payload_max(path);
	uint32_t unit = p >= page ? page : quantum;
	uint32_t next = p + unit;

	/* fits the path and the socket option, is whole units, and no more would fit */
	return p <= max && (!p || p % unit == 0) &&
	       (!p || p < GEOMETRY_MAXSEG_MIN || geometry_maxseg(p, path->timestamps)) &&
	       (next > max || !geometry_maxseg(next, path->timestamps)) &&
	       (!p || geometry_mtu(p, path->ipv6, path->timestamps) <= path->mtu);
}

static void test_range(void)
{
	for (unsigned int i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		for (unsigned int kind = 0; kind < 4; kind++) {
			struct geometry_path path = { .ipv6 = kind & 1, .timestamps = kind & 2 };
			uint32_t bad = 0;

			for (path.mtu = 68; path.mtu <= 65536; path.mtu++)
				if (!holds(&path, pages[i], 512))
					bad = bad ? bad : path.mtu;
			tap_eq(bad, 0, "page %u, IPv%u, timestamps %s: the most that fits, MTU 68 to 65536",
			       pages[i], path.ipv6 ? 6 : 4, path.timestamps ? "on" : "off");
		}
	}
}

static void test_limits(void)
{
	struct geometry_path tiny = { .mtu = 40 };

	tap_eq(geometry_payload_max(&tiny), 0, "an MTU without room");
	tap_eq(geometry_payload(&tiny, 4096, 512), 0, "nor for a block");
	tap_eq(geometry_maxseg(75, true), 0, "TCP_MAXSEG below 88 is refused");
	tap_eq(geometry_maxseg(76, true), 88, "88 is the least");
	tap_eq(geometry_maxseg(32767, false), 32767, "32767 is the most");
	tap_eq(geometry_maxseg(32756, true), 0, "beyond is refused");
}

/* Count by cutting, as TCP does */
static uint64_t cut(uint64_t bytes, uint32_t record, uint32_t payload)
{
	uint64_t n = 0, in_record = 0;

	while (bytes) {
		uint64_t len = payload;

		if (record && record - in_record < len)
			len = record - in_record;
		if (bytes < len)
			len = bytes;
		bytes -= len;
		in_record += len;
		if (in_record == record)
			in_record = 0;
		n++;
	}
	return n;
}

static void test_segments(void)
{
	unsigned int wrong = 0;

	srand(1);
	for (unsigned int i = 0; i < 20000; i++) {
		uint64_t bytes = (uint64_t)rand() % 200000;
		uint32_t record = i % 5 ? (uint32_t)rand() % 20000 + 1 : 0;
		uint32_t payload = (uint32_t)rand() % 9000 + 100;

		if (geometry_segments(bytes, record, payload) != cut(bytes, record, payload))
			wrong++;
	}
	tap_eq(wrong, 0, "segments of 20000 random streams");
	tap_eq(geometry_segments(1ULL << 30, 16384, 4096), 262144, "segments of 1 GiB in pages");
	tap_eq(geometry_segments(1, 16384, 0), 0, "unknown payload");
}

int main(void)
{
	test_known();
	test_range();
	test_limits();
	test_segments();
	return tap_done();
}
