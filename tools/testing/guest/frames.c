// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * frames - put frames on a wire, as many and as exactly as told
 *
 *	frames tap0 1000 dst=02:00:00:57:50:04 ip4=192.0.2.1,192.0.2.2 udp=2000,7001 ports=64
 *
 * sends 1000 datagrams from 64 source ports in turn, 2000 and up. What a test of
 * receive filters needs to know is which queue they come to.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRAME_MAX	1514

struct spec {
	uint8_t dst[6], src[6];
	unsigned int vlan;	/* 0: untagged */
	unsigned int type;	/* of a frame that is not IP */
	int family;		/* AF_INET, AF_INET6, 0 */
	uint8_t from[16], to[16];
	unsigned int proto;
	unsigned int sport, dport;
	unsigned int ports;	/* source ports, from sport on */
	unsigned int sources;	/* source addresses, from @from on (last byte counts up) */
	unsigned int len;	/* payload */
	bool bad_csum;		/* of TCP or UDP */
};

static const char usage[] =
	"Usage: frames INTERFACE COUNT [KEY=VALUE]...\n"
	"  dst=MAC src=MAC vlan=ID type=0xTYPE len=BYTES\n"
	"  ip4=FROM,TO or ip6=FROM,TO; sources=N addresses, FROM and up\n"
	"  tcp=SPORT,DPORT or udp=SPORT,DPORT; ports=N source ports, SPORT and up\n"
	"  proto=N another IP protocol; csum=bad a wrong checksum of TCP or UDP\n";

static bool put_mac(uint8_t mac[6], const char *s)
{
	int n = 0;

	return sscanf(s, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2],
		      &mac[3], &mac[4], &mac[5], &n) == 6 && !s[n];
}

static bool put_pair(int family, struct spec *f, const char *s)
{
	char from[64];
	const char *comma = strchr(s, ',');

	if (!comma || (size_t)(comma - s) >= sizeof(from))
		return false;
	memcpy(from, s, comma - s);
	from[comma - s] = 0;
	f->family = family;
	return inet_pton(family, from, f->from) == 1 && inet_pton(family, comma + 1, f->to) == 1;
}

static bool put_ports(unsigned int proto, struct spec *f, const char *s)
{
	f->proto = proto;
	return sscanf(s, "%u,%u", &f->sport, &f->dport) == 2;
}

static bool put_number(unsigned int *n, const char *s)
{
	char *end;

	*n = strtoul(s, &end, 0);
	return *s && !*end;
}

static bool parse(struct spec *f, const char *word)
{
	const char *value = strchr(word, '=');
	size_t len;

	if (!value)
		return false;
	len = value++ - word;
#define IS(name) (len == sizeof(name) - 1 && !memcmp(word, name, len))
	return IS("dst")     ? put_mac(f->dst, value) :
	       IS("src")     ? put_mac(f->src, value) :
	       IS("vlan")    ? put_number(&f->vlan, value) :
	       IS("type")    ? put_number(&f->type, value) :
	       IS("len")     ? put_number(&f->len, value) && f->len <= 1400 :
	       IS("ip4")     ? put_pair(AF_INET, f, value) :
	       IS("ip6")     ? put_pair(AF_INET6, f, value) :
	       IS("tcp")     ? put_ports(IPPROTO_TCP, f, value) :
	       IS("udp")     ? put_ports(IPPROTO_UDP, f, value) :
	       IS("proto")   ? put_number(&f->proto, value) :
	       IS("csum")    ? (f->bad_csum = !strcmp(value, "bad")) :
	       IS("ports")   ? put_number(&f->ports, value) && f->ports :
	       IS("sources") ? put_number(&f->sources, value) && f->sources :
			       false;
#undef IS
}

static uint32_t add_up(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += p[i] << 8 | p[i + 1];
	return len & 1 ? sum + (p[len - 1] << 8) : sum;
}

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* Header of TCP (a segment that belongs to nothing) or UDP, and payload; returns the length */
static size_t put_l4(uint8_t *p, const struct spec *f, unsigned int i)
{
	size_t head = f->proto == IPPROTO_TCP ? 20 : f->proto == IPPROTO_UDP ? 8 : 0;

	memset(p, 0, head + f->len);
	if (head) {
		put16(p, f->sport + i % f->ports);
		put16(p + 2, f->dport);
	}
	if (f->proto == IPPROTO_UDP)
		put16(p + 4, head + f->len);
	if (f->proto == IPPROTO_TCP) {
		p[12] = 5 << 4;
		p[13] = 0x04;	/* RST: nobody answers it */
	}
	return head + f->len;
}

