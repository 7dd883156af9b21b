/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One question to queue at a time: a name that waits, else the next page.
 * A page renews what it names and sweeps what it does not, so that the
 * index comes right whatever was lost or made up.
 */
#include "quar_feed.h"

#include <string.h>

#include "log.h"
#include "loop.h"
#include "mime_word.h"
#include "peer.h"
#include "role.h"
#include "str.h"

#define NAMES_MAX 1024 /* that wait; more: all is looked at soon */
#define ASK_MS 30000
#define RETRY_MS 5000
#define PAGE_MS 2000 /* between pages when all has been seen once */
#define FIRST_PAGE_MS 5
#define SUBJECT_MAX 1000

static struct {
	char dir[1024];
	struct quar_index *index;
	char names[NAMES_MAX][ENVELOPE_NAME_SIZE]; /* a ring */
	size_t first, count;
	char after[ENVELOPE_NAME_SIZE]; /* of the look at all */
	char asked_name[ENVELOPE_NAME_SIZE]; /* "": a page was asked for */
	uint32_t asked; /* token, 0: none */
	bool is_failed; /* this answer could not be taken in */
	bool is_whole; /* all was seen once */
	bool is_stopped;
	struct timer step;
	struct err trouble;
} self;

struct quar_index *
quar_feed_index(void)
{
	return self.index;
}

bool
quar_feed_is_whole(void)
{
	return self.is_whole;
}

static void
in_trouble(const struct err *e)
{
	if (!str_eq(self.trouble.text, e->text))
		log_warn("%s: it is made again", e->text);
	self.trouble = *e;
	quar_index_close(self.index);
	self.index = NULL;
	self.is_whole = false;
	self.after[0] = '\0';
	timer_set(&self.step, RETRY_MS);
}

static int
take_row(const struct frame_quar_row *b, struct err *e)
{
	struct buf subject = { .limit = SUBJECT_MAX };
	struct buf rcpts = { .limit = 0 };
	struct quar_row r = {
		.name = b->name,
		.received_us = b->received_us,
		.kind = (enum quar_kind)b->kind,
		.size = b->size,
		.sender = b->sender,
		.client_ip = b->client_ip,
		.message_id = b->message_id,
		.reason = b->reason,
		.rcpt_count = b->rcpt_count,
	};
	int rc;

	/* As a person reads it, so that its words can be looked for. */
	(void)mime_words(span_of(b->subject), &subject);
	(void)buf_add_span(&rcpts, b->rcpts);
	r.subject = buf_str(&subject);
	r.rcpts = buf_str(&rcpts);
	rc = quar_index_put(self.index, &r, e);
	buf_release(&subject);
	buf_release(&rcpts);
	return rc;
}

/* The answer is complete. */
static int
take_end(const struct frame_quar_done *b, struct err *e)
{
	int rc;

	/* What there is of one name was put, or it is gone. */
	if (self.asked_name[0] != '\0')
		rc = quar_index_forget(self.index, self.asked_name, e);
	else
		rc = quar_index_sweep(self.index, self.after, b->upto, e);
	return rc == 0 ? quar_index_commit(self.index, e) : -1;
}

static void
go_on(const struct frame_quar_done *b)
{
	if (self.asked_name[0] == '\0') {
		(void)str_copy(self.after, sizeof(self.after), b->upto);
		self.is_whole = self.is_whole || b->upto[0] == '\0';
	}
	timer_set(&self.step, self.count > 0  ? 0
			      : self.is_whole ? PAGE_MS
					      : FIRST_PAGE_MS);
}

static void
on_answer(void *arg, struct frame *f)
{
	struct err e = { "" };

	(void)arg;
	if (f != NULL && f->type == FRAME_quar_row) {
		if (!self.is_failed &&
		    take_row(FRAME_BODY(f, quar_row), &e) < 0) {
			self.is_failed = true;
			log_warn("%s", e.text);
		}
		return;
	}
	self.asked = 0;
	if (f == NULL || self.is_failed ||
	    FRAME_BODY(f, quar_done)->status != ANSWER_OK) {
		quar_index_rollback(self.index);
		timer_set(&self.step, RETRY_MS);
	} else if (take_end(FRAME_BODY(f, quar_done), &e) < 0) {
		quar_index_rollback(self.index);
		in_trouble(&e);
	} else {
		go_on(FRAME_BODY(f, quar_done));
	}
}

static int
open_index(void)
{
	struct err e;

	if (self.index != NULL)
		return 0;
	if (quar_index_open(self.dir, &self.index, &e) == 0) {
		self.trouble.text[0] = '\0';
		return 0;
	}
	in_trouble(&e);
	return -1;
}

static void
on_step(void *arg)
{
	struct frame_quar_ask ask = { .after = self.after, .name = "" };
	struct err e;

	(void)arg;
	if (self.is_stopped || self.asked != 0 || peer_of(ROLE_QUEUE) == 0 ||
	    open_index() < 0)
		return;
	self.asked_name[0] = '\0';
	if (self.count > 0) {
		(void)str_copy(self.asked_name, sizeof(self.asked_name),
			       self.names[self.first]);
		self.first = (self.first + 1) % NAMES_MAX;
		self.count--;
		ask.name = self.asked_name;
	}
	if (quar_index_begin(self.index, &e) < 0) {
		in_trouble(&e);
		return;
	}
	self.is_failed = false;
	self.asked = peer_ask(peer_of(ROLE_QUEUE), FRAME_quar_ask, &ask, -1,
			      ASK_MS, on_answer, NULL);
	if (self.asked == 0) {
		quar_index_rollback(self.index);
		timer_set(&self.step, RETRY_MS);
	}
}

void
quar_feed_wake(void)
{
	timer_set(&self.step, 0);
}

void
quar_feed_event(const struct ledger_event *ev)
{
	size_t last = (self.first + self.count + NAMES_MAX - 1) % NAMES_MAX;

	if (ev->verb != LEDGER_QUARANTINED && ev->verb != LEDGER_RELEASED &&
	    ev->verb != LEDGER_DELETED && ev->verb != LEDGER_DISCARDED)
		return;
	/* One line a recipient. */
	if (self.count > 0 && str_eq(self.names[last], ev->name))
		return;
	if (self.count == NAMES_MAX) {
		self.is_whole = false;
		return;
	}
	last = (self.first + self.count++) % NAMES_MAX;
	(void)str_copy(self.names[last], ENVELOPE_NAME_SIZE, ev->name);
	if (self.asked == 0)
		timer_set(&self.step, 0);
}

void
quar_feed_start(const char *dir)
{
	(void)str_copy(self.dir, sizeof(self.dir), dir);
	timer_init(&self.step, on_step, NULL);
	timer_set(&self.step, 0);
}

void
quar_feed_stop(void)
{
	self.is_stopped = true;
	timer_release(&self.step);
	quar_index_close(self.index);
	self.index = NULL;
}
