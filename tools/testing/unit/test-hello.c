// SPDX-License-Identifier: GPL-2.0-or-later
/* The greeting: its layout byte by byte, and what a hostile peer may send instead. */
#include "../tap.h"
#include "hello.h"

static const struct hello good = {
	.kind = HELLO_OFFER, .page = 4096, .quantum = 512, .record = 16384, .region = 64 << 20,
};

/* The documented layout, by hand */
static const uint8_t good_bytes[HELLO_SIZE] = {
	'z', 'c', 'r', 'x', '-', 'h', 'i', '\n',
	1, 0, 64, 0, 1, 0, 0, 0,
	0, 16, 0, 0, 0, 2, 0, 0,
	0, 64, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 4, 0, 0, 0, 0,
};

static void test_layout(void)
{
	struct hello h = { .kind = 0x0102, .refusal = 0x0304, .page = 0x05060708,
			   .quantum = 0x090a0b0c, .record = 0x0d0e0f10, .payload = 0x11121314,
			   .region = 0x15161718191a1b1c, .streams = 0x1d1e1f20 };
	static const uint8_t tail[] = {
		2, 1, 4, 3, 8, 7, 6, 5, 0xc, 0xb, 0xa, 9, 0x10, 0xf, 0xe, 0xd,
		0x14, 0x13, 0x12, 0x11, 0x1c, 0x1b, 0x1a, 0x19, 0x18, 0x17, 0x16, 0x15,
		0x20, 0x1f, 0x1e, 0x1d,
	};
	uint8_t out[HELLO_SIZE];
	struct hello back;

	hello_write(&good, out);
	tap_ok(!memcmp(out, good_bytes, sizeof(out)), "an offer is laid out as documented");
	hello_write(&h, out);
	tap_ok(!memcmp(out + 12, tail, sizeof(tail)), "every field in its place, little-endian");
	tap_eq(hello_read(out, sizeof(out), &back), HELLO_FINE, "read again");
	tap_ok(back.version == HELLO_VERSION && back.kind == h.kind && back.refusal == h.refusal &&
	       back.page == h.page && back.quantum == h.quantum && back.record == h.record &&
	       back.payload == h.payload && back.region == h.region && back.streams == h.streams,
	       "it is the same");
}

/* The bytes lie at the end of their memory: reading beyond is seen */
static enum hello_refusal read_exactly(const uint8_t *bytes, size_t len, struct hello *h)
{
	uint8_t *copy = malloc(len ? len : 1);
	enum hello_refusal r;

	memcpy(copy, bytes, len);
	r = hello_read(copy, len, h);
	free(copy);
	return r;
}

static void test_short(void)
{
	unsigned int wrong = 0, missed = 0;
	uint8_t bytes[HELLO_SIZE];
	struct hello h;

	for (size_t len = 0; len < HELLO_SIZE; len++)
		wrong += read_exactly(good_bytes, len, &h) != HELLO_SHORT;
	tap_eq(wrong, 0, "each beginning of a message wants more");
	for (size_t at = 0; at < 8; at++) {
		memcpy(bytes, good_bytes, sizeof(bytes));
		bytes[at] ^= 0x20;
		for (size_t len = at + 1; len <= HELLO_SIZE; len++)
			missed += read_exactly(bytes, len, &h) != HELLO_FOREIGN;
	}
	tap_eq(missed, 0, "a wrong byte of the magic is seen as soon as it has come");
	tap_eq(read_exactly((const uint8_t *)"GET / HT", 8, &h), HELLO_FOREIGN, "so is HTTP");
	tap_eq(read_exactly((const uint8_t *)"SSH-2.0-", 8, &h), HELLO_FOREIGN, "and SSH");
}

static const struct {
	size_t at;
	uint8_t value;
	enum hello_refusal want;
	const char *what;
} bad_bytes[] = {
	{ 8, 0, HELLO_VERSION_OTHER, "version 0" },
	{ 8, 2, HELLO_VERSION_OTHER, "version 2" },
	{ 9, 1, HELLO_VERSION_OTHER, "version 257" },
	{ 10, 63, HELLO_LENGTH, "a length of 63" },
	{ 10, 65, HELLO_LENGTH, "a length of 65" },
	{ 10, 0, HELLO_LENGTH, "a length of 0" },
	{ 11, 255, HELLO_LENGTH, "a length of 65344" },
	{ 44, 1, HELLO_RESERVED, "the first reserved byte" },
	{ 63, 128, HELLO_RESERVED, "the last reserved byte" },
};

