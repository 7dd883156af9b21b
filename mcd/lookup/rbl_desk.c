/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A job is one rbl_ask.  It is answered when all of its questions are,
 * which have one deadline; it holds itself while it is being begun, since
 * answers from the cache come at once.
 */
#include "rbl_desk.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "dns.h"
#include "log.h"
#include "rbl_list.h"
#include "role.h"
#include "str.h"
#include "xalloc.h"

#define WAIT_DEFAULT_MS 8000
#define WAIT_MAX_MS 60000
#define TEXT_MS 2000 /* for the words of a list, which may be missing */
#define USES 4

struct tally {
	unsigned asked, failed;
	char trouble[300];
};

struct job {
	peer_id from;
	uint32_t token;
	int64_t end_ms;
	unsigned due, made, hits;
	struct tally tally[USES];
};

struct question {
	struct job *job;
	struct rbl_list *list;
	struct rbl_wait wait;
	unsigned item, uses, what;
	int64_t begin_us;
	uint32_t found; /* replies, while its words are asked for */
	char reply[128];
	char query[RBL_QUERY_SIZE];
};

static bool has_rows; /* control has told of the lists */

static void
send_tally(struct job *j, unsigned bit)
{
	struct tally *t = &j->tally[bit];
	struct frame_rbl_tally f = { .use = 1u << bit,
				     .asked = t->asked,
				     .failed = t->failed,
				     .trouble = t->trouble };

	if (t->asked > 0)
		(void)peer_answer(j->from, j->token, FRAME_rbl_tally, &f, -1);
}

static void
job_let_go(struct job *j)
{
	struct frame_rbl_done done = { .status = ANSWER_OK };
	unsigned i;

	if (--j->due > 0)
		return;
	for (i = 0; i < USES; i++)
		send_tally(j, i);
	(void)peer_answer(j->from, j->token, FRAME_rbl_done, &done, -1);
	free(j);
}

static void
question_end(struct question *q)
{
	struct job *j = q->job;

	rbl_list_let_go(q->list);
	free(q);
	job_let_go(j);
}

/* No answer that can be believed, for each who wanted it. */
static void
fail(struct question *q, const char *why)
{
	const char *name = rbl_list_row_of(q->list)->name;
	char text[200];
	unsigned i;

	(void)str_fmt(text, sizeof(text), "%s %s", name, why);
	for (i = 0; i < USES; i++) {
		struct tally *t = &q->job->tally[i];
		size_t len = strlen(t->trouble);

		if ((q->uses & 1u << i) == 0)
			continue;
		t->failed++;
		/* Once a list: it has many questions. */
		if (strstr(t->trouble, name) == NULL)
			(void)str_fmt(t->trouble + len,
				      sizeof(t->trouble) - len, "%s%s",
				      len > 0 ? "; " : "", text);
	}
}

static void
send_hits(struct question *q, const char *text)
{
	const struct rbl *r = rbl_list_row_of(q->list);
	struct job *j = q->job;
	char symptom[RBL_SYMPTOM_SIZE];
	unsigned i;

	for (i = 0; i < r->reply_count && j->hits < RBL_HITS_MAX; i++) {
		struct frame_rbl_hit hit = { .item = q->item,
					     .use = q->uses,
					     .list = r->name,
					     .symptom = symptom,
					     .reply = q->reply,
					     .text = text };

		if ((q->found & UINT32_C(1) << i) == 0)
			continue;
		hit.points = rbl_points(r, i);
		rbl_symptom(r, i, symptom);
		j->hits++;
		(void)peer_answer(j->from, j->token, FRAME_rbl_hit, &hit, -1);
	}
}

/* RFC 5782 section 2.1: a TXT says why.  It is a stranger's. */
static void
on_text(void *arg, const struct dns_answer *a)
{
	struct question *q = arg;
	struct span rest = a->records, rdata;
	struct buf text = { .limit = 1024 };
	char shown[RBL_TEXT_SIZE];

	if (dns_record_next(&rest, &rdata))
		(void)dns_record_text(rdata, &text);
	str_printable(shown, sizeof(shown), buf_str(&text), text.len);
	send_hits(q, shown);
	buf_release(&text);
	question_end(q);
}

static void
take_hit(struct question *q, uint32_t found)
{
	const struct rbl *r = rbl_list_row_of(q->list);

	q->found = found;
	if ((q->uses & RBL_REFUSE) == 0 || r->text[0] != '\0') {
		send_hits(q, r->text);
		question_end(q);
		return;
	}
	dns_ask(q->query, DNS_TYPE_TXT, TEXT_MS, on_text, q);
}

