/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vhost-user as a front end says it (QEMU docs/interop/vhost-user.rst), for tests.
 * Apart from the emulator's own numbers on purpose: a wrong one there is noticed.
 */
#ifndef VHOST_FRONT_H
#define VHOST_FRONT_H

#include <stdint.h>

enum {
	REQ_GET_FEATURES = 1,
	REQ_SET_FEATURES,
	REQ_SET_OWNER,
	REQ_RESET_OWNER,
	REQ_SET_MEM_TABLE,
	REQ_SET_LOG_BASE,
	REQ_SET_LOG_FD,
	REQ_SET_VRING_NUM,
	REQ_SET_VRING_ADDR,
	REQ_SET_VRING_BASE,
	REQ_GET_VRING_BASE,
	REQ_SET_VRING_KICK,
	REQ_SET_VRING_CALL,
	REQ_SET_VRING_ERR,
	REQ_GET_PROTOCOL,
	REQ_SET_PROTOCOL,
	REQ_GET_QUEUE_NUM,
	REQ_SET_VRING_ENABLE,
	REQ_SET_SLAVE_FD = 21,
};

#define VHOST_HEADER 12u /* bytes: request, flags, size of the payload */
#define VHOST_VERSION 1u
#define VHOST_NEED_REPLY 8u

/* Those that User Mode Linux wants: VIRTIO_F_VERSION_1 and protocol features; REPLY_ACK, SLAVE_REQ */
#define VHOST_FEATURES (1ull << 32 | 1ull << 30)
#define VHOST_PROTOCOL (1ull << 3 | 1ull << 5)

/* Payload of SET_VRING_ADDR, in the front end's addresses */
struct vhost_addr {
	uint32_t index, flags;
	uint64_t desc, used, avail, log;
};

/* One of those in SET_MEM_TABLE, behind their number (64 bits) */
struct vhost_region {
	uint64_t guest, size, user, offset;
};

#endif
