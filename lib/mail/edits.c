/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Edits of a body: what holds of a list of them, its size afterwards, and
 * its form as bytes: count, then offset, length, length of the text and
 * the text of each; 64 and 32 bit numbers, the highest byte first.
 */
#include <endian.h>
#include <inttypes.h>
#include <string.h>

#include "envelope.h"

#define EDIT_HEAD 20 /* bytes before the text */

int
edits_check(const struct edit *edits, size_t n, uint64_t size, struct err *e)
{
	uint64_t behind = 0; /* the end of the one before */
	size_t bytes = 0;
	size_t i;

	if (n > ENVELOPE_EDITS_MAX)
		return err_set(e, "more than %d edits", ENVELOPE_EDITS_MAX);
	for (i = 0; i < n; i++) {
		if (edits[i].text.len > ENVELOPE_EDIT_MAX)
			return err_set(e, "edit %zu puts in more than %d bytes",
				       i + 1, ENVELOPE_EDIT_MAX);
		bytes += edits[i].text.len;
		if (bytes > ENVELOPE_EDITS_BYTES_MAX)
			return err_set(e, "edits put in more than %d bytes",
				       ENVELOPE_EDITS_BYTES_MAX);
		if (edits[i].offset < behind)
			return err_set(e, "edit %zu reaches back to %" PRIu64,
				       i + 1, edits[i].offset);
		if (edits[i].offset > size ||
		    edits[i].length > size - edits[i].offset)
			return err_set(e,
				       "edit %zu lies outside the %" PRIu64
				       " bytes of the body",
				       i + 1, size);
		behind = edits[i].offset + edits[i].length;
	}
	return 0;
}

uint64_t
edits_size(const struct edit *edits, size_t n, uint64_t size)
{
	size_t i;

	for (i = 0; i < n; i++)
		size = size - edits[i].length + edits[i].text.len;
	return size;
}

static void
put64(char *p, uint64_t n)
{
	n = htobe64(n);
	memcpy(p, &n, sizeof(n));
}

static void
put32(char *p, uint32_t n)
{
	n = htobe32(n);
	memcpy(p, &n, sizeof(n));
}

static uint64_t
get64(const char *p)
{
	uint64_t n;

	memcpy(&n, p, sizeof(n));
	return be64toh(n);
}

static uint32_t
get32(const char *p)
{
	uint32_t n;

	memcpy(&n, p, sizeof(n));
	return be32toh(n);
}

int
edits_write(const struct edit *edits, size_t n, struct buf *out, struct err *e)
{
	size_t need = 4;
	size_t i;
	char *p;

	if (edits_check(edits, n, UINT64_MAX, e) < 0)
		return -1;
	for (i = 0; i < n; i++)
		need += EDIT_HEAD + edits[i].text.len;
	p = buf_reserve(out, need);
	if (p == NULL)
		return err_set(e, "no room for %zu bytes of edits", need);
	put32(p, (uint32_t)n);
	p += 4;
	for (i = 0; i < n; i++) {
		put64(p, edits[i].offset);
		put64(p + 8, edits[i].length);
		put32(p + 16, (uint32_t)edits[i].text.len);
		p += EDIT_HEAD;
		if (edits[i].text.len > 0)
			memcpy(p, edits[i].text.p, edits[i].text.len);
		p += edits[i].text.len;
	}
	buf_commit(out, need);
	return 0;
}

/* One edit at the front of in; its text goes to the arena. */
static int
read_edit(struct span *in, struct arena *a, struct edit *out, struct err *e)
{
	size_t len;
	char *text;

	if (in->len < EDIT_HEAD)
		return err_set(e, "edits are cut short");
	out->offset = get64(in->p);
	out->length = get64(in->p + 8);
	len = get32(in->p + 16);
	in->p += EDIT_HEAD;
	in->len -= EDIT_HEAD;
	if (len > in->len || len > ENVELOPE_EDIT_MAX)
		return err_set(e, "the text of an edit is too long");
	text = arena_alloc(a, len + 1);
	memcpy(text, in->p, len);
	out->text = (struct span){ text, len };
	in->p += len;
	in->len -= len;
	return 0;
}

int
edits_read(struct span in, struct arena *a, struct edit **edits, size_t *n,
	   struct err *e)
{
	struct edit *list;
	uint32_t count, i;

	*edits = NULL;
	*n = 0;
	if (in.len < 4)
		return err_set(e, "edits are cut short");
	count = get32(in.p);
	in.p += 4;
	in.len -= 4;
	if (count > ENVELOPE_EDITS_MAX)
		return err_set(e, "more than %d edits", ENVELOPE_EDITS_MAX);
	list = arena_array(a, count, sizeof(*list));
	for (i = 0; i < count; i++)
		if (read_edit(&in, a, &list[i], e) < 0)
			return -1;
	if (in.len > 0)
		return err_set(e, "%zu bytes behind the edits", in.len);
	if (edits_check(list, count, UINT64_MAX, e) < 0)
		return -1;
	*edits = list;
	*n = count;
	return 0;
}
