// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target "vhost": the emulator without its TAP, from the vhost-user socket
 * down to the device core. The input plays the front end and the guest: messages
 * and their file descriptors, virtqueues in shared memory, register accesses.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/pci_regs.h>
#include <linux/virtio_pcidev.h>
#include <linux/virtio_ring.h>

#include "../../bnxt-emu/hsi.h"
#include "../../bnxt-emu/pcidev.h"
#include "../vhost-front.h"
#include "server.h"

#define GUEST_BASE 0x10000000ull
#define USER_BASE 0x7f0000000000ull
#define NUM 64u
#define QUEUE_STRIDE 0x4000u
#define AVAIL_OFF 0x1000u
#define USED_OFF 0x2000u
#define DATA_OFF 0x10000u /* a slot for each descriptor of both queues */
#define SLOT 0x200u
#define MAX_FDS 10

enum fd_kind {
	FD_MEM,
	FD_KICK0,
	FD_KICK1,
	FD_CALL0,
	FD_CALL1,
	FD_SMALL,
	FD_NULL,
	FD_SOCK,
	FD_KINDS
};

struct vhost_fuzz {
	struct server s;
	int fd[FD_KINDS];
	int pipe[2][2];
	uint16_t avail[2]; /* entries made available, as a driver counts them */
	unsigned int desc[2]; /* next descriptor */
};

/*
 * The front end
 */

static void send_msg(struct vhost_fuzz *f, uint32_t req, uint32_t flags, const void *payload,
		     uint32_t size, const int *fds, unsigned int n)
{
	uint8_t msg[VHOST_HEADER + 512];
	const uint32_t hdr[3] = { req, flags, size };

	memcpy(msg, hdr, VHOST_HEADER);
	memcpy(msg + VHOST_HEADER, payload, size);
	server_send(&f->s, msg, VHOST_HEADER + size, fds, n);
}

static void set_fd(struct vhost_fuzz *f, uint32_t req, uint64_t index, enum fd_kind kind)
{
	send_msg(f, req, VHOST_VERSION, &index, 8, &f->fd[kind], 1);
}

static void set_state(struct vhost_fuzz *f, uint32_t req, uint32_t index, uint32_t num)
{
	const uint32_t p[2] = { index, num };

	send_msg(f, req, VHOST_VERSION, p, sizeof(p), NULL, 0);
}

static void set_memory(struct vhost_fuzz *f)
{
	const uint64_t p[5] = { 1, GUEST_BASE, SERVER_MEM_SIZE, USER_BASE, 0 };

	send_msg(f, REQ_SET_MEM_TABLE, VHOST_VERSION, p, sizeof(p), &f->fd[FD_MEM], 1);
}

static void set_addr(struct vhost_fuzz *f, uint32_t q)
{
	const uint64_t at = USER_BASE + q * QUEUE_STRIDE;
	const struct vhost_addr p = { q, 0, at, at + USED_OFF, at + AVAIL_OFF, 0 };

	send_msg(f, REQ_SET_VRING_ADDR, VHOST_VERSION, &p, sizeof(p), NULL, 0);
}

static void set_queue(struct vhost_fuzz *f, uint32_t q)
{
	memset(f->s.mem + q * QUEUE_STRIDE, 0, QUEUE_STRIDE);
	f->avail[q] = 0;
	f->desc[q] = 0;
	set_fd(f, REQ_SET_VRING_CALL, q, FD_CALL0 + q);
	set_state(f, REQ_SET_VRING_NUM, q, NUM);
	set_state(f, REQ_SET_VRING_BASE, q, 0);
	set_addr(f, q);
	set_fd(f, REQ_SET_VRING_KICK, q, FD_KICK0 + q);
	set_state(f, REQ_SET_VRING_ENABLE, q, 1);
}

/* All that a guest says before it uses the device */
static void step_attach(struct vhost_fuzz *f)
{
	const uint64_t features = VHOST_FEATURES, protocol = VHOST_PROTOCOL;

	send_msg(f, REQ_SET_OWNER, VHOST_VERSION, "", 0, NULL, 0);
	send_msg(f, REQ_GET_FEATURES, VHOST_VERSION, "", 0, NULL, 0);
	send_msg(f, REQ_SET_PROTOCOL, VHOST_VERSION, &protocol, 8, NULL, 0);
	send_msg(f, REQ_SET_SLAVE_FD, VHOST_VERSION, "", 0, &f->fd[FD_CALL0], 1);
	send_msg(f, REQ_SET_FEATURES, VHOST_VERSION, &features, 8, NULL, 0);
	set_memory(f);
	set_queue(f, 0);
	set_queue(f, 1);
}

