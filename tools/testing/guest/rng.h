/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dice that fall the same way each time */
#ifndef RNG_H
#define RNG_H

#include <stdbool.h>
#include <stdint.h>

/* A stream of random numbers; the same seed gives the same */
struct rng {
	uint64_t state;
};

uint64_t rng_next(struct rng *rng);
uint32_t rng_below(struct rng *rng, uint32_t n);
bool rng_one_in(struct rng *rng, uint32_t n);

#endif