static void
on_answer(void *arg, const struct dns_answer *a)
{
	struct question *q = arg;
	struct err why = { "" };
	uint32_t found;
	enum rbl_answer got =
		rbl_answer_judge(rbl_list_row_of(q->list), a, &found, &why);

	rbl_list_count(q->list, q->what, got, why.text,
		       clock_mono_us() - q->begin_us);
	if (got == RBL_ANSWER_YES) {
		rbl_answer_replies(a->records, q->reply, sizeof(q->reply));
		take_hit(q, found);
		return;
	}
	if (got != RBL_ANSWER_NO)
		fail(q, why.text);
	question_end(q);
}

static void
on_tested(struct rbl_wait *w)
{
	struct question *q = list_entry(w, struct question, wait);
	int64_t left_ms = q->job->end_ms - loop_now_ms();
	const char *why;

	switch (rbl_list_health(q->list, q->what, &why)) {
	case HEALTH_NEW:
		rbl_list_wait(q->list, q->what, w);
		return;
	case HEALTH_SUSPENDED:
		fail(q, "is suspended");
		question_end(q);
		return;
	case HEALTH_GOOD:
		break;
	}
	if (left_ms <= 0) {
		fail(q, "does not answer");
		question_end(q);
		return;
	}
	q->begin_us = clock_mono_us();
	dns_ask(q->query, DNS_TYPE_A, left_ms, on_answer, q);
}

static void
begin_question(struct job *j, struct rbl_list *l, unsigned item, unsigned uses,
	       const struct rbl_answer_item *what)
{
	const struct rbl *r = rbl_list_row_of(l);
	struct question *q;
	char query[RBL_QUERY_SIZE];
	unsigned half = rbl_answer_query(r, what, query), i;

	if (half == 0)
		return;
	for (i = 0; i < USES; i++)
		j->tally[i].asked += (uses & 1u << i) != 0;
	q = xcalloc(1, sizeof(*q));
	q->job = j;
	q->list = rbl_list_hold(l);
	q->wait.fn = on_tested;
	list_init(&q->wait.node);
	q->item = item;
	q->uses = uses;
	q->what = half;
	(void)str_copy(q->query, sizeof(q->query), query);
	j->due++;
	if (++j->made > RBL_QUESTIONS_MAX) {
		fail(q, "was not asked: too many questions");
		question_end(q);
		return;
	}
	on_tested(&q->wait);
}

static void
begin_item(struct job *j, unsigned item, struct span line)
{
	const char *blank = line.len > 0 ? memchr(line.p, ' ', line.len) : NULL;
	struct span rest = line;
	struct rbl_answer_item what;
	struct rbl_list *l;
	uint64_t uses;
	size_t i;

	if (blank == NULL)
		return;
	rest.p = blank + 1;
	rest.len = line.len - (size_t)(rest.p - line.p);
	line.len = (size_t)(blank - line.p);
	if (span_to_u64(line, &uses) != 0 || !rbl_answer_item_read(rest, &what))
		return;
	for (i = 0; (l = rbl_list_at(i)) != NULL; i++) {
		const struct rbl *r = rbl_list_row_of(l);

		if (r->is_on && (r->use & uses) != 0)
			begin_question(j, l, item, r->use & (unsigned)uses,
				       &what);
	}
}

void
rbl_desk_ask(peer_id from, struct frame *f)
{
	const struct frame_rbl_ask *b = FRAME_BODY(f, rbl_ask);
	struct frame_rbl_done done = { .status = ANSWER_LATER };
	int64_t wait_ms = b->timeout_ms > 0 ? b->timeout_ms : WAIT_DEFAULT_MS;
	struct span rest = b->items;
	unsigned item = 0;
	struct job *j;

	if (!has_rows) {
		(void)peer_answer(from, f->token, FRAME_rbl_done, &done, -1);
		return;
	}
	j = xcalloc(1, sizeof(*j));
	j->from = from;
	j->token = f->token;
	j->end_ms =
		loop_now_ms() + (wait_ms < WAIT_MAX_MS ? wait_ms : WAIT_MAX_MS);
	j->due = 1;
	while (rest.len > 0) {
		const char *end = memchr(rest.p, '\n', rest.len);
		struct span line = rest;

		if (end == NULL)
			break;
		line.len = (size_t)(end - rest.p);
		rest.p = end + 1;
		rest.len -= line.len + 1;
		begin_item(j, item++, line);
	}
	job_let_go(j);
}

void
rbl_desk_row(peer_id from, struct frame *f)
{
	const struct frame_rbl_row *b = FRAME_BODY(f, rbl_row);

	(void)from;
	rbl_list_row(b->name, b->value, b->left == 0);
	if (b->left == 0)
		has_rows = true;
}
