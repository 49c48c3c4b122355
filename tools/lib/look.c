// SPDX-License-Identifier: GPL-2.0-or-later
#include "look.h"
#include "ethnl.h"
#include "nicinfo.h"

#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

/* Bits of CapEff: linux/capability.h */
#define CAP_NET_ADMIN_BIT	12
#define CAP_IPC_LOCK_BIT	14

/* Locked memory that the rings take besides the region, at most */
#define RINGS_LOCKED		(2U << 20)

static void put(char *value, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Fills in a value of the circumstances: DIAG_VALUE bytes */
static void put(char *value, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, DIAG_VALUE, fmt, ap);
	va_end(ap);
}

/* MiB if it is some, else KiB: as users write it, in units of the options */
static void put_size(char *value, uint64_t bytes)
{
	if (bytes % (1 << 20))
		put(value, "%" PRIu64 " KiB", bytes >> 10);
	else
		put(value, "%" PRIu64 " MiB", bytes >> 20);
}

static bool read_line(const char *path, char *line, size_t size)
{
	FILE *f = fopen(path, "re");
	bool ok;

	if (!f)
		return false;
	ok = fgets(line, (int)size, f);
	fclose(f);
	if (ok)
		line[strcspn(line, "\n")] = '\0';
	return ok;
}

/* Value after "KEY:" in a file of such lines */
static bool read_field(const char *path, const char *key, char *value, size_t size)
{
	FILE *f = fopen(path, "re");
	bool found = false;
	char line[256];

	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f)) {
		size_t n = strlen(key);

		if (strncmp(line, key, n) || line[n] != ':')
			continue;
		n += 1 + strspn(line + n + 1, " \t");
		line[strcspn(line, "\n")] = '\0';
		snprintf(value, size, "%s", line + n);
		found = true;
	}
	fclose(f);
	return found;
}

/* A field of /proc/meminfo */
static bool read_memory(const char *key, uint64_t *out)
{
	char value[64];

	if (!read_field("/proc/meminfo", key, value, sizeof(value)))
		return false;
	*out = strtoull(value, NULL, 10);
	return true;
}

/* ---- kernel and process ------------------------------------------------ */

/**
 * look_io_uring_disabled() - is it the administrator who does not want io_uring?
 * @env: circumstances
 *
 * Return: whether.
 */
bool look_io_uring_disabled(struct diag_env *env)
{
	char value[16];

	if (!read_line("/proc/sys/kernel/io_uring_disabled", value, sizeof(value)))
		return false;
	put(env->have, "%s", value);
	return strcmp(value, "0");
}

/**
 * look_kernel() - tell the kernel's version
 * @env: circumstances
 *
 * Return: true.
 */
bool look_kernel(struct diag_env *env)
{
	struct utsname u;

	if (uname(&u))
		return false;
	put(env->have, "%s", u.release);
	return true;
}

static bool has_capability(unsigned int bit)
{
	char value[64];

	if (!read_field("/proc/self/status", "CapEff", value, sizeof(value)))
		return true;
	return strtoull(value, NULL, 16) >> bit & 1;
}

/**
 * look_no_net_admin() - may this process not bind queues?
 * @env: circumstances
 *
 * Return: whether.
 */
bool look_no_net_admin(struct diag_env *env)
{
	(void)env;
	return !has_capability(CAP_NET_ADMIN_BIT);
}

/**
 * look_user_namespace() - is this a user namespace, as of a container?
 * @env: circumstances
 *
 * Return: whether.
 */
bool look_user_namespace(struct diag_env *env)
{
	unsigned int inside, outside, count;
	char map[64];

	(void)env;
	if (!read_line("/proc/self/uid_map", map, sizeof(map)))
		return false;
	/* user_namespaces(7): the first namespace maps all 2^32 - 1 ids */
	return sscanf(map, "%u %u %u", &inside, &outside, &count) == 3 && count != 4294967295U;
}

/**
 * look_foreign_namespace() - does this kernel want the capability of the first user
 *	namespace, and is this another?
 * @env: circumstances
 *
 * Upstream asks capable(), the series asks for the user namespace of the network.
 *
 * Return: whether.
 */
bool look_foreign_namespace(struct diag_env *env)
{
	return !(env->backend && env->backend->splits) && look_user_namespace(env);
}

