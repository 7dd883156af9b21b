/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Attributes of XCLIENT: a row each, with the reader of its value, which
 * comes decoded from xtext (RFC 3461 section 4).
 */
#include "smtp_xclient.h"

#include <string.h>

#include "smtp_word.h"
#include "str.h"

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* False when it is none, is too long, or holds what no line may. */
static bool
read_xtext(struct span in, char dst[SMTP_XCLIENT_TEXT])
{
	size_t n = 0;
	size_t i;

	for (i = 0; i < in.len; i++) {
		int c = (unsigned char)in.p[i];

		if (c == '+') {
			if (in.len - i < 3 || hex(in.p[i + 1]) < 0 ||
			    hex(in.p[i + 2]) < 0)
				return false;
			c = hex(in.p[i + 1]) * 16 + hex(in.p[i + 2]);
			i += 2;
		}
		if (c < 32 || c == 127 || n + 1 >= SMTP_XCLIENT_TEXT)
			return false;
		dst[n++] = (char)c;
	}
	dst[n] = '\0';
	return n > 0 && str_is_utf8(dst, n);
}

static bool
read_addr(const char *text, struct ip *out)
{
	if (span_ieq((struct span){ text, strlen(text) < 5 ? 0 : 5 },
		     SPAN_LIT("IPV6:")))
		return ip_parse(text + 5, out, NULL) == 0 &&
		       out->family == AF_INET6;
	return ip_parse(text, out, NULL) == 0;
}

static bool
read_port(const char *text, uint16_t *out)
{
	uint64_t n;

	if (!smtp_read_number(span_of(text), &n) || n > UINT16_MAX)
		return false;
	*out = (uint16_t)n;
	return true;
}

/* False when the value is wrong. */
static bool
read_value(enum smtp_xclient_attr attr, const char *text,
	   struct smtp_xclient *out)
{
	struct span value = span_of(text);

	switch (attr) {
	case XCLIENT_NAME:
		return str_copy(out->name, sizeof(out->name), text) &&
		       address_is_domain(text);
	case XCLIENT_ADDR:
		return read_addr(text, &out->addr);
	case XCLIENT_PORT:
		return read_port(text, &out->port);
	case XCLIENT_PROTO:
		out->is_esmtp = smtp_is_word(value, "ESMTP");
		return out->is_esmtp || smtp_is_word(value, "SMTP");
	case XCLIENT_HELO:
		return str_copy(out->helo, sizeof(out->helo), text);
	case XCLIENT_LOGIN:
		return str_copy(out->login, sizeof(out->login), text);
	case XCLIENT_DESTADDR:
		return read_addr(text, &out->destaddr);
	case XCLIENT_DESTPORT:
		return read_port(text, &out->destport);
	case XCLIENT_COUNT:
		break;
	}
	return false;
}

static int
find_attr(struct span name)
{
	/* In the order of enum smtp_xclient_attr. */
	static const char *const names[XCLIENT_COUNT] = {
		"NAME", "ADDR",	 "PORT",     "PROTO",
		"HELO", "LOGIN", "DESTADDR", "DESTPORT",
	};
	int i;

	for (i = 0; i < XCLIENT_COUNT; i++)
		if (smtp_is_word(name, names[i]))
			return i;
	return -1;
}

static int
parse_attr(struct span word, struct smtp_xclient *out, struct smtp_fault *fault)
{
	struct span value = word;
	struct span name = smtp_cut(&value, '=');
	char text[SMTP_XCLIENT_TEXT];
	int attr = find_attr(name);

	if (attr < 0)
		return smtp_fault_about(fault, 501, "5.5.4",
					"Unknown attribute", name);
	if (out->state[attr] != XCLIENT_NOT_GIVEN)
		return smtp_fault_about(fault, 501, "5.5.4",
					"Attribute given twice", name);
	if (value.len > 0)
		smtp_skip(&value, 1);
	if (!read_xtext(value, text))
		return smtp_fault_about(fault, 501, "5.5.4",
					"Wrong value of attribute", name);
	if (smtp_is_word(value, "[UNAVAILABLE]")) {
		out->state[attr] = XCLIENT_UNAVAILABLE;
	} else if (smtp_is_word(value, "[TEMPUNAVAIL]")) {
		out->state[attr] = XCLIENT_TEMPUNAVAIL;
	} else {
		out->state[attr] = XCLIENT_GIVEN;
		if (!read_value((enum smtp_xclient_attr)attr, text, out))
			return smtp_fault_about(fault, 501, "5.5.4",
						"Wrong value of attribute",
						name);
	}
	return 0;
}

int
smtp_parse_xclient(struct span arg, struct smtp_xclient *out,
		   struct smtp_fault *fault)
{
	memset(out, 0, sizeof(*out));
	for (;;) {
		smtp_skip_blanks(&arg);
		if (arg.len == 0)
			return 0;
		if (parse_attr(smtp_cut(&arg, ' '), out, fault) < 0)
			return -1;
	}
}
