// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Faults on demand.
 *
 * A list of faults is "NAME[=PROBABILITY][:KEY=VALUE]...", with commas between
 * them: "drop=1%,corrupt=0.001:dir=rx,hwrm-fail=VNIC_CFG:count=1:error=resource".
 *
 * Each fault has dice of its own for each direction, which start anew from the
 * seed whenever the fault is set: the same seed and the same chances give the
 * same faults, whatever other faults there are.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faults.h"

#define HWRM_RULES	16
#define COMMAND_MAX	40	/* bytes of a command's name */
#define ITEM_MAX	256

enum { RX = 1 << FAULT_RX, TX = 1 << FAULT_TX };

/* When a fault happens, and how often it did */
struct dice {
	bool on;
	double p;
	uint64_t state;
	uint64_t after;		/* chances that pass first */
	uint64_t left;		/* times that it still may happen */
	uint64_t chances, hits;	/* since the start */
};

struct fault {
	struct dice dice;
	uint64_t time;		/* ns */
	unsigned int gap;	/* frames */
};

struct hwrm_rule {
	struct dice dice;
	enum nic_hwrm_fate fate;
	uint16_t error;
	char command[COMMAND_MAX];
};

struct faults {
	uint64_t seed;
	struct fault fault[FAULT_COUNT][FAULT_DIRS];
	uint64_t rate[FAULT_DIRS];	/* bit/s, 0: as fast as it can */
	unsigned int rules;
	struct hwrm_rule rule[HWRM_RULES];
	uint64_t hwrm_hits[NIC_HWRM_ONES + 1];
};

struct fault_info {
	const char *name;
	uint8_t dirs;		/* in which it exists */
	uint64_t time;		/* default, ns */
	unsigned int gap;	/* default, frames */
	const char *what;
};

static const struct fault_info infos[FAULT_COUNT] = {
	[FAULT_DROP] = { "drop", RX | TX, 0, 0, "frames lost" },
	[FAULT_DUP] = { "dup", RX | TX, 0, 0, "frames doubled" },
	[FAULT_REORDER] = { "reorder", RX | TX, 5000000, 3, "frames overtaken by gap=N others" },
	[FAULT_DELAY] = { "delay", RX | TX, 1000000, 0, "frames delayed by time=T" },
	[FAULT_CORRUPT] = { "corrupt", RX | TX, 0, 0, "a bit of the TCP or UDP payload" },
	[FAULT_NOISE] = { "noise", RX | TX, 0, 0, "a bit behind the MAC header" },
	[FAULT_IP_CSUM] = { "ip-csum", RX | TX, 0, 0, "wrong IPv4 header checksum" },
	[FAULT_L4_CSUM] = { "l4-csum", RX | TX, 0, 0, "wrong TCP or UDP checksum" },
	[FAULT_CRC] = { "crc", RX, 0, 0, "CRC error in the completion" },
	[FAULT_BUFFER] = { "buffer", RX, 0, 0, "buffer error in the completion" },
	[FAULT_STARVE] = { "starve", RX, 0, 0, "no receive buffer seen" },
	[FAULT_DMA] = { "dma", RX | TX, 0, 0, "DMA refused, the ring fails" },
	[FAULT_DOORBELL] = { "doorbell", RX | TX, 0, 0, "doorbell of posted descriptors ignored" },
	[FAULT_LATE] = { "late", RX, 2000000, 0, "notification of completions comes time=T later" },
};

static const char *const dir_names[FAULT_DIRS] = { "rx", "tx" };

