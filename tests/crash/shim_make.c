/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Makes the switchboard file of the preload shim, with its robust mutex:
 * shim_make PATH.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shim.h"

int
main(int argc, char **argv)
{
	pthread_mutexattr_t attr;
	struct shim *s;
	int fd;

	if (argc != 2) {
		fprintf(stderr, "usage: shim_make PATH\n");
		return 64;
	}
	fd = open(argv[1], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, sizeof(*s)) < 0) {
		perror(argv[1]);
		return 73;
	}
	s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (s == MAP_FAILED) {
		perror("mmap");
		return 71;
	}
	if (pthread_mutexattr_init(&attr) != 0 ||
	    pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED) != 0 ||
	    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST) != 0 ||
	    pthread_mutex_init(&s->lock, &attr) != 0) {
		fprintf(stderr, "shim_make: cannot make the mutex\n");
		return 71;
	}
	s->space = -1;
	s->magic = SHIM_MAGIC;
	return 0;
}
