/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * zc-fuzz: what its parts share. A few processes at a time do as they please, each with some
 * threads; they live for a moment, and report to one piece of shared memory.
 */
#ifndef ZC_FUZZ_H
#define ZC_FUZZ_H

#include <linux/io_uring/zc_rx.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "rng.h"

#define FZ_PAGE		4096u
#define FZ_ERRNOS	134
#define FZ_LEN(a)	(sizeof(a) / sizeof((a)[0]))

/* Calls that are counted, by errno; fz_call_names says it in words */
enum fz_call {
	FZ_SETUP,
	FZ_ENTER,
	FZ_IFQ,
	FZ_CTRL,
	FZ_BUFFERS,
	FZ_UNBUFFERS,
	FZ_FILES,
	FZ_REGISTER,
	FZ_CLOSE,
	FZ_DUP,
	FZ_PASS,
	FZ_MMAP,
	FZ_MUNMAP,
	FZ_MREMAP,
	FZ_MPROTECT,
	FZ_MADVISE,
	FZ_FORK,
	FZ_SOCKET,
	FZ_SEND,
	FZ_SHUTDOWN,
	FZ_EVENTFD,
	FZ_CAPSET,
	FZ_FDINFO,
	FZ_CALLS
};

/* Submission entries that are counted */
enum fz_op {
	FZ_OP_RECV_ZC,
	FZ_OP_RECV_ZC_BROKEN,
	FZ_OP_CANCEL,
	FZ_OP_TIMEOUT,
	FZ_OP_POLL,
	FZ_OP_CLOSE,
	FZ_OP_OTHER,
	FZ_OPS
};

/* Refill entries that are counted */
enum fz_entry {
	FZ_E_SANE,
	FZ_E_TWICE,
	FZ_E_IN_REGION,
	FZ_E_OUTSIDE,
	FZ_E_REGION,
	FZ_E_PAD,
	FZ_E_GARBAGE,
	FZ_ENTRIES
};

/* Other things that have to happen */
enum fz_event {
	FZ_LIVES,
	FZ_KILLED,
	FZ_EXECS,
	FZ_INDICES,
	FZ_TAKEN,
	FZ_BAD,
	FZ_BYTES,
	FZ_ZC_BYTES,
	FZ_COPIED_BYTES,
	FZ_PIECES,
	FZ_FAULTS,
	FZ_LINK,
	FZ_XDP,
	FZ_AF_XDP,
	FZ_SELF,		/* these and the following need not happen */
	FZ_PEERS,
	FZ_LINEAR_BYTES,
	FZ_FOREIGN_BYTES,
	FZ_SPARE_BYTES,
	FZ_EVENTS
};

#define FZ_SENTENCES	48

/**
 * struct fz_shared - what all processes write to
 * @stop: come to an end
 * @failed: somebody has written to @failure
 * @failure: the first thing that went wrong, in words
 * @total: calls
 * @calls: by kind and errno, 0 for success
 * @ops: submission entries
 * @results: completions of receives by errno, 0 for bytes or the end
 * @entries: refill entries written
 * @events: the rest
 * @sentences: refusals, by what they say
 * @forking: how many are in fork(2)
 * @killing: the others do not begin one
 */
struct fz_shared {
	uint32_t stop;
	uint32_t failed;
	char failure[512];
	uint64_t total;
	uint64_t calls[FZ_CALLS][FZ_ERRNOS];
	uint64_t ops[FZ_OPS];
	uint64_t results[FZ_ERRNOS];
	uint64_t entries[FZ_ENTRIES];
	uint64_t events[FZ_EVENTS];
	uint64_t sentences[FZ_SENTENCES];
	uint32_t forking;
	uint32_t killing;
};

/* Receive queues that are fought for, and the ports whose flows come there */
#define FZ_QUEUES	3
#define FZ_QUEUE_FIRST	1
#define FZ_PORT_FIRST	9997

/* Memory that all processes have in common, so that several have it as their region */
#define FZ_COMMON	2

/**
 * struct fz - the command line, and what follows from it
 * @iface: interface
 * @ifindex: of @iface
 * @seed: what all that is random begins with
 * @seconds: how long to go on at most
 * @calls: or until there were so many calls
 * @entries: and so many refill entries
 * @slow: how many times longer than on a machine of its own things may take
 * @short_run: what happens seldom need not have happened
 * @huge_pages: the kernel has transparent ones
 * @listeners: one for each queue
 * @common: memory that all have
 * @common_size: of each, bytes
 * @s: shared memory
 */
struct fz {
	const char *iface;
	unsigned int ifindex;
	uint64_t seed;
	unsigned int seconds;
	uint64_t calls;
	uint64_t entries;
	unsigned int slow;
	bool short_run;
	bool huge_pages;
	int listeners[FZ_QUEUES];
	char *common[FZ_COMMON];
	size_t common_size;
	struct fz_shared *s;
};

#define FZ_THREADS		4
#define FZ_RINGS_THREAD		2
#define FZ_RINGS		(FZ_THREADS * FZ_RINGS_THREAD)
#define FZ_IFQS_RING		2
#define FZ_SOCKS		16
#define FZ_REGIONS		(FZ_COMMON + 2)
#define FZ_HELD			8192u
#define FZ_STATS		(sizeof(struct io_uring_zc_rx_stats) / sizeof(uint64_t))

/**
 * struct fz_ifq - an interface queue that was registered, or what is left of one
 * @live: the rest is valid
 * @map: its rings, or NULL
 * @map_size: of @map, bytes
 * @region_size: bytes
 * @reg: argument of the registration
 * @heads_true: nobody has written to the kernel's indices
 * @stats_true: ... to its counters
 * @rq_seen: head of the refill ring when last looked at
 * @seen: its struct io_uring_zc_rx_stats when last looked at
 */
