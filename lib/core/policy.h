/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * settings.db in memory: control answers from it without a query, mcctl
 * explains with it.  A snapshot is immutable; a change makes a new one.
 */
#ifndef POLICY_H
#define POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db.h"
#include "err.h"
#include "ip.h"
#include "setting.h"

#define POLICY_HOST_SIZE 256 /* a name or an address, and NUL */
#define POLICY_ALIASES_MAX 8 /* from one to the next */

struct policy;

struct policy_dest {
	const char *host; /* name or address */
	uint16_t port;
	int64_t priority; /* 0 best */
};

/* Lists of hosts by network. */
enum policy_hosts {
	POLICY_RELAYS, /* may send outwards */
	POLICY_PEERS, /* whose header fields with our prefix are believed */
	POLICY_HOSTS_COUNT
};

struct policy_domain {
	const char *name;
	const char *alias_of; /* "" for a domain of its own */
	const struct policy_dest *dests; /* best first */
	size_t dest_count;
};

/* Rows that make no sense are skipped and told to warn (may be NULL). */
struct policy *policy_load(struct db *db, void (*warn)(const char *text),
			   struct err *e);
void policy_free(struct policy *p);

/*
 * "HOST:PORT" of a destination, an IPv6 address in brackets.  host gets the
 * name in lower case or the address, without brackets.
 */
int policy_dest_parse(const char *text, char host[POLICY_HOST_SIZE],
		      uint16_t *port, struct err *e);

/* An alias is followed (at most 8 times); NULL: not ours. */
const struct policy_domain *policy_domain(const struct policy *p,
					  const char *domain_key);
/* The first by name that is no alias, or NULL. */
const struct policy_domain *policy_first_domain(const struct policy *p);
bool policy_has_host(const struct policy *p, enum policy_hosts list,
		     const struct ip *ip);
/* Whether the local list of recipients has an address of a domain of ours,
 * as it is or with its detail folded. */
bool policy_has_rcpt(const struct policy *p, const char *address);
/* Where mail to domains of others goes, best first; none: by their MX. */
const struct policy_dest *policy_smarthosts(const struct policy *p,
					    size_t *count);
/* Of the global level. */
const struct knobs *policy_global(const struct policy *p);

/* Where an effective value comes from. */
struct policy_origin {
	enum knob_level level; /* 0: default */
	const char *subject; /* domain or user, "" */
	struct knob_value value; /* its text lies in the snapshot */
};

/*
 * The effective value for an address (local@domain, @domain alone, or ""
 * for global): policy key local part in lower case, +detail folded when
 * rcpt_detail_folds says so, aliases followed.
 */
struct policy_origin policy_effective(const struct policy *p,
				      const struct knob *k,
				      const char *address);
/* All knobs for an address. */
void policy_knobs(const struct policy *p, const char *address,
		  struct knobs *out);
/*
 * Puts the policy key of an address into dst (ADDRESS_TEXT_SIZE): what
 * policy_effective() looks under.  A quoted local part that needs no quotes
 * loses them.  A domain that is not ours is a key as well.
 */
int policy_key(const struct policy *p, const char *address, char *dst,
	       struct err *e);

/* The rows for the filters, as lists.h has them; lies in the snapshot. */
struct span policy_lists(const struct policy *p);
/*
 * What a worker needs of the policy of an address, appended to out: whose
 * rows in the lists are its own, and the knobs that differ from the
 * default.  Equal bytes, equal policy.  -1 when out refuses.
 */
int policy_write(const struct policy *p, const char *address, struct buf *out);

#endif
