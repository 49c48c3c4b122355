// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SET_IRQS of vfio-user: which eventfd stands for which interrupt.
 *
 * With MSI-X the client emulates the table, so no message address comes here, and
 * a write to the table neither. A vector can be sent when it has an eventfd and the
 * client did not mask it; until then the function keeps it as pending, since QEMU
 * may take an eventfd away to give another.
 *
 * Semantics as in linux/vfio.h and the kernel's vfio_set_irqs_validate_and_prepare().
 */
#include <errno.h>
#include <unistd.h>

#include "unix_socket.h"
#include "vfio_irq.h"

#define DATA_FLAGS	(VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_DATA_BOOL | VFIO_IRQ_SET_DATA_EVENTFD)
#define ACTION_FLAGS \
	(VFIO_IRQ_SET_ACTION_MASK | VFIO_IRQ_SET_ACTION_UNMASK | VFIO_IRQ_SET_ACTION_TRIGGER)

/* The interrupts of an index, NULL when it has none */
static struct vfio_irq *irqs_of(struct vfio_irqs *irqs, unsigned int index, uint32_t *count)
{
	switch (index) {
	case VFIO_PCI_INTX_IRQ_INDEX:
		*count = 1;
		return &irqs->intx;
	case VFIO_PCI_MSIX_IRQ_INDEX:
		*count = pci_vectors(irqs->pci);
		return irqs->msix;
	default:
		*count = 0;
		return NULL;
	}
}

/* Tells the function whether a vector has to wait */
static void update(struct vfio_irqs *irqs, const struct vfio_irq *irq)
{
	if (irq != &irqs->intx)
		pci_msix_mask(irqs->pci, irq - irqs->msix, irq->masked || irq->fd[IRQ_TRIGGER] < 0);
}

/* A counter that is full has been seen by nobody yet, so nothing is lost */
static void signal_fd(int fd)
{
	const uint64_t one = 1;
	ssize_t n;

	if (fd < 0)
		return;
	n = write(fd, &one, sizeof(one));
	(void)n;
}

static void act(struct vfio_irqs *irqs, struct vfio_irq *irq, enum vfio_irq_action action)
{
	if (action == IRQ_TRIGGER) {
		signal_fd(irq->fd[IRQ_TRIGGER]);
		return;
	}
	if (irq->masked == (action == IRQ_MASK))
		return;
	irq->masked = action == IRQ_MASK;
	signal_fd(irq->fd[action]);
	update(irqs, irq);
}

/* Takes the descriptor over */
static void assign(struct vfio_irqs *irqs, struct vfio_irq *irq, enum vfio_irq_action action, int fd)
{
	fd_close(&irq->fd[action]);
	irq->fd[action] = fd;
	update(irqs, irq);
}

static void irq_init(struct vfio_irq *irq)
{
	*irq = (struct vfio_irq){ .fd = { -1, -1, -1 } };
}

static void irq_clear(struct vfio_irqs *irqs, struct vfio_irq *irq)
{
	for (int i = 0; i < IRQ_ACTIONS; i++)
		fd_close(&irq->fd[i]);
	irq->masked = false;
	update(irqs, irq);
}

/**
 * vfio_irqs_init() - No interrupt is set up
 * @irqs: the interrupts
 * @pci: the function that they are of
 */
void vfio_irqs_init(struct vfio_irqs *irqs, struct pci *pci)
{
	irqs->pci = pci;
	irq_init(&irqs->intx);
	for (unsigned int i = 0; i < PCI_MAX_VECTORS; i++)
		irq_init(&irqs->msix[i]);
}

/**
 * vfio_irqs_clear() - Take all set-up back: the client is gone
 * @irqs: the interrupts
 */
void vfio_irqs_clear(struct vfio_irqs *irqs)
{
	irq_clear(irqs, &irqs->intx);
	for (unsigned int i = 0; i < PCI_MAX_VECTORS; i++)
		irq_clear(irqs, &irqs->msix[i]);
}

