/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The structure of a message (RFC 5322, 2045 to 2047, 2231), made once and
 * looked at by every filter: its fields, its parts, their names, contents
 * and text.
 *
 * Readers differ about broken messages, and contents are hidden that way.
 * So where there are several readings all of them are parts: the one that
 * most readers take, and the others with is_other.  What was ambiguous is a
 * symptom of kind HIDES, so that it can be refused.
 *
 * The raw bytes are borrowed for the life of struct mime; everything else
 * is its own.  Time and memory are linear in them, within the limits.
 */
#ifndef MIME_H
#define MIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "buf.h"
#include "sha256.h"

enum mime_symptom_bit {
#define SYMPTOM(name, word, kind, help) MIME_BIT_##name,
#include "mime.def"
#undef SYMPTOM
	MIME_BIT_COUNT
};

enum mime_symptom_mask {
#define SYMPTOM(name, word, kind, help) MIME_##name = 1 << MIME_BIT_##name,
#include "mime.def"
#undef SYMPTOM
	MIME_SYMPTOMS = (1 << MIME_BIT_COUNT) - 1
};

enum mime_kind { MIME_HIDES, MIME_ODD, MIME_LIMIT };

struct mime_symptom {
	const char *word;
	enum mime_kind kind;
	const char *help;
};

extern const struct mime_symptom mime_symptoms[MIME_BIT_COUNT];

/* The symptoms of a kind among bits. */
uint32_t mime_of_kind(uint32_t bits, enum mime_kind kind);

/* A zero is the default. */
struct mime_limits {
	size_t raw; /* bytes of the message looked at; 256 MB */
	size_t parts; /* 1,000 */
	size_t depth; /* 50 */
	size_t header; /* bytes of one header; 256 kB */
	size_t fields; /* of the message's header; 1,000 */
	size_t decoded; /* bytes of all decoded contents; 256 MB */
	size_t text; /* bytes of UTF-8 of one part; 2 MB */
};

enum mime_coding {
	MIME_IDENTITY, /* 7bit, 8bit, binary, none */
	MIME_BASE64,
	MIME_QUOTED,
	MIME_UU,
	MIME_UNKNOWN /* contents are as they stand */
};

#define MIME_NAMES_MAX 8

struct mime_part {
	int parent; /* number of the part that holds it; -1 the message */
	int depth;
	bool is_leaf; /* holds no parts */
	bool is_message; /* message/rfc822: its part is the next */
	bool is_other; /* a reading that most readers do not take */
	bool is_raw; /* header and body lie in the raw message */
	bool is_attachment; /* by its disposition */
	uint32_t symptoms; /* its own */
	const char *type, *subtype; /* lower case: "text", "plain" */
	const char *charset; /* as declared, "" when it was not */
	const char *disposition; /* lower case, "" */
	const char *name; /* names[0] or NULL */
	const char *names[MIME_NAMES_MAX]; /* as readers may take it */
	size_t name_count;
	enum mime_coding coding;
	struct span header, body; /* as they stand, encoded */
	struct span data; /* decoded; empty where it is no leaf */
	/* Private: made when they are asked for. */
	struct span text;
	bool has_text, has_sum;
	unsigned char sum[SHA256_SIZE];
};

struct mime_field {
	struct span name; /* as it stands */
	struct span raw; /* value, folds and line end in it */
	const char *value; /* decoded, UTF-8, one line, no controls */
};

struct mime {
	struct span raw;
	struct mime_part *parts; /* in the order of the message */
	size_t part_count;
	struct mime_field *fields; /* of the message's header */
	size_t field_count;
	uint32_t symptoms; /* of all parts */
	struct span body; /* raw behind the header */
	/* private */
	struct mime_limits limits;
	struct arena arena;
	size_t part_room;
	size_t decoded;
};

/* Reads raw, which stays the caller's; limits may be NULL. */
struct mime *mime_new(struct span raw, const struct mime_limits *limits);
void mime_free(struct mime *m);

/* The first field of a name, NULL when there is none. */
const struct mime_field *mime_field(const struct mime *m, const char *name);
/*
 * The text of a leaf as UTF-8 without NUL, cut at limits.text; for any
 * type.  It belongs to m.
 */
struct span mime_text(struct mime *m, size_t part);
/* The SHA-256 of the decoded contents. */
const unsigned char *mime_sum(struct mime *m, size_t part);
/* Whether some readers may see another content than the first reading. */
bool mime_is_ambiguous(const struct mime *m);

#endif
