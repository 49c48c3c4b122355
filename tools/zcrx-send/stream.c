// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TCP gives no promise where it cuts a stream, but it cuts full segments when
 * it can, never sends a partial one under TCP_CORK while more is to come, and
 * starts a new packet after MSG_EOR. So payloads are whole pages if full
 * segments are, and a cut that happens all the same (a receive window that is
 * no multiple of a segment, a window probe) spoils no more than its record.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "sender.h"
#include "stop.h"

/* Read so much at once; a record at a time goes to the socket */
#define READ_SIZE	(1U << 20)
/* Look so often whether everything is acknowledged */
#define ACK_POLL_MS	10

static int send_record(struct stream *st, const uint8_t *data, size_t len)
{
	struct iovec iov = { (void *)data, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	while (iov.iov_len) {
		ssize_t ret = sendmsg(st->fd, &msg, MSG_EOR | MSG_NOSIGNAL);

		if (ret < 0 && errno == EINTR && !stop_wanted())
			continue;
		if (ret < 0)
			return -errno;
		iov.iov_base = (uint8_t *)iov.iov_base + ret;
		iov.iov_len -= (size_t)ret;
		__atomic_fetch_add(&st->sent, (uint64_t)ret, __ATOMIC_RELAXED);
	}
	return 0;
}

static int send_records(struct stream *st, const uint8_t *data, size_t len)
{
	uint32_t record = st->sender->want.record;
	int err = 0;

	while (len && !err) {
		size_t n = len < record ? len : record;

		err = send_record(st, data, n);
		data += n;
		len -= n;
	}
	return err;
}

static size_t next_length(const struct stream *st, size_t size)
{
	uint64_t limit = st->sender->opt->bytes;

	if (limit && limit - st->source.pos < size)
		return (size_t)(limit - st->source.pos);
	return size;
}

/* Everything the source has, in records, the last one as long as it happens to be */
static int send_all(struct stream *st, uint8_t *buf, size_t size)
{
	while (!stop_wanted()) {
		size_t want = next_length(st, size);
		int64_t n = want ? source_read(&st->source, buf, want) : 0;
		int err;

		if (n < 0) {
			st->step = ZCRX_STEP_SINK;
			return (int)n;
		}
		err = send_records(st, buf, (size_t)n);
		if (err || (size_t)n < size)
			return err;
	}
	return 0;
}

/* Is what the receiver says the offer of one that wants a greeting? Nobody waited for it */
static bool is_unheard_offer(const struct stream *st, const char *said, ssize_t len)
{
	struct hello h;

	return !st->sender->offer.page && len >= HELLO_SIZE &&
	       hello_read((const uint8_t *)said, HELLO_SIZE, &h) == HELLO_FINE;
}

/*
 * Waits until the receiver has acknowledged everything, the end included. A
 * receiver that keeps its own direction open (nc does, on a terminal) is not
 * waited for any longer than that.
 */
static int wait_for_acks(struct stream *st)
{
	struct pollfd pfd = { .fd = st->fd, .events = POLLIN };
	char said[4096];

	for (;;) {
		int ready = poll(&pfd, 1, ACK_POLL_MS);
		ssize_t ret = ready > 0 ? read(st->fd, said, sizeof(said)) : 1;
		int err;

		if (ready < 0 && errno != EINTR)
			return -errno;
		if (ret < 0 && errno != EINTR)
			return -errno;
		if (ready > 0 && is_unheard_offer(st, said, ret))
			return -EPROTO;
		/* nothing more will come, and a reset is not told by reading any more */
		if (!ret)
			pfd.fd = -1;
		net_tcp_info(st->fd, &st->info);
		err = net_error(st->fd);
		if (err)
			return err;
		if (stop_wanted() || (!st->info.tcpi_unacked && !st->info.tcpi_notsent_bytes))
			return 0;
	}
}

/* A receiver that closed may have said why before */
static int why_closed(const struct stream *st, int err)
{
	char said[HELLO_SIZE];
	ssize_t ret = recv(st->fd, said, sizeof(said), MSG_DONTWAIT);

	return is_unheard_offer(st, said, ret) ? -EPROTO : err;
}

static int feed(struct stream *st)
{
	/* whole records at once; standard input is not kept waiting for more than one */
	size_t size = st->sender->want.record;
	uint8_t *buf;
	int err;

	if (st->source.kind != SOURCE_STDIN && size < READ_SIZE)
		size = READ_SIZE - READ_SIZE % size;
	buf = aligned_alloc(4096, (size + 4095) & ~(size_t)4095);
	if (!buf)
		return -ENOMEM;
	err = net_cork(st->fd, true);
	if (!err)
		err = send_all(st, buf, size);
	free(buf);
	if (err)
		return err;
	net_cork(st->fd, false);
	if (shutdown(st->fd, SHUT_WR))
		return -errno;
	return wait_for_acks(st);
}

/**
 * stream_main() - feed a stream until its end; a thread
 * @arg: struct stream
 *
 * Return: NULL; the stream has step and errno of what failed.
 */
void *stream_main(void *arg)
{
	struct stream *st = arg;

	st->step = ZCRX_STEP_SEND;
	/* connecting and greeting took segments, too */
	net_tcp_info(st->fd, &st->before);
	st->err = feed(st);
	if (st->err) {
		net_tcp_info(st->fd, &st->info);
		st->err = why_closed(st, st->err);
	}
	/* the pipe holds far more bytes than there are streams */
	while (write(st->sender->done[1], "", 1) < 0 && errno == EINTR)
		;
	return NULL;
}
