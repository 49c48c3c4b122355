// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The control plane of the emulated NIC: every firmware command with requests
 * that are right, too short, too long and senseless; the port; the firmware's
 * health, errors and resets.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../bnxt-emu/core.h"
#include "nic-frames.h"
#include "nic-test.h"

#define MS	1000000ull
#define SECOND	(1000 * MS)
#define AREA	(16u << 20)	/* of the driver's memory: what a second open uses */

static struct drv *opened(bool error_recovery)
{
	struct drv_opts o = drv_defaults();
	struct drv *d;

	o.nic.error_recovery = error_recovery;
	d = drv_new(&o);
	nic_run_timers(d->nic, SECOND);
	if (drv_open(d))
		tap_bail("the device cannot be opened");
	return d;
}

static void later(struct drv *d, uint64_t ms)
{
	nic_run_timers(d->nic, d->nic->now + ms * MS);
	nic_flush(d->nic);
	drv_run(d);
}

static bool frame_comes(struct drv *d)
{
	struct flow f = tcp4(1, 2);
	uint8_t frame[200];

	d->rx_tail = d->rx_head;
	drv_wire(d, frame, frame_make(frame, &f, 0, 30));
	nic_flush(d->nic);
	drv_run(d);
	return drv_next_rx(d);
}

/* After a reset of any kind: everything anew, as a driver would */
static int open_again(struct drv *d)
{
	memset(d->mem + AREA, 0, AREA);
	d->next = AREA;
	memset(d->q, 0, sizeof(d->q));
	memcpy(d->handled, d->msix, sizeof(d->msix));
	return drv_open(d);
}

/*
 * Every command
 */

union big_request {
	struct hwrm_req_hdr hdr;
	uint8_t bytes[1024];
};

static int send(struct drv *d, uint16_t op, unsigned int len, int fill)
{
	union big_request q;

	memset(&q, fill, sizeof(q));
	memset(&q.hdr, 0, sizeof(q.hdr));
	q.hdr.req_type = op;
	return drv_hwrm(d, &q, len, NULL, 0);
}

static bool known_error(int rc)
{
	return rc == HWRM_OK || rc == HWRM_FAIL || rc == HWRM_INVALID_PARAMS ||
	       rc == HWRM_RESOURCE_ALLOC || rc == HWRM_NOT_SUPPORTED;
}

static void test_command(const char *name, uint16_t op, uint16_t req_len, uint16_t resp_len)
{
	struct drv *d = opened(false);
	unsigned int shorts = 0, tried = 0;

	tap_ok(resp_len >= 16 && resp_len <= 512 && resp_len % 8 == 0 && req_len >= 16 &&
		       req_len <= MAX_REQ,
	       "%s: lengths make sense (%u, %u)", name, req_len, resp_len);
	for (unsigned int len = 16; len < req_len; len++, tried++)
		shorts += send(d, op, len, 0) == HWRM_INVALID_PARAMS;
	tap_eq(shorts, tried, "%s: each shorter request is refused", name);
	tap_ok(known_error(send(d, op, req_len, 0)), "%s: zeros", name);
	tap_ok(known_error(send(d, op, req_len, 0xff)), "%s: all ones", name);
	tap_ok(known_error(send(d, op, MAX_REQ, 0xff)), "%s: the longest request", name);
	tap_eq(send(d, op, MAX_REQ + 1, 0), -1, "%s: a longer one is not read", name);
	/* whatever it did, the function comes back from it */
	drv_hwrm_simple(d, HWRM_FUNC_RESET, NULL, 0);
	d->broken = NULL;
	tap_ok(!open_again(d) && frame_comes(d), "%s: the device works after a reset", name);
	drv_ended(d, name);
}

static void test_commands(void)
{
	uint16_t op, req_len, resp_len, seen[256];
	const char *name;
	size_t n;

	for (n = 0; (name = hwrm_command(n, &op, &req_len, &resp_len)) && n < 256; n++) {
		for (size_t i = 0; i < n; i++)
			if (seen[i] == op)
				tap_ok(false, "%s: is in the table twice", name);
		seen[n] = op;
		test_command(name, op, req_len, resp_len);
	}
	tap_ok(n > 50, "the table has %zu commands", n);
}

/* An answer's length, valid byte and header, wherever the request came from */
static void test_answers(void)
{
	struct drv *d = opened(true);
	uint16_t op, req_len, resp_len;
	const char *name;
	unsigned int good = 0, answered = 0;

	for (size_t n = 0; (name = hwrm_command(n, &op, &req_len, &resp_len)); n++) {
		struct hwrm_resp_hdr a;

		if (op == HWRM_FW_RESET || op == HWRM_FUNC_RESET)
			continue;
		if (send(d, op, req_len, 0))
			continue;
		memcpy(&a, drv_ptr(d, d->resp), sizeof(a));
		answered++;
		good += a.resp_len == resp_len && a.req_type == op && !a.error_code;
	}
	tap_ok(answered > 25 && good == answered, "answers are as long as announced (%u of %u)", good,
	       answered);
	tap_eq(send(d, 0x7fff, 32, 0), HWRM_NOT_SUPPORTED, "an unknown command is answered so");
	d->resp = DRV_IOVA + DRV_MEM_SIZE - 16;
	{
		struct hwrm_short_req brief = { .req_type = HWRM_FUNC_QCAPS,
						.signature = HWRM_SHORT_SIGNATURE,
						.size = 16, .req_addr = d->req };
		struct hwrm_req_hdr q = { .req_type = HWRM_FUNC_QCAPS, .cmpl_ring = HWRM_NO_CMPL_RING,
					  .resp_addr = d->resp };
		uint8_t before[16];

		memcpy(before, drv_ptr(d, d->resp), sizeof(before));
		memcpy(drv_ptr(d, d->req), &q, sizeof(q));
		for (unsigned int i = 0; i < sizeof(brief); i += 4) {
			uint32_t v;

			memcpy(&v, (uint8_t *)&brief + i, 4);
			nic_mmio_write(d->nic, NIC_BAR_GRC, i, 4, v);
		}
		nic_mmio_write(d->nic, NIC_BAR_GRC, GRC_HWRM_TRIGGER, 4, 1);
		tap_ok(!memcmp(before, drv_ptr(d, d->resp), sizeof(before)),
		       "an answer that does not fit into memory is not written in part");
	}
	drv_ended(d, "answers");
}

