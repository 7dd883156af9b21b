/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A look at a message before it is taken, while its sender waits (setting
 * at_data).  It can only end in a refusal when every recipient's policy
 * says so; in doubt, and when the time is over, the message is taken and
 * goes the way of all others.  Nothing of a look is on disk.
 */
#ifndef AT_DATA_H
#define AT_DATA_H

#include <stdbool.h>
#include <stdint.h>

#include "envelope.h"
#include "scan.h"

struct at_data_look;

void at_data_init(void);
void at_data_release(void);
/* Scans the pool takes at a time: looks have half of them, beside what it
 * does for messages that are taken. */
void at_data_slots(uint32_t slots);

/*
 * fd is the body, for reading; it is taken.  env stays the caller's, and
 * there until fn was called: once, later, with why "" when it is to be
 * taken.  NULL: no look, it is to be taken.
 */
typedef void at_data_fn(void *arg, const char *why);
struct at_data_look *at_data_start(const struct envelope *env, int fd,
				   at_data_fn *fn, void *arg);
/* fn is not called any more. */
void at_data_forget(struct at_data_look *l);

/*
 * A message that was taken after a whole look need not be scanned again:
 * true when every fate of s has its verdict, by a policy that is still the
 * same.  What was kept of the look goes.
 */
bool at_data_recall(struct scan *s);

#endif
