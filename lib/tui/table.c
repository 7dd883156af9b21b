/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Tables: which columns fit, which rows are shown, in which order.
 */
#include "table.h"

#include <stdlib.h>
#include <string.h>

#include "str.h"
#include "xalloc.h"

#define FLEXIBLE_MIN 16

void
table_init(struct table *t, int room)
{
	memset(t, 0, sizeof(*t));
	t->room = room;
	t->rows = xcalloc((size_t)room, sizeof(*t->rows));
	t->order = xcalloc((size_t)room, sizeof(*t->order));
}

void
table_release(struct table *t)
{
	free(t->rows);
	free(t->order);
	t->rows = NULL;
	t->order = NULL;
}

void
table_start(struct table *t, const struct column *columns, int count)
{
	t->columns = columns;
	t->column_count = count;
	t->count = 0;
}

struct table_row *
table_add(struct table *t)
{
	struct table_row *r;

	if (t->count == t->room)
		return NULL;
	r = &t->rows[t->count++];
	for (int i = 0; i < TABLE_COLUMNS; i++) {
		r->cells[i].text[0] = '\0';
		r->cells[i].sort = 0;
		r->cells[i].ink = INK_TEXT;
	}
	return r;
}

void
table_text(struct table_row *r, int col, enum ink ink, const char *text)
{
	str_printable(r->cells[col].text, TABLE_TEXT, text, strlen(text));
	r->cells[col].ink = ink;
}

void
table_number(struct table_row *r, int col, enum ink ink, int64_t sort,
	     const char *text)
{
	str_copy(r->cells[col].text, TABLE_TEXT, text);
	r->cells[col].sort = sort;
	r->cells[col].ink = ink;
}

static bool
passes(const struct table *t, const struct table_row *r, const char *filter)
{
	if (filter[0] == '\0')
		return true;
	for (int i = 0; i < t->column_count; i++) {
		if (strcasestr(r->cells[i].text, filter) != NULL)
			return true;
	}
	return false;
}

struct order {
	const struct table *t;
	const struct table_state *st;
};

static int
compare(const void *a, const void *b, void *arg)
{
	const struct order *o = arg;
	int x = *(const int *)a, y = *(const int *)b, sort = o->st->sort;
	const struct cell_text *c, *d;
	int result;

	if (sort < 0 || sort >= o->t->column_count)
		return o->st->is_reversed ? y - x : x - y;
	c = &o->t->rows[x].cells[sort];
	d = &o->t->rows[y].cells[sort];
	if (o->t->columns[sort].is_left)
		result = strcmp(c->text, d->text);
	else /* the largest first */
		result = c->sort > d->sort ? -1 : c->sort < d->sort;
	if (o->st->is_reversed)
		result = -result;
	return result != 0 ? result : x - y;
}

/* Leaves out columns until the rest fits; gives each its width. */
void
table_widths(const struct table *t, int room, int widths[TABLE_COLUMNS])
{
	int i, sum, flexible, worst;

	for (i = 0; i < t->column_count; i++)
		widths[i] = t->columns[i].width > 0 ? t->columns[i].width
						    : FLEXIBLE_MIN;
	for (;;) {
		sum = -1;
		flexible = worst = -1;
		for (i = 0; i < t->column_count; i++) {
			if (widths[i] == 0)
				continue;
			sum += widths[i] + 1;
			if (t->columns[i].width == 0)
				flexible = i;
			if (t->columns[i].rank > 0 &&
			    (worst < 0 ||
			     t->columns[i].rank >= t->columns[worst].rank))
				worst = i;
		}
		if (sum <= room || worst < 0)
			break;
		widths[worst] = 0;
	}
	if (flexible >= 0)
		widths[flexible] += room - sum;
	if (flexible >= 0 && widths[flexible] < 4)
		widths[flexible] = 4;
}

static void
draw_head(const struct table *t, const struct table_state *st,
	  const struct pane *p, const int *widths)
{
	int i, col = 0;

	pane_fill(p, 0, 0, p->cols, INK_HEAD, ' ');
	for (i = 0; i < t->column_count; i++) {
		enum ink ink = st->sort == i ? INK_HEAD_STRONG : INK_HEAD;

		if (widths[i] == 0)
			continue;
		if (t->columns[i].is_left)
			pane_text(p, 0, col, widths[i], ink,
				  t->columns[i].title);
		else
			pane_right(p, 0, col, widths[i], ink,
				   t->columns[i].title);
		if (st->sort == i && col + widths[i] < p->cols)
			pane_char(p, 0, col + widths[i], ink,
				  st->is_reversed ? 0x25b2 : 0x25bc);
		col += widths[i] + 1;
	}
}

static void
draw_row(const struct table *t, const struct table_row *r, const struct pane *p,
	 int row, const int *widths)
{
	int i, col = 0;

	for (i = 0; i < t->column_count; i++) {
		const struct cell_text *c = &r->cells[i];

		if (widths[i] == 0)
			continue;
		if (t->columns[i].is_left)
			pane_text(p, row, col, widths[i], c->ink, c->text);
		else
			pane_right(p, row, col, widths[i], c->ink, c->text);
		col += widths[i] + 1;
	}
}

/* The chosen row stays in sight. */
static void
bound(struct table_state *st, int count, int room)
{
	if (st->chosen >= count)
		st->chosen = count - 1;
	if (st->chosen < 0)
		st->chosen = 0;
	if (st->first > st->chosen)
		st->first = st->chosen;
	if (room > 0 && st->first + room <= st->chosen)
		st->first = st->chosen - room + 1;
	if (st->first > count - room)
		st->first = count - room;
	if (st->first < 0)
		st->first = 0;
}

/* Fills t->order; returns how many rows are shown. */
static int
arrange(struct table *t, const struct table_state *st)
{
	struct order o = { t, st };
	int i, count = 0;

	for (i = 0; i < t->count; i++) {
		if (passes(t, &t->rows[i], st->filter))
			t->order[count++] = i;
	}
	qsort_r(t->order, (size_t)count, sizeof(*t->order), compare, &o);
	return count;
}

int
table_draw(struct table *t, struct table_state *st, const struct pane *p,
	   bool is_active)
{
	int widths[TABLE_COLUMNS], count = arrange(t, st), i;
	int room = p->rows - 1;

	bound(st, count, room);
	st->row = count > 0 ? t->order[st->chosen] : -1;
	if (p->rows < 1 || p->cols < 4)
		return count;
	table_widths(t, p->cols, widths);
	draw_head(t, st, p, widths);
	for (i = 0; i < room && st->first + i < count; i++) {
		draw_row(t, &t->rows[t->order[st->first + i]], p, 1 + i,
			 widths);
		if (is_active && st->first + i == st->chosen)
			pane_tint(p, 1 + i, 0, p->cols, INK_CHOSEN);
	}
	return count;
}

void
table_choose(struct table *t, struct table_state *st, int row)
{
	int count = arrange(t, st), i;

	for (i = 0; i < count; i++) {
		if (t->order[i] != row)
			continue;
		st->chosen = i;
		st->row = row;
	}
}
