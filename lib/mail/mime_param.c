/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Parameters of MIME fields.  The strict reading follows RFC 2045 where
 * the value does; an odd value is also read as scanners and mail programs
 * do that look for the name only.
 */
#include "mime_param.h"

#include <string.h>

#include "charset.h"
#include "mime_word.h"
#include "str.h"

static bool
is_blank(char c)
{
	return ascii_isspace((unsigned char)c);
}

/* Without line ends; NUL would end the text for others. */
static char *
unfold(struct arena *a, struct span in)
{
	size_t n = in.len < PARAM_TEXT_MAX ? in.len : PARAM_TEXT_MAX;
	char *out = arena_alloc(a, n + 1);
	size_t to = 0;
	size_t i;

	for (i = 0; i < n; i++)
		if (in.p[i] != '\n' && in.p[i] != '\r')
			out[to++] = (char)(in.p[i] != '\0' ? in.p[i] : ' ');
	out[to] = '\0';
	return out;
}

/* Past a comment at p (RFC 5322 section 3.2.2), nested ones in it. */
static const char *
comment_end(const char *p)
{
	int depth = 0;

	for (; *p != '\0'; p++) {
		if (*p == '\\' && p[1] != '\0')
			p++;
		else if (*p == '(')
			depth++;
		else if (*p == ')' && --depth == 0)
			return p + 1;
	}
	return p;
}

static const char *
skip(const char *p)
{
	for (;;) {
		while (is_blank(*p))
			p++;
		if (*p != '(')
			return p;
		p = comment_end(p);
	}
}

static char *
skip_in(char *p)
{
	return p + (skip(p) - p);
}

/* [p, end) without blanks at both ends. */
static struct span
trim(const char *p, const char *end)
{
	while (p < end && is_blank(*p))
		p++;
	while (end > p && is_blank(end[-1]))
		end--;
	return (struct span){ p, (size_t)(end - p) };
}

static char *
copy_lower(struct arena *a, struct span s)
{
	char *out = arena_strndup(a, s.p, s.len);

	str_lower(out);
	return out;
}

/* A quoted string at p; *value is what it says.  It is written over what
 * was read, because it is never longer. */
static char *
read_quoted(char *p, struct span *value, bool *is_odd)
{
	char *out = p;
	size_t n = 0;

	for (p++; *p != '\0' && *p != '"'; p++) {
		/* Windows paths: only a quote or a backslash is escaped. */
		if (*p == '\\' && (p[1] == '"' || p[1] == '\\'))
			p++;
		else if (*p == '\\')
			*is_odd = true;
		out[n++] = *p;
	}
	if (*p == '\0')
		*is_odd = true;
	else
		p++;
	*value = (struct span){ out, n };
	return p;
}

/* Up to the ";"; blanks inside stay, as in `name=my file.pdf`. */
static char *
read_bare(char *p, struct span *value, bool *is_odd)
{
	char *out = p;
	size_t n = 0;

	while (*p != '\0' && *p != ';') {
		if (*p == '(') {
			*is_odd = true;
			p += comment_end(p) - p;
			continue;
		}
		if (*p == '\\' && p[1] != '\0') {
			*is_odd = true;
			p++;
		}
		if (*p == '"' || (*p == '\'' && n == 0 && p[1] != '\''))
			*is_odd = true;
		out[n++] = *p++;
	}
	*value = trim(out, out + n);
	return p;
}

/* name*2* -> "name", 2, extended. */
static void
split_name(struct arena *a, struct span s, struct mime_param *out)
{
	size_t n = s.len;
	size_t star;

	out->section = -1;
	out->is_extended = n > 0 && s.p[n - 1] == '*';
	if (out->is_extended)
		n--;
	star = n;
	while (star > 0 && ascii_isdigit((unsigned char)s.p[star - 1]))
		star--;
	if (star > 0 && star < n && s.p[star - 1] == '*' && n - star < 4) {
		out->section = 0;
		for (; star < n; star++)
			out->section = out->section * 10 + (s.p[star] - '0');
		while (s.p[n - 1] != '*')
			n--;
		n--;
	}
	out->name = copy_lower(a, trim(s.p, s.p + n));
}

