/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes received pieces to a file, past the page cache where the file system
 * can (O_DIRECT) and straight from where they were received; only bytes that
 * do not fall on the file's blocks are copied together first. Direct writes are
 * queued in the ring that receives, if there is one. Pieces are given back when
 * what refers to them has been written.
 */
#ifndef WRITER_H
#define WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "backend.h"

struct uring;
struct writer;

/* Of a disk one write is worked at, some wait for it, and one is collected */
#define WRITER_DEPTH_MAX	4U

/* The largest alignment that we know how to serve: a huge sector is far less */
#define WRITER_ALIGN_MAX	65536U

/**
 * struct writer_config - how to write
 * @path: file to create or truncate, "-" for standard output
 * @exclusive: the file must not be there yet
 * @no_link: the path is no symbolic link, or is refused: it is a name that we made up
 * @buffered: do not even try O_DIRECT
 * @stage: bytes of memory for what has to be copied together, a multiple of
 *	WRITER_ALIGN_MAX
 * @batch: bytes to collect for one write
 * @hold: most pieces to hold for one write; more are written at once
 * @ring: where direct writes are queued: that of the caller's thread, which has to be the same until
 *	writer_finish(); NULL, or to return NULL: none is
 * @depth: so many writes at a time, the one that is collected among them; 1 to WRITER_DEPTH_MAX
 * @release: gives pieces back; 0 or -errno
 * @stopped: asked when a write was interrupted, and while a reader does not read: true gives up,
 *	the reader after a second
 * @ctx: first argument of these
 */
struct writer_config {
	const char *path;
	bool exclusive;
	bool no_link;
	bool buffered;
	uint32_t stage;
	uint64_t batch;
	uint32_t hold;
	struct uring *(*ring)(void *ctx);
	unsigned int depth;
	int (*release)(void *ctx, const struct zcrx_piece *pieces, uint32_t n);
	bool (*stopped)(void *ctx);
	void *ctx;
};

/**
 * struct writer_stats - what was written
 * @direct: O_DIRECT is in use
 * @block: least unit of a write, bytes: 1 without O_DIRECT
 * @align: alignment that memory must have, bytes: 1 without O_DIRECT
 * @written: bytes written
 * @from_pages: of these, straight from where they were received
 * @copied: of these, copied together first
 * @writes: system calls, or requests
 * @plain: why not O_DIRECT, in words; NULL when it is in use
 */
struct writer_stats {
	bool direct;
	uint32_t block;
	uint32_t align;
	uint64_t written;
	uint64_t from_pages;
	uint64_t copied;
	uint64_t writes;
	const char *plain;
};

int writer_open(struct writer **out, const struct writer_config *cfg);
int writer_append(struct writer *w, const struct zcrx_piece *pieces, uint32_t n);
int writer_flush(struct writer *w);
int writer_finish(struct writer *w);
uint64_t writer_pending(const struct writer *w);
const struct writer_stats *writer_stats(const struct writer *w);
int writer_close(struct writer *w);
int writer_complete(struct writer *w, const char *name, bool replace);

#endif
