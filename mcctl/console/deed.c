/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Asking, doing, telling.
 */
#include "deed.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "str.h"
#include "text_page.h"
#include "words.h"

/* A question about a command line, over the last lines of the page below. */
struct ask_page {
	struct page page;
	struct cmdline words;
	unsigned flags;
	int64_t serial;
	char help[256], why[512];
};

static const struct page_ops ask_ops;

static void
ask(struct console *c, struct cmdline *words, unsigned flags, const char *help,
    int64_t serial, const char *why)
{
	struct ask_page *a = page_new(sizeof(*a), &ask_ops, c, "Sure?");

	a->words = *words;
	memset(words, 0, sizeof(*words));
	a->flags = flags & ~(unsigned)ACTION_ASK;
	a->serial = serial;
	str_copy(a->help, sizeof(a->help), help);
	str_copy(a->why, sizeof(a->why), why);
	console_command_text(&a->words, a->page.command,
			     sizeof(a->page.command));
	page_add_key(&a->page, 'y', TUI_NONE, "Do it", "do it");
	page_add_key(&a->page, 'n', TUI_ESC, "Leave it", "do nothing");
	console_push(c, &a->page);
}

/* Without the name of the program, and on one line. */
static void
first_line(const struct buf *said, char *dst, size_t size)
{
	const char *s = buf_str(said);

	if (str_has_prefix(s, "mcctl: "))
		s += strlen("mcctl: ");
	str_printable(dst, size, s, strcspn(s, "\n"));
}

static void
tell(struct console *c, const struct cmdline *words, unsigned flags,
     struct result *r)
{
	char why[512], text[1600];

	console_command_text(words, text, sizeof(text));
	first_line(&r->err, why, sizeof(why));
	if (flags & ACTION_SHOW) {
		text_page_show(c, words, r);
		if (r->code != EX_OK && why[0] != '\0')
			console_say(c, INK_BAD, "%s", why);
	} else if (r->code != EX_OK) {
		console_say(c, INK_BAD, "Not done: %s",
			    why[0] != '\0' ? why : "it does not say why");
	} else if (why[0] != '\0') {
		console_say(c, INK_WARN, "Done, but %s", why);
	} else {
		console_say(c, INK_GOOD, "Done: %s", text);
	}
}

/* No list has them, but they change much. */
static const char *const grave[] = { "restore", "import", "drain" };

/* Whether a template of views.def is of this command. */
static bool
is_of(const char *command, const char *family, const char *verb)
{
	size_t n = strlen(family);

	if (strncmp(command, family, n) != 0)
		return false;
	if (verb[0] == '\0')
		return command[n] == '\0' || command[n] == ' ';
	return command[n] == ' ' && str_has_prefix(command + n + 1, verb) &&
	       strchr(" ", command[n + 1 + strlen(verb)]) != NULL;
}

static bool
is_asked(const struct command *k)
{
	size_t i;

	for (i = 0; i < sizeof(grave) / sizeof(grave[0]); i++)
		if (str_eq(k->family, grave[i]))
			return true;
	for (i = 0; i < action_count; i++)
		if ((action_table[i].flags & ACTION_ASK) &&
		    is_of(action_table[i].words, k->family, k->verb))
			return true;
	return false;
}

/* Options of mcctl itself may stand in front. */
const char *
deed_question(const struct cmdline *words)
{
	const struct command *k;
	int i;

	for (i = 0; i < words->count; i++)
		if (str_eq(words->words[i], "--help"))
			return NULL;
	for (i = 0; i < words->count; i++) {
		k = words_command(words->words[i], i + 1 < words->count
							   ? words->words[i + 1]
							   : NULL);
		if (k != NULL)
			return is_asked(k) ? k->help : NULL;
	}
	return NULL;
}

void
deed_do(struct console *c, struct cmdline *words, unsigned flags,
	const char *help, int64_t serial)
{
	struct result r = { 0 };
	char why[512];

	if (flags & ACTION_ASK) {
		ask(c, words, flags, help, serial, "");
		return;
	}
	if (console_run(c, words, false, serial, &r)) {
		first_line(&r.err, why, sizeof(why));
		if (r.code == EX_PROTOCOL && serial != SERIAL_UNKNOWN)
			ask(c, words, flags, help, SERIAL_UNKNOWN, why);
		else
			tell(c, words, flags, &r);
	}
	result_release(&r);
	cmdline_release(words);
}

/* The page below stays to be seen. */
static void
draw_ask(struct page *p, const struct pane *pane)
{
	struct ask_page *a = (struct ask_page *)p;
	struct page *below = console_below(p->console, p);
	bool is_conflict = a->why[0] != '\0';
	int rows = is_conflict && pane->cols < 100 ? 6 : is_conflict ? 5 : 4;
	int top = pane->rows > rows ? pane->rows - rows : 0;
	struct pane part = pane_part(pane, 0, 0, top, pane->cols);

	if (below != NULL && part.rows > 0)
		below->ops->draw(below, &part);
	part = pane_part(pane, top, 0, rows, pane->cols);
	for (int i = 0; i < rows; i++)
		pane_fill(&part, i, 0, part.cols, INK_TEXT, ' ');
	pane_fill(&part, 0, 0, part.cols, INK_WARN, 0x2500);
	part = pane_part(&part, 0, 1, rows, pane->cols - 2);
	pane_text(&part, 1, 0, part.cols, INK_WARN,
		  is_conflict ? "Somebody else was there first." : a->help);
	if (is_conflict)
		pane_fold(&part, 2, rows - 3, INK_TEXT, a->why);
	pane_text(&part, rows - 1, 0, part.cols, INK_STRONG,
		  is_conflict ? "Do it all the same?  y / n" : "Do it?  y / n");
}

static bool
key_ask(struct page *p, int key)
{
	struct ask_page *a = (struct ask_page *)p;
	struct cmdline words;

	if (key == 'y' || key == 'Y') {
		words = a->words;
		memset(&a->words, 0, sizeof(a->words));
		p->is_done = true;
		deed_do(p->console, &words, a->flags, a->help, a->serial);
		return true;
	}
	if (key == 'n' || key == 'N' || key == TUI_ESC || key == 'q') {
		p->is_done = true;
		console_say(p->console, INK_DIM, "Nothing was done.");
		return true;
	}
	return true;
}

static void
free_ask(struct page *p)
{
	struct ask_page *a = (struct ask_page *)p;

	cmdline_release(&a->words);
	free(a);
}

static const struct page_ops ask_ops = {
	.draw = draw_ask,
	.key = key_ask,
	.free = free_ask,
};
