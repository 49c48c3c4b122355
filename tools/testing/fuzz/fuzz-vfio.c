// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target "vfio": the emulator without its TAP, from the vfio-user socket down
 * to the device core. The input plays the client and its guest: messages and their
 * file descriptors, DMA windows, interrupts, register accesses, firmware commands.
 *
 * One process, one thread, as fuzz-vhost.c: a step runs before each round of the event
 * loop, and the next one when the socket has been read empty.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <linux/pci_regs.h>
#include <linux/sockios.h>
#include <linux/vfio.h>

#include "../../bnxt-emu/sigbus.h"
#include "../../bnxt-emu/vfio_user.h"
#include "fence.h"
#include "fuzz.h"

#define MAX_STEPS 200
#define MAX_ROUNDS 4000
#define MEM_SIZE 0x40000u
#define REQUEST_AT 0x1000u /* firmware request and response in the guest's memory */
#define RESPONSE_AT 0x2000u
#define MAX_FDS 20
#define FDS_SEEN 96
#define CFG_MSIX_FLAGS 0xa2u

/* Commands and flags of the protocol (QEMU docs/interop/vfio-user.rst) */
enum {
	VERSION = 1, DMA_MAP, DMA_UNMAP, GET_INFO, REGION_INFO, REGION_IO_FDS, IRQ_INFO, SET_IRQS,
	REGION_READ, REGION_WRITE, DMA_READ, DMA_WRITE, RESET, DIRTY_PAGES, WRITE_MULTI,
};

#define NO_REPLY 0x10u

enum fd_kind { FD_MEM, FD_SMALL, FD_NULL, FD_EVENT0, FD_EVENT1, FD_PIPE, FD_SOCK, FD_KINDS };

struct vfio_fuzz {
	struct input *in;
	struct loop *loop;
	struct nic *nic;
	struct pci *pci;
	struct transport *transport;
	int sock; /* the client's */
	int fd[FD_KINDS];
	int pipe_in;
	uint8_t *mem;
	uint16_t id;
	unsigned int steps, rounds;
	uint64_t now;
};

/*
 * The emulator
 */

static void on_msix(void *host, unsigned int vector)
{
	pci_msix_raise(((struct vfio_fuzz *)host)->pci, vector);
}

static void on_tx(void *host, const struct virtio_net_hdr_v1 *hdr, const struct iovec *iov, int n)
{
	volatile uint8_t last;

	(void)host;
	(void)hdr;
	for (int i = 0; i < n; i++)
		if (iov[i].iov_len)
			last = ((uint8_t *)iov[i].iov_base)[iov[i].iov_len - 1];
	(void)last;
}

static uint64_t function_bar_read(void *host, enum nic_bar bar, uint64_t off, unsigned int size)
{
	return nic_mmio_read(((struct vfio_fuzz *)host)->nic, bar, off, size);
}

static void function_bar_write(void *host, enum nic_bar bar, uint64_t off, unsigned int size,
			       uint64_t val)
{
	nic_mmio_write(((struct vfio_fuzz *)host)->nic, bar, off, size, val);
}

static bool function_vector(void *host, unsigned int vector)
{
	struct vfio_fuzz *f = host;

	return f->transport->class->vector(f->transport, vector);
}

static void function_reset(void *host)
{
	nic_reset(((struct vfio_fuzz *)host)->nic);
}

static void function_bus_master(void *host, bool on)
{
	nic_bus_master(((struct vfio_fuzz *)host)->nic, on);
}

static const struct pci_ops function_ops = {
	.bar_read = function_bar_read,
	.bar_write = function_bar_write,
	.reset = function_reset,
	.bus_master = function_bus_master,
	.vector = function_vector,
};

static struct dma_map *guest_dma(void *host)
{
	return nic_dma(((struct vfio_fuzz *)host)->nic);
}

static void guest_detached(void *host)
{
	nic_reset(((struct vfio_fuzz *)host)->nic);
}

static void guest_closed(void *host, const char *reason)
{
	CHECK(!reason || *reason, "a connection ends for no reason");
	loop_stop(((struct vfio_fuzz *)host)->loop, 0);
}

static const struct transport_ops guest_ops = {
	.dma = guest_dma,
	.detached = guest_detached,
	.closed = guest_closed,
};

