/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Whether a name is one that mail can go to (RFC 5321 section 5.1): it has
 * an MX, or an address.  One whose MX says that it takes no mail (RFC 7505)
 * is told apart.
 */
#include "check_impl.h"

#include <stdlib.h>

#include "address.h"
#include "xalloc.h"

static void ask(struct name_fact *n);

static void
known(struct name_fact *n, enum name_value value)
{
	n->value = value;
	fact_known(&n->fact);
}

/* An MX of nothing, alone: RFC 7505 section 3. */
static bool
is_null_mx(struct span records)
{
	struct span rdata;
	size_t at = 0, count = 0;
	bool is_null = false;

	while (dns_next(records, &at, &rdata)) {
		count++;
		is_null = rdata.len == 3 && rdata.p[2] == 0;
	}
	return is_null && count == 1;
}

static void
on_answer(void *arg, struct frame *f)
{
	struct name_fact *n = arg;
	struct span records;
	int says = dns_says(f, &records);

	n->fact.token = 0;
	if (says < 0) {
		known(n, NAME_UNSURE);
	} else if (says > 0) {
		known(n, n->type == TYPE_MX && is_null_mx(records)
				 ? NAME_NULL_MX
				 : NAME_EXISTS);
	} else if (n->type == TYPE_AAAA ||
		   FRAME_BODY(f, dns_reply)->rcode != 0) {
		known(n, NAME_NONE);
	} else {
		n->type = n->type == TYPE_MX ? TYPE_A : TYPE_AAAA;
		ask(n);
	}
}

static void
ask(struct name_fact *n)
{
	if (!fact_ask_dns(&n->fact, n->name, n->type, CHECK_DNS_MS, on_answer,
			  n))
		known(n, NAME_UNSURE);
}

void
name_fact_ask(struct name_fact *n, const char *domain)
{
	char key[ADDRESS_DOMAIN_MAX + 1];

	n->type = TYPE_MX;
	if (address_domain_key(domain, key, NULL) < 0) {
		known(n, NAME_NONE);
		return;
	}
	n->name = xstrdup(key);
	ask(n);
}

void
name_fact_release(struct name_fact *n)
{
	fact_release(&n->fact);
	free(n->name);
	n->name = NULL;
}
