/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINNED_H
#define PINNED_H

#include <sys/types.h>

long pinned_kb(pid_t pid);

#endif
