/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Fuzzes the end of a body.  A client writes what it likes there: nothing
 * is ever taken as sealed that was not sealed, and what is found lies in
 * the file.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "trailer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct trailer_key key = { { 1, 2 } };

/* The same behind a right end line. */
static void
check_made(struct span text)
{
	char end[TRAILER_END_SIZE];
	struct buf b = { 0 };
	struct trailer t;

	trailer_end(&key, text, (uint32_t)text.len * 77, end);
	buf_add_span(&b, text);
	buf_add(&b, end, sizeof(end));
	if (trailer_find(buf_span(&b), &t) != TRAILER_OK ||
	    t.text_len != text.len || !trailer_is_sealed(&key, text, &t))
		abort();
	buf_release(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A copy of its own length, so that reading past it is seen. */
	char *copy = malloc(size + !size);
	struct span in = { copy, size };
	struct trailer t = { .text_len = 0 };

	if (copy == NULL)
		abort();
	if (size > 0)
		memcpy(copy, data, size);
	if (trailer_find(in, &t) == TRAILER_OK &&
	    trailer_is_sealed(&key, in, &t))
		abort();
	check_made(in);
	free(copy);
	return 0;
}
