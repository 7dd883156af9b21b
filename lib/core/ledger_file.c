/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Files of the ledger: opened to append to, and walked line by line in
 * pieces, however large they are.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "ledger.h"
#include "str.h"
#include "xalloc.h"

#define PIECE 262144 /* bytes read at a time; holds many lines */
#define HOUR_LEN 10 /* YYYYMMDDHH */

bool
ledger_file_valid(const char *file)
{
	size_t i;

	for (i = 0; i < HOUR_LEN; i++) {
		if (!ascii_isdigit(file[i]))
			return false;
	}
	while (file[i] == 'z' && i < LEDGER_NAME_SIZE - 2)
		i++;
	if (file[i] >= 'a' && file[i] <= 'z')
		i++;
	return file[i] == '\0';
}

/* As much as there is, at most len; -1 with errno. */
static ssize_t
read_at(int fd, char *p, size_t len, uint64_t offset)
{
	size_t got = 0;
	ssize_t n;

	while (got < len) {
		n = pread(fd, p + got, len - got, (off_t)(offset + got));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

/* 0 one that is known, with its number in *version; 1 none, -1 newer. */
static int
read_version(struct span line, const char *file, uint64_t *out, struct err *e)
{
	struct span words = SPAN_LIT("mcgate-ledger: ");
	uint64_t version;

	if (line.len <= words.len || memcmp(line.p, words.p, words.len) != 0)
		return 1;
	line.p += words.len;
	line.len -= words.len;
	if (span_to_u64(line, &version) != 0 || version == 0)
		return 1;
	if (version > LEDGER_VERSION)
		return err_set(e,
			       "ledger %s: of version %llu, this mcgate knows "
			       "%d: it was written by a newer one",
			       file, (unsigned long long)version,
			       LEDGER_VERSION);
	*out = version;
	return 0;
}

/* A walk over the lines of one file. */
struct lines {
	const char *file;
	uint64_t *offset; /* behind the last line handled */
	uint64_t number; /* of that line */
	bool is_skipping; /* inside a line that is too long */
	ledger_fn *fn;
	ledger_bad_fn *bad;
	void *arg;
	struct arena arena;
};

static void
tell_bad(struct lines *l, const char *why)
{
	if (l->bad != NULL)
		l->bad(l->arg, l->file, l->number, why);
}

/* Without its LF. */
static int
handle_line(struct lines *l, struct span line, struct err *e)
{
	struct ledger_event ev;
	struct err why;
	int is_first = *l->offset == 0;
	uint64_t number;
	int version;

	*l->offset += line.len + 1;
	if (l->is_skipping) {
		l->is_skipping = false;
		return 0;
	}
	l->number++;
	if (is_first) {
		version = read_version(line, l->file, &number, e);
		if (version > 0)
			tell_bad(l, "no version line");
		return version < 0 ? -1 : 0;
	}
	arena_clear(&l->arena);
	if (ledger_read(line, &l->arena, &ev, &why) == 0)
		return l->fn(l->arg, &ev);
	tell_bad(l, why.text);
	return 0;
}

/* Handles the whole lines of p; *used is how much of it they are. */
static int
handle_piece(struct lines *l, const char *p, size_t len, size_t *used,
	     struct err *e)
{
	const char *end;
	size_t n;
	int result;

	*used = 0;
	while ((end = memchr(p + *used, '\n', len - *used)) != NULL) {
		n = (size_t)(end - p) - *used;
		result = handle_line(l, (struct span){ p + *used, n }, e);
		*used += n + 1;
		if (result != 0)
			return result;
	}
	return 0;
}

static int
handle_file(struct lines *l, int fd, uint64_t end, char *piece, struct err *e)
{
	size_t want, used;
	ssize_t got;
	int result;

	for (;;) {
		want = PIECE;
		if (end > 0 && end < *l->offset + want)
			want = end > *l->offset ? end - *l->offset : 0;
		got = read_at(fd, piece, want, *l->offset);
		if (got < 0)
			return err_sys(e, "ledger %s", l->file);
		result = handle_piece(l, piece, (size_t)got, &used, e);
		if (result != 0)
			return result;
		if (used == 0 && got < PIECE)
			return 0; /* the end, or a line that is not whole */
		if (used == 0) {
			*l->offset += (uint64_t)got;
			if (!l->is_skipping) {
				l->number++;
				tell_bad(l, "longer than a line may be");
			}
			l->is_skipping = true;
		}
	}
}

int
ledger_each_line(int fd, const char *file, uint64_t *offset, uint64_t end,
		 ledger_fn *fn, ledger_bad_fn *bad, void *arg, struct err *e)
{
	struct lines l = {
		.file = file, .offset = offset, .fn = fn, .bad = bad, .arg = arg
	};
	char *piece = xmalloc(PIECE);
	int result = handle_file(&l, fd, end, piece, e);

	arena_release(&l.arena);
	free(piece);
	return result;
}

/* Names of ledger files, sorted. */
struct files {
	char (*list)[LEDGER_NAME_SIZE];
	size_t count, cap;
};

static int
compare_files(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int
list_files(int ledger_fd, const char *from, struct files *f, struct err *e)
{
	int fd = file_open(ledger_fd, ".", O_RDONLY | O_DIRECTORY, 0);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *d;
	int failed;

	if (folder == NULL) {
		err_sys(e, "ledger folder");
		file_shut(&fd);
		return -1;
	}
	while (errno = 0, (d = readdir(folder)) != NULL) {
		if (!ledger_file_valid(d->d_name) ||
		    (from != NULL && strcmp(d->d_name, from) < 0))
			continue;
		if (f->count == f->cap) {
			f->cap = f->cap ? f->cap * 2 : 64;
			f->list = xreallocarray(f->list, f->cap,
						sizeof(*f->list));
		}
		(void)str_copy(f->list[f->count++], LEDGER_NAME_SIZE,
			       d->d_name);
	}
	failed = errno;
	closedir(folder);
	errno = failed;
	if (failed != 0)
		return err_sys(e, "ledger folder");
	if (f->count > 0)
		qsort(f->list, f->count, sizeof(*f->list), compare_files);
	return 0;
}

int
ledger_each(int ledger_fd, const char *from, ledger_fn *fn, ledger_bad_fn *bad,
	    void *arg, struct err *e)
{
	struct files files = { .count = 0 };
	int result, fd;
	uint64_t offset;
	size_t i;

	result = list_files(ledger_fd, from, &files, e);
	for (i = 0; i < files.count && result == 0; i++) {
		fd = file_open(ledger_fd, files.list[i], O_RDONLY, 0);
		if (fd < 0 && errno == ENOENT)
			continue; /* retention took it */
		if (fd < 0) {
			result = err_sys(e, "ledger %s", files.list[i]);
			break;
		}
		offset = 0;
		result = ledger_each_line(fd, files.list[i], &offset, 0, fn,
					  bad, arg, e);
		file_shut(&fd);
	}
	free(files.list);
	return result;
}

/* Where the last whole line ends; -1 with errno. */
static int64_t
whole_lines(int fd, uint64_t size, char *piece)
{
	const char *last;
	uint64_t start;
	ssize_t got;

	while (size > 0) {
		start = size > PIECE ? size - PIECE : 0;
		got = read_at(fd, piece, (size_t)(size - start), start);
		if (got < 0)
			return -1;
		last = got > 0 ? memrchr(piece, '\n', (size_t)got) : NULL;
		if (last != NULL)
			return (int64_t)(start + (size_t)(last - piece) + 1);
		size = start;
	}
	return 0;
}

/* Cuts a last line that is not whole; *size is what is left. */
static int
cut_torn(int fd, const char *file, char *piece, uint64_t *size, struct err *e)
{
	struct stat st;
	int64_t whole;

	if (fstat(fd, &st) != 0)
		return err_sys(e, "ledger %s", file);
	whole = whole_lines(fd, (uint64_t)st.st_size, piece);
	if (whole < 0)
		return err_sys(e, "ledger %s", file);
	if (whole < st.st_size && ftruncate(fd, whole) != 0)
		return err_sys(e, "ledger %s: cut", file);
	*size = (uint64_t)whole;
	return 0;
}

/* There is a first line, and it is of our version: an older mcgate that
 * reads this file must not find lines in it that it does not know. */
static int
begin_file(int fd, const char *file, char *piece, uint64_t *size, struct err *e)
{
	struct span line = { piece, 0 };
	uint64_t version = LEDGER_VERSION;
	const char *lf;
	ssize_t got;

	if (*size == 0) {
		*size = sizeof(LEDGER_HEADER) - 1;
		if (file_write_all(fd, LEDGER_HEADER, (size_t)*size) != 0)
			return err_sys(e, "ledger %s", file);
		return 0;
	}
	got = read_at(fd, piece, PIECE, 0);
	if (got < 0)
		return err_sys(e, "ledger %s", file);
	lf = got > 0 ? memchr(piece, '\n', (size_t)got) : NULL;
	if (lf == NULL)
		return 0;
	line.len = (size_t)(lf - piece);
	if (read_version(line, file, &version, e) < 0)
		return LEDGER_OTHER;
	if (version == LEDGER_VERSION)
		return 0;
	err_set(e, "ledger %s: of version %llu: not appended to", file,
		(unsigned long long)version);
	return LEDGER_OTHER;
}

int
ledger_open(int ledger_fd, const char *file, uint64_t *size, struct err *e)
{
	int fd, rc = -1;
	char *piece;

	*size = 0;
	if (!ledger_file_valid(file))
		return err_set(e, "ledger %s: not YYYYMMDDHH and letters",
			       file);
	fd = file_open(ledger_fd, file, O_RDWR | O_APPEND | O_CREAT, 0600);
	if (fd < 0)
		return err_sys(e, "ledger %s", file);
	piece = xmalloc(PIECE);
	if (cut_torn(fd, file, piece, size, e) == 0)
		rc = begin_file(fd, file, piece, size, e);
	free(piece);
	if (rc == 0)
		return fd;
	file_shut(&fd);
	return rc;
}