/*
 * The port
 */

static struct port_phy_qcfg_resp phy_of(struct drv *d)
{
	struct port_phy_qcfg_resp r = { 0 };

	drv_hwrm_simple(d, HWRM_PORT_PHY_QCFG, &r, sizeof(r));
	return r;
}

static int phy_cfg(struct drv *d, struct port_phy_cfg_req q)
{
	int rc;

	q.hdr.req_type = HWRM_PORT_PHY_CFG;
	rc = drv_hwrm(d, &q, sizeof(q), NULL, 0);
	nic_flush(d->nic);
	drv_run(d);
	return rc;
}

static void test_speeds(void)
{
	static const struct {
		uint16_t speed, bit;
		uint8_t type, fec;
	} speeds[] = {
		{ 100, 0x40, 0x01, 0 },	   { 250, 0x100, 0x0b, 0x20 }, { 400, 0x200, 0x14, 0 },
		{ 500, 0x400, 0x20, 0x20 }, { 1000, 0x800, 0x0f, 0x20 },
	};
	struct drv *d = opened(false);
	struct port_phy_qcfg_resp r = phy_of(d);
	struct port_phy_qcaps_resp caps;

	drv_hwrm_simple(d, HWRM_PORT_PHY_QCAPS, &caps, sizeof(caps));
	tap_eq(caps.speeds_force, 0xf40, "10, 25, 40, 50 and 100 Gbit/s can be forced");
	tap_eq(caps.speeds_auto, 0xf40, "and negotiated");
	tap_ok(r.auto_mode == PHY_AUTO_SPEED_MASK && r.auto_link_speed_mask == 0xf40 &&
		       r.link_speed == 1000,
	       "the highest is negotiated at first");
	for (size_t i = 0; i < ARRAY_SIZE(speeds); i++) {
		unsigned int events = d->async_events;

		tap_eq(phy_cfg(d, (struct port_phy_cfg_req){ .flags = PHY_CFG_FORCE,
							     .force_link_speed = speeds[i].speed }),
		       0, "%u00 Mbit/s is forced", speeds[i].speed);
		tap_eq(phy_of(d).link, PHY_LINK_SIGNAL, "the link goes down for it");
		later(d, 199);
		tap_eq(phy_of(d).link, PHY_LINK_SIGNAL, "for 200 ms");
		later(d, 1);
		r = phy_of(d);
		tap_ok(r.link == PHY_LINK_UP && r.link_speed == speeds[i].speed &&
			       r.auto_mode == PHY_AUTO_NONE && r.phy_type == speeds[i].type,
		       "and comes up with that speed");
		tap_eq(r.active_fec_signal_mode, speeds[i].fec, "with the FEC that it has");
		tap_eq(d->async_events - events, 3, "events: down, up, speed");
		tap_ok(d->async.dw[0] == (0x2e | ASYNC_LINK_SPEED << 16) &&
			       d->async.dw[3] == speeds[i].speed,
		       "the last one tells the speed");
	}
	for (size_t i = 0; i < ARRAY_SIZE(speeds); i++) {
		phy_cfg(d, (struct port_phy_cfg_req){
				   .enables = PHY_CFG_EN_AUTO_MODE | PHY_CFG_EN_SPEED_MASK,
				   .auto_mode = PHY_AUTO_SPEED_MASK,
				   .auto_link_speed_mask = speeds[i].bit | 0x40 });
		later(d, 200);
		tap_eq(phy_of(d).link_speed, speeds[i].speed, "negotiated: the higher of two");
	}
	tap_ok(nic_set_speed(d->nic, 10000), "the other end takes 10 Gbit/s only");
	later(d, 200);
	tap_eq(phy_of(d).link_speed, 100, "that is what it comes to");
	nic_set_speed(d->nic, 50000);
	later(d, 200);
	r = phy_of(d);
	tap_ok(!r.link_speed && r.link_down_reason == 1,
	       "a speed that is not advertised leaves no link, remote fault");
	tap_ok(!frame_comes(d), "and no frames");
	tap_ok(!nic_set_speed(d->nic, 12345) && !nic_set_speed(d->nic, 200000),
	       "speeds that the port does not have are refused");
	nic_set_speed(d->nic, 0);
	later(d, 200);
	tap_ok(phy_of(d).link_speed == 1000 && frame_comes(d), "with all speeds the link is back");
	nic_set_link(d->nic, false);
	tap_eq(phy_of(d).link_down_reason, 4, "without cable the reason is that");
	drv_ended(d, "speeds");
}

