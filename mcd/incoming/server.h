/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The connections of the incoming role, their limits and time.
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
 * No new connections, idle ones are told 421.  done is called when the
 * last is gone or the time is over: data_ms for messages that are coming
 * in, reply_ms for those that are being made durable.
 */
void server_stop(int64_t data_ms, int64_t reply_ms, void (*done)(void));
size_t server_connections(void);

#endif
