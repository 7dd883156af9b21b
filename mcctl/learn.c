/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl learn: what the Bayes filter knows.  It writes the database itself,
 * whether mcd runs or not; and mcctl test bayes judges by it.
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "command.h"
#include "learn.h"
#include "file.h"
#include "record.h"
#include "rights.h"
#include "str.h"
#include "tokens.h"
#include "tokens_map.h"
#include "view.h"

#define MESSAGE_MAX (256u << 20) /* of standard input */
#define DEPTH_MAX 20 /* folders in folders */
#define READ_MAX (1 << 20) /* bytes of a file that is not mapped */

/* What is done with each message. */
struct job {
	struct ctx *c;
	struct tokens *tokens; /* for learning */
	const struct tokens_map *map; /* for judging */
	enum tokens_kind kind;
	bool is_forget;
	struct buf file; /* used again for each */
	int64_t seen, done; /* messages; those that changed something */
	int code; /* of the first failure */
};

/*
 * Where the database is: --db, or the folder of databases that mcd.conf
 * names, as the user whose it is.
 */
static int
db_dir(struct ctx *c, bool create, const char **dir)
{
	struct err e;

	*dir = option_value(c, "db");
	if (*dir != NULL) {
		if (create && file_mkdirs(*dir, 02770, &e) < 0)
			return complain(c, EX_CANTCREAT, "%s", e.text);
		return 0;
	}
	if (c->conf.path == NULL && conf_read(c->conf_path, &c->conf, &e) < 0)
		return complain(c, EX_CONFIG, "%s", e.text);
	if ((create && rights_make_lib(&c->conf, &e) < 0) ||
	    rights_become(&c->conf, c->conf.user_main, &e) < 0)
		return complain(c, EX_NOPERM, "%s", e.text);
	*dir = c->conf.lib_dir;
	return 0;
}

static void
message(struct job *j, struct span raw)
{
	/* Words come from the first part of a long text in any case. */
	static const struct mime_limits limits = { .text = 1u << 20 };
	unsigned char id[SHA256_SIZE];
	const struct word_set *words;
	struct bayes_result result;
	struct view *v;
	struct err e;
	char line[64];
	int r = 0;

	v = view_new(raw, &limits, NULL);
	words = view_words(v);
	j->seen++;
	if (j->map != NULL) {
		bayes_judge(j->map, words, &result);
		str_fmt(line, sizeof(line), "%.9f", result.score);
		out_line(&j->c->out, line);
		view_free(v);
		return;
	}
	tokens_message_id(v->mime, id);
	if (j->is_forget)
		r = tokens_forget(j->tokens, id, words, &e);
	else
		r = tokens_learn(j->tokens, id, j->kind, words, &e);
	view_free(v);
	if (r < 0 && j->code == 0)
		j->code = complain(j->c, EX_IOERR, "%s", e.text);
	j->done += r > 0;
}

/* The next line of an mbox that begins a message, behind p, or the end. */
static const char *
next_from(const char *p, const char *end)
{
	while (end - p > 6) {
		p = memmem(p, (size_t)(end - p), "\nFrom ", 6);
		if (p == NULL)
			return end;
		/* An empty line goes before it. */
		if (p[-1] == '\n' || (p[-1] == '\r' && p[-2] == '\n'))
			return p + 1;
		p++;
	}
	return end;
}

static void
one_or_mbox(struct job *j, struct span raw)
{
	const char *p = raw.p, *end = raw.p + raw.len, *next;

	if (raw.len < 5 || strncmp(p, "From ", 5) != 0 || j->map != NULL) {
		message(j, raw);
		return;
	}
	for (; p < end && j->code == 0; p = next) {
		next = next_from(p + 5, end);
		message(j, (struct span){ p, (size_t)(next - p) });
	}
}

static int
open_failed(struct job *j, const char *path, const char *why)
{
	if (j->code == 0)
		j->code = complain(j->c, EX_NOINPUT, "%s: %s", path, why);
	return -1;
}

static int read_path(struct job *j, int dirfd, const char *name, int depth);

static int
read_folder(struct job *j, int fd, const char *name, int depth)
{
	DIR *dir = fdopendir(fd);
	struct dirent *d;

	if (dir == NULL) {
		file_shut(&fd);
		return open_failed(j, name, "cannot be read");
	}
	while (j->code == 0 && (d = readdir(dir)) != NULL)
		if (d->d_name[0] != '.' && depth < DEPTH_MAX)
			read_path(j, fd, d->d_name, depth + 1);
	closedir(dir);
	return 0;
}

