/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * zc-life and zc-faults: what their parts share.
 *
 * The judge changes the device, starts and ends the user, and looks at what is left
 * of it. The user is a process of its own that receives into its memory, and does what the judge
 * tells it over a socket.
 */
#ifndef LIFE_H
#define LIFE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "genl.h"

/* Where life-pump connects to: roles of connections */
#define LIFE_PORT_FLOW	9999u
#define LIFE_PORT_QUIET	9998u
#define LIFE_PORT_HOLE	9997u
#define LIFE_FLOWS	3u

/* The NIC's own ring takes up to 252 of them (rx 63) */
#define LIFE_PAGES	1024u
#define LIFE_PAGE	4096u

/**
 * struct nic - the device, wherever it is
 * @iface: name of the interface
 * @pci: the device's name on its bus
 * @driver: driver's directory in sysfs
 * @queue: receive queue that is bound
 * @addr: address of the interface
 * @peer: address of the peer
 * @mac: the peer's hardware address, to be told after each loss of it
 * @home: the judge's network namespace
 * @ns: the one that the device is in, -1 for the judge's
 * @sock: for ioctls in that
 */
struct nic {
	const char *iface;
	char pci[64];
	char driver[128];
	unsigned int queue;
	struct in_addr addr, peer;
	uint8_t mac[6];
	int home;
	int ns;
	int sock;
};

int nic_open(struct nic *nic, const char *iface, unsigned int queue, const char *addr, const char *peer);
bool nic_present(const struct nic *nic);
int nic_configure(struct nic *nic);
int nic_link(struct nic *nic, bool up);
int nic_unbind(struct nic *nic);
int nic_bind(struct nic *nic);
int nic_remove(struct nic *nic);
int nic_rescan(struct nic *nic);
int nic_move(struct nic *nic, int ns);
int nic_go_home(struct nic *nic);
int nic_new_ns(const struct nic *nic);
int nic_bound(const struct nic *nic);

/**
 * struct watch - what must not become more
 * @pins: pages that are pinned for devices
 * @detached: page pools that wait for buffers
 */
struct watch {
	long long pins;
	unsigned int detached;
};

void watch_take(struct watch *w);
bool watch_settled(const struct watch *before, unsigned int ms, char *why, size_t size);
long long watch_free_kb(void);

/* How the user lives */
enum life_home {
	LIFE_HOME_INIT,		/* where the judge does */
	LIFE_HOME_NS,		/* in a network namespace of its own */
	LIFE_HOME_USERNS,	/* and that in a user namespace of its own */
	LIFE_HOMES
};

/* What the judge tells the user */
enum user_cmd {
	USER_BEGIN,		/* bind, connect, and hold something of each kind */
	USER_RUN,		/* bind, and receive until told something else */
	USER_STOP,		/* of USER_RUN */
	USER_GIVE,		/* entries go back */
	USER_READ,		/* what sockets have is read by recv(2) */
	USER_SHUT,		/* sockets are closed */
	USER_CANCEL,		/* requests are cancelled */
	USER_RING,		/* the ring is closed */
	USER_UNMAP,		/* the rings of the ifq are unmapped */
	USER_REGION,		/* the region is unmapped */
	USER_UNREG,		/* the registered buffer is unregistered */
	USER_FORK,		/* a second process, which has it all */
	USER_SEND,		/* the ring's descriptor, to the judge */
	USER_LEAVE,		/* its network namespace, for the judge's */
	USER_EXEC,		/* another program */
	USER_EXEC_KEEP,		/* likewise, with the ring's descriptor inherited */
	USER_EXIT,
	USER_CHECK,		/* what it holds is what it was */
};

/**
 * struct user_shared - what the user tells all the time
 * @bytes: received, and compared
 * @zc: of these not copied
 * @waited_ms: how long its locked memory had to wait for that of an earlier user
 * @failed: @why is there
 * @why: what went wrong, in words
 */
struct user_shared {
	uint64_t bytes;
	uint64_t zc;
	uint32_t waited_ms;
	uint32_t failed;
	char why[256];
};

/**
 * struct user - the judge's view of the user
 * @pid: the process, 0 for none
 * @ctl: socket to it
 * @s: shared memory
 */
struct user {
	pid_t pid;
	int ctl;
	struct user_shared *s;
};

int user_start(struct user *u, struct nic *nic, enum life_home home, unsigned int regions,
	       unsigned int slow);
int user_tell(struct user *u, enum user_cmd cmd);
int user_hear(struct user *u, int *value);
int user_do(struct user *u, enum user_cmd cmd);
const char *user_why(const struct user *u, int err);
void user_kill(struct user *u);
void user_reap(struct user *u);

uint64_t life_now_ms(void);
void life_nap_us(unsigned int us);

#endif
