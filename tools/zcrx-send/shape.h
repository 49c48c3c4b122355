/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Did the stream leave in the shape that it was to have? TCP counts segments and
 * not where it cut them, so that is what there is to conclude from, and sometimes
 * it is not enough.
 */
#ifndef SHAPE_H
#define SHAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "geometry.h"

/* From good to bad; several streams are as good as the worst of them */
enum shape_verdict {
	SHAPE_KEPT,	/* every whole record left in full segments, once */
	SHAPE_PARTLY,	/* some did not, or were sent again and so perhaps not */
	SHAPE_UNKNOWN,
	SHAPE_NONE,	/* full segments are neither pages nor blocks */
};

/**
 * struct shape_stream - what TCP says of a stream, from its first byte of data on
 * @counted: this kernel counts bytes and segments
 * @bytes: that left, those sent again not counted twice
 * @segments: with data, those sent again included
 * @again: segments sent again
 * @payload: payload of a full segment, at the start
 * @payload_end: at the end
 */
struct shape_stream {
	bool counted;
	uint64_t bytes;
	uint64_t segments;
	uint64_t again;
	uint32_t payload;
	uint32_t payload_end;
};

/**
 * struct shape - the same of all streams, judged
 * @verdict: the worst
 * @why: of a verdict that is not known, in words; else NULL
 * @payload: payload of a full segment, of the stream that the verdict is of
 * @payload_end: the same at the end
 * @unit: what payloads are whole numbers of, the page, the quantum, or 0
 * @expected: segments if it was cut only at segments and records
 * @sent: segments that carried data, those sent again included
 * @again: segments sent again
 * @excess: segments more than expected: as many cuts at other places
 * @records: whole records
 * @spoiled: of these, no more than so many are out of shape
 */
struct shape {
	enum shape_verdict verdict;
	const char *why;
	uint32_t payload;
	uint32_t payload_end;
	uint32_t unit;
	uint64_t expected;
	uint64_t sent;
	uint64_t again;
	uint64_t excess;
	uint64_t records;
	uint64_t spoiled;
};

void shape_add(struct shape *sum, const struct geometry_want *want,
	       const struct shape_stream *st);

#endif
