// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * held-pages IFACE QUEUE PORT PORT2 COMMAND RELEASE - what the user holds stays as it is when the ring goes
 *
 * Receives from a connection to PORT, gives nothing back, and holds what came without a copy until
 * nothing more comes that way. From then on it reads from a connection to PORT2, of which all
 * packets come to the same queue. It runs COMMAND, which has the kernel take the lock of all network
 * devices, prints a line when that is done, and ends when RELEASE has had the kernel give it back. So
 * the kernel cannot leave the queue while the ring is closed, with the mapping of the ifq's rings.
 * What comes to the queue then must not come to pages that are held: they are this program's memory
 * as long as that is mapped. The NIC fills its buffers in the order in which it was given them: as
 * many as its ring has come first. Prints TAP.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../tap.h"
#include "pattern.h"
#include "races-recv.h"

#define PAGES		1024u
#define ENTRIES		4096u
/* what comes of the other connection in the meantime, at least: twice what the NIC's ring takes */
#define OTHER_BYTES	(2 * 256 * 4096)
/* nothing for so long, and nothing more will come; or for that many times, if it is too little */
#define QUIET_MS	500
#define QUIET_TIMES	40
#define ENOUGH		(PAGES / 2)
/* time that the kernel has for what it does at once */
#define LOCKED_US	150000
#define LOOK_US		10000

/**
 * struct held - what the user holds
 * @q: ring, region and rings
 * @fd: the connection
 * @other: the second one
 * @other_bytes: read from that
 * @piece: what came without a copy, never given back
 * @at: of each, its place in the stream
 * @n: how many
 * @pos: bytes that came so far
 */
struct held {
	struct races_ifq q;
	int fd;
	int other;
	uint64_t other_bytes;
	struct io_uring_rbuf_cqe piece[ENTRIES];
	uint64_t at[ENTRIES];
	unsigned int n;
	uint64_t pos;
};

static int listen_at(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, (const struct sockaddr *)&a, sizeof(a)) || listen(fd, 1))
		tap_bail("no listener: %s", strerror(errno));
	return fd;
}

static int accept_one(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		tap_bail("no connection: %s", strerror(errno));
	close(listener);
	return fd;
}

static void arm(struct held *h)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&h->q.ring);

	io_uring_prep_rw(OP_RECV_ZC, sqe, h->fd, NULL, 0, 0);
	sqe->ioprio = IORING_RECV_MULTISHOT;
	sqe->file_index = h->q.reg.zcrx_ifq_idx;
	if (io_uring_submit_and_get_events(&h->q.ring) < 0)
		tap_bail("cannot receive");
}

/* Pieces without a copy that came until none did for a while */
static void hold_all(struct held *h)
{
	struct __kernel_timespec quiet = { .tv_nsec = QUIET_MS * 1000000L };
	unsigned int before, quiets = 0;
	struct io_uring_rbuf_cqe c;
	struct io_uring_cqe *cqe;

	do {
		before = h->n;
		if (io_uring_wait_cqe_timeout(&h->q.ring, &cqe, &quiet)) {
			quiets++;
			continue;
		}
		io_uring_cqe_seen(&h->q.ring, cqe);
		while (h->n < ENTRIES && races_ifq_take(&h->q, &c)) {
			h->at[h->n] = h->pos;
			h->pos += c.len;
			if (!(c.flags & IORING_RBUF_CQE_F_COPY))
				h->piece[h->n++] = c;
		}
	} while (h->n > before || (h->n < ENOUGH && quiets < QUIET_TIMES));
}

/* Bytes that are not what was sent */
static uint64_t changed(const struct held *h)
{
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < h->n; i++) {
		const struct io_uring_rbuf_cqe *c = &h->piece[i];

		bytes += c->len - pattern_check(h->q.region + c->off, h->at[i], c->len);
	}
	return bytes;
}

