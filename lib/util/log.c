/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One event, one line.  Whatever a caller passes, a line holds neither
 * controls nor more than LOG_LINE_MAX bytes.
 */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "str.h"

#define LOG_NAME_MAX 64
#define LOG_TEXT_MAX 256 /* of one log_text() with its quotes */
#define LOG_TEXT_BUFS 8

/* One per process. */
static struct {
	char name[LOG_NAME_MAX];
	enum log_target target;
	enum log_level max;
} logger = { "mcgate", LOG_TO_STDERR, LOG_LEVEL_INFO };

static const struct {
	const char *prefix;
	int priority;
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error: ", LOG_ERR },
	[LOG_LEVEL_WARN] = { "warn: ", LOG_WARNING },
	[LOG_LEVEL_INFO] = { "", LOG_INFO },
	[LOG_LEVEL_DEBUG] = { "", LOG_DEBUG },
};

void
log_open(const char *name, enum log_target target, enum log_level max)
{
	/* The time zone is read now: a jail may hide its file. */
	tzset();
	str_copy(logger.name, sizeof(logger.name), name);
	logger.max = max;
	if (logger.target == LOG_TO_SYSLOG)
		closelog();
	logger.target = target;
	if (target == LOG_TO_SYSLOG)
		openlog(logger.name, LOG_PID | LOG_NDELAY, LOG_MAIL);
}

void
log_set_level(enum log_level max)
{
	logger.max = max;
}

static void
write_line(enum log_level level, const char *text)
{
	/* One byte more than fits, so that what is too long is cut. */
	char raw[LOG_LINE_MAX + 1];
	char line[LOG_LINE_MAX + 1];
	ssize_t n;

	if (logger.target == LOG_TO_SYSLOG) {
		str_fmt(raw, sizeof(raw), "%s%s", levels[level].prefix, text);
		str_printable(line, sizeof(line), raw, strlen(raw));
		syslog(LOG_MAIL | levels[level].priority, "%s", line);
		return;
	}
	str_fmt(raw, sizeof(raw), "%s[%ld]: %s%s", logger.name, (long)getpid(),
		levels[level].prefix, text);
	str_printable(line, sizeof(line) - 1, raw, strlen(raw));
	str_copy(line + strlen(line), 2, "\n");
	do {
		n = write(STDERR_FILENO, line, strlen(line));
	} while (n == -1 && errno == EINTR);
	/* Nowhere is left to say that a line was lost. */
}

__attribute__((format(printf, 2, 0))) static void
log_line(enum log_level level, const char *fmt, va_list ap)
{
	char text[LOG_LINE_MAX + 1];
	int saved = errno;
	size_t len;

	if (level <= logger.max) {
		if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
			str_copy(text, sizeof(text), fmt);
		len = strlen(text);
		if (len > 0 && text[len - 1] == '\n')
			text[len - 1] = '\0';
		write_line(level, text);
	}
	errno = saved;
}

void
log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LOG_LEVEL_ERROR, fmt, ap);
	va_end(ap);
}

void
log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LOG_LEVEL_WARN, fmt, ap);
	va_end(ap);
}

void
log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LOG_LEVEL_INFO, fmt, ap);
	va_end(ap);
}

void
log_debug(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LOG_LEVEL_DEBUG, fmt, ap);
	va_end(ap);
}

static bool
needs_quotes(const char *s)
{
	return *s == '\0' || strpbrk(s, " \"\\") != NULL;
}

const char *
log_text(const char *s)
{
	static _Thread_local char bufs[LOG_TEXT_BUFS][LOG_TEXT_MAX];
	static _Thread_local unsigned turn;
	/* Were each byte to be escaped it would still fit. */
	char plain[(LOG_TEXT_MAX - 2) / 2];
	char *dst = bufs[turn++ % LOG_TEXT_BUFS];
	const char *p = plain;
	char *out = dst;

	if (s == NULL)
		return "-";
	str_printable(plain, sizeof(plain), s, strlen(s));
	if (!needs_quotes(plain)) {
		str_copy(dst, LOG_TEXT_MAX, plain);
		return dst;
	}
	*out++ = '"';
	for (; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			*out++ = '\\';
		*out++ = *p;
	}
	*out++ = '"';
	*out = '\0';
	return dst;
}

void
fatal(int exit_code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LOG_LEVEL_ERROR, fmt, ap);
	va_end(ap);
	exit(exit_code);
}

void
log_bug(const char *file, int line, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		str_copy(text, sizeof(text), fmt);
	va_end(ap);
	log_error("bug: %s:%d: %s", file, line, text);
	abort();
}
