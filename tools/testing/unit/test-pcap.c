// SPDX-License-Identifier: GPL-2.0-or-later
/* Captures: written, read again, read when they are broken, replayed. */
#include <sys/stat.h>
#include <unistd.h>

#include "../../bnxt-emu/be_replay.h"
#include "../../bnxt-emu/pcap_read.h"
#include "../tap.h"

struct file {
	char path[64];
	size_t len;
	uint8_t bytes[8192];
	bool swap;
};

static void put(struct file *f, const void *p, size_t n)
{
	memcpy(f->bytes + f->len, p, n);
	f->len += n;
}

static void put32(struct file *f, uint32_t v)
{
	v = f->swap ? __builtin_bswap32(v) : v;
	put(f, &v, 4);
}

static void put16(struct file *f, uint16_t v)
{
	v = f->swap ? __builtin_bswap16(v) : v;
	put(f, &v, 2);
}

static void start(struct file *f, bool swap)
{
	*f = (struct file){ .swap = swap };
	strcpy(f->path, "/tmp/test-pcap.XXXXXX");
	close(mkstemp(f->path));
}

static void save(const struct file *f)
{
	FILE *out = fopen(f->path, "w");

	if (!out || fwrite(f->bytes, 1, f->len, out) != f->len || fclose(out))
		tap_bail("%s cannot be written", f->path);
}

/* A pcap file with frames of 60 + i bytes, i ms apart */
static void make_pcap(struct file *f, bool swap, bool ns, unsigned int frames)
{
	uint8_t frame[100] = { 0 };

	start(f, swap);
	put32(f, ns ? 0xa1b23c4d : 0xa1b2c3d4);
	put16(f, 2);
	put16(f, 4);
	put32(f, 0);
	put32(f, 0);
	put32(f, 65535);
	put32(f, 1);
	for (unsigned int i = 0; i < frames; i++) {
		put32(f, 1000);
		put32(f, i * (ns ? 1000000 : 1000));
		put32(f, 60 + i);
		put32(f, 60 + i);
		frame[14] = i;
		put(f, frame, 60 + i);
	}
	save(f);
}

static void put_block(struct file *f, uint32_t type, const struct file *body)
{
	put32(f, type);
	put32(f, body->len + 12);
	put(f, body->bytes, body->len);
	put32(f, body->len + 12);
}

static void put_section(struct file *f)
{
	struct file b = { .swap = f->swap };

	put32(&b, 0x1a2b3c4d);
	put16(&b, 1);
	put16(&b, 0);
	put32(&b, ~0u);
	put32(&b, ~0u);
	put_block(f, 0x0a0d0d0a, &b);
}

static void put_interface(struct file *f, uint16_t linktype, uint8_t tsresol)
{
	struct file b = { .swap = f->swap };
	const uint8_t res[4] = { tsresol };

	put16(&b, linktype);
	put16(&b, 0);
	put32(&b, 0);
	put16(&b, 9);
	put16(&b, 1);
	put(&b, res, 4);
	put32(&b, 0);
	put_block(f, 1, &b);
}

/* One byte more than a multiple of 4, so that there is padding before the options */
static void put_packet(struct file *f, uint32_t interface, uint64_t ts, uint32_t captured,
		       uint32_t original, uint32_t dir)
{
	struct file b = { .swap = f->swap };
	static const uint8_t frame[256];

	put32(&b, interface);
	put32(&b, ts >> 32);
	put32(&b, ts);
	put32(&b, captured);
	put32(&b, original);
	put(&b, frame, (captured + 3) & ~3u);
	put16(&b, 1);	/* a comment comes first */
	put16(&b, 2);
	put(&b, "hi\0", 4);
	put16(&b, 2);
	put16(&b, 4);
	put32(&b, dir);
	put32(&b, 0);
	put_block(f, 6, &b);
}

static void test_pcap(void)
{
	for (int i = 0; i < 4; i++) {
		bool swap = i & 1, ns = i & 2, good = true;
		struct pcap_record rec;
		struct pcap_reader *r;
		const char *why = "";
		struct file f;

		make_pcap(&f, swap, ns, 3);
		r = pcap_open(f.path, &why);
		for (unsigned int n = 0; r && n < 3; n++)
			good &= pcap_next(r, &rec, &why) == PCAP_FRAME && rec.len == 60 + n &&
				rec.original == 60 + n && rec.data[14] == n && !rec.dir &&
				rec.ts == 1000000000000ull + n * 1000000;
		tap_ok(r && good && pcap_next(r, &rec, &why) == PCAP_END, "pcap, %s, %s byte order%s",
		       ns ? "nanoseconds" : "microseconds", swap ? "other" : "this", why);
		tap_ok(r && pcap_rewind(r) && pcap_next(r, &rec, &why) == PCAP_FRAME && rec.len == 60,
		       "and again from its beginning");
		pcap_close(r);
		unlink(f.path);
	}
}

