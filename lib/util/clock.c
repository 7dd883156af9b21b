/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Clocks, and their two written forms.  The names of days and months are
 * those of the protocols, never those of a locale.
 */
#include "clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define US_PER_S 1000000
#define CLOCK_MAX_S 253402300799 /* the end of the year 9999 */

static int64_t
now_us(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

int64_t
clock_wall_us(void)
{
	return now_us(CLOCK_REALTIME);
}

int64_t
clock_wall_ms(void)
{
	return now_us(CLOCK_REALTIME) / 1000;
}

int64_t
clock_mono_ms(void)
{
	return now_us(CLOCK_MONOTONIC) / 1000;
}

int64_t
clock_mono_us(void)
{
	return now_us(CLOCK_MONOTONIC);
}

/* Cut to the years 1970 to 9999: the forms have no others. */
static int64_t
bounded(int64_t wall_us)
{
	if (wall_us < 0)
		return 0;
	if (wall_us / US_PER_S > CLOCK_MAX_S)
		return CLOCK_MAX_S * US_PER_S;
	return wall_us;
}

void
clock_rfc5322(char *dst, size_t size, int64_t wall_us)
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed",
					"Thu", "Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr",
					  "May", "Jun", "Jul", "Aug",
					  "Sep", "Oct", "Nov", "Dec" };
	time_t t = (time_t)(bounded(wall_us) / US_PER_S);
	struct tm tm;
	long offset;

	localtime_r(&t, &tm);
	/*
	 * The zone is written in whole minutes.  Where the real offset has
	 * seconds, the time written is the one at the offset written.
	 */
	offset = tm.tm_gmtoff / 60;
	t += offset * 60;
	gmtime_r(&t, &tm);
	snprintf(dst, size, "%s, %d %s %04d %02d:%02d:%02d %c%02ld%02ld",
		 days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
		 tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec,
		 offset < 0 ? '-' : '+', labs(offset) / 60, labs(offset) % 60);
}

void
clock_iso8601(char *dst, size_t size, int64_t wall_us)
{
	int64_t us = bounded(wall_us);
	time_t t = (time_t)(us / US_PER_S);
	struct tm tm;

	gmtime_r(&t, &tm);
	snprintf(dst, size, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
		 tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
		 tm.tm_min, tm.tm_sec, (int)(us % US_PER_S / 1000));
}
