/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Addresses, one by one and in text.  Linear in the text, but for what one
 * address carries, which is bounded in length and depth.
 */
#include "url.h"

#include <string.h>

#include "str.h"
#include "url_impl.h"

#define CARRY_DEPTH 3 /* addresses in addresses */
#define CARRY_MAX 8 /* that one carries */
#define BARE_MAX 253 /* bytes of a name without a scheme */

enum scheme { NO_SCHEME, WEB, MAIL, OTHER };

static bool
is_space(char c)
{
	return (unsigned char)c <= ' ';
}

static bool
is_slash(char c)
{
	return c == '/' || c == '\\';
}

/* Without blanks and controls, as browsers take them out. */
static void
squeeze(struct span in, struct buf *out)
{
	size_t i;

	for (i = 0; i < in.len && i < URL_TEXT_MAX; i++)
		if (!is_space(in.p[i]))
			buf_add_char(out, in.p[i]);
}

/* The scheme in front; *rest is behind its colon. */
static enum scheme
read_scheme(const char *p, const char **rest)
{
	const char *at = p;

	while (ascii_isalnum((unsigned char)*at) || *at == '+' || *at == '-' ||
	       *at == '.')
		at++;
	*rest = p;
	if (at == p || *at != ':')
		return NO_SCHEME;
	*rest = at + 1;
	if (strncasecmp(p, "http:", 5) == 0 ||
	    strncasecmp(p, "https:", 6) == 0 || strncasecmp(p, "ftp:", 4) == 0)
		return WEB;
	if (strncasecmp(p, "mailto:", 7) == 0)
		return MAIL;
	/* "host:80/path" is no scheme. */
	if (ascii_isdigit((unsigned char)at[1])) {
		*rest = p;
		return NO_SCHEME;
	}
	return OTHER;
}

/* Between the slashes and the path: userinfo, host, port. */
static struct span
authority(const char *p, uint32_t *flags, const char **rest, struct span *port)
{
	const char *end, *at, *colon;

	while (is_slash(*p))
		p++;
	for (end = p;
	     *end != '\0' && !is_slash(*end) && *end != '?' && *end != '#';
	     end++)
		;
	*rest = end;
	for (at = end; at > p; at--)
		if (at[-1] == '@') {
			*flags |= URL_USERINFO;
			p = at;
			break;
		}
	*port = (struct span){ "", 0 };
	colon = end > p ? memrchr(p, ':', (size_t)(end - p)) : NULL;
	if (colon != NULL &&
	    memchr(colon, ']', (size_t)(end - colon)) == NULL) {
		*port = (struct span){ colon + 1, (size_t)(end - colon - 1) };
		end = colon;
	}
	return (struct span){ p, (size_t)(end - p) };
}

static const char *
registrable(const struct url_set *s, const char *host, bool *is_known)
{
	const char *p, *last = NULL, *before = NULL;

	*is_known = false;
	if (s->hooks != NULL && s->hooks->registrable != NULL) {
		p = s->hooks->registrable(host, is_known);
		return p != NULL ? p : host;
	}
	for (p = host; *p != '\0'; p++)
		if (*p == '.') {
			before = last;
			last = p;
		}
	return before != NULL ? before + 1 : host;
}

static struct url *
put(struct url_set *s, const char *text, const char *host, uint32_t flags)
{
	struct url *u;
	bool is_known;
	size_t i;

	for (i = 0; i < s->count; i++)
		if (str_eq(s->items[i].text, text)) {
			s->items[i].flags |= flags & ~(uint32_t)URL_BARE;
			return &s->items[i];
		}
	if (s->count == URL_SET_MAX) {
		s->is_full = true;
		return NULL;
	}
	u = &s->items[s->count++];
	u->text = arena_strdup(s->arena, text);
	u->host = arena_strdup(s->arena, host);
	u->flags = flags;
	u->domain =
		flags & URL_IP ? u->host : registrable(s, u->host, &is_known);
	return u;
}

static void add(struct url_set *s, struct span raw, uint32_t flags, int depth);

