/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the fuzz targets share. libFuzzer runs a target on inputs that it makes,
 * fuzz-main.c on those in files; FUZZ_TARGET in the environment names it. An
 * input is a program for the target: it is read from front to back, and ends the
 * run where it ends.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../bnxt-emu/nic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *p;
	size_t left;
};

/* Runs one input */
typedef void fuzz_fn(struct input *in);

fuzz_fn fuzz_hwrm, fuzz_rings, fuzz_frames, fuzz_vhost, fuzz_vfio, fuzz_wire, fuzz_pcap, fuzz_hello;

/* A request in an input of target hwrm, without its header */
struct hwrm_span {
	size_t at, len;
	uint16_t op;
};

unsigned int hwrm_requests(const uint8_t *data, size_t size, struct hwrm_span *span,
			   unsigned int max);

uint64_t in_le(struct input *in, unsigned int bytes);
void in_bytes(struct input *in, void *dst, size_t len);
void in_config(struct input *in, struct nic_config *cfg);

static inline uint8_t in8(struct input *in)
{
	return in_le(in, 1);
}

static inline uint16_t in16(struct input *in)
{
	return in_le(in, 2);
}

static inline uint32_t in32(struct input *in)
{
	return in_le(in, 4);
}

/* The device broke a promise: die, so that the fuzzer keeps the input */
void fuzz_fail(const char *file, int line, const char *what) __attribute__((noreturn));

#define CHECK(ok, what)                                      \
	do {                                                 \
		if (!(ok))                                   \
			fuzz_fail(__FILE__, __LINE__, what); \
	} while (0)

#define CHECK_EVERY 16 /* steps: looking takes as long as some of them */

void check_core(struct nic *nic);

void read_wire_tx(void *host, const struct virtio_net_hdr_v1 *hdr, const struct iovec *iov, int n);

#endif
