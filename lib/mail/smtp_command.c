/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Command lines of SMTP as a server reads them: one table of verbs, one of
 * the parameters of MAIL and RCPT.  What a command means, and whether it
 * may come now, is the caller's.
 */
#include <string.h>

#include "smtp.h"
#include "str.h"

#define ENVID_MAX 100 /* RFC 3461 section 4.4 */
#define ORCPT_MAX 500 /* RFC 3461 section 4.2 */
#define SIZE_DIGITS_MAX 20 /* RFC 1870 section 3 */

/* What stands behind a verb. */
enum arg { ARG_NONE, ARG_ANY, ARG_NEEDED, ARG_PATH, ARG_BDAT };

static const struct verb {
	const char *name;
	enum smtp_verb verb;
	enum arg arg;
} verbs[] = {
	{ "HELO", SMTP_HELO, ARG_NEEDED },
	{ "EHLO", SMTP_EHLO, ARG_NEEDED },
	{ "MAIL", SMTP_MAIL, ARG_PATH },
	{ "RCPT", SMTP_RCPT, ARG_PATH },
	{ "DATA", SMTP_DATA, ARG_NONE },
	{ "BDAT", SMTP_BDAT, ARG_BDAT },
	{ "RSET", SMTP_RSET, ARG_NONE },
	{ "NOOP", SMTP_NOOP, ARG_ANY },
	{ "QUIT", SMTP_QUIT, ARG_NONE },
	{ "VRFY", SMTP_VRFY, ARG_NEEDED },
	{ "EXPN", SMTP_EXPN, ARG_NEEDED },
	{ "HELP", SMTP_HELP, ARG_ANY },
	{ "STARTTLS", SMTP_STARTTLS, ARG_NONE },
	{ "AUTH", SMTP_AUTH, ARG_NEEDED },
	{ "XCLIENT", SMTP_XCLIENT, ARG_NEEDED },
};

#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

/* Reads the value of a parameter, which may be empty; false: wrong. */
typedef bool param_read(struct span value, struct smtp_command *out);

static param_read read_size, read_body, read_smtputf8, read_ret, read_envid,
	read_notify, read_orcpt;

static const struct param {
	const char *name;
	enum smtp_verb verb;
	param_read *read;
} params[] = {
	{ "SIZE", SMTP_MAIL, read_size },
	{ "BODY", SMTP_MAIL, read_body },
	{ "SMTPUTF8", SMTP_MAIL, read_smtputf8 },
	{ "RET", SMTP_MAIL, read_ret },
	{ "ENVID", SMTP_MAIL, read_envid },
	{ "NOTIFY", SMTP_RCPT, read_notify },
	{ "ORCPT", SMTP_RCPT, read_orcpt },
};

#define PARAMS (sizeof(params) / sizeof(params[0]))

static int
fault_set(struct smtp_fault *f, int code, const char *enhanced,
	  const char *what)
{
	f->code = code;
	f->enhanced = enhanced;
	return err_set(&f->text, "%s", what);
}

/* As fault_set(), with the words of a stranger behind. */
static int
fault_about(struct smtp_fault *f, int code, const char *enhanced,
	    const char *what, struct span about)
{
	char shown[64];

	str_printable(shown, sizeof(shown), about.p, about.len);
	f->code = code;
	f->enhanced = enhanced;
	return err_set(&f->text, "%s: %s", what, shown);
}

static bool
is_word(struct span s, const char *word)
{
	return span_ieq(s, span_of(word));
}

/* The front of s up to the first stop, which stays in s. */
static struct span
cut(struct span *s, char stop)
{
	const char *at = s->len > 0 ? memchr(s->p, stop, s->len) : NULL;
	struct span front = *s;

	if (at != NULL)
		front.len = (size_t)(at - s->p);
	s->p += front.len;
	s->len -= front.len;
	return front;
}

static void
skip(struct span *s, size_t n)
{
	s->p += n;
	s->len -= n;
}

static void
skip_blanks(struct span *s)
{
	while (s->len > 0 && *s->p == ' ')
		skip(s, 1);
}

/* Digits only; a number too large becomes the largest. */
static bool
read_number(struct span s, uint64_t *out)
{
	uint64_t n = 0;
	unsigned digit;
	size_t i;

	if (s.len == 0 || s.len > SIZE_DIGITS_MAX)
		return false;
	for (i = 0; i < s.len; i++) {
		if (!ascii_isdigit((unsigned char)s.p[i]))
			return false;
		digit = (unsigned)(s.p[i] - '0');
		n = n > (UINT64_MAX - digit) / 10 ? UINT64_MAX : n * 10 + digit;
	}
	*out = n;
	return true;
}

