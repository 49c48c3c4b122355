/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Back end: a cable to another emulated NIC, which is a socket in the file system. */
#ifndef BE_PAIR_H
#define BE_PAIR_H

#include "backend.h"
#include "loop.h"

struct backend *be_pair_new(struct loop *loop, const char *path, const struct backend_ops *ops,
			    void *host);

#endif
