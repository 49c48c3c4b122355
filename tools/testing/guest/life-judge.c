// SPDX-License-Identifier: GPL-2.0-or-later
/* zc-life and zc-faults: what a judge does in both */
#include "life-judge.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../tap.h"
#include "pinned.h"

/* Page pools look once a second whether their last buffer is back */
#define SETTLE_MS	4000u
/* Who waits for a reference on a device waits for ever, and cannot be killed */
#define HANG_MS		25000u

/**
 * life_fail() - keep a reason
 * @l: judge
 * @fmt: as of printf(3); the first one counts
 *
 * Return: -1.
 */
int life_fail(struct life *l, const char *fmt, ...)
{
	size_t n = strlen(l->why);
	va_list ap;

	if (n && n + 4 < sizeof(l->why))
		n += (size_t)snprintf(l->why + n, sizeof(l->why) - n, "; ");
	va_start(ap, fmt);
	vsnprintf(l->why + n, sizeof(l->why) - n, fmt, ap);
	va_end(ap);
	return -1;
}

/* The results of all parts are counted here: tap.h counts in each file for itself */

/**
 * life_pump_anew() - let life-pump drop its connections and make new ones
 * @l: judge
 *
 * Return: 0, -errno.
 */
int life_pump_anew(struct life *l)
{
	l->generation++;
	return pwrite(l->pump, &l->generation, sizeof(l->generation), 0) < 0 ? -errno : 0;
}

/* The device goes where the user is */
static int follow_user(struct life *l)
{
	char path[64];
	int ns;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", l->user.pid);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	return ns < 0 ? -errno : nic_move(&l->nic, ns);
}

/**
 * life_user() - a new user, with the device where it is
 * @l: judge without a user
 * @home: where it is to live
 *
 * Return: 0, or not 0 with a reason.
 */
int life_user(struct life *l, enum life_home home)
{
	int ret = life_pump_anew(l) ?: user_start(&l->user, &l->nic, home, 1 + l->unsettled, l->slow);

	if (ret)
		return life_fail(l, "no user: %s", strerror(-ret));
	if (home != LIFE_HOME_INIT)
		ret = follow_user(l);
	if (ret)
		return life_fail(l, "the device does not follow the user: %s", strerror(-ret));
	return 0;
}

/**
 * life_take_ring() - the judge gets the ring's descriptor as well
 * @l: judge with a user
 *
 * Return: 0, -errno.
 */
int life_take_ring(struct life *l)
{
	int ret, fd = 0, pidfd;

	ret = user_tell(&l->user, USER_CHECK) ?: user_hear(&l->user, &fd);
	if (ret)
		return ret;
	pidfd = (int)syscall(SYS_pidfd_open, l->user.pid, 0);
	if (pidfd < 0)
		return -errno;
	l->ring = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	ret = l->ring < 0 ? -errno : 0;
	close(pidfd);
	return ret;
}

/**
 * life_drop_ring() - and closes it
 * @l: judge
 */
void life_drop_ring(struct life *l)
{
	if (l->ring >= 0)
		close(l->ring);
	l->ring = -1;
}

/* In order, and alive: what was pinned for it is not counted for it any more */
static int probe_pinned(struct life *l)
{
	uint64_t end = life_now_ms() + SETTLE_MS * l->slow;
	int ret = user_do(&l->user, USER_SHUT) ?: user_do(&l->user, USER_UNMAP) ?: user_do(&l->user, USER_RING);
	long kb;

	if (ret)
		return life_fail(l, "cannot end in order: %s", user_why(&l->user, ret));
	while ((kb = pinned_kb(l->user.pid)) && life_now_ms() < end)
		life_nap_us(2000);
	return kb ? life_fail(l, "VmPin is %ld kB without a ring", kb) : 0;
}

/* A page too much is accounted, and this one cannot be bound */
static int probe_locked(struct life *l)
{
	int ret = user_start(&l->user, &l->nic, LIFE_HOME_INIT, 1, l->slow) ?: user_do(&l->user, USER_RUN);

	if (ret)
		life_fail(l, "with a limit of locked memory that is the region: %s", user_why(&l->user, ret));
	else
		ret = probe_pinned(l);
	user_kill(&l->user);
	return ret;
}

