// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bnxt-emu: a BCM57504 Ethernet controller for a guest of User Mode Linux or QEMU.
 *
 *	bnxt-emu --socket /tmp/nic --tap tap0 &
 *	linux ... virtio_uml.device=/tmp/nic:1234 virt_pci.max_delay_us=5000000
 *
 *	bnxt-emu --vfio-user /tmp/nic --tap tap0 &
 *	qemu-system-x86_64 ... -object memory-backend-memfd,id=ram,size=1G,share=on \
 *		-machine q35,memory-backend=ram \
 *		-device '{"driver":"vfio-user-pci","socket":{"type":"unix","path":"/tmp/nic"}}'
 *
 * This file reads the options and connects the parts: the transport to the PCI
 * function, that to the device core, and the core to a back end.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "be_pair.h"
#include "be_replay.h"
#include "be_tap.h"
#include "emu.h"
#include "pcidev.h"
#include "sigbus.h"
#include "vfio_user.h"

enum exit_code {
	EXIT_OK = 0,
	EXIT_GUEST = 1,		/* the guest or the connection to it misbehaved */
	EXIT_USAGE = 2,
	EXIT_SETUP = 3,		/* something on the host is missing or in the way */
};

/*
 * Options
 */

enum {
	OPT_SOCKET = 256,
	OPT_VFIO_USER,
	OPT_RECONNECT,
	OPT_TAP,
	OPT_TAP_FD,
	OPT_TAP_QUEUES,
	OPT_PAIR,
	OPT_REPLAY,
	OPT_CONTROL,
	OPT_CONTROL_DIR,
	OPT_QUEUES,
	OPT_RX_RINGS,
	OPT_MAC,
	OPT_MTU,
	OPT_RFS,
	OPT_QUEUE_RESTART,
	OPT_HWRM_TIMEOUT,
	OPT_FW_VERSION,
	OPT_NO_ERROR_RECOVERY,
	OPT_FW_BOOT,
	OPT_FW_LEAVE,
	OPT_NO_GSO,
	OPT_DROP,
	OPT_HDS_LEN_EXTRA,
	OPT_TPA,
	OPT_COALESCE,
	OPT_TPA_TIMER,
	OPT_PCAP,
	OPT_SNAPLEN,
	OPT_TRACE,
	OPT_TRACE_DOORBELLS,
	OPT_DMA_TRACE,
	OPT_RECORD,
	OPT_FAULTS,
	OPT_SEED,
	OPT_SPIN,
	OPT_STATS,
	OPT_HELP,
};

static const struct option long_options[] = {
	{ "socket",	   required_argument, NULL, OPT_SOCKET },
	{ "vfio-user",	   required_argument, NULL, OPT_VFIO_USER },
	{ "reconnect",	   no_argument,	      NULL, OPT_RECONNECT },
	{ "tap",	   required_argument, NULL, OPT_TAP },
	{ "tap-fd",	   required_argument, NULL, OPT_TAP_FD },
	{ "tap-queues",	   required_argument, NULL, OPT_TAP_QUEUES },
	{ "pair",	   required_argument, NULL, OPT_PAIR },
	{ "replay",	   required_argument, NULL, OPT_REPLAY },
	{ "control",	   required_argument, NULL, OPT_CONTROL },
	{ "control-dir",   required_argument, NULL, OPT_CONTROL_DIR },
	{ "queues",	   required_argument, NULL, OPT_QUEUES },
	{ "rx-rings",	   required_argument, NULL, OPT_RX_RINGS },
	{ "mac",	   required_argument, NULL, OPT_MAC },
	{ "mtu",	   required_argument, NULL, OPT_MTU },
	{ "rfs",	   required_argument, NULL, OPT_RFS },
	{ "queue-restart", no_argument,	      NULL, OPT_QUEUE_RESTART },
	{ "hwrm-timeout",  required_argument, NULL, OPT_HWRM_TIMEOUT },
	{ "fw-version",	   required_argument, NULL, OPT_FW_VERSION },
	{ "no-error-recovery", no_argument,   NULL, OPT_NO_ERROR_RECOVERY },
	{ "fw-boot",	   required_argument, NULL, OPT_FW_BOOT },
	{ "fw-leave",	   required_argument, NULL, OPT_FW_LEAVE },
	{ "no-gso",	   no_argument,	      NULL, OPT_NO_GSO },
	{ "drop",	   no_argument,	      NULL, OPT_DROP },
	{ "hds-len-extra", required_argument, NULL, OPT_HDS_LEN_EXTRA },
	{ "tpa", required_argument, NULL, OPT_TPA },
	{ "coalesce", required_argument, NULL, OPT_COALESCE },
	{ "tpa-timer", required_argument, NULL, OPT_TPA_TIMER },
	{ "pcap",	   required_argument, NULL, OPT_PCAP },
	{ "snaplen",	   required_argument, NULL, OPT_SNAPLEN },
	{ "trace",	   required_argument, NULL, OPT_TRACE },
	{ "dma-trace",	   required_argument, NULL, OPT_DMA_TRACE },
	{ "record",	   required_argument, NULL, OPT_RECORD },
	{ "trace-doorbells", no_argument,     NULL, OPT_TRACE_DOORBELLS },
	{ "faults",	   required_argument, NULL, OPT_FAULTS },
	{ "seed",	   required_argument, NULL, OPT_SEED },
	{ "spin",	   required_argument, NULL, OPT_SPIN },
	{ "stats",	   no_argument,	      NULL, OPT_STATS },
	{ "help",	   no_argument,	      NULL, OPT_HELP },
	{ }
};