/*
 * The client
 */

static void send_fds(struct vfio_fuzz *f, const void *data, size_t len, const int *fds,
		     unsigned int n)
{
	struct iovec iov = { .iov_base = (void *)data, .iov_len = len };
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(MAX_FDS * sizeof(int))];
	} control;
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (n) {
		struct cmsghdr *c = &control.align;

		memset(&control, 0, sizeof(control));
		mh.msg_control = &control;
		mh.msg_controllen = CMSG_SPACE(n * sizeof(int));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	}
	/* an emulator that has hung up is none of this target's business */
	if (sendmsg(f->sock, &mh, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return;
}

static void post(struct vfio_fuzz *f, uint16_t command, uint32_t flags, const void *payload,
		 size_t len, const int *fds, unsigned int n)
{
	uint8_t msg[16 + 512];
	uint32_t head[4] = { f->id++ | (uint32_t)command << 16, 16 + len, flags, 0 };

	memcpy(msg, head, 16);
	if (len)
		memcpy(msg + 16, payload, len);
	send_fds(f, msg, 16 + len, fds, n);
}

/* Some descriptors, of any kind */
static unsigned int pick_fds(struct vfio_fuzz *f, int fds[MAX_FDS])
{
	unsigned int n = in8(f->in) % (MAX_FDS + 1);
	uint8_t kind = n ? in8(f->in) : 0;

	for (unsigned int i = 0; i < n; i++)
		fds[i] = f->fd[kind & 0x80 ? in8(f->in) % FD_KINDS : kind % FD_KINDS];
	return n;
}

/* Flags: most want no reply, since nobody reads it */
static uint32_t in_flags(struct vfio_fuzz *f)
{
	uint8_t how = in8(f->in);

	return how < 16 ? in32(f->in) : how & 1 ? 0 : NO_REPLY;
}

static void post_write(struct vfio_fuzz *f, uint32_t region, uint64_t off, const void *data,
		       uint32_t count)
{
	uint8_t p[16 + 256];

	memcpy(p, &off, 8);
	memcpy(p + 8, &region, 4);
	memcpy(p + 12, &count, 4);
	memcpy(p + 16, data, count);
	post(f, REGION_WRITE, NO_REPLY, p, 16 + count, NULL, 0);
}

static void post_map(struct vfio_fuzz *f, uint32_t flags, uint64_t offset, uint64_t iova,
		     uint64_t size, const int *fds, unsigned int n)
{
	struct {
		uint32_t argsz, flags;
		uint64_t offset, iova, size;
	} p = { sizeof(p), flags, offset, iova, size };

	post(f, DMA_MAP, NO_REPLY, &p, sizeof(p), fds, n);
}

static void post_irqs(struct vfio_fuzz *f, uint32_t flags, uint32_t index, uint32_t start,
		      uint32_t count, const int *fds, unsigned int n)
{
	struct vfio_irq_set p = { sizeof(p), flags, index, start, count };

	post(f, SET_IRQS, NO_REPLY, &p, sizeof(p), fds, n);
}

/*
 * Steps
 */

/* A client that does all right, and a driver that switches the function on */
static void step_attach(struct vfio_fuzz *f)
{
	static const char json[] = "\0\0\0\0{\"capabilities\":{\"write_multiple\":true}}";
	const uint16_t command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	const uint16_t msix = PCI_MSIX_FLAGS_ENABLE;
	int events[8];

	for (int i = 0; i < 8; i++)
		events[i] = f->fd[FD_EVENT0 + (i & 1)];
	post(f, VERSION, NO_REPLY, json, sizeof(json), NULL, 0);
	post_map(f, 3, 0, 0, MEM_SIZE, &f->fd[FD_MEM], 1);
	post_irqs(f, VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
		  VFIO_PCI_MSIX_IRQ_INDEX, 0, 2, events, 2);
	post_write(f, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND, &command, 2);
	post_write(f, VFIO_PCI_CONFIG_REGION_INDEX, CFG_MSIX_FLAGS, &msix, 2);
}

/* A firmware request in the guest's memory, by the short command (hwrm_short_input) */
static void step_hwrm(struct vfio_fuzz *f)
{
	uint8_t len = 16 + in8(f->in) % 112;
	uint8_t brief[16] = { 0, 0, 0x21, 0x43, 0, 0, len, 0, 0, REQUEST_AT >> 8 };
	uint32_t one = 1;
	uint8_t *req = f->mem + REQUEST_AT;

	in_bytes(f->in, req, 2);
	memset(req + 2, 0xff, 6);
	memset(req + 8, 0, 8);
	req[9] = RESPONSE_AT >> 8;
	in_bytes(f->in, req + 16, len - 16);
	memcpy(brief, req, 2);
	post_write(f, 0, 0, brief, sizeof(brief));
	post_write(f, 0, 0x100, &one, 4);
}

static void step_doorbell(struct vfio_fuzz *f)
{
	uint64_t v = in_le(f->in, 8);

	post_write(f, 2, 0x10000, &v, 8);
}

static void step_access(struct vfio_fuzz *f)
{
	uint8_t how = in8(f->in), data[256];
	uint64_t off = how & 0x80 ? in_le(f->in, 8) : in32(f->in) % 0x20000;
	uint32_t region = how % 10, count = in8(f->in);
	uint8_t p[16];

	if (how & 0x40) {
		in_bytes(f->in, data, count);
		post_write(f, region, off, data, count);
		return;
	}
	memcpy(p, &off, 8);
	memcpy(p + 8, &region, 4);
	memcpy(p + 12, &count, 4);
	post(f, REGION_READ, in_flags(f), p, sizeof(p), NULL, 0);
}

static void step_map(struct vfio_fuzz *f)
{
	uint8_t how = in8(f->in);
	uint64_t at = in8(f->in) % 64 * 4096, size = in8(f->in) % 16 * 4096;
	int fds[MAX_FDS] = { f->fd[FD_MEM] };
	unsigned int n = how & 1 ? pick_fds(f, fds) : 1;

	post_map(f, how & 2 ? in32(f->in) : 3, how & 4 ? in_le(f->in, 8) : at,
		 how & 8 ? in_le(f->in, 8) : MEM_SIZE + at, how & 16 ? in_le(f->in, 8) : size, fds, n);
}

static void step_unmap(struct vfio_fuzz *f)
{
	uint8_t how = in8(f->in);
	struct {
		uint32_t argsz, flags;
		uint64_t iova, size;
	} p = { sizeof(p), how & 1 ? in32(f->in) : 0, MEM_SIZE + in8(f->in) % 64 * 4096,
		in8(f->in) % 16 * 4096 };

	if (how & 2)
		p.iova = 0, p.size = MEM_SIZE;
	else if (how & 4)
		p.iova = p.size = 0, p.flags = VFIO_DMA_UNMAP_FLAG_ALL;
	post(f, DMA_UNMAP, NO_REPLY, &p, sizeof(p), NULL, 0);
}

static void step_irqs(struct vfio_fuzz *f)
{
	uint8_t how = in8(f->in), bytes[24];
	struct vfio_irq_set set = { .argsz = sizeof(set) };
	uint8_t p[sizeof(set) + sizeof(bytes)];
	int fds[MAX_FDS];
	unsigned int n = pick_fds(f, fds);

	set.flags = how & 1 ? in32(f->in) : 1u << (how >> 1) % 3 | 8u << (how >> 3) % 3;
	set.index = how & 0x20 ? in32(f->in) : VFIO_PCI_MSIX_IRQ_INDEX;
	set.start = how & 0x40 ? in32(f->in) : in8(f->in) % 8;
	set.count = how & 0x80 ? in32(f->in) : n;
	in_bytes(f->in, bytes, sizeof(bytes));
	memcpy(p, &set, sizeof(set));
	memcpy(p + sizeof(set), bytes, sizeof(bytes));
	post(f, SET_IRQS, in_flags(f), p, sizeof(set) + in8(f->in) % sizeof(bytes), fds, n);
}

static void step_multi(struct vfio_fuzz *f)
{
	unsigned int n = in8(f->in) % 8;
	uint64_t p[1 + 3 * 8] = { in8(f->in) & 1 ? in_le(f->in, 8) : n };

	for (unsigned int i = 0; i < n; i++) {
		p[1 + 3 * i] = in16(f->in);
		p[2 + 3 * i] = (uint64_t)(in8(f->in) % 16) << 32 | in8(f->in) % 10;
		p[3 + 3 * i] = in_le(f->in, 8);
	}
	post(f, WRITE_MULTI, in_flags(f), p, 8 + n * 24, NULL, 0);
}

/* Any message: its length may be a lie */
static void step_message(struct vfio_fuzz *f)
{
	uint8_t len = in8(f->in), how = in8(f->in), msg[16 + 256];
	uint32_t head[4] = { in16(f->in) | (uint32_t)(how & 1 ? in16(f->in) : in8(f->in) % 18) << 16,
			     how & 2 ? in32(f->in) : 16u + len, in_flags(f), 0 };
	int fds[MAX_FDS];
	unsigned int n = how & 4 ? pick_fds(f, fds) : 0;

	memcpy(msg, head, 16);
	in_bytes(f->in, msg + 16, len);
	send_fds(f, msg, 16 + len, fds, n);
}

/* Some bytes, whatever they are part of */
static void step_bytes(struct vfio_fuzz *f)
{
	uint8_t len = in8(f->in), data[256];
	int fds[MAX_FDS];
	unsigned int n = pick_fds(f, fds);

	in_bytes(f->in, data, len);
	if (len)
		send_fds(f, data, len, fds, n);
}

static void step_memory(struct vfio_fuzz *f)
{
	uint32_t at = in32(f->in) % MEM_SIZE;
	uint8_t len = in8(f->in);

	in_bytes(f->in, f->mem + at, len < MEM_SIZE - at ? len : MEM_SIZE - at);
}

static void step_frame(struct vfio_fuzz *f)
{
	struct virtio_net_hdr_v1 hdr = { 0 };
	uint8_t frame[256] = { 2, 0, 0, 0, 0, 1 };

	in_bytes(f->in, frame + 6, in8(f->in) % 128);
	nic_wire_rx(f->nic, &hdr, frame, sizeof(frame));
}

static void step_interrupt(struct vfio_fuzz *f)
{
	pci_msix_raise(f->pci, in8(f->in));
}

static void step_reset(struct vfio_fuzz *f)
{
	post(f, RESET, in_flags(f), NULL, 0, NULL, 0);
}

static void step_time(struct vfio_fuzz *f)
{
	f->now += in_le(f->in, 5);
}

static void step_hang_up(struct vfio_fuzz *f)
{
	shutdown(f->sock, in8(f->in) & 1 ? SHUT_WR : SHUT_RDWR);
}

/* The last thing that the guest does: it has no memory any more for another */
static void step_cut(struct vfio_fuzz *f)
{
	uint32_t one = 1;

	CHECK(!ftruncate(f->fd[FD_MEM], in8(f->in) % (MEM_SIZE / 4096) * 4096), "cannot truncate");
	f->in->left = 0;
	post_write(f, 0, 0x100, &one, 4);
}

static void (*const steps[])(struct vfio_fuzz *f) = {
	step_attach, step_hwrm,	   step_hwrm,  step_doorbell, step_access, step_access,
	step_map,    step_unmap,   step_irqs,  step_multi,    step_message, step_bytes,
	step_memory, step_frame,   step_interrupt, step_reset, step_time,  step_hang_up,
	step_cut,
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
	struct vfio_fuzz *f = arg;
	int unread = 0;

	fence_step();
	drain(f->sock);
	if (++f->rounds > MAX_ROUNDS) {
		loop_stop(f->loop, 0);
	} else if (!ioctl(f->sock, SIOCOUTQ, &unread) && unread) {
		/* the emulator has not read it all */
	} else if (f->in->left && f->steps++ < MAX_STEPS) {
		steps[in8(f->in) % (sizeof(steps) / sizeof(steps[0]))](f);
	} else {
		loop_stop(f->loop, 0);
	}
	f->transport->class->poll(f->transport);
	return true;
}

static void hook_flush(void *arg)
{
	struct vfio_fuzz *f = arg;

	nic_flush(f->nic);
	f->transport->class->flush(f->transport);
}

static uint64_t hook_timers(void *arg, uint64_t now)
{
	struct vfio_fuzz *f = arg;

	(void)now;
	return nic_run_timers(f->nic, f->now);
}

static bool hook_sleep(void *arg, bool sleeping)
{
	struct vfio_fuzz *f = arg;

	return f->transport->class->sleep(f->transport, sleeping);
}

static const struct loop_hooks hooks = {
	.poll = hook_poll,
	.flush = hook_flush,
	.timers = hook_timers,
	.sleep = hook_sleep,
};

static unsigned int open_fds(void)
{
	unsigned int n = 0;

	for (int fd = 0; fd < FDS_SEEN; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static int connect_to(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(sa.sun_path, path);
	CHECK(fd >= 0 && !connect(fd, (struct sockaddr *)&sa, sizeof(sa)), "cannot connect");
	return fd;
}

/* What stays from run to run: three files */
static void open_files(struct vfio_fuzz *f)
{
	static int mem = -1, small = -1, null = -1;
	static uint8_t *map;

	if (mem < 0) {
		mem = memfd_create("fuzz", MFD_CLOEXEC);
		small = memfd_create("fuzz-small", MFD_CLOEXEC);
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
		CHECK(mem >= 0 && small >= 0 && null >= 0 && !ftruncate(mem, MEM_SIZE) &&
			      !ftruncate(small, 4096),
		      "no memory for the guest");
		map = mmap(NULL, MEM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, mem, 0);
		CHECK(map != MAP_FAILED, "no memory for the guest");
	}
	CHECK(!ftruncate(mem, MEM_SIZE) && sigbus_init(), "no memory for the guest");
	sigbus_hit();
	memset(map, 0, MEM_SIZE);
	f->mem = map;
	f->fd[FD_MEM] = mem;
	f->fd[FD_SMALL] = small;
	f->fd[FD_NULL] = null;
}

static void open_events(struct vfio_fuzz *f)
{
	int p[2];

	f->fd[FD_EVENT0] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	f->fd[FD_EVENT1] = eventfd(~1u, EFD_CLOEXEC | EFD_NONBLOCK);
	CHECK(f->fd[FD_EVENT0] >= 0 && f->fd[FD_EVENT1] >= 0 && !pipe2(p, O_CLOEXEC | O_NONBLOCK),
	      "no file descriptors");
	f->pipe_in = p[0];
	f->fd[FD_PIPE] = p[1];
}

static void close_events(struct vfio_fuzz *f)
{
	close(f->fd[FD_EVENT0]);
	close(f->fd[FD_EVENT1]);
	close(f->fd[FD_PIPE]);
	close(f->pipe_in);
	close(f->sock);
}

/**
 * fuzz_vfio - run one input
 * @in: input
 */
void fuzz_vfio(struct input *in)
{
	static const struct nic_host_ops core_ops = { .msix = on_msix, .wire_tx = on_tx };
	struct vfio_fuzz f = { .in = in };
	struct pci_identity id = { .serial = 1 };
	struct nic_config cfg;
	unsigned int fds;
	char path[64];

	open_files(&f);
	fds = open_fds();
	open_events(&f);
	in_config(in, &cfg);
	id.vectors = nic_vectors(&cfg);
	snprintf(path, sizeof(path), "/tmp/fuzz-vfio.%d", getpid());
	f.loop = loop_new(&hooks, &f, 0);
	f.nic = nic_new(&cfg, &core_ops, &f);
	fence_begin(nic_dma(f.nic), NULL, NULL);
	f.pci = pci_new(&id, &function_ops, &f);
	f.transport = vfio_user_new(f.loop, path, false, f.pci, &guest_ops, &f);
	CHECK(f.transport, "cannot listen: is a socket of a dead process in the way?");
	f.sock = f.fd[FD_SOCK] = connect_to(path);

	loop_run(f.loop);

	CHECK(pci_cfg_read(f.pci, 0, 4) == 0x175114e4, "the device forgot what it is");
	check_core(f.nic);
	f.transport->class->free(f.transport);
	CHECK(!nic_dma(f.nic)->n, "memory of a guest that is gone is mapped still");
	CHECK(access(path, F_OK), "the socket's name is left");
	check_core(f.nic);
	fence_end();
	pci_free(f.pci);
	nic_free(f.nic);
	loop_free(f.loop);
	close_events(&f);
	CHECK(open_fds() == fds, "file descriptors are left open");
}