/* Makes @n descriptors from @head on available */
static void offer(struct vhost_fuzz *f, unsigned int q, unsigned int head)
{
	struct vring_avail *avail = (void *)(f->s.mem + q * QUEUE_STRIDE + AVAIL_OFF);

	avail->ring[f->avail[q] % NUM] = head;
	avail->idx = ++f->avail[q];
}

static unsigned int next_desc(struct vhost_fuzz *f, unsigned int q, uint32_t len, uint16_t flags)
{
	unsigned int i = f->desc[q]++ % NUM;
	struct vring_desc *d = (void *)(f->s.mem + q * QUEUE_STRIDE + i * sizeof(*d));

	*d = (struct vring_desc){ .addr = GUEST_BASE + DATA_OFF + (q * NUM + i) * SLOT,
				  .len = len,
				  .flags = flags,
				  .next = (i + 1) % NUM };
	return i;
}

static uint8_t *slot(struct vhost_fuzz *f, unsigned int q, unsigned int i)
{
	return f->s.mem + DATA_OFF + (q * NUM + i) * SLOT;
}

static void access_device(struct vhost_fuzz *f, uint8_t op, uint8_t bar, uint32_t size,
			  uint64_t addr, const void *data)
{
	struct virtio_pcidev_msg m = { .op = op, .bar = bar, .size = size, .addr = addr };
	bool read = op == VIRTIO_PCIDEV_OP_CFG_READ || op == VIRTIO_PCIDEV_OP_MMIO_READ;
	uint32_t bytes = read ? 0 : size < 256 ? size : 256;
	unsigned int i = next_desc(f, 0, sizeof(m) + bytes, read ? VRING_DESC_F_NEXT : 0);

	memcpy(slot(f, 0, i), &m, sizeof(m));
	if (bytes)
		memcpy(slot(f, 0, i) + sizeof(m), data, bytes);
	if (read)
		next_desc(f, 0, size < SLOT ? size : SLOT, VRING_DESC_F_WRITE);
	offer(f, 0, i);
}

/* Memory space, bus master and MSI-X on, all vectors open */
static void step_enable(struct vhost_fuzz *f)
{
	const uint16_t command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, msix = 0x8000;
	const uint32_t open[4] = { 0xa0000, 0, 1, 0 };

	access_device(f, VIRTIO_PCIDEV_OP_CFG_WRITE, 0, 2, PCI_COMMAND, &command);
	access_device(f, VIRTIO_PCIDEV_OP_CFG_WRITE, 0, 2, 0xa2, &msix);
	for (unsigned int v = 0; v < 4; v++)
		access_device(f, VIRTIO_PCIDEV_OP_MMIO_WRITE, 4, 16, v * 16, open);
}

static void step_access(struct vhost_fuzz *f)
{
	static const uint64_t place[] = { 0, 0x100, PCI_COMMAND, 0xa2, 0xb4, 0x50, DB_PF, 0x1000 };
	uint8_t how = in8(f->s.in), data[256];
	uint32_t size = how & 8 ? in16(f->s.in) : 1u << (how >> 4 & 3);
	uint64_t addr = how & 128 ? in_le(f->s.in, 8) : place[in8(f->s.in) & 7];
	uint8_t op = how & 7, bar;

	if (!(how & 128))
		addr += in8(f->s.in) & 31;
	bar = in8(f->s.in) & 7;

	in_bytes(f->s.in, data, size < 64 ? size : 64);
	memset(data + (size < 64 ? size : 64), 0, sizeof(data) - (size < 64 ? size : 64));
	access_device(f, op, bar, size, addr, data);
}

/* A firmware command by way of the mailbox: the body lies in the guest's memory */
static void step_hwrm(struct vhost_fuzz *f)
{
	const uint32_t req = DATA_OFF + 2 * NUM * SLOT, resp = req + 0x1000, one = 1;
	struct hwrm_short_req brief = { .signature = HWRM_SHORT_SIGNATURE,
					.size = 96,
					.req_addr = GUEST_BASE + req };
	struct hwrm_req_hdr hdr = { .cmpl_ring = 0xffff, .resp_addr = GUEST_BASE + resp };

	in_bytes(f->s.in, f->s.mem + req + 16, in8(f->s.in) % 80);
	hdr.req_type = brief.req_type = in16(f->s.in);
	memcpy(f->s.mem + req, &hdr, sizeof(hdr));
	access_device(f, VIRTIO_PCIDEV_OP_MMIO_WRITE, 0, 16, 0, &brief);
	access_device(f, VIRTIO_PCIDEV_OP_MMIO_WRITE, 0, 4, GRC_HWRM_TRIGGER, &one);
}