static int
read_path(struct job *j, int dirfd, const char *name, int depth)
{
	int fd = file_open(dirfd, name, O_RDONLY, 0);
	struct stat st;
	struct err e;
	void *p;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0) {
		err_sys(&e, "%s", name);
		file_shut(&fd);
		if (j->code == 0)
			j->code = complain(j->c, EX_NOINPUT, "%s", e.text);
		return -1;
	}
	if (S_ISDIR(st.st_mode))
		return read_folder(j, fd, name, depth);
	if (!S_ISREG(st.st_mode)) {
		file_shut(&fd);
		return 0;
	}
	if (st.st_size <= READ_MAX) {
		buf_clear(&j->file);
		r = file_read_fd(fd, &j->file, READ_MAX, &e);
		file_shut(&fd);
		if (r < 0)
			return open_failed(j, name, e.text);
		if (j->file.len > 0 || j->map != NULL)
			one_or_mbox(j, buf_span(&j->file));
		return 0;
	}
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	file_shut(&fd);
	if (p == MAP_FAILED)
		return open_failed(j, name, "cannot be mapped");
	one_or_mbox(j, (struct span){ p, (size_t)st.st_size });
	munmap(p, (size_t)st.st_size);
	return 0;
}

static void
read_all(struct job *j)
{
	struct buf b = { 0 };
	struct err e;
	int i;

	for (i = 0; i < j->c->arg_count && j->code == 0; i++) {
		if (!str_eq(j->c->args[i], "-")) {
			read_path(j, AT_FDCWD, j->c->args[i], 0);
			continue;
		}
		if (file_read_fd(STDIN_FILENO, &b, MESSAGE_MAX, &e) < 0)
			j->code = complain(j->c, EX_NOINPUT, "%s", e.text);
		else if (b.len > 0)
			one_or_mbox(j, buf_span(&b));
		buf_release(&b);
	}
}

static int
open_db(struct ctx *c, bool create, struct tokens **out)
{
	const char *dir;
	struct err e;
	int code = db_dir(c, create, &dir);

	if (code != 0)
		return code;
	if (tokens_open(dir, create, out, &e) < 0)
		return complain(c, create ? EX_CANTCREAT : EX_NOINPUT, "%s%s",
				e.text,
				create ? "" : "; nothing was learnt yet?");
	return 0;
}

/* Commits what was done and writes the snapshot. */
static int
finish(struct ctx *c, struct tokens *t, bool is_changed)
{
	struct err e;

	if (tokens_commit(t, &e) < 0 ||
	    (is_changed && tokens_write_map(t, &e) < 0))
		return complain(c, EX_IOERR, "%s", e.text);
	return EX_OK;
}

static int
learn(struct ctx *c, enum tokens_kind kind, bool is_forget,
      const struct span *mails, size_t count)
{
	struct job j = { .c = c, .kind = kind, .is_forget = is_forget };
	struct record r = { 0 };
	struct err e;
	size_t i;

	j.code = open_db(c, !is_forget, &j.tokens);
	if (j.code != 0)
		return j.code;
	if (tokens_begin(j.tokens, &e) < 0)
		j.code = complain(c, EX_TEMPFAIL, "%s", e.text);
	else if (mails == NULL)
		read_all(&j);
	for (i = 0; j.code == 0 && i < count; i++)
		message(&j, mails[i]);
	if (j.code == 0)
		j.code = finish(c, j.tokens, j.done > 0);
	tokens_close(j.tokens);
	buf_release(&j.file);
	if (j.code != 0)
		return j.code;
	record_int(&r, "messages", j.seen);
	record_int(&r, is_forget ? "forgotten" : "learnt", j.done);
	record_int(&r, is_forget ? "not_known" : "known_before",
		   j.seen - j.done);
	out_object(&c->out, &r);
	record_release(&r);
	return EX_OK;
}

int
learn_mails(struct ctx *c, bool is_spam, const struct span *mails, size_t count)
{
	return learn(c, is_spam ? TOKENS_SPAM : TOKENS_HAM, false, mails,
		     count);
}

int
cmd_learn_spam(struct ctx *c)
{
	return learn(c, TOKENS_SPAM, false, NULL, 0);
}

int
cmd_learn_ham(struct ctx *c)
{
	return learn(c, TOKENS_HAM, false, NULL, 0);
}

int
cmd_learn_forget(struct ctx *c)
{
	return learn(c, TOKENS_HAM, true, NULL, 0);
}

static int64_t
missing(int64_t have)
{
	return have < TOKENS_ENOUGH ? TOKENS_ENOUGH - have : 0;
}

