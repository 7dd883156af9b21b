/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The header of a part or message as far as it says what the part is.
 */
#ifndef MIME_HEAD_H
#define MIME_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "buf.h"

#define HEAD_VALUES 4 /* fields of one name that are kept */

enum head_kind { HEAD_TYPE, HEAD_ENCODING, HEAD_DISPOSITION, HEAD_KINDS };

struct mime_head {
	/* Values, the regular ones first come first served. */
	struct span value[HEAD_KINDS][HEAD_VALUES];
	size_t count[HEAD_KINDS];
	/* Where only some readers look for a field. */
	struct span loose[HEAD_KINDS][HEAD_VALUES];
	size_t loose_count[HEAD_KINDS];
	size_t body_at; /* offset of the body in the text */
	size_t other_body_at; /* where others see it; 0: nowhere else */
	uint32_t symptoms;
};

/* Reads the header that text starts with, no more than max bytes of it. */
void mime_head_read(struct span text, size_t max, struct mime_head *out);
/* Whether a line is a field, and the offset behind its colon. */
size_t mime_head_field(const char *p, const char *end, struct span *name);

#endif
