/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * skb-paths: what its parts share.
 *
 * Three parties take part in each test. The *user* has bound the receive queue to
 * its region; it receives a stream without end there, overwrites what it got and gives
 * it back at once, so that a page that the kernel lets go of too early has other bytes
 * in it a moment later. The *feed* sends the bytes in question from the network
 * namespace "peer". The *path* is what is tested: it gets hold of these bytes in its own
 * way, keeps them while the user's pages go round, and compares them then.
 */
#ifndef PATHS_H
#define PATHS_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

/* Addresses: that of the bound interface, its peer's, and those of what lies behind */
#define PATHS_GUEST	"192.0.2.2"
#define PATHS_PEER	"192.0.2.1"
#define PATHS_SIDE	"198.51.100.2"	/* in the network namespace "side" */

/* Ports: of the user's stream, of the path's */
#define PATHS_USER_PORT	9999
#define PATHS_PORT	9990

/* The namespace "side" behind the guest, which forwards to it; shell commands */
#define PATHS_SIDE_UP						\
	"ip netns add side\n"					\
	"ip link add v0 type veth peer name v1 netns side\n"	\
	"ip addr add 198.51.100.1/24 dev v0\n"			\
	"ip link set v0 up\n"					\
	"side ip link set lo up\n"				\
	"side ip addr add 198.51.100.2/24 dev v1\n"		\
	"side ip link set v1 up\n"				\
	"side ip route add default via 198.51.100.1\n"		\
	"echo 1 >/proc/sys/net/ipv4/ip_forward\n"		\
	"peer ip route add 198.51.100.0/24 via 192.0.2.2\n"
#define PATHS_SIDE_DOWN						\
	"peer ip route del 198.51.100.0/24 || :\n"		\
	"echo 0 >/proc/sys/net/ipv4/ip_forward\n"		\
	"ip link del v0 || :\n"					\
	"ip netns del side\n"

struct user;

/**
 * struct paths - a run
 * @name: of the test that runs
 * @iface: interface
 * @ifindex: its index
 * @queue: receive queue that the user binds
 * @slow: how many times longer things may take
 * @user: who owns the region, while a test runs
 * @base: position in the test pattern of the first byte of this test's stream
 */
struct paths {
	const char *name;
	const char *iface;
	unsigned int ifindex;
	unsigned int queue;
	unsigned int slow;
	struct user *user;
	uint64_t base;
};

/**
 * struct path - one test
 * @name: what it is called
 * @setup: shell commands before, or NULL; "peer COMMAND" and "side COMMAND" run one in these
 *	network namespaces
 * @undo: shell commands after, or NULL
 * @run: does it; says with path_ok() how it was
 * @arg: for @run
 */
struct path {
	const char *name;
	const char *setup;
	const char *undo;
	void (*run)(struct paths *p, const struct path *path);
	const void *arg;
};

/* Tables of tests, each ends with one that has no name */
extern const struct path paths_sock[];
extern const struct path paths_upper[];
extern const struct path paths_tap[];
extern const struct path paths_net[];
extern const struct path paths_nfq[];
extern const struct path paths_bpf[];

/* --- the user (paths-user.c) --------------------------------------------- */

int user_start(struct paths *p);
bool user_stop(struct paths *p);
void user_pause(struct paths *p);
void user_resume(struct paths *p);
unsigned int user_touched(struct paths *p);
bool user_finds(struct paths *p, const void *bytes, size_t len);
bool user_turns(struct paths *p);

/* --- the feed (paths-feed.c) --------------------------------------------- */

/**
 * struct feed - a stream of the test pattern from the peer
 * @ns: network namespace it comes from; NULL: "peer"
 * @type: SOCK_STREAM (default) or SOCK_DGRAM
 * @proto: protocol of the socket
 * @to: IPv4 or IPv6 address; NULL: %PATHS_GUEST
 * @from: source address to bind to, or NULL
 * @port: port; 0: %PATHS_PORT
 * @base: position in the pattern
 * @bytes: how many; 0: without end, until feed_stop()
 * @chunk: bytes a send(2); 0: 60000, of datagrams 1400
 * @gap_us: pause between two of them
 * @segments: each send(2) makes a segment of its own
 * @urgent: a last byte of each send(2) is sent besides, out of band
 * @prepare: called with the connected socket, 0 or -errno
 * @paused: begin with a pause, see feed_pause()
 * @err: how it ended: 0, -errno
 */
struct feed {
	const char *ns;
	int type;
	int proto;
	const char *to;
	const char *from;
	uint16_t port;
	uint64_t base;
	uint64_t bytes;
	size_t chunk;
	unsigned int gap_us;
	bool segments;
	bool urgent;
	int (*prepare)(int fd);
	bool paused;
	int err;
	/* private: */
	pthread_t thread;
	bool started;
	bool stop;
};

bool feed_start(struct feed *f);
bool feed_wait(struct feed *f);
void feed_pause(struct feed *f, bool paused);
void feed_stop(struct feed *f);

/* --- help (skb-paths.c) -------------------------------------------------- */

uint64_t paths_now_ms(void);
void paths_nap(unsigned int ms);
int paths_shell(const char *commands);
void paths_limit(int fd);
socklen_t paths_address(struct sockaddr_storage *a, const char *host, uint16_t port);
int paths_socket(const char *ns, int domain, int type, int proto);
int paths_in_ns(const char *ns);
void paths_back(int saved);

/**
 * struct path_listen - how to be connected to
 * @ns: network namespace; NULL: the own one
 * @port: port; 0: %PATHS_PORT
 * @ipv6: over IPv6
 * @proto: protocol of the socket
 * @mss: TCP_MAXSEG, 0: as it is
 * @rcvbuf: SO_RCVBUF, 0: 4 MB
 * @blind: the socket cannot tell how much has arrived
 * @accepted: called with the connection before anything is sent, 0 or -errno; may be NULL
 * @data: for @accepted
 */
struct path_listen {
	const char *ns;
	uint16_t port;
	bool ipv6;
	int proto;
	int mss;
	int rcvbuf;
	bool blind;
	int (*accepted)(int fd, void *data);
	void *data;
};

int path_listen(const struct path_listen *l);
int path_accept(struct paths *p, int listener);
int paths_tcp_pair(int fd[2]);
int path_datagrams(const char *ns, uint16_t port, int rcvbuf);
bool path_arrive(struct paths *p, const struct path_listen *l, struct feed *f, int *fd);
bool path_held(struct paths *p, const struct path_listen *l, struct feed *f, int *fd);
bool path_written(struct paths *p, uint64_t bytes);
uint64_t path_read(int fd, uint64_t base, uint64_t bytes);
void path_read_all(struct paths *p, int fd, const struct feed *f);

__attribute__((format(printf, 3, 4)))
bool path_ok(struct paths *p, bool ok, const char *fmt, ...);

#endif
