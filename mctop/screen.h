/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The whole screen and what keys do to it.  It knows no terminal: it draws
 * into a grid and is told keys.
 */
#ifndef SCREEN_H
#define SCREEN_H

#include <stdbool.h>
#include <stdint.h>

#include "grid.h"
#include "keys.h"
#include "source.h"

#define INTERVAL_MIN_MS 250
#define INTERVAL_MAX_MS 60000

enum act {
#define KEY(action, key, other, label, help) ACT_##action,
#include "mctop_keys.def"
#undef KEY
	ACT_COUNT
};

struct screen;

struct screen *screen_new(const char *host, int64_t interval_ms);
void screen_free(struct screen *s);
/* Panel by its name as in panels.def; -1: there is none. */
int screen_choose(struct screen *s, const char *name);
void screen_draw(struct screen *s, const struct sample *n, struct grid *g);
/* Where the cursor is while text is typed, -1: nowhere. */
int screen_cursor(const struct screen *s, const struct grid *g);
/*
 * What a key means here; QUIT, THEME and REDRAW are the caller's to do.
 */
enum act screen_key(struct screen *s, int key);
/* Text that was pasted: for the filter, where it is typed, else nothing. */
void screen_paste(struct screen *s, const char *text);
bool screen_is_paused(const struct screen *s);
int64_t screen_interval_ms(const struct screen *s);

#endif
