/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The upper part of the first screen: is mcd well, is the host well, the
 * three queues, what flows, what mail is.
 */
#ifndef SUMMARY_H
#define SUMMARY_H

#include "grid.h"
#include "source.h"

/* Rows that it wants of a screen of this size. */
int summary_rows(int rows, int cols);
void summary_draw(const struct sample *s, const struct pane *p);
/* The first line; right: words for its right end. */
void summary_bar(const struct sample *s, const struct pane *p, const char *host,
		 const char *right);

#endif
