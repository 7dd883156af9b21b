/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Searching everywhere: the page below, lists, settings, domains, commands.
 */
#ifndef FIND_PAGE_H
#define FIND_PAGE_H

#include "console.h"

void find_page_open(struct console *c);

#endif
