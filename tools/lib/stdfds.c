// SPDX-License-Identifier: GPL-2.0-or-later
#include "stdfds.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/**
 * stdfds_keep() - let no file become standard input, output or error by being opened
 *
 * To be called before anything is opened. Where one was closed, messages would end up in the first
 * file that gets its number. It becomes one that cannot be used either: to read from the first and
 * to write to the others is EBADF, as before.
 *
 * Return: 0, -errno.
 */
int stdfds_keep(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		/* the lowest that is free: this one, as those below are not */
		if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
			return -errno;
	}
	return 0;
}
