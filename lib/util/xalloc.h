/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Allocation that does not return NULL: a process without memory logs so
 * and exits 71 (EX_OSERR); its parent restarts it.  Memory is freed with
 * free(3).
 */
#ifndef XALLOC_H
#define XALLOC_H

#include <stddef.h>

void *xmalloc(size_t size);
/* Zeroed. */
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);
/* Overflow of n * size is treated as being out of memory. */
void *xreallocarray(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
void *xmemdup(const void *p, size_t size);
/* What the above do when memory is out; for other allocators. */
void xalloc_failed(size_t n, size_t size) __attribute__((noreturn));

#endif
