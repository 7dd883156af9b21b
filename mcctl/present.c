/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Fewer columns, and units that are read at a glance.
 */
#include "present.h"

#include <string.h>

#include "str.h"

struct members {
	struct value values[RECORD_FIELDS_MAX];
	size_t count;
};

static const char *
text_of(const struct members *m, const char *name)
{
	const struct value *v = record_find(m->values, m->count, name);

	return v != NULL && (v->type == VALUE_STR || v->type == VALUE_LIST)
		       ? v->str
		       : "";
}

static int64_t
number_of(const struct members *m, const char *name)
{
	const struct value *v = record_find(m->values, m->count, name);

	return v != NULL ? v->num : 0;
}

/* The largest unit that says enough. */
static void
short_age(char *dst, size_t size, int64_t seconds)
{
	int64_t unit = seconds < 120	  ? 1
		       : seconds < 7200	  ? 60
		       : seconds < 172800 ? 3600
					  : 86400;

	str_duration(dst, size, seconds / unit * unit * 1000);
}

static void
first_rcpt(const struct members *m, char *dst, size_t size)
{
	const char *list = text_of(m, "rcpt");
	int64_t more = number_of(m, "rcpts") - 1;
	int len = (int)strcspn(list, "\n");

	if (more > 0)
		str_fmt(dst, size, "%.*s +%lld", len, list, (long long)more);
	else
		str_fmt(dst, size, "%.*s", len, list);
}

void
present_message(struct out *o, const struct record *full)
{
	struct members m;
	struct record r = { 0 };
	char text[400];
	const char *why;

	if (o->json ||
	    record_read(buf_span(&full->b), m.values, &m.count, NULL) < 0) {
		out_row(o, full);
		return;
	}
	record_str(&r, "id", text_of(&m, "id"));
	record_str(&r, "state", text_of(&m, "state"));
	str_bytes(text, sizeof(text), (uint64_t)number_of(&m, "size"));
	record_str(&r, "size", text);
	short_age(text, sizeof(text), number_of(&m, "age_s"));
	record_str(&r, "age", text);
	record_int(&r, "tries", number_of(&m, "attempts"));
	short_age(text, sizeof(text), number_of(&m, "next_s"));
	record_str(&r, "next", number_of(&m, "next_s") > 0 ? text : "");
	record_str(&r, "sender",
		   text_of(&m, "sender")[0] != '\0' ? text_of(&m, "sender")
						    : "<>");
	first_rcpt(&m, text, sizeof(text));
	record_str(&r, "rcpt", text);
	why = text_of(&m, "reason");
	record_str(&r, "why", why[0] != '\0' ? why : text_of(&m, "status"));
	out_row(o, &r);
	record_release(&r);
}

void
present_quarantined(struct out *o, const struct record *full)
{
	struct members m;
	struct record r = { 0 };
	char text[400];

	if (o->json ||
	    record_read(buf_span(&full->b), m.values, &m.count, NULL) < 0) {
		out_row(o, full);
		return;
	}
	record_str(&r, "id", text_of(&m, "id"));
	record_str(&r, "kind", text_of(&m, "kind"));
	str_bytes(text, sizeof(text), (uint64_t)number_of(&m, "size"));
	record_str(&r, "size", text);
	short_age(text, sizeof(text), number_of(&m, "age_s"));
	record_str(&r, "age", text);
	record_str(&r, "sender",
		   text_of(&m, "sender")[0] != '\0' ? text_of(&m, "sender")
						    : "<>");
	first_rcpt(&m, text, sizeof(text));
	record_str(&r, "rcpt", text);
	record_str(&r, "subject", text_of(&m, "subject"));
	record_str(&r, "why", text_of(&m, "reason"));
	out_row(o, &r);
	record_release(&r);
}

/* Columns as qshape has them: minutes, each up to its number. */
void
present_shape(struct out *o, const struct record *full)
{
	static const char *const columns[] = {
		"name", "total", "5",	"10",  "20",   "40",
		"80",	"160",	 "320", "640", "1280", "1280+"
	};
	struct members m;
	struct record r = { 0 };

	if (o->json ||
	    record_read(buf_span(&full->b), m.values, &m.count, NULL) < 0) {
		out_row(o, full);
		return;
	}
	for (size_t i = 0;
	     i < m.count && i < sizeof(columns) / sizeof(columns[0]); i++) {
		if (m.values[i].type == VALUE_INT)
			record_int(&r, columns[i], m.values[i].num);
		else
			record_str(&r, columns[i], m.values[i].str);
	}
	out_row(o, &r);
	record_release(&r);
}

void
present_matches(struct out *o, int64_t matches, int64_t messages)
{
	struct record r = { 0 };
	char line[100];

	if (!o->json) {
		str_fmt(line, sizeof(line), "%lld matches out of %lld messages",
			(long long)matches, (long long)messages);
		out_line(o, line);
		return;
	}
	record_int(&r, "matches", matches);
	record_int(&r, "messages", messages);
	out_object(o, &r);
	record_release(&r);
}

void
present_changed(struct out *o, int64_t changed, int64_t gone)
{
	struct record r = { 0 };

	record_int(&r, "changed", changed);
	record_int(&r, "gone", gone);
	out_object(o, &r);
	record_release(&r);
}

/* " name=text" where there is a text. */
static void
add_detail(struct buf *b, const struct members *m, const char *name)
{
	const char *text = text_of(m, name);

	if (text[0] != '\0')
		(void)buf_printf(b, "%s%s=%s", b->len > 0 ? " " : "", name,
				 text);
}

void
present_event(struct out *o, const struct record *full)
{
	static const char *const names[] = { "verdict",	   "action", "status",
					     "reason",	   "who",    "sender",
					     "relay",	   "client", "source",
					     "message_id", "subject" };
	struct members m;
	struct record r = { 0 };
	struct buf detail = { 0 };

	if (o->json ||
	    record_read(buf_span(&full->b), m.values, &m.count, NULL) < 0) {
		out_row(o, full);
		return;
	}
	record_str(&r, "time", text_of(&m, "time"));
	record_str(&r, "id", text_of(&m, "id"));
	record_str(&r, "event", text_of(&m, "event"));
	record_str(&r, "rcpt", text_of(&m, "rcpt"));
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		add_detail(&detail, &m, names[i]);
	if (str_eq(text_of(&m, "event"), "accepted"))
		(void)buf_printf(&detail, " size=%lld",
				 (long long)number_of(&m, "size"));
	if (number_of(&m, "delay_ms") > 0)
		(void)buf_printf(&detail, " delay_ms=%lld",
				 (long long)number_of(&m, "delay_ms"));
	if (str_eq(text_of(&m, "event"), "judged"))
		(void)buf_printf(&detail, " score=%s/%s", text_of(&m, "score"),
				 text_of(&m, "threshold"));
	record_str(&r, "details", buf_str(&detail));
	out_row(o, &r);
	buf_release(&detail);
	record_release(&r);
}
