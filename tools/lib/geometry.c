// SPDX-License-Identifier: GPL-2.0-or-later
#include "geometry.h"

#include <stdio.h>

/**
 * geometry_overhead() - bytes of a packet that are no payload
 * @ipv6: IPv6, else IPv4 (without options or extension headers)
 * @timestamps: TCP timestamps are in use
 *
 * Return: bytes.
 */
uint32_t geometry_overhead(bool ipv6, bool timestamps)
{
	return (ipv6 ? GEOMETRY_IPV6_HEADER : GEOMETRY_IPV4_HEADER) + GEOMETRY_TCP_HEADER +
	       (timestamps ? GEOMETRY_TIMESTAMPS : 0);
}

/**
 * geometry_payload_max() - payload of a full segment when nobody limits it
 * @path: the path
 *
 * Return: bytes, 0 when the MTU has no room for any.
 */
uint32_t geometry_payload_max(const struct geometry_path *path)
{
	uint32_t overhead = geometry_overhead(path->ipv6, path->timestamps);

	return path->mtu > overhead ? path->mtu - overhead : 0;
}

/**
 * geometry_payload() - payload that keeps received data aligned
 * @path: the path
 * @page: page size of the receiver, bytes
 * @quantum: alignment that is still of use when no page fits, bytes; 0 for none
 *
 * As many whole pages as a segment holds, else as many quanta.
 *
 * Return: bytes, 0 when not even a quantum fits.
 */
uint32_t geometry_payload(const struct geometry_path *path, uint32_t page, uint32_t quantum)
{
	uint32_t max = geometry_payload_max(path);
	uint32_t most = GEOMETRY_MAXSEG_MAX - (path->timestamps ? GEOMETRY_TIMESTAMPS : 0);

	if (max > most)
		max = most;
	if (max >= page)
		return max - max % page;
	return quantum ? max - max % quantum : 0;
}

/**
 * geometry_maxseg() - value for TCP_MAXSEG
 * @payload: wanted payload of a segment, bytes
 * @timestamps: TCP timestamps are in use
 *
 * Return: bytes, 0 when the kernel does not take such a value.
 */
uint32_t geometry_maxseg(uint32_t payload, bool timestamps)
{
	uint32_t mss = payload + (timestamps ? GEOMETRY_TIMESTAMPS : 0);

	return mss >= GEOMETRY_MAXSEG_MIN && mss <= GEOMETRY_MAXSEG_MAX ? mss : 0;
}

/**
 * geometry_mtu() - least MTU for a payload
 * @payload: wanted payload of a segment, bytes
 * @ipv6: IPv6, else IPv4
 * @timestamps: TCP timestamps are in use
 *
 * Return: bytes.
 */
uint32_t geometry_mtu(uint32_t payload, bool ipv6, bool timestamps)
{
	return payload + geometry_overhead(ipv6, timestamps);
}

/**
 * geometry_page_mtu() - least MTU for segments of one page
 * @page: page size, bytes
 * @ipv6: IPv6, else IPv4
 * @timestamps: TCP timestamps are in use
 *
 * Return: bytes, 0 when no segment can be that long: pages of 64 KiB.
 */
uint32_t geometry_page_mtu(uint32_t page, bool ipv6, bool timestamps)
{
	return geometry_maxseg(page, timestamps) ? geometry_mtu(page, ipv6, timestamps) : 0;
}

/**
 * geometry_own_maxseg() - what a sender limits its own segments to
 * @path: the path
 * @page: page size of the receiver, bytes
 *
 * The most whole pages that the MTU has room for. Where it has none, segments
 * stay as long as they are: a receiver that wants blocks asks for them.
 *
 * Return: value for TCP_MAXSEG, 0 to leave it.
 */
uint32_t geometry_own_maxseg(const struct geometry_path *path, uint32_t page)
{
	return geometry_maxseg(geometry_payload(path, page, 0), path->timestamps);
}

/**
 * geometry_unit() - alignment that a stream of full segments keeps
 * @payload: payload of a full segment, bytes
 * @page: page size of the receiver, bytes
 * @quantum: alignment that is still of use, bytes; 0 for none
 *
 * Return: @page or @quantum, whichever full segments are whole numbers of, else 0.
 */
