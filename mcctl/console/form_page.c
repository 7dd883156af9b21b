/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Forms.  What a field takes is said beside it: of a setting by its row in
 * setting.def, of others by fields.def.
 */
#include "form_page.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "deed.h"
#include "input.h"
#include "setting.h"
#include "str.h"
#include "xalloc.h"

#define LABEL_MAX 18 /* columns of the labels */

struct field {
	struct template_field f;
	struct input input;
	char before[INPUT_SIZE];
};

struct form_page {
	struct page page;
	const struct view_action *action;
	struct json row;
	struct scope scope;
	int64_t serial;
	struct field fields[TEMPLATE_FIELDS];
	int count, at, first; /* first: of those that are seen */
	const struct knob *knob; /* of its only field, or NULL */
	char name[80]; /* of what it is about */
	char written[600]; /* what is written at each level, one a line */
	char from[80];
	char wrong[512];
};

static const struct page_ops form_ops;

static const struct {
	const char *label, *help;
} helps[] = {
#define FIELD(label, help) { label, help },
#include "fields.def"
#undef FIELD
};

static const char *
help_of(const struct form_page *m, const struct field *f)
{
	if (m->knob != NULL)
		return m->knob->help;
	for (size_t i = 0; i < sizeof(helps) / sizeof(*helps); i++)
		if (str_eq(helps[i].label, f->f.label))
			return helps[i].help;
	return "";
}

static void
fill(const struct form_page *m, struct cmdline *words)
{
	const char *values[TEMPLATE_FIELDS];
	struct template_source s = { .row = m->row.count > 0 ? &m->row : NULL,
				     .scope = &m->scope,
				     .values = values };

	for (int i = 0; i < TEMPLATE_FIELDS; i++)
		values[i] = i < m->count ? m->fields[i].input.text : "";
	(void)template_fill(m->action->words, &s, words);
}

/* Whether the value is one that the setting takes. */
static void
check(struct form_page *m)
{
	struct knob_value v;
	struct err e = { "" };

	m->wrong[0] = '\0';
	if (m->knob != NULL &&
	    knob_parse(m->knob, m->fields[0].input.text, &v, &e) < 0)
		str_copy(m->wrong, sizeof(m->wrong), e.text);
}

static void
update(struct form_page *m)
{
	struct cmdline words = { { NULL } };

	fill(m, &words);
	console_command_text(&words, m->page.command, sizeof(m->page.command));
	cmdline_release(&words);
	check(m);
}

/* Drawing. */

static void
draw_field(struct form_page *m, const struct pane *p, int row, int i)
{
	struct field *f = &m->fields[i];
	int left = p->cols < 60 ? p->cols / 3 : LABEL_MAX + 2, cursor;
	bool is_it = i == m->at;

	pane_text(p, row, 1, left - 2, is_it ? INK_STRONG : INK_LABEL,
		  f->f.label);
	if (f->f.choices[0] != '\0') {
		pane_fmt(p, row, left, p->cols - left,
			 is_it ? INK_CHOSEN : INK_FIELD, " %s %s %s ",
			 is_it ? "\xe2\x86\x90" : " ", f->input.text,
			 is_it ? "\xe2\x86\x92" : " ");
		return;
	}
	cursor = input_draw(&f->input, p, row, left, p->cols - left - 1,
			    is_it ? INK_FIELD_ACTIVE : INK_FIELD);
	if (is_it) {
		m->page.cursor_row = row;
		m->page.cursor_col = cursor;
	}
}

static int
draw_list_line(const struct pane *p, int row, const char *label,
	       const char *text, enum ink ink)
{
	int left = p->cols < 60 ? p->cols / 3 : LABEL_MAX + 2;

	if (text[0] == '\0')
		return row;
	pane_text(p, row, 1, left - 2, INK_LABEL, label);
	pane_text(p, row, left, p->cols - left - 1, ink, text);
	return row + 1;
}

