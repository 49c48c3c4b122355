/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where received data goes. Every piece that a sink gets, it gives back. */
#ifndef SINK_H
#define SINK_H

#include "backend.h"
#include "writer.h"

struct sink_ops;

/**
 * struct sink - where data goes
 * @ops: which kind
 * @backend: whom the pieces go back to
 * @writer: of a file or standard output
 * @to_stdout: standard output: what has come is not kept back
 */
struct sink {
	const struct sink_ops *ops;
	struct zcrx_backend *backend;
	struct writer *writer;
	bool to_stdout;
};

/**
 * struct sink_ops - a kind of sink
 * @words: for people
 * @serial: takes one connection at a time
 * @data: takes pieces, at position @pos of their stream; @wrong is set to the
 *	position of the first byte that is not what it should be. 0 or -errno
 * @pending: bytes that @flush would write; NULL: none ever
 * @flush: writes what is kept back, and gives back what is held. 0 or -errno
 * @finish: makes what was received so far complete. 0 or -errno
 */
struct sink_ops {
	const char *words;
	bool serial;
	int (*data)(struct sink *s, uint64_t pos, const struct zcrx_piece *pieces, uint32_t n,
		    uint64_t *wrong);
	uint64_t (*pending)(const struct sink *s);
	int (*flush)(struct sink *s);
	int (*finish)(struct sink *s);
};

#define SINK_ALL_RIGHT	UINT64_MAX

extern const struct sink_ops sink_discard;
extern const struct sink_ops sink_verify;
extern const struct sink_ops sink_file;

int sink_open_file(struct sink *s, const char *path, bool buffered);
int sink_close(struct sink *s);

static inline uint64_t sink_pending(const struct sink *s)
{
	return s->ops->pending ? s->ops->pending(s) : 0;
}

static inline int sink_flush(struct sink *s)
{
	return s->ops->flush ? s->ops->flush(s) : 0;
}

static inline int sink_finish(struct sink *s)
{
	return s->ops->finish ? s->ops->finish(s) : 0;
}

#endif
