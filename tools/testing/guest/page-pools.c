// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * page-pools - list the kernel's page pools, one a line:
 *
 *	pool 12 ifindex 2 inflight 511 active
 *	pool 9 ifindex 2 inflight 3 detached
 *	pool 13 ifindex 2 inflight 254 active io_uring
 *
 * "detached" is a pool that its driver has given up and that waits for pages to
 * come back. A test that leaves such a pool behind has leaked pages. "io_uring" is one of a queue
 * that receives into user memory.
 */
#include <stdio.h>
#include <string.h>

#include "genl.h"

/* Documentation/netlink/specs/netdev.yaml */
enum { POOL_ID = 1, POOL_IFINDEX, POOL_NAPI_ID, POOL_INFLIGHT, POOL_INFLIGHT_MEM, POOL_DETACH_TIME, POOL_DMABUF, POOL_IO_URING, POOL_ATTRS };

static void print_pool(const struct nlmsghdr *nl, void *arg)
{
	const struct nlattr *at[POOL_ATTRS];

	(void)arg;
	genl_index_attrs(nl, at, POOL_ATTRS);
	printf("pool %llu ifindex %llu inflight %llu %s%s\n", (unsigned long long)genl_uint(at[POOL_ID]),
	       (unsigned long long)genl_uint(at[POOL_IFINDEX]),
	       (unsigned long long)genl_uint(at[POOL_INFLIGHT]),
	       at[POOL_DETACH_TIME] ? "detached" : "active", at[POOL_IO_URING] ? " io_uring" : "");
}

int main(void)
{
	struct genl g;
	int ret = genl_open(&g);

	if (!ret)
		ret = genl_dump(&g, NETDEV_PAGE_POOL_GET, print_pool, NULL);
	genl_close(&g);
	if (!ret)
		return 0;
	fprintf(stderr, "page-pools: the kernel does not list its page pools: %s\n", strerror(-ret));
	return 1;
}