static bool
read_size(struct span value, struct smtp_command *out)
{
	out->has_size = true;
	return read_number(value, &out->size);
}

static bool
read_body(struct span value, struct smtp_command *out)
{
	if (is_word(value, "7BIT"))
		out->body = SMTP_BODY_7BIT;
	else if (is_word(value, "8BITMIME"))
		out->body = SMTP_BODY_8BITMIME;
	else if (is_word(value, "BINARYMIME"))
		out->body = SMTP_BODY_BINARYMIME;
	else
		return false;
	return true;
}

static bool
read_smtputf8(struct span value, struct smtp_command *out)
{
	out->smtputf8 = true;
	return value.len == 0;
}

static bool
read_ret(struct span value, struct smtp_command *out)
{
	out->ret = value;
	return is_word(value, "FULL") || is_word(value, "HDRS");
}

/* RFC 3461 section 4: "+" and two upper-case digits, or printable. */
static bool
is_xtext(struct span s)
{
	size_t i, k;

	for (i = 0; i < s.len; i++) {
		if ((unsigned char)s.p[i] <= 32 || (unsigned char)s.p[i] > 126)
			return false;
		if (s.p[i] != '+')
			continue;
		if (s.len - i < 3)
			return false;
		for (k = 1; k <= 2; k++)
			if (!ascii_isdigit((unsigned char)s.p[i + k]) &&
			    (s.p[i + k] < 'A' || s.p[i + k] > 'F'))
				return false;
	}
	return true;
}

static bool
read_envid(struct span value, struct smtp_command *out)
{
	out->envid = value;
	return value.len > 0 && value.len <= ENVID_MAX && is_xtext(value);
}

static bool
read_notify(struct span value, struct smtp_command *out)
{
	struct span rest = value;
	struct span word;

	out->notify = value;
	if (is_word(value, "NEVER"))
		return true;
	for (;;) {
		word = cut(&rest, ',');
		if (!is_word(word, "SUCCESS") && !is_word(word, "FAILURE") &&
		    !is_word(word, "DELAY"))
			return false;
		if (rest.len == 0)
			return true;
		skip(&rest, 1);
	}
}

/* "rfc822;" and xtext; RFC 6533 section 3 also has "utf-8;". */
static bool
read_orcpt(struct span value, struct smtp_command *out)
{
	struct span rest = value;
	struct span type = cut(&rest, ';');
	size_t i;

	out->orcpt = value;
	if (value.len > ORCPT_MAX || type.len == 0 || rest.len < 2)
		return false;
	for (i = 0; i < type.len; i++)
		if (!ascii_isalnum((unsigned char)type.p[i]) &&
		    type.p[i] != '-')
			return false;
	skip(&rest, 1);
	return is_word(type, "utf-8") || is_xtext(rest);
}

/* RFC 5321 section 4.1.2 esmtp-param, with the UTF-8 of RFC 6531. */
static int
parse_param(struct span word, struct smtp_command *out, unsigned *seen,
	    struct smtp_fault *fault)
{
	struct span value = word;
	struct span name = cut(&value, '=');
	bool has_value = value.len > 0;
	size_t i;

	if (has_value)
		skip(&value, 1);
	for (i = 0; i < PARAMS; i++)
		if (params[i].verb == out->verb &&
		    is_word(name, params[i].name))
			break;
	if (i == PARAMS)
		return fault_about(fault, 555, "5.5.4", "Unknown parameter",
				   name);
	if (*seen & 1u << i)
		return fault_about(fault, 501, "5.5.4", "Parameter given twice",
				   name);
	*seen |= 1u << i;
	/* "NAME=" has no value, and no value has a "=" in it. */
	if ((has_value && value.len == 0) ||
	    (value.len > 0 && memchr(value.p, '=', value.len) != NULL) ||
	    !params[i].read(value, out))
		return fault_about(fault, 501, "5.5.4",
				   "Wrong value of parameter", name);
	return 0;
}

static int
parse_params(struct span in, struct smtp_command *out, struct smtp_fault *fault)
{
	unsigned seen = 0;

	while (in.len > 0) {
		if (*in.p != ' ')
			return fault_set(fault, 501, "5.5.4",
					 "No space behind the address");
		skip_blanks(&in);
		if (in.len > 0 &&
		    parse_param(cut(&in, ' '), out, &seen, fault) < 0)
			return -1;
	}
	return 0;
}

static int
parse_path(struct span in, bool utf8, struct smtp_command *out,
	   struct smtp_fault *fault)
{
	bool is_mail = out->verb == SMTP_MAIL;
	const char *word = is_mail ? "FROM:" : "TO:";
	int flags = is_mail ? ADDRESS_ALLOW_NULL : ADDRESS_ALLOW_POSTMASTER;
	size_t len = strlen(word);
	size_t used;
	struct err e;