int
cmd_learn_status(struct ctx *c)
{
	struct tokens_counts n;
	struct record r = { 0 };
	struct tokens *t;
	struct err e;
	int code = open_db(c, false, &t);

	if (code != 0)
		return code;
	if (tokens_count(t, &n, &e) < 0)
		code = complain(c, EX_IOERR, "%s", e.text);
	tokens_close(t);
	if (code != 0)
		return code;
	record_int(&r, "spam", n.messages[TOKENS_SPAM]);
	record_int(&r, "ham", n.messages[TOKENS_HAM]);
	record_int(&r, "words", n.words);
	record_int(&r, "spam_needed", missing(n.messages[TOKENS_SPAM]));
	record_int(&r, "ham_needed", missing(n.messages[TOKENS_HAM]));
	record_bool(&r, "speaks",
		    missing(n.messages[0]) == 0 && missing(n.messages[1]) == 0);
	out_object(&c->out, &r);
	record_release(&r);
	return EX_OK;
}

static int
export_row(void *arg, const char *word, int64_t spam, int64_t ham, int64_t day)
{
	(void)arg;
	return printf("%s %" PRId64 " %" PRId64 " %" PRId64 "\n", word, spam,
		      ham, day) < 0;
}

int
cmd_learn_export(struct ctx *c)
{
	struct tokens_counts n;
	struct tokens *t;
	struct err e;
	int code = open_db(c, false, &t);

	if (code != 0)
		return code;
	if (tokens_count(t, &n, &e) < 0)
		code = complain(c, EX_IOERR, "%s", e.text);
	if (code == 0) {
		export_row(NULL, ".MSG_COUNT", n.messages[TOKENS_SPAM],
			   n.messages[TOKENS_HAM], 0);
		if (tokens_each(t, export_row, NULL, &e) < 0)
			code = complain(c, EX_IOERR, "%s", e.text);
	}
	tokens_close(t);
	return code;
}

/* "WORD SPAM HAM [DAY]"; 0 where the line is none. */
static int
read_row(char *line, char **word, int64_t n[3])
{
	char *p = strchr(line, ' ');
	struct err e;
	int i;

	n[0] = n[1] = n[2] = 0;
	*word = line;
	for (i = 0; i < 3 && p != NULL; i++) {
		char *from = p + 1;

		*p = '\0';
		p = strchr(from, ' ');
		if (p != NULL)
			*p = '\0';
		if (str_to_i64(from, &n[i], &e) < 0 || n[i] < 0 ||
		    n[i] > INT32_MAX)
			return 0;
		if (p != NULL)
			*p = ' ';
	}
	return i >= 2 && str_is_utf8(line, strlen(line));
}

static int
import_lines(struct ctx *c, struct tokens *t, FILE *f, struct record *r)
{
	int64_t n[3], rows = 0, passed = 0;
	char line[4096];
	char *word;
	struct err e;

	while (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\r\n")] = '\0';
		if (!read_row(line, &word, n)) {
			passed++;
			continue;
		}
		if (tokens_import(t, word, n[0], n[1], n[2], &e) < 0)
			return complain(c, EX_IOERR, "%s", e.text);
		rows++;
	}
	record_int(r, "rows", rows);
	record_int(r, "passed_over", passed);
	return EX_OK;
}

int
cmd_learn_import(struct ctx *c)
{
	bool is_stdin = str_eq(c->args[0], "-");
	FILE *f = is_stdin ? stdin : fopen(c->args[0], "re");
	struct record r = { 0 };
	struct tokens *t;
	struct err e;
	int code;

	if (f == NULL) {
		err_sys(&e, "%s", c->args[0]);
		return complain(c, EX_NOINPUT, "%s", e.text);
	}
	code = open_db(c, true, &t);
	if (code == 0) {
		if (tokens_begin(t, &e) < 0)
			code = complain(c, EX_TEMPFAIL, "%s", e.text);
		else
			code = import_lines(c, t, f, &r);
		if (code == 0)
			code = finish(c, t, true);
		tokens_close(t);
	}
	if (!is_stdin)
		fclose(f);
	if (code == 0)
		out_object(&c->out, &r);
	record_release(&r);
	return code;
}

static int
open_map(struct ctx *c, struct tokens_map *m)
{
	char path[4352];
	const char *dir;
	struct err e;
	int fd, r;

	r = db_dir(c, false, &dir);
	if (r != 0)
		return r;
	str_fmt(path, sizeof(path), "%s/" TOKENS_MAP, dir);
	fd = file_open(AT_FDCWD, path, O_RDONLY, 0);
	if (fd < 0) {
		err_sys(&e, "%s", path);
		return complain(c, EX_NOINPUT, "%s; nothing was learnt yet?",
				e.text);
	}
	r = tokens_map_open(fd, m, &e);
	file_shut(&fd);
	if (r < 0)
		return complain(c, EX_DATAERR, "%s: %s", path, e.text);
	return 0;
}

int
cmd_test_bayes(struct ctx *c)
{
	struct job j = { .c = c };
	struct tokens_map map;

	j.code = open_map(c, &map);
	if (j.code != 0)
		return j.code;
	j.map = &map;
	read_all(&j);
	buf_release(&j.file);
	tokens_map_close(&map);
	return j.code;
}
