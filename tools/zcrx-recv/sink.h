/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where received data goes. Every piece that a sink gets, it gives back. */
#ifndef SINK_H
#define SINK_H

#include "backend.h"
#include "target.h"
#include "writer.h"

struct sink_ops;

/**
 * struct sink_stream - what a sink keeps of a connection
 * @id: number of the connection
 * @target: names of its file, if it has one of its own
 * @writer: of that file
 * @pending: bytes that the writer keeps back
 * @next: next in the list of all that have a file
 * @link: what points to this one
 */
struct sink_stream {
	uint64_t id;
	struct target target;
	struct writer *writer;
	uint64_t pending;
	struct sink_stream *next;
	struct sink_stream **link;
};

/**
 * struct sink - where data goes
 * @ops: which kind
 * @backend: whom the pieces go back to; a serial sink may serve several by turns
 * @path: file or directory
 * @buffered: without O_DIRECT
 * @stopped: whether a write that has to wait is to be given up; any thread asks
 * @owner: its argument
 * @to_stdout: standard output: what has come is not kept back
 * @target: names of the one file
 * @writer: of the one file or standard output
 * @stamp: in the names of a directory's files
 * @streams: those that have a file of their own
 * @pending: bytes that their writers keep back
 * @limit: so many at most
 * @files: files made
 * @incomplete: of these, not complete
 * @written: what was written, all files together; without the one file while it is open
 */
struct sink {
	const struct sink_ops *ops;
	struct zcrx_backend *backend;
	const char *path;
	bool buffered;
	bool (*stopped)(const void *owner);
	const void *owner;
	bool to_stdout;
	struct target target;
	struct writer *writer;
	char stamp[TARGET_STAMP];
	struct sink_stream *streams;
	uint64_t pending;
	uint64_t limit;
	uint64_t files;
	uint64_t incomplete;
	struct writer_stats written;
};

/**
 * struct sink_ops - a kind of sink
 * @words: for people
 * @serial: takes one connection at a time
 * @fds: descriptors that each connection takes
 * @open: makes it ready; 0 or -errno. NULL: nothing to do
 * @start: a connection begins; 0 or -errno. NULL: nothing to do
 * @data: takes pieces, at position @pos of their stream; @wrong is set to the
 *	position of the first byte that is not what it should be. 0 or -errno
 * @pending: bytes that @flush would write; NULL: none ever
 * @flush: writes what is kept back, and gives back what is held. 0 or -errno
 * @end: a connection is over, @complete when its peer ended it in order: makes what was
 *	received complete. 0 or -errno
 * @close: nothing more comes, @complete when nothing is missing. 0 or -errno when what
 *	was written is not complete though it should be
 */
struct sink_ops {
	const char *words;
	bool serial;
	unsigned int fds;
	int (*open)(struct sink *s);
	int (*start)(struct sink *s, struct sink_stream *st);
	int (*data)(struct sink *s, struct sink_stream *st, uint64_t pos,
		    const struct zcrx_piece *pieces, uint32_t n, uint64_t *wrong);
	uint64_t (*pending)(const struct sink *s);
	int (*flush)(struct sink *s);
	int (*end)(struct sink *s, struct sink_stream *st, bool complete);
	int (*close)(struct sink *s, bool complete);
};

#define SINK_ALL_RIGHT	UINT64_MAX

extern const struct sink_ops sink_discard;
extern const struct sink_ops sink_verify;
extern const struct sink_ops sink_file;
extern const struct sink_ops sink_directory;

void sink_beside(struct sink *s, const struct sink *first, struct zcrx_backend *backend);
void sink_add(struct sink *sum, const struct sink *s);
const struct writer_stats *sink_written(const struct sink *s);
const char *sink_name(const struct sink *s, const struct sink_stream *st, bool complete);

static inline int sink_open(struct sink *s)
{
	return s->ops->open ? s->ops->open(s) : 0;
}

/* @backend: that the stream's pieces come from, and go back to */
static inline int sink_start(struct sink *s, struct sink_stream *st, struct zcrx_backend *backend)
{
	s->backend = backend;
	return s->ops->start ? s->ops->start(s, st) : 0;
}

static inline uint64_t sink_pending(const struct sink *s)
{
	return s->ops->pending ? s->ops->pending(s) : 0;
}

static inline int sink_flush(struct sink *s)
{
	return s->ops->flush ? s->ops->flush(s) : 0;
}

static inline int sink_end(struct sink *s, struct sink_stream *st, bool complete)
{
	return s->ops->end ? s->ops->end(s, st, complete) : 0;
}

static inline int sink_close(struct sink *s, bool complete)
{
	return s->ops->close ? s->ops->close(s, complete) : 0;
}

#endif
