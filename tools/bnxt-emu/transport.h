/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What connects a PCI function to a guest. A transport turns the guest's
 * accesses into pci_cfg_*() and pci_bar_*() calls, carries interrupts the other
 * way, and makes guest memory known.
 */
#ifndef TRANSPORT_H
#define TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "dma.h"

struct transport;

/**
 * struct transport_ops - what a transport tells its owner
 * @dma: the guest's memory, which the transport keeps up to date
 * @detached: guest memory is about to go or the guest stopped using the device:
 *	stop all DMA now
 * @closed: the guest is gone; @reason is NULL when it left in order
 */
struct transport_ops {
	struct dma_map *(*dma)(void *host);
	void (*detached)(void *host);
	void (*closed)(void *host, const char *reason);
};

/**
 * struct transport_class - what an owner asks of a transport
 * @poll: do a bounded part of the guest's accesses that are waiting; returns
 *	whether there were any
 * @flush: end of a burst: notify the guest of what was sent
 * @sleep: the owner is about to block (@sleeping), or no longer; returns whether
 *	accesses are waiting
 * @msi: send a message signalled interrupt; false when there is no room now, then
 *	the transport calls pci_msix_retry() later
 * @vector: the same for a transport whose other end keeps the MSI-X table
 *	(pci_msix_outside()); NULL for others
 * @free: end the connection
 */
struct transport_class {
	bool (*poll)(struct transport *t);
	void (*flush)(struct transport *t);
	bool (*sleep)(struct transport *t, bool sleeping);
	bool (*msi)(struct transport *t, uint64_t addr, uint32_t data);
	bool (*vector)(struct transport *t, unsigned int vector);
	void (*free)(struct transport *t);
};

struct transport {
	const struct transport_class *class;
};

#endif
