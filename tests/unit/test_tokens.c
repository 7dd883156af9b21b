/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Learning, forgetting, the snapshot and the judgement made of it.
 */
#include "tokens.h"

#include <fcntl.h>
#include <unistd.h>

#include "buf.h"
#include "check.h"
#include "file.h"
#include "str.h"
#include "tokens_map.h"
#include "view.h"

static char dir[] = "/tmp/mcgate-tokens.XXXXXX";
static struct err e;

/* A message of one line, read as the filter reads it. */
static void
read_words(const char *line, struct word_set *words, unsigned char *id)
{
	struct buf raw = { 0 };
	struct view *v;

	buf_printf(&raw, "Subject: s\r\n\r\n%s\r\n", line);
	v = view_new(buf_span(&raw), NULL, NULL);
	word_set_clear(words);
	lexer_run(v, word_set_add, words);
	tokens_message_id(v->mime, id);
	view_free(v);
	buf_release(&raw);
}

static int
learn(struct tokens *t, enum tokens_kind kind, const char *line)
{
	struct word_set words = { 0 };
	unsigned char id[SHA256_SIZE];
	int r;

	read_words(line, &words, id);
	r = tokens_learn(t, id, kind, &words, &e);
	word_set_release(&words);
	return r;
}

static int
forget(struct tokens *t, const char *line)
{
	struct word_set words = { 0 };
	unsigned char id[SHA256_SIZE];
	int r;

	read_words(line, &words, id);
	r = tokens_forget(t, id, &words, &e);
	word_set_release(&words);
	return r;
}

/* "word spam ham" of one word. */
struct wanted {
	const char *word;
	char found[64];
};

static int
look(void *arg, const char *word, int64_t spam, int64_t ham, int64_t day)
{
	struct wanted *w = arg;

	if (str_eq(word, w->word))
		str_fmt(w->found, sizeof(w->found), "%d %d%s", (int)spam,
			(int)ham, day > 20200101 ? "" : " no day");
	return 0;
}

static const char *
row(struct tokens *t, const char *word)
{
	static struct wanted w;

	w = (struct wanted){ .word = word };
	if (tokens_each(t, look, &w, &e) < 0)
		return e.text;
	return w.found;
}

static void
check_learning(struct tokens *t)
{
	struct tokens_counts n;

	CHECK_INT(tokens_begin(t, &e), 0, "begin");
	CHECK_INT(learn(t, TOKENS_SPAM, "cheap pills"), 1, "spam is learnt");
	CHECK_INT(learn(t, TOKENS_SPAM, "cheap pills"), 0, "but once");
	CHECK_INT(learn(t, TOKENS_HAM, "see you at lunch"), 1, "so is ham");
	CHECK_INT(tokens_commit(t, &e), 0, "commit");
	CHECK_STR(row(t, "cheap"), "1 0", "a word of spam");
	CHECK_STR(row(t, "cheap*pills"), "1 0", "a pair of words");
	CHECK_STR(row(t, "lunch"), "0 1", "a word of ham");
	CHECK_STR(row(t, "subj:s"), "", "a letter alone is no word");

	tokens_begin(t, &e);
	CHECK_INT(learn(t, TOKENS_HAM, "cheap pills"), 1, "the other kind");
	CHECK_INT(tokens_commit(t, &e), 0, "commit");
	CHECK_STR(row(t, "cheap"), "0 1", "moves it");
	tokens_count(t, &n, &e);
	CHECK_INT(n.messages[TOKENS_SPAM], 0, "no spam is left");
	CHECK_INT(n.messages[TOKENS_HAM], 2, "two are ham");

	tokens_begin(t, &e);
	CHECK_INT(forget(t, "cheap pills"), 1, "a message is forgotten");
	CHECK_INT(forget(t, "never seen"), 0, "what was not learnt is not");
	CHECK_INT(tokens_commit(t, &e), 0, "commit");
	CHECK_STR(row(t, "cheap"), "", "and its words are gone");

	tokens_begin(t, &e);
	learn(t, TOKENS_SPAM, "rolled back");
	tokens_rollback(t);
	CHECK_STR(row(t, "rolled"), "", "what is rolled back was never there");
}

