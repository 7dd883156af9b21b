/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The store role's wiring: the ledger comes in, questions about history
 * are answered.  What is slow here delays nobody's mail.
 */
#include "samples.h"
#include "store.h"

#include <string.h>
#include <sysexits.h>

#include "clock.h"
#include "feed.h"
#include "quar_feed.h"
#include "str.h"

#define PAGE_ROWS 200

struct asker {
	peer_id id;
	uint32_t token;
};

static int
send_row(void *arg, const struct record *r)
{
	struct asker *a = arg;
	struct frame_ctl_row row = { .record = buf_span(&r->b) };

	return peer_answer(a->id, a->token, FRAME_ctl_row, &row, -1);
}

static void
done(const struct asker *a, uint32_t code, const char *text, const char *cursor)
{
	struct frame_ctl_done body = { .exit_code = code,
				       .text = text,
				       .cursor = cursor };

	(void)peer_answer(a->id, a->token, FRAME_ctl_done, &body, -1);
}

typedef int question_fn(struct history *h, const char *word,
			struct history_cursor *at, uint32_t limit,
			history_row_fn *fn, void *arg, struct err *e);

static void
run_question(struct asker *a, const struct frame_ctl_ask *ask, question_fn *fn)
{
	struct history_cursor at = { 0, 0 };
	char cursor[HISTORY_CURSOR_SIZE] = "";
	struct err e = { "" };
	int more;

	if (feed_history() == NULL) {
		done(a, EX_TEMPFAIL, "history.db cannot be read now", "");
		return;
	}
	if (ask->cursor[0] != '\0' &&
	    history_cursor_parse(ask->cursor, &at) < 0) {
		done(a, EX_DATAERR, "bad cursor", "");
		return;
	}
	more = fn(feed_history(), ask->arg, &at, PAGE_ROWS, send_row, a, &e);
	if (more < 0) {
		done(a, EX_IOERR, e.text, "");
		return;
	}
	if (more > 0)
		history_cursor_text(&at, cursor);
	done(a, EX_OK, "", cursor);
}

/* Quarantine. */

struct quar_answer {
	struct asker *a;
	bool is_full;
};

static int
send_quarantined(void *arg, const struct quar_row *row)
{
	struct quar_answer *q = arg;
	struct record r = { 0 };
	int rc;

	if (q->is_full)
		quar_record_full(&r, row, clock_wall_us());
	else
		quar_record(&r, row, clock_wall_us());
	rc = send_row(q->a, &r);
	record_release(&r);
	return rc;
}

static void
answer_quarantine(struct asker *a, const struct quar_query *q, bool is_full)
{
	struct quar_answer answer = { .a = a, .is_full = is_full };
	char cursor[ENVELOPE_NAME_SIZE];
	struct err e;

	if (quar_feed_index() == NULL)
		done(a, EX_TEMPFAIL, "quarantine.db cannot be read now", "");
	else if (quar_index_each(quar_feed_index(), q, send_quarantined,
				 &answer, cursor, &e) < 0)
		done(a, EX_IOERR, e.text, "");
	else
		done(a, EX_OK,
		     quar_feed_is_whole()
			     ? ""
			     : "not all of quarantine has been looked at yet",
		     is_full ? "" : cursor);
}

static void
run_quarantine_list(struct asker *a, const struct frame_ctl_ask *ask)
{
	struct quar_filter filter;
	struct quar_query q = { .filter = &filter,
				.before = ask->cursor,
				.rows_max = PAGE_ROWS };
	struct err e;

	if (ask->limit > 0 && ask->limit < PAGE_ROWS)
		q.rows_max = ask->limit;
	if (quar_filter_parse(ask->arg, &filter, &e) < 0)
		done(a, EX_USAGE, e.text, "");
	else
		answer_quarantine(a, &q, false);
}

static void
run_quarantine_show(struct asker *a, const struct frame_ctl_ask *ask)
{
	struct quar_query q = { .before = "",
				.id = ask->arg,
				.rows_max = PAGE_ROWS };

	answer_quarantine(a, &q, true);
}

static void
on_ctl(peer_id from, struct frame *f)
{
	const struct frame_ctl_ask *ask = FRAME_BODY(f, ctl_ask);
	struct asker a = { .id = from, .token = f->token };

	if (str_eq(ask->command, "history-trace"))
		run_question(&a, ask, history_trace);
	else if (str_eq(ask->command, "history-judged"))
		run_question(&a, ask, history_judged);
	else if (str_eq(ask->command, "quarantine-list"))
		run_quarantine_list(&a, ask);
	else if (str_eq(ask->command, "quarantine-show"))
		run_quarantine_show(&a, ask);
	else
		done(&a, EX_USAGE, "mcctl and mcd are of different versions",
		     "");
}

static void
on_up(peer_id p, enum role r)
{
	(void)p;
	if (r != ROLE_QUEUE)
		return;
	feed_wake();
	quar_feed_wake();
}

static void
store_init(const struct conf *conf)
{
	(void)conf;
	quar_feed_start(role_home());
	feed_start(role_home());
	samples_start();
}

static void
store_stop(int64_t data_ms, int64_t reply_ms)
{
	(void)data_ms, (void)reply_ms;
	samples_stop();
	feed_stop();
	quar_feed_stop();
	role_exit();
}

static const struct peer_handler handlers[] = {
	{ FRAME_ledger_grown, feed_on_grown },
	{ FRAME_ctl_ask, on_ctl },
	{ 0, NULL },
};

const struct role_ops store_ops = {
	.role = ROLE_STORE,
	.init = store_init,
	.stop = store_stop,
	.peers = { .handlers = handlers, .up = on_up },
};
