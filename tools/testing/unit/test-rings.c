// SPDX-License-Identifier: GPL-2.0-or-later
/* The rings that are shared with the kernel, with the kernel's end played here. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>

#include "../tap.h"
#include "rbuf_ring.h"

#define MAX_ENTRIES	64U
#define STRESS_COUNT	200000U

/**
 * struct fake - a mapping as the kernel makes it, and the kernel's side of it
 * @rq_head: refill ring, written by the "kernel"
 * @rq_tail: refill ring, written by user space
 * @cq_head: completion ring, written by user space
 * @cq_tail: completion ring, written by the "kernel"
 */
struct fake {
	uint32_t rq_head __attribute__((aligned(64)));
	uint32_t rq_tail __attribute__((aligned(64)));
	uint32_t cq_head __attribute__((aligned(64)));
	uint32_t cq_tail __attribute__((aligned(64)));
	struct io_uring_rbuf_rqe rqes[MAX_ENTRIES];
	struct io_uring_rbuf_cqe cqes[MAX_ENTRIES];
	uint32_t entries;
	struct rbuf_refill refill;
	struct rbuf_cq cq;
};

static void fake_init(struct fake *f, uint32_t entries, uint32_t start)
{
	const struct io_rbuf_rqring_offsets rq = {
		.head = offsetof(struct fake, rq_head),
		.tail = offsetof(struct fake, rq_tail),
		.rqes = offsetof(struct fake, rqes),
	};
	const struct io_rbuf_cqring_offsets cq = {
		.head = offsetof(struct fake, cq_head),
		.tail = offsetof(struct fake, cq_tail),
		.cqes = offsetof(struct fake, cqes),
	};

	memset(f, 0, sizeof(*f));
	f->entries = entries;
	f->rq_head = f->rq_tail = f->cq_head = f->cq_tail = start;
	if (rbuf_refill_init(&f->refill, f, &rq, entries, 3 * entries))
		tap_bail("no memory");
	rbuf_cq_init(&f->cq, f, &cq, entries);
}

/* Without the refill ring */
static void fake_init_cq(struct fake *f, uint32_t entries, uint32_t start)
{
	fake_init(f, entries, start);
	rbuf_refill_free(&f->refill);
}

/* The kernel's side: next refill entry, false when there is none */
static bool fake_take(struct fake *f, struct io_uring_rbuf_rqe *rqe)
{
	uint32_t tail = __atomic_load_n(&f->rq_tail, __ATOMIC_ACQUIRE);

	if (f->rq_head == tail)
		return false;
	*rqe = f->rqes[f->rq_head & (f->entries - 1)];
	__atomic_store_n(&f->rq_head, f->rq_head + 1, __ATOMIC_RELEASE);
	return true;
}

/* The kernel's side: announce a piece, false when the ring is full */
static bool fake_post(struct fake *f, uint32_t off, uint32_t len)
{
	uint32_t head = __atomic_load_n(&f->cq_head, __ATOMIC_ACQUIRE);

	if (f->cq_tail - head == f->entries)
		return false;
	f->cqes[f->cq_tail & (f->entries - 1)] = (struct io_uring_rbuf_cqe){ .off = off, .len = len };
	__atomic_store_n(&f->cq_tail, f->cq_tail + 1, __ATOMIC_RELEASE);
	return true;
}

