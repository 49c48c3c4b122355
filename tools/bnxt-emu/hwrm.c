// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The firmware's mailbox: fetches a request, finds its handler in a table,
 * answers. Handlers see a request that is long enough and a zeroed answer.
 */
#include "core.h"

struct hwrm_cmd {
	uint16_t op;
	uint16_t req_len;	/* shorter requests are refused */
	uint16_t resp_len;	/* header included */
	const char *name;
	hwrm_fn *fn;
};

#define REQ(type)	sizeof(struct type)
/* what later specifications appended, older drivers do not send: it is 0 then */
#define REQ_BEFORE(type, member)	offsetof(struct type, member)
#define RESP(type)	(sizeof(struct hwrm_resp_hdr) + sizeof(struct type))
#define HDR		sizeof(struct hwrm_req_hdr)
#define PLAIN		RESP(hwrm_plain_resp)

static const struct hwrm_cmd commands[] = {
	{ HWRM_VER_GET, HDR, RESP(ver_get_resp), "VER_GET", hwrm_ver_get },
	{ HWRM_FUNC_RESET, HDR, PLAIN, "FUNC_RESET", hwrm_func_reset },
	{ HWRM_FUNC_QCAPS, HDR, RESP(func_qcaps_resp), "FUNC_QCAPS", hwrm_func_qcaps },
	{ HWRM_FUNC_QCFG, HDR, RESP(func_qcfg_resp), "FUNC_QCFG", hwrm_func_qcfg },
	{ HWRM_FUNC_CFG, REQ(func_cfg_req), PLAIN, "FUNC_CFG", hwrm_func_cfg },
	{ HWRM_FUNC_DRV_RGTR, REQ(func_drv_rgtr_req), RESP(func_drv_rgtr_resp), "FUNC_DRV_RGTR",
	  hwrm_func_drv_rgtr },
	{ HWRM_FUNC_DRV_UNRGTR, HDR, PLAIN, "FUNC_DRV_UNRGTR", hwrm_func_drv_unrgtr },
	{ HWRM_FUNC_DRV_IF_CHANGE, REQ(func_drv_if_change_req), RESP(func_drv_if_change_resp),
	  "FUNC_DRV_IF_CHANGE", hwrm_func_drv_if_change },
	{ HWRM_ERROR_RECOVERY_QCFG, HDR, RESP(error_recovery_qcfg_resp), "ERROR_RECOVERY_QCFG",
	  hwrm_error_recovery_qcfg },
	{ HWRM_FW_RESET, REQ(fw_reset_req), RESP(fw_reset_resp), "FW_RESET", hwrm_fw_reset },
	{ HWRM_FUNC_RESOURCE_QCAPS, HDR, RESP(func_resource_qcaps_resp), "FUNC_RESOURCE_QCAPS",
	  hwrm_func_resource_qcaps },
	{ HWRM_FW_SET_TIME, HDR, PLAIN, "FW_SET_TIME", hwrm_accept },
	{ HWRM_QUEUE_QPORTCFG, HDR, RESP(queue_qportcfg_resp), "QUEUE_QPORTCFG",
	  hwrm_queue_qportcfg },
	{ HWRM_CFA_ADV_FLOW_QCAPS, HDR, RESP(adv_flow_qcaps_resp), "CFA_ADV_FLOW_MGNT_QCAPS",
	  hwrm_adv_flow_qcaps },

	{ HWRM_PORT_PHY_QCAPS, HDR, RESP(port_phy_qcaps_resp), "PORT_PHY_QCAPS",
	  hwrm_port_phy_qcaps },
	{ HWRM_PORT_PHY_QCFG, HDR, RESP(port_phy_qcfg_resp), "PORT_PHY_QCFG", hwrm_port_phy_qcfg },
	{ HWRM_PORT_PHY_CFG, REQ(port_phy_cfg_req), PLAIN, "PORT_PHY_CFG", hwrm_port_phy_cfg },
	{ HWRM_PORT_PHY_I2C_READ, REQ(port_phy_i2c_read_req), RESP(port_phy_i2c_read_resp),
	  "PORT_PHY_I2C_READ", hwrm_port_phy_i2c_read },
	{ HWRM_PORT_LED_QCAPS, HDR, RESP(port_led_qcaps_resp), "PORT_LED_QCAPS",
	  hwrm_port_led_qcaps },
	{ HWRM_PORT_LED_CFG, REQ(port_led_cfg_req), PLAIN, "PORT_LED_CFG", hwrm_port_led_cfg },
	{ HWRM_PORT_MAC_CFG, REQ(port_mac_cfg_req), RESP(port_mac_cfg_resp), "PORT_MAC_CFG",
	  hwrm_port_mac_cfg },
	{ HWRM_PORT_QSTATS, REQ(port_qstats_req), RESP(port_qstats_resp), "PORT_QSTATS",
	  hwrm_port_qstats },
	{ HWRM_PORT_QSTATS_EXT, REQ(port_qstats_ext_req), RESP(port_qstats_resp), "PORT_QSTATS_EXT",
	  hwrm_port_qstats_ext },
	{ HWRM_PORT_CLR_STATS, HDR, PLAIN, "PORT_CLR_STATS", hwrm_port_clr_stats },

	{ HWRM_RING_ALLOC, REQ(ring_alloc_req), RESP(ring_alloc_resp), "RING_ALLOC",
	  hwrm_ring_alloc },
	{ HWRM_RING_FREE, REQ_BEFORE(ring_free_req, opaque), PLAIN, "RING_FREE", hwrm_ring_free },
	{ HWRM_RING_QAGGINT, REQ(aggint_qcfg_req), RESP(aggint_qcfg_resp),
	  "RING_CMPL_RING_QAGGINT_PARAMS", hwrm_ring_qaggint },
	{ HWRM_RING_AGGINT_CFG, REQ(aggint_cfg_req), PLAIN, "RING_CMPL_RING_CFG_AGGINT_PARAMS",
	  hwrm_ring_aggint_cfg },
	{ HWRM_RING_AGGINT_QCAPS, HDR, RESP(aggint_qcaps_resp), "RING_AGGINT_QCAPS",
	  hwrm_ring_aggint_qcaps },
	{ HWRM_STAT_CTX_ALLOC, REQ_BEFORE(stat_ctx_alloc_req, flags), RESP(stat_ctx_resp),
	  "STAT_CTX_ALLOC", hwrm_stat_ctx_alloc },
	{ HWRM_STAT_CTX_FREE, REQ(stat_ctx_req), RESP(stat_ctx_resp), "STAT_CTX_FREE",
	  hwrm_stat_ctx_free },
	{ HWRM_STAT_CTX_QUERY, REQ(stat_ctx_req), RESP(stat_ctx_query_resp), "STAT_CTX_QUERY",
	  hwrm_stat_ctx_query },
	{ HWRM_STAT_CTX_CLR, REQ(stat_ctx_req), PLAIN, "STAT_CTX_CLR_STATS", hwrm_stat_ctx_clr },

	{ HWRM_VNIC_ALLOC, REQ(vnic_alloc_req), RESP(vnic_alloc_resp), "VNIC_ALLOC",
	  hwrm_vnic_alloc },
	{ HWRM_VNIC_FREE, REQ(vnic_free_req), PLAIN, "VNIC_FREE", hwrm_vnic_free },
	{ HWRM_VNIC_CFG, REQ(vnic_cfg_req), PLAIN, "VNIC_CFG", hwrm_vnic_cfg },
	{ HWRM_VNIC_UPDATE, REQ(vnic_update_req), PLAIN, "VNIC_UPDATE", hwrm_vnic_update },
	{ HWRM_VNIC_QCAPS, HDR, RESP(vnic_qcaps_resp), "VNIC_QCAPS", hwrm_vnic_qcaps },
	{ HWRM_VNIC_RSS_CFG, REQ(vnic_rss_cfg_req), PLAIN, "VNIC_RSS_CFG", hwrm_vnic_rss_cfg },
	{ HWRM_VNIC_RSS_QCFG, REQ(vnic_rss_qcfg_req), RESP(vnic_rss_qcfg_resp), "VNIC_RSS_QCFG",
	  hwrm_vnic_rss_qcfg },
	{ HWRM_VNIC_PLCMODES_CFG, REQ(vnic_plcmodes_cfg_req), PLAIN, "VNIC_PLCMODES_CFG",
	  hwrm_vnic_plcmodes_cfg },
	{ HWRM_VNIC_TPA_CFG, REQ_BEFORE(vnic_tpa_cfg_req, tnl_tpa_en_bitmap), PLAIN, "VNIC_TPA_CFG",
	  hwrm_vnic_tpa_cfg },
	{ HWRM_VNIC_TPA_QCFG, REQ(vnic_tpa_qcfg_req), RESP(vnic_tpa_qcfg_resp), "VNIC_TPA_QCFG",
	  hwrm_vnic_tpa_qcfg },
	{ HWRM_VNIC_RSS_CTX_ALLOC, HDR, RESP(rss_ctx_alloc_resp), "VNIC_RSS_COS_LB_CTX_ALLOC",
	  hwrm_rss_ctx_alloc },
	{ HWRM_VNIC_RSS_CTX_FREE, REQ(rss_ctx_free_req), PLAIN, "VNIC_RSS_COS_LB_CTX_FREE",
	  hwrm_rss_ctx_free },

	{ HWRM_CFA_L2_FILTER_ALLOC, REQ(l2_filter_alloc_req), RESP(filter_alloc_resp),
	  "CFA_L2_FILTER_ALLOC", hwrm_l2_filter_alloc },
	{ HWRM_CFA_L2_FILTER_FREE, REQ(filter_free_req), PLAIN, "CFA_L2_FILTER_FREE",
	  hwrm_l2_filter_free },
	{ HWRM_CFA_L2_FILTER_CFG, REQ(l2_filter_cfg_req), PLAIN, "CFA_L2_FILTER_CFG",
	  hwrm_l2_filter_cfg },
	{ HWRM_CFA_L2_SET_RX_MASK, REQ(l2_set_rx_mask_req), PLAIN, "CFA_L2_SET_RX_MASK",
	  hwrm_l2_set_rx_mask },
	{ HWRM_CFA_NTUPLE_ALLOC, REQ(ntuple_alloc_req), RESP(filter_alloc_resp),
	  "CFA_NTUPLE_FILTER_ALLOC", hwrm_ntuple_alloc },
	{ HWRM_CFA_NTUPLE_FREE, REQ(filter_free_req), PLAIN, "CFA_NTUPLE_FILTER_FREE",
	  hwrm_ntuple_free },
	{ HWRM_CFA_NTUPLE_CFG, REQ(ntuple_cfg_req), PLAIN, "CFA_NTUPLE_FILTER_CFG",
	  hwrm_ntuple_cfg },

	{ HWRM_NVM_GET_DEV_INFO, HDR, RESP(nvm_get_dev_info_resp), "NVM_GET_DEV_INFO",
	  hwrm_nvm_get_dev_info },
	{ HWRM_NVM_GET_DIR_INFO, HDR, RESP(nvm_get_dir_info_resp), "NVM_GET_DIR_INFO",
	  hwrm_nvm_get_dir_info },
	{ HWRM_NVM_GET_DIR_ENTRIES, REQ(nvm_get_dir_entries_req), PLAIN, "NVM_GET_DIR_ENTRIES",
	  hwrm_nvm_get_dir_entries },
	{ HWRM_NVM_FIND_DIR_ENTRY, REQ(nvm_find_dir_entry_req), RESP(nvm_find_dir_entry_resp),
	  "NVM_FIND_DIR_ENTRY", hwrm_nvm_find_dir_entry },
	{ HWRM_NVM_READ, REQ(nvm_read_req), PLAIN, "NVM_READ", hwrm_nvm_read },
	{ HWRM_SELFTEST_QLIST, HDR, RESP(selftest_qlist_resp), "SELFTEST_QLIST",
	  hwrm_selftest_qlist },
	{ HWRM_SELFTEST_EXEC, REQ(selftest_exec_req), RESP(selftest_exec_resp), "SELFTEST_EXEC",
	  hwrm_selftest_exec },
	{ HWRM_SELFTEST_IRQ, HDR, PLAIN, "SELFTEST_IRQ", hwrm_selftest_irq },
	{ HWRM_DBG_READ_DIRECT, REQ(dbg_read_direct_req), PLAIN, "DBG_READ_DIRECT",
	  hwrm_dbg_read_direct },
};

