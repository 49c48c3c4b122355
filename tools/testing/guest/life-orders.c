// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * zc-life: ends in any order. A table has what can happen, and what it takes for that; from it all
 * orders of all pairs are made, and those of three where one turns back what another did.
 * After each step the queue is bound if and only if somebody holds the ring, and what the user
 * holds has not changed. The next one begins with a transfer; after some all is gone.
 */
#include "../tap.h"
#include "life-judge.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_STEPS	4
/* Longer than that, and somebody holds a reference: the kernel complains after ten seconds */
#define STEP_MS		4000u
/* So many regions fit into memory, and into the limit of locked memory, at once */
#define SETTLE_ORDERS	50u
#define MAX_ORDERS	1024u
#define MAX_ROWS	100u

/* What there is, as bits */
enum {
	HAS_PROCESS	= 1 << 0,	/* the user's process, whatever program it runs */
	HAS_USER	= 1 << 1,	/* and it obeys */
	HAS_FD		= 1 << 2,	/* the user has the ring's descriptor */
	HAS_MAP		= 1 << 3,	/* and the ifq's rings mapped */
	HAS_REGION	= 1 << 4,
	HAS_BUFFER	= 1 << 5,	/* registered */
	HAS_SOCKETS	= 1 << 6,
	HAS_UNREAD	= 1 << 7,
	HAS_ENTRIES	= 1 << 8,	/* not given back */
	HAS_REQUESTS	= 1 << 9,
	HAS_SECOND	= 1 << 10,	/* a second process */
	HAS_RING2	= 1 << 11,	/* with the ring's descriptor */
	HAS_JUDGE	= 1 << 12,	/* the judge has it */
	HAS_PLUG	= 1 << 13,	/* the device is on the bus */
	HAS_DRIVER	= 1 << 14,
	HAS_UP		= 1 << 15,
	HAS_AWAY	= 1 << 16,	/* it is in another network namespace than the judge */
	HAS_OWN_NS	= 1 << 17,	/* the user's, when it began */
	HAS_LEFT	= 1 << 18,	/* and the user is there no more */
	HAS_BINDING	= 1 << 19,	/* the device has not gone since the queue was bound */
	HAS_USERNS	= 1 << 20,	/* the user has a user namespace of its own */
	HAS_RING_EXEC	= 1 << 21,	/* the user became a program that was given the descriptor */
	HAS_PENDING	= 1 << 22,	/* requests, as long as anybody has the ring */
};

#define USERS	(HAS_USER | HAS_FD | HAS_MAP | HAS_REGION | HAS_BUFFER | HAS_SOCKETS | HAS_UNREAD | \
		 HAS_ENTRIES | HAS_REQUESTS)
#define BEGUN	(HAS_PROCESS | USERS | HAS_PENDING | HAS_PLUG | HAS_DRIVER | HAS_UP | HAS_BINDING)

static const struct {
	unsigned int bit;
	const char *missing, *there;
} bit_names[] = {
	{ HAS_PROCESS, "the user is gone", NULL },
	{ HAS_USER, "the user is gone", NULL },
	{ HAS_FD, "its ring is closed", NULL },
	{ HAS_MAP, "its rings are unmapped", NULL },
	{ HAS_REGION, "its region is unmapped", NULL },
	{ HAS_BUFFER, "its buffer is unregistered", NULL },
	{ HAS_SOCKETS, "its sockets are closed", NULL },
	{ HAS_UNREAD, "its sockets are empty", NULL },
	{ HAS_ENTRIES, "it holds no entries", NULL },
	{ HAS_REQUESTS, "it has no requests", NULL },
	{ HAS_SECOND, "there is no second process", "there is a second process" },
	{ HAS_JUDGE, "nobody else has the ring", "somebody else has the ring" },
	{ HAS_PLUG, "the device is removed", "the device is there" },
	{ HAS_DRIVER, "the device has no driver", "the device has its driver" },
	{ HAS_UP, "the interface is down", "the interface is up" },
	{ HAS_AWAY, "the device is in the first network namespace", "the device is in another network namespace" },
	{ HAS_OWN_NS, "the user is in the first network namespace", NULL },
	{ HAS_LEFT, NULL, "the user has left it" },
	{ HAS_USERNS, NULL, "the user has no right to where it would go" },
};