/* Settings that do not change the speed, with and without a reset of the PHY */
static void test_phy_reset(void)
{
	struct drv *d = opened(false);

	tap_eq(phy_cfg(d, (struct port_phy_cfg_req){ .flags = PHY_CFG_FEC_AUTO_OFF }), 0,
	       "a setting without a reset of the PHY");
	tap_ok(!d->async_events && phy_of(d).link == PHY_LINK_UP, "leaves the link alone");
	tap_eq(phy_cfg(d, (struct port_phy_cfg_req){ .flags = PHY_CFG_FEC_AUTO_ON |
							      PHY_CFG_RESET_PHY }),
	       0, "one with a reset");
	tap_ok(d->async_events == 1 && phy_of(d).link == PHY_LINK_SIGNAL && !frame_comes(d),
	       "takes it down");
	later(d, 200);
	tap_ok(d->async_events == 3 && phy_of(d).link_speed == 1000 && frame_comes(d),
	       "and it comes back as it was");
	phy_cfg(d, (struct port_phy_cfg_req){ .flags = PHY_CFG_FORCE_DOWN });
	tap_eq(phy_of(d).link, PHY_LINK_SIGNAL, "forced down");
	phy_cfg(d, (struct port_phy_cfg_req){ .flags = PHY_CFG_RESET_PHY });
	tap_eq(phy_of(d).link, PHY_LINK_UP, "a link that was not there comes up at once");
	drv_ended(d, "reset of the PHY");
}

static void test_phy_refuses(void)
{
	static const struct port_phy_cfg_req bad[] = {
		{ .flags = PHY_CFG_FORCE, .force_link_speed = 1 },
		{ .flags = PHY_CFG_FORCE, .force_link_speed = 2000 },
		{ .flags = PHY_CFG_FORCE, .force_link_speed = 0xffff },
		{ .enables = PHY_CFG_EN_SPEED_MASK, .auto_link_speed_mask = 0 },
		{ .enables = PHY_CFG_EN_SPEED_MASK, .auto_link_speed_mask = 0xf0bf & ~0xf40 },
		{ .enables = PHY_CFG_EN_AUTO_MODE, .auto_mode = 5 },
		{ .enables = PHY_CFG_EN_LPBK, .lpbk = 4 },
	};
	struct drv *d = opened(false);
	struct port_phy_qcfg_resp was = phy_of(d), is;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		tap_eq(phy_cfg(d, bad[i]), HWRM_INVALID_PARAMS, "PORT_PHY_CFG %zu is refused", i);
	is = phy_of(d);
	tap_ok(!memcmp(&was, &is, sizeof(is)) && !d->async_events, "and changes nothing");
	drv_ended(d, "PORT_PHY_CFG");
}

static void test_pause_fec(void)
{
	struct drv *d = opened(false);
	struct port_phy_qcfg_resp r = phy_of(d);

	tap_ok(r.pause == 3 && r.auto_pause == 7 && r.lp_adv_pause == 3, "pause is negotiated");
	phy_cfg(d, (struct port_phy_cfg_req){
			   .enables = PHY_CFG_EN_FORCE_PAUSE | PHY_CFG_EN_AUTO_PAUSE,
			   .force_pause = PHY_PAUSE_TX, .auto_pause = PHY_PAUSE_TX });
	r = phy_of(d);
	tap_ok(r.pause == PHY_PAUSE_TX && r.force_pause == PHY_PAUSE_TX, "or forced");
	tap_ok(!(r.fec_cfg & 1) && r.fec_cfg & 4 && r.active_fec_signal_mode == 0x20,
	       "FEC is negotiated: clause 91");
	phy_cfg(d, (struct port_phy_cfg_req){ .flags = PHY_CFG_FEC_AUTO_OFF | PHY_CFG_FEC_CL91_OFF |
						       PHY_CFG_FEC_CL74_ON });
	r = phy_of(d);
	tap_ok(r.active_fec_signal_mode == 0x10 && r.fec_cfg & 0x10 && !(r.fec_cfg & 4),
	       "clause 74 is switched on");
	phy_cfg(d, (struct port_phy_cfg_req){ .flags = PHY_CFG_FEC_CL74_OFF });
	tap_eq(phy_of(d).active_fec_signal_mode, 0, "and off");
	drv_ended(d, "pause and FEC");
}

static int i2c(struct drv *d, struct port_phy_i2c_read_req q, uint8_t *to)
{
	struct port_phy_i2c_read_resp r = { 0 };
	int rc;

	q.hdr.req_type = HWRM_PORT_PHY_I2C_READ;
	rc = drv_hwrm(d, &q, sizeof(q), &r, sizeof(r));
	if (to)
		memcpy(to, r.data, q.data_length <= 64 ? q.data_length : 64);
	return rc;
}

static void test_module(void)
{
	static const struct port_phy_i2c_read_req bad[] = {
		{ .i2c_slave_addr = 0xa2, .data_length = 1 },
		{ .i2c_slave_addr = 0xa0, .data_length = 0 },
		{ .i2c_slave_addr = 0xa0, .data_length = 65 },
		{ .i2c_slave_addr = 0xa0, .data_length = 64, .page_offset = 193, .enables = 1 },
		{ .i2c_slave_addr = 0xa0, .data_length = 1, .page_offset = 0xffff, .enables = 1 },
		{ .i2c_slave_addr = 0xa0, .data_length = 1, .page_number = 3 },
		{ .i2c_slave_addr = 0xa0, .data_length = 1, .bank_number = 1, .enables = 2 },
	};
	struct drv *d = opened(false);
	uint8_t m[256], sum = 0;

	for (unsigned int at = 0; at < 256; at += 64)
		tap_eq(i2c(d, (struct port_phy_i2c_read_req){ .i2c_slave_addr = 0xa0,
							      .enables = at ? 1 : 0,
							      .page_offset = at,
							      .data_length = 64 }, m + at),
		       0, "bytes %u.. of the module", at);
	tap_ok(m[0] == 0x11 && m[128] == 0x11 && m[130] == 0x23, "a QSFP28 cable");
	for (int i = 128; i < 191; i++)
		sum += m[i];
	tap_eq(m[191], sum, "checksum of its base fields (SFF-8636)");
	sum = 0;
	for (int i = 192; i < 223; i++)
		sum += m[i];
	tap_eq(m[223], sum, "and of the extended ones");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		tap_eq(i2c(d, bad[i], NULL), HWRM_INVALID_PARAMS, "PORT_PHY_I2C_READ %zu is refused", i);
	nic_set_link(d->nic, false);
	tap_ok(i2c(d, (struct port_phy_i2c_read_req){ .i2c_slave_addr = 0xa0, .data_length = 1 }, m),
	       "without cable nothing can be read");
	drv_ended(d, "module");
}

