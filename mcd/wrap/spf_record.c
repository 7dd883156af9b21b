/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * libspf2 takes much that is no record and refuses some that is one, so
 * nothing reaches it that was not read here first.
 */
#include "spf_record.h"

#include <arpa/inet.h>
#include <string.h>

#include "str.h"

#define QUALIFIERS "+-?~"
#define DELIMITERS ".-+,/_="
#define ADDRESS_MAX 64

/* A term while it is read. */
struct term {
	struct span all;
	struct span qualifier; /* of a mechanism: 0 or 1 byte */
	struct span name;
	struct span arg; /* behind the name, its ':' or '/' included */
	bool is_v4;
	bool is_any;
	/* What is put together for libspf2: [qualifier] head arg tail. */
	const char *head;
	struct span kept;
	char tail[16];
	bool is_dropped;
};

struct reading {
	struct arena *arena;
	bool is_v4;
	struct spf_term *terms;
	size_t count;
	const char *redirect;
	bool has_exp;
};

bool
spf_record_is(struct span text)
{
	static const struct span version = SPAN_LIT("v=spf1");
	struct span start = { text.p, version.len };

	return text.len >= version.len && span_ieq(start, version) &&
	       (text.len == version.len || text.p[version.len] == ' ');
}

static struct span
behind(struct span s, size_t n)
{
	return (struct span){ s.p + n, s.len - n };
}

static struct span
front(struct span s, size_t n)
{
	return (struct span){ s.p, n };
}

static bool
is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

static size_t
digits_at(struct span s, size_t at)
{
	size_t n = 0;

	while (at + n < s.len && ascii_isdigit((unsigned char)s.p[at + n]))
		n++;
	return n;
}

/* Length of the macro-expand that s starts with, 0 when it is none. */
static size_t
macro_len(struct span s)
{
	size_t at = 3, digits, i;
	bool is_zero = true;

	if (s.len >= 2 && is_one_of(s.p[1], "%_-"))
		return 2;
	/* The letters c, r and t are for explanations only. */
	if (s.len < 4 || s.p[1] != '{' ||
	    !is_one_of(s.p[2], "slodiphvSLODIPHV"))
		return 0;
	digits = digits_at(s, at);
	for (i = 0; i < digits; i++)
		is_zero = is_zero && s.p[at + i] == '0';
	if (digits > 0 && is_zero)
		return 0;
	at += digits;
	if (at < s.len && is_one_of(s.p[at], "rR"))
		at++;
	while (at < s.len && is_one_of(s.p[at], DELIMITERS))
		at++;
	return at < s.len && s.p[at] == '}' ? at + 1 : 0;
}

/* *ends_in_macro: the last thing in it is one. */
static bool
is_macro_string(struct span s, bool *ends_in_macro)
{
	size_t n;

	*ends_in_macro = false;
	for (; s.len > 0; s = behind(s, n)) {
		n = 1;
		*ends_in_macro = s.p[0] == '%';
		if (s.p[0] == '%')
			n = macro_len(s);
		else if (s.p[0] < 0x21 || s.p[0] > 0x7e)
			n = 0;
		if (n == 0)
			return false;
	}
	return true;
}

/* Letters, digits and inner hyphens, but not digits alone. */
static bool
is_toplabel(struct span s)
{
	bool has_other = false;
	size_t i;

	for (i = 0; i < s.len; i++) {
		if (ascii_isdigit((unsigned char)s.p[i]))
			continue;
		if (!ascii_isalpha((unsigned char)s.p[i]) && s.p[i] != '-')
			return false;
		has_other = true;
	}
	return has_other && s.p[0] != '-' && s.p[s.len - 1] != '-';
}

static bool
is_domain_spec(struct span s)
{
	bool ends_in_macro;
	size_t at;

	if (s.len == 0 || !is_macro_string(s, &ends_in_macro))
		return false;
	if (ends_in_macro)
		return s.p[s.len - 1] == '}';
	if (s.p[s.len - 1] == '.')
		s.len--;
	for (at = s.len; at > 0 && s.p[at - 1] != '.';)
		at--;
	return at > 0 && is_toplabel(behind(s, at));
}

/* ":" domain-spec */
static bool
is_colon_domain(struct span s)
{
	return s.len > 1 && s.p[0] == ':' && is_domain_spec(behind(s, 1));
}

