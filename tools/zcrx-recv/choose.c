// SPDX-License-Identifier: GPL-2.0-or-later
/* Which backend a receiver takes. */
#include <errno.h>
#include <string.h>

#include "check.h"
#include "receiver.h"

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
	int err = ops->probe(&r->cfg, why);

	return err ? err : ops->open(&r->cfg, &r->backend, why);
}

/* To receive with copies instead of without is a step that is said aloud */
static void say_copying(struct receiver *r, struct diag_env *env)
{
	struct diag_text text;

	diag_explain(env, &text);
	report_diag(r->report, env, &text, false);
	report_say(r->report,
		   "no zero copy here: every byte will be copied (--require-zerocopy refuses this)");
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
		.cfg = &r->cfg,
		.queues = &r->opt->queues,
		.backend = r->opt->backend,
		.family = r->opt->family,
		.port = r->opt->port,
	};

	check_after(&opt, r->report, said);
}

/**
 * choose_backend() - open the backend of a receiver, or tell why not
 * @r: the receiver; what the first has chosen the others take as well
 *
 * Return: 0, -errno.
 */
int choose_backend(struct receiver *r)
{
	const struct receiver *first = &r->crew->members[0];
	const struct zcrx_backend_ops *ops = is_first(r) ? r->opt->backend : first->backend->ops;
	struct zcrx_refusal why = { 0 };
	struct diag_env env = say_env(r, &why);
	int err;

	if (ops)
		err = try_backend(r, ops, &why);
	else
		err = open_best(r, &why);
	if (err)
		check_besides(r, report_refusal(r->report, &env));
	return err;
}