/* One "name=value" at p, up to the next ";". */
static char *
read_param(struct arena *a, char *p, struct mime_value *v)
{
	struct mime_param *out = &v->params[v->count];
	char *from, *rest;

	from = p = skip_in(p);
	while (*p != '\0' && *p != ';' && *p != '=' && *p != '(')
		p++;
	if (*p == '(') {
		v->is_odd |= p > from;
		rest = skip_in(p);
		if (*rest != '=') {
			v->is_odd = true;
			while (*rest != '\0' && *rest != ';')
				rest++;
			return rest;
		}
		split_name(a, trim(from, p), out);
		p = rest;
	} else if (*p != '=') {
		v->is_odd |= trim(from, p).len > 0;
		return p;
	} else {
		split_name(a, trim(from, p), out);
	}
	p = skip_in(p + 1);
	if (*p == '"') {
		p = read_quoted(p, &out->value, &v->is_odd);
		rest = skip_in(p);
		if (*rest != '\0' && *rest != ';')
			v->is_odd = true;
		while (*rest != '\0' && *rest != ';')
			rest++;
		p = rest;
	} else {
		p = read_bare(p, &out->value, &v->is_odd);
	}
	v->count++;
	return p;
}

void
mime_value_read(struct arena *a, struct span value, struct mime_value *out)
{
	char *p, *from;

	out->count = 0;
	out->is_odd = value.len > PARAM_TEXT_MAX;
	out->text = unfold(a, value);
	p = from = skip_in(arena_strdup(a, out->text));
	while (*p != '\0' && *p != ';' && *p != '(')
		p++;
	out->word = copy_lower(a, trim(from, p));
	if (*p == '(') {
		p = skip_in(p);
		out->is_odd |= *p != '\0' && *p != ';';
		while (*p != '\0' && *p != ';')
			p++;
	}
	while (*p == ';' && out->count < PARAM_MAX)
		p = read_param(a, p + 1, out);
	if (*p == ';')
		out->is_odd = true;
}

/* Appends with %XX resolved. */
static void
percent(struct span in, struct buf *out)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < in.len; i++) {
		const char *hi = NULL, *lo = NULL;

		if (in.p[i] == '%' && i + 2 < in.len) {
			hi = memchr(digits, ascii_lower(in.p[i + 1]), 16);
			lo = memchr(digits, ascii_lower(in.p[i + 2]), 16);
		}
		if (hi != NULL && lo != NULL) {
			buf_add_char(out, (char)((hi - digits) << 4 |
						 (lo - digits)));
			i += 2;
		} else {
			buf_add_char(out, in.p[i]);
		}
	}
}

/* Takes charset'language' off; "" when there is none. */
static void
take_charset(struct span *s, char *set, size_t size)
{
	const char *q = s->len > 0 ? memchr(s->p, '\'', s->len) : NULL;
	const char *end = s->p + s->len, *r;

	set[0] = '\0';
	r = q != NULL ? memchr(q + 1, '\'', (size_t)(end - q - 1)) : NULL;
	if (r == NULL)
		return;
	if ((size_t)(q - s->p) < size) {
		memcpy(set, s->p, (size_t)(q - s->p));
		set[q - s->p] = '\0';
	}
	*s = (struct span){ r + 1, (size_t)(end - r - 1) };
}

/* Valid UTF-8 without controls. */
static const char *
finish(struct arena *a, const char *set, const struct buf *bytes)
{
	struct buf out = { 0 };
	char *text;
	size_t i;

	charset_decode(set, buf_span(bytes), &out);
	text = arena_strdup(a, buf_str(&out));
	buf_release(&out);
	for (i = 0; text[i] != '\0'; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 127)
			text[i] = ' ';
	return text;
}

/* name*=, then name*0=, name*1=... in order; NULL when there is none. */
static const char *
get_extended(struct arena *a, struct mime_value *v, const char *name)
{
	struct buf bytes = { 0 };
	char set[CHARSET_NAME_MAX] = "";
	const char *text = NULL;
	int want = 0;
	size_t i;

	for (i = 0; i < v->count; i++) {
		const struct mime_param *p = &v->params[i];
		struct span s = p->value;

		if (!str_eq(p->name, name) ||
		    (p->section < 0 && !p->is_extended))
			continue;
		if (p->section > 0 && p->section != want)
			v->is_odd = true;
		if (p->section == 0 && want > 0)
			v->is_odd = true;
		if (p->section <= 0 && p->is_extended)
			take_charset(&s, set, sizeof(set));
		if (p->is_extended)
			percent(s, &bytes);
		else
			buf_add_span(&bytes, s);
		want++;
	}
	if (want > 0)
		text = finish(a, set, &bytes);
	buf_release(&bytes);
	return text;
}

