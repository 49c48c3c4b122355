// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target "pcap": the input is a capture, read (pcap_read.c) and replayed
 * (be_replay.c). Every byte of every frame can be read, and it replays twice as often
 * in two passes as in one.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../bnxt-emu/be_replay.h"
#include "../../bnxt-emu/csum.h"
#include "../../bnxt-emu/pcap_read.h"
#include "fuzz.h"

#define MAX_FRAMES 100000u /* more than an input has room for */

static void read_all(const void *data, size_t len)
{
	uint32_t sum = csum_bytes(data, len);

	__asm__ volatile("" : : "r"(sum));
}

static unsigned int count_frames(struct pcap_reader *r)
{
	enum pcap_result res;
	struct pcap_record rec;
	const char *why = NULL;
	unsigned int n = 0;

	while ((res = pcap_next(r, &rec, &why)) == PCAP_FRAME) {
		CHECK(++n < MAX_FRAMES, "a capture has no end");
		CHECK(rec.dir >= 0 && rec.dir <= 3, "a direction is none");
		read_all(rec.data, rec.len);
	}
	CHECK(res != PCAP_BROKEN || why, "a capture is broken for no reason");
	return n;
}

static void on_rx(void *host, const struct virtio_net_hdr_v1 *hdr, const uint8_t *frame, size_t len)
{
	unsigned int *n = host;

	CHECK(!hdr->gso_type && !hdr->flags, "a frame of a capture has something left to do");
	read_all(frame, len);
	++*n;
}

static void on_rx_end(void *host)
{
	(void)host;
}

static const struct backend_ops ops = { .rx = on_rx, .rx_end = on_rx_end };

/* Frames that a replay gives; @how: 0 as fast as they are taken, else as recorded */
static unsigned int replay(const char *path, int passes, int how)
{
	unsigned int n = 0;
	char spec[128], why[512];
	uint64_t now = 1000000000, next = 0;
	const char *reason;
	struct backend *be;

	snprintf(spec, sizeof(spec), "%s,loop=%d,speed=%s,start=ctl", path, passes,
		 how ? "recorded" : "fast");
	be = be_replay_new(spec, &ops, &n, why, sizeof(why));
	CHECK(be && be_replay_start(be, now, &reason), "a capture cannot be opened again");
	while (next != UINT64_MAX && n < MAX_FRAMES) {
		now += next;
		next = be->class->timers(be, now);
	}
	CHECK(next == UINT64_MAX, "a replay has no end");
	be->class->free(be);
	return n;
}

static int input_file(struct input *in)
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("fuzz-pcap", MFD_CLOEXEC);
	CHECK(fd >= 0 && !ftruncate(fd, 0) && pwrite(fd, in->p, in->left, 0) == (ssize_t)in->left,
	      "no memory for the capture");
	return fd;
}

/**
 * fuzz_pcap - run one input
 * @in: input
 */
void fuzz_pcap(struct input *in)
{
	struct pcap_reader *r;
	const char *why = NULL;
	unsigned int n, once;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", input_file(in));
	r = pcap_open(path, &why);
	if (!r) {
		CHECK(why, "a capture is refused for no reason");
		return;
	}
	n = count_frames(r);
	CHECK(pcap_rewind(r) && count_frames(r) == n, "a capture reads differently again");
	pcap_close(r);
	once = replay(path, 1, 0);
	CHECK(once <= n, "a replay gives more frames than there are");
	CHECK(replay(path, 1, 1) == once, "a replay loses frames by its pace");
	/* a file that is broken in its midst is not read from its beginning again */
	n = replay(path, 2, 0);
	CHECK(n == once || n == 2 * once, "a second pass gives other frames");
}