static void test_bytes(void)
{
	uint8_t bytes[HELLO_SIZE];
	struct hello h;

	for (size_t i = 0; i < sizeof(bad_bytes) / sizeof(bad_bytes[0]); i++) {
		memcpy(bytes, good_bytes, sizeof(bytes));
		bytes[bad_bytes[i].at] = bad_bytes[i].value;
		tap_eq(read_exactly(bytes, sizeof(bytes), &h), bad_bytes[i].want, "%s",
		       bad_bytes[i].what);
		tap_eq(h.page, 0, "  and nothing of it is taken");
	}
	bytes[8] = 7;
	bytes[9] = 3;
	read_exactly(bytes, sizeof(bytes), &h);
	tap_eq(h.version, 0x307, "another version is told");
}

static const struct {
	struct hello h;
	enum hello_refusal want;
	const char *what;
} offers[] = {
	{ { 1, HELLO_OFFER, 0, 4096, 512, 16384, 0, 1 << 20 }, HELLO_FINE, "an offer" },
	{ { 1, HELLO_OFFER, 0, 65536, 65536, 65536, 0, 65536 }, HELLO_FINE, "pages of 64 KiB" },
	{ { 1, HELLO_OFFER, 0, 512, 1, 512, 0, 512 }, HELLO_FINE, "the smallest" },
	{ { 1, HELLO_OFFER, 6, 0, 0, 0, 0, 0 }, HELLO_FINE, "a refusal, with nothing else" },
	{ { 1, HELLO_OFFER, 999, 0, 0, 0, 0, 0 }, HELLO_FINE, "a refusal of the future" },
	{ { 1, HELLO_ANSWER, 0, 4096, 512, 16384, 0, 1 << 20 }, HELLO_KIND, "an answer instead" },
	{ { 1, 0, 0, 4096, 512, 16384, 0, 1 << 20 }, HELLO_KIND, "kind 0" },
	{ { 1, 65535, 6, 4096, 512, 16384, 0, 1 << 20 }, HELLO_KIND, "kind 65535" },
	{ { 1, HELLO_OFFER, 0, 0, 512, 16384, 0, 1 << 20 }, HELLO_PAGE, "pages of 0" },
	{ { 1, HELLO_OFFER, 0, 256, 256, 16384, 0, 1 << 20 }, HELLO_PAGE, "pages of 256" },
	{ { 1, HELLO_OFFER, 0, 131072, 512, 131072, 0, 1 << 20 }, HELLO_PAGE, "pages of 128 KiB" },
	{ { 1, HELLO_OFFER, 0, 4095, 512, 16384, 0, 1 << 20 }, HELLO_PAGE, "pages of 4095" },
	{ { 1, HELLO_OFFER, 0, UINT32_MAX, 512, 16384, 0, 1 << 20 }, HELLO_PAGE, "pages of 2^32 - 1" },
	{ { 1, HELLO_OFFER, 0, 1U << 31, 512, 1U << 31, 0, UINT64_MAX }, HELLO_PAGE, "pages of 2^31" },
	{ { 1, HELLO_OFFER, 0, 4096, 0, 16384, 0, 1 << 20 }, HELLO_QUANTUM, "a quantum of 0" },
	{ { 1, HELLO_OFFER, 0, 4096, 8192, 16384, 0, 1 << 20 }, HELLO_QUANTUM, "one above the page" },
	{ { 1, HELLO_OFFER, 0, 4096, 513, 16384, 0, 1 << 20 }, HELLO_QUANTUM, "one of 513" },
	{ { 1, HELLO_OFFER, 0, 4096, 512, 0, 0, 1 << 20 }, HELLO_RECORD, "a record of 0" },
	{ { 1, HELLO_OFFER, 0, 4096, 512, 4097, 0, 1 << 20 }, HELLO_RECORD, "one of 4097" },
	{ { 1, HELLO_OFFER, 0, 4096, 512, 65536, 0, 1 << 20 }, HELLO_RECORD, "one of 16 pages" },
	{ { 1, HELLO_OFFER, 0, 4096, 512, 0xfffff000, 0, UINT64_MAX }, HELLO_RECORD, "one of 4 GiB" },
	{ { 1, HELLO_OFFER, 0, 4096, 512, 16384, 0, 16383 }, HELLO_REGION, "a region below a record" },
	{ { 1, HELLO_OFFER, 0, 4096, 512, 16384, 0, 0 }, HELLO_REGION, "no region" },
};

