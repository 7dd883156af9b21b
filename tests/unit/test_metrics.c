/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Names, units and escapes of the page for Prometheus.
 */
#include "metrics.h"

#include <string.h>

#include "check.h"
#include "str.h"

static void
test_names(void)
{
	static const struct {
		const char *name, *unit, *want;
	} rows[] = {
		{ "mcInMessages", "messages", "mcgate_in_messages" },
		{ "mcInBytes", "bytes", "mcgate_in_bytes" },
		{ "mcQueueOldestAge", "seconds",
		  "mcgate_queue_oldest_age_seconds" },
		{ "mcListTime", "microseconds", "mcgate_list_time_seconds" },
		{ "mcStatusState", "", "mcgate_status_state" },
	};
	char name[METRICS_NAME_SIZE];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mib_object o = { .name = rows[i].name,
					.unit = rows[i].unit };

		metrics_name(&o, name);
		CHECK_STR(name, rows[i].want, "%s in %s", rows[i].name,
			  rows[i].unit);
	}
}

/* Two objects with one name would be one family with two meanings. */
static void
test_each_once(void)
{
	char one[METRICS_NAME_SIZE], other[METRICS_NAME_SIZE];
	const struct mib_object *o;
	size_t count = mib_objects(&o), i, k;

	for (i = 0; i < count; i++) {
		metrics_name(&o[i], one);
		for (k = 0; k < i; k++) {
			metrics_name(&o[k], other);
			if (str_eq(one, other))
				break;
		}
		CHECK(k == i, "%s is there once", one);
		CHECK(strpbrk(o[i].help, "\"\\\n") == NULL,
		      "and has plain words");
	}
}

static void
test_page(void)
{
	const struct mib_object count = { .name = "mcHopDelivered",
					  .unit = "recipients",
					  .help = "taken",
					  .kind = MIB_COUNTER,
					  .table = TABLE_HOP };
	const struct mib_object time = { .name = "mcListTime",
					 .unit = "microseconds",
					 .help = "time",
					 .kind = MIB_COUNTER,
					 .table = TABLE_RBL };
	const struct mib_object text = { .name = "mcErrorText",
					 .unit = "",
					 .help = "text",
					 .kind = MIB_TEXT,
					 .table = -1 };
	const struct mib_cell cells[] = {
		{ .object = &text, .key = "", .text = "left out" },
		{ .object = &count, .key = "a\"b\\c\nd", .number = 7 },
		{ .object = &count, .key = "e", .number = UINT64_MAX },
		{ .object = &time, .key = "l", .number = 1000002 },
	};
	struct buf b = { 0 };

	metrics_write(cells, 4, METRICS_OPEN, &b);
	CHECK_STR(buf_str(&b),
		  "# TYPE mcgate_hop_delivered counter\n"
		  "# HELP mcgate_hop_delivered taken, in recipients.\n"
		  "mcgate_hop_delivered_total{hop=\"a\\\"b\\\\c\\nd\"} 7\n"
		  "mcgate_hop_delivered_total{hop=\"e\"} "
		  "18446744073709551615\n"
		  "# TYPE mcgate_list_time_seconds counter\n"
		  "# UNIT mcgate_list_time_seconds seconds\n"
		  "# HELP mcgate_list_time_seconds time.\n"
		  "mcgate_list_time_seconds_total{list=\"l\"} 1.000002\n"
		  "# EOF\n",
		  "OpenMetrics");
	buf_clear(&b);
	metrics_write(cells, 2, METRICS_TEXT, &b);
	CHECK_STR(buf_str(&b),
		  "# TYPE mcgate_hop_delivered_total counter\n"
		  "# HELP mcgate_hop_delivered_total taken, in recipients.\n"
		  "mcgate_hop_delivered_total{hop=\"a\\\"b\\\\c\\nd\"} 7\n",
		  "the older form");
	buf_release(&b);
}

int
main(void)
{
	test_names();
	test_each_once();
	test_page();
	return check_done();
}
