/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The argument of XCLIENT, as Postfix' XCLIENT_README has it: attributes by
 * which a trusted client says for whom it speaks.
 */
#ifndef SMTP_XCLIENT_H
#define SMTP_XCLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "ip.h"
#include "smtp.h"

#define SMTP_XCLIENT_ATTRS "NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT"
#define SMTP_XCLIENT_TEXT 256 /* of a value, with its NUL */

enum smtp_xclient_attr {
	XCLIENT_NAME,
	XCLIENT_ADDR,
	XCLIENT_PORT,
	XCLIENT_PROTO,
	XCLIENT_HELO,
	XCLIENT_LOGIN,
	XCLIENT_DESTADDR,
	XCLIENT_DESTPORT,
	XCLIENT_COUNT
};

enum smtp_xclient_state {
	XCLIENT_NOT_GIVEN, /* stays as it was */
	XCLIENT_GIVEN,
	XCLIENT_UNAVAILABLE, /* there is none */
	XCLIENT_TEMPUNAVAIL /* nobody knows now */
};

struct smtp_xclient {
	enum smtp_xclient_state state[XCLIENT_COUNT];
	/* Valid where the state is XCLIENT_GIVEN. */
	char name[SMTP_XCLIENT_TEXT], helo[SMTP_XCLIENT_TEXT];
	char login[SMTP_XCLIENT_TEXT];
	struct ip addr, destaddr;
	uint16_t port, destport;
	bool is_esmtp; /* PROTO */
};

/* -1 fills fault; an attribute that is not known is one. */
int smtp_parse_xclient(struct span arg, struct smtp_xclient *out,
		       struct smtp_fault *fault);

#endif
