// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * devmem-bind IFACE QUEUE - bind a receive queue to a dma-buf, as devmem TCP does (Linux 6.12,
 * Documentation/networking/devmem.rst), until it is killed. The dma-buf is plain memory, of udmabuf.
 * Prints "bound".
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <linux/udmabuf.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "nl.h"

/* More than the NIC's ring takes */
#define MEMORY	(64UL << 20)

/* Documentation/netlink/specs/netdev.yaml, of Linux 6.12 and later */
enum { NETDEV_CMD_BIND_RX = 13 };
enum { NETDEV_A_DMABUF_IFINDEX = 1, NETDEV_A_DMABUF_QUEUES, NETDEV_A_DMABUF_FD };
enum { NETDEV_A_QUEUE_ID = 1, NETDEV_A_QUEUE_TYPE = 3 };
enum { NETDEV_QUEUE_TYPE_RX = 0 };

static int fail(const char *what)
{
	fprintf(stderr, "devmem-bind: %s: %s\n", what, strerror(errno));
	return -1;
}

/* Return: a dma-buf, -1 after telling why there is none */
static int make_dmabuf(void)
{
	struct udmabuf_create create = { .flags = UDMABUF_FLAGS_CLOEXEC, .size = MEMORY };
	int device = open("/dev/udmabuf", O_RDWR | O_CLOEXEC), memory, fd = -1;

	if (device < 0)
		return fail("/dev/udmabuf");
	memory = memfd_create("devmem", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	if (memory < 0 || ftruncate(memory, (off_t)MEMORY) ||
	    fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK)) {
		fail("memory");
	} else {
		create.memfd = (__u32)memory;
		fd = ioctl(device, UDMABUF_CREATE, &create);
		if (fd < 0)
			fail("UDMABUF_CREATE");
	}
	/* the dma-buf holds its memory itself */
	if (memory >= 0)
		close(memory);
	close(device);
	return fd;
}

static void put_queue(struct nl_message *m, uint32_t queue)
{
	const uint32_t type = NETDEV_QUEUE_TYPE_RX;
	struct nl_message nested;

	/* attributes of their own message, of which the header is left out */
	nl_start(&nested, 0, 0, NULL, 0);
	nl_put(&nested, NETDEV_A_QUEUE_ID, &queue, sizeof(queue));
	nl_put(&nested, NETDEV_A_QUEUE_TYPE, &type, sizeof(type));
	nl_put(m, NETDEV_A_DMABUF_QUEUES | NLA_F_NESTED, nested.body, nested.nlh.nlmsg_len - NLMSG_HDRLEN);
}

/* The answer is a number that is of no use: the binding lasts as long as the socket */
static int bind_queue(struct nl *nl, uint32_t ifindex, uint32_t queue, int dmabuf)
{
	const uint32_t fd = (uint32_t)dmabuf;
	struct nl_message m;
	uint16_t family;
	int err = nl_family(nl, "netdev", NULL, &family, NULL);

	if (!err) {
		nl_start_genl(&m, family, NETDEV_CMD_BIND_RX, 0);
		nl_put(&m, NETDEV_A_DMABUF_IFINDEX, &ifindex, sizeof(ifindex));
		put_queue(&m, queue);
		nl_put(&m, NETDEV_A_DMABUF_FD, &fd, sizeof(fd));
		err = nl_request(nl, &m, NULL, NULL);
	}
	if (err)
		fprintf(stderr, "devmem-bind: %s: %s\n", strerror(-err), nl->reason);
	return err;
}

int main(int argc, char **argv)
{
	struct nl nl;
	uint32_t ifindex;
	int dmabuf;

	if (argc != 3 || !(ifindex = if_nametoindex(argv[1]))) {
		fprintf(stderr, "usage: devmem-bind IFACE QUEUE\n");
		return 2;
	}
	dmabuf = make_dmabuf();
	if (dmabuf < 0)
		return 1;
	if (nl_open(&nl, NETLINK_GENERIC))
		return fail("netlink"), 1;
	if (bind_queue(&nl, ifindex, (uint32_t)strtoul(argv[2], NULL, 10), dmabuf))
		return 1;
	puts("bound");
	fflush(stdout);
	pause();
	return 0;
}
