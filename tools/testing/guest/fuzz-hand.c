// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * zc-fuzz: somebody who changes the interface under all of it, and sees to it that each refusal which
 * depends on the interface comes: link down, XDP program, AF_XDP socket
 */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_xdp.h>
#include <linux/io_uring.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "zc-fuzz.h"

/* Not of those that the others fight for: it is the state of the interface that is asked about */
#define HAND_QUEUE	0

struct hand {
	const struct fz *f;
	struct rng rng;
	int ring;
};

static int open_ring(const struct fz *f)
{
	struct iovec iov = { f->common[0], f->common_size };
	struct io_uring_params p = { .flags = IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SINGLE_ISSUER };
	int fd = (int)syscall(__NR_io_uring_setup, 4, &p);

	if (fd < 0)
		return -1;
	if (!syscall(__NR_io_uring_register, fd, IORING_REGISTER_BUFFERS, &iov, 1))
		return fd;
	close(fd);
	return -1;
}

/* A registration that has to be refused; if not it ends with its ring */
static void try(struct hand *h, uint32_t flags)
{
	char reason[128] = "";
	struct io_uring_zc_rx_ifq_reg reg = {
		.if_idx = h->f->ifindex,
		.if_rxq_id = HAND_QUEUE,
		.rq_entries = 64,
		.cq_entries = 64,
		.flags = flags,
		.reason = (uintptr_t)reason,
		.reason_len = sizeof(reason),
	};

	if (h->ring < 0)
		h->ring = open_ring(h->f);
	if (h->ring < 0)
		return;
	if (!fz_count(h->f, FZ_IFQ,
		      syscall(__NR_io_uring_register, h->ring, IORING_REGISTER_ZC_RX_IFQ_NR, &reg, 1))) {
		close(h->ring);
		h->ring = -1;
		return;
	}
	if (reason[0])
		fz_heard(h->f, errno, reason);
}

static void set_link(struct hand *h, bool up)
{
	struct ifreq ifr = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", h->f->iface);
	if (!ioctl(fd, SIOCGIFFLAGS, &ifr)) {
		ifr.ifr_flags = (short)(up ? ifr.ifr_flags | IFF_UP : ifr.ifr_flags & ~IFF_UP);
		ioctl(fd, SIOCSIFFLAGS, &ifr);
	}
	close(fd);
}

static void link_down(struct hand *h)
{
	set_link(h, false);
	try(h, IORING_ZC_RX_IFQ_CPU);
	fz_nap(rng_below(&h->rng, 20000));
	set_link(h, true);
	fz_add(h->f, &h->f->s->events[FZ_LINK], 1);
}

static int bpf(int cmd, union bpf_attr *attr)
{
	return (int)syscall(__NR_bpf, cmd, attr, sizeof(*attr));
}

static void xdp_program(struct hand *h)
{
	/* r0 = XDP_PASS; exit */
	struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_XDP,
		.insns = (uintptr_t)insns,
		.insn_cnt = FZ_LEN(insns),
		.prog_flags = 1u << 5,		/* BPF_F_XDP_HAS_FRAGS: the MTU may be a large one */
		.license = (uintptr_t)"GPL",
	};
	int prog = bpf(BPF_PROG_LOAD, &attr), link = -1;

	if (prog < 0)
		return;
	/* refused while a queue is bound, so that it takes a lucky moment */
	for (unsigned int i = 0; i < 50 && link < 0 && !h->f->s->stop; i++) {
		memset(&attr, 0, sizeof(attr));
		attr.link_create.prog_fd = (uint32_t)prog;
		attr.link_create.target_ifindex = h->f->ifindex;
		attr.link_create.attach_type = BPF_XDP;
		link = bpf(BPF_LINK_CREATE, &attr);
		if (link < 0)
			fz_nap(5000);
	}
	close(prog);
	if (link < 0)
		return;
	try(h, 0);
	fz_nap(rng_below(&h->rng, 5000));
	close(link);
	fz_add(h->f, &h->f->s->events[FZ_XDP], 1);
}

static void af_xdp_socket(struct hand *h)
{
	struct xdp_umem_reg umem = { .len = 64 * FZ_PAGE, .chunk_size = FZ_PAGE };
	struct sockaddr_xdp addr = {
		.sxdp_family = AF_XDP,
		.sxdp_flags = XDP_COPY,
		.sxdp_ifindex = h->f->ifindex,
		.sxdp_queue_id = HAND_QUEUE,
	};
	int fd = socket(AF_XDP, SOCK_RAW, 0), n = 64;
	void *mem = mmap(NULL, umem.len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	umem.addr = (uintptr_t)mem;
	if (fd >= 0 && mem != MAP_FAILED && !setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &umem, sizeof(umem)) &&
	    !setsockopt(fd, SOL_XDP, XDP_UMEM_FILL_RING, &n, sizeof(n)) &&
	    !setsockopt(fd, SOL_XDP, XDP_UMEM_COMPLETION_RING, &n, sizeof(n)) &&
	    !setsockopt(fd, SOL_XDP, XDP_RX_RING, &n, sizeof(n)) && !bind(fd, (void *)&addr, sizeof(addr))) {
		try(h, 0);
		fz_add(h->f, &h->f->s->events[FZ_AF_XDP], 1);
	}
	if (fd >= 0)
		close(fd);
	if (mem != MAP_FAILED)
		munmap(mem, umem.len);
}

static void (*const changes[])(struct hand *h) = { xdp_program, af_xdp_socket, link_down };

/**
 * fz_hand_once() - each change once, while nobody else is there to prevent it
 * @f: all
 */
void fz_hand_once(const struct fz *f)
{
	struct hand h = { .f = f, .rng = { f->seed }, .ring = -1 };

	for (unsigned int i = 0; i < FZ_LEN(changes); i++)
		changes[i](&h);
	if (h.ring >= 0)
		close(h.ring);
}

/**
 * fz_hand() - change the interface until told to stop
 * @f: all
 * @seed: of its dice
 *
 * Return: exit status.
 */
int fz_hand(const struct fz *f, uint64_t seed)
{
	struct hand h = { .f = f, .rng = { seed }, .ring = -1 };
	unsigned int n = 0;

	while (!__atomic_load_n(&f->s->stop, __ATOMIC_RELAXED)) {
		changes[n++ % FZ_LEN(changes)](&h);
		fz_nap(rng_below(&h.rng, 1000000));
	}
	return 0;
}
