/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The account.  Order matters beside a running mcd: the ledger is read
 * first, then the spool, then what the ledger has gained; what is still
 * open then is looked for again before it is called lost.  What comes in
 * after the first look is no part of it: it could not be seen whole.
 */
#include "audit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dict.h"
#include "file.h"
#include "ledger.h"
#include "spool.h"
#include "str.h"
#include "unnamed.h"
#include "xalloc.h"

#define LOOKS 3
#define LOOK_WAIT_MS 400
#define NO_BODY "its body is missing, or not of its size"

enum {
	SEEN_ACCEPTED = 1, /* in the ledger */
	SEEN_OWN = 2, /* as one of our notifications */
	SEEN_SPOOL = 4,
	SEEN_NO_BODY = 8, /* an envelope without its body */
	SEEN_LOST = 16, /* to be named */
	SEEN_WHOLE_ID = 32 /* not a recipient: what holds for all of an ID */
};

/* What is known of one (ID, recipient). */
struct entry {
	uint64_t key; /* 0: free */
	uint64_t id; /* key of what holds for the whole ID */
	uint8_t seen;
	uint8_t verb; /* the first that finished it + 1, 0: none */
	uint8_t state; /* enum state, with SEEN_SPOOL */
	uint8_t ends; /* how often it was finished, at most 255 */
};

/* How far a file of the ledger has been read. */
struct place {
	char file[LEDGER_NAME_SIZE];
	uint64_t offset;
};

struct run {
	struct audit *out;
	struct entry *table;
	size_t cap, count;
	bool is_closed; /* no further recipients come into the account */
	int spool_fd, ledger_fd;
	struct place *places;
	size_t place_count;
	struct arena arena;
	bool is_stopped;
	struct dict ids; /* those that have an envelope, if is_stopped */
	/* naming what is lost */
	audit_lost_fn *lost;
	void *arg;
	bool is_naming;
};

static uint64_t
hash_text(const char *text)
{
	uint64_t key = hash_bytes(text, strlen(text));

	return key != 0 ? key : 1;
}

/* Children count under the ID they come from. */
static uint64_t
id_key(const char *name)
{
	char text[ENVELOPE_ID_LEN + 1];

	str_copy(text, sizeof(text), name);
	return hash_text(text);
}

