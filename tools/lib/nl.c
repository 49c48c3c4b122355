// SPDX-License-Identifier: GPL-2.0-or-later
#include "nl.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- attributes -------------------------------------------------------- */

/**
 * nl_for_each_attr() - walk attributes
 * @attrs: where they are
 * @len: bytes
 * @fn: called for each that is whole
 * @ctx: first argument of @fn
 */
void nl_for_each_attr(const void *attrs, size_t len, nl_attr_fn fn, void *ctx)
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

/**
 * nl_attrs() - walk the attributes of a message
 * @nlh: the message
 * @head: length of its family's own header
 * @fn: called for each
 * @ctx: first argument of @fn
 */
void nl_attrs(const struct nlmsghdr *nlh, size_t head, nl_attr_fn fn, void *ctx)
{
	size_t skip = NLMSG_HDRLEN + NLMSG_ALIGN(head);

	if (nlh->nlmsg_len >= skip)
		nl_for_each_attr((const uint8_t *)nlh + skip, nlh->nlmsg_len - skip, fn, ctx);
}

/**
 * nl_number() - value of an attribute that is an unsigned number
 * @data: the attribute
 * @len: its length, that of its type
 *
 * Return: the number, 0 for another length.
 */
uint64_t nl_number(const void *data, size_t len)
{
	uint16_t half;
	uint32_t word;
	uint64_t all;

	switch (len) {
	case 1:
		return *(const uint8_t *)data;
	case 2:
		memcpy(&half, data, sizeof(half));
		return half;
	case 4:
		memcpy(&word, data, sizeof(word));
		return word;
	case 8:
		memcpy(&all, data, sizeof(all));
		return all;
	}
	return 0;
}

/* ---- messages ---------------------------------------------------------- */

/**
 * nl_start() - begin a request
 * @m: the message
 * @type: its type
 * @flags: NLM_F_*, besides those that every request has
 * @head: header of the family
 * @len: length of @head
 */
void nl_start(struct nl_message *m, uint16_t type, uint16_t flags, const void *head, size_t len)
{
	m->nlh = (struct nlmsghdr){
		.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + NLMSG_ALIGN(len)),
		.nlmsg_type = type,
		.nlmsg_flags = NLM_F_REQUEST | flags,
	};
	memset(m->body, 0, NLMSG_ALIGN(len));
	memcpy(m->body, head, len);
}

/**
 * nl_start_genl() - begin a request to a generic netlink family
 * @m: the message
 * @family: the family's number
 * @cmd: command
 * @flags: as for nl_start()
 */
void nl_start_genl(struct nl_message *m, uint16_t family, uint8_t cmd, uint16_t flags)
{
	const struct genlmsghdr genl = { .cmd = cmd, .version = 1 };

	nl_start(m, family, flags, &genl, sizeof(genl));
}

/**
 * nl_put() - add an attribute
 * @m: the message; requests are small, there is room
 * @type: of the attribute
 * @data: its value
 * @len: bytes of @data
 */
void nl_put(struct nl_message *m, uint16_t type, const void *data, size_t len)
{
	struct nlattr nla = { .nla_len = (uint16_t)(NLA_HDRLEN + len), .nla_type = type };
	uint8_t *p = (uint8_t *)m + m->nlh.nlmsg_len;

	memcpy(p, &nla, sizeof(nla));
	memcpy(p + NLA_HDRLEN, data, len);
	memset(p + nla.nla_len, 0, NLA_ALIGN(nla.nla_len) - nla.nla_len);
	m->nlh.nlmsg_len += NLA_ALIGN(nla.nla_len);
}

static void take_reason(void *ctx, uint16_t type, const void *data, size_t len)
{
	struct nl *nl = ctx;

	if (type == NLMSGERR_ATTR_MSG)
		snprintf(nl->reason, sizeof(nl->reason), "%.*s", (int)len, (const char *)data);
}

/* An acknowledgement: 0 or -errno, and the kernel's words where it has some */
static int acknowledged(struct nl *nl, const struct nlmsghdr *nlh)
{
	struct nlmsgerr err;
	size_t head = NLMSG_HDRLEN + sizeof(err);

	if (nlh->nlmsg_len < head)
		return -EPROTO;
	memcpy(&err, (const uint8_t *)nlh + NLMSG_HDRLEN, sizeof(err));
	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS)
		nl_for_each_attr((const uint8_t *)nlh + head, nlh->nlmsg_len - head, take_reason,
				 nl);
	return err.error;
}

/* The end of a dump: 0 or -errno */
static int dump_ended(const struct nlmsghdr *nlh)
{
	int err = 0;

	if (nlh->nlmsg_len >= NLMSG_HDRLEN + sizeof(err))
		memcpy(&err, (const uint8_t *)nlh + NLMSG_HDRLEN, sizeof(err));
	return err < 0 ? err : 0;
}

/*
 * What came in one go. Notifications have sequence numbers of their own, which may be
 * like ours; telling them apart is left to the one who asked for them.
 *
 * Return: 1 while there is more to come, 0 or -errno at the end.
 */