/* Which fault of the core is which of these */
static const struct {
	enum fault_id id;
	enum fault_dir dir;
} core_faults[NIC_FAULT_COUNT] = {
	[NIC_FAULT_RX_CRC] = { FAULT_CRC, FAULT_RX },
	[NIC_FAULT_RX_BUFFER] = { FAULT_BUFFER, FAULT_RX },
	[NIC_FAULT_RX_STARVE] = { FAULT_STARVE, FAULT_RX },
	[NIC_FAULT_RX_DMA] = { FAULT_DMA, FAULT_RX },
	[NIC_FAULT_TX_DMA] = { FAULT_DMA, FAULT_TX },
	[NIC_FAULT_RX_DOORBELL] = { FAULT_DOORBELL, FAULT_RX },
	[NIC_FAULT_TX_DOORBELL] = { FAULT_DOORBELL, FAULT_TX },
	[NIC_FAULT_LATE] = { FAULT_LATE, FAULT_RX },
};

static const struct {
	const char *name;
	const char *how;	/* value of how=, NULL where there is no choice */
	enum nic_hwrm_fate fate;
} fates[] = {
	{ "hwrm-fail", NULL, NIC_HWRM_REFUSED },
	{ "hwrm-timeout", NULL, NIC_HWRM_LOST },
	{ "hwrm-mute", NULL, NIC_HWRM_MUTE },
	{ "hwrm-hold", NULL, NIC_HWRM_HELD },
	{ "hwrm-bad", "seq", NIC_HWRM_WRONG_SEQ },
	{ "hwrm-bad", "valid", NIC_HWRM_NOT_VALID },
	{ "hwrm-bad", "zeros", NIC_HWRM_ZEROS },
	{ "hwrm-bad", "ones", NIC_HWRM_ONES },
};

/* HWRM_ERR_CODE_* of the driver's HSI header, and what bnxt_en makes of them (__hwrm_to_stderr) */
static const struct {
	const char *name;
	uint16_t code;
} errors[] = {
	{ "fail", 0x1 },		/* EIO */
	{ "params", 0x2 },		/* EINVAL */
	{ "denied", 0x3 },		/* EACCES */
	{ "resource", 0x4 },		/* ENOSPC */
	{ "no-buffer", 0x8 },		/* ENOMEM */
	{ "reset", 0xa },		/* EAGAIN */
	{ "busy", 0x10 },		/* EAGAIN */
	{ "locked", 0x11 },		/* EROFS */
	{ "unavailable", 0x12 },	/* ENODEV */
	{ "unsupported", 0xffff },	/* EOPNOTSUPP */
};

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

/*
 * Dice
 */

/* splitmix64: spreads seeds that differ little */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ull;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

/* xorshift64*: good enough to pick frames, and the same everywhere */
static uint64_t next_random(struct dice *d)
{
	d->state ^= d->state >> 12;
	d->state ^= d->state << 25;
	d->state ^= d->state >> 27;
	return d->state * 0x2545f4914f6cdd1dull;
}

static void seed_dice(struct dice *d, uint64_t seed, unsigned int which)
{
	d->state = mix(mix(seed) + which);
	if (!d->state)
		d->state = 1;	/* from 0 it would never leave */
}

static bool throw(struct dice *d)
{
	if (!d->on)
		return false;
	d->chances++;
	if (d->after) {
		d->after--;
		return false;
	}
	if ((next_random(d) >> 11) * 0x1p-53 >= d->p)
		return false;
	d->hits++;
	if (d->left != UINT64_MAX && !--d->left)
		d->on = false;
	return true;
}

/*
 * Parsing
 */

/* One item of a list, taken apart */
struct item {
	char text[ITEM_MAX];
	const char *name, *value;
	double p;
	uint64_t count, after, time;
	unsigned int gap;
	uint8_t dirs;
	uint16_t error;
	const char *how;
	bool has_p, has_time, has_gap, has_error, off;
};

struct parse {
	struct faults *f;
	char *why;
	size_t size;
};

__attribute__((format(printf, 2, 3)))
static bool refuse(struct parse *ps, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(ps->why, ps->size, fmt, ap);
	va_end(ap);
	return false;
}

static bool parse_u64(const char *text, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 0);
	return isdigit((unsigned char)*text) && !errno && !*end;
}

