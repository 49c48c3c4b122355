// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "greet.h"
#include "stop.h"

/* Try so often to connect to who does not listen yet */
#define RETRY_MS	50

static uint32_t own_maxseg(const struct addrinfo *ai, int mtu, uint32_t page)
{
	struct geometry_path path = {
		.mtu = (uint32_t)mtu,
		.ipv6 = ai->ai_family == AF_INET6,
		.timestamps = geometry_timestamps_enabled(),
	};

	return page ? geometry_own_maxseg(&path, page) : 0;
}

static int connect_any(const struct addrinfo *list, uint32_t page, struct reach *how)
{
	int fd = -EHOSTUNREACH;
	bool refused = false;

	for (const struct addrinfo *ai = list; ai && fd < 0 && !stop_wanted(); ai = ai->ai_next) {
		how->family = ai->ai_family;
		how->mtu = net_path_mtu(ai);
		fd = net_connect(ai, own_maxseg(ai, how->mtu, page));
		if (fd >= 0)
			net_name(ai->ai_addr, ai->ai_addrlen, how->name);
		refused |= fd == -ECONNREFUSED;
	}
	if (fd < 0 && stop_wanted())
		return -EINTR;
	/* the one that is worth waiting for, whatever is wrong with the other addresses */
	return fd < 0 && refused ? -ECONNREFUSED : fd;
}

/**
 * connect_receiver() - connect to the receiver, as patiently as the user wants
 * @opt: what the user asked for
 * @report: where to say what is wrong
 * @page: limit segments to as many pages of this size as the MTU of our end has
 *	room for, 0 not to. The receiver may want less, but not more
 * @how: how it was connected
 *
 * Return: a blocking socket that a close resets, see reset_on_close(); -EINTR when a signal
 * asked to stop, another -errno after it was said.
 */
int connect_receiver(const struct send_options *opt, struct report *report, uint32_t page,
		     struct reach *how)
{
	uint64_t give_up = clock_ns() + opt->wait_ns;
	struct addrinfo *list;
	int fd = net_resolve(opt->host, opt->port, opt->family, &list);

	if (fd) {
		struct diag_env env = { 0 };

		snprintf(env.have, sizeof(env.have), "%s", gai_strerror(fd));
		say_failure(opt, report, "unknown-host", &env);
		return -EHOSTUNREACH;
	}
	fd = connect_any(list, page, how);
	while (fd == -ECONNREFUSED && clock_ns() < give_up) {
		poll(NULL, 0, RETRY_MS);
		fd = connect_any(list, page, how);
	}
	freeaddrinfo(list);
	if (fd >= 0)
		reset_on_close(fd, true);
	else if (fd != -EINTR)
		say_refusal(opt, report, ZCRX_STEP_CONNECT, fd);
	return fd;
}

/**
 * reset_on_close() - choose how a connection ends
 * @fd: the socket
 * @reset: when it is closed, or this process ends in whatever way, reset it: who gets that
 *	does not take what came for all there is. Else it ends in order
 */
void reset_on_close(int fd, bool reset)
{
	const struct linger linger = { .l_onoff = reset };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

/* All streams are cut alike, so the receiver has to offer each the same */
static int agree(struct sender *s, struct stream *st)
{
	int err = greet(s->opt, s->report, st->fd, false, &s->offer);

	/* who refuses has said so, and a reset might overtake that */
	if (err && err != -EINTR)
		reset_on_close(st->fd, false);
	if (err)
		return err;
	s->want = (struct geometry_want){
		.page = s->offer.page,
		.quantum = s->offer.quantum,
		.record = s->offer.record,
	};
	return 0;
}

static int open_stream(struct sender *s, struct stream *st)
{
	const struct send_options *opt = s->opt;
	int err = source_open(&st->source, opt->kind, opt->path);

	st->sender = s;
	if (err && err != -EINTR)
		say_unreadable(opt, s->report, err);
	if (err)
		return err;
	if (opt->how == SEND_SPLICED && !st->source.size) {
		struct diag_env env = { 0 };

		say_failure(opt, s->report, "no-sendfile", &env);
		return -EINVAL;
	}
	st->fd = connect_receiver(opt, s->report, opt->page, &st->reach);
	if (st->fd < 0)
		return st->fd;
	st->payload = net_send_mss(st->fd);
	err = opt->pace ? net_pace(st->fd, opt->pace) : 0;
	if (err) {
		say_refusal(opt, s->report, ZCRX_STEP_SEND, err);
		return err;
	}
	return opt->hello_ns ? agree(s, st) : 0;
}

/**
 * open_streams() - open each stream's source and connect it
 * @s: the sender
 *
 * Return: 0, -errno after it was said.
 */
int open_streams(struct sender *s)
{
	int err = 0;

	for (uint32_t i = 0; i < s->opt->streams && !err; i++) {
		err = open_stream(s, &s->streams[i]);
		/* most of it cannot be interrupted */
		if (!err && stop_wanted())
			err = -EINTR;
	}
	if (err == -EINTR)
		report_say(s->report, "interrupted before anything was sent");
	return err;
}

/**
 * close_streams() - close what open_streams() opened
 * @s: the sender
 */
void close_streams(struct sender *s)
{
	for (uint32_t i = 0; i < s->opt->streams; i++) {
		if (s->streams[i].fd >= 0)
			close(s->streams[i].fd);
		source_close(&s->streams[i].source);
	}
}
