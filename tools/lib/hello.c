// SPDX-License-Identifier: GPL-2.0-or-later
#include "hello.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "geometry.h"

/* Readable, for who meets it on a terminal */
#define MAGIC		"zcrx-hi\n"
#define MAGIC_LEN	8

/* The message as it is on the wire: little-endian, no gaps */
struct wire {
	uint8_t magic[MAGIC_LEN];
	uint16_t version;
	uint16_t length;
	uint16_t kind;
	uint16_t refusal;
	uint32_t page;
	uint32_t quantum;
	uint32_t record;
	uint32_t payload;
	uint64_t region;
	uint32_t streams;
	uint8_t reserved[20];
};

_Static_assert(sizeof(struct wire) == HELLO_SIZE, "the layout is fixed");

static const struct {
	int err;
	const char *words;
} refusals[] = {
	[HELLO_FOREIGN] = { EBADMSG, "what came is no greeting" },
	[HELLO_VERSION_OTHER] = { EPROTONOSUPPORT, "the version is another one" },
	[HELLO_LENGTH] = { EPROTO, "the length of the message is not that of its version" },
	[HELLO_KIND] = { EPROTO, "the message is not the one whose turn it is" },
	[HELLO_RESERVED] = { EPROTO, "reserved bytes are not 0" },
	[HELLO_PAGE] = { EPROTO, "the page size is no power of two from 512 to 65536" },
	[HELLO_QUANTUM] = { EPROTO, "the quantum is no power of two from 1 to the page" },
	[HELLO_RECORD] = { EPROTO, "the record is not whole pages, up to 61440 bytes or one page" },
	[HELLO_REGION] = { EPROTO, "the region does not hold a record" },
	[HELLO_DIFFERS] = { EPROTO, "it differs from what was offered before" },
	[HELLO_EARLY] = { EPROTO, "data came before everything was agreed" },
	[HELLO_SILENT] = { ETIMEDOUT, "no greeting came in time" },
	[HELLO_SHORT] = { ENODATA, "the connection ended within the greeting" },
	[HELLO_STREAMS] = { EUSERS, "more streams are to come at once than are taken" },
	[HELLO_ASKING] = { ECANCELED, "it only wanted to know (zcrx-send --explain)" },
};

#define REFUSALS	(sizeof(refusals) / sizeof(refusals[0]))

/**
 * hello_words() - a refusal in words
 * @refusal: its number
 *
 * Return: the words; never NULL.
 */
const char *hello_words(unsigned int refusal)
{
	if (!refusal || refusal >= REFUSALS)
		return "a reason that this version does not know";
	return refusals[refusal].words;
}

/**
 * hello_write() - make a message
 * @h: what it says; its version does not matter
 * @out: HELLO_SIZE bytes
 */
void hello_write(const struct hello *h, uint8_t *out)
{
	struct wire w = {
		.magic = MAGIC,
		.version = htole16(HELLO_VERSION),
		.length = htole16(HELLO_SIZE),
		.kind = htole16(h->kind),
		.refusal = htole16(h->refusal),
		.page = htole32(h->page),
		.quantum = htole32(h->quantum),
		.record = htole32(h->record),
		.payload = htole32(h->payload),
		.region = htole64(h->region),
		.streams = htole32(h->streams),
	};

	memcpy(out, &w, sizeof(w));
}

static bool all_zero(const uint8_t *bytes, size_t len)
{
	while (len && !bytes[len - 1])
		len--;
	return !len;
}

/**
 * hello_read() - take a message apart
 * @in: what came
 * @len: bytes of it, at most HELLO_SIZE
 * @h: the message; of another version only @version, else only if all is well
 *
 * What a message says may still be nonsense: see hello_check_offer() and
 * hello_check_answer().
 *
 * Return: HELLO_FINE; HELLO_SHORT when more has to come; HELLO_FOREIGN as soon as no
 * more can help; HELLO_VERSION_OTHER, HELLO_LENGTH, HELLO_RESERVED.
 */
enum hello_refusal hello_read(const uint8_t *in, size_t len, struct hello *h)
{
	struct wire w;

