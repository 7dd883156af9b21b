/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The account.  Order matters beside a running mcd: the ledger is read
 * first, then the spool, then what the ledger has gained; what is still
 * open then is looked for again before it is called lost.
 */
#include "audit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dict.h"
#include "file.h"
#include "ledger.h"
#include "spool.h"
#include "str.h"
#include "xalloc.h"

#define LOOKS 3
#define LOOK_WAIT_MS 400
#define FILES_MAX 200000

enum { SEEN_ACCEPTED = 1, SEEN_OWN = 2, SEEN_SPOOL = 4, SEEN_LOST = 8 };

/* What is known of one (ID, recipient). */
struct entry {
	uint64_t key; /* 0: free */
	uint8_t seen;
	uint8_t verb; /* the first that finished it + 1, 0: none */
	uint8_t state; /* enum state, with SEEN_SPOOL */
	uint8_t ends; /* how often it was finished, at most 255 */
};

struct run {
	struct audit *out;
	struct entry *table;
	size_t cap, count;
	int spool_fd, ledger_fd;
	char file[LEDGER_NAME_SIZE]; /* where reading stopped */
	uint64_t offset;
	struct arena arena;
	/* naming what is lost */
	audit_lost_fn *lost;
	void *arg;
	bool is_again; /* lines seen before, read to find names */
};

static uint64_t
key_of(const char *name, const char *rcpt)
{
	char text[ENVELOPE_ID_LEN + 1 + 512];
	uint64_t key;

	str_fmt(text, sizeof(text), "%.*s %s", ENVELOPE_ID_LEN, name, rcpt);
	key = hash_bytes(text, strlen(text));
	return key != 0 ? key : 1;
}

static struct entry *
slot_of(struct entry *table, size_t cap, uint64_t key)
{
	size_t i = key & (cap - 1);

	while (table[i].key != 0 && table[i].key != key)
		i = (i + 1) & (cap - 1);
	return &table[i];
}

static void
grow(struct run *r)
{
	size_t cap = r->cap == 0 ? 4096 : r->cap * 2;
	struct entry *table = xcalloc(cap, sizeof(*table));

	for (size_t i = 0; i < r->cap; i++)
		if (r->table[i].key != 0)
			*slot_of(table, cap, r->table[i].key) = r->table[i];
	free(r->table);
	r->table = table;
	r->cap = cap;
}

static struct entry *
entry_of(struct run *r, uint64_t key)
{
	struct entry *en;

	if (r->count * 2 >= r->cap)
		grow(r);
	en = slot_of(r->table, r->cap, key);
	if (en->key == 0) {
		en->key = key;
		r->count++;
	}
	return en;
}

static bool
is_final(enum ledger_verb v)
{
	return v == LEDGER_DELIVERED || v == LEDGER_BOUNCED ||
	       v == LEDGER_DISCARDED || v == LEDGER_DELETED;
}

static int
on_event(void *arg, const struct ledger_event *ev)
{
	struct run *r = arg;
	struct entry *en = entry_of(r, key_of(ev->name, ev->rcpt));

	if (r->is_again) {
		if (ev->verb == LEDGER_ACCEPTED &&
		    (en->seen & SEEN_LOST) != 0) {
			en->seen &= (uint8_t)~SEEN_LOST;
			r->lost(r->arg, ev->name, ev->rcpt, ev->at_us);
		}
		return 0;
	}
	if (ev->verb == LEDGER_ACCEPTED) {
		en->seen |= SEEN_ACCEPTED;
		if (str_eq(ev->source, "own"))
			en->seen |= SEEN_OWN;
	}
	if (is_final(ev->verb)) {
		if (en->verb == 0)
			en->verb = (uint8_t)(ev->verb + 1);
		if (en->ends < UINT8_MAX)
			en->ends++;
	}
	return 0;
}

static void
on_bad(void *arg, const char *file, uint64_t line, const char *why)
{
	struct run *r = arg;

	(void)file, (void)line, (void)why;
	if (!r->is_again)
		r->out->damaged_lines++;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names of the ledger's files from `from` on, sorted; freed by caller. */
static int
ledger_files(struct run *r, const char *from, char ***names, size_t *count,
	     struct err *e)
{
	int fd = file_open(r->ledger_fd, ".", O_RDONLY | O_DIRECTORY, 0);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *d;

	*names = NULL;
	*count = 0;
	if (dir == NULL) {
		file_shut(&fd);
		return err_sys(e, "ledger");
	}
	while ((d = readdir(dir)) != NULL && *count < FILES_MAX) {
		if (!ledger_file_valid(d->d_name) ||
		    strcmp(d->d_name, from) < 0)
			continue;
		*names = xreallocarray(*names, *count + 1, sizeof(**names));
		(*names)[(*count)++] = xstrdup(d->d_name);
	}
	closedir(dir);
	if (*count > 0)
		qsort(*names, *count, sizeof(**names), by_name);
	return 0;
}

static int
read_file(struct run *r, const char *name, struct err *e)
{
	int fd = file_open(r->ledger_fd, name, O_RDONLY, 0);
	int result;

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "ledger/%s", name);
	if (!str_eq(r->file, name)) {
		str_copy(r->file, sizeof(r->file), name);
		r->offset = 0;
	}
	result = ledger_each_line(fd, name, &r->offset, 0, on_event, on_bad, r,
				  e);
	file_shut(&fd);
	return result;
}