/**
 * hwrm_command - look at the table of commands
 * @i: which
 * @op: its number
 * @req_len: shortest request, header included
 * @resp_len: length of its answer, header included
 *
 * Return: its name, NULL behind the last.
 */
const char *hwrm_command(size_t i, uint16_t *op, uint16_t *req_len, uint16_t *resp_len)
{
	if (i >= ARRAY_SIZE(commands))
		return NULL;
	*op = commands[i].op;
	*req_len = commands[i].req_len;
	*resp_len = commands[i].resp_len;
	return commands[i].name;
}

static const struct hwrm_cmd *find_command(uint16_t op)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (commands[i].op == op)
			return &commands[i];
	return NULL;
}

union request {
	struct hwrm_req_hdr hdr;
	struct hwrm_short_req brief;
	uint8_t bytes[MAX_REQ];
};

/*
 * The mailbox holds the request itself, or a short one that says where in the
 * guest's memory it is. Returns its length, 0 if it cannot be had.
 */
static unsigned int fetch(struct nic *nic, union request *req)
{
	const void *src;
	struct hwrm_short_req brief;

	memset(req, 0, sizeof(*req));
	memcpy(req->bytes, nic->window, sizeof(nic->window));
	brief = req->brief;
	if (brief.signature != HWRM_SHORT_SIGNATURE)
		return sizeof(nic->window);

	src = brief.size >= HDR && brief.size <= MAX_REQ ?
		      dma_ptr(&nic->dma, brief.req_addr, brief.size) :
		      NULL;
	if (!src) {
		TRACE(nic, "HWRM request of %u bytes at %#llx cannot be read", brief.size,
		      (unsigned long long)brief.req_addr);
		return 0;
	}
	memset(req, 0, sizeof(*req));
	memcpy(req->bytes, src, brief.size);
	return brief.size;
}

