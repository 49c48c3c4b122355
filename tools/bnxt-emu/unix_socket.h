/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What transports and control do alike with UNIX sockets and the descriptors that come over them. */
#ifndef UNIX_SOCKET_H
#define UNIX_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

int unix_listen(const char *path, int backlog);
ssize_t unix_recv(int sock, void *buf, size_t len, int *fds, unsigned int *nfds,
		  unsigned int max_fds);

void fd_close(int *fd);
bool fd_nonblock(int fd);

#endif
