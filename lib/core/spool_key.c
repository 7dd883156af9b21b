/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Two numbers of 16 hexadecimal digits, one a line.
 */
#include "spool_key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "str.h"

#define FORMAT "%016llx\n%016llx\n"

void
spool_key_text(const struct trailer_key *key, char dst[SPOOL_KEY_SIZE + 1])
{
	(void)str_fmt(dst, SPOOL_KEY_SIZE + 1, FORMAT,
		      (unsigned long long)key->word[0],
		      (unsigned long long)key->word[1]);
}

static int
parse(struct span text, struct trailer_key *key, struct err *e)
{
	char copy[SPOOL_KEY_SIZE + 1] = "", again[SPOOL_KEY_SIZE + 1] = "";

	if (text.len == SPOOL_KEY_SIZE) {
		memcpy(copy, text.p, SPOOL_KEY_SIZE);
		key->word[0] = strtoull(copy, NULL, 16);
		key->word[1] = strtoull(copy + SPOOL_KEY_SIZE / 2, NULL, 16);
		spool_key_text(key, again);
	}
	if (text.len == SPOOL_KEY_SIZE && str_eq(copy, again))
		return 0;
	return err_set(e, "key: damaged; remove it, and what a crash has left "
			  "half done is parked, not lost");
}

int
spool_key_read(int spool_fd, struct trailer_key *key, struct err *e)
{
	struct buf text = { .limit = 0 };
	int fd = file_open(spool_fd, "key", O_RDONLY | O_NOFOLLOW, 0);
	int result;

	if (fd < 0)
		return errno == ENOENT ? 1 : err_sys(e, "key");
	result = file_read_fd(fd, &text, SPOOL_KEY_SIZE, e);
	if (result == 0)
		result = parse(buf_span(&text), key, e);
	else
		err_prefix(e, "key");
	file_shut(&fd);
	buf_release(&text);
	return result;
}
