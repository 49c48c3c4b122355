// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "nic-frames.h"

uint16_t be16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

uint32_t be32(const uint8_t *p)
{
	return (uint32_t)be16(p) << 16 | be16(p + 2);
}

static void set16(uint8_t *p, unsigned int v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static void set32(uint8_t *p, uint32_t v)
{
	set16(p, v >> 16);
	set16(p + 2, v);
}

/* The checksum as RFC 1071 tells it: one 16-bit word after the other */
static uint32_t add(uint32_t sum, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? p[i] : p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static uint32_t pseudo(const uint8_t *ip, int version, uint8_t proto, size_t l4_len)
{
	uint8_t tail[4] = { 0, proto, l4_len >> 8, l4_len };
	uint32_t sum = version == 4 ? add(0, ip + 12, 8) : add(0, ip + 8, 32);

	return add(sum, tail, 4);
}

uint8_t pattern(uint32_t i)
{
	return (i * 2654435761u) >> 24 ^ i;
}

bool pattern_ok(const uint8_t *p, size_t len, uint32_t first)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] != pattern(first + i))
			return false;
	return true;
}

struct flow tcp4(uint16_t sport, uint16_t dport)
{
	return (struct flow){
		.version = 4,
		.proto = 6,
		.src = { 192, 0, 2, 1 },
		.dst = { 192, 0, 2, 2 },
		.sport = sport,
		.dport = dport,
		.seq = 1000,
		.tcp_flags = 0x18,
		.tcp_opts = 12,
		.ip_id = 77,
	};
}

struct flow tcp6(uint16_t sport, uint16_t dport)
{
	struct flow f = tcp4(sport, dport);

