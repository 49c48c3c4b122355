// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Speed of bnxt-emu's core on one processor, with a driver in user space.
 *
 *	make bench			this, and the real driver
 *	build/gcc/bench-nic		this alone
 *
 * No wire, no guest, no interrupts: what is measured is the way from a frame in
 * memory to completions in a ring, or from descriptors to pointers for the
 * wire. Before a line is measured, every byte that comes out is compared with
 * what went in. The time is that of the thread, so that other load of the
 * machine counts as little as can be, and of some rounds the fastest counts.
 * Next to it stands memcpy() of the same payload, from the same memory to the
 * same buffers, in the same run: reception cannot be faster than its one copy.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../bnxt-emu/pcap.h"
#include "../tap.h"
#include "bench.h"

#define GRO	(VNIC_TPA_TPA | VNIC_TPA_GRO | VNIC_TPA_WITH_ECN)
#define CAPTURED	1024	/* frames in a capture */
#define WANTED	20.0	/* Gbit/s of the line that has to reach it */

static const struct bench_case cases[] = {
	{ "rx", "64-byte frames, not split", 18, .udp = true },
	{ "rx", "not split (XDP)", 1448, .whole = true },
	{ "rx", "split", 1448 },
	{ "rx", "split", 4096 },
	{ "rx", "split", 8948 },
	{ "rx", "split, checksum vouched for", 4096, .vouched = true },
	{ "rx", "split, cut from 64 KB", 1448, .large = true },
	{ "rx", "split, cut from 64 KB", 4096, .large = true },
	{ "rx", "split, cut from 64 KB", 8948, .large = true },
	{ "rx", "merged (TPA)", 1448, .tpa = GRO },
	{ "rx", "merged (TPA)", 4096, .tpa = GRO },
	{ "rx", "merged (TPA), cut from 64 KB", 1448, .large = true, .tpa = GRO },
	{ "rx", "merged (TPA), cut from 64 KB", 4096, .large = true, .tpa = GRO },
	{ "tx", "64-byte frames, checksum", 18, .udp = true },
	{ "tx", "checksum", 1448 },
	{ "tx", "checksum", 4096 },
	{ "tx", "TSO of 64 KB", 1448, .large = true },
	{ "tx", "TSO of 64 KB", 4096, .large = true },
	{ "tx", "TSO of 64 KB", 8948, .large = true },
	{ "tx", "64 KB, the wire cuts", 1448, .large = true, .wire_gso = true },
};

#define CASES		(sizeof(cases) / sizeof(cases[0]))

/* ns a frame */
struct figures {
	double all, device, copy;
};

double bench_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static const struct bench *bench_of(const struct bench_case *c)
{
	return strcmp(c->dir, bench_rx.dir) ? &bench_tx : &bench_rx;
}

static double per_frame(double seconds, const struct span *s)
{
	return seconds * 1e9 / s->frames;
}

static void lower(double *least, double v)
{
	if (!*least || v < *least)
		*least = v;
}

/*
 * The processor's clock in GHz: how fast a chain of instructions goes of which
 * each waits for the one before, a shift and an exclusive or of a cycle each.
 * Virtual machines often have no counter of cycles, and clocks change.
 */
static double clock_ghz(void)
{
	const unsigned int steps = 1000000;
	double best = 0;

	for (int round = 0; round < 2 * ROUNDS; round++) {
		double start = bench_now(), ns;
		uint64_t x = round + 1;

		for (unsigned int i = 0; i < steps; i += 8) {
			for (int k = 0; k < 8; k++) {
				x ^= x >> 1;
				__asm__ volatile("" : "+r"(x));
			}
		}
		ns = (bench_now() - start) * 1e9;
		if (2 * steps / ns > best)
			best = 2 * steps / ns;
	}
	return best;
}

