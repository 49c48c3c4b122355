// SPDX-License-Identifier: GPL-2.0-or-later
#include "check.h"
#include "look.h"
#include "net.h"
#include "uring.h"
#include "wrap.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Where the words of a line begin */
#define COLUMN		24

enum result {
	RESULT_OK,
	RESULT_FAILED,
	RESULT_ADVICE,
	RESULT_UNKNOWN,
	RESULT_SKIPPED,
	RESULTS,
};

static const struct {
	const char *word;	/* for people */
	const char *json;
	const char *count;	/* in the sum */
} results[] = {
	[RESULT_OK] = { "ok", "ok", "ok" },
	[RESULT_FAILED] = { "FAILED", "failed", "failed" },
	[RESULT_ADVICE] = { "warning", "warning", "warned of" },
	[RESULT_UNKNOWN] = { "unknown", "unknown", "unknown" },
	[RESULT_SKIPPED] = { "skipped", "skipped", "skipped" },
};

/**
 * struct check_state - the checks at work
 * @opt: what is to be checked
 * @cfg: with the queue in work
 * @env: circumstances
 * @failed: checks that failed or could not be made, a bit each
 * @queue_failed: the same of each queue, those of the queue alone
 * @at: which queue is in work
 * @counts: results, of each kind
 */
struct check_state {
	const struct check_options *opt;
	struct zcrx_config cfg;
	struct diag_env env;
	uint32_t failed;
	uint32_t queue_failed[QUEUES_MAX];
	uint32_t at;
	unsigned int counts[RESULTS];
};

/**
 * struct outcome - of one check
 * @result: how it ended
 * @text: the diagnostic, of a failure and of advice
 */
struct outcome {
	enum result result;
	struct diag_text text;
};

/* ---- checks that are attempts ------------------------------------------ */

/* Is all that is wanted an ordinary receive? */
static bool is_plain(const struct check_options *opt)
{
	return opt->backend && !opt->backend->zero_copy && !opt->backend->registers;
}

static int try_io_uring(struct check_state *s, struct zcrx_refusal *why)
{
	struct uring u;
	/* where only copying was asked for, any will do */
	bool plain = is_plain(s->opt);
	int err = uring_open(&u, 8, plain ? URING_PLAIN : URING_DEFER);

	if (err < 0)
		return zcrx_refuse(why, ZCRX_STEP_RING, err);
	uring_close(&u);
	look_kernel(&s->env);
	return 0;
}

/* The best that the kernel has, or the one that was asked for */
static int try_zero_copy(struct check_state *s, struct zcrx_refusal *why)
{
	const struct zcrx_backend_ops *ops;
	int err = -ENOSYS;

	for (unsigned int i = 0; (ops = zcrx_backend_at(i)); i++) {
		if (s->opt->backend ? ops != s->opt->backend : !ops->zero_copy)
			continue;
		err = ops->probe(&s->cfg, why);
		if (err)
			continue;
		s->env.backend = ops;
		snprintf(s->env.have, sizeof(s->env.have), "%s (--backend %s)", ops->words,
			 ops->name);
		return 0;
	}
	return err;
}

static int try_port(struct check_state *s, struct zcrx_refusal *why)
{
	static const int families[] = { AF_INET6, AF_INET };

	for (unsigned int i = 0; i < 2; i++) {
		const struct net_listen how = { .family = families[i], .port = s->opt->port };
		int fd;

		if (s->opt->family != AF_UNSPEC && s->opt->family != families[i])
			continue;
		fd = net_listen(&how);
		/* a kernel may have one family only */
		if (fd < 0 && (fd != -EAFNOSUPPORT || s->opt->family != AF_UNSPEC))
			return zcrx_refuse(why, ZCRX_STEP_LISTEN, fd);
		if (fd >= 0)
			close(fd);
	}
	snprintf(s->env.have, sizeof(s->env.have), "%u is free", s->opt->port);
	return 0;
}

static int try_bind(struct check_state *s, struct zcrx_refusal *why)
{
	struct zcrx_backend *b;
	int err = s->env.backend->open(&s->cfg, &b, why);

	if (err)
		return err;
	zcrx_close(b);
	snprintf(s->env.have, sizeof(s->env.have), "queue %u was bound, and given back",
		 s->cfg.queue);
	return 0;
}

/* ---- the checks -------------------------------------------------------- */

#define BIT(check)	(1U << (check))

