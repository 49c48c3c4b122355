// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The device side of a virtqueue against a small driver, polite and hostile.
 * Guest memory is one region at an address that is no host address.
 */
#include <stdlib.h>

#include "../../bnxt-emu/virtqueue.h"
#include "../tap.h"

#define NUM		16
#define BASE		0x100000ull
#define MEM_SIZE	0x10000
#define DESC_OFF	0x0000
#define AVAIL_OFF	0x1000
#define USED_OFF	0x2000
#define BUF_OFF		0x4000
#define BUF_SIZE	64

struct driver {
	uint8_t *mem;
	struct dma_map map;
	struct virtqueue vq;
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
};

static void start(struct driver *d)
{
	memset(d, 0, sizeof(*d));
	d->mem = aligned_alloc(4096, MEM_SIZE);
	if (!d->mem)
		tap_bail("no memory");
	memset(d->mem, 0, MEM_SIZE);
	dma_map_add(&d->map, BASE, MEM_SIZE, d->mem);
	d->desc = (void *)(d->mem + DESC_OFF);
	d->avail = (void *)(d->mem + AVAIL_OFF);
	d->used = (void *)(d->mem + USED_OFF);
	d->vq.dma = &d->map;
	if (!vq_set_num(&d->vq, NUM) || !vq_set_rings(&d->vq, d->desc, d->avail, d->used))
		tap_bail("the queue cannot be set up");
	d->vq.enabled = true;
}

static void end(struct driver *d)
{
	free(d->mem);
}

static uint64_t buf(unsigned int i)
{
	return BASE + BUF_OFF + i * BUF_SIZE;
}

static void set_desc(struct driver *d, unsigned int i, uint64_t addr, uint32_t len, uint16_t flags,
		     uint16_t next)
{
	d->desc[i] = (struct vring_desc){ .addr = addr, .len = len, .flags = flags, .next = next };
}

static void make_available(struct driver *d, uint16_t head)
{
	d->avail->ring[d->avail->idx % NUM] = head;
	d->avail->idx++;
}

static enum vq_result pop(struct driver *d, struct vq_elem *e)
{
	return vq_pop(&d->vq, e);
}

static void test_setup(void)
{
	uint64_t ring[8];
	struct virtqueue vq = { };

	tap_ok(!vq_set_num(&vq, 0) && !vq_set_num(&vq, 12) && !vq_set_num(&vq, VQ_MAX_SIZE * 2),
	       "sizes that are no power of two or too large are refused");
	tap_ok(!vq_set_rings(&vq, ring, ring, ring), "rings before a size are refused");
	tap_ok(vq_set_num(&vq, 4) && !vq_set_rings(&vq, ring, NULL, ring),
	       "a missing ring is refused");
	tap_ok(!vq_set_rings(&vq, (char *)ring + 2, ring, ring), "a misaligned ring is refused");
	tap_ok(!vq_running(&vq) && !vq_has_work(&vq), "a queue without rings does nothing");
	tap_ok(vq_desc_bytes(8) == 128 && vq_avail_bytes(8) == 20 && vq_used_bytes(8) == 68,
	       "sizes of the rings");
}

