/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl doctor: what mcd depends on, tried out.  A probe is a function and
 * a row of probes.def; it says one thing or several, each with what to do.
 */
#ifndef DOCTOR_H
#define DOCTOR_H

#include "command.h"

enum finding {
	DOCTOR_OK,
	DOCTOR_NOTE, /* fine, if it is meant */
	DOCTOR_WARNING, /* mail is handled, but less well */
	DOCTOR_FAULT /* something set up does not work */
};

struct doctor {
	struct ctx *c;
	const char *probe; /* the name of the row */
	size_t faults;
};

/* todo is "" when there is nothing to do. */
void doctor_say(struct doctor *d, enum finding f, const char *todo,
		const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/*
 * Runs a program, found by PATH or in /usr/sbin, /usr/local/bin or
 * /usr/local/sbin, with input on its standard input and home as HOME, for
 * doctor's wait at most.  Its exit status, -1 when it is not there (e says
 * so), -2 when it did not end or could not be run.  out holds what it said.
 */
int doctor_run(const char *const *argv, const char *input, const char *home,
	       struct buf *out, struct err *e);
bool doctor_has(const char *program);

#define PROBE(name, fn, what) void fn(struct doctor *d);
#include "probes.def"
#undef PROBE

#endif
