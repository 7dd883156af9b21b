/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * In mcctl alone: what stands for the commands that are mcctl-net's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "command.h"
#include "other.h"
#include "xalloc.h"

bool
other_is_this(void)
{
	return false;
}

/* Returns only where it cannot be: the exit code. */
static int
become_net(struct ctx *c)
{
	static char name[] = "mcctl";
	char path[4096];
	int code = other_find(c, "mcctl-net", path, sizeof(path));
	size_t n = 0;
	char **argv;

	if (code != EX_OK)
		return code;
	while (c->words[n] != NULL)
		n++;
	argv = xcalloc(n + 2, sizeof(*argv));
	argv[0] = name;
	memcpy(argv + 1, c->words, n * sizeof(*argv));
	(void)execv(path, argv);
	free(argv);
	return complain(c, EX_UNAVAILABLE, "%s: %s", path, strerror(errno));
}

#define COMMAND(f, v, syn, opts, min, max, need, fn, help)
#define COMMAND_NET(f, v, syn, opts, min, max, need, fn, help) \
	int fn(struct ctx *c)                                  \
	{                                                      \
		return become_net(c);                          \
	}
#include "commands.def"
