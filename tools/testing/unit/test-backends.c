// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Back ends: the cable between two devices, with both ends in this program, and
 * the TAP, in a network namespace of its own where that is allowed.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include "../../bnxt-emu/be_pair.h"
#include "../../bnxt-emu/be_tap.h"
#include "../tap.h"
#include "no-hooks.h"

#define BIG	60000

struct end {
	struct loop *loop;
	struct backend *be;
	unsigned int frames, bad;
	uint32_t next;			/* number of the frame that has to come */
	size_t last_len;
	struct virtio_net_hdr_v1 last_hdr;
	int carrier;			/* -1: not told yet */
	bool room;
	unsigned int hold_at;		/* frames after which it takes no more */
};

static void on_rx(void *host, const struct virtio_net_hdr_v1 *hdr, const uint8_t *frame, size_t len)
{
	struct end *e = host;
	uint32_t number;

	memcpy(&number, frame + ETH_HLEN, sizeof(number));
	if (number == e->next)
		e->next++;
	else
		e->bad++;
	if (++e->frames == e->hold_at)
		e->be->class->hold(e->be, true);
	e->last_len = len;
	e->last_hdr = *hdr;
}

static void on_rx_end(void *host)
{
	(void)host;
}

static void on_carrier(void *host, bool up)
{
	((struct end *)host)->carrier = up;
}

static void on_room(void *host, bool room)
{
	((struct end *)host)->room = room;
}

static const struct backend_ops ops = {
	.rx = on_rx, .rx_end = on_rx_end, .carrier = on_carrier, .tx_room = on_room,
};

struct test {
	struct loop *loop;
	struct end a, b;
	uint64_t until;
	char path[64];
};

static uint64_t end_timers(struct end *e, uint64_t now)
{
	return e->be && e->be->class->timers ? e->be->class->timers(e->be, now) : UINT64_MAX;
}

static uint64_t on_timers(void *arg, uint64_t now)
{
	struct test *t = arg;

	end_timers(&t->a, now);
	end_timers(&t->b, now);
	if (now >= t->until)
		loop_stop(t->loop, 0);
	return 1000000;
}

static const struct loop_hooks hooks = { no_poll, no_flush, on_timers, no_sleep };

static void run(struct test *t, unsigned int ms)
{
	t->until = loop_now() + ms * 1000000ull;
	loop_run(t->loop);
}

static void start(struct test *t)
{
	*t = (struct test){ .a = { .carrier = -1, .room = true }, .b = { .carrier = -1, .room = true } };
	strcpy(t->path, "/tmp/test-backends.XXXXXX");
	if (!mkdtemp(t->path))
		tap_bail("no directory");
	strcat(t->path, "/cable");
	t->loop = loop_new(&hooks, t, 0);
}

static void plug(struct test *t, struct end *e)
{
	e->be = be_pair_new(t->loop, t->path, &ops, e);
	if (!e->be)
		tap_bail("%s: %s", t->path, strerror(errno));
}

static void unplug(struct end *e)
{
	if (e->be)
		e->be->class->free(e->be);
	e->be = NULL;
}

static void end(struct test *t)
{
	unplug(&t->a);
	unplug(&t->b);
	tap_ok(access(t->path, F_OK), "nothing is left in the file system");
	*strrchr(t->path, '/') = 0;
	rmdir(t->path);
	loop_free(t->loop);
}

/* Frame @number, in two pieces */
static void send_frame(struct end *e, uint32_t number, size_t len)
{
	static uint8_t frame[BIG];
	struct virtio_net_hdr_v1 hdr = { .gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 1448 };
	struct iovec iov[2] = {
		{ .iov_base = frame, .iov_len = 40 }, { .iov_base = frame + 40, .iov_len = len - 40 },
	};

	memcpy(frame + ETH_HLEN, &number, sizeof(number));
	e->be->class->tx(e->be, &hdr, iov, 2);
}

