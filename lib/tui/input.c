/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Editing a line with the keys that a shell has.
 */
#include "input.h"

#include <string.h>
#include <wchar.h>

#include "keys.h"
#include "str.h"

#define CTRL(c) ((c)&0x1f)

static bool
is_inside(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

static size_t
before(const struct input *in, size_t at)
{
	while (at > 0 && is_inside(in->text[--at]))
		continue;
	return at;
}

static size_t
behind(const struct input *in, size_t at)
{
	if (at < in->len)
		at++;
	while (at < in->len && is_inside(in->text[at]))
		at++;
	return at;
}

/* Takes out what lies between two places, the cursor among them. */
static void
cut(struct input *in, size_t from, size_t to)
{
	memmove(in->text + from, in->text + to, in->len - to + 1);
	in->len -= to - from;
	in->at = from;
}

static void
insert(struct input *in, const char *s, size_t n)
{
	if (in->len + n >= sizeof(in->text))
		return;
	memmove(in->text + in->at + n, in->text + in->at, in->len - in->at + 1);
	memcpy(in->text + in->at, s, n);
	in->len += n;
	in->at += n;
}

/* The bytes of a character that may be typed; 0: it may not. */
static size_t
encode(int key, char out[4])
{
	uint32_t cp = (uint32_t)key;
	size_t n = 0;

	if (key < ' ' || (key >= 0x7f && key < 0xa0) || key >= TUI_FIRST ||
	    (key >= 0xd800 && key < 0xe000))
		return 0;
	if (cp < 0x80) {
		out[n++] = (char)cp;
		return n;
	}
	if (wcwidth((wchar_t)cp) < 0)
		return 0;
	if (cp < 0x800) {
		out[n++] = (char)(0xc0 | cp >> 6);
	} else if (cp < 0x10000) {
		out[n++] = (char)(0xe0 | cp >> 12);
		out[n++] = (char)(0x80 | (cp >> 6 & 0x3f));
	} else {
		out[n++] = (char)(0xf0 | cp >> 18);
		out[n++] = (char)(0x80 | (cp >> 12 & 0x3f));
		out[n++] = (char)(0x80 | (cp >> 6 & 0x3f));
	}
	out[n++] = (char)(0x80 | (cp & 0x3f));
	return n;
}

static void
cut_word(struct input *in)
{
	size_t from = in->at;

	while (from > 0 && in->text[from - 1] == ' ')
		from--;
	while (from > 0 && in->text[from - 1] != ' ')
		from--;
	cut(in, from, in->at);
}

static bool
edit(struct input *in, int key)
{
	if (key == TUI_BACKSPACE)
		cut(in, before(in, in->at), in->at);
	else if (key == TUI_DELETE || key == CTRL('D'))
		cut(in, in->at, behind(in, in->at));
	else if (key == CTRL('U'))
		cut(in, 0, in->at);
	else if (key == CTRL('K'))
		cut(in, in->at, in->len);
	else if (key == CTRL('W'))
		cut_word(in);
	else
		return false;
	return true;
}

void
input_set(struct input *in, const char *text)
{
	memset(in, 0, sizeof(*in));
	input_paste(in, text);
}

bool
input_key(struct input *in, int key)
{
	char bytes[4];
	size_t n = encode(key, bytes);

	if (n > 0) {
		insert(in, bytes, n);
		return true;
	}
	if (key == TUI_LEFT || key == CTRL('B'))
		in->at = before(in, in->at);
	else if (key == TUI_RIGHT || key == CTRL('F'))
		in->at = behind(in, in->at);
	else if (key == TUI_HOME || key == CTRL('A'))
		in->at = 0;
	else if (key == TUI_END || key == CTRL('E'))
		in->at = in->len;
	else
		return edit(in, key);
	return true;
}

void
input_paste(struct input *in, const char *text)
{
	size_t left = strlen(text), n;
	char bytes[4];
	uint32_t cp;

	for (; left > 0; text += n, left -= n) {
		n = str_utf8_next(text, left, &cp);
		if (n > 0 && cp < TUI_FIRST && encode((int)cp, bytes) > 0)
			insert(in, text, n);
		n = n > 0 ? n : 1;
	}
}

int
input_draw(const struct input *in, const struct pane *p, int row, int col,
	   int width, enum ink ink)
{
	char shown[INPUT_SIZE];
	size_t first = 0;
	int at;

	/* The cursor needs a column of its own at the end. */
	while (text_columns(in->text + first, (int)(in->at - first)) >
	       width - 1)
		first = behind(in, first);
	at = text_columns(in->text + first, (int)(in->at - first));
	str_copy(shown, sizeof(shown), in->text + first);
	pane_fill(p, row, col, width, ink, ' ');
	pane_text(p, row, col, width, ink, shown);
	return col + at;
}
