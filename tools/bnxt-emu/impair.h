/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A bad wire between a back end and the device: frames lost, doubled, swapped, damaged. */
#ifndef IMPAIR_H
#define IMPAIR_H

#include "backend.h"

struct impair;

struct impair *impair_new(const char *spec, uint64_t seed, const struct backend_ops *ops,
			  void *host);
void impair_rx(struct impair *imp, const struct virtio_net_hdr_v1 *hdr, const uint8_t *frame,
	       size_t len);
void impair_free(struct impair *imp);

#endif