/**
 * struct step - one thing that can happen
 * @name: in a word or two
 * @needs: bits that have to be there
 * @bars: bits that must not
 * @sets: bits that it adds
 * @clears: bits that it takes
 * @cmd: what the user is told, if @act is NULL
 * @act: what the judge does
 */
struct step {
	const char *name;
	unsigned int needs, bars, sets, clears;
	enum user_cmd cmd;
	int (*act)(struct life *l);
};

static int act_fork(struct life *l)
{
	int pid = 0, ret = user_tell(&l->user, USER_FORK) ?: user_hear(&l->user, &pid);

	l->second = ret ? 0 : pid;
	return ret;
}

/* A child of the user as long as that lives, of the judge then */
static int act_second(struct life *l)
{
	struct pollfd pfd = { .fd = (int)syscall(SYS_pidfd_open, l->second, 0), .events = POLLIN };

	if (pfd.fd < 0)
		return -errno;
	kill(l->second, SIGKILL);
	poll(&pfd, 1, -1);
	close(pfd.fd);
	waitpid(l->second, NULL, WNOHANG);
	l->second = 0;
	return 0;
}

/* Since 6.7 (af_unix: "io_uring/unix: disable sending io_uring over sockets") it is refused */
static int act_scm(struct life *l)
{
	int ret = user_do(&l->user, USER_SEND);

	return ret == -EINVAL ? 0 : ret ?: -ENOTRECOVERABLE;
}

static int act_drop(struct life *l)
{
	life_drop_ring(l);
	return 0;
}

/* It answers, and becomes another program then; or does not answer at all */
static int become(struct life *l, enum user_cmd cmd)
{
	int ret = user_do(&l->user, cmd);

	return ret == -ECHILD ? 0 : ret ?: -ENOTRECOVERABLE;
}

static int act_exec(struct life *l)
{
	return become(l, USER_EXEC);
}

static int act_exec_keep(struct life *l)
{
	return become(l, USER_EXEC_KEEP);
}

static int act_exit(struct life *l)
{
	int ret = user_tell(&l->user, USER_EXIT);

	user_reap(&l->user);
	return ret;
}

static int act_kill(struct life *l)
{
	user_kill(&l->user);
	return 0;
}

static int act_down(struct life *l)
{
	return nic_link(&l->nic, false);
}

static int act_up(struct life *l)
{
	return nic_link(&l->nic, true);
}

static int act_unbind(struct life *l)
{
	return nic_unbind(&l->nic);
}

static int act_bind(struct life *l)
{
	return nic_bind(&l->nic);
}

static int act_remove(struct life *l)
{
	return nic_remove(&l->nic);
}

static int act_rescan(struct life *l)
{
	return nic_rescan(&l->nic);
}

static int act_away(struct life *l)
{
	int ns = nic_new_ns(&l->nic);

	return ns < 0 ? ns : nic_move(&l->nic, ns);
}

static int act_back(struct life *l)
{
	return nic_move(&l->nic, -1);
}

static int act_delete(struct life *l)
{
	return nic_go_home(&l->nic);
}

#define U(bits)		(HAS_USER | (bits))

