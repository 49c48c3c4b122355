/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is this machine ready to receive without copies? One check after the other. */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "report.h"

/**
 * struct check_options - what is to be checked
 * @cfg: interface, queue, region, rings; no interface: only what needs none
 * @queues: all queues that are received from
 * @backend: as in struct recv_options, NULL for the best there is
 * @family: AF_INET, AF_INET6, AF_UNSPEC for both
 * @port: TCP port, 0 for any
 * @bind: bind the queues for real, one after the other, which may restart them or the NIC
 */
struct check_options {
	const struct zcrx_config *cfg;
	const struct queue_list *queues;
	const struct zcrx_backend_ops *backend;
	int family;
	uint16_t port;
	bool bind;
};

bool check_run(const struct check_options *opt, struct report *report);
void check_after(const struct check_options *opt, struct report *report, const char *said);

#endif
