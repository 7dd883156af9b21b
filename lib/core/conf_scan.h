/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A look over the text of mcd.conf before libconfig gets it: bounds what
 * its parser would do without bound (depth, number of settings, includes),
 * and refuses what it would take for something else (numbers above 32
 * bits wrap around, a NUL ends the text).
 */
#ifndef CONF_SCAN_H
#define CONF_SCAN_H

#include "buf.h"
#include "err.h"

#define CONF_DEPTH_MAX 16 /* brackets within brackets */
#define CONF_TOKENS_MAX 20000 /* separators, brackets and strings */

/* -1: e is "PATH:LINE: what was wrong: what was expected". */
int conf_scan(struct span text, const char *path, struct err *e);
/* Lines in text, at least 1. */
int conf_scan_lines(struct span text);

#endif
