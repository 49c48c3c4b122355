// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "look.h"
#include "receiver.h"
#include "wrap.h"

/* Enough of a flow to judge how it arrives */
#define JUDGE_BYTES		(1U << 20)

/**
 * say_env() - circumstances for a diagnostic
 * @r: the receiver
 * @why: what was refused, NULL when nothing was
 *
 * Return: to be completed with what the diagnostic needs.
 */
struct diag_env say_env(const struct receiver *r, const struct zcrx_refusal *why)
{
	return (struct diag_env){
		.prog = r->report->prog,
		.cfg = &r->cfg,
		.queues = &r->opt->queues,
		.why = why,
		.port = r->opt->port,
		.family = r->opt->family,
		.path = r->opt->path && strcmp(r->opt->path, "-") ? r->opt->path :
								    "standard output",
	};
}

/**
 * say_refusal() - explain an error
 * @r: the receiver
 * @step: what was tried
 * @err: errno, of either sign
 * @peer: with whom, NULL when it does not matter
 */
void say_refusal(struct receiver *r, enum zcrx_step step, int err, const char *peer)
{
	struct zcrx_refusal why = { 0 };
	struct diag_env env = say_env(r, &why);

	zcrx_refuse(&why, step, err);
	env.peer = peer;
	report_refusal(r->report, &env);
}

/**
 * say_warning() - a diagnostic that no error led to
 * @r: the receiver
 * @env: its circumstances
 * @name: its name
 */
void say_warning(struct receiver *r, struct diag_env *env, const char *name)
{
	struct diag_text text;

	diag_advice(env, name, &text);
	report_diag(r->report, env, &text, false);
}

/**
 * say_wrong_data() - a connection does not carry the pattern
 * @r: the receiver
 * @c: the connection
 * @pos: position of the first wrong byte
 */
void say_wrong_data(struct receiver *r, const struct conn *c, uint64_t pos)
{
	report_say(r->report, "%s: byte %" PRIu64 " is not that of the pattern", c->peer, pos);
	if (report_event(r->report, "error")) {
		json_str(&r->report->json, "name", "wrong-data");
		json_str(&r->report->json, "peer", c->peer);
		json_u64(&r->report->json, "position", pos);
		report_event_end(r->report);
	}
}

/* What has come by each queue since the last interval, and in total */
static struct progress_seen take_progress(struct crew *crew, struct progress_seen *each)
{
	struct progress_seen total = { 0 };

	for (uint32_t i = 0; i < crew->n; i++) {
		struct receiver *r = &crew->members[i];
		struct progress_seen now = progress_read(r);

		each[i] = progress_since(&r->interval, &now);
		r->interval = now;
		progress_add(&total, &each[i]);
	}
	return total;
}

/*
 * Whether the kernel says what it copied where it need not have. All receivers have the same
 * backend: the first is asked, as the others may have closed theirs.
 */
static bool copies_are_known(const struct crew *crew)
{
	const struct receiver *first = &crew->members[0];

	return !first->backend->ops->zero_copy || first->t.counted;
}

/* null where the kernel does not tell: see copies_are_known() */
static void json_share(struct json *j, const struct crew *crew, uint64_t zc_bytes, uint64_t bytes)
{
	json_double(j, "zero_copy_percent", copies_are_known(crew) ? percent(zc_bytes, bytes) : NAN);
}

static void json_progress(struct report *out, const struct crew *crew,
			  const struct progress_seen *p, uint64_t ns)
{
	report_rate(out, p->bytes, ns);
	json_share(&out->json, crew, p->zc_bytes, p->bytes);
	json_double(&out->json, "aligned_percent", percent(p->aligned_bytes, p->bytes));
}

static void say_queue_rates(struct report *out, const struct crew *crew,
			    const struct progress_seen *each, uint64_t ns)
{
	unsigned int column = report_line(out, "by queue");

	for (uint32_t i = 0; i < crew->n; i++) {
		char word[48];

		snprintf(word, sizeof(word), "%u: %.2f%s", crew->members[i].cfg.queue,
			 report_gbit(each[i].bytes, ns), i + 1 < crew->n ? "," : " Gbit/s");
		column = report_word(out, column, word);
	}
	fputc('\n', out->talk);
}

