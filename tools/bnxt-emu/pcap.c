// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pcapng writer: one section, one Ethernet interface, nanosecond timestamps,
 * and with each frame the direction it went.
 *
 * Frames are written as they pass the back end: those that a host's or guest's
 * stack left unsegmented are longer than the MTU, and checksums left to the
 * device are not yet in them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pcap.h"

#define BLOCK_SHB	0x0a0d0d0au
#define BLOCK_IDB	1u
#define BLOCK_EPB	6u
#define BYTE_ORDER_MAGIC 0x1a2b3c4du
#define LINKTYPE_ETHERNET 1
#define OPT_END		0
#define OPT_EPB_FLAGS	2
#define OPT_IF_TSRESOL	9

struct pcap {
	FILE *file;
	uint32_t snaplen;
};

struct opt_flags {
	uint16_t code, len;
	uint32_t flags;
	uint16_t end_code, end_len;
};

struct shb {
	uint32_t type, total;
	uint32_t magic;
	uint16_t major, minor;
	uint32_t section_len[2];	/* all ones: not known */
	uint32_t total2;
};

struct idb {
	uint32_t type, total;
	uint16_t linktype, reserved;
	uint32_t snaplen;
	struct {
		uint16_t code, len;
		uint8_t tsresol, pad[3];
	} res;
	uint16_t end_code, end_len;
	uint32_t total2;
};

struct epb {
	uint32_t type, total;
	uint32_t interface;
	uint32_t ts_high, ts_low;
	uint32_t captured, original;
};

_Static_assert(sizeof(struct shb) == 28 && sizeof(struct idb) == 32 && sizeof(struct epb) == 28 &&
	       sizeof(struct opt_flags) == 12, "pcapng layout");

static void put(struct pcap *pcap, const void *p, size_t len)
{
	/* an error sticks to the stream and is reported at the end */
	fwrite(p, 1, len, pcap->file);
}

/**
 * pcap_new() - Create a capture file
 * @path: its name
 * @snaplen: most bytes kept of a frame, 0 for all
 *
 * Return: the capture, NULL with errno set.
 */
struct pcap *pcap_new(const char *path, uint32_t snaplen)
{
	struct shb shb = {
		.type = BLOCK_SHB, .total = sizeof(shb), .magic = BYTE_ORDER_MAGIC, .major = 1,
		.section_len = { ~0u, ~0u }, .total2 = sizeof(shb),
	};
	struct idb idb = {
		.type = BLOCK_IDB,
		.total = sizeof(idb),
		.linktype = LINKTYPE_ETHERNET,
		.snaplen = snaplen,
		.res = { .code = OPT_IF_TSRESOL, .len = 1, .tsresol = 9 },
		.total2 = sizeof(idb),
	};
	struct pcap *pcap = calloc(1, sizeof(*pcap));

	if (!pcap)
		return NULL;
	pcap->file = fopen(path, "we");
	if (!pcap->file)
		goto free_pcap;
	pcap->snaplen = snaplen ? snaplen : UINT32_MAX;
	put(pcap, &shb, sizeof(shb));
	put(pcap, &idb, sizeof(idb));
	return pcap;

free_pcap:
	free(pcap);
	return NULL;
}

/**
 * pcap_frame() - Write one frame
 * @pcap: the capture
 * @dir: which way it went
 * @iov: its parts
 * @iovcnt: how many
 */
void pcap_frame(struct pcap *pcap, enum pcap_direction dir, const struct iovec *iov, int iovcnt)
{
	static const uint8_t pad[4];
	struct opt_flags opt = {
		.code = OPT_EPB_FLAGS, .len = 4, .flags = dir, .end_code = OPT_END
	};
	struct epb epb = { .type = BLOCK_EPB };
	uint32_t len = 0, left, padding;
	struct timespec ts;
	uint64_t ns;

	clock_gettime(CLOCK_REALTIME, &ts);
	ns = (uint64_t)ts.tv_sec * 1000000000u + ts.tv_nsec;
	for (int i = 0; i < iovcnt; i++)
		len += iov[i].iov_len;
	epb.ts_high = ns >> 32;
	epb.ts_low = ns;
	epb.original = len;
	epb.captured = left = len < pcap->snaplen ? len : pcap->snaplen;
	padding = -left & 3;
	epb.total = sizeof(epb) + left + padding + sizeof(opt) + sizeof(epb.total);

	put(pcap, &epb, sizeof(epb));
	for (int i = 0; i < iovcnt && left; i++) {
		size_t part = iov[i].iov_len < left ? iov[i].iov_len : left;

		put(pcap, iov[i].iov_base, part);
		left -= part;
	}
	put(pcap, pad, padding);
	put(pcap, &opt, sizeof(opt));
	put(pcap, &epb.total, sizeof(epb.total));
}

/**
 * pcap_flush() - Bring all frames so far into the file
 * @pcap: the capture
 *
 * Return: false when something could not be written, now or before.
 */
bool pcap_flush(struct pcap *pcap)
{
	return !fflush(pcap->file) && !ferror(pcap->file);
}

/**
 * pcap_free() - Close a capture
 * @pcap: the capture or NULL
 *
 * Return: false when something could not be written, now or before.
 */
bool pcap_free(struct pcap *pcap)
{
	bool good;

	if (!pcap)
		return true;
	good = !ferror(pcap->file);
	good &= !fclose(pcap->file);
	free(pcap);
	return good;
}
