/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the data to send comes from. */
#ifndef SOURCE_H
#define SOURCE_H

#include <stddef.h>
#include <stdint.h>

enum source_kind {
	SOURCE_STDIN,
	SOURCE_FILE,
	SOURCE_PATTERN,
};

/**
 * struct source - a stream of bytes, of one connection
 * @kind: what it is
 * @fd: file or standard input
 * @size: bytes that it has, 0 when that is not known
 * @pos: bytes taken so far
 */
struct source {
	enum source_kind kind;
	int fd;
	uint64_t size;
	uint64_t pos;
};

int source_open(struct source *s, enum source_kind kind, const char *path);
int64_t source_read(struct source *s, void *buf, size_t len);
void source_close(struct source *s);

#endif
