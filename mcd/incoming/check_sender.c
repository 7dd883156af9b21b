/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Checks of the sender.  Its domain exists when it can be answered to: it
 * has an MX, or an address (RFC 5321 section 5.1).  One whose MX says that
 * it takes no mail (RFC 7505) sends none that could be answered.
 */
#include "check_impl.h"

#include <string.h>

#include "address.h"
#include "str.h"

#define TYPE_A 1
#define TYPE_MX 15
#define TYPE_AAAA 28

static void ask(struct check_mail *m);

static void
known(struct check_mail *m, enum sender_domain value)
{
	m->sender_domain.value = value;
	fact_known(&m->sender_domain.fact);
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
	struct check_mail *m = arg;
	const struct frame_dns_reply *b =
		f != NULL ? FRAME_BODY(f, dns_reply) : NULL;

	m->sender_domain.fact.token = 0;
	if (b == NULL || (b->rcode != 0 && b->rcode != 3)) {
		known(m, SENDER_UNSURE);
	} else if (b->rcode == 3) {
		known(m, SENDER_NONE);
	} else if (b->records.len > 0) {
		known(m,
		      m->sender_domain.type == TYPE_MX && is_null_mx(b->records)
			      ? SENDER_NULL_MX
			      : SENDER_EXISTS);
	} else if (m->sender_domain.type == TYPE_AAAA) {
		known(m, SENDER_NONE);
	} else {
		m->sender_domain.type =
			m->sender_domain.type == TYPE_MX ? TYPE_A : TYPE_AAAA;
		ask(m);
	}
}

static void
ask(struct check_mail *m)
{
	char key[ADDRESS_DOMAIN_MAX + 1];

	if (address_domain_key(m->domain, key, NULL) < 0)
		known(m, SENDER_NONE);
	else if (!fact_ask_dns(&m->sender_domain.fact, key,
			       m->sender_domain.type, on_answer, m))
		known(m, SENDER_UNSURE);
}

void
check_sender_init(struct check_mail *m)
{
	fact_init(&m->sender_domain.fact);
}

void
check_sender_release(struct check_mail *m)
{
	fact_release(&m->sender_domain.fact);
}

enum check_result
check_sender_domain(struct check_run *r)
{
	struct check_mail *m = r->mail;

	if (!r->knobs->sender_domain_check)
		return CHECK_OFF;
	/* The null sender, ours, and an address literal. */
	if (m->domain[0] == '\0' || (r->rcpt->flags & RCPT_FROM_OWN) != 0 ||
	    m->domain[0] == '[')
		return CHECK_PASS;
	if (m->sender_domain.fact.state == FACT_NEW) {
		m->sender_domain.type = TYPE_MX;
		ask(m);
	}
	if (m->sender_domain.fact.state != FACT_KNOWN)
		return fact_wait(&m->sender_domain.fact, r);
	switch (m->sender_domain.value) {
	case SENDER_EXISTS:
		return CHECK_PASS;
	case SENDER_NULL_MX:
		check_detail(r, "null MX of %s", m->domain);
		r->enhanced = "5.7.27";
		r->text = "Sender's domain takes no mail (null MX)";
		return CHECK_REFUSE;
	case SENDER_NONE:
		check_detail(r, "%s has no MX, A or AAAA", m->domain);
		return CHECK_REFUSE;
	case SENDER_UNSURE:
		break;
	}
	check_detail(r, "DNS cannot tell of %s", m->domain);
	r->text = "Sender's domain cannot be looked up now, try again later";
	return r->knobs->sender_domain_unsure == UNSURE_LATER ? CHECK_PUT_OFF
							      : CHECK_UNSURE;
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
