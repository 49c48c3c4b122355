// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The firmware as something that lives, fails and comes back.
 *
 * It shows its health in registers of GRC space (where: ERROR_RECOVERY_QCFG),
 * says by RESET_NOTIFY that it is about to reset, and is silent while it boots.
 * All that the driver allocated is gone after that; FUNC_DRV_IF_CHANGE says so.
 *
 * Periods are those that bnxt_en takes when a firmware gives none, shortened
 * where nothing but patience hangs on them.
 */
#include "core.h"

#define DSEC		100000000ull	/* ns: the unit of all periods that drivers are told */
#define MSEC		1000000ull	/* ns: the unit of what is configured */
#define HEARTBEAT	DSEC

#define POLLING		10	/* dsec: how often the driver looks for the heartbeat */
#define MASTER_WAIT	5	/* between the driver's retreat and its reset of the chip */
#define NORMAL_WAIT	100	/* for drivers that are not master, and devlink's patience */
#define RESET_MIN_WAIT	10	/* before the driver looks whether the firmware is back */
#define BOOT_MAX_WAIT	57	/* before it gives up, after the firmware should be there */
#define CRASH_WAIT	2	/* a crash is followed by a reset after this */

static unsigned int to_dsec(unsigned int ms) { return (ms + 99) / 100; }

static unsigned int reset_max_wait(const struct nic *nic)
{
	return to_dsec(nic->cfg.fw_boot_ms) + BOOT_MAX_WAIT;
}

/**
 * fw_init - firmware after power-on
 * @nic: device
 */
void fw_init(struct nic *nic)
{
	nic->fw = (struct fw){ .state = FW_READY, .reset_allowed = true, .alive = nic->now };
}

/**
 * fw_listens - whether the mailbox is read
 * @nic: device
 *
 * Return: false while the firmware is dead or boots.
 */
bool fw_listens(const struct nic *nic)
{
	return nic->fw.state == FW_READY || nic->fw.state == FW_LEAVING;
}

/**
 * fw_driver_gone - there is no driver any more that the firmware could tell things
 * @nic: device
 */
void fw_driver_gone(struct nic *nic)
{
	nic->fw.registered = false;
	nic->fw.fwd_valid = false;
	nic->fw.rgtr_flags = 0;
	/* nobody is left to wait for; an answer that is due goes out first */
	if (nic->fw.state == FW_LEAVING)
		nic->fw.until = nic->now;
}

static void boot(struct nic *nic)
{
	fw_driver_gone(nic);
	nic->fw.state = FW_BOOTING;
	nic->fw.status = FW_STATUS_BOOTING;
	nic->fw.until = nic->now + nic->cfg.fw_boot_ms * MSEC;
	nic_function_reset(nic);
	memset(nic->grc_windows, 0, sizeof(nic->grc_windows));
	TRACE(nic, "firmware: resets");
}

static void booted(struct nic *nic)
{
	nic->fw.state = FW_READY;
	nic->fw.alive = nic->now;
	nic->fw.resets++;
	nic->fw.reset_done = true;
	TRACE(nic, "firmware: runs again, reset %u", nic->fw.resets);
}

/**
 * fw_run_timers - ends what takes a time
 * @nic: device
 *
 * Return: ns until the next end, UINT64_MAX for none.
 */
uint64_t fw_run_timers(struct nic *nic)
{
	struct fw *fw = &nic->fw;

	if (fw->state == FW_READY || fw->state == FW_STUCK)
		return UINT64_MAX;
	if (fw->until <= nic->now) {
		if (fw->state == FW_BOOTING) {
			booted(nic);
			return UINT64_MAX;
		}
		boot(nic);
	}
	return fw->until - nic->now;
}

static void announce_reset(struct nic *nic, enum reset_reason reason, uint32_t status,
			   unsigned int delay)
{
	nic_async_event(nic, ASYNC_RESET_NOTIFY,
			RESET_NOTIFY_IFDOWN | RESET_NOTIFY_REASON(reason) |
				RESET_NOTIFY_DELAY(delay),
			status & 0xffff, RESET_MIN_WAIT, reset_max_wait(nic));
}

