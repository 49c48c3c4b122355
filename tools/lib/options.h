/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Command lines: an option table that getopt and --help both read, and checked numbers. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/**
 * struct option_def - one line of an option table
 * @name: long name without dashes; NULL makes the line a heading of --help
 * @key: what the callback gets; a printable character is the short option too
 * @arg: name of the argument, NULL when there is none; in brackets when optional
 * @help: text of --help; '\n' starts a continuation line
 *
 * A table ends with an entry that has neither @name nor @help.
 */
struct option_def {
	const char *name;
	int key;
	const char *arg;
	const char *help;
};

/* Keys of long options without a short form start here, beyond any character */
#define OPTION_LONG	0x100

/**
 * struct option_parser - what options_parse() works with
 * @prog: program name for messages
 * @defs: option table
 * @apply: called for each option; 0, or negative to end with a usage error,
 *	after it said what is wrong
 * @ctx: first argument of @apply
 */
struct option_parser {
	const char *prog;
	const struct option_def *defs;
	int (*apply)(void *ctx, int key, const char *arg);
	void *ctx;
};

int options_parse(const struct option_parser *p, int argc, char **argv);
const char *option_name(const struct option_def *defs, int key);
void options_help(const struct option_def *defs, FILE *out);

int parse_size(const char *text, uint64_t *out);
int parse_uint(const char *text, uint64_t *out);
int parse_rate(const char *text, uint64_t *out);
int parse_seconds(const char *text, uint64_t *ns);

#endif
