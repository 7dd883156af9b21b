/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The text form of an envelope, made from the rows of envelope_fields.
 */
#include <inttypes.h>
#include <string.h>

#include "envelope.h"
#include "envelope_field.h"
#include "str.h"

_Static_assert(ENVELOPE_VERSION < 10, "the version is one digit");

static bool
is_plain(char c)
{
	return (unsigned char)c >= 32 && c != 127 && c != '\\';
}

/* One line's worth: no control characters, "\" doubled. */
static int
add_escaped(struct buf *out, struct span s)
{
	static const char hex[] = "0123456789ABCDEF";
	const char *p = s.len > 0 ? s.p : "";
	const char *end = p + s.len;
	const char *run;
	char esc[4] = "\\x";
	unsigned char c;
	int rc = 0;

	while (p < end && rc == 0) {
		run = p;
		while (p < end && is_plain(*p))
			p++;
		rc = buf_add(out, run, (size_t)(p - run));
		if (p == end || rc < 0)
			break;
		c = (unsigned char)*p++;
		if (c == '\\') {
			rc = buf_add(out, "\\\\", 2);
		} else if (c == '\n') {
			rc = buf_add(out, "\\n", 2);
		} else if (c == '\r') {
			rc = buf_add(out, "\\r", 2);
		} else if (c == '\t') {
			rc = buf_add(out, "\\t", 2);
		} else {
			esc[2] = hex[c >> 4];
			esc[3] = hex[c & 15];
			rc = buf_add(out, esc, sizeof(esc));
		}
	}
	return rc;
}

static int
add_key(struct buf *out, const struct field *f)
{
	if (buf_add(out, f->key, f->key_len) < 0)
		return -1;
	return buf_add(out, ": ", 2);
}

static int
add_text(struct buf *out, const struct field *f, const char *s)
{
	if (s == NULL)
		s = "";
	if (s[0] == '\0' && f->kind == FIELD_TEXT && !f->is_needed)
		return 0;
	if (add_key(out, f) < 0 || add_escaped(out, span_of(s)) < 0)
		return -1;
	return buf_add_char(out, '\n');
}

static int
add_number(struct buf *out, const struct field *f, uint64_t n, bool is_minus)
{
	char digits[24];
	char *p = digits + sizeof(digits);

	if (n == 0 && !f->is_needed)
		return 0;
	*--p = '\n';
	do {
		*--p = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	if (is_minus)
		*--p = '-';
	if (add_key(out, f) < 0)
		return -1;
	return buf_add(out, p, (size_t)(digits + sizeof(digits) - p));
}

static int
add_signed(struct buf *out, const struct field *f, int64_t n)
{
	/* The lowest has no positive counterpart of its own type. */
	uint64_t size = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;

	return add_number(out, f, size, n < 0);
}

static int
add_edits(struct buf *out, const struct field *f, const struct edit *ed,
	  size_t n)
{
	size_t i;

	for (i = 0; i < n; i++, ed++)
		if (add_key(out, f) < 0 ||
		    buf_printf(out, "%" PRIu64 " %" PRIu64 " ", ed->offset,
			       ed->length) < 0 ||
		    add_escaped(out, ed->text) < 0 ||
		    buf_add_char(out, '\n') < 0)
			return -1;
	return 0;
}

/* The line of one row; thing is what the row is of. */
static int
add_field(struct buf *out, const struct field *f, const void *thing)
{
	const void *at = (const char *)thing + f->at;
	const struct envelope *env = thing;
	const struct child *child = thing;

	switch (f->kind) {
	case FIELD_NAME:
		return add_text(out, f, at);
	case FIELD_TEXT:
	case FIELD_RCPT:
		return add_text(out, f, *(const char *const *)at);
	case FIELD_U64:
		return add_number(out, f, *(const uint64_t *)at, false);
	case FIELD_U32:
		return add_number(out, f, *(const uint32_t *)at, false);
	case FIELD_I64:
		return add_signed(out, f, *(const int64_t *)at);
	case FIELD_BOOL:
		if (!*(const bool *)at)
			return 0;
		return buf_printf(out, "%s: yes\n", f->key);
	case FIELD_SOURCE:
		return buf_printf(out, "%s: %s\n", f->key,
				  envelope_source_names[env->source]);
	case FIELD_EDIT:
		if (f->of == OF_ENVELOPE)
			return add_edits(out, f, env->edits, env->edit_count);
		return add_edits(out, f, child->edits, child->edit_count);
	case FIELD_CHILD:
		return buf_printf(out, "%s: %" PRIu32 " %s\n", f->key,
				  child->number, state_name(child->state));
	}
	return 0;
}

/* *version becomes what is needed to read them. */
static int
add_fields(struct buf *out, enum field_of of, const void *thing,
	   unsigned *version)
{
	const struct field *f;
	size_t i, before;

	for (i = 0; i < ENVELOPE_FIELDS; i++) {
		f = &envelope_fields[i];
		before = out->len;
		if (f->of == of && add_field(out, f, thing) < 0)
			return -1;
		if (out->len > before && f->since > *version)
			*version = f->since;
	}
	return 0;
}

static int
add_all(const struct envelope *env, struct buf *out)
{
	size_t start = out->len, digit;
	unsigned version = 1;
	uint32_t crc;
	size_t i;

	if (buf_printf(out, "%s%u\n", ENVELOPE_FIRST_KEY, version) < 0)
		return -1;
	digit = out->len - 2;
	if (add_fields(out, OF_ENVELOPE, env, &version) < 0)
		return -1;
	for (i = 0; i < env->rcpt_count; i++)
		if (add_fields(out, OF_RCPT, &env->rcpts[i], &version) < 0)
			return -1;
	for (i = 0; i < env->child_count; i++)
		if (add_fields(out, OF_CHILD, &env->children[i], &version) < 0)
			return -1;
	out->data[digit] = (char)('0' + version);
	crc = crc32_update(0, out->data + start, out->len - start);
	return buf_printf(out, "end: %08" PRIX32 "\n", crc);
}

int
envelope_write(const struct envelope *env, struct buf *out, struct err *e)
{
	size_t start = out->len;

	if (envelope_check(env, e) < 0)
		return err_prefix(e, "envelope %.*s", ENVELOPE_NAME_SIZE,
				  env->name);
	if (add_all(env, out) == 0 && out->len - start <= ENVELOPE_MAX)
		return 0;
	out->len = start;
	if (out->data != NULL)
		out->data[start] = '\0';
	return err_set(e, "envelope %s: larger than its limit", env->name);
}
