/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl explain: why a message was judged as it was.  A running mcd is
 * asked for its history; while it is down the ledger is read.
 */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "asking.h"
#include "dict.h"
#include "envelope.h"
#include "explaining.h"
#include "offline.h"
#include "str.h"
#include "trace.h"
#include "xalloc.h"

#define DECISIONS_MAX 4096
#define RCPTS_MAX 100000

/* A recipient, and the last decision that was made for it. */
struct judged {
	const char *rcpt;
	size_t decision;
};

struct gather {
	struct arena arena;
	const char *only; /* this recipient alone, NULL: all */
	struct decision *decisions;
	uint64_t *fates; /* of each decision */
	size_t decision_count, decision_cap;
	struct judged *rcpts;
	size_t rcpt_count, rcpt_cap;
	struct dict by_rcpt; /* place + 1 */
};

/* Lines of one decision stand together. */
static struct decision *
decision_of(struct gather *g, const char *id, const char *time, uint64_t fate)
{
	struct decision *d;
	size_t i;

	for (i = g->decision_count; i > 0; i--) {
		d = &g->decisions[i - 1];
		if (!str_eq(d->id, id) || !str_eq(d->time, time))
			break;
		if (g->fates[i - 1] == fate)
			return d;
	}
	if (g->decision_count == DECISIONS_MAX)
		return NULL;
	if (g->decision_count == g->decision_cap) {
		g->decision_cap = g->decision_cap ? g->decision_cap * 2 : 16;
		g->decisions = xreallocarray(g->decisions, g->decision_cap,
					     sizeof(*g->decisions));
		g->fates = xreallocarray(g->fates, g->decision_cap,
					 sizeof(*g->fates));
	}
	d = &g->decisions[g->decision_count];
	memset(d, 0, sizeof(*d));
	g->fates[g->decision_count++] = fate;
	return d;
}

static void
keep_rcpt(struct gather *g, const char *rcpt, size_t decision)
{
	size_t at = (size_t)dict_get(&g->by_rcpt, rcpt);

	if (at == 0) {
		if (g->rcpt_count == RCPTS_MAX)
			return;
		if (g->rcpt_count == g->rcpt_cap) {
			g->rcpt_cap = g->rcpt_cap ? g->rcpt_cap * 2 : 64;
			g->rcpts = xreallocarray(g->rcpts, g->rcpt_cap,
						 sizeof(*g->rcpts));
		}
		g->rcpts[g->rcpt_count++].rcpt = arena_strdup(&g->arena, rcpt);
		at = g->rcpt_count;
		(void)dict_set(&g->by_rcpt, rcpt, (void *)at);
	}
	g->rcpts[at - 1].decision = decision;
}

static const char *
str_of(const struct value *values, size_t n, const char *name)
{
	const struct value *v = record_find(values, n, name);

	return v != NULL && v->type == VALUE_STR ? v->str : "";
}

/* A row of trace_judged_record(). */
static int
take_row(void *arg, const struct value *values, size_t n, struct span encoded)
{
	const struct value *fate = record_find(values, n, "fate");
	const char *words = str_of(values, n, "explanation");
	struct gather *g = arg;
	struct decision *d;

	(void)encoded;
	d = decision_of(g, str_of(values, n, "id"), str_of(values, n, "time"),
			fate != NULL ? (uint64_t)fate->num : 0);
	if (d == NULL)
		return 1;
	if (d->id == NULL) {
#define KEEP(name) arena_strdup(&g->arena, str_of(values, n, name))
		d->id = KEEP("id");
		d->time = KEEP("time");
		d->verdict = KEEP("verdict");
		d->action = KEEP("action");
		d->reason = KEEP("reason");
		d->score = KEEP("score");
		d->threshold = KEEP("threshold");
#undef KEEP
		d->explanation = "";
	}
	if (words[0] != '\0')
		d->explanation = arena_strdup(&g->arena, words);
	if (g->only == NULL || str_ieq(g->only, str_of(values, n, "rcpt")))
		keep_rcpt(g, str_of(values, n, "rcpt"),
			  (size_t)(d - g->decisions));
	return 0;
}

/* The same from the ledger. */

struct offline_walk {
	struct gather *g;
	char id[ENVELOPE_ID_LEN + 1];
};

static int
take_event(void *arg, const struct ledger_event *ev)
{
	struct value values[RECORD_FIELDS_MAX];
	struct offline_walk *w = arg;
	struct record r = { 0 };
	size_t n;
	int rc = 0;

	if (ev->verb != LEDGER_JUDGED ||
	    strncmp(ev->name, w->id, ENVELOPE_ID_LEN) != 0)
		return 0;
	trace_judged_record(ev, &r);
	if (record_read(buf_span(&r.b), values, &n, NULL) == 0)
		rc = take_row(w->g, values, n, buf_span(&r.b));
	record_release(&r);
	return rc;
}

static int
gather_offline(struct ctx *c, struct gather *g)
{
	struct offline_walk w = { .g = g };

	(void)str_copy(w.id, sizeof(w.id), c->args[0]);
	return offline_ledger(c, take_event, &w);
}

static int
gather_all(struct ctx *c, struct gather *g)
{
	struct asking_sink sink = { .row = take_row, .arg = g };
	struct err e = { "" };
	int code = EX_OK;
	struct asking *a = asking_open(&c->conf, &code, &e);

	if (a == NULL && code == EX_UNAVAILABLE)
		return gather_offline(c, g);
	if (a != NULL) {
		code = asking_run(a, "history-judged", c->args[0], &sink, &e);
		asking_close(a);
	}
	return code == EX_OK ? code : complain(c, code, "%s", e.text);
}

static void
show_all(struct ctx *c, struct gather *g)
{
	const char **rcpts = xcalloc(g->rcpt_count + 1, sizeof(*rcpts));
	size_t i, k, n;

	for (i = 0; i < g->decision_count; i++) {
		for (n = k = 0; k < g->rcpt_count; k++)
			if (g->rcpts[k].decision == i)
				rcpts[n++] = g->rcpts[k].rcpt;
		g->decisions[i].rcpts = rcpts;
		g->decisions[i].rcpt_count = n;
		/* Decided again since then. */
		if (n > 0)
			explain_decision(c, &g->decisions[i]);
	}
	free(rcpts);
}

int
cmd_explain(struct ctx *c)
{
	struct gather g = { .only = c->arg_count > 1 ? c->args[1] : NULL };
	int code;

	if (!envelope_name_valid(c->args[0], true))
		return complain(c, EX_DATAERR,
				"\"%.60s\" is not a queue id; `mcctl trace "
				"ADDRESS` finds it",
				c->args[0]);
	code = gather_all(c, &g);
	if (code == EX_OK && g.rcpt_count == 0)
		code = complain(c, EX_DATAERR,
				"%s: no decision%s%s is known: it waits for "
				"the filters, is a notification of ours, or "
				"is older than the history",
				c->args[0], g.only != NULL ? " for " : "",
				g.only != NULL ? g.only : "");
	else if (code == EX_OK)
		show_all(c, &g);
	dict_release(&g.by_rcpt, NULL);
	free(g.decisions);
	free(g.fates);
	free(g.rcpts);
	arena_release(&g.arena);
	return code;
}