static void put_l4_csum(uint8_t *l4, size_t len, const struct spec *f, const uint8_t *addrs,
			size_t addrs_len)
{
	uint32_t sum = add_up(addrs, addrs_len) + len + f->proto;
	uint16_t csum;

	if (f->proto != IPPROTO_TCP && f->proto != IPPROTO_UDP)
		return;
	csum = fold(sum + add_up(l4, len));
	if (!csum)
		csum = 0xffff;
	if (f->bad_csum)	/* but never 0, which is "none" in UDP */
		csum ^= csum == 0x0100 ? 0x0300 : 0x0100;
	put16(l4 + (f->proto == IPPROTO_TCP ? 16 : 6), csum);
}

static size_t put_ip4(uint8_t *ip, const struct spec *f, unsigned int i)
{
	size_t len;

	memset(ip, 0, 20);
	ip[0] = 0x45;
	ip[8] = 64;
	ip[9] = f->proto;
	memcpy(ip + 12, f->from, 4);
	ip[15] += i % f->sources;
	memcpy(ip + 16, f->to, 4);
	len = put_l4(ip + 20, f, i);
	put16(ip + 2, 20 + len);
	put16(ip + 10, fold(add_up(ip, 20)));
	put_l4_csum(ip + 20, len, f, ip + 12, 8);
	return 20 + len;
}

static size_t put_ip6(uint8_t *ip, const struct spec *f, unsigned int i)
{
	size_t len;

	memset(ip, 0, 40);
	ip[0] = 0x60;
	ip[6] = f->proto;
	ip[7] = 64;
	memcpy(ip + 8, f->from, 16);
	ip[23] += i % f->sources;
	memcpy(ip + 24, f->to, 16);
	len = put_l4(ip + 40, f, i);
	put16(ip + 4, len);
	put_l4_csum(ip + 40, len, f, ip + 8, 32);
	return 40 + len;
}

static size_t make(uint8_t *p, const struct spec *f, unsigned int i)
{
	size_t at = 12, body;

	memcpy(p, f->dst, 6);
	memcpy(p + 6, f->src, 6);
	if (f->vlan) {
		put16(p + at, ETHERTYPE_VLAN);
		put16(p + at + 2, f->vlan);
		at += 4;
	}
	put16(p + at, f->family == AF_INET  ? ETHERTYPE_IP :
		      f->family == AF_INET6 ? ETHERTYPE_IPV6 :
					      f->type);
	at += 2;
	if (f->family == AF_INET) {
		body = put_ip4(p + at, f, i);
	} else if (f->family == AF_INET6) {
		body = put_ip6(p + at, f, i);
	} else {
		memset(p + at, 0, f->len);
		body = f->len;
	}
	at += body;
	if (at < 60) {
		memset(p + at, 0, 60 - at);
		at = 60;
	}
	return at;
}

/* Frames that the interface had no room for, and told nobody about */
static unsigned long dropped(const char *interface)
{
	size_t len = strlen(interface);
	char line[512];
	unsigned long n = 0;
	FILE *f = fopen("/proc/net/dev", "re");	/* unlike /sys it shows one's own namespace */

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f)) {
		const char *p = line + strspn(line, " ");

		/* eight counters of reception, then bytes, packets, errors and drops */
		if (!strncmp(p, interface, len) && p[len] == ':' &&
		    sscanf(p + len + 1, "%*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %lu", &n) != 1)
			n = 0;
	}
	fclose(f);
	return n;
}

/* Sends frame @i; a full queue is waited for */
static bool send_one(int fd, const struct sockaddr_ll *to, const struct spec *f, unsigned int i)
{
	uint8_t frame[FRAME_MAX];
	size_t len = make(frame, f, i);

	while (sendto(fd, frame, len, 0, (const struct sockaddr *)to, sizeof(*to)) < 0) {
		if (errno != ENOBUFS && errno != EAGAIN)
			return false;
		usleep(1000);
	}
	return true;
}

int main(int argc, char **argv)
{
	struct spec f = { .src = { 2, 0, 0, 0, 0, 1 }, .ports = 1, .sources = 1, .len = 18,
			  .type = 0x88b5 /* for local experiments */ };
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_halen = 6 };
	unsigned int count, left, sent = 0;
	unsigned long lost, before;
	int fd;

	if (argc < 3 || !put_number(&count, argv[2]))
		return fputs(usage, stderr), 2;
	for (int i = 3; i < argc; i++)
		if (!parse(&f, argv[i]))
			return fprintf(stderr, "frames: %s is not understood\n%s", argv[i], usage), 2;
	to.sll_ifindex = if_nametoindex(argv[1]);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0 || !to.sll_ifindex)
		return fprintf(stderr, "frames: %s: %s\n", argv[1], strerror(errno)), 1;
	before = dropped(argv[1]);
	for (left = count; left; left = lost - before, before = lost) {
		for (; left; left--) {
			if (!send_one(fd, &to, &f, sent++))
				return fprintf(stderr, "frames: %s: %s\n", argv[1],
					       strerror(errno)), 1;
			/* a TAP holds some hundreds */
			if (sent % 100 == 0)
				usleep(1000);
		}
		lost = dropped(argv[1]);
	}
	close(fd);
	return 0;
}
