/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Fuzzes the tokenizer of HTML, which must give every byte to just one
 * token, and the view made of it.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "html.h"
#include "html_text.h"
#include "str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static void
check_tokens(struct span in)
{
	static struct html_token t;
	const char *at = in.p;
	struct buf value = { 0 };
	struct html h;
	size_t i;

	html_init(&h, in);
	while (html_next(&h, &t)) {
		must(in.len > 0 && t.whole.p == at && t.whole.len > 0);
		at += t.whole.len;
		must(at <= in.p + in.len);
		must(t.text.p >= t.whole.p && t.text.p + t.text.len <= at);
		must(t.attr_count <= HTML_ATTRS_MAX);
		for (i = 0; i < t.attr_count; i++) {
			const struct html_attr *a = &t.attrs[i];

			must(a->name[0] != '\0');
			must(html_attr(&t, a->name) != NULL);
			buf_clear(&value);
			html_unescape(a->value, true, &value);
			if (str_is_utf8(a->value.p, a->value.len))
				must(str_is_utf8(buf_str(&value), value.len));
		}
	}
	buf_release(&value);
}

static void
check_view(struct span in, size_t limit)
{
	struct html_view v = { 0 };
	size_t i;

	html_view_read(&v, in, limit);
	must(v.text.len <= limit && v.hidden.len <= limit);
	must(v.link_count <= HTML_LINKS_MAX);
	for (i = 0; i < v.link_count; i++)
		must(v.links[i].from <= v.links[i].to &&
		     v.links[i].to <= v.text.len);
	html_view_release(&v);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = { (const char *)data, size };

	check_tokens(in);
	check_view(in, 1u << 20);
	check_view(in, 30);
	return 0;
}
