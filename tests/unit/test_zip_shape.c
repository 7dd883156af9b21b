/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Directories of ZIP archives: whole, cut, and with members that are larger
 * than is looked at.
 */
#include "check.h"
#include "zip_shape.h"

#define LOCAL "PK\3\4................name"
#define LIMIT 1000
#define Z4 "\0\0\0\0"
#define Z8 Z4 Z4
/* Up to the size that a member has when it is unpacked. */
#define ENTRY "PK\1\2" Z8 Z8 Z4
#define NAME "\4\0"
#define NO_EXTRA "\0\0"
#define REST "\0\0" Z8 Z4 "name"
#define SMALL ENTRY "\xe8\3\0\0" NAME NO_EXTRA REST
#define LARGE ENTRY "\xe9\3\0\0" NAME NO_EXTRA REST
#define FULL ENTRY "\xff\xff\xff\xff" NAME
#define WIDE(size) FULL "\x0c\0" REST "\1\0\x08\0" size
#define END(count, size) "PK\5\6" Z4 count "\0" count "\0" size "\0\0\0" Z4 "\0"
#define B(s) s, sizeof(s) /* its NUL is the last byte of END */

static const struct {
	const char *words;
	const char *in;
	size_t len;
	enum zip_shape want;
} rows[] = {
	{ "text", B("text that is none"), ZIP_NONE },
	{ "nothing", "", 0, ZIP_NONE },
	{ "a signature alone", "PK\3\4", 4, ZIP_CUT },
	{ "one member", B(LOCAL SMALL END("\1", "\x32")), ZIP_WHOLE },
	{ "two members", B(LOCAL SMALL SMALL END("\2", "\x64")), ZIP_WHOLE },
	{ "bytes behind it",
	  B(LOCAL SMALL END("\1", "\x32") "\0 and a signature"), ZIP_WHOLE },
	{ "cut before its directory", B(LOCAL "and what is in it"), ZIP_CUT },
	{ "cut in its directory", B(LOCAL SMALL), ZIP_CUT },
	{ "a directory of no member", B(LOCAL END("\0", "\0")), ZIP_CUT },
	{ "a directory larger than all", B(LOCAL SMALL END("\1", "\xff")),
	  ZIP_CUT },
	{ "a directory that is none", B(LOCAL LOCAL LOCAL END("\1", "\x10")),
	  ZIP_CUT },
	{ "an entry that is cut", B(LOCAL SMALL "PK\1\2" END("\2", "\x36")),
	  ZIP_CUT },
	{ "a member over the limit", B(LOCAL SMALL LARGE END("\2", "\x64")),
	  ZIP_LARGE },
	{ "ZIP64, a small member",
	  B(LOCAL WIDE("\1\0\0\0\0\0\0\0") END("\1", "\x3e")), ZIP_WHOLE },
	{ "ZIP64, one over the limit",
	  B(LOCAL WIDE("\0\0\0\0\1\0\0\0") END("\1", "\x3e")), ZIP_LARGE },
	{ "4 GB, and nothing that says more",
	  B(LOCAL FULL NO_EXTRA REST END("\1", "\x32")), ZIP_LARGE },
};

int
main(void)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_INT(zip_shape((struct span){ rows[i].in, rows[i].len },
				    LIMIT),
			  rows[i].want, "%s", rows[i].words);
	return check_done();
}