static const struct mime_param *
get_plain(struct mime_value *v, const char *name)
{
	const struct mime_param *found = NULL;
	size_t i;

	for (i = 0; i < v->count; i++) {
		const struct mime_param *p = &v->params[i];

		if (!str_eq(p->name, name) || p->section >= 0 || p->is_extended)
			continue;
		if (found != NULL && !span_eq(found->value, p->value))
			v->is_odd = true;
		else if (found == NULL)
			found = p;
	}
	return found;
}

/* Sections in the order of their numbers; how many RFC 2231 has. */
static void
sort_sections(struct mime_value *v)
{
	size_t i, k;

	for (i = 1; i < v->count; i++)
		for (k = i; k > 0 && v->params[k].section >= 0 &&
			    v->params[k - 1].section > v->params[k].section &&
			    str_eq(v->params[k].name, v->params[k - 1].name);
		     k--) {
			struct mime_param p = v->params[k];

			v->params[k] = v->params[k - 1];
			v->params[k - 1] = p;
			v->is_odd = true;
		}
}

static const char *
decode_words(struct arena *a, struct span s)
{
	struct buf out = { 0 };
	char *text;

	mime_words(s, &out);
	text = arena_strdup(a, buf_str(&out));
	buf_release(&out);
	return text;
}

const char *
mime_param_get(struct arena *a, struct mime_value *v, const char *name)
{
	const struct mime_param *plain;
	const char *text;

	sort_sections(v);
	plain = get_plain(v, name);
	text = get_extended(a, v, name);
	/* Some encode words inside of RFC 2231. */
	if (text != NULL && strstr(text, "=?") != NULL)
		return decode_words(a, span_of(text));
	if (text != NULL)
		return text;
	return plain != NULL ? decode_words(a, plain->value) : NULL;
}

const char *
mime_param_raw(struct arena *a, struct mime_value *v, const char *name)
{
	const struct mime_param *plain = get_plain(v, name);
	const char *text = get_extended(a, v, name);

	if (plain != NULL && text != NULL)
		v->is_odd = true;
	if (plain != NULL)
		return arena_strndup(a, plain->value.p, plain->value.len);
	return text;
}

static size_t
add_reading(const char **out, size_t count, const char *text)
{
	size_t i;

	if (text == NULL || text[0] == '\0' || count >= PARAM_READINGS_MAX)
		return count;
	for (i = 0; i < count; i++)
		if (str_eq(out[i], text))
			return count;
	out[count] = text;
	return count + 1;
}

/* The text without comments, quotes and backslashes. */
static char *
strip(struct arena *a, const char *p)
{
	char *out = arena_alloc(a, strlen(p) + 1);
	size_t n = 0;

	while (*p != '\0') {
		if (*p == '(') {
			p = comment_end(p);
			continue;
		}
		if (*p != '"' && *p != '\\' && *p != '\'')
			out[n++] = *p;
		p++;
	}
	out[n] = '\0';
	return out;
}

/* Where "name" and its "=" stand in the text from p on, else NULL. */
static const char *
find_loose(const char *p, const char *name)
{
	size_t n = strlen(name);

	for (; *p != '\0'; p++) {
		const char *q = p + n;

		if (strncasecmp(p, name, n) != 0)
			continue;
		while (is_blank(*q))
			q++;
		if (*q == '=')
			return q + 1;
	}
	return NULL;
}

/* As it stands to the end and to the next ";". */
static size_t
loose_readings(struct arena *a, const char *text, const char *name,
	       const char **out, size_t count)
{
	const char *p = text, *end;
	int turns = 0;

	while ((p = find_loose(p, name)) != NULL && turns++ < 4) {
		struct span s = trim(p, p + strlen(p));

		end = strchr(p, ';');
		if (end != NULL) {
			struct span one = trim(p, end);

			count = add_reading(out, count, decode_words(a, one));
		}
		count = add_reading(out, count, decode_words(a, s));
	}
	return count;
}

size_t
mime_param_readings(struct arena *a, struct mime_value *v, const char *name,
		    const char *out[PARAM_READINGS_MAX])
{
	/* Before the pieces are put in order: some never do that. */
	const char *as_written = get_extended(a, v, name);
	size_t count = 0;
	size_t i;

	count = add_reading(out, count, mime_param_get(a, v, name));
	count = add_reading(out, count, as_written);
	for (i = 0; i < v->count; i++) {
		const struct mime_param *p = &v->params[i];

		if (str_eq(p->name, name) && p->section < 0 && !p->is_extended)
			count = add_reading(out, count,
					    decode_words(a, p->value));
	}
	if (!v->is_odd)
		return count;
	count = loose_readings(a, v->text, name, out, count);
	return loose_readings(a, strip(a, v->text), name, out, count);
}