/**
 * nic_hwrm_known - whether there is a command
 * @name: its name, as the trace prints it
 *
 * Return: true if the firmware has it.
 */
bool nic_hwrm_known(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].name, name))
			return true;
	return false;
}

static struct nic_hwrm_fault ask_fate(struct nic *nic, const struct hwrm_cmd *cmd)
{
	if (!cmd || !nic->ops.hwrm_fault)
		return (struct nic_hwrm_fault){ NIC_HWRM_FINE };
	return nic->ops.hwrm_fault(nic->host, cmd->name);
}

/* Makes an answer one that no good firmware gives */
static void spoil_answer(enum nic_hwrm_fate fate, struct hwrm_req_hdr *hdr, uint8_t *resp,
			 uint16_t len)
{
	uint8_t *body = resp + sizeof(struct hwrm_resp_hdr);

	if (fate == NIC_HWRM_WRONG_SEQ)
		hdr->seq_id ^= 0x4000;
	else if (fate == NIC_HWRM_ZEROS)
		memset(body, 0, len - sizeof(struct hwrm_resp_hdr));
	else if (fate == NIC_HWRM_ONES)
		memset(body, 0xff, len - sizeof(struct hwrm_resp_hdr));
}

/*
 * The driver polls resp_len, and then the last byte: resp_len is written last.
 */
