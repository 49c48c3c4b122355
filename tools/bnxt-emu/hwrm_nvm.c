// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * HWRM: flash, which can be read, self tests, and the register dump.
 *
 * The flash has two items: the log of installed packages (the line's fields are
 * those of enum bnxnvm_pkglog_field_index) and the vital product data.
 */
#include <stdio.h>

#include "core.h"

#define NVM_SIZE	(8u << 20)
#define NVM_SECTOR	4096u
#define NVM_ITEMS	2
#define ITEM_MAX	256

struct nvm_item {
	uint16_t type;
	const char *data;
};

static const struct nvm_item items[NVM_ITEMS] = {
	{ NVM_DIR_PKG_LOG, "2024-01-01 00:00:00\tbnxt-emu\t230.0.0.0\t2024-01-01 00:00:00\t0\t0\t0\n" },
	{ NVM_DIR_VPD, "PN=BCM957504-EMU\nSN=EMU0000000001\n" },
};

/* CRC-32 as in IEEE 802.3: what the directory keeps of each item */
static uint32_t crc32(const char *p, size_t len)
{
	uint32_t crc = ~0u;

	while (len--) {
		crc ^= (uint8_t)*p++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

static void directory(struct nvm_dir_entry dir[NVM_ITEMS])
{
	for (unsigned int i = 0; i < NVM_ITEMS; i++) {
		size_t len = strlen(items[i].data);

		dir[i] = (struct nvm_dir_entry){
			.type = items[i].type,
			.item_location = (i + 1) * NVM_SECTOR,
			.item_length = NVM_SECTOR,
			.data_length = len,
			.checksum = crc32(items[i].data, len),
		};
	}
}

enum hwrm_error hwrm_nvm_get_dev_info(struct nic *nic, const void *req, void *resp)
{
	struct nvm_get_dev_info_resp *r = resp;

	(void)req;
	r->sector_size = NVM_SECTOR;
	r->nvram_size = NVM_SIZE;
	r->reserved_size = NVM_SECTOR;	/* the directory */
	r->available_size = NVM_SIZE - (NVM_ITEMS + 1) * NVM_SECTOR;
	r->flags = NVM_FW_VER_VALID;
	snprintf(r->pkg_name, sizeof(r->pkg_name), "emulated");
	memcpy(r->hwrm_fw, nic->cfg.fw_version, sizeof(r->hwrm_fw));
	return HWRM_OK;
}

enum hwrm_error hwrm_nvm_get_dir_info(struct nic *nic, const void *req, void *resp)
{
	struct nvm_get_dir_info_resp *r = resp;

	(void)nic;
	(void)req;
	r->entries = NVM_ITEMS;
	r->entry_length = sizeof(struct nvm_dir_entry);
	return HWRM_OK;
}

enum hwrm_error hwrm_nvm_get_dir_entries(struct nic *nic, const void *req, void *resp)
{
	const struct nvm_get_dir_entries_req *q = req;
	struct nvm_dir_entry dir[NVM_ITEMS];
	void *dst = dma_ptr(&nic->dma, q->host_dest_addr, sizeof(dir));

	(void)resp;
	if (!dst)
		return HWRM_INVALID_PARAMS;
	directory(dir);
	memcpy(dst, dir, sizeof(dir));
	return HWRM_OK;
}

enum hwrm_error hwrm_nvm_find_dir_entry(struct nic *nic, const void *req, void *resp)
{
	const struct nvm_find_dir_entry_req *q = req;
	struct nvm_find_dir_entry_resp *r = resp;
	struct nvm_dir_entry dir[NVM_ITEMS];
	unsigned int i = 0;

	(void)nic;
	directory(dir);
	if (q->enables & NVM_FIND_EN_IDX) {
		i = q->dir_idx;
	} else {
		/* each type has one item, of ordinal 0 */
		if (q->dir_ext || (q->opt_ordinal & 3) == NVM_ORDINAL_GT || q->dir_ordinal)
			return HWRM_FAIL;
		while (i < NVM_ITEMS && dir[i].type != q->dir_type)
			i++;
	}
	if (i >= NVM_ITEMS)
		return HWRM_FAIL;
	r->item_length = dir[i].item_length;
	r->data_length = dir[i].data_length;
	r->ordinal = dir[i].ordinal;
	r->dir_idx = i;
	return HWRM_OK;
}

enum hwrm_error hwrm_nvm_read(struct nic *nic, const void *req, void *resp)
{
	const struct nvm_read_req *q = req;
	uint32_t have;
	uint8_t *dst;

	(void)resp;
	if (q->dir_idx >= NVM_ITEMS || q->offset > NVM_SECTOR || q->len > NVM_SECTOR - q->offset)
		return HWRM_INVALID_PARAMS;
	dst = dma_ptr(&nic->dma, q->host_dest_addr, q->len);
	if (!dst)
		return HWRM_INVALID_PARAMS;
	/* flash behind the data is erased */
	memset(dst, 0xff, q->len);
	have = strlen(items[q->dir_idx].data);
	if (q->offset < have)
		memcpy(dst, items[q->dir_idx].data + q->offset, min_u32(q->len, have - q->offset));
	return HWRM_OK;
}

/*
 * Self tests
 */

static bool test_nvm(struct nic *nic)
{
	struct nvm_dir_entry dir[NVM_ITEMS];

	(void)nic;
	directory(dir);
	for (unsigned int i = 0; i < NVM_ITEMS; i++)
		if (!dir[i].data_length || dir[i].data_length > ITEM_MAX ||
		    dir[i].checksum != crc32(items[i].data, dir[i].data_length))
			return false;
	return true;
}

static bool test_link(struct nic *nic)
{
	/* the driver may have forced it down for the tests that follow */
	return nic->phy.cable;
}

/* A bit walks through the window registers, which come back as they were */
static bool test_registers(struct nic *nic)
{
	for (unsigned int i = 0; i < GRC_WINDOWS_SIZE / 4; i++) {
		uint64_t reg = GRC_WINDOWS + 4 * i;
		uint32_t was = nic_bar0_read32(nic, reg), bit = 1;
		bool good = true;

		for (; bit && good; bit <<= 1) {
			nic_mmio_write(nic, NIC_BAR_GRC, reg, 4, bit);
			good = nic_bar0_read32(nic, reg) == bit;
		}
		nic_mmio_write(nic, NIC_BAR_GRC, reg, 4, was);
		if (!good)
			return false;
	}
	return true;
}

struct self_test {
	const char *name;
	bool offline;
	bool (*run)(struct nic *nic);
};

/* The place of a test is its bit in SELFTEST_EXEC: NVM, link, register */
static const struct self_test tests[] = {
	{ "NVM", false, test_nvm },
	{ "Link", false, test_link },
	{ "Register", true, test_registers },
};

enum hwrm_error hwrm_selftest_qlist(struct nic *nic, const void *req, void *resp)
{
	struct selftest_qlist_resp *r = resp;

	(void)nic;
	(void)req;
	r->num_tests = ARRAY_SIZE(tests);
	r->test_timeout = 1000;	/* ms */
	for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
		r->available_tests |= 1u << i;
		if (tests[i].offline)
			r->offline_tests |= 1u << i;
		snprintf(r->test_name[i], sizeof(r->test_name[i]), "%s", tests[i].name);
	}
	return HWRM_OK;
}

enum hwrm_error hwrm_selftest_exec(struct nic *nic, const void *req, void *resp)
{
	const struct selftest_exec_req *q = req;
	struct selftest_exec_resp *r = resp;

	if (q->flags >> ARRAY_SIZE(tests))
		return HWRM_INVALID_PARAMS;
	r->requested_tests = q->flags;
	for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
		if (q->flags & 1u << i && tests[i].run(nic))
			r->test_success |= 1u << i;
	return HWRM_OK;
}

/* The test is that the answer comes as a completion, with its interrupt: see hwrm_process() */
enum hwrm_error hwrm_selftest_irq(struct nic *nic, const void *req, void *resp)
{
	const struct hwrm_req_hdr *hdr = req;

	(void)resp;
	return ring_get(nic, hdr->cmpl_ring, RING_NQ) || ring_get(nic, hdr->cmpl_ring, RING_CMPL) ?
		       HWRM_OK :
		       HWRM_INVALID_PARAMS;
}

/* Registers as the firmware sees them: its view of BAR 0 */
enum hwrm_error hwrm_dbg_read_direct(struct nic *nic, const void *req, void *resp)
{
	const struct dbg_read_direct_req *q = req;
	uint64_t at = (uint64_t)q->read_addr - CHIMP_REG_VIEW, len = q->read_len32 * 4ull;
	uint8_t *dst;

	(void)resp;
	if (q->read_addr < CHIMP_REG_VIEW || at % 4 || at > NIC_BAR_GRC_SIZE ||
	    len > NIC_BAR_GRC_SIZE - at)
		return HWRM_INVALID_PARAMS;
	dst = dma_ptr(&nic->dma, q->host_dest_addr, len);
	if (!dst)
		return HWRM_INVALID_PARAMS;
	for (uint64_t i = 0; i < len; i += 4) {
		uint32_t v = nic_bar0_read32(nic, at + i);

		memcpy(dst + i, &v, sizeof(v));
	}
	return HWRM_OK;
}
