/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ways to receive from TCP sockets into one region of memory, behind one
 * interface. Whoever receives knows regions, pieces and events; rings, opcodes
 * and registrations are the backend's own matter.
 *
 * The life of a backend: probe, open, arm and watch sources, next until done,
 * give back every piece, close. Single threaded: one thread opens, uses and
 * closes it (io_uring's SINGLE_ISSUER rule).
 */
#ifndef BACKEND_H
#define BACKEND_H

#include <linux/io_uring/zc_rx.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define ZCRX_REASON_LEN	256

/* Linux registers a buffer of 1 GiB at most (io_uring/rsrc.c), this series 64 of them an ifq */
#define ZCRX_AREA_MAX	(1ULL << 30)
#define ZCRX_AREAS_MAX	64

/**
 * struct zcrx_config - what to receive with
 * @iface: network interface, NULL when the backend needs none
 * @queue: RX queue of @iface
 * @region_size: bytes of memory that receive data, a multiple of the page size
 * @area_size: what the kernel gets of the region as one, the last time the rest of it: bytes, a
 *	multiple of the page size up to ZCRX_AREA_MAX, at most ZCRX_AREAS_MAX of them; 0 for the most
 * @buf_len: bytes of a buffer that the NIC fills, a power of two; 0 for a page
 * @hugepages: take the region from hugetlbfs
 * @rq_entries: refill ring entries, a power of two
 * @cq_entries: completion ring entries, a power of two
 * @cpu: CPU for the queue's interrupt, -1 to leave it where it is
 * @busy_poll_us: let a wait look at the NIC's queue itself for so long, microseconds, 0 not
 * @gather_us: let zcrx_next() wait so long for more than the first event, microseconds
 */
struct zcrx_config {
	const char *iface;
	uint32_t queue;
	uint64_t region_size;
	uint64_t area_size;
	uint32_t buf_len;
	bool hugepages;
	uint32_t rq_entries;
	uint32_t cq_entries;
	int cpu;
	uint32_t busy_poll_us;
	uint32_t gather_us;
};

/**
 * zcrx_first_area() - how long the first area of a region is, and no other is longer
 * @cfg: the region
 *
 * Return: bytes.
 */
static inline uint64_t zcrx_first_area(const struct zcrx_config *cfg)
{
	uint64_t most = cfg->area_size ? cfg->area_size : ZCRX_AREA_MAX;

	return most < cfg->region_size ? most : cfg->region_size;
}

/* At which step something was refused; diagnostics are looked up by it */
enum zcrx_step {
	ZCRX_STEP_RING,		/* making the io_uring */
	ZCRX_STEP_REGION,	/* getting the memory */
	ZCRX_STEP_BUFFERS,	/* registering, and so pinning it */
	ZCRX_STEP_QUEUE,	/* binding the RX queue */
	ZCRX_STEP_MAP,		/* mapping the rings */
	ZCRX_STEP_LISTEN,	/* socket, bind, listen */
	ZCRX_STEP_RECEIVE,	/* receiving from a connection */
	ZCRX_STEP_SINK,		/* where the data goes */
	ZCRX_STEP_CONNECT,	/* reaching the receiver */
	ZCRX_STEP_SEND,
	ZCRX_STEP_HELLO,	/* agreeing on a geometry, before any data */
};

/**
 * struct zcrx_refusal - why something did not work
 * @step: the step that was refused
 * @err: errno, positive
 * @reason: the kernel's own words, empty when it had none
 */
struct zcrx_refusal {
	enum zcrx_step step;
	int err;
	char reason[ZCRX_REASON_LEN];
};

/**
 * zcrx_refuse() - note where and why something failed
 * @why: where to note it
 * @step: what was tried
 * @err: errno, of either sign
 *
 * Return: @err as a negative number, for return statements.
 */
static inline int zcrx_refuse(struct zcrx_refusal *why, enum zcrx_step step, int err)
{
	why->step = step;
	why->err = err < 0 ? -err : err;
	return -why->err;
}

/**
 * struct zcrx_source - a descriptor that a backend looks after
 * @fd: the descriptor; a stream socket must be blocking, or receiving ends
 *	with EAGAIN instead of waiting
 * @watch: report readiness (zcrx_watch()), else receive (zcrx_arm())
 * @armed: the kernel holds a request for it: do not free, do not arm again
 * @owner: for the user of the backend
 */
struct zcrx_source {
	int fd;
	bool watch;
	bool armed;
	void *owner;
};

/**
 * struct zcrx_piece - adjacent bytes of a stream, in the region
 * @data: the bytes
 * @off: where they start, bytes from the start of the region
 * @len: how many; more than a page only where the NIC fills longer buffers
 * @token: which buffer; the backend's own
 * @copied: the kernel copied them here, else the NIC wrote them here; where the
 *	kernel tells only how many bytes it copied, the sum is right and which
 *	pieces they were is a guess
 */
struct zcrx_piece {
	uint8_t *data;
	uint32_t off;
	uint32_t len;
	uint16_t token;
	bool copied;
};

enum zcrx_event_kind {
	ZCRX_EVENT_DATA,	/* pieces of the stream */
	ZCRX_EVENT_EOF,		/* the peer has sent everything */
	ZCRX_EVENT_ERROR,	/* receiving from this source is over */
	ZCRX_EVENT_STARVED,	/* stopped for lack of room: give back, then arm again */
	ZCRX_EVENT_READY,	/* a watched descriptor is readable */
};

/**
 * struct zcrx_event - what happened to a source
 * @kind: see the enum
 * @source: to whom; look at its @armed afterwards: a stream that is not armed
 *	and has not come to its end is to be armed again
 * @err: errno of an error, of a starved source what stopped it
 * @bytes: sum of the pieces' lengths
 * @pieces: in stream order, valid until the next call of zcrx_next(); each must
 *	be given back, once, sooner or later
 * @n: number of pieces
 */
struct zcrx_event {
	enum zcrx_event_kind kind;
	struct zcrx_source *source;
	int err;
	uint32_t bytes;
	struct zcrx_piece *pieces;
	uint32_t n;
};

/**
 * struct zcrx_region - the memory that receives
 * @addr: where it starts, page aligned
 * @size: bytes
 * @area_size: bytes of an area but the last one
 * @areas: number of areas, in which the kernel knows it
 */
struct zcrx_region {
	uint8_t *addr;
	uint64_t size;
	uint64_t area_size;
	uint32_t areas;
};

/* What of struct io_uring_zc_rx_stats a kernel counts */
enum zcrx_counted {
	ZCRX_COUNTED_ZC = 1,		/* zc_* */
	ZCRX_COUNTED_LINEAR = 2,	/* copy_linear_* */
	ZCRX_COUNTED_FOREIGN = 4,	/* copy_foreign_* */
	ZCRX_COUNTED_ROOM = 8,		/* alloc_fail, perhaps fewer than there were */
	ZCRX_COUNTED_REST = 16,		/* the others */
	ZCRX_COUNTED_ALL = 31,
};

struct zcrx_backend_ops;
struct uring;

/**
 * struct zcrx_backend - the part of a backend that is common to all
 * @ops: which backend
 * @region: its memory
 * @ring: its io_uring, for requests of others; NULL when it has none
 * @given_back: pieces given back so far
 * @busy_polls: the kernel took struct zcrx_config.busy_poll_us
 * @buf_len: bytes of a buffer that the NIC fills, 0 where none does
 * @buf_err: errno with which the kernel or the driver refused another length
 */
struct zcrx_backend {
	const struct zcrx_backend_ops *ops;
	struct zcrx_region region;
	struct uring *ring;
	uint64_t given_back;
	bool busy_polls;
	uint32_t buf_len;
	int buf_err;
};

/**
 * struct zcrx_backend_ops - a backend
 * @name: as in --backend
 * @words: the same in words
 * @zero_copy: data can arrive without a copy
 * @registers: it copies, and yet its region is the kernel's business: that takes CAP_NET_ADMIN
 *	and memory that can be locked
 * @by_name: --backend auto leaves it alone
 * @pins: can run the queue's interrupt on a CPU (struct zcrx_config.cpu)
 * @splits: binding the queue switches header/data split on
 * @probe: 0 when this kernel has it, else -errno and a refusal
 * @open: makes one that is ready to be armed; -errno and a refusal
 * @arm: start receiving from a stream; 0 or -errno
 * @watch: report once when a descriptor becomes readable; 0 or -errno
 * @next: next event; 1, 0 for none in time, -EINTR or another -errno.
 *	@timeout_ms 0 takes only what is known to be there already and never
 *	waits; -1 waits for ever
 * @give_back: the caller is through with pieces
 * @counters: what the kernel counted since open; the bits of enum zcrx_counted
 *	that say which of it is valid, 0 when it does not count
 * @close: frees everything; pieces are invalid afterwards
 */
struct zcrx_backend_ops {
	const char *name;
	const char *words;
	bool zero_copy;
	bool registers;
	bool by_name;
	bool pins;
	bool splits;
	int (*probe)(const struct zcrx_config *cfg, struct zcrx_refusal *why);
	int (*open)(const struct zcrx_config *cfg, struct zcrx_backend **out,
		    struct zcrx_refusal *why);
	int (*arm)(struct zcrx_backend *b, struct zcrx_source *s);
	int (*watch)(struct zcrx_backend *b, struct zcrx_source *s);
	int (*next)(struct zcrx_backend *b, struct zcrx_event *ev, int timeout_ms);
	int (*give_back)(struct zcrx_backend *b, const struct zcrx_piece *pieces, uint32_t n);
	unsigned int (*counters)(struct zcrx_backend *b, struct io_uring_zc_rx_stats *out);
	void (*close)(struct zcrx_backend *b);
};

extern const struct zcrx_backend_ops zcrx_rbuf_ops;
extern const struct zcrx_backend_ops zcrx_upstream_ops;
extern const struct zcrx_backend_ops zcrx_upstream_nodev_ops;
extern const struct zcrx_backend_ops zcrx_copy_ops;
extern const struct zcrx_backend_ops zcrx_epoll_ops;

const struct zcrx_backend_ops *zcrx_backend_find(const char *name);
const struct zcrx_backend_ops *zcrx_backend_at(unsigned int i);

int zcrx_region_map(struct zcrx_region *r, const struct zcrx_config *cfg,
		    struct zcrx_refusal *why);
void zcrx_region_unmap(struct zcrx_region *r);
void zcrx_region_divide(struct zcrx_region *r, const struct zcrx_config *cfg);
struct iovec zcrx_region_area(const struct zcrx_region *r, uint32_t i);

static inline int zcrx_arm(struct zcrx_backend *b, struct zcrx_source *s)
{
	return b->ops->arm(b, s);
}

static inline int zcrx_watch(struct zcrx_backend *b, struct zcrx_source *s)
{
	return b->ops->watch(b, s);
}

static inline int zcrx_next(struct zcrx_backend *b, struct zcrx_event *ev, int timeout_ms)
{
	return b->ops->next(b, ev, timeout_ms);
}

static inline int zcrx_give_back(struct zcrx_backend *b, const struct zcrx_piece *pieces,
				 uint32_t n)
{
	b->given_back += n;
	return b->ops->give_back(b, pieces, n);
}

static inline unsigned int zcrx_counters(struct zcrx_backend *b, struct io_uring_zc_rx_stats *out)
{
	return b->ops->counters(b, out);
}

static inline void zcrx_close(struct zcrx_backend *b)
{
	b->ops->close(b);
}

#endif
