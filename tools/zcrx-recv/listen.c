// SPDX-License-Identifier: GPL-2.0-or-later
/* Listening and accepting: the first receiver's work, for all of them. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "geometry.h"
#include "receiver.h"

static const int families[2] = { AF_INET6, AF_INET };

/* Payload to ask for; the path's MTU sets the limit, and is noted in @l */
static uint32_t page_payload(const struct receiver *r, struct listener *l, int family)
{
	struct geometry_path path = {
		.mtu = r->cfg.iface ? net_iface_mtu(r->cfg.iface) : 0,
		.ipv6 = family == AF_INET6,
		.timestamps = geometry_timestamps_enabled(),
	};

	l->mtu = path.mtu;
	/* no interface, no MTU: the kernel lowers what the path cannot carry */
	if (!path.mtu)
		return r->t.stats.page;
	return geometry_payload(&path, r->t.stats.page, GEOMETRY_SECTOR);
}

static int open_listener(struct receiver *r, struct listener *l, int family)
{
	struct net_listen how = {
		.family = family,
		.port = r->opt->port,
		.maxseg = r->opt->mss,
		.rcvbuf = r->opt->rcvbuf,
	};
	int fd;

	if (r->opt->page_mss) {
		l->payload = page_payload(r, l, family);
		how.maxseg = geometry_maxseg(l->payload, geometry_timestamps_enabled());
	}
	fd = net_listen(&how);
	if (fd < 0)
		return fd;
	l->source.fd = fd;
	l->source.owner = l;
	return zcrx_watch(r->backend, &l->source);
}

static bool wants_family(const struct receiver *r, int family)
{
	return r->opt->family == AF_UNSPEC || r->opt->family == family;
}

/**
 * listen_open() - listen, or tell why not
 * @r: the first receiver
 *
 * Return: 0, -errno.
 */
int listen_open(struct receiver *r)
{
	bool any = false;
	int err = 0;

	for (unsigned int i = 0; i < 2; i++) {
		if (!wants_family(r, families[i]))
			continue;
		err = open_listener(r, &r->crew->listeners[i], families[i]);
		/* a kernel with one family only is fine, unless the other was asked for */
		if (err == -EAFNOSUPPORT && r->opt->family == AF_UNSPEC)
			continue;
		if (err)
			break;
		any = true;
	}
	if (any && (!err || err == -EAFNOSUPPORT))
		return 0;
	say_refusal(r, ZCRX_STEP_LISTEN, err, NULL);
	return err;
}

static bool may_accept(const struct receiver *r)
{
	const struct crew *crew = r->crew;

	if (r->sink->ops->serial && crew->open)
		return false;
	if (crew->open >= crew->most_open || r->t.fatal || crew->over)
		return false;
	return !r->opt->connections || counted(crew) < r->opt->connections;
}

/* Pages were asked for: does this connection have room for them, and will they be pages? */
static void check_shape(struct receiver *r, struct listener *l, const struct conn *c, bool ipv6)
{
	struct diag_env env = say_env(r, NULL);
	struct tcp_info info;
	bool timestamps;

	if (!r->opt->page_mss || l->warned)
		return;
	timestamps = geometry_timestamps_enabled();
	env.peer = c->peer;
	if (l->payload < r->t.stats.page) {
		l->warned = true;
		snprintf(env.have, sizeof(env.have), "%u", l->mtu);
		snprintf(env.want, sizeof(env.want), "%u",
			 geometry_mtu(r->t.stats.page, ipv6, timestamps));
		say_warning(r, &env, "mtu-below-page");
		return;
	}
	if (!timestamps || net_tcp_info(c->source.fd, &info) ||
	    info.tcpi_options & TCPI_OPT_TIMESTAMPS)
		return;
	l->warned = true;
	snprintf(env.want, sizeof(env.want), "%u", l->payload);
	say_warning(r, &env, "no-timestamps");
}

/* What a sender finds left of a window is a multiple of its unit (RFC 7323, 2.2) */
static void note_window(struct crew *crew, const struct conn *c)
{
	struct tcp_info info;
	uint32_t unit;

	if (net_tcp_info(c->source.fd, &info))
		return;
	unit = info.tcpi_options & TCPI_OPT_WSCALE ? 1U << info.tcpi_rcv_wscale : 1;
	if (!crew->window_unit || unit < crew->window_unit)
		crew->window_unit = unit;
}

static int accept_one(struct receiver *r, struct listener *l)
{
	struct conn *c = calloc(1, sizeof(*c));
	bool ipv6;
	int fd;

	if (!c)
		return -ENOMEM;
	fd = net_accept(l->source.fd, c->peer, &ipv6);
	if (fd < 0) {
		free(c);
		return fd;
	}
	c->source.fd = fd;
	c->source.owner = c;
	c->id = c->out.id = ++r->crew->accepted;
	c->since = clock_ns();
	check_shape(r, l, c, ipv6);
	note_window(r->crew, c);
	crew_hand_over(r->crew, c);
	return 0;
}

/* Of what an ended connection gives back */
static bool is_shortage(int err)
{
	return err == -EMFILE || err == -ENFILE || err == -ENOMEM || err == -ENOBUFS;
}

/**
 * listen_ready() - take the connections that wait, then wait for more
 * @r: the first receiver
 * @l: the listening socket
 */
void listen_ready(struct receiver *r, struct listener *l)
{
	int err = 0;

	while (may_accept(r) && !err) {
		err = accept_one(r, l);
		/* the peer was quicker: accept(2) says so of one, not of the socket */
		if (err == -ECONNABORTED || err == -EPROTO)
			err = 0;
	}
	if (is_shortage(err)) {
		/* those that wait are taken when a connection ends */
		if (r->crew->open)
			return;
	} else if (!err || err == -EAGAIN) {
		if (!may_accept(r))
			return;
		err = zcrx_watch(r->backend, &l->source);
		if (!err)
			return;
	}
	recv_fail(r, ZCRX_STEP_LISTEN, err);
}

/**
 * listen_resume() - a connection is over: there may be room for others
 * @r: the first receiver
 */
void listen_resume(struct receiver *r)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct listener *l = &r->crew->listeners[i];

		if (l->source.fd >= 0 && !l->source.armed && may_accept(r))
			listen_ready(r, l);
	}
}

/**
 * listen_close() - undo listen_open()
 * @crew: all receivers
 *
 * The ring's poll requests hold the sockets, and the kernel gets to those some time
 * after the program has ended. Nobody else could listen on the port until then, so
 * the sockets are told to stop.
 */
void listen_close(struct crew *crew)
{
	for (unsigned int i = 0; i < 2; i++) {
		if (crew->listeners[i].source.fd < 0)
			continue;
		shutdown(crew->listeners[i].source.fd, SHUT_RDWR);
		close(crew->listeners[i].source.fd);
	}
}
