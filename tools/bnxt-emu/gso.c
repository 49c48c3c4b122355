// SPDX-License-Identifier: GPL-2.0-or-later
/* Segmentation: the headers of one segment of a large TCP segment or UDP datagram. */
#include "core.h"
#include "csum.h"

#define UDP_HLEN	8u

/**
 * gso_init - prepare to cut a frame
 * @g: what gso_head() needs
 * @head: headers, @p->payload bytes that stay where they are
 * @p: their parse
 * @payload: bytes that follow the headers
 * @mss: payload bytes of each segment but the last
 *
 * Return: false if this frame cannot be cut.
 */
bool gso_init(struct gso *g, const uint8_t *head, const struct parsed *p, uint32_t payload,
	      uint32_t mss)
{
	if (!p->has_l4 || !mss || !payload || p->payload > HEAD_MAX)
		return false;
	*g = (struct gso){ .head = head, .p = p, .payload = payload, .mss = mss };
	g->segs = (payload + mss - 1) / mss;
	return true;
}

static void fix_ip(const struct gso *g, uint8_t *ip, uint32_t seg, uint32_t ip_len)
{
	uint32_t hlen;

	if (g->p->ip_version == 6) {
		put_be16(ip + 4, ip_len - 40);
		return;
	}
	hlen = (ip[0] & 15) * 4;
	put_be16(ip + 2, ip_len);
	put_be16(ip + 4, get_be16(ip + 4) + seg);
	memset(ip + 10, 0, 2);
	hlen = csum_fold(csum_bytes(ip, hlen)) ^ 0xffff;
	memcpy(ip + 10, &hlen, 2);
}

/**
 * gso_tcp_flags - TCP flags of a segment
 * @g: frame that is cut
 * @seg: number of the segment, from 0
 *
 * RFC 9293 and RFC 3168: CWR goes with the first segment only, PSH and FIN with
 * the last.
 *
 * Return: the flags, 0 if this is not TCP.
 */
uint8_t gso_tcp_flags(const struct gso *g, uint32_t seg)
{
	uint8_t flags;

	if (g->p->l4_proto != 6)
		return 0;
	flags = g->head[g->p->l4 + 13];
	if (seg)
		flags &= ~TCP_CWR;
	if (seg + 1 < g->segs)
		flags &= ~(TCP_FIN | TCP_PSH);
	return flags;
}

static void fix_tcp(const struct gso *g, uint8_t *tcp, uint32_t seg)
{
	put_be32(tcp + 4, get_be32(tcp + 4) + seg * g->mss);
	tcp[13] = gso_tcp_flags(g, seg);
}

/**
 * gso_head - make the headers of a segment
 * @g: frame that is cut
 * @out: where to, as long as the frame's headers
 * @seg: number of the segment, from 0
 * @len: its payload bytes
 * @payload_sum: checksum of them, not folded
 */
void gso_head(const struct gso *g, uint8_t *out, uint32_t seg, uint32_t len, uint32_t payload_sum)
{
	const struct parsed *p = g->p;
	uint32_t l4_hlen = p->payload - p->l4, sum;
	uint16_t csum;

	memcpy(out, g->head, p->payload);
	fix_ip(g, out + p->l3, seg, p->payload - p->l3 + len);
	if (p->l4_proto == 6)
		fix_tcp(g, out + p->l4, seg);
	else
		put_be16(out + p->l4 + 4, UDP_HLEN + len);
	memset(out + p->csum_at, 0, 2);

	sum = parse_pseudo_sum(out, p, l4_hlen + len);
	sum = csum_add(sum, csum_bytes(out + p->l4, l4_hlen));
	csum = csum_fold(csum_add(sum, payload_sum)) ^ 0xffff;
	if (!csum && p->l4_proto == 17)
		csum = 0xffff;	/* 0 would say that there is none */
	memcpy(out + p->csum_at, &csum, 2);
}
