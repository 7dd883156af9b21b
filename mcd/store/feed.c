/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One file of the ledger at a time: ask queue for it, read it to the end
 * of what is durable, then ask for the next.  Trouble with the database
 * only delays: the ledger is what counts.
 */
#include "feed.h"

#include <string.h>

#include "clock.h"
#include "drift.h"
#include "file.h"
#include "log.h"
#include "loop.h"
#include "quar_feed.h"
#include "role.h"
#include "str.h"

#define BATCH_EVENTS 2000
#define RETRY_MS 5000
#define ASK_MS 30000
#define EXPIRE_MS 600000
#define FILL_MS 50

static struct {
	char dir[1024];
	struct history *history;
	char file[LEDGER_NAME_SIZE]; /* being read */
	uint64_t offset; /* of what is in history.db */
	uint64_t size; /* that is durable */
	char grown[LEDGER_NAME_SIZE]; /* since we were there; "": none */
	int fd;
	bool is_closed; /* nothing will be added to file */
	uint32_t asked; /* token of a ledger_ask */
	bool asked_next; /* for the file behind this one */
	int batch; /* events in the transaction */
	bool is_stopped;
	struct timer step, retry, expire, fill;
	struct err trouble;
} self = { .fd = -1 };

struct history *
feed_history(void)
{
	return self.history;
}

/* Says it once; tries again in a while. */
static void
in_trouble(const struct err *e)
{
	struct err why = *e;
	bool is_damaged =
		self.history != NULL && history_is_damaged(self.history);

	if (!str_eq(self.trouble.text, e->text))
		log_warn("%s: history waits, mail does not", e->text);
	self.trouble = *e;
	file_shut(&self.fd);
	self.is_closed = false;
	history_close(self.history);
	self.history = NULL;
	if (is_damaged && history_discard(self.dir, &why) < 0)
		log_error("%s", why.text);
	timer_set(&self.retry, RETRY_MS);
}

/*
 * A file of an hour to come was written while the clock was ahead: what
 * has gone to older ones since then is found from the last file before.
 */
static int
find_place(struct err *e)
{
	char now[LEDGER_NAME_SIZE];

	if (history_position(self.history, self.file, &self.offset, e) < 0)
		return -1;
	ledger_file(clock_wall_us(), now);
	if (strncmp(self.file, now, strlen(now)) <= 0)
		return 0;
	return history_last_file(self.history, now, self.file, &self.offset, e);
}

static int
open_history(void)
{
	struct err e = { "" };

	if (self.history != NULL)
		return 0;
	if (history_open(self.dir, &self.history, &e) < 0 ||
	    find_place(&e) < 0) {
		in_trouble(&e);
		return -1;
	}
	self.trouble.text[0] = '\0';
	timer_set(&self.fill, FILL_MS);
	return 0;
}

/* What an older version has left to do, beside what comes in. */
static void
on_fill(void *arg)
{
	struct err e = { "" };
	int more = 0;

	(void)arg;
	if (self.history != NULL)
		more = history_fill(self.history, &e);
	if (more < 0)
		in_trouble(&e);
	if (more > 0)
		timer_set(&self.fill, FILL_MS);
}

static int
on_event(void *arg, const struct ledger_event *ev)
{
	if (history_add(self.history, ev, arg) < 0)
		return -1;
	quar_feed_event(ev);
	return ++self.batch >= BATCH_EVENTS;
}

static void
on_bad(void *arg, const char *file, uint64_t line, const char *why)
{
	(void)arg;
	log_warn("ledger/%s: line %llu: %s: left out of the history", file,
		 (unsigned long long)line, why);
}

/* Reads a batch; true when there is more in this file. */
static bool
read_batch(void)
{
	struct err e = { "" };
	uint64_t offset = self.offset;
	int r;

	self.batch = 0;
	if (history_begin(self.history, &e) < 0) {
		in_trouble(&e);
		return false;
	}
	r = ledger_each_line(self.fd, self.file, &offset, self.size, on_event,
			     on_bad, &e, &e);
	if (r < 0 || history_commit(self.history, self.file, offset, &e) < 0) {
		history_rollback(self.history);
		in_trouble(&e);
		return false;
	}
	self.offset = offset;
	stats_add(role_stats(), STAT_history_events, self.batch);
	return r == 1;
}

static void ask(bool wants_next);

/* Makes file the one that is read, from where it was left. */
static int
go_to(const char *file)
{
	struct err e = { "" };
	uint64_t offset;

	if (open_history() < 0)
		return -1;
	if (history_offset(self.history, file, &offset, &e) < 0) {
		in_trouble(&e);
		return -1;
	}
	file_shut(&self.fd);
	self.is_closed = false;
	str_copy(self.file, sizeof(self.file), file);
	self.offset = offset;
	return 0;
}

