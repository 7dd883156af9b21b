/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The loop: frames, keys, commands.
 */
#include "console.h"

#include <locale.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock.h"
#include "command.h"
#include "console_frame.h"
#include "deed.h"
#include "find_page.h"
#include "home_page.h"
#include "errand.h"
#include "json_read.h"
#include "list_page.h"
#include "prompt_page.h"
#include "str.h"
#include "term.h"
#include "text_page.h"
#include "xalloc.h"

#define QUICK_MS 120 /* a command that is done by then shows no waiting */
#define LOOK_MS 40 /* between looks at keys while a command runs */
#define TICK_MS 1000

enum act {
#define KEY(action, key, other, label, help) ACT_##action,
#include "console_keys.def"
#undef KEY
};

static const struct tui_key keys[] = {
#define KEY(action, key, other, label, help) \
	{ key, other, ACT_##action, label, help },
#include "console_keys.def"
#undef KEY
};
#define KEYS (sizeof(keys) / sizeof(*keys))

static struct page *
top(struct console *c)
{
	return c->pages[c->page_count - 1];
}

void
console_push(struct console *c, struct page *p)
{
	if (c->page_count == CONSOLE_PAGES) {
		p->ops->free(p);
		console_say(c, INK_WARN,
			    "Too many pages are open; Esc goes back.");
		return;
	}
	c->pages[c->page_count++] = p;
	c->is_new = true;
}

struct page *
console_below(struct console *c, const struct page *p)
{
	for (int i = 1; i < c->page_count; i++)
		if (c->pages[i] == p)
			return c->pages[i - 1];
	return NULL;
}

void
console_home(struct console *c)
{
	for (int i = 1; i < c->page_count; i++)
		c->pages[i]->is_done = true;
}

void
console_say(struct console *c, enum ink ink, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	str_printable(c->said, sizeof(c->said), text, strlen(text));
	c->said_ink = ink;
	c->said_now = true;
}

bool
console_is_up(const struct console *c)
{
	return c->pulse.has_stats && c->pulse.beat.is_running;
}

/* Frames. */

static void
show(struct console *c)
{
	int rows, cols, row, col;

	term_size(&rows, &cols);
	if (rows != c->grid.rows || cols != c->grid.cols)
		grid_resize(&c->grid, rows, cols);
	c->keys = keys;
	c->key_count = KEYS;
	frame_draw(c, top(c), &row, &col);
	term_show(&c->grid, row, col);
}

/* Pages that are done go; the one that comes up is told. */
static void
settle(struct console *c)
{
	struct page *before = NULL;
	int n = 0;

	while (before != top(c)) {
		before = top(c);
		for (int i = n = 0; i < c->page_count; i++) {
			if (c->pages[i]->is_done)
				c->pages[i]->ops->free(c->pages[i]);
			else
				c->pages[n++] = c->pages[i];
		}
		if (n != c->page_count)
			c->is_new = true;
		c->page_count = n;
		if (n == 0)
			return;
		if (c->is_new && top(c)->ops->shown != NULL) {
			c->is_new = false;
			top(c)->ops->shown(top(c));
		}
		c->is_new = false;
	}
}

/* Commands. */

void
console_command_text(const struct cmdline *words, char *dst, size_t size)
{
	struct buf b = { 0 };

	cmdline_text(words, &b);
	str_fmt(dst, size, "mcctl %s", buf_str(&b));
	buf_release(&b);
}

void
result_release(struct result *r)
{
	buf_release(&r->out);
	buf_release(&r->err);
}

static void
take_result(const struct errand *j, struct result *r)
{
	struct json error = { 0 };
	const struct json_node *text;
	struct span said = buf_span(errand_errors(j));
	const char *lf = said.len > 0 ? memchr(said.p, '\n', said.len) : NULL;

	r->code = errand_code(j);
	r->is_cut = errand_is_cut(j);
	buf_add_span(&r->out, buf_span(errand_output(j)));
	if (r->is_cut) /* that it was ended for it is no failure */
		r->code = EX_OK;
	if (lf != NULL)
		said.len = (size_t)(lf - said.p);
	if (said.len > 0 && json_read(&error, said, NULL) == 0 &&
	    ((text = json_member(&error, 0, "error")) != NULL ||
	     (text = json_member(&error, 0, "warning")) != NULL))
		buf_add_str(&r->err, text->text);
	else
		buf_add_span(&r->err, buf_span(errand_errors(j)));
	json_release(&error);
}

static struct typed
read_typed(int64_t wait_ms)
{
	struct typed t = { term_key(wait_ms), NULL };

	if (t.key == TUI_NONE && term_pasted()[0] != '\0')
		t.pasted = xstrdup(term_pasted());
	return t;
}

static void
keep_ahead(struct console *c, struct typed t)
{
	if ((t.key >= 0 || t.pasted != NULL) && c->ahead_count < CONSOLE_AHEAD)
		c->ahead[c->ahead_count++] = t;
	else
		free(t.pasted);
}

/* Esc ends the waiting; so does what ends the console.  What else is typed
 * is for what comes then. */
static bool
wait_for(struct console *c, struct errand *j, const struct cmdline *words)
{
	static const char turns[] = "|/-\\";
	int64_t begin = clock_mono_ms();
	char text[400];
	bool is_done = errand_wait(j, QUICK_MS), is_stopped = false;
	struct typed t;
	int turn = 0;

	console_command_text(words, text, sizeof(text));
	while (!is_done && !is_stopped) {
		str_fmt(c->waiting, sizeof(c->waiting),
			"%c %llds  %s   Esc stops it", turns[turn++ / 4 % 4],
			(long long)(clock_mono_ms() - begin) / 1000, text);
		if (c->page_count > 0)
			show(c);
		is_done = errand_wait(j, LOOK_MS);
		t = read_typed(0);
		if (t.key == TUI_GONE)
			c->is_over = true;
		if (t.key == TUI_ESC || t.key == 3 || t.key == TUI_GONE)
			is_stopped = true;
		else
			keep_ahead(c, t);
	}
	c->waiting[0] = '\0';
	return is_done;
}

bool
console_run(struct console *c, const struct cmdline *words, bool is_json,
	    int64_t serial, struct result *r)
{
	struct cmdline all = { { NULL } };
	struct err e = { "" };
	struct errand *j;
	bool is_done;

	buf_clear(&r->out);
	buf_clear(&r->err);
	r->code = EX_SOFTWARE;
	cmdline_add(&all, "-c");
	cmdline_add(&all, c->conf_path);
	if (is_json)
		cmdline_add(&all, "--json");
	if (serial != SERIAL_UNKNOWN)
		cmdline_addf(&all, "--unchanged-since=%lld", (long long)serial);
	for (int i = 0; i < words->count; i++)
		cmdline_add(&all, words->words[i]);
	j = errand_start(&all, &e);
	if (j == NULL) {
		console_say(c, INK_BAD, "%s", e.text);
		cmdline_release(&all);
		return false;
	}
	is_done = wait_for(c, j, words);
	if (is_done)
		take_result(j, r);
	else
		console_say(c, INK_WARN, "Stopped.");
	errand_free(j);
	cmdline_release(&all);
	return is_done;
}

int64_t
console_serial(struct console *c)
{
	struct cmdline words = { { NULL } };
	struct result r = { 0 };
	struct json j = { 0 };
	int64_t serial = SERIAL_UNKNOWN;

	cmdline_add(&words, "log");
	cmdline_add(&words, "--last=1");
	if (console_run(c, &words, true, SERIAL_UNKNOWN, &r) &&
	    r.code == EX_OK) {
		serial = 0;
		if (json_read(&j, buf_span(&r.out), NULL) == 0) {
			const struct json_node *n =
				json_member(&j, 0, "serial");

			if (n == NULL || str_to_i64(n->text, &serial, NULL) < 0)
				serial = SERIAL_UNKNOWN;
		}
	}
	json_release(&j);
	result_release(&r);
	cmdline_release(&words);
	return serial;
}

/* Going about. */

void
console_go(struct console *c, const char *text)
{
	struct cmdline words = { { NULL } };
	const char *group = NULL, *row = "";
	struct scope scope = { "", "" };
	enum view_id view;

	if (cmdline_split(&words, text, NULL) == 0 && words.count > 0) {
		view = view_find(words.words[0]);
		for (int i = 1; i < words.count; i++) {
			const char *w = words.words[i];

			if (w[0] == '=') {
				row = w + 1;
			} else if (w[0] == '-' && i + 1 < words.count) {
				str_copy(scope.option, sizeof(scope.option), w);
				str_copy(scope.subject, sizeof(scope.subject),
					 words.words[++i]);
			} else {
				group = w;
			}
		}
		if (view != VIEW_COUNT)
			console_push(
				c, list_page_new(c, view, &scope, group, row));
	}
	cmdline_release(&words);
}

/* A command line that was typed.  What a list asks about before it does it
 * is asked about here too. */
static void
run_typed(void *arg, const char *text)
{
	struct console *c = arg;
	struct cmdline words = { { NULL } };
	struct result r = { 0 };
	struct err e = { "" };
	const char *help;

	if (str_has_prefix(text, "mcctl "))
		text += strlen("mcctl ");
	if (cmdline_split(&words, text, &e) < 0)
		console_say(c, INK_BAD, "%s", e.text);
	else if ((help = deed_question(&words)) != NULL)
		deed_do(c, &words, ACTION_ASK | ACTION_SHOW, help,
			SERIAL_UNKNOWN);
	else if (words.count > 0 &&
		 console_run(c, &words, false, SERIAL_UNKNOWN, &r))
		text_page_show(c, &words, &r);
	result_release(&r);
	cmdline_release(&words);
}

void
console_type(struct console *c, const char *text)
{
	char line[200];

	str_fmt(line, sizeof(line), "%s%s", text, text[0] != '\0' ? " " : "");
	prompt_page_open(c, "mcctl",
			 "any command of mcctl; --help behind it says more",
			 line, run_typed, c);
}

/* The next or the last list of the menu beside the one that is open. */
static void
step_view(struct console *c, int step)
{
	enum view_id v = VIEW_COUNT;
	int at, i;

	for (i = 0; i < c->page_count; i++)
		if (list_page_view(c->pages[i]) != VIEW_COUNT) {
			v = list_page_view(c->pages[i]);
			break;
		}
	at = v == VIEW_COUNT ? (step > 0 ? -1 : VIEW_COUNT) : (int)v;
	do
		at = (at + step + VIEW_COUNT) % VIEW_COUNT;
	while (view_table[at].flags & VIEW_HIDDEN);
	console_home(c);
	console_go(c, view_table[at].name);
}

static void
help(struct console *c)
{
	struct buf b = { 0 };
	char title[200];

	frame_help(top(c), keys, KEYS, &b);
	str_fmt(title, sizeof(title), "Keys: %s", top(c)->title);
	text_page_lines(c, title, buf_str(&b));
	buf_release(&b);
}

static void
next_theme(struct console *c)
{
	c->theme = c->theme == THEME_AUTO || c->theme == THEME_MONO
			   ? THEME_DARK
			   : (enum term_theme)(c->theme + 1);
	term_set_theme(c->theme);
}

static void
do_act(struct console *c, enum act a)
{
	switch (a) {
	case ACT_HELP:
		help(c);
		break;
	case ACT_BACK:
		if (c->page_count > 1)
			top(c)->is_done = true;
		break;
	case ACT_SEARCH:
		find_page_open(c);
		break;
	case ACT_COMMAND:
		console_type(c, "");
		break;
	case ACT_NEXT:
	case ACT_PREVIOUS:
		step_view(c, a == ACT_NEXT ? 1 : -1);
		break;
	case ACT_THEME:
		next_theme(c);
		break;
	case ACT_REDRAW:
		term_redraw();
		break;
	case ACT_QUIT:
		c->is_over = true;
		break;
	}
}

static void
take_key(struct console *c, int key)
{
	const struct tui_key *row;
	struct page *p = top(c);

	if (key < 0)
		return;
	c->said_now = false;
	if (key == TUI_RESIZE)
		return;
	if (key == 12)
		term_redraw();
	if (key == 3) {
		c->is_over = true;
		return;
	}
	if (!p->ops->key(p, key) && !p->is_typing) {
		row = tui_key_find(keys, KEYS, key);
		if (row != NULL && key == 'q' && c->page_count == 1)
			c->is_over = true;
		else if (row != NULL)
			do_act(c, (enum act)row->action);
	}
	if (!c->said_now)
		c->said[0] = '\0';
}

static void
tick(struct console *c, int64_t *due_ms)
{
	if (clock_mono_ms() < *due_ms)
		return;
	*due_ms = clock_mono_ms() + TICK_MS;
	pulse_take(&c->conf, &c->pulse);
	if (top(c)->ops->tick != NULL)
		top(c)->ops->tick(top(c));
}

static struct typed
next_typed(struct console *c, int64_t due_ms)
{
	struct typed t;

	if (c->ahead_count == 0)
		return read_typed(due_ms > clock_mono_ms()
					  ? due_ms - clock_mono_ms()
					  : 0);
	t = c->ahead[0];
	memmove(c->ahead, c->ahead + 1,
		(size_t)--c->ahead_count * sizeof(*c->ahead));
	return t;
}

static void
run(struct console *c)
{
	int64_t due_ms = 0;
	struct typed t;

	console_push(c, home_page_new(c, &c->pulse));
	while (!c->is_over && c->page_count > 0) {
		tick(c, &due_ms);
		show(c);
		t = next_typed(c, due_ms);
		if (t.key == TUI_GONE)
			break;
		if (t.pasted != NULL && top(c)->ops->paste != NULL)
			top(c)->ops->paste(top(c), t.pasted);
		free(t.pasted);
		take_key(c, t.key);
		settle(c);
	}
}

static void
host_name(struct console *c)
{
	if (c->conf.hostname[0] != '\0')
		str_copy(c->host, sizeof(c->host), c->conf.hostname);
	else if (gethostname(c->host, sizeof(c->host) - 1) != 0)
		str_copy(c->host, sizeof(c->host), "mcgate");
}

static bool
theme_of(const char *name, enum term_theme *out)
{
	static const char *const names[] = { "auto", "dark", "light", "mono" };

	for (int i = 0; i < 4; i++) {
		if (name == NULL || str_eq(name, names[i])) {
			*out = (enum term_theme)i;
			return true;
		}
	}
	return false;
}

int
cmd_console(struct ctx *ctx)
{
	struct console *c = xcalloc(1, sizeof(*c));
	struct term_options o = { .is_ascii = option_is_given(ctx, "ascii") };
	struct err e = { "" };
	int code = EX_OK;

	c->conf_path = ctx->conf_path;
	setlocale(LC_ALL, "");
	setlocale(LC_NUMERIC, "C");
	if (!theme_of(option_value(ctx, "theme"), &o.theme))
		code = complain(ctx, EX_USAGE,
				"--theme: expected dark, light or mono");
	else if (conf_read(c->conf_path, &c->conf, &e) < 0)
		code = complain(ctx, EX_CONFIG, "%s", e.text);
	else if (term_open(&o, &e) < 0)
		code = complain(ctx, EX_UNAVAILABLE,
				"%s; mcctl --help lists the commands", e.text);
	if (code == EX_OK) {
		c->theme = o.theme;
		c->grid.is_utf8 = term_is_utf8();
		host_name(c);
		run(c);
		term_close();
	}
	while (c->page_count > 0) {
		struct page *p = c->pages[--c->page_count];

		p->ops->free(p);
	}
	while (c->ahead_count > 0)
		free(c->ahead[--c->ahead_count].pasted);
	grid_release(&c->grid);
	conf_release(&c->conf);
	free(c);
	return code;
}
