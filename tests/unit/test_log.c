/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Log lines, caught from stderr by a datagram socket: one write a line is
 * one datagram.  What would go to syslog ends here.
 */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "str.h"

#include "check.h"

/* Of <syslog.h>, which may hide its functions behind macros. */
#define WANT_PID 0x01
#define WANT_NDELAY 0x08
#define WANT_MAIL (2 << 3)
#define WANT_ERR 3
#define WANT_INFO 6

static char sys_ident[64];
static int sys_options, sys_facility, sys_opens, sys_closes;
static int sys_priority, sys_lines;
static char sys_text[8192];

void openlog(const char *ident, int options, int facility);
void closelog(void);
void syslog(int priority, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void __syslog_chk(int priority, int flag, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

void
openlog(const char *ident, int options, int facility)
{
	snprintf(sys_ident, sizeof(sys_ident), "%s", ident);
	sys_options = options;
	sys_facility = facility;
	sys_opens++;
}

void
closelog(void)
{
	sys_closes++;
}

__attribute__((format(printf, 2, 0))) static void
take_line(int priority, const char *fmt, va_list ap)
{
	sys_priority = priority;
	sys_lines++;
	vsnprintf(sys_text, sizeof(sys_text), fmt, ap);
}

void
syslog(int priority, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	take_line(priority, fmt, ap);
	va_end(ap);
}

/* What syslog() is in a build with _FORTIFY_SOURCE. */
void
__syslog_chk(int priority, int flag, const char *fmt, ...)
{
	va_list ap;

	(void)flag;
	va_start(ap, fmt);
	take_line(priority, fmt, ap);
	va_end(ap);
}

static int interruptions; /* of the next writes */

ssize_t
write(int fd, const void *p, size_t n)
{
	if (interruptions > 0) {
		interruptions--;
		errno = EINTR;
		return -1;
	}
	return syscall(SYS_write, fd, p, n);
}

static int caught; /* the socket's other end */

/* The next line, NULL when there is none. */
static const char *
line(void)
{
	static char text[8192];
	ssize_t n = recv(caught, text, sizeof(text) - 1, MSG_DONTWAIT);

	if (n < 0)
		return NULL;
	text[n] = '\0';
	return text;
}

/* The same without "name[pid]: ", which has to be in front of it. */
static const char *
line_as(const char *name)
{
	const char *got = line();
	char prefix[128];

	snprintf(prefix, sizeof(prefix), "%s[%ld]: ", name, (long)getpid());
	if (got == NULL || !str_has_prefix(got, prefix))
		return got;
	return got + strlen(prefix);
}

static void
test_levels(void)
{
	log_info("early %d", 1);
	CHECK_STR(line_as("mcgate"), "early 1\n",
		  "before log_open() lines go to stderr");
	log_debug("early");
	CHECK_STR(line(), NULL, "but not those of debug");
	log_open("mcd/queue", LOG_TO_STDERR, LOG_LEVEL_DEBUG);
	log_error("e");
	CHECK_STR(line_as("mcd/queue"), "error: e\n", "an error says so");
	log_warn("w");
	CHECK_STR(line_as("mcd/queue"), "warn: w\n", "a warning says so");
	log_info("ID accepted size=%d", 812);
	CHECK_STR(line_as("mcd/queue"), "ID accepted size=812\n",
		  "what is counted has no prefix");
	log_debug("d");
	CHECK_STR(line_as("mcd/queue"), "d\n", "nor has debug");
	log_set_level(LOG_LEVEL_WARN);
	log_info("i");
	CHECK_STR(line(), NULL, "a level hides those below it");
	log_warn("w");
	CHECK_STR(line_as("mcd/queue"), "warn: w\n", "and none above");
	log_set_level(LOG_LEVEL_ERROR);
	log_warn("w");
	CHECK_STR(line(), NULL, "the highest level hides warnings");
	log_open("mcd/queue", LOG_TO_STDERR, LOG_LEVEL_INFO);
	interruptions = 3;
	log_info("i");
	CHECK_STR(line_as("mcd/queue"), "i\n",
		  "an interrupted line is written");
	errno = ENOENT;
	log_info("x");
	CHECK_INT(errno, ENOENT, "errno is kept");
	line();
}

static void
test_shape(void)
{
	static char longer[70000];
	const char *got;
	size_t fits;

	log_info("a\nb\r\033[2J");
	CHECK_STR(line_as("mcd/queue"), "a?b??[2J\n",
		  "an event is one line without controls");
	log_info("ends\n");
	CHECK_STR(line_as("mcd/queue"), "ends\n",
		  "an end of line of the caller's is not doubled");
	log_info("%s", "");
	CHECK_STR(line_as("mcd/queue"), "\n", "an empty line is one");
	memset(longer, 'x', sizeof(longer) - 1);
	log_info("%s", longer);
	got = line();
	CHECK_INT(strlen(got), LOG_LINE_MAX, "a long line is cut");
	CHECK_STR(got + LOG_LINE_MAX - 5, "x...\n", "and says so");
	CHECK_STR(line(), NULL, "and its rest is not another line");
	log_info("%s", "");
	fits = LOG_LINE_MAX - strlen(line());
	longer[fits] = '\0';
	log_info("%s", longer);
	got = line();
	CHECK_INT(strlen(got), LOG_LINE_MAX, "the longest line");
	CHECK_STR(got + LOG_LINE_MAX - 5, "xxxx\n", "is whole");
	longer[fits] = 'x';
	longer[fits + 1] = '\0';
	log_info("%s", longer);
	got = line();
	CHECK_STR(got + LOG_LINE_MAX - 5, "x...\n", "one byte more is cut");
	longer[fits - 4] = '\xc3';
	longer[fits - 3] = '\xa4';
	log_info("%s", longer);
	got = line();
	CHECK(str_is_utf8(got, strlen(got)), "a letter is not cut in two");
}

static void
test_text(void)
{
	static const struct {
		const char *s, *want, *words;
	} rows[] = {
		{ "mail.example", "mail.example", "a plain word" },
		{ NULL, "-", "nothing at all" },
		{ "", "\"\"", "the empty text" },
		{ "a b", "\"a b\"", "a space" },
		{ "a\"b", "\"a\\\"b\"", "a quote" },
		{ "a\\b", "\"a\\\\b\"", "a backslash" },
		{ "x\" ok=1", "\"x\\\" ok=1\"", "an attempt to leave quotes" },
		{ "a\nb", "a?b", "an end of line" },
		{ "\xc3\xa4\xff", "\xc3\xa4?", "a letter and a stray byte" },
	};
	char longer[1000];
	const char *kept[9];
	const char *got;
	char text[4];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_STR(log_text(rows[i].s), rows[i].want, "log_text: %s",
			  rows[i].words);
	memset(longer, '"', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	got = log_text(longer);
	CHECK(strlen(got) < 256 &&
		      str_has_prefix(got + strlen(got) - 6, "\\\""),
	      "quotes only are cut: %s", got);
	CHECK_STR(got + strlen(got) - 4, "...\"", "and still quoted");
	for (i = 0; i < 9; i++) {
		snprintf(text, sizeof(text), "%d", (int)i);
		kept[i] = log_text(text);
	}
	CHECK_STR(kept[1], "1", "eight texts stand at once");
	CHECK_STR(kept[8], "8", "of which the oldest goes first");
	CHECK(kept[0] == kept[8], "for the ninth");
}

/* How a child that runs f ends: its exit code, or minus its signal. */
static int
end_of(void (*f)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		f();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void
do_fatal(void)
{
	fatal(78, "mcd.conf:%d: wrong", 14);
}

static void
do_bug(void)
{
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	bug("state %d", 7);
}

static void
do_reopen(void)
{
	log_info("child %ld", (long)getpid());
}

static void
test_ends(void)
{
	const char *got;
	char want[64];
	long a, b;

	fflush(stdout);
	CHECK_INT(end_of(do_fatal), 78, "fatal() exits with its code");
	got = line();
	CHECK(got != NULL && strstr(got, "]: error: mcd.conf:14: wrong\n"),
	      "and says why");
	CHECK_INT(end_of(do_bug), -SIGABRT, "bug() aborts");
	got = line();
	snprintf(want, sizeof(want), "error: bug: ");
	CHECK(got != NULL && strstr(got, want) && strstr(got, "test_log.c:") &&
		      strstr(got, ": state 7\n"),
	      "and says where and why: %s", got);
	end_of(do_reopen);
	got = line();
	CHECK(got != NULL &&
		      sscanf(got, "mcd/queue[%ld]: child %ld", &a, &b) == 2 &&
		      a == b,
	      "a forked process logs its own pid");
}

/* A reader that does not read must not stop or kill the writer. */
static void
test_full(void)
{
	int fds[2], saved = dup(STDERR_FILENO);
	int i;

	if (pipe(fds) == -1)
		return;
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	dup2(fds[1], STDERR_FILENO);
	for (i = 0; i < 5000; i++)
		log_info("a line of some fifty letters, a line of some fifty");
	CHECK_INT(i, 5000, "lines that nobody reads are dropped");
	dup2(saved, STDERR_FILENO);
	log_info("back");
	CHECK_STR(line_as("mcd/queue"), "back\n", "and others follow");
	close(fds[0]);
	close(fds[1]);
	close(saved);
}

static void
test_syslog(void)
{
	static char longer[3000];

	log_open("mcd/in", LOG_TO_SYSLOG, LOG_LEVEL_INFO);
	CHECK_INT(sys_opens, 1, "syslog is opened at once");
	CHECK_STR(sys_ident, "mcd/in", "with the name");
	CHECK_INT(sys_options, WANT_PID | WANT_NDELAY,
		  "with its pid and its socket");
	CHECK_INT(sys_facility, WANT_MAIL, "for mail");
	log_error("e%%n %s", "%s%n\n");
	CHECK_STR(sys_text, "error: e%n %s%n", "a line is no format");
	CHECK_INT(sys_priority, WANT_MAIL | WANT_ERR, "and has its priority");
	log_info("i\033");
	CHECK_STR(sys_text, "i?", "nor has it controls");
	CHECK_INT(sys_priority, WANT_MAIL | WANT_INFO, "and another priority");
	log_debug("d");
	CHECK_INT(sys_lines, 2, "levels are hidden here too");
	memset(longer, 'x', sizeof(longer) - 1);
	log_info("%s", longer);
	CHECK_INT(strlen(sys_text), LOG_LINE_MAX, "a long line is cut");
	CHECK_STR(line(), NULL, "nothing goes to stderr");
	log_open("mcd/out", LOG_TO_SYSLOG, LOG_LEVEL_INFO);
	CHECK_STR(sys_ident, "mcd/out", "it can be opened anew");
	CHECK_INT(sys_closes, 1, "once closed");
	log_open("mcd/queue", LOG_TO_STDERR, LOG_LEVEL_INFO);
	log_info("back");
	CHECK_STR(line_as("mcd/queue"), "back\n", "stderr can follow");
	CHECK_INT(sys_closes, 2, "and syslog is closed");
}

int
main(void)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) == -1) {
		perror("socketpair");
		return 1;
	}
	caught = fds[0];
	dup2(fds[1], STDERR_FILENO);
	close(fds[1]);
	test_levels();
	test_shape();
	test_text();
	test_syslog();
	test_ends();
	test_full();
	return check_done();
}