static uint64_t
rcpt_key(const char *name, const char *rcpt)
{
	char text[ENVELOPE_ID_LEN + 1 + 512];

	str_fmt(text, sizeof(text), "%.*s %s", ENVELOPE_ID_LEN, name, rcpt);
	return hash_text(text);
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
find(const struct run *r, uint64_t key)
{
	struct entry *en = slot_of(r->table, r->cap, key);

	return en->key != 0 ? en : NULL;
}

static struct entry *
add(struct run *r, uint64_t key)
{
	struct entry *en;

	if (r->count * 4 >= r->cap * 3)
		grow(r);
	en = slot_of(r->table, r->cap, key);
	if (en->key == 0) {
		en->key = key;
		r->count++;
	}
	return en;
}

/* NULL: came in after the account was closed. */
static struct entry *
entry_of(struct run *r, const char *name, const char *rcpt)
{
	uint64_t key = rcpt_key(name, rcpt);
	struct entry *en = r->is_closed ? find(r, key) : add(r, key);

	if (en != NULL)
		en->id = id_key(name);
	return en;
}

/* What holds for all recipients of an ID, as they cannot be told apart. */
static struct entry *
whole_id(struct run *r, const char *name)
{
	struct entry *en = add(r, id_key(name));

	en->seen |= SEEN_WHOLE_ID;
	return en;
}

/* Where its fate is written: itself, or its whole ID; NULL when nowhere. */
static const struct entry *
fate_of(const struct run *r, const struct entry *en)
{
	const struct entry *id;

	if (en->verb != 0 || (en->seen & SEEN_SPOOL) != 0)
		return en;
	id = find(r, en->id);
	if (id != NULL && (id->verb != 0 || (id->seen & SEEN_SPOOL) != 0))
		return id;
	return NULL;
}

static bool
is_rcpt(const struct entry *en)
{
	return en->key != 0 && (en->seen & SEEN_WHOLE_ID) == 0;
}

static bool
is_final(enum ledger_verb v)
{
	return v == LEDGER_DELIVERED || v == LEDGER_BOUNCED ||
	       v == LEDGER_DISCARDED || v == LEDGER_DELETED;
}

static void
name_one(struct run *r, const char *name, const char *rcpt, int64_t seen_us)
{
	struct entry *en = find(r, rcpt_key(name, rcpt));
	struct audit_lost l = {
		.name = name, .rcpt = rcpt, .why = "", .seen_us = seen_us
	};

	if (en == NULL || (en->seen & SEEN_LOST) == 0)
		return;
	en->seen &= (uint8_t)~SEEN_LOST;
	if ((en->seen & SEEN_NO_BODY) != 0)
		l.why = NO_BODY;
	r->lost(r->arg, &l);
}

static int
on_event(void *arg, const struct ledger_event *ev)
{
	struct run *r = arg;
	struct entry *en;

	if (r->is_naming) {
		name_one(r, ev->name, ev->rcpt, ev->at_us);
		return 0;
	}
	if (ev->rcpt[0] == '\0') {
		/* Of one that was damaged: nobody knows its recipients. */
		if (is_final(ev->verb))
			whole_id(r, ev->name)->verb = (uint8_t)(ev->verb + 1);
		return 0;
	}
	en = entry_of(r, ev->name, ev->rcpt);
	if (en == NULL)
		return 0;
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
	if (!r->is_naming)
		r->out->damaged_lines++;
}

static struct place *
place_of(struct run *r, const char *file)
{
	struct place *p;

	for (size_t i = r->place_count; i > 0; i--)
		if (str_eq(r->places[i - 1].file, file))
			return &r->places[i - 1];
	r->places = xreallocarray(r->places, r->place_count + 1,
				  sizeof(*r->places));
	p = &r->places[r->place_count++];
	str_copy(p->file, sizeof(p->file), file);
	p->offset = 0;
	return p;
}

/* Lists files that are not known yet. */
static int
find_files(struct run *r, struct err *e)
{
	int fd = file_open(r->ledger_fd, ".", O_RDONLY | O_DIRECTORY, 0);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *d;
	int failed;

	if (dir == NULL) {
		err_sys(e, "ledger folder");
		file_shut(&fd);
		return -1;
	}
	while (errno = 0, (d = readdir(dir)) != NULL)
		if (ledger_file_valid(d->d_name))
			(void)place_of(r, d->d_name);
	failed = errno;
	closedir(dir);
	errno = failed;
	return failed != 0 ? err_sys(e, "ledger folder") : 0;
}

static int
read_file(struct run *r, struct place *p, struct err *e)
{
	int fd = file_open(r->ledger_fd, p->file, O_RDONLY | O_NOFOLLOW, 0);
	int result;

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "ledger %s", p->file);
	result = ledger_each_line(fd, p->file, &p->offset, 0, on_event, on_bad,
				  r, e);
	file_shut(&fd);
	return result;
}

/* Reads on, in each file, from where it stopped. */
static int
read_ledger(struct run *r, struct err *e)
{
	if (find_files(r, e) < 0)
		return -1;
	for (size_t i = 0; i < r->place_count; i++)
		if (read_file(r, &r->places[i], e) != 0)
			return -1;
	return 0;
}

