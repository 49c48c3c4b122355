// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The device as zc-life turns it: link, driver, bus, network namespace, and what it has to be told
 * again after each. By ioctls and netlink, since the programs for that take User Mode Linux longer
 * to start than the device takes to obey.
 */
#include "life.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHANNELS	4u
#define RX_RING		63u
#define MTU		4148
/* Of NETDEV_CMD_QUEUE_GET, see Documentation/netlink/specs/netdev.yaml and the series */
enum { QUEUE_ID = 1, QUEUE_IFINDEX, QUEUE_TYPE, QUEUE_NAPI_ID, QUEUE_DMABUF, QUEUE_IO_URING, QUEUE_ATTRS };

/* Run a piece of code in the device's network namespace; nothing else of the judge changes */
static int enter_ns(const struct nic *nic)
{
	return nic->ns < 0 ? 0 : setns(nic->ns, CLONE_NEWNET);
}

static void leave_ns(const struct nic *nic)
{
	if (nic->ns >= 0 && setns(nic->home, CLONE_NEWNET))
		abort();	/* nothing that follows would mean anything */
}

static void drop_sock(struct nic *nic)
{
	if (nic->sock >= 0)
		close(nic->sock);
	nic->sock = -1;
}

/* A socket is of the namespace that it was made in, and holds it */
static int get_sock(struct nic *nic)
{
	if (nic->sock < 0 && !enter_ns(nic)) {
		nic->sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		leave_ns(nic);
	}
	return nic->sock;
}

static int request(struct nic *nic, unsigned long what, struct ifreq *ifr)
{
	snprintf(ifr->ifr_name, sizeof(ifr->ifr_name), "%s", nic->iface);
	return ioctl(get_sock(nic), what, ifr) ? -errno : 0;
}

static int ethtool(struct nic *nic, void *cmd)
{
	struct ifreq ifr = { .ifr_data = cmd };

	return request(nic, SIOCETHTOOL, &ifr);
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/**
 * nic_present() - is the interface there
 * @nic: device
 *
 * Return: whether it is, where it is expected to be.
 */
bool nic_present(const struct nic *nic)
{
	bool there;

	if (enter_ns(nic))
		return false;
	there = if_nametoindex(nic->iface);
	leave_ns(nic);
	return there;
}

/* ---- what it is told ---------------------------------------------------- */

static int set_channels(struct nic *nic)
{
	struct ethtool_channels p = { .cmd = ETHTOOL_GCHANNELS };
	int ret = ethtool(nic, &p);

	if (ret || p.combined_count == CHANNELS)
		return ret;
	p.cmd = ETHTOOL_SCHANNELS;
	p.combined_count = CHANNELS;
	return ethtool(nic, &p);
}

static int set_rings(struct nic *nic)
{
	struct ethtool_ringparam p = { .cmd = ETHTOOL_GRINGPARAM };
	int ret = ethtool(nic, &p);

	if (ret || p.rx_pending == RX_RING)
		return ret;
	p.cmd = ETHTOOL_SRINGPARAM;
	p.rx_pending = RX_RING;
	return ethtool(nic, &p);
}

static int set_mtu(struct nic *nic)
{
	struct ifreq ifr = { .ifr_mtu = MTU };

	return request(nic, SIOCSIFMTU, &ifr);
}

static int set_ntuple(struct nic *nic)
{
	struct ethtool_value v = { .cmd = ETHTOOL_GFLAGS };
	int ret = ethtool(nic, &v);

	if (ret || v.data & ETH_FLAG_NTUPLE)
		return ret;
	v.cmd = ETHTOOL_SFLAGS;
	v.data |= ETH_FLAG_NTUPLE;
	return ethtool(nic, &v);
}

/* The bound queue gets what rules send there, and nothing else */
static int set_spread(struct nic *nic)
{
	struct ethtool_rxfh_indir ask = { .cmd = ETHTOOL_GRXFHINDIR };
	struct ethtool_rxfh_indir *table;
	int ret = ethtool(nic, &ask);

	if (ret)
		return ret;
	table = calloc(1, sizeof(*table) + ask.size * sizeof(table->ring_index[0]));
	if (!table)
		return -ENOMEM;
	table->cmd = ETHTOOL_SRXFHINDIR;
	table->size = ask.size;
	for (uint32_t i = 0; i < ask.size; i++)
		table->ring_index[i] = i % nic->queue;
	ret = ethtool(nic, table);
	free(table);
	return ret;
}

static int steer(struct nic *nic, uint16_t port)
{
	struct ethtool_rxnfc rule = {
		.cmd = ETHTOOL_SRXCLSRLINS,
		.fs = {
			.flow_type = TCP_V4_FLOW,
			.h_u.tcp_ip4_spec.pdst = htons(port),
			.m_u.tcp_ip4_spec.pdst = 0xffff,
			.ring_cookie = nic->queue,
			.location = RX_CLS_LOC_ANY,
		},
	};
	int ret = ethtool(nic, &rule);

	return ret == -EEXIST ? 0 : ret;
}

static int set_rules(struct nic *nic)
{
	return steer(nic, LIFE_PORT_FLOW) ?: steer(nic, LIFE_PORT_QUIET) ?: steer(nic, LIFE_PORT_HOLE);
}

static int set_addr(struct nic *nic)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr = nic->addr };
	struct ifreq ifr = { 0 };
	int ret;

	memcpy(&ifr.ifr_addr, &in, sizeof(in));
	ret = request(nic, SIOCSIFADDR, &ifr);
	if (ret)
		return ret;
	in.sin_addr.s_addr = htonl(0xffffff00);
	memcpy(&ifr.ifr_netmask, &in, sizeof(in));
	return request(nic, SIOCSIFNETMASK, &ifr);
}

