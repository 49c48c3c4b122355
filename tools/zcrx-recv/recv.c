// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "frags.h"
#include "geometry.h"
#include "receiver.h"
#include "stop.h"

#define MS			1000000ULL
/* How long a file waits for its batch to fill before it is written as it is */
#define LINGER_MS		5
/* How long a starved receive waits when nothing was given back in between */
#define RETRY_NS		(5 * MS)
/* Look at the clock once in so many events: it may cost a system call */
#define EVENTS_PER_TICK		8
/* Connections at a time that are asked which processor handles their packets */
#define MOST_SAMPLED		16

static const int families[2] = { AF_INET6, AF_INET };

static void fail(struct receiver *r, enum zcrx_step step, int err)
{
	say_refusal(r, step, err, "the network");
	r->fatal = true;
}

/* ---- the sink ---------------------------------------------------------- */

/* Whoever reads standard output has enough: that is an end, not an error of ours */
static void reader_gone(struct receiver *r)
{
	if (!r->reader_gone)
		say_reader_gone(r);
	r->reader_gone = true;
}

/*
 * A reader that goes while nothing comes would be noticed with the next data only. A pipe
 * without one is in error, which wakes us: POLLERR needs no asking for.
 */
static int watch_reader(struct receiver *r)
{
	struct stat st;

	if (!r->sink.to_stdout || fstat(STDOUT_FILENO, &st) || !S_ISFIFO(st.st_mode))
		return 0;
	r->pipe.fd = STDOUT_FILENO;
	return zcrx_watch(r->backend, &r->pipe);
}

static void check_reader(struct receiver *r)
{
	struct pollfd p = { .fd = STDOUT_FILENO };

	/* a pipe that is open for reading too is readable, which says nothing */
	if (poll(&p, 1, 0) == 1 && p.revents & POLLERR)
		reader_gone(r);
}

static void sink_failed(struct receiver *r, int err)
{
	if (err == -EPIPE && r->sink.to_stdout)
		reader_gone(r);
	else if (err != -EINTR)
		fail(r, ZCRX_STEP_SINK, err);
	/* -EINTR: a signal asked to stop while the reader was slow */
}

static void flush_sink(struct receiver *r)
{
	int err = sink_flush(&r->sink);

	if (err)
		sink_failed(r, err);
}

static int open_sink(struct receiver *r)
{
	static const struct sink_ops *const sinks[] = {
		[RECV_SINK_DISCARD] = &sink_discard,
		[RECV_SINK_VERIFY] = &sink_verify,
		[RECV_SINK_FILE] = &sink_file,
		[RECV_SINK_DIRECTORY] = &sink_directory,
	};
	int err;

	r->sink = (struct sink){
		.ops = sinks[r->opt->sink],
		.backend = r->backend,
		.path = r->opt->path,
		.buffered = r->opt->buffered,
	};
	err = sink_open(&r->sink);
	if (err)
		say_refusal(r, ZCRX_STEP_SINK, err, NULL);
	return err;
}

static bool has_all_bytes(const struct receiver *r)
{
	return r->opt->bytes && r->stats.bytes >= r->opt->bytes;
}

/* Why what the sink has is not all, NULL when it is */
static const char *missing(const struct receiver *r)
{
	if (r->fatal)
		return "it could not be written";
	if (r->failed)
		return "a connection broke off";
	if (r->open && !has_all_bytes(r))
		return "the peer had not sent everything";
	return NULL;
}

/* Says that a connection is over; the reader of that may have gone, like that of data */
static void end_report(struct receiver *r, const struct conn *c, bool complete)
{
	int err = say_connection(r, c, complete);

	if (err == -EPIPE)
		reader_gone(r);
	else if (err)
		fail(r, ZCRX_STEP_SINK, err);
}

/* The end of what is written belongs to the transfer, and so does its time */
static void close_sink(struct receiver *r)
{
	const char *why = missing(r);
	int err;

	for (struct conn *c = r->conns; c; c = c->next) {
		err = sink_end(&r->sink, &c->out, false);
		if (err && !r->fatal)
			sink_failed(r, err);
		end_report(r, c, false);
	}
	err = sink_close(&r->sink, !why);
	if (err && !r->fatal && !r->reader_gone)
		sink_failed(r, err);
	if (r->sink.incomplete)
		say_incomplete(r, why ? why : "it could not be written");
}

