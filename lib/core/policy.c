/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Answers from a snapshot of settings.db.  An address is first made a key
 * (domain behind its aliases, local part folded), then the levels are
 * asked from the nearest on.
 */
#include "policy.h"

#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "policy_impl.h"
#include "str.h"

void
policy_free(struct policy *p)
{
	if (p == NULL)
		return;
	dict_release(&p->domains, NULL);
	dict_release(&p->users, NULL);
	dict_release(&p->rcpts, NULL);
	arena_release(&p->arena);
	buf_release(&p->lists);
	free(p);
}

/* The entry of a domain of its own, behind all aliases. */
static const struct policy_entry *
resolve(const struct policy *p, const char *domain_key)
{
	const struct policy_entry *entry;
	int i;

	for (i = 0; i <= POLICY_ALIASES_MAX; i++) {
		entry = dict_get(&p->domains, domain_key);
		if (entry == NULL || *entry->domain.alias_of == '\0')
			return entry;
		domain_key = entry->domain.alias_of;
	}
	return NULL;
}

const struct policy_domain *
policy_domain(const struct policy *p, const char *domain_key)
{
	const struct policy_entry *entry = resolve(p, domain_key);

	return entry != NULL ? &entry->domain : NULL;
}

const struct policy_domain *
policy_first_domain(const struct policy *p)
{
	const struct policy_domain *first = NULL;
	size_t it = 0;
	const char *key;
	void *value;

	while (dict_next(&p->domains, &it, &key, &value)) {
		const struct policy_entry *entry = value;

		if (entry->is_known && entry->domain.alias_of[0] == '\0' &&
		    (first == NULL ||
		     strcmp(entry->domain.name, first->name) < 0))
			first = &entry->domain;
	}
	return first;
}

const struct policy_dest *
policy_smarthosts(const struct policy *p, size_t *count)
{
	*count = p->smarthosts.domain.dest_count;
	return p->smarthosts.domain.dests;
}

const struct knobs *
policy_global(const struct policy *p)
{
	return &p->global;
}

/* Whether text is a local part that needs no quotes: RFC 5321 section
 * 4.1.2, Dot-string. */
static bool
is_dot_string(const char *text)
{
	const char *p;

	for (p = text; *p != '\0'; p++) {
		if (*p == '.' && (p == text || p[1] == '.' || p[1] == '\0'))
			return false;
		if (*p != '.' && !ascii_isalnum((unsigned char)*p) &&
		    (unsigned char)*p < 128 &&
		    strchr("!#$%&'*+-/=?^_`{|}~", *p) == NULL)
			return false;
	}
	return p > text;
}

/* Takes off quotes that are not needed; true when none are left. */
static bool
unquote(char *local)
{
	char plain[ADDRESS_TEXT_SIZE];
	size_t len = strlen(local);
	size_t i, n = 0;

	if (local[0] != '"')
		return true;
	if (len < 3 || local[len - 1] != '"')
		return false;
	for (i = 1; i < len - 1; i++) {
		if (local[i] == '\\' && i + 1 < len - 1)
			i++;
		plain[n++] = local[i];
	}
	plain[n] = '\0';
	if (!is_dot_string(plain))
		return false;
	memcpy(local, plain, n + 1);
	return true;
}

/* The nearest level that has a value: user may be NULL, as may domain. */
static struct policy_origin
effective(const struct policy *p, const struct knob *k,
	  const struct policy_subject *domain,
	  const struct policy_subject *user)
{
	const struct policy_subject *levels[] = { user, domain,
						  &p->global_subject };
	static const enum knob_level names[] = { LEVEL_USER, LEVEL_DOMAIN,
						 LEVEL_GLOBAL };
	struct policy_origin origin = { .subject = "",
					.value = knob_default(k) };
	const struct policy_value *v;
	size_t i;

	for (i = 0; i < 3; i++) {
		v = levels[i] != NULL ? levels[i]->values : NULL;
		while (v != NULL && v->knob != k)
			v = v->next;
		if (v == NULL)
			continue;
		origin.level = names[i];
		origin.subject = levels[i]->name;
		origin.value = v->value;
		break;
	}
	return origin;
}

static bool
folds_detail(const struct policy *p, const struct policy_entry *entry)
{
	const struct knob *k = knob_find("rcpt_detail_folds", NULL);
	const struct policy_subject *domain = NULL;

	if (entry != NULL)
		domain = &entry->subject;
	return k != NULL && effective(p, k, domain, NULL).value.number != 0;
}

/* What an address comes to; without a local part it has no user. */
struct subjects {
	const struct policy_entry *entry; /* NULL: not ours */
	char key[ADDRESS_TEXT_SIZE];
};

static int
find_key(const struct policy *p, const char *address, bool folds,
	 struct subjects *out, struct err *e)
{
	const char *at = strrchr(address, '@');
	char local[ADDRESS_TEXT_SIZE];
	char domain[ADDRESS_DOMAIN_MAX + 1];
	const char *name = domain;
	char *plus;
	size_t len;

