// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Event loop.
 *
 * A guest's register write reaches the device through a queue in shared
 * memory. Sleeping between two of them costs the guest an eventfd write and
 * the device a wake-up; never sleeping costs the guest and its peer a CPU that
 * they may need. So the loop spins for a while before it sleeps, and learns how
 * long that should be: sleeps that turn out short make it longer, long ones
 * make it shorter.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "loop.h"

#define LOOP_MAX_FDS	24
#define LOOP_EVENTS	8
#define LOOP_MAX_BLOCK	1000000000ull /* ns */
#define SPIN_START_NS 5000u /* about what a wake-up costs: spinning less is pointless */

struct loop_fd {
	int fd;			/* -1: free */
	bool paused;
	loop_fn fn;
	loop_fn write_fn;	/* NULL: whether it can be written is of no interest */
	void *arg;
};

struct loop {
	const struct loop_hooks *hooks;
	void *arg;
	int epfd;
	struct loop_fd fds[LOOP_MAX_FDS];
	bool stop;
	int status;
	bool coarse;		/* the kernel has no epoll_pwait2() (before 5.11) */
	uint64_t max_spin;	/* ns */
	uint64_t spin;		/* ns, what is worth it at the moment */
};

/** loop_now() - CLOCK_MONOTONIC in ns */
uint64_t loop_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + ts.tv_nsec;
}

/**
 * loop_new() - Make a loop
 * @hooks: what it drives
 * @arg: passed to the hooks
 * @max_spin_us: longest time without work before it blocks, 0 never to spin
 *
 * Return: the loop, NULL with errno set.
 */
struct loop *loop_new(const struct loop_hooks *hooks, void *arg, unsigned int max_spin_us)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return NULL;
	loop->epfd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epfd < 0)
		goto free_loop;
	/* timers count microseconds; by default the kernel lets them be 50 late */
	prctl(PR_SET_TIMERSLACK, 1);
	loop->hooks = hooks;
	loop->arg = arg;
	loop->max_spin = max_spin_us * 1000ull;
	for (int i = 0; i < LOOP_MAX_FDS; i++)
		loop->fds[i].fd = -1;
	return loop;

free_loop:
	free(loop);
	return NULL;
}

/**
 * loop_free() - Free a loop; file descriptors added to it stay open
 * @loop: the loop or NULL
 */
void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	close(loop->epfd);
	free(loop);
}

static struct loop_fd *loop_find(struct loop *loop, int fd)
{
	for (int i = 0; i < LOOP_MAX_FDS; i++)
		if (loop->fds[i].fd == fd)
			return &loop->fds[i];
	return NULL;
}

/**
 * loop_add() - Call a function whenever a file descriptor can be read
 * @loop: the loop
 * @fd: file descriptor, not yet in the loop
 * @fn: called with @arg; may remove this or any other descriptor
 * @arg: for @fn
 *
 * Return: false with errno set.
 */
bool loop_add(struct loop *loop, int fd, loop_fn fn, void *arg)
{
	struct loop_fd *f = loop_find(loop, -1);
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

	if (!f) {
		errno = ENOSPC;
		return false;
	}
	if (epoll_ctl(loop->epfd, EPOLL_CTL_ADD, fd, &ev))
		return false;
	*f = (struct loop_fd){ .fd = fd, .fn = fn, .arg = arg };
	return true;
}

/*
 * A descriptor that nobody wants to hear of leaves epoll, which would report a
 * hang-up whether asked for or not, over and over.
 */
static uint32_t wanted(const struct loop_fd *f)
{
	return (f->paused ? 0 : EPOLLIN) | (f->write_fn ? EPOLLOUT : 0);
}

static void loop_update(struct loop *loop, struct loop_fd *f, uint32_t before)
{
	struct epoll_event ev = { .events = wanted(f), .data.fd = f->fd };
	int op = !before ? EPOLL_CTL_ADD : ev.events ? EPOLL_CTL_MOD : EPOLL_CTL_DEL;

	if (ev.events != before)
		epoll_ctl(loop->epfd, op, f->fd, &ev);
}

/**
 * loop_pause() - Stop or resume watching a descriptor
 * @loop: the loop
 * @fd: a descriptor in the loop
 * @paused: whether to leave it alone; a hang-up is reported when it no longer is
 */
void loop_pause(struct loop *loop, int fd, bool paused)
{
	struct loop_fd *f = loop_find(loop, fd);
	uint32_t before = f ? wanted(f) : 0;

	if (!f)
		return;
	f->paused = paused;
	loop_update(loop, f, before);
}

/**
 * loop_on_writable() - Call a function when a descriptor takes data again
 * @loop: the loop
 * @fd: a descriptor in the loop
 * @fn: called with the argument given to loop_add(); NULL to stop that
 */
