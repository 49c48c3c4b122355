// SPDX-License-Identifier: GPL-2.0-or-later
/* Counters of rings (statistics contexts) and of the port. */
#include "core.h"

#define FCS		4u
#define CTX_COUNTER	((1ull << 48) - 1)	/* width of a context's counters on this chip */

/**
 * frame_cast - whom a frame is for
 * @frame: frame, destination address first
 *
 * Return: unicast, multicast or broadcast.
 */
enum cast frame_cast(const uint8_t *frame)
{
	static const uint8_t all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	if (!(frame[0] & 1))
		return CAST_UNI;
	return memcmp(frame, all, sizeof(all)) ? CAST_MULTI : CAST_BROAD;
}

/**
 * stat_ctx - find a statistics context
 * @nic: device
 * @id: its id
 *
 * Return: the context, NULL if there is none.
 */
struct stat_ctx *stat_ctx(struct nic *nic, uint32_t id)
{
	return id < MAX_STAT_CTXS && nic->stat[id].used ? &nic->stat[id] : NULL;
}

/**
 * stat_ctx_write - bring a context's counters to the host
 * @nic: device
 * @ctx: context; nothing happens if its memory is gone
 */
void stat_ctx_write(struct nic *nic, struct stat_ctx *ctx)
{
	uint64_t c[sizeof(ctx->s) / sizeof(uint64_t)];
	uint8_t *dst = ctx->period ? dma_ptr(&nic->dma, ctx->addr, ctx->len) : NULL;

	if (!dst)
		return;
	memcpy(c, &ctx->s, sizeof(c));
	for (size_t i = 0; i < ARRAY_SIZE(c); i++)
		c[i] &= CTX_COUNTER;
	memcpy(dst, c, ctx->len);
}

/**
 * stats_run_timers - write the contexts that are due
 * @nic: device
 *
 * Return: ns until the next is, UINT64_MAX for none.
 */
uint64_t stats_run_timers(struct nic *nic)
{
	uint64_t next = UINT64_MAX;

	for (unsigned int i = 0; i < MAX_STAT_CTXS; i++) {
		struct stat_ctx *ctx = &nic->stat[i];

		if (!ctx->used || !ctx->period)
			continue;
		if (ctx->due <= nic->now) {
			stat_ctx_write(nic, ctx);
			ctx->due = nic->now + ctx->period;
		}
		if (ctx->due - nic->now < next)
			next = ctx->due - nic->now;
	}
	return next;
}

/* Place of a frame in the port's histogram; the counter of tagged frames lies in its midst */
static unsigned int size_class(uint32_t len)
{
	static const uint16_t limit[] = { 64, 127, 255, 511, 1023, 1518, 2047, 4095, 9216 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(limit) && len > limit[i]; i++)
		;
	return i < PORT_TX_GOOD_VLAN ? i : i + 1;
}

/**
 * stats_tx - count frames that were sent
 * @nic: device
 * @ctx: context or NULL
 * @cast: whom for
 * @tagged: with a VLAN tag
 * @len: bytes of each frame but perhaps the last, without FCS
 * @frames: how many
 * @bytes: of all together, without FCS
 */
void stats_tx(struct nic *nic, struct stat_ctx *ctx, enum cast cast, bool tagged, uint32_t len,
	      uint32_t frames, uint64_t bytes)
{
	uint64_t *tx = nic->port.tx;

	if (ctx) {
		ctx->s.tx_pkts[cast] += frames;
		ctx->s.tx_bytes[cast] += bytes;
	}
	tx[PORT_TX_64B + size_class(len + FCS)] += frames;
	tx[PORT_TX_GOOD] += frames;
	tx[PORT_TX_TOTAL] += frames;
	tx[PORT_TX_CAST + cast] += frames;
	tx[PORT_TX_BYTES] += bytes + (uint64_t)frames * FCS;
	if (tagged) {
		tx[PORT_TX_TAGGED] += frames;
		tx[PORT_TX_GOOD_VLAN] += frames;
	}
	nic->port.txx[PORT_TXX_BYTES_COS0] += bytes;
	nic->port.txx[PORT_TXX_PKTS_COS0] += frames;
}

/**
 * stats_tx_error - count a frame that could not be sent
 * @nic: device
 * @ctx: context or NULL
 */
void stats_tx_error(struct nic *nic, struct stat_ctx *ctx)
{
	if (ctx)
		ctx->s.tx_error++;
	nic->port.tx[PORT_TX_ERROR]++;
}

/**
 * stats_wire_rx - count a frame that the port got, whatever becomes of it
 * @nic: device
 * @cast: whom for
 * @tagged: with a VLAN tag
 * @len: bytes without FCS
 */
void stats_wire_rx(struct nic *nic, enum cast cast, bool tagged, uint32_t len)
{
	uint64_t *rx = nic->port.rx;

	rx[PORT_RX_64B + size_class(len + FCS)]++;
	rx[PORT_RX_TOTAL]++;
	rx[PORT_RX_GOOD]++;
	rx[PORT_RX_CAST + cast]++;
	rx[PORT_RX_BYTES] += len + FCS;
	if (tagged) {
		rx[PORT_RX_TAGGED]++;
		rx[PORT_RX_GOOD_VLAN]++;
	}
	nic->port.rxx[PORT_RXX_BYTES_COS0] += len;
	nic->port.rxx[PORT_RXX_PKTS_COS0]++;
	nic->port.rxx[PORT_RXX_BITS] += (uint64_t)len * 8;
}

/**
 * stats_rx - count a frame that was delivered
 * @ctx: context or NULL
 * @cast: whom for
 * @len: bytes without FCS
 */
void stats_rx(struct stat_ctx *ctx, enum cast cast, uint32_t len)
{
	if (!ctx)
		return;
	ctx->s.rx_pkts[cast]++;
	ctx->s.rx_bytes[cast] += len;
}

/**
 * stats_rx_discard - count a frame for which there was no room
 * @nic: device
 * @ctx: context or NULL
 * @len: bytes without FCS
 */
void stats_rx_discard(struct nic *nic, struct stat_ctx *ctx, uint32_t len)
{
	if (ctx)
		ctx->s.rx_discard++;
	nic->port.rx[PORT_RX_DISCARD]++;
	nic->port.rxx[PORT_RXX_DISCARD_PKTS_COS0]++;
	nic->port.rxx[PORT_RXX_DISCARD_BYTES_COS0] += len;
}

/**
 * stats_rx_error - count a frame that no buffer of its VNIC can take
 * @nic: device
 * @ctx: context or NULL
 */
void stats_rx_error(struct nic *nic, struct stat_ctx *ctx)
{
	if (ctx)
		ctx->s.rx_error++;
	nic->port.rx[PORT_RX_ERROR]++;
}
