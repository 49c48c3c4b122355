/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of what is written. A file is called NAME.part until it is complete, so that
 * what was cut short is never taken for the whole.
 */
#ifndef TARGET_H
#define TARGET_H

#include <stdint.h>

/**
 * struct target - a file and its names
 * @part: where to write
 * @final: what to call it when it is complete, NULL when it has one name only
 */
struct target {
	char *part;
	char *final;
};

/* Room for the time in a name, "20260131T235959.123456Z" */
#define TARGET_STAMP	32

int target_file(struct target *t, const char *path);
int target_in_directory(struct target *t, const char *dir, const char *stamp, uint64_t id);
int target_check_directory(const char *dir);
void target_stamp(char *stamp);
void target_free(struct target *t);

#endif
