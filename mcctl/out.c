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
#include "xalloc.h"

#define CELL_SIZE 512

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
		str_copy(dst, size, "-");
		return;
	case VALUE_LIST:
	case VALUE_STR:
		break;
	}
	str_printable(dst, size, v->str, strlen(v->str));
	if (v->type == VALUE_LIST)
		for (char *p = dst; (p = strchr(p, '?')) != NULL; p++)
			if (v->str[p - dst] == '\n')
				*p = ' ';
	if (dst[0] == '\0')
		str_copy(dst, size, "-");
}

/* Columns that UTF-8 text takes, control-free as it is. */
static size_t
text_width(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void
print_json(const struct record *r)
{
	struct value values[RECORD_FIELDS_MAX];
	struct buf b = { 0 };
	size_t n;

	if (record_read(buf_span(&r->b), values, &n, NULL) == 0 &&
	    record_json(values, n, &b) == 0)
		printf("%s\n", buf_str(&b));
	buf_release(&b);
}

void
out_row(struct out *o, const struct record *r)
{
	struct record copy = { .count = r->count };

	if (o->json) {
		print_json(r);
		return;
	}
	if (o->rows == NULL)
		o->rows = xcalloc(OUT_PAGE, sizeof(*o->rows));
	buf_add_span(&copy.b, buf_span(&r->b));
	o->rows[o->row_count++] = copy;
	if (o->row_count == OUT_PAGE)
		out_flush(o);
}

static void
print_cell(const char *text, size_t width, bool is_last, bool is_number)
{
	size_t fill = width - text_width(text);

	if (is_number)
		printf("%*s%s", (int)fill, "", text);
	else
		printf("%s%*s", text, is_last ? 0 : (int)fill, "");
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

void
out_flush(struct out *o)
{
	struct value values[RECORD_FIELDS_MAX];
	size_t width[RECORD_FIELDS_MAX] = { 0 };
	char text[CELL_SIZE];
	size_t n = 0;

	for (size_t i = 0; i < o->row_count; i++) {
		if (record_read(buf_span(&o->rows[i].b), values, &n, NULL) < 0)
			continue;
		for (size_t k = 0; k < n; k++) {
			size_t w;

			cell_text(&values[k], text, sizeof(text));
			w = text_width(text);
			if (w > width[k])
				width[k] = w;
			w = strlen(values[k].name);
			if (w > width[k] && !o->no_headers)
				width[k] = w;
		}
	}
	for (size_t i = 0; i < o->row_count; i++) {
		struct record *r = &o->rows[i];

		if (record_read(buf_span(&r->b), values, &n, NULL) == 0) {
			if (!o->has_header && !o->no_headers)
				print_header(values, n, width);
			o->has_header = true;
			for (size_t k = 0; k < n; k++) {
				cell_text(&values[k], text, sizeof(text));
				print_cell(text, width[k], k + 1 == n,
					   values[k].type == VALUE_INT);
			}
		}
		record_release(r);
	}
	o->row_count = 0;
}

void
out_object(struct out *o, const struct record *r)
{
	struct value values[RECORD_FIELDS_MAX];
	char text[4096];
	size_t width = 0;
	size_t n;

	if (o->json) {
		print_json(r);
		return;
	}
	out_flush(o);
	if (record_read(buf_span(&r->b), values, &n, NULL) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		if (strlen(values[i].name) > width)
			width = strlen(values[i].name);
	for (size_t i = 0; i < n; i++) {
		cell_text(&values[i], text, sizeof(text));
		printf("%*s: %s\n", (int)width, values[i].name, text);
	}
}

void
out_release(struct out *o)
{
	for (size_t i = 0; i < o->row_count; i++)
		record_release(&o->rows[i]);
	free(o->rows);
	memset(o, 0, sizeof(*o));
}
