// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Attach a small XDP program to an interface, in the driver or (generic) in the
 * stack. It stays when this ends. No library and no object file: bpf(2) and rtnetlink.
 *
 *	xdp-load eth0 drop
 *	xdp-load eth0 off
 *	xdp-load eth0 pass generic
 */
#include <errno.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#ifndef BPF_F_XDP_HAS_FRAGS
#define BPF_F_XDP_HAS_FRAGS	(1u << 5)	/* Linux 5.18 */
#endif

#define INSN(op, d, s, o, i)	{ .code = (op), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) }
#define RETURN(v)		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, v), INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
#define LOAD(size, d, s, o)	INSN(BPF_LDX | (size) | BPF_MEM, d, s, o, 0)
#define STORE(size, d, s, o)	INSN(BPF_STX | (size) | BPF_MEM, d, s, o, 0)
/* Exchanges 2 bytes of both addresses; wider loads would not be aligned */
#define SWAP(o)			LOAD(BPF_H, 5, 2, o), LOAD(BPF_H, 4, 2, 6 + (o)), \
				STORE(BPF_H, 2, 4, o), STORE(BPF_H, 2, 5, 6 + (o))

static const struct bpf_insn drop[] = { RETURN(XDP_DROP) };
static const struct bpf_insn pass[] = { RETURN(XDP_PASS) };
/* Back to where it came from */
static const struct bpf_insn tx[] = {
	LOAD(BPF_W, 2, 1, 0),	/* xdp_md.data */
	LOAD(BPF_W, 3, 1, 4),	/* xdp_md.data_end */
	INSN(BPF_ALU64 | BPF_MOV | BPF_X, 4, 2, 0, 0),
	INSN(BPF_ALU64 | BPF_ADD | BPF_K, 4, 0, 0, 14),
	INSN(BPF_JMP | BPF_JGT | BPF_X, 4, 3, 14, 0),
	SWAP(0), SWAP(2), SWAP(4),
	RETURN(XDP_TX),
	RETURN(XDP_DROP),
};

static const struct {
	const char *name;
	const struct bpf_insn *insn;
	unsigned int n;
} programs[] = {
	{ "drop", drop, sizeof(drop) / sizeof(drop[0]) },
	{ "pass", pass, sizeof(pass) / sizeof(pass[0]) },
	{ "tx", tx, sizeof(tx) / sizeof(tx[0]) },
	{ "off", NULL, 0 },
};

static int load(const struct bpf_insn *insn, unsigned int n)
{
	static char log[4096];
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_XDP;
	attr.insns = (uintptr_t)insn;
	attr.insn_cnt = n;
	attr.license = (uintptr_t)"GPL";
	attr.log_buf = (uintptr_t)log;
	attr.log_size = sizeof(log);
	attr.log_level = 1;
	attr.prog_flags = BPF_F_XDP_HAS_FRAGS;
	fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd < 0)
		fprintf(stderr, "xdp-load: bpf(BPF_PROG_LOAD): %s%s\n%s", strerror(errno),
			errno == ENOSYS ? "; the kernel needs CONFIG_BPF_SYSCALL" : "", log);
	return fd;
}

static struct rtattr *put(struct nlmsghdr *h, uint16_t type, const void *data, size_t len)
{
	struct rtattr *a = (struct rtattr *)((char *)h + NLMSG_ALIGN(h->nlmsg_len));

	a->rta_type = type;
	a->rta_len = RTA_LENGTH(len);
	if (len)
		memcpy(RTA_DATA(a), data, len);
	h->nlmsg_len = NLMSG_ALIGN(h->nlmsg_len) + RTA_ALIGN(a->rta_len);
	return a;
}

/* Returns the kernel's error number, 0 for none; @said gets its words, if any */
static int answer(int sock, char *said, size_t size)
{
	char buf[8192];
	struct nlmsghdr *h = (struct nlmsghdr *)buf;
	ssize_t n = recv(sock, buf, sizeof(buf), 0);
	struct nlmsgerr *e = NLMSG_DATA(h);
	char *at, *end;

	*said = 0;
	if (n < (ssize_t)NLMSG_LENGTH(sizeof(*e)) || h->nlmsg_type != NLMSG_ERROR)
		return EPROTO;
	if (!(h->nlmsg_flags & NLM_F_ACK_TLVS))
		return -e->error;
	at = (char *)e + sizeof(*e);
	if (!(h->nlmsg_flags & NLM_F_CAPPED))
		at += NLMSG_ALIGN(e->msg.nlmsg_len - sizeof(e->msg));
	end = buf + n;
	while (end - at >= (ssize_t)sizeof(struct rtattr)) {
		struct rtattr *a = (struct rtattr *)at;

		if (a->rta_len < sizeof(*a) || a->rta_len > end - at)
			break;
		if (a->rta_type == NLMSGERR_ATTR_MSG)
			snprintf(said, size, "%.*s", (int)RTA_PAYLOAD(a), (char *)RTA_DATA(a));
		at += RTA_ALIGN(a->rta_len);
	}
	return -e->error;
}

static int attach(unsigned int ifindex, uint32_t flags, int fd, char *said, size_t size)
{
	struct {
		struct nlmsghdr h;
		struct ifinfomsg i;
		char attrs[64];
	} req = {
		.h = { .nlmsg_len = NLMSG_LENGTH(sizeof(req.i)), .nlmsg_type = RTM_SETLINK,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
		.i = { .ifi_family = AF_UNSPEC, .ifi_index = ifindex },
	};
	int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), one = 1, err;
	struct rtattr *xdp;

	if (sock < 0)
		return errno;
	setsockopt(sock, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	xdp = put(&req.h, IFLA_XDP | NLA_F_NESTED, NULL, 0);
	put(&req.h, IFLA_XDP_FD, &fd, sizeof(fd));
	put(&req.h, IFLA_XDP_FLAGS, &flags, sizeof(flags));
	xdp->rta_len = (char *)&req + req.h.nlmsg_len - (char *)xdp;
	if (send(sock, &req, req.h.nlmsg_len, 0) < 0)
		err = errno;
	else
		err = answer(sock, said, size);
	close(sock);
	return err;
}

static int set(const char *name, unsigned int ifindex, uint32_t flags,
	       const struct bpf_insn *insn, unsigned int n)
{
	char said[256] = "";
	int fd = -1, err;

	if (insn) {
		fd = load(insn, n);
		if (fd < 0)
			return 1;
	}
	err = attach(ifindex, flags, fd, said, sizeof(said));
	if (fd >= 0)
		close(fd);
	if (!err)
		return 0;
	fprintf(stderr, "xdp-load: %s: %s%s%s\n", name, strerror(err), *said ? ": " : "", said);
	return 1;
}

int main(int argc, char **argv)
{
	bool generic = argc == 4 && !strcmp(argv[3], "generic");
	uint32_t flags = generic ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE;
	unsigned int ifindex = argc == 3 || generic ? if_nametoindex(argv[1]) : 0;

	if ((argc == 3 || generic) && !ifindex)
		return fprintf(stderr, "xdp-load: %s: no such interface\n", argv[1]), 2;
	for (size_t i = 0; ifindex && i < sizeof(programs) / sizeof(programs[0]); i++)
		if (!strcmp(argv[2], programs[i].name))
			return set(argv[1], ifindex, flags, programs[i].insn, programs[i].n);
	fprintf(stderr, "usage: xdp-load INTERFACE drop|pass|tx|off [generic]\n");
	return 2;
}
