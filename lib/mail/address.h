/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Mail addresses of the SMTP envelope: Reverse-path and Forward-path of
 * RFC 5321 section 4.1.2, with RFC 6531's UTF-8 where allowed.  Parsing
 * only; a domain stays as it was given until address_domain_key().
 */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "err.h"

/* RFC 5321 section 4.5.3.1; longer ones are refused. */
#define ADDRESS_LOCAL_MAX 252
#define ADDRESS_DOMAIN_MAX 255
#define ADDRESS_PATH_MAX 256 /* local@domain and the two brackets */
#define ADDRESS_TEXT_SIZE 324 /* local@domain and NUL */

struct address {
	char text[ADDRESS_TEXT_SIZE]; /* local@domain, "" for the null path */
	size_t local_len; /* local part as given, quotes included */
	size_t domain_at; /* offset of the domain in text, 0: none */
	bool is_utf8; /* any byte above 127 */
	bool is_literal; /* domain is an address literal */
};

#define ADDRESS_ALLOW_NULL 1 /* "<>" (MAIL FROM) */
#define ADDRESS_ALLOW_UTF8 2 /* SMTPUTF8 was given */
#define ADDRESS_ALLOW_POSTMASTER 4 /* "<Postmaster>" without a domain */

/*
 * Reads a path at the start of in: "<", optional source route (parsed and
 * dropped, RFC 5321 appendix C), mailbox, ">".  On success *used is the
 * number of bytes read.
 */
int address_parse_path(struct span in, int flags, struct address *out,
		       size_t *used, struct err *e);
/* A bare "local@domain", as people type it. */
int address_parse(struct span in, int flags, struct address *out,
		  struct err *e);
/* The domain part, "" when there is none. */
const char *address_domain(const struct address *a);
/*
 * The domain as it is keyed everywhere: lower-case A-labels (idn.h), no
 * trailing dot; address literals stay.  dst holds ADDRESS_DOMAIN_MAX + 1.
 */
int address_domain_key(const char *domain, char *dst, struct err *e);
/* A local part as policy knows it: lower case, NFC.  dst may be local; what
 * is no UTF-8 loses only its upper case letters. */
int address_local_key(const char *local, char *dst, size_t size, struct err *e);
/* RFC 1035 host name syntax, underscores allowed, total <= 253. */
bool address_is_domain(const char *s);

#endif
