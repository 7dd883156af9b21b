/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Commits of real files: what is there after a success, and what is not
 * after a failure.
 */
#include "committer.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "file.h"
#include "loop.h"
#include "str.h"
#include "xalloc.h"

#define DEADLINE_MS 20000

static char dir[200];
static int spool_fd;
static const struct trailer_key key = { { 1, 2 } };
static size_t done_count, failed_count;
static struct err last_error;
static struct timer deadline;
static bool is_late;

static void
on_late(void *arg)
{
	(void)arg;
	is_late = true;
	loop_stop();
}

static void
on_done(struct commit_op *op, int result, const struct err *e)
{
	done_count++;
	failed_count += result != 0;
	commit_op_free(op);
	last_error = *e;
	if (committer_pending() == 0)
		loop_stop();
}

static void
submit(struct commit_op *op)
{
	op->done = on_done;
	committer_submit(op);
}

static void
wait_all(void)
{
	timer_set(&deadline, DEADLINE_MS);
	while (committer_pending() > 0 && !is_late)
		loop_run();
	timer_clear(&deadline);
}

static void
set_file(struct commit_file *f, const char *tmp, const char *path,
	 const char *text)
{
	(void)str_copy(f->tmp, sizeof(f->tmp), tmp);
	(void)str_copy(f->path, sizeof(f->path), path);
	(void)buf_add_str(&f->text, text);
}

/* The text of a file, "-" when there is none. */
static const char *
text_of(const char *path)
{
	static struct buf b;

	buf_clear(&b);
	if (file_read_at(spool_fd, path, &b, 10000, NULL) != 0)
		return "-";
	return buf_str(&b);
}

static void
put(const char *path, const char *text)
{
	int fd = file_open(spool_fd, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || file_write_all(fd, text, strlen(text)) != 0)
		abort();
	file_shut(&fd);
}

static size_t
files_in(const char *folder)
{
	int fd = file_open(spool_fd, folder, O_RDONLY | O_DIRECTORY, 0);
	DIR *d = fdopendir(fd);
	size_t n = 0;

	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n - 2;
}

static void
reset(void)
{
	done_count = failed_count = 0;
	last_error.text[0] = '\0';
}

/* A body in place and an envelope, as a bounce commits them. */
static struct commit_op *
mail_op(const char *id)
{
	struct commit_op *op = commit_op_new(2, 0);
	char tmp[100], path[100];

	(void)str_fmt(path, sizeof(path), "body/%s", id);
	put(path, "text of a mail");
	(void)str_copy(op->files[0].path, SPOOL_PATH_SIZE, path);
	op->files[0].fd = file_open(spool_fd, path, O_RDONLY, 0);
	op->files[0].is_body = true;
	(void)str_fmt(tmp, sizeof(tmp), "in/.%s.tmp", id);
	(void)str_fmt(path, sizeof(path), "in/%s", id);
	set_file(&op->files[1], tmp, path, "envelope");
	return op;
}

static void
test_mail(void)
{
	reset();
	submit(mail_op("m1"));
	wait_all();
	CHECK(done_count == 1 && failed_count == 0, "a mail is committed");
	CHECK_STR(text_of("in/m1"), "envelope", "its envelope is there");
	CHECK_STR(text_of("in/.m1.tmp"), "-", "its temporary file is not");
	CHECK_STR(text_of("body/m1"), "text of a mail", "its body is there");
}

static void
test_many(void)
{
	char id[16];
	size_t i;

	reset();
	(void)committer_batches();
	for (i = 0; i < 1000; i++) {
		(void)str_fmt(id, sizeof(id), "n%03zu", i);
		submit(mail_op(id));
	}
	wait_all();
	CHECK(done_count == 1000 && failed_count == 0,
	      "a thousand mails are committed");
	CHECK(committer_batches() < 500, "in batches");
	CHECK_INT(files_in("in"), 1001, "all envelopes are there");
}

static void
test_replace(void)
{
	struct commit_op *op = commit_op_new(1, 1);

	reset();
	set_file(&op->files[0], "out/.m1.tmp", "out/m1", "second");
	(void)str_copy(op->unlinks[0], SPOOL_PATH_SIZE, "in/m1");
	submit(op);
	wait_all();
	CHECK_INT(failed_count, 0, "an envelope changes its folder");
	CHECK_STR(text_of("out/m1"), "second", "it is in the new one");
	CHECK_STR(text_of("in/m1"), "-", "and not in the old one");
	op = commit_op_new(1, 0);
	set_file(&op->files[0], "out/.m1.tmp", "out/m1", "third");
	op->files[0].is_replacing = true;
	put("out/.m1.tmp", "left by a crash");
	submit(op);
	wait_all();
	CHECK_INT(failed_count, 0, "it is replaced");
	CHECK_STR(text_of("out/m1"), "third", "by the new one");
}

