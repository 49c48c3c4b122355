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
