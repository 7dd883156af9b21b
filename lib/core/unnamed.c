/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Bodies first, then the ledger once for all that were found.
 */
#include "unnamed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "ledger.h"
#include "spool.h"
#include "spool_key.h"
#include "str.h"
#include "xalloc.h"

#define PIECE 65536

struct found {
	char id[ENVELOPE_ID_LEN + 1];
	size_t count; /* recipients */
	bool *is_done; /* each, by the ledger */
	struct arena arena;
	struct envelope env;
};

struct search {
	int spool_fd;
	const struct dict *ids;
	struct trailer_key key;
	struct dict found; /* of struct found, by ID */
	const char *oldest; /* ID */
};

int
unnamed_has_sum(int fd, uint64_t size, uint32_t sum)
{
	char *piece = xmalloc(PIECE);
	uint64_t at = 0;
	uint32_t crc = 0;
	ssize_t n = 1;

	while (at < size && n > 0) {
		size_t part = size - at < PIECE ? (size_t)(size - at) : PIECE;

		n = pread(fd, piece, part, (off_t)at);
		if (n < 0 && errno == EINTR) {
			n = 1;
			continue;
		}
		if (n > 0)
			crc = crc32_update(crc, piece, (size_t)n);
		at += n > 0 ? (uint64_t)n : 0;
	}
	free(piece);
	return n < 0 ? -1 : at == size && crc == sum;
}

static bool
read_found(const struct search *s, int fd, struct found *f)
{
	struct sealed sealed = { .fd = fd };
	struct stat st;
	struct err e;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return false;
	sealed.size = (uint64_t)st.st_size;
	return spool_read_sealed(&sealed, &f->arena, &f->env, &e) ==
		       TRAILER_OK &&
	       sealed.result == ENVELOPE_OK && str_eq(f->env.name, f->id) &&
	       trailer_is_sealed(&s->key, sealed.text, &sealed.trailer) &&
	       unnamed_has_sum(fd, f->env.size, sealed.trailer.body_crc) == 1;
}

static void
found_free(void *value)
{
	struct found *f = value;

	arena_release(&f->arena);
	free(f->is_done);
	free(f);
}

static int
on_body(void *arg, const char *body, int is_stray)
{
	char path[SPOOL_PATH_SIZE];
	struct search *s = arg;
	struct found *f;
	int fd;

	if (is_stray || !envelope_name_valid(body, false) ||
	    dict_get(s->ids, body) != NULL)
		return 0;
	spool_body_path(body, path);
	fd = file_open(s->spool_fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK,
		       0);
	if (fd < 0)
		return 0;
	f = xcalloc(1, sizeof(*f));
	str_copy(f->id, sizeof(f->id), body);
	if (read_found(s, fd, f)) {
		f->count = f->env.rcpt_count;
		f->is_done = xcalloc(f->count + 1, sizeof(*f->is_done));
		(void)dict_set(&s->found, f->id, f);
		if (s->oldest == NULL || strcmp(f->id, s->oldest) < 0)
			s->oldest = f->id;
	} else {
		found_free(f);
	}
	file_shut(&fd);
	return 0;
}

/* A recipient that stands twice is done once for each result. */
static int
on_event(void *arg, const struct ledger_event *ev)
{
	char id[ENVELOPE_ID_LEN + 1];
	struct search *s = arg;
	struct found *f;

	if (ev->verb != LEDGER_DELIVERED && ev->verb != LEDGER_BOUNCED &&
	    ev->verb != LEDGER_DISCARDED && ev->verb != LEDGER_DELETED)
		return 0;
	str_copy(id, sizeof(id), ev->name);
	f = dict_get(&s->found, id);
	for (size_t i = 0; f != NULL && i < f->count; i++) {
		if (f->is_done[i] || !str_eq(f->env.rcpts[i].address, ev->rcpt))
			continue;
		f->is_done[i] = true;
		return 0;
	}
	return 0;
}

static int
read_ledger(struct search *s, struct err *e)
{
	char from[LEDGER_NAME_SIZE] = "";
	struct id_parts parts;
	int result, fd = file_open(s->spool_fd, "ledger",
				   O_RDONLY | O_DIRECTORY, 0);

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "ledger");
	if (id_parse(s->oldest, &parts) == 0)
		ledger_file(parts.wall_us, from);
	result = ledger_each(fd, from, on_event, NULL, s, e);
	file_shut(&fd);
	return result;
}

static int
give(struct found *f, unnamed_fn *fn, void *arg)
{
	size_t kept = 0;

	for (size_t i = 0; i < f->count; i++)
		if (!f->is_done[i])
			f->env.rcpts[kept++] = f->env.rcpts[i];
	f->env.rcpt_count = kept;
	return kept > 0 ? fn(arg, &f->env) : 0;
}

int
unnamed_each(int spool_fd, const struct dict *ids, unnamed_fn *fn, void *arg,
	     struct err *e)
{
	struct search s = { .spool_fd = spool_fd, .ids = ids };
	int result = spool_key_read(spool_fd, &s.key, e);
	const char *id;
	size_t it = 0;
	void *value;

	if (result != 0) /* without a key nothing was ever sealed */
		return result > 0 ? 0 : -1;
	result = spool_scan_bodies(spool_fd, on_body, &s, e);
	if (result == 0 && s.oldest != NULL)
		result = read_ledger(&s, e);
	while (result == 0 && dict_next(&s.found, &it, &id, &value))
		result = give(value, fn, arg);
	dict_release(&s.found, found_free);
	return result;
}
