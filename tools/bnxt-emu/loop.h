/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Event loop: file descriptors, one poller of shared memory, timers. */
#ifndef LOOP_H
#define LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;

/**
 * struct loop_hooks - what the loop drives beside file descriptors
 * @poll: look for work in shared memory and do a bounded part of it; returns
 *	whether there was any
 * @flush: a burst is over: send what was held back
 * @timers: run what is due at @now (CLOCK_MONOTONIC, ns); returns ns until the
 *	next, 0 to be called again at once, UINT64_MAX for none
 * @sleep: @sleeping: the loop is about to block, so wake-ups must be asked for;
 *	returns true when there is work after all. Not @sleeping: they may be
 *	left out again.
 */
struct loop_hooks {
	bool (*poll)(void *arg);
	void (*flush)(void *arg);
	uint64_t (*timers)(void *arg, uint64_t now);
	bool (*sleep)(void *arg, bool sleeping);
};

typedef void (*loop_fn)(void *arg);

struct loop *loop_new(const struct loop_hooks *hooks, void *arg, unsigned int max_spin_us);
void loop_free(struct loop *loop);

bool loop_add(struct loop *loop, int fd, loop_fn fn, void *arg);
void loop_pause(struct loop *loop, int fd, bool paused);
void loop_on_writable(struct loop *loop, int fd, loop_fn fn);
void loop_del(struct loop *loop, int fd);

int loop_run(struct loop *loop);
void loop_stop(struct loop *loop, int status);

uint64_t loop_now(void);

#endif