static bool
has_body(const struct run *r, const struct envelope *env)
{
	char path[SPOOL_PATH_SIZE];
	struct stat st;

	spool_body_path(env->body, path);
	if (fstatat(r->spool_fd, path, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno != ENOENT;
	return S_ISREG(st.st_mode) &&
	       (uint64_t)st.st_size == env->size + env->trailer;
}

static void
take_envelope(struct run *r, enum state s, const struct envelope *env)
{
	bool is_whole = s == STATE_CORRUPT || has_body(r, env);

	for (size_t i = 0; i < env->rcpt_count; i++) {
		struct entry *en =
			entry_of(r, env->name, env->rcpts[i].address);

		if (en == NULL)
			continue;
		en->seen |= is_whole ? SEEN_SPOOL : SEEN_NO_BODY;
		if (env->source == SOURCE_OWN)
			en->seen |= SEEN_OWN;
		en->state = (uint8_t)s;
	}
}

/* A file that is there and cannot be read: its recipients are with it. */
static void
take_damaged(struct run *r, enum state s, const char *name)
{
	struct entry *en = whole_id(r, name);

	en->seen |= SEEN_SPOOL;
	en->state = (uint8_t)s;
	r->out->damaged_envelopes++;
}

/* corrupt/XX/NAME~1: a second one of that name. */
static void
take_stray(struct run *r, enum state s, const char *path)
{
	const char *file = strrchr(path, '/');
	char name[ENVELOPE_ID_LEN + 1];

	file = file != NULL ? file + 1 : path;
	str_copy(name, sizeof(name), file);
	if (s == STATE_CORRUPT && envelope_name_valid(name, false))
		take_damaged(r, s, name);
}

/* Only whether it is there matters. */
static void
note_id(struct run *r, const char *name)
{
	char id[ENVELOPE_ID_LEN + 1];

	str_copy(id, sizeof(id), name);
	(void)dict_set(&r->ids, id, r);
}

static void
name_all(struct run *r, const struct envelope *env)
{
	for (size_t i = 0; i < env->rcpt_count; i++)
		name_one(r, env->name, env->rcpts[i].address, env->received_us);
}

/* A start puts it into incoming. */
static int
on_unnamed(void *arg, const struct envelope *env)
{
	struct run *r = arg;

	if (r->is_naming)
		name_all(r, env);
	else
		take_envelope(r, STATE_INCOMING, env);
	return 0;
}

static int
on_envelope(void *arg, enum state s, const char *name, int is_stray)
{
	struct run *r = arg;
	struct envelope env;
	struct err e = { "" };
	enum envelope_result got;

	if (is_stray) {
		if (!r->is_naming)
			take_stray(r, s, name);
		return 0;
	}
	if (r->is_stopped)
		note_id(r, name);
	arena_clear(&r->arena);
	got = spool_read_envelope(r->spool_fd, s, name, &r->arena, &env, &e);
	if (got == ENVELOPE_OK && r->is_naming)
		name_all(r, &env);
	else if (got == ENVELOPE_OK)
		take_envelope(r, s, &env);
	else if (!r->is_naming && (got != ENVELOPE_BAD || e.text[0] != '\0'))
		take_damaged(r, s, name);
	return 0;
}

static int
read_spool(struct run *r, struct err *e)
{
	if (!r->is_naming)
		r->out->damaged_envelopes = 0;
	for (int s = 0; s < STATE_COUNT; s++)
		if (spool_scan(r->spool_fd, (enum state)s, on_envelope, r, e) <
		    0)
			return -1;
	if (!r->is_stopped)
		return 0;
	return unnamed_each(r->spool_fd, &r->ids, on_unnamed, r, e);
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
count_entry(struct run *r, struct entry *en)
{
	const struct entry *fate = fate_of(r, en);
	struct audit *a = r->out;

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
	if (fate == NULL) {
		a->lost++;
		en->seen |= SEEN_LOST;
	} else if (fate == en && en->verb != 0) {
		count_verb(a, (enum ledger_verb)(en->verb - 1));
	} else if ((fate->seen & SEEN_SPOOL) != 0) {
		count_state(a, (enum state)fate->state);
	} else {
		count_verb(a, (enum ledger_verb)(fate->verb - 1));
	}
}

static bool
has_open(const struct run *r)
{
	for (size_t i = 0; i < r->cap; i++)
		if (is_rcpt(&r->table[i]) && fate_of(r, &r->table[i]) == NULL)
			return true;
	return false;
}

/* Reads all once more to put names to what is lost. */
static int
name_lost(struct run *r, struct err *e)
{
	if (r->out->lost == 0 || r->lost == NULL)
		return 0;
	r->is_naming = true;
	for (size_t i = 0; i < r->place_count; i++)
		r->places[i].offset = 0;
	return read_ledger(r, e) < 0 || read_spool(r, e) < 0 ? -1 : 0;
}

static int
run_looks(struct run *r, struct err *e)
{
	for (int look = 0; look < LOOKS; look++) {
		if (look > 0)
			poll(NULL, 0, LOOK_WAIT_MS);
		if (read_ledger(r, e) < 0 || read_spool(r, e) < 0)
			return -1;
		r->is_closed = true;
		if (read_ledger(r, e) < 0)
			return -1;
		if (!has_open(r))
			break;
	}
	for (size_t i = 0; i < r->cap; i++)
		if (is_rcpt(&r->table[i]))
			count_entry(r, &r->table[i]);
	return name_lost(r, e);
}

int
audit_run(int spool_fd, bool is_stopped, struct audit *out, audit_lost_fn *lost,
	  void *arg, struct err *e)
{
	struct run r = { .out = out,
			 .spool_fd = spool_fd,
			 .is_stopped = is_stopped,
			 .lost = lost,
			 .arg = arg };
	int result;

	memset(out, 0, sizeof(*out));
	r.ledger_fd = file_open(spool_fd, "ledger", O_RDONLY | O_DIRECTORY, 0);
	if (r.ledger_fd < 0)
		return err_sys(e, "ledger");
	grow(&r);
	result = run_looks(&r, e);
	file_shut(&r.ledger_fd);
	arena_release(&r.arena);
	dict_release(&r.ids, NULL);
	free(r.places);
	free(r.table);
	return result;
}
