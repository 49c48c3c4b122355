// SPDX-License-Identifier: GPL-2.0-or-later
/* zc-fuzz: what a user can write to the rings that it shares with the kernel */
#include <stddef.h>
#include <string.h>

#include "zc-fuzz.h"

static uint32_t *word(char *map, uint32_t off)
{
	return (uint32_t *)(map + off);
}

static void hold(struct fz_world *w, uint32_t off, uint16_t region)
{
	uint32_t at = __atomic_fetch_add(&w->held_tail, 1, __ATOMIC_RELAXED);

	w->held[at % FZ_HELD] = (struct fz_held){ off, region };
}

static struct fz_held any_held(struct fz_thread *t)
{
	struct fz_world *w = t->w;
	uint32_t n = w->held_tail - w->held_head;

	if (!n || n > FZ_HELD)
		return (struct fz_held){ .off = rng_below(&t->rng, 1024) * FZ_PAGE };
	return w->held[(w->held_head + rng_below(&t->rng, n)) % FZ_HELD];
}

/**
 * fz_rings_take() - take entries of a completion ring
 * @t: thread
 */
void fz_rings_take(struct fz_thread *t)
{
	struct fz_ring *r;
	struct fz_ifq *q = fz_pick_ifq(t, &r);
	char *map = q ? q->map : NULL;
	uint32_t n = 0;

	if (!map || q->map_size < q->reg.mmap_sz)
		return;
	FZ_TOUCH_BEGIN
	uint32_t *head = word(map, q->reg.cq_off.head);
	uint32_t tail = __atomic_load_n(word(map, q->reg.cq_off.tail), __ATOMIC_ACQUIRE);
	const struct io_uring_rbuf_cqe *cqes = (void *)(map + q->reg.cq_off.cqes);

	for (; *head != tail && n < 512; n++) {
		const struct io_uring_rbuf_cqe *c = &cqes[*head & (q->reg.cq_entries - 1)];

		hold(t->w, c->off, c->region);
		__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	}
	FZ_TOUCH_END;
	if (n)
		fz_add(t->w->f, &t->w->f->s->events[FZ_PIECES], n);
}

/* Counters of the kernel's, and the events that they are */
static const struct {
	size_t at;
	unsigned int event, and;
} counters[] = {
#define COUNTER(name, event, and) { offsetof(struct io_uring_zc_rx_stats, name) / sizeof(uint64_t), event, and }
	COUNTER(zc_bytes, FZ_ZC_BYTES, FZ_ZC_BYTES),
	COUNTER(copy_linear_bytes, FZ_COPIED_BYTES, FZ_LINEAR_BYTES),
	COUNTER(copy_foreign_bytes, FZ_COPIED_BYTES, FZ_FOREIGN_BYTES),
	COUNTER(copy_spare_bytes, FZ_COPIED_BYTES, FZ_SPARE_BYTES),
	COUNTER(bad_rqes, FZ_BAD, FZ_BAD),
};

/* False if somebody has unmapped it */
static bool copy_out(void *to, const char *map, uint32_t off, size_t len)
{
	volatile bool done = false;

	FZ_TOUCH_BEGIN
	memcpy(to, map + off, len);
	done = true;
	FZ_TOUCH_END;
	return done;
}

/* What the kernel has done since the last look, as far as it can be told */
static void look(struct fz_thread *t, struct fz_ifq *q, char *map)
{
	uint64_t now[FZ_STATS], was[FZ_STATS];
	struct fz_shared *s = t->w->f->s;
	uint32_t head, taken;

	if (!copy_out(&head, map, q->reg.rq_off.head, sizeof(head)) ||
	    !copy_out(now, map, q->reg.stats_off, sizeof(now)))
		return;
	taken = head - q->rq_seen;
	q->rq_seen = head;
	memcpy(was, q->seen, sizeof(was));
	memcpy(q->seen, now, sizeof(now));
	/* a look by somebody else may have been newer: more than the ring holds was not taken */
	if (q->heads_true && taken <= q->reg.rq_entries)
		fz_add(t->w->f, &s->events[FZ_TAKEN], taken);
	for (unsigned int i = 0; i < FZ_LEN(counters) && q->stats_true; i++) {
		uint64_t d = now[counters[i].at] - was[counters[i].at];

		/* two that look at once see some of it twice, or less than nothing */
		if (d >= 1ull << 32)
			continue;
		fz_add(t->w->f, &s->events[counters[i].event], d);
		if (counters[i].and != counters[i].event)
			fz_add(t->w->f, &s->events[counters[i].and], d);
	}
}

/**
 * fz_rings_look() - see what the kernel has done
 * @t: thread
 */
