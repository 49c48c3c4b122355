// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A bad wire: frames lost, doubled, late, out of order, damaged; and a slow one.
 *
 * Without such faults frames pass as they come. With them, each large frame is
 * cut first and missing checksums are filled in, as the sender's NIC would have
 * done: what is lost or damaged are frames as they are on a cable, and what is
 * counted is what the receiver can count.
 */
#include <stdlib.h>

#include "core.h"
#include "csum.h"
#include "wire.h"

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4	5	/* newer than some headers */
#endif

#define FRAME_BYTES	(ETH_HLEN + 4 + 65535)
#define QUEUE_FULL	256	/* frames on their way when the sender has to wait, */
#define QUEUE_FREE	128	/* may go on, */
#define QUEUE_MAX	8192	/* and are lost: he did not wait, or sent a lot at once */

/* A frame on its way */
struct flight {
	struct flight *next;
	uint64_t due;		/* ns */
	size_t len;
	uint8_t bytes[];
};

/* One that waits until others have overtaken it */
struct kept {
	struct flight *frame;
	unsigned int gap;	/* frames still to come */
};

#define KEPT_MAX	16

struct lane {
	struct flight *first, *last;	/* in the order of their due times */
	unsigned int queued;
	bool full, held;
	uint64_t free_at;	/* ns: the last frame has left a wire of limited rate */
	struct kept kept[KEPT_MAX];
	unsigned int n_kept;
	uint64_t frames, overflow, uncut;
	uint8_t whole[FRAME_BYTES];	/* a frame that came in pieces */
	uint8_t frame[FRAME_BYTES];	/* the one that is damaged */
};

struct wire {
	struct faults *faults;
	const struct wire_ops *ops;
	void *host;
	uint64_t now;
	struct lane lane[FAULT_DIRS];
};

/*
 * The end of the wire
 */

static void come_out(struct wire *w, enum fault_dir dir, const uint8_t *frame, size_t len)
{
	static const struct virtio_net_hdr_v1 plain = { .num_buffers = 0 };
	struct iovec iov = { .iov_base = (void *)frame, .iov_len = len };

	w->ops->out(w->host, dir, &plain, &iov, 1);
}

static void set_full(struct wire *w, enum fault_dir dir, bool full)
{
	struct lane *l = &w->lane[dir];

	if (l->full == full)
		return;
	l->full = full;
	w->ops->full(w->host, dir, full);
}

static struct flight *make_flight(const uint8_t *frame, size_t len)
{
	struct flight *fl = malloc(sizeof(*fl) + len);

	if (!fl)
		return NULL;
	fl->len = len;
	memcpy(fl->bytes, frame, len);
	return fl;
}

/* Behind all that are due as early */
static void enqueue(struct wire *w, enum fault_dir dir, struct flight *fl, uint64_t due)
{
	struct lane *l = &w->lane[dir];
	struct flight **at = l->last && l->last->due <= due ? &l->last->next : &l->first;

	while (*at && (*at)->due <= due)
		at = &(*at)->next;
	fl->due = due;
	fl->next = *at;
	*at = fl;
	if (!fl->next)
		l->last = fl;
	if (++l->queued >= QUEUE_FULL)
		set_full(w, dir, true);
}

/* When a frame has passed a wire of limited rate */
static uint64_t leaves_at(struct wire *w, enum fault_dir dir, size_t len)
{
	/* preamble, FCS and gap are on the wire as well (IEEE 802.3) */
	uint64_t bits = (len + 24) * 8, rate = faults_rate(w->faults, dir);
	struct lane *l = &w->lane[dir];

	if (!rate)
		return w->now;
	if (l->free_at < w->now)
		l->free_at = w->now;
	l->free_at += (bits * 1000000000u + rate - 1) / rate;
	return l->free_at;
}

/* What happens to a frame that is neither lost nor reordered */
static void travel(struct wire *w, enum fault_dir dir, const uint8_t *frame, size_t len)
{
	struct lane *l = &w->lane[dir];
	uint64_t due = leaves_at(w, dir, len);
	struct flight *fl;

	if (faults_hit(w->faults, FAULT_DELAY, dir))
		due += faults_time(w->faults, FAULT_DELAY, dir);
	if (due <= w->now && !l->held && (!l->first || l->first->due > w->now)) {
		come_out(w, dir, frame, len);
		return;
	}
	fl = l->queued < QUEUE_MAX ? make_flight(frame, len) : NULL;
	if (fl)
		enqueue(w, dir, fl, due);
	else
		l->overflow++;
}

static void release(struct wire *w, enum fault_dir dir, struct kept *k)
{
	struct flight *fl = k->frame;
	struct lane *l = &w->lane[dir];

	*k = l->kept[--l->n_kept];
	travel(w, dir, fl->bytes, fl->len);
	free(fl);
}

/* A frame went by those that are kept */
static void overtake(struct wire *w, enum fault_dir dir)
{
	struct lane *l = &w->lane[dir];

	for (unsigned int i = 0; i < l->n_kept;) {
		if (--l->kept[i].gap)
			i++;
		else
			release(w, dir, &l->kept[i]);
	}
}