static void test_offers(void)
{
	for (size_t i = 0; i < sizeof(offers) / sizeof(offers[0]); i++)
		tap_eq(hello_check_offer(&offers[i].h), offers[i].want, "offer: %s", offers[i].what);
}

static void test_streams(void)
{
	struct hello h = good;

	tap_eq(hello_check_streams(&h, UINT32_MAX), HELLO_FINE, "who does not say takes any number");
	h.streams = 3;
	tap_eq(hello_check_streams(&h, 3), HELLO_FINE, "as many as it takes");
	tap_eq(hello_check_streams(&h, 4), HELLO_STREAMS, "one more");
}

static void test_answers(void)
{
	struct hello answer = good;

	answer.kind = HELLO_ANSWER;
	answer.payload = 4096;
	tap_eq(hello_check_answer(&answer, &good), HELLO_FINE, "an answer");
	answer.record = 8192;
	tap_eq(hello_check_answer(&answer, &good), HELLO_DIFFERS, "with another record");
	answer = good;
	tap_eq(hello_check_answer(&answer, &good), HELLO_KIND, "an echo of the offer");
	answer = (struct hello){ .kind = HELLO_ANSWER, .refusal = HELLO_ASKING };
	tap_eq(hello_check_answer(&answer, &good), HELLO_FINE, "a refusal");
	for (unsigned int i = 0; i < 3; i++) {
		answer = good;
		answer.kind = HELLO_ANSWER;
		answer.page += i == 0;
		answer.quantum += i == 1;
		answer.region += i == 2;
		tap_eq(hello_check_answer(&answer, &good), HELLO_DIFFERS, "another field %u", i);
	}
}

/* Whatever comes: an answer without a sanitizer's report, and never a geometry that cannot be */
static void test_noise(void)
{
	unsigned int taken = 0, mad = 0;
	uint8_t bytes[HELLO_SIZE];
	struct hello h;

	srand(1);
	for (unsigned int i = 0; i < 200000; i++) {
		size_t len = i % 4 ? HELLO_SIZE : (size_t)rand() % (HELLO_SIZE + 1);

		memcpy(bytes, good_bytes, sizeof(bytes));
		for (unsigned int n = (unsigned int)rand() % 4; n; n--)
			bytes[(unsigned int)rand() % (i % 2 ? HELLO_SIZE : 44)] = (uint8_t)rand();
		if (i % 16 == 0)
			for (size_t at = 0; at < HELLO_SIZE; at++)
				bytes[at] = (uint8_t)rand();
		if (read_exactly(bytes, len, &h) || hello_check_offer(&h) || h.refusal)
			continue;
		taken++;
		mad += !h.page || h.page & (h.page - 1) || h.page > 65536 || !h.record ||
		       h.record % h.page || h.record > 65536 || !h.quantum || h.quantum > h.page ||
		       h.region < h.record;
	}
	tap_ok(taken > 1000, "of 200000 damaged offers %u are none the worse", taken);
	tap_eq(mad, 0, "and none of them is mad");
}

static void test_words(void)
{
	unsigned int silent = 0, unknown = 0;
	struct zcrx_refusal why;
	struct diag_text text;

	for (unsigned int i = 0; i < 2 * HELLO_STREAMS; i++) {
		struct diag_env env = { .prog = "p", .peer = "h", .why = &why };
		struct hello_failure ours = { .refusal = i, .wait_ns = HELLO_WAIT_NS };
		struct hello_failure theirs = { .theirs = i + 1 };

		silent += !strlen(hello_words(i)) || strlen(hello_words(i)) + 16 > DIAG_VALUE;
		for (unsigned int k = 0; k < 2; k++) {
			zcrx_refuse(&why, ZCRX_STEP_HELLO, hello_error(k ? &theirs : &ours, &env));
			diag_explain(&env, &text);
			/* who only asks is never refused by us */
			unknown += !strcmp(text.code, "ZC099") && i != HELLO_ASKING;
		}
	}
	tap_eq(silent, 0, "each number has words that fit");
	tap_eq(unknown, 0, "and a diagnostic, ours and theirs");
	tap_str(hello_words(65535), "a reason that this version does not know", "one of the future");
}

int main(void)
{
	test_layout();
	test_short();
	test_bytes();
	test_offers();
	test_streams();
	test_answers();
	test_noise();
	test_words();
	return tap_done();
}
