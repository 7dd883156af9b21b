/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A trace without mcd: the ledger is read twice, first to find the messages,
 * then to show their events.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "arena.h"
#include "dict.h"
#include "file.h"
#include "offline.h"
#include "present.h"
#include "str.h"
#include "trace.h"
#include "xalloc.h"

#define IDS_MAX 1000000
#define BATCH_IDS 10000 /* whose events are in memory at a time */

/* A message that was found, in the order in which they were. */
struct found {
	size_t place;
	bool takes_all; /* its events are shown, whoever they are about */
};

struct shown {
	size_t place, line; /* of its message, and among all events */
	struct record r;
};

struct search {
	struct ctx *c;
	enum trace_kind kind;
	char word[TRACE_WORD_MAX + 1];
	struct arena arena;
	struct dict ids; /* of struct found */
	size_t first; /* place of the first message of this batch */
	struct shown *shown;
	size_t count, cap;
};

static const char *
id_of(const struct ledger_event *ev, char dst[ENVELOPE_ID_LEN + 1])
{
	(void)str_copy(dst, ENVELOPE_ID_LEN + 1, ev->name);
	return dst;
}

static int
find_id(void *arg, const struct ledger_event *ev)
{
	struct search *s = arg;
	char id[ENVELOPE_ID_LEN + 1];
	struct found *f;

	if (!trace_matches(ev, s->kind, s->word))
		return 0;
	f = dict_get(&s->ids, id_of(ev, id));
	if (f == NULL && s->ids.count == IDS_MAX)
		return 0;
	if (f == NULL) {
		f = arena_alloc(&s->arena, sizeof(*f));
		f->place = s->ids.count;
		f->takes_all = false;
		(void)dict_set(&s->ids, id, f);
	}
	if (trace_takes_all(ev, s->kind, s->word))
		f->takes_all = true;
	return 0;
}

static int
keep_event(void *arg, const struct ledger_event *ev)
{
	struct search *s = arg;
	char id[ENVELOPE_ID_LEN + 1];
	const struct found *f = dict_get(&s->ids, id_of(ev, id));
	struct shown *at;

	if (f == NULL || f->place < s->first ||
	    f->place >= s->first + BATCH_IDS)
		return 0;
	if (!f->takes_all && !trace_matches(ev, s->kind, s->word))
		return 0;
	if (s->count == s->cap) {
		s->cap = s->cap == 0 ? 64 : 2 * s->cap;
		s->shown = xreallocarray(s->shown, s->cap, sizeof(*s->shown));
	}
	at = &s->shown[s->count];
	*at = (struct shown){ .place = f->place, .line = s->count };
	trace_record(ev, &at->r);
	s->count++;
	return 0;
}

static int
by_message(const void *a, const void *b)
{
	const struct shown *x = a;
	const struct shown *y = b;

	if (x->place != y->place)
		return x->place < y->place ? -1 : 1;
	return x->line < y->line ? -1 : x->line > y->line;
}

static void
show_batch(struct search *s)
{
	if (s->count > 0)
		qsort(s->shown, s->count, sizeof(*s->shown), by_message);
	for (size_t i = 0; i < s->count; i++) {
		if (!ferror(stdout))
			present_event(&s->c->out, &s->shown[i].r);
		record_release(&s->shown[i].r);
	}
	s->count = 0;
}

/* Message by message, as history.db is asked: the ledger is read once to
 * find them, and once for each batch of them. */
static int
read_batches(struct search *s, int fd)
{
	struct err e;
	int r = ledger_each(fd, "", find_id, NULL, s, &e);

	for (s->first = 0; r == 0 && s->first < s->ids.count && !ferror(stdout);
	     s->first += BATCH_IDS) {
		r = ledger_each(fd, "", keep_event, NULL, s, &e);
		show_batch(s);
	}
	free(s->shown);
	return r < 0 ? complain(s->c, EX_IOERR, "%s", e.text) : EX_OK;
}

/* The folder of the ledger: an exit code, EX_OK with *fd. */
static int
open_ledger(struct ctx *c, int *fd)
{
	int spool_fd;
	int code = offline_spool(c, &spool_fd);

	if (code != EX_OK)
		return code;
	*fd = file_open(spool_fd, "ledger", O_RDONLY | O_DIRECTORY, 0);
	if (*fd < 0)
		code = complain(c, errno == EACCES ? EX_NOPERM : EX_NOINPUT,
				"%s/ledger: %s", c->conf.spool_dir,
				strerror(errno));
	file_shut(&spool_fd);
	return code;
}

int
offline_ledger(struct ctx *c, ledger_fn *fn, void *arg)
{
	struct err e;
	int fd;
	int code = open_ledger(c, &fd);

	if (code != EX_OK)
		return code;
	if (ledger_each(fd, "", fn, NULL, arg, &e) < 0)
		code = complain(c, EX_IOERR, "%s", e.text);
	file_shut(&fd);
	return code;
}

int
offline_trace(struct ctx *c, const char *any)
{
	struct search s = { .c = c };
	int fd;
	int code = open_ledger(c, &fd);

	if (code != EX_OK)
		return code;
	s.kind = trace_kind(any, s.word);
	code = read_batches(&s, fd);
	file_shut(&fd);
	dict_release(&s.ids, NULL);
	arena_release(&s.arena);
	return code;
}
