// SPDX-License-Identifier: GPL-2.0-or-later
/* What the control socket can do: one table of commands, each a function. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "be_replay.h"
#include "emu.h"

static void to_answer(void *arg, const char *line)
{
	answer_line(arg, "%s", line);
}

/*
 * Counters
 */

struct counters {
	struct answer *a;
	bool json;
	char *text;		/* JSON so far */
	size_t len;
	FILE *f;
};

static void tell_counter(void *arg, const char *name, uint64_t value)
{
	struct counters *c = arg;

	if (!c->json)
		answer_line(c->a, "%s %" PRIu64, name, value);
	else
		fprintf(c->f, "%s\"%s\":%" PRIu64, ftell(c->f) > 1 ? "," : "", name, value);
}

static void tell_all(struct emu *emu, struct counters *c)
{
	const struct backend_stats *s = &emu->backend->stats;

	tell_counter(c, "link", emu->plugged && emu->carrier);
	nic_counters(emu->nic, tell_counter, c);
	tell_counter(c, "backend_rx_frames", s->rx_frames);
	tell_counter(c, "backend_rx_bytes", s->rx_bytes);
	tell_counter(c, "backend_rx_bad", s->rx_bad);
	tell_counter(c, "backend_tx_frames", s->tx_frames);
	tell_counter(c, "backend_tx_bytes", s->tx_bytes);
	tell_counter(c, "backend_tx_lost", s->tx_lost);
	wire_counters(emu->wire, tell_counter, c);
	faults_counters(emu->faults, tell_counter, c);
}

static bool cmd_stats(void *host, int argc, char **argv, struct answer *a)
{
	struct counters c = { .a = a, .json = argc };
	bool good;

	if (argc && strcmp(argv[0], "json"))
		return answer_error(a, "no \"%.64s\" of counters; give: stats, or stats json", argv[0]);
	if (!argc) {
		tell_all(host, &c);
		return true;
	}
	c.f = open_memstream(&c.text, &c.len);
	if (!c.f)
		return answer_error(a, "no memory; free some");
	fputc('{', c.f);
	tell_all(host, &c);
	fputc('}', c.f);
	good = !fclose(c.f);
	if (good)
		answer_line(a, "%s", c.text);
	free(c.text);
	return good || answer_error(a, "no memory; free some");
}

/*
 * What there is
 */

static bool cmd_rings(void *host, int argc, char **argv, struct answer *a)
{
	struct emu *emu = host;

	(void)argc;
	(void)argv;
	nic_list_rings(emu->nic, to_answer, a);
	return true;
}

static bool cmd_vnics(void *host, int argc, char **argv, struct answer *a)
{
	struct emu *emu = host;

	(void)argc;
	(void)argv;
	nic_list_vnics(emu->nic, to_answer, a);
	return true;
}

static bool cmd_filters(void *host, int argc, char **argv, struct answer *a)
{
	struct emu *emu = host;

	(void)argc;
	(void)argv;
	nic_list_filters(emu->nic, to_answer, a);
	return true;
}

/*
 * Link
 */

static bool cmd_link(void *host, int argc, char **argv, struct answer *a)
{
	struct emu *emu = host;

	if (!argc) {
		answer_line(a, "cable %s, %s at its other end", emu->plugged ? "in" : "out",
			    emu->carrier ? "somebody" : "nobody");
		return true;
	}
	if (strcmp(argv[0], "up") && strcmp(argv[0], "down"))
		return answer_error(a, "a link cannot be \"%.64s\"; give: link up, or link down",
				    argv[0]);
	emu->plugged = !strcmp(argv[0], "up");
	emu_link_changed(emu);
	return true;
}

static bool cmd_speed(void *host, int argc, char **argv, struct answer *a)
{
	struct emu *emu = host;
	unsigned long mbps;
	char *end;

	(void)argc;
	mbps = strtoul(argv[0], &end, 10);
	if (!strcmp(argv[0], "any"))
		mbps = 0;
	else if (*end || !mbps || mbps > UINT32_MAX)
		return answer_error(a, "a speed is a number of Mbit/s or \"any\"; give: speed 25000");
	return nic_set_speed(emu->nic, mbps) ||
	       answer_error(a, "the port has no %lu Mbit/s; give 10000, 25000, 40000, 50000 or 100000",
			    mbps);
}

/*
 * Faults
 */

