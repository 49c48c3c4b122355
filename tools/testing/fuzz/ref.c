// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "ref.h"

#define MAX_EXTS 8

static unsigned int be(const uint8_t *p)
{
	return (unsigned int)p[0] << 8 | p[1];
}

/**
 * ref_sum - Internet checksum of a block, word by word (RFC 1071)
 * @sum: sum of what is before
 * @p: block
 * @len: its bytes
 *
 * Return: the folded sum, big endian words.
 */
uint16_t ref_sum(uint32_t sum, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (sum & 0xffff) + (sum >> 16);
}

/**
 * ref_l4_sum - sum over pseudo header and segment (RFC 9293, RFC 768, RFC 8200)
 * @f: frame
 * @r: its parse, with TCP or UDP
 *
 * Return: the sum; 0xffff if the checksum in it is right.
 */
uint16_t ref_l4_sum(const uint8_t *f, const struct ref *r)
{
	size_t n = r->l4_end - r->l4_at;
	const uint8_t tail[4] = { n >> 8, n, 0, r->proto };
	uint16_t sum = r->version == 4 ? ref_sum(0, f + r->l3 + 12, 8) :
					 ref_sum(0, f + r->l3 + 8, 32);

	return ref_sum(ref_sum(sum, tail, 4), f + r->l4_at, n);
}

/**
 * ref_toeplitz - RSS hash, bit by bit
 * @key: 40 bytes
 * @in: input
 * @len: its bytes, at most 36
 *
 * Return: the hash.
 */
uint32_t ref_toeplitz(const uint8_t *key, const uint8_t *in, size_t len)
{
	uint32_t hash = 0;

	for (size_t bit = 0; bit < len * 8; bit++) {
		if (!(in[bit / 8] & 0x80 >> bit % 8))
			continue;
		for (unsigned int k = 0; k < 32; k++)
			if (key[(bit + k) / 8] & 0x80 >> (bit + k) % 8)
				hash ^= 0x80000000u >> k;
	}
	return hash;
}

/* Returns whether the headers are sound, and sets where the next protocol begins */
static bool parse_ip4(const uint8_t *f, size_t len, size_t seen, struct ref *r, bool *fragment)
{
	const uint8_t *ip = f + r->l3;
	size_t room = len - r->l3, hlen, total;

	if (r->l3 + 20 > seen || ip[0] >> 4 != 4)
		return false;
	hlen = (ip[0] & 15) * 4u;
	total = be(ip + 2);
	if (!total && room > 0xffff)
		total = room;
	if (hlen < 20 || r->l3 + hlen > seen || total < hlen || total > room)
		return false;
	r->version = 4;
	r->proto = ip[9];
	r->l4_at = r->l3 + hlen;
	r->ip_end = r->l3 + total;
	r->ip_csum_good = ref_sum(0, ip, hlen) == 0xffff;
	*fragment = be(ip + 6) & 0x3fff;
	return true;
}

static size_t ext_len(int proto, const uint8_t *ext)
{
	switch (proto) {
	case 0:
	case 43:
	case 60: return 8u * ext[1] + 8;
	case 44: return 8;
	case 51: return 4u * ext[1] + 8;
	}
	return 0;
}

static bool parse_ip6(const uint8_t *f, size_t len, size_t seen, struct ref *r, bool *fragment)
{
	const uint8_t *ip = f + r->l3;
	size_t room = len - r->l3, total;

	if (r->l3 + 40 > seen || ip[0] >> 4 != 6)
		return false;
	total = be(ip + 4);
	total = !total && room > 0xffff ? room : total + 40;
	if (total > room)
		return false;
	r->version = 6;
	r->proto = ip[6];
	r->l4_at = r->l3 + 40;
	r->ip_end = r->l3 + total;
	r->ip_csum_good = true;
	for (int i = 0; i < MAX_EXTS && r->l4_at + 8 <= seen; i++) {
		const uint8_t *ext = f + r->l4_at;
		size_t n = ext_len(r->proto, ext);
		bool frag = r->proto == 44 && be(ext + 2) & 0xfff9;

		if (!n)
			break;
		*fragment |= frag;
		if (r->l4_at + n > seen || r->l4_at + n > r->ip_end)
			break;
		r->proto = ext[0];
		r->l4_at += n;
		if (*fragment)
			break;
	}
	return true;
}

static void parse_l4(const uint8_t *f, size_t seen, struct ref *r)
{
	size_t room = r->ip_end - r->l4_at, hlen;
	const uint8_t *l4 = f + r->l4_at;

	if (r->proto == 6) {
		if (r->l4_at + 20 > seen)
			return;
		hlen = (l4[12] >> 4) * 4u;
		if (hlen < 20 || hlen > room || r->l4_at + hlen > seen)
			return;
		r->l4_end = r->ip_end;
	} else if (r->proto == 17) {
		if (r->l4_at + 8 > seen || room < 8)
			return;
		hlen = 8;
		r->l4_end = r->l4_at + (be(l4 + 4) >= 8 && be(l4 + 4) < room ? be(l4 + 4) : room);
	} else {
		return;
	}
	r->l4 = true;
	r->split = r->l4_at + hlen;
	r->sport = be(l4);
	r->dport = be(l4 + 2);
	r->l4_csum_none = r->proto == 17 && !be(l4 + 6);
	r->l4_csum_good = ref_l4_sum(f, r) == 0xffff;
}

/**
 * ref_parse - find out what a frame is
 * @f: frame
 * @len: its bytes, at least 14
 * @deepest: how many of them the device may look at
 * @r: result
 */
void ref_parse(const uint8_t *f, size_t len, size_t deepest, struct ref *r)
{
	unsigned int type = be(f + 12);
	bool fragment = false, ip = false;
	size_t seen = len < deepest ? len : deepest;

	memset(r, 0, sizeof(*r));
	r->l3 = 14;
	if ((type == 0x8100 || type == 0x88a8) && seen >= 18) {
		r->tagged = true;
		r->tpid = type;
		r->tci = be(f + 14);
		type = be(f + 16);
		r->l3 = 18;
	}
	r->split = r->l4_at = r->l3;
	if (type == 0x0800)
		ip = parse_ip4(f, len, seen, r, &fragment);
	else if (type == 0x86dd)
		ip = parse_ip6(f, len, seen, r, &fragment);
	if (!ip)
		return;
	r->split = r->l4_at;
	r->l4_end = r->ip_end;
	if (!fragment)
		parse_l4(f, seen, r);
}
