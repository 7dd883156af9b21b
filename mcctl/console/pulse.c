/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Opened anew each time: mcd may have been started again.
 */
#include "pulse.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "str.h"
#include "units.h"

void
pulse_take(const struct conf *conf, struct pulse *p)
{
	struct stats *s = NULL;
	struct err e = { "" };
	char path[1100];

	memset(p, 0, sizeof(*p));
	p->now_us = clock_wall_us();
	str_fmt(path, sizeof(path), "%s/stats", conf->run_dir);
	if (access(path, F_OK) < 0 && errno == ENOENT) {
		str_copy(p->why_not, sizeof(p->why_not), "not started yet");
		return;
	}
	s = stats_open(path, &e);
	if (s == NULL) {
		p->is_foreign = access(path, R_OK) == 0;
		str_copy(p->why_not, sizeof(p->why_not), e.text);
		return;
	}
	p->has_stats = true;
	beat_take(s, &p->beat);
	stats_all(s, p->values);
	stats_unmap(s);
}

bool
pulse_is_well(const struct pulse *p)
{
	return p->has_stats && p->beat.is_running &&
	       p->values[STAT_intake_open] != 0;
}

void
pulse_words(const struct pulse *p, char *dst, size_t size)
{
	char age[UNITS_SIZE], when[UNITS_SIZE];

	if (!p->has_stats && p->is_foreign) {
		str_fmt(dst, size, "mcd is of another version: restart it");
	} else if (!p->has_stats) {
		str_fmt(dst, size, "mcd is not running: %s", p->why_not);
	} else if (p->beat.is_running) {
		units_age(age, p->now_us - p->beat.started_us);
		str_fmt(dst, size, "running for %s%s", age,
			p->values[STAT_intake_open] == 0 ? ", intake CLOSED"
							 : "");
	} else {
		units_clock(when, p->beat.beat_us, p->now_us);
		str_fmt(dst, size, "%s since %s",
			p->beat.is_hung ? "mcd DOES NOT ANSWER" : "mcd is DOWN",
			when);
	}
}
