// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * two-ifqs IFACE QUEUE0 QUEUE1 PORT CONNECTIONS - one ring with two interface queues.
 *
 * Receives CONNECTIONS at once. Which of the two ifqs serves one is said by its sender's port: that
 * divided by ten, odd or even. What the queue is that its flow comes by is the matter of whoever steers
 * it. Prints of each connection, as it ends,
 *
 *	PORT IFQ BYTES COPIED SHA256
 *
 * COPIED being of BYTES. Then unregisters ifq 0, prints "one left", and receives one connection more.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hash.h"
#include "races-recv.h"

#define MAX_CONNS	8u
#define REGION_PAGES	4096u
#define ENTRIES		4096u

/**
 * struct conn - a connection
 * @fd: socket
 * @port: the sender's
 * @ifq: who serves it
 * @bytes: received
 * @copied: of them into the region by the kernel
 * @hash: of all
 */
struct conn {
	int fd;
	unsigned int port;
	unsigned int ifq;
	uint64_t bytes;
	uint64_t copied;
	struct hash *hash;
};

/**
 * struct two - the ring
 * @q: its ifqs; the requests go to the ring of the first
 * @conn: connections
 */
struct two {
	struct races_ifq q[2];
	struct conn conn[MAX_CONNS];
};

static void bind_both(struct two *t, char **argv)
{
	struct io_uring_params p = {
		.flags = IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_CQSIZE,
		.cq_entries = ENTRIES,
	};
	struct iovec iov[2];
	unsigned int i;
	int ret;

	for (i = 0; i < 2; i++) {
		ret = races_ifq_region(&t->q[i], REGION_PAGES);
		if (ret)
			error(1, -ret, "region");
		iov[i] = (struct iovec) { t->q[i].region, t->q[i].region_size };
	}
	ret = io_uring_queue_init_params(64, &t->q[0].ring, &p);
	if (!ret)
		ret = io_uring_register_buffers(&t->q[0].ring, iov, 2);
	if (ret)
		error(1, -ret, "ring");
	t->q[1].ring.ring_fd = t->q[0].ring.ring_fd;
	for (i = 0; i < 2; i++) {
		ret = races_ifq_bind(&t->q[i], argv[1], (unsigned int)atoi(argv[2 + i]), i, ENTRIES, ENTRIES, -1);
		if (ret)
			error(1, -ret, "queue %s", argv[2 + i]);
		if (t->q[i].reg.zcrx_ifq_idx != i)
			error(1, 0, "ifq %u instead of %u", t->q[i].reg.zcrx_ifq_idx, i);
	}
}

static int listen_on(const char *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, (const struct sockaddr *)&a, sizeof(a)) || listen(fd, MAX_CONNS))
		error(1, errno, "port %s", port);
	return fd;
}

static void arm(struct two *t, unsigned int n)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&t->q[0].ring);

	io_uring_prep_rw(OP_RECV_ZC, sqe, t->conn[n].fd, NULL, 0, 0);
	sqe->ioprio = IORING_RECV_MULTISHOT;
	sqe->file_index = t->q[t->conn[n].ifq].reg.zcrx_ifq_idx;
	sqe->user_data = n;
}

static void accept_one(struct two *t, int listener, unsigned int n)
{
	struct sockaddr_in a = {};
	socklen_t len = sizeof(a);
	struct conn *c = &t->conn[n];

	*c = (struct conn) { .fd = accept(listener, (struct sockaddr *)&a, &len) };
	if (c->fd < 0)
		error(1, errno, "accept");
	c->port = ntohs(a.sin_port);
	c->ifq = c->port / 10 & 1;
	c->hash = hash_find("sha256")->start();
	if (!c->hash)
		error(1, ENOMEM, "sha256");
	arm(t, n);
}

/* What one completion announces; the pieces go back at once */
static void take(struct two *t, struct conn *c, uint32_t bytes)
{
	struct races_ifq *q = &t->q[c->ifq];
	struct io_uring_rbuf_cqe cqe;

	while (bytes) {
		if (!races_ifq_take(q, &cqe) || cqe.len > bytes)
			error(1, 0, "port %u: the completion ring of ifq %u has other data", c->port, c->ifq);
		hash_add(c->hash, q->region + cqe.off, cqe.len);
		c->copied += cqe.flags & IORING_RBUF_CQE_F_COPY ? cqe.len : 0;
		c->bytes += cqe.len;
		bytes -= cqe.len;
		if (!races_ifq_give(q, &cqe))
			error(1, 0, "the refill ring of ifq %u is full", c->ifq);
	}
}

static void over(struct conn *c)
{
	char text[HASH_TEXT];

	hash_end(c->hash, text);
	printf("%u %u %llu %llu %s\n", c->port, c->ifq, (unsigned long long)c->bytes,
	       (unsigned long long)c->copied, text);
	fflush(stdout);
	hash_free(c->hash);
	close(c->fd);
}

/* Until so many have ended */
static void receive(struct two *t, unsigned int left)
{
	struct io_uring *ring = &t->q[0].ring;
	struct io_uring_cqe *cqe;

	while (left) {
		struct conn *c;
		int ret = io_uring_submit_and_wait(ring, 1);

		if (ret < 0 && ret != -EINTR)
			error(1, -ret, "wait");
		while (!io_uring_peek_cqe(ring, &cqe)) {
			c = &t->conn[cqe->user_data];
			if (cqe->res < 0)
				error(1, -cqe->res, "port %u", c->port);
			take(t, c, (uint32_t)cqe->res);
			if (!cqe->res) {
				over(c);
				left--;
			} else if (!(cqe->flags & IORING_CQE_F_MORE)) {
				arm(t, (unsigned int)cqe->user_data);
			}
			io_uring_cqe_seen(ring, cqe);
		}
	}
}

static void unregister(const struct two *t, unsigned int ifq)
{
	struct io_uring_zc_rx_ctrl ctrl = { .zcrx_ifq_idx = ifq, .op = IORING_ZC_RX_CTRL_UNREGISTER };

	if (syscall(__NR_io_uring_register, t->q[0].ring.ring_fd, IORING_REGISTER_ZC_RX_CTRL_NR, &ctrl, 1))
		error(1, errno, "unregister ifq %u", ifq);
}

int main(int argc, char **argv)
{
	unsigned int n, conns;
	static struct two t;
	int listener;

	if (argc != 6 || (conns = (unsigned int)atoi(argv[5])) > MAX_CONNS) {
		fprintf(stderr, "usage: two-ifqs IFACE QUEUE0 QUEUE1 PORT CONNECTIONS\n");
		return 2;
	}
	bind_both(&t, argv);
	listener = listen_on(argv[4]);
	for (n = 0; n < conns; n++)
		accept_one(&t, listener, n);
	receive(&t, conns);
	unregister(&t, 0);
	printf("one left\n");
	fflush(stdout);
	accept_one(&t, listener, 0);
	receive(&t, 1);
	races_ifq_close(&t.q[0]);
	races_ifq_unmap(&t.q[0]);
	races_ifq_unmap(&t.q[1]);
	return 0;
}
