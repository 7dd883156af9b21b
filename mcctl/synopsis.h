/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What may stand where on a command line, read off the synopsis of the
 * command's row.  Words in capitals stand for names (complete.def has
 * where they come from), all others are typed as they are.
 */
#ifndef SYNOPSIS_H
#define SYNOPSIS_H

#include "command.h"

#define SYNOPSIS_WORD 48

/* A word that may stand there: "DOMAIN", "spam", or "kind:" before NAME. */
struct synopsis_word {
	char prefix[SYNOPSIS_WORD]; /* of a word such as kind:NAME, or "" */
	char name[SYNOPSIS_WORD]; /* in capitals, or to be typed so */
	bool is_name; /* in capitals */
};

typedef void synopsis_fn(void *arg, const struct synopsis_word *w);
/* All words that may stand behind these arguments. */
void synopsis_next(const struct command *cmd, char *const *args, int count,
		   synopsis_fn *fn, void *arg);
/* The name that an option takes, by its own name or letter; false when it
 * takes none. */
bool synopsis_value(const struct command *cmd, const char *option, size_t len,
		    char letter, char name[SYNOPSIS_WORD]);
/* All words of the synopsis, wherever they stand. */
void synopsis_all(const struct command *cmd, synopsis_fn *fn, void *arg);

#endif