/* Addresses in the path and the query of another, which is at index at. */
static void
carried(struct url_set *s, const char *rest, size_t at, int depth)
{
	struct buf plain = { .limit = URL_TEXT_MAX };
	const char *p, *end;
	int count = 0;

	url_percent(span_of(rest), &plain);
	/* Some encode twice. */
	if (strstr(buf_str(&plain), "%3A%2F") != NULL ||
	    strstr(buf_str(&plain), "%3a%2f") != NULL) {
		struct buf twice = { .limit = URL_TEXT_MAX };

		url_percent(buf_span(&plain), &twice);
		buf_release(&plain);
		plain = twice;
	}
	for (p = buf_str(&plain); count < CARRY_MAX; p = end) {
		const char *http = strcasestr(p, "http");

		if (http == NULL)
			break;
		end = http + 4;
		if (strncasecmp(http, "http:", 5) != 0 &&
		    strncasecmp(http, "https:", 6) != 0)
			continue;
		end = http + strcspn(http, "&\"'<> ");
		add(s, (struct span){ http, (size_t)(end - http) }, URL_CARRIED,
		    depth + 1);
		s->items[at].flags |= URL_CARRIES;
		count++;
	}
	buf_release(&plain);
}

static void
add_mail(struct url_set *s, const char *p, uint32_t flags)
{
	size_t n = strcspn(p, "?,;>");
	const char *sign = n > 0 ? memrchr(p, '@', n) : NULL;
	char host[URL_HOST_MAX];
	struct buf text = { .limit = URL_TEXT_MAX };

	if (sign == NULL || sign == p ||
	    !url_read_host(
		    s->hooks,
		    (struct span){ sign + 1, n - (size_t)(sign + 1 - p) }, host,
		    &flags) ||
	    strchr(host, '.') == NULL)
		return;
	buf_printf(&text, "mailto:%.*s@%s", (int)(sign - p), p, host);
	put(s, buf_str(&text), host, flags | URL_MAIL);
	buf_release(&text);
}

static bool
is_usual_port(struct span port, const char *scheme)
{
	if (port.len == 0)
		return true;
	return strncasecmp(scheme, "https", 5) == 0
		       ? span_eq(port, SPAN_LIT("443"))
		       : span_eq(port, SPAN_LIT("80"));
}

static void
add_web(struct url_set *s, const char *text, const char *p, uint32_t flags,
	int depth)
{
	struct buf out = { .limit = URL_TEXT_MAX + URL_HOST_MAX };
	char host[URL_HOST_MAX];
	struct span port, in;
	const char *rest;
	struct url *u;

	in = authority(p, &flags, &rest, &port);
	if (!url_read_host(s->hooks, in, host, &flags) ||
	    (strchr(host, '.') == NULL && !(flags & URL_IP)))
		return;
	buf_add_str(&out, strncasecmp(text, "https:", 6) == 0 ? "https://"
			  : strncasecmp(text, "ftp:", 4) == 0 ? "ftp://"
							      : "http://");
	buf_add_str(&out, host);
	if (!is_usual_port(port, text)) {
		flags |= URL_PORT;
		buf_printf(&out, ":%.*s", (int)port.len, port.p);
	}
	if (!is_slash(*rest))
		buf_add_char(&out, '/');
	buf_add_str(&out, rest);
	u = put(s, buf_str(&out), host, flags);
	buf_release(&out);
	if (u != NULL && depth < CARRY_DEPTH && *rest != '\0')
		carried(s, rest, (size_t)(u - s->items), depth);
}

static void
add(struct url_set *s, struct span raw, uint32_t flags, int depth)
{
	struct buf text = { .limit = URL_TEXT_MAX };
	const char *rest;

	squeeze(raw, &text);
	switch (read_scheme(buf_str(&text), &rest)) {
	case MAIL:
		add_mail(s, rest, flags);
		break;
	case WEB:
		add_web(s, buf_str(&text), rest, flags, depth);
		break;
	case NO_SCHEME:
		if ((is_slash(rest[0]) && is_slash(rest[1])) ||
		    strncasecmp(rest, "www.", 4) == 0 || (flags & URL_BARE))
			add_web(s, buf_str(&text), rest, flags, depth);
		break;
	case OTHER:
		break;
	}
	buf_release(&text);
}

