/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Records as tables, objects and JSON lines.
 */
#include "out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "str.h"

#define CELL_SIZE 1024

/* The items of a list with `between` between them. */
static void
list_text(const char *items, const char *between, char *dst, size_t size)
{
	char item[CELL_SIZE];
	size_t at = 0;

	dst[0] = '\0';
	while (*items != '\0') {
		size_t len = strcspn(items, "\n");

		str_printable(item, sizeof(item), items, len);
		if (!str_fmt(dst + at, size - at, "%s%s", at > 0 ? between : "",
			     item))
			return;
		at += strlen(dst + at);
		items += len;
		items += *items == '\n';
	}
}

/* The text of a value as a person reads it. */
static void
cell_text(const struct value *v, char *dst, size_t size)
{
	switch (v->type) {
	case VALUE_INT:
		str_fmt(dst, size, "%lld", (long long)v->num);
		return;
	case VALUE_BOOL:
		str_copy(dst, size, v->num ? "yes" : "no");
		return;
	case VALUE_NULL:
		dst[0] = '\0';
		break;
	case VALUE_LIST:
		list_text(v->str, " ", dst, size);
		break;
	case VALUE_STR:
		str_printable(dst, size, v->str, strlen(v->str));
		break;
	}
	if (dst[0] == '\0')
		str_copy(dst, size, "-");
}

/* Columns of a terminal that text takes. */
static size_t
text_width(const char *s)
{
	mbstate_t state = { 0 };
	size_t len = strlen(s);
	size_t columns = 0;

	while (len > 0) {
		wchar_t wc;
		size_t n = mbrtowc(&wc, s, len, &state);
		int w = 1;

		if (n == (size_t)-1 || n == (size_t)-2 || n == 0) {
			memset(&state, 0, sizeof(state));
			n = 1;
		} else {
			w = wcwidth(wc);
		}
		columns += w > 0 ? (size_t)w : 0;
		s += n;
		len -= n;
	}
	return columns;
}

void
out_json(const struct record *r, struct buf *b)
{
	struct value values[RECORD_FIELDS_MAX];
	size_t n;

	if (record_read(buf_span(&r->b), values, &n, NULL) == 0)
		(void)record_json(values, n, b);
}

static void
print_json(struct out *o, const struct record *r)
{
	struct buf b = { 0 };

	out_json(r, &b);
	out_line(o, buf_str(&b));
	buf_release(&b);
}

void
out_line(struct out *o, const char *line)
{
	out_flush(o);
	printf("%s\n", line);
	o->has_printed = true;
}

void
out_done(struct out *o)
{
	if (o->json)
		out_line(o, "{\"ok\":true}");
}

void
out_row(struct out *o, const struct record *r)
{
	struct record *copy;

	if (o->json) {
		print_json(o, r);
		return;
	}
	copy = &o->rows[o->row_count++];
	*copy = (struct record){ .count = r->count };
	buf_add_span(&copy->b, buf_span(&r->b));
	if (o->row_count == OUT_PAGE)
		out_flush(o);
}

static void
print_cell(const char *text, size_t width, bool is_last, bool is_number)
{
	size_t has = text_width(text);
	int fill = has < width ? (int)(width - has) : 0;

	if (is_number)
		printf("%*s%s", fill, "", text);
	else
		printf("%s%*s", text, is_last ? 0 : fill, "");
	fputs(is_last ? "\n" : "  ", stdout);
}

static void
print_header(const struct value *values, size_t n, const size_t *width)
{
	for (size_t i = 0; i < n; i++) {
		char name[64];

		str_copy(name, sizeof(name), values[i].name);
		for (char *p = name; *p != '\0'; p++)
			*p = *p == '_' ? '-'
				       : (char)(*p -
						(ascii_isalpha(*p) ? 32 : 0));
		print_cell(name, width[i], i + 1 == n,
			   values[i].type == VALUE_INT);
	}
}

static void
measure(struct out *o, const struct record *r)
{
	struct value values[RECORD_FIELDS_MAX];
	char text[CELL_SIZE];
	size_t n, w;

	if (record_read(buf_span(&r->b), values, &n, NULL) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		cell_text(&values[i], text, sizeof(text));
		w = text_width(text);
		if (!o->no_headers && strlen(values[i].name) > w)
			w = strlen(values[i].name);
		if (w > o->width[i])
			o->width[i] = w;
	}
}

static void
print_row(struct out *o, const struct record *r)
{
	struct value values[RECORD_FIELDS_MAX];
	char text[CELL_SIZE];
	size_t n;

	if (record_read(buf_span(&r->b), values, &n, NULL) < 0)
		return;
	if (!o->has_header && !o->no_headers)
		print_header(values, n, o->width);
	o->has_header = true;
	o->has_printed = true;
	for (size_t i = 0; i < n; i++) {
		cell_text(&values[i], text, sizeof(text));
		print_cell(text, o->width[i], i + 1 == n,
			   values[i].type == VALUE_INT);
	}
}

int
out_encoded(void *arg, const struct value *values, size_t count,
	    struct span encoded)
{
	struct record r = { .count = count };

	(void)values;
	(void)buf_add_span(&r.b, encoded);
	out_row(arg, &r);
	record_release(&r);
	return ferror(stdout);
}

void
out_flush(struct out *o)
{
	for (size_t i = 0; i < o->row_count; i++)
		measure(o, &o->rows[i]);
	for (size_t i = 0; i < o->row_count; i++) {
		print_row(o, &o->rows[i]);
		record_release(&o->rows[i]);
	}
	o->row_count = 0;
}

void
out_end(struct out *o)
{
	out_flush(o);
	o->has_header = false;
	memset(o->width, 0, sizeof(o->width));
}

/* A list has a line for each item. */
static void
print_member(const struct value *v, int width)
{
	char text[4096];
	const char *items = v->str;
	size_t len;

	if (v->type != VALUE_LIST || items[0] == '\0') {
		cell_text(v, text, sizeof(text));
		printf("%*s: %s\n", width, v->name, text);
		return;
	}
	for (bool is_first = true; *items != '\0'; is_first = false) {
		len = strcspn(items, "\n");
		str_printable(text, sizeof(text), items, len);
		printf("%*s%s %s\n", width, is_first ? v->name : "",
		       is_first ? ":" : " ", text);
		items += len;
		items += *items == '\n';
	}
}

void
out_object(struct out *o, const struct record *r)
{
	struct value values[RECORD_FIELDS_MAX];
	size_t width = 0;
	size_t n;

	if (o->json) {
		print_json(o, r);
		return;
	}
	out_end(o);
	if (record_read(buf_span(&r->b), values, &n, NULL) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		if (strlen(values[i].name) > width)
			width = strlen(values[i].name);
	for (size_t i = 0; i < n; i++)
		print_member(&values[i], (int)width);
	o->has_printed = true;
}

void
out_release(struct out *o)
{
	for (size_t i = 0; i < o->row_count; i++)
		record_release(&o->rows[i]);
	memset(o, 0, sizeof(*o));
}