static void test_refill_order(uint32_t entries, uint32_t start)
{
	struct io_uring_rbuf_rqe rqe = { 0 };
	uint32_t put = 0, taken = 0, wrong = 0;
	struct fake f;

	fake_init(&f, entries, start);
	srand(entries);
	for (unsigned int round = 0; round < 2000; round++) {
		for (unsigned int n = (unsigned int)rand() % (2 * entries + 1); n; n--) {
			rqe.off = put++;
			if (rbuf_refill_put(&f.refill, &rqe))
				wrong++;
		}
		rbuf_refill_publish(&f.refill);
		if (f.rq_tail - f.rq_head > entries)
			wrong++;
		for (unsigned int n = (unsigned int)rand() % (2 * entries + 1); n; n--)
			if (fake_take(&f, &rqe) && rqe.off != taken++)
				wrong++;
	}
	do {
		rbuf_refill_publish(&f.refill);
		while (fake_take(&f, &rqe))
			if (rqe.off != taken++)
				wrong++;
	} while (taken < put && f.rq_head != f.rq_tail);
	rbuf_refill_publish(&f.refill);
	while (taken < put && fake_take(&f, &rqe)) {
		if (rqe.off != taken++)
			wrong++;
		rbuf_refill_publish(&f.refill);
	}
	tap_ok(!wrong && taken == put, "refill ring of %u from %#x: %u entries, none lost, in order",
	       entries, start, put);
	tap_ok(f.refill.waited > 0, "  %" PRIu64 " of them found the ring full and waited",
	       f.refill.waited);
	rbuf_refill_free(&f.refill);
}

/* Memory may be short when buffers come back: for one entry of each there is room from the start */
static void test_refill_room(void)
{
	const struct rbuf_slot *wait;
	struct io_uring_rbuf_rqe rqe = { 0 };
	struct fake f;
	int err = 0;

	fake_init(&f, 4, 0);
	wait = f.refill.wait;
	for (rqe.off = 0; rqe.off < 3 * 4; rqe.off++)
		err |= rbuf_refill_put(&f.refill, &rqe);
	tap_ok(!err && wait && f.refill.wait == wait, "refill ring: all buffers can wait without an allocation");
	rbuf_refill_free(&f.refill);
}

static void test_refill_unpublished(void)
{
	struct io_uring_rbuf_rqe rqe = { .off = 4096 };
	struct fake f;

	fake_init(&f, 8, 0);
	rbuf_refill_put(&f.refill, &rqe);
	tap_eq(f.rq_tail, 0, "an entry that was put is not visible yet");
	rbuf_refill_publish(&f.refill);
	tap_eq(f.rq_tail, 1, "published, it is");
	for (unsigned int i = 0; i < 9; i++)
		rbuf_refill_put(&f.refill, &rqe);
	rbuf_refill_publish(&f.refill);
	tap_eq(f.rq_tail, 8, "a ring of 8 holds 8");
	tap_eq(f.refill.wait_tail - f.refill.wait_head, 2, "two wait");
	rbuf_refill_free(&f.refill);
}

static void test_cq_groups(uint32_t start)
{
	struct io_uring_rbuf_cqe out[MAX_ENTRIES];
	uint32_t posted = 0, seen = 0, wrong = 0;
	struct fake f;

	fake_init_cq(&f, 16, start);
	srand(start);
	for (unsigned int round = 0; round < 5000; round++) {
		uint32_t pieces = (uint32_t)rand() % 16 + 1, bytes = 0;
		int n;

		for (uint32_t i = 0; i < pieces; i++) {
			uint32_t len = (uint32_t)rand() % 4096 + 1;

			if (!fake_post(&f, posted++, len))
				wrong++;
			bytes += len;
		}
		n = rbuf_cq_take(&f.cq, bytes, out, MAX_ENTRIES);
		if (n != (int)pieces) {
			wrong++;
			break;
		}
		for (int i = 0; i < n; i++)
			if (out[i].off != seen++)
				wrong++;
		if (f.cq_head != f.cq_tail)
			wrong++;
	}
	tap_ok(!wrong, "completion ring from %#x: 5000 groups come apart where they should", start);
}

