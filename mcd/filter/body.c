/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Reads with pread(2): the descriptor's offset may be shared, and a
 * mapping of a file on a failing disk would be a signal, not an error.
 */
#include "body.h"

#include <errno.h>
#include <unistd.h>

static int
wrong_size(uint64_t got, uint64_t size, struct err *e)
{
	return err_set(e, "message has %s%llu bytes instead of %llu",
		       got > size ? "at least " : "", (unsigned long long)got,
		       (unsigned long long)size);
}

int
body_walk(int fd, uint64_t size, body_fn *fn, void *arg, struct err *e)
{
	static char block[BODY_BLOCK];
	uint64_t at = 0;
	ssize_t n;

	for (;;) {
		n = pread(fd, block, sizeof(block), (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "message cannot be read");
		if (n == 0)
			break;
		if ((uint64_t)n > size - at)
			return wrong_size(at + (uint64_t)n, size, e);
		if (fn(arg, at, (struct span){ block, (size_t)n }, e) != 0)
			return -1;
		at += (uint64_t)n;
	}
	return at == size ? 0 : wrong_size(at, size, e);
}
