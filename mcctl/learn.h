/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Teaching the Bayes filter, for other families of commands.
 */
#ifndef LEARN_H
#define LEARN_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "command.h"

/* Teaches it messages, prints what was learnt; the exit code. */
int learn_mails(struct ctx *c, bool is_spam, const struct span *mails,
		size_t count);

#endif
