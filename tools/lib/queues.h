/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Receive queues as a list, and which of them a flow comes by. */
#ifndef QUEUES_H
#define QUEUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A thread each: more than the processors of most machines */
#define QUEUES_MAX	64
/* Highest number of a queue that can be asked for */
#define QUEUES_LAST	65535
/* Room for a list in words: each has five digits and a comma */
#define QUEUES_TEXT	(6 * QUEUES_MAX)

/**
 * struct queue_list - receive queues, in the order in which they were named
 * @n: how many
 * @at: their numbers
 */
struct queue_list {
	uint32_t n;
	uint32_t at[QUEUES_MAX];
};

/* What is known of the queue that a flow comes by */
enum queue_owner {
	QUEUE_OURS,		/* it is one of the list */
	QUEUE_ELSEWHERE,	/* it is not */
	QUEUE_UNKNOWN,		/* kernel, NIC or driver do not tell */
};

const char *queues_parse(const char *text, struct queue_list *out);
const char *queues_text(const struct queue_list *list, char *buf, size_t size);
bool queues_have(const struct queue_list *list, uint32_t queue);
enum queue_owner queues_owner(const uint32_t *napis, uint32_t n, uint32_t napi, uint32_t *at);

#endif
