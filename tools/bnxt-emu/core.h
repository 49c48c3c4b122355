/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of the device core: state and the functions its files offer each other.
 *
 *   nic.c      life cycle, registers, timers, flush
 *   hwrm*.c    firmware commands
 *   fw.c       the firmware's health, errors and resets
 *   phy.c      the port's link: speeds, pause, FEC, the module in the cage
 *   ring.c     rings, completions, arming, notifications
 *   coal.c     interrupt coalescing
 *   tx.c       from a doorbell to the wire
 *   rx.c       from the wire to a completion
 *   tpa.c      aggregates TCP segments on that way
 *   gso.c      cuts segments, for both directions
 *   steer.c    L2 filters, ntuple filters, RSS
 *   stats.c    counters
 *   describe.c what there is, in words; hwrm_trace.c: the same for commands
 *   parse.c csum.c toeplitz.c dma.c   what their names say
 *
 * Rules that hold everywhere: the guest's memory is looked up for each access
 * (a region may be gone), what is read from it is copied once and then
 * trusted no further than it was checked, and an index is masked before use.
 */
#ifndef CORE_H
#define CORE_H

#include <string.h>

#include "hsi.h"
#include "nic.h"
#include "parse.h"
#include "toeplitz.h"

#define MAX_RINGS		512	/* ids; far more than the resources that are announced */
#define MAX_RING_ENTRIES	(1u << 17)
#define MAX_VNICS		64
#define MAX_RSS_CTXS		128
#define VNIC_RSS_TABLES		4	/* RSS contexts of one VNIC: 256 ring pairs */
#define MAX_STAT_CTXS		128
#define MAX_L2_FILTERS		128
#define MAX_MC_ADDRS		64
#define TPA_MAX_AGGS		256	/* of one VNIC */
#define MAX_NTUPLE		512

#define MAX_REQ			256	/* longest request that is taken */
#define MAX_RESP		512

/* TCP flags, as in byte 13 of the header */
enum tcp_flag {
	TCP_FIN = 0x01, TCP_SYN = 0x02, TCP_RST = 0x04, TCP_PSH = 0x08, TCP_ACK = 0x10,
	TCP_URG = 0x20, TCP_ECE = 0x40, TCP_CWR = 0x80,
};

#define FRAME_MIN		60	/* without FCS */
#define HEAD_MAX		1024	/* longest header of a TSO frame: 9 bits of 16-bit units */
#define PARSE_MAX		256	/* as deep as the parser looks into other frames */
#define TX_MAX_BDS		32
#define BURST			4096	/* packets and frames of one flush, each way: the rest waits */

enum ring_state {
	RING_UNUSED = 0,
	RING_LIVE,
	RING_FAILED,		/* memory gone or contents senseless: ignored until it is freed */
};

/* When a completion queue may notify (RING_CMPL_RING_CFG_AGGINT_PARAMS) */
struct coal {
	uint32_t lat_min, lat_max;	/* ns */
	uint16_t num_cmpl;
	bool timer_reset;
	bool ring_idle;
	bool waiting;		/* has entries that nobody was told of */
	bool notified;		/* at least once */
	uint64_t since;		/* ns: when the wait began */
	uint64_t last;		/* ns: the last notification */
};

struct ring {
	uint8_t state;
	uint8_t type;		/* enum ring_type */
	bool queued;		/* on one of the nic's work lists */
	uint16_t id;
	uint16_t logical_id;
	uint32_t entries;	/* power of two */
	uint32_t prod; /* device's for CQ and NQ (free running), the driver's else (masked) */
	uint32_t cons;		/* likewise the other way round */
	unsigned int page_shift;
	unsigned int n_pages;
	uint64_t *page;		/* bus addresses */
	uint64_t serial;	/* age, to tell which ring was made first */
	uint64_t no_cq;		/* RX: the nic's ring_serial when a search for its CQ was in vain */

	bool armed;		/* CQ, NQ */
	uint16_t nq_id;		/* CQ */
	uint64_t cq_handle;	/* CQ: the driver's cookie for it */
	struct coal coal;	/* CQ */
	uint64_t late_until;	/* CQ: ns, its notification is put off by a fault; 0: it is not */
	uint16_t vector;	/* NQ */

