/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Checks of the sender.
 */
#include "check_impl.h"

enum check_result
check_sender_domain(struct check_run *r)
{
	struct name_fact *n = &r->mail->sender_domain;
	const char *domain = r->mail->domain;

	if (!r->knobs->sender_domain_check)
		return CHECK_OFF;
	/* The null sender, ours, and an address literal. */
	if (domain[0] == '\0' || (r->rcpt->flags & RCPT_FROM_OWN) != 0 ||
	    domain[0] == '[')
		return CHECK_PASS;
	if (n->fact.state == FACT_NEW)
		name_fact_ask(n, domain);
	if (n->fact.state != FACT_KNOWN)
		return fact_wait(&n->fact, r);
	switch (n->value) {
	case NAME_EXISTS:
		return CHECK_PASS;
	case NAME_NULL_MX:
		check_detail(r, "null MX of %s", domain);
		r->enhanced = "5.7.27";
		r->text = "Sender's domain takes no mail (null MX)";
		return CHECK_REFUSE;
	case NAME_NONE:
		check_detail(r, "%s has no MX, A or AAAA", domain);
		return CHECK_REFUSE;
	case NAME_UNSURE:
		break;
	}
	check_detail(r, "DNS cannot tell of %s", domain);
	r->text = "Sender's domain cannot be looked up now, try again later";
	return r->knobs->sender_domain_unsure == UNSURE_LATER ? CHECK_PUT_OFF
							      : CHECK_UNSURE;
}

enum check_result
check_own_sender(struct check_run *r)
{
	if (!r->knobs->own_sender_refuse)
		return CHECK_OFF;
	return (r->rcpt->flags & RCPT_FROM_OWN) != 0 ? CHECK_REFUSE
						     : CHECK_PASS;
}

/* A notification goes to the one who sent the mail it is about. */
enum check_result
check_null_rcpts(struct check_run *r)
{
	if (!r->knobs->null_sender_one_rcpt)
		return CHECK_OFF;
	return r->mail->sender[0] == '\0' && *r->rcpt->taken > 0 ? CHECK_REFUSE
								 : CHECK_PASS;
}
