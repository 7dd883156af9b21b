/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Terminal by ncurses: start, keys, frames.  Signals and restoring are in
 * term_signal.c.
 */
#define NCURSES_WIDECHAR 1
#include "term.h"

#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <unistd.h>
#include <wchar.h>

#include "clock.h"
#include "str.h"
#include "term_signal.h"
#include "xalloc.h"

#define ESC_DELAY_MS 60
#define PASTE_ON "\033[?2004h"
#define PASTE_OFF "\033[?2004l"
#define PASTE_MAX 512
#define PASTE_WAIT_MS 500
#define KEY_PASTE 0x1f00 /* above all of curses' own */
#define KEY_PASTE_END 0x1f01

static struct {
	SCREEN *screen;
	enum term_theme theme;
	bool is_utf8, pastes;
	struct grid shown; /* what is on the screen */
	bool is_stale;
	attr_t attrs[INK_COUNT];
	short pairs[INK_COUNT];
	char pasted[PASTE_MAX];
} self;

static void
say(const char *text)
{
	ssize_t n = write(STDOUT_FILENO, text, strlen(text));

	(void)n;
}

static attr_t
attrs_of(int look)
{
	return (look & LOOK_BOLD ? A_BOLD : 0) | (look & LOOK_DIM ? A_DIM : 0) |
	       (look & LOOK_REVERSE ? A_REVERSE : 0) |
	       (look & LOOK_UNDERLINE ? A_UNDERLINE : 0);
}

/* "15;0" in COLORFGBG: a dark text on a light ground ends in 7 or 15. */
static bool
is_light(void)
{
	const char *s = getenv("COLORFGBG");

	s = s != NULL ? strrchr(s, ';') : NULL;
	return s != NULL && (str_eq(s, ";7") || str_eq(s, ";15"));
}

static enum term_theme
theme_of(enum term_theme asked)
{
	const char *none = getenv("NO_COLOR");

	if (!has_colors() || COLORS < 8)
		return THEME_MONO;
	if (asked != THEME_AUTO)
		return asked;
	if (none != NULL && none[0] != '\0')
		return THEME_MONO;
	return is_light() ? THEME_LIGHT : THEME_DARK;
}

void
term_set_theme(enum term_theme asked)
{
	bool is_rich = has_colors() && COLORS >= 256;

	self.theme = theme_of(asked);
	for (short i = 0; i < INK_COUNT; i++) {
		const struct ink_row *row = &ink_rows[i];
		short fg = row->c16, bg = row->c16_bg;

		self.pairs[i] = 0;
		self.attrs[i] = attrs_of(row->look);
		if (self.theme == THEME_MONO)
			continue;
		if (is_rich) {
			bool light = self.theme == THEME_LIGHT;

			fg = light ? row->light : row->dark;
			bg = light ? row->light_bg : row->dark_bg;
			self.attrs[i] &= ~A_DIM;
		}
		/* A ground of its own needs no reversing. */
		if (bg >= 0)
			self.attrs[i] &= ~(attr_t)(A_REVERSE | A_UNDERLINE);
		if (fg >= 0 || bg >= 0) {
			init_pair((short)(i + 1), fg, bg);
			self.pairs[i] = (short)(i + 1);
		}
	}
	term_redraw();
}

static void
set_modes(void)
{
	cbreak();
	noecho();
	nonl();
	intrflush(stdscr, FALSE);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	curs_set(0);
}

static void
start_paste(void)
{
	const char *mouse = tigetstr("kmous");

	/* Such terminals know bracketed pastes; others may print them. */
	self.pastes = mouse != NULL && mouse != (char *)-1;
	if (!self.pastes)
		return;
	define_key("\033[200~", KEY_PASTE);
	define_key("\033[201~", KEY_PASTE_END);
	say(PASTE_ON);
}

static bool
has_cursor(void)
{
	const char *s = tigetstr("cup");

	return s != NULL && s != (char *)-1;
}

/* newterm() would leak what it had begun. */
static bool
is_known(void)
{
	int ignored;

	if (setupterm(NULL, STDOUT_FILENO, &ignored) != OK)
		return false;
	(void)del_curterm(cur_term);
	return true;
}

int
term_open(const struct term_options *o, struct err *e)
{
	const char *name = getenv("TERM");

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return err_set(e, "standard input and output are no terminal");
	if (name == NULL || name[0] == '\0')
		return err_set(e, "TERM is not set: what terminal this is, is "
				  "not known");
	term_signal_start();
	self.screen = is_known() ? newterm(NULL, stdout, stdin) : NULL;
	if (self.screen != NULL && !has_cursor()) {
		endwin();
		delscreen(self.screen);
		self.screen = NULL;
	}
	if (self.screen == NULL) {
		char shown[64];

		term_signal_stop();
		str_printable(shown, sizeof(shown), name, strlen(name));
		return err_set(e,
			       "TERM is \"%s\": no terminal that is known "
			       "here and can move its cursor",
			       shown);
	}
	set_escdelay(ESC_DELAY_MS);
	self.is_utf8 = !o->is_ascii && str_eq(nl_langinfo(CODESET), "UTF-8");
	set_modes();
	start_color();
	use_default_colors();
	term_set_theme(o->theme);
	start_paste();
	term_signal_arm(self.pastes ? PASTE_OFF : "");
	return 0;
}

void
term_close(void)
{
	if (self.screen == NULL)
		return;
	if (self.pastes)
		say(PASTE_OFF);
	endwin();
	term_signal_stop();
	delscreen(self.screen);
	grid_release(&self.shown);
	self.screen = NULL;
}

bool
term_is_utf8(void)
{
	return self.is_utf8;
}

