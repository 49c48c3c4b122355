/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The other end of bnxt-emu, played by a test: starts the program, is its
 * vhost-user front end and its guest. Says what it is told to say, sense or not.
 */
#ifndef FRONT_H
#define FRONT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../../bnxt-emu/hsi.h"

#define FRONT_QUEUES 2
#define FRONT_NUM 64u /* entries of each virtqueue */
/* Guest address of what the test itself needs: no descriptor that went wrong names it by chance */
#define FRONT_OWN_BASE 0x5a3c96000000ull
#define FRONT_OWN_SIZE 0x100000u
#define FRONT_PLAY_BASE 0x40000000ull /* and of what the device may do to as it is told */
#define FRONT_PLAY_SIZE 0x700000u
#define FRONT_USER_BASE 0x7f0000000000ull
#define FRONT_MAX_FDS 10

/* One message of the usual beginning */
struct front_msg {
	uint32_t req;
	uint32_t size;
	uint8_t payload[96];
	int fd; /* -1: none */
	bool reply;
};

struct front {
	/* how it is started */
	const char *program;
	int tap_fd;
	bool no_gso; /* the device cuts large packets itself */
	char path[108], log[108];
	pid_t pid;

	int sock;
	int memfd;
	uint8_t *own, *play;
	int kick[FRONT_QUEUES], call[FRONT_QUEUES][2];
	uint16_t avail[FRONT_QUEUES];
	uint16_t seq;
	uint16_t irqs_seen; /* used entries of the interrupt queue */
	unsigned long messages, irqs;
};

bool front_init(struct front *f, const char *program, int tap_fd, const char *dir);
void front_free(struct front *f);

bool front_start(struct front *f);
bool front_connect(struct front *f);
void front_hang_up(struct front *f);
int front_wait(struct front *f, unsigned int ms);
void front_kill(struct front *f);
bool front_log_has(const struct front *f, const char *text);
const char *front_sanitizer(const struct front *f);
long front_memory_kb(const struct front *f);

unsigned int front_beginning(struct front *f, struct front_msg *msg, unsigned int max);
bool front_send(struct front *f, const struct front_msg *m, size_t bytes, unsigned int nfds);
bool front_attach(struct front *f);
bool front_set_memory(struct front *f, uint32_t play_size);
bool front_set_queues(struct front *f);

bool front_write(struct front *f, uint8_t op, uint8_t bar, uint64_t addr, const void *data,
		 uint32_t size);
bool front_read(struct front *f, uint8_t op, uint8_t bar, uint64_t addr, uint32_t size,
		uint64_t *val);
bool front_settle(struct front *f);
void front_offer_irqs(struct front *f);
bool front_enable(struct front *f);
const uint8_t *front_answer(const struct front *f);
void front_set_avail(struct front *f, uint16_t index);
bool front_hwrm(struct front *f, const void *req, size_t len);
int front_ask(struct front *f, uint16_t op, void *answer, size_t len);
bool front_sane(struct front *f);

#endif
