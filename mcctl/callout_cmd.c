/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl callout: what control knows of recipients by callouts.
 */
#include <stdio.h>
#include <sysexits.h>

#include "asking.h"
#include "command.h"

static int
print_row(void *arg, const struct value *values, size_t count,
	  struct span encoded)
{
	struct ctx *c = arg;
	struct record r = { .count = count };

	(void)values;
	(void)buf_add_span(&r.b, encoded);
	out_row(&c->out, &r);
	record_release(&r);
	return ferror(stdout);
}

static int
ask(struct ctx *c, const char *command)
{
	struct asking_sink sink = { .row = print_row, .arg = c };
	struct err e = { "" };
	int code = EX_OK;
	struct asking *a = asking_open(&c->conf, &code, &e);

	if (a != NULL) {
		code = asking_run(a, command,
				  c->arg_count > 0 ? c->args[0] : "", &sink,
				  &e);
		asking_close(a);
	}
	return code == EX_OK ? EX_OK : complain(c, code, "%s", e.text);
}

int
cmd_callout_list(struct ctx *c)
{
	return ask(c, "callout-list");
}

int
cmd_callout_flush(struct ctx *c)
{
	int code = ask(c, "callout-flush");

	if (code == EX_OK)
		out_done(&c->out);
	return code;
}
