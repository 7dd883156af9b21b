/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Makes a snapshot out of the rows of settings.db, read in one go so that
 * they are of one moment.  A row that makes no sense costs a warning and
 * nothing else: one mistake must not stop the mail of all.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "ip.h"
#include "lists.h"
#include "policy_impl.h"
#include "str.h"
#include "xalloc.h"

#define WARNINGS_MAX 20 /* told one by one */
#define PRIORITY_MAX 1000000

struct loader {
	struct policy *policy;
	void (*warn)(const char *text);
	size_t warnings;
};

__attribute__((format(printf, 2, 3))) static void
warn(struct loader *l, const char *fmt, ...)
{
	char text[512];
	char shown[512];
	va_list ap;

	if (l->warnings++ >= WARNINGS_MAX || l->warn == NULL)
		return;
	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	str_printable(shown, sizeof(shown), text, strlen(text));
	l->warn(shown);
}

/* A domain as it is keyed: lower case, A-labels. */
static bool
is_domain_key(const char *text)
{
	char key[ADDRESS_DOMAIN_MAX + 1];

	return address_is_domain(text) &&
	       address_domain_key(text, key, NULL) == 0 && str_eq(key, text);
}

static struct policy_entry *
entry_of(struct loader *l, const char *name)
{
	struct arena *a = &l->policy->arena;
	struct policy_entry *entry = dict_get(&l->policy->domains, name);

	if (entry != NULL)
		return entry;
	entry = arena_alloc(a, sizeof(*entry));
	entry->domain.name = arena_strdup(a, name);
	entry->domain.alias_of = "";
	entry->subject.name = entry->domain.name;
	dict_set(&l->policy->domains, name, entry);
	return entry;
}

static void
load_domain(struct loader *l, const char *key, const char *value)
{
	struct policy_entry *entry;

	if (!is_domain_key(key)) {
		warn(l, "domain \"%s\" skipped: not a name in lower case", key);
		return;
	}
	if (*value != '\0' && !is_domain_key(value)) {
		warn(l,
		     "domain \"%s\" skipped: alias of \"%s\", which is no "
		     "domain",
		     key, value);
		return;
	}
	entry = entry_of(l, key);
	entry->is_known = true;
	entry->domain.alias_of = arena_strdup(&l->policy->arena, value);
}

static bool
has_high(const char *s)
{
	while (*s != '\0' && (unsigned char)*s < 128)
		s++;
	return *s != '\0';
}

static int
parse_host(const char *text, size_t len, char host[POLICY_HOST_SIZE])
{
	char key[ADDRESS_DOMAIN_MAX + 1];
	const char *last;
	struct ip ip;

	if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
		if (memchr(text, ':', len) == NULL)
			return -1;
	}
	if (len >= POLICY_HOST_SIZE)
		return -1;
	memcpy(host, text, len);
	host[len] = '\0';
	str_lower(host);
	/* An IPv6 address has been in brackets, no name has a colon. */
	if (ip_parse(host, &ip, NULL) == 0)
		return 0;
	/* Letters beyond ASCII become A-labels; all else is as it stands. */
	if (has_high(host) && address_domain_key(host, key, NULL) == 0)
		str_copy(host, POLICY_HOST_SIZE, key);
	if (!address_is_domain(host))
		return -1;
	/* 192.0.2.256: RFC 3696 section 2, no top level name is a number. */
	last = strrchr(host, '.');
	last = last != NULL ? last + 1 : host;
	return last[strspn(last, "0123456789")] == '\0' ? -1 : 0;
}

int
policy_dest_parse(const char *text, char host[POLICY_HOST_SIZE], uint16_t *port,
		  struct err *e)
{
	const char *colon = strrchr(text, ':');
	const char *first = strchr(text, ':');
	uint64_t n;

	if (colon != NULL && (text[0] == '[' || first == colon) &&
	    str_to_u64(colon + 1, &n, NULL) == 0 && n >= 1 && n <= 65535 &&
	    parse_host(text, (size_t)(colon - text), host) == 0) {
		*port = (uint16_t)n;
		return 0;
	}
	return err_set(e,
		       "destination \"%.100s\": expected HOST:PORT such as "
		       "mail.example.org:25, 192.0.2.1:25 or [2001:db8::1]:25",
		       text);
}

static void
add_dest(struct loader *l, const char *key, struct policy_entry *entry,
	 const char *endpoint, const char *value)
{
	char host[POLICY_HOST_SIZE];
	struct policy_dest_item *item;
	struct err why;
	int64_t priority;
	uint16_t port;

	if (policy_dest_parse(endpoint, host, &port, &why) == -1) {
		warn(l, "\"%s\": %s; skipped", key, why.text);
		return;
	}
	if (str_to_i64(value, &priority, NULL) == -1 || priority < 0 ||
	    priority > PRIORITY_MAX) {
		warn(l,
		     "destination \"%s\" skipped: priority \"%s\" is not 0 "
		     "to %d",
		     key, value, PRIORITY_MAX);
		return;
	}
	item = arena_alloc(&l->policy->arena, sizeof(*item));
	item->dest.host = arena_strdup(&l->policy->arena, host);
	item->dest.port = port;
	item->dest.priority = priority;
	item->next = entry->items;
	entry->items = item;
	entry->domain.dest_count++;
}

