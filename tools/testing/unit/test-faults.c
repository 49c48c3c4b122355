// SPDX-License-Identifier: GPL-2.0-or-later
/* The dice of the faults: what can be set, how often it happens, that it does so again. */
#include <math.h>

#include "../../bnxt-emu/faults.h"
#include "../tap.h"

#define THROWS	1000000u

/* Stands for the firmware's table */
bool nic_hwrm_known(const char *name)
{
	return !strcmp(name, "VNIC_CFG") || !strcmp(name, "RING_ALLOC");
}

static struct faults *with(uint64_t seed, const char *list)
{
	struct faults *f = faults_new(seed);
	char why[512];

	if (!f || !faults_set(f, list, why, sizeof(why)))
		tap_bail("%s: %s", list, why);
	return f;
}

static unsigned int hits(struct faults *f, enum fault_id id, enum fault_dir dir, unsigned int throws)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < throws; i++)
		n += faults_hit(f, id, dir);
	return n;
}

static void test_accepts(void)
{
	static const char *const good[] = {
		"drop", "drop=0", "drop=1", "drop=1%", "drop=0.5%:dir=rx", "drop=off",
		"drop=1e-3,dup=2%,reorder=0.1:gap=7:time=3ms,delay=1:time=500us:dir=tx",
		"corrupt=1%,noise=1%,ip-csum=1%,l4-csum=1%", "crc=1%,buffer=1%,starve=1%:count=5",
		"dma:count=1:after=10:dir=tx", "doorbell=10%", "late=1:time=10s", "rate=100M",
		"rate=2.5G:dir=tx", "rate=off", "hwrm-fail=VNIC_CFG", "hwrm-fail=VNIC_CFG:error=busy",
		"hwrm-fail=VNIC_CFG:error=0x123:count=2", "hwrm-timeout=RING_ALLOC:after=3:p=50%",
		"hwrm-mute=VNIC_CFG", "hwrm-hold=VNIC_CFG:count=1",
		"hwrm-bad=VNIC_CFG", "hwrm-bad=VNIC_CFG:how=ones",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct faults *f = faults_new(1);
		char why[512] = "";

		tap_ok(faults_set(f, good[i], why, sizeof(why)), "accepts %s%s", good[i], why);
		faults_free(f);
	}
}

