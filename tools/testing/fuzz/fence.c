// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../../bnxt-emu/core.h"
#include "../../bnxt-emu/hide.h"
#include "fence.h"
#include "fuzz.h"

#define MAX_SHARED 4
#define MAX_MAPPINGS 64
#define MAX_OPEN 4096
#define MAX_LASTING 64
#define GRANULE 8u /* of the sanitizer: each has a byte of shadow */
#define PAGE 4096u

#ifdef HIDE_WORKS
#define FENCED true
#else
#define FENCED false
#endif

struct range {
	uint8_t *at;
	size_t len;
};

struct ranges {
	unsigned int n, max;
	struct range *r;
};

struct fence {
	const struct dma_map *map; /* what is looked up there may be used for a step */
	void (*looking)(void *arg);
	void *arg;
	struct {
		uint8_t *plain, *fenced;
		size_t len;
	} shared[MAX_SHARED];
	unsigned int n_shared;
	struct ranges mappings; /* of the device's own that are behind the fence */
	struct ranges open; /* in this step */
	struct ranges lasting; /* open as long as they are mapped: virtqueues */
	bool lost; /* some of those are not known, so what is open stays open */
};

static struct range mapping_space[MAX_MAPPINGS], open_space[MAX_OPEN], lasting_space[MAX_LASTING];

/* The linker's wrappers have no argument for it */
static struct fence fence = {
	.mappings = { .max = MAX_MAPPINGS, .r = mapping_space },
	.open = { .max = MAX_OPEN, .r = open_space },
	.lasting = { .max = MAX_LASTING, .r = lasting_space },
};

void *__real_dma_ptr(const struct dma_map *map, uint64_t iova, uint64_t len);
void *__wrap_dma_ptr(const struct dma_map *map, uint64_t iova, uint64_t len);
int __real_munmap(void *at, size_t len);
int __wrap_munmap(void *at, size_t len);
bool __real_parse_frame(const uint8_t *p, size_t have, size_t len, struct parsed *out);
bool __wrap_parse_frame(const uint8_t *p, size_t have, size_t len, struct parsed *out);

static bool ranges_add(struct ranges *l, uint8_t *at, size_t len)
{
	if (l->n == l->max)
		return false;
	l->r[l->n++] = (struct range){ .at = at, .len = len };
	return true;
}

/* Forgets those that overlap [@at, @at + @len) */
static void ranges_cut(struct ranges *l, const uint8_t *at, size_t len)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < l->n; i++)
		if (l->r[i].at >= at + len || at >= l->r[i].at + l->r[i].len)
			l->r[kept++] = l->r[i];
	l->n = kept;
}

/* All of the granules that a range touches: opening it opened the beginning of the first, too */
static void close_range(const struct range *r)
{
	uintptr_t from = (uintptr_t)r->at / GRANULE * GRANULE;
	uintptr_t to = ((uintptr_t)r->at + r->len + GRANULE - 1) / GRANULE * GRANULE;

	hide((void *)from, to - from);
}

