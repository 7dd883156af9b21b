/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The service manager's protocol in code of ours: sd_notify(3) and
 * sd_listen_fds(3), without its library.
 */
#ifndef NOTIFY_H
#define NOTIFY_H

#include <stdint.h>

/*
 * Takes NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID, LISTEN_FDS and
 * LISTEN_PID out of the environment; what is not meant for this process is
 * forgotten.  Passed descriptors become close-on-exec.
 */
void notify_init(void);
/* "READY=1\nSTATUS=..."; nothing happens where nobody listens. */
void notify_send(const char *text);
/* How often WATCHDOG=1 is due, in milliseconds; 0: never. */
int64_t notify_watchdog_ms(void);
/* Descriptors 3 to 3 + count - 1 were passed; they are the caller's. */
#define NOTIFY_LISTEN_FIRST 3
int notify_listen_fds(void);

#endif
