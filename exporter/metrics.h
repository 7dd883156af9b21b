/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What MCGATE-MIB has, as Prometheus reads it.  Names are those of the MIB:
 * mcInMessages is mcgate_in_messages_total, a column of a table has the row's
 * name as a label, and units are base units.  Texts are left out but for the
 * version: they would make a series of each error.
 */
#ifndef METRICS_H
#define METRICS_H

#include <stddef.h>

#include "buf.h"
#include "mib.h"

enum metrics_form {
	METRICS_TEXT, /* Prometheus 0.0.4 */
	METRICS_OPEN /* OpenMetrics 1.0 */
};

/* cells are sorted as mib_cells() has them. */
void metrics_write(const struct mib_cell *cells, size_t count,
		   enum metrics_form form, struct buf *b);
/* The name of an object's family, without the _total of a counter. */
#define METRICS_NAME_SIZE 96
void metrics_name(const struct mib_object *o, char dst[METRICS_NAME_SIZE]);

#endif
