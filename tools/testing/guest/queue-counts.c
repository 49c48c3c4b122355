// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * queue-counts - how many packets each queue of an interface received
 *
 *	queue-counts eth0                       of now: broadcasts of all queues, packets of each
 *	queue-counts eth0 FRAMES MARKS COUNT... what came since COUNT..., which it printed before
 *
 * The second waits for FRAMES packets and for MARKS broadcasts behind them. The device brings
 * each queue's counters at times of its own, so that once the marks are counted another period
 * is waited for what may be missing: frames that no queue takes are never counted. The same
 * numbers as of "ethtool -S" and awk, whose start takes User Mode Linux longer than the frames.
 */
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define QUEUES_MAX	64
#define PATIENCE_MS	8000
#define POLL_MS		10
/* twice stats-block-usecs of 250000, the least that bnxt_en takes, and some more */
#define PERIOD_MS	550

struct counts {
	unsigned int queues;
	uint64_t broadcasts;
	uint64_t packets[QUEUES_MAX];
};

struct nic {
	int fd;
	struct ifreq ifr;
	unsigned int n;			/* statistics */
	struct ethtool_gstrings *names;
	struct ethtool_stats *values;
};

static const char usage[] = "Usage: queue-counts INTERFACE [FRAMES MARKS BROADCASTS PACKETS...]\n";

static bool ask(struct nic *nic, void *request)
{
	nic->ifr.ifr_data = request;
	return !ioctl(nic->fd, SIOCETHTOOL, &nic->ifr);
}

/* The names, which stay as long as the number of queues does */
static bool nic_open(struct nic *nic, const char *interface)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };

	if (strlen(interface) >= sizeof(nic->ifr.ifr_name)) {
		errno = ENODEV;
		return false;
	}
	strcpy(nic->ifr.ifr_name, interface);
	nic->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (nic->fd < 0 || !ask(nic, &info))
		return false;
	nic->n = info.n_stats;
	nic->names = calloc(1, sizeof(*nic->names) + (size_t)nic->n * ETH_GSTRING_LEN);
	nic->values = calloc(1, sizeof(*nic->values) + (size_t)nic->n * sizeof(uint64_t));
	if (!nic->names || !nic->values)
		return false;
	nic->names->cmd = ETHTOOL_GSTRINGS;
	nic->names->string_set = ETH_SS_STATS;
	nic->names->len = nic->n;
	return ask(nic, nic->names);
}

/* bnxt_en calls them "[3]: rx_ucast_packets", and the same with mcast and bcast */
static bool nic_count(struct nic *nic, struct counts *c)
{
	memset(c, 0, sizeof(*c));
	nic->values->cmd = ETHTOOL_GSTATS;
	nic->values->n_stats = nic->n;
	if (!ask(nic, nic->values))
		return false;
	for (unsigned int i = 0; i < nic->n; i++) {
		char name[ETH_GSTRING_LEN + 1] = "", cast;
		unsigned int q;
		int end = 0;

		memcpy(name, nic->names->data + (size_t)i * ETH_GSTRING_LEN, ETH_GSTRING_LEN);
		if (sscanf(name, "[%u]: rx_%ccast_packets%n", &q, &cast, &end) != 2 || !end ||
		    name[end] || !strchr("umb", cast) || q >= QUEUES_MAX)
			continue;
		c->packets[q] += nic->values->data[i];
		if (cast == 'b')
			c->broadcasts += nic->values->data[i];
		if (q >= c->queues)
			c->queues = q + 1;
	}
	return true;
}

static uint64_t grown(const struct counts *now, const struct counts *before)
{
	uint64_t sum = 0;

	for (unsigned int q = 0; q < now->queues; q++)
		sum += now->packets[q] - before->packets[q];
	return sum;
}

/* Until all of them are counted, or what is missing will not come any more */
static bool nic_wait(struct nic *nic, struct counts *now, const struct counts *before,
		     uint64_t frames, uint64_t marks)
{
	int left = PATIENCE_MS;
	bool marked = false;

	for (;;) {
		if (!nic_count(nic, now))
			return false;
		if (grown(now, before) >= frames + marks || left <= 0)
			return true;
		if (!marked && now->broadcasts - before->broadcasts >= marks) {
			marked = true;
			left = PERIOD_MS;
		}
		nanosleep(&(struct timespec){ .tv_nsec = POLL_MS * 1000000 }, NULL);
		left -= POLL_MS;
	}
}

static bool put_number(uint64_t *v, const char *s)
{
	char *end;

	errno = 0;
	*v = strtoull(s, &end, 10);
	return !errno && end != s && !*end;
}

int main(int argc, char **argv)
{
	struct counts before = { 0 }, now;
	struct nic nic = { .fd = -1 };
	uint64_t frames = 0, marks = 0;
	bool ok = argc == 2 || (argc > 4 && argc - 5 <= QUEUES_MAX);

	if (ok && argc > 2) {
		ok = put_number(&frames, argv[2]) && put_number(&marks, argv[3]) &&
		     put_number(&before.broadcasts, argv[4]);
		for (int i = 5; ok && i < argc; i++)
			ok = put_number(&before.packets[i - 5], argv[i]);
	}
	if (!ok)
		return fputs(usage, stderr), 2;
	if (!nic_open(&nic, argv[1]) ||
	    !(argc > 2 ? nic_wait(&nic, &now, &before, frames, marks) : nic_count(&nic, &now)))
		return fprintf(stderr, "queue-counts: %s: %s\n", argv[1], strerror(errno)), 1;
	printf("%llu", (unsigned long long)(now.broadcasts - before.broadcasts));
	for (unsigned int q = 0; q < now.queues; q++)
		printf(" %llu", (unsigned long long)(now.packets[q] - before.packets[q]));
	putchar('\n');
	free(nic.names);
	free(nic.values);
	close(nic.fd);
	return 0;
}
