// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packet sockets. The stream has been read and its socket is gone when the user's
 * pages go round, so that only the packet socket has the packets.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../tap.h"
#include "paths.h"
#include "paths-tap.h"
#include "pattern.h"

#define BYTES		150000u
#define ROOM		(8 << 20)
#define RING_BLOCK	(1 << 17)
#define RING_BLOCKS	16
#define RING_FRAME	2048

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void tap_payload(struct tap_check *c, uint64_t pos, const uint8_t *p, size_t len)
{
	size_t right = pattern_check(p, c->base + pos, len);

	c->packets++;
	c->bytes += right;
	c->wrong += len - right;
}

static void tap_tcp(struct tap_check *c, const uint8_t *tcp, size_t len)
{
	size_t head = len >= 20 ? (size_t)(tcp[12] >> 4) * 4 : 0;

	if (!head || len < head || get16(tcp + 2) != c->port)
		return;
	if (tcp[13] & 0x02) {
		c->isn = get32(tcp + 4) + 1;
		c->have_isn = true;
	} else if (c->have_isn && len > head) {
		tap_payload(c, get32(tcp + 4) - c->isn, tcp + head, len - head);
	}
}

/* Datagrams come in order, or the ones that follow are wrong */
static void tap_udp(struct tap_check *c, const uint8_t *udp, size_t len)
{
	if (len > 8 && get16(udp + 2) == c->port)
		tap_payload(c, c->bytes + c->wrong, udp + 8, len - 8);
}

/**
 * tap_ip() - look at a packet
 * @c: what is counted
 * @ip: IPv4 packet; others are nobody's business
 * @len: bytes there are of it
 */
void tap_ip(struct tap_check *c, const uint8_t *ip, size_t len)
{
	size_t head = len >= 20 ? (size_t)(ip[0] & 15) * 4 : 0;

	if (!head || len < head || ip[0] >> 4 != 4)
		return;
	if (len > get16(ip + 2))
		len = get16(ip + 2);
	if (ip[9] == IPPROTO_TCP)
		tap_tcp(c, ip + head, len - head);
	else if (ip[9] == IPPROTO_UDP)
		tap_udp(c, ip + head, len - head);
}

/**
 * tap_frame() - look at a frame
 * @c: what is counted
 * @frame: Ethernet frame
 * @len: bytes there are of it
 */
void tap_frame(struct tap_check *c, const uint8_t *frame, size_t len)
{
	if (len > ETH_HLEN && get16(frame + 12) == ETH_P_IP)
		tap_ip(c, frame + ETH_HLEN, len - ETH_HLEN);
}

/**
 * tap_tell() - say how it was
 * @p: the run
 * @c: what was counted
 * @bytes: how much there should be
 */
void tap_tell(struct paths *p, const struct tap_check *c, uint64_t bytes)
{
	if (!path_ok(p, !c->wrong && c->bytes >= bytes, "every byte in the packets held is right"))
		tap_diag("%llu of %llu bytes right, %llu wrong, in %u packets", (unsigned long long)c->bytes,
			  (unsigned long long)bytes, (unsigned long long)c->wrong, c->packets);
}

/* Only what goes to our port, so that the user's stream does not take the room */
static int tap_filter(int fd, unsigned int cut)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 4),
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, ETH_HLEN),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, ETH_HLEN + 2),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PATHS_PORT, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, cut ? cut : 1 << 18),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog prog = { sizeof(code) / sizeof(code[0]), code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog));
}

static int tap_bind(int fd, const char *dev)
{
	struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int room = ROOM;

	a.sll_ifindex = (int)if_nametoindex(dev);
	if (!a.sll_ifindex)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	return bind(fd, (const struct sockaddr *)&a, sizeof(a));
}

/**
 * tap_open() - a packet socket for what goes to our port
 * @ns: network namespace, NULL: the own one
 * @dev: interface
 * @cut: bytes that are kept of a frame, 0: all
 *
 * Return: the socket or -1.
 */