/* What makes no sense without an interface, and the queue besides */
#define ON_IFACE	BIT(CHECK_INTERFACE)
#define ON_QUEUE	(ON_IFACE | BIT(CHECK_QUEUE))

/**
 * struct check - one thing that is looked at
 * @name: in the report; stable, programs that read --json refer to it
 * @attempt: try it; 0, or -errno and a refusal, which the table of diagnostics explains
 * @tell: NULL, or how things stand; without an @attempt that fails, and without a look of the
 *	table that finds something
 * @after: checks that must not have failed
 * @copying: makes sense for an ordinary receive as well
 * @region: makes sense wherever the kernel is given a region, with a NIC or without
 * @iface: needs an interface
 * @queue: of each queue
 * @port: needs a port
 * @bind: only when asked for
 */
struct check {
	const char *name;
	int (*attempt)(struct check_state *s, struct zcrx_refusal *why);
	tell_fn tell;
	uint32_t after;
	bool copying;
	bool region;
	bool iface;
	bool queue;
	bool port;
	bool bind;
};

/*
 * In the order of enum check_id: first what all else depends on. What a program of others
 * has comes before what would be steered to it.
 */
static const struct check checks[CHECKS] = {
	[CHECK_IO_URING] = { "io_uring", .attempt = try_io_uring, .copying = true },
	[CHECK_ZERO_COPY] = { "zero copy", .attempt = try_zero_copy, .after = BIT(CHECK_IO_URING),
			      .region = true },
	[CHECK_CAPABILITY] = { "capability", .tell = tell_capability, .region = true },
	[CHECK_MEMLOCK] = { "locked memory", .tell = tell_memlock, .region = true },
	[CHECK_MEMORY] = { "memory", .tell = tell_memory, .copying = true },
	[CHECK_INTERFACE] = { "interface", .tell = tell_interface },
	[CHECK_LINK] = { "link", .tell = tell_link, .after = ON_IFACE, .iface = true },
	[CHECK_DRIVER] = { "driver", .tell = tell_driver, .after = ON_IFACE, .iface = true },
	[CHECK_QUEUE] = { "queue", .tell = tell_queue, .after = ON_IFACE, .iface = true,
			  .queue = true },
	[CHECK_OWNER] = { "owner", .tell = tell_owner, .after = ON_QUEUE, .iface = true,
			  .queue = true },
	[CHECK_XDP] = { "XDP", .tell = tell_xdp, .after = ON_IFACE, .iface = true },
	[CHECK_AF_XDP] = { "AF_XDP", .tell = tell_xsk, .after = ON_QUEUE, .iface = true,
			   .queue = true },
	[CHECK_SPLIT] = { "header split", .tell = tell_split, .after = ON_IFACE, .iface = true },
	[CHECK_RING] = { "region", .tell = tell_ring, .after = ON_IFACE, .iface = true },
	[CHECK_NTUPLE] = { "ntuple", .tell = tell_ntuple, .after = ON_IFACE, .iface = true },
	[CHECK_STEERING] = { "steering", .tell = tell_steering,
			     .after = ON_QUEUE | BIT(CHECK_NTUPLE), .iface = true, .queue = true },
	[CHECK_RSS] = { "RSS", .tell = tell_rss, .after = ON_QUEUE, .iface = true,
			.queue = true },
	[CHECK_PORT] = { "port", .attempt = try_port, .copying = true, .port = true },
	[CHECK_BIND] = { "bind", .attempt = try_bind,
			 .after = ON_QUEUE | BIT(CHECK_IO_URING) | BIT(CHECK_ZERO_COPY),
			 .iface = true, .queue = true, .bind = true },
};

/* Is it no question at all? */
static bool is_beside(const struct check_options *opt, const struct check *c)
{
	bool copying = opt->backend && !opt->backend->zero_copy;
	bool fits = c->copying || (c->region && !is_plain(opt));

	return !c->name || (copying && !fits) || (c->iface && !opt->cfg->iface) ||
	       (c->port && !opt->port) || (c->bind && !opt->bind);
}

static enum result attempt(struct check_state *s, const struct check *c, struct diag_text *text)
{
	struct zcrx_refusal why = { 0 };

	if (!c->attempt(s, &why))
		return RESULT_OK;
	s->env.why = &why;
	diag_explain(&s->env, text);
	s->env.why = NULL;
	/* @why ends here */
	snprintf(s->env.have, sizeof(s->env.have), "%s", why.reason);
	text->reason = s->env.have;
	return RESULT_FAILED;
}