	if (in.len < len || !is_word((struct span){ in.p, len }, word))
		return fault_set(fault, 501, "5.5.4",
				 is_mail ? "Syntax: MAIL FROM:<address>"
					 : "Syntax: RCPT TO:<address>");
	skip(&in, len);
	/* Forbidden by RFC 5321 section 3.3, and met every day. */
	skip_blanks(&in);
	if (utf8)
		flags |= ADDRESS_ALLOW_UTF8;
	if (address_parse_path(in, flags, &out->path, &used, &e) < 0) {
		fault_set(fault, 501, is_mail ? "5.1.7" : "5.1.3", e.text);
		return err_prefix(&fault->text, "Bad %s address",
				  is_mail ? "sender" : "recipient");
	}
	skip(&in, used);
	if (parse_params(in, out, fault) < 0)
		return -1;
	/* RFC 6531 section 3.5 */
	if (is_mail && out->path.is_utf8 && !out->smtputf8)
		return fault_set(fault, 553, "5.6.7",
				 "A sender that is not ASCII needs SMTPUTF8");
	return 0;
}

/* RFC 3030 section 2 */
static int
parse_bdat(struct span in, struct smtp_command *out, struct smtp_fault *fault)
{
	if (!read_number(cut(&in, ' '), &out->chunk))
		return fault_set(fault, 501, "5.5.4",
				 "Syntax: BDAT size [LAST]");
	skip_blanks(&in);
	out->is_last = is_word(in, "LAST");
	if (in.len > 0 && !out->is_last)
		return fault_set(fault, 501, "5.5.4",
				 "Syntax: BDAT size [LAST]");
	return 0;
}

/* No controls at all; bytes above 127 only as UTF-8 and where allowed. */
static int
check_bytes(struct span line, bool utf8, enum smtp_verb verb,
	    struct smtp_fault *fault)
{
	bool has_path = verb == SMTP_MAIL || verb == SMTP_RCPT;
	bool has_high = false;
	unsigned char b;
	size_t i;

	for (i = 0; i < line.len; i++) {
		b = (unsigned char)line.p[i];
		if (b < 32 || b == 127)
			return fault_set(fault, 500, "5.5.2",
					 "Control character in the command");
		has_high |= b > 127;
	}
	/* RFC 6531 section 3.5 */
	if (has_high && !utf8)
		return fault_set(fault, has_path ? 553 : 500, "5.6.7",
				 "Not ASCII, and SMTPUTF8 was not asked for");
	if (has_high && !str_is_utf8(line.p, line.len))
		return fault_set(fault, 500, "5.5.2", "Not valid UTF-8");
	return 0;
}

static const struct verb *
find_verb(struct span word)
{
	size_t i;

	for (i = 0; i < VERBS; i++)
		if (is_word(word, verbs[i].name))
			return &verbs[i];
	return NULL;
}

int
smtp_parse_command(struct span line, bool utf8, struct smtp_command *out,
		   struct smtp_fault *fault)
{
	struct span rest = line;
	struct span word = cut(&rest, ' ');
	const struct verb *v = find_verb(word);

	memset(out, 0, sizeof(*out));
	memset(fault, 0, sizeof(*fault));
	if (v != NULL)
		out->verb = v->verb;
	if (line.len > SMTP_LINE_MAX)
		return fault_set(fault, 500, "5.5.2", "Line too long");
	if (check_bytes(line, utf8, out->verb, fault) < 0)
		return -1;
	skip_blanks(&rest);
	while (rest.len > 0 && rest.p[rest.len - 1] == ' ')
		rest.len--;
	out->arg = rest;
	switch (v != NULL ? v->arg : ARG_ANY) {
	case ARG_NONE:
		if (rest.len > 0)
			return fault_about(fault, 501, "5.5.4",
					   "No argument is allowed", word);
		return 0;
	case ARG_NEEDED:
		if (rest.len == 0)
			return fault_about(fault, 501, "5.5.4",
					   "An argument is needed", word);
		return 0;
	case ARG_PATH:
		return parse_path(rest, utf8, out, fault);
	case ARG_BDAT:
		return parse_bdat(rest, out, fault);
	case ARG_ANY:
		return 0;
	}
	return 0;
}

const char *
smtp_verb_name(enum smtp_verb v)
{
	size_t i;

	for (i = 0; i < VERBS; i++)
		if (verbs[i].verb == v)
			return verbs[i].name;
	return "unknown";
}
