// SPDX-License-Identifier: GPL-2.0-or-later
/* A receiver from beginning to end, and the run of all of them. */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "frags.h"
#include "look.h"
#include "receiver.h"
#include "stop.h"

#define MS			1000000ULL
/* How long a file waits for its batch to fill before it is written as it is */
#define LINGER_MS		5
/* How long a starved receive waits when nothing was given back in between */
#define RETRY_NS		(5 * MS)
/* Look at the clock once in so many events: it may cost a system call */
#define EVENTS_PER_TICK		8

/**
 * recv_fail() - a receiver cannot go on, so that all end
 * @r: the receiver
 * @step: what it tried
 * @err: errno, of either sign
 */
void recv_fail(struct receiver *r, enum zcrx_step step, int err)
{
	say_refusal(r, step, err, "the network");
	r->t.fatal = true;
}

/* ---- events ------------------------------------------------------------ */

static void handle(struct receiver *r, struct zcrx_event *ev)
{
	if (ev->source == &r->stop)
		return;
	if (ev->source == &r->inbox.source)
		crew_take_inbox(r);
	else if (ev->source == &r->pipe)
		output_check_reader(r);
	else if (!ev->source->watch)
		conn_event(r, ev->source->owner, ev);
	else if (ev->kind == ZCRX_EVENT_READY)
		listen_ready(r, ev->source->owner);
	else
		recv_fail(r, ZCRX_STEP_LISTEN, ev->err);
}

/* ---- by the clock ------------------------------------------------------ */

static void begin_intervals(struct crew *crew)
{
	if (crew->interval_at || !crew->opt->interval_ns || !crew->first_ns)
		return;
	crew->interval_start = crew->first_ns;
	crew->interval_at = crew->interval_start + crew->opt->interval_ns;
}

static void end_interval(struct receiver *r, uint64_t now)
{
	struct crew *crew = r->crew;

	say_interval(r, now);
	crew->interval_start = now;
	while (crew->interval_at <= now)
		crew->interval_at += crew->opt->interval_ns;
}

static void tick(struct receiver *r)
{
	struct crew *crew = r->crew;
	uint64_t now = clock_ns();

	r->now = now;
	r->events = 0;
	progress_publish(r);
	if (now < r->tick_at)
		return;
	say_judgement(r);
	conn_sample_places(r);
	if (r->greeting)
		greet_late(r);
	if (r->retries)
		conn_retry_starved(r, now);
	r->tick_at = r->retries ? now + RETRY_NS : now + 50 * MS;
	if (!is_first(r))
		return;
	begin_intervals(crew);
	if (crew->interval_at && now >= crew->interval_at)
		end_interval(r, now);
	if (crew->interval_at && crew->interval_at < r->tick_at)
		r->tick_at = crew->interval_at;
}

static bool is_over(struct receiver *r)
{
	const struct recv_options *opt = r->opt;
	struct crew *crew = r->crew;

	if (crew->over)
		return true;
	if (!r->t.fatal && !crew->reader_gone && !stop_wanted() && !has_all_bytes(crew) &&
	    !(opt->connections && crew->ended >= opt->connections) && !crew_time_over(crew, r->now))
		return false;
	crew_over(crew);
	return true;
}

static int timeout_ms(const struct receiver *r)
{
	bool begun = is_first(r) ? r->crew->first_ns : r->t.first.wall_ns;

	/* before the first byte there is nothing to do by the clock but to wait for answers */
	if (!begun && !r->retries && !r->greeting)
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
	/* without a connection it may be another receiver's that the sink works for */
	if (r->open && sink_pending(r->sink)) {
		ret = zcrx_next(r->backend, ev, LINGER_MS);
		if (ret)
			return ret;
		output_flush(r);
	}
	return is_over(r) ? 0 : zcrx_next(r->backend, ev, timeout_ms(r));
}

/**
 * recv_loop() - receive until it is over
 * @r: the receiver
 */
void recv_loop(struct receiver *r)
{
	struct zcrx_event ev;

	r->t.counted = zcrx_counters(r->backend, &r->kernel);
	while (!is_over(r)) {
		int ret = next_event(r, &ev);

		if (ret == -EINTR)
			continue;
		if (ret < 0)
			recv_fail(r, ZCRX_STEP_RECEIVE, ret);
		else if (ret)
			handle(r, &ev);
		if (!ret || ++r->events >= EVENTS_PER_TICK)
			tick(r);
	}
}

