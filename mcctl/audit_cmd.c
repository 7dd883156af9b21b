/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl audit: what was accepted and what became of it; exit 1 when mail
 * is lost.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "audit.h"
#include "clock.h"
#include "command.h"
#include "file.h"
#include "str.h"

#define EXIT_LOST 1
#define LOST_SHOWN 1000

struct lost_list {
	struct buf lines; /* "ID RCPT" each */
	size_t count;
};

static void
on_lost(void *arg, const char *name, const char *rcpt, int64_t accepted_us)
{
	struct lost_list *l = arg;
	char when[40];

	if (l->count++ >= LOST_SHOWN)
		return;
	clock_iso8601(when, sizeof(when), accepted_us);
	buf_printf(&l->lines, "%s%s %s %s", l->lines.len > 0 ? "\n" : "", name,
		   rcpt, when);
}

static void
audit_record(const struct audit *a, const char *lost, struct record *r)
{
	record_int(r, "accepted", a->accepted);
	record_int(r, "delivered", a->delivered);
	record_int(r, "bounced", a->bounced);
	record_int(r, "discarded", a->discarded);
	record_int(r, "deleted", a->deleted);
	record_int(r, "held", a->held);
	record_int(r, "quarantined", a->quarantined);
	record_int(r, "queued", a->queued);
	record_int(r, "parked", a->parked);
	record_int(r, "own", a->own);
	record_int(r, "unrecorded", a->unrecorded);
	record_int(r, "older", a->older);
	record_int(r, "duplicates", a->duplicates);
	record_int(r, "damaged_lines", a->damaged_lines);
	record_int(r, "damaged_envelopes", a->damaged_envelopes);
	record_int(r, "lost_count", a->lost);
	record_list(r, "lost", lost);
	record_bool(r, "balanced", a->lost == 0);
}

int
cmd_audit(struct ctx *c)
{
	struct lost_list l = { .lines = { .limit = 40000 } };
	struct record r = { 0 };
	struct audit a;
	struct err e;
	int result;
	int fd = file_open(AT_FDCWD, c->conf.spool_dir, O_RDONLY | O_DIRECTORY,
			   0);

	if (fd < 0)
		return complain(c, errno == EACCES ? EX_NOPERM : EX_NOINPUT,
				"%s: %s", c->conf.spool_dir, strerror(errno));
	result = audit_run(fd, &a, on_lost, &l, &e);
	file_shut(&fd);
	if (result < 0) {
		buf_release(&l.lines);
		return complain(c, EX_IOERR, "%s", e.text);
	}
	audit_record(&a, buf_str(&l.lines), &r);
	out_object(&c->out, &r);
	record_release(&r);
	buf_release(&l.lines);
	if (a.lost == 0)
		return EX_OK;
	return complain(c, EXIT_LOST,
			"%lld accepted, yet neither finished nor in the spool",
			(long long)a.lost);
}
