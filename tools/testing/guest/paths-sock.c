// SPDX-License-Identifier: GPL-2.0-or-later
/* What a socket does with the bytes of a stream: the ways to read it, splice(2) and its kin */
#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "../tap.h"
#include "paths.h"
#include "pattern.h"

#define BYTES		200003u
#define PAGE		4096
/* An MSS that puts a whole page into each segment, behind TCP's time stamps */
#define MSS_PAGE	(PAGE + 12)
#define PIPE_SIZE	(1 << 20)

static const struct path_listen small = { .mss = 1448 };
static const struct path_listen large = {};

/* As it comes; path->arg says to where */
static void run_recv(struct paths *p, const struct path *path)
{
	struct feed f = { .bytes = BYTES };
	int fd;

	if (path_held(p, path->arg, &f, &fd))
		path_read_all(p, fd, &f);
}

static bool peek_right(int fd, const struct feed *f)
{
	uint8_t *buf = malloc(f->bytes);
	ssize_t n = buf ? recv(fd, buf, f->bytes, MSG_PEEK | MSG_WAITALL) : -1;
	bool right = n == (ssize_t)f->bytes && pattern_check(buf, f->base, f->bytes) == f->bytes;

	free(buf);
	return right;
}

static void run_peek(struct paths *p, const struct path *path)
{
	struct feed f = { .bytes = BYTES };
	int fd;

	(void)path;
	if (!path_arrive(p, &small, &f, &fd))
		return;
	path_ok(p, peek_right(fd, &f), "a first look is right");
	path_ok(p, user_turns(p), "the user's pages go round");
	path_ok(p, peek_right(fd, &f), "a second one as well");
	path_read_all(p, fd, &f);
}

/* Bytes that were right; how many calls had a time stamp goes to @stamps */
static uint64_t read_stamped(int fd, const struct feed *f, unsigned int *stamps)
{
	static uint8_t buf[8192];
	uint64_t at = 0;

	*stamps = 0;
	while (at < f->bytes) {
		char control[CMSG_SPACE(sizeof(struct timespec))];
		struct iovec iov = { buf, sizeof(buf) };
		struct msghdr m = {
			.msg_iov = &iov, .msg_iovlen = 1,
			.msg_control = control, .msg_controllen = sizeof(control),
		};
		ssize_t n = recvmsg(fd, &m, 0);
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);

		if (n <= 0 || pattern_check(buf, f->base + at, (size_t)n) != (size_t)n)
			break;
		at += (uint64_t)n;
		*stamps += c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS;
	}
	return at;
}

static void run_timestamp(struct paths *p, const struct path *path)
{
	struct feed f = { .bytes = BYTES };
	unsigned int stamps;
	int fd, one = 1, any;

	(void)path;
	/* packets are stamped from the first socket on that wants it */
	any = socket(AF_INET, SOCK_DGRAM, 0);
	setsockopt(any, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one));
	if (path_held(p, &small, &f, &fd)) {
		setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one));
		path_ok(p, read_stamped(fd, &f, &stamps) == f.bytes, "every byte is right");
		path_ok(p, stamps, "%u reads have a time stamp", stamps);
		close(fd);
	}
	close(any);
}

/* --- pipes --------------------------------------------------------------- */

struct pipe {
	int out, in;
};

static bool pipe_open(struct pipe *pipe)
{
	int fd[2];

	if (pipe2(fd, O_CLOEXEC) || fcntl(fd[1], F_SETPIPE_SZ, PIPE_SIZE) < 0)
		return false;
	*pipe = (struct pipe){ fd[0], fd[1] };
	return true;
}

static void pipe_close(struct pipe *pipe)
{
	close(pipe->in);
	close(pipe->out);
}

static bool splice_all(int from, int to, uint64_t bytes)
{
	while (bytes) {
		ssize_t n = splice(from, NULL, to, NULL, bytes, SPLICE_F_MOVE);

		if (n <= 0)
			return false;
		bytes -= (uint64_t)n;
	}
	return true;
}