/* What is wrong, and a part of what it says */
static void test_refuses(void)
{
	static const struct {
		const char *list, *says;
	} bad[] = {
		{ "", "empty item" }, { "drop,", "empty item" }, { "drip=1%", "there are drop" },
		{ "drop=2", "probability" }, { "drop=-1", "probability" }, { "drop=1%%", "probability" },
		{ "drop=nan", "probability" }, { "drop=", "probability" },
		{ "drop=1%:p=1%", "probability" }, { "drop:when=now", "no key" },
		{ "drop:count", "KEY=VALUE" }, { "drop:count=0", "from 1" }, { "drop:count=x", "from 1" },
		{ "drop:dir=up", "rx (towards the guest) or tx" }, { "drop:time=1ms", "no time=" },
		{ "drop:gap=1", "no gap=" }, { "delay:time=5", "500us" }, { "delay:time=11s", "up to 10s" },
		{ "reorder:gap=0", "1 to 1000" }, { "crc:dir=tx", "only for dir=rx" },
		{ "drop:error=busy", "firmware commands" }, { "rate", "bits a second" },
		{ "rate=10", "from 1K" }, { "rate=fast", "bits a second" },
		{ "hwrm-fail", "no firmware command" }, { "hwrm-fail=NOTHING", "no firmware command" },
		{ "hwrm-fail=VNIC_CFG:error=rude", "unsupported or a number" },
		{ "hwrm-fail=VNIC_CFG:error=0x10000", "or a number" },
		{ "hwrm-fail=VNIC_CFG:dir=rx", "no dir=" }, { "hwrm-bad=VNIC_CFG:how=ugly", "how=seq" },
		{ "hwrm-slow=VNIC_CFG", "there are drop" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct faults *f = with(1, "dup=1");
		char why[512] = "", list[300];

		/* nothing of a list that is bad at its end is taken */
		snprintf(list, sizeof(list), "drop=1:dir=rx,%s", bad[i].list);
		if (tap_ok(!faults_set(f, list, why, sizeof(why)) && strstr(why, bad[i].says),
			   "refuses \"%s\"", bad[i].list))
			tap_ok(!faults_hit(f, FAULT_DROP, FAULT_RX) &&
				       faults_hit(f, FAULT_DUP, FAULT_RX),
			       "and changes nothing");
		else
			tap_diag("said: %s", why);
		faults_free(f);
	}
}

static void test_rates(void)
{
	static const double p[] = { 0.001, 0.01, 0.1, 0.5, 0.99 };

	for (size_t i = 0; i < sizeof(p) / sizeof(p[0]); i++) {
		char list[32];
		struct faults *f;
		double sigma = sqrt(THROWS * p[i] * (1 - p[i]));
		unsigned int n;

		snprintf(list, sizeof(list), "drop=%g", p[i]);
		f = with(42, list);
		n = hits(f, FAULT_DROP, FAULT_RX, THROWS);
		tap_ok(fabs(n - THROWS * p[i]) < 4.5 * sigma, "%s: %u of %u", list, n, THROWS);
		faults_free(f);
	}
}

static uint64_t sequence(uint64_t seed, const char *list, enum fault_dir dir, bool others)
{
	struct faults *f = with(seed, list);
	uint64_t bits = 0;

	for (int i = 0; i < 64; i++) {
		bits = bits << 1 | faults_hit(f, FAULT_DROP, dir);
		if (others)
			faults_hit(f, FAULT_DUP, dir);
	}
	faults_free(f);
	return bits;
}

static void test_determinism(void)
{
	uint64_t one = sequence(1, "drop=0.5", FAULT_RX, false);
	struct faults *f = with(1, "drop=0.5");
	char why[512];
	uint64_t again = 0;

	tap_ok(one == sequence(1, "drop=0.5", FAULT_RX, false), "the same seed, the same faults");
	tap_ok(one == sequence(1, "dup=0.5,drop=0.5", FAULT_RX, true), "whatever else there is");
	tap_ok(one != sequence(2, "drop=0.5", FAULT_RX, false), "another seed, others");
	tap_ok(one != sequence(1, "drop=0.5", FAULT_TX, false), "another direction, others");
	hits(f, FAULT_DROP, FAULT_RX, 1000);
	faults_set(f, "drop=0.5", why, sizeof(why));
	for (int i = 0; i < 64; i++)
		again = again << 1 | faults_hit(f, FAULT_DROP, FAULT_RX);
	tap_ok(one == again, "set again, they start again");
	faults_free(f);
}

static void test_limits(void)
{
	struct faults *f = with(1, "drop:count=3:after=5,dup=0.5:count=10");

	tap_eq(hits(f, FAULT_DROP, FAULT_RX, 5), 0, "the first five pass");
	tap_eq(hits(f, FAULT_DROP, FAULT_RX, 100), 3, "then three are hit, and no more");
	tap_eq(hits(f, FAULT_DROP, FAULT_TX, 100), 3, "each direction has its own count");
	tap_eq(hits(f, FAULT_DUP, FAULT_RX, 1000), 10, "count=10 with a probability");
	tap_ok(!faults_on_wire(f, FAULT_TX) == false, "the other direction is still on");
	tap_ok(!faults_on_wire(f, FAULT_RX), "what has happened often enough is off");
	faults_free(f);
}

static void test_clear(void)
{
	struct faults *f = with(1, "drop,crc,rate=1M,hwrm-fail=VNIC_CFG,hwrm-mute=RING_ALLOC");

	tap_ok(!faults_clear(f, "nonsense"), "no such fault to clear");
	tap_ok(faults_clear(f, "drop") && !faults_hit(f, FAULT_DROP, FAULT_RX), "clear one");
	tap_ok(faults_rate(f, FAULT_RX) == 1000000, "others stay");
	tap_ok(faults_clear(f, "hwrm-fail") && faults_hwrm(f, "VNIC_CFG").fate == NIC_HWRM_FINE &&
		       faults_hwrm(f, "RING_ALLOC").fate == NIC_HWRM_MUTE,
	       "clear one kind of firmware fault");
	tap_ok(faults_clear(f, NULL) && !faults_rate(f, FAULT_RX) && !faults_device_mask(f) &&
		       faults_hwrm(f, "RING_ALLOC").fate == NIC_HWRM_FINE,
	       "clear all");
	faults_free(f);
}

static void test_device(void)
{
	struct faults *f = with(1, "crc,dma:dir=tx,late:time=7ms");

	tap_eq(faults_device_mask(f), 1u << NIC_FAULT_RX_CRC | 1u << NIC_FAULT_TX_DMA | 1u << NIC_FAULT_LATE,
	       "the core has to ask for what is on");
	tap_ok(!faults_on_wire(f, FAULT_RX) && !faults_on_wire(f, FAULT_TX), "nothing of that is the wire's");
	tap_eq(faults_device(f, NIC_FAULT_LATE), 7000000, "its time");
	tap_ok(faults_device(f, NIC_FAULT_RX_CRC), "without a time: yes");
	tap_eq(faults_device(f, NIC_FAULT_RX_DMA), 0, "what is off: no");
	faults_free(f);
}

static void test_hwrm(void)
{
	struct faults *f = with(1, "hwrm-fail=VNIC_CFG:count=1:error=resource,hwrm-bad=VNIC_CFG:how=zeros:count=1,hwrm-timeout=RING_ALLOC:after=2:count=1");
	struct nic_hwrm_fault v = faults_hwrm(f, "VNIC_CFG");
	char why[512];
	int i;

	tap_ok(v.fate == NIC_HWRM_REFUSED && v.error == 4, "the first rule first");
	tap_eq(faults_hwrm(f, "VNIC_CFG").fate, NIC_HWRM_ZEROS, "then the second");
	tap_eq(faults_hwrm(f, "VNIC_CFG").fate, NIC_HWRM_FINE, "then none");
	for (i = 0; i < 5 && faults_hwrm(f, "RING_ALLOC").fate == NIC_HWRM_FINE; i++)
		;
	tap_eq(i, 2, "the third of another command");
	for (i = 0; i < 100 && faults_set(f, "hwrm-fail=VNIC_CFG", why, sizeof(why)); i++)
		;
	tap_ok(i > 4 && i < 100 && strstr(why, "clear some"), "so many firmware faults and no more");
	faults_free(f);
}

struct found {
	unsigned int counters, lines;
	uint64_t rx_drop, hwrm_fail;
	char line[300];
};

static void on_counter(void *arg, const char *name, uint64_t value)
{
	struct found *found = arg;

	found->counters++;
	if (!strcmp(name, "fault_rx_drop"))
		found->rx_drop = value;
	if (!strcmp(name, "fault_hwrm_fail"))
		found->hwrm_fail = value;
}

static void on_line(void *arg, const char *line)
{
	struct found *found = arg;

	if (!found->lines++)
		snprintf(found->line, sizeof(found->line), "%s", line);
}

static void test_counters(void)
{
	struct faults *f = with(1, "drop:dir=rx:count=7,hwrm-fail=VNIC_CFG:count=2");
	struct found found = { 0 };
	char why[512];

	hits(f, FAULT_DROP, FAULT_RX, 20);
	for (int i = 0; i < 5; i++)
		faults_hwrm(f, "VNIC_CFG");
	faults_set(f, "drop:dir=rx:count=2", why, sizeof(why));
	hits(f, FAULT_DROP, FAULT_RX, 20);
	faults_clear(f, NULL);
	faults_counters(f, on_counter, &found);
	tap_eq(found.rx_drop, 9, "counters go on when a fault is set again, and cleared");
	tap_eq(found.hwrm_fail, 2, "those of the firmware");
	faults_list(f, on_line, &found);
	tap_str(found.line, "drop rx: off, probability 1, 9 of 9, 0 more", "in words");
	faults_free(f);
}

int main(void)
{
	test_accepts();
	test_refuses();
	test_rates();
	test_determinism();
	test_limits();
	test_clear();
	test_device();
	test_hwrm();
	test_counters();
	return tap_done();
}
