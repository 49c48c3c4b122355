// SPDX-License-Identifier: GPL-2.0-or-later
#include "change.h"

#include <string.h>

/* The driver's choice again, where "on" was set on the way to what was refused */
static void take_back(struct ethnl *nl, const char *iface)
{
	const struct ethnl_split choice = { .mode = ETHNL_SPLIT_AUTO };
	const struct nl refusal = nl->nl;
	bool changed;

	/* what it says is why the change was refused, unless this is, too */
	if (!ethnl_set_split(nl, iface, &choice, &changed))
		memcpy(nl->nl.reason, refusal.reason, sizeof(refusal.reason));
}

/**
 * change_split() - set how an interface splits headers from data, all of it or nothing
 * @nl: the socket; its @nl.reason has the kernel's words when it refuses
 * @iface: name of the interface
 * @want: mode, and threshold if it is said to have one
 * @was: as ethnl_get_split() tells it. What is on by the driver's choice and what was set to
 *	on look alike there; here that becomes one or the other
 *
 * Whether "on" is news to the kernel tells, if nothing else changes with it. Only then are
 * there two requests, of which the first is taken back when the second is refused.
 *
 * Return: 0, -errno as of ethnl_set_split().
 */
int change_split(struct ethnl *nl, const char *iface, const struct ethnl_split *want,
		 struct ethnl_split *was)
{
	const struct ethnl_split mode_only = { .mode = want->mode };
	bool chosen = false, changed;
	int err;

	if (want->mode == ETHNL_SPLIT_ON && was->mode == ETHNL_SPLIT_ON) {
		err = ethnl_set_split(nl, iface, &mode_only, &chosen);
		if (err)
			return err;
		if (chosen)
			was->mode = ETHNL_SPLIT_AUTO;
	}
	err = ethnl_set_split(nl, iface, want, &changed);
	if (err && chosen)
		take_back(nl, iface);
	return err;
}
