/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Finds the command in its table, prepares what its row wants, and runs it.
 */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "asking.h"
#include "command.h"
#include "file.h"
#include "guard.h"
#include "log.h"
#include "other.h"
#include "rights.h"
#include "undo.h"
#include "words.h"
#include "xalloc.h"

#define NUDGE_MS 3000

/* Tells a running mcd to look at settings.db now, not in a second. */
static void
nudge(struct ctx *c, struct asking *a)
{
	struct err e = { "" };
	int code;

	if (a == NULL)
		return;
	asking_set_wait(a, NUDGE_MS);
	code = asking_run(a, "nudge", "", NULL, &e);
	if (code != EX_OK)
		caution(c, "it is written, but mcd does not use it yet: %s",
			e.text);
}

/* Inside a transaction that is complete when the command says so. */
static int
run_writer(struct ctx *c, const char *who)
{
	struct err e = { "" };
	enum db_result r = db_begin(c->db, who, &e);
	int64_t before = r == DB_OK ? undo_last_serial(c) : 0;
	struct guard guard;
	int code = EX_OK;

	if (r != DB_OK)
		return complain_db(c, r, &e);
	if (c->is_guarded)
		code = guard_begin(&guard, c);
	if (code == EX_OK)
		code = c->command->run(c);
	if (c->is_guarded && code == EX_OK)
		code = guard_check(&guard, c);
	if (code != EX_OK) {
		db_rollback(c->db);
		return code;
	}
	if (c->is_dry_run) {
		db_rollback(c->db);
		return EX_OK;
	}
	r = db_commit(c->db, &e);
	if (r != DB_OK)
		return complain_db(c, r, &e);
	if (c->then == NULL && !c->out.has_printed)
		out_done(&c->out);
	undo_tell_others(c, who, before);
	return EX_OK;
}

static int
run_with_db(struct ctx *c)
{
	bool writes = c->command->need >= NEED_DB_WRITE;
	struct asking *a = NULL;
	struct err e = { "" };
	enum db_result r;
	char who[64];
	int code;

	/* Before rights are dropped: the socket may be root's alone. */
	rights_login_name(who, sizeof(who));
	if (writes)
		a = asking_open(&c->conf, &code, &e);
	if ((writes && rights_make_lib(&c->conf, &e) < 0) ||
	    rights_become(&c->conf, c->conf.user_main, &e) < 0) {
		asking_close(a);
		return complain(c, EX_NOPERM, "%s", e.text);
	}
	r = db_open(c->conf.lib_dir, writes, c->conf.node, &c->db, &e);
	if (r != DB_OK)
		code = complain_db(c, r, &e);
	else if (writes)
		code = run_writer(c, who);
	else
		code = c->command->run(c);
	if (writes && code == EX_OK && !c->is_dry_run)
		nudge(c, a);
	asking_close(a);
	if (code == EX_OK && c->then != NULL)
		code = c->then(c);
	return code;
}

static int
run_prepared(struct ctx *c)
{
	struct err e = { "" };

	if (c->command->need == NEED_NOTHING ||
	    (c->command->is_net && !other_is_this()))
		return c->command->run(c);
	if (conf_read(c->conf_path, &c->conf, &e) < 0)
		return complain(c, EX_CONFIG, "%s", e.text);
	if (c->command->need == NEED_CONF)
		return c->command->run(c);
	if (c->command->need == NEED_FILE_DB_WRITE) {
		c->file = file_open(AT_FDCWD, c->args[0], O_RDONLY, 0);
		if (c->file < 0)
			return complain(c, EX_NOINPUT, "%s: %s",
					log_text(c->args[0]), strerror(errno));
	}
	return run_with_db(c);
}

/* A reader that has gone, as head(1) does, is no failure. */
static int
flush_output(struct ctx *c, int code)
{
	out_flush(&c->out);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	if (code != EX_OK || errno == EPIPE)
		return code;
	return complain(c, EX_IOERR, "standard output: %s", strerror(errno));
}

/* The parser moves words about. */
static char **
copy_words(char **words)
{
	size_t n = 0;
	char **copy;

	while (words[n] != NULL)
		n++;
	copy = xcalloc(n + 1, sizeof(*copy));
	if (n > 0)
		memcpy(copy, words, n * sizeof(*copy));
	return copy;
}

int
run_words(char **words)
{
	struct ctx *c = xcalloc(1, sizeof(*c));
	int code;

	c->conf_path = conf_default_path;
	c->words = copy_words(words);
	if (words_parse(c, words, &code))
		code = run_prepared(c);
	code = flush_output(c, code);
	out_release(&c->out);
	db_close(c->db);
	conf_release(&c->conf);
	free(c->words);
	free(c);
	return code;
}
