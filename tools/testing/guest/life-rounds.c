// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * zc-life: the same end again and again, while senders never end. What one round loses is lost
 * as often as there are rounds, and so is seen.
 */
#include "../tap.h"
#include "life-judge.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What is allocated once and kept is there after so many, or a quarter of what follows */
#define WARM_UP		4u
#define FLOW_BYTES	(64u << 10)
#define FLOW_MS		8000u
#define AWAY_MS		4000u
#define SLACK		63u

/**
 * struct tally - one line of the table
 * @rounds: how many
 * @ms: that they took
 * @worst_ms: the longest time until data came again without a copy
 * @kb: memory that is not free any more
 * @settled: pins and page pools are what they were
 */
struct tally {
	unsigned int rounds;
	uint64_t ms;
	uint64_t worst_ms;
	long long kb;
	bool settled;
};

/* Data comes, and it is not copied */
static int flows(struct life *l, struct tally *t)
{
	const struct user_shared *s = l->user.s;
	uint64_t begin = life_now_ms(), zc = s->zc + FLOW_BYTES, took;

	while (__atomic_load_n(&s->zc, __ATOMIC_RELAXED) < zc) {
		if (s->failed)
			return life_fail(l, "%s", s->why);
		if (life_now_ms() - begin > FLOW_MS * l->slow)
			return life_fail(l, "no transfer: %llu bytes, %llu of them without a copy",
					 (unsigned long long)s->bytes, (unsigned long long)s->zc);
		life_nap_us(500);
	}
	took = life_now_ms() - begin;
	if (took > t->worst_ms)
		t->worst_ms = took;
	return 0;
}

static int new_user(struct life *l, struct tally *t, enum life_home home)
{
	int ret;

	/* as many as can be there before a page pool looks after its last buffer */
	l->unsettled = SLACK;
	ret = life_user(l, home);

	if (ret)
		return ret;
	ret = user_do(&l->user, USER_RUN);
	if (ret)
		return life_fail(l, "the next user: %s", user_why(&l->user, ret));
	return flows(l, t);
}

static int device(struct life *l, int ret, const char *what)
{
	return ret ? life_fail(l, "%s: %s", what, strerror(-ret)) : 0;
}

/* Every fourth is stopped before, so that data piles up */
static int round_kill(struct life *l, struct tally *t, unsigned int n)
{
	if (n % 4 == 3) {
		kill(l->user.pid, SIGSTOP);
		life_nap_us(5000);
	}
	life_nap_us(n * 37 % 3000);
	user_kill(&l->user);
	return new_user(l, t, LIFE_HOME_INIT);
}

static int round_link(struct life *l, struct tally *t, unsigned int n)
{
	int ret = device(l, nic_link(&l->nic, false), "down");

	life_nap_us(n * 37 % 3000);
	return ret ?: device(l, nic_link(&l->nic, true), "up") ?: flows(l, t);
}

/* The user goes before the device comes back, or after, killed or by itself */
static int round_driver(struct life *l, struct tally *t, unsigned int n)
{
	uint64_t begin = life_now_ms();
	int ret = device(l, nic_unbind(&l->nic), "unbind");

	begin = life_now_ms() - begin;
	if (begin > AWAY_MS * l->slow)
		ret = life_fail(l, "unbind: took %llu ms, somebody holds the device", (unsigned long long)begin);
	if (!ret && n % 3 == 0)
		user_kill(&l->user);
	ret = ret ?: device(l, nic_bind(&l->nic), "bind");
	if (l->user.pid && n % 3 == 1)
		ret = user_tell(&l->user, USER_EXIT);
	else if (l->user.pid)
		kill(l->user.pid, SIGKILL);
	if (l->user.pid)
		user_reap(&l->user);
	return ret ?: new_user(l, t, LIFE_HOME_INIT);
}

/*
 * The network namespace that the user and the device are in is deleted: with its user killed; with
 * the ring in another process; with a user that has moved on; likewise in a user namespace.
 */
static int round_netns(struct life *l, struct tally *t, unsigned int n)
{
	enum { KILLED, RING_HELD, LEFT, USERNS, WAYS } way = n % WAYS;
	int ret = 0;

	/* of the round before */
	user_kill(&l->user);
	ret = new_user(l, t, way == USERNS ? LIFE_HOME_USERNS : LIFE_HOME_NS);
	if (ret)
		return ret;
	/* requests hold their sockets, and those the namespace */
	if (way == RING_HELD || way == LEFT)
		ret = user_do(&l->user, USER_CANCEL);
	if (!ret && way == RING_HELD)
		ret = life_take_ring(l);
	else if (!ret && way == LEFT)
		ret = user_do(&l->user, USER_LEAVE) ?: user_do(&l->user, USER_SHUT);
	if (ret)
		return life_fail(l, "the user: %s", user_why(&l->user, ret));
	if (way != LEFT)
		user_kill(&l->user);
	ret = device(l, nic_go_home(&l->nic), "the device does not come back from its network namespace");
	life_drop_ring(l);
	return ret;
}

