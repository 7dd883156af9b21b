/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One line that is asked for, over the last lines of the page below.
 */
#ifndef PROMPT_PAGE_H
#define PROMPT_PAGE_H

#include "console.h"

/* fn gets what was typed, once Enter was pressed; not at all after Esc.
 * What arg is must outlive the page. */
void prompt_page_open(struct console *c, const char *label, const char *hint,
		      const char *text, void (*fn)(void *arg, const char *text),
		      void *arg);

#endif
