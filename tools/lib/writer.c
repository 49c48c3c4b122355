// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The file is a sequence of blocks (statx(2): stx_dio_offset_align). A batch is
 * a list of memory ranges whose lengths are whole blocks: ranges of received
 * pieces, and ranges of a stage, in which bytes are copied together that do not
 * fill a block by themselves or lie at an address that the device cannot read
 * (stx_dio_mem_align). Whole blocks a range, and not only in total, since
 * kernels before 6.18 want that. The last range may be an open block of the
 * stage; it stays behind when the batch is written.
 *
 * Without O_DIRECT a block is one byte, and the same code copies nothing.
 */
#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "uring.h"

/* A reader who does not read is waited for; whether it is time to stop is asked so often */
#define ASK_MS		50
/* and then he has this left to go on reading */
#define PATIENCE_MS	1000

/**
 * struct batch - what one write writes
 * @op: the write, if it is queued
 * @ring: where
 * @writer: whose
 * @at: position in the file, a multiple of the block
 * @bytes: bytes of the ranges, open block included
 * @iov: ranges
 * @niov: how many
 * @stage: memory for what has to be copied
 * @used: bytes of @stage in use
 * @held: pieces that ranges refer to
 * @nheld: how many
 * @rest: ranges that the queued write has not written, and that nobody has tried again yet; else NULL
 */
struct batch {
	struct uring_op op;
	struct uring *ring;
	struct writer *writer;
	uint64_t at;
	uint64_t bytes;
	struct iovec iov[IOV_MAX];
	uint32_t niov;
	uint8_t *stage;
	uint32_t used;
	struct zcrx_piece *held;
	uint32_t nheld;
	struct iovec *rest;
};

/**
 * struct writer - the writer
 * @cfg: as asked for
 * @fd: where batches go, one of the others
 * @direct_fd: the file with O_DIRECT, or -1
 * @plain_fd: the same file without O_DIRECT, for the end that fills no block
 * @seekable: positions are ours to choose
 * @pipe: a pipe, and writes to it can do without waiting
 * @batches: those that are queued, oldest first behind the current one, round and round;
 *	NULL where none was needed so far
 * @current: the one that is collected
 * @err: why the first write that failed did, -errno
 * @tail_done: bytes of the open block that writer_finish() has written already
 * @stats: what happened
 */
struct writer {
	struct writer_config cfg;
	int fd;
	int direct_fd;
	int plain_fd;
	bool seekable;
	bool pipe;
	struct batch *batches[WRITER_DEPTH_MAX];
	unsigned int current;
	int err;
	uint32_t tail_done;
	struct writer_stats stats;
};

static struct batch *current(const struct writer *w)
{
	return w->batches[w->current];
}

/* Is the file that is open still the one of that name? */
static bool has_name(const char *path, const struct stat *open)
{
	struct stat named;

	return !stat(path, &named) && named.st_dev == open->st_dev &&
	       named.st_ino == open->st_ino;
}

/*
 * Two writers of one file would make one that is neither's. The lock keeps the
 * second away, and the file is emptied only under it: without, the other could have
 * completed and renamed it in between. A file system without locks goes without.
 */
static int lock_and_empty(int fd, const char *path)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return 0;
	if (flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
		return -EWOULDBLOCK;
	if (!has_name(path, &st))
		return -ESTALE;
	return ftruncate(fd, 0) ? -errno : 0;
}

static int open_locked(const struct writer_config *cfg)
{
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (cfg->exclusive ? O_EXCL : 0) |
		    (cfg->no_link ? O_NOFOLLOW : 0);
	int fd, err;

	do {
		fd = open(cfg->path, flags, 0666);
		if (fd < 0)
			return -errno;
		err = lock_and_empty(fd, cfg->path);
		if (err)
			close(fd);
	} while (err == -ESTALE);
	return err ? err : fd;
}