void
term_size(int *rows, int *cols)
{
	getmaxyx(stdscr, *rows, *cols);
}

void
term_redraw(void)
{
	self.is_stale = true;
}

static bool
is_same_row(const struct grid *g, int row)
{
	return memcmp(grid_cell(g, row, 0), grid_cell(&self.shown, row, 0),
		      (size_t)g->cols * sizeof(struct cell)) == 0;
}

/* Cells of one ink at a time. */
static void
show_row(const struct grid *g, int row)
{
	wchar_t text[GRID_SIDE_MAX + 1];
	int col = 0;

	while (col < g->cols) {
		uint32_t ink = grid_cell(g, row, col)->ink;
		int start = col, n = 0;

		for (; col < g->cols; col++) {
			const struct cell *c = grid_cell(g, row, col);

			if (c->ink != ink)
				break;
			if (c->cp != 0)
				text[n++] = (wchar_t)c->cp;
		}
		attr_set(self.attrs[ink], self.pairs[ink], NULL);
		mvaddnwstr(row, start, text, n);
	}
	attr_set(A_NORMAL, 0, NULL);
}

void
term_show(const struct grid *g, int cursor_row, int cursor_col)
{
	bool all = self.is_stale || g->rows != self.shown.rows ||
		   g->cols != self.shown.cols;

	if (all) {
		grid_resize(&self.shown, g->rows, g->cols);
		clearok(curscr, TRUE);
		self.is_stale = false;
	}
	for (int row = 0; row < g->rows; row++) {
		if (all || !is_same_row(g, row))
			show_row(g, row);
	}
	memcpy(self.shown.cells, g->cells,
	       (size_t)g->rows * (size_t)g->cols * sizeof(struct cell));
	if (cursor_row >= 0) {
		curs_set(1);
		move(cursor_row, cursor_col);
	} else {
		curs_set(0);
	}
	refresh();
}

/* What lies between the marks of a paste, without what could do harm. */
static void
read_paste(void)
{
	int64_t end = clock_mono_ms() + PASTE_WAIT_MS;
	char raw[PASTE_MAX];
	size_t n = 0;
	wint_t ch;
	int kind;

	while (clock_mono_ms() < end) {
		kind = get_wch(&ch);
		if (kind == ERR) {
			struct pollfd p = { STDIN_FILENO, POLLIN, 0 };

			(void)poll(&p, 1, 50);
			continue;
		}
		if (kind == KEY_CODE_YES && ch == KEY_PASTE_END)
			break;
		if (kind == OK && ch >= ' ' && ch < 0x7f && n < sizeof(raw) - 1)
			raw[n++] = (char)ch;
		end = clock_mono_ms() + PASTE_WAIT_MS;
	}
	str_printable(self.pasted, sizeof(self.pasted), raw, n);
}

const char *
term_pasted(void)
{
	return self.pasted;
}

static int
from_curses(wint_t ch)
{
	static const struct {
		int curses, key;
	} codes[] = {
#define KEYCODE(name, curses, shown) { curses, TUI_##name },
#include "keycode.def"
#undef KEYCODE
		{ KEY_ENTER, TUI_ENTER },
		{ KEY_RESIZE, TUI_RESIZE },
	};

	if (ch == KEY_PASTE) {
		read_paste();
		return TUI_NONE;
	}
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		if (codes[i].curses == (int)ch)
			return codes[i].key;
	}
	return TUI_NONE;
}

static int
take_key(void)
{
	wint_t ch = 0;
	int kind = get_wch(&ch);

	self.pasted[0] = '\0';
	if (kind == KEY_CODE_YES)
		return from_curses(ch);
	if (kind == ERR)
		return TUI_NONE;
	if (ch == '\r')
		return TUI_ENTER;
	if (ch == 0x7f || ch == '\b')
		return TUI_BACKSPACE;
	return ch <= 0x10ffff ? (int)ch : TUI_NONE;
}

static void
take_size(void)
{
	struct winsize w;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_row > 0 &&
	    w.ws_col > 0)
		(void)resizeterm(w.ws_row, w.ws_col);
}

/* What came by signal since, TUI_NONE: nothing. */
static int
take_signal(void)
{
	if (term_signal_is_end())
		return TUI_GONE;
	if (term_signal_take_stop()) {
		if (self.pastes)
			say(PASTE_OFF);
		endwin();
		term_signal_suspend();
		if (self.pastes)
			say(PASTE_ON);
		reset_prog_mode();
		take_size();
		term_redraw();
		return TUI_RESIZE;
	}
	if (term_signal_take_continued()) {
		reset_prog_mode();
		if (self.pastes)
			say(PASTE_ON);
		term_redraw();
		return TUI_RESIZE;
	}
	/* Also to the size it had: the terminal has cut what was shown. */
	if (term_signal_take_resized()) {
		take_size();
		term_redraw();
		return TUI_RESIZE;
	}
	return TUI_NONE;
}

int
term_key(int64_t wait_ms)
{
	int64_t end = clock_mono_ms() + wait_ms, left;
	struct pollfd p = { STDIN_FILENO, POLLIN, 0 };
	int key, n;

	for (;;) {
		key = take_signal();
		if (key != TUI_NONE)
			return key;
		key = take_key();
		if (key != TUI_NONE || self.pasted[0] != '\0')
			return key;
		left = end - clock_mono_ms();
		if (left <= 0)
			return TUI_NONE;
		p.revents = 0;
		n = poll(&p, 1, left > 1000000 ? 1000000 : (int)left);
		if (n > 0 && (p.revents & (POLLHUP | POLLERR | POLLNVAL)))
			return TUI_GONE;
	}
}
