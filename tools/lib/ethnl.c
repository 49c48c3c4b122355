// SPDX-License-Identifier: GPL-2.0-or-later
#include "ethnl.h"

#include <errno.h>
#include <net/if.h>
#include <sys/socket.h>

/* linux/ethtool_netlink.h; the headers of Debian 12 lack those of the threshold */
#define FAMILY			"ethtool"
#define MONITOR			"monitor"
#define MSG_RINGS_GET		15
#define MSG_RINGS_SET		16
#define MSG_RINGS_NTF		17	/* kernel to user: another numbering */
#define A_HEADER_DEV_INDEX	1
#define A_RINGS_HEADER		1
#define A_RINGS_TCP_DATA_SPLIT	11
#define A_RINGS_HDS_THRESH	17
#define A_RINGS_HDS_THRESH_MAX	18

/* The attribute that names the interface, in a nest of its own */
static void put_iface(struct nl_message *m, uint32_t index)
{
	struct {
		struct nlattr nla;
		uint32_t index;
	} dev = { { sizeof(dev), A_HEADER_DEV_INDEX }, index };

	nl_put(m, A_RINGS_HEADER | NLA_F_NESTED, &dev, sizeof(dev));
}

/**
 * struct answers - where answers go
 * @ethnl: the socket
 * @fn: for each attribute of an answer
 * @ctx: its first argument
 */
struct answers {
	struct ethnl *ethnl;
	nl_attr_fn fn;
	void *ctx;
};

static void take_dev(void *ctx, uint16_t type, const void *data, size_t len)
{
	struct ethnl *nl = ctx;

	if (type == A_HEADER_DEV_INDEX)
		nl->notified = (uint32_t)nl_number(data, len);
}

static void take_header(void *ctx, uint16_t type, const void *data, size_t len)
{
	if (type == A_RINGS_HEADER)
		nl_for_each_attr(data, len, take_dev, ctx);
}

/* The kernel tells of a change before it acknowledges it, and of none where there was none */
static void take_answer(void *ctx, const struct nlmsghdr *nlh)
{
	const struct genlmsghdr *genl = NLMSG_DATA(nlh);
	struct answers *a = ctx;

	if (nlh->nlmsg_type != a->ethnl->family || nlh->nlmsg_len < NLMSG_HDRLEN + GENL_HDRLEN)
		return;
	if (genl->cmd == MSG_RINGS_NTF)
		nl_attrs(nlh, GENL_HDRLEN, take_header, a->ethnl);
	else if (nlh->nlmsg_seq == a->ethnl->nl.seq)
		nl_attrs(nlh, GENL_HDRLEN, a->fn, a->ctx);
}

static int request(struct ethnl *nl, struct nl_message *m, nl_attr_fn fn, void *ctx)
{
	struct answers a = { nl, fn, ctx };

	return nl_request(&nl->nl, m, take_answer, &a);
}

/**
 * ethnl_open() - get ready to talk to the kernel
 * @nl: the socket
 *
 * Return: 0, -errno; -ENOENT when the kernel has no such family.
 */
int ethnl_open(struct ethnl *nl)
{
	int err;

	*nl = (struct ethnl){ 0 };
	err = nl_open(&nl->nl, NETLINK_GENERIC);
	if (err)
		return err;
	err = nl_family(&nl->nl, FAMILY, MONITOR, &nl->family, &nl->monitor);
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
	nl_close(&nl->nl);
}

/* ---- header/data split ------------------------------------------------- */

static void take_split(void *ctx, uint16_t type, const void *data, size_t len)
{
	struct ethnl_split *s = ctx;

	switch (type) {
	case A_RINGS_TCP_DATA_SPLIT:
		s->mode = (enum ethnl_split_mode)nl_number(data, len);
		break;
	case A_RINGS_HDS_THRESH:
		s->has_threshold = true;
		s->threshold = (uint32_t)nl_number(data, len);
		break;
	case A_RINGS_HDS_THRESH_MAX:
		s->threshold_max = (uint32_t)nl_number(data, len);
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
	struct nl_message m;

	*out = (struct ethnl_split){ 0 };
	if (!index)
		return -ENODEV;
	nl_start_genl(&m, nl->family, MSG_RINGS_GET, 0);
	put_iface(&m, index);
	return request(nl, &m, take_split, out);
}

/**
 * ethnl_set_split() - set how an interface splits headers from data
 * @nl: the socket; its @nl.reason has the kernel's words when it refuses
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
	struct nl_message m;
	int err;

	if (!index)
		return -ENODEV;
	if (setsockopt(nl->nl.fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &nl->monitor,
		       sizeof(nl->monitor)))
		return -errno;
	nl_start_genl(&m, nl->family, MSG_RINGS_SET, 0);
	put_iface(&m, index);
	nl_put(&m, A_RINGS_TCP_DATA_SPLIT, &mode, sizeof(mode));
	if (split->has_threshold)
		nl_put(&m, A_RINGS_HDS_THRESH, &split->threshold, sizeof(split->threshold));
	nl->notified = 0;
	err = request(nl, &m, take_split, &(struct ethnl_split){ 0 });
	if (!err)
		*changed = nl->notified == index;
	setsockopt(nl->nl.fd, SOL_NETLINK, NETLINK_DROP_MEMBERSHIP, &nl->monitor,
		   sizeof(nl->monitor));
	return err;
}
