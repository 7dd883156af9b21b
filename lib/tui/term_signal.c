/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Signals of a program on a terminal.  Those that end or stop it only set
 * a flag, which term_key() sees; those of a crash write what puts the
 * terminal right, made ready beforehand, and let the crash go on.
 */
#define NCURSES_WIDECHAR 1
#include "term_signal.h"

#include <curses.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#include "buf.h"
#include "str.h"

#define RESTORE_SIZE 256

static const int ends[] = { SIGHUP, SIGINT, SIGTERM, SIGQUIT };
static const int crashes[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };

static struct {
	volatile sig_atomic_t is_end, is_stop, is_continued, is_resized;
	volatile sig_atomic_t is_armed;
	struct termios before;
	bool has_before;
	char restore[RESTORE_SIZE];
	size_t restore_len;
} self;

static void
on_end(int sig)
{
	(void)sig;
	self.is_end = 1;
}

static void
on_stop(int sig)
{
	(void)sig;
	self.is_stop = 1;
}

static void
on_continue(int sig)
{
	(void)sig;
	self.is_continued = 1;
}

static void
on_resize(int sig)
{
	(void)sig;
	self.is_resized = 1;
}

/* Only calls that may be made here. */
static void
on_crash(int sig)
{
	ssize_t n;

	if (self.is_armed) {
		n = write(STDOUT_FILENO, self.restore, self.restore_len);
		(void)n;
	}
	if (self.has_before)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &self.before);
	raise(sig); /* the handler is gone: SA_RESETHAND */
}

static void
take(int sig, void (*handler)(int), int flags)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = handler;
	sa.sa_flags = flags;
	sigemptyset(&sa.sa_mask);
	(void)sigaction(sig, &sa, NULL);
}

void
term_signal_start(void)
{
	self.has_before = tcgetattr(STDIN_FILENO, &self.before) == 0;
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		take(ends[i], on_end, 0);
	for (size_t i = 0; i < sizeof(crashes) / sizeof(*crashes); i++)
		take(crashes[i], on_crash, (int)(SA_RESETHAND | SA_NODEFER));
	take(SIGTSTP, on_stop, 0);
	take(SIGCONT, on_continue, 0);
	take(SIGWINCH, on_resize, 0);
	take(SIGPIPE, SIG_IGN, 0);
}

/* A capability without its padding, if there is one. */
static void
add_capability(struct buf *b, const char *name)
{
	const char *s = tigetstr(name);

	if (s == NULL || s == (const char *)-1)
		return;
	while (*s != '\0') {
		if (s[0] == '$' && s[1] == '<' && strchr(s, '>') != NULL)
			s = strchr(s, '>') + 1;
		else
			buf_add_char(b, *s++);
	}
}

void
term_signal_arm(const char *more)
{
	struct buf b = { .limit = RESTORE_SIZE };

	add_capability(&b, "sgr0");
	add_capability(&b, "op");
	add_capability(&b, "cnorm");
	add_capability(&b, "rmkx");
	buf_add_str(&b, more);
	add_capability(&b, "rmcup");
	memcpy(self.restore, buf_str(&b), b.len);
	self.restore_len = b.len;
	buf_release(&b);
	self.is_armed = 1;
}

void
term_signal_stop(void)
{
	self.is_armed = 0;
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		take(ends[i], SIG_DFL, 0);
	for (size_t i = 0; i < sizeof(crashes) / sizeof(*crashes); i++)
		take(crashes[i], SIG_DFL, 0);
	take(SIGTSTP, SIG_DFL, 0);
	take(SIGCONT, SIG_DFL, 0);
	take(SIGWINCH, SIG_DFL, 0);
}

bool
term_signal_is_end(void)
{
	return self.is_end != 0;
}

bool
term_signal_take_stop(void)
{
	bool was = self.is_stop != 0;

	self.is_stop = 0;
	return was;
}

bool
term_signal_take_continued(void)
{
	bool was = self.is_continued != 0;

	self.is_continued = 0;
	return was;
}

bool
term_signal_take_resized(void)
{
	bool was = self.is_resized != 0;

	self.is_resized = 0;
	return was;
}

void
term_signal_suspend(void)
{
	take(SIGTSTP, SIG_DFL, 0);
	(void)raise(SIGTSTP);
	take(SIGTSTP, on_stop, 0);
	self.is_continued = 0;
}