static const struct step steps[] = {
	/*  name		needs			bars		sets		clears */
	{ "give back",		U(HAS_MAP | HAS_ENTRIES), 0,		0,		HAS_ENTRIES, USER_GIVE, NULL },
	{ "read",		U(HAS_UNREAD),		0,		0,		HAS_UNREAD, USER_READ, NULL },
	{ "close sockets",	U(HAS_SOCKETS),		0,		0,		HAS_SOCKETS | HAS_UNREAD, USER_SHUT, NULL },
	{ "cancel",		U(HAS_FD | HAS_REQUESTS), 0,		0,		HAS_REQUESTS | HAS_PENDING,
	  USER_CANCEL, NULL },
	{ "close ring",		U(HAS_FD),		0,		0,		HAS_FD, USER_RING, NULL },
	{ "unmap rings",	U(HAS_MAP),		0,		0,		HAS_MAP, USER_UNMAP, NULL },
	{ "unmap region",	U(HAS_REGION),		0,		0,		HAS_REGION | HAS_ENTRIES, USER_REGION, NULL },
	{ "unregister buffer",	U(HAS_FD | HAS_BUFFER),	0,		0,		HAS_BUFFER, USER_UNREG, NULL },
	{ "fork",		U(0),			HAS_SECOND,	HAS_SECOND,	0, 0, act_fork },
	{ "second dies",	HAS_SECOND,		0,		0,		HAS_SECOND | HAS_RING2, 0, act_second },
	{ "send ring",		U(HAS_FD),		0,		0,		0, 0, act_scm },
	{ "take ring",		U(HAS_FD),		HAS_JUDGE,	HAS_JUDGE,	0, 0, life_take_ring },
	{ "drop ring",		HAS_JUDGE,		0,		0,		HAS_JUDGE, 0, act_drop },
	{ "leave netns",	U(HAS_OWN_NS),		HAS_LEFT | HAS_USERNS, HAS_LEFT,	0, USER_LEAVE, NULL },
	{ "exec",		U(0),			0,		0,		USERS | HAS_PENDING, 0, act_exec },
	{ "exec with ring",	U(HAS_FD),		0,		HAS_RING_EXEC,	USERS | HAS_PENDING, 0,
	  act_exec_keep },
	{ "exit",		U(0),			0,		0,		HAS_PROCESS | USERS, 0, act_exit },
	{ "kill -9",		HAS_PROCESS,		0,		0,		HAS_PROCESS | USERS | HAS_RING_EXEC, 0, act_kill },
	{ "down",		HAS_UP,			0,		0,		HAS_UP, 0, act_down },
	{ "up",			HAS_DRIVER,		HAS_UP,		HAS_UP,		0, 0, act_up },
	{ "unbind",		HAS_DRIVER,		0,		0,		HAS_DRIVER | HAS_UP | HAS_AWAY | HAS_BINDING,
	  0, act_unbind },
	{ "bind",		HAS_PLUG,		HAS_DRIVER,	HAS_DRIVER | HAS_UP, 0, 0, act_bind },
	{ "remove",		HAS_PLUG,		0,		0,		HAS_PLUG | HAS_DRIVER | HAS_UP | HAS_AWAY |
									HAS_BINDING, 0, act_remove },
	{ "rescan",		0,			HAS_PLUG,	HAS_PLUG | HAS_DRIVER | HAS_UP, 0, 0, act_rescan },
	{ "move away",		HAS_DRIVER,		HAS_AWAY,	HAS_AWAY | HAS_UP, 0, 0, act_away },
	{ "move back",		HAS_DRIVER | HAS_AWAY,	0,		HAS_UP,		HAS_AWAY, 0, act_back },
	{ "delete netns",	HAS_DRIVER | HAS_AWAY,	0,		HAS_UP,		HAS_AWAY, 0, act_delete },
};

#define N_STEPS		(sizeof(steps) / sizeof(steps[0]))

static const struct step *step_named(const char *name)
{
	for (size_t i = 0; i < N_STEPS; i++)
		if (!strcmp(steps[i].name, name))
			return &steps[i];
	return NULL;
}

/* ---- what is possible --------------------------------------------------- */

static bool ring_is_held(unsigned int has)
{
	return has & (HAS_FD | HAS_MAP | HAS_RING2 | HAS_RING_EXEC | HAS_JUDGE);
}

/*
 * A namespace that somebody is in, or has a socket of, is not deleted. Requests have theirs until
 * the ring is closed, also those of a task that is dead; exec(2) does cancel them.
 */
static bool somebody_in_ns(unsigned int has)
{
	if (!(has & HAS_OWN_NS))
		return false;
	if (has & HAS_PENDING && ring_is_held(has))
		return true;
	return has & (HAS_SECOND | HAS_SOCKETS) || (has & HAS_PROCESS && !(has & HAS_LEFT));
}

/* NULL if it can be done, else why not */
static const char *why_not(const struct step *s, unsigned int has)
{
	for (size_t i = 0; i < sizeof(bit_names) / sizeof(bit_names[0]); i++) {
		if (s->needs & ~has & bit_names[i].bit)
			return bit_names[i].missing;
		if (s->bars & has & bit_names[i].bit)
			return bit_names[i].there;
	}
	if (s->act == act_delete && somebody_in_ns(has))
		return "somebody is in the network namespace";
	return NULL;
}

static unsigned int after(const struct step *s, unsigned int has)
{
	if (s->act == act_fork && has & HAS_FD)
		has |= HAS_RING2;
	return (has & ~s->clears) | s->sets;
}

/* ---- one order ---------------------------------------------------------- */

struct order {
	enum life_home home;
	const struct step *step[MAX_STEPS];
	unsigned int n;
};

