// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What must not become more, whoever lived and died: pages pinned for devices, page pools that
 * wait, memory that is nobody's.
 */
#include "life.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Memory is back when it does not become more for so many looks */
#define FREE_SAMPLES	10u
/* Of NETDEV_CMD_PAGE_POOL_GET, see Documentation/netlink/specs/netdev.yaml */
enum { POOL_DETACH_TIME = 6, POOL_ATTRS };

/* The sum of the lines that begin with one of two words, the second one negative */
static long long read_counts(const char *path, const char *plus, const char *minus)
{
	char line[256], name[64];
	long long value, sum = 0;
	FILE *f = fopen(path, "r");

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s %lld", name, &value) != 2)
			continue;
		if (!strcmp(name, plus))
			sum += value;
		else if (minus && !strcmp(name, minus))
			sum -= value;
	}
	if (f)
		fclose(f);
	return sum;
}

static void count_detached(const struct nlmsghdr *nl, void *arg)
{
	const struct nlattr *at[POOL_ATTRS];

	genl_index_attrs(nl, at, POOL_ATTRS);
	*(unsigned int *)arg += at[POOL_DETACH_TIME] ? 1 : 0;
}

/* Of a network namespace that is no more, they are listed with the loopback device of this one */
static unsigned int detached_pools(void)
{
	unsigned int n = 0;
	struct genl g;

	if (genl_open(&g) || genl_dump(&g, NETDEV_PAGE_POOL_GET, count_detached, &n))
		n = ~0u;
	genl_close(&g);
	return n;
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	/* not there is as good: nothing to flush */
	if (fd >= 0 && write(fd, text, strlen(text)) < 0)
		perror(path);
	if (fd >= 0)
		close(fd);
}

static long long free_now(void)
{
	put("/proc/sys/vm/drop_caches", "3");
	return read_counts("/proc/meminfo", "MemFree:", NULL);
}

/**
 * watch_free_kb() - memory that is free, or would be if asked for
 *
 * What work items and RCU still hold is waited for: the most that is seen in a while.
 *
 * Return: kB.
 */
long long watch_free_kb(void)
{
	long long kb, most = free_now();

	for (unsigned int calm = 0; calm < FREE_SAMPLES; calm++) {
		life_nap_us(30000);
		kb = free_now();
		if (kb > most) {
			most = kb;
			calm = 0;
		}
	}
	return most;
}

static long long pins(void)
{
	/* processors count for themselves for a while */
	put("/proc/sys/vm/stat_refresh", "1");
	return read_counts("/proc/vmstat", "nr_foll_pin_acquired", "nr_foll_pin_released");
}

/**
 * watch_take() - how it is now
 * @w: out
 */
void watch_take(struct watch *w)
{
	w->pins = pins();
	w->detached = detached_pools();
}

/**
 * watch_settled() - wait until pins and page pools are what they were
 * @before: how it was
 * @ms: for how long at most; all of it is released by work items and RCU, not at once
 * @why: out: what is left, in words
 * @size: of @why
 *
 * Return: whether they are.
 */
bool watch_settled(const struct watch *before, unsigned int ms, char *why, size_t size)
{
	uint64_t end = life_now_ms() + ms;
	unsigned int waiting;
	long long pinned;

	for (;;) {
		pinned = pins() - before->pins;
		waiting = detached_pools();
		if (!pinned && waiting <= before->detached)
			return true;
		if (life_now_ms() >= end)
			break;
		life_nap_us(2000);
	}
	snprintf(why, size, "%lld pages are still pinned, %u page pools wait", pinned, waiting);
	return false;
}

/**
 * life_now_ms() - the time
 *
 * Return: milliseconds since boot.
 */
uint64_t life_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/**
 * life_nap_us() - sleep
 * @us: microseconds
 */
void life_nap_us(unsigned int us)
{
	const struct timespec ts = { .tv_sec = us / 1000000, .tv_nsec = (long)(us % 1000000) * 1000 };

	nanosleep(&ts, NULL);
}
