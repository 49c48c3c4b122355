/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The receivers' state, what they do with it, and what they say about it. */
#ifndef RECEIVER_H
#define RECEIVER_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

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
 * @only_asked: its peer wanted to know the offer, and no more
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
	bool only_asked;
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
 * struct tally - what was received: by a receiver, or by all of them
 * @stats: what was received
 * @kernel: what the kernel counted from beginning to end
 * @counted: which of it the kernel counts, enum zcrx_counted
 * @first: clocks at the first byte
 * @last: clocks when the last connection ended
 * @softirq: where the stack handled packets of ours
 * @program: where this ran
 * @connections: taken
 * @whole: of these, ended by their peers in order, with all of it where it should be
 * @failed: of these, ended in an error
 * @open: of these, not at their end when this ended
 * @greeted_zc: bytes of answers to offers that came without a copy
 * @wrong: data was wrong
 * @fatal: it could not go on
 */
struct tally {
	struct rx_stats stats;
	struct io_uring_zc_rx_stats kernel;
	unsigned int counted;
	struct cpu_sample first;
	struct cpu_sample last;
	struct cpu_places softirq;
	struct cpu_places program;
	uint64_t connections;
	uint64_t whole;
	uint64_t failed;
	uint64_t open;
	uint64_t greeted_zc;
	bool wrong;
	bool fatal;
};

/* What the first receiver reads while the others run, and what it saw last */
struct progress {
	_Atomic uint64_t bytes;
	_Atomic uint64_t zc_bytes;
	_Atomic uint64_t aligned_bytes;
};

struct progress_seen {
	uint64_t bytes;
	uint64_t zc_bytes;
	uint64_t aligned_bytes;
};

/**
 * struct inbox - connections that the first receiver has for another one
 * @source: an eventfd, readable when there is something; fd -1 where there is one receiver
 * @lock: of @conns; taken once a connection, not for data
 * @conns: the connections
 */
struct inbox {
	struct zcrx_source source;
	pthread_mutex_t lock;
	struct conn *conns;
};

struct crew;

/**
 * struct receiver - receives from a queue, in a thread of its own
 * @crew: all receivers
 * @index: which of them; the first, 0, also listens and reports
 * @thread: the thread; the first's is that of main()
 * @start_error: 0 or -errno, when it has tried to start
 * @opt: what the user asked for
 * @cfg: the same for its queue
 * @report: where to say things
 * @own_report: of those that are not the first
 * @backend: how to receive
 * @chosen: why --backend auto took this one, empty when another was asked for
 * @sink: where data goes, its own or the first's
 * @own_sink: see @sink
 * @frags: log of pieces, or NULL
 * @stop: becomes readable on SIGINT and SIGTERM
 * @pipe: standard output, when that is a pipe that data or JSON lines go to: its reader may go
 * @inbox: new connections, from the first receiver; for that one only wakes
 * @conns: open connections
 * @open: how many
 * @load: connections that were given to it and are not over
 * @t: what was received
 * @kernel: what the kernel had counted when we came
 * @progress: the sums of @t that the first receiver sees
 * @interval: @progress at the start of the interval in work, as the first receiver saw it
 * @now: the last look at the clock
 * @tick_at: when something is due by the clock
 * @events: events since the last look at the clock
 * @retries: connections with a retry_at
 * @greeting: connections that wait for an answer to their offer
 * @judged: said that most is copied
 */
struct receiver {
	struct crew *crew;
	uint32_t index;
	pthread_t thread;
	int start_error;
	const struct recv_options *opt;
	struct zcrx_config cfg;
	struct report *report;
	struct report own_report;
	struct zcrx_backend *backend;
	char chosen[CHOSEN_LEN];
	struct sink *sink;
	struct sink own_sink;
	FILE *frags;
	struct zcrx_source stop;
	struct zcrx_source pipe;
	struct inbox inbox;
	struct conn *conns;
	uint64_t open;
	_Atomic uint64_t load;
	struct tally t;
	struct io_uring_zc_rx_stats kernel;
	struct progress progress;
	struct progress_seen interval;
	uint64_t now;
	uint64_t tick_at;
	uint32_t events;
	uint64_t retries;
	uint64_t greeting;
	bool judged;
};

/**
 * struct crew - all receivers, and what they share
 * @opt: what the user asked for
 * @members: the receivers
 * @n: how many
 * @running: how many of them run or have run; the first does without being started
 * @started: posted by each that has tried to start
 * @over: all are to end
 * @reader_gone: whoever read standard output has enough
 * @first_ns: when the first byte came, CLOCK_MONOTONIC, 0 before
 * @accepted: connections so far
 * @open: those that are not over
 * @ended: those that are, and that --connections counts
 * @asked: those that are, and only wanted to know the offer
 * @bytes: received, for --bytes, and what was too much
 *
 * The first receiver's alone:
 * @listeners: IPv6, IPv4
 * @most_open: as many as there are descriptors for
 * @elsewhere: connections that come by none of the queues
 * @unknown: connections of which it is not known by which queue they come
 * @last: receiver that got the last one of these
 * @napis: which NAPI instances serve the queues
 * @napis_at: when that was asked
 * @window_unit: the window of a connection moves in units of so many bytes, the smallest of
 *	all connections; 0 before the first
 * @interval_at: end of the interval in work
 * @interval_start: its start
 */
