/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 * A main() for fuzzers without libFuzzer: gives every file of a kept corpus
 * to the entry, in any build and by any compiler. Prints TAP, one test for
 * each file or folder named; a crash or a sanitizer's abort ends it early,
 * after the name of the input was printed.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_SIZE 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

static int
replay_file(const char *path)
{
	struct stat st;
	uint8_t *data;
	size_t got;
	FILE *f = fopen(path, "rb");

	if (!f || fstat(fileno(f), &st) != 0) {
		printf("# %s: %s\n", path, strerror(errno));
		if (f)
			fclose(f);
		return -1;
	}
	/* Just as large as the input, so that ASan sees a read beyond. */
	data = malloc(st.st_size ? (size_t)st.st_size : 1);
	if (!data)
		abort();
	got = fread(data, 1, (size_t)st.st_size, f);
	fclose(f);
	LLVMFuzzerTestOneInput(data, got);
	free(data);
	return 0;
}

/* Returns how many inputs were replayed, or -1; none at all is an error. */
static int
replay(const char *path)
{
	char name[PATH_SIZE];
	struct dirent *e;
	struct stat st;
	DIR *dir;
	int n = 0;

	if (stat(path, &st) != 0)
		return -1;
	if (!S_ISDIR(st.st_mode)) {
		printf("# %s\n", path);
		fflush(stdout);
		return replay_file(path) == 0 ? 1 : -1;
	}
	dir = opendir(path);
	while (dir && n >= 0 && (e = readdir(dir)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
		printf("# %s\n", name);
		fflush(stdout);
		n = replay_file(name) == 0 ? n + 1 : -1;
	}
	if (!dir)
		return -1;
	closedir(dir);
	return n > 0 ? n : -1;
}

int
main(int argc, char **argv)
{
	int i, n, failed = 0;

	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &argv);
	for (i = 1; i < argc; i++) {
		n = replay(argv[i]);
		failed += n < 0;
		if (n < 0)
			printf("not ok %d - no inputs in %s\n", i, argv[i]);
		else
			printf("ok %d - %d inputs of %s\n", i, n, argv[i]);
	}
	printf("1..%d\n", argc - 1);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