static const char *home_name(enum life_home home)
{
	static const char *const names[] = { "", "own netns: ", "own user and netns: " };

	return names[home];
}

static void order_name(const struct order *o, char *buf, size_t size)
{
	size_t n = (size_t)snprintf(buf, size, "%s", home_name(o->home));

	for (unsigned int i = 0; i < o->n && n < size; i++)
		n += (size_t)snprintf(buf + n, size - n, "%s%s", i ? ", " : "", o->step[i]->name);
}

static unsigned int begun(enum life_home home)
{
	static const unsigned int more[] = {
		[LIFE_HOME_INIT] = 0,
		[LIFE_HOME_NS] = HAS_AWAY | HAS_OWN_NS,
		[LIFE_HOME_USERNS] = HAS_AWAY | HAS_OWN_NS | HAS_USERNS,
	};

	return BEGUN | more[home];
}

static const char *order_why_not(const struct order *o)
{
	unsigned int has = begun(o->home);

	for (unsigned int i = 0; i < o->n; i++) {
		const char *why = why_not(o->step[i], has);

		if (why)
			return why;
		has = after(o->step[i], has);
	}
	return NULL;
}

static int begin(struct life *l, enum life_home home)
{
	int ret = life_user(l, home);

	if (ret)
		return ret;
	ret = user_do(&l->user, USER_BEGIN);
	return ret ? life_fail(l, "the beginning: %s", user_why(&l->user, ret)) : 0;
}

/* Whether the queue is bound, whether the user has what it had */
static int look(struct life *l, const struct step *s, unsigned int *has)
{
	bool want = ring_is_held(*has) && *has & HAS_BINDING;
	int ret = *has & HAS_UP ? nic_bound(&l->nic) : want;

	if (ret < 0)
		return life_fail(l, "%s: cannot tell whether the queue is bound: %s", s->name, strerror(-ret));
	if (want && !ret && (s->act == act_away || s->act == act_back || s->act == act_delete))
		*has &= ~HAS_BINDING;	/* may end with another network namespace */
	else if (ret != want)
		return life_fail(l, "%s: the queue is %s", s->name,
				 ret ? "bound, and nobody has the ring" : "not bound any more");
	if ((*has & (HAS_USER | HAS_ENTRIES)) != (HAS_USER | HAS_ENTRIES))
		return 0;
	ret = user_do(&l->user, USER_CHECK);
	return ret ? life_fail(l, "%s: %s", s->name, user_why(&l->user, ret)) : 0;
}

static int do_step(struct life *l, const struct step *s, unsigned int *has)
{
	uint64_t t = life_now_ms();
	int ret = s->act ? s->act(l) : user_do(&l->user, s->cmd);

	t = life_now_ms() - t;
	*has = after(s, *has);
	if (ret)
		return life_fail(l, "%s: %s", s->name, user_why(&l->user, ret));
	if (t > STEP_MS * l->slow)
		return life_fail(l, "%s: took %llu ms, somebody holds something", s->name, (unsigned long long)t);
	return look(l, s, has);
}

/* All that is left of it goes, the device is as it was */
static int clear_away(struct life *l, unsigned int has)
{
	int ret = 0;

	user_kill(&l->user);
	if (l->second)
		act_second(l);
	life_drop_ring(l);

	if (!(has & HAS_PLUG))
		ret = nic_rescan(&l->nic);
	else if (!(has & HAS_DRIVER))
		ret = nic_bind(&l->nic);
	else if (has & HAS_AWAY)
		/* not by its deletion: closed sockets may keep the namespace for a second */
		ret = nic_move(&l->nic, -1);
	else
		ret = nic_configure(&l->nic);
	return ret ? life_fail(l, "the device does not come back: %s", strerror(-ret)) : 0;
}

static int run_order(struct life *l, const struct order *o)
{
	unsigned int has = begun(o->home);
	char name[128];
	int ret;

	order_name(o, name, sizeof(name));
	life_doing(l, "%s", name);
	l->why[0] = 0;
	ret = begin(l, o->home);
	for (unsigned int i = 0; i < o->n && !ret; i++)
		ret = do_step(l, o->step[i], &has);
	l->unsettled++;
	ret = clear_away(l, has) ?: ret;
	life_done_doing(l);
	return ret;
}

/* ---- many --------------------------------------------------------------- */