static void step_buffers(struct vhost_fuzz *f)
{
	unsigned int n = in8(f->s.in) & 15;

	while (n--)
		offer(f, 1, next_desc(f, 1, 20, VRING_DESC_F_WRITE));
}

static void step_chain(struct vhost_fuzz *f)
{
	unsigned int q = in8(f->s.in) & 1, n = 1 + in8(f->s.in) % 12, head = f->desc[q] % NUM;

	for (unsigned int i = 0; i < n; i++) {
		unsigned int at = next_desc(f, q, 0, 0);
		struct vring_desc *d = (void *)(f->s.mem + q * QUEUE_STRIDE + at * sizeof(*d));
		uint8_t how = in8(f->s.in);

		d->len = how & 1 ? in32(f->s.in) : in8(f->s.in);
		d->flags = in8(f->s.in) & 7;
		if (how & 2)
			d->next = in16(f->s.in);
		if (how & 16) /* the last one, or one that is not there */
			d->next = NUM - 1 + in8(f->s.in) % 3;
		if (how & 4)
			d->addr = in_le(f->s.in, 8);
		else if (how & 8)
			d->addr = GUEST_BASE + in32(f->s.in) % (SERVER_MEM_SIZE + 64);
	}
	offer(f, q, head);
}

static void step_kick(struct vhost_fuzz *f)
{
	const uint64_t one = 1;

	if (write(f->fd[FD_KICK0 + (in8(f->s.in) & 1)], &one, 8) != 8)
		return;
}

static void step_memory(struct vhost_fuzz *f)
{
	uint32_t at = in32(f->s.in) % (SERVER_MEM_SIZE - 256);
	uint8_t len = in8(f->s.in);

	in_bytes(f->s.in, f->s.mem + at, len);
}

static void step_avail(struct vhost_fuzz *f)
{
	unsigned int q = in8(f->s.in) & 1;
	struct vring_avail *avail = (void *)(f->s.mem + q * QUEUE_STRIDE + AVAIL_OFF);

	f->avail[q] = in16(f->s.in);
	avail->idx = f->avail[q];
}

static unsigned int pick_fds(struct vhost_fuzz *f, int *fds)
{
	unsigned int n = in8(f->s.in) % (MAX_FDS + 1);

	for (unsigned int i = 0; i < n; i++)
		fds[i] = f->fd[in8(f->s.in) % FD_KINDS];
	return n;
}

/* A message that may be anything */
static void step_message(struct vhost_fuzz *f)
{
	uint8_t req = in8(f->s.in), flags = in8(f->s.in), size = in8(f->s.in), payload[256];
	int fds[MAX_FDS];
	unsigned int n = pick_fds(f, fds);

	in_bytes(f->s.in, payload, size);
	send_msg(f, req % 25, flags & 0x40 ? flags : VHOST_VERSION | (flags & VHOST_NEED_REPLY),
		 payload, size, fds, n);
}

/* Memory tables that may be sane */
static void step_table(struct vhost_fuzz *f)
{
	struct {
		uint32_t num, pad;
		struct vhost_region r[8];
	} p = { .num = in8(f->s.in) % 10 };
	int fds[MAX_FDS];
	unsigned int n;

	for (unsigned int i = 0; i < 8; i++) {
		uint8_t how = in8(f->s.in);
		uint64_t at = in16(f->s.in) % 64 * 4096;

		p.r[i].guest = how & 1 ? in_le(f->s.in, 8) : GUEST_BASE + at;
		p.r[i].size = how & 2 ? in_le(f->s.in, 8) : in8(f->s.in) % 16 * 4096;
		p.r[i].user = how & 4 ? in_le(f->s.in, 8) : USER_BASE + at;
		p.r[i].offset = how & 8 ? in_le(f->s.in, 8) : at;
	}
	n = p.num < MAX_FDS ? p.num : MAX_FDS;
	for (unsigned int i = 0; i < MAX_FDS; i++)
		fds[i] = f->fd[FD_MEM];
	if (in8(f->s.in) & 1)
		n = pick_fds(f, fds);
	send_msg(f, REQ_SET_MEM_TABLE, VHOST_VERSION | VHOST_NEED_REPLY, &p, sizeof(p), fds, n);
}

