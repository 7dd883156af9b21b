/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A function a row.  Rows about mail are there only while the values are
 * known; those about the host always.
 */
#include "ucd.h"

#include <string.h>

#include "agentx.h"
#include "glance.h"
#include "str.h"

#define FRESH_MS 200

/* |incoming|filtering|outgoing */
static bool
spools(char *dst, size_t size)
{
	const struct glance *g = glance_now(FRESH_MS);

	return g->is_known[STAT_queue_incoming] &&
	       g->is_known[STAT_queue_filtering] &&
	       g->is_known[STAT_queue_outgoing] &&
	       str_fmt(dst, size, "|%lld|%lld|%lld",
		       (long long)g->values[STAT_queue_incoming],
		       (long long)g->values[STAT_queue_filtering],
		       (long long)g->values[STAT_queue_outgoing]);
}

static bool (*const makers[])(char *dst, size_t size) = {
	[6] = spools,
};
#define MAKERS (int)(sizeof(makers) / sizeof(makers[0]))

static bool
make(int row, char *dst, size_t size)
{
	return makers[row](dst, size);
}

int
ucd_add(const char *rows, struct err *e)
{
	uint32_t oid[] = { 1, 3, 6, 1, 4, 1, 2021, 8, 1, 101, 0 };
	const size_t len = sizeof(oid) / sizeof(oid[0]);
	char name[32];
	int row;

	for (; *rows != '\0'; rows++) {
		row = *rows - '0';
		if (*rows == ',')
			continue;
		if (row < 0 || row >= MAKERS || makers[row] == NULL)
			return err_set(e, "snmp.ucd_rows: no row %c", *rows);
		oid[len - 1] = (uint32_t)row;
		str_fmt(name, sizeof(name), "extOutput.%d", row);
		if (agentx_add_text(name, oid, len, make, row, e) != 0)
			return -1;
	}
	return 0;
}
