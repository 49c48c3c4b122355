// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rings, doorbells, and how the driver gets to know.
 *
 * A completion queue (CQ) tells its notification queue (NQ) about new entries
 * once after it was armed; an NQ raises its interrupt once after it was armed.
 * Both are kept as levels, not as edges: whoever is armed and has entries that
 * the driver did not acknowledge is due, and gets served by ring_notify() at
 * the end of a burst. So an entry before the arm, after it, or between the
 * doorbells of one poll always leads to exactly one notification.
 */
#include <stdlib.h>

#include "core.h"

static const char *const type_names[] = {
	[RING_CMPL] = "CQ", [RING_TX] = "TX", [RING_RX] = "RX",
	[RING_AGG] = "AGG", [RING_NQ] = "NQ",
};

/**
 * ring_type_name - a ring type in words
 * @type: number, possibly senseless
 *
 * Return: its name.
 */
const char *ring_type_name(unsigned int type)
{
	return type < ARRAY_SIZE(type_names) && type_names[type] ? type_names[type] : "?";
}

/* Work lists hold each ring once; ring_free() takes it off */
void work_add(struct work_list *list, struct ring *r)
{
	if (r->queued)
		return;
	r->queued = true;
	list->id[list->n++] = r->id;
}

static void work_del(struct work_list *list, struct ring *r)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < list->n; i++)
		if (list->id[i] != r->id)
			list->id[kept++] = list->id[i];
	list->n = kept;
}

static struct work_list *list_of(struct nic *nic, const struct ring *r)
{
	switch (r->type) {
	case RING_CMPL:
		return &nic->cq_work;
	case RING_NQ:
		return &nic->nq_work;
	case RING_TX:
		return &nic->tx_work;
	default:
		return NULL;
	}
}

/**
 * ring_get - find a ring that can be used
 * @nic: device
 * @id: id, as the driver or another ring names it
 * @type: what it has to be
 *
 * Return: the ring, NULL if there is none of that type or it failed.
 */
struct ring *ring_get(struct nic *nic, unsigned int id, enum ring_type type)
{
	struct ring *r = id < MAX_RINGS ? &nic->ring[id] : NULL;

	return r && r->state == RING_LIVE && r->type == type ? r : NULL;
}

/**
 * ring_new - take a free ring
 * @nic: device
 * @type: what it will be
 *
 * Return: the ring, zeroed but for id, type and serial; NULL if all are in use.
 */
struct ring *ring_new(struct nic *nic, enum ring_type type)
{
	for (unsigned int i = 0; i < MAX_RINGS; i++) {
		unsigned int id = (nic->next_ring + i) % MAX_RINGS;
		struct ring *r = &nic->ring[id];

		if (r->state != RING_UNUSED)
			continue;
		nic->next_ring = id + 1;
		*r = (struct ring){
			.state = RING_LIVE,
			.type = type,
			.id = id,
			.serial = ++nic->ring_serial,
			.cq_id = HWRM_NO_ID,
			.nq_id = HWRM_NO_ID,
			.agg_id = HWRM_NO_ID,
			.rx_id = HWRM_NO_ID,
		};
		return r;
	}
	return NULL;
}

/* Ids are given again: what belongs to this ring must not belong to a later one of its id */
static void unlink_ring(struct nic *nic, const struct ring *gone)
{
	for (unsigned int i = 0; i < MAX_RINGS; i++) {
		struct ring *r = &nic->ring[i];
		uint16_t *const links[] = { &r->nq_id, &r->cq_id, &r->agg_id, &r->rx_id };

		for (unsigned int l = 0; l < sizeof(links) / sizeof(links[0]); l++)
			if (*links[l] == gone->id)
				*links[l] = HWRM_NO_ID;
	}
}

/**
 * ring_free - forget a ring
 * @nic: device
 * @r: ring; nothing is written on its behalf any more
 */
void ring_free(struct nic *nic, struct ring *r)
{
	struct work_list *list = list_of(nic, r);

	if (r->queued && list)
		work_del(list, r);
	tpa_ring_gone(nic, r);
	if (r->type == RING_RX)
		rx_ring_gone(nic, r);
	unlink_ring(nic, r);
	free(r->page);
	*r = (struct ring){ .id = r->id };
	nic->ring_serial++;
}

/**
 * ring_fail - stop using a ring that cannot be used
 * @nic: device
 * @r: ring; stays allocated until the driver frees it
 * @why: cause, for the trace
 */
void ring_fail(struct nic *nic, struct ring *r, const char *why)
{
	if (r->state == RING_FAILED)
		return;
	TRACE(nic, "ring %u (%s) failed: %s", r->id, ring_type_name(r->type), why);
	r->state = RING_FAILED;
	tpa_ring_gone(nic, r);
	if (r->type == RING_RX)
		rx_ring_gone(nic, r);
}

