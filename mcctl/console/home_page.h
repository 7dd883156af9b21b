/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The first page: how mcd is, what waits, what is wrong, and the menu.
 */
#ifndef HOME_PAGE_H
#define HOME_PAGE_H

#include "console.h"
#include "pulse.h"

/* pulse is borrowed for as long as the page is there. */
struct page *home_page_new(struct console *c, const struct pulse *pulse);

#endif
