/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Rows of judged events come one a recipient; the words of a decision stand
 * with the first of those that share it.
 */
#include "decisions.h"

#include <stdlib.h>
#include <string.h>

#include "explaining.h"
#include "str.h"
#include "xalloc.h"

#define DECISIONS_MAX 4096
#define RCPTS_MAX 100000

/* Lines of one decision stand together. */
static struct decision *
decision_of(struct decisions *g, const char *id, const char *time,
	    uint64_t fate)
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
keep_rcpt(struct decisions *g, const char *rcpt, size_t decision)
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

int
decisions_row(void *arg, const struct value *values, size_t n,
	      struct span encoded)
{
	const struct value *fate = record_find(values, n, "fate");
	const char *words = str_of(values, n, "explanation");
	struct decisions *g = arg;
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

void
decisions_show(struct ctx *c, const struct decisions *g)
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

void
decisions_release(struct decisions *g)
{
	dict_release(&g->by_rcpt, NULL);
	free(g->decisions);
	free(g->fates);
	free(g->rcpts);
	arena_release(&g->arena);
}
