// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The receiver's side of the greeting (hello.h). The sender's answer comes by the
 * same way as data will: on some kernels that is the only way.
 */
#include <errno.h>
#include <string.h>

#include "geometry.h"
#include "receiver.h"

static int give(const struct conn *c, const struct hello *h)
{
	uint8_t bytes[HELLO_SIZE];

	hello_write(h, bytes);
	/* so little fits the buffer of a connection that has sent next to nothing */
	return send(c->source.fd, bytes, sizeof(bytes), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

/*
 * Connections that are taken now, the one that has just been accepted included. Who wants more of
 * them before he sends would wait in vain: they are accepted when others have ended.
 */
static uint32_t room(const struct receiver *r)
{
	const struct crew *crew = r->crew;
	uint64_t most = r->sink->ops->serial ? 1 : crew->most_open - crew->open + 1;
	uint64_t left = r->opt->connections - counted(crew) + 1;
	uint64_t wanted = r->opt->connections ? left : most;

	most = wanted < most ? wanted : most;
	return most < UINT32_MAX ? (uint32_t)most : UINT32_MAX;
}

static struct hello make_offer(const struct receiver *r)
{
	const struct writer_stats *ws = r->sink->writer ? writer_stats(r->sink->writer) : NULL;
	uint32_t quantum = GEOMETRY_SECTOR;

	/* a disk's block may be larger, even than a page */
	if (ws && ws->direct && ws->block > quantum)
		quantum = ws->block < r->t.stats.page ? ws->block : r->t.stats.page;
	return (struct hello){
		.kind = HELLO_OFFER,
		.page = r->t.stats.page,
		.quantum = quantum,
		.record = r->t.stats.record,
		.region = r->cfg.region_size,
		.streams = room(r),
	};
}

static void settle(struct receiver *r, struct conn *c, enum greeting end)
{
	c->greeting = end;
	r->greeting--;
}

/* What else comes of this connection is not looked at, and it soon ends */
static void refuse(struct receiver *r, struct conn *c, struct hello_failure *f)
{
	const struct hello h = { .kind = c->hello_got ? HELLO_GO : HELLO_OFFER, .refusal = f->refusal };
	struct zcrx_refusal why = { 0 };
	struct diag_env env = say_env(r, &why);

	f->got = c->hello_got;
	f->wait_ns = r->opt->hello_ns;
	c->only_asked = f->theirs == HELLO_ASKING;
	if (!c->only_asked) {
		zcrx_refuse(&why, ZCRX_STEP_HELLO, hello_error(f, &env));
		env.peer = c->peer;
		report_refusal(r->report, &env);
		r->t.failed++;
	}
	if (f->refusal)
		give(c, &h);
	settle(r, c, GREETING_REFUSED);
	shutdown(c->source.fd, SHUT_RDWR);
}

static void refuse_for(struct receiver *r, struct conn *c, enum hello_refusal why)
{
	struct hello_failure f = { .refusal = why };

	refuse(r, c, &f);
}

/**
 * greet_begin() - offer a geometry to a new connection
 * @r: the receiver
 * @c: the connection
 */
void greet_begin(struct receiver *r, struct conn *c)
{
	const struct hello offer = make_offer(r);

	c->greeting = GREETING_WAITS;
	c->hello_until = clock_ns() + r->opt->hello_ns;
	r->greeting++;
	/* a peer that has gone already is told of when its end is received */
	give(c, &offer);
}

/* Its sink takes data now, and the peer may send. Else the connection ends here */
static void go(struct receiver *r, struct conn *c)
{
	const struct hello h = { .kind = HELLO_GO };
	int err = conn_begin(r, c);

	if (!err) {
		/* sending takes the error of a reset from the socket: what follows would look like an end */
		err = give(c, &h);
		if (err) {
			say_refusal(r, ZCRX_STEP_HELLO, err == -EPIPE ? -ECONNRESET : err, c->peer);
			r->t.failed++;
		}
	}
	settle(r, c, err ? GREETING_REFUSED : GREETING_DONE);
	if (err)
		shutdown(c->source.fd, SHUT_RDWR);
}

static void answered(struct receiver *r, struct conn *c)
{
	const struct hello offer = make_offer(r);
	struct hello_failure f = { 0 };
	struct hello h;

	f.refusal = hello_read(c->hello, c->hello_got, &h);
	f.version = h.version;
	if (f.refusal == HELLO_SHORT)
		return;
	if (!f.refusal)
		f.refusal = hello_check_answer(&h, &offer);
	if (!f.refusal)
		f.theirs = h.refusal;
	if (f.refusal || f.theirs)
		refuse(r, c, &f);
	else
		go(r, c);
}

/**
 * greet_data() - take what came before all was agreed
 * @r: the receiver
 * @c: the connection
 * @ev: what came; all of it goes back
 */
void greet_data(struct receiver *r, struct conn *c, const struct zcrx_event *ev)
{
	bool more = false;
	int err;

	for (uint32_t i = 0; i < ev->n; i++) {
		const struct zcrx_piece *p = &ev->pieces[i];
		size_t room = sizeof(c->hello) - c->hello_got;
		size_t n = p->len < room ? p->len : room;

		memcpy(c->hello + c->hello_got, p->data, n);
		c->hello_got += n;
		more |= n < p->len;
		if (!p->copied)
			r->t.greeted_zc += p->len;
	}
	err = zcrx_give_back(r->backend, ev->pieces, ev->n);
	if (err)
		recv_fail(r, ZCRX_STEP_RECEIVE, err);
	if (c->greeting == GREETING_REFUSED)
		return;
	answered(r, c);
	if (more && c->greeting == GREETING_DONE) {
		r->greeting++;
		refuse_for(r, c, HELLO_EARLY);
	}
}

/**
 * greet_end() - the connection ended
 * @r: the receiver
 * @c: the connection, which has not agreed
 * @silent: the end needs no words, as we made it ourselves or others said it
 */
void greet_end(struct receiver *r, struct conn *c, bool silent)
{
	if (c->greeting != GREETING_WAITS)
		return;
	if (silent)
		settle(r, c, GREETING_REFUSED);
	else
		refuse_for(r, c, HELLO_SHORT);
}

/**
 * greet_late() - refuse those that have taken too long
 * @r: the receiver
 */
void greet_late(struct receiver *r)
{
	for (struct conn *c = r->conns; c && r->greeting; c = c->next)
		if (c->greeting == GREETING_WAITS && c->hello_until <= r->now)
			refuse_for(r, c, HELLO_SILENT);
}
