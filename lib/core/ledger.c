/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One line of the ledger, written and read back.  Both walk one table of
 * keys; reading takes nothing that writing does not make.  Times are in
 * ledger_time.c, files in ledger_file.c.
 */
#include "ledger.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "envelope.h"
#include "explanation.h"
#include "ledger_time.h"
#include "str.h"

#define CRC_LEN 10 /* " ~0A1B2C3D" */

enum key_kind { KEY_ADDRESS, KEY_TEXT, KEY_U64, KEY_I64, KEY_BOOL };

#define AT(member) offsetof(struct ledger_event, member)

/* clang-format off */
static const struct key {
	const char *name;
	enum key_kind kind;
	size_t offset;
	size_t max; /* bytes of text that are kept */
} keys[] = {
	{ "rcpt", KEY_ADDRESS, AT(rcpt), 400 },
	{ "sender", KEY_ADDRESS, AT(sender), 400 },
	{ "source", KEY_TEXT, AT(source), 16 },
	{ "client", KEY_TEXT, AT(client), 64 },
	{ "message_id", KEY_TEXT, AT(message_id), 256 },
	{ "subject", KEY_TEXT, AT(subject), 256 },
	{ "relay", KEY_TEXT, AT(relay), 400 },
	{ "status", KEY_TEXT, AT(status), 1000 },
	{ "reason", KEY_TEXT, AT(reason), 400 },
	{ "who", KEY_TEXT, AT(who), 64 },
	{ "size", KEY_U64, AT(size), 0 },
	{ "delay_ms", KEY_I64, AT(delay_ms), 0 },
	{ "recovered", KEY_BOOL, AT(is_recovered), 0 },
	{ "verdict", KEY_TEXT, AT(verdict), 16 },
	{ "action", KEY_TEXT, AT(action), 16 },
	{ "score", KEY_I64, AT(score), 0 },
	{ "threshold", KEY_I64, AT(threshold), 0 },
	{ "fate", KEY_U64, AT(fate), 0 },
	{ "explanation", KEY_TEXT, AT(explanation), EXPLANATION_MAX },
};
/* clang-format on */

#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))

static const char *const verbs[LEDGER_VERB_COUNT] = {
	[LEDGER_ACCEPTED] = "accepted",	  [LEDGER_DELIVERED] = "delivered",
	[LEDGER_DEFERRED] = "deferred",	  [LEDGER_BOUNCED] = "bounced",
	[LEDGER_DISCARDED] = "discarded", [LEDGER_DELETED] = "deleted",
	[LEDGER_HELD] = "held",		  [LEDGER_QUARANTINED] = "quarantined",
	[LEDGER_RELEASED] = "released",	  [LEDGER_PARKED] = "parked",
	[LEDGER_JUDGED] = "judged",
};

const char *
ledger_verb_name(enum ledger_verb v)
{
	return (unsigned)v < LEDGER_VERB_COUNT ? verbs[v] : "unknown";
}

/* A line as it grows; what passes its end is counted and not stored. */
struct line {
	char text[LEDGER_LINE_MAX];
	size_t len;
};

static void
put(struct line *l, const void *p, size_t n)
{
	if (n <= sizeof(l->text) && l->len <= sizeof(l->text) - n)
		memcpy(l->text + l->len, p, n);
	l->len += n;
}

static void
put_str(struct line *l, const char *s)
{
	put(l, s, strlen(s));
}

/* Bytes at s that stand for themselves, 0 when the first is escaped. */
static size_t
plain_len(const char *s, size_t len)
{
	unsigned char c = (unsigned char)s[0];
	uint32_t cp;

	if (c < 128)
		return c > ' ' && c != '%' && c != 127;
	return str_utf8_next(s, len, &cp);
}

static void
put_escaped(struct line *l, const char *s, size_t len)
{
	static const char hex[] = "0123456789ABCDEF";
	char escape[3] = { '%', 0, 0 };
	size_t n;

	while (len > 0) {
		n = plain_len(s, len);
		if (n > 0) {
			put(l, s, n);
		} else {
			n = 1;
			escape[1] = hex[(unsigned char)*s >> 4];
			escape[2] = hex[(unsigned char)*s & 15];
			put(l, escape, 3);
		}
		s += n;
		len -= n;
	}
}

