/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What follows from the filters' verdicts on a message.
 */
#ifndef VERDICT_H
#define VERDICT_H

#include "scan.h"

/* All fates of s are told.  Takes s, ends with stage_done(). */
void verdict_act(struct scan *s);
/* A worker died computing on it.  Takes s. */
void verdict_death(struct scan *s);

#endif
