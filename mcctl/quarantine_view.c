/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl quarantine view and learn: what needs the mail itself.  To a
 * terminal only plain text goes, made printable line by line; whatever
 * the mail says, it cannot move the cursor or hide what stands there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "file.h"
#include "learn.h"
#include "offline.h"
#include "held_mail.h"
#include "str.h"
#include "view.h"
#include "xalloc.h"

#define TEXT_MAX (64u << 10) /* bytes of text that are shown */
#define LINE_MAX_BYTES 900 /* of one line; longer ones are folded */
#define PARTS_MAX 100 /* that are named */

static const char *const shown_fields[] = { "From",	"To",	   "Cc",
					    "Reply-To", "Subject", "Date" };

/* Bytes of the next line, at most LINE_MAX_BYTES and whole characters. */
static size_t
line_length(struct span left)
{
	const char *lf = memchr(left.p, '\n', left.len);
	size_t n = lf != NULL ? (size_t)(lf - left.p) : left.len;

	if (n <= LINE_MAX_BYTES)
		return n;
	n = LINE_MAX_BYTES;
	while (n > 1 && ((unsigned char)left.p[n] & 0xc0) == 0x80)
		n--;
	return n;
}

static void
print_text(struct ctx *c, struct span text)
{
	char line[LINE_MAX_BYTES * 3 + 8];
	size_t n;

	while (text.len > 0 && !ferror(stdout)) {
		n = line_length(text);
		str_printable(line, sizeof(line), text.p,
			      n > 0 && text.p[n - 1] == '\r' ? n - 1 : n);
		out_line(&c->out, line);
		n += n < text.len && text.p[n] == '\n';
		text.p += n;
		text.len -= n;
	}
}

static void
name_part(const struct mime_part *p, struct buf *out)
{
	char size[32];

	str_bytes(size, sizeof(size), p->data.len);
	(void)buf_printf(out, "%s/%s %s%s%s%s", p->type, p->subtype, size,
			 p->name != NULL ? " " : "",
			 p->name != NULL ? p->name : "",
			 p->is_attachment ? " (attached)" : "");
}

static void
add_parts(struct record *r, const struct mime *m)
{
	struct buf list = { .limit = 0 };
	size_t i, n = 0;

	for (i = 0; i < m->part_count && n < PARTS_MAX; i++) {
		if (!m->parts[i].is_leaf || m->parts[i].is_other)
			continue;
		if (n++ > 0)
			(void)buf_add_char(&list, '\n');
		name_part(&m->parts[i], &list);
	}
	record_list(r, "parts", buf_str(&list));
	buf_release(&list);
}

static void
print_view(struct ctx *c, const struct held_mail *h)
{
	struct view *v = view_new(h->raw, NULL, NULL);
	struct span text = view_text(v);
	struct record r = { 0 };
	char name[32], *copy;
	size_t i, cut = text.len > TEXT_MAX ? TEXT_MAX : text.len;

	record_str(&r, "id", h->env.name);
	record_str(&r, "kind", quar_kind_name(quar_kind_of(&h->env)));
	record_str(&r, "reason", h->env.reason);
	for (i = 0; i < sizeof(shown_fields) / sizeof(*shown_fields); i++) {
		const struct mime_field *f =
			mime_field(v->mime, shown_fields[i]);

		(void)str_copy(name, sizeof(name), shown_fields[i]);
		str_lower(name);
		if (name[5] == '-')
			name[5] = '_';
		record_str(&r, name, f != NULL ? f->value : "");
	}
	add_parts(&r, v->mime);
	if (c->out.json) {
		copy = xmalloc(cut + 1);
		if (cut > 0)
			memcpy(copy, text.p, cut);
		copy[cut] = '\0';
		record_str(&r, "text", copy);
		free(copy);
	}
	out_object(&c->out, &r);
	record_release(&r);
	if (!c->out.json) {
		out_line(&c->out, "");
		print_text(c, (struct span){ text.p, cut });
	}
	if (cut < text.len)
		caution(c,
			"%zu bytes of text are not shown; --raw FILE writes "
			"all of the mail",
			text.len - cut);
	view_free(v);
}

/* With the rights of the caller, before these are given up. */
static int
open_raw(struct ctx *c, const char *path, int *fd)
{
	if (str_eq(path, "-")) {
		*fd = STDOUT_FILENO;
		if (isatty(*fd))
			return complain(c, EX_USAGE,
					"--raw -: the mail would go to this "
					"terminal as it is; name a file");
		return EX_OK;
	}
	*fd = file_open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (*fd < 0)
		return complain(c, EX_CANTCREAT, "%s: %s", path,
				strerror(errno));
	return EX_OK;
}

static int
write_raw(struct ctx *c, const char *path, int fd, struct span raw)
{
	struct err e = { "" };
	bool is_written = file_write_all(fd, raw.p, raw.len) == 0;

	if (fd != STDOUT_FILENO && file_close(fd, path, &e) < 0)
		is_written = false;
	if (!is_written)
		return complain(c, EX_IOERR, "%s: could not be written", path);
	if (fd != STDOUT_FILENO)
		out_done(&c->out);
	return EX_OK;
}

int
cmd_quarantine_view(struct ctx *c)
{
	const char *path = option_value(c, "raw");
	struct held_mail h;
	int spool, raw = -1;
	int code = EX_OK;

	if (path != NULL)
		code = open_raw(c, path, &raw);
	if (code != EX_OK)
		return code;
	code = offline_spool(c, &spool);
	if (code == EX_OK)
		code = held_mail_open(c, spool, c->args[0], &h);
	file_shut(&spool);
	if (code != EX_OK) {
		if (raw > STDERR_FILENO)
			(void)unlink(path);
		return code;
	}
	if (path != NULL)
		code = write_raw(c, path, raw, h.raw);
	else
		print_view(c, &h);
	held_mail_close(&h);
	return code;
}

/* Learn: the mail is opened with the caller's rights, then learnt as the
 * owner of the database. */
int
cmd_quarantine_learn(struct ctx *c)
{
	bool is_spam = str_eq(c->args[0], "spam");
	size_t count = (size_t)c->arg_count - 1, n = 0, i;
	struct held_mail *mails;
	struct span *raws;
	int fd, code = EX_OK;

	if (!is_spam && !str_eq(c->args[0], "ham"))
		return complain(c, EX_USAGE,
				"\"%.60s\": expected spam or ham, then the ids",
				c->args[0]);
	fd = file_open(AT_FDCWD, c->conf.spool_dir, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return complain(c, errno == EACCES ? EX_NOPERM : EX_NOINPUT,
				"the spool %s cannot be read: %s",
				c->conf.spool_dir, strerror(errno));
	mails = xcalloc(count, sizeof(*mails));
	raws = xcalloc(count, sizeof(*raws));
	for (n = 0; n < count && code == EX_OK; n++) {
		code = held_mail_open(c, fd, c->args[n + 1], &mails[n]);
		raws[n] = mails[n].raw;
	}
	file_shut(&fd);
	if (code == EX_OK)
		code = learn_mails(c, is_spam, raws, count);
	for (i = 0; i < n; i++)
		held_mail_close(&mails[i]);
	free(mails);
	free(raws);
	return code;
}