static void test_pair(void)
{
	struct test t;

	start(&t);
	plug(&t, &t.a);
	tap_eq(t.a.carrier, 0, "the first end: nobody is at the other");
	send_frame(&t.a, 0, 100);
	tap_eq(t.a.be->stats.tx_lost, 1, "frames are lost");
	plug(&t, &t.b);
	run(&t, 20);
	tap_ok(t.a.carrier == 1 && t.b.carrier == -1, "the second end is there, both have a carrier");
	tap_ok(access(t.path, F_OK), "the name is gone: a cable has two ends");
	send_frame(&t.a, 0, BIG);
	send_frame(&t.b, 0, 60);
	run(&t, 20);
	tap_ok(t.b.frames == 1 && t.b.last_len == BIG && t.b.last_hdr.gso_size == 1448,
	       "a large frame passes whole, with its header");
	tap_ok(t.a.frames == 1 && t.a.last_len == 60, "so does a small one the other way");
	unplug(&t.b);
	run(&t, 20);
	tap_eq(t.a.carrier, 0, "one end leaves: no carrier");
	plug(&t, &t.b);
	run(&t, 20);
	tap_eq(t.a.carrier, 1, "and comes again");
	unplug(&t.a);
	run(&t, 20);
	plug(&t, &t.a);
	run(&t, 20);
	tap_ok(t.b.carrier == 1, "the end that had connected takes a new partner, too");
	end(&t);
}

/* Nothing may be lost or change places while the other end does not read */
static void test_pressure(void)
{
	struct test t;
	uint32_t sent = 0;

	start(&t);
	plug(&t, &t.a);
	plug(&t, &t.b);
	run(&t, 20);
	t.b.be->class->hold(t.b.be, true);
	while (t.a.room && sent < 10000)
		send_frame(&t.a, sent++, BIG);
	tap_ok(sent < 10000 && !t.a.room, "an end that is held: the sender is told after %u large frames", sent);
	for (int i = 0; i < 50; i++)
		send_frame(&t.a, sent++, BIG);
	run(&t, 20);
	tap_eq(t.b.frames, 0, "nothing comes meanwhile");
	/* some room in the socket, while frames wait that have to go first */
	t.b.hold_at = 10;
	t.b.be->class->hold(t.b.be, false);
	run(&t, 20);
	tap_ok(t.b.frames == 10 && !t.a.room, "some are taken");
	for (int i = 0; i < 5; i++)
		send_frame(&t.a, sent++, 60);
	t.b.be->class->hold(t.b.be, false);
	run(&t, 300);
	tap_ok(t.b.frames == sent && !t.b.bad, "then all %u come, in their order", sent);
	tap_ok(t.a.room && !t.a.be->stats.tx_lost && t.a.be->stats.tx_frames == sent, "and there is room again");

	t.b.be->class->hold(t.b.be, true);
	for (uint32_t i = 0; i < 3000; i++)
		send_frame(&t.a, sent++, BIG);
	tap_ok(t.a.be->stats.tx_lost > 0, "who does not listen to that loses frames in the end: %u",
	       (unsigned int)t.a.be->stats.tx_lost);
	unplug(&t.b);
	run(&t, 20);
	tap_ok(t.a.carrier == 0 && t.a.room, "the other end leaves with all that queued: the sender is free");
	end(&t);
}

static void test_names(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	char longer[200];
	struct test t;
	int fd;

	start(&t);
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = 0;
	tap_ok(!be_pair_new(t.loop, longer, &ops, &t.a) && errno == ENAMETOOLONG, "a name that is too long");
	tap_ok(!be_pair_new(t.loop, "/nowhere/at/all", &ops, &t.a) && errno == ENOENT, "a directory that is not there");
	fd = open(t.path, O_CREAT | O_WRONLY, 0600);
	close(fd);
	plug(&t, &t.a);
	plug(&t, &t.b);
	run(&t, 20);
	tap_ok(t.a.carrier == 1, "a leftover of that name is no obstacle");
	unplug(&t.a);
	unplug(&t.b);

	/* a process that died while it listened */
	fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	strcpy(sa.sun_path, t.path);
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) || listen(fd, 1))
		tap_bail("cannot bind");
	close(fd);
	t.a.carrier = -1;
	plug(&t, &t.a);
	plug(&t, &t.b);
	run(&t, 20);
	tap_ok(t.a.carrier == 1, "nor is a socket that nobody listens at");
	end(&t);
}

