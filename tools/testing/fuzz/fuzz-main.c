// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs a fuzz target on files, for compilers without libFuzzer:
 *
 *	FUZZ_TARGET=hwrm fuzz FILE|DIRECTORY...
 *
 * Ends with the number of inputs; a target that finds something dies before.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

#define INPUT_MAX (1u << 20)

static bool run_file(const char *path)
{
	FILE *f = fopen(path, "re");
	uint8_t *all, *data;
	size_t n;

	if (!f) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return false;
	}
	all = malloc(INPUT_MAX);
	n = fread(all, 1, INPUT_MAX, f);
	fclose(f);
	/* of its very size, so that a sanitizer sees reads behind the end */
	data = malloc(n ? n : 1);
	memcpy(data, all, n);
	free(all);
	/* unbuffered: whoever dies is the one that was named last */
	fprintf(stderr, "%s\n", path);
	LLVMFuzzerTestOneInput(data, n);
	free(data);
	return true;
}

static int visible(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

static bool run_path(const char *path, unsigned int *count)
{
	struct dirent **list;
	struct stat st;
	bool good = true;
	int n;

	if (stat(path, &st) || !S_ISDIR(st.st_mode)) {
		++*count;
		return run_file(path);
	}
	n = scandir(path, &list, visible, alphasort);
	if (n < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return false;
	}
	for (int i = 0; i < n; i++) {
		char name[4096];

		snprintf(name, sizeof(name), "%s/%s", path, list[i]->d_name);
		good &= run_path(name, count);
		free(list[i]);
	}
	free(list);
	return good;
}

int main(int argc, char **argv)
{
	unsigned int count = 0;
	bool good = true;

	if (argc < 2) {
		fprintf(stderr, "usage: %s FILE|DIRECTORY...\n", argv[0]);
		return 2;
	}
	for (int i = 1; i < argc; i++)
		good &= run_path(argv[i], &count);
	printf("%u inputs\n", count);
	return good ? 0 : 1;
}