/* What failed of that which a check depends on */
static uint32_t missing_for(const struct check_state *s, const struct check *c)
{
	return c->after & (s->failed | s->queue_failed[s->at]);
}

static void skip(struct check_state *s, const struct check *c)
{
	uint32_t missing = missing_for(s, c);

	snprintf(s->env.have, sizeof(s->env.have), "see %s",
		 checks[__builtin_ctz(missing)].name);
}

static struct outcome run_check(struct check_state *s, enum check_id id)
{
	const struct check *c = &checks[id];
	struct outcome out = { RESULT_OK, { 0 } };

	s->env.have[0] = s->env.want[0] = s->env.alt[0] = '\0';
	if (missing_for(s, c)) {
		skip(s, c);
		out.result = RESULT_SKIPPED;
	} else if (c->attempt) {
		out.result = attempt(s, c, &out.text);
	} else if (diag_look(&s->env, id, &out.text)) {
		out.result = out.text.advice ? RESULT_ADVICE : RESULT_FAILED;
	} else if (!c->tell(&s->env)) {
		out.result = RESULT_UNKNOWN;
	}
	if (out.result == RESULT_FAILED || out.result == RESULT_SKIPPED)
		*(c->queue ? &s->queue_failed[s->at] : &s->failed) |= BIT(id);
	s->counts[out.result]++;
	return out;
}

static void check_init(struct check_state *s, const struct check_options *opt,
		       const struct report *report)
{
	*s = (struct check_state){
		.opt = opt,
		.cfg = *opt->cfg,
		.env = {
			.prog = report->prog,
			.cfg = &s->cfg,
			.queues = opt->queues,
			.backend = opt->backend,
			.port = opt->port,
			.family = opt->family,
		},
	};
}

/* ---- saying it --------------------------------------------------------- */

/* Text from COLUMN on, broken at blanks, with the first line begun already */
static void wrap(FILE *out, const char *text)
{
	wrap_text(out, COLUMN, COLUMN, WRAP_WIDTH, text, 0);
}

/* A command stays in one line, so that it can be copied */
static void say_more(FILE *out, const char *label, const char *text, bool whole)
{
	if (!text[0])
		return;
	fprintf(out, "%*s%-*s", 9, "", COLUMN - 9, label);
	if (whole)
		fprintf(out, "%s\n", text);
	else
		wrap(out, text);
}

/* Is it made of each of several queues? Not where it is skipped for all of them */
static bool is_of_several(const struct check_state *s, enum check_id id)
{
	const struct check *c = &checks[id];

	return c->queue && s->opt->queues->n > 1 && !(c->after & s->failed);
}

static void say_outcome(const struct check_state *s, enum check_id id, const struct outcome *o,
			FILE *out)
{
	const struct diag_text *text = &o->text;
	char cause[sizeof(text->cause) + 16];

	fprintf(out, "%-8s %-*s", results[o->result].word, COLUMN - 9, checks[id].name);
	if (o->result != RESULT_FAILED && o->result != RESULT_ADVICE) {
		/* causes name the queue themselves */
		if (is_of_several(s, id))
			snprintf(cause, sizeof(cause), "queue %u: %s", s->cfg.queue, s->env.have);
		wrap(out, is_of_several(s, id) ? cause : s->env.have);
		return;
	}
	snprintf(cause, sizeof(cause), "%s %s", text->code, text->cause);
	wrap(out, cause);
	if (text->what[0])
		say_more(out, "  tried:", text->what, false);
	say_more(out, "  kernel:", text->reason, false);
	if (text->command[0]) {
		const char *words = text->fix + strlen(text->command);

		say_more(out, "  fix:", text->command, true);
		if (!strncmp(words, ", or: ", 6))
			say_more(out, "  or:", words + 6, false);
	} else {
		say_more(out, "  fix:", text->fix, false);
	}
}

static void json_outcome(const struct check_state *s, enum check_id id, const struct outcome *o,
			 struct report *r)
{
	const struct diag_text *text = &o->text;
	struct json *j = &r->json;

	if (!report_event(r, "check"))
		return;
	json_str(j, "check", checks[id].name);
	if (is_of_several(s, id))
		json_u64(j, "queue", s->cfg.queue);
	json_str(j, "result", results[o->result].json);
	if (o->result != RESULT_FAILED && o->result != RESULT_ADVICE)
		json_str(j, "text", s->env.have);
	else
		report_diag_members(r, text);
	report_event_end(r);
}

