// SPDX-License-Identifier: GPL-2.0-or-later
#include "greet.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "stop.h"

/* Look so often whether a signal asked to stop */
#define LOOK_MS		100

/**
 * struct greeter - a greeting under way
 * @fd: socket
 * @fail: what went wrong
 */
struct greeter {
	int fd;
	struct hello_failure fail;
};

static int give(struct greeter *g, const struct hello *h)
{
	uint8_t bytes[HELLO_SIZE];
	ssize_t ret;

	hello_write(h, bytes);
	/* so little always fits the buffer of a connection that has sent nothing yet */
	ret = send(g->fd, bytes, sizeof(bytes), MSG_NOSIGNAL | MSG_EOR);
	return ret < 0 ? -errno : 0;
}

static int refuse(struct greeter *g, enum hello_refusal why)
{
	const struct hello h = { .kind = HELLO_ANSWER, .refusal = why };

	g->fail.refusal = why;
	/* it is told in any case that the connection ends */
	give(g, &h);
	return -EPROTO;
}

static int wait_for_more(struct greeter *g, uint64_t until)
{
	struct pollfd pfd = { .fd = g->fd, .events = POLLIN };

	while (!stop_wanted()) {
		uint64_t now = clock_ns();
		uint64_t left = until > now ? (until - now) / 1000000 + 1 : 0;
		int ready = poll(&pfd, 1, left < LOOK_MS ? (int)left : LOOK_MS);

		if (ready > 0)
			return 0;
		if (ready < 0 && errno != EINTR)
			return -errno;
		if (!left)
			return refuse(g, HELLO_SILENT);
	}
	return -EINTR;
}

/* A message, of which no byte too many is read: 0, -EPROTO and the reason, another -errno */
static int take(struct greeter *g, struct hello *h)
{
	uint64_t until = clock_ns() + g->fail.wait_ns;
	uint8_t bytes[HELLO_SIZE];
	enum hello_refusal why = HELLO_SHORT;

	for (g->fail.got = 0; why == HELLO_SHORT;) {
		int err = wait_for_more(g, until);
		ssize_t ret;

		if (err)
			return err;
		ret = recv(g->fd, bytes + g->fail.got, sizeof(bytes) - g->fail.got, 0);
		if (ret < 0 && errno != EINTR)
			return -errno;
		if (!ret)
			return refuse(g, HELLO_SHORT);
		g->fail.got += ret > 0 ? (size_t)ret : 0;
		why = hello_read(bytes, g->fail.got, h);
	}
	g->fail.version = h->version;
	return why ? refuse(g, why) : 0;
}

static int take_offer(struct greeter *g, struct hello *offer)
{
	int err = take(g, offer);
	enum hello_refusal why = err ? HELLO_FINE : hello_check_offer(offer);

	if (err)
		return err;
	g->fail.theirs = offer->refusal;
	if (why)
		return refuse(g, why);
	return offer->refusal ? -EPROTO : 0;
}

static int take_go(struct greeter *g)
{
	struct hello h;
	int err = take(g, &h);

	if (err)
		return err;
	if (h.kind != HELLO_GO)
		return refuse(g, HELLO_KIND);
	g->fail.theirs = h.refusal;
	return h.refusal ? -EPROTO : 0;
}

static int agree(struct greeter *g, bool ask, struct hello *offer)
{
	struct hello answer = { .kind = HELLO_ANSWER, .refusal = HELLO_ASKING };
	const struct hello before = *offer;
	int err = take_offer(g, offer);

	if (err)
		return err;
	if (ask)
		return give(g, &answer);
	g->fail.room = offer->streams;
	/* of the first one; the others find less room, as it is there */
	if (!before.page && hello_check_streams(offer, g->fail.streams))
		return refuse(g, HELLO_STREAMS);
	if (before.page && (before.page != offer->page || before.quantum != offer->quantum ||
			    before.record != offer->record))
		return refuse(g, HELLO_DIFFERS);
	answer = *offer;
	answer.kind = HELLO_ANSWER;
	answer.payload = net_send_mss(g->fd);
	err = give(g, &answer);
	return err ? err : take_go(g);
}

/**
 * greet() - agree with the receiver on a geometry
 * @opt: what the user asked for
 * @report: where to say what is wrong
 * @fd: connected socket, which nothing was sent to
 * @ask: only take the offer, and let the receiver go
 * @offer: what another stream agreed on, or all 0; what this one did
 *
 * Return: 0, -EINTR when a signal asked to stop, another -errno after it was said.
 */
int greet(const struct send_options *opt, struct report *report, int fd, bool ask,
	  struct hello *offer)
{
	struct greeter g = {
		.fd = fd, .fail = { .wait_ns = opt->hello_ns, .streams = opt->streams },
	};
	struct zcrx_refusal why = { 0 };
	struct diag_env env = {
		.prog = report->prog, .why = &why, .port = opt->port_number, .peer = opt->host,
	};
	int err = agree(&g, ask, offer);

	if (!err || err == -EINTR)
		return err;
	if (g.fail.refusal || g.fail.theirs)
		err = hello_error(&g.fail, &env);
	else if (err == -EPIPE)
		err = -ECONNRESET;
	zcrx_refuse(&why, ZCRX_STEP_HELLO, err);
	report_refusal(report, &env);
	return err;
}
