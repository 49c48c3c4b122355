// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The port's link: a direct attach cable of four lanes in a QSFP28 cage. Its
 * speed is the one that is forced, or the highest that both ends advertise;
 * whatever changes it takes the link down for a moment.
 */
#include <stdio.h>

#include "core.h"

#define TRAIN_TIME	200000000ull	/* ns: the other end finds the new speed */

struct phy_speed {
	uint16_t speed;		/* 100 Mbit/s */
	uint16_t bit;		/* in masks of speeds */
	uint8_t type;		/* PORT_PHY_QCFG phy_type over copper */
	bool fec;		/* has clause 74 and 91 */
};

/* Highest first: what autonegotiation prefers */
static const struct phy_speed speeds[] = {
	{ 1000, 1u << 11, 0x0f, true },		/* 100GBASE-CR4 */
	{ 500, 1u << 10, 0x20, true },		/* 50GBASE-CR */
	{ 400, 1u << 9, 0x14, false },		/* 40GBASE-CR4 */
	{ 250, 1u << 8, 0x0b, true },		/* 25GBASE-CR CA-L */
	{ 100, 1u << 6, 0x01, false },		/* 10GBASE-CR */
};

#define ALL_SPEEDS	(1u << 11 | 1u << 10 | 1u << 9 | 1u << 8 | 1u << 6)
#define FEC_CAPS	(PHY_FEC_AUTONEG | PHY_FEC_CLAUSE74 | PHY_FEC_CLAUSE91)

static const struct phy_speed *find_speed(unsigned int speed)
{
	for (size_t i = 0; i < ARRAY_SIZE(speeds); i++)
		if (speeds[i].speed == speed)
			return &speeds[i];
	return NULL;
}

static const struct phy_speed *best_of(uint16_t mask)
{
	for (size_t i = 0; i < ARRAY_SIZE(speeds); i++)
		if (speeds[i].bit & mask)
			return &speeds[i];
	return NULL;
}

/* What the link would come up with; 0 for none */
static uint16_t resolve(const struct phy *phy)
{
	const struct phy_speed *s;

	if (!phy->cable || phy->forced_down)
		return 0;
	if (phy->auto_mode == PHY_AUTO_NONE) {
		s = find_speed(phy->force_speed);
		return s && s->bit & phy->partner ? s->speed : 0;
	}
	s = best_of(phy->auto_speeds & phy->partner);
	return s ? s->speed : 0;
}

static void set_speed(struct nic *nic, uint16_t speed)
{
	bool was_up = nic_link_up(nic);

	nic->phy.speed = speed;
	if (!speed == !was_up)
		return;
	if (!speed)
		nic->port.rxx[PORT_RXX_LINK_DOWN]++;
	if (speed)
		TRACE(nic, "link up, %u Mbit/s", speed * 100u);
	else
		TRACE(nic, "link down");
	nic_async_event(nic, ASYNC_LINK_STATUS, speed != 0, 0, 0, 0);
}

static void train(struct nic *nic)
{
	set_speed(nic, 0);
	nic->phy.train_until = nic->now + TRAIN_TIME;
}

/**
 * phy_update - find the link's state after something changed
 * @nic: device
 *
 * A link that only was forced down comes back at once; one that runs takes a
 * moment to come back with another speed.
 */
void phy_update(struct nic *nic)
{
	struct phy *phy = &nic->phy;
	uint16_t want = resolve(phy);

	phy->train_until = 0;
	if (want && phy->speed && want != phy->speed)
		train(nic);
	else
		set_speed(nic, want);
}

/**
 * phy_run_timers - ends the search for a new speed
 * @nic: device
 *
 * Return: ns until it ends, UINT64_MAX if there is none.
 */
uint64_t phy_run_timers(struct nic *nic)
{
	struct phy *phy = &nic->phy;

	if (!phy->train_until)
		return UINT64_MAX;
	if (phy->train_until > nic->now)
		return phy->train_until - nic->now;
	phy->train_until = 0;
	set_speed(nic, resolve(phy));
	nic_async_event(nic, ASYNC_LINK_SPEED, phy->speed, 0, 0, 0);
	return UINT64_MAX;
}

/**
 * phy_defaults - settings as the firmware starts with them
 * @nic: device; the cable and the other end stay
 */
void phy_defaults(struct nic *nic)
{
	struct phy *phy = &nic->phy;

	phy->forced_down = false;
	phy->auto_mode = PHY_AUTO_SPEED_MASK;
	phy->auto_speeds = ALL_SPEEDS;
	phy->auto_pause = PHY_PAUSE_AUTONEG | PHY_PAUSE_TX | PHY_PAUSE_RX;
	phy->force_pause = 0;
	phy->force_speed = PHY_SPEED_100G;
	phy->fec = PHY_FEC_AUTONEG;
	phy->lpbk = LPBK_NONE;
	phy->train_until = 0;
	phy->speed = resolve(phy);
}

