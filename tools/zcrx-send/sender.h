/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sender's state, and what it says about it. */
#ifndef SENDER_H
#define SENDER_H

#include <pthread.h>
#include <stdatomic.h>

#include "geometry.h"
#include "hello.h"
#include "net.h"
#include "send.h"
#include "zerocopy.h"

/**
 * struct reach - how the connection was made
 * @family: AF_INET or AF_INET6
 * @mtu: MTU of the path, 0 if it is not known
 * @name: address of the receiver
 */
struct reach {
	int family;
	int mtu;
	char name[NET_NAME];
};

/**
 * struct stream - one connection
 * @sender: whose it is
 * @thread: who feeds it
 * @fd: socket
 * @source: what it sends
 * @reach: how it was connected
 * @payload: payload of a full segment
 * @zc: sends without a copy
 * @cause: name of the diagnostic for those that were copied, NULL for none
 * @cause_env: values of its text
 * @sent: bytes so far; read by the thread that reports
 * @padding: zeros after the end of the source, which @sent counts, too
 * @before: TCP's account before the first byte of data
 * @info: TCP's own account at the end
 * @step: what failed
 * @err: errno of it, 0 if nothing did
 * @cut: stopped before its end
 */
struct stream {
	struct sender *sender;
	pthread_t thread;
	int fd;
	struct source source;
	struct reach reach;
	uint32_t payload;
	struct zerocopy zc;
	const char *cause;
	struct diag_env cause_env;
	uint64_t sent;
	uint32_t padding;
	struct tcp_info before;
	struct tcp_info info;
	enum zcrx_step step;
	int err;
	bool cut;
};

/**
 * struct sender - the sender
 * @opt: what the user asked for
 * @report: where to say things
 * @want: how it is to be cut
 * @offer: what the receiver offered, all 0 without a greeting
 * @streams: connections
 * @started: threads, of the first so many streams
 * @done: pipe: a byte for each stream that is done
 * @stop: becomes readable on SIGINT and SIGTERM
 * @moving: a line on the terminal is being moved on
 * @stopping: the streams are to end
 */
struct sender {
	const struct send_options *opt;
	struct report *report;
	struct geometry_want want;
	struct hello offer;
	struct stream *streams;
	uint32_t started;
	int done[2];
	int stop;
	bool moving;
	atomic_bool stopping;
};

void *stream_main(void *arg);

void say_refusal(const struct send_options *opt, struct report *report, enum zcrx_step step,
		 int err);
void say_failure(const struct send_options *opt, struct report *report, const char *name,
		 struct diag_env *env);
void say_unreadable(const struct send_options *opt, struct report *report, int err);
void say_start(struct sender *s);
void say_interval(struct sender *s, uint64_t at_ns, uint64_t bytes, uint64_t ns);
void say_no_more(struct sender *s);
void say_cut(struct sender *s);
void say_end(struct sender *s, const struct cpu_sample *used, bool complete);
uint64_t total_to_send(const struct sender *s);
uint64_t total_sent(const struct sender *s);

int connect_receiver(const struct send_options *opt, struct report *report, uint32_t page,
		     struct reach *how);
void reset_on_close(int fd, bool reset);
int open_streams(struct sender *s);
void close_streams(struct sender *s);

#endif