static bool parse_probability(const char *text, double *p)
{
	char *end;

	*p = strtod(text, &end);
	if (end == text)
		return false;
	if (!strcmp(end, "%"))
		*p /= 100;
	else if (*end)
		return false;
	return *p >= 0 && *p <= 1;
}

/* A number with a unit of a table; ns or bit/s */
struct unit {
	const char *name;
	double factor;
};

static bool parse_unit(const char *text, const struct unit *units, size_t n, uint64_t *out)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || !(v >= 0) || v > 1e15)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(end, units[i].name))
			continue;
		v *= units[i].factor;
		*out = v < 1e18 ? (uint64_t)v : 0;
		return v < 1e18;
	}
	return false;
}

static bool parse_time(const char *text, uint64_t *ns)
{
	static const struct unit units[] = {
		{ "ns", 1 }, { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 },
	};

	return parse_unit(text, units, COUNT(units), ns) && *ns <= 10000000000ull;
}

static bool parse_rate(const char *text, uint64_t *bits)
{
	static const struct unit units[] = {
		{ "", 1 }, { "K", 1e3 }, { "M", 1e6 }, { "G", 1e9 },
	};

	return parse_unit(text, units, COUNT(units), bits);
}

static bool parse_error(const char *text, uint16_t *code)
{
	uint64_t v;

	for (size_t i = 0; i < COUNT(errors); i++) {
		if (!strcmp(errors[i].name, text)) {
			*code = errors[i].code;
			return true;
		}
	}
	if (!parse_u64(text, &v) || !v || v > 0xffff)
		return false;
	*code = v;
	return true;
}

static bool key_p(struct item *it, const char *value)
{
	it->has_p = true;
	return parse_probability(value, &it->p);
}

static bool key_count(struct item *it, const char *value)
{
	return parse_u64(value, &it->count) && it->count;
}

static bool key_after(struct item *it, const char *value)
{
	return parse_u64(value, &it->after);
}

static bool key_time(struct item *it, const char *value)
{
	it->has_time = true;
	return parse_time(value, &it->time);
}

static bool key_gap(struct item *it, const char *value)
{
	uint64_t v;

	if (!parse_u64(value, &v) || !v || v > 1000)
		return false;
	it->has_gap = true;
	it->gap = v;
	return true;
}

static bool key_dir(struct item *it, const char *value)
{
	for (int d = 0; d < FAULT_DIRS; d++) {
		if (!strcmp(value, dir_names[d])) {
			it->dirs = 1 << d;
			return true;
		}
	}
	return false;
}

static bool key_error(struct item *it, const char *value)
{
	it->has_error = true;
	return parse_error(value, &it->error);
}

static bool key_how(struct item *it, const char *value)
{
	it->how = value;
	return true;
}

static const struct {
	const char *name;
	bool (*fn)(struct item *it, const char *value);
	const char *fix;
} keys[] = {
	{ "p", key_p, "a probability such as 0.01 or 1%" },
	{ "count", key_count, "how often at most, from 1" },
	{ "after", key_after, "how many chances pass first" },
	{ "time", key_time, "a time up to 10s, such as 500us or 2ms" },
	{ "gap", key_gap, "a number of frames from 1 to 1000" },
	{ "dir", key_dir, "rx (towards the guest) or tx" },
	{ "error", key_error,
	  "fail, params, denied, resource, no-buffer, reset, busy, locked, unavailable, unsupported or a number" },
	{ "how", key_how, "seq, valid, zeros or ones" },
};

static bool parse_key(struct parse *ps, struct item *it, char *word)
{
	char *eq = strchr(word, '=');

	if (!eq)
		return refuse(ps, "%s: \"%s\" is no KEY=VALUE", it->name, word);
	*eq = 0;
	for (size_t i = 0; i < COUNT(keys); i++) {
		if (strcmp(keys[i].name, word))
			continue;
		return keys[i].fn(it, eq + 1) ||
		       refuse(ps, "%s: %s=%s: give %s", it->name, word, eq + 1, keys[i].fix);
	}
	return refuse(ps, "%s: no key \"%s\": there are p, count, after, time, gap, dir, error, how",
		      it->name, word);
}

