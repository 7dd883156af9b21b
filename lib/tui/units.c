/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Figures that fit columns.
 */
#include "units.h"

#include <time.h>

#include "str.h"

/* Three digits and a letter: 1.23, 12.3, 123. */
static const char *
three(char *dst, double n, const char *letter)
{
	int digits = n < 9.995 ? 2 : n < 99.95 ? 1 : 0;

	str_fmt(dst, UNITS_SIZE, "%.*f%s", digits, n, letter);
	return dst;
}

const char *
units_count(char dst[UNITS_SIZE], int64_t n)
{
	static const char *const letters[] = { "k", "M", "G", "T", "P", "E" };
	double left = (double)n / 1000;
	int i = 0;

	if (n < 0)
		str_copy(dst, UNITS_SIZE, "-");
	else if (n < 1000)
		str_fmt(dst, UNITS_SIZE, "%lld", (long long)n);
	else if (n < 100000)
		str_fmt(dst, UNITS_SIZE, "%lld,%03lld", (long long)n / 1000,
			(long long)n % 1000);
	else {
		for (; left >= 999.5 && i < 5; i++)
			left /= 1000;
		return three(dst, left, letters[i]);
	}
	return dst;
}

const char *
units_rate(char dst[UNITS_SIZE], int64_t milli)
{
	if (milli < 0)
		str_copy(dst, UNITS_SIZE, "-");
	else if (milli == 0)
		str_copy(dst, UNITS_SIZE, "0");
	else if (milli < 995)
		str_fmt(dst, UNITS_SIZE, "%.2f",
			milli < 10 ? 0.01 : (double)milli / 1000);
	else if (milli < 99950)
		str_fmt(dst, UNITS_SIZE, "%.1f", (double)milli / 1000);
	else
		return units_count(dst, (milli + 500) / 1000);
	return dst;
}

const char *
units_bytes(char dst[UNITS_SIZE], int64_t n)
{
	static const char *const letters[] = { "K", "M", "G", "T", "P", "E" };
	double left = (double)n / 1024;
	int i = 0;

	if (n < 0)
		str_copy(dst, UNITS_SIZE, "-");
	else if (n < 1000)
		str_fmt(dst, UNITS_SIZE, "%lldB", (long long)n);
	else {
		for (; left >= 999.5 && i < 5; i++)
			left /= 1024;
		str_fmt(dst, UNITS_SIZE, "%.*f%s", left < 9.95, left,
			letters[i]);
	}
	return dst;
}

const char *
units_age(char dst[UNITS_SIZE], int64_t us)
{
	long long s = us / 1000000;

	if (us < 0)
		str_copy(dst, UNITS_SIZE, "-");
	else if (s < 100)
		str_fmt(dst, UNITS_SIZE, "%llds", s);
	else if (s < 6000)
		str_fmt(dst, UNITS_SIZE, "%lldm", s / 60);
	else if (s < 86400)
		str_fmt(dst, UNITS_SIZE, "%lldh%02lldm", s / 3600,
			s % 3600 / 60);
	else if (s < 10 * 86400)
		str_fmt(dst, UNITS_SIZE, "%lldd%02lldh", s / 86400,
			s % 86400 / 3600);
	else
		str_fmt(dst, UNITS_SIZE, "%lldd", s / 86400);
	return dst;
}

const char *
units_share(char dst[UNITS_SIZE], int64_t part, int64_t whole)
{
	double percent;

	if (whole <= 0 || part < 0) {
		str_copy(dst, UNITS_SIZE, "-");
		return dst;
	}
	percent = (double)part * 100 / (double)whole;
	if (part == 0 || percent >= 99.95)
		str_fmt(dst, UNITS_SIZE, "%.0f%%", percent);
	else
		str_fmt(dst, UNITS_SIZE, "%.1f%%",
			percent < 0.1 ? 0.1 : percent);
	return dst;
}

const char *
units_clock(char dst[UNITS_SIZE], int64_t wall_us, int64_t now_us)
{
	time_t t = (time_t)(wall_us / 1000000);
	time_t now = (time_t)(now_us / 1000000);
	struct tm tm, today;

	if (localtime_r(&t, &tm) == NULL || localtime_r(&now, &today) == NULL) {
		str_copy(dst, UNITS_SIZE, "-");
		return dst;
	}
	if (tm.tm_year == today.tm_year && tm.tm_yday == today.tm_yday)
		(void)strftime(dst, UNITS_SIZE, "%H:%M:%S", &tm);
	else
		(void)strftime(dst, UNITS_SIZE, "%m-%d %H:%M", &tm);
	return dst;
}
