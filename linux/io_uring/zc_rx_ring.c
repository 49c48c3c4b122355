// SPDX-License-Identifier: GPL-2.0
/*
 * The rings that an ifq shares with its user: in the refill ring the user
 * gives memory back, in the completion ring it learns where data is. Nothing
 * that the user can write is trusted: indices are taken as distances and
 * masked, entries are read once.
 */
#include <linux/build_bug.h>
#include <linux/io_uring_types.h>
#include <linux/mm.h>
#include <linux/overflow.h>

#include "io_uring.h"
#include "memmap.h"
#include "zc_rx_ring.h"

/**
 * io_rbuf_rings_alloc - allocate both rings, empty
 * @r: rings, all zero
 * @rq_entries: refill entries, a power of two up to IO_RBUF_MAX_RQ_ENTRIES
 * @cq_entries: completion entries, likewise up to IO_RBUF_MAX_CQ_ENTRIES
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int io_rbuf_rings_alloc(struct io_rbuf_rings *r, u32 rq_entries, u32 cq_entries)
{
	size_t rq_size = array_size(rq_entries, sizeof(*r->rqes));
	size_t cq_size = array_size(cq_entries, sizeof(*r->cqes));
	size_t size = size_add(sizeof(*r->hdr), size_add(rq_size, cq_size));
	void *mem;

	/* the mapping's offsets are 32 bit wide, its pages counted in 16 */
	static_assert(sizeof(struct io_rbuf_hdr) +
		      IO_RBUF_MAX_RQ_ENTRIES * sizeof(struct io_uring_rbuf_rqe) +
		      IO_RBUF_MAX_CQ_ENTRIES * sizeof(struct io_uring_rbuf_cqe) <
		      (size_t)U16_MAX * PAGE_SIZE);

	mem = io_pages_map(&r->pages, &r->nr_pages, size);
	if (IS_ERR(mem))
		return PTR_ERR(mem);

	r->hdr = mem;
	r->rqes = mem + sizeof(*r->hdr);
	r->cqes = (void *)r->rqes + rq_size;
	r->rq_entries = rq_entries;
	r->cq_entries = cq_entries;
	return 0;
}

/**
 * io_rbuf_rings_free - free what io_rbuf_rings_alloc() allocated
 * @r: rings; may be all zero
 *
 * Pages that a user still has mapped live on until it unmaps them.
 *
 * Context: process, may sleep.
 */
void io_rbuf_rings_free(struct io_rbuf_rings *r)
{
	io_pages_unmap(r->hdr, &r->pages, &r->nr_pages, true);
	memset(r, 0, sizeof(*r));
}

/**
 * io_rbuf_rings_describe - tell the user where things are in the mapping
 * @r: rings
 * @reg: registration argument, gets rq_off, cq_off, stats_off and mmap_sz
 */
void io_rbuf_rings_describe(const struct io_rbuf_rings *r,
			    struct io_uring_zc_rx_ifq_reg *reg)
{
	reg->mmap_sz = (u64)r->nr_pages << PAGE_SHIFT;
	reg->rq_off = (struct io_rbuf_rqring_offsets) {
		.head = offsetof(struct io_rbuf_hdr, rq_head),
		.tail = offsetof(struct io_rbuf_hdr, rq_tail),
		.rqes = (void *)r->rqes - (void *)r->hdr,
	};
	reg->cq_off = (struct io_rbuf_cqring_offsets) {
		.head = offsetof(struct io_rbuf_hdr, cq_head),
		.tail = offsetof(struct io_rbuf_hdr, cq_tail),
		.cqes = (void *)r->cqes - (void *)r->hdr,
	};
	reg->stats_off = offsetof(struct io_rbuf_hdr, stats);
}

/**
 * io_rbuf_rq_ready - how many refill entries the user has written
 * @r: rings
 *
 * Context: any; callers of the io_rbuf_rq functions exclude each other.
 * Return: entries that io_rbuf_rq_next() may read. A tail that runs more than
 * a ring ahead is cut to a ring's length: the user has overwritten its own
 * entries.
 */
u32 io_rbuf_rq_ready(const struct io_rbuf_rings *r)
{
	/* pairs with the user's release of the tail: entries are complete */
	u32 ready = smp_load_acquire(&r->hdr->rq_tail) - r->rq_head;

	return min(ready, r->rq_entries);
}

/**
 * io_rbuf_rq_next - read the next refill entry
 * @r: rings
 * @rqe: out: a copy, which the user can no longer change
 */
void io_rbuf_rq_next(struct io_rbuf_rings *r, struct io_uring_rbuf_rqe *rqe)
{
	const struct io_uring_rbuf_rqe *shared;
	int i;

	shared = &r->rqes[r->rq_head++ & (r->rq_entries - 1)];
	rqe->off = READ_ONCE(shared->off);
	rqe->len = READ_ONCE(shared->len);
	rqe->region = READ_ONCE(shared->region);
	for (i = 0; i < ARRAY_SIZE(rqe->__pad); i++)
		rqe->__pad[i] = READ_ONCE(shared->__pad[i]);
}

/**
 * io_rbuf_rq_commit - let the user write over the entries read so far
 * @r: rings
 */
void io_rbuf_rq_commit(struct io_rbuf_rings *r)
{
	/* pairs with the user's acquire of the head: entries were read */
	smp_store_release(&r->hdr->rq_head, r->rq_head);
}

/**
 * io_rbuf_cq_space - how many completion entries can be written
 * @r: rings
 *
 * Context: callers of the io_rbuf_cq functions exclude each other.
 * Return: free entries; 0 if the user's head makes no sense.
 */
u32 io_rbuf_cq_space(const struct io_rbuf_rings *r)
{
	/* pairs with the user's release of the head: entries were read */
	u32 used = r->cq_tail - smp_load_acquire(&r->hdr->cq_head);

	return r->cq_entries - min(used, r->cq_entries);
}

/**
 * io_rbuf_cq_put - write a completion entry, not visible yet
 * @r: rings, with io_rbuf_cq_space()
 * @cqe: entry
 */
void io_rbuf_cq_put(struct io_rbuf_rings *r,
		    const struct io_uring_rbuf_cqe *cqe)
{
	r->cqes[r->cq_tail++ & (r->cq_entries - 1)] = *cqe;
}

/**
 * io_rbuf_cq_publish - make the completion entries written so far visible
 * @r: rings
 */
void io_rbuf_cq_publish(struct io_rbuf_rings *r)
{
	/* pairs with the user's acquire of the tail: entries are complete */
	smp_store_release(&r->hdr->cq_tail, r->cq_tail);
}
