// SPDX-License-Identifier: GPL-2.0-or-later
#include "send.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sender.h"
#include "stop.h"

/* A thread that is about to block does not notice a reminder: so often there is another */
#define REMIND_NS	20000000

/* No shutdown(2): to the receiver that would be the end of a stream that it has all of */
static void stop_streams(struct sender *s)
{
	s->stopping = true;
	for (uint32_t i = 0; i < s->started; i++)
		stop_remind(s->streams[i].thread);
}

/* Milliseconds, for poll(2): it may be called again before a time that is far */
static int until(uint64_t now, uint64_t when)
{
	uint64_t ms = when > now ? (when - now) / 1000000 + 1 : 0;

	return ms < INT_MAX ? (int)ms : INT_MAX;
}

/* Waits for the streams, reports meanwhile, and ends them when it is time */
static void supervise(struct sender *s)
{
	const struct send_options *opt = s->opt;
	struct pollfd pfd[2] = { { .fd = s->done[0], .events = POLLIN },
				 { .fd = s->stop, .events = POLLIN } };
	uint64_t start = clock_ns(), then = start, before = 0;
	uint64_t next = opt->interval_ns ? start + opt->interval_ns : UINT64_MAX;
	uint64_t end = opt->time_ns ? start + opt->time_ns : UINT64_MAX;
	uint32_t running = s->started;
	char dones[64];

	while (running) {
		uint64_t now = clock_ns();
		uint64_t when = next < end ? next : end;

		poll(pfd, 2, when == UINT64_MAX ? -1 : until(now, when));
		now = clock_ns();
		if (pfd[0].revents) {
			ssize_t n = read(s->done[0], dones, sizeof(dones));

			running -= n > 0 ? (uint32_t)n : 0;
		}
		if (stop_wanted() || s->stopping || now >= end) {
			stop_streams(s);
			pfd[1].fd = -1;
			end = now + REMIND_NS;
		}
		if (now >= next && running) {
			uint64_t sum = total_sent(s);

			say_interval(s, now - start, sum - before, now - then);
			before = sum;
			then = now;
			next += opt->interval_ns;
		}
	}
	say_no_more(s);
}

/* What could be started ends */
static enum send_exit lack_threads(struct sender *s)
{
	struct diag_env env = { 0 };

	snprintf(env.want, sizeof(env.want), "%u", s->opt->streams);
	snprintf(env.have, sizeof(env.have), "%u", s->started);
	say_failure(s->opt, s->report, "too-many-streams", &env);
	s->stopping = true;
	return SEND_FAILED;
}

static enum send_exit start_threads(struct sender *s)
{
	while (s->started < s->opt->streams) {
		struct stream *st = &s->streams[s->started];

		if (pthread_create(&st->thread, NULL, stream_main, st))
			return lack_threads(s);
		s->started++;
	}
	return SEND_OK;
}

static enum send_exit judge(struct sender *s)
{
	enum send_exit ret = SEND_OK;
	bool cut = false;

	for (uint32_t i = 0; i < s->opt->streams; i++) {
		const struct stream *st = &s->streams[i];

		cut |= st->cut;
		if (!st->err)
			continue;
		if (st->step == ZCRX_STEP_SINK)
			say_unreadable(s->opt, s->report, st->err);
		else
			say_refusal(s->opt, s->report, st->step, st->err);
		ret = SEND_FAILED;
	}
	if (cut)
		say_cut(s);
	return cut ? SEND_FAILED : ret;
}

static enum send_exit transfer(struct sender *s)
{
	struct cpu_sample before, after;
	enum send_exit ret;

	say_start(s);
	cpu_sample(&before);
	ret = start_threads(s);
	supervise(s);
	for (uint32_t i = 0; i < s->started; i++)
		pthread_join(s->streams[i].thread, NULL);
	cpu_sample(&after);
	after = cpu_since(&before, &after);
	ret = ret ? ret : judge(s);
	say_end(s, &after, ret == SEND_OK);
	return ret;
}

/**
 * send_run() - send until everything is sent
 * @opt: what the user asked for
 * @report: where to say things
 *
 * Return: exit status of the program.
 */
enum send_exit send_run(const struct send_options *opt, struct report *report)
{
	struct sender s = {
		.opt = opt,
		.report = report,
		.want = {
			.page = opt->page,
			.quantum = GEOMETRY_SECTOR,
			.record = opt->record_pages * opt->page,
		},
	};
	enum send_exit ret = SEND_NOT_READY;

	s.stop = stop_install();
	stop_remind_install();
	s.streams = calloc(opt->streams, sizeof(*s.streams));
	if (s.stop < 0 || !s.streams || pipe(s.done)) {
		fprintf(report->talk, "%s: %s\n", report->prog, strerror(errno));
		goto free_streams;
	}
	for (uint32_t i = 0; i < opt->streams; i++)
		s.streams[i].fd = s.streams[i].source.fd = -1;
	if (!open_streams(&s))
		ret = transfer(&s);
	close_streams(&s);
	close(s.done[0]);
	close(s.done[1]);
free_streams:
	free(s.streams);
	if (s.stop >= 0)
		close(s.stop);
	return ret;
}
