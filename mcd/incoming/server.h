/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Listeners and connections of the incoming role, their limits and time.
 */
#ifndef SERVER_H
#define SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "setting.h"

/* hostname is copied. */
void server_init(const char *hostname);
void server_hostname(const char *hostname);
void server_knobs(const struct knobs *k);
/*
 * The settings are known: clients are taken from now on, and not only
 * when the wait for them is over.
 */
void server_accept(void);
/* Takes fd; a listener of that name and address replaces the one before. */
void server_listen(const char *name, const char *address, int fd);
/* Listeners that were not given again since the last call are closed. */
void server_listen_done(void);

/*
 * No new connections, idle ones are told 421.  done is called when the
 * last is gone or the time is over: data_ms for messages that are coming
 * in, reply_ms for those that are being made durable.
 */
void server_stop(int64_t data_ms, int64_t reply_ms, void (*done)(void));
size_t server_connections(void);

#endif
