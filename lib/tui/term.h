/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The terminal: the only code that knows curses.  One a process.  However
 * the program ends, short of SIGKILL, the terminal is as it was before:
 * signals that end it come as TUI_GONE, and one of a crash restores it
 * first.  Stopped (Ctrl-Z) and continued it draws itself again.
 */
#ifndef TERM_H
#define TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "grid.h"
#include "keys.h"

enum term_theme { THEME_AUTO, THEME_DARK, THEME_LIGHT, THEME_MONO };

struct term_options {
	enum term_theme theme; /* AUTO: NO_COLOR and COLORFGBG say it */
	bool is_ascii; /* also where the locale is UTF-8 */
};

/*
 * -1 with e where there is no terminal, or TERM is not known.  setlocale()
 * was called before.
 */
int term_open(const struct term_options *o, struct err *e);
void term_close(void);
bool term_is_utf8(void);
/* Other colours from the next frame on. */
void term_set_theme(enum term_theme theme);
void term_size(int *rows, int *cols);
/* Shows g; the cursor is hidden where row is -1. */
void term_show(const struct grid *g, int cursor_row, int cursor_col);
/* Everything is drawn anew with the next frame. */
void term_redraw(void);
/*
 * The next key, at the latest after so many milliseconds.  A paste is one
 * unit: what is in it comes by term_pasted(), not as keys.
 */
int term_key(int64_t wait_ms);
/* What was pasted before the last TUI_NONE, printable; "" nothing. */
const char *term_pasted(void);

#endif
