/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Memory given back in one go: a chain of blocks, of which only the first
 * is handed out from.
 */
#include "arena.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xalloc.h"

#define ARENA_FIRST 1024 /* bytes in the first block */
#define ARENA_BLOCK 32768 /* ordinary blocks double up to this */
#define ARENA_ALIGN _Alignof(max_align_t)

/*
 * Under ASan each allocation is a block of its own and none is kept, so
 * that an overrun or a use after clear is found.
 */
#if defined(__SANITIZE_ADDRESS__)
#define ARENA_SINGLE true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_SINGLE true
#endif
#endif
#ifndef ARENA_SINGLE
#define ARENA_SINGLE false
#endif

struct arena_block {
	struct arena_block *next;
	size_t size;
	size_t used;
	_Alignas(max_align_t) char data[];
};

static void
free_blocks(struct arena_block *b)
{
	struct arena_block *next;

	for (; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
}

static struct arena_block *
block_new(size_t size, struct arena_block *next)
{
	struct arena_block *b = xmalloc(sizeof(*b) + size);

	b->next = next;
	b->size = size;
	b->used = 0;
	return b;
}

/* The block that size more bytes come from. */
static struct arena_block *
room_for(struct arena *a, size_t size)
{
	struct arena_block *head = a->head;
	size_t usual = ARENA_FIRST;

	if (ARENA_SINGLE)
		return a->head = block_new(size, head);
	if (head != NULL && size <= head->size - head->used)
		return head;
	if (head != NULL)
		usual = head->size < ARENA_BLOCK / 2 ? head->size * 2
						     : ARENA_BLOCK;
	/* A big one goes behind, so that the room in head is not lost. */
	if (head != NULL && size > usual / 4)
		return head->next = block_new(size, head->next);
	return a->head = block_new(size > usual ? size : usual, head);
}

/* As arena_alloc() without the zeros. */
static void *
take(struct arena *a, size_t size)
{
	struct arena_block *b;
	size_t need = size;
	void *p;

	if (size > PTRDIFF_MAX - sizeof(*b) - ARENA_ALIGN)
		xalloc_failed(1, size);
	if (!ARENA_SINGLE)
		need += -size % ARENA_ALIGN;
	b = room_for(a, need);
	p = b->data + b->used;
	b->used += need;
	a->used += size;
	return p;
}

void *
arena_alloc(struct arena *a, size_t size)
{
	return memset(take(a, size), 0, size);
}

void *
arena_array(struct arena *a, size_t n, size_t size)
{
	if (size > 0 && n > SIZE_MAX / size)
		xalloc_failed(n, size);
	return arena_alloc(a, n * size);
}

char *
arena_strdup(struct arena *a, const char *s)
{
	size_t size = strlen(s) + 1;

	return memcpy(take(a, size), s, size);
}

char *
arena_strndup(struct arena *a, const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *p = take(a, len + 1);

	memcpy(p, s, len);
	p[len] = '\0';
	return p;
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	char small[256];
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (n < 0)
		return arena_strdup(a, "");
	p = take(a, (size_t)n + 1);
	if ((size_t)n < sizeof(small))
		return memcpy(p, small, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}

void
arena_clear(struct arena *a)
{
	struct arena_block *head = a->head;

	if (ARENA_SINGLE || head == NULL || head->size > ARENA_BLOCK) {
		arena_release(a);
		return;
	}
	free_blocks(head->next);
	head->next = NULL;
	head->used = 0;
	a->used = 0;
}

void
arena_release(struct arena *a)
{
	free_blocks(a->head);
	a->head = NULL;
	a->used = 0;
}