/* NAME[=VALUE][:KEY=VALUE]...; pointers of @it lead into its own copy of the text */
static bool split_item(struct parse *ps, const char *text, size_t len, struct item *it)
{
	char *save = NULL, *word, *eq;

	*it = (struct item){ .p = 1, .count = UINT64_MAX };
	if (len >= sizeof(it->text))
		return refuse(ps, "a fault of %zu characters is too long", len);
	memcpy(it->text, text, len);
	word = strtok_r(it->text, ":", &save);
	if (!word)
		return refuse(ps, "an empty item: give NAME[=PROBABILITY][:KEY=VALUE]...");
	it->name = word;
	eq = strchr(word, '=');
	if (eq) {
		*eq = 0;
		it->value = eq + 1;
	}
	while ((word = strtok_r(NULL, ":", &save)))
		if (!parse_key(ps, it, word))
			return false;
	return true;
}

/* The counters go on */
static void set_dice(struct faults *f, struct dice *d, const struct item *it, unsigned int which)
{
	d->on = !it->off && it->p > 0;
	d->p = it->p;
	d->after = it->after;
	d->left = it->count;
	seed_dice(d, f->seed, which);
}

static bool set_fault(struct parse *ps, struct item *it, enum fault_id id)
{
	const struct fault_info *info = &infos[id];
	uint8_t dirs = it->dirs ? it->dirs : info->dirs;

	if (it->value && !strcmp(it->value, "off"))
		it->off = true;
	else if (it->value && (it->has_p || !parse_probability(it->value, &it->p)))
		return refuse(ps, "%s=%s: give a probability such as 0.01 or 1%%, or off", it->name,
			      it->value);
	if (dirs & ~info->dirs)
		return refuse(ps, "%s exists only for %s", it->name,
			      info->dirs == RX ? "dir=rx" : "dir=tx");
	if (it->has_error || it->how)
		return refuse(ps, "%s: error= and how= are for firmware commands (hwrm-...)",
			      it->name);
	if ((it->has_time && !info->time) || (it->has_gap && !info->gap))
		return refuse(ps, "%s has no %s=", it->name, it->has_time ? "time" : "gap");
	for (int d = 0; d < FAULT_DIRS; d++) {
		struct fault *fault = &ps->f->fault[id][d];

		if (!(dirs >> d & 1))
			continue;
		set_dice(ps->f, &fault->dice, it, id * FAULT_DIRS + d);
		fault->time = it->has_time ? it->time : info->time;
		fault->gap = it->has_gap ? it->gap : info->gap;
	}
	return true;
}

static bool set_rate(struct parse *ps, const struct item *it)
{
	uint8_t dirs = it->dirs ? it->dirs : RX | TX;
	uint64_t bits = 0;

	if (!it->value || (strcmp(it->value, "off") && (!parse_rate(it->value, &bits) || bits < 1000)))
		return refuse(ps, "rate=%s: give bits a second from 1K, such as 100M or 2.5G, or off",
			      it->value ? it->value : "");
	for (int d = 0; d < FAULT_DIRS; d++)
		if (dirs >> d & 1)
			ps->f->rate[d] = bits;
	return true;
}

static int find_fate(const struct item *it)
{
	for (size_t i = 0; i < COUNT(fates); i++)
		if (!strcmp(fates[i].name, it->name) &&
		    (!fates[i].how || !strcmp(fates[i].how, it->how ? it->how : "seq")))
			return i;
	return -1;
}

