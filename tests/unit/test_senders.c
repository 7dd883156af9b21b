/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Lists of senders: entries, and which of those that fit counts.
 */
#include "senders.h"

#include <string.h>

#include "check.h"
#include "str.h"

static const struct {
	const char *text, *want; /* NULL: refused */
	bool is_pattern;
} entries[] = {
	{ "Bob@Example.ORG", "bob@example.org", false },
	{ "Example.ORG", "@example.org", false },
	{ "m\303\274ller@B\303\274cher.example",
	  "m\303\274ller@xn--bcher-kva.example", false },
	{ "@example.org.", "@example.org", false },
	{ "*.Example.org", "@*.example.org", false },
	{ "@*.example.org", "@*.example.org", false },
	{ "news*@Example.org", "news*@example.org", true },
	{ "*@mail*.example.org", "*@mail*.example.org", true },
	{ "192.0.2.77/24", "192.0.2.0/24", true },
	{ "2001:DB8::1", "2001:db8::1/128", true },
	{ "*", NULL, false },
	{ "*@*", NULL, false },
	{ "*@*.*", NULL, false },
	{ "a*a*a*a*a*a*a*a*a*a@b.example", NULL, false },
	{ "bob @example.org", NULL, false },
	{ "", NULL, false },
	{ "@", NULL, false },
};

static void
test_entries(void)
{
	char got[SENDERS_ENTRY_SIZE];
	bool is_pattern;
	struct err e;

	for (size_t i = 0; i < sizeof(entries) / sizeof(*entries); i++) {
		int r = senders_entry(entries[i].text, got, &is_pattern, &e);

		if (entries[i].want == NULL)
			CHECK(r < 0, "\"%s\" is no entry", entries[i].text);
		else
			CHECK(r == 0 && str_eq(got, entries[i].want) &&
				      is_pattern == entries[i].is_pattern,
			      "\"%s\" is %s", entries[i].text, entries[i].want);
	}
}