static const char usage_text[] =
	"Usage: bnxt-emu (--socket PATH | --vfio-user PATH)\n"
	"                (--tap NAME | --tap-fd FD | --pair PATH | --replay FILE) [OPTION]...\n"
	"       bnxt-emu ctl [PATH] COMMAND [WORD]...\n"
	"Be a BCM57504 Ethernet controller for one guest of User Mode Linux or QEMU; end with it.\n"
	"\n"
	"The guest: linux virtio_uml.device=PATH:1234 virt_pci.max_delay_us=5000000 ...\n"
	"or, QEMU 10.1 and later, with --vfio-user:\n"
	"  qemu-system-x86_64 -object memory-backend-memfd,id=ram,size=1G,share=on\n"
	"    -machine q35,memory-backend=ram\n"
	"    -device '{\"driver\":\"vfio-user-pci\",\"socket\":{\"type\":\"unix\",\"path\":\"PATH\"}}' ...\n"
	"\n"
	"Guest and wire\n"
	"  --socket PATH        UNIX socket to make and listen at (vhost-user), for User Mode Linux\n"
	"  --vfio-user PATH     the same for QEMU\n"
	"  --reconnect          with --vfio-user: when the guest has gone, wait for another\n"
	"  --tap NAME           TAP device, made if it is not there\n"
	"  --tap-fd FD          TAP device that is open already (IFF_TAP, IFF_NO_PI, IFF_VNET_HDR)\n"
	"  --tap-queues N       queues of the TAP device, 1..8 (default 1)\n"
	"  --no-gso             only frames as on a cable between TAP and device: none larger than the\n"
	"                       MTU, all with their checksums\n"
	"  --pair PATH          cable to another bnxt-emu with the same PATH, which is a socket\n"
	"  --replay FILE[,speed=fast|recorded][,loop=N|forever][,dir=in|out|any][,start=auto|ctl]\n"
	"                       frames out of a pcap or pcapng file; the guest's go nowhere\n"
	"  --faults LIST        faults of wire, device and firmware, such as\n"
	"                       drop=1%,corrupt=0.001:dir=rx,hwrm-fail=VNIC_CFG:count=1;\n"
	"                       Documentation/emulator.rst has them all\n"
	"  --seed N             what their dice start from (default 1)\n"
	"\n"
	"Device\n"
	"  --queues N           RX/TX pairs, 1..32 (default 8); twice as many MSI-X vectors, up to 32\n"
	"  --rx-rings N         hardware receive rings, 1..64 (default: two for each queue, which is\n"
	"                       what a queue with header split takes)\n"
	"  --mac MAC            default 02:00:00:57:50:04\n"
	"  --mtu N              largest MTU that the firmware allows (default 9500)\n"
	"  --rfs v2|v3          flow steering generation that the firmware announces (default v2;\n"
	"                       bnxt_en crashes with v3 in kernels without CONFIG_RFS_ACCEL)\n"
	"  --queue-restart      the firmware can restart single queues (wants --rfs v3)\n"
	"  --hwrm-timeout MS    how long the driver is to wait for the firmware, 10..20000 (default 500)\n"
	"  --fw-version A.B.C.D version that the firmware says it is (default 230.0.0.0)\n"
	"  --no-error-recovery  the firmware cannot reset itself, and has no health registers\n"
	"  --fw-boot MS         how long the firmware takes from a reset until it answers, 100..30000\n"
	"                       (default 300)\n"
	"  --fw-leave MS        how long firmware that is to reset waits for the driver to sign off,\n"
	"                       100..600000 (default 5000)\n"
	"  --drop               drop frames at once when a queue runs out of receive buffers, instead of\n"
	"                       waiting a while, which is what packet memory and pause frames do\n"
	"  --hds-len-extra N    bytes added to a frame's length before it is compared with the\n"
	"                       header split threshold (default 0; 4 counts the FCS)\n"
	"  --coalesce on|off    delay interrupts as the driver sets it (default on); off: at the end\n"
	"                       of each burst of frames\n"
	"  --tpa on|off         aggregate TCP segments (LRO, hardware GRO) where the driver wants it\n"
	"                       (default on); off announces it all the same, as 6.12 bases header\n"
	"                       split on it\n"
	"  --tpa-timer USEC     longest life of an aggregation (default 50)\n"
	"\n"
	"Control and looking inside\n"
	"  --control PATH       UNIX socket for commands while it runs; bnxt-emu ctl PATH help\n"
	"  --control-dir DIR    the same by files, for a guest that shares DIR with this host\n"
	"  --pcap FILE          write all frames (pcapng); --snaplen N bytes of each\n"
	"  --trace FILE         firmware commands, filters and ring events in words\n"
	"  --trace-doorbells    and each doorbell\n"
	"  --dma-trace FILE     one line for each DMA write of the receive path:\n"
	"                       queue iova len payload|header dport sport seq\n"
	"  --record FILE        firmware requests, raw: an input of the fuzz target hwrm\n"
	"  --stats              frame counters on stderr at the end\n"
	"\n"
	"  --spin USEC          longest busy wait for the guest before sleeping (default 50)\n"
	"\n"
	"Exit status: 0 the guest ended, 1 it broke the connection, 2 wrong usage, 3 cannot start.\n";

