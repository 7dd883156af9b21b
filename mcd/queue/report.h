/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Reports of outbound mail that was parked as spam, a virus or what nobody
 * could look into: one of our own hosts has sent it, and somebody has to
 * know.  Who is told is what out_report_to says for the sender; the first
 * mail is told at once, those that follow together, once in
 * out_report_every.  A report is a message of our own from the null path;
 * what a crash loses of reports is still in hold.
 */
#ifndef REPORT_H
#define REPORT_H

#include "envelope.h"

void report_init(void);
/* env has durably come to hold or quarantine; anything else is ignored. */
void report_parked(const struct envelope *env, enum state state);
/* Sends at once what waits for its time; no more is taken. */
void report_stop(void);
void report_release(void);

#endif
