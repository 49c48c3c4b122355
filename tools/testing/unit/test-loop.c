// SPDX-License-Identifier: GPL-2.0-or-later
/* The event loop: descriptors, timers, sleeping and not sleeping. */
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../bnxt-emu/loop.h"
#include "../tap.h"

#define MS	1000000ull

struct test {
	struct loop *loop;
	int fd[2];
	unsigned int polls, flushes, timers, sleeps, wakes, reads, writes, hangups;
	unsigned int work;		/* polls that find something */
	uint64_t due;			/* next timer, 0: at once, UINT64_MAX: none */
	unsigned int stop_after_timers;
	uint64_t until;			/* ns, 0: no end */
	uint64_t last, shortest;	/* between two timers */
	bool remove;			/* the handler removes its own descriptor */
};

static bool on_poll(void *arg)
{
	struct test *t = arg;

	t->polls++;
	if (!t->work)
		return false;
	t->work--;
	return true;
}

static void on_flush(void *arg)
{
	((struct test *)arg)->flushes++;
}

static uint64_t on_timers(void *arg, uint64_t now)
{
	struct test *t = arg;

	t->timers++;
	if (t->last && now - t->last < t->shortest)
		t->shortest = now - t->last;
	t->last = now;
	if (t->stop_after_timers && !--t->stop_after_timers)
		loop_stop(t->loop, 7);
	if (t->until && now >= t->until)
		loop_stop(t->loop, 8);
	return t->due;
}

static bool on_sleep(void *arg, bool sleeping)
{
	struct test *t = arg;

	if (sleeping)
		t->sleeps++;
	else
		t->wakes++;
	return t->work;
}

static const struct loop_hooks hooks = {
	.poll = on_poll, .flush = on_flush, .timers = on_timers, .sleep = on_sleep,
};

static void on_readable(void *arg)
{
	struct test *t = arg;
	char c;

	if (recv(t->fd[0], &c, 1, MSG_DONTWAIT) > 0) {
		t->reads++;
	} else {
		t->hangups++;
		loop_del(t->loop, t->fd[0]);
	}
	if (t->remove)
		loop_del(t->loop, t->fd[0]);
	loop_stop(t->loop, 3);
}

static void on_writable(void *arg)
{
	struct test *t = arg;

	t->writes++;
	loop_on_writable(t->loop, t->fd[0], NULL);
	loop_stop(t->loop, 4);
}

static struct test *start(unsigned int spin_us)
{
	struct test *t = calloc(1, sizeof(*t));

	t->loop = loop_new(&hooks, t, spin_us);
	t->due = UINT64_MAX;
	t->shortest = UINT64_MAX;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, t->fd) || !loop_add(t->loop, t->fd[0], on_readable, t))
		tap_bail("no socket pair");
	return t;
}

static void end(struct test *t)
{
	loop_free(t->loop);
	close(t->fd[0]);
	close(t->fd[1]);
	free(t);
}

/* A loop can run once; what it does is the same each time */
static void test_descriptors(void)
{
	struct test *t = start(0);

	(void)!write(t->fd[1], "x", 1);
	tap_eq(loop_run(t->loop), 3, "a readable descriptor stops the loop, with its status");
	tap_eq(t->reads, 1, "its handler ran");
	tap_ok(t->flushes >= 2, "the round ended with a flush");
	end(t);

	t = start(0);
	loop_on_writable(t->loop, t->fd[0], on_writable);
	tap_eq(loop_run(t->loop), 4, "a descriptor that can be written");
	tap_ok(t->writes == 1 && !t->reads, "called for that and nothing else");
	end(t);

	t = start(0);
	t->remove = true;
	loop_on_writable(t->loop, t->fd[0], on_writable);
	(void)!write(t->fd[1], "x", 1);
	tap_ok(loop_run(t->loop) == 4 && t->reads == 1, "both in one round, one of which removes it");
	end(t);
}

