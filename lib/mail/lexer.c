/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Words, pairs of words, addresses and marks.  Bounded: of each part the
 * first TEXT_MAX bytes, of each message the first PARTS_MAX parts.
 */
#include "lexer.h"

#include <string.h>

#include "html_text.h"
#include "lexer_impl.h"
#include "str.h"
#include "view.h"

#define TEXT_MAX (96u << 10) /* bytes of text of one part */
#define PARTS_MAX 20
#define FIELD_MAX 2048 /* bytes of one field */

/* How the words of a field are taken. */
enum field_form { FORM_WORDS, FORM_WHOLE, FORM_HOSTS };

struct field_rule {
	const char *name, *tag;
	enum field_form form;
};

static const struct field_rule field_rules[] = {
	{ "Subject", "subj:", FORM_WORDS },
	{ "From", "from:", FORM_HOSTS },
	{ "To", "to:", FORM_HOSTS },
	{ "Cc", "to:", FORM_HOSTS },
	{ "Reply-To", "reply:", FORM_HOSTS },
	{ "Return-Path", "rtrn:", FORM_HOSTS },
	{ "Sender", "from:", FORM_HOSTS },
	{ "Received", "rcvd:", FORM_HOSTS },
	{ "Message-ID", "id:", FORM_HOSTS },
	{ "Date", "date:", FORM_WORDS },
	{ "X-Mailer", "mua:", FORM_WORDS },
	{ "User-Agent", "mua:", FORM_WORDS },
	{ "List-Id", "list:", FORM_HOSTS },
	{ "List-Unsubscribe", "list:", FORM_HOSTS },
	{ "Organization", "org:", FORM_WORDS },
	{ "Content-Type", "type:", FORM_WORDS },
	{ "MIME-Version", "mime:", FORM_WHOLE },
	{ "X-Priority", "prio:", FORM_WHOLE },
	{ "Importance", "prio:", FORM_WHOLE },
	{ "Precedence", "prec:", FORM_WHOLE },
};

/* What a gateway or a filter on the way has written says who wrote it, not
 * what the message is. */
static const char *const passed_over[] = {
	"X-Spam-",
	"X-MC-",
	"X-Bogosity",
	"DKIM-Signature",
	"ARC-",
	"X-Google-",
	"Authentication-Results",
	"Delivered-To",
	"X-Original-To",
	"Received-SPF",
};

static bool
is_passed_over(struct span name)
{
	size_t i;

	for (i = 0; i < sizeof(passed_over) / sizeof(passed_over[0]); i++) {
		size_t n = strlen(passed_over[i]);

		if (name.len >= n &&
		    strncasecmp(name.p, passed_over[i], n) == 0)
			return true;
	}
	return false;
}

static void
field(struct lexer *x, const struct mime_field *f)
{
	struct span value = span_of(f->value);
	char name[LEXER_WORD_MAX];
	size_t i;

	if (is_passed_over(f->name))
		return;
	if (value.len > FIELD_MAX)
		value.len = FIELD_MAX;
	for (i = 0; i < sizeof(field_rules) / sizeof(field_rules[0]); i++) {
		const struct field_rule *r = &field_rules[i];

		if (!span_ieq(f->name, span_of(r->name)))
			continue;
		if (r->form == FORM_WHOLE)
			lexer_put(x, r->tag, value.p, value.len);
		else
			lexer_text(x, r->tag, value, r->form == FORM_HOSTS);
		return;
	}
	/* Of a field nobody knows its name says most. */
	if (f->name.len >= sizeof(name) - 8)
		return;
	memcpy(name, f->name.p, f->name.len);
	name[f->name.len] = '\0';
	str_lower(name);
	lexer_put(x, "head:", name, f->name.len);
}

static struct span
head(struct span s)
{
	return (struct span){ s.p, s.len < TEXT_MAX ? s.len : TEXT_MAX };
}

static void
html(struct lexer *x, const struct html_view *v)
{
	static const struct {
		uint32_t bit;
		const char *word;
	} marks[] = {
		{ HTML_HIDDEN_TEXT, "hidden" }, { HTML_TINY_TEXT, "tiny" },
		{ HTML_SAME_COLOR, "color" },	{ HTML_SCRIPT, "script" },
		{ HTML_FORM, "form" },		{ HTML_PASSWORD, "password" },
		{ HTML_IFRAME, "iframe" },	{ HTML_REFRESH, "refresh" },
		{ HTML_BASE, "base" },		{ HTML_HANDLER, "handler" },
		{ HTML_DATA_URL, "data" },	{ HTML_CONDITIONAL, "if" },
	};
	size_t i;

	lexer_text(x, "", head(buf_span(&v->text)), false);
	lexer_text(x, "hid:", head(buf_span(&v->hidden)), false);
	for (i = 0; i < v->link_count; i++)
		lexer_url(x, span_of(v->links[i].url),
			  v->links[i].kind == HTML_SRC ? "src:" : "url:");
	for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (v->seen & marks[i].bit)
			lexer_put(x, "html:", marks[i].word,
				  strlen(marks[i].word));
	if (v->image_count > 0)
		lexer_count(x, "html:images", v->image_count);
	lexer_count(x, "html:links", v->link_count);
	lexer_count(x, "html:text", v->text.len);
}

static void
part(struct lexer *x, struct view *v, size_t i)
{
	const struct mime_part *p = &v->mime->parts[i];
	char type[LEXER_WORD_MAX];
	size_t k;

	if (str_fmt(type, sizeof(type), "%s/%s", p->type, p->subtype))
		lexer_put(x, "part:", type, strlen(type));
	if (p->charset[0] != '\0')
		lexer_put(x, "set:", p->charset, strlen(p->charset));
	for (k = 0; k < p->name_count; k++)
		lexer_text(x, "file:", span_of(p->names[k]), false);
	if (view_html(v, i) != NULL)
		html(x, view_html(v, i));
	else if (str_eq(p->type, "text"))
		lexer_text(x, "", head(mime_text(v->mime, i)), false);
}

void
lexer_run(struct view *v, lexer_fn *fn, void *arg)
{
	const struct mime *m = v->mime;
	struct lexer x = { .fn = fn, .arg = arg };
	size_t done = 0;
	size_t i;

	for (i = 0; i < m->field_count; i++)
		field(&x, &m->fields[i]);
	for (i = 0; i < m->part_count && done < PARTS_MAX; i++) {
		if (!m->parts[i].is_leaf)
			continue;
		part(&x, v, i);
		done++;
	}
	for (i = 0; i < MIME_BIT_COUNT; i++)
		if (m->symptoms & (1u << i))
			lexer_put(&x, "mime:", mime_symptoms[i].word,
				  strlen(mime_symptoms[i].word));
}
