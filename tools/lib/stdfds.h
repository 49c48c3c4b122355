/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptors 0, 1 and 2 are what everybody takes them for. */
#ifndef STDFDS_H
#define STDFDS_H

int stdfds_keep(void);

#endif
