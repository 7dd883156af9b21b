/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What tests/crash/selftest runs under the shim: makes, writes, syncs,
 * renames and unlinks a file of a spool, and says how each went.  usage:
 * shim_steps SPOOL -x ROLE
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static void
say(long result)
{
	if (result < 0)
		printf("errno %d\n", errno);
	else
		printf("ok %ld\n", result);
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	int fd;

	if (argc < 2 || chdir(argv[1]) < 0)
		return 64;
	fd = open("in/.a.tmp", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	say(fd < 0 ? -1 : 0);
	say(write(fd, "0123456789", 10));
	say(write(fd, "0123456789", 10));
	say(fdatasync(fd));
	say(rename("in/.a.tmp", "in/a"));
	say(unlink("in/a"));
	return 0;
}