static void
load_dest(struct loader *l, const char *key, const char *value)
{
	const char *space = strchr(key, ' ');
	char name[ADDRESS_DOMAIN_MAX + 1];

	if (space == NULL || (size_t)(space - key) >= sizeof(name)) {
		warn(l, "destination \"%s\" skipped: expected DOMAIN HOST:PORT",
		     key);
		return;
	}
	memcpy(name, key, (size_t)(space - key));
	name[space - key] = '\0';
	if (!is_domain_key(name)) {
		warn(l, "destination \"%s\" skipped: not a domain", key);
		return;
	}
	add_dest(l, key, entry_of(l, name), space + 1, value);
}

static void
load_smarthost(struct loader *l, const char *key, const char *value)
{
	add_dest(l, key, &l->policy->smarthosts, key, value);
}

static int
compare_dests(const void *a, const void *b)
{
	const struct policy_dest *x = a;
	const struct policy_dest *y = b;
	int order = (x->priority > y->priority) - (x->priority < y->priority);

	if (order == 0)
		order = strcmp(x->host, y->host);
	if (order == 0)
		order = (x->port > y->port) - (x->port < y->port);
	return order;
}

static void
sort_dests(struct loader *l, struct policy_entry *entry)
{
	size_t n = entry->domain.dest_count;
	struct policy_dest_item *item;
	struct policy_dest *dests;
	size_t i = 0;

	if (n == 0)
		return;
	dests = arena_array(&l->policy->arena, n, sizeof(*dests));
	for (item = entry->items; item != NULL; item = item->next)
		dests[i++] = item->dest;
	qsort(dests, n, sizeof(*dests), compare_dests);
	entry->domain.dests = dests;
	entry->items = NULL;
}

static struct policy_subject *
user_of(struct loader *l, const char *name)
{
	struct arena *a = &l->policy->arena;
	struct policy_subject *user = dict_get(&l->policy->users, name);

	if (user != NULL)
		return user;
	user = arena_alloc(a, sizeof(*user));
	user->name = arena_strdup(a, name);
	dict_set(&l->policy->users, name, user);
	return user;
}

/* A domain of ours that is no alias: settings of others hold for nobody. */
static struct policy_entry *
own_domain(const struct loader *l, const char *name)
{
	struct policy_entry *entry = dict_get(&l->policy->domains, name);

	if (entry == NULL || !entry->is_known ||
	    *entry->domain.alias_of != '\0')
		return NULL;
	return entry;
}

/* Whose the setting is; NULL when nobody's. */
static struct policy_subject *
find_subject(struct loader *l, const char *level, const char *name,
	     enum knob_level *out)
{
	char normal[ADDRESS_TEXT_SIZE];
	struct policy_entry *entry;
	const char *at;

	if (str_eq(level, "global") && *name == '\0') {
		*out = LEVEL_GLOBAL;
		return &l->policy->global_subject;
	}
	if (str_eq(level, "domain")) {
		*out = LEVEL_DOMAIN;
		entry = own_domain(l, name);
		return entry != NULL ? &entry->subject : NULL;
	}
	at = strrchr(name, '@');
	if (!str_eq(level, "user") || at == NULL || at == name ||
	    own_domain(l, at + 1) == NULL)
		return NULL;
	/* One that is spelt otherwise would never be found. */
	if (policy_key(l->policy, name, normal, NULL) == -1 ||
	    !str_eq(normal, name))
		return NULL;
	*out = LEVEL_USER;
	return user_of(l, name);
}

/* key is "LEVEL NAME KNOB" or "LEVEL KNOB", and is cut up; NAME may hold
 * spaces when it is quoted. */
static void
split_key(char *key, const char **level, const char **name, const char **knob)
{
	char *first = strchr(key, ' ');
	char *last = strrchr(key, ' ');

	*level = key;
	*name = "";
	*knob = "";
	if (first == NULL)
		return;
	*first = '\0';
	*knob = last + 1;
	if (last == first)
		return;
	*last = '\0';
	*name = first + 1;
}