static bool parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	char *end;

	errno = 0;
	if (*text < '0' || *text > '9')
		return false;
	*out = strtoull(text, &end, 0);
	return !errno && !*end && *out >= min && *out <= max;
}

static bool parse_uint(const char *name, const char *text, unsigned int min, unsigned int max,
		       unsigned int *out)
{
	uint64_t v;

	if (!parse_number(text, min, max, &v)) {
		fprintf(stderr, "bnxt-emu: --%s %s: give a number from %u to %u\n", name, text, min,
			max);
		return false;
	}
	*out = v;
	return true;
}

static bool parse_mac(const char *text, uint8_t mac[6])
{
	int n = 0;

	if (sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2],
		   &mac[3], &mac[4], &mac[5], &n) == 6 &&
	    !text[n] && !(mac[0] & 1))
		return true;
	fprintf(stderr, "bnxt-emu: --mac %s: give a unicast address such as 02:00:00:57:50:04\n",
		text);
	return false;
}

static bool parse_rfs(const char *text, enum nic_rfs *rfs)
{
	if (!strcmp(text, "v2"))
		*rfs = NIC_RFS_V2;
	else if (!strcmp(text, "v3"))
		*rfs = NIC_RFS_V3;
	else
		return fprintf(stderr, "bnxt-emu: --rfs %s: give v2 or v3\n", text), false;
	return true;
}

static bool parse_fw_version(const char *text, uint16_t version[4])
{
	int n = 0;

	if (sscanf(text, "%3hu.%3hu.%3hu.%3hu%n", &version[0], &version[1], &version[2],
		   &version[3], &n) == 4 &&
	    !text[n] && version[0] && version[0] < 256 && version[1] < 256 && version[2] < 256 &&
	    version[3] < 256)
		return true;
	fprintf(stderr,
		"bnxt-emu: --fw-version %s: give four numbers up to 255, such as 230.0.157.0\n",
		text);
	return false;
}

static bool parse_switch(const char *name, const char *text, bool *on)
{
	*on = !strcmp(text, "on");
	if (*on || !strcmp(text, "off"))
		return true;
	fprintf(stderr, "bnxt-emu: --%s %s: give on or off\n", name, text);
	return false;
}

