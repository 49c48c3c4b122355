/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Internet checksum (RFC 1071). Sums are in memory order, not yet folded. */
#ifndef CSUM_H
#define CSUM_H

#include <stddef.h>
#include <stdint.h>

uint32_t csum_bytes(const void *p, size_t len);

/* Adds two sums with end around carry */
static inline uint32_t csum_add(uint32_t a, uint32_t b)
{
	a += b;
	return a + (a < b);
}

/* A sum of bytes that start at an odd offset of the whole */
static inline uint32_t csum_odd(uint32_t sum)
{
	return sum << 8 | sum >> 24;
}

static inline uint16_t csum_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum += sum >> 16;
	return sum;
}

#endif
