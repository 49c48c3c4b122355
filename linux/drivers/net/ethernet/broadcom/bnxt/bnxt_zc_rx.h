/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BNXT_ZC_RX_H
#define BNXT_ZC_RX_H

struct bnxt;
struct netdev_bpf;

int bnxt_zc_rx(struct bnxt *bp, const struct netdev_bpf *cmd);

#endif
