/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Clocks, and their written forms in several time zones.
 */
#include "clock.h"

#include <time.h>

#include "check.h"

/* 2026-11-23T14:05:09.123456Z */
#define SOME_US 1795442709123456

static const struct {
	const char *tz;
	int64_t wall_us;
	const char *want;
	const char *words;
} rows[] = {
	{ "UTC", SOME_US, "Mon, 23 Nov 2026 14:05:09 +0000", "UTC" },
	{ "XYZ-1", SOME_US, "Mon, 23 Nov 2026 15:05:09 +0100", "an hour east" },
	{ "XYZ5", SOME_US, "Mon, 23 Nov 2026 09:05:09 -0500",
	  "five hours west" },
	{ "XYZ3:30", SOME_US, "Mon, 23 Nov 2026 10:35:09 -0330",
	  "half an hour, west" },
	{ "XYZ-5:45", SOME_US, "Mon, 23 Nov 2026 19:50:09 +0545",
	  "three quarters of an hour, east" },
	{ "XYZ0:30", SOME_US, "Mon, 23 Nov 2026 13:35:09 -0030",
	  "less than an hour west" },
	{ "XYZ-14", SOME_US, "Tue, 24 Nov 2026 04:05:09 +1400",
	  "the next day" },
	{ "XYZ-0:19:32", SOME_US, "Mon, 23 Nov 2026 14:24:09 +0019",
	  "an offset with seconds keeps the instant" },
	{ "XYZ0:19:32", SOME_US, "Mon, 23 Nov 2026 13:46:09 -0019",
	  "an offset with seconds, west" },
	{ "CET-1CEST,M3.5.0,M10.5.0/3", 1785542400000000,
	  "Sat, 1 Aug 2026 02:00:00 +0200", "summer time" },
	{ "CET-1CEST,M3.5.0,M10.5.0/3", 1774745999000000,
	  "Sun, 29 Mar 2026 01:59:59 +0100", "the second before it" },
	{ "CET-1CEST,M3.5.0,M10.5.0/3", 1774746000000000,
	  "Sun, 29 Mar 2026 03:00:00 +0200", "its first second" },
	{ "UTC", 0, "Thu, 1 Jan 1970 00:00:00 +0000", "the epoch" },
	{ "UTC", -1, "Thu, 1 Jan 1970 00:00:00 +0000",
	  "what is before it is shown as it" },
	{ "XYZ5", 0, "Wed, 31 Dec 1969 19:00:00 -0500", "the epoch, west" },
	{ "UTC", 1709164800000000, "Thu, 29 Feb 2024 00:00:00 +0000",
	  "a leap day" },
	{ "UTC", INT64_MAX, "Fri, 31 Dec 9999 23:59:59 +0000",
	  "the largest time" },
	{ "UTC", INT64_MIN, "Thu, 1 Jan 1970 00:00:00 +0000",
	  "the smallest time" },
};

static void
test_rfc5322(void)
{
	char text[40];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		setenv("TZ", rows[i].tz, 1);
		tzset();
		clock_rfc5322(text, sizeof(text), rows[i].wall_us);
		CHECK_STR(text, rows[i].want, "rfc5322: %s", rows[i].words);
	}
}

static void
test_iso8601(void)
{
	char text[32];

	setenv("TZ", "XYZ5", 1);
	tzset();
	clock_iso8601(text, sizeof(text), SOME_US);
	CHECK_STR(text, "2026-11-23T14:05:09.123Z", "iso8601 is UTC");
	clock_iso8601(text, sizeof(text), 999999);
	CHECK_STR(text, "1970-01-01T00:00:00.999Z", "parts are cut");
	clock_iso8601(text, sizeof(text), INT64_MAX);
	CHECK_STR(text, "9999-12-31T23:59:59.000Z", "the largest time");
	clock_iso8601(text, sizeof(text), INT64_MIN);
	CHECK_STR(text, "1970-01-01T00:00:00.000Z", "the smallest time");
}

static void
test_clocks(void)
{
	int64_t before = clock_mono_us(), now, last = before;
	int64_t wall = clock_wall_us();
	int backwards = 0;
	int i;

	for (i = 0; i < 10000; i++) {
		now = clock_mono_us();
		backwards += now < last;
		last = now;
	}
	CHECK_INT(backwards, 0, "the monotonic clock does not go back");
	CHECK(last > before, "and goes on");
	now = clock_mono_ms();
	CHECK(now >= last / 1000 && now <= clock_mono_us() / 1000,
	      "in milliseconds too");
	CHECK(wall / 1000000 >= time(NULL) - 5 &&
		      wall / 1000000 <= time(NULL) + 5,
	      "the wall clock is time(2)");
	now = clock_wall_ms();
	CHECK(now >= wall / 1000 - 5000 && now <= wall / 1000 + 5000,
	      "in milliseconds too");
}

int
main(void)
{
	test_rfc5322();
	test_iso8601();
	test_clocks();
	return check_done();
}
