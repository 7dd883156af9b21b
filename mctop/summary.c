/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Three forms by the room there is: one column below 76 columns, queues and
 * flow side by side from there on, and taller trends where rows are plenty.
 */
#include "summary.h"

#include <string.h>

#include "chart.h"
#include "panel.h"
#include "str.h"
#include "units.h"

#define SECOND 1000000LL
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define NOW (10 * SECOND) /* "now" is a mean of so long */
#define WIDE 76 /* columns from which two blocks stand side by side */
#define TREND_MAX 512

static const struct {
	const char *name;
	enum stat_id stat;
	enum ink ink;
} queues[] = {
	{ "incoming", STAT_queue_incoming, INK_INCOMING },
	{ "filtering", STAT_queue_filtering, INK_FILTERING },
	{ "outgoing", STAT_queue_outgoing, INK_OUTGOING },
};

static const struct flow {
	const char *name, *shorter;
	enum stat_id stat;
	bool is_bad;
} flows[] = {
	{ "received", "in", STAT_in_messages, false },
	{ "filtered", "filtered", STAT_filter_scans, false },
	{ "delivered", "out", STAT_delivered, false },
	{ "deferred", "deferred", STAT_deferred, true },
	{ "refused", "refused", STAT_in_refused, true },
};
#define FLOWS ((int)(sizeof(flows) / sizeof(*flows)))

static const struct {
	const char *name;
	enum stat_id stat;
} parked[] = {
	{ "hold", STAT_queue_hold },
	{ "quarantine", STAT_queue_quarantine },
	{ "corrupt", STAT_queue_corrupt },
};

static int64_t
value(const struct sample *s, enum stat_id st)
{
	return s->has_stats ? s->values[st] : -1;
}

/* What does not move has no rate. */
static int64_t
rate(const struct sample *s, enum stat_id st, int64_t last_us)
{
	return s->alive.is_running ? trend_rate(s->trend, st, last_us)
				   : TREND_UNKNOWN;
}

static int
trend_height(int rows)
{
	return rows >= 50 ? 3 : rows >= 36 ? 2 : 1;
}

int
summary_rows(int rows, int cols)
{
	if (cols < WIDE || rows < 20)
		return rows >= 20 ? 9 : rows >= 15 ? 8 : rows - 3;
	return 3 + 3 * trend_height(rows) + 4;
}

static void
state_words(const struct sample *s, char *dst, size_t size, bool is_short)
{
	char age[UNITS_SIZE], when[UNITS_SIZE];
	const struct beat *a = &s->alive;

	if (!s->has_stats && s->is_foreign) {
		str_fmt(dst, size, "mcd is of another version: restart it");
	} else if (!s->has_stats) {
		str_fmt(dst, size, "mcd is not running: %s", s->why_not);
	} else if (a->is_running) {
		units_age(age, s->wall_us - a->started_us);
		str_fmt(dst, size, is_short ? "up %s%s" : "running for %s%s",
			age,
			s->values[STAT_intake_open] == 0
				? ", intake CLOSED"
				: (is_short ? "" : ", intake open"));
	} else {
		units_age(age, s->wall_us - a->beat_us);
		units_clock(when, a->beat_us, s->wall_us);
		str_fmt(dst, size,
			is_short ? "%s since %s" : "%s since %s (%s)%s",
			a->is_hung ? "mcd DOES NOT ANSWER" : "mcd is DOWN",
			when, age, ": figures as last seen");
	}
}