/**
 * struct row - orders that are one result
 * @name: of them
 * @first: number of the first in the list
 * @n: how many there are
 * @not_possible: how many cannot be
 * @failed: went wrong
 * @ms: time that they took
 */
struct row {
	char name[64];
	unsigned int first, n;
	unsigned int not_possible;
	unsigned int failed;
	uint64_t ms;
};

/**
 * struct list - all orders
 * @order: the orders
 * @n: how many
 * @possible: how many there could be
 * @part: one in @of is taken, from this on
 * @of: 1 for all
 * @row: of them
 * @n_rows: how many
 */
struct list {
	struct order order[MAX_ORDERS];
	unsigned int n;
	unsigned int possible, part, of;
	struct row row[MAX_ROWS];
	unsigned int n_rows;
};

__attribute__((format(printf, 2, 3)))
static void row_begin(struct list *list, const char *fmt, ...)
{
	struct row *row = &list->row[list->n_rows++];
	va_list ap;

	if (list->n_rows > MAX_ROWS)
		tap_bail("more than %u rows", MAX_ROWS);
	*row = (struct row){ .first = list->n };
	va_start(ap, fmt);
	vsnprintf(row->name, sizeof(row->name), fmt, ap);
	va_end(ap);
}

static void row_add(struct list *list, const struct order *o)
{
	struct row *row = &list->row[list->n_rows - 1];

	if (order_why_not(o)) {
		row->not_possible++;
		return;
	}
	if (list->possible++ % list->of != list->part)
		return;
	if (list->n == MAX_ORDERS)
		tap_bail("more than %u orders", MAX_ORDERS);
	list->order[list->n++] = *o;
	row->n++;
}

static void blame(struct life *l, struct row *row, const struct order *o)
{
	char name[128];

	row->failed++;
	order_name(o, name, sizeof(name));
	tap_diag("%s: %s", name, l->why);
	if (l->last)
		tap_diag("(before that: %s)", l->last);
}

static void run_row(struct life *l, const struct list *list, struct row *row)
{
	uint64_t begin = life_now_ms();
	static char name[128];

	for (unsigned int i = row->first; i < row->first + row->n; i++) {
		if (run_order(l, &list->order[i]))
			blame(l, row, &list->order[i]);
		order_name(&list->order[i], name, sizeof(name));
		l->last = name;
	}
	row->ms += life_now_ms() - begin;
}

/* Something is left of one of these: do each again, alone */
static void find_culprit(struct life *l, const struct list *list, struct row *row)
{
	l->last = NULL;
	for (unsigned int i = row->first; i < row->first + row->n; i++) {
		int ret = run_order(l, &list->order[i]);

		if (life_settle(l) || ret)
			blame(l, row, &list->order[i]);
	}
}

static void tell_row(const struct row *row)
{
	if (row->n)
		tap_ok(!row->failed, "%s: %u orders, %u not possible; %llu ms each", row->name, row->n,
		       row->not_possible, (unsigned long long)row->ms / row->n);
}

/*
 * What is left of somebody is looked for after some rows: page pools look once a second whether
 * their last buffer is back.
 */
static void run_list(struct life *l, struct list *list)
{
	unsigned int first = 0;

	for (unsigned int i = 0; i < list->n_rows; i++) {
		run_row(l, list, &list->row[i]);
		if (l->unsettled < SETTLE_ORDERS && i + 1 < list->n_rows)
			continue;
		l->why[0] = 0;
		if (life_settle(l)) {
			tap_diag("of %s and what follows: %s", list->row[first].name, l->why);
			for (unsigned int k = first; k <= i; k++)
				find_culprit(l, list, &list->row[k]);
			/* nobody's fault if alone: then it is all of them together */
			list->row[i].failed++;
		}
		for (; first <= i; first++)
			tell_row(&list->row[first]);
	}
}

/* Each pair that begins with @first */
static void pairs(struct list *list, enum life_home home, const struct step *first)
{
	struct order o = { .home = home, .step[0] = first, .n = 2 };

	row_begin(list, "%s%s, anything", home_name(home), first->name);
	for (size_t i = 0; i < N_STEPS; i++) {
		o.step[1] = &steps[i];
		if (o.step[1] != first)
			row_add(list, &o);
	}
}

/* Things that happen between two others */
static void between(struct list *list, const char *first, const char *third)
{
	struct order o = { .step = { step_named(first), NULL, step_named(third) }, .n = 3 };

	row_begin(list, "%s, anything, %s", first, third);
	for (size_t i = 0; i < N_STEPS; i++) {
		o.step[1] = &steps[i];
		if (o.step[1] != o.step[0] && o.step[1] != o.step[2])
			row_add(list, &o);
	}
}

