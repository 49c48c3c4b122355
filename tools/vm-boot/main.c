// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * First process of a QEMU guest of scripts/zcrx-vm, alone in the initial file
 * system: loads the kernel's modules that it finds listed in /modules, makes the
 * host's file system the root (9P, which QEMU serves under the tag "root"), and
 * becomes the program that ZCRX_INIT names in there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ROOT_OPTIONS	"trans=virtio,version=9p2000.L,msize=512000,cache=loose"

/* The device of a module that was loaded just now may take a moment to appear */
#define ROOT_TRIES	200
#define ROOT_WAIT_US	10000

/* Without a first process the kernel panics, and with that the guest ends */
static _Noreturn void die(const char *fmt, ...)
{
	va_list ap;

	/* the host looks for this prefix */
	fputs("zcrx-vm-init: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static void load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	if (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST)
		die("module %s: %s", path, strerror(errno));
	close(fd);
}

/* One path a line, in the order in which they need each other; there may be none */
static void load_all(const char *list)
{
	FILE *f = fopen(list, "re");
	char line[512];

	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (*line)
			load(line);
	}
	if (f)
		fclose(f);
}

static void enter_root(void)
{
	int tries = 0;

	mkdir("/root", 0755);
	while (mount("root", "/root", "9p", MS_RDONLY | MS_NOSUID, ROOT_OPTIONS)) {
		if (errno != ENOENT || ++tries == ROOT_TRIES)
			die("the host's file system: %s", strerror(errno));
		usleep(ROOT_WAIT_US);
	}
	if (chdir("/root") || mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/"))
		die("changing to the host's file system: %s", strerror(errno));
}

int main(void)
{
	const char *init = getenv("ZCRX_INIT");

	if (getpid() != 1) {
		fputs("vm-boot is the first process of a guest of scripts/zcrx-vm\n", stderr);
		return 2;
	}
	if (!init)
		die("ZCRX_INIT is missing on the kernel's command line");
	load_all("/modules");
	enter_root();
	execl(init, init, (char *)NULL);
	die("%s: %s", init, strerror(errno));
}
