/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sender's side of the greeting (hello.h). */
#ifndef GREET_H
#define GREET_H

#include "hello.h"
#include "sender.h"

int greet(const struct send_options *opt, struct report *report, int fd, bool ask,
	  struct hello *offer);

#endif
