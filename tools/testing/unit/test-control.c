// SPDX-License-Identifier: GPL-2.0-or-later
/* The control socket: lines in, answers out, clients good and bad; and the client. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../bnxt-emu/control.h"
#include "../tap.h"
#include "no-hooks.h"

struct test {
	struct loop *loop;
	struct control *control;
	pthread_t thread;
	char dir[64], sock[80];
	int value;
	int stop[2];
};

static bool cmd_set(void *host, int argc, char **argv, struct answer *a)
{
	struct test *t = host;

	(void)argc;
	if (!strcmp(argv[0], "bad")) {
		answer_line(a, "half of an answer");
		return answer_error(a, "%s is not good; give a number", argv[0]);
	}
	t->value = atoi(argv[0]);
	return true;
}

static bool cmd_get(void *host, int argc, char **argv, struct answer *a)
{
	struct test *t = host;

	answer_line(a, "value %d", t->value);
	for (int i = 0; i < argc; i++)
		answer_line(a, "word %s", argv[i]);
	return true;
}

static bool cmd_long(void *host, int argc, char **argv, struct answer *a)
{
	(void)host;
	(void)argc;
	for (int i = 0; i < atoi(argv[0]); i++)
		answer_line(a, "line %d of many, which are here to fill the answer up", i);
	return true;
}

static const struct control_cmd cmds[] = {
	{ "set", "NUMBER", 1, 1, "sets it", cmd_set },
	{ "get", "[WORD]...", 0, 5, "gets it", cmd_get },
	{ "long", "N", 1, 1, "answers much", cmd_long },
	{ NULL }
};

static const struct loop_hooks hooks = { no_poll, no_flush, no_timers, no_sleep };

static void on_stop(void *arg)
{
	struct test *t = arg;

	loop_stop(t->loop, 0);
}

static void *serve(void *arg)
{
	struct test *t = arg;

	loop_run(t->loop);
	return NULL;
}

static void start(struct test *t)
{
	memset(t, 0, sizeof(*t));
	strcpy(t->dir, "/tmp/test-control.XXXXXX");
	if (!mkdtemp(t->dir) || pipe(t->stop))
		tap_bail("no directory");
	snprintf(t->sock, sizeof(t->sock), "%s/ctl", t->dir);
	t->loop = loop_new(&hooks, t, 0);
	t->control = control_new(t->loop, cmds, t);
	loop_add(t->loop, t->stop[0], on_stop, t);
	tap_ok(control_listen(t->control, t->sock), "it listens");
	tap_ok(!control_listen(t->control, t->sock) && errno == EADDRINUSE, "a name that is taken is refused");
	tap_ok(!control_listen(t->control, "/nowhere/ctl") && errno == ENOENT, "so is one that cannot be");
	tap_ok(control_watch(t->control, t->dir), "it watches a directory");
	pthread_create(&t->thread, NULL, serve, t);
}

static void end(struct test *t)
{
	(void)!write(t->stop[1], "x", 1);
	pthread_join(t->thread, NULL);
	control_free(t->control);
	loop_free(t->loop);
	tap_ok(access(t->sock, F_OK), "the socket is gone");
	rmdir(t->dir);
}

static int dial(const struct test *t)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = 3 };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(sa.sun_path, t->sock);
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)))
		tap_bail("cannot connect");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return fd;
}

/* Everything up to what comes last: the text, the end of the connection, or nothing for 3 s */
static const char *answer_to(int fd, const char *send_this, const char *last)
{
	static char buf[400000];
	size_t len = 0;
	ssize_t n;

	buf[0] = 0;
	if (send_this)
		(void)!send(fd, send_this, strlen(send_this), MSG_NOSIGNAL);
	while (!strstr(buf, last) && (n = recv(fd, buf + len, sizeof(buf) - 1 - len, 0)) > 0) {
		len += n;
		buf[len] = 0;
	}
	return buf;
}

static void test_lines(struct test *t)
{
	int fd = dial(t);

	tap_str(answer_to(fd, "set 42\n", "\n"), "ok\n", "a command");
	tap_str(answer_to(fd, "get\n", "ok\n"), "value 42\nok\n", "an answer");
	tap_str(answer_to(fd, "  get \t a  b\r\n", "ok\n"), "value 42\nword a\nword b\nok\n", "spaces between words");
	tap_str(answer_to(fd, "set bad\n", "\n"), "error: bad is not good; give a number\n",
		"an error, without what came before it");
	tap_str(answer_to(fd, "set\n", "\n"), "error: 0 words after \"set\"; give: set NUMBER\n", "too few words");
	tap_str(answer_to(fd, "set 1 2\n", "\n"), "error: 2 words after \"set\"; give: set NUMBER\n", "too many");
	tap_str(answer_to(fd, "jump\n", "\n"), "error: no command \"jump\"; \"help\" lists them\n", "no such command");
	tap_str(answer_to(fd, "\n", "\n"), "error: an empty line; \"help\" lists the commands\n", "an empty line");
	tap_str(answer_to(fd, "get 1 2 3 4 5 6 7 8 9 10 11 12\n", "\n"),
		"error: more than 8 words; no command has as many\n", "a lot of words");
	tap_ok(strstr(answer_to(fd, "help\n", "ok\n"), "get [WORD]...: gets it\n"), "help");
	tap_str(answer_to(fd, "set 7\nget\nget x\n", "word x\nok\n"), "ok\nvalue 7\nok\nvalue 7\nword x\nok\n",
		"three commands at once");
	(void)!send(fd, "se", 2, 0);
	usleep(20000);
	(void)!send(fd, "t 9", 3, 0);
	usleep(20000);
	tap_str(answer_to(fd, "\nget\n", "9\nok\n"), "ok\nvalue 9\nok\n", "a command in pieces");
	close(fd);
}