static int open_plain(struct writer *w)
{
	bool to_stdout = !strcmp(w->cfg.path, "-");
	struct stat st;
	int fd;

	fd = to_stdout ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0) : open_locked(&w->cfg);
	if (fd < 0)
		return to_stdout ? -errno : fd;
	w->plain_fd = fd;
	if (fstat(fd, &st))
		return -errno;
	/* standard output may be a file that somebody else is in the middle of */
	w->seekable = !to_stdout && (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode));
	w->pipe = S_ISFIFO(st.st_mode);
	w->fd = w->plain_fd;
	w->stats.block = 1;
	w->stats.align = 1;
	return 0;
}

static bool usable_alignment(uint32_t align)
{
	return align && align <= WRITER_ALIGN_MAX && !(align & (align - 1));
}

/* The file that is open, whatever its name is now */
static int open_again(const struct writer *w, int flags)
{
	struct stat st, again;
	int fd = open(w->cfg.path, O_WRONLY | O_CLOEXEC | flags | (w->cfg.no_link ? O_NOFOLLOW : 0));

	if (fd < 0)
		return -errno;
	if (!fstat(w->plain_fd, &st) && !fstat(fd, &again) && st.st_dev == again.st_dev &&
	    st.st_ino == again.st_ino)
		return fd;
	close(fd);
	return -ESTALE;
}

/*
 * Not having O_DIRECT is no error: the file gets the same bytes without it.
 * Return: why not, NULL when it is there.
 */
static const char *open_direct(struct writer *w)
{
	struct statx stx;
	int fd;

	if (w->cfg.buffered)
		return "as asked";
	if (!w->seekable)
		return "it is no file on a disk";
	if (statx(w->plain_fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &stx) ||
	    !(stx.stx_mask & STATX_DIOALIGN))
		return "its file system names no alignment for O_DIRECT";
	if (!usable_alignment(stx.stx_dio_mem_align) ||
	    !usable_alignment(stx.stx_dio_offset_align))
		return "its file system has no O_DIRECT";
	fd = open_again(w, O_DIRECT);
	if (fd < 0)
		return "its file system refused O_DIRECT";
	w->direct_fd = fd;
	w->fd = fd;
	w->stats.direct = true;
	w->stats.block = stx.stx_dio_offset_align;
	w->stats.align = stx.stx_dio_mem_align;
	return NULL;
}

static void batch_free(struct batch *b)
{
	if (!b)
		return;
	free(b->held);
	free(b->stage);
	free(b);
}

static struct batch *batch_new(struct writer *w)
{
	struct batch *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->writer = w;
	b->held = calloc(w->cfg.hold, sizeof(*b->held));
	b->stage = aligned_alloc(WRITER_ALIGN_MAX, w->cfg.stage);
	if (b->held && b->stage)
		return b;
	batch_free(b);
	return NULL;
}

static void writer_free(struct writer *w)
{
	if (w->direct_fd >= 0)
		close(w->direct_fd);
	if (w->plain_fd >= 0)
		close(w->plain_fd);
	for (unsigned int i = 0; i < WRITER_DEPTH_MAX; i++)
		batch_free(w->batches[i]);
	free(w);
}

/**
 * writer_open() - create the file
 * @out: the writer
 * @cfg: copied; the path must live as long as the writer
 *
 * Return: 0, -errno.
 */
int writer_open(struct writer **out, const struct writer_config *cfg)
{
	struct writer *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return -ENOMEM;
	w->cfg = *cfg;
	w->fd = -1;
	w->direct_fd = -1;
	w->plain_fd = -1;
	w->batches[0] = batch_new(w);
	err = w->batches[0] ? open_plain(w) : -ENOMEM;
	if (err) {
		writer_free(w);
		return err;
	}
	w->stats.plain = open_direct(w);
	*out = w;
	return 0;
}

/* Drops the first @done bytes from the list of ranges */
static void iov_advance(struct iovec **iov, uint32_t *n, size_t done)
{
	while (*n && done >= (*iov)->iov_len) {
		done -= (*iov)->iov_len;
		(*iov)++;
		(*n)--;
	}
	if (!*n)
		return;
	(*iov)->iov_base = (uint8_t *)(*iov)->iov_base + done;
	(*iov)->iov_len -= done;
}

