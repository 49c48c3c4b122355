// SPDX-License-Identifier: GPL-2.0-or-later
/* BPF programs that read packets, pull them into one piece, send them elsewhere */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../tap.h"
#include "paths.h"
#include "paths-prog.h"
#include "paths-tap.h"
#include "pattern.h"

/* Not in the headers of Debian 12; enum bpf_attach_type */
#define ATTACH_TCX_INGRESS	46
/* enum tcx_action_base */
#define TCX_NEXT		(-1)
#define TCX_REDIRECT		7

#define BYTES		150000u
#define SAMPLE		64
#define SAMPLES		64

/* Where a frame of ours has its payload: TCP with time stamps, no IP options */
#define TCP_PORTS	(ETH_HLEN + 20)
#define TCP_PAYLOAD	(ETH_HLEN + 20 + 32)

static int sys_bpf(enum bpf_cmd cmd, union bpf_attr *attr)
{
	return (int)syscall(__NR_bpf, cmd, attr, sizeof(*attr));
}

/**
 * prog_load() - have the kernel take a program
 * @type: what it is for
 * @insns: its instructions
 * @n: how many
 *
 * Return: a descriptor, or -1; says what the verifier did not like.
 */
int prog_load(enum bpf_prog_type type, const struct bpf_insn *insns, size_t n)
{
	static char log[16384];
	union bpf_attr attr = {
		.prog_type = type, .insns = (uintptr_t)insns, .insn_cnt = (uint32_t)n,
		.license = (uintptr_t)"GPL",
		.log_buf = (uintptr_t)log, .log_size = sizeof(log), .log_level = 1,
	};
	int fd = sys_bpf(BPF_PROG_LOAD, &attr);

	if (fd < 0)
		tap_diag("a program is refused: %s: %.400s", strerror(errno), log);
	return fd;
}

#define LOAD(type, insns)	prog_load(type, insns, sizeof(insns) / sizeof((insns)[0]))

static int map_create(enum bpf_map_type type, uint32_t value_size, uint32_t entries)
{
	union bpf_attr attr = {
		.map_type = type, .key_size = 4, .value_size = value_size, .max_entries = entries,
	};

	return sys_bpf(BPF_MAP_CREATE, &attr);
}

static int map_do(enum bpf_cmd cmd, int map, uint32_t key, void *value)
{
	union bpf_attr attr = { .map_fd = (uint32_t)map, .key = (uintptr_t)&key, .value = (uintptr_t)value };

	return sys_bpf(cmd, &attr);
}

/* A program at the ingress of an interface, as long as the descriptor is open */
static int link_ingress(int prog, unsigned int ifindex)
{
	union bpf_attr attr = {};

	attr.link_create.prog_fd = (uint32_t)prog;
	attr.link_create.target_ifindex = ifindex;
	attr.link_create.attach_type = ATTACH_TCX_INGRESS;
	return sys_bpf(BPF_LINK_CREATE, &attr);
}

/* The stream goes past a program, which is closed before it is compared */
static void past_program(struct paths *p, int prog, unsigned int ifindex)
{
	const struct path_listen l = { .mss = 1448 };
	struct feed f = { .bytes = BYTES };
	int link = prog >= 0 ? link_ingress(prog, ifindex) : -1, fd;

	if (path_ok(p, link >= 0, "a program looks at each packet") && path_held(p, &l, &f, &fd))
		path_read_all(p, fd, &f);
	if (link >= 0)
		close(link);
}

/* All of the packet goes to its linear part */
static void run_pull(struct paths *p, const struct path *path)
{
	const struct bpf_insn insns[] = {
		PROG_LOAD(BPF_W, 2, 1, offsetof(struct __sk_buff, len)),
		PROG_CALL(BPF_FUNC_skb_pull_data),
		PROG_MOV_IMM(0, TCX_NEXT),
		PROG_EXIT,
	};
	int prog = LOAD(BPF_PROG_TYPE_SCHED_CLS, insns);

	(void)path;
	past_program(p, prog, p->ifindex);
	close(prog);
}

/* Half of it: a fragment is cut */
static void run_pull_half(struct paths *p, const struct path *path)
{
	const struct bpf_insn insns[] = {
		PROG_MOV_IMM(2, TCP_PAYLOAD + 700),
		PROG_CALL(BPF_FUNC_skb_pull_data),
		PROG_MOV_IMM(0, TCX_NEXT),
		PROG_EXIT,
	};
	int prog = LOAD(BPF_PROG_TYPE_SCHED_CLS, insns);

	(void)path;
	past_program(p, prog, p->ifindex);
	close(prog);
}