static void test_pcapng(void)
{
	for (int swap = 0; swap < 2; swap++) {
		struct file f, other = { .len = 8 };
		struct pcap_record rec;
		struct pcap_reader *r;
		const char *why = "";

		start(&f, swap);
		put_section(&f);
		put_interface(&f, 113, 9);	/* cooked: left out */
		put_interface(&f, 1, 9);
		put_packet(&f, 0, 1, 60, 60, 1);
		put_block(&f, 0xbad, &other);
		put_packet(&f, 1, 1234567890123456789ull, 61, 99, 2);
		/* a section of the other byte order, with other clocks */
		f.swap = !f.swap;
		put_section(&f);
		put_interface(&f, 1, 6);
		put_interface(&f, 1, 0x80 | 10);	/* 1024 ticks a second */
		put_packet(&f, 0, 1500000, 60, 60, 1);
		put_packet(&f, 1, 1536, 60, 60, 0);
		save(&f);
		r = pcap_open(f.path, &why);
		tap_ok(r && pcap_next(r, &rec, &why) == PCAP_FRAME && rec.len == 61 &&
			       rec.original == 99 && rec.dir == PCAP_OUT &&
			       rec.ts == 1234567890123456789ull,
		       "pcapng: the first Ethernet frame, with direction and time%s", why);
		tap_ok(r && pcap_next(r, &rec, &why) == PCAP_FRAME && rec.ts == 1500000000 &&
			       rec.dir == PCAP_IN,
		       "a second section, with microseconds");
		tap_ok(r && pcap_next(r, &rec, &why) == PCAP_FRAME && rec.ts == 1500000000 && !rec.dir,
		       "a clock in powers of two");
		tap_ok(r && pcap_next(r, &rec, &why) == PCAP_END, "the end");
		pcap_close(r);
		unlink(f.path);
	}
}

static void test_simple(void)
{
	struct file f, b = { .len = 4 + 64 };
	struct pcap_record rec;
	struct pcap_reader *r;
	const char *why = "";
	uint32_t len = 61;

	start(&f, false);
	put_section(&f);
	put_interface(&f, 1, 6);
	memcpy(b.bytes, &len, 4);
	put_block(&f, 3, &b);
	save(&f);
	r = pcap_open(f.path, &why);
	tap_ok(r && pcap_next(r, &rec, &why) == PCAP_FRAME && rec.len == 61 && rec.original == 61,
	       "a simple packet block, without its padding");
	pcap_close(r);
	unlink(f.path);
}

/* What our own writer writes */
static void test_written(void)
{
	struct pcap_record rec;
	struct pcap_reader *r;
	const char *why = "";
	uint8_t frame[101];
	struct iovec iov[2] = {
		{ .iov_base = frame, .iov_len = 33 }, { .iov_base = frame + 33, .iov_len = 68 },
	};
	struct pcap *w;
	struct file f;

	for (size_t i = 0; i < sizeof(frame); i++)
		frame[i] = i;
	start(&f, false);
	w = pcap_new(f.path, 64);
	pcap_frame(w, PCAP_IN, iov, 2);
	pcap_frame(w, PCAP_OUT, iov, 1);
	tap_ok(pcap_flush(w) && pcap_free(w), "a capture is written");
	r = pcap_open(f.path, &why);
	tap_ok(r && pcap_next(r, &rec, &why) == PCAP_FRAME && rec.len == 64 && rec.original == 101 &&
		       rec.dir == PCAP_IN && !memcmp(rec.data, frame, 64) && rec.ts > 1600000000000000000ull,
	       "and read again, cut to what was asked for%s", why);
	tap_ok(r && pcap_next(r, &rec, &why) == PCAP_FRAME && rec.len == 33 && rec.dir == PCAP_OUT,
	       "the other direction");
	pcap_close(r);
	unlink(f.path);
}

/* Cut anywhere, a file ends early or is refused; nothing worse (the sanitizers watch) */
static void test_cut(const char *what, struct file *f)
{
	unsigned int ends = 0, broken = 0, refused = 0;
	size_t whole = f->len;

	for (f->len = 0; f->len < whole; f->len++) {
		enum pcap_result res = PCAP_FRAME;
		struct pcap_record rec;
		struct pcap_reader *r;
		const char *why = NULL;

		save(f);
		r = pcap_open(f->path, &why);
		if (!r) {
			refused += why != NULL;
			continue;
		}
		while (res == PCAP_FRAME)
			res = pcap_next(r, &rec, &why);
		ends += res == PCAP_END;
		broken += res == PCAP_BROKEN && why;
		pcap_close(r);
	}
	tap_ok(ends + broken + refused == whole && broken && refused,
	       "%s cut at %zu places: %u end early, %u are broken, %u refused", what, whole, ends, broken,
	       refused);
	unlink(f->path);
}