/* ---- the backend ------------------------------------------------------- */

/* Refusals that mean "this machine cannot", not "you asked for the wrong thing" */
static bool is_unavailable(const struct zcrx_refusal *why)
{
	switch (why->step) {
	case ZCRX_STEP_RING:
		/* too old, or io_uring is forbidden */
		return why->err == ENOSYS || why->err == EINVAL || why->err == EPERM;
	case ZCRX_STEP_RECEIVE:
		return why->err == EINVAL;
	default:
		return why->err == ENOSYS || why->err == EOPNOTSUPP;
	}
}

static int try_backend(struct receiver *r, const struct zcrx_backend_ops *ops,
		       struct zcrx_refusal *why)
{
	int err = ops->probe(&r->opt->cfg, why);

	return err ? err : ops->open(&r->opt->cfg, &r->backend, why);
}

/* To receive with copies instead of without is a step that is said aloud */
static void say_copying(struct receiver *r, struct diag_env *env)
{
	struct diag_text text;

	diag_explain(env, &text);
	report_diag(r->report, env, &text, false);
	fprintf(r->report->talk,
		"%s: no zero copy here: every byte will be copied (--require-zerocopy refuses this)\n",
		r->report->prog);
}

/* Adds to the words on what auto took: what it did not take */
static void note_refused(struct receiver *r, const struct zcrx_backend_ops *ops,
			 const struct zcrx_refusal *why)
{
	size_t used = strlen(r->chosen);
	struct diag_env env = say_env(r, why);
	struct diag_text text;

	diag_explain(&env, &text);
	snprintf(r->chosen + used, sizeof(r->chosen) - used, "%s%s (%s %s)", used ? ", " : "",
		 ops->name, text.code, text.name);
}

/*
 * The best backend that works. What a kernel does not have is passed over in silence
 * as long as there is a zero copy backend to try, and copying is no choice when
 * the user required zero copy. @why: the refusal that tells most, for who cannot go on.
 */
static int open_best(struct receiver *r, struct zcrx_refusal *why)
{
	const struct zcrx_backend_ops *ops;
	struct zcrx_refusal here;
	bool copying = false;
	int err = 0;

	why->err = 0;
	for (unsigned int i = 0; (ops = zcrx_backend_at(i)); i++) {
		struct diag_env env = say_env(r, why);

		if (ops->by_name)
			continue;
		if (!ops->zero_copy && r->opt->require)
			break;
		if (!ops->zero_copy && !copying)
			say_copying(r, &env);
		copying = !ops->zero_copy;
		here = (struct zcrx_refusal){ 0 };
		err = try_backend(r, ops, &here);
		if (!err)
			return 0;
		/* a kernel that has it and a device that will not says more than one without */
		if (!why->err || why->err == ENOSYS || !is_unavailable(&here))
			*why = here;
		if (!is_unavailable(&here))
			break;
		note_refused(r, ops, &here);
	}
	return err;
}

/* One cause is told; who mends it need not learn of the others one by one */
static void check_besides(struct receiver *r, const char *said)
{
	const struct check_options opt = {
		.cfg = &r->opt->cfg,
		.backend = r->opt->backend,
		.family = r->opt->family,
		.port = r->opt->port,
	};

	check_after(&opt, r->report, said);
}

static int open_backend(struct receiver *r)
{
	struct zcrx_refusal why = { 0 };
	struct diag_env env = say_env(r, &why);
	int err;

	if (r->opt->backend)
		err = try_backend(r, r->opt->backend, &why);
	else
		err = open_best(r, &why);
	if (err)
		check_besides(r, report_refusal(r->report, &env));
	return err;
}

/* ---- listening --------------------------------------------------------- */