/* Bytes of the payload are overwritten by what they are: a program may write */
static void run_store(struct paths *p, const struct path *path)
{
	const struct bpf_insn insns[] = {
		PROG_MOV_REG(6, 1),
		PROG_MOV_IMM(2, TCP_PAYLOAD + 300),
		PROG_MOV_REG(3, 10),
		PROG_ADD_IMM(3, -8),
		PROG_MOV_IMM(4, 8),
		PROG_CALL(BPF_FUNC_skb_load_bytes),
		PROG_JUMP(BPF_JNE, 0, 0, 7),
		PROG_MOV_REG(1, 6),
		PROG_MOV_IMM(2, TCP_PAYLOAD + 300),
		PROG_MOV_REG(3, 10),
		PROG_ADD_IMM(3, -8),
		PROG_MOV_IMM(4, 8),
		PROG_MOV_IMM(5, BPF_F_RECOMPUTE_CSUM),
		PROG_CALL(BPF_FUNC_skb_store_bytes),
		PROG_MOV_IMM(0, TCX_NEXT),
		PROG_EXIT,
	};
	int prog = LOAD(BPF_PROG_TYPE_SCHED_CLS, insns);

	(void)path;
	past_program(p, prog, p->ifindex);
	close(prog);
}

/* What a program sees of a packet: the beginning of TCP's header, and of the payload */
struct sample {
	uint16_t sport, dport;
	uint32_t seq;
	uint8_t payload[SAMPLE];
};

/* Map 0: how many samples there are. Map 1: the samples. */
static int sampler(int count, int samples)
{
	const struct bpf_insn insns[] = {
		PROG_MOV_REG(6, 1),
		/* stack: -4 key, -80 the sample */
		PROG_MOV_IMM(2, TCP_PORTS),
		PROG_MOV_REG(3, 10),
		PROG_ADD_IMM(3, -80),
		PROG_MOV_IMM(4, 8),
		PROG_CALL(BPF_FUNC_skb_load_bytes),
		PROG_JUMP(BPF_JNE, 0, 0, 29),
		PROG_LOAD(BPF_H, 7, 10, -78),
		PROG_JUMP(BPF_JNE, 7, htons(PATHS_PORT), 27),
		PROG_MOV_REG(1, 6),
		PROG_MOV_IMM(2, TCP_PAYLOAD),
		PROG_MOV_REG(3, 10),
		PROG_ADD_IMM(3, -72),
		PROG_MOV_IMM(4, SAMPLE),
		PROG_CALL(BPF_FUNC_skb_load_bytes),
		PROG_JUMP(BPF_JNE, 0, 0, 20),
		PROG_STORE_IMM(BPF_W, 10, -4, 0),
		PROG_MOV_REG(2, 10),
		PROG_ADD_IMM(2, -4),
		PROG_MAP(1, count),
		PROG_CALL(BPF_FUNC_map_lookup_elem),
		PROG_JUMP(BPF_JEQ, 0, 0, 13),
		PROG_LOAD(BPF_W, 7, 0, 0),
		PROG_MOV_REG(1, 7),
		PROG_ADD_IMM(1, 1),
		PROG_STORE(BPF_W, 0, 0, 1),
		PROG_STORE(BPF_W, 10, -4, 7),
		PROG_MOV_REG(2, 10),
		PROG_ADD_IMM(2, -4),
		PROG_MOV_REG(3, 10),
		PROG_ADD_IMM(3, -80),
		PROG_MOV_IMM(4, BPF_ANY),
		PROG_MAP(1, samples),
		PROG_CALL(BPF_FUNC_map_update_elem),
		PROG_MOV_IMM(0, TCX_NEXT),
		PROG_EXIT,
	};

	return LOAD(BPF_PROG_TYPE_SCHED_CLS, insns);
}

static unsigned int samples_right(struct paths *p, int samples, uint32_t n)
{
	struct sample s;
	unsigned int right = 0;
	uint32_t first = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (map_do(BPF_MAP_LOOKUP_ELEM, samples, i, &s))
			break;
		if (!i)
			first = ntohl(s.seq);
		right += pattern_check(s.payload, p->base + ntohl(s.seq) - first, SAMPLE) == SAMPLE;
	}
	return right;
}

