/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * DNS on the loop: one resolver and one cache for the process, answers as
 * records of the type that was asked for.  Each question has a deadline;
 * whatever is in doubt (bogus, server failure, garbage) is a failure.
 */
#ifndef DNS_H
#define DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "records.h"

#define DNS_FORWARDERS_MAX 8
#define DNS_RECORDS_MAX 49152 /* bytes of an answer's records */
#define DNS_PENDING_MAX 4096 /* questions that wait */

/* Where questions go: "ADDR@PORT". */
struct dns_conf {
	char forwarders[DNS_FORWARDERS_MAX][80];
	size_t forwarder_count; /* 0: from the root servers on */
};

/*
 * From one setting "ADDR@PORT" or "ADDR", or from the text of a
 * resolv.conf; what cannot be read there is left out.
 */
int dns_conf_setting(struct dns_conf *c, const char *text, struct err *e);
void dns_conf_resolv(struct dns_conf *c, struct span text);

/*
 * Needs the loop; to be called after any fork.  Again with another
 * configuration: what is under way fails and the cache is empty; -1 leaves
 * all as it was.  Not from within a dns_fn.
 */
int dns_init(const struct dns_conf *c, struct err *e);

/* a is valid for the call. */
typedef void dns_fn(void *arg, const struct dns_answer *a);

/*
 * Asks for records of class IN.  Every byte of name but the dots is part of
 * a label.  fn is called once, perhaps before this returns.
 */
void dns_ask(const char *name, unsigned type, int64_t timeout_ms, dns_fn *fn,
	     void *arg);
size_t dns_pending(void);

/* The answer section of a packet; for tests and fuzzing.  -1: damaged. */
int dns_read_packet(struct span packet, unsigned type, struct buf *records,
		    uint32_t *ttl, int *rcode);

#endif
