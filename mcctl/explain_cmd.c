/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl explain: why a message was judged as it was.  A running mcd is
 * asked for its history; while it is down the ledger is read.
 */
#include <string.h>
#include <sysexits.h>

#include "asking.h"
#include "decisions.h"
#include "envelope.h"
#include "offline.h"
#include "str.h"
#include "trace.h"

/* The same from the ledger. */

struct offline_walk {
	struct decisions *g;
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
		rc = decisions_row(w->g, values, n, buf_span(&r.b));
	record_release(&r);
	return rc;
}

static int
gather_offline(struct ctx *c, struct decisions *g)
{
	struct offline_walk w = { .g = g };

	(void)str_copy(w.id, sizeof(w.id), c->args[0]);
	return offline_ledger(c, take_event, &w);
}

static int
gather_all(struct ctx *c, struct decisions *g)
{
	struct asking_sink sink = { .row = decisions_row, .arg = g };
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

int
cmd_explain(struct ctx *c)
{
	struct decisions g = { .only = c->arg_count > 1 ? c->args[1] : NULL };
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
		decisions_show(c, &g);
	decisions_release(&g);
	return code;
}
