// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * page-pools - list the kernel's page pools, one a line:
 *
 *	pool 12 ifindex 2 inflight 511 active
 *	pool 9 ifindex 2 inflight 3 detached
 *
 * "detached" is a pool that its driver has given up and that waits for pages to
 * come back. A test that leaves such a pool behind has leaked pages.
 *
 * Talks to the generic netlink family "netdev" (Linux 6.8 and later) directly:
 * what Debian 12 has of libraries and headers is older than that.
 */
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Documentation/netlink/specs/netdev.yaml */
enum { CMD_PAGE_POOL_GET = 5 };
enum { POOL_ID = 1, POOL_IFINDEX, POOL_NAPI_ID, POOL_INFLIGHT, POOL_INFLIGHT_MEM, POOL_DETACH_TIME, POOL_ATTRS };

struct request {
	struct nlmsghdr nl;
	struct genlmsghdr genl;
	char attrs[64];
};

/* Attributes of a message by type; the last of a type counts */
static void index_attrs(const struct nlmsghdr *nl, const struct nlattr **at, unsigned int max)
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

/* An unsigned attribute of 2, 4 or 8 bytes (netlink's "uint" is 4 or 8) */
static uint64_t attr_uint(const struct nlattr *a)
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

static void print_pool(const struct nlmsghdr *nl)
{
	const struct nlattr *at[POOL_ATTRS];

	index_attrs(nl, at, POOL_ATTRS);
	printf("pool %llu ifindex %llu inflight %llu %s\n", (unsigned long long)attr_uint(at[POOL_ID]),
	       (unsigned long long)attr_uint(at[POOL_IFINDEX]),
	       (unsigned long long)attr_uint(at[POOL_INFLIGHT]),
	       at[POOL_DETACH_TIME] ? "detached" : "active");
}

static void keep_family(const struct nlmsghdr *nl, uint16_t *family)
{
	const struct nlattr *at[CTRL_ATTR_FAMILY_ID + 1];

	index_attrs(nl, at, CTRL_ATTR_FAMILY_ID + 1);
	*family = (uint16_t)attr_uint(at[CTRL_ATTR_FAMILY_ID]);
}

/*
 * Read answers until the end of them. @family is filled from the controller's
 * answer, or pools are printed when it is NULL. Return: 0, -errno.
 */
static int read_answers(int fd, uint16_t *family)
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
			if (family)
				keep_family(nl, family);
			else
				print_pool(nl);
		}
	}
}

static int ask(int fd, struct request *req, unsigned int attrs)
{
	req->nl.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN) + attrs;
	return send(fd, req, req->nl.nlmsg_len, 0) < 0 ? -errno : 0;
}

static int find_family(int fd, const char *name, uint16_t *id)
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
	ret = ask(fd, &req, NLA_ALIGN(a->nla_len));
	/* the answer, then the acknowledgement, which is an "error" of 0 */
	return ret ? ret : read_answers(fd, id);
}

int main(void)
{
	struct request req = {
		.nl = { .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.genl = { .cmd = CMD_PAGE_POOL_GET, .version = 1 },
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	int ret = fd < 0 ? -errno : find_family(fd, "netdev", &req.nl.nlmsg_type);

	if (!ret)
		ret = ask(fd, &req, 0);
	if (!ret)
		ret = read_answers(fd, NULL);
	if (fd >= 0)
		close(fd);
	if (!ret)
		return 0;
	fprintf(stderr, "page-pools: the kernel does not list its page pools: %s\n", strerror(-ret));
	return 1;
}