/**
 * ring_entry - address of an entry
 * @nic: device
 * @r: ring
 * @index: index, masked here
 *
 * Return: host address of its 16 bytes, NULL if the guest's memory is not there.
 */
void *ring_entry(struct nic *nic, const struct ring *r, uint32_t index)
{
	uint64_t off = (uint64_t)(index & (r->entries - 1)) * ENTRY_SIZE;
	uint64_t page = r->page[off >> r->page_shift];

	return dma_ptr(&nic->dma, page + (off & ((1ull << r->page_shift) - 1)), ENTRY_SIZE);
}

static uint32_t queue_used(const struct ring *q)
{
	return q->prod - q->cons;
}

/**
 * cq_has_room - whether completions fit
 * @cq: completion queue
 * @entries: how many
 *
 * One slot stays empty, since the driver's index cannot tell full from empty,
 * and one is kept for HWRM_DONE, so that a queue full of packets cannot make a
 * firmware command hang. What is promised to open aggregations is not to be had.
 *
 * Return: true if they fit.
 */
bool cq_has_room(const struct ring *cq, unsigned int entries)
{
	return queue_used(cq) + cq->promised + entries + 2 <= cq->entries;
}

static bool queue_write(struct nic *nic, struct ring *q, unsigned int ahead,
			const struct hsi_entry *e)
{
	uint32_t at = q->prod + ahead;
	uint8_t *slot = ring_entry(nic, q, at);
	/* valid is 1 on the first pass, then changes with each */
	uint32_t v = !(at & q->entries);

	if (!slot) {
		ring_fail(nic, q, "its memory is not there");
		return false;
	}
	memcpy(slot, e->dw, 8);
	memcpy(slot + 12, &e->dw[3], 4);
	store32_release(slot + 8, (e->dw[2] & ~ENTRY_V) | v);
	return true;
}

/**
 * cq_write - write a completion, not yet announced
 * @nic: device
 * @cq: completion queue, with room
 * @ahead: place, counted from the queue's producer. The driver looks at the
 *	first entry of a packet first, so that one has to be written last.
 * @e: entry; its valid bit is set here
 *
 * Return: false if the queue failed.
 */
bool cq_write(struct nic *nic, struct ring *cq, unsigned int ahead, const struct hsi_entry *e)
{
	return queue_write(nic, cq, ahead, e);
}

/**
 * cq_commit - account for completions that were written
 * @nic: device
 * @cq: completion queue
 * @entries: how many
 */
void cq_commit(struct nic *nic, struct ring *cq, unsigned int entries)
{
	cq->prod += entries;
	if (!cq->armed)
		return;
	coal_pending(nic, cq);
	work_add(&nic->cq_work, cq);
}

/**
 * cq_post - write and account for one completion
 * @nic: device
 * @cq: completion queue, with room
 * @e: entry
 *
 * Return: false if the queue failed.
 */
bool cq_post(struct nic *nic, struct ring *cq, const struct hsi_entry *e)
{
	if (!cq_write(nic, cq, 0, e))
		return false;
	cq_commit(nic, cq, 1);
	return true;
}

/**
 * nq_post - post an entry to a notification queue
 * @nic: device
 * @nq: queue
 * @e: entry
 *
 * Return: false if it is full or failed.
 */
bool nq_post(struct nic *nic, struct ring *nq, const struct hsi_entry *e)
{
	if (queue_used(nq) + 1 >= nq->entries || !queue_write(nic, nq, 0, e))
		return false;
	nq->prod++;
	if (nq->armed)
		work_add(&nic->nq_work, nq);
	return true;
}

/**
 * ring_post_hwrm_done - tell that a firmware command is through
 * @nic: device
 * @ring_id: CQ (or NQ) that the command named
 * @seq: the command's sequence number
 */
void ring_post_hwrm_done(struct nic *nic, uint16_t ring_id, uint16_t seq)
{
	struct hsi_entry e = { .dw = { CMP_HWRM_DONE | (uint32_t)seq << 16 } };
	struct ring *q = ring_get(nic, ring_id, RING_CMPL);

	if (q && queue_used(q) + q->promised + 1 < q->entries) {
		cq_post(nic, q, &e);
		return;
	}
	q = ring_get(nic, ring_id, RING_NQ);
	if (!q || !nq_post(nic, q, &e))
		TRACE(nic, "HWRM_DONE of command %u is lost: ring %u cannot take it", seq, ring_id);
}

/* A fault puts the notification of a CQ off; true while that lasts */
static bool cq_is_late(struct nic *nic, struct ring *cq)
{
	uint64_t ns;

	if (cq->late_until)
		return nic->now < cq->late_until;
	ns = nic_fault(nic, NIC_FAULT_LATE);
	if (ns)
		cq->late_until = nic->now + ns;
	return ns;
}