/* One sane message of those that step_attach() sends */
static void step_again(struct vhost_fuzz *f)
{
	uint8_t how = in8(f->s.in);
	uint32_t q = how & 1;

	switch (how >> 1 & 7) {
	case 0: set_memory(f); break;
	case 1: set_addr(f, q); break;
	case 2: set_queue(f, q); break;
	case 3: set_state(f, REQ_SET_VRING_ENABLE, q, how >> 4 & 1); break;
	case 4: set_state(f, REQ_GET_VRING_BASE, q, 0); break;
	case 5: set_state(f, REQ_SET_VRING_BASE, q, in16(f->s.in)); break;
	case 6: set_fd(f, REQ_SET_VRING_KICK, q, in8(f->s.in) % FD_KINDS); break;
	case 7: set_fd(f, REQ_SET_VRING_CALL, q, in8(f->s.in) % FD_KINDS); break;
	}
}

/* Some bytes, whatever they are part of */
static void step_bytes(struct vhost_fuzz *f)
{
	uint8_t len = in8(f->s.in), data[256];
	int fds[MAX_FDS];
	unsigned int n = pick_fds(f, fds);

	in_bytes(f->s.in, data, len);
	if (len)
		server_send(&f->s, data, len, fds, n);
}

static void step_frame(struct vhost_fuzz *f)
{
	server_frame(&f->s);
}

static void step_interrupt(struct vhost_fuzz *f)
{
	pci_msix_raise(f->s.pci, in8(f->s.in));
}

static void step_time(struct vhost_fuzz *f)
{
	f->s.now += in_le(f->s.in, 5);
}

static void step_hang_up(struct vhost_fuzz *f)
{
	shutdown(f->s.sock, in8(f->s.in) & 1 ? SHUT_WR : SHUT_RDWR);
}

/* The last thing that the guest does: it has no memory any more for another */
static void step_cut(struct vhost_fuzz *f)
{
	const uint64_t one = 1;

	server_cut(&f->s);
	if (write(f->fd[FD_KICK0], &one, 8) != 8)
		return;
}

static void (*const steps[])(struct vhost_fuzz *f) = {
	step_attach, step_enable, step_access, step_access,    step_hwrm,    step_buffers,
	step_chain,  step_kick,	  step_memory, step_avail,     step_message, step_table,
	step_again,  step_bytes,  step_frame,  step_interrupt, step_time,    step_hang_up,
	step_cut,
};

static void any_step(struct server *s)
{
	steps[in8(s->in) % (sizeof(steps) / sizeof(steps[0]))]((struct vhost_fuzz *)s);
}

static struct transport *listen_at(struct server *s, const struct transport_ops *ops)
{
	return pcidev_new(s->loop, s->path, s->pci, ops, s);
}

static void open_fds(struct vhost_fuzz *f)
{
	f->fd[FD_MEM] = f->s.memfd;
	f->fd[FD_SMALL] = f->s.small;
	f->fd[FD_NULL] = f->s.null;
	for (int q = 0; q < 2; q++) {
		f->fd[FD_KICK0 + q] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		CHECK(f->fd[FD_KICK0 + q] >= 0 && !pipe2(f->pipe[q], O_CLOEXEC | O_NONBLOCK),
		      "no file descriptors");
		f->fd[FD_CALL0 + q] = f->pipe[q][1];
	}
}

static void close_fds(struct vhost_fuzz *f)
{
	for (int q = 0; q < 2; q++) {
		close(f->fd[FD_KICK0 + q]);
		close(f->pipe[q][0]);
		close(f->pipe[q][1]);
	}
}

/**
 * fuzz_vhost - run one input
 * @in: input
 */
void fuzz_vhost(struct input *in)
{
	static const struct server_kind kind = {
		.name = "vhost",
		.listen = listen_at,
		.step = any_step,
	};
	struct vhost_fuzz f = { .desc = { 0 } };

	server_begin(&f.s, &kind, in);
	open_fds(&f);
	server_connect(&f.s);
	f.fd[FD_SOCK] = f.s.sock;
	server_run(&f.s);
	close_fds(&f);
	server_end(&f.s);
}