static bool cmd_fw_error(void *host, int argc, char **argv, struct answer *a)
{
	static const struct {
		const char *name;
		enum nic_fw_fault fault;
	} faults[] = {
		{ "nonfatal", NIC_FW_NONFATAL },
		{ "fatal", NIC_FW_FATAL },
		{ "silent", NIC_FW_SILENT },
	};
	struct emu *emu = host;

	(void)argc;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (!strcmp(argv[0], faults[i].name))
			return nic_fw_error(emu->nic, faults[i].fault) ||
			       answer_error(a, "the firmware fails already, or runs with "
					       "--no-error-recovery; wait, or start without that");
	return answer_error(a, "firmware does not fail like \"%.64s\"; give nonfatal, fatal or silent",
			    argv[0]);
}

static bool cmd_faults(void *host, int argc, char **argv, struct answer *a)
{
	struct emu *emu = host;

	(void)argc;
	(void)argv;
	faults_list(emu->faults, to_answer, a);
	return true;
}

static bool fault_set(struct emu *emu, int argc, char **argv, struct answer *a)
{
	char why[512];

	if (!argc)
		return answer_error(a, "no fault is named; give: fault set drop=1%%,...");
	if (!faults_set(emu->faults, argv[0], why, sizeof(why)))
		return answer_error(a, "%s", why);
	return true;
}

static bool fault_clear(struct emu *emu, int argc, char **argv, struct answer *a)
{
	if (!faults_clear(emu->faults, argc ? argv[0] : NULL))
		return answer_error(a, "no fault \"%.64s\"; \"faults\" lists those that are on",
				    argv[0]);
	nic_hwrm_release(emu->nic);
	return true;
}

static bool fault_seed(struct emu *emu, int argc, char **argv, struct answer *a)
{
	char *end = NULL;
	uint64_t seed = 0;

	if (argc)
		seed = strtoull(argv[0], &end, 0);
	if (!argc || end == argv[0] || *end)
		return answer_error(a, "a seed is a number; give: fault seed N");
	faults_seed(emu->faults, seed);
	return true;
}

static bool cmd_fault(void *host, int argc, char **argv, struct answer *a)
{
	static const struct {
		const char *name;
		bool (*fn)(struct emu *emu, int argc, char **argv, struct answer *a);
	} verbs[] = { { "set", fault_set }, { "clear", fault_clear }, { "seed", fault_seed } };
	struct emu *emu = host;

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		bool good;

		if (strcmp(verbs[i].name, argv[0]))
			continue;
		good = verbs[i].fn(emu, argc - 1, argv + 1, a);
		emu_faults_changed(emu);
		return good;
	}
	return answer_error(a, "\"%.64s\" cannot be done to faults; give set, clear or seed", argv[0]);
}

/*
 * Replay
 */

static bool cmd_replay(void *host, int argc, char **argv, struct answer *a)
{
	struct emu *emu = host;
	char text[256];
	const char *why;

	if (!emu->opt.replay)
		return answer_error(a, "nothing to replay; start bnxt-emu with --replay FILE");
	if (!argc) {
		be_replay_status(emu->backend, text, sizeof(text));
		answer_line(a, "%s", text);
		return true;
	}
	emu->replay_waits = false;
	if (!strcmp(argv[0], "stop")) {
		be_replay_stop(emu->backend);
		return true;
	}
	if (strcmp(argv[0], "start"))
		return answer_error(a, "a replay cannot be \"%.64s\"; give start or stop", argv[0]);
	return be_replay_start(emu->backend, loop_now(), &why) ||
	       answer_error(a, "%s; does %.200s still exist?", why, emu->opt.replay);
}

/*
 * Files
 */

static bool usage_on_off(struct answer *a, const char *what)
{
	return answer_error(a, "what to do with it is missing; give: %s on FILE, or %s off", what,
			    what);
}

static bool close_stream(FILE **f, struct answer *a)
{
	bool good = !*f || !ferror(*f);

	if (*f && fclose(*f))
		good = false;
	*f = NULL;
	return good || answer_error(a, "not all of it could be written; is the disk full?");
}

/* The old file goes on if the new one cannot be made */
static bool open_stream(FILE **f, const char *path, const char *first, struct answer *a)
{
	FILE *new = fopen(path, "we");
	bool good;

	if (!new)
		return answer_error(a, "%.200s: %s; give a file that bnxt-emu may write", path,
				    strerror(errno));
	good = close_stream(f, a);
	*f = new;
	fputs(first, new);
	return good;
}