	uint16_t cq_id;		/* TX; RX once a table named it, else HWRM_NO_ID */
	uint32_t stat_ctx;	/* TX, RX */
	bool stalled;		/* TX: waits for room in its CQ; CQ: such a ring exists */
	bool starved;		/* RX: the wire waits for its driver to post buffers */
	bool gave_up; /* RX: it waited too long, frames are dropped until the ring recovers */
	uint64_t starved_at;	/* RX */
	uint32_t most;		/* RX, AGG: most buffers that were ever posted at once */
	uint16_t agg_id;	/* RX */
	uint16_t rx_id;		/* AGG */
	uint32_t buf_size;	/* RX, AGG; 0: the descriptor tells */
	uint8_t sop_pad;	/* RX: bytes before the frame */
	uint16_t tpa_open;	/* RX: aggregations under way */
	uint32_t promised;	/* CQ: entries that open aggregations will need */
};

/* Aggregation as VNIC_TPA_CFG set it up for a VNIC */
struct tpa_config {
	uint32_t flags;		/* VNIC_TPA_*; without VNIC_TPA_TPA nothing is aggregated */
	uint16_t max_segs;	/* as the driver gave it: units of 4 */
	uint16_t max_aggs;
	uint32_t timer_us;	/* 0: what the device is set to */
	uint32_t min_len;	/* payload bytes that start an aggregation */
	unsigned int open;	/* aggregations under way */
};

struct vnic {
	bool used;
	bool vlan_strip;
	bool dropping;		/* VNIC_UPDATE state "drop" */
	uint16_t mru;		/* 0: takes nothing */
	uint16_t dflt_rx, dflt_cq;
	uint32_t rx_mask;
	unsigned int n_mc;
	uint8_t mc[MAX_MC_ADDRS][6];

	uint32_t plc_flags;
	uint16_t jumbo_thresh, hds_threshold;

	struct tpa_config tpa;

	uint32_t hash_type;	/* 0: RSS is off */
	unsigned int n_pairs;	/* filled entries of pair[] */
	struct rss_pair pair[VNIC_RSS_TABLES * RSS_TABLE_PAIRS];
	struct toeplitz toeplitz;
};

struct l2_filter {
	bool used;
	bool drop;
	uint16_t vnic;
	uint8_t addr[6], mask[6];
	uint16_t vlan, vlan_mask;
	bool count_vlans;	/* takes only frames that have @vlans tags */
	uint8_t vlans;
};

/* Filters of a kind, highest priority first */
struct filter_order {
	unsigned int n;
	uint16_t index[MAX_NTUPLE];
};

/* What ntuple filters compare; the order of the words is the order of the compares */
struct flow_key {
	uint64_t ports_proto;	/* src port << 48 | dst port << 32 | protocol << 8 | IP version */
	uint64_t src[2], dst[2];
	uint64_t src_mac;	/* low 6 bytes as in the frame */
};

struct ntuple {
	bool used;
	bool drop;
	bool any_l2;		/* does not care which L2 filter the frame matched */
	uint16_t l2_filter;
	uint16_t vnic;		/* HWRM_NO_ID: ring_idx is a queue of the function */
	uint16_t ring_idx;	/* HWRM_NO_ID: RSS of the VNIC */
	struct flow_key key, mask;
};

struct stat_ctx {
	bool used;
	uint64_t addr;
	uint32_t len;		/* bytes that are written to addr */
	uint64_t period;	/* ns, 0: never */
	uint64_t due;		/* ns */
	struct ctx_stats s;
};

struct port_stats {
	uint64_t tx[PORT_TX_COUNT], rx[PORT_RX_COUNT];
	uint64_t txx[PORT_TXX_COUNT], rxx[PORT_RXX_COUNT];
};

/* Numbers that FUNC_CFG reserves and FUNC_QCFG tells back */
struct resources {
	uint16_t rsscos, cmpl, tx, rx, l2, vnics, stat, grps, msix;
};

struct work_list {
	unsigned int n;
	uint16_t id[MAX_RINGS];
};

/* What the firmware does now */
enum fw_state {
	FW_READY,
	FW_LEAVING,		/* said that it resets, and waits for the driver to go */
	FW_CRASHED,		/* said that it resets, and does nothing more */
	FW_STUCK,		/* said nothing: the driver has to find out, and to reset the chip */
	FW_BOOTING,
};

struct fw {
	enum fw_state state;
	uint64_t until;		/* ns: end of LEAVING, CRASHED, BOOTING */
	uint64_t alive;		/* ns: time of the last heartbeat that shows */
	uint32_t resets, errors;
	uint32_t status;	/* as the health register shows it while not READY */
	bool reset_done;	/* FUNC_DRV_IF_CHANGE has to tell it to the driver */
	bool reset_allowed;	/* FUNC_CFG: other drivers may reset too */
	bool registered;
	bool recovery_told;	/* the driver knows that it is master of the recovery */
	uint32_t rgtr_flags;
	bool fwd_valid;
	uint32_t async_fwd[8];	/* events that the driver wants */
};

