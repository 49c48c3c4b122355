// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <linux/sockios.h>

#include "../../bnxt-emu/sigbus.h"
#include "fence.h"
#include "server.h"

#define MAX_STEPS 200
#define MAX_ROUNDS 4000
#define FDS_SEEN 96

/*
 * The emulator
 */

static void on_msix(void *host, unsigned int vector)
{
	pci_msix_raise(((struct server *)host)->pci, vector);
}

static const struct nic_host_ops core_ops = { .msix = on_msix, .wire_tx = read_wire_tx };

static uint64_t function_bar_read(void *host, enum nic_bar bar, uint64_t off, unsigned int size)
{
	return nic_mmio_read(((struct server *)host)->nic, bar, off, size);
}

static void function_bar_write(void *host, enum nic_bar bar, uint64_t off, unsigned int size,
			       uint64_t val)
{
	nic_mmio_write(((struct server *)host)->nic, bar, off, size, val);
}

static bool function_msi(void *host, uint64_t addr, uint32_t data)
{
	struct server *s = host;

	return s->transport->class->msi(s->transport, addr, data);
}

static bool function_vector(void *host, unsigned int vector)
{
	struct server *s = host;

	return s->transport->class->vector(s->transport, vector);
}

static void function_reset(void *host)
{
	nic_reset(((struct server *)host)->nic);
}

static void function_bus_master(void *host, bool on)
{
	nic_bus_master(((struct server *)host)->nic, on);
}

static const struct pci_ops function_ops = {
	.bar_read = function_bar_read,
	.bar_write = function_bar_write,
	.msi = function_msi,
	.reset = function_reset,
	.bus_master = function_bus_master,
	.vector = function_vector,
};

static struct dma_map *guest_dma(void *host)
{
	return nic_dma(((struct server *)host)->nic);
}

static void guest_detached(void *host)
{
	nic_power_cycle(((struct server *)host)->nic);
}

static void guest_closed(void *host, const char *reason)
{
	CHECK(!reason || *reason, "a connection ends for no reason");
	loop_stop(((struct server *)host)->loop, 0);
}

static const struct transport_ops guest_ops = {
	.dma = guest_dma,
	.detached = guest_detached,
	.closed = guest_closed,
};

/*
 * The event loop
 */

static void drain(int fd)
{
	char buf[512];

	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
}

static bool hook_poll(void *arg)
{
	struct server *s = arg;
	int unread = 0;

	fence_step();
	drain(s->sock);
	if (++s->rounds > MAX_ROUNDS)
		loop_stop(s->loop, 0);
	else if (!ioctl(s->sock, SIOCOUTQ, &unread) && unread)
		; /* the emulator has not read it all */
	else if (s->in->left && s->steps++ < MAX_STEPS)
		s->kind->step(s);
	else
		loop_stop(s->loop, 0);
	s->transport->class->poll(s->transport);
	return true;
}

static void hook_flush(void *arg)
{
	struct server *s = arg;

	nic_flush(s->nic);
	s->transport->class->flush(s->transport);
}

static uint64_t hook_timers(void *arg, uint64_t now)
{
	struct server *s = arg;

	(void)now;
	return nic_run_timers(s->nic, s->now);
}

static bool hook_sleep(void *arg, bool sleeping)
{
	struct server *s = arg;

	return s->transport->class->sleep(s->transport, sleeping);
}

static const struct loop_hooks hooks = {
	.poll = hook_poll,
	.flush = hook_flush,
	.timers = hook_timers,
	.sleep = hook_sleep,
};

/*
 * Beginning and end of a run
 */

