/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was received, and how. */
#ifndef STATS_H
#define STATS_H

#include <stdbool.h>
#include <stdint.h>

/* 0, 1, 2-3, 4-7, ... up to a piece of 2^31 bytes and more */
#define STATS_LOG2	33
/* Where in its page a piece starts, in sixteenths of a page */
#define STATS_PLACES	16

/**
 * struct rx_stats - sums over all connections
 * @page: page size that "aligned" refers to, a power of two
 * @record: bytes of a record, 0 when records are not counted
 * @bytes: received
 * @zc_bytes: of these, written by the NIC where the program reads them
 * @copied_bytes: of these, copied by the kernel
 * @aligned_bytes: of these, in whole pages: a page of the stream that is a page
 *	of memory
 * @pieces: adjacent runs of bytes
 * @completions: events that brought data
 * @starved: receives that stopped for lack of room, and were armed again
 * @rearmed: receives that ended for another reason, and were armed again
 * @records: whole records received
 * @aligned_records: of these, all pages were whole ones
 * @len_log2: pieces by length: [i] counts 2^(i-1) to 2^i - 1 bytes
 * @place: pieces by where in a page they start
 */
struct rx_stats {
	uint32_t page;
	uint32_t record;
	uint64_t bytes;
	uint64_t zc_bytes;
	uint64_t copied_bytes;
	uint64_t aligned_bytes;
	uint64_t pieces;
	uint64_t completions;
	uint64_t starved;
	uint64_t rearmed;
	uint64_t records;
	uint64_t aligned_records;
	uint64_t len_log2[STATS_LOG2];
	uint64_t place[STATS_PLACES];
};

/**
 * struct rx_stream - where one connection stands
 * @pos: bytes received so far
 * @record_aligned: bytes of the record in work that are in whole pages
 */
struct rx_stream {
	uint64_t pos;
	uint64_t record_aligned;
};

void rx_stats_piece(struct rx_stats *s, struct rx_stream *stream, uint64_t off, uint32_t len,
		    bool copied);
void rx_stats_add(struct rx_stats *sum, const struct rx_stats *s);
double percent(uint64_t part, uint64_t whole);

#endif
