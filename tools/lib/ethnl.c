// SPDX-License-Identifier: GPL-2.0-or-later
#include "ethnl.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* linux/ethtool_netlink.h; the headers of Debian 12 lack those of the threshold */
#define FAMILY			"ethtool"
#define MONITOR			"monitor"
#define VERSION			1
#define MSG_RINGS_GET		15
#define MSG_RINGS_SET		16
#define MSG_RINGS_NTF		17	/* kernel to user: another numbering */
#define A_HEADER_DEV_INDEX	1
#define A_RINGS_HEADER		1
#define A_RINGS_TCP_DATA_SPLIT	11
#define A_RINGS_HDS_THRESH	17
#define A_RINGS_HDS_THRESH_MAX	18

/* More than any message of this family that matters here */
#define BUFFER			8192

/**
 * struct message - a netlink message in the making, or one that came
 * @nlh: its header
 * @genl: behind that
 * @room: that, and attributes
 */
struct message {
	struct nlmsghdr nlh;
	struct genlmsghdr genl;
	uint8_t room[BUFFER];
};

/* Calls a function for each attribute of a run of them */
typedef void (*attr_fn)(void *ctx, uint16_t type, const void *data, size_t len);

static void for_each_attr(const void *attrs, size_t len, attr_fn fn, void *ctx)
{
	const uint8_t *p = attrs;

	while (len >= NLA_HDRLEN) {
		struct nlattr nla;
		size_t step;

		memcpy(&nla, p, sizeof(nla));
		if (nla.nla_len < NLA_HDRLEN || nla.nla_len > len)
			return;
		fn(ctx, nla.nla_type & NLA_TYPE_MASK, p + NLA_HDRLEN, nla.nla_len - NLA_HDRLEN);
		step = NLA_ALIGN(nla.nla_len);
		if (step > len)
			return;
		p += step;
		len -= step;
	}
}

static uint32_t number(const void *data, size_t len)
{
	uint32_t v = 0;

	/* little and big endian hosts alike: lengths are those of the types */
	if (len == 1)
		return *(const uint8_t *)data;
	if (len == 2) {
		uint16_t half;

		memcpy(&half, data, sizeof(half));
		return half;
	}
	if (len >= 4)
		memcpy(&v, data, sizeof(v));
	return v;
}

static void start(struct message *m, uint16_t type, uint8_t cmd, uint16_t flags)
{
	m->nlh = (struct nlmsghdr){
		.nlmsg_len = NLMSG_HDRLEN + GENL_HDRLEN,
		.nlmsg_type = type,
		.nlmsg_flags = NLM_F_REQUEST | flags,
	};
	m->genl = (struct genlmsghdr){ .cmd = cmd, .version = VERSION };
}

static void put(struct message *m, uint16_t type, const void *data, size_t len)
{
	struct nlattr nla = { .nla_len = (uint16_t)(NLA_HDRLEN + len), .nla_type = type };
	uint8_t *p = (uint8_t *)m + m->nlh.nlmsg_len;

	memcpy(p, &nla, sizeof(nla));
	memcpy(p + NLA_HDRLEN, data, len);
	memset(p + nla.nla_len, 0, NLA_ALIGN(nla.nla_len) - nla.nla_len);
	m->nlh.nlmsg_len += NLA_ALIGN(nla.nla_len);
}

/* The attribute that names the interface, in a nest of its own */
static void put_iface(struct message *m, uint32_t index)
{
	struct {
		struct nlattr nla;
		uint32_t index;
	} dev = { { sizeof(dev), A_HEADER_DEV_INDEX }, index };

	put(m, A_RINGS_HEADER | NLA_F_NESTED, &dev, sizeof(dev));
}

static void take_reason(void *ctx, uint16_t type, const void *data, size_t len)
{
	struct ethnl *nl = ctx;

	if (type == NLMSGERR_ATTR_MSG)
		snprintf(nl->reason, sizeof(nl->reason), "%.*s", (int)len, (const char *)data);
}

