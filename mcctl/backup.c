/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl backup: the databases as they are at this moment, mcd running or
 * not, in one file.  A file that is there is never overwritten; one that
 * was not finished has no manifest, and restore refuses it.
 */
#include "backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock.h"
#include "config.h"
#include "db_copy.h"
#include "file.h"
#include "log.h"
#include "rights.h"
#include "str.h"
#include "tokens.h"

#define CHUNK 65536

const struct backup_db backup_dbs[] = {
	{ "settings.db", DB_VERSION, false },
	{ TOKENS_DB, TOKENS_VERSION, false },
	{ "quarantine.db", 1, true },
};
const size_t backup_db_count = sizeof(backup_dbs) / sizeof(backup_dbs[0]);

void
backup_path(const char *dir, const char *name, char *dst, size_t size)
{
	str_fmt(dst, size, "%s/%s", dir, name);
}

int
backup_room_make(struct ctx *c, struct backup_room *r)
{
	str_fmt(r->dir, sizeof(r->dir), "%s/copy.XXXXXX", c->conf.lib_dir);
	if (mkdtemp(r->dir) != NULL)
		return EX_OK;
	r->dir[0] = '\0';
	return complain(c, errno == EACCES ? EX_NOPERM : EX_UNAVAILABLE,
			"%s: no folder can be made in it: %s", c->conf.lib_dir,
			strerror(errno));
}

void
backup_room_remove(struct backup_room *r)
{
	static const char *const suffixes[] = { "", "-wal", "-shm",
						"-journal" };
	char path[1200];

	if (r->dir[0] == '\0')
		return;
	for (size_t i = 0; i < backup_db_count; i++)
		for (size_t k = 0; k < 4; k++) {
			str_fmt(path, sizeof(path), "%s/%s%s", r->dir,
				backup_dbs[i].name, suffixes[k]);
			(void)unlink(path);
		}
	(void)rmdir(r->dir);
}

/* Reads a file through; each piece may go on to out (-1: nowhere). */
static int
read_through(const char *path, int out, struct archive_file *f, struct err *e)
{
	unsigned char sum[SHA256_SIZE];
	struct sha256 state;
	char piece[CHUNK];
	ssize_t n = 0;
	int fd = file_open(AT_FDCWD, path, O_RDONLY, 0);

	if (fd < 0)
		return err_sys(e, "%s", path);
	f->size = 0;
	sha256_init(&state);
	while ((n = read(fd, piece, sizeof(piece))) > 0) {
		sha256_update(&state, piece, (size_t)n);
		f->size += n;
		if (out >= 0 && file_write_all(out, piece, (size_t)n) < 0)
			break;
	}
	if (n != 0)
		err_sys(e, "%s", path);
	file_shut(&fd);
	sha256_final(&state, sum);
	sha256_hex(sum, f->sum);
	return n == 0 ? 0 : -1;
}

int
backup_sum(const char *path, struct archive_file *f, struct err *e)
{
	return read_through(path, -1, f, e);
}

/* Copies one database into the room; 0 when there is none. */
static int
copy_one(struct ctx *c, const struct backup_room *room,
	 const struct backup_db *db, struct archive *a, struct err *e)
{
	struct archive_file *f = &a->files[a->count];
	char from[1200], to[1200];

	backup_path(c->conf.lib_dir, db->name, from, sizeof(from));
	backup_path(room->dir, db->name, to, sizeof(to));
	if (access(from, F_OK) < 0 && errno == ENOENT)
		return 0;
	if (db_copy_out(from, to, e) < 0 ||
	    db_copy_check(to, &f->version, e) < 0 || backup_sum(to, f, e) < 0)
		return -1;
	if (f->size > ARCHIVE_SIZE_MAX)
		return err_set(e, "%s: too large for a backup", db->name);
	str_copy(f->name, sizeof(f->name), db->name);
	a->count++;
	return 0;
}

