// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The vhost-user back end against a front end that behaves as User Mode Linux
 * does, and against ones that do not. The front end is a thread on the other end
 * of the real socket; the back end's loop runs in the main thread until the
 * connection ends.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../bnxt-emu/sigbus.h"
#include "../../bnxt-emu/vhost_user.h"
#include "../tap.h"
#include "../vhost-front.h"
#include "leaks.h"
#include "no-hooks.h"

#define MEM_SIZE	0x10000u
#define GUEST_BASE	0x4000000ull	/* guest physical */
#define USER_BASE	0x60000000ull	/* the same in the front end's addresses */
#define NUM		8u
#define QUEUES 2

struct front {
	char path[64];
	int sock;
	int memfd;
	uint8_t *mem;
	int kick[QUEUES], call[QUEUES][2];
	bool (*act)(struct front *f);
	bool good;
};

struct back {
	struct loop *loop;
	struct vhost_user *vu;
	struct dma_map map;
	unsigned int kicks[QUEUES];
	unsigned int running;		/* bit mask of queues */
	unsigned int regions;
	unsigned int rounds;		/* of the loop */
	bool closed;
	char reason[128];
};

/*
 * The device
 */

static void mem_changed(void *host, const struct dma_region *region, unsigned int n)
{
	struct back *b = host;

	dma_map_clear(&b->map);
	b->regions = n;
	for (unsigned int i = 0; i < n; i++)
		dma_map_add(&b->map, region[i].iova, region[i].size, region[i].host);
}

/* Gives each chain of queue 0 back, with its first byte as the length */
static void kicked(void *host, unsigned int queue)
{
	struct back *b = host;
	struct virtqueue *vq = vhost_user_queue(b->vu, queue);
	struct vq_elem e;

	b->kicks[queue]++;
	while (vq_pop(vq, &e) == VQ_GOT) {
		uint8_t byte = 0;

		vq_read(&e, 0, &byte, 1);
		vq_push(vq, &e, byte);
	}
	vhost_user_call(b->vu, queue);
}

static void queue_state(void *host, unsigned int queue, bool running)
{
	struct back *b = host;

	b->running &= ~(1u << queue);
	b->running |= (unsigned int)running << queue;
}

static void closed(void *host, const char *reason)
{
	struct back *b = host;

	b->closed = true;
	snprintf(b->reason, sizeof(b->reason), "%s", reason ? reason : "");
	loop_stop(b->loop, 0);
}

static const struct vhost_user_ops ops = { mem_changed, kicked, queue_state, closed };

static bool count_round(void *arg)
{
	struct back *b = arg;

	b->rounds++;
	return false;
}

static const struct loop_hooks hooks = { count_round, no_flush, no_timers, no_sleep };

/*
 * The front end
 */

static bool send_raw(struct front *f, const void *a, size_t a_len, const void *b, size_t b_len,
		     const int *fds, unsigned int nfds)
{
	struct iovec iov[2] = { { (void *)a, a_len }, { (void *)b, b_len } };
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(16 * sizeof(int))];
	} control;
	struct msghdr mh = { .msg_iov = iov, .msg_iovlen = b ? 2 : 1 };

	if (nfds) {
		struct cmsghdr *c = &control.align;

		mh.msg_control = &control;
		mh.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, nfds * sizeof(int));
	}
	return sendmsg(f->sock, &mh, MSG_NOSIGNAL) > 0;
}

/* Without @payload the header is sent alone, whatever size it tells */
static bool send_msg(struct front *f, uint32_t req, uint32_t flags, const void *payload,
		     uint32_t size, const int *fds, unsigned int nfds)
{
	uint32_t hdr[3] = { req, flags, size };

	return send_raw(f, hdr, sizeof(hdr), payload, size, fds, nfds);
}

/* A reply's first 64 bits, all ones when there is none */
static uint64_t reply(struct front *f)
{
	struct {
		uint32_t req, flags, size;
		uint8_t payload[64];
	} r;
	uint64_t v = 0;

	if (recv(f->sock, &r, 12, MSG_WAITALL) != 12 || r.flags != 5 ||
	    r.size > sizeof(r.payload) ||
	    recv(f->sock, r.payload, r.size, MSG_WAITALL) != (ssize_t)r.size)
		return ~0ull;
	memcpy(&v, r.payload, 8);
	return v;
}

