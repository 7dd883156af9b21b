/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What one command changed in settings.db, as the log of changes has it.
 */
#ifndef UNDO_H
#define UNDO_H

#include <stdint.h>

#include "command.h"

/*
 * After a commit: says when a row that was changed since serial before had
 * been changed by somebody else shortly before that, and how to go back.
 */
void undo_tell_others(struct ctx *c, const char *who, int64_t before);
/* The serial of this host's last change, 0 without one. */
int64_t undo_last_serial(struct ctx *c);

#endif
