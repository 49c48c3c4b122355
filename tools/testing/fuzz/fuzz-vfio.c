// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target "vfio": the emulator without its TAP, from the vfio-user socket down
 * to the device core. The input plays the client and its guest: messages and their
 * file descriptors, DMA windows, interrupts, register accesses, firmware commands.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>

#include "../../bnxt-emu/vfio_user.h"
#include "server.h"

#define REQUEST_AT 0x1000u /* firmware request and response in the guest's memory */
#define RESPONSE_AT 0x2000u
#define CFG_MSIX_FLAGS 0xa2u

/* Commands and flags of the protocol (QEMU docs/interop/vfio-user.rst) */
enum {
	VERSION = 1, DMA_MAP, DMA_UNMAP, GET_INFO, REGION_INFO, REGION_IO_FDS, IRQ_INFO, SET_IRQS,
	REGION_READ, REGION_WRITE, DMA_READ, DMA_WRITE, RESET, DIRTY_PAGES, WRITE_MULTI,
};

#define NO_REPLY 0x10u

enum fd_kind { FD_MEM, FD_SMALL, FD_NULL, FD_EVENT0, FD_EVENT1, FD_PIPE, FD_SOCK, FD_KINDS };

struct vfio_fuzz {
	struct server s;
	int fd[FD_KINDS];
	int pipe_in;
	uint16_t id;
};

/*
 * The client
 */

static void post(struct vfio_fuzz *f, uint16_t command, uint32_t flags, const void *payload,
		 size_t len, const int *fds, unsigned int n)
{
	uint8_t msg[16 + 512];
	uint32_t head[4] = { f->id++ | (uint32_t)command << 16, 16 + len, flags, 0 };

	memcpy(msg, head, 16);
	if (len)
		memcpy(msg + 16, payload, len);
	server_send(&f->s, msg, 16 + len, fds, n);
}

/* Some descriptors, of any kind */
static unsigned int pick_fds(struct vfio_fuzz *f, int fds[SERVER_MAX_FDS])
{
	unsigned int n = in8(f->s.in) % (SERVER_MAX_FDS + 1);
	uint8_t kind = n ? in8(f->s.in) : 0;

	for (unsigned int i = 0; i < n; i++)
		fds[i] = f->fd[kind & 0x80 ? in8(f->s.in) % FD_KINDS : kind % FD_KINDS];
	return n;
}

/* Flags: most want no reply, since nobody reads it */
static uint32_t in_flags(struct vfio_fuzz *f)
{
	uint8_t how = in8(f->s.in);

	return how < 16 ? in32(f->s.in) : how & 1 ? 0 : NO_REPLY;
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
	post_map(f, 3, 0, 0, SERVER_MEM_SIZE, &f->fd[FD_MEM], 1);
	post_irqs(f, VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
		  VFIO_PCI_MSIX_IRQ_INDEX, 0, 2, events, 2);
	post_write(f, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND, &command, 2);
	post_write(f, VFIO_PCI_CONFIG_REGION_INDEX, CFG_MSIX_FLAGS, &msix, 2);
}

/* A firmware request in the guest's memory, by the short command (hwrm_short_input) */
static void step_hwrm(struct vfio_fuzz *f)
{
	uint8_t len = 16 + in8(f->s.in) % 112;
	uint8_t brief[16] = { 0, 0, 0x21, 0x43, 0, 0, len, 0, 0, REQUEST_AT >> 8 };
	uint32_t one = 1;
	uint8_t *req = f->s.mem + REQUEST_AT;

	in_bytes(f->s.in, req, 2);
	memset(req + 2, 0xff, 6);
	memset(req + 8, 0, 8);
	req[9] = RESPONSE_AT >> 8;
	in_bytes(f->s.in, req + 16, len - 16);
	memcpy(brief, req, 2);
	post_write(f, 0, 0, brief, sizeof(brief));
	post_write(f, 0, 0x100, &one, 4);
}

static void step_doorbell(struct vfio_fuzz *f)
{
	uint64_t v = in_le(f->s.in, 8);

	post_write(f, 2, 0x10000, &v, 8);
}

