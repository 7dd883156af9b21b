/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 * For unit tests: each claim prints one line of TAP on standard output, and
 * a failed one also where it stands and what was found instead. A test
 * program makes its claims in main() and ends with `return check_done();`.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int check_count;
static int check_failures;

/* CHECK(cond, words...): words are a printf format and its arguments, and
 * say what ought to be so: "an empty line is refused". */
#define CHECK(cond, ...) \
	check_claim(!!(cond), __FILE__, __LINE__, #cond, __VA_ARGS__)

/* got and want are compared as strings; NULL equals only NULL. */
#define CHECK_STR(got, want, ...) \
	check_str(__FILE__, __LINE__, (got), (want), __VA_ARGS__)

/* got and want are whole numbers of any type. */
#define CHECK_INT(got, want, ...)                                          \
	check_int(__FILE__, __LINE__, (long long)(got), (long long)(want), \
		  __VA_ARGS__)

/* len bytes at got and want are compared. */
#define CHECK_MEM(got, want, len, ...) \
	check_mem(__FILE__, __LINE__, (got), (want), (len), __VA_ARGS__)

__attribute__((format(printf, 2, 0))) static inline int
check_vline(int is_ok, const char *words, va_list ap)
{
	check_count++;
	check_failures += !is_ok;
	printf("%s %d - ", is_ok ? "ok" : "not ok", check_count);
	vprintf(words, ap);
	putchar('\n');
	return is_ok;
}

__attribute__((format(printf, 5, 6))) static inline int
check_claim(int is_ok, const char *file, int line, const char *claim,
	    const char *words, ...)
{
	va_list ap;

	va_start(ap, words);
	check_vline(is_ok, words, ap);
	va_end(ap);
	if (!is_ok)
		printf("# %s:%d: %s\n", file, line, claim);
	fflush(stdout);
	return is_ok;
}

__attribute__((format(printf, 5, 6))) static inline int
check_str(const char *file, int line, const char *got, const char *want,
	  const char *words, ...)
{
	int is_ok = got && want ? strcmp(got, want) == 0 : got == want;
	va_list ap;

	va_start(ap, words);
	check_vline(is_ok, words, ap);
	va_end(ap);
	if (!is_ok) {
		printf("# %s:%d\n", file, line);
		printf("#   got:  %s\n", got ? got : "(NULL)");
		printf("#   want: %s\n", want ? want : "(NULL)");
	}
	fflush(stdout);
	return is_ok;
}

__attribute__((format(printf, 5, 6))) static inline int
check_int(const char *file, int line, long long got, long long want,
	  const char *words, ...)
{
	va_list ap;

	va_start(ap, words);
	check_vline(got == want, words, ap);
	va_end(ap);
	if (got != want)
		printf("# %s:%d: got %lld, want %lld\n", file, line, got, want);
	fflush(stdout);
	return got == want;
}

__attribute__((format(printf, 6, 7))) static inline int
check_mem(const char *file, int line, const void *got, const void *want,
	  size_t len, const char *words, ...)
{
	const unsigned char *g = got, *w = want;
	size_t at = 0;
	va_list ap;

	while (at < len && g[at] == w[at])
		at++;
	va_start(ap, words);
	check_vline(at == len, words, ap);
	va_end(ap);
	if (at != len)
		printf("# %s:%d: byte %zu of %zu: got %02x, want %02x\n", file,
		       line, at, len, g[at], w[at]);
	fflush(stdout);
	return at == len;
}

/* One test that cannot be made here, and why not. Counts as a test. */
static inline void
check_skip(const char *reason)
{
	check_count++;
	printf("ok %d - skipped # SKIP %s\n", check_count, reason);
	fflush(stdout);
}

/* Prints the plan; returns the exit status of the program. */
static inline int
check_done(void)
{
	printf("1..%d\n", check_count);
	if (fflush(stdout) != 0 || check_count == 0)
		return EXIT_FAILURE;
	return check_failures ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
