/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * liblzma, for what libclamav calls clean because it cannot unpack it: files
 * of LZMA alone, and members of ZIP archives by LZMA (method 14) or XZ (95).
 */
#ifndef UNLZMA_H
#define UNLZMA_H

#include <stddef.h>

#include "buf.h"

/* Whether a look into it may be worth while; cheap. */
int unlzma_is_likely(struct span in);
/*
 * Hands each piece that was unpacked to fn, which says whether to go on;
 * what is in it is fn's for the call.  At most max bytes in all.  0, or -1:
 * it was cut, damaged or over a limit, so that not all was seen.
 */
typedef int unlzma_fn(void *arg, struct span out);
int unlzma_each(struct span in, size_t max, unlzma_fn *fn, void *arg);

#endif
