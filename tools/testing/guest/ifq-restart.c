// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ifq-restart IFACE QUEUE TIMES - bind a receive queue to a region and unbind it,
 * TIMES times, with io_uring's own zero copy receive: two restarts of that one queue
 * each. Prints how long the longest of each took.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backend.h"
#include "diag.h"

#define MS		((uint64_t)1000000)
/* The kernel unbinds behind the back of who closes the ring */
#define UNBIND_NS	(10000 * MS)

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 * MS + (uint64_t)ts.tv_nsec;
}

static void rest(void)
{
	const struct timespec ts = { .tv_nsec = MS };

	nanosleep(&ts, NULL);
}

/* Binds; as long as the last binding is not undone, tries again */
static int bind_queue(const struct zcrx_config *cfg, struct zcrx_backend **b,
		      struct zcrx_refusal *why, uint64_t *unbind_ns)
{
	uint64_t start = now_ns();
	int err;

	for (;;) {
		err = zcrx_upstream_ops.open(cfg, b, why);
		if (err != -EEXIST || now_ns() - start > UNBIND_NS)
			return err;
		rest();
		if (now_ns() - start > *unbind_ns)
			*unbind_ns = now_ns() - start;
	}
}

static int refused(const struct zcrx_config *cfg, const struct zcrx_refusal *why, uint64_t i)
{
	struct diag_env env = { .prog = "ifq-restart", .cfg = cfg, .why = why };
	struct diag_text text;

	fprintf(stderr, "ifq-restart: time %" PRIu64 ":\n", i);
	diag_explain(&env, &text);
	diag_print(&env, &text, stderr, 0);
	return 1;
}

int main(int argc, char **argv)
{
	struct zcrx_config cfg = {
		.region_size = 32 << 20,
		.rq_entries = 8192,
		.cq_entries = 256,
		.cpu = -1,
	};
	uint64_t times, i, open_ns = 0, unbind_ns = 0;
	struct zcrx_refusal why = { 0 };
	struct zcrx_backend *b;

	if (argc != 4) {
		fprintf(stderr, "usage: ifq-restart IFACE QUEUE TIMES\n");
		return 2;
	}
	cfg.iface = argv[1];
	cfg.queue = (uint32_t)strtoul(argv[2], NULL, 10);
	times = strtoul(argv[3], NULL, 10);
	for (i = 0; i < times; i++) {
		uint64_t start = now_ns();

		if (bind_queue(&cfg, &b, &why, &unbind_ns))
			return refused(&cfg, &why, i);
		if (now_ns() - start > open_ns)
			open_ns = now_ns() - start;
		zcrx_close(b);
	}
	printf("%" PRIu64 " times bound and unbound; the longest took %" PRIu64 " ms, of which %" PRIu64
	       " ms for the kernel to unbind\n", i, open_ns / MS, unbind_ns / MS);
	return 0;
}
