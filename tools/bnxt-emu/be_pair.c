// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Back end: a cable between two emulated NICs.
 *
 * Both ends are given the same name in the file system. Who comes first listens
 * there, who comes second connects: a SOCK_SEQPACKET, one message a frame, each
 * with its virtio-net header in front, so that large frames and missing
 * checksums pass whole as they do between two guests of one host. While the
 * other end is missing, or when it left, there is no carrier.
 *
 * The wire is lossless, as one with pause frames is: an end that does not read
 * fills the socket, then the sender's device stops sending.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <linux/if_ether.h>

#include "be_pair.h"

#define RX_BURST	64
#define TX_IOV		64
#define FRAME_MAX	(ETH_HLEN + 4 + 65535)
#define SOCKET_BYTES	(4 << 20)	/* some 60 of the largest frames */
#define QUEUE_MAX	1024		/* frames kept for a full socket; one large frame cut gives 45 */
#define ATTACH_TRIES	8
#define RETRY_NS	100000000ull	/* between two tries to get at the name */

struct queued {
	struct queued *next;
	size_t len;
	uint8_t bytes[];	/* header and frame */
};

struct be_pair {
	struct backend base;
	struct loop *loop;
	const struct backend_ops *ops;
	void *host;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	int listen_fd;		/* at most one of these two is open */
	int fd;
	bool held;
	bool carrier;
	bool detached;		/* neither is, and the name is in the way: tried again */
	struct queued *first, **last;
	unsigned int queued;
	struct {
		struct virtio_net_hdr_v1 hdr;
		uint8_t frame[FRAME_MAX];
	} rx;
};

static struct be_pair *to_pair(struct backend *be)
{
	return (struct be_pair *)be;
}

static void set_carrier(struct be_pair *pair, bool up)
{
	if (pair->carrier == up)
		return;
	pair->carrier = up;
	if (pair->ops->carrier)
		pair->ops->carrier(pair->host, up);
}

static void drop_queue(struct be_pair *pair)
{
	while (pair->first) {
		struct queued *q = pair->first;

		pair->first = q->next;
		pair->base.stats.tx_lost++;
		free(q);
	}
	pair->last = &pair->first;
	pair->queued = 0;
}

static void stop_listening(struct be_pair *pair)
{
	if (pair->listen_fd < 0)
		return;
	loop_del(pair->loop, pair->listen_fd);
	close(pair->listen_fd);
	unlink(pair->path);
	pair->listen_fd = -1;
}

static void hang_up(struct be_pair *pair)
{
	if (pair->fd < 0)
		return;
	loop_del(pair->loop, pair->fd);
	close(pair->fd);
	pair->fd = -1;
	drop_queue(pair);
	if (pair->ops->tx_room)
		pair->ops->tx_room(pair->host, true);
	set_carrier(pair, false);
}

static bool attach(struct be_pair *pair);

static void other_end_left(struct be_pair *pair)
{
	hang_up(pair);
	pair->detached = !attach(pair);
}

static void pair_readable(void *arg)
{
	struct be_pair *pair = arg;
	struct iovec iov[2] = {
		{ .iov_base = &pair->rx.hdr, .iov_len = sizeof(pair->rx.hdr) },
		{ .iov_base = pair->rx.frame, .iov_len = sizeof(pair->rx.frame) },
	};
	struct msghdr mh = { .msg_iov = iov, .msg_iovlen = 2 };

	for (int i = 0; i < RX_BURST && !pair->held; i++) {
		ssize_t n = recvmsg(pair->fd, &mh, MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0) {
			pair->ops->rx_end(pair->host);
			other_end_left(pair);
			return;
		}
		n -= sizeof(pair->rx.hdr);
		if (n < ETH_HLEN || mh.msg_flags & MSG_TRUNC) {
			pair->base.stats.rx_bad++;
			continue;
		}
		pair->base.stats.rx_frames++;
		pair->base.stats.rx_bytes += n;
		pair->ops->rx(pair->host, &pair->rx.hdr, pair->rx.frame, n);
	}
	pair->ops->rx_end(pair->host);
}

