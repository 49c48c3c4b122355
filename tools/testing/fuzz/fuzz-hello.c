// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target "hello": both ends of the greeting (tools/lib/hello.c, hello.rst). The input's first byte
 * says who reads: the sender what a receiver offers, and whether it may go; or the receiver what a
 * sender answers to an offer of its own, which the input chooses. The rest is what comes, in
 * pieces of the lengths that the input has as well. However it is cut, the same is made of it; what is
 * accepted is a geometry that can be, and is the very message that was read.
 */
#include <stdlib.h>
#include <string.h>

#include "../../lib/geometry.h"
#include "../../lib/hello.h"
#include "fuzz.h"

/* The bytes lie at the end of their memory, so that a sanitizer sees reads beyond */
static enum hello_refusal read_exactly(const uint8_t *bytes, size_t len, struct hello *h)
{
	uint8_t *copy = malloc(len ? len : 1);
	enum hello_refusal r;

	if (len)
		memcpy(copy, bytes, len);
	r = hello_read(copy, len, h);
	free(copy);
	return r;
}

/* As both programs do it: after each piece they try again. @pieces: a byte each, its length */
static enum hello_refusal read_pieces(const uint8_t *msg, size_t len, struct input pieces,
				      struct hello *h)
{
	enum hello_refusal r = HELLO_SHORT;
	size_t got = 0;

	while (r == HELLO_SHORT && got < len) {
		size_t n = 1 + in8(&pieces) % HELLO_SIZE;

		got += n < len - got ? n : len - got;
		r = read_exactly(msg, got, h);
	}
	return r;
}

/* What a message that was taken says is what it is made of again */
static void check_again(const uint8_t *msg, const struct hello *h)
{
	uint8_t again[HELLO_SIZE];

	CHECK(h->version == HELLO_VERSION, "a message of another version is taken");
	hello_write(h, again);
	CHECK(!memcmp(again, msg, HELLO_SIZE), "a message is read differently from how it is written");
}

/* What the user is told: never longer than its place, never nothing */
static void check_words(enum hello_refusal refusal, unsigned int theirs, size_t got,
			unsigned int version)
{
	const struct hello_failure f = {
		.refusal = refusal, .theirs = theirs, .got = got, .version = version,
		.wait_ns = HELLO_WAIT_NS, .streams = 2, .room = 1,
	};
	struct diag_env env = { .prog = "fuzz" };

	CHECK(hello_error(&f, &env) < 0, "a failure is none");
	CHECK(env.have[0] || refusal == HELLO_FOREIGN, "a failure has no words");
	CHECK(strnlen(env.have, sizeof(env.have)) < sizeof(env.have), "words have no end");
}

static bool power_of_two(uint32_t n)
{
	return n && !(n & (n - 1));
}

/* A geometry that a sender works with: it divides by all of these, and allocates records */
static void check_geometry(const struct hello *h)
{
	const struct geometry_want want = {
		.page = h->page, .quantum = h->quantum, .record = h->record,
	};
	struct geometry_plan plan;

	CHECK(power_of_two(h->page) && h->page >= 512 && h->page <= 65536, "a page is none");
	CHECK(power_of_two(h->quantum) && h->quantum <= h->page, "a quantum is none");
	CHECK(h->record && h->record % h->page == 0 && h->record <= 65536, "a record is none");
	CHECK(h->region >= h->record, "a region does not hold a record");
	for (uint32_t mtu = 68; mtu <= 65536; mtu *= 3) {
		const struct geometry_path path = { .mtu = mtu, .timestamps = true };

		geometry_plan(&path, &want, mtu, &plan);
		CHECK(!plan.unit || plan.payload % plan.unit == 0, "segments are no whole units");
	}
}

static void sender_reads(const uint8_t *msg, size_t len, struct input pieces)
{
	enum hello_refusal r, whole;
	struct hello h, same;

	r = read_pieces(msg, len, pieces, &h);
	whole = read_exactly(msg, len, &same);
	CHECK(r == whole, "in pieces it is something else");
	if (r) {
		CHECK(!h.page && !h.record && !h.kind, "something of a refused message is taken");
		check_words(r, 0, len, h.version);
		return;
	}
	check_again(msg, &h);
	r = hello_check_offer(&h);
	if (r || h.refusal) {
		check_words(r ? r : HELLO_FINE, r ? 0 : h.refusal, len, h.version);
		return;
	}
	check_geometry(&h);
	CHECK(hello_check_streams(&h, 1) == HELLO_FINE, "there is no room for one stream");
}

static void receiver_reads(const struct hello *offer, const uint8_t *msg, size_t len,
			   struct input pieces)
{
	enum hello_refusal r;
	struct hello h;

	r = read_pieces(msg, len, pieces, &h);
	if (!r) {
		check_again(msg, &h);
		r = hello_check_answer(&h, offer);
	}
	if (r || h.refusal) {
		check_words(r ? r : HELLO_FINE, r ? 0 : h.refusal, len, h.version);
		return;
	}
	CHECK(h.kind == HELLO_ANSWER && h.page == offer->page && h.quantum == offer->quantum &&
	      h.record == offer->record && h.region == offer->region, "an answer is to another offer");
}

/**
 * fuzz_hello - run one input
 * @in: input: who reads, 8 lengths of pieces, the message
 */
void fuzz_hello(struct input *in)
{
	const bool receiver = in8(in) & 1;
	uint8_t lengths[8], msg[HELLO_SIZE];
	struct input pieces = { .p = lengths, .left = sizeof(lengths) };
	struct hello offer = { .kind = HELLO_OFFER };
	size_t len;

	in_bytes(in, lengths, sizeof(lengths));
	if (receiver) {
		offer.page = in32(in);
		offer.quantum = in32(in);
		offer.record = in32(in);
		offer.region = in_le(in, 8);
	}
	len = in->left < sizeof(msg) ? in->left : sizeof(msg);
	in_bytes(in, msg, len);
	if (!len)
		return;
	if (receiver)
		receiver_reads(&offer, msg, len, pieces);
	else
		sender_reads(msg, len, pieces);
}
