/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Reads the text form of an envelope.  A start reads 100,000 of them, so
 * the row of a line is looked for from the row of the line before: keys
 * come in the order of envelope_fields when we wrote them.
 */
#include <inttypes.h>
#include <string.h>

#include "envelope.h"
#include "envelope_field.h"
#include "str.h"

struct reader {
	const char *p, *end; /* lines not read yet, each with its LF */
	unsigned line; /* number of the last one read */
	size_t row; /* of the line before */
	size_t list; /* row that started the last recipient or child */
	uint64_t seen[3]; /* by enum field_of: bit per row */
	struct arena *arena;
	struct envelope *env;
	struct err *e;
};

_Static_assert(ENVELOPE_FIELDS <= 64, "a bit for each row");

/*
 * A list in the arena about to get its element n: it doubles when it is
 * full, which is at each power of two.
 */
static void *
grow(struct arena *a, void *list, size_t n, size_t size)
{
	void *more;

	if ((n & (n - 1)) != 0)
		return list;
	more = arena_array(a, n == 0 ? 1 : 2 * n, size);
	if (n > 0)
		memcpy(more, list, n * size);
	return more;
}

/* The word at the front of s; the space behind it is taken too. */
static struct span
word(struct span *s)
{
	const char *at = s->len > 0 ? memchr(s->p, ' ', s->len) : NULL;
	struct span front = *s;

	if (at != NULL)
		front.len = (size_t)(at - s->p);
	s->p += front.len + (at != NULL);
	s->len -= front.len + (at != NULL);
	return front;
}

static const char *
read_edit(struct reader *r, struct span value, struct edit **list, size_t *n)
{
	struct edit ed;

	if (*n == ENVELOPE_EDITS_MAX)
		return "too many edits";
	if (span_to_u64(word(&value), &ed.offset) < 0 ||
	    span_to_u64(word(&value), &ed.length) < 0)
		return "offset and length of the edit were expected";
	*list = grow(r->arena, *list, *n, sizeof(ed));
	(*list)[(*n)++] = ed;
	return envelope_value_bytes(value, r->arena, &(*list)[*n - 1].text);
}

static const char *
read_rcpt(struct reader *r, struct span value)
{
	struct envelope *env = r->env;
	struct rcpt *rcpt;

	if (env->rcpt_count == ENVELOPE_RCPTS_MAX)
		return "too many recipients";
	env->rcpts = grow(r->arena, env->rcpts, env->rcpt_count, sizeof(*rcpt));
	rcpt = &env->rcpts[env->rcpt_count++];
	rcpt->address = rcpt->orcpt = rcpt->notify = rcpt->status = "";
	r->seen[OF_RCPT] = 0;
	return envelope_value_text(value, r->arena, &rcpt->address);
}

static const char *
read_child(struct reader *r, struct span value)
{
	struct envelope *env = r->env;
	struct child *child;
	char name[16] = "";

	if (env->child_count == ENVELOPE_CHILDREN_MAX)
		return "too many children";
	env->children =
		grow(r->arena, env->children, env->child_count, sizeof(*child));
	child = &env->children[env->child_count++];
	child->reason = "";
	r->seen[OF_CHILD] = 0;
	if (envelope_value_u32(word(&value), &child->number) != NULL)
		return "a number was expected";
	if (value.len < sizeof(name))
		memcpy(name, value.p, value.len);
	if (state_parse(name, &child->state) < 0)
		return "a state was expected behind the number";
	return NULL;
}

static const char *
read_edits_of(struct reader *r, enum field_of of, struct span value)
{
	struct envelope *env = r->env;
	struct child *child;

	if (of == OF_ENVELOPE)
		return read_edit(r, value, &env->edits, &env->edit_count);
	child = &env->children[env->child_count - 1];
	return read_edit(r, value, &child->edits, &child->edit_count);
}

/* The struct that a row is of; NULL when there is none yet. */
static void *
owner(struct reader *r, enum field_of of)
{
	struct envelope *env = r->env;

	if (of == OF_RCPT && env->rcpt_count > 0)
		return &env->rcpts[env->rcpt_count - 1];
	if (of == OF_CHILD && env->child_count > 0)
		return &env->children[env->child_count - 1];
	return of == OF_ENVELOPE ? env : NULL;
}

/* NULL, or what is wrong. */
static const char *
read_value(struct reader *r, const struct field *f, struct span value)
{
	char *thing = owner(r, f->of);

	if (f->kind == FIELD_RCPT)
		return read_rcpt(r, value);
	if (f->kind == FIELD_CHILD)
		return read_child(r, value);
	if (thing == NULL)
		return "no rcpt or child above that this is of";
	switch (f->kind) {
	case FIELD_NAME:
		return envelope_value_name(value, thing + f->at);
	case FIELD_TEXT:
		return envelope_value_text(value, r->arena,
					   (void *)(thing + f->at));
	case FIELD_U64:
		return envelope_value_u64(value, (void *)(thing + f->at));
	case FIELD_U32:
		return envelope_value_u32(value, (void *)(thing + f->at));
	case FIELD_I64:
		return envelope_value_i64(value, (void *)(thing + f->at));
	case FIELD_BOOL:
		return envelope_value_bool(value, (void *)(thing + f->at));
	case FIELD_SOURCE:
		return envelope_value_source(value, (void *)(thing + f->at));
	case FIELD_EDIT:
		return read_edits_of(r, f->of, value);
	case FIELD_RCPT:
	case FIELD_CHILD:
		break;
	}
	return NULL;
}

