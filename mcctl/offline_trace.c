/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A trace without mcd: the ledger is read twice, first to find the IDs,
 * then to show their events.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "dict.h"
#include "file.h"
#include "offline.h"
#include "present.h"
#include "str.h"
#include "trace.h"

#define IDS_MAX 1000000

struct search {
	struct ctx *c;
	enum trace_kind kind;
	char word[TRACE_WORD_MAX + 1];
	struct dict ids; /* all of whose events are shown */
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

	if (s->ids.count < IDS_MAX && trace_takes_all(ev, s->kind, s->word))
		(void)dict_set(&s->ids, id_of(ev, id), s);
	return 0;
}

static int
show_event(void *arg, const struct ledger_event *ev)
{
	struct search *s = arg;
	struct record r = { 0 };
	char id[ENVELOPE_ID_LEN + 1];

	if (!trace_matches(ev, s->kind, s->word) &&
	    dict_get(&s->ids, id_of(ev, id)) == NULL)
		return 0;
	trace_record(ev, &r);
	present_event(&s->c->out, &r);
	record_release(&r);
	return ferror(stdout);
}

static int
read_twice(struct search *s, int fd)
{
	struct err e;

	if ((s->kind != TRACE_ID &&
	     ledger_each(fd, "", find_id, NULL, s, &e) < 0) ||
	    ledger_each(fd, "", show_event, NULL, s, &e) < 0)
		return complain(s->c, EX_IOERR, "%s", e.text);
	return EX_OK;
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
	code = read_twice(&s, fd);
	file_shut(&fd);
	dict_release(&s.ids, NULL);
	return code;
}
