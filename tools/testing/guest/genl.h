/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dumps of the generic netlink family "netdev" (Linux 6.8 and later), spoken
 * directly: what Debian 12 has of libraries and headers is older than that.
 */
#ifndef GENL_H
#define GENL_H

#include <linux/netlink.h>
#include <stdint.h>

/* Documentation/netlink/specs/netdev.yaml */
enum {
	NETDEV_DEV_GET = 1,
	NETDEV_PAGE_POOL_GET = 5,
	NETDEV_PAGE_POOL_STATS_GET = 9,
	NETDEV_QUEUE_GET = 10,
	NETDEV_NAPI_GET = 11,
	NETDEV_QSTATS_GET = 12,
};

/**
 * struct genl - a netlink socket
 * @fd: the socket
 * @family: number of the family netdev
 */
struct genl {
	int fd;
	uint16_t family;
};

/* One answer of a dump */
typedef void (*genl_answer_fn)(const struct nlmsghdr *nl, void *arg);

int genl_open(struct genl *g);
void genl_close(struct genl *g);
int genl_dump(const struct genl *g, uint8_t cmd, genl_answer_fn answer, void *arg);

void genl_index_attrs(const struct nlmsghdr *nl, const struct nlattr **at, unsigned int max);
uint64_t genl_uint(const struct nlattr *a);

#endif
