/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl test message: the filters judge a message that nobody has queued,
 * by the policies its recipients have now.  control passes the descriptor
 * on and never looks into it.
 */
#ifndef TRIAL_H
#define TRIAL_H

#include "peer.h"

/*
 * Rows go to the asker; done is called once with an exit code of
 * sysexits(3) and a text, valid for the call, unless trial_forget() was
 * called.  Takes the frame's descriptor.
 */
typedef void trial_done_fn(peer_id to, uint32_t code, const char *text);
void trial_start(peer_id from, struct frame *f, trial_done_fn *done);
/* The asker is gone. */
void trial_forget(peer_id from);

#endif
