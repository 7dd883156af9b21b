/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A list as text: each key has a function that reads its value and one
 * that writes it.
 */
#include <string.h>

#include "points.h"
#include "rbl.h"
#include "str.h"

#define POINTS_MAX 1000000 /* thousandths, either way */

static const char *const what_names[] = { "ip4", "ip6", "domain", "host",
					  NULL };
static const char *const use_names[] = { "refuse", "prerbl", "urirbl",
					 "trusted", NULL };

static const char *
bit_name(const char *const *names, unsigned bit)
{
	unsigned i;

	for (i = 0; names[i] != NULL; i++)
		if (bit == 1u << i)
			return names[i];
	return "";
}

const char *
rbl_what_name(enum rbl_what w)
{
	return bit_name(what_names, w);
}

const char *
rbl_use_name(enum rbl_use u)
{
	return bit_name(use_names, u);
}

/* Takes the text up to end or all of it off the front; false at the end. */
static bool
next_piece(struct span *in, char end, struct span *out)
{
	const char *p;

	if (in->p == NULL)
		return false;
	p = in->len > 0 ? memchr(in->p, end, in->len) : NULL;
	out->p = in->p;
	out->len = p != NULL ? (size_t)(p - in->p) : in->len;
	in->p = p != NULL ? p + 1 : NULL;
	in->len -= out->len + (p != NULL);
	return true;
}

static int
read_set(const char *value, const char *const *names, unsigned *out,
	 struct err *e)
{
	struct span in = span_of(value), word;
	unsigned set = 0, i;

	while (value[0] != '\0' && next_piece(&in, ',', &word)) {
		for (i = 0; names[i] != NULL; i++)
			if (span_eq(word, span_of(names[i])))
				break;
		if (names[i] == NULL)
			return err_set(e, "\"%.*s\" is none of %s, %s, %s, %s",
				       (int)(word.len < 32 ? word.len : 32),
				       word.p, names[0], names[1], names[2],
				       names[3]);
		set |= 1u << i;
	}
	*out = set;
	return 0;
}

static void
write_set(unsigned set, const char *const *names, struct buf *out)
{
	const char *comma = "";
	unsigned i;

	for (i = 0; names[i] != NULL; i++)
		if ((set & 1u << i) != 0) {
			(void)buf_printf(out, "%s%s", comma, names[i]);
			comma = ",";
		}
}

static bool
read_number(struct span s, uint8_t *out)
{
	uint64_t n;

	if (s.len > 3 || span_to_u64(s, &n) != 0 || n > 255)
		return false;
	*out = (uint8_t)n;
	return true;
}

static bool
read_octet(struct span s, struct rbl_octet *o)
{
	const char *dash = s.len > 0 ? memchr(s.p, '-', s.len) : NULL;
	struct span from = s;

	*o = (struct rbl_octet){ 0, 255, 0 };
	if (span_eq(s, SPAN_LIT("*")))
		return true;
	if (s.len > 3 && memcmp(s.p, "bit", 3) == 0)
		return read_number((struct span){ s.p + 3, s.len - 3 },
				   &o->bits) &&
		       o->bits != 0;
	if (dash != NULL)
		from.len = (size_t)(dash - s.p);
	if (!read_number(from, &o->min))
		return false;
	o->max = o->min;
	if (dash == NULL)
		return true;
	return read_number((struct span){ dash + 1, s.len - from.len - 1 },
			   &o->max) &&
	       o->max >= o->min;
}

static bool
read_pattern(struct span s, struct rbl_reply *p)
{
	struct span word;
	int i;

	for (i = 0; i < 4; i++)
		if (!next_piece(&s, '.', &word) ||
		    !read_octet(word, &p->octet[i]))
			return false;
	return s.p == NULL && p->octet[0].min == 127 && p->octet[0].max == 127;
}

static int
read_points(struct span s, int64_t *out, struct err *e)
{
	char text[32];

	if (s.len >= sizeof(text))
		return err_set(e, "points that are no number");
	(void)str_fmt(text, sizeof(text), "%.*s", (int)s.len, s.p);
	if (points_parse(text, out, e) != 0)
		return -1;
	if (*out > POINTS_MAX || *out < -POINTS_MAX)
		return err_set(e, "points from -1000.0 to 1000.0 are allowed");
	return 0;
}

static bool
read_label(struct span s, char dst[RBL_LABEL_SIZE])
{
	size_t i;

	if (s.len == 0 || s.len >= RBL_LABEL_SIZE)
		return false;
	for (i = 0; i < s.len; i++)
		if (!ascii_isalnum((unsigned char)s.p[i]) && s.p[i] != '_')
			return false;
	memcpy(dst, s.p, s.len);
	dst[s.len] = '\0';
	return true;
}

