/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The parameters of MAIL and RCPT (RFC 5321 section 4.1.2): a row each,
 * with the reader of its value.
 */
#include <string.h>

#include "smtp.h"
#include "smtp_word.h"
#include "str.h"

#define ENVID_MAX 100 /* RFC 3461 section 4.4 */
#define ORCPT_MAX 500 /* RFC 3461 section 4.2 */

static bool
read_size(struct span value, struct smtp_command *out)
{
	out->has_size = true;
	return smtp_read_number(value, &out->size);
}

static bool
read_body(struct span value, struct smtp_command *out)
{
	if (smtp_is_word(value, "7BIT"))
		out->body = SMTP_BODY_7BIT;
	else if (smtp_is_word(value, "8BITMIME"))
		out->body = SMTP_BODY_8BITMIME;
	else if (smtp_is_word(value, "BINARYMIME"))
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
	return smtp_is_word(value, "FULL") || smtp_is_word(value, "HDRS");
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
	if (smtp_is_word(value, "NEVER"))
		return true;
	for (;;) {
		word = smtp_cut(&rest, ',');
		if (!smtp_is_word(word, "SUCCESS") &&
		    !smtp_is_word(word, "FAILURE") &&
		    !smtp_is_word(word, "DELAY"))
			return false;
		if (rest.len == 0)
			return true;
		smtp_skip(&rest, 1);
	}
}

/* "rfc822;" and xtext; RFC 6533 section 3 also has "utf-8;". */
static bool
read_orcpt(struct span value, struct smtp_command *out)
{
	struct span rest = value;
	struct span type = smtp_cut(&rest, ';');
	size_t i;

	out->orcpt = value;
	if (value.len > ORCPT_MAX || type.len == 0 || rest.len < 2)
		return false;
	for (i = 0; i < type.len; i++)
		if (!ascii_isalnum((unsigned char)type.p[i]) &&
		    type.p[i] != '-')
			return false;
	smtp_skip(&rest, 1);
	return smtp_is_word(type, "utf-8") || is_xtext(rest);
}

static const struct param {
	const char *name;
	enum smtp_verb verb;
	/* The value may be empty; false: it is wrong. */
	bool (*read)(struct span value, struct smtp_command *out);
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

/* RFC 5321 section 4.1.2 esmtp-param, with the UTF-8 of RFC 6531. */
static int
parse_param(struct span word, struct smtp_command *out, unsigned *seen,
	    struct smtp_fault *fault)
{
	struct span value = word;
	struct span name = smtp_cut(&value, '=');
	bool has_value = value.len > 0;
	size_t i;

	if (has_value)
		smtp_skip(&value, 1);
	for (i = 0; i < PARAMS; i++)
		if (params[i].verb == out->verb &&
		    smtp_is_word(name, params[i].name))
			break;
	if (i == PARAMS)
		return smtp_fault_about(fault, 555, "5.5.4",
					"Unknown parameter", name);
	if (*seen & 1u << i)
		return smtp_fault_about(fault, 501, "5.5.4",
					"Parameter given twice", name);
	*seen |= 1u << i;
	/* "NAME=" has no value, and no value has a "=" in it. */
	if ((has_value && value.len == 0) ||
	    (value.len > 0 && memchr(value.p, '=', value.len) != NULL) ||
	    !params[i].read(value, out))
		return smtp_fault_about(fault, 501, "5.5.4",
					"Wrong value of parameter", name);
	return 0;
}

int
smtp_parse_params(struct span in, struct smtp_command *out,
		  struct smtp_fault *fault)
{
	unsigned seen = 0;

	while (in.len > 0) {
		if (*in.p != ' ')
			return smtp_fault_set(fault, 501, "5.5.4",
					      "No space behind the address");
		smtp_skip_blanks(&in);
		if (in.len > 0 &&
		    parse_param(smtp_cut(&in, ' '), out, &seen, fault) < 0)
			return -1;
	}
	return 0;
}
