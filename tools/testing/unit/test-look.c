// SPDX-License-Identifier: GPL-2.0-or-later
/* What the probes conclude of header split, on a driver of this test that tells what it is told to. */
#include <errno.h>
#include <string.h>

#include "../tap.h"
#include "backend.h"
#include "ethnl.h"
#include "look.h"

/* What the driver tells; -errno where it tells nothing */
static struct ethnl_split told;
static int told_err;

int ethnl_open(struct ethnl *nl)
{
	(void)nl;
	return 0;
}

void ethnl_close(struct ethnl *nl)
{
	(void)nl;
}

int ethnl_get_split(struct ethnl *nl, const char *iface, struct ethnl_split *out)
{
	(void)nl;
	(void)iface;
	*out = told;
	return told_err;
}

static const struct zcrx_backend_ops splitting = { .name = "rbuf", .splits = true };
static const struct zcrx_backend_ops plain = { .name = "upstream" };

struct split_case {
	const char *title;
	enum ethnl_split_mode mode;
	bool has_threshold;
	uint32_t threshold;
	int err;
	const struct zcrx_backend_ops *backend;
	bool refused;		/* by EINVAL, as it may be for this */
	bool fault;
	bool sure;
	const char *words;
};

#define AUTO	ETHNL_SPLIT_AUTO
#define OFF	ETHNL_SPLIT_OFF
#define ON	ETHNL_SPLIT_ON

static const struct split_case cases[] = {
	{ "on, no threshold set", ON, true, 0, 0, &plain, false, false, true, "on" },
	{ "on, a threshold", ON, true, 256, 0, &plain, false, true, true, "on, with a threshold of 256" },
	{ "off", OFF, true, 0, 0, &plain, false, true, false, "off" },
	{ "off, a driver without a threshold", OFF, false, 0, 0, &plain, false, true, false, "off" },
	{ "on, a driver without a threshold", ON, false, 0, 0, &plain, false, false, true, "on" },
	{ "the same, refused: it may be something else", ON, false, 0, 0, &plain, true, false, true, "on" },
	{ "on, refused: by the driver's choice", ON, true, 0, 0, &plain, true, true, true, "on by the driver's choice" },
	{ "a driver that tells nothing", AUTO, false, 0, 0, &plain, false, false, false, "eth0 does not tell" },
	{ "no answer", AUTO, false, 0, -EOPNOTSUPP, &plain, false, false, false, "eth0 does not tell" },
	{ "off, but binding switches it on", OFF, true, 0, 0, &splitting, false, false, false,
	  "off; binding the queue switches it on, unless somebody has switched it off" },
};

static void test_split(const struct split_case *c)
{
	const struct zcrx_config cfg = { .iface = "eth0" };
	struct zcrx_refusal why = { 0 };
	struct diag_env env = { .prog = "test", .cfg = &cfg, .backend = c->backend, .why = c->refused ? &why : NULL };
	bool fault, sure;

	told = (struct ethnl_split){ .mode = c->mode, .has_threshold = c->has_threshold, .threshold = c->threshold };
	told_err = c->err;
	fault = look_split(&env);
	if (tap_ok(fault == c->fault, "%s: %s", c->title, c->fault ? "a fault" : "no fault") && fault)
		tap_ok(!strcmp(env.have, c->words), "%s: \"%s\"", c->title, env.have);
	if (fault)
		return;
	sure = tell_split(&env);
	tap_ok(sure == c->sure && !strcmp(env.have, c->words), "%s: \"%s\"", c->title, env.have);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		test_split(&cases[i]);
	return tap_done();
}
