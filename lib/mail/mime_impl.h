/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the files of mime share.
 */
#ifndef MIME_IMPL_H
#define MIME_IMPL_H

#include "mime.h"
#include "mime_head.h"

/* Where a part is. */
struct place {
	int parent, depth;
	bool is_other;
	bool is_digest; /* its type is message/rfc822 unless it says so */
};

#define CODINGS_MAX 4

/* What its header says about a part. */
struct reading {
	bool is_multipart, is_message;
	const char *boundary;
	enum mime_coding codings[CODINGS_MAX]; /* others than its own */
	size_t coding_count;
};

struct delimiter {
	const char *line; /* where the part before it ends */
	const char *next; /* behind its line */
	bool is_last;
};

/* Takes type, encoding and names out of a header. */
void mime_reading(struct mime *m, const struct mime_head *h,
		  const struct place *at, struct mime_part *p,
		  struct reading *r);
/* The next line of body, from p on, that is "--" and the boundary. */
bool mime_delimiter(struct span body, const char *p, const char *boundary,
		    struct delimiter *out);
/* Adds a copy; NULL when there are too many. */
struct mime_part *mime_add(struct mime *m, const struct mime_part *like);
void mime_find_uu(struct mime *m, const struct mime_part *like);
/* Looks over the raw message for parts that nothing led to. */
void mime_find_hidden(struct mime *m);
void mime_read_hidden(struct mime *m, struct span text, int parent, int depth);

#endif
