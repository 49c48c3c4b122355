// SPDX-License-Identifier: GPL-2.0-or-later
#include "nicinfo.h"
#include "nl.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <linux/xdp_diag.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Documentation/netlink/specs/netdev.yaml of the kernel; Debian's headers are older */
#define NETDEV_FAMILY		"netdev"
#define MSG_QUEUE_GET		10
#define A_QUEUE_ID		1
#define A_QUEUE_IFINDEX		2
#define A_QUEUE_TYPE		3
#define A_QUEUE_NAPI_ID		4
#define A_QUEUE_DMABUF		5
#define A_QUEUE_IO_URING	6
#define A_QUEUE_XSK		7
#define QUEUE_TYPE_RX		0

#define NTUPLE_FEATURE		"rx-ntuple-filter"

static int iface_ioctl(const char *iface, unsigned long request, struct ifreq *ifr)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err = 0;

	if (fd < 0)
		return -errno;
	snprintf(ifr->ifr_name, sizeof(ifr->ifr_name), "%s", iface);
	if (ioctl(fd, request, ifr))
		err = -errno;
	close(fd);
	return err;
}

static int ethtool(const char *iface, void *command)
{
	struct ifreq ifr = { .ifr_data = command };

	return iface_ioctl(iface, SIOCETHTOOL, &ifr);
}

/* Directory of an interface in sysfs; names with a slash are no interfaces */
static bool sysfs_path(const char *iface, const char *rest, char *path, size_t size)
{
	if (strchr(iface, '/'))
		return false;
	snprintf(path, size, "/sys/class/net/%s/%s", iface, rest);
	return true;
}

/**
 * nicinfo_flags() - flags of an interface
 * @iface: its name
 *
 * Return: IFF_*, -ENODEV when there is no such interface, -errno.
 */
int nicinfo_flags(const char *iface)
{
	struct ifreq ifr = { 0 };
	int err;

	if (!if_nametoindex(iface))
		return -ENODEV;
	err = iface_ioctl(iface, SIOCGIFFLAGS, &ifr);
	return err ? err : (unsigned short)ifr.ifr_flags;
}

/**
 * nicinfo_is_virtual() - is there no hardware behind it?
 * @iface: name of an interface that there is
 *
 * Return: whether.
 */
bool nicinfo_is_virtual(const char *iface)
{
	char path[128];

	return sysfs_path(iface, "device", path, sizeof(path)) && access(path, F_OK);
}

/**
 * nicinfo_list() - interfaces that have a device behind them
 * @words: gets their names and drivers: "eth0 (bnxt_en), eth1 (igb)"; empty for none
 * @size: of @words
 */
void nicinfo_list(char *words, size_t size)
{
	struct if_nameindex *all = if_nameindex();
	size_t used = 0;
	char driver[64];

	words[0] = '\0';
	for (struct if_nameindex *i = all; i && i->if_name && used < size; i++) {
		if (nicinfo_is_virtual(i->if_name))
			continue;
		if (!nicinfo_driver(i->if_name, driver, sizeof(driver)))
			snprintf(driver, sizeof(driver), "?");
		used += (size_t)snprintf(words + used, size - used, "%s%s (%s)", used ? ", " : "",
					 i->if_name, driver);
	}
	if (all)
		if_freenameindex(all);
}

/**
 * nicinfo_driver() - which driver an interface has
 * @iface: its name
 * @name: gets the driver's
 * @size: of @name
 *
 * Return: false when it has none.
 */
bool nicinfo_driver(const char *iface, char *name, size_t size)
{
	char path[128], link[256];
	const char *base;
	ssize_t n;

	if (!sysfs_path(iface, "device/driver", path, sizeof(path)))
		return false;
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		return false;
	link[n] = '\0';
	base = strrchr(link, '/');
	snprintf(name, size, "%s", base ? base + 1 : link);
	return true;
}

