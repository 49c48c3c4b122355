// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The user of the bound queue: its memory is what the NIC writes all payload to. It
 * does with the stream of its own what programs do at worst: checks what it gets,
 * overwrites it, and gives it back at once.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../tap.h"
#include "backend.h"
#include "paths.h"
#include "pattern.h"

#define PAGE		4096u
#define REGION_PAGES	4096u

/* Pieces that have gone round until a page that was let go of has been written to again: more
 * than the page pool's ring, its cache and the NIC's ring have room for
 */
#define TURN_PIECES	2500

/* Enough of a page to see that it was written to */
#define PRINT		16

/* Where the user's stream is in the pattern */
#define USER_BASE	((uint64_t)1 << 56)

/**
 * struct user - the user
 * @paths: the run
 * @thread: receives
 * @listener: where the feed of @stream connects to
 * @b: the ifq, opened and used by @thread
 * @stream: what is received
 * @prints: the first bytes of each page of the region when the stream was paused last
 * @given: pieces given back
 * @state: 0: starting, 1: receiving, -errno
 * @stop: @thread is to end
 * @wrong: a byte of the stream was not what it should have been
 * @bad_rqes: refill entries that the kernel did not understand
 */
struct user {
	struct paths *paths;
	pthread_t thread;
	int listener;
	struct zcrx_backend *b;
	struct feed stream;
	uint8_t (*prints)[PRINT];
	_Atomic uint64_t given;
	_Atomic int state;
	atomic_bool stop;
	bool wrong;
	uint64_t bad_rqes;
};

static int user_open(struct user *u)
{
	struct zcrx_config cfg = {
		.iface = u->paths->iface,
		.queue = u->paths->queue,
		.region_size = (uint64_t)REGION_PAGES * PAGE,
		.rq_entries = 4096,
		.cq_entries = 4096,
		.cpu = -1,
	};
	struct zcrx_refusal why = { 0 };
	int err = zcrx_rbuf_ops.open(&cfg, &u->b, &why);

	if (err)
		tap_diag("the queue cannot be bound: %s, %s", strerror(-err), why.reason);
	return err;
}

static void user_take(struct user *u, const struct zcrx_event *ev, uint64_t *pos)
{
	for (uint32_t i = 0; i < ev->n; i++) {
		const struct zcrx_piece *p = &ev->pieces[i];

		if (pattern_check(p->data, USER_BASE + *pos, p->len) != p->len)
			u->wrong = true;
		*pos += p->len;
		memset(p->data, 0xdd, p->len);
	}
	if (zcrx_give_back(u->b, ev->pieces, ev->n))
		u->wrong = true;
	u->given += ev->n;
}

static void user_receive(struct user *u, struct zcrx_source *s)
{
	struct zcrx_event ev;
	uint64_t pos = 0;

	while (!u->stop && !u->wrong) {
		if (!s->armed && zcrx_arm(u->b, s))
			u->wrong = true;
		switch (zcrx_next(u->b, &ev, 10)) {
		case 0:
			continue;
		case 1:
			break;
		default:
			u->wrong = true;
			continue;
		}
		if (ev.kind == ZCRX_EVENT_DATA)
			user_take(u, &ev, &pos);
		else if (ev.kind != ZCRX_EVENT_STARVED)
			break;
	}
}

static void *user_main(void *arg)
{
	struct user *u = arg;
	struct zcrx_source s = { .fd = -1 };
	struct io_uring_zc_rx_stats stats;
	int err = user_open(u);

	if (err) {
		u->state = err;
		return NULL;
	}
	u->state = 1;
	s.fd = accept(u->listener, NULL, NULL);
	if (s.fd >= 0) {
		user_receive(u, &s);
		close(s.fd);
	}
	if (zcrx_counters(u->b, &stats) & ZCRX_COUNTED_REST)
		u->bad_rqes = stats.bad_rqes;
	zcrx_close(u->b);
	return NULL;
}

static void user_free(struct user *u)
{
	if (u->listener >= 0)
		close(u->listener);
	free(u->prints);
	free(u);
}

