/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The stats file: its header, mapping it, counters and gauges, and the
 * beat of the parent.  Tables and rings are in stats_rows.c, carrying
 * counters over restarts in stats_save.c.
 */
#include "stats.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "stats_layout.h"
#include "str.h"
#include "xalloc.h"

#define MAGIC "MCSTATS1"
#define TRIES 2000

/* clang-format off */
static const struct stat_row {
	const char *name, *unit, *help;
	enum role role;
	bool is_counter;
} stat_rows[STAT_COUNT] = {
#define COUNTER(role, name, unit, help) \
	[STAT_##name] = { #name, unit, help, ROLE_##role, true },
#define GAUGE(role, name, unit, help) \
	[STAT_##name] = { #name, unit, help, ROLE_##role, false },
#include "stats.def"
#undef COUNTER
#undef GAUGE
};
/* clang-format on */

static const char *const process_states[] = {
	[PROCESS_STARTING] = "starting",
	[PROCESS_RUNNING] = "running",
	[PROCESS_STOPPING] = "stopping",
	[PROCESS_DOWN] = "down",
};

const char *
process_state_name(int64_t s)
{
	if (s < 0 || s > PROCESS_DOWN)
		return "unknown";
	return process_states[s];
}

size_t
stats_size(void)
{
	return sizeof(struct stats_map);
}

/* FNV-1a: a file made by another build of these tables differs in it. */
static uint64_t
hash_layout(const struct stats_header *h)
{
	const unsigned char *p = (const void *)&h->size;
	size_t n = sizeof(*h) - offsetof(struct stats_header, size);
	uint64_t hash = 0xcbf29ce484222325;

	while (n-- > 0)
		hash = (hash ^ *p++) * 0x100000001b3;
	return hash;
}

static void
make_header(struct stats_header *h)
{
	size_t i, k;

	memset(h, 0, sizeof(*h));
	memcpy(h->magic, MAGIC, sizeof(h->magic));
	h->size = stats_size();
	for (i = 0; i < STAT_COUNT; i++) {
		str_copy(h->stats[i].name, STATS_NAME_SIZE, stat_rows[i].name);
		str_copy(h->stats[i].unit, STATS_NAME_SIZE, stat_rows[i].unit);
		h->stats[i].role = stat_rows[i].role;
		h->stats[i].is_counter = stat_rows[i].is_counter;
	}
	for (i = 0; i < TABLE_COUNT; i++) {
		const struct stats_table_row *t = &stats_table_rows[i];

		str_copy(h->tables[i].name, STATS_NAME_SIZE, t->name);
		h->tables[i].role = t->role;
		h->tables[i].rows = (uint32_t)t->rows;
		for (k = 0; k < STATS_COLUMNS && t->columns[k]; k++)
			str_copy(h->tables[i].columns[k], STATS_NAME_SIZE,
				 t->columns[k]);
	}
	for (i = 0; i < RING_COUNT; i++) {
		str_copy(h->rings[i].name, STATS_NAME_SIZE,
			 stats_ring_rows[i].name);
		h->rings[i].role = stats_ring_rows[i].role;
		h->rings[i].lines = STATS_RING_LINES;
	}
	h->layout = hash_layout(h);
}

int
stats_create(int fd, struct err *e)
{
	struct stats_header *h;
	void *p;
	int failed;

	/* Room is taken now: on a full disk a later write would be SIGBUS. */
	if (ftruncate(fd, 0) != 0)
		return err_sys(e, "stats file: truncate");
	failed = posix_fallocate(fd, 0, (off_t)stats_size());
	if (failed != 0) {
		errno = failed;
		return err_sys(e, "stats file of %zu bytes", stats_size());
	}
	p = mmap(NULL, stats_size(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return err_sys(e, "stats file: map");
	h = xmalloc(sizeof(*h));
	make_header(h);
	memcpy(p, h, sizeof(*h));
	free(h);
	munmap(p, stats_size());
	return 0;
}

static int
check_header(const struct stats_map *m, struct err *e)
{
	struct stats_header *h;
	int differs;

	if (memcmp(m->header.magic, MAGIC, sizeof(m->header.magic)) != 0)
		return err_set(e, "stats file: not one of mcd's");
	h = xmalloc(sizeof(*h));
	make_header(h);
	differs = memcmp(h, &m->header, sizeof(*h));
	free(h);
	if (differs)
		return err_set(e, "stats file: made by another version of "
				  "mcd than this program; restart mcd");
	return 0;
}

/* What a writer that died has left is made good, its gauges are 0. */
static void
start_writer(struct stats *s)
{
	struct stats_values *counters = &s->map->counters[s->self];
	struct stats_values *gauges = &s->map->gauges[s->self];
	size_t i;

	stats_write_recover(&counters->seq);
	stats_write_recover(&gauges->seq);
	stats_write_begin(&gauges->seq);
	for (i = 0; i < STAT_COUNT; i++)
		stats_store_word(&gauges->values[i], 0);
	stats_write_end(&gauges->seq);
	if (s->self == ROLE_PARENT)
		stats_write_recover(&s->map->alive.seq);
	stats_rows_start(s);
}

struct stats *
stats_map(int fd, enum role self, struct err *e)
{
	bool is_writer = self != ROLE_CTL;
	struct stat st;
	struct stats *s;
	void *p;

	if (fstat(fd, &st) != 0) {
		err_sys(e, "stats file");
		return NULL;
	}
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != stats_size()) {
		err_set(e,
			"stats file: %lld bytes instead of %zu: made by "
			"another version of mcd; restart mcd",
			(long long)st.st_size, stats_size());
		return NULL;
	}
	p = mmap(NULL, stats_size(), PROT_READ | (is_writer ? PROT_WRITE : 0),
		 MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		err_sys(e, "stats file: map");
		return NULL;
	}
	if (check_header(p, e) != 0) {
		munmap(p, stats_size());
		return NULL;
	}
	s = xcalloc(1, sizeof(*s));
	s->map = p;
	s->self = self;
	if (is_writer)
		start_writer(s);
	return s;
}

struct stats *
stats_open(const char *path, struct err *e)
{
	int fd = file_open(AT_FDCWD, path, O_RDONLY, 0);
	struct stats *s;

	if (fd < 0) {
		err_sys(e, "%s", path);
		return NULL;
	}
	s = stats_map(fd, ROLE_CTL, e);
	file_shut(&fd);
	if (s == NULL)
		err_prefix(e, "%s", path);
	return s;
}

void
stats_unmap(struct stats *s)
{
	size_t i;

	if (s == NULL)
		return;
	for (i = 0; i < TABLE_COUNT; i++)
		dict_release(&s->rows[i], NULL);
	munmap(s->map, stats_size());
	free(s);
}

void
stats_copy(const stats_word *seq, const stats_word *from, uint64_t *to,
	   size_t n)
{
	uint64_t before;
	size_t i;
	int try;

	for (try = 0; try <= TRIES; try++) {
		before = atomic_load_explicit(seq, memory_order_acquire);
		if ((before & 1) != 0 && try < TRIES)
			continue;
		for (i = 0; i < n; i++)
			to[i] = stats_load_word(&from[i]);
		atomic_thread_fence(memory_order_acquire);
		if (stats_load_word(seq) == before)
			return;
	}
}

static struct stats_values *
values_of(const struct stats *s, enum stat_id st)
{
	const struct stat_row *row = &stat_rows[st];

	if (row->is_counter)
		return &s->map->counters[row->role];
	return &s->map->gauges[row->role];
}

static void
store_value(struct stats *s, enum stat_id st, int64_t value)
{
	struct stats_values *v = values_of(s, st);

	stats_write_begin(&v->seq);
	stats_store_word(&v->values[st], (uint64_t)value);
	stats_write_end(&v->seq);
}

void
stats_set(struct stats *s, enum stat_id st, int64_t value)
{
	if (s != NULL && stat_rows[st].role == s->self)
		store_value(s, st, value);
}

void
stats_add(struct stats *s, enum stat_id st, int64_t n)
{
	if (s != NULL && stat_rows[st].role == s->self)
		store_value(s, st, stats_get(s, st) + n);
}

void
stats_carry(struct stats *s, enum stat_id st, int64_t n)
{
	if (s->self == ROLE_PARENT)
		store_value(s, st, stats_get(s, st) + n);
}

int64_t
stats_get(const struct stats *s, enum stat_id st)
{
	return (int64_t)stats_load_word(&values_of(s, st)->values[st]);
}

void
stats_all(const struct stats *s, int64_t out[STAT_COUNT])
{
	uint64_t copy[STAT_COUNT];
	const struct stats_values *v;
	size_t role, kind, i;

	for (role = 0; role < ROLE_COUNT; role++) {
		for (kind = 0; kind < 2; kind++) {
			v = kind ? &s->map->counters[role]
				 : &s->map->gauges[role];
			stats_copy(&v->seq, v->values, copy, STAT_COUNT);
			for (i = 0; i < STAT_COUNT; i++) {
				if (stat_rows[i].role == role &&
				    stat_rows[i].is_counter == kind)
					out[i] = (int64_t)copy[i];
			}
		}
	}
}

const char *
stats_name(enum stat_id st)
{
	return stat_rows[st].name;
}

const char *
stats_unit(enum stat_id st)
{
	return stat_rows[st].unit;
}

const char *
stats_help(enum stat_id st)
{
	return stat_rows[st].help;
}

enum role
stats_role(enum stat_id st)
{
	return stat_rows[st].role;
}

bool
stats_is_counter(enum stat_id st)
{
	return stat_rows[st].is_counter;
}

void
stats_beat(struct stats *s, int64_t wall_us, int64_t started_us, int64_t pid)
{
	struct stats_alive *a;

	if (s == NULL || s->self != ROLE_PARENT)
		return;
	a = &s->map->alive;
	stats_write_begin(&a->seq);
	stats_store_word(&a->words[ALIVE_BEAT], (uint64_t)wall_us);
	stats_store_word(&a->words[ALIVE_STARTED], (uint64_t)started_us);
	stats_store_word(&a->words[ALIVE_PID], (uint64_t)pid);
	stats_write_end(&a->seq);
}

void
stats_alive(const struct stats *s, int64_t *beat_us, int64_t *started_us,
	    int64_t *pid)
{
	uint64_t w[ALIVE_WORDS];

	stats_copy(&s->map->alive.seq, s->map->alive.words, w, ALIVE_WORDS);
	*beat_us = (int64_t)w[ALIVE_BEAT];
	*started_us = (int64_t)w[ALIVE_STARTED];
	*pid = (int64_t)w[ALIVE_PID];
}
