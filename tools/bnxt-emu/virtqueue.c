// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Device side of a virtio split virtqueue.
 *
 * The rings lie in memory that the guest may change at any time, so each
 * value is loaded once, checked and then used from the copy. A queue whose
 * driver breaks the rules is marked broken and never touched again; the guest
 * hurts itself only.
 */
#include <stdatomic.h>
#include <string.h>

#include "virtqueue.h"

/* Guests of this transport are little endian, as is every host this is built for */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "virtqueue.c does not swap bytes");

static uint16_t load_acquire16(const __virtio16 *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static uint16_t load_once16(const __virtio16 *p)
{
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

/**
 * vq_reset() - Back to the state before the driver set the queue up
 * @vq: the queue; its address translation stays
 */
void vq_reset(struct virtqueue *vq)
{
	*vq = (struct virtqueue){ .dma = vq->dma };
}

/**
 * vq_set_num() - Set the number of entries
 * @vq: a queue that does not run
 * @num: entries: a power of two, at most VQ_MAX_SIZE
 *
 * Return: false when @num is not possible or the queue runs.
 */
bool vq_set_num(struct virtqueue *vq, unsigned int num)
{
	if (vq_running(vq) || !num || num > VQ_MAX_SIZE || (num & (num - 1)))
		return false;
	vq->num = num;
	vq->desc = NULL;
	vq->avail = NULL;
	vq->used = NULL;
	return true;
}

/**
 * vq_set_rings() - Set where the rings lie
 * @vq: a queue with a size, which does not run
 * @desc: descriptor table, vq_desc_bytes() long
 * @avail: driver area, vq_avail_bytes() long
 * @used: device area, vq_used_bytes() long
 *
 * Return: false when one is missing or misaligned (16, 2 and 4 bytes are due).
 */
bool vq_set_rings(struct virtqueue *vq, void *desc, void *avail, void *used)
{
	if (vq_running(vq) || !vq->num || !desc || !avail || !used)
		return false;
	if ((uintptr_t)desc % 16 || (uintptr_t)avail % 2 || (uintptr_t)used % 4)
		return false;
	vq->desc = desc;
	vq->avail = avail;
	vq->used = used;
	vq->used_idx = load_once16(&vq->used->idx);
	return true;
}

/**
 * vq_running() - Is the queue set up, enabled and sane?
 * @vq: the queue
 */
bool vq_running(const struct virtqueue *vq)
{
	return vq->enabled && !vq->broken && vq->used;
}

/**
 * vq_has_work() - Has the driver made chains available that were not taken yet?
 * @vq: the queue
 */
bool vq_has_work(const struct virtqueue *vq)
{
	return vq_running(vq) && load_acquire16(&vq->avail->idx) != vq->last_avail;
}

static enum vq_result vq_break(struct virtqueue *vq)
{
	vq->broken = true;
	return VQ_BROKEN;
}

static bool add_desc(const struct virtqueue *vq, struct vq_elem *elem, const struct vring_desc *d)
{
	bool in = d->flags & VRING_DESC_F_WRITE;
	unsigned int *n = in ? &elem->in_n : &elem->out_n;
	struct iovec *iov;
	void *p;

	/* readable parts come first; indirect tables are not offered */
	if ((d->flags & VRING_DESC_F_INDIRECT) || (!in && elem->in_n) || *n == VQ_MAX_SG)
		return false;
	p = dma_ptr(vq->dma, d->addr, d->len);
	if (!p || !d->len)
		return false;
	iov = in ? &elem->in[*n] : &elem->out[*n];
	*iov = (struct iovec){ .iov_base = p, .iov_len = d->len };
	*(in ? &elem->in_len : &elem->out_len) += d->len;
	(*n)++;
	return true;
}

/**
 * vq_pop() - Take the next chain
 * @vq: the queue
 * @elem: filled in; its parts point into guest memory
 *
 * Return: VQ_GOT, VQ_EMPTY, or VQ_BROKEN when the chain is not valid.
 */
enum vq_result vq_pop(struct virtqueue *vq, struct vq_elem *elem)
{
	struct vring_desc d;
	uint16_t avail, i;

	if (!vq_running(vq))
		return VQ_EMPTY;
	avail = load_acquire16(&vq->avail->idx);
	if (avail == vq->last_avail)
		return VQ_EMPTY;
	if ((uint16_t)(avail - vq->last_avail) > vq->num)
		return vq_break(vq);

	i = load_once16(&vq->avail->ring[vq->last_avail & (vq->num - 1)]);
	elem->head = i;
	elem->out_n = elem->in_n = 0;
	elem->out_len = elem->in_len = 0;
	do {
		if (i >= vq->num)
			return vq_break(vq);
		memcpy(&d, &vq->desc[i], sizeof(d));
		atomic_signal_fence(memory_order_seq_cst);
		/* a chain that loops ends here too: there is room for so many parts only */
		if (!add_desc(vq, elem, &d))
			return vq_break(vq);
		i = d.next;
	} while (d.flags & VRING_DESC_F_NEXT);

	vq->last_avail++;
	return VQ_GOT;
}

/**
 * vq_push() - Give a chain back to the driver
 * @vq: the queue
 * @elem: what vq_pop() gave
 * @written: bytes written to its writable parts
 */
void vq_push(struct virtqueue *vq, const struct vq_elem *elem, uint32_t written)
{
	struct vring_used_elem *u;

	if (!vq_running(vq))
		return;
	u = &vq->used->ring[vq->used_idx & (vq->num - 1)];
	u->id = elem->head;
	u->len = written;
	vq->used_idx++;
	__atomic_store_n(&vq->used->idx, vq->used_idx, __ATOMIC_RELEASE);
}

/**
 * vq_want_kicks() - Ask for kicks, or tell the driver that it may leave them out
 * @vq: the queue
 * @want: whether to kick
 *
 * Return: true when chains are waiting, which after asking for kicks means that
 * they may never be announced: take them before going to sleep.
 */
bool vq_want_kicks(struct virtqueue *vq, bool want)
{
	if (!vq_running(vq))
		return false;
	__atomic_store_n(&vq->used->flags, want ? 0 : VRING_USED_F_NO_NOTIFY, __ATOMIC_RELAXED);
	/* pairs with the barrier between avail->idx and used->flags in the driver */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return vq_has_work(vq);
}

/**
 * vq_wants_call() - Does the driver want to be told of what was pushed?
 * @vq: the queue
 */
bool vq_wants_call(const struct virtqueue *vq)
{
	if (!vq_running(vq))
		return false;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return !(load_once16(&vq->avail->flags) & VRING_AVAIL_F_NO_INTERRUPT);
}

static size_t copy_iov(const struct iovec *iov, unsigned int n, size_t off, void *buf, size_t len,
		       bool to_iov)
{
	size_t done = 0;

	for (unsigned int i = 0; i < n && done < len; i++) {
		size_t part;
		uint8_t *p;

		if (off >= iov[i].iov_len) {
			off -= iov[i].iov_len;
			continue;
		}
		p = (uint8_t *)iov[i].iov_base + off;
		part = iov[i].iov_len - off;
		if (part > len - done)
			part = len - done;
		if (to_iov)
			memcpy(p, (uint8_t *)buf + done, part);
		else
			memcpy((uint8_t *)buf + done, p, part);
		done += part;
		off = 0;
	}
	return done;
}

/**
 * vq_read() - Copy from the readable parts of a chain
 * @elem: the chain
 * @off: bytes to skip
 * @buf: where to
 * @len: bytes wanted
 *
 * Return: bytes copied, less than @len when the chain is shorter.
 */
size_t vq_read(const struct vq_elem *elem, size_t off, void *buf, size_t len)
{
	return copy_iov(elem->out, elem->out_n, off, buf, len, false);
}

/**
 * vq_write() - Copy to the writable parts of a chain
 * @elem: the chain
 * @off: bytes to skip
 * @buf: where from
 * @len: bytes to write
 *
 * Return: bytes copied, less than @len when the chain is shorter.
 */
size_t vq_write(const struct vq_elem *elem, size_t off, const void *buf, size_t len)
{
	return copy_iov(elem->in, elem->in_n, off, (void *)buf, len, true);
}
