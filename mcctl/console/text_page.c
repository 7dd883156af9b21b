/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Lines, folded where the screen ends.  Whatever they are, they are made
 * printable: commands do so too, but here none is trusted to have.
 */
#include "text_page.h"

#include <stdlib.h>
#include <string.h>

#include "str.h"
#include "xalloc.h"

#define LINE_SIZE 4096
#define LINES_MAX 20000

struct line {
	char *text;
	int indent; /* of what is folded */
};

struct text_page {
	struct page page;
	struct cmdline words; /* empty: our own lines */
	struct line *lines;
	int count, room;
	int first, rows; /* the line at the top; rows that there are */
	int body; /* lines before the first empty one are "name: value" */
};

static const struct page_ops text_ops;

/* Where the value of "  name: value" begins, 0: it is no such line. */
static int
value_at(const char *s)
{
	const char *p = s + strspn(s, " ");
	size_t n = strspn(p, "abcdefghijklmnopqrstuvwxyz_0123456789");

	if (n == 0 || p[n] != ':' || p[n + 1] != ' ')
		return 0;
	return (int)(p + n + 2 - s);
}

static void
add_line(struct text_page *t, const char *s, size_t len)
{
	char text[LINE_SIZE];

	if (t->count == LINES_MAX)
		return;
	if (t->count == t->room) {
		t->room = t->room > 0 ? 2 * t->room : 64;
		t->lines = xreallocarray(t->lines, (size_t)t->room,
					 sizeof(*t->lines));
	}
	str_printable(text, sizeof(text), s, len);
	t->lines[t->count].text = xstrdup(text);
	t->lines[t->count].indent = value_at(text);
	t->count++;
	if (text[0] == '\0' && t->body == 0)
		t->body = t->count;
}

static void
add_text(struct text_page *t, struct span text)
{
	while (text.len > 0) {
		const char *lf = memchr(text.p, '\n', text.len);
		size_t n = lf != NULL ? (size_t)(lf - text.p) : text.len;

		add_line(t, text.p, n);
		n += lf != NULL;
		text.p += n;
		text.len -= n;
	}
}

static void
clear(struct text_page *t)
{
	for (int i = 0; i < t->count; i++)
		free(t->lines[i].text);
	t->count = 0;
	t->body = 0;
}

/* Bytes of a line that fit a width, at a blank where there is one. */
static size_t
fold(const char *s, int width)
{
	size_t n = 0, blank = 0, step;
	int cols = 0, wide;
	uint32_t cp;

	while (s[n] != '\0') {
		step = str_utf8_next(s + n, strlen(s + n), &cp);
		if (step == 0)
			step = 1;
		wide = text_columns(s + n, (int)step);
		if (cols + wide > width)
			return blank > 0 ? blank : n > 0 ? n : step;
		cols += wide;
		n += step;
		if (s[n - 1] == ' ')
			blank = n;
	}
	return n;
}

/* Draws a line from a row on, or only counts; returns its rows. */
static int
draw_line(const struct text_page *t, int at, const struct pane *p, int row,
	  bool is_drawn)
{
	const struct line *l = &t->lines[at];
	const char *s = l->text;
	char part[LINE_SIZE];
	int rows = 0, left = 0,
	    name = at < t->body || t->body == 0 ? l->indent : 0;
	size_t n;

	if (l->indent > p->cols / 2)
		name = 0;
	do {
		n = fold(s, p->cols - left);
		if (is_drawn) {
			str_fmt(part, sizeof(part), "%.*s", (int)n, s);
			pane_text(p, row + rows, left, p->cols - left, INK_TEXT,
				  part);
			if (rows == 0 && name > 0)
				pane_tint(p, row, 0, name - 1, INK_LABEL);
		}
		left = name > 0 ? name : p->cols > 60 && rows == 0 ? 2 : left;
		s += n;
		rows++;
	} while (*s != '\0');
	return rows;
}

/* The last line that may be at the top. */
static int
last_first(const struct text_page *t, const struct pane *p)
{
	int at = t->count, rows = 0;

	while (at > 0) {
		rows += draw_line(t, at - 1, p, 0, false);
		if (rows > p->rows)
			break;
		at--;
	}
	return at;
}

