// SPDX-License-Identifier: GPL-2.0-or-later
/* Frames on a serial line. */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"

/**
 * say() - Tell the user something on stderr
 * @fmt: format of the text, without newline
 */
void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("zcrx-vm: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
}

/**
 * write_all() - Write all of a buffer, whether the descriptor blocks or not
 * @fd: where to
 * @data: what
 * @len: how many bytes
 *
 * Return: false with errno set when it could not be written.
 */
bool write_all(int fd, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EAGAIN) {
			struct pollfd pfd = { .fd = fd, .events = POLLOUT };

			if (poll(&pfd, 1, -1) < 0 && errno != EINTR)
				return false;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		p += n;
		len -= n;
	}
	return true;
}

/**
 * line_send() - Send a frame, waiting for room
 * @line: the line
 * @type: its type
 * @data: payload
 * @len: its length, at most FRAME_MAX
 *
 * Return: false with errno set when the line is gone.
 */
bool line_send(struct line *line, enum frame_type type, const void *data, size_t len)
{
	uint8_t buf[FRAME_HEADER + FRAME_MAX] = { type, 0, len & 0xff, len >> 8 };

	memcpy(buf + FRAME_HEADER, data, len);
	return write_all(line->out, buf, FRAME_HEADER + len);
}

/**
 * line_send_u32() - Send a frame that holds one number
 * @line: the line
 * @type: its type
 * @v: the number
 *
 * Return: false with errno set when the line is gone.
 */
bool line_send_u32(struct line *line, enum frame_type type, uint32_t v)
{
	uint8_t le[4] = { v, v >> 8, v >> 16, v >> 24 };

	return line_send(line, type, le, sizeof(le));
}

/**
 * frame_u32() - The number in a frame
 * @frame: a frame; one that is too short counts as 0
 */
uint32_t frame_u32(const struct frame *frame)
{
	const uint8_t *p = frame->data;

	if (frame->len < 4)
		return 0;
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Takes a complete frame out of the buffer */
static enum line_result take_frame(struct line *line, struct frame *frame)
{
	size_t len;

	if (line->got < FRAME_HEADER)
		return LINE_MORE;
	len = line->buf[2] | line->buf[3] << 8;
	if (line->buf[1] || len > FRAME_MAX)
		return LINE_BROKEN;
	if (line->got < FRAME_HEADER + len)
		return LINE_MORE;
	frame->type = line->buf[0];
	frame->len = len;
	memcpy(frame->data, line->buf + FRAME_HEADER, len);
	line->got -= FRAME_HEADER + len;
	memmove(line->buf, line->buf + FRAME_HEADER + len, line->got);
	return LINE_FRAME;
}

/**
 * line_recv() - Take the next frame off the line
 * @line: the line, readable or with frames left from the last read
 * @frame: filled in
 *
 * Return: LINE_FRAME when @frame holds one: call again, there may be more.
 * LINE_MORE when the rest has to be waited for, LINE_END when the line is
 * closed, LINE_BROKEN when what came is no frame.
 */
enum line_result line_recv(struct line *line, struct frame *frame)
{
	enum line_result res = take_frame(line, frame);
	struct pollfd pfd = { .fd = line->in, .events = POLLIN };
	ssize_t n;

	if (res != LINE_MORE)
		return res;
	/* the descriptor may block: read only what is there */
	if (poll(&pfd, 1, 0) <= 0)
		return LINE_MORE;
	n = read(line->in, line->buf + line->got, sizeof(line->buf) - line->got);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? LINE_MORE : LINE_END;
	if (!n)
		return LINE_END;
	line->got += n;
	return take_frame(line, frame);
}
