/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a server holds of its clients, to see that it lets go of it. */
#ifndef LEAKS_H
#define LEAKS_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define LEAKS_FDS	256	/* descriptors that are looked at; tests have far fewer */

/**
 * open_fds() - how many descriptors this process has
 *
 * Return: the number.
 */
static inline unsigned int open_fds(void)
{
	unsigned int n = 0;

	for (int fd = 0; fd < LEAKS_FDS; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/**
 * guest_mapped() - whether this process maps the memory of a guest
 *
 * Return: whether it does; that memory is a memfd of the name "guest".
 */
static inline bool guest_mapped(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];
	bool found = false;

	while (maps && fgets(line, sizeof(line), maps))
		found |= strstr(line, "memfd:guest") != NULL;
	if (maps)
		fclose(maps);
	return found;
}

#endif
