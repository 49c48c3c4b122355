/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * User space's ends of the two rings that an ifq shares with the kernel.
 *
 * Head and tail run freely over 32 bits; a slot is index & mask. Whoever
 * publishes entries releases its index after writing them, and whoever takes
 * them acquires that index before reading.
 */
#ifndef RBUF_RING_H
#define RBUF_RING_H

#include <linux/io_uring/zc_rx.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * struct rbuf_slot - a refill entry, of this series or of Linux 6.15 and later
 * @words: its bytes
 *
 * The two have nothing in common but their size, and the ring cares for no more.
 */
struct rbuf_slot {
	uint32_t words[4];
};

_Static_assert(sizeof(struct io_uring_rbuf_rqe) == sizeof(struct rbuf_slot), "entries of one size");

/**
 * struct rbuf_refill - the refill ring, and those that wait for room in it
 * @khead: shared: what the kernel has taken
 * @ktail: shared: what we have published
 * @rqes: shared: entries
 * @mask: number of entries - 1
 * @tail: entries written, published or not
 * @wait: entries that found the ring full, oldest at @wait_head
 * @wait_cap: room in @wait, a power of two
 * @wait_head: oldest that waits, runs freely
 * @wait_tail: after the newest that waits, runs freely
 * @waited: how often an entry had to wait
 */
struct rbuf_refill {
	uint32_t *khead;
	uint32_t *ktail;
	struct rbuf_slot *rqes;
	uint32_t mask;
	uint32_t tail;
	struct rbuf_slot *wait;
	uint32_t wait_cap;
	uint32_t wait_head;
	uint32_t wait_tail;
	uint64_t waited;
};

/**
 * struct rbuf_cq - the completion ring
 * @khead: shared: what we have taken
 * @ktail: shared: what the kernel has published
 * @cqes: shared: entries
 * @mask: number of entries - 1
 * @head: entries taken, published or not
 */
struct rbuf_cq {
	uint32_t *khead;
	uint32_t *ktail;
	const struct io_uring_rbuf_cqe *cqes;
	uint32_t mask;
	uint32_t head;
};

int rbuf_refill_init(struct rbuf_refill *r, void *map, const struct io_rbuf_rqring_offsets *off,
		     uint32_t entries, uint64_t buffers);
void rbuf_refill_free(struct rbuf_refill *r);
int rbuf_refill_put(struct rbuf_refill *r, const void *rqe);
void rbuf_refill_publish(struct rbuf_refill *r);
bool rbuf_refill_waiting(const struct rbuf_refill *r);

void rbuf_cq_init(struct rbuf_cq *cq, void *map,
		  const struct io_rbuf_cqring_offsets *off, uint32_t entries);
int rbuf_cq_take(struct rbuf_cq *cq, uint32_t bytes, struct io_uring_rbuf_cqe *out,
		 uint32_t room);

#endif