static uint64_t ask(struct front *f, uint32_t req, const void *payload, uint32_t size,
		    const int *fds, unsigned int nfds)
{
	if (!send_msg(f, req, VHOST_VERSION | VHOST_NEED_REPLY, payload, size, fds, nfds))
		return ~0ull;
	return reply(f);
}

static uint64_t set_u64(struct front *f, uint32_t req, uint64_t v)
{
	return ask(f, req, &v, 8, NULL, 0);
}

static uint64_t set_state(struct front *f, uint32_t req, uint32_t index, uint32_t num)
{
	uint32_t p[2] = { index, num };

	return ask(f, req, p, sizeof(p), NULL, 0);
}

static uint64_t set_fd(struct front *f, uint32_t req, uint64_t index, int fd)
{
	return ask(f, req, &index, 8, &fd, fd >= 0);
}

static uint64_t set_mem(struct front *f, uint64_t size, uint64_t offset)
{
	uint64_t p[5] = { 1, GUEST_BASE, size, USER_BASE, offset };

	return ask(f, REQ_SET_MEM_TABLE, p, sizeof(p), &f->memfd, 1);
}

static uint64_t set_addr(struct front *f, uint32_t index, uint64_t desc, uint64_t used,
			 uint64_t avail)
{
	const struct vhost_addr p = { index, 0, desc, used, avail, ~0ull };

	return ask(f, REQ_SET_VRING_ADDR, &p, sizeof(p), NULL, 0);
}

static bool negotiate(struct front *f)
{
	uint64_t features, protocol;

	send_msg(f, REQ_SET_OWNER, VHOST_VERSION, NULL, 0, NULL, 0);
	send_msg(f, REQ_GET_FEATURES, VHOST_VERSION, NULL, 0, NULL, 0);
	features = reply(f);
	send_msg(f, REQ_GET_PROTOCOL, VHOST_VERSION, NULL, 0, NULL, 0);
	protocol = reply(f);
	return features == VHOST_FEATURES && protocol == VHOST_PROTOCOL &&
	       !set_u64(f, REQ_SET_PROTOCOL, protocol) &&
	       !set_fd(f, REQ_SET_SLAVE_FD, 0, f->call[0][1]) &&
	       !set_u64(f, REQ_SET_FEATURES, features);
}

static bool set_up_queue(struct front *f, unsigned int q)
{
	uint64_t at = USER_BASE + q * 0x3000;

	return !set_fd(f, REQ_SET_VRING_CALL, q, f->call[q][1]) &&
	       !set_state(f, REQ_SET_VRING_NUM, q, NUM) &&
	       !set_state(f, REQ_SET_VRING_BASE, q, 0) &&
	       !set_addr(f, q, at, at + 0x2000, at + 0x1000) &&
	       !set_fd(f, REQ_SET_VRING_KICK, q, f->kick[q]) &&
	       !set_state(f, REQ_SET_VRING_ENABLE, q, 1);
}

static bool set_up(struct front *f)
{
	return negotiate(f) && !set_mem(f, MEM_SIZE, 0) && set_up_queue(f, 0) && set_up_queue(f, 1);
}

/* Makes one more buffer available in queue 0, in vain */
static bool queue_is_dead(struct front *f)
{
	struct vring_desc *desc = (void *)f->mem;
	struct vring_avail *avail = (void *)(f->mem + 0x1000);
	struct vring_used *used = (void *)(f->mem + 0x2000);
	uint16_t before = __atomic_load_n(&used->idx, __ATOMIC_ACQUIRE);
	uint64_t one = 1;

	desc[3] = (struct vring_desc){ .addr = GUEST_BASE + 0x8000, .len = 1 };
	avail->ring[avail->idx % NUM] = 3;
	__atomic_store_n(&avail->idx, avail->idx + 1, __ATOMIC_RELEASE);
	/* two answers: the kick was seen in between at the latest */
	return write(f->kick[0], &one, 8) == 8 && !set_u64(f, REQ_SET_FEATURES, 1ull << 32) &&
	       !set_u64(f, REQ_SET_FEATURES, 1ull << 32) &&
	       __atomic_load_n(&used->idx, __ATOMIC_ACQUIRE) == before;
}

