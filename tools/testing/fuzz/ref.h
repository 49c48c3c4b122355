/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A second opinion on frames: what headers mean, which checksums are right, how
 * a flow hashes. Written from the RFCs, sharing no code with the device.
 */
#ifndef REF_H
#define REF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ref {
	bool tagged;
	uint16_t tpid, tci;
	int version; /* of sound IP headers, else 0 */
	int proto;
	bool l4; /* TCP or UDP, whole and not a fragment */
	size_t l3, l4_at, split; /* split: where header split may cut */
	size_t ip_end; /* of the IP packet in the frame */
	size_t l4_end; /* of what the checksum covers */
	bool ip_csum_good;
	bool l4_csum_none, l4_csum_good;
	uint16_t sport, dport;
};

void ref_parse(const uint8_t *f, size_t len, size_t deepest, struct ref *r);
uint16_t ref_sum(uint32_t sum, const uint8_t *p, size_t len);
uint16_t ref_l4_sum(const uint8_t *f, const struct ref *r);
uint32_t ref_toeplitz(const uint8_t *key, const uint8_t *in, size_t len);

#endif
