/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The ordinary start, which is also the recovery: the table is made from
 * what the spool holds, whatever state a crash has left it in.
 */
#ifndef RECOVER_H
#define RECOVER_H

#include "err.h"

/*
 * Fills the table, removes what nobody needs, parks what cannot be used,
 * writes again what the ledger has lost, and enters all mail in its
 * stage.  The modules of the stages are initialised.  -1 when the spool is
 * not safe to work on.
 */
int recover_run(struct err *e);
/* What could not be read is not tried again. */
void recover_release(void);

#endif