/**
 * tell_capability() - nothing is the matter with capabilities
 * @env: circumstances
 *
 * Return: true.
 */
bool tell_capability(struct diag_env *env)
{
	put(env->have, "CAP_NET_ADMIN");
	return true;
}

/* Each queue has a region */
static uint32_t count_queues(const struct diag_env *env)
{
	return env->queues ? env->queues->n : 1;
}

static uint64_t all_regions(const struct diag_env *env)
{
	return env->cfg->region_size * count_queues(env);
}

static bool memlock_limit(uint64_t *out)
{
	struct rlimit rl;

	if (has_capability(CAP_IPC_LOCK_BIT) || getrlimit(RLIMIT_MEMLOCK, &rl) ||
	    rl.rlim_cur == RLIM_INFINITY)
		return false;
	*out = rl.rlim_cur;
	return true;
}

/**
 * look_memlock() - does the region exceed the limit of locked memory?
 * @env: circumstances
 *
 * Return: whether.
 */
bool look_memlock(struct diag_env *env)
{
	uint64_t limit, need;

	if (!memlock_limit(&limit))
		return false;
	put(env->have, "%" PRIu64 " KiB", limit >> 10);
	/* the rings are accounted for too; they are small */
	need = all_regions(env) + RINGS_LOCKED;
	put(env->want, "%" PRIu64, need >> 10);
	return limit < need;
}

/**
 * tell_memlock() - the limit of locked memory
 * @env: circumstances
 *
 * Return: true.
 */
bool tell_memlock(struct diag_env *env)
{
	uint64_t limit;

	if (memlock_limit(&limit))
		put(env->have, "a limit of %" PRIu64 " KiB", limit >> 10);
	else
		put(env->have, "no limit");
	return true;
}

/* How many huge pages are free, and how many it takes; false with none in the kernel */
static bool count_hugepages(const struct diag_env *env, uint64_t *have, uint64_t *want)
{
	uint64_t kib;

	*have = 0;
	*want = 0;
	if (!read_memory("Hugepagesize", &kib) || !kib)
		return false;
	read_memory("HugePages_Free", have);
	*want = (env->cfg->region_size + (kib << 10) - 1) / (kib << 10) * count_queues(env);
	return true;
}

/**
 * look_no_hugepages() - was it huge pages that were wanted?
 * @env: circumstances
 *
 * Return: whether.
 */
bool look_no_hugepages(struct diag_env *env)
{
	uint64_t have, want;

	if (!env->cfg->hugepages)
		return false;
	if (!count_hugepages(env, &have, &want)) {
		put(env->have, "none (this kernel has no hugetlbfs)");
		put(env->alt, "all");
		return true;
	}
	put(env->have, "%" PRIu64, have);
	put(env->want, "%" PRIu64, want);
	put(env->alt, "%" PRIu64, want);
	return true;
}

/**
 * look_hugepages_short() - are huge pages wanted and not enough free?
 * @env: circumstances
 *
 * Return: whether.
 */
bool look_hugepages_short(struct diag_env *env)
{
	uint64_t have, want;

	return look_no_hugepages(env) && (!count_hugepages(env, &have, &want) || have < want);
}

/**
 * look_memory_short() - is the region larger than what memory can be had?
 * @env: circumstances
 *
 * Return: whether.
 */
bool look_memory_short(struct diag_env *env)
{
	uint64_t kib;

	if (env->cfg->hugepages || !read_memory("MemAvailable", &kib))
		return false;
	put_size(env->have, kib << 10);
	return kib << 10 < all_regions(env);
}

/**
 * tell_memory() - memory that can be had
 * @env: circumstances
 *
 * Return: false where the kernel does not tell.
 */
bool tell_memory(struct diag_env *env)
{
	uint64_t kib, want;

	if (env->cfg->hugepages) {
		count_hugepages(env, &kib, &want);
		put(env->have, "%" PRIu64 " huge pages are free, %" PRIu64 " are wanted", kib,
		    want);
		return true;
	}
	if (!read_memory("MemAvailable", &kib))
		return false;
	put(env->have, "%" PRIu64 " MiB are to be had", kib >> 10);
	return true;
}

/* ---- interface --------------------------------------------------------- */

/**
 * look_no_interface() - is there no such interface?
 * @env: circumstances
 *
 * Return: whether.
 */