/**
 * phy_init - a cable is plugged in, the other end takes everything
 * @nic: device
 */
void phy_init(struct nic *nic)
{
	nic->phy = (struct phy){ .cable = true, .partner = ALL_SPEEDS };
	phy_defaults(nic);
}

/**
 * nic_set_link - plug the cable in or out
 * @nic: device
 * @up: in
 */
void nic_set_link(struct nic *nic, bool up)
{
	nic->phy.cable = up;
	phy_update(nic);
	nic_flush(nic);
}

/**
 * nic_set_speed - restrict the other end of the cable
 * @nic: device
 * @mbps: the one speed that it takes, in Mbit/s; 0 for all
 *
 * Return: false if the port has no such speed.
 */
bool nic_set_speed(struct nic *nic, unsigned int mbps)
{
	const struct phy_speed *s = mbps % 100 ? NULL : find_speed(mbps / 100);

	if (mbps && !s)
		return false;
	nic->phy.partner = mbps ? s->bit : ALL_SPEEDS;
	phy_update(nic);
	nic_flush(nic);
	return true;
}

/* The other end takes and gives pause frames, so one's own wish is what comes out */
static uint8_t pause_now(const struct phy *phy)
{
	uint8_t wish = phy->auto_mode == PHY_AUTO_NONE || !(phy->auto_pause & PHY_PAUSE_AUTONEG) ?
			       phy->force_pause :
			       phy->auto_pause;

	return phy->speed ? wish & (PHY_PAUSE_TX | PHY_PAUSE_RX) : 0;
}

static uint8_t fec_now(const struct phy *phy)
{
	const struct phy_speed *s = find_speed(phy->speed);

	if (!s || !s->fec)
		return PHY_FEC_ACTIVE_NONE;
	if (phy->fec & (PHY_FEC_AUTONEG | PHY_FEC_CLAUSE91))
		return PHY_FEC_ACTIVE_CL91;
	return phy->fec & PHY_FEC_CLAUSE74 ? PHY_FEC_ACTIVE_CL74 : PHY_FEC_ACTIVE_NONE;
}

enum hwrm_error hwrm_port_phy_qcaps(struct nic *nic, const void *req, void *resp)
{
	struct port_phy_qcaps_resp *r = resp;

	(void)nic;
	(void)req;
	r->port_cnt = 1;
	r->speeds_force = ALL_SPEEDS;
	r->speeds_auto = ALL_SPEEDS;
	return HWRM_OK;
}

enum hwrm_error hwrm_port_phy_qcfg(struct nic *nic, const void *req, void *resp)
{
	const struct phy *phy = &nic->phy;
	const struct phy_speed *s = find_speed(phy->speed ? phy->speed : phy->force_speed);
	struct port_phy_qcfg_resp *r = resp;

	(void)req;
	r->link = phy->speed ? PHY_LINK_UP : phy->cable ? PHY_LINK_SIGNAL : PHY_LINK_NONE;
	r->link_speed = phy->speed;
	r->link_down_reason = phy->speed  ? 0 :
			      phy->cable  ? PHY_LINK_DOWN_REMOTE :
					    PHY_LINK_DOWN_NO_CABLE;
	r->duplex_cfg = 1;
	r->duplex_state = 1;
	r->pause = pause_now(phy);
	r->support_speeds = ALL_SPEEDS;
	r->force_link_speed = phy->force_speed;
	r->auto_mode = phy->auto_mode;
	r->auto_pause = phy->auto_pause;
	r->force_pause = phy->force_pause;
	r->auto_link_speed_mask = phy->auto_speeds;
	r->lpbk = phy->lpbk;
	r->lp_adv_speeds = phy->cable ? phy->partner : 0;
	r->lp_adv_pause = phy->cable ? PHY_PAUSE_TX | PHY_PAUSE_RX : 0;
	r->phy_type = s ? s->type : 0;
	r->media_type = PHY_MEDIA_DAC;
	r->xcvr_pkg_type = PHY_XCVR_EXTERNAL;
	r->xcvr_id_lpi_timer = PHY_XCVR_ID_QSFP28;
	r->fec_cfg = FEC_CAPS | PHY_FEC_ON(phy->fec);
	r->active_fec_signal_mode = fec_now(phy);
	snprintf(r->phy_vendor_name, sizeof(r->phy_vendor_name), "emulated");
	return HWRM_OK;
}

