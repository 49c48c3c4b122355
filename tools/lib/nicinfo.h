/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a network interface stands: what zero copy receive wants of it, asked of the
 * kernel by ioctl, netlink, sysfs and procfs. Nothing is changed, and but for the owner of
 * a queue nothing takes privilege.
 */
#ifndef NICINFO_H
#define NICINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Slots of the largest RSS table, and rules, that are looked at */
#define NICINFO_SLOTS	4096
#define NICINFO_RULES	1024

/* Destination of a rule that leads to an RSS context, or drops */
#define NICINFO_NO_QUEUE	UINT32_MAX

enum nicinfo_ntuple {
	NICINFO_NTUPLE_UNKNOWN,
	NICINFO_NTUPLE_NONE,	/* the device has no such filters */
	NICINFO_NTUPLE_OFF,
	NICINFO_NTUPLE_ON,
};

enum nicinfo_xdp {
	NICINFO_XDP_UNKNOWN,
	NICINFO_XDP_NONE,
	NICINFO_XDP_DRIVER,
	NICINFO_XDP_GENERIC,
	NICINFO_XDP_OFFLOAD,
	NICINFO_XDP_MULTI,
};

/**
 * struct nicinfo_rule - a filter rule for TCP
 * @id: its number
 * @ipv6: for IPv6, else for IPv4
 * @port: local port, 0 for any
 * @queue: where it leads, or NICINFO_NO_QUEUE
 * @context: RSS context that it leads to, 0 for none
 */
struct nicinfo_rule {
	uint32_t id;
	bool ipv6;
	uint16_t port;
	uint32_t queue;
	uint32_t context;
};

/**
 * struct nicinfo_rings - sizes of the receive rings
 * @rx: entries
 * @jumbo: entries of the ring for payload, 0 where there is none
 */
struct nicinfo_rings {
	uint32_t rx;
	uint32_t jumbo;
};

/**
 * struct nicinfo_user - who takes the packets of a queue
 * @known: the kernel tells
 * @io_uring: a region of io_uring
 * @dmabuf: a dma-buf (devmem TCP)
 * @xsk: an AF_XDP socket; kernels before 6.14 do not tell so
 */
struct nicinfo_user {
	bool known;
	bool io_uring;
	bool dmabuf;
	bool xsk;
};

/**
 * struct nicinfo_process - a process
 * @pid: 0 when there is none, or it may not be seen
 * @name: as ps has it
 */
struct nicinfo_process {
	pid_t pid;
	char name[32];
};

int nicinfo_flags(const char *iface);
bool nicinfo_is_virtual(const char *iface);
bool nicinfo_driver(const char *iface, char *name, size_t size);
void nicinfo_list(char *words, size_t size);
unsigned int nicinfo_rx_queues(const char *iface);
bool nicinfo_channels(const char *iface, unsigned int queues, char *words, size_t size);
bool nicinfo_rings(const char *iface, struct nicinfo_rings *out);
enum nicinfo_ntuple nicinfo_ntuple(const char *iface);
int nicinfo_rules(const char *iface, struct nicinfo_rule *rules, unsigned int max);
int nicinfo_rss(const char *iface, uint32_t context, uint32_t *table, unsigned int max);
enum nicinfo_xdp nicinfo_xdp(const char *iface);
struct nicinfo_user nicinfo_queue_user(const char *iface, uint32_t queue);
void nicinfo_queue_napis(const char *iface, const uint32_t *queues, uint32_t n, uint32_t *napis);
struct nicinfo_process nicinfo_ring_owner(const char *iface, uint32_t queue);
struct nicinfo_process nicinfo_socket_owner(unsigned long inode);
int nicinfo_xsk_on(const char *iface, uint32_t queue, struct nicinfo_process *owner);
int nicinfo_xsk_count(void);

#endif