static void answer(struct nic *nic, const struct hwrm_req_hdr *req, uint8_t *resp, uint16_t len,
		   uint16_t error, bool valid)
{
	struct hwrm_resp_hdr *hdr = (struct hwrm_resp_hdr *)resp;
	uint8_t *dst = dma_ptr(&nic->dma, req->resp_addr, len);
	uint32_t last;

	if (!dst) {
		TRACE(nic, "HWRM answer to %#x cannot be written at %#llx", req->req_type,
		      (unsigned long long)req->resp_addr);
		return;
	}
	hdr->error_code = error;
	hdr->req_type = req->req_type;
	hdr->seq_id = req->seq_id;
	hdr->resp_len = len;
	resp[len - 1] = valid;
	memcpy(dst + sizeof(*hdr), resp + sizeof(*hdr), len - sizeof(*hdr));
	memcpy(dst, resp, 4);
	memcpy(&last, resp + 4, sizeof(last));
	store32_release(dst + 4, last);
}

static void trace_command(struct nic *nic, const struct hwrm_cmd *cmd, const union request *req,
			  uint16_t error, enum nic_hwrm_fate fate)
{
	const char *spoilt = fate == NIC_HWRM_FINE ? "" : ", a fault";
	char args[192];

	if (!nic->ops.trace)
		return;
	hwrm_describe(cmd->op, req->bytes, args, sizeof(args));
	if (error)
		nic_trace(nic, "HWRM %s%s refused, error %u%s", cmd->name, args, error, spoilt);
	else
		nic_trace(nic, "HWRM %s%s%s", cmd->name, args, spoilt);
}