/* Payload to ask for; the path's MTU sets the limit, and is noted in @l */
static uint32_t page_payload(const struct receiver *r, struct listener *l, int family)
{
	struct geometry_path path = {
		.mtu = r->opt->cfg.iface ? net_iface_mtu(r->opt->cfg.iface) : 0,
		.ipv6 = family == AF_INET6,
		.timestamps = geometry_timestamps_enabled(),
	};

	l->mtu = path.mtu;
	/* no interface, no MTU: the kernel lowers what the path cannot carry */
	if (!path.mtu)
		return r->stats.page;
	return geometry_payload(&path, r->stats.page, GEOMETRY_SECTOR);
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

static int open_listeners(struct receiver *r)
{
	bool any = false;
	int err = 0;

	for (unsigned int i = 0; i < 2; i++) {
		if (!wants_family(r, families[i]))
			continue;
		err = open_listener(r, &r->listeners[i], families[i]);
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
	if (r->sink.ops->serial && r->open)
		return false;
	if (r->open >= r->most_open || r->fatal)
		return false;
	return !r->opt->connections || r->accepted < r->opt->connections;
}

static void arm(struct receiver *r, struct conn *c)
{
	int err;

	c->given_seen = r->backend->given_back;
	err = zcrx_arm(r->backend, &c->source);
	if (err)
		fail(r, ZCRX_STEP_RECEIVE, err);
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
	if (l->payload < r->stats.page) {
		l->warned = true;
		snprintf(env.have, sizeof(env.have), "%u", l->mtu);
		snprintf(env.want, sizeof(env.want), "%u",
			 geometry_mtu(r->stats.page, ipv6, timestamps));
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

static int accept_one(struct receiver *r, struct listener *l)
{
	struct conn *c = calloc(1, sizeof(*c));
	bool ipv6;
	int fd, err;

	if (!c)
		return -ENOMEM;
	fd = net_accept(l->source.fd, c->peer, &ipv6);
	if (fd < 0) {
		free(c);
		return fd;
	}
	c->source.fd = fd;
	c->source.owner = c;
	c->id = c->out.id = ++r->accepted;
	c->since = clock_ns();
	c->link = &r->conns;
	c->next = r->conns;
	if (c->next)
		c->next->link = &c->next;
	r->conns = c;
	r->open++;
	c->hash = r->opt->hash ? r->opt->hash->start() : NULL;
	err = r->opt->hash && !c->hash ? -ENOMEM : sink_start(&r->sink, &c->out);
	if (err) {
		sink_failed(r, err);
		return 0;
	}
	check_shape(r, l, c, ipv6);
	if (r->opt->hello_ns)
		greet_begin(r, c);
	arm(r, c);
	return 0;
}

/* Takes the connections that wait, then waits for more */
static void accept_all(struct receiver *r, struct listener *l)
{
	int err = 0;

	while (may_accept(r) && !err) {
		err = accept_one(r, l);
		/* the peer was quicker: accept(2) says so of one, not of the socket */
		if (err == -ECONNABORTED || err == -EPROTO)
			err = 0;
	}
	if (err == -EMFILE || err == -ENFILE) {
		/* those that wait are taken when a connection ends */
		if (r->open)
			return;
	} else if (!err || err == -EAGAIN) {
		if (!may_accept(r))
			return;
		err = zcrx_watch(r->backend, &l->source);
		if (!err)
			return;
	}
	fail(r, ZCRX_STEP_LISTEN, err);
}

static void resume_accepting(struct receiver *r)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct listener *l = &r->listeners[i];

		if (l->source.fd >= 0 && !l->source.armed && may_accept(r))
			accept_all(r, l);
	}
}

/* ---- connections ------------------------------------------------------- */

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
	cpu_seen(&r->softirq, net_incoming_cpu(c->source.fd));
	cpu_seen(&r->program, sched_getcpu());
}

static void sample_all_places(struct receiver *r)
{
	unsigned int n = 0;

	for (const struct conn *c = r->conns; c && n < MOST_SAMPLED; c = c->next, n++)
		sample_places(r, c);
}

static void free_conn(struct conn *c)
{
	close(c->source.fd);
	target_free(&c->out.target);
	hash_free(c->hash);
	free(c);
}

/* @complete: the peer ended it in order */
static void end_conn(struct receiver *r, struct conn *c, bool complete)
{
	int err = sink_end(&r->sink, &c->out, complete);

	if (err)
		sink_failed(r, err);
	sample_places(r, c);
	end_report(r, c, complete && !err);
	unlink_conn(r, c);
	r->retries -= c->retry_at != 0;
	free_conn(c);
	r->ended++;
	cpu_sample(&r->last);
	resume_accepting(r);
}

static void conn_error(struct receiver *r, struct conn *c, int err)
{
	greet_end(r, c, true);
	say_refusal(r, ZCRX_STEP_RECEIVE, err, c->peer);
	r->failed++;
	end_conn(r, c, false);
}

/* Lets the peer know, and the receive end, without waiting for the whole stream */
static void wrong_data(struct receiver *r, struct conn *c, uint64_t pos)
{
	c->wrong = true;
	r->wrong = true;
	say_wrong_data(r, c, pos);
	shutdown(c->source.fd, SHUT_RDWR);
}

static void first_byte(struct receiver *r)
{
	cpu_sample(&r->first);
	r->interval_start = r->first.wall_ns;
	r->interval_at = r->opt->interval_ns ? r->interval_start + r->opt->interval_ns : 0;
	r->tick_at = r->interval_start;
}

/*
 * Cuts an event where --bytes is reached. What lies beyond goes back at once:
 * it is not data any more.
 */
static void clip(struct receiver *r, struct zcrx_event *ev)
{
	uint64_t left = r->opt->bytes - r->stats.bytes;
	uint32_t n = 0;

	if (!r->opt->bytes || ev->bytes <= left)
		return;
	ev->bytes = (uint32_t)left;
	while (left) {
		if (ev->pieces[n].len > left)
			ev->pieces[n].len = (uint32_t)left;
		left -= ev->pieces[n++].len;
	}
	zcrx_give_back(r->backend, ev->pieces + n, ev->n - n);
	ev->n = n;
}

static void count_pieces(struct receiver *r, struct conn *c, const struct zcrx_event *ev)
{
	r->stats.completions++;
	for (uint32_t i = 0; i < ev->n; i++)
		rx_stats_piece(&r->stats, &c->stream, ev->pieces[i].off, ev->pieces[i].len,
			       ev->pieces[i].copied);
}

static void handle_data(struct receiver *r, struct conn *c, struct zcrx_event *ev)
{
	uint64_t pos = c->stream.pos;
	uint64_t wrong = c->wrong ? 0 : SINK_ALL_RIGHT;
	int err;

	if (!r->first.wall_ns)
		first_byte(r);
	clip(r, ev);
	if (r->frags)
		frags_log(r->frags, c->id, pos, ev->pieces, ev->n);
	count_pieces(r, c, ev);
	for (uint32_t i = 0; c->hash && i < ev->n; i++)
		hash_add(c->hash, ev->pieces[i].data, ev->pieces[i].len);
	err = r->sink.ops->data(&r->sink, &c->out, pos, ev->pieces, ev->n, &wrong);
	if (err)
		sink_failed(r, err);
	else if (wrong != SINK_ALL_RIGHT && !c->wrong)
		wrong_data(r, c, wrong);
}

/*
 * Everything that the sink holds goes back. If that is nothing, somebody else
 * holds the buffers, and asking again at once would only burn the processor.
 */
static void handle_starved(struct receiver *r, struct conn *c)
{
	r->stats.starved++;
	flush_sink(r);
	if (r->backend->given_back != c->given_seen) {
		arm(r, c);
		return;
	}
	r->retries += !c->retry_at;
	c->retry_at = clock_ns() + RETRY_NS;
	r->tick_at = 0;
}

static void handle_conn(struct receiver *r, struct conn *c, struct zcrx_event *ev)
{
	switch (ev->kind) {
	case ZCRX_EVENT_DATA:
		if (c->greeting == GREETING_WAITS || c->greeting == GREETING_REFUSED)
			greet_data(r, c, ev);
		else
			handle_data(r, c, ev);
		if (!c->source.armed && !r->fatal) {
			r->stats.rearmed++;
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

static void handle(struct receiver *r, struct zcrx_event *ev)
{
	if (ev->source == &r->stop)
		return;
	if (ev->source == &r->pipe) {
		check_reader(r);
		return;
	}
	if (!ev->source->watch)
		handle_conn(r, ev->source->owner, ev);
	else if (ev->kind == ZCRX_EVENT_READY)
		accept_all(r, ev->source->owner);
	else
		fail(r, ZCRX_STEP_LISTEN, ev->err);
}

/* ---- by the clock ------------------------------------------------------ */

static void retry_starved(struct receiver *r, uint64_t now)
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

static void tick(struct receiver *r)
{
	uint64_t now = clock_ns();

	r->now = now;
	r->events = 0;
	if (now < r->tick_at)
		return;
	say_judgement(r);
	sample_all_places(r);
	if (r->greeting)
		greet_late(r);
	if (r->retries)
		retry_starved(r, now);
	if (r->interval_at && now >= r->interval_at) {
		say_interval(r, now);
		r->interval = r->stats;
		r->interval_start = now;
		while (r->interval_at <= now)
			r->interval_at += r->opt->interval_ns;
	}
	r->tick_at = r->retries ? now + RETRY_NS : now + 50 * MS;
	if (r->interval_at && r->interval_at < r->tick_at)
		r->tick_at = r->interval_at;
}

static bool over_by_time(const struct receiver *r)
{
	return r->opt->time_ns && r->first.wall_ns &&
	       r->now >= r->first.wall_ns + r->opt->time_ns;
}

static bool is_over(const struct receiver *r)
{
	const struct recv_options *opt = r->opt;

	if (r->fatal || r->reader_gone || stop_wanted())
		return true;
	if (opt->connections && r->ended >= opt->connections)
		return true;
	if (has_all_bytes(r))
		return true;
	return over_by_time(r);
}

static int timeout_ms(const struct receiver *r)
{
	/* before the first byte there is nothing to do by the clock but to wait for answers */
	if (!r->first.wall_ns && !r->retries && !r->greeting)
		return -1;
	return r->retries ? (int)(RETRY_NS / MS) : 50;
}

/*
 * One event, or a rest. What the sink keeps back to fill a batch is written when
 * nothing comes for a moment.
 */
static int next_event(struct receiver *r, struct zcrx_event *ev)
{
	int ret = zcrx_next(r->backend, ev, 0);

	if (ret)
		return ret;
	if (sink_pending(&r->sink)) {
		ret = zcrx_next(r->backend, ev, LINGER_MS);
		if (ret)
			return ret;
		flush_sink(r);
	}
	return is_over(r) ? 0 : zcrx_next(r->backend, ev, timeout_ms(r));
}

static void loop(struct receiver *r)
{
	struct zcrx_event ev;

	while (!is_over(r)) {
		int ret = next_event(r, &ev);

		if (ret == -EINTR)
			continue;
		if (ret < 0)
			fail(r, ZCRX_STEP_RECEIVE, ret);
		else if (ret)
			handle(r, &ev);
		if (!ret || ++r->events >= EVENTS_PER_TICK)
			tick(r);
	}
}

/* ---- start and end ----------------------------------------------------- */

/* A listener that may take ten thousand connections needs as many descriptors */
static void raise_file_limit(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) || rl.rlim_cur == rl.rlim_max)
		return;
	rl.rlim_cur = rl.rlim_max;
	setrlimit(RLIMIT_NOFILE, &rl);
}

/* Connections that there are descriptors for, with some left for everything else */
static uint64_t most_open(const struct receiver *r)
{
	const unsigned int rest = 32;
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) || rl.rlim_cur == RLIM_INFINITY)
		return UINT64_MAX;
	if (rl.rlim_cur <= rest + 1 + r->sink.ops->fds)
		return 1;
	return (rl.rlim_cur - rest) / (1 + r->sink.ops->fds);
}

