/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Tables of frames and fields made from proto.def, and the one encoder
 * and decoder that walk them.  Bytes of the other side are never trusted:
 * each length is checked against its limit and against what is left.
 */
#include "proto.h"

#include <string.h>

#include "str.h"

#define HEADER_SIZE 8

enum field_kind { KIND_STR, KIND_BLOB, KIND_U32, KIND_U64, KIND_I64 };

struct frame_field {
	const char *name;
	enum field_kind kind;
	size_t offset; /* in the struct */
	size_t max; /* bytes of STR and BLOB */
};

static const char *const role_names[ROLE_COUNT] = {
	[ROLE_PARENT] = "parent",     [ROLE_INCOMING] = "incoming",
	[ROLE_QUEUE] = "queue",	      [ROLE_FILTER] = "filter",
	[ROLE_WORKER] = "worker",     [ROLE_LOOKUP] = "lookup",
	[ROLE_OUTGOING] = "outgoing", [ROLE_CONTROL] = "control",
	[ROLE_STORE] = "store",	      [ROLE_CTL] = "ctl",
};

/* clang-format off */

/* The longest form of every frame fits a datagram, its struct the storage. */
#define FRAME(n, value, from, to, fd, part) enum { MOST_##n = HEADER_SIZE
#define STR(n, max) + 4 + (max) + 1
#define BLOB(n, max) + 4 + (max)
#define U32(n) + 4
#define U64(n) + 8
#define I64(n) + 8
#define END(n) \
	}; \
	_Static_assert((int)MOST_##n <= PROTO_FRAME_MAX, #n); \
	_Static_assert(sizeof(struct frame_##n) <= FRAME_BODY_MAX, #n);
#include "proto.def"
#undef FRAME
#undef STR
#undef BLOB
#undef U32
#undef U64
#undef I64
#undef END

#define R(role) (1u << ROLE_##role)
/* Workers get what their pool passes on by fork. */
#define ANY_ROLE \
	(R(INCOMING) | R(QUEUE) | R(FILTER) | R(LOOKUP) | R(OUTGOING) | \
	 R(CONTROL) | R(STORE))

/* One function a frame, so that its fields can name their struct. */
#define FRAME(n, value, from, to, fd, part) \
static const struct frame_info * \
info_##n(void) \
{ \
	typedef struct frame_##n self; \
	enum { \
		FROM = (from), \
		TO = (to), \
		FD = FRAME_##fd, \
		PART = FRAME_##part \
	}; \
	static const struct frame_field fields[] = {
#define STR(n, max) { #n, KIND_STR, offsetof(self, n), max },
#define BLOB(n, max) { #n, KIND_BLOB, offsetof(self, n), max },
#define U32(n) { #n, KIND_U32, offsetof(self, n), 0 },
#define U64(n) { #n, KIND_U64, offsetof(self, n), 0 },
#define I64(n) { #n, KIND_I64, offsetof(self, n), 0 },
#define END(n) \
	}; \
	static const struct frame_info info = { \
		#n, FRAME_##n, FROM, TO, (enum frame_fd)FD, \
		(enum frame_part)PART, sizeof(self), fields, \
		sizeof(fields) / sizeof(fields[0]) \
	}; \
 \
	return &info; \
}
#include "proto.def"
#undef FRAME
#undef STR
#undef BLOB
#undef U32
#undef U64
#undef I64
#undef END

const struct frame_info *
frame_info(unsigned type)
{
	switch (type) {
#define FRAME(n, value, from, to, fd, part) \
	case value: \
		return info_##n();
#define STR(n, max)
#define BLOB(n, max)
#define U32(n)
#define U64(n)
#define I64(n)
#define END(n)
#include "proto.def"
#undef FRAME
#undef STR
#undef BLOB
#undef U32
#undef U64
#undef I64
#undef END
	default:
		return NULL;
	}
}

/* clang-format on */

const char *
role_name(enum role r)
{
	return (unsigned)r < ROLE_COUNT ? role_names[r] : "unknown";
}

int
role_parse(const char *name, enum role *out)
{
	int i;

	for (i = 0; i < ROLE_COUNT; i++) {
		if (str_eq(name, role_names[i])) {
			*out = (enum role)i;
			return 0;
		}
	}
	return -1;
}

static void
put_le(unsigned char *p, uint64_t v, int bytes)
{
	int i;

	for (i = 0; i < bytes; i++)
		p[i] = (unsigned char)(v >> (8 * i));
}

static uint64_t
get_le(const void *in, int bytes)
{
	const unsigned char *p = in;
	uint64_t v = 0;
	int i;

	for (i = bytes - 1; i >= 0; i--)
		v = v << 8 | p[i];
	return v;
}

static int
add_le(struct buf *out, uint64_t v, int bytes)
{
	unsigned char p[8];

	put_le(p, v, bytes);
	return buf_add(out, p, (size_t)bytes);
}

/* Length, bytes, and a NUL behind a string. */
static int
add_bytes(struct buf *out, const void *p, size_t len, bool has_nul)
{
	if (add_le(out, len, 4) != 0)
		return -1;
	if (len > 0 && buf_add(out, p, len) != 0)
		return -1;
	return has_nul ? buf_add_char(out, '\0') : 0;
}

static int
encode_field(const struct frame_info *info, const struct frame_field *f,
	     const void *body, struct buf *out, struct err *e)
{
	const void *at = (const char *)body + f->offset;
	struct span s = { "", 0 };
	int result = -1;

	switch (f->kind) {
	case KIND_U32:
		result = add_le(out, *(const uint32_t *)at, 4);
		break;
	case KIND_U64:
		result = add_le(out, *(const uint64_t *)at, 8);
		break;
	case KIND_I64:
		result = add_le(out, (uint64_t) * (const int64_t *)at, 8);
		break;
	case KIND_STR:
		if (*(const char *const *)at != NULL)
			s = span_of(*(const char *const *)at);
		break;
	case KIND_BLOB:
		s = *(const struct span *)at;
		break;
	}
	if (f->kind == KIND_STR || f->kind == KIND_BLOB) {
		if (s.len > f->max)
			return err_set(
				e, "frame %s: %s has %zu bytes, at most %zu go",
				info->name, f->name, s.len, f->max);
		result = add_bytes(out, s.p, s.len, f->kind == KIND_STR);
	}
	if (result != 0)
		return err_set(e, "frame %s: no room for %s", info->name,
			       f->name);
	return 0;
}

static int
check_token(const struct frame_info *info, uint32_t token, struct err *e)
{
	if ((token == 0) != (info->part == FRAME_NOTE))
		return err_set(e, "frame %s: token %lu %s", info->name,
			       (unsigned long)token,
			       token == 0 ? "where one is due"
					  : "where none is due");
	return 0;
}

int
frame_encode(enum frame_type type, uint32_t token, const void *body,
	     struct buf *out, struct err *e)
{
	const struct frame_info *info = frame_info(type);
	size_t start = out->len, i;

	if (info == NULL)
		return err_set(e, "frame type %u is not known", (unsigned)type);
	if (check_token(info, token, e) != 0)
		return -1;
	if (add_le(out, info->type, 4) != 0 || add_le(out, token, 4) != 0) {
		err_set(e, "frame %s: no room", info->name);
		goto fail;
	}
	for (i = 0; i < info->field_count; i++) {
		if (encode_field(info, &info->fields[i], body, out, e) != 0)
			goto fail;
	}
	return 0;
fail:
	out->len = start;
	if (out->data != NULL)
		out->data[start] = '\0';
	return -1;
}

/* Takes n bytes off the front of in; NULL when there are fewer. */
static const char *
take(struct span *in, size_t n)
{
	const char *p = in->p;

	if (in->len < n)
		return NULL;
	in->p += n;
	in->len -= n;
	return p;
}

static int
decode_bytes(const struct frame_field *f, struct span *in, struct span *s)
{
	const char *p = take(in, 4);
	bool is_str = f->kind == KIND_STR;

	if (p == NULL)
		return -1;
	s->len = (size_t)get_le(p, 4);
	if (s->len > f->max)
		return -1;
	s->p = take(in, s->len + is_str);
	if (s->p == NULL)
		return -1;
	if (is_str && memchr(s->p, '\0', s->len + 1) != s->p + s->len)
		return -1;
	return 0;
}

static int
decode_field(const struct frame_field *f, struct span *in, void *body)
{
	void *at = (char *)body + f->offset;
	struct span s;
	const char *p;

	if (f->kind == KIND_STR || f->kind == KIND_BLOB) {
		if (decode_bytes(f, in, &s) != 0)
			return -1;
		if (f->kind == KIND_STR)
			*(const char **)at = s.p;
		else
			*(struct span *)at = s;
		return 0;
	}
	p = take(in, f->kind == KIND_U32 ? 4 : 8);
	if (p == NULL)
		return -1;
	if (f->kind == KIND_U32)
		*(uint32_t *)at = (uint32_t)get_le(p, 4);
	else if (f->kind == KIND_U64)
		*(uint64_t *)at = get_le(p, 8);
	else
		*(int64_t *)at = (int64_t)get_le(p, 8);
	return 0;
}

int
frame_decode(struct span in, void *storage, struct frame *f, struct err *e)
{
	const struct frame_info *info;
	const char *p = take(&in, HEADER_SIZE);
	size_t i;

	if (p == NULL)
		return err_set(e, "frame of %zu bytes has no header", in.len);
	info = frame_info((unsigned)get_le(p, 4));
	if (info == NULL)
		return err_set(e, "frame type %lu is not known",
			       (unsigned long)get_le(p, 4));
	f->info = info;
	f->type = info->type;
	f->token = (uint32_t)get_le(p + 4, 4);
	f->fd = -1;
	f->body = storage;
	if (check_token(info, f->token, e) != 0)
		return -1;
	memset(storage, 0, info->size);
	for (i = 0; i < info->field_count; i++) {
		if (decode_field(&info->fields[i], &in, storage) != 0)
			return err_set(e, "frame %s: field %s is malformed",
				       info->name, info->fields[i].name);
	}
	if (in.len != 0)
		return err_set(e, "frame %s: %zu bytes are left over",
			       info->name, in.len);
	return 0;
}
