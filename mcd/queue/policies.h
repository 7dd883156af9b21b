/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Policies of addresses, as control gives them, remembered for seconds so
 * that a burst of mail to one address asks once.
 */
#ifndef POLICIES_H
#define POLICIES_H

#include <stdbool.h>

#include "buf.h"

void policies_init(void);
/* Settings have changed. */
void policies_forget(void);

/*
 * 1: *knobs is set, borrowed until the next call here.  0: fn will be
 * called once, later, with is_known false when control could not tell.
 */
typedef void policies_fn(void *arg, bool is_known, struct span knobs);
int policies_get(bool is_outbound, const char *address, struct span *knobs,
		 policies_fn *fn, void *arg);

#endif
