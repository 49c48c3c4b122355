/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A log of where in memory every piece arrived, for a comparison with what the
 * device says it wrote. Text, one thing a line:
 *
 *   # zcrx-recv frags 1
 *   region ADDRESS SIZE PAGE_SIZE
 *   pages INDEX PFN COUNT       pages INDEX to INDEX + COUNT - 1 of the region
 *                               are the physical page frames PFN, PFN + 1, ...
 *   frag CONNECTION POSITION OFFSET LENGTH zc|copy
 *
 * Addresses and page frames are hexadecimal, all else is decimal. Page frame
 * numbers are there only for who has CAP_SYS_ADMIN.
 */
#ifndef FRAGS_H
#define FRAGS_H

#include <stdio.h>

#include "backend.h"

int frags_open(FILE **out, const char *path, const struct zcrx_region *region);
void frags_log(FILE *f, uint64_t conn, uint64_t pos, const struct zcrx_piece *pieces,
	       uint32_t n);

#endif
