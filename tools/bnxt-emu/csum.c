// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "csum.h"

/*
 * The compilers' own vectors. Where the processor has no registers of 32 bytes
 * they become two of 16, as SSE2 or NEON have them.
 */
typedef uint64_t vec __attribute__((vector_size(32)));

#define LOW		((vec){ 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff })
#define BLOCK		128u	/* bytes a round */

/* Sum of @blocks times BLOCK bytes: 32-bit halves into 64 bits, no carry is lost before 2^31 rounds */
static inline __attribute__((always_inline)) uint64_t sum_blocks(const uint8_t *b, size_t blocks)
{
	vec acc[4] = { { 0 } };

	for (; blocks; b += BLOCK, blocks--) {
		for (unsigned int i = 0; i < 4; i++) {
			vec w;

			memcpy(&w, b + i * sizeof(w), sizeof(w));
			acc[i] += (w & LOW) + (w >> 32);
		}
	}
	acc[0] += acc[1] + acc[2] + acc[3];
	return acc[0][0] + acc[0][1] + acc[0][2] + acc[0][3];
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static uint64_t sum_avx2(const uint8_t *b, size_t blocks)
{
	return sum_blocks(b, blocks);
}
#endif

static uint64_t sum_large(const uint8_t *b, size_t blocks)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2"))
		return sum_avx2(b, blocks);
#endif
	return sum_blocks(b, blocks);
}

static inline uint64_t add_carry(uint64_t sum, uint64_t v)
{
	sum += v;
	return sum + (sum < v);
}

/**
 * csum_bytes - sum a block of memory
 * @p: block, of any alignment
 * @len: bytes
 *
 * Return: the sum in memory order, not folded.
 */
uint32_t csum_bytes(const void *p, size_t len)
{
	const uint8_t *b = p;
	uint64_t sum = 0;
	uint16_t half;
	uint32_t word;

	if (len >= 2 * BLOCK) {
		sum = sum_large(b, len / BLOCK);
		b += len & ~(size_t)(BLOCK - 1);
		len &= BLOCK - 1;
	}
	for (; len >= 8; b += 8, len -= 8) {
		uint64_t v;

		memcpy(&v, b, sizeof(v));
		sum = add_carry(sum, v);
	}
	if (len & 4) {
		memcpy(&word, b, sizeof(word));
		sum = add_carry(sum, word);
		b += 4;
	}
	if (len & 2) {
		memcpy(&half, b, sizeof(half));
		sum = add_carry(sum, half);
		b += 2;
	}
	if (len & 1) {
		half = 0;
		memcpy(&half, b, 1);	/* padded with a zero byte (RFC 1071) */
		sum = add_carry(sum, half);
	}
	sum = (sum & 0xffffffff) + (sum >> 32);
	return sum + (sum >> 32);
}
