/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Back end: frames out of a capture; what the device sends is counted and gone. */
#ifndef BE_REPLAY_H
#define BE_REPLAY_H

#include "backend.h"

struct backend *be_replay_new(const char *spec, const struct backend_ops *ops, void *host, char *why,
			      size_t size);
bool be_replay_by_hand(const struct backend *be);
bool be_replay_start(struct backend *be, uint64_t now, const char **why);
void be_replay_stop(struct backend *be);
void be_replay_status(const struct backend *be, char *text, size_t size);

#endif