static bool polite(struct front *f)
{
	struct vring_desc *desc = (void *)f->mem;
	struct vring_avail *avail = (void *)(f->mem + 0x1000);
	struct vring_used *used = (void *)(f->mem + 0x2000);
	struct pollfd pfd = { .fd = f->call[0][0], .events = POLLIN };
	uint64_t one = 1, call;
	uint32_t base[2] = { 0 };

	/* enabling a queue makes the device look into it, and this one's call then */
	if (!set_up(f) || read(f->call[0][0], &call, 8) != 8)
		return false;
	f->mem[0x8000] = 77;
	desc[2] = (struct vring_desc){ .addr = GUEST_BASE + 0x8000, .len = 1 };
	avail->ring[0] = 2;
	__atomic_store_n(&avail->idx, 1, __ATOMIC_RELEASE);
	if (write(f->kick[0], &one, 8) != 8 || poll(&pfd, 1, 2000) != 1)
		return false;
	if (__atomic_load_n(&used->idx, __ATOMIC_ACQUIRE) != 1 || used->ring[0].id != 2 ||
	    used->ring[0].len != 77)
		return false;
	/* GET_VRING_BASE stops the queue and tells where it is */
	return send_msg(f, REQ_GET_VRING_BASE, VHOST_VERSION, base, sizeof(base), NULL, 0) &&
	       reply(f) == 1ull << 32 && queue_is_dead(f);
}

/* Each of these must be refused by an answer that is not 0 */
static bool refused(struct front *f)
{
	bool good = negotiate(f);

	good &= set_u64(f, REQ_SET_FEATURES, 1ull << 32 | 1ull << 28) ==
		1; /* a feature not offered */
	good &= set_u64(f, REQ_SET_FEATURES, 1ull << 30) == 1; /* no VERSION_1 */
	good &= set_u64(f, REQ_SET_PROTOCOL, 1 << 14) == 1; /* in-band notifications */
	good &= ask(f, REQ_SET_SLAVE_FD, NULL, 0, NULL, 0) == 1; /* no descriptor */
	good &= set_mem(f, MEM_SIZE, 4096) == 1; /* beyond the end of the file */
	good &= set_mem(f, 0, 0) == 1;					/* nothing */
	good &= set_mem(f, 4096, ~0ull - 100) == 1;			/* wraps */
	good &= set_state(f, REQ_SET_VRING_NUM, 0, NUM) == 0;
	good &= set_addr(f, 0, USER_BASE, USER_BASE + 0x2000, USER_BASE + 0x1000) ==
		1; /* no memory yet */
	good &= set_mem(f, MEM_SIZE, 0) == 0;
	good &= set_state(f, REQ_SET_VRING_NUM, 0, 7) == 1 &&
		set_state(f, REQ_SET_VRING_NUM, 0, 1 << 20) == 1;
	good &= set_state(f, REQ_SET_VRING_NUM, QUEUES, NUM) == 1 &&
		set_state(f, REQ_SET_VRING_ENABLE, ~0u, 1) == 1;
	good &= set_state(f, REQ_SET_VRING_NUM, 0, NUM) == 0;
	good &= set_addr(f, 0, USER_BASE + MEM_SIZE - 64, USER_BASE, USER_BASE + 0x1000) == 1;
	good &= set_addr(f, 0, ~0ull - 8, USER_BASE, USER_BASE + 0x1000) == 1;
	good &= set_addr(f, 0, GUEST_BASE, GUEST_BASE + 0x2000, GUEST_BASE + 0x1000) ==
		1; /* wrong kind of address */
	good &= set_state(f, REQ_SET_VRING_BASE, 0, 1 << 16) == 1;
	good &= set_fd(f, REQ_SET_VRING_KICK, 0, -1) == 1 &&
		set_fd(f, REQ_SET_VRING_KICK, 1 << 8, f->kick[0]) == 1;
	good &= set_fd(f, REQ_SET_VRING_KICK, 200, f->kick[0]) == 1 &&
		set_fd(f, REQ_SET_VRING_CALL, 200, f->call[0][1]) == 1;
	good &= set_state(f, REQ_SET_VRING_ENABLE, 0, 2) == 1;
	good &= ask(f, 99, NULL, 0, NULL, 0) == 1 && ask(f, 7, NULL, 0, NULL, 0) == 1;
	good &= ask(f, REQ_SET_VRING_BASE, "\0\0\0", 4, NULL, 0) ==
		1; /* shorter than its contents */
	/* and after all that it still works */
	return good && set_up_queue(f, 0);
}