/* Maps guest memory a second time, for the device */
static void fence_in(uint8_t *mem, size_t len)
{
	size_t pages = (len + PAGE - 1) / PAGE * PAGE;
	uint8_t *place, *fenced;

	/* nothing lies behind it */
	place = mmap(NULL, pages + PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(place != MAP_FAILED && fence.n_shared < MAX_SHARED, "no room for the fence");
	/* a shared mapping of size 0 is not moved but made a second time (mremap(2)) */
	fenced = mremap(mem, 0, pages, MREMAP_MAYMOVE | MREMAP_FIXED, place);
	CHECK(fenced == place, "guest memory cannot be mapped twice");
	hide(fenced, pages);
	fence.shared[fence.n_shared].plain = mem;
	fence.shared[fence.n_shared].fenced = fenced;
	fence.shared[fence.n_shared++].len = len;
}

/**
 * fence_alloc - memory for a guest, behind the fence
 * @len: bytes
 *
 * Return: it, zeroed. It is never freed: a target keeps it from run to run.
 */
void *fence_alloc(size_t len)
{
	uint8_t *mem = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(mem != MAP_FAILED, "no memory for the guest");
	if (FENCED)
		fence_in(mem, len);
	return mem;
}

/**
 * fence_begin - a run begins
 * @map: the guest's memory; pointers that are looked up in other maps last longer than a step
 * @looking: called before each look-up, or NULL
 * @arg: passed to it
 */
void fence_begin(const struct dma_map *map, void (*looking)(void *arg), void *arg)
{
	fence.map = map;
	fence.looking = looking;
	fence.arg = arg;
	fence.lost = false;
}

/**
 * fence_step - what was looked up may not be used any more
 */
void fence_step(void)
{
	for (unsigned int i = 0; i < fence.open.n && !fence.lost; i++)
		close_range(&fence.open.r[i]);
	for (unsigned int i = 0; i < fence.lasting.n && fence.open.n; i++)
		show(fence.lasting.r[i].at, fence.lasting.r[i].len);
	fence.open.n = 0;
}

/**
 * fence_end - a run ends, the device is about to go
 */
void fence_end(void)
{
	fence_step();
	fence.looking = NULL;
}

/* A mapping that the device made itself: closed when the first look-up leads there */
static void close_mapping(const struct dma_map *map, const uint8_t *p)
{
	if (map->of)
		map = map->of;
	for (unsigned int i = 0; i < map->n; i++) {
		const struct dma_region *r = &map->region[i];

		if (p < r->host || p >= r->host + r->size)
			continue;
		for (unsigned int k = 0; k < fence.mappings.n; k++)
			if (fence.mappings.r[k].at == r->host && fence.mappings.r[k].len == r->size)
				return;
		if (ranges_add(&fence.mappings, r->host, r->size))
			hide(r->host, r->size);
		return;
	}
}

/* Opens what was looked up; more than there is room to remember stays open */
static void *open_range(const struct dma_map *map, uint8_t *p, size_t len)
{
	bool shared = false;

	for (unsigned int i = 0; i < fence.n_shared && !shared; i++) {
		if (p < fence.shared[i].plain || p >= fence.shared[i].plain + fence.shared[i].len)
			continue;
		p = fence.shared[i].fenced + (p - fence.shared[i].plain);
		shared = true;
	}
	if (!shared)
		close_mapping(map, p);
	show(p, len);
	if (map == fence.map || map->of == fence.map)
		ranges_add(&fence.open, p, len);
	else
		fence.lost |= !ranges_add(&fence.lasting, p, len);
	return p;
}

void *__wrap_dma_ptr(const struct dma_map *map, uint64_t iova, uint64_t len)
{
	uint8_t *p;

	if (fence.looking)
		fence.looking(fence.arg);
	p = __real_dma_ptr(map, iova, len);
	return p && FENCED ? open_range(map, p, len) : p;
}

/**
 * fence_peek - where a target itself finds guest memory
 * @map: regions
 * @iova: bus address
 * @len: bytes
 *
 * Return: as dma_ptr(); the device may not touch it for that.
 */
void *fence_peek(const struct dma_map *map, uint64_t iova, uint64_t len)
{
	return __real_dma_ptr(map, iova, len);
}

int __wrap_munmap(void *at, size_t len)
{
	ranges_cut(&fence.open, at, len);
	ranges_cut(&fence.lasting, at, len);
	ranges_cut(&fence.mappings, at, len);
	show(at, len);
	return __real_munmap(at, len);
}

/* What is parsed lies in a larger buffer, or in a frame: here it ends where it is said to end */
bool __wrap_parse_frame(const uint8_t *p, size_t have, size_t len, struct parsed *out)
{
	size_t n = have < HEAD_MAX ? have : HEAD_MAX;
	uint8_t *copy;
	bool good;

	if (!FENCED)
		return __real_parse_frame(p, have, len, out);
	copy = malloc(n ? n : 1);
	memcpy(copy, p, n);
	good = __real_parse_frame(copy, have, len, out);
	free(copy);
	return good;
}
