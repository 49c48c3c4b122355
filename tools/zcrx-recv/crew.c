// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Several queues: a receiver and a thread each. The first runs in the thread of main(),
 * listens, hands each connection to the receiver whose queue its packets come by, and
 * reports. With one queue it is the only one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "nicinfo.h"
#include "receiver.h"
#include "stop.h"

/* Queues are asked for their NAPI instances no more often */
#define NAPIS_NS	100000000ULL
/* A thread that writes to a slow reader is reminded of a signal so often */
#define REMIND_NS	50000000L

static struct receiver *first_of(struct crew *crew)
{
	return &crew->members[0];
}

/* ---- beginning --------------------------------------------------------- */

static int init_member(struct crew *crew, uint32_t i, struct report *report)
{
	const struct recv_options *opt = crew->opt;
	struct receiver *r = &crew->members[i];

	r->crew = crew;
	r->index = i;
	r->opt = opt;
	r->cfg = opt->cfg;
	r->cfg.queue = opt->queues.at[i];
	/* a CPU each, as far as there are some */
	if (opt->cfg.cpu >= 0)
		r->cfg.cpu = opt->cfg.cpu + (int)i;
	r->own_report = *report;
	r->report = i ? &r->own_report : report;
	r->t.stats.page = (uint32_t)sysconf(_SC_PAGESIZE);
	r->t.stats.record = opt->record_pages * r->t.stats.page;
	r->inbox.source.fd = -1;
	pthread_mutex_init(&r->inbox.lock, NULL);
	if (crew->n == 1)
		return 0;
	r->inbox.source.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return r->inbox.source.fd < 0 ? -errno : 0;
}

/**
 * crew_init() - make the receivers, which do not run yet
 * @crew: all of them
 * @opt: what the user asked for
 * @report: where to say things
 *
 * Return: 0, -errno; crew_free() in either case.
 */
int crew_init(struct crew *crew, const struct recv_options *opt, struct report *report)
{
	int err = 0;

	memset(crew, 0, sizeof(*crew));
	crew->opt = opt;
	crew->listeners[0].source.fd = crew->listeners[1].source.fd = -1;
	sem_init(&crew->started, 0, 0);
	crew->members = calloc(opt->queues.n, sizeof(*crew->members));
	if (!crew->members)
		return -ENOMEM;
	crew->n = opt->queues.n;
	crew->running = 1;
	crew->last = crew->n - 1;
	for (uint32_t i = 0; i < crew->n && !err; i++)
		err = init_member(crew, i, report);
	return err;
}

/**
 * crew_free() - undo crew_init()
 * @crew: all receivers; none runs any more
 */
void crew_free(struct crew *crew)
{
	for (uint32_t i = 0; i < crew->n; i++) {
		struct receiver *r = &crew->members[i];

		if (r->crew && r->inbox.source.fd >= 0)
			close(r->inbox.source.fd);
		if (r->crew)
			pthread_mutex_destroy(&r->inbox.lock);
	}
	free(crew->members);
	sem_destroy(&crew->started);
}

static void ask_napis(struct crew *crew)
{
	const struct recv_options *opt = crew->opt;

	if (opt->cfg.iface)
		nicinfo_queue_napis(opt->cfg.iface, opt->queues.at, crew->n, crew->napis);
	crew->napis_at = clock_ns();
}

/* The life of a receiver that is not the first */
static void *live(void *arg)
{
	struct receiver *r = arg;

	r->start_error = recv_start(r);
	sem_post(&r->crew->started);
	if (!r->start_error) {
		recv_loop(r);
		recv_finish(r);
	}
	recv_free(r);
	return NULL;
}

static int start_member(struct crew *crew, struct receiver *r)
{
	int err = pthread_create(&r->thread, NULL, live, r);

	if (err) {
		fprintf(r->report->talk, "%s: no thread for queue %u: %s\n", r->report->prog,
			r->cfg.queue, strerror(err));
		return -err;
	}
	crew->running++;
	while (sem_wait(&crew->started))
		;	/* a signal */
	return r->start_error;
}

/**
 * crew_start() - let all receivers but the first run
 * @crew: all receivers; the first is ready
 *
 * One after the other, as each may restart the NIC.
 *
 * Return: 0, -errno after it was told why.
 */
int crew_start(struct crew *crew)
{
	int err = 0;

	if (crew->n == 1)
		return 0;
	stop_remind_install();
	for (uint32_t i = 1; i < crew->n && !err; i++)
		err = start_member(crew, &crew->members[i]);
	ask_napis(crew);
	return err;
}

/* ---- ending ------------------------------------------------------------ */

/**
 * crew_wake() - there is something to do for a receiver
 * @r: the receiver
 */
void crew_wake(struct receiver *r)
{
	if (r->inbox.source.fd >= 0)
		eventfd_write(r->inbox.source.fd, 1);
}

/**
 * crew_over() - all receivers are to end
 * @crew: all of them
 */
void crew_over(struct crew *crew)
{
	if (atomic_exchange(&crew->over, true))
		return;
	for (uint32_t i = 0; i < crew->n; i++)
		crew_wake(&crew->members[i]);
}

