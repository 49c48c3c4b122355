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
