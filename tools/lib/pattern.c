// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The stream is a sequence of 64-bit little-endian words; word k is k put
 * through the finisher of SplitMix64 (Steele, Lea, Flood: Fast Splittable
 * Pseudorandom Number Generators, OOPSLA 2014). The map is a bijection, so no
 * two words of a stream are equal: data from any other place is noticed.
 */
#include "pattern.h"

#include <endian.h>
#include <string.h>

#define WORD	sizeof(uint64_t)

static uint64_t pattern_word(uint64_t k)
{
	k += 0x9e3779b97f4a7c15;
	k = (k ^ k >> 30) * 0xbf58476d1ce4e5b9;
	k = (k ^ k >> 27) * 0x94d049bb133111eb;
	return htole64(k ^ k >> 31);
}

/* Bytes from @pos to the next word, but no more than @len */
static size_t to_word(uint64_t pos, size_t len)
{
	size_t n = -pos % WORD;

	return n < len ? n : len;
}

/* Less than a word of the stream */
static void fill_part(uint8_t *p, uint64_t pos, size_t len)
{
	uint64_t word = pattern_word(pos / WORD);

	memcpy(p, (uint8_t *)&word + pos % WORD, len);
}

/**
 * pattern_fill() - make a piece of the test stream
 * @buf: where to put it, any alignment
 * @pos: position of its first byte in the stream
 * @len: bytes
 */
void pattern_fill(void *buf, uint64_t pos, size_t len)
{
	size_t n = to_word(pos, len);
	uint8_t *p = buf;

	if (n)
		fill_part(p, pos, n);
	for (; len - n >= WORD; n += WORD) {
		uint64_t word = pattern_word((pos + n) / WORD);

		memcpy(p + n, &word, WORD);
	}
	if (n < len)
		fill_part(p + n, pos + n, len - n);
}

static size_t check_part(const uint8_t *p, uint64_t pos, size_t len)
{
	uint8_t want[WORD];
	size_t n = 0;

	fill_part(want, pos, len);
	while (n < len && p[n] == want[n])
		n++;
	return n;
}

/**
 * pattern_check() - compare a piece of a stream with the test stream
 * @buf: the bytes, any alignment
 * @pos: position of the first byte in the stream
 * @len: bytes
 *
 * Return: how many bytes are right before the first wrong one; @len if all are.
 */
size_t pattern_check(const void *buf, uint64_t pos, size_t len)
{
	size_t n = to_word(pos, len);
	const uint8_t *p = buf;
	size_t right = n ? check_part(p, pos, n) : 0;

	if (right < n)
		return right;
	for (; len - n >= WORD; n += WORD) {
		uint64_t word;

		memcpy(&word, p + n, WORD);
		if (word != pattern_word((pos + n) / WORD))
			return n + check_part(p + n, pos + n, WORD);
	}
	return n + (n < len ? check_part(p + n, pos + n, len - n) : 0);
}