static unsigned int count_sysfs_queues(const char *iface)
{
	unsigned int n = 0;
	struct dirent *d;
	char path[128];
	DIR *dir;

	if (!sysfs_path(iface, "queues", path, sizeof(path)))
		return 0;
	dir = opendir(path);
	if (!dir)
		return 0;
	while ((d = readdir(dir)))
		n += !strncmp(d->d_name, "rx-", 3);
	closedir(dir);
	return n;
}

/**
 * nicinfo_rx_queues() - number of receive queues in use
 * @iface: name of the interface
 *
 * Return: the number, 0 where it cannot be found out.
 */
unsigned int nicinfo_rx_queues(const char *iface)
{
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	unsigned int n = 0;

	/* not every driver has channels, and not every kernel shows queues in sysfs */
	if (!ethtool(iface, &channels))
		n = channels.rx_count + channels.combined_count;
	return n ? n : count_sysfs_queues(iface);
}

/**
 * nicinfo_channels() - what "ethtool -L" takes to have a number of receive queues
 * @iface: name of the interface
 * @queues: how many
 * @words: gets its arguments
 * @size: of @words
 *
 * Return: false when the device cannot have so many, or does not tell.
 */
bool nicinfo_channels(const char *iface, unsigned int queues, char *words, size_t size)
{
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	bool combined;

	if (ethtool(iface, &channels))
		return false;
	combined = channels.max_combined;
	if (queues > (combined ? channels.max_combined : channels.max_rx))
		return false;
	snprintf(words, size, "%s %u", combined ? "combined" : "rx", queues);
	return true;
}

/**
 * nicinfo_rings() - sizes of the receive rings
 * @iface: name of the interface
 * @out: the sizes
 *
 * Return: false where the driver does not tell.
 */
bool nicinfo_rings(const char *iface, struct nicinfo_rings *out)
{
	struct ethtool_ringparam ring = { .cmd = ETHTOOL_GRINGPARAM };

	if (ethtool(iface, &ring))
		return false;
	*out = (struct nicinfo_rings){ ring.rx_pending, ring.rx_jumbo_pending };
	return ring.rx_pending;
}

/* ---- filter rules and RSS ---------------------------------------------- */

static uint32_t count_features(const char *iface)
{
	struct ethtool_sset_info *set = calloc(1, sizeof(*set) + sizeof(set->data[0]));
	uint32_t n = 0;

	if (!set)
		return 0;
	set->cmd = ETHTOOL_GSSET_INFO;
	set->sset_mask = 1ULL << ETH_SS_FEATURES;
	if (!ethtool(iface, set) && set->sset_mask)
		n = set->data[0];
	free(set);
	return n;
}

/* Number of the feature, @n when there is none of that name */
static uint32_t find_feature(const char *iface, const char *name, uint32_t n)
{
	struct ethtool_gstrings *names = calloc(1, sizeof(*names) + (size_t)n * ETH_GSTRING_LEN);
	uint32_t i = n;

	if (!names)
		return n;
	names->cmd = ETHTOOL_GSTRINGS;
	names->string_set = ETH_SS_FEATURES;
	names->len = n;
	if (!ethtool(iface, names))
		for (i = 0; i < n; i++)
			if (!strncmp((char *)names->data + (size_t)i * ETH_GSTRING_LEN, name,
				     ETH_GSTRING_LEN))
				break;
	free(names);
	return i;
}

/**
 * nicinfo_ntuple() - can rules steer flows to queues?
 * @iface: name of the interface
 *
 * Return: see the enum.
 */
enum nicinfo_ntuple nicinfo_ntuple(const char *iface)
{
	enum nicinfo_ntuple ret = NICINFO_NTUPLE_UNKNOWN;
	uint32_t n = count_features(iface), blocks = (n + 31) / 32;
	uint32_t i = n ? find_feature(iface, NTUPLE_FEATURE, n) : 0;
	struct ethtool_gfeatures *all;

