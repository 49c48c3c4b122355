// SPDX-License-Identifier: GPL-2.0-or-later
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pattern.h"

/**
 * source_open() - start a stream
 * @s: the source
 * @kind: what it is
 * @path: file of SOURCE_FILE
 *
 * Return: 0, -errno.
 */
int source_open(struct source *s, enum source_kind kind, const char *path)
{
	struct stat st;

	*s = (struct source){ .kind = kind, .fd = -1 };
	if (kind == SOURCE_STDIN)
		s->fd = STDIN_FILENO;
	if (kind != SOURCE_FILE)
		return 0;
	s->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (s->fd < 0)
		return -errno;
	if (fstat(s->fd, &st))
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (S_ISREG(st.st_mode))
		s->size = (uint64_t)st.st_size;
	posix_fadvise(s->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return 0;
}

/**
 * source_read() - take the next bytes
 * @s: the source
 * @buf: where to put them
 * @len: how many; fewer come only at the end
 *
 * A signal that this program handles asks to stop, so what it interrupts is not tried again.
 *
 * Return: bytes, 0 at the end, -errno; -EINTR when it was to stop.
 */
int64_t source_read(struct source *s, void *buf, size_t len)
{
	size_t done = 0;

	if (s->kind == SOURCE_PATTERN) {
		pattern_fill(buf, s->pos, len);
		s->pos += len;
		return (int64_t)len;
	}
	while (done < len) {
		ssize_t ret = read(s->fd, (char *)buf + done, len - done);

		if (ret < 0)
			return -errno;
		if (!ret)
			break;
		done += (size_t)ret;
	}
	s->pos += done;
	return (int64_t)done;
}

/**
 * source_close() - end a stream
 * @s: the source
 */
void source_close(struct source *s)
{
	if (s->kind == SOURCE_FILE && s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}
