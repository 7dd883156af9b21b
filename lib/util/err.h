/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The text of a failure, handed up: what failed and on which object.  It
 * belongs to the caller, who logs it once or passes it on.
 */
#ifndef ERR_H
#define ERR_H

struct err {
	char text[512];
};

/* Each takes e == NULL and then does nothing; each returns -1. */
int err_set(struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Appends ": " and strerror(errno). */
int err_sys(struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Puts text in front of what is there, with ": " between. */
int err_prefix(struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