/* No leading zeros (section 5.6); max has up to three digits. */
static bool
read_prefix(struct span s, int max, int *out)
{
	uint64_t value;

	if (s.len < 1 || s.len > 3 || (s.len > 1 && s.p[0] == '0') ||
	    span_to_u64(s, &value) != 0 || value > (uint64_t)max)
		return false;
	*out = (int)value;
	return true;
}

/*
 * Takes "/digits" behind the given slashes off the end of s.  False when
 * what stands there is no prefix length; *out stays as it is when there
 * is none.
 */
static bool
take_prefix(struct span *s, const char *slashes, int max, int *out)
{
	size_t start = s->len, n = strlen(slashes);

	while (start > 0 && ascii_isdigit((unsigned char)s->p[start - 1]))
		start--;
	if (start < n || memcmp(s->p + start - n, slashes, n) != 0)
		return true;
	if (!read_prefix(behind(*s, start), max, out))
		return false;
	s->len = start - n;
	return true;
}

/* a and mx: [":" domain-spec] ["/" prefix] ["//" prefix] */
static int
read_a(struct term *t, struct err *e)
{
	struct span arg = t->arg;
	int v4 = -1, v6 = -1, prefix;

	if (!take_prefix(&arg, "//", 128, &v6) ||
	    !take_prefix(&arg, "/", 32, &v4))
		return err_set(e, "prefix length");
	if (arg.len > 0 && !is_colon_domain(arg))
		return err_set(e, "domain");
	t->kept = arg;
	prefix = t->is_v4 ? v4 : v6;
	t->is_any = prefix == 0;
	if (prefix > 0)
		(void)str_fmt(t->tail, sizeof(t->tail), "%s%d",
			      t->is_v4 ? "/" : "//", prefix);
	return 0;
}

static int
read_ptr(struct term *t, struct err *e)
{
	if (t->arg.len > 0 && !is_colon_domain(t->arg))
		return err_set(e, "domain");
	t->kept = t->arg;
	return 0;
}

static int
read_all(struct term *t, struct err *e)
{
	return t->arg.len == 0 ? 0 : err_set(e, "it has no argument");
}

/* include and exists */
static int
read_domain(struct term *t, struct err *e)
{
	if (!is_colon_domain(t->arg))
		return err_set(e, "domain");
	t->kept = t->arg;
	return 0;
}

static int
read_ip(struct term *t, int family, struct err *e)
{
	struct span arg = t->arg, address;
	const char *slash;
	char text[ADDRESS_MAX];
	unsigned char bytes[16];
	int max = family == AF_INET ? 32 : 128, prefix = max;

	if (arg.len < 2 || arg.p[0] != ':')
		return err_set(e, "address");
	arg = behind(arg, 1);
	slash = memchr(arg.p, '/', arg.len);
	address = slash != NULL ? front(arg, (size_t)(slash - arg.p)) : arg;
	if (!str_fmt(text, sizeof(text), "%.*s", (int)address.len, address.p) ||
	    inet_pton(family, text, bytes) != 1)
		return err_set(e, "address");
	if (slash != NULL &&
	    !read_prefix(behind(arg, address.len + 1), max, &prefix))
		return err_set(e, "prefix length");
	t->is_dropped = t->is_v4 != (family == AF_INET);
	/* libspf2 knows no such network: it is everybody. */
	if (prefix == 0)
		t->head = "all";
	else
		t->kept = t->arg;
	return 0;
}

static int
read_ip4(struct term *t, struct err *e)
{
	return read_ip(t, AF_INET, e);
}

static int
read_ip6(struct term *t, struct err *e)
{
	return read_ip(t, AF_INET6, e);
}

static const struct mechanism {
	const char *name;
	int (*read)(struct term *t, struct err *e);
} mechanisms[] = {
	{ "all", read_all }, { "include", read_domain }, { "a", read_a },
	{ "mx", read_a },    { "ptr", read_ptr },	 { "ip4", read_ip4 },
	{ "ip6", read_ip6 }, { "exists", read_domain },
};

static const struct mechanism *
find_mechanism(struct span name)
{
	size_t i;

	for (i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++)
		if (span_ieq(name, span_of(mechanisms[i].name)))
			return &mechanisms[i];
	return NULL;
}

static const char *
text_of(struct reading *r, struct span s)
{
	return arena_strndup(r->arena, s.p, s.len);
}