void
url_set_init(struct url_set *s, struct arena *arena,
	     const struct url_hooks *hooks)
{
	s->arena = arena;
	s->hooks = hooks;
	s->count = 0;
	s->is_full = false;
}

void
url_add(struct url_set *s, struct span raw, uint32_t flags)
{
	add(s, raw, flags, 0);
}

/* What ends an address in a text. */
static const char *
text_end(const char *p, const char *end)
{
	const char *from = p;

	if (end - p > URL_TEXT_MAX)
		end = p + URL_TEXT_MAX;
	while (p < end && !is_space(*p) && strchr("<>\"", *p) == NULL)
		p++;
	/* Marks of the sentence; a bracket that the address does not open. */
	while (p > from && strchr(".,;:!?')]}*", p[-1]) != NULL) {
		if (p[-1] == ')' && memchr(from, '(', (size_t)(p - from)))
			break;
		p--;
	}
	return p;
}

static bool
is_name(char c)
{
	return ascii_isalnum((unsigned char)c) || c == '-' || c == '_' ||
	       c == '.';
}

/* A name that stands alone: when it ends in a public suffix. */
static void
bare(struct url_set *s, const char *from, const char *to, const char *end)
{
	char host[BARE_MAX + 1];
	bool is_known = false;

	while (to > from && (to[-1] == '.' || to[-1] == '-'))
		to--;
	if ((size_t)(to - from) > BARE_MAX || to - from < 4 ||
	    memchr(from, '.', (size_t)(to - from)) == NULL)
		return;
	memcpy(host, from, (size_t)(to - from));
	host[to - from] = '\0';
	str_lower(host);
	registrable(s, host, &is_known);
	if (is_known)
		url_add(s,
			(struct span){ from,
				       (size_t)(text_end(from, end) - from) },
			URL_BARE);
}

/* local@host, of which host begins at p. */
static const char *
mail(struct url_set *s, const char *from, const char *sign, const char *end)
{
	struct buf b = { .limit = 512 };
	const char *to = sign + 1;

	while (to < end && is_name(*to))
		to++;
	while (to > sign + 1 && to[-1] == '.')
		to--;
	if (sign > from && to > sign + 1 && to - from < 320) {
		buf_printf(&b, "mailto:%.*s", (int)(to - from), from);
		url_add(s, buf_span(&b), 0);
	}
	buf_release(&b);
	return to > sign ? to : sign + 1;
}

/* A word of letters and dots that begins at p; behind what was read. */
static const char *
word(struct url_set *s, const char *p, const char *end)
{
	const char *to = p, *stop;

	while (to < end && is_name(*to))
		to++;
	if (end - to >= 3 && strncmp(to, "://", 3) == 0) {
		/* "xhttp://" is http, too. */
		while (to > p && to - p > 5)
			p++;
		while (p < to && strncasecmp(p, "http", 4) != 0 &&
		       strncasecmp(p, "ftp", 3) != 0)
			p++;
		stop = text_end(to + 3, end);
		if (p < to)
			url_add(s, (struct span){ p, (size_t)(stop - p) }, 0);
		return stop > to ? stop : to + 3;
	}
	if (to < end && *to == '@')
		return mail(s, p, to, end);
	if (end - p > 4 && strncasecmp(p, "www.", 4) == 0) {
		stop = text_end(p, end);
		url_add(s, (struct span){ p, (size_t)(stop - p) }, 0);
		return stop > to ? stop : to;
	}
	bare(s, p, to, end);
	return to;
}

void
url_find(struct url_set *s, struct span text)
{
	const char *p = text.p, *end = text.p + text.len;

	while (p < end && !s->is_full) {
		if (is_name(*p))
			p = word(s, p, end);
		else
			p++;
	}
}

void
url_host(const struct url_hooks *hooks, struct span raw,
	 char host[URL_HOST_MAX], uint32_t *flags)
{
	struct buf text = { .limit = URL_TEXT_MAX };
	const char *rest;
	struct span port;
	enum scheme scheme;

	host[0] = '\0';
	squeeze(raw, &text);
	scheme = read_scheme(buf_str(&text), &rest);
	if (scheme == WEB || scheme == NO_SCHEME)
		url_read_host(hooks, authority(rest, flags, &rest, &port), host,
			      flags);
	buf_release(&text);
}
