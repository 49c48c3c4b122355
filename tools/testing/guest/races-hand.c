// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * zc-races: the hands that change things under the receivers. One turns what belongs to
 * the whole interface, the other what belongs to its queues.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "genl.h"
#include "races.h"
#include "races-recv.h"

/* Queues beyond these are nobody's: rules and contexts may point there */
#define FIRST_SPARE_QUEUE	0u
#define RESTART_QUEUE		1u
#define RESTART_PAGES		1300u
/* Between two resets of the firmware, at most. One takes half as long. */
#define RESET_REST_US		5000000u
/* Until the driver has heard of one */
#define RESET_BEGINS_MS		500u

/**
 * struct hand - one of them
 * @races: all
 * @rng: dice
 * @sock: for ioctls
 * @q: the queue that is bound and unbound
 * @nl: for dumps
 */
struct hand {
	const struct races *races;
	struct rng rng;
	int sock;
	struct races_ifq q;
	struct genl nl;
};

static struct ifreq request(const struct hand *h)
{
	struct ifreq ifr = { 0 };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", h->races->iface);
	return ifr;
}

static bool ethtool(const struct hand *h, void *cmd)
{
	struct ifreq ifr = request(h);

	ifr.ifr_data = cmd;
	return !ioctl(h->sock, SIOCETHTOOL, &ifr);
}

__attribute__((format(printf, 2, 3)))
static bool shell(struct hand *h, const char *fmt, ...)
{
	char cmd[512];
	va_list ap;

	(void)h;
	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	return !system(cmd);
}

static bool set_up(const struct hand *h, bool up)
{
	struct ifreq ifr = request(h);

	if (ioctl(h->sock, SIOCGIFFLAGS, &ifr))
		return false;
	ifr.ifr_flags &= ~IFF_UP;
	if (up)
		ifr.ifr_flags |= IFF_UP;
	return !ioctl(h->sock, SIOCSIFFLAGS, &ifr);
}

/* ---- the whole interface ------------------------------------------------ */

static bool act_link(struct hand *h)
{
	bool down = set_up(h, false);

	races_nap(&h->rng, 60000);
	return set_up(h, true) && down;
}

static bool act_rings(struct hand *h)
{
	static const uint32_t sizes[] = { 63, 127, 191, 255 };
	struct ethtool_ringparam p = { .cmd = ETHTOOL_GRINGPARAM };

	if (!ethtool(h, &p))
		return false;
	p.cmd = ETHTOOL_SRINGPARAM;
	p.rx_pending = sizes[rng_below(&h->rng, 4)];
	return ethtool(h, &p);
}

static bool act_channels(struct hand *h)
{
	struct ethtool_channels p = { .cmd = ETHTOOL_GCHANNELS };

	if (!ethtool(h, &p))
		return false;
	p.cmd = ETHTOOL_SCHANNELS;
	p.combined_count = 4 + rng_below(&h->rng, 3);
	return ethtool(h, &p);
}

static bool act_mtu(struct hand *h)
{
	static const int mtus[] = { 1500, 4148, 4148, 9000 };
	struct ifreq ifr = request(h);

	ifr.ifr_mtu = mtus[rng_below(&h->rng, 4)];
	return !ioctl(h->sock, SIOCSIFMTU, &ifr);
}

static bool act_merge(struct hand *h)
{
	return shell(h, "ethtool -K %s rx-gro-hw %s >/dev/null 2>&1", h->races->iface,
		     rng_one_in(&h->rng, 2) ? "on" : "off");
}

/* What the device has completed the driver may learn of a millisecond later, or by chance */
static bool act_coalesce(struct hand *h)
{
	static const uint32_t delays[] = { 1, 50, 1000, 1000 };
	struct ethtool_coalesce c = { .cmd = ETHTOOL_GCOALESCE };

	if (!ethtool(h, &c))
		return false;
	c.cmd = ETHTOOL_SCOALESCE;
	c.use_adaptive_rx_coalesce = rng_one_in(&h->rng, 4);
	c.rx_coalesce_usecs = delays[rng_below(&h->rng, 4)];
	c.rx_max_coalesced_frames = 1 + rng_below(&h->rng, 60);
	return ethtool(h, &c);
}

