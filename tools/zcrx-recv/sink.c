// SPDX-License-Identifier: GPL-2.0-or-later
#include "sink.h"

#include <string.h>
#include <unistd.h>

#include "pattern.h"
#include "stop.h"

/* Large enough for a disk, small enough that its pages are not missed */
#define BATCH_MAX	(1U << 20)

static int discard_data(struct sink *s, uint64_t pos, const struct zcrx_piece *pieces,
			uint32_t n, uint64_t *wrong)
{
	(void)pos;
	(void)wrong;
	return zcrx_give_back(s->backend, pieces, n);
}

const struct sink_ops sink_discard = {
	.words = "discard",
	.data = discard_data,
};

static int verify_data(struct sink *s, uint64_t pos, const struct zcrx_piece *pieces,
		       uint32_t n, uint64_t *wrong)
{
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

static int file_data(struct sink *s, uint64_t pos, const struct zcrx_piece *pieces,
		     uint32_t n, uint64_t *wrong)
{
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

static int file_finish(struct sink *s)
{
	return writer_finish(s->writer);
}

const struct sink_ops sink_file = {
	.words = "file",
	.serial = true,
	.data = file_data,
	.pending = file_pending,
	.flush = file_flush,
	.finish = file_finish,
};

static int release(void *ctx, const struct zcrx_piece *pieces, uint32_t n)
{
	return zcrx_give_back(ctx, pieces, n);
}

static bool stopped(void *ctx)
{
	(void)ctx;
	return stop_wanted();
}

/**
 * sink_open_file() - make a sink that writes a file
 * @s: the sink; its backend is set
 * @path: file, "-" for standard output
 * @buffered: without O_DIRECT
 *
 * Return: 0, -errno.
 */
int sink_open_file(struct sink *s, const char *path, bool buffered)
{
	uint64_t quarter = s->backend->region.size / 4;
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct writer_config cfg = {
		.path = path,
		.buffered = buffered,
		.batch = quarter < BATCH_MAX ? quarter : BATCH_MAX,
		/* a piece may be a byte and takes a page all the same */
		.hold = (uint32_t)(quarter / page) + 1,
		.release = release,
		.stopped = stopped,
		.ctx = s->backend,
	};

	s->ops = &sink_file;
	s->to_stdout = !strcmp(path, "-");
	return writer_open(&s->writer, &cfg);
}

/**
 * sink_close() - complete and close what is open
 * @s: the sink
 *
 * Return: 0, -errno when what was written is not complete.
 */
int sink_close(struct sink *s)
{
	int err = s->writer ? writer_close(s->writer) : 0;

	s->writer = NULL;
	return err;
}
