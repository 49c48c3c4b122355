/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Little endian numbers of any size in byte arrays, such as registers on their way. */
#ifndef LE_H
#define LE_H

#include <stdint.h>

/* The number in the @size (1..8) bytes at @p */
static inline uint64_t get_le(const uint8_t *p, unsigned int size)
{
	uint64_t v = 0;

	while (size--)
		v = v << 8 | p[size];
	return v;
}

/* Put the low @size (1..8) bytes of @v at @p */
static inline void put_le(uint8_t *p, unsigned int size, uint64_t v)
{
	for (unsigned int i = 0; i < size; i++, v >>= 8)
		p[i] = v;
}

#endif
