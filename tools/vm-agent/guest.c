// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The guest's end: runs a command with pipes or a terminal as its standard
 * streams and carries what passes through them over the serial line.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "agent.h"

#define LISTEN_POLL_MS	10
#define STDIN_BUF	(4 * CHUNK_MAX)

struct guest {
	struct line line;
	const char *dir;	/* where chunks of stdin come */
	bool tty;
	unsigned int wait_port;	/* ready means: this TCP port listens; 0: at once */
	int to_child;		/* write end of its stdin, -1 when closed */
	int from_child[2];	/* read ends of its stdout and stderr, -1 when closed */
	int child_fds[3];	/* what the command gets */
	pid_t child;
	int signal_fd;

	bool eof;		/* the host's stdin ended: close to_child when @fill is 0 */
	size_t owed;		/* bytes of stdin frames that came without credit for more */
	size_t fill;		/* bytes of stdin that the command has not taken yet */
	uint8_t stdin_buf[STDIN_BUF];
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static bool set_nonblock(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && !fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

static bool open_line(struct guest *g, const char *path)
{
	struct termios t;
	int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);

	g->line.in = g->line.out = fd;
	/* a port of virtio-serial passes all bytes as they are */
	if (fd >= 0 && !isatty(fd))
		return true;
	if (fd < 0 || tcgetattr(fd, &t)) {
		say("%s: %s", path, strerror(errno));
		return false;
	}
	cfmakeraw(&t);
	t.c_cflag |= CLOCAL | CREAD;
	if (tcsetattr(fd, TCSANOW, &t)) {
		say("%s: %s", path, strerror(errno));
		return false;
	}
	return true;
}

static bool open_pipes(struct guest *g)
{
	int in[2], out[2], err[2];

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC) ||
	    !set_nonblock(in[1]))
		return false;
	g->to_child = in[1];
	g->from_child[0] = out[0];
	g->from_child[1] = err[0];
	g->child_fds[0] = in[0];
	g->child_fds[1] = out[1];
	g->child_fds[2] = err[1];
	return true;
}

static bool open_pty(struct guest *g)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	int slave;

	if (master < 0 || grantpt(master) || unlockpt(master) || !set_nonblock(master))
		return false;
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return false;
	g->to_child = dup(master);
	g->from_child[0] = master;
	g->from_child[1] = -1;
	g->child_fds[0] = g->child_fds[1] = g->child_fds[2] = slave;
	return g->to_child >= 0;
}

