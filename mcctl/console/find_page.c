/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The finder.  It looks through everything with each key: there are some
 * hundreds of lines, and at the most some thousands of the page below.
 */
#include "find_page.h"

#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "input.h"
#include "knob_groups.h"
#include "setting.h"
#include "str.h"

#define HITS_MAX 200
#define HERE_MAX 50

enum kind { HERE, LIST, SETTING, DOMAIN, COMMAND };

static const char *const kind_names[] = { "here", "list", "setting", "domain",
					  "command" };

struct hit {
	enum kind kind;
	int at; /* of HERE */
	char text[200];
	char go[500]; /* words of console_go() or console_type() */
};

struct find_page {
	struct page page;
	struct input input;
	struct buf domains; /* names, one a line */
	bool has_domains;
	struct hit hits[HITS_MAX];
	int count, chosen, first, rows;
};

static struct hit *
add(struct find_page *f, enum kind kind, const char *text, const char *more)
{
	struct hit *h;

	if (f->count == HITS_MAX)
		return NULL;
	h = &f->hits[f->count++];
	memset(h, 0, sizeof(*h));
	h->kind = kind;
	str_fmt(h->text, sizeof(h->text), "%s%s%s", text,
		more[0] != '\0' ? ": " : "", more);
	return h;
}

static void
found_here(void *arg, int at, const char *line)
{
	struct find_page *f = arg;
	struct hit *h;

	if (f->count >= HERE_MAX)
		return;
	h = add(f, HERE, line + strspn(line, " "), "");
	if (h != NULL)
		h->at = at;
}

static bool
has(const char *line, const char *text)
{
	return strcasestr(line, text) != NULL;
}

/* Those that have the text in their title, or only in their help. */
static void
find_lists(struct find_page *f, const char *text, bool in_title)
{
	for (int i = 0; i < VIEW_COUNT; i++) {
		const struct view *v = &view_table[i];
		struct hit *h;

		if ((v->flags & VIEW_HIDDEN) ||
		    has(v->title, text) != in_title ||
		    !(in_title || has(v->help, text)))
			continue;
		h = add(f, LIST, v->title, v->help);
		if (h != NULL)
			str_copy(h->go, sizeof(h->go), v->name);
	}
}

static void
find_settings(struct find_page *f, const char *text)
{
	char group[64];
	struct hit *h;

	for (size_t i = 0; i < knob_count; i++) {
		const struct knob *k = &knob_table[i];

		if (!has(k->name, text) && !has(k->help, text))
			continue;
		knob_group_of(k->name, group, sizeof(group));
		h = add(f, SETTING, k->name, k->help);
		if (h != NULL)
			str_fmt(h->go, sizeof(h->go), "knobs %s =%s", group,
				k->name);
	}
}

static void
find_domains(struct find_page *f, const char *text)
{
	const char *s = buf_str(&f->domains);
	char name[300];
	struct hit *h;

	while (*s != '\0') {
		size_t n = strcspn(s, "\n");

		str_fmt(name, sizeof(name), "%.*s", (int)n, s);
		if (has(name, text)) {
			h = add(f, DOMAIN, name, "");
			if (h != NULL)
				str_fmt(h->go, sizeof(h->go), "domains =%s",
					name);
		}
		s += n;
		s += *s == '\n';
	}
}

static void
find_commands(struct find_page *f, const char *text)
{
	char name[80];
	struct hit *h;

	for (size_t i = 0; i < command_count; i++) {
		const struct command *c = &command_table[i];

		str_fmt(name, sizeof(name), "%s%s%s", c->family,
			c->verb[0] != '\0' ? " " : "", c->verb);
		if (!has(name, text) && !has(c->help, text))
			continue;
		h = add(f, COMMAND, name, c->help);
		if (h != NULL)
			str_copy(h->go, sizeof(h->go), name);
	}
}

static void
find(struct find_page *f)
{
	struct page *below = console_below(f->page.console, &f->page);
	const char *text = f->input.text;

	f->count = f->chosen = f->first = 0;
	if (text[0] != '\0' && below != NULL && below->ops->find != NULL)
		below->ops->find(below, text, found_here, f);
	find_lists(f, text, true);
	find_lists(f, text, false);
	if (text[0] == '\0')
		return;
	find_domains(f, text);
	find_settings(f, text);
	find_commands(f, text);
}