static void json_queue_rates(struct report *out, const struct crew *crew,
			     const struct progress_seen *each, uint64_t ns)
{
	json_list(&out->json, "queues");
	for (uint32_t i = 0; i < crew->n; i++) {
		const struct receiver *r = &crew->members[i];

		json_open(&out->json, NULL);
		json_u64(&out->json, "queue", r->cfg.queue);
		json_progress(out, crew, &each[i], ns);
		json_u64(&out->json, "connections", r->load);
		json_close(&out->json);
	}
	json_list_end(&out->json);
}

/**
 * say_interval() - the lines of an interval
 * @r: the first receiver
 * @now: its end, CLOCK_MONOTONIC
 */
void say_interval(struct receiver *r, uint64_t now)
{
	struct crew *crew = r->crew;
	uint64_t ns = now - crew->interval_start;
	double at = (double)(now - crew->first_ns) / 1e9;
	struct progress_seen each[QUEUES_MAX];
	struct progress_seen p = take_progress(crew, each);
	char size[REPORT_SIZE], zc[REPORT_NUMBER] = "?";

	if (!p.bytes && !crew->open)
		return;
	if (copies_are_known(crew))
		snprintf(zc, sizeof(zc), "%.1f", percent(p.zc_bytes, p.bytes));
	flockfile(r->report->talk);
	fprintf(r->report->talk,
		"%7.1f s  %9s  %6.2f Gbit/s  %5s %% zero copy  %5.1f %% page-aligned\n", at,
		report_size(p.bytes, size), report_gbit(p.bytes, ns), zc,
		percent(p.aligned_bytes, p.bytes));
	if (crew->n > 1)
		say_queue_rates(r->report, crew, each, ns);
	funlockfile(r->report->talk);
	if (!report_event(r->report, "interval"))
		return;
	json_double(&r->report->json, "at", at);
	json_progress(r->report, crew, &p, ns);
	json_u64(&r->report->json, "connections", crew->open);
	if (crew->n > 1)
		json_queue_rates(r->report, crew, each, ns);
	report_event_end(r->report);
}

/**
 * say_stray() - warn of the first connection that comes by none of the queues
 * @r: the first receiver
 * @c: the connection
 * @name: of the diagnostic
 */
void say_stray(struct receiver *r, const struct conn *c, const char *name)
{
	struct diag_env env = say_env(r, NULL);

	env.peer = c->peer;
	queues_text(&r->opt->queues, env.want, sizeof(env.want));
	say_warning(r, &env, name);
}

/*
 * A line of the form of sha256sum(1), so that "sha256sum -c" can check it; on standard
 * output if that has nothing else
 */
static int say_hash(struct receiver *r, const char *hash, const char *name)
{
	bool taken = r->report->json.out || r->sink->to_stdout;
	FILE *out = taken ? r->report->talk : stdout;

	if (fprintf(out, "%s  %s\n", hash, name) < 0 || fflush(out))
		return taken ? 0 : -errno;
	return 0;
}

/* The file that has this connection's data and no other's, NULL when there is none */
static const char *own_file(const struct receiver *r, const struct conn *c, bool complete)
{
	bool only = r->sink->target.part && !r->sink->to_stdout && r->opt->connections == 1;

	return c->out.target.part || only ? sink_name(r->sink, &c->out, complete) : NULL;
}

/**
 * say_connection() - a connection is over
 * @r: the receiver
 * @c: the connection
 * @complete: its peer ended it in order, and all of it is where it should be
 *
 * Return: 0, -errno when its hash could not be told.
 */
int say_connection(struct receiver *r, const struct conn *c, bool complete)
{
	const char *file = own_file(r, c, complete);
	struct json *j = &r->report->json;
	char hash[HASH_TEXT] = "";
	char size[REPORT_SIZE];
	int err = 0;

	if (c->hash)
		hash_end(c->hash, hash);
	if (c->out.target.part)
		fprintf(r->report->talk, "  %s: %s from %s%s\n", file,
			report_size(c->stream.pos, size), c->peer, complete ? "" : ", incomplete");
	if (c->hash)
		err = hash[0] ? say_hash(r, hash, file ? file : c->peer) : -ENOMEM;
	if (!report_event(r->report, "connection"))
		return err;
	json_u64(j, "connection", c->id);
	json_str(j, "peer", c->peer);
	json_u64(j, "bytes", c->stream.pos);
	json_double(j, "seconds", (double)(clock_ns() - c->since) / 1e9);
	json_bool(j, "complete", complete);
	json_str(j, "path", file);
	if (r->crew->n > 1)
		json_u64(j, "queue", r->cfg.queue);
	if (c->hash)
		json_str(j, r->opt->hash->name, hash);
	report_event_end(r->report);
	return err;
}

