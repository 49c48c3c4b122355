/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads captures of Ethernet frames: pcap and pcapng, of either byte order. */
#ifndef PCAP_READ_H
#define PCAP_READ_H

#include <stddef.h>

#include "pcap.h"

/**
 * struct pcap_record - a frame of a capture
 * @ts: ns since the epoch, 0 where the file has no times
 * @dir: which way it went, 0 where the file does not say
 * @len: bytes that are in the file
 * @original: bytes that the frame had
 * @data: these bytes, valid until the next call
 */
struct pcap_record {
	uint64_t ts;
	int dir;
	uint32_t len, original;
	const uint8_t *data;
};

struct pcap_reader;

enum pcap_result { PCAP_FRAME, PCAP_END, PCAP_BROKEN };

struct pcap_reader *pcap_open(const char *path, const char **why);
enum pcap_result pcap_next(struct pcap_reader *r, struct pcap_record *rec, const char **why);
bool pcap_rewind(struct pcap_reader *r);
void pcap_close(struct pcap_reader *r);

#endif
