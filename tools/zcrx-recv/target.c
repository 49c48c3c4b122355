// SPDX-License-Identifier: GPL-2.0-or-later
#include "target.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SUFFIX	".part"

static int set_names(struct target *t, char *final)
{
	t->final = final;
	if (!final || asprintf(&t->part, "%s" SUFFIX, final) < 0) {
		t->part = NULL;
		target_free(t);
		return -ENOMEM;
	}
	return 0;
}

/* Standard output, devices, pipes: nothing to rename */
static int set_name(struct target *t, const char *path)
{
	t->part = strdup(path);
	return t->part ? 0 : -ENOMEM;
}

/**
 * target_file() - names of a file that the user named
 * @t: the names
 * @path: the file, "-" for standard output
 *
 * Of a file that is there already, the one that a symbolic link leads to is meant; and one
 * that may not be written is not replaced either.
 *
 * Return: 0, -EISDIR, -EACCES or another -errno.
 */
int target_file(struct target *t, const char *path)
{
	struct stat st;

	*t = (struct target){ 0 };
	if (!strcmp(path, "-"))
		return set_name(t, path);
	if (stat(path, &st))
		return errno == ENOENT ? set_names(t, strdup(path)) : -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return set_name(t, path);
	if (access(path, W_OK))
		return -errno;
	if (!lstat(path, &st) && S_ISLNK(st.st_mode))
		return set_names(t, realpath(path, NULL));
	return set_names(t, strdup(path));
}

/**
 * target_in_directory() - names of a connection's file
 * @t: the names
 * @dir: the directory
 * @stamp: of target_stamp(), the same for all files of a run
 * @id: number of the connection
 *
 * By name they are in the order of the runs, and of the connections in each.
 *
 * Return: 0, -ENOMEM.
 */
int target_in_directory(struct target *t, const char *dir, const char *stamp, uint64_t id)
{
	size_t len = strlen(dir);
	const char *slash = len && dir[len - 1] == '/' ? "" : "/";
	char *final;

	*t = (struct target){ 0 };
	if (asprintf(&final, "%s%s%s-%08" PRIu64, dir, slash, stamp, id) < 0)
		final = NULL;
	return set_names(t, final);
}

/**
 * target_check_directory() - can files be made there?
 * @dir: the directory
 *
 * Return: 0, -ENOENT, -ENOTDIR, -EACCES, -EROFS or another -errno.
 */
int target_check_directory(const char *dir)
{
	struct stat st;

	if (stat(dir, &st))
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	return access(dir, W_OK | X_OK) ? -errno : 0;
}

/**
 * target_stamp() - the time for names
 * @stamp: TARGET_STAMP bytes: UTC, with microseconds so that no two runs share it
 */
void target_stamp(char *stamp)
{
	struct timespec now;
	struct tm tm;
	size_t used;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	used = strftime(stamp, TARGET_STAMP, "%Y%m%dT%H%M%S", &tm);
	snprintf(stamp + used, TARGET_STAMP - used, ".%06luZ", (unsigned long)now.tv_nsec / 1000);
}

/**
 * target_free() - forget the names
 * @t: the names
 */
void target_free(struct target *t)
{
	free(t->part);
	free(t->final);
	*t = (struct target){ 0 };
}
