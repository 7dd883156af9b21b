/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What all pages have.
 */
#include "page.h"

#include "str.h"
#include "xalloc.h"

void *
page_new(size_t size, const struct page_ops *ops, struct console *c,
	 const char *title)
{
	struct page *p = xcalloc(1, size);

	p->ops = ops;
	p->console = c;
	p->cursor_row = -1;
	str_copy(p->title, sizeof(p->title), title);
	return p;
}

void
page_add_key(struct page *p, int key, int other, const char *label,
	     const char *help)
{
	if (p->key_count < PAGE_KEYS)
		p->keys[p->key_count++] =
			(struct tui_key){ key, other, 0, label, help };
}
