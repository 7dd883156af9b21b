/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A view: a list of rows, and what can be done with them.
 */
#ifndef LIST_PAGE_H
#define LIST_PAGE_H

#include "console.h"

/* scope and group may be NULL; row, "" or the name of a row that is to be
 * chosen.  The list is read when it is first shown. */
struct page *list_page_new(struct console *c, enum view_id view,
			   const struct scope *scope, const char *group,
			   const char *row);
/* Its view; VIEW_COUNT when it is no list. */
enum view_id list_page_view(const struct page *p);

#endif
