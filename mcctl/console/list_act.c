/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Actions of a list.
 */
#include <string.h>

#include "deed.h"
#include "form_page.h"
#include "list_impl.h"
#include "str.h"

/* Whether an action is for a row: "member=value" in its row. */
static bool
fits_row(const struct view_action *a, const struct json *row)
{
	size_t n = strcspn(a->when, "=");
	struct buf value = { 0 };
	char member[32];
	bool fits;

	if (a->when[0] == '\0')
		return true;
	if (row == NULL)
		return false;
	str_fmt(member, sizeof(member), "%.*s", (int)n, a->when);
	template_member(row, member, &value);
	fits = str_eq(buf_str(&value), a->when + n + 1);
	buf_release(&value);
	return fits;
}

static const struct view_action *
find_action(const struct list_page *l, int key, const struct json *row,
	    bool *has_key)
{
	*has_key = false;
	for (size_t i = 0; i < action_count; i++) {
		const struct view_action *a = &action_table[i];

		if (a->view != l->view ||
		    !(a->key == key || (a->key == 'd' && key == TUI_DELETE)))
			continue;
		*has_key = true;
		if (fits_row(a, row))
			return a;
	}
	return NULL;
}

/* The row that is shown above (-1) or below (1) the chosen one. */
static const struct json *
neighbour(const struct list_page *l, int step)
{
	int at = l->state.chosen + step;

	return at >= 0 && at < l->shown
		       ? listing_row(&l->list, l->list.table.order[at])
		       : NULL;
}

static void
run_action(struct list_page *l, const struct view_action *a,
	   const struct template_source *s)
{
	struct cmdline words = { { NULL } };
	struct buf text = { 0 };
	struct template_field fields[TEMPLATE_FIELDS];

	if (template_fields(a->words, fields) > 0) {
		form_page_open(l->page.console, a, s, l->serial);
		return;
	}
	if (!template_fill(a->words, s, &words)) {
		console_say(l->page.console, INK_WARN,
			    "There is no row on that side.");
	} else if (a->flags & (ACTION_GO | ACTION_TYPE)) {
		cmdline_text(&words, &text);
		if (a->flags & ACTION_GO)
			console_go(l->page.console, buf_str(&text));
		else
			console_type(l->page.console, words.words[0]);
	} else {
		deed_do(l->page.console, &words, a->flags, a->help, l->serial);
		if (a->flags & ACTION_MANY)
			list_unmark(l);
		if (!(a->flags & (ACTION_ASK | ACTION_SHOW)))
			list_read(l);
	}
	buf_release(&text);
	cmdline_release(&words);
}

bool
list_act(struct list_page *l, int key)
{
	const struct json *row = listing_row(&l->list, l->state.row);
	struct template_source s = { .row = row,
				     .above = neighbour(l, -1),
				     .below = neighbour(l, 1),
				     .scope = &l->scope };
	const struct view_action *a;
	bool has_key;

	a = find_action(l, key, row, &has_key);
	if (a == NULL) {
		if (has_key)
			console_say(l->page.console, INK_WARN,
				    row == NULL ? "No row is chosen."
						: "Not for this row.");
		return has_key;
	}
	if (row == NULL && !(a->flags & ACTION_NO_ROW) && l->mark_count == 0) {
		console_say(l->page.console, INK_WARN, "No row is chosen.");
		return true;
	}
	if ((a->flags & ACTION_MANY) && l->mark_count > 0) {
		s.id_member = view_table[l->view].member;
		s.ids = (const char *const *)l->marks;
		s.id_count = l->mark_count;
	}
	run_action(l, a, &s);
	return true;
}

void
list_add_keys(struct list_page *l)
{
	for (size_t i = 0; i < action_count; i++) {
		const struct view_action *a = &action_table[i];

		if (a->view != l->view)
			continue;
		page_add_key(&l->page, a->key,
			     a->key == 'd' ? TUI_DELETE : TUI_NONE, a->label,
			     a->help);
		l->has_marks = l->has_marks || (a->flags & ACTION_MANY);
	}
}
