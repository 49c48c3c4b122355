// SPDX-License-Identifier: GPL-2.0-or-later
#include "sink.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "pattern.h"

/* Large enough for a disk, small enough that its pages are not missed */
#define BATCH_MAX	(1U << 20)
#define STAGE		(1U << 20)
/* Of a directory's files, there may be thousands of them */
#define SMALL_STAGE	(1U << 17)
#define SMALL_HOLD	256U
#define SMALL_DEPTH	2U

/* ---- nowhere, and a comparison -------------------------------------------- */

static int discard_data(struct sink *s, struct sink_stream *st, uint64_t pos,
			const struct zcrx_piece *pieces, uint32_t n, uint64_t *wrong)
{
	(void)st;
	(void)pos;
	(void)wrong;
	return zcrx_give_back(s->backend, pieces, n);
}

const struct sink_ops sink_discard = {
	.words = "discard",
	.data = discard_data,
};

static int verify_data(struct sink *s, struct sink_stream *st, uint64_t pos,
		       const struct zcrx_piece *pieces, uint32_t n, uint64_t *wrong)
{
	(void)st;
	for (uint32_t i = 0; i < n && *wrong == SINK_ALL_RIGHT; i++) {
		size_t right = pattern_check(pieces[i].data, pos, pieces[i].len);

		if (right != pieces[i].len)
			*wrong = pos + right;
		pos += pieces[i].len;
	}
	return zcrx_give_back(s->backend, pieces, n);
}

const struct sink_ops sink_verify = {
	.words = "verify",
	.data = verify_data,
};

/* ---- what files have in common -------------------------------------------- */

static int release(void *ctx, const struct zcrx_piece *pieces, uint32_t n)
{
	const struct sink *s = ctx;

	return zcrx_give_back(s->backend, pieces, n);
}

static struct uring *ring(void *ctx)
{
	const struct sink *s = ctx;

	return s->backend->ring;
}

static bool stopped(void *ctx)
{
	const struct sink *s = ctx;

	return s->stopped(s->owner);
}

/* A writer may keep back a part of the region only, or nothing could come meanwhile */
static uint64_t most_pending(const struct sink *s)
{
	return s->backend->region.size / 4;
}

static struct writer_config writer_config(struct sink *s, const char *path, uint32_t stage,
					  unsigned int depth)
{
	uint64_t most = most_pending(s) / depth;

	return (struct writer_config){
		.path = path,
		.buffered = s->buffered,
		.stage = stage,
		.batch = most < BATCH_MAX ? most : BATCH_MAX,
		/* a piece may be a byte and takes a page all the same */
		.hold = (uint32_t)(most / (uint64_t)sysconf(_SC_PAGESIZE)) + 1,
		.ring = ring,
		.depth = depth,
		.release = release,
		.stopped = stopped,
		.ctx = s,
	};
}

static void add_up(struct writer_stats *sum, const struct writer_stats *ws)
{
	bool first = !sum->block;

	sum->direct = ws->direct && (first || sum->direct);
	sum->plain = sum->plain ?: ws->plain;
	sum->block = ws->block > sum->block ? ws->block : sum->block;
	sum->align = ws->align > sum->align ? ws->align : sum->align;
	sum->written += ws->written;
	sum->from_pages += ws->from_pages;
	sum->copied += ws->copied;
	sum->writes += ws->writes;
}

/*
 * Ends a writer. A file that is not complete, or cannot be completed, keeps its
 * name NAME.part; one that has no such name never claimed anything.
 */
static int end_writer(struct sink *s, struct writer *w, struct target *t, bool complete,
		      bool replace)
{
	struct writer_stats ws;
	int err = writer_finish(w);

	ws = *writer_stats(w);
	if (err || !complete || !t->final)
		err = writer_close(w) ?: err;
	else
		err = writer_complete(w, t->final, replace);
	add_up(&s->written, &ws);
	s->incomplete += t->final && (err || !complete);
	return err;
}

/* ---- one file --------------------------------------------------------------- */

static int file_open(struct sink *s)
{
	struct writer_config cfg;
	int err = target_file(&s->target, s->path);

	if (err)
		return err;
	s->to_stdout = !strcmp(s->path, "-");
	cfg = writer_config(s, s->target.part, STAGE, WRITER_DEPTH_MAX);
	cfg.no_link = s->target.final;
	err = writer_open(&s->writer, &cfg);
	if (err)
		target_free(&s->target);
	s->files = !err;
	return err;
}

static int file_data(struct sink *s, struct sink_stream *st, uint64_t pos,
		     const struct zcrx_piece *pieces, uint32_t n, uint64_t *wrong)
{
	(void)st;
	(void)pos;
	(void)wrong;
	return writer_append(s->writer, pieces, n);
}

static uint64_t file_pending(const struct sink *s)
{
	return writer_pending(s->writer);
}

