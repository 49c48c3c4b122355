// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TCP gives no promise where it cuts a stream, but it cuts full segments when
 * it can, never sends a partial one under TCP_CORK while more is to come, and
 * starts a new packet after MSG_EOR. So payloads are whole pages if full
 * segments are, and a cut that happens all the same (a receive window that is
 * no multiple of a segment, a window probe) spoils no more than its record.
 */
#include "send.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "geometry.h"
#include "net.h"
#include "stop.h"

/* Read so much at once; a record at a time goes to the socket */
#define READ_SIZE	(1U << 20)
/* Try so often to connect to who does not listen yet */
#define RETRY_MS	50
/* Look so often whether everything is acknowledged */
#define ACK_POLL_MS	10

/**
 * struct stream - one connection
 * @sender: whose it is
 * @thread: who feeds it
 * @fd: socket
 * @source: what it sends
 * @peer: address of the receiver
 * @payload: payload of a full segment
 * @segments: segments if it is cut only where it should be
 * @sent: bytes so far; read by the thread that reports
 * @info: TCP's own account at the end
 * @step: what failed
 * @err: errno of it, 0 if nothing did
 */
struct stream {
	struct sender *sender;
	pthread_t thread;
	int fd;
	struct source source;
	char peer[NET_NAME];
	uint32_t payload;
	uint64_t segments;
	uint64_t sent;
	struct tcp_info info;
	enum zcrx_step step;
	int err;
};

/**
 * struct sender - the sender
 * @opt: what the user asked for
 * @report: where to say things
 * @record: bytes of a record
 * @mtu: MTU of the path, 0 if it is not known
 * @streams: connections
 * @done: pipe: a byte for each stream that is done
 * @stop: becomes readable on SIGINT and SIGTERM
 * @stopping: sockets were shut down to end the streams
 */
struct sender {
	const struct send_options *opt;
	struct report *report;
	uint32_t record;
	int mtu;
	struct stream *streams;
	int done[2];
	int stop;
	bool stopping;
};

static void refuse(struct sender *s, enum zcrx_step step, int err, const char *path)
{
	struct zcrx_refusal why = { 0 };
	struct diag_env env = {
		.prog = s->report->prog,
		.why = &why,
		.port = s->opt->port_number,
		.path = path,
		.peer = s->opt->host,
	};

	zcrx_refuse(&why, step, err);
	report_refusal(s->report, &env);
}

/* ---- a stream ---------------------------------------------------------- */

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
	uint32_t record = st->sender->record;
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

/*
 * Waits until the receiver has acknowledged everything, the end included. A
 * receiver that keeps its own direction open (nc does, on a terminal) is not
 * waited for any longer than that.
 */
static int wait_for_acks(struct stream *st)
{
	struct pollfd pfd = { .fd = st->fd, .events = POLLIN };
	char ignored[4096];

	for (;;) {
		int ready = poll(&pfd, 1, ACK_POLL_MS);
		ssize_t ret = ready > 0 ? read(st->fd, ignored, sizeof(ignored)) : 1;

		if (ready < 0 && errno != EINTR)
			return -errno;
		if (ret < 0 && errno != EINTR)
			return -errno;
		net_tcp_info(st->fd, &st->info);
		if (!ret || stop_wanted())
			return 0;
		if (!st->info.tcpi_unacked && !st->info.tcpi_notsent_bytes)
			return 0;
	}
}