static void test_leds(void)
{
	struct drv *d = opened(false);
	struct port_led_qcaps_resp caps = { 0 };
	struct port_led_cfg_req q = { .hdr.req_type = HWRM_PORT_LED_CFG,
				      .num_leds = 2,
				      .enables = LED_EN_ID(0) | LED_EN_STATE(0) | LED_EN_ID(1) };

	drv_hwrm_simple(d, HWRM_PORT_LED_QCAPS, &caps, sizeof(caps));
	tap_ok(caps.num_leds == 2 && caps.led[0].group_id && caps.led[1].state_caps & 0x10,
	       "two LEDs that can blink");
	q.led[0] = (struct port_led_set){ .id = 1, .state = 4 };
	q.led[1] = (struct port_led_set){ .id = 0, .state = 4 };
	tap_eq(drv_hwrm(d, &q, sizeof(q), NULL, 0), 0, "PORT_LED_CFG");
	tap_ok(d->nic->led_state[1] == 4 && d->nic->led_state[0] == 0, "sets those that are enabled");
	q.led[1].id = 2;
	tap_eq(drv_hwrm(d, &q, sizeof(q), NULL, 0), HWRM_INVALID_PARAMS, "there is no third");
	q.num_leds = 255;
	tap_eq(drv_hwrm(d, &q, sizeof(q), NULL, 0), HWRM_INVALID_PARAMS, "nor 255");
	drv_ended(d, "LEDs");
}

/* The driver's loopback test: a packet in a short descriptor comes back */
static void test_loopback(void)
{
	struct drv *d = opened(false);
	struct port_mac_cfg_req mac = { .hdr.req_type = HWRM_PORT_MAC_CFG,
					.enables = MAC_CFG_EN_LPBK, .lpbk = LPBK_LOCAL };
	struct drv_queue *q = &d->q[0];
	struct hsi_entry bd = { .dw = { 200u << 16 | 1u << 8 | TXBD_PACKET_END, 1,
					(uint32_t)d->tx_area, d->tx_area >> 32 } };
	uint8_t *frame = drv_ptr(d, d->tx_area);
	struct drv_pkt *p;
	int rc = drv_hwrm(d, &mac, sizeof(mac), NULL, 0);

	memcpy(frame, d->o.nic.mac, 6);
	memcpy(frame + 6, d->o.nic.mac, 6);
	for (int i = 12; i < 200; i++)
		frame[i] = i;
	tap_eq(rc, 0, "the MAC's loopback is on");
	tap_ok(!frame_comes(d), "then the wire is deaf");
	memcpy(drv_entry(d, &q->tx, 0), &bd, sizeof(bd));
	q->tx_sent = 1;
	drv_doorbell(d, DB_SQ, q->tx.id, 1);
	nic_flush(d->nic);
	drv_run(d);
	p = drv_next_rx(d);
	tap_ok(p && p->len == 200 && !memcmp(p->data, frame, 200), "what is sent comes back");
	tap_eq(d->wire_frames, 0, "and not to the wire");
	mac.lpbk = LPBK_NONE;
	drv_hwrm(d, &mac, sizeof(mac), NULL, 0);
	tap_ok(frame_comes(d), "without loopback the wire works");
	mac.lpbk = 3;
	tap_eq(drv_hwrm(d, &mac, sizeof(mac), NULL, 0), HWRM_INVALID_PARAMS, "there is no fourth kind");
	drv_ended(d, "loopback");
}

/*
 * Flash, self tests, registers
 */

