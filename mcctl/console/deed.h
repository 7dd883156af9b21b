/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Something to be done: a command line, whether one is asked before, and
 * what becomes of what it says.
 */
#ifndef DEED_H
#define DEED_H

#include "console.h"

/*
 * Does it, or asks first (ACTION_ASK); shows what it says (ACTION_SHOW), or
 * that it was done.  When somebody else has changed meanwhile what it
 * changes, that is said and nothing is done unless one wants it.  help says
 * what it does.  words are taken over and emptied.
 */
void deed_do(struct console *c, struct cmdline *words, unsigned flags,
	     const char *help, int64_t serial);

/* What is asked about a command line before it is done: what it does; NULL:
 * it may be done at once. */
const char *deed_question(const struct cmdline *words);

#endif
