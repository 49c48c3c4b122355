/* SPDX-License-Identifier: GPL-2.0-or-later */
/* zc-life: the judge's parts */
#ifndef LIFE_JUDGE_H
#define LIFE_JUDGE_H

#include <getopt.h>

#include "life.h"

/**
 * struct life_place - where a judge works
 * @iface: interface
 * @addr: its address
 * @peer: address of the peer
 * @pump: file that is shared with life-pump
 * @queue: receive queue that is bound, not 0
 */
struct life_place {
	const char *iface, *addr, *peer, *pump;
	unsigned int queue;
};

/* For getopt_long(3); life_option() knows what they are */
#define LIFE_SHORT_OPTIONS	"i:q:"
#define LIFE_LONG_OPTIONS \
	{ "iface", required_argument, NULL, 'i' }, \
	{ "queue", required_argument, NULL, 'q' }, \
	{ "addr", required_argument, NULL, 'a' }, \
	{ "peer", required_argument, NULL, 'p' }, \
	{ "pump", required_argument, NULL, 'f' }, \
	{ "slow", required_argument, NULL, 's' }

/**
 * struct doing - what the judge does now, for its watchdog
 * @since_ms: since when, 0 for nothing that can hang
 * @what: in words
 */
struct doing {
	uint64_t since_ms;
	char what[160];
};

/**
 * struct life - the judge
 * @nic: device
 * @user: user, if there is one
 * @second: another process that the user left behind, 0 for none
 * @ring: the ring's descriptor that the judge has taken, -1 for none
 * @pump: descriptor of the file that tells life-pump to begin anew
 * @generation: what is in it
 * @slow: how many times longer than usual things may take
 * @rounds: how many of each kind
 * @noise_kb: how much less memory may be free for other reasons
 * @unsettled: regions that may still be held by packets, or by page pools that have not looked
 * @last: what was done before, or NULL
 * @doing: in shared memory
 * @before: what was there when nobody had lived yet
 * @why: what went wrong, in words
 */
struct life {
	struct nic nic;
	struct user user;
	pid_t second;
	int ring;
	int pump;
	uint32_t generation;
	unsigned int slow;
	unsigned int rounds;
	long noise_kb;
	unsigned int unsettled;
	const char *last;
	struct doing *doing;
	struct watch before;
	char why[512];
};

__attribute__((format(printf, 2, 3)))
int life_fail(struct life *l, const char *fmt, ...);

bool life_option(struct life *l, struct life_place *at, int c);
int life_open(struct life *l, const struct life_place *at);
__attribute__((format(printf, 2, 3)))
void life_doing(struct life *l, const char *fmt, ...);
void life_done_doing(struct life *l);
int life_pump_anew(struct life *l);
int life_user(struct life *l, enum life_home home);
int life_settle(struct life *l);
int life_take_ring(struct life *l);
void life_drop_ring(struct life *l);

void life_orders(struct life *l, unsigned int part, unsigned int of);
int life_one_order(struct life *l, const char *names);
void life_rounds(struct life *l, const char *only);

#endif
