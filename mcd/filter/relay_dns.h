/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The pool between its workers and lookup: hands a question on and its
 * answer back, at most so many a message.
 */
#ifndef RELAY_DNS_H
#define RELAY_DNS_H

#include "slot.h"

/* f is a dns_ask of the process in s.  It is answered once, by lookup or
 * as a failure. */
void relay_dns(struct slot *s, const struct frame *f);
/* The same of an rbl_ask. */
void relay_rbl(struct slot *s, const struct frame *f);

#endif
