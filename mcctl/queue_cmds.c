/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl queue: asks a running mcd, or reads the spool while it is down.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "asking.h"
#include "command.h"
#include "file.h"
#include "offline.h"
#include "str.h"

struct rows {
	struct ctx *c;
	size_t count;
	bool is_object;
};

static int
print_row(void *arg, const struct value *values, size_t count,
	  struct span encoded)
{
	struct rows *rows = arg;
	struct record r = { .count = count };

	(void)values;
	buf_add_span(&r.b, encoded);
	if (rows->is_object)
		out_object(&rows->c->out, &r);
	else
		out_row(&rows->c->out, &r);
	rows->count++;
	record_release(&r);
	return ferror(stdout);
}

/* Asks mcd; -1 when it is not running. */
static int
ask(struct ctx *c, const char *command, const char *arg, bool is_object)
{
	struct rows rows = { .c = c, .is_object = is_object };
	struct err e = { "" };
	struct asking *a = asking_open(&c->conf, &e);
	int code;

	if (a == NULL)
		return -1;
	code = asking_run(a, command, arg, print_row, &rows, &e);
	asking_close(a);
	if (code != EX_OK)
		return complain(c, code, "%s", e.text);
	return EX_OK;
}

int
cmd_queue_count(struct ctx *c)
{
	int code = ask(c, "queue-count", "", true);

	return code >= 0 ? code : offline_count(c);
}

int
cmd_queue_list(struct ctx *c)
{
	char arg[1024] = "";
	size_t at = 0;
	int code;

	for (int i = 0; i < c->arg_count; i++) {
		size_t len = strlen(c->args[i]);

		if (at + len + 2 > sizeof(arg))
			return complain(c, EX_USAGE, "too many words");
		if (at > 0)
			arg[at++] = ' ';
		memcpy(arg + at, c->args[i], len + 1);
		at += len;
	}
	code = ask(c, "queue-list", arg, false);
	if (code >= 0)
		return code;
	if (c->arg_count > 0)
		return complain(c, EX_TEMPFAIL,
				"mcd is not running: the "
				"whole list is all there is");
	return offline_list(c);
}

int
cmd_queue_show(struct ctx *c)
{
	int code = ask(c, "queue-show", c->args[0], true);

	return code >= 0 ? code : offline_show(c, c->args[0]);
}

int
cmd_queue_change(struct ctx *c)
{
	char command[32];
	int code;

	str_fmt(command, sizeof(command), "queue-%s", c->command->verb);
	code = ask(c, command, c->args[0], false);
	if (code >= 0)
		return code;
	return complain(c, EX_TEMPFAIL,
			"mcd is not running: start it, then "
			"queue %s works",
			c->command->verb);
}

int
cmd_reload(struct ctx *c)
{
	int code = ask(c, "reload", "", false);

	return code >= 0 ? code
			 : complain(c, EX_UNAVAILABLE, "mcd is not running");
}

int
cmd_trace(struct ctx *c)
{
	int code = ask(c, "history-trace", c->args[0], false);

	return code >= 0 ? code : offline_trace(c, c->args[0]);
}