void fz_rings_look(struct fz_thread *t)
{
	struct fz_ring *r;
	struct fz_ifq *q = fz_pick_ifq(t, &r);
	char *map = q ? q->map : NULL;

	if (map && q->map_size >= q->reg.mmap_sz)
		look(t, q, map);
}

static enum fz_entry any_entry(struct fz_thread *t, const struct fz_ifq *q, struct io_uring_rbuf_rqe *rqe)
{
	struct fz_held held = any_held(t);
	uint64_t v[2];

	*rqe = (struct io_uring_rbuf_rqe){ .off = held.off, .region = held.region };
	switch (rng_below(&t->rng, 8)) {
	case 0:
		rqe->off = rng_below(&t->rng, (uint32_t)q->region_size);
		return FZ_E_IN_REGION;
	case 1:
		rqe->off = (uint32_t)q->region_size + (fz_any32(&t->rng) >> 1);
		return FZ_E_OUTSIDE;
	case 2:
		rqe->off = fz_any32(&t->rng);
		return FZ_E_OUTSIDE;
	case 3:
		rqe->region = (uint16_t)fz_any32(&t->rng);
		return FZ_E_REGION;
	case 4:
		rqe->__pad[rng_below(&t->rng, 6)] = (uint8_t)(1 + rng_below(&t->rng, 255));
		return FZ_E_PAD;
	case 5:
		v[0] = rng_next(&t->rng);
		v[1] = rng_next(&t->rng);
		memcpy(rqe, v, sizeof(*rqe));
		return FZ_E_GARBAGE;
	default:
		return FZ_E_TWICE;
	}
}

static void add_entries(struct fz_thread *t, const uint32_t *n)
{
	for (unsigned int i = 0; i < FZ_ENTRIES; i++)
		if (n[i])
			fz_add(t->w->f, &t->w->f->s->entries[i], n[i]);
}

/**
 * fz_rings_give() - give back what was announced, as it should be done
 * @t: thread
 */
void fz_rings_give(struct fz_thread *t)
{
	struct fz_world *w = t->w;
	struct fz_ring *r;
	struct fz_ifq *q = fz_pick_ifq(t, &r);
	char *map = q ? q->map : NULL;
	uint32_t n[FZ_ENTRIES] = { 0 };

	if (!map || q->map_size < q->reg.mmap_sz)
		return;
	FZ_TOUCH_BEGIN
	uint32_t head = __atomic_load_n(word(map, q->reg.rq_off.head), __ATOMIC_ACQUIRE);
	uint32_t *tail = word(map, q->reg.rq_off.tail), at = *tail;
	struct io_uring_rbuf_rqe *rqes = (void *)(map + q->reg.rq_off.rqes);

	while (at - head < q->reg.rq_entries && w->held_head != w->held_tail) {
		struct fz_held h = w->held[__atomic_fetch_add(&w->held_head, 1, __ATOMIC_RELAXED) % FZ_HELD];

		rqes[at++ & (q->reg.rq_entries - 1)] = (struct io_uring_rbuf_rqe){ .off = h.off, .region = h.region };
		n[FZ_E_SANE]++;
	}
	__atomic_store_n(tail, at, __ATOMIC_RELEASE);
	FZ_TOUCH_END;
	if (w->held_tail - w->held_head > FZ_HELD)
		w->held_head = w->held_tail;
	add_entries(t, n);
	look(t, q, map);
}

/**
 * fz_rings_bulk() - fill the refill ring with entries of all kinds, and tell the kernel
 * @t: thread
 *
 * Whoever writes over entries that the kernel has not taken yet finds out what that is like.
 */
void fz_rings_bulk(struct fz_thread *t)
{
	struct fz_ring *r;
	struct fz_ifq *q = fz_pick_ifq(t, &r);
	char *map = q ? q->map : NULL;
	uint32_t n[FZ_ENTRIES] = { 0 }, head, room;

	if (!map || q->map_size < q->reg.mmap_sz)
		return;
	look(t, q, map);
	FZ_TOUCH_BEGIN
	uint32_t *tail = word(map, q->reg.rq_off.tail), at = *tail;
	struct io_uring_rbuf_rqe *rqes = (void *)(map + q->reg.rq_off.rqes);

	head = __atomic_load_n(word(map, q->reg.rq_off.head), __ATOMIC_ACQUIRE);
	room = q->reg.rq_entries - (at - head);
	/* full: over what has not been taken yet, which the kernel may be about to do */
	if (!room || room > q->reg.rq_entries || rng_one_in(&t->rng, 16))
		room = rng_below(&t->rng, q->reg.rq_entries + 1);
	if (room > 4096 || rng_one_in(&t->rng, 4))
		room = 4096;
	while (room--) {
		struct io_uring_rbuf_rqe rqe;

		n[any_entry(t, q, &rqe)]++;
		rqes[at++ & (q->reg.rq_entries - 1)] = rqe;
		/* the kernel may look at any moment */
		if (rng_one_in(&t->rng, 64))
			__atomic_store_n(tail, at, __ATOMIC_RELEASE);
	}
	__atomic_store_n(tail, at, __ATOMIC_RELEASE);
	FZ_TOUCH_END;
	add_entries(t, n);
}

