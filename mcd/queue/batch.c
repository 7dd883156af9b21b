/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The steps of a commit batch.  Each step is made for all members before
 * the next begins; the first failure ends the batch for all of them, and
 * what they had put in place is taken back.
 */
#include "batch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "committer.h"
#include "file.h"
#include "str.h"
#include "sync_pool.h"
#include "xalloc.h"

#define PIECE 65536 /* of a body that is read */
#define FOLDERS_KEPT 160 /* descriptors kept open between batches */

struct batch_folder {
	char path[SPOOL_PATH_SIZE];
	int fd;
	bool is_touched; /* has changes that are to be synced */
};

/* op and file i walk all files of a batch: for each op, for each file. */
#define for_ops(pos, batch) list_for(pos, batch)
#define OP(pos) list_entry(pos, struct commit_op, node)

void
batch_folders_init(struct batch_folders *f, int spool_fd)
{
	memset(f, 0, sizeof(*f));
	f->spool_fd = spool_fd;
}

static void
forget_folders(struct batch_folders *f)
{
	size_t i;

	for (i = 0; i < f->count; i++)
		file_shut(&f->list[i].fd);
	f->count = 0;
}

void
batch_folders_release(struct batch_folders *f)
{
	forget_folders(f);
	free(f->list);
	memset(f, 0, sizeof(*f));
}

static bool
is_in(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return strncmp(path, folder, n) == 0 && path[n] == '/' &&
	       strchr(path + n + 1, '/') == NULL;
}

/* The folder that path is in, opened when it is not; NULL with e. */
static struct batch_folder *
folder_of(struct batch_folders *f, const char *path, struct err *e)
{
	struct batch_folder *folder;
	char *slash;
	size_t i;

	for (i = f->count; i > 0; i--) {
		if (is_in(path, f->list[i - 1].path))
			return &f->list[i - 1];
	}
	if (f->count == f->cap) {
		f->cap = f->cap ? f->cap * 2 : 64;
		f->list = xreallocarray(f->list, f->cap, sizeof(*f->list));
	}
	folder = &f->list[f->count];
	memset(folder, 0, sizeof(*folder));
	(void)str_copy(folder->path, sizeof(folder->path), path);
	slash = strrchr(folder->path, '/');
	if (slash == NULL) {
		err_set(e, "%s: in no folder", path);
		return NULL;
	}
	*slash = '\0';
	folder->fd =
		file_open(f->spool_fd, folder->path, O_RDONLY | O_DIRECTORY, 0);
	if (folder->fd < 0) {
		err_sys(e, "%s", folder->path);
		return NULL;
	}
	f->count++;
	return folder;
}

static int
touch(struct batch_folders *f, const char *path, struct err *e)
{
	struct batch_folder *folder = folder_of(f, path, e);

	if (folder == NULL)
		return -1;
	folder->is_touched = true;
	return 0;
}

/* Jobs of the sync pool, and what each is about, for messages. */
struct syncs {
	struct sync_job *jobs;
	const char **paths;
	size_t count;
};

static void
syncs_init(struct syncs *s, size_t max)
{
	s->jobs = xcalloc(max + 1, sizeof(*s->jobs));
	s->paths = xcalloc(max + 1, sizeof(*s->paths));
	s->count = 0;
}

static void
syncs_add(struct syncs *s, int fd, bool is_folder, const char *path)
{
	s->jobs[s->count].fd = fd;
	s->jobs[s->count].is_folder = is_folder;
	s->paths[s->count++] = path;
}

/* Adds the folders touched since the last time. */
static void
syncs_add_folders(struct syncs *s, struct batch_folders *f)
{
	size_t i;

	for (i = 0; i < f->count; i++) {
		if (!f->list[i].is_touched)
			continue;
		f->list[i].is_touched = false;
		syncs_add(s, f->list[i].fd, true, f->list[i].path);
	}
}

/* Does them all, side by side; the first failure goes to e. */
static int
syncs_run(struct syncs *s, struct err *e)
{
	int result = 0;
	size_t i;

	sync_pool_run(s->jobs, s->count);
	for (i = 0; i < s->count; i++) {
		errno = s->jobs[i].error;
		if (errno != 0 && result == 0)
			result = err_sys(e, "%s: sync", s->paths[i]);
	}
	free(s->jobs);
	free(s->paths);
	return result;
}

static int
sync_folders(struct batch_folders *f, struct err *e)
{
	struct syncs s;

	syncs_init(&s, f->count);
	syncs_add_folders(&s, f);
	return syncs_run(&s, e);
}

/* Before anything is changed, so that no later error is missed. */
static int
open_folders(struct batch_folders *f, struct list *batch, struct err *e)
{
	struct list *n;
	size_t i;

	for_ops(n, batch)
	{
		for (i = 0; i < OP(n)->file_count; i++) {
			if (folder_of(f, OP(n)->files[i].path, e) == NULL)
				return -1;
		}
	}
	return 0;
}

