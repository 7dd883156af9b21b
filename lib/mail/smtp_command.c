/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Command lines of SMTP as a server reads them: a table of verbs says
 * what stands behind each.  What a command means, and whether it may come
 * now, is the caller's.
 */
#include <string.h>

#include "smtp.h"
#include "smtp_word.h"
#include "str.h"

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

	if (in.len < len || !smtp_is_word((struct span){ in.p, len }, word))
		return smtp_fault_set(fault, 501, "5.5.4",
				      is_mail ? "Syntax: MAIL FROM:<address>"
					      : "Syntax: RCPT TO:<address>");
	smtp_skip(&in, len);
	/* Forbidden by RFC 5321 section 3.3, and met every day. */
	smtp_skip_blanks(&in);
	if (utf8)
		flags |= ADDRESS_ALLOW_UTF8;
	if (address_parse_path(in, flags, &out->path, &used, &e) < 0) {
		smtp_fault_set(fault, 501, is_mail ? "5.1.7" : "5.1.3", e.text);
		return err_prefix(&fault->text, "Bad %s address",
				  is_mail ? "sender" : "recipient");
	}
	smtp_skip(&in, used);
	if (smtp_parse_params(in, out, fault) < 0)
		return -1;
	/* RFC 6531 section 3.5 */
	if (is_mail && out->path.is_utf8 && !out->smtputf8)
		return smtp_fault_set(
			fault, 553, "5.6.7",
			"A sender that is not ASCII needs SMTPUTF8");
	return 0;
}

/* RFC 3030 section 2 */
static int
parse_bdat(struct span in, struct smtp_command *out, struct smtp_fault *fault)
{
	if (!smtp_read_number(smtp_cut(&in, ' '), &out->chunk))
		return smtp_fault_set(fault, 501, "5.5.4",
				      "Syntax: BDAT size [LAST]");
	smtp_skip_blanks(&in);
	out->is_last = smtp_is_word(in, "LAST");
	if (in.len > 0 && !out->is_last)
		return smtp_fault_set(fault, 501, "5.5.4",
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
			return smtp_fault_set(
				fault, 500, "5.5.2",
				"Control character in the command");
		has_high |= b > 127;
	}
	/* RFC 6531 section 3.5 */
	if (has_high && !utf8)
		return smtp_fault_set(
			fault, has_path ? 553 : 500, "5.6.7",
			"Not ASCII, and SMTPUTF8 was not asked for");
	if (has_high && !str_is_utf8(line.p, line.len))
		return smtp_fault_set(fault, 500, "5.5.2", "Not valid UTF-8");
	return 0;
}

static const struct verb *
find_verb(struct span word)
{
	size_t i;

	for (i = 0; i < VERBS; i++)
		if (smtp_is_word(word, verbs[i].name))
			return &verbs[i];
	return NULL;
}

int
smtp_parse_command(struct span line, bool utf8, struct smtp_command *out,
		   struct smtp_fault *fault)
{
	struct span rest = line;
	struct span word = smtp_cut(&rest, ' ');
	const struct verb *v = find_verb(word);

	memset(out, 0, sizeof(*out));
	memset(fault, 0, sizeof(*fault));
	if (v != NULL)
		out->verb = v->verb;
	if (line.len > SMTP_LINE_MAX)
		return smtp_fault_set(fault, 500, "5.5.2", "Line too long");
	if (check_bytes(line, utf8, out->verb, fault) < 0)
		return -1;
	smtp_skip_blanks(&rest);
	while (rest.len > 0 && rest.p[rest.len - 1] == ' ')
		rest.len--;
	out->arg = rest;
	switch (v != NULL ? v->arg : ARG_ANY) {
	case ARG_NONE:
		if (rest.len > 0)
			return smtp_fault_about(fault, 501, "5.5.4",
						"No argument is allowed", word);
		return 0;
	case ARG_NEEDED:
		if (rest.len == 0)
			return smtp_fault_about(fault, 501, "5.5.4",
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