struct phy {
	bool cable;		/* plugged in */
	bool forced_down;	/* PORT_PHY_CFG */
	uint16_t partner;	/* speeds that the other end takes, a mask */
	uint8_t auto_mode, auto_pause, force_pause;
	uint16_t force_speed, auto_speeds;
	uint16_t fec;		/* PHY_FEC_* that are switched on */
	uint8_t lpbk;
	uint16_t speed;		/* of the link, 100 Mbit/s; 0: there is none */
	uint64_t train_until;	/* ns: new speed, no link until then; 0: not training */
};

/* An answer of the firmware that is held back, by a fault */
struct hwrm_held {
	bool there;
	struct hwrm_req_hdr req;
	uint16_t len, error;
	_Alignas(8) uint8_t resp[MAX_RESP];
};

struct nic {
	struct nic_config cfg;
	struct nic_host_ops ops;
	void *host;
	struct dma_map memory;	/* the guest's */
	struct dma_map dma;	/* what of it the function may reach */
	uint64_t now;		/* ns, as nic_run_timers() told last */
	uint32_t faults;	/* bits of enum nic_fault that are switched on */
	bool trace_doorbells;
	unsigned int tx_burst, rx_burst;	/* packets and frames since a flush ended */
	bool tx_paused;		/* the wire takes nothing now */

	uint8_t window[GRC_HWRM_WINDOW_SIZE];
	uint32_t grc_windows[GRC_WINDOWS_SIZE / 4];
	uint32_t db_low;	/* first half of a doorbell that comes in two writes */
	bool db_low_valid;
	struct hwrm_held held;

	struct resources max, reserved;
	uint8_t mac[6];
	uint16_t async_cr;	/* NQ for asynchronous events */
	struct fw fw;
	struct phy phy;
	uint8_t mac_lpbk;	/* PORT_MAC_CFG */
	bool looping;		/* the frame that is received now is one's own */
	uint8_t led_state[PORT_LEDS];

	struct ring ring[MAX_RINGS];
	unsigned int
		next_ring; /* where the search for a free id starts: ids are not reused at once */
	uint64_t ring_serial;	/* another number whenever a ring comes or goes */
	struct work_list cq_work, nq_work, tx_work;
	unsigned int n_starved;
	struct tpa *tpa;
	uint16_t rx_of_queue[NIC_MAX_QUEUES];	/* ring ids; a hint, checked at use */

	struct vnic vnic[MAX_VNICS];
	bool rss_ctx[MAX_RSS_CTXS];
	struct stat_ctx stat[MAX_STAT_CTXS];
	struct l2_filter l2[MAX_L2_FILTERS];
	struct filter_order l2_order;
	struct ntuple ntuple[MAX_NTUPLE];
	struct filter_order ntuple_order;
	struct port_stats port;

	uint8_t tx_head[HEAD_MAX + 8];	/* a frame's headers, with room for a tag in front */
	uint8_t seg_head[HEAD_MAX + 8];
	uint8_t rx_head[HEAD_MAX + 8];
};

