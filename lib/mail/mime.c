/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The tree of parts.  A part that several readers take in several ways is
 * there several times; the bytes of a part are never copied but decoded.
 */
#include "mime.h"

#include <string.h>

#include "charset.h"
#include "mime_code.h"
#include "mime_head.h"
#include "mime_impl.h"
#include "mime_param.h"
#include "mime_word.h"
#include "str.h"
#include "xalloc.h"

const struct mime_symptom mime_symptoms[MIME_BIT_COUNT] = {
#define SYMPTOM(name, word, kind, help) { word, MIME_##kind, help },
#include "mime.def"
#undef SYMPTOM
};

static const struct mime_limits default_limits = { .raw = 256u << 20,
						   .parts = 1000,
						   .depth = 50,
						   .header = 256u << 10,
						   .fields = 1000,
						   .decoded = 256u << 20,
						   .text = 2u << 20 };

uint32_t
mime_of_kind(uint32_t bits, enum mime_kind kind)
{
	uint32_t out = 0;
	size_t i;

	for (i = 0; i < MIME_BIT_COUNT; i++)
		if (mime_symptoms[i].kind == kind)
			out |= bits & (1u << i);
	return out;
}

bool
mime_is_ambiguous(const struct mime *m)
{
	return mime_of_kind(m->symptoms, MIME_HIDES) != 0;
}

struct mime_part *
mime_add(struct mime *m, const struct mime_part *like)
{
	if (m->part_count == m->limits.parts) {
		m->symptoms |= MIME_TOO_MANY_PARTS;
		return NULL;
	}
	if (m->part_count == m->part_room) {
		m->part_room = m->part_room > 0 ? 2 * m->part_room : 8;
		m->parts = xreallocarray(m->parts, m->part_room,
					 sizeof(m->parts[0]));
	}
	m->parts[m->part_count] = *like;
	return &m->parts[m->part_count++];
}

static bool
is_in_raw(const struct mime *m, struct span s)
{
	return s.len > 0 && s.p >= m->raw.p && s.p < m->raw.p + m->raw.len;
}

/* Bytes into the arena, counted against the limit of decoded ones. */
static struct span
keep(struct mime *m, struct buf *b)
{
	struct span s = { "", 0 };
	char *to;

	if (b->len > 0) {
		to = arena_alloc(&m->arena, b->len);
		memcpy(to, b->data, b->len);
		s = (struct span){ to, b->len };
		m->decoded += b->len;
	}
	buf_release(b);
	return s;
}

static size_t
room_left(const struct mime *m)
{
	return m->limits.decoded > m->decoded ? m->limits.decoded - m->decoded
					      : 0;
}

/* Whether one of the readings of these bytes has just that content. */
static bool
is_known(const struct mime *m, const struct mime_part *like, struct span data)
{
	size_t i;

	for (i = m->part_count; i > 0; i--) {
		const struct mime_part *p = &m->parts[i - 1];

		if (p->body.p != like->body.p || p->body.len != like->body.len)
			return false;
		if (span_eq(p->data, data))
			return true;
	}
	return false;
}

static void
add_other(struct mime *m, const struct mime_part *like, enum mime_coding coding,
	  struct span data)
{
	struct mime_part p = *like;

	if (data.len == 0 || is_known(m, like, data))
		return;
	p.is_other = true;
	p.coding = coding;
	p.data = data;
	p.symptoms = 0;
	mime_add(m, &p);
}

static void
other_base64(struct mime *m, const struct mime_part *like,
	     enum base64_mode mode)
{
	struct buf b = { .limit = room_left(m) };

	if (b.limit == 0)
		return;
	base64_decode(like->body, mode, &b);
	add_other(m, like, MIME_BASE64, keep(m, &b));
}

static void
other_quoted(struct mime *m, const struct mime_part *like)
{
	struct buf b = { .limit = room_left(m) };

	if (b.limit == 0)
		return;
	quoted_decode(like->body, QUOTED_DROP, &b);
	add_other(m, like, MIME_QUOTED, keep(m, &b));
}

