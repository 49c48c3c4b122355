// SPDX-License-Identifier: GPL-2.0-or-later
#include "cpu.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/**
 * clock_ns() - time that only moves forward
 *
 * Return: nanoseconds of CLOCK_MONOTONIC.
 */
uint64_t clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static uint64_t timeval_us(const struct timeval *tv)
{
	return (uint64_t)tv->tv_sec * 1000000 + (uint64_t)tv->tv_usec;
}

/* First line of /proc/stat, proc(5): user nice system idle iowait irq softirq */
static void sample_machine(struct cpu_sample *s)
{
	unsigned long long user, nice, system, irq, softirq;
	uint64_t tick_us = 1000000 / (uint64_t)sysconf(_SC_CLK_TCK);
	FILE *f = fopen("/proc/stat", "re");

	if (!f)
		return;
	if (fscanf(f, "cpu %llu %llu %llu %*u %*u %llu %llu", &user, &nice, &system, &irq,
		   &softirq) == 5) {
		s->all_user_us = (user + nice) * tick_us;
		s->all_sys_us = system * tick_us;
		s->all_irq_us = (irq + softirq) * tick_us;
	}
	fclose(f);
}

/**
 * cpu_sample() - read all clocks
 * @s: filled
 */
void cpu_sample(struct cpu_sample *s)
{
	struct rusage ru;

	*s = (struct cpu_sample){ .wall_ns = clock_ns() };
	if (!getrusage(RUSAGE_SELF, &ru)) {
		s->user_us = timeval_us(&ru.ru_utime);
		s->sys_us = timeval_us(&ru.ru_stime);
		s->switches = (uint64_t)(ru.ru_nvcsw + ru.ru_nivcsw);
	}
	sample_machine(s);
}

/**
 * cpu_since() - what passed between two samples
 * @then: the earlier one
 * @now: the later one
 *
 * Return: the differences.
 */
struct cpu_sample cpu_since(const struct cpu_sample *then, const struct cpu_sample *now)
{
	return (struct cpu_sample){
		.wall_ns = now->wall_ns - then->wall_ns,
		.user_us = now->user_us - then->user_us,
		.sys_us = now->sys_us - then->sys_us,
		.switches = now->switches - then->switches,
		.all_user_us = now->all_user_us - then->all_user_us,
		.all_sys_us = now->all_sys_us - then->all_sys_us,
		.all_irq_us = now->all_irq_us - then->all_irq_us,
	};
}

/**
 * cpu_us_per_mb() - price of a megabyte
 * @us: processor time, microseconds
 * @bytes: what it bought
 *
 * Return: microseconds for 2^20 bytes, 0 for none.
 */
double cpu_us_per_mb(uint64_t us, uint64_t bytes)
{
	return bytes ? (double)us * (1 << 20) / (double)bytes : 0.0;
}

/**
 * cpu_seen() - count a sample
 * @p: the places
 * @cpu: processor, negative when it is not known
 */
void cpu_seen(struct cpu_places *p, int cpu)
{
	if (cpu >= 0 && cpu < CPU_PLACES)
		p->seen[cpu]++;
}

/**
 * cpu_places_add() - take samples into others
 * @sum: the others
 * @p: the samples
 */
void cpu_places_add(struct cpu_places *sum, const struct cpu_places *p)
{
	for (unsigned int i = 0; i < CPU_PLACES; i++)
		sum->seen[i] += p->seen[i];
}

/* Drivers that name interrupts by interface end the name with the queue: eth0-TxRx-3 */
static bool names_queue(const char *name, const char *iface, unsigned int queue)
{
	size_t len = strlen(iface);
	const char *dash = strrchr(name, '-');
	unsigned int n;
	char end;

	return !strncmp(name, iface, len) && name[len] == '-' && dash > name + len &&
	       sscanf(dash, "-%u%c", &n, &end) == 1 && n == queue && !strstr(name, "-tx-");
}

static void read_irq_cpus(struct cpu_irq *irq)
{
	static const char *const files[] = { "effective_affinity_list", "smp_affinity_list" };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && !irq->cpus[0]; i++) {
		char path[64];
		FILE *f;

		snprintf(path, sizeof(path), "/proc/irq/%d/%s", irq->number, files[i]);
		f = fopen(path, "re");
		if (!f)
			continue;
		if (fscanf(f, "%47s", irq->cpus) != 1)
			irq->cpus[0] = '\0';
		fclose(f);
	}
}

/**
 * cpu_queue_irq() - find the interrupt of a queue
 * @irq: what was found
 * @iface: network interface
 * @queue: its RX queue
 */
void cpu_queue_irq(struct cpu_irq *irq, const char *iface, unsigned int queue)
{
	FILE *f = fopen("/proc/interrupts", "re");
	char *line = NULL;
	size_t size = 0;

	*irq = (struct cpu_irq){ .number = -1 };
	while (f && irq->number < 0 && getline(&line, &size, f) > 0) {
		char *name;
		int number;

		line[strcspn(line, "\n")] = '\0';
		name = strrchr(line, ' ');
		if (!name || sscanf(line, " %d:", &number) != 1 ||
		    !names_queue(name + 1, iface, queue))
			continue;
		irq->number = number;
		snprintf(irq->name, sizeof(irq->name), "%s", name + 1);
	}
	free(line);
	if (f)
		fclose(f);
	if (irq->number >= 0)
		read_irq_cpus(irq);
}
