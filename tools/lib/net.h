/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TCP sockets of both ends. */
#ifndef NET_H
#define NET_H

#include <linux/tcp.h>
#include <net/if.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* Room for an address, "[", "]:" and a port */
#define NET_NAME	64

/**
 * struct net_listen - how to listen
 * @family: AF_INET or AF_INET6
 * @port: TCP port
 * @maxseg: TCP_MAXSEG, 0 to leave it: the MSS that the peer is told
 * @rcvbuf: SO_RCVBUF in bytes, 0 to let the kernel tune it
 */
struct net_listen {
	int family;
	uint16_t port;
	uint32_t maxseg;
	uint32_t rcvbuf;
};

uint32_t net_rcvbuf(int fd);
int net_listen(const struct net_listen *how);
int net_accept(int fd, char *peer, bool *ipv6);
int net_resolve(const char *host, const char *port, int family, struct addrinfo **out);
int net_path_mtu(const struct addrinfo *ai);
int net_connect(const struct addrinfo *ai, uint32_t maxseg);
int net_tcp_info(int fd, struct tcp_info *info);
int net_incoming_cpu(int fd);
uint32_t net_incoming_napi(int fd);
int net_error(int fd);
uint32_t net_send_mss(int fd);
int net_cork(int fd, bool on);
int net_own_iface(int fd, char iface[IF_NAMESIZE]);
bool net_is_local(int fd);
int net_pace(int fd, uint64_t rate);
uint32_t net_iface_mtu(const char *iface);
void net_name(const struct sockaddr *sa, socklen_t len, char *out);

#endif