static void run_load(struct paths *p, const struct path *path)
{
	int count = map_create(BPF_MAP_TYPE_ARRAY, 4, 1);
	int samples = map_create(BPF_MAP_TYPE_ARRAY, sizeof(struct sample), SAMPLES);
	int prog = sampler(count, samples);
	uint32_t n = 0;

	(void)path;
	if (path_ok(p, prog >= 0, "there is a program")) {
		past_program(p, prog, p->ifindex);
		map_do(BPF_MAP_LOOKUP_ELEM, count, 0, &n);
		if (n > SAMPLES)
			n = SAMPLES;
		path_ok(p, n && samples_right(p, samples, n) == n, "all of the %u samples it took are right", n);
		close(prog);
	}
	close(samples);
	close(count);
}

/* --- elsewhere ----------------------------------------------------------- */

static int cloner(unsigned int to)
{
	const struct bpf_insn insns[] = {
		PROG_MOV_IMM(2, (int)to),
		PROG_MOV_IMM(3, 0),
		PROG_CALL(BPF_FUNC_clone_redirect),
		PROG_MOV_IMM(0, TCX_NEXT),
		PROG_EXIT,
	};

	return LOAD(BPF_PROG_TYPE_SCHED_CLS, insns);
}

static void run_clone(struct paths *p, const struct path *path)
{
	struct tap_check c = { .base = p->base, .port = PATHS_PORT };
	int prog = cloner(if_nametoindex("v0"));
	int tap = tap_open("side", "v1", 0);

	(void)path;
	if (path_ok(p, prog >= 0 && tap >= 0, "there are a program and a packet socket")) {
		past_program(p, prog, p->ifindex);
		path_ok(p, user_turns(p), "the user's pages go round");
		tap_read(&c, tap);
		tap_tell(p, &c, BYTES);
	}
	close(tap);
	close(prog);
}

/* XDP at the end of a veth: the packet is copied for it */
static int xdp_pass(void)
{
	const struct bpf_insn insns[] = {
		PROG_MOV_IMM(0, XDP_PASS),
		PROG_EXIT,
	};

	return LOAD(BPF_PROG_TYPE_XDP, insns);
}

static int link_xdp(int prog, const char *ns, const char *dev, uint32_t flags)
{
	int saved = paths_in_ns(ns), fd;
	union bpf_attr attr = {};

	if (saved < 0)
		return -1;
	attr.link_create.prog_fd = (uint32_t)prog;
	attr.link_create.target_ifindex = if_nametoindex(dev);
	attr.link_create.attach_type = BPF_XDP;
	attr.link_create.flags = flags;
	fd = sys_bpf(BPF_LINK_CREATE, &attr);
	paths_back(saved);
	return fd;
}

static void run_xdp(struct paths *p, const struct path *path)
{
	const uint32_t *flags = path->arg;
	const struct path_listen l = { .ns = "side", .mss = 1448 };
	struct feed f = { .bytes = BYTES, .to = PATHS_SIDE };
	int prog = xdp_pass(), link = link_xdp(prog, "side", "v1", *flags), fd;

	if (path_ok(p, link >= 0, "a program has its way with each packet") && path_held(p, &l, &f, &fd))
		path_read_all(p, fd, &f);
	if (link >= 0)
		close(link);
	close(prog);
}

/* --- sockets ------------------------------------------------------------- */

/* A filter that takes 100 bytes of each datagram, from the UDP header on */
static int filter_cut(void)
{
	const struct bpf_insn insns[] = {
		PROG_MOV_IMM(0, 100),
		PROG_EXIT,
	};

	return LOAD(BPF_PROG_TYPE_SOCKET_FILTER, insns);
}

