/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sender: one or several streams to one receiver, cut into whole pages. */
#ifndef SEND_H
#define SEND_H

#include <stdbool.h>
#include <stdint.h>

#include "report.h"
#include "source.h"

/* Exit status; the manual names these */
enum send_exit {
	SEND_OK = 0,
	SEND_FAILED = 1,
	SEND_USAGE = 2,
	SEND_NOT_READY = 3,
};

enum send_how {
	SEND_COPYING,	/* read, send */
	SEND_ZEROCOPY,	/* read, send without a copy: MSG_ZEROCOPY */
	SEND_SPLICED,	/* straight from the page cache: sendfile(2) */
};

/**
 * struct send_options - what the user asked for
 * @host: receiver
 * @port: its port, a number in text
 * @port_number: the same
 * @family: AF_INET, AF_INET6, AF_UNSPEC for what the name resolves to
 * @kind: what to send
 * @path: file to send
 * @how: how it gets to the socket
 * @bytes: end after that many of each stream, 0 for no limit
 * @time_ns: end after that time, 0 for no limit
 * @wait_ns: keep trying so long while nobody listens
 * @page: page size of the receiver
 * @record_pages: pages of a record
 * @pad: fill the last page with zeros
 * @streams: connections
 * @interval_ns: a line so often, 0 for none
 * @json: JSON lines as well
 * @pace: bytes a second that a stream may send, 0 for no limit
 * @hello_ns: agree on a geometry with the receiver, wait so long for each of its
 *	messages; 0 not to
 * @explain: say how the stream would be cut, and send nothing
 */
struct send_options {
	const char *host;
	const char *port;
	uint16_t port_number;
	int family;
	enum source_kind kind;
	const char *path;
	enum send_how how;
	uint64_t bytes;
	uint64_t time_ns;
	uint64_t wait_ns;
	uint32_t page;
	uint32_t record_pages;
	bool pad;
	uint32_t streams;
	uint64_t interval_ns;
	bool json;
	uint64_t pace;
	uint64_t hello_ns;
	bool explain;
};

enum send_exit send_run(const struct send_options *opt, struct report *report);

#endif