/* Default, range and unit of a setting, and what is written where. */
static int
draw_knob(const struct form_page *m, const struct pane *p, int row)
{
	char range[2 * KNOB_TEXT_SIZE], text[400];
	struct knob_value v = knob_default(m->knob);
	const char *s = m->written;

	knob_range(m->knob, range, sizeof(range));
	row = draw_list_line(p, row, "takes", range, INK_TEXT);
	knob_text(m->knob, &v, text, sizeof(text));
	row = draw_list_line(p, row, "default", text[0] != '\0' ? text : "\"\"",
			     INK_TEXT);
	row = draw_list_line(p, row, "unit", m->knob->unit, INK_TEXT);
	str_fmt(text, sizeof(text), "all%s%s",
		m->knob->levels & LEVEL_DOMAIN ? ", a domain" : "",
		m->knob->levels & LEVEL_USER ? ", a user" : "");
	row = draw_list_line(p, row, "can be set for", text, INK_TEXT);
	row = draw_list_line(p, row, "counts now", m->from, INK_TEXT);
	for (bool is_first = true; *s != '\0'; is_first = false) {
		size_t n = strcspn(s, "\n");

		str_fmt(text, sizeof(text), "%.*s", (int)n, s);
		row = draw_list_line(p, row, is_first ? "written" : "", text,
				     INK_TEXT);
		s += n;
		s += *s == '\n';
	}
	return row;
}

/* What would be other than it is. */
static int
draw_changes(const struct form_page *m, const struct pane *p, int row)
{
	char text[2 * INPUT_SIZE + 16];
	bool is_first = true;

	for (int i = 0; i < m->count; i++) {
		const struct field *f = &m->fields[i];

		if (f->f.member[0] == '\0' || str_eq(f->before, f->input.text))
			continue;
		str_fmt(text, sizeof(text), "%s: %s \xe2\x86\x92 %s",
			m->knob != NULL ? m->knob->name : f->f.label,
			f->before[0] != '\0' ? f->before : "\"\"",
			f->input.text[0] != '\0' ? f->input.text : "\"\"");
		row = draw_list_line(p, row, is_first ? "changes" : "", text,
				     INK_WARN);
		is_first = false;
	}
	return row;
}

static void
draw_form(struct page *page, const struct pane *p)
{
	struct form_page *m = (struct form_page *)page;
	int room = p->rows - (p->rows > 8 ? 4 : 2), row = p->rows > 8, i;
	const char *wrong = m->wrong;

	page->cursor_row = -1;
	if (m->name[0] != '\0' && p->rows > 8)
		pane_text(p, row++, 1, p->cols - 2, INK_TITLE, m->name);
	room -= row;
	if (m->at < m->first)
		m->first = m->at;
	if (room > 0 && m->at >= m->first + room)
		m->first = m->at - room + 1;
	for (i = m->first; i < m->count && i < m->first + room; i++)
		draw_field(m, p, row++, i);
	row += p->rows > 12;
	if (wrong[0] != '\0')
		row = draw_list_line(p, row, "wrong", wrong, INK_BAD);
	row = draw_changes(m, p, row);
	row += p->rows > 12;
	if (m->knob != NULL)
		(void)draw_knob(m, p, row);
	str_copy(page->detail, sizeof(page->detail),
		 help_of(m, &m->fields[m->at]));
}

/* Keys. */

/* The word beside the one that is chosen. */
static void
turn(struct field *f, int step)
{
	char words[16][32];
	const char *s = f->f.choices;
	int count = 0, at = -1;
	size_t n;

	for (; *s != '\0' && count < 16; s += n + (s[n] == '|')) {
		n = strcspn(s, "|");
		str_fmt(words[count], sizeof(words[0]), "%.*s", (int)n, s);
		if (str_eq(words[count], f->input.text))
			at = count;
		count++;
	}
	if (count == 0)
		return;
	at = at < 0 ? 0 : (at + step + count) % count;
	input_set(&f->input, words[at]);
}

