/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 * An SPF check whose client, sender and every answer of DNS come from the
 * input: lines of HELO and sender, then a line each answer.  The first
 * byte of that says what the answer is: t text, a address, m name (MX,
 * PTR), n no name, f failure.  And a result as it travels, as a line.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "records.h"
#include "spf.h"
#include "spf_record.h"
#include "str.h"

#define ANSWER_MAX 8192
#define QUESTIONS_MAX 200 /* many more than any check may ask */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	struct span rest;
	unsigned questions;
	struct buf records;
} dns;

static struct span
take_line(struct span *in)
{
	const char *lf = in->len > 0 ? memchr(in->p, '\n', in->len) : NULL;
	struct span line = { in->p,
			     lf != NULL ? (size_t)(lf - in->p) : in->len };

	in->p += line.len + (lf != NULL);
	in->len -= line.len + (lf != NULL);
	return line;
}

static void
add_record(const void *p, size_t len)
{
	const char head[2] = { (char)len, (char)(len >> 8) };

	(void)buf_add(&dns.records, head, sizeof(head));
	(void)buf_add(&dns.records, p, len);
}

static void
add_text(struct span s)
{
	struct buf text = { 0 };

	while (s.len > 0) {
		size_t n = s.len < 255 ? s.len : 255;

		(void)buf_add_char(&text, (char)n);
		(void)buf_add(&text, s.p, n);
		s.p += n;
		s.len -= n;
	}
	add_record(buf_str(&text), text.len);
	buf_release(&text);
}

static void
ask(void *arg, const char *name, unsigned type, struct dns_answer *out)
{
	struct span line = take_line(&dns.rest);
	char kind = line.len > 0 ? line.p[0] : 'f';

	(void)arg;
	if (!dns_name_is_valid(name) || ++dns.questions > QUESTIONS_MAX)
		abort();
	*out = (struct dns_answer){ .rcode = DNS_SERVFAIL };
	buf_clear(&dns.records);
	if (line.len > 0) {
		line.p++;
		line.len--;
	}
	if (line.len > ANSWER_MAX)
		line.len = ANSWER_MAX;
	switch (kind) {
	case 't':
		add_text(line);
		break;
	case 'a':
		add_record("\xc0\0\2\1\0\0\0\0\0\0\0\0\0\0\0\1",
			   type == DNS_TYPE_AAAA ? 16 : 4);
		break;
	case 'm':
		add_record(line.p, line.len);
		break;
	case 'n':
		out->rcode = DNS_NXDOMAIN;
		return;
	default:
		return;
	}
	out->rcode = DNS_NOERROR;
	out->records = buf_span(&dns.records);
}

static void
check_line(const char *text)
{
	char line[SPF_TEXT_SIZE], again[SPF_TEXT_SIZE];
	struct spf s;

	if (spf_read(text, &s) != 0)
		return;
	spf_write(&s, line, sizeof(line));
	if (spf_read(line, &s) != 0)
		abort();
	spf_write(&s, again, sizeof(again));
	if (!str_eq(line, again))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct dns_asker asker = { ask, NULL };
	char helo[300], sender[400], text[SPF_TEXT_SIZE];
	struct span in = { (const char *)data, size }, line;
	struct ip v4, v6;
	struct spf s;

	(void)ip_parse("192.0.2.1", &v4, NULL);
	(void)ip_parse("2001:db8::1", &v6, NULL);
	line = take_line(&in);
	(void)str_fmt(helo, sizeof(helo), "%.*s", (int)line.len, line.p);
	line = take_line(&in);
	(void)str_fmt(sender, sizeof(sender), "%.*s", (int)line.len, line.p);
	dns.rest = in;
	dns.questions = 0;
	spf_check(size % 2 == 0 ? &v4 : &v6, helo, sender, &asker, &s);
	spf_explain(&s, "192.0.2.1", text, sizeof(text));
	spf_write(&s, text, sizeof(text));
	check_line(text);
	check_line(helo);
	return 0;
}