	if (i == n)
		return ret;
	all = calloc(1, sizeof(*all) + blocks * sizeof(all->features[0]));
	if (!all)
		return ret;
	all->cmd = ETHTOOL_GFEATURES;
	all->size = blocks;
	if (!ethtool(iface, all)) {
		const struct ethtool_get_features_block *b = &all->features[i / 32];
		uint32_t bit = 1U << i % 32;

		if (b->active & bit)
			ret = NICINFO_NTUPLE_ON;
		else
			ret = b->available & bit ? NICINFO_NTUPLE_OFF : NICINFO_NTUPLE_NONE;
	}
	free(all);
	return ret;
}

/* Is it a rule that the flow of a TCP port may go by? */
static bool take_rule(const struct ethtool_rxnfc *nfc, struct nicinfo_rule *rule)
{
	const struct ethtool_rx_flow_spec *fs = &nfc->fs;
	uint32_t type = fs->flow_type & ~(uint32_t)(FLOW_EXT | FLOW_MAC_EXT | FLOW_RSS);
	uint16_t port, mask;

	if (type == TCP_V4_FLOW) {
		port = fs->h_u.tcp_ip4_spec.pdst;
		mask = fs->m_u.tcp_ip4_spec.pdst;
	} else if (type == TCP_V6_FLOW) {
		port = fs->h_u.tcp_ip6_spec.pdst;
		mask = fs->m_u.tcp_ip6_spec.pdst;
	} else {
		return false;
	}
	/* of a range of ports it is not known whether ours is meant */
	if (mask && mask != 0xffff)
		return false;
	*rule = (struct nicinfo_rule){
		.id = fs->location,
		.ipv6 = type == TCP_V6_FLOW,
		.port = mask ? ntohs(port) : 0,
		.queue = NICINFO_NO_QUEUE,
	};
	if (fs->flow_type & FLOW_RSS)
		rule->context = nfc->rss_context;
	else if (fs->ring_cookie != RX_CLS_FLOW_DISC)
		rule->queue = (uint32_t)ethtool_get_flow_spec_ring(fs->ring_cookie);
	return true;
}

/**
 * nicinfo_rules() - filter rules for TCP
 * @iface: name of the interface
 * @rules: gets them
 * @max: room of @rules
 *
 * Return: how many there are of them, -errno where the device has no rules.
 */
int nicinfo_rules(const char *iface, struct nicinfo_rule *rules, unsigned int max)
{
	struct ethtool_rxnfc count = { .cmd = ETHTOOL_GRXCLSRLCNT }, *all;
	int err = ethtool(iface, &count), n = 0;

	if (err)
		return err;
	all = calloc(1, sizeof(*all) + count.rule_cnt * sizeof(all->rule_locs[0]));
	if (!all)
		return -ENOMEM;
	all->cmd = ETHTOOL_GRXCLSRLALL;
	all->rule_cnt = count.rule_cnt;
	err = ethtool(iface, all);
	for (uint32_t i = 0; !err && i < all->rule_cnt && i < count.rule_cnt; i++) {
		struct ethtool_rxnfc one = {
			.cmd = ETHTOOL_GRXCLSRULE,
			.fs = { .location = all->rule_locs[i] },
		};

		/* one that has gone meanwhile is none */
		if ((unsigned int)n < max && !ethtool(iface, &one))
			n += take_rule(&one, &rules[n]);
	}
	free(all);
	return err ? err : n;
}

/**
 * nicinfo_rss() - queues that all other packets are spread over
 * @iface: name of the interface
 * @context: RSS context, 0 for the one of packets that no rule names
 * @table: gets the queue of each slot
 * @max: room of @table
 *
 * Return: slots of the table, 0 when there is none, -errno.
 */
int nicinfo_rss(const char *iface, uint32_t context, uint32_t *table, unsigned int max)
{
	struct ethtool_rxfh head = { .cmd = ETHTOOL_GRSSH, .rss_context = context }, *all;
	int err = ethtool(iface, &head);
	int n = (int)head.indir_size;

	if (err)
		return err;
	if (!n || head.indir_size > max)
		return n ? -E2BIG : 0;
	all = calloc(1, sizeof(*all) + head.indir_size * sizeof(uint32_t) + head.key_size);
	if (!all)
		return -ENOMEM;
	*all = head;
	all->cmd = ETHTOOL_GRSSH;
	all->rss_context = context;
	err = ethtool(iface, all);
	memcpy(table, all->rss_config, head.indir_size * sizeof(uint32_t));
	free(all);
	return err ? err : n;
}

