// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * life-pump - what zc-life is connected to. Runs at the peer:
 *
 *	life-pump GUEST FILE PORT=ROLE[*N]...
 *
 * Each role is N processes, which connect to the port again and again:
 *
 *	flow	sends zcrx-send's pattern as fast as it is taken, without end
 *	quiet	says nothing
 *	hole	leaves one byte out, so that all it sends waits in the receiver's queue of
 *		what came too early
 *
 * FILE begins with a number of 32 bits, which zc-life changes when a connection is of no more
 * use: who was connected to something that is gone may hear of that late, or never.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pattern.h"

#define CONNECT_MS	60
#define RETRY_US	8000
#define POLL_MS		8
#define HOLE_BYTES	(128u << 10)

/**
 * struct pump - one of the processes
 * @to: where it connects to
 * @generation: the number in the file
 * @fd: the connection
 * @seen: the number when it was made
 */
struct pump {
	struct sockaddr_in to;
	const volatile uint32_t *generation;
	int fd;
	uint32_t seen;
};

static bool outdated(const struct pump *p)
{
	return *p->generation != p->seen;
}

/* The other end is gone, or an error has come */
static bool hung_up(const struct pump *p, short events, int ms)
{
	struct pollfd pfd = { .fd = p->fd, .events = events | POLLRDHUP };

	return poll(&pfd, 1, ms) > 0 && pfd.revents & (POLLERR | POLLHUP | POLLRDHUP);
}

/* A SYN that is lost costs a second; so does not to wait for its answer */
static bool pump_connect(struct pump *p)
{
	struct pollfd pfd = { .events = POLLOUT };
	socklen_t len = sizeof(int);
	int err = 0;

	p->seen = *p->generation;
	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (p->fd < 0)
		return false;
	if (!connect(p->fd, (const void *)&p->to, sizeof(p->to)))
		return true;
	pfd.fd = p->fd;
	if (errno == EINPROGRESS && poll(&pfd, 1, CONNECT_MS) == 1 &&
	    !getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &err, &len) && !err)
		return true;
	close(p->fd);
	return false;
}

/* At once, and without waiting for anybody */
static void pump_drop(struct pump *p)
{
	const struct linger hard = { .l_onoff = 1 };

	setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(p->fd);
}

static void flow(struct pump *p)
{
	static uint8_t buf[1 << 16];
	uint64_t pos = 0;

	pattern_fill(buf, pos, sizeof(buf));
	while (!outdated(p)) {
		ssize_t n = send(p->fd, buf, sizeof(buf), MSG_NOSIGNAL);

		if (n > 0)
			pattern_fill(buf, pos += (uint64_t)n, sizeof(buf));
		else if (errno != EAGAIN || hung_up(p, POLLOUT, POLL_MS))
			break;
	}
}

static void quiet(struct pump *p)
{
	while (!outdated(p) && !hung_up(p, 0, POLL_MS))
		;
}

/* A connection in the state of repair can be taken apart, and made of parts: tcp(7), CRIU */
struct repair {
	struct sockaddr_in local, to;
	struct tcp_repair_window window;
	uint32_t seq[2];		/* of the receive queue, of the send queue */
	uint32_t timestamp;
	struct tcp_info info;
};

static int repair_get(int fd, struct repair *r)
{
	socklen_t len = sizeof(r->local);
	int on = TCP_REPAIR_ON;

	if (setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)) ||
	    getsockname(fd, (void *)&r->local, &len))
		return -1;
	for (int q = TCP_RECV_QUEUE; q <= TCP_SEND_QUEUE; q++) {
		len = sizeof(uint32_t);
		if (setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, &q, sizeof(q)) ||
		    getsockopt(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, &r->seq[q - TCP_RECV_QUEUE], &len))
			return -1;
	}
	len = sizeof(r->window);
	if (getsockopt(fd, IPPROTO_TCP, TCP_REPAIR_WINDOW, &r->window, &len))
		return -1;
	len = sizeof(r->timestamp);
	if (getsockopt(fd, IPPROTO_TCP, TCP_TIMESTAMP, &r->timestamp, &len))
		return -1;
	len = sizeof(r->info);
	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &r->info, &len);
}

