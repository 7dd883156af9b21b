/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Matching.  Each address of the message is looked up by name, then the
 * patterns of the scope are looked through.
 */
#include "senders.h"

#include <string.h>

#include "address.h"
#include "str.h"

#define PATTERN_STARS_MAX 8

/* The more special, the greater; a suffix or network adds its length. */
#define RANK_PATTERN 1
#define RANK_NETWORK 1000
#define RANK_UNDER 2000
#define RANK_DOMAIN 3000
#define RANK_ADDRESS 4000

static const char *const word_names[] = { [SENDER_ALLOW] = "allow",
					  [SENDER_BLOCK] = "block",
					  [SENDER_WARN] = "warn" };

const char *
sender_word_name(enum sender_word w)
{
	return word_names[w];
}

int
sender_word_parse(const char *name, enum sender_word *out)
{
	size_t i;

	for (i = 0; i < sizeof(word_names) / sizeof(*word_names); i++) {
		if (!str_eq(name, word_names[i]))
			continue;
		*out = (enum sender_word)i;
		return 0;
	}
	return -1;
}

bool
senders_fits(const char *pattern, const char *address)
{
	const char *star = NULL, *from = NULL;

	while (*address != '\0') {
		if (*pattern == '*') {
			star = ++pattern;
			from = address;
		} else if ((unsigned char)*pattern ==
			   ascii_lower((unsigned char)*address)) {
			pattern++;
			address++;
		} else if (star != NULL) {
			pattern = star;
			address = ++from;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

/* Matching. */

/* The best of a scope so far. */
struct search {
	const struct lists *l;
	const struct sender_facts *f;
	const char *level, *subject;
	struct sender_match *out;
	int rank;
	unsigned looks;
};

static bool
goes_before(enum sender_word a, enum sender_word b)
{
	static const int order[] = {
		[SENDER_BLOCK] = 0, [SENDER_ALLOW] = 1, [SENDER_WARN] = 2
	};

	return order[a] < order[b];
}

/* Whether an allow entry counts: nobody gets in by a name they made up. */
static bool
is_sure(struct search *s, bool of_from, bool is_client, bool wants_auth)
{
	enum sender_proof proof;

	if (is_client && !wants_auth)
		return true;
	proof = s->f->proof(s->f->arg, of_from);
	if (of_from || wants_auth || s->f->wants_auth)
		return proof == PROOF_PASS;
	return proof != PROOF_AGAINST;
}

static void
take(struct search *s, const char *name, const char *value, int rank,
     const char *by)
{
	struct sender_match *out = s->out;
	size_t len = strcspn(value, " ");
	bool of_from = str_eq(by, "From"), is_client = str_eq(by, "client");
	enum sender_word word;
	char text[16];

	if (!str_fmt(text, sizeof(text), "%.*s", (int)len, value) ||
	    sender_word_parse(text, &word) != 0)
		return;
	if (out->is_found &&
	    (rank < s->rank ||
	     (rank == s->rank && !goes_before(word, out->word))))
		return;
	if (word == SENDER_ALLOW &&
	    !is_sure(s, of_from, is_client, str_eq(value + len, " auth"))) {
		out->has_unproven = true;
		return;
	}
	out->is_found = true;
	out->word = word;
	out->level = s->level;
	out->by = by;
	s->rank = rank;
	(void)str_copy(out->entry, sizeof(out->entry), name);
}

static void
look_up(struct search *s, const char *name, int rank, const char *by)
{
	const char *value =
		lists_get_at(s->l, "sender", s->level, s->subject, name);

	if (value != NULL)
		take(s, name, value, rank, by);
}

/* In lower case, its domain as it is keyed everywhere; false for none. */
static bool
normal_address(const char *address, char dst[SENDERS_ENTRY_SIZE])
{
	const char *at = strrchr(address, '@');
	char domain[ADDRESS_DOMAIN_MAX + 1];

	if (at == NULL || address_domain_key(at + 1, domain, NULL) != 0 ||
	    !str_fmt(dst, SENDERS_ENTRY_SIZE, "%.*s@%s", (int)(at - address),
		     address, domain))
		return false;
	str_lower(dst);
	return true;
}

static void
look_address(struct search *s, const char *address, const char *by)
{
	char lower[SENDERS_ENTRY_SIZE], name[SENDERS_ENTRY_SIZE + 4];
	const char *at, *dot;

	if (!normal_address(address, lower))
		return;
	at = strrchr(lower, '@');
	look_up(s, lower, RANK_ADDRESS, by);
	look_up(s, at, RANK_DOMAIN, by);
	for (dot = strchr(at, '.'); dot != NULL; dot = strchr(dot + 1, '.'))
		if (str_fmt(name, sizeof(name), "@*%s", dot))
			look_up(s, name, RANK_UNDER + (int)strlen(dot), by);
}

static int
look_pattern(void *arg, const char *name, const char *value)
{
	struct search *s = arg;
	struct ip_net net;

	if (s->looks++ >= SENDERS_ROWS_MAX)
		return 1;
	if (strchr(name, '@') == NULL) {
		if (s->f->client.family != 0 &&
		    ip_net_parse(name, &net, NULL) == 0 &&
		    ip_in_net(&s->f->client, &net))
			take(s, name, value, RANK_NETWORK + net.bits, "client");
		return 0;
	}
	if (s->f->by_envelope && senders_fits(name, s->f->envelope))
		take(s, name, value, RANK_PATTERN, "envelope sender");
	if (s->f->by_from && senders_fits(name, s->f->from))
		take(s, name, value, RANK_PATTERN, "From");
	return 0;
}

static void
look_scope(struct search *s)
{
	s->rank = 0;
	s->looks = 0;
	if (s->f->by_envelope)
		look_address(s, s->f->envelope, "envelope sender");
	if (s->f->by_from)
		look_address(s, s->f->from, "From");
	(void)lists_each(s->l, "pattern", s->level, s->subject, look_pattern,
			 s);
}

void
senders_match(const struct lists *l, const struct lists_scope *scope,
	      const struct sender_facts *f, struct sender_match *out)
{
	static const char *const levels[] = { "user", "domain", "global" };
	const char *subjects[] = { scope->user, scope->domain, "" };
	struct search s = { .l = l, .f = f, .out = out };
	size_t i;

	memset(out, 0, sizeof(*out));
	for (i = 0; i < 3 && !out->is_found; i++) {
		if (i < 2 && subjects[i][0] == '\0')
			continue;
		s.level = levels[i];
		s.subject = subjects[i];
		look_scope(&s);
	}
}

/* Entries. */

static int
check_pattern(const char *s, struct err *e)
{
	size_t stars = 0, others = 0;

	for (; *s != '\0'; s++) {
		if ((unsigned char)*s <= ' ' || *s == 0x7f)
			return err_set(e, "a blank or control in it");
		stars += *s == '*';
		others += *s != '*' && *s != '@' && *s != '.';
	}
	if (stars > PATTERN_STARS_MAX)
		return err_set(e, "more than %d *", PATTERN_STARS_MAX);
	if (others == 0)
		return err_set(e, "it fits every sender");
	return 0;
}

static int
domain_entry(const char *prefix, const char *domain, char *dst, struct err *e)
{
	char key[ADDRESS_DOMAIN_MAX + 1];

	if (address_domain_key(domain, key, e) < 0)
		return -1;
	if (!address_is_domain(key))
		return err_set(e, "expected an address, a domain, a pattern "
				  "with @ or a network");
	(void)str_fmt(dst, SENDERS_ENTRY_SIZE, "%s%s", prefix, key);
	return 0;
}

int
senders_entry(const char *text, char dst[SENDERS_ENTRY_SIZE], bool *is_pattern,
	      struct err *e)
{
	const char *bare = text[0] == '@' ? text + 1 : text;
	struct address a;
	struct ip_net net;

	*is_pattern = false;
	if (ip_net_parse(text, &net, NULL) == 0) {
		*is_pattern = true;
		(void)ip_net_text(&net, dst);
		return 0;
	}
	if (strncmp(bare, "*.", 2) == 0 && strchr(bare + 2, '*') == NULL &&
	    strchr(bare, '@') == NULL)
		return domain_entry("@*.", bare + 2, dst, e);
	if (strchr(text, '*') != NULL) {
		*is_pattern = true;
		if (strchr(text, '@') == NULL)
			return err_set(e, "a pattern has an @ in it, as "
					  "news*@*.example.org");
		if (!str_copy(dst, SENDERS_ENTRY_SIZE, text))
			return err_set(e, "it is too long");
		str_lower(dst);
		return check_pattern(dst, e);
	}
	if (strchr(bare, '@') == NULL)
		return domain_entry("@", bare, dst, e);
	if (address_parse(span_of(text), ADDRESS_ALLOW_UTF8, &a, e) < 0)
		return -1;
	if (strpbrk(a.text, " \t") != NULL)
		return err_set(e, "an address with a blank in it");
	if (!normal_address(a.text, dst))
		return err_set(e, "its domain is none");
	return 0;
}
