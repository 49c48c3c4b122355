// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A PCI function behind two virtqueues: messages of linux/virtio_pcidev.h.
 *
 * Queue 0 carries the guest's accesses. A write is posted: the guest goes on at
 * once and takes the message back some time later. A read spins in the guest
 * until it is answered, with its interrupts off. Queue 1 holds empty messages
 * which the device fills with interrupts.
 *
 * Guest driver: arch/um/drivers/virt-pci.c.
 */
#include <stdlib.h>
#include <string.h>
#include <linux/virtio_pcidev.h>

#include "le.h"
#include "pcidev.h"
#include "sigbus.h"
#include "vhost_user.h"

enum pcidev_queue { Q_CMD, Q_IRQ, Q_COUNT };

/* Accesses served before the loop looks at the wire again */
#define CMD_BURST	64

/*
 * Posted writes completed before the guest is interrupted to take them back. Its
 * queue has 256 entries; a read takes them back as well.
 */
#define CMD_CALL_EVERY	32

/* Longest access taken: the largest BAR is longer, but no driver copies all of one */
#define MAX_ACCESS	4096

struct pcidev {
	struct transport base;
	const struct transport_ops *ops;
	void *host;
	struct pci *pci;
	struct vhost_user *vu;
	unsigned int uncalled;		/* completions of Q_CMD the guest was not told of */
	bool irq_call;			/* interrupts sent since the last call of Q_IRQ */
	const char *broken;		/* why the guest is to be dropped */
};

static struct pcidev *to_pcidev(struct transport *t)
{
	return (struct pcidev *)t;
}

/*
 * Accesses: @data holds what is written, or takes what is read. Each returns
 * false when the message makes no sense.
 */

static bool config_size(uint32_t size)
{
	return size == 1 || size == 2 || size == 4 || size == 8;
}

static bool cfg_read(struct pcidev *p, const struct virtio_pcidev_msg *m, uint8_t *data)
{
	if (!config_size(m->size))
		return false;
	put_le(data, m->size, pci_cfg_read(p->pci, m->addr, m->size));
	return true;
}

static bool cfg_write(struct pcidev *p, const struct virtio_pcidev_msg *m, uint8_t *data)
{
	if (!config_size(m->size))
		return false;
	pci_cfg_write(p->pci, m->addr, m->size, get_le(data, m->size));
	return true;
}

static bool mmio_read(struct pcidev *p, const struct virtio_pcidev_msg *m, uint8_t *data)
{
	pci_bar_copy_from(p->pci, m->bar, m->addr, data, m->size);
	return true;
}

static bool mmio_write(struct pcidev *p, const struct virtio_pcidev_msg *m, uint8_t *data)
{
	pci_bar_copy_to(p->pci, m->bar, m->addr, data, m->size);
	return true;
}

static bool mmio_memset(struct pcidev *p, const struct virtio_pcidev_msg *m, uint8_t *data)
{
	memset(data, data[0], m->size);
	return mmio_write(p, m, data);
}

enum access_data { DATA_READ, DATA_WRITE, DATA_ONE_BYTE };

struct access {
	bool (*fn)(struct pcidev *p, const struct virtio_pcidev_msg *m, uint8_t *data);
	enum access_data data;
};

static const struct access accesses[] = {
	[VIRTIO_PCIDEV_OP_CFG_READ]	= { cfg_read,	 DATA_READ },
	[VIRTIO_PCIDEV_OP_CFG_WRITE]	= { cfg_write,	 DATA_WRITE },
	[VIRTIO_PCIDEV_OP_MMIO_READ]	= { mmio_read,	 DATA_READ },
	[VIRTIO_PCIDEV_OP_MMIO_WRITE]	= { mmio_write,	 DATA_WRITE },
	[VIRTIO_PCIDEV_OP_MMIO_MEMSET]	= { mmio_memset, DATA_ONE_BYTE },
};

/* Serves one message; returns the bytes written to its answer, -1 when it makes no sense */
static int serve(struct pcidev *p, const struct vq_elem *elem)
{
	struct virtio_pcidev_msg m;
	const struct access *a;
	uint8_t data[MAX_ACCESS];
	size_t bytes;

	if (vq_read(elem, 0, &m, sizeof(m)) != sizeof(m) ||
	    m.op >= sizeof(accesses) / sizeof(accesses[0]))
		return -1;
	a = &accesses[m.op];
	if (!a->fn || !m.size || m.size > sizeof(data))
		return -1;
	/* keeps addr + size from wrapping; the PCI layer checks against the BAR */
	if (m.addr > UINT32_MAX)
		return -1;

	if (a->data == DATA_READ) {
		if (elem->in_len < m.size || !a->fn(p, &m, data))
			return -1;
		return vq_write(elem, 0, data, m.size);
	}
	bytes = a->data == DATA_ONE_BYTE ? 1 : m.size;
	if (vq_read(elem, sizeof(m), data, bytes) != bytes || !a->fn(p, &m, data))
		return -1;
	return 0;
}