static bool parse_option(struct options *o, int opt, const char *name, const char *arg)
{
	unsigned int v = 0;

	switch (opt) {
	case OPT_SOCKET:
		o->socket = arg;
		return true;
	case OPT_VFIO_USER:
		o->vfio_user = arg;
		return true;
	case OPT_RECONNECT:
		o->reconnect = true;
		return true;
	case OPT_TAP:
		o->tap = arg;
		return true;
	case OPT_TAP_FD:
		return parse_uint(name, arg, 0, 1 << 20, &v) && (o->tap_fd = v, true);
	case OPT_TAP_QUEUES:
		return parse_uint(name, arg, 1, BE_TAP_MAX_QUEUES, &o->tap_queues);
	case OPT_PAIR:
		o->pair = arg;
		return true;
	case OPT_REPLAY:
		o->replay = arg;
		return true;
	case OPT_CONTROL:
		o->control = arg;
		return true;
	case OPT_CONTROL_DIR:
		o->control_dir = arg;
		return true;
	case OPT_QUEUES:
		return parse_uint(name, arg, 1, NIC_MAX_QUEUES, &o->nic.queues);
	case OPT_RX_RINGS:
		return parse_uint(name, arg, 1, 2 * NIC_MAX_QUEUES, &o->nic.rx_rings);
	case OPT_MAC:
		return parse_mac(arg, o->nic.mac);
	case OPT_MTU:
		return parse_uint(name, arg, 1500, 9600, &o->nic.max_mtu);
	case OPT_RFS:
		return parse_rfs(arg, &o->nic.rfs);
	case OPT_QUEUE_RESTART:
		o->nic.queue_restart = true;
		return true;
	case OPT_HWRM_TIMEOUT:
		return parse_uint(name, arg, 10, 20000, &o->nic.hwrm_timeout_ms);
	case OPT_FW_VERSION:
		return parse_fw_version(arg, o->nic.fw_version);
	case OPT_NO_ERROR_RECOVERY:
		o->nic.error_recovery = false;
		return true;
	case OPT_FW_BOOT:
		return parse_uint(name, arg, 100, 30000, &o->nic.fw_boot_ms);
	case OPT_FW_LEAVE:
		return parse_uint(name, arg, 100, 600000, &o->nic.fw_leave_ms);
	case OPT_NO_GSO:
		o->nic.wire_gso = false;
		return true;
	case OPT_DROP:
		o->nic.rx_backpressure = false;
		return true;
	case OPT_HDS_LEN_EXTRA:
		return parse_uint(name, arg, 0, 64, &o->nic.hds_len_extra);
	case OPT_COALESCE:
		return parse_switch(name, arg, &o->nic.coalesce);
	case OPT_TPA:
		return parse_switch(name, arg, &o->nic.tpa);
	case OPT_TPA_TIMER:
		return parse_uint(name, arg, 1, 1000000, &o->nic.tpa_timer_us);
	case OPT_PCAP:
		o->pcap = arg;
		return true;
	case OPT_SNAPLEN:
		return parse_uint(name, arg, 1, 1 << 20, &o->snaplen);
	case OPT_TRACE:
		o->trace = arg;
		return true;
	case OPT_DMA_TRACE:
		o->dma_trace = arg;
		return true;
	case OPT_RECORD:
		o->record = arg;
		return true;
	case OPT_TRACE_DOORBELLS:
		o->trace_doorbells = true;
		return true;
	case OPT_FAULTS:
		o->faults = arg;
		return true;
	case OPT_SEED:
		return parse_uint(name, arg, 0, ~0u, &v) && (o->seed = v, true);
	case OPT_SPIN:
		return parse_uint(name, arg, 0, 1000000, &o->spin_us);
	case OPT_STATS:
		o->stats = true;
		return true;
	}
	return false;
}

/* Returns -1 to go on, else the exit code */
static int parse_options(struct options *o, int argc, char **argv)
{
	int opt, index = 0;

	*o = (struct options){
		.tap_fd = -1,
		.tap_queues = 1,
		.seed = 1,
		.spin_us = 50,
		.nic = {
			.mac = { 0x02, 0x00, 0x00, 0x57, 0x50, 0x04 },
			.queues = 8,
			.max_mtu = 9500,
			.rfs = NIC_RFS_V2,
			.error_recovery = true,
			.wire_gso = true,
			.rx_backpressure = true,
			.coalesce = true,
			.tpa = true,
			.tpa_timer_us = 50,
		},
	};
	while ((opt = getopt_long(argc, argv, "", long_options, &index)) != -1) {
		if (opt == OPT_HELP)
			return fputs(usage_text, stdout) < 0 ? EXIT_GUEST : EXIT_OK;
		if (opt == '?' || !parse_option(o, opt, long_options[index].name, optarg))
			return EXIT_USAGE;
	}
	if (optind < argc) {
		fprintf(stderr, "bnxt-emu: %s: not an option; see bnxt-emu --help\n", argv[optind]);
		return EXIT_USAGE;
	}
	if (!o->socket == !o->vfio_user ||
	    !!o->tap + (o->tap_fd >= 0) + !!o->pair + !!o->replay != 1) {
		fprintf(stderr,
			"bnxt-emu: give --socket or --vfio-user, and one of --tap, --tap-fd, --pair, --replay; see bnxt-emu --help\n");
		return EXIT_USAGE;
	}
	if (o->reconnect && !o->vfio_user) {
		fprintf(stderr, "bnxt-emu: --reconnect is of --vfio-user\n");
		return EXIT_USAGE;
	}
	return -1;
}

