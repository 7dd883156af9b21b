/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Processes that have ended: collected, and how they ended in words.
 */
#ifndef REAP_H
#define REAP_H

#include <stddef.h>
#include <sys/types.h>

typedef void reap_fn(pid_t pid, int status);

/* Collects every child that has ended and calls fn for each; never
 * blocks. */
void reap_all(reap_fn *fn);

/* "exit=0", "signal=9 (Killed)": how a waitpid(2) status reads. */
void reap_text(int status, char *dst, size_t size);

#endif
