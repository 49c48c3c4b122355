// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "core.h"
#include "csum.h"

#define IPV6_HLEN	40u
#define MAX_EXT_HDRS	8
#define DEEPEST		HEAD_MAX	/* offsets beyond are not looked at */

enum {
	IPPROTO_HBH = 0, IPPROTO_TCP_ = 6, IPPROTO_UDP_ = 17, IPPROTO_ROUTE = 43, IPPROTO_FRAG = 44,
	IPPROTO_AH_ = 51, IPPROTO_DST = 60,
};

struct cursor {
	const uint8_t *p;
	size_t have;
	size_t len;	/* of the whole frame, at least have */
	size_t at;
};

static bool has(const struct cursor *c, size_t bytes)
{
	return c->at <= c->have && c->have - c->at >= bytes;
}

/*
 * Length of an IP packet whose length field is @field. Senders that hand over
 * more than 64 KB for segmentation (BIG TCP) write 0 there.
 */
static size_t ip_length(const struct cursor *c, size_t field, size_t fixed)
{
	size_t rest = c->len - c->at;

	return !field && rest > 0xffff ? rest : field + fixed;
}

/* Returns the offset of the packet's end in the frame, 0 if this is not sound IPv4 */
static size_t parse_ipv4(struct cursor *c, struct parsed *o)
{
	const uint8_t *ip = c->p + c->at;
	size_t hlen, total;
	uint16_t frag;

	if (!has(c, 20) || ip[0] >> 4 != 4)
		return 0;
	hlen = (ip[0] & 15) * 4u;
	total = ip_length(c, get_be16(ip + 2), 0);
	if (hlen < 20 || !has(c, hlen) || total < hlen || total > c->len - c->at)
		return 0;

	frag = get_be16(ip + 6);
	o->ip_version = 4;
	o->ip_csum_ok = csum_fold(csum_bytes(ip, hlen)) == 0xffff;
	o->l4_proto = ip[9];
	o->fragment = frag & 0x3fff;	/* offset or "more fragments" */
	c->at += hlen;
	return c->at - hlen + total;
}

static size_t parse_ipv6(struct cursor *c, struct parsed *o)
{
	const uint8_t *ip = c->p + c->at;
	size_t total;

	if (!has(c, IPV6_HLEN) || ip[0] >> 4 != 6)
		return 0;
	total = ip_length(c, get_be16(ip + 4), IPV6_HLEN);
	if (total > c->len - c->at)
		return 0;

	o->ip_version = 6;
	o->ip_csum_ok = true;
	o->l4_proto = ip[6];
	c->at += IPV6_HLEN;
	return c->at - IPV6_HLEN + total;
}

/* Steps over extension headers; stops at the first thing that is none, or that is cut off */
static void parse_ipv6_exts(struct cursor *c, size_t end, struct parsed *o)
{
	for (unsigned int i = 0; i < MAX_EXT_HDRS; i++) {
		const uint8_t *ext = c->p + c->at;
		size_t len;

		switch (o->l4_proto) {
		case IPPROTO_HBH:
		case IPPROTO_ROUTE:
		case IPPROTO_DST:
			if (!has(c, 8))
				return;
			len = (ext[1] + 1u) * 8;
			break;
		case IPPROTO_AH_:
			if (!has(c, 8))
				return;
			len = (ext[1] + 2u) * 4;
			break;
		case IPPROTO_FRAG:
			if (!has(c, 8))
				return;
			len = 8;
			if (get_be16(ext + 2) & 0xfff9)
				o->fragment = true;
			break;
		default:
			return;
		}
		if (!has(c, len) || c->at + len > end)
			return;
		o->l4_proto = ext[0];
		c->at += len;
		if (o->fragment)
			return;
	}
}

static void parse_l4(struct cursor *c, size_t end, struct parsed *o)
{
	const uint8_t *l4 = c->p + c->at;
	size_t hlen, len = end - c->at;

	if (o->fragment)
		return;
	if (o->l4_proto == IPPROTO_TCP_) {
		if (!has(c, 20))
			return;
		hlen = (l4[12] >> 4) * 4u;
		if (hlen < 20 || hlen > len || !has(c, hlen))
			return;
		o->seq = get_be32(l4 + 4);
		o->csum_at = c->at + 16;
	} else if (o->l4_proto == IPPROTO_UDP_) {
		if (!has(c, 8) || len < 8)
			return;
		hlen = 8;
		if (get_be16(l4 + 4) >= 8 && get_be16(l4 + 4) < len)
			len = get_be16(l4 + 4);
		o->csum_at = c->at + 6;
	} else {
		return;
	}
	o->has_l4 = true;
	o->l4_len = len;
	o->sport = get_be16(l4);
	o->dport = get_be16(l4 + 2);
	o->payload = c->at + hlen;
}

/**
 * parse_frame - look into a frame
 * @p: frame, from the destination address on
 * @have: bytes that may be read at @p
 * @len: length of the whole frame, at least @have
 * @out: what was found
 *
 * Headers that contradict the frame's length are treated as unknown.
 *
 * Return: false if not even an Ethernet header is there.
 */
bool parse_frame(const uint8_t *p, size_t have, size_t len, struct parsed *out)
{
	struct cursor c = {
		.p = p, .have = have < DEEPEST ? have : DEEPEST, .len = len, .at = ETH_HLEN
	};
	size_t end;

	memset(out, 0, sizeof(*out));
	if (c.have < ETH_HLEN)
		return false;
	out->ethertype = get_be16(p + 12);
	if ((out->ethertype == ETH_P_8021Q || out->ethertype == ETH_P_8021AD) &&
	    has(&c, VLAN_HLEN)) {
		out->tagged = true;
		out->tpid = out->ethertype;
		out->tci = get_be16(p + 14);
		out->ethertype = get_be16(p + 16);
		c.at += VLAN_HLEN;
	}
	out->l3 = c.at;
	out->l4 = c.at;
	out->payload = c.at;

	if (out->ethertype == ETH_P_IP)
		end = parse_ipv4(&c, out);
	else if (out->ethertype == ETH_P_IPV6)
		end = parse_ipv6(&c, out);
	else
		end = 0;
	if (!end)
		return true;

	if (out->ip_version == 6)
		parse_ipv6_exts(&c, end, out);
	out->l4 = c.at;
	out->l4_len = end - c.at;
	out->payload = c.at;
	parse_l4(&c, end, out);
	return true;
}

/**
 * parse_pseudo_sum - sum of the pseudo header of TCP and UDP (RFC 9293, RFC 8200)
 * @frame: frame that was parsed
 * @p: result of the parse, with IP in it
 * @l4_len: length of the TCP segment or UDP datagram
 *
 * Return: the sum, not folded.
 */
uint32_t parse_pseudo_sum(const uint8_t *frame, const struct parsed *p, uint32_t l4_len)
{
	const uint8_t *ip = frame + p->l3;
	uint32_t sum, tail[2];

	sum = p->ip_version == 4 ? csum_bytes(ip + 12, 8) : csum_bytes(ip + 8, 32);
	put_be32(&tail[0], l4_len);
	put_be32(&tail[1], p->l4_proto);
	return csum_add(csum_add(sum, tail[0]), tail[1]);
}