static bool bad_mem_tables(struct front *f)
{
	struct {
		uint32_t num, pad;
		uint64_t r[8][4];
	} mem = { .num = 200 };
	int fds[8];
	bool good = negotiate(f);

	for (uint64_t i = 0; i < 8; i++) {
		fds[i] = f->memfd;
		memcpy(mem.r[i],
		       (uint64_t[]){ GUEST_BASE + (i << 32), 4096, USER_BASE + (i << 32), 0 }, 32);
	}
	good &= ask(f, REQ_SET_MEM_TABLE, &mem, sizeof(mem), fds, 1) ==
		1; /* more than there can be */
	mem.num = 2;
	good &= ask(f, REQ_SET_MEM_TABLE, &mem, sizeof(mem), fds, 1) ==
		1; /* more than descriptors */
	good &= ask(f, REQ_SET_MEM_TABLE, &mem, sizeof(mem), fds, 3) ==
		1; /* fewer than descriptors */
	good &= ask(f, REQ_SET_MEM_TABLE, &mem, 8 + 32, fds, 2) ==
		1; /* more than the message holds */
	good &= ask(f, REQ_SET_MEM_TABLE, &mem, sizeof(mem), fds, 2) == 0;
	memcpy(mem.r[1], mem.r[0], 32);
	good &= ask(f, REQ_SET_MEM_TABLE, &mem, sizeof(mem), fds, 2) == 1; /* the same twice */
	return good;
}

static bool too_many_fds(struct front *f)
{
	uint64_t features = 1ull << 32;
	int fds[16];

	for (int i = 0; i < 16; i++)
		fds[i] = f->memfd;
	/* they are closed, and the message is served; with the payload come as many again */
	if (!negotiate(f) || ask(f, REQ_SET_FEATURES, &features, 8, fds, 16) ||
	    !send_msg(f, REQ_SET_FEATURES, VHOST_VERSION | VHOST_NEED_REPLY, NULL, 8, fds, 8))
		return false;
	usleep(20000);
	return send_raw(f, &features, 8, NULL, 0, fds, 8) && reply(f) == 0;
}

static bool new_memory_stops(struct front *f)
{
	return set_up(f) && set_mem(f, MEM_SIZE, 0) == 0 && queue_is_dead(f);
}

/* A pipe whose other end is closed can be read from for ever, and gives nothing */
static bool kick_hangs_up(struct front *f)
{
	int p[2];
	bool good;

	if (!set_up(f) || pipe2(p, O_CLOEXEC))
		return false;
	good = !set_fd(f, REQ_SET_VRING_KICK, 0, p[0]);
	close(p[0]);
	close(p[1]);
	usleep(100000);
	/* another one works */
	return good && !set_fd(f, REQ_SET_VRING_KICK, 0, f->kick[0]) &&
	       !set_u64(f, REQ_SET_FEATURES, 1ull << 32);
}

/* A kick from a socket that is not connected: an error each time */
static bool kick_is_broken(struct front *f)
{
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool good = set_up(f) && !set_fd(f, REQ_SET_VRING_KICK, 1, s);

	close(s);
	usleep(100000);
	return good && !set_u64(f, REQ_SET_FEATURES, 1ull << 32);
}

/* The file is shorter than it was when it was mapped, and then the device looks into it */
static bool memory_is_cut(struct front *f)
{
	uint64_t one = 1;

	return set_up(f) && !ftruncate(f->memfd, 0) && write(f->kick[0], &one, 8) == 8 &&
	       !set_u64(f, REQ_SET_FEATURES, 1ull << 32) &&
	       !set_u64(f, REQ_SET_FEATURES, 1ull << 32);
}

/* These end the connection */

static bool at_end(struct front *f)
{
	char c;

	return recv(f->sock, &c, 1, 0) <= 0;
}

static bool too_long(struct front *f)
{
	return send_msg(f, REQ_SET_FEATURES, VHOST_VERSION, NULL, 0xfffffff0, NULL, 0) && at_end(f);
}

static bool bad_version(struct front *f)
{
	return send_msg(f, REQ_GET_FEATURES, 2, NULL, 0, NULL, 0) && at_end(f);
}

static bool unknown_without_reply(struct front *f)
{
	return send_msg(f, 77, 1, NULL, 0, NULL, 0) && at_end(f);
}

static bool half_message(struct front *f)
{
	return send(f->sock, "\1\0\0", 3, 0) == 3;
}

