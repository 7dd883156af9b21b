/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Layout: the first line, the summary, one to four panels, the last line.
 */
#include "screen.h"

#include <stdlib.h>
#include <string.h>

#include "panel.h"
#include "str.h"
#include "summary.h"
#include "units.h"
#include "xalloc.h"

#define MIN_ROWS 12
#define MIN_COLS 40
#define PANELS_MAX (KNOWN + TABLE_COUNT)
#define TWO_PANELS_ROWS 24 /* rows for panels from which two fit */
#define TWO_PANELS_COLS 160

static const struct tui_key keys[] = {
#define KEY(action, key, other, label, help) \
	{ key, other, ACT_##action, label, help },
#include "mctop_keys.def"
#undef KEY
};
#define KEYS (sizeof(keys) / sizeof(*keys))

static const struct named {
	const struct panel *panel;
	const char *name, *title, *help;
} known[] = {
#define PANEL(name, title, help) { &panel_##name, #name, title, help },
#include "panels.def"
#undef PANEL
};
#define KNOWN ((int)(sizeof(known) / sizeof(*known)))

/* A panel on the screen: one of the known, or a keyed table. */
struct place {
	const struct panel *panel; /* NULL: the table */
	enum stats_table table;
	const char *name, *title, *help;
	struct column columns[TABLE_COLUMNS]; /* of the table */
	int column_count;
	struct table_state state;
};

struct screen {
	char host[256];
	struct place places[PANELS_MAX];
	int place_count, chosen;
	int page; /* rows of the chosen panel */
	bool is_zoomed, is_help, is_typing, is_paused;
	int64_t interval_ms;
	struct table table;
};

static void
add_tables(struct screen *s)
{
	for (int t = 0; t < TABLE_COUNT; t++) {
		struct place *p = &s->places[s->place_count];

		if (panel_keyed_is_known((enum stats_table)t) ||
		    s->place_count == PANELS_MAX)
			continue;
		p->table = (enum stats_table)t;
		p->name = p->title = stats_table_name(p->table);
		p->help = "table of the stats file";
		p->state.sort = 1;
		panel_keyed_columns(p->table, p->columns, &p->column_count);
		s->place_count++;
	}
}

struct screen *
screen_new(const char *host, int64_t interval_ms)
{
	struct screen *s = xcalloc(1, sizeof(*s));

	str_copy(s->host, sizeof(s->host), host);
	s->interval_ms = interval_ms;
	for (int i = 0; i < KNOWN; i++) {
		struct place *p = &s->places[s->place_count++];

		p->panel = known[i].panel;
		p->name = known[i].name;
		p->title = known[i].title;
		p->help = known[i].help;
		p->state.sort = known[i].panel->sort;
	}
	add_tables(s);
	table_init(&s->table, TABLE_ROWS);
	return s;
}

void
screen_free(struct screen *s)
{
	if (s == NULL)
		return;
	table_release(&s->table);
	free(s);
}

int
screen_choose(struct screen *s, const char *name)
{
	for (int i = 0; i < s->place_count; i++) {
		if (str_ieq(s->places[i].name, name)) {
			s->chosen = i;
			return 0;
		}
	}
	return -1;
}

bool
screen_is_paused(const struct screen *s)
{
	return s->is_paused;
}

int64_t
screen_interval_ms(const struct screen *s)
{
	return s->interval_ms;
}

static void
draw_table(struct screen *s, const struct sample *n, struct place *p,
	   const struct pane *pane, bool is_active)
{
	const char *empty = "nothing yet";
	struct pane rest;
	int shown;

	if (p->panel != NULL && p->panel->beside != NULL) {
		rest = *pane;
		rest.cols -= p->panel->beside(n, pane);
		pane = &rest;
	}

	if (p->panel != NULL) {
		table_start(&s->table, p->panel->columns,
			    p->panel->column_count);
		p->panel->fill(n, &s->table);
		empty = p->panel->empty;
	} else {
		table_start(&s->table, p->columns, p->column_count);
		panel_keyed_fill(p->table, n, &s->table);
	}
	shown = table_draw(&s->table, &p->state, pane, is_active);
	if (is_active)
		s->page = pane->rows > 2 ? pane->rows - 1 : 1;
	if (shown == 0)
		pane_text(pane, 1, 0, pane->cols, INK_DIM,
			  s->table.count > 0 ? "the filter lets no row by"
					     : empty);
}

/* The names of all panels, as many as fit around the chosen one. */
static void
draw_tabs(const struct screen *s, const struct pane *p)
{
	int widths[PANELS_MAX], first = 0, sum = 0, col = 0, i;

	for (i = 0; i < s->place_count; i++) {
		widths[i] = text_columns(s->places[i].title, -1) + 5;
		if (i <= s->chosen)
			sum += widths[i];
	}
	while (first < s->chosen && sum > p->cols)
		sum -= widths[first++];
	pane_fill(p, 0, 0, p->cols, INK_DIM, 0x2500);
	for (i = first; i < s->place_count && col < p->cols; i++) {
		bool is_it = i == s->chosen;

		if (col + widths[i] - 1 > p->cols)
			break;
		pane_fmt(p, 0, col, p->cols - col,
			 is_it ? INK_BAR_STRONG : INK_TEXT, " %d %s ", i + 1,
			 s->places[i].title);
		col += widths[i];
	}
}

static void
draw_title(const struct place *p, const struct pane *pane, int number)
{
	pane_fill(pane, 0, 0, pane->cols, INK_DIM, 0x2500);
	pane_fmt(pane, 0, 1, pane->cols - 2, INK_TITLE, " %d %s ", number,
		 p->title);
}

/* The chosen panel first, then those behind it. */
static void
draw_panels(struct screen *s, const struct sample *n, const struct pane *p)
{
	int down = p->rows >= TWO_PANELS_ROWS && !s->is_zoomed ? 2 : 1;
	int across = p->cols >= TWO_PANELS_COLS && !s->is_zoomed ? 2 : 1;
	int rows = (p->rows - 1) / down, cols = p->cols / across, i;
	struct pane part = pane_part(p, 0, 0, 1, p->cols);

	if (p->rows < 3)
		return;
	draw_tabs(s, &part);
	for (i = 0; i < down * across && i < s->place_count; i++) {
		int at = (s->chosen + i) % s->place_count;
		int top = 1 + i / across * rows, left = i % across * cols;
		int high = i / across == down - 1 ? p->rows - top : rows;

		/* The chosen one has its name in the line above. */
		if (i > 0) {
			int title = i / across == 0 ? 0 : 1;

			part = pane_part(p, top, left + (left > 0), 1, cols);
			if (title)
				draw_title(&s->places[at], &part, at + 1);
			else
				part = pane_part(p, top - 1, left + 1, 1, cols),
				draw_title(&s->places[at], &part, at + 1);
			top += title;
			high -= title;
		}
		part = pane_part(p, top, left + (left > 0), high,
				 cols - (left > 0) - (across > 1 && left == 0));
		draw_table(s, n, &s->places[at], &part, i == 0);
	}
}

static void
draw_keys(const struct screen *s, const struct pane *p)
{
	const char *filter = s->places[s->chosen].state.filter;
	char name[16];
	int col = 0;

	pane_fill(p, 0, 0, p->cols, INK_BAR, ' ');
	if (s->is_typing) {
		pane_fmt(p, 0, 0, p->cols, INK_BAR_STRONG, " Filter: %s",
			 filter);
		return;
	}
	if (filter[0] != '\0')
		col += pane_fmt(p, 0, 0, p->cols, INK_BAR_ALARM, " filter: %s ",
				filter);
	for (size_t i = 0; i < KEYS; i++) {
		int width;

		if (keys[i].label[0] == '\0')
			continue;
		tui_key_name(keys[i].key, name, sizeof(name));
		width = text_columns(name, -1) +
			text_columns(keys[i].label, -1) + 3;
		if (col + width > p->cols)
			break;
		pane_fmt(p, 0, col, width, INK_BAR_STRONG, " %s", name);
		pane_text(p, 0, col + text_columns(name, -1) + 2, width,
			  INK_BAR, keys[i].label);
		col += width;
	}
}

static void
draw_help(const struct screen *s, const struct pane *p)
{
	int two = p->cols >= 100 ? p->cols / 2 : 0, row = 1, col = 0;
	char first[16], second[16];

	pane_text(p, 0, 0, p->cols, INK_TITLE, "Keys");
	for (size_t i = 0; i < KEYS; i++) {
		tui_key_name(keys[i].key, first, sizeof(first));
		tui_key_name(keys[i].other, second, sizeof(second));
		pane_fmt(p, row, 0, 16, INK_STRONG, "%s%s%s", first,
			 keys[i].other >= 0 ? ", " : "",
			 keys[i].other >= 0 ? second : "");
		pane_text(p, row++, 16, two > 0 ? two - 18 : p->cols - 16,
			  INK_TEXT, keys[i].help);
	}
	row = two > 0 ? 0 : row + 1;
	col = two;
	pane_text(p, row++, col, p->cols - col, INK_TITLE, "Panels");
	for (int i = 0; i < s->place_count; i++) {
		pane_fmt(p, row, col, 16, INK_STRONG, "%d %s", i + 1,
			 s->places[i].title);
		pane_text(p, row++, col + 16, p->cols - col - 16, INK_TEXT,
			  s->places[i].help);
	}
	row += two > 0;
	pane_text(p, row, col, p->cols - col, INK_DIM,
		  "\"now\" is a mean of ten seconds; see mctop(1)");
}

/* Even there the three words are said. */
static void
draw_tiny(const struct sample *n, const struct pane *p)
{
	static const enum stat_id stats[] = { STAT_queue_incoming,
					      STAT_queue_filtering,
					      STAT_queue_outgoing };
	char count[UNITS_SIZE];

	for (int i = 0; i < 3; i++)
		pane_fmt(p, i, 0, p->cols, INK_TEXT, "%s %s",
			 stats_name(stats[i]) + strlen("queue_"),
			 units_count(count,
				     n->has_stats ? n->values[stats[i]] : -1));
	pane_fmt(p, 3, 0, p->cols, INK_WARN, "mctop needs %d columns, %d rows",
		 MIN_COLS, MIN_ROWS);
}

static void
draw_bar(const struct screen *s, const struct sample *n, const struct pane *p)
{
	char right[48], when[UNITS_SIZE];

	units_clock(when, n->wall_us, n->wall_us);
	if (s->is_paused)
		str_fmt(right, sizeof(right), "PAUSED %s", when);
	else if (p->cols >= 76 && n->alive.is_running)
		str_fmt(right, sizeof(right), "every %.4gs  %s",
			(double)s->interval_ms / 1000, when);
	else
		str_copy(right, sizeof(right), when);
	summary_bar(n, p, s->host, right);
}

void
screen_draw(struct screen *s, const struct sample *n, struct grid *g)
{
	struct pane all = pane_all(g), part;
	int above = s->is_zoomed ? 0 : summary_rows(g->rows, g->cols);
	int gap;

	grid_clear(g);
	if (g->rows < MIN_ROWS || g->cols < MIN_COLS) {
		draw_tiny(n, &all);
		return;
	}
	part = pane_part(&all, 0, 0, 1, g->cols);
	draw_bar(s, n, &part);
	part = pane_part(&all, g->rows - 1, 0, 1, g->cols);
	draw_keys(s, &part);
	if (s->is_help) {
		part = pane_part(&all, 2, 1, g->rows - 3, g->cols - 2);
		draw_help(s, &part);
		return;
	}
	if (above > 0) {
		part = pane_part(&all, 1, 0, above, g->cols);
		summary_draw(n, &part);
	}
	gap = above > 0 && g->rows >= 15;
	part = pane_part(&all, 1 + above + gap, 0, g->rows - 2 - above - gap,
			 g->cols);
	draw_panels(s, n, &part);
}

int
screen_cursor(const struct screen *s, const struct grid *g)
{
	int col;

	if (!s->is_typing || g->rows < MIN_ROWS || g->cols < MIN_COLS)
		return -1;
	col = 9 + text_columns(s->places[s->chosen].state.filter, -1);
	return col < g->cols ? col : g->cols - 1;
}

static void
type_char(struct screen *s, int key)
{
	char *filter = s->places[s->chosen].state.filter;
	size_t n = strlen(filter);

	if (key == TUI_ENTER || key == TUI_ESC) {
		s->is_typing = false;
		if (key == TUI_ESC)
			filter[0] = '\0';
	} else if (key == TUI_BACKSPACE && n > 0) {
		filter[n - 1] = '\0';
	} else if (key == 21) { /* Ctrl-U */
		filter[0] = '\0';
	} else if (key >= ' ' && key < 0x7f &&
		   n < sizeof(s->places[0].state.filter) - 1) {
		filter[n] = (char)key;
		filter[n + 1] = '\0';
	}
}

void
screen_paste(struct screen *s, const char *text)
{
	for (; s->is_typing && *text != '\0'; text++)
		type_char(s, (unsigned char)*text);
}

static void
go_back(struct screen *s)
{
	if (s->is_help)
		s->is_help = false;
	else if (s->places[s->chosen].state.filter[0] != '\0')
		s->places[s->chosen].state.filter[0] = '\0';
	else
		s->is_zoomed = false;
}

static void
next_sort(struct place *p)
{
	int count = p->panel != NULL ? p->panel->column_count : p->column_count;

	p->state.sort++;
	if (p->state.sort >= count)
		p->state.sort = -1;
	p->state.is_reversed = false;
	p->state.chosen = 0;
}

static void
change_interval(struct screen *s, bool is_longer)
{
	int64_t ms = is_longer ? s->interval_ms * 2 : s->interval_ms / 2;

	if (ms >= INTERVAL_MIN_MS && ms <= INTERVAL_MAX_MS)
		s->interval_ms = ms;
}

static void
move(struct screen *s, enum act a)
{
	struct table_state *st = &s->places[s->chosen].state;

	switch (a) {
	case ACT_UP:
		st->chosen--;
		break;
	case ACT_DOWN:
		st->chosen++;
		break;
	case ACT_PAGE_UP:
		st->chosen -= s->page;
		break;
	case ACT_PAGE_DOWN:
		st->chosen += s->page;
		break;
	case ACT_HOME:
		st->chosen = 0;
		break;
	default:
		st->chosen = TABLE_ROWS;
		break;
	}
}

static void
do_act(struct screen *s, enum act a)
{
	struct place *p = &s->places[s->chosen];

	switch (a) {
	case ACT_HELP:
		s->is_help = !s->is_help;
		break;
	case ACT_FILTER:
		s->is_typing = true;
		break;
	case ACT_NEXT:
		s->chosen = (s->chosen + 1) % s->place_count;
		break;
	case ACT_PREVIOUS:
		s->chosen = (s->chosen + s->place_count - 1) % s->place_count;
		break;
	case ACT_ZOOM:
		s->is_zoomed = !s->is_zoomed;
		break;
	case ACT_SORT:
		next_sort(p);
		break;
	case ACT_REVERSE:
		p->state.is_reversed = !p->state.is_reversed;
		break;
	case ACT_PAUSE:
		s->is_paused = !s->is_paused;
		break;
	case ACT_SLOWER:
	case ACT_FASTER:
		change_interval(s, a == ACT_SLOWER);
		break;
	case ACT_BACK:
		go_back(s);
		break;
	default:
		move(s, a);
		break;
	}
}

enum act
screen_key(struct screen *s, int key)
{
	const struct tui_key *row;

	if (s->is_typing) {
		type_char(s, key);
		return ACT_COUNT;
	}
	if (key >= '1' && key <= '9' && key - '1' < s->place_count) {
		s->chosen = key - '1';
		return ACT_COUNT;
	}
	row = tui_key_find(keys, KEYS, key);
	if (row == NULL)
		return ACT_COUNT;
	if (row->action == ACT_QUIT || row->action == ACT_THEME ||
	    row->action == ACT_REDRAW)
		return (enum act)row->action;
	if (s->is_help && row->action != ACT_BACK)
		s->is_help = false;
	else
		do_act(s, (enum act)row->action);
	return (enum act)row->action;
}
