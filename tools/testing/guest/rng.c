// SPDX-License-Identifier: GPL-2.0-or-later
#include "rng.h"

/**
 * rng_next() - the next number
 * @rng: dice
 *
 * SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
 *
 * Return: 64 random bits.
 */
uint64_t rng_next(struct rng *rng)
{
	uint64_t k = rng->state += 0x9e3779b97f4a7c15;

	k = (k ^ k >> 30) * 0xbf58476d1ce4e5b9;
	k = (k ^ k >> 27) * 0x94d049bb133111eb;
	return k ^ k >> 31;
}

/**
 * rng_below() - a number from 0 to @n - 1
 * @rng: dice
 * @n: not 0
 *
 * Return: the number.
 */
uint32_t rng_below(struct rng *rng, uint32_t n)
{
	return (uint32_t)((rng_next(rng) >> 32) * n >> 32);
}

/**
 * rng_one_in() - true once in @n times
 * @rng: dice
 * @n: not 0
 *
 * Return: whether it is that time.
 */
bool rng_one_in(struct rng *rng, uint32_t n)
{
	return !rng_below(rng, n);
}
