// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * zc-life - how receivers end, and what is left of them:
 *
 *	zc-life -i eth0 -q 3 --addr 192.0.2.2 --peer 192.0.2.1 --pump FILE --orders 0/1 --rounds 20
 *
 * --orders K/N	ends in all orders (life-orders.c), one in N from the K-th on; 0/1 for all
 * --order NAME,...	a single one, such as 'kill -9,down'
 * --rounds N	N times the same end, of each kind, under traffic (life-rounds.c)
 * --kind NAME	only that kind of them, such as 'kill -9'
 * --noise KB	how much less memory may be free after rounds for other reasons
 * --slow N	let all take N times longer
 *
 * life-pump is at the peer, with the same FILE. The device and its settings belong to zc-life.
 * Prints TAP.
 */
#include "../tap.h"
#include "life-judge.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct options {
	struct life_place at;
	const char *order, *kind;
	unsigned int part, of;
};

static const struct option long_options[] = {
	LIFE_LONG_OPTIONS,
	{ "orders", required_argument, NULL, 'o' },
	{ "order", required_argument, NULL, 'O' },
	{ "rounds", required_argument, NULL, 'r' },
	{ "kind", required_argument, NULL, 'k' },
	{ "noise", required_argument, NULL, 'n' },
	{ "sleep", no_argument, NULL, 'S' },
	{ 0 },
};

static bool parse(int argc, char **argv, struct options *o, struct life *l)
{
	int c;

	while ((c = getopt_long(argc, argv, LIFE_SHORT_OPTIONS, long_options, NULL)) != -1) {
		switch (c) {
		case 'o':
			if (sscanf(optarg, "%u/%u", &o->part, &o->of) != 2 || o->part >= o->of)
				return false;
			break;
		case 'O':
			o->order = optarg;
			break;
		case 'r':
			l->rounds = (unsigned int)atoi(optarg);
			break;
		case 'k':
			o->kind = optarg;
			break;
		case 'n':
			l->noise_kb = atol(optarg);
			break;
		case 'S':	/* what a user becomes by exec(2) */
			for (;;)
				pause();
		default:
			if (!life_option(l, &o->at, c))
				return false;
		}
	}
	return optind == argc;
}

int main(int argc, char **argv)
{
	struct life l = { .slow = 1, .noise_kb = 2000, .ring = -1, .user.ctl = -1 };
	struct options o = { 0 };

	if (!parse(argc, argv, &o, &l)) {
		fprintf(stderr, "usage: zc-life -i INTERFACE -q QUEUE --addr ADDRESS --peer ADDRESS --pump FILE\n"
			"\t[--orders K/N] [--order NAME,...] [--rounds N] [--kind NAME] [--noise KB] [--slow N]\n");
		return 2;
	}
	if (life_open(&l, &o.at))
		tap_bail("%s", l.why);
	if (o.of)
		life_orders(&l, o.part, o.of);
	if (o.order && life_one_order(&l, o.order))
		tap_bail("no such order");
	if (l.rounds)
		life_rounds(&l, o.kind);
	return tap_done();
}
