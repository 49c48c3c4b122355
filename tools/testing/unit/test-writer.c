// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The file writer: whatever the pieces look like, the file has their bytes, and
 * every piece comes back once, not before it was written.
 */
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "../tap.h"
#include "uring.h"
#include "writer.h"

#define PAGE		4096U
#define REGION_PAGES	8192U
#define NO_PAGE		UINT32_MAX

/**
 * struct limits - of a writer, and of those that use it
 * @buffered: no O_DIRECT
 * @batch: bytes of a write
 * @hold: most pieces that it may keep, all told
 * @stage: bytes that may be copied for a write
 * @pages: of the region
 */
struct limits {
	bool buffered;
	uint64_t batch;
	uint32_t hold;
	uint32_t stage;
	uint32_t pages;
};

/**
 * struct libc - of the functions of the C library that are others here; nobody passes a state to those
 * @align: what statx(2) says of O_DIRECT instead of the truth, if it is set
 * @ring: where requests are counted, or NULL
 * @beside: calls of pwritev(2) while one of these was under way
 */
static struct {
	uint32_t align;
	const struct uring *ring;
	unsigned int beside;
} libc;

/**
 * struct bench - a region, a writer, and what should be in the file
 * @ring: where writes are queued, NULL when they are not
 * @region: memory of the pieces
 * @pages: how much of it is used
 * @busy: pages that a piece holds
 * @out: pieces that are out
 * @twice: pieces that came back though they were not out
 * @want: the bytes appended so far
 * @len: how many
 * @cap: room in @want
 * @writer: the writer
 */
struct bench {
	struct uring *ring;
	uint8_t *region;
	uint32_t pages;
	bool busy[REGION_PAGES];
	unsigned int out;
	unsigned int twice;
	uint8_t *want;
	size_t len;
	size_t cap;
	struct writer *writer;
};

/*
 * tmpfs takes O_DIRECT whatever the alignment, and names none: so files there can be those of a
 * disk that reads any four bytes of memory.
 */
int statx(int dirfd, const char *restrict path, int flags, unsigned int mask,
	  struct statx *restrict out)
{
	long ret = syscall(SYS_statx, dirfd, path, flags, mask, out);

	if (ret || !libc.align)
		return (int)ret;
	out->stx_mask |= STATX_DIOALIGN;
	out->stx_dio_mem_align = libc.align;
	out->stx_dio_offset_align = 512;
	return 0;
}

ssize_t pwritev(int fd, const struct iovec *iov, int n, off_t at)
{
	const struct uring *u = libc.ring;

	libc.beside += u && (uint32_t)u->ended != u->ring.sq.sqe_tail;
	return syscall(SYS_pwritev, fd, iov, n, at, 0);
}

static int release(void *ctx, const struct zcrx_piece *pieces, uint32_t n)
{
	struct bench *b = ctx;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t page = pieces[i].off / PAGE;

		if (!b->busy[page])
			b->twice++;
		b->busy[page] = false;
		b->out--;
		/* the NIC may write there again from now on */
		memset(b->region + page * PAGE, 0xdd, PAGE);
	}
	return 0;
}

static struct uring *ring_of(void *ctx)
{
	const struct bench *b = ctx;

	return b->ring;
}

static bool never(void *ctx)
{
	(void)ctx;
	return false;
}

static uint32_t free_page(struct bench *b)
{
	uint32_t start = (uint32_t)rand() % b->pages;

	for (uint32_t i = 0; i < b->pages; i++)
		if (!b->busy[(start + i) % b->pages])
			return (start + i) % b->pages;
	return NO_PAGE;
}

/* A piece of random bytes at @at in some free page */
static bool make_piece(struct bench *b, uint32_t at, uint32_t len, struct zcrx_piece *piece)
{
	uint32_t page = free_page(b);
	uint8_t *data;

	if (page == NO_PAGE)
		return false;
	data = b->region + page * PAGE + at;
	for (uint32_t i = 0; i < len; i++)
		data[i] = (uint8_t)(rand() >> 7);
	b->busy[page] = true;
	b->out++;
	*piece = (struct zcrx_piece){ .data = data, .off = page * PAGE + at, .len = len };
	if (b->len + len > b->cap) {
		b->cap = 2 * (b->cap + len);
		b->want = realloc(b->want, b->cap);
	}
	memcpy(b->want + b->len, data, len);
	b->len += len;
	return true;
}

