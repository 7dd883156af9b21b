/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The pool between its workers and lookup: hands on the question for a
 * connection to spamd, and sees to it that each is given back, also for a
 * worker that dies with it.
 */
#ifndef RELAY_SPAMD_H
#define RELAY_SPAMD_H

#include "slot.h"

/* f is a spamd_ask of the process in s; it is answered once. */
void relay_spamd(struct slot *s, const struct frame *f);
/* f is a spamd_done. */
void relay_spamd_done(struct slot *s, const struct frame *f);
/* The message in s is done, or its process is gone. */
void relay_spamd_end(struct slot *s);

#endif
