/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The io_uring that the io_uring backends have in common. */
#ifndef URING_H
#define URING_H

#include <liburing.h>
#include <stdbool.h>

#include "backend.h"

/* Not in the headers of liburing 2.3; the number is that of Linux 6.15, and the series' */
#define URING_OP_RECV_ZC	58

/**
 * struct uring - an io_uring and what is known of it
 * @ring: liburing's
 * @cqe: the completion in work, marked as seen by the next uring_next()
 * @gather_us: how long a wait goes on for more completions, microseconds
 */
struct uring {
	struct io_uring ring;
	struct io_uring_cqe *cqe;
	uint32_t gather_us;
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
int uring_registration(const struct uring *u, unsigned int op, void *arg, unsigned int nr);

#endif
