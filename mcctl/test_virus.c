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
#include "str.h"

/* mcd-filter of the tree that mcctl lies in, built or installed. */
static bool
beside_mcctl(char *path, size_t size)
{
	char self[4000];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	int cut;

	if (n <= 0)
		return false;
	self[n] = '\0';
	for (cut = 0; cut < 2; cut++) {
		char *slash = strrchr(self, '/');

		if (slash == NULL)
			return false;
		*slash = '\0';
	}
	return str_fmt(path, size, "%s/libexec/mcgate/mcd-filter", self) &&
	       access(path, X_OK) == 0;
}

/* The conf, where there is one; without, any tree can be tried. */
static int
find(struct ctx *c, char *path, size_t size, const char **dir)
{
	struct err e;

	*dir = "";
	if (c->conf_path == conf_default_path &&
	    access(c->conf_path, F_OK) != 0 && beside_mcctl(path, size))
		return EX_OK;
	if (conf_read(c->conf_path, &c->conf, &e) < 0)
		return complain(c, EX_CONFIG, "%s", e.text);
	*dir = c->conf.clamav_dir;
	if (!str_fmt(path, size, "%s/mcd-filter", c->conf.libexec_dir))
		return complain(c, EX_CONFIG, "paths.libexec: too long");
	return EX_OK;
}

int
cmd_test_virus(struct ctx *c)
{
	const char *dir;
	char path[4096];
	int fd, rc = find(c, path, sizeof(path), &dir);

	if (rc != EX_OK)
		return rc;
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
