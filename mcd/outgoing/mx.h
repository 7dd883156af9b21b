/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The mail exchangers of a domain, asked of lookup (RFC 5321 section 5.1,
 * RFC 7505).
 */
#ifndef MX_H
#define MX_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "peer.h"

#define MX_MAX 32 /* the best of a domain; others are not looked at */

enum mx_status {
	MX_OK,
	MX_NONE, /* no record: the domain itself, if it has an address */
	MX_NULL, /* RFC 7505: it takes no mail */
	MX_NO_NAME, /* there is no such domain */
	MX_BAD, /* records, and none of them names a host */
	MX_FAILED /* not known now */
};

struct mx_host {
	unsigned preference;
	char name[256]; /* lower case, no dot at its end */
};

struct mx;
typedef void mx_fn(void *arg, const struct mx *m);

/* Embedded in who wants to know. */
struct mx {
	enum mx_status status;
	struct mx_host hosts[MX_MAX]; /* best first, equal ones by chance */
	size_t count;
	/* private */
	uint32_t token;
	mx_fn *fn;
	void *arg;
};

/* fn is called once, perhaps before this returns. */
void mx_start(struct mx *m, const char *domain, mx_fn *fn, void *arg);
/* Fine when nothing is under way in a zeroed one. */
void mx_cancel(struct mx *m);

/*
 * The records of a dns_reply: sets status, hosts and count.  Names that are
 * none are left out.
 */
void mx_read_records(struct mx *m, struct span records);

#endif
