// SPDX-License-Identifier: GPL-2.0-or-later
#include "backend.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* In the order in which --backend auto tries them */
static const struct zcrx_backend_ops *const backends[] = {
	&zcrx_rbuf_ops,
	&zcrx_upstream_ops,
	&zcrx_copy_ops,
	&zcrx_epoll_ops,
	&zcrx_upstream_nodev_ops,
};

/**
 * zcrx_backend_at() - walk all backends, best first
 * @i: 0, 1, ...
 *
 * Return: the backend, NULL beyond the last.
 */
const struct zcrx_backend_ops *zcrx_backend_at(unsigned int i)
{
	return i < sizeof(backends) / sizeof(backends[0]) ? backends[i] : NULL;
}

/**
 * zcrx_backend_find() - backend of a name
 * @name: as in --backend
 *
 * Return: the backend, NULL if none is called so.
 */
const struct zcrx_backend_ops *zcrx_backend_find(const char *name)
{
	const struct zcrx_backend_ops *ops;

	for (unsigned int i = 0; (ops = zcrx_backend_at(i)); i++)
		if (!strcmp(ops->name, name))
			return ops;
	return NULL;
}

/* A huge page, so that the kernel can back the region with such ones */
#define HUGE_PAGE	(2UL << 20)

static void *map_aligned(uint64_t size, int flags)
{
	size_t slack = size + HUGE_PAGE;
	uint8_t *p = mmap(NULL, slack, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
	size_t before;

	if (p == MAP_FAILED)
		return p;
	before = -(uintptr_t)p & (HUGE_PAGE - 1);
	if (before)
		munmap(p, before);
	if (slack - before - size)
		munmap(p + before + size, slack - before - size);
	return p + before;
}

/**
 * zcrx_region_map() - get the memory that receives
 * @r: the region
 * @cfg: its size, and whether from hugetlbfs
 * @why: set on failure
 *
 * Return: 0, -ENOMEM.
 */
int zcrx_region_map(struct zcrx_region *r, const struct zcrx_config *cfg,
		    struct zcrx_refusal *why)
{
	void *p;

	if (cfg->hugepages)
		p = mmap(NULL, cfg->region_size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	else
		p = map_aligned(cfg->region_size, 0);
	if (p == MAP_FAILED)
		return zcrx_refuse(why, ZCRX_STEP_REGION, errno);

	/* fewer TLB misses and, with an IOMMU, fewer entries; only a wish */
	if (!cfg->hugepages)
		madvise(p, cfg->region_size, MADV_HUGEPAGE);
	r->addr = p;
	r->size = cfg->region_size;
	r->area_size = r->size;
	r->areas = 1;
	return 0;
}

/**
 * zcrx_region_divide() - have the kernel get it in areas
 * @r: the region, mapped
 * @cfg: how large they are
 */
void zcrx_region_divide(struct zcrx_region *r, const struct zcrx_config *cfg)
{
	r->area_size = zcrx_first_area(cfg);
	r->areas = (uint32_t)((r->size + r->area_size - 1) / r->area_size);
}

/**
 * zcrx_region_area() - what the kernel gets as one
 * @r: the region
 * @i: which of its areas
 *
 * Return: where it is, and how long.
 */
struct iovec zcrx_region_area(const struct zcrx_region *r, uint32_t i)
{
	uint64_t start = i * r->area_size;
	uint64_t rest = r->size - start;

	return (struct iovec){
		.iov_base = r->addr + start,
		.iov_len = rest < r->area_size ? rest : r->area_size,
	};
}

/**
 * zcrx_region_unmap() - undo zcrx_region_map()
 * @r: the region; nothing happens when it was never mapped
 */
void zcrx_region_unmap(struct zcrx_region *r)
{
	if (r->addr)
		munmap(r->addr, r->size);
	r->addr = NULL;
}