static bool cmd_trace(void *host, int argc, char **argv, struct answer *a)
{
	struct emu *emu = host;
	bool on = !strcmp(argv[0], "on"), doorbells = argc == 3 && !strcmp(argv[2], "doorbells");
	bool good;

	if (!(on && (argc == 2 || doorbells)) && !(!strcmp(argv[0], "off") && argc == 1))
		return answer_error(a,
				    "that is no way to trace; give: trace on FILE [doorbells], or trace off");
	if (!on)
		nic_set_trace(emu->nic, NULL, false);
	good = on ? open_stream(&emu->trace, argv[1], "", a) : close_stream(&emu->trace, a);
	if (on && emu->trace)
		nic_set_trace(emu->nic, emu_trace_line, doorbells);
	return good;
}

static bool cmd_dma_trace(void *host, int argc, char **argv, struct answer *a)
{
	struct emu *emu = host;
	bool on = !strcmp(argv[0], "on") && argc == 2, good;

	if (!on && !(!strcmp(argv[0], "off") && argc == 1))
		return usage_on_off(a, "dma-trace");
	if (!on)
		nic_set_dma_trace(emu->nic, NULL);
	good = on ? open_stream(&emu->dma_trace, argv[1], EMU_DMA_TRACE_HEADER, a) :
		    close_stream(&emu->dma_trace, a);
	if (on && emu->dma_trace)
		nic_set_dma_trace(emu->nic, emu_dma_trace);
	return good;
}

static bool cmd_pcap(void *host, int argc, char **argv, struct answer *a)
{
	struct emu *emu = host;
	struct pcap *new = NULL;

	if (!strcmp(argv[0], "on") && argc >= 2) {
		unsigned long snaplen = argc > 2 ? strtoul(argv[2], NULL, 0) : 0;

		new = snaplen <= 1 << 20 ? pcap_new(argv[1], snaplen) : NULL;
		if (!new)
			return answer_error(a, "%.200s: %s; give a file that bnxt-emu may write",
					    argv[1], strerror(errno));
	} else if (strcmp(argv[0], "off") || argc != 1) {
		return usage_on_off(a, "pcap");
	}
	if (!pcap_free(emu->pcap))
		answer_error(a, "not all of it could be written; is the disk full?");
	emu->pcap = new;
	return true;
}

/* Brings all that was seen into the files */
static bool cmd_flush(void *host, int argc, char **argv, struct answer *a)
{
	struct emu *emu = host;
	bool good = !emu->pcap || pcap_flush(emu->pcap);

	(void)argc;
	(void)argv;
	good &= !emu->trace || !fflush(emu->trace);
	good &= !emu->dma_trace || !fflush(emu->dma_trace);
	return good || answer_error(a, "not all of it could be written; is the disk full?");
}

const struct control_cmd emu_commands[] = {
	{ "stats", "[json]", 0, 1, "counters of port, queues, wire, back end and faults", cmd_stats },
	{ "rings", "", 0, 0, "rings of the device", cmd_rings },
	{ "vnics", "", 0, 0, "VNICs: what they take, where it goes", cmd_vnics },
	{ "filters", "", 0, 0, "L2 and ntuple filters", cmd_filters },
	{ "link", "[up|down]", 0, 1, "the cable: in, out, or how it is", cmd_link },
	{ "speed", "MBPS|any", 1, 1, "the only speed that the link partner takes", cmd_speed },
	{ "fw-error", "nonfatal|fatal|silent", 1, 1, "the firmware fails, and comes back",
	  cmd_fw_error },
	{ "faults", "", 0, 0, "faults that are on, and how often they happened", cmd_faults },
	{ "fault", "set LIST|clear [NAME]|seed N", 1, 2, "switch faults on and off", cmd_fault },
	{ "replay", "[start|stop]", 0, 1, "the capture that is replayed: from its beginning, no more, how far",
	  cmd_replay },
	{ "trace", "on FILE [doorbells]|off", 1, 3, "firmware commands and ring events in words",
	  cmd_trace },
	{ "dma-trace", "on FILE|off", 1, 2, "writes of the receive path into guest memory",
	  cmd_dma_trace },
	{ "pcap", "on FILE [SNAPLEN]|off", 1, 3, "frames at the guest's end of the wire", cmd_pcap },
	{ "flush", "", 0, 0, "bring what was traced and captured so far into the files", cmd_flush },
	{ NULL }
};
