/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON lines: one object a line, written as a whole when it is complete, as standard error has
 * lines for people that are said meanwhile.
 */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/**
 * struct json - a JSON writer
 * @out: where lines go
 * @line: the line in the making
 * @text: its characters, when it is complete
 * @len: how many
 * @depth: objects and arrays that are open
 * @comma: the next member needs one before it
 * @err: why the first line that could not be written could not, -errno
 */
struct json {
	FILE *out;
	FILE *line;
	char *text;
	size_t len;
	unsigned int depth;
	bool comma;
	int err;
};

void json_open(struct json *j, const char *key);
void json_close(struct json *j);
void json_list(struct json *j, const char *key);
void json_list_end(struct json *j);
void json_u64(struct json *j, const char *key, uint64_t value);
void json_i64(struct json *j, const char *key, int64_t value);
void json_double(struct json *j, const char *key, double value);
void json_bool(struct json *j, const char *key, bool value);
void json_str(struct json *j, const char *key, const char *value);
void json_u64s(struct json *j, const char *key, const uint64_t *values, unsigned int n);

#endif
