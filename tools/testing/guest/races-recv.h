/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An interface queue as zc-races uses it: ring, region, rings of the ifq */
#ifndef RACES_RECV_H
#define RACES_RECV_H

#include <liburing.h>
#include <stdbool.h>
#include <stdint.h>

#include <linux/io_uring/zc_rx.h>

/* Not in the headers of liburing */
#define OP_RECV_ZC	58

/**
 * struct races_ifq - a ring with an interface queue
 * @ring: the ring; its descriptor is -1 when there is none
 * @region: the memory that is received into
 * @region_size: bytes of @region
 * @reg: registration
 * @map: mapping of the ifq's rings, or NULL
 * @rq_tail: our end of the refill ring
 * @cq_head: our end of the completion ring
 */
struct races_ifq {
	struct io_uring ring;
	uint8_t *region;
	size_t region_size;
	struct io_uring_zc_rx_ifq_reg reg;
	uint8_t *map;
	uint32_t rq_tail;
	uint32_t cq_head;
};

int races_ifq_region(struct races_ifq *q, uint32_t pages);
int races_ifq_bind(struct races_ifq *q, const char *iface, unsigned int queue, uint32_t region,
		   uint32_t rq_entries, uint32_t cq_entries, int cpu);
int races_ifq_open(struct races_ifq *q, const char *iface, unsigned int queue, uint32_t rq_entries,
		   uint32_t cq_entries, int cpu);
void races_ifq_close(struct races_ifq *q);
void races_ifq_unmap(struct races_ifq *q);

bool races_ifq_give(struct races_ifq *q, const struct io_uring_rbuf_cqe *cqe);
bool races_ifq_take(struct races_ifq *q, struct io_uring_rbuf_cqe *cqe);

static inline uint32_t *races_ifq_at(const struct races_ifq *q, uint32_t off)
{
	return (uint32_t *)(q->map + off);
}

#endif
