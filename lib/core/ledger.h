/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Lines of the ledger: one event each, versioned per file by a first line
 * `mcgate-ledger: 2`.  A damaged line is skipped and reported, a cut last
 * line of a crash is no error.  The unit of an audit is (ID, recipient).
 *
 *   2026-11-23T14:05:09.123456Z deferred ID rcpt=a@b.example ... ~0A1B2C3D
 *
 * Keys stand in the order of the members below; controls, spaces, '%' and
 * what is not UTF-8 are %XX in values; the last token is the CRC-32 of all
 * before its space.
 */
#ifndef LEDGER_H
#define LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "buf.h"
#include "err.h"

/* 1 knows no `judged`.  A file of an older version is read and not
 * appended to. */
#define LEDGER_VERSION 2
#define LEDGER_LINE_MAX 16384
#define LEDGER_NAME_SIZE 16 /* YYYYMMDDHH, letters and NUL */
#define LEDGER_HEADER "mcgate-ledger: 2\n" /* the first line of a file */

enum ledger_verb {
	LEDGER_ACCEPTED, /* one line a recipient */
	LEDGER_DELIVERED,
	LEDGER_DEFERRED,
	LEDGER_BOUNCED, /* failed for good; a DSN went out where due */
	LEDGER_DISCARDED, /* by policy */
	LEDGER_DELETED, /* by an administrator */
	LEDGER_HELD, /* parked in hold */
	LEDGER_QUARANTINED,
	LEDGER_RELEASED, /* out of hold or quarantine */
	LEDGER_PARKED, /* corrupt or poison */
	LEDGER_JUDGED, /* by the filters: one line a recipient */
	LEDGER_VERB_COUNT
};

const char *ledger_verb_name(enum ledger_verb v);

/* Strings NULL or "" are left out when written, "" when read; they belong
 * to the caller or, when read, to the arena. */
struct ledger_event {
	int64_t at_us;
	enum ledger_verb verb;
	const char *name; /* ID or ID.N */
	const char *rcpt;
	const char *sender;
	const char *source; /* "smtp" or "own" */
	const char *client; /* address */
	const char *message_id;
	const char *subject;
	const char *relay;
	const char *status; /* "250 2.0.0 words" */
	const char *reason;
	const char *who;
	uint64_t size;
	int64_t delay_ms; /* since it was accepted, for results */
	bool is_recovered; /* written again by the start scan */
	/* Of JUDGED.  Lines of one message with one time and fate are of
	 * one decision; the first of them has the explanation. */
	const char *verdict; /* "ham", "spam" or "virus" */
	const char *action; /* "deliver", ... */
	int64_t score, threshold; /* thousandths */
	uint64_t fate; /* from 1 */
	const char *explanation; /* explanation.h */
};

/*
 * Appends the line with its LF.  Strings other than addresses are cut to
 * what is kept of them (status 1000 bytes, ...).  -1, and nothing appended,
 * when name is no envelope name, an address is over 400 bytes, the time
 * is before 1970 or past 9999, or out refuses.
 */
int ledger_write(const struct ledger_event *ev, struct buf *out);
/* line without its LF. -1: damaged. */
int ledger_read(struct span line, struct arena *a, struct ledger_event *ev,
		struct err *e);
/* The file an event belongs to: YYYYMMDDHH.  After a failed sync the same
 * hour goes on in a new file, with a to z behind it, then za to zz, then
 * zza: a file whose sync has failed is never written again. */
void ledger_file(int64_t at_us, char dst[LEDGER_NAME_SIZE]);

/*
 * Opens a file of a valid name for appending, made with its first line when
 * it is not there.  A last line that a crash has cut is taken off first.
 * *size is the length, all of it whole lines.  The caller syncs file and
 * folder before it relies on either.  A descriptor, -1, or LEDGER_OTHER for
 * a file of another version, which is left as it is.
 */
#define LEDGER_OTHER (-2)
int ledger_open(int ledger_fd, const char *file, uint64_t *size, struct err *e);

/* Handles an event, its strings valid for the call; not 0 stops. */
typedef int ledger_fn(void *arg, const struct ledger_event *ev);
/* line counts from 1 where the walk of the file began. */
typedef void ledger_bad_fn(void *arg, const char *file, uint64_t line,
			   const char *why);
/*
 * Reads the whole lines of one file from *offset (0, or what an earlier
 * call has left there) up to end bytes (0: all there is); *offset is then
 * behind the last line that was handled.  Damaged lines go to bad (may be
 * NULL); file is for messages.  Returns 0, what fn returned if not 0, or
 * -1 when it cannot be read or is of a newer version.
 */
int ledger_each_line(int fd, const char *file, uint64_t *offset, uint64_t end,
		     ledger_fn *fn, ledger_bad_fn *bad, void *arg,
		     struct err *e);
/*
 * The same for all files of a ledger folder in order, or those from file
 * `from` on (NULL or "": all).  Other names there are not looked at.
 */
int ledger_each(int ledger_fd, const char *from, ledger_fn *fn,
		ledger_bad_fn *bad, void *arg, struct err *e);
/* True for YYYYMMDDHH and the letters above behind it. */
bool ledger_file_valid(const char *file);

#endif