static int drop_cache(const char *path)
{
	int fd = open(path, O_RDONLY);
	int err = fd < 0 || fsync(fd) || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);

	if (fd >= 0)
		close(fd);
	return err;
}

static bool same(const struct bench *b, const char *path)
{
	int fd = open(path, O_RDONLY);
	uint8_t *got = malloc(b->len + 2);
	ssize_t n = 0, ret;

	if (fd < 0 || !got)
		tap_bail("cannot read back %s", path);
	while ((ret = read(fd, got + n, b->len + 1 - (size_t)n)) > 0)
		n += ret;
	close(fd);
	ret = (size_t)n == b->len && !memcmp(got, b->want, b->len);
	free(got);
	return ret;
}

static void start(struct bench *b, const char *path, const struct limits *lim, struct uring *ring)
{
	struct writer_config cfg = {
		.path = path,
		.buffered = lim->buffered,
		.stage = lim->stage,
		.batch = lim->batch,
		.hold = ring ? lim->hold / WRITER_DEPTH_MAX + 1 : lim->hold,
		.ring = ring_of,
		.depth = WRITER_DEPTH_MAX,
		.release = release,
		.stopped = never,
		.ctx = b,
	};
	int err;

	memset(b, 0, sizeof(*b));
	b->ring = ring;
	b->pages = lim->pages;
	b->region = mmap(NULL, REGION_PAGES * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	err = writer_open(&b->writer, &cfg);
	if (err)
		tap_bail("%s: %s", path, strerror(-err));
}

static void stop(struct bench *b)
{
	munmap(b->region, REGION_PAGES * PAGE);
	free(b->want);
}

/* How pieces look: like whole pages, like segments of 1448, or like anything */
static void shape(unsigned int kind, uint32_t *at, uint32_t *len)
{
	*at = 0;
	*len = PAGE;
	if (kind == 1)
		*len = 1448;
	else if (kind == 2 && rand() % 16 == 0)
		*len = 512 * (1 + (uint32_t)rand() % 8);
	else if (kind == 3) {
		*at = (uint32_t)rand() % PAGE;
		*len = 1 + (uint32_t)rand() % (PAGE - *at);
	} else if (kind == 4) {
		*at = 512 * ((uint32_t)rand() % 8);
		*len = 1 + (uint32_t)rand() % (PAGE - *at);
	} else if (kind == 5) {
		*len = 1 + (uint32_t)rand() % 4;
	}
}

static const char *const kinds[] = {
	"whole pages", "segments of 1448", "pages and blocks", "anything",
	"anything at blocks", "a few bytes each",
};

/* What a receiver does meanwhile: sees completions, which come in order whoever waits for what */
static void poll_ring(struct bench *b, uintptr_t *asked, uintptr_t *seen, unsigned int *wrong)
{
	struct io_uring_sqe *sqe;

	if (!b->ring)
		return;
	sqe = rand() % 4 ? NULL : uring_sqe(b->ring);
	if (sqe) {
		io_uring_prep_nop(sqe);
		sqe->user_data = 8 * ++*asked;
	}
	while (rand() % 8 == 0 && uring_next(b->ring, 0) == 1)
		*wrong += b->ring->cqe->user_data != 8 * ++*seen;
}

static void fuzz(const char *path, const struct limits *lim, unsigned int kind, struct uring *ring)
{
	uintptr_t asked = 0, seen = 0;
	const struct writer_stats *ws;
	unsigned int wrong = 0;
	struct bench b;

	start(&b, path, lim, ring);
	for (unsigned int i = 0; i < 6000; i++) {
		struct zcrx_piece piece[4];
		uint32_t n = 0, want = 1 + (uint32_t)rand() % 4;

		while (n < want) {
			uint32_t at, len;

			shape(kind, &at, &len);
			if (!make_piece(&b, at, len, &piece[n]))
				tap_bail("the writer holds more pieces than it may");
			n++;
		}
		if (writer_append(b.writer, piece, n))
			wrong++;
		if (rand() % 500 == 0 && writer_flush(b.writer))
			wrong++;
		poll_ring(&b, &asked, &seen, &wrong);
		if (rand() % 1000 == 0 && (writer_finish(b.writer) || !same(&b, path)))
			wrong++;
	}
	if (writer_finish(b.writer))
		wrong++;
	while (ring && uring_next(ring, seen < asked ? 1000 : 0) == 1)
		wrong += ring->cqe->user_data != 8 * ++seen;
	tap_ok(seen == asked, "%s: all other completions were seen, in order", kinds[kind]);
	ws = writer_stats(b.writer);
	tap_ok(!wrong && same(&b, path), "%s, %s: %zu bytes, the file has them (%s%s, %u %% copied)",
	       kinds[kind], path, b.len, ws->direct ? "direct" : "buffered", ring ? ", queued" : "",
	       (unsigned int)(100 * ws->copied / b.len));
	tap_ok(!b.out && !b.twice, "  all pieces came back, once");
	tap_ok(ws->direct == !ws->plain && (!ws->plain || !strstr(ws->plain, "refused")),
	       "  no write was refused: %s", ws->direct ? "direct" : ws->plain);
	tap_ok(ws->from_pages + ws->copied == b.len && ws->written == b.len,
	       "  the accounts are right");
	if (kind == 0)
		tap_eq(ws->copied, 0, "  nothing was copied");
	if (writer_close(b.writer) || !same(&b, path))
		tap_ok(false, "  closing changed the file");
	stop(&b);
	unlink(path);
}

static void fuzz_kind(const char *path, bool buffered, unsigned int kind, struct uring *ring)
{
	static const uint32_t holds[] = { 1, 7, 300 };
	struct limits lim = {
		.buffered = buffered, .hold = holds[kind % 3], .stage = 1 << 20, .pages = 512,
	};

	srand(kind + 10);
	lim.batch = 1 + (uint64_t)rand() % (1 << 20);
	fuzz(path, &lim, kind, ring);
}

/*
 * A disk that takes nearly everything from where it is: writes have as many ranges as they may,
 * or as much that is copied, in the middle of a piece.
 */
static void test_full_writes(const char *path, struct uring *ring)
{
	struct limits lim = { .batch = 1 << 20, .hold = 4400, .stage = 1 << 20, .pages = 5000 };

	libc.align = 4;
	fuzz(path, &lim, 1, ring);
	lim.stage = 1 << 17;
	fuzz(path, &lim, 3, ring);
	libc.align = 0;
}

/*
 * A disk that refuses a write in spite of its word, while others are under way that have a part of
 * the same page of the file: what goes through the page cache then could undo them.
 */
static void test_refused(const char *path, struct uring *ring)
{
	const struct limits lim = {
		.batch = 31 * 512, .hold = 200, .stage = 1 << 20, .pages = 512,
	};
	unsigned int refused = 0, wrong = 0;

	libc.align = 4;
	libc.ring = ring;
	libc.beside = 0;
	for (unsigned int round = 0; round < 40; round++) {
		struct zcrx_piece piece;
		struct bench b;

		srand(round);
		start(&b, path, &lim, ring);
		for (unsigned int i = 0; i < 60; i++) {
			uint32_t len = 512 * (1 + (uint32_t)rand() % 7);

			if (!make_piece(&b, i == 30 ? 4 : 0, len, &piece))
				tap_bail("the writer holds more pieces than it may");
			wrong += writer_append(b.writer, &piece, 1) != 0;
		}
		wrong += writer_finish(b.writer) != 0;
		refused += writer_stats(b.writer)->plain && strstr(writer_stats(b.writer)->plain, "refused");
		wrong += writer_stats(b.writer)->written != b.len || b.out || b.twice;
		writer_close(b.writer);
		/* what is in the cache may not be what is on the disk */
		wrong += drop_cache(path) || !same(&b, path);
		stop(&b);
		unlink(path);
	}
	libc.align = 0;
	libc.ring = NULL;
	if (!refused) {
		tap_skip("a write that is refused", "this file system takes them all");
		return;
	}
	tap_eq(wrong, 0, "writes that are refused, %u of 40 files: all have their bytes", refused);
	tap_eq(libc.beside, 0, "  no write through the page cache is beside another one");
}

static void test_full_disk(void)
{
	const struct limits lim = { .batch = 1 << 16, .hold = 16, .stage = 1 << 20, .pages = 512 };
	struct zcrx_piece piece;
	struct bench b;
	int err = 0;

	start(&b, "/dev/full", &lim, NULL);
	for (unsigned int i = 0; i < 100 && !err; i++) {
		make_piece(&b, 0, PAGE, &piece);
		err = writer_append(b.writer, &piece, 1);
	}
	tap_eq(err, -ENOSPC, "a full disk is told");
	tap_eq(b.out, 0, "and the pieces came back all the same");
	writer_close(b.writer);
	stop(&b);
}

static void test_fifo(const char *dir)
{
	const struct limits lim = { .batch = 1 << 20, .hold = 16, .stage = 1 << 20, .pages = 512 };
	struct zcrx_piece piece;
	char path[PATH_MAX];
	struct bench b;
	int fd;

	snprintf(path, sizeof(path), "%s/fifo", dir);
	if (mkfifo(path, 0600))
		tap_bail("mkfifo: %s", strerror(errno));
	fd = open(path, O_RDONLY | O_NONBLOCK);
	start(&b, path, &lim, NULL);
	make_piece(&b, 3, 1000, &piece);
	tap_ok(!writer_append(b.writer, &piece, 1) && !writer_finish(b.writer), "a pipe");
	close(fd);
	make_piece(&b, 0, 1000, &piece);
	signal(SIGPIPE, SIG_IGN);
	tap_ok(!writer_append(b.writer, &piece, 1) && writer_flush(b.writer) == -EPIPE,
	       "a pipe whose reader has gone");
	writer_close(b.writer);
	stop(&b);
	unlink(path);
}

static void test_missing(void)
{
	struct writer_config cfg = { .path = "/nowhere/file", .hold = 1, .stage = WRITER_ALIGN_MAX };
	struct writer *w;

	tap_eq(writer_open(&w, &cfg), -ENOENT, "no such directory");
	cfg.path = "/";
	tap_eq(writer_open(&w, &cfg), -EISDIR, "a directory");
}

static bool has_bytes(const char *path, const char *want)
{
	char got[64] = "";
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, got, sizeof(got) - 1);

	if (fd >= 0)
		close(fd);
	return n == (ssize_t)strlen(want) && !strcmp(got, want);
}

