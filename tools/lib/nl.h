/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Netlink: a request, its answers, and the kernel's own words when it refuses. */
#ifndef NL_H
#define NL_H

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

#define NL_REASON	256

/* More than any message that matters here, and than one part of a dump */
#define NL_BUFFER	32768

/**
 * struct nl - a netlink socket
 * @fd: the socket, -1 when closed
 * @seq: of the last request
 * @reason: the kernel's own words for the last refusal, empty when it had none
 */
struct nl {
	int fd;
	uint32_t seq;
	char reason[NL_REASON];
};

/**
 * struct nl_message - a message in the making, or one that came
 * @nlh: its header
 * @body: the header of the family, and attributes
 */
struct nl_message {
	struct nlmsghdr nlh;
	uint8_t body[NL_BUFFER];
};

/* Calls a function for each attribute of a run of them */
typedef void (*nl_attr_fn)(void *ctx, uint16_t type, const void *data, size_t len);

/* Calls a function for each answer */
typedef void (*nl_answer_fn)(void *ctx, const struct nlmsghdr *nlh);

int nl_open(struct nl *nl, int protocol);
void nl_close(struct nl *nl);
int nl_request(struct nl *nl, struct nl_message *m, nl_answer_fn fn, void *ctx);

void nl_start(struct nl_message *m, uint16_t type, uint16_t flags, const void *head, size_t len);
void nl_start_genl(struct nl_message *m, uint16_t family, uint8_t cmd, uint16_t flags);
void nl_put(struct nl_message *m, uint16_t type, const void *data, size_t len);

void nl_for_each_attr(const void *attrs, size_t len, nl_attr_fn fn, void *ctx);
void nl_attrs(const struct nlmsghdr *nlh, size_t head, nl_attr_fn fn, void *ctx);
uint64_t nl_number(const void *data, size_t len);

int nl_family(struct nl *nl, const char *name, const char *group, uint16_t *family,
	      uint32_t *group_id);

#endif
