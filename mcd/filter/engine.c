/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * libclamav takes paths only: the folder is entered by its descriptor for
 * the time of loading.  The process that does so never sees mail.
 */
#include "engine.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "file.h"
#include "log.h"
#include "role.h"
#include "str.h"
#include "test_hook.h"

#define TEST_EVERY_MS 600000

const char *
engine_tmp(void)
{
	static char path[4096];

	(void)str_fmt(path, sizeof(path), "%s/tmp", role_home());
	return path;
}

/* Files, and folders of files: what libclamav makes is no deeper. */
static void
sweep(int dir_fd, int depth)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	if (d == NULL) {
		file_shut(&fd);
		return;
	}
	while ((entry = readdir(d)) != NULL) {
		int sub;

		if (str_eq(entry->d_name, ".") || str_eq(entry->d_name, ".."))
			continue;
		if (unlinkat(dir_fd, entry->d_name, 0) == 0)
			continue;
		sub = openat(dir_fd, entry->d_name,
			     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub >= 0 && depth < 8)
			sweep(sub, depth + 1);
		file_shut(&sub);
		(void)unlinkat(dir_fd, entry->d_name, AT_REMOVEDIR);
	}
	(void)closedir(d);
}

void
engine_sweep(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		sweep(fd, 0);
	file_shut(&fd);
}

void
engine_prepare(struct engine *e, const char *dir)
{
	(void)str_copy(e->dir, sizeof(e->dir), dir);
	file_shut(&e->dir_fd);
	if (*dir != '\0')
		e->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* A sum over names, sizes and times of the files: any change changes it. */
static int64_t
stamp_of(int dir_fd, int64_t *newest_s)
{
	uint64_t sum = 14695981039346656037u; /* FNV-1a */
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	struct stat st;
	uint64_t all = 0;
	const char *p;

	*newest_s = 0;
	if (d == NULL) {
		file_shut(&fd);
		return 0;
	}
	while ((entry = readdir(d)) != NULL) {
		if (entry->d_name[0] == '.' ||
		    fstatat(dir_fd, entry->d_name, &st, 0) != 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		if (st.st_mtim.tv_sec > *newest_s)
			*newest_s = st.st_mtim.tv_sec;
		sum = 14695981039346656037u ^ (uint64_t)st.st_size;
		for (p = entry->d_name; *p != '\0'; p++)
			sum = (sum ^ (unsigned char)*p) * 1099511628211u;
		sum = (sum ^ (uint64_t)st.st_mtim.tv_sec) * 1099511628211u;
		sum = (sum ^ (uint64_t)st.st_mtim.tv_nsec) * 1099511628211u;
		all += sum; /* in whatever order they are told */
	}
	(void)closedir(d);
	return (int64_t)all;
}

bool
engine_is_stale(const struct engine *e)
{
	int64_t newest_s;

	return e->clam == NULL ||
	       (e->dir_fd >= 0 && stamp_of(e->dir_fd, &newest_s) != e->stamp);
}

static void
warn(const char *text)
{
	log_warn("- %s", text);
}

/* The signatures of the folder; -1 when the folder cannot be entered. */
static int
add_folder(struct engine *e, struct clam *c, struct err *err)
{
	int home, rc;

	if (e->dir_fd < 0)
		return 0;
	home = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (home < 0 || fchdir(e->dir_fd) != 0) {
		file_shut(&home);
		return err_sys(err, "%s: %s", e->what, e->dir);
	}
	e->next_stamp = stamp_of(e->dir_fd, &e->next_newest_s);
	rc = clam_add(c, ".", true, warn, err);
	if (fchdir(home) != 0)
		fatal(71, "%s: the way back is closed", e->what);
	file_shut(&home);
	return rc < 0 ? -1 : 0;
}

int
engine_load(struct engine *e, struct err *err)
{
	struct clam *fresh = clam_new(engine_tmp(), err);

	e->next_stamp = e->next_newest_s = 0;
	test_hook_load();
	if (fresh != NULL &&
	    (add_folder(e, fresh, err) != 0 || clam_ready(fresh, err) != 0)) {
		clam_free(fresh);
		fresh = NULL;
	}
	if (fresh == NULL) {
		err_prefix(err, "%s", e->what);
		/* Old signatures are better than none. */
		if (e->clam == NULL)
			e->trouble = *err;
		return -1;
	}
	e->next = fresh;
	return 0;
}

void
engine_adopt(struct engine *e)
{
	if (e->next == NULL)
		return;
	clam_free(e->clam);
	e->clam = e->next;
	e->next = NULL;
	e->stamp = e->next_stamp;
	e->tested_ms = clock_mono_ms();
	e->newest_us = e->next_newest_s * 1000000;
	e->adopted_us = clock_wall_us();
	if (clam_signatures(e->clam) == 0)
		log_warn("- %s: without signatures: none in \"%s\"", e->what,
			 e->dir);
	else
		log_info("- %s: signatures=%u dir=%s", e->what,
			 clam_signatures(e->clam), log_text(e->dir));
}

void
engine_unload(struct engine *e)
{
	clam_free(e->clam);
	clam_free(e->next);
	e->clam = e->next = NULL;
}

bool
engine_is_empty(const struct engine *e)
{
	return e->clam != NULL && clam_signatures(e->clam) == 0;
}

static int
test_again(struct engine *e, struct err *err)
{
	int64_t now = clock_mono_ms();

	if (now - e->tested_ms < TEST_EVERY_MS)
		return 0;
	if (clam_self_test(e->clam, err) != 0)
		return -1;
	e->tested_ms = now;
	return 0;
}

void
engine_scan(struct engine *e, const struct filter_mail *m, struct span in,
	    bool is_mail, struct clam_result *out)
{
	int64_t left_ms = m->deadline_ms - clock_mono_ms();
	struct err err = { "" };

	memset(out, 0, sizeof(*out));
	out->verdict = CLAM_FAILED;
	if (e->clam == NULL)
		(void)str_copy(out->name, sizeof(out->name), e->trouble.text);
	else if (test_again(e, &err) != 0)
		(void)str_copy(out->name, sizeof(out->name), err.text);
	else if (left_ms <= 0)
		(void)str_copy(out->name, sizeof(out->name), "out of time");
	else
		clam_scan(e->clam, in, is_mail, left_ms, out);
}
