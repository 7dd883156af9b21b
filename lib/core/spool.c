/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * IDs, paths and folders of the spool, and walking it.  Nothing here
 * writes but the folders; a name from outside never leads out of them.
 */
#include "spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "str.h"
#include "xalloc.h"

#define WALL_BITS 52
#define NODE_BITS 12
#define SEQUENCE_BITS 16
#define FOLDER_SHIFT 20 /* about a second */
#define TAIL_SIZE 4096 /* of a file; most trailers are in it */

static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

void
id_make(const struct id_parts *parts, char dst[ENVELOPE_ID_LEN + 1])
{
	uint64_t wall =
		(uint64_t)parts->wall_us & (((uint64_t)1 << WALL_BITS) - 1);
	uint64_t low = (uint64_t)(parts->node & 0xfff) << SEQUENCE_BITS |
		       (parts->sequence & 0xffff);
	uint64_t high = wall >> 12; /* the first 40 of 80 bits */
	int i;

	low |= (wall & 0xfff) << (NODE_BITS + SEQUENCE_BITS);
	for (i = 7; i >= 0; i--) {
		dst[i] = alphabet[high & 31];
		dst[8 + i] = alphabet[low & 31];
		high >>= 5;
		low >>= 5;
	}
	dst[ENVELOPE_ID_LEN] = '\0';
}

/* 40 bits from 8 characters. */
static int
read_bits(const char *s, uint64_t *out)
{
	uint64_t v = 0;
	const char *at;
	int i;

	for (i = 0; i < 8; i++) {
		at = s[i] != '\0' ? strchr(alphabet, s[i]) : NULL;
		if (at == NULL)
			return -1;
		v = v << 5 | (uint64_t)(at - alphabet);
	}
	*out = v;
	return 0;
}

int
id_parse(const char *id, struct id_parts *out)
{
	uint64_t high, low;

	if (!envelope_name_valid(id, true) || read_bits(id, &high) != 0 ||
	    read_bits(id + 8, &low) != 0)
		return -1;
	out->wall_us = (int64_t)(high << 12 | low >> 28);
	out->node = (unsigned)(low >> SEQUENCE_BITS) & 0xfff;
	out->sequence = (unsigned)low & 0xffff;
	return 0;
}

static void
folder_text(int n, char dst[3])
{
	dst[0] = (char)('0' + n / 16);
	dst[1] = "0123456789abcdef"[n % 16];
	dst[2] = '\0';
}

static int
folder_of(const char *name)
{
	struct id_parts parts;

	if (id_parse(name, &parts) != 0)
		return -1;
	return (int)(parts.wall_us >> FOLDER_SHIFT & (SPOOL_FOLDERS - 1));
}

static int
folder_of_body(const char *body)
{
	char id[ENVELOPE_ID_LEN + 1];

	if (strlen(body) < ENVELOPE_ID_LEN)
		return -1;
	memcpy(id, body, ENVELOPE_ID_LEN);
	id[ENVELOPE_ID_LEN] = '\0';
	body += ENVELOPE_ID_LEN;
	if (body[0] != '\0' && !str_eq(body, ".c"))
		return -1;
	return folder_of(id);
}

void
spool_folder(const char *name, char dst[3])
{
	int n = folder_of(name);

	dst[0] = '\0';
	if (n >= 0)
		folder_text(n, dst);
}

static void
make_path(const char *top, int folder, const char *before, const char *name,
	  const char *behind, char *dst)
{
	char xx[3];

	dst[0] = '\0';
	if (folder < 0)
		return;
	folder_text(folder, xx);
	str_fmt(dst, SPOOL_PATH_SIZE, "%s/%s/%s%s%s", top, xx, before, name,
		behind);
}

void
spool_envelope_path(enum state s, const char *name, char *dst)
{
	make_path(state_name(s), folder_of(name), "", name, "", dst);
}

void
spool_envelope_tmp(enum state s, const char *name, char *dst)
{
	make_path(state_name(s), folder_of(name), ".", name, ".tmp", dst);
}

void
spool_body_path(const char *body, char *dst)
{
	make_path("body", folder_of_body(body), "", body, "", dst);
}

static int
open_folder(int dir, const char *name, const char *top, struct err *e)
{
	int fd = file_open(dir, name, O_RDONLY | O_DIRECTORY, 0);

	if (fd < 0)
		err_sys(e, "spool folder %s%s%s", top, top[0] ? "/" : "", name);
	return fd;
}

static int
make_folder(int dir, const char *name, const char *top, struct err *e)
{
	if (mkdirat(dir, name, 0700) != 0 && errno != EEXIST)
		return err_sys(e, "spool folder %s%s%s", top, top[0] ? "/" : "",
			       name);
	return 0;
}

/* A top folder and its 64; the entry of the top folder is the caller's to
 * sync. */
