/* SPDX-License-Identifier: GPL-2.0 */
#ifndef IOU_ZC_RX_RING_H
#define IOU_ZC_RX_RING_H

#include <linux/io_uring/zc_rx.h>
#include <linux/types.h>

#define IO_RBUF_MAX_RQ_ENTRIES	32768
#define IO_RBUF_MAX_CQ_ENTRIES	65536

/*
 * What kernel and user share ahead of the entries. Each index has one writer,
 * and a cache line of its own: the refill ring is drained by NAPI on another
 * CPU than the one that fills it.
 */
struct io_rbuf_hdr {
	u32 rq_head __aligned(64);
	u32 rq_tail __aligned(64);
	u32 cq_head __aligned(64);
	u32 cq_tail __aligned(64);
	struct io_uring_zc_rx_stats stats __aligned(64);
} __aligned(64);

/**
 * struct io_rbuf_rings - the refill and completion ring of an ifq
 * @hdr: shared header
 * @rqes: refill entries
 * @cqes: completion entries
 * @rq_entries: number of refill entries, a power of two
 * @cq_entries: number of completion entries, a power of two
 * @rq_head: refill entries consumed, the truth behind hdr->rq_head
 * @cq_tail: completion entries written, ahead of hdr->cq_tail until published
 * @pages: the memory of all of it
 * @nr_pages: length of @pages
 */
struct io_rbuf_rings {
	struct io_rbuf_hdr *hdr;
	struct io_uring_rbuf_rqe *rqes;
	struct io_uring_rbuf_cqe *cqes;
	u32 rq_entries;
	u32 cq_entries;
	u32 rq_head;
	u32 cq_tail;
	struct page **pages;
	unsigned short nr_pages;
};

int io_rbuf_rings_alloc(struct io_rbuf_rings *r, u32 rq_entries,
			u32 cq_entries);
void io_rbuf_rings_free(struct io_rbuf_rings *r);
void io_rbuf_rings_describe(const struct io_rbuf_rings *r,
			    struct io_uring_zc_rx_ifq_reg *reg);

u32 io_rbuf_rq_ready(const struct io_rbuf_rings *r);
void io_rbuf_rq_next(struct io_rbuf_rings *r, struct io_uring_rbuf_rqe *rqe);
void io_rbuf_rq_commit(struct io_rbuf_rings *r);

u32 io_rbuf_cq_space(const struct io_rbuf_rings *r);
void io_rbuf_cq_put(struct io_rbuf_rings *r,
		    const struct io_uring_rbuf_cqe *cqe);
void io_rbuf_cq_publish(struct io_rbuf_rings *r);

#endif
