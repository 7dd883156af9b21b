/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Fuzzes the snapshot of words, with a right checksum so that something is
 * found behind it, and the words of a message that is judged by it.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "str.h"
#include "tokens_map.h"
#include "view.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static void
see(void *arg, const char *word, size_t len)
{
	must(len > 0 && len <= LEXER_WORD_MAX);
	must(str_is_utf8(word, len));
	must(memchr(word, ' ', len) == NULL && memchr(word, '\n', len) == NULL);
	word_set_add(arg, word, len);
}

/* Where the checksum and the number of slots stand in the head. */
#define CRC_AT 44
#define COUNT_AT 16
#define HEAD 48

static void
mend(char *bytes, size_t size)
{
	uint64_t count = (size - HEAD) / sizeof(struct tokens_map_slot);
	uint32_t crc;

	memcpy(bytes, "mcbayes\n\1\0\0\0\1\0\0\0", 16);
	memcpy(bytes + COUNT_AT, &count, sizeof(count));
	crc = crc32_update(0, bytes + HEAD, size - HEAD);
	memcpy(bytes + CRC_AT, &crc, sizeof(crc));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = { (const char *)data, size };
	struct view *v = view_new(in, NULL, NULL);
	struct word_set words = { 0 };
	struct tokens_map m;
	struct bayes_result r;
	char *bytes = malloc(size + 1);

	lexer_run(v, see, &words);
	must(words.count <= LEXER_WORDS_MAX);
	view_free(v);
	if (bytes == NULL)
		abort();
	memcpy(bytes, data, size);
	if (size >= HEAD && size % 2)
		mend(bytes, size);
	if (tokens_map_read((struct span){ bytes, size }, &m, NULL) == 0) {
		bayes_judge(&m, &words, &r);
		must(r.score >= 0 && r.score <= 1);
		must(r.clue_count <= BAYES_CLUES_MAX);
	}
	word_set_release(&words);
	free(bytes);
	return 0;
}
