/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory that a vfio-user client lets the device reach. */
#ifndef VFIO_DMA_H
#define VFIO_DMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dma.h"

#define VFIO_DMA_MAX	DMA_MAX_REGIONS
#define VFIO_DMA_PAGE	4096u

/* One DMA_MAP. The client counts it, whether the device can reach it or not */
struct vfio_dma_window {
	uint64_t iova;
	uint64_t size;
	void *base;		/* of our mapping, NULL: none */
	size_t len;		/* of it: whole pages of the file, of which the window may be a part */
};

/**
 * struct vfio_dma - all windows of a client
 * @map: the device's view: those windows that can be reached
 */
struct vfio_dma {
	struct dma_map *map;
	struct vfio_dma_window window[VFIO_DMA_MAX];
	unsigned int n;
};

int vfio_dma_map(struct vfio_dma *dma, uint32_t flags, uint64_t offset, uint64_t iova,
		 uint64_t size, int fd);
int vfio_dma_unmap(struct vfio_dma *dma, uint32_t flags, uint64_t iova, uint64_t size);
void vfio_dma_clear(struct vfio_dma *dma);

#endif
