/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Certificates and keys for tests, made when they are needed.  What cannot
 * be made ends the test program.
 */
#ifndef TLSCERT_H
#define TLSCERT_H

#include "buf.h"

/*
 * Appends the PEM of a certificate for name (a host name or an address)
 * that its own key has signed, good for days from now, and that of its
 * key, a P-256 one; password NULL: in the clear.
 */
void tlscert_make(const char *name, int days, const char *password,
		  struct buf *cert, struct buf *key);

#endif