/* ---- who has the packets ----------------------------------------------- */

static void take_xdp_mode(void *ctx, uint16_t type, const void *data, size_t len)
{
	static const enum nicinfo_xdp modes[] = {
		[XDP_ATTACHED_NONE] = NICINFO_XDP_NONE,
		[XDP_ATTACHED_DRV] = NICINFO_XDP_DRIVER,
		[XDP_ATTACHED_SKB] = NICINFO_XDP_GENERIC,
		[XDP_ATTACHED_HW] = NICINFO_XDP_OFFLOAD,
		[XDP_ATTACHED_MULTI] = NICINFO_XDP_MULTI,
	};
	uint64_t mode = nl_number(data, len);
	enum nicinfo_xdp *out = ctx;

	if (type == IFLA_XDP_ATTACHED && mode < sizeof(modes) / sizeof(modes[0]))
		*out = modes[mode];
}

static void take_link_attr(void *ctx, uint16_t type, const void *data, size_t len)
{
	if (type == IFLA_XDP)
		nl_for_each_attr(data, len, take_xdp_mode, ctx);
}

static void take_link(void *ctx, const struct nlmsghdr *nlh)
{
	if (nlh->nlmsg_type == RTM_NEWLINK)
		nl_attrs(nlh, sizeof(struct ifinfomsg), take_link_attr, ctx);
}

/**
 * nicinfo_xdp() - is an XDP program attached?
 * @iface: name of the interface
 *
 * Return: see the enum.
 */
enum nicinfo_xdp nicinfo_xdp(const char *iface)
{
	const struct ifinfomsg info = { .ifi_index = (int)if_nametoindex(iface) };
	enum nicinfo_xdp mode = NICINFO_XDP_UNKNOWN;
	struct nl_message m;
	struct nl nl;

	if (!info.ifi_index || nl_open(&nl, NETLINK_ROUTE))
		return mode;
	nl_start(&m, RTM_GETLINK, 0, &info, sizeof(info));
	if (nl_request(&nl, &m, take_link, &mode))
		mode = NICINFO_XDP_UNKNOWN;
	nl_close(&nl);
	return mode;
}

static void take_queue_attr(void *ctx, uint16_t type, const void *data, size_t len)
{
	struct nicinfo_user *user = ctx;

	(void)data;
	(void)len;
	user->known = true;
	user->dmabuf |= type == A_QUEUE_DMABUF;
	user->io_uring |= type == A_QUEUE_IO_URING;
	user->xsk |= type == A_QUEUE_XSK;
}

static void take_queue(void *ctx, const struct nlmsghdr *nlh)
{
	nl_attrs(nlh, GENL_HDRLEN, take_queue_attr, ctx);
}

static void take_napi_attr(void *ctx, uint16_t type, const void *data, size_t len)
{
	uint32_t *napi = ctx;

	if (type == A_QUEUE_NAPI_ID)
		*napi = (uint32_t)nl_number(data, len);
}

static void take_napi(void *ctx, const struct nlmsghdr *nlh)
{
	nl_attrs(nlh, GENL_HDRLEN, take_napi_attr, ctx);
}

/**
 * struct netdev - a netlink socket for messages about queues
 * @nl: the socket
 * @family: number of the family
 * @index: interface
 */
struct netdev {
	struct nl nl;
	uint16_t family;
	uint32_t index;
};

/* The family came with Linux 6.3, its queues with 6.8 */
static int netdev_open(struct netdev *nd, const char *iface)
{
	int err = nl_open(&nd->nl, NETLINK_GENERIC);

	if (err)
		return err;
	nd->index = if_nametoindex(iface);
	err = nl_family(&nd->nl, NETDEV_FAMILY, NULL, &nd->family, NULL);
	if (err)
		nl_close(&nd->nl);
	return err;
}

