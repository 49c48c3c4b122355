/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device core as transports, back ends and tests see it.
 *
 * The core is single threaded and never blocks: a transport calls it for each
 * access of the guest, a back end for each frame from the wire, the event loop
 * for its timers. It calls out through struct nic_host_ops, never re-entered
 * from there.
 */
#ifndef NIC_H
#define NIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>
#include <linux/virtio_net.h>

#include "dma.h"

#define NIC_MAX_QUEUES	30	/* MSI-X vectors that the tightest transport leaves */

enum nic_bar { NIC_BAR_GRC = 0, NIC_BAR_DB = 2, NIC_BAR_MSIX = 4 };

/* BAR sizes in bytes; NIC_BAR_MSIX belongs to the PCI layer */
#define NIC_BAR_GRC_SIZE	0x10000u
#define NIC_BAR_DB_SIZE		0x20000u
#define NIC_BAR_MSIX_SIZE	0x10000u

/* Filter table generation that the firmware announces (CFA_ADV_FLOW_MGNT_QCAPS) */
enum nic_rfs { NIC_RFS_V2 = 2, NIC_RFS_V3 = 3 };

struct nic_config {
	uint8_t mac[6];
	unsigned int queues;		/* RX/TX pairs, 1..NIC_MAX_QUEUES */
	unsigned int max_mtu;		/* bytes, IP MTU; 9500 on the real device */
	enum nic_rfs rfs;
	bool queue_restart;		/* announce VNIC RE_FLUSH */
	bool wire_gso; /* the wire takes and gives frames larger than the MTU (see below) */
	bool rx_backpressure; /* nic_wire_ready() tells the back end to wait instead of dropping */
	unsigned int hds_len_extra;	/* added to a frame's length before the HDS threshold compare (4 = FCS) */
};

struct nic;

struct nic_host_ops {
	/* Raise MSI-X vector @vector. Masking and pending bits are the PCI layer's. */
	void (*msix)(void *host, unsigned int vector);
	/*
	 * A frame for the wire. @hdr tells offloads left to the wire and is all
	 * zero (VIRTIO_NET_HDR_GSO_NONE) unless cfg.wire_gso. The frame's bytes are
	 * valid during the call only.
	 */
	void (*wire_tx)(void *host, const struct virtio_net_hdr_v1 *hdr,
			const struct iovec *iov, int iovcnt);
	/* Optional: one line a HWRM command, filter or ring event, without newline */
	void (*trace)(void *host, const char *line);
	/* Optional: every DMA write of packet payload or header by the RX path */
	void (*dma_trace)(void *host, const struct nic_dma_event *ev);
};

/* MSI-X vectors that the device can use: two a queue, since XDP makes more rings */
unsigned int nic_vectors(const struct nic_config *cfg);

struct nic *nic_new(const struct nic_config *cfg, const struct nic_host_ops *ops, void *host);
void nic_free(struct nic *nic);

/* The guest's memory; the transport adds and removes regions */
struct dma_map *nic_dma(struct nic *nic);

/* What a PCI function level reset does: rings, filters, reservations go, pending work too */
void nic_reset(struct nic *nic);

/* Access of @size (1, 2, 4, 8) bytes at @off of a BAR. Out of range reads give all ones. */
uint64_t nic_mmio_read(struct nic *nic, enum nic_bar bar, uint64_t off, unsigned int size);
void nic_mmio_write(struct nic *nic, enum nic_bar bar, uint64_t off, unsigned int size,
		    uint64_t val);

/*
 * A frame from the wire, without FCS. @hdr as of a TAP with IFF_VNET_HDR: with
 * NEEDS_CSUM the core completes the checksum, with a GSO type it cuts the frame
 * into segments of gso_size first, as the sender's NIC would have done.
 */
void nic_wire_rx(struct nic *nic, const struct virtio_net_hdr_v1 *hdr, const uint8_t *frame,
		 size_t len);

/* False while cfg.rx_backpressure asks the back end to keep frames for later */
bool nic_wire_ready(struct nic *nic);

/* Plugs the cable in (as it is at first) or out; the driver hears of it by an event */
void nic_set_link(struct nic *nic, bool up);

/*
 * End of a burst of accesses or frames: posts the notifications that were held
 * back so that one interrupt serves a burst.
 */
void nic_flush(struct nic *nic);

/*
 * Timers: runs what is due at @now_ns (CLOCK_MONOTONIC), returns ns until the
 * next, UINT64_MAX for none
 */
uint64_t nic_run_timers(struct nic *nic, uint64_t now_ns);

#endif
