/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The console: a stack of pages on one terminal, and commands of mcctl run
 * for them.  It changes nothing itself: whatever is done is done by a
 * command that could have been typed.
 */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "cmdline.h"
#include "ink.h"
#include "page.h"
#include "template.h"
#include "views.h"

/* What a command has said. */
struct result {
	int code;
	struct buf out, err; /* err: why code is not 0, or a warning */
	bool is_cut; /* it said more than is kept */
};

#define SERIAL_UNKNOWN (-1)

/* p is the console's from now on. */
void console_push(struct console *c, struct page *p);
/* The page below a page, NULL: none. */
struct page *console_below(struct console *c, const struct page *p);
/* All pages above the first go. */
void console_home(struct console *c);
/* A line that stays until the next key is over. */
__attribute__((format(printf, 3, 4))) void
console_say(struct console *c, enum ink ink, const char *fmt, ...);
/*
 * Runs a command line and waits for its end, with frames drawn meanwhile:
 * Esc stops it.  r is cleared first; false when it was stopped or could not
 * be run, which was said then.  With a serial a command that writes is
 * refused (EX_PROTOCOL) when what it changes was changed behind that.
 */
bool console_run(struct console *c, const struct cmdline *words, bool is_json,
		 int64_t serial, struct result *r);
/* The serial of the last change of settings, SERIAL_UNKNOWN when it cannot
 * be read. */
int64_t console_serial(struct console *c);
/* Opens "VIEW [GROUP] [--domain D | --user U] [=ROW]". */
void console_go(struct console *c, const char *words);
/* Reads a command line to be run, with this in it already. */
void console_type(struct console *c, const char *text);
bool console_is_up(const struct console *c); /* mcd runs */
/* "mcctl WORDS" for a page's line. */
void console_command_text(const struct cmdline *words, char *dst, size_t size);

void result_release(struct result *r);

#endif
