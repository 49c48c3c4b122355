// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "geometry.h"
#include "sender.h"
#include "shape.h"
#include "stats.h"
#include "stop.h"
#include "wrap.h"

/**
 * say_refusal() - explain an error
 * @opt: what the user asked for
 * @report: where to say it
 * @step: what was tried
 * @err: errno, of either sign
 */
void say_refusal(const struct send_options *opt, struct report *report, enum zcrx_step step,
		 int err)
{
	struct zcrx_refusal why = { 0 };
	struct diag_env env = {
		.prog = report->prog,
		.why = &why,
		.port = opt->port_number,
		.peer = opt->host,
	};

	zcrx_refuse(&why, step, err);
	report_refusal(report, &env);
}

/**
 * say_failure() - tell an error that no errno explains
 * @opt: what the user asked for
 * @report: where to say it
 * @name: name of the diagnostic
 * @env: values of its text; gets the others
 */
void say_failure(const struct send_options *opt, struct report *report, const char *name,
		 struct diag_env *env)
{
	struct diag_text text;

	env->prog = report->prog;
	env->peer = opt->host;
	env->path = opt->path ? opt->path : "standard input";
	diag_advice(env, name, &text);
	report_diag(report, env, &text, true);
}

/**
 * say_unreadable() - tell that the source cannot be read
 * @opt: what the user asked for
 * @report: where to say it
 * @err: -errno
 */
void say_unreadable(const struct send_options *opt, struct report *report, int err)
{
	struct diag_env env = { 0 };

	snprintf(env.have, sizeof(env.have), "%s", strerror(-err));
	say_failure(opt, report, "source-unreadable", &env);
}

/* "segments of 1 page", or why they are not whole pages */
static void say_shape(struct sender *s)
{
	const struct stream *st = &s->streams[0];
	uint32_t page = s->want.page;
	bool ipv6 = st->reach.family == AF_INET6;
	char text[192];
	int used;

	if (st->payload && st->payload % page == 0)
		used = snprintf(text, sizeof(text), "segments of %u page%s", st->payload / page,
				st->payload == page ? "" : "s");
	else
		used = snprintf(text, sizeof(text),
				"segments of %u bytes%s (pages need an MTU of %u on both sides)",
				st->payload,
				geometry_unit(st->payload, page, s->want.quantum) ?
					", whole blocks but no pages" : "",
				geometry_mtu(page, ipv6, geometry_timestamps_enabled()));
	snprintf(text + used, sizeof(text) - (size_t)used, ", records of %u%s", s->want.record,
		 s->offer.page ? ", as agreed" : "");
	fprintf(s->report->talk, "  ");
	wrap_text(s->report->talk, 2, 2, WRAP_WIDTH, text, 0);
}

static const char *const hows[] = {
	[SEND_COPYING] = "copy",
	[SEND_ZEROCOPY] = "zerocopy",
	[SEND_SPLICED] = "sendfile",
};

/**
 * say_start() - what is going to happen, before it does
 * @s: the sender, connected
 */
void say_start(struct sender *s)
{
	const struct send_options *opt = s->opt;
	static const char *const kinds[] = {
		[SOURCE_STDIN] = "standard input",
		[SOURCE_FILE] = "file",
		[SOURCE_PATTERN] = "pattern",
	};

	report_say(s->report, "%s to %s, %u stream%s", kinds[opt->kind], s->streams[0].reach.name,
		   opt->streams, opt->streams == 1 ? "" : "s");
	say_shape(s);
	if (!report_event(s->report, "start"))
		return;
	json_u64(&s->report->json, "schema", REPORT_SCHEMA);
	json_str(&s->report->json, "peer", s->streams[0].reach.name);
	json_str(&s->report->json, "source", kinds[opt->kind]);
	json_str(&s->report->json, "path", opt->path);
	json_str(&s->report->json, "how", hows[opt->how]);
	json_u64(&s->report->json, "streams", opt->streams);
	json_u64(&s->report->json, "page_bytes", s->want.page);
	json_u64(&s->report->json, "payload_bytes", s->streams[0].payload);
	json_u64(&s->report->json, "record_bytes", s->want.record);
	json_u64(&s->report->json, "total_bytes", total_to_send(s));
	json_u64(&s->report->json, "pace_bits_per_second", opt->pace * 8);
	json_bool(&s->report->json, "hello", s->offer.page);
	json_i64(&s->report->json, "mtu", s->streams[0].reach.mtu);
	report_event_end(s->report);
}

/**
 * total_sent() - bytes that all streams have handed to TCP
 * @s: the sender
 *
 * Return: bytes so far.
 */
uint64_t total_sent(const struct sender *s)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < s->opt->streams; i++)
		sum += __atomic_load_n(&s->streams[i].sent, __ATOMIC_RELAXED);
	return sum;
}