bool look_no_interface(struct diag_env *env)
{
	return env->cfg->iface && nicinfo_flags(env->cfg->iface) == -ENODEV;
}

/**
 * look_down() - is the interface down?
 * @env: circumstances
 *
 * Return: whether.
 */
bool look_down(struct diag_env *env)
{
	int flags = env->cfg->iface ? nicinfo_flags(env->cfg->iface) : -ENODEV;

	return flags >= 0 && !(flags & IFF_UP);
}

/**
 * look_no_link() - does nothing come by the cable?
 * @env: circumstances
 *
 * Return: whether.
 */
bool look_no_link(struct diag_env *env)
{
	int flags = nicinfo_flags(env->cfg->iface);

	return flags >= 0 && flags & IFF_UP && !(flags & IFF_RUNNING);
}

/**
 * look_virtual() - is there no hardware behind the interface?
 * @env: circumstances
 *
 * Return: whether.
 */
bool look_virtual(struct diag_env *env)
{
	return env->cfg->iface && nicinfo_is_virtual(env->cfg->iface);
}

/**
 * look_driver() - tell the driver
 * @env: circumstances
 *
 * Return: false when it cannot be found out.
 */
bool look_driver(struct diag_env *env)
{
	return env->cfg->iface && nicinfo_driver(env->cfg->iface, env->have, sizeof(env->have));
}

/**
 * tell_interface() - nothing is the matter with the interface, or which ones there are
 * @env: circumstances
 *
 * Return: false when none was named.
 */
bool tell_interface(struct diag_env *env)
{
	char list[DIAG_VALUE - 64];

	if (!env->cfg->iface) {
		nicinfo_list(list, sizeof(list));
		put(env->have, "none was named (-i IFACE); NICs are: %s",
		    list[0] ? list : "none, here");
		return false;
	}
	put(env->have, "%s is up, a device is behind it", env->cfg->iface);
	return true;
}

/**
 * tell_link() - nothing is the matter with the link
 * @env: circumstances
 *
 * Return: true.
 */
bool tell_link(struct diag_env *env)
{
	put(env->have, "is there");
	return true;
}

/* Drivers that are known to have it, by the kernel that they come with */
static const struct {
	const char *name;
	bool series;
	bool upstream;
} drivers[] = {
	{ "bnxt_en", true, true },
	{ "mlx5_core", false, true },
	{ "gve", false, true },
	{ "fbnic", false, true },
};

/**
 * tell_driver() - is it a driver that is known to have it?
 * @env: circumstances; @have is set in either case
 *
 * Return: whether.
 */
bool tell_driver(struct diag_env *env)
{
	bool series = env->backend && env->backend->splits;
	char name[64];

	if (!nicinfo_driver(env->cfg->iface, name, sizeof(name))) {
		put(env->have, "%s does not tell which it is", env->cfg->iface);
		return false;
	}
	put(env->have, "%s", name);
	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
		if (!strcmp(drivers[i].name, name) &&
		    (series ? drivers[i].series : drivers[i].upstream))
			return true;
	put(env->have, "%s is none that is known to have it; --bind tries", name);
	return false;
}

/**
 * look_queue_range() - has the interface no such queue?
 * @env: circumstances
 *
 * Return: whether.
 */
bool look_queue_range(struct diag_env *env)
{
	unsigned int n = env->cfg->iface ? nicinfo_rx_queues(env->cfg->iface) : 0;

	if (!n || env->cfg->queue < n)
		return false;
	put(env->have, "%u RX queue%s, 0 to %u", n, n == 1 ? "" : "s", n - 1);
	if (!nicinfo_channels(env->cfg->iface, env->cfg->queue + 1, env->want, DIAG_VALUE))
		env->want[0] = '\0';
	return true;
}

/**
 * tell_queue() - the queue and how many there are
 * @env: circumstances
 *
 * Return: false when it cannot be found out.
 */
bool tell_queue(struct diag_env *env)
{
	unsigned int n = nicinfo_rx_queues(env->cfg->iface);

	if (n)
		put(env->have, "%u, of 0 to %u", env->cfg->queue, n - 1);
	else
		put(env->have, "%s does not tell how many it has", env->cfg->iface);
	return n;
}

/* ---- ring and region --------------------------------------------------- */