/*
 * Device core to the outside
 */

static void core_msix(void *host, unsigned int vector)
{
	struct emu *emu = host;

	pci_msix_raise(emu->pci, vector);
}

static void core_wire_tx(void *host, const struct virtio_net_hdr_v1 *hdr, const struct iovec *iov,
			 int iovcnt)
{
	struct emu *emu = host;

	if (emu->pcap)
		pcap_frame(emu->pcap, PCAP_OUT, iov, iovcnt);
	wire_in(emu->wire, FAULT_TX, hdr, iov, iovcnt);
}

static uint64_t core_fault(void *host, enum nic_fault fault)
{
	struct emu *emu = host;

	return faults_device(emu->faults, fault);
}

static struct nic_hwrm_fault core_hwrm_fault(void *host, const char *name)
{
	struct emu *emu = host;

	return faults_hwrm(emu->faults, name);
}

/* A line of the trace goes into its file */
void emu_trace_line(void *host, const char *line)
{
	struct emu *emu = host;
	uint64_t us = (loop_now() - emu->start) / 1000;

	fprintf(emu->trace, "%" PRIu64 ".%06" PRIu64 " %s\n", us / 1000000, us % 1000000, line);
}

/*
 * As tools/testing/fuzz/fuzz-hwrm.c reads it: step 0, no flags, length, request.
 * Longer requests than that have room in a byte do not exist.
 */
static void core_request(void *host, const void *req, size_t len)
{
	struct emu *emu = host;
	const uint8_t head[3] = { 0, 0, len < 255 ? len : 255 };

	fwrite(head, 1, sizeof(head), emu->record);
	fwrite(req, 1, head[2], emu->record);
}

/* A write of the receive path into guest memory does */
void emu_dma_trace(void *host, const struct nic_dma_event *ev)
{
	struct emu *emu = host;

	fprintf(emu->dma_trace, "%u 0x%" PRIx64 " %u %s %u %u %" PRIu64 "\n", ev->rx_queue,
		ev->iova, ev->len, ev->payload ? "payload" : "header", ev->flow >> 16,
		ev->flow & 0xffff, ev->seq);
}

/*
 * PCI function to core and transport
 */

static uint64_t function_bar_read(void *host, enum nic_bar bar, uint64_t off, unsigned int size)
{
	struct emu *emu = host;

	return nic_mmio_read(emu->nic, bar, off, size);
}

static void function_bar_write(void *host, enum nic_bar bar, uint64_t off, unsigned int size,
			       uint64_t val)
{
	struct emu *emu = host;

	nic_mmio_write(emu->nic, bar, off, size, val);
}

static bool function_msi(void *host, uint64_t addr, uint32_t data)
{
	struct emu *emu = host;

	return emu->transport->class->msi(emu->transport, addr, data);
}

static bool function_vector(void *host, unsigned int vector)
{
	struct emu *emu = host;

	return emu->transport->class->vector(emu->transport, vector);
}

static void function_reset(void *host)
{
	struct emu *emu = host;

	nic_reset(emu->nic);
}

static void function_bus_master(void *host, bool on)
{
	struct emu *emu = host;

	nic_bus_master(emu->nic, on);
}

static const struct pci_ops function_ops = {
	.bar_read = function_bar_read,
	.bar_write = function_bar_write,
	.msi = function_msi,
	.reset = function_reset,
	.bus_master = function_bus_master,
	.vector = function_vector,
};

/*
 * Transport to core
 */

static struct dma_map *guest_dma(void *host)
{
	struct emu *emu = host;

	return nic_dma(emu->nic);
}

static void guest_detached(void *host)
{
	struct emu *emu = host;

	nic_power_cycle(emu->nic);
}

static void guest_closed(void *host, const char *reason)
{
	struct emu *emu = host;

	if (reason)
		fprintf(stderr, "bnxt-emu: guest dropped: %s\n", reason);
	if (!emu->opt.reconnect)
		loop_stop(emu->loop, reason ? EXIT_GUEST : EXIT_OK);
}

static const struct transport_ops guest_ops = {
	.dma = guest_dma,
	.detached = guest_detached,
	.closed = guest_closed,
};

/*
 * Between core and back end lies the wire. While the guest is short of receive
 * buffers frames stay on it and in the back end; the core decides for how long.
 */

static void check_hold(struct emu *emu)
{
	bool no_room = !nic_wire_ready(emu->nic), hold = no_room || emu->full[FAULT_RX];

	wire_hold(emu->wire, FAULT_RX, no_room);
	if (hold == emu->held)
		return;
	emu->held = hold;
	emu->backend->class->hold(emu->backend, hold);
}