static void test_pause(void)
{
	struct test *t = start(0);

	loop_pause(t->loop, t->fd[0], true);
	loop_pause(t->loop, t->fd[0], true);
	(void)!write(t->fd[1], "x", 1);
	shutdown(t->fd[1], SHUT_RDWR);
	t->due = 5 * MS;
	t->until = loop_now() + 30 * MS;
	tap_ok(loop_run(t->loop) == 8 && !t->reads && !t->hangups,
	       "paused: neither data nor the hang-up is reported");
	tap_ok(t->polls < 30, "and the loop does not run hot over it: %u rounds", t->polls);
	end(t);

	t = start(0);
	loop_pause(t->loop, t->fd[0], true);
	shutdown(t->fd[1], SHUT_RDWR);
	loop_pause(t->loop, t->fd[0], false);
	tap_ok(loop_run(t->loop) == 3 && t->hangups == 1, "no longer paused: the hang-up comes");
	end(t);

	t = start(0);
	loop_pause(t->loop, t->fd[0], true);
	loop_on_writable(t->loop, t->fd[0], on_writable);
	(void)!write(t->fd[1], "x", 1);
	tap_ok(loop_run(t->loop) == 4 && !t->reads, "paused, it can still be waited for room");
	end(t);
}

static void test_timers(void)
{
	struct test *t = start(0);
	uint64_t from = loop_now(), took;

	t->due = MS / 2;
	t->stop_after_timers = 21;
	loop_run(t->loop);
	took = loop_now() - from;
	tap_ok(took >= 10 * MS, "20 timers of half a millisecond take at least 10 ms");
	/* the shortest: all others may be longer on a busy machine */
	tap_ok(t->shortest < MS, "they are not rounded up to milliseconds: %llu us",
	       (unsigned long long)t->shortest / 1000);
	tap_ok(t->sleeps >= 19 && t->sleeps == t->wakes, "it slept in between");
	end(t);

	t = start(0);
	t->due = 0;
	t->stop_after_timers = 1000;
	from = loop_now();
	loop_run(t->loop);
	tap_ok(!t->sleeps, "a timer that is due at once keeps it awake");
	end(t);
}

static void test_spin(void)
{
	struct test *t = start(1000);
	unsigned int before;

	t->work = 100;
	t->due = MS;
	t->stop_after_timers = 101;
	loop_run(t->loop);
	tap_eq(t->sleeps, 0, "no sleep while there is work");
	end(t);

	t = start(0);
	t->due = MS;
	t->stop_after_timers = 10;
	loop_run(t->loop);
	before = t->polls;
	tap_ok(before <= 12, "--spin 0: a look, a sleep: %u looks", before);
	end(t);

	/* sleeps that timers end do not make it spin */
	t = start(200);
	t->due = MS / 10;
	t->stop_after_timers = 100;
	loop_run(t->loop);
	tap_ok(t->sleeps >= 90, "timers do not teach it to spin: %u sleeps", t->sleeps);
	end(t);
}

static void test_limits(void)
{
	struct test *t = start(0);
	int i;

	for (i = 1; loop_add(t->loop, dup(t->fd[0]), on_readable, t); i++)
		;
	tap_ok(errno == ENOSPC && i == 24, "%d descriptors and no more", i);
	for (i = 3; i < 40; i++) {
		if (i == t->fd[0] || i == t->fd[1])
			continue;
		loop_del(t->loop, i);
	}
	tap_ok(!loop_add(t->loop, -1, on_readable, t), "none that is not open");
	loop_del(t->loop, -1);
	loop_pause(t->loop, 1000, true);
	loop_on_writable(t->loop, 1000, on_writable);
	tap_ok(loop_add(t->loop, dup(t->fd[0]), on_readable, t), "removed ones make room");
	end(t);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	test_descriptors();
	test_pause();
	test_timers();
	test_spin();
	test_limits();
	return tap_done();
}
