/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * DNS for commands that work without mcd: questions that block, over a
 * resolver of this process.
 */
#ifndef RESOLVER_H
#define RESOLVER_H

#include "err.h"
#include "records.h"

/*
 * setting is "ADDR@PORT" or "ADDR"; NULL: what the system's resolv.conf
 * says.  Once in a process.  The asker may be used until it exits.
 */
int resolver_open(const char *setting, struct dns_asker *out, struct err *e);

#endif
