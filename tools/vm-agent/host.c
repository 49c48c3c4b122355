// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The host's end: its own standard streams are those of the command in the
 * guest, its exit status is the command's.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "agent.h"

struct host {
	struct line line;
	const char *dir;	/* where chunks of stdin go */
	unsigned int chunks;
	int guest_fd;		/* pidfd of the guest: readable when it is gone */
	int ready_fd;		/* gets a line when the guest is ready */
	int signal_pipe;
	bool line_open;		/* the guest's end does not echo what comes, as it does at first */
	uint64_t signals;	/* bits of those that came before that */
	bool stdin_open;
	size_t in_flight;	/* bytes of stdin frames without credit */
	unsigned int interrupts;
	bool raw;
	struct termios saved;
};

/* The one global: a signal handler has no argument */
static int signal_pipe_in = -1;

static void on_signal(int sig)
{
	uint8_t byte = sig;
	int err = errno;
	ssize_t n = write(signal_pipe_in, &byte, 1);

	(void)n;
	errno = err;
}

static bool catch_signals(struct host *h)
{
	static const int sigs[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH };
	struct sigaction sa = { .sa_handler = on_signal };
	int fds[2];

	if (pipe(fds))
		return false;
	h->signal_pipe = fds[0];
	signal_pipe_in = fds[1];
	for (size_t i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
		sigaction(sigs[i], &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	return true;
}

static void send_winsize(struct host *h)
{
	struct winsize ws;
	uint8_t le[4];

	if (!h->raw || ioctl(STDIN_FILENO, TIOCGWINSZ, &ws))
		return;
	le[0] = ws.ws_row;
	le[1] = ws.ws_row >> 8;
	le[2] = ws.ws_col;
	le[3] = ws.ws_col >> 8;
	line_send(&h->line, F_WINSIZE, le, sizeof(le));
}

static void set_raw(struct host *h)
{
	struct termios t;

	if (tcgetattr(STDIN_FILENO, &h->saved))
		return;
	t = h->saved;
	cfmakeraw(&t);
	h->raw = !tcsetattr(STDIN_FILENO, TCSADRAIN, &t);
}

static void unset_raw(struct host *h)
{
	if (h->raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &h->saved);
	h->raw = false;
}

/* Returns the exit status when it is time to go, else -1 */
static int handle_signal(struct host *h)
{
	uint8_t sig;

	if (read(h->signal_pipe, &sig, 1) != 1)
		return -1;
	if (sig == SIGWINCH) {
		send_winsize(h);
		return -1;
	}
	/* the first asks the command to end, the second does not ask */
	if ((sig == SIGINT || sig == SIGTERM) && h->interrupts++)
		return 128 + sig;
	if (h->line_open)
		line_send_u32(&h->line, F_SIGNAL, sig);
	else
		h->signals |= 1ull << sig;
	return -1;
}

static void open_line(struct host *h)
{
	h->line_open = true;
	for (int sig = 1; sig < 64; sig++)
		if (h->signals & 1ull << sig)
			line_send_u32(&h->line, F_SIGNAL, sig);
}

static bool write_chunk(struct host *h, const uint8_t *data, size_t len)
{
	char path[4096];
	bool good;
	int fd;

	snprintf(path, sizeof(path), "%s/" CHUNK_NAME, h->dir, h->chunks);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	good = write_all(fd, data, len);
	close(fd);
	return good && line_send_u32(&h->line, F_CHUNK, h->chunks++);
}

static void forward_stdin(struct host *h)
{
	static uint8_t buf[CHUNK_MAX];
	size_t room = LINE_WINDOW - h->in_flight - FRAME_HEADER;
	ssize_t n = read(STDIN_FILENO, buf, h->in_flight ? room : sizeof(buf));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		h->stdin_open = false;
		n = 0;
	}
	if ((size_t)n > room) {
		h->in_flight = LINE_WINDOW;
		if (!write_chunk(h, buf, n))
			say("no room for stdin in %s: %s", h->dir, strerror(errno));
		return;
	}
	h->in_flight += FRAME_HEADER + n;
	line_send(&h->line, F_STDIN, buf, n);
}

static void output(struct host *h, int fd, const struct frame *f)
{
	uint8_t which = fd;

	if (!write_all(fd, f->data, f->len))
		line_send(&h->line, F_CLOSED, &which, 1);
}

static int noise(void)
{
	say("the guest's serial line carries noise");
	return EXIT_ENVIRONMENT;
}

/* Returns the exit status when it is time to go, else -1 */
static int handle_frame(struct host *h, const struct frame *f)
{
	uint32_t v = frame_u32(f);

	switch (f->type) {
	case F_OPEN:
		open_line(h);
		return -1;
	case F_READY:
		write_all(h->ready_fd, "ready\n", 6);
		send_winsize(h);
		return -1;
	case F_STDOUT:
		output(h, STDOUT_FILENO, f);
		return -1;
	case F_STDERR:
		output(h, STDERR_FILENO, f);
		return -1;
	case F_CREDIT:
		h->in_flight -= v < h->in_flight ? v : h->in_flight;
		return -1;
	case F_EXIT:
		return v & 0xff;
	default:
		return noise();
	}
}

static int receive(struct host *h)
{
	enum line_result res;
	struct frame f;

	while ((res = line_recv(&h->line, &f)) == LINE_FRAME) {
		int status = handle_frame(h, &f);

		if (status >= 0)
			return status;
	}
	return res == LINE_MORE ? -1 : noise();
}

static bool may_read_stdin(const struct host *h)
{
	return h->line_open && h->stdin_open && h->in_flight + FRAME_HEADER < LINE_WINDOW;
}

static int relay(struct host *h)
{
	int status = -1;

	while (status < 0) {
		struct pollfd pfd[] = {
			{ .fd = h->signal_pipe, .events = POLLIN },
			{ .fd = h->line.in, .events = POLLIN },
			{ .fd = may_read_stdin(h) ? STDIN_FILENO : -1, .events = POLLIN },
			{ .fd = h->guest_fd, .events = POLLIN },
		};

		if (poll(pfd, sizeof(pfd) / sizeof(pfd[0]), -1) < 0) {
			if (errno == EINTR)
				continue;
			return EXIT_ENVIRONMENT;
		}
		if (pfd[0].revents)
			status = handle_signal(h);
		if (status < 0 && pfd[1].revents)
			status = receive(h);
		if (status < 0 && pfd[2].revents)
			forward_stdin(h);
		/* last: what it sent before it died counts */
		if (status < 0 && pfd[3].revents && !pfd[1].revents) {
			unset_raw(h);
			say("the guest ended before its command");
			status = EXIT_ENVIRONMENT;
		}
	}
	return status;
}

/**
 * host_main() - Be the standard streams of the command in the guest
 * @argc: number of words
 * @argv: [--tty] DIRECTORY GUEST-PID IN-FD OUT-FD READY-FD: a directory that both
 *	ends see, the guest's process, the line, and where to tell that the guest is
 *	ready
 *
 * Return: the command's status, EXIT_ENVIRONMENT when the guest or the line
 * fails, 128 + signal after a second SIGINT or SIGTERM.
 */
int host_main(int argc, char **argv)
{
	struct host h = { .stdin_open = true };
	bool tty = false;
	int status;

	if (argc > 1 && !strcmp(argv[1], "--tty")) {
		tty = true;
		argc--;
		argv++;
	}
	if (argc != 6) {
		say("usage: vm-agent host [--tty] DIRECTORY GUEST-PID IN-FD OUT-FD READY-FD");
		return 2;
	}
	h.dir = argv[1];
	h.guest_fd = syscall(SYS_pidfd_open, atoi(argv[2]), 0);
	if (h.guest_fd < 0) {
		say("the guest did not start");
		return EXIT_ENVIRONMENT;
	}
	h.line.in = atoi(argv[3]);
	h.line.out = atoi(argv[4]);
	h.ready_fd = atoi(argv[5]);
	if (!catch_signals(&h))
		return EXIT_ENVIRONMENT;
	if (tty)
		set_raw(&h);
	status = relay(&h);
	unset_raw(&h);
	return status;
}
