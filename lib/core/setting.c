/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The table of knobs made from setting.def, and their notation.
 */
#include "setting.h"

#include <string.h>

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
	  offsetof(struct knobs, name) },
#define KNOB_MS(name, dflt, min, max, levels, way, help) \
	{ #name, KNOB_TYPE_MS, dflt, min, max, "duration", levels, way, help, \
	  offsetof(struct knobs, name) },
#define KNOB_BYTES(name, dflt, min, max, levels, way, help) \
	{ #name, KNOB_TYPE_BYTES, dflt, min, max, "bytes", levels, way, help, \
	  offsetof(struct knobs, name) },
#define KNOB_BOOL(name, dflt, levels, way, help) \
	{ #name, KNOB_TYPE_BOOL, dflt, 0, 1, "yes or no", levels, way, help, \
	  offsetof(struct knobs, name) },
#include "setting.def"
#undef KNOB_INT
#undef KNOB_MS
#undef KNOB_BYTES
#undef KNOB_BOOL
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

void
knob_text(const struct knob *k, int64_t value, char *dst, size_t size)
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
	default:
		str_fmt(dst, size, "%lld", (long long)value);
	}
}

int
knob_parse(const struct knob *k, const char *text, int64_t *out, struct err *e)
{
	char min[32], max[32], shown[80];
	struct err why;
	bool is_int = k->type == KNOB_TYPE_INT;
	int64_t value;
	int rc;

	rc = parse_text(k, text, &value, &why);
	if (rc == 0 && value >= k->min && value <= k->max) {
		*out = value;
		return 0;
	}
	if (k->type == KNOB_TYPE_BOOL)
		return err_set(e, "setting %s: %s", k->name, why.text);
	knob_text(k, k->min, min, sizeof(min));
	knob_text(k, k->max, max, sizeof(max));
	str_printable(shown, sizeof(shown), text, strlen(text));
	if (rc == 0)
		str_fmt(why.text, sizeof(why.text), "\"%s\" is out of range",
			shown);
	return err_set(e, "setting %s: %s: expected %s to %s%s%s", k->name,
		       why.text, min, max, is_int ? " " : "",
		       is_int ? k->unit : "");
}

void
knobs_default(struct knobs *s)
{
	size_t i;

	for (i = 0; i < KNOBS; i++)
		knobs_put(s, &knob_table[i], knob_table[i].dflt);
}

int64_t
knobs_get(const struct knobs *s, const struct knob *k)
{
	return *(const int64_t *)(const void *)((const char *)s + k->offset);
}

void
knobs_put(struct knobs *s, const struct knob *k, int64_t value)
{
	*(int64_t *)(void *)((char *)s + k->offset) = value;
}

int
knobs_write(const struct knobs *s, struct buf *out)
{
	const struct knob *k;
	char text[32];
	size_t i;

	for (i = 0; i < KNOBS; i++) {
		k = &knob_table[i];
		if (knobs_get(s, k) == k->dflt)
			continue;
		knob_text(k, knobs_get(s, k), text, sizeof(text));
		if (buf_printf(out, "%s=%s\n", k->name, text) == -1)
			return -1;
	}
	return 0;
}

static int
read_line(char *line, struct knobs *s, struct err *e)
{
	char *eq = strchr(line, '=');
	const struct knob *k;
	int64_t value;
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
	knobs_put(s, k, value);
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
