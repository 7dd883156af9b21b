/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Which messages a command is about: the options that choose, as words of
 * queue_view.h, and lists of ids.
 */
#ifndef CHOICE_H
#define CHOICE_H

#include <stdio.h>

#include "buf.h"
#include "command.h"
#include "err.h"

/* Appends the words of all options and arguments.  EX_OK, or complains. */
int choice_words(struct ctx *c, struct buf *words);

/* Bytes of a question's argument, and its end. */
#define IDS_BATCH_SIZE 1025

struct ids {
	FILE *in; /* one a line, what follows a blank is ignored; or NULL */
	char **args;
	int count; /* of args */
	int at; /* args taken */
	size_t line;
};

/* The next ids, each with a blank behind it: 1; 0 at the end; -1 with e at
 * what is no id, or when they cannot be read. */
int choice_next(struct ids *ids, char names[IDS_BATCH_SIZE], struct err *e);

#endif