static void test_cq_disagrees(void)
{
	struct io_uring_rbuf_cqe out[MAX_ENTRIES];
	struct fake f;

	fake_init_cq(&f, 8, 0);
	tap_eq(rbuf_cq_take(&f.cq, 1, out, MAX_ENTRIES), -EPROTO, "no entries for a completion");
	fake_post(&f, 0, 100);
	tap_eq(rbuf_cq_take(&f.cq, 50, out, MAX_ENTRIES), -EPROTO, "entries for more than it has");
	fake_init_cq(&f, 8, 0);
	fake_post(&f, 0, 100);
	tap_eq(rbuf_cq_take(&f.cq, 150, out, MAX_ENTRIES), -EPROTO, "entries for less than it has");
	fake_init_cq(&f, 8, 0);
	fake_post(&f, 0, 0);
	tap_eq(rbuf_cq_take(&f.cq, 10, out, MAX_ENTRIES), -EPROTO, "an empty entry");
	fake_init_cq(&f, 8, 0);
	fake_post(&f, 0, 5);
	fake_post(&f, 0, 5);
	tap_eq(rbuf_cq_take(&f.cq, 10, out, 1), -EPROTO, "more entries than there is room for");
	fake_init_cq(&f, 1, 0);
	fake_post(&f, 0, 5);
	rbuf_cq_take(&f.cq, 5, out, MAX_ENTRIES);
	tap_eq(rbuf_cq_take(&f.cq, 5, out, MAX_ENTRIES), -EPROTO, "what was there a round ago");
	fake_init_cq(&f, 8, 0);
	fake_post(&f, 0, 5);
	fake_post(&f, 0, 7);
	tap_eq(rbuf_cq_take(&f.cq, 5, out, MAX_ENTRIES), 1, "the entry of another completion stays");
	tap_eq(rbuf_cq_take(&f.cq, 7, out, MAX_ENTRIES), 1, "and is taken by that one");
}

/* Takes what comes back and hands it out again, as a NIC's driver does */
static void *kernel_thread(void *arg)
{
	struct io_uring_rbuf_rqe rqe;
	struct fake *f = arg;
	uint32_t n = 0;

	while (n < STRESS_COUNT) {
		if (!fake_take(f, &rqe)) {
			sched_yield();
			continue;
		}
		/* a torn or stale entry would show here */
		while (!fake_post(f, rqe.off, rqe.len))
			sched_yield();
		n++;
	}
	return NULL;
}

static void test_two_threads(void)
{
	uint32_t put = 0, seen = 0, wrong = 0;
	pthread_t thread;
	struct fake f;

	fake_init(&f, 32, UINT32_MAX - 100);
	pthread_create(&thread, NULL, kernel_thread, &f);
	while (seen < STRESS_COUNT) {
		struct io_uring_rbuf_cqe out[1];

		for (unsigned int i = 0; i < 7 && put < STRESS_COUNT && put - seen < 200; i++) {
			struct io_uring_rbuf_rqe rqe = { .off = put, .len = put % 4096 + 1 };

			rbuf_refill_put(&f.refill, &rqe);
			put++;
		}
		rbuf_refill_publish(&f.refill);
		while (seen < put && __atomic_load_n(&f.cq_tail, __ATOMIC_ACQUIRE) != f.cq.head) {
			if (rbuf_cq_take(&f.cq, seen % 4096 + 1, out, 1) != 1 ||
			    out[0].off != seen) {
				wrong++;
				goto join;
			}
			seen++;
		}
		sched_yield();
	}
join:
	tap_ok(!wrong, "two threads: %u entries round and round, all in order", seen);
	if (wrong)
		exit(tap_done());
	pthread_join(thread, NULL);
	rbuf_refill_free(&f.refill);
}

int main(void)
{
	for (uint32_t entries = 1; entries <= MAX_ENTRIES; entries *= 4) {
		test_refill_order(entries, 0);
		test_refill_order(entries, UINT32_MAX - 5);
	}
	test_refill_room();
	test_refill_unpublished();
	test_cq_groups(0);
	test_cq_groups(UINT32_MAX - 7);
	test_cq_disagrees();
	test_two_threads();
	return tap_done();
}