static int file_flush(struct sink *s)
{
	return writer_flush(s->writer);
}

static int file_end(struct sink *s, struct sink_stream *st, bool complete)
{
	(void)st;
	(void)complete;
	return writer_finish(s->writer);
}

static int file_close(struct sink *s, bool complete)
{
	int err = end_writer(s, s->writer, &s->target, complete, true);

	s->writer = NULL;
	return err;
}

const struct sink_ops sink_file = {
	.words = "file",
	.serial = true,
	.open = file_open,
	.data = file_data,
	.pending = file_pending,
	.flush = file_flush,
	.end = file_end,
	.close = file_close,
};

/* ---- a file a connection ------------------------------------------------------ */

static int directory_open(struct sink *s)
{
	target_stamp(s->stamp);
	s->limit = most_pending(s);
	return target_check_directory(s->path);
}

static int directory_start(struct sink *s, struct sink_stream *st)
{
	struct writer_config cfg;
	int err = target_in_directory(&st->target, s->path, s->stamp, st->id);

	if (err)
		return err;
	cfg = writer_config(s, st->target.part, SMALL_STAGE, SMALL_DEPTH);
	cfg.exclusive = true;
	if (cfg.hold > SMALL_HOLD)
		cfg.hold = SMALL_HOLD;
	err = writer_open(&st->writer, &cfg);
	if (err) {
		target_free(&st->target);
		return err;
	}
	st->link = &s->streams;
	st->next = s->streams;
	if (st->next)
		st->next->link = &st->next;
	s->streams = st;
	s->files++;
	return 0;
}

/* Takes what a writer keeps back now into the sum */
static void recount(struct sink *s, struct sink_stream *st)
{
	uint64_t now = st->writer ? writer_pending(st->writer) : 0;

	s->pending += now - st->pending;
	st->pending = now;
}

static int directory_flush(struct sink *s)
{
	int err = 0;

	/* who keeps nothing back holds nothing */
	for (struct sink_stream *st = s->streams; st && s->pending; st = st->next) {
		if (!st->pending)
			continue;
		err = writer_flush(st->writer) ?: err;
		recount(s, st);
	}
	return err;
}

static int directory_data(struct sink *s, struct sink_stream *st, uint64_t pos,
			  const struct zcrx_piece *pieces, uint32_t n, uint64_t *wrong)
{
	int err = writer_append(st->writer, pieces, n);

	(void)pos;
	(void)wrong;
	recount(s, st);
	return err || s->pending <= s->limit ? err : directory_flush(s);
}

static uint64_t directory_pending(const struct sink *s)
{
	return s->pending;
}

static int directory_end(struct sink *s, struct sink_stream *st, bool complete)
{
	int err;

	if (!st->writer)
		return 0;
	err = end_writer(s, st->writer, &st->target, complete, false);
	st->writer = NULL;
	recount(s, st);
	*st->link = st->next;
	if (st->next)
		st->next->link = st->link;
	return err;
}

const struct sink_ops sink_directory = {
	.words = "directory",
	.fds = 2,
	.open = directory_open,
	.start = directory_start,
	.data = directory_data,
	.pending = directory_pending,
	.flush = directory_flush,
	.end = directory_end,
};

/* ---- about all ------------------------------------------------------------------ */

/**
 * sink_beside() - a sink for another backend, of the kind and with the names of a first one
 * @s: the sink
 * @first: the first, open, and not serial
 * @backend: whom the pieces go back to
 */
void sink_beside(struct sink *s, const struct sink *first, struct zcrx_backend *backend)
{
	*s = (struct sink){
		.ops = first->ops,
		.backend = backend,
		.path = first->path,
		.buffered = first->buffered,
		.stopped = first->stopped,
		.owner = first->owner,
		.limit = first->limit,
	};
	memcpy(s->stamp, first->stamp, sizeof(s->stamp));
}

/**
 * sink_add() - take what a sink has done into the sum of another one
 * @sum: that one
 * @s: the sink, without open streams
 */
void sink_add(struct sink *sum, const struct sink *s)
{
	sum->files += s->files;
	sum->incomplete += s->incomplete;
	if (s->written.block)
		add_up(&sum->written, &s->written);
}

/**
 * sink_written() - what was written to files
 * @s: the sink
 *
 * Return: sums, without directory files that are open; NULL when there never was a file.
 */
const struct writer_stats *sink_written(const struct sink *s)
{
	if (s->writer)
		return writer_stats(s->writer);
	return s->written.block ? &s->written : NULL;
}

/**
 * sink_name() - where a connection's data is
 * @s: the sink
 * @st: the connection
 * @complete: it is all of it
 *
 * Return: the file's name, NULL when it has no file of its own.
 */
const char *sink_name(const struct sink *s, const struct sink_stream *st, bool complete)
{
	const struct target *t = st->target.part ? &st->target : &s->target;

	return complete && t->final ? t->final : t->part;
}