/* The peer's hardware address is lost whenever the link goes. Asking for it would take time. */
static int set_neigh(struct nic *nic)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr = nic->peer };
	struct arpreq req = { .arp_flags = ATF_PERM | ATF_COM };

	memcpy(&req.arp_pa, &in, sizeof(in));
	req.arp_ha.sa_family = ARPHRD_ETHER;
	memcpy(req.arp_ha.sa_data, nic->mac, sizeof(nic->mac));
	snprintf(req.arp_dev, sizeof(req.arp_dev), "%s", nic->iface);
	return ioctl(get_sock(nic), SIOCSARP, &req) ? -errno : 0;
}

static int set_flags(struct nic *nic, bool up)
{
	struct ifreq ifr = { 0 };
	int ret = request(nic, SIOCGIFFLAGS, &ifr);

	if (ret || !(ifr.ifr_flags & IFF_UP) == !up)
		return ret;
	ifr.ifr_flags ^= IFF_UP;
	return request(nic, SIOCSIFFLAGS, &ifr);
}

/**
 * nic_link() - set the interface up or down
 * @nic: device
 * @up: which
 *
 * Return: 0, -errno.
 */
int nic_link(struct nic *nic, bool up)
{
	int ret = set_flags(nic, up);

	return ret || !up ? ret : set_neigh(nic);
}

/*
 * A socket that is closed while its peer cannot be reached keeps what came too early, and its
 * network namespace, until TCP gives up: minutes.
 */
static int set_patience(struct nic *nic)
{
	int ret = enter_ns(nic) ? -errno : 0;

	if (ret)
		return ret;
	ret = write_file("/proc/sys/net/ipv4/tcp_orphan_retries", "1") ?:
	      write_file("/proc/sys/net/ipv4/tcp_fin_timeout", "1");
	leave_ns(nic);
	return ret;
}

/**
 * nic_configure() - tell a device that may have just been found all that it has to know
 * @nic: device
 *
 * Return: 0, -errno.
 */
