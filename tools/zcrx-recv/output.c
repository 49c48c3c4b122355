// SPDX-License-Identifier: GPL-2.0-or-later
/* Data on its way to the sink, and those who read standard output. */
#include <errno.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "receiver.h"
#include "stop.h"

/* Whoever reads standard output has enough: that is an end, not an error of ours */
static void reader_gone(struct receiver *r)
{
	if (!atomic_exchange(&r->crew->reader_gone, true))
		say_reader_gone(r);
}

/**
 * output_watch_reader() - be woken when nobody reads standard output any more
 * @r: the first receiver
 *
 * A reader that goes while nothing comes would be noticed with the next data only. A pipe
 * without one is in error, which wakes us: POLLERR needs no asking for.
 *
 * Return: 0, -errno.
 */
int output_watch_reader(struct receiver *r)
{
	struct stat st;

	if (!(r->sink->to_stdout || r->report->json.out == stdout) || fstat(STDOUT_FILENO, &st) || !S_ISFIFO(st.st_mode))
		return 0;
	r->pipe.fd = STDOUT_FILENO;
	return zcrx_watch(r->backend, &r->pipe);
}

/**
 * output_check_reader() - something is the matter with standard output
 * @r: the first receiver
 */
void output_check_reader(struct receiver *r)
{
	struct pollfd p = { .fd = STDOUT_FILENO };

	/* a pipe that is open for reading too is readable, which says nothing */
	if (poll(&p, 1, 0) == 1 && p.revents & POLLERR)
		reader_gone(r);
}

/**
 * output_failed() - the sink could not take data
 * @r: the receiver
 * @err: -errno
 */
void output_failed(struct receiver *r, int err)
{
	if (err == -EPIPE && r->sink->to_stdout)
		reader_gone(r);
	else if (err != -EINTR)
		recv_fail(r, ZCRX_STEP_SINK, err);
	/* -EINTR: a signal asked to stop while the reader was slow */
}

/**
 * output_flush() - write what the sink keeps back
 * @r: the receiver
 */
void output_flush(struct receiver *r)
{
	int err = sink_flush(r->sink);

	if (err)
		output_failed(r, err);
}

static bool give_up(const void *owner)
{
	return stop_wanted() || crew_time_over(owner, clock_ns());
}

/**
 * output_open() - make the sink ready, or tell why not
 * @r: the receiver; others than the first write beside it, or to the same file by turns
 *
 * Return: 0, -errno.
 */
int output_open(struct receiver *r)
{
	static const struct sink_ops *const sinks[] = {
		[RECV_SINK_DISCARD] = &sink_discard,
		[RECV_SINK_VERIFY] = &sink_verify,
		[RECV_SINK_FILE] = &sink_file,
		[RECV_SINK_DIRECTORY] = &sink_directory,
	};
	struct sink *first = &r->crew->members[0].own_sink;
	int err;

	r->sink = &r->own_sink;
	if (!is_first(r)) {
		if (first->ops->serial)
			r->sink = first;
		else
			sink_beside(r->sink, first, r->backend);
		return 0;
	}
	r->own_sink = (struct sink){
		.ops = sinks[r->opt->sink],
		.backend = r->backend,
		.path = r->opt->path,
		.buffered = r->opt->buffered,
		.stopped = give_up,
		.owner = r->crew,
	};
	err = sink_open(r->sink);
	if (!err)
		return 0;
	r->sink = NULL;
	say_refusal(r, ZCRX_STEP_SINK, err, NULL);
	return err;
}

/**
 * output_conn_over() - say that a connection is over
 * @r: its receiver
 * @c: the connection
 * @complete: its peer ended it in order, and all of it is where it should be
 *
 * Whoever reads that may have gone, like one who reads data.
 */
void output_conn_over(struct receiver *r, const struct conn *c, bool complete)
{
	int err = say_connection(r, c, complete);

	if (err == -EPIPE)
		reader_gone(r);
	else if (err)
		recv_fail(r, ZCRX_STEP_SINK, err);
}

/* Why what the sink has is not all, NULL when it is */
static const char *missing(const struct receiver *r, const struct tally *total)
{
	if (total->fatal)
		return "it could not be written";
	if (total->failed)
		return "a connection broke off";
	if (total->open && !has_all_bytes(r->crew))
		return "the peer had not sent everything";
	if (!total->whole && !has_all_bytes(r->crew))
		return "no connection has ended in order";
	return NULL;
}

/**
 * output_close() - nothing more comes
 * @r: the first receiver; its sink has what all sinks have done
 * @total: what all have received
 */
void output_close(struct receiver *r, const struct tally *total)
{
	const char *why = missing(r, total);
	int err = sink_close(r->sink, !why);

	if (err && !total->fatal && !r->crew->reader_gone)
		output_failed(r, err);
	if (r->sink->incomplete)
		say_incomplete(r, why ? why : "it could not be written");
}
