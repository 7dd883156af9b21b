/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl test smtp: a session as some client, played through the checks as
 * its commands would be.  Nothing is counted, logged, kept or queued.
 */
#ifndef CHECK_TEST_H
#define CHECK_TEST_H

#include "peer.h"

/* A ctl_ask of control's: lines "ip=", "helo=", "from=", "to=". */
void check_test_ask(peer_id from, struct frame *f);
/* Control is gone: nobody wants to know any more. */
void check_test_forget_all(void);

#endif
