/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest memory as the device reaches it: bus addresses to host pointers, bounds-checked. */
#ifndef DMA_H
#define DMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DMA_MAX_REGIONS	64

struct dma_region {
	uint64_t iova;
	uint64_t size;
	uint8_t *host;
};

struct dma_map {
	struct dma_region region[DMA_MAX_REGIONS];
	unsigned int n;
	const struct dma_map *of;	/* shows what that map has, as long as it is not off */
	bool off;
};

/* What one RX DMA write was for */
struct nic_dma_event {
	uint64_t iova;
	uint32_t len;
	uint16_t rx_queue;	/* queue index, not ring id */
	bool payload;		/* into an aggregation buffer after a header split */
	uint32_t flow;		/* TCP/UDP destination port << 16 | source port, 0 if neither */
	uint64_t seq;		/* TCP sequence number of the first byte */
};

bool dma_map_add(struct dma_map *map, uint64_t iova, uint64_t size, void *host);
void dma_map_del(struct dma_map *map, uint64_t iova, uint64_t size);
void dma_map_clear(struct dma_map *map);

/* Host address of [iova, iova + len), NULL unless all of it lies in one region */
void *dma_ptr(const struct dma_map *map, uint64_t iova, uint64_t len);

#endif
