// SPDX-License-Identifier: GPL-2.0-or-later
/* Lists of queues that users write, and which queue a flow comes by. */
#include <string.h>

#include "../tap.h"
#include "queues.h"

static void test_lists(void)
{
	static const struct {
		const char *text;
		const char *wrong;	/* part of the message, NULL for a list that is right */
		uint32_t n;
		uint32_t first, last;
		const char *words;
	} cases[] = {
		{ "0", NULL, 1, 0, 0, "0" },
		{ "7", NULL, 1, 7, 7, "7" },
		{ "65535", NULL, 1, 65535, 65535, "65535" },
		{ "4-7", NULL, 4, 4, 7, "4-7" },
		{ "2,3", NULL, 2, 2, 3, "2,3" },
		{ "4-7,9", NULL, 5, 4, 9, "4-7,9" },
		{ "9,4-7", NULL, 5, 9, 7, "9,4-7" },
		{ "3,2,1", NULL, 3, 3, 1, "3,2,1" },
		{ "5-5", NULL, 1, 5, 5, "5" },
		{ "0-63", NULL, 64, 0, 63, "0-63" },
		{ "1,2,3", NULL, 3, 1, 3, "1-3" },
		{ "0-64", "more than 64" },
		{ "0-65535", "more than 64" },
		{ "7-4", "lower" },
		{ "4,5,4", "twice" },
		{ "4-7,5", "twice" },
		{ "65536", "from 0 to 65535" },
		{ "4-65536", "from 0 to 65535" },
		{ "99999999999999999999", "from 0 to 65535" },
		{ "", "from 0 to 65535" },
		{ "-1", "from 0 to 65535" },
		{ "+1", "from 0 to 65535" },
		{ " 1", "from 0 to 65535" },
		{ "x", "from 0 to 65535" },
		{ "4-", "from 0 to 65535" },
		{ "4,", "from 0 to 65535" },
		{ ",4", "from 0 to 65535" },
		{ "4,,5", "from 0 to 65535" },
		{ "4--7", "from 0 to 65535" },
		{ "4-7-9", "not queues" },
		{ "4 5", "not queues" },
		{ "4;5", "not queues" },
		{ "0x4", "not queues" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct queue_list list;
		const char *wrong = queues_parse(cases[i].text, &list);
		char words[QUEUES_TEXT];

		if (cases[i].wrong) {
			tap_ok(wrong && strstr(wrong, cases[i].wrong), "\"%s\" is refused: %s",
			   cases[i].text, cases[i].wrong);
			continue;
		}
		tap_ok(!wrong && list.n == cases[i].n && list.at[0] == cases[i].first &&
		   list.at[list.n - 1] == cases[i].last, "\"%s\" is a list", cases[i].text);
		tap_ok(!wrong && !strcmp(queues_text(&list, words, sizeof(words)), cases[i].words),
		   "\"%s\" in words", cases[i].text);
	}
}

static void test_words(void)
{
	struct queue_list list = { .n = QUEUES_MAX };
	char words[QUEUES_TEXT], few[8];

	for (uint32_t i = 0; i < QUEUES_MAX; i++)
		list.at[i] = 65535 - i;
	queues_text(&list, words, sizeof(words));
	tap_ok(strlen(words) == 6 * QUEUES_MAX - 1, "the longest list has room in QUEUES_TEXT");
	tap_ok(strlen(queues_text(&list, few, sizeof(few))) == sizeof(few) - 1, "less room: cut off");
	tap_ok(queues_have(&list, 65535) && queues_have(&list, 65535 - QUEUES_MAX + 1) &&
	   !queues_have(&list, 65535 - QUEUES_MAX), "what is in the list, and what is not");
	list.n = 0;
	tap_ok(!queues_text(&list, few, sizeof(few))[0], "no queue: no words");
}

static void test_owner(void)
{
	static const struct {
		const char *what;
		uint32_t napis[4];
		uint32_t n;
		uint32_t napi;
		enum queue_owner owner;
		uint32_t at;
	} cases[] = {
		{ "the first", { 8193, 8194, 8195, 8196 }, 4, 8193, QUEUE_OURS, 0 },
		{ "the last", { 8193, 8194, 8195, 8196 }, 4, 8196, QUEUE_OURS, 3 },
		{ "one of two that share an instance", { 8193, 8194, 8194, 8196 }, 4, 8194, QUEUE_OURS, 1 },
		{ "another queue", { 8193, 8194, 8195, 8196 }, 4, 8200, QUEUE_ELSEWHERE, 9 },
		{ "the kernel does not tell of the socket", { 8193, 8194 }, 2, 0, QUEUE_UNKNOWN, 9 },
		{ "nor of the queues", { 0, 0 }, 2, 8193, QUEUE_UNKNOWN, 9 },
		{ "nor of either", { 0, 0 }, 2, 0, QUEUE_UNKNOWN, 9 },
		{ "of some queues, and it is one of these", { 0, 8194 }, 2, 8194, QUEUE_OURS, 1 },
		{ "of some queues, and it is none of these", { 0, 8194 }, 2, 8195, QUEUE_UNKNOWN, 9 },
		{ "no queues", { 0 }, 0, 8195, QUEUE_UNKNOWN, 9 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t at = 9;
		enum queue_owner owner = queues_owner(cases[i].napis, cases[i].n, cases[i].napi, &at);

		tap_ok(owner == cases[i].owner && at == cases[i].at, "a flow: %s", cases[i].what);
	}
}

int main(void)
{
	test_lists();
	test_words();
	test_owner();
	return tap_done();
}
