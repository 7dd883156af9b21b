/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Learning.  The words of all messages of a transaction are added up in
 * memory and written in their order at its end, which is some twenty times
 * as quick as a statement a word of each message.
 */
#include "tokens.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "arena.h"
#include "file.h"
#include "str.h"
#include "tokens_map.h"
#include "xalloc.h"

#define BUSY_MS 5000
#define PENDING_MAX 500000 /* words in memory before they are written */
#define ROOM_FIRST 131072 /* pages of it that are not used cost nothing */
/* How many words ahead what belongs to one is fetched. */
enum { FETCH_TEXT = 4, FETCH_DELTA = 8, FETCH_SLOT = 16 };

/* What a word's row gets. */
struct delta {
	const char *word; /* in the arena */
	uint64_t front; /* its first bytes, to sort by */
	int64_t change[2];
	uint32_t day;
	uint32_t len;
};

/* Where a word's delta is: the hash beside it keeps most looks for others
 * from reading that. */
struct slot {
	uint64_t hash;
	size_t number; /* + 1 of a delta, 0: empty */
};

struct tokens {
	sqlite3 *db;
	char dir[4096];
	sqlite3_stmt *put, *message_get, *message_put, *message_del, *meta;
	struct delta *pending;
	size_t pending_count;
	size_t pending_room;
	struct slot *slots;
	size_t slot_count;
	struct arena words;
	int64_t change[2]; /* of the numbers of messages */
	bool is_open;
	bool is_taken; /* words were taken back */
};

static const char schema[] =
	"CREATE TABLE IF NOT EXISTS word(word TEXT PRIMARY KEY, spam INTEGER "
	"NOT "
	"NULL, ham INTEGER NOT NULL, day INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS message(id BLOB PRIMARY KEY, kind INTEGER "
	"NOT "
	"NULL, day INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value INTEGER "
	"NOT "
	"NULL) WITHOUT ROWID;"
	"INSERT OR IGNORE INTO meta VALUES('spam', 0), ('ham', 0), ('lexer', "
	"0);";

static int
fail(struct tokens *t, struct err *e, const char *what)
{
	return err_set(e, "%s/" TOKENS_DB ": %s: %s", t->dir, what,
		       sqlite3_errmsg(t->db));
}

