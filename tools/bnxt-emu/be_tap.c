// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Back end: a TAP device.
 *
 * Each frame travels with a virtio-net header (IFF_VNET_HDR), so that the host
 * leaves checksums and segmentation to the device and takes unsegmented frames
 * from it, as it would with a real NIC.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/if.h>
#include <linux/if_ether.h>
#include <linux/if_tun.h>

#include "be_tap.h"

/* newer than some headers: UDP segmentation offload */
#ifndef TUN_F_USO4
#define TUN_F_USO4	0x20
#define TUN_F_USO6	0x40
#endif

#define RX_BURST	64
#define TX_IOV		64
#define FRAME_MAX	(ETH_HLEN + 4 + 65535)

struct tap_queue {
	struct be_tap *tap;
	int fd;
};

struct be_tap {
	struct backend base;
	struct loop *loop;
	const struct backend_ops *ops;
	void *host;
	unsigned int queues;
	struct tap_queue queue[BE_TAP_MAX_QUEUES];
	bool held;
	struct {
		struct virtio_net_hdr_v1 hdr;
		uint8_t frame[FRAME_MAX];
	} rx;
};

static struct be_tap *to_tap(struct backend *be)
{
	return (struct be_tap *)be;
}

static void tap_readable(void *arg)
{
	struct tap_queue *q = arg;
	struct be_tap *tap = q->tap;
	struct iovec iov[2] = {
		{ .iov_base = &tap->rx.hdr, .iov_len = sizeof(tap->rx.hdr) },
		{ .iov_base = tap->rx.frame, .iov_len = sizeof(tap->rx.frame) },
	};

	for (int i = 0; i < RX_BURST && !tap->held; i++) {
		ssize_t n = readv(q->fd, iov, 2);

		if (n < 0)
			break;
		n -= sizeof(tap->rx.hdr);
		if (n < ETH_HLEN) {
			tap->base.stats.rx_bad++;
			continue;
		}
		tap->base.stats.rx_frames++;
		tap->base.stats.rx_bytes += n;
		tap->ops->rx(tap->host, &tap->rx.hdr, tap->rx.frame, n);
	}
	tap->ops->rx_end(tap->host);
}

/*
 * The frames of a flow stay on one queue, in their order: addresses and ports
 * choose it, as far as they lie in the first piece. The TAP answers on the queue
 * that a flow came from (drivers/net/tun.c).
 */
static int tx_queue(const struct be_tap *tap, const struct iovec *iov)
{
	const uint8_t *p = iov->iov_base;
	size_t from = ETH_HLEN + 12, to = ETH_HLEN + 24;	/* IPv4 */
	uint32_t hash = 0;

	if (tap->queues == 1)
		return tap->queue[0].fd;
	if (iov->iov_len > ETH_HLEN && p[12] == 0x86 && p[13] == 0xdd)
		from = ETH_HLEN + 8, to = ETH_HLEN + 44;	/* IPv6 */
	for (size_t i = from; i < to && i < iov->iov_len; i++)
		hash = hash * 31 + p[i];
	return tap->queue[(hash ^ hash >> 16) % tap->queues].fd;
}

static void tap_tx(struct backend *be, const struct virtio_net_hdr_v1 *hdr, const struct iovec *iov,
		   int iovcnt)
{
	struct be_tap *tap = to_tap(be);
	struct iovec all[TX_IOV];
	size_t len = 0;

	if (iovcnt < 1 || iovcnt >= TX_IOV) {
		be->stats.tx_lost++;
		return;
	}
	all[0] = (struct iovec){ .iov_base = (void *)hdr, .iov_len = sizeof(*hdr) };
	for (int i = 0; i < iovcnt; i++) {
		all[i + 1] = iov[i];
		len += iov[i].iov_len;
	}
	if (writev(tx_queue(tap, iov), all, iovcnt + 1) < 0) {
		be->stats.tx_lost++;
		return;
	}
	be->stats.tx_frames++;
	be->stats.tx_bytes += len;
}

static void tap_hold(struct backend *be, bool hold)
{
	struct be_tap *tap = to_tap(be);

	tap->held = hold;
	for (unsigned int i = 0; i < tap->queues; i++)
		loop_pause(tap->loop, tap->queue[i].fd, hold);
}

static void tap_free(struct backend *be)
{
	struct be_tap *tap = to_tap(be);

	for (unsigned int i = 0; i < tap->queues; i++) {
		loop_del(tap->loop, tap->queue[i].fd);
		close(tap->queue[i].fd);
	}
	free(tap);
}

static const struct backend_class tap_class = {
	.tx = tap_tx,
	.hold = tap_hold,
	.free = tap_free,
};

static int tap_open(const char *name, bool multi)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int fd, err;

	if (multi)
		ifr.ifr_flags |= IFF_MULTI_QUEUE;
	if (strlen(name) >= sizeof(ifr.ifr_name)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(ifr.ifr_name, name);
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (ioctl(fd, TUNSETIFF, &ifr)) {
		err = errno;
		close(fd);
		errno = err;
		return -1;
	}
	return fd;
}

static bool tap_setup(int fd, bool gso)
{
	unsigned int basic = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
	int hdr = sizeof(struct virtio_net_hdr_v1);
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) || ioctl(fd, TUNSETVNETHDRSZ, &hdr))
		return false;
	/* none at all: what comes is what would be on a cable, checksums and all */
	if (!gso)
		return !ioctl(fd, TUNSETOFFLOAD, 0);
	/* kernels before 6.2 know no UDP segmentation here */
	return !ioctl(fd, TUNSETOFFLOAD, basic | TUN_F_USO4 | TUN_F_USO6) ||
	       !ioctl(fd, TUNSETOFFLOAD, basic);
}

/* Adds a queue; false with errno set, then @fd is still the caller's */
static bool add_queue(struct be_tap *tap, int fd, bool gso)
{
	struct tap_queue *q = &tap->queue[tap->queues];

	*q = (struct tap_queue){ .tap = tap, .fd = fd };
	if (!tap_setup(fd, gso) || !loop_add(tap->loop, fd, tap_readable, q))
		return false;
	tap->queues++;
	return true;
}

/**
 * be_tap_new() - Attach to a TAP device
 * @loop: event loop
 * @cfg: which one
 * @ops: what to tell
 * @host: passed to @ops
 *
 * Return: the back end, NULL with errno set. cfg->fd then stays the caller's.
 */
struct backend *be_tap_new(struct loop *loop, const struct be_tap_config *cfg,
			   const struct backend_ops *ops, void *host)
{
	struct be_tap *tap = calloc(1, sizeof(*tap));
	unsigned int queues = cfg->fd >= 0 ? 1 : cfg->queues;
	int err;

	if (!tap)
		return NULL;
	tap->base.class = &tap_class;
	tap->loop = loop;
	tap->ops = ops;
	tap->host = host;
	while (tap->queues < queues) {
		int fd = cfg->fd >= 0 ? cfg->fd : tap_open(cfg->name, queues > 1);

		if (fd >= 0 && add_queue(tap, fd, cfg->gso))
			continue;
		err = errno;
		if (fd >= 0 && fd != cfg->fd)
			close(fd);
		tap_free(&tap->base);
		errno = err;
		return NULL;
	}
	return &tap->base;
}
