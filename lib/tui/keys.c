/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Names of keys, and finding them in a program's table.
 */
#include "keys.h"

#include "buf.h"
#include "str.h"

static const struct {
	int key;
	const char *name;
} named[] = {
	{ TUI_TAB, "Tab" },
	{ TUI_ENTER, "Enter" },
	{ TUI_ESC, "Esc" },
	{ ' ', "Space" },
#define KEYCODE(name, curses, shown) { TUI_##name, shown },
#include "keycode.def"
#undef KEYCODE
};

void
tui_key_name(int key, char *dst, size_t size)
{
	for (size_t i = 0; i < sizeof(named) / sizeof(*named); i++) {
		if (named[i].key == key) {
			str_copy(dst, size, named[i].name);
			return;
		}
	}
	if (key > ' ' && key < 0x7f)
		str_fmt(dst, size, "%c", key);
	else if (key >= 0 && key < ' ')
		str_fmt(dst, size, "Ctrl-%c", key + '@');
	else
		str_copy(dst, size, "?");
}

const struct tui_key *
tui_key_find(const struct tui_key *rows, size_t count, int key)
{
	for (size_t i = 0; i < count; i++) {
		if (key >= 0 && (rows[i].key == key || rows[i].other == key))
			return &rows[i];
	}
	return NULL;
}
