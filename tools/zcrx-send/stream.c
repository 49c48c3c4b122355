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
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "sender.h"
#include "stop.h"

/* Read so much at once; a record at a time goes to the socket */
#define READ_SIZE	(1U << 20)
/* Look so often whether everything is acknowledged */
#define ACK_POLL_MS	10

static bool is_stopping(const struct stream *st)
{
	return stop_wanted() || st->sender->stopping;
}

/* @flags: MSG_ZEROCOPY or 0, for the buffer in use */
static ssize_t send_some(struct stream *st, const struct msghdr *msg, int flags)
{
	ssize_t ret = sendmsg(st->fd, msg, MSG_EOR | MSG_NOSIGNAL | flags);
	int err;

	if (ret < 0)
		ret = -errno;
	err = flags ? zerocopy_sent(&st->zc, ret) : ret < 0 ? (int)ret : 0;
	return err ? err : ret;
}

static int send_record(struct stream *st, const uint8_t *data, size_t len)
{
	struct iovec iov = { (void *)data, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int flags = st->sender->opt->how == SEND_ZEROCOPY ? MSG_ZEROCOPY : 0;

	while (iov.iov_len) {
		ssize_t ret = send_some(st, &msg, flags);

		if (ret == -ENOBUFS && flags)
			flags = 0;
		else if (ret < 0 && ret != -EAGAIN && (ret != -EINTR || is_stopping(st)))
			return (int)ret;
		if (ret < 0)
			continue;
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

/* Zeros that the last page lacks of a stream that ends here */
static uint32_t pad_length(const struct stream *st)
{
	uint32_t page = st->sender->want.page;
	uint32_t used = (uint32_t)(st->source.pos % page);

	return st->sender->opt->pad && used ? page - used : 0;
}

/* A buffer full; 1, 0 at the end, -errno */
static int send_next(struct stream *st, uint8_t *buf, size_t size)
{
	size_t want = next_length(st, size);
	int64_t n = want ? source_read(&st->source, buf, want) : 0;
	int err;

	if (n < 0) {
		st->step = ZCRX_STEP_SINK;
		return (int)n;
	}
	if ((size_t)n < size) {
		/* of the last record, or TCP would begin a packet with it; the buffer is whole pages */
		st->padding = pad_length(st);
		memset(buf + n, 0, st->padding);
	}
	err = send_records(st, buf, (size_t)n + st->padding);
	return err ? err : (size_t)n == size;
}

/* Whole records at once; standard input is not kept waiting for more than one */
static size_t buffer_size(const struct stream *st)
{
	size_t record = st->sender->want.record;

	return st->source.kind == SOURCE_STDIN || record >= READ_SIZE ? record :
								     READ_SIZE - READ_SIZE % record;
}

static size_t whole_pages(size_t size)
{
	return (size + 4095) & ~(size_t)4095;
}

static int send_copying(struct stream *st)
{
	size_t size = buffer_size(st);
	uint8_t *buf = aligned_alloc(4096, whole_pages(size));
	int ret = buf ? 1 : -ENOMEM;

	while (ret > 0)
		ret = is_stopping(st) ? -EINTR : send_next(st, buf, size);
	free(buf);
	return ret < 0 ? ret : 0;
}

static int send_zerocopy(struct stream *st)
{
	size_t size = buffer_size(st);
	int ret = zerocopy_open(&st->zc, st->fd, &st->sender->stopping, whole_pages(size));

	if (ret)
		return ret;
	for (ret = 1; ret > 0;) {
		uint8_t *buf = zerocopy_buffer(&st->zc, &ret);

		if (buf)
			ret = is_stopping(st) ? -EINTR : send_next(st, buf, size);
	}
	return ret;
}

/* From the page cache, without a detour through memory of ours: 0, -errno */
static int splice_some(struct stream *st, size_t len)
{
	while (len) {
		off_t pos = (off_t)st->source.pos;
		ssize_t ret = sendfile(st->fd, st->source.fd, &pos, len);

		if (ret < 0 && errno == EINTR && !is_stopping(st))
			continue;
		if (ret < 0)
			return -errno;
		if (!ret) {
			/* it has become shorter since its length was looked up */
			st->step = ZCRX_STEP_SINK;
			return -ENODATA;
		}
		st->source.pos += (uint64_t)ret;
		len -= (size_t)ret;
		__atomic_fetch_add(&st->sent, (uint64_t)ret, __ATOMIC_RELAXED);
	}
	return 0;
}

/*
 * sendfile(2) cannot end a record. So it sends all but the last byte, which goes
 * with MSG_EOR, and under TCP_CORK into the same packet. So do the zeros after the last one.
 */
static int splice_record(struct stream *st, size_t len, bool is_last)
{
	uint8_t last[GEOMETRY_PAGE_MAX];
	int err = splice_some(st, len - 1);
	int64_t n;

	if (err)
		return err;
	n = pread(st->source.fd, last, 1, (off_t)st->source.pos);
	if (n != 1) {
		st->step = ZCRX_STEP_SINK;
		return n < 0 ? -errno : -ENODATA;
	}
	st->source.pos++;
	st->padding = is_last ? pad_length(st) : 0;
	memset(last + 1, 0, st->padding);
	return send_record(st, last, 1 + st->padding);
}

static int send_spliced(struct stream *st)
{
	uint64_t end = st->source.size, limit = st->sender->opt->bytes;
	int err = 0;

	if (limit && limit < end)
		end = limit;
	while (!err && st->source.pos < end) {
		uint64_t left = end - st->source.pos;
		uint32_t record = st->sender->want.record;

		err = is_stopping(st) ? -EINTR :
					splice_record(st, left < record ? (size_t)left : record,
						      left <= record);
	}
	return err;
}

/*
 * Everything the source has, in records, the last one as long as it happens to be;
 * -EINTR when it was to stop before
 */
static int (*const senders[])(struct stream *st) = {
	[SEND_COPYING] = send_copying,
	[SEND_ZEROCOPY] = send_zerocopy,
	[SEND_SPLICED] = send_spliced,
};

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
		bool more = ready > 0 && pfd.revents & (POLLIN | POLLHUP);
		ssize_t ret = more ? read(st->fd, said, sizeof(said)) : 1;
		int err;

		/* notifications make it readable for ever, until they are taken */
		if (ready > 0 && st->zc.open)
			zerocopy_reap(&st->zc, false);
		if (ready < 0 && errno != EINTR)
			return -errno;
		if (ret < 0 && errno != EINTR)
			return -errno;
		if (more && is_unheard_offer(st, said, ret))
			return -EPROTO;
		/* nothing more will come, and a reset is not told by reading any more */
		if (!ret)
			pfd.fd = -1;
		net_tcp_info(st->fd, &st->info);
		err = net_error(st->fd);
		if (err)
			return err;
		if (!st->info.tcpi_unacked && !st->info.tcpi_notsent_bytes)
			return 0;
		if (is_stopping(st))
			return -EINTR;
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
	int err = net_cork(st->fd, true);

	if (!err)
		err = senders[st->sender->opt->how](st);
	if (err)
		return err;
	net_cork(st->fd, false);
	if (shutdown(st->fd, SHUT_WR))
		return -errno;
	return wait_for_acks(st);
}

/*
 * The end of a stream that was stopped, whatever failed in the course of that. The pattern has
 * no other end, unless it is limited. All else was cut, and must not look complete.
 */
static void end_stopped(struct stream *st)
{
	const struct send_options *opt = st->sender->opt;

	st->cut = opt->kind != SOURCE_PATTERN || opt->bytes;
	if (!st->cut) {
		net_cork(st->fd, false);
		shutdown(st->fd, SHUT_WR);
	}
	net_tcp_info(st->fd, &st->info);
	st->err = 0;
}

/* The last notifications follow the last acknowledgements; while the socket is there, look why */
static void end_zerocopy(struct stream *st)
{
	struct zerocopy *z = &st->zc;

	while (!st->err && z->open && !zerocopy_reap(z, true))
		;
	if (z->copied)
		st->cause = zerocopy_cause(z, &st->cause_env);
	zerocopy_close(z);
}

/**
 * stream_main() - feed a stream until its end; a thread
 * @arg: struct stream
 *
 * Return: NULL; the stream has step and errno of what failed, or that it was cut.
 */
void *stream_main(void *arg)
{
	struct stream *st = arg;

	st->step = ZCRX_STEP_SEND;
	/* connecting and greeting took segments, too */
	net_tcp_info(st->fd, &st->before);
	st->err = feed(st);
	if (st->err && is_stopping(st)) {
		end_stopped(st);
	} else if (st->err) {
		net_tcp_info(st->fd, &st->info);
		st->err = why_closed(st, st->err);
	}
	if (!st->err && !st->cut)
		reset_on_close(st->fd, false);
	if (st->sender->opt->how == SEND_ZEROCOPY)
		end_zerocopy(st);
	/* the pipe holds far more bytes than there are streams */
	while (write(st->sender->done[1], "", 1) < 0 && errno == EINTR)
		;
	return NULL;
}