static const struct kind {
	const char *name;
	int (*round)(struct life *l, struct tally *t, unsigned int n);
	bool user;		/* there is one before the first */
} kinds[] = {
	{ "kill -9", round_kill, true },
	{ "down and up", round_link, true },
	{ "unbind and bind", round_driver, true },
	{ "netns deleted", round_netns, false },
};

#define N_KINDS		(sizeof(kinds) / sizeof(kinds[0]))

static int some_rounds(struct life *l, const struct kind *kind, struct tally *t, unsigned int n)
{
	int ret = 0;

	for (unsigned int i = 0; i < n && !ret; i++) {
		life_doing(l, "%s, round %u", kind->name, i);
		ret = kind->round(l, t, i);
		life_done_doing(l);
		if (!ret)
			t->rounds++;
	}
	return ret;
}

static int prepare(struct life *l, const struct kind *kind, struct tally *t)
{
	return kind->user ? new_user(l, t, LIFE_HOME_INIT) : 0;
}

/* Nobody is left, and the driver can be taken away at once: nobody holds the device */
static int clean(struct life *l)
{
	uint64_t begin;
	int ret;

	user_kill(&l->user);
	life_drop_ring(l);
	if (l->nic.ns >= 0 || !nic_present(&l->nic))
		nic_go_home(&l->nic);
	begin = life_now_ms();
	life_doing(l, "unbind in the end");
	ret = device(l, nic_unbind(&l->nic), "unbind in the end");
	life_done_doing(l);
	begin = life_now_ms() - begin;
	if (!ret && begin > AWAY_MS * l->slow)
		ret = life_fail(l, "the driver went after %llu ms only, somebody held the device",
				(unsigned long long)begin);
	return device(l, nic_bind(&l->nic), "bind in the end") ?: ret;
}

static void run_kind(struct life *l, const struct kind *kind, struct tally *t)
{
	struct tally warm = { 0 };
	long long free_kb;
	uint64_t begin;
	int ret;

	l->why[0] = 0;
	ret = prepare(l, kind, &warm) ?: some_rounds(l, kind, &warm, WARM_UP + l->rounds / 4);
	ret = clean(l) ?: ret;
	ret = life_settle(l) ?: ret;
	free_kb = watch_free_kb();

	if (!ret)
		ret = prepare(l, kind, t);
	begin = life_now_ms();
	if (!ret)
		ret = some_rounds(l, kind, t, l->rounds);
	t->ms = life_now_ms() - begin;
	if (!tap_ok(!ret && t->rounds == l->rounds, "%s: %u rounds, and the next user receives at once",
		    kind->name, t->rounds))
		tap_diag("%s", l->why);

	l->why[0] = 0;
	ret = clean(l);
	if (!tap_ok(!ret, "%s: nobody holds the device afterwards", kind->name))
		tap_diag("%s", l->why);
	l->why[0] = 0;
	t->settled = !life_settle(l);
	if (!tap_ok(t->settled, "%s: no page stays pinned or accounted, no page pool waits", kind->name))
		tap_diag("%s", l->why);
	t->kb = free_kb - watch_free_kb();
	if (!tap_ok(t->kb < l->noise_kb, "%s: memory is back", kind->name))
		tap_diag("%lld kB are gone", t->kb);
}

static void print_table(const struct tally *t)
{
	tap_diag("%-16s %6s %9s %12s %12s", "", "rounds", "ms/round", "to 64 kB,", "kB lost/");
	tap_diag("%-16s %6s %9s %12s %12s", "", "", "", "worst ms", "round");
	for (size_t i = 0; i < N_KINDS; i++) {
		if (!t[i].ms)
			continue;
		tap_diag("%-16s %6u %9.1f %12llu %12.2f%s", kinds[i].name, t[i].rounds,
			 t[i].rounds ? (double)t[i].ms / t[i].rounds : 0, (unsigned long long)t[i].worst_ms,
			 t[i].rounds ? (double)t[i].kb / t[i].rounds : 0,
			 t[i].settled ? "" : "  (not settled)");
	}
}

/**
 * life_rounds() - all kinds, or one
 * @l: judge
 * @only: name of a kind, or NULL
 */
void life_rounds(struct life *l, const char *only)
{
	struct tally t[N_KINDS] = { 0 };

	for (size_t i = 0; i < N_KINDS; i++)
		if (!only || !strcmp(only, kinds[i].name))
			run_kind(l, &kinds[i], &t[i]);
	print_table(t);
}