/* A signal interrupts the system call of one thread, which need not be the one that blocks */
static void join(struct receiver *r)
{
	struct timespec until;

	do {
		if (stop_wanted())
			stop_remind(r->thread);
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += REMIND_NS;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
	} while (pthread_timedjoin_np(r->thread, NULL, &until) == ETIMEDOUT);
}

/* What was handed over too late to be taken */
static void drop_inbox(struct receiver *r)
{
	struct conn *c;

	while ((c = r->inbox.conns)) {
		r->inbox.conns = c->next;
		r->t.connections++;
		r->t.open++;
		output_conn_over(&r->crew->members[0], c, false);
		conn_free(c);
	}
}

/**
 * crew_join() - wait until all receivers but the first have ended
 * @crew: all receivers; they are to end
 */
void crew_join(struct crew *crew)
{
	for (uint32_t i = 1; i < crew->running; i++)
		join(&crew->members[i]);
	for (uint32_t i = 1; i < crew->running; i++)
		drop_inbox(&crew->members[i]);
	crew->running = 1;
}

/* ---- connections ------------------------------------------------------- */

static enum queue_owner find_owner(struct crew *crew, const struct conn *c, uint32_t *at)
{
	uint32_t napi = net_incoming_napi(c->source.fd);
	enum queue_owner owner = queues_owner(crew->napis, crew->n, napi, at);

	/* the instances of a NIC that was reset are new ones */
	if (owner == QUEUE_OURS || !napi || clock_ns() - crew->napis_at < NAPIS_NS)
		return owner;
	ask_napis(crew);
	return queues_owner(crew->napis, crew->n, napi, at);
}

/* Whoever has fewest, of equals the next one: connections that come one by one go round */
static struct receiver *least_loaded(struct crew *crew)
{
	uint32_t least = (crew->last + 1) % crew->n;

	for (uint32_t i = 1; i < crew->n; i++) {
		uint32_t at = (crew->last + 1 + i) % crew->n;

		if (crew->members[at].load < crew->members[least].load)
			least = at;
	}
	crew->last = least;
	return &crew->members[least];
}

/* Whoever has it: what comes is copied, which the first of them is told of at once */
static void note_stray(struct crew *crew, const struct conn *c, enum queue_owner owner)
{
	struct receiver *r = first_of(crew);
	bool elsewhere = owner == QUEUE_ELSEWHERE;
	uint64_t *count = elsewhere ? &crew->elsewhere : &crew->unknown;

	if (!(*count)++ && r->backend->ops->zero_copy)
		say_stray(r, c, elsewhere ? "flow-elsewhere" : "flow-unknown");
}

/* A kernel that does not count what it copies (6.15 to 7.1) leaves no other sign of a stray flow */
static bool copies_unseen(const struct crew *crew)
{
	const struct receiver *r = &crew->members[0];

	return r->backend->ops->zero_copy && !(r->t.counted & ZCRX_COUNTED_FOREIGN);
}

static struct receiver *owner_of(struct crew *crew, const struct conn *c)
{
	enum queue_owner owner;
	uint32_t at = 0;

	if (crew->n == 1 && !copies_unseen(crew))
		return first_of(crew);
	owner = find_owner(crew, c, &at);
	if (owner == QUEUE_OURS)
		return &crew->members[at];
	/* of one queue there is nothing to choose, and that the kernel does not tell is no news */
	if (crew->n == 1 && owner == QUEUE_UNKNOWN)
		return first_of(crew);
	note_stray(crew, c, owner);
	return least_loaded(crew);
}

/**
 * crew_hand_over() - give a new connection to the receiver whose queue it comes by
 * @crew: all receivers
 * @c: the connection; where no queue of theirs has it, whoever has fewest gets it
 */
void crew_hand_over(struct crew *crew, struct conn *c)
{
	struct receiver *r = owner_of(crew, c);

	crew->open++;
	r->load++;
	if (is_first(r)) {
		conn_take(r, c);
		return;
	}
	pthread_mutex_lock(&r->inbox.lock);
	c->next = r->inbox.conns;
	r->inbox.conns = c;
	pthread_mutex_unlock(&r->inbox.lock);
	crew_wake(r);
}

/**
 * crew_take_inbox() - do what a receiver was woken for
 * @r: the receiver
 */
void crew_take_inbox(struct receiver *r)
{
	struct conn *c, *next;
	eventfd_t n;
	int err;

	eventfd_read(r->inbox.source.fd, &n);
	pthread_mutex_lock(&r->inbox.lock);
	c = r->inbox.conns;
	r->inbox.conns = NULL;
	pthread_mutex_unlock(&r->inbox.lock);
	for (; c; c = next) {
		next = c->next;
		conn_take(r, c);
	}
	if (is_first(r))
		listen_resume(r);
	err = zcrx_watch(r->backend, &r->inbox.source);
	if (err)
		recv_fail(r, ZCRX_STEP_RECEIVE, err);
}