static void test_chain(void)
{
	char out[16] = "", text[] = "hello, virtqueue";
	struct vq_elem e;
	struct driver d;

	start(&d);
	tap_ok(pop(&d, &e) == VQ_EMPTY && !vq_has_work(&d.vq), "empty queue");
	memcpy(d.mem + BUF_OFF, "hello, ", 7);
	memcpy(d.mem + BUF_OFF + BUF_SIZE, "virtqueue", 9);
	set_desc(&d, 3, buf(0), 7, VRING_DESC_F_NEXT, 5);
	set_desc(&d, 5, buf(1), 9, VRING_DESC_F_NEXT, 1);
	set_desc(&d, 1, buf(2), 4, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, 0);
	set_desc(&d, 0, buf(4), 8, VRING_DESC_F_WRITE, 0);
	make_available(&d, 3);
	tap_ok(vq_has_work(&d.vq) && pop(&d, &e) == VQ_GOT, "a chain of four descriptors");
	tap_ok(e.head == 3 && e.out_n == 2 && e.out_len == 16 && e.in_n == 2 && e.in_len == 12,
	       "its parts");
	tap_ok(vq_read(&e, 0, out, 16) == 16 && !memcmp(out, text, 16), "reads across parts");
	tap_ok(vq_read(&e, 5, out, 4) == 4 && !memcmp(out, ", vi", 4), "reads from the middle");
	tap_ok(vq_read(&e, 14, out, 16) == 2 && vq_read(&e, 99, out, 1) == 0,
	       "reads stop at the end");
	tap_eq(vq_write(&e, 2, "abcdef", 6), 6, "writes across parts");
	tap_ok(!memcmp(d.mem + BUF_OFF + 2 * BUF_SIZE, "\0\0ab", 4) &&
	       !memcmp(d.mem + BUF_OFF + 4 * BUF_SIZE, "cdef", 5), "what was written");
	tap_eq(vq_write(&e, 10, "xyz", 3), 2, "writes stop at the end");
	vq_push(&d.vq, &e, 12);
	tap_ok(d.used->idx == 1 && d.used->ring[0].id == 3 && d.used->ring[0].len == 12,
	       "given back");
	tap_eq(pop(&d, &e), VQ_EMPTY, "taken once");
	end(&d);
}

static void test_wrap(void)
{
	struct vq_elem e;
	struct driver d;
	bool good = true;

	start(&d);
	d.avail->idx = d.vq.last_avail = d.used->idx = d.vq.used_idx = 65530;
	for (int i = 0; i < 40 && good; i++) {
		set_desc(&d, i % NUM, buf(i % NUM), 1 + i, 0, 0);
		make_available(&d, i % NUM);
		good = pop(&d, &e) == VQ_GOT && e.head == i % NUM && e.out_len == 1u + i;
		vq_push(&d.vq, &e, 0);
		good = good &&
		       d.used->ring[(uint16_t)(65530 + i) % NUM].id == (unsigned int)i % NUM;
	}
	tap_ok(good && d.used->idx == (uint16_t)(65530 + 40),
	       "indices wrap at the ring's size and at 65536");
	for (int i = 0; i < NUM; i++)
		make_available(&d, i);
	for (int i = 0; i < NUM; i++)
		good &= pop(&d, &e) == VQ_GOT;
	tap_ok(good && pop(&d, &e) == VQ_EMPTY, "a full ring");
	end(&d);
}

static void test_notify(void)
{
	struct driver d;

	start(&d);
	tap_ok(!vq_want_kicks(&d.vq, false) && d.used->flags == VRING_USED_F_NO_NOTIFY,
	       "kicks can be left out");
	tap_ok(!vq_want_kicks(&d.vq, true) && d.used->flags == 0, "kicks are wanted again");
	vq_want_kicks(&d.vq, false);
	make_available(&d, 0);
	tap_ok(vq_want_kicks(&d.vq, true), "what came without a kick is noticed");
	tap_ok(vq_wants_call(&d.vq), "the driver wants calls");
	d.avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
	tap_ok(!vq_wants_call(&d.vq), "the driver wants none");
	end(&d);
}

struct hostile {
	const char *what;
	void (*make)(struct driver *d);
};

/* What lies behind the table looks like descriptors */
static void bad_head(struct driver *d)
{
	set_desc(d, NUM, buf(0), 8, 0, 0);
	make_available(d, NUM);
}

static void bad_next(struct driver *d)
{
	set_desc(d, NUM + 1, buf(0), 8, 0, 0);
	set_desc(d, 0, buf(0), 8, VRING_DESC_F_NEXT, NUM + 1);
	make_available(d, 0);
}

