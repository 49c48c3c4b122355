/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fence around guest memory: with the address sanitizer the device can touch only
 * what it has looked up (dma_ptr), byte by byte, and only until the step ends. So who
 * asks for less than he uses is found wherever in the guest's memory that is, not
 * only at the end of a region.
 *
 * The linker leads the look-ups through here (--wrap). Memory of a target has two
 * mappings: the target uses the plain one, the device gets addresses in the other.
 */
#ifndef FENCE_H
#define FENCE_H

#include <stddef.h>
#include <stdint.h>

#include "../../bnxt-emu/dma.h"

void fence_begin(const struct dma_map *map, void (*looking)(void *arg), void *arg);
void fence_step(void);
void fence_end(void);

void *fence_alloc(size_t len);
void *fence_peek(const struct dma_map *map, uint64_t iova, uint64_t len);

#endif
