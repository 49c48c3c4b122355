/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Header/data split of an interface, over ethtool's netlink family. ethtool(8)
 * can set it since 6.7, and its threshold since 6.13; this needs none.
 */
#ifndef ETHNL_H
#define ETHNL_H

#include <stdbool.h>
#include <stdint.h>

#include "nl.h"

/* enum ethtool_tcp_data_split of the kernel */
enum ethnl_split_mode {
	ETHNL_SPLIT_AUTO = 0,	/* the driver's choice */
	ETHNL_SPLIT_OFF,
	ETHNL_SPLIT_ON,
};

/**
 * struct ethnl - a netlink socket for ethtool's messages
 * @nl: the socket, and the kernel's own words for the last refusal
 * @family: number of the family
 * @monitor: number of its group of notifications
 * @notified: interface of the last notification of a change
 */
struct ethnl {
	struct nl nl;
	uint16_t family;
	uint32_t monitor;
	uint32_t notified;
};

/**
 * struct ethnl_split - how an interface splits headers from data
 * @mode: as the driver tells it: what is in force, on demand or by its choice
 * @has_threshold: kernel and driver have one
 * @threshold: bytes; frames that are not longer are not split
 * @threshold_max: the most that can be set
 */
struct ethnl_split {
	enum ethnl_split_mode mode;
	bool has_threshold;
	uint32_t threshold;
	uint32_t threshold_max;
};

int ethnl_open(struct ethnl *nl);
void ethnl_close(struct ethnl *nl);
int ethnl_get_split(struct ethnl *nl, const char *iface, struct ethnl_split *out);
int ethnl_set_split(struct ethnl *nl, const char *iface, const struct ethnl_split *split,
		    bool *changed);

#endif
