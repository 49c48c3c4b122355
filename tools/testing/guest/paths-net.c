// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the stack does with packets on their way to a socket, or to another interface:
 * forwarding, address translation, encryption, tunnels, virtual interfaces, fragments.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../tap.h"
#include "paths.h"
#include "paths-tap.h"
#include "pattern.h"

#define BYTES		200003u
#define DATAGRAMS	100

#ifndef UDP_GRO
#define UDP_GRO		104
#endif

/**
 * struct net_case - a stream and where it comes to
 * @l: the receiver
 * @to: the address that the peer sends to
 * @ns: namespace that it sends from, NULL: "peer"
 * @tap: a packet socket has clones of all packets meanwhile
 * @cipher: what the NIC writes is no plain text, and no plain text gets there
 */
struct net_case {
	struct path_listen l;
	const char *to;
	const char *ns;
	bool tap;
	bool cipher;
};

static void run_stream(struct paths *p, const struct path *path)
{
	const struct net_case *n = path->arg;
	struct feed f = { .bytes = BYTES, .to = n->to, .ns = n->ns };
	int tap = n->tap ? tap_open(NULL, p->iface, 0) : -1, fd;
	struct tap_check c = { .base = p->base, .port = PATHS_PORT };
	uint8_t text[64];

	if (path_arrive(p, &n->l, &f, &fd)) {
		pattern_fill(text, f.base + 64, sizeof(text));
		if (n->cipher)
			path_ok(p, !user_finds(p, text, sizeof(text)),
				"there is no plain text of it in the region");
		path_ok(p, user_turns(p), "the user's pages go round");
		path_read_all(p, fd, &f);
		if (n->tap) {
			tap_read(&c, tap);
			tap_tell(p, &c, f.bytes);
		}
	}
	if (tap >= 0)
		close(tap);
}

/**
 * struct datagram_case - datagrams and where they come to
 * @ns: namespace of the receiver
 * @to: the address that the peer sends to
 * @len: bytes each
 * @gro: the receiver wants them put together
 */
struct datagram_case {
	const char *ns;
	const char *to;
	size_t len;
	bool gro;
};