/* Returns what is wrong, NULL for nothing */
static const char *measure(const struct bench_case *c, double seconds, struct figures *f,
			   uint64_t *checked)
{
	const struct bench *b = bench_of(c);
	const char *wrong;
	void *state;

	*f = (struct figures){ .all = 0 };
	wrong = b->open(c, &state, checked);
	for (int i = 0; !wrong && i < ROUNDS; i++) {
		struct span s = { .frames = 0 }, m = { .frames = 0 };

		wrong = b->run(state, seconds / ROUNDS, &s);
		b->copy(state, seconds / ROUNDS / 4, &m);
		lower(&f->all, per_frame(s.all, &s));
		lower(&f->device, per_frame(s.device, &s));
		lower(&f->copy, per_frame(m.device, &m));
	}
	b->close(state);
	return wrong;
}

/* Value of the first line of /proc/cpuinfo with that name */
static void cpu_model(char *out, size_t size)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	char line[256];

	snprintf(out, size, "unknown processor");
	while (f && fgets(line, sizeof(line), f)) {
		char *v = strchr(line, ':');

		if (strncmp(line, "model name", 10) || !v)
			continue;
		v[strcspn(v, "\n")] = 0;
		snprintf(out, size, "%s", v + 2);
		break;
	}
	if (f)
		fclose(f);
}

static void print_setup(double seconds, double ghz)
{
	char cpu[200];

	cpu_model(cpu, sizeof(cpu));
	printf("%s, one thread, %.2f GHz (measured); compiler %s, flags %s\n"
	       "RX ring 512, AGG 2048 x 4096 bytes, %d frames in turns, %d a burst; %d rounds, together %g s a line\n\n",
	       cpu, ghz, __VERSION__, BENCH_CFLAGS, SOURCES, BATCH, ROUNDS, seconds);
	printf("    payload  %-30s  Gbit/s  Mpkt/s  device  cycles  memcpy   ratio\n"
	       "      bytes  %-30s                  ns/pkt    /pkt  ns/pkt\n", "", "");
}

static void print_line(const struct bench_case *c, const struct figures *f, double ghz)
{
	printf("%s  %7u  %-30s %7.2f %7.3f %7.1f %7.0f %7.1f %7.2f\n", c->dir, c->payload, c->name,
	       c->payload * 8 / f->all, 1e3 / f->all, f->device, f->device * ghz, f->copy,
	       f->device / f->copy);
}

static bool is_target(const struct bench_case *c)
{
	return !strcmp(c->dir, "rx") && c->payload == 4096 && !strcmp(c->name, "split");
}

static int table(double seconds, size_t only)
{
	double reached = 0, ghz = clock_ghz();

	setlinebuf(stdout);
	print_setup(seconds, ghz);
	for (size_t i = 0; i < CASES; i++) {
		const struct bench_case *c = &cases[i];
		uint64_t checked;
		struct figures f;
		const char *wrong;

		if (only && i + 1 != only)
			continue;
		wrong = measure(c, seconds, &f, &checked);
		if (wrong) {
			fprintf(stderr, "bench-nic: %s, %u bytes, %s: %s\n", c->dir, c->payload,
				c->name, wrong);
			return 1;
		}
		print_line(c, &f, ghz);
		if (is_target(c))
			reached = c->payload * 8 / f.all;
	}
	if (only)
		return 0;
	printf("\nGbit/s, Mpkt/s: payload and frames as on a cable, by the time of device and driver together\n"
	       "ratio: the device's time by that of memcpy() of the same payload\n"
	       "rx, 4096 bytes, split: %.1f Gbit/s, wanted are %.0f: %s\n",
	       reached, WANTED, reached >= WANTED ? "reached" : "NOT REACHED");
	return reached < WANTED;
}

/* A short run for the tests: everything comes out right; speed is not judged */
static int check(double seconds)
{
	for (size_t i = 0; i < CASES; i++) {
		const struct bench_case *c = &cases[i];
		uint64_t checked = 0;
		struct figures f;
		const char *wrong = measure(c, seconds, &f, &checked);

		tap_ok(!wrong && checked, "%s, %u bytes, %s: %ju bytes came out as they went in", c->dir,
		       c->payload, c->name, (uintmax_t)checked);
		if (wrong)
			tap_diag("%s", wrong);
		else
			tap_ok(f.device > 0 && f.copy > 0 && f.all >= f.device,
			       "it takes %.2f times as long as memcpy()", f.device / f.copy);
	}
	return tap_done();
}