int nic_configure(struct nic *nic)
{
	static int (*const steps[])(struct nic *nic) = {
		set_channels, set_rings, set_mtu, set_ntuple, set_spread, set_addr,
		set_patience,
	};
	int ret = 0;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && !ret; i++)
		ret = steps[i](nic);
	if (!ret)
		ret = nic_link(nic, true);
	/* rules take an interface that is up */
	return ret ?: set_rules(nic);
}

/* ---- driver and bus ----------------------------------------------------- */

static int driver_file(struct nic *nic, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", nic->driver, name);
	return write_file(path, nic->pci);
}

/* The device comes back where the judge is, wherever it was */
static void forget_ns(struct nic *nic)
{
	drop_sock(nic);
	if (nic->ns >= 0)
		close(nic->ns);
	nic->ns = -1;
}

/**
 * nic_unbind() - take the driver away
 * @nic: device
 *
 * Return: 0, -errno.
 */
int nic_unbind(struct nic *nic)
{
	forget_ns(nic);
	return driver_file(nic, "unbind");
}

/**
 * nic_bind() - give it a driver again, and configure it
 * @nic: device
 *
 * Return: 0, -errno.
 */
int nic_bind(struct nic *nic)
{
	return driver_file(nic, "bind") ?: nic_configure(nic);
}

/**
 * nic_remove() - pull it out
 * @nic: device
 *
 * Return: 0, -errno.
 */
int nic_remove(struct nic *nic)
{
	char path[256];

	forget_ns(nic);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/remove", nic->pci);
	return write_file(path, "1");
}

/**
 * nic_rescan() - plug it in again, and configure it
 * @nic: device
 *
 * Return: 0, -errno.
 */
int nic_rescan(struct nic *nic)
{
	return write_file("/sys/bus/pci/rescan", "1") ?: nic_configure(nic);
}

/* ---- network namespaces ------------------------------------------------- */

/**
 * nic_new_ns() - a network namespace with nobody in it
 * @nic: device
 *
 * Return: a descriptor that holds it, or -errno.
 */
int nic_new_ns(const struct nic *nic)
{
	int fd;

	if (unshare(CLONE_NEWNET))
		return -errno;
	fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (setns(nic->home, CLONE_NEWNET))
		abort();
	return fd < 0 ? -errno : fd;
}

static int send_move(const struct nic *nic, int ns)
{
	struct {
		struct nlmsghdr nl;
		struct ifinfomsg ifi;
		struct nlattr attr;
		int32_t fd;
	} req = {
		.nl = {
			.nlmsg_len = sizeof(req),
			.nlmsg_type = RTM_NEWLINK,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
		},
		.ifi.ifi_index = (int)if_nametoindex(nic->iface),
		.attr = { .nla_len = NLA_HDRLEN + sizeof(int32_t), .nla_type = IFLA_NET_NS_FD },
		.fd = ns,
	};
	struct {
		struct nlmsghdr nl;
		struct nlmsgerr err;
		char more[512];
	} ack;
	int ret, sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (sock < 0)
		return -errno;
	ret = send(sock, &req, sizeof(req), 0) < 0 || recv(sock, &ack, sizeof(ack), 0) < 0 ? -errno : 0;
	close(sock);
	return ret ?: ack.err.error;
}

/**
 * nic_move() - move the interface to another network namespace, and configure it there
 * @nic: device
 * @ns: the namespace, the judge's if negative; taken over
 *
 * Return: 0, -errno.
 */
int nic_move(struct nic *nic, int ns)
{
	int ret = enter_ns(nic) ? -errno : 0;

	if (ret)
		return ret;
	ret = send_move(nic, ns < 0 ? nic->home : ns);
	leave_ns(nic);
	if (ret)
		return ret;
	forget_ns(nic);
	nic->ns = ns;
	return nic_configure(nic);
}

/**
 * nic_go_home() - let go of the namespace that the device is in
 * @nic: device
 *
 * If nobody else holds it, it is deleted, and the device falls back to the judge's. That is
 * waited for.
 *
 * Return: 0, -ETIMEDOUT if it does not come.
 */
