/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A function a row.  Rows about mail are there only while the values are
 * known; those about the host always.
 */
#include "ucd.h"

#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "agentx.h"
#include "file.h"
#include "glance.h"
#include "str.h"

#define FRESH_MS 200
#define MEMINFO_MAX 65536

static const char *spool_dir;

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

/* Codes that are expected there: of a role that is down or coming. */
static const char *
process_code(const struct glance *g, enum role role)
{
	static const char *const codes[] = {
		[PROCESS_STARTING] = "4",
		[PROCESS_RUNNING] = "1",
		[PROCESS_STOPPING] = "5",
		[PROCESS_DOWN] = "0",
	};
	bool is_up = g->state == GLANCE_RUNNING || g->state == GLANCE_STARTING;

	for (size_t i = 0; is_up && i < g->counts[TABLE_PROCESS]; i++) {
		const struct stats_row_copy *r = &g->rows[TABLE_PROCESS][i];
		int64_t state = r->n[PROCESS_STATE];

		if (str_eq(r->key, role_name(role)) && state >= 0 &&
		    state <= PROCESS_DOWN)
			return codes[state];
	}
	return "0";
}

/* |incoming|queue|filter|lookup|outgoing|control|store */
static bool
processes(char *dst, size_t size)
{
	static const enum role roles[] = { ROLE_INCOMING, ROLE_QUEUE,
					   ROLE_FILTER,	  ROLE_LOOKUP,
					   ROLE_OUTGOING, ROLE_CONTROL,
					   ROLE_STORE };
	const struct glance *g = glance_now(FRESH_MS);
	size_t at = 0;

	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		if (!str_fmt(dst + at, size - at, "|%s",
			     process_code(g, roles[i])))
			return false;
		at += strlen(dst + at);
	}
	return true;
}

/* |1|5|15 minutes */
static bool
load(char *dst, size_t size)
{
	double l[3];

	return getloadavg(l, 3) == 3 &&
	       str_fmt(dst, size, "|%.2f|%.2f|%.2f", l[0], l[1], l[2]);
}

static int
used_percent(const char *path)
{
	struct statvfs fs;

	if (statvfs(path, &fs) != 0 || fs.f_blocks == 0)
		return -1;
	return (int)((fs.f_blocks - fs.f_bavail) * 100 / fs.f_blocks);
}

/* |/|34%|/var/spool/mcgate|12% */
static bool
disks(char *dst, size_t size)
{
	int root = used_percent("/"), spool = used_percent(spool_dir);

	return root >= 0 && spool >= 0 &&
	       str_fmt(dst, size, "|/|%d%%|%s|%d%%", root, spool_dir, spool);
}

static bool
meminfo(const char *text, const char *name, long long *kb)
{
	const char *at = strstr(text, name);
	char *end;

	if (at == NULL)
		return false;
	*kb = strtoll(at + strlen(name), &end, 10);
	return end > at + strlen(name);
}

/* |MemTotal|MemFree|SwapTotal|SwapFree, in kB */
static bool
memory(char *dst, size_t size)
{
	struct buf text = { 0 };
	long long total, left, swap, swap_left;
	bool is_good;

	is_good = file_read("/proc/meminfo", &text, MEMINFO_MAX, NULL) == 0 &&
		  meminfo(buf_str(&text), "MemTotal:", &total) &&
		  meminfo(buf_str(&text), "MemFree:", &left) &&
		  meminfo(buf_str(&text), "SwapTotal:", &swap) &&
		  meminfo(buf_str(&text), "SwapFree:", &swap_left) &&
		  str_fmt(dst, size, "|%lld|%lld|%lld|%lld", total, left, swap,
			  swap_left);
	buf_release(&text);
	return is_good;
}

static bool (*const makers[])(char *dst, size_t size) = {
	[5] = processes, [6] = spools, [7] = load, [8] = disks, [9] = memory,
};
#define MAKERS (int)(sizeof(makers) / sizeof(makers[0]))

static bool
make(int row, char *dst, size_t size)
{
	return makers[row](dst, size);
}

int
ucd_add(const char *rows, const char *spool, struct err *e)
{
	uint32_t oid[] = { 1, 3, 6, 1, 4, 1, 2021, 8, 1, 101, 0 };
	const size_t len = sizeof(oid) / sizeof(oid[0]);
	char name[32];
	int row;

	spool_dir = spool;
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