static void switch_fec(struct phy *phy, uint32_t flags)
{
	static const struct {
		uint32_t on, off;
		uint16_t what;
	} table[] = {
		{ PHY_CFG_FEC_AUTO_ON, PHY_CFG_FEC_AUTO_OFF, PHY_FEC_AUTONEG },
		{ PHY_CFG_FEC_CL74_ON, PHY_CFG_FEC_CL74_OFF, PHY_FEC_CLAUSE74 },
		{ PHY_CFG_FEC_CL91_ON, PHY_CFG_FEC_CL91_OFF, PHY_FEC_CLAUSE91 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if (flags & table[i].on)
			phy->fec |= table[i].what;
		if (flags & table[i].off)
			phy->fec &= ~table[i].what;
	}
}

enum hwrm_error hwrm_port_phy_cfg(struct nic *nic, const void *req, void *resp)
{
	const struct port_phy_cfg_req *q = req;
	struct phy *phy = &nic->phy;
	bool force = q->flags & PHY_CFG_FORCE, was_up = nic_link_up(nic);

	(void)resp;
	if (q->flags & PHY_CFG_FORCE_DOWN) {
		phy->forced_down = true;
		phy_update(nic);
		return HWRM_OK;
	}
	if ((force && q->force_link_speed && !find_speed(q->force_link_speed)) ||
	    (q->enables & PHY_CFG_EN_SPEED_MASK && !(q->auto_link_speed_mask & ALL_SPEEDS)) ||
	    (q->enables & PHY_CFG_EN_AUTO_MODE && q->auto_mode > PHY_AUTO_SPEED_MASK) ||
	    (q->enables & PHY_CFG_EN_LPBK && q->lpbk > LPBK_EXTERNAL))
		return HWRM_INVALID_PARAMS;
	if (force) {
		phy->auto_mode = PHY_AUTO_NONE;
		if (q->force_link_speed)
			phy->force_speed = q->force_link_speed;
	} else if (q->enables & PHY_CFG_EN_AUTO_MODE) {
		phy->auto_mode = q->auto_mode;
	}
	if (q->enables & PHY_CFG_EN_SPEED_MASK)
		phy->auto_speeds = q->auto_link_speed_mask & ALL_SPEEDS;
	if (q->enables & PHY_CFG_EN_AUTO_PAUSE)
		phy->auto_pause = q->auto_pause;
	if (q->enables & PHY_CFG_EN_FORCE_PAUSE)
		phy->force_pause = q->force_pause;
	if (q->enables & PHY_CFG_EN_LPBK)
		phy->lpbk = q->lpbk;
	switch_fec(phy, q->flags);
	phy->forced_down = false;
	phy_update(nic);
	/*
	 * A PHY that is reset loses its link, even if it comes back the same. Drivers depend
	 * on the events: bnxt_set_fecparam() forgets the link's state without reporting it.
	 */
	if (q->flags & PHY_CFG_RESET_PHY && was_up && nic_link_up(nic))
		train(nic);
	return HWRM_OK;
}

/*
 * The cable's memory: SFF-8636, lower page and upper page 00h, as a passive
 * copper cable of one metre has it. "Flat": no other pages.
 */

#define MODULE_SIZE	256

static void put_text(uint8_t *p, size_t len, const char *text)
{
	memset(p, ' ', len);
	memcpy(p, text, strlen(text));
}

static uint8_t sum_of(const uint8_t *p, size_t len)
{
	uint8_t sum = 0;

	while (len--)
		sum += *p++;
	return sum;
}

static void module_memory(uint8_t m[MODULE_SIZE])
{
	memset(m, 0, MODULE_SIZE);
	m[0] = m[128] = 0x11;	/* QSFP28 */
	m[1] = 0x07;		/* SFF-8636 revision 2.5 to 2.7 */
	m[2] = 0x04;		/* flat memory, no interrupt, data ready */
	m[130] = 0x23;		/* no separable connector */
	m[131] = 0x88;		/* 40GBASE-CR4, and see byte 192 */
	m[139] = 0x05;		/* 64B/66B */
	m[140] = 0xff;		/* faster than fits here: byte 222 */
	m[146] = 1;		/* m of copper */
	m[147] = 0xa0;		/* passive copper, unequalized */
	put_text(&m[148], 16, "emulated");
	put_text(&m[168], 16, "BNXT-EMU-DAC1M");
	put_text(&m[184], 2, "A");
	m[191] = sum_of(&m[128], 63);
	m[192] = 0x0b;		/* 100GBASE-CR4, RS-FEC */
	put_text(&m[196], 16, "EMU0000000001");
	put_text(&m[212], 8, "240101");
	m[222] = 103;		/* 250 MBd */
	m[223] = sum_of(&m[192], 31);
}

enum hwrm_error hwrm_port_phy_i2c_read(struct nic *nic, const void *req, void *resp)
{
	const struct port_phy_i2c_read_req *q = req;
	struct port_phy_i2c_read_resp *r = resp;
	unsigned int at = q->enables & I2C_EN_PAGE_OFFSET ? q->page_offset : 0;
	uint8_t memory[MODULE_SIZE];

	if (!nic->phy.cable || q->i2c_slave_addr != I2C_ADDR_A0 || q->page_number ||
	    (q->enables & I2C_EN_BANK && q->bank_number) || !q->data_length ||
	    q->data_length > I2C_DATA_MAX || at + q->data_length > MODULE_SIZE)
		return HWRM_INVALID_PARAMS;
	module_memory(memory);
	memcpy(r->data, memory + at, q->data_length);
	return HWRM_OK;
}