/**
 * life_settle() - nobody lives: wait until all is released that users had
 * @l: judge
 *
 * Return: 0, or not 0 with a reason; then what is left is taken for granted from now on.
 */
int life_settle(struct life *l)
{
	char why[128];
	int ret = 0;

	if (!watch_settled(&l->before, SETTLE_MS * l->slow, why, sizeof(why)))
		ret = life_fail(l, "%s", why);
	if (probe_locked(l))
		ret = -1;
	if (!watch_settled(&l->before, SETTLE_MS * l->slow, why, sizeof(why)) && !ret)
		ret = life_fail(l, "%s", why);
	if (ret)
		watch_take(&l->before);
	l->unsettled = 0;
	return ret;
}

/**
 * life_doing() - tell the watchdog what may hang
 * @l: judge
 * @fmt: as of printf(3)
 */
void life_doing(struct life *l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(l->doing->what, sizeof(l->doing->what), fmt, ap);
	va_end(ap);
	__atomic_store_n(&l->doing->since_ms, life_now_ms(), __ATOMIC_RELEASE);
}

/**
 * life_done_doing() - it did not
 * @l: judge
 */
void life_done_doing(struct life *l)
{
	__atomic_store_n(&l->doing->since_ms, 0, __ATOMIC_RELEASE);
}

/*
 * In a process of its own, as a judge that hangs in the kernel can say nothing. The machine is
 * of no use any more then.
 */
static void watchdog(const struct life *l)
{
	static const char end[] = "b";
	uint64_t since;
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	do {
		life_nap_us(200000);
		since = __atomic_load_n(&l->doing->since_ms, __ATOMIC_ACQUIRE);
	} while (!since || life_now_ms() - since < HANG_MS * l->slow);
	tap_ok(false, "%s: does not end", l->doing->what);
	/* let that be read */
	life_nap_us(2000000);
	fd = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, end, 1) == 1)
		pause();
	_exit(1);
}

static int start_watchdog(struct life *l)
{
	l->doing = mmap(NULL, sizeof(*l->doing), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (l->doing == MAP_FAILED)
		return -errno;
	fflush(stdout);
	switch (fork()) {
	case -1:
		return -errno;
	case 0:
		watchdog(l);
	}
	return 0;
}

/**
 * life_option() - an option that all judges have
 * @l: judge
 * @at: where it is to work
 * @c: what getopt_long(3) returned; its argument is in optarg
 *
 * Return: whether it is one of LIFE_LONG_OPTIONS.
 */
bool life_option(struct life *l, struct life_place *at, int c)
{
	switch (c) {
	case 'i':
		at->iface = optarg;
		return true;
	case 'q':
		at->queue = (unsigned int)atoi(optarg);
		return true;
	case 'a':
		at->addr = optarg;
		return true;
	case 'p':
		at->peer = optarg;
		return true;
	case 'f':
		at->pump = optarg;
		return true;
	case 's':
		l->slow = (unsigned int)atoi(optarg);
		return true;
	}
	return false;
}

/**
 * life_open() - the device, and the peer's file
 * @l: judge
 * @at: where it is to work
 *
 * Return: 0, or not 0 with a reason.
 */
int life_open(struct life *l, const struct life_place *at)
{
	int ret;

	if (!at->iface || !at->queue || !at->addr || !at->peer || !at->pump)
		return life_fail(l, "-i, -q, --addr, --peer and --pump are needed");
	/* what a user leaves behind is the judge's */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	ret = start_watchdog(l);
	if (ret)
		return life_fail(l, "no watchdog: %s", strerror(-ret));
	l->pump = open(at->pump, O_RDWR | O_CLOEXEC);
	if (l->pump < 0)
		return life_fail(l, "%s: %s", at->pump, strerror(errno));
	ret = nic_open(&l->nic, at->iface, at->queue, at->addr, at->peer);
	if (ret)
		return life_fail(l, "%s: %s", at->iface, strerror(-ret));
	watch_take(&l->before);
	return 0;
}
