/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mctop: options, and the loop of frames and keys.  It only looks: nothing
 * here writes anywhere but to the terminal.
 */
#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock.h"
#include "conf.h"
#include "config.h"
#include "dump.h"
#include "screen.h"
#include "str.h"
#include "term.h"

#define FIRST_MS 250 /* from the first sample of --once to the second */

static const char usage_text[] =
	"usage: mctop [-c FILE] [OPTION]...\n"
	"  -c FILE          mcd.conf\n"
	"  -i SECONDS       time between frames (1)\n"
	"  -p PANEL         the panel that is chosen at first\n"
	"  --once           print one frame as text\n"
	"  --batch          print a frame each time, until stopped\n"
	"  --json           print everything there is as one JSON object\n"
	"  --size COLSxROWS of what is printed (COLUMNS and LINES, 80x24)\n"
	"  --theme NAME     dark, light or mono\n"
	"  --ascii          nothing but ASCII\n"
	"  --help, --version\n";

enum mode { MODE_SCREEN, MODE_ONCE, MODE_BATCH, MODE_JSON };

static struct options {
	const char *conf_path, *panel;
	int64_t interval_ms;
	enum mode mode;
	int rows, cols;
	struct term_options term;
} opt = { .interval_ms = 1000, .rows = 24, .cols = 80 };

static struct conf conf;

static int
usage(const char *what, const char *value)
{
	fprintf(stderr, "mctop: %s: %s\n%s", what, value, usage_text);
	return EX_USAGE;
}

static bool
take_size(const char *text)
{
	char cols[8];
	size_t n = strcspn(text, "x");
	uint64_t c, r;

	if (n == 0 || n >= sizeof(cols) || text[n] == '\0')
		return false;
	str_fmt(cols, sizeof(cols), "%.*s", (int)n, text);
	if (str_to_u64(cols, &c, NULL) < 0 ||
	    str_to_u64(text + n + 1, &r, NULL) < 0 || c < 1 || r < 1 ||
	    c > GRID_SIDE_MAX || r > GRID_SIDE_MAX)
		return false;
	opt.cols = (int)c;
	opt.rows = (int)r;
	return true;
}

static void
take_environment(void)
{
	const char *cols = getenv("COLUMNS"), *rows = getenv("LINES");
	char text[32];

	if (cols != NULL &&
	    str_fmt(text, sizeof(text), "%sx%d", cols, opt.rows))
		(void)take_size(text);
	if (rows != NULL &&
	    str_fmt(text, sizeof(text), "%dx%s", opt.cols, rows))
		(void)take_size(text);
}

static bool
take_theme(const char *name)
{
	static const char *const names[] = { "auto", "dark", "light", "mono" };

	for (int i = 0; i < 4; i++) {
		if (str_eq(name, names[i])) {
			opt.term.theme = (enum term_theme)i;
			return true;
		}
	}
	return false;
}

static bool
take_interval(const char *text)
{
	if (str_to_duration_ms(text, &opt.interval_ms, NULL) < 0) {
		char *end;
		double s = strtod(text, &end);

		if (end == text || *end != '\0' || !(s > 0 && s < 1000))
			return false;
		opt.interval_ms = (int64_t)(s * 1000);
	}
	return opt.interval_ms >= INTERVAL_MIN_MS &&
	       opt.interval_ms <= INTERVAL_MAX_MS;
}

/* -1: go on; else the exit code. */
static int
take_options(int argc, char **argv)
{
	enum { ONCE = 256, BATCH, JSON, SIZE, THEME, ASCII, HELP, VERSION };
	static const struct option names[] = {
		{ "once", no_argument, NULL, ONCE },
		{ "batch", no_argument, NULL, BATCH },
		{ "json", no_argument, NULL, JSON },
		{ "size", required_argument, NULL, SIZE },
		{ "theme", required_argument, NULL, THEME },
		{ "ascii", no_argument, NULL, ASCII },
		{ "help", no_argument, NULL, HELP },
		{ "version", no_argument, NULL, VERSION },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "c:i:p:h", names, NULL)) != -1) {
		if (c == 'c')
			opt.conf_path = optarg;
		else if (c == 'p')
			opt.panel = optarg;
		else if (c == 'i' && !take_interval(optarg))
			return usage("-i: expected 0.25 to 60 seconds", optarg);
		else if (c == ONCE || c == BATCH || c == JSON)
			opt.mode = (enum mode)(MODE_ONCE + (c - ONCE));
		else if (c == SIZE && !take_size(optarg))
			return usage("--size: expected COLSxROWS", optarg);
		else if (c == THEME && !take_theme(optarg))
			return usage("--theme: expected dark, light or mono",
				     optarg);
		else if (c == ASCII)
			opt.term.is_ascii = true;
		else if (c == HELP || c == 'h')
			return printf("%s", usage_text) < 0 ? EX_IOERR : EX_OK;
		else if (c == VERSION)
			return printf("mctop %s\n", MCGATE_VERSION) < 0
				       ? EX_IOERR
				       : EX_OK;
		else if (c == '?')
			return usage("see the options", argv[optind - 1]);
	}
	if (optind < argc)
		return usage("no argument was expected", argv[optind]);
	return -1;
}