void
summary_bar(const struct sample *s, const struct pane *p, const char *host,
	    const char *right)
{
	bool is_well = s->has_stats && s->alive.is_running &&
		       s->values[STAT_intake_open] != 0;
	enum ink ink = is_well ? INK_BAR : INK_BAR_ALARM;
	int at = 1, room = p->cols - text_columns(right, -1) - 2;
	char words[512];

	pane_fill(p, 0, 0, p->cols, ink, ' ');
	state_words(s, words, sizeof(words), p->cols < WIDE);
	if (p->cols >= WIDE || is_well)
		at += pane_text(p, 0, at, p->cols >= WIDE ? 40 : room / 2,
				is_well ? INK_BAR_STRONG : ink, host) +
		      2;
	pane_char(p, 0, at, ink, is_well ? 0x25cf : '!');
	at += 2;
	pane_text(p, 0, at, room - at, ink, words);
	pane_right(p, 0, room, p->cols - room - 1, ink, right);
}

/* Behind the point: three figures in all are enough, and fit everywhere. */
static int
load_digits(int64_t hundredths)
{
	return hundredths < 1000 ? 2 : hundredths < 10000 ? 1 : 0;
}

static void
draw_meters(const struct sample *s, const struct pane *p)
{
	int each = (p->cols - 1) / 2, left = 0, right = each + 1;
	const struct host *h = &s->host;
	int label = p->cols >= WIDE ? 7 : 4;
	char words[64], a[UNITS_SIZE], b[UNITS_SIZE];
	const char *memory = label > 4 ? "Memory" : "Mem";

	pane_text(p, 0, left, label, INK_LABEL, "CPU");
	units_share(a, s->cpu_permille, 1000);
	chart_meter(p, 0, left + label, each - label, s->cpu_permille, 1000, a);
	pane_text(p, 0, right, label, INK_LABEL, memory);
	str_fmt(words, sizeof(words), "%s/%s", units_bytes(a, h->memory_used),
		units_bytes(b, h->memory_all));
	chart_meter(p, 0, right + label, p->cols - right - label,
		    h->memory_used, h->memory_all, words);
	pane_text(p, 1, left, label, INK_LABEL, label > 4 ? "Spool" : "Dsk");
	str_fmt(words, sizeof(words), label > 4 ? "%s of %s free" : "%s free",
		units_bytes(a, h->disk_free), units_bytes(b, h->disk_all));
	chart_meter(p, 1, left + label, each - label, h->disk_used, h->disk_all,
		    words);
	pane_text(p, 1, right, label, INK_LABEL, "Load");
	right += label + 1;
	right += pane_fmt(p, 1, right, 16, INK_STRONG, "%.*f ",
			  load_digits(h->load[0]), (double)h->load[0] / 100);
	right += pane_fmt(p, 1, right, 16, INK_TEXT, "%.*f %.*f",
			  load_digits(h->load[1]), (double)h->load[1] / 100,
			  load_digits(h->load[2]), (double)h->load[2] / 100);
	if (label <= 5)
		return;
	units_bytes(a, s->received_rate);
	units_bytes(b, s->sent_rate);
	str_fmt(words, sizeof(words), "net %s/s in %s/s out", a, b);
	if (p->cols - right > text_columns(words, -1) + 1)
		pane_right(p, 1, right, p->cols - right, INK_DIM, words);
}

static void
draw_queue(const struct sample *s, const struct pane *p, int row, int i,
	   int height)
{
	int64_t values[TREND_MAX], n = value(s, queues[i].stat);
	int left = 20, width = p->cols - left;
	char text[UNITS_SIZE];

	pane_text(p, row, 0, 10, queues[i].ink, queues[i].name);
	pane_right(p, row, 10, 8, n > 0 ? INK_STRONG : INK_TEXT,
		   units_count(text, n));
	if (width > TREND_MAX / 2)
		width = TREND_MAX / 2;
	if (width < 4)
		return;
	trend_values(s->trend, queues[i].stat, HOUR, values, width * 2);
	chart_trend(p, row, p->cols - width, height, width, queues[i].ink,
		    values, width * 2, 0);
}

