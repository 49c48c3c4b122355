// SPDX-License-Identifier: GPL-2.0-or-later
#include "genl.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct request {
	struct nlmsghdr nl;
	struct genlmsghdr genl;
	char attrs[64];
};

/**
 * genl_index_attrs() - attributes of a message by type; the last of a type counts
 * @nl: message
 * @at: out: attributes, NULL where there is none of a type
 * @max: number of types in @at
 */
void genl_index_attrs(const struct nlmsghdr *nl, const struct nlattr **at, unsigned int max)
{
	const char *p = (const char *)NLMSG_DATA(nl) + GENL_HDRLEN;
	const char *end = (const char *)nl + nl->nlmsg_len;

	memset(at, 0, max * sizeof(*at));
	while (end - p >= NLA_HDRLEN) {
		const struct nlattr *a = (const struct nlattr *)p;
		unsigned int type = a->nla_type & NLA_TYPE_MASK;

		if (a->nla_len < NLA_HDRLEN || a->nla_len > end - p)
			return;
		if (type < max)
			at[type] = a;
		p += NLA_ALIGN(a->nla_len);
	}
}

/**
 * genl_uint() - an unsigned attribute of 2, 4 or 8 bytes (netlink's "uint" is 4 or 8)
 * @a: attribute, or NULL
 *
 * Return: its value, 0 if there is none.
 */
uint64_t genl_uint(const struct nlattr *a)
{
	const void *data = (const char *)a + NLA_HDRLEN;
	uint16_t v16;
	uint32_t v32;
	uint64_t v64;

	switch (a ? a->nla_len - NLA_HDRLEN : 0) {
	case 2:
		memcpy(&v16, data, 2);
		return v16;
	case 4:
		memcpy(&v32, data, 4);
		return v32;
	case 8:
		memcpy(&v64, data, 8);
		return v64;
	default:
		return 0;
	}
}

static int read_answers(int fd, genl_answer_fn answer, void *arg)
{
	char buf[32768];

	for (;;) {
		ssize_t n = recv(fd, buf, sizeof(buf), 0);
		struct nlmsghdr *nl = (struct nlmsghdr *)buf;

		if (n < 0)
			return -errno;
		for (; NLMSG_OK(nl, n); nl = NLMSG_NEXT(nl, n)) {
			if (nl->nlmsg_type == NLMSG_DONE)
				return 0;
			if (nl->nlmsg_type == NLMSG_ERROR)
				return ((struct nlmsgerr *)NLMSG_DATA(nl))->error;
			if (answer)
				answer(nl, arg);
		}
	}
}

static int ask(int fd, struct request *req, unsigned int attrs)
{
	req->nl.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN) + attrs;
	return send(fd, req, req->nl.nlmsg_len, 0) < 0 ? -errno : 0;
}

static void keep_family(const struct nlmsghdr *nl, void *arg)
{
	const struct nlattr *at[CTRL_ATTR_FAMILY_ID + 1];
	struct genl *g = arg;

	genl_index_attrs(nl, at, CTRL_ATTR_FAMILY_ID + 1);
	g->family = (uint16_t)genl_uint(at[CTRL_ATTR_FAMILY_ID]);
}

static int find_family(struct genl *g, const char *name)
{
	struct request req = {
		.nl = { .nlmsg_type = GENL_ID_CTRL, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
		.genl = { .cmd = CTRL_CMD_GETFAMILY, .version = 1 },
	};
	struct nlattr *a = (struct nlattr *)req.attrs;
	int ret;

	a->nla_type = CTRL_ATTR_FAMILY_NAME;
	a->nla_len = (uint16_t)(NLA_HDRLEN + strlen(name) + 1);
	strcpy(req.attrs + NLA_HDRLEN, name);
	ret = ask(g->fd, &req, NLA_ALIGN(a->nla_len));
	/* the answer, then the acknowledgement, which is an "error" of 0 */
	return ret ? ret : read_answers(g->fd, keep_family, g);
}

/**
 * genl_open() - open a socket and find the family
 * @g: socket; to be closed whatever this returns
 *
 * Return: 0, -errno.
 */
int genl_open(struct genl *g)
{
	g->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	return g->fd < 0 ? -errno : find_family(g, "netdev");
}

/**
 * genl_close() - close it
 * @g: socket
 */
void genl_close(struct genl *g)
{
	if (g->fd >= 0)
		close(g->fd);
	g->fd = -1;
}

/**
 * genl_dump() - dump all objects of a kind
 * @g: socket
 * @cmd: NETDEV_*_GET
 * @answer: called for each object; may be NULL
 * @arg: for @answer
 *
 * Return: 0, -errno.
 */
int genl_dump(const struct genl *g, uint8_t cmd, genl_answer_fn answer, void *arg)
{
	struct request req = {
		.nl = { .nlmsg_type = g->family, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.genl = { .cmd = cmd, .version = 1 },
	};
	int ret = ask(g->fd, &req, 0);

	return ret ? ret : read_answers(g->fd, answer, arg);
}