/* A stream whose socket is gone; a pipe has what it brought. What a page holds is 1448 bytes at
 * most, or the pipe would have too few slots for all.
 */
static bool in_pipe(struct paths *p, struct feed *f, struct pipe *pipe)
{
	bool ok;
	int fd;

	if (!path_ok(p, pipe_open(pipe), "there is a pipe"))
		return false;
	if (!path_arrive(p, &small, f, &fd)) {
		pipe_close(pipe);
		return false;
	}
	ok = path_ok(p, splice_all(fd, pipe->in, f->bytes), "all of it goes to the pipe");
	close(fd);
	if (!ok)
		pipe_close(pipe);
	return ok;
}

static void run_splice(struct paths *p, const struct path *path)
{
	struct feed f = { .bytes = BYTES };
	struct pipe pipe = { -1, -1 };

	(void)path;
	if (!in_pipe(p, &f, &pipe))
		return;
	path_ok(p, user_turns(p), "the user's pages go round");
	path_ok(p, path_read(pipe.out, f.base, f.bytes) == f.bytes, "every byte is right");
	pipe_close(&pipe);
}

static void run_tee(struct paths *p, const struct path *path)
{
	struct feed f = { .bytes = BYTES };
	struct pipe pipe, copy = { -1, -1 };

	(void)path;
	if (!in_pipe(p, &f, &pipe))
		return;
	if (path_ok(p, pipe_open(&copy), "there is a second pipe")) {
		path_ok(p, tee(pipe.out, copy.in, f.bytes, 0) == (ssize_t)f.bytes, "tee(2) doubles it");
		path_ok(p, user_turns(p), "the user's pages go round");
		path_ok(p, path_read(copy.out, f.base, f.bytes) == f.bytes, "every byte of the one is right");
		path_ok(p, path_read(pipe.out, f.base, f.bytes) == f.bytes, "and of the other");
		pipe_close(&copy);
	}
	pipe_close(&pipe);
}

static uint64_t vmsplice_read(int fd, const struct feed *f)
{
	static uint8_t buf[16384];
	uint64_t at = 0;

	while (at < f->bytes) {
		struct iovec iov = { buf, sizeof(buf) };
		ssize_t n = vmsplice(fd, &iov, 1, 0);

		if (n <= 0 || pattern_check(buf, f->base + at, (size_t)n) != (size_t)n)
			break;
		at += (uint64_t)n;
	}
	return at;
}

static void run_vmsplice(struct paths *p, const struct path *path)
{
	struct feed f = { .bytes = BYTES };
	struct pipe pipe = { -1, -1 };

	(void)path;
	if (!in_pipe(p, &f, &pipe))
		return;
	path_ok(p, user_turns(p), "the user's pages go round");
	path_ok(p, vmsplice_read(pipe.out, &f) == f.bytes, "every byte is right");
	pipe_close(&pipe);
}

static void run_splice_file(struct paths *p, const struct path *path)
{
	struct feed f = { .bytes = BYTES };
	struct pipe pipe = { -1, -1 };
	int file = memfd_create("paths", MFD_CLOEXEC);

	(void)path;
	if (in_pipe(p, &f, &pipe)) {
		path_ok(p, splice_all(pipe.out, file, f.bytes), "it goes on to a file");
		path_ok(p, user_turns(p), "the user's pages go round");
		lseek(file, 0, SEEK_SET);
		path_ok(p, path_read(file, f.base, f.bytes) == f.bytes, "every byte is right");
		pipe_close(&pipe);
	}
	close(file);
}

