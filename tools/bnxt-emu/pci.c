// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The PCI function: a type 0 configuration space with power management,
 * PCI Express, MSI-X and VPD capabilities and a Device Serial Number, three
 * memory BARs, and the MSI-X table with its masks and pending bits.
 *
 * Offsets and bits are those of the PCI Local Bus Specification 3.0 and of
 * linux/pci_regs.h, whose names are used here.
 */
#include <stdlib.h>
#include <string.h>
#include <linux/pci_regs.h>

#include "le.h"
#include "pci.h"

#define VENDOR_BROADCOM	0x14e4
#define DEVICE_57504	0x1751
#define REVISION_57504	0x11

/* Where the capabilities lie; the order of the list is PM, VPD, MSI-X, PCIe */
#define CAP_PM		0x48
#define CAP_VPD		0x50
#define CAP_MSIX	0xa0
#define CAP_EXP		0xac
#define ECAP_DSN	0x100

/* Layout of BAR 4 */
#define MSIX_TABLE	0x0000u
#define MSIX_PBA	0x1000u

#define MSIX_ENTRY_DWORDS	(PCI_MSIX_ENTRY_SIZE / 4)

#define VPD_MAX		256

_Static_assert(PCI_CFG_SIZE == PCI_CFG_SPACE_EXP_SIZE, "size of the configuration space");
_Static_assert(PCI_MAX_VECTORS * PCI_MSIX_ENTRY_SIZE <= MSIX_PBA, "MSI-X table and PBA overlap");
_Static_assert(PCI_MAX_VECTORS <= 64, "the vector sets are 64 bits wide");

struct bar {
	unsigned int index;
	uint32_t size;
};

/* 64-bit BARs: each takes two registers */
static const struct bar bars[] = {
	{ NIC_BAR_GRC,	NIC_BAR_GRC_SIZE },
	{ NIC_BAR_DB,	NIC_BAR_DB_SIZE },
	{ NIC_BAR_MSIX,	NIC_BAR_MSIX_SIZE },
};

struct pci {
	const struct pci_ops *ops;
	void *host;
	unsigned int vectors;

	uint8_t cfg[PCI_CFG_SIZE];
	uint8_t wmask[PCI_CFG_SIZE];	/* bits that a driver can write */

	uint8_t vpd[VPD_MAX];

	uint32_t table[PCI_MAX_VECTORS][MSIX_ENTRY_DWORDS];
	uint64_t pending;		/* raised while masked: the PBA */
	uint64_t unsent;		/* raised, not masked, but the transport had no room */

	bool outside;			/* the table that counts is not ->table */
	uint64_t outside_masked;	/* its mask bits */
};

/*
 * Little endian fields of the configuration space
 */

static uint16_t cfg16(const struct pci *pci, unsigned int off)
{
	return get_le(&pci->cfg[off], 2);
}

static void set8(struct pci *pci, unsigned int off, uint8_t v)
{
	pci->cfg[off] = v;
}

static void set16(struct pci *pci, unsigned int off, uint16_t v)
{
	put_le(&pci->cfg[off], 2, v);
}

static void set32(struct pci *pci, unsigned int off, uint32_t v)
{
	put_le(&pci->cfg[off], 4, v);
}

static void allow16(struct pci *pci, unsigned int off, uint16_t mask)
{
	put_le(&pci->wmask[off], 2, mask);
}

static void allow32(struct pci *pci, unsigned int off, uint32_t mask)
{
	put_le(&pci->wmask[off], 4, mask);
}

static bool has_bits(const struct pci *pci, unsigned int off, uint16_t bits)
{
	return (cfg16(pci, off) & bits) == bits;
}

/*
 * Vital Product Data: the driver shows part and serial number in its log and
 * in `devlink dev info`, and complains when there is none.
 */

static unsigned int vpd_keyword(uint8_t *p, const char *key, const char *value)
{
	unsigned int len = strlen(value);

	p[0] = key[0];
	p[1] = key[1];
	p[2] = len;
	memcpy(p + 3, value, len);
	return len + 3;
}

