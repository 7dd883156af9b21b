/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A sample as data.
 */
#ifndef DUMP_H
#define DUMP_H

#include "buf.h"
#include "source.h"

/* One JSON object and a line end; names as in the stats file. */
void dump_json(const struct sample *s, struct buf *out);

#endif
