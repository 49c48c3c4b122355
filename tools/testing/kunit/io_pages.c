// SPDX-License-Identifier: GPL-2.0
/*
 * io_pages_map() and io_pages_unmap() for the KUnit suites as a module: those
 * of io_uring/memmap.c are not exported. Single pages only, which is the path
 * that fragmented memory takes there.
 */
#include <linux/io_uring_types.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "memmap.h"

static void put_pages_from(struct page **pages, int nr)
{
	while (nr--)
		put_page(pages[nr]);
	kvfree(pages);
}

void *io_pages_map(struct page ***out_pages, unsigned short *npages, size_t size)
{
	int i, nr = DIV_ROUND_UP(size, PAGE_SIZE);
	struct page **pages = kvmalloc_array(nr, sizeof(*pages), GFP_KERNEL);
	void *mem;

	if (!pages)
		return ERR_PTR(-ENOMEM);
	for (i = 0; i < nr; i++) {
		pages[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!pages[i])
			goto put_pages;
	}
	mem = vmap(pages, nr, VM_MAP, PAGE_KERNEL);
	if (!mem)
		goto put_pages;
	*out_pages = pages;
	*npages = nr;
	return mem;

put_pages:
	put_pages_from(pages, i);
	return ERR_PTR(-ENOMEM);
}

void io_pages_unmap(void *ptr, struct page ***pages, unsigned short *npages, bool put_pages)
{
	if (!ptr)
		return;
	vunmap(ptr);
	put_pages_from(*pages, *npages);
	*pages = NULL;
	*npages = 0;
}
