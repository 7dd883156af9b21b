/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Arenas: alignment, zeros, sizes around the block size, reuse.
 */
#include "arena.h"

#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static void
test_alloc(void)
{
	struct arena a = { 0 };
	size_t bad_align = 0, bad_zero = 0, bad_fill = 0, total = 0;
	static unsigned char *ptrs[4000];
	size_t i, k, size;

	for (i = 0; i < 4000; i++) {
		size = i % 97 == 0 ? i * 11 : i % 61;
		ptrs[i] = arena_alloc(&a, size);
		bad_align += (uintptr_t)ptrs[i] % _Alignof(max_align_t) != 0;
		for (k = 0; k < size; k++)
			bad_zero += ptrs[i][k] != 0;
		memset(ptrs[i], (int)(i & 0xff), size);
		total += size;
	}
	for (i = 0; i < 4000; i++) {
		size = i % 97 == 0 ? i * 11 : i % 61;
		for (k = 0; k < size; k++)
			bad_fill += ptrs[i][k] != (i & 0xff);
	}
	CHECK_INT(bad_align, 0, "every allocation is aligned");
	CHECK_INT(bad_zero, 0, "every allocation is zeroed");
	CHECK_INT(bad_fill, 0, "allocations do not overlap");
	CHECK_INT(a.used, total, "used counts the bytes asked for");
	arena_release(&a);
	CHECK(a.head == NULL && a.used == 0, "a released arena is empty");
}

static void
test_reuse(void)
{
	struct arena a = { 0 };
	size_t bad = 0;
	unsigned char *p;
	size_t i, k;

	for (i = 0; i < 200; i++) {
		p = arena_alloc(&a, 500);
		for (k = 0; k < 500; k++)
			bad += p[k] != 0;
		memset(p, 0xff, 500);
		if (i % 7 == 0)
			arena_clear(&a);
	}
	CHECK_INT(bad, 0, "memory used again after a clear is zeroed");
	arena_clear(&a);
	arena_release(&a);
	arena_clear(&a);
	CHECK_INT(a.used, 0, "a cleared arena has handed out nothing");
	arena_clear(&a);
	CHECK_STR(arena_strdup(&a, "x"), "x", "two clears do no harm");
	arena_alloc(&a, 1 << 20);
	arena_clear(&a);
	arena_release(&a);
	arena_release(&a);
	CHECK(a.head == NULL, "two releases do no harm");
	arena_alloc(&a, 1 << 20);
	CHECK_STR(arena_strdup(&a, "y"), "y", "a small one after a big one");
	arena_release(&a);
	arena_alloc(&a, 1 << 20);
	arena_clear(&a);
	CHECK(a.head == NULL, "a big block is not kept by a clear");
	arena_release(&a);
}

static void
test_strings(void)
{
	struct arena a = { 0 };
	char longer[1000];
	const char *p;

	memset(longer, 'l', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	CHECK_STR(arena_strdup(&a, ""), "", "an empty string is copied");
	CHECK_STR(arena_strndup(&a, "abcdef", 3), "abc", "n bytes are copied");
	CHECK_STR(arena_strndup(&a, "abc", 9), "abc", "strndup ends at a NUL");
	CHECK_STR(arena_printf(&a, "%d-%s", 42, "x"), "42-x", "printf formats");
	p = arena_printf(&a, "<%s>", longer);
	CHECK(strlen(p) == 1001 && p[0] == '<' && p[1000] == '>',
	      "printf makes a long text whole");
	memset(longer, 'm', 255);
	longer[255] = '\0';
	CHECK_STR(arena_printf(&a, "%s", longer), longer,
		  "a text of 255 bytes is whole");
	longer[255] = 'm';
	longer[256] = '\0';
	CHECK_STR(arena_printf(&a, "%s", longer), longer,
		  "a text of 256 bytes is whole");
	p = arena_strndup(&a, "0123456789abcdefg", 16);
	arena_strdup(&a, "next");
	CHECK_STR(p, "0123456789abcdef", "what follows leaves the end alone");
	p = arena_printf(&a, "%s", "0123456789abcdef");
	arena_strdup(&a, "next");
	CHECK_STR(p, "0123456789abcdef", "also that of a format");
	arena_release(&a);
}

static int
status_of(size_t n, size_t size)
{
	struct arena a = { 0 };
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		dup2(STDOUT_FILENO, STDERR_FILENO);
		puts("# the child, which may say so:");
		fflush(stdout);
		arena_array(&a, n, size);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int
main(void)
{
	test_alloc();
	test_reuse();
	test_strings();
	CHECK_INT(status_of(SIZE_MAX / 2, 3), 71,
		  "an array whose size overflows ends the process");
	CHECK_INT(status_of(SIZE_MAX - 8, 1), 71,
		  "a size near the largest ends the process");
	CHECK_INT(status_of(SIZE_MAX, 0), 0, "an array of nothing is made");
	return check_done();
}