static void step_access(struct vfio_fuzz *f)
{
	uint8_t how = in8(f->s.in), data[256];
	uint64_t off = how & 0x80 ? in_le(f->s.in, 8) : in32(f->s.in) % 0x20000;
	uint32_t region = how % 10, count = in8(f->s.in);
	uint8_t p[16];

	if (how & 0x40) {
		in_bytes(f->s.in, data, count);
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
	uint8_t how = in8(f->s.in);
	uint64_t at = in8(f->s.in) % 64 * 4096, size = in8(f->s.in) % 16 * 4096;
	int fds[SERVER_MAX_FDS] = { f->fd[FD_MEM] };
	unsigned int n = how & 1 ? pick_fds(f, fds) : 1;
	uint32_t flags = how & 2 ? in32(f->s.in) : 3;
	uint64_t offset = how & 4 ? in_le(f->s.in, 8) : at;
	uint64_t iova = how & 8 ? in_le(f->s.in, 8) : SERVER_MEM_SIZE + at;

	post_map(f, flags, offset, iova, how & 16 ? in_le(f->s.in, 8) : size, fds, n);
}

static void step_unmap(struct vfio_fuzz *f)
{
	uint8_t how = in8(f->s.in);
	struct {
		uint32_t argsz, flags;
		uint64_t iova, size;
	} p = { .argsz = sizeof(p) };

	p.flags = how & 1 ? in32(f->s.in) : 0;
	p.iova = SERVER_MEM_SIZE + in8(f->s.in) % 64 * 4096;
	p.size = in8(f->s.in) % 16 * 4096;
	if (how & 2)
		p.iova = 0, p.size = SERVER_MEM_SIZE;
	else if (how & 4)
		p.iova = p.size = 0, p.flags = VFIO_DMA_UNMAP_FLAG_ALL;
	post(f, DMA_UNMAP, NO_REPLY, &p, sizeof(p), NULL, 0);
}

static void step_irqs(struct vfio_fuzz *f)
{
	uint8_t how = in8(f->s.in), bytes[24];
	struct vfio_irq_set set = { .argsz = sizeof(set) };
	uint8_t p[sizeof(set) + sizeof(bytes)];
	int fds[SERVER_MAX_FDS];
	unsigned int n = pick_fds(f, fds);

	set.flags = how & 1 ? in32(f->s.in) : 1u << (how >> 1) % 3 | 8u << (how >> 3) % 3;
	set.index = how & 0x20 ? in32(f->s.in) : VFIO_PCI_MSIX_IRQ_INDEX;
	set.start = how & 0x40 ? in32(f->s.in) : in8(f->s.in) % 8;
	set.count = how & 0x80 ? in32(f->s.in) : n;
	in_bytes(f->s.in, bytes, sizeof(bytes));
	memcpy(p, &set, sizeof(set));
	memcpy(p + sizeof(set), bytes, sizeof(bytes));
	post(f, SET_IRQS, in_flags(f), p, sizeof(set) + in8(f->s.in) % sizeof(bytes), fds, n);
}

static void step_multi(struct vfio_fuzz *f)
{
	unsigned int n = in8(f->s.in) % 8;
	uint64_t p[1 + 3 * 8] = { in8(f->s.in) & 1 ? in_le(f->s.in, 8) : n };

	for (unsigned int i = 0; i < n; i++) {
		p[1 + 3 * i] = in16(f->s.in);
		p[2 + 3 * i] = (uint64_t)(in8(f->s.in) % 16) << 32;
		p[2 + 3 * i] |= in8(f->s.in) % 10;
		p[3 + 3 * i] = in_le(f->s.in, 8);
	}
	post(f, WRITE_MULTI, in_flags(f), p, 8 + n * 24, NULL, 0);
}

/* Bytes of payload that a command has at least, by the protocol */
static const uint8_t least[] = {
	[VERSION] = 4,	     [DMA_MAP] = 32,	[DMA_UNMAP] = 24, [GET_INFO] = 16,
	[REGION_INFO] = 32,  [IRQ_INFO] = 16,	[SET_IRQS] = 20,  [REGION_READ] = 16,
	[REGION_WRITE] = 16, [WRITE_MULTI] = 8,
};

/* Any message: its length may be a lie, or too short by a byte */
static void step_message(struct vfio_fuzz *f)
{
	uint8_t len = in8(f->s.in), how = in8(f->s.in), msg[16 + 256];
	uint16_t id = in16(f->s.in), command = how & 1 ? in16(f->s.in) : in8(f->s.in) % 18;
	uint32_t head[4] = { id | (uint32_t)command << 16 };
	int fds[SERVER_MAX_FDS];
	unsigned int n;

	if (how & 8 && command < sizeof(least) && least[command])
		len = least[command] - len % 2;
	head[1] = how & 2 ? in32(f->s.in) : 16u + len;
	head[2] = in_flags(f);
	n = how & 4 ? pick_fds(f, fds) : 0;
	memcpy(msg, head, 16);
	in_bytes(f->s.in, msg + 16, len);
	server_send(&f->s, msg, 16 + len, fds, n);
}

/* Some bytes, whatever they are part of */
static void step_bytes(struct vfio_fuzz *f)
{
	uint8_t len = in8(f->s.in), data[256];
	int fds[SERVER_MAX_FDS];
	unsigned int n = pick_fds(f, fds);

	in_bytes(f->s.in, data, len);
	if (len)
		server_send(&f->s, data, len, fds, n);
}

static void step_memory(struct vfio_fuzz *f)
{
	uint32_t at = in32(f->s.in) % SERVER_MEM_SIZE;
	uint8_t len = in8(f->s.in);

	in_bytes(f->s.in, f->s.mem + at, len < SERVER_MEM_SIZE - at ? len : SERVER_MEM_SIZE - at);
}

static void step_frame(struct vfio_fuzz *f)
{
	server_frame(&f->s);
}

static void step_interrupt(struct vfio_fuzz *f)
{
	pci_msix_raise(f->s.pci, in8(f->s.in));
}

static void step_reset(struct vfio_fuzz *f)
{
	post(f, RESET, in_flags(f), NULL, 0, NULL, 0);
}

static void step_time(struct vfio_fuzz *f)
{
	f->s.now += in_le(f->s.in, 5);
}

static void step_hang_up(struct vfio_fuzz *f)
{
	shutdown(f->s.sock, in8(f->s.in) & 1 ? SHUT_WR : SHUT_RDWR);
}

/* The last thing that the guest does: it has no memory any more for another */
static void step_cut(struct vfio_fuzz *f)
{
	uint32_t one = 1;

	server_cut(&f->s);
	post_write(f, 0, 0x100, &one, 4);
}

static void (*const steps[])(struct vfio_fuzz *f) = {
	step_attach, step_hwrm,	   step_hwrm,  step_doorbell, step_access, step_access,
	step_map,    step_unmap,   step_irqs,  step_multi,    step_message, step_bytes,
	step_memory, step_frame,   step_interrupt, step_reset, step_time,  step_hang_up,
	step_cut,
};

static void any_step(struct server *s)
{
	steps[in8(s->in) % (sizeof(steps) / sizeof(steps[0]))]((struct vfio_fuzz *)s);
}

static struct transport *listen_at(struct server *s, const struct transport_ops *ops)
{
	return vfio_user_new(s->loop, s->path, false, s->pci, ops, s);
}

static void open_fds(struct vfio_fuzz *f)
{
	int p[2];

	f->fd[FD_MEM] = f->s.memfd;
	f->fd[FD_SMALL] = f->s.small;
	f->fd[FD_NULL] = f->s.null;
	f->fd[FD_EVENT0] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	f->fd[FD_EVENT1] = eventfd(~1u, EFD_CLOEXEC | EFD_NONBLOCK);
	CHECK(f->fd[FD_EVENT0] >= 0 && f->fd[FD_EVENT1] >= 0 && !pipe2(p, O_CLOEXEC | O_NONBLOCK),
	      "no file descriptors");
	f->pipe_in = p[0];
	f->fd[FD_PIPE] = p[1];
}

static void close_fds(struct vfio_fuzz *f)
{
	close(f->fd[FD_EVENT0]);
	close(f->fd[FD_EVENT1]);
	close(f->fd[FD_PIPE]);
	close(f->pipe_in);
}

/**
 * fuzz_vfio - run one input
 * @in: input
 */
void fuzz_vfio(struct input *in)
{
	static const struct server_kind kind = {
		.name = "vfio",
		.listen = listen_at,
		.step = any_step,
	};
	struct vfio_fuzz f = { .id = 0 };

	server_begin(&f.s, &kind, in);
	open_fds(&f);
	server_connect(&f.s);
	f.fd[FD_SOCK] = f.s.sock;
	server_run(&f.s);
	close_fds(&f);
	server_end(&f.s);
}
