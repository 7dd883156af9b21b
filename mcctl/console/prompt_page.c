/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Asking for a line.
 */
#include "prompt_page.h"

#include <stdlib.h>

#include "input.h"
#include "str.h"

struct prompt_page {
	struct page page;
	struct input input;
	char label[32], hint[200];
	void (*fn)(void *arg, const char *text);
	void *arg;
};

static void
draw_prompt(struct page *page, const struct pane *p)
{
	struct prompt_page *q = (struct prompt_page *)page;
	struct page *below = console_below(page->console, page);
	int top = p->rows > 3 ? p->rows - 3 : 0, label;
	struct pane part = pane_part(p, 0, 0, top, p->cols);

	if (below != NULL && part.rows > 0)
		below->ops->draw(below, &part);
	part = pane_part(p, top, 0, p->rows - top, p->cols);
	pane_fill(&part, 0, 0, part.cols, INK_DIM, 0x2500);
	pane_fill(&part, 1, 0, part.cols, INK_TEXT, ' ');
	label = pane_text(&part, 1, 1, part.cols / 2, INK_TITLE, q->label) + 2;
	page->cursor_col = input_draw(&q->input, &part, 1, label,
				      part.cols - label - 1, INK_FIELD);
	page->cursor_row = top + 1;
	pane_fill(&part, 2, 0, part.cols, INK_TEXT, ' ');
	pane_text(&part, 2, label, part.cols - label, INK_DIM, q->hint);
}

static bool
key_prompt(struct page *page, int key)
{
	struct prompt_page *q = (struct prompt_page *)page;

	if (key == TUI_ESC) {
		page->is_done = true;
	} else if (key == TUI_ENTER) {
		page->is_done = true;
		q->fn(q->arg, q->input.text);
	} else {
		(void)input_key(&q->input, key);
	}
	return true;
}

static void
paste_prompt(struct page *page, const char *text)
{
	input_paste(&((struct prompt_page *)page)->input, text);
}

static void
free_prompt(struct page *page)
{
	free(page);
}

static const struct page_ops prompt_ops = {
	.draw = draw_prompt,
	.key = key_prompt,
	.paste = paste_prompt,
	.free = free_prompt,
};

void
prompt_page_open(struct console *c, const char *label, const char *hint,
		 const char *text, void (*fn)(void *arg, const char *text),
		 void *arg)
{
	struct prompt_page *q = page_new(sizeof(*q), &prompt_ops, c, label);

	str_copy(q->label, sizeof(q->label), label);
	str_copy(q->hint, sizeof(q->hint), hint);
	input_set(&q->input, text);
	q->fn = fn;
	q->arg = arg;
	q->page.is_typing = true;
	page_add_key(&q->page, TUI_ENTER, TUI_NONE, "Take it", "take it");
	page_add_key(&q->page, TUI_ESC, TUI_NONE, "Leave it", "as it was");
	page_add_key(&q->page, 21, TUI_NONE, "Empty", "empty the line");
	console_push(c, &q->page);
}