static bool keep(struct wire *w, enum fault_dir dir, const uint8_t *frame, size_t len)
{
	struct lane *l = &w->lane[dir];
	struct flight *fl;

	if (l->n_kept == KEPT_MAX || !faults_hit(w->faults, FAULT_REORDER, dir))
		return false;
	fl = make_flight(frame, len);
	if (!fl)
		return false;
	/* when nobody comes to overtake it */
	fl->due = w->now + faults_time(w->faults, FAULT_REORDER, dir);
	l->kept[l->n_kept++] = (struct kept){ .frame = fl, .gap = faults_gap(w->faults, dir) };
	return true;
}

/*
 * Damage. A fault has a chance only where it can be seen: no payload, no damage
 * to it. One bit always shows in a checksum. No frame gets two of these faults,
 * else the receiver, who counts bad frames, would count less.
 */

static void flip(uint8_t *p, uint64_t bit)
{
	p[bit / 8] ^= 1u << bit % 8;
}

static bool has_checksum(const uint8_t *frame, const struct parsed *p)
{
	/* UDP over IPv4 may do without */
	return p->has_l4 && (p->l4_proto == 6 || get_be16(frame + p->csum_at));
}

static void damage_l4_csum(struct wire *w, enum fault_dir dir, uint8_t *csum)
{
	uint64_t bit = faults_random(w->faults, FAULT_L4_CSUM, dir) % 16;

	flip(csum, bit);
	/* 0 would say that there is none; all ones mean the same number */
	if (!get_be16(csum) || get_be16(csum) == 0xffff)
		flip(csum, (bit + 1) % 16);
}

static void damage(struct wire *w, enum fault_dir dir, uint8_t *frame, size_t len)
{
	struct faults *f = w->faults;
	uint32_t payload;
	struct parsed p;

	if (len > ETH_HLEN && faults_hit(f, FAULT_NOISE, dir))
		flip(frame + ETH_HLEN,
		     faults_random(f, FAULT_NOISE, dir) % ((len - ETH_HLEN) * 8));
	if (!parse_frame(frame, len, len, &p))
		return;
	payload = p.has_l4 ? p.l4_len - (p.payload - p.l4) : 0;
	if (payload && has_checksum(frame, &p) && faults_hit(f, FAULT_CORRUPT, dir))
		flip(frame + p.payload,
		     faults_random(f, FAULT_CORRUPT, dir) % ((uint64_t)payload * 8));
	else if (has_checksum(frame, &p) && faults_hit(f, FAULT_L4_CSUM, dir))
		damage_l4_csum(w, dir, frame + p.csum_at);
	else if (p.ip_version == 4 && faults_hit(f, FAULT_IP_CSUM, dir))
		flip(frame + p.l3 + 10, faults_random(f, FAULT_IP_CSUM, dir) % 16);
}

/* A frame as it is on a cable; its bytes may be changed */
static void one_frame(struct wire *w, enum fault_dir dir, uint8_t *frame, size_t len)
{
	bool twice;

	w->lane[dir].frames++;
	if (faults_hit(w->faults, FAULT_DROP, dir))
		return;
	damage(w, dir, frame, len);
	twice = faults_hit(w->faults, FAULT_DUP, dir);
	if (keep(w, dir, frame, len)) {
		if (twice)
			travel(w, dir, frame, len);
		return;
	}
	travel(w, dir, frame, len);
	overtake(w, dir);
	if (twice)
		travel(w, dir, frame, len);
}

/*
 * The beginning of the wire
 */

