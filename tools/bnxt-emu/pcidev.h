/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A PCI function behind two virtqueues, as User Mode Linux (UML_PCI_OVER_VIRTIO) sees one. */
#ifndef PCIDEV_H
#define PCIDEV_H

#include <stdbool.h>
#include <stdint.h>

#include "loop.h"
#include "pci.h"
#include "transport.h"

struct transport *pcidev_new(struct loop *loop, const char *path, struct pci *pci,
			     const struct transport_ops *ops, void *host);

#endif