/* What happens after two others */
static void third(struct list *list, enum life_home home, const char *first, const char *second)
{
	struct order o = { .home = home, .step = { step_named(first), step_named(second) }, .n = 3 };

	row_begin(list, "%s%s, %s, anything", home_name(home), first, second);
	for (size_t i = 0; i < N_STEPS; i++) {
		o.step[2] = &steps[i];
		row_add(list, &o);
	}
}

/* Why what was not done was not: once for each pair that has a reason of its own */
static void tell_not_possible(void)
{
	for (size_t i = 0; i < N_STEPS; i++) {
		const char *why = why_not(&steps[i], begun(LIFE_HOME_INIT));

		if (why)
			tap_diag("not possible as the first: %s: %s", steps[i].name, why);
	}
	tap_diag("not possible: a ring over a UNIX socket (SCM_RIGHTS): Linux 6.7 and later refuse it");
	tap_diag("not possible: requests of zero copy receive in a worker: IOSQE_ASYNC is taken off them");
}

/**
 * life_orders() - all of them, or a part
 * @l: judge
 * @part: one in @of, from this one on
 * @of: 1 for all
 */
void life_orders(struct life *l, unsigned int part, unsigned int of)
{
	static const char *const twos[][2] = {
		{ "fork", "kill -9" }, { "take ring", "kill -9" }, { "take ring", "exit" },
		{ "close ring", "unmap rings" }, { "unregister buffer", "unmap region" },
	};
	static const char *const inverse[][2] = {
		{ "down", "up" }, { "unbind", "bind" }, { "remove", "rescan" },
		{ "move away", "move back" }, { "move away", "delete netns" },
	};
	/* Where the user has a network namespace of its own, what has to do with that */
	static const char *const own[] = {
		"leave netns", "move back", "close ring", "unmap rings", "kill -9", "down", "unbind", "take ring",
	};

	struct list *list = calloc(1, sizeof(*list));

	if (!list)
		tap_bail("no memory");
	list->part = part;
	list->of = of;
	tell_not_possible();
	for (size_t i = 0; i < N_STEPS; i++)
		pairs(list, LIFE_HOME_INIT, &steps[i]);
	for (size_t i = 0; i < sizeof(inverse) / sizeof(inverse[0]); i++)
		between(list, inverse[i][0], inverse[i][1]);
	for (size_t i = 0; i < sizeof(twos) / sizeof(twos[0]); i++)
		third(list, LIFE_HOME_INIT, twos[i][0], twos[i][1]);
	for (enum life_home home = LIFE_HOME_NS; home <= LIFE_HOME_USERNS; home++) {
		for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
			pairs(list, home, step_named(own[i]));
		third(list, home, "take ring", "kill -9");
	}
	third(list, LIFE_HOME_NS, "leave netns", "close sockets");
	tap_diag("%u orders of %u", list->n, list->possible);
	run_list(l, list);
	free(list);
}

/**
 * life_one_order() - a single one
 * @l: judge
 * @names: its steps, separated by commas; the home before a colon, "netns" or "userns"
 *
 * Return: 0, or -EINVAL if there is no such order.
 */
int life_one_order(struct life *l, const char *names)
{
	struct order o = { 0 };
	char buf[256], *rest = buf, *name;

	snprintf(buf, sizeof(buf), "%s", names);
	if (!strncmp(buf, "netns:", 6))
		o.home = LIFE_HOME_NS;
	else if (!strncmp(buf, "userns:", 7))
		o.home = LIFE_HOME_USERNS;
	if (o.home)
		rest = strchr(buf, ':') + 1;
	while ((name = strsep(&rest, ","))) {
		if (o.n == MAX_STEPS || !step_named(name))
			return -EINVAL;
		o.step[o.n++] = step_named(name);
	}
	if (order_why_not(&o)) {
		tap_diag("not possible: %s", order_why_not(&o));
		return -EINVAL;
	}
	if (!tap_ok(!run_order(l, &o), "%s", names))
		tap_diag("%s", l->why);
	l->why[0] = 0;
	if (!tap_ok(!life_settle(l), "%s: nothing is left", names))
		tap_diag("%s", l->why);
	return 0;
}
