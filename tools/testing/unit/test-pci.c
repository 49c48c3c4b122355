// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The PCI function as an operating system sees it: walks the capability lists,
 * sizes BARs, reads VPD, and drives MSI-X through its masks.
 */
#include <linux/pci_regs.h>

#include "../../bnxt-emu/pci.h"
#include "../tap.h"

#define VECTORS		5
#define CAP_MAX		48
#define SERIAL		0x020000fffe575004ull
#define TABLE(v)	((v) * PCI_MSIX_ENTRY_SIZE)

struct world {
	struct pci *pci;
	bool full;			/* the transport has no room */
	unsigned int sent;
	uint64_t addr;
	uint32_t data;
	unsigned int resets;
	unsigned int reads, writes;
	enum nic_bar bar;
	uint64_t off, val;
	unsigned int size;
	unsigned int vectors;		/* raised where the table is kept outside */
	unsigned int vector;		/* the last of them */
};

static uint64_t bar_read(void *host, enum nic_bar bar, uint64_t off, unsigned int size)
{
	struct world *w = host;

	w->reads++;
	w->bar = bar;
	w->off = off;
	w->size = size;
	return 0x1234;
}

static void bar_write(void *host, enum nic_bar bar, uint64_t off, unsigned int size, uint64_t val)
{
	struct world *w = host;

	w->writes++;
	w->bar = bar;
	w->off = off;
	w->size = size;
	w->val = val;
}

static bool msi(void *host, uint64_t addr, uint32_t data)
{
	struct world *w = host;

	if (w->full)
		return false;
	w->sent++;
	w->addr = addr;
	w->data = data;
	return true;
}

static void reset(void *host)
{
	struct world *w = host;

	w->resets++;
}

static bool vector(void *host, unsigned int v)
{
	struct world *w = host;

	if (w->full)
		return false;
	w->vectors++;
	w->vector = v;
	return true;
}

static const struct pci_ops ops = { bar_read, bar_write, msi, reset, .vector = vector };

static void start(struct world *w)
{
	struct pci_identity id = { .vectors = VECTORS, .serial = SERIAL };

	*w = (struct world){ };
	w->pci = pci_new(&id, &ops, w);
	if (!w->pci)
		tap_bail("pci_new failed");
}

static uint32_t r32(struct world *w, unsigned int off)
{
	return pci_cfg_read(w->pci, off, 4);
}

static uint16_t r16(struct world *w, unsigned int off)
{
	return pci_cfg_read(w->pci, off, 2);
}

static void w16(struct world *w, unsigned int off, uint16_t v)
{
	pci_cfg_write(w->pci, off, 2, v);
}

static void w32(struct world *w, unsigned int off, uint32_t v)
{
	pci_cfg_write(w->pci, off, 4, v);
}

/* Where a capability lies, 0 when it is not in the list */
static unsigned int find_cap(struct world *w, unsigned int id)
{
	unsigned int off = pci_cfg_read(w->pci, PCI_CAPABILITY_LIST, 1);

	for (int i = 0; off && i < CAP_MAX; i++) {
		if (pci_cfg_read(w->pci, off, 1) == id)
			return off;
		off = pci_cfg_read(w->pci, off + 1, 1);
	}
	return 0;
}

static void test_header(void)
{
	struct world w;

	start(&w);
	tap_eq(r32(&w, PCI_VENDOR_ID), 0x175114e4, "vendor and device are those of a BCM57504");
	tap_eq(r32(&w, PCI_CLASS_REVISION) >> 8, 0x020000, "class is Ethernet");
	tap_eq(pci_cfg_read(w.pci, PCI_HEADER_TYPE, 1), 0, "header type 0");
	tap_ok(r16(&w, PCI_STATUS) & PCI_STATUS_CAP_LIST, "has a capability list");
	w32(&w, PCI_VENDOR_ID, 0);
	tap_eq(r32(&w, PCI_VENDOR_ID), 0x175114e4, "identity cannot be written");
	tap_ok(find_cap(&w, PCI_CAP_ID_PM) && find_cap(&w, PCI_CAP_ID_MSIX) &&
		       find_cap(&w, PCI_CAP_ID_EXP) && find_cap(&w, PCI_CAP_ID_VPD),
	       "has PM, MSI-X, PCIe, VPD");
	tap_eq(r32(&w, PCI_CFG_SPACE_SIZE) & 0xffff, PCI_EXT_CAP_ID_DSN,
	       "extended list starts with the serial number");
	tap_eq(r32(&w, PCI_CFG_SPACE_SIZE) >> 20, 0, "and ends there");
	tap_eq(pci_cfg_read(w.pci, PCI_CFG_SPACE_SIZE + 4, 8), SERIAL, "serial number");
	pci_free(w.pci);
}