/* Never more than what the kernel's counters leave of it */
static uint64_t zero_copy_bytes(const struct receiver *r)
{
	struct io_uring_zc_rx_stats k;
	unsigned int counted = zcrx_counters(r->backend, &k);
	uint64_t copied = k.copy_foreign_bytes - r->kernel.copy_foreign_bytes;

	if (!(counted & ZCRX_COUNTED_FOREIGN) || r->stats.zc_bytes + copied <= r->stats.bytes)
		return r->stats.zc_bytes;
	return copied < r->stats.bytes ? r->stats.bytes - copied : 0;
}

static enum recv_exit result(const struct receiver *r)
{
	if (r->fatal)
		return RECV_FAILED;
	if (r->wrong)
		return RECV_WRONG_DATA;
	if (r->failed || r->sink.incomplete)
		return RECV_FAILED;
	if (r->opt->require && r->stats.bytes && !r->counted) {
		fprintf(r->report->talk, "%s: without the kernel's counters it is not known how much came without a copy, as was required\n",
			r->report->prog);
		return RECV_NOT_ZERO_COPY;
	}
	if (r->opt->require && r->stats.bytes &&
	    percent(zero_copy_bytes(r), r->stats.bytes) < r->opt->require_percent) {
		fprintf(r->report->talk, "%s: less than %g %% came without a copy, as was required\n",
			r->report->prog, r->opt->require_percent);
		return RECV_NOT_ZERO_COPY;
	}
	return RECV_OK;
}

