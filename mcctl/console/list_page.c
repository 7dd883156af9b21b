/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Lists: reading, choosing, marking.  What actions do is in list_act.c.
 */
#include "list_page.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "clock.h"
#include "knob_groups.h"
#include "list_impl.h"
#include "made.h"
#include "prompt_page.h"
#include "setting.h"
#include "str.h"
#include "xalloc.h"

#define LIVE_MS 4000 /* between readings of a view that lives */

static const struct page_ops list_ops;

/* Marks. */

static int
mark_of(const struct list_page *l, const char *id)
{
	for (int i = 0; i < l->mark_count; i++)
		if (str_eq(l->marks[i], id))
			return i;
	return -1;
}

static void
toggle_mark(struct list_page *l, const char *id)
{
	int at = mark_of(l, id);

	if (at >= 0) {
		free(l->marks[at]);
		l->marks[at] = l->marks[--l->mark_count];
	} else if (l->mark_count < LIST_MARKS) {
		l->marks[l->mark_count++] = xstrdup(id);
	}
}

void
list_unmark(struct list_page *l)
{
	while (l->mark_count > 0)
		free(l->marks[--l->mark_count]);
}

/* Those that are gone are marked no more. */
static void
keep_marks(struct list_page *l)
{
	struct buf id = { 0 };

	for (int i = l->mark_count - 1; i >= 0; i--) {
		bool is_there = false;

		for (int k = 0; k < l->list.table.count && !is_there; k++) {
			buf_clear(&id);
			list_id(l, k, &id);
			is_there = str_eq(buf_str(&id), l->marks[i]);
		}
		if (!is_there)
			toggle_mark(l, l->marks[i]);
	}
	buf_release(&id);
}

void
list_id(const struct list_page *l, int row, struct buf *out)
{
	template_member(listing_row(&l->list, row), view_table[l->view].member,
			out);
}

/* Reading. */

static void
fill_words(struct list_page *l, struct cmdline *words)
{
	const char *values[TEMPLATE_FIELDS] = { l->query };
	struct template_source s = { .scope = &l->scope, .values = values };

	for (int i = 1; i < TEMPLATE_FIELDS; i++)
		values[i] = "";
	(void)template_fill(view_table[l->view].words, &s, words);
}

/* Rows that this page does not show go. */
static void
choose_lines(const struct list_page *l, struct span text, struct buf *out)
{
	struct json j = { 0 };
	char group[64];

	while (text.len > 0) {
		const char *lf = memchr(text.p, '\n', text.len);
		size_t n = lf != NULL ? (size_t)(lf - text.p) : text.len;
		const struct json_node *name;

		if (json_read(&j, (struct span){ text.p, n }, NULL) == 0 &&
		    (name = json_member(&j, 0, "name")) != NULL) {
			knob_group_of(name->text, group, sizeof(group));
			if (str_eq(group, l->group)) {
				buf_add(out, text.p, n);
				buf_add_char(out, '\n');
			}
		}
		n += lf != NULL;
		text.p += n;
		text.len -= n;
	}
	json_release(&j);
}

static void
choose_row(struct list_page *l, const char *id)
{
	struct buf b = { 0 };

	for (int i = 0; i < l->list.table.count && id[0] != '\0'; i++) {
		buf_clear(&b);
		list_id(l, i, &b);
		if (str_eq(buf_str(&b), id)) {
			table_choose(&l->list.table, &l->state, i);
			break;
		}
	}
	buf_release(&b);
}

/* What has been read becomes what is shown; the choice stays on its row. */
static void
take_lines(struct list_page *l, struct span lines)
{
	struct buf id = { 0 };

	list_id(l, l->state.row, &id);
	listing_read(&l->list, view_table[l->view].columns, lines);
	keep_marks(l);
	if (l->wanted[0] != '\0') {
		choose_row(l, l->wanted);
		l->wanted[0] = '\0';
	} else if (id.len > 0) {
		choose_row(l, buf_str(&id));
	} else if ((view_table[l->view].flags & VIEW_LAST) && !l->is_read) {
		table_choose(&l->list.table, &l->state,
			     l->list.table.count - 1);
	}
	buf_release(&id);
	l->is_read = true;
}

