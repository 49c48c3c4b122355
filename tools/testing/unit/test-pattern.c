// SPDX-License-Identifier: GPL-2.0-or-later
/* The test stream: the same from wherever it is looked at, and no error unseen. */
#include "../tap.h"
#include "pattern.h"

#define SIZE	4096

static void test_known(void)
{
	/* the first outputs of SplitMix64 for seed 0, as its authors publish them */
	static const uint64_t first[] = { 0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4 };
	uint64_t got[1];

	pattern_fill(got, 0, sizeof(got));
	tap_ok(got[0] == first[0], "the first word is that of SplitMix64, little endian");
}

static void test_slices(void)
{
	const uint64_t bases[] = { 0, 1, 4093, (1ULL << 32) - 100, UINT64_MAX - 2 * SIZE };
	uint8_t whole[SIZE], part[SIZE + 8];
	unsigned int wrong = 0, unseen = 0;

	srand(2);
	for (unsigned int b = 0; b < sizeof(bases) / sizeof(bases[0]); b++) {
		pattern_fill(whole, bases[b], SIZE);
		if (pattern_check(whole, bases[b], SIZE) != SIZE)
			wrong++;
		for (unsigned int i = 0; i < 2000; i++) {
			size_t at = (size_t)rand() % SIZE, len = (size_t)rand() % (SIZE - at + 1);
			size_t shift = (size_t)rand() % 8, bad;

			pattern_fill(part + shift, bases[b] + at, len);
			if (memcmp(part + shift, whole + at, len) ||
			    pattern_check(part + shift, bases[b] + at, len) != len)
				wrong++;
			if (!len)
				continue;
			bad = (size_t)rand() % len;
			part[shift + bad] ^= (uint8_t)(1 << (rand() % 8));
			if (pattern_check(part + shift, bases[b] + at, len) != bad)
				unseen++;
		}
	}
	tap_eq(wrong, 0, "10000 slices at any alignment are those of the whole");
	tap_eq(unseen, 0, "10000 flipped bits are seen, and where they are");
}

static void test_displaced(void)
{
	uint8_t buf[SIZE];
	unsigned int unseen = 0;

	for (uint64_t shift = 1; shift <= 100000; shift += shift < 64 ? 1 : 997) {
		pattern_fill(buf, shift, SIZE);
		if (pattern_check(buf, 0, SIZE) > 7)
			unseen++;
	}
	tap_eq(unseen, 0, "data from another place is noticed within a word");
}

int main(void)
{
	test_known();
	test_slices();
	test_displaced();
	return tap_done();
}
