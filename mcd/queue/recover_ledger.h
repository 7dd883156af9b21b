/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a crash has cut off the ledger's end and the spool still knows.
 */
#ifndef RECOVER_LEDGER_H
#define RECOVER_LEDGER_H

/* Writes the accepted lines again of messages in the table whose ID is
 * not in the ledger's last files.  The ledger writer runs. */
void recover_ledger(void);

#endif
