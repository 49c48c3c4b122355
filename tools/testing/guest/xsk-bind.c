// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * xsk-bind IFACE QUEUE copy|zerocopy [SECONDS] - bind an AF_XDP socket to a queue, for half a second.
 * No program is attached, so no frame comes to it.
 */
#include <errno.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/if_xdp.h>

#define FRAMES		64u
#define FRAME_SIZE	4096u
#define HOLD_US		500000

static int fail(const char *what)
{
	fprintf(stderr, "xsk-bind: %s: %s\n", what, strerror(errno));
	return -1;
}

static int set(int fd, int option, const void *value, socklen_t len)
{
	return setsockopt(fd, SOL_XDP, option, value, len) ? fail("setsockopt") : 0;
}

/* A socket with memory and rings, which nobody will look into */
static int make_socket(void *memory)
{
	const struct xdp_umem_reg umem = {
		.addr = (uintptr_t)memory,
		.len = (uint64_t)FRAMES * FRAME_SIZE,
		.chunk_size = FRAME_SIZE,
	};
	const int entries = FRAMES;
	int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return fail("socket");
	if (set(fd, XDP_UMEM_REG, &umem, sizeof(umem)) ||
	    set(fd, XDP_UMEM_FILL_RING, &entries, sizeof(entries)) ||
	    set(fd, XDP_UMEM_COMPLETION_RING, &entries, sizeof(entries)) ||
	    set(fd, XDP_RX_RING, &entries, sizeof(entries))) {
		close(fd);
		return -1;
	}
	return fd;
}

int main(int argc, char **argv)
{
	struct sockaddr_xdp addr = { .sxdp_family = AF_XDP };
	void *memory;
	int fd;

	if (argc < 4 || argc > 5 || !(addr.sxdp_ifindex = if_nametoindex(argv[1])) ||
	    (strcmp(argv[3], "copy") && strcmp(argv[3], "zerocopy"))) {
		fprintf(stderr, "usage: xsk-bind IFACE QUEUE copy|zerocopy [SECONDS]\n");
		return 2;
	}
	addr.sxdp_queue_id = (uint32_t)strtoul(argv[2], NULL, 10);
	addr.sxdp_flags = strcmp(argv[3], "copy") ? XDP_ZEROCOPY : XDP_COPY;
	memory = mmap(NULL, (size_t)FRAMES * FRAME_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return fail("mmap"), 1;
	fd = make_socket(memory);
	if (fd < 0)
		return 1;
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return fail("bind"), 1;
	if (argc == 5)
		sleep((unsigned int)strtoul(argv[4], NULL, 10));
	else
		usleep(HOLD_US);
	return 0;
}
