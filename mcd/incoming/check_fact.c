/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Facts, and the questions to DNS behind most of them.  Who waits is told
 * from the loop, not from within the answer: it may free the fact.
 */
#include "check_impl.h"

#include <string.h>

#include "str.h"

#define LOOKUP_SLACK_MS 500 /* its own limit comes first */
#define RCODE_NO_NAME 3 /* RFC 1035: no such name */

void
fact_init(struct fact *f)
{
	f->state = FACT_NEW;
	f->token = 0;
	list_init(&f->runs);
}

void
fact_release(struct fact *f)
{
	if (f->token != 0)
		peer_forget(f->token);
	f->token = 0;
	while (list_pop(&f->runs) != NULL)
		;
}

enum check_result
fact_wait(struct fact *f, struct check_run *r)
{
	list_push(&f->runs, &r->wait);
	return CHECK_WAIT;
}

void
fact_known(struct fact *f)
{
	struct list *n;

	f->state = FACT_KNOWN;
	while ((n = list_pop(&f->runs)) != NULL)
		defer_add(&list_entry(n, struct check_run, wait)->again);
}

bool
fact_ask_dns(struct fact *f, const char *name, unsigned type, int64_t wait_ms,
	     peer_reply_fn *fn, void *arg)
{
	struct frame_dns_ask ask = { .name = name,
				     .type = type,
				     .timeout_ms = (uint32_t)wait_ms };

	f->state = FACT_ASKED;
	f->token = peer_ask(peer_of(ROLE_LOOKUP), FRAME_dns_ask, &ask, -1,
			    wait_ms + LOOKUP_SLACK_MS, fn, arg);
	return f->token != 0;
}

int
dns_says(const struct frame *f, struct span *records)
{
	const struct frame_dns_reply *b =
		f != NULL ? FRAME_BODY(f, dns_reply) : NULL;

	*records = (struct span){ "", 0 };
	if (b == NULL || (b->rcode != 0 && b->rcode != RCODE_NO_NAME))
		return -1;
	*records = b->records;
	return b->records.len > 0 ? 1 : 0;
}

bool
dns_next(struct span records, size_t *at, struct span *rdata)
{
	size_t len;

	if (records.len - *at < 2)
		return false;
	len = (unsigned char)records.p[*at] |
	      (size_t)(unsigned char)records.p[*at + 1] << 8;
	*at += 2;
	if (len > records.len - *at)
		return false;
	*rdata = (struct span){ records.p + *at, len };
	*at += len;
	return true;
}

int
dns_name(struct span wire, char *dst, size_t size)
{
	struct buf name = { .limit = size };
	size_t at = 0;
	int rc = 0;

	while (rc == 0 && at < wire.len && wire.p[at] != 0) {
		size_t len = (unsigned char)wire.p[at++];

		if (len > 63 || len > wire.len - at)
			rc = -1;
		for (size_t i = 0; rc == 0 && i < len; i++)
			/* Printable, and no dot inside of a label. */
			if (wire.p[at + i] <= ' ' || wire.p[at + i] > '~' ||
			    wire.p[at + i] == '.')
				rc = -1;
		if (rc == 0 && name.len > 0)
			rc = buf_add_char(&name, '.');
		if (rc == 0)
			rc = buf_add(&name, wire.p + at, len);
		at += len;
	}
	if (rc == 0 && (at >= wire.len || name.len >= size))
		rc = -1;
	str_copy(dst, size, rc == 0 ? buf_str(&name) : "");
	buf_release(&name);
	return rc;
}
