/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What mcctl says when something is wrong: one line on standard error.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "command.h"
#include "str.h"

__attribute__((format(printf, 4, 0))) static void
say(struct ctx *c, const char *kind, int code, const char *fmt, va_list ap)
{
	char text[1024];
	struct buf b = { 0 };

	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	out_flush(&c->out);
	(void)fflush(stdout);
	if (!c->out.json) {
		fprintf(stderr, "mcctl: %s%s\n",
			code == EX_OK ? "warning: " : "", text);
		return;
	}
	buf_printf(&b, "{\"%s\":", kind);
	json_string(&b, text);
	if (code != EX_OK)
		buf_printf(&b, ",\"exit\":%d", code);
	fprintf(stderr, "%s}\n", buf_str(&b));
	buf_release(&b);
}

int
complain(struct ctx *c, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(c, "error", code, fmt, ap);
	va_end(ap);
	return code;
}

void
caution(struct ctx *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(c, "warning", EX_OK, fmt, ap);
	va_end(ap);
}

int
complain_db(struct ctx *c, enum db_result r, const struct err *e)
{
	static const int codes[] = { [DB_OK] = EX_SOFTWARE,
				     [DB_LATER] = EX_TEMPFAIL,
				     [DB_NEWER] = EX_CONFIG,
				     [DB_FAIL] = EX_UNAVAILABLE };
	int code = codes[r];

	if (r == DB_FAIL && access(c->conf.lib_dir, R_OK | W_OK | X_OK) < 0 &&
	    errno == EACCES)
		code = EX_NOPERM;
	return complain(c, code, "%s", e->text);
}

int
complain_unknown(struct ctx *c, const char *what, const char *name,
		 const char *const *known)
{
	const char *near = str_nearest(name, known);
	char shown[256];

	str_printable(shown, sizeof(shown), name, strlen(name));
	if (near == NULL)
		return complain(c, EX_DATAERR, "%s \"%s\": not known", what,
				shown);
	return complain(c, EX_DATAERR, "%s \"%s\": not known; did you mean %s?",
			what, shown, near);
}
