// SPDX-License-Identifier: GPL-2.0-or-later
#include "rbuf_ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/**
 * rbuf_refill_init() - take up the refill ring
 * @r: the ring
 * @map: start of the mapping
 * @off: offsets, as the registration returned them
 * @entries: number of entries, a power of two
 * @buffers: how many there are: so many can wait without another allocation
 *
 * Return: 0, -ENOMEM; rbuf_refill_free() in either case.
 */
int rbuf_refill_init(struct rbuf_refill *r, void *map, const struct io_rbuf_rqring_offsets *off,
		     uint32_t entries, uint64_t buffers)
{
	char *base = map;
	uint32_t room = 1;

	*r = (struct rbuf_refill){
		.khead = (uint32_t *)(base + off->head),
		.ktail = (uint32_t *)(base + off->tail),
		.rqes = (struct rbuf_slot *)(base + off->rqes),
		.mask = entries - 1,
	};
	r->tail = *r->ktail;
	while (room < buffers)
		room *= 2;
	r->wait = calloc(room, sizeof(*r->wait));
	if (!r->wait)
		return -ENOMEM;
	r->wait_cap = room;
	return 0;
}

/**
 * rbuf_refill_free() - free what the ring needed in user space
 * @r: the ring
 */
void rbuf_refill_free(struct rbuf_refill *r)
{
	free(r->wait);
	r->wait = NULL;
	r->wait_cap = 0;
}

static bool refill_try(struct rbuf_refill *r, const struct rbuf_slot *rqe)
{
	/* pairs with the kernel's release: it has read what it moved its head over */
	uint32_t head = __atomic_load_n(r->khead, __ATOMIC_ACQUIRE);

	if (r->tail - head > r->mask)
		return false;
	r->rqes[r->tail++ & r->mask] = *rqe;
	return true;
}

/**
 * rbuf_refill_waiting() - do entries wait for room in the ring?
 * @r: the ring
 *
 * Return: true if rbuf_refill_publish() has to be called again.
 */
bool rbuf_refill_waiting(const struct rbuf_refill *r)
{
	return r->wait_head != r->wait_tail;
}

static int wait_grow(struct rbuf_refill *r)
{
	uint32_t used = r->wait_tail - r->wait_head;
	uint32_t cap = 2 * r->wait_cap;
	struct rbuf_slot *bigger = calloc(cap, sizeof(*bigger));

	if (!bigger)
		return -ENOMEM;
	for (uint32_t i = 0; i < used; i++)
		bigger[i] = r->wait[(r->wait_head + i) & (r->wait_cap - 1)];
	free(r->wait);
	r->wait = bigger;
	r->wait_cap = cap;
	r->wait_head = 0;
	r->wait_tail = used;
	return 0;
}

/**
 * rbuf_refill_put() - give a buffer back, with rbuf_refill_publish() to come
 * @r: the ring
 * @rqe: the entry, a struct io_uring_rbuf_rqe or struct zcrx_rqe
 *
 * An entry that finds the ring full waits in memory: a buffer that is not given
 * back is lost to the NIC for as long as the ifq lives. More than there are buffers
 * may wait, if parts of them came each for itself: that takes more memory.
 *
 * Return: 0, -ENOMEM.
 */
int rbuf_refill_put(struct rbuf_refill *r, const void *rqe)
{
	struct rbuf_slot slot;
	int err;

	memcpy(&slot, rqe, sizeof(slot));
	if (!rbuf_refill_waiting(r) && refill_try(r, &slot))
		return 0;
	if (r->wait_tail - r->wait_head == r->wait_cap) {
		err = wait_grow(r);
		if (err)
			return err;
	}
	r->wait[r->wait_tail++ & (r->wait_cap - 1)] = slot;
	r->waited++;
	return 0;
}

/**
 * rbuf_refill_publish() - let the kernel see what was put, those that waited first
 * @r: the ring
 */
void rbuf_refill_publish(struct rbuf_refill *r)
{
	while (rbuf_refill_waiting(r) && refill_try(r, &r->wait[r->wait_head & (r->wait_cap - 1)]))
		r->wait_head++;
	if (r->tail != *r->ktail)
		__atomic_store_n(r->ktail, r->tail, __ATOMIC_RELEASE);
}

/**
 * rbuf_cq_init() - take up the completion ring
 * @cq: the ring
 * @map: start of the mapping
 * @off: offsets, as the registration returned them
 * @entries: number of entries, a power of two
 */
void rbuf_cq_init(struct rbuf_cq *cq, void *map,
		  const struct io_rbuf_cqring_offsets *off, uint32_t entries)
{
	char *base = map;

	*cq = (struct rbuf_cq){
		.khead = (uint32_t *)(base + off->head),
		.ktail = (uint32_t *)(base + off->tail),
		.cqes = (const struct io_uring_rbuf_cqe *)(base + off->cqes),
		.mask = entries - 1,
	};
	cq->head = *cq->khead;
}

/**
 * rbuf_cq_take() - the entries of one completion
 * @cq: the ring
 * @bytes: res of the completion
 * @out: the entries, in stream order
 * @room: how many fit into @out
 *
 * The kernel publishes the entries before the completion, and groups have the
 * order of completions; so they are at the head, and their lengths add up.
 *
 * Return: number of entries, -EPROTO when they do not add up to @bytes.
 */
int rbuf_cq_take(struct rbuf_cq *cq, uint32_t bytes, struct io_uring_rbuf_cqe *out,
		 uint32_t room)
{
	uint32_t tail = __atomic_load_n(cq->ktail, __ATOMIC_ACQUIRE);
	uint32_t n = 0;

	while (bytes) {
		if (cq->head == tail || n == room)
			return -EPROTO;
		out[n] = cq->cqes[cq->head & cq->mask];
		if (!out[n].len || out[n].len > bytes)
			return -EPROTO;
		bytes -= out[n].len;
		cq->head++;
		n++;
	}
	__atomic_store_n(cq->khead, cq->head, __ATOMIC_RELEASE);
	return (int)n;
}
