/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A setting written at one level, for all commands that do so.
 */
#ifndef KNOB_PUT_H
#define KNOB_PUT_H

#include "setting.h"
#include "target.h"

/* Parses the value and puts it, in the transaction of c; complains and
 * returns an exit code. */
int knob_put(struct ctx *c, const struct knob *k, const struct target *t,
	     const char *value);

#endif