static unsigned int open_fds(void)
{
	unsigned int n = 0;

	for (int fd = 0; fd < FDS_SEEN; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* What stays from run to run: three files */
static void open_files(struct server *s)
{
	static int mem = -1, small = -1, null = -1;
	static uint8_t *map;

	if (mem < 0) {
		mem = memfd_create("fuzz", MFD_CLOEXEC);
		small = memfd_create("fuzz-small", MFD_CLOEXEC);
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
		CHECK(mem >= 0 && small >= 0 && null >= 0 && !ftruncate(mem, SERVER_MEM_SIZE) &&
			      !ftruncate(small, 4096),
		      "no memory for the guest");
		map = mmap(NULL, SERVER_MEM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, mem, 0);
		CHECK(map != MAP_FAILED, "no memory for the guest");
	}
	CHECK(!ftruncate(mem, SERVER_MEM_SIZE) && sigbus_init(), "no memory for the guest");
	sigbus_hit();
	s->mem = memset(map, 0, SERVER_MEM_SIZE);
	s->memfd = mem;
	s->small = small;
	s->null = null;
}

/**
 * server_begin - a run begins
 * @s: set; the guest's memory is there and zero
 * @kind: which server
 * @in: input
 */
void server_begin(struct server *s, const struct server_kind *kind, struct input *in)
{
	*s = (struct server){ .kind = kind, .in = in };
	open_files(s);
	s->fds = open_fds();
}

/**
 * server_connect - make the emulator as the input wants it, and connect to it
 * @s: server
 */
void server_connect(struct server *s)
{
	struct pci_identity id = { .serial = 1 };
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct nic_config cfg;

	in_config(s->in, &cfg);
	id.vectors = nic_vectors(&cfg);
	snprintf(s->path, sizeof(s->path), "/tmp/fuzz-%s.%d", s->kind->name, getpid());
	s->loop = loop_new(&hooks, s, 0);
	s->nic = nic_new(&cfg, &core_ops, s);
	fence_begin(nic_dma(s->nic), NULL, NULL);
	s->pci = pci_new(&id, &function_ops, s);
	s->transport = s->kind->listen(s, &guest_ops);
	CHECK(s->transport, "cannot listen: is a socket of a dead process in the way?");
	strcpy(sa.sun_path, s->path);
	s->sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(s->sock >= 0 && !connect(s->sock, (struct sockaddr *)&sa, sizeof(sa)),
	      "cannot connect");
}

/**
 * server_run - run until the input or the connection ends
 * @s: server
 */
void server_run(struct server *s)
{
	loop_run(s->loop);
	CHECK(pci_cfg_read(s->pci, 0, 4) == 0x175114e4, "the device forgot what it is");
	check_core(s->nic);
	s->transport->class->free(s->transport);
	CHECK(!nic_dma(s->nic)->n, "memory of a guest that is gone is mapped still");
	CHECK(access(s->path, F_OK), "the socket's name is left");
	check_core(s->nic);
	fence_end();
	pci_free(s->pci);
	nic_free(s->nic);
	loop_free(s->loop);
	close(s->sock);
}

/**
 * server_end - a run ends: nothing is left of it
 * @s: server; what the target opened since server_begin() is closed
 */
void server_end(struct server *s)
{
	CHECK(open_fds() == s->fds, "file descriptors are left open");
}

/*
 * What both say
 */

/**
 * server_send - say something
 * @s: server
 * @data: bytes
 * @len: how many
 * @fds: descriptors that come with them
 * @n: how many, at most SERVER_MAX_FDS
 *
 * With a full socket, or one that is closed, it is as if it had not been said.
 */
void server_send(struct server *s, const void *data, size_t len, const int *fds, unsigned int n)
{
	struct iovec iov = { .iov_base = (void *)data, .iov_len = len };
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(SERVER_MAX_FDS * sizeof(int))];
	} control = { 0 };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (n) {
		struct cmsghdr *c = &control.align;

		mh.msg_control = &control;
		mh.msg_controllen = CMSG_SPACE(n * sizeof(int));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	}
	sendmsg(s->sock, &mh, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/**
 * server_frame - a frame comes over the wire: to the device's address, the rest is the input's
 * @s: server
 */
void server_frame(struct server *s)
{
	struct virtio_net_hdr_v1 hdr = { 0 };
	uint8_t frame[256] = { 2, 0, 0, 0, 0, 1 };

	in_bytes(s->in, frame + 6, in8(s->in) % 128);
	nic_wire_rx(s->nic, &hdr, frame, sizeof(frame));
}

/**
 * server_cut - the file that is the guest's memory becomes shorter
 * @s: server; its input ends here: there is no memory any more for another step
 */
void server_cut(struct server *s)
{
	CHECK(!ftruncate(s->memfd, in8(s->in) % (SERVER_MEM_SIZE / 4096) * 4096),
	      "cannot truncate");
	s->in->left = 0;
}
