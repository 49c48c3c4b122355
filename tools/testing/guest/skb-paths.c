// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * skb-paths - where packets of a bound queue may go: what is in them stays right, and
 * no page of the user's is used again too early, or never. In a guest with two NICs
 * and the other one in the network namespace "peer", all of eth0's traffic on queue 3:
 *
 *	ethtool -X eth0 start 3 equal 1; skb-paths eth0 3
 *
 * prints TAP. paths.h tells how a test works.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../tap.h"
#include "genl.h"
#include "paths.h"
#include "pattern.h"
#include "pinned.h"

#define SECOND	1000

static const struct path *const tables[] = {
	paths_sock, paths_upper, paths_tap, paths_net, paths_nfq, paths_bpf,
};

static const char usage[] =
	"Usage: skb-paths [--slow N] [--only NAME]... INTERFACE QUEUE\n"
	"       skb-paths --list\n";

/* --- help ---------------------------------------------------------------- */

/**
 * paths_now_ms() - a clock
 *
 * Return: milliseconds.
 */
uint64_t paths_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/**
 * paths_nap() - sleep
 * @ms: how long, milliseconds
 */
void paths_nap(unsigned int ms)
{
	const struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	nanosleep(&ts, NULL);
}

/**
 * path_ok() - a result of the test that runs
 * @p: the run
 * @ok: whether it is good
 * @fmt: what it is about, as of printf(3)
 *
 * Return: @ok.
 */
bool path_ok(struct paths *p, bool ok, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return tap_ok(ok, "%s: %s", p->name, text);
}

/**
 * paths_shell() - run shell commands until one fails
 * @commands: the commands
 *
 * Return: exit status, or -1.
 */
int paths_shell(const char *commands)
{
	static const char first[] = "set -e\n"
				    "peer() { ip netns exec peer \"$@\"; }\n"
				    "side() { ip netns exec side \"$@\"; }\n";
	char text[4096];
	int status;

	if (snprintf(text, sizeof(text), "exec 2>&1\n%s%s", first, commands) >= (int)sizeof(text))
		return -1;
	fflush(stdout);
	status = system(text);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/**
 * paths_in_ns() - go to a network namespace, with this thread
 * @ns: its name
 *
 * Return: what paths_back() needs, or -1 with errno set.
 */
int paths_in_ns(const char *ns)
{
	int saved = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), fd;
	char path[64];

	snprintf(path, sizeof(path), "/run/netns/%s", ns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (saved < 0 || fd < 0 || setns(fd, CLONE_NEWNET)) {
		if (saved >= 0)
			close(saved);
		saved = -1;
	}
	if (fd >= 0)
		close(fd);
	return saved;
}

/**
 * paths_back() - come back from a network namespace
 * @saved: what paths_in_ns() returned
 */
void paths_back(int saved)
{
	if (setns(saved, CLONE_NEWNET))
		tap_bail("cannot leave a network namespace");
	close(saved);
}

/**
 * paths_limit() - what is lost on the way must not make us wait for ever
 * @fd: socket
 */
void paths_limit(int fd)
{
	const struct timeval tv = { .tv_sec = 30 };

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
}

/**
 * paths_socket() - a socket in a network namespace
 * @ns: its name, NULL: the own one
 * @domain: as of socket(2), as are
 * @type: this
 * @proto: and this
 *
 * Return: the socket, or -1 with errno set.
 */
int paths_socket(const char *ns, int domain, int type, int proto)
{
	int saved = -1, fd, err;

	if (ns) {
		saved = paths_in_ns(ns);
		if (saved < 0)
			return -1;
	}
	fd = socket(domain, type | SOCK_CLOEXEC, proto);
	err = errno;
	if (ns)
		paths_back(saved);
	errno = err;
	return fd;
}

/**
 * paths_address() - an address for bind(2) or connect(2)
 * @a: out: the address
 * @host: IPv4 or IPv6 in text
 * @port: port, 0: %PATHS_PORT
 *
 * Return: its length, bytes.
 */
socklen_t paths_address(struct sockaddr_storage *a, const char *host, uint16_t port)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)a;
	struct sockaddr_in *in = (struct sockaddr_in *)a;

	memset(a, 0, sizeof(*a));
	port = htons(port ? port : PATHS_PORT);
	if (inet_pton(AF_INET6, host, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = port;
		return sizeof(*in6);
	}
	memset(a, 0, sizeof(*a));
	in->sin_family = AF_INET;
	in->sin_port = port;
	inet_pton(AF_INET, host, &in->sin_addr);
	return sizeof(*in);
}

