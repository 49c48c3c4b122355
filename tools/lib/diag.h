/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why something did not work, in words, and the command that mends it.
 *
 * Codes (ZC014) and names (queue-range) are stable: documentation, tests and
 * programs that read --json refer to them.
 */
#ifndef DIAG_H
#define DIAG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "backend.h"
#include "queues.h"

/* An RSS table of some 100 queues, in the words of ethtool -X */
#define DIAG_VALUE	256

/**
 * struct diag_env - what probes look at, and what messages are filled in with
 * @prog: program, {prog}
 * @cfg: what was to be received with: {iface} {queue} {region}; may be NULL
 * @queues: all queues that are received from, of which that of @cfg is one; NULL when it
 *	is the only one
 * @why: what was refused; {error} is its errno in words
 * @port: TCP port, {port}
 * @path: file, {path}; may be NULL
 * @peer: other host, {peer}; may be NULL
 * @family: AF_INET, AF_INET6, AF_UNSPEC for both
 * @backend: how it is received, NULL when that is not known
 * @have: what a probe found, {have}
 * @want: what it should have found, {want}
 * @alt: another value that would do, {alt}
 */
struct diag_env {
	const char *prog;
	const struct zcrx_config *cfg;
	const struct queue_list *queues;
	const struct zcrx_refusal *why;
	uint16_t port;
	const char *path;
	const char *peer;
	int family;
	const struct zcrx_backend_ops *backend;
	char have[DIAG_VALUE];
	char want[DIAG_VALUE];
	char alt[DIAG_VALUE];
};

/* What "zcrx-recv check" looks at, in this order */
enum check_id {
	CHECK_NONE,		/* shows by an errno only */
	CHECK_IO_URING,
	CHECK_ZERO_COPY,
	CHECK_CAPABILITY,
	CHECK_MEMLOCK,
	CHECK_MEMORY,
	CHECK_INTERFACE,
	CHECK_LINK,
	CHECK_DRIVER,
	CHECK_QUEUE,
	CHECK_OWNER,
	CHECK_XDP,
	CHECK_AF_XDP,
	CHECK_SPLIT,
	CHECK_RING,
	CHECK_NTUPLE,
	CHECK_STEERING,
	CHECK_RSS,
	CHECK_PORT,
	CHECK_BIND,
	CHECKS,
};

/**
 * struct diag - a line of the table
 * @code: stable code
 * @name: stable name
 * @step: at which step
 * @err: for which errno; 0 for any
 * @probe: true when this is the cause; may fill in @have and @want. NULL: the
 *	errno says enough
 * @says: for this sentence of the kernel, or part of it, only; NULL for any
 * @cause: the cause in words
 * @fix: change that mends it, or another one than @command; NULL when there is none
 * @command: command that mends it, to be executed as it is; NULL when there is none
 * @check: the check that finds it without an error
 * @look: as @probe, for that check
 * @advice: does not keep anything from working
 */
struct diag {
	const char *code;
	const char *name;
	enum zcrx_step step;
	int err;
	bool (*probe)(struct diag_env *env);
	const char *cause;
	const char *fix;
	const char *says;
	const char *command;
	enum check_id check;
	bool (*look)(struct diag_env *env);
	bool advice;
};

/**
 * struct diag_text - a diagnostic, filled in
 * @code: as in the table
 * @name: as in the table
 * @advice: as in the table
 * @what: what could not be done, and the errno in words
 * @cause: the cause
 * @fix: what mends it, the command included, may be empty
 * @command: the command alone, empty when there is none that is complete
 * @reason: the kernel's own words, may be empty
 */
struct diag_text {
	const char *code;
	const char *name;
	bool advice;
	char what[256];
	char cause[512];
	char fix[800];
	char command[384];
	const char *reason;
};

void diag_explain(struct diag_env *env, struct diag_text *out);
void diag_advice(struct diag_env *env, const char *name, struct diag_text *out);
void diag_print(const struct diag_env *env, const struct diag_text *text, FILE *out,
		unsigned int width);
bool diag_look(struct diag_env *env, enum check_id check, struct diag_text *out);
const struct diag *diag_at(unsigned int i);

#endif