static void make_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		tap_bail("%s: %s", path, strerror(errno));
	close(fd);
}

static struct writer *open_part(struct bench *b, const char *part, bool exclusive, int *err)
{
	struct writer_config cfg = {
		.path = part, .exclusive = exclusive, .stage = WRITER_ALIGN_MAX, .batch = 1 << 16,
		.hold = 4, .release = release, .stopped = never, .ctx = b,
	};
	struct writer *w = NULL;

	*err = writer_open(&w, &cfg);
	return w;
}

/* What a file is called while it is written, afterwards, and when two want the same */
static void test_names(const char *dir)
{
	char part[PATH_MAX], name[PATH_MAX];
	struct writer *w, *other;
	struct bench b = { 0 };
	int err;

	snprintf(part, sizeof(part), "%s/name.part", dir);
	snprintf(name, sizeof(name), "%s/name", dir);
	make_file(name, "old");
	make_file(part, "left over");
	w = open_part(&b, part, false, &err);
	tap_ok(w && has_bytes(part, "") && has_bytes(name, "old"),
	       "a leftover is emptied, the old file stays meanwhile");
	other = open_part(&b, part, false, &err);
	tap_ok(!other && err == -EWOULDBLOCK, "a second writer is refused");
	tap_ok(!writer_complete(w, name, true) && has_bytes(name, "") && access(part, F_OK),
	       "complete: it has its name, and the old one is gone");

	w = open_part(&b, part, true, &err);
	other = open_part(&b, part, true, &err);
	tap_ok(w && !other && err == -EEXIST, "an exclusive one must be new");
	make_file(name, "mine");
	tap_ok(writer_complete(w, name, false) == -EEXIST && has_bytes(name, "mine") &&
	       !access(part, F_OK), "without leave nothing is replaced");
	w = open_part(&b, part, false, &err);
	writer_close(w);
	tap_ok(has_bytes(name, "mine") && !access(part, F_OK), "what is only closed keeps its name");
	unlink(part);
	unlink(name);
}

