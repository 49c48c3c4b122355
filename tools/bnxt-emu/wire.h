/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The cable between back end and device, and what can go wrong on it. */
#ifndef WIRE_H
#define WIRE_H

#include "backend.h"
#include "faults.h"

struct wire;

/**
 * struct wire_ops - what the wire tells its owner
 * @out: a frame comes out at the end of direction @dir
 * @full: the wire takes no more in this direction (@full) or again
 */
struct wire_ops {
	void (*out)(void *host, enum fault_dir dir, const struct virtio_net_hdr_v1 *hdr,
		    const struct iovec *iov, int iovcnt);
	void (*full)(void *host, enum fault_dir dir, bool full);
};

struct wire *wire_new(struct faults *faults, const struct wire_ops *ops, void *host);
void wire_free(struct wire *wire);

void wire_in(struct wire *wire, enum fault_dir dir, const struct virtio_net_hdr_v1 *hdr,
	     const struct iovec *iov, int iovcnt);
void wire_hold(struct wire *wire, enum fault_dir dir, bool hold);
uint64_t wire_timers(struct wire *wire, uint64_t now);
void wire_counters(const struct wire *wire, nic_counter_fn fn, void *arg);

#endif