/* Bytes that the NIC's own ring takes out of the region, 0 when not known */
static uint64_t ring_bytes(const char *iface, struct nicinfo_rings *rings)
{
	uint32_t n;

	if (!iface || !nicinfo_rings(iface, rings))
		return 0;
	n = rings->jumbo > rings->rx ? rings->jumbo : rings->rx;
	return n * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* A ring has an entry less than a power of two; a page more or less is not the point */
static void put_ring(char *value, uint64_t bytes)
{
	put_size(value, bytes < 1 << 20 ? bytes : (bytes + (1 << 19)) >> 20 << 20);
}

/* The largest power of two, less one, of ring entries that leaves a fifth of the region */
static uint32_t ring_that_fits(uint64_t region, uint64_t ring, uint32_t entries)
{
	uint64_t most = region * 4 / 5 * entries / ring;
	uint32_t n = 1;

	while (2ULL * n - 1 <= most)
		n *= 2;
	return n - 1;
}

/**
 * look_ring_of_nic() - tell how much of the region the NIC's own ring takes
 * @env: circumstances: @have that, @want a region and @alt a ring that would do
 *
 * Return: true.
 */
bool look_ring_of_nic(struct diag_env *env)
{
	struct nicinfo_rings rings;
	uint64_t bytes = ring_bytes(env->cfg->iface, &rings), mib;
	uint32_t fits;

	if (!bytes) {
		put(env->have, "nearly all of that, or more");
		put(env->want, "SIZE");
		return true;
	}
	put_ring(env->have, bytes);
	mib = (bytes + bytes / 4 + (1 << 20) - 1) >> 20;
	put(env->want, "%" PRIu64 "M", mib);
	fits = ring_that_fits(zcrx_first_area(env->cfg), bytes, rings.rx);
	if (fits >= 63)
		put(env->alt, "%u", fits);
	return true;
}

/**
 * look_region_below_ring() - would the NIC's ring take more than four fifths of the region?
 * @env: circumstances
 *
 * Then nothing is left for data that is in sockets and with the program; this series'
 * driver refuses it, upstream loses packets. When a queue is bound it has the first area only.
 *
 * Return: whether.
 */
bool look_region_below_ring(struct diag_env *env)
{
	struct nicinfo_rings rings;
	uint64_t bytes = ring_bytes(env->cfg->iface, &rings);

	look_ring_of_nic(env);
	return bytes && zcrx_first_area(env->cfg) < bytes + bytes / 4;
}

/**
 * tell_ring() - what the ring takes of the region
 * @env: circumstances
 *
 * Return: false where the driver does not tell.
 */
bool tell_ring(struct diag_env *env)
{
	struct nicinfo_rings rings;
	uint64_t bytes = ring_bytes(env->cfg->iface, &rings);
	char size[DIAG_VALUE];

	if (!bytes) {
		put(env->have, "%s does not tell the size of its ring", env->cfg->iface);
		return false;
	}
	put_ring(size, bytes);
	put(env->have, "the NIC's ring takes %.32s of it", size);
	return true;
}

static bool read_split(const char *iface, struct ethnl_split *split)
{
	struct ethnl nl;
	int err;

	if (!iface || ethnl_open(&nl))
		return false;
	err = ethnl_get_split(&nl, iface, split);
	ethnl_close(&nl);
	return !err;
}

/**
 * look_split() - will headers and data not be split?
 * @env: circumstances
 *
 * It has to be on, on demand and without a threshold. On by the driver's choice looks like
 * on by demand, so this is the last of what EINVAL can mean. A driver that has no threshold (gve)
 * tells on or off all the same.
 *
 * Return: whether; false where binding a queue switches it on.
 */
bool look_split(struct diag_env *env)
{
	struct ethnl_split split;

	if ((env->backend && env->backend->splits) || !read_split(env->cfg->iface, &split))
		return false;
	if (!split.has_threshold && split.mode != ETHNL_SPLIT_OFF)
		return false;
	if (split.mode != ETHNL_SPLIT_ON)
		put(env->have, "off");
	else if (split.threshold)
		put(env->have, "on, with a threshold of %u", split.threshold);
	else
		put(env->have, "on by the driver's choice");
	return env->why || split.mode != ETHNL_SPLIT_ON || split.threshold;
}

/* Off though there are rings for payload: by demand. Without them it may only look so */
static bool split_switched_off(const char *iface)
{
	struct nicinfo_rings rings;
	struct ethnl_split split;

	return read_split(iface, &split) && split.mode == ETHNL_SPLIT_OFF &&
	       nicinfo_rings(iface, &rings) && rings.jumbo;
}

/**
 * look_split_off() - has somebody switched off what binding a queue would switch on?
 * @env: circumstances
 *
 * Return: whether.
 */
bool look_split_off(struct diag_env *env)
{
	return env->backend && env->backend->splits && split_switched_off(env->cfg->iface);
}

/**
 * tell_split() - how headers and data are split
 * @env: circumstances
 *
 * Return: false where the driver does not tell.
 */
bool tell_split(struct diag_env *env)
{
	struct ethnl_split split;

	if (!read_split(env->cfg->iface, &split) || split.mode == ETHNL_SPLIT_AUTO) {
		put(env->have, "%s does not tell", env->cfg->iface);
		return false;
	}
	if (split.mode == ETHNL_SPLIT_ON)
		put(env->have, "on");
	else if (env->backend && env->backend->splits)
		put(env->have, "off; binding the queue switches it on, unless somebody has switched it off");
	else
		put(env->have, "off");
	return split.mode == ETHNL_SPLIT_ON;
}

/* ---- others on the queue ----------------------------------------------- */

static void put_process(struct diag_env *env, const struct nicinfo_process *p)
{
	env->want[0] = '\0';
	if (p->pid) {
		put(env->have, "process %d (%.31s)", (int)p->pid, p->name);
		put(env->want, "%d", (int)p->pid);
	} else {
		put(env->have, "a process that cannot be seen from here");
	}
}

/**
 * look_queue_owner() - tell who has bound the queue
 * @env: circumstances
 *
 * Return: true.
 */
bool look_queue_owner(struct diag_env *env)
{
	struct nicinfo_process p = { 0 };

	if (env->cfg->iface)
		p = nicinfo_ring_owner(env->cfg->iface, env->cfg->queue);
	put_process(env, &p);
	return true;
}

/**
 * look_queue_bound() - has another io_uring bound the queue?
 * @env: circumstances
 *
 * Return: whether.
 */
bool look_queue_bound(struct diag_env *env)
{
	return nicinfo_queue_user(env->cfg->iface, env->cfg->queue).io_uring &&
	       look_queue_owner(env);
}

/**
 * look_queue_dmabuf() - is the queue bound to a dma-buf?
 * @env: circumstances
 *
 * Return: whether.
 */
bool look_queue_dmabuf(struct diag_env *env)
{
	return env->cfg->iface && nicinfo_queue_user(env->cfg->iface, env->cfg->queue).dmabuf;
}

/**
 * tell_owner() - nobody has the queue
 * @env: circumstances
 *
 * Return: false where the kernel does not tell.
 */
bool tell_owner(struct diag_env *env)
{
	bool known = nicinfo_queue_user(env->cfg->iface, env->cfg->queue).known;

	put(env->have, known ? "nobody has bound the queue" :
			       "this kernel does not tell who has bound a queue");
	return known;
}

/* The word of ip-link(8) for how a program is attached */
static const char *xdp_word(enum nicinfo_xdp mode)
{
	switch (mode) {
	case NICINFO_XDP_GENERIC:
		return "xdpgeneric";
	case NICINFO_XDP_OFFLOAD:
		return "xdpoffload";
	case NICINFO_XDP_DRIVER:
		return "xdpdrv";
	default:
		return "xdp";
	}
}

/**
 * look_xdp() - is an XDP program attached?
 * @env: circumstances
 *
 * Return: whether.
 */
bool look_xdp(struct diag_env *env)
{
	enum nicinfo_xdp mode = env->cfg->iface ? nicinfo_xdp(env->cfg->iface) :
						  NICINFO_XDP_UNKNOWN;

	put(env->have, "%s", xdp_word(mode));
	return mode != NICINFO_XDP_UNKNOWN && mode != NICINFO_XDP_NONE;
}

/**
 * tell_xdp() - no XDP program is attached
 * @env: circumstances
 *
 * Return: false where the kernel does not tell.
 */
bool tell_xdp(struct diag_env *env)
{
	bool known = nicinfo_xdp(env->cfg->iface) != NICINFO_XDP_UNKNOWN;

	put(env->have, known ? "no program" : "the kernel does not tell");
	return known;
}

/**
 * look_xsk() - has an AF_XDP socket the queue?
 * @env: circumstances
 *
 * Return: whether.
 */
bool look_xsk(struct diag_env *env)
{
	struct nicinfo_process owner;
	int ret;

	if (!env->cfg->iface)
		return false;
	ret = nicinfo_xsk_on(env->cfg->iface, env->cfg->queue, &owner);
	put_process(env, &owner);
	return ret > 0 || nicinfo_queue_user(env->cfg->iface, env->cfg->queue).xsk;
}

/**
 * look_xsk_somewhere() - are there AF_XDP sockets, and is it not known where?
 * @env: circumstances
 *
 * Return: whether.
 */
bool look_xsk_somewhere(struct diag_env *env)
{
	struct nicinfo_process owner;
	int n = nicinfo_xsk_count();

	put(env->have, "%d", n);
	return n > 0 && nicinfo_xsk_on(env->cfg->iface, env->cfg->queue, &owner) < 0;
}

/**
 * tell_xsk() - no AF_XDP socket has the queue
 * @env: circumstances
 *
 * Return: false where the kernel does not tell.
 */
bool tell_xsk(struct diag_env *env)
{
	struct nicinfo_process owner;
	bool known = nicinfo_xsk_count() == 0 ||
		     nicinfo_xsk_on(env->cfg->iface, env->cfg->queue, &owner) >= 0;

	put(env->have, known ? "no socket on the queue" : "the kernel does not tell");
	return known;
}

/* ---- steering ---------------------------------------------------------- */

/**
 * look_no_ntuple() - has the device no filters that steer flows?
 * @env: circumstances
 *
 * Return: whether.
 */
bool look_no_ntuple(struct diag_env *env)
{
	return nicinfo_ntuple(env->cfg->iface) == NICINFO_NTUPLE_NONE;
}

/**
 * look_ntuple_off() - are these filters switched off?
 * @env: circumstances
 *
 * Return: whether.
 */
bool look_ntuple_off(struct diag_env *env)
{
	return nicinfo_ntuple(env->cfg->iface) == NICINFO_NTUPLE_OFF;
}

/**
 * tell_ntuple() - filters are on
 * @env: circumstances
 *
 * Return: false where the driver does not tell.
 */
bool tell_ntuple(struct diag_env *env)
{
	bool known = nicinfo_ntuple(env->cfg->iface) == NICINFO_NTUPLE_ON;

	if (known)
		put(env->have, "on");
	else
		put(env->have, "%s does not tell", env->cfg->iface);
	return known;
}

/**
 * struct steering - what the rules do with the flow
 * @known: the rules could be read
 * @ours: rules that lead to the queue, bit 0 for IPv4, bit 1 for IPv6
 * @elsewhere: a rule for the port that leads to another queue
 */
struct steering {
	bool known;
	unsigned int ours;
	struct nicinfo_rule elsewhere;
};

/* Is it the queue, or another one that is received from? */
static bool is_received(const struct diag_env *env, uint32_t queue)
{
	return queue == env->cfg->queue || (env->queues && queues_have(env->queues, queue));
}

/**
 * struct leads - where packets go that a rule leads to an RSS context
 * @here: to the queue
 * @only: to no queue that is not received from
 */
struct leads {
	bool here;
	bool only;
};

static struct leads context_leads(const struct diag_env *env, uint32_t context)
{
	uint32_t table[NICINFO_SLOTS];
	int n = context ? nicinfo_rss(env->cfg->iface, context, table, NICINFO_SLOTS) : 0;
	struct leads leads = { .only = n > 0 };

	for (int i = 0; i < n; i++) {
		leads.here |= table[i] == env->cfg->queue;
		leads.only &= is_received(env, table[i]);
	}
	return leads;
}

static void judge_rule(const struct diag_env *env, const struct nicinfo_rule *rule,
		       struct steering *s)
{
	const int family = rule->ipv6 ? AF_INET6 : AF_INET;
	struct leads leads;

	if (env->family != AF_UNSPEC && env->family != family)
		return;
	/* without a port of ours any rule will do */
	if (env->port && rule->port && rule->port != env->port)
		return;
	leads = context_leads(env, rule->context);
	if (rule->queue == env->cfg->queue || (leads.here && leads.only))
		s->ours |= rule->ipv6 ? 2 : 1;
	else if (env->port && rule->port == env->port && !leads.only &&
		 !is_received(env, rule->queue))
		s->elsewhere = *rule;
}

static struct steering read_steering(const struct diag_env *env)
{
	struct nicinfo_rule *rules = calloc(NICINFO_RULES, sizeof(*rules));
	struct steering s = { .elsewhere.queue = env->cfg->queue };
	int n = rules ? nicinfo_rules(env->cfg->iface, rules, NICINFO_RULES) : -ENOMEM;

	s.known = n >= 0;
	for (int i = 0; i < n; i++)
		judge_rule(env, &rules[i], &s);
	free(rules);
	return s;
}

/**
 * look_steered_elsewhere() - does a rule lead the port to another queue?
 * @env: circumstances
 *
 * Return: whether.
 */
bool look_steered_elsewhere(struct diag_env *env)
{
	struct steering s = read_steering(env);

	if (!s.known || s.elsewhere.queue == env->cfg->queue)
		return false;
	put(env->want, "%u", s.elsewhere.id);
	if (s.elsewhere.queue == NICINFO_NO_QUEUE)
		put(env->have, "several queues, or to none");
	else
		put(env->have, "queue %u", s.elsewhere.queue);
	return true;
}

/**
 * look_not_steered() - does no rule lead the flow to the queue?
 * @env: circumstances
 *
 * Return: whether.
 */
bool look_not_steered(struct diag_env *env)
{
	struct steering s = read_steering(env);

	return s.known && !s.ours;
}

/**
 * tell_steering() - the rules lead to the queue
 * @env: circumstances
 *
 * Return: false where the driver does not tell.
 */
bool tell_steering(struct diag_env *env)
{
	static const char *const families[] = { "", "IPv4", "IPv6", "IPv4 and IPv6" };
	struct steering s = read_steering(env);

	if (!s.known)
		put(env->have, "%s does not tell its rules", env->cfg->iface);
	else if (env->port)
		put(env->have, "%s of port %u to the queue", families[s.ours], env->port);
	else
		put(env->have, "%s to the queue", families[s.ours]);
	return s.known;
}

/* The arguments of "ethtool -X" that leave the queues out; empty when that takes too many */
static void put_rss(struct diag_env *env, unsigned int queues)
{
	unsigned int low = 0, high = queues, left = 0;
	size_t used;

	/* those that are left are from low to high - 1, and perhaps not all of these */
	while (low < queues && is_received(env, low))
		low++;
	while (high > low && is_received(env, high - 1))
		high--;
	for (unsigned int i = low; i < high; i++)
		left += !is_received(env, i);
	env->want[0] = '\0';
	if (!left)
		return;
	if (left == high - low && !low) {
		put(env->want, "equal %u", left);
		return;
	}
	if (left == high - low) {
		put(env->want, "start %u equal %u", low, left);
		return;
	}
	used = (size_t)snprintf(env->want, DIAG_VALUE, "weight");
	for (unsigned int i = 0; i < queues && used < DIAG_VALUE; i++)
		used += (size_t)snprintf(env->want + used, DIAG_VALUE - used, " %d",
					 !is_received(env, i));
	if (used >= DIAG_VALUE)
		env->want[0] = '\0';
}

/**
 * look_rss() - does other traffic come to the queue?
 * @env: circumstances
 *
 * Return: whether.
 */
bool look_rss(struct diag_env *env)
{
	uint32_t table[NICINFO_SLOTS];
	int n = nicinfo_rss(env->cfg->iface, 0, table, NICINFO_SLOTS), share = 0;

	for (int i = 0; i < n; i++)
		share += table[i] == env->cfg->queue;
	if (share <= 0)
		return false;
	put(env->have, "%d of %d", share, n);
	put_rss(env, nicinfo_rx_queues(env->cfg->iface));
	return true;
}

/**
 * tell_rss() - other traffic stays off the queue
 * @env: circumstances
 *
 * Return: false where the driver does not tell.
 */
bool tell_rss(struct diag_env *env)
{
	uint32_t table[NICINFO_SLOTS];
	bool known = nicinfo_rss(env->cfg->iface, 0, table, NICINFO_SLOTS) >= 0;

	if (known)
		put(env->have, "leaves the queue alone");
	else
		put(env->have, "%s does not tell its table", env->cfg->iface);
	return known;
}