/* A temporary file that a crash or a failure has left makes place. */
static int
open_tmp(struct batch_folders *f, struct commit_file *file, struct err *e)
{
	int flags = O_WRONLY | O_CREAT | O_EXCL;

	file->fd = file_open(f->spool_fd, file->tmp, flags, 0600);
	if (file->fd < 0 && errno == EEXIST &&
	    unlinkat(f->spool_fd, file->tmp, 0) == 0)
		file->fd = file_open(f->spool_fd, file->tmp, flags, 0600);
	if (file->fd < 0)
		return err_sys(e, "%s", file->tmp);
	return 0;
}

/* The CRC of its first size bytes, and nothing is behind them. */
static int
crc_of(const struct commit_file *file, char *piece, uint32_t *crc,
       struct err *e)
{
	uint64_t at = 0;
	ssize_t n;

	*crc = 0;
	for (;;) {
		n = pread(file->fd, piece, PIECE, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "%s: read", file->path);
		if (n == 0)
			break;
		*crc = crc32_update(*crc, piece, (size_t)n);
		at += (uint64_t)n;
	}
	if (at != file->size)
		return err_set(e, "%s has %llu bytes instead of %llu",
			       file->path, (unsigned long long)at,
			       (unsigned long long)file->size);
	return 0;
}

/* Writes the trailer behind a body. */
static int
seal(struct batch_folders *f, struct commit_file *file, struct err *e)
{
	char *piece = xmalloc(PIECE), end[TRAILER_END_SIZE];
	int result;
	uint32_t crc;

	result = crc_of(file, piece, &crc, e);
	free(piece);
	if (result != 0)
		return -1;
	trailer_end(f->key, buf_span(&file->text), crc, end);
	(void)buf_add(&file->text, end, sizeof(end));
	if (lseek(file->fd, (off_t)file->size, SEEK_SET) < 0 ||
	    file_write_all(file->fd, file->text.data, file->text.len) != 0)
		return err_sys(e, "%s: write", file->path);
	return 0;
}

static int
write_file(struct batch_folders *f, struct commit_file *file, struct err *e)
{
	if (file->tmp[0] == '\0' && file->text.len == 0)
		return 0;
	if (file->tmp[0] == '\0') {
		/* With its trailer a body is mail, so it must go durably. */
		file->is_placed = true;
		return seal(f, file, e);
	}
	if (open_tmp(f, file, e) != 0)
		return -1;
	if (file_write_all(file->fd, file->text.data, file->text.len) != 0)
		return err_sys(e, "%s: write", file->tmp);
	return 0;
}

static int
write_files(struct batch_folders *f, struct list *batch, struct err *e)
{
	struct list *n;
	size_t i;

	for_ops(n, batch)
	{
		for (i = 0; i < OP(n)->file_count; i++) {
			if (write_file(f, &OP(n)->files[i], e) != 0)
				return -1;
		}
	}
	return 0;
}

/* All write-backs are under way before the first is waited for. */
static void
start_write_back(struct list *batch)
{
	struct list *n;
	size_t i;

	for_ops(n, batch)
	{
		for (i = 0; i < OP(n)->file_count; i++)
			/* Only a hint: the sync tells what went wrong. */
			(void)sync_file_range(OP(n)->files[i].fd, 0, 0,
					      SYNC_FILE_RANGE_WRITE);
	}
}

static size_t
count_files(struct list *batch)
{
	struct list *n;
	size_t count = 0;

	for_ops(n, batch) count += OP(n)->file_count;
	return count;
}

static int
close_files(struct list *batch, struct err *e)
{
	struct commit_file *file;
	struct list *n;
	size_t i;
	int r;

	for_ops(n, batch)
	{
		for (i = 0; i < OP(n)->file_count; i++) {
			file = &OP(n)->files[i];
			r = close(file->fd);
			file->fd = -1;
			if (r != 0)
				return err_sys(e, "%s: close", file->path);
		}
	}
	return 0;
}

/* Contents of all files, and the folders that hold the names of bodies. */
static int
sync_files(struct batch_folders *f, struct list *batch, struct err *e)
{
	struct syncs s;
	struct list *n;
	size_t i;

	start_write_back(batch);
	syncs_init(&s, count_files(batch) + f->count);
	for_ops(n, batch)
	{
		for (i = 0; i < OP(n)->file_count; i++)
			syncs_add(&s, OP(n)->files[i].fd, false,
				  OP(n)->files[i].path);
	}
	syncs_add_folders(&s, f);
	if (syncs_run(&s, e) != 0)
		return -1;
	return close_files(batch, e);
}

/* Gives the bodies, or all others, their names. */
static int
place_files(struct batch_folders *f, struct list *batch, bool bodies,
	    struct err *e)
{
	struct commit_file *file;
	struct list *n;
	size_t i;

	for_ops(n, batch)
	{
		for (i = 0; i < OP(n)->file_count; i++) {
			file = &OP(n)->files[i];
			if (file->is_body != bodies)
				continue;
			if (touch(f, file->path, e) != 0)
				return -1;
			file->is_placed = true;
			if (file->tmp[0] != '\0' &&
			    renameat(f->spool_fd, file->tmp, f->spool_fd,
				     file->path) != 0)
				return err_sys(e, "%s: rename", file->path);
		}
	}
	return 0;
}