/* ---- start and end ----------------------------------------------------- */

static int watch_all(struct receiver *r)
{
	int err = zcrx_watch(r->backend, &r->stop);

	return err || r->inbox.source.fd < 0 ? err : zcrx_watch(r->backend, &r->inbox.source);
}

/**
 * recv_start() - get what a receiver needs that is not the first, or tell why not
 * @r: the receiver
 *
 * Return: 0, -errno.
 */
int recv_start(struct receiver *r)
{
	int err = choose_backend(r) ?: output_open(r);

	if (err)
		return err;
	err = watch_all(r);
	if (err)
		say_refusal(r, ZCRX_STEP_RING, err, NULL);
	return err;
}

/* What connections that are not over have left belongs to the transfer, and so does its time */
static void end_conns(struct receiver *r)
{
	/* it may have been over before the first look at the clock */
	say_judgement(r);
	r->t.open = r->open;
	for (struct conn *c = r->conns; c; c = c->next) {
		int err = sink_end(r->sink, &c->out, false);

		if (err && !r->t.fatal)
			output_failed(r, err);
		output_conn_over(r, c, false);
	}
}

/**
 * recv_finish() - the loop of a receiver that is not the first has ended
 * @r: the receiver
 */
void recv_finish(struct receiver *r)
{
	end_conns(r);
	if (r->open)
		cpu_sample(&r->t.last);
	r->t.kernel = tally_kernel(r);
}

/**
 * recv_free() - undo recv_start()
 * @r: the receiver
 */
void recv_free(struct receiver *r)
{
	/* sources must outlive the requests that name them */
	if (r->backend)
		zcrx_close(r->backend);
	r->backend = NULL;
	while (r->conns) {
		struct conn *c = r->conns;

		r->conns = c->next;
		conn_free(c);
	}
}

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
	/* a ring and an eventfd are each receiver's own */
	const unsigned int rest = 30 + 2 * r->crew->n;
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) || rl.rlim_cur == RLIM_INFINITY)
		return UINT64_MAX;
	if (rl.rlim_cur <= rest + 1 + r->sink->ops->fds)
		return 1;
	return (rl.rlim_cur - rest) / (1 + r->sink->ops->fds);
}

/* Never more than what the kernel's counters leave of it */
static uint64_t zero_copy_bytes(const struct tally *t)
{
	uint64_t copied = t->kernel.copy_foreign_bytes;

	if (!(t->counted & ZCRX_COUNTED_FOREIGN) || t->stats.zc_bytes + copied <= t->stats.bytes)
		return t->stats.zc_bytes;
	return copied < t->stats.bytes ? t->stats.bytes - copied : 0;
}

/* What was required is required of each queue */
static bool is_zero_copy(const struct receiver *r)
{
	const struct tally *t = &r->t;
	char queue[24] = "";

	if (!r->opt->require || !t->stats.bytes)
		return true;
	if (r->crew->n > 1)
		snprintf(queue, sizeof(queue), "queue %u: ", r->cfg.queue);
	if (!t->counted) {
		report_say(r->report, "%swithout the kernel's counters it is not known how much came without "
				      "a copy, as was required", queue);
		return false;
	}
	if (percent(zero_copy_bytes(t), t->stats.bytes) >= r->opt->require_percent)
		return true;
	report_say(r->report, "%sless than %g %% came without a copy, as was required", queue,
		   r->opt->require_percent);
	return false;
}

/* The worst of all */
static enum recv_exit result(const struct crew *crew, const struct tally *total)
{
	enum recv_exit ret = RECV_OK;

	if (total->fatal)
		return RECV_FAILED;
	if (total->wrong)
		return RECV_WRONG_DATA;
	if (total->failed || crew->members[0].sink->incomplete)
		return RECV_FAILED;
	for (uint32_t i = 0; i < crew->n; i++)
		if (!is_zero_copy(&crew->members[i]))
			ret = RECV_NOT_ZERO_COPY;
	return ret;
}

