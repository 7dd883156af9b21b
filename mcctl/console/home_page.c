/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Overview and menu.
 */
#include "home_page.h"

#include <stdlib.h>
#include <string.h>

#include "str.h"
#include "units.h"

struct home_page {
	struct page page;
	const struct pulse *pulse;
	enum view_id rows[VIEW_COUNT];
	int count, chosen, first, room;
};

static const struct cell_of {
	const char *name;
	enum stat_id stat;
	enum ink ink; /* when it is not 0 */
} queues[] = {
	{ "incoming", STAT_queue_incoming, INK_INCOMING },
	{ "filtering", STAT_queue_filtering, INK_FILTERING },
	{ "outgoing", STAT_queue_outgoing, INK_OUTGOING },
	{ "hold", STAT_queue_hold, INK_WARN },
	{ "quarantine", STAT_queue_quarantine, INK_STRONG },
	{ "corrupt", STAT_queue_corrupt, INK_BAD },
};
#define QUEUES ((int)(sizeof(queues) / sizeof(*queues)))

static void
draw_queues(const struct home_page *h, const struct pane *p)
{
	int across = p->cols >= 66 ? 3 : 2, width = p->cols / across;
	char n[UNITS_SIZE];

	if (width > 24)
		width = 24;
	for (int i = 0; i < QUEUES; i++) {
		int row = i / across, col = 1 + i % across * width;
		int64_t v = h->pulse->has_stats
				    ? h->pulse->values[queues[i].stat]
				    : -1;

		pane_text(p, row, col, 10, INK_LABEL, queues[i].name);
		pane_right(p, row, col + 10, 7, v > 0 ? queues[i].ink : INK_DIM,
			   units_count(n, v));
	}
}

/* What is wrong, or that nothing is; one line. */
static void
draw_state(const struct home_page *h, const struct pane *p, int row)
{
	const struct pulse *u = h->pulse;
	char words[512], age[UNITS_SIZE], bytes[UNITS_SIZE];
	int64_t oldest = u->has_stats ? u->values[STAT_queue_oldest_us] : 0;

	if (!pulse_is_well(u)) {
		pulse_words(u, words, sizeof(words));
		pane_fmt(p, row, 1, p->cols - 2, INK_BAD, "%s%s", words,
			 u->beat.is_running
				 ? ""
				 : "; settings can be changed all the same");
		return;
	}
	if (oldest > 0) {
		units_age(age, u->now_us - oldest);
		units_bytes(bytes, u->values[STAT_queue_bytes]);
		pane_fmt(p, row, 1, p->cols - 2, INK_TEXT,
			 "The oldest message waits for %s; %s in all", age,
			 bytes);
		return;
	}
	pane_text(p, row, 1, p->cols - 2, INK_DIM, "No message waits.");
}

static int64_t
number_of(const struct home_page *h, enum view_id v)
{
	const int64_t *n = h->pulse->values;

	if (!h->pulse->has_stats)
		return -1;
	if (v == VIEW_quarantine)
		return n[STAT_queue_quarantine];
	if (v == VIEW_queue)
		return n[STAT_queue_incoming] + n[STAT_queue_filtering] +
		       n[STAT_queue_outgoing] + n[STAT_queue_hold];
	return -1;
}

static void
draw_menu(struct home_page *h, const struct pane *p)
{
	char n[UNITS_SIZE];

	h->room = p->rows > 0 ? p->rows : 1;
	if (h->chosen >= h->first + h->room)
		h->first = h->chosen - h->room + 1;
	if (h->chosen < h->first)
		h->first = h->chosen;
	if (h->first > h->count - h->room)
		h->first = h->count > h->room ? h->count - h->room : 0;
	for (int i = 0; i < h->room && h->first + i < h->count; i++) {
		enum view_id v = h->rows[h->first + i];
		int64_t number = number_of(h, v);

		pane_text(p, i, 1, 15, INK_STRONG, view_table[v].title);
		if (number > 0)
			pane_right(p, i, 15, 6, INK_STRONG,
				   units_count(n, number));
		pane_text(p, i, 23, p->cols - 24, INK_TEXT, view_table[v].help);
		if (h->first + i == h->chosen)
			pane_tint(p, i, 0, p->cols, INK_CHOSEN);
	}
}

static void
draw_home(struct page *page, const struct pane *p)
{
	struct home_page *h = (struct home_page *)page;
	int above = p->rows >= 16  ? (p->cols >= 66 ? 5 : 6)
		    : p->rows >= 9 ? (p->cols >= 66 ? 3 : 4)
				   : 0;
	struct pane part;

	if (above > 0) {
		part = pane_part(p, p->rows >= 16, 0, 3, p->cols);
		draw_queues(h, &part);
		draw_state(h, p, (p->rows >= 16) + (p->cols >= 66 ? 2 : 3));
	}
	part = pane_part(p, above, 0, p->rows - above, p->cols);
	draw_menu(h, &part);
	str_copy(page->detail, sizeof(page->detail),
		 view_table[h->rows[h->chosen]].help);
	if (h->room < h->count)
		str_fmt(page->aside, sizeof(page->aside), "%d of %d",
			h->chosen + 1, h->count);
	else
		page->aside[0] = '\0';
}

static bool
key_home(struct page *page, int key)
{
	struct home_page *h = (struct home_page *)page;

	if (key == TUI_UP || key == 'k')
		h->chosen--;
	else if (key == TUI_DOWN || key == 'j')
		h->chosen++;
	else if (key == TUI_PAGE_UP)
		h->chosen -= h->room;
	else if (key == TUI_PAGE_DOWN)
		h->chosen += h->room;
	else if (key == TUI_HOME || key == 'g')
		h->chosen = 0;
	else if (key == TUI_END || key == 'G')
		h->chosen = h->count;
	else if (key == TUI_ENTER || key == TUI_RIGHT)
		console_go(page->console, view_table[h->rows[h->chosen]].name);
	else
		return false;
	if (h->chosen >= h->count)
		h->chosen = h->count - 1;
	if (h->chosen < 0)
		h->chosen = 0;
	return true;
}

static void
free_home(struct page *page)
{
	free(page);
}

static const struct page_ops home_ops = {
	.draw = draw_home,
	.key = key_home,
	.free = free_home,
};

struct page *
home_page_new(struct console *c, const struct pulse *pulse)
{
	struct home_page *h = page_new(sizeof(*h), &home_ops, c, "Overview");

	h->pulse = pulse;
	for (int i = 0; i < VIEW_COUNT; i++)
		if (!(view_table[i].flags & VIEW_HIDDEN))
			h->rows[h->count++] = (enum view_id)i;
	page_add_key(&h->page, TUI_ENTER, TUI_RIGHT, "Open", "open the list");
	page_add_key(&h->page, TUI_DOWN, 'j', "", "a row down");
	page_add_key(&h->page, TUI_UP, 'k', "", "a row up");
	return &h->page;
}
