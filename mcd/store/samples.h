/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Every minute all counters and gauges go into history.db, so that what
 * they were is known after a restart: each minute for a day, each hour for
 * a year.
 */
#ifndef SAMPLES_H
#define SAMPLES_H

void samples_start(void);
void samples_stop(void);

#endif