static enum recv_exit receive(struct receiver *r)
{
	say_start(r);
	r->counted = zcrx_counters(r->backend, &r->kernel);
	loop(r);
	close_sink(r);
	if (r->open || !r->last.wall_ns)
		cpu_sample(&r->last);
	if (!r->first.wall_ns)
		r->first = r->last;
	say_end(r);
	return result(r);
}

static void free_conns(struct receiver *r)
{
	while (r->conns) {
		struct conn *c = r->conns;

		r->conns = c->next;
		free_conn(c);
	}
}

/*
 * The ring's poll requests hold the sockets, and the kernel gets to those some time
 * after the program has ended. Nobody else could listen on the port until then, so
 * the sockets are told to stop.
 */
static void close_listeners(struct receiver *r)
{
	for (unsigned int i = 0; i < 2; i++) {
		if (r->listeners[i].source.fd < 0)
			continue;
		shutdown(r->listeners[i].source.fd, SHUT_RDWR);
		close(r->listeners[i].source.fd);
	}
}

/**
 * recv_run() - receive until told to end
 * @opt: what the user asked for
 * @report: where to say things
 *
 * Return: exit status of the program.
 */
enum recv_exit recv_run(const struct recv_options *opt, struct report *report)
{
	struct receiver r = { .opt = opt, .report = report };
	enum recv_exit ret = RECV_NOT_READY;
	int err;

