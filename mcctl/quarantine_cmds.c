/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl quarantine: lists, and what is done with what is in them.  Lists
 * come from the index of a running mcd, or from the spool.
 */
#include "held_mail.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "asking.h"
#include "clock.h"
#include "present.h"
#include "str.h"
#include "xalloc.h"

#define NOT_RUNNING (-1)
#define WAIT_MS 30000
#define LOOK_MS 200

struct rows {
	struct ctx *c;
	int64_t limit, count;
	bool is_full;
};

/* Lists. */

static int
print_row(struct rows *rows, const struct record *r)
{
	if (rows->is_full)
		out_object(&rows->c->out, r);
	else
		present_quarantined(&rows->c->out, r);
	rows->count++;
	return ferror(stdout) ||
	       (rows->limit > 0 && rows->count >= rows->limit);
}

static int
print_asked(void *arg, const struct value *values, size_t count,
	    struct span encoded)
{
	struct record r = { .count = count };
	int stop;

	(void)values;
	buf_add_span(&r.b, encoded);
	stop = print_row(arg, &r);
	record_release(&r);
	return stop;
}

static int
print_read(void *arg, const struct quar_row *row)
{
	struct rows *rows = arg;
	struct record r = { 0 };
	int stop;

	if (rows->is_full)
		quar_record_full(&r, row, clock_wall_us());
	else
		quar_record(&r, row, clock_wall_us());
	stop = print_row(rows, &r);
	record_release(&r);
	return stop;
}

static void
end_page(void *arg)
{
	struct rows *rows = arg;

	out_flush(&rows->c->out);
	(void)fflush(stdout);
}

/* Asks mcd: an exit code, or NOT_RUNNING with nothing said. */
static int
ask(struct ctx *c, const char *command, const char *arg,
    const struct asking_sink *sink)
{
	struct err e = { "" };
	int code = EX_OK;
	struct asking *a = asking_open(&c->conf, &code, &e);

	if (a == NULL && code == EX_UNAVAILABLE)
		return NOT_RUNNING;
	if (a == NULL)
		return complain(c, code, "%s", e.text);
	code = asking_run(a, command, arg, sink, &e);
	asking_close(a);
	if (code != EX_OK)
		return complain(c, code, "%s", e.text);
	if (e.text[0] != '\0')
		caution(c, "%s", e.text);
	return EX_OK;
}

static int
limit_of(struct ctx *c, int64_t *limit)
{
	const char *text = option_value(c, "limit");
	struct err e;

	*limit = 0;
	if (text == NULL || (str_to_i64(text, limit, &e) == 0 && *limit > 0))
		return EX_OK;
	return complain(c, EX_USAGE, "--limit %.60s: expected a number above 0",
			text);
}

int
cmd_quarantine_list(struct ctx *c)
{
	struct rows rows = { .c = c };
	struct asking_sink sink = { print_asked, end_page, &rows };
	struct buf words = { .limit = 1000 };
	struct quar_filter filter;
	struct err e;
	int i, code = limit_of(c, &rows.limit);

	for (i = 0; i < c->arg_count && code == EX_OK; i++)
		if (buf_printf(&words, "%s%s", i > 0 ? " " : "", c->args[i]) <
		    0)
			code = complain(c, EX_USAGE,
					"filter: longer than 1000 bytes");
	if (code == EX_OK &&
	    quar_filter_parse(buf_str(&words), &filter, &e) < 0)
		code = complain(c, EX_USAGE, "%s", e.text);
	if (code == EX_OK)
		code = ask(c, "quarantine-list", buf_str(&words), &sink);
	buf_release(&words);
	return code != NOT_RUNNING
		       ? code
		       : held_rows(c, &filter, NULL, print_read, &rows);
}

int
cmd_quarantine_show(struct ctx *c)
{
	struct rows rows = { .c = c, .is_full = true };
	struct asking_sink sink = { print_asked, NULL, &rows };
	int code;

	if (!envelope_name_valid(c->args[0], true))
		return complain(c, EX_DATAERR, "\"%.60s\" is not a queue id",
				c->args[0]);
	code = ask(c, "quarantine-show", c->args[0], &sink);
	if (code == NOT_RUNNING)
		code = held_rows(c, NULL, c->args[0], print_read, &rows);
	if (code == EX_OK && rows.count == 0)
		code = complain(c, EX_DATAERR, "%s: not in quarantine",
				c->args[0]);
	/* The evidence has a form of its own: in JSON it is asked for. */
	if (code == EX_OK && !c->out.json)
		(void)cmd_explain(c);
	return code;
}

/* Release and delete. */

/* One recipient of what was released. */
struct waited {
	char name[ENVELOPE_NAME_SIZE];
	char *rcpt;
	bool is_told;
};

struct release {
	struct ctx *c;
	struct waited *waited;
	size_t count, told;
	int code; /* of the worst outcome */
};

static void
wait_for(struct release *r, const char *name, const char *rcpt, size_t len)
{
	struct waited *w;

	r->waited = xreallocarray(r->waited, r->count + 1, sizeof(*w));
	w = &r->waited[r->count++];
	(void)str_copy(w->name, sizeof(w->name), name);
	w->rcpt = xstrndup(rcpt, len);
	w->is_told = false;
}

static int
take_released(void *arg, const struct value *values, size_t count,
	      struct span encoded)
{
	const struct value *id = record_find(values, count, "id");
	const struct value *rcpt = record_find(values, count, "rcpt");
	const char *p;
	size_t n;