static void vpd_init(uint8_t vpd[VPD_MAX])
{
	static const char name[] = "Emulated BCM57504 Ethernet controller";
	unsigned int len = sizeof(name) - 1, start, i;
	uint8_t *p = vpd, sum = 0;

	/* large resource 0x82: identifier string; 0x90: read only fields; small 0x78: end */
	*p++ = 0x82;
	put_le(p, 2, len);
	memcpy(p + 2, name, len);
	p += 2 + len;

	start = p - vpd;
	*p = 0x90;
	p += 3;
	p += vpd_keyword(p, "PN", "BCM957504-EMU");
	p += vpd_keyword(p, "SN", "EMU0000000001");
	/* RV: all bytes up to and with the checksum add up to 0 */
	memcpy(p, "RV\1", 3);
	for (i = 0; i < (unsigned int)(p - vpd) + 3; i++)
		sum += vpd[i];
	put_le(&vpd[start + 1], 2, p + 4 - &vpd[start + 3]);
	sum += vpd[start + 1] + vpd[start + 2];
	p[3] = -sum;
	p[4] = 0x78;
}

/*
 * Configuration space
 */

static void init_header(struct pci *pci)
{
	set16(pci, PCI_VENDOR_ID, VENDOR_BROADCOM);
	set16(pci, PCI_DEVICE_ID, DEVICE_57504);
	set16(pci, PCI_SUBSYSTEM_VENDOR_ID, VENDOR_BROADCOM);
	set16(pci, PCI_SUBSYSTEM_ID, DEVICE_57504);
	set8(pci, PCI_REVISION_ID, REVISION_57504);
	set16(pci, PCI_CLASS_DEVICE, 0x0200);	/* network, Ethernet */
	set16(pci, PCI_STATUS, PCI_STATUS_CAP_LIST);
	set8(pci, PCI_CAPABILITY_LIST, CAP_PM);
	set8(pci, PCI_INTERRUPT_PIN, 1);
	allow16(pci, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY |
				  PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE);
	pci->wmask[PCI_CACHE_LINE_SIZE] = 0xff;
	pci->wmask[PCI_INTERRUPT_LINE] = 0xff;

	for (unsigned int i = 0; i < sizeof(bars) / sizeof(bars[0]); i++) {
		unsigned int reg = PCI_BASE_ADDRESS_0 + 4 * bars[i].index;

		set32(pci, reg, PCI_BASE_ADDRESS_SPACE_MEMORY | PCI_BASE_ADDRESS_MEM_TYPE_64 |
				PCI_BASE_ADDRESS_MEM_PREFETCH);
		/* address bits below the size read as zero: that is how a BAR is sized */
		allow32(pci, reg, ~(bars[i].size - 1));
		allow32(pci, reg + 4, ~0u);
	}
}

static void init_cap(struct pci *pci, unsigned int off, uint8_t id, uint8_t next)
{
	set8(pci, off, id);
	set8(pci, off + PCI_CAP_LIST_NEXT, next);
}