static void bad_loop(struct driver *d)
{
	set_desc(d, 0, buf(0), 8, VRING_DESC_F_NEXT, 1);
	set_desc(d, 1, buf(0), 8, VRING_DESC_F_NEXT, 0);
	make_available(d, 0);
}

static void bad_addr(struct driver *d)
{
	set_desc(d, 0, BASE - 1, 8, 0, 0);
	make_available(d, 0);
}

static void bad_len(struct driver *d)
{
	set_desc(d, 0, BASE + MEM_SIZE - 8, 9, 0, 0);
	make_available(d, 0);
}

static void bad_wrap(struct driver *d)
{
	set_desc(d, 0, ~0ull - 4, 64, 0, 0);
	make_available(d, 0);
}

static void bad_empty(struct driver *d)
{
	set_desc(d, 0, buf(0), 0, 0, 0);
	make_available(d, 0);
}

static void bad_indirect(struct driver *d)
{
	set_desc(d, 0, buf(0), 32, VRING_DESC_F_INDIRECT, 0);
	make_available(d, 0);
}

static void bad_order(struct driver *d)
{
	set_desc(d, 0, buf(0), 8, VRING_DESC_F_WRITE | VRING_DESC_F_NEXT, 1);
	set_desc(d, 1, buf(1), 8, 0, 0);
	make_available(d, 0);
}

static void bad_count(struct driver *d)
{
	for (int i = 0; i <= VQ_MAX_SG; i++)
		set_desc(d, i, buf(i), 8, i < VQ_MAX_SG ? VRING_DESC_F_NEXT : 0, i + 1);
	make_available(d, 0);
}

static void bad_index(struct driver *d)
{
	set_desc(d, 0, buf(0), 8, 0, 0);
	d->avail->idx = NUM + 1;
}

static const struct hostile hostile[] = {
	{ "head outside the table", bad_head },
	{ "next outside the table", bad_next },
	{ "a chain that loops", bad_loop },
	{ "an address below guest memory", bad_addr },
	{ "a length beyond guest memory", bad_len },
	{ "an address that wraps", bad_wrap },
	{ "an empty part", bad_empty },
	{ "an indirect table, which was not offered", bad_indirect },
	{ "a readable part after a writable one", bad_order },
	{ "more parts than there is room for", bad_count },
	{ "an index too far ahead", bad_index },
};

static void test_hostile(void)
{
	for (unsigned int i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		struct vq_elem e;
		struct driver d;
		bool broken;

		start(&d);
		hostile[i].make(&d);
		broken = pop(&d, &e) == VQ_BROKEN;
		/* and from now on the queue is left alone */
		set_desc(&d, 2, buf(0), 8, 0, 0);
		make_available(&d, 2);
		tap_ok(broken && pop(&d, &e) == VQ_EMPTY && !vq_has_work(&d.vq), "broken by %s",
		       hostile[i].what);
		vq_push(&d.vq, &e, 0);
		tap_eq(d.used->idx, 0, "nothing is written any more");
		vq_reset(&d.vq);
		tap_ok(d.vq.dma == &d.map && vq_set_num(&d.vq, NUM), "a reset makes it usable");
		end(&d);
	}
}

static void test_long_chain(void)
{
	struct vq_elem e;
	struct driver d;

	start(&d);
	for (int i = 0; i < NUM; i++)
		set_desc(&d, i, buf(i), 8, (i < NUM - 1 ? VRING_DESC_F_NEXT : 0) |
			 (i < VQ_MAX_SG ? 0 : VRING_DESC_F_WRITE), i + 1);
	make_available(&d, 0);
	tap_ok(pop(&d, &e) == VQ_GOT && e.out_n == VQ_MAX_SG && e.in_n == VQ_MAX_SG,
	       "the longest chain there can be");
	end(&d);
}

int main(void)
{
	test_setup();
	test_chain();
	test_wrap();
	test_notify();
	test_hostile();
	test_long_chain();
	return tap_done();
}
