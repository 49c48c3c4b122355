/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The io_uring that the io_uring backends have in common. */
#ifndef URING_H
#define URING_H

#include <liburing.h>
#include <stdbool.h>

#include "backend.h"

/* Not in the headers of liburing 2.3; the number is that of Linux 6.15, and the series' */
#define URING_OP_RECV_ZC	58

/* A completion with its 16 more bytes, if the ring has them */
typedef uint64_t uring_kept[4];

/**
 * struct uring - an io_uring and what is known of it
 * @ring: liburing's
 * @cqe: the completion in work, marked as seen by the next uring_next()
 * @gather_us: how long a wait goes on for more completions, microseconds
 * @ended: struct uring_op that have ended
 * @kept: completions that uring_wait_op() came by, for uring_next()
 * @kept_at: the first that was not taken
 * @kept_end: behind the last
 * @kept_room: so many have room
 */
struct uring {
	struct io_uring ring;
	struct io_uring_cqe *cqe;
	uint32_t gather_us;
	uint64_t ended;
	uring_kept *kept;
	uint32_t kept_at;
	uint32_t kept_end;
	uint32_t kept_room;
};

/**
 * struct uring_op - a request of one who does not receive, such as a write
 * @done: takes the result, in the thread of the ring; @under_way is false by then
 * @under_way: the kernel has the request, and uses the memory that it names
 *
 * Its end is nothing that uring_next() reports: that calls @done and goes on.
 */
struct uring_op {
	void (*done)(struct uring_op *op, int res);
	bool under_way;
};

/* What a ring has to have; the second and third with DEFER_TASKRUN (Linux 6.1) */
enum uring_kind {
	URING_PLAIN,
	URING_DEFER,		/* receives run in the thread that waits for them */
	URING_DEFER_CQE32,	/* and completions have 32 bytes */
};

int uring_open(struct uring *u, uint32_t cq_entries, enum uring_kind kind);
void uring_gather(struct uring *u, uint32_t us);
bool uring_busy_poll(struct uring *u, uint32_t us);
void uring_close(struct uring *u);
struct io_uring_sqe *uring_sqe(struct uring *u);
int uring_watch(struct uring *u, struct zcrx_source *s);
int uring_recv_zc(struct uring *u, struct zcrx_source *s, uint32_t ifq);
int uring_next(struct uring *u, int timeout_ms);
void uring_start_op(struct uring *u, struct io_uring_sqe *sqe, struct uring_op *op);
void uring_wait_op(struct uring *u, const struct uring_op *op);
int uring_registration(const struct uring *u, unsigned int op, void *arg, unsigned int nr);

#endif
