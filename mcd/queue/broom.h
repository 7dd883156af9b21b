/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Files that are of no use and could not be unlinked at once: tried again
 * until they are gone, at the latest by the next start.
 */
#ifndef BROOM_H
#define BROOM_H

#include "committer.h"

void broom_init(void);
/* Forgets what is left. */
void broom_release(void);
/* A file of the spool, as committer.h has paths. */
void broom_path(const char *path);
/* A body that no envelope needs. */
void broom_body(const char *body);
/* What a failed operation of a new message has left behind: the envelope
 * durably before its body. */
void broom_op(const struct commit_op *op);

#endif
