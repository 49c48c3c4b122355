// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A command in network, process, mount and, for who is not root, user
 * namespaces of its own. The kernel ends all its processes and removes its
 * interfaces and files when the command ends, or this process, however.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write_all(fd, text, strlen(text));

	if (fd >= 0)
		close(fd);
	return good;
}

/* Maps the caller to root, and nobody else: all that a user may do alone */
static bool map_ids(uid_t uid, gid_t gid)
{
	char text[64];

	if (!write_file("/proc/self/setgroups", "deny"))
		return false;
	snprintf(text, sizeof(text), "0 %u 1", uid);
	if (!write_file("/proc/self/uid_map", text))
		return false;
	snprintf(text, sizeof(text), "0 %u 1", gid);
	return write_file("/proc/self/gid_map", text);
}

static bool enter_namespaces(void)
{
	int flags = CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC;
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (!unshare(flags))
		return true;
	if (errno == EPERM && !unshare(flags | CLONE_NEWUSER)) {
		if (map_ids(uid, gid))
			return true;
		say("cannot become root in a user namespace: %s", strerror(errno));
		return false;
	}
	say("cannot make namespaces (network, process, mount): %s; be root, or allow user namespaces "
	    "(sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone=1, "
	    "kernel.apparmor_restrict_unprivileged_userns=0)",
	    strerror(errno));
	return false;
}

static bool set_up_mounts(const char *tmpfs)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) {
		say("cannot make mounts private: %s", strerror(errno));
		return false;
	}
	if (mount("tmpfs", tmpfs, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755")) {
		say("cannot mount a tmpfs at %s: %s", tmpfs, strerror(errno));
		return false;
	}
	/* not allowed in some containers; /proc then shows the processes outside, which hurts nobody */
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL))
		errno = 0;
	return true;
}

static void run_child(const char *tmpfs, char **argv, const sigset_t *old)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/*
	 * Signals of the terminal go to the parent alone, which passes them on: so
	 * that each comes once. Reading the terminal works all the same.
	 */
	setsid();
	sigprocmask(SIG_SETMASK, old, NULL);
	if (!set_up_mounts(tmpfs))
		_exit(EXIT_ENVIRONMENT);
	execvp(argv[0], argv);
	say("%s: %s", argv[0], strerror(errno));
	_exit(EXIT_ENVIRONMENT);
}

static void block_signals(sigset_t *set, sigset_t *old)
{
	static const int sigs[] = { SIGINT,  SIGTERM, SIGHUP,	SIGQUIT,
				    SIGUSR1, SIGUSR2, SIGWINCH, SIGCHLD };

	sigemptyset(set);
	for (size_t i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
		sigaddset(set, sigs[i]);
	sigprocmask(SIG_BLOCK, set, old);
}

static int wait_for(pid_t child, const sigset_t *set)
{
	int status;

	for (;;) {
		int sig = sigwaitinfo(set, NULL);

		if (sig > 0 && sig != SIGCHLD)
			kill(child, sig);
		if (waitpid(child, &status, WNOHANG) == child)
			break;
	}
	return WIFSIGNALED(status) ? EXIT_ENVIRONMENT : WEXITSTATUS(status);
}

/**
 * sandbox_main() - Run a command in namespaces of its own
 * @argc: number of words
 * @argv: DIRECTORY COMMAND [ARGUMENT]...: a tmpfs is mounted at DIRECTORY, for
 *	this command alone
 *
 * Return: the command's status, EXIT_ENVIRONMENT when it could not be run.
 */
int sandbox_main(int argc, char **argv)
{
	sigset_t set, old;
	pid_t child;

	if (argc < 3) {
		say("usage: vm-agent sandbox DIRECTORY COMMAND [ARGUMENT]...");
		return 2;
	}
	if (!enter_namespaces())
		return EXIT_ENVIRONMENT;
	block_signals(&set, &old);
	child = fork();
	if (child < 0) {
		say("cannot start a process: %s", strerror(errno));
		return EXIT_ENVIRONMENT;
	}
	if (!child)
		run_child(argv[1], argv + 2, &old);
	return wait_for(child, &set);
}