static void test_flash(void)
{
	struct drv *d = opened(false);
	struct nvm_get_dir_info_resp info = { 0 };
	struct nvm_get_dir_entries_req get = { .hdr.req_type = HWRM_NVM_GET_DIR_ENTRIES };
	struct nvm_find_dir_entry_req find = { .hdr.req_type = HWRM_NVM_FIND_DIR_ENTRY,
					       .dir_type = NVM_DIR_PKG_LOG };
	struct nvm_find_dir_entry_resp found = { 0 };
	struct nvm_read_req read = { .hdr.req_type = HWRM_NVM_READ };
	uint64_t buf = drv_alloc(d, 8192);
	struct nvm_dir_entry *dir = drv_ptr(d, buf);
	char *text = drv_ptr(d, buf);

	drv_hwrm_simple(d, HWRM_NVM_GET_DIR_INFO, &info, sizeof(info));
	tap_ok(info.entries == 2 && info.entry_length == 24, "the directory has two entries");
	get.host_dest_addr = buf;
	tap_eq(drv_hwrm(d, &get, sizeof(get), NULL, 0), 0, "they can be read");
	tap_ok(dir[0].type == 1 && dir[1].type == 5 && dir[0].data_length, "package log and VPD");
	get.host_dest_addr = DRV_IOVA + DRV_MEM_SIZE - 47;
	tap_eq(drv_hwrm(d, &get, sizeof(get), NULL, 0), HWRM_INVALID_PARAMS, "not to where no memory is");
	tap_eq(drv_hwrm(d, &find, sizeof(find), &found, sizeof(found)), 0, "one is found by type");
	read.host_dest_addr = buf;
	read.dir_idx = found.dir_idx;
	read.len = found.data_length;
	memset(text, 0, 512);
	tap_eq(drv_hwrm(d, &read, sizeof(read), NULL, 0), 0, "and read");
	tap_ok(strstr(text, "\t230.0.0.0\t") && text[read.len - 1] == '\n' && !text[read.len],
	       "a line with the version, and no more");
	read.offset = 4095;
	read.len = 1;
	drv_hwrm(d, &read, sizeof(read), NULL, 0);
	tap_eq((uint8_t)text[0], 0xff, "behind the data flash is erased");
	read.len = 2;
	tap_eq(drv_hwrm(d, &read, sizeof(read), NULL, 0), HWRM_INVALID_PARAMS, "it ends there");
	read.offset = 0xffffffff;
	tap_eq(drv_hwrm(d, &read, sizeof(read), NULL, 0), HWRM_INVALID_PARAMS, "offsets do not wrap");
	read.offset = 0;
	read.dir_idx = 2;
	tap_eq(drv_hwrm(d, &read, sizeof(read), NULL, 0), HWRM_INVALID_PARAMS, "there is no third item");
	find.dir_type = 4;
	tap_ok(drv_hwrm(d, &find, sizeof(find), NULL, 0), "what is not there is not found");
	drv_ended(d, "flash");
}

static void test_self_tests(void)
{
	struct drv *d = opened(false);
	struct selftest_qlist_resp list = { 0 };
	struct selftest_exec_req q = { .hdr.req_type = HWRM_SELFTEST_EXEC, .flags = 7 };
	struct selftest_exec_resp r = { 0 };
	struct hwrm_req_hdr irq = { .req_type = HWRM_SELFTEST_IRQ, .cmpl_ring = d->q[0].rxcq.id };
	unsigned int before = d->q[0].hwrm_done;

	drv_hwrm_simple(d, HWRM_SELFTEST_QLIST, &list, sizeof(list));
	tap_ok(list.num_tests == 3 && list.available_tests == 7 && list.offline_tests == 4 &&
		       !strcmp(list.test_name[1], "Link"),
	       "NVM, link, and offline the registers");
	nic_mmio_write(d->nic, NIC_BAR_GRC, 0x408, 4, 0x3100000);
	tap_eq(drv_hwrm(d, &q, sizeof(q), &r, sizeof(r)), 0, "SELFTEST_EXEC");
	tap_eq(r.test_success, 7, "all are good");
	tap_eq(nic_mmio_read(d->nic, NIC_BAR_GRC, 0x408, 4), 0x3100000, "registers are as before");
	nic_set_link(d->nic, false);
	drv_hwrm(d, &q, sizeof(q), &r, sizeof(r));
	tap_ok(r.requested_tests == 7 && r.test_success == 5, "without cable the link's is not");
	nic_set_link(d->nic, true);
	q.flags = 8;
	tap_eq(drv_hwrm(d, &q, sizeof(q), NULL, 0), HWRM_INVALID_PARAMS, "there is no fourth");
	tap_eq(drv_hwrm(d, &irq, sizeof(irq), NULL, 0), 0, "SELFTEST_IRQ");
	nic_flush(d->nic);
	drv_run(d);
	tap_eq(d->q[0].hwrm_done - before, 1, "its answer comes as a completion");
	drv_ended(d, "self tests");
}

static void test_register_dump(void)
{
	struct drv *d = opened(false);
	struct dbg_read_direct_req q = { .hdr.req_type = HWRM_DBG_READ_DIRECT,
					 .host_dest_addr = drv_alloc(d, 0x10000),
					 .read_addr = 0x80000000, .read_len32 = 0x3110 / 4 };
	uint32_t *reg = drv_ptr(d, q.host_dest_addr);

	nic_mmio_write(d->nic, NIC_BAR_GRC, 0x404, 4, 0x12345000);
	tap_eq(drv_hwrm(d, &q, sizeof(q), NULL, 0), 0, "DBG_READ_DIRECT");
	tap_ok(reg[0x520 / 4] == 0x8000 && reg[0x404 / 4] == 0x12345000, "shows BAR 0");
	q.read_len32 = 0x4000;
	tap_eq(drv_hwrm(d, &q, sizeof(q), NULL, 0), 0, "all 64 KB of it");
	q.read_len32 = 0x4001;
	tap_eq(drv_hwrm(d, &q, sizeof(q), NULL, 0), HWRM_INVALID_PARAMS, "and no more");
	q.read_len32 = 0xffffffff;
	tap_eq(drv_hwrm(d, &q, sizeof(q), NULL, 0), HWRM_INVALID_PARAMS, "lengths do not wrap");
	q.read_len32 = 1;
	q.read_addr = 0x7ffffffc;
	tap_eq(drv_hwrm(d, &q, sizeof(q), NULL, 0), HWRM_INVALID_PARAMS, "nothing is below");
	q.read_addr = 0x80000002;
	tap_eq(drv_hwrm(d, &q, sizeof(q), NULL, 0), HWRM_INVALID_PARAMS, "nor between");
	drv_ended(d, "register dump");
}

/*
 * Firmware
 */

/* As the driver does it: window 3 to the register's page */
static uint32_t grc_read(struct drv *d, uint32_t addr)
{
	nic_mmio_write(d->nic, NIC_BAR_GRC, 0x408, 4, addr & 0xfffff000);
	return nic_mmio_read(d->nic, NIC_BAR_GRC, 0x3000 + (addr & 0xffc), 4);
}