/**
 * user_start() - bind the queue and receive; returns when the stream flows
 * @p: the run; @p->user is set
 *
 * Return: 0 or -errno.
 */
int user_start(struct paths *p)
{
	struct user *u = calloc(1, sizeof(*u));
	int err = -ENOMEM;

	if (!u)
		return -ENOMEM;
	u->paths = p;
	u->listener = -1;
	u->prints = calloc(REGION_PAGES, sizeof(*u->prints));
	if (!u->prints)
		goto free;
	u->listener = path_listen(&(struct path_listen){ .port = PATHS_USER_PORT, .mss = 1448 });
	err = -errno;
	if (u->listener < 0)
		goto free;
	err = -pthread_create(&u->thread, NULL, user_main, u);
	if (err)
		goto free;
	while (!u->state)
		paths_nap(1);
	err = u->state < 0 ? u->state : 0;
	if (err)
		goto join;

	u->stream = (struct feed){ .port = PATHS_USER_PORT, .base = USER_BASE, .chunk = 64000, .gap_us = 1000 };
	if (!feed_start(&u->stream)) {
		err = -EIO;
		u->stop = true;
		shutdown(u->listener, SHUT_RD);
		goto join;
	}
	p->user = u;
	return 0;
join:
	pthread_join(u->thread, NULL);
free:
	user_free(u);
	return err;
}

/**
 * user_stop() - unbind the queue
 * @p: the run
 *
 * Return: whether all that the user received was right, and its rings as well.
 */
bool user_stop(struct paths *p)
{
	struct user *u = p->user;
	bool good;

	u->stop = true;
	shutdown(u->listener, SHUT_RD);
	pthread_join(u->thread, NULL);
	feed_stop(&u->stream);
	good = !u->wrong && !u->bad_rqes;
	user_free(u);
	p->user = NULL;
	return good;
}

/* All that was sent has been received when nothing more comes for a while */
static void user_settle(struct user *u)
{
	uint64_t before;

	do {
		before = u->given;
		paths_nap(15 * u->paths->slow);
	} while (u->given != before);
}

/**
 * user_pause() - stop the user's stream, and remember what the region looks like
 * @p: the run
 */
void user_pause(struct paths *p)
{
	struct user *u = p->user;

	feed_pause(&u->stream, true);
	user_settle(u);
	for (uint32_t i = 0; i < REGION_PAGES; i++)
		memcpy(u->prints[i], u->b->region.addr + (size_t)i * PAGE, PRINT);
}

/**
 * user_touched() - how much the NIC has written to the region since user_pause()
 * @p: the run
 *
 * Return: number of pages that have other bytes than then.
 */
unsigned int user_touched(struct paths *p)
{
	const struct user *u = p->user;
	unsigned int n = 0;

	for (uint32_t i = 0; i < REGION_PAGES; i++)
		n += !!memcmp(u->prints[i], u->b->region.addr + (size_t)i * PAGE, PRINT);
	return n;
}

/**
 * user_finds() - look for bytes in the region
 * @p: the run
 * @bytes: what to look for
 * @len: how many
 *
 * Return: whether they are there.
 */
bool user_finds(struct paths *p, const void *bytes, size_t len)
{
	const struct zcrx_region *r = &p->user->b->region;

	return memmem(r->addr, r->size, bytes, len);
}

/**
 * user_resume() - go on after user_pause()
 * @p: the run
 */
void user_resume(struct paths *p)
{
	feed_pause(&p->user->stream, false);
}

/**
 * user_turns() - let the region's pages go round, so that each that can be used again is
 * @p: the run
 *
 * Return: false if the user does not receive any more.
 */
bool user_turns(struct paths *p)
{
	uint64_t until = p->user->given + TURN_PIECES, end = paths_now_ms() + 5000 * p->slow;

	while (p->user->given < until) {
		if (paths_now_ms() > end || p->user->wrong)
			return false;
		paths_nap(2);
	}
	return true;
}