static int
make_hashed(int spool_fd, const char *top, struct err *e)
{
	int fd, i, result = 0;
	char xx[3];

	if (make_folder(spool_fd, top, "", e) != 0)
		return -1;
	fd = open_folder(spool_fd, top, "", e);
	if (fd < 0)
		return -1;
	for (i = 0; i < SPOOL_FOLDERS && result == 0; i++) {
		folder_text(i, xx);
		result = make_folder(fd, xx, top, e);
	}
	if (result == 0 && fsync(fd) != 0)
		result = err_sys(e, "spool folder %s: sync", top);
	file_shut(&fd);
	return result;
}

int
spool_make_folders(int spool_fd, struct err *e)
{
	int i;

	if (make_hashed(spool_fd, "body", e) != 0)
		return -1;
	for (i = 0; i < STATE_COUNT; i++) {
		if (make_hashed(spool_fd, state_name((enum state)i), e) != 0)
			return -1;
	}
	if (make_folder(spool_fd, "ledger", "", e) != 0)
		return -1;
	if (fsync(spool_fd) != 0)
		return err_sys(e, "spool: sync");
	return 0;
}

/* All of it, from offset at; -1 with e. */
static int
read_part(int fd, char *dst, size_t len, uint64_t at, struct err *e)
{
	size_t got = 0;
	ssize_t n;

	while (got < len) {
		n = pread(fd, dst + got, len - got, (off_t)(at + got));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "read");
		if (n == 0)
			return err_set(e, "it became shorter");
		got += (size_t)n;
	}
	return 0;
}

/* What a trailer says must be what the file is. */
static enum envelope_result
check_trailer(const struct envelope *env, uint64_t size, uint64_t trailer,
	      struct err *e)
{
	if (env->generation == 1 && env->trailer == 0 &&
	    str_eq(env->name, env->body) && env->size == size - trailer)
		return ENVELOPE_OK;
	err_set(e, "its trailer is of another body");
	return ENVELOPE_BAD;
}

/* The text of the trailer; what is in tail already is not read again. */
static int
read_text(const struct sealed *s, size_t want, struct span tail, char *dst,
	  struct err *e)
{
	if (want > tail.len)
		return read_part(s->fd, dst, s->trailer.text_len,
				 s->size - want, e);
	memcpy(dst, tail.p + tail.len - want, s->trailer.text_len);
	return 0;
}

/* NONE: s->result and env are not set. */
static enum trailer_result
read_sealed(struct sealed *s, struct span tail, struct arena *a,
	    struct envelope *env, struct err *e)
{
	enum trailer_result found = trailer_find(tail, &s->trailer);
	size_t want;
	char *p;

	if (found == TRAILER_NEWER)
		err_set(e, "written by a newer mcgate: its trailer is not "
			   "known");
	if (found != TRAILER_OK)
		return found;
	s->result = ENVELOPE_BAD;
	want = (size_t)s->trailer.text_len + TRAILER_END_SIZE;
	if (want > s->size || s->trailer.text_len > ENVELOPE_MAX) {
		err_set(e, "its trailer is larger than it is");
		return TRAILER_OK;
	}
	p = arena_alloc(a, s->trailer.text_len + 1);
	s->text = (struct span){ p, s->trailer.text_len };
	if (read_text(s, want, tail, p, e) != 0) {
		s->result = ENVELOPE_LATER;
		return TRAILER_OK;
	}
	s->result = envelope_read(s->text, a, env, e);
	if (s->result == ENVELOPE_OK)
		s->result = check_trailer(env, s->size, want, e);
	env->trailer = want;
	return TRAILER_OK;
}

static int
read_tail(const struct sealed *s, char dst[TAIL_SIZE], struct span *tail,
	  struct err *e)
{
	size_t len = s->size < TAIL_SIZE ? (size_t)s->size : TAIL_SIZE;

	*tail = (struct span){ dst, len };
	return read_part(s->fd, dst, len, s->size - len, e);
}

enum trailer_result
spool_read_sealed(struct sealed *s, struct arena *a, struct envelope *env,
		  struct err *e)
{
	char tail_text[TAIL_SIZE];
	struct span tail;

	envelope_init(env);
	s->result = ENVELOPE_LATER;
	if (read_tail(s, tail_text, &tail, e) != 0)
		return TRAILER_OK;
	return read_sealed(s, tail, a, env, e);
}

/* An envelope in a file of its own, or in that of its body. */
static enum envelope_result
read_any(int fd, uint64_t size, struct arena *a, struct envelope *env,
	 struct err *e)
{
	struct sealed s = { .fd = fd, .size = size };
	enum envelope_result result;
	struct buf text = { .limit = 0 };
	char tail_text[TAIL_SIZE];
	struct span tail;

	if (read_tail(&s, tail_text, &tail, e) != 0)
		return ENVELOPE_LATER;
	switch (read_sealed(&s, tail, a, env, e)) {
	case TRAILER_OK:
		return s.result;
	case TRAILER_NEWER:
		return ENVELOPE_NEWER;
	case TRAILER_NONE:
		break;
	}
	if (tail.len == size)
		return envelope_read(tail, a, env, e);
	if (size > ENVELOPE_MAX) {
		err_set(e, "larger than %d bytes", ENVELOPE_MAX);
		return ENVELOPE_BAD;
	}
	result = ENVELOPE_LATER;
	if (file_read_fd(fd, &text, ENVELOPE_MAX, e) == 0)
		result = envelope_read(buf_span(&text), a, env, e);
	buf_release(&text);
	return result;
}