static bool pcidev_poll(struct transport *t)
{
	struct pcidev *p = to_pcidev(t);
	struct virtqueue *vq = vhost_user_queue(p->vu, Q_CMD);
	struct vq_elem elem;
	unsigned int n;
	int written;

	for (n = 0; n < CMD_BURST && vq_pop(vq, &elem) == VQ_GOT; n++) {
		written = serve(p, &elem);
		if (written < 0) {
			/* the guest's own mistake: it gets the answer of an empty bus */
			static const uint8_t ones[8] = { 255, 255, 255, 255, 255, 255, 255, 255 };

			written = vq_write(&elem, 0, ones, sizeof(ones));
		}
		vq_push(vq, &elem, written);
		/* a read is polled for, nobody waits for its interrupt */
		if (!elem.in_n && ++p->uncalled >= CMD_CALL_EVERY) {
			vhost_user_call(p->vu, Q_CMD);
			p->uncalled = 0;
		}
	}
	if (sigbus_hit())
		p->broken = "the file that is its memory was made shorter";
	if (vq->broken && !p->broken)
		p->broken = "the guest broke its command queue";
	if (p->broken) {
		const char *why = p->broken;

		p->ops->closed(p->host, why);
		return false;
	}
	/* room for interrupts comes with a kick that may be left out */
	pci_msix_retry(p->pci);
	return n;
}

static bool pcidev_msi(struct transport *t, uint64_t addr, uint32_t data)
{
	struct pcidev *p = to_pcidev(t);
	struct virtqueue *vq = vhost_user_queue(p->vu, Q_IRQ);
	struct virtio_pcidev_msg msg = { .op = VIRTIO_PCIDEV_OP_MSI,
					 .size = sizeof(data),
					 .addr = addr };
	struct vq_elem elem;
	size_t written;

	if (vq_pop(vq, &elem) != VQ_GOT)
		return false;
	written = vq_write(&elem, 0, &msg, sizeof(msg));
	written += vq_write(&elem, sizeof(msg), &data, sizeof(data));
	vq_push(vq, &elem, written);
	p->irq_call = true;
	return true;
}

static void pcidev_flush(struct transport *t)
{
	struct pcidev *p = to_pcidev(t);

	if (!p->irq_call)
		return;
	p->irq_call = false;
	vhost_user_call(p->vu, Q_IRQ);
}

static bool pcidev_sleep(struct transport *t, bool sleeping)
{
	struct pcidev *p = to_pcidev(t);

	return vq_want_kicks(vhost_user_queue(p->vu, Q_CMD), sleeping);
}

static void pcidev_free(struct transport *t)
{
	struct pcidev *p = to_pcidev(t);

	vhost_user_free(p->vu);
	free(p);
}

static const struct transport_class pcidev_class = {
	.poll = pcidev_poll,
	.flush = pcidev_flush,
	.sleep = pcidev_sleep,
	.msi = pcidev_msi,
	.free = pcidev_free,
};

/*
 * From the vhost-user connection
 */

static void mem_changed(void *host, const struct dma_region *region, unsigned int n)
{
	struct pcidev *p = host;
	struct dma_map *map = p->ops->dma(p->host);

	p->ops->detached(p->host);
	dma_map_clear(map);
	for (unsigned int i = 0; i < n; i++)
		if (!dma_map_add(map, region[i].iova, region[i].size, region[i].host))
			p->broken = "the guest's memory regions overlap or are too many";
}

static void kicked(void *host, unsigned int queue)
{
	struct pcidev *p = host;

	if (queue == Q_IRQ)
		pci_msix_retry(p->pci);
	/* Q_CMD is polled by the loop after each wake-up */
}

static void queue_state(void *host, unsigned int queue, bool running)
{
	struct pcidev *p = host;

	if (queue == Q_CMD && !running) {
		p->uncalled = 0;
		p->ops->detached(p->host);
	}
}

static void closed(void *host, const char *reason)
{
	struct pcidev *p = host;

	p->ops->closed(p->host, reason);
}

static const struct vhost_user_ops vu_ops = {
	.mem_changed = mem_changed,
	.kicked = kicked,
	.queue_state = queue_state,
	.closed = closed,
};

/**
 * pcidev_new() - Offer a PCI function to one User Mode Linux guest
 * @loop: event loop
 * @path: UNIX socket to listen at: the guest's virtio_uml.device=PATH:ID
 * @pci: the function
 * @ops: what to tell the owner
 * @host: passed to @ops
 *
 * Return: the transport, NULL with errno set.
 */
struct transport *pcidev_new(struct loop *loop, const char *path, struct pci *pci,
			     const struct transport_ops *ops, void *host)
{
	struct vhost_user_config cfg = { .path = path, .queues = Q_COUNT, .dma = ops->dma(host) };
	struct pcidev *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->base.class = &pcidev_class;
	p->ops = ops;
	p->host = host;
	p->pci = pci;
	p->vu = vhost_user_new(loop, &cfg, &vu_ops, p);
	if (!p->vu)
		goto free_p;
	return &p->base;

free_p:
	free(p);
	return NULL;
}