/* Decodes body by coding; what was found wrong is added to *said. */
static struct span
decode(struct mime *m, struct span body, enum mime_coding coding, int *said)
{
	struct buf b = { .limit = room_left(m) };
	struct span name;
	size_t used;

	*said = 0;
	if (coding == MIME_IDENTITY || coding == MIME_UNKNOWN)
		return body;
	if (b.limit == 0) {
		m->symptoms |= MIME_TOO_MUCH_DATA;
		return body;
	}
	if (coding == MIME_BASE64)
		*said = base64_decode(body, BASE64_RESUME, &b);
	else if (coding == MIME_QUOTED)
		*said = quoted_decode(body, QUOTED_BODY, &b);
	else
		*said = uu_decode((struct span){ body.p + uu_find(body, 0),
						 body.len - uu_find(body, 0) },
				  &b, &name, &used);
	if ((*said & CODE_FULL) != 0)
		m->symptoms |= MIME_TOO_MUCH_DATA;
	return keep(m, &b);
}

/* Contents of the leaf that was added last, and its other readings. */
static void
fill_leaf(struct mime *m, const struct reading *r)
{
	size_t at = m->part_count - 1;
	struct mime_part p = m->parts[at];
	int said, ignored;
	size_t i;

	p.data = decode(m, p.body, p.coding, &said);
	if (p.coding == MIME_BASE64) {
		if (said & CODE_JUNK)
			p.symptoms |= MIME_BASE64_JUNK;
		if (said & (CODE_PAD_INSIDE | CODE_BLOCKS))
			p.symptoms |= MIME_BASE64_SPLIT;
	}
	m->parts[at] = p;
	if (p.coding == MIME_BASE64 && (said & CODE_PAD_INSIDE))
		other_base64(m, &p, BASE64_IGNORE);
	if (p.coding == MIME_BASE64 && (said & CODE_JUNK))
		other_base64(m, &p, BASE64_CUT_LINES);
	if (p.coding == MIME_BASE64 && (said & CODE_BLOCKS))
		other_base64(m, &p, BASE64_BLOCKS);
	if (p.coding == MIME_QUOTED && (said & CODE_JUNK))
		other_quoted(m, &p);
	for (i = 0; i < r->coding_count; i++)
		if (r->codings[i] != p.coding)
			add_other(m, &p, r->codings[i],
				  decode(m, p.body, r->codings[i], &ignored));
	if (p.coding != MIME_BASE64 && p.coding != MIME_UU &&
	    base64_is_likely(p.body))
		add_other(m, &p, MIME_BASE64,
			  decode(m, p.body, MIME_BASE64, &ignored));
	mime_find_uu(m, &p);
}

/* A name on a line of its own, as UTF-8. */
static const char *
word_text(struct mime *m, struct span s)
{
	struct buf b = { 0 };
	const char *text;

	s.len = s.len < 256 ? s.len : 256;
	mime_words(s, &b);
	text = arena_strdup(&m->arena, buf_str(&b));
	buf_release(&b);
	return text;
}

/* Files that a text carries in lines of uuencode. */
void
mime_find_uu(struct mime *m, const struct mime_part *like)
{
	struct span in = like->body;
	size_t at, used;

	if (like->coding != MIME_IDENTITY || !str_eq(like->type, "text"))
		return;
	for (at = uu_find(in, 0); at < in.len; at = uu_find(in, at + used)) {
		struct buf b = { .limit = room_left(m) };
		struct span rest = { in.p + at, in.len - at };
		struct mime_part p = *like;
		struct span name;

		if (b.limit == 0)
			return;
		uu_decode(rest, &b, &name, &used);
		used = used > 0 ? used : 1;
		if (b.len < 16) {
			buf_release(&b);
			continue;
		}
		p.type = "application";
		p.subtype = "octet-stream";
		p.is_other = true;
		p.symptoms = MIME_UU_INSIDE;
		p.coding = MIME_UU;
		p.name = word_text(m, name);
		p.names[0] = p.name;
		p.name_count = 1;
		p.body = (struct span){ rest.p, used };
		p.data = keep(m, &b);
		if (mime_add(m, &p) == NULL)
			return;
	}
}

static void read_part(struct mime *m, struct span text, const struct place *at);

/* The parts of a multipart, which lies at number self. */
static void
read_multipart(struct mime *m, int self, struct span body, const char *boundary,
	       const struct place *at)
{
	struct place inner = { .parent = self,
			       .depth = at->depth + 1,
			       .is_other = at->is_other };
	struct delimiter d, next;
	const char *end = body.p + body.len;
	const char *stop;
	uint32_t said = 0;
	bool is_more;

	inner.is_digest = str_eq(m->parts[self].subtype, "digest");
	is_more = mime_delimiter(body, body.p, boundary, &d);
	while (is_more && !d.is_last) {
		is_more = mime_delimiter(body, d.next, boundary, &next);
		stop = is_more ? next.line : end;
		if (is_more || stop > d.next)
			read_part(m,
				  (struct span){ d.next,
						 (size_t)(stop - d.next) },
				  &inner);
		if (m->part_count == m->limits.parts) {
			m->symptoms |= MIME_TOO_MANY_PARTS;
			return;
		}
		d = next;
	}
	if (!is_more)
		said |= MIME_NO_END;
	m->parts[self].symptoms |= said;
}

