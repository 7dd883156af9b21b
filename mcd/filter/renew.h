/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * New signatures, taken up while mail is judged by the old: a thread of the
 * pool loads them beside those in use.  Meanwhile nothing is forked, since
 * a child would have the library as the thread left it at that moment.
 */
#ifndef RENEW_H
#define RENEW_H

#include <stdbool.h>

/* Looks for changes now and then; adopted is called in the loop when what
 * the pool shares with workers has been replaced. */
void renew_start(void (*adopted)(void));
/* Looks at once. */
void renew_now(void);
bool renew_is_loading(void);
void renew_stop(void);

#endif