/* An acknowledgement: 0 or -errno, and the kernel's words where it has some */
static int acknowledged(struct ethnl *nl, const struct message *m)
{
	struct nlmsgerr err;
	size_t head = NLMSG_HDRLEN + sizeof(err);

	if (m->nlh.nlmsg_len < head)
		return -EPROTO;
	memcpy(&err, (const uint8_t *)m + NLMSG_HDRLEN, sizeof(err));
	if (m->nlh.nlmsg_flags & NLM_F_ACK_TLVS)
		for_each_attr((const uint8_t *)m + head, m->nlh.nlmsg_len - head, take_reason, nl);
	return err.error;
}

static int receive(struct ethnl *nl, struct message *m)
{
	ssize_t n = recv(nl->fd, m, sizeof(*m), 0);

	if (n < 0)
		return -errno;
	if ((size_t)n < NLMSG_HDRLEN || m->nlh.nlmsg_len > (size_t)n)
		return -EPROTO;
	return 0;
}

static void take_dev(void *ctx, uint16_t type, const void *data, size_t len)
{
	struct ethnl *nl = ctx;

	if (type == A_HEADER_DEV_INDEX)
		nl->notified = number(data, len);
}

static void take_header(void *ctx, uint16_t type, const void *data, size_t len)
{
	if (type == A_RINGS_HEADER)
		for_each_attr(data, len, take_dev, ctx);
}

static void attributes(const struct message *m, attr_fn fn, void *ctx)
{
	if (m->nlh.nlmsg_len >= NLMSG_HDRLEN + GENL_HDRLEN)
		for_each_attr(m->room, m->nlh.nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN, fn, ctx);
}

/*
 * The kernel tells of a change, before it acknowledges it, and of none where there was
 * none. Notifications have sequence numbers of their own, which may be like ours.
 */
static bool is_notification(const struct ethnl *nl, const struct message *m)
{
	return nl->family && m->nlh.nlmsg_type == nl->family && m->genl.cmd == MSG_RINGS_NTF;
}

/* Sends a request and waits for its acknowledgement; answers go to @fn */
static int request(struct ethnl *nl, struct message *m, attr_fn fn, void *ctx)
{
	struct message in;
	int ret;

	nl->reason[0] = '\0';
	m->nlh.nlmsg_flags |= NLM_F_ACK;
	m->nlh.nlmsg_seq = ++nl->seq;
	if (send(nl->fd, m, m->nlh.nlmsg_len, 0) < 0)
		return -errno;
	for (;;) {
		ret = receive(nl, &in);
		if (ret)
			return ret;
		if (is_notification(nl, &in))
			attributes(&in, take_header, nl);
		else if (in.nlh.nlmsg_seq != nl->seq)
			continue;
		else if (in.nlh.nlmsg_type == NLMSG_ERROR)
			return acknowledged(nl, &in);
		else
			attributes(&in, fn, ctx);
	}
}

/* ---- the family -------------------------------------------------------- */

/**
 * struct group - a multicast group of a family
 * @monitor: it is the one that is looked for
 * @id: its number
 */
struct group {
	bool monitor;
	uint32_t id;
};

static void take_group_attr(void *ctx, uint16_t type, const void *data, size_t len)
{
	struct group *g = ctx;

	if (type == CTRL_ATTR_MCAST_GRP_NAME)
		g->monitor = len == sizeof(MONITOR) && !memcmp(data, MONITOR, len);
	else if (type == CTRL_ATTR_MCAST_GRP_ID)
		g->id = number(data, len);
}

static void take_group(void *ctx, uint16_t type, const void *data, size_t len)
{
	struct ethnl *nl = ctx;
	struct group g = { 0 };

	(void)type;
	for_each_attr(data, len, take_group_attr, &g);
	if (g.monitor)
		nl->monitor = g.id;
}

static void take_family(void *ctx, uint16_t type, const void *data, size_t len)
{
	struct ethnl *nl = ctx;

	if (type == CTRL_ATTR_FAMILY_ID)
		nl->family = (uint16_t)number(data, len);
	else if (type == CTRL_ATTR_MCAST_GROUPS)
		for_each_attr(data, len, take_group, nl);
}

