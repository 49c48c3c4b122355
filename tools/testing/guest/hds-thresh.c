// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hds-thresh IFACE BYTES - set the threshold of header/data split and nothing beside it, as
 * "ethtool -G IFACE hds-thresh BYTES" does since 6.14; zcrx-split sets the mode with it.
 */
#include <linux/ethtool_netlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nl.h"

/* Linux 6.14; headers of distributions are older */
#define A_RINGS_HDS_THRESH	17

static void put_iface(struct nl_message *m, uint32_t index)
{
	const struct {
		struct nlattr at;
		uint32_t value;
	} in = { { sizeof(in), ETHTOOL_A_HEADER_DEV_INDEX }, index };

	nl_put(m, ETHTOOL_A_RINGS_HEADER | NLA_F_NESTED, &in, sizeof(in));
}

int main(int argc, char **argv)
{
	uint32_t index, bytes;
	struct nl_message m;
	uint16_t family;
	struct nl nl;
	int err;

	if (argc != 3 || !(index = if_nametoindex(argv[1]))) {
		fprintf(stderr, "usage: hds-thresh IFACE BYTES\n");
		return 2;
	}
	bytes = (uint32_t)strtoul(argv[2], NULL, 10);
	err = nl_open(&nl, NETLINK_GENERIC);
	if (!err)
		err = nl_family(&nl, ETHTOOL_GENL_NAME, NULL, &family, NULL);
	if (!err) {
		nl_start_genl(&m, family, ETHTOOL_MSG_RINGS_SET, 0);
		put_iface(&m, index);
		nl_put(&m, A_RINGS_HDS_THRESH, &bytes, sizeof(bytes));
		err = nl_request(&nl, &m, NULL, NULL);
	}
	if (err)
		fprintf(stderr, "hds-thresh: %s: %s\n", argv[1],
			nl.reason[0] ? nl.reason : strerror(-err));
	nl_close(&nl);
	return err ? 1 : 0;
}
