/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Test data that can be checked anywhere in a stream from the position alone. */
#ifndef PATTERN_H
#define PATTERN_H

#include <stddef.h>
#include <stdint.h>

void pattern_fill(void *buf, uint64_t pos, size_t len);
size_t pattern_check(const void *buf, uint64_t pos, size_t len);

#endif
