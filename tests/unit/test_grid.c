/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 * Screens as cells: cutting, wide characters, ASCII, drawings.
 */
#include <locale.h>

#include "chart.h"
#include "check.h"
#include "grid.h"
#include "keys.h"
#include "units.h"

static struct grid g;
static struct buf printed;

static const char *
shown(void)
{
	buf_clear(&printed);
	grid_print(&g, &printed);
	return buf_str(&printed);
}

static void
start(int rows, int cols, bool is_utf8)
{
	g.is_utf8 = is_utf8;
	grid_resize(&g, rows, cols);
}

static void
test_text(void)
{
	static const struct {
		const char *text;
		int width;
		bool is_utf8;
		const char *want, *words;
	} rows[] = {
		{ "hello", 10, true, "hello\n", "text that fits" },
		{ "hello", 5, true, "hello\n", "text that just fits" },
		{ "hello", 4, true, "hel…\n", "text that is cut" },
		{ "hello", 4, false, "hel~\n", "the same in ASCII" },
		{ "hello", 0, true, "", "no room at all" },
		{ "a\033[2Jb", 10, true, "a?[2Jb\n", "an escape sequence" },
		{ "a\x9b"
		  "2Jb",
		  10, true, "a?2Jb\n", "a raw C1 byte" },
		{ "a\xc2\x9b"
		  "b",
		  10, true, "a?b\n", "a C1 control" },
		{ "\xff\xfe", 10, true, "??\n", "bytes that are no UTF-8" },
		{ "日本語", 10, true, "日本語\n", "wide characters" },
		{ "日本語", 5, true, "日本…\n", "wide ones, cut" },
		{ "日本語", 4, true, "日……\n", "no half of one" },
		{ "日本", 10, false, "??\n", "the same in ASCII" },
		{ "a─●", 10, false, "a-*\n", "our own signs in ASCII" },
		{ "e\xcc\x81x", 10, true, "ex\n", "a combining character" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct pane p;

		start(1, 12, rows[i].is_utf8);
		p = pane_all(&g);
		pane_text(&p, 0, 0, rows[i].width, INK_TEXT, rows[i].text);
		CHECK_STR(shown(), rows[i].want, "%s", rows[i].words);
	}
}

static void
test_panes(void)
{
	struct pane all, p, none;

	start(3, 10, true);
	all = pane_all(&g);
	p = pane_part(&all, 1, 2, 9, 4);
	CHECK_INT(p.rows, 2, "a part ends where the whole ends");
	pane_text(&p, 0, 0, 99, INK_TEXT, "abcdefgh");
	pane_text(&p, 9, 0, 99, INK_TEXT, "below");
	pane_text(&p, -1, 0, 99, INK_TEXT, "above");
	pane_right(&p, 1, 0, 4, INK_TEXT, "xy");
	CHECK_STR(shown(), "\n  abc…\n    xy\n", "text stays in its part");
	none = pane_part(&all, 5, 0, 1, 1);
	pane_fill(&none, 0, 0, 5, INK_TEXT, 'x');
	CHECK_STR(shown(), "\n  abc…\n    xy\n", "nothing is in no part");
	start(1, 4, true);
	all = pane_all(&g);
	pane_text(&all, 0, 0, 4, INK_TEXT, "日本");
	pane_char(&all, 0, 1, INK_TEXT, 'x');
	CHECK_STR(shown(), " x本\n", "half a wide one goes");
	pane_char(&all, 0, 2, INK_TEXT, 'y');
	CHECK_STR(shown(), " xy\n", "from either side");
	grid_resize(&g, -1, 100000);
	CHECK(g.rows == 0 && g.cols == GRID_SIDE_MAX, "sizes have limits");
	CHECK_STR(shown(), "", "an empty screen prints nothing");
}

static void
test_charts(void)
{
	static const int64_t rise[] = {
		CHART_UNKNOWN, CHART_UNKNOWN, 0, 1, 2, 3, 4, 4
	};
	static const struct chart_part parts[] = { { 50, INK_GOOD },
						   { 1, INK_BAD },
						   { 49, INK_WARN } };
	struct pane p;

	start(1, 12, true);
	p = pane_all(&g);
	chart_meter(&p, 0, 0, 12, 50, 100, "50%");
	CHECK_STR(shown(), "[|||||  50%]\n", "a meter with its words");
	chart_meter(&p, 0, 0, 12, 200, 100, "");
	CHECK_STR(shown(), "[||||||||||]\n", "a meter is never over full");
	chart_meter(&p, 0, 0, 12, -1, -1, "-");
	CHECK_STR(shown(), "[         -]\n", "a meter of nothing known");
	grid_clear(&g);
	chart_trend(&p, 0, 0, 1, 5, INK_TEXT, rise, 8, 0);
	CHECK_STR(shown(), "  ⣀⣴⣿\n", "a trend ends at the right edge");
	grid_clear(&g);
	g.is_utf8 = false;
	chart_trend(&p, 0, 0, 1, 5, INK_TEXT, rise, 8, 0);
	CHECK_STR(shown(), "  .=#\n", "the same in ASCII");
	grid_clear(&g);
	chart_parts(&p, 0, 0, 10, parts, 3);
	CHECK_STR(shown(), "#####=%%%%\n", "a small part gets a column");
	chart_pie(&p, 0, 0, 1, parts, 3);
	CHECK_STR(shown(), "#####=%%%%\n", "no pie in ASCII");
}

static void
test_units(void)
{
	static const struct {
		int64_t n;
		const char *count, *bytes, *rate, *age;
	} rows[] = {
		{ -1, "-", "-", "-", "-" },
		{ 0, "0", "0B", "0", "0s" },
		{ 5, "5", "5B", "0.01", "0s" },
		{ 999, "999", "999B", "1.0", "0s" },
		{ 1000, "1,000", "1.0K", "1.0", "0s" },
		{ 99999, "99,999", "98K", "100", "0s" },
		{ 100000, "100k", "98K", "100", "0s" },
		{ 999999, "1.00M", "977K", "1,000", "0s" },
		{ 7384000000, "7.38G", "6.9G", "7.38M", "2h03m" },
		{ 360000000000, "360G", "335G", "360M", "4d04h" },
	};
	char text[UNITS_SIZE];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		long long n = rows[i].n;

		CHECK_STR(units_count(text, n), rows[i].count, "count %lld", n);
		CHECK_STR(units_bytes(text, n), rows[i].bytes, "bytes %lld", n);
		CHECK_STR(units_rate(text, n), rows[i].rate, "rate %lld", n);
		CHECK_STR(units_age(text, n), rows[i].age, "age %lld", n);
	}
	CHECK_STR(units_share(text, 1, 100000), "0.1%", "a share is not 0");
	CHECK_STR(units_share(text, 100, 100), "100%", "all of it");
	CHECK_STR(units_share(text, 0, 0), "-", "of nothing");
}

static void
test_key_names(void)
{
	static const struct tui_key keys[] = { { 'q', TUI_F10, 1, "", "" },
					       { 'x', TUI_NONE, 2, "", "" } };
	char name[16];

	tui_key_name('q', name, sizeof(name));
	CHECK_STR(name, "q", "a letter");
	tui_key_name(TUI_PAGE_UP, name, sizeof(name));
	CHECK_STR(name, "PgUp", "a key with a name");
	tui_key_name(12, name, sizeof(name));
	CHECK_STR(name, "Ctrl-L", "a control character");
	CHECK(tui_key_find(keys, 2, TUI_F10) == &keys[0], "a second key");
	CHECK(tui_key_find(keys, 2, TUI_NONE) == NULL, "no key is none");
}

int
main(void)
{
	CHECK(setlocale(LC_ALL, "C.UTF-8") != NULL, "there is a UTF-8 locale");
	test_text();
	test_panes();
	test_charts();
	test_units();
	test_key_names();
	grid_release(&g);
	buf_release(&printed);
	return check_done();
}