/**
 * say_reader_gone() - nobody reads standard output any more
 * @r: the receiver
 */
void say_reader_gone(struct receiver *r)
{
	struct diag_env env = say_env(r, NULL);

	say_warning(r, &env, "reader-gone");
}

/**
 * say_incomplete() - files do not have their final names
 * @r: the receiver
 * @why: in words
 */
void say_incomplete(struct receiver *r, const char *why)
{
	struct diag_env env = say_env(r, NULL);
	char files[DIAG_VALUE];

	snprintf(files, sizeof(files), "%" PRIu64 " of %" PRIu64 " files", r->sink->incomplete,
		 r->sink->files);
	env.path = r->sink->target.part ? r->sink->target.part : files;
	snprintf(env.have, sizeof(env.have), "%s", why);
	say_warning(r, &env, "incomplete");
}

static void share(char *buf, uint64_t part, uint64_t whole)
{
	snprintf(buf, DIAG_VALUE, "%.1f %%", percent(part, whole));
}

/* Of all that was copied, why most of it was */
static void warn_copied(struct receiver *r)
{
	struct diag_env env = say_env(r, NULL);
	const struct io_uring_zc_rx_stats k = tally_kernel(r);
	const struct {
		const char *name;
		uint64_t bytes;
	} why[] = {
		{ "copied-linear", k.copy_linear_bytes },
		{ "copied-foreign", k.copy_foreign_bytes },
		{ "copied-spare", k.copy_spare_bytes },
	};
	size_t most = 0;

	for (size_t i = 1; i < sizeof(why) / sizeof(why[0]); i++)
		if (why[i].bytes > why[most].bytes)
			most = i;
	/* what the kernel has counted may not have been completed yet */
	share(env.have, why[most].bytes < r->t.stats.bytes ? why[most].bytes : r->t.stats.bytes,
	      r->t.stats.bytes);
	say_warning(r, &env, why[most].name);
}

/**
 * say_judgement() - warn once if half of what came was copied though it should not be
 * @r: the receiver
 *
 * It is the error that nobody sees: everything works, and nothing is gained. It may come late:
 * a rule is deleted, or a region was large enough so far.
 */
void say_judgement(struct receiver *r)
{
	if (r->judged || r->t.stats.bytes < JUDGE_BYTES || !(r->t.counted & ZCRX_COUNTED_FOREIGN))
		return;
	if (r->t.stats.copied_bytes * 2 < r->t.stats.bytes)
		return;
	r->judged = true;
	warn_copied(r);
}

static void warn_buf_len(struct receiver *r)
{
	struct diag_env env = say_env(r, NULL);
	char size[REPORT_SIZE];
	int err = r->backend->buf_err ? r->backend->buf_err : EOPNOTSUPP;

	snprintf(env.have, sizeof(env.have), "%s", strerrorname_np(err));
	snprintf(env.want, sizeof(env.want), "%s", report_size(r->opt->cfg.buf_len, size));
	say_warning(r, &env, "no-buffer-length");
}

/* All listeners have the same */
static void warn_rcvbuf(struct receiver *r)
{
	const struct listener *l = &r->crew->listeners[0];
	struct diag_env env = say_env(r, NULL);
	uint32_t got = net_rcvbuf(l->source.fd < 0 ? l[1].source.fd : l->source.fd);

	if (got >= r->opt->rcvbuf)
		return;
	snprintf(env.have, sizeof(env.have), "%u", got);
	snprintf(env.want, sizeof(env.want), "%u", r->opt->rcvbuf);
	say_warning(r, &env, "receive-buffer-cut");
}