/* The kernel may write a part of what was asked for, or nothing: the first error is the one that is told */
static void test_too_large(const char *path, struct uring *ring)
{
	const struct limits lim = {
		.batch = 64 * PAGE, .hold = 200, .stage = 1 << 20, .pages = 512,
	};
	struct rlimit no = { RLIM_INFINITY, RLIM_INFINITY }, some = { 300 * PAGE, RLIM_INFINITY };
	struct zcrx_piece piece;
	struct bench b;
	int err = 0;

	start(&b, path, &lim, ring);
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &some);
	for (unsigned int i = 0; i < 400 && !err; i++) {
		if (!make_piece(&b, 0, PAGE, &piece))
			tap_bail("the writer holds more pieces than it may");
		err = writer_append(b.writer, &piece, 1);
	}
	err = writer_finish(b.writer);
	tap_eq(err, -EFBIG, "a file that becomes too large, %s: the end is an error", ring ? "queued" : "at once");
	setrlimit(RLIMIT_FSIZE, &no);
	tap_eq(writer_close(b.writer), -EFBIG, "  and stays one");
	tap_eq(b.out, 0, "  and the pieces came back all the same");
	stop(&b);
	unlink(path);
}

static bool takes_any_alignment(const char *dir)
{
	struct statfs fs;
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/any", dir);
	if (statfs(dir, &fs) || fs.f_type != TMPFS_MAGIC)
		return false;
	fd = open(path, O_WRONLY | O_CREAT | O_DIRECT, 0600);
	unlink(path);
	if (fd < 0) {
		tap_skip("writes that are full", "tmpfs has no O_DIRECT, Linux 6.6");
		return false;
	}
	close(fd);
	return true;
}

