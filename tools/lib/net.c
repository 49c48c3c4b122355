// SPDX-License-Identifier: GPL-2.0-or-later
#include "net.h"

#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int set_int(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) ? -errno : 0;
}

/**
 * net_name() - an address in figures
 * @sa: address of IPv4 or IPv6
 * @len: its size
 * @out: NET_NAME bytes: "192.0.2.1:9999", "[2001:db8::1]:9999"
 */
void net_name(const struct sockaddr *sa, socklen_t len, char *out)
{
	char host[48], port[8];

	if (getnameinfo(sa, len, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV))
		snprintf(out, NET_NAME, "?");
	else if (sa->sa_family == AF_INET6)
		snprintf(out, NET_NAME, "[%s]:%s", host, port);
	else
		snprintf(out, NET_NAME, "%s:%s", host, port);
}

/* Who has CAP_NET_ADMIN is not bound by net.core.rmem_max */
static int set_rcvbuf(int fd, uint32_t bytes)
{
	int err = set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, (int)bytes);

	return err == -EPERM ? set_int(fd, SOL_SOCKET, SO_RCVBUF, (int)bytes) : err;
}

static int bind_any(int fd, const struct net_listen *how)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_port = htons(how->port) };
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(how->port) };

	if (how->family == AF_INET6)
		return bind(fd, (struct sockaddr *)&sin6, sizeof(sin6));
	return bind(fd, (struct sockaddr *)&sin, sizeof(sin));
}

/**
 * net_rcvbuf() - how large the receive buffer of a socket has become
 * @fd: the socket
 *
 * Return: bytes, as they are given to SO_RCVBUF: the kernel doubles that (socket(7)). 0 on failure.
 */
uint32_t net_rcvbuf(int fd)
{
	int n = 0;
	socklen_t len = sizeof(n);

	return getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &n, &len) || n < 0 ? 0 : (uint32_t)n / 2;
}

/**
 * net_listen() - listen on all addresses of a family
 * @how: where and how
 *
 * One family a socket, so that each can tell its peers an MSS of its own.
 *
 * Return: a non-blocking socket, -errno.
 */
int net_listen(const struct net_listen *how)
{
	int fd = socket(how->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int err;

	if (fd < 0)
		return -errno;
	err = set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	/* connections have it from here: a peer without power does not say that it has gone */
	err = err ?: set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	if (!err && how->family == AF_INET6)
		err = set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (!err && how->rcvbuf)
		err = set_rcvbuf(fd, how->rcvbuf);
	/* before listen(): the answer to a SYN carries it */
	if (!err && how->maxseg)
		err = set_int(fd, IPPROTO_TCP, TCP_MAXSEG, (int)how->maxseg);
	if (!err && (bind_any(fd, how) || listen(fd, SOMAXCONN)))
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}

/**
 * net_accept() - take a connection that waits
 * @fd: listening socket
 * @peer: NET_NAME bytes: who it is
 * @ipv6: whether it is IPv6
 *
 * Return: a blocking socket, -EAGAIN when none waits, another -errno.
 */
int net_accept(int fd, char *peer, bool *ipv6)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int conn = accept4(fd, (struct sockaddr *)&ss, &len, SOCK_CLOEXEC);

	if (conn < 0)
		return -errno;
	net_name((struct sockaddr *)&ss, len, peer);
	*ipv6 = ss.ss_family == AF_INET6;
	return conn;
}

/**
 * net_resolve() - look a host up
 * @host: name or address
 * @port: number
 * @family: AF_INET, AF_INET6 or AF_UNSPEC
 * @out: addresses; free with freeaddrinfo()
 *
 * Return: 0, else for gai_strerror().
 */
int net_resolve(const char *host, const char *port, int family, struct addrinfo **out)
{
	const struct addrinfo hints = {
		.ai_family = family,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV,
	};

	return getaddrinfo(host, port, &hints, out);
}

/**
 * net_path_mtu() - MTU of the path to an address, without sending anything
 * @ai: the address
 *
 * Return: bytes, 0 when the kernel knows no route.
 */
int net_path_mtu(const struct addrinfo *ai)
{
	bool v6 = ai->ai_family == AF_INET6;
	int fd = socket(ai->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(int);
	int mtu = 0;

	if (fd < 0)
		return 0;
	if (connect(fd, ai->ai_addr, ai->ai_addrlen) ||
	    getsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_MTU : IP_MTU, &mtu, &len))
		mtu = 0;
	close(fd);
	return mtu;
}

/**
 * net_connect() - connect to an address
 * @ai: the address
 * @maxseg: TCP_MAXSEG, 0 to leave it: limits what we send as well
 *
 * Return: a blocking socket, -errno.
 */
int net_connect(const struct addrinfo *ai, uint32_t maxseg)
{
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (maxseg)
		err = set_int(fd, IPPROTO_TCP, TCP_MAXSEG, (int)maxseg);
	if (!err && connect(fd, ai->ai_addr, ai->ai_addrlen))
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}

/**
 * net_tcp_info() - what TCP knows of a connection
 * @fd: socket
 * @info: zero where this kernel is too old to say
 *
 * Return: 0, -errno.
 */
