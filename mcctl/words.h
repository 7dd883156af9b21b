/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The words of a command line, sorted by the row of their command.
 */
#ifndef WORDS_H
#define WORDS_H

#include "command.h"

/*
 * Fills c->command, options and arguments (which stay in words).  Returns
 * true when the command is to be run; else *code is the exit code: usage
 * was shown because it was asked for, or what is wrong was said.
 */
bool words_parse(struct ctx *c, char **words, int *code);
/* The command of these words; verb may be NULL.  NULL: there is none. */
const struct command *words_command(const char *family, const char *verb);
/* Each option of a command's own, without its dashes. */
void words_each_option(const struct command *cmd,
		       void (*fn)(void *arg, const char *name, size_t len),
		       void *arg);

#endif