static bool set_hwrm(struct parse *ps, const struct item *it)
{
	struct faults *f = ps->f;
	int fate = find_fate(it);
	struct hwrm_rule *r;

	if (fate < 0)
		return refuse(ps, "%s: give how=seq, valid, zeros or ones", it->name);
	if (!it->value || strlen(it->value) >= COMMAND_MAX || !nic_hwrm_known(it->value))
		return refuse(ps,
			      "%s=%s: no firmware command of that name; the trace has the names, such as VNIC_CFG",
			      it->name, it->value ? it->value : "");
	if (it->dirs || it->has_time || it->has_gap)
		return refuse(ps, "%s: a command has no dir=, time= or gap=", it->name);
	if (f->rules == HWRM_RULES)
		return refuse(ps, "%d firmware faults are all that can be set: clear some", HWRM_RULES);
	r = &f->rule[f->rules++];
	*r = (struct hwrm_rule){ .fate = fates[fate].fate, .error = it->has_error ? it->error : 1 };
	strcpy(r->command, it->value);
	set_dice(f, &r->dice, it, FAULT_COUNT * FAULT_DIRS + f->rules);
	return true;
}

static bool set_item(struct parse *ps, struct item *it)
{
	for (int id = 0; id < FAULT_COUNT; id++)
		if (!strcmp(infos[id].name, it->name))
			return set_fault(ps, it, id);
	if (!strcmp(it->name, "rate"))
		return set_rate(ps, it);
	if (!strncmp(it->name, "hwrm-", 5))
		for (size_t i = 0; i < COUNT(fates); i++)
			if (!strcmp(fates[i].name, it->name))
				return set_hwrm(ps, it);
	return refuse(ps,
		      "no fault \"%s\": there are drop, dup, reorder, delay, corrupt, noise, ip-csum, l4-csum, rate, crc, buffer, starve, dma, doorbell, late, hwrm-fail, hwrm-timeout, hwrm-mute, hwrm-hold, hwrm-bad",
		      it->name);
}

/**
 * faults_new() - Make a set of faults, all off
 * @seed: what the dice start from
 *
 * Return: the faults, NULL when memory is short.
 */
struct faults *faults_new(uint64_t seed)
{
	struct faults *f = calloc(1, sizeof(*f));

	if (f)
		f->seed = seed;
	return f;
}

/**
 * faults_free() - Free a set of faults
 * @f: faults or NULL
 */
void faults_free(struct faults *f)
{
	free(f);
}

/**
 * faults_set() - Set faults; those that are not named stay as they are
 * @f: faults
 * @list: what to set, see above
 * @why: on failure what is wrong and how to put it right
 * @size: bytes of @why
 *
 * Return: false if the list is not valid; then nothing changed.
 */
bool faults_set(struct faults *f, const char *list, char *why, size_t size)
{
	struct faults *next = malloc(sizeof(*next));
	struct parse ps = { .f = next, .why = why, .size = size };
	struct item it;
	bool good = next;

	if (!next)
		return refuse(&ps, "no memory");
	*next = *f;
	do {
		size_t len = strcspn(list, ",");

		good = split_item(&ps, list, len, &it) && set_item(&ps, &it);
		list += len;
	} while (good && *list++ == ',');
	if (good)
		*f = *next;
	free(next);
	return good;
}

static void remove_rules(struct faults *f, const char *name)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < f->rules; i++) {
		bool goes = !name;

		for (size_t k = 0; name && k < COUNT(fates); k++)
			goes |= fates[k].fate == f->rule[i].fate && !strcmp(fates[k].name, name);
		if (!goes)
			f->rule[kept++] = f->rule[i];
	}
	f->rules = kept;
}

/**
 * faults_clear() - Switch faults off; counters stay
 * @f: faults
 * @name: one of them in all directions, NULL for all
 *
 * Return: false if there is no fault of that name.
 */