static int feed(struct stream *st)
{
	/* whole records at once; standard input is not kept waiting for more than one */
	size_t size = st->sender->record;
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

static void *stream_main(void *arg)
{
	struct stream *st = arg;

	st->step = ZCRX_STEP_SEND;
	st->err = feed(st);
	if (st->err)
		net_tcp_info(st->fd, &st->info);
	/* the pipe holds far more bytes than there are streams */
	while (write(st->sender->done[1], "", 1) < 0 && errno == EINTR)
		;
	return NULL;
}

/* ---- connecting -------------------------------------------------------- */

static uint32_t own_maxseg(struct sender *s, const struct addrinfo *ai)
{
	struct geometry_path path = {
		.ipv6 = ai->ai_family == AF_INET6,
		.timestamps = geometry_timestamps_enabled(),
	};

	s->mtu = net_path_mtu(ai);
	path.mtu = (uint32_t)s->mtu;
	return geometry_maxseg(geometry_payload(&path, s->opt->page, 0), path.timestamps);
}

static int connect_any(struct sender *s, struct stream *st, const struct addrinfo *list)
{
	int fd = -EHOSTUNREACH;

	for (const struct addrinfo *ai = list; ai && fd < 0; ai = ai->ai_next) {
		fd = net_connect(ai, own_maxseg(s, ai));
		if (fd >= 0)
			net_name(ai->ai_addr, ai->ai_addrlen, st->peer);
	}
	return fd;
}

/*
 * The segment is the smaller of what the receiver advertises and what we limit
 * ourselves to: the most pages that the MTU of our end holds.
 */
static int connect_stream(struct sender *s, struct stream *st, const struct addrinfo *list)
{
	uint64_t give_up = clock_ns() + s->opt->wait_ns;
	int fd = connect_any(s, st, list);

	while (fd == -ECONNREFUSED && clock_ns() < give_up && !stop_wanted()) {
		poll(NULL, 0, RETRY_MS);
		fd = connect_any(s, st, list);
	}
	if (fd < 0)
		return fd;
	st->fd = fd;
	st->payload = net_send_mss(fd);
	return 0;
}

static int open_streams(struct sender *s)
{
	const struct send_options *opt = s->opt;
	struct addrinfo *list;
	int err = net_resolve(opt->host, opt->port, opt->family, &list);

	if (err) {
		fprintf(s->report->talk, "%s: %s: %s\n", s->report->prog, opt->host,
			gai_strerror(err));
		return -EHOSTUNREACH;
	}
	for (uint32_t i = 0; i < opt->streams && !err; i++) {
		struct stream *st = &s->streams[i];

		st->sender = s;
		err = source_open(&st->source, opt->kind, opt->path);
		if (err) {
			fprintf(s->report->talk, "%s: %s: %s\n", s->report->prog, opt->path,
				strerror(-err));
			break;
		}
		err = connect_stream(s, st, list);
		if (err)
			refuse(s, ZCRX_STEP_CONNECT, err, NULL);
	}
	freeaddrinfo(list);
	return err;
}

static void close_streams(struct sender *s)
{
	for (uint32_t i = 0; i < s->opt->streams; i++) {
		if (s->streams[i].fd >= 0)
			close(s->streams[i].fd);
		source_close(&s->streams[i].source);
	}
}

/* ---- what it says ------------------------------------------------------ */

/* "segments of 1 page", or why they are not whole pages */
static void say_shape(struct sender *s)
{
	const struct stream *st = &s->streams[0];
	uint32_t page = s->opt->page;
	bool ipv6 = st->peer[0] == '[';

	if (st->payload && st->payload % page == 0)
		fprintf(s->report->talk, "segments of %u page%s", st->payload / page,
			st->payload == page ? "" : "s");
	else
		fprintf(s->report->talk,
			"segments of %u bytes%s (pages need an MTU of %u on both sides)",
			st->payload,
			st->payload % GEOMETRY_SECTOR ? "" : ", whole blocks but no pages",
			geometry_mtu(page, ipv6, geometry_timestamps_enabled()));
	fprintf(s->report->talk, ", records of %u\n", s->record);
}

static void say_start(struct sender *s)
{
	const struct send_options *opt = s->opt;
	static const char *const kinds[] = {
		[SOURCE_STDIN] = "standard input",
		[SOURCE_FILE] = "file",
		[SOURCE_PATTERN] = "pattern",
	};

	fprintf(s->report->talk, "%s: %s to %s, %u stream%s, ", s->report->prog,
		kinds[opt->kind], s->streams[0].peer, opt->streams, opt->streams == 1 ? "" : "s");
	say_shape(s);
	if (!report_event(s->report, "start"))
		return;
	json_u64(&s->report->json, "schema", REPORT_SCHEMA);
	json_str(&s->report->json, "peer", s->streams[0].peer);
	json_str(&s->report->json, "source", kinds[opt->kind]);
	json_str(&s->report->json, "path", opt->path);
	json_u64(&s->report->json, "streams", opt->streams);
	json_u64(&s->report->json, "page_bytes", opt->page);
	json_u64(&s->report->json, "payload_bytes", s->streams[0].payload);
	json_u64(&s->report->json, "record_bytes", s->record);
	json_i64(&s->report->json, "mtu", s->mtu);
	report_event_end(s->report);
}

static uint64_t total_sent(const struct sender *s)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < s->opt->streams; i++)
		sum += __atomic_load_n(&s->streams[i].sent, __ATOMIC_RELAXED);
	return sum;
}

