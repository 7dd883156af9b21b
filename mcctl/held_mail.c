/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Quarantine read from the spool.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "clock.h"
#include "file.h"
#include "mime_word.h"
#include "offline.h"
#include "held_mail.h"
#include "spool.h"
#include "str.h"
#include "xalloc.h"

/* Names. */

struct names {
	char (*name)[ENVELOPE_NAME_SIZE];
	size_t count, room;
	const char *id; /* NULL: all */
};

static int
take_name(void *arg, enum state s, const char *name, int is_stray)
{
	struct names *n = arg;
	size_t len = n->id != NULL ? strlen(n->id) : 0;

	(void)s;
	if (is_stray || strncmp(name, n->id != NULL ? n->id : "", len) != 0 ||
	    (len > 0 && name[len] != '\0' && name[len] != '.'))
		return 0;
	if (n->count == n->room) {
		n->room = n->room > 0 ? n->room * 2 : 256;
		n->name = xreallocarray(n->name, n->room, sizeof(*n->name));
	}
	(void)str_copy(n->name[n->count++], ENVELOPE_NAME_SIZE, name);
	return 0;
}

static int
newest_first(const void *a, const void *b)
{
	return strcmp(b, a);
}

static int
read_names(struct ctx *c, int fd, const char *id, struct names *out)
{
	struct err e;

	*out = (struct names){ .id = id };
	if (spool_scan(fd, STATE_QUARANTINE, take_name, out, &e) < 0)
		return complain(c, errno == EACCES ? EX_NOPERM : EX_IOERR, "%s",
				e.text);
	if (out->count > 0)
		qsort(out->name, out->count, sizeof(*out->name), newest_first);
	return EX_OK;
}

/* Rows. */

struct walk {
	int fd;
	const struct quar_filter *filter;
	held_row_fn *fn;
	void *arg;
	struct arena arena;
	struct buf rcpts, subject;
};

static int
walk_one(struct walk *w, const char *name)
{
	struct envelope env;
	struct quar_row r;
	struct err e;

	arena_clear(&w->arena);
	if (spool_read_envelope(w->fd, STATE_QUARANTINE, name, &w->arena, &env,
				&e) != ENVELOPE_OK)
		return 0;
	quar_row_of(&env, &w->rcpts, &r);
	buf_clear(&w->subject);
	(void)mime_words(span_of(r.subject), &w->subject);
	r.subject = buf_str(&w->subject);
	if (w->filter != NULL &&
	    !quar_filter_matches(w->filter, &r, clock_wall_us()))
		return 0;
	return w->fn(w->arg, &r);
}

int
held_rows(struct ctx *c, const struct quar_filter *filter, const char *id,
	  held_row_fn *fn, void *arg)
{
	struct walk w = { .filter = filter, .fn = fn, .arg = arg };
	struct names n = { 0 };
	int code = offline_spool(c, &w.fd);
	size_t i;

	if (code == EX_OK)
		code = read_names(c, w.fd, id, &n);
	for (i = 0; code == EX_OK && i < n.count; i++)
		if (walk_one(&w, n.name[i]) != 0)
			break;
	free(n.name);
	buf_release(&w.rcpts);
	buf_release(&w.subject);
	arena_release(&w.arena);
	file_shut(&w.fd);
	return code;
}

/* Mail. */

static int
map_body(struct ctx *c, int spool_fd, struct held_mail *out)
{
	char path[SPOOL_PATH_SIZE];
	struct stat st;
	void *p;
	int fd;

	spool_body_path(out->env.body, path);
	fd = file_open(spool_fd, path, O_RDONLY, 0);
	if (fd < 0 || fstat(fd, &st) != 0 ||
	    (uint64_t)st.st_size < out->env.size || out->env.size == 0) {
		complain(c, EX_IOERR, "%s: its mail cannot be read: %s",
			 out->env.name,
			 fd < 0 ? strerror(errno) : "it is not of its size");
		file_shut(&fd);
		return EX_IOERR;
	}
	p = mmap(NULL, (size_t)out->env.size, PROT_READ, MAP_PRIVATE, fd, 0);
	file_shut(&fd);
	if (p == MAP_FAILED)
		return complain(c, EX_OSERR, "%s: its mail cannot be mapped",
				out->env.name);
	out->raw = (struct span){ p, (size_t)out->env.size };
	return EX_OK;
}

int
held_mail_open(struct ctx *c, int spool_fd, const char *name,
	       struct held_mail *out)
{
	struct names n = { 0 };
	struct err e = { "" };
	int code;

	memset(out, 0, sizeof(*out));
	if (!envelope_name_valid(name, true))
		return complain(c, EX_DATAERR, "\"%.60s\" is not a queue id",
				name);
	code = read_names(c, spool_fd, name, &n);
	if (code == EX_OK && n.count == 0)
		code = complain(c, EX_DATAERR, "%s: not in quarantine", name);
	if (code == EX_OK &&
	    spool_read_envelope(spool_fd, STATE_QUARANTINE, n.name[0],
				&out->arena, &out->env, &e) != ENVELOPE_OK)
		code = complain(c, EX_IOERR, "%s: %s", name,
				e.text[0] != '\0' ? e.text : "has just gone");
	if (code == EX_OK)
		code = map_body(c, spool_fd, out);
	free(n.name);
	if (code != EX_OK)
		held_mail_close(out);
	return code;
}

void
held_mail_close(struct held_mail *m)
{
	if (m->raw.p != NULL)
		munmap((void *)(uintptr_t)m->raw.p, m->raw.len);
	m->raw = (struct span){ NULL, 0 };
	arena_release(&m->arena);
}