/**
 * total_to_send() - bytes that all streams are going to send
 * @s: the sender
 *
 * Return: bytes, 0 when that is not known.
 */
uint64_t total_to_send(const struct sender *s)
{
	uint64_t each = s->streams[0].source.size, limit = s->opt->bytes;

	/* the pattern has no end, and of other sources that is not known */
	if (!each && s->opt->kind != SOURCE_PATTERN)
		return 0;
	if (!each || (limit && limit < each))
		each = limit;
	if (s->opt->pad)
		each += (s->want.page - each % s->want.page) % s->want.page;
	return each * s->opt->streams;
}

/**
 * say_cut() - tell that the streams were stopped before their end
 * @s: the sender
 */
void say_cut(struct sender *s)
{
	uint64_t total = total_to_send(s);
	char have[REPORT_SIZE], all[REPORT_SIZE];
	struct diag_env env = { 0 };

	snprintf(env.have, sizeof(env.have), "%s after %s",
		 stop_wanted() ? "interrupted" : "out of time", report_size(total_sent(s), have));
	snprintf(env.want, sizeof(env.want), "%s", total ? report_size(total, all) : "what there is");
	say_failure(s->opt, s->report, "not-sent-whole", &env);
}

/* The same line again and again, on a terminal */
static void move_on(struct sender *s, uint64_t total, double gbit)
{
	uint64_t sent = total_sent(s);
	char have[REPORT_SIZE], all[REPORT_SIZE];

	s->moving = true;
	fprintf(s->report->talk, "\r%3u %%  %s of %s  %6.2f Gbit/s\033[K",
		(unsigned int)(100.0 * (double)sent / (double)total), report_size(sent, have),
		report_size(total, all), gbit);
	fflush(s->report->talk);
}

/**
 * say_no_more() - no interval follows; what comes next begins on an empty line
 * @s: the sender
 */
void say_no_more(struct sender *s)
{
	if (s->moving)
		fprintf(s->report->talk, "\r\033[K");
	s->moving = false;
}

/**
 * say_interval() - the line of an interval
 * @s: the sender
 * @at_ns: its end, from the start of the transfer
 * @bytes: sent in it
 * @ns: how long it was
 */
void say_interval(struct sender *s, uint64_t at_ns, uint64_t bytes, uint64_t ns)
{
	uint64_t total = isatty(fileno(s->report->talk)) ? total_to_send(s) : 0;
	char size[REPORT_SIZE];

	if (total)
		move_on(s, total, report_gbit(bytes, ns));
	else
		fprintf(s->report->talk, "%7.1f s  %9s  %6.2f Gbit/s\n", (double)at_ns / 1e9,
			report_size(bytes, size), report_gbit(bytes, ns));
	if (!report_event(s->report, "interval"))
		return;
	json_double(&s->report->json, "at", (double)at_ns / 1e9);
	report_rate(s->report, bytes, ns);
	report_event_end(s->report);
}

static struct shape sum_shape(const struct sender *s)
{
	struct shape sum = { 0 };

	for (uint32_t i = 0; i < s->opt->streams; i++) {
		const struct stream *st = &s->streams[i];
		const struct tcp_info *now = &st->info, *then = &st->before;
		uint64_t again = now->tcpi_bytes_retrans - then->tcpi_bytes_retrans;
		const struct shape_stream account = {
			.counted = now->tcpi_bytes_sent || !st->sent,
			.bytes = now->tcpi_bytes_sent - then->tcpi_bytes_sent - again,
			.segments = now->tcpi_data_segs_out - then->tcpi_data_segs_out,
			.again = now->tcpi_total_retrans - then->tcpi_total_retrans,
			.payload = st->payload,
			.payload_end = now->tcpi_snd_mss,
		};

		shape_add(&sum, &s->want, &account);
	}
	return sum;
}

static uint64_t total_padding(const struct sender *s)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < s->opt->streams; i++)
		sum += s->streams[i].padding;
	return sum;
}

static const char *const verdicts[] = {
	[SHAPE_KEPT] = "kept",
	[SHAPE_PARTLY] = "partly",
	[SHAPE_UNKNOWN] = "unknown",
	[SHAPE_NONE] = "none",
};

/* No more than what is known: of the network behind our NIC nothing is */
static void say_verdict(const struct shape *shape, uint32_t page, struct report *out)
{
	char text[256] = "";
	int used;

	switch (shape->verdict) {
	case SHAPE_KEPT:
		snprintf(text, sizeof(text), "kept: all %" PRIu64 " whole records left in segments of whole %s",
			 shape->records, shape->unit == page ? "pages" : "blocks");
		break;
	case SHAPE_PARTLY:
		snprintf(text, sizeof(text), "kept but for at most %" PRIu64 " of %" PRIu64 " records",
			 shape->spoiled, shape->records);
		break;
	case SHAPE_UNKNOWN:
		used = snprintf(text, sizeof(text), "not known: %s", shape->why);
		if (shape->payload != shape->payload_end)
			snprintf(text + used, sizeof(text) - (size_t)used, ", from %u bytes to %u",
				 shape->payload, shape->payload_end);
		break;
	case SHAPE_NONE:
		snprintf(text, sizeof(text), "none: segments of %u bytes are neither pages nor blocks",
			 shape->payload);
		break;
	}
	report_list(out, "shape", text);
}

