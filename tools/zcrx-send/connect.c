// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "geometry.h"
#include "sender.h"
#include "stop.h"

/* Try so often to connect to who does not listen yet */
#define RETRY_MS	50

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

/**
 * open_streams() - open each stream's source and connect it
 * @s: the sender
 *
 * Return: 0, -errno after it was said.
 */
int open_streams(struct sender *s)
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
			say_refusal(s, ZCRX_STEP_CONNECT, err);
	}
	freeaddrinfo(list);
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
