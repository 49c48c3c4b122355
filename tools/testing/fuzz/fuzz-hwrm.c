// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target "hwrm": firmware commands, through the mailbox and as short
 * commands, with registers, doorbells, frames and memory in between.
 *
 * Two bytes make the device's configuration (in_config()), then come steps: a
 * byte that tells which, and its operands. Step 0 is what bnxt-emu --record
 * writes, so that a record of a driver is an input.
 *
 * Addresses in requests are folded into the guest's memory, each word of which
 * is a page table entry that makes sense, and RSS tables name rings that are
 * there, or hardly any input would get far. Flags of a step switch that off.
 */
#include <stdlib.h>
#include <string.h>

#include "../../bnxt-emu/core.h"
#include "fence.h"
#include "fuzz.h"

#define MEM_IOVA 0x40000000ull
#define MEM_SIZE (256u << 10)
#define HOLE_IOVA 0x80001008ull /* a second region, small and crooked */
#define HOLE_SIZE 0x2345u
#define RESP_IOVA 0x90000000ull /* answers have memory of their own */
#define RESP_SIZE 4096u
#define REQ_OFF (MEM_SIZE - 4096)
#define MAX_STEPS 600

/* Flags of a request */
#define RAW_ADDR (1u << 0) /* addresses as they come */
#define RAW_RESP (1u << 1) /* that of the answer too */
#define RAW_RSS (1u << 2) /* RSS table as it lies in memory */
#define VIA_WINDOW (1u << 3) /* the whole request through the mailbox */
#define BAD_SIGNATURE (1u << 4)
#define OWN_SIZE (1u << 5) /* two bytes more: the size that is told */
#define KNOWN_OP (1u << 6) /* the command's number picks one that is known */

struct hwrm_fuzz {
	struct input *in;
	struct nic *nic;
	uint8_t *mem, *hole, *resp;
	uint64_t now;
	bool mapped;
	bool hwrm_faults; /* commands fail as the input wants */
};

/* The @n-th command that the firmware has, round and round */
static uint16_t nth_command(unsigned int n)
{
	static unsigned int count;
	uint16_t op = 0, len;

	while (hwrm_command(count, &op, &len, &len))
		count++;
	hwrm_command(n % count, &op, &len, &len);
	return op;
}

/* Where requests have addresses */
static const struct {
	uint16_t op, off;
} addresses[] = {
	{ HWRM_PORT_QSTATS, 24 },     { HWRM_PORT_QSTATS, 32 },
	{ HWRM_PORT_QSTATS_EXT, 24 }, { HWRM_PORT_QSTATS_EXT, 32 },
	{ HWRM_RING_ALLOC, 24 },      { HWRM_VNIC_RSS_CFG, 24 },
	{ HWRM_VNIC_RSS_CFG, 32 },    { HWRM_CFA_L2_SET_RX_MASK, 24 },
	{ HWRM_STAT_CTX_ALLOC, 16 },  { HWRM_NVM_GET_DIR_ENTRIES, 16 },
	{ HWRM_NVM_READ, 16 },	      { HWRM_DBG_READ_DIRECT, 16 },
};

static uint64_t fold(uint64_t addr)
{
	return MEM_IOVA + (addr & (MEM_SIZE - 1));
}

static void map_memory(struct hwrm_fuzz *f, bool on)
{
	struct dma_map *map = nic_dma(f->nic);

	dma_map_clear(map);
	f->mapped = on;
	if (!on)
		return;
	CHECK(dma_map_add(map, MEM_IOVA, MEM_SIZE, f->mem) &&
		      dma_map_add(map, HOLE_IOVA, HOLE_SIZE, f->hole) &&
		      dma_map_add(map, RESP_IOVA, RESP_SIZE, f->resp),
	      "guest memory is not taken");
}

/* Every word can be an entry of a page table: the address of some page, and flags */
static void fill_memory(struct hwrm_fuzz *f)
{
	for (uint32_t i = 0; i < MEM_SIZE / 8; i++) {
		uint64_t pte = (MEM_IOVA + (i * 37 % (MEM_SIZE / 4096)) * 4096) | (i & 7);

		memcpy(f->mem + i * 8, &pte, 8);
	}
}

