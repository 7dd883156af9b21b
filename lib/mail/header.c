/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Header fields of a raw message, found but not decoded.  Linear in the
 * text, whatever the text is.
 */
#include "header.h"

#include <string.h>

#include "str.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Behind the end of the line that starts at p. */
static const char *
line_behind(const char *p, const char *end)
{
	const char *lf = memchr(p, '\n', (size_t)(end - p));

	return lf != NULL ? lf + 1 : end;
}

/* "\n" or "\r\n" at p. */
static size_t
empty_line(const char *p, const char *end)
{
	if (end - p >= 1 && p[0] == '\n')
		return 1;
	return end - p >= 2 && p[0] == '\r' && p[1] == '\n' ? 2 : 0;
}

/*
 * Where the value starts on a line that has a name and a colon, else NULL.
 * RFC 5322 section 2.2; blanks before the colon are section 4.5's.
 */
static const char *
field_value(const char *p, const char *end, struct span *name)
{
	const char *at = p;

	while (at<end && * at> 32 && *at < 127 && *at != ':')
		at++;
	*name = (struct span){ p, (size_t)(at - p) };
	if (name->len == 0 || name->len > HEADER_NAME_MAX)
		return NULL;
	while (at < end && is_blank(*at))
		at++;
	return at < end && *at == ':' ? at + 1 : NULL;
}

int
header_next(struct span text, size_t *at, struct header_field *out)
{
	const char *p, *end, *next, *value;
	size_t n;

	/* An empty span may have no address to count from. */
	if (text.len == 0)
		return 0;
	end = text.p + text.len;
	for (p = text.p + *at; p < end; p = next) {
		n = empty_line(p, end);
		if (n > 0) {
			*at = (size_t)(p - text.p) + n;
			return 0;
		}
		next = line_behind(p, end);
		value = field_value(p, next, &out->name);
		if (value == NULL)
			continue;
		while (next < end && is_blank(*next))
			next = line_behind(next, end);
		out->value = (struct span){ value, (size_t)(next - value) };
		out->offset = (size_t)(p - text.p);
		out->len = (size_t)(next - p);
		*at = (size_t)(next - text.p);
		return 1;
	}
	*at = text.len;
	return 0;
}

void
header_value_text(struct span value, char *dst, size_t size)
{
	char flat[HEADER_TEXT_MAX];
	const char *p = value.len > 0 ? value.p : "";
	const char *end = p + value.len;
	size_t len = 0;

	while (p < end && ascii_isspace((unsigned char)*p))
		p++;
	while (end > p && ascii_isspace((unsigned char)end[-1]))
		end--;
	for (; p < end && len < sizeof(flat); p++) {
		if (*p == '\n' || (*p == '\r' && p[1] == '\n'))
			continue;
		flat[len++] = *p == '\t' ? ' ' : *p;
	}
	str_printable(dst, size, flat, len);
}

void
header_scan_init(struct header_scan *h)
{
	memset(h, 0, sizeof(*h));
}

/* What a field is kept in when it is the first of its name. */
static void
keep_first(char *dst, size_t size, struct span value)
{
	if (dst[0] == '\0')
		header_value_text(value, dst, size);
}

/* The field gathered in line is whole. */
static void
field_end(struct header_scan *h)
{
	const char *end = h->line + h->line_len;
	struct span name, value;
	const char *p = field_value(h->line, end, &name);

	h->line_len = 0;
	if (p == NULL)
		return;
	value = (struct span){ p, (size_t)(end - p) };
	if (span_ieq(name, SPAN_LIT("Received")))
		h->received++;
	else if (span_ieq(name, SPAN_LIT("Message-ID")))
		keep_first(h->message_id, sizeof(h->message_id), value);
	else if (span_ieq(name, SPAN_LIT("Subject")))
		keep_first(h->subject, sizeof(h->subject), value);
	else if (span_ieq(name, SPAN_LIT("From")))
		keep_first(h->from, sizeof(h->from), value);
}

static void
gather(struct header_scan *h, const char *p, size_t n)
{
	size_t room = sizeof(h->line) - h->line_len;

	if (n > room)
		n = room;
	memcpy(h->line + h->line_len, p, n);
	h->line_len += n;
}

/* Where in a line the scanner is. */
enum { AT_START, AT_START_CR, IN_LINE };

/* The first bytes of a line; returns how many of them were taken. */
static size_t
scan_start(struct header_scan *h, char c)
{
	if (h->field == AT_START_CR && c != '\n') {
		/* A line that begins with a bare CR. */
		field_end(h);
		gather(h, "\r", 1);
		h->field = IN_LINE;
		return 0;
	}
	if (c == '\n') {
		field_end(h);
		h->is_done = true;
		return 1;
	}
	if (c == '\r') {
		h->field = AT_START_CR;
		return 1;
	}
	if (!is_blank(c))
		field_end(h);
	h->field = IN_LINE;
	return 0;
}

void
header_scan_feed(struct header_scan *h, struct span in)
{
	size_t room = HEADER_SCAN_MAX - h->bytes;
	bool is_over = in.len > room;
	const char *p = in.len > 0 ? in.p : "";
	const char *end = p + (is_over ? room : in.len);
	const char *next;
	size_t n;

	while (p < end && !h->is_done) {
		if (h->field != IN_LINE) {
			n = scan_start(h, *p);
		} else {
			next = line_behind(p, end);
			n = (size_t)(next - p);
			gather(h, p, n);
			if (next[-1] == '\n')
				h->field = AT_START;
		}
		p += n;
		h->bytes += n;
	}
	if (is_over && !h->is_done) {
		h->is_truncated = true;
		header_scan_end(h);
	}
}

void
header_scan_end(struct header_scan *h)
{
	if (h->is_done)
		return;
	field_end(h);
	h->is_done = true;
}
