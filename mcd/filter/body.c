/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Reads with pread(2): the descriptor's offset may be shared, and a
 * mapping of a file on a failing disk would be a signal, not an error.
 */
#include "body.h"

#include <errno.h>
#include <unistd.h>

int
body_walk(int fd, uint64_t size, body_fn *fn, void *arg, struct err *e)
{
	static char block[BODY_BLOCK];
	uint64_t at = 0;
	size_t want;
	ssize_t n;

	while (at < size) {
		want = size - at < sizeof(block) ? (size_t)(size - at)
						 : sizeof(block);
		n = pread(fd, block, want, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "message cannot be read");
		if (n == 0)
			return err_set(e,
				       "message has %llu bytes instead of "
				       "%llu",
				       (unsigned long long)at,
				       (unsigned long long)size);
		if (fn(arg, at, (struct span){ block, (size_t)n }, e) != 0)
			return -1;
		at += (uint64_t)n;
	}
	return 0;
}
