/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The text is copied once and its strings are decoded in place: none gets
 * longer by that.  Ends are put behind texts when all of it was read.
 */
#include "json_read.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "str.h"
#include "xalloc.h"

struct reading {
	struct json *j;
	char *p, *end;
	int depth;
	struct err *e;
};

static int
wrong(struct reading *r, const char *what)
{
	return err_set(r->e, "not JSON at byte %zu: %s",
		       (size_t)(r->p - r->j->text.data), what);
}

static void
skip_blanks(struct reading *r)
{
	while (r->p < r->end && (*r->p == ' ' || *r->p == '\t' ||
				 *r->p == '\n' || *r->p == '\r'))
		r->p++;
}

static int
take_hex(struct reading *r, uint32_t *out)
{
	uint32_t n = 0;

	if (r->end - r->p < 4)
		return wrong(r, "a character is cut short");
	for (int i = 0; i < 4; i++) {
		int c = ascii_lower((unsigned char)*r->p);

		if (ascii_isdigit(c))
			n = n << 4 | (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			n = n << 4 | (uint32_t)(c - 'a' + 10);
		else
			return wrong(r, "expected four hexadecimal digits");
		r->p++;
	}
	*out = n;
	return 0;
}

/* Behind "\u"; a pair of surrogates is one character. */
static int
take_character(struct reading *r, uint32_t *cp)
{
	uint32_t low;

	if (take_hex(r, cp) < 0)
		return -1;
	if (*cp >= 0xd800 && *cp < 0xdc00 && r->end - r->p >= 6 &&
	    r->p[0] == '\\' && r->p[1] == 'u') {
		char *at = r->p;

		r->p += 2;
		if (take_hex(r, &low) < 0)
			return -1;
		if (low >= 0xdc00 && low < 0xe000) {
			*cp = 0x10000 + ((*cp - 0xd800) << 10) + (low - 0xdc00);
			return 0;
		}
		r->p = at;
	}
	if (*cp == 0 || (*cp >= 0xd800 && *cp < 0xe000))
		*cp = 0xfffd;
	return 0;
}

static char *
put_utf8(char *to, uint32_t cp)
{
	if (cp < 0x80) {
		*to++ = (char)cp;
		return to;
	}
	if (cp < 0x800) {
		*to++ = (char)(0xc0 | cp >> 6);
	} else {
		if (cp < 0x10000) {
			*to++ = (char)(0xe0 | cp >> 12);
		} else {
			*to++ = (char)(0xf0 | cp >> 18);
			*to++ = (char)(0x80 | (cp >> 12 & 0x3f));
		}
		*to++ = (char)(0x80 | (cp >> 6 & 0x3f));
	}
	*to++ = (char)(0x80 | (cp & 0x3f));
	return to;
}

static int
take_escape(struct reading *r, char **to)
{
	static const char from[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
	const char *at;
	uint32_t cp;

	if (r->p == r->end)
		return wrong(r, "a string has no end");
	if (*r->p == 'u') {
		r->p++;
		if (take_character(r, &cp) < 0)
			return -1;
		*to = put_utf8(*to, cp);
		return 0;
	}
	at = *r->p != '\0' ? strchr(from, *r->p) : NULL;
	if (at == NULL)
		return wrong(r, "no such escape");
	r->p++;
	*(*to)++ = means[at - from];
	return 0;
}

/* At its opening quote; the closing one becomes its end. */
static int
take_string(struct reading *r, const char **out)
{
	char *to = ++r->p;

	*out = to;
	while (r->p < r->end && *r->p != '"') {
		if ((unsigned char)*r->p < ' ')
			return wrong(r, "a control character in a string");
		if (*r->p == '\\') {
			r->p++;
			if (take_escape(r, &to) < 0)
				return -1;
		} else {
			*to++ = *r->p++;
		}
	}
	if (r->p == r->end)
		return wrong(r, "a string has no end");
	r->p++;
	*to = '\0';
	return 0;
}

static size_t
digits(const char *s)
{
	return strspn(s, "0123456789");
}

/* The length of the number that s begins with, 0: none (RFC 8259, 6). */
static size_t
number_length(const char *s)
{
	size_t n = s[0] == '-', k = digits(s + n);

	if (k == 0 || (k > 1 && s[n] == '0'))
		return 0;
	n += k;
	if (s[n] == '.') {
		k = digits(s + n + 1);
		if (k == 0)
			return 0;
		n += 1 + k;
	}
	if (s[n] == 'e' || s[n] == 'E') {
		size_t sign = s[n + 1] == '-' || s[n + 1] == '+';

		k = digits(s + n + 1 + sign);
		if (k == 0)
			return 0;
		n += 1 + sign + k;
	}
	return n;
}

static int
take_plain(struct reading *r, struct json_node *node, size_t *len)
{
	static const struct {
		const char *word;
		enum json_type type;
	} words[] = { { "true", JSON_BOOL },
		      { "false", JSON_BOOL },
		      { "null", JSON_NULL } };

	node->text = r->p;
	node->type = JSON_NUMBER;
	*len = number_length(r->p);
	for (int i = 0; i < 3 && *len == 0; i++) {
		if (!str_has_prefix(r->p, words[i].word))
			continue;
		*len = strlen(words[i].word);
		node->type = words[i].type;
	}
	if (*len == 0)
		return wrong(r, "expected a value");
	r->p += *len;
	return 0;
}

static struct json_node *
add_node(struct reading *r, const char *name)
{
	struct json *j = r->j;

	if (j->count == JSON_NODES_MAX)
		return NULL;
	if (j->count == j->room) {
		j->room = j->room > 0 ? 2 * j->room : 32;
		j->nodes = xreallocarray(j->nodes, j->room, sizeof(*j->nodes));
	}
	j->nodes[j->count] = (struct json_node){ .name = name, .text = "" };
	return &j->nodes[j->count++];
}

static int take_value(struct reading *r, const char *name);

static int
take_item(struct reading *r, bool is_object)
{
	const char *name = NULL;

	if (is_object) {
		skip_blanks(r);
		if (r->p == r->end || *r->p != '"')
			return wrong(r, "expected the name of a member");
		if (take_string(r, &name) < 0)
			return -1;
		skip_blanks(r);
		if (r->p == r->end || *r->p != ':')
			return wrong(r, "expected a colon");
		r->p++;
	}
	if (take_value(r, name) < 0)
		return -1;
	skip_blanks(r);
	return 0;
}

/* Behind its opening bracket. */
static int
take_items(struct reading *r, bool is_object)
{
	char close = is_object ? '}' : ']';

	skip_blanks(r);
	if (r->p < r->end && *r->p == close) {
		r->p++;
		return 0;
	}
	for (;;) {
		if (take_item(r, is_object) < 0)
			return -1;
		if (r->p < r->end && *r->p == close) {
			r->p++;
			return 0;
		}
		if (r->p == r->end || *r->p != ',')
			return wrong(r, "expected a comma or the end");
		r->p++;
	}
}

static int
take_value(struct reading *r, const char *name)
{
	struct json_node *node = add_node(r, name);
	size_t at = r->j->count - 1, len = 0;
	int rc = 0;

	if (node == NULL || r->depth == JSON_DEPTH_MAX)
		return wrong(r, "too much of it");
	skip_blanks(r);
	if (r->p == r->end)
		return wrong(r, "expected a value");
	if (*r->p == '"') {
		node->type = JSON_STRING;
		rc = take_string(r, &node->text);
	} else if (*r->p == '{' || *r->p == '[') {
		node->type = *r->p == '{' ? JSON_OBJECT : JSON_ARRAY;
		r->p++;
		r->depth++;
		rc = take_items(r, node->type == JSON_OBJECT);
		r->depth--;
	} else {
		rc = take_plain(r, node, &len);
	}
	/* Nodes may have moved; a plain value's length waits in end. */
	r->j->nodes[at].end = len > 0 ? len : r->j->count;
	return rc;
}

/* Behind a plain value stands what is not needed any more. */
static void
end_plain(struct json *j)
{
	for (size_t i = 0; i < j->count; i++) {
		struct json_node *n = &j->nodes[i];

		if (n->type == JSON_STRING || n->type == JSON_ARRAY ||
		    n->type == JSON_OBJECT)
			continue;
		j->text.data[(n->text - j->text.data) + (ptrdiff_t)n->end] =
			'\0';
		n->end = i + 1;
	}
}

int
json_read(struct json *j, struct span in, struct err *e)
{
	struct reading r = { .j = j, .e = e };
	int rc;

	buf_clear(&j->text);
	j->count = 0;
	if (buf_add_span(&j->text, in) < 0 || in.len == 0)
		return err_set(e, "not JSON: empty");
	r.p = j->text.data;
	r.end = j->text.data + j->text.len;
	rc = take_value(&r, NULL);
	if (rc == 0) {
		skip_blanks(&r);
		if (r.p != r.end)
			rc = wrong(&r, "more than one value");
	}
	if (rc < 0)
		j->count = 0;
	else
		end_plain(j);
	return rc;
}

/* A place in one text, in its copy. */
static const char *
moved(const struct json *to, const struct json *from, const char *s)
{
	if (s < from->text.data || s > from->text.data + from->text.len)
		return s; /* "" or none */
	return to->text.data + (s - from->text.data);
}

void
json_copy(struct json *to, const struct json *from)
{
	json_release(to);
	if (from->count == 0)
		return;
	buf_add_span(&to->text, buf_span(&from->text));
	to->nodes = xreallocarray(NULL, from->count, sizeof(*to->nodes));
	to->count = to->room = from->count;
	for (size_t i = 0; i < from->count; i++) {
		to->nodes[i] = from->nodes[i];
		to->nodes[i].name = moved(to, from, from->nodes[i].name);
		to->nodes[i].text = moved(to, from, from->nodes[i].text);
	}
}

void
json_release(struct json *j)
{
	buf_release(&j->text);
	free(j->nodes);
	memset(j, 0, sizeof(*j));
}

const struct json_node *
json_member(const struct json *j, size_t of, const char *name)
{
	if (of >= j->count || j->nodes[of].type != JSON_OBJECT)
		return NULL;
	for (size_t i = of + 1; i < j->nodes[of].end; i = j->nodes[i].end) {
		if (str_eq(j->nodes[i].name, name))
			return &j->nodes[i];
	}
	return NULL;
}
