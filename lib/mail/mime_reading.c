/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a part is, by its Content fields, and what else it may be taken for.
 */
#include <string.h>

#include "mime_impl.h"
#include "mime_param.h"
#include "str.h"

struct coding_name {
	const char *name;
	enum mime_coding coding;
};

static const struct coding_name coding_names[] = {
	{ "", MIME_IDENTITY },	    { "7bit", MIME_IDENTITY },
	{ "8bit", MIME_IDENTITY },  { "binary", MIME_IDENTITY },
	{ "7-bit", MIME_IDENTITY }, { "8-bit", MIME_IDENTITY },
	{ "base64", MIME_BASE64 },  { "quoted-printable", MIME_QUOTED },
	{ "x-uuencode", MIME_UU },  { "x-uue", MIME_UU },
	{ "uuencode", MIME_UU },
};

/* What careless readers look for. */
static const struct coding_name coding_marks[] = {
	{ "64", MIME_BASE64 },	   { "quoted", MIME_QUOTED },
	{ "qp", MIME_QUOTED },	   { "uu", MIME_UU },
	{ "7bit", MIME_IDENTITY }, { "8bit", MIME_IDENTITY },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
add_coding(struct reading *r, enum mime_coding coding)
{
	size_t i;

	for (i = 0; i < r->coding_count; i++)
		if (r->codings[i] == coding)
			return;
	if (r->coding_count < CODINGS_MAX)
		r->codings[r->coding_count++] = coding;
}

/* Lower case, without blanks and line ends around. */
static void
tidy_word(struct span in, char *out, size_t size)
{
	size_t n = 0;
	size_t i;

	for (i = 0; i < in.len && n + 1 < size; i++)
		if (n > 0 || (unsigned char)in.p[i] > ' ')
			out[n++] = (char)(in.p[i] == '\0' ? ' ' : in.p[i]);
	while (n > 0 && (unsigned char)out[n - 1] <= ' ')
		n--;
	out[n] = '\0';
	str_lower(out);
}

/* The coding of one value; all that it may mean goes to r. */
static enum mime_coding
coding_of(struct span value, struct reading *r, bool *is_odd)
{
	enum mime_coding first = MIME_UNKNOWN;
	char word[128];
	size_t i;

	tidy_word(value, word, sizeof(word));
	for (i = 0; i < COUNT(coding_names); i++)
		if (str_eq(word, coding_names[i].name)) {
			add_coding(r, coding_names[i].coding);
			return coding_names[i].coding;
		}
	for (i = 0; i < COUNT(coding_marks); i++)
		if (strstr(word, coding_marks[i].name) != NULL) {
			add_coding(r, coding_marks[i].coding);
			if (first == MIME_UNKNOWN)
				first = coding_marks[i].coding;
		}
	/* "8bit+" is wrong but hides nothing. */
	*is_odd |= first != MIME_IDENTITY;
	return first;
}

static void
read_coding(const struct mime_head *h, struct mime_part *p, struct reading *r)
{
	bool is_odd = false;
	enum mime_coding c;
	size_t i;

	p->coding = MIME_IDENTITY;
	for (i = 0; i < h->count[HEAD_ENCODING]; i++) {
		c = coding_of(h->value[HEAD_ENCODING][i], r, &is_odd);
		if (i == 0)
			p->coding = c;
		else if (c != p->coding)
			p->symptoms |= MIME_DUP_ENCODING;
	}
	for (i = 0; i < h->loose_count[HEAD_ENCODING]; i++)
		coding_of(h->loose[HEAD_ENCODING][i], r, &is_odd);
	if (is_odd)
		p->symptoms |= MIME_ENCODING_ODD;
}

static bool
is_token(const char *s)
{
	for (; *s != '\0'; s++)
		if (!ascii_isalnum((unsigned char)*s) &&
		    strchr("!#$%&'*+-.^_`{|}~", *s) == NULL)
			return false;
	return true;
}

/* Both words of a type, "text" and "plain" where there are not two. */
static void
split_type(struct mime *m, const char *word, struct mime_part *p)
{
	const char *slash = strchr(word, '/');
	const char *end = slash != NULL ? slash : word;

	while (end > word && ascii_isspace((unsigned char)end[-1]))
		end--;
	if (slash != NULL)
		slash++;
	while (slash != NULL && ascii_isspace((unsigned char)*slash))
		slash++;
	if (slash == NULL || *slash == '\0' || end == word ||
	    strchr(slash, '/') != NULL) {
		p->type = "text";
		p->subtype = "plain";
		if (strstr(word, "part") != NULL)
			p->symptoms |= MIME_TYPE_ODD;
		return;
	}
	p->type = arena_strndup(&m->arena, word, (size_t)(end - word));
	p->subtype = arena_strdup(&m->arena, slash);
	if (!is_token(p->type) || !is_token(p->subtype))
		p->symptoms |= MIME_TYPE_ODD;
}

/* "--" and the boundary, blanks at its end taken off (RFC 2046 5.1.1). */
static const char *
boundary_line(struct mime *m, struct mime_value *v)
{
	const char *text = mime_param_raw(&m->arena, v, "boundary");
	size_t n = text != NULL ? strlen(text) : 0;

	while (n > 0 && ascii_isspace((unsigned char)text[n - 1]))
		n--;
	if (n == 0)
		return NULL;
	return arena_printf(&m->arena, "--%.*s", (int)n, text);
}

static bool
is_inner_message(const struct mime_part *p)
{
	return str_eq(p->type, "message") &&
	       (str_eq(p->subtype, "rfc822") || str_eq(p->subtype, "global") ||
		str_eq(p->subtype, "news"));
}

static void
read_type(struct mime *m, const struct mime_head *h, const struct place *at,
	  struct mime_part *p, struct reading *r, struct mime_value *v)
{
	char one[256], two[256];
	size_t i;

	p->type = at->is_digest ? "message" : "text";
	p->subtype = at->is_digest ? "rfc822" : "plain";
	p->charset = "";
	v->count = 0;
	v->is_odd = false;
	v->text = "";
	if (h->count[HEAD_TYPE] > 0) {
		mime_value_read(&m->arena, h->value[HEAD_TYPE][0], v);
		split_type(m, v->word, p);
		p->charset = mime_param_get(&m->arena, v, "charset");
		p->charset = p->charset != NULL ? p->charset : "";
		tidy_word(h->value[HEAD_TYPE][0], one, sizeof(one));
	}
	for (i = 1; i < h->count[HEAD_TYPE]; i++) {
		tidy_word(h->value[HEAD_TYPE][i], two, sizeof(two));
		if (!str_eq(one, two))
			p->symptoms |= MIME_DUP_TYPE;
	}
	r->is_multipart = str_eq(p->type, "multipart");
	r->is_message = is_inner_message(p);
	if (str_eq(p->type, "message") && str_eq(p->subtype, "partial"))
		p->symptoms |= MIME_PARTIAL;
	if (r->is_multipart) {
		r->boundary = boundary_line(m, v);
		if (v->is_odd)
			p->symptoms |= MIME_BOUNDARY_ODD;
	} else if (strcasestr(v->text, "boundary") != NULL &&
		   strcasestr(v->text, "part") != NULL) {
		p->symptoms |= MIME_TYPE_ODD;
	}
}

/* Whether two names end differently.  A name without an ending beside one
 * that has it is usual, and the other is seen all the same. */
static bool
differ(struct span a, struct span b)
{
	return a.len > 0 && b.len > 0 && !span_ieq(a, b);
}

/* From the last dot, blanks and dots at the end passed over as Windows
 * does. */
static struct span
extension(const char *name)
{
	size_t n = strlen(name);
	size_t at;

	while (n > 0 && (name[n - 1] == ' ' || name[n - 1] == '.'))
		n--;
	for (at = n; at > 0; at--)
		if (name[at - 1] == '.')
			return (struct span){ name + at, n - at };
	return (struct span){ "", 0 };
}

static void
add_names(struct mime *m, struct mime_value *v, const char *param,
	  struct mime_part *p)
{
	const char *readings[PARAM_READINGS_MAX];
	size_t count, i, k;

	count = mime_param_readings(&m->arena, v, param, readings);
	for (i = 0; i < count && p->name_count < MIME_NAMES_MAX; i++) {
		for (k = 0; k < p->name_count; k++)
			if (str_eq(p->names[k], readings[i]))
				break;
		if (k < p->name_count)
			continue;
		if (p->name_count > 0 &&
		    differ(extension(p->names[0]), extension(readings[i])))
			p->symptoms |= MIME_NAME_ODD;
		p->names[p->name_count++] = readings[i];
	}
}

static void
read_names(struct mime *m, const struct mime_head *h, struct mime_part *p)
{
	static const struct {
		enum head_kind kind;
		const char *param;
	} places[] = { { HEAD_DISPOSITION, "filename" },
		       { HEAD_TYPE, "name" } };
	struct mime_value v;
	size_t i, k;

	for (i = 0; i < COUNT(places); i++) {
		for (k = 0; k < h->count[places[i].kind]; k++) {
			mime_value_read(&m->arena, h->value[places[i].kind][k],
					&v);
			add_names(m, &v, places[i].param, p);
		}
		for (k = 0; k < h->loose_count[places[i].kind]; k++) {
			mime_value_read(&m->arena, h->loose[places[i].kind][k],
					&v);
			add_names(m, &v, places[i].param, p);
		}
	}
	p->name = p->name_count > 0 ? p->names[0] : NULL;
}

void
mime_reading(struct mime *m, const struct mime_head *h, const struct place *at,
	     struct mime_part *p, struct reading *r)
{
	struct mime_value v;

	memset(r, 0, sizeof(*r));
	read_type(m, h, at, p, r, &v);
	read_coding(h, p, r);
	p->disposition = "";
	if (h->count[HEAD_DISPOSITION] > 0) {
		mime_value_read(&m->arena, h->value[HEAD_DISPOSITION][0], &v);
		p->disposition = v.word;
	}
	p->is_attachment = str_eq(p->disposition, "attachment");
	read_names(m, h, p);
}
