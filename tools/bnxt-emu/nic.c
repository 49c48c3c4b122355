// SPDX-License-Identifier: GPL-2.0-or-later
/* Life cycle of the device, its registers, timers, and the end of a burst. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core.h"

/**
 * nic_trace - give the host a line of trace
 * @nic: device
 * @fmt: printf format of one line, without newline
 */
void nic_trace(struct nic *nic, const char *fmt, ...)
{
	char line[256];
	va_list ap;

	if (!nic->ops.trace)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	nic->ops.trace(nic->host, line);
}

/**
 * nic_vectors - interrupts of a device
 * @cfg: its configuration
 *
 * Return: number of MSI-X vectors that the PCI layer should have.
 */
unsigned int nic_vectors(const struct nic_config *cfg)
{
	return min_u32(2 * cfg->queues, NIC_MAX_QUEUES);
}

/**
 * nic_new - make a device
 * @cfg: what it shall be, copied
 * @ops: how it reaches the outside, copied; msix and wire_tx are required
 * @host: argument of the ops
 *
 * Return: the device, NULL if the configuration is out of range or
 * memory is short.
 */
struct nic *nic_new(const struct nic_config *cfg, const struct nic_host_ops *ops, void *host)
{
	struct nic *nic;

	if (cfg->queues < 1 || cfg->queues > NIC_MAX_QUEUES || !ops->msix || !ops->wire_tx)
		return NULL;
	if (cfg->max_mtu < 68 || cfg->max_mtu > 9500 ||
	    (cfg->rfs != NIC_RFS_V2 && cfg->rfs != NIC_RFS_V3))
		return NULL;
	nic = calloc(1, sizeof(*nic));
	if (!nic)
		return NULL;
	nic->cfg = *cfg;
	nic->ops = *ops;
	nic->host = host;
	if (!nic->cfg.fw_version[0])
		nic->cfg.fw_version[0] = NIC_FW_MAJOR;
	if (!nic->cfg.hwrm_timeout_ms)
		nic->cfg.hwrm_timeout_ms = NIC_HWRM_TIMEOUT_MS;
	if (!nic->cfg.fw_boot_ms)
		nic->cfg.fw_boot_ms = NIC_FW_BOOT_MS;
	if (!nic->cfg.fw_leave_ms)
		nic->cfg.fw_leave_ms = NIC_FW_LEAVE_MS;
	nic->tpa = tpa_new();
	if (!nic->tpa) {
		free(nic);
		return NULL;
	}
	nic->dma.of = &nic->memory;
	fw_init(nic);
	phy_init(nic);
	hwrm_init(nic);
	nic_function_reset(nic);
	return nic;
}

/**
 * nic_free - end a device
 * @nic: device or NULL
 */
void nic_free(struct nic *nic)
{
	if (!nic)
		return;
	nic_function_reset(nic);
	tpa_free(nic->tpa);
	free(nic);
}

/**
 * nic_set_faults - choose the faults that can happen
 * @nic: device
 * @mask: bits of enum nic_fault; needs ops.fault unless 0
 */
void nic_set_faults(struct nic *nic, uint32_t mask)
{
	nic->faults = nic->ops.fault ? mask : 0;
}

/**
 * nic_set_trace - switch the trace on or off
 * @nic: device
 * @trace: gets the lines, NULL for off
 * @doorbells: a line for each doorbell, too
 */
void nic_set_trace(struct nic *nic, void (*trace)(void *host, const char *line), bool doorbells)
{
	nic->ops.trace = trace;
	nic->trace_doorbells = doorbells;
}

/**
 * nic_set_dma_trace - switch the trace of receive DMA on or off
 * @nic: device
 * @fn: gets the events, NULL for off
 */
void nic_set_dma_trace(struct nic *nic, void (*fn)(void *host, const struct nic_dma_event *ev))
{
	nic->ops.dma_trace = fn;
}

/**
 * nic_wire_tx_pause - keep packets in their rings for a while
 * @nic: device
 * @pause: true until the wire takes frames again
 */
void nic_wire_tx_pause(struct nic *nic, bool pause)
{
	nic->tx_paused = pause;
}

/**
 * nic_receiving - whether a driver opened the device
 * @nic: device
 *
 * Return: true when some VNIC takes frames.
 */
bool nic_receiving(const struct nic *nic)
{
	for (unsigned int i = 0; i < MAX_VNICS; i++)
		if (nic->vnic[i].used && nic->vnic[i].mru && nic->vnic[i].rx_mask)
			return true;
	return false;
}

/**
 * nic_dma - the guest's memory
 * @nic: device
 *
 * Return: map that the transport keeps.
 */
struct dma_map *nic_dma(struct nic *nic)
{
	return &nic->memory;
}

/**
 * nic_function_reset - give back all that the driver allocated
 * @nic: device; counters of the port stay
 */
