/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The frame: two lines above the page, three or four below it.
 */
#include "console_frame.h"

#include <string.h>

#include "str.h"
#include "units.h"

#define WIDE 76 /* columns from which the first line says all */
#define TALL 20 /* rows from which what is chosen is told in two lines */

static void
draw_bar(const struct console *c, const struct pane *p)
{
	const struct pulse *u = &c->pulse;
	bool is_well = pulse_is_well(u);
	enum ink ink = is_well ? INK_BAR : INK_BAR_ALARM;
	char words[512], right[96] = "", n[3][UNITS_SIZE];
	int room, at = 1;

	if (u->has_stats && p->cols >= WIDE)
		str_fmt(right, sizeof(right),
			"incoming %s  filtering %s  outgoing %s",
			units_count(n[0], u->values[STAT_queue_incoming]),
			units_count(n[1], u->values[STAT_queue_filtering]),
			units_count(n[2], u->values[STAT_queue_outgoing]));
	room = p->cols - text_columns(right, -1) - 2;
	pane_fill(p, 0, 0, p->cols, ink, ' ');
	if (is_well || p->cols >= WIDE)
		at += pane_text(p, 0, at, p->cols >= WIDE ? 24 : room / 2,
				is_well ? INK_BAR_STRONG : ink, c->host) +
		      2;
	pane_char(p, 0, at, ink, is_well ? 0x25cf : '!');
	pulse_words(u, words, sizeof(words));
	pane_text(p, 0, at + 2, room - at - 2, ink, words);
	pane_right(p, 0, room, p->cols - room - 1, ink, right);
}

/* "Overview > Domains > Settings of ours.example", the last ones first. */
static void
draw_titles(const struct console *c, const struct page *p,
	    const struct pane *line)
{
	int right = text_columns(p->aside, -1), room, used = 0, first, at = 1;

	pane_fill(line, 0, 0, line->cols, INK_DIM, 0x2500);
	if (right > 0 && right + 4 < line->cols)
		pane_fmt(line, 0, line->cols - right - 3, right + 2, INK_DIM,
			 " %s ", p->aside);
	else
		right = 0;
	room = line->cols - right - 6;
	for (first = c->page_count; first > 0; first--) {
		int width = text_columns(c->pages[first - 1]->title, -1) + 3;

		if (used + width > room && first < c->page_count)
			break;
		used += width;
	}
	for (; first < c->page_count; first++) {
		bool is_last = first + 1 == c->page_count;

		at += pane_fmt(line, 0, at, room - at + 1,
			       is_last ? INK_TITLE : INK_DIM, " %s ",
			       c->pages[first]->title);
		if (!is_last && at < room)
			pane_char(line, 0, at++, INK_DIM, 0x25b6);
	}
}

static int
draw_key(const struct pane *p, int col, const struct tui_key *k)
{
	char name[16];
	int width;

	tui_key_name(k->key, name, sizeof(name));
	width = text_columns(name, -1) + text_columns(k->label, -1) + 3;
	if (col + width > p->cols)
		return 0;
	pane_fmt(p, 0, col, width, INK_BAR_STRONG, " %s", name);
	pane_text(p, 0, col + text_columns(name, -1) + 2, width, INK_BAR,
		  k->label);
	return width;
}

static bool
has_key(const struct page *p, int key)
{
	return tui_key_find(p->keys, p->key_count, key) != NULL;
}

/* Help and back first, then the page's own. */
static void
draw_keys(const struct console *c, const struct page *p,
	  const struct pane *line)
{
	int col = 0, width;

	pane_fill(line, 0, 0, line->cols, INK_BAR, ' ');
	for (size_t i = 0; i < c->key_count && !p->is_typing; i++) {
		if (c->keys[i].label[0] == '\0' || has_key(p, c->keys[i].key))
			continue;
		col += draw_key(line, col, &c->keys[i]);
	}
	for (size_t i = 0; i < p->key_count; i++) {
		if (p->keys[i].label[0] == '\0')
			continue;
		width = draw_key(line, col, &p->keys[i]);
		if (width == 0)
			break;
		col += width;
	}
}

static void
draw_below(const struct console *c, const struct page *p,
	   const struct pane *part)
{
	int rows = part->rows - 2;
	struct pane lines;
	bool is_said = c->said[0] != '\0';
	const char *text = c->waiting[0] != '\0' ? c->waiting
			   : is_said		 ? c->said
						 : p->detail;

	lines = pane_part(part, 0, 1, rows, part->cols - 2);
	pane_fold(&lines, 0, rows,
		  c->waiting[0] != '\0' ? INK_WARN
		  : is_said		? c->said_ink
					: INK_TEXT,
		  text);
	lines = pane_part(part, rows, 0, 1, part->cols);
	if (p->command[0] != '\0')
		pane_fmt(&lines, 0, 1, part->cols - 2, INK_LABEL, "$ %s",
			 p->command);
	lines = pane_part(part, rows + 1, 0, 1, part->cols);
	draw_keys(c, p, &lines);
}

static void
draw_tiny(const struct console *c, const struct pane *p)
{
	char words[512];

	pane_fmt(p, 0, 0, p->cols, INK_WARN, "mcctl needs %d columns, %d rows",
		 FRAME_MIN_COLS, FRAME_MIN_ROWS);
	pulse_words(&c->pulse, words, sizeof(words));
	pane_text(p, 1, 0, p->cols, INK_TEXT, words);
	pane_text(p, 2, 0, p->cols, INK_TEXT, "Esc: back, F10: leave");
}

void
frame_draw(struct console *c, struct page *p, int *row, int *col)
{
	struct grid *g = &c->grid;
	struct pane all = pane_all(g), part;
	int below = g->rows >= TALL ? 4 : 3;

	*row = *col = -1;
	grid_clear(g);
	if (g->rows < FRAME_MIN_ROWS || g->cols < FRAME_MIN_COLS) {
		draw_tiny(c, &all);
		return;
	}
	part = pane_part(&all, 2, 0, g->rows - 2 - below, g->cols);
	p->ops->draw(p, &part);
	if (p->cursor_row >= 0 && p->cursor_row < part.rows) {
		*row = part.top + p->cursor_row;
		*col = p->cursor_col < part.cols ? p->cursor_col
						 : part.cols - 1;
	}
	part = pane_part(&all, 0, 0, 1, g->cols);
	draw_bar(c, &part);
	part = pane_part(&all, 1, 0, 1, g->cols);
	draw_titles(c, p, &part);
	part = pane_part(&all, g->rows - below, 0, below, g->cols);
	draw_below(c, p, &part);
}

static void
help_line(const struct tui_key *k, struct buf *out)
{
	char first[16], second[16], both[40];

	tui_key_name(k->key, first, sizeof(first));
	tui_key_name(k->other, second, sizeof(second));
	str_fmt(both, sizeof(both), "%s%s%s", first, k->other >= 0 ? ", " : "",
		k->other >= 0 ? second : "");
	buf_printf(out, "  %-14s %s\n", both, k->help);
}

void
frame_help(const struct page *p, const struct tui_key *keys, size_t count,
	   struct buf *out)
{
	buf_printf(out, "On this page\n");
	for (size_t i = 0; i < p->key_count; i++)
		help_line(&p->keys[i], out);
	buf_printf(out, "\nEverywhere\n");
	for (size_t i = 0; i < count; i++)
		help_line(&keys[i], out);
	buf_printf(out,
		   "\nWhat is done here is done by the command that stands "
		   "above the last line.\n");
}