/* Each word replaced by numbers that hurt; no more than that it survives */
static void test_senseless(const char *what, struct file *f)
{
	static const uint32_t bad[] = { 0, 1, 3, 11, 13, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff };
	unsigned int tried = 0;

	for (size_t at = 0; at + 4 <= f->len; at += 2) {
		for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++, tried++) {
			enum pcap_result res = PCAP_FRAME;
			struct pcap_record rec;
			struct pcap_reader *r;
			uint8_t old[4], sum = 0;
			const char *why;

			memcpy(old, f->bytes + at, 4);
			memcpy(f->bytes + at, &bad[i], 4);
			save(f);
			memcpy(f->bytes + at, old, 4);
			r = pcap_open(f->path, &why);
			if (!r)
				continue;
			for (int n = 0; n < 100 && res == PCAP_FRAME; n++) {
				res = pcap_next(r, &rec, &why);
				for (uint32_t b = 0; res == PCAP_FRAME && b < rec.len; b++)
					sum += rec.data[b];
			}
			pcap_close(r);
			(void)sum;
		}
	}
	tap_ok(true, "%s with %u senseless words is survived", what, tried);
	unlink(f->path);
}

static void make_ng(struct file *f)
{
	start(f, false);
	put_section(f);
	put_interface(f, 1, 9);
	put_packet(f, 0, 1, 61, 61, 1);
	put_packet(f, 0, 2, 62, 62, 2);
}

/* A frame, or a block, that is longer than any that is taken, and all there */
static void test_long(bool ng)
{
	struct pcap_record rec;
	struct pcap_reader *r;
	const char *why = "";
	struct file f;

	if (ng) {
		make_ng(&f);
		put32(&f, 6);
		put32(&f, 300012);
	} else {
		make_pcap(&f, false, false, 2);
		put32(&f, 1);
		put32(&f, 1);
		put32(&f, 300000);
		put32(&f, 300000);
	}
	save(&f);
	(void)!truncate(f.path, 400000);
	r = pcap_open(f.path, &why);
	tap_ok(r && pcap_next(r, &rec, &why) == PCAP_FRAME && pcap_next(r, &rec, &why) == PCAP_FRAME &&
		       pcap_next(r, &rec, &why) == PCAP_BROKEN,
	       "%s: a frame of 300000 bytes is refused", ng ? "pcapng" : "pcap");
	pcap_close(r);
	unlink(f.path);
}

static void test_broken(void)
{
	struct file f;

	test_long(false);
	test_long(true);
	make_pcap(&f, false, false, 2);
	test_cut("pcap", &f);
	make_ng(&f);
	test_cut("pcapng", &f);
	make_pcap(&f, false, false, 2);
	test_senseless("pcap", &f);
	make_ng(&f);
	test_senseless("pcapng", &f);
}

/*
 * Replay
 */

struct sink {
	unsigned int n, ends;
	uint8_t number[64];
	struct backend *be;
	unsigned int hold_at;
};

static void on_rx(void *host, const struct virtio_net_hdr_v1 *hdr, const uint8_t *frame, size_t len)
{
	struct sink *s = host;

	(void)hdr;
	(void)len;
	if (s->n < sizeof(s->number))
		s->number[s->n] = frame[14];
	if (++s->n == s->hold_at)
		s->be->class->hold(s->be, true);
}

static void on_rx_end(void *host)
{
	struct sink *s = host;

	s->ends++;
}

static const struct backend_ops replay_ops = { .rx = on_rx, .rx_end = on_rx_end };

static struct sink *replay(const struct file *f, const char *how)
{
	struct sink *s = calloc(1, sizeof(*s));
	char spec[200], text[300];
	const char *why;

	snprintf(spec, sizeof(spec), "%s%s", f->path, how);
	s->be = be_replay_new(spec, &replay_ops, s, text, sizeof(text));
	if (!s->be)
		tap_bail("%s: %s", spec, text);
	if (s->be->class->timers(s->be, 0) != UINT64_MAX || s->n)
		tap_bail("it does not wait");
	if (!be_replay_start(s->be, 1000, &why))
		tap_bail("%s", why);
	return s;
}

static void done(struct sink *s)
{
	s->be->class->free(s->be);
	free(s);
}

static uint64_t turn(struct sink *s, uint64_t now)
{
	return s->be->class->timers(s->be, now);
}

