// SPDX-License-Identifier: GPL-2.0-or-later
/* What receivers have received, and the sums of that. */
#include "receiver.h"

/* All of them are numbers of 64 bits */
#define COUNTERS	(sizeof(struct io_uring_zc_rx_stats) / sizeof(uint64_t))

union counters {
	struct io_uring_zc_rx_stats k;
	uint64_t at[COUNTERS];
};

static void add_kernel(struct io_uring_zc_rx_stats *sum, const struct io_uring_zc_rx_stats *k)
{
	union counters a = { .k = *sum }, b = { .k = *k };

	for (unsigned int i = 0; i < COUNTERS; i++)
		a.at[i] += b.at[i];
	*sum = a.k;
}

/**
 * tally_kernel() - what the kernel has counted since a receiver began
 * @r: the receiver; called in its thread
 *
 * Return: the differences.
 */
struct io_uring_zc_rx_stats tally_kernel(const struct receiver *r)
{
	union counters now, before = { .k = r->kernel };

	zcrx_counters(r->backend, &now.k);
	for (unsigned int i = 0; i < COUNTERS; i++)
		now.at[i] -= before.at[i];
	return now.k;
}

/**
 * tally_add() - take what a receiver has received into a sum
 * @sum: the sum, with page and record of the receivers
 * @t: the receiver's
 */
void tally_add(struct tally *sum, const struct tally *t)
{
	rx_stats_add(&sum->stats, &t->stats);
	add_kernel(&sum->kernel, &t->kernel);
	sum->counted |= t->counted;
	if (t->first.wall_ns && (!sum->first.wall_ns || t->first.wall_ns < sum->first.wall_ns))
		sum->first = t->first;
	if (t->last.wall_ns > sum->last.wall_ns)
		sum->last = t->last;
	cpu_places_add(&sum->softirq, &t->softirq);
	cpu_places_add(&sum->program, &t->program);
	sum->connections += t->connections;
	sum->whole += t->whole;
	sum->failed += t->failed;
	sum->open += t->open;
	sum->greeted_zc += t->greeted_zc;
	sum->wrong |= t->wrong;
	sum->fatal |= t->fatal;
}

/* Nothing is ordered by these: they are for figures that people see pass by */
#define PUT(to, value)	atomic_store_explicit(&(to), (value), memory_order_relaxed)
#define GET(from)	atomic_load_explicit(&(from), memory_order_relaxed)

/**
 * progress_publish() - let the first receiver see how far this one is
 * @r: this one
 */
void progress_publish(struct receiver *r)
{
	PUT(r->progress.bytes, r->t.stats.bytes);
	PUT(r->progress.zc_bytes, r->t.stats.zc_bytes);
	PUT(r->progress.aligned_bytes, r->t.stats.aligned_bytes);
}

/**
 * progress_read() - how far is a receiver?
 * @r: the receiver
 *
 * Return: the sums that it published last, each at least as new as when one asked last.
 */
struct progress_seen progress_read(struct receiver *r)
{
	return (struct progress_seen){
		.bytes = GET(r->progress.bytes),
		.zc_bytes = GET(r->progress.zc_bytes),
		.aligned_bytes = GET(r->progress.aligned_bytes),
	};
}

/**
 * progress_add() - take sums into others
 * @sum: the others
 * @p: the sums
 */
void progress_add(struct progress_seen *sum, const struct progress_seen *p)
{
	sum->bytes += p->bytes;
	sum->zc_bytes += p->zc_bytes;
	sum->aligned_bytes += p->aligned_bytes;
}

/**
 * progress_since() - what came between two looks
 * @then: the earlier one
 * @now: the later one
 *
 * Return: the differences. They were not taken at one moment: a share is never more than
 * the whole.
 */
struct progress_seen progress_since(const struct progress_seen *then,
				    const struct progress_seen *now)
{
	struct progress_seen p = {
		.bytes = now->bytes - then->bytes,
		.zc_bytes = now->zc_bytes - then->zc_bytes,
		.aligned_bytes = now->aligned_bytes - then->aligned_bytes,
	};

	p.zc_bytes = p.zc_bytes < p.bytes ? p.zc_bytes : p.bytes;
	p.aligned_bytes = p.aligned_bytes < p.bytes ? p.aligned_bytes : p.bytes;
	return p;
}
