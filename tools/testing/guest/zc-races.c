// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * zc-races - let things happen at the same time that have to get along:
 *
 *	zc-races -i eth0 --seconds 60 --seed 1
 *
 * Rounds of some seconds. In each, receivers on two queues live and die in all ways, one
 * of them sane and one that writes garbage to its rings; a sender of this machine makes
 * them copy; and two hands change link, rings, number of queues, MTU, rules, contexts,
 * interrupts, bind and unbind a third queue under its traffic, dump what netlink knows; or, with --firmware,
 * have the firmware reset. At its end nothing is disturbed any more, and both queues have to deliver. Sane
 * receivers compare every byte.
 *
 * What somebody does follows from the seed; who is faster does not. Round N of seed S is
 * round 0 of seed S + N. Prints TAP; ends with the first thing that is wrong.
 *
 * Senders from elsewhere are expected, of zcrx-send's pattern, to ports 9999 (filtered to
 * queue 3), 9998 (queue 2) and 9997 (queue 1). The interface needs 6 queues.
 */
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../tap.h"
#include "races.h"

#define SANE_QUEUE	3u
#define SANE_PORT	9999u
#define WILD_QUEUE	2u
#define WILD_PORT	9998u
/* Of the queue that is bound and unbound, races-hand.c */
#define PLAIN_PORT	9997u
#define ROLES		2u

#define ROUND_MS	6000u
#define LIFE_MS		2500u
/* Whoever takes longer than that to come to an end never will */
#define HANG_MS		30000u
#define CALM_MS		20000u
#define CALM_BYTES	(256u << 10)

static const char *const count_names[RACES_COUNTS] = {
	[RACES_LIVES] = "receivers",
	[RACES_KILLED] = "of these killed",
	[RACES_CHECKED] = "bytes received and compared",
	[RACES_READ_ON] = "bytes read from sockets that outlived their ring",
	[RACES_PLAIN] = "bytes received by an ordinary receiver on the third queue",
	[RACES_COPIES] = "bytes copied",
	[RACES_BAD_RQES] = "bad refill entries",
	[RACES_STARVED] = "requests without a buffer",
	[RACES_LINK] = "times down and up",
	[RACES_RINGS] = "times other rings",
	[RACES_CHANNELS] = "times another number of queues",
	[RACES_MTU] = "times another MTU",
	[RACES_MERGE] = "times aggregation switched",
	[RACES_COALESCE] = "times interrupts made rare or frequent",
	[RACES_RULE] = "filter rules",
	[RACES_CONTEXT] = "RSS contexts",
	[RACES_RESTART] = "bindings of a third queue",
	[RACES_DUMP] = "series of dumps",
	[RACES_IRQ] = "times interrupts moved",
	[RACES_PACKET] = "packet sockets",
	[RACES_REBIND] = "times the driver away and back",
	[RACES_RESET] = "resets of the firmware",
};

/* What each round has at least one of in the long run: of receivers and queues, */
static const enum races_count each_of[] = {
	RACES_LIVES, RACES_KILLED, RACES_CHECKED, RACES_READ_ON, RACES_PLAIN, RACES_COPIES, RACES_BAD_RQES, RACES_COALESCE,
	RACES_RULE, RACES_RESTART, RACES_DUMP, RACES_PACKET,
};

/* and of what is done to the whole interface */
static const enum races_count each_of_config[] = {
	RACES_LINK, RACES_RINGS, RACES_CHANNELS, RACES_MTU, RACES_MERGE,
};

/**
 * races_nap() - sleep
 * @rng: dice
 * @us: less than so many microseconds
 */
void races_nap(struct rng *rng, uint32_t us)
{
	uint32_t n = rng_below(rng, us);
	const struct timespec ts = { .tv_sec = n / 1000000, .tv_nsec = (long)(n % 1000000) * 1000 };

	nanosleep(&ts, NULL);
}

/**
 * races_now_ms() - the time
 *
 * Return: milliseconds since boot.
 */
