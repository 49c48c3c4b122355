/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The receiver: queues with a thread and a backend each, one kind of sink, until told to end. */
#ifndef RECV_H
#define RECV_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "backend.h"
#include "hash.h"
#include "queues.h"
#include "report.h"

/* Exit status; the manual names these */
enum recv_exit {
	RECV_OK = 0,
	RECV_FAILED = 1,
	RECV_USAGE = 2,
	RECV_NOT_READY = 3,
	RECV_NOT_ZERO_COPY = 4,
	RECV_WRONG_DATA = 5,
};

enum recv_sink {
	RECV_SINK_DISCARD,
	RECV_SINK_VERIFY,
	RECV_SINK_FILE,
	RECV_SINK_DIRECTORY,
};

/**
 * struct recv_options - what the user asked for
 * @cfg: interface, first queue, region of each queue, rings
 * @queues: all queues
 * @backend: the one to take, NULL for the best there is
 * @family: AF_INET, AF_INET6, AF_UNSPEC for both
 * @port: TCP port
 * @sink: where data goes
 * @path: file, "-" for standard output, or directory
 * @buffered: write the file without O_DIRECT
 * @hash: hash of each connection, NULL for none
 * @require: end with RECV_NOT_ZERO_COPY below @require_percent
 * @require_percent: least share of bytes received without a copy
 * @connections: end after that many, 0 for no limit
 * @bytes: end after that many, 0 for no limit
 * @time_ns: end so long after the first byte, 0 for no limit
 * @interval_ns: a line so often, 0 for none
 * @mss: TCP_MAXSEG, 0 to leave it
 * @page_mss: compute @mss for whole pages
 * @record_pages: count aligned records of that many pages, 0 not to
 * @hello_ns: agree on a geometry with each sender, wait so long for its answer; 0
 *	not to
 * @rcvbuf: SO_RCVBUF, 0 to let the kernel tune it
 * @json: JSON lines as well
 * @frags: file for the log of pieces, NULL for none
 */
struct recv_options {
	struct zcrx_config cfg;
	struct queue_list queues;
	const struct zcrx_backend_ops *backend;
	int family;
	uint16_t port;
	enum recv_sink sink;
	const char *path;
	bool buffered;
	const struct hash_ops *hash;
	bool require;
	double require_percent;
	uint64_t connections;
	uint64_t bytes;
	uint64_t time_ns;
	uint64_t interval_ns;
	uint32_t mss;
	bool page_mss;
	uint32_t record_pages;
	uint64_t hello_ns;
	uint32_t rcvbuf;
	bool json;
	const char *frags;
};

enum recv_exit recv_run(const struct recv_options *opt, struct report *report);

#endif
