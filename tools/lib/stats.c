// SPDX-License-Identifier: GPL-2.0-or-later
#include "stats.h"

static unsigned int log2_slot(uint32_t len)
{
	return len ? 32 - (unsigned int)__builtin_clz(len) : 0;
}

/* Bytes of the piece in pages that are whole both in the stream and in memory */
static uint32_t whole_pages(const struct rx_stats *s, uint64_t pos, uint64_t off, uint32_t len)
{
	uint32_t mask = s->page - 1;
	uint32_t lead = (uint32_t)-pos & mask;

	if ((pos - off) & mask || len <= lead)
		return 0;
	return (len - lead) & ~mask;
}

/* A piece of the copying backend may run over several records: one after the other */
static void count_records(struct rx_stats *s, struct rx_stream *stream, uint64_t off,
			  uint32_t len)
{
	uint64_t pos = stream->pos;

	while (len) {
		uint64_t rest = s->record - pos % s->record;
		uint32_t part = len < rest ? len : (uint32_t)rest;

		stream->record_aligned += whole_pages(s, pos, off, part);
		if (part == rest) {
			s->records++;
			s->aligned_records += stream->record_aligned == s->record;
			stream->record_aligned = 0;
		}
		pos += part;
		off += part;
		len -= part;
	}
}

/**
 * rx_stats_piece() - count one piece
 * @s: the sums
 * @stream: the connection; moved on
 * @off: where the piece is in memory, bytes from a page boundary or its multiple
 * @len: bytes
 * @copied: the kernel copied it
 */
void rx_stats_piece(struct rx_stats *s, struct rx_stream *stream, uint64_t off, uint32_t len,
		    bool copied)
{
	s->pieces++;
	s->bytes += len;
	*(copied ? &s->copied_bytes : &s->zc_bytes) += len;
	s->aligned_bytes += whole_pages(s, stream->pos, off, len);
	s->len_log2[log2_slot(len)]++;
	s->place[(off & (s->page - 1)) / (s->page / STATS_PLACES)]++;
	if (s->record)
		count_records(s, stream, off, len);
	stream->pos += len;
}

/**
 * rx_stats_add() - take sums into others
 * @sum: the others, of the same page and record
 * @s: the sums
 */
void rx_stats_add(struct rx_stats *sum, const struct rx_stats *s)
{
	sum->bytes += s->bytes;
	sum->zc_bytes += s->zc_bytes;
	sum->copied_bytes += s->copied_bytes;
	sum->aligned_bytes += s->aligned_bytes;
	sum->pieces += s->pieces;
	sum->completions += s->completions;
	sum->starved += s->starved;
	sum->rearmed += s->rearmed;
	sum->records += s->records;
	sum->aligned_records += s->aligned_records;
	for (unsigned int i = 0; i < STATS_LOG2; i++)
		sum->len_log2[i] += s->len_log2[i];
	for (unsigned int i = 0; i < STATS_PLACES; i++)
		sum->place[i] += s->place[i];
}

/**
 * percent() - share of a whole
 * @part: the part
 * @whole: the whole
 *
 * Return: percent, 0 of nothing.
 */
double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0.0;
}
