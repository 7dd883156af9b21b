/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The snapshot of what the Bayes filter has learnt, handed to the filters
 * whenever there is a new one.
 */
#ifndef LEARNT_H
#define LEARNT_H

/* Looks each second for dir/bayes.map. */
void learnt_start(const char *dir);
/* The filters have come: they get the current one. */
void learnt_tell(void);
void learnt_stop(void);

#endif