/* hold 0  quarantine 17  corrupt 0: a number that is not 0 stands out. */
static int
draw_parked(const struct sample *s, const struct pane *p, int row)
{
	char text[UNITS_SIZE];
	int col = 0;

	for (size_t i = 0; i < sizeof(parked) / sizeof(*parked); i++) {
		int64_t n = value(s, parked[i].stat);

		col += pane_text(p, row, col, 12, INK_DIM, parked[i].name) + 1;
		col += pane_text(p, row, col, 8,
				 n <= 0	  ? INK_DIM
				 : i == 2 ? INK_BAD
					  : INK_STRONG,
				 units_count(text, n)) +
		       2;
	}
	return col;
}

static void
oldest_words(const struct sample *s, char *dst, size_t size)
{
	int64_t at = value(s, STAT_queue_oldest_us);
	char age[UNITS_SIZE], bytes[UNITS_SIZE];

	units_bytes(bytes, value(s, STAT_queue_bytes));
	if (at <= 0)
		str_fmt(dst, size, "nothing waits");
	else
		str_fmt(dst, size, "oldest %s, %s in all",
			units_age(age, s->wall_us - at), bytes);
}

static void
draw_queues(const struct sample *s, const struct pane *p, int height)
{
	char words[64];
	int i, row;

	pane_text(p, 0, 0, 10, INK_TITLE, "Queues");
	pane_right(p, 0, 10, 8, INK_DIM, "now");
	pane_text(p, 0, 20, p->cols - 20, INK_DIM, "the last hour");
	for (i = 0; i < 3; i++)
		draw_queue(s, p, 1 + i * height, i, height);
	row = 1 + 3 * height;
	draw_parked(s, p, row);
	oldest_words(s, words, sizeof(words));
	pane_text(p, row + 1, 0, p->cols, INK_DIM, words);
}

static void
draw_flow(const struct sample *s, const struct pane *p)
{
	static const int64_t spans[] = { NOW, MINUTE, HOUR };
	static const char *const names[] = { "now", "minute", "hour" };
	int64_t values[TREND_MAX];
	char text[UNITS_SIZE];
	int i, k, row, width = p->cols - 36;

	pane_text(p, 0, 0, 12, INK_TITLE, "Per second");
	for (k = 0; k < 3; k++)
		pane_right(p, 0, 10 + 8 * k, 8, INK_DIM, names[k]);
	if (width > TREND_MAX / 2)
		width = TREND_MAX / 2;
	for (i = 0; i < FLOWS; i++) {
		row = 1 + i;
		pane_text(p, row, 0, 10, INK_TEXT, flows[i].name);
		for (k = 0; k < 3; k++) {
			int64_t r = rate(s, flows[i].stat, spans[k]);

			pane_right(p, row, 10 + 8 * k, 8,
				   r <= 0	     ? INK_DIM
				   : flows[i].is_bad ? INK_WARN
				   : k == 0	     ? INK_STRONG
						     : INK_TEXT,
				   units_rate(text, r));
		}
		if (width < 8)
			continue;
		trend_values(s->trend, flows[i].stat, HOUR, values, width * 2);
		chart_trend(p, row, 36, 1, width,
			    flows[i].is_bad ? INK_WARN : INK_LABEL, values,
			    width * 2, 0);
	}
}

/* What mail was, of the last hour that is known: all kinds, and a bar. */
static void
draw_kinds(const struct sample *s, const struct pane *p, int row)
{
	int64_t counts[KIND_COUNT], sum = kinds_count(s, HOUR, counts);
	struct chart_part parts[KIND_COUNT];
	char text[KIND_COUNT][32], share[UNITS_SIZE];
	int i, col, used = 0;

	for (i = 0; i < KIND_COUNT; i++) {
		parts[i] = (struct chart_part){ counts[i], kind_rows[i].ink };
		units_share(share, counts[i], sum);
		str_fmt(text[i], sizeof(text[i]), "%s %s", kind_rows[i].name,
			share);
		used += text_columns(text[i], -1) + 2;
	}
	col = p->cols - used + 2;
	pane_text(p, row, 0, 10, INK_TITLE, "Last hour");
	chart_parts(p, row, 10, col - 12, parts, KIND_COUNT);
	if (sum == 0)
		pane_fill(p, row, 10, col - 12, INK_EMPTY, 0xb7);
	for (i = 0; i < KIND_COUNT; i++)
		col += pane_text(p, row, col, p->cols - col, kind_rows[i].ink,
				 text[i]) +
		       2;
}

