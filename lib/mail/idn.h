/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Names beyond ASCII in the one form that they are compared in: domains as
 * A-labels (RFC 5891, mapped by UTS 46, non-transitional), local parts in
 * lower case and NFC.  The only place that knows libidn2 and libunistring.
 */
#ifndef IDN_H
#define IDN_H

#include <stddef.h>

#include "err.h"

/* domain is UTF-8.  dst gets lower-case ASCII, which may be anything that
 * the mapping makes of strange letters: the caller looks at it. */
int idn_domain(const char *domain, char *dst, size_t size, struct err *e);
/* text is UTF-8; dst may be text. */
int idn_lower(const char *text, char *dst, size_t size, struct err *e);

#endif
