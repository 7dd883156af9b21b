/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Private to term*.c: signals, and how the terminal was before.
 */
#ifndef TERM_SIGNAL_H
#define TERM_SIGNAL_H

#include <stdbool.h>

/* Remembers the modes of the terminal and takes the signals. */
void term_signal_start(void);
/* From now on a crash restores the screen; more goes out with it. */
void term_signal_arm(const char *more);
/* Signals are as before. */
void term_signal_stop(void);

bool term_signal_is_end(void);
bool term_signal_take_stop(void);
bool term_signal_take_continued(void);
bool term_signal_take_resized(void);
/* Stops this process as the shell expects it; returns when continued. */
void term_signal_suspend(void);

#endif
