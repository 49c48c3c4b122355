/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How large a TCP payload is, and must be for received pages to be whole ones.
 *
 * One full segment on the wire is IP header + TCP header + timestamps option +
 * payload = MTU. The MSS that a host advertises does not count options (RFC
 * 6691), so a payload of P needs an advertised MSS of P + 12 with timestamps.
 */
#ifndef GEOMETRY_H
#define GEOMETRY_H

#include <stdbool.h>
#include <stdint.h>

#define GEOMETRY_IPV4_HEADER	20
#define GEOMETRY_IPV6_HEADER	40
#define GEOMETRY_TCP_HEADER	20
#define GEOMETRY_TIMESTAMPS	12	/* 10 bytes and two NOPs: RFC 7323 appendix A */
#define GEOMETRY_SECTOR		512	/* least block of disks, so least useful alignment */
#define GEOMETRY_MAXSEG_MIN	88	/* kernel: TCP_MIN_MSS */
#define GEOMETRY_MAXSEG_MAX	32767	/* kernel: MAX_TCP_WINDOW */
#define GEOMETRY_RECORD_MAX	61440	/* 15 pages of 4 KiB: the most that one TSO packet holds */
#define GEOMETRY_PAGE_MAX	65536	/* of arm64 and ppc64 */
#define GEOMETRY_JUMBO		9000	/* MTU that NICs for Ethernet have in common */

/**
 * struct geometry_path - what the path gives and does not negotiate
 * @mtu: bytes of an IP packet
 * @ipv6: IPv6, else IPv4
 * @timestamps: TCP timestamps are in use on both sides
 */
struct geometry_path {
	uint32_t mtu;
	bool ipv6;
	bool timestamps;
};

/**
 * struct geometry_want - what the receiver can make use of
 * @page: its page size, bytes, a power of two
 * @quantum: alignment that is still of use when segments are no whole pages, bytes
 * @record: bytes of a record, which starts a segment of its own
 */
struct geometry_want {
	uint32_t page;
	uint32_t quantum;
	uint32_t record;
};

/**
 * struct geometry_plan - what becomes of it on a path
 * @room: payload of a full segment that the MTU has room for, bytes
 * @payload: payload of a full segment as it will be, bytes
 * @unit: alignment that full segments keep: the page, the quantum, or 0 for none
 * @segments: segments of a record
 * @page_mss: MSS to advertise for segments of one page, 0 when TCP has no such
 * @page_mtu: least MTU for them, 0 when IP has no such
 */
struct geometry_plan {
	uint32_t room;
	uint32_t payload;
	uint32_t unit;
	uint64_t segments;
	uint32_t page_mss;
	uint32_t page_mtu;
};

uint32_t geometry_overhead(bool ipv6, bool timestamps);
uint32_t geometry_payload_max(const struct geometry_path *path);
uint32_t geometry_payload(const struct geometry_path *path, uint32_t page, uint32_t quantum);
uint32_t geometry_maxseg(uint32_t payload, bool timestamps);
uint32_t geometry_mtu(uint32_t payload, bool ipv6, bool timestamps);
uint32_t geometry_page_mtu(uint32_t page, bool ipv6, bool timestamps);
uint32_t geometry_own_maxseg(const struct geometry_path *path, uint32_t page);
uint32_t geometry_unit(uint32_t payload, uint32_t page, uint32_t quantum);
uint32_t geometry_record_pages(uint32_t page);
bool geometry_record_ok(uint64_t record, uint32_t page);
bool geometry_suits_disk(uint32_t payload, uint32_t record, uint32_t block);
void geometry_plan(const struct geometry_path *path, const struct geometry_want *want,
		   uint32_t mss, struct geometry_plan *plan);
uint64_t geometry_segments(uint64_t bytes, uint32_t record, uint32_t payload);
bool geometry_timestamps_enabled(void);

#endif
