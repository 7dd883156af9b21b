/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Counters as lines "name=value", so that totals outlive the mapping and
 * a change of its layout.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "buf.h"
#include "file.h"
#include "stats.h"
#include "stats_layout.h"
#include "str.h"

#define SAVED_MAX 65536 /* bytes */

int
stats_save(const struct stats *s, const char *path, struct err *e)
{
	struct buf b = { .limit = SAVED_MAX };
	int i, result = 0;

	for (i = 0; i < STAT_COUNT && result == 0; i++) {
		if (!stats_is_counter((enum stat_id)i))
			continue;
		result =
			buf_printf(&b, "%s=%lld\n", stats_name((enum stat_id)i),
				   (long long)stats_get(s, (enum stat_id)i));
	}
	if (result != 0)
		err_set(e, "%s: too large", path);
	else
		result = file_replace(path, b.data, b.len, 0640, e);
	buf_release(&b);
	return result;
}

static int
load_line(struct stats *s, char *line)
{
	char *value = strchr(line, '=');
	int64_t n;
	int i;

	if (value == NULL)
		return -1;
	*value++ = '\0';
	if (str_to_i64(value, &n, NULL) != 0 || n < 0)
		return -1;
	for (i = 0; i < STAT_COUNT; i++) {
		if (stats_is_counter((enum stat_id)i) &&
		    str_eq(line, stats_name((enum stat_id)i)))
			stats_carry(s, (enum stat_id)i, n);
	}
	return 0;
}

int
stats_load(struct stats *s, const char *path, struct err *e)
{
	struct buf b = { .limit = 0 };
	unsigned number = 0, bad = 0;
	char *line, *end;
	int fd;

	fd = file_open(AT_FDCWD, path, O_RDONLY, 0);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return err_sys(e, "%s", path);
	if (file_read_fd(fd, &b, SAVED_MAX, e) != 0) {
		file_shut(&fd);
		buf_release(&b);
		return err_prefix(e, "%s", path);
	}
	file_shut(&fd);
	for (line = b.data; line != NULL && *line != '\0'; line = end) {
		number++;
		end = strchr(line, '\n');
		if (end != NULL)
			*end++ = '\0';
		if (load_line(s, line) != 0 && bad == 0)
			bad = number;
	}
	buf_release(&b);
	if (bad != 0)
		return err_set(e, "%s:%u: expected name=number", path, bad);
	return 0;
}
