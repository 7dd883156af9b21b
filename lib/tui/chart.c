/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Meters, trends and pies out of characters.
 */
#include "chart.h"

#include <math.h>
#include <string.h>

#define BRAILLE 0x2800
#define EIGHTHS 0x2588 /* full block; the next seven are ever narrower */
#define PI 3.14159265358979323846

static enum ink
meter_ink(int64_t part, int64_t whole)
{
	if (whole <= 0 || part * 100 < whole * 70)
		return INK_LOW;
	return part * 100 < whole * 90 ? INK_MID : INK_HIGH;
}

static int64_t
scaled(int64_t part, int64_t whole, int64_t to)
{
	if (part <= 0 || whole <= 0)
		return 0;
	if (part >= whole)
		return to;
	return (int64_t)((double)part / (double)whole * (double)to + 0.5);
}

void
chart_meter(const struct pane *p, int row, int col, int width, int64_t part,
	    int64_t whole, const char *words)
{
	int inside = width - 2, words_at, full;
	enum ink ink = meter_ink(part, whole);

	if (inside < 1)
		return;
	full = (int)scaled(part, whole, inside);
	if (full == 0 && part > 0 && whole > 0)
		full = 1;
	pane_char(p, row, col, INK_STRONG, '[');
	pane_char(p, row, col + width - 1, INK_STRONG, ']');
	pane_fill(p, row, col + 1, full, ink, '|');
	pane_fill(p, row, col + 1 + full, inside - full, INK_TEXT, ' ');
	words_at = inside - text_columns(words, -1);
	if (words_at < 0)
		words_at = 0;
	pane_text(p, row, col + 1 + words_at, inside - words_at,
		  ink == INK_LOW ? INK_DIM : ink, words);
}

void
chart_bar(const struct pane *p, int row, int col, int width, enum ink ink,
	  int64_t part, int64_t whole)
{
	int64_t eighths = scaled(part, whole, (int64_t)width * 8);
	int i;

	if (eighths == 0 && part > 0)
		eighths = 1;
	for (i = 0; i < width && eighths > 0; i++, eighths -= 8) {
		if (!p->grid->is_utf8)
			pane_char(p, row, col + i, ink, '=');
		else if (eighths >= 8)
			pane_char(p, row, col + i, ink, EIGHTHS);
		else
			pane_char(p, row, col + i, ink,
				  (uint32_t)(EIGHTHS + 8 - eighths));
	}
}

static int64_t
largest(const int64_t *values, int count)
{
	int64_t top = 0;

	for (int i = 0; i < count; i++) {
		if (values[i] > top)
			top = values[i];
	}
	return top;
}

/* Dots of the left or right half of a braille cell, n of 4 from below. */
static uint32_t
half_cell(int n, int is_right)
{
	static const unsigned char left[] = { 0, 0x40, 0x44, 0x46, 0x47 };
	static const unsigned char right[] = { 0, 0x80, 0xa0, 0xb0, 0xb8 };

	n = n < 0 ? 0 : n > 4 ? 4 : n;
	return is_right ? right[n] : left[n];
}

static void
trend_braille(const struct pane *p, int row, int col, int rows, int width,
	      enum ink ink, const int64_t *values, int count, int64_t top)
{
	int i, r, x, dots, bits, from = count - width * 2;

	for (x = 0; x < width; x++) {
		for (r = 0; r < rows; r++) {
			bits = 0;
			for (i = 0; i < 2; i++) {
				int at = from + x * 2 + i;

				if (at < 0 || values[at] < 0)
					continue;
				dots = (int)scaled(values[at], top, rows * 4L);
				/* A line at the bottom: known, and nothing. */
				dots = dots < 1 ? 1 : dots;
				bits |= (int)half_cell(
					dots - 4 * (rows - 1 - r), i);
			}
			if (bits != 0)
				pane_char(p, row + r, col + x, ink,
					  (uint32_t)(BRAILLE + bits));
		}
	}
}

static void
trend_ascii(const struct pane *p, int row, int col, int rows, int width,
	    enum ink ink, const int64_t *values, int count, int64_t top)
{
	static const char steps[] = "_.-=#";
	int x, r, n, from = count - width * 2;
	int64_t v;

