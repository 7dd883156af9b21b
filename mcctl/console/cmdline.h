/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A command line as its words, and as a person would type it into a shell.
 */
#ifndef CMDLINE_H
#define CMDLINE_H

#include <stddef.h>

#include "buf.h"
#include "err.h"

#define CMDLINE_WORDS 1024

/* Words are its own; a zeroed one is empty and usable. */
struct cmdline {
	char *words[CMDLINE_WORDS + 1]; /* NULL behind the last */
	int count;
};

/* A word more; beyond CMDLINE_WORDS they are dropped. */
void cmdline_add(struct cmdline *l, const char *word);
void cmdline_addf(struct cmdline *l, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The words of a text: blanks part them, '...', "..." and \ keep them
 * together as in a shell; -1 with e when a quote has no end. */
int cmdline_split(struct cmdline *l, const char *text, struct err *e);
/* Appends the words with blanks between, quoted where a shell wants it. */
void cmdline_text(const struct cmdline *l, struct buf *out);
void cmdline_release(struct cmdline *l);

#endif