static void check_pause(struct emu *emu)
{
	nic_wire_tx_pause(emu->nic, emu->full[FAULT_TX] || emu->backend_full);
	wire_hold(emu->wire, FAULT_TX, emu->backend_full);
}

/* Frames are captured at the guest's end of the wire */
static void wire_out(void *host, enum fault_dir dir, const struct virtio_net_hdr_v1 *hdr,
		     const struct iovec *iov, int iovcnt)
{
	struct emu *emu = host;

	if (dir == FAULT_TX) {
		emu->backend->class->tx(emu->backend, hdr, iov, iovcnt);
		return;
	}
	if (emu->pcap)
		pcap_frame(emu->pcap, PCAP_IN, iov, iovcnt);
	/* what comes out in this direction is in one piece */
	nic_wire_rx(emu->nic, hdr, iov->iov_base, iov->iov_len);
	check_hold(emu);
}

static void wire_full(void *host, enum fault_dir dir, bool full)
{
	struct emu *emu = host;

	emu->full[dir] = full;
	if (dir == FAULT_RX)
		check_hold(emu);
	else
		check_pause(emu);
}

static const struct wire_ops wire_ops = {
	.out = wire_out,
	.full = wire_full,
};

static void backend_rx(void *host, const struct virtio_net_hdr_v1 *hdr, const uint8_t *frame,
		       size_t len)
{
	struct emu *emu = host;
	struct iovec iov = { .iov_base = (void *)frame, .iov_len = len };

	wire_in(emu->wire, FAULT_RX, hdr, &iov, 1);
}

static void backend_rx_end(void *host)
{
	/* the loop ends each round with a flush */
	(void)host;
}

static void backend_carrier(void *host, bool up)
{
	struct emu *emu = host;

	emu->carrier = up;
	emu_link_changed(emu);
}

static void backend_tx_room(void *host, bool room)
{
	struct emu *emu = host;

	emu->backend_full = !room;
	check_pause(emu);
}

static const struct backend_ops backend_ops = {
	.rx = backend_rx,
	.rx_end = backend_rx_end,
	.carrier = backend_carrier,
	.tx_room = backend_tx_room,
};

/* The link is up when the cable is in at both ends */
void emu_link_changed(struct emu *emu)
{
	nic_set_link(emu->nic, emu->plugged && emu->carrier);
}

/* The core asks only for faults that are on */
void emu_faults_changed(struct emu *emu)
{
	nic_set_faults(emu->nic, faults_device_mask(emu->faults));
}

/*
 * Event loop
 */

static bool hook_poll(void *arg)
{
	struct emu *emu = arg;

	return emu->transport->class->poll(emu->transport);
}

static void hook_flush(void *arg)
{
	struct emu *emu = arg;

	nic_flush(emu->nic);
	emu->transport->class->flush(emu->transport);
}

/* A replay starts when there is somebody to get it */
static void check_replay(struct emu *emu, uint64_t now)
{
	const char *why;

	if (!emu->replay_waits || !nic_receiving(emu->nic))
		return;
	emu->replay_waits = false;
	if (!be_replay_start(emu->backend, now, &why))
		fprintf(stderr, "bnxt-emu: --replay %s: %s\n", emu->opt.replay, why);
}

static uint64_t hook_timers(void *arg, uint64_t now)
{
	struct emu *emu = arg;
	uint64_t next = nic_run_timers(emu->nic, now), other;

	/* before the back end's timers: they do nothing while it is held */
	check_hold(emu);
	check_replay(emu, now);
	other = wire_timers(emu->wire, now);
	if (other < next)
		next = other;
	if (emu->backend->class->timers) {
		other = emu->backend->class->timers(emu->backend, now);
		if (other < next)
			next = other;
	}
	check_hold(emu);
	return next;
}

static bool hook_sleep(void *arg, bool sleeping)
{
	struct emu *emu = arg;

	if (sleeping) {
		/* whoever looks at the files of an idle device sees all that happened */
		if (emu->pcap)
			pcap_flush(emu->pcap);
		if (emu->trace)
			fflush(emu->trace);
		if (emu->dma_trace)
			fflush(emu->dma_trace);
		if (emu->record)
			fflush(emu->record);
	}
	return emu->transport->class->sleep(emu->transport, sleeping);
}

static const struct loop_hooks hooks = {
	.poll = hook_poll,
	.flush = hook_flush,
	.timers = hook_timers,
	.sleep = hook_sleep,
};

