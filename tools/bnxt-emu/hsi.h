/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Layouts and numbers of the BCM575xx host software interface, as far as the
 * model uses them: HWRM commands (interface 1.10.2), descriptors, completions,
 * doorbells. Field names are those of the HWRM specification; reserved or
 * unused bytes are named _rN.
 *
 * Everything is little endian and is copied out of and into guest memory as a
 * whole, so the model runs on little endian hosts only.
 */
#ifndef HSI_H
#define HSI_H

#include <stddef.h>
#include <stdint.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the model needs a little endian host");

#define HSI_SIZE(type, size) \
	_Static_assert(sizeof(struct type) == (size), "size of " #type)
#define HSI_AT(type, field, off) \
	_Static_assert(offsetof(struct type, field) == (off), #type "." #field)

/* BAR 0 */
#define GRC_HWRM_WINDOW		0x000	/* 128 bytes of request */
#define GRC_HWRM_WINDOW_SIZE	0x80
#define GRC_HWRM_TRIGGER	0x100
#define GRC_WINDOWS		0x400	/* register window bases */
#define GRC_WINDOWS_SIZE	0x40
#define GRC_FW_STATUS		0x520
#define GRC_WINDOW_SIZE		0x1000u	/* window n shows 4 KB of GRC space at n * 4 KB of BAR 0 */
#define GRC_WINDOW_COUNT	15u	/* that fit into BAR 0 */

/* Firmware status (FW_STATUS_REG): below 0x8000 it boots, above it has an error code */
#define FW_STATUS_BOOTING	0x0001u
#define FW_STATUS_READY		0x8000u
#define FW_STATUS_ERROR		0x8001u
#define FW_STATUS_RECOVERABLE	(1u << 17)

/*
 * GRC space. Where the status structure lies is fixed (HCOMM_STATUS_STRUCT_LOC);
 * drivers are told all other places. One page, so one window shows all.
 */
#define GRC_HCOMM_STATUS	0x31001f0u
#define GRC_HCOMM_SIGNATURE	(0x484353u << 8 | 1u)
#define GRC_HEALTH		0x3100200u	/* status, then the registers below it */
#define GRC_HEARTBEAT		0x3100204u
#define GRC_RESET_COUNT		0x3100208u
#define GRC_RESET_IN_PROGRESS	0x310020cu
#define GRC_RECOVERY_COUNT	0x3100210u
#define GRC_CHIP_RESET		0x3100214u
#define GRC_SPACE_GRC		1u	/* low bits of a register's address: which space it is in */
#define CHIMP_REG_VIEW		0x80000000u	/* DBG_READ_DIRECT: BAR 0 as the firmware sees it */

/* BAR 2: the one doorbell of a P5 physical function */
#define DB_PF			0x10000

#define DB_INDEX(db)		((uint32_t)((db) & 0xffffff))
#define DB_XID(db)		((uint32_t)((db) >> 32 & 0xfffff))
#define DB_TYPE(db)		((unsigned int)((db) >> 60))

enum db_type {
	DB_SQ = 0, DB_SRQ = 2, DB_CQ = 4, DB_CQ_ARMSE = 5, DB_CQ_ARMALL = 6,
	DB_CQ_ARMENA = 7, DB_NQ = 0xa, DB_NQ_ARM = 0xb, DB_NQ_MASK = 0xe,
};

/* A ring's entry, whatever it means */
struct hsi_entry {
	uint32_t dw[4];
};

#define ENTRY_SIZE		16u
#define ENTRY_V			1u	/* bit 0 of dw[2] of every completion */

/* Transmit descriptors */
#define TXBD_TYPE(f)		((f) & 0x3f)
#define TXBD_TYPE_SHORT		0x00
#define TXBD_TYPE_LONG		0x10
#define TXBD_PACKET_END		(1u << 6)
#define TXBD_NO_CMPL		(1u << 7)
#define TXBD_CNT(f)		(((f) >> 8 & 0x1f) ? ((f) >> 8 & 0x1f) : 32)
#define TXBD_LEN(f)		((f) >> 16)

#define TXEXT_L4_CSUM		(1u << 0)
#define TXEXT_IP_CSUM		(1u << 1)
#define TXEXT_LSO		(1u << 5)
#define TXEXT_HDR_BYTES(f)	(((f) >> 16 & 0x1ff) * 2)
#define TXEXT_MSS(f)		((f) & 0x7fff)
#define TXEXT_META_KEY_VLAN	1u	/* bits 28..31 of the meta word */
#define TXEXT_META_KEY(m)	((m) >> 28)
#define TXEXT_META_TPID(m)	((m) >> 16 & 3)
#define TXEXT_META_TCI(m)	((uint16_t)(m))

/* Receive descriptors */
#define RXBD_TYPE(f)		((f) & 0x3f)
#define RXBD_TYPE_PACKET	0x04
#define RXBD_TYPE_AGG		0x06
#define RXBD_LEN(f)		((f) >> 16)

/* Completions */
enum cmp_type {
	CMP_TX = 0x00,
	CMP_RX_L2 = 0x11,
	CMP_RX_AGG = 0x12,
	CMP_TPA_START = 0x13,
	CMP_TPA_END = 0x15,
	CMP_TPA_AGG = 0x16,
	CMP_HWRM_DONE = 0x20,
	CMP_ASYNC_EVENT = 0x2e,
	NQE_CQ_NOTIFY = 0x30,
};

#define RXCMP_ERROR		(1u << 6)
#define RXCMP_PLACE_NORMAL	(0u << 7)
#define RXCMP_PLACE_JUMBO	(1u << 7)
#define RXCMP_PLACE_HDS		(2u << 7)
#define RXCMP_RSS_VALID		(1u << 10)
#define RXCMP_ITYPE_IP		(1u << 12)
#define RXCMP_ITYPE_TCP		(2u << 12)
#define RXCMP_ITYPE_UDP		(3u << 12)
#define RXCMP_AGG_BUFS_SHIFT	1
#define RXCMP_PAYLOAD_SHIFT	16

#define RXEXT_IP_CS_CALC	(1u << 0)
#define RXEXT_L4_CS_CALC	(1u << 1)
#define RXEXT_META_VLAN		(1u << 4)
#define RXEXT_IPV6		(1u << 8)
#define RXEXT_ERR_NOT_FIT	(1u << 1)
#define RXEXT_ERR_IP_CS		(1u << 4)
#define RXEXT_ERR_L4_CS		(1u << 5)
#define RXEXT_ERR_CRC		(1u << 8)

/*
 * Aggregation (TPA). Completions carry these beside the fields that they share
 * with those of single packets; all three kinds have the aggregation's id in
 * the upper half of dw[2].
 */
#define RXCMP_PLACE_GRO		(4u << 7)	/* with JUMBO or HDS: payloads span no buffers */
#define TPA_START_HDR_OFFSETS	(1u << 11)	/* ext.dw[3] is offsets, not a time stamp */
#define TPA_AGG_ID_SHIFT	16
#define TPA_EXT_L3_SHIFT	18		/* ext.dw[3] of a start */
#define TPA_EXT_L4_SIZE_SHIFT	27		/* five bits: 32 is written as 0 */
#define TPA_END_SEGS_SHIFT	8		/* dw[2] of an end */
#define TPA_END_TS		(1u << 31)	/* dw[3], GRO: there is a TCP timestamp */
#define TPA_END_PAYLOAD_SHIFT	16		/* ext.dw[0] */
#define TPA_END_BUFS_SHIFT	24		/* ext.dw[0] */

enum async_event {
	ASYNC_LINK_STATUS = 0x0,
	ASYNC_LINK_SPEED = 0x1,
	ASYNC_LINK_SPEED_CFG = 0x6,
	ASYNC_PHY_CFG = 0x7,
	ASYNC_RESET_NOTIFY = 0x8,
	ASYNC_ERROR_RECOVERY = 0x9,
};

#define RESET_NOTIFY_IFDOWN	2u
#define RESET_NOTIFY_REASON(r)	((uint32_t)(r) << 8)
#define RESET_NOTIFY_DELAY(d)	((uint32_t)(d) << 16)	/* 100 ms */

enum reset_reason {
	RESET_MANAGEMENT = 1, RESET_FATAL = 2, RESET_NON_FATAL = 3, RESET_ACTIVATION = 5,
};

#define ERROR_RECOVERY_MASTER	1u
#define ERROR_RECOVERY_ENABLED	2u

/* HWRM */
struct hwrm_req_hdr {
	uint16_t req_type;
	uint16_t cmpl_ring;
	uint16_t seq_id;
	uint16_t target_id;
	uint64_t resp_addr;
};
HSI_SIZE(hwrm_req_hdr, 16);

struct hwrm_short_req {
	uint16_t req_type;
	uint16_t signature;
	uint16_t target_id;
	uint16_t size;
	uint64_t req_addr;
};
HSI_SIZE(hwrm_short_req, 16);

#define HWRM_SHORT_SIGNATURE	0x4321
#define HWRM_NO_CMPL_RING	0xffff
#define HWRM_NO_ID		0xffff

struct hwrm_resp_hdr {
	uint16_t error_code;
	uint16_t req_type;
	uint16_t seq_id;
	uint16_t resp_len;
};
HSI_SIZE(hwrm_resp_hdr, 8);

enum hwrm_error {
	HWRM_OK = 0,
	HWRM_FAIL = 1,
	HWRM_INVALID_PARAMS = 2,
	HWRM_RESOURCE_ALLOC = 4,
	HWRM_NOT_SUPPORTED = 0xffff,
};

enum hwrm_op {
	HWRM_VER_GET = 0x0,
	HWRM_ERROR_RECOVERY_QCFG = 0xc,
	HWRM_FUNC_DRV_IF_CHANGE = 0xd,
	HWRM_FUNC_RESET = 0x11,
	HWRM_FUNC_QCAPS = 0x15,
	HWRM_FUNC_QCFG = 0x16,
	HWRM_FUNC_CFG = 0x17,
	HWRM_FUNC_DRV_UNRGTR = 0x1a,
	HWRM_FUNC_DRV_RGTR = 0x1d,
	HWRM_PORT_PHY_CFG = 0x20,
	HWRM_PORT_MAC_CFG = 0x21,
	HWRM_PORT_QSTATS = 0x23,
	HWRM_PORT_CLR_STATS = 0x25,
	HWRM_PORT_PHY_QCFG = 0x27,
	HWRM_PORT_PHY_QCAPS = 0x2a,
	HWRM_PORT_PHY_I2C_READ = 0x2c,
	HWRM_PORT_LED_CFG = 0x2d,
	HWRM_PORT_LED_QCAPS = 0x2f,
	HWRM_QUEUE_QPORTCFG = 0x30,
	HWRM_VNIC_ALLOC = 0x40,
	HWRM_VNIC_FREE = 0x41,
	HWRM_VNIC_CFG = 0x42,
	HWRM_VNIC_TPA_CFG = 0x44,
	HWRM_VNIC_TPA_QCFG = 0x45,
	HWRM_VNIC_RSS_CFG = 0x46,
	HWRM_VNIC_RSS_QCFG = 0x47,
	HWRM_VNIC_PLCMODES_CFG = 0x48,
	HWRM_VNIC_QCAPS = 0x4a,
	HWRM_VNIC_UPDATE = 0x4b,
	HWRM_RING_ALLOC = 0x50,
	HWRM_RING_FREE = 0x51,
	HWRM_RING_QAGGINT = 0x52,
	HWRM_RING_AGGINT_CFG = 0x53,
	HWRM_RING_AGGINT_QCAPS = 0x54,
	HWRM_VNIC_RSS_CTX_ALLOC = 0x70,
	HWRM_VNIC_RSS_CTX_FREE = 0x71,
	HWRM_CFA_L2_FILTER_ALLOC = 0x90,
	HWRM_CFA_L2_FILTER_FREE = 0x91,
	HWRM_CFA_L2_FILTER_CFG = 0x92,
	HWRM_CFA_L2_SET_RX_MASK = 0x93,
	HWRM_CFA_NTUPLE_ALLOC = 0x99,
	HWRM_CFA_NTUPLE_FREE = 0x9a,
	HWRM_CFA_NTUPLE_CFG = 0x9b,
	HWRM_STAT_CTX_ALLOC = 0xb0,
	HWRM_STAT_CTX_FREE = 0xb1,
	HWRM_STAT_CTX_QUERY = 0xb2,
	HWRM_STAT_CTX_CLR = 0xb3,
	HWRM_PORT_QSTATS_EXT = 0xb4,
	HWRM_FW_RESET = 0xc0,
	HWRM_FW_SET_TIME = 0xc8,
	HWRM_CFA_ADV_FLOW_QCAPS = 0x124,
	HWRM_FUNC_RESOURCE_QCAPS = 0x190,
	HWRM_SELFTEST_QLIST = 0x200,
	HWRM_SELFTEST_EXEC = 0x201,
	HWRM_SELFTEST_IRQ = 0x202,
	HWRM_DBG_READ_DIRECT = 0xff10,
	HWRM_NVM_GET_DEV_INFO = 0xfff6,
	HWRM_NVM_FIND_DIR_ENTRY = 0xfff9,
	HWRM_NVM_GET_DIR_ENTRIES = 0xfffa,
	HWRM_NVM_GET_DIR_INFO = 0xfffb,
	HWRM_NVM_READ = 0xfffd,
};

/* Answers are given without their 8-byte header; the last byte is the valid byte */
#define HWRM_BODY(type, field, off)	HSI_AT(type, field, (off) - 8)

struct ver_get_resp {
	uint8_t intf_maj, intf_min, intf_upd, intf_rsvd;
	uint8_t fw_maj, fw_min, fw_bld, fw_rsvd;
	uint8_t mgmt_fw[4], netctrl_fw[4];
	uint32_t dev_caps_cfg;
	uint8_t roce_fw[4];
	char hwrm_fw_name[16], mgmt_fw_name[16], netctrl_fw_name[16];
	char active_pkg_name[16], roce_fw_name[16];
	uint16_t chip_num;
	uint8_t chip_rev, chip_metal, chip_bond_id, chip_platform_type;
	uint16_t max_req_win_len, max_resp_len, def_req_timeout;
	uint8_t flags, _r0[2], always_1;
	uint16_t intf_major, intf_minor, intf_build, intf_patch;
	uint16_t hwrm_fw_major, hwrm_fw_minor, hwrm_fw_build, hwrm_fw_patch;
	uint16_t mgmt_ver[4], netctrl_ver[4], roce_ver[4];
	uint16_t max_ext_req_len, max_req_timeout;
	uint8_t _r1[3], valid;
} __attribute__((packed));
HSI_SIZE(ver_get_resp, 176 - 8);
HWRM_BODY(ver_get_resp, dev_caps_cfg, 24);
HWRM_BODY(ver_get_resp, chip_num, 112);
HWRM_BODY(ver_get_resp, intf_major, 128);
HWRM_BODY(ver_get_resp, max_ext_req_len, 168);

#define VER_CAP_SHORT_CMD_SUPPORTED	(1u << 2)
#define VER_CAP_SHORT_CMD_REQUIRED	(1u << 3)
#define VER_CAP_CFA_ADV_FLOW		(1u << 12)
#define VER_GET_EXT_VER			2u

struct func_qcaps_resp {
	uint16_t fid, port_id;
	uint32_t flags;
	uint8_t mac_address[6];
	uint16_t max_rsscos_ctx, max_cmpl_rings, max_tx_rings, max_rx_rings, max_l2_ctxs, max_vnics;
	uint16_t first_vf_id, max_vfs, max_stat_ctx;
	uint32_t max_encap_records, max_decap_records;
	uint32_t max_tx_em_flows, max_tx_wm_flows, max_rx_em_flows, max_rx_wm_flows;
	uint32_t max_mcast_filters, max_flow_id, max_hw_ring_grps;
	uint16_t max_sp_tx_rings, max_msix_vfs;
	uint32_t flags_ext;
	uint8_t max_schqs, mpc_chnls_cap;
	uint16_t max_key_ctxs_alloc;
	uint32_t flags_ext2;
	uint16_t tunnel_disable_flag, xid_partition_cap;
	uint8_t device_serial_number[8];
	uint16_t ctxs_per_partition, max_tso_segs;
	uint8_t _r0[35], valid;
} __attribute__((packed));
HSI_SIZE(func_qcaps_resp, 144 - 8);
HWRM_BODY(func_qcaps_resp, max_stat_ctx, 38);
HWRM_BODY(func_qcaps_resp, max_hw_ring_grps, 72);
HWRM_BODY(func_qcaps_resp, max_tso_segs, 106);

struct func_qcfg_resp {
	uint16_t fid, port_id, vlan, flags;
	uint8_t mac_address[6];
	uint16_t pci_id, alloc_rsscos_ctx, alloc_cmpl_rings, alloc_tx_rings, alloc_rx_rings,
		alloc_l2_ctx;
	uint16_t alloc_vnics, admin_mtu, mru, stat_ctx_id;
	uint8_t port_partition_type, port_pf_cnt;
	uint16_t dflt_vnic_id, max_mtu_configured;
	uint32_t min_bw, max_bw;
	uint8_t evb_mode, options;
	uint16_t alloc_vfs;
	uint32_t alloc_mcast_filters, alloc_hw_ring_grps;
	uint16_t alloc_sp_tx_rings, alloc_stat_ctx, alloc_msix, registered_vfs,
		l2_doorbell_bar_size_kb;
	uint8_t active_endpoints, always_1;
	uint32_t reset_addr_poll;
	uint16_t legacy_l2_db_size_kb;
	uint8_t _r0[73], valid;
} __attribute__((packed));
HSI_SIZE(func_qcfg_resp, 160 - 8);
HWRM_BODY(func_qcfg_resp, max_mtu_configured, 46);
HWRM_BODY(func_qcfg_resp, alloc_hw_ring_grps, 64);
HWRM_BODY(func_qcfg_resp, legacy_l2_db_size_kb, 84);

#define FUNC_QCAPS_HOT_RESET		(1u << 22)
#define FUNC_QCAPS_ERROR_RECOVERY	(1u << 23)
#define FUNC_QCAPS_EXT_HOT_RESET_IF	(1u << 3)

#define FUNC_QCFG_HOT_RESET_ALLOWED	(1u << 9)
#define FUNC_QCFG_EVB_VEB		1
#define FUNC_QCFG_PARTITION_SPF		0

struct func_resource_qcaps_resp {
	uint16_t max_vfs, max_msix, vf_reservation_strategy;
	uint16_t min_rsscos_ctx, max_rsscos_ctx, min_cmpl_rings, max_cmpl_rings;
	uint16_t min_tx_rings, max_tx_rings, min_rx_rings, max_rx_rings;
	uint16_t min_l2_ctxs, max_l2_ctxs, min_vnics, max_vnics, min_stat_ctx, max_stat_ctx;
	uint16_t min_hw_ring_grps, max_hw_ring_grps, max_tx_scheduler_inputs, flags, min_msix;
	uint8_t _r0[35], valid;
} __attribute__((packed));
HSI_SIZE(func_resource_qcaps_resp, 88 - 8);
HWRM_BODY(func_resource_qcaps_resp, min_msix, 50);

struct func_cfg_req {
	struct hwrm_req_hdr hdr;
	uint16_t fid, num_msix;
	uint32_t flags, enables;
	uint16_t admin_mtu, mru, num_rsscos_ctxs, num_cmpl_rings, num_tx_rings, num_rx_rings,
		num_l2_ctxs;
	uint16_t num_vnics, num_stat_ctxs, num_hw_ring_grps;
	uint8_t dflt_mac_addr[6], _r0[26];
	uint16_t async_event_cr;
	uint8_t _r1[2], evb_mode, options;
};
HSI_AT(func_cfg_req, num_rsscos_ctxs, 32);
HSI_AT(func_cfg_req, async_event_cr, 80);

#define FUNC_CFG_ASSETS_TEST	(0x1fe000u | 0x800000u)	/* "would this fit?", nothing is reserved */

#define FUNC_CFG_EN_RSSCOS	(1u << 2)
#define FUNC_CFG_EN_CMPL	(1u << 3)
#define FUNC_CFG_EN_TX		(1u << 4)
#define FUNC_CFG_EN_RX		(1u << 5)
#define FUNC_CFG_EN_L2		(1u << 6)
#define FUNC_CFG_EN_VNICS	(1u << 7)
#define FUNC_CFG_EN_STAT	(1u << 8)
#define FUNC_CFG_EN_MAC		(1u << 9)
#define FUNC_CFG_EN_ASYNC_CR	(1u << 14)
#define FUNC_CFG_EN_EVB		(1u << 17)
#define FUNC_CFG_EN_GRPS	(1u << 19)
#define FUNC_CFG_EN_MSIX	(1u << 21)
#define FUNC_CFG_EN_HOT_RESET_IF	(1u << 23)
#define FUNC_CFG_HOT_RESET_IF	(1u << 26)	/* flag */

struct queue_qportcfg_resp {
	uint8_t max_configurable_queues, max_configurable_lossless_queues, queue_cfg_allowed,
		queue_cfg_info;
	uint8_t queue_pfcenable_cfg_allowed, queue_pri2cos_cfg_allowed, queue_cos2bw_cfg_allowed;
	uint8_t queue_id0, queue_id0_service_profile;
	uint8_t _r0[150], valid;
};
HSI_SIZE(queue_qportcfg_resp, 168 - 8);

struct func_drv_rgtr_req {
	struct hwrm_req_hdr hdr;
	uint32_t flags, enables;
	uint16_t os_type;
	uint8_t ver[3], _r0[3];
	uint32_t timestamp, _r1;
	uint32_t vf_req_fwd[8], async_event_fwd[8];
	uint16_t ver_maj, ver_min, ver_upd, ver_patch;
};
HSI_SIZE(func_drv_rgtr_req, 112);
HSI_AT(func_drv_rgtr_req, async_event_fwd, 72);

#define DRV_RGTR_ERROR_RECOVERY	(1u << 5)
#define DRV_RGTR_MASTER		(1u << 6)
#define DRV_RGTR_EN_ASYNC_FWD	(1u << 4)

struct func_drv_rgtr_resp {
	uint32_t flags;
	uint8_t _r0[3], valid;
};
HSI_SIZE(func_drv_rgtr_resp, 16 - 8);

#define DRV_RGTR_IF_CHANGE	1u

struct func_drv_if_change_req {
	struct hwrm_req_hdr hdr;
	uint32_t flags, _r0;
};

#define IF_CHANGE_UP		1u	/* of the request */
#define IF_CHANGE_RESET_DONE	2u	/* of the answer */

struct func_drv_if_change_resp {
	uint32_t flags;
	uint8_t _r0[3], valid;
};

#define RESET_REGS		16

struct error_recovery_qcfg_resp {
	uint32_t flags, driver_polling_freq;	/* periods: 100 ms */
	uint32_t master_func_wait, normal_func_wait, master_wait_after_reset, max_bailout;
	uint32_t health_reg, heartbeat_reg, reset_cnt_reg, inprogress_reg, inprogress_mask;
	uint8_t _r0[3], reg_array_cnt;
	uint32_t reset_reg[RESET_REGS], reset_reg_val[RESET_REGS];
	uint8_t delay_after_reset[RESET_REGS];	/* ms */
	uint32_t recovery_cnt_reg;
	uint8_t _r1[3], valid;
};
HSI_SIZE(error_recovery_qcfg_resp, 208 - 8);
HWRM_BODY(error_recovery_qcfg_resp, health_reg, 32);
HWRM_BODY(error_recovery_qcfg_resp, reset_reg, 56);
HWRM_BODY(error_recovery_qcfg_resp, delay_after_reset, 184);

#define ERROR_RECOVERY_HOST	1u	/* the driver resets by writing registers */

struct fw_reset_req {
	struct hwrm_req_hdr hdr;
	uint8_t embedded_proc_type, selfrst_status, host_idx, flags, _r0[4];
};
HSI_SIZE(fw_reset_req, 24);

#define FW_RESET_CHIP		6
#define FW_RESET_ASAP		1
#define FW_RESET_GRACEFUL	1u
#define FW_RESET_ACTIVATION	2u

struct fw_reset_resp {
	uint8_t selfrst_status, _r0[6], valid;
};
HSI_SIZE(fw_reset_resp, 16 - 8);

struct adv_flow_qcaps_resp {
	uint32_t flags;
	uint8_t _r0[3], valid;
};
HSI_SIZE(adv_flow_qcaps_resp, 16 - 8);

#define ADV_FLOW_RFS_RING_TBL_IDX_V2	0x2000u
#define ADV_FLOW_NTUPLE_EXT_IP_PROTO	0x100000u
#define ADV_FLOW_RFS_RING_TBL_IDX_V3	0x200000u

/* Answer of commands that only succeed or fail */
struct hwrm_plain_resp {
	uint8_t _r0[7], valid;
};
HSI_SIZE(hwrm_plain_resp, 16 - 8);

struct port_led {
	uint8_t id, type, group_id, _r0;
	uint16_t state_caps, color_caps;
};

#define LED_TYPE_SPEED		0
#define LED_TYPE_ACTIVITY	1
#define LED_STATES_ALL		0x1fu	/* enabled, off, on, blink, blink alternately */
#define LED_COLORS		0x6u	/* amber, green */
#define PORT_LEDS		2

struct port_led_qcaps_resp {
	uint8_t num_leds, _r0[3];
	struct port_led led[4];
	uint8_t _r1[3], valid;
};
HSI_SIZE(port_led_qcaps_resp, 48 - 8);

struct port_led_set {
	uint8_t id, state, color, _r0;
	uint16_t blink_on, blink_off;	/* ms */
	uint8_t group_id, _r1;
};

struct port_led_cfg_req {
	struct hwrm_req_hdr hdr;
	uint32_t enables;
	uint16_t port_id;
	uint8_t num_leds, _r0;
	struct port_led_set led[4];
};
HSI_SIZE(port_led_cfg_req, 64);

#define LED_EN_ID(i)		(1u << (i) * 6)
#define LED_EN_STATE(i)		(2u << (i) * 6)
#define LED_STATE_LAST		4

struct nvm_get_dev_info_resp {
	uint16_t manufacturer_id, device_id;
	uint32_t sector_size, nvram_size, reserved_size, available_size;
	uint8_t cfg_ver[3], flags;
	char pkg_name[16];
	uint16_t hwrm_fw[4], mgmt_fw[4], roce_fw[4], netctrl_fw[4], srt2_fw[4];
	uint8_t _r0[7], valid;
};
HSI_SIZE(nvm_get_dev_info_resp, 96 - 8);
HWRM_BODY(nvm_get_dev_info_resp, pkg_name, 32);

#define NVM_FW_VER_VALID	1u

struct nvm_get_dir_info_resp {
	uint32_t entries, entry_length;
	uint8_t _r0[7], valid;
};
HSI_SIZE(nvm_get_dir_info_resp, 24 - 8);

struct nvm_get_dir_entries_req {
	struct hwrm_req_hdr hdr;
	uint64_t host_dest_addr;
};

struct nvm_read_req {
	struct hwrm_req_hdr hdr;
	uint64_t host_dest_addr;
	uint16_t dir_idx, _r0;
	uint32_t offset, len, _r1;
};
HSI_SIZE(nvm_read_req, 40);

struct nvm_find_dir_entry_req {
	struct hwrm_req_hdr hdr;
	uint32_t enables;
	uint16_t dir_idx, dir_type, dir_ordinal, dir_ext;
	uint8_t opt_ordinal, _r0[3];
};
HSI_SIZE(nvm_find_dir_entry_req, 32);

#define NVM_FIND_EN_IDX		1u

enum nvm_ordinal_cmp { NVM_ORDINAL_EQ = 0, NVM_ORDINAL_GE = 1, NVM_ORDINAL_GT = 2 };

struct nvm_find_dir_entry_resp {
	uint32_t item_length, data_length, fw_ver;
	uint16_t ordinal, dir_idx;
	uint8_t _r0[7], valid;
};
HSI_SIZE(nvm_find_dir_entry_resp, 32 - 8);

/* An entry of the directory in flash, as NVM_GET_DIR_ENTRIES writes it */
struct nvm_dir_entry {
	uint16_t type, ordinal, ext, attr;
	uint32_t item_location, item_length, data_length, checksum;
};
HSI_SIZE(nvm_dir_entry, 24);

enum nvm_dir_type { NVM_DIR_PKG_LOG = 1, NVM_DIR_VPD = 5 };

struct selftest_qlist_resp {
	uint8_t num_tests, available_tests, offline_tests, _r0;
	uint16_t test_timeout;	/* ms */
	uint8_t _r1[2];
	char test_name[8][32];
	uint8_t eyescope_ber, _r2[6], valid;
};
HSI_SIZE(selftest_qlist_resp, 280 - 8);

struct selftest_exec_req {
	struct hwrm_req_hdr hdr;
	uint8_t flags, _r0[7];
};

struct selftest_exec_resp {
	uint8_t requested_tests, test_success, _r0[5], valid;
};
HSI_SIZE(selftest_exec_resp, 16 - 8);

struct dbg_read_direct_req {
	struct hwrm_req_hdr hdr;
	uint64_t host_dest_addr;
	uint32_t read_addr, read_len32;
};
HSI_SIZE(dbg_read_direct_req, 32);

struct port_mac_cfg_req {
	struct hwrm_req_hdr hdr;
	uint32_t flags, enables;
	uint16_t port_id;
	uint8_t ipg, lpbk, _r0[4];
	uint16_t rx_ts_capture, tx_ts_capture;
	uint8_t cos_field_cfg, _r1[3];
};

#define MAC_CFG_EN_LPBK		(1u << 1)
#define LPBK_NONE		0
#define LPBK_LOCAL		1
#define LPBK_REMOTE		2
#define LPBK_EXTERNAL		3	/* PORT_PHY_CFG only */

struct port_mac_cfg_resp {
	uint16_t mru, mtu;
	uint8_t ipg, lpbk, _r0, valid;
};
HSI_SIZE(port_mac_cfg_resp, 16 - 8);

#define I2C_DATA_MAX		64

struct port_phy_i2c_read_req {
	struct hwrm_req_hdr hdr;
	uint32_t flags, enables;
	uint16_t port_id;
	uint8_t i2c_slave_addr, bank_number;
	uint16_t page_number, page_offset;
	uint8_t data_length, _r0[7];
};
HSI_SIZE(port_phy_i2c_read_req, 40);

#define I2C_EN_PAGE_OFFSET	1u
#define I2C_EN_BANK		2u
#define I2C_ADDR_A0		0xa0	/* where SFF-8636 modules answer */

struct port_phy_i2c_read_resp {
	uint8_t data[I2C_DATA_MAX];
	uint8_t _r0[7], valid;
};
HSI_SIZE(port_phy_i2c_read_resp, 80 - 8);

struct port_phy_qcaps_resp {
	uint8_t flags, port_cnt;
	uint16_t speeds_force, speeds_auto, speeds_eee;
	uint32_t tx_lpi_timer_low, tx_lpi_timer_high;
	uint16_t pam4_auto, pam4_force, flags2;
	uint8_t internal_port_cnt, _r0;
	uint16_t speeds2_force, speeds2_auto;
	uint8_t _r1[3], valid;
} __attribute__((packed));
HSI_SIZE(port_phy_qcaps_resp, 40 - 8);

struct port_phy_qcfg_resp {
	uint8_t link, active_fec_signal_mode;
	uint16_t link_speed;
	uint8_t duplex_cfg, pause;
	uint16_t support_speeds, force_link_speed;
	uint8_t auto_mode, auto_pause;
	uint16_t auto_link_speed, auto_link_speed_mask;
	uint8_t wirespeed, lpbk, force_pause, module_status;
	uint32_t preemphasis;
	uint8_t phy_maj, phy_min, phy_bld, phy_type, media_type, xcvr_pkg_type, eee_phy_addr,
		parallel_detect;
	uint16_t lp_adv_speeds;
	uint8_t lp_adv_auto_mode, lp_adv_pause;
	uint16_t adv_eee, lp_adv_eee;
	uint32_t xcvr_id_lpi_timer;
	uint16_t fec_cfg;
	uint8_t duplex_state, option_flags;
	char phy_vendor_name[16], phy_vendor_partnumber[16];
	uint8_t _r0[7], link_down_reason, _r1[7], valid;
} __attribute__((packed));
HSI_SIZE(port_phy_qcfg_resp, 104 - 8);
HWRM_BODY(port_phy_qcfg_resp, link_down_reason, 95);
HWRM_BODY(port_phy_qcfg_resp, auto_link_speed_mask, 22);
HWRM_BODY(port_phy_qcfg_resp, duplex_state, 54);

#define PHY_SPEED_100G		1000	/* units of 100 Mbit/s */
#define PHY_LINK_NONE		0
#define PHY_LINK_SIGNAL		1
#define PHY_LINK_UP		2
#define PHY_AUTO_NONE		0
#define PHY_AUTO_SPEED_MASK	4
#define PHY_MEDIA_DAC		2
#define PHY_XCVR_EXTERNAL	2
#define PHY_XCVR_ID_QSFP28	(0x11u << 24)
#define PHY_PAUSE_TX		1u
#define PHY_PAUSE_RX		2u
#define PHY_PAUSE_AUTONEG	4u	/* of auto_pause: what was negotiated counts */
#define PHY_LINK_DOWN_REMOTE	1u	/* link_down_reason: remote fault */
#define PHY_LINK_DOWN_NO_CABLE	4u

/* fec_cfg: what is supported and, one bit above each, what is switched on */
#define PHY_FEC_AUTONEG		(1u << 1)
#define PHY_FEC_CLAUSE74	(1u << 3)
#define PHY_FEC_CLAUSE91	(1u << 5)
#define PHY_FEC_ON(cap)		((cap) << 1)
/* active_fec_signal_mode */
#define PHY_FEC_ACTIVE_NONE	(0u << 4)
#define PHY_FEC_ACTIVE_CL74	(1u << 4)
#define PHY_FEC_ACTIVE_CL91	(2u << 4)

struct port_phy_cfg_req {
	struct hwrm_req_hdr hdr;
	uint32_t flags, enables;
	uint16_t port_id, force_link_speed;
	uint8_t auto_mode, auto_duplex, auto_pause, _r0;
	uint16_t auto_link_speed, auto_link_speed_mask;
	uint8_t wirespeed, lpbk, force_pause, _r1;
};
HSI_AT(port_phy_cfg_req, force_link_speed, 26);
HSI_AT(port_phy_cfg_req, auto_link_speed_mask, 34);

#define PHY_CFG_RESET_PHY	(1u << 0)
#define PHY_CFG_FORCE		(1u << 2)
#define PHY_CFG_RESTART_AUTONEG	(1u << 3)
#define PHY_CFG_FEC_AUTO_ON	(1u << 8)
#define PHY_CFG_FEC_AUTO_OFF	(1u << 9)
#define PHY_CFG_FEC_CL74_ON	(1u << 10)
#define PHY_CFG_FEC_CL74_OFF	(1u << 11)
#define PHY_CFG_FEC_CL91_ON	(1u << 12)
#define PHY_CFG_FEC_CL91_OFF	(1u << 13)
#define PHY_CFG_FORCE_DOWN	(1u << 14)
#define PHY_CFG_EN_AUTO_MODE	(1u << 0)
#define PHY_CFG_EN_AUTO_PAUSE	(1u << 2)
#define PHY_CFG_EN_SPEED_MASK	(1u << 4)
#define PHY_CFG_EN_LPBK		(1u << 6)
#define PHY_CFG_EN_FORCE_PAUSE	(1u << 8)

struct port_qstats_req {
	struct hwrm_req_hdr hdr;
	uint16_t port_id;
	uint8_t flags, _r0[5];
	uint64_t tx_stat_host_addr, rx_stat_host_addr;
};

struct port_qstats_ext_req {
	struct hwrm_req_hdr hdr;
	uint16_t port_id, tx_stat_size, rx_stat_size;
	uint8_t flags, _r0;
	uint64_t tx_stat_host_addr, rx_stat_host_addr;
};

struct port_qstats_resp {
	uint16_t tx_stat_size, rx_stat_size, total_active_cos_queues;
	uint8_t flags, valid;
};
HSI_SIZE(port_qstats_resp, 16 - 8);

#define QSTATS_COUNTER_MASK	1u

struct ring_alloc_req {
	struct hwrm_req_hdr hdr;
	uint32_t enables;
	uint8_t ring_type, cmpl_coal_cnt;
	uint16_t flags;
	uint64_t page_tbl_addr;
	uint32_t fbo;
	uint8_t page_size, page_tbl_depth;
	uint16_t schq_id;
	uint32_t length;
	uint16_t logical_id, cmpl_ring_id, queue_id, rx_buf_size, rx_ring_id, nq_ring_id,
		ring_arb_cfg;
	uint16_t steering_tag;
	uint32_t _r0, stat_ctx_id, _r1, max_bw;
	uint8_t int_mode, mpc_chnls_type, _r2[2];
	uint64_t cq_handle;
};
HSI_SIZE(ring_alloc_req, 88);
HSI_AT(ring_alloc_req, logical_id, 44);
HSI_AT(ring_alloc_req, stat_ctx_id, 64);
HSI_AT(ring_alloc_req, cq_handle, 80);

enum ring_type {
	RING_CMPL = 0, RING_TX = 1, RING_RX = 2, RING_AGG = 4, RING_NQ = 5,
};

#define RING_EN_RX_RING_ID	(1u << 6)
#define RING_EN_NQ_RING_ID	(1u << 7)
#define RING_EN_RX_BUF_SIZE	(1u << 8)
#define RING_FLAG_RX_SOP_PAD	(1u << 0)
#define RING_INT_MODE_MSIX	2

struct ring_alloc_resp {
	uint16_t ring_id, logical_ring_id;
	uint8_t push_buffer_index, _r0[2], valid;
};
HSI_SIZE(ring_alloc_resp, 16 - 8);

struct ring_free_req {
	struct hwrm_req_hdr hdr;
	uint8_t ring_type, flags;
	uint16_t ring_id;
	uint32_t prod_idx, opaque, _r0;
};
HSI_SIZE(ring_free_req, 32);

#define AGGINT_INT_LAT_TMR_MIN		(1u << 0)
#define AGGINT_INT_LAT_TMR_MAX		(1u << 1)
#define AGGINT_TIMER_RESET		(1u << 2)
#define AGGINT_RING_IDLE		(1u << 3)
#define AGGINT_NUM_CMPL_AGGR_INT	(1u << 8)
#define AGGINT_FLAG_TIMER_RESET		(1u << 0)
#define AGGINT_FLAG_RING_IDLE		(1u << 1)
#define AGGINT_EN_INT_LAT_TMR_MIN	(1u << 3)
#define AGGINT_EN_INT_LAT_TMR_MAX	(1u << 4)
#define AGGINT_EN_NUM_CMPL_AGGR_INT	(1u << 5)

struct aggint_qcaps_resp {
	uint32_t cmpl_params, nq_params;
	uint16_t num_cmpl_dma_aggr_min, num_cmpl_dma_aggr_max;
	uint16_t num_cmpl_dma_aggr_during_int_min, num_cmpl_dma_aggr_during_int_max;
	uint16_t cmpl_aggr_dma_tmr_min, cmpl_aggr_dma_tmr_max;
	uint16_t cmpl_aggr_dma_tmr_during_int_min, cmpl_aggr_dma_tmr_during_int_max;
	uint16_t int_lat_tmr_min_min, int_lat_tmr_min_max, int_lat_tmr_max_min, int_lat_tmr_max_max;
	uint16_t num_cmpl_aggr_int_min, num_cmpl_aggr_int_max, timer_units;
	uint8_t _r0, valid;
};
HSI_SIZE(aggint_qcaps_resp, 48 - 8);

struct aggint_cfg_req {
	struct hwrm_req_hdr hdr;
	uint16_t ring_id, flags, num_cmpl_dma_aggr, num_cmpl_dma_aggr_during_int;
	uint16_t cmpl_aggr_dma_tmr, cmpl_aggr_dma_tmr_during_int;
	uint16_t int_lat_tmr_min, int_lat_tmr_max, num_cmpl_aggr_int, enables;
	uint32_t _r0;
};
HSI_SIZE(aggint_cfg_req, 40);
HSI_AT(aggint_cfg_req, enables, 34);

struct aggint_qcfg_req {
	struct hwrm_req_hdr hdr;
	uint16_t ring_id, flags;
	uint32_t _r0;
};
HSI_SIZE(aggint_qcfg_req, 24);

struct aggint_qcfg_resp {
	uint16_t flags, num_cmpl_dma_aggr, num_cmpl_dma_aggr_during_int;
	uint16_t cmpl_aggr_dma_tmr, cmpl_aggr_dma_tmr_during_int;
	uint16_t int_lat_tmr_min, int_lat_tmr_max, num_cmpl_aggr_int;
	uint8_t _r0[7], valid;
};
HSI_SIZE(aggint_qcfg_resp, 32 - 8);

struct vnic_alloc_req {
	struct hwrm_req_hdr hdr;
	uint32_t flags;
	uint16_t virtio_net_fid, _r0;
};

struct vnic_alloc_resp {
	uint32_t vnic_id;
	uint8_t _r0[3], valid;
};
HSI_SIZE(vnic_alloc_resp, 16 - 8);

struct vnic_free_req {
	struct hwrm_req_hdr hdr;
	uint32_t vnic_id, _r0;
};

struct vnic_cfg_req {
	struct hwrm_req_hdr hdr;
	uint32_t flags, enables;
	uint16_t vnic_id, dflt_ring_grp, rss_rule, cos_rule, lb_rule, mru;
	uint16_t default_rx_ring_id, default_cmpl_ring_id, queue_id;
	uint8_t rx_csum_v2_mode, l2_cqe_mode, _r0[4];
};
HSI_SIZE(vnic_cfg_req, 48);

#define VNIC_CFG_VLAN_STRIP	(1u << 1)
#define VNIC_CFG_EN_RX_RING	(1u << 5)
#define VNIC_CFG_EN_CMPL_RING	(1u << 6)

struct vnic_update_req {
	struct hwrm_req_hdr hdr;
	uint32_t vnic_id, enables;
	uint8_t vnic_state, metadata_format_type;
	uint16_t mru;
	uint32_t _r0;
};
HSI_SIZE(vnic_update_req, 32);

#define VNIC_UPDATE_EN_STATE	(1u << 0)
#define VNIC_UPDATE_EN_MRU	(1u << 1)

struct vnic_rss_cfg_req {
	struct hwrm_req_hdr hdr;
	uint32_t hash_type;
	uint16_t vnic_id;
	uint8_t ring_table_pair_index, hash_mode_flags;
	uint64_t ring_grp_tbl_addr, hash_key_tbl_addr;
	uint16_t rss_ctx_idx;
	uint8_t flags, ring_select_mode;
	uint32_t _r0;
};
HSI_SIZE(vnic_rss_cfg_req, 48);

#define RSS_IPV4		(1u << 0)
#define RSS_TCP_IPV4		(1u << 1)
#define RSS_UDP_IPV4		(1u << 2)
#define RSS_IPV6		(1u << 3)
#define RSS_TCP_IPV6		(1u << 4)
#define RSS_UDP_IPV6		(1u << 5)
#define RSS_TYPES		0x3fu	/* all of these */
#define RSS_SELECT_TOEPLITZ	0	/* ring_select_mode */
#define RSS_TABLE_PAIRS		64	/* entries of a P5 RSS context */
#define RSS_KEY_SIZE		40

struct rss_pair {
	uint16_t rx_ring, cmpl_ring;
};

struct vnic_rss_qcfg_req {
	struct hwrm_req_hdr hdr;
	uint16_t rss_ctx_idx, vnic_id;
	uint32_t _r0;
};

struct vnic_rss_qcfg_resp {
	uint32_t hash_type, _r0;
	uint32_t hash_key[10];
	uint8_t hash_mode_flags, ring_select_mode, _r1[5], valid;
};
HSI_SIZE(vnic_rss_qcfg_resp, 64 - 8);

struct vnic_plcmodes_cfg_req {
	struct hwrm_req_hdr hdr;
	uint32_t flags, enables, vnic_id;
	uint16_t jumbo_thresh, hds_offset, hds_threshold, max_bds;
	uint32_t _r0;
};
HSI_SIZE(vnic_plcmodes_cfg_req, 40);

#define PLC_JUMBO		(1u << 1)
#define PLC_HDS_IPV4		(1u << 2)
#define PLC_HDS_IPV6		(1u << 3)
#define PLC_EN_JUMBO_THRESH	(1u << 0)
#define PLC_EN_HDS_OFFSET	(1u << 1)
#define PLC_EN_HDS_THRESHOLD	(1u << 2)
#define PLC_HDS_THRESHOLD_MAX	0x3ff	/* a field of ten bits */
#define RX_MAX_AGG_BUFS		7	/* of one packet that is not aggregated by TPA */

struct vnic_qcaps_resp {
	uint16_t mru, _r0;
	uint32_t flags;
	uint16_t max_aggs_supported;
	uint8_t _r1[5], valid;
} __attribute__((packed));
HSI_SIZE(vnic_qcaps_resp, 24 - 8);

#define VNIC_CAP_VLAN_STRIP	(1u << 1)
#define VNIC_CAP_RE_FLUSH	(1u << 30)

struct vnic_tpa_cfg_req {
	struct hwrm_req_hdr hdr;
	uint32_t flags, enables;
	uint16_t vnic_id, max_agg_segs, max_aggs, _r0;
	uint32_t max_agg_timer, min_agg_len, tnl_tpa_en_bitmap, _r1;
};
HSI_SIZE(vnic_tpa_cfg_req, 48);

#define VNIC_TPA_TPA		(1u << 0)
#define VNIC_TPA_ENCAP		(1u << 1)
#define VNIC_TPA_RSC_WND_UPDATE	(1u << 2)
#define VNIC_TPA_GRO		(1u << 3)
#define VNIC_TPA_WITH_ECN	(1u << 4)
#define VNIC_TPA_SAME_GRE_SEQ	(1u << 5)
#define VNIC_TPA_GRO_IPID	(1u << 6)
#define VNIC_TPA_GRO_TTL	(1u << 7)
#define VNIC_TPA_PACK_AS_GRO	(1u << 8)
#define VNIC_TPA_EN_MAX_SEGS	(1u << 0)
#define VNIC_TPA_EN_MAX_AGGS	(1u << 1)
#define VNIC_TPA_EN_TIMER	(1u << 2)
#define VNIC_TPA_EN_MIN_LEN	(1u << 3)
#define VNIC_TPA_SEGS_UNIT	4u	/* of max_agg_segs, where max_aggs_supported is not 0 */
#define VNIC_TPA_MAX_SEGS	63u

struct vnic_tpa_qcfg_req {
	struct hwrm_req_hdr hdr;
	uint16_t vnic_id, _r0[3];
};
HSI_SIZE(vnic_tpa_qcfg_req, 24);

struct vnic_tpa_qcfg_resp {
	uint32_t flags;
	uint16_t max_agg_segs, max_aggs;
	uint32_t max_agg_timer, min_agg_len, tnl_tpa_en_bitmap;
	uint8_t _r0[3], valid;
};
HSI_SIZE(vnic_tpa_qcfg_resp, 32 - 8);

struct rss_ctx_alloc_resp {
	uint16_t rss_cos_lb_ctx_id;
	uint8_t _r0[5], valid;
};
HSI_SIZE(rss_ctx_alloc_resp, 16 - 8);

struct rss_ctx_free_req {
	struct hwrm_req_hdr hdr;
	uint16_t rss_cos_lb_ctx_id, _r0[3];
};

struct l2_filter_alloc_req {
	struct hwrm_req_hdr hdr;
	uint32_t flags, enables;
	uint8_t l2_addr[6], num_vlans, t_num_vlans, l2_addr_mask[6];
	uint16_t l2_ovlan, l2_ovlan_mask, l2_ivlan, l2_ivlan_mask;
	uint16_t _r0;
	uint8_t _r1[22];
	uint8_t src_type, _r2;
	uint32_t src_id;
	uint8_t tunnel_type, _r3;
	uint16_t dst_id, mirror_vnic_id;
	uint8_t pri_hint, _r4;
	uint32_t _r5;
	uint64_t l2_filter_id_hint;
} __attribute__((packed));
HSI_SIZE(l2_filter_alloc_req, 96);
HSI_AT(l2_filter_alloc_req, pri_hint, 82);
HSI_AT(l2_filter_alloc_req, l2_ivlan, 42);
HSI_AT(l2_filter_alloc_req, dst_id, 78);

#define L2_FLAG_PATH_RX		(1u << 0)
#define L2_FLAG_DROP		(1u << 2)
#define L2_FLAG_OUTERMOST	(1u << 3)
#define L2_EN_ADDR		(1u << 0)
#define L2_EN_ADDR_MASK		(1u << 1)
#define L2_EN_IVLAN		(1u << 4)
#define L2_EN_IVLAN_MASK	(1u << 5)
#define L2_EN_DST_ID		(1u << 15)
#define L2_EN_NUM_VLANS		(1u << 17)

/* Where a filter goes among those that match the same frame */
enum filter_pri {
	FILTER_PRI_ANY = 0,
	FILTER_PRI_ABOVE = 1,	/* the filter that is named as a hint */
	FILTER_PRI_BELOW = 2,
	FILTER_PRI_HIGHEST = 3,
	FILTER_PRI_LOWEST = 4,
};

struct filter_alloc_resp {
	uint64_t filter_id;
	uint32_t flow_id;
	uint8_t _r0[3], valid;
};
HSI_SIZE(filter_alloc_resp, 24 - 8);

struct filter_free_req {
	struct hwrm_req_hdr hdr;
	uint64_t filter_id;
};

struct l2_filter_cfg_req {
	struct hwrm_req_hdr hdr;
	uint32_t flags, enables;
	uint64_t l2_filter_id;
	uint32_t dst_id, new_mirror_vnic_id;
};

#define L2_CFG_FLAG_DROP	(1u << 1)
#define L2_CFG_EN_DST_ID	(1u << 0)

struct l2_set_rx_mask_req {
	struct hwrm_req_hdr hdr;
	uint32_t vnic_id, mask;
	uint64_t mc_tbl_addr;
	uint32_t num_mc_entries, _r0;
	uint64_t vlan_tag_tbl_addr;
	uint32_t num_vlan_tags, _r1;
};
HSI_SIZE(l2_set_rx_mask_req, 56);

#define RX_MASK_MCAST		(1u << 1)
#define RX_MASK_ALL_MCAST	(1u << 2)
#define RX_MASK_BCAST		(1u << 3)
#define RX_MASK_PROMISC		(1u << 4)
#define RX_MASK_VLANONLY	(1u << 6)
#define RX_MASK_VLAN_NONVLAN	(1u << 7)

struct ntuple_alloc_req {
	struct hwrm_req_hdr hdr;
	uint32_t flags, enables;
	uint64_t l2_filter_id;
	uint8_t src_macaddr[6];
	uint16_t ethertype;		/* this and the following are big endian on the wire */
	uint8_t ip_addr_type, ip_protocol;
	uint16_t dst_id, rfs_ring_tbl_idx;	/* these two are not */
	uint8_t tunnel_type, pri_hint;
	uint8_t src_ipaddr[16], src_ipaddr_mask[16], dst_ipaddr[16], dst_ipaddr_mask[16];
	uint16_t src_port, src_port_mask, dst_port, dst_port_mask;
	uint64_t ntuple_filter_id_hint;
};
HSI_SIZE(ntuple_alloc_req, 128);
HSI_AT(ntuple_alloc_req, dst_id, 42);
HSI_AT(ntuple_alloc_req, dst_port_mask, 118);

#define NTUPLE_FLAG_DROP	(1u << 1)
#define NTUPLE_FLAG_RING_IDX	(1u << 5)
#define NTUPLE_FLAG_NO_L2	(1u << 6)

#define NTUPLE_EN_L2_FILTER	(1u << 0)
#define NTUPLE_EN_ETHERTYPE	(1u << 1)
#define NTUPLE_EN_TUNNEL_TYPE	(1u << 2)
#define NTUPLE_EN_SRC_MAC	(1u << 3)
#define NTUPLE_EN_IPADDR_TYPE	(1u << 4)
#define NTUPLE_EN_SRC_IP	(1u << 5)
#define NTUPLE_EN_SRC_IP_MASK	(1u << 6)
#define NTUPLE_EN_DST_IP	(1u << 7)
#define NTUPLE_EN_DST_IP_MASK	(1u << 8)
#define NTUPLE_EN_PROTOCOL	(1u << 9)
#define NTUPLE_EN_SRC_PORT	(1u << 10)
#define NTUPLE_EN_SRC_PORT_MASK	(1u << 11)
#define NTUPLE_EN_DST_PORT	(1u << 12)
#define NTUPLE_EN_DST_PORT_MASK	(1u << 13)
#define NTUPLE_EN_PRI_HINT	(1u << 14)
#define NTUPLE_EN_ID_HINT	(1u << 15)
#define NTUPLE_EN_DST_ID	(1u << 16)
#define NTUPLE_EN_RING_IDX	(1u << 19)

#define NTUPLE_NO_TUNNEL	0
#define NTUPLE_IPV4		4
#define NTUPLE_IPV6		6

struct ntuple_cfg_req {
	struct hwrm_req_hdr hdr;
	uint32_t enables, flags;
	uint64_t ntuple_filter_id;
	uint32_t new_dst_id, new_mirror_vnic_id;
};

#define NTUPLE_CFG_EN_DST_ID	(1u << 0)
#define NTUPLE_CFG_RING_IDX	(1u << 1)

struct stat_ctx_alloc_req {
	struct hwrm_req_hdr hdr;
	uint64_t stats_dma_addr;
	uint32_t update_period_ms;
	uint8_t stat_ctx_flags, _r0;
	uint16_t stats_dma_length, flags, steering_tag;
	uint32_t stat_ctx_id;
	uint16_t alloc_seq_id, _r1[3];
};
HSI_SIZE(stat_ctx_alloc_req, 48);

struct stat_ctx_resp {
	uint32_t stat_ctx_id;
	uint8_t _r0[3], valid;
};
HSI_SIZE(stat_ctx_resp, 16 - 8);

struct stat_ctx_req {
	struct hwrm_req_hdr hdr;
	uint32_t stat_ctx_id;
	uint8_t flags, _r0[3];
};

struct stat_ctx_query_resp {
	uint64_t tx_pkts[3], tx_discard, tx_error,
		tx_bytes[3]; /* [3]: unicast, multicast, broadcast */
	uint64_t rx_pkts[3], rx_discard, rx_error, rx_bytes[3];
	uint64_t rx_agg[4];
	uint8_t _r0[7], valid;
};
HSI_SIZE(stat_ctx_query_resp, 176 - 8);

/* Counters of a statistics context, as they are written to the host (ctx_hw_stats_ext) */
struct ctx_stats {
	uint64_t rx_pkts[3], rx_discard, rx_error, rx_bytes[3];
	uint64_t tx_pkts[3], tx_error, tx_discard, tx_bytes[3];
	uint64_t rx_tpa_eligible_pkts, rx_tpa_eligible_bytes, rx_tpa_pkts, rx_tpa_bytes,
		rx_tpa_errors, rx_tpa_events;
};
HSI_SIZE(ctx_stats, 176);

/*
 * Port counters are arrays of 64-bit words; the index is the counter's place in
 * the structure that PORT_QSTATS writes. Sizes count the FCS, as a MAC does.
 */
enum port_tx {
	PORT_TX_64B, PORT_TX_GOOD_VLAN = 6, PORT_TX_GOOD = 11, PORT_TX_TOTAL, PORT_TX_CAST,
	PORT_TX_OVERSIZE = 21, PORT_TX_TAGGED = 30, PORT_TX_BYTES = 47, PORT_TX_DISCARD = 49,
	PORT_TX_ERROR = 50, PORT_TX_COUNT = 51,
};

enum port_rx {
	PORT_RX_64B, PORT_RX_GOOD_VLAN = 6, PORT_RX_TOTAL = 11, PORT_RX_CAST, PORT_RX_FCS_ERR = 15,
	PORT_RX_MTU_ERR = 28, PORT_RX_TAGGED = 31, PORT_RX_GOOD = 34, PORT_RX_BYTES = 61,
	PORT_RX_RUNT_BYTES, PORT_RX_RUNT, PORT_RX_DISCARD, PORT_RX_ERROR, PORT_RX_COUNT,
};

enum port_tx_ext {
	PORT_TXX_BYTES_COS0 = 0, PORT_TXX_PKTS_COS0 = 8, PORT_TXX_COUNT = 16,
};

enum port_rx_ext {
	PORT_RXX_LINK_DOWN = 0,
	PORT_RXX_BYTES_COS0 = 5,
	PORT_RXX_PKTS_COS0 = 13,
	PORT_RXX_BITS = 37,
	PORT_RXX_DISCARD_BYTES_COS0 = 41,
	PORT_RXX_DISCARD_PKTS_COS0 = 49,
	PORT_RXX_FILTER_MISS = 59,
	PORT_RXX_COUNT = 61,
};

#endif
