// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Interrupt coalescing: when an armed completion queue may tell its driver that
 * it has entries.
 *
 * It may when INT_LAT_TMR_MIN has passed since it did so last, and either
 * NUM_CMPL_AGGR_INT entries wait or the oldest of them has waited for
 * INT_LAT_TMR_MAX (with TIMER_RESET: the newest). Times are units of 80 ns.
 * Completions are written at once, so what the command says of DMA is of no
 * consequence, and RING_AGGINT_QCAPS does not announce it.
 *
 * With RING_IDLE it may as soon as its ring is idle. The HSI says no more than
 * "ring idle mode"; bnxt_en asks for it where rx-usecs is below 50, so it is for
 * low latency. Here a ring is idle at the end of a burst.
 */
#include "core.h"

#define UNIT		80u	/* ns */
#define MAX_CMPL	63
#define MAX_TIMER	0xffff
#define PARAMS	(AGGINT_INT_LAT_TMR_MIN | AGGINT_INT_LAT_TMR_MAX | AGGINT_TIMER_RESET | \
		 AGGINT_RING_IDLE | AGGINT_NUM_CMPL_AGGR_INT)

/**
 * coal_pending - entries wait on an armed queue
 * @nic: device
 * @cq: completion queue, just armed or with a new entry
 */
void coal_pending(struct nic *nic, struct ring *cq)
{
	struct coal *c = &cq->coal;

	if (!c->waiting || c->timer_reset)
		c->since = nic->now;
	c->waiting = true;
}

/**
 * coal_notified - a queue told its driver
 * @nic: device
 * @cq: completion queue
 */
void coal_notified(struct nic *nic, struct ring *cq)
{
	cq->coal.waiting = false;
	cq->coal.last = nic->now;
	cq->coal.notified = true;
}

/**
 * coal_wait - how long a queue has to wait before it may tell its driver
 * @nic: device
 * @cq: armed completion queue with entries
 *
 * Return: ns, 0 for not at all.
 */
uint64_t coal_wait(const struct nic *nic, const struct ring *cq)
{
	const struct coal *c = &cq->coal;
	uint64_t due = 0;

	if (!nic->cfg.coalesce || c->ring_idle)
		return 0;
	if (cq->prod - cq->cons < c->num_cmpl)
		due = c->since + c->lat_max;
	if (c->notified && due < c->last + c->lat_min)
		due = c->last + c->lat_min;
	return due > nic->now ? due - nic->now : 0;
}

enum hwrm_error hwrm_ring_aggint_qcaps(struct nic *nic, const void *req, void *resp)
{
	struct aggint_qcaps_resp *a = resp;

	(void)req;
	if (!nic->cfg.coalesce)
		return HWRM_NOT_SUPPORTED;
	a->cmpl_params = PARAMS;
	/* not 0 for what is not announced, too: drivers clamp to these all the same */
	a->num_cmpl_dma_aggr_max = MAX_CMPL;
	a->num_cmpl_dma_aggr_during_int_max = MAX_CMPL;
	a->cmpl_aggr_dma_tmr_max = MAX_TIMER;
	a->cmpl_aggr_dma_tmr_during_int_max = MAX_TIMER;
	a->int_lat_tmr_min_max = MAX_TIMER;
	a->int_lat_tmr_max_max = MAX_TIMER;
	a->num_cmpl_aggr_int_max = MAX_TIMER;
	a->timer_units = UNIT;
	return HWRM_OK;
}

enum hwrm_error hwrm_ring_aggint_cfg(struct nic *nic, const void *req, void *resp)
{
	const struct aggint_cfg_req *q = req;
	struct ring *cq = ring_get(nic, q->ring_id, RING_CMPL);
	struct coal *c;

	(void)resp;
	if (!cq)	/* an NQ takes what it is told; nothing of it is announced */
		return ring_get(nic, q->ring_id, RING_NQ) ? HWRM_OK : HWRM_INVALID_PARAMS;
	c = &cq->coal;
	c->timer_reset = q->flags & AGGINT_FLAG_TIMER_RESET;
	c->ring_idle = q->flags & AGGINT_FLAG_RING_IDLE;
	if (q->enables & AGGINT_EN_INT_LAT_TMR_MIN)
		c->lat_min = q->int_lat_tmr_min * UNIT;
	if (q->enables & AGGINT_EN_INT_LAT_TMR_MAX)
		c->lat_max = q->int_lat_tmr_max * UNIT;
	if (q->enables & AGGINT_EN_NUM_CMPL_AGGR_INT)
		c->num_cmpl = q->num_cmpl_aggr_int;
	TRACE(nic, "ring %u: interrupts after %u entries or %u ns, not sooner than %u ns%s%s%s", cq->id,
	      c->num_cmpl, c->lat_max, c->lat_min, c->timer_reset ? ", timer reset" : "",
	      c->ring_idle ? ", or when idle" : "",
	      nic->cfg.coalesce ? "" : " (not done)");
	return HWRM_OK;
}

enum hwrm_error hwrm_ring_qaggint(struct nic *nic, const void *req, void *resp)
{
	const struct aggint_qcfg_req *q = req;
	struct aggint_qcfg_resp *a = resp;
	const struct ring *cq = ring_get(nic, q->ring_id, RING_CMPL);

	if (!cq)
		return HWRM_INVALID_PARAMS;
	a->flags = (cq->coal.timer_reset ? AGGINT_FLAG_TIMER_RESET : 0) |
		   (cq->coal.ring_idle ? AGGINT_FLAG_RING_IDLE : 0);
	a->int_lat_tmr_min = cq->coal.lat_min / UNIT;
	a->int_lat_tmr_max = cq->coal.lat_max / UNIT;
	a->num_cmpl_aggr_int = cq->coal.num_cmpl;
	return HWRM_OK;
}
