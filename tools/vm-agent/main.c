// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "agent.h"

static const struct {
	const char *name;
	int (*fn)(int argc, char **argv);
} modes[] = {
	{ "guest",   guest_main },
	{ "host",    host_main },
	{ "off",     off_main },
	{ "sandbox", sandbox_main },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcmp(argv[1], modes[i].name))
			return modes[i].fn(argc - 1, argv + 1);
	say("vm-agent belongs to scripts/zcrx-vm; usage: vm-agent guest|host|off|sandbox ...");
	return 2;
}
