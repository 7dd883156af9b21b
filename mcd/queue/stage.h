/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Stages 1 and 2 of a message in the spool: it waits in incoming for room
 * in the filters' window, then in filtering for a worker.
 */
#ifndef STAGE_H
#define STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "message.h"

/* idle gets a message when nothing of it is under way any more. */
void stage_init(void (*idle)(struct message *m));
void stage_release(void);
/* m is durably in incoming or filtering. */
void stage_enter(struct message *m);
/* m leaves by an administrator; nothing of it is under way. */
void stage_leave(struct message *m);
/* m is in no stage, and is worked on until its stage_done(). */
void stage_borrow(struct message *m);
/* Scans the pool takes at a time; 0: it is down. */
void stage_slots(uint32_t slots);
/* Nothing new is begun. */
void stage_stop(void);
/* Whatever may go on now goes on, at the end of this turn of the loop. */
void stage_wake(void);
/* What waits for its time is due now. */
void stage_now(struct message *m);
/* Messages between filtering and their verdict's end. */
size_t stage_pending(void);

/* For verdict.c: m takes no worker any more; its stage_done() comes when its
 * verdict is durable. */
void stage_judged(struct message *m);
/* For scan.c and verdict.c: a message's turn is over, in whatever state it
 * is; retry_ms < 0: it is not to be filtered again. */
void stage_done(struct message *m, int64_t retry_ms);

#endif
