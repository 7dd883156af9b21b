/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Edits by offset into the header as it came.
 */
#include "mark.h"

#include <string.h>

#include "auth.h"
#include "authres.h"
#include "explain.h"
#include "header.h"
#include "points.h"
#include "role.h"
#include "str.h"

#define RENAMES_MAX 64 /* of fields that look like a filter's */
#define OWN_MAX 128 /* of fields that look like ours */
#define EDITS_MAX (RENAMES_MAX + OWN_MAX + 3)
#define FOLD_AT 76 /* columns, RFC 5322 section 2.1.1 */
#define FOREIGN "X-Spam-"
#define RENAMED "X-Foreign-"

/* What fields of ours are called, behind the prefix. */
#define NAME_ID "ID"
#define NAME_SCORE "Score"
#define NAME_STATUS "Status"
#define NAME_CHECK "SpamCheck"
static const char *const own_names[] = { NAME_ID, NAME_SCORE, NAME_STATUS,
					 NAME_CHECK };

struct marks {
	struct edit edits[EDITS_MAX];
	size_t count;
	size_t renames, own;
	size_t cut; /* the edit that takes out what is beyond OWN_MAX */
	bool has_subject;
};

/* Folds behind commas and spaces; a word longer than a line stays. */
static void
add_folded(struct buf *out, const char *text)
{
	size_t column = 0, i, word;
	const char *p;

	for (i = out->len; i > 0 && out->data[i - 1] != '\n'; i--)
		column++;
	for (p = text; *p != '\0'; p += word) {
		word = strcspn(p, " ");
		if (column + word > FOLD_AT && column > 1) {
			(void)buf_add_str(out, "\r\n\t");
			column = 8;
		} else if (p > text) {
			(void)buf_add_char(out, ' ');
			column++;
		}
		(void)buf_add(out, p, word);
		column += word;
		if (p[word] == ' ')
			word++;
	}
	(void)buf_add_str(out, "\r\n");
}

/* Fields must be ASCII: evidence in another script becomes '?'. */
static void
make_ascii(char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s >= 0x80)
			*s = '?';
}

static void
add_field(struct buf *out, const struct knobs *k, const char *name,
	  const char *text)
{
	(void)buf_printf(out, "%s%s:", k->header_prefix, name);
	(void)buf_add_char(out, ' ');
	add_folded(out, text);
}

static void
add_fields(const struct filter_mail *m, const struct knobs *k,
	   const struct judge_verdict *v, struct buf *out)
{
	struct buf check = { .limit = 4096 };
	char points[32], threshold[32], score[80];

	if (k->id_header)
		(void)buf_printf(out, "%s" NAME_ID ": %s\r\n", k->header_prefix,
				 m->name);
	if (!k->headers_add || (v->step_count == 0 && !v->listed.is_found))
		return;
	points_text(v->points, points, sizeof(points));
	points_text(v->threshold, threshold, sizeof(threshold));
	(void)str_fmt(score, sizeof(score), "%s (spam from %s on)", points,
		      threshold);
	explain_check(v, &check);
	if (check.data != NULL)
		make_ascii(check.data);
	add_field(out, k, NAME_SCORE, score);
	add_field(out, k, NAME_STATUS, explain_status(v));
	add_field(out, k, NAME_CHECK, buf_str(&check));
	buf_release(&check);
}

static bool
needs_encoding(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s >= 0x80)
			return true;
	return false;
}

/* The tag with its space; RFC 2047 where it is not ASCII. */
static const char *
tag_text(const struct filter_mail *m, const char *tag)
{
	struct buf out = { 0 };
	const char *text;

	if (!needs_encoding(tag))
		return arena_printf(m->arena, "%s ", tag);
	(void)buf_add_str(&out, "=?UTF-8?Q?");
	for (; *tag != '\0'; tag++) {
		if (ascii_isalnum((unsigned char)*tag))
			(void)buf_add_char(&out, *tag);
		else
			(void)buf_printf(&out, "=%02X", (unsigned char)*tag);
	}
	/* Between two encoded words a space is not shown: it is in it. */
	(void)buf_add_str(&out, "_?= ");
	text = arena_strdup(m->arena, buf_str(&out));
	buf_release(&out);
	return text;
}

static void
add_edit(struct marks *marks, uint64_t offset, const char *text)
{
	struct edit *e = &marks->edits[marks->count++];

	e->offset = offset;
	e->length = 0;
	e->text = span_of(text);
}

/* Before the text of the subject, unless it begins with the tag already. */
static void
tag_subject(const struct filter_mail *m, const struct header_field *f,
	    const char *tag, struct marks *marks)
{
	size_t blanks = 0, len = strlen(tag);

	while (blanks < f->value.len &&
	       (f->value.p[blanks] == ' ' || f->value.p[blanks] == '\t'))
		blanks++;
	if (f->value.len - blanks >= len &&
	    memcmp(f->value.p + blanks, tag, len) == 0)
		return;
	add_edit(marks, (uint64_t)(f->value.p + blanks - m->text.p),
		 tag_text(m, tag));
}