struct crew {
	const struct recv_options *opt;
	struct receiver *members;
	uint32_t n;
	uint32_t running;
	sem_t started;
	_Atomic bool over;
	_Atomic bool reader_gone;
	_Atomic uint64_t first_ns;
	_Atomic uint64_t accepted;
	_Atomic uint64_t open;
	_Atomic uint64_t ended;
	_Atomic uint64_t asked;
	_Atomic uint64_t bytes;

	struct listener listeners[2];
	uint64_t most_open;
	uint64_t elsewhere;
	uint64_t unknown;
	uint32_t last;
	uint32_t napis[QUEUES_MAX];
	uint64_t napis_at;
	uint32_t window_unit;
	uint64_t interval_at;
	uint64_t interval_start;
};

static inline bool is_first(const struct receiver *r)
{
	return !r->index;
}

static inline bool has_all_bytes(const struct crew *crew)
{
	return crew->opt->bytes && crew->bytes >= crew->opt->bytes;
}

/* --time is over; @now: CLOCK_MONOTONIC */
static inline bool crew_time_over(const struct crew *crew, uint64_t now)
{
	const uint64_t first_ns = crew->first_ns;

	return crew->opt->time_ns && first_ns && now >= first_ns + crew->opt->time_ns;
}

/* Connections that were accepted, of those that --connections counts, as far as that is known */
static inline uint64_t counted(const struct crew *crew)
{
	return crew->accepted - crew->asked;
}

/* recv.c: a receiver */
void recv_fail(struct receiver *r, enum zcrx_step step, int err);
int recv_start(struct receiver *r);
void recv_loop(struct receiver *r);
void recv_finish(struct receiver *r);
void recv_free(struct receiver *r);

/* crew.c: all of them */
int crew_init(struct crew *crew, const struct recv_options *opt, struct report *report);
int crew_start(struct crew *crew);
void crew_over(struct crew *crew);
void crew_join(struct crew *crew);
void crew_free(struct crew *crew);
void crew_hand_over(struct crew *crew, struct conn *c);
void crew_take_inbox(struct receiver *r);
void crew_wake(struct receiver *r);

/* tally.c */
void tally_add(struct tally *sum, const struct tally *t);
struct io_uring_zc_rx_stats tally_kernel(const struct receiver *r);
void progress_publish(struct receiver *r);
struct progress_seen progress_read(struct receiver *r);
void progress_add(struct progress_seen *sum, const struct progress_seen *p);
struct progress_seen progress_since(const struct progress_seen *then,
				    const struct progress_seen *now);

/* choose.c */
int choose_backend(struct receiver *r);

/* listen.c */
int listen_open(struct receiver *r);
void listen_close(struct crew *crew);
void listen_ready(struct receiver *r, struct listener *l);
void listen_resume(struct receiver *r);

/* conn.c */
void conn_take(struct receiver *r, struct conn *c);
int conn_begin(struct receiver *r, struct conn *c);
void conn_event(struct receiver *r, struct conn *c, struct zcrx_event *ev);
void conn_retry_starved(struct receiver *r, uint64_t now);
void conn_sample_places(struct receiver *r);
void conn_free(struct conn *c);

/* output.c */
int output_open(struct receiver *r);
int output_watch_reader(struct receiver *r);
void output_check_reader(struct receiver *r);
void output_failed(struct receiver *r, int err);
void output_flush(struct receiver *r);
void output_conn_over(struct receiver *r, const struct conn *c, bool complete);
void output_close(struct receiver *r, const struct tally *total);

struct diag_env say_env(const struct receiver *r, const struct zcrx_refusal *why);
void say_refusal(struct receiver *r, enum zcrx_step step, int err, const char *peer);
void say_warning(struct receiver *r, struct diag_env *env, const char *name);
void say_wrong_data(struct receiver *r, const struct conn *c, uint64_t pos);
void say_start(struct receiver *r);
void say_interval(struct receiver *r, uint64_t now);
void say_stray(struct receiver *r, const struct conn *c, const char *name);
void say_judgement(struct receiver *r);
int say_connection(struct receiver *r, const struct conn *c, bool complete);
void say_reader_gone(struct receiver *r);
void say_incomplete(struct receiver *r, const char *why);
void say_end(struct receiver *r, const struct tally *total);

void greet_begin(struct receiver *r, struct conn *c);
void greet_data(struct receiver *r, struct conn *c, const struct zcrx_event *ev);
void greet_end(struct receiver *r, struct conn *c, bool silent);
void greet_late(struct receiver *r);

#endif