/* trace */
void nic_trace(struct nic *nic, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#define TRACE(nic, ...) do { if ((nic)->ops.trace) nic_trace(nic, __VA_ARGS__); } while (0)

/* Asks the host whether a fault happens here and now; 0: no */
static inline uint64_t nic_fault(struct nic *nic, enum nic_fault fault)
{
	return nic->faults >> fault & 1 ? nic->ops.fault(nic->host, fault) : 0;
}

/* hwrm_trace.c */
void hwrm_describe(uint16_t op, const void *req, char *out, size_t size);

/* hwrm.c */
void hwrm_process(struct nic *nic);
void hwrm_init(struct nic *nic);
const char *hwrm_command(size_t i, uint16_t *op, uint16_t *req_len, uint16_t *resp_len);

/* One command: gets the request, zero-padded to MAX_REQ, fills the body of the answer. */
typedef enum hwrm_error hwrm_fn(struct nic *nic, const void *req, void *resp);

hwrm_fn hwrm_ver_get, hwrm_func_reset, hwrm_func_qcaps, hwrm_func_qcfg, hwrm_func_cfg,
	hwrm_func_resource_qcaps;
hwrm_fn hwrm_func_drv_rgtr, hwrm_func_drv_unrgtr, hwrm_func_drv_if_change, hwrm_accept,
	hwrm_queue_qportcfg, hwrm_adv_flow_qcaps;
hwrm_fn hwrm_error_recovery_qcfg, hwrm_fw_reset, hwrm_dbg_read_direct;
hwrm_fn hwrm_selftest_qlist, hwrm_selftest_exec, hwrm_selftest_irq;
hwrm_fn hwrm_nvm_get_dev_info, hwrm_nvm_get_dir_info, hwrm_nvm_get_dir_entries,
	hwrm_nvm_find_dir_entry, hwrm_nvm_read;
hwrm_fn hwrm_port_led_qcaps, hwrm_port_led_cfg, hwrm_port_mac_cfg, hwrm_port_phy_i2c_read;
hwrm_fn hwrm_port_phy_qcaps, hwrm_port_phy_qcfg, hwrm_port_phy_cfg, hwrm_port_qstats,
	hwrm_port_qstats_ext;
hwrm_fn hwrm_port_clr_stats;
hwrm_fn hwrm_ring_alloc, hwrm_ring_free;
hwrm_fn hwrm_ring_aggint_qcaps, hwrm_ring_aggint_cfg, hwrm_ring_qaggint;
hwrm_fn hwrm_stat_ctx_alloc, hwrm_stat_ctx_free, hwrm_stat_ctx_query, hwrm_stat_ctx_clr;
hwrm_fn hwrm_vnic_alloc, hwrm_vnic_free, hwrm_vnic_cfg, hwrm_vnic_qcaps, hwrm_vnic_update,
	hwrm_vnic_rss_cfg;
hwrm_fn hwrm_vnic_rss_qcfg, hwrm_vnic_plcmodes_cfg, hwrm_vnic_tpa_cfg, hwrm_vnic_tpa_qcfg, hwrm_rss_ctx_alloc,
	hwrm_rss_ctx_free;
hwrm_fn hwrm_l2_filter_alloc, hwrm_l2_filter_free, hwrm_l2_filter_cfg, hwrm_l2_set_rx_mask;
hwrm_fn hwrm_ntuple_alloc, hwrm_ntuple_free, hwrm_ntuple_cfg;

void nic_function_reset(struct nic *nic);
uint32_t nic_bar0_read32(const struct nic *nic, uint64_t off);
void nic_async_event(struct nic *nic, enum async_event id, uint32_t data1, uint32_t data2,
		     unsigned int min_wait, unsigned int max_wait);
void nic_wire_tx(struct nic *nic, const struct virtio_net_hdr_v1 *hdr, const struct iovec *iov,
		 int n);

/* Frames come back to where they went out from: the MAC's or the PHY's loopback */
static inline bool nic_loopback(const struct nic *nic)
{
	return nic->mac_lpbk || nic->phy.lpbk;
}

static inline bool nic_link_up(const struct nic *nic)
{
	return nic->phy.speed;
}

/* fw.c */
void fw_init(struct nic *nic);
void fw_driver_gone(struct nic *nic);
bool fw_listens(const struct nic *nic);
uint32_t fw_reg_read(const struct nic *nic, uint32_t addr);
void fw_reg_write(struct nic *nic, uint32_t addr, uint32_t val);
void fw_async_ready(struct nic *nic);
uint64_t fw_run_timers(struct nic *nic);

/* phy.c */
void phy_init(struct nic *nic);
void phy_defaults(struct nic *nic);
void phy_update(struct nic *nic);
uint64_t phy_run_timers(struct nic *nic);

/* ring.c */
struct ring *ring_get(struct nic *nic, unsigned int id, enum ring_type type);
struct ring *ring_new(struct nic *nic, enum ring_type type);
void ring_free(struct nic *nic, struct ring *r);
void ring_fail(struct nic *nic, struct ring *r, const char *why);
void *ring_entry(struct nic *nic, const struct ring *r, uint32_t index);
void ring_doorbell(struct nic *nic, uint64_t db);
bool cq_has_room(const struct ring *cq, unsigned int entries);
bool cq_write(struct nic *nic, struct ring *cq, unsigned int ahead, const struct hsi_entry *e);
void cq_commit(struct nic *nic, struct ring *cq, unsigned int entries);
bool cq_post(struct nic *nic, struct ring *cq, const struct hsi_entry *e);
bool nq_post(struct nic *nic, struct ring *nq, const struct hsi_entry *e);
void ring_post_hwrm_done(struct nic *nic, uint16_t ring_id, uint16_t seq);
void ring_notify(struct nic *nic);
uint64_t ring_run_timers(struct nic *nic);
struct ring *rx_ring_cq(struct nic *nic, struct ring *rx);
struct ring *rx_ring_of_queue(struct nic *nic, unsigned int queue);
const char *ring_type_name(unsigned int type);

/* Descriptors that the driver posted and the device did not take yet */
static inline uint32_t ring_pending(const struct ring *r)
{
	return (r->prod - r->cons) & (r->entries - 1);
}

void work_add(struct work_list *list, struct ring *r);

/* coal.c */
void coal_pending(struct nic *nic, struct ring *cq);
void coal_notified(struct nic *nic, struct ring *cq);
uint64_t coal_wait(const struct nic *nic, const struct ring *cq);

/* tx.c, rx.c */
void tx_run_all(struct nic *nic);
void rx_ring_refilled(struct nic *nic, struct ring *rx);
void rx_cq_drained(struct nic *nic, const struct ring *cq);
void rx_ring_gone(struct nic *nic, struct ring *rx);
uint64_t rx_run_timers(struct nic *nic);

/* tpa.c */
struct tpa *tpa_new(void);
void tpa_free(struct tpa *tpa);
void tpa_vnic_changed(struct nic *nic, const struct vnic *v);
void tpa_ring_gone(struct nic *nic, const struct ring *r);
uint64_t tpa_run_timers(struct nic *nic);

/* gso.c */
struct gso {
	const uint8_t *head;	/* headers of the large frame */
	const struct parsed *p;
	uint32_t payload;	/* bytes after the headers */
	uint32_t mss;
	uint32_t segs;
};

bool gso_init(struct gso *g, const uint8_t *head, const struct parsed *p, uint32_t payload,
	      uint32_t mss);
uint8_t gso_tcp_flags(const struct gso *g, uint32_t seg);
void gso_head(const struct gso *g, uint8_t *out, uint32_t seg, uint32_t len, uint32_t payload_sum);

/* steer.c */
enum rx_verdict { RX_DELIVER, RX_FILTER_MISS, RX_FILTER_DROP };

struct rx_target {
	struct vnic *vnic;
	struct ring *rx;	/* NULL: nobody to give it to */
	bool hash_valid;
	uint32_t hash;
};

enum rx_verdict steer(struct nic *nic, const uint8_t *frame, const struct parsed *p,
		      struct rx_target *to);
void steer_vnic_gone(struct nic *nic, unsigned int vnic);
void l2_insert(struct nic *nic, unsigned int index, enum filter_pri pri, int relative_to);
void l2_remove(struct nic *nic, unsigned int index);
void ntuple_insert(struct nic *nic, unsigned int index, enum filter_pri pri, int relative_to);
void ntuple_remove(struct nic *nic, unsigned int index);

/* stats.c */
enum cast { CAST_UNI, CAST_MULTI, CAST_BROAD };
enum cast frame_cast(const uint8_t *frame);
struct stat_ctx *stat_ctx(struct nic *nic, uint32_t id);
void stat_ctx_write(struct nic *nic, struct stat_ctx *ctx);
uint64_t stats_run_timers(struct nic *nic);
void stats_tx(struct nic *nic, struct stat_ctx *ctx, enum cast cast, bool tagged, uint32_t len,
	      uint32_t frames, uint64_t bytes);
void stats_tx_error(struct nic *nic, struct stat_ctx *ctx);
void stats_wire_rx(struct nic *nic, enum cast cast, bool tagged, uint32_t len);
void stats_rx(struct stat_ctx *ctx, enum cast cast, uint32_t len);
void stats_rx_discard(struct nic *nic, struct stat_ctx *ctx, uint32_t len);
void stats_rx_error(struct nic *nic, struct stat_ctx *ctx);

/* Stores that the guest polls on: everything before is visible before */
static inline void store32_release(void *p, uint32_t v)
{
	__atomic_thread_fence(__ATOMIC_RELEASE);
	memcpy(p, &v, sizeof(v));
	__asm__ volatile("" : : : "memory");
}

static inline uint16_t get_be16(const void *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap16(v);
}

static inline uint32_t get_be32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap32(v);
}

static inline void put_be16(void *p, uint16_t v)
{
	v = __builtin_bswap16(v);
	memcpy(p, &v, sizeof(v));
}

static inline void put_be32(void *p, uint32_t v)
{
	v = __builtin_bswap32(v);
	memcpy(p, &v, sizeof(v));
}

static inline uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#endif
