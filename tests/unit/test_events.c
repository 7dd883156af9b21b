/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Hysteresis and rate limit, played with a clock of the test's.
 */
#include "events.h"

#include <string.h>

#include "check.h"

static struct conf conf;
static struct glance g;
static char told[64];

static void
tell(const struct event *e, void *arg)
{
	(void)arg;
	if (e == events_get(EVENT_mcAlertOutgoingHigh) &&
	    strlen(told) + 1 < sizeof(told))
		told[strlen(told)] = e->is_raised ? '+' : '-';
}

static void
test_queue(void)
{
	static const struct {
		int64_t at_s, value;
		const char *told, *words;
	} rows[] = {
		{ 0, 99, "", "under the limit" },
		{ 1, 100, "", "at it, but not yet for long" },
		{ 30, 100, "", "still not" },
		{ 31, 150, "+", "raised after hold_s" },
		{ 40, 99, "+", "under the limit is not yet over" },
		{ 100, 81, "+", "nor a little more" },
		{ 101, 80, "+", "at four fifths, but not for long" },
		{ 120, 85, "+", "between again: the wait begins anew" },
		{ 125, 10, "+", "below" },
		{ 155, 10, "+-", "over after hold_s" },
		{ 160, 500, "+-", "over the limit again" },
		{ 190, 500, "+-", "raised, but too soon to be told" },
		{ 200, 0, "+-", "below" },
		{ 230, 0, "+-", "and so that it is over is not told either" },
		{ 300, 200, "+-", "once more" },
		{ 330, 200, "+-", "raised, too soon again" },
		{ 630, 200, "+-", "nearly" },
		{ 631, 200, "+-+", "told after again_s, as it still is" },
		{ 740, -1, "+-+", "not known any more: it stays" },
		{ 999, -1, "+-+", "for however long" },
		{ 1000, 5, "+-+", "known, and below" },
		{ 1030, 5, "+-+-", "over" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		g.is_known[STAT_queue_outgoing] = rows[i].value >= 0;
		g.values[STAT_queue_outgoing] = rows[i].value;
		events_look(&g, rows[i].at_s * 1000, tell, NULL);
		CHECK_STR(told, rows[i].told, "%s", rows[i].words);
	}
}

static void
test_growth(void)
{
	const struct event *e = events_get(EVENT_mcAlertParked);
	static const struct {
		int64_t at_s, total, value;
		const char *words;
	} rows[] = {
		{ 2000, 7, 0, "what was there before does not count" },
		{ 2010, 8, 1, "one more does" },
		{ 2020, 8, 1, "for some time" },
		{ 2600, 8, 1, "nearly ten minutes" },
		{ 2700, 8, 0, "then no more" },
		{ 2710, 3, 0, "a total that went back is no growth" },
		{ 2720, 5, 2, "and is counted from there" },
		{ 9000, 5, 0, "a long time without a look" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		g.is_known[STAT_parked] = true;
		g.values[STAT_parked] = rows[i].total;
		events_look(&g, rows[i].at_s * 1000, tell, NULL);
		CHECK_INT(e->value, rows[i].value, "%s", rows[i].words);
	}
}

/* Little is bad, and known only while there is a certificate. */
static void
test_certificate(void)
{
	const struct event *e = events_get(EVENT_mcAlertCertificateEnds);
	static const struct {
		int64_t at_s, days;
		bool is_raised;
		const char *words;
	} rows[] = {
		{ 20000, 15, false, "a certificate with days to spare" },
		{ 20100, 14, false, "at the limit, not for long" },
		{ 20130, 14, true, "for long" },
		{ 20200, -3, true, "it has expired" },
		{ 20300, 17, true, "renewed for next to nothing" },
		{ 20400, 90, true, "renewed, just now" },
		{ 20430, 90, false, "renewed" },
		{ 20500, 0, false, "there is none" },
		{ 20600, 0, false, "for however long" },
	};

	g.is_known[STAT_certificate_ends_us] = true;
	g.taken_us = 1000000;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		g.values[STAT_certificate_ends_us] =
			rows[i].days != 0
				? g.taken_us + rows[i].days * 86400000000 + 1
				: 0;
		if (rows[i].days < 0)
			g.values[STAT_certificate_ends_us] = 1;
		events_look(&g, rows[i].at_s * 1000, tell, NULL);
		CHECK_INT(e->is_raised, rows[i].is_raised, "%s", rows[i].words);
	}
}

int
main(void)
{
	char spool[] = "/nonexistent", none[] = "";

	conf.spool_dir = spool;
	conf.clamav_dir = none;
	conf.alert_queue_outgoing = 100;
	conf.alert_certificate_days = 14;
	conf.alert_hold_s = 30;
	conf.alert_again_s = 600;
	events_init(&conf);
	g.state = GLANCE_RUNNING;
	test_queue();
	test_growth();
	test_certificate();
	return check_done();
}