/* Where data is put first, and where then */
static void say_sink(const struct receiver *r, const struct writer_stats *ws)
{
	const struct recv_options *opt = r->opt;
	const char *words = r->sink->ops->words;
	char region[REPORT_SIZE], text[PATH_MAX + 256];
	int used = snprintf(text, sizeof(text), "region %s",
			    report_size(opt->cfg.region_size, region));

	if (r->backend->region.areas > 1)
		used += snprintf(text + used, sizeof(text) - (size_t)used, " in %u areas",
				 r->backend->region.areas);
	used += snprintf(text + used, sizeof(text) - (size_t)used, "%s, ",
			 r->crew->n > 1 ? " each" : "");
	used += opt->path ? snprintf(text + used, sizeof(text) - (size_t)used, "to %s %.*s", words,
				     PATH_MAX, opt->path) :
			    snprintf(text + used, sizeof(text) - (size_t)used, "%s", words);
	if (ws && ws->direct)
		snprintf(text + used, sizeof(text) - (size_t)used, " (O_DIRECT)");
	else if (ws)
		snprintf(text + used, sizeof(text) - (size_t)used, " (buffered: %s)", ws->plain);
	fputs("  ", r->report->talk);
	wrap_text(r->report->talk, 2, 4, r->report->width, text, 0);
}

static void start_heading(const struct receiver *r)
{
	const struct recv_options *opt = r->opt;
	const struct zcrx_backend_ops *ops = r->backend->ops;
	const struct writer_stats *ws = sink_written(r->sink);
	const bool several = r->crew->n > 1;
	char queues[QUEUES_TEXT];

	if (!opt->backend)
		report_say(r->report, "auto took %s; %s%s", ops->name,
			   r->chosen[0] ? "refused: " : "it is the first choice", r->chosen);
	if (ops->zero_copy)
		report_say(r->report, "port %u, %s queue%s %s, %s", opt->port, opt->cfg.iface,
			   several ? "s" : "", queues_text(&opt->queues, queues, sizeof(queues)),
			   ops->words);
	else if (several)
		report_say(r->report, "port %u, %u threads, %s", opt->port, r->crew->n, ops->words);
	else
		report_say(r->report, "port %u, %s", opt->port, ops->words);
	say_sink(r, ws);
	if (opt->cfg.cpu >= 0 && !ops->pins)
		report_say(r->report, "--cpu is not for --backend %s: the interrupt stays where it is",
			   ops->name);
}

static void start_event(struct receiver *r)
{
	const struct recv_options *opt = r->opt;
	const struct zcrx_backend_ops *ops = r->backend->ops;
	const struct writer_stats *ws = sink_written(r->sink);

	if (!report_event(r->report, "start"))
		return;
	json_u64(&r->report->json, "schema", REPORT_SCHEMA);
	json_str(&r->report->json, "backend", ops->name);
	json_bool(&r->report->json, "backend_auto", !opt->backend);
	json_str(&r->report->json, "backends_refused", r->chosen);
	json_str(&r->report->json, "interface", opt->cfg.iface);
	json_u64(&r->report->json, "queue", opt->cfg.queue);
	if (r->crew->n > 1)
		report_queues(r->report, &opt->queues);
	json_u64(&r->report->json, "port", opt->port);
	json_u64(&r->report->json, "region_bytes", opt->cfg.region_size);
	json_u64(&r->report->json, "areas", r->backend->region.areas);
	json_u64(&r->report->json, "rx_buf_bytes", r->backend->buf_len);
	json_u64(&r->report->json, "rq_entries", opt->cfg.rq_entries);
	json_u64(&r->report->json, "cq_entries", opt->cfg.cq_entries);
	json_u64(&r->report->json, "page_bytes", r->t.stats.page);
	json_u64(&r->report->json, "gather_us", opt->cfg.gather_us);
	json_u64(&r->report->json, "busy_poll_us",
		 r->backend->busy_polls ? opt->cfg.busy_poll_us : 0);
	json_u64(&r->report->json, "mss", opt->mss);
	json_bool(&r->report->json, "page_mss", opt->page_mss);
	json_bool(&r->report->json, "hello", opt->hello_ns);
	json_str(&r->report->json, "sink", r->sink->ops->words);
	json_str(&r->report->json, "path", opt->path);
	json_str(&r->report->json, "hash", opt->hash ? opt->hash->name : NULL);
	json_bool(&r->report->json, "direct", ws && ws->direct);
	report_event_end(r->report);
}

/* What was asked for, and is not to be had */
static void warn_start(struct receiver *r)
{
	const struct recv_options *opt = r->opt;
	struct diag_env env = say_env(r, NULL);

	if (opt->cfg.busy_poll_us && !r->backend->busy_polls)
		say_warning(r, &env, "no-busy-poll");
	if (opt->cfg.buf_len && r->backend->buf_len != opt->cfg.buf_len)
		warn_buf_len(r);
	/* this series' driver refuses that; upstream's take it, and lose packets */
	if (r->backend->ops->zero_copy && !r->backend->ops->splits && look_region_below_ring(&env))
		say_warning(r, &env, "region-below-ring");
	warn_rcvbuf(r);
}