int nic_go_home(struct nic *nic)
{
	uint64_t end = life_now_ms() + 10000;

	forget_ns(nic);
	while (!nic_present(nic)) {
		if (life_now_ms() > end)
			return -ETIMEDOUT;
		life_nap_us(1000);
	}
	return nic_configure(nic);
}

/* ---- what the kernel says ----------------------------------------------- */

struct queue_ask {
	unsigned int ifindex, queue;
	bool found, bound;
};

static void look_at_queue(const struct nlmsghdr *nl, void *arg)
{
	const struct nlattr *at[QUEUE_ATTRS];
	struct queue_ask *ask = arg;

	genl_index_attrs(nl, at, QUEUE_ATTRS);
	if (genl_uint(at[QUEUE_TYPE]) || genl_uint(at[QUEUE_IFINDEX]) != ask->ifindex ||
	    genl_uint(at[QUEUE_ID]) != ask->queue)
		return;
	ask->found = true;
	ask->bound = at[QUEUE_IO_URING];
}

/**
 * nic_bound() - is the queue bound to somebody's memory
 * @nic: device
 *
 * Return: 1 or 0, -ENODEV if there is no such queue now, or another -errno. An interface that is
 * down does not list its queues.
 */
int nic_bound(const struct nic *nic)
{
	struct queue_ask ask = { .queue = nic->queue };
	struct genl g;
	int ret;

	if (enter_ns(nic))
		return -errno;
	ask.ifindex = if_nametoindex(nic->iface);
	ret = genl_open(&g);
	if (!ret)
		ret = genl_dump(&g, NETDEV_QUEUE_GET, look_at_queue, &ask);
	genl_close(&g);
	leave_ns(nic);
	if (ret)
		return ret;
	return ask.found ? ask.bound : -ENODEV;
}

/* The peer's address, once something has come from there */
static int learn_mac(struct nic *nic)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr = nic->peer, .sin_port = htons(9) };
	uint64_t end = life_now_ms() + 5000;
	struct arpreq req;

	do {
		memset(&req, 0, sizeof(req));
		memcpy(&req.arp_pa, &in, sizeof(in));
		snprintf(req.arp_dev, sizeof(req.arp_dev), "%s", nic->iface);
		if (!ioctl(get_sock(nic), SIOCGARP, &req) && req.arp_flags & ATF_COM) {
			memcpy(nic->mac, req.arp_ha.sa_data, sizeof(nic->mac));
			return 0;
		}
		if (sendto(get_sock(nic), "", 1, 0, (void *)&in, sizeof(in)) < 0)
			return -errno;
		life_nap_us(10000);
	} while (life_now_ms() < end);
	return -EHOSTUNREACH;
}

/**
 * nic_open() - find the device, and configure it
 * @nic: device
 * @iface: its interface
 * @queue: receive queue to be bound, not 0
 * @addr: IPv4 address of the interface
 * @peer: that of the peer
 *
 * Return: 0, -errno.
 */
int nic_open(struct nic *nic, const char *iface, unsigned int queue, const char *addr, const char *peer)
{
	char path[128], link[256];
	ssize_t n;

	*nic = (struct nic){ .iface = iface, .queue = queue, .ns = -1, .sock = -1 };
	if (!queue || inet_pton(AF_INET, addr, &nic->addr) != 1 || inet_pton(AF_INET, peer, &nic->peer) != 1)
		return -EINVAL;
	snprintf(path, sizeof(path), "/sys/class/net/%s/device", iface);
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		return -errno;
	link[n] = 0;
	snprintf(nic->pci, sizeof(nic->pci), "%.63s", strrchr(link, '/') + 1);
	snprintf(nic->driver, sizeof(nic->driver), "/sys/bus/pci/drivers/bnxt_en");
	nic->home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (nic->home < 0)
		return -errno;
	return learn_mac(nic) ?: nic_configure(nic);
}
