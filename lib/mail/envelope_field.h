/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The keys of an envelope's text form, one row each, for its writer and
 * its reader.  Of no use elsewhere.
 */
#ifndef ENVELOPE_FIELD_H
#define ENVELOPE_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "envelope.h"

#define ENVELOPE_FIRST_KEY "mcgate-envelope: "
#define ENVELOPE_END_LEN 14 /* "end: 0123ABCD\n" */

enum field_kind {
	FIELD_NAME, /* char [ENVELOPE_NAME_SIZE] */
	FIELD_TEXT, /* const char * */
	FIELD_U64,
	FIELD_U32,
	FIELD_I64,
	FIELD_BOOL,
	FIELD_SOURCE,
	FIELD_EDIT, /* "offset length text", may repeat */
	FIELD_RCPT, /* the address: starts a recipient */
	FIELD_CHILD /* "number state": starts a child */
};

/* What a key describes: the envelope, or the last rcpt or child above. */
enum field_of { OF_ENVELOPE, OF_RCPT, OF_CHILD };

struct field {
	const char *key;
	size_t key_len;
	enum field_kind kind;
	enum field_of of;
	size_t at; /* offset in the struct */
	bool is_needed;
	unsigned since; /* the first version that has it */
};

/* In the order they are written; a value that is 0 or "" is left out. */
#define ENVELOPE_FIELDS 42
extern const struct field envelope_fields[ENVELOPE_FIELDS];

extern const char *const envelope_source_names[2]; /* by enum source */

/*
 * Values as they stand behind "key: ".  Each returns NULL, or what is
 * wrong in words.  Bytes and texts go to the arena, closed by a NUL.
 */
const char *envelope_value_bytes(struct span value, struct arena *a,
				 struct span *out);
const char *envelope_value_text(struct span value, struct arena *a,
				const char **out);
const char *envelope_value_u64(struct span value, uint64_t *out);
const char *envelope_value_u32(struct span value, uint32_t *out);
const char *envelope_value_i64(struct span value, int64_t *out);
const char *envelope_value_bool(struct span value, bool *out);
const char *envelope_value_source(struct span value, enum source *out);
const char *envelope_value_name(struct span value,
				char out[ENVELOPE_NAME_SIZE]);

/* What holds of every envelope that is written or was read. */
int envelope_check(const struct envelope *env, struct err *e);

#endif
