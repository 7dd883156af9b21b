/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Fuzzes the structure of messages: whatever comes, the limits hold, spans
 * lie inside, text is UTF-8, and a second look sees the same.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mime.h"
#include "str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static void
check_text(const char *s)
{
	size_t i;

	must(s != NULL && str_is_utf8(s, strlen(s)));
	for (i = 0; s[i] != '\0'; i++)
		must((unsigned char)s[i] >= ' ' && s[i] != 127);
}

static void
check_part(struct mime *m, size_t i)
{
	const struct mime_part *p = &m->parts[i];
	struct span text;
	size_t k;

	must(p->parent < (int)i && p->depth >= 0);
	must((size_t)p->depth <= m->limits.depth + 2);
	must(p->type != NULL && p->subtype != NULL && p->charset != NULL);
	must(p->disposition != NULL && p->name_count <= MIME_NAMES_MAX);
	for (k = 0; k < p->name_count; k++)
		check_text(p->names[k]);
	if (p->is_raw && p->body.len > 0)
		must(p->body.p >= m->raw.p &&
		     p->body.p + p->body.len <= m->raw.p + m->raw.len);
	if (!p->is_leaf)
		must(p->data.len == 0);
	mime_sum(m, i);
	text = mime_text(m, i);
	must(text.len <= m->limits.text && str_is_utf8(text.p, text.len));
	must(text.len == 0 || memchr(text.p, '\0', text.len) == NULL);
}

static void
look(struct span in, const struct mime_limits *limits)
{
	struct mime *m = mime_new(in, limits);
	size_t i;

	must(m->part_count > 0 && m->part_count <= m->limits.parts);
	must(m->field_count <= m->limits.fields);
	for (i = 0; i < m->field_count; i++)
		check_text(m->fields[i].value);
	for (i = 0; i < m->part_count; i++)
		check_part(m, i);
	mime_free(m);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct mime_limits tight = { .raw = 4096,
						  .parts = 3,
						  .depth = 2,
						  .header = 128,
						  .fields = 2,
						  .decoded = 100,
						  .text = 50 };
	struct span in = { (const char *)data, size };

	look(in, NULL);
	look(in, &tight);
	return 0;
}