static bool
is_complete(struct form_page *m)
{
	for (int i = 0; i < m->count; i++) {
		const struct field *f = &m->fields[i];

		/* Of a setting "" may be a value. */
		if (f->f.is_optional || f->input.len > 0 || m->knob != NULL)
			continue;
		m->at = i;
		console_say(m->page.console, INK_WARN, "%s: is needed",
			    f->f.label);
		return false;
	}
	if (m->wrong[0] != '\0') {
		console_say(m->page.console, INK_BAD, "%s", m->wrong);
		return false;
	}
	return true;
}

static void
submit(struct form_page *m)
{
	struct cmdline words = { { NULL } };

	if (!is_complete(m))
		return;
	fill(m, &words);
	m->page.is_done = true;
	deed_do(m->page.console, &words, m->action->flags, m->action->help,
		m->serial);
	cmdline_release(&words);
}

static bool
key_form(struct page *page, int key)
{
	struct form_page *m = (struct form_page *)page;
	struct field *f = &m->fields[m->at];
	bool is_choice = f->f.choices[0] != '\0';

	if (key == TUI_ESC) {
		page->is_done = true;
		console_say(page->console, INK_DIM, "Nothing was changed.");
		return true;
	}
	if (key == TUI_ENTER)
		submit(m);
	else if (key == TUI_DOWN || key == TUI_TAB)
		m->at = (m->at + 1) % m->count;
	else if (key == TUI_UP || key == TUI_BACKTAB)
		m->at = (m->at + m->count - 1) % m->count;
	else if (is_choice && (key == TUI_RIGHT || key == ' '))
		turn(f, 1);
	else if (is_choice && key == TUI_LEFT)
		turn(f, -1);
	else if (!is_choice)
		(void)input_key(&f->input, key);
	if (!page->is_done)
		update(m);
	return true;
}

static void
paste_form(struct page *page, const char *text)
{
	struct form_page *m = (struct form_page *)page;

	if (m->fields[m->at].f.choices[0] == '\0')
		input_paste(&m->fields[m->at].input, text);
	update(m);
}

static void
free_form(struct page *page)
{
	struct form_page *m = (struct form_page *)page;

	json_release(&m->row);
	free(m);
}

static const struct page_ops form_ops = {
	.draw = draw_form,
	.key = key_form,
	.paste = paste_form,
	.free = free_form,
};

/* Making one. */

/* The only answer of a command, as a row; false when it failed. */
static bool
read_object(struct console *c, const struct cmdline *words, struct json *out)
{
	struct result r = { 0 };
	bool is_read = console_run(c, words, true, SERIAL_UNKNOWN, &r) &&
		       r.code == EX_OK &&
		       json_read(out, buf_span(&r.out), NULL) == 0;

	result_release(&r);
	return is_read;
}

/* What is written at each level, and which value counts. */
static void
explain_knob(struct form_page *m)
{
	struct cmdline words = { { NULL } };
	struct json j = { 0 };
	const struct json_node *list;
	struct buf value = { 0 }, from = { 0 }, subject = { 0 };
	struct buf lines = { .limit = sizeof(m->written) - 1 };

	m->serial = console_serial(m->page.console);
	cmdline_add(&words, "setting");
	cmdline_add(&words, "explain");
	cmdline_add(&words, m->knob->name);
	if (m->scope.option[0] != '\0') {
		cmdline_add(&words, m->scope.option);
		cmdline_add(&words, m->scope.subject);
	}
	if (read_object(m->page.console, &words, &j)) {
		template_member(&j, "value", &value);
		template_member(&j, "from", &from);
		template_member(&j, "subject", &subject);
		str_fmt(m->from, sizeof(m->from), "%s, of %s%s%s",
			value.len > 0 ? buf_str(&value) : "\"\"",
			buf_str(&from), subject.len > 0 ? " " : "",
			buf_str(&subject));
		input_set(&m->fields[0].input, buf_str(&value));
		str_copy(m->fields[0].before, sizeof(m->fields[0].before),
			 buf_str(&value));
		list = json_member(&j, 0, "written");
		if (list != NULL && list->type == JSON_ARRAY)
			for (const struct json_node *n = list + 1;
			     n < j.nodes + list->end; n++)
				(void)buf_printf(&lines, "%s\n", n->text);
		str_copy(m->written, sizeof(m->written), buf_str(&lines));
	}
	buf_release(&lines);
	buf_release(&value);
	buf_release(&from);
	buf_release(&subject);
	json_release(&j);
	cmdline_release(&words);
}