static int take_answers(struct nl *nl, const struct nl_message *in, uint32_t len,
			nl_answer_fn fn, void *ctx)
{
	const struct nlmsghdr *nlh = &in->nlh;

	for (; NLMSG_OK(nlh, len); nlh = NLMSG_NEXT(nlh, len)) {
		bool ours = nlh->nlmsg_seq == nl->seq;

		if (ours && nlh->nlmsg_type == NLMSG_ERROR)
			return acknowledged(nl, nlh);
		if (ours && nlh->nlmsg_type == NLMSG_DONE)
			return dump_ended(nlh);
		if (fn)
			fn(ctx, nlh);
	}
	return 1;
}

/**
 * nl_request() - send a request and take its answers
 * @nl: the socket; its @reason is set
 * @m: the request, complete
 * @fn: called for each answer, and for each notification that comes meanwhile; NULL for none
 * @ctx: first argument of @fn
 *
 * Return: 0, -errno of the kernel's refusal or of the socket.
 */
int nl_request(struct nl *nl, struct nl_message *m, nl_answer_fn fn, void *ctx)
{
	struct nl_message in;
	int ret = 1;

	nl->reason[0] = '\0';
	m->nlh.nlmsg_flags |= NLM_F_ACK;
	m->nlh.nlmsg_seq = ++nl->seq;
	if (send(nl->fd, m, m->nlh.nlmsg_len, 0) < 0)
		return -errno;
	while (ret > 0) {
		ssize_t n = recv(nl->fd, &in, sizeof(in), 0);

		if (n <= 0)
			return n ? -errno : -EPROTO;
		ret = take_answers(nl, &in, (uint32_t)n, fn, ctx);
	}
	return ret;
}

/**
 * nl_open() - make a socket
 * @nl: the socket
 * @protocol: NETLINK_*
 *
 * Return: 0, -errno.
 */
int nl_open(struct nl *nl, int protocol)
{
	int one = 1;

	*nl = (struct nl){ .fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol) };
	if (nl->fd < 0)
		return -errno;
	/* the kernel's words, and not our own request again; both are only wishes */
	setsockopt(nl->fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(nl->fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	return 0;
}

/**
 * nl_close() - undo nl_open()
 * @nl: the socket; nothing happens when it is closed
 */
void nl_close(struct nl *nl)
{
	if (nl->fd >= 0)
		close(nl->fd);
	nl->fd = -1;
}

/* ---- generic netlink families ------------------------------------------ */

/**
 * struct family - what is asked of a family
 * @group: name of a multicast group, NULL for none
 * @family: number of the family
 * @group_id: number of the group
 * @matches: the group in work is the one
 * @id: its number
 */
struct family {
	const char *group;
	uint16_t family;
	uint32_t group_id;
	bool matches;
	uint32_t id;
};

static void take_group_attr(void *ctx, uint16_t type, const void *data, size_t len)
{
	struct family *f = ctx;

	if (type == CTRL_ATTR_MCAST_GRP_NAME)
		f->matches = len == strlen(f->group) + 1 && !memcmp(data, f->group, len);
	else if (type == CTRL_ATTR_MCAST_GRP_ID)
		f->id = (uint32_t)nl_number(data, len);
}

static void take_group(void *ctx, uint16_t type, const void *data, size_t len)
{
	struct family *f = ctx;

	(void)type;
	f->matches = false;
	nl_for_each_attr(data, len, take_group_attr, f);
	if (f->matches)
		f->group_id = f->id;
}

static void take_family_attr(void *ctx, uint16_t type, const void *data, size_t len)
{
	struct family *f = ctx;

	if (type == CTRL_ATTR_FAMILY_ID)
		f->family = (uint16_t)nl_number(data, len);
	else if (type == CTRL_ATTR_MCAST_GROUPS && f->group)
		nl_for_each_attr(data, len, take_group, f);
}

static void take_family(void *ctx, const struct nlmsghdr *nlh)
{
	nl_attrs(nlh, GENL_HDRLEN, take_family_attr, ctx);
}

/**
 * nl_family() - number of a generic netlink family
 * @nl: a socket of NETLINK_GENERIC
 * @name: name of the family
 * @group: name of one of its multicast groups, NULL for none
 * @family: the number
 * @group_id: the group's number, 0 when there is no such; may be NULL
 *
 * Return: 0, -ENOENT when the kernel has no such family, -errno.
 */
int nl_family(struct nl *nl, const char *name, const char *group, uint16_t *family,
	      uint32_t *group_id)
{
	struct family f = { .group = group };
	struct nl_message m;
	int err;

	nl_start_genl(&m, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0);
	nl_put(&m, CTRL_ATTR_FAMILY_NAME, name, strlen(name) + 1);
	err = nl_request(nl, &m, take_family, &f);
	if (!err && !f.family)
		err = -ENOENT;
	*family = f.family;
	if (group_id)
		*group_id = f.group_id;
	return err;
}
