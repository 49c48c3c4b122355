/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * zc-races: what its parts share. All of it happens in processes of their own, which
 * report to one piece of shared memory.
 */
#ifndef RACES_H
#define RACES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "rng.h"

/* What is counted; races_count_names says it in words */
enum races_count {
	RACES_LIVES,
	RACES_KILLED,
	RACES_CHECKED,
	RACES_READ_ON,
	RACES_PLAIN,
	RACES_COPIES,
	RACES_BAD_RQES,
	RACES_STARVED,
	RACES_LINK,
	RACES_RINGS,
	RACES_CHANNELS,
	RACES_MTU,
	RACES_MERGE,
	RACES_COALESCE,
	RACES_RULE,
	RACES_CONTEXT,
	RACES_RESTART,
	RACES_DUMP,
	RACES_IRQ,
	RACES_PACKET,
	RACES_REBIND,
	RACES_RESET,
	RACES_COUNTS
};

/**
 * struct races_shared - what all processes write to
 * @stop: the hands are to come to an end
 * @count: how often, or how many bytes
 * @failed: somebody has written to @failure
 * @failure: the first thing that went wrong, in words
 */
struct races_shared {
	uint32_t stop;
	uint64_t count[RACES_COUNTS];
	uint32_t failed;
	char failure[512];
};

/**
 * struct races - the command line, and what follows from it
 * @iface: interface
 * @seed: what all that is random begins with
 * @seconds: how long to go on
 * @slow: how many times longer than on a machine of its own things may take
 * @rebind: shell command that takes the driver away from the device, gives it back and
 *	sets the interface up as it was; or NULL
 * @firmware: what is done to the whole interface is that its firmware is reset
 * @cpus: processors
 * @s: shared memory
 */
struct races {
	const char *iface;
	uint64_t seed;
	unsigned int seconds;
	unsigned int slow;
	const char *rebind;
	bool firmware;
	unsigned int cpus;
	struct races_shared *s;
};

/* How a receiver's life ends */
enum races_end {
	RACES_END_EXIT,		/* in order */
	RACES_END_RING,		/* the ring first; what the sockets still have is read */
	RACES_END_UNMAP,	/* memory first */
	RACES_END_DIE,		/* by _exit(2) */
	RACES_END_FORK,		/* a child holds all of it a moment longer */
	RACES_END_KILLED,	/* from outside */
	RACES_END_STOPPED,	/* from outside, and data piles up before */
	RACES_ENDS
};

/**
 * struct races_life - what a receiver is to do
 * @seed: of its own dice
 * @queue: receive queue
 * @port: TCP port
 * @ms: for how long
 * @enough: or until so many bytes were right; 0: none are enough
 * @wild: writes garbage into its rings; so what it receives is not looked at
 * @end: how it ends
 */
struct races_life {
	uint64_t seed;
	unsigned int queue;
	uint16_t port;
	unsigned int ms;
	uint64_t enough;
	bool wild;
	enum races_end end;
};

void races_nap(struct rng *rng, uint32_t us);
uint64_t races_now_ms(void);
void races_move(const struct races *races, struct rng *rng);
int races_cpu(const struct races *races, struct rng *rng);

void races_add(const struct races *races, enum races_count what, uint64_t n);
__attribute__((format(printf, 2, 3)))
void races_fail(const struct races *races, const char *fmt, ...);

int races_receive(const struct races *races, const struct races_life *life);
int races_plain(const struct races *races, uint64_t seed, uint16_t port);
int races_pump(const struct races *races, uint64_t seed, uint16_t port);
int races_hand(const struct races *races, uint64_t seed, uint64_t round, unsigned int which);

/* Which of the hands */
enum { RACES_HAND_CONFIG, RACES_HAND_QUEUES, RACES_HANDS };

#endif
