/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Lists that no command prints: groups of settings, and all commands.
 */
#ifndef MADE_H
#define MADE_H

#include "buf.h"
#include "cmdline.h"
#include "console.h"

/*
 * Appends JSON Lines for words that begin with one of "!groups" and
 * "!commands".  False when a command that is needed has failed; r has its
 * words then.
 */
bool made_list(struct console *c, const struct cmdline *words, struct buf *out,
	       struct result *r);

#endif
