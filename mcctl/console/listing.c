/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Columns out of their short form, cells out of members.
 */
#include "listing.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "setting.h"
#include "str.h"
#include "template.h"
#include "units.h"
#include "xalloc.h"

#define SECOND 1000000LL

void
listing_init(struct listing *l)
{
	memset(l, 0, sizeof(*l));
	table_init(&l->table, LISTING_ROWS);
	l->rows = xcalloc(LISTING_ROWS, sizeof(*l->rows));
}

static void
clear_rows(struct listing *l)
{
	for (int i = 0; i < l->table.count; i++)
		json_release(&l->rows[i]);
	l->table.count = 0;
}

void
listing_release(struct listing *l)
{
	clear_rows(l);
	table_release(&l->table);
	free(l->rows);
}

static bool
is_right(char how)
{
	return strchr("nrabeo", how) != NULL;
}

static void
add_column(struct listing *l, const char *member, const char *title, int width,
	   char how, int rank)
{
	int i = l->column_count;

	if (i == TABLE_COLUMNS)
		return;
	str_copy(l->members[i], sizeof(l->members[i]), member);
	str_copy(l->titles[i], sizeof(l->titles[i]), title);
	l->how[i] = how;
	l->columns[i] =
		(struct column){ l->titles[i], width, !is_right(how), rank };
	l->column_count++;
}

/* "member=title:24t!1", the title may have blanks. */
static const char *
take_column(struct listing *l, const char *s)
{
	char member[32], title[32];
	size_t n = strcspn(s, "=:");
	int width = 0, rank = 0;
	char how;

	str_fmt(member, sizeof(member), "%.*s", (int)n, s);
	str_copy(title, sizeof(title), member);
	s += n;
	if (*s == '=') {
		n = strcspn(++s, ":");
		str_fmt(title, sizeof(title), "%.*s", (int)n, s);
		s += n;
	}
	for (s += *s == ':'; ascii_isdigit(*s); s++)
		width = 10 * width + (*s - '0');
	how = *s != '\0' ? *s++ : 't';
	if (*s == '!')
		for (s++; ascii_isdigit(*s); s++)
			rank = 10 * rank + (*s - '0');
	add_column(l, member, title, width, how, rank);
	return s + strspn(s, " ");
}

/* Of a list that nothing is said of: as wide as its title at the least. */
static void
make_columns(struct listing *l, const struct json *row)
{
	int last = -1;

	for (size_t i = 1; i < row->count; i = row->nodes[i].end) {
		const struct json_node *n = &row->nodes[i];
		bool is_number = n->type == JSON_NUMBER;
		int width = (int)strlen(n->name);

		if (width < (is_number ? 6 : 12))
			width = is_number ? 6 : 12;
		if (!is_number)
			last = l->column_count;
		add_column(l, n->name, n->name, width, is_number ? 'n' : 't',
			   l->column_count);
	}
	if (last >= 0 && last < l->column_count)
		l->columns[last].width = 0;
}

static enum ink
word_ink(const char *s)
{
	static const struct {
		const char *word;
		enum ink ink;
	} words[] = {
		{ "spam", INK_SPAM },
		{ "virus", INK_VIRUS },
		{ "dangerous", INK_VIRUS },
		{ "allow", INK_GOOD },
		{ "block", INK_BAD },
		{ "warn", INK_WARN },
		{ "ok", INK_GOOD },
		{ "note", INK_DIM },
		{ "warning", INK_WARN },
		{ "FAULT", INK_BAD },
		{ "on", INK_GOOD },
		{ "off", INK_DIM },
		{ "suspended", INK_BAD },
		{ "closed", INK_GOOD },
		{ "open", INK_BAD },
		{ "hold", INK_WARN },
		{ "delivered", INK_GOOD },
		{ "deferred", INK_WARN },
		{ "bounced", INK_BAD },
		{ "refused", INK_BAD },
		{ "outgoing", INK_OUTGOING },
		{ "incoming", INK_INCOMING },
		{ "filtering", INK_FILTERING },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (str_eq(words[i].word, s))
			return words[i].ink;
	return INK_TEXT;
}

/* "2026-11-25T09:07:31.017Z" as a clock shows it here. */
static void
clock_cell(struct table_row *r, int col, const char *text)
{
	char shown[UNITS_SIZE];
	struct tm tm;

	memset(&tm, 0, sizeof(tm));
	if (strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) == NULL) {
		table_text(r, col, INK_TEXT, text);
		return;
	}
	units_clock(shown, (int64_t)timegm(&tm) * SECOND, clock_wall_us());
	table_text(r, col, INK_DIM, shown);
}