static int ask_queue(struct netdev *nd, uint32_t queue, nl_answer_fn fn, void *ctx)
{
	const uint32_t type = QUEUE_TYPE_RX;
	struct nl_message m;

	nl_start_genl(&m, nd->family, MSG_QUEUE_GET, 0);
	nl_put(&m, A_QUEUE_IFINDEX, &nd->index, sizeof(nd->index));
	nl_put(&m, A_QUEUE_TYPE, &type, sizeof(type));
	nl_put(&m, A_QUEUE_ID, &queue, sizeof(queue));
	return nl_request(&nd->nl, &m, fn, ctx);
}

/**
 * nicinfo_queue_user() - who takes the packets of a queue
 * @iface: name of the interface; of one that is down the kernel does not tell
 * @queue: receive queue
 *
 * Return: what the kernel tells, Linux 6.8 and later.
 */
struct nicinfo_user nicinfo_queue_user(const char *iface, uint32_t queue)
{
	struct nicinfo_user user = { 0 };
	struct netdev nd;

	if (netdev_open(&nd, iface))
		return user;
	if (ask_queue(&nd, queue, take_queue, &user))
		user = (struct nicinfo_user){ 0 };
	nl_close(&nd.nl);
	return user;
}

/**
 * nicinfo_queue_napis() - which NAPI instances serve queues
 * @iface: name of the interface
 * @queues: receive queues
 * @n: how many
 * @napis: gets the number of the instance of each, as SO_INCOMING_NAPI_ID has it; 0 where
 *	the kernel or the driver does not tell. It changes when the NIC is reset
 */
void nicinfo_queue_napis(const char *iface, const uint32_t *queues, uint32_t n, uint32_t *napis)
{
	struct netdev nd;

	memset(napis, 0, n * sizeof(*napis));
	if (netdev_open(&nd, iface))
		return;
	for (uint32_t i = 0; i < n; i++)
		ask_queue(&nd, queues[i], take_napi, &napis[i]);
	nl_close(&nd.nl);
}

/**
 * struct search - a descriptor that is looked for in all processes
 * @link: what it is a link to in /proc/PID/fd
 * @matches: looks closer; NULL when the link says enough
 * @index: of the interface
 * @queue: its receive queue
 */
struct search {
	char link[64];
	bool (*matches)(const struct search *s, const char *pid, const char *fd);
	unsigned int index;
	uint32_t queue;
};

static bool search_process(const struct search *s, const char *pid)
{
	char path[320], link[80];
	struct dirent *d;
	bool found = false;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%.16s/fd", pid);
	dir = opendir(path);
	while (dir && !found && (d = readdir(dir))) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/%.16s/fd/%s", pid, d->d_name);
		n = readlink(path, link, sizeof(link) - 1);
		if (n < 0)
			continue;
		link[n] = '\0';
		found = !strcmp(link, s->link) && (!s->matches || s->matches(s, pid, d->d_name));
	}
	if (dir)
		closedir(dir);
	return found;
}

static struct nicinfo_process search_all(const struct search *s)
{
	struct nicinfo_process p = { 0 };
	DIR *proc = opendir("/proc");
	struct dirent *d;
	char path[64];
	FILE *f;

	while (proc && !p.pid && (d = readdir(proc)))
		if (isdigit((unsigned char)d->d_name[0]) && search_process(s, d->d_name))
			p.pid = atoi(d->d_name);
	if (proc)
		closedir(proc);
	if (!p.pid)
		return p;
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)p.pid);
	f = fopen(path, "re");
	if (f) {
		if (fgets(p.name, sizeof(p.name), f))
			p.name[strcspn(p.name, "\n")] = '\0';
		fclose(f);
	}
	return p;
}

