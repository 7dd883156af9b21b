/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl callout, greylist, dest: what mcd has seen and remembers.
 */
#include <stdio.h>
#include <sysexits.h>

#include "asking.h"
#include "command.h"

/* The rows of a flush are numbers, a part each. */
static int
add_row(void *arg, const struct value *values, size_t count,
	struct span encoded)
{
	const struct value *v = record_find(values, count, "forgotten");
	int64_t *sum = arg;

	(void)encoded;
	if (v != NULL)
		*sum += v->num;
	return 0;
}

static int
ask(struct ctx *c, const char *command, const struct asking_sink *sink)
{
	struct err e = { "" };
	int code = EX_OK;
	struct asking *a = asking_open(&c->conf, &code, &e);

	if (a != NULL) {
		code = asking_run(a, command,
				  c->arg_count > 0 ? c->args[0] : "", sink, &e);
		asking_close(a);
	}
	return code == EX_OK ? EX_OK : complain(c, code, "%s", e.text);
}

static int
list(struct ctx *c, const char *command)
{
	struct asking_sink sink = { .row = out_encoded, .arg = &c->out };

	return ask(c, command, &sink);
}

static int
flush(struct ctx *c, const char *command)
{
	int64_t forgotten = 0;
	struct asking_sink sink = { .row = add_row, .arg = &forgotten };
	int code = ask(c, command, &sink);
	struct record r = { 0 };

	if (code != EX_OK)
		return code;
	record_int(&r, "forgotten", forgotten);
	out_row(&c->out, &r);
	record_release(&r);
	return EX_OK;
}

int
cmd_callout_list(struct ctx *c)
{
	return list(c, "callout-list");
}

int
cmd_callout_flush(struct ctx *c)
{
	return flush(c, "callout-flush");
}

int
cmd_greylist_list(struct ctx *c)
{
	return list(c, "greylist-list");
}

int
cmd_greylist_flush(struct ctx *c)
{
	return flush(c, "greylist-flush");
}

int
cmd_dest_list(struct ctx *c)
{
	return list(c, "dest-list");
}

int
cmd_dest_flush(struct ctx *c)
{
	return flush(c, "dest-flush");
}