void loop_on_writable(struct loop *loop, int fd, loop_fn fn)
{
	struct loop_fd *f = loop_find(loop, fd);
	uint32_t before = f ? wanted(f) : 0;

	if (!f)
		return;
	f->write_fn = fn;
	loop_update(loop, f, before);
}

/**
 * loop_del() - Forget a descriptor; it stays open
 * @loop: the loop
 * @fd: descriptor; one that is not in the loop is ignored
 */
void loop_del(struct loop *loop, int fd)
{
	struct loop_fd *f = fd >= 0 ? loop_find(loop, fd) : NULL;

	if (!f)
		return;
	epoll_ctl(loop->epfd, EPOLL_CTL_DEL, fd, NULL);
	f->fd = -1;
}

/* Timers of the device count microseconds, so a millisecond is too coarse to sleep by */
static int wait_events(struct loop *loop, struct epoll_event *ev, uint64_t timeout)
{
	const struct timespec ts = { .tv_sec = timeout / 1000000000u,
				     .tv_nsec = timeout % 1000000000u };
	int n;

	if (!timeout)
		return epoll_wait(loop->epfd, ev, LOOP_EVENTS, 0);
	if (!loop->coarse) {
		n = epoll_pwait2(loop->epfd, ev, LOOP_EVENTS, &ts, NULL);
		if (n >= 0 || errno != ENOSYS)
			return n;
		loop->coarse = true;
	}
	return epoll_wait(loop->epfd, ev, LOOP_EVENTS, (timeout + 999999) / 1000000);
}

static void dispatch(struct loop *loop, const struct epoll_event *ev)
{
	/* an earlier handler of this round may have removed it, as may each of these two */
	struct loop_fd *f = loop_find(loop, ev->data.fd);

	if (f && f->write_fn && ev->events & (EPOLLOUT | EPOLLERR))
		f->write_fn(f->arg);
	f = loop_find(loop, ev->data.fd);
	if (f && !f->paused && ev->events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		f->fn(f->arg);
}

/* Returns whether anything happened, -1 on an error of epoll itself; @timeout in ns */
static int loop_fds(struct loop *loop, uint64_t timeout)
{
	struct epoll_event ev[LOOP_EVENTS];
	int n = wait_events(loop, ev, timeout);

	if (n < 0)
		return errno == EINTR ? 0 : -1;
	for (int i = 0; i < n && !loop->stop; i++)
		dispatch(loop, &ev[i]);
	return n > 0;
}

static void adapt_spin(struct loop *loop, uint64_t slept)
{
	if (slept > loop->max_spin)
		loop->spin /= 2;
	else if (!loop->spin)
		loop->spin = SPIN_START_NS;
	else
		loop->spin *= 2;
	if (loop->spin < SPIN_START_NS)
		loop->spin = 0;
	if (loop->spin > loop->max_spin)
		loop->spin = loop->max_spin;
}

static int loop_block(struct loop *loop, uint64_t now, uint64_t timeout)
{
	int ret = 0;

	if (!loop->hooks->sleep(loop->arg, true)) {
		uint64_t slept;

		ret = loop_fds(loop, timeout < LOOP_MAX_BLOCK ? timeout : LOOP_MAX_BLOCK);
		slept = loop_now() - now;
		/* a short sleep that a timer ended does not tell how soon there is work */
		if (ret > 0 || slept > loop->max_spin)
			adapt_spin(loop, slept);
	}
	loop->hooks->sleep(loop->arg, false);
	return ret;
}

/**
 * loop_run() - Run until loop_stop()
 * @loop: the loop
 *
 * It can be run again then.
 *
 * Return: the status given to loop_stop(), -1 with errno set when epoll failed.
 */
int loop_run(struct loop *loop)
{
	uint64_t idle_since = loop_now();

	while (!loop->stop) {
		bool worked = loop->hooks->poll(loop->arg);
		uint64_t now = loop_now();
		uint64_t next;
		int n;

		next = loop->hooks->timers(loop->arg, now);
		loop->hooks->flush(loop->arg);
		if (loop->stop)
			break;
		if (worked || next < SPIN_START_NS || now - idle_since < loop->spin) {
			n = loop_fds(loop, 0);
			if (!worked && !n)
				sched_yield();
		} else {
			n = loop_block(loop, now, next);
			idle_since = loop_now();
		}
		if (n < 0)
			return -1;
		loop->hooks->flush(loop->arg);
		if (worked || n)
			idle_since = loop_now();
	}
	loop->stop = false;
	return loop->status;
}

/**
 * loop_stop() - Make loop_run() return
 * @loop: the loop
 * @status: its return value
 */
void loop_stop(struct loop *loop, int status)
{
	if (!loop->stop)
		loop->status = status;
	loop->stop = true;
}
