// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The file writer: whatever the pieces look like, the file has their bytes, and
 * every piece comes back once, not before it was written.
 */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../tap.h"
#include "uring.h"
#include "writer.h"

#define PAGE		4096U
#define REGION_PAGES	512U
#define NO_PAGE		UINT32_MAX

/**
 * struct bench - a region, a writer, and what should be in the file
 * @ring: where writes are queued, NULL when they are not
 * @region: memory of the pieces
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
	bool busy[REGION_PAGES];
	unsigned int out;
	unsigned int twice;
	uint8_t *want;
	size_t len;
	size_t cap;
	struct writer *writer;
};

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
	uint32_t start = (uint32_t)rand() % REGION_PAGES;

	for (uint32_t i = 0; i < REGION_PAGES; i++)
		if (!b->busy[(start + i) % REGION_PAGES])
			return (start + i) % REGION_PAGES;
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

static void start(struct bench *b, const char *path, bool buffered, uint64_t batch, uint32_t hold,
		  struct uring *ring)
{
	struct writer_config cfg = {
		.path = path,
		.buffered = buffered,
		.stage = 1 << 20,
		.batch = batch,
		.hold = ring ? hold / WRITER_DEPTH_MAX + 1 : hold,
		.ring = ring_of,
		.depth = WRITER_DEPTH_MAX,
		.release = release,
		.stopped = never,
		.ctx = b,
	};
	int err;

	memset(b, 0, sizeof(*b));
	b->ring = ring;
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

static void fuzz(const char *path, bool buffered, unsigned int kind, struct uring *ring)
{
	uintptr_t asked = 0, seen = 0;
	static const uint32_t holds[] = { 1, 7, 300 };
	const struct writer_stats *ws;
	unsigned int wrong = 0;
	struct bench b;

	srand(kind + 10);
	start(&b, path, buffered, 1 + (uint64_t)rand() % (1 << 20), holds[kind % 3], ring);
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

static void test_full_disk(void)
{
	struct zcrx_piece piece;
	struct bench b;
	int err = 0;

	start(&b, "/dev/full", false, 1 << 16, 16, NULL);
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
	struct zcrx_piece piece;
	char path[PATH_MAX];
	struct bench b;
	int fd;

	snprintf(path, sizeof(path), "%s/fifo", dir);
	if (mkfifo(path, 0600))
		tap_bail("mkfifo: %s", strerror(errno));
	fd = open(path, O_RDONLY | O_NONBLOCK);
	start(&b, path, false, 1 << 20, 16, NULL);
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
	struct rlimit no = { RLIM_INFINITY, RLIM_INFINITY }, some = { 300 * PAGE, RLIM_INFINITY };
	struct zcrx_piece piece;
	struct bench b;
	int err = 0;

	start(&b, path, false, 64 * PAGE, 200, ring);
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
		fuzz(path, false, kind, NULL);
		if (ring)
			fuzz(path, false, kind, ring);
	}
	fuzz(path, true, 3, ring);
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