static size_t flatten(uint8_t *dst, const struct iovec *iov, int n)
{
	size_t len = 0;

	for (int i = 0; i < n; i++) {
		if (iov[i].iov_len > FRAME_BYTES - len)
			return 0;
		memcpy(dst + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	return len;
}

/* Fills in a checksum whose field holds the pseudo header's sum (virtio 5.1.6) */
static bool fill_csum(const struct virtio_net_hdr_v1 *hdr, uint8_t *frame, size_t len)
{
	size_t at = (size_t)hdr->csum_start + hdr->csum_offset;
	uint16_t csum;

	if (hdr->csum_start >= len || at + 2 > len)
		return false;
	csum = csum_fold(csum_bytes(frame + hdr->csum_start, len - hdr->csum_start)) ^ 0xffff;
	if (!csum)
		csum = 0xffff;
	memcpy(frame + at, &csum, sizeof(csum));
	return true;
}

/* Returns false for a frame that cannot be cut */
static bool cut(struct wire *w, enum fault_dir dir, uint32_t mss, const uint8_t *whole, size_t len)
{
	uint8_t *frame = w->lane[dir].frame;
	const uint8_t *body;
	struct parsed p;
	uint32_t left;
	struct gso g;

	if (!parse_frame(whole, len, len, &p) || p.payload >= len)
		return false;
	left = len - p.payload;
	body = whole + p.payload;
	if (!gso_init(&g, whole, &p, left, mss) || p.payload + (uint64_t)mss > FRAME_BYTES)
		return false;
	for (uint32_t seg = 0; seg < g.segs; seg++) {
		uint32_t n = min_u32(left, mss);

		gso_head(&g, frame, seg, n, csum_bytes(body, n));
		memcpy(frame + p.payload, body, n);
		one_frame(w, dir, frame, p.payload + n);
		body += n;
		left -= n;
	}
	return true;
}

static bool passes_untouched(const struct wire *w, enum fault_dir dir)
{
	const struct lane *l = &w->lane[dir];

	return !faults_on_wire(w->faults, dir) && !l->first && !l->n_kept;
}

/**
 * wire_in() - Send a frame down the wire
 * @wire: the wire
 * @dir: which way
 * @hdr: offloads that are left to do
 * @iov: its bytes
 * @iovcnt: pieces of them
 */
void wire_in(struct wire *wire, enum fault_dir dir, const struct virtio_net_hdr_v1 *hdr,
	     const struct iovec *iov, int iovcnt)
{
	struct lane *l = &wire->lane[dir];
	bool good;
	size_t len;

	if (passes_untouched(wire, dir)) {
		wire->ops->out(wire->host, dir, hdr, iov, iovcnt);
		return;
	}
	len = flatten(l->whole, iov, iovcnt);
	if (hdr->gso_type != VIRTIO_NET_HDR_GSO_NONE) {
		good = len && cut(wire, dir, hdr->gso_size, l->whole, len);
	} else {
		good = len && (!(hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) ||
			       fill_csum(hdr, l->whole, len));
		if (good)
			one_frame(wire, dir, l->whole, len);
	}
	if (!good)
		l->uncut++;
}

/**
 * wire_hold() - Keep frames on the wire
 * @wire: the wire
 * @dir: in which direction
 * @hold: nobody takes them at its end now
 */
void wire_hold(struct wire *wire, enum fault_dir dir, bool hold)
{
	wire->lane[dir].held = hold;
}

static uint64_t run_lane(struct wire *w, enum fault_dir dir)
{
	struct lane *l = &w->lane[dir];
	uint64_t next = UINT64_MAX;

	for (unsigned int i = 0; i < l->n_kept;) {
		uint64_t due = l->kept[i].frame->due;

		if (due <= w->now) {
			release(w, dir, &l->kept[i]);
			continue;
		}
		if (due - w->now < next)
			next = due - w->now;
		i++;
	}
	while (l->first && l->first->due <= w->now && !l->held) {
		struct flight *fl = l->first;

		l->first = fl->next;
		if (!l->first)
			l->last = NULL;
		if (--l->queued <= QUEUE_FREE)
			set_full(w, dir, false);
		come_out(w, dir, fl->bytes, fl->len);
		free(fl);
	}
	if (l->first && !l->held && l->first->due - w->now < next)
		next = l->first->due - w->now;
	return next;
}

/**
 * wire_timers() - Let frames arrive that are due
 * @wire: the wire
 * @now: CLOCK_MONOTONIC, ns
 *
 * Return: ns until the next is, UINT64_MAX for none.
 */
uint64_t wire_timers(struct wire *wire, uint64_t now)
{
	uint64_t rx, tx;

	wire->now = now;
	rx = run_lane(wire, FAULT_RX);
	tx = run_lane(wire, FAULT_TX);
	return rx < tx ? rx : tx;
}

/**
 * wire_counters() - What the wire counted, beside its faults
 * @wire: the wire
 * @fn: gets the counters
 * @arg: for @fn
 */
void wire_counters(const struct wire *wire, nic_counter_fn fn, void *arg)
{
	const struct lane *rx = &wire->lane[FAULT_RX], *tx = &wire->lane[FAULT_TX];

	fn(arg, "wire_rx_frames", rx->frames);
	fn(arg, "wire_tx_frames", tx->frames);
	fn(arg, "wire_rx_overflow", rx->overflow);
	fn(arg, "wire_tx_overflow", tx->overflow);
	fn(arg, "wire_rx_bad", rx->uncut);
	fn(arg, "wire_tx_bad", tx->uncut);
}

/**
 * wire_new() - Make a wire
 * @faults: what can happen on it, which may change at any time
 * @ops: who is at its ends
 * @host: passed to @ops
 *
 * Return: the wire, NULL when memory is short.
 */
struct wire *wire_new(struct faults *faults, const struct wire_ops *ops, void *host)
{
	struct wire *wire = calloc(1, sizeof(*wire));

	if (!wire)
		return NULL;
	wire->faults = faults;
	wire->ops = ops;
	wire->host = host;
	return wire;
}

/**
 * wire_free() - Free a wire; frames that are on it are lost
 * @wire: the wire or NULL
 */
void wire_free(struct wire *wire)
{
	if (!wire)
		return;
	for (int d = 0; d < FAULT_DIRS; d++) {
		struct lane *l = &wire->lane[d];

		while (l->first) {
			struct flight *fl = l->first;

			l->first = fl->next;
			free(fl);
		}
		while (l->n_kept)
			free(l->kept[--l->n_kept].frame);
	}
	free(wire);
}
