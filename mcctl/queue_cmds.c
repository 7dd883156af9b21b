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
#include "choice.h"
#include "command.h"
#include "offline.h"
#include "present.h"
#include "show.h"
#include "str.h"

#define NOT_RUNNING (-1)
#define ROW_NUMBERS 2

struct rows {
	struct ctx *c;
	struct show show;
	size_t count;
	bool has_answered; /* mcd runs */
	int64_t numbers[ROW_NUMBERS]; /* the members of rows, added up */
};

/* What is done to many messages. */
struct change {
	struct ctx *c;
	struct rows rows;
	int code; /* of the first that failed */
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
ask_rows(struct ctx *c, const char *command, const char *arg, row_fn *row,
	 struct rows *rows)
{
	struct asking_sink sink = { .row = row, .page = end_page, .arg = rows };
	struct err e = { "" };
	int code = EX_OK;
	struct asking *a = asking_open(&c->conf, &code, &e);

	if (a == NULL && code == EX_UNAVAILABLE)
		return NOT_RUNNING;
	if (a == NULL)
		return complain(c, code, "%s", e.text);
	rows->has_answered = true;
	code = asking_run(a, command, arg, &sink, &e);
	asking_close(a);
	if (row == print_message)
		show_end(&rows->show);
	if (code != EX_OK)
		return complain(c, code, "%s", e.text);
	return EX_OK;
}

static int
ask(struct ctx *c, const char *command, const char *arg, row_fn *row,
    size_t *count)
{
	struct rows rows = { .c = c, .show = { .out = &c->out } };
	int code = ask_rows(c, command, arg, row, &rows);

	if (count != NULL)
		*count = rows.count;
	return code;
}

int
cmd_queue_count(struct ctx *c)
{
	int code = ask(c, "queue-count", "", print_object, NULL);

	return code != NOT_RUNNING ? code : offline_count(c);
}

/* Ids alone are for other programs to read. */
static int
print_id(void *arg, const struct value *values, size_t count,
	 struct span encoded)
{
	struct rows *rows = arg;
	const struct value *id = record_find(values, count, "id");

	if (rows->c->out.json)
		return print_listed(arg, values, count, encoded);
	out_line(&rows->c->out, id != NULL ? id->str : "");
	return ferror(stdout);
}

static int
add_numbers(void *arg, const struct value *values, size_t count,
	    struct span encoded)
{
	struct rows *rows = arg;

	(void)encoded;
	for (size_t i = 0; i < count && i < ROW_NUMBERS; i++)
		rows->numbers[i] += values[i].num;
	return 0;
}

static int
print_shape(void *arg, const struct value *values, size_t count,
	    struct span encoded)
{
	struct rows *rows = arg;
	struct record r = { .count = count };

	(void)values;
	buf_add_span(&r.b, encoded);
	present_shape(&rows->c->out, &r);
	record_release(&r);
	return ferror(stdout);
}

/* Runs a list or shape where mcd is, or without it. */
static int
choose(struct ctx *c, const char *command, row_fn *row, struct rows *rows,
       int (*offline)(struct ctx *c, const char *words))
{
	struct buf words = { .limit = 1000 };
	int code = choice_words(c, &words);

	if (code == EX_OK)
		code = ask_rows(c, command, buf_str(&words), row, rows);
	if (code == NOT_RUNNING)
		code = offline(c, buf_str(&words));
	buf_release(&words);
	return code;
}

int
cmd_queue_list(struct ctx *c)
{
	bool is_count = option_is_given(c, "count");
	struct rows rows = { .c = c };
	row_fn *row = is_count			  ? add_numbers
		      : option_is_given(c, "ids") ? print_id
						  : print_listed;
	int code;

	code = choose(c, "queue-list", row, &rows, offline_list);
	if (code == EX_OK && is_count && rows.has_answered)
		present_matches(&c->out, rows.numbers[0], rows.numbers[1]);
	return code;
}

int
cmd_queue_shape(struct ctx *c)
{
	struct rows rows = { .c = c };

	return choose(c, "queue-shape", print_shape, &rows, offline_shape);
}

int
cmd_queue_show(struct ctx *c)
{
	int code = ask(c, "queue-show", c->args[0], print_message, NULL);

	return code != NOT_RUNNING ? code : offline_show(c, c->args[0]);
}

static int
not_running(struct ctx *c)
{
	return complain(c, EX_TEMPFAIL,
			"mcd is not running: start it, then repeat queue %s",
			c->command->verb);
}

/* A batch of ids; the first failure is the exit code, but all are tried. */
static int
change_batch(struct change *ch, const char *names)
{
	char command[32];
	int code;

	str_fmt(command, sizeof(command), "queue-%s", ch->c->command->verb);
	code = ask_rows(ch->c, command, names, add_numbers, &ch->rows);
	if (code == NOT_RUNNING)
		return not_running(ch->c);
	if (ch->code == EX_OK)
		ch->code = code;
	return EX_OK;
}

/* Ids of standard input with "-", else of the arguments. */
static int
change_many(struct ctx *c)
{
	struct change ch = { .c = c, .rows = { .c = c } };
	struct ids ids = { .args = c->args, .count = c->arg_count };
	char names[IDS_BATCH_SIZE];
	int code = EX_OK;
	struct err e;
	int got;

	ids.in = str_eq(c->args[0], "-") ? stdin : NULL;
	while (code == EX_OK && (got = choice_next(&ids, names, &e)) != 0)
		code = got < 0 ? complain(c, EX_DATAERR, "%s", e.text)
			       : change_batch(&ch, names);
	present_changed(&c->out, ch.rows.numbers[0], ch.rows.numbers[1]);
	return code != EX_OK ? code : ch.code;
}

int
cmd_queue_change(struct ctx *c)
{
	char command[32];
	size_t count = 0;
	int code;

	if (c->arg_count > 1 || str_eq(c->args[0], "-"))
		return change_many(c);
	str_fmt(command, sizeof(command), "queue-%s", c->command->verb);
	code = ask(c, command, c->args[0], print_object, &count);
	if (code == NOT_RUNNING)
		return not_running(c);
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
