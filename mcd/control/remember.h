/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What control has seen and keeps over restarts: greylisting and callouts,
 * each in its own table in memory, changes written behind it (db_seen.h).
 */
#ifndef REMEMBER_H
#define REMEMBER_H

#include <stdint.h>

#define REMEMBER_CALLOUT "callout"
#define REMEMBER_GREY "grey"
#define REMEMBER_GREY_CLIENT "grey-client"

/* Gives all that is known to those it is of; what comes from then on is
 * written.  Without a usable file it says so, and mail goes on. */
void remember_start(const char *dir);
/* Writes what is left. */
void remember_stop(void);

/* Never waits. */
void remember_put(const char *kind, const char *key, const char *value,
		  int64_t at_ms);
void remember_del(const char *kind, const char *key);

#endif