static int
run(struct tokens *t, const char *sql, struct err *e)
{
	if (sqlite3_exec(t->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return fail(t, e, "cannot write");
	return 0;
}

static int
prepare(struct tokens *t, const char *sql, sqlite3_stmt **out, struct err *e)
{
	if (sqlite3_prepare_v2(t->db, sql, -1, out, NULL) != SQLITE_OK)
		return fail(t, e, "not as expected");
	return 0;
}

static int
prepare_all(struct tokens *t, struct err *e)
{
	if (prepare(t,
		    "INSERT INTO word VALUES(?1, max(?2, 0), max(?3, 0), ?4) "
		    "ON CONFLICT(word) DO UPDATE SET spam = max(spam + ?2, 0), "
		    "ham = max(ham + ?3, 0), day = max(day, ?4)",
		    &t->put, e) < 0 ||
	    prepare(t, "SELECT kind FROM message WHERE id = ?1",
		    &t->message_get, e) < 0 ||
	    prepare(t, "INSERT OR REPLACE INTO message VALUES(?1, ?2, ?3)",
		    &t->message_put, e) < 0 ||
	    prepare(t, "DELETE FROM message WHERE id = ?1", &t->message_del,
		    e) < 0 ||
	    prepare(t,
		    "UPDATE meta SET value = max(value + ?2, 0) WHERE name = "
		    "?1",
		    &t->meta, e) < 0)
		return -1;
	return 0;
}

static int64_t
pragma_int(struct tokens *t, const char *sql)
{
	sqlite3_stmt *s;
	int64_t value = -1;

	if (sqlite3_prepare_v2(t->db, sql, -1, &s, NULL) == SQLITE_OK &&
	    sqlite3_step(s) == SQLITE_ROW)
		value = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return value;
}

static int
set_up(struct tokens *t, struct err *e)
{
	int64_t version;

	sqlite3_busy_timeout(t->db, BUSY_MS);
	if (run(t, "PRAGMA journal_mode = WAL", e) < 0 ||
	    run(t, "PRAGMA synchronous = NORMAL", e) < 0 ||
	    run(t, "PRAGMA cache_size = -65536", e) < 0)
		return -1;
	version = pragma_int(t, "PRAGMA user_version");
	if (version > TOKENS_VERSION)
		return err_set(e, "%s/" TOKENS_DB ": of a newer mcgate",
			       t->dir);
	if (version != TOKENS_VERSION &&
	    (run(t, "BEGIN IMMEDIATE", e) < 0 || run(t, schema, e) < 0 ||
	     run(t, "PRAGMA user_version = 1", e) < 0 ||
	     run(t, "COMMIT", e) < 0))
		return -1;
	return prepare_all(t, e);
}

int
tokens_open(const char *dir, bool create, struct tokens **out, struct err *e)
{
	struct tokens *t = xcalloc(1, sizeof(*t));
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
	char path[4352];

	if (!str_copy(t->dir, sizeof(t->dir), dir)) {
		free(t);
		return err_set(e, "%s", "the name of the folder is too long");
	}
	str_fmt(path, sizeof(path), "%s/" TOKENS_DB, dir);
	if (create) {
		/* For the group too, whatever the umask: mcd writes it. */
		int fd = file_open(AT_FDCWD, path, O_RDWR | O_CREAT, 0660);

		if (fd >= 0)
			fchmod(fd, 0660);
		file_shut(&fd);
	}
	if (sqlite3_open_v2(path, &t->db, flags, NULL) != SQLITE_OK) {
		fail(t, e, "cannot be opened");
		tokens_close(t);
		return -1;
	}
	if (set_up(t, e) < 0) {
		tokens_close(t);
		return -1;
	}
	*out = t;
	return 0;
}

static void
forget_pending(struct tokens *t)
{
	arena_release(&t->words);
	free(t->pending);
	free(t->slots);
	t->pending = NULL;
	t->slots = NULL;
	t->pending_count = t->pending_room = t->slot_count = 0;
	t->change[0] = t->change[1] = 0;
}

void
tokens_close(struct tokens *t)
{
	if (t == NULL)
		return;
	tokens_rollback(t);
	sqlite3_finalize(t->put);
	sqlite3_finalize(t->message_get);
	sqlite3_finalize(t->message_put);
	sqlite3_finalize(t->message_del);
	sqlite3_finalize(t->meta);
	sqlite3_close(t->db);
	free(t);
}

int
tokens_begin(struct tokens *t, struct err *e)
{
	if (run(t, "BEGIN IMMEDIATE", e) < 0)
		return -1;
	t->is_open = true;
	return 0;
}

void
tokens_rollback(struct tokens *t)
{
	forget_pending(t);
	if (t->is_open)
		sqlite3_exec(t->db, "ROLLBACK", NULL, NULL, NULL);
	t->is_open = false;
}

static void
put_slot(struct tokens *t, struct slot slot)
{
	size_t at = slot.hash & (t->slot_count - 1);

	while (t->slots[at].number != 0)
		at = (at + 1) & (t->slot_count - 1);
	t->slots[at] = slot;
}

static void
grow(struct tokens *t)
{
	struct slot *old = t->slots;
	size_t i, old_count = t->slot_count;

	t->pending_room =
		t->pending_room > 0 ? 2 * t->pending_room : ROOM_FIRST;
	t->pending = xreallocarray(t->pending, t->pending_room,
				   sizeof(t->pending[0]));
	t->slot_count = 2 * t->pending_room;
	t->slots = xcalloc(t->slot_count, sizeof(t->slots[0]));
	for (i = 0; i < old_count; i++)
		if (old[i].number != 0)
			put_slot(t, old[i]);
	free(old);
}

/* As a number that sorts as memcmp() does. */
static uint64_t
front_of(const char *word, size_t len)
{
	uint64_t front = 0;
	size_t i;

	for (i = 0; i < 8; i++)
		front = front << 8 | (i < len ? (unsigned char)word[i] : 0);
	return front;
}

static struct delta *
delta_of(struct tokens *t, uint64_t hash, const char *word, size_t len)
{
	struct delta *d;
	size_t at;

	if (t->pending_count == t->pending_room)
		grow(t);
	for (at = hash & (t->slot_count - 1); t->slots[at].number != 0;
	     at = (at + 1) & (t->slot_count - 1)) {
		if (t->slots[at].hash != hash)
			continue;
		d = &t->pending[t->slots[at].number - 1];
		if (d->len == len && memcmp(d->word, word, len) == 0)
			return d;
	}
	d = &t->pending[t->pending_count++];
	memset(d, 0, sizeof(*d));
	d->word = arena_strndup(&t->words, word, len);
	d->len = (uint32_t)len;
	d->front = front_of(word, len);
	t->slots[at] = (struct slot){ hash, t->pending_count };
	return d;
}

static int
by_word(const void *a, const void *b)
{
	const struct delta *x = a, *y = b;

	if (x->front != y->front)
		return x->front < y->front ? -1 : 1;
	return strcmp(x->word, y->word);
}

static int
step(struct tokens *t, sqlite3_stmt *s, struct err *e)
{
	int r = sqlite3_step(s);

	sqlite3_reset(s);
	sqlite3_clear_bindings(s);
	if (r != SQLITE_DONE && r != SQLITE_ROW)
		return fail(t, e, "cannot write");
	return 0;
}

static int
add_meta(struct tokens *t, const char *name, int64_t change, struct err *e)
{
	if (change == 0)
		return 0;
	sqlite3_bind_text(t->meta, 1, name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(t->meta, 2, change);
	return step(t, t->meta, e);
}

static int
flush(struct tokens *t, struct err *e)
{
	int r = 0;
	size_t i;

	qsort(t->pending, t->pending_count, sizeof(t->pending[0]), by_word);
	for (i = 0; i < t->pending_count && r == 0; i++) {
		const struct delta *d = &t->pending[i];

		if (d->change[0] == 0 && d->change[1] == 0)
			continue;
		sqlite3_bind_text(t->put, 1, d->word, (int)d->len,
				  SQLITE_STATIC);
		sqlite3_bind_int64(t->put, 2, d->change[TOKENS_SPAM]);
		sqlite3_bind_int64(t->put, 3, d->change[TOKENS_HAM]);
		sqlite3_bind_int64(t->put, 4, d->day);
		r = step(t, t->put, e);
	}
	if (r == 0)
		r = add_meta(t, "spam", t->change[TOKENS_SPAM], e);
	if (r == 0)
		r = add_meta(t, "ham", t->change[TOKENS_HAM], e);
	forget_pending(t);
	return r;
}

int
tokens_commit(struct tokens *t, struct err *e)
{
	/* Looks at every row: only where some may be at zero. */
	static const char sweep[] =
		"DELETE FROM word WHERE spam = 0 AND ham = 0";
	bool is_taken = t->is_taken;

	if (flush(t, e) < 0 || (is_taken && run(t, sweep, e) < 0) ||
	    run(t, "COMMIT", e) < 0) {
		tokens_rollback(t);
		return -1;
	}
	t->is_open = false;
	t->is_taken = false;
	return 0;
}

static int64_t
today(void)
{
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	return (tm.tm_year + 1900) * 10000 + (tm.tm_mon + 1) * 100 + tm.tm_mday;
}

/*
 * Slots, deltas and the texts of words lie far apart: each is fetched while
 * the words before it are counted. It is a hint and changes nothing.
 */
static void
fetch_ahead(const struct tokens *t, const struct word_set *s, size_t i)
{
	const struct slot *near, *far;
	size_t mask = t->slot_count - 1;

	if (t->slot_count == 0 || i + FETCH_SLOT >= s->count)
		return;
	__builtin_prefetch(&t->slots[s->words[i + FETCH_SLOT].hash & mask]);
	far = &t->slots[s->words[i + FETCH_DELTA].hash & mask];
	if (far->number != 0)
		__builtin_prefetch(&t->pending[far->number - 1]);
	near = &t->slots[s->words[i + FETCH_TEXT].hash & mask];
	if (near->number != 0)
		__builtin_prefetch(t->pending[near->number - 1].word);
}

static void
add_words(struct tokens *t, const struct word_set *s, enum tokens_kind kind,
	  int sign)
{
	uint32_t day = sign > 0 ? (uint32_t)today() : 0;
	size_t i;

	for (i = 0; i < s->count; i++) {
		const struct word *w = &s->words[i];
		struct delta *d;

		fetch_ahead(t, s, i);
		d = delta_of(t, w->hash, s->text + w->at, w->len);
		d->change[kind] += sign;
		d->day = day > d->day ? day : d->day;
	}
	t->change[kind] += sign;
	t->is_taken |= sign < 0;
}

/* The kind that a message was learnt as, -1 when it was not, -2 on error. */
static int
kind_of(struct tokens *t, const unsigned char *id, struct err *e)
{
	int kind = -1;
	int r;

	sqlite3_bind_blob(t->message_get, 1, id, SHA256_SIZE, SQLITE_STATIC);
	r = sqlite3_step(t->message_get);
	if (r == SQLITE_ROW)
		kind = sqlite3_column_int(t->message_get, 0) == TOKENS_SPAM
			       ? TOKENS_SPAM
			       : TOKENS_HAM;
	else if (r != SQLITE_DONE) {
		fail(t, e, "cannot be read");
		kind = -2;
	}
	sqlite3_reset(t->message_get);
	return kind;
}

int
tokens_learn(struct tokens *t, const unsigned char id[SHA256_SIZE],
	     enum tokens_kind kind, const struct word_set *words, struct err *e)
{
	int before = kind_of(t, id, e);

	if (before == -2)
		return -1;
	if (before == (int)kind)
		return 0;
	if (before >= 0)
		add_words(t, words, (enum tokens_kind)before, -1);
	add_words(t, words, kind, 1);
	sqlite3_bind_blob(t->message_put, 1, id, SHA256_SIZE, SQLITE_STATIC);
	sqlite3_bind_int(t->message_put, 2, (int)kind);
	sqlite3_bind_int64(t->message_put, 3, today());
	if (step(t, t->message_put, e) < 0)
		return -1;
	if (t->pending_count > PENDING_MAX && flush(t, e) < 0)
		return -1;
	return 1;
}

int
tokens_forget(struct tokens *t, const unsigned char id[SHA256_SIZE],
	      const struct word_set *words, struct err *e)
{
	int before = kind_of(t, id, e);

	if (before < 0)
		return before == -2 ? -1 : 0;
	add_words(t, words, (enum tokens_kind)before, -1);
	sqlite3_bind_blob(t->message_del, 1, id, SHA256_SIZE, SQLITE_STATIC);
	return step(t, t->message_del, e) < 0 ? -1 : 1;
}

int
tokens_import(struct tokens *t, const char *word, int64_t spam, int64_t ham,
	      int64_t day, struct err *e)
{
	struct delta *d;

	if (str_eq(word, ".MSG_COUNT")) {
		t->change[TOKENS_SPAM] += spam;
		t->change[TOKENS_HAM] += ham;
		return 0;
	}
	if (word[0] == '.' || word[0] == '\0')
		return 0;
	d = delta_of(t, word_hash(word, strlen(word)), word, strlen(word));
	d->change[TOKENS_SPAM] += spam;
	d->change[TOKENS_HAM] += ham;
	if (day > d->day && day <= UINT32_MAX)
		d->day = (uint32_t)day;
	return t->pending_count > PENDING_MAX ? flush(t, e) : 0;
}

static int
meta_value(struct tokens *t, enum tokens_kind kind, int64_t *out, struct err *e)
{
	*out = pragma_int(t, kind == TOKENS_SPAM
				     ? "SELECT value FROM meta WHERE name = "
				       "'spam'"
				     : "SELECT value FROM meta WHERE name = "
				       "'ham'");
	return *out < 0 ? fail(t, e, "cannot be read") : 0;
}

int
tokens_count(struct tokens *t, struct tokens_counts *out, struct err *e)
{
	memset(out, 0, sizeof(*out));
	out->words = pragma_int(t, "SELECT count(*) FROM word");
	if (out->words < 0)
		return fail(t, e, "cannot be read");
	return meta_value(t, TOKENS_SPAM, &out->messages[TOKENS_SPAM], e) < 0
		       ? -1
		       : meta_value(t, TOKENS_HAM, &out->messages[TOKENS_HAM],
				    e);
}

int
tokens_each(struct tokens *t, tokens_fn *fn, void *arg, struct err *e)
{
	sqlite3_stmt *s;
	int r;

	if (prepare(t, "SELECT word, spam, ham, day FROM word ORDER BY word",
		    &s, e) < 0)
		return -1;
	while ((r = sqlite3_step(s)) == SQLITE_ROW)
		if (fn(arg, (const char *)sqlite3_column_text(s, 0),
		       sqlite3_column_int64(s, 1), sqlite3_column_int64(s, 2),
		       sqlite3_column_int64(s, 3)) != 0)
			break;
	if (r != SQLITE_DONE && r != SQLITE_ROW)
		fail(t, e, "cannot be read");
	sqlite3_finalize(s);
	return r == SQLITE_DONE || r == SQLITE_ROW ? 0 : -1;
}

static uint32_t
capped(int64_t n)
{
	return n < 0 ? 0 : n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

/* All rows of the database as slots. */
struct rows {
	struct tokens_map_slot *slots;
	size_t count, room;
};

static int
take_row(void *arg, const char *word, int64_t spam, int64_t ham, int64_t day)
{
	struct rows *r = arg;

	(void)day;
	if (r->count == r->room) {
		r->room = r->room > 0 ? 2 * r->room : 65536;
		r->slots =
			xreallocarray(r->slots, r->room, sizeof(r->slots[0]));
	}
	r->slots[r->count++] =
		(struct tokens_map_slot){ word_hash(word, strlen(word)),
					  capped(spam), capped(ham) };
	return 0;
}

static int
write_rows(struct tokens *t, const struct rows *rows, const int64_t messages[2],
	   struct err *e)
{
	struct tokens_map_writer w;
	char path[4352];
	int r;

	tokens_map_begin(&w, rows->count, capped(messages[TOKENS_SPAM]),
			 capped(messages[TOKENS_HAM]));
	tokens_map_add_all(&w, rows->slots, rows->count);
	tokens_map_end(&w);
	str_fmt(path, sizeof(path), "%s/" TOKENS_MAP, t->dir);
	r = file_replace(path, w.out.data, w.out.len, 0640, e);
	buf_release(&w.out);
	return r;
}

int
tokens_write_map(struct tokens *t, struct err *e)
{
	struct rows rows = { NULL, 0, 0 };
	int64_t messages[2];
	int r = 0;

	/* Counts and rows of one moment. */
	if (run(t, "BEGIN", e) < 0)
		return -1;
	if (meta_value(t, TOKENS_SPAM, &messages[TOKENS_SPAM], e) < 0 ||
	    meta_value(t, TOKENS_HAM, &messages[TOKENS_HAM], e) < 0 ||
	    tokens_each(t, take_row, &rows, e) < 0)
		r = -1;
	sqlite3_exec(t->db, "COMMIT", NULL, NULL, NULL);
	if (r == 0)
		r = write_rows(t, &rows, messages, e);
	free(rows.slots);
	return r;
}

/* Without CR, so that a copy with other line ends is the same. */
static void
add_text(struct sha256 *s, struct span in)
{
	const char *p = in.p, *end, *cr;

	if (in.len == 0)
		return;
	end = in.p + in.len;
	while (end > p && ascii_isspace((unsigned char)end[-1]))
		end--;
	while (p < end) {
		cr = memchr(p, '\r', (size_t)(end - p));
		cr = cr != NULL ? cr : end;
		sha256_update(s, p, (size_t)(cr - p));
		p = cr < end ? cr + 1 : end;
	}
}

void
tokens_message_id(const struct mime *m, unsigned char id[SHA256_SIZE])
{
	static const char *const names[] = { "Message-ID", "From", "Date",
					     "Subject" };
	struct sha256 s;
	size_t i;

	sha256_init(&s);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct mime_field *f = mime_field(m, names[i]);

		if (f != NULL)
			sha256_update(&s, f->value, strlen(f->value));
		sha256_update(&s, "\n", 1);
	}
	add_text(&s, m->body);
	sha256_final(&s, id);
}