	(void)encoded;
	if (id == NULL || rcpt == NULL || rcpt->type != VALUE_LIST)
		return 0;
	for (p = rcpt->str; *p != '\0'; p += n + (p[n] == '\n')) {
		n = strcspn(p, "\n");
		wait_for(arg, id->str, p, n);
	}
	return 0;
}

static void
print_outcome(struct release *r, struct waited *w, const char *result,
	      const char *relay, const char *status)
{
	struct record row = { 0 };

	record_str(&row, "id", w->name);
	record_str(&row, "rcpt", w->rcpt);
	record_str(&row, "result", result);
	record_str(&row, "relay", relay);
	record_str(&row, "status", status);
	out_row(&r->c->out, &row);
	record_release(&row);
	w->is_told = true;
	r->told++;
	if (str_eq(result, "bounced"))
		r->code = EX_UNAVAILABLE;
	else if (!str_eq(result, "delivered") && r->code == EX_OK)
		r->code = EX_TEMPFAIL;
}

static const char *
text_of(const struct value *values, size_t count, const char *name)
{
	const struct value *v = record_find(values, count, name);

	return v != NULL && v->type == VALUE_STR ? v->str : "";
}

/* The first result after the release: a message in quarantine has none. */
static int
take_event(void *arg, const struct value *values, size_t count,
	   struct span encoded)
{
	const char *event = text_of(values, count, "event");
	struct release *r = arg;
	size_t i;

	(void)encoded;
	if (!str_eq(event, "delivered") && !str_eq(event, "deferred") &&
	    !str_eq(event, "bounced"))
		return 0;
	for (i = 0; i < r->count; i++) {
		struct waited *w = &r->waited[i];

		if (w->is_told ||
		    !str_eq(w->name, text_of(values, count, "id")) ||
		    !str_ieq(w->rcpt, text_of(values, count, "rcpt")))
			continue;
		print_outcome(r, w, event, text_of(values, count, "relay"),
			      text_of(values, count, "status"));
		return 0;
	}
	return 0;
}

/* Asks for what is not told yet, once for each message. */
static int
look(struct release *r)
{
	struct asking_sink sink = { take_event, NULL, r };
	const char *last = "";
	int code = EX_OK;
	size_t i;

	for (i = 0; i < r->count && code == EX_OK; i++) {
		if (r->waited[i].is_told || str_eq(r->waited[i].name, last))
			continue;
		last = r->waited[i].name;
		code = ask(r->c, "history-trace", last, &sink);
	}
	return code;
}

static int
wait_for_outcomes(struct release *r, int64_t wait_ms)
{
	int64_t end = clock_mono_ms() + wait_ms;
	int code = EX_OK;
	size_t i;

	while (wait_ms > 0 && (code = look(r)) == EX_OK && r->told < r->count &&
	       clock_mono_ms() < end)
		(void)poll(NULL, 0, LOOK_MS);
	for (i = 0; i < r->count; i++)
		if (!r->waited[i].is_told)
			print_outcome(r, &r->waited[i], "released", "",
				      wait_ms > 0 ? "no answer of the next hop "
						    "yet"
						  : "");
	out_end(&r->c->out);
	if (code == NOT_RUNNING)
		return complain(r->c, EX_TEMPFAIL, "mcd went away");
	return code != EX_OK ? code : wait_ms > 0 ? r->code : EX_OK;
}

/* "ID ADDRESS ADDRESS" for the queue, of what the command names. */
static int
ask_each(struct ctx *c, const char *command, const struct asking_sink *sink)
{
	const struct option_values *rcpts = option(c, "rcpt");
	struct buf arg = { .limit = 1024 };
	int i, code = EX_OK, worst = EX_OK;
	size_t k;

	for (i = 0; i < c->arg_count && code != NOT_RUNNING; i++) {
		buf_clear(&arg);
		code = buf_add_str(&arg, c->args[i]);
		for (k = 0; k < rcpts->count && code == 0; k++)
			code = strchr(rcpts->value[k], ' ') != NULL
				       ? -1
				       : buf_printf(&arg, " %s",
						    rcpts->value[k]);
		if (code != 0)
			code = complain(c, EX_USAGE,
					"%.60s: addresses are too many, or "
					"there is a blank in one",
					c->args[i]);
		else
			code = ask(c, command, buf_str(&arg), sink);
		if (code != EX_OK)
			worst = code;
	}
	buf_release(&arg);
	if (worst == NOT_RUNNING)
		return complain(c, EX_TEMPFAIL,
				"mcd is not running: start it, then repeat "
				"quarantine %s",
				c->command->verb);
	return worst;
}

int
cmd_quarantine_release(struct ctx *c)
{
	const char *text = option_value(c, "wait");
	struct release r = { .c = c };
	struct asking_sink sink = { take_released, NULL, &r };
	int64_t wait_ms = WAIT_MS;
	struct err e;
	int code, asked;
	size_t i;

	if (text != NULL && str_to_duration_ms(text, &wait_ms, &e) < 0)
		return complain(c, EX_USAGE, "--wait: %s", e.text);
	asked = ask_each(c, "quarantine-release", &sink);
	code = r.count > 0 ? wait_for_outcomes(&r, wait_ms) : EX_OK;
	for (i = 0; i < r.count; i++)
		free(r.waited[i].rcpt);
	free(r.waited);
	return asked != EX_OK ? asked : code;
}

int
cmd_quarantine_delete(struct ctx *c)
{
	struct asking_sink sink = { NULL, NULL, NULL };
	int code = ask_each(c, "quarantine-delete", &sink);

	if (code == EX_OK)
		out_done(&c->out);
	return code;
}
