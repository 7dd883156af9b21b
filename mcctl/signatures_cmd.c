/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl signatures take: files of third-party signatures come into the
 * folder that the filter clamspam reads only when each, alone, can be
 * loaded; else the old one stays.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "command.h"
#include "file.h"
#include "rights.h"
#include "str.h"

#define FILES_MAX 1000
#define SAID_MAX 4096
#define FILE_MAX (512u << 20)
#define TRY_DIR ".new" /* names that begin with a dot are not loaded */

struct taking {
	struct ctx *c;
	const char *from, *to;
	size_t taken, same, refused;
};

static int
is_offered(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static bool
is_the_same(const char *path, struct span fresh)
{
	struct buf old = { 0 };
	struct err e;
	bool same = file_read(path, &old, FILE_MAX, &e) == 0 &&
		    old.len == fresh.len &&
		    (old.len == 0 || memcmp(old.data, fresh.p, old.len) == 0);

	buf_release(&old);
	return same;
}

/* mcd-filter has the library, and an end of its own to loading; -1 with e:
 * it cannot be loaded. */
static int
try_file(const char *program, const char *path, struct err *e)
{
	struct buf said = { 0 };
	int pipes[2], status;
	pid_t pid;

	if (pipe(pipes) != 0)
		return err_sys(e, "pipe");
	pid = fork();
	if (pid == 0) {
		if (dup2(pipes[1], STDOUT_FILENO) >= 0)
			(void)execl(program, "mcd-filter", "-l", path,
				    (char *)NULL);
		_exit(EX_UNAVAILABLE);
	}
	(void)close(pipes[1]);
	(void)file_read_fd(pipes[0], &said, SAID_MAX, e);
	(void)close(pipes[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			pid = -1;
	if (pid < 0 || !WIFEXITED(status) ||
	    WEXITSTATUS(status) == EX_UNAVAILABLE)
		(void)err_set(e, "%s does not run", program);
	else if (WEXITSTATUS(status) != 0)
		(void)err_set(e, "%.*s", (int)strcspn(buf_str(&said), "\n"),
			      buf_str(&said));
	else
		pid = 0;
	buf_release(&said);
	return pid == 0 ? 0 : -1;
}

/* The very bytes that are taken are tried; -1 with e: they are no good. */
static int
try_and_move(const struct taking *t, const char *name, struct span fresh,
	     const char *to, struct err *e)
{
	char tmp[4096], program[4096];

	if (!str_fmt(tmp, sizeof(tmp), "%s/" TRY_DIR "/%s", t->to, name) ||
	    !str_fmt(program, sizeof(program), "%s/mcd-filter",
		     t->c->conf.libexec_dir))
		return err_set(e, "path too long");
	if (file_replace(tmp, fresh.p, fresh.len, 0644, e) != 0)
		return -1;
	if (try_file(program, tmp, e) != 0) {
		(void)unlink(tmp);
		return -1;
	}
	if (rename(tmp, to) != 0) {
		(void)err_sys(e, "%s", to);
		(void)unlink(tmp);
		return -1;
	}
	return file_sync_dir_of(to, e);
}

static void
take(struct taking *t, const char *name)
{
	char path[4096], to[4096];
	struct buf fresh = { 0 };
	struct err e = { "path too long" };
	int rc = -1;

	if (str_fmt(path, sizeof(path), "%s/%s", t->from, name) &&
	    str_fmt(to, sizeof(to), "%s/%s", t->to, name))
		rc = file_read(path, &fresh, FILE_MAX, &e);
	if (rc == 0 && is_the_same(to, buf_span(&fresh))) {
		t->same++;
	} else if (rc == 0 &&
		   try_and_move(t, name, buf_span(&fresh), to, &e) == 0) {
		t->taken++;
	} else {
		t->refused++;
		(void)complain(
			t->c, EX_DATAERR, "%s: %s: not taken%s", name, e.text,
			access(to, F_OK) == 0 ? ", the old one stays" : "");
	}
	buf_release(&fresh);
}

static int
take_all(struct taking *t)
{
	struct dirent **names;
	struct stat st;
	char path[4096];
	int i, n = scandir(t->from, &names, is_offered, alphasort);

	if (n < 0)
		return complain(t->c, EX_NOINPUT, "%s: %s", t->from,
				strerror(errno));
	for (i = 0; i < n; i++) {
		if (i < FILES_MAX &&
		    str_fmt(path, sizeof(path), "%s/%s", t->from,
			    names[i]->d_name) &&
		    stat(path, &st) == 0 && S_ISREG(st.st_mode))
			take(t, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	if (n > FILES_MAX)
		return complain(t->c, EX_DATAERR, "%s: more than %d files",
				t->from, FILES_MAX);
	return EX_OK;
}

static void
put_counts(const struct taking *t)
{
	struct record row = { 0 };
	char line[200];

	if (t->c->out.json) {
		record_int(&row, "taken", (int64_t)t->taken);
		record_int(&row, "same", (int64_t)t->same);
		record_int(&row, "refused", (int64_t)t->refused);
		out_object(&t->c->out, &row);
		record_release(&row);
		return;
	}
	(void)str_fmt(line, sizeof(line),
		      "%zu taken, %zu as they were, %zu refused", t->taken,
		      t->same, t->refused);
	out_line(&t->c->out, line);
}

int
cmd_signatures_take(struct ctx *c)
{
	struct taking t = { .c = c,
			    .from = c->args[0],
			    .to = c->conf.clamav_third_party };
	char dir[4096];
	struct err e;
	int rc;

	if (t.to[0] == '\0')
		return complain(c, EX_CONFIG,
				"no clamav.third_party is set in mcd.conf");
	if (!str_fmt(dir, sizeof(dir), "%s/" TRY_DIR, t.to) ||
	    rights_make_lib(&c->conf, &e) < 0 ||
	    rights_become(&c->conf, c->conf.user_main, &e) < 0 ||
	    file_mkdirs(dir, 0755, &e) < 0)
		return complain(c, EX_CANTCREAT, "%s", e.text);
	rc = take_all(&t);
	(void)rmdir(dir);
	put_counts(&t);
	return rc != EX_OK ? rc : t.refused > 0 ? EX_DATAERR : EX_OK;
}