	out->entry = NULL;
	out->key[0] = '\0';
	if (*address == '\0')
		return 0;
	len = strlen(address);
	if (at == NULL || len >= sizeof(local))
		return err_set(e, "not an address: expected local@domain");
	memcpy(local, address, (size_t)(at - address));
	local[at - address] = '\0';
	if (address_domain_key(at + 1, domain, e) == -1)
		return -1;
	out->entry = resolve(p, domain);
	if (out->entry != NULL)
		name = out->entry->domain.name;
	if (address_local_key(local, local, sizeof(local), e) < 0)
		return -1;
	if (unquote(local)) {
		plus = strchr(local, '+');
		/* What begins with a + has no base to fold to. */
		if (plus != NULL && plus > local && folds &&
		    folds_detail(p, out->entry))
			*plus = '\0';
	}
	if (!str_fmt(out->key, sizeof(out->key), "%s@%s", local, name))
		return err_set(e, "address too long behind its alias");
	return 0;
}

int
policy_key(const struct policy *p, const char *address, char *dst,
	   struct err *e)
{
	struct subjects s;

	if (find_key(p, address, true, &s, e) == -1) {
		dst[0] = '\0';
		return -1;
	}
	str_copy(dst, ADDRESS_TEXT_SIZE, s.key);
	return 0;
}

/* Those of an address that is none are the global ones. */
static void
find_subjects(const struct policy *p, const char *address,
	      const struct policy_subject **domain,
	      const struct policy_subject **user)
{
	struct subjects s;

	*domain = NULL;
	*user = NULL;
	if (find_key(p, address, true, &s, NULL) == -1 || s.entry == NULL)
		return;
	*domain = &s.entry->subject;
	if (s.key[0] != '@')
		*user = dict_get(&p->users, s.key);
}

struct policy_origin
policy_effective(const struct policy *p, const struct knob *k,
		 const char *address)
{
	const struct policy_subject *domain, *user;

	find_subjects(p, address, &domain, &user);
	return effective(p, k, domain, user);
}

static void
apply(const struct policy_subject *subject, struct knobs *out)
{
	const struct policy_value *v;

	if (subject == NULL)
		return;
	for (v = subject->values; v != NULL; v = v->next)
		knobs_put(out, v->knob, &v->value);
}

void
policy_knobs(const struct policy *p, const char *address, struct knobs *out)
{
	const struct policy_subject *domain, *user;

	find_subjects(p, address, &domain, &user);
	*out = p->global;
	apply(domain, out);
	apply(user, out);
}

bool
policy_has_host(const struct policy *p, enum policy_hosts list,
		const struct ip *ip)
{
	const struct policy_net *n;

	for (n = p->hosts[list]; n != NULL; n = n->next)
		if (ip_in_net(ip, &n->net))
			return true;
	return false;
}

bool
policy_has_rcpt(const struct policy *p, const char *address)
{
	struct subjects s;

	for (int folds = 0; folds < 2; folds++)
		if (find_key(p, address, folds != 0, &s, NULL) == 0 &&
		    dict_get(&p->rcpts, s.key) != NULL)
			return true;
	return false;
}

struct span
policy_lists(const struct policy *p)
{
	return buf_span(&p->lists);
}

/* Which level decides, for whoever explains a decision: only what is not
 * as shipped, so that most policies stay equal. */
static int
write_levels(const struct policy *p, const struct policy_subject *domain,
	     const struct policy_subject *user, struct buf *out)
{
	static const char *const names[] = {
		"threshold",	"spam_action",	    "virus_action",
		"block_action", "encrypted_action", "limits_action",
		"hold_mail",	"out_threshold",    "out_spam_action",
		"dmarc_reject", "at_data_else"
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct policy_origin o =
			effective(p, knob_find(names[i], NULL), domain, user);

		if (o.level != 0 &&
		    buf_printf(out, "@level=%s %s\n", names[i],
			       o.level == LEVEL_USER	 ? "user"
			       : o.level == LEVEL_DOMAIN ? "domain"
							 : "global") != 0)
			return -1;
	}
	return 0;
}

int
policy_write(const struct policy *p, const char *address, struct buf *out)
{
	const struct policy_subject *domain, *user;
	struct knobs knobs;

	find_subjects(p, address, &domain, &user);
	if (user != NULL && user->has_rows &&
	    buf_printf(out, "@user=%s\n", user->name) != 0)
		return -1;
	if (domain != NULL && domain->has_rows &&
	    buf_printf(out, "@domain=%s\n", domain->name) != 0)
		return -1;
	if (write_levels(p, domain, user, out) != 0)
		return -1;
	policy_knobs(p, address, &knobs);
	return knobs_write(&knobs, out);
}