static int
put_text(struct line *l, const struct key *k, const char *s)
{
	size_t len = s != NULL ? strlen(s) : 0;

	if (len == 0)
		return 0;
	if (len > k->max && k->kind == KEY_ADDRESS)
		return -1;
	put_str(l, " ");
	put_str(l, k->name);
	put_str(l, "=");
	put_escaped(l, s, len < k->max ? len : k->max);
	return 0;
}

static int
put_key(struct line *l, const struct key *k, const struct ledger_event *ev)
{
	const void *at = (const char *)ev + k->offset;
	char number[64];

	number[0] = '\0';
	if (k->kind == KEY_ADDRESS || k->kind == KEY_TEXT)
		return put_text(l, k, *(const char *const *)at);
	if (k->kind == KEY_U64 && *(const uint64_t *)at != 0)
		str_fmt(number, sizeof(number), " %s=%llu", k->name,
			(unsigned long long)*(const uint64_t *)at);
	if (k->kind == KEY_I64 && *(const int64_t *)at != 0)
		str_fmt(number, sizeof(number), " %s=%lld", k->name,
			(long long)*(const int64_t *)at);
	if (k->kind == KEY_BOOL && *(const bool *)at)
		str_fmt(number, sizeof(number), " %s=1", k->name);
	put_str(l, number);
	return 0;
}

int
ledger_write(const struct ledger_event *ev, struct buf *out)
{
	char time[LEDGER_TIME_LEN + 1], crc[CRC_LEN + 2];
	struct line l;
	size_t i;

	if (ev->at_us < 0 || ev->at_us > LEDGER_TIME_MAX_US ||
	    (unsigned)ev->verb >= LEDGER_VERB_COUNT || ev->name == NULL ||
	    !envelope_name_valid(ev->name, true))
		return -1;
	l.len = 0;
	ledger_write_time(ev->at_us, time);
	put_str(&l, time);
	put_str(&l, " ");
	put_str(&l, verbs[ev->verb]);
	put_str(&l, " ");
	put_str(&l, ev->name);
	for (i = 0; i < KEY_COUNT; i++) {
		if (put_key(&l, &keys[i], ev) != 0)
			return -1;
	}
	if (l.len > sizeof(l.text) - CRC_LEN - 1)
		return -1;
	str_fmt(crc, sizeof(crc), " ~%08lX\n",
		(unsigned long)crc32_update(0, l.text, l.len));
	put(&l, crc, CRC_LEN + 1);
	return buf_add(out, l.text, l.len);
}

static int
hex_value(char c)
{
	if (ascii_isdigit(c))
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int
check_crc(struct span *line, struct err *e)
{
	uint32_t crc = 0;
	const char *p;
	int i, v;

	if (line->len > LEDGER_LINE_MAX)
		return err_set(e, "longer than %d bytes", LEDGER_LINE_MAX);
	if (line->len < CRC_LEN)
		return err_set(e, "too short");
	p = line->p + line->len - CRC_LEN;
	if (p[0] != ' ' || p[1] != '~')
		return err_set(e, "no checksum");
	for (i = 2; i < CRC_LEN; i++) {
		v = hex_value(p[i]);
		if (v < 0)
			return err_set(e, "no checksum");
		crc = crc << 4 | (uint32_t)v;
	}
	line->len -= CRC_LEN;
	if (crc32_update(0, line->p, line->len) != crc)
		return err_set(e, "checksum does not match");
	return 0;
}

/* The next token and the space behind it off the front; -1 at the end. */
static int
next_token(struct span *rest, struct span *token)
{
	const char *space;

	if (rest->p == NULL)
		return -1;
	space = memchr(rest->p, ' ', rest->len);
	*token = *rest;
	if (space == NULL) {
		rest->p = NULL;
		return 0;
	}
	token->len = (size_t)(space - rest->p);
	rest->p = space + 1;
	rest->len -= token->len + 1;
	return 0;
}

static int
read_verb(struct span s, enum ledger_verb *out)
{
	int i;

	for (i = 0; i < LEDGER_VERB_COUNT; i++) {
		if (span_eq(s, span_of(verbs[i]))) {
			*out = (enum ledger_verb)i;
			return 0;
		}
	}
	return -1;
}

/* NULL when an escape or a byte is not one that writing makes. */
static const char *
read_text(struct span s, struct arena *a)
{
	char *text = arena_alloc(a, s.len + 1), *to = text;
	size_t i;
	int high, low;

	for (i = 0; i < s.len; i++) {
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 127)
			return NULL;
		if (s.p[i] != '%') {
			*to++ = s.p[i];
			continue;
		}
		high = i + 2 < s.len ? hex_value(s.p[i + 1]) : -1;
		low = i + 2 < s.len ? hex_value(s.p[i + 2]) : -1;
		if (high < 0 || low < 0 || high + low == 0)
			return NULL;
		*to++ = (char)(high << 4 | low);
		i += 2;
	}
	return text;
}