enum envelope_result
spool_read_envelope(int spool_fd, enum state s, const char *name,
		    struct arena *a, struct envelope *env, struct err *e)
{
	enum envelope_result result = ENVELOPE_LATER;
	char path[SPOOL_PATH_SIZE];
	struct stat st;
	int fd;

	envelope_init(env);
	spool_envelope_path(s, name, path);
	fd = file_open(spool_fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	if (fd < 0 && errno == ENOENT) {
		err_set(e, "%s", "");
		return ENVELOPE_BAD;
	}
	if (fd < 0 || fstat(fd, &st) != 0) {
		result = fd < 0 && errno == ELOOP ? ENVELOPE_BAD : result;
		err_sys(e, "%s", path);
	} else if (!S_ISREG(st.st_mode)) {
		result = ENVELOPE_BAD;
		err_set(e, "%s: not a file", path);
	} else {
		result = read_any(fd, (uint64_t)st.st_size, a, env, e);
		if (result != ENVELOPE_OK)
			err_prefix(e, "%s", path);
	}
	file_shut(&fd);
	if (result == ENVELOPE_OK && !str_eq(env->name, name)) {
		err_set(e, "%s: is the envelope of %s", path, env->name);
		result = ENVELOPE_BAD;
	}
	return result;
}

/* Names of one folder, taken before any is handled. */
struct names {
	struct arena arena;
	char **list;
	size_t count, cap;
};

static void
names_add(struct names *n, const char *name)
{
	if (n->count == n->cap) {
		n->cap = n->cap ? n->cap * 2 : 256;
		n->list = xreallocarray(n->list, n->cap, sizeof(*n->list));
	}
	n->list[n->count++] = arena_strdup(&n->arena, name);
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int
read_folder(int dir, const char *xx, const char *top, struct names *n,
	    struct err *e)
{
	int fd = open_folder(dir, xx, top, e), failed;
	struct dirent *d;
	DIR *folder;

	if (fd < 0)
		return -1;
	folder = fdopendir(fd);
	if (folder == NULL) {
		file_shut(&fd);
		return err_sys(e, "spool folder %s/%s", top, xx);
	}
	while (errno = 0, (d = readdir(folder)) != NULL) {
		if (!str_eq(d->d_name, ".") && !str_eq(d->d_name, ".."))
			names_add(n, d->d_name);
	}
	failed = errno;
	closedir(folder);
	if (failed != 0) {
		errno = failed;
		return err_sys(e, "spool folder %s/%s", top, xx);
	}
	if (n->count > 0)
		qsort(n->list, n->count, sizeof(*n->list), compare_names);
	return 0;
}

/* What a walk does with a file; exactly one of the functions is set. */
struct walk {
	const char *top;
	enum state state;
	spool_scan_fn *fn;
	spool_body_fn *body_fn;
	void *arg;
};

static int
visit(const struct walk *w, int folder, const char *xx, const char *name)
{
	int own = w->fn ? folder_of(name) : folder_of_body(name);
	char stray[8 + 256];
	bool is_stray = own != folder;

	if (is_stray) {
		str_fmt(stray, sizeof(stray), "%s/%s", xx, name);
		name = stray;
	}
	if (w->fn)
		return w->fn(w->arg, w->state, name, is_stray);
	return w->body_fn(w->arg, name, is_stray);
}

static int
walk_folder(const struct walk *w, int dir, int folder, struct err *e)
{
	struct names names = { .count = 0 };
	int result;
	char xx[3];
	size_t i;

	folder_text(folder, xx);
	result = read_folder(dir, xx, w->top, &names, e);
	for (i = 0; i < names.count && result == 0; i++)
		result = visit(w, folder, xx, names.list[i]);
	arena_release(&names.arena);
	free(names.list);
	return result;
}

static int
walk(const struct walk *w, int spool_fd, struct err *e)
{
	int dir = open_folder(spool_fd, w->top, "", e);
	int i, result = 0;

	if (dir < 0)
		return -1;
	for (i = 0; i < SPOOL_FOLDERS && result == 0; i++)
		result = walk_folder(w, dir, i, e);
	file_shut(&dir);
	return result;
}

int
spool_scan(int spool_fd, enum state s, spool_scan_fn *fn, void *arg,
	   struct err *e)
{
	struct walk w = {
		.top = state_name(s), .state = s, .fn = fn, .arg = arg
	};

	return walk(&w, spool_fd, e);
}

int
spool_scan_bodies(int spool_fd, spool_body_fn *fn, void *arg, struct err *e)
{
	struct walk w = { .top = "body", .body_fn = fn, .arg = arg };

	return walk(&w, spool_fd, e);
}
