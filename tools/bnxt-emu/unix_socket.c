// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "unix_socket.h"

/* The kernel's SCM_MAX_FD: no message carries more */
#define SCM_FDS_MAX	253

/**
 * unix_listen() - Make a stream socket and listen at it
 * @path: its name, which must be free
 * @backlog: connections that may wait
 *
 * It appears under its name only when it can be connected to, so whoever starts
 * this process need only wait for the name.
 *
 * Return: the socket, which does not block; -1 with errno set.
 */
int unix_listen(const char *path, int backlog)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd, err;

	if ((size_t)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s~", path) >=
	    sizeof(sa.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (!access(path, F_OK)) {
		errno = EADDRINUSE;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)))
		goto close;
	if (listen(fd, backlog) || rename(sa.sun_path, path))
		goto unlink;
	return fd;

unlink:
	err = errno;
	unlink(sa.sun_path);
	errno = err;
close:
	err = errno;
	close(fd);
	errno = err;
	return -1;
}

static void collect_fds(struct msghdr *mh, int *fds, unsigned int *nfds, unsigned int max_fds)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (*nfds < max_fds)
				fds[(*nfds)++] = fd;
			else
				close(fd);
		}
	}
}

/**
 * unix_recv() - Receive what is there, with descriptors
 * @sock: stream socket
 * @buf: where to
 * @len: most bytes to receive
 * @fds: descriptors are added to these; they are closed on exec
 * @nfds: how many those are
 * @max_fds: how many there may be; the others are closed
 *
 * Return: number of bytes, 0 at the end of the stream, -1 with errno set (EAGAIN
 * when there is nothing).
 */
ssize_t unix_recv(int sock, void *buf, size_t len, int *fds, unsigned int *nfds,
		  unsigned int max_fds)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(SCM_FDS_MAX * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = buf, .iov_len = len };
	struct msghdr mh = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(sock, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n > 0)
		collect_fds(&mh, fds, nfds, max_fds);
	return n;
}

/**
 * fd_close() - Close a descriptor if it is open, and forget it
 * @fd: the descriptor, -1 for none; -1 afterwards
 */
void fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/**
 * fd_nonblock() - Make a descriptor one that does not block
 * @fd: the descriptor
 *
 * Return: false with errno set.
 */
bool fd_nonblock(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && !fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}