/* ---- garbage ------------------------------------------------------------- */

struct scribble {
	struct fz_thread *t;
	struct fz_ifq *q;
	char *map;
};

static void put(const struct scribble *s, uint32_t off, uint32_t v)
{
	__atomic_store_n(word(s->map, off), v, __ATOMIC_RELEASE);
}

static void tail_on(const struct scribble *s)
{
	put(s, s->q->reg.rq_off.tail, *word(s->map, s->q->reg.rq_off.tail) + rng_below(&s->t->rng, 200));
}

static void tail_back(const struct scribble *s)
{
	put(s, s->q->reg.rq_off.tail, *word(s->map, s->q->reg.rq_off.head) - rng_below(&s->t->rng, 3));
}

static void tail_any(const struct scribble *s)
{
	put(s, s->q->reg.rq_off.tail, fz_any32(&s->t->rng));
}

static void tail_sane(const struct scribble *s)
{
	put(s, s->q->reg.rq_off.tail, *word(s->map, s->q->reg.rq_off.head));
}

static void cq_head_any(const struct scribble *s)
{
	put(s, s->q->reg.cq_off.head, fz_any32(&s->t->rng));
}

static void cq_head_sane(const struct scribble *s)
{
	put(s, s->q->reg.cq_off.head, *word(s->map, s->q->reg.cq_off.tail));
}

/* What is the kernel's to write: from then on it says nothing any more */
static void kernels_own(const struct scribble *s)
{
	uint32_t off = s->q->reg.stats_off + 4 * rng_below(&s->t->rng, sizeof(struct io_uring_zc_rx_stats) / 4);

	/* seldom, or nobody would ever see what was received without a copy */
	if (rng_one_in(&s->t->rng, 16)) {
		s->q->stats_true = false;
	} else {
		s->q->heads_true = false;
		off = rng_one_in(&s->t->rng, 2) ? s->q->reg.rq_off.head : s->q->reg.cq_off.tail;
	}
	put(s, off, fz_any32(&s->t->rng));
}

static void an_entry(const struct scribble *s)
{
	struct io_uring_rbuf_rqe *rqes = (void *)(s->map + s->q->reg.rq_off.rqes);

	any_entry(s->t, s->q, &rqes[rng_below(&s->t->rng, s->q->reg.rq_entries)]);
}

static void anywhere(const struct scribble *s)
{
	uint32_t off = rng_below(&s->t->rng, (uint32_t)(s->q->reg.mmap_sz / 4)) * 4;

	s->q->heads_true = false;
	if (off >= s->q->reg.stats_off && off < s->q->reg.stats_off + sizeof(struct io_uring_zc_rx_stats))
		s->q->stats_true = false;
	put(s, off, fz_any32(&s->t->rng));
}

static void (*const scribbles[])(const struct scribble *s) = {
	an_entry, an_entry, an_entry, an_entry, tail_on, tail_on, tail_on, tail_back, tail_any, tail_sane, tail_sane,
	cq_head_any, cq_head_sane, cq_head_sane, cq_head_sane,
};

/**
 * fz_rings_scribble() - write garbage to rings and indices
 * @t: thread
 */
void fz_rings_scribble(struct fz_thread *t)
{
	struct fz_ring *r;
	struct fz_ifq *q = fz_pick_ifq(t, &r);
	struct scribble s = { .t = t, .q = q, .map = q ? q->map : NULL };
	uint32_t n = rng_below(&t->rng, 40);

	if (!s.map || q->map_size < q->reg.mmap_sz)
		return;
	look(t, q, s.map);
	FZ_TOUCH_BEGIN
	for (uint32_t i = 0; i < n; i++) {
		if (rng_one_in(&t->rng, 512))
			kernels_own(&s);
		else if (rng_one_in(&t->rng, 512))
			anywhere(&s);
		else
			scribbles[rng_below(&t->rng, FZ_LEN(scribbles))](&s);
	}
	FZ_TOUCH_END;
	fz_add(t->w->f, &t->w->f->s->events[FZ_INDICES], n);
}
