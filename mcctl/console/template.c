/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Filling in the holes of command lines.
 */
#include "template.h"

#include <string.h>

#include "str.h"

enum token_kind {
	TOKEN_WORD,
	TOKEN_MEMBER,
	TOKEN_SCOPE,
	TOKEN_ROW_SCOPE,
	TOKEN_FIELD
};

struct token {
	enum token_kind kind;
	char prefix[TEMPLATE_LABEL]; /* "--name=", "--name?" or "" */
	char text[TEMPLATE_LABEL]; /* the word, or the name of the member */
	char side; /* '+', '-' or 0, of a member */
	struct template_field field;
};

/* Inside the brackets of a field. */
static void
read_field(const char *s, size_t len, struct template_field *f)
{
	char text[TEMPLATE_LABEL + 160];
	char *p, *colon, *equal;

	memset(f, 0, sizeof(*f));
	str_fmt(text, sizeof(text), "%.*s", (int)len, s);
	colon = strchr(text, ':');
	equal = strchr(text, '=');
	if (equal != NULL && (colon == NULL || equal < colon)) {
		*equal = '\0';
		p = equal + 1 + strcspn(equal + 1, ":");
		str_fmt(f->member, sizeof(f->member), "%.*s",
			(int)(p - equal - 1), equal + 1);
		colon = *p == ':' ? p : NULL;
	}
	if (colon != NULL) {
		*colon = '\0';
		str_copy(f->choices, sizeof(f->choices), colon + 1);
	}
	p = strchr(text, '*');
	f->is_many = p != NULL;
	if (p != NULL)
		*p = '\0';
	for (p = text; *p != '\0'; p++)
		if (*p == '_')
			*p = ' ';
	str_copy(f->label, sizeof(f->label), text);
}

/* The next token of a template; NULL at its end. */
static const char *
next_token(const char *t, struct token *k)
{
	size_t n, open;

	memset(k, 0, sizeof(*k));
	t += strspn(t, " ");
	n = strcspn(t, " ");
	if (n == 0)
		return NULL;
	open = strcspn(t, "<");
	if (open < n) {
		k->kind = TOKEN_FIELD;
		str_fmt(k->prefix, sizeof(k->prefix), "%.*s", (int)open, t);
		read_field(t + open + 1, n - open - 2, &k->field);
		k->field.is_optional = open > 0;
		return t + n;
	}
	if (t[0] == '{') {
		k->kind = TOKEN_MEMBER;
		k->side = t[1] == '+' || t[1] == '-' ? t[1] : '\0';
		open = k->side != '\0' ? 2 : 1;
		str_fmt(k->text, sizeof(k->text), "%.*s", (int)(n - open - 1),
			t + open);
		return t + n;
	}
	k->kind = n == 1 && t[0] == '@'	  ? TOKEN_SCOPE
		  : n == 1 && t[0] == '&' ? TOKEN_ROW_SCOPE
					  : TOKEN_WORD;
	str_fmt(k->text, sizeof(k->text), "%.*s", (int)n, t);
	return t + n;
}

int
template_fields(const char *t, struct template_field fields[TEMPLATE_FIELDS])
{
	struct token k;
	int n = 0;

	while ((t = next_token(t, &k)) != NULL && n < TEMPLATE_FIELDS)
		if (k.kind == TOKEN_FIELD)
			fields[n++] = k.field;
	return n;
}

static void
add_node(const struct json *j, size_t at, struct buf *out)
{
	size_t i;

	if (j->nodes[at].type == JSON_NULL)
		return;
	if (j->nodes[at].type != JSON_ARRAY) {
		buf_add_str(out, j->nodes[at].text);
		return;
	}
	for (i = at + 1; i < j->nodes[at].end; i = j->nodes[i].end) {
		if (i > at + 1)
			buf_add_char(out, ' ');
		add_node(j, i, out);
	}
}

void
template_member(const struct json *row, const char *name, struct buf *out)
{
	const struct json_node *n =
		row != NULL ? json_member(row, 0, name) : NULL;

	if (n != NULL)
		add_node(row, (size_t)(n - row->nodes), out);
}

static bool
add_member(const struct template_source *s, const struct token *k,
	   struct cmdline *out)
{
	const struct json *row = k->side == '+'	  ? s->below
				 : k->side == '-' ? s->above
						  : s->row;
	struct buf text = { 0 };

	if (k->side == '\0' && s->ids != NULL &&
	    str_eq(k->text, s->id_member)) {
		for (int i = 0; i < s->id_count; i++)
			cmdline_add(out, s->ids[i]);
		return s->id_count > 0;
	}
	if (row == NULL)
		return false;
	template_member(row, k->text, &text);
	cmdline_add(out, buf_str(&text));
	buf_release(&text);
	return true;
}

static void
add_scope(const struct scope *scope, struct cmdline *out)
{
	if (scope == NULL || scope->option[0] == '\0')
		return;
	cmdline_add(out, scope->option);
	cmdline_add(out, scope->subject);
}

static void
add_row_scope(const struct json *row, struct cmdline *out)
{
	struct buf level = { 0 }, subject = { 0 };

	template_member(row, "level", &level);
	template_member(row, "subject", &subject);
	if (str_eq(buf_str(&level), "domain") ||
	    str_eq(buf_str(&level), "user")) {
		cmdline_addf(out, "--%s", buf_str(&level));
		cmdline_add(out, buf_str(&subject));
	}
	buf_release(&level);
	buf_release(&subject);
}

static void
add_field(const struct token *k, const char *value, struct cmdline *out)
{
	size_t prefix = strlen(k->prefix), n;

	if (prefix > 0 && k->prefix[prefix - 1] == '?') {
		if (str_eq(value, "yes"))
			cmdline_addf(out, "%.*s", (int)prefix - 1, k->prefix);
		return;
	}
	if (value[0] == '\0' && k->field.is_optional)
		return;
	if (!k->field.is_many) {
		cmdline_addf(out, "%s%s", k->prefix, value);
		return;
	}
	for (;;) {
		value += strspn(value, " ");
		n = strcspn(value, " ");
		if (n == 0)
			return;
		cmdline_addf(out, "%s%.*s", k->prefix, (int)n, value);
		value += n;
	}
}

bool
template_fill(const char *t, const struct template_source *s,
	      struct cmdline *out)
{
	struct token k;
	bool is_whole = true;
	int field = 0;

	while ((t = next_token(t, &k)) != NULL) {
		if (k.kind == TOKEN_WORD)
			cmdline_add(out, k.text);
		else if (k.kind == TOKEN_MEMBER)
			is_whole = add_member(s, &k, out) && is_whole;
		else if (k.kind == TOKEN_SCOPE)
			add_scope(s->scope, out);
		else if (k.kind == TOKEN_ROW_SCOPE)
			add_row_scope(s->row, out);
		else if (field < TEMPLATE_FIELDS)
			add_field(&k,
				  s->values != NULL ? s->values[field++] : "",
				  out);
	}
	return is_whole;
}
