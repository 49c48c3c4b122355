/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Back end: a TAP device, so that the peer is the host's own TCP stack. */
#ifndef BE_TAP_H
#define BE_TAP_H

#include "backend.h"
#include "loop.h"

#define BE_TAP_MAX_QUEUES	8

/**
 * struct be_tap_config - which TAP
 * @name: name of the device in the network namespace of the caller; made when it
 *	is not there, and then gone with the process
 * @fd: an open TAP with IFF_VNET_HDR and IFF_NO_PI; -1 to open @name
 * @queues: of @name, from 1 to BE_TAP_MAX_QUEUES; more than one take a device that
 *	was made for that (IFF_MULTI_QUEUE), or none of that name
 * @gso: leave segmentation and checksums of frames to the receiving side, both ways
 */
struct be_tap_config {
	const char *name;
	int fd;
	unsigned int queues;
	bool gso;
};

struct backend *be_tap_new(struct loop *loop, const struct be_tap_config *cfg,
			   const struct backend_ops *ops, void *host);

#endif
