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

#define NIC_MAX_QUEUES	32	/* MSI-X vectors of the tightest transport: MAX_MSI_VECTORS of virt-pci.c */

enum nic_bar { NIC_BAR_GRC = 0, NIC_BAR_DB = 2, NIC_BAR_MSIX = 4 };

/* BAR sizes in bytes; NIC_BAR_MSIX belongs to the PCI layer */
#define NIC_BAR_GRC_SIZE	0x10000u
#define NIC_BAR_DB_SIZE		0x20000u
#define NIC_BAR_MSIX_SIZE	0x10000u

/* Filter table generation that the firmware announces (CFA_ADV_FLOW_MGNT_QCAPS) */
enum nic_rfs { NIC_RFS_V2 = 2, NIC_RFS_V3 = 3 };

#define NIC_FW_MAJOR	230
#define NIC_HWRM_TIMEOUT_MS	500
#define NIC_FW_BOOT_MS		300
#define NIC_FW_LEAVE_MS		5000

/* How firmware fails, on demand */
enum nic_fw_fault {
	NIC_FW_NONFATAL,	/* it says so, answers until the driver has gone, and resets itself */
	NIC_FW_FATAL,		/* it says so, and resets itself without doing anything more */
	NIC_FW_SILENT,		/* its heartbeat stops; the driver has to see that and to reset it */
};

struct nic_config {
	uint8_t mac[6];
	unsigned int queues;		/* RX/TX pairs, 1..NIC_MAX_QUEUES */
	unsigned int rx_rings;		/* hardware receive rings, 0: two for each queue */
	unsigned int max_mtu;		/* bytes, IP MTU; 9500 on the real device */
	enum nic_rfs rfs;
	bool queue_restart;		/* announce VNIC RE_FLUSH */
	bool error_recovery;		/* the firmware can reset itself, and tells its health */
	unsigned int hwrm_timeout_ms;	/* what the driver is to wait for an answer, 0: NIC_HWRM_TIMEOUT_MS */
	unsigned int fw_boot_ms;	/* from a reset until the firmware answers, 0: NIC_FW_BOOT_MS */
	unsigned int fw_leave_ms;	/* how long a reset waits for the driver to unregister, 0: NIC_FW_LEAVE_MS */
	uint16_t fw_version[4];		/* major, minor, build, patch; major 0: NIC_FW_MAJOR.0.0.0 */
	bool wire_gso; /* the wire takes and gives frames larger than the MTU (see below) */
	bool rx_backpressure; /* nic_wire_ready() tells the back end to wait instead of dropping */
	bool coalesce;			/* interrupts, as the driver sets it; else one a burst */
	bool tpa;			/* aggregate TCP segments where the driver allows it */
	unsigned int tpa_timer_us;	/* longest life of an aggregation, if the driver names none */
	unsigned int hds_len_extra;	/* added to a frame's length before the HDS threshold compare (4 = FCS) */
};

/* Faults inside of the device; the host is asked at each chance that they have */
enum nic_fault {
	NIC_FAULT_RX_CRC,	/* a frame's completion tells of a CRC error */
	NIC_FAULT_RX_BUFFER,	/* a frame's completion tells of an error of its buffer */
	NIC_FAULT_RX_STARVE,	/* a queue looks as if it had no buffers when a frame comes */
	NIC_FAULT_RX_DMA,	/* a receive buffer is taken as outside of the guest's memory */
	NIC_FAULT_TX_DMA,	/* a packet's buffer is */
	NIC_FAULT_RX_DOORBELL,	/* buffers that were posted are not noticed */
	NIC_FAULT_TX_DOORBELL,	/* packets that were posted are not */
	NIC_FAULT_LATE,		/* a completion queue's notification comes later */
	NIC_FAULT_COUNT,
};

/* What happens to a firmware command */
enum nic_hwrm_fate {
	NIC_HWRM_FINE,
	NIC_HWRM_REFUSED,	/* not run, answered with an error code */
	NIC_HWRM_LOST,		/* not run, no answer */
	NIC_HWRM_MUTE,		/* run, no answer */
	NIC_HWRM_HELD,		/* run, answered when nic_hwrm_release() is called */
	NIC_HWRM_WRONG_SEQ,	/* answered as if it had been another request */
	NIC_HWRM_NOT_VALID,	/* the answer's valid byte is never set */
	NIC_HWRM_ZEROS,		/* success, all fields of the answer 0 */
	NIC_HWRM_ONES,		/* success, all bits of all fields set */
};