static uint64_t datagrams_read(int fd, const struct feed *f)
{
	static uint8_t buf[65536];
	uint64_t at = 0;
	ssize_t n;

	while (at < f->bytes && (n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
		size_t right = pattern_check(buf, f->base + at, (size_t)n);

		at += right;
		if (right < (size_t)n)
			break;
	}
	return at;
}

/* They wait where they came to while the user's pages go round */
static bool datagrams_held(struct paths *p, struct feed *f)
{
	user_pause(p);
	if (!path_ok(p, feed_start(f) && feed_wait(f), "datagrams are sent"))
		return false;
	paths_nap(100 * p->slow);
	path_written(p, f->bytes);
	user_resume(p);
	path_ok(p, user_turns(p), "the user's pages go round");
	return true;
}

static void datagrams_are(struct paths *p, const struct feed *f, uint64_t right)
{
	if (!path_ok(p, right == f->bytes, "every byte is right"))
		tap_diag("%llu of %llu", (unsigned long long)right, (unsigned long long)f->bytes);
}

static void run_datagrams(struct paths *p, const struct path *path)
{
	const struct datagram_case *d = path->arg;
	struct feed f = { .base = p->base, .type = SOCK_DGRAM, .to = d->to, .bytes = DATAGRAMS * 1400,
			  .chunk = d->len, .gap_us = 100 };
	int fd = path_datagrams(d->ns, 0, 0), one = 1;

	if (!path_ok(p, fd >= 0, "there is a socket"))
		return;
	if (d->gro)
		setsockopt(fd, IPPROTO_UDP, UDP_GRO, &one, sizeof(one));
	if (datagrams_held(p, &f))
		datagrams_are(p, &f, datagrams_read(fd, &f));
	close(fd);
}

/* --- TUN ----------------------------------------------------------------- */

static int tun_open(const char *name)
{
	struct ifreq ifr = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (fd >= 0 && !ioctl(fd, TUNSETIFF, &ifr))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* How many bytes of the pattern come before one that is wrong */
static uint64_t tun_read(int fd, const struct feed *f)
{
	const size_t head = sizeof(struct iphdr) + sizeof(struct udphdr);
	static uint8_t buf[65536];
	uint64_t at = 0;
	ssize_t n;

	while (at < f->bytes && (n = read(fd, buf, sizeof(buf))) > 0) {
		const struct iphdr *ip = (const struct iphdr *)buf;

		/* the kernel itself sends some, over IPv6 */
		if (ip->version != 4 || ip->protocol != IPPROTO_UDP || (size_t)n <= head)
			continue;
		if (pattern_check(buf + head, f->base + at, (size_t)n - head) < (size_t)n - head)
			break;
		at += (size_t)n - head;
	}
	return at;
}

static void run_tun(struct paths *p, const struct path *path)
{
	struct feed f = { .base = p->base, .type = SOCK_DGRAM, .to = PATHS_SIDE, .bytes = DATAGRAMS * 1400,
			  .gap_us = 100 };
	int fd = tun_open(path->arg);

	if (!path_ok(p, fd >= 0, "there is a device"))
		return;
	if (datagrams_held(p, &f))
		datagrams_are(p, &f, tun_read(fd, &f));
	close(fd);
}

/* --- copies for others --------------------------------------------------- */

/**
 * struct mirror_case - who else gets the packets
 * @ns: namespace of the interface
 * @dev: where a packet socket looks
 * @only: the stream's own socket gets nothing: datagrams
 */
struct mirror_case {
	const char *ns;
	const char *dev;
	bool only;
};

static void run_mirror(struct paths *p, const struct path *path)
{
	const struct mirror_case *m = path->arg;
	const struct path_listen l = { .mss = 1448 };
	struct tap_check c = { .base = p->base, .port = PATHS_PORT };
	struct feed f = { .base = p->base, .bytes = 100 * 1400 };
	int tap = tap_open(m->ns, m->dev, 0), fd;

	if (!path_ok(p, tap >= 0, "somebody listens on %s", m->dev))
		return;
	if (m->only) {
		f.type = SOCK_DGRAM;
		f.gap_us = 100;
		user_pause(p);
		path_ok(p, feed_start(&f) && feed_wait(&f), "datagrams are sent");
		paths_nap(100 * p->slow);
		path_written(p, f.bytes);
		user_resume(p);
	} else if (path_arrive(p, &l, &f, &fd)) {
		path_read_all(p, fd, &f);
	}
	path_ok(p, user_turns(p), "the user's pages go round");
	tap_read(&c, tap);
	tap_tell(p, &c, f.bytes);
	close(tap);
}

/* The same, without a way there but by what a test does */
#define LEAF							\
	"ip netns add side\n"					\
	"ip link add v0 type veth peer name v1 netns side\n"	\
	"ip link set v0 up\n"					\
	"side ip link set v1 up\n"
#define UNLEAF							\
	"ip link del v0\n"					\
	"ip netns del side\n"

#define KEY	"0x0102030405060708090a0b0c0d0e0f1011121314"

#define ESP(from, to, dir, ns)									\
	ns "ip xfrm state add src " from " dst " to " proto esp spi 0x101 reqid 1 mode transport"	\
	" aead 'rfc4106(gcm(aes))' " KEY " 128\n"						\
	ns "ip xfrm policy add src " from " dst " to " proto tcp dport 9990 dir " dir			\
	" tmpl src " from " dst " to " proto esp reqid 1 mode transport\n"

#define TUNNEL(dir, ns)										\
	ns "ip xfrm state add src 198.51.100.1 dst 198.51.100.2 proto esp spi 0x102 reqid 2 mode tunnel"	\
	" aead 'rfc4106(gcm(aes))' " KEY " 128\n"						\
	ns "ip xfrm policy add src 192.0.2.1 dst 198.51.100.2 proto tcp dport 9990 dir " dir		\
	" tmpl src 198.51.100.1 dst 198.51.100.2 proto esp reqid 2 mode tunnel\n"

/* Addresses of the link over IPv6 */
#define PEER6	"2001:db8::1"
#define GUEST6	"2001:db8::2"

#define UNESP(ns)	ns "ip xfrm policy flush\n" ns "ip xfrm state flush\n"

static const struct net_case to_side = { .to = PATHS_SIDE, .l = { .ns = "side", .mss = 1448 } };
static const struct net_case to_side_large = { .to = PATHS_SIDE, .l = { .ns = "side" } };
static const struct net_case to_far = { .to = "198.51.100.130", .l = { .ns = "far", .mss = 1448 } };

const struct path paths_net[] = {
	{ "forwarded to another namespace", PATHS_SIDE_UP, PATHS_SIDE_DOWN, run_stream, &to_side },
	{ "forwarded with several pages a segment", PATHS_SIDE_UP, PATHS_SIDE_DOWN, run_stream, &to_side_large },
	{ "forwarded with software segmentation", PATHS_SIDE_UP "ethtool -K v0 tso off gso off\n", PATHS_SIDE_DOWN, run_stream, &to_side },
	{ "forwarded without scatter-gather", PATHS_SIDE_UP "ethtool -K v0 sg off\n", PATHS_SIDE_DOWN, run_stream, &to_side },
	{ "forwarded as GRO list", PATHS_SIDE_UP "ethtool -K eth0 rx-gro-hw off rx-gro-list on\nethtool -K v0 tso off gso off\n",
	  PATHS_SIDE_DOWN "ethtool -K eth0 rx-gro-list off rx-gro-hw on\n", run_stream, &to_side },
	{ "forwarded out of the same NIC",
	  PATHS_SIDE_UP "ip netns add far\n"
	       "peer ip link add w0 type veth peer name w1 netns far\n"
	       "peer ip addr add 203.0.113.1/24 dev w0\n"
	       "peer ip link set w0 up\n"
	       "ip netns exec far ip addr add 203.0.113.2/24 dev w1\n"
	       "ip netns exec far ip addr add 198.51.100.130/32 dev w1\n"
	       "ip netns exec far ip link set w1 up\n"
	       "ip netns exec far ip route add default via 203.0.113.1\n"
	       "peer sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'\n"
	       "side sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'\n"
	       "ip route add 198.51.100.130/32 via 198.51.100.2\n"
	       "ip link add x0 type veth peer name x1 netns side\n"
	       "ip link set x0 up\n"
	       "ip addr add 198.18.0.1/24 dev x0\n"
	       "side ip addr add 198.18.0.2/24 dev x1\n"
	       "side ip link set x1 up\n"
	       "side ip route add 198.51.100.130/32 via 198.18.0.1\n"
	       "peer sh -c 'echo 1 >/proc/sys/net/ipv4/conf/eth1/accept_local'\n"
	       "ip rule add iif x0 lookup 77\n"
	       "ip route add default via 192.0.2.1 table 77\n"
	       "peer ip rule add iif eth1 to 198.51.100.130 lookup 77\n"
	       "peer ip route add 198.51.100.130/32 via 203.0.113.2 table 77\n",
	  "ip rule del lookup 77\n"
	  "ip route flush table 77\n"
	  "peer ip rule del lookup 77\n"
	  "peer ip link del w0\n"
	  "ip netns del far\n"
	  "ip link del x0\n"
	  "peer sh -c 'echo 0 >/proc/sys/net/ipv4/ip_forward'\n" PATHS_SIDE_DOWN, run_stream, &to_far },
	{ "DNAT to another port with a tap",
	  "nft add table ip n\n"
	  "nft add chain ip n pre '{ type nat hook prerouting priority -100; }'\n"
	  "nft add rule ip n pre tcp dport 9990 dnat to 192.0.2.2:9991\n",
	  "nft delete table ip n\n", run_stream,
	  &(const struct net_case){ .tap = true, .l = { .port = 9991, .mss = 1448 } } },
	{ "DNAT and masquerade with a tap",
	  PATHS_SIDE_UP "nft add table ip n\n"
	       "nft add chain ip n pre '{ type nat hook prerouting priority -100; }'\n"
	       "nft add chain ip n post '{ type nat hook postrouting priority 100; }'\n"
	       "nft add rule ip n pre tcp dport 9990 dnat to 198.51.100.2:9991\n"
	       "nft add rule ip n post oif v0 masquerade\n",
	  "nft delete table ip n\n" PATHS_SIDE_DOWN, run_stream,
	  &(const struct net_case){ .tap = true, .l = { .ns = "side", .port = 9991, .mss = 1448 } } },
	{ "ESP", ESP(PATHS_PEER, PATHS_GUEST, "out", "peer ") ESP(PATHS_PEER, PATHS_GUEST, "in", ""),
	  UNESP("peer ") UNESP(""), run_stream, &(const struct net_case){ .cipher = true, .l = { .mss = 1300 } } },
	{ "IPv6", .run = run_stream,
	  .arg = &(const struct net_case){ .to = GUEST6, .l = { .ipv6 = true, .mss = 1428 } } },
	{ "ESP over IPv6", ESP(PEER6, GUEST6, "out", "peer ") ESP(PEER6, GUEST6, "in", ""), UNESP("peer ") UNESP(""),
	  run_stream, &(const struct net_case){ .to = GUEST6, .cipher = true, .l = { .ipv6 = true, .mss = 1300 } } },
	{ "forwarded into ESP", PATHS_SIDE_UP TUNNEL("out", "") TUNNEL("in", "side "), UNESP("") PATHS_SIDE_DOWN, run_stream,
	  &(const struct net_case){ .to = PATHS_SIDE, .l = { .ns = "side", .mss = 1300 } } },
	{ "GRE",
	  "ip link add g0 type gre local 192.0.2.2 remote 192.0.2.1\n"
	  "ip addr add 203.0.113.2/24 dev g0\n"
	  "ip link set g0 up\n"
	  "peer ip link add g0 type gre local 192.0.2.1 remote 192.0.2.2\n"
	  "peer ip addr add 203.0.113.1/24 dev g0\n"
	  "peer ip link set g0 up\n"
	  /* the emulated NIC computes no checksums behind GRE */
	  "ethtool -K g0 tx off\n"
	  "peer ethtool -K g0 tx off\n",
	  "ip link del g0\npeer ip link del g0\n", run_stream,
	  &(const struct net_case){ .to = "203.0.113.2", .l = { .mss = 1400 } } },
	{ "VLAN",
	  "ip link add link eth0 name eth0.5 type vlan id 5\n"
	  "ip addr add 203.0.113.2/24 dev eth0.5\n"
	  "ip link set eth0.5 up\n"
	  "peer ip link add link eth1 name eth1.5 type vlan id 5\n"
	  "peer ip addr add 203.0.113.1/24 dev eth1.5\n"
	  "peer ip link set eth1.5 up\n",
	  "ip link del eth0.5\npeer ip link del eth1.5\n", run_stream,
	  &(const struct net_case){ .to = "203.0.113.2", .l = { .mss = 1400 } } },
	{ "macvlan",
	  "ip netns add side\n"
	  "ip link add link eth0 name m0 netns side type macvlan mode bridge\n"
	  "side ip addr add 192.0.2.3/24 dev m0\n"
	  "side ip link set m0 up\n",
	  "ip netns del side\n", run_stream,
	  &(const struct net_case){ .to = "192.0.2.3", .l = { .ns = "side", .mss = 1448 } } },
	{ "bridge",
	  LEAF "peer ip neigh replace 192.0.2.2 dev eth1 nud permanent lladdr $(cat /sys/class/net/eth0/address)\n"
	       "ip neigh replace 192.0.2.1 dev eth0 nud permanent lladdr $(peer cat /sys/class/net/eth1/address)\n"
	       "side ip addr add 192.0.2.4/24 dev v1\n"
	       "ip link add br0 type bridge\n"
	       "ip link set br0 up\n"
	       "ip link set v0 master br0\n"
	       "ip link set eth0 master br0\n",
	  "ip link del br0\n"
	  "ip neigh del 192.0.2.1 dev eth0\n"
	  "peer ip neigh del 192.0.2.2 dev eth1\n" UNLEAF, run_stream,
	  &(const struct net_case){ .to = "192.0.2.4", .l = { .ns = "side", .mss = 1448 } } },
	{ "mirrored to another namespace",
	  LEAF "tc qdisc add dev eth0 clsact\n"
	       "tc filter add dev eth0 ingress matchall action mirred egress mirror dev v0\n",
	  "tc qdisc del dev eth0 clsact\n" UNLEAF, run_mirror,
	  &(const struct mirror_case){ .ns = "side", .dev = "v1" } },
	{ "mirrored to a dummy",
	  "ip link add d0 type dummy\n"
	  "ip link set d0 up\n"
	  "tc qdisc add dev eth0 clsact\n"
	  "tc filter add dev eth0 ingress matchall action mirred egress mirror dev d0\n",
	  "tc qdisc del dev eth0 clsact\nip link del d0\n", run_mirror,
	  &(const struct mirror_case){ .dev = "d0" } },
	{ "redirected to an IFB",
	  "ip link add i0 type ifb\n"
	  "ip link set i0 up\n"
	  "tc qdisc add dev eth0 clsact\n"
	  "tc filter add dev eth0 ingress matchall action mirred egress redirect dev i0\n",
	  "tc qdisc del dev eth0 clsact\nip link del i0\n", run_mirror,
	  &(const struct mirror_case){ .dev = "i0" } },
	{ "TUN",
	  "ip tuntap add t0 mode tun\n"
	  "ip addr add 198.51.100.1/24 dev t0\n"
	  "ip link set t0 up\n"
	  "echo 1 >/proc/sys/net/ipv4/ip_forward\n"
	  "peer ip route add 198.51.100.0/24 via 192.0.2.2\n",
	  "peer ip route del 198.51.100.0/24\n"
	  "echo 0 >/proc/sys/net/ipv4/ip_forward\n"
	  "ip tuntap del t0 mode tun\n", run_tun, "t0" },
	{ "UDP", .run = run_datagrams, .arg = &(const struct datagram_case){} },
	{ "UDP aggregated",
	  "ethtool -K eth0 rx-gro-hw off\n", "ethtool -K eth0 rx-gro-hw on\n", run_datagrams,
	  &(const struct datagram_case){ .gro = true } },
	{ "UDP to another namespace", PATHS_SIDE_UP, PATHS_SIDE_DOWN, run_datagrams, &(const struct datagram_case){ .ns = "side", .to = PATHS_SIDE } },
	{ "IP fragments", "peer ip route add 192.0.2.2/32 dev eth1 mtu 1500\n", "peer ip route del 192.0.2.2/32\n",
	  run_datagrams, &(const struct datagram_case){ .len = 28000 } },
	{}
};