static void test_bad_clients(struct test *t)
{
	char line[3000];
	int fd[6], one;

	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = 0;
	one = dial(t);
	tap_ok(strstr(answer_to(one, line, "shorten it\n"), "1023 bytes; shorten it"), "a line that never ends");
	close(one);
	one = dial(t);
	(void)!send(one, "get", 3, 0);
	close(one);
	one = dial(t);
	(void)!send(one, "long 2000\n", 10, 0);
	close(one);
	for (int i = 0; i < 4; i++) {
		fd[i] = dial(t);
		answer_to(fd[i], "get\n", "ok\n");
	}
	one = dial(t);
	tap_ok(strstr(answer_to(one, NULL, "leaves\n"), "wait until one leaves"), "a fifth client is told to wait");
	close(one);
	for (int i = 0; i < 4; i++)
		close(fd[i]);
	usleep(50000);
	one = dial(t);
	tap_ok(strstr(answer_to(one, "get\n", "ok\n"), "value"), "when they have left there is room");
	tap_ok(strstr(answer_to(one, "long 3000\n", "ok\n"), "line 2999 of"), "a long answer is whole");
	close(one);
}

/* Runs the client in a process of its own; its output in *@out */
static int client(char *out, size_t size, int argc, char **argv)
{
	int fds[2], status;
	ssize_t n, len = 0;
	pid_t pid;

	if (pipe(fds))
		tap_bail("no pipe");
	fflush(stdout);
	pid = fork();
	if (!pid) {
		dup2(fds[1], 1);
		dup2(fds[1], 2);
		close(fds[0]);
		status = control_client(argc, argv);
		fflush(stdout);
		_exit(status);
	}
	close(fds[1]);
	while ((n = read(fds[0], out + len, size - 1 - len)) > 0)
		len += n;
	out[len] = 0;
	close(fds[0]);
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

static void test_client(struct test *t)
{
	char out[2000];

	tap_ok(!client(out, sizeof(out), 3, (char *[]){ t->sock, "set", "11" }) && !*out, "ctl PATH set 11");
	setenv("ZCRX_EMU_CTL", t->sock, 1);
	tap_ok(!client(out, sizeof(out), 2, (char *[]){ "get", "it" }), "ctl get it, by ZCRX_EMU_CTL");
	tap_str(out, "value 11\nword it\n", "the answer, without its end");
	tap_eq(client(out, sizeof(out), 2, (char *[]){ "set", "bad" }), 1, "refused: exit status 1");
	tap_str(out, "bnxt-emu ctl: bad is not good; give a number\n", "and why");
	setenv("ZCRX_EMU_CTL", t->dir, 1);
	tap_ok(!client(out, sizeof(out), 2, (char *[]){ "set", "12" }), "by files");
	tap_ok(!client(out, sizeof(out), 1, (char *[]){ "get" }), "and the answer");
	tap_str(out, "value 12\n", "is right");
	tap_eq(client(out, sizeof(out), 2, (char *[]){ "set", "bad" }), 1, "refused by files");
	tap_eq(client(out, sizeof(out), 2, (char *[]){ "/nowhere/ctl", "get" }), 3, "nobody there: 3");
	tap_ok(strstr(out, "is a bnxt-emu running"), "and a hint");
	tap_eq(client(out, sizeof(out), 0, NULL), 2, "no command: 2");
	tap_eq(client(out, sizeof(out), 2, (char *[]){ "get", "a\nset 1" }), 2, "two lines: 2");
	tap_eq(client(out, sizeof(out), 1, (char *[]){ "--help" }), 0, "--help");
}

/* Whoever may write the directory cannot make us write elsewhere */
static void test_hostile_files(struct test *t)
{
	char cmd[100], from[100], out[100], tmp[100], victim[100];
	struct stat st;
	int fd;

	snprintf(cmd, sizeof(cmd), "%s/x.cmd", t->dir);
	snprintf(from, sizeof(from), "%s/x", t->dir);
	snprintf(out, sizeof(out), "%s/x.out", t->dir);
	snprintf(tmp, sizeof(tmp), "%s/x.tmp", t->dir);
	snprintf(victim, sizeof(victim), "%s/victim", t->dir);
	fd = open(victim, O_CREAT | O_WRONLY, 0600);
	close(fd);
	(void)!symlink(victim, tmp);
	fd = open(from, O_CREAT | O_WRONLY, 0600);
	(void)!write(fd, "get\n", 4);
	close(fd);
	rename(from, cmd);
	usleep(100000);
	tap_ok(!stat(victim, &st) && !st.st_size, "a symbolic link in the way is not followed");
	unlink(tmp);
	unlink(out);
	(void)!symlink("/etc/hostname", from);
	rename(from, cmd);
	usleep(100000);
	tap_ok(access(out, F_OK), "nor read as a command");
	unlink(cmd);
	mkdir(from, 0700);
	rename(from, cmd);
	mkfifo(from, 0600);
	usleep(100000);
	rmdir(cmd);
	rename(from, cmd);
	usleep(100000);
	unlink(cmd);
	unlink(victim);
	tap_ok(!client(cmd, sizeof(cmd), 1, (char *[]){ "get" }), "directories and FIFOs do not stop it");
}

int main(void)
{
	struct test t;

	signal(SIGPIPE, SIG_IGN);
	start(&t);
	test_lines(&t);
	test_bad_clients(&t);
	test_client(&t);
	test_hostile_files(&t);
	end(&t);
	return tap_done();
}
