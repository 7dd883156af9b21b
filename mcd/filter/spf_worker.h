/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A small worker that only checks SPF, for stage 1: no engines, no mail.
 */
#ifndef SPF_WORKER_H
#define SPF_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#define SPF_TIME_MS 15000 /* for one check, its questions included */

/* As worker_run(). */
void spf_worker_run(int channel, bool has_jail, int64_t memory_max)
	__attribute__((noreturn));

#endif
