/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A form: the fields of an action's template, with what would change and
 * the command line that would do it.
 */
#ifndef FORM_PAGE_H
#define FORM_PAGE_H

#include "console.h"

/* s is read while this runs; serial is that of what it holds. */
void form_page_open(struct console *c, const struct view_action *a,
		    const struct template_source *s, int64_t serial);

#endif
