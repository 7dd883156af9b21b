/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl restore: puts back what a backup holds, mcd running or not.  All
 * of the file is unpacked and checked before anything is changed.  Settings
 * change row by row in one transaction with a log, as by any command, so
 * that undo takes it back; of the other databases the rows are replaced.
 */
#include "backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "db_copy.h"
#include "dict.h"
#include "file.h"
#include "str.h"
#include "tokens.h"
#include "xalloc.h"

#define CHUNK 65536

/* All bytes, or -1. */
static int
read_full(int fd, void *dst, size_t len, struct err *e)
{
	size_t at = 0;
	ssize_t n;

	while (at < len) {
		n = read(fd, (char *)dst + at, len - at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "reading");
		if (n == 0)
			return err_set(e, "it ends too soon");
		at += (size_t)n;
	}
	return 0;
}

static int
skip_padding(int fd, int64_t size, struct err *e)
{
	char rest[ARCHIVE_BLOCK];

	return read_full(fd, rest, archive_padding(size), e);
}

static int
read_manifest(int fd, struct archive *a, struct err *e)
{
	char block[ARCHIVE_BLOCK], name[ARCHIVE_NAME_SIZE];
	char *text;
	int64_t size;
	int rc;

	if (read_full(fd, block, sizeof(block), e) < 0 ||
	    archive_header_read(block, name, &size, e) < 0)
		return -1;
	if (!str_eq(name, ARCHIVE_MANIFEST) || size > ARCHIVE_MANIFEST_MAX)
		return err_set(e, "it does not begin with a manifest");
	text = xmalloc((size_t)size + 1);
	rc = read_full(fd, text, (size_t)size, e);
	if (rc == 0)
		rc = archive_manifest_read((struct span){ text, (size_t)size },
					   a, e);
	free(text);
	return rc == 0 ? skip_padding(fd, size, e) : rc;
}

static const struct backup_db *
find_db(const char *name)
{
	for (size_t i = 0; i < backup_db_count; i++)
		if (str_eq(backup_dbs[i].name, name))
			return &backup_dbs[i];
	return NULL;
}

/* The bytes of one file into the room, checked against the manifest. */
static int
unpack(int fd, int out, const struct archive_file *f, struct err *e)
{
	unsigned char sum[SHA256_SIZE];
	char piece[CHUNK], hex[SHA256_HEX];
	struct sha256 state;
	int64_t left = f->size;

	sha256_init(&state);
	while (left > 0) {
		size_t n = left < CHUNK ? (size_t)left : CHUNK;

		if (read_full(fd, piece, n, e) < 0)
			return -1;
		if (file_write_all(out, piece, n) < 0)
			return err_sys(e, "%s", f->name);
		sha256_update(&state, piece, n);
		left -= (int64_t)n;
	}
	sha256_final(&state, sum);
	sha256_hex(sum, hex);
	if (!str_eq(hex, f->sum))
		return err_set(e, "%s: damaged: its checksum is wrong",
			       f->name);
	return skip_padding(fd, f->size, e);
}

static int
unpack_file(int fd, const struct backup_room *room,
	    const struct archive_file *f, struct err *e)
{
	char block[ARCHIVE_BLOCK], name[ARCHIVE_NAME_SIZE], path[1200];
	const struct backup_db *db = find_db(f->name);
	int64_t size, version;
	int out, rc;

	if (db == NULL || f->version > db->version)
		return err_set(e, "%s: of a newer mcgate than this one",
			       f->name);
	if (read_full(fd, block, sizeof(block), e) < 0)
		return -1;
	if (archive_header_read(block, name, &size, e) != 1 ||
	    !str_eq(name, f->name) || size != f->size)
		return err_set(e, "%s: not there as the manifest has it",
			       f->name);
	backup_path(room->dir, f->name, path, sizeof(path));
	out = file_open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (out < 0)
		return err_sys(e, "%s", path);
	rc = unpack(fd, out, f, e);
	file_shut(&out);
	if (rc == 0)
		rc = db_copy_check(path, &version, e);
	if (rc == 0 && version != f->version)
		rc = err_set(e, "%s: version %lld, its manifest says %lld",
			     f->name, (long long)version,
			     (long long)f->version);
	return rc;
}

/* Rows of the backup, and what of them has changed. */
struct settings {
	struct ctx *c;
	struct dict seen; /* "kind key" */
	struct buf name;
	char **gone; /* kind, key, kind, key... */
	size_t gone_count, gone_cap;
	enum db_result result;
	struct err e;
};

static const char *
name_of(struct settings *s, const char *kind, const char *key)
{
	buf_clear(&s->name);
	(void)buf_printf(&s->name, "%s %s", kind, key);
	return buf_str(&s->name);
}

static int
put_row(void *arg, const char *kind, const char *key, const char *value)
{
	struct settings *s = arg;

	(void)dict_set(&s->seen, name_of(s, kind, key), s);
	s->result = db_put(s->c->db, kind, key, value, &s->e);
	return s->result != DB_OK;
}