static void
open_knob(struct form_page *m)
{
	struct buf name = { 0 };
	struct field *f = &m->fields[0];

	template_member(&m->row, "name", &name);
	m->knob = knob_find(buf_str(&name), NULL);
	buf_release(&name);
	if (m->knob == NULL)
		return;
	if (m->knob->type == KNOB_TYPE_BOOL)
		str_copy(f->f.choices, sizeof(f->f.choices), "yes|no");
	if (m->knob->type == KNOB_TYPE_ENUM)
		str_copy(f->f.choices, sizeof(f->f.choices), m->knob->words);
	str_fmt(m->name, sizeof(m->name), "%s%s%s", m->knob->name,
		m->scope.subject[0] != '\0' ? " of " : "", m->scope.subject);
	explain_knob(m);
}

static void
copy_json(const struct json *from, struct json *to, struct console *c,
	  const struct view_action *a, const struct template_source *s)
{
	struct cmdline words = { { NULL } };
	const struct view_action *show = action_table;
	bool is_read = false;

	if (from == NULL)
		return;
	if (a->flags & ACTION_DETAIL) {
		while (show->view != a->view)
			show++;
		(void)template_fill(show->words, s, &words);
		is_read = read_object(c, &words, to);
		cmdline_release(&words);
	}
	if (!is_read)
		json_copy(to, from);
}

static void
open_fields(struct form_page *m)
{
	struct template_field fields[TEMPLATE_FIELDS];
	struct buf value = { 0 };

	m->count = template_fields(m->action->words, fields);
	for (int i = 0; i < m->count; i++) {
		struct field *f = &m->fields[i];

		f->f = fields[i];
		buf_clear(&value);
		if (f->f.member[0] != '\0')
			template_member(&m->row, f->f.member, &value);
		input_set(&f->input, buf_str(&value));
		if (f->f.choices[0] != '\0' && value.len == 0)
			turn(f, 0);
		str_copy(f->before, sizeof(f->before), f->input.text);
	}
	buf_release(&value);
}

void
form_page_open(struct console *c, const struct view_action *a,
	       const struct template_source *s, int64_t serial)
{
	struct form_page *m = page_new(sizeof(*m), &form_ops, c, a->label);
	struct buf id = { 0 };

	m->action = a;
	m->serial = serial;
	if (s->scope != NULL)
		m->scope = *s->scope;
	copy_json(s->row, &m->row, c, a, s);
	open_fields(m);
	if (!(a->flags & ACTION_NO_ROW)) {
		template_member(&m->row, view_table[a->view].member, &id);
		str_copy(m->name, sizeof(m->name), buf_str(&id));
	}
	buf_release(&id);
	if (a->flags & ACTION_KNOB)
		open_knob(m);
	m->page.is_typing = true;
	page_add_key(&m->page, TUI_ENTER, TUI_NONE, "Do it",
		     "run the command line");
	page_add_key(&m->page, TUI_ESC, TUI_NONE, "Leave it", "change nothing");
	page_add_key(&m->page, TUI_DOWN, TUI_TAB, "Next", "the next field");
	page_add_key(&m->page, TUI_UP, TUI_BACKTAB, "", "the field before");
	page_add_key(&m->page, TUI_RIGHT, TUI_LEFT, "",
		     "another word, where a field takes only some");
	page_add_key(&m->page, 21, TUI_NONE, "Empty", "empty the field");
	update(m);
	console_push(c, &m->page);
}
