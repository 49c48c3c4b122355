/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ending on SIGINT and SIGTERM: the first asks, the second insists. */
#ifndef STOP_H
#define STOP_H

#include <pthread.h>
#include <stdbool.h>

int stop_install(void);
bool stop_wanted(void);
void stop_remind_install(void);
void stop_remind(pthread_t thread);

#endif