	for (x = 0; x < width; x++) {
		int at = from + x * 2;

		v = at + 1 >= 0 ? values[at + 1] : CHART_UNKNOWN;
		if (at >= 0 && values[at] > v)
			v = values[at];
		if (v < 0)
			continue;
		n = (int)scaled(v, top, rows * 4L);
		for (r = 0; r < rows; r++) {
			int dots = n - 4 * (rows - 1 - r);

			dots = dots > 4 ? 4 : dots;
			if (dots > 0 || (dots == 0 && r == rows - 1))
				pane_char(p, row + r, col + x, ink,
					  (unsigned char)steps[dots]);
		}
	}
}

void
chart_trend(const struct pane *p, int row, int col, int rows, int width,
	    enum ink ink, const int64_t *values, int count, int64_t top)
{
	if (width < 1 || rows < 1)
		return;
	if (top <= 0)
		top = largest(values, count);
	if (top <= 0)
		top = 1;
	if (p->grid->is_utf8)
		trend_braille(p, row, col, rows, width, ink, values, count,
			      top);
	else
		trend_ascii(p, row, col, rows, width, ink, values, count, top);
}

static int64_t
sum_of(const struct chart_part *parts, int count)
{
	int64_t sum = 0;

	for (int i = 0; i < count; i++)
		sum += parts[i].value > 0 ? parts[i].value : 0;
	return sum;
}

void
chart_parts(const struct pane *p, int row, int col, int width,
	    const struct chart_part *parts, int count)
{
	static const char signs[] = "#=%x.+*";
	int64_t sum = sum_of(parts, count), before = 0;
	int at = 0, end, later = 0, i;

	for (i = 0; i < count; i++)
		later += parts[i].value > 0;
	for (i = 0; i < count && sum > 0; i++) {
		if (parts[i].value <= 0)
			continue;
		before += parts[i].value;
		later--;
		end = (int)scaled(before, sum, width);
		end = end <= at ? at + 1 : end;
		end = end > width - later ? width - later : end;
		pane_fill(p, row, col + at, end - at, parts[i].ink,
			  p->grid->is_utf8 ? EIGHTHS
					   : (unsigned char)signs[i % 7]);
		at = end;
	}
}

/* Which part a dot of the disc belongs to, -1: outside it. */
static int
part_at(double x, double y, const struct chart_part *parts, int count,
	int64_t sum)
{
	double turn, at = 0;
	int i, last = -1;

	if (x * x + y * y > 1.0)
		return -1;
	turn = atan2(x, -y) / (2 * PI);
	if (turn < 0)
		turn += 1;
	for (i = 0; i < count; i++) {
		if (parts[i].value <= 0)
			continue;
		at += (double)parts[i].value / (double)sum;
		last = i;
		if (turn < at)
			return i;
	}
	return last;
}

/* Eight dots of a cell; its ink is that of most of them. */
static void
pie_cell(const struct pane *p, int row, int col, int r, int c, int rows,
	 const struct chart_part *parts, int count, int64_t sum)
{
	static const unsigned char bit[4][2] = {
		{ 0x01, 0x08 }, { 0x02, 0x10 }, { 0x04, 0x20 }, { 0x40, 0x80 }
	};
	int votes[16] = { 0 }, bits = 0, best = 0, i, dx, dy;

	for (i = 0; i < 8; i++) {
		dx = i % 2;
		dy = i / 2;
		int part = part_at((c * 2 + dx + 0.5) / (rows * 2.0) - 1.0,
				   (r * 4 + dy + 0.5) / (rows * 2.0) - 1.0,
				   parts, count, sum);

		if (part < 0)
			continue;
		bits |= bit[dy][dx];
		votes[part]++;
	}
	for (i = 1; i < count; i++)
		best = votes[i] > votes[best] ? i : best;
	if (bits != 0)
		pane_char(p, row + r, col + c, parts[best].ink,
			  (uint32_t)(BRAILLE + bits));
}

void
chart_pie(const struct pane *p, int row, int col, int rows,
	  const struct chart_part *parts, int count)
{
	int64_t sum = sum_of(parts, count);
	int r, c;

	if (!p->grid->is_utf8 || sum <= 0 || count > 16)
		return;
	for (r = 0; r < rows; r++) {
		for (c = 0; c < rows * 2; c++)
			pie_cell(p, row, col, r, c, rows, parts, count, sum);
	}
}
