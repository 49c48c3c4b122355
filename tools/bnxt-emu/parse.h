/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the device understands of a frame's headers. */
#ifndef PARSE_H
#define PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/if_ether.h>

#define VLAN_HLEN	4u

struct parsed {
	uint16_t ethertype;	/* behind a tag, if there is one */
	bool tagged;
	uint16_t tpid, tci;
	uint8_t ip_version;	/* 0: not IP, or nothing that can be relied on */
	uint8_t l4_proto;	/* of the last header that was understood, 0 for none */
	bool fragment;		/* first or later: no ports, no checksum */
	bool has_l4;		/* TCP or UDP with a complete header */
	bool ip_csum_ok;	/* IPv4 header checksum; true for IPv6 */
	uint16_t l3, l4;	/* offsets */
	uint16_t payload;	/* offset behind the TCP/UDP header, else behind the IP headers */
	uint16_t csum_at;	/* offset of the TCP/UDP checksum, with has_l4 */
	uint32_t l4_len;	/* bytes from l4 to the end of the IP packet */
	uint16_t sport, dport;
	uint32_t seq;		/* TCP */
};

bool parse_frame(const uint8_t *p, size_t have, size_t len, struct parsed *out);
uint32_t parse_pseudo_sum(const uint8_t *frame, const struct parsed *p, uint32_t l4_len);

#endif
