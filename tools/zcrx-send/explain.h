/* SPDX-License-Identifier: GPL-2.0-or-later */
/* zcrx-send --explain: what the path and the receiver make of a stream. */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include "send.h"

enum send_exit explain_run(const struct send_options *opt, struct report *report);

#endif
