// SPDX-License-Identifier: GPL-2.0-or-later
#include "shape.h"

#include <stddef.h>

static void worsen(struct shape *sum, enum shape_verdict verdict, const char *why,
		   const struct shape_stream *st)
{
	if (sum->payload && verdict <= sum->verdict)
		return;
	sum->verdict = verdict;
	sum->why = why;
	sum->payload = st->payload;
	sum->payload_end = st->payload_end;
}

/*
 * No segment is longer than @payload, and none reaches into the next record. So a
 * record takes at least as many as expected, and if it takes no more, and is itself
 * whole segments, each of them is full.
 */
static bool shows_cuts(const struct geometry_want *want, uint32_t payload)
{
	return want->record % payload == 0 || want->record < payload;
}

static const char *unknown(const struct geometry_want *want, const struct shape_stream *st,
			   uint64_t expected)
{
	if (!st->counted || !st->payload)
		return "this kernel does not count segments";
	if (st->payload != st->payload_end)
		return "the length of segments changed on the way";
	if (st->segments < expected + st->again)
		return "TCP counted fewer segments than there have to be";
	if (!shows_cuts(want, st->payload))
		return "in records that are no whole number of segments a cut need not show";
	return NULL;
}

/**
 * shape_add() - judge a stream, together with those before
 * @sum: all so far, all 0 before the first
 * @want: how the streams were to be cut
 * @st: what TCP says
 */
void shape_add(struct shape *sum, const struct geometry_want *want,
	       const struct shape_stream *st)
{
	uint64_t expected = geometry_segments(st->bytes, want->record, st->payload);
	uint64_t records = st->bytes / want->record;
	uint64_t once = st->segments > st->again ? st->segments - st->again : 0;
	uint64_t excess = once > expected ? once - expected : 0;
	uint32_t unit = geometry_unit(st->payload, want->page, want->quantum);
	const char *why = unknown(want, st, expected);

	if (!sum->payload || unit < sum->unit)
		sum->unit = unit;
	if (st->counted && st->payload && !unit)
		worsen(sum, SHAPE_NONE, NULL, st);
	else if (why)
		worsen(sum, SHAPE_UNKNOWN, why, st);
	else
		worsen(sum, excess || st->again ? SHAPE_PARTLY : SHAPE_KEPT, NULL, st);
	sum->expected += expected;
	sum->sent += st->segments;
	sum->again += st->again;
	sum->excess += excess;
	sum->records += records;
	sum->spoiled += why || excess + st->again > records ? records : excess + st->again;
}
