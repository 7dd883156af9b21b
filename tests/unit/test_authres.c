/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Whose an Authentication-Results field is, and what ours looks like.
 */
#include "authres.h"

#include "check.h"
#include "str.h"

static const struct {
	const char *words, *value;
	bool claims;
} rows[] = {
	{ "a field of ours", " mx.ours.example; spf=pass", true },
	{ "in capitals", " MX.OURS.EXAMPLE; spf=pass", true },
	{ "with a version", " mx.ours.example 1; spf=pass", true },
	{ "without results", " mx.ours.example; none", true },
	{ "with its name alone", " mx.ours.example", true },
	{ "with a final dot", " mx.ours.example.; spf=pass", true },
	{ "behind a comment", " (a (nested) one) mx.ours.example; spf=pass",
	  true },
	{ "behind a fold", "\r\n\tmx.ours.example\r\n\t; spf=pass", true },
	{ "in quotes", " \"mx.ours.example\"; spf=pass", true },
	{ "in quotes with an escape", " \"mx\\.ours.example\"; spf=pass",
	  true },
	{ "with a comment behind it", "mx.ours.example(x); spf=pass", true },
	{ "another host's", " mx.client.example; spf=pass", false },
	{ "another host's that names us later",
	  " mx.client.example; spf=pass smtp.helo=mx.ours.example", false },
	{ "one whose name begins as ours does",
	  " mx.ours.example.evil; spf=pass", false },
	{ "one whose name ends as ours does", " amx.ours.example; spf=pass",
	  false },
	{ "a comment that does not end, ours in it",
	  " (mx.ours.example; spf=pass", true },
	{ "a comment that does not end", " (mx.client.example; spf=pass",
	  false },
	{ "quotes that do not end", " \"mx.ours.example; spf=pass", true },
	{ "no semicolon behind it", " mx.other.example mx.ours.example spf=x",
	  true },
	{ "nothing", "", false },
	{ "blanks", " \r\n", false },
};

static void
test_claims(void)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK(authres_claims(span_of(rows[i].value),
				     "mx.ours.example") == rows[i].claims,
		      "%s", rows[i].words);
}

static void
test_add(void)
{
	static const char *const plain[] = { "smtp.mailfrom",
					     "a+b@client.example", "smtp.helo",
					     "", NULL };
	static const char *const odd[] = { "header.d",
					   "a\r\nX-Evil: b; spf=pass \"\\",
					   NULL };
	static const char *const none[] = { NULL };
	struct buf out = { 0 };

	authres_add(&out, "spf", "pass", "", plain);
	CHECK_STR(buf_str(&out), " spf=pass smtp.mailfrom=a+b@client.example",
		  "a result with what there is");
	buf_clear(&out);
	authres_add(&out, "dkim", "fail", "not what was signed", odd);
	CHECK_STR(buf_str(&out),
		  " dkim=fail reason=\"not what was signed\""
		  " header.d=\"a??X-Evil: b; spf=pass \\\"\\\\\"",
		  "a stranger's words stay inside their quotes");
	buf_clear(&out);
	authres_add(&out, "dkim", "none", "", none);
	CHECK_STR(buf_str(&out), " dkim=none", "a result alone");
	buf_release(&out);
}

int
main(void)
{
	test_claims();
	test_add();
	return check_done();
}