static bool use_connection(struct be_pair *pair, int fd)
{
	int bytes = SOCKET_BYTES;

	/* beyond the system's limit only with CAP_NET_ADMIN */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)))
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	if (!loop_add(pair->loop, fd, pair_readable, pair)) {
		close(fd);
		return false;
	}
	pair->fd = fd;
	loop_pause(pair->loop, fd, pair->held);
	set_carrier(pair, true);
	return true;
}

static void pair_accept(void *arg)
{
	struct be_pair *pair = arg;
	int fd = accept4(pair->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	/* a cable has two ends */
	stop_listening(pair);
	if (!use_connection(pair, fd))
		pair->detached = !attach(pair);
}

static int pair_socket(void)
{
	return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* Returns the connection, -1 with errno set: ENOENT and ECONNREFUSED mean that nobody listens */
static int try_connect(const struct be_pair *pair)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = pair_socket(), err;

	if (fd < 0)
		return -1;
	strcpy(sa.sun_path, pair->path);
	if (!connect(fd, (struct sockaddr *)&sa, sizeof(sa)))
		return fd;
	err = errno;
	close(fd);
	errno = err;
	return -1;
}

/*
 * The name appears only when somebody listens there, so that one which refuses
 * connections was left by a process that is gone. Returns -1 with EEXIST when
 * the other end was faster.
 */
static int try_listen(const struct be_pair *pair)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = pair_socket(), err;

	if (fd < 0)
		return -1;
	if ((size_t)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s~%d", pair->path, getpid()) >=
	    sizeof(sa.sun_path)) {
		close(fd);
		errno = ENAMETOOLONG;
		return -1;
	}
	unlink(sa.sun_path);
	if (!bind(fd, (struct sockaddr *)&sa, sizeof(sa)) && !listen(fd, 1) &&
	    !renameat2(AT_FDCWD, sa.sun_path, AT_FDCWD, pair->path, RENAME_NOREPLACE))
		return fd;
	err = errno;
	unlink(sa.sun_path);
	close(fd);
	errno = err;
	return -1;
}

/* Returns false with errno set when neither connecting nor listening is possible */
static bool attach(struct be_pair *pair)
{
	pair->detached = false;
	for (int i = 0; i < ATTACH_TRIES; i++) {
		int fd = try_connect(pair);

		if (fd >= 0)
			return use_connection(pair, fd);
		if (errno == ECONNREFUSED)
			unlink(pair->path);
		else if (errno != ENOENT)
			return false;
		fd = try_listen(pair);
		if (fd >= 0) {
			pair->listen_fd = fd;
			return loop_add(pair->loop, fd, pair_accept, pair);
		}
		if (errno != EEXIST)
			return false;
	}
	return false;
}

