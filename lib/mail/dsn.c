/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A delivery status notification as a whole: its header, and its three
 * parts with a boundary between that is in none of them (RFC 6522).
 */
#include "dsn.h"

#include <string.h>

#include "clock.h"
#include "dsn_part.h"
#include "header.h"
#include "str.h"

struct parts {
	struct buf text, status, header;
	char boundary[64];
};

static bool
is_ascii(const char *s)
{
	while (*s != '\0' && (unsigned char)*s < 128)
		s++;
	return *s == '\0';
}

bool
dsn_is_utf8(const struct dsn *d)
{
	bool is_utf8 = d->is_utf8 || !is_ascii(d->to);
	size_t i;

	for (i = 0; i < d->rcpt_count && !is_utf8; i++)
		is_utf8 = !is_ascii(d->rcpts[i].address);
	return is_utf8;
}

static bool
holds(const struct buf *b, const char *what)
{
	return b->len > 0 &&
	       memmem(b->data, b->len, what, strlen(what)) != NULL;
}

/* There are more numbers than can stand in the parts, so this ends. */
static void
choose_boundary(const struct dsn *d, struct parts *p)
{
	char id[32];
	unsigned n = 0;
	char *c;

	str_copy(id, sizeof(id), d->id);
	for (c = id; *c != '\0'; c++)
		if (!ascii_isalnum((unsigned char)*c))
			*c = '.';
	do {
		str_fmt(p->boundary, sizeof(p->boundary), "=_mcgate-%s-%u", id,
			n++);
	} while (holds(&p->text, p->boundary) ||
		 holds(&p->status, p->boundary) ||
		 holds(&p->header, p->boundary));
}

static void
add_field(struct buf *out, const char *name, const char *value)
{
	size_t len = strlen(name) + 1;

	buf_printf(out, "%s:", name);
	dsn_wrap(out, len, 1, value);
}

static bool
is_message_id(const char *s)
{
	size_t len = strlen(s);
	size_t i;

	if (len < 3 || s[0] != '<' || s[len - 1] != '>')
		return false;
	for (i = 1; i + 1 < len; i++)
		if (s[i] <= 32 || s[i] >= 127 || s[i] == '<' || s[i] == '>')
			return false;
	return true;
}

/* The Message-ID of the original, if it is fit to be referred to. */
static bool
original_message_id(struct span header, char *dst, size_t size)
{
	struct header_field f;
	size_t at = 0;

	while (header_next(header, &at, &f) == 1) {
		if (!span_ieq(f.name, SPAN_LIT("Message-ID")))
			continue;
		header_value_text(f.value, dst, size);
		return is_message_id(dst);
	}
	return false;
}

/* What is gravest. */
static const char *
subject_of(const struct dsn *d)
{
	static const char *const subjects[DSN_ACTIONS] = {
		[DSN_FAILED] = "Your message could not be delivered",
		[DSN_DELAYED] = "Your message has not been delivered yet",
		[DSN_RELAYED] = "Your message was passed on",
	};
	enum dsn_action gravest = DSN_RELAYED;
	size_t i;

	for (i = 0; i < d->rcpt_count; i++)
		if (d->rcpts[i].action < gravest)
			gravest = d->rcpts[i].action;
	return subjects[gravest];
}

static void
write_header(const struct dsn *d, const struct parts *p, bool is_utf8,
	     struct buf *out)
{
	char value[DSN_VALUE_SIZE], clean[DSN_VALUE_SIZE];
	char mta[256];

	dsn_clean(mta, sizeof(mta), d->reporting_mta, false);
	clock_rfc5322(value, sizeof(value), d->now_us);
	add_field(out, "Date", value);
	str_fmt(value, sizeof(value), "Mail Delivery System <MAILER-DAEMON@%s>",
		mta);
	add_field(out, "From", value);
	str_fmt(value, sizeof(value), "<%s>", d->to);
	add_field(out, "To", dsn_clean(clean, sizeof(clean), value, is_utf8));
	add_field(out, "Subject", subject_of(d));
	str_fmt(value, sizeof(value), "<%s@%s>", d->id, mta);
	add_field(out, "Message-ID",
		  dsn_clean(clean, sizeof(clean), value, false));
	if (original_message_id(d->header, value, 256)) {
		add_field(out, "In-Reply-To", value);
		add_field(out, "References", value);
	}
	/* RFC 3834 section 5 */
	add_field(out, "Auto-Submitted", "auto-replied");
	add_field(out, "MIME-Version", "1.0");
	str_fmt(value, sizeof(value),
		"multipart/report; report-type=delivery-status; "
		"boundary=\"%s\"",
		p->boundary);
	add_field(out, "Content-Type", value);
	if (is_utf8)
		add_field(out, "Content-Transfer-Encoding", "8bit");
}

static void
write_part(const struct parts *p, const char *type, bool is_utf8,
	   const struct buf *part, struct buf *out)
{
	buf_printf(out, "\r\n--%s\r\n", p->boundary);
	add_field(out, "Content-Type", type);
	if (is_utf8)
		add_field(out, "Content-Transfer-Encoding", "8bit");
	buf_add_str(out, "\r\n");
	buf_add_span(out, buf_span(part));
}

static void
write_all(const struct dsn *d, struct parts *p, struct buf *out)
{
	bool is_utf8 = dsn_is_utf8(d);

	dsn_part_text(d, is_utf8, &p->text);
	dsn_part_status(d, is_utf8, &p->status);
	dsn_part_header(d, is_utf8, &p->header);
	choose_boundary(d, p);
	write_header(d, p, is_utf8, out);
	buf_add_str(out, "\r\nThis is a report about the delivery of a "
			 "message, in MIME format.\r\n");
	write_part(p,
		   is_utf8 ? "text/plain; charset=utf-8"
			   : "text/plain; charset=us-ascii",
		   is_utf8, &p->text, out);
	write_part(p,
		   is_utf8 ? "message/global-delivery-status"
			   : "message/delivery-status",
		   is_utf8, &p->status, out);
	write_part(p,
		   is_utf8 ? "message/global-headers" : "text/rfc822-headers",
		   is_utf8, &p->header, out);
	buf_printf(out, "\r\n--%s--\r\n", p->boundary);
}

int
dsn_write(const struct dsn *d, struct buf *out, struct err *e)
{
	struct parts p;
	struct buf whole = { 0 };
	int rc;

	if (d->to[0] == '\0' || d->rcpt_count == 0 || d->id[0] == '\0' ||
	    d->reporting_mta[0] == '\0')
		return err_set(e,
			       "notification %s: no sender, recipient or "
			       "name of ours",
			       d->id);
	memset(&p, 0, sizeof(p));
	write_all(d, &p, &whole);
	rc = buf_add_span(out, buf_span(&whole));
	buf_release(&whole);
	buf_release(&p.text);
	buf_release(&p.status);
	buf_release(&p.header);
	if (rc < 0)
		return err_set(e, "notification %s: no room for it", d->id);
	return 0;
}