/* Announced, so the driver can close with a firmware that still answers */
static void leave(struct nic *nic, enum reset_reason reason, uint32_t status)
{
	nic->fw.state = FW_LEAVING;
	nic->fw.status = FW_STATUS_READY;
	nic->fw.until = nic->now + (nic->fw.registered ? nic->cfg.fw_leave_ms * MSEC : 0);
	announce_reset(nic, reason, status, to_dsec(nic->cfg.fw_leave_ms));
}

/**
 * nic_fw_error - make the firmware fail
 * @nic: device
 * @fault: how
 *
 * Return: false if it has no error recovery, or is failing already.
 */
bool nic_fw_error(struct nic *nic, enum nic_fw_fault fault)
{
	struct fw *fw = &nic->fw;

	if (!nic->cfg.error_recovery || fw->state != FW_READY)
		return false;
	fw->errors++;
	fw->alive = nic->now;	/* where the heartbeat stops, if it does */
	switch (fault) {
	case NIC_FW_NONFATAL:
		TRACE(nic, "firmware: error, not fatal");
		leave(nic, RESET_NON_FATAL, FW_STATUS_ERROR);
		break;
	case NIC_FW_FATAL:
		TRACE(nic, "firmware: fatal error");
		fw->state = FW_CRASHED;
		fw->status = FW_STATUS_ERROR | FW_STATUS_RECOVERABLE;
		fw->until = nic->now + CRASH_WAIT * DSEC;
		announce_reset(nic, RESET_FATAL, FW_STATUS_ERROR, CRASH_WAIT);
		break;
	case NIC_FW_SILENT:
		TRACE(nic, "firmware: stuck");
		fw->state = FW_STUCK;
		fw->status = FW_STATUS_ERROR | FW_STATUS_RECOVERABLE;
		break;
	}
	nic_flush(nic);
	return true;
}

/*
 * Registers
 */

/* One a second tenth while the firmware runs, and never the same after a reset */
static uint32_t heartbeat(const struct nic *nic)
{
	uint64_t now = fw_listens(nic) ? nic->now : nic->fw.alive;

	return now / HEARTBEAT + 1;
}

/**
 * fw_reg_read - a register of GRC space
 * @nic: device
 * @addr: its address
 *
 * Return: its value, 0 if there is none.
 */
uint32_t fw_reg_read(const struct nic *nic, uint32_t addr)
{
	const struct fw *fw = &nic->fw;

	if (!nic->cfg.error_recovery)
		return 0;
	switch (addr) {
	case GRC_HCOMM_STATUS:
		return GRC_HCOMM_SIGNATURE;
	case GRC_HCOMM_STATUS + 4:
		return GRC_HEALTH | GRC_SPACE_GRC;
	case GRC_HEALTH:
		return fw->state == FW_READY ? FW_STATUS_READY : fw->status;
	case GRC_HEARTBEAT:
		return heartbeat(nic);
	case GRC_RESET_COUNT:
		return fw->resets;
	case GRC_RESET_IN_PROGRESS:
		return fw->state == FW_BOOTING;
	case GRC_RECOVERY_COUNT:
		return fw->errors;
	default:
		return 0;
	}
}

/**
 * fw_reg_write - a write to a register of GRC space
 * @nic: device
 * @addr: its address
 * @val: value; 1 in the reset register resets the chip
 */
void fw_reg_write(struct nic *nic, uint32_t addr, uint32_t val)
{
	if (nic->cfg.error_recovery && addr == GRC_CHIP_RESET && val == 1 &&
	    nic->fw.state != FW_BOOTING)
		boot(nic);
}

/*
 * Commands
 */

enum hwrm_error hwrm_error_recovery_qcfg(struct nic *nic, const void *req, void *resp)
{
	struct error_recovery_qcfg_resp *r = resp;