	f.version = 6;
	memcpy(f.src, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	memcpy(f.dst, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2", 16);
	return f;
}

size_t frame_l3(const struct flow *f)
{
	return f->vlan ? 18 : 14;
}

size_t frame_l4(const struct flow *f)
{
	if (!f->version)
		return frame_l3(f);
	return frame_l3(f) +
	       (f->version == 4 ? 20 + f->ip_opts : 40 + f->ext + (f->fragment ? 8 : 0));
}

static size_t l4_hlen(const struct flow *f)
{
	return f->proto == 6 ? 20 + f->tcp_opts : 8;
}

size_t frame_headers(const struct flow *f)
{
	return f->version ? frame_l4(f) + l4_hlen(f) : frame_l3(f);
}

static void make_ipv4(uint8_t *ip, const struct flow *f, size_t total)
{
	size_t hlen = 20 + f->ip_opts;

	memset(ip, 0, hlen);
	ip[0] = 4 << 4 | hlen / 4;
	ip[1] = f->tos;
	set16(ip + 2, total);
	set16(ip + 4, f->ip_id);
	set16(ip + 6, f->fragment ? 0x2000 : 0x4000);
	ip[8] = f->ttl ? f->ttl : 64;
	ip[9] = f->proto;
	memcpy(ip + 12, f->src, 4);
	memcpy(ip + 16, f->dst, 4);
	memset(ip + 20, 1, f->ip_opts);		/* NOP */
	set16(ip + 10, ~add(0, ip, hlen));
	if (f->bad_ip_csum)
		ip[10] ^= 0x55;
}

static void make_ipv6(uint8_t *ip, const struct flow *f, size_t total)
{
	uint8_t *next = ip + 6, *ext = ip + 40;

	memset(ip, 0, 40);
	ip[0] = 6 << 4 | f->tos >> 4;
	ip[1] = f->tos << 4;
	set16(ip + 4, total - 40);
	ip[7] = f->ttl ? f->ttl : 64;
	memcpy(ip + 8, f->src, 16);
	memcpy(ip + 24, f->dst, 16);
	if (f->ext) {
		memset(ext, 0, f->ext);		/* PAD1 options */
		ext[1] = f->ext / 8 - 1;
		*next = 60;
		next = ext;
		ext += f->ext;
	}
	if (f->fragment) {
		memset(ext, 0, 8);
		ext[3] = 1;			/* more fragments */
		*next = 44;
		next = ext;
	}
	*next = f->proto;
}

static void make_l4(uint8_t *l4, const struct flow *f, const uint8_t *ip, size_t len)
{
	size_t csum_at = f->proto == 6 ? 16 : f->proto == 17 ? 6 : 2;
	uint32_t sum;

	memset(l4, 0, l4_hlen(f));
	set16(l4, f->sport);
	set16(l4 + 2, f->dport);
	if (f->proto == 6) {
		set32(l4 + 4, f->seq);
		l4[12] = l4_hlen(f) / 4 << 4;
		l4[13] = f->tcp_flags;
		set32(l4 + 8, f->ack);
		set16(l4 + 14, f->window ? f->window : 500);
		memset(l4 + 20, 1, f->tcp_opts);
		if (f->ts) {
			l4[22] = 8;
			l4[23] = 10;
			set32(l4 + 24, f->tsval);
			set32(l4 + 28, 4321);
		}
	} else if (f->proto == 17) {
		set16(l4 + 4, len);
	}
	if (f->fragment || f->no_udp_csum || (f->proto != 6 && f->proto != 17))
		return;
	sum = pseudo(ip, f->version, f->proto, len);
	sum = f->partial ? sum : (uint16_t)~add(sum, l4, len);
	set16(l4 + csum_at, sum || f->partial ? sum : 0xffff);
	if (f->bad_csum)
		l4[csum_at] ^= 0x10;
}

size_t frame_make(uint8_t *buf, const struct flow *f, uint32_t first, size_t payload)
{
	static const uint8_t macs[12] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 99 };
	size_t head = frame_headers(f), l3 = frame_l3(f), l4 = frame_l4(f);

	memcpy(buf, macs, 12);
	if (f->dmac)
		memcpy(buf, f->dmac, 6);
	if (f->vlan) {
		set16(buf + 12, 0x8100);
		set16(buf + 14, f->vlan);
	}
	set16(buf + l3 - 2, f->version == 4 ? 0x0800 : f->version == 6 ? 0x86dd : 0x0806);
	for (size_t i = 0; i < payload; i++)
		buf[head + i] = pattern(first + i);
	if (f->version == 4)
		make_ipv4(buf + l3, f, head - l3 + payload);
	else if (f->version == 6)
		make_ipv6(buf + l3, f, head - l3 + payload);
	if (f->version)
		make_l4(buf + l4, f, buf + l3, head - l4 + payload);
	return head + payload;
}

const char *frame_wrong(const uint8_t *p, size_t len, const struct flow *f)
{
	size_t l3 = frame_l3(f), l4 = frame_l4(f), head = frame_headers(f), total;

	if (len < head)
		return "it is shorter than its headers";
	if (f->vlan && (be16(p + 12) != 0x8100 || be16(p + 14) != f->vlan))
		return "its tag is wrong";
	if (be16(p + l3 - 2) != (f->version == 4 ? 0x0800 : 0x86dd))
		return "its ethertype is wrong";
	total = f->version == 4 ? be16(p + l3 + 2) : be16(p + l3 + 4) + 40u;
	if (l3 + total != len && len != 60)
		return "its IP length is wrong";
	if (f->version == 4 && add(0, p + l3, 20 + f->ip_opts) != 0xffff)
		return "its IP checksum is wrong";
	if (memcmp(p + l3 + (f->version == 4 ? 12 : 8), f->src, f->version == 4 ? 4 : 16))
		return "its source address is wrong";
	if (be16(p + l4) != f->sport || be16(p + l4 + 2) != f->dport)
		return "its ports are wrong";
	if (f->proto == 17 && be16(p + l4 + 4) != l3 + total - l4)
		return "its UDP length is wrong";
	if (f->merged)
		return be16(p + l4 + 16) == pseudo(p + l3, f->version, f->proto, l3 + total - l4) ?
			       NULL :
			       "its TCP checksum is not the pseudo header's sum";
	if (add(pseudo(p + l3, f->version, f->proto, l3 + total - l4), p + l4, l3 + total - l4) !=
	    0xffff)
		return "its TCP or UDP checksum is wrong";
	return NULL;
}