/**
 * say_start() - what is going to happen, before it does
 * @r: the receiver
 */
void say_start(struct receiver *r)
{
	start_heading(r);
	start_event(r);
	warn_start(r);
}

/* What was posted and not taken any more is counted by the kernel only */
static bool counters_agree(const struct receiver *r, const struct tally *t)
{
	uint64_t seen = t->stats.zc_bytes + t->greeted_zc;
	bool all_taken = !t->open && !r->opt->bytes;

	return all_taken ? t->kernel.zc_bytes == seen : t->kernel.zc_bytes >= seen;
}

static void warn_count(struct receiver *r, const char *name, uint64_t n)
{
	struct diag_env env = say_env(r, NULL);

	if (!n)
		return;
	snprintf(env.have, sizeof(env.have), "%" PRIu64, n);
	say_warning(r, &env, name);
}

/*
 * Whole pages without a copy are what mostly came. TCP takes units of up to 16 KiB only
 * (RFC 7323, 2.3).
 */
static void warn_window(struct receiver *r, const struct tally *t)
{
	const struct rx_stats *s = &t->stats;
	const uint32_t unit = r->crew->window_unit;
	uint64_t parts = s->bytes - s->aligned_bytes;
	struct diag_env env = say_env(r, NULL);
	char size[REPORT_SIZE];

	/* the end of a stream is less than a page, too */
	if (!unit || unit >= s->page || s->page > 16384 || parts < t->connections * s->page ||
	    s->aligned_bytes < parts || s->zc_bytes < s->copied_bytes)
		return;
	snprintf(env.have, sizeof(env.have), "%s", report_size(parts, size));
	snprintf(env.want, sizeof(env.want), "%" PRIu64, (uint64_t)s->page << 15);
	say_warning(r, &env, "window-cuts-pages");
}

static void warn_counters(struct receiver *r, const struct tally *t)
{
	struct diag_env env = say_env(r, NULL);

	warn_count(r, "completion-ring-full", t->stats.starved);
	if (!copies_are_known(r->crew)) {
		look_kernel(&env);
		say_warning(r, &env, "copies-not-counted");
	}
	/* rbuf's driver then takes other pages, and upstream's none */
	warn_count(r, t->counted & ZCRX_COUNTED_LINEAR ? "region-exhausted" :
							 "region-exhausted-dropped",
		   t->kernel.alloc_fail);
	warn_count(r, "bad-give-back", t->kernel.bad_rqes);
	if (!(t->counted & ZCRX_COUNTED_ZC) || counters_agree(r, t))
		return;
	snprintf(env.have, sizeof(env.have), "%" PRIu64, t->stats.zc_bytes);
	snprintf(env.want, sizeof(env.want), "%" PRIu64, (uint64_t)t->kernel.zc_bytes);
	say_warning(r, &env, "counters-disagree");
}

static void say_kernel(struct receiver *r, const struct tally *t)
{
	const struct io_uring_zc_rx_stats *k = &t->kernel;
	char text[192];

	if (t->counted & ZCRX_COUNTED_LINEAR)
		snprintf(text, sizeof(text),
			 "%" PRIu64 " bytes from packet heads, %" PRIu64 " bytes from other pages, "
			 "%" PRIu64 " bytes as the region was empty",
			 (uint64_t)k->copy_linear_bytes, (uint64_t)k->copy_foreign_bytes,
			 (uint64_t)k->copy_spare_bytes);
	else
		snprintf(text, sizeof(text),
			 "%" PRIu64 " bytes from other pages (from packet heads: not counted)",
			 (uint64_t)k->copy_foreign_bytes);
	report_list(r->report, "copied", text);
}