static void
check_import(struct tokens *t)
{
	struct tokens_counts n;

	tokens_begin(t, &e);
	tokens_import(t, ".MSG_COUNT", 10, 20, 20260101, &e);
	tokens_import(t, ".ENCODING", 2, 0, 20260101, &e);
	tokens_import(t, "viagra", 8, 0, 20260101, &e);
	tokens_import(t, "lunch", 0, 3, 20260101, &e);
	CHECK_INT(tokens_commit(t, &e), 0, "import");
	CHECK_STR(row(t, "viagra"), "8 0", "a row that is new");
	CHECK_STR(row(t, "lunch"), "0 4", "a row that is added to");
	CHECK_STR(row(t, ".ENCODING"), "", "what is no word");
	tokens_count(t, &n, &e);
	CHECK_INT(n.messages[TOKENS_SPAM], 10, "numbers of messages");
	CHECK_INT(n.messages[TOKENS_HAM], 21, "are added, too");
}

static double
judge(const struct tokens_map *m, const char *line)
{
	struct word_set words = { 0 };
	unsigned char id[SHA256_SIZE];
	struct bayes_result r;

	read_words(line, &words, id);
	bayes_judge(m, &words, &r);
	word_set_release(&words);
	return r.score;
}

static void
check_judgement(struct tokens *t)
{
	struct buf bytes = { 0 }, path = { 0 };
	struct tokens_map m;
	size_t i, refused = 0;
	int fd;

	tokens_begin(t, &e);
	tokens_import(t, ".MSG_COUNT", 90, 79, 0, &e);
	for (i = 0; i < 20; i++) {
		char word[16];

		str_fmt(word, sizeof(word), "bad%zu", i);
		tokens_import(t, word, 50, 1, 20260101, &e);
		str_fmt(word, sizeof(word), "good%zu", i);
		tokens_import(t, word, 1, 50, 20260101, &e);
	}
	tokens_commit(t, &e);
	CHECK_INT(tokens_write_map(t, &e), 0, "a snapshot is written");
	buf_printf(&path, "%s/" TOKENS_MAP, dir);
	fd = file_open(AT_FDCWD, buf_str(&path), O_RDONLY, 0);
	CHECK_INT(tokens_map_open(fd, &m, &e), 0, "and mapped");
	file_shut(&fd);
	CHECK_INT(m.spam, 100, "with the number of spam");
	CHECK(judge(&m, "bad1 bad2 bad3 bad4 bad5 bad6") > 0.99,
	      "words of spam are spam");
	CHECK(judge(&m, "good1 good2 good3 good4 good5") < 0.01,
	      "words of ham are ham");
	CHECK(judge(&m, "what nobody ever wrote") > 0.01 &&
		      judge(&m, "what nobody ever wrote") < 0.99,
	      "unknown words say little");
	CHECK(judge(&m, "bad1 bad2 bad3 good1 good2 good3") > 0.3 &&
		      judge(&m, "bad1 bad2 bad3 good1 good2 good3") < 0.7,
	      "both are neither");
	tokens_map_close(&m);

	file_read(buf_str(&path), &bytes, 1 << 20, &e);
	for (i = 0; i < bytes.len; i += 7) {
		bytes.data[i] ^= 0x40;
		refused += tokens_map_read(buf_span(&bytes), &m, &e) < 0;
		bytes.data[i] ^= 0x40;
	}
	CHECK(refused >= (bytes.len + 6) / 7 - 4,
	      "a flipped bit is noticed (%zu of %zu)", refused,
	      (bytes.len + 6) / 7);
	CHECK(tokens_map_read((struct span){ bytes.data, bytes.len - 1 }, &m,
			      &e) < 0,
	      "a cut snapshot is refused");
	buf_release(&bytes);
	buf_release(&path);
}

int
main(void)
{
	struct tokens *t;
	struct buf path = { 0 };

	if (mkdtemp(dir) == NULL)
		return EXIT_FAILURE;
	CHECK(tokens_open(dir, false, &t, &e) < 0, "no database, no words");
	CHECK_INT(tokens_open(dir, true, &t, &e), 0, "it is made");
	check_learning(t);
	check_import(t);
	check_judgement(t);
	tokens_close(t);
	buf_printf(&path, "rm -rf %s", dir);
	if (system(buf_str(&path)) != 0)
		puts("# folder not removed");
	buf_release(&path);
	return check_done();
}
