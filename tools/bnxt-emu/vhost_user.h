/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vhost-user back end (QEMU docs/interop/vhost-user.rst): one device, one connection. */
#ifndef VHOST_USER_H
#define VHOST_USER_H

#include <stdbool.h>
#include <stdint.h>

#include "dma.h"
#include "loop.h"
#include "virtqueue.h"

#define VHOST_USER_MAX_QUEUES	4

struct vhost_user;

/**
 * struct vhost_user_ops - what the device hears of
 * @mem_changed: the guest's memory was mapped anew or is gone (@n 0); the
 *	regions stay valid until the next call
 * @kicked: a queue may have work
 * @queue_state: a queue was started or stopped
 * @closed: the connection ended; @reason is NULL for an orderly end, else what
 *	the peer did wrong. The device must not use the connection any more.
 */
struct vhost_user_ops {
	void (*mem_changed)(void *host, const struct dma_region *region, unsigned int n);
	void (*kicked)(void *host, unsigned int queue);
	void (*queue_state)(void *host, unsigned int queue, bool running);
	void (*closed)(void *host, const char *reason);
};

/**
 * struct vhost_user_config - a device to be
 * @path: where to listen; must not exist
 * @queues: number of virtqueues
 * @dma: translates the addresses in descriptors
 */
struct vhost_user_config {
	const char *path;
	unsigned int queues;
	const struct dma_map *dma;
};

struct vhost_user *vhost_user_new(struct loop *loop, const struct vhost_user_config *cfg,
				  const struct vhost_user_ops *ops, void *host);
void vhost_user_free(struct vhost_user *vu);

struct virtqueue *vhost_user_queue(struct vhost_user *vu, unsigned int queue);
void vhost_user_call(struct vhost_user *vu, unsigned int queue);

#endif
