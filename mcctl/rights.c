/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Becoming the owner of what is to be read or written.
 */
#include "rights.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "str.h"

#define LIB_MODE 02770

/* 1 and pw where root is to become user, 0 where nothing is to be done. */
static int
to_become(const struct conf *conf, const char *user, const struct passwd **pw,
	  struct err *e)
{
	if (geteuid() != 0 || !conf->jail)
		return 0;
	errno = 0;
	*pw = getpwnam(user);
	if (*pw == NULL && errno != 0)
		return err_sys(e, "user \"%s\"", user);
	if (*pw == NULL)
		return err_set(e, "user \"%s\" (users in %s): not known", user,
			       conf->path);
	return (*pw)->pw_uid != 0;
}

int
rights_become(const struct conf *conf, const char *user, struct err *e)
{
	const struct passwd *pw = NULL;
	int rc = to_become(conf, user, &pw, e);

	if (rc <= 0)
		return rc;
	if (initgroups(pw->pw_name, pw->pw_gid) < 0 || setgid(pw->pw_gid) < 0 ||
	    setuid(pw->pw_uid) < 0)
		return err_sys(e, "becoming user %s", pw->pw_name);
	return 0;
}

static bool
is_empty_folder(int dir)
{
	int fd = file_open(dir, ".", O_RDONLY | O_DIRECTORY, 0);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *d;
	bool is_empty = folder != NULL;

	if (folder == NULL)
		file_shut(&fd);
	while (is_empty && (d = readdir(folder)) != NULL)
		is_empty = str_eq(d->d_name, ".") || str_eq(d->d_name, "..");
	if (folder != NULL)
		closedir(folder);
	return is_empty;
}

/* A new one, or one that somebody has made ready as root.  A folder that
 * is used for something else is not taken over. */
static bool
is_to_be_given(int fd, const struct stat *st)
{
	return st->st_uid == 0 && (st->st_mode & (S_ISVTX | S_IWOTH)) == 0 &&
	       is_empty_folder(fd);
}

int
rights_make_lib(const struct conf *conf, struct err *e)
{
	const struct passwd *pw = NULL;
	int rc = to_become(conf, conf->user_main, &pw, e);
	struct stat st;
	int fd;

	if (rc <= 0)
		return rc;
	if (file_mkdirs(conf->lib_dir, 0755, e) < 0)
		return -1;
	fd = file_open(AT_FDCWD, conf->lib_dir,
		       O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd < 0)
		return err_sys(e, "%s", conf->lib_dir);
	rc = 0;
	if (fstat(fd, &st) < 0)
		rc = err_sys(e, "%s", conf->lib_dir);
	else if (is_to_be_given(fd, &st) &&
		 (fchown(fd, pw->pw_uid, pw->pw_gid) < 0 ||
		  fchmod(fd, LIB_MODE) < 0))
		rc = err_sys(e, "%s: owner and mode", conf->lib_dir);
	file_shut(&fd);
	return rc;
}

void
rights_login_name(char *dst, size_t size)
{
	const char *sudo = getenv("SUDO_USER");
	const struct passwd *pw = getpwuid(getuid());

	/* Only root's environment was set by sudo, or by root. */
	if (getuid() == 0 && sudo != NULL && sudo[0] != '\0')
		str_copy(dst, size, sudo);
	else if (pw != NULL)
		str_copy(dst, size, pw->pw_name);
	else
		str_fmt(dst, size, "uid %ld", (long)getuid());
}
