// SPDX-License-Identifier: GPL-2.0-or-later
/* What is concluded from TCP's counts about where it cut, and what is not. */
#include "../tap.h"
#include "shape.h"

static const struct geometry_want pages = { 4096, 512, 16384 };

static const struct {
	struct shape_stream st;
	enum shape_verdict verdict;
	uint64_t excess, spoiled;
	const char *what;
} cases[] = {
	{ { true, 1 << 20, 256, 0, 4096, 4096 }, SHAPE_KEPT, 0, 0, "64 records in 256 pages" },
	{ { true, 0, 0, 0, 4096, 4096 }, SHAPE_KEPT, 0, 0, "nothing" },
	{ { true, 1, 1, 0, 4096, 4096 }, SHAPE_KEPT, 0, 0, "a byte" },
	{ { true, (1 << 20) + 5000, 258, 0, 4096, 4096 }, SHAPE_KEPT, 0, 0, "and a ragged end" },
	{ { true, 1 << 20, 128, 0, 8192, 8192 }, SHAPE_KEPT, 0, 0, "two pages a segment" },
	{ { true, 1 << 20, 64, 0, 28672, 28672 }, SHAPE_KEPT, 0, 0, "segments above a record" },
	{ { true, 1 << 20, 1024, 0, 1024, 1024 }, SHAPE_KEPT, 0, 0, "two blocks a segment" },
	{ { true, 1 << 20, 257, 0, 4096, 4096 }, SHAPE_PARTLY, 1, 1, "a cut" },
	{ { true, 1 << 20, 258, 1, 4096, 4096 }, SHAPE_PARTLY, 1, 2, "a cut, and one sent again" },
	{ { true, 1 << 20, 257, 1, 4096, 4096 }, SHAPE_PARTLY, 0, 1, "one sent again" },
	{ { true, 1 << 20, 512, 0, 4096, 4096 }, SHAPE_PARTLY, 256, 64, "cut everywhere" },
	{ { true, 1 << 20, 256, 1, 4096, 4096 }, SHAPE_UNKNOWN, 0, 64, "fewer than there can be" },
	{ { true, 1 << 20, 256, 0, 4096, 1448 }, SHAPE_UNKNOWN, 0, 64, "another MSS at the end" },
	{ { false, 1 << 20, 0, 0, 4096, 4096 }, SHAPE_UNKNOWN, 0, 64, "a kernel that does not count" },
	{ { false, 1 << 20, 0, 0, 0, 0 }, SHAPE_UNKNOWN, 0, 64, "nor knows an MSS" },
	{ { true, 1 << 20, 320, 0, 3584, 3584 }, SHAPE_UNKNOWN, 0, 64,
	  "seven blocks a segment, which do not make a record: cuts may hide" },
	{ { true, 1 << 20, 128, 0, 12288, 12288 }, SHAPE_UNKNOWN, 0, 64, "nor do three pages" },
	{ { true, 1 << 20, 768, 0, 1448, 1448 }, SHAPE_NONE, 0, 64, "neither pages nor blocks" },
};

static void test_cases(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct shape sum = { 0 };

		shape_add(&sum, &pages, &cases[i].st);
		tap_ok(sum.verdict == cases[i].verdict && sum.excess == cases[i].excess &&
		       sum.spoiled == cases[i].spoiled && !sum.why == (sum.verdict != SHAPE_UNKNOWN),
		       "%s: verdict %d, %" PRIu64 " cuts, up to %" PRIu64 " records%s%s", cases[i].what,
		       sum.verdict, sum.excess, sum.spoiled, sum.why ? ": " : "",
		       sum.why ? sum.why : "");
	}
}

/*
 * Every way to cut a record of 8 into segments of at most 2 or 4: what is called kept
 * has all of them full
 */
static void test_no_false_claim(void)
{
	unsigned int claimed = 0, wrong = 0, doubted = 0;

	for (uint32_t payload = 2; payload <= 10; payload++) {
		const struct geometry_want want = { 2, 1, 8 };

		for (unsigned int cuts = 0; cuts < 128; cuts++) {
			struct shape_stream st = { true, 8, 1, 0, payload, payload };
			struct shape sum = { 0 };
			unsigned int len = 1;
			bool fits = true, even = true;

			for (unsigned int at = 1; at < 8; at++, len++) {
				if (!(cuts & 1U << (at - 1)))
					continue;
				fits &= len <= payload;
				even &= at % 2 == 0;
				len = 0;
				st.segments++;
			}
			if (!fits || len > payload)
				continue;
			shape_add(&sum, &want, &st);
			claimed += sum.verdict == SHAPE_KEPT && sum.unit == 2;
			wrong += sum.verdict == SHAPE_KEPT && sum.unit == 2 && !even;
			doubted += sum.verdict != SHAPE_KEPT;
		}
	}
	tap_ok(claimed >= 4 && doubted > 100, "of all ways to cut a record %u are claimed", claimed);
	tap_eq(wrong, 0, "and none of them wrongly");
}

static void test_sums(void)
{
	const struct shape_stream good = { true, 1 << 20, 256, 0, 4096, 4096 };
	const struct shape_stream cut = { true, 1 << 20, 258, 0, 4096, 4096 };
	const struct shape_stream shrunk = { true, 1 << 20, 600, 0, 4096, 1448 };
	struct shape sum = { 0 };

	shape_add(&sum, &pages, &good);
	shape_add(&sum, &pages, &cut);
	shape_add(&sum, &pages, &good);
	tap_eq(sum.verdict, SHAPE_PARTLY, "streams are as good as the worst");
	tap_ok(sum.expected == 768 && sum.sent == 770 && sum.excess == 2 && sum.records == 192 &&
	       sum.spoiled == 2, "and all are counted");
	shape_add(&sum, &pages, &shrunk);
	shape_add(&sum, &pages, &good);
	tap_eq(sum.verdict, SHAPE_UNKNOWN, "one that is not known makes all so");
	tap_eq(sum.payload_end, 1448, "and is the one that is told of");
}

int main(void)
{
	test_cases();
	test_no_false_claim();
	test_sums();
	return tap_done();
}
