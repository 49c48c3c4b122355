/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Device side of a virtio split virtqueue (virtio 1.2, section 2.7). Nothing in it is trusted. */
#ifndef VIRTQUEUE_H
#define VIRTQUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>
#include <linux/virtio_ring.h>

#include "dma.h"

#define VQ_MAX_SIZE	1024	/* entries; UML makes queues of 256 */
#define VQ_MAX_SG	8	/* descriptors in one chain */

struct virtqueue {
	const struct dma_map *dma;	/* translates descriptor addresses */
	unsigned int num;		/* entries, a power of two; 0 before vq_set_num() */
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	uint16_t last_avail;		/* next avail entry to take */
	uint16_t used_idx;		/* next used entry to fill */
	bool enabled;
	bool broken; /* the driver violated the protocol: ignored until reset */
};

/* One chain: device-readable parts in @out, device-writable parts in @in */
struct vq_elem {
	uint16_t head;
	unsigned int out_n, in_n;
	size_t out_len, in_len;		/* bytes */
	struct iovec out[VQ_MAX_SG], in[VQ_MAX_SG];
};

enum vq_result { VQ_BROKEN = -1, VQ_EMPTY = 0, VQ_GOT = 1 };

void vq_reset(struct virtqueue *vq);
bool vq_set_num(struct virtqueue *vq, unsigned int num);
bool vq_set_rings(struct virtqueue *vq, void *desc, void *avail, void *used);
bool vq_running(const struct virtqueue *vq);

bool vq_has_work(const struct virtqueue *vq);
enum vq_result vq_pop(struct virtqueue *vq, struct vq_elem *elem);
void vq_push(struct virtqueue *vq, const struct vq_elem *elem, uint32_t written);

bool vq_want_kicks(struct virtqueue *vq, bool want);
bool vq_wants_call(const struct virtqueue *vq);

size_t vq_read(const struct vq_elem *elem, size_t off, void *buf, size_t len);
size_t vq_write(const struct vq_elem *elem, size_t off, const void *buf, size_t len);

/* Bytes that the three parts of a queue of @num entries take */
static inline size_t vq_desc_bytes(unsigned int num)
{
	return num * sizeof(struct vring_desc);
}

static inline size_t vq_avail_bytes(unsigned int num)
{
	return sizeof(struct vring_avail) + num * sizeof(__virtio16);
}

static inline size_t vq_used_bytes(unsigned int num)
{
	return sizeof(struct vring_used) + num * sizeof(struct vring_used_elem);
}

#endif
