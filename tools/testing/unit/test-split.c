// SPDX-License-Identifier: GPL-2.0-or-later
/* zcrx-split: what it sets, on a device of this test that splits by choice or on demand. */
#include <errno.h>
#include <string.h>

#include "../tap.h"
#include "change.h"

/**
 * struct device - the one interface there is
 * @now: as set: auto is the driver's choice, which is to split
 * @threshold_max: larger thresholds are refused
 * @stuck: splits on demand for good, once it does
 * @requests: that came
 */
static struct device {
	struct ethnl_split now;
	uint32_t threshold_max;
	bool stuck;
	unsigned int requests;
} device;

static int refuse(struct ethnl *nl, const char *words)
{
	snprintf(nl->nl.reason, sizeof(nl->nl.reason), "%s", words);
	return -ERANGE;
}

int ethnl_set_split(struct ethnl *nl, const char *iface, const struct ethnl_split *split,
		    bool *changed)
{
	struct device *d = &device;

	(void)iface;
	d->requests++;
	nl->nl.reason[0] = '\0';
	if (split->has_threshold && split->threshold > d->threshold_max)
		return refuse(nl, "the threshold is too large");
	if (d->stuck && d->now.mode == ETHNL_SPLIT_ON && split->mode != ETHNL_SPLIT_ON)
		return refuse(nl, "it stays on");
	*changed = split->mode != d->now.mode ||
		   (split->has_threshold && split->threshold != d->now.threshold);
	d->now.mode = split->mode;
	if (split->has_threshold)
		d->now.threshold = split->threshold;
	return 0;
}

struct change {
	const char *title;
	enum ethnl_split_mode before, want;
	bool has_threshold;
	uint32_t threshold;
	int err;
	enum ethnl_split_mode was, after;
	uint32_t threshold_after;
	unsigned int requests;
	bool stuck;
};

#define AUTO	ETHNL_SPLIT_AUTO
#define OFF	ETHNL_SPLIT_OFF
#define ON	ETHNL_SPLIT_ON

static const struct change changes[] = {
	{ "on, that was the driver's choice", AUTO, ON, false, 0, 0, AUTO, ON, 256, 2 },
	{ "the same with a threshold", AUTO, ON, true, 0, 0, AUTO, ON, 0, 2 },
	{ "on, that was on", ON, ON, true, 100, 0, ON, ON, 100, 2 },
	{ "on, that was off", OFF, ON, true, 0, 0, OFF, ON, 0, 1 },
	{ "off", ON, OFF, false, 0, 0, ON, OFF, 256, 1 },
	{ "auto", AUTO, AUTO, true, 7, 0, ON, AUTO, 7, 1 },
	{ "the driver's choice, a threshold that is refused", AUTO, ON, true, 1024, -ERANGE, AUTO, AUTO, 256, 3 },
	{ "on, a threshold that is refused", ON, ON, true, 1024, -ERANGE, ON, ON, 256, 2 },
	{ "off, a threshold that is refused", OFF, ON, true, 1024, -ERANGE, OFF, OFF, 256, 1 },
	{ "what cannot be taken back", AUTO, ON, true, 1024, -ERANGE, AUTO, ON, 256, 3, true },
};

static void test_change(const struct change *c)
{
	const struct ethnl_split want = {
		.mode = c->want, .has_threshold = c->has_threshold, .threshold = c->threshold,
	};
	/* as the kernel tells it */
	struct ethnl_split was = { c->before == OFF ? OFF : ON, true, 256, 1023 };
	struct ethnl nl = { 0 };
	int err;

	device = (struct device){ { c->before, true, 256, 1023 }, 1023, c->stuck, 0 };
	err = change_split(&nl, "eth0", &want, &was);
	tap_eq(err, c->err, "%s", c->title);
	tap_ok(device.now.mode == c->after && device.now.threshold == c->threshold_after, "  is so then: %d %u",
	       device.now.mode, device.now.threshold);
	tap_eq(was.mode, c->was, "  it was");
	tap_eq(device.requests, c->requests, "  requests");
	if (c->err)
		tap_str(nl.nl.reason, c->stuck ? "it stays on" : "the threshold is too large", "  in the kernel's words");
}

int main(void)
{
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		test_change(&changes[i]);
	return tap_done();
}