uint64_t races_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/**
 * races_move() - run on another processor, or on any
 * @races: all
 * @rng: dice
 */
void races_move(const struct races *races, struct rng *rng)
{
	uint32_t n = rng_below(rng, races->cpus + 1);
	cpu_set_t set;

	CPU_ZERO(&set);
	for (unsigned int i = 0; i < races->cpus; i++)
		if (i == n || n == races->cpus)
			CPU_SET(i, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/**
 * races_cpu() - where the interrupt of a queue is to be
 * @races: all
 * @rng: dice
 *
 * Return: a processor, or -1 for no matter where. With one processor there is no choice,
 * and the interrupts of User Mode Linux cannot be moved.
 */
int races_cpu(const struct races *races, struct rng *rng)
{
	return races->cpus > 1 ? (int)rng_below(rng, races->cpus + 1) - 1 : -1;
}

/**
 * races_add() - count
 * @races: all
 * @what: what
 * @n: how many
 */
void races_add(const struct races *races, enum races_count what, uint64_t n)
{
	__atomic_fetch_add(&races->s->count[what], n, __ATOMIC_RELAXED);
}

/**
 * races_fail() - something is wrong; the first one who says so is heard
 * @races: all
 * @fmt: what, as of printf(3)
 */
void races_fail(const struct races *races, const char *fmt, ...)
{
	va_list ap;

	if (__atomic_fetch_add(&races->s->failed, 1, __ATOMIC_ACQ_REL))
		return;
	va_start(ap, fmt);
	vsnprintf(races->s->failure, sizeof(races->s->failure), fmt, ap);
	va_end(ap);
}

static bool failed(const struct races *races)
{
	return __atomic_load_n(&races->s->failed, __ATOMIC_ACQUIRE);
}

/**
 * struct role - who takes the place of a receiver that has died
 * @queue: receive queue
 * @port: TCP port
 * @wild: its receivers are wild as long as there is a round
 * @pid: of the one that lives, or 0
 * @life: what it does
 * @act_ms: when it is stopped or killed, 0 if that is not for us to do
 * @hang_ms: when it should have been gone for long
 * @killed: it was
 */
struct role {
	unsigned int queue;
	uint16_t port;
	bool wild;
	pid_t pid;
	struct races_life life;
	uint64_t act_ms;
	uint64_t hang_ms;
	bool killed;
};

static pid_t spawn(const struct races *races, const char *what)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		races_fail(races, "no process for a %s: %s", what, strerror(errno));
	return pid;
}

static void start_life(const struct races *races, struct role *role)
{
	uint64_t now = races_now_ms();

	role->killed = false;
	role->act_ms = 0;
	if (role->life.end == RACES_END_KILLED || role->life.end == RACES_END_STOPPED) {
		role->act_ms = now + role->life.ms;
		role->life.ms += HANG_MS * races->slow;
	}
	/* to be bound it may have to wait for others as long as that */
	role->hang_ms = now + role->life.ms + 2 * HANG_MS * races->slow;
	role->pid = spawn(races, "receiver");
	if (!role->pid)
		_exit(races_receive(races, &role->life));
}

static struct races_life any_life(const struct races *races, struct rng *rng, const struct role *role)
{
	struct races_life life = {
		.seed = rng_next(rng),
		.queue = role->queue,
		.port = role->port,
		.ms = rng_below(rng, LIFE_MS),
		.wild = role->wild,
		.end = rng_below(rng, RACES_ENDS),
	};

	/* User Mode Linux 6.12 copies mappings of higher orders wrongly in fork(2), io_uring's
	 * own rings as well
	 */
	if (life.end == RACES_END_FORK && races->cpus == 1)
		life.end = RACES_END_DIE;
	return life;
}

static struct races_life calm_life(const struct races *races, struct rng *rng, const struct role *role)
{
	return (struct races_life){
		.seed = rng_next(rng),
		.queue = role->queue,
		.port = role->port,
		.ms = CALM_MS * races->slow,
		.enough = CALM_BYTES,
		.end = RACES_END_EXIT,
	};
}

static void end_from_outside(const struct races *races, struct role *role)
{
	uint64_t now = races_now_ms();

	if (role->act_ms && now >= role->act_ms) {
		if (role->life.end == RACES_END_STOPPED) {
			kill(role->pid, SIGSTOP);
			role->life.end = RACES_END_KILLED;
			role->act_ms = now + 300;
		} else {
			kill(role->pid, SIGKILL);
			role->killed = true;
			role->act_ms = 0;
			races_add(races, RACES_KILLED, 1);
		}
	}
	if (now >= role->hang_ms) {
		races_fail(races, "a receiver on queue %u does not come to an end%s", role->queue,
			   role->killed ? ", though it was killed" : "");
		kill(role->pid, SIGKILL);
		role->hang_ms = UINT64_MAX;
	}
}

/* Return: whether it is gone */
static bool reap(const struct races *races, struct role *role)
{
	int status;

	if (!role->pid)
		return true;
	if (waitpid(role->pid, &status, WNOHANG) != role->pid)
		return false;
	role->pid = 0;
	if (WIFSIGNALED(status) && !(role->killed && WTERMSIG(status) == SIGKILL))
		races_fail(races, "a receiver on queue %u died of signal %d", role->queue, WTERMSIG(status));
	if (WIFEXITED(status) && WEXITSTATUS(status))
		races_fail(races, "a receiver on queue %u failed without a word", role->queue);
	return true;
}

/* Keep both places filled until @end_ms, then wait until they are empty */
static void keep_living(const struct races *races, struct role *roles, struct rng *rng, uint64_t end_ms)
{
	unsigned int gone = 0;

	while (gone < ROLES) {
		bool go_on = races_now_ms() < end_ms && !failed(races);

		gone = 0;
		for (struct role *role = roles; role < roles + ROLES; role++) {
			if (!reap(races, role)) {
				end_from_outside(races, role);
			} else if (go_on) {
				role->life = any_life(races, rng, role);
				start_life(races, role);
			} else {
				gone++;
			}
		}
		usleep(2000);
	}
}

static void check_calm(const struct races *races, struct role *roles, struct rng *rng)
{
	for (struct role *role = roles; role < roles + ROLES; role++) {
		role->life = calm_life(races, rng, role);
		start_life(races, role);
	}
	keep_living(races, roles, rng, 0);
}

static void wait_hand(const struct races *races, pid_t pid, unsigned int which)
{
	uint64_t end = races_now_ms() + HANG_MS * races->slow;
	int status;

	while (waitpid(pid, &status, WNOHANG) != pid) {
		if (races_now_ms() >= end) {
			races_fail(races, "hand %u hangs", which);
			kill(pid, SIGKILL);
			end = UINT64_MAX;
		}
		usleep(2000);
	}
	if (status)
		races_fail(races, "hand %u ended with status %#x", which, status);
}

static void round_of(const struct races *races, uint64_t seed)
{
	struct role roles[ROLES] = {
		{ .queue = SANE_QUEUE, .port = SANE_PORT },
		{ .queue = WILD_QUEUE, .port = WILD_PORT, .wild = true },
	};
	struct rng rng = { seed };
	pid_t hands[RACES_HANDS], pump, plain;

	__atomic_store_n(&races->s->stop, 0, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < RACES_HANDS; i++) {
		uint64_t own = rng_next(&rng);

		hands[i] = spawn(races, "hand");
		if (!hands[i])
			_exit(races_hand(races, own, seed, i));
	}
	pump = spawn(races, "sender");
	if (!pump)
		_exit(races_pump(races, rng_next(&rng), SANE_PORT));
	plain = spawn(races, "receiver");
	if (!plain)
		_exit(races_plain(races, rng_next(&rng), PLAIN_PORT));
	keep_living(races, roles, &rng, races_now_ms() + ROUND_MS);
	__atomic_store_n(&races->s->stop, 1, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < RACES_HANDS; i++)
		wait_hand(races, hands[i], i);
	kill(pump, SIGKILL);
	kill(plain, SIGKILL);
	waitpid(pump, NULL, 0);
	waitpid(plain, NULL, 0);
	if (!failed(races))
		check_calm(races, roles, &rng);
}

static int usage(void)
{
	fprintf(stderr, "usage: zc-races -i IFACE [--seconds N] [--seed N] [--slow N] [--rebind COMMAND] [--firmware]\n"
			"--slow: things may take N times longer than on an idle machine with KVM\n"
			"--rebind: takes the driver away and back, and sets the interface up again\n"
			"--firmware: instead of other rings, queues and so on the firmware is reset\n");
	return 2;
}

static bool parse(struct races *races, int argc, char **argv)
{
	static const struct option options[] = {
		{ "interface", required_argument, NULL, 'i' },
		{ "seconds", required_argument, NULL, 't' },
		{ "seed", required_argument, NULL, 's' },
		{ "slow", required_argument, NULL, 'w' },
		{ "rebind", required_argument, NULL, 'r' },
		{ "firmware", no_argument, NULL, 'f' },
		{ 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "i:", options, NULL)) != -1) {
		switch (c) {
		case 'i': races->iface = optarg; break;
		case 't': races->seconds = (unsigned int)strtoul(optarg, NULL, 10); break;
		case 's': races->seed = strtoull(optarg, NULL, 0); break;
		case 'w': races->slow = (unsigned int)strtoul(optarg, NULL, 10); break;
		case 'r': races->rebind = optarg; break;
		case 'f': races->firmware = true; break;
		default: return false;
		}
	}
	return races->iface && races->slow && optind == argc;
}