/* The series lists the interface queues of a ring in fdinfo */
static bool ring_has_queue(const struct search *s, const char *pid, const char *fd)
{
	unsigned int index, queue;
	bool found = false;
	char text[320];
	FILE *f;

	snprintf(text, sizeof(text), "/proc/%.16s/fdinfo/%.16s", pid, fd);
	f = fopen(text, "re");
	if (!f)
		return false;
	while (!found && fgets(text, sizeof(text), f))
		found = sscanf(text, " %*u: ifindex:%u, queue:%u, bound:1", &index, &queue) == 2 &&
			index == s->index && queue == s->queue;
	fclose(f);
	return found;
}

/**
 * nicinfo_ring_owner() - the process whose io_uring has a queue
 * @iface: name of the interface
 * @queue: receive queue
 *
 * Return: the process; none where the kernel does not tell, or not us.
 */
struct nicinfo_process nicinfo_ring_owner(const char *iface, uint32_t queue)
{
	const struct search s = {
		.link = "anon_inode:[io_uring]",
		.matches = ring_has_queue,
		.index = if_nametoindex(iface),
		.queue = queue,
	};

	return search_all(&s);
}

/**
 * nicinfo_socket_owner() - who has a socket
 * @inode: number of the socket, as /proc/net and sock_diag tell it
 *
 * Return: the first process that has it; none where we may not look.
 */
struct nicinfo_process nicinfo_socket_owner(unsigned long inode)
{
	struct search s = { 0 };

	snprintf(s.link, sizeof(s.link), "socket:[%lu]", inode);
	return search_all(&s);
}

/**
 * struct xsk_search - the AF_XDP socket that is looked for
 * @index: interface
 * @queue: its queue
 * @inode: of the socket in work
 * @found: inode of the one, 0 when there is none
 */
struct xsk_search {
	unsigned int index;
	uint32_t queue;
	uint32_t inode;
	uint32_t found;
};

static void take_xsk_attr(void *ctx, uint16_t type, const void *data, size_t len)
{
	struct xdp_diag_info info;
	struct xsk_search *s = ctx;

	if (type != XDP_DIAG_INFO || len < sizeof(info))
		return;
	memcpy(&info, data, sizeof(info));
	if (info.ifindex == s->index && info.queue_id == s->queue)
		s->found = s->inode;
}

static void take_xsk(void *ctx, const struct nlmsghdr *nlh)
{
	struct xsk_search *s = ctx;
	struct xdp_diag_msg msg;

	if (nlh->nlmsg_len < NLMSG_LENGTH(sizeof(msg)))
		return;
	memcpy(&msg, NLMSG_DATA(nlh), sizeof(msg));
	s->inode = msg.xdiag_ino;
	nl_attrs(nlh, sizeof(msg), take_xsk_attr, s);
}

/**
 * nicinfo_xsk_on() - is an AF_XDP socket bound to a queue?
 * @iface: name of the interface
 * @queue: receive queue
 * @owner: the process that has it, as far as it can be seen
 *
 * Return: 1, 0, -errno where the kernel does not tell (CONFIG_XDP_SOCKETS_DIAG).
 */
int nicinfo_xsk_on(const char *iface, uint32_t queue, struct nicinfo_process *owner)
{
	const struct xdp_diag_req req = { .sdiag_family = AF_XDP, .xdiag_show = XDP_SHOW_INFO };
	struct xsk_search s = { .index = if_nametoindex(iface), .queue = queue };
	struct nl_message m;
	struct nl nl;
	int err = nl_open(&nl, NETLINK_SOCK_DIAG);

	*owner = (struct nicinfo_process){ 0 };
	if (err)
		return err;
	nl_start(&m, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &req, sizeof(req));
	err = nl_request(&nl, &m, take_xsk, &s);
	nl_close(&nl);
	if (err || !s.found)
		return err;
	*owner = nicinfo_socket_owner(s.found);
	return 1;
}

/**
 * nicinfo_xsk_count() - number of AF_XDP sockets of this network namespace
 *
 * Return: the number, 0 for a kernel without, -1 where it cannot be found out.
 */
int nicinfo_xsk_count(void)
{
	FILE *f = fopen("/proc/net/protocols", "re");
	char line[256];
	int n = 0;

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "XDP %*d %d", &n) == 1)
			break;
	fclose(f);
	return n;
}
