/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl audit: what was accepted and what became of it; exit 1 when mail
 * is lost.
 */
#include <errno.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "asking.h"
#include "audit.h"
#include "clock.h"
#include "command.h"
#include "file.h"
#include "offline.h"
#include "str.h"

#define EXIT_LOST 1
#define LOST_BYTES 40000 /* of a record */

struct lost_list {
	struct buf lines; /* "ID RCPT TIME" each */
};

static void
on_lost(void *arg, const struct audit_lost *l)
{
	struct lost_list *list = arg;
	char when[40];

	clock_iso8601(when, sizeof(when), l->seen_us);
	(void)buf_printf(&list->lines, "%s%s %s %s%s%s",
			 list->lines.len > 0 ? "\n" : "", l->name, l->rcpt,
			 when, l->why[0] != '\0' ? " " : "", l->why);
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

static bool
is_running(struct ctx *c)
{
	int code = EX_OK;
	struct err e;
	struct asking *a = asking_open(&c->conf, &code, &e);

	asking_close(a);
	return code != EX_UNAVAILABLE;
}

int
cmd_audit(struct ctx *c)
{
	struct lost_list list = { .lines = { .limit = LOST_BYTES } };
	struct record r = { 0 };
	struct audit a;
	struct err e;
	int result, fd;
	bool is_stopped = !is_running(c);
	int code = offline_spool(c, &fd);

	if (code != EX_OK)
		return code;
	if (faccessat(fd, "ledger", F_OK, 0) < 0) {
		code = complain(c, EX_NOINPUT, "%s/ledger: %s",
				c->conf.spool_dir, strerror(errno));
		file_shut(&fd);
		return code;
	}
	result = audit_run(fd, is_stopped, &a, on_lost, &list, &e);
	file_shut(&fd);
	if (result == 0) {
		audit_record(&a, buf_str(&list.lines), &r);
		out_object(&c->out, &r);
		record_release(&r);
	}
	buf_release(&list.lines);
	if (result < 0)
		return complain(c, EX_IOERR, "%s/%s", c->conf.spool_dir,
				e.text);
	if (a.lost == 0)
		return EX_OK;
	return complain(c, EXIT_LOST,
			"%lld accepted, yet neither finished nor in the spool",
			(long long)a.lost);
}
