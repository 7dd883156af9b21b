/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The public suffix list: which part of a domain somebody has registered.
 */
#ifndef PSL_H
#define PSL_H

#include <stdbool.h>

#include "records.h"

/* Reads the system's list, or takes the library's own where that is newer
 * or the only one.  To be called before a jail; later calls do nothing. */
void psl_open(void);

/*
 * The organisational domain (RFC 7489 section 3.2): the public suffix and
 * one label, in lower case.  false when the name is a public suffix or
 * none; dst then holds the name.  psl_open() is called if need be.
 */
bool psl_org_domain(const char *name, char dst[DNS_NAME_SIZE]);

#endif
