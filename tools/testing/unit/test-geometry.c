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

static void test_pages(void)
{
	tap_eq(geometry_page_mtu(4096, false, true), 4148, "MTU for pages of 4 KiB");
	tap_eq(geometry_page_mtu(16384, false, true), 16436, "for pages of 16 KiB, IPv4");
	tap_eq(geometry_page_mtu(16384, true, true), 16456, "IPv6");
	tap_eq(geometry_page_mtu(16384, true, false), 16444, "IPv6 without timestamps");
	tap_eq(geometry_page_mtu(65536, false, true), 0, "no segment holds a page of 64 KiB");
	tap_eq(geometry_page_mtu(32768, false, false), 0, "nor one of 32 KiB");
	tap_eq(geometry_record_pages(512), 4, "a record has four pages");
	tap_eq(geometry_record_pages(4096), 4, "of 4 KiB as well");
	tap_eq(geometry_record_pages(16384), 3, "of 16 KiB three");
	tap_eq(geometry_record_pages(65536), 1, "of 64 KiB one");
	tap_ok(geometry_record_ok(16384, 4096), "a record of 4 pages");
	tap_ok(geometry_record_ok(61440, 4096), "of 15");
	tap_ok(!geometry_record_ok(65536, 4096), "16 are more than a TSO packet holds");
	tap_ok(geometry_record_ok(65536, 65536), "but a single page may be larger");
	tap_ok(!geometry_record_ok(131072, 65536), "two may not");
	tap_ok(!geometry_record_ok(4095, 4096) && !geometry_record_ok(4608, 4096), "whole pages only");
	tap_ok(!geometry_record_ok(0, 4096), "and some");
	tap_ok(!geometry_record_ok((1ULL << 32) + 4096, 4096), "in 64 bits");
}

static void test_disks(void)
{
	tap_ok(geometry_suits_disk(4096, 16384, 512), "pages on blocks of 512");
	tap_ok(geometry_suits_disk(4096, 16384, 4096), "pages on blocks of 4096");
	tap_ok(geometry_suits_disk(3584, 16384, 512), "seven blocks on blocks of 512");
	tap_ok(!geometry_suits_disk(3584, 16384, 4096), "not on blocks of 4096");
	tap_ok(!geometry_suits_disk(1448, 16384, 512), "nor the payload of MTU 1500 on any");
	tap_ok(!geometry_suits_disk(4096, 4608, 4096), "nor when the record's end is ragged");
	tap_ok(!geometry_suits_disk(0, 16384, 512), "nor when it is not known");
}

/* Page, MTU, what the receiver asks for -> payload, unit, segments of a record of default length */
static const struct {
	uint32_t page, mtu;
	bool ipv6, timestamps;
	uint32_t mss;
	uint32_t payload, unit;
	uint64_t segments;
	const char *what;
} plans[] = {
	{ 4096, 4148, false, true, 0, 4096, 4096, 4, "MTU 4148, IPv4" },
	{ 4096, 4168, true, true, 0, 4096, 4096, 4, "MTU 4168, IPv6" },
	{ 4096, 4148, true, true, 0, 4076, 0, 5, "MTU 4148, IPv6: no page, and no limit of ours" },
	{ 4096, 1500, false, true, 0, 1448, 0, 12, "MTU 1500" },
	{ 4096, 1500, false, true, 1036, 1024, 512, 16, "MTU 1500, blocks asked for" },
	{ 4096, 1500, false, false, 1024, 1024, 512, 16, "the same without timestamps" },
	{ 4096, 9000, false, true, 8960, 8192, 4096, 2, "MTU 9000: our limit" },
	{ 4096, 9000, false, true, 4108, 4096, 4096, 4, "MTU 9000: the receiver's limit" },
	{ 4096, 9000, false, true, 1460, 1448, 0, 12, "MTU 9000 here, 1500 there" },
	{ 16384, 9000, false, true, 8716, 8704, 512, 6, "pages of 16 KiB, MTU 9000, blocks asked for" },
	{ 16384, 16436, false, true, 0, 16384, 16384, 3, "pages of 16 KiB, their MTU" },
	{ 16384, 65536, true, true, 16396, 16384, 16384, 3, "pages of 16 KiB on lo" },
	{ 65536, 65536, false, true, 0, 65484, 0, 2, "pages of 64 KiB on lo: as long as they are" },
	{ 65536, 9000, true, true, 8716, 8704, 512, 8, "pages of 64 KiB, MTU 9000, blocks asked for" },
	{ 512, 1500, false, true, 0, 1024, 512, 2, "pages of 512 bytes: two a segment" },
	{ 4096, 40, false, true, 0, 0, 0, 0, "an MTU without room" },
	{ 4096, 1500, false, true, 12, 0, 0, 0, "an MSS without room" },
};

static void test_plans(void)
{
	for (unsigned int i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
		struct geometry_path path = {
			.mtu = plans[i].mtu, .ipv6 = plans[i].ipv6, .timestamps = plans[i].timestamps,
		};
		struct geometry_want want = {
			.page = plans[i].page,
			.quantum = GEOMETRY_SECTOR,
			.record = plans[i].page * geometry_record_pages(plans[i].page),
		};
		struct geometry_plan plan;

		geometry_plan(&path, &want, plans[i].mss, &plan);
		tap_ok(plan.payload == plans[i].payload && plan.unit == plans[i].unit &&
		       plan.segments == plans[i].segments,
		       "%s: segments of %u, aligned to %u, %" PRIu64 " a record", plans[i].what,
		       plan.payload, plan.unit, plan.segments);
	}
}

/* Over all that can be: no more than the path and the peer allow, and the unit is true */
static void test_plan_range(void)
{
	unsigned int bad = 0;

	for (unsigned int i = 0; i < 3 * 4; i++) {
		struct geometry_path path = { .ipv6 = i & 1, .timestamps = i & 2 };
		struct geometry_want want = { .page = pages[i / 4], .quantum = 512, .record = pages[i / 4] };
		uint32_t options = path.timestamps ? 12 : 0;
		struct geometry_plan plan;

		for (path.mtu = 68; path.mtu <= 65536; path.mtu += 4) {
			for (uint32_t mss = 0; mss <= 65536; mss = mss * 3 + 37) {
				geometry_plan(&path, &want, mss, &plan);
				bad += plan.payload > plan.room || (mss && plan.payload > mss) ||
				       (mss > options && plan.payload + options > mss) ||
				       (plan.unit && plan.payload % plan.unit) ||
				       (plan.payload && plan.segments !=
					(want.record + plan.payload - 1) / plan.payload);
			}
		}
	}
	tap_eq(bad, 0, "plans of all pages, MTUs from 68 to 65536 and MSSs");
}

int main(void)
{
	test_known();
	test_pages();
	test_disks();
	test_plans();
	test_plan_range();
	test_range();
	test_limits();
	test_segments();
	return tap_done();
}
