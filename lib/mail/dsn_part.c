/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What stands in a delivery status notification for people, for programs,
 * and of the original.  All of it comes from strangers: nothing may end a
 * line, a part or the header.
 */
#include "dsn_part.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "header.h"
#include "ip.h"
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

/* The bytes of a character; how many. */
static size_t
utf8_put(char *to, unsigned long c)
{
	size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	size_t i;

	for (i = n - 1; i > 0; i--, c >>= 6)
		to[i] = (char)(0x80 | (c & 0x3f));
	to[0] = (char)((0xf00u >> n & 0xf0) | c);
	return n;
}

/*
 * RFC 6533 section 3: \x{HEX} of a utf-8 address becomes the character it
 * stands for; what stands for none stays as it is.
 */
static void
utf8_decode(char *s)
{
	char *to = s, *end;
	unsigned long c;

	while (*s != '\0') {
		end = s;
		c = 0;
		if (strncmp(s, "\\x{", 3) == 0 &&
		    strspn(s + 3, "0123456789abcdefABCDEF") > 0)
			c = strtoul(s + 3, &end, 16);
		if (end == s || *end != '}' || c < 128 || c > 0x10ffff ||
		    (c >= 0xd800 && c < 0xe000)) {
			*to++ = *s++;
			continue;
		}
		to += utf8_put(to, c);
		s = end + 1;
	}
	*to = '\0';
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
	if (is_utf8 && str_ieq(type, "utf-8;"))
		utf8_decode(value);
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

/* The name of a next hop without its address and port; an address that
 * stands for a name is a literal (RFC 5321 section 4.1.3). */
static void
remote_name(char *dst, size_t size, const char *relay)
{
	size_t len = strcspn(relay, "[");
	struct ip ip;

	if (relay[0] == '[') { /* all there is: [address]:port */
		relay++;
		len = strcspn(relay, "]");
	}
	str_fmt(dst, size, "%.*s", (int)len, relay);
	if (ip_parse(dst, &ip, NULL) == 0)
		str_fmt(dst, size, "[%s%.*s]",
			memchr(relay, ':', len) != NULL ? "IPv6:" : "",
			(int)len, relay);
}

static void
status_of(const struct dsn *d, const struct dsn_rcpt *r, bool is_utf8,
	  struct buf *out)
{
	static const struct {
		const char *action, *status;
	} words[DSN_ACTIONS] = {
		[DSN_FAILED] = { "failed", "5.0.0" },
		[DSN_DELAYED] = { "delayed", "4.0.0" },
		[DSN_RELAYED] = { "relayed", "2.0.0" },
	};
	char name[DSN_VALUE_SIZE];

	buf_add_str(out, "\r\n");
	original_recipient(out, r->orcpt, is_utf8);
	field(out, "Final-Recipient",
	      is_ascii(r->address) ? "rfc822;" : "utf-8;", r->address, is_utf8);
	field(out, "Action", "", words[r->action].action, false);
	field(out, "Status", "",
	      is_enhanced(r->enhanced) ? r->enhanced : words[r->action].status,
	      false);
	remote_name(name, sizeof(name), r->relay);
	field(out, "Remote-MTA", "dns;", name, is_utf8);
	field(out, "Diagnostic-Code", answer_kind(r->diagnostic), r->diagnostic,
	      is_utf8);
	date_field(out, "Last-Attempt-Date", r->last_attempt_us);
	if (r->action == DSN_DELAYED)
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

/* What a person can do about it, by the detail of the status code (RFC
 * 3463); a row that ends in a dot is for all of its subject. */
static const char *
hint_of(const struct dsn_rcpt *r)
{
	static const struct {
		const char *detail, *hint;
	} hints[] = {
		{ "1.1", "The address is not known there: please check it "
			 "for typing mistakes." },
		{ "1.2", "There is no such mail domain: please check what "
			 "stands behind the @." },
		{ "1.3", "The address is not written as addresses are: "
			 "please check it." },
		{ "1.6", "The mailbox has moved, and nobody said where to." },
		{ "1.10", "The domain takes no mail at all." },
		{ "2.1", "The mailbox is switched off." },
		{ "2.2", "The mailbox is full: try again later, or reach the "
			 "recipient in another way." },
		{ "2.3", "The message is larger than this mailbox takes: "
			 "send it in parts, or the large files in another "
			 "way." },
		{ "3.4", "The message is larger than the server takes: send "
			 "it in parts, or the large files in another way." },
		{ "4.6", "The message went round in a circle: the mail "
			 "servers of this domain are not set up well." },
		{ "4.7", "It was tried again and again until its time was "
			 "over: the server could not be reached, or always "
			 "put it off." },
		{ "6.7", "The server cannot take addresses or headers "
			 "beyond ASCII: use an address of plain letters, if "
			 "there is one." },
		{ "7.", "The server refused the message by its own rules: "
			"the recipient, or whoever runs that server, can "
			"tell you why." },
	};
	const char *dot = strchr(r->enhanced, '.');
	size_t i, len;

	if (r->action != DSN_FAILED || !is_enhanced(r->enhanced))
		return NULL;
	for (i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
		len = strlen(hints[i].detail);
		if (hints[i].detail[len - 1] == '.'
			    ? strncmp(dot + 1, hints[i].detail, len) == 0
			    : str_eq(dot + 1, hints[i].detail))
			return hints[i].hint;
	}
	return NULL;
}

static void
text_of(const struct dsn_rcpt *r, bool is_utf8, struct buf *out)
{
	char clean[DSN_VALUE_SIZE], text[DSN_VALUE_SIZE + 32];
	const char *hint = hint_of(r);

	buf_add_str(out, "\r\n    ");
	dsn_wrap(out, 4, 4,
		 dsn_clean(clean, sizeof(clean), r->address, is_utf8));
	if (r->diagnostic[0] != '\0' && r->relay[0] != '\0' &&
	    str_eq(answer_kind(r->diagnostic), "smtp;")) {
		dsn_clean(clean, sizeof(clean), r->relay, is_utf8);
		str_fmt(text, sizeof(text), "The server %s answered:", clean);
		buf_add_str(out, "      ");
		dsn_wrap(out, 6, 6, text);
	}
	if (r->diagnostic[0] != '\0') {
		buf_add_str(out, "      ");
		dsn_wrap(out, 6, 6,
			 dsn_clean(clean, sizeof(clean), r->diagnostic,
				   is_utf8));
	}
	if (hint != NULL) {
		buf_add_str(out, "      ");
		dsn_wrap(out, 6, 6, hint);
	}
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

/* All recipients of one fate, and what follows from it. */
static void
text_of_action(const struct dsn *d, enum dsn_action action, bool is_utf8,
	       struct buf *out)
{
	static const char *const happened[DSN_ACTIONS] = {
		[DSN_FAILED] = "could not be delivered to",
		[DSN_DELAYED] = "has not been delivered yet to",
		[DSN_RELAYED] = "was passed on to the next server for",
	};
	char text[DSN_VALUE_SIZE], date[80];
	size_t i, n = 0;

	for (i = 0; i < d->rcpt_count; i++)
		n += d->rcpts[i].action == action;
	if (n == 0)
		return;
	if (out->len > 0)
		buf_add_str(out, "\r\n");
	str_fmt(text, sizeof(text), "Your message%s %s %s:",
		when(date, sizeof(date), "of", d->arrival_us), happened[action],
		n == 1 ? "this address" : "these addresses");
	dsn_wrap(out, 0, 0, text);
	for (i = 0; i < d->rcpt_count; i++)
		if (d->rcpts[i].action == action)
			text_of(&d->rcpts[i], is_utf8, out);
	buf_add_str(out, "\r\n");
	if (action == DSN_FAILED)
		str_copy(text, sizeof(text),
			 "No further attempt will be made. Please check the "
			 "address, or reach the recipient in another way.");
	else if (action == DSN_DELAYED)
		str_fmt(text, sizeof(text),
			"You do not have to do anything: delivery will be "
			"tried again%s. If that fails, you will be told.",
			when(date, sizeof(date), "until",
			     d->will_retry_until_us));
	else
		str_copy(text, sizeof(text),
			 "You asked to be told. That server does not tell of "
			 "successes, so this is the last that can be said of "
			 "it from here.");
	dsn_wrap(out, 0, 0, text);
}

void
dsn_part_text(const struct dsn *d, bool is_utf8, struct buf *out)
{
	char text[DSN_VALUE_SIZE], clean[DSN_VALUE_SIZE];
	int action;

	for (action = 0; action < DSN_ACTIONS; action++)
		text_of_action(d, (enum dsn_action)action, is_utf8, out);
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