static void say_interval(struct sender *s, uint64_t at_ns, uint64_t bytes, uint64_t ns)
{
	char size[REPORT_SIZE];

	fprintf(s->report->talk, "%7.1f s  %9s  %6.2f Gbit/s\n", (double)at_ns / 1e9,
		report_size(bytes, size), report_gbit(bytes, ns));
	if (!report_event(s->report, "interval"))
		return;
	json_double(&s->report->json, "at", (double)at_ns / 1e9);
	report_rate(s->report, bytes, ns);
	report_event_end(s->report);
}

/**
 * struct shape - how the stream was cut, all streams together
 * @expected: segments if it was cut only at segments and records
 * @sent: segments that carried data, those sent again included
 * @again: segments sent again
 * @excess: segments more than expected: as many cuts at other places
 */
struct shape {
	uint64_t expected;
	uint64_t sent;
	uint64_t again;
	uint64_t excess;
};

static struct shape sum_shape(const struct sender *s)
{
	struct shape sum = { 0 };

	for (uint32_t i = 0; i < s->opt->streams; i++) {
		const struct stream *st = &s->streams[i];

		sum.expected += geometry_segments(st->sent, s->record, st->payload);
		sum.sent += st->info.tcpi_data_segs_out;
		sum.again += st->info.tcpi_total_retrans;
	}
	if (sum.sent > sum.expected + sum.again)
		sum.excess = sum.sent - sum.again - sum.expected;
	return sum;
}

static void say_end(struct sender *s, const struct cpu_sample *used)
{
	struct shape shape = sum_shape(s);
	uint64_t bytes = total_sent(s);
	struct report *out = s->report;
	char size[REPORT_SIZE];
	bool json = report_event(out, "end");

	if (json) {
		report_rate(out, bytes, used->wall_ns);
		json_u64(&out->json, "segments_expected", shape.expected);
		json_u64(&out->json, "segments_sent", shape.sent);
		json_u64(&out->json, "segments_excess", shape.excess);
		json_u64(&out->json, "retransmitted", shape.again);
	}
	fprintf(out->talk,
		"  segments  %" PRIu64 " expected, %" PRIu64 " sent: %" PRIu64
		" cut out of shape, %" PRIu64 " sent again\n",
		shape.expected, shape.sent, shape.excess, shape.again);
	report_cpu(out, used, bytes);
	if (json)
		report_event_end(out);
	fprintf(out->talk, "sent %s in %.2f s, %.2f Gbit/s\n", report_size(bytes, size),
		(double)used->wall_ns / 1e9, report_gbit(bytes, used->wall_ns));
}

/* ---- the whole --------------------------------------------------------- */

static void stop_streams(struct sender *s)
{
	if (s->stopping)
		return;
	s->stopping = true;
	for (uint32_t i = 0; i < s->opt->streams; i++)
		shutdown(s->streams[i].fd, SHUT_RDWR);
}

static int until(uint64_t now, uint64_t when)
{
	return when > now ? (int)((when - now) / 1000000) + 1 : 0;
}

