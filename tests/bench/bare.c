/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The bare pattern that commits are measured against: each thread writes
 * a file, fdatasyncs it, renames it and fsyncs its folder.  The files stay:
 * on a disk mounted with discard unlinking them would slow what follows.
 * bare DIR THREADS SECONDS SIZE prints files a second.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "file.h"
#include "str.h"
#include "xalloc.h"

#define FOLDERS 64

static char *data;
static uint64_t size;
static const char *dir;
static atomic_long done;
static atomic_int is_over;

static void
die(const char *what)
{
	fprintf(stderr, "bare: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
one_file(int folder, long thread, long n)
{
	char tmp[64];
	char name[64];
	int fd;

	str_fmt(tmp, sizeof(tmp), ".%ld.%ld.tmp", thread, n);
	str_fmt(name, sizeof(name), "%ld.%ld", thread, n);
	fd = file_open(folder, tmp, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd < 0 || file_write_all(fd, data, size) < 0 || fdatasync(fd) < 0 ||
	    close(fd) < 0 || renameat(folder, tmp, folder, name) < 0 ||
	    fsync(folder) < 0)
		die(name);
	atomic_fetch_add(&done, 1);
}

static void *
work(void *arg)
{
	long thread = (long)(intptr_t)arg;
	int folders[FOLDERS];

	for (int i = 0; i < FOLDERS; i++) {
		char path[1024];

		str_fmt(path, sizeof(path), "%s/%02x", dir, i);
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			die(path);
		folders[i] =
			file_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
		if (folders[i] < 0)
			die(path);
	}
	for (long n = 0; !atomic_load(&is_over); n++)
		one_file(folders[(n * 7 + thread) % FOLDERS], thread, n);
	return NULL;
}

int
main(int argc, char **argv)
{
	uint64_t threads, seconds;
	pthread_t *t;
	int64_t began;

	if (argc != 5 || str_to_u64(argv[2], &threads, NULL) < 0 ||
	    str_to_u64(argv[3], &seconds, NULL) < 0 ||
	    str_to_u64(argv[4], &size, NULL) < 0 || threads > 1024) {
		fprintf(stderr, "usage: bare DIR THREADS SECONDS SIZE\n");
		return 64;
	}
	dir = argv[1];
	data = xcalloc(1, size);
	memset(data, 'x', size);
	t = xcalloc(threads, sizeof(*t));
	began = clock_mono_us();
	for (uint64_t i = 0; i < threads; i++)
		if (pthread_create(&t[i], NULL, work, (void *)(intptr_t)i))
			die("pthread_create");
	usleep((useconds_t)(seconds * 1000000));
	atomic_store(&is_over, 1);
	for (uint64_t i = 0; i < threads; i++)
		pthread_join(t[i], NULL);
	printf("%.1f\n", (double)atomic_load(&done) * 1e6 /
				 (double)(clock_mono_us() - began));
	return 0;
}