static int
add_mechanism(struct reading *r, struct term *t, struct err *e)
{
	const struct mechanism *m = find_mechanism(t->name);
	struct spf_term *out = &r->terms[r->count];

	if (m == NULL)
		return err_set(e, "no such mechanism");
	t->head = m->name;
	if (m->read(t, e) != 0)
		return -1;
	if (t->is_dropped)
		return 0;
	out->given = text_of(r, t->all);
	out->text = arena_printf(r->arena, "%.*s%s%.*s%s",
				 (int)t->qualifier.len, t->qualifier.p, t->head,
				 (int)t->kept.len, t->kept.p, t->tail);
	out->is_any = t->is_any;
	r->count++;
	return 0;
}

/* name "=" value; redirect and exp stand once at most (section 6). */
static int
add_modifier(struct reading *r, const struct term *t, struct err *e)
{
	struct span value = behind(t->arg, 1);
	bool is_redirect = span_ieq(t->name, SPAN_LIT("redirect"));
	bool is_exp = span_ieq(t->name, SPAN_LIT("exp"));
	bool ends_in_macro;

	if (t->qualifier.len > 0)
		return err_set(e, "a modifier has no qualifier");
	if ((is_redirect && r->redirect != NULL) || (is_exp && r->has_exp))
		return err_set(e, "it is there twice");
	if (is_redirect || is_exp ? !is_domain_spec(value)
				  : !is_macro_string(value, &ends_in_macro))
		return err_set(e, "value");
	if (is_redirect)
		r->redirect = text_of(r, t->all);
	r->has_exp = r->has_exp || is_exp;
	return 0;
}

static int
add_term(struct reading *r, struct span all, struct err *e)
{
	struct term t = { .all = all, .is_v4 = r->is_v4, .kept = { "", 0 } };
	size_t start, at;

	if (all.len > SPF_TERM_MAX)
		return err_set(e, "longer than %d bytes", SPF_TERM_MAX);
	start = is_one_of(all.p[0], QUALIFIERS);
	for (at = start;
	     at < all.len && (ascii_isalnum((unsigned char)all.p[at]) ||
			      is_one_of(all.p[at], "-_."));)
		at++;
	t.qualifier = front(all, start);
	t.name = (struct span){ all.p + start, at - start };
	t.arg = behind(all, at);
	if (t.name.len == 0 || !ascii_isalpha((unsigned char)t.name.p[0]))
		return err_set(e, "no name");
	if (t.arg.len > 0 && t.arg.p[0] == '=')
		return add_modifier(r, &t, e);
	return add_mechanism(r, &t, e);
}

static int
check_bytes(struct span text, struct err *e)
{
	size_t i;

	if (text.len > SPF_RECORD_MAX)
		return err_set(e, "record is longer than %d bytes",
			       SPF_RECORD_MAX);
	for (i = 0; i < text.len; i++)
		if (text.p[i] < 0x20 || text.p[i] > 0x7e)
			return err_set(e, "record has bytes beyond ASCII");
	return 0;
}

static int
read_terms(struct reading *r, struct span rest, struct err *e)
{
	struct err why = { "" };

	for (;;) {
		size_t n = 0;

		while (rest.len > 0 && rest.p[0] == ' ')
			rest = behind(rest, 1);
		if (rest.len == 0)
			return 0;
		while (n < rest.len && rest.p[n] != ' ')
			n++;
		if (add_term(r, front(rest, n), &why) != 0)
			return err_set(e, "\"%.*s\": %s",
				       n < 100 ? (int)n : 100, rest.p,
				       why.text);
		rest = behind(rest, n);
	}
}

int
spf_record_read(struct span text, bool is_v4, struct arena *a,
		struct spf_term **terms, size_t *count, struct err *e)
{
	struct reading r = { .arena = a, .is_v4 = is_v4 };

	if (!spf_record_is(text))
		return err_set(e, "no SPF record");
	if (check_bytes(text, e) != 0)
		return -1;
	/* A term and the blank before it take two bytes at least. */
	r.terms = arena_array(a, text.len / 2 + 1, sizeof(*r.terms));
	if (read_terms(&r, behind(text, sizeof("v=spf1") - 1), e) != 0)
		return -1;
	if (r.redirect != NULL)
		r.terms[r.count++] =
			(struct spf_term){ r.redirect, r.redirect, false };
	*terms = r.terms;
	*count = r.count;
	return 0;
}
