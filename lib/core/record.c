/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Records as bytes and as JSON.  A field is: type (one byte), name and a
 * NUL, and for numbers eight bytes little-endian, for texts the text and
 * a NUL.
 */
#include "record.h"

#include <string.h>

#include "log.h"
#include "str.h"

#define RESERVE 4096 /* that texts leave to the names and numbers behind */

static const char replacement[] = "\xEF\xBF\xBD"; /* U+FFFD */

void
record_clear(struct record *r)
{
	buf_clear(&r->b);
	r->count = 0;
}

void
record_release(struct record *r)
{
	buf_release(&r->b);
	r->count = 0;
}

/* Type and name; a record with too much in it is a mistake of ours. */
static void
begin_field(struct record *r, enum value_type type, const char *name)
{
	size_t len = strlen(name) + 1;

	if (r->count == RECORD_FIELDS_MAX || len + 16 > RECORD_MAX - r->b.len)
		bug("record of %zu fields and %zu bytes has no room for %s",
		    r->count, r->b.len, name);
	r->count++;
	buf_add_char(&r->b, (char)type);
	buf_add(&r->b, name, len);
}

/* How much of a text there is room for, the mark of a cut not counted. */
static size_t
fitting(const struct record *r, enum value_type type, const char *text)
{
	size_t used = r->b.len + RESERVE + sizeof("\n...");
	size_t room = used < RECORD_MAX ? RECORD_MAX - used : 0;
	size_t len = strlen(text);

	if (len <= room)
		return len;
	while (type == VALUE_LIST && room > 0 && text[room] != '\n')
		room--;
	while (type == VALUE_STR && room > 0 && (text[room] & 0xc0) == 0x80)
		room--; /* not within a character */
	return room;
}

static void
add_text(struct record *r, enum value_type type, const char *name,
	 const char *text)
{
	size_t len;

	begin_field(r, type, name);
	len = fitting(r, type, text);
	if (len > 0)
		buf_add(&r->b, text, len);
	if (text[len] != '\0')
		buf_add_str(&r->b,
			    type == VALUE_LIST && len > 0 ? "\n..." : "...");
	buf_add_char(&r->b, '\0');
}

static void
add_number(struct record *r, enum value_type type, const char *name,
	   int64_t value)
{
	char bytes[8];
	int i;

	begin_field(r, type, name);
	for (i = 0; i < 8; i++)
		bytes[i] = (char)((uint64_t)value >> (8 * i));
	buf_add(&r->b, bytes, sizeof(bytes));
}

void
record_str(struct record *r, const char *name, const char *value)
{
	if (value == NULL)
		record_null(r, name);
	else
		add_text(r, VALUE_STR, name, value);
}

void
record_int(struct record *r, const char *name, int64_t value)
{
	add_number(r, VALUE_INT, name, value);
}

void
record_bool(struct record *r, const char *name, bool value)
{
	add_number(r, VALUE_BOOL, name, value);
}

void
record_null(struct record *r, const char *name)
{
	begin_field(r, VALUE_NULL, name);
}

void
record_list(struct record *r, const char *name, const char *lines)
{
	add_text(r, VALUE_LIST, name, lines != NULL ? lines : "");
}

/* A string with its NUL off the front; NULL when there is none. */
static const char *
take_str(struct span *in)
{
	const char *s = in->p;
	const char *end = in->len > 0 ? memchr(s, '\0', in->len) : NULL;

	if (end == NULL)
		return NULL;
	in->len -= (size_t)(end - s) + 1;
	in->p = end + 1;
	return s;
}

static int
take_number(struct span *in, int64_t *out)
{
	uint64_t v = 0;
	int i;

	if (in->len < 8)
		return -1;
	for (i = 7; i >= 0; i--)
		v = v << 8 | (unsigned char)in->p[i];
	in->p += 8;
	in->len -= 8;
	*out = (int64_t)v;
	return 0;
}

static int
take_value(struct span *in, struct value *v)
{
	unsigned type = (unsigned char)in->p[0];

	memset(v, 0, sizeof(*v));
	v->str = "";
	in->p++;
	in->len--;
	if (type > VALUE_NULL)
		return -1;
	v->type = (enum value_type)type;
	v->name = take_str(in);
	if (v->name == NULL)
		return -1;
	switch (v->type) {
	case VALUE_STR:
	case VALUE_LIST:
		v->str = take_str(in);
		return v->str != NULL ? 0 : -1;
	case VALUE_INT:
		return take_number(in, &v->num);
	case VALUE_BOOL:
		if (take_number(in, &v->num) != 0)
			return -1;
		return v->num == 0 || v->num == 1 ? 0 : -1;
	case VALUE_NULL:
		return 0;
	}
	return -1;
}