/* Waits for the streams, reports meanwhile, and ends them when it is time */
static void supervise(struct sender *s, uint32_t running)
{
	const struct send_options *opt = s->opt;
	struct pollfd pfd[2] = { { .fd = s->done[0], .events = POLLIN },
				 { .fd = s->stop, .events = POLLIN } };
	uint64_t start = clock_ns(), then = start, before = 0;
	uint64_t next = opt->interval_ns ? start + opt->interval_ns : UINT64_MAX;
	uint64_t end = opt->time_ns ? start + opt->time_ns : UINT64_MAX;
	char dones[64];

	while (running) {
		uint64_t now = clock_ns();
		uint64_t when = next < end ? next : end;

		poll(pfd, 2, when == UINT64_MAX ? -1 : until(now, when));
		now = clock_ns();
		if (pfd[0].revents) {
			ssize_t n = read(s->done[0], dones, sizeof(dones));

			running -= n > 0 ? (uint32_t)n : 0;
		}
		if (stop_wanted() || now >= end) {
			stop_streams(s);
			pfd[1].fd = -1;
			end = UINT64_MAX;
		}
		if (now >= next && running) {
			uint64_t sum = total_sent(s);

			say_interval(s, now - start, sum - before, now - then);
			before = sum;
			then = now;
			next += opt->interval_ns;
		}
	}
}

static uint32_t start_threads(struct sender *s)
{
	uint32_t n = 0;

	while (n < s->opt->streams &&
	       !pthread_create(&s->streams[n].thread, NULL, stream_main, &s->streams[n]))
		n++;
	return n;
}

static enum send_exit judge(struct sender *s)
{
	enum send_exit ret = SEND_OK;

	for (uint32_t i = 0; i < s->opt->streams; i++) {
		const struct stream *st = &s->streams[i];

		/* our own shutdown of the sockets is no failure */
		if (!st->err || s->stopping)
			continue;
		if (st->step == ZCRX_STEP_SINK)
			fprintf(s->report->talk, "%s: cannot read %s: %s\n", s->report->prog,
				s->opt->path ? s->opt->path : "standard input",
				strerror(-st->err));
		else
			refuse(s, st->step, st->err, NULL);
		ret = SEND_FAILED;
	}
	return ret;
}

static enum send_exit transfer(struct sender *s)
{
	struct cpu_sample before, after;
	enum send_exit ret;
	uint32_t n;

	say_start(s);
	cpu_sample(&before);
	n = start_threads(s);
	if (n < s->opt->streams) {
		fprintf(s->report->talk, "%s: cannot start %u threads\n", s->report->prog,
			s->opt->streams);
		stop_streams(s);
	}
	supervise(s, n);
	for (uint32_t i = 0; i < n; i++)
		pthread_join(s->streams[i].thread, NULL);
	cpu_sample(&after);
	after = cpu_since(&before, &after);
	ret = n < s->opt->streams ? SEND_FAILED : judge(s);
	say_end(s, &after);
	return ret;
}

/**
 * send_run() - send until everything is sent
 * @opt: what the user asked for
 * @report: where to say things
 *
 * Return: exit status of the program.
 */
enum send_exit send_run(const struct send_options *opt, struct report *report)
{
	struct sender s = { .opt = opt, .report = report, .record = opt->record_pages * opt->page };
	enum send_exit ret = SEND_NOT_READY;

	s.stop = stop_install();
	s.streams = calloc(opt->streams, sizeof(*s.streams));
	if (s.stop < 0 || !s.streams || pipe(s.done)) {
		fprintf(report->talk, "%s: %s\n", report->prog, strerror(errno));
		goto free_streams;
	}
	for (uint32_t i = 0; i < opt->streams; i++)
		s.streams[i].fd = s.streams[i].source.fd = -1;
	if (!open_streams(&s))
		ret = transfer(&s);
	close_streams(&s);
	close(s.done[0]);
	close(s.done[1]);
free_streams:
	free(s.streams);
	if (s.stop >= 0)
		close(s.stop);
	return ret;
}