bool faults_clear(struct faults *f, const char *name)
{
	bool known = !name || !strcmp(name, "rate");

	if (known)
		memset(f->rate, 0, sizeof(f->rate));
	for (int id = 0; id < FAULT_COUNT; id++) {
		if (name && strcmp(name, infos[id].name))
			continue;
		known = true;
		for (int d = 0; d < FAULT_DIRS; d++)
			f->fault[id][d].dice.on = false;
	}
	for (size_t k = 0; name && k < COUNT(fates); k++)
		known |= !strcmp(name, fates[k].name);
	remove_rules(f, name);
	return known;
}

/**
 * faults_seed() - Choose what dice start from that are set from now on
 * @f: faults
 * @seed: any number
 */
void faults_seed(struct faults *f, uint64_t seed)
{
	f->seed = seed;
}

/**
 * faults_hit() - Whether a fault happens now; counts it
 * @f: faults
 * @id: which
 * @dir: in which direction
 *
 * Return: true if it does.
 */
bool faults_hit(struct faults *f, enum fault_id id, enum fault_dir dir)
{
	return throw(&f->fault[id][dir].dice);
}

/**
 * faults_random() - Random number of a fault, for its details
 * @f: faults
 * @id: which
 * @dir: in which direction
 *
 * Return: 64 bits.
 */
uint64_t faults_random(struct faults *f, enum fault_id id, enum fault_dir dir)
{
	return next_random(&f->fault[id][dir].dice);
}

/**
 * faults_time() - How long a fault lasts
 * @f: faults
 * @id: one with a time
 * @dir: in which direction
 *
 * Return: ns.
 */
uint64_t faults_time(const struct faults *f, enum fault_id id, enum fault_dir dir)
{
	return f->fault[id][dir].time;
}

/**
 * faults_gap() - How many frames overtake one that is reordered
 * @f: faults
 * @dir: in which direction
 *
 * Return: frames.
 */
unsigned int faults_gap(const struct faults *f, enum fault_dir dir)
{
	return f->fault[FAULT_REORDER][dir].gap;
}

/**
 * faults_rate() - Speed of the wire
 * @f: faults
 * @dir: in which direction
 *
 * Return: bit/s, 0 for no limit.
 */
uint64_t faults_rate(const struct faults *f, enum fault_dir dir)
{
	return f->rate[dir];
}

/**
 * faults_on_wire() - Whether frames have to go through the faulty wire at all
 * @f: faults
 * @dir: in which direction
 *
 * Return: true if a fault of the wire is on.
 */
bool faults_on_wire(const struct faults *f, enum fault_dir dir)
{
	for (int id = FAULT_DROP; id <= FAULT_L4_CSUM; id++)
		if (f->fault[id][dir].dice.on)
			return true;
	return f->rate[dir];
}

/**
 * faults_device_mask() - Faults that the device core has to ask for
 * @f: faults
 *
 * Return: bits of enum nic_fault.
 */
uint32_t faults_device_mask(const struct faults *f)
{
	uint32_t mask = 0;

	for (int i = 0; i < NIC_FAULT_COUNT; i++)
		if (f->fault[core_faults[i].id][core_faults[i].dir].dice.on)
			mask |= 1u << i;
	return mask;
}

/**
 * faults_device() - Whether a fault of the device happens now; counts it
 * @f: faults
 * @fault: which
 *
 * Return: 0 if not, else how long it lasts in ns (1 where that says nothing).
 */
uint64_t faults_device(struct faults *f, enum nic_fault fault)
{
	enum fault_id id = core_faults[fault].id;
	enum fault_dir dir = core_faults[fault].dir;

	if (!faults_hit(f, id, dir))
		return 0;
	return f->fault[id][dir].time ? f->fault[id][dir].time : 1;
}

/**
 * faults_hwrm() - What happens to a firmware command; counts it
 * @f: faults
 * @command: its name
 *
 * Return: its fate; the first rule that hits decides.
 */