static void run_child(struct guest *g, char **argv)
{
	sigset_t none;

	setsid();
	if (g->tty)
		ioctl(g->child_fds[0], TIOCSCTTY, 0);
	for (int i = 0; i < 3; i++)
		dup2(g->child_fds[i], i);
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(argv[0], argv);
	say("%s: %s", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

/*
 * Returns when the command runs, or could not: before that it is not yet the
 * process group that signals go to.
 */
static bool start_child(struct guest *g, char **argv)
{
	int running[2];
	sigset_t set;
	char byte;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	g->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (g->signal_fd < 0 || pipe2(running, O_CLOEXEC) || !(g->tty ? open_pty(g) : open_pipes(g)))
		return false;
	g->child = fork();
	if (!g->child)
		run_child(g, argv);
	for (int i = 0; i < (g->tty ? 1 : 3); i++)
		close(g->child_fds[i]);
	/* the other end is closed by exec, or by the child's death */
	close(running[1]);
	while (read(running[0], &byte, 1) < 0 && errno == EINTR)
		;
	close(running[0]);
	return g->child > 0;
}

/* Lets the host send more once all that it may send has room here */
static void give_credit(struct guest *g)
{
	if (!g->owed || g->fill + CHUNK_MAX > sizeof(g->stdin_buf))
		return;
	line_send_u32(&g->line, F_CREDIT, g->owed);
	g->owed = 0;
}

/* Gives the command what it takes of stdin */
static void feed_child(struct guest *g)
{
	ssize_t n = 0;

	if (g->to_child >= 0 && g->fill) {
		n = write(g->to_child, g->stdin_buf, g->fill);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		/* nobody reads: swallow the rest as a closed pipe does */
		if (n < 0)
			close_fd(&g->to_child);
	}
	if (g->to_child < 0)
		n = g->fill;
	if (n > 0) {
		g->fill -= n;
		memmove(g->stdin_buf, g->stdin_buf + n, g->fill);
		give_credit(g);
	}
	if (g->eof && !g->fill && !g->tty)
		close_fd(&g->to_child);
}

static void set_winsize(struct guest *g, const struct frame *f)
{
	struct winsize ws = { };

	if (!g->tty || f->len < 4)
		return;
	ws.ws_row = f->data[0] | f->data[1] << 8;
	ws.ws_col = f->data[2] | f->data[3] << 8;
	ioctl(g->from_child[0], TIOCSWINSZ, &ws);
}

static bool took_stdin(struct guest *g, size_t len, size_t window)
{
	g->fill += len;
	g->owed += window;
	feed_child(g);
	give_credit(g);
	return true;
}

static bool read_chunk(struct guest *g, unsigned int number)
{
	char path[4096];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/" CHUNK_NAME, g->dir, number);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || sizeof(g->stdin_buf) - g->fill < CHUNK_MAX)
		return false;
	n = read(fd, g->stdin_buf + g->fill, CHUNK_MAX);
	close(fd);
	unlink(path);
	return n > 0 && took_stdin(g, n, LINE_WINDOW);
}

/* Returns false when there is nothing more to do for the host */
static bool handle_frame(struct guest *g, const struct frame *f)
{
	switch (f->type) {
	case F_STDIN:
		if (f->len > sizeof(g->stdin_buf) - g->fill)
			return false;
		memcpy(g->stdin_buf + g->fill, f->data, f->len);
		g->eof |= !f->len;
		return took_stdin(g, f->len, FRAME_HEADER + f->len);
	case F_CHUNK:
		return read_chunk(g, frame_u32(f));
	case F_SIGNAL:
		kill(-g->child, frame_u32(f));
		return true;
	case F_WINSIZE:
		set_winsize(g, f);
		return true;
	case F_CLOSED:
		if (f->len == 1 && (f->data[0] == 1 || f->data[0] == 2) && !g->tty)
			close_fd(&g->from_child[f->data[0] - 1]);
		return true;
	case F_QUIT:
	default:
		return false;
	}
}

/* Returns whether there was anything */
static bool forward_output(struct guest *g, int i)
{
	uint8_t buf[FRAME_MAX];
	ssize_t n = read(g->from_child[i], buf, sizeof(buf));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	/* a terminal whose last user is gone reads as EIO */
	if (n <= 0) {
		close_fd(&g->from_child[i]);
		return false;
	}
	return line_send(&g->line, i ? F_STDERR : F_STDOUT, buf, n);
}

/* What the command wrote before it ended; what it left running may hold the pipes open */
static void drain_output(struct guest *g)
{
	for (int i = 0; i < 2; i++) {
		if (g->from_child[i] < 0 || !set_nonblock(g->from_child[i]))
			continue;
		while (forward_output(g, i))
			;
	}
}

/* Looks for a listening socket in a table such as /proc/net/tcp */
static bool port_listens(const char *table, unsigned int port)
{
	char line[256];
	FILE *f = fopen(table, "re");
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f)) {
		unsigned int local, state;

		/* number, local and remote address:port, state (0A: TCP_LISTEN), in hexadecimal */
		if (sscanf(line, "%*u: %*[0-9A-F]:%x %*[0-9A-F]:%*x %x", &local, &state) == 2)
			found = local == port && state == 0x0a;
	}
	if (f)
		fclose(f);
	return found;
}

static void check_port(struct guest *g)
{
	if (!port_listens("/proc/net/tcp", g->wait_port) &&
	    !port_listens("/proc/net/tcp6", g->wait_port))
		return;
	g->wait_port = 0;
	line_send(&g->line, F_READY, NULL, 0);
}

