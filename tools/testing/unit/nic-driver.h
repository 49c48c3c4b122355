/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A driver for the emulated device in user space: enough of what bnxt_en does
 * to probe and open it and to move packets, with every step reachable alone.
 * It reads what the device wrote the way a driver does: the valid bit first.
 */
#ifndef NIC_DRIVER_H
#define NIC_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../bnxt-emu/hsi.h"
#include "../../bnxt-emu/nic.h"

#define DRV_MEM_SIZE	(48u << 20)
#define DRV_IOVA	0x100000000ull
#define DRV_QUEUES	8
#define DRV_MAX_PAGES	32
#define DRV_MAX_ENTRIES	(DRV_MAX_PAGES * 256)
#define DRV_PKT_MAX	66000
#define DRV_MAX_AGGS	40
#define DRV_TPA_IDS	1024
#define DRV_TPA_SPARE	256	/* RX buffers that open aggregations may keep */
#define DRV_RX_QUEUE	512	/* packets that were received and not looked at */
#define DRV_TX_FRAMES	512	/* frames that went to the wire and were not looked at */
#define DRV_WIRE_MAX	70000

struct drv_opts {
	struct nic_config nic;
	unsigned int queues;	/* that are opened */
	unsigned int rss_queues;	/* how many of them the RSS table knows at first, 0: all */
	uint32_t tx_entries, rx_entries, agg_entries, cq_entries, nq_entries;
	uint32_t rx_buf, agg_buf;
	bool sop_pad, no_agg, vlan_strip;
	bool tables_depth0;	/* rings in one piece even if they have several pages */
	uint16_t mtu;
	uint32_t plc_flags;
	uint16_t jumbo_thresh, hds_thresh;
	uint32_t hash_type;
	uint32_t stat_period;	/* ms */
	uint32_t tpa_flags;	/* 0: no VNIC_TPA_CFG */
	uint16_t tpa_max_segs;	/* units of 4 */
	uint32_t tpa_min_len;
	uint32_t tx_area;	/* bytes for packets that are sent */
	bool quiet;		/* no traces: they take time */
};

struct drv_ring {
	uint16_t id;
	uint8_t type;
	uint32_t entries;
	uint32_t prod;		/* masked: TX, RX, AGG */
	uint32_t cons;		/* free running: CQ, NQ; masked: TX, RX, AGG */
	unsigned int n_pages;
	uint64_t page[DRV_MAX_PAGES];
};

/* A received packet, put together again */
struct drv_pkt {
	unsigned int queue;
	uint32_t len, in_rx, aggs, agg_len[DRV_MAX_AGGS];
	uint32_t placement, itype, flags2, errors, meta, hash, payload_off;
	bool error, hash_valid;
	bool tpa;			/* an aggregation; the rest tells about it */
	uint32_t agg_id, segs, seg_len, ts_word, hdr_info;
	uint8_t data[DRV_PKT_MAX];
};

struct drv_frame {
	struct virtio_net_hdr_v1 hdr;
	size_t len;
	uint8_t data[DRV_WIRE_MAX];
};

/* An aggregation that was announced and did not end yet */
struct drv_tpa {
	bool open;
	uint32_t buf;		/* number of the RX buffer */
	uint32_t opaque, end_opaque;
	struct drv_pkt pkt;
};

struct drv_queue {
	struct drv_ring nq, tx, rx, agg, rxcq, txcq;
	uint64_t rx_buf, agg_buf;	/* first of the buffers, one for each entry */
	uint64_t stats;
	uint32_t stat_ctx;
	uint32_t rx_next;		/* RX buffer whose completion has to come next */
	uint32_t agg_next;
	uint32_t rx_at[DRV_MAX_ENTRIES];	/* number of the buffer at each place */
	/* numbers of buffers in hand, used in turns */
	uint32_t rx_free[DRV_MAX_ENTRIES + DRV_TPA_SPARE], agg_free[DRV_MAX_ENTRIES];
	uint32_t rx_put, rx_got, agg_put, agg_got;
	bool agg_posted[DRV_MAX_ENTRIES];	/* which aggregation buffers the device has */
	struct drv_tpa *tpa[DRV_TPA_IDS];
	unsigned int tpa_open, tpa_most;
	uint32_t tx_done;		/* opaques are numbers that count up */
	uint32_t tx_sent;
	unsigned int hwrm_done;		/* HWRM_DONE completions that were seen */
	uint16_t hwrm_seq;
	bool hold;			/* do not give buffers back */
};

