/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Words without repeats: open addressing over a hash that is the same
 * everywhere.  A sender who makes words collide makes his own message slow
 * to judge: LEXER_WORDS_MAX bounds that.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lexer.h"
#include "xalloc.h"

uint64_t
word_hash(const char *word, size_t len)
{
	uint64_t h = 0xcbf29ce484222325u;
	size_t i;

	for (i = 0; i < len; i++)
		h = (h ^ (unsigned char)word[i]) * 0x100000001b3u;
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93u;
	return h ^ h >> 32;
}

void
word_set_clear(struct word_set *s)
{
	s->count = 0;
	s->text_len = 0;
	if (s->slot_count > 0)
		memset(s->slots, 0, s->slot_count * sizeof(s->slots[0]));
}

void
word_set_release(struct word_set *s)
{
	free(s->text);
	free(s->words);
	free(s->slots);
	memset(s, 0, sizeof(*s));
}

static void
put_slot(struct word_set *s, uint64_t hash, uint32_t number)
{
	size_t at = hash & (s->slot_count - 1);

	while (s->slots[at] != 0)
		at = (at + 1) & (s->slot_count - 1);
	s->slots[at] = number;
}

static void
grow(struct word_set *s)
{
	size_t i;

	s->room = s->room > 0 ? 2 * s->room : 1024;
	s->words = xreallocarray(s->words, s->room, sizeof(s->words[0]));
	free(s->slots);
	s->slot_count = 2 * s->room;
	s->slots = xcalloc(s->slot_count, sizeof(s->slots[0]));
	for (i = 0; i < s->count; i++)
		put_slot(s, s->words[i].hash, (uint32_t)i + 1);
}

void
word_set_add(void *set, const char *word, size_t len)
{
	struct word_set *s = set;
	uint64_t hash = word_hash(word, len);
	struct word *w;
	size_t at;

	if (s->count == s->room)
		grow(s);
	for (at = hash & (s->slot_count - 1); s->slots[at] != 0;
	     at = (at + 1) & (s->slot_count - 1)) {
		w = &s->words[s->slots[at] - 1];
		if (w->hash == hash && w->len == len &&
		    memcmp(s->text + w->at, word, len) == 0)
			return;
	}
	if (s->count == LEXER_WORDS_MAX)
		return;
	if (s->text_len + len > s->text_room) {
		s->text_room = 2 * (s->text_room + len) + 8192;
		s->text = xrealloc(s->text, s->text_room);
	}
	memcpy(s->text + s->text_len, word, len);
	w = &s->words[s->count++];
	w->hash = hash;
	w->at = (uint32_t)s->text_len;
	w->len = (uint32_t)len;
	s->text_len += len;
	s->slots[at] = (uint32_t)s->count;
}