/* What the kernel does not count is not there, rather than 0 */
static void json_kernel(struct json *j, const struct io_uring_zc_rx_stats *k,
			unsigned int counted)
{
	const struct {
		const char *name;
		uint64_t value;
		unsigned int counted;
	} fields[] = {
		{ "zc_bytes", k->zc_bytes, ZCRX_COUNTED_ZC },
		{ "copy_linear_bytes", k->copy_linear_bytes, ZCRX_COUNTED_LINEAR },
		{ "copy_foreign_bytes", k->copy_foreign_bytes, ZCRX_COUNTED_FOREIGN },
		{ "copy_spare_bytes", k->copy_spare_bytes, ZCRX_COUNTED_REST },
		{ "copy_no_buffer", k->copy_no_buffer, ZCRX_COUNTED_REST },
		{ "alloc_fail", k->alloc_fail, ZCRX_COUNTED_ROOM },
		{ "cq_full", k->cq_full, ZCRX_COUNTED_REST },
		{ "bad_rqes", k->bad_rqes, ZCRX_COUNTED_REST },
	};

	json_open(j, "kernel");
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (counted & fields[i].counted)
			json_u64(j, fields[i].name, fields[i].value);
	json_close(j);
}

static void json_stats(struct json *j, const struct receiver *r, const struct rx_stats *s)
{
	json_u64(j, "zero_copy_bytes", s->zc_bytes);
	json_u64(j, "copied_bytes", s->copied_bytes);
	json_u64(j, "aligned_bytes", s->aligned_bytes);
	json_share(j, r->crew, s->zc_bytes, s->bytes);
	json_double(j, "aligned_percent", percent(s->aligned_bytes, s->bytes));
	json_u64(j, "pieces", s->pieces);
	json_u64(j, "completions", s->completions);
	json_u64(j, "starved", s->starved);
	json_u64(j, "rearmed", s->rearmed);
	if (s->record) {
		json_u64(j, "records", s->records);
		json_u64(j, "aligned_records", s->aligned_records);
	}
	json_u64s(j, "piece_length_log2", s->len_log2, STATS_LOG2);
	json_u64s(j, "page_offset_sixteenths", s->place, STATS_PLACES);
}

static void say_writer(struct receiver *r, const struct writer_stats *ws)
{
	char pages[REPORT_SIZE], copied[REPORT_SIZE], text[128];

	/* why it is buffered was said at the start */
	snprintf(text, sizeof(text), "%s from where they arrived, %s copied together, %s",
		 report_size(ws->from_pages, pages), report_size(ws->copied, copied),
		 ws->direct ? "O_DIRECT" : "buffered");
	report_list(r->report, "written", text);
}

static void json_writer(struct json *j, const struct sink *s, const struct writer_stats *ws)
{
	json_open(j, "file");
	json_u64(j, "files", s->files);
	json_u64(j, "incomplete", s->incomplete);
	json_bool(j, "direct", ws->direct);
	json_u64(j, "block", ws->block);
	json_u64(j, "align", ws->align);
	json_u64(j, "written", ws->written);
	json_u64(j, "from_pages", ws->from_pages);
	json_u64(j, "copied", ws->copied);
	json_u64(j, "writes", ws->writes);
	json_str(j, "buffered_because", ws->plain);
	json_close(j);
}

static void length_label(char *buf, size_t size, unsigned int i, uint64_t unit)
{
	(void)unit;
	if (i < 2)
		snprintf(buf, size, "%u", i);
	else
		snprintf(buf, size, "%llu-%llu", 1ULL << (i - 1), (1ULL << i) - 1);
}

static void place_label(char *buf, size_t size, unsigned int i, uint64_t unit)
{
	snprintf(buf, size, "%" PRIu64 "-%" PRIu64, i * unit, (i + 1) * unit - 1);
}

static void say_histograms(struct receiver *r, const struct rx_stats *s)
{
	report_shares(r->report, "length", s->len_log2, STATS_LOG2, length_label, 0);
	report_shares(r->report, "offset", s->place, STATS_PLACES, place_label,
		      s->page / STATS_PLACES);
}

static void say_places(struct receiver *r, const char *title, const struct receiver *of,
		       const struct tally *t)
{
	struct cpu_irq irq = { .number = -1 };

	if (of && of->cfg.iface)
		cpu_queue_irq(&irq, of->cfg.iface, of->cfg.queue);
	report_places(r->report, title, &t->softirq, &t->program, &irq);
}

/* Percent, or that it is not known */
static const char *zero_copy_share(const struct crew *crew, const struct rx_stats *s, char *buf)
{
	return copies_are_known(crew) ? report_percent(percent(s->zc_bytes, s->bytes), buf) : "?";
}