uint32_t geometry_unit(uint32_t payload, uint32_t page, uint32_t quantum)
{
	if (payload && payload % page == 0)
		return page;
	return payload && quantum && payload % quantum == 0 ? quantum : 0;
}

/**
 * geometry_record_pages() - pages of a record when nobody says
 * @page: page size, bytes
 *
 * Four: long enough for TSO, short enough not to lose much to a cut.
 *
 * Return: 1 to 4.
 */
uint32_t geometry_record_pages(uint32_t page)
{
	uint32_t most = GEOMETRY_RECORD_MAX / page;

	return most >= 4 ? 4 : most ? most : 1;
}

/**
 * geometry_record_ok() - can records be that long?
 * @record: bytes
 * @page: page size, bytes
 *
 * Return: true for whole pages that one TSO packet holds, and for a single page.
 */
bool geometry_record_ok(uint64_t record, uint32_t page)
{
	return record && record % page == 0 && (record <= GEOMETRY_RECORD_MAX || record == page);
}

/**
 * geometry_suits_disk() - can a disk take the payloads from where they arrive?
 * @payload: payload of a full segment, bytes
 * @record: bytes of a record
 * @block: block of the disk, what O_DIRECT wants lengths to be multiples of, bytes
 *
 * A payload arrives at the start of a page; what is left to ask is its length,
 * also that of the last one of a record.
 *
 * Return: true when every length is whole blocks.
 */
bool geometry_suits_disk(uint32_t payload, uint32_t record, uint32_t block)
{
	return payload && payload % block == 0 && record % block == 0;
}

/**
 * geometry_plan() - what becomes of the receiver's wish on a path
 * @path: the path, as far as it is known on this side
 * @want: the wish
 * @mss: MSS of the connection as it would be without a limit of ours, options
 *	not taken off; 0 when it is not known
 * @plan: the result
 */
void geometry_plan(const struct geometry_path *path, const struct geometry_want *want,
		   uint32_t mss, struct geometry_plan *plan)
{
	uint32_t own = geometry_own_maxseg(path, want->page);
	uint32_t options = path->timestamps ? GEOMETRY_TIMESTAMPS : 0;

	*plan = (struct geometry_plan){
		.room = geometry_payload_max(path),
		.page_mss = geometry_maxseg(want->page, path->timestamps),
		.page_mtu = geometry_page_mtu(want->page, path->ipv6, path->timestamps),
	};
	plan->payload = own ? own - options : plan->room;
	if (mss && (mss <= options || mss - options < plan->payload))
		plan->payload = mss > options ? mss - options : 0;
	plan->unit = geometry_unit(plan->payload, want->page, want->quantum);
	plan->segments = geometry_segments(want->record, want->record, plan->payload);
}

/**
 * geometry_segments() - segments of a stream that is cut only where it should be
 * @bytes: length of the stream
 * @record: bytes of a record, which starts a segment of its own; 0 for no records
 * @payload: payload of a full segment, bytes
 *
 * Return: number of segments, 0 when @payload is 0.
 */
uint64_t geometry_segments(uint64_t bytes, uint32_t record, uint32_t payload)
{
	uint64_t per_record, rest;

	if (!payload)
		return 0;
	if (!record)
		return bytes / payload + !!(bytes % payload);
	per_record = record / payload + !!(record % payload);
	rest = bytes % record;
	return bytes / record * per_record + rest / payload + !!(rest % payload);
}

/**
 * geometry_timestamps_enabled() - does this host offer TCP timestamps?
 *
 * Return: the state of net.ipv4.tcp_timestamps, true when it cannot be read:
 * that is the kernel's default.
 */
bool geometry_timestamps_enabled(void)
{
	FILE *f = fopen("/proc/sys/net/ipv4/tcp_timestamps", "re");
	int value = 1;

	if (!f)
		return true;
	if (fscanf(f, "%d", &value) != 1)
		value = 1;
	fclose(f);
	return value != 0;
}
