// SPDX-License-Identifier: GPL-2.0
/*
 * What /proc/PID/fdinfo/FD of a ring tells of its ifqs.
 */
#include <linux/io_uring_types.h>
#include <linux/seq_file.h>

#include "io_uring.h"
#include "zc_rx.h"

/* In the order of &struct io_uring_zc_rx_stats */
static const char *const io_zc_rx_stat_names[] = {
	"zc_bytes", "zc_frags",
	"copy_linear_bytes", "copy_linear_frags",
	"copy_foreign_bytes", "copy_foreign_frags",
	"copy_no_buffer", "alloc_fail", "cq_full", "bad_rqes",
	"copy_spare_bytes", "copy_spare_frags",
	"unbound",
};

static void io_zc_rx_show_stats(struct seq_file *m,
				const struct io_uring_zc_rx_stats *stats)
{
	const u64 *values = (const u64 *)stats;
	int i;

	static_assert(offsetof(struct io_uring_zc_rx_stats, __resv) ==
		      sizeof(u64) * ARRAY_SIZE(io_zc_rx_stat_names));

	/* some are written by NAPI: any value that they had will do */
	for (i = 0; i < ARRAY_SIZE(io_zc_rx_stat_names); i++)
		seq_printf(m, "       %s:%llu\n", io_zc_rx_stat_names[i],
			   data_race(values[i])); /* see above */
}

static void io_zc_rx_show_ifq(struct seq_file *m, struct io_zc_rx_ifq *ifq,
			      unsigned long idx)
{
	const struct io_rbuf_rings *r = &ifq->rings;
	struct io_zc_rx_region *region;
	unsigned long id;

	/* NAPI goes on meanwhile: this is what one look sees */
	seq_printf(m, "%5lu: ifindex:%u, queue:%u, bound:%d, requests:%u, rq:%u/%u, cq:%u/%u\n",
		   idx, ifq->ifindex, ifq->zc.queue_id,
		   !!READ_ONCE(ifq->netdev), ifq->nr_reqs,
		   /* rq_head is NAPI's */
		   data_race(io_rbuf_rq_ready(r)), r->rq_entries,
		   r->cq_entries - io_rbuf_cq_space(r), r->cq_entries);
	xa_for_each(&ifq->regions, id, region)
		seq_printf(m, "       region:%lu, pages:%u, free:%u\n", id,
			   region->pool.nr,
			   /* free_lock not taken: it was so a moment ago */
			   data_race(region->pool.nr_free));
	io_zc_rx_show_stats(m, &ifq->stats);
}

/**
 * io_zc_rx_show_fdinfo - list the ifqs of a ring
 * @m: where to
 * @ctx: ring
 *
 * Of the rings it tells what the other side has not taken yet, of the regions
 * how many pages nobody holds: neither the NIC, nor a socket, nor the user.
 *
 * Context: process, under uring_lock.
 */
void io_zc_rx_show_fdinfo(struct seq_file *m, struct io_ring_ctx *ctx)
{
	struct io_zc_rx_ifq *ifq;
	unsigned long idx;

	lockdep_assert_held(&ctx->uring_lock);

	if (xa_empty(&ctx->zc_rx_ifqs))
		return;
	seq_puts(m, "ZcRxIfqs:\n");
	xa_for_each(&ctx->zc_rx_ifqs, idx, ifq)
		io_zc_rx_show_ifq(m, ifq, idx);
}
