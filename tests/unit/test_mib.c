/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "mib.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "clock.h"
#include "file.h"
#include "str.h"

static char dir[] = "/tmp/mcgate-mib.XXXXXX";
static char path[64];

static void
test_oids(void)
{
	static const struct {
		const char *text;
		size_t count;
	} rows[] = {
		{ "1.3.6", 3 }, { ".1.3", 2 },	     { "4294967295", 1 },
		{ "", 0 },	{ ".", 0 },	     { "1.", 0 },
		{ "1..2", 0 },	{ "4294967296", 0 }, { "1.a", 0 },
		{ "1 2", 0 },	{ "-1", 0 },	     { "1.2.3.4.5", 0 },
	};
	uint32_t oid[4];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_INT(mib_parse_oid(rows[i].text, oid, 4), rows[i].count,
			  "\"%s\" has so many numbers", rows[i].text);
}

static void
test_rows(void)
{
	const struct mib_object *o;
	size_t count = mib_objects(&o), i, k;
	int found;

	for (i = 0; i < STAT_COUNT; i++)
		CHECK(mib_has((enum stat_id)i), "%s has its row",
		      stats_name((enum stat_id)i));
	for (i = 0; i < TABLE_COUNT; i++) {
		for (k = 0; k < STATS_COLUMNS; k++) {
			const char *name =
				stats_column_name((enum stats_table)i, (int)k);

			if (name == NULL)
				continue;
			found = 0;
			for (size_t n = 0; n < count; n++)
				found += o[n].table == (int)i &&
					 o[n].source == (int)k;
			CHECK_INT(found, 1, "column %s of %s has its row", name,
				  stats_table_name((enum stats_table)i));
		}
	}
	for (i = 0; i < count; i++) {
		for (k = 0; k < i; k++) {
			if (str_eq(o[i].name, o[k].name))
				break;
		}
		CHECK(k == i, "%s is there once", o[i].name);
	}
}

static void
put_mapping(void)
{
	int fd = file_open(AT_FDCWD, path, O_RDWR | O_CREAT, 0600);
	struct stats *s;
	struct err e;

	if (fd < 0 || stats_create(fd, &e) != 0)
		abort();
	s = stats_map(fd, ROLE_PARENT, &e);
	if (s == NULL)
		abort();
	stats_beat(s, clock_wall_us(), clock_wall_us(), getpid());
	for (int i = 9; i >= 0; i--) {
		char key[16];

		str_fmt(key, sizeof(key), "role %d", i * i);
		stats_row_set(s, TABLE_PROCESS,
			      stats_row(s, TABLE_PROCESS, key), PROCESS_PID,
			      (int64_t)i << 33);
	}
	stats_ring_add(s, RING_ERROR, clock_wall_us(), "an error");
	stats_unmap(s);
	file_shut(&fd);
}

static int
compare(const struct mib_cell *a, const struct mib_cell *b)
{
	size_t i;

	for (i = 0; i < a->len && i < b->len; i++) {
		if (a->oid[i] != b->oid[i])
			return a->oid[i] < b->oid[i] ? -1 : 1;
	}
	return (int)a->len - (int)b->len;
}

static void
test_order(void)
{
	const struct mib_cell *c;
	size_t count = mib_cells(&c), i, steps = 0;
	const struct mib_cell *at = mib_next(NULL, 0, false);
	int wrong = 0;

	CHECK(count > 50, "a mapping gives objects");
	for (i = 0; i < count; i++) {
		size_t len = strlen(c[i].key);

		for (size_t k = 0; k < len; k++)
			wrong += c[i].oid[c[i].len - len + k] !=
				 (unsigned char)c[i].key[k];
	}
	CHECK_INT(wrong, 0, "cells have the key that their OID ends with");
	wrong = 0;
	for (i = 1; i < count; i++)
		wrong += compare(&c[i - 1], &c[i]) >= 0;
	CHECK_INT(wrong, 0, "they are in order");
	for (i = 0; i < count; i++)
		wrong += mib_get(c[i].oid, c[i].len) != &c[i];
	CHECK_INT(wrong, 0, "each is found");
	for (; at != NULL && steps <= count; steps++)
		at = mib_next(at->oid, at->len, false);
	CHECK_INT(steps, count, "a walk has each once");
	CHECK(mib_get(c[0].oid, c[0].len - 1) == NULL, "none above one");
	CHECK(mib_next(c[3].oid, c[3].len, true) == &c[3], "inclusive");
	for (i = 0; i < count; i++)
		wrong += c[i].object->name != NULL &&
			 str_eq(c[i].object->name, "mcProcessPid") &&
			 c[i].number > UINT32_MAX;
	CHECK_INT(wrong, 0, "a gauge stays at its largest");
}

int
main(void)
{
	test_oids();
	test_rows();
	if (mkdtemp(dir) == NULL)
		return 1;
	str_fmt(path, sizeof(path), "%s/stats", dir);
	glance_open(dir, false);
	CHECK_INT(glance_now(0)->state, GLANCE_ABSENT, "no mapping");
	put_mapping();
	CHECK_INT(glance_now(0)->state, GLANCE_STARTING,
		  "a parent whose roles are not up");
	CHECK(!glance_now(0)->is_known[STAT_queue_outgoing],
	      "a gauge of a role that is not up is not known");
	test_order();
	CHECK(truncate(path, 100) == 0 &&
		      glance_now(0)->state == GLANCE_OTHER_VERSION,
	      "a mapping that was cut");
	mib_release();
	glance_close();
	unlink(path);
	rmdir(dir);
	return check_done();
}
