/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The receiver's state, and what it says about it. */
#ifndef RECEIVER_H
#define RECEIVER_H

#include "hello.h"
#include "net.h"
#include "recv.h"
#include "sink.h"
#include "stats.h"

/* Backends with what speaks against each */
#define CHOSEN_LEN	256

enum greeting {
	GREETING_NONE,		/* none is wanted */
	GREETING_WAITS,		/* offered, not answered */
	GREETING_DONE,
	GREETING_REFUSED,	/* by either side: the connection ends */
};

/**
 * struct conn - a connection
 * @source: its socket, as the backend knows it
 * @next: next in the list of all
 * @link: what points to this one: thousands may be open
 * @id: 1, 2, ...
 * @peer: address of the sender
 * @stream: where it stands
 * @out: what the sink keeps of it
 * @hash: of what has come, NULL when nobody wants it
 * @since: when it was accepted, CLOCK_MONOTONIC
 * @given_seen: pieces given back, all told, when it was armed last
 * @retry_at: when to arm a starved one again, 0 for not
 * @wrong: the data is wrong, and that was said
 * @greeting: whether a geometry is agreed
 * @hello: the sender's answer as far as it has come
 * @hello_got: bytes of it
 * @hello_until: when it has to have come, CLOCK_MONOTONIC
 */
struct conn {
	struct zcrx_source source;
	struct conn *next;
	struct conn **link;
	uint64_t id;
	char peer[NET_NAME];
	struct rx_stream stream;
	struct sink_stream out;
	struct hash *hash;
	uint64_t since;
	uint64_t given_seen;
	uint64_t retry_at;
	bool wrong;
	enum greeting greeting;
	uint8_t hello[HELLO_SIZE];
	size_t hello_got;
	uint64_t hello_until;
};

/**
 * struct listener - a listening socket
 * @source: the socket; fd -1 if there is none
 * @payload: payload of a segment that its peers were told, 0 when they were not
 * @mtu: of the interface, 0 when there is none
 * @warned: said that payloads will not be pages
 */
struct listener {
	struct zcrx_source source;
	uint32_t payload;
	uint32_t mtu;
	bool warned;
};

/**
 * struct receiver - the receiver
 * @opt: what the user asked for
 * @report: where to say things
 * @backend: how to receive
 * @chosen: why --backend auto took this one, empty when another was asked for
 * @sink: where data goes
 * @frags: log of pieces, or NULL
 * @listeners: IPv6, IPv4
 * @stop: becomes readable on SIGINT and SIGTERM
 * @pipe: standard output, when that is a pipe that data goes to: its reader may go
 * @conns: open connections
 * @open: how many
 * @most_open: as many as there are descriptors for
 * @accepted: connections so far
 * @ended: of these, over
 * @failed: of these, in an error
 * @stats: what was received
 * @kernel: what the kernel had counted when we came
 * @counted: which of it the kernel counts, enum zcrx_counted
 * @first: clocks at the first byte
 * @last: clocks when the last connection ended
 * @now: the last look at the clock
 * @tick_at: when something is due by the clock
 * @interval_at: end of the interval in work
 * @interval_start: its start
 * @interval: @stats at its start
 * @softirq: where the stack handled packets of ours
 * @program: where this ran
 * @events: events since the last look at the clock
 * @retries: connections with a retry_at
 * @greeting: connections that wait for an answer to their offer
 * @greeted_zc: bytes of answers that came without a copy
 * @judged: said that a flow is copied, or saw that it is not
 * @wrong: data was wrong
 * @fatal: cannot go on
 * @reader_gone: whoever read standard output has enough
 */
struct receiver {
	const struct recv_options *opt;
	struct report *report;
	struct zcrx_backend *backend;
	char chosen[CHOSEN_LEN];
	struct sink sink;
	FILE *frags;
	struct listener listeners[2];
	struct zcrx_source stop;
	struct zcrx_source pipe;
	struct conn *conns;
	uint64_t open;
	uint64_t most_open;
	uint64_t accepted;
	uint64_t ended;
	uint64_t failed;
	struct rx_stats stats;
	struct io_uring_zc_rx_stats kernel;
	unsigned int counted;
	struct cpu_sample first;
	struct cpu_sample last;
	uint64_t now;
	uint64_t tick_at;
	uint64_t interval_at;
	uint64_t interval_start;
	struct rx_stats interval;
	struct cpu_places softirq;
	struct cpu_places program;
	uint32_t events;
	uint64_t retries;
	uint64_t greeting;
	uint64_t greeted_zc;
	bool judged;
	bool wrong;
	bool fatal;
	bool reader_gone;
};

struct diag_env say_env(const struct receiver *r, const struct zcrx_refusal *why);
void say_refusal(struct receiver *r, enum zcrx_step step, int err, const char *peer);
void say_warning(struct receiver *r, struct diag_env *env, const char *name);
void say_wrong_data(struct receiver *r, const struct conn *c, uint64_t pos);
void say_start(struct receiver *r);
void say_interval(struct receiver *r, uint64_t now);
void say_judgement(struct receiver *r);
int say_connection(struct receiver *r, const struct conn *c, bool complete);
void say_reader_gone(struct receiver *r);
void say_incomplete(struct receiver *r, const char *why);
void say_end(struct receiver *r);

void greet_begin(struct receiver *r, struct conn *c);
void greet_data(struct receiver *r, struct conn *c, const struct zcrx_event *ev);
void greet_end(struct receiver *r, struct conn *c, bool silent);
void greet_late(struct receiver *r);

#endif
