// SPDX-License-Identifier: GPL-2.0-or-later
/* Connections and what they bring. */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "frags.h"
#include "receiver.h"

/* How long a starved receive waits when nothing was given back in between */
#define RETRY_NS		5000000ULL
/* Connections at a time that are asked which processor handles their packets */
#define MOST_SAMPLED		16

static void arm(struct receiver *r, struct conn *c)
{
	int err;

	c->given_seen = r->backend->given_back;
	err = zcrx_arm(r->backend, &c->source);
	if (err)
		recv_fail(r, ZCRX_STEP_RECEIVE, err);
}

static void unlink_conn(struct receiver *r, struct conn *c)
{
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	r->open--;
}

/* Samples are enough: each costs a system call */
static void sample_places(struct receiver *r, const struct conn *c)
{
	cpu_seen(&r->t.softirq, net_incoming_cpu(c->source.fd));
	cpu_seen(&r->t.program, sched_getcpu());
}

/**
 * conn_sample_places() - note where the packets of connections are handled
 * @r: their receiver
 */
void conn_sample_places(struct receiver *r)
{
	unsigned int n = 0;

	for (const struct conn *c = r->conns; c && n < MOST_SAMPLED; c = c->next, n++)
		sample_places(r, c);
}

/**
 * conn_free() - forget a connection that is in no list
 * @c: the connection
 */
void conn_free(struct conn *c)
{
	close(c->source.fd);
	target_free(&c->out.target);
	hash_free(c->hash);
	free(c);
}

/* @complete: the peer ended it in order */
static void end_conn(struct receiver *r, struct conn *c, bool complete)
{
	int err = sink_end(r->sink, &c->out, complete);
	_Atomic uint64_t *over;

	if (err)
		output_failed(r, err);
	sample_places(r, c);
	output_conn_over(r, c, complete && !err);
	r->t.whole += complete && !err;
	unlink_conn(r, c);
	r->retries -= c->retry_at != 0;
	over = c->only_asked ? &r->crew->asked : &r->crew->ended;
	conn_free(c);
	cpu_sample(&r->t.last);
	r->load--;
	r->crew->open--;
	(*over)++;
	if (is_first(r))
		listen_resume(r);
	else
		crew_wake(&r->crew->members[0]);
}

static void conn_error(struct receiver *r, struct conn *c, int err)
{
	greet_end(r, c, true);
	say_refusal(r, ZCRX_STEP_RECEIVE, err, c->peer);
	r->t.failed++;
	end_conn(r, c, false);
}

/* Lets the peer know, and the receive end, without waiting for the whole stream */
static void wrong_data(struct receiver *r, struct conn *c, uint64_t pos)
{
	c->wrong = true;
	r->t.wrong = true;
	say_wrong_data(r, c, pos);
	shutdown(c->source.fd, SHUT_RDWR);
}

static void first_byte(struct receiver *r)
{
	uint64_t none = 0;

	cpu_sample(&r->t.first);
	r->tick_at = 0;
	if (!atomic_compare_exchange_strong(&r->crew->first_ns, &none, r->t.first.wall_ns))
		return;
	/* from now on it has to look at the clock */
	if (!is_first(r))
		crew_wake(&r->crew->members[0]);
}

/*
 * Cuts an event where --bytes is reached, of all receivers together. What lies beyond
 * goes back at once: it is not data any more.
 */
static void clip(struct receiver *r, struct zcrx_event *ev)
{
	const uint64_t limit = r->opt->bytes;
	uint64_t before, left;
	uint32_t n = 0;
	int err;

	if (!limit)
		return;
	before = atomic_fetch_add(&r->crew->bytes, ev->bytes);
	left = before < limit ? limit - before : 0;
	if (ev->bytes <= left)
		return;
	ev->bytes = (uint32_t)left;
	while (left) {
		if (ev->pieces[n].len > left)
			ev->pieces[n].len = (uint32_t)left;
		left -= ev->pieces[n++].len;
	}
	err = zcrx_give_back(r->backend, ev->pieces + n, ev->n - n);
	if (err)
		recv_fail(r, ZCRX_STEP_RECEIVE, err);
	ev->n = n;
}