struct nic_hwrm_fault faults_hwrm(struct faults *f, const char *command)
{
	for (unsigned int i = 0; i < f->rules; i++) {
		struct hwrm_rule *r = &f->rule[i];

		if (strcmp(r->command, command) || !throw(&r->dice))
			continue;
		f->hwrm_hits[r->fate]++;
		return (struct nic_hwrm_fault){ .fate = r->fate, .error = r->error };
	}
	return (struct nic_hwrm_fault){ .fate = NIC_HWRM_FINE };
}

static int describe_dice(char *out, size_t size, const char *name, const struct dice *d)
{
	char left[48] = "";

	if (d->left != UINT64_MAX)
		snprintf(left, sizeof(left), ", %" PRIu64 " more", d->on ? d->left : 0);
	return snprintf(out, size, "%s: %s, probability %g, %" PRIu64 " of %" PRIu64 "%s", name,
			d->on ? "on" : "off", d->p, d->hits, d->chances, left);
}

/**
 * faults_list() - The faults that are, or were, on
 * @f: faults
 * @line: gets one line a fault and direction
 * @arg: for @line
 */
void faults_list(const struct faults *f, nic_line_fn line, void *arg)
{
	char text[256], name[64];

	for (int id = 0; id < FAULT_COUNT; id++) {
		for (int d = 0; d < FAULT_DIRS; d++) {
			const struct fault *fault = &f->fault[id][d];
			int n;

			if (!fault->dice.on && !fault->dice.chances)
				continue;
			snprintf(name, sizeof(name), "%s %s", infos[id].name, dir_names[d]);
			n = describe_dice(text, sizeof(text), name, &fault->dice);
			if (fault->gap)
				n += snprintf(text + n, sizeof(text) - n, ", gap %u", fault->gap);
			if (fault->time)
				snprintf(text + n, sizeof(text) - n, ", time %g ms", fault->time / 1e6);
			line(arg, text);
		}
	}
	for (int d = 0; d < FAULT_DIRS; d++) {
		if (!f->rate[d])
			continue;
		snprintf(text, sizeof(text), "rate %s: %" PRIu64 " bit/s", dir_names[d], f->rate[d]);
		line(arg, text);
	}
	for (unsigned int i = 0; i < f->rules; i++) {
		const struct hwrm_rule *r = &f->rule[i];
		size_t k = 0;

		while (k + 1 < COUNT(fates) && fates[k].fate != r->fate)
			k++;
		snprintf(name, sizeof(name), "%s %s", fates[k].name, r->command);
		describe_dice(text, sizeof(text), name, &r->dice);
		line(arg, text);
	}
}

/**
 * faults_counters() - How often each fault happened
 * @f: faults
 * @fn: gets "fault_rx_drop" and the like, all there are
 * @arg: for @fn
 */
void faults_counters(const struct faults *f, nic_counter_fn fn, void *arg)
{
	char name[64];

	for (int id = 0; id < FAULT_COUNT; id++) {
		for (int d = 0; d < FAULT_DIRS; d++) {
			if (!(infos[id].dirs >> d & 1))
				continue;
			snprintf(name, sizeof(name), "fault_%s_%s", dir_names[d], infos[id].name);
			for (char *c = name; *c; c++)
				if (*c == '-')
					*c = '_';
			fn(arg, name, f->fault[id][d].dice.hits);
		}
	}
	fn(arg, "fault_hwrm_fail", f->hwrm_hits[NIC_HWRM_REFUSED]);
	fn(arg, "fault_hwrm_timeout", f->hwrm_hits[NIC_HWRM_LOST]);
	fn(arg, "fault_hwrm_mute", f->hwrm_hits[NIC_HWRM_MUTE]);
	fn(arg, "fault_hwrm_hold", f->hwrm_hits[NIC_HWRM_HELD]);
	fn(arg, "fault_hwrm_bad", f->hwrm_hits[NIC_HWRM_WRONG_SEQ] + f->hwrm_hits[NIC_HWRM_NOT_VALID] +
					  f->hwrm_hits[NIC_HWRM_ZEROS] + f->hwrm_hits[NIC_HWRM_ONES]);
}