struct drv {
	struct drv_opts o;
	struct nic *nic;
	uint8_t *mem;
	uint64_t next;		/* offset of free memory */
	uint64_t req, resp;	/* addresses of the mailbox buffers */
	uint64_t tx_area;
	uint32_t tx_off;
	uint16_t seq;
	struct drv_queue q[DRV_QUEUES];
	uint16_t vnic, vnic2;
	uint16_t rss_ctx, rss_ctx2;
	uint64_t l2_filter;
	uint64_t rss_table, rss_key;
	unsigned int msix[32];
	unsigned int handled[32];
	unsigned int async_events;
	uint32_t async_data;
	struct hsi_entry async;	/* the last one, whole */

	struct drv_pkt *rx;	/* ring buffer of DRV_RX_QUEUE */
	unsigned int rx_head, rx_tail;
	struct drv_frame *tx;	/* ring buffer of DRV_TX_FRAMES */
	unsigned int tx_head, tx_tail;
	uint64_t wire_bytes, wire_frames;
	bool count_only;	/* do not keep frames of the wire */
	const char *broken;	/* first rule that the device broke */
	struct nic_dma_event last_payload, last_header;
	unsigned int dma_events;
	char last_trace[256];
};

struct drv_opts drv_defaults(void);
struct drv *drv_new(const struct drv_opts *o);
struct drv *drv_new_in(const struct drv_opts *o, uint8_t *mem);
struct drv *drv_renew(struct drv *d, const struct drv_opts *o);
void drv_free(struct drv *d);

uint64_t drv_alloc(struct drv *d, size_t size);
void *drv_ptr(struct drv *d, uint64_t iova);

/* Firmware commands; the caller set the type in @req. Return: error code, -1 for no answer. */
int drv_hwrm(struct drv *d, void *req, size_t len, void *resp, size_t resp_len);
int drv_hwrm_simple(struct drv *d, uint16_t op, void *resp, size_t resp_len);
int drv_hwrm_window(struct drv *d, uint16_t op, void *resp, size_t resp_len);

int drv_ring_alloc(struct drv *d, struct drv_ring *r, unsigned int type, uint32_t entries,
		   struct ring_alloc_req *q);
int drv_ring_free(struct drv *d, struct drv_ring *r, uint16_t cmpl_ring);
int drv_open(struct drv *d);
int drv_open_queue_rx(struct drv *d, unsigned int queue);
int drv_close(struct drv *d);
int drv_rss(struct drv *d, uint16_t vnic, uint16_t ctx, const uint8_t *queue_of, unsigned int n);
int drv_tpa(struct drv *d, uint32_t flags, uint16_t max_segs, uint16_t max_aggs, uint32_t min_len);
int drv_placement(struct drv *d, uint32_t flags, uint16_t jumbo, uint16_t hds);
int drv_ntuple(struct drv *d, struct ntuple_alloc_req *q, uint64_t *id);
int drv_filter_free(struct drv *d, uint16_t op, uint64_t id);

void *drv_entry(struct drv *d, const struct drv_ring *r, uint32_t index);
void drv_doorbell(struct drv *d, enum db_type type, uint16_t id, uint32_t index);
void drv_arm_cq(struct drv *d, struct drv_ring *cq);
void drv_arm_nq(struct drv *d, struct drv_ring *nq);
void drv_post_rx(struct drv *d, unsigned int queue, unsigned int n);
void drv_post_agg(struct drv *d, unsigned int queue, unsigned int n);

/* Reads what is there; return the number of entries taken */
unsigned int drv_read_nq(struct drv *d, unsigned int queue);
unsigned int drv_poll_rx(struct drv *d, unsigned int queue);
unsigned int drv_poll_tx(struct drv *d, unsigned int queue);
/* All of a NAPI poll: NQ, CQs, arm CQs, arm NQ */
void drv_napi(struct drv *d, unsigned int queue);
/* NAPI polls for all interrupts that are raised, until none is */
void drv_run(struct drv *d);

/* Sends a packet of n pieces; lflags as in the descriptor's extension */
struct drv_tx {
	const void *data;
	uint32_t len;
	uint32_t lflags, mss, meta;
	uint32_t piece;		/* bytes of each piece after the first */
	uint32_t first;		/* bytes of the first, 0: all */
	bool no_cmpl;
};

bool drv_send(struct drv *d, unsigned int queue, const struct drv_tx *t);

void drv_wire(struct drv *d, const void *frame, size_t len);
void drv_wire_hdr(struct drv *d, const struct virtio_net_hdr_v1 *hdr, const void *frame,
		  size_t len);
struct drv_pkt *drv_next_rx(struct drv *d);
struct drv_frame *drv_next_tx(struct drv *d);

#endif