/* There is nothing more in this file and behind it.  One before it that
 * grows: the clock was ahead when ours was begun. */
static void
go_back(void)
{
	char file[LEDGER_NAME_SIZE];

	if (self.grown[0] == '\0' || strcmp(self.grown, self.file) >= 0)
		return;
	str_copy(file, sizeof(file), self.grown);
	if (go_to(file) == 0)
		timer_set(&self.step, 0);
}

static void
take_file(struct frame *f)
{
	const struct frame_ledger_reply *r = FRAME_BODY(f, ledger_reply);

	if (!str_eq(self.file, r->file) && go_to(r->file) < 0)
		return;
	if (str_eq(self.file, self.grown))
		self.grown[0] = '\0';
	if (self.offset > r->size) {
		/* What is durable does not shrink. */
		log_warn("ledger/%s is another file than the one that was "
			 "read: read from its start",
			 self.file);
		self.offset = 0;
	}
	file_shut(&self.fd);
	self.fd = f->fd;
	f->fd = -1;
	self.size = r->size;
	self.is_closed = r->is_closed != 0;
	timer_set(&self.step, 0);
}

static void
on_file(void *arg, struct frame *f)
{
	uint32_t status =
		f != NULL ? FRAME_BODY(f, ledger_reply)->status : ANSWER_LATER;

	(void)arg;
	self.asked = 0;
	if (status == ANSWER_OK && f->fd >= 0)
		take_file(f);
	else if (status != ANSWER_NO)
		timer_set(&self.retry, RETRY_MS);
	else if (!self.asked_next)
		ask(true); /* the file we were in is gone */
	else
		go_back(); /* a grown note wakes us if there is none */
}

static void
ask(bool wants_next)
{
	struct frame_ledger_ask body = { .after = "", .file = "" };

	if (self.asked != 0)
		return;
	self.asked_next = wants_next || self.file[0] == '\0';
	if (self.asked_next)
		body.after = self.file;
	else
		body.file = self.file;
	self.asked = peer_ask(peer_of(ROLE_QUEUE), FRAME_ledger_ask, &body, -1,
			      ASK_MS, on_file, NULL);
}

static void
on_step(void *arg)
{
	bool is_more;

	(void)arg;
	if (self.is_stopped || open_history() < 0)
		return;
	if (self.fd < 0) {
		ask(self.is_closed);
		return;
	}
	is_more = self.offset < self.size && read_batch();
	if (self.history == NULL)
		return;
	stats_set(role_stats(), STAT_history_lag,
		  self.size > self.offset ? (int64_t)(self.size - self.offset)
					  : 0);
	if (is_more) {
		timer_set(&self.step, 0);
	} else if (self.is_closed) {
		file_shut(&self.fd);
		ask(true);
	} else {
		go_back();
	}
}

void
feed_wake(void)
{
	timer_set(&self.step, 0);
}

void
feed_on_grown(peer_id from, struct frame *f)
{
	const struct frame_ledger_grown *g = FRAME_BODY(f, ledger_grown);

	(void)from;
	if (str_eq(g->file, self.file)) {
		if (g->size > self.size)
			self.size = g->size;
		self.is_closed = false; /* as it seems */
	} else {
		str_copy(self.grown, sizeof(self.grown), g->file);
		/* Ours is finished, as it seems: ask for its end. */
		if (!self.is_closed)
			file_shut(&self.fd);
	}
	feed_wake();
}

static void
on_expire(void *arg)
{
	struct err e = { "" };
	int64_t before_us = clock_wall_us() - role_knobs()->history_keep * 1000;
	int more = 0;

	(void)arg;
	if (self.history != NULL && drift_is_sane()) {
		more = history_expire(self.history, before_us, &e);
		if (more < 0)
			in_trouble(&e);
	}
	timer_set(&self.expire, more > 0 ? 100 : EXPIRE_MS);
}

void
feed_start(const char *dir)
{
	str_copy(self.dir, sizeof(self.dir), dir);
	drift_init();
	timer_init(&self.step, on_step, NULL);
	timer_init(&self.retry, on_step, NULL);
	timer_init(&self.expire, on_expire, NULL);
	timer_init(&self.fill, on_fill, NULL);
	timer_set(&self.expire, EXPIRE_MS);
	(void)open_history();
}

void
feed_stop(void)
{
	self.is_stopped = true;
	timer_release(&self.step);
	timer_release(&self.retry);
	timer_release(&self.expire);
	timer_release(&self.fill);
	file_shut(&self.fd);
	history_close(self.history);
	self.history = NULL;
}
