/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Cells and panes.  Widths are wcwidth's: a program calls setlocale()
 * first where it wants more than ASCII.
 */
#include "grid.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "str.h"
#include "xalloc.h"

#define TEXT_MAX 1024 /* bytes of one formatted text */

/* What our own drawings become on a terminal with ASCII only. */
static const struct {
	uint32_t cp;
	char ascii;
} plain[] = {
	{ 0x2500, '-' }, { 0x2502, '|' }, { 0x250c, '+' }, { 0x2510, '+' },
	{ 0x2514, '+' }, { 0x2518, '+' }, { 0x251c, '+' }, { 0x2524, '+' },
	{ 0x2026, '~' }, { 0x00b7, '.' }, { 0x25cf, '*' }, { 0x25cb, 'o' },
	{ 0x25b2, '^' }, { 0x25bc, 'v' }, { 0x2192, '>' }, { 0x2190, '<' },
	{ 0x2588, '#' }, { 0x00d7, 'x' }, { 0x2013, '-' }, { 0x25b6, '>' },
};

void
grid_resize(struct grid *g, int rows, int cols)
{
	g->rows = rows < 0 ? 0 : rows > GRID_SIDE_MAX ? GRID_SIDE_MAX : rows;
	g->cols = cols < 0 ? 0 : cols > GRID_SIDE_MAX ? GRID_SIDE_MAX : cols;
	free(g->cells);
	g->cells = xcalloc((size_t)g->rows * (size_t)g->cols + 1,
			   sizeof(*g->cells));
	grid_clear(g);
}

void
grid_clear(struct grid *g)
{
	size_t n = (size_t)g->rows * (size_t)g->cols;

	for (size_t i = 0; i < n; i++)
		g->cells[i] = (struct cell){ ' ', INK_TEXT };
}

void
grid_release(struct grid *g)
{
	free(g->cells);
	g->cells = NULL;
	g->rows = g->cols = 0;
}

const struct cell *
grid_cell(const struct grid *g, int row, int col)
{
	return &g->cells[(size_t)row * (size_t)g->cols + (size_t)col];
}

static void
add_utf8(struct buf *b, uint32_t cp)
{
	char s[4];
	size_t n = 0;

	if (cp < 0x80) {
		s[n++] = (char)cp;
	} else if (cp < 0x800) {
		s[n++] = (char)(0xc0 | cp >> 6);
	} else if (cp < 0x10000) {
		s[n++] = (char)(0xe0 | cp >> 12);
		s[n++] = (char)(0x80 | (cp >> 6 & 0x3f));
	} else {
		s[n++] = (char)(0xf0 | cp >> 18);
		s[n++] = (char)(0x80 | (cp >> 12 & 0x3f));
		s[n++] = (char)(0x80 | (cp >> 6 & 0x3f));
	}
	if (cp >= 0x80)
		s[n++] = (char)(0x80 | (cp & 0x3f));
	buf_add(b, s, n);
}

static int
used_columns(const struct grid *g, int row)
{
	int n = g->cols;

	while (n > 0 && grid_cell(g, row, n - 1)->cp == ' ')
		n--;
	return n;
}

void
grid_print(const struct grid *g, struct buf *out)
{
	int rows = g->rows, row, col, n;

	while (rows > 0 && used_columns(g, rows - 1) == 0)
		rows--;
	for (row = 0; row < rows; row++) {
		n = used_columns(g, row);
		for (col = 0; col < n; col++) {
			if (grid_cell(g, row, col)->cp != 0)
				add_utf8(out, grid_cell(g, row, col)->cp);
		}
		buf_add_char(out, '\n');
	}
}

struct pane
pane_all(struct grid *g)
{
	return (struct pane){ g, 0, 0, g->rows, g->cols };
}

struct pane
pane_part(const struct pane *p, int top, int left, int rows, int cols)
{
	struct pane part = { p->grid, 0, 0, 0, 0 };

	if (top < 0 || left < 0 || top >= p->rows || left >= p->cols)
		return part;
	part.top = p->top + top;
	part.left = p->left + left;
	part.rows = rows < p->rows - top ? rows : p->rows - top;
	part.cols = cols < p->cols - left ? cols : p->cols - left;
	if (part.rows < 0)
		part.rows = 0;
	if (part.cols < 0)
		part.cols = 0;
	return part;
}

/* What may stand in a cell, and its columns; 0 columns: left out. */
static int
showable(bool is_utf8, uint32_t *cp)
{
	int width;

	if (*cp >= 0x20 && *cp < 0x7f)
		return 1;
	if (*cp < 0xa0) {
		*cp = '?';
		return 1;
	}
	if (!is_utf8) {
		for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++) {
			if (plain[i].cp == *cp) {
				*cp = (unsigned char)plain[i].ascii;
				return 1;
			}
		}
		*cp = '?';
		return 1;
	}
	width = wcwidth((wchar_t)*cp);
	if (width < 0) {
		*cp = '?';
		return 1;
	}
	return width;
}