/* A peer that speaks another language */
static void test_strange_peer(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	static uint8_t big[200000];
	struct test t;
	int fd;

	start(&t);
	plug(&t, &t.a);
	fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	strcpy(sa.sun_path, t.path);
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)))
		tap_bail("cannot connect");
	run(&t, 10);
	(void)!send(fd, big, 1, 0);
	(void)!send(fd, big, 12 + 13, 0);
	(void)!send(fd, big, 12 + 70000, 0);
	(void)!send(fd, big, 12 + 60, 0);
	run(&t, 10);
	tap_ok(t.a.be->stats.rx_bad == 3 && t.a.frames == 1, "messages too short or too long are counted, and no more");
	close(fd);
	run(&t, 10);
	tap_eq(t.a.carrier, 0, "it leaves");
	end(&t);
}

/*
 * TAP
 */

static int packet_socket(const char *dev)
{
	struct ifreq ifr = { .ifr_flags = IFF_UP };
	struct sockaddr_ll sll = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_ALL));

	strcpy(ifr.ifr_name, dev);
	sll.sll_ifindex = if_nametoindex(dev);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &ifr) || bind(fd, (struct sockaddr *)&sll, sizeof(sll)))
		tap_bail("packet socket: %s", strerror(errno));
	return fd;
}

/* Counts frames of type 0x88b5 (for experiments); the host sends others by itself */
static unsigned int count_host(int fd)
{
	uint8_t frame[2000];
	unsigned int n = 0;

	while (recv(fd, frame, sizeof(frame), 0) >= 0)
		n += frame[12] == 0x88 && frame[13] == 0xb5;
	return n;
}

static void test_one_tap(unsigned int queues)
{
	struct be_tap_config cfg = { .name = "taptest", .fd = -1, .queues = queues, .gso = true };
	struct virtio_net_hdr_v1 hdr = { 0 };
	uint8_t frame[100] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 9, 0x88, 0xb5 };
	struct iovec iov = { .iov_base = frame, .iov_len = sizeof(frame) };
	unsigned int before;
	struct test t;
	int fd;

	start(&t);
	t.a.be = be_tap_new(t.loop, &cfg, &ops, &t.a);
	if (!tap_ok(t.a.be, "a TAP with %u queues%s%s", queues, t.a.be ? "" : ": ",
		    t.a.be ? "" : strerror(errno)))
		return;
	fd = packet_socket("taptest");
	run(&t, 20);
	count_host(fd);
	for (int i = 0; i < 20; i++) {
		frame[30] = i;
		t.a.be->class->tx(t.a.be, &hdr, &iov, 1);
	}
	tap_eq(count_host(fd), 20, "the host gets what the device sends");
	before = t.a.frames;
	for (int i = 0; i < 20; i++)
		(void)!send(fd, frame, sizeof(frame), 0);
	run(&t, 20);
	tap_ok(t.a.frames - before >= 20, "and the device what the host sends");
	t.a.be->class->hold(t.a.be, true);
	before = t.a.frames;
	for (int i = 0; i < 5; i++)
		(void)!send(fd, frame, sizeof(frame), 0);
	run(&t, 10);
	tap_eq(t.a.frames, before, "held: nothing comes");
	t.a.be->class->hold(t.a.be, false);
	run(&t, 10);
	tap_ok(t.a.frames - before >= 5, "then all of it");
	t.a.be->class->tx(t.a.be, &hdr, &iov, 0);
	iov.iov_len = 5;
	t.a.be->class->tx(t.a.be, &hdr, &iov, 1);
	tap_eq(t.a.be->stats.tx_lost, 2, "what the TAP refuses is counted");
	close(fd);
	end(&t);
}

static void test_tap(void)
{
	struct be_tap_config cfg = { .name = "a-name-longer-than-15", .fd = -1, .queues = 1 };
	struct test t;

	if (geteuid() || unshare(CLONE_NEWNET) || access("/dev/net/tun", R_OK | W_OK)) {
		tap_skip("TAP", "that takes root and /dev/net/tun");
		return;
	}
	test_one_tap(1);
	test_one_tap(4);
	start(&t);
	tap_ok(!be_tap_new(t.loop, &cfg, &ops, &t.a) && errno == ENAMETOOLONG, "a name that is too long");
	cfg.fd = open("/dev/null", O_RDWR);
	tap_ok(!be_tap_new(t.loop, &cfg, &ops, &t.a) && fcntl(cfg.fd, F_GETFD) >= 0,
	       "a descriptor that is no TAP stays the caller's");
	close(cfg.fd);
	end(&t);
}

int main(void)
{
	test_pair();
	test_pressure();
	test_names();
	test_strange_peer();
	test_tap();
	return tap_done();
}
