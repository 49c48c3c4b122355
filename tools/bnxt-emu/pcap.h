/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Capture files of what passes the wire (pcapng, draft-ietf-opsawg-pcapng). */
#ifndef PCAP_H
#define PCAP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

struct pcap;

/* As seen from the device; the values are those of the epb_flags option */
enum pcap_direction { PCAP_IN = 1, PCAP_OUT = 2 };

struct pcap *pcap_new(const char *path, uint32_t snaplen);
void pcap_frame(struct pcap *pcap, enum pcap_direction dir, const struct iovec *iov, int iovcnt);
bool pcap_flush(struct pcap *pcap);
bool pcap_free(struct pcap *pcap);

#endif