static int bound_socket(const char *ns, int type, int proto, const char *any, uint16_t port, int rcvbuf)
{
	struct sockaddr_storage a;
	const socklen_t len = paths_address(&a, any, port);
	int fd = paths_socket(ns, a.ss_family, type, proto), one = 1;

	if (fd < 0)
		return -1;
	if (!rcvbuf)
		rcvbuf = 4 << 20;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &rcvbuf, sizeof(rcvbuf));
	if (!bind(fd, (const struct sockaddr *)&a, len))
		return fd;
	close(fd);
	return -1;
}

/**
 * path_listen() - wait for a stream
 * @l: how
 *
 * Return: the socket, or -1 with errno set.
 */
int path_listen(const struct path_listen *l)
{
	int fd = bound_socket(l->ns, SOCK_STREAM, l->proto, l->ipv6 ? "::" : "0.0.0.0", l->port, l->rcvbuf);

	if (fd < 0)
		return -1;
	if (l->mss)
		setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &l->mss, sizeof(l->mss));
	if (!listen(fd, 5))
		return fd;
	close(fd);
	return -1;
}

/**
 * paths_tcp_pair() - a connection over lo
 * @fd: out: its ends
 *
 * Return: 0 or -1.
 */
int paths_tcp_pair(int fd[2])
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listener = socket(AF_INET, SOCK_STREAM, 0), room = 4 << 20;
	socklen_t len = sizeof(a);

	fd[0] = socket(AF_INET, SOCK_STREAM, 0);
	fd[1] = -1;
	setsockopt(listener, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	setsockopt(fd[0], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	if (!bind(listener, (const struct sockaddr *)&a, len) && !listen(listener, 1) &&
	    !getsockname(listener, (struct sockaddr *)&a, &len) &&
	    !connect(fd[0], (const struct sockaddr *)&a, len))
		fd[1] = accept(listener, NULL, NULL);
	close(listener);
	if (fd[1] >= 0) {
		paths_limit(fd[0]);
		paths_limit(fd[1]);
		return 0;
	}
	close(fd[0]);
	return -1;
}

/**
 * path_datagrams() - a socket for datagrams
 * @ns: network namespace, NULL: the own one
 * @port: port, 0: %PATHS_PORT
 * @rcvbuf: SO_RCVBUF, 0: 4 MB
 *
 * Return: the socket, or -1 with errno set.
 */
int path_datagrams(const char *ns, uint16_t port, int rcvbuf)
{
	return bound_socket(ns, SOCK_DGRAM, 0, "0.0.0.0", port, rcvbuf);
}

static bool readable(struct paths *p, int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, 5 * SECOND * (int)p->slow) == 1;
}

/**
 * path_accept() - take a connection
 * @p: the run
 * @listener: from path_listen()
 *
 * Return: the socket, or -1.
 */
int path_accept(struct paths *p, int listener)
{
	int fd = readable(p, listener) ? accept4(listener, NULL, NULL, SOCK_CLOEXEC) : -1;

	if (fd >= 0)
		paths_limit(fd);
	return fd;
}

