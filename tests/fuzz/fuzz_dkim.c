/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 * A message with its signatures, and the record of their key: all up to the
 * first line feed is the record, the rest the message, fed in pieces.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dkim.h"

#define PIECE 97

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	struct span key;
	struct buf records;
	unsigned questions;
} dns;

static void
ask(void *arg, const char *name, unsigned type, struct dns_answer *out)
{
	size_t len = dns.key.len < 255 ? dns.key.len : 255;
	const char head[3] = { (char)((len + 1) & 0xff), (char)((len + 1) >> 8),
			       (char)len };

	(void)arg;
	if (!dns_name_is_valid(name) || type != DNS_TYPE_TXT ||
	    ++dns.questions > 2 * DKIM_SIGS_MAX)
		abort();
	*out = (struct dns_answer){ .rcode = DNS_SERVFAIL };
	if (len == 0)
		return;
	buf_clear(&dns.records);
	(void)buf_add(&dns.records, head, sizeof(head));
	(void)buf_add(&dns.records, dns.key.p, len);
	out->rcode = DNS_NOERROR;
	out->records = buf_span(&dns.records);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct dns_asker asker = { ask, NULL };
	const char *p = (const char *)data;
	const char *lf = size > 0 ? memchr(p, '\n', size) : NULL;
	struct dkim_check *k;
	struct dkim_report r;
	size_t at, n;

	dns.key = (struct span){ p, lf != NULL ? (size_t)(lf - p) : size };
	dns.questions = 0;
	k = dkim_check_new(&asker);
	if (k == NULL)
		abort();
	for (at = dns.key.len + 1; at < size; at += n) {
		n = size - at < PIECE ? size - at : PIECE;
		dkim_check_feed(k, (struct span){ p + at, n });
	}
	dkim_check_end(k, &r);
	if (r.count > DKIM_SIGS_MAX || (unsigned)r.result >= DKIM_RESULTS)
		abort();
	return 0;
}