/* @out: where it prints to */
static pid_t run(const char *command, int out)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		dup2(out, STDOUT_FILENO);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	return pid;
}

static void *read_other(void *arg)
{
	static char buf[1 << 16];
	struct held *h = arg;
	ssize_t n;

	while ((n = read(h->other, buf, sizeof(buf))) > 0)
		__atomic_add_fetch(&h->other_bytes, (uint64_t)n, __ATOMIC_RELAXED);
	return NULL;
}

static uint64_t other_bytes(struct held *h)
{
	return __atomic_load_n(&h->other_bytes, __ATOMIC_RELAXED);
}

/* In a thread of its own, as it waits for the lock */
static void *end_ring(void *arg)
{
	struct held *h = arg;

	munmap(h->q.map, h->q.reg.mmap_sz);
	h->q.map = NULL;
	races_ifq_close(&h->q);
	return NULL;
}

/* Runs it until it has said something */
static pid_t run_until_said(const char *command)
{
	int pipes[2];
	char said;
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC))
		tap_bail("no pipe: %s", strerror(errno));
	pid = run(command, pipes[1]);
	close(pipes[1]);
	if (read(pipes[0], &said, 1) != 1)
		tap_bail("the lock was not taken");
	close(pipes[0]);
	return pid;
}

/* The ring goes while the lock is not to be had; how it was when that was over */
static void lose_ring(struct held *h, const char *command, const char *release)
{
	pid_t pid = run_until_said(command), ended;
	pthread_t thread;
	uint64_t bytes, before, others;

	if (pthread_create(&thread, NULL, end_ring, h))
		tap_bail("no thread");
	usleep(LOCKED_US);
	before = other_bytes(h);
	do {
		usleep(LOOK_US);
		others = other_bytes(h) - before;
		bytes = changed(h);
		ended = waitpid(pid, NULL, WNOHANG);
	} while (!ended && others < OTHER_BYTES);
	tap_ok(!ended, "the lock is held while the ring goes");
	tap_ok(others >= OTHER_BYTES, "and the queue receives %llu bytes", (unsigned long long)others);
	tap_eq(bytes, 0, "what is held stays as it is meanwhile");
	waitpid(run(release, STDERR_FILENO), NULL, 0);
	if (!ended)
		waitpid(pid, NULL, 0);
	pthread_join(thread, NULL);
	/* by now the queue is left */
	usleep(LOCKED_US);
	tap_eq(changed(h), 0, "and when the queue is left");
}

int main(int argc, char **argv)
{
	static struct held h;
	int ret, listener[2];
	pthread_t reader;

	if (argc != 7) {
		fprintf(stderr, "usage: held-pages IFACE QUEUE PORT PORT2 COMMAND RELEASE\n");
		return 2;
	}
	ret = races_ifq_region(&h.q, PAGES);
	if (!ret)
		ret = races_ifq_open(&h.q, argv[1], (unsigned int)atoi(argv[2]), ENTRIES, ENTRIES, -1);
	if (ret)
		tap_bail("cannot bind the queue: %s", strerror(-ret));
	/* who sends may begin when there is the last one */
	listener[1] = listen_at((uint16_t)atoi(argv[4]));
	listener[0] = listen_at((uint16_t)atoi(argv[3]));
	h.fd = accept_one(listener[0]);
	h.other = accept_one(listener[1]);
	arm(&h);
	hold_all(&h);
	tap_ok(h.n >= ENOUGH, "%u pieces are held, %llu bytes came", h.n, (unsigned long long)h.pos);
	tap_eq(changed(&h), 0, "all of them are right");
	if (pthread_create(&reader, NULL, read_other, &h))
		tap_bail("no thread");
	lose_ring(&h, argv[5], argv[6]);
	shutdown(h.other, SHUT_RDWR);
	pthread_join(reader, NULL);
	close(h.other);
	close(h.fd);
	races_ifq_unmap(&h.q);
	return tap_done();
}