/* PATTERN[=POINTS][/LABEL] */
static int
read_reply(struct span s, struct rbl_reply *p, struct err *e)
{
	struct span rest = s, head, pattern;
	char word[48];

	(void)str_fmt(word, sizeof(word), "%.*s",
		      (int)(s.len < 40 ? s.len : 40), s.p);
	memset(p, 0, sizeof(*p));
	(void)next_piece(&rest, '/', &head);
	if (rest.p != NULL && !read_label(rest, p->label))
		return err_set(e,
			       "reply %s: a label is 1 to 16 letters, "
			       "digits and _",
			       word);
	(void)next_piece(&head, '=', &pattern);
	if (head.p != NULL) {
		p->has_points = true;
		if (read_points(head, &p->points, e) != 0)
			return err_prefix(e, "reply %s", word);
	}
	if (!read_pattern(pattern, p))
		return err_set(e,
			       "reply %s: expected 127.0.0.2, 127.0.0.4-7, "
			       "127.0.*.3 or 127.0.0.bit8, then =POINTS and "
			       "/LABEL if it has its own",
			       word);
	return 0;
}

static int
set_replies(struct rbl *r, const char *value, struct err *e)
{
	struct span in = span_of(value), word;
	struct rbl_reply p;

	r->reply_count = 0;
	while (value[0] != '\0' && next_piece(&in, ',', &word)) {
		if (r->reply_count == RBL_REPLIES_MAX)
			return err_set(e, "more than %d replies",
				       RBL_REPLIES_MAX);
		if (read_reply(word, &p, e) != 0)
			return -1;
		r->replies[r->reply_count++] = p;
	}
	return 0;
}

static void
write_octet(const struct rbl_octet *o, struct buf *out)
{
	if (o->bits != 0)
		(void)buf_printf(out, "bit%u", o->bits);
	else if (o->min == 0 && o->max == 255)
		(void)buf_add_char(out, '*');
	else if (o->min == o->max)
		(void)buf_printf(out, "%u", o->min);
	else
		(void)buf_printf(out, "%u-%u", o->min, o->max);
}

static void
get_replies(const struct rbl *r, struct buf *out)
{
	char points[32];
	unsigned i;
	int k;

	for (i = 0; i < r->reply_count; i++) {
		const struct rbl_reply *p = &r->replies[i];

		if (i > 0)
			(void)buf_add_char(out, ',');
		for (k = 0; k < 4; k++) {
			if (k > 0)
				(void)buf_add_char(out, '.');
			write_octet(&p->octet[k], out);
		}
		points_text(p->points, points, sizeof(points));
		if (p->has_points)
			(void)buf_printf(out, "=%s", points);
		if (p->label[0] != '\0')
			(void)buf_printf(out, "/%s", p->label);
	}
}

/* Labels of letters, digits, - and _, without a final dot. */
static bool
is_name(const char *s, size_t max)
{
	size_t label = 0, len = 0;

	for (; s[len] != '\0'; len++) {
		unsigned char c = (unsigned char)s[len];

		if (len >= max || (c == '.' && label == 0))
			return false;
		if (c != '.' && !ascii_isalnum(c) && c != '-' && c != '_')
			return false;
		label = c == '.' ? 0 : label + 1;
		if (label > 63)
			return false;
	}
	return label > 0;
}

static int
set_zone(struct rbl *r, const char *value, struct err *e)
{
	if (!is_name(value, RBL_ZONE_SIZE - 1))
		return err_set(e,
			       "zone: expected a domain of at most %d "
			       "characters, such as zen.example.org",
			       RBL_ZONE_SIZE - 1);
	(void)str_copy(r->zone, sizeof(r->zone), value);
	str_lower(r->zone);
	return 0;
}

static void
get_zone(const struct rbl *r, struct buf *out)
{
	(void)buf_add_str(out, r->zone);
}

static int
set_lists(struct rbl *r, const char *value, struct err *e)
{
	return read_set(value, what_names, &r->lists, e);
}

static void
get_lists(const struct rbl *r, struct buf *out)
{
	write_set(r->lists, what_names, out);
}

static int
set_use(struct rbl *r, const char *value, struct err *e)
{
	return read_set(value, use_names, &r->use, e);
}

static void
get_use(const struct rbl *r, struct buf *out)
{
	write_set(r->use, use_names, out);
}

static int
set_points(struct rbl *r, const char *value, struct err *e)
{
	return read_points(span_of(value), &r->points, e);
}

static void
get_points(const struct rbl *r, struct buf *out)
{
	char text[32];

	points_text(r->points, text, sizeof(text));
	(void)buf_add_str(out, text);
}

static int
set_on(struct rbl *r, const char *value, struct err *e)
{
	return str_to_bool(value, &r->is_on, e);
}

static void
get_on(const struct rbl *r, struct buf *out)
{
	(void)buf_add_str(out, r->is_on ? "yes" : "no");
}

