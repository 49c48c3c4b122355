// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "toeplitz.h"

/* The 32 bits of the key that start at bit @bit */
static uint32_t key_window(const uint8_t *key, unsigned int bit)
{
	unsigned int byte = bit / 8, shift = bit % 8;
	uint64_t v = 0;

	for (unsigned int i = 0; i < 5; i++)
		v = v << 8 | (byte + i < TOEPLITZ_KEY ? key[byte + i] : 0);
	return v >> (8 - shift);
}

/**
 * toeplitz_set_key - prepare the tables for a key
 * @t: where to
 * @key: secret key, most significant bit first
 */
void toeplitz_set_key(struct toeplitz *t, const uint8_t key[TOEPLITZ_KEY])
{
	memcpy(t->key, key, TOEPLITZ_KEY);
	for (unsigned int n = 0; n < TOEPLITZ_INPUT * 2; n++) {
		for (unsigned int v = 0; v < 16; v++) {
			uint32_t h = 0;

			for (unsigned int bit = 0; bit < 4; bit++)
				if (v & 8 >> bit)
					h ^= key_window(key, n * 4 + bit);
			t->nibble[n][v] = h;
		}
	}
}

/**
 * toeplitz_hash - hash a flow
 * @t: tables of the key
 * @input: source address, destination address[, source port, destination port], network order
 * @len: bytes of it, at most TOEPLITZ_INPUT
 *
 * Return: the hash.
 */
uint32_t toeplitz_hash(const struct toeplitz *t, const void *input, size_t len)
{
	const uint8_t *p = input;
	uint32_t h = 0;

	for (size_t i = 0; i < len; i++)
		h ^= t->nibble[i * 2][p[i] >> 4] ^ t->nibble[i * 2 + 1][p[i] & 15];
	return h;
}