/* Splicing to a socket lets it have the pipe's pages; it sends them later */
static void run_splice_socket(struct paths *p, const struct path *path)
{
	struct feed f = { .bytes = BYTES };
	struct pipe pipe = { -1, -1 };
	int sv[2];

	(void)path;
	if (!in_pipe(p, &f, &pipe))
		return;
	if (path_ok(p, !paths_tcp_pair(sv), "there is a connection")) {
		path_ok(p, splice_all(pipe.out, sv[0], f.bytes), "it goes on to a socket");
		path_ok(p, user_turns(p), "the user's pages go round");
		path_ok(p, path_read(sv[1], f.base, f.bytes) == f.bytes, "every byte is right");
		close(sv[0]);
		close(sv[1]);
	}
	pipe_close(&pipe);
}

/* --- TCP_ZEROCOPY_RECEIVE ------------------------------------------------ */

/* One call; what it mapped is compared after the user's pages have gone round */
static bool zerocopy_once(struct paths *p, int fd, uint8_t *map, uint64_t pos, uint32_t *mapped,
			  uint32_t *skip)
{
	struct tcp_zerocopy_receive zc = { .address = (uintptr_t)map, .length = PIPE_SIZE };
	socklen_t len = sizeof(zc);

	if (getsockopt(fd, IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE, &zc, &len))
		return false;
	*mapped = zc.length;
	*skip = zc.recv_skip_hint;
	return !zc.length || (user_turns(p) && pattern_check(map, pos, zc.length) == zc.length);
}

static uint64_t zerocopy_read(struct paths *p, int fd, uint8_t *map, const struct feed *f,
			      uint64_t *mapped)
{
	uint64_t at = 0;

	*mapped = 0;
	while (at < f->bytes) {
		uint32_t got = 0, skip = 0;

		if (!zerocopy_once(p, fd, map, f->base + at, &got, &skip))
			break;
		*mapped += got;
		at += got;
		if (!got && !skip)
			break;
		if (path_read(fd, f->base + at, skip) != skip)
			break;
		at += skip;
	}
	return at;
}

static void run_zerocopy(struct paths *p, const struct path *path)
{
	const struct path_listen l = { .mss = MSS_PAGE };
	struct feed f = { .bytes = 50 * PAGE };
	uint64_t got, mapped;
	uint8_t *map;
	int fd;

	(void)path;
	if (!path_held(p, &l, &f, &fd))
		return;
	map = mmap(NULL, PIPE_SIZE, PROT_READ, MAP_SHARED, fd, 0);
	if (path_ok(p, map != MAP_FAILED, "the socket can be mapped")) {
		got = zerocopy_read(p, fd, map, &f, &mapped);
		path_ok(p, got == f.bytes, "every byte is right");
		path_ok(p, !mapped, "and none of them is mapped");
		munmap(map, PIPE_SIZE);
	}
	close(fd);
}

/* --- TCP's queues -------------------------------------------------------- */

/* Out of band, but read in line: each piece is followed by an exclamation mark */
static uint64_t read_urgent(int fd, const struct feed *f)
{
	uint64_t at = 0;
	char mark;

	while (at < f->bytes) {
		uint64_t n = f->bytes - at < f->chunk ? f->bytes - at : f->chunk;

		if (path_read(fd, f->base + at, n) != n || read(fd, &mark, 1) != 1 || mark != '!')
			break;
		at += n;
	}
	return at;
}

static void run_urgent(struct paths *p, const struct path *path)
{
	struct feed f = { .bytes = BYTES, .chunk = 7001, .urgent = true };
	int fd, one = 1;

	(void)path;
	if (!path_held(p, &small, &f, &fd))
		return;
	setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &one, sizeof(one));
	path_ok(p, read_urgent(fd, &f) == f.bytes, "every byte is right, marks are where they belong");
	close(fd);
}

static uint64_t netstat(const char *name)
{
	FILE *f = fopen("/proc/net/netstat", "re");
	char names[8192], values[8192], *n, *v, *ns, *vs;
	uint64_t result = 0;

	while (f && fgets(names, sizeof(names), f) && fgets(values, sizeof(values), f)) {
		v = strtok_r(values, " \n", &vs);
		for (n = strtok_r(names, " \n", &ns); n && v; n = strtok_r(NULL, " \n", &ns)) {
			if (!strcmp(n, name))
				result = strtoull(v, NULL, 10);
			v = strtok_r(NULL, " \n", &vs);
		}
	}
	if (f)
		fclose(f);
	return result;
}

