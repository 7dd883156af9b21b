/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The snapshot's file: a head, then slots of open addressing.
 */
#include "tokens_map.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "str.h"

#define MAGIC "mcbayes\n"
#define MAP_VERSION 1
#define AHEAD 8 /* slots that are asked for in advance */
#define PROBES_MAX 4096 /* a file with longer runs is none of ours */

struct head {
	char magic[8];
	uint32_t version, lexer;
	uint64_t slot_count, words;
	uint32_t spam, ham;
	uint32_t reserved;
	uint32_t crc; /* of the slots */
};

void
tokens_map_begin(struct tokens_map_writer *w, uint64_t words, uint32_t spam,
		 uint32_t ham)
{
	struct head h = { .version = MAP_VERSION, .lexer = LEXER_VERSION };
	size_t size;

	memset(w, 0, sizeof(*w));
	w->slot_count = 64;
	while (w->slot_count < words + words / 2)
		w->slot_count *= 2;
	memcpy(h.magic, MAGIC, sizeof(h.magic));
	h.slot_count = w->slot_count;
	h.spam = spam;
	h.ham = ham;
	size = w->slot_count * sizeof(struct tokens_map_slot);
	buf_add(&w->out, &h, sizeof(h));
	memset(buf_reserve(&w->out, size), 0, size);
	buf_commit(&w->out, size);
}

static struct tokens_map_slot *
slots_of(struct tokens_map_writer *w)
{
	return (struct tokens_map_slot *)(void *)(w->out.data +
						  sizeof(struct head));
}

static void
put(struct tokens_map_writer *w, struct tokens_map_slot s)
{
	struct tokens_map_slot *slots = slots_of(w);
	uint64_t key = s.hash != 0 ? s.hash : 1;
	uint64_t at = key & (w->slot_count - 1);

	if (w->words + w->words / 2 >= w->slot_count)
		return;
	while (slots[at].hash != 0 && slots[at].hash != key)
		at = (at + 1) & (w->slot_count - 1);
	slots[at].hash = key;
	slots[at].spam += s.spam;
	slots[at].ham += s.ham;
	w->words++;
}

void
tokens_map_add(struct tokens_map_writer *w, const char *word, uint32_t spam,
	       uint32_t ham)
{
	put(w, (struct tokens_map_slot){ word_hash(word, strlen(word)), spam,
					 ham });
}

void
tokens_map_add_all(struct tokens_map_writer *w,
		   const struct tokens_map_slot *slots, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		/* Memory that is far away is asked for in time. */
		if (i + AHEAD < count)
			__builtin_prefetch(
				slots_of(w) +
				(slots[i + AHEAD].hash & (w->slot_count - 1)));
		put(w, slots[i]);
	}
}

void
tokens_map_end(struct tokens_map_writer *w)
{
	struct head h;

	memcpy(&h, w->out.data, sizeof(h));
	h.words = w->words;
	h.crc = crc32_update(0, slots_of(w),
			     w->slot_count * sizeof(struct tokens_map_slot));
	memcpy(w->out.data, &h, sizeof(h));
}

/* Every run of full slots ends, or a look would not. */
static bool
has_short_runs(const struct tokens_map *m)
{
	uint64_t run = 0, i;

	for (i = 0; i < m->slot_count; i++) {
		run = m->slots[i].hash != 0 ? run + 1 : 0;
		if (run > PROBES_MAX)
			return false;
	}
	return true;
}

int
tokens_map_read(struct span in, struct tokens_map *out, struct err *e)
{
	struct head h;
	size_t size;

	memset(out, 0, sizeof(*out));
	if (in.len < sizeof(h))
		return err_set(e, "%s", "too short for a snapshot of words");
	memcpy(&h, in.p, sizeof(h));
	if (memcmp(h.magic, MAGIC, sizeof(h.magic)) != 0 ||
	    h.version != MAP_VERSION)
		return err_set(e, "%s", "not a snapshot of words");
	if (h.lexer != LEXER_VERSION)
		return err_set(e,
			       "snapshot of version %u, ours is %d: learn "
			       "again",
			       h.lexer, LEXER_VERSION);
	if (h.slot_count < 2 || h.slot_count > in.len ||
	    (h.slot_count & (h.slot_count - 1)) != 0)
		return err_set(e, "%s", "damaged snapshot of words");
	size = h.slot_count * sizeof(struct tokens_map_slot);
	if (in.len != sizeof(h) + size ||
	    crc32_update(0, in.p + sizeof(h), size) != h.crc)
		return err_set(e, "%s", "damaged snapshot of words");
	out->slots = (const void *)(in.p + sizeof(h));
	out->slot_count = h.slot_count;
	out->words = h.words;
	out->spam = h.spam;
	out->ham = h.ham;
	if (!has_short_runs(out))
		return err_set(e, "%s", "damaged snapshot of words");
	return 0;
}

int
tokens_map_open(int fd, struct tokens_map *out, struct err *e)
{
	struct stat st;
	void *base;

	memset(out, 0, sizeof(*out));
	if (fstat(fd, &st) < 0)
		return err_sys(e, "%s", "snapshot of words");
	if (st.st_size <= 0 || (uint64_t)st.st_size > TOKENS_MAP_MAX)
		return err_set(e, "%s", "not a snapshot of words");
	base = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (base == MAP_FAILED)
		return err_sys(e, "%s", "snapshot of words");
	if (tokens_map_read((struct span){ base, (size_t)st.st_size }, out, e) <
	    0) {
		munmap(base, (size_t)st.st_size);
		return -1;
	}
	out->base = base;
	out->size = (size_t)st.st_size;
	return 0;
}

void
tokens_map_close(struct tokens_map *m)
{
	if (m->base != NULL)
		munmap(m->base, m->size);
	memset(m, 0, sizeof(*m));
}