	*h = (struct hello){ 0 };
	if (memcmp(in, MAGIC, len < MAGIC_LEN ? len : MAGIC_LEN))
		return HELLO_FOREIGN;
	if (len < HELLO_SIZE)
		return HELLO_SHORT;
	memcpy(&w, in, sizeof(w));
	h->version = le16toh(w.version);
	if (h->version != HELLO_VERSION)
		return HELLO_VERSION_OTHER;
	if (le16toh(w.length) != HELLO_SIZE)
		return HELLO_LENGTH;
	if (!all_zero(w.reserved, sizeof(w.reserved)))
		return HELLO_RESERVED;
	h->kind = le16toh(w.kind);
	h->refusal = le16toh(w.refusal);
	h->page = le32toh(w.page);
	h->quantum = le32toh(w.quantum);
	h->record = le32toh(w.record);
	h->payload = le32toh(w.payload);
	h->region = le64toh(w.region);
	h->streams = le32toh(w.streams);
	return HELLO_FINE;
}

static bool power_of_two(uint32_t n, uint32_t min, uint32_t max)
{
	return n >= min && n <= max && !(n & (n - 1));
}

/**
 * hello_check_offer() - can a sender work with what the receiver offers?
 * @h: the message
 *
 * Return: HELLO_FINE, also for a refusal; else what is wrong.
 */
enum hello_refusal hello_check_offer(const struct hello *h)
{
	if (h->kind != HELLO_OFFER)
		return HELLO_KIND;
	if (h->refusal)
		return HELLO_FINE;
	if (!power_of_two(h->page, GEOMETRY_SECTOR, GEOMETRY_PAGE_MAX))
		return HELLO_PAGE;
	if (!power_of_two(h->quantum, 1, h->page))
		return HELLO_QUANTUM;
	if (!geometry_record_ok(h->record, h->page))
		return HELLO_RECORD;
	if (h->region < h->record)
		return HELLO_REGION;
	return HELLO_FINE;
}

/**
 * hello_check_streams() - does the receiver take so many connections at once?
 * @h: its offer
 * @streams: connections that are all wanted before any data is sent
 *
 * One that it does not take would wait for its greeting until the others have ended.
 *
 * Return: HELLO_FINE, HELLO_STREAMS.
 */
enum hello_refusal hello_check_streams(const struct hello *h, uint32_t streams)
{
	return h->streams && h->streams < streams ? HELLO_STREAMS : HELLO_FINE;
}

/**
 * hello_check_answer() - is that an answer to this offer?
 * @h: the message
 * @offer: what was offered
 *
 * Return: HELLO_FINE, also for a refusal; else what is wrong.
 */
enum hello_refusal hello_check_answer(const struct hello *h, const struct hello *offer)
{
	if (h->kind != HELLO_ANSWER)
		return HELLO_KIND;
	if (h->refusal)
		return HELLO_FINE;
	if (h->page != offer->page || h->quantum != offer->quantum ||
	    h->record != offer->record || h->region != offer->region)
		return HELLO_DIFFERS;
	return HELLO_FINE;
}

/**
 * hello_error() - which diagnostic a failed greeting is
 * @f: how it failed
 * @env: gets the values of the text
 *
 * Return: -errno to look up with ZCRX_STEP_HELLO.
 */
int hello_error(const struct hello_failure *f, struct diag_env *env)
{
	if (f->theirs) {
		snprintf(env->have, sizeof(env->have), "refusal %u, %s", f->theirs,
			 hello_words(f->theirs));
		return -ECONNREFUSED;
	}
	if (!f->refusal || f->refusal >= REFUSALS)
		return -EPROTO;
	switch (f->refusal) {
	case HELLO_SHORT:
		snprintf(env->have, sizeof(env->have), "%zu", f->got);
		snprintf(env->want, sizeof(env->want), "%u", HELLO_SIZE);
		break;
	case HELLO_SILENT:
		snprintf(env->have, sizeof(env->have), "%zu", f->got);
		snprintf(env->want, sizeof(env->want), "%g", (double)f->wait_ns / 1e9);
		break;
	case HELLO_VERSION_OTHER:
		snprintf(env->have, sizeof(env->have), "%u", f->version);
		snprintf(env->want, sizeof(env->want), "%u", HELLO_VERSION);
		break;
	case HELLO_STREAMS:
		snprintf(env->have, sizeof(env->have), "%u connection%s", f->room,
			 f->room == 1 ? "" : "s");
		snprintf(env->want, sizeof(env->want), "%u", f->streams);
		break;
	default:
		snprintf(env->have, sizeof(env->have), "refusal %u, %s", f->refusal,
			 hello_words(f->refusal));
	}
	return -refusals[f->refusal].err;
}