void
list_read(struct list_page *l)
{
	struct cmdline words = { { NULL } };
	struct buf made = { 0 };
	struct result r = { 0 };
	bool is_made;

	l->serial = console_serial(l->page.console);
	fill_words(l, &words);
	console_command_text(&words, l->page.command, sizeof(l->page.command));
	is_made = words.words[0][0] == '!';
	if (is_made ? made_list(l->page.console, &words, &made, &r)
		    : console_run(l->page.console, &words, true, SERIAL_UNKNOWN,
				  &r)) {
		if (l->group[0] != '\0')
			choose_lines(l, buf_span(&r.out), &made);
		take_lines(l, is_made || l->group[0] != '\0'
				      ? buf_span(&made)
				      : buf_span(&r.out));
	}
	if (is_made)
		l->page.command[0] = '\0';
	l->trouble[0] = '\0';
	if (r.code != EX_OK)
		str_printable(l->trouble, sizeof(l->trouble), buf_str(&r.err),
			      strcspn(buf_str(&r.err), "\n"));
	l->is_cut = l->list.is_cut || r.is_cut;
	l->read_ms = clock_mono_ms();
	buf_release(&made);
	result_release(&r);
	cmdline_release(&words);
}

/* Drawing. */

static void
title_of(struct list_page *l)
{
	const struct view *v = &view_table[l->view];
	char group[96];

	if (l->group[0] != '\0')
		knob_group_title(l->group, group, sizeof(group));
	str_fmt(l->page.title, sizeof(l->page.title), "%s%s%s",
		l->group[0] != '\0' ? group : v->title,
		l->scope.subject[0] != '\0' ? " of " : "", l->scope.subject);
}

static void
aside_of(struct list_page *l, int shown)
{
	int count = l->list.table.count;
	char marks[32] = "", filter[96] = "";

	if (l->mark_count > 0)
		str_fmt(marks, sizeof(marks), "%d marked, ", l->mark_count);
	if (l->state.filter[0] != '\0')
		str_fmt(filter, sizeof(filter),
			"with \"%s\": ", l->state.filter);
	if (shown != count)
		str_fmt(l->page.aside, sizeof(l->page.aside), "%s%s%d of %d",
			marks, filter, shown, count);
	else
		str_fmt(l->page.aside, sizeof(l->page.aside), "%s%s%s%d", marks,
			filter, l->is_cut ? "the first " : "", count);
}

/* Of a setting: its help, and what it takes. */
static bool
knob_detail(struct list_page *l, const struct json *row)
{
	struct buf name = { 0 };
	const struct knob *k;
	struct knob_value v;
	char range[2 * KNOB_TEXT_SIZE], dflt[KNOB_TEXT_SIZE];

	template_member(row, "name", &name);
	k = knob_find(buf_str(&name), NULL);
	buf_release(&name);
	if (k == NULL)
		return false;
	v = knob_default(k);
	knob_range(k, range, sizeof(range));
	knob_text(k, &v, dflt, sizeof(dflt));
	str_fmt(l->page.detail, sizeof(l->page.detail),
		"%s.  Takes %s, default %s%s%s", k->help, range, dflt,
		k->unit[0] != '\0' ? " " : "", k->unit);
	return true;
}

static void
detail_of(struct list_page *l, int cols)
{
	const struct json *row = listing_row(&l->list, l->state.row);

	l->page.detail[0] = '\0';
	if (l->trouble[0] != '\0' && l->list.table.count > 0)
		str_copy(l->page.detail, sizeof(l->page.detail), l->trouble);
	else if (row != NULL && !(l->view == VIEW_knobs && knob_detail(l, row)))
		listing_hidden(&l->list, l->state.row, cols, l->page.detail,
			       sizeof(l->page.detail));
	else if (row == NULL)
		str_copy(l->page.detail, sizeof(l->page.detail),
			 view_table[l->view].help);
}

static void
tint_marks(struct list_page *l, const struct pane *p)
{
	struct buf id = { 0 };
	int count = l->state.filter[0] == '\0' ? l->list.table.count : l->shown;

	for (int i = 0; i < p->rows - 1 && l->state.first + i < count; i++) {
		buf_clear(&id);
		list_id(l, l->list.table.order[l->state.first + i], &id);
		if (mark_of(l, buf_str(&id)) < 0)
			continue;
		pane_tint(p, 1 + i, 0, p->cols,
			  l->state.first + i == l->state.chosen
				  ? INK_MARKED_CHOSEN
				  : INK_MARKED);
	}
	buf_release(&id);
}

static const char *
empty_words(const struct list_page *l)
{
	if (l->trouble[0] != '\0')
		return l->trouble;
	if (l->list.table.count > 0)
		return "the filter lets no row by; Esc ends it";
	if ((view_table[l->view].flags & VIEW_ASKS) && l->query[0] == '\0')
		return "w asks what to look for";
	return l->query[0] != '\0' ? "nothing that fits" : "none";
}