/* Return: whether all of @counts were counted */
static bool all_of(const struct races *races, const enum races_count *counts, size_t n)
{
	while (n)
		if (!races->s->count[counts[--n]])
			return false;
	return true;
}

static bool all_happened(const struct races *races)
{
	if (!all_of(races, each_of, sizeof(each_of) / sizeof(each_of[0])))
		return false;
	if (races->firmware)
		return races->s->count[RACES_RESET];
	return all_of(races, each_of_config, sizeof(each_of_config) / sizeof(each_of_config[0]));
}

static void tell(const struct races *races, unsigned int rounds, uint64_t last_seed)
{
	for (unsigned int i = 0; i < RACES_COUNTS; i++)
		tap_diag("%" PRIu64 " %s", races->s->count[i], count_names[i]);
	if (!tap_ok(!failed(races), "%u rounds from seed %" PRIu64 ": every byte was right, every queue lives",
		    rounds, races->seed)) {
		tap_diag("%s", races->s->failure);
		tap_diag("again: --seed %" PRIu64, last_seed);
		return;
	}
	if (rounds < 10)
		tap_skip("all kinds of things happened", "few rounds");
	else
		tap_ok(all_happened(races), "all kinds of things happened");
}

int main(int argc, char **argv)
{
	struct races races = { .seconds = 20, .seed = 1, .slow = 1 };
	struct rlimit locked = { RLIM_INFINITY, RLIM_INFINITY };
	unsigned int rounds = 0;
	uint64_t end;

	if (!parse(&races, argc, argv))
		return usage();
	races.cpus = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
	races.s = mmap(NULL, sizeof(*races.s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (races.s == MAP_FAILED)
		tap_bail("no shared memory");
	setrlimit(RLIMIT_MEMLOCK, &locked);
	signal(SIGPIPE, SIG_IGN);
	end = races_now_ms() + 1000ull * races.seconds;
	do {
		round_of(&races, races.seed + rounds);
		rounds++;
	} while (races_now_ms() < end && !failed(&races));
	tell(&races, rounds, races.seed + rounds - 1);
	return tap_done();
}