void nic_function_reset(struct nic *nic)
{
	nic->held.there = false;
	for (unsigned int i = 0; i < MAX_RINGS; i++) {
		nic->ring[i].id = i;
		if (nic->ring[i].state != RING_UNUSED)
			ring_free(nic, &nic->ring[i]);
	}
	memset(nic->vnic, 0, sizeof(nic->vnic));
	memset(nic->rss_ctx, 0, sizeof(nic->rss_ctx));
	memset(nic->stat, 0, sizeof(nic->stat));
	memset(nic->l2, 0, sizeof(nic->l2));
	memset(nic->ntuple, 0, sizeof(nic->ntuple));
	memset(&nic->reserved, 0, sizeof(nic->reserved));
	memcpy(nic->mac, nic->cfg.mac, sizeof(nic->mac));
	nic->l2_order.n = 0;
	nic->ntuple_order.n = 0;
	nic->async_cr = HWRM_NO_ID;
	/* the port belongs to this function alone */
	nic->mac_lpbk = LPBK_NONE;
	phy_defaults(nic);
}

/**
 * nic_reset - function level reset
 * @nic: device; the map of the guest's memory stays
 *
 * The firmware is the chip's: what it is about it goes on with.
 */
void nic_reset(struct nic *nic)
{
	nic_function_reset(nic);
	fw_driver_gone(nic);
	memset(nic->window, 0, sizeof(nic->window));
	memset(nic->grc_windows, 0, sizeof(nic->grc_windows));
	nic->db_low_valid = false;
	TRACE(nic, "function level reset");
}

/**
 * nic_power_cycle - off and on
 * @nic: device; the map of the guest's memory stays
 */
void nic_power_cycle(struct nic *nic)
{
	nic_reset(nic);
	fw_init(nic);
}

static bool in_bar(enum nic_bar bar, uint64_t off, unsigned int size)
{
	uint64_t len = bar == NIC_BAR_GRC ? NIC_BAR_GRC_SIZE :
		       bar == NIC_BAR_DB  ? NIC_BAR_DB_SIZE :
					    0;

	return size && size <= 8 && !(size & (size - 1)) && off < len && size <= len - off;
}

/* Address in GRC space that a window of BAR 0 shows at @off */
static uint32_t grc_address(const struct nic *nic, uint64_t off)
{
	uint32_t base = nic->grc_windows[off / GRC_WINDOW_SIZE - 1];

	return (base & ~(GRC_WINDOW_SIZE - 1)) | (off & (GRC_WINDOW_SIZE - 1));
}

/**
 * nic_bar0_read32 - a register of BAR 0
 * @nic: device
 * @off: its offset, a multiple of 4
 *
 * Return: its value, 0 if there is none.
 */
uint32_t nic_bar0_read32(const struct nic *nic, uint64_t off)
{
	uint32_t v = 0;

	if (off < GRC_HWRM_WINDOW + GRC_HWRM_WINDOW_SIZE)
		memcpy(&v, nic->window + off, sizeof(v));
	else if (off >= GRC_WINDOWS && off < GRC_WINDOWS + GRC_WINDOWS_SIZE)
		v = nic->grc_windows[(off - GRC_WINDOWS) / 4];
	else if (off == GRC_FW_STATUS)
		v = nic->fw.state == FW_READY ? FW_STATUS_READY : nic->fw.status;
	else if (off >= GRC_WINDOW_SIZE && off < (GRC_WINDOW_COUNT + 1) * GRC_WINDOW_SIZE)
		v = fw_reg_read(nic, grc_address(nic, off));
	return v;
}

/**
 * nic_mmio_read - a read of the guest
 * @nic: device
 * @bar: which BAR
 * @off: offset in it
 * @size: bytes: 1, 2, 4 or 8
 *
 * Return: the value, all ones if out of range.
 */
uint64_t nic_mmio_read(struct nic *nic, enum nic_bar bar, uint64_t off, unsigned int size)
{
	uint64_t v;

	if (!in_bar(bar, off, size) || off & (size - 1))
		return ~0ull;
	if (bar != NIC_BAR_GRC)
		return 0;	/* doorbells cannot be read */
	v = nic_bar0_read32(nic, off & ~3ull);
	if (size == 8)
		return v | (uint64_t)nic_bar0_read32(nic, off + 4) << 32;
	return v >> (off & 3) * 8 & ((1ull << size * 8) - 1);
}

static void grc_write(struct nic *nic, uint64_t off, unsigned int size, uint64_t val)
{
	if (off + size <= GRC_HWRM_WINDOW + GRC_HWRM_WINDOW_SIZE) {
		memcpy(nic->window + off, &val, size);
	} else if (off == GRC_HWRM_TRIGGER) {
		/* what the doorbells before it asked for comes first, as far as the burst goes */
		tx_run_all(nic);
		hwrm_process(nic);
	} else if (off >= GRC_WINDOWS && off < GRC_WINDOWS + GRC_WINDOWS_SIZE && size == 4) {
		nic->grc_windows[(off - GRC_WINDOWS) / 4] = val;
	} else if (off >= GRC_WINDOW_SIZE && size == 4 &&
		   off < (GRC_WINDOW_COUNT + 1) * GRC_WINDOW_SIZE) {
		fw_reg_write(nic, grc_address(nic, off), val);
	}
}