static bool
is_deeper_allowed(struct mime *m, const struct place *at)
{
	if ((size_t)at->depth < m->limits.depth)
		return true;
	m->symptoms |= MIME_TOO_DEEP;
	return false;
}

/* A message in a part; encoded ones are decoded first (RFC 6532 allows it
 * for message/global). */
static void
read_inner_message(struct mime *m, const struct mime_part *p, int self,
		   const struct place *at)
{
	struct place inner = { .parent = self,
			       .depth = at->depth + 1,
			       .is_other = at->is_other };
	int said;

	read_part(m, decode(m, p->body, p->coding, &said), &inner);
}

/* What a leaf's text says about delimiters that its type does not name. */
static bool
has_boundary(struct span body, const char *boundary)
{
	struct delimiter d;

	return boundary != NULL && body.len > 0 &&
	       mime_delimiter(body, body.p, boundary, &d);
}

static void
read_body(struct mime *m, struct mime_part *p, struct reading *r,
	  const struct place *at)
{
	int self;

	if (r->is_multipart) {
		if (r->boundary == NULL)
			p->symptoms |= MIME_NO_BOUNDARY;
		else if (!has_boundary(p->body, r->boundary))
			p->symptoms |= MIME_BOUNDARY_UNUSED;
		if (p->coding != MIME_IDENTITY)
			p->symptoms |= MIME_ENCODED_MULTIPART;
	}
	p->is_message = r->is_message;
	p->is_leaf = !(r->is_multipart && has_boundary(p->body, r->boundary)) &&
		     !r->is_message;
	if (!p->is_leaf && !is_deeper_allowed(m, at))
		p->is_leaf = true;
	self = (int)m->part_count;
	if (mime_add(m, p) == NULL)
		return;
	if (p->is_leaf)
		fill_leaf(m, r);
	else if (r->is_message)
		read_inner_message(m, p, self, at);
	else
		read_multipart(m, self, p->body, r->boundary, at);
}

static void
read_part(struct mime *m, struct span text, const struct place *at)
{
	struct mime_part p = { .parent = at->parent,
			       .depth = at->depth,
			       .is_other = at->is_other };
	struct reading r;
	struct mime_head h;

	mime_head_read(text, m->limits.header, &h);
	p.symptoms = h.symptoms;
	p.header = (struct span){ text.p, h.body_at };
	p.body = (struct span){ text.p + h.body_at, text.len - h.body_at };
	p.is_raw = is_in_raw(m, text);
	mime_reading(m, &h, at, &p, &r);
	read_body(m, &p, &r, at);
	if (h.other_body_at > 0 && !r.is_multipart && !r.is_message) {
		p.is_other = true;
		p.symptoms = 0;
		p.body = (struct span){ text.p + h.other_body_at,
					text.len - h.other_body_at };
		read_body(m, &p, &r, at);
	}
}

void
mime_read_hidden(struct mime *m, struct span text, int parent, int depth)
{
	struct place at = { .parent = parent,
			    .depth = depth,
			    .is_other = true };
	size_t before = m->part_count;

	read_part(m, text, &at);
	if (m->part_count > before)
		m->parts[before].symptoms |= MIME_HIDDEN_PART;
}

static void
add_field(struct mime *m, struct span name, struct span value, struct buf *b)
{
	struct mime_field *f = &m->fields[m->field_count];
	int said;

	buf_clear(b);
	said = mime_words(value, b);
	if (said & WORD_8BIT)
		m->symptoms |= MIME_HEADER_8BIT;
	if (said & WORD_BAD)
		m->symptoms |= MIME_BAD_WORD;
	f->name = name;
	f->raw = value;
	f->value = arena_strdup(&m->arena, buf_str(b));
	m->field_count++;
}