static bool
begins_with(struct span name, const char *prefix)
{
	size_t len = strlen(prefix);

	return len > 0 && name.len >= len &&
	       span_ieq((struct span){ name.p, len },
			(struct span){ prefix, len });
}

/*
 * Our names and no more: others begin theirs with X-MC- too, and a field
 * that is renamed may have been signed.
 */
static bool
is_own_name(struct span name, const char *prefix)
{
	size_t i;

	if (!begins_with(name, prefix))
		return false;
	name.p += strlen(prefix);
	name.len -= strlen(prefix);
	for (i = 0; i < sizeof(own_names) / sizeof(own_names[0]); i++)
		if (span_ieq(name, span_of(own_names[i])))
			return true;
	return false;
}

/*
 * A field that somebody else gave one of our names: it must not be taken
 * for our word, so none is left; with text "" it goes, else that is put
 * before its name.  Edits are limited, and nobody has honest
 * reasons for so many: from the first of those beyond to the last one, all
 * is taken out, and with it the edits that lie in between.
 */
static void
disown(const struct header_field *f, const char *text, struct marks *marks)
{
	struct edit *cut;

	if (marks->own++ < OWN_MAX) {
		add_edit(marks, f->offset, text);
		if (*text == '\0')
			marks->edits[marks->count - 1].length = f->len;
		return;
	}
	if (marks->cut == 0) {
		marks->cut = marks->count;
		add_edit(marks, f->offset, "");
	}
	cut = &marks->edits[marks->cut];
	cut->length = f->offset + f->len - cut->offset;
	marks->count = marks->cut + 1;
}

static const char *
server_name(const struct knobs *k)
{
	return k->auth_results_name[0] != '\0' ? k->auth_results_name
					       : role_hostname();
}

static bool
is_forged(const struct filter_mail *m, const struct knobs *k,
	  const struct header_field *f)
{
	return !m->is_outbound && !m->is_peer && !k->auth_results_foreign &&
	       span_ieq(f->name, SPAN_LIT("Authentication-Results")) &&
	       authres_claims(f->value, server_name(k));
}

static void
walk_header(const struct filter_mail *m, const struct knobs *k, const char *tag,
	    struct marks *marks)
{
	bool is_marked = k->headers_add || *tag != '\0';
	struct header_field f;
	size_t at = 0;

	while (header_next(m->header, &at, &f)) {
		if (!m->is_peer && is_own_name(f.name, k->header_prefix)) {
			disown(&f, RENAMED, marks);
		} else if (is_forged(m, k, &f)) {
			disown(&f, "", marks);
		} else if (is_marked && begins_with(f.name, FOREIGN) &&
			   marks->renames < RENAMES_MAX) {
			add_edit(marks, f.offset, RENAMED);
			marks->renames++;
		} else if (span_ieq(f.name, SPAN_LIT("Subject")) &&
			   !marks->has_subject) {
			marks->has_subject = true;
			if (*tag != '\0')
				tag_subject(m, &f, tag, marks);
		}
	}
}

/* On top of all, so that it stands above what others have added. */
static void
add_results(const struct filter_mail *m, const struct knobs *k, struct buf *out)
{
	const struct auth_result *r;
	struct buf text = { .limit = 8192 };

	if (!k->auth_results || !k->filter_auth || m->is_outbound ||
	    m->auth == NULL || (r = auth_get(m)) == NULL)
		return;
	auth_field(m, r, server_name(k), &text);
	(void)buf_add_str(out, "Authentication-Results: ");
	add_folded(out, buf_str(&text));
	buf_release(&text);
}

int
mark_edits(const struct filter_mail *m, const struct judge_policy *p,
	   const struct judge_verdict *v, struct buf *out, struct err *e)
{
	const char *tag = v->is_marked	 ? p->knobs.subject_tag
			  : v->is_warned ? p->knobs.warn_tag
					 : "";
	struct marks marks = { .count = 0 };
	struct buf fields = { .limit = ENVELOPE_EDIT_MAX };
	size_t first = 1;
	int rc;

	marks.count = 1; /* fields come first, once it is known what they are */
	walk_header(m, &p->knobs, tag, &marks);
	if (v->action != ACTION_DISCARD)
		add_results(m, &p->knobs, &fields);
	add_fields(m, &p->knobs, v, &fields);
	if (*tag != '\0' && !marks.has_subject)
		(void)buf_printf(&fields, "Subject: %s\r\n", tag_text(m, tag));
	if (fields.len > 0) {
		marks.edits[0] = (struct edit){ .text = buf_span(&fields) };
		first = 0;
	}
	rc = marks.count > first ? edits_write(marks.edits + first,
					       marks.count - first, out, e)
				 : 0;
	buf_release(&fields);
	return rc;
}