struct fz_ifq {
	bool live;
	char *map;
	size_t map_size;
	size_t region_size;
	struct io_uring_zc_rx_ifq_reg reg;
	bool heads_true, stats_true;
	uint32_t rq_seen;
	uint64_t seen[FZ_STATS];
};

/**
 * struct fz_ring - an io_uring, or what is left of one
 * @fd: descriptor, or -1
 * @flags: IORING_SETUP_*
 * @sq: mapping of both rings, or NULL
 * @sq_size: of @sq, bytes
 * @sqes: submission entries, or NULL
 * @sqes_size: of @sqes, bytes
 * @sq_entries: how many
 * @cq_entries: how many completions
 * @off: where things are in @sq: tails, heads, entries
 * @buffers: how many are registered
 * @buffer_region: which region each is, FZ_REGIONS for something else
 * @ifqs: interface queues
 */
struct fz_ring {
	int fd;
	uint32_t flags;
	char *sq;
	size_t sq_size;
	char *sqes;
	size_t sqes_size;
	uint32_t sq_entries;
	uint32_t cq_entries;
	struct {
		uint32_t sq_tail, array, cq_head, cq_tail, cqes;
	} off;
	uint32_t buffers;
	uint8_t buffer_region[4];
	struct fz_ifq ifqs[FZ_IFQS_RING];
};

struct fz_held {
	uint32_t off;
	uint16_t region;
};

/**
 * struct fz_world - all that a process has; its threads race for it
 * @f: all
 * @quit: threads are to come to an end
 * @map_lock: no fork(2) between mapping a ring and keeping it from being copied
 * @ending: they fork no more
 * @forking: how many are about it
 * @rings: io_urings; each thread sets up some of them
 * @socks: sockets, or -1
 * @sock_queue: for each of these the queue that its data comes by, 0 for none
 * @tx: connections of loopback, the sender's end, or -1
 * @regions: memory to receive into
 * @region_size: of each, bytes
 * @held: pieces that were announced and not given back, a ring
 * @held_head: the oldest, runs freely
 * @held_tail: after the newest
 */
struct fz_world {
	const struct fz *f;
	bool quit;
	pthread_mutex_t map_lock;
	bool ending;
	uint32_t forking;
	struct fz_ring rings[FZ_RINGS];
	int socks[FZ_SOCKS];
	uint8_t sock_queue[FZ_SOCKS];
	int tx[4];
	char *regions[FZ_REGIONS];
	size_t region_size[FZ_REGIONS];
	struct fz_held held[FZ_HELD];
	uint32_t held_head;
	uint32_t held_tail;
};

/**
 * struct fz_thread - one that acts
 * @w: where
 * @index: which of them
 * @rng: its dice
 * @dropped: it has no capability any more
 * @waits_ms: since when it has been in a call that may wait for ever; 0: it is not
 */
struct fz_thread {
	struct fz_world *w;
	unsigned int index;
	struct rng rng;
	bool dropped;
	uint64_t waits_ms;
};

/* zc-fuzz.c */
void fz_add(const struct fz *f, uint64_t *what, uint64_t n);
long fz_count(const struct fz *f, enum fz_call kind, long ret);
__attribute__((format(printf, 2, 3)))
void fz_fail(const struct fz *f, const char *fmt, ...);
uint64_t fz_now_ms(void);
void fz_nap(uint32_t us);

/*
 * What may be unmapped by another thread is touched between these two; the second is reached
 * either way.
 */
extern __thread sigjmp_buf fz_jump;
extern __thread volatile bool fz_guarded;
/* what this thread is about, for those who ask why it does not come to an end */
extern __thread const char *volatile fz_doing;

#define FZ_TOUCH_BEGIN	if (!sigsetjmp(fz_jump, 0)) { fz_guarded = true;
#define FZ_TOUCH_END	} fz_guarded = false

/* fuzz-world.c */
char *fz_map(struct fz_world *w, size_t len, int prot, int flags, int fd, uint64_t off);
int fz_live(const struct fz *f, uint64_t seed, unsigned int ms);

/* fuzz-uring.c */
struct fz_ring *fz_pick_ring(struct fz_thread *t);
struct fz_ifq *fz_pick_ifq(struct fz_thread *t, struct fz_ring **ring);
uint32_t fz_any32(struct rng *rng);
int fz_any_fd(struct fz_thread *t);
void fz_ring_setup(struct fz_thread *t);
void fz_ring_close(struct fz_thread *t);
void fz_ring_drop(struct fz_ring *r);
void fz_ring_enter(struct fz_thread *t);
void fz_ring_submit(struct fz_thread *t);
void fz_ring_reap(struct fz_thread *t);
void fz_ring_files(struct fz_thread *t);
void fz_ring_other(struct fz_thread *t);

/* fuzz-reg.c */
void fz_buffers(struct fz_thread *t);
void fz_unbuffers(struct fz_thread *t);
void fz_ifq_good(struct fz_thread *t);
void fz_ifq_bad(struct fz_thread *t);
void fz_ifq_ctrl(struct fz_thread *t);
void fz_heard(const struct fz *f, int err, const char *reason);
unsigned int fz_missing_sentences(const struct fz *f, bool tell);

/* fuzz-rings.c */
void fz_rings_take(struct fz_thread *t);
void fz_rings_give(struct fz_thread *t);
void fz_rings_bulk(struct fz_thread *t);
void fz_rings_scribble(struct fz_thread *t);
void fz_rings_look(struct fz_thread *t);

/* fuzz-hand.c */
void fz_hand_once(const struct fz *f);
int fz_hand(const struct fz *f, uint64_t seed);

#endif
