// SPDX-License-Identifier: GPL-2.0-or-later
#include "frags.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

/* Entries of /proc/PID/pagemap: Documentation/admin-guide/mm/pagemap.rst */
#define PAGEMAP_PRESENT	(1ULL << 63)
#define PAGEMAP_PFN	((1ULL << 55) - 1)

/* Page frame of a page, 0 when it is not present or not for us to know */
static uint64_t page_frame(int pagemap, const uint8_t *addr, uint64_t page)
{
	uint64_t entry;

	if (pread(pagemap, &entry, sizeof(entry),
		  (off_t)((uintptr_t)addr / page * sizeof(entry))) != sizeof(entry))
		return 0;
	return entry & PAGEMAP_PRESENT ? entry & PAGEMAP_PFN : 0;
}

static void log_pages(FILE *f, const struct zcrx_region *region, uint64_t page)
{
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t pages = region->size / page;
	uint64_t first = 0, run = 0, n = 0;

	if (pagemap < 0)
		return;
	for (uint64_t i = 0; i <= pages; i++) {
		uint64_t pfn = i < pages ? page_frame(pagemap, region->addr + i * page, page) : 0;

		if (n && pfn == run + n) {
			n++;
			continue;
		}
		if (n)
			fprintf(f, "pages %" PRIu64 " %#" PRIx64 " %" PRIu64 "\n", first, run, n);
		first = i;
		run = pfn;
		n = pfn != 0;
	}
	close(pagemap);
}

/**
 * frags_open() - start a log
 * @out: the log
 * @path: file to create
 * @region: the region, registered, so that its pages stay where they are
 *
 * Return: 0, -errno.
 */
int frags_open(FILE **out, const char *path, const struct zcrx_region *region)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	FILE *f = fopen(path, "we");

	if (!f)
		return -errno;
	fprintf(f, "# zcrx-recv frags 1\n");
	fprintf(f, "region %#" PRIx64 " %" PRIu64 " %" PRIu64 "\n",
		(uint64_t)(uintptr_t)region->addr, region->size, page);
	log_pages(f, region, page);
	*out = f;
	return 0;
}

/**
 * frags_log() - log adjacent pieces of a connection
 * @f: the log
 * @conn: number of the connection
 * @pos: position of the first byte in the stream
 * @pieces: the pieces
 * @n: how many
 */
void frags_log(FILE *f, uint64_t conn, uint64_t pos, const struct zcrx_piece *pieces,
	       uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		fprintf(f, "frag %" PRIu64 " %" PRIu64 " %u %u %s\n", conn, pos, pieces[i].off,
			pieces[i].len, pieces[i].copied ? "copy" : "zc");
		pos += pieces[i].len;
	}
}