static void run_filter(struct paths *p, const struct path *path)
{
	struct feed f = { .base = p->base, .type = SOCK_DGRAM, .bytes = 100 * 1400, .gap_us = 100 };
	int fd = path_datagrams(NULL, 0, 0), prog = filter_cut();
	unsigned int n = 0, wrong = 0;
	uint8_t buf[2000];
	ssize_t len;

	(void)path;
	if (!path_ok(p, prog >= 0 && !setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &prog, sizeof(prog)),
		     "a filter cuts datagrams"))
		return;
	user_pause(p);
	path_ok(p, feed_start(&f) && feed_wait(&f), "datagrams are sent");
	paths_nap(100 * p->slow);
	path_written(p, f.bytes);
	user_resume(p);
	path_ok(p, user_turns(p), "the user's pages go round");
	for (; (len = recv(fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0; n++)
		wrong += len != 92 || pattern_check(buf, f.base + n * 1400ull, 92) != 92;
	path_ok(p, n == 100 && !wrong, "what is left of %u datagrams is right", n);
	close(prog);
	close(fd);
}

/**
 * struct verdict - what a program of a socket map does with what a socket gets
 * @redirect: to another socket of the map
 * @flags: of the redirection
 */
struct verdict {
	bool redirect;
	uint32_t flags;
};

static int verdict_prog(const struct verdict *v, int map)
{
	const struct bpf_insn pass[] = {
		PROG_MOV_IMM(0, SK_PASS),
		PROG_EXIT,
	};
	const struct bpf_insn redirect[] = {
		PROG_MAP(2, map),
		PROG_MOV_IMM(3, 1),
		PROG_MOV_IMM(4, (int)v->flags),
		PROG_CALL(BPF_FUNC_sk_redirect_map),
		PROG_EXIT,
	};

	return v->redirect ? LOAD(BPF_PROG_TYPE_SK_SKB, redirect) : LOAD(BPF_PROG_TYPE_SK_SKB, pass);
}

static int to_map(int fd, void *map)
{
	return map_do(BPF_MAP_UPDATE_ELEM, *(int *)map, 0, &fd) ? -errno : 0;
}

/*
 * Key 0 is the stream's socket, key 1 the one that it is redirected to: as if that had received it
 * (then it is read there), or for that to send (then it is read at the other end).
 */
static void run_verdict(struct paths *p, const struct path *path)
{
	const struct verdict *v = path->arg;
	int map = map_create(BPF_MAP_TYPE_SOCKMAP, 4, 2);
	int prog = verdict_prog(v, map), sv[2], fd;
	const struct path_listen l = {
		.mss = 1448, .blind = true, .accepted = to_map, .data = &map,
	};
	struct feed f = { .bytes = BYTES };
	union bpf_attr attach = {
		.target_fd = (uint32_t)map, .attach_bpf_fd = (uint32_t)prog, .attach_type = BPF_SK_SKB_VERDICT,
	};

	if (!path_ok(p, prog >= 0 && !sys_bpf(BPF_PROG_ATTACH, &attach) && !paths_tcp_pair(sv),
		     "there is a socket map"))
		goto close_map;
	if (!path_ok(p, !map_do(BPF_MAP_UPDATE_ELEM, map, 1, &sv[0]),
		     "with another socket in it"))
		goto close_pair;
	if (path_held(p, &l, &f, &fd)) {
		int from = !v->redirect ? fd : v->flags & BPF_F_INGRESS ? sv[0] : sv[1];

		path_read_all(p, dup(from), &f);
		close(fd);
	}
close_pair:
	close(sv[0]);
	close(sv[1]);
close_map:
	close(prog);
	close(map);
}

const struct path paths_bpf[] = {
	{ "tcx pulls packets", .run = run_pull },
	{ "tcx pulls half", .run = run_pull_half },
	{ "tcx reads payload", .run = run_load },
	{ "tcx writes payload", .run = run_store },
	{ "tcx redirects clones", PATHS_SIDE_UP, PATHS_SIDE_DOWN, run_clone, NULL },
	{ "XDP at the end of a veth", PATHS_SIDE_UP, PATHS_SIDE_DOWN, run_xdp, &(const uint32_t){ XDP_FLAGS_DRV_MODE } },
	{ "generic XDP at the end of a veth", PATHS_SIDE_UP, PATHS_SIDE_DOWN, run_xdp, &(const uint32_t){ XDP_FLAGS_SKB_MODE } },
	{ "socket filter", .run = run_filter },
	{ "socket map", .run = run_verdict, .arg = &(const struct verdict){} },
	{ "socket map to another socket", .run = run_verdict, .arg = &(const struct verdict){ true, BPF_F_INGRESS } },
	{ "socket map sent by another socket", .run = run_verdict, .arg = &(const struct verdict){ true, 0 } },
	{}
};