static void say_start(const struct check_options *opt, struct report *r, FILE *out)
{
	char size[REPORT_SIZE], queues[QUEUES_TEXT];
	const bool several = opt->queues->n > 1;

	fprintf(out, "%s check:", r->prog);
	if (opt->cfg->iface)
		fprintf(out, " %s queue%s %s,", opt->cfg->iface, several ? "s" : "",
			queues_text(opt->queues, queues, sizeof(queues)));
	if (opt->port)
		fprintf(out, " port %u,", opt->port);
	fprintf(out, " region %s%s\n", report_size(opt->cfg->region_size, size),
		several ? " each" : "");
	if (!report_event(r, "start"))
		return;
	json_u64(&r->json, "schema", REPORT_SCHEMA);
	json_str(&r->json, "interface", opt->cfg->iface);
	json_u64(&r->json, "queue", opt->cfg->queue);
	if (several)
		report_queues(r, opt->queues);
	if (opt->port)
		json_u64(&r->json, "port", opt->port);
	else
		json_str(&r->json, "port", NULL);
	json_u64(&r->json, "region_bytes", opt->cfg->region_size);
	report_event_end(r);
}

static void say_sum(const struct check_state *s, struct report *r, FILE *out)
{
	bool ready = !s->counts[RESULT_FAILED], more = false;
	/* of what cannot be seen from here only a binding tells whether it will do */
	bool sure = !s->counts[RESULT_UNKNOWN];

	for (unsigned int i = 0; i < RESULTS; i++) {
		if (!s->counts[i])
			continue;
		fprintf(out, "%s%u %s", more ? ", " : "", s->counts[i], results[i].count);
		more = true;
	}
	fprintf(out, ": %s\n", !ready ? "not ready" : sure ? "ready" : "ready, as far as is known");
	if (!report_event(r, "end"))
		return;
	json_bool(&r->json, "ready", ready);
	for (unsigned int i = 0; i < RESULTS; i++)
		json_u64(&r->json, results[i].json, s->counts[i]);
	report_event_end(r);
}

static void run_and_say(struct check_state *s, enum check_id id, struct report *report)
{
	struct outcome o = run_check(s, id);

	say_outcome(s, id, &o, report->talk);
	json_outcome(s, id, &o, report);
}

/* Of each queue, what is of a queue */
static void run_all(struct check_state *s, enum check_id id, struct report *report)
{
	const struct queue_list *queues = s->opt->queues;
	const uint32_t n = is_of_several(s, id) ? queues->n : 1;

	for (s->at = 0; s->at < n; s->at++) {
		s->cfg.queue = queues->at[s->at];
		run_and_say(s, id, report);
	}
	s->at = 0;
	s->cfg.queue = queues->at[0];
}

/**
 * check_run() - make all checks and tell how each ended
 * @opt: what is to be checked
 * @report: where to: @talk, and JSON lines if wanted
 *
 * Return: whether none has failed.
 */
bool check_run(const struct check_options *opt, struct report *report)
{
	struct check_state s;

	check_init(&s, opt, report);
	say_start(opt, report, report->talk);
	for (enum check_id id = CHECK_NONE + 1; id < CHECKS; id++)
		if (!is_beside(opt, &checks[id]))
			run_all(&s, id, report);
	say_sum(&s, report, report->talk);
	return !s.counts[RESULT_FAILED];
}

/**
 * check_after() - something was refused: tell what else is not ready, as warnings
 * @opt: what was to be received with, from the queue of its @cfg; nothing is bound
 * @report: where to
 * @said: code of the diagnostic that has been told already
 */
void check_after(const struct check_options *opt, struct report *report, const char *said)
{
	struct check_state s;
	bool headed = false;

	check_init(&s, opt, report);
	for (enum check_id id = CHECK_NONE + 1; id < CHECKS; id++) {
		struct outcome o;

		if (is_beside(opt, &checks[id]) || checks[id].bind)
			continue;
		o = run_check(&s, id);
		if ((o.result != RESULT_FAILED && o.result != RESULT_ADVICE) ||
		    !strcmp(o.text.code, said))
			continue;
		if (!headed)
			report_say(report, "and besides, as '%s check' finds:", report->prog);
		headed = true;
		report_diag(report, &s.env, &o.text, false);
	}
}