static bool send_parts(struct be_pair *pair, struct iovec *iov, int n)
{
	struct msghdr mh = { .msg_iov = iov, .msg_iovlen = n };

	return sendmsg(pair->fd, &mh, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

static void pair_writable(void *arg)
{
	struct be_pair *pair = arg;

	while (pair->first) {
		struct queued *q = pair->first;
		struct iovec iov = { .iov_base = q->bytes, .iov_len = q->len };

		if (!send_parts(pair, &iov, 1)) {
			if (errno == EAGAIN || errno == ENOBUFS)
				return;
			/* the hang-up is seen, and dealt with, on the reading side */
			break;
		}
		pair->base.stats.tx_frames++;
		pair->base.stats.tx_bytes += q->len - sizeof(struct virtio_net_hdr_v1);
		pair->first = q->next;
		pair->queued--;
		free(q);
	}
	drop_queue(pair);
	loop_on_writable(pair->loop, pair->fd, NULL);
	if (pair->ops->tx_room)
		pair->ops->tx_room(pair->host, true);
}

/* Keeps a frame for which the socket has no room; false if there are too many by now */
static bool enqueue(struct be_pair *pair, const struct iovec *iov, int n, size_t len)
{
	struct queued *q = pair->queued < QUEUE_MAX ? malloc(sizeof(*q) + len) : NULL;

	if (!q)
		return false;
	q->next = NULL;
	q->len = 0;
	for (int i = 0; i < n; i++) {
		memcpy(q->bytes + q->len, iov[i].iov_base, iov[i].iov_len);
		q->len += iov[i].iov_len;
	}
	*pair->last = q;
	pair->last = &q->next;
	if (!pair->queued++) {
		loop_on_writable(pair->loop, pair->fd, pair_writable);
		if (pair->ops->tx_room)
			pair->ops->tx_room(pair->host, false);
	}
	return true;
}

static void pair_tx(struct backend *be, const struct virtio_net_hdr_v1 *hdr,
		    const struct iovec *iov, int iovcnt)
{
	struct be_pair *pair = to_pair(be);
	struct iovec all[TX_IOV];
	size_t len = 0;

	if (iovcnt < 0 || iovcnt >= TX_IOV || pair->fd < 0) {
		be->stats.tx_lost++;
		return;
	}
	all[0] = (struct iovec){ .iov_base = (void *)hdr, .iov_len = sizeof(*hdr) };
	for (int i = 0; i < iovcnt; i++) {
		all[i + 1] = iov[i];
		len += iov[i].iov_len;
	}
	/* none may overtake those that wait */
	if (!pair->queued && send_parts(pair, all, iovcnt + 1)) {
		be->stats.tx_frames++;
		be->stats.tx_bytes += len;
		return;
	}
	if ((!pair->queued && errno != EAGAIN && errno != ENOBUFS) ||
	    !enqueue(pair, all, iovcnt + 1, sizeof(*hdr) + len))
		be->stats.tx_lost++;
}

static void pair_hold(struct backend *be, bool hold)
{
	struct be_pair *pair = to_pair(be);

	pair->held = hold;
	if (pair->fd >= 0)
		loop_pause(pair->loop, pair->fd, hold);
}

static uint64_t pair_timers(struct backend *be, uint64_t now)
{
	struct be_pair *pair = to_pair(be);

	(void)now;
	if (pair->detached)
		pair->detached = !attach(pair);
	return pair->detached ? RETRY_NS : UINT64_MAX;
}

static void pair_free(struct backend *be)
{
	struct be_pair *pair = to_pair(be);

	pair->ops = &(const struct backend_ops){ 0 };	/* nobody to tell any more */
	hang_up(pair);
	stop_listening(pair);
	free(pair);
}

static const struct backend_class pair_class = {
	.tx = pair_tx,
	.hold = pair_hold,
	.timers = pair_timers,
	.free = pair_free,
};

/**
 * be_pair_new() - Plug one end of a cable in
 * @loop: event loop
 * @path: name of the cable, the same at both ends, on one file system
 * @ops: what to tell; @ops->carrier is called with false from here when the
 *	other end is not there yet
 * @host: passed to @ops
 *
 * Return: the back end, NULL with errno set.
 */
struct backend *be_pair_new(struct loop *loop, const char *path, const struct backend_ops *ops,
			    void *host)
{
	struct be_pair *pair = calloc(1, sizeof(*pair));

	if (!pair)
		return NULL;
	pair->base.class = &pair_class;
	pair->loop = loop;
	pair->ops = ops;
	pair->host = host;
	pair->fd = -1;
	pair->listen_fd = -1;
	pair->last = &pair->first;
	pair->carrier = true;
	if (strlen(path) >= sizeof(pair->path)) {
		errno = ENAMETOOLONG;
		goto free_pair;
	}
	strcpy(pair->path, path);
	if (!attach(pair))
		goto free_pair;
	if (pair->fd < 0)
		set_carrier(pair, false);
	return &pair->base;

free_pair:
	free(pair);
	return NULL;
}