/**
 * ethnl_open() - get ready to talk to the kernel
 * @nl: the socket
 *
 * Return: 0, -errno; -ENOENT when the kernel has no such family.
 */
int ethnl_open(struct ethnl *nl)
{
	struct message m;
	int one = 1, err;

	*nl = (struct ethnl){ 0 };
	nl->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (nl->fd < 0)
		return -errno;
	/* the kernel's words, and not our own request again; both are only wishes */
	setsockopt(nl->fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(nl->fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	start(&m, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0);
	put(&m, CTRL_ATTR_FAMILY_NAME, FAMILY, sizeof(FAMILY));
	err = request(nl, &m, take_family, nl);
	if (!err && !nl->family)
		err = -ENOENT;
	if (err)
		ethnl_close(nl);
	return err;
}

/**
 * ethnl_close() - undo ethnl_open()
 * @nl: the socket
 */
void ethnl_close(struct ethnl *nl)
{
	if (nl->fd >= 0)
		close(nl->fd);
	nl->fd = -1;
}

/* ---- header/data split ------------------------------------------------- */

static void take_split(void *ctx, uint16_t type, const void *data, size_t len)
{
	struct ethnl_split *s = ctx;

	switch (type) {
	case A_RINGS_TCP_DATA_SPLIT:
		s->mode = (enum ethnl_split_mode)number(data, len);
		break;
	case A_RINGS_HDS_THRESH:
		s->has_threshold = true;
		s->threshold = number(data, len);
		break;
	case A_RINGS_HDS_THRESH_MAX:
		s->threshold_max = number(data, len);
		break;
	}
}

/**
 * ethnl_get_split() - how does an interface split headers from data?
 * @nl: the socket
 * @iface: name of the interface
 * @out: the answer; mode auto when the driver does not tell
 *
 * Return: 0, -ENODEV, -EOPNOTSUPP for an interface without rings, -errno.
 */
int ethnl_get_split(struct ethnl *nl, const char *iface, struct ethnl_split *out)
{
	uint32_t index = if_nametoindex(iface);
	struct message m;

	*out = (struct ethnl_split){ 0 };
	if (!index)
		return -ENODEV;
	start(&m, nl->family, MSG_RINGS_GET, 0);
	put_iface(&m, index);
	return request(nl, &m, take_split, out);
}

/**
 * ethnl_set_split() - set how an interface splits headers from data
 * @nl: the socket; its @reason has the kernel's words when it refuses
 * @iface: name of the interface
 * @split: mode, and threshold if it is said to have one
 * @changed: whether it was not so already: what the driver chooses by itself and
 *	what was set look alike in ethnl_get_split()
 *
 * Return: 0, -ENODEV, -EPERM, -EOPNOTSUPP, -EINVAL, another -errno.
 */
int ethnl_set_split(struct ethnl *nl, const char *iface, const struct ethnl_split *split,
		    bool *changed)
{
	uint32_t index = if_nametoindex(iface);
	uint8_t mode = (uint8_t)split->mode;
	struct message m;
	int err;

	if (!index)
		return -ENODEV;
	if (setsockopt(nl->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &nl->monitor,
		       sizeof(nl->monitor)))
		return -errno;
	start(&m, nl->family, MSG_RINGS_SET, 0);
	put_iface(&m, index);
	put(&m, A_RINGS_TCP_DATA_SPLIT, &mode, sizeof(mode));
	if (split->has_threshold)
		put(&m, A_RINGS_HDS_THRESH, &split->threshold, sizeof(split->threshold));
	nl->notified = 0;
	err = request(nl, &m, take_split, &(struct ethnl_split){ 0 });
	if (!err)
		*changed = nl->notified == index;
	setsockopt(nl->fd, SOL_NETLINK, NETLINK_DROP_MEMBERSHIP, &nl->monitor,
		   sizeof(nl->monitor));
	return err;
}
