// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets that netfilter queues to user space, and that stay there while the user's pages
 * go round: both the packet itself and the message that has its payload hold them.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../tap.h"
#include "paths.h"
#include "paths-tap.h"

#define BYTES		60000u
#define QUEUE		7
#define ROOM		(8 << 20)

/**
 * struct nfq_case - what to do with packets
 * @gso: have aggregated packets as they are, else in segments
 * @mangle: replace each packet, by the same bytes
 */
struct nfq_case {
	bool gso;
	bool mangle;
};

/* A message to the kernel */
struct nfq_msg {
	union {
		struct nlmsghdr nl;
		uint8_t bytes[1 << 17];
	};
};

static void msg_begin(struct nfq_msg *m, uint16_t type)
{
	struct nfgenmsg *g;

	memset(&m->nl, 0, NLMSG_SPACE(sizeof(*g)));
	m->nl.nlmsg_len = NLMSG_SPACE(sizeof(*g));
	m->nl.nlmsg_type = NFNL_SUBSYS_QUEUE << 8 | type;
	m->nl.nlmsg_flags = NLM_F_REQUEST;
	g = NLMSG_DATA(&m->nl);
	g->nfgen_family = AF_UNSPEC;
	g->res_id = htons(QUEUE);
}

static void msg_put(struct nfq_msg *m, uint16_t type, const void *data, size_t len)
{
	struct nlattr *a = (struct nlattr *)(m->bytes + NLMSG_ALIGN(m->nl.nlmsg_len));

	a->nla_type = type;
	a->nla_len = (uint16_t)(NLA_HDRLEN + len);
	memcpy((char *)a + NLA_HDRLEN, data, len);
	m->nl.nlmsg_len = NLMSG_ALIGN(m->nl.nlmsg_len) + NLA_ALIGN(a->nla_len);
}

static int msg_send(int fd, const struct nfq_msg *m)
{
	return send(fd, m, m->nl.nlmsg_len, 0) == (ssize_t)m->nl.nlmsg_len ? 0 : -errno;
}

static int nfq_config(int fd, const struct nfq_case *how)
{
	const struct nfqnl_msg_config_cmd bind = { .command = NFQNL_CFG_CMD_BIND, .pf = htons(AF_INET) };
	const struct nfqnl_msg_config_params params = {
		.copy_range = htonl(0xffff), .copy_mode = NFQNL_COPY_PACKET,
	};
	const uint32_t flags = htonl(how->gso ? NFQA_CFG_F_GSO : 0), mask = htonl(NFQA_CFG_F_GSO);
	static struct nfq_msg m;
	int err;

	msg_begin(&m, NFQNL_MSG_CONFIG);
	msg_put(&m, NFQA_CFG_CMD, &bind, sizeof(bind));
	err = msg_send(fd, &m);
	if (err)
		return err;
	msg_begin(&m, NFQNL_MSG_CONFIG);
	msg_put(&m, NFQA_CFG_PARAMS, &params, sizeof(params));
	msg_put(&m, NFQA_CFG_FLAGS, &flags, sizeof(flags));
	msg_put(&m, NFQA_CFG_MASK, &mask, sizeof(mask));
	return msg_send(fd, &m);
}

static int nfq_open(const struct nfq_case *how)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER), room = ROOM;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	if (!bind(fd, (const struct sockaddr *)&a, sizeof(a)) && !nfq_config(fd, how))
		return fd;
	close(fd);
	return -1;
}

static int nfq_accept(int fd, uint32_t id, const struct nlattr *payload, bool mangle)
{
	const struct nfqnl_msg_verdict_hdr hdr = { .verdict = htonl(NF_ACCEPT), .id = id };
	static struct nfq_msg m;

	msg_begin(&m, NFQNL_MSG_VERDICT);
	msg_put(&m, NFQA_VERDICT_HDR, &hdr, sizeof(hdr));
	if (mangle)
		msg_put(&m, NFQA_PAYLOAD, (const char *)payload + NLA_HDRLEN, payload->nla_len - NLA_HDRLEN);
	return msg_send(fd, &m);
}

