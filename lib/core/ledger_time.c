/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Times of the ledger by plain arithmetic: no locale, no zone, and no lock
 * of the C library for each of a million lines.
 */
#include "ledger_time.h"

#include <stdbool.h>

#include "ledger.h"
#include "str.h"

static const int month_days[12] = { 31, 28, 31, 30, 31, 30,
				    31, 31, 30, 31, 30, 31 };

struct civil {
	int year, month, day; /* month and day from 1 */
};

static bool
is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int
days_in(int year, int month)
{
	return month_days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from 1970-01-01 to the first day of a year. */
static int64_t
days_before(int year)
{
	int y = year - 1;

	return (int64_t)365 * (year - 1970) + (y / 4 - y / 100 + y / 400) -
	       (1969 / 4 - 1969 / 100 + 1969 / 400);
}

static struct civil
civil_of(int64_t days)
{
	struct civil c = { 1970 + (int)(days / 366), 1, 1 };

	while (days_before(c.year + 1) <= days)
		c.year++;
	days -= days_before(c.year);
	while (days >= days_in(c.year, c.month))
		days -= days_in(c.year, c.month++);
	c.day = (int)days + 1;
	return c;
}

void
ledger_file(int64_t at_us, char dst[LEDGER_NAME_SIZE])
{
	int64_t hours;
	struct civil c;

	if (at_us < 0)
		at_us = 0;
	if (at_us > LEDGER_TIME_MAX_US)
		at_us = LEDGER_TIME_MAX_US;
	hours = at_us / 3600000000;
	c = civil_of(hours / 24);
	str_fmt(dst, LEDGER_NAME_SIZE, "%04d%02d%02d%02d", c.year, c.month,
		c.day, (int)(hours % 24));
}

void
ledger_write_time(int64_t at_us, char dst[LEDGER_TIME_LEN + 1])
{
	int64_t s = at_us / 1000000;
	struct civil c = civil_of(s / 86400);

	str_fmt(dst, LEDGER_TIME_LEN + 1, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ",
		c.year, c.month, c.day, (int)(s / 3600 % 24),
		(int)(s / 60 % 60), (int)(s % 60), (int)(at_us % 1000000));
}

/* Digits up to the mark behind them; -1 when it is otherwise. */
static int
read_number(const char **p, int digits, char mark)
{
	int n = 0;

	while (digits-- > 0) {
		if (!ascii_isdigit(**p))
			return -1;
		n = n * 10 + (*(*p)++ - '0');
	}
	return *(*p)++ == mark ? n : -1;
}

int
ledger_read_time(struct span s, int64_t *out)
{
	static const int digits[7] = { 4, 2, 2, 2, 2, 2, 6 };
	static const char marks[7] = { '-', '-', 'T', ':', ':', '.', 'Z' };
	const char *p = s.p;
	int64_t days;
	int n[7], i;

	if (s.len != LEDGER_TIME_LEN)
		return -1;
	for (i = 0; i < 7; i++) {
		n[i] = read_number(&p, digits[i], marks[i]);
		if (n[i] < 0)
			return -1;
	}
	if (n[0] < 1970 || n[1] < 1 || n[1] > 12 || n[2] < 1 ||
	    n[2] > days_in(n[0], n[1]) || n[3] > 23 || n[4] > 59 || n[5] > 59)
		return -1;
	days = days_before(n[0]) + n[2] - 1;
	for (i = 1; i < n[1]; i++)
		days += days_in(n[0], i);
	*out = ((days * 24 + n[3]) * 60 + n[4]) * 60 + n[5];
	*out = *out * 1000000 + n[6];
	return 0;
}
