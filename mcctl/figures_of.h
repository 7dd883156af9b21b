/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the filters have done, from the shared mapping: null where mcd does
 * not run.
 */
#ifndef FIGURES_OF_H
#define FIGURES_OF_H

#include <stddef.h>

#include "conf.h"
#include "record.h"
#include "stats.h"

#define FIGURES_ROWS 65

struct figures {
	struct stats_row_copy row[FIGURES_ROWS];
	size_t count; /* 0: mcd has not been running */
};

void figures_read(const struct conf *conf, struct figures *out);
/* From a mapping that is open. */
void figures_of(const struct stats *s, struct figures *out);
/* "closed", "half open" or "open". */
const char *figures_breaker(const struct stats_row_copy *row);
/* Calls, what came of them, microseconds a call, and the breaker. */
void figures_add(const struct figures *f, const char *filter, struct record *r);
/* Why it could not tell, the last time. */
void figures_add_error(const struct figures *f, const char *filter,
		       struct record *r);

#endif
