// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * zcrx-split - show and set how an interface splits headers from data
 *
 * Zero copy receive of Linux 6.15 and later wants header/data split switched on,
 * with a threshold of 0. ethtool can do that since 6.13, which is newer than
 * Debian's; zcrx-flow calls this instead:
 *
 *	$ zcrx-split eth0 on 0
 *	was auto 652
 *	$ zcrx-split eth0
 *	on 0
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"

enum {
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_NOT_THERE = 3,
};

static const char *const modes[] = {
	[ETHNL_SPLIT_AUTO] = "auto",
	[ETHNL_SPLIT_OFF] = "off",
	[ETHNL_SPLIT_ON] = "on",
};

#define MODES	(sizeof(modes) / sizeof(modes[0]))

static void usage(FILE *out)
{
	fprintf(out,
		"usage: zcrx-split IFACE [on|off|auto [THRESHOLD]]\n"
		"\n"
		"Prints whether IFACE splits headers from data, and the threshold in bytes, \"-\" where\n"
		"there is none; or sets that and prints, after \"was\", what was set before: \"auto\" is\n"
		"the driver's choice. A change restarts the interface's queues.\n"
		"\n"
		"Exit status: 0 done, 1 refused, 2 usage, 3 the kernel or driver does not have it.\n");
}

static int complain(const struct ethnl *nl, const char *iface, int err)
{
	fprintf(stderr, "zcrx-split: %s: %s\n", iface,
		nl->nl.reason[0] ? nl->nl.reason : strerror(-err));
	return err == -EOPNOTSUPP || err == -ENOENT || err == -ENODEV ? EXIT_NOT_THERE :
									  EXIT_FAILED;
}

static void show(const char *prefix, const struct ethnl_split *s)
{
	printf("%s%s ", prefix, (size_t)s->mode < MODES ? modes[s->mode] : "unknown");
	if (s->has_threshold)
		printf("%u\n", s->threshold);
	else
		printf("-\n");
}

static bool parse(int argc, char **argv, struct ethnl_split *want)
{
	char *end = NULL;
	unsigned long n;

	for (want->mode = 0; want->mode < MODES; want->mode++)
		if (!strcmp(argv[2], modes[want->mode]))
			break;
	if (want->mode == MODES)
		return false;
	if (argc < 4)
		return true;
	errno = 0;
	n = strtoul(argv[3], &end, 10);
	want->has_threshold = true;
	want->threshold = (uint32_t)n;
	return !errno && end != argv[3] && !*end && n <= UINT32_MAX && argv[3][0] != '-';
}

int main(int argc, char **argv)
{
	struct ethnl_split was, want = { 0 };
	struct ethnl nl;
	int err;

	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		usage(stdout);
		return 0;
	}
	if (argc < 2 || argc > 4 || (argc > 2 && !parse(argc, argv, &want))) {
		usage(stderr);
		return EXIT_USAGE;
	}
	err = ethnl_open(&nl);
	if (err)
		return complain(&nl, argv[1], err);
	err = ethnl_get_split(&nl, argv[1], &was);
	if (!err && argc > 2)
		err = change_split(&nl, argv[1], &want, &was);
	err = err ? complain(&nl, argv[1], err) : 0;
	if (!err)
		show(argc > 2 ? "was " : "", &was);
	ethnl_close(&nl);
	return err;
}
