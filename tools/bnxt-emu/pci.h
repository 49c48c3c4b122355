/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PCI function around the device core: configuration space, BARs, MSI-X. */
#ifndef PCI_H
#define PCI_H

#include <stdbool.h>
#include <stdint.h>

#include "nic.h"

#define PCI_MAX_VECTORS	NIC_MAX_QUEUES
#define PCI_CFG_SIZE	4096u	/* bytes of configuration space */

struct pci;

/**
 * struct pci_ops - what the function reaches beyond itself
 * @bar_read: read @size (1, 2, 4, 8) bytes of a BAR that belongs to the core
 * @bar_write: write to one
 * @msi: send the message that the driver wrote into the MSI-X table; false when
 *	the transport has no room: pci_msix_retry() sends it later
 * @reset: a function level reset: the core starts over
 * @bus_master: the function may reach memory, or may not; may be NULL
 * @vector: instead of @msi, for a table that is kept elsewhere (pci_msix_outside()):
 *	raise this vector; may be NULL where that does not happen
 */
struct pci_ops {
	uint64_t (*bar_read)(void *host, enum nic_bar bar, uint64_t off, unsigned int size);
	void (*bar_write)(void *host, enum nic_bar bar, uint64_t off, unsigned int size,
			  uint64_t val);
	bool (*msi)(void *host, uint64_t addr, uint32_t data);
	void (*reset)(void *host);
	void (*bus_master)(void *host, bool on);
	bool (*vector)(void *host, unsigned int vector);
};

/**
 * struct pci_identity - what of the configuration space differs between devices
 * @vectors: MSI-X vectors, 1..PCI_MAX_VECTORS
 * @serial: Device Serial Number
 */
struct pci_identity {
	unsigned int vectors;
	uint64_t serial;
};

struct pci *pci_new(const struct pci_identity *id, const struct pci_ops *ops, void *host);
void pci_free(struct pci *pci);
void pci_reset(struct pci *pci);
unsigned int pci_vectors(const struct pci *pci);
uint32_t pci_bar_size(unsigned int bar);

uint64_t pci_cfg_read(struct pci *pci, uint64_t off, unsigned int size);
void pci_cfg_write(struct pci *pci, uint64_t off, unsigned int size, uint64_t val);

uint64_t pci_bar_read(struct pci *pci, unsigned int bar, uint64_t off, unsigned int size);
void pci_bar_write(struct pci *pci, unsigned int bar, uint64_t off, unsigned int size,
		   uint64_t val);

/* Accesses of any length, as a bridge would split them */
void pci_cfg_copy_from(struct pci *pci, uint64_t off, uint8_t *to, uint32_t len);
void pci_cfg_copy_to(struct pci *pci, uint64_t off, const uint8_t *from, uint32_t len);
void pci_bar_copy_from(struct pci *pci, unsigned int bar, uint64_t off, uint8_t *to, uint32_t len);
void pci_bar_copy_to(struct pci *pci, unsigned int bar, uint64_t off, const uint8_t *from,
		     uint32_t len);

void pci_msix_raise(struct pci *pci, unsigned int vector);
void pci_msix_retry(struct pci *pci);
void pci_msix_outside(struct pci *pci);
void pci_msix_mask(struct pci *pci, unsigned int vector, bool masked);

#endif