/*
 * The file system promised O_DIRECT and then refused a write: some refuse only
 * when data has to be read back, stacked ones when the lower one does.
 */
static bool fall_back(struct writer *w, int err)
{
	if (err != EINVAL || !w->stats.direct)
		return false;
	/* it stays open: writes may be queued that name it */
	w->fd = w->plain_fd;
	w->stats.direct = false;
	w->stats.plain = "a direct write was refused";
	return true;
}

/* Return: whether there is room; else errno says why not, EINTR when it is time to stop. */
static bool wait_writable(const struct writer *w)
{
	struct pollfd p = { .fd = w->fd, .events = POLLOUT };
	int patience = PATIENCE_MS;

	while (patience > 0) {
		int ret = poll(&p, 1, ASK_MS);

		if (ret > 0)
			return true;
		if (ret && errno != EINTR)
			return false;
		if (w->cfg.stopped(w->cfg.ctx))
			patience -= ASK_MS;
	}
	errno = EINTR;
	return false;
}

/*
 * To somebody who may not read. A signal that has come already would not end a write that waits,
 * nor does a time that is over: only as much is written as there is room for. Pipes before
 * Linux 6.4, and what is no pipe, write all or wait; a signal that comes then does end it.
 */
static ssize_t write_on(struct writer *w, const struct iovec *iov, uint32_t n)
{
	ssize_t ret;

	if (!wait_writable(w))
		return -1;
	if (w->pipe) {
		ret = pwritev2(w->fd, iov, (int)n, -1, RWF_NOWAIT);
		if (ret >= 0 || errno != EOPNOTSUPP)
			return ret;
		w->pipe = false;
	}
	if (!w->cfg.stopped(w->cfg.ctx))
		return writev(w->fd, iov, (int)n);
	/* for so much there is room in a pipe that can be written to */
	return write(w->fd, iov->iov_base, iov->iov_len < PIPE_BUF ? iov->iov_len : PIPE_BUF);
}

static int write_ranges(struct writer *w, struct iovec *iov, uint32_t n, uint64_t at)
{
	while (n) {
		ssize_t ret = w->seekable ? pwritev(w->fd, iov, (int)n, (off_t)at) :
					    write_on(w, iov, n);
		size_t done;

		w->stats.writes++;
		if (ret < 0 && errno == EINTR && !w->cfg.stopped(w->cfg.ctx))
			continue;
		if (ret < 0 && fall_back(w, errno))
			continue;
		/* another one has filled the pipe */
		if (ret < 0 && errno == EAGAIN && !w->seekable)
			continue;
		if (ret <= 0)
			return ret ? -errno : -ENOSPC;
		/* a direct write must go on at a block; the cut one is written again */
		done = (size_t)ret - (w->stats.direct ? (size_t)ret % w->stats.block : 0);
		if (!done)
			return -ENOSPC;
		at += done;
		w->stats.written += done;
		iov_advance(&iov, &n, done);
	}
	return 0;
}

static int release_held(struct batch *b)
{
	const struct writer_config *cfg = &b->writer->cfg;
	uint32_t n = b->nheld;

	b->nheld = 0;
	return n ? cfg->release(cfg->ctx, b->held, n) : 0;
}

/* Bytes of the open block at the end of the batch, all of them in the stage */
static uint32_t open_bytes(const struct writer *w)
{
	return (uint32_t)(current(w)->bytes % w->stats.block);
}

/* What is missing stays missing: the first error is every later call's */
static void fail(struct writer *w, int err)
{
	w->err = w->err ?: err;
}

static bool any_under_way(const struct writer *w)
{
	for (unsigned int i = 0; i < w->cfg.depth; i++)
		if (w->batches[i] && w->batches[i]->op.under_way)
			return true;
	return false;
}

static bool any_rest(const struct writer *w)
{
	for (unsigned int i = 0; i < w->cfg.depth; i++)
		if (w->batches[i] && w->batches[i]->rest)
			return true;
	return false;
}

/*
 * What queued writes did not write, for whatever reason, is tried once more by write_ranges(),
 * which knows all the reasons. Not beside another write: this one may go through the page cache,
 * and take a page there of which the other one, past the cache, has not written its part yet.
 */