/* The fields of the message's own header, decoded. */
static void
read_fields(struct mime *m, struct span header)
{
	struct buf b = { .limit = 64u << 10 };
	const char *p = header.p, *end = header.p + header.len;
	const char *next, *lf;
	struct span name;
	size_t colon;

	m->fields =
		arena_array(&m->arena, m->limits.fields, sizeof(m->fields[0]));
	for (; header.len > 0 && p < end; p = next) {
		lf = memchr(p, '\n', (size_t)(end - p));
		next = lf != NULL ? lf + 1 : end;
		colon = mime_head_field(p, next, &name);
		if (colon == 0)
			continue;
		while (next < end && (*next == ' ' || *next == '\t')) {
			lf = memchr(next, '\n', (size_t)(end - next));
			next = lf != NULL ? lf + 1 : end;
		}
		if (m->field_count == m->limits.fields) {
			m->symptoms |= MIME_BIG_HEADER;
			break;
		}
		add_field(
			m, name,
			(struct span){ p + colon, (size_t)(next - p) - colon },
			&b);
	}
	buf_release(&b);
}

static void
default_limit(size_t *limit, size_t value)
{
	if (*limit == 0)
		*limit = value;
}

static void
set_limits(struct mime_limits *l, const struct mime_limits *given)
{
	if (given != NULL)
		*l = *given;
	default_limit(&l->raw, default_limits.raw);
	default_limit(&l->parts, default_limits.parts);
	default_limit(&l->depth, default_limits.depth);
	default_limit(&l->header, default_limits.header);
	default_limit(&l->fields, default_limits.fields);
	default_limit(&l->decoded, default_limits.decoded);
	default_limit(&l->text, default_limits.text);
}

/* The line that an mbox or a lazy tool has left in front. */
static struct span
without_from_line(struct span raw)
{
	const char *lf;

	if (raw.len < 5 || strncmp(raw.p, "From ", 5) != 0)
		return raw;
	lf = memchr(raw.p, '\n', raw.len);
	if (lf == NULL)
		return raw;
	return (struct span){ lf + 1, raw.len - (size_t)(lf + 1 - raw.p) };
}

struct mime *
mime_new(struct span raw, const struct mime_limits *limits)
{
	struct mime *m = xcalloc(1, sizeof(*m));
	struct place top = { .parent = -1 };
	size_t i;

	set_limits(&m->limits, limits);
	m->raw = raw.len > 0 ? raw : (struct span){ "", 0 };
	if (m->raw.len > m->limits.raw) {
		m->raw.len = m->limits.raw;
		m->symptoms |= MIME_TOO_MUCH_DATA;
	}
	m->raw = without_from_line(m->raw);
	read_part(m, m->raw, &top);
	m->body = (struct span){ m->raw.p + m->parts[0].header.len,
				 m->raw.len - m->parts[0].header.len };
	read_fields(m, m->parts[0].header);
	mime_find_hidden(m);
	for (i = 0; i < m->part_count; i++)
		m->symptoms |= m->parts[i].symptoms;
	return m;
}

void
mime_free(struct mime *m)
{
	if (m == NULL)
		return;
	arena_release(&m->arena);
	free(m->parts);
	free(m);
}

const struct mime_field *
mime_field(const struct mime *m, const char *name)
{
	size_t i;

	for (i = 0; i < m->field_count; i++)
		if (span_ieq(m->fields[i].name, span_of(name)))
			return &m->fields[i];
	return NULL;
}

struct span
mime_text(struct mime *m, size_t part)
{
	struct mime_part *p = &m->parts[part];
	struct buf b = { .limit = m->limits.text };
	struct span in = p->data;
	int said;

	if (p->has_text)
		return p->text;
	/* No set has characters of more than four bytes; UTF-7 is longer. */
	if (in.len > 8 * m->limits.text)
		in.len = 8 * m->limits.text;
	said = charset_decode(p->charset, in, &b);
	if (said & (CHARSET_UNKNOWN | CHARSET_INVALID)) {
		p->symptoms |= MIME_BAD_CHARSET;
		m->symptoms |= MIME_BAD_CHARSET;
	}
	p->text = (struct span){ "", 0 };
	if (b.len > 0)
		p->text =
			(struct span){ arena_strndup(&m->arena, b.data, b.len),
				       b.len };
	p->has_text = true;
	buf_release(&b);
	return p->text;
}

const unsigned char *
mime_sum(struct mime *m, size_t part)
{
	struct mime_part *p = &m->parts[part];

	if (!p->has_sum)
		sha256_of(p->data.p, p->data.len, p->sum);
	p->has_sum = true;
	return p->sum;
}