/* In pieces: header byte by byte, then the payload */
static bool in_pieces(struct front *f)
{
	uint8_t msg[20] = { 2, 0, 0, 0, VHOST_VERSION | VHOST_NEED_REPLY, 0, 0, 0, 8 };

	msg[12 + 4] = 1;	/* bit 32 */
	for (unsigned int i = 0; i < sizeof(msg); i++) {
		if (send(f->sock, &msg[i], 1, 0) != 1)
			return false;
		usleep(200);
	}
	return reply(f) == 0;
}

static void *front_thread(void *arg)
{
	struct front *f = arg;
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	strcpy(sa.sun_path, f->path);
	f->sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (!connect(f->sock, (struct sockaddr *)&sa, sizeof(sa)))
		f->good = f->act(f);
	close(f->sock);
	return NULL;
}

struct scenario {
	const char *name;
	bool (*act)(struct front *f);
	const char *reason;	/* part of what the device is told in the end */
	bool cut;		/* its memory is */
};

static const struct scenario scenarios[] = {
	{ "a polite front end moves a buffer through a queue", polite, "" },
	{ "requests with impossible values are refused, one by one", refused, "" },
	{ "memory tables that do not add up", bad_mem_tables, "" },
	{ "more descriptors than are taken", too_many_fds, "" },
	{ "new memory stops the queues", new_memory_stops, "" },
	{ "a message in pieces", in_pieces, "" },
	{ "a kick that hangs up", kick_hangs_up, "" },
	{ "a kick that cannot be read", kick_is_broken, "" },
	{ "memory that is cut off", memory_is_cut, "", true },
	{ "a message that is too long", too_long, "too long" },
	{ "a version that is not known", bad_version, "version" },
	{ "a request that is not known", unknown_without_reply, "77" },
	{ "a message that breaks off", half_message, "inside" },
};

static void run(const struct scenario *s)
{
	struct front f = { .act = s->act };
	struct back b = { };
	struct vhost_user_config cfg = { .path = f.path, .queues = QUEUES, .dma = &b.map };
	unsigned int fds = open_fds();
	pthread_t thread;

	snprintf(f.path, sizeof(f.path), "/tmp/test-vhost-user.%d", getpid());
	f.memfd = memfd_create("guest", MFD_CLOEXEC);
	if (f.memfd < 0 || ftruncate(f.memfd, MEM_SIZE))
		tap_bail("no memory for the guest");
	f.mem = mmap(NULL, MEM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, f.memfd, 0);
	for (int q = 0; q < QUEUES; q++) {
		f.kick[q] = eventfd(0, EFD_CLOEXEC);
		if (pipe2(f.call[q], O_CLOEXEC))
			tap_bail("no pipe");
	}
	b.loop = loop_new(&hooks, &b, 0);
	b.vu = vhost_user_new(b.loop, &cfg, &ops, &b);
	if (!b.vu)
		tap_bail("cannot listen at %s", f.path);
	pthread_create(&thread, NULL, front_thread, &f);
	alarm(10);
	loop_run(b.loop);
	alarm(0);
	pthread_join(thread, NULL);

	tap_ok(f.good, "%s", s->name);
	tap_ok(b.closed && (*s->reason ? strstr(b.reason, s->reason) != NULL : !*b.reason),
	       "the device hears how it ended: %s", *b.reason ? b.reason : "in order");
	tap_ok(b.rounds < 5000, "the loop sleeps while nothing happens: %u rounds", b.rounds);
	tap_eq(sigbus_hit(), s->cut, "memory that is missing is noticed%s",
	       s->cut ? "" : ", none was");
	tap_ok(!b.running && !b.regions, "its queues are stopped and the memory is gone");
	tap_ok(access(f.path, F_OK), "the socket's name is gone");

	vhost_user_free(b.vu);
	loop_free(b.loop);
	for (int q = 0; q < QUEUES; q++) {
		close(f.kick[q]);
		close(f.call[q][0]);
		close(f.call[q][1]);
	}
	munmap(f.mem, MEM_SIZE);
	close(f.memfd);
	tap_eq(open_fds(), fds, "no descriptor is left");
	tap_ok(!guest_mapped(), "no mapping of the guest's memory is left");
}

int main(void)
{
	if (!sigbus_init())
		tap_bail("no handler for SIGBUS");
	for (unsigned int i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
		run(&scenarios[i]);
	return tap_done();
}
