/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets that somebody else has got hold of: is the stream's part of them right? */
#ifndef PATHS_TAP_H
#define PATHS_TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct paths;

/**
 * struct tap_check - packets of one stream
 * @base: position of the stream in the pattern
 * @port: destination port
 * @isn: sequence number of TCP before the first byte
 * @have_isn: @isn is known
 * @packets: with bytes of the stream
 * @bytes: of the stream, that were right
 * @wrong: bytes that were not
 */
struct tap_check {
	uint64_t base;
	uint16_t port;
	uint32_t isn;
	bool have_isn;
	unsigned int packets;
	uint64_t bytes;
	uint64_t wrong;
};

void tap_ip(struct tap_check *c, const uint8_t *ip, size_t len);
void tap_frame(struct tap_check *c, const uint8_t *frame, size_t len);
void tap_tell(struct paths *p, const struct tap_check *c, uint64_t bytes);
int tap_open(const char *ns, const char *dev, unsigned int cut);
void tap_read(struct tap_check *c, int fd);

#endif