static void grc_write(struct drv *d, uint32_t addr, uint32_t val)
{
	nic_mmio_write(d->nic, NIC_BAR_GRC, 0x404, 4, addr & 0xfffff000);
	nic_mmio_write(d->nic, NIC_BAR_GRC, 0x2000 + (addr & 0xffc), 4, val);
}

static int drv_register(struct drv *d)
{
	struct func_drv_rgtr_req q = { .hdr.req_type = HWRM_FUNC_DRV_RGTR,
				       .flags = DRV_RGTR_ERROR_RECOVERY | DRV_RGTR_MASTER,
				       .enables = DRV_RGTR_EN_ASYNC_FWD,
				       .async_event_fwd = { 0x3ff } };
	struct func_drv_rgtr_resp r = { 0 };
	int rc = drv_hwrm(d, &q, sizeof(q), &r, sizeof(r));

	return rc ? rc : r.flags == DRV_RGTR_IF_CHANGE ? 0 : -2;
}

static int if_change(struct drv *d, bool up)
{
	struct func_drv_if_change_req q = { .hdr.req_type = HWRM_FUNC_DRV_IF_CHANGE, .flags = up };
	struct func_drv_if_change_resp r = { 0 };
	int rc = drv_hwrm(d, &q, sizeof(q), &r, sizeof(r));

	return rc ? -rc : (int)r.flags;
}

/* With firmware that boots, and waits for the driver, for so many ms; 0: for as long as ever */
static struct drv *registered_slow(unsigned int boot_ms, unsigned int leave_ms)
{
	struct drv_opts o = drv_defaults();
	struct drv *d;

	o.nic.error_recovery = true;
	o.nic.fw_boot_ms = boot_ms;
	o.nic.fw_leave_ms = leave_ms;
	d = drv_new(&o);
	nic_run_timers(d->nic, SECOND);
	tap_eq(drv_register(d), 0, "the driver registers, IF_CHANGE is wanted");
	tap_eq(if_change(d, true), 0, "IF_CHANGE has no news");
	if (drv_open(d))
		tap_bail("the device cannot be opened");
	drv_run(d);
	return d;
}

static struct drv *registered(void)
{
	return registered_slow(0, 0);
}

static void test_health(void)
{
	struct drv *d = registered();
	struct error_recovery_qcfg_resp r = { 0 };
	uint32_t beat;

	tap_ok(d->async.dw[0] == (0x2e | 9u << 16) && d->async.dw[3] == 3,
	       "it is told that it is master of the recovery");
	tap_eq(d->async_events, 1, "once");
	tap_eq(grc_read(d, 0x31001f0), 0x48435301, "the status structure has its signature");
	tap_eq(grc_read(d, 0x31001f4), GRC_HEALTH | 1, "and says where the status is");
	tap_eq(drv_hwrm_simple(d, HWRM_ERROR_RECOVERY_QCFG, &r, sizeof(r)), 0, "ERROR_RECOVERY_QCFG");
	tap_ok(r.flags == 1 && r.reg_array_cnt == 1 && (r.health_reg & 3) == 1 &&
		       (r.health_reg ^ r.heartbeat_reg) < 0x1000 &&
		       (r.health_reg ^ r.reset_cnt_reg) < 0x1000 &&
		       (r.health_reg ^ r.inprogress_reg) < 0x1000,
	       "all registers lie in one page, the host resets");
	tap_eq(grc_read(d, r.health_reg & ~3u), 0x8000, "the firmware is healthy");
	beat = grc_read(d, r.heartbeat_reg & ~3u);
	later(d, 1000);
	tap_eq(grc_read(d, r.heartbeat_reg & ~3u) - beat, 10, "its heart beats ten times a second");
	tap_eq(grc_read(d, 0x3200200), 0, "other pages have nothing");
	tap_eq(nic_mmio_read(d->nic, NIC_BAR_GRC, 0xfffc, 4), 0, "the last window does not run over");
	grc_write(d, GRC_CHIP_RESET, 0);
	tap_eq(drv_hwrm_simple(d, HWRM_FUNC_QCFG, NULL, 0), 0, "writing 0 does not reset");
	drv_ended(d, "health");
}

/* From the moment when the driver may talk to the firmware again */
static void check_back(struct drv *d, unsigned int resets, const char *what)
{
	tap_eq(grc_read(d, GRC_HEALTH), 0x8000, "%s: healthy again", what);
	tap_eq(grc_read(d, GRC_RESET_COUNT), resets, "%s: the reset is counted", what);
	tap_ok(!frame_comes(d), "%s: what was allocated is gone", what);
	tap_eq(if_change(d, false), 0, "%s: going down has no news", what);
	tap_eq(if_change(d, true), IF_CHANGE_RESET_DONE, "%s: IF_CHANGE tells of the reset", what);
	tap_eq(if_change(d, true), 0, "%s: once", what);
	tap_ok(!drv_register(d) && !open_again(d) && frame_comes(d), "%s: and all works", what);
}