static void json_shape(const struct shape *shape, struct json *j)
{
	json_u64(j, "segments_expected", shape->expected);
	json_u64(j, "segments_sent", shape->sent);
	json_u64(j, "segments_excess", shape->excess);
	json_u64(j, "retransmitted", shape->again);
	json_str(j, "shape", verdicts[shape->verdict]);
	json_str(j, "shape_reason", shape->why);
	json_u64(j, "records", shape->records);
	json_u64(j, "records_spoiled_max", shape->spoiled);
	json_u64(j, "aligned_bytes", shape->unit);
	json_u64(j, "payload_bytes", shape->payload);
	json_u64(j, "payload_end_bytes", shape->payload_end);
}

/**
 * struct sends - how the kernel took what was to go without a copy, all streams together
 * @all: sends, about one a record
 * @copied: of these, copied all the same
 * @refused: of these, refused, and then sent with a copy
 */
struct sends {
	uint64_t all;
	uint64_t copied;
	uint64_t refused;
};

static struct sends sum_sends(const struct sender *s)
{
	struct sends sum = { 0 };

	for (uint32_t i = 0; i < s->opt->streams; i++) {
		const struct zerocopy *z = &s->streams[i].zc;

		sum.all += z->sends + z->refused;
		sum.copied += z->copied;
		sum.refused += z->refused;
	}
	return sum;
}

static void warn_copied(struct sender *s, const char *name, struct diag_env *env, uint64_t n,
			uint64_t all)
{
	struct diag_text text;

	env->prog = s->report->prog;
	env->peer = s->opt->host;
	snprintf(env->have, sizeof(env->have), "%" PRIu64 " of %" PRIu64 " sends", n, all);
	diag_advice(env, name, &text);
	report_diag(s->report, env, &text, false);
}

/* What nobody would notice: everything works, and nothing is gained */
static void warn_sends(struct sender *s, const struct sends *sends)
{
	struct stream *st = s->streams;

	for (uint32_t i = 0; i < s->opt->streams && !st->cause; i++)
		st = &s->streams[i];
	if (st->cause)
		warn_copied(s, st->cause, &st->cause_env, sends->copied, sends->all);
	if (sends->refused)
		warn_copied(s, "send-refused", &st->cause_env, sends->refused, sends->all);
}

/**
 * say_end() - what has happened
 * @s: the sender
 * @used: processor time of the transfer
 * @complete: nothing failed, and all was sent and acknowledged that has an end
 */
void say_end(struct sender *s, const struct cpu_sample *used, bool complete)
{
	struct shape shape = sum_shape(s);
	uint64_t bytes = total_sent(s);
	struct report *out = s->report;
	struct sends sends = sum_sends(s);
	uint64_t uncopied = sends.all - sends.copied - sends.refused;
	char size[REPORT_SIZE], number[REPORT_NUMBER], text[160];
	bool json;

	warn_sends(s, &sends);
	json = report_event(out, "end");
	if (json) {
		report_rate(out, bytes, used->wall_ns);
		json_bool(&out->json, "complete", complete);
		json_u64(&out->json, "padding_bytes", total_padding(s));
		json_shape(&shape, &out->json);
		if (sends.all) {
			json_u64(&out->json, "sends", sends.all);
			json_u64(&out->json, "sends_copied", sends.copied);
			json_u64(&out->json, "sends_refused", sends.refused);
		}
	}
	snprintf(text, sizeof(text),
		 "%" PRIu64 " expected, %" PRIu64 " sent: %" PRIu64 " cut out of shape, %" PRIu64
		 " sent again", shape.expected, shape.sent, shape.excess, shape.again);
	report_list(out, "segments", text);
	say_verdict(&shape, s->want.page, out);
	if (s->opt->pad) {
		snprintf(text, sizeof(text), "%" PRIu64 " bytes, zeros at the end",
			 total_padding(s));
		report_list(out, "padding", text);
	}
	report_cpu(out, used, bytes);
	if (json)
		report_event_end(out);
	fprintf(out->talk, "sent %s ", report_size(bytes, size));
	if (sends.all)
		fprintf(out->talk, "(%s %% zero copy) ",
			report_percent(percent(uncopied, sends.all), number));
	fprintf(out->talk, "in %s s, ", report_number((double)used->wall_ns / 1e9, number));
	fprintf(out->talk, "%s Gbit/s\n", report_number(report_gbit(bytes, used->wall_ns), number));
}
