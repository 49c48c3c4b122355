/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The greeting, in which receiver and sender agree on a geometry before any
 * data: the receiver offers, the sender answers, the receiver says go. Each is
 * one message of 64 bytes; hello.rst has the layout. Either side may refuse
 * instead, with a number.
 */
#ifndef HELLO_H
#define HELLO_H

#include <stddef.h>
#include <stdint.h>

#include "diag.h"

#define HELLO_SIZE	64
#define HELLO_VERSION	1
#define HELLO_WAIT_NS	5000000000ULL	/* default time limit of each message */

enum hello_kind {
	HELLO_OFFER = 1,
	HELLO_ANSWER = 2,
	HELLO_GO = 3,
};

/* Numbers on the wire: never used again for something else */
enum hello_refusal {
	HELLO_FINE = 0,
	HELLO_FOREIGN = 1,
	HELLO_VERSION_OTHER = 2,
	HELLO_LENGTH = 3,
	HELLO_KIND = 4,
	HELLO_RESERVED = 5,
	HELLO_PAGE = 6,
	HELLO_QUANTUM = 7,
	HELLO_RECORD = 8,
	HELLO_REGION = 9,
	HELLO_DIFFERS = 10,
	HELLO_EARLY = 11,
	HELLO_SILENT = 12,
	HELLO_SHORT = 13,
	HELLO_ASKING = 14,
	HELLO_STREAMS = 15,
};

/**
 * struct hello - a message
 * @version: of who sent it
 * @kind: enum hello_kind
 * @refusal: enum hello_refusal; what follows is void when it is not 0
 * @page: page size of the receiver, bytes
 * @quantum: alignment that is still of use when segments are no whole pages, bytes
 * @record: bytes of a record
 * @payload: in an answer, payload of a full segment, bytes; 0 if it is not known
 * @region: memory that receives, bytes
 * @streams: in an offer, connections that are taken now, this one included; 0 if that is not
 *	known
 */
struct hello {
	uint16_t version;
	uint16_t kind;
	uint16_t refusal;
	uint32_t page;
	uint32_t quantum;
	uint32_t record;
	uint32_t payload;
	uint64_t region;
	uint32_t streams;
};

void hello_write(const struct hello *h, uint8_t *out);
enum hello_refusal hello_read(const uint8_t *in, size_t len, struct hello *h);
enum hello_refusal hello_check_offer(const struct hello *h);
enum hello_refusal hello_check_streams(const struct hello *h, uint32_t streams);
enum hello_refusal hello_check_answer(const struct hello *h, const struct hello *offer);
const char *hello_words(unsigned int refusal);

/**
 * struct hello_failure - how a greeting failed
 * @refusal: what is wrong, enum hello_refusal; 0 when the peer refused
 * @theirs: the peer's refusal, 0 when it is ours
 * @got: bytes that came of the message
 * @version: of the peer
 * @wait_ns: time limit
 * @streams: connections that were wanted
 * @room: those that are taken
 */
struct hello_failure {
	unsigned int refusal;
	unsigned int theirs;
	size_t got;
	unsigned int version;
	uint64_t wait_ns;
	uint32_t streams;
	uint32_t room;
};

int hello_error(const struct hello_failure *f, struct diag_env *env);

#endif
