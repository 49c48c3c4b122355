/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CHANGE_H
#define CHANGE_H

#include "ethnl.h"

int change_split(struct ethnl *nl, const char *iface, const struct ethnl_split *want,
		 struct ethnl_split *was);

#endif
