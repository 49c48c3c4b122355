/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of io_uring zero copy receive share: a small io_uring of its
 * own, so that no library has to know the opcodes, an interface queue, and TCP
 * connections over loopback.
 *
 * Loopback has no buffers of the interface queue, so that all of the data is
 * copied into the region. Rings, references of the user, requests and their
 * completions are the same as with data that the device has put there, and no
 * second machine is needed.
 *
 * Environment:
 *	NETIF		the interface; without it the tests are skipped
 *	ZC_RX_QUEUE	its receive queue, default is the last one
 *	ZC_RX_DISRUPT	1: also test what takes the interface down for a moment
 *	ZC_RX_SLOW	how many times longer waits may take, default is 1
 *
 * Functions return 0 or a positive value when all is well and -errno else.
 */
#ifndef ZC_RX_LIB_H
#define ZC_RX_LIB_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>
#include <linux/io_uring.h>
#include <linux/io_uring/zc_rx.h>

#define ARRAY_LEN(a)	(sizeof(a) / sizeof((a)[0]))

/* What registration wants of a ring */
#define ZC_RING_FLAGS	(IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SINGLE_ISSUER)

/**
 * struct zc_target - the queue under test
 * @name: interface
 * @ifindex: of @name
 * @queue: receive queue
 * @queues: how many there are
 * @page: size of a page in bytes
 * @slow: factor for limits of time
 * @disrupt: the interface may go down for a moment
 */
struct zc_target {
	const char *name;
	unsigned int ifindex;
	unsigned int queue;
	unsigned int queues;
	unsigned int page;
	unsigned int slow;
	bool disrupt;
};

extern struct zc_target target;

/**
 * struct zc_ring - an io_uring
 * @fd: descriptor, -1 when closed
 * @sq_map: submission and completion ring
 * @sq_size: length of @sq_map in bytes
 * @sqes: submission entries
 * @sqes_size: length of @sqes in bytes
 * @sq_tail: shared
 * @sq_mask: entries - 1
 * @queued: entries taken since the last submission
 * @cq_head: shared
 * @cq_tail: shared
 * @cq_mask: entries - 1
 * @cqes: completions
 */
struct zc_ring {
	int fd;
	void *sq_map;
	size_t sq_size;
	struct io_uring_sqe *sqes;
	size_t sqes_size;
	uint32_t *sq_tail;
	uint32_t sq_mask;
	uint32_t queued;
	uint32_t *cq_head;
	uint32_t *cq_tail;
	uint32_t cq_mask;
	struct io_uring_cqe *cqes;
};

/**
 * struct zc - a ring, a region, and an interface queue
 * @ring: the ring
 * @region: memory that is registered as buffer 0, or NULL
 * @region_size: its length in bytes
 * @second: where in @region buffer 1 begins, bytes; 0: there is none, and
 *	buffer 0 is all of it
 * @reg: argument of the registration and what it returned
 * @reason: what the kernel says when it refuses
 * @map: the queue's rings, or NULL
 */
struct zc {
	struct zc_ring ring;
	uint8_t *region;
	size_t region_size;
	size_t second;
	struct io_uring_zc_rx_ifq_reg reg;
	char reason[128];
	char *map;
};

/**
 * struct zc_stream - what a connection has sent and what was seen of it
 * @rx: the receiver's socket
 * @tx: the sender's, does not block
 * @sent: bytes sent
 * @seen: bytes received and compared
 * @wrong: what was the matter with one of them, or NULL
 */
struct zc_stream {
	int rx;
	int tx;
	uint64_t sent;
	uint64_t seen;
	const char *wrong;
};

int zc_main(int argc, char **argv, int (*run)(int argc, char **argv));

int zc_ring_open(struct zc_ring *r, unsigned int flags, unsigned int cq_entries);
void zc_ring_close(struct zc_ring *r);
struct io_uring_sqe *zc_sqe(struct zc_ring *r);
int zc_submit(struct zc_ring *r);
bool zc_cqe_ready(const struct zc_ring *r);
int zc_cqe(struct zc_ring *r, struct io_uring_cqe *cqe);
int zc_cqe_within(struct zc_ring *r, struct io_uring_cqe *cqe, unsigned int ms);
int zc_buffers(struct zc_ring *r, const struct iovec *iov, unsigned int nr);

void zc_none(struct zc *z);
int zc_region(struct zc *z, size_t size);
void zc_defaults(struct zc *z);
int zc_prepare(struct zc *z);
int zc_register(struct zc *z);
int zc_ctrl(struct zc *z, uint32_t op, uint32_t region);
int zc_ctrl_raw(struct zc *z, const struct io_uring_zc_rx_ctrl *ctrl, unsigned int nr);
int zc_bind(struct zc *z, uint32_t rq_entries, uint32_t cq_entries);
int zc_map(struct zc *z);
int zc_open(struct zc *z, uint32_t rq_entries, uint32_t cq_entries);
int zc_open_two(struct zc *z, uint32_t rq_entries, uint32_t cq_entries);
void zc_unmap(struct zc *z);
void zc_close(struct zc *z);

uint32_t *zc_at(const struct zc *z, uint32_t off);
const struct io_uring_zc_rx_stats *zc_stats(const struct zc *z);
const struct io_uring_rbuf_cqe *zc_peek(const struct zc *z, uint32_t ahead);
void zc_put(struct zc *z, const struct io_uring_rbuf_rqe *rqe);
void zc_give(struct zc *z, uint32_t off);
void zc_give_to(struct zc *z, uint16_t region, uint32_t off);
int zc_take(struct zc *z, struct zc_stream *s, int bytes, bool give);

struct io_uring_sqe *zc_recv(struct zc *z, int fd, uint32_t limit, unsigned int ioprio);
int zc_recv_all(struct zc *z, struct zc_stream *s, uint32_t limit);

int zc_connect(struct zc_stream *s);
void zc_disconnect(struct zc_stream *s);
size_t zc_send(struct zc_stream *s, size_t len);

long zc_pinned(void);
bool zc_unpinned(void);
void zc_nap(unsigned int us);

#endif
