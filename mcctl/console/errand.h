/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A command of mcctl run beside the console, in a process of its own: it
 * may give up rights, wait or crash, and the console goes on.  It gets no
 * input, and ends with the console.
 */
#ifndef ERRAND_H
#define ERRAND_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "cmdline.h"
#include "err.h"

#define ERRAND_OUTPUT_MAX (4u << 20) /* bytes; a job that says more is ended */

struct errand;

/* NULL with e when there can be no process. */
struct errand *errand_start(const struct cmdline *words, struct err *e);
/* Takes what it says, at the longest for so long; true when it has ended. */
bool errand_wait(struct errand *j, int64_t wait_ms);
/* What it has said so far: standard output and error. */
const struct buf *errand_output(const struct errand *j);
const struct buf *errand_errors(const struct errand *j);
/* Whether it said more than was taken. */
bool errand_is_cut(const struct errand *j);
/* Of one that has ended: its exit code, EX_SOFTWARE when a signal ended it. */
int errand_code(const struct errand *j);
/* Ends it where it still runs. */
void errand_free(struct errand *j);

#endif