/* Tells the NQ of a CQ; false if that has to wait */
static bool cq_notify(struct nic *nic, struct ring *cq)
{
	struct ring *nq = ring_get(nic, cq->nq_id, RING_NQ);
	struct hsi_entry e = { .dw = { NQE_CQ_NOTIFY, (uint32_t)cq->cq_handle, 0,
				       cq->cq_handle >> 32 } };

	if (!cq->armed || !queue_used(cq))
		return true;
	if (!nq)
		return true;
	if (coal_wait(nic, cq) || cq_is_late(nic, cq))
		return false;
	if (!nq_post(nic, nq, &e))
		return nq->state == RING_FAILED;
	cq->late_until = 0;
	cq->armed = false;
	coal_notified(nic, cq);
	return true;
}

/**
 * ring_notify - post what is due to notification queues, raise interrupts
 * @nic: device
 */
void ring_notify(struct nic *nic)
{
	struct work_list *cqs = &nic->cq_work, *nqs = &nic->nq_work;
	unsigned int kept = 0;

	for (unsigned int i = 0; i < cqs->n; i++) {
		struct ring *cq = &nic->ring[cqs->id[i]];

		if (cq_notify(nic, cq))
			cq->queued = false;
		else
			cqs->id[kept++] =
				cq->id; /* the NQ is full: again after its next doorbell */
	}
	cqs->n = kept;

	for (unsigned int i = 0; i < nqs->n; i++) {
		struct ring *nq = &nic->ring[nqs->id[i]];

		nq->queued = false;
		if (!nq->armed || !queue_used(nq) || nq->state != RING_LIVE)
			continue;
		nq->armed = false;
		if (nic->trace_doorbells)
			TRACE(nic, "interrupt %u of ring %u, %u entries", nq->vector, nq->id,
			      queue_used(nq));
		nic->ops.msix(nic->host, nq->vector);
	}
	nqs->n = 0;
}

/**
 * ring_run_timers - when notifications that were put off are due
 * @nic: device
 *
 * Return: ns until the next is, UINT64_MAX for none. nic_flush() posts it then.
 */
uint64_t ring_run_timers(struct nic *nic)
{
	uint64_t next = UINT64_MAX;

	for (unsigned int i = 0; i < nic->cq_work.n; i++) {
		const struct ring *cq = &nic->ring[nic->cq_work.id[i]];
		uint64_t late = cq->late_until > nic->now ? cq->late_until - nic->now : 0,
			 wait = cq->armed && queue_used(cq) ? coal_wait(nic, cq) : 0;

		wait = wait > late ? wait : late;
		if (wait && wait < next)
			next = wait;
	}
	return next;
}

/*
 * The driver's index is masked; the entries it has not seen are those between
 * it and the producer. It cannot go back to entries that it gave back before,
 * whose room may be promised by now.
 */
static void queue_set_cons(struct ring *q, uint32_t index)
{
	uint32_t used = (q->prod - index) & (q->entries - 1);

	if (used <= queue_used(q))
		q->cons = q->prod - used;
}

static void cq_doorbell(struct nic *nic, struct ring *cq, uint32_t index, bool arm)
{
	queue_set_cons(cq, index);
	if (arm)
		cq->armed = true;
	if (!queue_used(cq))
		cq->coal.waiting = false;
	if (!cq->armed || !queue_used(cq))
		return;
	coal_pending(nic, cq);
	work_add(&nic->cq_work, cq);
}

/* TX rings that wait for room in this CQ go on */
static void cq_wake_tx(struct nic *nic, struct ring *cq)
{
	if (!cq->stalled)
		return;
	cq->stalled = false;
	for (unsigned int i = 0; i < MAX_RINGS; i++) {
		struct ring *tx = &nic->ring[i];

		if (tx->state != RING_LIVE || tx->type != RING_TX || tx->cq_id != cq->id ||
		    !tx->stalled)
			continue;
		tx->stalled = false;
		work_add(&nic->tx_work, tx);
	}
}

static void nq_doorbell(struct nic *nic, struct ring *nq, uint32_t index, bool arm)
{
	queue_set_cons(nq, index);
	if (arm)
		nq->armed = true;
	if (nq->armed && queue_used(nq))
		work_add(&nic->nq_work, nq);
}

static void post_buffers(struct ring *r, uint32_t index)
{
	r->prod = index & (r->entries - 1);
	if (ring_pending(r) > r->most)
		r->most = ring_pending(r);
}

