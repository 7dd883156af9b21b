/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The table of knobs made from setting.def, and their notation.
 */
#include "setting.h"

#include <string.h>

#include "points.h"
#include "str.h"
#include "xalloc.h"

#define LINE_MAX_BYTES 256 /* of knobs_read() */

/* The levels and ways as setting.def writes them. */
#define G LEVEL_GLOBAL
#define GD (LEVEL_GLOBAL | LEVEL_DOMAIN)
#define GDU (LEVEL_GLOBAL | LEVEL_DOMAIN | LEVEL_USER)
#define IN WAY_IN
#define OUT WAY_OUT
#define BOTH WAY_BOTH

/* clang-format off */
const struct knob knob_table[] = {
#define KNOB_INT(name, dflt, min, max, unit, levels, way, help) \
	{ #name, KNOB_TYPE_INT, dflt, min, max, unit, levels, way, help, \
	  offsetof(struct knobs, name), NULL },
#define KNOB_MS(name, dflt, min, max, levels, way, help) \
	{ #name, KNOB_TYPE_MS, dflt, min, max, "duration", levels, way, help, \
	  offsetof(struct knobs, name), NULL },
#define KNOB_BYTES(name, dflt, min, max, levels, way, help) \
	{ #name, KNOB_TYPE_BYTES, dflt, min, max, "bytes", levels, way, help, \
	  offsetof(struct knobs, name), NULL },
#define KNOB_BOOL(name, dflt, levels, way, help) \
	{ #name, KNOB_TYPE_BOOL, dflt, 0, 1, "yes or no", levels, way, help, \
	  offsetof(struct knobs, name), NULL },
#define KNOB_POINTS(name, dflt, min, max, levels, way, help) \
	{ #name, KNOB_TYPE_POINTS, dflt, min, max, "points", levels, way, \
	  help, offsetof(struct knobs, name), NULL },
#define KNOB_ENUM(name, dflt, words, levels, way, help) \
	{ #name, KNOB_TYPE_ENUM, dflt, 0, INT64_MAX, "word", levels, way, \
	  help, offsetof(struct knobs, name), words },
#define KNOB_TEXT(name, dflt, longest, levels, way, help) \
	{ #name, KNOB_TYPE_TEXT, 0, 0, longest, "text", levels, way, help, \
	  offsetof(struct knobs, name), dflt },
#include "setting.def"
#undef KNOB_INT
#undef KNOB_MS
#undef KNOB_BYTES
#undef KNOB_BOOL
#undef KNOB_POINTS
#undef KNOB_ENUM
#undef KNOB_TEXT
};
/* clang-format on */

#define KNOBS (sizeof(knob_table) / sizeof(knob_table[0]))

const size_t knob_count = KNOBS;

static const struct knob *
find(const char *name)
{
	size_t i;

	for (i = 0; i < KNOBS; i++)
		if (str_eq(knob_table[i].name, name))
			return &knob_table[i];
	return NULL;
}

const struct knob *
knob_find(const char *name, struct err *e)
{
	const struct knob *k = find(name);
	const char *names[KNOBS + 1];
	const char *nearest;
	char shown[80];
	size_t i;

	if (k != NULL)
		return k;
	for (i = 0; i < KNOBS; i++)
		names[i] = knob_table[i].name;
	names[KNOBS] = NULL;
	nearest = str_nearest(name, names);
	str_printable(shown, sizeof(shown), name, strlen(name));
	if (nearest != NULL)
		err_set(e, "setting \"%s\": not known; did you mean %s?", shown,
			nearest);
	else
		err_set(e,
			"setting \"%s\": not known; \"mcctl setting list\" "
			"shows all",
			shown);
	return NULL;
}

/* Copies word number index of "a|b|c"; false when there are fewer. */
static bool
word_at(const char *words, int64_t index, char *dst, size_t size)
{
	size_t len;

	for (; index > 0; index--) {
		words = strchr(words, '|');
		if (words == NULL)
			return false;
		words++;
	}
	len = strcspn(words, "|");
	return str_fmt(dst, size, "%.*s", (int)len, words);
}

static int
parse_word(const struct knob *k, const char *text, int64_t *out, struct err *e)
{
	char word[KNOB_TEXT_SIZE];
	char shown[80];

	for (*out = 0; word_at(k->words, *out, word, sizeof(word)); (*out)++)
		if (str_ieq(text, word))
			return 0;
	str_printable(shown, sizeof(shown), text, strlen(text));
	return err_set(e, "\"%s\" is none of its words", shown);
}

