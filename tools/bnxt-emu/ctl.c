// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bnxt-emu ctl: sends one command to the control socket of a running bnxt-emu,
 * or leaves it in a directory that this watches, and shows the answer.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "control.h"

enum { CTL_OK = 0, CTL_REFUSED = 1, CTL_USAGE = 2, CTL_UNREACHABLE = 3 };

#define TIMEOUT_MS	10000

static const char usage_text[] =
	"Usage: bnxt-emu ctl [PATH] COMMAND [WORD]...\n"
	"Send a command to a running bnxt-emu; \"help\" lists the commands.\n"
	"PATH (with a slash in it) is what its --control or --control-dir names, by default the\n"
	"value of ZCRX_EMU_CTL. Exit status: 0 done, 1 refused, 2 wrong usage, 3 not reached.\n";

static bool join(char *line, size_t size, int argc, char **argv)
{
	size_t len = 0;

	for (int i = 0; i < argc; i++) {
		int n = snprintf(line + len, size - len, "%s%s", i ? " " : "", argv[i]);

		if (n < 0 || (size_t)n >= size - len)
			return false;
		len += n;
	}
	return !strchr(line, '\n') && len + 2 <= size && strcpy(line + len, "\n");
}

/* Shows an answer up to its last line, which tells how it went; -1 while that is missing */
static int show_line(const char *line)
{
	if (!strcmp(line, "ok\n"))
		return CTL_OK;
	if (!strncmp(line, "error: ", 7)) {
		fprintf(stderr, "bnxt-emu ctl: %s", line + 7);
		return CTL_REFUSED;
	}
	fputs(line, stdout);
	return -1;
}

static int show_answer(FILE *f)
{
	char *line = NULL;
	size_t room = 0;
	int status = -1;

	while (status < 0 && getline(&line, &room, f) > 0)
		status = show_line(line);
	free(line);
	if (status >= 0)
		return status;
	fprintf(stderr, "bnxt-emu ctl: the answer has no end; did bnxt-emu end?\n");
	return CTL_UNREACHABLE;
}

static int unreachable(const char *path, const char *fix)
{
	fprintf(stderr, "bnxt-emu ctl: %s: %s; %s\n", path, strerror(errno), fix);
	return CTL_UNREACHABLE;
}

static int by_socket(const char *path, const char *line)
{
	static const struct timeval limit = { .tv_sec = TIMEOUT_MS / 1000 };
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), status;
	FILE *f;

	if (strlen(path) >= sizeof(sa.sun_path)) {
		errno = ENAMETOOLONG;
		return unreachable(path, "give a path of less than 108 bytes");
	}
	strcpy(sa.sun_path, path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)))
		return unreachable(path, "is a bnxt-emu running with this --control?");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (send(fd, line, strlen(line), MSG_NOSIGNAL) < 0 || !(f = fdopen(fd, "r")))
		return unreachable(path, "did bnxt-emu end?");
	status = show_answer(f);
	fclose(f);
	return status;
}

static bool leave_command(const char *tmp, const char *cmd, const char *line)
{
	FILE *f = fopen(tmp, "wxe");
	bool good = f && fputs(line, f) >= 0;

	if (f && fclose(f))
		good = false;
	return good && !rename(tmp, cmd);
}

static int by_file(const char *dir, const char *line)
{
	const struct timespec pause = { .tv_nsec = 5000000 };
	char tmp[PATH_MAX], cmd[PATH_MAX], out[PATH_MAX];
	struct timespec now;
	FILE *f = NULL;
	int status;

	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(tmp, sizeof(tmp), "%s/%d-%lld.new", dir, getpid(), (long long)now.tv_nsec);
	snprintf(cmd, sizeof(cmd), "%s/%d-%lld.cmd", dir, getpid(), (long long)now.tv_nsec);
	snprintf(out, sizeof(out), "%s/%d-%lld.out", dir, getpid(), (long long)now.tv_nsec);
	if (!leave_command(tmp, cmd, line))
		return unreachable(dir, "may it be written?");
	for (int waited = 0; !f && waited < TIMEOUT_MS; waited += 5) {
		nanosleep(&pause, NULL);
		f = fopen(out, "re");
	}
	if (!f) {
		unlink(cmd);
		errno = ETIMEDOUT;
		return unreachable(dir, "is a bnxt-emu running with this --control-dir?");
	}
	status = show_answer(f);
	fclose(f);
	unlink(out);
	return status;
}

/**
 * control_client() - bnxt-emu ctl
 * @argc: words behind "ctl"
 * @argv: these
 *
 * Return: exit status.
 */
int control_client(int argc, char **argv)
{
	const char *path = getenv("ZCRX_EMU_CTL");
	char line[CONTROL_LINE_MAX];
	struct stat st;

	if (argc && !strcmp(argv[0], "--help"))
		return fputs(usage_text, stdout) < 0 ? CTL_USAGE : CTL_OK;
	if (argc && strchr(argv[0], '/')) {
		path = *argv++;
		argc--;
	}
	if (!argc || !path) {
		fputs(usage_text, stderr);
		return CTL_USAGE;
	}
	if (!join(line, sizeof(line), argc, argv)) {
		fprintf(stderr, "bnxt-emu ctl: the command is too long, or of more than one line\n");
		return CTL_USAGE;
	}
	if (!stat(path, &st) && S_ISDIR(st.st_mode))
		return by_file(path, line);
	return by_socket(path, line);
}