static void test_nonfatal(void)
{
	struct drv *d = registered();
	uint32_t beat = grc_read(d, GRC_HEARTBEAT);

	tap_ok(nic_fw_error(d->nic, NIC_FW_NONFATAL), "a non-fatal error");
	drv_run(d);
	tap_ok(d->async.dw[0] == (0x2e | 8u << 16) && d->async.dw[1] == 0x8001 &&
		       (d->async.dw[3] & 0xffff) == 0x302 && d->async.dw[2] >> 8 == (10 | 60 << 8),
	       "is told: take the interface down, non-fatal, 1 s to 6 s");
	tap_ok(!nic_fw_error(d->nic, NIC_FW_FATAL), "another has to wait");
	tap_ok(frame_comes(d), "until then frames flow");
	tap_eq(drv_hwrm_simple(d, HWRM_FUNC_QCFG, NULL, 0), 0, "and commands are answered");
	tap_eq(drv_close(d), 0, "the driver closes");
	tap_eq(drv_hwrm_simple(d, HWRM_FUNC_DRV_UNRGTR, NULL, 0), 0, "and unregisters");
	later(d, 0);
	tap_eq(drv_hwrm_simple(d, HWRM_VER_GET, NULL, 0), -1, "then the firmware boots, silently");
	tap_ok(grc_read(d, GRC_HEALTH) < 0x8000 && grc_read(d, GRC_RESET_IN_PROGRESS) == 1,
	       "its registers show that");
	later(d, 300);
	tap_eq(drv_hwrm_simple(d, HWRM_VER_GET, NULL, 0), 0, "0.3 s later it is there");
	tap_ok(grc_read(d, GRC_HEARTBEAT) != beat, "with another heartbeat");
	check_back(d, 1, "non-fatal");
	drv_ended(d, "non-fatal");

	d = registered();
	nic_fw_error(d->nic, NIC_FW_NONFATAL);
	later(d, 4999);
	tap_eq(drv_hwrm_simple(d, HWRM_VER_GET, NULL, 0), 0, "a driver that does not go is waited for");
	later(d, 1);
	tap_eq(drv_hwrm_simple(d, HWRM_VER_GET, NULL, 0), -1, "but for 5 s only");
	drv_ended(d, "a driver that stays");
}

static void test_fatal(void)
{
	struct drv *d = registered();

	tap_ok(nic_fw_error(d->nic, NIC_FW_FATAL), "a fatal error");
	drv_run(d);
	tap_ok(d->async.dw[0] == (0x2e | 8u << 16) && (d->async.dw[3] & 0xffff) == 0x202,
	       "is told as such");
	tap_eq(drv_hwrm_simple(d, HWRM_VER_GET, NULL, 0), -1, "no command is answered any more");
	tap_ok(grc_read(d, GRC_HEALTH) > 0x8000, "the status is an error's");
	later(d, 200);
	tap_eq(grc_read(d, GRC_RESET_IN_PROGRESS), 1, "0.2 s later it resets");
	later(d, 300);
	check_back(d, 1, "fatal");
	tap_ok(nic_fw_error(d->nic, NIC_FW_FATAL), "it can fail again");
	later(d, 200);
	later(d, 300);
	check_back(d, 2, "fatal again");
	drv_ended(d, "fatal");
}

static void test_silent(void)
{
	struct drv *d = registered();
	unsigned int events = d->async_events;
	uint32_t beat;

	tap_ok(nic_fw_error(d->nic, NIC_FW_SILENT), "the firmware hangs");
	beat = grc_read(d, GRC_HEARTBEAT);
	later(d, 60000);
	tap_eq(d->async_events, events, "there is no event");
	tap_eq(drv_hwrm_simple(d, HWRM_VER_GET, NULL, 0), -1, "nor an answer");
	tap_eq(grc_read(d, GRC_HEARTBEAT), beat, "nor a heartbeat, for as long as one likes");
	nic_reset(d->nic);
	tap_eq(drv_hwrm_simple(d, HWRM_VER_GET, NULL, 0), -1, "a reset of the function is not one of the chip");
	grc_write(d, GRC_CHIP_RESET, 1);
	tap_eq(grc_read(d, GRC_RESET_IN_PROGRESS), 1, "the host resets the chip");
	later(d, 300);
	check_back(d, 1, "silent");
	nic_fw_error(d->nic, NIC_FW_SILENT);
	nic_power_cycle(d->nic);
	tap_eq(drv_hwrm_simple(d, HWRM_VER_GET, NULL, 0), 0, "power off and on brings it back, too");
	drv_ended(d, "silent");
}

static void test_slow_boot(void)
{
	struct drv *d = registered_slow(4050, 70000);
	struct error_recovery_qcfg_resp r = { 0 };

	drv_hwrm_simple(d, HWRM_ERROR_RECOVERY_QCFG, &r, sizeof(r));
	tap_eq(r.max_bailout, 98, "firmware that boots slowly: the driver is told to wait for longer");
	nic_fw_error(d->nic, NIC_FW_NONFATAL);
	drv_run(d);
	tap_eq(d->async.dw[2] >> 16, 98, "by the event, too");
	tap_eq(d->async.dw[3] >> 16, 700, "it waits for longer, and says that");
	later(d, 69999);
	tap_eq(drv_hwrm_simple(d, HWRM_VER_GET, NULL, 0), 0, "and does");
	drv_hwrm_simple(d, HWRM_FUNC_DRV_UNRGTR, NULL, 0);
	later(d, 0);
	later(d, 4049);
	tap_eq(drv_hwrm_simple(d, HWRM_VER_GET, NULL, 0), -1, "it does not answer before its time");
	later(d, 1);
	tap_eq(drv_hwrm_simple(d, HWRM_VER_GET, NULL, 0), 0, "then it does");
	drv_ended(d, "slow boot");
}

static int fw_reset(struct drv *d, uint8_t proc, uint8_t selfrst, uint8_t flags)
{
	struct fw_reset_req q = { .hdr.req_type = HWRM_FW_RESET, .embedded_proc_type = proc,
				  .selfrst_status = selfrst, .flags = flags };

	return drv_hwrm(d, &q, sizeof(q), NULL, 0);
}

