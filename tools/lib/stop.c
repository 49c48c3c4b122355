// SPDX-License-Identifier: GPL-2.0-or-later
#include "stop.h"

#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* The one piece of state outside of a struct that is passed on: a handler gets nothing */
static struct {
	volatile sig_atomic_t wanted;
	int fd;
} stop = { .fd = -1 };

static void on_signal(int sig)
{
	int saved = errno;

	if (stop.wanted)
		_exit(128 + sig);
	stop.wanted = 1;
	eventfd_write(stop.fd, 1);
	errno = saved;
}

/**
 * stop_install() - from now on signals ask to stop
 *
 * A blocking system call ends with EINTR; whoever is about to block at that
 * moment watches the descriptor instead.
 *
 * Return: a descriptor that becomes readable when the program shall stop, -errno.
 */
int stop_install(void)
{
	struct sigaction ask = { .sa_handler = on_signal };
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	stop.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (stop.fd < 0)
		return -errno;
	sigaction(SIGINT, &ask, NULL);
	sigaction(SIGTERM, &ask, NULL);
	/* a reader that went away is told by EPIPE */
	sigaction(SIGPIPE, &ignore, NULL);
	/* and a file that grew beyond ulimit -f by EFBIG */
	sigaction(SIGXFSZ, &ignore, NULL);
	return stop.fd;
}

/**
 * stop_wanted() - has a signal asked to stop?
 *
 * Return: true after the first one.
 */
bool stop_wanted(void)
{
	return stop.wanted;
}