static uint16_t nth_ring(const struct nic *nic, unsigned int type, unsigned int n)
{
	uint16_t found[64];
	unsigned int have = 0;

	for (unsigned int i = 0; i < MAX_RINGS && have < ARRAY_SIZE(found); i++)
		if (nic->ring[i].state == RING_LIVE && nic->ring[i].type == type)
			found[have++] = i;
	return have ? found[n % have] : 0;
}

static void write_rss_table(struct hwrm_fuzz *f, const uint8_t *req)
{
	uint64_t addr;
	uint8_t *dst;

	memcpy(&addr, req + 24, 8);
	dst = fence_peek(nic_dma(f->nic), addr, RSS_TABLE_PAIRS * sizeof(struct rss_pair));
	for (unsigned int i = 0; dst && i < RSS_TABLE_PAIRS; i++) {
		struct rss_pair pair = { nth_ring(f->nic, RING_RX, i),
					 nth_ring(f->nic, RING_CMPL, i) };

		memcpy(dst + i * sizeof(pair), &pair, sizeof(pair));
	}
}

static void mend_request(struct hwrm_fuzz *f, uint8_t *req, uint8_t flags)
{
	struct hwrm_req_hdr *hdr = (struct hwrm_req_hdr *)req;

	if (flags & KNOWN_OP)
		hdr->req_type = nth_command(hdr->req_type);
	for (size_t i = 0; i < ARRAY_SIZE(addresses) && !(flags & RAW_ADDR); i++) {
		uint64_t addr;

		if (addresses[i].op != hdr->req_type)
			continue;
		memcpy(&addr, req + addresses[i].off, 8);
		/* 0 is "none" */
		addr = addr ? fold(addr) : 0;
		memcpy(req + addresses[i].off, &addr, 8);
	}
	if (!(flags & RAW_RESP))
		hdr->resp_addr = RESP_IOVA;
	if (hdr->req_type == HWRM_VNIC_RSS_CFG && !(flags & RAW_RSS))
		write_rss_table(f, req);
}

static void ring_window(struct hwrm_fuzz *f, const uint8_t *req, size_t len)
{
	for (size_t i = 0; i + 4 <= len; i += 4) {
		uint32_t v;

		memcpy(&v, req + i, 4);
		nic_mmio_write(f->nic, NIC_BAR_GRC, i, 4, v);
	}
	nic_mmio_write(f->nic, NIC_BAR_GRC, GRC_HWRM_TRIGGER, 4, 1);
}

/* Shortest request of a command and length of its answer; false for one that is not known */
static bool command_lengths(uint16_t op, uint16_t *req_len, uint16_t *resp_len)
{
	uint16_t this;

	for (size_t i = 0; hwrm_command(i, &this, req_len, resp_len); i++)
		if (this == op)
			return true;
	return false;
}

/*
 * An answer that lies where it should: one to this request, whole, and nothing behind
 * it. @len: bytes of the request, header included.
 */
static void check_answer(struct hwrm_fuzz *f, const struct hwrm_req_hdr *req, size_t len)
{
	uint16_t req_len, resp_len;
	const uint8_t *r = f->resp;
	struct hwrm_resp_hdr a;
	bool known = command_lengths(req->req_type, &req_len, &resp_len);

	memcpy(&a, r, sizeof(a));
	CHECK(a.req_type == req->req_type && a.seq_id == req->seq_id,
	      "an answer is to another command");
	CHECK(a.resp_len >= 16 && a.resp_len <= MAX_RESP && !(a.resp_len & 7),
	      "an answer's length is impossible");
	CHECK(r[a.resp_len - 1] == 1, "an answer has no valid byte at its end");
	CHECK(known || a.error_code, "a command that is not known succeeds");
	CHECK(!known || len >= req_len || a.error_code, "a request that is too short succeeds");
	CHECK(a.error_code || a.resp_len == resp_len, "an answer's length is not its command's");
	for (unsigned int i = a.resp_len; i < MAX_RESP + 64; i++)
		CHECK(!r[i], "something was written behind an answer");
}