/* Once, when the page is shown. */
static void
read_domains(struct page *page)
{
	struct find_page *f = (struct find_page *)page;
	struct cmdline words = { { NULL } };
	struct result r = { 0 };
	const char *s;
	struct json j = { 0 };

	if (f->has_domains)
		return;
	f->has_domains = true;
	cmdline_add(&words, "domain");
	cmdline_add(&words, "list");
	if (console_run(page->console, &words, true, SERIAL_UNKNOWN, &r)) {
		for (s = buf_str(&r.out); *s != '\0';) {
			size_t n = strcspn(s, "\n");
			const struct json_node *name = NULL;

			if (json_read(&j, (struct span){ s, n }, NULL) == 0)
				name = json_member(&j, 0, "domain");
			if (name != NULL)
				(void)buf_printf(&f->domains, "%s\n",
						 name->text);
			s += n;
			s += *s == '\n';
		}
	}
	json_release(&j);
	result_release(&r);
	cmdline_release(&words);
	find(f);
}

static void
draw_find(struct page *page, const struct pane *p)
{
	struct find_page *f = (struct find_page *)page;
	int row;

	page->cursor_row = 0;
	pane_text(p, 0, 1, 8, INK_TITLE, "Search");
	page->cursor_col =
		input_draw(&f->input, p, 0, 9, p->cols - 10, INK_FIELD_ACTIVE);
	f->rows = p->rows - 1;
	if (f->chosen >= f->first + f->rows)
		f->first = f->chosen - f->rows + 1;
	if (f->chosen < f->first)
		f->first = f->chosen;
	for (row = 0; row < f->rows && f->first + row < f->count; row++) {
		const struct hit *h = &f->hits[f->first + row];

		pane_text(p, 1 + row, 0, 8, INK_LABEL, kind_names[h->kind]);
		pane_text(p, 1 + row, 9, p->cols - 9, INK_TEXT, h->text);
		if (f->first + row == f->chosen)
			pane_tint(p, 1 + row, 0, p->cols, INK_CHOSEN);
	}
	if (f->count == 0)
		pane_text(p, 1, 9, p->cols - 9, INK_DIM, "nothing has this");
	str_fmt(page->aside, sizeof(page->aside),
		f->count == HITS_MAX ? "the first %d" : "%d", f->count);
	str_copy(page->detail, sizeof(page->detail),
		 f->count > 0 ? f->hits[f->chosen].text : "");
}

static void
take(struct find_page *f)
{
	struct console *c = f->page.console;
	struct page *below = console_below(c, &f->page);
	const struct hit *h = &f->hits[f->chosen];

	if (f->count == 0)
		return;
	f->page.is_done = true;
	if (h->kind == HERE && below != NULL && below->ops->go_to != NULL)
		below->ops->go_to(below, h->at);
	else if (h->kind == COMMAND)
		console_type(c, h->go);
	else if (h->kind != HERE)
		console_go(c, h->go);
}

static bool
key_find(struct page *page, int key)
{
	struct find_page *f = (struct find_page *)page;

	if (key == TUI_ESC)
		page->is_done = true;
	else if (key == TUI_ENTER)
		take(f);
	else if (key == TUI_DOWN || key == TUI_TAB)
		f->chosen += f->chosen + 1 < f->count;
	else if (key == TUI_UP || key == TUI_BACKTAB)
		f->chosen -= f->chosen > 0;
	else if (key == TUI_PAGE_DOWN)
		f->chosen = f->chosen + f->rows < f->count ? f->chosen + f->rows
			    : f->count > 0		   ? f->count - 1
							   : 0;
	else if (key == TUI_PAGE_UP)
		f->chosen = f->chosen > f->rows ? f->chosen - f->rows : 0;
	else if (input_key(&f->input, key))
		find(f);
	return true;
}

static void
paste_find(struct page *page, const char *text)
{
	struct find_page *f = (struct find_page *)page;

	input_paste(&f->input, text);
	find(f);
}

static void
free_find(struct page *page)
{
	struct find_page *f = (struct find_page *)page;

	buf_release(&f->domains);
	free(f);
}

static const struct page_ops find_ops = {
	.draw = draw_find,
	.key = key_find,
	.paste = paste_find,
	.shown = read_domains,
	.free = free_find,
};

void
find_page_open(struct console *c)
{
	struct find_page *f = page_new(sizeof(*f), &find_ops, c, "Search");

	f->page.is_typing = true;
	page_add_key(&f->page, TUI_ENTER, TUI_NONE, "Go there",
		     "go to what is chosen");
	page_add_key(&f->page, TUI_DOWN, TUI_UP, "", "another of them");
	page_add_key(&f->page, TUI_ESC, TUI_NONE, "Back", "the page before");
	page_add_key(&f->page, 21, TUI_NONE, "Empty", "empty the line");
	console_push(c, &f->page);
}