static void write_rests(struct writer *w)
{
	if (any_under_way(w))
		return;
	for (unsigned int i = 0; i < w->cfg.depth; i++) {
		struct batch *b = w->batches[i];

		if (!b || !b->rest)
			continue;
		fail(w, write_ranges(w, b->rest, b->niov, b->at));
		b->rest = NULL;
		fail(w, release_held(b));
	}
}

/* A queued write has ended. The last of those that are under way writes what is left of all */
static void written(struct uring_op *op, int res)
{
	struct batch *b = (struct batch *)op;
	struct writer *w = b->writer;
	struct iovec *rest = b->iov;
	size_t done = res > 0 ? (size_t)res : 0;

	done -= w->stats.direct ? done % w->stats.block : 0;
	w->stats.writes++;
	w->stats.written += done;
	b->at += done;
	iov_advance(&rest, &b->niov, done);
	if (b->niov)
		b->rest = rest;
	else
		fail(w, release_held(b));
	write_rests(w);
}

static void wait_all(const struct writer *w)
{
	for (unsigned int i = 0; i < w->cfg.depth; i++)
		if (w->batches[i] && w->batches[i]->op.under_way)
			uring_wait_op(w->batches[i]->ring, &w->batches[i]->op);
}

/* Return: whether it is queued */
static bool queue(struct writer *w, struct batch *b)
{
	bool can = w->cfg.ring && w->cfg.depth > 1 && w->stats.direct;
	struct io_uring_sqe *sqe;

	b->ring = can ? w->cfg.ring(w->cfg.ctx) : NULL;
	sqe = b->ring ? uring_sqe(b->ring) : NULL;
	if (!sqe)
		return false;
	b->op.done = written;
	io_uring_prep_writev(sqe, w->fd, b->iov, b->niov, b->at);
	uring_start_op(b->ring, sqe, &b->op);
	return true;
}

/* One to go on with: the next, which was queued before all others. Or the same, if memory is short */
static struct batch *next_batch(struct writer *w)
{
	unsigned int i = (w->current + 1) % w->cfg.depth;

	if (!w->batches[i])
		w->batches[i] = batch_new(w);
	if (w->batches[i])
		w->current = i;
	if (current(w)->op.under_way)
		uring_wait_op(current(w)->ring, &current(w)->op);
	if (current(w)->rest)
		wait_all(w);
	return current(w);
}

/* Takes the open block from the end of the batch: where it is */
static const uint8_t *cut_open(struct batch *b, uint32_t open)
{
	struct iovec *last;

	if (!open)
		return b->stage;
	last = &b->iov[b->niov - 1];
	last->iov_len -= open;
	b->niov -= !last->iov_len;
	return (const uint8_t *)last->iov_base + last->iov_len;
}

/**
 * writer_flush() - write all whole blocks, or queue them to be written
 * @w: the writer
 *
 * All pieces are given back, at once or when they are written.
 *
 * Return: 0, -errno, also of an earlier write; -EINTR when it was to stop.
 */
int writer_flush(struct writer *w)
{
	struct batch *b = current(w), *next = b;
	uint32_t open = open_bytes(w);
	const uint8_t *tail = cut_open(b, open);
	uint64_t at = b->at + b->bytes - open;

	if (b->niov) {
		/* the block whose beginning writer_finish() wrote is written as a whole */
		w->stats.written -= w->tail_done;
		w->tail_done = 0;
		if (!w->err && !any_rest(w) && queue(w, b)) {
			next = next_batch(w);
		} else {
			wait_all(w);
			fail(w, write_ranges(w, b->iov, b->niov, b->at));
		}
	}
	/* on an error too: nobody will write these any more */
	if (!b->op.under_way && !b->rest)
		fail(w, release_held(b));
	memmove(next->stage, tail, open);
	next->at = at;
	next->bytes = open;
	next->used = open;
	next->niov = !!open;
	next->iov[0] = (struct iovec){ next->stage, open };
	return w->err;
}

