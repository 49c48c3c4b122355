// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How libFuzzer changes inputs. Those of target hwrm hold the requests of a whole driver:
 * the one field that matters is hardly hit by chance. So most of the time one field of
 * one request becomes a number that means something; all else is libFuzzer's own.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#define MAX_REQUESTS 512u

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

static unsigned int next(unsigned int *state, unsigned int below)
{
	*state = *state * 1664525u + 1013904223u; /* Numerical Recipes */
	return (uint64_t)*state * below >> 32;
}

/* One of the requests, each command as likely as any other */
static const struct hwrm_span *pick(const struct hwrm_span *span, unsigned int n,
				    unsigned int *state)
{
	uint16_t op[MAX_REQUESTS];
	unsigned int ops = 0, same = 0, k;

	for (unsigned int i = 0; i < n; i++) {
		for (k = 0; k < ops && op[k] != span[i].op; k++)
			;
		if (k == ops)
			op[ops++] = span[i].op;
	}
	k = next(state, ops);
	for (unsigned int i = 0; i < n; i++)
		same += span[i].op == op[k];
	same = next(state, same);
	for (unsigned int i = 0;; i++)
		if (span[i].op == op[k] && !same--)
			return &span[i];
}

static uint64_t meaningful(uint64_t was, unsigned int bits, unsigned int *state)
{
	switch (next(state, 8)) {
	case 0: return 0;
	case 1: return ~0ull;
	case 2: return was + 1;
	case 3: return was - 1;
	case 4: return 1ull << next(state, bits);
	case 5: return (1ull << next(state, bits)) - 1;
	case 6: return was ^ 1ull << next(state, bits);
	default: return next(state, 256);
	}
}

static void change_field(uint8_t *data, const struct hwrm_span *r, unsigned int *state)
{
	size_t size = 1u << next(state, 4), at;
	uint64_t v = 0;

	while (size > r->len)
		size /= 2;
	at = r->at + next(state, r->len / size) * size;
	memcpy(&v, data + at, size);
	v = meaningful(v, 8 * size, state);
	memcpy(data + at, &v, size);
}

/**
 * LLVMFuzzerCustomMutator - change an input
 * @data: input
 * @size: its bytes
 * @max_size: room
 * @seed: makes the change
 *
 * Return: its new size.
 */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	static struct hwrm_span span[MAX_REQUESTS];
	const char *target = getenv("FUZZ_TARGET");
	unsigned int n = 0;

	if (target && !strcmp(target, "hwrm") && next(&seed, 4))
		n = hwrm_requests(data, size, span, MAX_REQUESTS);
	if (!n)
		return LLVMFuzzerMutate(data, size, max_size);
	change_field(data, pick(span, n, &seed), &seed);
	return size;
}
