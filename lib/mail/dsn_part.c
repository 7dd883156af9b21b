/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What stands in a delivery status notification for people, for programs,
 * and of the original.  All of it comes from strangers: nothing may end a
 * line, a part or the header.
 */
#include "dsn_part.h"

#include <string.h>

#include "clock.h"
#include "header.h"
#include "str.h"

#define LINE_NICE 76 /* characters */
#define LINE_MAX_LEN 998 /* RFC 5322 section 2.1.1 */
#define HEADER_MAX 65536 /* bytes of the original's header */

static bool
is_inner(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Bytes above 127 become one "?" for each character. */
static void
make_ascii(char *s)
{
	char *to = s;

	for (; *s != '\0'; s++) {
		if ((unsigned char)*s < 128)
			*to++ = *s;
		else if (!is_inner(*s))
			*to++ = '?';
	}
	*to = '\0';
}

const char *
dsn_clean(char *dst, size_t size, const char *s, bool is_utf8)
{
	str_printable(dst, size, s, strlen(s));
	if (!is_utf8)
		make_ascii(dst);
	return dst;
}

/* Bytes of s, at most max, that end with a whole character. */
static size_t
fit(const char *s, size_t len, size_t max)
{
	size_t n = max;

	if (len <= max)
		return len;
	while (n > 0 && is_inner(s[n]))
		n--;
	return n > 0 ? n : max;
}

void
dsn_wrap(struct buf *out, size_t col, size_t indent, const char *text)
{
	size_t start = indent;
	size_t len;

	for (;;) {
		text += strspn(text, " ");
		len = strcspn(text, " ");
		if (len == 0)
			break;
		if (col > start && col + 1 + len > LINE_NICE) {
			buf_printf(out, "\r\n%*s", (int)indent, "");
			col = start;
		} else if (col > start) {
			buf_add_char(out, ' ');
			col++;
		}
		len = fit(text, len, LINE_MAX_LEN - col);
		buf_add(out, text, len);
		text += len;
		col += len;
	}
	buf_add_str(out, "\r\n");
}

/* A field of the status part; nothing where value is "". */
static void
field(struct buf *out, const char *name, const char *type, const char *value,
      bool is_utf8)
{
	char clean[DSN_VALUE_SIZE];
	size_t start = out->len;

	if (value[0] == '\0')
		return;
	dsn_clean(clean, sizeof(clean), value, is_utf8);
	buf_printf(out, "%s:%s%s", name, type[0] != '\0' ? " " : "", type);
	dsn_wrap(out, out->len - start, 1, clean);
}

static void
date_field(struct buf *out, const char *name, int64_t us)
{
	char date[64];

	if (us == 0)
		return;
	clock_rfc5322(date, sizeof(date), us);
	field(out, name, "", date, false);
}

static const char *
answer_kind(const char *diagnostic)
{
	return ascii_isdigit((unsigned char)diagnostic[0]) &&
			       ascii_isdigit((unsigned char)diagnostic[1]) &&
			       ascii_isdigit((unsigned char)diagnostic[2])
		       ? "smtp;"
		       : "x-mcgate;";
}

/* RFC 3461 section 4: what xtext stands for. */
static void
xtext_decode(char *dst, size_t size, const char *s)
{
	static const char hex[] = "0123456789ABCDEF";
	const char *high, *low;
	size_t n = 0;

	for (; *s != '\0' && n + 1 < size; s++) {
		dst[n] = *s;
		if (*s == '+' && s[1] != '\0' && s[2] != '\0') {
			high = strchr(hex, s[1]);
			low = strchr(hex, s[2]);
			if (high != NULL && low != NULL) {
				dst[n] = (char)((high - hex) * 16 + low - hex);
				s += 2;
			}
		}
		/* A NUL would end it, and is not printable anyway. */
		if (dst[n] == '\0')
			dst[n] = '?';
		n++;
	}
	dst[n] = '\0';
}

/* "rfc822;a+2Bb@c.example" of an ORCPT. */
static void
original_recipient(struct buf *out, const char *orcpt, bool is_utf8)
{
	const char *semicolon = strchr(orcpt, ';');
	char type[32];
	char value[DSN_VALUE_SIZE];
	size_t len;

	if (semicolon == NULL)
		return;
	len = (size_t)(semicolon - orcpt) + 1;
	if (len >= sizeof(type))
		return;
	memcpy(value, orcpt, len);
	value[len] = '\0';
	dsn_clean(type, sizeof(type), value, false);
	xtext_decode(value, sizeof(value), semicolon + 1);
	field(out, "Original-Recipient", type, value, is_utf8);
}

/* RFC 3463 section 2 */
static bool
is_enhanced(const char *s)
{
	size_t subject, detail;

	if (strlen(s) < 5 || strchr("245", s[0]) == NULL || s[1] != '.')
		return false;
	subject = strspn(s + 2, "0123456789");
	if (subject == 0 || subject > 3 || s[2 + subject] != '.')
		return false;
	s += 3 + subject;
	detail = strspn(s, "0123456789");
	return detail > 0 && detail <= 3 && s[detail] == '\0';
}

static bool
is_ascii(const char *s)
{
	while (*s != '\0' && (unsigned char)*s < 128)
		s++;
	return *s == '\0';
}

static void
status_of(const struct dsn *d, const struct dsn_rcpt *r, bool is_utf8,
	  struct buf *out)
{
	bool is_failed = d->action == DSN_FAILED;
	const char *none = is_failed ? "5.0.0" : "4.0.0";
	const char *bracket = strchr(r->relay, '[');
	char name[DSN_VALUE_SIZE];

	buf_add_str(out, "\r\n");
	original_recipient(out, r->orcpt, is_utf8);
	field(out, "Final-Recipient",
	      is_ascii(r->address) ? "rfc822;" : "utf-8;", r->address, is_utf8);
	field(out, "Action", "", is_failed ? "failed" : "delayed", false);
	field(out, "Status", "", is_enhanced(r->enhanced) ? r->enhanced : none,
	      false);
	str_copy(name, sizeof(name), r->relay);
	/* Without its address and port, where it has a name. */
	if (bracket != NULL && bracket > r->relay &&
	    (size_t)(bracket - r->relay) < sizeof(name))
		name[bracket - r->relay] = '\0';
	field(out, "Remote-MTA", "dns;", name, is_utf8);
	field(out, "Diagnostic-Code", answer_kind(r->diagnostic), r->diagnostic,
	      is_utf8);
	date_field(out, "Last-Attempt-Date", r->last_attempt_us);
	if (!is_failed)
		date_field(out, "Will-Retry-Until", d->will_retry_until_us);
}

void
dsn_part_status(const struct dsn *d, bool is_utf8, struct buf *out)
{
	char envid[DSN_VALUE_SIZE];
	size_t i;

	xtext_decode(envid, sizeof(envid), d->envid);
	field(out, "Original-Envelope-Id", "", envid, false);
	field(out, "Reporting-MTA", "dns;", d->reporting_mta, false);
	field(out, "X-Mcgate-ID", "", d->original_id, false);
	date_field(out, "Arrival-Date", d->arrival_us);
	for (i = 0; i < d->rcpt_count; i++)
		status_of(d, &d->rcpts[i], is_utf8, out);
}

static void
text_of(const struct dsn_rcpt *r, bool is_utf8, struct buf *out)
{
	char clean[DSN_VALUE_SIZE], text[DSN_VALUE_SIZE + 32];

	buf_add_str(out, "\r\n    ");
	dsn_wrap(out, 4, 4,
		 dsn_clean(clean, sizeof(clean), r->address, is_utf8));
	if (r->diagnostic[0] == '\0')
		return;
	if (r->relay[0] != '\0' &&
	    str_eq(answer_kind(r->diagnostic), "smtp;")) {
		dsn_clean(clean, sizeof(clean), r->relay, is_utf8);
		str_fmt(text, sizeof(text), "The server %s answered:", clean);
		buf_add_str(out, "      ");
		dsn_wrap(out, 6, 6, text);
	}
	buf_add_str(out, "      ");
	dsn_wrap(out, 6, 6,
		 dsn_clean(clean, sizeof(clean), r->diagnostic, is_utf8));
}

/* " of DATE", nothing when it is not known. */
static const char *
when(char *dst, size_t size, const char *word, int64_t us)
{
	char date[64];

	dst[0] = '\0';
	if (us == 0)
		return dst;
	clock_rfc5322(date, sizeof(date), us);
	str_fmt(dst, size, " %s %s", word, date);
	return dst;
}

void
dsn_part_text(const struct dsn *d, bool is_utf8, struct buf *out)
{
	bool is_failed = d->action == DSN_FAILED;
	char text[DSN_VALUE_SIZE], clean[DSN_VALUE_SIZE];
	char date[80];
	size_t i;

	str_fmt(text, sizeof(text), "Your message%s %s to %s:",
		when(date, sizeof(date), "of", d->arrival_us),
		is_failed ? "could not be delivered"
			  : "has not been delivered yet",
		d->rcpt_count == 1 ? "this address" : "these addresses");
	dsn_wrap(out, 0, 0, text);
	for (i = 0; i < d->rcpt_count; i++)
		text_of(&d->rcpts[i], is_utf8, out);
	buf_add_str(out, "\r\n");
	str_fmt(text, sizeof(text),
		is_failed ? "No further attempt will be made%s. Please check "
			    "the address, or reach the recipient in another "
			    "way."
			  : "You do not have to do anything: delivery will "
			    "be tried again%s. If that fails, you will be "
			    "told.",
		is_failed ? ""
			  : when(date, sizeof(date), "until",
				 d->will_retry_until_us));
	dsn_wrap(out, 0, 0, text);
	str_fmt(text, sizeof(text),
		"If you need help, send this message to the postmaster of %s, "
		"who finds yours by its id %s.",
		d->reporting_mta, d->original_id);
	buf_add_str(out, "\r\n");
	dsn_wrap(out, 0, 0, dsn_clean(clean, sizeof(clean), text, is_utf8));
}

/* One line of the original's header without its end. */
static void
header_line(struct span line, bool is_utf8, struct buf *out)
{
	bool keeps_high = is_utf8 && str_is_utf8(line.p, line.len);
	size_t room = LINE_MAX_LEN;
	size_t i, n;
	char *dst;

	while (line.len > 0) {
		n = fit(line.p, line.len, room);
		dst = buf_reserve(out, n + 3);
		if (dst == NULL)
			return;
		for (i = 0; i < n; i++) {
			dst[i] = line.p[i];
			if ((unsigned char)dst[i] > 127 && !keeps_high)
				dst[i] = '?';
			if (((unsigned char)dst[i] < 32 && dst[i] != '\t') ||
			    dst[i] == 127)
				dst[i] = '?';
		}
		line.p += n;
		line.len -= n;
		/* What is too long for a line goes on in a fold. */
		memcpy(dst + n, "\r\n ", 3);
		buf_commit(out, line.len > 0 ? n + 3 : n + 2);
		room = LINE_MAX_LEN - 1;
	}
}

static bool
is_empty(struct span line)
{
	size_t i;

	for (i = 0; i < line.len; i++)
		if (!ascii_isspace((unsigned char)line.p[i]))
			return false;
	return true;
}

void
dsn_part_header(const struct dsn *d, bool is_utf8, struct buf *out)
{
	struct header_field f;
	struct span line, rest;
	const char *lf;
	size_t at = 0;

	while (header_next(d->header, &at, &f) == 1) {
		rest = (struct span){ d->header.p + f.offset, f.len };
		while (rest.len > 0) {
			lf = memchr(rest.p, '\n', rest.len);
			line = rest;
			if (lf != NULL)
				line.len = (size_t)(lf - rest.p);
			rest.p += line.len + (lf != NULL);
			rest.len -= line.len + (lf != NULL);
			if (line.len > 0 && line.p[line.len - 1] == '\r')
				line.len--;
			if (out->len + line.len > HEADER_MAX)
				return;
			/* A fold of blanks could pass for the end. */
			if (!is_empty(line))
				header_line(line, is_utf8, out);
		}
	}
}
