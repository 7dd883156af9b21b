/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One event, one line: `ID verb key=value ...` to syslog (facility mail)
 * or stderr.  Never a body, a password or a whole header.  Text of peers
 * goes through log_text() or str_printable().
 */
#ifndef LOG_H
#define LOG_H

#include <stddef.h>

enum log_level {
	LOG_LEVEL_ERROR, /* something is broken */
	LOG_LEVEL_WARN, /* someone may need to act */
	LOG_LEVEL_INFO, /* an operator counts it */
	LOG_LEVEL_DEBUG /* a developer */
};

#define LOG_LINE_MAX 1000 /* bytes of a line; longer ones end in "..." */

enum log_target { LOG_TO_STDERR, LOG_TO_SYSLOG };

/*
 * name ("mcd/queue") is copied.  Before the first call lines go to stderr
 * at level info.  LOG_TO_SYSLOG opens its socket at once, so that it still
 * works in a jail.
 */
void log_open(const char *name, enum log_target target, enum log_level max);
void log_set_level(enum log_level max);

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Text of a stranger, made printable, cut and quoted if it holds spaces,
 * quotes or backslashes, or nothing; "-" for NULL.  The result is one of
 * eight rotating static buffers of the calling thread.
 */
const char *log_text(const char *s);

/* This process cannot go on; exits with an sysexits(3) code.  Only roles
 * and mains may call it. */
void fatal(int exit_code, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), noreturn));

/* A mistake of ours: logs file and line, aborts. */
#define bug(...) log_bug(__FILE__, __LINE__, __VA_ARGS__)
void log_bug(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), noreturn));

#endif