static int room_for_range(struct writer *w)
{
	return current(w)->niov == IOV_MAX ? writer_flush(w) : 0;
}

static bool extends_last(const struct writer *w, const uint8_t *from)
{
	const struct batch *b = current(w);
	const struct iovec *last = b->iov + b->niov;

	if (!b->niov)
		return false;
	last--;
	return (const uint8_t *)last->iov_base + last->iov_len == from;
}

static int add_range(struct writer *w, uint8_t *from, uint32_t len)
{
	struct batch *b;

	if (!extends_last(w, from)) {
		int err = room_for_range(w);

		if (err)
			return err;
		b = current(w);
		b->iov[b->niov++] = (struct iovec){ from, 0 };
	}
	b = current(w);
	b->iov[b->niov - 1].iov_len += len;
	b->bytes += len;
	return 0;
}

static uint32_t align_up(const struct writer *w, uint32_t used)
{
	return (used + w->stats.align - 1) & ~(w->stats.align - 1);
}

/* Copies into the stage as much as fits, at least a byte */
static int stage(struct writer *w, const uint8_t *data, uint32_t len, uint32_t *taken)
{
	struct batch *b = current(w);
	uint32_t room;
	int err;

	if (b->used == w->cfg.stage) {
		err = writer_flush(w);
		if (err)
			return err;
		b = current(w);
	}
	if (!extends_last(w, b->stage + b->used)) {
		/*
		 * A range of its own starts a block. Memory must be aligned for it,
		 * and writing out moves the stage's end: room for the range first.
		 */
		err = room_for_range(w);
		if (err)
			return err;
		b = current(w);
		b->used = align_up(w, b->used);
		if (b->used >= w->cfg.stage) {
			err = writer_flush(w);
			if (err)
				return err;
			b = current(w);
		}
	}
	room = w->cfg.stage - b->used;
	*taken = len < room ? len : room;
	memcpy(b->stage + b->used, data, *taken);
	err = add_range(w, b->stage + b->used, *taken);
	b->used += *taken;
	w->stats.copied += *taken;
	return err;
}

static bool can_be_direct(const struct writer *w, const uint8_t *data, uint32_t len)
{
	return (uintptr_t)data % w->stats.align == 0 && len >= w->stats.block;
}

/* How much of the piece has to be copied before the rest can be written from its page */
static uint32_t ragged(const struct writer *w, const uint8_t *data, uint32_t len)
{
	uint32_t open = open_bytes(w);
	uint32_t to_block = open ? w->stats.block - open : 0;

	if (to_block < len && can_be_direct(w, data + to_block, len - to_block))
		return to_block;
	return len;
}

/*
 * A piece of which a range is in a batch is given back when that is written, and the NIC may use
 * its page again. The rest, which has to be copied, must find room in the same batch, or making
 * room would write the one before the other is copied.
 */
static int room_for_rest(struct writer *w, uint32_t rest)
{
	const struct batch *b = current(w);

	if (!rest || (b->niov + 2 <= IOV_MAX && align_up(w, b->used) + rest <= w->cfg.stage))
		return 0;
	return writer_flush(w);
}

static void hold(struct writer *w, const struct zcrx_piece *piece)
{
	struct batch *b = current(w);

	b->held[b->nheld++] = *piece;
}

/* Whole blocks from the piece's page; @rest follows them, to be copied */
static int add_piece(struct writer *w, const struct zcrx_piece *piece, uint8_t *data, uint32_t len,
		     uint32_t rest)
{
	int err = room_for_rest(w, rest) ?: add_range(w, data, len);

	if (err)
		return err;
	hold(w, piece);
	w->stats.from_pages += len;
	return 0;
}

static int append_piece(struct writer *w, const struct zcrx_piece *piece, bool *referred)
{
	uint8_t *data = piece->data;
	uint32_t len = piece->len;
	uint32_t n = 0;
	int err;

	while (len) {
		uint32_t copy = ragged(w, data, len);

		if (copy) {
			err = stage(w, data, copy, &n);
		} else {
			n = len - len % w->stats.block;
			err = add_piece(w, piece, data, n, len - n);
			*referred |= !err;
		}
		if (err)
			return err;
		data += n;
		len -= n;
	}
	return 0;
}