static void step_request(struct hwrm_fuzz *f)
{
	uint8_t flags = in8(f->in), len = in8(f->in);
	_Alignas(8) uint8_t req[MAX_REQ] = { 0 };
	struct hwrm_req_hdr *hdr = (struct hwrm_req_hdr *)req;
	struct hwrm_short_req brief = { .signature = HWRM_SHORT_SIGNATURE,
					.target_id = 0xffff,
					.size = len,
					.req_addr = MEM_IOVA + REQ_OFF };
	bool sane;

	in_bytes(f->in, req, len);
	mend_request(f, req, flags);
	brief.req_type = hdr->req_type;
	if (flags & BAD_SIGNATURE)
		brief.signature ^= 0x100;
	if (flags & OWN_SIZE)
		brief.size = in16(f->in);
	memset(f->resp, 0, MAX_RESP + 64);
	memcpy(f->mem + REQ_OFF, req, sizeof(req));
	sane = f->mapped && len >= sizeof(*hdr) && !(flags & (RAW_RESP | BAD_SIGNATURE | OWN_SIZE));
	sane &= !f->hwrm_faults;
	if (flags & VIA_WINDOW) {
		/* unless it looks like a short command */
		memcpy(&brief, req, sizeof(brief));
		sane &= brief.signature != HWRM_SHORT_SIGNATURE;
		ring_window(f, req, GRC_HWRM_WINDOW_SIZE);
	} else {
		ring_window(f, (const uint8_t *)&brief, sizeof(brief));
	}
	if (sane && f->resp[6] | f->resp[7])
		check_answer(f, hdr, flags & VIA_WINDOW ? GRC_HWRM_WINDOW_SIZE : len);
}

static void step_write(struct hwrm_fuzz *f)
{
	static const uint32_t base[] = { GRC_HWRM_WINDOW, GRC_HWRM_TRIGGER, GRC_WINDOWS, DB_PF };
	uint8_t how = in8(f->in);
	uint64_t off = how & 64 ? base[how >> 4 & 3] + in8(f->in) % 16 : in32(f->in);

	nic_mmio_write(f->nic, how & 7, off, 1u << (how >> 3 & 3), in_le(f->in, 8));
}

static void step_read(struct hwrm_fuzz *f)
{
	uint8_t how = in8(f->in);
	unsigned int size = 1u << (how >> 3 & 3);
	uint64_t v = nic_mmio_read(f->nic, how & 7, in32(f->in), size);

	CHECK(size == 8 || v == ~0ull || v < 1ull << 8 * size, "a read gives more than was asked");
}

static void step_doorbell(struct hwrm_fuzz *f)
{
	uint8_t type = in8(f->in);
	uint16_t id = in16(f->in);
	uint32_t index = in32(f->in);

	/* with the high bit some ring that is there */
	if (id & 0x8000)
		id = nth_ring(f->nic, id & 7, id >> 3 & 63);
	nic_mmio_write(f->nic, NIC_BAR_DB, DB_PF, 8,
		       (uint64_t)type << 60 | 1ull << 56 | (uint64_t)id << 32 | index);
}

static void step_memory(struct hwrm_fuzz *f)
{
	uint32_t at = in32(f->in) % (MEM_SIZE - 256);
	uint8_t len = in8(f->in);

	in_bytes(f->in, f->mem + at, len);
}

static void step_flush(struct hwrm_fuzz *f)
{
	nic_flush(f->nic);
}

static void step_time(struct hwrm_fuzz *f)
{
	f->now += in_le(f->in, 5);
	nic_run_timers(f->nic, f->now);
	nic_flush(f->nic);
}

static void step_map(struct hwrm_fuzz *f)
{
	map_memory(f, in8(f->in) & 1);
}

static void step_link(struct hwrm_fuzz *f)
{
	nic_set_link(f->nic, in8(f->in) & 1);
}

static void step_reset(struct hwrm_fuzz *f)
{
	nic_reset(f->nic);
}

static void step_frame(struct hwrm_fuzz *f)
{
	struct virtio_net_hdr_v1 hdr;
	uint16_t len = in16(f->in) % 2048;
	uint8_t *frame = malloc(len + 1);

	in_bytes(f->in, &hdr, sizeof(hdr));
	in_bytes(f->in, frame, len);
	nic_wire_rx(f->nic, &hdr, frame, len);
	free(frame);
}

static void step_firmware(struct hwrm_fuzz *f)
{
	nic_fw_error(f->nic, in8(f->in) % 3);
}