/* Reads on from where it stopped. */
static int
read_ledger(struct run *r, struct err *e)
{
	char **names;
	size_t n;
	int result = ledger_files(r, r->file, &names, &n, e);

	for (size_t i = 0; i < n; i++) {
		if (result == 0)
			result = read_file(r, names[i], e);
		free(names[i]);
	}
	free(names);
	return result;
}

static int
on_envelope(void *arg, enum state s, const char *name, int is_stray)
{
	struct run *r = arg;
	struct envelope env;
	struct err e;

	if (is_stray)
		return 0;
	arena_clear(&r->arena);
	if (spool_read_envelope(r->spool_fd, s, name, &r->arena, &env, &e) !=
	    ENVELOPE_OK) {
		r->out->damaged_envelopes += s == STATE_CORRUPT;
		return 0;
	}
	for (size_t i = 0; i < env.rcpt_count; i++) {
		struct entry *en =
			entry_of(r, key_of(name, env.rcpts[i].address));

		en->seen |= SEEN_SPOOL;
		if (env.source == SOURCE_OWN)
			en->seen |= SEEN_OWN;
		en->state = (uint8_t)s;
	}
	return 0;
}

static int
read_spool(struct run *r, struct err *e)
{
	r->out->damaged_envelopes = 0;
	for (int s = 0; s < STATE_COUNT; s++)
		if (spool_scan(r->spool_fd, (enum state)s, on_envelope, r, e) <
		    0)
			return -1;
	return 0;
}

static bool
is_open(const struct entry *en)
{
	return en->key != 0 && en->verb == 0 && (en->seen & SEEN_SPOOL) == 0;
}

static size_t
count_open(const struct run *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->cap; i++)
		n += is_open(&r->table[i]);
	return n;
}

static void
count_state(struct audit *a, enum state s)
{
	switch (s) {
	case STATE_HOLD:
		a->held++;
		break;
	case STATE_QUARANTINE:
		a->quarantined++;
		break;
	case STATE_CORRUPT:
		a->parked++;
		break;
	default:
		a->queued++;
	}
}

static void
count_verb(struct audit *a, enum ledger_verb v)
{
	switch (v) {
	case LEDGER_DELIVERED:
		a->delivered++;
		break;
	case LEDGER_BOUNCED:
		a->bounced++;
		break;
	case LEDGER_DISCARDED:
		a->discarded++;
		break;
	default:
		a->deleted++;
	}
}

static void
sum_up(struct run *r)
{
	struct audit *a = r->out;

	for (size_t i = 0; i < r->cap; i++) {
		struct entry *en = &r->table[i];

		if (en->key == 0)
			continue;
		a->accepted++;
		a->own += (en->seen & SEEN_OWN) != 0;
		if ((en->seen & SEEN_ACCEPTED) == 0) {
			if (en->verb != 0)
				a->older++;
			else
				a->unrecorded++;
		}
		if (en->ends > 1)
			a->duplicates += en->ends - 1;
		if (en->verb != 0) {
			count_verb(a, (enum ledger_verb)(en->verb - 1));
		} else if ((en->seen & SEEN_SPOOL) != 0) {
			count_state(a, (enum state)en->state);
		} else {
			a->lost++;
			en->seen |= SEEN_LOST;
		}
	}
}

/* Reads the ledger once more to put names to what is lost. */
static int
name_lost(struct run *r, struct err *e)
{
	if (r->out->lost == 0 || r->lost == NULL)
		return 0;
	r->is_again = true;
	r->file[0] = '\0';
	return read_ledger(r, e);
}

static int
run_looks(struct run *r, struct err *e)
{
	for (int look = 0; look < LOOKS; look++) {
		if (look > 0)
			poll(NULL, 0, LOOK_WAIT_MS);
		if (read_ledger(r, e) < 0 || read_spool(r, e) < 0 ||
		    read_ledger(r, e) < 0)
			return -1;
		if (count_open(r) == 0)
			break;
	}
	sum_up(r);
	return name_lost(r, e);
}

int
audit_run(int spool_fd, struct audit *out, audit_lost_fn *lost, void *arg,
	  struct err *e)
{
	struct run r = {
		.out = out, .spool_fd = spool_fd, .lost = lost, .arg = arg
	};
	int result;

	memset(out, 0, sizeof(*out));
	grow(&r);
	r.ledger_fd = file_open(spool_fd, "ledger", O_RDONLY | O_DIRECTORY, 0);
	if (r.ledger_fd < 0) {
		free(r.table);
		return err_sys(e, "ledger");
	}
	result = run_looks(&r, e);
	file_shut(&r.ledger_fd);
	arena_release(&r.arena);
	free(r.table);
	return result;
}