static int
read_i64(struct span s, int64_t *out)
{
	char text[32];

	if (s.len >= sizeof(text))
		return -1;
	memcpy(text, s.p, s.len);
	text[s.len] = '\0';
	return str_to_i64(text, out, NULL);
}

static int
read_value(const struct key *k, struct span s, struct arena *a,
	   struct ledger_event *ev)
{
	void *at = (char *)ev + k->offset;
	const char *text;

	switch (k->kind) {
	case KEY_ADDRESS:
	case KEY_TEXT:
		text = s.len > 0 ? read_text(s, a) : NULL;
		if (text == NULL || strlen(text) > k->max)
			return -1;
		*(const char **)at = text;
		return 0;
	case KEY_U64:
		return span_to_u64(s, at);
	case KEY_I64:
		return read_i64(s, at);
	case KEY_BOOL:
		*(bool *)at = true;
		return span_eq(s, SPAN_LIT("1")) ? 0 : -1;
	}
	return -1;
}

/* Keys come in the order of the table, so that none comes twice. */
static int
read_key(struct span token, size_t *next, struct arena *a,
	 struct ledger_event *ev, struct err *e)
{
	const char *equals = memchr(token.p, '=', token.len);
	struct span name = token, value;

	if (equals == NULL)
		return err_set(e, "a word without =");
	name.len = (size_t)(equals - token.p);
	value.p = equals + 1;
	value.len = token.len - name.len - 1;
	while (*next < KEY_COUNT && !span_eq(name, span_of(keys[*next].name)))
		(*next)++;
	if (*next == KEY_COUNT)
		return err_set(e, "a key that is unknown or out of order");
	if (read_value(&keys[*next], value, a, ev) != 0)
		return err_set(e, "%s: malformed value", keys[*next].name);
	(*next)++;
	return 0;
}

static void
clear_event(struct ledger_event *ev)
{
	size_t i;

	memset(ev, 0, sizeof(*ev));
	for (i = 0; i < KEY_COUNT; i++) {
		if (keys[i].kind == KEY_ADDRESS || keys[i].kind == KEY_TEXT)
			*(const char **)(void *)((char *)ev + keys[i].offset) =
				"";
	}
}

int
ledger_read(struct span line, struct arena *a, struct ledger_event *ev,
	    struct err *e)
{
	struct span time, verb, name, token;
	size_t next = 0;

	clear_event(ev);
	ev->name = "";
	if (check_crc(&line, e) != 0)
		return -1;
	if (next_token(&line, &time) != 0 ||
	    ledger_read_time(time, &ev->at_us) != 0)
		return err_set(e, "malformed time");
	if (next_token(&line, &verb) != 0 || read_verb(verb, &ev->verb) != 0)
		return err_set(e, "unknown verb");
	if (next_token(&line, &name) != 0 || name.len >= ENVELOPE_NAME_SIZE ||
	    memchr(name.p, '\0', name.len) != NULL)
		return err_set(e, "malformed name");
	ev->name = arena_strndup(a, name.p, name.len);
	if (!envelope_name_valid(ev->name, true))
		return err_set(e, "malformed name");
	while (next_token(&line, &token) == 0) {
		if (read_key(token, &next, a, ev, e) != 0)
			return -1;
	}
	return 0;
}