static void init_caps(struct pci *pci)
{
	init_cap(pci, CAP_PM, PCI_CAP_ID_PM, CAP_VPD);
	set16(pci, CAP_PM + PCI_PM_PMC, 3);	/* version 1.2, D3hot without PME */
	set16(pci, CAP_PM + PCI_PM_CTRL, PCI_PM_CTRL_NO_SOFT_RESET);
	allow16(pci, CAP_PM + PCI_PM_CTRL, PCI_PM_CTRL_STATE_MASK);

	init_cap(pci, CAP_VPD, PCI_CAP_ID_VPD, CAP_MSIX);
	allow16(pci, CAP_VPD + PCI_VPD_ADDR, 0xffff);

	init_cap(pci, CAP_MSIX, PCI_CAP_ID_MSIX, CAP_EXP);
	set16(pci, CAP_MSIX + PCI_MSIX_FLAGS, pci->vectors - 1);
	allow16(pci, CAP_MSIX + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	set32(pci, CAP_MSIX + PCI_MSIX_TABLE, MSIX_TABLE | NIC_BAR_MSIX);
	set32(pci, CAP_MSIX + PCI_MSIX_PBA, MSIX_PBA | NIC_BAR_MSIX);

	/* an endpoint on a link of 16 GT/s and 16 lanes, so that nobody warns of a slow slot */
	init_cap(pci, CAP_EXP, PCI_CAP_ID_EXP, 0);
	set16(pci, CAP_EXP + PCI_EXP_FLAGS, PCI_EXP_TYPE_ENDPOINT << 4 | 2);
	set32(pci, CAP_EXP + PCI_EXP_DEVCAP, PCI_EXP_DEVCAP_RBER | PCI_EXP_DEVCAP_FLR | 2);
	allow16(pci, CAP_EXP + PCI_EXP_DEVCTL, 0x7fff);
	set16(pci, CAP_EXP + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_READRQ_512B);
	set32(pci, CAP_EXP + PCI_EXP_LNKCAP, PCI_EXP_LNKCAP_SLS_16_0GB | 16 << 4);
	set16(pci, CAP_EXP + PCI_EXP_LNKSTA, PCI_EXP_LNKSTA_CLS_16_0GB | 16 << 4);
	allow16(pci, CAP_EXP + PCI_EXP_LNKCTL,
		PCI_EXP_LNKCTL_ASPMC | PCI_EXP_LNKCTL_RCB | PCI_EXP_LNKCTL_CCC);
	set32(pci, CAP_EXP + PCI_EXP_LNKCAP2,
	      PCI_EXP_LNKCAP2_SLS_2_5GB | PCI_EXP_LNKCAP2_SLS_5_0GB | PCI_EXP_LNKCAP2_SLS_8_0GB |
		      PCI_EXP_LNKCAP2_SLS_16_0GB);
	set16(pci, CAP_EXP + PCI_EXP_LNKCTL2, PCI_EXP_LNKCTL2_TLS_16_0GT);
}

static void init_serial(struct pci *pci, uint64_t serial)
{
	set32(pci, ECAP_DSN, PCI_EXT_CAP_ID_DSN | 1 << 16);
	put_le(&pci->cfg[ECAP_DSN + 4], 8, serial);
}

static bool msix_enabled(const struct pci *pci)
{
	return has_bits(pci, CAP_MSIX + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE);
}

static bool entry_masked(const struct pci *pci, unsigned int v)
{
	if (pci->outside)
		return pci->outside_masked >> v & 1;
	return pci->table[v][PCI_MSIX_ENTRY_VECTOR_CTRL / 4] & PCI_MSIX_ENTRY_CTRL_MASKBIT;
}

static bool msix_masked(const struct pci *pci, unsigned int v)
{
	return has_bits(pci, CAP_MSIX + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_MASKALL) ||
	       !has_bits(pci, PCI_COMMAND, PCI_COMMAND_MASTER) || entry_masked(pci, v);
}

static bool send_message(struct pci *pci, unsigned int v)
{
	const uint32_t *e = pci->table[v];
	uint64_t addr = (uint64_t)e[PCI_MSIX_ENTRY_UPPER_ADDR / 4] << 32 |
			e[PCI_MSIX_ENTRY_LOWER_ADDR / 4];

	if (pci->outside)
		return pci->ops->vector(pci->host, v);
	return pci->ops->msi(pci->host, addr, e[PCI_MSIX_ENTRY_DATA / 4]);
}

static void msix_send(struct pci *pci, unsigned int v)
{
	uint64_t bit = 1ull << v;

	pci->pending &= ~bit;
	pci->unsent &= ~bit;
	if (!send_message(pci, v))
		pci->unsent |= bit;
}

/* Sends what is due of @set, which is a copy of ->pending or ->unsent */
static void msix_replay(struct pci *pci, uint64_t set)
{
	while (set) {
		unsigned int v = __builtin_ctzll(set);

		set &= set - 1;
		if (!msix_masked(pci, v)) {
			msix_send(pci, v);
		} else {
			pci->unsent &= ~(1ull << v);
			pci->pending |= 1ull << v;
		}
	}
}

static void msix_init(struct pci *pci)
{
	memset(pci->table, 0, sizeof(pci->table));
	for (unsigned int v = 0; v < pci->vectors; v++)
		pci->table[v][PCI_MSIX_ENTRY_VECTOR_CTRL / 4] = PCI_MSIX_ENTRY_CTRL_MASKBIT;
	pci->pending = 0;
	pci->unsent = 0;
}

static void cfg_init(struct pci *pci, uint64_t serial)
{
	memset(pci->cfg, 0, sizeof(pci->cfg));
	memset(pci->wmask, 0, sizeof(pci->wmask));
	init_header(pci);
	init_caps(pci);
	init_serial(pci, serial);
}

/* Whether the core may reach the guest's memory; optional for who makes a function */
static void tell_bus_master(struct pci *pci)
{
	if (pci->ops->bus_master)
		pci->ops->bus_master(pci->host, has_bits(pci, PCI_COMMAND, PCI_COMMAND_MASTER));
}

/**
 * pci_reset() - Reset the function, as a function level reset does
 * @pci: the function
 *
 * Which vectors are masked in a table that is kept outside stays.
 */
void pci_reset(struct pci *pci)
{
	uint64_t serial = get_le(&pci->cfg[ECAP_DSN + 4], 8);

	cfg_init(pci, serial);
	msix_init(pci);
	pci->ops->reset(pci->host);
	tell_bus_master(pci);
}

/**
 * pci_new() - Make a function as it is after power-on
 * @id: its identity
 * @ops: what it reaches
 * @host: passed to @ops
 *
 * Return: the function, NULL when there is no memory or @id is not possible.
 */
struct pci *pci_new(const struct pci_identity *id, const struct pci_ops *ops, void *host)
{
	struct pci *pci;

	if (!id->vectors || id->vectors > PCI_MAX_VECTORS)
		return NULL;
	pci = calloc(1, sizeof(*pci));
	if (!pci)
		return NULL;
	pci->ops = ops;
	pci->host = host;
	pci->vectors = id->vectors;
	vpd_init(pci->vpd);
	cfg_init(pci, id->serial);
	msix_init(pci);
	return pci;
}

/**
 * pci_free() - Free a function
 * @pci: the function or NULL
 */
void pci_free(struct pci *pci)
{
	free(pci);
}

/**
 * pci_vectors() - MSI-X vectors that the function has
 * @pci: the function
 */
unsigned int pci_vectors(const struct pci *pci)
{
	return pci->vectors;
}

/**
 * pci_bar_size() - Bytes of a BAR
 * @bar: number of the BAR
 *
 * Return: 0 when the function has no such BAR.
 */
uint32_t pci_bar_size(unsigned int bar)
{
	for (unsigned int i = 0; i < sizeof(bars) / sizeof(bars[0]); i++)
		if (bars[i].index == bar)
			return bars[i].size;
	return 0;
}

static bool valid_access(uint64_t off, unsigned int size, uint64_t limit)
{
	return (size == 1 || size == 2 || size == 4 || size == 8) && off < limit &&
	       size <= limit - off;
}

static uint64_t all_ones(unsigned int size)
{
	return size >= 8 ? ~0ull : (1ull << (8 * size)) - 1;
}

static bool overlaps(uint64_t off, unsigned int size, uint64_t field, unsigned int field_size)
{
	return off < field + field_size && field < off + size;
}

/**
 * pci_cfg_read() - Read configuration space
 * @pci: the function
 * @off: offset in bytes
 * @size: 1, 2, 4 or 8 bytes
 *
 * Return: the value, all ones when the access is not possible.
 */
uint64_t pci_cfg_read(struct pci *pci, uint64_t off, unsigned int size)
{
	if (!valid_access(off, size, PCI_CFG_SIZE))
		return all_ones(size);
	return get_le(&pci->cfg[off], size);
}

/*
 * A VPD read: the driver writes an address with the flag clear and waits until
 * it is set. VPD is read only, so a write (flag set) just completes.
 */
static void vpd_access(struct pci *pci)
{
	uint16_t addr = cfg16(pci, CAP_VPD + PCI_VPD_ADDR);
	uint16_t at = addr & PCI_VPD_ADDR_MASK & ~3u;

	if (!(addr & PCI_VPD_ADDR_F))
		set32(pci, CAP_VPD + PCI_VPD_DATA,
		      at <= VPD_MAX - 4 ? (uint32_t)get_le(&pci->vpd[at], 4) : 0);
	set16(pci, CAP_VPD + PCI_VPD_ADDR, addr ^ PCI_VPD_ADDR_F);
}

/**
 * pci_cfg_write() - Write configuration space
 * @pci: the function
 * @off: offset in bytes
 * @size: 1, 2, 4 or 8 bytes
 * @val: the value; bits that are read only stay as they are
 *
 * May send interrupts which were pending, and may reset the function.
 */
void pci_cfg_write(struct pci *pci, uint64_t off, unsigned int size, uint64_t val)
{
	if (!valid_access(off, size, PCI_CFG_SIZE))
		return;

	for (unsigned int i = 0; i < size; i++, val >>= 8) {
		uint8_t mask = pci->wmask[off + i];

		pci->cfg[off + i] = (pci->cfg[off + i] & ~mask) | (val & mask);
		/* the reset bit is not kept: it reads as zero */
		if (off + i == CAP_EXP + PCI_EXP_DEVCTL + 1 &&
		    (val & PCI_EXP_DEVCTL_BCR_FLR >> 8)) {
			pci_reset(pci);
			return;
		}
	}
	if (overlaps(off, size, PCI_COMMAND, 2))
		tell_bus_master(pci);
	if (overlaps(off, size, CAP_VPD + PCI_VPD_ADDR + 1, 1))
		vpd_access(pci);
	if (!msix_enabled(pci))
		pci->pending = pci->unsent = 0;
	else if (overlaps(off, size, PCI_COMMAND, 2) ||
		 overlaps(off, size, CAP_MSIX + PCI_MSIX_FLAGS, 2))
		msix_replay(pci, pci->pending);
}

static uint64_t msix_read(const struct pci *pci, uint64_t off, unsigned int size)
{
	const uint8_t *table = (const uint8_t *)pci->table;
	uint64_t table_size = pci->vectors * PCI_MSIX_ENTRY_SIZE;

	if (valid_access(off, size, table_size))
		return get_le(table + off, size);
	if (off >= MSIX_PBA && valid_access(off - MSIX_PBA, size, sizeof(pci->pending)))
		return get_le((const uint8_t *)&pci->pending + (off - MSIX_PBA), size);
	return 0;
}

static void msix_write(struct pci *pci, uint64_t off, unsigned int size, uint64_t val)
{
	/* the specification allows whole dwords and qwords only */
	if (size < 4 || off % size || !valid_access(off, size, pci->vectors * PCI_MSIX_ENTRY_SIZE))
		return;
	put_le((uint8_t *)pci->table + off, size, val);
	if (msix_enabled(pci))
		msix_replay(pci, pci->pending & (1ull << off / PCI_MSIX_ENTRY_SIZE));
}

static const struct bar *find_bar(const struct pci *pci, unsigned int bar)
{
	/* a function whose memory space is off answers nobody */
	if (!has_bits(pci, PCI_COMMAND, PCI_COMMAND_MEMORY))
		return NULL;
	for (unsigned int i = 0; i < sizeof(bars) / sizeof(bars[0]); i++)
		if (bars[i].index == bar)
			return &bars[i];
	return NULL;
}

/**
 * pci_bar_read() - Read from a BAR
 * @pci: the function
 * @bar: number of the BAR
 * @off: offset in bytes
 * @size: 1, 2, 4 or 8 bytes
 *
 * Return: the value, all ones when nothing answers there.
 */
uint64_t pci_bar_read(struct pci *pci, unsigned int bar, uint64_t off, unsigned int size)
{
	const struct bar *b = find_bar(pci, bar);

	if (!b || !valid_access(off, size, b->size))
		return all_ones(size);
	if (bar == NIC_BAR_MSIX)
		return msix_read(pci, off, size);
	return pci->ops->bar_read(pci->host, bar, off, size);
}

/**
 * pci_bar_write() - Write to a BAR
 * @pci: the function
 * @bar: number of the BAR
 * @off: offset in bytes
 * @size: 1, 2, 4 or 8 bytes
 * @val: the value
 */
void pci_bar_write(struct pci *pci, unsigned int bar, uint64_t off, unsigned int size, uint64_t val)
{
	const struct bar *b = find_bar(pci, bar);

	if (!b || !valid_access(off, size, b->size))
		return;
	if (bar == NIC_BAR_MSIX)
		msix_write(pci, off, size, val);
	else
		pci->ops->bar_write(pci->host, bar, off, size, val);
}

/* The largest naturally aligned access that fits, as a bridge would split it */
static unsigned int piece(uint64_t addr, uint32_t left)
{
	unsigned int size = 8;

	while (size > left || addr % size)
		size /= 2;
	return size;
}

/**
 * pci_cfg_copy_from() - Read any length of configuration space
 * @pci: the function
 * @off: offset in bytes
 * @to: where to
 * @len: bytes; what lies behind the end reads as all ones
 */
void pci_cfg_copy_from(struct pci *pci, uint64_t off, uint8_t *to, uint32_t len)
{
	for (uint32_t done = 0, size; done < len; done += size) {
		size = piece(off + done, len - done);
		put_le(to + done, size, pci_cfg_read(pci, off + done, size));
	}
}

/**
 * pci_cfg_copy_to() - Write any length of configuration space
 * @pci: the function
 * @off: offset in bytes
 * @from: what
 * @len: bytes; what lies behind the end is dropped
 */
void pci_cfg_copy_to(struct pci *pci, uint64_t off, const uint8_t *from, uint32_t len)
{
	for (uint32_t done = 0, size; done < len; done += size) {
		size = piece(off + done, len - done);
		pci_cfg_write(pci, off + done, size, get_le(from + done, size));
	}
}

/**
 * pci_bar_copy_from() - Read any length of a BAR
 * @pci: the function
 * @bar: number of the BAR
 * @off: offset in bytes
 * @to: where to
 * @len: bytes; where nothing answers they read as all ones
 */
void pci_bar_copy_from(struct pci *pci, unsigned int bar, uint64_t off, uint8_t *to, uint32_t len)
{
	for (uint32_t done = 0, size; done < len; done += size) {
		size = piece(off + done, len - done);
		put_le(to + done, size, pci_bar_read(pci, bar, off + done, size));
	}
}

/**
 * pci_bar_copy_to() - Write any length of a BAR
 * @pci: the function
 * @bar: number of the BAR
 * @off: offset in bytes
 * @from: what
 * @len: bytes; where nobody listens they are dropped
 */
void pci_bar_copy_to(struct pci *pci, unsigned int bar, uint64_t off, const uint8_t *from,
		     uint32_t len)
{
	for (uint32_t done = 0, size; done < len; done += size) {
		size = piece(off + done, len - done);
		pci_bar_write(pci, bar, off + done, size, get_le(from + done, size));
	}
}

/**
 * pci_msix_raise() - The core raises an interrupt
 * @pci: the function
 * @vector: MSI-X vector; one outside the table is ignored
 *
 * Sent at once, or kept as pending while masked. Lost while MSI-X is off.
 */
void pci_msix_raise(struct pci *pci, unsigned int vector)
{
	if (vector < pci->vectors && msix_enabled(pci))
		msix_replay(pci, 1ull << vector);
}

/**
 * pci_msix_retry() - The transport has room again
 * @pci: the function
 */
void pci_msix_retry(struct pci *pci)
{
	if (pci->unsent)
		msix_replay(pci, pci->unsent);
}

/**
 * pci_msix_outside() - The MSI-X table that counts is kept by the transport's other end
 * @pci: the function, with @vector in its operations
 *
 * What the driver writes into the table does not come here then. All vectors are
 * masked until pci_msix_mask() says otherwise; the function's own mask and enable
 * bits count as before.
 */
void pci_msix_outside(struct pci *pci)
{
	pci->outside = true;
	pci->outside_masked = ~0ull;
}

/**
 * pci_msix_mask() - Mask or unmask a vector of a table that is kept outside
 * @pci: the function
 * @vector: MSI-X vector; one outside the table is ignored
 * @masked: whether interrupts wait; those that did are sent when they need not any more
 */
void pci_msix_mask(struct pci *pci, unsigned int vector, bool masked)
{
	uint64_t bit = 1ull << (vector % 64);

	if (vector >= pci->vectors)
		return;
	pci->outside_masked &= ~bit;
	if (masked)
		pci->outside_masked |= bit;
	else if (msix_enabled(pci))
		msix_replay(pci, pci->pending & bit);
}