static int
note_gone(void *arg, const char *kind, const char *key, const char *value)
{
	struct settings *s = arg;

	(void)value;
	if (dict_get(&s->seen, name_of(s, kind, key)) != NULL)
		return 0;
	if (s->gone_count + 2 > s->gone_cap) {
		s->gone_cap = s->gone_cap == 0 ? 64 : s->gone_cap * 2;
		s->gone = xreallocarray(s->gone, s->gone_cap, sizeof(*s->gone));
	}
	s->gone[s->gone_count++] = xstrdup(kind);
	s->gone[s->gone_count++] = xstrdup(key);
	return 0;
}

static void
drop_gone(struct settings *s)
{
	for (size_t i = 0; i < s->gone_count; i += 2) {
		if (s->result == DB_OK)
			s->result = db_put(s->c->db, s->gone[i], s->gone[i + 1],
					   NULL, &s->e);
		free(s->gone[i]);
		free(s->gone[i + 1]);
	}
	free(s->gone);
}

static int
restore_settings(struct ctx *c, const struct backup_room *room)
{
	struct settings s = { .c = c, .result = DB_OK };
	struct db *from = NULL;
	enum db_result r;

	r = db_open(room->dir, false, c->conf.node, &from, &s.e);
	if (r == DB_OK)
		r = db_each(from, "", put_row, &s, &s.e);
	if (r == DB_OK && s.result == DB_OK)
		r = db_each(c->db, "", note_gone, &s, &s.e);
	if (r != DB_OK)
		s.result = r;
	drop_gone(&s);
	db_close(from);
	dict_release(&s.seen, NULL);
	buf_release(&s.name);
	return s.result == DB_OK ? EX_OK : complain_db(c, s.result, &s.e);
}

/* What workers look words up in is made of the rows. */
static int
write_map(struct ctx *c, struct err *e)
{
	struct tokens *t = NULL;
	int rc = tokens_open(c->conf.lib_dir, false, &t, e);

	if (rc == 0)
		rc = tokens_write_map(t, e);
	tokens_close(t);
	return rc;
}

static int
restore_db(struct ctx *c, const struct backup_room *room, const char *name)
{
	const struct backup_db *db = find_db(name);
	char from[1200], to[1200];
	struct err e = { "" };
	int rc;

	backup_path(room->dir, name, from, sizeof(from));
	backup_path(c->conf.lib_dir, name, to, sizeof(to));
	if (access(to, F_OK) == 0)
		rc = db_copy_in(from, to, &e);
	else if (db->is_derived)
		rc = 0;
	else
		rc = db_copy_out(from, to, &e);
	if (rc == 0 && str_eq(name, TOKENS_DB))
		rc = write_map(c, &e);
	return rc == 0 ? EX_OK : complain(c, EX_IOERR, "%s", e.text);
}

static int
restore_all(struct ctx *c, const struct backup_room *room,
	    const struct archive *a)
{
	int code = EX_OK;

	/* Settings are committed last: what fails before leaves them. */
	for (size_t i = 0; i < a->count && code == EX_OK; i++)
		if (str_eq(a->files[i].name, "settings.db"))
			code = restore_settings(c, room);
	for (size_t i = 0; i < a->count && code == EX_OK && !c->is_dry_run; i++)
		if (!str_eq(a->files[i].name, "settings.db"))
			code = restore_db(c, room, a->files[i].name);
	return code;
}

static void
show_restored(struct ctx *c, const struct archive *a)
{
	struct record r = { 0 };
	struct buf files = { 0 };

	for (size_t i = 0; i < a->count; i++)
		(void)buf_printf(&files, "%s%s", i > 0 ? "\n" : "",
				 a->files[i].name);
	record_str(&r, "made", a->time);
	record_str(&r, "by", a->program);
	record_int(&r, "node", a->node);
	record_list(&r, "files", buf_str(&files));
	record_bool(&r, "restored", !c->is_dry_run);
	out_object(&c->out, &r);
	record_release(&r);
	buf_release(&files);
}

int
cmd_restore(struct ctx *c)
{
	static struct archive a;
	struct backup_room room = { "" };
	struct err e = { "" };
	int code = backup_room_make(c, &room);
	int rc;

	if (code != EX_OK)
		return code;
	c->is_dry_run = option_is_given(c, "dry-run");
	rc = read_manifest(c->file, &a, &e);
	for (size_t i = 0; i < a.count && rc == 0; i++)
		rc = unpack_file(c->file, &room, &a.files[i], &e);
	if (rc < 0)
		code = complain(c, EX_DATAERR, "%s: %s: nothing was changed",
				c->args[0], e.text);
	else
		code = restore_all(c, &room, &a);
	backup_room_remove(&room);
	if (code == EX_OK)
		show_restored(c, &a);
	return code;
}