static void
draw_list(struct page *page, const struct pane *p)
{
	struct list_page *l = (struct list_page *)page;

	title_of(l);
	l->rows = p->rows > 2 ? p->rows - 1 : 1;
	l->shown = table_draw(&l->list.table, &l->state, p, true);
	if (l->shown == 0)
		pane_text(p, 1, 0, p->cols,
			  l->trouble[0] != '\0' ? INK_BAD : INK_DIM,
			  empty_words(l));
	if (l->mark_count > 0)
		tint_marks(l, p);
	aside_of(l, l->shown);
	detail_of(l, p->cols);
}

/* Keys. */

static void
take_query(void *arg, const char *text)
{
	struct list_page *l = arg;

	str_copy(l->query, sizeof(l->query), text);
	list_read(l);
}

static void
ask_query(struct list_page *l)
{
	const char *hint = l->view == VIEW_trace ? "an id, an address, a "
						   "Message-ID, a client or "
						   "words of a subject"
			   : l->view == VIEW_queue
				   ? "-f FROM -r RCPT -s SIZE -o AGE -y AGE, "
				     "a state; empty: all"
			   : l->view == VIEW_quarantine
				   ? "kind:spam domain:D rcpt:TEXT from:TEXT "
				     "subject:WORD older:1d; empty: all"
				   : "a word; empty: all";

	prompt_page_open(l->page.console, "Which", hint, l->query, take_query,
			 l);
}

static void
take_filter(void *arg, const char *text)
{
	struct list_page *l = arg;

	str_copy(l->state.filter, sizeof(l->state.filter), text);
}

static void
take_scope(void *arg, const char *text)
{
	struct list_page *l = arg;

	str_copy(l->scope.option, sizeof(l->scope.option),
		 text[0] == '\0'	     ? ""
		 : strchr(text, '@') != NULL ? "--user"
					     : "--domain");
	str_copy(l->scope.subject, sizeof(l->scope.subject), text);
	list_read(l);
}

static void
mark_chosen(struct list_page *l)
{
	struct buf id = { 0 };

	list_id(l, l->state.row, &id);
	if (id.len > 0)
		toggle_mark(l, buf_str(&id));
	buf_release(&id);
	l->state.chosen++;
}

static void
mark_all(struct list_page *l)
{
	struct buf id = { 0 };
	bool had = l->mark_count > 0;

	list_unmark(l);
	for (int i = 0; i < l->shown && !had; i++) {
		buf_clear(&id);
		list_id(l, l->list.table.order[i], &id);
		toggle_mark(l, buf_str(&id));
	}
	buf_release(&id);
}

static bool
move(struct list_page *l, int key)
{
	struct table_state *s = &l->state;

	if (key == TUI_UP || key == 'k')
		s->chosen--;
	else if (key == TUI_DOWN || key == 'j')
		s->chosen++;
	else if (key == TUI_PAGE_UP)
		s->chosen -= l->rows;
	else if (key == TUI_PAGE_DOWN)
		s->chosen += l->rows;
	else if (key == TUI_HOME || key == 'g')
		s->chosen = 0;
	else if (key == TUI_END || key == 'G')
		s->chosen = LISTING_ROWS;
	else
		return false;
	return true;
}

static bool
arrange(struct list_page *l, int key)
{
	struct table_state *s = &l->state;

	if (key == 'o') {
		s->sort = s->sort + 1 < l->list.column_count ? s->sort + 1 : -1;
		s->is_reversed = false;
	} else if (key == 'O') {
		s->is_reversed = !s->is_reversed;
	} else if (key == 'f') {
		prompt_page_open(l->page.console, "Filter",
				 "show only rows that have this text in them",
				 s->filter, take_filter, l);
	} else if (key == TUI_ESC && s->filter[0] != '\0') {
		s->filter[0] = '\0';
	} else if (key == TUI_ESC && l->mark_count > 0) {
		list_unmark(l);
	} else if (key == 'R' || key == 12) {
		list_read(l);
	} else {
		return false;
	}
	return true;
}