/* A ring of its own: all requests in it are writes */
static void test_refused_queued(const char *path)
{
	struct uring ring;

	if (uring_open(&ring, 64, URING_PLAIN))
		return;
	test_refused(path, &ring);
	uring_close(&ring);
}

static void test_directory(const char *base, struct uring *ring)
{
	char dir[PATH_MAX / 2], path[PATH_MAX];

	snprintf(dir, sizeof(dir), "%s/zcrx-writer-XXXXXX", base);
	if (!mkdtemp(dir)) {
		tap_skip(base, "cannot write there");
		return;
	}
	snprintf(path, sizeof(path), "%s/out", dir);
	for (unsigned int kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++) {
		fuzz_kind(path, false, kind, NULL);
		if (ring)
			fuzz_kind(path, false, kind, ring);
	}
	fuzz_kind(path, true, 3, ring);
	test_refused_queued(path);
	if (takes_any_alignment(dir)) {
		test_full_writes(path, NULL);
		if (ring)
			test_full_writes(path, ring);
	}
	test_too_large(path, NULL);
	if (ring)
		test_too_large(path, ring);
	test_fifo(dir);
	test_names(dir);
	rmdir(dir);
}

int main(void)
{
	struct uring ring, *queue = NULL;

	/* a disk's file system, as a rule, and one that is none */
	if (uring_open(&ring, 64, URING_PLAIN))
		tap_skip("queued writes", "no io_uring here");
	else
		queue = &ring;
	test_directory(".", queue);
	test_directory("/dev/shm", queue);
	if (queue)
		uring_close(queue);
	test_full_disk();
	test_missing();
	return tap_done();
}