static int repair_options(int fd, const struct repair *r)
{
	struct tcp_repair_opt opts[4];
	unsigned int n = 0;

	opts[n++] = (struct tcp_repair_opt){ 2 /* MSS */, r->info.tcpi_snd_mss };
	if (r->info.tcpi_options & TCPI_OPT_WSCALE)
		opts[n++] = (struct tcp_repair_opt){
			3, r->info.tcpi_snd_wscale | (uint32_t)r->info.tcpi_rcv_wscale << 16 };
	if (r->info.tcpi_options & TCPI_OPT_SACK)
		opts[n++] = (struct tcp_repair_opt){ 4, 0 };
	if (r->info.tcpi_options & TCPI_OPT_TIMESTAMPS)
		opts[n++] = (struct tcp_repair_opt){ 8, 0 };
	return setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_OPTIONS, opts, n * sizeof(opts[0]));
}

/* The same connection, with a byte of the stream forgotten */
static int repair_set(int fd, struct repair *r)
{
	int on = TCP_REPAIR_ON, off = TCP_REPAIR_OFF_NO_WP;

	r->seq[1]++;
	r->window.snd_wl1 = r->seq[0];
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)) ||
	    bind(fd, (const void *)&r->local, sizeof(r->local)))
		return -1;
	for (int q = TCP_RECV_QUEUE; q <= TCP_SEND_QUEUE; q++)
		if (setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, &q, sizeof(q)) ||
		    setsockopt(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, &r->seq[q - TCP_RECV_QUEUE], sizeof(uint32_t)))
			return -1;
	if (connect(fd, (const void *)&r->to, sizeof(r->to)) || repair_options(fd, r))
		return -1;
	if (setsockopt(fd, IPPROTO_TCP, TCP_TIMESTAMP, &r->timestamp, sizeof(r->timestamp)) ||
	    setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_WINDOW, &r->window, sizeof(r->window)))
		return -1;
	return setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &off, sizeof(off));
}

static void hole(struct pump *p)
{
	static uint8_t buf[HOLE_BYTES];
	struct repair r = { .to = p->to };

	if (repair_get(p->fd, &r)) {
		perror("life-pump: TCP_REPAIR");
		return;
	}
	close(p->fd);
	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (repair_set(p->fd, &r)) {
		perror("life-pump: TCP_REPAIR of a new socket");
		return;
	}
	pattern_fill(buf, 0, sizeof(buf));
	if (send(p->fd, buf, sizeof(buf), MSG_NOSIGNAL) < 0 && errno != EAGAIN)
		return;
	quiet(p);
}

static const struct {
	const char *name;
	void (*play)(struct pump *p);
} roles[] = {
	{ "flow", flow },
	{ "quiet", quiet },
	{ "hole", hole },
};

static void play(struct pump *p, void (*part)(struct pump *p))
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		if (pump_connect(p)) {
			part(p);
			pump_drop(p);
		}
		usleep(RETRY_US);
	}
}

/* PORT=ROLE[*N] */
static bool start(struct pump *p, const char *arg)
{
	unsigned int port, n = 1;
	char name[16];

	if (sscanf(arg, "%u=%15[a-z]*%u", &port, name, &n) < 2)
		return false;
	p->to.sin_port = htons((uint16_t)port);
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		if (strcmp(roles[i].name, name))
			continue;
		while (n--)
			if (!fork())
				play(p, roles[i].play);
		return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	struct pump p = { .to.sin_family = AF_INET };
	int fd, i;

	if (argc < 4 || inet_pton(AF_INET, argv[1], &p.to.sin_addr) != 1)
		goto usage;
	fd = open(argv[2], O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0 || ftruncate(fd, 4096)) {
		perror(argv[2]);
		return 1;
	}
	p.generation = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	if (p.generation == MAP_FAILED) {
		perror(argv[2]);
		return 1;
	}
	for (i = 3; i < argc; i++)
		if (!start(&p, argv[i]))
			goto usage;
	while (wait(NULL) > 0 || errno == EINTR)
		;
	return 0;

usage:
	fprintf(stderr, "usage: life-pump GUEST FILE PORT=flow|quiet|hole[*N]...\n");
	return 2;
}
