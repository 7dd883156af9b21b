/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl queue, trace, reload: ask a running mcd; what can be read without
 * it is read from the spool while it is down.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "asking.h"
#include "command.h"
#include "offline.h"
#include "present.h"
#include "show.h"
#include "str.h"

#define NOT_RUNNING (-1)

struct rows {
	struct ctx *c;
	struct show show;
	size_t count;
};

typedef int row_fn(void *arg, const struct value *values, size_t count,
		   struct span encoded);

static int
print_listed(void *arg, const struct value *values, size_t count,
	     struct span encoded)
{
	struct rows *rows = arg;
	struct record r = { .count = count };

	(void)values;
	buf_add_span(&r.b, encoded);
	present_message(&rows->c->out, &r);
	record_release(&r);
	return ferror(stdout);
}

static int
print_event(void *arg, const struct value *values, size_t count,
	    struct span encoded)
{
	struct rows *rows = arg;
	struct record r = { .count = count };

	(void)values;
	buf_add_span(&r.b, encoded);
	present_event(&rows->c->out, &r);
	record_release(&r);
	return ferror(stdout);
}

static int
print_object(void *arg, const struct value *values, size_t count,
	     struct span encoded)
{
	struct rows *rows = arg;
	struct record r = { .count = count };

	(void)values;
	buf_add_span(&r.b, encoded);
	out_object(&rows->c->out, &r);
	rows->count++;
	record_release(&r);
	return ferror(stdout);
}

/* A message begins with its id, a recipient with its address. */
static int
print_message(void *arg, const struct value *values, size_t count,
	      struct span encoded)
{
	struct rows *rows = arg;
	struct record r = { .count = count };

	buf_add_span(&r.b, encoded);
	if (count > 0 && str_eq(values[0].name, "id"))
		show_message(&rows->show, &r);
	else
		show_rcpt(&rows->show, &r);
	rows->count++;
	record_release(&r);
	return ferror(stdout);
}

/* The first page is to be seen while the next is asked for. */
static void
end_page(void *arg)
{
	struct rows *rows = arg;

	out_flush(&rows->c->out);
	(void)fflush(stdout);
}

/* Asks mcd: an exit code, or NOT_RUNNING with nothing said. */
static int
ask(struct ctx *c, const char *command, const char *arg, row_fn *row,
    size_t *count)
{
	struct rows rows = { .c = c, .show = { .out = &c->out } };
	struct asking_sink sink = { .row = row,
				    .page = end_page,
				    .arg = &rows };
	struct err e = { "" };
	int code = EX_OK;
	struct asking *a = asking_open(&c->conf, &code, &e);

	if (a == NULL && code == EX_UNAVAILABLE)
		return NOT_RUNNING;
	if (a == NULL)
		return complain(c, code, "%s", e.text);
	code = asking_run(a, command, arg, &sink, &e);
	asking_close(a);
	if (row == print_message)
		show_end(&rows.show);
	if (count != NULL)
		*count = rows.count;
	if (code != EX_OK)
		return complain(c, code, "%s", e.text);
	return EX_OK;
}

int
cmd_queue_count(struct ctx *c)
{
	int code = ask(c, "queue-count", "", print_object, NULL);

	return code != NOT_RUNNING ? code : offline_count(c);
}

int
cmd_queue_list(struct ctx *c)
{
	struct buf arg = { .limit = 1000 };
	int code = EX_OK;

	for (int i = 0; i < c->arg_count && code == EX_OK; i++)
		if (buf_printf(&arg, "%s%s", i > 0 ? " " : "", c->args[i]) < 0)
			code = complain(c, EX_USAGE,
					"filter: longer than 1000 bytes");
	if (code == EX_OK)
		code = ask(c, "queue-list", buf_str(&arg), print_listed, NULL);
	buf_release(&arg);
	return code != NOT_RUNNING ? code : offline_list(c);
}

int
cmd_queue_show(struct ctx *c)
{
	int code = ask(c, "queue-show", c->args[0], print_message, NULL);

	return code != NOT_RUNNING ? code : offline_show(c, c->args[0]);
}

int
cmd_queue_change(struct ctx *c)
{
	char command[32];
	size_t count = 0;
	int code;

	str_fmt(command, sizeof(command), "queue-%s", c->command->verb);
	code = ask(c, command, c->args[0], print_object, &count);
	if (code == NOT_RUNNING)
		return complain(c, EX_TEMPFAIL,
				"mcd is not running: start it, then repeat "
				"queue %s",
				c->command->verb);
	if (code == EX_OK && count == 0)
		out_done(&c->out);
	return code;
}

int
cmd_reload(struct ctx *c)
{
	int code = ask(c, "reload", "", NULL, NULL);

	if (code == NOT_RUNNING)
		return complain(c, EX_UNAVAILABLE, "mcd is not running");
	if (code == EX_OK)
		out_done(&c->out);
	return code;
}

int
cmd_trace(struct ctx *c)
{
	int code = ask(c, "history-trace", c->args[0], print_event, NULL);

	return code != NOT_RUNNING ? code : offline_trace(c, c->args[0]);
}