/* Until a socket has so many bytes, or does not get more of them */
static uint64_t arrived(struct paths *p, int fd, uint64_t bytes)
{
	uint64_t changed = paths_now_ms();
	int n = 0, last = -1;

	while (!ioctl(fd, FIONREAD, &n) && (uint64_t)n < bytes) {
		if (n != last)
			changed = paths_now_ms();
		last = n;
		if (paths_now_ms() - changed > SECOND * p->slow)
			break;
		paths_nap(2);
	}
	return (uint64_t)n;
}

/**
 * path_written() - the NIC wrote what was sent to the region: whatever is tested has the
 *	user's pages in its hands
 * @p: the run, the user's stream paused before it was sent
 * @bytes: how much was sent
 *
 * Return: whether it is so; says so.
 */
bool path_written(struct paths *p, uint64_t bytes)
{
	unsigned int n = user_touched(p);

	/* a page of each segment, the largest of which fill two and a bit */
	return path_ok(p, n >= bytes / 4500 && n, "it came in %u pages of the region", n);
}

/**
 * path_arrive() - a stream comes, and waits in its socket
 * @p: the run
 * @l: where it comes to
 * @f: the stream; all that is in @f->bytes is waited for
 * @fd: out: the socket
 *
 * Return: whether it did, in the user's pages; says so.
 */
bool path_arrive(struct paths *p, const struct path_listen *l, struct feed *f, int *fd)
{
	int listener = path_listen(l);
	uint64_t got = 0;
	bool ok;

	*fd = -1;
	f->base = p->base;
	f->paused = true;
	user_pause(p);
	if (listener >= 0 && feed_start(f))
		*fd = path_accept(p, listener);
	ok = *fd >= 0 && (!l->accepted || !l->accepted(*fd, l->data));
	feed_pause(f, false);
	if (ok && l->blind) {
		ok = feed_wait(f);
		paths_nap(100 * p->slow);
	} else if (ok) {
		got = arrived(p, *fd, f->bytes);
		ok = got >= f->bytes;
		if (!ok)
			tap_diag("%llu of %llu bytes arrived", (unsigned long long)got,
				  (unsigned long long)f->bytes);
	}
	if (listener >= 0)
		close(listener);
	ok = path_ok(p, ok, "the stream arrives") && path_written(p, f->bytes);
	user_resume(p);
	if (ok && feed_wait(f))
		return true;
	if (*fd >= 0)
		close(*fd);
	feed_stop(f);
	return false;
}

/**
 * path_held() - the same, and it waits there until the user's pages have gone round
 * @p: the run
 * @l: where it comes to
 * @f: the stream
 * @fd: out: the socket
 *
 * Return: whether all of that happened; says so.
 */
bool path_held(struct paths *p, const struct path_listen *l, struct feed *f, int *fd)
{
	if (!path_arrive(p, l, f, fd))
		return false;
	if (path_ok(p, user_turns(p), "the user's pages go round meanwhile"))
		return true;
	close(*fd);
	return false;
}

/**
 * path_read() - read a stream and compare it
 * @fd: from where
 * @base: position in the pattern
 * @bytes: how much there should be
 *
 * Return: how many bytes were right, before the first one that was not or the end.
 */
uint64_t path_read(int fd, uint64_t base, uint64_t bytes)
{
	uint8_t buf[16384];
	uint64_t at = 0;

	while (at < bytes) {
		size_t want = bytes - at < sizeof(buf) ? bytes - at : sizeof(buf);
		ssize_t n = read(fd, buf, want);
		size_t right;

		if (n <= 0)
			return at;
		right = pattern_check(buf, base + at, (size_t)n);
		at += right;
		if (right < (size_t)n)
			return at;
	}
	return at;
}

/**
 * path_read_all() - read what a feed sent, and say how it was
 * @p: the run
 * @fd: from where; is closed
 * @f: what was sent
 */
