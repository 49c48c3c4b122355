// SPDX-License-Identifier: GPL-2.0-or-later
#include "pinned.h"

#include <stdio.h>

/**
 * pinned_kb() - memory of a process that is pinned for devices: VmPin in its status
 * @pid: process
 *
 * Return: kB, -1 when there is no such process.
 */
long pinned_kb(pid_t pid)
{
	char line[256];
	long kb = -1;
	FILE *f;

	snprintf(line, sizeof(line), "/proc/%d/status", pid);
	f = fopen(line, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "VmPin: %ld", &kb) == 1)
			break;
	if (f)
		fclose(f);
	return kb;
}
