/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Texts of failures: composed, cut, and used as their own arguments.
 */
#include "err.h"

#include <errno.h>

#include "str.h"

#include "check.h"

static void
test_compose(void)
{
	struct err e;

	CHECK_INT(err_set(&e, "no %s", "mail"), -1, "err_set returns -1");
	CHECK_STR(e.text, "no mail", "err_set formats");
	CHECK_INT(err_prefix(&e, "%s:%d", "mcd.conf", 14), -1,
		  "err_prefix returns -1");
	CHECK_STR(e.text, "mcd.conf:14: no mail", "err_prefix goes in front");
	err_set(&e, "[%s]", e.text);
	CHECK_STR(e.text, "[mcd.conf:14: no mail]",
		  "the old text may be part of the new one");
	err_prefix(&e, "%s", e.text);
	CHECK_STR(e.text, "[mcd.conf:14: no mail]: [mcd.conf:14: no mail]",
		  "and part of the prefix");
	errno = ENOENT;
	CHECK_INT(err_sys(&e, "open %s", "x"), -1, "err_sys returns -1");
	CHECK_STR(e.text, "open x: No such file or directory",
		  "err_sys appends what errno says");
	CHECK_INT(errno, ENOENT, "err_sys keeps errno");
	CHECK_INT(err_set(NULL, "x"), -1, "NULL is taken by err_set");
	CHECK_INT(err_sys(NULL, "x"), -1, "NULL is taken by err_sys");
	CHECK_INT(err_prefix(NULL, "x"), -1, "NULL is taken by err_prefix");
}

static void
test_cut(void)
{
	const size_t max = sizeof(((struct err *)0)->text) - 1;
	char text[2 * sizeof(((struct err *)0)->text)];
	struct err e;

	memset(text, 'x', max);
	text[max] = '\0';
	err_set(&e, "%s", text);
	CHECK_STR(e.text, text, "a text that just fits is whole");
	text[max] = 'x';
	text[max + 1] = '\0';
	err_set(&e, "%s", text);
	CHECK_INT(strlen(e.text), max, "a text too long is cut");
	CHECK_STR(e.text + max - 4, "x...", "and says so");
	errno = EIO;
	err_sys(&e, "%s", text);
	CHECK_STR(e.text + max - 4, "x...", "so does err_sys");
	err_set(&e, "short");
	err_prefix(&e, "%s", text);
	CHECK_STR(e.text + max - 4, "x...", "so does err_prefix");
	text[max - 4] = '\xc3';
	text[max - 3] = '\xa4';
	err_set(&e, "%s", text);
	CHECK(str_is_utf8(e.text, strlen(e.text)),
	      "a character is not cut in two");
	CHECK_STR(e.text + strlen(e.text) - 4, "x...", "but left out");
}

int
main(void)
{
	test_compose();
	test_cut();
	return check_done();
}
