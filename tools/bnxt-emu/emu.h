/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of the program, as main.c connects them and commands.c handles them. */
#ifndef EMU_H
#define EMU_H

#include <stdio.h>

#include "backend.h"
#include "control.h"
#include "faults.h"
#include "loop.h"
#include "nic.h"
#include "pcap.h"
#include "pci.h"
#include "transport.h"
#include "wire.h"

struct options {
	const char *socket;
	const char *vfio_user;
	bool reconnect;
	const char *tap;
	int tap_fd;
	unsigned int tap_queues;
	const char *pair;
	const char *replay;
	const char *control;
	const char *control_dir;
	const char *pcap;
	unsigned int snaplen;
	const char *trace;
	bool trace_doorbells;
	const char *dma_trace;
	const char *record;
	const char *faults;
	uint64_t seed;
	unsigned int spin_us;
	bool stats;
	struct nic_config nic;
};

struct emu {
	struct options opt;
	struct loop *loop;
	struct nic *nic;
	struct pci *pci;
	struct transport *transport;
	struct backend *backend;
	struct wire *wire;
	struct faults *faults;
	struct control *control;
	struct pcap *pcap;
	FILE *trace;
	FILE *dma_trace;
	FILE *record;
	int signal_fd;
	uint64_t start;

	bool plugged;		/* by hand: "link up" and "link down" */
	bool carrier;		/* the back end has somebody at its other end */
	bool full[FAULT_DIRS];	/* the wire takes no more frames in this direction */
	bool backend_full;	/* the back end does not */
	bool held;		/* frames wait in the back end */
	bool replay_waits;	/* for the driver to open the device */
};

#define EMU_DMA_TRACE_HEADER	"# queue iova len kind dport sport seq\n"

extern const struct control_cmd emu_commands[];

void emu_trace_line(void *host, const char *line);
void emu_dma_trace(void *host, const struct nic_dma_event *ev);
void emu_link_changed(struct emu *emu);
void emu_faults_changed(struct emu *emu);

#endif