static int
set_test(struct rbl *r, const char *value, struct err *e)
{
	const char *comma = strchr(value, ',');
	char listed[RBL_TEST_SIZE];

	if (comma == NULL ||
	    !str_fmt(listed, sizeof(listed), "%.*s", (int)(comma - value),
		     value) ||
	    !is_name(listed, RBL_TEST_SIZE - 1) ||
	    !is_name(comma + 1, RBL_TEST_SIZE - 1))
		return err_set(e, "test: expected two names, one that must be "
				  "listed and one that must not: TEST,INVALID");
	(void)str_copy(r->listed, sizeof(r->listed), listed);
	(void)str_copy(r->clean, sizeof(r->clean), comma + 1);
	return 0;
}

static void
get_test(const struct rbl *r, struct buf *out)
{
	(void)buf_printf(out, "%s,%s", r->listed, r->clean);
}

static int
set_text(struct rbl *r, const char *value, struct err *e)
{
	const char *p;

	for (p = value; *p >= ' ' && *p <= '~'; p++)
		;
	if (*p != '\0' || strlen(value) >= sizeof(r->text))
		return err_set(e,
			       "text: expected at most %d characters of "
			       "ASCII",
			       RBL_TEXT_SIZE - 1);
	(void)str_copy(r->text, sizeof(r->text), value);
	return 0;
}

static void
get_text(const struct rbl *r, struct buf *out)
{
	(void)buf_add_str(out, r->text);
}

static const struct {
	const char *key;
	int (*set)(struct rbl *r, const char *value, struct err *e);
	void (*get)(const struct rbl *r, struct buf *out);
} words[] = {
	{ "zone", set_zone, get_zone },
	{ "lists", set_lists, get_lists },
	{ "use", set_use, get_use },
	{ "points", set_points, get_points },
	{ "on", set_on, get_on },
	{ "replies", set_replies, get_replies },
	{ "test", set_test, get_test },
	{ "text", set_text, get_text }, /* last: it may have blanks */
};
#define WORDS (sizeof(words) / sizeof(words[0]))

const char *const rbl_keys[] = { "zone",    "lists", "use",  "points", "on",
				 "replies", "test",  "text", NULL };

bool
rbl_init(struct rbl *r, const char *name)
{
	size_t i;

	memset(r, 0, sizeof(*r));
	r->is_on = true;
	r->points = 1000;
	(void)str_copy(r->listed, sizeof(r->listed), "TEST");
	(void)str_copy(r->clean, sizeof(r->clean), "INVALID");
	for (i = 0; name[i] != '\0'; i++)
		if (!(name[i] >= 'a' && name[i] <= 'z') &&
		    !ascii_isdigit((unsigned char)name[i]) && name[i] != '-')
			return false;
	return i > 0 && str_copy(r->name, sizeof(r->name), name);
}

int
rbl_set(struct rbl *r, const char *key, const char *value, struct err *e)
{
	size_t i;

	for (i = 0; i < WORDS; i++)
		if (str_eq(words[i].key, key))
			return words[i].set(r, value, e);
	return err_set(e, "\"%.32s\" is nothing that a list has", key);
}

void
rbl_word(const struct rbl *r, const char *key, struct buf *out)
{
	size_t i;

	for (i = 0; i < WORDS; i++)
		if (str_eq(words[i].key, key))
			words[i].get(r, out);
}

int
rbl_check(const struct rbl *r, struct err *e)
{
	if (r->zone[0] == '\0')
		return err_set(e, "it has no zone");
	if (r->lists == 0)
		return err_set(e, "it lists nothing: expected some of ip4, "
				  "ip6, domain, host");
	if (r->reply_count == 0)
		return err_set(e, "it has no replies, such as 127.0.0.2");
	return 0;
}

int
rbl_read(struct rbl *r, const char *name, const char *value, struct err *e)
{
	char copy[RBL_VALUE_MAX + 1];
	char *at = copy, *end, *eq;

	if (!rbl_init(r, name))
		return err_set(e,
			       "a name of a list is 1 to %d of a-z, 0-9 "
			       "and -",
			       RBL_NAME_SIZE - 1);
	if (!str_copy(copy, sizeof(copy), value))
		return err_set(e, "longer than %d bytes", RBL_VALUE_MAX);
	while (*at != '\0') {
		eq = strchr(at, '=');
		if (eq == NULL)
			return err_set(e, "\"%.32s\": expected KEY=VALUE", at);
		*eq = '\0';
		end = str_eq(at, "text") ? eq + 1 + strlen(eq + 1)
					 : eq + 1 + strcspn(eq + 1, " ");
		if (*end != '\0')
			*end++ = '\0';
		if (rbl_set(r, at, eq + 1, e) != 0)
			return -1;
		at = end;
	}
	return rbl_check(r, e);
}

void
rbl_write(const struct rbl *r, struct buf *out)
{
	size_t i;

	for (i = 0; i < WORDS; i++) {
		if (str_eq(words[i].key, "text") && r->text[0] == '\0')
			continue;
		(void)buf_printf(out, "%s%s=", i > 0 ? " " : "", words[i].key);
		words[i].get(r, out);
	}
}