static int
parse_line(const struct knob *k, const char *text, int64_t *out, struct err *e)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t len = strlen(text);

	(void)k;
	for (; *p != '\0'; p++)
		if (*p < ' ' || *p == 127)
			return err_set(e, "control characters cannot be in it");
	if (!str_is_utf8(text, len))
		return err_set(e, "it is not UTF-8");
	*out = (int64_t)len;
	return 0;
}

/* Reads the notation alone. */
static int
parse_text(const struct knob *k, const char *text, int64_t *out, struct err *e)
{
	uint64_t bytes;
	bool flag;

	switch (k->type) {
	case KNOB_TYPE_MS:
		return str_to_duration_ms(text, out, e);
	case KNOB_TYPE_BYTES:
		if (str_to_bytes(text, &bytes, e) == -1)
			return -1;
		/* What does not fit is out of range all the same. */
		*out = bytes > INT64_MAX ? INT64_MAX : (int64_t)bytes;
		return 0;
	case KNOB_TYPE_BOOL:
		if (str_to_bool(text, &flag, e) == -1)
			return -1;
		*out = flag;
		return 0;
	case KNOB_TYPE_POINTS:
		return points_parse(text, out, e);
	case KNOB_TYPE_ENUM:
		return parse_word(k, text, out, e);
	case KNOB_TYPE_TEXT:
		return parse_line(k, text, out, e);
	default:
		return str_to_i64(text, out, e);
	}
}

static void
bytes_text(int64_t value, char *dst, size_t size)
{
	static const char units[] = "TGMk";
	int shift = 40;
	size_t i;

	for (i = 0; units[i] != '\0'; i++, shift -= 10) {
		if (value > 0 && value % (INT64_C(1) << shift) == 0) {
			str_fmt(dst, size, "%lld%c",
				(long long)(value >> shift), units[i]);
			return;
		}
	}
	str_fmt(dst, size, "%lld", (long long)value);
}

static void
number_text(const struct knob *k, int64_t value, char *dst, size_t size)
{
	switch (k->type) {
	case KNOB_TYPE_MS:
		str_duration(dst, size, value);
		break;
	case KNOB_TYPE_BYTES:
		bytes_text(value, dst, size);
		break;
	case KNOB_TYPE_BOOL:
		str_copy(dst, size, value != 0 ? "yes" : "no");
		break;
	case KNOB_TYPE_POINTS:
		points_text(value, dst, size);
		break;
	case KNOB_TYPE_ENUM:
		if (!word_at(k->words, value, dst, size))
			str_copy(dst, size, "?");
		break;
	default:
		str_fmt(dst, size, "%lld", (long long)value);
	}
}

void
knob_text(const struct knob *k, const struct knob_value *v, char *dst,
	  size_t size)
{
	if (k->type == KNOB_TYPE_TEXT)
		str_copy(dst, size, v->text);
	else
		number_text(k, v->number, dst, size);
}

/* "a|b|c" as "a, b or c". */
static void
words_range(const char *words, char *dst, size_t size)
{
	char word[KNOB_TEXT_SIZE], next[KNOB_TEXT_SIZE];
	struct buf all = { .limit = size - 1 };
	const char *between = "";
	int64_t i;

	for (i = 0; word_at(words, i, word, sizeof(word)); i++) {
		(void)buf_printf(&all, "%s%s", between, word);
		between = word_at(words, i + 2, next, sizeof(next)) ? ", "
								    : " or ";
	}
	str_copy(dst, size, buf_str(&all));
	buf_release(&all);
}

void
knob_range(const struct knob *k, char *dst, size_t size)
{
	char min[KNOB_TEXT_SIZE], max[KNOB_TEXT_SIZE];
	bool is_int = k->type == KNOB_TYPE_INT;

	switch (k->type) {
	case KNOB_TYPE_BOOL:
		str_copy(dst, size, "yes or no");
		break;
	case KNOB_TYPE_ENUM:
		words_range(k->words, dst, size);
		break;
	case KNOB_TYPE_TEXT:
		str_fmt(dst, size, "a line of at most %lld bytes",
			(long long)k->max);
		break;
	default:
		number_text(k, k->min, min, sizeof(min));
		number_text(k, k->max, max, sizeof(max));
		str_fmt(dst, size, "%s to %s%s%s", min, max, is_int ? " " : "",
			is_int ? k->unit : "");
	}
}

