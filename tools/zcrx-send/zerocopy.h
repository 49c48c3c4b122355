/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sending without a copy (MSG_ZEROCOPY): what was sent belongs to the kernel
 * until it says so on the socket's error queue, where it also says whether it
 * copied after all.
 */
#ifndef ZEROCOPY_H
#define ZEROCOPY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "diag.h"
#include "net.h"

/* A MiB each: as many as keep 10 Gbit/s busy over 6 ms */
#define ZEROCOPY_BUFS	8

/**
 * struct zerocopy_buf - memory that is filled, sent, and waited for
 * @mem: the memory
 * @first: number of the first send from it
 * @sends: sends from it
 * @open: of these, not completed
 */
struct zerocopy_buf {
	uint8_t *mem;
	uint32_t first;
	uint32_t sends;
	uint32_t open;
};

/**
 * struct zerocopy - the state of a stream
 * @fd: socket
 * @stopping: whether the stream is to end
 * @iface: interface that has our address, empty when that is not known
 * @local: the receiver is this host
 * @size: bytes of a buffer
 * @bufs: buffers, in turn
 * @next: the one whose turn it is
 * @now: the one in use
 * @sends: sends so far, the number of the next one (modulo 2^32, as the kernel counts)
 * @open: of these, not completed
 * @copied: of these, the kernel copied all the same
 * @refused: sends that the kernel did not take without a copy, for want of memory that may
 *	be pinned
 */
struct zerocopy {
	int fd;
	const atomic_bool *stopping;
	char iface[IF_NAMESIZE];
	bool local;
	size_t size;
	struct zerocopy_buf bufs[ZEROCOPY_BUFS];
	unsigned int next;
	struct zerocopy_buf *now;
	uint64_t sends;
	uint64_t open;
	uint64_t copied;
	uint64_t refused;
};

int zerocopy_open(struct zerocopy *z, int fd, const atomic_bool *stopping, size_t size);
uint8_t *zerocopy_buffer(struct zerocopy *z, int *err);
int zerocopy_sent(struct zerocopy *z, int64_t ret);
int zerocopy_reap(struct zerocopy *z, bool wait);
void zerocopy_close(struct zerocopy *z);
const char *zerocopy_cause(const struct zerocopy *z, struct diag_env *env);

#endif
