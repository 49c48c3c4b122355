/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Toeplitz hash of receive side scaling. */
#ifndef TOEPLITZ_H
#define TOEPLITZ_H

#include <stddef.h>
#include <stdint.h>

#define TOEPLITZ_KEY	40
#define TOEPLITZ_INPUT	36	/* two IPv6 addresses and two ports */

/* For each nibble of the input, what each of its values adds to the hash */
struct toeplitz {
	uint8_t key[TOEPLITZ_KEY];
	uint32_t nibble[TOEPLITZ_INPUT * 2][16];
};

void toeplitz_set_key(struct toeplitz *t, const uint8_t key[TOEPLITZ_KEY]);
uint32_t toeplitz_hash(const struct toeplitz *t, const void *input, size_t len);

#endif
