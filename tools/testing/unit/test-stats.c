// SPDX-License-Identifier: GPL-2.0-or-later
/* What counts as zero copy, as page-aligned, as an aligned record. */
#include "../tap.h"
#include "stats.h"

#define PAGE	4096U

static void test_aligned(void)
{
	struct rx_stats s = { .page = PAGE, .record = 4 * PAGE };
	struct rx_stream st = { 0 };

	for (unsigned int i = 0; i < 4; i++)
		rx_stats_piece(&s, &st, (7 - i) * PAGE, PAGE, false);
	tap_eq(s.aligned_bytes, 4 * PAGE, "pages anywhere in memory are aligned");
	tap_eq(s.aligned_records, 1, "and make an aligned record");
	/* a short segment shifts the next ones until the record ends */
	rx_stats_piece(&s, &st, 0, 1000, false);
	rx_stats_piece(&s, &st, 0, PAGE, false);
	rx_stats_piece(&s, &st, 0, PAGE, false);
	rx_stats_piece(&s, &st, 0, PAGE, false);
	rx_stats_piece(&s, &st, 0, PAGE - 1000, true);
	tap_eq(s.aligned_bytes, 4 * PAGE, "shifted pages are not aligned");
	tap_eq(s.records, 2, "two records");
	tap_eq(s.aligned_records, 1, "one of them aligned");
	rx_stats_piece(&s, &st, PAGE, PAGE, false);
	tap_eq(s.aligned_bytes, 5 * PAGE, "the next record starts afresh");
	tap_eq(s.copied_bytes, PAGE - 1000, "copied");
	tap_eq(s.zc_bytes + s.copied_bytes, s.bytes, "all bytes are one or the other");
}

static void test_ragged(void)
{
	struct rx_stats s = { .page = PAGE };
	struct rx_stream st = { .pos = 100 };

	rx_stats_piece(&s, &st, 100, 3 * PAGE, false);
	tap_eq(s.aligned_bytes, 2 * PAGE, "ragged at both ends: the pages between count");
	st.pos = 100;
	rx_stats_piece(&s, &st, 100, PAGE - 100, false);
	tap_eq(s.aligned_bytes, 2 * PAGE, "the rest of a page is no page");
	st.pos = 0;
	rx_stats_piece(&s, &st, 0, PAGE - 1, false);
	tap_eq(s.aligned_bytes, 2 * PAGE, "nor is all but a byte of one");
	st.pos = 1ULL << 40;
	rx_stats_piece(&s, &st, 8 * PAGE, 64 * PAGE, true);
	tap_eq(s.aligned_bytes, 66 * PAGE, "a long piece of a long stream");
}

/* The same by looking at every page */
static void test_random(void)
{
	struct rx_stats s = { .page = PAGE, .record = 3 * PAGE };
	static uint32_t filled[4096];
	struct rx_stream st = { 0 };
	uint64_t pages = 0, records = 0;

	srand(3);
	while (st.pos < 4000ULL * PAGE) {
		uint32_t len = rand() % 3 ? PAGE * (1 + (uint32_t)rand() % 9) : (uint32_t)rand() % 9000 + 1;
		uint64_t off = rand() % 4 ? st.pos % PAGE + PAGE * 5 : (uint64_t)rand() % 9999;

		for (uint64_t page = (st.pos + PAGE - 1) / PAGE;
		     (page + 1) * PAGE <= st.pos + len && page < 4096; page++)
			filled[page] = (off + page * PAGE - st.pos) % PAGE == 0;
		rx_stats_piece(&s, &st, off, len, false);
	}
	for (uint64_t p = 0; p < 4096; p++)
		pages += filled[p];
	for (uint64_t p = 0; p + 3 <= st.pos / PAGE && p + 3 <= 4096; p += 3)
		records += filled[p] && filled[p + 1] && filled[p + 2];
	tap_eq(s.aligned_bytes, pages * PAGE, "random pieces: %" PRIu64 " whole pages", pages);
	tap_eq(s.records, st.pos / (3 * PAGE), "random pieces: records");
	tap_eq(s.aligned_records, records, "random pieces: %" PRIu64 " aligned records", records);
}

static void test_histogram(void)
{
	struct rx_stats s = { .page = PAGE };
	struct rx_stream st = { 0 };

	rx_stats_piece(&s, &st, 0, 1, false);
	rx_stats_piece(&s, &st, 255, 1448, false);
	rx_stats_piece(&s, &st, 4095, 4096, false);
	rx_stats_piece(&s, &st, 256, UINT32_MAX, false);
	tap_ok(s.len_log2[1] == 1 && s.len_log2[11] == 1 && s.len_log2[13] == 1 &&
	       s.len_log2[32] == 1, "lengths by powers of two");
	tap_ok(s.place[0] == 2 && s.place[15] == 1 && s.place[1] == 1, "places by sixteenths");
	tap_ok(percent(0, 0) == 0.0 && percent(1, 4) == 25.0, "percent, of nothing as well");
}

int main(void)
{
	test_aligned();
	test_ragged();
	test_random();
	test_histogram();
	return tap_done();
}
