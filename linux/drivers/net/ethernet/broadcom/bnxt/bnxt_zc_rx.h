/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BNXT_ZC_RX_H
#define BNXT_ZC_RX_H

#include <linux/netdev_features.h>

struct bnxt;
struct netdev_bpf;
struct netlink_ext_ack;

int bnxt_zc_rx(struct bnxt *bp, const struct netdev_bpf *cmd);
int bnxt_zc_rx_check_change(struct bnxt *bp, unsigned int mtu,
			    netdev_features_t features, u32 rx_ring_size,
			    struct netlink_ext_ack *extack);
netdev_features_t bnxt_zc_rx_fix_features(struct bnxt *bp,
					  netdev_features_t features);

#endif