static void test_replay(void)
{
	struct virtio_net_hdr_v1 hdr = { 0 };
	struct iovec iov = { .iov_base = &hdr, .iov_len = sizeof(hdr) };
	struct file f;
	struct sink *s;
	char text[300];

	make_pcap(&f, false, true, 5);
	s = replay(&f, "");
	tap_ok(turn(s, 1000) == UINT64_MAX && s->n == 5 && s->number[4] == 4 && s->ends,
	       "fast: all at once, then nothing");
	s->be->class->tx(s->be, &hdr, &iov, 1);
	tap_ok(s->be->stats.tx_frames == 1 && s->be->stats.tx_bytes == sizeof(hdr), "what is sent is counted");
	done(s);

	s = replay(&f, ",loop=30");
	tap_ok(turn(s, 1000) == 0 && s->n == 64, "a burst, and at once the next");
	while (turn(s, 1000) != UINT64_MAX)
		;
	tap_eq(s->n, 150, "loop=30");
	be_replay_status(s->be, text, sizeof(text));
	tap_str(text, "stopped: 150 frames sent, 30 times to the end, 0 cut off or too long", "in words");
	done(s);

	s = replay(&f, ",speed=recorded,loop=2");
	tap_ok(turn(s, 1000) == 1000000 && s->n == 1, "recorded: the first at once, the next after 1 ms");
	tap_ok(turn(s, 501000) == 500000 && s->n == 1, "half of that");
	tap_ok(turn(s, 3001000) == 1000000 && s->n == 4, "late: all that are due");
	tap_ok(turn(s, 4001000) == 1000000 && s->n == 6, "the second time begins where the first ended");
	done(s);

	s = replay(&f, ",loop=forever");
	s->hold_at = 3;
	tap_ok(turn(s, 1000) == UINT64_MAX && s->n == 3, "held: no more");
	s->be->class->hold(s->be, false);
	tap_ok(turn(s, 1000) == 0 && s->n == 3 + 64 && s->number[3] == 3, "then on, with none lost");
	be_replay_stop(s->be);
	tap_eq(turn(s, 1000), UINT64_MAX, "stopped");
	done(s);
	unlink(f.path);
}

static void test_replay_files(void)
{
	struct file f;
	struct sink *s;
	char text[300];

	make_ng(&f);
	put_packet(&f, 0, 3, 60, 1500, 1);
	put_packet(&f, 0, 4, 60, 60, 0);
	save(&f);
	s = replay(&f, ",dir=in");
	turn(s, 1000);
	tap_eq(s->n, 2, "one direction, and frames of none; without what was cut off");
	done(s);
	s = replay(&f, ",dir=out,loop=3");
	turn(s, 1000);
	tap_eq(s->n, 6, "the other direction");
	done(s);
	f.len -= 8;
	save(&f);
	s = replay(&f, ",loop=3");
	turn(s, 1000);
	be_replay_status(s->be, text, sizeof(text));
	tap_ok(s->n == 2 && strstr(text, "ended because a block is cut off"), "a broken file: %s", text);
	done(s);
	unlink(f.path);

	start(&f, false);
	put_section(&f);
	save(&f);
	s = replay(&f, ",loop=forever");
	turn(s, 1000);
	be_replay_status(s->be, text, sizeof(text));
	tap_ok(strstr(text, "no frame of the file can be sent"), "an empty file is not read for ever");
	done(s);
	unlink(f.path);
}

/* @n frames of @len bytes, and one of the other direction behind them */
static void make_written(struct file *f, int dir, unsigned int n, size_t len)
{
	static uint8_t frame[65000];
	struct iovec iov = { .iov_base = frame, .iov_len = len };
	struct pcap *w;

	start(f, false);
	w = pcap_new(f->path, 0);
	for (unsigned int i = 0; i < n; i++)
		pcap_frame(w, dir, &iov, 1);
	iov.iov_len = 60;
	pcap_frame(w, dir == PCAP_IN ? PCAP_OUT : PCAP_IN, &iov, 1);
	if (!pcap_flush(w) || !pcap_free(w))
		tap_bail("%s cannot be written", f->path);
}

/* The guest is served between bursts, so they are short whatever the file has */
static void test_replay_bursts(void)
{
	unsigned int turns = 0;
	struct file f;
	struct sink *s;

	make_written(&f, PCAP_IN, 10, 60000);
	s = replay(&f, "");
	tap_ok(turn(s, 1000) == 0 && s->n == 3, "large frames: a burst is no more than 128 KB of them");
	while (turn(s, 1000) != UINT64_MAX)
		;
	tap_eq(s->n, 11, "and none is lost between bursts");
	done(s);
	unlink(f.path);

	make_written(&f, PCAP_OUT, 200, 60);
	s = replay(&f, ",dir=in,loop=2");
	while (turn(s, 1000) != UINT64_MAX)
		turns++;
	tap_ok(s->n == 2 && turns == 6, "frames that are not sent: a burst ends after some of them, too: %u", turns);
	done(s);
	unlink(f.path);
}

int main(void)
{
	test_pcap();
	test_pcapng();
	test_simple();
	test_written();
	test_broken();
	test_replay();
	test_replay_files();
	test_replay_bursts();
	return tap_done();
}