static size_t
next_char(const char *s, size_t len, uint32_t *cp)
{
	size_t n = str_utf8_next(s, len, cp);

	if (n > 0)
		return n;
	*cp = '?';
	return 1;
}

int
text_columns(const char *s, int len)
{
	size_t left = len < 0 ? strlen(s) : strnlen(s, (size_t)len), n;
	int columns = 0;
	uint32_t cp;

	for (; left > 0; s += n, left -= n) {
		n = next_char(s, left, &cp);
		columns += showable(true, &cp);
	}
	return columns;
}

/* A wide character that loses a half becomes blank. */
static void
put(const struct pane *p, int row, int col, enum ink ink, uint32_t cp)
{
	struct grid *g = p->grid;
	struct cell *c;

	if (row < 0 || col < 0 || row >= p->rows || col >= p->cols)
		return;
	c = &g->cells[(size_t)(p->top + row) * (size_t)g->cols +
		      (size_t)(p->left + col)];
	if (c->cp == 0 && p->left + col > 0 && cp != 0)
		c[-1].cp = ' ';
	if (p->left + col + 1 < g->cols && c[1].cp == 0)
		c[1].cp = ' ';
	*c = (struct cell){ cp, ink };
}

void
pane_char(const struct pane *p, int row, int col, enum ink ink, uint32_t cp)
{
	if (showable(p->grid->is_utf8, &cp) == 1)
		put(p, row, col, ink, cp);
}

int
pane_text(const struct pane *p, int row, int col, int width, enum ink ink,
	  const char *s)
{
	size_t left = strlen(s), n;
	int at = 0, wide, room;
	uint32_t cp;

	if (width > p->cols - col)
		width = p->cols - col;
	if (width <= 0)
		return 0;
	for (; left > 0; s += n, left -= n) {
		n = next_char(s, left, &cp);
		wide = showable(p->grid->is_utf8, &cp);
		room = width - at;
		if (wide > room ||
		    (wide == room && left > n && text_columns(s + n, 8) > 0)) {
			for (; at < width; at++)
				pane_char(p, row, col + at, ink, 0x2026);
			return width;
		}
		if (wide == 0)
			continue;
		put(p, row, col + at, ink, cp);
		if (wide == 2)
			put(p, row, col + at + 1, ink, 0);
		at += wide;
	}
	return at;
}

void
pane_right(const struct pane *p, int row, int col, int width, enum ink ink,
	   const char *s)
{
	int n = text_columns(s, -1);

	pane_text(p, row, n < width ? col + width - n : col,
		  n < width ? n : width, ink, s);
}

int
pane_fmt(const struct pane *p, int row, int col, int width, enum ink ink,
	 const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return pane_text(p, row, col, width, ink, text);
}

void
pane_fill(const struct pane *p, int row, int col, int width, enum ink ink,
	  uint32_t cp)
{
	if (showable(p->grid->is_utf8, &cp) != 1)
		return;
	for (int i = 0; i < width; i++)
		put(p, row, col + i, ink, cp);
}

void
pane_tint(const struct pane *p, int row, int col, int width, enum ink ink)
{
	struct grid *g = p->grid;

	if (row < 0 || row >= p->rows)
		return;
	for (int i = 0; i < width; i++) {
		if (col + i < 0 || col + i >= p->cols)
			continue;
		g->cells[(size_t)(p->top + row) * (size_t)g->cols +
			 (size_t)(p->left + col + i)]
			.ink = ink;
	}
}

/* Bytes of s that fit a width: whole characters, up to a blank if the last
 * is not far. */
static size_t
fitting(const char *s, int width)
{
	size_t n = 0, blank = 0, step;
	int cols = 0, wide;
	uint32_t cp;

	for (; s[n] != '\0'; n += step) {
		step = next_char(s + n, strlen(s + n), &cp);
		wide = showable(true, &cp);
		if (cols + wide > width)
			return blank > n / 2 ? blank : n;
		cols += wide;
		if (s[n] == ' ')
			blank = n;
	}
	return n;
}

int
pane_fold(const struct pane *p, int row, int rows, enum ink ink, const char *s)
{
	char line[TEXT_MAX];
	int count = 0;
	size_t n;

	for (; count < rows && *s != '\0'; count++) {
		n = fitting(s, p->cols);
		if (n == 0 || count + 1 == rows || s[n] == '\0') {
			pane_text(p, row + count, 0, p->cols, ink, s);
			return count + 1;
		}
		str_fmt(line, sizeof(line), "%.*s", (int)n, s);
		pane_text(p, row + count, 0, p->cols, ink, line);
		s += n;
		s += strspn(s, " ");
	}
	return count;
}