int net_tcp_info(int fd, struct tcp_info *info)
{
	socklen_t len = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &len) ? -errno : 0;
}

/**
 * net_incoming_cpu() - where the stack did its work for a connection last
 * @fd: connected socket
 *
 * Return: a processor, negative when it is not known.
 */
int net_incoming_cpu(int fd)
{
	socklen_t len = sizeof(int);
	int cpu = -1;

	return getsockopt(fd, SOL_SOCKET, SO_INCOMING_CPU, &cpu, &len) ? -1 : cpu;
}

/**
 * net_incoming_napi() - by which queue a connection's packets come
 * @fd: connected socket
 *
 * Return: number of the NAPI instance that the last of them came by, 0 when it is not
 * known: a virtual interface, or a kernel without CONFIG_NET_RX_BUSY_POLL.
 */
uint32_t net_incoming_napi(int fd)
{
	socklen_t len = sizeof(unsigned int);
	unsigned int napi = 0;

	return getsockopt(fd, SOL_SOCKET, SO_INCOMING_NAPI_ID, &napi, &len) ? 0 : napi;
}

/**
 * net_error() - has the connection failed since one asked last?
 * @fd: socket
 *
 * Return: 0, or the -errno of it, once.
 */
int net_error(int fd)
{
	socklen_t len = sizeof(int);
	int err = 0;

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) ? -errno : -err;
}

/**
 * net_send_mss() - payload of a full segment that we send
 * @fd: connected socket
 *
 * Return: bytes, options taken off; 0 when it is not known.
 */
uint32_t net_send_mss(int fd)
{
	socklen_t len = sizeof(int);
	int mss = 0;

	if (getsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &mss, &len) || mss < 0)
		return 0;
	return (uint32_t)mss;
}

/**
 * net_cork() - hold partial segments back
 * @fd: connected socket
 * @on: hold back, else send what was held back
 *
 * Return: 0, -errno.
 */
int net_cork(int fd, bool on)
{
	return set_int(fd, IPPROTO_TCP, TCP_CORK, on);
}

/**
 * net_pace() - send no faster than so
 * @fd: connected socket
 * @rate: bytes a second, headers not counted
 *
 * Return: 0, -errno.
 */
int net_pace(int fd, uint64_t rate)
{
	/* 64 bits on machines of 64 bits; the highest value stands for no limit */
	unsigned long value = rate < ~0UL ? (unsigned long)rate : ~0UL;

	return setsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &value, sizeof(value)) ? -errno : 0;
}

static bool same_host(const struct sockaddr *a, const struct sockaddr *b)
{
	const struct sockaddr_in *a4 = (const void *)a, *b4 = (const void *)b;
	const struct sockaddr_in6 *a6 = (const void *)a, *b6 = (const void *)b;

	if (!a || a->sa_family != b->sa_family)
		return false;
	if (a->sa_family == AF_INET)
		return a4->sin_addr.s_addr == b4->sin_addr.s_addr;
	return a->sa_family == AF_INET6 && IN6_ARE_ADDR_EQUAL(&a6->sin6_addr, &b6->sin6_addr);
}

/**
 * net_is_local() - is the peer on this host?
 * @fd: connected socket
 *
 * Return: true if it has an address of this network namespace: packets go over lo.
 */
bool net_is_local(int fd)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);
	struct ifaddrs *list;
	bool local = false;

	if (getpeername(fd, (struct sockaddr *)&peer, &len) || getifaddrs(&list))
		return false;
	for (const struct ifaddrs *i = list; i && !local; i = i->ifa_next)
		local = same_host(i->ifa_addr, (struct sockaddr *)&peer);
	freeifaddrs(list);
	return local;
}

/**
 * net_own_iface() - interface that has our address of a connection
 * @fd: connected socket
 * @iface: its name; packets need not leave by it where routes say otherwise
 *
 * Return: 0, -ENODEV when none has it, another -errno.
 */
int net_own_iface(int fd, char iface[IF_NAMESIZE])
{
	struct sockaddr_storage own;
	socklen_t len = sizeof(own);
	struct ifaddrs *list;
	int err = -ENODEV;

	if (getsockname(fd, (struct sockaddr *)&own, &len) || getifaddrs(&list))
		return -errno;
	for (const struct ifaddrs *i = list; i && err; i = i->ifa_next) {
		if (!same_host(i->ifa_addr, (struct sockaddr *)&own))
			continue;
		snprintf(iface, IF_NAMESIZE, "%s", i->ifa_name);
		err = 0;
	}
	freeifaddrs(list);
	return err;
}

/**
 * net_iface_mtu() - MTU of an interface
 * @iface: its name
 *
 * Return: bytes, 0 when there is no such interface.
 */
uint32_t net_iface_mtu(const char *iface)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { 0 };
	uint32_t mtu = 0;

	if (fd < 0)
		fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return 0;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", iface);
	if (!ioctl(fd, SIOCGIFMTU, &ifr))
		mtu = (uint32_t)ifr.ifr_mtu;
	close(fd);
	return mtu;
}
