/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hooks of an event loop (struct loop_hooks) that has nothing but its descriptors. */
#ifndef NO_HOOKS_H
#define NO_HOOKS_H

#include <stdbool.h>
#include <stdint.h>

static inline bool no_poll(void *arg)
{
	(void)arg;
	return false;
}

static inline void no_flush(void *arg)
{
	(void)arg;
}

static inline uint64_t no_timers(void *arg, uint64_t now)
{
	(void)arg;
	(void)now;
	return UINT64_MAX;
}

static inline bool no_sleep(void *arg, bool sleeping)
{
	(void)arg;
	(void)sleeping;
	return false;
}

#endif
