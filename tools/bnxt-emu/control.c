// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Control socket.
 *
 * A guest cannot connect to a socket of the host, but it can write files there
 * (hostfs). So there is a second way in: a directory in which NAME.cmd, moved
 * there when it is complete, is a line, and NAME.out, moved likewise, the answer.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control.h"
#include "unix_socket.h"

#define CLIENTS		4
#define ANSWER_MAX	(256 << 10)

struct answer {
	char *text;		/* NULL once memory was short */
	size_t len, room;
	bool failed;
	char error[512];
};

struct client {
	struct control *control;
	int fd;
	size_t len;
	char line[CONTROL_LINE_MAX];
};

struct control {
	struct loop *loop;
	const struct control_cmd *cmds;
	void *host;
	int listen_fd;
	char *path;
	int watch_fd;
	char *dir;
	struct client client[CLIENTS];
};

/*
 * Answers
 */

static void append(struct answer *a, const char *text, size_t len)
{
	if (!a->text || len > ANSWER_MAX - a->len)
		return;
	if (a->len + len > a->room) {
		size_t room = (a->len + len) * 2;
		char *more = realloc(a->text, room);

		if (!more)
			return;
		a->text = more;
		a->room = room;
	}
	memcpy(a->text + a->len, text, len);
	a->len += len;
}

/**
 * answer_line() - Add a line to an answer
 * @a: the answer
 * @fmt: printf format of the line, without newline
 */
void answer_line(struct answer *a, const char *fmt, ...)
{
	char *line;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&line, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	append(a, line, n);
	append(a, "\n", 1);
	free(line);
}

/**
 * answer_error() - Make an answer one that says what is wrong
 * @a: the answer
 * @fmt: printf format: cause, semicolon, what to do about it
 *
 * Return: false, for a command to return.
 */
bool answer_error(struct answer *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(a->error, sizeof(a->error), fmt, ap);
	va_end(ap);
	a->failed = true;
	return false;
}

static void help(const struct control *c, struct answer *a)
{
	for (const struct control_cmd *cmd = c->cmds; cmd->name; cmd++)
		answer_line(a, "%s%s%s: %s", cmd->name, *cmd->args ? " " : "", cmd->args, cmd->help);
	answer_line(a, "help: this");
}

static bool run_words(struct control *c, int argc, char **argv, struct answer *a)
{
	if (!strcmp(argv[0], "help")) {
		help(c, a);
		return true;
	}
	for (const struct control_cmd *cmd = c->cmds; cmd->name; cmd++) {
		if (strcmp(cmd->name, argv[0]))
			continue;
		if (argc - 1 < cmd->min || argc - 1 > cmd->max)
			return answer_error(a, "%d words after \"%s\"; give: %s%s%s", argc - 1,
					    cmd->name, cmd->name, *cmd->args ? " " : "", cmd->args);
		return cmd->fn(c->host, argc - 1, argv + 1, a);
	}
	return answer_error(a, "no command \"%.64s\"; \"help\" lists them", argv[0]);
}

/* Runs one line; a->text is the whole answer afterwards */
static void run_line(struct control *c, char *line, struct answer *a)
{
	char *argv[CONTROL_WORDS_MAX + 1], *save = NULL;
	int argc = 0;

	*a = (struct answer){ .text = malloc(4096), .room = 4096 };
	for (char *w = strtok_r(line, " \t\r\n", &save); w && argc <= CONTROL_WORDS_MAX;
	     w = strtok_r(NULL, " \t\r\n", &save))
		argv[argc++] = w;
	if (!argc)
		answer_error(a, "an empty line; \"help\" lists the commands");
	else if (argc > CONTROL_WORDS_MAX)
		answer_error(a, "more than %d words; no command has as many", CONTROL_WORDS_MAX);
	else
		run_words(c, argc, argv, a);
	if (a->failed)
		a->len = 0;
	if (a->failed)
		answer_line(a, "error: %s", a->error);
	else
		answer_line(a, "ok");
}

/*
 * Clients of the socket
 */

static void drop_client(struct client *cl)
{
	loop_del(cl->control->loop, cl->fd);
	close(cl->fd);
	cl->fd = -1;
	cl->len = 0;
}

/* Returns false when the client is gone, or does not read its answers */
static bool client_line(struct client *cl, char *line)
{
	struct answer a;
	bool sent;

	run_line(cl->control, line, &a);
	sent = a.text && send(cl->fd, a.text, a.len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)a.len;
	free(a.text);
	return sent;
}

static void client_readable(void *arg)
{
	struct client *cl = arg;
	ssize_t n = recv(cl->fd, cl->line + cl->len, sizeof(cl->line) - cl->len, MSG_DONTWAIT);
	char *end;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop_client(cl);
		return;
	}
	cl->len += n;
	while ((end = memchr(cl->line, '\n', cl->len))) {
		size_t used = end + 1 - cl->line;

		*end = 0;
		if (!client_line(cl, cl->line)) {
			drop_client(cl);
			return;
		}
		cl->len -= used;
		memmove(cl->line, cl->line + used, cl->len);
	}
	if (cl->len == sizeof(cl->line)) {
		static const char too_long[] = "error: a line of more than 1023 bytes; shorten it\n";

		send(cl->fd, too_long, sizeof(too_long) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
		drop_client(cl);
	}
}

