/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Paths and mailboxes of the SMTP envelope, by the grammar of RFC 5321
 * section 4.1.2 with the UTF-8 of RFC 6531.  Each reader takes its part
 * from the front of a cursor, or fails and says which part was wrong.
 */
#include "address.h"

#include <string.h>

#include "idn.h"
#include "ip.h"
#include "str.h"

#define LABEL_MAX 63 /* RFC 1035 section 2.3.4 */
#define NAME_MAX_LEN 253 /* a host name as text, without a last dot */

/* What is left to read, and how. */
struct cursor {
	const char *p, *end;
	bool has_utf8; /* bytes above 127 are letters */
	struct err *e;
};

static int
wrong(const struct cursor *c, const char *what)
{
	return err_set(c->e, "%s", what);
}

static bool
is_next(const struct cursor *c, char what)
{
	return c->p < c->end && *c->p == what;
}

static bool
take(struct cursor *c, char what)
{
	if (!is_next(c, what))
		return false;
	c->p++;
	return true;
}

static bool
is_high(char c)
{
	return (unsigned char)c > 127;
}

/* RFC 5322 section 3.2.3 atext. */
static bool
is_atext(char c)
{
	return ascii_isalnum((unsigned char)c) ||
	       (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static int
quoted_local(struct cursor *c)
{
	bool is_escaped;
	unsigned char b;

	c->p++;
	while (c->p < c->end && *c->p != '"') {
		is_escaped = take(c, '\\');
		if (c->p == c->end)
			break;
		b = (unsigned char)*c->p;
		if (b < 32 || b == 127 ||
		    (b > 127 && (is_escaped || !c->has_utf8)))
			return wrong(
				c, "a character that is not allowed in quotes");
		c->p++;
	}
	if (!take(c, '"'))
		return wrong(c, "the quoted local part does not end");
	return 0;
}

static int
dotted_local(struct cursor *c)
{
	const char *atom;

	do {
		atom = c->p;
		while (c->p < c->end &&
		       (is_atext(*c->p) || (c->has_utf8 && is_high(*c->p))))
			c->p++;
		if (c->p == atom && c->p < c->end && is_high(*c->p))
			return wrong(c, "the local part is not ASCII");
		if (c->p == atom)
			return wrong(c, "the local part is empty or has a dot "
					"or a character in the wrong place");
	} while (take(c, '.'));
	return 0;
}

static int
local_part(struct cursor *c)
{
	const char *start = c->p;
	int rc = is_next(c, '"') ? quoted_local(c) : dotted_local(c);

	if (rc == 0 && c->p - start > ADDRESS_LOCAL_MAX)
		return err_set(c->e,
			       "the local part is longer than %d characters",
			       ADDRESS_LOCAL_MAX);
	return rc;
}

/*
 * One label: letters, digits, hyphens that are not at its ends, and the
 * underscores that are met in practice.  Letters that are not ASCII count
 * in the length of the A-label, which is not known here.
 */
static bool
label(struct cursor *c, bool *has_high)
{
	const char *start = c->p;
	bool is_ascii = true;

	for (; c->p < c->end; c->p++) {
		if (c->has_utf8 && is_high(*c->p))
			is_ascii = false;
		else if (!ascii_isalnum((unsigned char)*c->p) && *c->p != '-' &&
			 *c->p != '_')
			break;
	}
	*has_high |= !is_ascii;
	return c->p > start && *start != '-' && c->p[-1] != '-' &&
	       (c->p - start <= LABEL_MAX || !is_ascii);
}

static int
host_name(struct cursor *c)
{
	const char *start = c->p;
	bool has_high = false;
	int max;

	do {
		if (!label(c, &has_high))
			return wrong(
				c, "the domain has a label that is empty, too "
				   "long, or begins or ends with a hyphen");
	} while (take(c, '.'));
	max = has_high ? ADDRESS_DOMAIN_MAX : NAME_MAX_LEN;
	if (c->p - start > max)
		return err_set(c->e, "the domain is longer than %d characters",
			       max);
	return 0;
}

/* RFC 5321 section 4.1.3, of the tagged kinds only "IPv6:". */
static int
literal(struct cursor *c)
{
	static const char tag[] = "IPv6:";
	const size_t tag_len = sizeof(tag) - 1;
	char text[IP_TEXT_SIZE];
	const char *close;
	struct span in;
	struct ip ip;
	bool is_v6;

	c->p++;
	close = memchr(c->p, ']', (size_t)(c->end - c->p));
	if (close == NULL)
		return wrong(c, "the address literal does not end");
	in = (struct span){ c->p, (size_t)(close - c->p) };
	is_v6 = in.len > tag_len &&
		span_ieq((struct span){ in.p, tag_len }, SPAN_LIT("IPv6:"));
	if (is_v6)
		in = (struct span){ in.p + tag_len, in.len - tag_len };
	if (in.len == 0 || in.len >= sizeof(text) ||
	    memchr(in.p, '\0', in.len) != NULL)
		return wrong(c, "not an address literal");
	memcpy(text, in.p, in.len);
	text[in.len] = '\0';
	/* An IPv4-mapped one has become IPv4, so colons tell. */
	if (is_v6 != (strchr(text, ':') != NULL) ||
	    ip_parse(text, &ip, NULL) < 0)
		return wrong(c, "not an address literal");
	c->p = close + 1;
	return 0;
}

/* RFC 5321 appendix C: "@a.example,@b.example:" before the mailbox. */
static int
source_route(struct cursor *c)
{
	while (take(c, '@')) {
		if (is_next(c, '[') ? literal(c) : host_name(c))
			return -1;
		if (take(c, ':'))
			return 0;
		if (!take(c, ',') || !is_next(c, '@'))
			break;
	}
	return wrong(c, "the source route is not well formed");
}

/* The mailbox at the cursor into out; is_postmaster: allowed alone. */
static int
mailbox(struct cursor *c, bool is_postmaster, struct address *out)
{
	static const char postmaster[] = "postmaster";
	const char *start = c->p;
	size_t len;

	if (local_part(c) < 0)
		return -1;
	out->local_len = (size_t)(c->p - start);
	if (!is_next(c, '@')) {
		if (!is_postmaster ||
		    !span_ieq((struct span){ start, out->local_len },
			      span_of(postmaster)))
			return err_set(c->e,
				       c->p < c->end && is_high(*c->p)
					       ? "the local part is not ASCII"
					       : "no @ after the local part");
	} else {
		c->p++;
		out->domain_at = out->local_len + 1;
		out->is_literal = is_next(c, '[');
		if (out->is_literal ? literal(c) : host_name(c))
			return -1;
	}
	len = (size_t)(c->p - start);
	/* With the two brackets. */
	if (len > ADDRESS_PATH_MAX - 2)
		return err_set(c->e, "longer than %d characters",
			       ADDRESS_PATH_MAX - 2);
	memcpy(out->text, start, len);
	out->text[len] = '\0';
	return 0;
}

/* Marks bytes above 127, which must be UTF-8. */
static int
check_utf8(struct address *out, struct err *e)
{
	size_t len = strlen(out->text);
	size_t i;

	for (i = 0; i < len && !out->is_utf8; i++)
		out->is_utf8 = is_high(out->text[i]);
	if (out->is_utf8 && !str_is_utf8(out->text, len))
		return err_set(e, "not valid UTF-8");
	return 0;
}

static struct cursor
cursor_of(struct span in, int flags, struct err *e)
{
	/* An empty span may have no address to count from. */
	if (in.len == 0)
		in.p = "";
	return (struct cursor){ .p = in.p,
				.end = in.p + in.len,
				.has_utf8 = (flags & ADDRESS_ALLOW_UTF8) != 0,
				.e = e };
}

int
address_parse_path(struct span in, int flags, struct address *out, size_t *used,
		   struct err *e)
{
	struct cursor c = cursor_of(in, flags, e);

	memset(out, 0, sizeof(*out));
	if (!take(&c, '<'))
		return err_set(e, "no < before the address");
	if (is_next(&c, '>')) {
		if ((flags & ADDRESS_ALLOW_NULL) == 0)
			return err_set(e, "the address is empty");
	} else {
		if (is_next(&c, '@') && source_route(&c) < 0)
			return -1;
		if (mailbox(&c, (flags & ADDRESS_ALLOW_POSTMASTER) != 0, out))
			return -1;
	}
	if (!take(&c, '>'))
		return err_set(e, "no > where the address ends");
	*used = (size_t)(c.p - in.p);
	return check_utf8(out, e);
}

int
address_parse(struct span in, int flags, struct address *out, struct err *e)
{
	struct cursor c = cursor_of(in, flags, e);

	memset(out, 0, sizeof(*out));
	if (in.len == 0) {
		if (flags & ADDRESS_ALLOW_NULL)
			return 0;
		return err_set(e, "the address is empty");
	}
	if (mailbox(&c, (flags & ADDRESS_ALLOW_POSTMASTER) != 0, out))
		return -1;
	if (c.p != c.end)
		return err_set(e, "text after the address");
	return check_utf8(out, e);
}

const char *
address_domain(const struct address *a)
{
	return a->domain_at > 0 ? a->text + a->domain_at : "";
}

/* All of s[0..len) is one host name. */
static int
check_name(const char *s, size_t len, bool has_utf8, struct err *e)
{
	struct cursor c = {
		.p = s, .end = s + len, .has_utf8 = has_utf8, .e = e
	};

	if (host_name(&c) < 0)
		return -1;
	if (c.p != c.end)
		return err_set(e, "a character that no domain has");
	if (has_utf8 && !str_is_utf8(s, len))
		return err_set(e, "the domain is not valid UTF-8");
	return 0;
}

static bool
is_ascii(const char *s)
{
	while (*s != '\0' && !is_high(*s))
		s++;
	return *s == '\0';
}

/* Letters beyond ASCII may map to dots, blanks or slashes. */
static int
to_ascii(char *domain, struct err *e)
{
	char ascii[ADDRESS_DOMAIN_MAX + 1];

	if (idn_domain(domain, ascii, sizeof(ascii), e) < 0 ||
	    check_name(ascii, strlen(ascii), false, e) < 0)
		return -1;
	memcpy(domain, ascii, strlen(ascii) + 1);
	return 0;
}

int
address_domain_key(const char *domain, char *dst, struct err *e)
{
	size_t len = strlen(domain);
	struct cursor c = { .p = domain, .end = domain + len, .e = e };

	if (len > 0 && domain[0] == '[') {
		if (literal(&c) < 0)
			return -1;
		if (c.p != c.end)
			return err_set(e, "text after the address literal");
		memcpy(dst, domain, len + 1);
		return 0;
	}
	if (len > 0 && domain[len - 1] == '.')
		len--;
	if (check_name(domain, len, true, e) < 0)
		return -1;
	memcpy(dst, domain, len);
	dst[len] = '\0';
	str_lower(dst);
	return is_ascii(dst) ? 0 : to_ascii(dst, e);
}

int
address_local_key(const char *local, char *dst, size_t size, struct err *e)
{
	size_t len = strlen(local);

	if (!is_ascii(local) && str_is_utf8(local, len))
		return idn_lower(local, dst, size, e);
	if (len >= size)
		return err_set(e, "the local part is too long");
	memmove(dst, local, len + 1);
	str_lower(dst);
	return 0;
}

bool
address_is_domain(const char *s)
{
	return check_name(s, strlen(s), false, NULL) == 0;
}
