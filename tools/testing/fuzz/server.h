/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the targets vhost and vfio share: the emulator without its TAP, which listens
 * at a socket, and the end of that socket that the input plays.
 *
 * One process, one thread: a step runs before each round of the event loop, and the
 * next one when the emulator has read its socket empty.
 */
#ifndef SERVER_H
#define SERVER_H

#include "../../bnxt-emu/loop.h"
#include "../../bnxt-emu/pci.h"
#include "../../bnxt-emu/transport.h"
#include "fuzz.h"

#define SERVER_MEM_SIZE 0x40000u
#define SERVER_MAX_FDS 20 /* in one message */

struct server;

/* What is different: how the emulator is reached, what is said to it */
struct server_kind {
	const char *name;
	struct transport *(*listen)(struct server *s, const struct transport_ops *ops);
	void (*step)(struct server *s);
};

struct server {
	const struct server_kind *kind;
	struct input *in;
	struct loop *loop;
	struct nic *nic;
	struct pci *pci;
	struct transport *transport;
	int sock; /* the input's end */
	int memfd, small, null; /* files: the guest's memory, a page, /dev/null */
	uint8_t *mem; /* SERVER_MEM_SIZE bytes */
	char path[64];
	unsigned int steps, rounds;
	unsigned int fds; /* open file descriptors before the run */
	uint64_t now;
};

void server_begin(struct server *s, const struct server_kind *kind, struct input *in);
void server_connect(struct server *s);
void server_run(struct server *s);
void server_end(struct server *s);

void server_send(struct server *s, const void *data, size_t len, const int *fds, unsigned int n);
void server_frame(struct server *s);
void server_cut(struct server *s);

#endif
