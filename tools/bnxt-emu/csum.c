// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "csum.h"

/**
 * csum_bytes - sum a block of memory
 * @p: block, of any alignment
 * @len: its size in bytes; an odd last byte counts as if a zero byte followed
 *
 * Return: 32-bit one's complement sum of the 16-bit words, in memory order.
 */
uint32_t csum_bytes(const void *p, size_t len)
{
	const uint8_t *b = p;
	uint64_t acc[4] = { 0 };
	uint64_t sum, w[4];

	/* 32-bit halves into 64-bit sums: no carry is lost before 2^32 rounds */
	for (; len >= 32; b += 32, len -= 32) {
		memcpy(w, b, 32);
		for (unsigned int i = 0; i < 4; i++)
			acc[i] += (w[i] & 0xffffffff) + (w[i] >> 32);
	}
	sum = acc[0] + acc[1] + acc[2] + acc[3];
	for (; len >= 4; b += 4, len -= 4) {
		uint32_t v;

		memcpy(&v, b, 4);
		sum += v;
	}
	if (len) {
		uint32_t v = 0;

		memcpy(&v, b, len);
		sum += v;
	}
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	return sum;
}