int tap_open(const char *ns, const char *dev, unsigned int cut)
{
	int saved = ns ? paths_in_ns(ns) : -1, fd;

	if (ns && saved < 0)
		return -1;
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd >= 0 && (tap_filter(fd, cut) || tap_bind(fd, dev))) {
		close(fd);
		fd = -1;
	}
	if (ns)
		paths_back(saved);
	return fd;
}

/**
 * tap_read() - look at all that a packet socket has
 * @c: what is counted
 * @fd: the socket
 */
void tap_read(struct tap_check *c, int fd)
{
	static uint8_t buf[1 << 17];
	ssize_t n;

	while ((n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0)
		tap_frame(c, buf, (size_t)n);
}

/* The stream comes, is read, its socket closed; the user's pages go round */
static bool tap_stream(struct paths *p, struct feed *f)
{
	const struct path_listen l = { .mss = 1448 };
	int fd;

	if (!path_arrive(p, &l, f, &fd))
		return false;
	path_read_all(p, fd, f);
	return path_ok(p, user_turns(p), "the user's pages go round");
}

static void run_queue(struct paths *p, const struct path *path)
{
	struct tap_check c = { .base = p->base, .port = PATHS_PORT };
	struct feed f = { .bytes = BYTES };
	int fd = tap_open(NULL, p->iface, 0);

	(void)path;
	if (!path_ok(p, fd >= 0, "there is a packet socket"))
		return;
	if (tap_stream(p, &f)) {
		tap_read(&c, fd);
		tap_tell(p, &c, f.bytes);
	}
	close(fd);
}

/* The filter cuts frames, of which the clones' fragments go with that */
static void run_cut(struct paths *p, const struct path *path)
{
	struct tap_check c = { .base = p->base, .port = PATHS_PORT };
	struct feed f = { .bytes = BYTES };
	int fd = tap_open(NULL, p->iface, 500);

	(void)path;
	if (!path_ok(p, fd >= 0, "there is a packet socket"))
		return;
	if (tap_stream(p, &f)) {
		tap_read(&c, fd);
		path_ok(p, c.bytes < f.bytes, "frames are cut");
		tap_tell(p, &c, 1000);
	}
	close(fd);
}

/* --- rings --------------------------------------------------------------- */

static uint8_t *ring_open(int fd, int version, unsigned int frame)
{
	struct tpacket_req3 req = {
		.tp_block_size = RING_BLOCK, .tp_block_nr = RING_BLOCKS, .tp_frame_size = frame,
		.tp_frame_nr = RING_BLOCK / frame * RING_BLOCKS, .tp_retire_blk_tov = 50,
	};
	void *map;

	if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &req,
		       version == TPACKET_V3 ? sizeof(req) : sizeof(struct tpacket_req)))
		return NULL;
	map = mmap(NULL, (size_t)RING_BLOCK * RING_BLOCKS, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return map == MAP_FAILED ? NULL : map;
}

static void block_read(struct tap_check *c, const uint8_t *block)
{
	const struct tpacket_block_desc *d = (const void *)block;
	const uint8_t *at = block + d->hdr.bh1.offset_to_first_pkt;

	if (!(d->hdr.bh1.block_status & TP_STATUS_USER))
		return;
	for (uint32_t i = 0; i < d->hdr.bh1.num_pkts; i++) {
		const struct tpacket3_hdr *h = (const void *)at;

		tap_frame(c, at + h->tp_mac, h->tp_snaplen);
		at += h->tp_next_offset;
	}
}

static void run_ring3(struct paths *p, const struct path *path)
{
	struct tap_check c = { .base = p->base, .port = PATHS_PORT };
	struct feed f = { .bytes = BYTES };
	int fd = tap_open(NULL, p->iface, 0);
	uint8_t *ring = fd >= 0 ? ring_open(fd, TPACKET_V3, RING_BLOCK / 2) : NULL;

	(void)path;
	if (path_ok(p, ring, "there is a ring") && tap_stream(p, &f)) {
		for (int i = 0; i < RING_BLOCKS; i++)
			block_read(&c, ring + (size_t)i * RING_BLOCK);
		tap_tell(p, &c, f.bytes);
	}
	if (ring)
		munmap(ring, (size_t)RING_BLOCK * RING_BLOCKS);
	if (fd >= 0)
		close(fd);
}

