/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults on demand: which there are, how likely each is, and what was injected.
 * This only throws the dice; wire.c damages frames, the device core does the rest.
 */
#ifndef FAULTS_H
#define FAULTS_H

#include "nic.h"

enum fault_id {
	/* of the wire (wire.c) */
	FAULT_DROP,
	FAULT_DUP,
	FAULT_REORDER,
	FAULT_DELAY,
	FAULT_CORRUPT,
	FAULT_NOISE,
	FAULT_IP_CSUM,
	FAULT_L4_CSUM,
	/* of the device (enum nic_fault) */
	FAULT_CRC,
	FAULT_BUFFER,
	FAULT_STARVE,
	FAULT_DMA,
	FAULT_DOORBELL,
	FAULT_LATE,
	FAULT_COUNT,
};

/* As seen from the guest */
enum fault_dir { FAULT_RX, FAULT_TX, FAULT_DIRS };

struct faults;

struct faults *faults_new(uint64_t seed);
void faults_free(struct faults *f);

bool faults_set(struct faults *f, const char *list, char *why, size_t size);
bool faults_clear(struct faults *f, const char *name);
void faults_seed(struct faults *f, uint64_t seed);

bool faults_hit(struct faults *f, enum fault_id id, enum fault_dir dir);
uint64_t faults_time(const struct faults *f, enum fault_id id, enum fault_dir dir);
unsigned int faults_gap(const struct faults *f, enum fault_dir dir);
uint64_t faults_random(struct faults *f, enum fault_id id, enum fault_dir dir);
uint64_t faults_rate(const struct faults *f, enum fault_dir dir);
bool faults_on_wire(const struct faults *f, enum fault_dir dir);

uint32_t faults_device_mask(const struct faults *f);
uint64_t faults_device(struct faults *f, enum nic_fault fault);
struct nic_hwrm_fault faults_hwrm(struct faults *f, const char *command);

void faults_list(const struct faults *f, nic_line_fn line, void *arg);
void faults_counters(const struct faults *f, nic_counter_fn fn, void *arg);

#endif