static void signal_readable(void *arg)
{
	struct emu *emu = arg;
	struct signalfd_siginfo si;

	if (read(emu->signal_fd, &si, sizeof(si)) == sizeof(si))
		loop_stop(emu->loop, EXIT_OK);
}

/*
 * Set-up
 */

static bool fail(const char *what, const char *name, const char *fix)
{
	fprintf(stderr, "bnxt-emu: %s %s: %s%s%s\n", what, name ? name : "", strerror(errno),
		fix ? "; " : "", fix ? fix : "");
	return false;
}

static bool open_signals(struct emu *emu)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	if (!sigbus_init())
		return fail("signals", NULL, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	emu->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (emu->signal_fd < 0 || !loop_add(emu->loop, emu->signal_fd, signal_readable, emu))
		return fail("signals", NULL, NULL);
	return true;
}

static bool open_files(struct emu *emu)
{
	const struct options *o = &emu->opt;

	if (o->trace && !(emu->trace = fopen(o->trace, "we")))
		return fail("--trace", o->trace, NULL);
	if (o->dma_trace && !(emu->dma_trace = fopen(o->dma_trace, "we")))
		return fail("--dma-trace", o->dma_trace, NULL);
	if (o->record && !(emu->record = fopen(o->record, "we")))
		return fail("--record", o->record, NULL);
	if (o->pcap && !(emu->pcap = pcap_new(o->pcap, o->snaplen)))
		return fail("--pcap", o->pcap, NULL);
	if (emu->dma_trace)
		fputs(EMU_DMA_TRACE_HEADER, emu->dma_trace);
	/* the device's configuration (fuzz-common.c): queues, generation and restart */
	if (emu->record) {
		putc(o->nic.queues - 1, emu->record);
		putc((o->nic.rfs == NIC_RFS_V3) | o->nic.queue_restart << 1, emu->record);
	}
	return true;
}

/* The MAC address with ff:fe in its middle (EUI-64), as on the real device */
static uint64_t serial_of(const uint8_t mac[6])
{
	const uint8_t eui[8] = { mac[0], mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5] };
	uint64_t serial = 0;

	for (int i = 0; i < 8; i++)
		serial = serial << 8 | eui[i];
	return serial;
}

static bool make_device(struct emu *emu)
{
	const struct options *o = &emu->opt;
	const struct nic_host_ops core_ops = {
		.msix = core_msix,
		.wire_tx = core_wire_tx,
		.fault = core_fault,
		.hwrm_fault = core_hwrm_fault,
		.request = emu->record ? core_request : NULL,
	};
	struct pci_identity id = { .vectors = nic_vectors(&o->nic),
				   .serial = serial_of(o->nic.mac) };

	errno = ENOMEM;
	emu->nic = nic_new(&o->nic, &core_ops, emu);
	if (!emu->nic)
		return fail("device core", NULL, NULL);
	if (emu->trace)
		nic_set_trace(emu->nic, emu_trace_line, o->trace_doorbells);
	if (emu->dma_trace)
		nic_set_dma_trace(emu->nic, emu_dma_trace);
	emu->pci = pci_new(&id, &function_ops, emu);
	return emu->pci || fail("PCI function", NULL, NULL);
}

static bool make_wire(struct emu *emu)
{
	const struct options *o = &emu->opt;
	char why[512];

	errno = ENOMEM;
	emu->faults = faults_new(o->seed);
	emu->wire = emu->faults ? wire_new(emu->faults, &wire_ops, emu) : NULL;
	if (!emu->wire)
		return fail("wire", NULL, NULL);
	if (o->faults && !faults_set(emu->faults, o->faults, why, sizeof(why))) {
		fprintf(stderr, "bnxt-emu: --faults %s: %s\n", o->faults, why);
		return false;
	}
	emu_faults_changed(emu);
	return true;
}

static bool attach_pair(struct emu *emu)
{
	emu->backend = be_pair_new(emu->loop, emu->opt.pair, &backend_ops, emu);
	return emu->backend ||
	       fail("--pair", emu->opt.pair,
		    "a directory that exists and a name shorter than 97 bytes are needed, nothing else may be there");
}

static bool attach_replay(struct emu *emu)
{
	char why[512];

	emu->backend = be_replay_new(emu->opt.replay, &backend_ops, emu, why, sizeof(why));
	if (!emu->backend) {
		fprintf(stderr, "bnxt-emu: --replay %s: %s\n", emu->opt.replay, why);
		return false;
	}
	emu->replay_waits = !be_replay_by_hand(emu->backend);
	return true;
}