/* One packet: look at it, let it go on */
static int nfq_packet(int fd, const struct nlmsghdr *nl, const struct nfq_case *how, struct tap_check *c)
{
	const char *at = (const char *)NLMSG_DATA(nl) + NLMSG_ALIGN(sizeof(struct nfgenmsg));
	const char *end = (const char *)nl + nl->nlmsg_len;
	const struct nfqnl_msg_packet_hdr *hdr = NULL;
	const struct nlattr *payload = NULL;

	while (end - at >= NLA_HDRLEN) {
		const struct nlattr *a = (const struct nlattr *)at;

		if ((a->nla_type & NLA_TYPE_MASK) == NFQA_PACKET_HDR)
			hdr = (const void *)(at + NLA_HDRLEN);
		else if ((a->nla_type & NLA_TYPE_MASK) == NFQA_PAYLOAD)
			payload = a;
		at += NLA_ALIGN(a->nla_len);
	}
	if (!hdr || !payload)
		return 0;
	tap_ip(c, (const uint8_t *)payload + NLA_HDRLEN, payload->nla_len - NLA_HDRLEN);
	return nfq_accept(fd, hdr->packet_id, payload, how->mangle);
}

/* All that is queued now; false if something does not work */
static bool nfq_release(int fd, const struct nfq_case *how, struct tap_check *c)
{
	static struct nfq_msg m;
	ssize_t n;

	while ((n = recv(fd, &m, sizeof(m), MSG_DONTWAIT)) > 0)
		for (struct nlmsghdr *nl = &m.nl; NLMSG_OK(nl, (size_t)n); nl = NLMSG_NEXT(nl, n)) {
			if (nl->nlmsg_type != (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET))
				continue;
			if (nfq_packet(fd, nl, how, c))
				return false;
		}
	return errno == EAGAIN;
}

/* Packets come as the peer is let to send them: hold, look, release, until all have come */
static bool nfq_pump(struct paths *p, int fd, const struct nfq_case *how, struct tap_check *c,
		     int stream, uint64_t bytes)
{
	uint64_t end = paths_now_ms() + 15000 * p->slow;
	unsigned int rounds = 0;
	int n = 0;

	while (!ioctl(stream, FIONREAD, &n) && (uint64_t)n < bytes) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };

		if (paths_now_ms() > end)
			break;
		if (poll(&pfd, 1, 100) <= 0)
			continue;
		if (!user_turns(p) || !nfq_release(fd, how, c))
			return false;
		rounds++;
	}
	tap_diag("held %u times, %u packets", rounds, c->packets);
	return (uint64_t)n == bytes;
}

/* The handshake goes through the queue as well */
static int nfq_connection(struct paths *p, int fd, const struct nfq_case *how,
			  struct tap_check *c, int listener)
{
	uint64_t end = paths_now_ms() + 5000 * p->slow;
	struct pollfd pfd = { .fd = listener, .events = POLLIN };

	while (paths_now_ms() < end && nfq_release(fd, how, c))
		if (poll(&pfd, 1, 5) == 1)
			return path_accept(p, listener);
	return -1;
}

static void run_nfq(struct paths *p, const struct path *path)
{
	const struct nfq_case *how = path->arg;
	const struct path_listen l = { .mss = 1448 };
	struct tap_check c = { .base = p->base, .port = PATHS_PORT };
	struct feed f = { .base = p->base, .bytes = BYTES, .paused = true };
	int fd = nfq_open(how), listener = path_listen(&l), stream = -1;

	if (!path_ok(p, fd >= 0 && listener >= 0, "there is a queue"))
		return;
	user_pause(p);
	if (feed_start(&f))
		stream = nfq_connection(p, fd, how, &c, listener);
	close(listener);
	if (path_ok(p, stream >= 0, "there is a connection")) {
		feed_pause(&f, false);
		paths_nap(100 * p->slow);
		path_written(p, 10 * 1448);
		user_resume(p);
		path_ok(p, nfq_pump(p, fd, how, &c, stream, f.bytes), "packets are held and let go");
		tap_tell(p, &c, f.bytes);
		path_read_all(p, stream, &f);
	}
	feed_stop(&f);
	close(fd);
}

#define QUEUE_SETUP								\
	"nft add table ip q\n"							\
	"nft add chain ip q in '{ type filter hook input priority 0; }'\n"	\
	"nft add rule ip q in tcp dport 9990 queue num 7\n"
#define QUEUE_UNDO	"nft delete table ip q"

const struct path paths_nfq[] = {
	{ "nfqueue", QUEUE_SETUP, QUEUE_UNDO, run_nfq, &(const struct nfq_case){ .gso = true } },
	{ "nfqueue of segments", QUEUE_SETUP, QUEUE_UNDO, run_nfq, &(const struct nfq_case){} },
	{ "nfqueue that mangles", QUEUE_SETUP, QUEUE_UNDO, run_nfq, &(const struct nfq_case){ .mangle = true } },
	{}
};
