/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The rows of UCD-SNMP-MIB's extTable as gateways of this kind have long
 * filled them: 1.3.6.1.4.1.2021.8.1.101.N, strings with bars.  The form of
 * each is what existing monitoring reads, and is not to be changed.
 */
#ifndef UCD_H
#define UCD_H

#include "err.h"

/* rows as conf.def's snmp.ucd_rows has them; spool, a folder, is borrowed for
 * good. */
int ucd_add(const char *rows, const char *spool, struct err *e);

#endif