static bool
is_key(const struct field *f, struct span key)
{
	return f->key_len == key.len && memcmp(f->key, key.p, key.len) == 0;
}

/* The row of a key, ENVELOPE_FIELDS when there is none. */
static size_t
find_row(const struct reader *r, struct span key)
{
	size_t row = r->row;
	size_t i;

	if (is_key(&envelope_fields[r->list], key))
		return r->list;
	for (i = 0; i < ENVELOPE_FIELDS; i++) {
		if (is_key(&envelope_fields[row], key))
			return row;
		row = row + 1 < ENVELOPE_FIELDS ? row + 1 : 0;
	}
	return ENVELOPE_FIELDS;
}

static int
read_line(struct reader *r, struct span line)
{
	const char *colon = line.len > 0 ? memchr(line.p, ':', line.len) : NULL;
	struct span key = { line.p,
			    colon != NULL ? (size_t)(colon - line.p) : 0 };
	size_t row = ENVELOPE_FIELDS;
	const struct field *f;
	const char *wrong;
	char shown[48];

	if (colon != NULL && key.len + 2 <= line.len && colon[1] == ' ')
		row = find_row(r, key);
	if (row == ENVELOPE_FIELDS) {
		str_printable(shown, sizeof(shown), line.p, line.len);
		return err_set(r->e, "line %u: not a key that is known: \"%s\"",
			       r->line, shown);
	}
	f = &envelope_fields[row];
	if (f->kind == FIELD_RCPT || f->kind == FIELD_CHILD)
		r->list = row;
	else if (f->kind != FIELD_EDIT && r->seen[f->of] & 1ull << row)
		return err_set(r->e, "line %u: %s is given twice", r->line,
			       f->key);
	wrong = read_value(r, f,
			   (struct span){ colon + 2, line.len - key.len - 2 });
	if (wrong != NULL)
		return err_set(r->e, "line %u: %s: %s", r->line, f->key, wrong);
	r->row = row;
	r->seen[f->of] |= 1ull << row;
	return 0;
}

static int
read_lines(struct reader *r)
{
	const char *lf;
	size_t i;

	while (r->p < r->end) {
		lf = memchr(r->p, '\n', (size_t)(r->end - r->p));
		r->line++;
		if (read_line(r, (struct span){ r->p, (size_t)(lf - r->p) }) <
		    0)
			return -1;
		r->p = lf + 1;
	}
	for (i = 0; i < ENVELOPE_FIELDS; i++)
		if (envelope_fields[i].is_needed &&
		    !(r->seen[OF_ENVELOPE] & 1ull << i))
			return err_set(r->e, "no line with the key %s",
				       envelope_fields[i].key);
	return envelope_check(r->env, r->e);
}

/* The first line is the same in every version there will be. */
static enum envelope_result
read_version(struct reader *r)
{
	struct span first = SPAN_LIT(ENVELOPE_FIRST_KEY);
	size_t len = (size_t)(r->end - r->p);
	const char *lf = len > 0 ? memchr(r->p, '\n', len) : NULL;
	uint64_t version = 0;

	if (lf == NULL || len < first.len ||
	    memcmp(r->p, first.p, first.len) != 0 ||
	    span_to_u64((struct span){ r->p + first.len,
				       (size_t)(lf - r->p) - first.len },
			&version) < 0 ||
	    version == 0) {
		err_set(r->e, "line 1: not the first line of an envelope");
		return ENVELOPE_BAD;
	}
	if (version > ENVELOPE_VERSION) {
		err_set(r->e,
			"written by a newer mcgate: envelope version "
			"%" PRIu64 ", this one knows up to %d",
			version, ENVELOPE_VERSION);
		return ENVELOPE_NEWER;
	}
	r->p = lf + 1;
	r->line = 1;
	return ENVELOPE_OK;
}

/* Takes the end line off, which is right for all before it. */
static int
read_end(struct reader *r, const char *start)
{
	const char *line = r->end - ENVELOPE_END_LEN;
	char want[ENVELOPE_END_LEN + 1];

	if (r->end - start > ENVELOPE_MAX)
		return err_set(r->e, "larger than %d bytes", ENVELOPE_MAX);
	if (r->end - start <= ENVELOPE_END_LEN || line[-1] != '\n' ||
	    memcmp(line, "end: ", 5) != 0)
		return err_set(r->e, "cut short: the last line is no end line");
	str_fmt(want, sizeof(want), "end: %08" PRIX32 "\n",
		crc32_update(0, start, (size_t)(line - start)));
	if (memcmp(line, want, ENVELOPE_END_LEN) != 0)
		return err_set(r->e, "damaged: the checksum of the end line "
				     "is wrong");
	r->end = line;
	if (memchr(start, '\0', (size_t)(line - start)) != NULL)
		return err_set(r->e, "a NUL in the text");
	return 0;
}

enum envelope_result
envelope_read(struct span text, struct arena *a, struct envelope *env,
	      struct err *e)
{
	struct reader r = { .arena = a, .env = env, .e = e };
	enum envelope_result result;

	/* An empty span may have no address to count from. */
	r.p = text.len > 0 ? text.p : "";
	r.end = r.p + text.len;
	result = read_version(&r);
	envelope_init(env);
	if (result != ENVELOPE_OK)
		return result;
	if (read_end(&r, text.p) < 0 || read_lines(&r) < 0)
		return ENVELOPE_BAD;
	return ENVELOPE_OK;
}
