/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * MCGATE-MIB: its objects (mib.def), their values of a glance in the order
 * of their OIDs, and the module's text.  OIDs here begin behind the base:
 * 1.GROUP.NUMBER.0 for scalars, 1.TABLE.1.COLUMN.KEY for cells of tables,
 * whose key is the name of the row, IMPLIED (RFC 2578 section 7.7).
 */
#ifndef MIB_H
#define MIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "glance.h"

enum mib_kind {
	MIB_TEXT,
	MIB_GAUGE, /* 32 bits, stays at the largest */
	MIB_GAUGE64, /* CounterBasedGauge64, RFC 2856 */
	MIB_COUNTER, /* Counter64 */
	MIB_AGE, /* a gauge: seconds since a wall clock in microseconds */
	MIB_SINCE, /* the same, not there while that is 0 */
	MIB_LEFT, /* until it, likewise; 0 when it is past */
	MIB_STATE, /* enum glance_state */
	MIB_PROCESS /* enum process_state plus one */
};

#define MIB_ENTERPRISES "1.3.6.1.4.1"
#define MIB_GROUP_STATUS 1
#define MIB_GROUP_STATS 2
#define MIB_GROUP_EVENT 3
/* A table that is none of the mapping's: a row an event. */
#define TABLE_EVENT TABLE_COUNT
enum { EVENT_ACTIVE, EVENT_SINCE_US, EVENT_VALUE, EVENT_LIMIT };
#define MIB_ROW_TEXT (-1) /* in place of a column: the text of a row */

struct mib_object {
	uint32_t group, number; /* of a table: its column */
	const char *name, *unit, *help;
	enum mib_kind kind;
	int source; /* enum mib_status, enum stat_id, or a column */
	int table; /* enum stats_table, or TABLE_EVENT; -1: a scalar */
	bool is_stat; /* source is an enum stat_id */
};

struct mib_table {
	uint32_t number;
	int table; /* as above */
	const char *name, *help;
};

/* In the order of mib.def, which is that of OIDs. */
size_t mib_objects(const struct mib_object **first);
extern const struct mib_table mib_tables[];
extern const size_t mib_table_count;
/* Whether a row of stats.def is served, or said to be left out. */
bool mib_has(enum stat_id id);

struct mib_cell {
	const uint32_t *oid;
	size_t len;
	const struct mib_object *object;
	const char *key; /* of the row; "": a scalar */
	uint64_t number;
	const char *text; /* NULL: a number */
};

/* All values there are now, borrowed until the next call of any of these;
 * not older than a second. */
size_t mib_cells(const struct mib_cell **first);
/* NULL when there is none. */
const struct mib_cell *mib_get(const uint32_t *oid, size_t len);
/* The first behind oid, or at it when is_inclusive. */
const struct mib_cell *mib_next(const uint32_t *oid, size_t len,
				bool is_inclusive);
void mib_release(void);

/* Numbers with dots between, 0 when it is none of at most max. */
size_t mib_parse_oid(const char *text, uint32_t *oid, size_t max);
/* The module, for a base as in mcd.conf. */
void mib_write(const char *base, struct buf *b);

#endif
