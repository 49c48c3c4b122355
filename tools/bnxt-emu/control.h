/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Control socket: one command a line in words, answered by any number of lines
 * and at last "ok" or "error: CAUSE; FIX".
 */
#ifndef CONTROL_H
#define CONTROL_H

#include "loop.h"

#define CONTROL_LINE_MAX	1024	/* bytes of a command with its newline */
#define CONTROL_WORDS_MAX	8

struct control;
struct answer;

/**
 * struct control_cmd - a command
 * @name: its first word
 * @args: its arguments, for people
 * @min: how many words must follow
 * @max: how many may
 * @help: what it does
 * @fn: does it; @argv are the words that follow. Returns false after
 *	answer_error()
 */
struct control_cmd {
	const char *name;
	const char *args;
	int min, max;
	const char *help;
	bool (*fn)(void *host, int argc, char **argv, struct answer *a);
};

void answer_line(struct answer *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool answer_error(struct answer *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

struct control *control_new(struct loop *loop, const struct control_cmd *cmds, void *host);
bool control_listen(struct control *c, const char *path);
bool control_watch(struct control *c, const char *dir);
void control_free(struct control *c);

int control_client(int argc, char **argv);

#endif
