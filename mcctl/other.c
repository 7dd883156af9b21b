/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "other.h"

#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "config.h"
#include "str.h"

static bool
beside_mcctl(const char *program, char *path, size_t size)
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
	return str_fmt(path, size, "%s/libexec/mcgate/%s", self, program) &&
	       access(path, X_OK) == 0;
}

static bool
wants_conf(const struct ctx *c)
{
	if (c->command->is_net && c->command->need == NEED_NOTHING)
		return false;
	return c->conf_path != conf_default_path ||
	       access(c->conf_path, F_OK) == 0;
}

int
other_find(struct ctx *c, const char *program, char *path, size_t size)
{
	const char *dir = MCGATE_LIBEXECDIR;
	struct err e;

	if (!wants_conf(c) && beside_mcctl(program, path, size))
		return EX_OK;
	if (wants_conf(c)) {
		if (conf_read(c->conf_path, &c->conf, &e) < 0)
			return complain(c, EX_CONFIG, "%s", e.text);
		dir = c->conf.libexec_dir;
	}
	if (!str_fmt(path, size, "%s/%s", dir, program))
		return complain(c, EX_CONFIG, "paths.libexec: too long");
	return EX_OK;
}