static void send_answer(struct nic *nic, const struct hwrm_req_hdr *req, uint8_t *resp, uint16_t len,
			uint16_t error, bool valid)
{
	answer(nic, req, resp, len, error, valid);
	if (req->cmpl_ring != HWRM_NO_CMPL_RING)
		ring_post_hwrm_done(nic, req->cmpl_ring, req->seq_id);
}

/**
 * nic_hwrm_release - give the answer that a fault held back
 * @nic: device
 *
 * Nothing happens if there is none, or if the driver has gone on to another command.
 */
void nic_hwrm_release(struct nic *nic)
{
	struct hwrm_held *held = &nic->held;

	if (!held->there)
		return;
	held->there = false;
	send_answer(nic, &held->req, held->resp, held->len, held->error, true);
}

/**
 * hwrm_process - run the command in the mailbox
 * @nic: device
 */
void hwrm_process(struct nic *nic)
{
	_Alignas(8) uint8_t resp[MAX_RESP] = { 0 };
	union request req;
	const struct hwrm_cmd *cmd;
	uint16_t len = PLAIN, error = HWRM_NOT_SUPPORTED;
	unsigned int got = fw_listens(nic) ? fetch(nic, &req) : 0;
	struct nic_hwrm_fault fault;
	struct hwrm_req_hdr hdr;

	if (!got)
		return;
	/* who asks for something else does not wait any more */
	nic->held.there = false;
	if (nic->ops.request)
		nic->ops.request(nic->host, req.bytes, got);
	hdr = req.hdr;
	cmd = find_command(hdr.req_type);
	fault = ask_fate(nic, cmd);
	if (fault.fate == NIC_HWRM_LOST) {
		TRACE(nic, "HWRM %s lost, by a fault", cmd->name);
		return;
	}
	if (fault.fate == NIC_HWRM_REFUSED) {
		error = fault.error;
	} else if (cmd && got < cmd->req_len) {
		error = HWRM_INVALID_PARAMS;
	} else if (cmd) {
		error = cmd->fn(nic, req.bytes, resp + sizeof(struct hwrm_resp_hdr));
		if (!error)
			len = cmd->resp_len;
	}
	if (error)
		memset(resp, 0, sizeof(resp));
	if (!cmd)
		TRACE(nic, "HWRM command %#x is not supported", hdr.req_type);
	else
		trace_command(nic, cmd, &req, error, fault.fate);
	if (fault.fate == NIC_HWRM_MUTE)
		return;
	if (fault.fate == NIC_HWRM_HELD) {
		nic->held = (struct hwrm_held){ .there = true, .req = hdr, .len = len, .error = error };
		memcpy(nic->held.resp, resp, len);
		return;
	}
	spoil_answer(fault.fate, &hdr, resp, len);
	send_answer(nic, &hdr, resp, len, error, fault.fate != NIC_HWRM_NOT_VALID);
}

/* For commands whose effect nobody can see here, or whose answer is "nothing of that" */
enum hwrm_error hwrm_accept(struct nic *nic, const void *req, void *resp)
{
	(void)nic;
	(void)req;
	(void)resp;
	return HWRM_OK;
}