void path_read_all(struct paths *p, int fd, const struct feed *f)
{
	uint64_t got = path_read(fd, f->base, f->bytes);

	if (!path_ok(p, got == f->bytes, "every byte is right"))
		tap_diag("%llu of %llu", (unsigned long long)got, (unsigned long long)f->bytes);
	close(fd);
}

/* --- the run ------------------------------------------------------------- */

enum { POOL_ID = 1, POOL_IFINDEX, POOL_NAPI_ID, POOL_INFLIGHT, POOL_INFLIGHT_MEM, POOL_DETACH_TIME, POOL_ATTRS };

static void count_detached(const struct nlmsghdr *nl, void *arg)
{
	const struct nlattr *at[POOL_ATTRS];
	unsigned int *n = arg;

	genl_index_attrs(nl, at, POOL_ATTRS);
	*n += !!at[POOL_DETACH_TIME];
}

/* Page pools that wait for pages to come back */
static unsigned int detached_pools(void)
{
	unsigned int n = 0;
	struct genl g;

	if (genl_open(&g) || genl_dump(&g, NETDEV_PAGE_POOL_GET, count_detached, &n))
		tap_bail("the kernel does not list its page pools");
	genl_close(&g);
	return n;
}

/* Only with its last page comes the region home. What others have left behind is theirs. */
static bool home(struct paths *p, unsigned int pools, long kb)
{
	uint64_t end = paths_now_ms() + 5 * SECOND * p->slow;

	while (detached_pools() > pools || pinned_kb(getpid()) > kb) {
		if (paths_now_ms() > end) {
			tap_diag("%u page pools wait, %ld kB are pinned", detached_pools(), pinned_kb(getpid()));
			return false;
		}
		paths_nap(5);
	}
	return true;
}

static void run_path(struct paths *p, const struct path *path)
{
	uint64_t start = paths_now_ms();
	unsigned int pools = detached_pools();
	long kb = pinned_kb(getpid());
	int err;

	p->name = path->name;
	p->base += (uint64_t)1 << 40;
	if (path->setup && !path_ok(p, !paths_shell(path->setup), "it is set up"))
		goto undo;
	err = user_start(p);
	if (err) {
		path_ok(p, false, "the queue is bound and the user receives");
		tap_diag("%s", strerror(-err));
		goto undo;
	}
	path->run(p, path);
	path_ok(p, user_stop(p), "the user's stream was right as well");
	path_ok(p, home(p, pools, kb), "every page comes home");
undo:
	if (path->undo && paths_shell(path->undo))
		path_ok(p, false, "its set-up is undone");
	tap_diag("%s: %llu ms", path->name, (unsigned long long)(paths_now_ms() - start));
}

static bool wanted(const char *name, char **only, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (!strcmp(name, only[i]))
			return true;
	return !n;
}

static void each_path(struct paths *p, char **only, unsigned int n)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct path *path = tables[i]; path->name; path++) {
			if (!p)
				puts(path->name);
			else if (wanted(path->name, only, n))
				run_path(p, path);
		}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "slow", required_argument, NULL, 's' },
		{ "only", required_argument, NULL, 'o' },
		{ "list", no_argument, NULL, 'l' },
		{},
	};
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	struct paths p = { .slow = 1 };
	char *only[100];
	unsigned int n = 0;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'l')
			return each_path(NULL, NULL, 0), 0;
		if (c == 's')
			p.slow = (unsigned int)strtoul(optarg, NULL, 10);
		else if (c == 'o' && n < sizeof(only) / sizeof(only[0]))
			only[n++] = optarg;
		else
			return fputs(usage, stderr), 2;
	}
	if (argc - optind != 2 || !p.slow || !(p.ifindex = if_nametoindex(argv[optind])))
		return fputs(usage, stderr), 2;
	p.iface = argv[optind];
	p.queue = (unsigned int)strtoul(argv[optind + 1], NULL, 10);
	signal(SIGPIPE, SIG_IGN);
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	each_path(&p, only, n);
	return tap_done();
}