	r.stats.page = (uint32_t)sysconf(_SC_PAGESIZE);
	r.stats.record = opt->record_pages * r.stats.page;
	r.listeners[0].source.fd = r.listeners[1].source.fd = -1;
	raise_file_limit();
	r.stop.fd = stop_install();
	if (r.stop.fd < 0) {
		say_refusal(&r, ZCRX_STEP_RING, r.stop.fd, NULL);
		return RECV_FAILED;
	}
	if (open_backend(&r))
		goto close_stop;
	err = opt->frags ? frags_open(&r.frags, opt->frags, &r.backend->region) : 0;
	if (err) {
		struct zcrx_refusal why = { 0 };
		struct diag_env env = say_env(&r, &why);

		zcrx_refuse(&why, ZCRX_STEP_SINK, err);
		env.path = opt->frags;
		report_refusal(report, &env);
		ret = RECV_FAILED;
		goto close_backend;
	}
	if (open_sink(&r)) {
		ret = RECV_FAILED;
		goto close_frags;
	}
	r.most_open = most_open(&r);
	if (zcrx_watch(r.backend, &r.stop) || watch_reader(&r) || open_listeners(&r))
		sink_close(&r.sink, false);
	else
		ret = receive(&r);
	target_free(&r.sink.target);
	close_listeners(&r);
close_frags:
	if (r.frags && fclose(r.frags)) {
		fprintf(report->talk, "%s: %s is not complete: %s\n", report->prog, opt->frags,
			strerror(errno));
		ret = ret ? ret : RECV_FAILED;
	}
close_backend:
	/* sources must outlive the requests that name them */
	zcrx_close(r.backend);
	free_conns(&r);
close_stop:
	close(r.stop.fd);
	return ret;
}