static void step_speed(struct hwrm_fuzz *f)
{
	static const unsigned int mbps[] = { 0, 10000, 25000, 40000, 50000, 100000, 7 };

	nic_set_speed(f->nic, mbps[in8(f->in) % ARRAY_SIZE(mbps)]);
}

static void step_pause(struct hwrm_fuzz *f)
{
	nic_wire_tx_pause(f->nic, in8(f->in) & 1);
}

static void step_bus_master(struct hwrm_fuzz *f)
{
	nic_bus_master(f->nic, in8(f->in) & 1);
}

static void no_line(void *arg, const char *line)
{
	(void)arg;
	CHECK(*line, "an empty line");
}

static void no_counter(void *arg, const char *name, uint64_t value)
{
	(void)arg;
	(void)value;
	CHECK(*name, "a counter has no name");
}

/* What the control socket tells about a device in any state */
static void step_lists(struct hwrm_fuzz *f)
{
	nic_list_rings(f->nic, no_line, NULL);
	nic_list_vnics(f->nic, no_line, NULL);
	nic_list_filters(f->nic, no_line, NULL);
	nic_counters(f->nic, no_counter, NULL);
}

static uint64_t on_fault(void *host, enum nic_fault fault)
{
	struct hwrm_fuzz *f = host;

	(void)fault;
	return in8(f->in) & 1 ? 1000 : 0;
}

static struct nic_hwrm_fault on_hwrm_fault(void *host, const char *name)
{
	struct hwrm_fuzz *f = host;

	CHECK(nic_hwrm_known(name), "a command has a name that nobody knows");
	if (!f->hwrm_faults)
		return (struct nic_hwrm_fault){ .fate = NIC_HWRM_FINE };
	return (struct nic_hwrm_fault){ .fate = in8(f->in) % (NIC_HWRM_ONES + 1), .error = 4 };
}

static void step_faults(struct hwrm_fuzz *f)
{
	uint16_t mask = in16(f->in);

	nic_set_faults(f->nic, mask % (1u << NIC_FAULT_COUNT));
	f->hwrm_faults = mask & 0x8000;
}

/* Operands of those steps whose length is in them; @p holds 8 bytes at least */
static size_t request_operands(const uint8_t *p)
{
	return 2u + p[1] + (p[0] & OWN_SIZE ? 2 : 0);
}

static size_t write_operands(const uint8_t *p)
{
	return 1 + (p[0] & 64 ? 1 : 4) + 8;
}

static size_t memory_operands(const uint8_t *p)
{
	return 5u + p[4];
}

static size_t frame_operands(const uint8_t *p)
{
	return 2 + sizeof(struct virtio_net_hdr_v1) + (p[0] | p[1] << 8) % 2048;
}

static const struct step {
	void (*fn)(struct hwrm_fuzz *f);
	size_t bytes; /* of its operands, if not the next tells */
	size_t (*operands)(const uint8_t *p);
} steps[] = {
	{ step_request, 0, request_operands },
	{ step_request, 0, request_operands },
	{ step_request, 0, request_operands },
	{ step_doorbell, 7 },
	{ step_doorbell, 7 },
	{ step_flush, 0 },
	{ step_memory, 0, memory_operands },
	{ step_frame, 0, frame_operands },
	{ step_write, 0, write_operands },
	{ step_read, 5 },
	{ step_time, 5 },
	{ step_map, 1 },
	{ step_link, 1 },
	{ step_reset, 0 },
	{ step_firmware, 1 },
	{ step_speed, 1 },
	{ step_pause, 1 },
	{ step_bus_master, 1 },
	{ step_lists, 0 },
	{ step_faults, 2 },
};

/**
 * hwrm_requests - find the requests of an input that have arguments
 * @data: input
 * @size: its bytes
 * @span: set; without headers, which the target makes
 * @max: room there
 *
 * Faults take bytes of the input that nobody can foresee: what is found behind a step that
 * switches them on may be no request.
 *
 * Return: how many were found.
 */