/* Frames that have no room in their slot are in the socket's queue as well */
static void run_ring2(struct paths *p, const struct path *path)
{
	static uint8_t buf[1 << 17];
	struct tap_check c = { .base = p->base, .port = PATHS_PORT };
	struct feed f = { .bytes = BYTES };
	int fd = tap_open(NULL, p->iface, 0), one = 1;
	uint8_t *ring = NULL;
	unsigned int queued = 0;

	(void)path;
	if (fd >= 0 && !setsockopt(fd, SOL_PACKET, PACKET_COPY_THRESH, &one, sizeof(one)))
		ring = ring_open(fd, TPACKET_V2, RING_FRAME);
	if (path_ok(p, ring, "there is a ring") && tap_stream(p, &f)) {
		for (int i = 0; i < RING_BLOCK / RING_FRAME * RING_BLOCKS; i++) {
			const struct tpacket2_hdr *h = (const void *)(ring + (size_t)i * RING_FRAME);
			ssize_t n;

			if (!(h->tp_status & TP_STATUS_USER))
				break;
			if (h->tp_status & TP_STATUS_COPY) {
				n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
				tap_frame(&c, buf, n > 0 ? (size_t)n : 0);
				queued++;
			} else {
				tap_frame(&c, (const uint8_t *)h + h->tp_mac, h->tp_snaplen);
			}
		}
		path_ok(p, queued, "%u frames were too long for their slot", queued);
		tap_tell(p, &c, f.bytes);
	}
	if (ring)
		munmap(ring, (size_t)RING_BLOCK * RING_BLOCKS);
	if (fd >= 0)
		close(fd);
}

/* --- fanout -------------------------------------------------------------- */

#define FANOUT_SOCKETS	3

static void run_fanout(struct paths *p, const struct path *path)
{
	const int group = 7 | (PACKET_FANOUT_LB | PACKET_FANOUT_FLAG_DEFRAG) << 16;
	struct tap_check c = { .base = p->base, .port = PATHS_PORT };
	struct feed f = { .bytes = BYTES };
	int fd[FANOUT_SOCKETS], i, good = 0;
	unsigned int share = 0, packets;

	(void)path;
	for (i = 0; i < FANOUT_SOCKETS; i++) {
		fd[i] = tap_open(NULL, p->iface, 0);
		good += fd[i] >= 0 && !setsockopt(fd[i], SOL_PACKET, PACKET_FANOUT, &group, sizeof(group));
	}
	if (path_ok(p, good == FANOUT_SOCKETS, "%d sockets share the packets", FANOUT_SOCKETS) &&
	    tap_stream(p, &f)) {
		/* which of them has the SYN? look at all twice */
		for (i = 0; i < FANOUT_SOCKETS; i++) {
			uint8_t syn[128];

			if (recv(fd[i], syn, sizeof(syn), MSG_PEEK | MSG_DONTWAIT) > 0)
				tap_frame(&c, syn, sizeof(syn));
		}
		c.packets = c.bytes = c.wrong = 0;
		for (i = 0; i < FANOUT_SOCKETS; i++) {
			packets = c.packets;
			tap_read(&c, fd[i]);
			share += c.packets > packets;
		}
		path_ok(p, share == FANOUT_SOCKETS, "each has some");
		tap_tell(p, &c, f.bytes);
	}
	for (i = 0; i < FANOUT_SOCKETS; i++)
		if (fd[i] >= 0)
			close(fd[i]);
}

const struct path paths_tap[] = {
	{ "packet socket", .run = run_queue },
	{ "packet socket without aggregation", .run = run_queue,
	  .setup = "ethtool -K eth0 gro off rx-gro-hw off",
	  .undo = "ethtool -K eth0 gro on rx-gro-hw on" },
	{ "packet socket that cuts", .run = run_cut },
	{ "packet ring", .run = run_ring3 },
	{ "packet ring with copies", .run = run_ring2 },
	{ "packet fanout", .run = run_fanout },
	{}
};
