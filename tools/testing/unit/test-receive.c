// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The backends that need no NIC, each over the same course: every byte in its
 * order, buffers that run out and come back, ends and errors, what is watched.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../tap.h"
#include "backend.h"

#define BUFFER	65536U

static struct zcrx_config config(uint64_t region)
{
	return (struct zcrx_config){
		.region_size = region, .rq_entries = 64, .cq_entries = 64, .cpu = -1,
		.gather_us = 200,
	};
}

/**
 * struct course - a backend and a connection
 * @b: the backend
 * @s: the receiver's end
 * @peer: the sender's end, -1 when closed
 */
struct course {
	struct zcrx_backend *b;
	struct zcrx_source s;
	int peer;
};

static void connect_tcp(struct course *c)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof(sin);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	c->peer = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&sin, sizeof(sin)) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&sin, &len) ||
	    connect(c->peer, (struct sockaddr *)&sin, sizeof(sin)))
		tap_bail("no connection over lo: %s", strerror(errno));
	c->s = (struct zcrx_source){ .fd = accept(listener, NULL, NULL), .owner = c };
	close(listener);
}

static bool start(struct course *c, const struct zcrx_backend_ops *ops, uint64_t region)
{
	struct zcrx_config cfg = config(region);
	struct zcrx_refusal why = { 0 };

	if (ops->probe(&cfg, &why) || ops->open(&cfg, &c->b, &why)) {
		tap_skip(ops->name, strerror(why.err));
		return false;
	}
	connect_tcp(c);
	return true;
}

static void finish(struct course *c)
{
	zcrx_close(c->b);
	close(c->s.fd);
	if (c->peer >= 0)
		close(c->peer);
}

static enum zcrx_event_kind next(struct course *c, struct zcrx_event *ev)
{
	int ret;

	do {
		ret = zcrx_next(c->b, ev, 2000);
	} while (ret == -EINTR);
	if (ret != 1)
		tap_bail("%s: no event: %d", c->b->ops->name, ret);
	return ev->kind;
}

static void send_all(int fd, uint8_t first, size_t len)
{
	static uint8_t block[BUFFER];

	while (len) {
		size_t n = len < sizeof(block) ? len : sizeof(block);

		for (size_t i = 0; i < n; i++)
			block[i] = (uint8_t)(first + i % 251);
		if (send(fd, block, n, 0) != (ssize_t)n)
			tap_bail("send: %s", strerror(errno));
		len -= n;
	}
}

static void test_stream(const struct zcrx_backend_ops *ops)
{
	struct zcrx_event ev;
	size_t got = 0, wrong = 0, outside = 0;
	struct course c;

	if (!start(&c, ops, 4 * BUFFER))
		return;
	zcrx_arm(c.b, &c.s);
	tap_ok(c.s.armed && zcrx_next(c.b, &ev, 0) == 0, "%s: armed, and nothing is there", ops->name);
	if (!fork()) {
		send_all(c.peer, 7, 100 * BUFFER);
		_exit(0);
	}
	close(c.peer);
	c.peer = -1;
	while (next(&c, &ev) != ZCRX_EVENT_EOF) {
		const struct zcrx_piece *p = ev.pieces;

		if (ev.kind == ZCRX_EVENT_STARVED || !ev.source->armed)
			zcrx_arm(c.b, &c.s);
		if (ev.kind != ZCRX_EVENT_DATA)
			continue;
		outside += ev.n != 1 || p->data != c.b->region.addr + p->off || !p->copied ||
			   p->off + p->len > c.b->region.size || ev.bytes != p->len;
		for (uint32_t i = 0; i < p->len; i++)
			wrong += p->data[i] != (uint8_t)(7 + (got + i) % BUFFER % 251);
		got += p->len;
		zcrx_give_back(c.b, p, 1);
	}
	tap_eq(got, 100 * BUFFER, "  a stream 25 times the region comes through");
	tap_eq(wrong, 0, "  each byte is right");
	tap_eq(outside, 0, "  in one piece an event, in the region, called copied");
	tap_ok(!c.s.armed && ev.source == &c.s, "  after the end the source is not armed");
	wait(NULL);
	finish(&c);
}

/* All buffers are held: the stream stops, is told to be starved, and goes on */
static void test_starved(const struct zcrx_backend_ops *ops)
{
	struct zcrx_piece held[2];
	struct zcrx_event ev;
	uint32_t n = 0;
	struct course c;

	if (!start(&c, ops, 2 * BUFFER))
		return;
	zcrx_arm(c.b, &c.s);
	while (n < 2) {
		send_all(c.peer, 1, 100);
		if (next(&c, &ev) == ZCRX_EVENT_DATA)
			held[n++] = ev.pieces[0];
	}
	tap_ok(held[0].token != held[1].token, "%s: a piece that is held stays as it is", ops->name);
	send_all(c.peer, 1, 100);
	tap_ok(next(&c, &ev) == ZCRX_EVENT_STARVED && !c.s.armed, "  without a buffer it is starved");
	zcrx_give_back(c.b, held, 1);
	zcrx_arm(c.b, &c.s);
	tap_ok(next(&c, &ev) == ZCRX_EVENT_DATA && ev.pieces[0].token == held[0].token,
	       "  and goes on with the one that came back");
	finish(&c);
}

