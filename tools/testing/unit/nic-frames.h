/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes and checks frames; shares no code with the device. */
#ifndef NIC_FRAMES_H
#define NIC_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct flow {
	const uint8_t *dmac;	/* NULL: 02:00:00:00:00:01 */
	int version;		/* 4, 6, 0: an ARP-like frame */
	uint8_t proto;		/* 6, 17, 1 (ICMP) */
	uint8_t src[16], dst[16];
	uint16_t sport, dport;
	uint32_t seq;
	uint8_t tcp_flags;
	unsigned int ip_opts;	/* bytes, multiple of 4 */
	unsigned int tcp_opts;
	unsigned int ext;	/* bytes of an IPv6 destination options header, multiple of 8 */
	bool fragment;		/* first fragment */
	int vlan;		/* TCI, 0: no tag */
	uint16_t ip_id;
	bool bad_csum, bad_ip_csum, no_udp_csum;
	bool partial;		/* L4 checksum holds the pseudo header's sum only */
	bool merged;		/* an aggregation: frame_wrong() wants the pseudo header's sum */
	bool ts;		/* the TCP options are timestamps; else they are NOPs */
	uint32_t tsval, ack;
	uint16_t window;	/* 0: 500 */
	uint8_t tos, ttl;	/* ttl 0: 64 */
};

struct flow tcp4(uint16_t sport, uint16_t dport);
struct flow tcp6(uint16_t sport, uint16_t dport);

/* Payload byte @i of flows; every place has another value nearby */
uint8_t pattern(uint32_t i);

/* Returns the frame's length; payload bytes are pattern(first + 0..) */
size_t frame_make(uint8_t *buf, const struct flow *f, uint32_t first, size_t payload);
size_t frame_headers(const struct flow *f);
size_t frame_l3(const struct flow *f);
size_t frame_l4(const struct flow *f);
/* NULL if headers, lengths and checksums are right, else what is wrong */
const char *frame_wrong(const uint8_t *p, size_t len, const struct flow *f);
bool pattern_ok(const uint8_t *p, size_t len, uint32_t first);
uint16_t be16(const uint8_t *p);
uint32_t be32(const uint8_t *p);

#endif
