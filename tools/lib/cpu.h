/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processor time, of the process and of the whole machine. */
#ifndef CPU_H
#define CPU_H

#include <stdint.h>

/**
 * struct cpu_sample - clocks and counters at one moment, or their differences
 * @wall_ns: CLOCK_MONOTONIC
 * @user_us: this process in user mode
 * @sys_us: this process in the kernel
 * @switches: context switches of this process
 * @all_user_us: all processors in user mode, nice included
 * @all_sys_us: all processors in the kernel on behalf of a process
 * @all_irq_us: all processors in interrupts, soft ones included
 *
 * The process is not charged for what the network stack does in softirq, nor
 * for the kernel threads that work for it; the whole machine is, but also for
 * everything else that runs on it. On a machine that does nothing else, or a
 * guest with one processor, the machine's figure is the true one. Its
 * resolution is a clock tick (1/HZ seconds).
 */
struct cpu_sample {
	uint64_t wall_ns;
	uint64_t user_us;
	uint64_t sys_us;
	uint64_t switches;
	uint64_t all_user_us;
	uint64_t all_sys_us;
	uint64_t all_irq_us;
};

/* Processors that are told apart; work on others is not counted */
#define CPU_PLACES	1024

/**
 * struct cpu_places - on which processors something was seen
 * @seen: how often on each
 */
struct cpu_places {
	uint32_t seen[CPU_PLACES];
};

/**
 * struct cpu_irq - the interrupt of a queue
 * @number: as in /proc/interrupts, negative when it is not known
 * @name: as there
 * @cpus: processors that take it, a list as of cpuset(7)
 */
struct cpu_irq {
	int number;
	char name[48];
	char cpus[48];
};

void cpu_seen(struct cpu_places *p, int cpu);
void cpu_places_add(struct cpu_places *sum, const struct cpu_places *p);
void cpu_queue_irq(struct cpu_irq *irq, const char *iface, unsigned int queue);

uint64_t clock_ns(void);
void cpu_sample(struct cpu_sample *s);
struct cpu_sample cpu_since(const struct cpu_sample *then, const struct cpu_sample *now);
double cpu_us_per_mb(uint64_t us, uint64_t bytes);

static inline uint64_t cpu_process_us(const struct cpu_sample *s)
{
	return s->user_us + s->sys_us;
}

static inline uint64_t cpu_machine_us(const struct cpu_sample *s)
{
	return s->all_user_us + s->all_sys_us + s->all_irq_us;
}

#endif