static const struct {
	const char *pattern, *address;
	bool fits;
} fits[] = {
	{ "a*@b.example", "ab@b.example", true },
	{ "a*@b.example", "A@B.example", true },
	{ "a*@b.example", "ba@b.example", false },
	{ "*@b.example", "x@b.example.org", false },
	{ "*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
	{ "*", "", true },
	{ "a", "", false },
};

static void
test_fits(void)
{
	for (size_t i = 0; i < sizeof(fits) / sizeof(*fits); i++)
		CHECK(senders_fits(fits[i].pattern, fits[i].address) ==
			      fits[i].fits,
		      "%s and %s", fits[i].pattern, fits[i].address);
}

static enum sender_proof
proof(void *arg, bool of_from)
{
	enum sender_proof *p = arg;

	return p[of_from];
}

#define NONE PROOF_NONE
#define PASS PROOF_PASS
#define AGAINST PROOF_AGAINST

/* Rows "KIND|KEY|VALUE", parted by blanks doubled for readers of this. */
static const struct {
	const char *words, *rows;
	const char *envelope, *from;
	enum sender_proof proof[2];
	const char *want; /* "WORD LEVEL ENTRY" or "" */
} cases[] = {
	{ "nothing", "", "a@x.example", "", { NONE, NONE }, "" },
	{ "an address",
	  "sender\tglobal a@x.example\tblock\n",
	  "A@X.example",
	  "",
	  { NONE, NONE },
	  "block global a@x.example" },
	{ "a domain",
	  "sender\tglobal @x.example\tallow\n",
	  "a@x.example",
	  "",
	  { NONE, NONE },
	  "allow global @x.example" },
	{ "a domain in another script",
	  "sender\tglobal @xn--bcher-kva.example\tblock\n",
	  "a@b\303\274cher.example",
	  "",
	  { NONE, NONE },
	  "block global @xn--bcher-kva.example" },
	{ "not what lies under it",
	  "sender\tglobal @x.example\tallow\n",
	  "a@sub.x.example",
	  "",
	  { NONE, NONE },
	  "" },
	{ "what lies under it",
	  "sender\tglobal @*.x.example\tblock\n",
	  "a@b.sub.x.example",
	  "",
	  { NONE, NONE },
	  "block global @*.x.example" },
	{ "not a name that ends alike",
	  "sender\tglobal @*.x.example\tblock\n",
	  "a@yx.example",
	  "",
	  { NONE, NONE },
	  "" },
	{ "the user's before the domain's before the global one",
	  "sender\tglobal a@x.example\tblock\n"
	  "sender\tdomain ours.example a@x.example\tblock\n"
	  "sender\tuser u@ours.example @x.example\tallow\n",
	  "a@x.example",
	  "",
	  { NONE, NONE },
	  "allow user @x.example" },
	{ "the domain's before the global one",
	  "sender\tglobal a@x.example\tallow\n"
	  "sender\tdomain ours.example @x.example\tblock\n",
	  "a@x.example",
	  "",
	  { NONE, NONE },
	  "block domain @x.example" },
	{ "an address before its domain",
	  "sender\tglobal @x.example\tblock\n"
	  "sender\tglobal a@x.example\tallow\n",
	  "a@x.example",
	  "",
	  { NONE, NONE },
	  "allow global a@x.example" },
	{ "the longest domain above first",
	  "sender\tglobal @*.example\tblock\n"
	  "sender\tglobal @*.x.example\tallow\n",
	  "a@b.x.example",
	  "",
	  { NONE, NONE },
	  "allow global @*.x.example" },
	{ "a domain before a network before a pattern",
	  "pattern\tglobal *@*.example\tblock\n"
	  "pattern\tglobal 192.0.2.0/24\twarn\n",
	  "a@x.example",
	  "",
	  { NONE, NONE },
	  "warn global 192.0.2.0/24" },
	{ "the smallest network",
	  "pattern\tglobal 192.0.2.0/24\tblock\n"
	  "pattern\tglobal 192.0.2.1\tallow\n",
	  "a@x.example",
	  "",
	  { NONE, NONE },
	  "allow global 192.0.2.1" },
	{ "of equals block",
	  "sender\tglobal a@x.example\tallow\n"
	  "sender\tglobal b@y.example\tblock\n",
	  "a@x.example",
	  "b@y.example",
	  { PASS, PASS },
	  "block global b@y.example" },
	{ "an envelope sender that SPF speaks against is not allowed",
	  "sender\tglobal a@x.example\tallow\n",
	  "a@x.example",
	  "",
	  { AGAINST, NONE },
	  "" },
	{ "but blocked",
	  "sender\tglobal a@x.example\tblock\n",
	  "a@x.example",
	  "",
	  { AGAINST, NONE },
	  "block global a@x.example" },
	{ "an entry that wants proof has to have it",
	  "sender\tglobal a@x.example\tallow auth\n",
	  "a@x.example",
	  "",
	  { NONE, NONE },
	  "" },
	{ "and counts when it has",
	  "sender\tglobal a@x.example\tallow auth\n",
	  "a@x.example",
	  "",
	  { PASS, NONE },
	  "allow global a@x.example" },
	{ "From alone allows nobody",
	  "sender\tglobal f@x.example\tallow\n",
	  "a@y.example",
	  "f@x.example",
	  { PASS, NONE },
	  "" },
	{ "From that is proven does",
	  "sender\tglobal f@x.example\tallow\n",
	  "a@y.example",
	  "f@x.example",
	  { NONE, PASS },
	  "allow global f@x.example" },
	{ "From blocks",
	  "sender\tglobal f@x.example\tblock\n",
	  "a@y.example",
	  "f@x.example",
	  { PASS, NONE },
	  "block global f@x.example" },
	{ "an unproven allow of the user leaves it to the next level",
	  "sender\tuser u@ours.example f@x.example\tallow\n"
	  "sender\tglobal f@x.example\tblock\n",
	  "a@y.example",
	  "f@x.example",
	  { NONE, NONE },
	  "block global f@x.example" },
	{ "a value of nobody's is passed over",
	  "sender\tglobal a@x.example\tadore\n",
	  "a@x.example",
	  "",
	  { NONE, NONE },
	  "" },
};

static void
test_cases(void)
{
	struct lists_scope scope = { "u@ours.example", "ours.example" };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		enum sender_proof known[2] = { cases[i].proof[0],
					       cases[i].proof[1] };
		struct lists *l = lists_read(span_of(cases[i].rows), NULL);
		struct sender_facts f = { .envelope = cases[i].envelope,
					  .from = cases[i].from,
					  .by_envelope = true,
					  .by_from = true,
					  .proof = proof,
					  .arg = known };
		struct sender_match m;
		char got[400] = "";

		(void)ip_parse("192.0.2.1", &f.client, NULL);
		senders_match(l, &scope, &f, &m);
		if (m.is_found)
			(void)str_fmt(got, sizeof(got), "%s %s %s",
				      sender_word_name(m.word), m.level,
				      m.entry);
		CHECK_STR(got, cases[i].want, "%s", cases[i].words);
		lists_free(l);
	}
}

int
main(void)
{
	test_entries();
	test_fits();
	test_cases();
	return check_done();
}