static bool act_rebind(struct hand *h)
{
	return h->races->rebind && shell(h, "%s", h->races->rebind);
}

/* Whether the driver has the NIC open: it says that there is no carrier from the moment that it closes it */
static bool has_carrier(const struct hand *h)
{
	char path[64], c;
	bool yes;
	int fd;

	snprintf(path, sizeof(path), "/sys/class/net/%s/carrier", h->races->iface);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return false;
	yes = read(fd, &c, 1) == 1 && c == '1';
	close(fd);
	return yes;
}

/*
 * The NIC is closed for seconds then, though the stack has it running. Nobody waits for that but the next
 * reset: firmware that goes away while the driver opens the NIC after the last one has it close the interface
 * for good.
 */
static bool act_reset(struct hand *h)
{
	struct ethtool_value all = { .cmd = ETHTOOL_RESET, .data = ETH_RESET_ALL };
	bool ok = has_carrier(h) && ethtool(h, &all);

	for (unsigned int ms = 0; ok && has_carrier(h) && ms < RESET_BEGINS_MS * h->races->slow; ms++)
		usleep(1000);
	races_nap(&h->rng, RESET_REST_US);
	return ok;
}

/* ---- queues ------------------------------------------------------------- */

static bool act_rule(struct hand *h)
{
	return shell(h, "id=$(ethtool -N %s flow-type tcp4 dst-port %u action %u 2>/dev/null | sed -n 's/Added rule with ID //p') && "
		     "test -n \"$id\" && ethtool -N %s delete \"$id\" >/dev/null 2>&1", h->races->iface,
		     7000 + rng_below(&h->rng, 100), FIRST_SPARE_QUEUE, h->races->iface);
}

static bool act_context(struct hand *h)
{
	return shell(h, "id=$(ethtool -X %s context new equal 2 2>/dev/null | sed -n 's/New RSS context is //p') && "
		     "test -n \"$id\" && ethtool -X %s context \"$id\" delete >/dev/null 2>&1", h->races->iface,
		     h->races->iface);
}

/*
 * Another queue is bound, and unbound, which restarts it twice. New memory each time: pages of the last binding
 * may still be in sockets, and a binding takes all of its region for free.
 */
static bool act_restart(struct hand *h)
{
	bool ok;

	if (races_ifq_region(&h->q, RESTART_PAGES))
		return false;
	ok = !races_ifq_open(&h->q, h->races->iface, RESTART_QUEUE, 16, 16,
			     races_cpu(h->races, &h->rng));
	if (ok) {
		races_nap(&h->rng, 20000);
		races_ifq_close(&h->q);
	}
	races_ifq_unmap(&h->q);
	return ok;
}

static bool act_dump(struct hand *h)
{
	static const uint8_t what[] = {
		NETDEV_QUEUE_GET, NETDEV_PAGE_POOL_GET, NETDEV_PAGE_POOL_STATS_GET, NETDEV_NAPI_GET,
		NETDEV_QSTATS_GET, NETDEV_DEV_GET,
	};
	bool ok = true;

	for (uint32_t n = 1 + rng_below(&h->rng, 8); n; n--)
		ok = !genl_dump(&h->nl, what[rng_below(&h->rng, sizeof(what))], NULL, NULL) && ok;
	return ok;
}

/* One of the interface's interrupts to another processor */
static bool move_irq(struct hand *h, unsigned int irq)
{
	char path[64], cpu[16];
	bool ok;
	int fd;

	snprintf(path, sizeof(path), "/proc/irq/%u/smp_affinity_list", irq);
	snprintf(cpu, sizeof(cpu), "%u", rng_below(&h->rng, h->races->cpus));
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return false;
	ok = write(fd, cpu, strlen(cpu)) > 0;
	close(fd);
	return ok;
}

static bool act_irq(struct hand *h)
{
	FILE *f = fopen("/proc/interrupts", "r");
	char line[1024], name[32];
	unsigned int irq;
	bool ok = false;

	snprintf(name, sizeof(name), " %s-", h->races->iface);
	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, name) && sscanf(line, "%u:", &irq) == 1 && rng_one_in(&h->rng, 2))
			ok = move_irq(h, irq) || ok;
	if (f)
		fclose(f);
	return ok;
}

