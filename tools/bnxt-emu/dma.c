// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "dma.h"

static bool overlaps(const struct dma_region *r, uint64_t iova, uint64_t size)
{
	return iova < r->iova + r->size && r->iova < iova + size;
}

/**
 * dma_map_add - make a region of guest memory reachable
 * @map: where to
 * @iova: bus address of its first byte
 * @size: in bytes
 * @host: where it is mapped in this process
 *
 * Return: false if the map is full, the region empty, wraps or overlaps another.
 */
bool dma_map_add(struct dma_map *map, uint64_t iova, uint64_t size, void *host)
{
	if (map->n == DMA_MAX_REGIONS || !size || iova + size < iova)
		return false;
	for (unsigned int i = 0; i < map->n; i++)
		if (overlaps(&map->region[i], iova, size))
			return false;
	map->region[map->n++] = (struct dma_region){ .iova = iova, .size = size, .host = host };
	return true;
}

/**
 * dma_map_del - take a region away
 * @map: where from
 * @iova: bus address of a range
 * @size: bytes of it; every region that lies inside goes
 */
void dma_map_del(struct dma_map *map, uint64_t iova, uint64_t size)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < map->n; i++) {
		const struct dma_region *r = &map->region[i];
		bool inside = r->iova >= iova && r->iova - iova <= size &&
			      size - (r->iova - iova) >= r->size;

		if (!inside)
			map->region[kept++] = *r;
	}
	map->n = kept;
}

/**
 * dma_map_clear - take all regions away
 * @map: where from
 */
void dma_map_clear(struct dma_map *map)
{
	map->n = 0;
}

/**
 * dma_ptr - translate a bus address
 * @map: regions
 * @iova: bus address
 * @len: bytes that will be accessed there
 *
 * Return: host address of [@iova, @iova + @len), NULL unless all of it lies in one region.
 */
void *dma_ptr(const struct dma_map *map, uint64_t iova, uint64_t len)
{
	if (map->of) {
		if (map->off)
			return NULL;
		map = map->of;
	}
	for (unsigned int i = 0; i < map->n; i++) {
		const struct dma_region *r = &map->region[i];
		uint64_t off = iova - r->iova;

		if (off < r->size && len <= r->size - off)
			return r->host + off;
	}
	return NULL;
}