/* A queue: lines for people, and an element of a list in a JSON line */
static void say_queue(struct receiver *r, const struct receiver *of)
{
	const struct tally *t = &of->t;
	const struct rx_stats *s = &t->stats;
	struct json *j = &r->report->json;
	char title[16], size[REPORT_SIZE], zc[REPORT_NUMBER], aligned[REPORT_NUMBER], text[160];

	snprintf(title, sizeof(title), "queue %u", of->cfg.queue);
	snprintf(text, sizeof(text),
		 "%s, %" PRIu64 " connection%s, %s %% zero copy, %s %% page-aligned",
		 report_size(s->bytes, size), t->connections, t->connections == 1 ? "" : "s",
		 zero_copy_share(r->crew, s, zc),
		 report_percent(percent(s->aligned_bytes, s->bytes), aligned));
	report_list(r->report, title, text);
	if (j->out) {
		uint64_t ns = t->first.wall_ns ? t->last.wall_ns - t->first.wall_ns : 0;

		json_open(j, NULL);
		json_u64(j, "queue", of->cfg.queue);
		report_rate(r->report, s->bytes, ns);
		json_u64(j, "connections", t->connections);
		json_u64(j, "failed_connections", t->failed);
		json_stats(j, r, s);
		if (t->counted)
			json_kernel(j, &t->kernel, t->counted);
	}
	say_places(r, "", of, t);
	if (j->out)
		json_close(j);
}

static void say_queues(struct receiver *r)
{
	const struct crew *crew = r->crew;
	struct json *j = &r->report->json;
	char text[128];

	if (j->out)
		json_list(j, "queues");
	for (uint32_t i = 0; i < crew->n; i++)
		say_queue(r, &crew->members[i]);
	if (j->out) {
		json_list_end(j);
		json_u64(j, "elsewhere_connections", crew->elsewhere);
		json_u64(j, "unknown_connections", crew->unknown);
	}
	if (!r->backend->ops->zero_copy || !(crew->elsewhere || crew->unknown))
		return;
	snprintf(text, sizeof(text), "%" PRIu64 " connections by other queues, %" PRIu64
		 " by unknown ones, and copied", crew->elsewhere, crew->unknown);
	report_list(r->report, "others", text);
}

/* The last line, of which no part may grow so that it takes more than 80 columns */
static void say_sum(struct receiver *r, const struct rx_stats *s, uint64_t ns)
{
	char size[REPORT_SIZE], zc[REPORT_NUMBER], aligned[REPORT_NUMBER], seconds[REPORT_NUMBER],
		rate[REPORT_NUMBER];

	fprintf(r->report->talk, "received %s (%s %% zero copy, %s %% page-aligned) in %s s, %s Gbit/s\n",
		report_size(s->bytes, size), zero_copy_share(r->crew, s, zc),
		report_percent(percent(s->aligned_bytes, s->bytes), aligned),
		report_number((double)ns / 1e9, seconds), report_number(report_gbit(s->bytes, ns), rate));
}

/**
 * say_end() - what has happened
 * @r: the first receiver
 * @total: what all have received
 */
void say_end(struct receiver *r, const struct tally *total)
{
	const struct writer_stats *ws = sink_written(r->sink);
	struct report *out = r->report;
	struct cpu_sample used = cpu_since(&total->first, &total->last);
	const struct rx_stats *s = &total->stats;
	bool json;

	warn_counters(r, total);
	warn_window(r, total);
	json = report_event(out, "end");
	if (r->crew->n > 1)
		say_queues(r);
	if (json) {
		report_rate(out, s->bytes, used.wall_ns);
		json_u64(&out->json, "connections", r->crew->accepted);
		json_u64(&out->json, "failed_connections", total->failed);
		json_stats(&out->json, r, s);
		if (total->counted)
			json_kernel(&out->json, &total->kernel, total->counted);
		if (ws)
			json_writer(&out->json, r->sink, ws);
	}
	if (s->record)
		fprintf(out->talk, "  records   %" PRIu64 " of %" PRIu64 " page-aligned throughout\n",
			s->aligned_records, s->records);
	if (ws)
		say_writer(r, ws);
	if (total->counted)
		say_kernel(r, total);
	say_histograms(r, s);
	say_places(r, "cpu", r->crew->n > 1 ? NULL : r, total);
	report_cpu(out, &used, s->bytes);
	if (json)
		report_event_end(out);
	say_sum(r, s, used.wall_ns);
}
