/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest memory that is cut off under the device: SIGBUS must not end the process. */
#ifndef SIGBUS_H
#define SIGBUS_H

#include <stdbool.h>
#include <stddef.h>

bool sigbus_init(void);
bool sigbus_watch(void *base, size_t len, size_t page);
void sigbus_forget(void *base);
bool sigbus_hit(void);

#endif
