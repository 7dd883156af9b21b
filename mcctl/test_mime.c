/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl test mime FILE: what the filters see of a message, as JSON.
 */
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "command.h"
#include "file.h"
#include "mime.h"
#include "record.h"
#include "str.h"

#define FILE_MAX (256u << 20)

static void
put_string(struct buf *b, const char *name, const char *value)
{
	buf_printf(b, ",\"%s\":", name);
	if (value != NULL)
		json_string(b, value);
	else
		buf_add_str(b, "null");
}

static void
put_symptoms(struct buf *b, uint32_t bits)
{
	const char *sep = "";
	size_t i;

	buf_add_str(b, ",\"symptoms\":[");
	for (i = 0; i < MIME_BIT_COUNT; i++) {
		if ((bits & (1u << i)) == 0)
			continue;
		buf_printf(b, "%s\"%s\"", sep, mime_symptoms[i].word);
		sep = ",";
	}
	buf_add_char(b, ']');
}

static void
put_part(struct buf *b, struct mime *m, size_t i)
{
	static const char *const codings[] = { "identity", "base64",
					       "quoted-printable", "uuencode",
					       "unknown" };
	const struct mime_part *p = &m->parts[i];
	char hex[SHA256_HEX];
	struct buf type = { 0 };
	size_t k;

	buf_printf(&type, "%s/%s", p->type, p->subtype);
	buf_add_str(b, "{\"type\":");
	json_string(b, buf_str(&type));
	buf_release(&type);
	put_string(b, "name", p->name);
	buf_printf(b, ",\"size\":%zu", p->data.len);
	sha256_hex(mime_sum(m, i), hex);
	put_string(b, "sha256", hex);
	put_string(b, "disposition", p->disposition);
	put_string(b, "charset", p->charset);
	put_string(b, "encoding", codings[p->coding]);
	buf_printf(b, ",\"depth\":%d,\"other_reading\":%s", p->depth,
		   p->is_other ? "true" : "false");
	if (p->is_raw)
		buf_printf(b, ",\"offset\":%zu,\"length\":%zu",
			   (size_t)(p->body.p - m->raw.p), p->body.len);
	buf_add_str(b, ",\"names\":[");
	for (k = 0; k < p->name_count; k++) {
		if (k > 0)
			buf_add_char(b, ',');
		json_string(b, p->names[k]);
	}
	buf_add_char(b, ']');
	put_symptoms(b, p->symptoms);
	buf_add_char(b, '}');
}

static void
put_message(struct buf *b, struct mime *m)
{
	const struct mime_field *subject = mime_field(m, "Subject");
	const char *sep = "";
	size_t i;

	buf_printf(b, "{\"ambiguous\":%s",
		   mime_is_ambiguous(m) ? "true" : "false");
	put_symptoms(b, m->symptoms);
	put_string(b, "subject", subject != NULL ? subject->value : NULL);
	buf_add_str(b, ",\"parts\":[");
	for (i = 0; i < m->part_count; i++) {
		if (!m->parts[i].is_leaf)
			continue;
		buf_add_str(b, sep);
		put_part(b, m, i);
		sep = ",";
	}
	buf_add_str(b, "]}");
}

int
cmd_test_mime(struct ctx *c)
{
	struct buf raw = { 0 }, out = { 0 };
	struct mime *m;
	struct err e;
	int r;

	if (str_eq(c->args[0], "-"))
		r = file_read_fd(STDIN_FILENO, &raw, FILE_MAX, &e);
	else
		r = file_read(c->args[0], &raw, FILE_MAX, &e);
	if (r < 0)
		return complain(c, EX_NOINPUT, "%s", e.text);
	m = mime_new(buf_span(&raw), NULL);
	put_message(&out, m);
	out_line(&c->out, buf_str(&out));
	mime_free(m);
	buf_release(&out);
	buf_release(&raw);
	return EX_OK;
}
