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

#define DIAG_VALUE	96

/**
 * struct diag_env - what probes look at, and what messages are filled in with
 * @prog: program, {prog}
 * @cfg: what was to be received with: {iface} {queue} {region}; may be NULL
 * @why: what was refused; {error} is its errno in words
 * @port: TCP port, {port}
 * @path: file, {path}; may be NULL
 * @peer: other host, {peer}; may be NULL
 * @have: what a probe found, {have}
 * @want: what it should have found, {want}
 */
struct diag_env {
	const char *prog;
	const struct zcrx_config *cfg;
	const struct zcrx_refusal *why;
	uint16_t port;
	const char *path;
	const char *peer;
	char have[DIAG_VALUE];
	char want[DIAG_VALUE];
};

/**
 * struct diag - a line of the table
 * @code: stable code
 * @name: stable name
 * @step: at which step
 * @err: for which errno; 0 for any
 * @probe: true when this is the cause; may fill in @have and @want. NULL: the
 *	errno says enough
 * @cause: the cause in words
 * @fix: command or change that mends it, NULL when there is none
 */
struct diag {
	const char *code;
	const char *name;
	enum zcrx_step step;
	int err;
	bool (*probe)(struct diag_env *env);
	const char *cause;
	const char *fix;
};

/**
 * struct diag_text - a diagnostic, filled in
 * @code: as in the table
 * @name: as in the table
 * @what: what could not be done, and the errno in words
 * @cause: the cause
 * @fix: what mends it, may be empty
 * @reason: the kernel's own words, may be empty
 */
struct diag_text {
	const char *code;
	const char *name;
	char what[256];
	char cause[512];
	char fix[384];
	const char *reason;
};

void diag_explain(struct diag_env *env, struct diag_text *out);
void diag_advice(struct diag_env *env, const char *name, struct diag_text *out);
void diag_print(const struct diag_env *env, const struct diag_text *text, FILE *out);
const struct diag *diag_at(unsigned int i);

#endif