static void rx_doorbell(struct nic *nic, unsigned int id, uint32_t index)
{
	struct ring *r = ring_get(nic, id, RING_RX);

	if (r) {
		post_buffers(r, index);
		rx_ring_refilled(nic, r);
		return;
	}
	r = ring_get(nic, id, RING_AGG);
	if (!r)
		return;
	post_buffers(r, index);
	r = ring_get(nic, r->rx_id, RING_RX);
	if (r)
		rx_ring_refilled(nic, r);
}

static const char *doorbell_name(unsigned int type)
{
	static const char *const names[] = {
		[DB_SQ] = "SQ", [DB_SRQ] = "SRQ", [DB_CQ] = "CQ", [DB_CQ_ARMSE] = "CQ_ARMSE",
		[DB_CQ_ARMALL] = "CQ_ARMALL", [DB_NQ] = "NQ", [DB_NQ_ARM] = "NQ_ARM",
		[DB_NQ_MASK] = "NQ_MASK",
	};

	return type < ARRAY_SIZE(names) && names[type] ? names[type] : "of no known type";
}

/**
 * ring_doorbell - act on a doorbell
 * @nic: device
 * @db: the 64 bits that were written
 *
 * Transmission is only noted; it runs in nic_flush().
 */
void ring_doorbell(struct nic *nic, uint64_t db)
{
	unsigned int id = DB_XID(db), type = DB_TYPE(db);
	uint32_t index = DB_INDEX(db);
	struct ring *r;

	if (nic->trace_doorbells)
		TRACE(nic, "doorbell %s of ring %u, index %u", doorbell_name(type), id, index);
	switch (type) {
	case DB_SQ:
		r = ring_get(nic, id, RING_TX);
		if (!r || nic_fault(nic, NIC_FAULT_TX_DOORBELL))
			break;
		r->prod = index & (r->entries - 1);
		work_add(&nic->tx_work, r);
		break;
	case DB_SRQ:
		if (!nic_fault(nic, NIC_FAULT_RX_DOORBELL))
			rx_doorbell(nic, id, index);
		break;
	case DB_CQ:
	case DB_CQ_ARMALL:
	case DB_CQ_ARMSE:
		r = ring_get(nic, id, RING_CMPL);
		if (!r)
			break;
		cq_doorbell(nic, r, index, type != DB_CQ);
		cq_wake_tx(nic, r);
		rx_cq_drained(nic, r);
		break;
	case DB_NQ:
	case DB_NQ_ARM:
		r = ring_get(nic, id, RING_NQ);
		if (r)
			nq_doorbell(nic, r, index, type == DB_NQ_ARM);
		break;
	case DB_NQ_MASK:
		r = ring_get(nic, id, RING_NQ);
		if (r)
			r->armed = false;
		break;
	default:
		break;
	}
}

/**
 * rx_ring_of_queue - RX ring of a queue
 * @nic: device
 * @queue: index that the driver gave it
 *
 * Return: the ring, NULL if there is none.
 */
struct ring *rx_ring_of_queue(struct nic *nic, unsigned int queue)
{
	struct ring *r;

	if (queue >= NIC_MAX_QUEUES)
		return NULL;
	r = ring_get(nic, nic->rx_of_queue[queue], RING_RX);
	if (r && r->logical_id == queue)
		return r;
	for (unsigned int i = 0; i < MAX_RINGS; i++) {
		r = ring_get(nic, i, RING_RX);
		if (r && r->logical_id == queue) {
			nic->rx_of_queue[queue] = i;
			return r;
		}
	}
	return NULL;
}

static bool is_tx_cq(const struct nic *nic, unsigned int cq_id)
{
	for (unsigned int i = 0; i < MAX_RINGS; i++) {
		const struct ring *r = &nic->ring[i];

		if (r->state == RING_LIVE && r->type == RING_TX && r->cq_id == cq_id)
			return true;
	}
	return false;
}

/**
 * rx_ring_cq - completion queue of an RX ring
 * @nic: device
 * @rx: RX ring
 *
 * RING_ALLOC of a P5 does not name it; RSS tables and VNIC_CFG do. A queue that
 * is in no table (steering to it goes by queue index) gets the CQ of its own
 * index that serves no TX ring.
 *
 * Return: the queue, NULL if there is none.
 */
struct ring *rx_ring_cq(struct nic *nic, struct ring *rx)
{
	struct ring *cq = ring_get(nic, rx->cq_id, RING_CMPL);

	if (cq)
		return cq;
	/* this may be asked for each frame, and the search is long */
	if (rx->no_cq == nic->ring_serial)
		return NULL;
	for (unsigned int i = 0; i < MAX_RINGS; i++) {
		cq = ring_get(nic, i, RING_CMPL);
		if (!cq || cq->logical_id != rx->logical_id || is_tx_cq(nic, i))
			continue;
		rx->cq_id = i;
		return cq;
	}
	rx->no_cq = nic->ring_serial;
	return NULL;
}