static void add_up(struct crew *crew, struct tally *total)
{
	struct receiver *first = &crew->members[0];

	total->stats.page = first->t.stats.page;
	total->stats.record = first->t.stats.record;
	for (uint32_t i = 0; i < crew->n; i++) {
		const struct receiver *r = &crew->members[i];

		tally_add(total, &r->t);
		if (r->sink != first->sink)
			sink_add(first->sink, r->sink);
	}
}

static enum recv_exit receive(struct crew *crew)
{
	struct receiver *first = &crew->members[0];
	struct tally total = { 0 };

	say_start(first);
	recv_loop(first);
	end_conns(first);
	crew_join(crew);
	first->t.kernel = tally_kernel(first);
	add_up(crew, &total);
	output_close(first, &total);
	total.fatal |= first->t.fatal;
	if (total.open || !total.last.wall_ns)
		cpu_sample(&total.last);
	if (!total.first.wall_ns)
		total.first = total.last;
	say_end(first, &total);
	return result(crew, &total);
}

static int open_frags(struct receiver *r)
{
	struct zcrx_refusal why = { 0 };
	struct diag_env env = say_env(r, &why);
	int err = r->opt->frags ? frags_open(&r->frags, r->opt->frags, &r->backend->region) : 0;

	if (!err)
		return 0;
	zcrx_refuse(&why, ZCRX_STEP_SINK, err);
	env.path = r->opt->frags;
	report_refusal(r->report, &env);
	return err;
}

/* Of several queues none is bound before it is known that there are all of them */
static bool has_queues(struct receiver *r)
{
	const struct recv_options *opt = r->opt;
	struct zcrx_refusal why = { 0 };
	struct diag_env env = say_env(r, &why);
	struct zcrx_config cfg = r->cfg;

	/* who copies binds none */
	if (opt->queues.n == 1 || !opt->cfg.iface || (opt->backend && !opt->backend->zero_copy))
		return true;
	env.cfg = &cfg;
	for (uint32_t i = 0; i < opt->queues.n; i++) {
		cfg.queue = opt->queues.at[i];
		if (!look_queue_range(&env))
			continue;
		zcrx_refuse(&why, ZCRX_STEP_QUEUE, ERANGE);
		report_refusal(r->report, &env);
		return false;
	}
	return true;
}

/* Return: RECV_OK when all is there that is needed; else it was told what is not */
static enum recv_exit prepare(struct crew *crew)
{
	struct receiver *first = &crew->members[0];

	if (!has_queues(first) || choose_backend(first))
		return RECV_NOT_READY;
	if (open_frags(first) || output_open(first))
		return RECV_FAILED;
	crew->most_open = most_open(first);
	if (crew_start(crew) || watch_all(first) || output_watch_reader(first) || listen_open(first))
		return RECV_NOT_READY;
	return RECV_OK;
}

static int close_frags(struct receiver *r)
{
	int err;

	if (!r->frags)
		return 0;
	/* of a line that was lost long ago nobody knows why */
	err = ferror(r->frags) ? EIO : 0;
	if (fclose(r->frags))
		err = errno;
	if (!err)
		return 0;
	fprintf(r->report->talk, "%s: %s is not complete: %s\n", r->report->prog, r->opt->frags,
		strerror(err));
	return -err;
}

static enum recv_exit run(struct crew *crew)
{
	struct receiver *first = &crew->members[0];
	enum recv_exit ret = prepare(crew);

	if (ret == RECV_OK) {
		ret = receive(crew);
	} else {
		crew_over(crew);
		crew_join(crew);
		if (first->sink)
			sink_close(first->sink, false);
	}
	target_free(&first->own_sink.target);
	listen_close(crew);
	if (close_frags(first))
		ret = ret ? ret : RECV_FAILED;
	recv_free(first);
	return ret;
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
	struct crew crew;
	enum recv_exit ret = RECV_FAILED;
	int stop, err;

	raise_file_limit();
	stop = stop_install();
	err = crew_init(&crew, opt, report);
	if (stop < 0 || err) {
		fprintf(report->talk, "%s: cannot start: %s\n", report->prog,
			strerror(stop < 0 ? -stop : -err));
	} else {
		for (uint32_t i = 0; i < crew.n; i++)
			crew.members[i].stop.fd = stop;
		ret = run(&crew);
	}
	crew_free(&crew);
	if (stop >= 0)
		close(stop);
	return ret;
}