static void test_bounds(void)
{
	struct world w;

	start(&w);
	tap_eq(pci_cfg_read(w.pci, 4096, 4), 0xffffffff, "read beyond configuration space");
	tap_eq(pci_cfg_read(w.pci, 4094, 4), 0xffffffff, "read across its end");
	tap_eq(pci_cfg_read(w.pci, ~0ull, 1), 0xff, "read at the last address there is");
	tap_eq(pci_cfg_read(w.pci, 0, 3), 0xffffff, "read of a size that does not exist");
	pci_cfg_write(w.pci, 4095, 8, ~0ull);
	pci_cfg_write(w.pci, ~0ull, 8, ~0ull);
	pci_cfg_write(w.pci, 0, 16, ~0ull);
	tap_eq(r32(&w, PCI_VENDOR_ID), 0x175114e4, "writes out of bounds change nothing");
	w16(&w, PCI_COMMAND, PCI_COMMAND_MEMORY);
	tap_eq(pci_bar_read(w.pci, 0, NIC_BAR_GRC_SIZE - 4, 8), ~0ull, "BAR read across its end");
	tap_eq(pci_bar_read(w.pci, 2, ~0ull - 2, 4), 0xffffffff, "BAR read whose end wraps");
	tap_eq(pci_bar_read(w.pci, 1, 0, 4), 0xffffffff,
	       "read of a BAR that is the upper half of another");
	tap_eq(pci_bar_read(w.pci, 200, 0, 4), 0xffffffff, "read of a BAR that does not exist");
	tap_eq(pci_bar_read(w.pci, 4, TABLE(VECTORS) - 4, 8), 0,
	       "read across the end of the vector table");
	pci_bar_write(w.pci, 4, TABLE(VECTORS), 4, ~0u);
	pci_bar_write(w.pci, 4, TABLE(VECTORS) - 4, 8, ~0ull);
	pci_bar_write(w.pci, 0, NIC_BAR_GRC_SIZE, 1, 0);
	tap_ok(!w.reads && !w.writes, "none of it reached the core");
	pci_free(w.pci);
}

static void test_bars(void)
{
	static const struct { unsigned int bar; uint32_t size; } want[] = {
		{ 0, NIC_BAR_GRC_SIZE }, { 2, NIC_BAR_DB_SIZE }, { 4, NIC_BAR_MSIX_SIZE },
	};
	struct world w;

	start(&w);
	for (unsigned int i = 0; i < 3; i++) {
		unsigned int reg = PCI_BASE_ADDRESS_0 + 4 * want[i].bar;
		uint64_t mask;

		tap_eq(r32(&w, reg) & 7, PCI_BASE_ADDRESS_MEM_TYPE_64, "BAR %u is 64-bit memory",
		       want[i].bar);
		w32(&w, reg, ~0u);
		w32(&w, reg + 4, ~0u);
		mask = (uint64_t)r32(&w, reg + 4) << 32 |
		       (r32(&w, reg) & PCI_BASE_ADDRESS_MEM_MASK);
		tap_eq(~mask + 1, want[i].size, "BAR %u has %u bytes", want[i].bar, want[i].size);
		w32(&w, reg, 0xf0000000);
		w32(&w, reg + 4, 7);
		tap_ok((r32(&w, reg) & ~0xfu) == 0xf0000000 && r32(&w, reg + 4) == 7,
		       "BAR %u keeps its address", want[i].bar);
	}

	tap_eq(pci_bar_read(w.pci, 0, 0x100, 4), 0xffffffff, "memory space off: nobody answers");
	pci_bar_write(w.pci, 0, 0x100, 4, 1);
	tap_ok(!w.reads && !w.writes, "memory space off: the core hears nothing");
	w16(&w, PCI_COMMAND, PCI_COMMAND_MEMORY);
	tap_eq(pci_bar_read(w.pci, 0, 0x100, 4), 0x1234, "memory space on: the core answers");
	pci_bar_write(w.pci, 2, 0x10000, 8, 0x1122334455667788ull);
	tap_ok(w.bar == NIC_BAR_DB && w.off == 0x10000 && w.size == 8 &&
		       w.val == 0x1122334455667788ull,
	       "a doorbell arrives whole");
	pci_free(w.pci);
}