/* Somebody who sees all packets, and holds on to those that it does not read */
static bool act_packet(struct hand *h)
{
	struct sockaddr_ll all = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	uint8_t buf[256];
	bool ok;

	if (fd < 0)
		return false;
	all.sll_ifindex = (int)if_nametoindex(h->races->iface);
	ok = !bind(fd, (struct sockaddr *)&all, sizeof(all));
	races_nap(&h->rng, 50000);
	for (int i = 0; i < 20 && recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0; i++)
		;
	races_nap(&h->rng, 50000);
	close(fd);
	return ok;
}

/* ---- */

struct act {
	bool (*act)(struct hand *h);
	enum races_count count;
	unsigned int weight;
};

static const struct act config_acts[] = {
	{ act_link, RACES_LINK, 20 },
	{ act_rings, RACES_RINGS, 10 },
	{ act_channels, RACES_CHANNELS, 10 },
	{ act_mtu, RACES_MTU, 5 },
	{ act_merge, RACES_MERGE, 5 },
	{ act_coalesce, RACES_COALESCE, 10 },
	{ act_rebind, RACES_REBIND, 3 },
	{ 0 }
};

/* The driver itself is not up to more while its firmware is being reset: whatever closes it aborts that */
static const struct act firmware_acts[] = {
	{ act_reset, RACES_RESET, 1 },
	{ act_coalesce, RACES_COALESCE, 2 },
	{ 0 }
};

static const struct act queue_acts[] = {
	{ act_restart, RACES_RESTART, 20 },
	{ act_dump, RACES_DUMP, 20 },
	{ act_irq, RACES_IRQ, 20 },
	{ act_packet, RACES_PACKET, 5 },
	{ act_rule, RACES_RULE, 3 },
	{ act_context, RACES_CONTEXT, 3 },
	{ 0 }
};

/* How long a hand rests between two acts, at most: that of the interface must let data flow */
static const struct {
	const struct act *acts;
	uint32_t rest_us;
} hands[RACES_HANDS] = {
	[RACES_HAND_CONFIG] = { config_acts, 600000 },
	[RACES_HAND_QUEUES] = { queue_acts, 20000 },
};

static const struct act *acts_of(const struct races *races, unsigned int which)
{
	return races->firmware && which == RACES_HAND_CONFIG ? firmware_acts : hands[which].acts;
}

static const struct act *choose(struct hand *h, const struct act *acts)
{
	unsigned int sum = 0, n;

	for (const struct act *a = acts; a->act; a++)
		sum += a->weight;
	n = rng_below(&h->rng, sum);
	while (n >= acts->weight)
		n -= acts++->weight;
	return acts;
}

/* Slow machines get to a few acts a round: so that none is left out, each round begins with the next */
static const struct act *turn_of(const struct act *acts, uint64_t round)
{
	unsigned int n = 0;

	while (acts[n].act)
		n++;
	return &acts[round % n];
}

/**
 * races_hand() - do one thing after the other, until the end of the round
 * @races: all
 * @seed: of its dice
 * @round: number of the round, from anywhere
 * @which: RACES_HAND_*
 *
 * Acts may fail, for instance while there is no interface.
 *
 * Return: 0, or 1 when it could not begin.
 */
int races_hand(const struct races *races, uint64_t seed, uint64_t round, unsigned int which)
{
	const struct act *acts = acts_of(races, which), *a = turn_of(acts, round);
	struct hand h = {
		.races = races,
		.rng = { seed },
		.sock = socket(AF_INET, SOCK_DGRAM, 0),
		.q.ring.ring_fd = -1,
	};
	int err = genl_open(&h.nl);

	if (h.sock < 0 || err) {
		races_fail(races, "no socket, or no netlink family netdev: %s", strerror(err ? -err : errno));
		return 1;
	}
	while (!__atomic_load_n(&races->s->stop, __ATOMIC_RELAXED)) {
		races_move(races, &h.rng);
		if (a->act(&h))
			races_add(races, a->count, 1);
		races_nap(&h.rng, hands[which].rest_us);
		a = choose(&h, acts);
	}
	races_ifq_unmap(&h.q);
	genl_close(&h.nl);
	close(h.sock);
	return 0;
}