static bool
key_list(struct page *page, int key)
{
	struct list_page *l = (struct list_page *)page;
	const struct view *v = &view_table[l->view];

	if (move(l, key) || arrange(l, key))
		return true;
	if (key == 'w' && strchr(v->words, '<') != NULL)
		ask_query(l);
	else if (key == '@' && (v->flags & VIEW_SCOPED))
		prompt_page_open(page->console, "Whose",
				 "a domain, or a user's address; empty: all",
				 l->scope.subject, take_scope, l);
	else if (key == ' ' && l->has_marks)
		mark_chosen(l);
	else if (key == '*' && l->has_marks)
		mark_all(l);
	else
		return list_act(l, key);
	return true;
}

static void
shown_list(struct page *page)
{
	struct list_page *l = (struct list_page *)page;

	if ((view_table[l->view].flags & VIEW_ASKS) && l->query[0] == '\0') {
		if (!l->is_read)
			ask_query(l);
		l->is_read = true;
		return;
	}
	list_read(l);
}

static void
tick_list(struct page *page)
{
	struct list_page *l = (struct list_page *)page;

	if ((view_table[l->view].flags & VIEW_LIVE) &&
	    clock_mono_ms() - l->read_ms >= LIVE_MS)
		list_read(l);
}

static void
find_list(struct page *page, const char *text,
	  void (*found)(void *arg, int at, const char *line), void *arg)
{
	struct list_page *l = (struct list_page *)page;
	struct buf line = { .limit = 500 };

	for (int i = 0; i < l->list.table.count; i++) {
		buf_clear(&line);
		for (int k = 0; k < l->list.column_count; k++)
			(void)buf_printf(&line, "%s%s", k > 0 ? "  " : "",
					 l->list.table.rows[i].cells[k].text);
		if (strcasestr(buf_str(&line), text) != NULL)
			found(arg, i, buf_str(&line));
	}
	buf_release(&line);
}

static void
go_to_list(struct page *page, int at)
{
	struct list_page *l = (struct list_page *)page;

	l->state.filter[0] = '\0';
	table_choose(&l->list.table, &l->state, at);
}

static void
free_list(struct page *page)
{
	struct list_page *l = (struct list_page *)page;

	list_unmark(l);
	listing_release(&l->list);
	free(l);
}

static const struct page_ops list_ops = {
	.draw = draw_list,
	.key = key_list,
	.shown = shown_list,
	.tick = tick_list,
	.find = find_list,
	.go_to = go_to_list,
	.free = free_list,
};

static void
add_keys(struct list_page *l)
{
	const struct view *v = &view_table[l->view];
	struct page *p = &l->page;

	list_add_keys(l);
	if (strchr(v->words, '<') != NULL)
		page_add_key(p, 'w', TUI_NONE, "Which",
			     "which rows, in the words of the command");
	if (v->flags & VIEW_SCOPED)
		page_add_key(p, '@', TUI_NONE, "Whose",
			     "of everybody, of a domain or of a user");
	if (l->has_marks) {
		page_add_key(p, ' ', TUI_NONE, "Mark",
			     "mark the row, for what is done to many");
		page_add_key(p, '*', TUI_NONE, "", "mark all rows, or none");
	}
	page_add_key(p, 'f', TUI_NONE, "Filter",
		     "show only rows that have a text in them; Esc ends it");
	page_add_key(p, 'o', TUI_NONE, "", "order by the next column");
	page_add_key(p, 'O', TUI_NONE, "", "the other way round");
	page_add_key(p, 'R', TUI_NONE, "", "read it again");
	page_add_key(p, TUI_DOWN, 'j', "", "a row down");
	page_add_key(p, TUI_UP, 'k', "", "a row up");
	page_add_key(p, TUI_PAGE_DOWN, TUI_NONE, "", "a page down");
	page_add_key(p, TUI_PAGE_UP, TUI_NONE, "", "a page up");
	page_add_key(p, TUI_HOME, 'g', "", "the first row");
	page_add_key(p, TUI_END, 'G', "", "the last row");
}

struct page *
list_page_new(struct console *c, enum view_id view, const struct scope *scope,
	      const char *group, const char *row)
{
	struct list_page *l =
		page_new(sizeof(*l), &list_ops, c, view_table[view].title);

	l->view = view;
	if (scope != NULL)
		l->scope = *scope;
	if (group != NULL)
		str_copy(l->group, sizeof(l->group), group);
	str_copy(l->wanted, sizeof(l->wanted), row);
	l->state.sort = -1;
	l->state.row = -1;
	l->serial = SERIAL_UNKNOWN;
	listing_init(&l->list);
	add_keys(l);
	return &l->page;
}

enum view_id
list_page_view(const struct page *p)
{
	return p->ops == &list_ops ? ((const struct list_page *)p)->view
				   : VIEW_COUNT;
}