struct nic_hwrm_fault {
	enum nic_hwrm_fate fate;
	uint16_t error;		/* NIC_HWRM_REFUSED */
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
	/* Optional: each firmware request as it was fetched, @len bytes, before it is looked at */
	void (*request)(void *host, const void *req, size_t len);
	/* Optional: every DMA write of packet payload or header by the RX path */
	void (*dma_trace)(void *host, const struct nic_dma_event *ev);
	/*
	 * Asked for faults that nic_set_faults() switched on: 0 for not this time,
	 * else how long it lasts in ns, where that has a meaning
	 */
	uint64_t (*fault)(void *host, enum nic_fault fault);
	/* Optional: asked for each firmware command, by its name */
	struct nic_hwrm_fault (*hwrm_fault)(void *host, const char *name);
};

/* MSI-X vectors that the device can use: two a queue, since XDP makes more rings */
unsigned int nic_vectors(const struct nic_config *cfg);

struct nic *nic_new(const struct nic_config *cfg, const struct nic_host_ops *ops, void *host);
void nic_free(struct nic *nic);

/* Gives the answer that NIC_HWRM_HELD kept back, if the driver still waits for it */
void nic_hwrm_release(struct nic *nic);

/* Switches faults on, whose bits (1 << enum nic_fault) are in @mask, and all others off */
void nic_set_faults(struct nic *nic, uint32_t mask);

/* Whether there is a firmware command of this name, as the trace prints it */
bool nic_hwrm_known(const char *name);

/* Optional operations, NULL for off, that can change while the device runs */
void nic_set_trace(struct nic *nic, void (*trace)(void *host, const char *line), bool doorbells);
void nic_set_dma_trace(struct nic *nic, void (*fn)(void *host, const struct nic_dma_event *ev));

/*
 * The wire takes no more (@pause) or again: transmission waits so that nothing is
 * lost, as for pause frames
 */
void nic_wire_tx_pause(struct nic *nic, bool pause);

/* Whether a driver opened the device so far that frames can be delivered */
bool nic_receiving(const struct nic *nic);

/* What there is in words, a line at a time */
typedef void (*nic_line_fn)(void *arg, const char *line);
void nic_list_rings(struct nic *nic, nic_line_fn line, void *arg);
void nic_list_vnics(struct nic *nic, nic_line_fn line, void *arg);
void nic_list_filters(struct nic *nic, nic_line_fn line, void *arg);

/* All counters: those of the port, and of the queues' statistics contexts together */
typedef void (*nic_counter_fn)(void *arg, const char *name, uint64_t value);
void nic_counters(const struct nic *nic, nic_counter_fn fn, void *arg);

/* The guest's memory; the transport adds and removes regions */
struct dma_map *nic_dma(struct nic *nic);

/* What a PCI function level reset does: rings, filters, reservations go, pending work too */
void nic_reset(struct nic *nic);

/* The same, and the firmware begins anew */
void nic_power_cycle(struct nic *nic);

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

/*
 * False while frames had better wait: for the next nic_flush() after a long burst, and with
 * cfg.rx_backpressure for buffers
 */
bool nic_wire_ready(struct nic *nic);

/* Plugs the cable in (as it is at first) or out; the driver hears of it by an event */
void nic_set_link(struct nic *nic, bool up);

/*
 * The link partner takes only this speed, in Mbit/s, from now on; 0: all, as at first.
 * False if the port has no such speed.
 */
bool nic_set_speed(struct nic *nic, unsigned int mbps);

/* Makes the firmware fail. False if it cannot recover (cfg.error_recovery) or is failing already. */
bool nic_fw_error(struct nic *nic, enum nic_fw_fault fault);

/* Whether the function may access the guest's memory (PCI_COMMAND_MASTER); it may at first */
void nic_bus_master(struct nic *nic, bool on);

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