/* Returns false when the host has enough, or is gone */
static bool receive(struct guest *g)
{
	enum line_result res;
	struct frame f;

	while ((res = line_recv(&g->line, &f)) == LINE_FRAME)
		if (!handle_frame(g, &f))
			return false;
	return res == LINE_MORE;
}

/* Runs until the command ends; returns its status, -1 when the host does not wait for it */
static int relay(struct guest *g)
{
	int status;

	for (;;) {
		struct pollfd pfd[] = {
			{ .fd = g->line.in, .events = POLLIN },
			{ .fd = g->signal_fd, .events = POLLIN },
			{ .fd = g->from_child[0], .events = POLLIN },
			{ .fd = g->from_child[1], .events = POLLIN },
			{ .fd = g->fill ? g->to_child : -1, .events = POLLOUT },
		};

		if (poll(pfd, sizeof(pfd) / sizeof(pfd[0]), g->wait_port ? LISTEN_POLL_MS : -1) <
			    0 &&
		    errno != EINTR)
			return -1;
		if (g->wait_port)
			check_port(g);
		if (pfd[0].revents && !receive(g))
			return -1;
		if (pfd[2].revents)
			forward_output(g, 0);
		if (pfd[3].revents)
			forward_output(g, 1);
		if (pfd[4].revents)
			feed_child(g);
		if (pfd[1].revents && waitpid(g->child, &status, WNOHANG) == g->child)
			break;
	}
	drain_output(g);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void wait_for_quit(struct guest *g)
{
	struct pollfd pfd = { .fd = g->line.in, .events = POLLIN };
	struct frame f;

	while (poll(&pfd, 1, -1) >= 0 || errno == EINTR) {
		switch (line_recv(&g->line, &f)) {
		case LINE_FRAME:
			if (f.type == F_QUIT)
				return;
			break;
		case LINE_MORE:
			break;
		case LINE_END:
		case LINE_BROKEN:
			return;
		}
	}
}

/**
 * guest_main() - Run a command for the host
 * @argc: number of words
 * @argv: [--tty] [--wait-port N] LINE DIRECTORY COMMAND [ARGUMENT]...
 *
 * The host hears that the guest is ready when the command has started, or
 * when it listens at TCP port N.
 *
 * Return: 0 when the host said that the guest may end.
 */
int guest_main(int argc, char **argv)
{
	static struct guest g;
	int status;

	if (argc > 1 && !strcmp(argv[1], "--tty")) {
		g.tty = true;
		argc--;
		argv++;
	}
	if (argc > 2 && !strcmp(argv[1], "--wait-port")) {
		g.wait_port = atoi(argv[2]);
		argc -= 2;
		argv += 2;
	}
	if (argc < 4) {
		say("usage: vm-agent guest [--tty] [--wait-port N] LINE DIRECTORY COMMAND [ARGUMENT]...");
		return 2;
	}
	if (!open_line(&g, argv[1]))
		return EXIT_ENVIRONMENT;
	line_send(&g.line, F_OPEN, NULL, 0);
	g.dir = argv[2];
	if (!start_child(&g, argv + 3)) {
		say("cannot start the command: %s", strerror(errno));
		return EXIT_ENVIRONMENT;
	}
	if (!g.wait_port)
		line_send(&g.line, F_READY, NULL, 0);
	status = relay(&g);
	if (status < 0) {
		kill(-g.child, SIGKILL);
		return 0;
	}
	/* what it wrote to the host's files must be there when the host hears of the end */
	sync();
	line_send_u32(&g.line, F_EXIT, status);
	wait_for_quit(&g);
	return 0;
}

/**
 * off_main() - Switch the guest off
 * @argc: number of words
 * @argv: nothing
 *
 * Return: EXIT_ENVIRONMENT, or not at all.
 */
int off_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	sync();
	/* whoever tries this outside of a guest is not its first process */
	if (getpid() != 1)
		say("off: this is no guest");
	else
		reboot(RB_POWER_OFF);
	return EXIT_ENVIRONMENT;
}