/* As Linux reads it (drivers/pci/vpd.c) */
static bool vpd_read(struct world *w, unsigned int addr, uint8_t out[4])
{
	unsigned int cap = find_cap(w, PCI_CAP_ID_VPD);
	uint32_t v;

	w16(w, cap + PCI_VPD_ADDR, addr);
	if (!(r16(w, cap + PCI_VPD_ADDR) & PCI_VPD_ADDR_F))
		return false;
	v = r32(w, cap + PCI_VPD_DATA);
	for (int i = 0; i < 4; i++)
		out[i] = v >> (8 * i);
	return true;
}

static void test_vpd(void)
{
	uint8_t vpd[256], sum = 0;
	unsigned int at, len, end, i;
	struct world w;
	bool good = true;

	start(&w);
	for (i = 0; i < sizeof(vpd); i += 4)
		good &= vpd_read(&w, i, vpd + i);
	tap_ok(good, "VPD sets its flag for each address");
	tap_eq(vpd[0], 0x82, "VPD starts with the identifier string");
	at = 3 + (vpd[1] | vpd[2] << 8);
	tap_eq(vpd[at], 0x90, "then come the read-only fields");
	len = vpd[at + 1] | vpd[at + 2] << 8;
	end = at + 3 + len;
	tap_eq(vpd[end], 0x78, "then the end tag");
	for (i = at + 3; i + 3 <= end && memcmp(&vpd[i], "RV", 2); i += 3 + vpd[i + 2])
		;
	tap_ok(i + 3 < end, "there is a checksum");
	for (unsigned int j = 0; j <= i + 3; j++)
		sum += vpd[j];
	tap_eq(sum, 0, "all bytes up to the checksum add up to 0");
	tap_ok(vpd_read(&w, 0x7ffc, vpd) && !vpd[0] && !vpd[3], "VPD beyond its end reads as 0");
	pci_free(w.pci);
}

static void msix_on(struct world *w, uint16_t flags)
{
	w16(w, find_cap(w, PCI_CAP_ID_MSIX) + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE | flags);
}

static void set_vector(struct world *w, unsigned int v, uint64_t addr, uint32_t data, bool masked)
{
	pci_bar_write(w->pci, 4, TABLE(v), 4, addr);
	pci_bar_write(w->pci, 4, TABLE(v) + 4, 4, addr >> 32);
	pci_bar_write(w->pci, 4, TABLE(v) + 8, 4, data);
	pci_bar_write(w->pci, 4, TABLE(v) + 12, 4, masked);
}

static uint64_t pba(struct world *w)
{
	unsigned int cap = find_cap(w, PCI_CAP_ID_MSIX);

	return pci_bar_read(w->pci, 4, r32(w, cap + PCI_MSIX_PBA) & PCI_MSIX_PBA_OFFSET, 8);
}