/**
 * vfio_irqs_info() - What an index has
 * @irqs: the interrupts
 * @index: VFIO_PCI_*_IRQ_INDEX
 * @count: filled in: how many interrupts, 0 for none
 *
 * Return: VFIO_IRQ_INFO_* flags.
 */
uint32_t vfio_irqs_info(const struct vfio_irqs *irqs, unsigned int index, uint32_t *count)
{
	if (!irqs_of((struct vfio_irqs *)irqs, index, count))
		return 0;
	return VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_MASKABLE |
	       (index == VFIO_PCI_INTX_IRQ_INDEX ? VFIO_IRQ_INFO_AUTOMASKED : 0);
}

static bool one_bit(uint32_t v)
{
	return v && !(v & (v - 1));
}

/* Descriptors for all of the range, or none to take theirs back */
static int set_fds(struct vfio_irqs *irqs, struct vfio_irq *irq, uint32_t count,
		   enum vfio_irq_action action, int *fds, unsigned int nfds)
{
	if (nfds && nfds != count)
		return EINVAL;
	/* a client that is slow to read one must not stop the device */
	for (unsigned int i = 0; i < nfds; i++)
		if (!fd_nonblock(fds[i]))
			return errno;
	for (uint32_t i = 0; i < count; i++) {
		assign(irqs, &irq[i], action, nfds ? fds[i] : -1);
		if (nfds)
			fds[i] = -1;
	}
	return 0;
}

/**
 * vfio_irqs_set() - Do what a SET_IRQS says
 * @irqs: the interrupts
 * @set: the request without its data
 * @bools: its data
 * @n_bools: bytes of it
 * @fds: descriptors that came with it; those that are kept become -1
 * @nfds: how many
 *
 * Return: 0 or an error number, with nothing changed.
 */
int vfio_irqs_set(struct vfio_irqs *irqs, const struct vfio_irq_set *set, const uint8_t *bools,
		  size_t n_bools, int *fds, unsigned int nfds)
{
	uint32_t data = set->flags & DATA_FLAGS, action = set->flags & ACTION_FLAGS, count;
	struct vfio_irq *irq = irqs_of(irqs, set->index, &count);
	enum vfio_irq_action what;

	if (set->flags & ~(DATA_FLAGS | ACTION_FLAGS) || !one_bit(data) || !one_bit(action) ||
	    set->index >= VFIO_PCI_NUM_IRQS)
		return EINVAL;
	what = action == VFIO_IRQ_SET_ACTION_MASK   ? IRQ_MASK :
	       action == VFIO_IRQ_SET_ACTION_UNMASK ? IRQ_UNMASK :
						      IRQ_TRIGGER;
	/* this is how an index is switched off, also one that has no interrupts */
	if (!set->count) {
		if (set->start || data != VFIO_IRQ_SET_DATA_NONE || what != IRQ_TRIGGER)
			return EINVAL;
		for (uint32_t i = 0; i < count; i++)
			irq_clear(irqs, &irq[i]);
		return 0;
	}
	if (set->start >= count || set->count > count - set->start)
		return EINVAL;
	irq += set->start;
	if (data == VFIO_IRQ_SET_DATA_EVENTFD)
		return set_fds(irqs, irq, set->count, what, fds, nfds);
	if (data == VFIO_IRQ_SET_DATA_BOOL && n_bools < set->count)
		return EINVAL;
	for (uint32_t i = 0; i < set->count; i++)
		if (data == VFIO_IRQ_SET_DATA_NONE || bools[i])
			act(irqs, &irq[i], what);
	return 0;
}

/**
 * vfio_irqs_raise() - The function raises an MSI-X vector that is not masked
 * @irqs: the interrupts
 * @vector: its number
 *
 * Return: true: there is always room.
 */
bool vfio_irqs_raise(struct vfio_irqs *irqs, unsigned int vector)
{
	signal_fd(irqs->msix[vector].fd[IRQ_TRIGGER]);
	return true;
}
