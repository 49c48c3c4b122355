// SPDX-License-Identifier: GPL-2.0-or-later
/* What the peer sends: streams and datagrams of the test pattern */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../tap.h"
#include "paths.h"
#include "pattern.h"

#define CHUNK_MAX	65536
#define CHUNK_STREAM	60000
#define CHUNK_DATAGRAM	1400

static int feed_bind(int fd, const char *from)
{
	struct sockaddr_in a = { .sin_family = AF_INET };

	inet_pton(AF_INET, from, &a.sin_addr);
	return bind(fd, (const struct sockaddr *)&a, sizeof(a)) ? -errno : 0;
}

static int feed_connect(const struct feed *f)
{
	const char *to = f->to ? f->to : PATHS_GUEST;
	struct sockaddr_storage a = {};
	const socklen_t len = paths_address(&a, to, f->port);
	int fd = paths_socket(f->ns ? f->ns : "peer", a.ss_family, f->type ? f->type : SOCK_STREAM, f->proto);
	int one = 1, err;

	if (fd < 0)
		return -errno;
	paths_limit(fd);
	err = f->from ? feed_bind(fd, f->from) : 0;
	if (!err && connect(fd, (const struct sockaddr *)&a, len))
		err = -errno;
	if (!err && f->segments)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (!err && f->prepare)
		err = f->prepare(fd);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

static int feed_send(int fd, const uint8_t *p, size_t n, int flags)
{
	while (n) {
		ssize_t w = send(fd, p, n, MSG_NOSIGNAL | flags);

		if (w < 0)
			return -errno;
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

/* One piece of the stream; its length, 0 at the end, or -errno */
static ssize_t feed_piece(const struct feed *f, int fd, uint64_t at)
{
	size_t n = f->chunk ? f->chunk : f->type == SOCK_DGRAM ? CHUNK_DATAGRAM : CHUNK_STREAM;
	uint8_t buf[CHUNK_MAX];
	int err;

	if (f->bytes && f->bytes - at < n)
		n = f->bytes - at;
	pattern_fill(buf, f->base + at, n);
	err = feed_send(fd, buf, n, f->segments ? MSG_EOR : 0);
	if (!err && n && f->urgent && send(fd, "!", 1, MSG_OOB | MSG_NOSIGNAL) != 1)
		err = -errno;
	return err ?: (ssize_t)n;
}

static void *feed_main(void *arg)
{
	struct feed *f = arg;
	int fd = feed_connect(f);
	uint64_t at = 0;

	f->err = fd < 0 ? fd : 0;
	while (!f->err && !__atomic_load_n(&f->stop, __ATOMIC_RELAXED) && (!f->bytes || at < f->bytes)) {
		ssize_t n;

		if (__atomic_load_n(&f->paused, __ATOMIC_RELAXED)) {
			usleep(1000);
			continue;
		}
		n = feed_piece(f, fd, at);
		if (n < 0)
			f->err = (int)n;
		else
			at += (uint64_t)n;
		if (f->gap_us)
			usleep(f->gap_us);
	}
	if (fd >= 0)
		close(fd);
	return NULL;
}

/**
 * feed_start() - begin to send
 * @f: what; to be left alone until feed_wait() or feed_stop()
 *
 * Return: whether it could be begun.
 */
bool feed_start(struct feed *f)
{
	f->started = !pthread_create(&f->thread, NULL, feed_main, f);
	return f->started;
}

/**
 * feed_wait() - wait until all is sent
 * @f: feed
 *
 * Return: whether it was; says why not.
 */
bool feed_wait(struct feed *f)
{
	if (f->started)
		pthread_join(f->thread, NULL);
	f->started = false;
	if (f->err)
		tap_diag("sending failed: %s", strerror(-f->err));
	return !f->err;
}

/**
 * feed_pause() - have a feed wait, or go on
 * @f: feed
 * @paused: whether it waits
 */
void feed_pause(struct feed *f, bool paused)
{
	__atomic_store_n(&f->paused, paused, __ATOMIC_RELAXED);
}

/**
 * feed_stop() - end a feed that would go on, and whose receiver is gone or goes on
 * @f: feed
 */
void feed_stop(struct feed *f)
{
	__atomic_store_n(&f->stop, true, __ATOMIC_RELAXED);
	if (f->started)
		pthread_join(f->thread, NULL);
	f->started = false;
}