static void test_error(const struct zcrx_backend_ops *ops)
{
	struct linger reset = { 1, 0 };
	struct zcrx_event ev;
	struct course c;

	if (!start(&c, ops, 2 * BUFFER))
		return;
	zcrx_arm(c.b, &c.s);
	setsockopt(c.peer, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(c.peer);
	c.peer = -1;
	tap_ok(next(&c, &ev) == ZCRX_EVENT_ERROR && ev.err == ECONNRESET && !c.s.armed,
	       "%s: a reset is an error", ops->name);
	finish(&c);
}

/* Several sources: a busy one does not keep the others waiting */
static void test_watch(const struct zcrx_backend_ops *ops)
{
	struct zcrx_source bell = { .fd = eventfd(0, 0) };
	static const uint8_t block[BUFFER];
	unsigned int before = 0, waits = 0;
	struct zcrx_event ev;
	struct course c;

	if (!start(&c, ops, 8 * BUFFER))
		return;
	while (send(c.peer, block, sizeof(block), MSG_DONTWAIT) == sizeof(block))
		waits++;
	zcrx_arm(c.b, &c.s);
	next(&c, &ev);
	zcrx_watch(c.b, &bell);
	eventfd_write(bell.fd, 1);
	while (ev.kind != ZCRX_EVENT_READY) {
		if (ev.kind == ZCRX_EVENT_DATA)
			zcrx_give_back(c.b, ev.pieces, 1);
		if (!c.s.armed)
			zcrx_arm(c.b, &c.s);
		before++;
		next(&c, &ev);
	}
	tap_ok(ev.source == &bell && !bell.armed && before < waits / 2,
	       "%s: what is watched gets its turn, after %u of %u buffers", ops->name, before,
	       waits);
	finish(&c);
	close(bell.fd);
}

/* To wait for ever must not mean to look again and again */
static void test_idle(const struct zcrx_backend_ops *ops)
{
	struct zcrx_source bell = { .fd = eventfd(0, 0) };
	struct rusage then, now;
	struct zcrx_event ev;
	int ret = 0;
	struct course c;

	if (!start(&c, ops, 2 * BUFFER))
		return;
	zcrx_watch(c.b, &bell);
	if (!fork()) {
		usleep(300000);
		eventfd_write(bell.fd, 1);
		_exit(0);
	}
	getrusage(RUSAGE_SELF, &then);
	/* the kernel interrupts an epoll_wait(2) while it ends the ring of the test before */
	for (unsigned int i = 0; i < 100000 && (!ret || ret == -EINTR); i++)
		ret = zcrx_next(c.b, &ev, -1);
	getrusage(RUSAGE_SELF, &now);
	tap_ok(ret == 1 && ev.source == &bell && now.ru_nvcsw - then.ru_nvcsw < 20,
	       "%s: idle, it sleeps: woke %ld times in 0.3 s", ops->name,
	       now.ru_nvcsw - then.ru_nvcsw);
	wait(NULL);
	finish(&c);
	close(bell.fd);
}

/* What the kernel says of busy polling: of an epoll, by ioctl; of an io_uring, in fdinfo */
static uint32_t busy_poll_us(int fd)
{
	struct {
		uint32_t us;
		uint16_t budget;
		uint8_t prefer, pad;
	} params;
	char path[64], line[128];
	uint32_t us = 0;
	FILE *f;

	if (!ioctl(fd, _IOR(0x8a, 2, params), &params))
		return params.us;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "napi_busy_poll_dt: %u", &us) == 1)
			us /= 1000;
	if (f)
		fclose(f);
	return us;
}

static void test_busy_poll(const struct zcrx_backend_ops *ops)
{
	struct zcrx_config cfg = config(2 * BUFFER);
	struct zcrx_refusal why = { 0 };
	struct zcrx_backend *b;
	uint32_t found = 0;

	cfg.busy_poll_us = 77;
	if (ops->probe(&cfg, &why) || ops->open(&cfg, &b, &why))
		return;
	if (!b->busy_polls)
		tap_skip("busy polling", "this kernel has it not");
	for (int fd = 3; b->busy_polls && fd < 64 && found != 77; fd++)
		found = busy_poll_us(fd);
	if (b->busy_polls)
		tap_eq(found, 77, "%s: the kernel busy-polls as long as asked", ops->name);
	zcrx_close(b);
	cfg.busy_poll_us = 0;
	if (ops->open(&cfg, &b, &why))
		tap_bail("%s: %s", ops->name, strerror(why.err));
	tap_ok(!b->busy_polls, "%s: and not unless asked", ops->name);
	zcrx_close(b);
}

int main(void)
{
	const struct zcrx_backend_ops *ops;

	for (unsigned int i = 0; (ops = zcrx_backend_at(i)); i++) {
		if (ops->zero_copy || ops->by_name)
			continue;
		test_stream(ops);
		test_starved(ops);
		test_error(ops);
		test_watch(ops);
		test_idle(ops);
		test_busy_poll(ops);
	}
	tap_ok(zcrx_backend_find("epoll") && zcrx_backend_find("copy") && !zcrx_backend_find("auto"),
	       "backends are found by name");
	return tap_done();
}
