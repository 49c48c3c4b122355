/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vm-agent: what scripts/zcrx-vm needs that a shell cannot do well.
 *
 * "sandbox" runs a command in namespaces of its own that vanish with it,
 * "guest" runs a command inside the guest with its standard streams on a serial
 * line, and "host" is the other end of that line. "off" switches the guest off.
 *
 * Frames on the line: type, 0, length (16 bits, little endian), payload.
 */
#ifndef AGENT_H
#define AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define FRAME_MAX	4096	/* bytes of payload */

/*
 * Most bytes of stdin frames, headers counted, on their way to the guest. A
 * terminal's input buffer has 4096 bytes and is throttled when nearly full, and
 * the serial line of User Mode Linux does not recover from that.
 */
#define LINE_WINDOW	2048

#define FRAME_HEADER	4

/* Longer pieces of stdin come as files in a directory that both ends see */
#define CHUNK_MAX	65536
#define CHUNK_NAME	"stdin.%u"

#define EXIT_ENVIRONMENT 125	/* not the command's status: something around it failed */

enum frame_type {
	/* host to guest */
	F_STDIN = 'i', /* data; length 0 is the end */
	F_CHUNK = 'f', /* u32: number of a file with data */
	F_SIGNAL = 's', /* u32: deliver to the command's process group */
	F_WINSIZE = 'w', /* u16 rows, u16 columns */
	F_CLOSED = 'p', /* u8: nobody reads stdout (1) or stderr (2) any more */
	F_QUIT = 'q', /* the host is done: let the guest end */
	/* guest to host */
	F_OPEN = 'l', /* the line passes all bytes as they are: before that the host sends nothing */
	F_READY = 'r', /* the command has started, or listens at the port waited for */
	F_STDOUT = 'o',
	F_STDERR = 'e',
	F_CREDIT = 'c', /* u32: bytes of stdin frames that are off the line */
	F_EXIT = 'x', /* u32: exit status as a shell counts, all output came before */
};

struct frame {
	uint8_t type;
	uint16_t len;
	uint8_t data[FRAME_MAX];
};

/**
 * struct line - one end of the serial line
 * @in: file descriptor to read from
 * @out: file descriptor to write to
 */
struct line {
	int in;
	int out;
	size_t got;
	uint8_t buf[FRAME_HEADER + FRAME_MAX];
};

enum line_result { LINE_MORE, LINE_FRAME, LINE_END, LINE_BROKEN };

enum line_result line_recv(struct line *line, struct frame *frame);
bool line_send(struct line *line, enum frame_type type, const void *data, size_t len);
bool line_send_u32(struct line *line, enum frame_type type, uint32_t v);
uint32_t frame_u32(const struct frame *frame);

bool write_all(int fd, const void *data, size_t len);
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

int guest_main(int argc, char **argv);
int host_main(int argc, char **argv);
int off_main(int argc, char **argv);
int sandbox_main(int argc, char **argv);

#endif
