// SPDX-License-Identifier: GPL-2.0-or-later
/* HWRM: rings and statistics contexts. */
#include <stdlib.h>

#include "core.h"

#define PTE_ADDR		(~0xfffull)
#define PAGE_SHIFT_MIN		12
#define PAGE_SHIFT_MAX		30
#define WHOLE_RING_SHIFT	40	/* one "page" that no ring outgrows */

/*
 * Reads where a ring's pages are. The table is read once; a driver that changes
 * it later changes nothing.
 */
static bool load_pages(struct nic *nic, struct ring *r, const struct ring_alloc_req *q)
{
	uint64_t bytes = (uint64_t)r->entries * ENTRY_SIZE;
	const uint8_t *table;

	if (q->page_tbl_depth == 0) {
		r->page_shift = WHOLE_RING_SHIFT;
		r->n_pages = 1;
	} else {
		if (q->page_size < PAGE_SHIFT_MIN || q->page_size > PAGE_SHIFT_MAX)
			return false;
		r->page_shift = q->page_size;
		r->n_pages = (bytes + (1ull << r->page_shift) - 1) >> r->page_shift;
	}
	r->page = calloc(r->n_pages, sizeof(*r->page));
	if (!r->page)
		return false;
	if (q->page_tbl_depth == 0) {
		r->page[0] = q->page_tbl_addr;
		return !(r->page[0] & (ENTRY_SIZE - 1)) && dma_ptr(&nic->dma, r->page[0], bytes);
	}
	table = dma_ptr(&nic->dma, q->page_tbl_addr, r->n_pages * sizeof(uint64_t));
	if (!table)
		return false;
	memcpy(r->page, table, r->n_pages * sizeof(uint64_t));
	for (unsigned int i = 0; i < r->n_pages; i++) {
		r->page[i] &= PTE_ADDR;
		if (!dma_ptr(&nic->dma, r->page[i], 1ull << r->page_shift))
			return false;
	}
	return true;
}

static unsigned int rings_of_type(const struct nic *nic, unsigned int type)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < MAX_RINGS; i++)
		n += nic->ring[i].state != RING_UNUSED && nic->ring[i].type == type;
	return n;
}

static bool may_have_another(const struct nic *nic, unsigned int type)
{
	switch (type) {
	case RING_CMPL:
		return rings_of_type(nic, type) < nic->max.cmpl;
	case RING_TX:
		return rings_of_type(nic, type) < nic->max.tx;
	case RING_RX:
	case RING_AGG:
		return rings_of_type(nic, RING_RX) + rings_of_type(nic, RING_AGG) < nic->max.rx;
	case RING_NQ:
		return rings_of_type(nic, type) < nic->max.msix;
	default:
		return false;
	}
}

/* What a ring belongs to; false if that does not exist */
static bool link_ring(struct nic *nic, struct ring *r, const struct ring_alloc_req *q)
{
	struct ring *rx;

	r->logical_id = q->logical_id;
	r->stat_ctx = q->stat_ctx_id;
	switch (r->type) {
	case RING_NQ:
		r->vector = q->logical_id;
		return r->vector < nic->max.msix;
	case RING_CMPL:
		r->nq_id = q->nq_ring_id;
		r->cq_handle = q->cq_handle;
		return q->enables & RING_EN_NQ_RING_ID && ring_get(nic, r->nq_id, RING_NQ);
	case RING_TX:
		r->cq_id = q->cmpl_ring_id;
		return ring_get(nic, r->cq_id, RING_CMPL);
	case RING_RX:
		r->sop_pad = q->flags & RING_FLAG_RX_SOP_PAD ? 2 : 0;
		r->buf_size = q->enables & RING_EN_RX_BUF_SIZE ? q->rx_buf_size : 0;
		return r->logical_id < nic->cfg.queues;
	case RING_AGG:
		r->buf_size = q->enables & RING_EN_RX_BUF_SIZE ? q->rx_buf_size : 0;
		rx = q->enables & RING_EN_RX_RING_ID ? ring_get(nic, q->rx_ring_id, RING_RX) : NULL;
		if (!rx || !r->buf_size)
			return false;
		r->rx_id = rx->id;
		rx->agg_id = r->id;
		return true;
	default:
		return false;
	}
}

enum hwrm_error hwrm_ring_alloc(struct nic *nic, const void *req, void *resp)
{
	const struct ring_alloc_req *q = req;
	struct ring_alloc_resp *a = resp;
	struct ring *r;