static void test_msix(void)
{
	unsigned int cap;
	struct world w;

	start(&w);
	cap = find_cap(&w, PCI_CAP_ID_MSIX);
	tap_eq((r16(&w, cap + PCI_MSIX_FLAGS) & PCI_MSIX_FLAGS_QSIZE) + 1, VECTORS, "table size");
	tap_eq(r32(&w, cap + PCI_MSIX_TABLE) & PCI_MSIX_TABLE_BIR, 4, "the table is in BAR 4");

	w16(&w, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	pci_msix_raise(w.pci, 1);
	msix_on(&w, 0);
	tap_ok(!w.sent && !pba(&w), "an interrupt while MSI-X is off is lost");
	tap_eq(pci_bar_read(w.pci, 4, TABLE(3) + 12, 4), 1, "vectors start masked");

	set_vector(&w, 1, 0x5000a0000ull, 65, true);
	tap_eq(pci_bar_read(w.pci, 4, TABLE(1), 8), 0x5000a0000ull, "the table reads back");
	pci_msix_raise(w.pci, 1);
	pci_msix_raise(w.pci, 1);
	tap_ok(!w.sent && pba(&w) == 2, "masked vector: pending");
	pci_bar_write(w.pci, 4, TABLE(1) + 12, 4, 0);
	tap_ok(w.sent == 1 && w.addr == 0x5000a0000ull && w.data == 65 && !pba(&w),
	       "unmasked: sent once, with the driver's address and data");
	pci_msix_raise(w.pci, 1);
	tap_eq(w.sent, 2, "unmasked vector: sent at once");

	w16(&w, cap + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	pci_msix_raise(w.pci, 1);
	tap_ok(w.sent == 2 && pba(&w) == 2, "function mask: pending");
	w16(&w, cap + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE);
	tap_ok(w.sent == 3 && !pba(&w), "function mask off: sent");

	w16(&w, PCI_COMMAND, PCI_COMMAND_MEMORY);
	pci_msix_raise(w.pci, 1);
	tap_ok(w.sent == 3 && pba(&w) == 2, "no bus master: pending");
	w16(&w, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	tap_ok(w.sent == 4 && !pba(&w), "bus master: sent");

	pci_msix_raise(w.pci, VECTORS);
	pci_msix_raise(w.pci, ~0u);
	tap_eq(w.sent, 4, "vectors outside the table are ignored");
	pci_bar_write(w.pci, 4, TABLE(1) + 12, 1, 1);
	pci_bar_write(w.pci, 4, TABLE(1) + 13, 2, 1);
	pci_msix_raise(w.pci, 1);
	tap_eq(w.sent, 5, "writes smaller than a dword do not reach the table");
	pci_free(w.pci);
}

static void test_msix_room(void)
{
	struct world w;

	start(&w);
	w16(&w, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	msix_on(&w, 0);
	for (unsigned int v = 0; v < VECTORS; v++)
		set_vector(&w, v, 0xa0000, 60 + v, false);
	w.full = true;
	pci_msix_raise(w.pci, 0);
	pci_msix_raise(w.pci, 3);
	pci_msix_raise(w.pci, 3);
	pci_msix_retry(w.pci);
	tap_ok(!w.sent && !pba(&w), "no room: kept, but not pending for the driver");
	pci_bar_write(w.pci, 4, TABLE(3) + 12, 4, 1);
	w.full = false;
	pci_msix_retry(w.pci);
	tap_ok(w.sent == 1 && w.data == 60, "room again: sent");
	tap_eq(pba(&w), 1 << 3, "masked meanwhile: pending now");
	pci_bar_write(w.pci, 4, TABLE(3) + 12, 4, 0);
	tap_ok(w.sent == 2 && w.data == 63, "unmasked: sent once");
	pci_msix_retry(w.pci);
	tap_eq(w.sent, 2, "nothing left to send");
	pci_free(w.pci);
}

/* The transport's other end has the table: its masks count, and vectors are all that is sent */
static void test_msix_outside(void)
{
	struct world w;

	start(&w);
	pci_msix_outside(w.pci);
	w16(&w, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	pci_msix_mask(w.pci, 1, false);
	pci_msix_raise(w.pci, 1);
	tap_eq(w.vectors, 0, "outside: nothing is sent while MSI-X is off");
	msix_on(&w, 0);
	tap_eq(w.vectors, 0, "nor later");
	set_vector(&w, 2, 0xa0000, 60, false);
	pci_msix_raise(w.pci, 2);
	tap_ok(!w.vectors && !w.sent && pba(&w) == 1 << 2, "a vector is masked, whatever the table here says");
	set_vector(&w, 1, 0xa0000, 61, true);
	pci_msix_raise(w.pci, 1);
	tap_ok(w.vectors == 1 && w.vector == 1 && !w.sent, "another is not, and no message is sent");
	pci_msix_mask(w.pci, 2, false);
	tap_ok(w.vectors == 2 && w.vector == 2 && !pba(&w), "unmasked: what was pending is sent");
	pci_msix_mask(w.pci, 2, false);
	pci_msix_mask(w.pci, VECTORS, false);
	pci_msix_mask(w.pci, ~0u, false);
	tap_eq(w.vectors, 2, "once; vectors outside the table are ignored");
	w.full = true;
	pci_msix_raise(w.pci, 1);
	w.full = false;
	pci_msix_retry(w.pci);
	tap_eq(w.vectors, 3, "one that found no room is sent again");
	pci_reset(w.pci);
	tap_eq(w.resets, 1, "a reset from outside reaches the core");
	w16(&w, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	msix_on(&w, 0);
	pci_msix_raise(w.pci, 1);
	tap_eq(w.vectors, 4, "a reset leaves the masks outside as they are");
	pci_free(w.pci);
}

static void test_copies(void)
{
	uint8_t buf[32] = { 0 }, all[PCI_CFG_SIZE];
	struct world w;

	start(&w);
	tap_ok(pci_bar_size(0) == NIC_BAR_GRC_SIZE && pci_bar_size(2) == NIC_BAR_DB_SIZE &&
		       pci_bar_size(4) == NIC_BAR_MSIX_SIZE && !pci_bar_size(1) && !pci_bar_size(6),
	       "sizes of BARs");
	tap_eq(pci_vectors(w.pci), VECTORS, "number of vectors");
	pci_cfg_copy_from(w.pci, 0, all, sizeof(all));
	tap_ok(!memcmp(all, "\xe4\x14\x51\x17", 4) && !memcmp(all + 0x104, &(uint64_t){ SERIAL }, 8),
	       "all of the configuration space at once");
	w16(&w, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	pci_bar_copy_from(w.pci, 0, 3, buf, 18);
	tap_ok(w.reads == 5 && w.off == 0x14 && w.size == 1 && buf[0] == 0x34 && buf[1] == 0x34 && buf[2] == 0x12,
	       "a long read is split: 1, 4, 8, 4, 1 bytes: %u, the last at %#x", w.reads, (unsigned int)w.off);
	buf[14] = 0x55;
	buf[15] = 0xaa;
	pci_bar_copy_to(w.pci, 2, 0x12, buf, 16);
	tap_ok(w.writes == 4 && w.bar == NIC_BAR_DB && w.off == 0x20 && w.size == 2 && w.val == 0xaa55,
	       "so is a write: 2, 4, 8, 2");
	pci_cfg_copy_to(w.pci, PCI_BASE_ADDRESS_0, (const uint8_t *)"\0\0\1\xfe\0\0\0\0\0\0\2\xfe", 12);
	tap_ok((r32(&w, PCI_BASE_ADDRESS_0) & ~0xfu) == 0xfe010000 &&
		       (r32(&w, PCI_BASE_ADDRESS_2) & ~0xfu) == 0xfe020000,
	       "and one of the configuration space");
	pci_free(w.pci);
}

static void test_reset(void)
{
	unsigned int exp;
	struct world w;

	start(&w);
	exp = find_cap(&w, PCI_CAP_ID_EXP);
	tap_ok(r32(&w, exp + PCI_EXP_DEVCAP) & PCI_EXP_DEVCAP_FLR, "can be reset");
	w32(&w, PCI_BASE_ADDRESS_0, 0xf0000000);
	w16(&w, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	msix_on(&w, 0);
	set_vector(&w, 0, 0xa0000, 65, true);
	pci_msix_raise(w.pci, 0);
	w16(&w, exp + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_BCR_FLR);
	tap_eq(w.resets, 1, "function level reset reaches the core");
	tap_ok(!(r16(&w, exp + PCI_EXP_DEVCTL) & PCI_EXP_DEVCTL_BCR_FLR), "its bit reads as 0");
	tap_ok(!r16(&w, PCI_COMMAND) && !(r32(&w, PCI_BASE_ADDRESS_0) & ~0xfu),
	       "command and BARs are cleared");
	tap_eq(pci_cfg_read(w.pci, PCI_CFG_SPACE_SIZE + 4, 8), SERIAL, "the serial number stays");
	w16(&w, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	msix_on(&w, 0);
	tap_ok(!pci_bar_read(w.pci, 4, TABLE(0), 8) &&
		       pci_bar_read(w.pci, 4, TABLE(0) + 12, 4) == 1,
	       "the vector table is as at power-on");
	pci_bar_write(w.pci, 4, TABLE(0) + 12, 4, 0);
	tap_ok(!w.sent, "interrupts pending before are gone");
	w16(&w, find_cap(&w, PCI_CAP_ID_PM) + PCI_PM_CTRL, 3);
	tap_eq(r16(&w, find_cap(&w, PCI_CAP_ID_PM) + PCI_PM_CTRL) & 3, 3, "goes to D3hot");
	w16(&w, find_cap(&w, PCI_CAP_ID_PM) + PCI_PM_CTRL, 0);
	tap_ok(w.resets == 1 && r16(&w, PCI_COMMAND), "and back without losing its state");
	pci_free(w.pci);
}

static void test_identity(void)
{
	struct pci_identity none = { .vectors = 0 }, many = { .vectors = PCI_MAX_VECTORS + 1 };

	tap_ok(!pci_new(&none, &ops, NULL) && !pci_new(&many, &ops, NULL),
	       "impossible numbers of vectors are refused");
}

int main(void)
{
	test_header();
	test_bounds();
	test_bars();
	test_vpd();
	test_msix();
	test_msix_room();
	test_msix_outside();
	test_copies();
	test_reset();
	test_identity();
	return tap_done();
}
