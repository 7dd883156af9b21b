/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Help out of the table of commands.
 */
#ifndef HELP_H
#define HELP_H

#include <stdio.h>

#include "command.h"

/* All commands, those of a family, or the one. */
void help_print(FILE *f, const char *family, const char *verb);
/* "usage: mcctl FAMILY VERB SYNOPSIS". */
void help_usage(const struct command *cmd, char *dst, size_t size);
/* Says which word is wrong, and which it may have been: EX_USAGE. */
int help_unknown(struct ctx *c, const char *family, const char *verb);

#endif