/**
 * writer_append() - add pieces to the end of the file
 * @w: the writer
 * @pieces: the pieces; the writer gives them back, also after an error
 * @n: how many
 *
 * Return: 0, -errno.
 */
int writer_append(struct writer *w, const struct zcrx_piece *pieces, uint32_t n)
{
	int err = 0;

	for (uint32_t i = 0; i < n; i++) {
		bool referred = false;

		if (!err && (current(w)->nheld == w->cfg.hold || current(w)->bytes >= w->cfg.batch))
			err = writer_flush(w);
		if (!err)
			err = append_piece(w, &pieces[i], &referred);
		if (!referred)
			err = w->cfg.release(w->cfg.ctx, &pieces[i], 1) ?: err;
	}
	return err;
}

/**
 * writer_pending() - what writer_flush() would write
 * @w: the writer
 *
 * Return: bytes.
 */
uint64_t writer_pending(const struct writer *w)
{
	return current(w)->bytes - open_bytes(w);
}

/**
 * writer_finish() - make the file complete up to here
 * @w: the writer
 *
 * Writes the open block too, through the page cache. It stays open: more can be
 * appended, and then it is written again as a whole.
 *
 * Return: 0, -errno.
 */
int writer_finish(struct writer *w)
{
	const struct batch *b;
	uint32_t open;
	int err;

	writer_flush(w);
	b = current(w);
	open = open_bytes(w);

	wait_all(w);
	err = w->err;
	while (!err && w->tail_done < open) {
		ssize_t ret = pwrite(w->plain_fd, b->stage + w->tail_done, open - w->tail_done,
				     (off_t)(b->at + w->tail_done));

		w->stats.writes++;
		if (ret > 0) {
			w->tail_done += (uint32_t)ret;
			w->stats.written += (uint32_t)ret;
		} else if (!ret) {
			err = -ENOSPC;
		} else if (errno != EINTR || w->cfg.stopped(w->cfg.ctx)) {
			err = -errno;
		}
	}
	fail(w, err);
	return err;
}

/**
 * writer_stats() - what was written so far
 * @w: the writer
 *
 * Return: valid until writer_close().
 */
const struct writer_stats *writer_stats(const struct writer *w)
{
	return &w->stats;
}

/* Some file systems tell about a full disk only when a descriptor is closed */
static int close_files(struct writer *w)
{
	int err = 0;

	if (w->direct_fd >= 0 && close(w->direct_fd))
		err = -errno;
	if (close(w->plain_fd) && !err)
		err = -errno;
	w->direct_fd = -1;
	w->plain_fd = -1;
	return err;
}

/**
 * writer_close() - write what is there, and free the writer
 * @w: the writer
 *
 * Return: 0, -errno when the file is not complete.
 */
int writer_close(struct writer *w)
{
	int err = writer_finish(w);

	err = close_files(w) ?: err;
	writer_free(w);
	return err;
}

static int rename_new(const char *from, const char *to)
{
	if (!renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE))
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	/* a file system that cannot: the next best is to look */
	if (!access(to, F_OK))
		return -EEXIST;
	return rename(from, to) ? -errno : 0;
}

/**
 * writer_complete() - write what is there, give the file its name, free the writer
 * @w: the writer
 * @name: the name that says that the file is complete
 * @replace: another file of that name goes away; without it is -EEXIST
 *
 * Return: 0, -errno; then the file keeps the name that it was opened with.
 */
int writer_complete(struct writer *w, const char *name, bool replace)
{
	/* keeps the lock until the file has another name */
	int lock = fcntl(w->plain_fd, F_DUPFD_CLOEXEC, 0);
	int err = lock < 0 ? -errno : writer_finish(w);

	err = err ?: close_files(w);
	if (!err && replace)
		err = rename(w->cfg.path, name) ? -errno : 0;
	else if (!err)
		err = rename_new(w->cfg.path, name);
	if (lock >= 0)
		close(lock);
	writer_free(w);
	return err;
}
