// SPDX-License-Identifier: GPL-2.0-or-later
#include "stop.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define REMINDER	SIGUSR1

/* The one piece of state outside of a struct that is passed on: a handler gets nothing */
static struct {
	atomic_int wanted;	/* lock-free, as a handler wants it */
	int fd;
} stop = { .fd = -1 };

static void on_signal(int sig)
{
	int saved = errno;

	/* another thread may be at the first signal still */
	if (atomic_exchange(&stop.wanted, 1))
		_exit(128 + sig);
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

static void on_reminder(int sig)
{
	(void)sig;
}

/**
 * stop_remind_install() - make stop_remind() possible
 */
void stop_remind_install(void)
{
	struct sigaction remind = { .sa_handler = on_reminder };

	sigaction(REMINDER, &remind, NULL);
}

/**
 * stop_remind() - interrupt the system call that a thread blocks in
 * @thread: the thread
 *
 * A signal interrupts one thread only, whichever the kernel takes. One that is about to
 * block does not see this: do it again until it has ended.
 */
void stop_remind(pthread_t thread)
{
	pthread_kill(thread, REMINDER);
}
