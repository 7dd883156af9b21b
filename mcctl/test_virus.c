/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl test virus: the scanning libraries are mcd-filter's, which judges a
 * file on its standard input and says the verdict first.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "command.h"
#include "other.h"
#include "str.h"

int
cmd_test_virus(struct ctx *c)
{
	char path[4096];
	const char *dir;
	int fd, rc = other_find(c, "mcd-filter", path, sizeof(path));

	if (rc != EX_OK)
		return rc;
	dir = c->conf.clamav_dir != NULL ? c->conf.clamav_dir : "";
	if (!str_eq(c->args[0], "-")) {
		fd = open(c->args[0], O_RDONLY | O_CLOEXEC);
		if (fd < 0 || dup2(fd, STDIN_FILENO) < 0)
			return complain(c, EX_NOINPUT, "%s: %s", c->args[0],
					strerror(errno));
	}
	(void)execl(path, "mcd-filter", "-t", dir,
		    c->out.json ? "json" : "text", (char *)NULL);
	return complain(c, EX_UNAVAILABLE, "%s: %s", path, strerror(errno));
}