static void test_fw_reset(void)
{
	struct drv *d = registered();
	struct func_qcfg_resp r = { 0 };
	struct func_cfg_req q = { .hdr.req_type = HWRM_FUNC_CFG, .enables = FUNC_CFG_EN_HOT_RESET_IF };

	tap_eq(fw_reset(d, 0, 1, 0), HWRM_INVALID_PARAMS, "only the chip can be reset");
	tap_eq(fw_reset(d, 6, 2, 0), HWRM_INVALID_PARAMS, "only at once");
	tap_eq(fw_reset(d, 6, 1, 3), 0, "FW_RESET");
	nic_flush(d->nic);
	drv_run(d);
	tap_ok((d->async.dw[3] & 0xffff) == 0x502 && !d->async.dw[1], "is announced as activation");
	tap_eq(fw_reset(d, 6, 1, 1), HWRM_FAIL, "not twice");
	drv_hwrm_simple(d, HWRM_FUNC_DRV_UNRGTR, NULL, 0);
	later(d, 0);
	later(d, 300);
	check_back(d, 1, "FW_RESET");
	drv_hwrm(d, &q, sizeof(q), NULL, 0);
	drv_hwrm_simple(d, HWRM_FUNC_QCFG, &r, sizeof(r));
	tap_ok(!(r.flags & FUNC_QCFG_HOT_RESET_ALLOWED), "FUNC_CFG forbids resets");
	q.flags = FUNC_CFG_HOT_RESET_IF;
	drv_hwrm(d, &q, sizeof(q), NULL, 0);
	drv_hwrm_simple(d, HWRM_FUNC_QCFG, &r, sizeof(r));
	tap_ok(r.flags & FUNC_QCFG_HOT_RESET_ALLOWED, "and allows them");
	drv_ended(d, "FW_RESET");
}

static void test_no_recovery(void)
{
	struct drv *d = opened(false);

	tap_ok(!nic_fw_error(d->nic, NIC_FW_FATAL), "without recovery there is no error");
	tap_eq(fw_reset(d, 6, 1, 1), HWRM_NOT_SUPPORTED, "no FW_RESET");
	tap_eq(if_change(d, true), -HWRM_NOT_SUPPORTED, "no IF_CHANGE");
	tap_eq(drv_hwrm_simple(d, HWRM_ERROR_RECOVERY_QCFG, NULL, 0), HWRM_NOT_SUPPORTED,
	       "no ERROR_RECOVERY_QCFG");
	tap_eq(grc_read(d, 0x31001f0), 0, "no status structure");
	grc_write(d, GRC_CHIP_RESET, 1);
	tap_ok(frame_comes(d), "no reset register");
	drv_ended(d, "no recovery");
}

/* Events that the driver did not ask for stay away */
static void test_event_filter(void)
{
	struct drv *d = opened(true);
	struct func_drv_rgtr_req q = { .hdr.req_type = HWRM_FUNC_DRV_RGTR,
				       .enables = DRV_RGTR_EN_ASYNC_FWD };

	drv_hwrm(d, &q, sizeof(q), NULL, 0);
	nic_set_link(d->nic, false);
	drv_run(d);
	tap_eq(d->async_events, 0, "an event that is not wanted does not come");
	q.async_event_fwd[0] = 1;
	drv_hwrm(d, &q, sizeof(q), NULL, 0);
	nic_set_link(d->nic, true);
	drv_run(d);
	tap_eq(d->async_events, 1, "one that is wanted does");
	drv_ended(d, "events");
}

static void test_version(void)
{
	struct drv_opts o = drv_defaults();
	struct ver_get_resp v = { 0 };
	struct drv *d;

	memcpy(o.nic.fw_version, (uint16_t[]){ 216, 4, 7, 1 }, sizeof(o.nic.fw_version));
	d = drv_new(&o);
	drv_hwrm_window(d, HWRM_VER_GET, &v, sizeof(v));
	tap_ok(v.fw_maj == 216 && v.fw_min == 4 && v.fw_bld == 7 && v.fw_rsvd == 1 &&
		       v.hwrm_fw_major == 216 && v.hwrm_fw_patch == 1,
	       "the firmware is the version that it was told to be");
	drv_ended(d, "version");
}

static void test_bus_master(void)
{
	struct drv *d = opened(false);
	uint8_t *stats = drv_ptr(d, d->q[0].stats);

	nic_bus_master(d->nic, false);
	memset(stats, 0x5a, sizeof(struct ctx_stats));
	tap_ok(!frame_comes(d), "what is no bus master receives nothing");
	later(d, 5000);
	tap_ok(stats[0] == 0x5a && stats[7] == 0x5a, "and writes no counters");
	tap_eq(drv_hwrm_simple(d, HWRM_VER_GET, NULL, 0), -1, "nor answers");
	nic_bus_master(d->nic, true);
	drv_hwrm_simple(d, HWRM_FUNC_RESET, NULL, 0);
	d->broken = NULL;
	tap_ok(!open_again(d) && frame_comes(d), "as bus master it works again");
	drv_ended(d, "bus master");
}

int main(void)
{
	test_commands();
	test_answers();
	test_speeds();
	test_phy_reset();
	test_phy_refuses();
	test_pause_fec();
	test_module();
	test_leds();
	test_loopback();
	test_flash();
	test_self_tests();
	test_register_dump();
	test_health();
	test_nonfatal();
	test_fatal();
	test_silent();
	test_fw_reset();
	test_slow_boot();
	test_no_recovery();
	test_event_filter();
	test_version();
	test_bus_master();
	return tap_done();
}