static void
load_setting(struct loader *l, const char *key, const char *value)
{
	struct arena *a = &l->policy->arena;
	char copy[DB_KEY_MAX + 1];
	const char *level, *name, *word;
	struct policy_subject *subject;
	struct policy_value *v;
	enum knob_level at = LEVEL_GLOBAL;
	const struct knob *k;
	struct knob_value n;
	struct err why;

	str_copy(copy, sizeof(copy), key);
	split_key(copy, &level, &name, &word);
	k = knob_find(word, &why);
	if (k == NULL || knob_parse(k, value, &n, &why) == -1) {
		warn(l, "\"%s\" skipped: %s", key, why.text);
		return;
	}
	subject = find_subject(l, level, name, &at);
	if (subject == NULL) {
		warn(l,
		     "setting \"%s\" skipped: not a domain of ours, nor the "
		     "key of an address in one",
		     key);
		return;
	}
	if ((k->levels & at) == 0) {
		warn(l, "setting \"%s\" skipped: %s is not for one %s", key,
		     k->name, level);
		return;
	}
	v = arena_alloc(a, sizeof(*v));
	v->knob = k;
	v->value = n;
	if (n.text != NULL)
		v->value.text = arena_strdup(a, n.text);
	v->next = subject->values;
	subject->values = v;
}

static void
load_host(struct loader *l, enum policy_hosts list, const char *key)
{
	struct policy_net *n = arena_alloc(&l->policy->arena, sizeof(*n));
	struct err why;

	if (ip_net_parse(key, &n->net, &why) == -1) {
		warn(l, "host skipped: %s", why.text);
		return;
	}
	n->next = l->policy->hosts[list];
	l->policy->hosts[list] = n;
}

/* A recipient of the local list: its domain is there already. */
static void
load_rcpt(struct loader *l, const char *key)
{
	const char *at = strrchr(key, '@');

	if (at == NULL || at == key || own_domain(l, at + 1) == NULL) {
		warn(l, "recipient \"%s\" skipped: not of a domain of ours",
		     key);
		return;
	}
	dict_set(&l->policy->rcpts, key, l->policy);
}

/* A row for the filters, of somebody who is ours. */
static void
load_list(struct loader *l, const char *kind, const char *key,
	  const char *value)
{
	char copy[DB_KEY_MAX + 1];
	const char *level, *name, *word;
	struct policy_subject *subject;
	enum knob_level at;

	str_copy(copy, sizeof(copy), key);
	lists_key(copy, &level, &name, &word);
	subject = find_subject(l, level, name, &at);
	if (subject == NULL || *word == '\0' ||
	    lists_write(&l->policy->lists, kind, key, value) != 0)
		warn(l, "%s \"%s\" skipped: nobody's, or malformed", kind, key);
	else
		subject->has_rows = true;
}

/* Rows come in the order of their kinds: dest, domain, then those of
 * somebody. */
static int
load_row(void *arg, const char *kind, const char *key, const char *value)
{
	struct loader *l = arg;

	if (str_eq(kind, "domain"))
		load_domain(l, key, value);
	else if (str_eq(kind, "dest"))
		load_dest(l, key, value);
	else if (str_eq(kind, "peer"))
		load_host(l, POLICY_PEERS, key);
	else if (str_eq(kind, "rcpt"))
		load_rcpt(l, key);
	else if (str_eq(kind, "relay"))
		load_host(l, POLICY_RELAYS, key);
	else if (str_eq(kind, "smarthost"))
		load_smarthost(l, key, value);
	else if (str_eq(kind, "setting"))
		load_setting(l, key, value);
	else if (lists_has_kind(kind))
		load_list(l, kind, key, value);
	return 0;
}

/* Sorts, tells of what leads nowhere, and drops it. */
static void
finish(struct loader *l)
{
	struct policy *p = l->policy;
	const struct policy_value *v;
	struct policy_entry *entry;
	const char *name;
	void *value;
	size_t it = 0;

	while (dict_next(&p->domains, &it, &name, &value)) {
		entry = value;
		if (!entry->is_known) {
			warn(l,
			     "domain \"%s\" has destinations, but is not "
			     "there",
			     name);
			dict_del(&p->domains, name);
			continue;
		}
		sort_dests(l, entry);
	}
	it = 0;
	while (dict_next(&p->domains, &it, &name, &value)) {
		if (policy_domain(p, name) == NULL)
			warn(l,
			     "domain \"%s\": its alias leads to no domain "
			     "of ours",
			     name);
	}
	sort_dests(l, &p->smarthosts);
	knobs_default(&p->global);
	for (v = p->global_subject.values; v != NULL; v = v->next)
		knobs_put(&p->global, v->knob, &v->value);
	if (l->warnings > WARNINGS_MAX && l->warn != NULL) {
		char text[64];

		str_fmt(text, sizeof(text), "and %zu more of this kind",
			l->warnings - WARNINGS_MAX);
		l->warn(text);
	}
}

struct policy *
policy_load(struct db *db, void (*warn_fn)(const char *text), struct err *e)
{
	struct loader l = { .warn = warn_fn };

	l.policy = xcalloc(1, sizeof(*l.policy));
	l.policy->global_subject.name = "";
	if (db_each(db, "", load_row, &l, e) != DB_OK) {
		policy_free(l.policy);
		return NULL;
	}
	finish(&l);
	return l.policy;
}