static int
write_file(int fd, const char *name, const char *path, const struct buf *text,
	   int64_t size, int64_t now_s, struct err *e)
{
	static const char zeros[ARCHIVE_BLOCK];
	struct archive_file seen = { .size = size };
	char block[ARCHIVE_BLOCK];

	archive_header(block, name, size, now_s);
	if (file_write_all(fd, block, sizeof(block)) < 0)
		return err_sys(e, "%s", name);
	if (text != NULL && file_write_all(fd, text->data, text->len) < 0)
		return err_sys(e, "%s", name);
	if (path != NULL && read_through(path, fd, &seen, e) < 0)
		return -1;
	if (seen.size != size)
		return err_set(e, "%s: changed while it was read", name);
	if (file_write_all(fd, zeros, archive_padding(size)) < 0)
		return err_sys(e, "%s", name);
	return 0;
}

static int
write_archive(int fd, const struct backup_room *room, const struct archive *a,
	      int64_t now_s, struct err *e)
{
	static const char end[2 * ARCHIVE_BLOCK];
	struct buf manifest = { 0 };
	char path[1200];
	int rc;

	archive_manifest(a, &manifest);
	rc = write_file(fd, ARCHIVE_MANIFEST, NULL, &manifest,
			(int64_t)manifest.len, now_s, e);
	for (size_t i = 0; i < a->count && rc == 0; i++) {
		backup_path(room->dir, a->files[i].name, path, sizeof(path));
		rc = write_file(fd, a->files[i].name, path, NULL,
				a->files[i].size, now_s, e);
	}
	buf_release(&manifest);
	if (rc == 0 &&
	    (file_write_all(fd, end, sizeof(end)) < 0 || fsync(fd) < 0))
		rc = err_sys(e, "writing");
	return rc;
}

static void
show_archive(struct ctx *c, const struct archive *a)
{
	for (size_t i = 0; i < a->count; i++) {
		struct record r = { 0 };

		record_str(&r, "file", a->files[i].name);
		record_int(&r, "version", a->files[i].version);
		record_int(&r, "size", a->files[i].size);
		record_str(&r, "sha256", a->files[i].sum);
		out_row(&c->out, &r);
		record_release(&r);
	}
}

static int
backup_into(struct ctx *c, int fd)
{
	struct archive a = { .program = MCGATE_VERSION, .node = c->conf.node };
	struct backup_room room = { "" };
	int64_t now_us = clock_wall_us();
	struct err e = { "" };
	int code = backup_room_make(c, &room);
	int rc = 0;

	if (code != EX_OK)
		return code;
	clock_iso8601(a.time, sizeof(a.time), now_us);
	for (size_t i = 0; i < backup_db_count && rc == 0; i++)
		rc = copy_one(c, &room, &backup_dbs[i], &a, &e);
	if (rc == 0 && a.count == 0)
		rc = err_set(&e, "%s: there is nothing to back up",
			     c->conf.lib_dir);
	if (rc == 0)
		rc = write_archive(fd, &room, &a, now_us / 1000000, &e);
	backup_room_remove(&room);
	if (rc < 0)
		return complain(c, EX_IOERR, "%s", e.text);
	show_archive(c, &a);
	return EX_OK;
}

int
cmd_backup(struct ctx *c)
{
	struct err e = { "" };
	int code;
	/* With the rights of who called: mcd's owner may not write there. */
	int fd = file_open(AT_FDCWD, c->args[0], O_WRONLY | O_CREAT | O_EXCL,
			   0600);

	if (fd < 0)
		return complain(c, EX_CANTCREAT, "%s: %s", log_text(c->args[0]),
				strerror(errno));
	if (rights_become(&c->conf, c->conf.user_main, &e) < 0)
		code = complain(c, EX_NOPERM, "%s", e.text);
	else
		code = backup_into(c, fd);
	/* What is left of it is no backup, and looks like none. */
	if (code != EX_OK && ftruncate(fd, 0) == 0)
		(void)unlink(c->args[0]);
	file_shut(&fd);
	return code;
}