static void count_pieces(struct receiver *r, struct conn *c, const struct zcrx_event *ev)
{
	r->t.stats.completions++;
	for (uint32_t i = 0; i < ev->n; i++)
		rx_stats_piece(&r->t.stats, &c->stream, ev->pieces[i].off, ev->pieces[i].len,
			       ev->pieces[i].copied);
}

static void handle_data(struct receiver *r, struct conn *c, struct zcrx_event *ev)
{
	uint64_t pos = c->stream.pos;
	uint64_t wrong = c->wrong ? 0 : SINK_ALL_RIGHT;
	int err;

	if (!r->t.first.wall_ns)
		first_byte(r);
	clip(r, ev);
	if (!ev->n)
		return;
	if (r->frags)
		frags_log(r->frags, c->id, pos, ev->pieces, ev->n);
	count_pieces(r, c, ev);
	for (uint32_t i = 0; c->hash && i < ev->n; i++)
		hash_add(c->hash, ev->pieces[i].data, ev->pieces[i].len);
	err = r->sink->ops->data(r->sink, &c->out, pos, ev->pieces, ev->n, &wrong);
	if (err)
		output_failed(r, err);
	else if (wrong != SINK_ALL_RIGHT && !c->wrong)
		wrong_data(r, c, wrong);
}

/*
 * Everything that the sink holds goes back. If that is nothing, somebody else
 * holds the buffers, and asking again at once would only burn the processor.
 */
static void handle_starved(struct receiver *r, struct conn *c)
{
	r->t.stats.starved++;
	output_flush(r);
	if (r->backend->given_back != c->given_seen) {
		arm(r, c);
		return;
	}
	r->retries += !c->retry_at;
	c->retry_at = clock_ns() + RETRY_NS;
	r->tick_at = 0;
}

/**
 * conn_event() - something happened to a connection
 * @r: its receiver
 * @c: the connection
 * @ev: what happened
 */
void conn_event(struct receiver *r, struct conn *c, struct zcrx_event *ev)
{
	switch (ev->kind) {
	case ZCRX_EVENT_DATA:
		if (c->greeting == GREETING_WAITS || c->greeting == GREETING_REFUSED)
			greet_data(r, c, ev);
		else
			handle_data(r, c, ev);
		if (!c->source.armed && !r->t.fatal) {
			r->t.stats.rearmed++;
			arm(r, c);
		}
		break;
	case ZCRX_EVENT_EOF:
		greet_end(r, c, false);
		end_conn(r, c, !c->wrong && c->greeting != GREETING_REFUSED);
		break;
	case ZCRX_EVENT_ERROR:
		/* our own shutdown() may end it so */
		if (c->wrong || c->greeting == GREETING_REFUSED)
			end_conn(r, c, false);
		else
			conn_error(r, c, ev->err);
		break;
	case ZCRX_EVENT_STARVED:
		handle_starved(r, c);
		break;
	case ZCRX_EVENT_READY:
		break;
	}
}

/**
 * conn_begin() - a connection's data is to come
 * @r: its receiver
 * @c: the connection
 *
 * Return: 0, -errno after it was told that the sink cannot take it.
 */
int conn_begin(struct receiver *r, struct conn *c)
{
	int err;

	c->hash = r->opt->hash ? r->opt->hash->start() : NULL;
	err = r->opt->hash && !c->hash ? -ENOMEM : sink_start(r->sink, &c->out, r->backend);
	if (err)
		output_failed(r, err);
	return err;
}

/**
 * conn_take() - a new connection is this receiver's
 * @r: the receiver
 * @c: the connection
 */
void conn_take(struct receiver *r, struct conn *c)
{
	c->link = &r->conns;
	c->next = r->conns;
	if (c->next)
		c->next->link = &c->next;
	r->conns = c;
	r->open++;
	r->t.connections++;
	if (r->opt->hello_ns)
		greet_begin(r, c);
	else if (conn_begin(r, c))
		return;
	arm(r, c);
}

/**
 * conn_retry_starved() - arm those again that wait for room
 * @r: the receiver
 * @now: CLOCK_MONOTONIC
 */
void conn_retry_starved(struct receiver *r, uint64_t now)
{
	for (struct conn *c = r->conns; c && r->retries; c = c->next) {
		if (!c->retry_at || (c->retry_at > now &&
				     c->given_seen == r->backend->given_back))
			continue;
		c->retry_at = 0;
		r->retries--;
		arm(r, c);
	}
}
