// SPDX-License-Identifier: GPL-2.0-or-later
#include "queues.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define TEXT_OF(x)	#x
#define DIGITS(x)	TEXT_OF(x)

static const char not_a_queue[] = "not a number from 0 to " DIGITS(QUEUES_LAST);

/* strtoull() takes signs and blanks; a queue has neither */
static bool take_number(const char **text, uint32_t *out)
{
	unsigned long long n;
	char *end;

	if (!isdigit((unsigned char)**text))
		return false;
	errno = 0;
	n = strtoull(*text, &end, 10);
	if (errno || n > QUEUES_LAST)
		return false;
	*out = (uint32_t)n;
	*text = end;
	return true;
}

static const char *add_range(struct queue_list *list, uint32_t first, uint32_t last)
{
	if (last < first)
		return "a range goes from the lower number to the higher";
	for (uint32_t queue = first; queue <= last; queue++) {
		if (queues_have(list, queue))
			return "a queue is named twice";
		if (list->n == QUEUES_MAX)
			return "more than " DIGITS(QUEUES_MAX) " queues";
		list->at[list->n++] = queue;
	}
	return NULL;
}

/**
 * queues_parse() - a list of queues that a user wrote
 * @text: numbers and ranges of them with commas in between: "7", "4-7", "2,3", "4-7,9"
 * @out: the list
 *
 * Return: NULL, or in words what is wrong.
 */
const char *queues_parse(const char *text, struct queue_list *out)
{
	bool more;

	out->n = 0;
	do {
		uint32_t first, last;
		const char *wrong;

		if (!take_number(&text, &first))
			return not_a_queue;
		last = first;
		if (*text == '-') {
			text++;
			if (!take_number(&text, &last))
				return not_a_queue;
		}
		wrong = add_range(out, first, last);
		if (wrong)
			return wrong;
		more = *text == ',';
		text += more;
	} while (more);
	return *text ? "not queues: numbers and ranges with commas in between, like 4-7,9" : NULL;
}

/**
 * queues_text() - a list in words
 * @list: the list
 * @buf: where to; QUEUES_TEXT bytes hold any
 * @size: of @buf
 *
 * Return: @buf: "7", "4-7", "2,3", as queues_parse() takes it.
 */
const char *queues_text(const struct queue_list *list, char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (uint32_t i = 0; i < list->n && used < size; i++) {
		uint32_t run = 0;
		int len;

		while (i + run + 1 < list->n && list->at[i + run + 1] == list->at[i] + run + 1)
			run++;
		len = snprintf(buf + used, size - used, "%s%" PRIu32, used ? "," : "", list->at[i]);
		used += (size_t)len;
		/* two in a row read better as two */
		if (run < 2 || used >= size)
			continue;
		i += run;
		used += (size_t)snprintf(buf + used, size - used, "-%" PRIu32, list->at[i]);
	}
	return buf;
}

/**
 * queues_have() - is a queue in the list?
 * @list: the list
 * @queue: the queue
 *
 * Return: whether.
 */
bool queues_have(const struct queue_list *list, uint32_t queue)
{
	for (uint32_t i = 0; i < list->n; i++)
		if (list->at[i] == queue)
			return true;
	return false;
}

/**
 * queues_owner() - find the queue that a flow comes by
 * @napis: NAPI instance that serves each queue of a list, 0 where that is not known
 * @n: how many
 * @napi: the one that the flow came by last, SO_INCOMING_NAPI_ID; 0 when it is not known
 * @at: gets the place of the queue in the list, if it is one of these. Where an instance
 *	serves several of them it is the first
 *
 * Return: see the enum. Not to be found among instances of which some are not known says
 * nothing.
 */
enum queue_owner queues_owner(const uint32_t *napis, uint32_t n, uint32_t napi, uint32_t *at)
{
	bool all = true;

	if (!napi)
		return QUEUE_UNKNOWN;
	for (uint32_t i = 0; i < n; i++) {
		if (napis[i] == napi) {
			*at = i;
			return QUEUE_OURS;
		}
		all &= napis[i] != 0;
	}
	return all && n ? QUEUE_ELSEWHERE : QUEUE_UNKNOWN;
}
