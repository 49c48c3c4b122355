// SPDX-License-Identifier: GPL-2.0-or-later
#include "races-recv.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE		4096u
#define RING_FLAGS	(IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_CQSIZE)

/**
 * races_ifq_region() - take memory to receive into
 * @q: interface queue, all zero
 * @pages: how much
 *
 * Return: 0, -errno.
 */
int races_ifq_region(struct races_ifq *q, uint32_t pages)
{
	q->ring.ring_fd = -1;
	q->region_size = (size_t)pages * PAGE;
	q->region = mmap(NULL, q->region_size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (q->region == MAP_FAILED) {
		q->region = NULL;
		return -errno;
	}
	return 0;
}

static int register_ifq(struct races_ifq *q, const char *iface, unsigned int queue, uint32_t region,
			uint32_t rq_entries, uint32_t cq_entries, int cpu)
{
	q->reg = (struct io_uring_zc_rx_ifq_reg){
		.if_idx = if_nametoindex(iface),
		.if_rxq_id = queue,
		.region_id = region,
		.rq_entries = rq_entries,
		.cq_entries = cq_entries,
		.flags = cpu >= 0 ? IORING_ZC_RX_IFQ_CPU : 0,
		.cpu = cpu >= 0 ? (uint16_t)cpu : 0,
	};
	if (!q->reg.if_idx)
		return -ENODEV;
	return syscall(__NR_io_uring_register, q->ring.ring_fd, IORING_REGISTER_ZC_RX_IFQ_NR, &q->reg, 1) ?
	       -errno : 0;
}

static int map_rings(struct races_ifq *q)
{
	void *map = mmap(NULL, q->reg.mmap_sz, PROT_READ | PROT_WRITE, MAP_SHARED, q->ring.ring_fd,
			 (off_t)q->reg.mmap_off);

	if (map == MAP_FAILED)
		return -errno;
	q->map = map;
	q->rq_tail = *races_ifq_at(q, q->reg.rq_off.tail);
	q->cq_head = *races_ifq_at(q, q->reg.cq_off.head);
	return 0;
}

/**
 * races_ifq_bind() - register an interface queue of a ring that there is
 * @q: interface queue with a ring
 * @iface: interface
 * @queue: receive queue
 * @region: index of the registered buffer to receive into
 * @rq_entries: of the refill ring, a power of two
 * @cq_entries: of the completion ring, likewise
 * @cpu: processor for the queue's interrupt, or -1
 *
 * Return: 0, -errno.
 */
int races_ifq_bind(struct races_ifq *q, const char *iface, unsigned int queue, uint32_t region,
		   uint32_t rq_entries, uint32_t cq_entries, int cpu)
{
	int ret = register_ifq(q, iface, queue, region, rq_entries, cq_entries, cpu);

	return ret ? ret : map_rings(q);
}

/**
 * races_ifq_open() - set up a ring, register the region and the interface queue
 * @q: interface queue with a region and no ring
 * @iface: interface
 * @queue: receive queue
 * @rq_entries: of the refill ring, a power of two
 * @cq_entries: of the completion ring, likewise
 * @cpu: processor for the queue's interrupt, or -1
 *
 * Return: 0, or -errno without a ring.
 */
int races_ifq_open(struct races_ifq *q, const char *iface, unsigned int queue, uint32_t rq_entries,
		   uint32_t cq_entries, int cpu)
{
	struct io_uring_params p = { .flags = RING_FLAGS, .cq_entries = cq_entries < 128 ? 128 : cq_entries };
	struct iovec iov = { q->region, q->region_size };
	int ret = io_uring_queue_init_params(64, &q->ring, &p);

	if (ret) {
		q->ring.ring_fd = -1;
		return ret;
	}
	ret = io_uring_register_buffers(&q->ring, &iov, 1);
	if (!ret)
		ret = races_ifq_bind(q, iface, queue, 0, rq_entries, cq_entries, cpu);
	if (ret)
		races_ifq_close(q);
	return ret;
}

/**
 * races_ifq_close() - close the ring; region and mapping stay
 * @q: interface queue
 */
void races_ifq_close(struct races_ifq *q)
{
	if (q->ring.ring_fd >= 0)
		io_uring_queue_exit(&q->ring);
	q->ring.ring_fd = -1;
}

/**
 * races_ifq_unmap() - unmap region and mapping
 * @q: interface queue
 */
void races_ifq_unmap(struct races_ifq *q)
{
	if (q->map)
		munmap(q->map, q->reg.mmap_sz);
	if (q->region)
		munmap(q->region, q->region_size);
	q->map = NULL;
	q->region = NULL;
}

/**
 * races_ifq_give() - give a piece back
 * @q: interface queue
 * @cqe: piece
 *
 * Return: false when the refill ring has no room.
 */
bool races_ifq_give(struct races_ifq *q, const struct io_uring_rbuf_cqe *cqe)
{
	struct io_uring_rbuf_rqe *rqes = (void *)(q->map + q->reg.rq_off.rqes);
	uint32_t head = __atomic_load_n(races_ifq_at(q, q->reg.rq_off.head), __ATOMIC_ACQUIRE);

	if (q->rq_tail - head >= q->reg.rq_entries)
		return false;
	rqes[q->rq_tail & (q->reg.rq_entries - 1)] = (struct io_uring_rbuf_rqe){
		.off = cqe->off,
		.len = cqe->len,
		.region = cqe->region,
	};
	__atomic_store_n(races_ifq_at(q, q->reg.rq_off.tail), ++q->rq_tail, __ATOMIC_RELEASE);
	return true;
}

/**
 * races_ifq_take() - the next piece of data
 * @q: interface queue
 * @cqe: out: the piece
 *
 * Return: whether there is one.
 */
bool races_ifq_take(struct races_ifq *q, struct io_uring_rbuf_cqe *cqe)
{
	const struct io_uring_rbuf_cqe *cqes = (const void *)(q->map + q->reg.cq_off.cqes);

	if (q->cq_head == __atomic_load_n(races_ifq_at(q, q->reg.cq_off.tail), __ATOMIC_ACQUIRE))
		return false;
	*cqe = cqes[q->cq_head & (q->reg.cq_entries - 1)];
	__atomic_store_n(races_ifq_at(q, q->reg.cq_off.head), ++q->cq_head, __ATOMIC_RELEASE);
	return true;
}