int
knob_parse(const struct knob *k, const char *text, struct knob_value *out,
	   struct err *e)
{
	char range[2 * KNOB_TEXT_SIZE], shown[80];
	struct err why;
	int64_t value;
	int rc;

	rc = parse_text(k, text, &value, &why);
	if (rc == 0 && value >= k->min && value <= k->max) {
		out->number = value;
		out->text = k->type == KNOB_TYPE_TEXT ? text : NULL;
		return 0;
	}
	if (k->type == KNOB_TYPE_BOOL)
		return err_set(e, "setting %s: %s", k->name, why.text);
	str_printable(shown, sizeof(shown), text, strlen(text));
	if (rc == 0)
		str_fmt(why.text, sizeof(why.text), "\"%s\" is out of range",
			shown);
	knob_range(k, range, sizeof(range));
	return err_set(e, "setting %s: %s: expected %s", k->name, why.text,
		       range);
}

struct knob_value
knob_default(const struct knob *k)
{
	struct knob_value v = { .number = k->dflt };

	if (k->type == KNOB_TYPE_TEXT) {
		v.text = k->words;
		v.number = (int64_t)strlen(k->words);
	}
	return v;
}

bool
knob_value_eq(const struct knob_value *a, const struct knob_value *b)
{
	if (a->text == NULL || b->text == NULL)
		return a->text == b->text && a->number == b->number;
	return str_eq(a->text, b->text);
}

void
knobs_default(struct knobs *s)
{
	struct knob_value v;
	size_t i;

	for (i = 0; i < KNOBS; i++) {
		v = knob_default(&knob_table[i]);
		knobs_put(s, &knob_table[i], &v);
	}
}

struct knob_value
knobs_get(const struct knobs *s, const struct knob *k)
{
	const char *at = (const char *)s + k->offset;
	struct knob_value v = { .number = 0 };

	if (k->type == KNOB_TYPE_TEXT) {
		v.text = at;
		v.number = (int64_t)strlen(at);
	} else {
		v.number = *(const int64_t *)(const void *)at;
	}
	return v;
}

void
knobs_put(struct knobs *s, const struct knob *k, const struct knob_value *v)
{
	char *at = (char *)s + k->offset;

	if (k->type == KNOB_TYPE_TEXT) {
		/* Equal values are equal bytes. */
		memset(at, 0, KNOB_TEXT_SIZE);
		str_copy(at, KNOB_TEXT_SIZE, v->text);
	} else {
		*(int64_t *)(void *)at = v->number;
	}
}

int
knobs_write(const struct knobs *s, struct buf *out)
{
	struct knob_value v, dflt;
	const struct knob *k;
	char text[KNOB_TEXT_SIZE];
	size_t i;

	for (i = 0; i < KNOBS; i++) {
		k = &knob_table[i];
		v = knobs_get(s, k);
		dflt = knob_default(k);
		if (knob_value_eq(&v, &dflt))
			continue;
		knob_text(k, &v, text, sizeof(text));
		if (buf_printf(out, "%s=%s\n", k->name, text) == -1)
			return -1;
	}
	return 0;
}

static int
read_line(char *line, struct knobs *s, struct err *e)
{
	char *eq = strchr(line, '=');
	struct knob_value value;
	const struct knob *k;
	char shown[80];

	if (eq == NULL) {
		str_printable(shown, sizeof(shown), line, strlen(line));
		return err_set(e, "knobs: \"%s\" is not name=value", shown);
	}
	*eq = '\0';
	k = find(line);
	if (k == NULL)
		return 0;
	if (knob_parse(k, eq + 1, &value, e) == -1)
		return -1;
	knobs_put(s, k, &value);
	return 0;
}

int
knobs_read(struct span in, struct knobs *s, struct err *e)
{
	char line[LINE_MAX_BYTES];
	const char *end;
	size_t len;

	while (in.len > 0) {
		end = memchr(in.p, '\n', in.len);
		if (end == NULL)
			return err_set(e, "knobs: the last line is cut");
		len = (size_t)(end - in.p);
		if (len >= sizeof(line) || memchr(in.p, '\0', len) != NULL)
			return err_set(e, "knobs: a line is damaged");
		memcpy(line, in.p, len);
		line[len] = '\0';
		in.p += len + 1;
		in.len -= len + 1;
		if (read_line(line, s, e) == -1)
			return -1;
	}
	return 0;
}