/* What has a second name has it once it is durable: it is never half a
 * file. */
static int
link_files(struct batch_folders *f, struct list *batch, struct err *e)
{
	struct commit_file *file;
	struct list *n;
	size_t i;

	for_ops(n, batch)
	{
		for (i = 0; i < OP(n)->file_count; i++) {
			file = &OP(n)->files[i];
			if (file->link[0] == '\0')
				continue;
			file->is_linked = true;
			if (linkat(f->spool_fd, file->path, f->spool_fd,
				   file->link, 0) != 0)
				return err_sys(e, "%s: link", file->link);
		}
	}
	return 0;
}

/* Durably gone. */
static int
take_back_name(struct batch_folders *f, const char *path)
{
	struct err ignored;

	if (unlinkat(f->spool_fd, path, 0) != 0 && errno != ENOENT)
		return -1;
	if (touch(f, path, &ignored) != 0 || sync_folders(f, &ignored) != 0)
		return -1;
	return 0;
}

/* Unlinks one file of an operation that failed, durably if it had its
 * name.  A rename that failed may have happened all the same. */
static int
take_back(struct batch_folders *f, struct commit_file *file)
{
	if (file->tmp[0] != '\0' && unlinkat(f->spool_fd, file->tmp, 0) != 0)
		file->is_left_tmp = errno != ENOENT;
	if (file->is_replacing)
		return 0;
	file->is_left = true;
	if (file->is_linked && take_back_name(f, file->link) != 0)
		return -1;
	if (file->is_placed)
		file->is_left = take_back_name(f, file->path) != 0;
	else if (unlinkat(f->spool_fd, file->path, 0) == 0 || errno == ENOENT)
		file->is_left = false;
	if (file->is_left)
		return -1;
	return 0;
}

/*
 * The body goes only when the envelope has durably gone: an envelope that
 * came back without its body would be taken for damage.  What cannot be
 * taken back is found by the next start.
 */
static void
undo(struct batch_folders *f, struct commit_op *op)
{
	bool bodies, is_clean = true;
	size_t i;
	int pass;

	for (pass = 0; pass < 2; pass++) {
		bodies = pass == 1;
		for (i = op->file_count; i > 0; i--) {
			if (op->files[i - 1].is_body != bodies)
				continue;
			if (bodies && !is_clean) {
				op->files[i - 1].is_left = true;
				continue;
			}
			if (take_back(f, &op->files[i - 1]) != 0)
				is_clean = false;
		}
	}
}

static void
fail_all(struct batch_folders *f, struct list *batch, const struct err *e)
{
	struct list *n;
	size_t i;

	for (i = 0; i < f->count; i++)
		f->list[i].is_touched = false;
	for_ops(n, batch)
	{
		if (OP(n)->file_count == 0)
			continue;
		OP(n)->result = -1;
		OP(n)->e = *e;
		undo(f, OP(n));
	}
}

static void
unlink_old(struct batch_folders *f, struct commit_op *op)
{
	struct err e;
	size_t i;

	for (i = 0; i < op->unlink_count; i++) {
		e.text[0] = '\0';
		/* One that has gone before may not have gone durably. */
		if (unlinkat(f->spool_fd, op->unlinks[i], 0) != 0 &&
		    errno != ENOENT)
			err_sys(&e, "%s: unlink", op->unlinks[i]);
		else if (op->must_unlink)
			(void)touch(f, op->unlinks[i], &e);
		if (e.text[0] == '\0')
			continue;
		op->e = e;
		if (op->must_unlink)
			op->result = -1;
	}
}

static void
unlink_all(struct batch_folders *f, struct list *batch)
{
	struct list *n;
	struct err e;

	for_ops(n, batch)
	{
		if (OP(n)->result == 0)
			unlink_old(f, OP(n));
	}
	if (sync_folders(f, &e) == 0)
		return;
	for_ops(n, batch)
	{
		if (OP(n)->result != 0 || !OP(n)->must_unlink)
			continue;
		OP(n)->result = -1;
		OP(n)->e = e;
	}
}

/* The order is the promise. */
static int
make_durable(struct batch_folders *f, struct list *batch, struct err *e)
{
	if (open_folders(f, batch, e) != 0 || write_files(f, batch, e) != 0)
		return -1;
	if (place_files(f, batch, true, e) != 0)
		return -1;
	if (sync_files(f, batch, e) != 0)
		return -1;
	if (place_files(f, batch, false, e) != 0)
		return -1;
	if (sync_folders(f, e) != 0)
		return -1;
	return link_files(f, batch, e);
}

void
batch_run(struct batch_folders *f, struct list *batch)
{
	struct list *n;
	struct err e = { "" };

	for_ops(n, batch)
	{
		OP(n)->result = 0;
		OP(n)->e.text[0] = '\0';
	}
	if (f->count > FOLDERS_KEPT)
		forget_folders(f);
	if (make_durable(f, batch, &e) != 0)
		fail_all(f, batch, &e);
	unlink_all(f, batch);
}