static void
number_cell(struct table_row *r, int col, char how, const char *text)
{
	char shown[UNITS_SIZE];
	int64_t n = 0;
	bool is_known = str_to_i64(text, &n, NULL) == 0;
	enum ink ink = INK_TEXT;

	if (!is_known) {
		table_number(r, col, INK_DIM, -1, text[0] != '\0' ? text : "-");
		return;
	}
	if (how == 'a')
		units_age(shown, n * SECOND);
	else if (how == 'b')
		units_bytes(shown, n);
	else
		units_count(shown, n);
	if (how == 'e')
		ink = n > 0 ? INK_WARN : INK_DIM;
	if (how == 'o')
		ink = n > 0 ? INK_STRONG : INK_DIM;
	table_number(r, col, ink, n, shown);
}

/* Quotes show an empty text, and blanks at its ends. */
static void
setting_cell(struct table_row *r, int col, const struct json *row, char how,
	     const char *text)
{
	struct buf name = { 0 }, from = { 0 };
	const struct knob *k;
	char quoted[KNOB_TEXT_SIZE + 2];

	template_member(row, "name", &name);
	template_member(row, "from", &from);
	k = knob_find(buf_str(&name), NULL);
	if (how == 'h') {
		table_text(r, col, INK_DIM, k != NULL ? k->help : "");
	} else {
		str_fmt(quoted, sizeof(quoted), "\"%s\"", text);
		table_text(r, col,
			   str_eq(buf_str(&from), "default") ? INK_TEXT
							     : INK_STRONG,
			   k != NULL && k->type == KNOB_TYPE_TEXT ? quoted
								  : text);
	}
	buf_release(&name);
	buf_release(&from);
}

static void
fill_cell(struct listing *l, struct table_row *r, int col,
	  const struct json *row)
{
	struct buf b = { 0 };
	const char *text;
	char how = l->how[col];

	template_member(row, l->members[col], &b);
	text = buf_str(&b);
	if (how == 'g' || how == 'h')
		setting_cell(r, col, row, how, text);
	else if (strchr("nabeo", how) != NULL)
		number_cell(r, col, how, text);
	else if (how == 'c')
		clock_cell(r, col, text);
	else if (how == 'y')
		table_text(r, col,
			   str_eq(text, "no") || str_eq(text, "false")
				   ? INK_DIM
				   : INK_GOOD,
			   str_eq(text, "true")	   ? "yes"
			   : str_eq(text, "false") ? "no"
						   : text);
	else if (how == 'k' || how == 'v')
		table_text(r, col, word_ink(text), text);
	else if (how == 'f')
		table_text(r, col,
			   str_eq(text, "default") ? INK_DIM : INK_LABEL, text);
	else
		table_text(r, col, INK_TEXT, text);
	buf_release(&b);
}

static void
add_row(struct listing *l, struct span line)
{
	struct json *row = &l->rows[l->table.count];
	struct table_row *cells;

	if (json_read(row, line, NULL) < 0 ||
	    row->nodes[0].type != JSON_OBJECT) {
		json_release(row);
		return;
	}
	if (l->column_count == 0)
		make_columns(l, row);
	l->table.column_count = l->column_count;
	cells = table_add(&l->table);
	for (int i = 0; i < l->column_count; i++)
		fill_cell(l, cells, i, row);
}

void
listing_read(struct listing *l, const char *columns, struct span lines)
{
	clear_rows(l);
	l->column_count = 0;
	l->is_cut = false;
	while (*columns != '\0')
		columns = take_column(l, columns);
	table_start(&l->table, l->columns, l->column_count);
	while (lines.len > 0) {
		const char *lf = memchr(lines.p, '\n', lines.len);
		size_t n = lf != NULL ? (size_t)(lf - lines.p) : lines.len;

		if (l->table.count == LISTING_ROWS) {
			l->is_cut = true;
			return;
		}
		add_row(l, (struct span){ lines.p, n });
		n += lf != NULL;
		lines.p += n;
		lines.len -= n;
	}
}

void
listing_drop(struct listing *l)
{
	if (l->table.count > 0)
		json_release(&l->rows[--l->table.count]);
}

const struct json *
listing_row(const struct listing *l, int row)
{
	return row >= 0 && row < l->table.count ? &l->rows[row] : NULL;
}

void
listing_hidden(const struct listing *l, int row, int room, char *dst,
	       size_t size)
{
	int widths[TABLE_COLUMNS];
	size_t at = 0;

	dst[0] = '\0';
	if (row < 0 || row >= l->table.count)
		return;
	table_widths(&l->table, room, widths);
	for (int i = 0; i < l->column_count; i++) {
		const char *text = l->table.rows[row].cells[i].text;

		if (text[0] == '\0' || str_eq(text, "-") ||
		    text_columns(text, -1) <= widths[i])
			continue;
		if (!str_fmt(dst + at, size - at, "%s%s: %s",
			     at > 0 ? "   " : "", l->titles[i], text))
			return;
		at += strlen(dst + at);
	}
}
