/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A PCI function behind a vfio-user socket (QEMU docs/interop/vfio-user.rst). */
#ifndef VFIO_USER_H
#define VFIO_USER_H

#include <stdbool.h>

#include "loop.h"
#include "pci.h"
#include "transport.h"

struct transport *vfio_user_new(struct loop *loop, const char *path, bool again, struct pci *pci,
				const struct transport_ops *ops, void *host);

#endif
