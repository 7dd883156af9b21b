/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The body with its edits, piece by piece: text of an edit as it stands in
 * memory, the body in between read into one buffer of the process.
 */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edit_stream.h"

static char piece[EDIT_PIECE];

int
edit_stream_init(struct edit_stream *s, int fd, uint64_t size,
		 const struct edit *edits, size_t edit_count, struct err *e)
{
	struct stat st;

	*s = (struct edit_stream){
		.fd = fd, .size = size, .edits = edits, .edit_count = edit_count
	};
	if (fstat(fd, &st) < 0)
		return err_sys(e, "body");
	if (st.st_size < 0 || (uint64_t)st.st_size < size)
		return err_set(e, "body has %lld bytes, its envelope says %llu",
			       (long long)st.st_size, (unsigned long long)size);
	return edits_check(edits, edit_count, size, e);
}

static int
read_body(struct edit_stream *s, uint64_t end, struct span *out, struct err *e)
{
	size_t want = sizeof(piece);
	ssize_t n;

	if (end - s->at < want)
		want = (size_t)(end - s->at);
	do {
		n = pread(s->fd, piece, want, (off_t)s->at);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, "body at %llu", (unsigned long long)s->at);
	if (n == 0)
		return err_set(e, "body ends at %llu, its envelope says %llu",
			       (unsigned long long)s->at,
			       (unsigned long long)s->size);
	s->at += (uint64_t)n;
	*out = (struct span){ piece, (size_t)n };
	return 1;
}

int
edit_stream_next(struct edit_stream *s, struct span *out, struct err *e)
{
	const struct edit *edit;

	for (;;) {
		if (s->next == s->edit_count) {
			if (s->at == s->size)
				return 0;
			return read_body(s, s->size, out, e);
		}
		edit = &s->edits[s->next];
		if (s->at < edit->offset)
			return read_body(s, edit->offset, out, e);
		s->at += edit->length;
		s->next++;
		if (edit->text.len > 0) {
			*out = edit->text;
			return 1;
		}
	}
}