static void
draw_text(struct page *page, const struct pane *p)
{
	struct text_page *t = (struct text_page *)page;
	int row = 0, at, last;

	t->rows = p->rows;
	if (p->cols < 4)
		return;
	last = last_first(t, p);
	if (t->first > last)
		t->first = last;
	if (t->first < 0)
		t->first = 0;
	for (at = t->first; at < t->count && row < p->rows; at++)
		row += draw_line(t, at, p, row, true);
	if (t->count == 0)
		pane_text(p, 0, 0, p->cols, INK_DIM, "nothing");
	page->aside[0] = '\0';
	if (last > 0)
		str_fmt(page->aside, sizeof(page->aside), "%d-%d of %d",
			t->first + 1, at, t->count);
}

static void
read_again(struct text_page *t)
{
	struct result r = { 0 };

	if (t->words.count == 0 ||
	    !console_run(t->page.console, &t->words, false, SERIAL_UNKNOWN, &r))
		return;
	clear(t);
	add_text(t, buf_span(&r.out));
	add_text(t, buf_span(&r.err));
	result_release(&r);
}

static bool
key_text(struct page *page, int key)
{
	struct text_page *t = (struct text_page *)page;
	int step = t->rows > 1 ? t->rows - 1 : 1;

	if (key == TUI_UP || key == 'k')
		t->first--;
	else if (key == TUI_DOWN || key == 'j' || key == TUI_ENTER)
		t->first++;
	else if (key == TUI_PAGE_UP || key == 'b')
		t->first -= step;
	else if (key == TUI_PAGE_DOWN || key == ' ')
		t->first += step;
	else if (key == TUI_HOME || key == 'g')
		t->first = 0;
	else if (key == TUI_END || key == 'G')
		t->first = t->count;
	else if (key == 'R' || key == 12)
		read_again(t);
	else
		return false;
	return true;
}

static void
find_text(struct page *page, const char *text,
	  void (*found)(void *arg, int at, const char *line), void *arg)
{
	struct text_page *t = (struct text_page *)page;

	for (int i = 0; i < t->count; i++)
		if (strcasestr(t->lines[i].text, text) != NULL)
			found(arg, i, t->lines[i].text);
}

static void
go_to_text(struct page *page, int at)
{
	((struct text_page *)page)->first = at;
}

static void
free_text(struct page *page)
{
	struct text_page *t = (struct text_page *)page;

	clear(t);
	free(t->lines);
	cmdline_release(&t->words);
	free(t);
}

static const struct page_ops text_ops = {
	.draw = draw_text,
	.key = key_text,
	.find = find_text,
	.go_to = go_to_text,
	.free = free_text,
};

static struct text_page *
new_page(struct console *c, const char *title)
{
	struct text_page *t = page_new(sizeof(*t), &text_ops, c, title);

	page_add_key(&t->page, TUI_DOWN, 'j', "", "a line down");
	page_add_key(&t->page, TUI_UP, 'k', "", "a line up");
	page_add_key(&t->page, TUI_PAGE_DOWN, ' ', "Page", "a page down");
	page_add_key(&t->page, TUI_PAGE_UP, 'b', "", "a page up");
	page_add_key(&t->page, TUI_HOME, 'g', "", "the first line");
	page_add_key(&t->page, TUI_END, 'G', "", "the last line");
	return t;
}

void
text_page_show(struct console *c, const struct cmdline *words,
	       const struct result *r)
{
	struct text_page *t = new_page(c, "");
	struct buf title = { .limit = sizeof(t->page.title) };

	for (int i = 0; i < words->count; i++) {
		cmdline_add(&t->words, words->words[i]);
		if (i < 4)
			buf_printf(&title, "%s%s", i > 0 ? " " : "",
				   words->words[i]);
	}
	str_copy(t->page.title, sizeof(t->page.title), buf_str(&title));
	if (t->page.title[0] >= 'a' && t->page.title[0] <= 'z')
		t->page.title[0] = (char)(t->page.title[0] - 'a' + 'A');
	buf_release(&title);
	console_command_text(words, t->page.command, sizeof(t->page.command));
	add_text(t, buf_span(&r->out));
	if (r->is_cut)
		add_line(t, "... and more", 12);
	add_text(t, buf_span(&r->err));
	page_add_key(&t->page, 'R', TUI_NONE, "Again", "run it again");
	console_push(c, &t->page);
}

void
text_page_lines(struct console *c, const char *title, const char *text)
{
	struct text_page *t = new_page(c, title);

	add_text(t, span_of(text));
	console_push(c, &t->page);
}