/* One of a batch cannot be written: nobody gets in. */
static void
test_failure(void)
{
	struct commit_op *op = commit_op_new(1, 0);
	size_t before = files_in("in"), bodies = files_in("body");

	reset();
	set_file(&op->files[0], "none/.x.tmp", "none/x", "x");
	submit(op);
	submit(mail_op("f1"));
	wait_all();
	CHECK(failed_count >= 1, "a folder that is not there is a failure");
	CHECK(last_error.text[0] != '\0' || failed_count == 1, "which is told");
	if (failed_count == 2) {
		CHECK_INT(files_in("in"), before, "no envelope is left");
		CHECK_INT(files_in("body"), bodies, "nor a body");
	} else {
		CHECK_INT(files_in("in"), before + 1, "the other got in");
	}
}

/* The rename fails when all is written and synced. */
static void
test_rename_failure(void)
{
	struct commit_op *op = mail_op("f2");

	reset();
	if (mkdirat(spool_fd, "in/f2", 0700) != 0 ||
	    mkdirat(spool_fd, "in/f2/x", 0700) != 0)
		abort();
	submit(op);
	wait_all();
	CHECK_INT(failed_count, 1, "a name that is taken is a failure");
	CHECK_STR(text_of("in/.f2.tmp"), "-", "the temporary file is gone");
	CHECK_STR(text_of("body/f2"), "text of a mail",
		  "the body stays while its envelope may be there");
	(void)unlinkat(spool_fd, "in/f2/x", AT_REMOVEDIR);
	(void)unlinkat(spool_fd, "in/f2", AT_REMOVEDIR);
	(void)unlinkat(spool_fd, "body/f2", 0);
	op = commit_op_new(1, 0);
	put("out/m2", "first");
	set_file(&op->files[0], "out/.m2.tmp", "out/m2/", "second");
	op->files[0].is_replacing = true;
	submit(op);
	wait_all();
	CHECK_INT(failed_count, 2, "a replacement can fail");
	CHECK_STR(text_of("out/m2"), "first", "and leaves what was there");
}

static void
test_unlink(void)
{
	struct commit_op *op = commit_op_new(0, 2);

	reset();
	(void)str_copy(op->unlinks[0], SPOOL_PATH_SIZE, "out/m1");
	(void)str_copy(op->unlinks[1], SPOOL_PATH_SIZE, "out/not-there");
	op->must_unlink = true;
	submit(op);
	wait_all();
	CHECK_INT(failed_count, 0, "unlinks alone are an operation");
	CHECK_STR(text_of("out/m1"), "-", "the file is gone");
	op = commit_op_new(0, 1);
	(void)str_copy(op->unlinks[0], SPOOL_PATH_SIZE, "out");
	op->must_unlink = true;
	submit(op);
	wait_all();
	CHECK_INT(failed_count, 1, "one that must be and cannot is a failure");
	op = commit_op_new(1, 1);
	set_file(&op->files[0], "out/.m3.tmp", "out/m3", "text");
	(void)str_copy(op->unlinks[0], SPOOL_PATH_SIZE, "in");
	submit(op);
	wait_all();
	CHECK_INT(failed_count, 1, "one that need not be is none");
	CHECK(last_error.text[0] != '\0', "but is told");
	CHECK_STR(text_of("out/m3"), "text", "and the file is there");
}

/* Those that only unlink are in batches of their own. */
static void
test_beside(const char *words)
{
	size_t before = files_in("in"), i;
	struct commit_op *op;
	char id[32];

	reset();
	for (i = 0; i < 300; i++) {
		(void)str_fmt(id, sizeof(id), "out/old%03zu", i);
		put(id, "old");
		op = commit_op_new(0, 1);
		(void)str_copy(op->unlinks[0], SPOOL_PATH_SIZE, id);
		op->must_unlink = i % 2 == 0;
		submit(op);
		(void)str_fmt(id, sizeof(id), "%s%03zu", words, i);
		submit(mail_op(id));
	}
	wait_all();
	CHECK(done_count == 600 && failed_count == 0,
	      "mails and unlinks go on beside each other: %s", words);
	CHECK_INT(files_in("in"), before + 300, "all mails are there");
	CHECK_STR(text_of("out/old000"), "-", "what must go is gone");
	CHECK_STR(text_of("out/old299"), "-", "what may go too");
}

static void
make_dirs(void)
{
	static const char *const names[] = { "body", "in", "out" };
	const char *top = getenv("TMPDIR");
	size_t i;

	(void)str_fmt(dir, sizeof(dir), "%s/committer.XXXXXX",
		      top != NULL ? top : "/tmp");
	if (mkdtemp(dir) == NULL)
		abort();
	spool_fd = file_open(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (mkdirat(spool_fd, names[i], 0700) != 0)
			abort();
	}
}

int
main(void)
{
	char command[300];

	make_dirs();
	loop_init();
	timer_init(&deadline, on_late, NULL);
	committer_start(spool_fd, &key, 4);
	test_mail();
	test_many();
	test_replace();
	test_failure();
	test_rename_failure();
	test_unlink();
	test_beside("four");
	committer_stop();
	committer_start(spool_fd, &key, 1);
	test_beside("one");
	reset();
	submit(mail_op("s1"));
	committer_stop();
	CHECK_INT(done_count, 1, "a stop finishes what was submitted");
	CHECK(!is_late, "all came in time");
	file_shut(&spool_fd);
	(void)str_fmt(command, sizeof(command), "rm -rf '%s'", dir);
	if (system(command) != 0)
		return EXIT_FAILURE;
	return check_done();
}