static void listen_readable(void *arg)
{
	struct control *c = arg;
	int fd = accept4(c->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), bytes = ANSWER_MAX;

	if (fd < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	for (int i = 0; i < CLIENTS; i++) {
		struct client *cl = &c->client[i];

		if (cl->fd >= 0)
			continue;
		*cl = (struct client){ .control = c, .fd = fd };
		if (loop_add(c->loop, fd, client_readable, cl))
			return;
		cl->fd = -1;
		break;
	}
	dprintf(fd, "error: %d others are connected already; wait until one leaves\n", CLIENTS);
	close(fd);
}

/**
 * control_listen() - Take commands at a socket
 * @c: control
 * @path: its name, which appears when it can be connected to; one socket is all
 *	that a control has
 *
 * Return: false with errno set.
 */
bool control_listen(struct control *c, const char *path)
{
	char *copy = strdup(path);
	int fd;

	if (!copy)
		return false;
	fd = unix_listen(path, CLIENTS);
	if (fd < 0)
		goto free_copy;
	c->listen_fd = fd;
	c->path = copy;
	return loop_add(c->loop, fd, listen_readable, c);

free_copy:
	free(copy);
	return false;
}

/*
 * Commands as files
 */

static bool read_line(const char *path, char *line, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t n = fd >= 0 ? read(fd, line, size - 1) : -1;

	if (fd >= 0)
		close(fd);
	line[n > 0 ? n : 0] = 0;
	return n > 0;
}

/* The name is no symbolic link and does not exist: whoever can write here cannot make us write there */
static bool write_file(const char *path, const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	bool good = fd >= 0 && write(fd, text, len) == (ssize_t)len;

	if (fd >= 0)
		close(fd);
	return good;
}

static void run_file(struct control *c, const char *name)
{
	size_t stem = strlen(name) - strlen(".cmd");
	char line[CONTROL_LINE_MAX], cmd[PATH_MAX], tmp[PATH_MAX], out[PATH_MAX];
	struct answer a;

	if (snprintf(cmd, sizeof(cmd), "%s/%s", c->dir, name) >= (int)sizeof(cmd) ||
	    snprintf(tmp, sizeof(tmp), "%s/%.*s.tmp", c->dir, (int)stem, name) >= (int)sizeof(tmp) ||
	    snprintf(out, sizeof(out), "%s/%.*s.out", c->dir, (int)stem, name) >= (int)sizeof(out))
		return;
	if (!read_line(cmd, line, sizeof(line)))
		return;
	unlink(cmd);
	run_line(c, line, &a);
	if (!a.text || !write_file(tmp, a.text, a.len) || rename(tmp, out))
		unlink(tmp);
	free(a.text);
}

static void dir_readable(void *arg)
{
	_Alignas(struct inotify_event) char buf[4096];
	struct control *c = arg;
	ssize_t n = read(c->watch_fd, buf, sizeof(buf));

	for (ssize_t at = 0; at < n;) {
		const struct inotify_event *ev = (const struct inotify_event *)(buf + at);
		size_t len = ev->len ? strlen(ev->name) : 0;

		at += sizeof(*ev) + ev->len;
		if (len > 4 && !strcmp(ev->name + len - 4, ".cmd"))
			run_file(c, ev->name);
	}
}

/**
 * control_watch() - Take commands that are files
 * @c: control
 * @dir: directory that exists
 *
 * Return: false with errno set.
 */
bool control_watch(struct control *c, const char *dir)
{
	c->dir = strdup(dir);
	c->watch_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	return c->dir && c->watch_fd >= 0 &&
	       inotify_add_watch(c->watch_fd, dir, IN_MOVED_TO | IN_ONLYDIR) >= 0 &&
	       loop_add(c->loop, c->watch_fd, dir_readable, c);
}

/**
 * control_new() - Make a control that nobody can reach yet
 * @loop: event loop
 * @cmds: commands, up to one without name
 * @host: passed to them
 *
 * Return: the control, NULL when memory is short.
 */
struct control *control_new(struct loop *loop, const struct control_cmd *cmds, void *host)
{
	struct control *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->loop = loop;
	c->cmds = cmds;
	c->host = host;
	c->listen_fd = -1;
	c->watch_fd = -1;
	for (int i = 0; i < CLIENTS; i++)
		c->client[i] = (struct client){ .control = c, .fd = -1 };
	return c;
}

/**
 * control_free() - Hang up on all clients
 * @c: control or NULL
 */
void control_free(struct control *c)
{
	if (!c)
		return;
	for (int i = 0; i < CLIENTS; i++)
		if (c->client[i].fd >= 0)
			drop_client(&c->client[i]);
	if (c->listen_fd >= 0) {
		loop_del(c->loop, c->listen_fd);
		close(c->listen_fd);
		unlink(c->path);
	}
	if (c->watch_fd >= 0) {
		loop_del(c->loop, c->watch_fd);
		close(c->watch_fd);
	}
	free(c->path);
	free(c->dir);
	free(c);
}