static void
wait_ms(int64_t ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	(void)nanosleep(&ts, NULL);
}

/* Frames as text; rates need two samples. */
static int
print_frames(struct source *source, struct screen *screen)
{
	struct grid g = { .is_utf8 = !opt.term.is_ascii &&
				     str_eq(nl_langinfo(CODESET), "UTF-8") };
	const struct sample *n;
	struct buf b = { 0 };
	int code = EX_OK;

	grid_resize(&g, opt.rows, opt.cols);
	(void)source_take(source);
	wait_ms(FIRST_MS);
	for (;;) {
		n = source_take(source);
		buf_clear(&b);
		if (opt.mode == MODE_JSON) {
			dump_json(n, &b);
		} else {
			screen_draw(screen, n, &g);
			grid_print(&g, &b);
		}
		if (fwrite(buf_str(&b), 1, b.len, stdout) != b.len ||
		    fflush(stdout) != 0) {
			code = errno == EPIPE ? EX_OK : EX_IOERR;
			break;
		}
		if (opt.mode != MODE_BATCH) {
			code = n->alive.is_running ? EX_OK : EX_UNAVAILABLE;
			break;
		}
		if (fputc('\n', stdout) == EOF)
			break;
		wait_ms(opt.interval_ms);
	}
	buf_release(&b);
	grid_release(&g);
	return code;
}

static void
show(struct screen *screen, const struct sample *n, struct grid *g)
{
	int rows, cols, cursor;

	term_size(&rows, &cols);
	if (rows != g->rows || cols != g->cols)
		grid_resize(g, rows, cols);
	screen_draw(screen, n, g);
	cursor = screen_cursor(screen, g);
	term_show(g, cursor >= 0 ? g->rows - 1 : -1, cursor);
}

static void
next_theme(void)
{
	if (opt.term.theme == THEME_AUTO)
		opt.term.theme = THEME_DARK;
	opt.term.theme = opt.term.theme == THEME_MONO
				 ? THEME_DARK
				 : (enum term_theme)(opt.term.theme + 1);
	term_set_theme(opt.term.theme);
}

static void
run_screen(struct source *source, struct screen *screen)
{
	struct grid g = { .is_utf8 = term_is_utf8() };
	const struct sample *n = source_take(source);
	int64_t due_ms = clock_mono_ms() + FIRST_MS;
	enum act a = ACT_COUNT;
	int key;

	while (a != ACT_QUIT) {
		show(screen, n, &g);
		key = term_key(due_ms > clock_mono_ms()
				       ? due_ms - clock_mono_ms()
				       : 0);
		if (key == TUI_GONE)
			break;
		screen_paste(screen, term_pasted());
		a = screen_key(screen, key);
		if (a == ACT_THEME)
			next_theme();
		if (a == ACT_REDRAW)
			term_redraw();
		if (clock_mono_ms() < due_ms)
			continue;
		if (!screen_is_paused(screen))
			n = source_take(source);
		due_ms = clock_mono_ms() + screen_interval_ms(screen);
	}
	grid_release(&g);
}

static const char *
host_name(void)
{
	static char name[256];

	if (conf.hostname[0] != '\0')
		return conf.hostname;
	if (gethostname(name, sizeof(name) - 1) != 0)
		str_copy(name, sizeof(name), "mcgate");
	return name;
}

static int
run(struct source *source, struct screen *screen)
{
	struct err e = { "" };

	if (opt.panel != NULL && screen_choose(screen, opt.panel) < 0)
		return usage("-p: no such panel", opt.panel);
	source_load_history(source);
	if (opt.mode != MODE_SCREEN)
		return print_frames(source, screen);
	if (term_open(&opt.term, &e) < 0) {
		fprintf(stderr,
			"mctop: %s; mctop --once prints a frame as text\n",
			e.text);
		return EX_UNAVAILABLE;
	}
	run_screen(source, screen);
	term_close();
	return EX_OK;
}

int
main(int argc, char **argv)
{
	struct source *source;
	struct screen *screen;
	struct err e = { "" };
	int code;

	opt.conf_path = conf_default_path;
	setlocale(LC_ALL, "");
	setlocale(LC_NUMERIC, "C");
	take_environment();
	code = take_options(argc, argv);
	if (code >= 0)
		return code;
	if (conf_read(opt.conf_path, &conf, &e) < 0) {
		fprintf(stderr, "mctop: %s\n", e.text);
		return EX_CONFIG;
	}
	source = source_new(&conf);
	screen = screen_new(host_name(), opt.interval_ms);
	code = run(source, screen);
	screen_free(screen);
	source_free(source);
	conf_release(&conf);
	return code;
}
