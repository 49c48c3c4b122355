/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The wire: where the device's frames go and come from. */
#ifndef BACKEND_H
#define BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>
#include <linux/virtio_net.h>

struct backend;

/**
 * struct backend_ops - what a back end tells its owner
 * @rx: a frame came in, with offloads that are left to do in @hdr
 * @rx_end: end of a burst of frames
 * @carrier: whether there is somebody at the other end. Until a back end says
 *	otherwise there is; NULL: the owner does not care
 * @tx_room: @room false: frames from now on may be lost, so better wait until
 *	it is true again; NULL: the owner cannot wait
 */
struct backend_ops {
	void (*rx)(void *host, const struct virtio_net_hdr_v1 *hdr, const uint8_t *frame,
		   size_t len);
	void (*rx_end)(void *host);
	void (*carrier)(void *host, bool up);
	void (*tx_room)(void *host, bool room);
};

/**
 * struct backend_class - what an owner asks of a back end
 * @tx: send a frame; it may be lost, as on any wire
 * @hold: keep frames back (@hold) or let them come again
 * @timers: do what is due at @now (CLOCK_MONOTONIC, ns); returns ns until the
 *	next, UINT64_MAX for none. NULL: no timers
 * @free: let go of the wire
 */
struct backend_class {
	void (*tx)(struct backend *be, const struct virtio_net_hdr_v1 *hdr, const struct iovec *iov,
		   int iovcnt);
	void (*hold)(struct backend *be, bool hold);
	uint64_t (*timers)(struct backend *be, uint64_t now);
	void (*free)(struct backend *be);
};

/**
 * struct backend_stats - counted by every back end
 */
struct backend_stats {
	uint64_t rx_frames, rx_bytes, rx_bad;
	uint64_t tx_frames, tx_bytes, tx_lost;
};

struct backend {
	const struct backend_class *class;
	struct backend_stats stats;
};

#endif