	if (q->length < 2 || q->length > MAX_RING_ENTRIES || q->length & (q->length - 1) ||
	    q->fbo || q->page_tbl_depth > 1)
		return HWRM_INVALID_PARAMS;
	if (!may_have_another(nic, q->ring_type))
		return HWRM_RESOURCE_ALLOC;
	r = ring_new(nic, q->ring_type);
	if (!r)
		return HWRM_RESOURCE_ALLOC;
	r->entries = q->length;
	if (!load_pages(nic, r, q) || !link_ring(nic, r, q)) {
		ring_free(nic, r);
		return HWRM_INVALID_PARAMS;
	}
	a->ring_id = r->id;
	a->logical_ring_id = r->logical_id;
	TRACE(nic, "ring %u: %s of queue %u, %u entries, buffers of %u bytes", r->id,
	      ring_type_name(r->type), r->logical_id, r->entries, r->buf_size);
	return HWRM_OK;
}

enum hwrm_error hwrm_ring_free(struct nic *nic, const void *req, void *resp)
{
	const struct ring_free_req *q = req;
	struct ring *r = q->ring_id < MAX_RINGS ? &nic->ring[q->ring_id] : NULL;

	(void)resp;
	if (!r || r->state == RING_UNUSED || r->type != q->ring_type)
		return HWRM_INVALID_PARAMS;
	TRACE(nic, "ring %u: %s of queue %u freed", r->id, ring_type_name(r->type), r->logical_id);
	ring_free(nic, r);
	return HWRM_OK;
}

enum hwrm_error hwrm_stat_ctx_alloc(struct nic *nic, const void *req, void *resp)
{
	const struct stat_ctx_alloc_req *q = req;
	struct stat_ctx_resp *a = resp;
	uint32_t len = min_u32(q->stats_dma_length, sizeof(struct ctx_stats)) & ~7u;
	unsigned int id;

	for (id = 0; id < MAX_STAT_CTXS && nic->stat[id].used; id++)
		;
	if (id == MAX_STAT_CTXS)
		return HWRM_RESOURCE_ALLOC;
	if (q->update_period_ms && !dma_ptr(&nic->dma, q->stats_dma_addr, len))
		return HWRM_INVALID_PARAMS;
	nic->stat[id] = (struct stat_ctx){
		.used = true, .addr = q->stats_dma_addr, .len = len,
		.period = q->update_period_ms * 1000000ull,
		.due = nic->now + q->update_period_ms * 1000000ull,
	};
	a->stat_ctx_id = id;
	return HWRM_OK;
}

enum hwrm_error hwrm_stat_ctx_free(struct nic *nic, const void *req, void *resp)
{
	const struct stat_ctx_req *q = req;
	struct stat_ctx_resp *a = resp;
	struct stat_ctx *ctx = stat_ctx(nic, q->stat_ctx_id);

	if (!ctx)
		return HWRM_INVALID_PARAMS;
	stat_ctx_write(nic, ctx);
	ctx->used = false;
	a->stat_ctx_id = q->stat_ctx_id;
	return HWRM_OK;
}

enum hwrm_error hwrm_stat_ctx_query(struct nic *nic, const void *req, void *resp)
{
	const struct stat_ctx_req *q = req;
	struct stat_ctx_query_resp *a = resp;
	const struct stat_ctx *ctx = stat_ctx(nic, q->stat_ctx_id);

	if (!ctx)
		return HWRM_INVALID_PARAMS;
	memcpy(a->tx_pkts, ctx->s.tx_pkts, sizeof(a->tx_pkts));
	memcpy(a->tx_bytes, ctx->s.tx_bytes, sizeof(a->tx_bytes));
	memcpy(a->rx_pkts, ctx->s.rx_pkts, sizeof(a->rx_pkts));
	memcpy(a->rx_bytes, ctx->s.rx_bytes, sizeof(a->rx_bytes));
	a->tx_discard = ctx->s.tx_discard;
	a->tx_error = ctx->s.tx_error;
	a->rx_discard = ctx->s.rx_discard;
	a->rx_error = ctx->s.rx_error;
	return HWRM_OK;
}

enum hwrm_error hwrm_stat_ctx_clr(struct nic *nic, const void *req, void *resp)
{
	const struct stat_ctx_req *q = req;
	struct stat_ctx *ctx = stat_ctx(nic, q->stat_ctx_id);

	(void)resp;
	if (!ctx)
		return HWRM_INVALID_PARAMS;
	memset(&ctx->s, 0, sizeof(ctx->s));
	return HWRM_OK;
}