/**
 * struct squeeze - a receive buffer that is too small
 * @rcvbuf: SO_RCVBUF
 * @chunk: bytes a segment
 * @counter: of /proc/net/netstat, which shows that the queue was looked through
 */
struct squeeze {
	int rcvbuf;
	size_t chunk;
	const char *counter;
};

/* The queue fills up, the peer has to wait, the rest comes while it is read */
static void run_squeeze(struct paths *p, const struct path *path)
{
	const struct squeeze *s = path->arg;
	const struct path_listen l = { .mss = 1448, .rcvbuf = s->rcvbuf };
	struct feed f = { .base = p->base, .bytes = BYTES / 5, .chunk = s->chunk, .segments = true };
	uint64_t before = netstat(s->counter), got = 0;
	int listener = path_listen(&l), fd;

	if (!path_ok(p, listener >= 0 && feed_start(&f), "a stream begins"))
		return;
	fd = path_accept(p, listener);
	close(listener);
	if (fd >= 0) {
		paths_nap(300 * p->slow);
		path_ok(p, user_turns(p), "the user's pages go round meanwhile");
		got = path_read(fd, f.base, f.bytes);
	}
	if (!path_ok(p, got == f.bytes, "every byte is right"))
		tap_diag("%llu bytes", (unsigned long long)got);
	path_ok(p, netstat(s->counter) > before, "%s counts %llu", s->counter,
		(unsigned long long)(netstat(s->counter) - before));
	close(fd);
	feed_stop(&f);
}

/* The wire loses and reorders, so that queues of TCP fill up */
static void run_holes(struct paths *p, const struct path *path)
{
	struct feed f = { .bytes = 4 * BYTES };
	uint64_t before = netstat("TCPOFOQueue");
	int fd;

	(void)path;
	if (!path_held(p, &small, &f, &fd))
		return;
	path_read_all(p, fd, &f);
	path_ok(p, netstat("TCPOFOQueue") > before, "%llu packets came out of order",
		(unsigned long long)(netstat("TCPOFOQueue") - before));
}

const struct path paths_sock[] = {
	{ "recv", .run = run_recv, .arg = &small },
	{ "recv of several pages a segment", .run = run_recv, .arg = &large },
	{ "MSG_PEEK", .run = run_peek },
	{ "SO_TIMESTAMPNS", .run = run_timestamp },
	{ "splice to a pipe", .run = run_splice },
	{ "tee", .run = run_tee },
	{ "vmsplice", .run = run_vmsplice },
	{ "splice to a file", .run = run_splice_file },
	{ "splice to a socket", .run = run_splice_socket },
	{ "TCP_ZEROCOPY_RECEIVE", .run = run_zerocopy },
	{ "urgent data", .run = run_urgent },
	{ "no aggregation", .run = run_recv, .arg = &small,
	  .setup = "ethtool -K eth0 gro off rx-gro-hw off", .undo = "ethtool -K eth0 gro on rx-gro-hw on" },
	{ "software GRO", .run = run_recv, .arg = &small,
	  .setup = "ethtool -K eth0 rx-gro-hw off", .undo = "ethtool -K eth0 rx-gro-hw on" },
	{ "collapse", .run = run_squeeze, .arg = &(const struct squeeze){ 8192, 10, "PruneCalled" },
	  .setup = "ethtool -K eth0 gro off rx-gro-hw off", .undo = "ethtool -K eth0 gro on rx-gro-hw on" },
	{ "out of order", .run = run_holes,
	  .setup = "$BNXT_EMU ctl fault set drop=2%:dir=rx,reorder=5%:dir=rx",
	  .undo = "$BNXT_EMU ctl fault clear" },
	{}
};
