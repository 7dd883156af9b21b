/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the start wants of the ledger: who had a final result, and what a
 * crash has cut off its end and the spool still knows.
 */
#ifndef RECOVER_LEDGER_H
#define RECOVER_LEDGER_H

#include "message.h"

/* Reads the last files, and older ones where orphans need them; -1,
 * logged, when not all could be read. */
int recover_ledger_read(void);
/* Writes the accepted lines again of messages in the table whose ID was
 * not read above.  The ledger writer runs. */
void recover_ledger_write(void);
/* The same for one that could not be read then. */
void recover_ledger_again(struct message *m);
/* Reads for orphans all files from their hour on, if that is before the
 * given one; -1, logged, when not all could be read. */
int recover_ledger_orphans(const char *before);

#endif