/* Hosts without a 64-bit store write the low half first, the high half then rings */
static void db_write(struct nic *nic, uint64_t off, unsigned int size, uint64_t val)
{
	if (off == DB_PF && size == 8) {
		ring_doorbell(nic, val);
	} else if (off == DB_PF && size == 4) {
		nic->db_low = val;
		nic->db_low_valid = true;
	} else if (off == DB_PF + 4 && size == 4 && nic->db_low_valid) {
		nic->db_low_valid = false;
		ring_doorbell(nic, val << 32 | nic->db_low);
	}
}

/**
 * nic_mmio_write - a write of the guest
 * @nic: device
 * @bar: which BAR
 * @off: offset in it; out of range or unaligned writes are ignored
 * @size: bytes: 1, 2, 4 or 8
 * @val: value
 */
void nic_mmio_write(struct nic *nic, enum nic_bar bar, uint64_t off, unsigned int size,
		    uint64_t val)
{
	if (!in_bar(bar, off, size) || off & (size - 1))
		return;
	if (bar == NIC_BAR_GRC)
		grc_write(nic, off, size, val);
	else
		db_write(nic, off, size, val);
}

/**
 * nic_flush - end of a burst
 * @nic: device
 */
void nic_flush(struct nic *nic)
{
	tx_run_all(nic);
	ring_notify(nic);
	nic->tx_burst = 0;
	nic->rx_burst = 0;
}

/**
 * nic_run_timers - let time pass
 * @nic: device
 * @now_ns: current time, monotonic
 *
 * Return: ns until there is something to do again, UINT64_MAX for never.
 */
uint64_t nic_run_timers(struct nic *nic, uint64_t now_ns)
{
	uint64_t next = UINT64_MAX, due;
	static uint64_t (*const timers[])(struct nic *nic) = {
		fw_run_timers, phy_run_timers, stats_run_timers, rx_run_timers,
		tpa_run_timers, ring_run_timers,
	};

	nic->now = now_ns;
	for (size_t i = 0; i < ARRAY_SIZE(timers); i++) {
		due = timers[i](nic);
		if (due < next)
			next = due;
	}
	/* nic_flush() has more to send than it sends at once */
	return nic->tx_work.n && !nic->tx_paused ? 0 : next;
}

/**
 * nic_async_event - tell the driver something that it did not ask for
 * @nic: device
 * @id: what
 * @data1: event_data1
 * @data2: event_data2
 * @min_wait: RESET_NOTIFY: least time until the firmware is back, 100 ms
 * @max_wait: RESET_NOTIFY: most time
 */
void nic_async_event(struct nic *nic, enum async_event id, uint32_t data1, uint32_t data2,
		     unsigned int min_wait, unsigned int max_wait)
{
	struct hsi_entry e = { .dw = { CMP_ASYNC_EVENT | (uint32_t)id << 16, data2,
				       min_wait << 8 | max_wait << 16, data1 } };
	struct ring *nq = ring_get(nic, nic->async_cr, RING_NQ);
	bool wanted = !nic->fw.fwd_valid || nic->fw.async_fwd[id / 32] & 1u << id % 32;

	TRACE(nic, "event %#x, data %#x %#x%s", id, data1, data2,
	      !nq ? " (no ring for it)" : !wanted ? " (not wanted)" : "");
	if (nq && wanted)
		nq_post(nic, nq, &e);
}

/**
 * nic_bus_master - lets the function access memory, or forbids it
 * @nic: device
 * @on: PCI_COMMAND_MASTER
 */
void nic_bus_master(struct nic *nic, bool on)
{
	nic->dma.off = !on;
}

/* Longest frame that comes back: as long as a wire gives them */
#define LOOP_MAX	65600u

/**
 * nic_wire_tx - send a frame
 * @nic: device
 * @hdr: offloads that are left to the wire
 * @iov: its bytes
 * @n: entries of @iov
 *
 * In loopback it comes back as if it had been received, and nothing else does.
 */
void nic_wire_tx(struct nic *nic, const struct virtio_net_hdr_v1 *hdr, const struct iovec *iov,
		 int n)
{
	uint8_t *frame;
	size_t len = 0;

	if (!nic_loopback(nic)) {
		nic->ops.wire_tx(nic->host, hdr, iov, n);
		return;
	}
	frame = malloc(LOOP_MAX);
	if (!frame)
		return;
	for (int i = 0; i < n && iov[i].iov_len <= LOOP_MAX - len; i++) {
		memcpy(frame + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	nic->looping = true;
	nic_wire_rx(nic, hdr, frame, len);
	nic->looping = false;
	free(frame);
}