int
record_read(struct span in, struct value *values, size_t *count, struct err *e)
{
	*count = 0;
	while (in.len > 0) {
		if (*count == RECORD_FIELDS_MAX)
			return err_set(e, "record of more than %d fields",
				       RECORD_FIELDS_MAX);
		if (take_value(&in, &values[*count]) != 0)
			return err_set(e, "record: field %zu is malformed",
				       *count + 1);
		(*count)++;
	}
	return 0;
}

const struct value *
record_find(const struct value *values, size_t count, const char *name)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (str_eq(values[i].name, name))
			return &values[i];
	}
	return NULL;
}

/* One character of ASCII; what a terminal could obey is escaped. */
static int
json_ascii(struct buf *out, unsigned char c)
{
	static const char *const short_forms[] = {
		['"'] = "\\\"", ['\\'] = "\\\\", ['\n'] = "\\n", ['\r'] = "\\r",
		['\t'] = "\\t", ['\b'] = "\\b",	 ['\f'] = "\\f",
	};

	if (c <= '\\' && short_forms[c] != NULL)
		return buf_add_str(out, short_forms[c]);
	if (c < ' ' || c == 127)
		return buf_printf(out, "\\u%04x", c);
	return buf_add_char(out, (char)c);
}

static int
json_bytes(struct buf *out, const char *s, size_t len)
{
	uint32_t cp;
	size_t n;
	int result = buf_add_char(out, '"');

	while (len > 0 && result == 0) {
		n = 1;
		if ((unsigned char)*s < 128) {
			result = json_ascii(out, (unsigned char)*s);
		} else if ((n = str_utf8_next(s, len, &cp)) == 0) {
			n = 1;
			result = buf_add_str(out, replacement);
		} else if (cp < 0xa0 || cp == 0x2028 || cp == 0x2029) {
			result = buf_printf(out, "\\u%04x", (unsigned)cp);
		} else {
			result = buf_add(out, s, n);
		}
		s += n;
		len -= n;
	}
	return result == 0 ? buf_add_char(out, '"') : -1;
}

int
json_string(struct buf *out, const char *s)
{
	return json_bytes(out, s, strlen(s));
}

/* Items joined by LF; "" is the empty list. */
static int
json_list(struct buf *out, const char *s)
{
	const char *end;
	size_t len;

	if (buf_add_char(out, '[') != 0)
		return -1;
	while (*s != '\0') {
		end = strchr(s, '\n');
		len = end != NULL ? (size_t)(end - s) : strlen(s);
		if (json_bytes(out, s, len) != 0)
			return -1;
		s += len;
		if (*s != '\n')
			break;
		s++;
		if (*s != '\0' && buf_add_str(out, ", ") != 0)
			return -1;
	}
	return buf_add_char(out, ']');
}

static int
json_value(struct buf *out, const struct value *v)
{
	switch (v->type) {
	case VALUE_STR:
		return json_string(out, v->str);
	case VALUE_LIST:
		return json_list(out, v->str);
	case VALUE_INT:
		return buf_printf(out, "%lld", (long long)v->num);
	case VALUE_BOOL:
		return buf_add_str(out, v->num ? "true" : "false");
	case VALUE_NULL:
		break;
	}
	return buf_add_str(out, "null");
}

int
record_json(const struct value *values, size_t count, struct buf *out)
{
	size_t start = out->len, i;
	int result = buf_add_char(out, '{');

	for (i = 0; i < count && result == 0; i++) {
		if (i > 0)
			result = buf_add_str(out, ", ");
		if (result == 0)
			result = json_string(out, values[i].name);
		if (result == 0)
			result = buf_add_str(out, ": ");
		if (result == 0)
			result = json_value(out, &values[i]);
	}
	if (result == 0 && buf_add_char(out, '}') == 0)
		return 0;
	out->len = start;
	if (out->data != NULL)
		out->data[start] = '\0';
	return -1;
}
