/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What comes back from DNS, whoever asked: an answer with the records of
 * the type that was asked for, and how to read them.  Also the blocking
 * question that checks which ask as they go (SPF, DKIM, DMARC) are given:
 * over a worker's channel, or over a resolver of the program's own.
 */
#ifndef RECORDS_H
#define RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

/* RFC 1035 section 4.1.1 */
#define DNS_NOERROR 0
#define DNS_SERVFAIL 2
#define DNS_NXDOMAIN 3

/* RFC 1035 section 3.2.2 and RFC 3596 */
#define DNS_TYPE_A 1
#define DNS_TYPE_PTR 12
#define DNS_TYPE_MX 15
#define DNS_TYPE_TXT 16
#define DNS_TYPE_AAAA 28

#define DNS_NAME_MAX 253 /* characters without a final dot */
#define DNS_LABEL_MAX 63
#define DNS_NAME_SIZE 256

struct dns_answer {
	int rcode; /* DNS_NOERROR, DNS_SERVFAIL or DNS_NXDOMAIN */
	bool is_secure; /* DNSSEC says so */
	uint32_t ttl; /* the least of the records, seconds */
	/* u16 length (little-endian) and rdata of each; names in it are
	 * written out */
	struct span records;
};

/*
 * Asks and waits.  The answer is valid until the next question.  What is
 * in doubt (no time left, too many questions, a resolver that is down) is
 * DNS_SERVFAIL.
 */
struct dns_asker {
	void (*ask)(void *arg, const char *name, unsigned type,
		    struct dns_answer *out);
	void *arg;
};

/* Takes the next record off the front: false at the end or at damage. */
bool dns_record_next(struct span *records, struct span *rdata);
size_t dns_record_count(struct span records);
/*
 * The name at offset at of the rdata, without a final dot; false when it
 * is damaged or no name of a host: a label with anything but printable
 * ASCII, or with a dot or a backslash in it.
 */
bool dns_record_name(struct span rdata, size_t at, char dst[DNS_NAME_SIZE]);
/* The strings of a TXT record, joined (RFC 7208 section 3.3); -1 when
 * damaged or out refuses. */
int dns_record_text(struct span rdata, struct buf *out);

/*
 * Whether a name can be asked for: labels of 1 to 63 bytes, none of them
 * an ASCII control, 253 in all; a final dot may stand.
 */
bool dns_name_is_valid(const char *name);

#endif
