// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DMA windows of a vfio-user client: what of its memory lies where on the bus.
 *
 * QEMU makes one for each piece of RAM and ROM that the guest sees, and replaces
 * some while the guest's firmware switches between them. Those of RAM come with a
 * descriptor and an offset into it; they are mapped here. Others have none (the
 * protocol would have us ask the client for each byte), or may only be read, such
 * as the firmware's ROM: no driver puts buffers there, so they are remembered, and
 * what the device does with them fails as with any address that is nobody's.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <linux/vfio.h>

#include "sigbus.h"
#include "vfio_dma.h"

static bool overlaps(const struct vfio_dma_window *w, uint64_t iova, uint64_t size)
{
	return iova < w->iova + w->size && w->iova < iova + size;
}

static bool page_aligned(uint64_t v)
{
	return !(v % VFIO_DMA_PAGE);
}

/* Bytes of a file's pages: of a file of huge pages nothing less can be mapped or unmapped */
static uint64_t page_of(const struct stat *st)
{
	uint64_t size = st->st_blksize;

	return size > VFIO_DMA_PAGE && !(size & (size - 1)) ? size : VFIO_DMA_PAGE;
}

/*
 * Maps the pages of a file that have [offset, offset + size), and guards them; *host is where
 * the offset lies then. Returns an error number
 */
static int map_file(struct vfio_dma_window *w, int fd, uint64_t offset, void **host)
{
	uint64_t end, page, before;
	struct stat st;

	if (!page_aligned(offset) || w->size > SIZE_MAX ||
	    __builtin_add_overflow(offset, w->size, &end))
		return EINVAL;
	if (fstat(fd, &st))
		return errno;
	/* what lies beyond the end of the file can never be used; it may move later, see sigbus.c */
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size < end)
		return EINVAL;
	page = page_of(&st);
	before = offset % page;
	w->len = (before + w->size + page - 1) / page * page;
	w->base = mmap(NULL, w->len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd,
		       offset - before);
	if (w->base == MAP_FAILED)
		return errno;
	*host = (uint8_t *)w->base + before;
	if (sigbus_watch(w->base, w->len, page))
		return 0;
	munmap(w->base, w->len);
	return ENOSPC;
}

static void unmap_file(struct vfio_dma_window *w)
{
	sigbus_forget(w->base);
	munmap(w->base, w->len);
}

/**
 * vfio_dma_map() - Add a window
 * @dma: the client's windows
 * @flags: VFIO_DMA_MAP_FLAG_READ and _WRITE: what the device may do
 * @offset: where in the file it begins, in bytes
 * @iova: its bus address
 * @size: its bytes
 * @fd: the file, -1 for none; stays the caller's
 *
 * Return: 0 or an error number, with nothing changed.
 */
int vfio_dma_map(struct vfio_dma *dma, uint32_t flags, uint64_t offset, uint64_t iova,
		 uint64_t size, int fd)
{
	const uint32_t both = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE;
	struct vfio_dma_window w = { .iova = iova, .size = size };
	void *host = NULL;
	int err;

	if (!flags || (flags & ~both) || !size || iova + size < iova || !page_aligned(iova) ||
	    !page_aligned(size))
		return EINVAL;
	for (unsigned int i = 0; i < dma->n; i++)
		if (overlaps(&dma->window[i], iova, size))
			return EEXIST;
	if (dma->n == VFIO_DMA_MAX)
		return ENOSPC;
	if (fd >= 0 && flags == both) {
		err = map_file(&w, fd, offset, &host);
		if (err)
			return err;
		if (!dma_map_add(dma->map, iova, size, host)) {
			unmap_file(&w);
			return ENOSPC;
		}
	}
	dma->window[dma->n++] = w;
	return 0;
}

static void remove_window(struct vfio_dma *dma, struct vfio_dma_window *w)
{
	if (w->base) {
		dma_map_del(dma->map, w->iova, w->size);
		unmap_file(w);
	}
	*w = dma->window[--dma->n];
}

/**
 * vfio_dma_unmap() - Remove a window
 * @dma: the client's windows
 * @flags: 0, or VFIO_DMA_UNMAP_FLAG_ALL for all, with no address
 * @iova: bus address of a window
 * @size: its bytes, as it was made
 *
 * The device does not reach it any more when this returns.
 *
 * Return: 0 or an error number, with nothing changed.
 */
int vfio_dma_unmap(struct vfio_dma *dma, uint32_t flags, uint64_t iova, uint64_t size)
{
	if (flags == VFIO_DMA_UNMAP_FLAG_ALL && !iova && !size) {
		vfio_dma_clear(dma);
		return 0;
	}
	if (flags)
		return EINVAL;
	for (unsigned int i = 0; i < dma->n; i++) {
		if (dma->window[i].iova != iova || dma->window[i].size != size)
			continue;
		remove_window(dma, &dma->window[i]);
		return 0;
	}
	return ENOENT;
}

/**
 * vfio_dma_clear() - Remove all windows
 * @dma: the client's windows
 */
void vfio_dma_clear(struct vfio_dma *dma)
{
	while (dma->n)
		remove_window(dma, &dma->window[0]);
}