/* The same in 40 columns: all that is not wanted together. */
static void
draw_short_kinds(const struct sample *s, const struct pane *p, int row)
{
	int64_t counts[KIND_COUNT], sum = kinds_count(s, HOUR, counts), n;
	char share[UNITS_SIZE];
	int col = 0;

	units_share(share, counts[KIND_CLEAN], sum);
	col += pane_fmt(p, row, col, 16, INK_CLEAN, "clean %s", share) + 2;
	n = counts[KIND_TAGGED] + counts[KIND_SPAM] + counts[KIND_VIRUS];
	units_share(share, n, sum);
	col += pane_fmt(p, row, col, 16, INK_SPAM, "spam %s", share) + 2;
	units_share(share, counts[KIND_REFUSED], sum);
	pane_fmt(p, row, col, 16, INK_REFUSED, "refused %s", share);
}

static void
draw_wide(const struct sample *s, const struct pane *p)
{
	int height = trend_height(p->grid->rows);
	int left = p->cols >= 120 ? p->cols / 2 - 1 : p->cols - 36;
	struct pane part;

	part = pane_part(p, 3, 0, p->rows - 3, left);
	draw_queues(s, &part, height);
	part = pane_part(p, 3, left + 2, p->rows - 3, p->cols - left - 2);
	draw_flow(s, &part);
	draw_kinds(s, p, 3 + 3 * height + 3);
}

/* One line of rates: in 168/s  filtered 165/s  out 160/s. */
static void
draw_short_flow(const struct sample *s, const struct pane *p, int row)
{
	char text[UNITS_SIZE];
	int i, col = 0;

	for (i = 0; i < 3; i++) {
		int64_t r = rate(s, flows[i].stat, NOW);

		col += pane_text(p, row, col, 10, INK_DIM, flows[i].shorter) +
		       1;
		col += pane_text(p, row, col, 6, r > 0 ? INK_STRONG : INK_DIM,
				 units_rate(text, r));
		col += pane_text(p, row, col, 3, INK_DIM, "/s") + 1;
	}
}

static void
draw_last_error(const struct sample *s, const struct pane *p, int row)
{
	const struct ring_copy *ring = &s->rings[RING_ERROR];
	char age[UNITS_SIZE], text[STATS_RING_TEXT];

	if (ring->count == 0)
		return;
	str_printable(text, sizeof(text), ring->lines[0].text,
		      strlen(ring->lines[0].text));
	pane_fmt(p, row, 0, p->cols, INK_WARN, "%s ago: %s",
		 units_age(age, s->wall_us - ring->lines[0].at_us), text);
}

static void
draw_narrow(const struct sample *s, const struct pane *p)
{
	char words[64];
	int i, row = 2;

	row += p->rows >= 9 && p->grid->rows >= 20;
	for (i = 0; i < 3; i++)
		draw_queue(s, p, row++, i, 1);
	draw_short_flow(s, p, row++);
	draw_short_kinds(s, p, row++);
	draw_parked(s, p, row++);
	oldest_words(s, words, sizeof(words));
	pane_text(p, row, 0, p->cols, INK_DIM, words);
	draw_last_error(s, p, row + 1);
}

void
summary_draw(const struct sample *s, const struct pane *p)
{
	draw_meters(s, p);
	if (p->cols < WIDE || p->grid->rows < 20)
		draw_narrow(s, p);
	else
		draw_wide(s, p);
}