unsigned int hwrm_requests(const uint8_t *data, size_t size, struct hwrm_span *span,
			   unsigned int max)
{
	unsigned int n = 0;

	for (size_t at = 2; at + 1 + 8 < size && n < max;) {
		const struct step *step = &steps[data[at] % ARRAY_SIZE(steps)];
		const uint8_t *p = data + at + 1;
		uint16_t op = p[2] | p[3] << 8, req_len, resp_len;

		at += 1 + (step->operands ? step->operands(p) : step->bytes);
		if (step->fn != step_request || at > size)
			continue;
		if (p[0] & KNOWN_OP)
			op = nth_command(op);
		/* of no others it matters what is in them */
		if (!command_lengths(op, &req_len, &resp_len) || p[1] < req_len ||
		    req_len <= sizeof(struct hwrm_req_hdr))
			continue;
		span[n++] = (struct hwrm_span){
			.at = p + 2 + sizeof(struct hwrm_req_hdr) - data,
			.len = req_len - sizeof(struct hwrm_req_hdr),
			.op = op,
		};
	}
	return n;
}

static void on_msix(void *host, unsigned int vector)
{
	struct hwrm_fuzz *f = host;

	CHECK(vector < nic_vectors(&f->nic->cfg), "an interrupt vector is out of range");
}

static void on_trace(void *host, const char *line)
{
	(void)host;
	(void)line;
}

/* A driver that loads now has to find a device that answers */
static void check_alive(struct hwrm_fuzz *f)
{
	struct hwrm_req_hdr req = { .req_type = HWRM_FUNC_RESET,
				    .cmpl_ring = HWRM_NO_CMPL_RING,
				    .seq_id = 4711,
				    .resp_addr = RESP_IOVA };
	_Alignas(8) uint8_t window[GRC_HWRM_WINDOW_SIZE] = { 0 };

	map_memory(f, true);
	nic_set_faults(f->nic, 0);
	f->hwrm_faults = false;
	nic_bus_master(f->nic, true);
	/* firmware that is down is back after some seconds; that which hangs, when a driver resets
	 * the chip
	 */
	nic_reset(f->nic);
	nic_mmio_write(f->nic, NIC_BAR_GRC, 0x404, 4, GRC_CHIP_RESET & 0xfffff000);
	nic_mmio_write(f->nic, NIC_BAR_GRC, 0x2000 + (GRC_CHIP_RESET & 0xffc), 4, 1);
	for (unsigned int i = 0; i < 10; i++) {
		f->now += 1000000000;
		nic_run_timers(f->nic, f->now);
	}
	for (unsigned int i = 0; i < 2; i++) {
		memset(f->resp, 0, MAX_RESP + 64);
		memcpy(window, &req, sizeof(req));
		ring_window(f, window, sizeof(window));
		CHECK(f->resp[6], "the device answers no more");
		CHECK(!f->resp[0] && !f->resp[1], "a sane command is refused");
		check_answer(f, &req, sizeof(window));
		req.req_type = HWRM_VER_GET;
	}
	for (unsigned int i = 0; i < MAX_RINGS; i++)
		CHECK(f->nic->ring[i].state == RING_UNUSED, "a ring outlives FUNC_RESET");
}

/**
 * fuzz_hwrm - run one input
 * @in: input
 */
void fuzz_hwrm(struct input *in)
{
	static const struct nic_host_ops host_ops = { .fault = on_fault,
						      .hwrm_fault = on_hwrm_fault,
						      .msix = on_msix,
						      .wire_tx = read_wire_tx,
						      .trace = on_trace };
	static uint8_t *mem, *hole, *resp; /* kept: to fence them in takes time */
	struct hwrm_fuzz f = { .in = in };
	struct nic_config cfg;

	if (!mem) {
		mem = fence_alloc(MEM_SIZE);
		hole = fence_alloc(HOLE_SIZE);
		resp = fence_alloc(RESP_SIZE);
	}
	f.mem = mem;
	f.hole = memset(hole, 0, HOLE_SIZE);
	f.resp = memset(resp, 0, RESP_SIZE);
	in_config(in, &cfg);
	f.nic = nic_new(&cfg, &host_ops, &f);
	fence_begin(nic_dma(f.nic), NULL, NULL);
	fill_memory(&f);
	map_memory(&f, true);
	for (unsigned int i = 0; in->left && i < MAX_STEPS; i++) {
		fence_step();
		steps[in8(in) % ARRAY_SIZE(steps)].fn(&f);
		if (i % CHECK_EVERY == 0)
			check_core(f.nic);
	}
	nic_flush(f.nic);
	check_core(f.nic);
	check_alive(&f);
	fence_end();
	nic_free(f.nic);
}
