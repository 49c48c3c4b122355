/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interrupts of a vfio-user device: eventfds that the client gave, and their masks. */
#ifndef VFIO_IRQ_H
#define VFIO_IRQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/vfio.h>

#include "pci.h"

/* What an eventfd is for: in the order of the ACTION flags */
enum vfio_irq_action { IRQ_MASK, IRQ_UNMASK, IRQ_TRIGGER, IRQ_ACTIONS };

struct vfio_irq {
	int fd[IRQ_ACTIONS];	/* -1: none */
	bool masked;
};

/**
 * struct vfio_irqs - all interrupts of a device
 * @pci: the function, which hears which of its MSI-X vectors are masked
 * @intx: the pin; this device never raises it, but clients set it up
 * @msix: MSI-X vectors
 */
struct vfio_irqs {
	struct pci *pci;
	struct vfio_irq intx;
	struct vfio_irq msix[PCI_MAX_VECTORS];
};

void vfio_irqs_init(struct vfio_irqs *irqs, struct pci *pci);
void vfio_irqs_clear(struct vfio_irqs *irqs);
uint32_t vfio_irqs_info(const struct vfio_irqs *irqs, unsigned int index, uint32_t *count);
int vfio_irqs_set(struct vfio_irqs *irqs, const struct vfio_irq_set *set, const uint8_t *bools,
		  size_t n_bools, int *fds, unsigned int nfds);
bool vfio_irqs_raise(struct vfio_irqs *irqs, unsigned int vector);

#endif