	(void)req;
	if (!nic->cfg.error_recovery)
		return HWRM_NOT_SUPPORTED;
	r->flags = ERROR_RECOVERY_HOST;
	r->driver_polling_freq = POLLING;
	r->master_func_wait = MASTER_WAIT;
	r->normal_func_wait = NORMAL_WAIT;
	r->master_wait_after_reset = RESET_MIN_WAIT;
	r->max_bailout = reset_max_wait(nic);
	r->health_reg = GRC_HEALTH | GRC_SPACE_GRC;
	r->heartbeat_reg = GRC_HEARTBEAT | GRC_SPACE_GRC;
	r->reset_cnt_reg = GRC_RESET_COUNT | GRC_SPACE_GRC;
	r->inprogress_reg = GRC_RESET_IN_PROGRESS | GRC_SPACE_GRC;
	r->inprogress_mask = 1;
	r->recovery_cnt_reg = GRC_RECOVERY_COUNT | GRC_SPACE_GRC;
	r->reg_array_cnt = 1;
	r->reset_reg[0] = GRC_CHIP_RESET | GRC_SPACE_GRC;
	r->reset_reg_val[0] = 1;
	return HWRM_OK;
}

enum hwrm_error hwrm_fw_reset(struct nic *nic, const void *req, void *resp)
{
	const struct fw_reset_req *q = req;
	struct fw_reset_resp *r = resp;

	if (!nic->cfg.error_recovery)
		return HWRM_NOT_SUPPORTED;
	if (q->embedded_proc_type != FW_RESET_CHIP || q->selfrst_status != FW_RESET_ASAP)
		return HWRM_INVALID_PARAMS;
	if (nic->fw.state != FW_READY)
		return HWRM_FAIL;
	leave(nic, q->flags & FW_RESET_ACTIVATION ? RESET_ACTIVATION : RESET_MANAGEMENT, 0);
	r->selfrst_status = FW_RESET_ASAP;
	return HWRM_OK;
}

enum hwrm_error hwrm_func_drv_rgtr(struct nic *nic, const void *req, void *resp)
{
	const struct func_drv_rgtr_req *q = req;
	struct func_drv_rgtr_resp *r = resp;
	struct fw *fw = &nic->fw;

	fw->registered = true;
	fw->rgtr_flags = q->flags;
	fw->recovery_told = false;
	fw->reset_done = false;
	if (q->enables & DRV_RGTR_EN_ASYNC_FWD) {
		memcpy(fw->async_fwd, q->async_event_fwd, sizeof(fw->async_fwd));
		fw->fwd_valid = true;
	}
	if (nic->cfg.error_recovery)
		r->flags = DRV_RGTR_IF_CHANGE;
	return HWRM_OK;
}

enum hwrm_error hwrm_func_drv_unrgtr(struct nic *nic, const void *req, void *resp)
{
	(void)req;
	(void)resp;
	fw_driver_gone(nic);
	return HWRM_OK;
}

enum hwrm_error hwrm_func_drv_if_change(struct nic *nic, const void *req, void *resp)
{
	const struct func_drv_if_change_req *q = req;
	struct func_drv_if_change_resp *r = resp;

	if (!nic->cfg.error_recovery)
		return HWRM_NOT_SUPPORTED;
	if (q->flags & IF_CHANGE_UP && nic->fw.reset_done) {
		r->flags = IF_CHANGE_RESET_DONE;
		nic->fw.reset_done = false;
	}
	return HWRM_OK;
}

/**
 * fw_async_ready - the driver can be told things now
 * @nic: device
 *
 * Tells it once that it is the one who looks after the firmware.
 */
void fw_async_ready(struct nic *nic)
{
	struct fw *fw = &nic->fw;

	if (!nic->cfg.error_recovery || !(fw->rgtr_flags & DRV_RGTR_ERROR_RECOVERY) ||
	    fw->recovery_told)
		return;
	fw->recovery_told = true;
	nic_async_event(nic, ASYNC_ERROR_RECOVERY,
			ERROR_RECOVERY_ENABLED |
				(fw->rgtr_flags & DRV_RGTR_MASTER ? ERROR_RECOVERY_MASTER : 0),
			0, 0, 0);
}
