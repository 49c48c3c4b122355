/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of bench-nic share. */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../unit/nic-driver.h"
#include "../unit/nic-frames.h"

#define MAX_FRAME	70000
#define SOURCES		64	/* frames in memory that are used in turns */
#define BATCH		128	/* frames between two looks of the driver */
#define LARGE		64000u	/* payload of a large frame, at most */
#define ROUNDS		5	/* of each measurement; the fastest counts */

/* Time that this thread ran */
struct span {
	double all, device;	/* s: together, and of it that of the device */
	uint64_t frames;	/* as on a cable */
};

/**
 * struct bench_case - a line of the table
 * @dir: "rx" or "tx"
 * @name: what is done with the frames
 * @payload: bytes of it in a frame
 * @udp: UDP without options, else TCP with timestamps
 * @large: frames come and go as one of up to LARGE bytes
 * @vouched: rx: the sender vouches for the checksum
 * @whole: rx: not split, in page-sized buffers, as with XDP
 * @tpa: rx: VNIC_TPA_* flags
 * @wire_gso: tx: the wire takes large frames
 */
struct bench_case {
	const char *dir, *name;
	unsigned int payload;
	bool udp, large, vouched, whole;
	uint32_t tpa;
	bool wire_gso;
};

/* Payload bytes of a frame as it comes, or as the driver sends it; a multiple of c->payload */
static inline unsigned int bench_bytes(const struct bench_case *c)
{
	return c->large ? LARGE / c->payload * c->payload : c->payload;
}

static inline struct flow bench_flow(const struct bench_case *c)
{
	struct flow f = tcp4(1, 2);

	f.ts = true;
	f.tcp_flags = 0x10;
	if (c->udp)
		f.proto = 17;
	return f;
}

/**
 * struct bench - one direction
 * @open: makes a device and sends it traffic of a case; compares every byte that comes out.
 *	Returns what is wrong, NULL for nothing; *@checked are the bytes that were compared
 * @run: traffic for some seconds, as fast as it goes
 * @copy: memcpy() of the same payload from and to the same memory, for some seconds
 */
struct bench {
	const char *dir;
	const char *(*open)(const struct bench_case *c, void **state, uint64_t *checked);
	const char *(*run)(void *state, double seconds, struct span *s);
	void (*copy)(void *state, double seconds, struct span *s);
	void (*close)(void *state);
};

extern const struct bench bench_rx, bench_tx;

/* CLOCK_THREAD_CPUTIME_ID in seconds */
double bench_now(void);

#endif