static bool attach_tap(struct emu *emu)
{
	const struct options *o = &emu->opt;
	struct be_tap_config tap = { .name = o->tap, .fd = o->tap_fd,
				     .queues = o->tap_queues, .gso = o->nic.wire_gso };

	emu->backend = be_tap_new(emu->loop, &tap, &backend_ops, emu);
	if (!emu->backend)
		return fail(
			"TAP", o->tap,
			errno == ENOENT ?
				"/dev/net/tun is missing: modprobe tun" :
				"making one takes CAP_NET_ADMIN in this network namespace (unshare -rn) and /dev/net/tun");
	return true;
}

static bool attach_wire(struct emu *emu)
{
	if (!make_wire(emu))
		return false;
	if (emu->opt.pair)
		return attach_pair(emu);
	return emu->opt.replay ? attach_replay(emu) : attach_tap(emu);
}

static bool open_control(struct emu *emu)
{
	const struct options *o = &emu->opt;

	if (!o->control && !o->control_dir)
		return true;
	emu->control = control_new(emu->loop, emu_commands, emu);
	if (!emu->control)
		return fail("control", NULL, NULL);
	if (o->control && !control_listen(emu->control, o->control))
		return fail("--control", o->control,
			    "its directory must exist, its name be free and shorter than 107 bytes");
	if (o->control_dir && !control_watch(emu->control, o->control_dir))
		return fail("--control-dir", o->control_dir, "make that directory first");
	return true;
}

static bool attach_guest(struct emu *emu)
{
	const struct options *o = &emu->opt;

	if (o->vfio_user)
		emu->transport = vfio_user_new(emu->loop, o->vfio_user, o->reconnect, emu->pci,
					       &guest_ops, emu);
	else
		emu->transport = pcidev_new(emu->loop, o->socket, emu->pci, &guest_ops, emu);
	return emu->transport ||
	       fail(o->vfio_user ? "--vfio-user" : "--socket",
		    o->vfio_user ? o->vfio_user : o->socket,
		    "its directory must exist, its name be free and shorter than 107 bytes");
}

static void print_stats(const struct emu *emu)
{
	const struct backend_stats *s = &emu->backend->stats;

	fprintf(stderr, "bnxt-emu: to guest %" PRIu64 " frames %" PRIu64 " bytes (%" PRIu64
		" bad); from guest %" PRIu64 " frames %" PRIu64 " bytes (%" PRIu64 " lost)\n",
		s->rx_frames, s->rx_bytes, s->rx_bad, s->tx_frames, s->tx_bytes, s->tx_lost);
}

static bool close_file(FILE *f, const char *name)
{
	bool good = !f || !ferror(f);

	if (f && fclose(f))
		good = false;
	return good || fail("cannot write", name, "is the disk full?");
}

static int tear_down(struct emu *emu, int status)
{
	if (emu->transport)
		emu->transport->class->free(emu->transport);
	control_free(emu->control);
	if (emu->backend)
		emu->backend->class->free(emu->backend);
	wire_free(emu->wire);
	faults_free(emu->faults);
	pci_free(emu->pci);
	if (emu->nic)
		nic_free(emu->nic);
	if (!pcap_free(emu->pcap))
		status = fail("cannot write", emu->opt.pcap, "is the disk full?") ? status :
										    EXIT_SETUP;
	if (!close_file(emu->trace, emu->opt.trace) ||
	    !close_file(emu->dma_trace, emu->opt.dma_trace) ||
	    !close_file(emu->record, emu->opt.record))
		status = EXIT_SETUP;
	if (emu->signal_fd >= 0)
		close(emu->signal_fd);
	loop_free(emu->loop);
	return status;
}

int main(int argc, char **argv)
{
	struct emu emu = {
		.signal_fd = -1, .start = loop_now(), .plugged = true, .carrier = true,
	};
	int status;

	if (argc > 1 && !strcmp(argv[1], "ctl"))
		return control_client(argc - 2, argv + 2);
	status = parse_options(&emu.opt, argc, argv);
	if (status >= 0)
		return status;
	emu.loop = loop_new(&hooks, &emu, emu.opt.spin_us);
	if (!emu.loop) {
		fail("event loop", NULL, NULL);
		return EXIT_SETUP;
	}
	if (!open_signals(&emu) || !open_files(&emu) || !make_device(&emu) || !attach_wire(&emu) ||
	    !open_control(&emu) || !attach_guest(&emu))
		return tear_down(&emu, EXIT_SETUP);

	status = loop_run(emu.loop);
	if (status < 0) {
		fail("event loop", NULL, NULL);
		status = EXIT_SETUP;
	}
	if (emu.opt.stats)
		print_stats(&emu);
	return tear_down(&emu, status);
}