/* Frames of UDP for a replay to a guest with zcrx-vm's addresses, in @flows flows */
static int capture(const char *path, unsigned int payload, unsigned int flows)
{
	static const uint8_t mac[6] = { 0x02, 0x00, 0x00, 0x57, 0x50, 0x04 };
	static uint8_t frame[MAX_FRAME];
	struct pcap *pcap = pcap_new(path, 0);
	struct flow f = tcp4(0, 9);

	if (!pcap) {
		perror(path);
		return 1;
	}
	f.proto = 17;
	f.dmac = mac;
	for (unsigned int i = 0; i < CAPTURED; i++) {
		struct iovec iov = { .iov_base = frame };

		f.sport = 1024 + i % flows;
		iov.iov_len = frame_make(frame, &f, i * payload, payload);
		pcap_frame(pcap, PCAP_IN, &iov, 1);
	}
	if (pcap_free(pcap))
		return 0;
	fprintf(stderr, "bench-nic: %s cannot be written: is the disk full?\n", path);
	return 1;
}

/* For scripts: ns of a copy of @bytes out of SOURCES places into pages in turns */
static int copy_alone(size_t bytes)
{
	size_t stride = (bytes + 4095) & ~4095ul, places = (8u << 20) / stride;
	uint8_t *src = malloc(SOURCES * stride), *dst = malloc(places * stride);
	double least = 0;

	if (!src || !dst)
		abort();
	memset(src, 1, SOURCES * stride);
	memset(dst, 1, places * stride);
	for (int round = 0; round < ROUNDS; round++) {
		double start = bench_now(), end;
		size_t n = 0;

		do {
			for (int i = 0; i < BATCH; i++, n++) {
				memcpy(dst + n % places * stride, src + n % SOURCES * stride, bytes);
				__asm__ volatile("" : : : "memory");
			}
			end = bench_now();
		} while (end - start < 0.05);
		lower(&least, (end - start) * 1e9 / n);
	}
	printf("%.2f\n", least);
	free(src);
	free(dst);
	return 0;
}

static const char usage[] =
	"usage: bench-nic [--seconds S] [--line N]\n"
	"                                    all lines, or that one, S seconds each (default 1)\n"
	"       bench-nic --check            as a test, for a moment: TAP\n"
	"       bench-nic --pcap FILE --payload BYTES [--flows N]\n"
	"                                    1024 UDP frames to replay to a guest, in N flows (default 1)\n"
	"       bench-nic --memcpy BYTES     ns of memcpy(), from and to more memory than L1 and L2 hold\n"
	"Exit status: 0 good, 1 something came out wrong or too slow, 2 wrong usage\n";

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seconds", required_argument, NULL, 's' }, { "check", no_argument, NULL, 'c' },
		{ "line", required_argument, NULL, 'l' },
		{ "pcap", required_argument, NULL, 'p' }, { "payload", required_argument, NULL, 'n' },
		{ "flows", required_argument, NULL, 'f' }, { "memcpy", required_argument, NULL, 'm' },
		{ "help", no_argument, NULL, 'h' }, { },
	};
	const char *path = NULL;
	unsigned int payload = 0, flows = 1, copy = 0, line = 0;
	bool tap = false;
	double seconds = 1;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 's': seconds = atof(optarg); break;
		case 'c': tap = true; break;
		case 'l': line = strtoul(optarg, NULL, 10); break;
		case 'p': path = optarg; break;
		case 'n': payload = strtoul(optarg, NULL, 10); break;
		case 'f': flows = strtoul(optarg, NULL, 10); break;
		case 'm': copy = strtoul(optarg, NULL, 10); break;
		case 'h': return fputs(usage, stdout) < 0;
		default: return fputs(usage, stderr), 2;
		}
	}
	if (optind < argc || seconds <= 0 || !flows || flows > CAPTURED ||
	    !path != !payload || payload > 9472 || copy > MAX_FRAME || line > CASES)
		return fputs(usage, stderr), 2;
	if (copy)
		return copy_alone(copy);
	if (path)
		return capture(path, payload, flows);
	return tap ? check(0.02) : table(seconds, line);
}
